//! What use cases answer: outcomes, and the errors of every floor folded into one.

use billing_core::{
    correction::CorrectionReport,
    decide::{
        AssignError, BillError, CorrectError, IngestError, Intake, JournalFull, MarkError,
        OpenAccountError, ParkReason, Receipt, TariffError,
    },
    id::{AccountId, InvalidId, PlanId, SeriesId, SinkId, TenantId},
    item::ItemKey,
    money::MoneyError,
    plan::{BuildPlanError, UnknownStrategy},
    time::{Day, Instant, TimeError},
    usage::TotalsError,
};

use crate::error::StoreError;

/// A use case failed. Nothing was stored, unless the store says that the outcome is unknown.
///
/// # Examples
///
/// ```
/// use billing_store::{Error, StoreError};
///
/// /// Whether to do it again, with the same ids.
/// fn again(error: &Error) -> bool {
///     matches!(error, Error::Store(error) if error.is_transient())
/// }
///
/// let busy = StoreError::Transient { source: "database is locked".into() };
/// assert!(again(&busy.into()));
/// assert!(!again(&Error::UnknownAccount { account: "alice".parse()? }));
/// # Ok::<(), billing_core::id::InvalidId>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A text is not an id.
    #[error(transparent)]
    Id(#[from] InvalidId),
    /// The plan document cannot become a plan.
    #[error(transparent)]
    BuildPlan(#[from] BuildPlanError),
    /// The version is saved with other content.
    #[error("plan {plan} version {version} is saved with other content: save a new version")]
    PlanDiffers {
        /// The plan.
        plan: PlanId,
        /// Its version.
        version: u32,
    },
    /// No such plan version.
    #[error("plan {plan} version {version} is not saved")]
    UnknownPlan {
        /// The plan.
        plan: PlanId,
        /// Its version.
        version: u32,
    },
    /// The tariff cannot be saved, come into force then, or be used so.
    #[error(transparent)]
    Tariff(#[from] TariffError),
    /// No such account.
    #[error("there is no account {account}")]
    UnknownAccount {
        /// The account.
        account: AccountId,
    },
    /// No such dead letter, or it is done.
    #[error("sink {sink} has no open dead letter of account {account} with number {seq}")]
    NoDeadLetter {
        /// The sink.
        sink: SinkId,
        /// The account.
        account: AccountId,
        /// The entry's number.
        seq: u64,
    },
    /// The account cannot be opened.
    #[error(transparent)]
    OpenAccount(#[from] OpenAccountError),
    /// The plan cannot be assigned.
    #[error(transparent)]
    Assign(#[from] AssignError),
    /// The account's own terms are for a strategy that the plan does not have.
    #[error(transparent)]
    Overrides(#[from] UnknownStrategy),
    /// No such invoice.
    #[error("there is no invoice {series}/{number}")]
    UnknownInvoice {
        /// The series.
        series: SeriesId,
        /// The number.
        number: u64,
    },
    /// The invoice cannot be marked so.
    #[error(transparent)]
    Mark(#[from] MarkError),
    /// The item is not parked.
    #[error("item {key} is not parked")]
    NotParked {
        /// The item.
        key: ItemKey,
    },
    /// The item is not recorded.
    #[error("item {key} is not recorded")]
    NotRecorded {
        /// The item.
        key: ItemKey,
    },
    /// The persons of the item are erased: what it costs cannot be found out again.
    #[error("item {key} cannot be rated again: who called whom is erased")]
    Erased {
        /// The item.
        key: ItemKey,
    },
    /// What an item costs cannot be explained here.
    #[error("it cannot be explained: {0}")]
    Explain(ParkReason),
    /// No such settlement, or not in the state that was expected.
    #[error(
        "there is no {expected} settlement of {day} in revision {revision} of account {account}"
    )]
    UnknownSettlement {
        /// What it was expected to be.
        expected: &'static str,
        /// The account.
        account: AccountId,
        /// The day.
        day: Day,
        /// Its revision.
        revision: u32,
    },
    /// The processor did not answer as it should; what was sent is sent again.
    #[error("the processor failed")]
    Processor {
        /// How.
        source: Box<dyn core::error::Error + Send + Sync>,
    },
    /// An account's journal has no numbers left.
    #[error(transparent)]
    JournalFull(#[from] JournalFull),
    /// A sum left its bounds.
    #[error(transparent)]
    Totals(#[from] TotalsError),
    /// A sum of money left its bounds.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// The batch cannot be taken in.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// A correction cannot be made.
    #[error(transparent)]
    Correct(#[from] CorrectError),
    /// The bill cannot be drawn up.
    #[error(transparent)]
    Bill(#[from] BillError),
    /// A period leaves the calendar.
    #[error(transparent)]
    Time(#[from] TimeError),
    /// A unit of another tenant was handed to this handle.
    #[error("a handle of tenant {handle} was given a unit of tenant {unit}")]
    OtherTenant {
        /// Whose handle.
        handle: TenantId,
        /// Whose unit.
        unit: TenantId,
    },
    /// Invoices were asked for as of an instant that has not come.
    #[error("invoices cannot be issued as of {as_of}: it is {now}")]
    NotYet {
        /// The instant asked for.
        as_of: Instant,
        /// The clock's time.
        now: Instant,
    },
}

/// What a use case answers.
pub type Result<T> = core::result::Result<T, Error>;

/// Whether something happened now or had happened before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It happened now.
    New,
    /// It had happened before, just so; nothing was stored.
    Replay,
}

/// What became of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenIn {
    /// One answer for each entry, in the batch's order.
    pub receipts: Vec<Receipt>,
    /// The counts of this time. A batch that comes again and changes nothing leaves the record of the first time as it is.
    pub intake: Intake,
}

/// What making a correction answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorrectionMade {
    /// Whether it was made now, or before.
    pub outcome: Outcome,
    /// What it changed when it was made.
    pub report: CorrectionReport,
}
