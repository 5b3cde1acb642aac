//! Rows to store: one of every kind, with the ids that a check asks for.

use core::str::FromStr;

use billing_core::{
    account::{AccountSettings, Assignment, Stretch},
    correction::{Change, Correction, CorrectionReport, Counted, ItemChange, RecordedCorrection},
    decide::{
        CarryMove, Claim, Dropped, Intake, Moved, ParkReason, Parked, Refusal, StoredItem, Writes,
    },
    digest::Digest,
    event::{Cause, Event, Happened, Head, Posting},
    invoice::{Draft, Invoice, InvoiceKind, InvoiceMark, InvoiceState, Line, LinePart},
    item::{
        Call, Direction, Disposition, Fingerprint, Incoming, Item, ItemKey, OneOff, Party,
        Properties, Pulse,
    },
    money::{Exact, Money},
    outbox::DeadLetter,
    plan::PlanSpec,
    settlement::{Handover, Settlement, SettlementState},
    tariff::{Activation, TariffSpec},
    tax::Taxed,
    terms::Overrides,
    time::{Instant, Period},
    usage::{Carry, CarryKey, DayTotal, ScopeKey, TotalKey, Totals},
};

use crate::conformance::kept::Failed;

/// A row, or the text that was no id; never happens for the texts of this suite.
pub(super) type Made<T> = Result<T, Failed>;

/// A value from its text.
pub(super) fn of<T: FromStr<Err: core::error::Error>>(text: &str) -> Made<T> {
    Ok(text.parse()?)
}

/// An instant of 2026-10-05, UTC.
pub(super) fn at(time: &str) -> Made<Instant> {
    of(&format!("2026-10-05T{time}Z"))
}

pub(super) fn settings(account: &str) -> Made<AccountSettings> {
    let mut settings: AccountSettings = serde_json::from_str(
        r#"{"id":"a","currency":"EUR","zone":"Europe/Berlin",
            "customer":"carol","anchor":{"from":"2026-10-01","months":1}}"#,
    )?;
    settings.id = of(account)?;
    Ok(settings)
}

pub(super) fn plan(plan: &str, version: u32) -> Made<PlanSpec> {
    let mut spec: PlanSpec = serde_json::from_str(
        r#"{"id":"basic","version":1,"currency":"EUR","payment":"postpaid",
            "strategies":[{"id":"calls","kind":"flat_rate",
                           "terms":{"per_minute":"0.02","minutes":"pro_rata"}}]}"#,
    )?;
    spec.id = of(plan)?;
    spec.version = version;
    Ok(spec)
}

/// A plan that prices calls and what they add up to over all time, counts pulses, and charges a fee in advance.
pub(super) fn metered() -> Made<PlanSpec> {
    Ok(serde_json::from_str(
        r#"{"id":"metered","version":1,"currency":"EUR","payment":"postpaid","strategies":[
            {"id":"calls","kind":"flat_rate","terms":{"per_minute":"0.0199","minutes":"pro_rata"}},
            {"id":"blocks","kind":"blocks",
             "terms":{"block_ms":45000,"per_block":"0.0037","scope":"lifetime"}},
            {"id":"storage","kind":"per_unit",
             "terms":{"product":"storage","unit":"GB-h","per_unit":"0.0333"}},
            {"id":"usage","kind":"unpriced","terms":{}},
            {"id":"fee","kind":"recurring",
             "terms":{"per_period":"9.99","timing":"in_advance","proration":"days"}}]}"#,
    )?)
}

/// A tariff with one price for any number, and its fallback.
pub(super) fn tariff(tariff: &str, version: u32) -> Made<TariffSpec> {
    let mut spec: TariffSpec = serde_json::from_str(
        r#"{"id":"retail","version":1,"currency":"EUR","zone":"Europe/Berlin","decimals":4,
            "rounding":"half_up","fallback":["world"],
            "lines":[{"destination":"anywhere","to":"any",
                      "bands":[{"price":"0.0199","per":"60","increment":"60"}]}]}"#,
    )?;
    spec.id = of(tariff)?;
    spec.version = version;
    Ok(spec)
}

