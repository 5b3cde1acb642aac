//! What becomes of an issued invoice: paid, or made void so that its usage is billed again.

use alloc::{collections::BTreeMap, string::String, vec::Vec};

use crate::{
    decide::{AccountFacts, CarryMove, Writes},
    event::{Event, Happened, JournalEntry},
    id::{AccountId, SeriesId},
    invoice::{Invoice, InvoiceMark, InvoiceState},
    time::{Day, Instant},
    usage::{Carry, CarryKey, DayTotal, TotalKey},
};

/// What must be known to mark an invoice.
#[derive(Clone, Debug)]
pub struct MarkFacts {
    /// Whose it is.
    pub account: AccountFacts,
    /// The invoice.
    pub invoice: Invoice,
    /// What became of it so far.
    pub state: InvoiceState,
    /// The last invoice of the account that is not void.
    pub last: Option<(SeriesId, u64)>,
    /// The day totals its lines are made of.
    pub totals: Vec<DayTotal>,
}

/// An invoice cannot be marked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MarkError {
    /// It was paid or made void before.
    #[error("invoice {series}/{number} is {state}: only an issued one can be paid or made void")]
    NotIssued {
        /// Its series.
        series: SeriesId,
        /// Its number.
        number: u64,
        /// What became of it: `paid` or `void`.
        state: &'static str,
    },
    /// A later invoice builds on it.
    #[error(
        "invoice {series}/{number} cannot be made void before invoice {}/{}, which was issued to the account after it",
        last.0, last.1
    )]
    NotLast {
        /// Its series.
        series: SeriesId,
        /// Its number.
        number: u64,
        /// The account's last one.
        last: (SeriesId, u64),
    },
    /// A day total it is made of is not there.
    #[error("a total of {} that invoice {series}/{number} is made of is not there", key.day)]
    Missing {
        /// Its series.
        series: SeriesId,
        /// Its number.
        number: u64,
        /// The total.
        key: alloc::boxed::Box<TotalKey>,
    },
    /// The account's journal has no numbers left.
    #[error("the journal of account {account} is full")]
    JournalFull {
        /// The account.
        account: AccountId,
    },
}

/// Records that an invoice was paid; `None` if that is recorded just so.
///
/// # Errors
///
/// [`MarkError::NotIssued`] if it is void or was paid otherwise, [`MarkError::JournalFull`].
///
/// # Examples
///
/// See [`void`].
pub fn pay(
    facts: &MarkFacts,
    on: Day,
    reference: String,
    now: Instant,
) -> Result<Option<Writes>, MarkError> {
    let state = InvoiceState::Paid { on, reference: reference.clone() };
    if facts.state == state {
        return Ok(None);
    }
    facts.check_issued()?;
    let Invoice { series, number, .. } = &facts.invoice;
    let (series, number) = (series.clone(), *number);
    let what = Happened::InvoicePaid { series, number, on, reference };
    Ok(Some(facts.mark(state, what, now)?))
}

/// Makes an account's last invoice void: its number stays taken, and what it billed is billed again by the next run.
///
/// `None` if it is void for that reason.
///
/// # Errors
///
/// [`MarkError::NotIssued`] if it was paid or is void for another reason, [`MarkError::NotLast`] if a later invoice builds on it,
/// [`MarkError::Missing`] if a total of its lines is not among the facts, [`MarkError::JournalFull`].
///
/// # Examples
///
/// ```
/// use billing_core::{decide::{MarkError, MarkFacts, pay, void}, invoice::{Invoice, InvoiceState}};
///
/// # use billing_core::{account::AccountSettings, decide::AccountFacts, event::Head, invoice::Draft};
/// # let settings: AccountSettings = serde_json::from_str(
/// #     r#"{"id":"alice","currency":"EUR","zone":"UTC","anchor":{"from":"2026-10-01","months":1}}"#,
/// # )?;
/// # let (head, assignments) = (Head::EMPTY, vec![]);
/// # let (invoiced_until, advanced_until) = (None, None);
/// # let account = AccountFacts { settings, head, assignments, invoiced_until, advanced_until };
/// # let draft: Draft = serde_json::from_str(
/// #     r#"{"account":"alice","period":{"start":"2026-10-01","end":"2026-11-01"},
/// #         "start":"2026-10-01T00:00:00Z","end":"2026-11-01T00:00:00Z","zone":"UTC",
/// #         "zone_data":"2026a","currency":"EUR","decimals":2,"lines":[],
/// #         "taxed":{"net":"0","taxes":[],"total":"0"}}"#,
/// # )?;
/// # let (series, issued_at) = ("2026".parse()?, "2026-11-01T08:00:00Z".parse()?);
/// # let invoice = Invoice { series, number: 7, issued_at, draft };
/// # let (last, totals) = (Some(("2026".parse()?, 7)), vec![]);
/// let now = "2026-11-02T08:00:00Z".parse()?;
/// let facts = MarkFacts { account, invoice, state: InvoiceState::Issued, last, totals };
/// let writes = void(&facts, "the wrong address".into(), now)?.expect("it was issued");
/// let voided = MarkFacts { state: writes.marks[0].state.clone(), ..facts };
/// assert_eq!(void(&voided, "the wrong address".into(), now)?, None);
///
/// let paid = pay(&voided, "2026-11-02".parse()?, "transfer 7".into(), now);
/// assert!(matches!(paid, Err(MarkError::NotIssued { .. })));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub fn void(facts: &MarkFacts, reason: String, now: Instant) -> Result<Option<Writes>, MarkError> {
    let state = InvoiceState::Void { reason: reason.clone() };
    if facts.state == state {
        return Ok(None);
    }
    facts.check_issued()?;
    let Invoice { series, number, .. } = &facts.invoice;
    let (series, number) = (series.clone(), *number);
    if let Some(last) = facts.last.clone().filter(|last| *last != (series.clone(), number)) {
        return Err(MarkError::NotLast { series, number, last });
    }
    let what = Happened::InvoiceVoided { series, number, reason };
    let mut writes = facts.mark(state, what, now)?;
    writes.totals = facts.totals_given_back()?;
    writes.carries = carries_before(&facts.invoice);
    Ok(Some(writes))
}

