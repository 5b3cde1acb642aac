//! Values at their limits: they come back as they were, or money is lost without a word.

use billing_core::{
    account::{AccountSettings, Assignment},
    decide::{CarryMove, Dropped, Intake, ParkReason, Parked, Refusal, StoredItem, Writes},
    digest::Digest,
    event::{Cause, Event, Happened, Head, Posting},
    id::AccountId,
    invoice::{Draft, Invoice, InvoiceKind, InvoiceMark, InvoiceState, Line},
    item::{Call, Direction, Disposition, Fingerprint, Item, OneOff, Properties, Pulse},
    money::{Amount, Exact, Money, Quantity},
    settlement::{Answer, HandedTotal, Handover, Settlement, SettlementState},
    tariff::{Activation, Provenance, TariffSpec},
    tax::{TaxLine, TaxMode, TaxProfile, Taxed},
    terms::Overrides,
    time::{Day, Instant, Period},
    usage::{Carry, CarryKey, DayTotal, ScopeKey, TotalKey, Totals},
};

use crate::conformance::{
    bench::{Bench, ensure_same},
    dump::Dump,
    kept::Kept,
    sample::{self, Made},
};

/// The largest number that every database has.
const NUMBER_MAX: u64 = i64::MAX.unsigned_abs();

/// Amounts and quantities at their limits, and some that no binary fraction is equal to.
const DECIMALS: [&str; 11] = [
    "0",
    "0.0000000001",
    "-0.0000000001",
    "999999999999999999.9999999999",
    "-999999999999999999.9999999999",
    "999999999999999999",
    "123456789012345.6789012345",
    "0.1",
    "-1.62",
    "9007199254740993",
    "1000000000",
];

/// Fractions with no decimal, and one that is as long as a fraction may be written.
const FRACTIONS: [&str; 6] = [
    "0",
    "1/3",
    "-7/3",
    "0.0000000001",
    "99999999999999999999999999999999999999999999999999999999999999999999999999999999999999999/\
     77777777777777777777777777777777777777777777777777777777777777777777777777777777777777778",
    "-123456789012345678901234567890123456789.5",
];

/// A text with everything that separates, quotes, ends or begins something somewhere.
const TEXT: &str =
    "it's \"quoted\", 100 % \\ back\u{1f600}\u{301} \u{202e}right; -- drop\ttab\nline\r\n{$1} ?1";

/// A line of a broken file as it came.
const RAW: &str = "\u{0}\u{1}\u{7f}\u{feff}\"a\";'b';\\c\r\n\t\u{1b}[31m \u{10ffff}";

pub(super) async fn values_come_back(bench: &Bench) -> Kept {
    for writes in [extremes()?, amounts()?] {
        let tenant = if writes.plans.is_empty() { &bench.acme } else { &bench.rival };
        // What becomes of an invoice comes after it.
        let (marks, heads) = (writes.marks.clone(), writes.heads.clone());
        bench.commit(tenant, &Writes { marks: Vec::new(), ..writes.clone() }).await?;
        bench.commit(tenant, &Writes { marks, heads, ..Writes::default() }).await?;
        ensure_same(&bench.dump(tenant).await?, &Dump::of(&writes), "values at their limits")?;
    }
    Ok(())
}

