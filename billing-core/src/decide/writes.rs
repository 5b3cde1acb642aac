//! What decisions are made from and what they leave behind.

use alloc::{boxed::Box, string::String, vec::Vec};
use core::fmt;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use crate::{
    account::{AccountSettings, Assignment},
    correction::RecordedCorrection,
    digest::Digest,
    event::{Event, Head, Posting},
    id::{AccountId, IntakeId, PlanId, SeriesId, StrategyId},
    invoice::{Invoice, InvoiceMark},
    item::{Fingerprint, Incoming, Item, ItemKey},
    money::Quantity,
    outbox::{DeadLetter, Relayed},
    plan::PlanSpec,
    settlement::Settlement,
    tariff::{Activation, TariffSpec},
    time::{Day, Instant},
    usage::{Carry, CarryKey, DayTotal},
};

/// What is known of an account, read under its lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountFacts {
    /// What it was opened with.
    pub settings: AccountSettings,
    /// The end of its journal.
    pub head: Head,
    /// Its assignments, in order of their days.
    pub assignments: Vec<Assignment>,
    /// The end of the last period that was invoiced; an invoice that was made void does not count.
    pub invoiced_until: Option<Day>,
    /// The end of the last period that has an invoice of its own for what is due in advance, void ones not counted.
    pub advanced_until: Option<Day>,
}

/// A claimed item: what a replay is recognised by and answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// What it is known by.
    pub key: ItemKey,
    /// Who pays.
    pub account: AccountId,
    /// What its content was.
    pub fingerprint: Fingerprint,
    /// The number of its first posting; 0 if it came after a later record of the same usage and has none.
    pub first_seq: u64,
    /// The number of the first of its current postings; moves on with corrections. If it was taken back, the number of the first
    /// posting that did so.
    pub current_seq: u64,
    /// How many postings count from there on; 0 if a later record of the same usage or a correction took them back.
    pub effective: u32,
    /// The content in force, if a correction gave it other than was reported.
    pub amended: Option<Box<Item>>,
}

impl Claim {
    /// Its current postings are others.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::decide::{Claim, Moved};
    ///
    /// # let call: billing_core::item::CallEnded = serde_json::from_str(
    /// #     r#"{"key":{"source":"pbx","id":"1"},"account":"alice",
    /// #         "call":{"start":"2026-10-05T08:00:00Z","duration_ms":4500000,"caller":"","callee":"",
    /// #                 "disposition":"answered","direction":"outbound"}}"#,
    /// # )?;
    /// # let incoming = billing_core::item::Incoming::from(call);
    /// # let (key, fingerprint) = (incoming.key.clone(), incoming.fingerprint());
    /// # let (account, amended) = ("alice".parse()?, None);
    /// # let mut claim =
    /// #     Claim { key, account, fingerprint, first_seq: 3, current_seq: 3, effective: 1, amended };
    /// // The item is taken back by posting 7.
    /// let moved = Moved { key: claim.key.clone(), current_seq: 7, effective: 0, amended: None };
    /// claim.move_on(&moved);
    /// assert_eq!((claim.first_seq, claim.numbers().count()), (3, 0));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn move_on(&mut self, moved: &Moved) {
        let Moved { current_seq, effective, amended, .. } = moved;
        self.current_seq = *current_seq;
        self.effective = *effective;
        self.amended.clone_from(amended);
    }

    /// The account and numbers of the postings that count.
    ///
    /// # Examples
    ///
    /// See [`move_on`](Self::move_on).
    pub fn numbers(&self) -> impl Iterator<Item = (AccountId, u64)> + use<'_> {
        let until = self.current_seq.saturating_add(u64::from(self.effective));
        (self.current_seq..until).map(|seq| (self.account.clone(), seq))
    }

    /// Whether somebody decided what the usage counts as, if this is the latest record of it.
    pub(super) const fn is_decided(&self) -> bool {
        self.effective == 0 || self.amended.is_some()
    }
}

