//! The running bill and the invoice run: both settle the periods that are due, oldest first.

use alloc::{collections::BTreeSet, vec::Vec};

use crate::{
    account::AccountSettings,
    decide::{
        AccountFacts, BillError, BillFacts, Writes,
        settle::{Ledger, Settled},
    },
    event::{Event, Happened, Head, JournalEntry},
    id::SeriesId,
    invoice::{Draft, Invoice, InvoiceSummary},
    time::{Instant, Period, TimeError},
    usage::{DayTotal, ScopeKey},
};

/// What a run did for one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunOutcome {
    /// These invoices were issued, oldest period first.
    Issued(Vec<InvoiceSummary>),
    /// The last period that ended has its invoice.
    AlreadyIssued,
    /// No period that ended without an invoice had anything to bill.
    NothingDue,
    /// The bill cannot be drawn up and is held until a person has looked.
    Held(BillError),
}

/// The periods of an account from the first not invoiced to the one that holds `at`.
///
/// Empty for an account without a plan.
///
/// # Errors
///
/// [`TimeError`] if a period leaves the calendar.
///
/// # Examples
///
/// ```
/// use billing_core::{decide::due_periods, time::{Day, Period}};
///
/// # use billing_core::{
/// #     account::{AccountSettings, Assignment}, decide::AccountFacts, digest::Digest, event::Head,
/// # };
/// # let settings: AccountSettings = serde_json::from_str(
/// #     r#"{"id":"alice","currency":"EUR","zone":"Europe/Berlin",
/// #         "anchor":{"from":"2026-10-01","months":1}}"#,
/// # )?;
/// # let (plan, digest) = ("basic".parse()?, Digest::ZERO);
/// # let overrides = billing_core::terms::Overrides::none();
/// # let basic = Assignment { number: 1, from: "2026-10-01".parse()?, plan, version: 1, overrides, digest };
/// # let (head, assignments) = (Head::EMPTY, vec![basic]);
/// # let account = AccountFacts { settings, head, assignments, invoiced_until: None, advanced_until: None };
/// let at = "2026-11-15T12:00:00Z".parse()?;
/// let due: Vec<_> = due_periods(&account, at)?.iter().map(Period::to_string).collect();
/// assert_eq!(due, ["2026-10-01..2026-11-01", "2026-11-01..2026-12-01"]);
///
/// let until: Day = "2026-11-01".parse()?;
/// let invoiced = AccountFacts { invoiced_until: Some(until), ..account };
/// assert_eq!(due_periods(&invoiced, at)?.len(), 1);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub fn due_periods(account: &AccountFacts, at: Instant) -> Result<Vec<Period>, TimeError> {
    let AccountSettings { anchor, zone, .. } = &account.settings;
    let from = account.invoiced_until.or_else(|| account.assignments.first().map(|a| a.from));
    let Some(from) = from else { return Ok(Vec::new()) };
    let today = zone.day_of(at);
    let mut periods = Vec::new();
    let mut day = from;
    while day <= today {
        let period = anchor.period_of(day)?;
        day = period.end();
        periods.push(period);
    }
    Ok(periods)
}

/// The scopes whose carries must be known to bill an account up to `at`.
///
/// # Errors
///
/// [`TimeError`] if a period leaves the calendar.
///
/// # Examples
///
/// ```
/// use billing_core::decide::scopes_touched;
///
/// # use billing_core::{
/// #     account::{AccountSettings, Assignment}, decide::AccountFacts, digest::Digest, event::Head,
/// # };
/// # let settings: AccountSettings = serde_json::from_str(
/// #     r#"{"id":"alice","currency":"EUR","zone":"Europe/Berlin",
/// #         "anchor":{"from":"2026-10-01","months":1}}"#,
/// # )?;
/// # let (plan, digest) = ("basic".parse()?, Digest::ZERO);
/// # let overrides = billing_core::terms::Overrides::none();
/// # let basic = Assignment { number: 1, from: "2026-10-01".parse()?, plan, version: 1, overrides, digest };
/// # let (head, assignments) = (Head::EMPTY, vec![basic]);
/// # let account = AccountFacts { settings, head, assignments, invoiced_until: None, advanced_until: None };
/// let scopes = scopes_touched(&account, &[], "2026-10-05T12:00:00Z".parse()?)?;
/// let scopes: Vec<_> = scopes.iter().map(|scope| scope.to_string()).collect();
/// assert_eq!(scopes, ["stretch:2026-10-01:1", "period:2026-10-01", "lifetime"]);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub fn scopes_touched(
    account: &AccountFacts,
    unbilled: &[DayTotal],
    at: Instant,
) -> Result<BTreeSet<ScopeKey>, TimeError> {
    let mut periods: BTreeSet<Period> = due_periods(account, at)?.into_iter().collect();
    for total in unbilled {
        let _new: bool = periods.insert(account.settings.anchor.period_of(total.key.day)?);
    }
    let of_period = |period: Period| {
        // A plan may have been charged in advance for a period in which a later change left it no day.
        let begun = account.assignments.iter().filter(move |begun| begun.from < period.end());
        let stretches = begun.map(move |begun| ScopeKey::Stretch(period.start(), begun.number));
        stretches.chain([ScopeKey::Period(period.start())])
    };
    Ok(periods.into_iter().flat_map(of_period).chain([ScopeKey::Lifetime]).collect())
}