/// That a version of a tariff is in force from a time of 2026-10-05 on.
pub(super) fn activation(tariff: &str, version: u32, from: &str) -> Made<Activation> {
    Ok(Activation { tariff: of(tariff)?, version, from: at(from)? })
}

/// A plan whose calls are priced by the tariff `retail`.
pub(super) fn by_tariff() -> Made<PlanSpec> {
    Ok(serde_json::from_str(
        r#"{"id":"by-tariff","version":1,"currency":"EUR","payment":"postpaid",
            "strategies":[{"id":"calls","kind":"tariff","terms":{"tariff":"retail"}}]}"#,
    )?)
}

pub(super) fn assignment(number: u32, from: &str) -> Made<Assignment> {
    let digest = plan("basic", 1)?.digest();
    Ok(Assignment {
        number,
        from: of(from)?,
        plan: of("basic")?,
        version: 1,
        overrides: Overrides::none(),
        digest,
    })
}

pub(super) fn key(id: &str) -> Made<ItemKey> {
    Ok(ItemKey::new(of("pbx")?, of(id)?))
}

pub(super) fn call() -> Made<Item> {
    Ok(Item::Call(Call {
        start: at("08:00:00")?,
        duration_ms: 61_000,
        caller: Party::unknown(),
        callee: Party::unknown(),
        disposition: Disposition::Answered,
        direction: Direction::Outbound,
    }))
}

/// The record of a number of the usage that `key` is of.
pub(super) fn partial(key: &ItemKey, number: u32) -> ItemKey {
    ItemKey { partial: number.try_into().ok(), ..key.clone() }
}

/// Another leg of the same usage.
pub(super) fn leg(key: &ItemKey, leg: &str) -> Made<ItemKey> {
    Ok(ItemKey { leg: Some(of(leg)?), ..key.clone() })
}

pub(super) fn pulse(amount: &str) -> Made<Item> {
    Ok(Item::Pulse(Pulse {
        at: at("08:00:00")?,
        product: of("storage")?,
        unit: of("GB-h")?,
        amount: of(amount)?,
        properties: Properties::try_new([("region", "eu-1")])?,
    }))
}

pub(super) fn one_off(price: &str) -> Made<Item> {
    let price = Money::new(of(price)?, of("EUR")?);
    Ok(Item::OneOff(OneOff { at: at("08:00:00")?, name: of("set-up")?, price }))
}

pub(super) fn item(account: &str, key: ItemKey, seq: u64) -> Made<StoredItem> {
    let (account, item) = (of(account)?, call()?);
    let fingerprint = Fingerprint::of(Some(&account), &item);
    let claim = Claim {
        key,
        account,
        fingerprint,
        first_seq: seq,
        current_seq: seq,
        effective: 1,
        amended: None,
    };
    Ok(StoredItem { claim, item, postings: 1, erased: false })
}

/// An item that counts as two postings from a number on, and has other content.
pub(super) fn moved(key: ItemKey, current_seq: u64) -> Made<Moved> {
    Ok(Moved { key, current_seq, effective: 2, amended: Some(Box::new(pulse("0.5")?)) })
}

/// A correction that looked at nothing but one item and took it back.
pub(super) fn correction(id: &str) -> Made<RecordedCorrection> {
    let change = Change::Void { key: key("alice-2")? };
    let correction = Correction { id: of(id)?, reason: "a test call".into(), change };
    let (key, account) = (key("alice-2")?, of("alice")?);
    let before = vec![Counted::from(&posting("alice", 2)?)];
    let mut report = CorrectionReport::default();
    report.change(ItemChange { key, account, before, after: Vec::new() })?;
    Ok(RecordedCorrection::of(&correction, at("09:00:00")?, report))
}

pub(super) fn parked(key: ItemKey) -> Made<Parked> {
    let incoming = Incoming { key, account: None, item: call()? };
    Ok(Parked { incoming, reason: ParkReason::UnknownAccount, since: at("09:00:00")? })
}

pub(super) fn dropped(key: ItemKey, time: &str) -> Made<Dropped> {
    Ok(Dropped { parked: parked(key)?, reason: "a test call".into(), at: at(time)? })
}