/// A claimed item whose current postings are others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Which.
    pub key: ItemKey,
    /// The number of the first of its current postings, or of the first that took them back.
    pub current_seq: u64,
    /// How many count from there on.
    pub effective: u32,
    /// The content in force, if it is not what was reported.
    pub amended: Option<Box<Item>>,
}

/// An item as stored, claimed for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredItem {
    /// The claim.
    pub claim: Claim,
    /// The fact.
    pub item: Item,
    /// How many postings it had on arrival, numbered from the claim's first.
    pub postings: u32,
    /// Whether its persons are erased: the content is without them, the fingerprint is of what was reported.
    pub erased: bool,
}

impl StoredItem {
    /// The content in force: what a correction gave it, else what was reported.
    ///
    /// # Examples
    ///
    /// ```
    /// # use billing_core::{decide::{Claim, StoredItem}, item::{CallEnded, Incoming, Item}};
    /// # let call: CallEnded = serde_json::from_str(
    /// #     r#"{"key":{"source":"pbx","id":"1"},"account":"alice",
    /// #         "call":{"start":"2026-10-05T08:00:00Z","duration_ms":4500000,"caller":"","callee":"",
    /// #                 "disposition":"answered","direction":"outbound"}}"#,
    /// # )?;
    /// # let incoming = Incoming::from(call);
    /// # let (key, fingerprint) = (incoming.key.clone(), incoming.fingerprint());
    /// # let (account, amended) = ("alice".parse()?, None);
    /// # let claim =
    /// #     Claim { key, account, fingerprint, first_seq: 3, current_seq: 3, effective: 1, amended };
    /// # let mut stored = StoredItem { claim, item: incoming.item, postings: 1, erased: false };
    /// # let Item::Call(mut call) = stored.item.clone() else { return Ok(()) };
    /// # call.duration_ms = 60_000;
    /// # let shorter = Item::Call(call);
    /// assert_eq!(stored.content(), &stored.item);
    /// stored.claim.amended = Some(Box::new(shorter.clone()));
    /// assert_eq!(stored.content(), &shorter);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn content(&self) -> &Item {
        self.claim.amended.as_deref().unwrap_or(&self.item)
    }
}

/// An item that could not be rated: kept with its reason until it is mended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parked {
    /// The item as it came.
    pub incoming: Incoming,
    /// Why.
    pub reason: ParkReason,
    /// Since when.
    pub since: Instant,
}

/// A parked item that somebody decided not to bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// The item as it was parked.
    pub parked: Parked,
    /// Why it is not billed.
    pub reason: String,
    /// When that was decided.
    pub at: Instant,
}