/// Whether the last period that ended by `as_of` has been invoiced.
///
/// # Errors
///
/// [`TimeError`] if a period leaves the calendar.
///
/// # Examples
///
/// ```
/// use billing_core::decide::is_invoiced;
///
/// # use billing_core::{
/// #     account::{AccountSettings, Assignment}, decide::AccountFacts, digest::Digest, event::Head,
/// # };
/// # let settings: AccountSettings = serde_json::from_str(
/// #     r#"{"id":"alice","currency":"EUR","zone":"Europe/Berlin",
/// #         "anchor":{"from":"2026-10-01","months":1}}"#,
/// # )?;
/// # let (plan, digest) = ("basic".parse()?, Digest::ZERO);
/// # let overrides = billing_core::terms::Overrides::none();
/// # let basic = Assignment { number: 1, from: "2026-10-01".parse()?, plan, version: 1, overrides, digest };
/// # let (head, assignments) = (Head::EMPTY, vec![basic]);
/// # let account = AccountFacts { settings, head, assignments, invoiced_until: None, advanced_until: None };
/// let as_of = "2026-11-15T12:00:00Z".parse()?;
/// assert!(!is_invoiced(&account, as_of)?);
/// let account = AccountFacts { invoiced_until: Some("2026-11-01".parse()?), ..account };
/// assert!(is_invoiced(&account, as_of)?);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub fn is_invoiced(account: &AccountFacts, as_of: Instant) -> Result<bool, TimeError> {
    let AccountSettings { anchor, zone, .. } = &account.settings;
    let open = anchor.period_of(zone.day_of(as_of))?;
    Ok(account.invoiced_until.is_some_and(|until| until >= open.start()))
}