/// Every amount, quantity and fraction in every place that holds one.
fn amounts() -> Made<Writes> {
    let mut writes = sample::opened("alice")?;
    for (seq, text) in (2_u64..).zip(DECIMALS) {
        let (quantity, amount) = (sample::of(text)?, Some(sample::of(text)?));
        let group = sample::of(&format!("group-{seq}"))?;
        let totals = Totals { count: -1, quantity, amount };
        let total = sample::total("alice", "2026-10-05", 1)?;
        let key = TotalKey { group, ..total.key.clone() };
        writes.postings.push(Posting { totals, ..sample::posting("alice", seq)? });
        writes.totals.push(DayTotal { key: key.clone(), totals, ..total });
        let carried =
            CarryKey { group: key.group, ..sample::carry("alice", ScopeKey::Lifetime)?.key };
        let (exact, billed) = (Exact::from(quantity), sample::of(text)?);
        let kept = exact.clone();
        let carry = Carry { quantity, exact, billed, kept };
        writes.carries.push(CarryMove { key: carried, carry });
    }
    for (number, text) in (1_u32..).zip(FRACTIONS) {
        let CarryMove { key, carry } =
            sample::carry("alice", ScopeKey::Stretch(sample::of("2026-10-01")?, number))?;
        let exact: Exact = sample::of(text)?;
        let kept = exact.clone();
        writes.carries.push(CarryMove { key, carry: Carry { exact, kept, ..carry } });
    }
    writes.settlements.push(settlement_of_all(&writes.totals)?);
    let unpriced = Totals { amount: None, ..Totals::nothing(None) };
    writes.totals.push(DayTotal { totals: unpriced, ..sample::total("alice", "2026-10-06", 1)? });
    writes.invoices.push(invoice_of_all(&writes)?);
    writes.series = Some((sample::of("invoices")?, 1));
    Ok(writes)
}

/// A settlement with every amount and quantity.
fn settlement_of_all(totals: &[DayTotal]) -> Made<Settlement> {
    let settlement = sample::settlement("alice", "2026-10-05", 1)?;
    let totals = totals.iter().map(HandedTotal::from).collect();
    Ok(Settlement { handover: Handover { totals, ..settlement.handover }, ..settlement })
}

fn invoice_of_all(writes: &Writes) -> Made<Invoice> {
    let mut invoice = sample::invoice("alice", "invoices", 1, "2026-10-01")?;
    let fractions: Vec<Exact> =
        FRACTIONS.iter().map(|text| sample::of(text)).collect::<Made<_>>()?;
    for (total, exact) in writes.totals.iter().zip(fractions.into_iter().cycle()) {
        let mut line = sample::line(invoice.draft.period, total)?;
        let amount = total.totals.amount.unwrap_or(Amount::ZERO);
        line.parts.iter_mut().for_each(|part| part.share = amount);
        let unit = total.totals.amount.and(line.unit);
        let before = Carry { billed: amount, ..line.before };
        invoice.draft.lines.push(Line { exact, before, amount, unit, ..line });
    }
    Ok(invoice)
}

/// The first and last days, instants and numbers there are, and texts that nobody would type.
fn extremes() -> Made<Writes> {
    let mut writes = sample::everything("alice", NUMBER_MAX)?;
    let account = sample::of("alice")?;
    writes.heads = vec![(
        account,
        Head {
            seq: NUMBER_MAX,
            chain: Digest::from_bytes([0xff; 32]),
            rated_until: Some(Instant::MAX),
        },
    )];
    writes.plans = vec![plan()?];
    writes.tariffs = vec![sample::tariff("retail", 1)?, tariff()?];
    writes.activations = activations()?;
    writes.tariff_catalog = Some(Digest::from_bytes([0x80; 32]));
    writes.assignments = assignments()?;
    writes.accounts = vec![settings()?];
    writes.items = vec![item("first", Instant::MIN)?, item("last", Instant::MAX)?];
    writes.items.extend(other_items()?);
    writes.parked = vec![parked("first", Instant::MIN)?, parked("last", Instant::MAX)?];
    writes.dropped = vec![dropped("first", Instant::MIN)?, dropped("last", Instant::MAX)?];
    let last = NUMBER_MAX.saturating_sub(1);
    writes.postings =
        vec![posting(2, Day::MIN, i64::MIN)?, posting(NUMBER_MAX, Day::MAX, i64::MAX)?];
    writes.events = vec![event(1, Instant::MIN)?, event(last, Instant::MAX)?];
    writes.totals =
        writes.postings.iter().zip([(true, false, true), (true, true, false)]).map(total).collect();
    writes.carries = carries()?;
    writes.intake = Some(intake()?);
    writes.refusals = vec![refusal(RAW), refusal(""), refusal(TEXT)];
    // The void one is not the last of its kind: what it frees is the matter of another promise.
    writes.invoices = vec![
        invoice()?,
        sample::invoice("alice", "invoices", 1, "2026-12-01")?,
        sample::invoice("alice", "invoices", 2, "2026-12-02")?,
    ];
    writes.marks = vec![
        mark(1, Instant::MIN, InvoiceState::Void { reason: RAW.into() })?,
        mark(
            NUMBER_MAX,
            Instant::MAX,
            InvoiceState::Paid { on: Day::MIN, reference: TEXT.into() },
        )?,
    ];
    writes.settlements = settlements()?;
    Ok(writes)
}