pub(super) fn posting(account: &str, seq: u64) -> Made<Posting> {
    // The id stays within its bytes, however long the account's is.
    let item = item(account, key(&format!("{account:.60}-{seq}"))?, seq)?;
    Ok(Posting {
        account: of(account)?,
        seq,
        item: item.claim.key,
        fingerprint: item.claim.fingerprint,
        cause: Cause::Rated,
        day: of("2026-10-05")?,
        assignment: 1,
        strategy: of("calls")?,
        group: of("all")?,
        day_revision: 1,
        rules: Posting::RULES,
        zone_data: "2026a".into(),
        unit: of("ms")?,
        currency: of("EUR")?,
        totals: Totals { count: 1, quantity: of("61000")?, amount: Some(of("0.02")?) },
        provenance: None,
        correction: None,
    })
}

pub(super) fn event(account: &str, seq: u64) -> Made<Event> {
    let what = Happened::AccountOpened { settings: settings(account)? };
    Ok(Event { account: of(account)?, seq, at: at("07:00:00")?, what })
}

pub(super) fn total(account: &str, day: &str, revision: u32) -> Made<DayTotal> {
    let posting = posting(account, 1)?;
    let key = TotalKey { day: of(day)?, revision, ..posting.total_key() };
    let Posting { unit, currency, totals, .. } = posting;
    Ok(DayTotal { key, unit, currency, totals, closed: false, billed: false, handed: false })
}

pub(super) fn carry(account: &str, scope: ScopeKey) -> Made<CarryMove> {
    let (strategy, group) = (of("calls")?, of("all")?);
    let key = CarryKey { account: of(account)?, scope, strategy, group };
    let (exact, kept) = (of("61/3000")?, of("1/7")?);
    let carry = Carry { quantity: of("61000")?, exact, billed: of("0.02")?, kept };
    Ok(CarryMove { key, carry })
}

pub(super) fn intake(id: &str) -> Made<Intake> {
    Ok(Intake {
        id: of(id)?,
        label: "a batch".into(),
        at: at("10:00:00")?,
        received: 4,
        recorded: 1,
        replayed: 0,
        conflict: 0,
        parked: 1,
        refused: 2,
    })
}

pub(super) fn refusal(place: &str) -> Refusal {
    Refusal { place: place.into(), reason: "not a call".into(), raw: "a,b,c".into() }
}

/// The invoice of an account for October 2026 or, from a later day on, for one day.
pub(super) fn invoice(account: &str, series: &str, number: u64, from: &str) -> Made<Invoice> {
    let start = of(from)?;
    let end = if from == "2026-10-01" { of("2026-11-01")? } else { of(&next(from)?)? };
    let amount = of("0.02")?;
    Ok(Invoice {
        series: of(series)?,
        number,
        issued_at: at("11:00:00")?,
        draft: Draft {
            account: of(account)?,
            kind: InvoiceKind::Period,
            period: Period::try_new(start, end)?,
            start: at("00:00:00")?,
            end: at("23:00:00")?,
            zone: of("Europe/Berlin")?,
            zone_data: "2026a".into(),
            currency: of("EUR")?,
            decimals: 2,
            lines: Vec::new(),
            tax: None,
            taxed: Taxed { net: amount, taxes: Vec::new(), total: amount },
        },
    })
}

/// What became of an invoice.
pub(super) fn mark(series: &str, number: u64, state: InvoiceState) -> Made<InvoiceMark> {
    Ok(InvoiceMark { series: of(series)?, number, at: at("12:00:00")?, state })
}

pub(super) fn void() -> InvoiceState {
    InvoiceState::Void { reason: "a wrong price".into() }
}

pub(super) fn paid() -> Made<InvoiceState> {
    Ok(InvoiceState::Paid { on: of("2026-11-20")?, reference: "transfer 7".into() })
}

/// A settlement of one day total, to be sent.
pub(super) fn settlement(account: &str, day: &str, revision: u32) -> Made<Settlement> {
    let totals = vec![(&total(account, day, revision)?).into()];
    let handover = Handover { account: of(account)?, day: of(day)?, revision, totals };
    Ok(Settlement { handover, state: SettlementState::Pending, attempts: 0 })
}