/// The drafts of all periods up to the one that holds `at`: those that ended without an invoice, then the open one.
///
/// A period in which nothing was used or charged has no draft, except the open one. Usage that costs nothing is usage.
///
/// # Errors
///
/// [`BillError::PlanUnavailable`], [`BillError::Strategy`] or [`BillError::Charges`] if a plan or one of its strategies fails,
/// [`BillError::NoPlan`] or [`BillError::Orphaned`] if usage has none, and [`BillError::Money`], [`BillError::Totals`] or
/// [`BillError::Time`] if a sum or a period leaves its bounds.
///
/// # Examples
///
/// ```
/// use billing_core::decide::bill;
///
/// # use std::{collections::BTreeMap, sync::Arc};
/// # use billing_core::{decide::BillFacts, plan::{PlanBook, PlanSpec}, usage::DayTotal};
/// # use billing_core::{
/// #     account::{AccountSettings, Assignment}, decide::AccountFacts, digest::Digest, event::Head,
/// # };
/// # let settings: AccountSettings = serde_json::from_str(
/// #     r#"{"id":"alice","currency":"EUR","zone":"Europe/Berlin",
/// #         "anchor":{"from":"2026-10-01","months":1}}"#,
/// # )?;
/// # let (plan, digest) = ("basic".parse()?, Digest::ZERO);
/// # let overrides = billing_core::terms::Overrides::none();
/// # let basic = Assignment { number: 1, from: "2026-10-01".parse()?, plan, version: 1, overrides, digest };
/// # let (head, assignments) = (Head::EMPTY, vec![basic]);
/// # let account = AccountFacts { settings, head, assignments, invoiced_until: None, advanced_until: None };
/// # let spec: PlanSpec = serde_json::from_str(
/// #     r#"{"id":"basic","version":1,"currency":"EUR","payment":"postpaid",
/// #         "strategies":[{"id":"calls","kind":"flat_rate","applies_to":{"directions":["outbound"]},
/// #                        "terms":{"per_minute":"0.02","minutes":"pro_rata"}}]}"#,
/// # )?;
/// # let plan = Arc::new(PlanBook::standard().build(spec)?);
/// # let plans = BTreeMap::from([(Digest::ZERO, Ok(plan))]);
/// # let total: DayTotal = serde_json::from_str(
/// #     r#"{"key":{"account":"alice","day":"2026-10-05","assignment":1,"strategy":"calls",
/// #                "group":"calls","revision":1},"unit":"ms","currency":"EUR",
/// #         "totals":{"count":1,"quantity":"4500000","amount":null},"closed":false,"billed":false,"handed":false}"#,
/// # )?;
/// // `total` is of 5 October: 4 500 000 ms at 0.02 a minute.
/// let facts = BillFacts { account, plans, unbilled: vec![total], carries: BTreeMap::new() };
/// let drafts = bill(&facts, "2026-11-02T12:00:00Z".parse()?)?;
/// assert_eq!(drafts.len(), 2); // October, which ended, and November, which is open
/// assert_eq!(drafts[0].lines[0].text, "at 0.02 a minute, pro rata");
/// assert_eq!(drafts[0].taxed.total.to_string(), "1.5");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub fn bill(facts: &BillFacts, at: Instant) -> Result<Vec<Draft>, BillError> {
    let periods = due_periods(&facts.account, at)?;
    let last = periods.last().copied();
    let mut ledger = Ledger::of(facts);
    // The next period of one that ended is in the list; that of the open one is not, and not due.
    let next = periods.iter().skip(1).copied().map(Some).chain([None]);
    let drafts = periods.iter().zip(next);
    let drafts = drafts.map(|(period, next)| Ok(ledger.draft(*period, next)?.draft));
    let kept = |draft: &Result<Draft, BillError>| {
        draft.as_ref().map_or(true, |draft| !draft.lines.is_empty() || Some(draft.period) == last)
    };
    drafts.filter(kept).collect()
}