fn settings() -> Made<AccountSettings> {
    let customer = Some(sample::of("it's \u{1f600} \\ % \"me\"")?);
    Ok(AccountSettings { customer, ..sample::settings("alice")? })
}

/// Terms with everything that a document may hold.
fn terms() -> serde_json::Value {
    serde_json::json!({
        "text": TEXT, "raw": RAW, "": null, "deep": [[[{"a": [true, false, {}, []]}]]],
        "most": u64::MAX, "least": i64::MIN, "one": "1.10",
    })
}

fn plan() -> Made<billing_core::plan::PlanSpec> {
    let mut plan = sample::plan("basic", u32::MAX)?;
    for strategy in &mut plan.strategies {
        strategy.kind = TEXT.into();
        strategy.terms = terms();
    }
    Ok(plan)
}

fn assignments() -> Made<Vec<(AccountId, Assignment)>> {
    let mut first = sample::assignment(1, "2026-10-01")?;
    let mut last = sample::assignment(u32::MAX, "2026-10-01")?;
    (first.from, last.from) = (Day::MIN, Day::MAX);
    (first.version, last.version) = (1, u32::MAX);
    last.overrides = Overrides::try_from(serde_json::json!({"it's \u{1f600}": terms(), "b": {}}))?;
    Ok(vec![(sample::of("alice")?, first), (sample::of("alice")?, last)])
}

fn item(id: &str, start: Instant) -> Made<StoredItem> {
    let mut item = sample::item("alice", sample::key(id)?, NUMBER_MAX)?;
    item.item = call(start)?;
    item.postings = 1_000;
    item.claim.fingerprint = Fingerprint { rule: u16::MAX, digest: Digest::from_bytes([0x80; 32]) };
    Ok(item)
}

/// Pulses and charges, records of a number, and one that has no posting.
fn other_items() -> Made<Vec<StoredItem>> {
    let names = (0..Properties::COUNT_MAX).map(|number| format!("{number:->64}"));
    let value = "\u{1f600}".repeat(63);
    let most = Properties::try_new(names.map(|name| (name, value.as_str())))?;
    let few = Properties::try_new([("it's", "\"quoted\", 100 % \\ \u{202e}right"), ("-", "")])?;
    let pulse = |amount: &str, properties: Properties| {
        Made::Ok(Item::Pulse(Pulse {
            at: Instant::MAX,
            product: sample::of("it's \"storage\" / \\ %")?,
            unit: sample::of("GB-h \u{1f600}")?,
            amount: sample::of(amount)?,
            properties,
        }))
    };
    let charge = |price: &str| {
        let price = Money::new(sample::of(price)?, sample::of("KWD")?);
        let name = sample::of("set-up, \u{202e}once; 'for all'")?;
        Made::Ok(Item::OneOff(OneOff { at: Instant::MIN, name, price }))
    };
    let kinds = [
        pulse(DECIMALS[3], most)?,
        pulse(DECIMALS[2], few)?,
        charge(DECIMALS[4])?,
        charge(DECIMALS[1])?,
    ];
    let mut items = Vec::new();
    for (number, kind) in [1, 9, 10, u32::MAX].into_iter().zip(kinds) {
        let key = sample::partial(&sample::key("record")?, number);
        let mut item = sample::item("alice", key, NUMBER_MAX)?;
        (item.item, item.claim.first_seq, item.postings) = (kind, 0, 0);
        items.push(item);
    }
    Ok(items)
}