/// The settlement once it was sent.
pub(super) fn sent(settlement: &Settlement) -> Made<Settlement> {
    let state = SettlementState::Sent { at: at("13:00:00")? };
    Ok(Settlement { state, attempts: 1, ..settlement.clone() })
}

/// A line of an invoice that is made of one day total.
pub(super) fn line(of_period: Period, total: &DayTotal) -> Made<Line> {
    let share = of("0.02")?;
    let TotalKey { day, assignment, strategy, group, revision, .. } = total.key.clone();
    let (start, end) = (of_period.start(), of_period.end());
    Ok(Line {
        stretch: Stretch { period: of_period, assignment, start, end },
        plan: of("basic")?,
        version: 1,
        strategy,
        group,
        unit: Some(total.unit.clone()),
        count: 1,
        quantity: total.totals.quantity,
        text: "61 s at 0.02 a minute".into(),
        exact: Exact::from(share),
        scope: ScopeKey::Stretch(start, assignment),
        before: Carry::nothing(),
        amount: share,
        parts: vec![LinePart { day, revision, share }],
    })
}

/// An open account with nothing in its journal but its opening.
pub(super) fn opened(account: &str) -> Made<Writes> {
    Ok(Writes {
        accounts: vec![settings(account)?],
        heads: vec![(of(account)?, head(1))],
        events: vec![event(account, 1)?],
        ..Writes::default()
    })
}

/// A row in every table around one account, complete in itself; `number` is that of its invoice. What becomes of that comes
/// later.
pub(super) fn everything(account: &str, number: u64) -> Made<Writes> {
    let billed =
        DayTotal { closed: true, billed: true, handed: true, ..total(account, "2026-10-05", 1)? };
    let mut invoice = invoice(account, "invoices", number, "2026-10-01")?;
    invoice.draft.lines.push(line(invoice.draft.period, &billed)?);
    Ok(Writes {
        heads: vec![(of(account)?, head(2))],
        plans: vec![plan(&format!("plan-of-{account}"), 1)?],
        tariffs: vec![tariff(&format!("tariff-of-{account}"), 1)?],
        activations: vec![activation(&format!("tariff-of-{account}"), 1, "00:00:00")?],
        tariff_catalog: Some(Digest::of().text(account).finish()),
        assignments: vec![(of(account)?, assignment(1, "2026-10-01")?)],
        items: vec![item(account, key(&format!("{account}-2"))?, 2)?],
        parked: vec![parked(key(&format!("{account}-parked"))?)?],
        dropped: vec![dropped(key(&format!("{account}-dropped"))?, "09:10:00")?],
        corrections: vec![correction(&format!("correction-of-{account}"))?],
        postings: vec![posting(account, 2)?],
        totals: vec![billed, total(account, "2026-10-05", 2)?],
        carries: vec![carry(account, ScopeKey::Lifetime)?],
        intake: Some(intake(&format!("batch-of-{account}"))?),
        refusals: vec![refusal("line 1"), refusal("line 2")],
        series: Some((invoice.series.clone(), number)),
        invoices: vec![invoice],
        settlements: vec![settlement(account, "2026-10-05", 1)?],
        dead_letters: vec![letter(account, 1)?, letter(account, 2)?],
        ..opened(account)?
    })
}

/// A message that was skipped.
pub(super) fn letter(account: &str, seq: u64) -> Made<DeadLetter> {
    Ok(DeadLetter {
        sink: of("bus")?,
        account: of(account)?,
        seq,
        reason: "it answered \"500\"".into(),
        at: at("08:59:00")?,
        attempts: 20,
        done: None,
    })
}

/// The end of a journal that has `seq` entries.
pub(super) fn head(seq: u64) -> Head {
    Head { seq, chain: Digest::of().number(seq).finish(), rated_until: None }
}

fn next(day: &str) -> Made<String> {
    Ok(of::<billing_core::time::Day>(day)?.next()?.to_string())
}