/// Why an item is parked. The text holds no personal data.
///
/// # Examples
///
/// ```
/// use billing_core::decide::ParkReason;
///
/// let reason = ParkReason::NoPlan { day: "2026-10-05".parse()? };
/// assert_eq!(reason.to_string(), "the account has no plan on 2026-10-05");
/// assert_eq!(serde_json::to_string(&reason)?, r#"{"code":"no_plan","day":"2026-10-05"}"#);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "code", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ParkReason {
    /// The source names nobody, or nobody known.
    #[error("no account is known for this item")]
    UnknownAccount,
    /// The account had no plan on that day.
    #[error("the account has no plan on {day}")]
    NoPlan {
        /// The item's billing day.
        day: Day,
    },
    /// The day's period would begin before or end after the calendar.
    #[error("the billing period of {day} leaves the calendar of years 1 to 9999")]
    OutOfCalendar {
        /// The item's billing day.
        day: Day,
    },
    /// This process cannot build the account's plan.
    #[error("plan {plan} version {version} cannot be used here: {why}")]
    PlanUnavailable {
        /// The plan.
        plan: PlanId,
        /// Its version.
        version: u32,
        /// What is wrong.
        why: String,
    },
    /// No strategy of the plan charges for such an item.
    #[error("no strategy of plan {plan} version {version} prices this item")]
    NoPrice {
        /// The plan.
        plan: PlanId,
        /// Its version.
        version: u32,
    },
    /// A strategy could not price it.
    #[error("strategy {strategy} cannot price this item: {why}")]
    Unpriceable {
        /// The strategy.
        strategy: StrategyId,
        /// What is wrong.
        why: String,
    },
    /// Longer than a call may be.
    #[error("a call of {duration_ms} ms is longer than the {max_ms} ms that are accepted")]
    TooLong {
        /// The call's duration.
        duration_ms: u64,
        /// The longest accepted.
        max_ms: u64,
    },
    /// Dated further ahead of the clock than is accepted, or a call that ends there.
    #[error("the item is dated {at} or lasts until then, more than {max_ms} ms ahead of the clock")]
    TooFarAhead {
        /// The item's instant, or when the call ends.
        at: Instant,
        /// How far ahead is accepted.
        max_ms: u64,
    },
    /// Dated further behind the clock than is accepted.
    #[error("the item is dated {at}, more than {max_ms} ms behind the clock")]
    TooFarBack {
        /// The item's instant.
        at: Instant,
        /// How far behind is accepted.
        max_ms: u64,
    },
    /// A pulse reports less than nothing where that is not accepted.
    #[error("a pulse of {amount} is not accepted: 0 and above are")]
    Negative {
        /// The amount.
        amount: Quantity,
    },
    /// Another record of the same usage is another account's.
    #[error(
        "record {other} of the same usage is another account's: all records of it must be one payer's, or have a leg each"
    )]
    OtherPayer {
        /// The other record.
        other: ItemKey,
    },
    /// A correction took an earlier record of the same usage back, or gave it other content.
    #[error(
        "record {other} of the same usage was corrected: a later record does not undo that; amend that record, and drop this one"
    )]
    Corrected {
        /// The record that was corrected.
        other: ItemKey,
    },
    /// The day would have more groups than a day may have.
    #[error("{day} has {max} groups: no more are accepted")]
    TooManyGroups {
        /// The item's billing day.
        day: Day,
        /// How many are accepted.
        max: usize,
    },
    /// A day's total would leave its bounds.
    #[error("the day's total would leave its bounds: {why}")]
    TotalOutOfBounds {
        /// Which bound.
        why: String,
    },
}

impl ParkReason {
    /// The stable code, as in JSON.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::decide::ParkReason;
    ///
    /// assert_eq!(ParkReason::UnknownAccount.code(), "unknown_account");
    /// ```
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownAccount => "unknown_account",
            Self::NoPlan { .. } => "no_plan",
            Self::OutOfCalendar { .. } => "out_of_calendar",
            Self::PlanUnavailable { .. } => "plan_unavailable",
            Self::NoPrice { .. } => "no_price",
            Self::Unpriceable { .. } => "unpriceable",
            Self::TooLong { .. } => "too_long",
            Self::TooFarAhead { .. } => "too_far_ahead",
            Self::TooFarBack { .. } => "too_far_back",
            Self::Negative { .. } => "negative",
            Self::OtherPayer { .. } => "other_payer",
            Self::Corrected { .. } => "corrected",
            Self::TooManyGroups { .. } => "too_many_groups",
            Self::TotalOutOfBounds { .. } => "total_out_of_bounds",
        }
    }
}

/// An input that could not be decoded: its raw text is kept with its place.
///
/// The raw text may be personal data: `Debug` shows its length alone.
///
/// # Examples
///
/// ```
/// use billing_core::decide::Refusal;
///
/// let refusal = Refusal {
///     place: "line 2".into(),
///     reason: "no column `start`".into(),
///     raw: "2;+12025550100;61".into(),
/// };
/// assert!(format!("{refusal:?}").ends_with("raw: 17 bytes }"));
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// Where it stood: a line of a file, a position in a batch.
    pub place: CompactString,
    /// What is wrong with it, without personal data.
    pub reason: String,
    /// The text as it came.
    pub raw: String,
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let raw = format_args!("{} bytes", self.raw.len());
        let Self { place, reason, .. } = self;
        let mut debug = f.debug_struct("Refusal");
        debug.field("place", place).field("reason", reason).field("raw", &raw).finish()
    }
}