fn call(start: Instant) -> Made<Item> {
    Ok(Item::Call(Call {
        start,
        duration_ms: u64::MAX,
        caller: sample::of("it's \"me\" \u{1f600} \\ %")?,
        callee: sample::of("+12025550123")?,
        disposition: Disposition::NoAnswer,
        direction: Direction::Internal,
    }))
}

fn parked(id: &str, since: Instant) -> Made<Parked> {
    let mut parked = sample::parked(sample::key(id)?)?;
    parked.incoming.item = call(since)?;
    let (plan, why) = (sample::of("basic")?, RAW.to_owned());
    Ok(Parked {
        reason: ParkReason::PlanUnavailable { plan, version: u32::MAX, why },
        since,
        ..parked
    })
}

fn dropped(id: &str, at: Instant) -> Made<Dropped> {
    let reason = if id == "first" { RAW.into() } else { String::new() };
    Ok(Dropped { parked: parked(id, at)?, reason, at })
}

fn mark(number: u64, at: Instant, state: InvoiceState) -> Made<InvoiceMark> {
    Ok(InvoiceMark { at, ..sample::mark("invoices", number, state)? })
}

/// Every state with texts and numbers at their limits.
fn settlements() -> Made<Vec<Settlement>> {
    let accepted = Answer::Accepted { reference: RAW.into() };
    let refused = Answer::Refused { reason: TEXT.into() };
    let empty = Answer::Accepted { reference: String::new() };
    let states = [
        (Day::MIN, 1, SettlementState::Pending, 0),
        (Day::MIN, u32::MAX, SettlementState::Sent { at: Instant::MIN }, u32::MAX),
        (Day::MAX, 1, SettlementState::Answered { at: Instant::MAX, answer: accepted }, 1),
        (Day::MAX, 2, SettlementState::Answered { at: Instant::MIN, answer: refused }, 2),
        (Day::MAX, u32::MAX, SettlementState::Answered { at: Instant::MAX, answer: empty }, 9),
    ];
    let mut settlements = Vec::new();
    for (day, revision, state, attempts) in states {
        let mut settlement = sample::settlement("alice", "2026-10-05", 1)?;
        let handover = &mut settlement.handover;
        (handover.day, handover.revision) = (day, revision);
        for total in &mut handover.totals {
            total.assignment = u32::MAX;
            total.totals = Totals { count: i64::MIN, amount: None, ..total.totals };
        }
        settlements.push(Settlement { state, attempts, ..settlement });
    }
    Ok(settlements)
}

/// A name that must be quoted everywhere.
const NAME: &str = "it's \u{1f600} \\ % \"retail\"";

fn posting(seq: u64, day: Day, count: i64) -> Made<Posting> {
    Ok(Posting {
        day,
        cause: if seq == NUMBER_MAX { Cause::Amend } else { Cause::Superseded },
        correction: if seq == NUMBER_MAX { Some(sample::of(NAME)?) } else { None },
        item: sample::partial(&sample::key("record")?, u32::MAX),
        seq,
        assignment: u32::MAX,
        day_revision: u32::MAX,
        rules: u16::MAX,
        zone_data: TEXT.into(),
        fingerprint: Fingerprint { rule: u16::MAX, digest: Digest::ZERO },
        totals: Totals { count, quantity: Quantity::ZERO, amount: None },
        provenance: Some(Box::new(provenance(seq)?)),
        ..sample::posting("alice", seq)?
    })
}

fn provenance(seq: u64) -> Made<Provenance> {
    let catch_all = Provenance {
        tariff: sample::of(NAME)?,
        version: u32::MAX,
        digest: Digest::from_bytes([0x80; 32]),
        line: u32::MAX,
        prefix: None,
        until: Instant::MAX,
    };
    let longest = Some(sample::of("001234567890123")?);
    Ok(match seq {
        NUMBER_MAX => catch_all,
        _ => Provenance { prefix: longest, until: Instant::MIN, version: 1, line: 1, ..catch_all },
    })
}