/// The carries as they were before an invoice.
///
/// # Examples
///
/// ```
/// use billing_core::decide::carries_before;
///
/// # use billing_core::invoice::{Draft, Invoice};
/// # let draft: Draft = serde_json::from_str(
/// #     r#"{"account":"alice","period":{"start":"2026-10-01","end":"2026-11-01"},
/// #         "start":"2026-10-01T00:00:00Z","end":"2026-11-01T00:00:00Z","zone":"UTC",
/// #         "zone_data":"2026a","currency":"EUR","decimals":2,
/// #         "lines":[{"stretch":{"period":{"start":"2026-10-01","end":"2026-11-01"},
/// #                              "start":"2026-10-01","end":"2026-11-01","assignment":1},
/// #                   "plan":"basic","version":1,"strategy":"calls","group":"calls","unit":"ms",
/// #                   "count":2,"quantity":"4500000","text":"at 0.02 a minute, pro rata",
/// #                   "exact":"1.5","scope":"stretch:2026-10-01:1","amount":"1.5","parts":[]}],
/// #         "taxed":{"net":"1.5","taxes":[],"total":"1.5"}}"#,
/// # )?;
/// # let (series, issued_at) = ("2026".parse()?, "2026-11-01T08:00:00Z".parse()?);
/// # let invoice = Invoice { series, number: 7, issued_at, draft };
/// let carries = carries_before(&invoice);
/// assert!(carries[0].carry.is_nothing(), "it was the first of its scope");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[must_use]
pub fn carries_before(invoice: &Invoice) -> Vec<CarryMove> {
    let mut carries: BTreeMap<CarryKey, Carry> = BTreeMap::new();
    for line in &invoice.draft.lines {
        let key = CarryKey {
            account: invoice.draft.account.clone(),
            scope: line.scope,
            strategy: line.strategy.clone(),
            group: line.group.clone(),
        };
        // A scope may have a line in each of several stretches: the first tells what was before them all.
        let _first: &mut Carry = carries.entry(key).or_insert_with(|| line.before.clone());
    }
    carries.into_iter().map(|(key, carry)| CarryMove { key, carry }).collect()
}

impl MarkFacts {
    fn check_issued(&self) -> Result<(), MarkError> {
        let Invoice { series, number, .. } = &self.invoice;
        match &self.state {
            InvoiceState::Issued => Ok(()),
            state @ (InvoiceState::Paid { .. } | InvoiceState::Void { .. }) => {
                let (series, number, state) = (series.clone(), *number, state.name());
                Err(MarkError::NotIssued { series, number, state })
            }
        }
    }

    fn mark(&self, state: InvoiceState, what: Happened, at: Instant) -> Result<Writes, MarkError> {
        let account = self.account.settings.id.clone();
        let full = || MarkError::JournalFull { account: account.clone() };
        let seq = self.account.head.next().ok_or_else(full)?;
        let event = Event { account: account.clone(), seq, at, what };
        let head = self.account.head.append(&JournalEntry::Event(event.clone()));
        let (series, number) = (self.invoice.series.clone(), self.invoice.number);
        Ok(Writes {
            events: alloc::vec![event],
            heads: alloc::vec![(account, head)],
            marks: alloc::vec![InvoiceMark { series, number, at, state }],
            ..Writes::default()
        })
    }

    /// The totals of its lines, in no line any more.
    fn totals_given_back(&self) -> Result<Vec<DayTotal>, MarkError> {
        let by_key: BTreeMap<&TotalKey, &DayTotal> =
            self.totals.iter().map(|total| (&total.key, total)).collect();
        let given_back = |key: TotalKey| match by_key.get(&key) {
            Some(total) => Ok(DayTotal { billed: false, ..(*total).clone() }),
            None => Err(MarkError::Missing {
                series: self.invoice.series.clone(),
                number: self.invoice.number,
                key: alloc::boxed::Box::new(key),
            }),
        };
        self.invoice.part_keys().map(given_back).collect()
    }
}