/// Issues every period of an account that ended by `as_of`, oldest first, with numbers after `last_number`.
///
/// What is due in advance stands on the invoice of the period before; where there was none, as in an account's first period, it
/// gets an invoice of its own, [`InvoiceKind::Advance`](crate::invoice::InvoiceKind), at most one a period.
///
/// # Errors
///
/// [`BillError`] as of [`bill`]; then nothing is to be stored for this account.
///
/// # Examples
///
/// ```
/// use billing_core::decide::{bill, issue};
///
/// # use std::{collections::BTreeMap, sync::Arc};
/// # use billing_core::{decide::BillFacts, plan::{PlanBook, PlanSpec}, usage::DayTotal};
/// # use billing_core::{
/// #     account::{AccountSettings, Assignment}, decide::AccountFacts, digest::Digest, event::Head,
/// # };
/// # let settings: AccountSettings = serde_json::from_str(
/// #     r#"{"id":"alice","currency":"EUR","zone":"Europe/Berlin",
/// #         "anchor":{"from":"2026-10-01","months":1}}"#,
/// # )?;
/// # let (plan, digest) = ("basic".parse()?, Digest::ZERO);
/// # let overrides = billing_core::terms::Overrides::none();
/// # let basic = Assignment { number: 1, from: "2026-10-01".parse()?, plan, version: 1, overrides, digest };
/// # let (head, assignments) = (Head::EMPTY, vec![basic]);
/// # let account = AccountFacts { settings, head, assignments, invoiced_until: None, advanced_until: None };
/// # let spec: PlanSpec = serde_json::from_str(
/// #     r#"{"id":"basic","version":1,"currency":"EUR","payment":"postpaid",
/// #         "strategies":[{"id":"calls","kind":"flat_rate","applies_to":{"directions":["outbound"]},
/// #                        "terms":{"per_minute":"0.02","minutes":"pro_rata"}}]}"#,
/// # )?;
/// # let plan = Arc::new(PlanBook::standard().build(spec)?);
/// # let plans = BTreeMap::from([(Digest::ZERO, Ok(plan))]);
/// # let total: DayTotal = serde_json::from_str(
/// #     r#"{"key":{"account":"alice","day":"2026-10-05","assignment":1,"strategy":"calls",
/// #                "group":"calls","revision":1},"unit":"ms","currency":"EUR",
/// #         "totals":{"count":1,"quantity":"4500000","amount":null},"closed":false,"billed":false,"handed":false}"#,
/// # )?;
/// let facts = BillFacts { account, plans, unbilled: vec![total], carries: BTreeMap::new() };
/// let now = "2026-11-02T12:00:00Z".parse()?;
/// let (invoices, writes) = issue(&facts, now, &"2026".parse()?, 41, now)?;
/// assert_eq!((invoices.len(), invoices[0].number), (1, 42));
/// assert_eq!(invoices[0].draft, bill(&facts, now)?[0]);
/// assert!(writes.totals.iter().all(|total| total.closed && total.billed));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub fn issue(
    facts: &BillFacts,
    as_of: Instant,
    series: &SeriesId,
    last_number: u64,
    now: Instant,
) -> Result<(Vec<Invoice>, Writes), BillError> {
    let periods = due_periods(&facts.account, as_of)?;
    let next = periods.iter().skip(1);
    let mut ledger = Ledger::of(facts);
    let mut run = Run {
        facts,
        series,
        last_number,
        now,
        head: facts.account.head,
        issued: Vec::new(),
        writes: Writes::default(),
    };
    for (period, next) in periods.iter().zip(next) {
        run.issue(ledger.draft(*period, Some(*next))?)?;
    }
    // What is due in advance for a period that has begun, if no invoice has said so: at most once a period. What an invoice
    // said and a change of plan made wrong waits for the invoice of the period.
    let advanced = facts.account.advanced_until;
    let is_due = |open: &&Period| advanced.is_none_or(|until| until < open.end());
    if let Some(open) = periods.last().filter(is_due).filter(|open| !ledger.is_advanced(**open)) {
        let mut ahead = ledger.clone();
        match ahead.advance(*open) {
            Ok(settled) => {
                run.issue(settled)?;
                ledger = ahead;
            }
            // What ended is invoiced; the next run tells.
            Err(_) if !run.issued.is_empty() => {}
            Err(error) => return Err(error),
        }
    }
    let Run { head, issued, mut writes, .. } = run;
    if !issued.is_empty() {
        writes.heads.push((facts.account.settings.id.clone(), head));
        writes.carries = ledger.moved();
        writes.invoices.clone_from(&issued);
    }
    Ok((issued, writes))
}

/// The invoices of one account in the making.
struct Run<'a> {
    facts: &'a BillFacts,
    series: &'a SeriesId,
    last_number: u64,
    now: Instant,
    head: Head,
    issued: Vec<Invoice>,
    writes: Writes,
}

impl Run<'_> {
    /// Gives a draft that has lines its number.
    fn issue(&mut self, settled: Settled) -> Result<(), BillError> {
        let Settled { draft, billed } = settled;
        if draft.lines.is_empty() {
            return Ok(());
        }
        let count = u64::try_from(self.issued.len()).unwrap_or(u64::MAX);
        let number = self.last_number.saturating_add(count).saturating_add(1);
        let (series, issued_at) = (self.series.clone(), self.now);
        let invoice = Invoice { series, number, issued_at, draft };
        let what = Happened::InvoiceIssued {
            series: self.series.clone(),
            number,
            total: invoice.draft.taxed.total,
            digest: invoice.digest(),
        };
        let account = self.facts.account.settings.id.clone();
        let full = || BillError::JournalFull { account: account.clone() };
        let seq = self.head.next().ok_or_else(full)?;
        let event = Event { account, seq, at: self.now, what };
        self.head = self.head.append(&JournalEntry::Event(event.clone()));
        self.writes.events.push(event);
        self.writes.totals.extend(billed);
        self.issued.push(invoice);
        Ok(())
    }
}