/// A tariff with everything that a document may hold.
fn tariff() -> Made<TariffSpec> {
    let retail = sample::tariff("it's \u{1f600} \\ % \"retail\"", u32::MAX)?;
    let mut line = serde_json::to_value(retail.lines.first())?;
    let more = serde_json::json!({
        "to": {"prefixes": ["001234567890123", "1"]}, "origin": "49", "window": TEXT, "weight": u32::MAX,
        "valid_from": Instant::MIN, "valid_until": Instant::MAX, "grace": "0.001",
        "maximum": "99999999999.9999999999", "connect_fee": "0.0000000001", "at_maximum": "disconnect",
    });
    if let (Some(line), serde_json::Value::Object(more)) = (line.as_object_mut(), more) {
        line.extend(more);
    }
    let window = serde_json::from_value(serde_json::json!({
        "weekdays": ["mon", "sun"], "months": [1_u8, 12_u8], "month_days": [1_u8, 31_u8], "first_day": Day::MIN,
        "end_day": Day::MAX, "holidays": {"only": TEXT}, "from": "22:00", "until": "06:00:30",
    }))?;
    Ok(TariffSpec {
        calendars: [(TEXT.into(), vec![Day::MIN, Day::MAX])].into(),
        windows: [(TEXT.into(), window)].into(),
        lines: vec![serde_json::from_value(line)?],
        ..retail
    })
}

fn activations() -> Made<Vec<Activation>> {
    let first = sample::activation("retail", 1, "00:00:00")?;
    Ok(vec![
        Activation { from: Instant::MIN, ..first.clone() },
        Activation { version: u32::MAX, from: Instant::MAX, ..first },
    ])
}

fn total((posting, (closed, billed, handed)): (&Posting, (bool, bool, bool))) -> DayTotal {
    let Posting { unit, currency, totals, .. } = posting.clone();
    DayTotal { key: posting.total_key(), unit, currency, totals, closed, billed, handed }
}

fn event(seq: u64, at: Instant) -> Made<Event> {
    let mut settings = sample::settings("alice")?;
    let percent = sample::of("7.7")?;
    settings.tax = Some(TaxProfile { name: TEXT.into(), percent, mode: TaxMode::Included });
    settings.customer = Some(sample::of("it's \u{1f600}")?);
    Ok(Event { at, what: Happened::AccountOpened { settings }, ..sample::event("alice", seq)? })
}

fn carries() -> Made<Vec<CarryMove>> {
    let scopes = [
        ScopeKey::Stretch(Day::MIN, 0),
        ScopeKey::Stretch(Day::MAX, u32::MAX),
        ScopeKey::Period(Day::MIN),
        ScopeKey::Period(Day::MAX),
        ScopeKey::Lifetime,
    ];
    scopes.into_iter().map(|scope| sample::carry("alice", scope)).collect()
}

fn intake() -> Made<Intake> {
    Ok(Intake {
        label: RAW.into(),
        at: Instant::MAX,
        received: NUMBER_MAX,
        recorded: NUMBER_MAX,
        parked: 0,
        refused: 0,
        ..sample::intake("batch")?
    })
}

fn refusal(raw: &str) -> Refusal {
    Refusal { place: RAW.into(), reason: RAW.into(), raw: raw.into() }
}

fn invoice() -> Made<Invoice> {
    let invoice = sample::invoice("alice", "invoices", NUMBER_MAX, "2026-10-01")?;
    let (most, least) = (sample::of(DECIMALS[3])?, sample::of(DECIMALS[4])?);
    let tax = TaxLine { name: TEXT.into(), percent: sample::of("7.7")?, base: most, amount: least };
    let draft = Draft {
        kind: InvoiceKind::Advance,
        period: Period::try_new(Day::MIN, Day::MAX)?,
        start: Instant::MIN,
        end: Instant::MAX,
        zone_data: TEXT.into(),
        taxed: Taxed { net: least, taxes: vec![tax], total: most },
        ..invoice.draft
    };
    Ok(Invoice { issued_at: Instant::MAX, draft, ..invoice })
}