/// The account of one batch: received = recorded + replayed + conflict + parked + refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intake {
    /// The digest of the batch: the same batch has the same id, unless it came again and changed something.
    pub id: IntakeId,
    /// What the caller calls it, such as a file's name and lines.
    pub label: String,
    /// When it came.
    pub at: Instant,
    /// How many entries it had.
    pub received: u64,
    /// How many are recorded by it.
    pub recorded: u64,
    /// How many had been recorded before.
    pub replayed: u64,
    /// How many came under a known key with other content.
    pub conflict: u64,
    /// How many wait for something to be mended.
    pub parked: u64,
    /// How many could not be decoded.
    pub refused: u64,
}

impl Intake {
    /// Whether every entry is accounted for.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::decide::Intake;
    ///
    /// let intake: Intake = serde_json::from_str(
    ///     r#"{"id":"a1","label":"cdr.csv","at":"2026-10-05T12:00:00Z","received":5,
    ///         "recorded":2,"replayed":1,"conflict":0,"parked":1,"refused":1}"#,
    /// )?;
    /// assert!(intake.balances());
    /// assert!(!Intake { received: 6, ..intake }.balances());
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn balances(&self) -> bool {
        let parts = [self.recorded, self.replayed, self.conflict, self.parked, self.refused];
        parts.iter().try_fold(0_u64, |sum, part| sum.checked_add(*part)) == Some(self.received)
    }
}

/// A carry that moved forward.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CarryMove {
    /// Which.
    pub key: CarryKey,
    /// To what.
    pub carry: Carry,
}

/// Everything one decision stores, applied in one transaction.
///
/// What is not mentioned stays as it is; nothing is deleted but the parked copy of an item that was mended or dropped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Writes {
    /// Accounts to open.
    pub accounts: Vec<AccountSettings>,
    /// Ends of journals to move.
    pub heads: Vec<(AccountId, Head)>,
    /// Plan versions to save.
    pub plans: Vec<PlanSpec>,
    /// Tariff versions to save.
    pub tariffs: Vec<TariffSpec>,
    /// Activations of tariff versions to add.
    pub activations: Vec<Activation>,
    /// The digest of the tenant's tariffs with these.
    pub tariff_catalog: Option<Digest>,
    /// Assignments to add.
    pub assignments: Vec<(AccountId, Assignment)>,
    /// Items to claim.
    pub items: Vec<StoredItem>,
    /// Items to park, or to park again with other content.
    pub parked: Vec<Parked>,
    /// Items that are no longer parked.
    pub unparked: Vec<ItemKey>,
    /// Items that were parked and are not to be billed.
    pub dropped: Vec<Dropped>,
    /// Claimed items whose current postings are others.
    pub moved: Vec<Moved>,
    /// Corrections to claim, with their reports.
    pub corrections: Vec<RecordedCorrection>,
    /// Items that lost their persons: all that is stored of them from now on.
    pub erased: Vec<StoredItem>,
    /// Dropped items that lost their persons.
    pub erased_dropped: Vec<Dropped>,
    /// Refused entries that lost their raw text, with their batch and their place among its refusals from 0.
    pub erased_refusals: Vec<(IntakeId, u64, Refusal)>,
    /// Postings to append.
    pub postings: Vec<Posting>,
    /// Events to append.
    pub events: Vec<Event>,
    /// Day totals to set.
    pub totals: Vec<DayTotal>,
    /// Carries to set.
    pub carries: Vec<CarryMove>,
    /// The account of the batch.
    pub intake: Option<Intake>,
    /// What could not be decoded, under that intake.
    pub refusals: Vec<Refusal>,
    /// Invoices to issue.
    pub invoices: Vec<Invoice>,
    /// The last number given in a series.
    pub series: Option<(SeriesId, u64)>,
    /// What became of invoices. One that is void is marked so, with its line parts.
    pub marks: Vec<InvoiceMark>,
    /// Settlements to add or to move on.
    pub settlements: Vec<Settlement>,
    /// What a relay has done.
    pub relayed: Option<Relayed>,
    /// Dead letters that were told again or closed. One that is done stays so.
    pub dead_letters: Vec<DeadLetter>,
}
