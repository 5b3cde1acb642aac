//! What a store promises, each promise with a name.

use core::fmt;

/// A promise that every store gives.
///
/// # Examples
///
/// ```
/// use billing_store::conformance::Promise;
///
/// assert_eq!(Promise::AClaimIsForEver.to_string(), "an item is claimed once and for ever");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Promise {
    /// Two tenants with the same ids see nothing of each other.
    TenantsAreApart,
    /// Postings and events of an account come merged by number, however they are paged.
    JournalIsInOrder,
    /// Every page holds the next rows in order, as many as were asked for while there are more.
    PagesAreComplete,
    /// A question by keys finds the rows that the pages list, each once, also for many keys and keys named twice.
    KeysFindTheirRows,
    /// Ids that differ in one byte are different, and pages are in the order of bytes.
    KeysAreBytes,
    /// Numbers, instants, days and texts come back as they were, up to their limits.
    ValuesComeBack,
    /// Of what a later record superseded, the current posting moves; nothing else of it does, and nothing of another.
    SupersededMovesOn,
    /// A void invoice leaves its period and its parts to another and counts no more; it is still there.
    VoidFreesItsPeriod,
    /// What may change is replaced: heads, day totals, carries, series, parked items, current postings, settlements' states,
    /// the digest of tariffs.
    WritesReplace,
    /// A unit that is dropped without a commit leaves nothing.
    NothingBeforeCommit,
    /// A unit reads what it wrote; nobody else does before it commits.
    UnitSeesItself,
    /// Of an apply that was refused half-way, nothing stays once the unit is dropped.
    AllOrNothing,
    /// An item is claimed once: again it is refused, in the same unit, in a later one and for other content.
    AClaimIsForEver,
    /// An account, a plan version, an assignment and the record of a batch are written once.
    NamesAreTakenOnce,
    /// A correction is made once.
    CorrectionIsMadeOnce,
    /// A number of a journal belongs to one posting or one event, a number of a series to one invoice.
    NumberIsGivenOnce,
    /// A dropped item is kept once and is no longer parked; those beside it are.
    DroppedIsKeptOnce,
    /// An invoice is paid or made void once.
    InvoiceIsMarkedOnce,
    /// The content of a settlement never changes, and one that was accepted stays so.
    SettlementIsKept,
    /// A lease goes to who expects it as it is, and under it a sink's cursors move forward.
    CursorsMoveForward,
    /// Every account behind a sink's cursor is found once it is due, and every dead letter until it is done.
    WhatIsDueIsFound,
    /// An epoch is begun once, and the last one is the store's.
    EpochIsBegunOnce,
    /// Units that lock the same account follow one another: no update is lost.
    UnitsFollowOneAnother,
    /// An account has one invoice for a period and a day total is in one line, also if several runs compete.
    InvoiceOnceAPeriod,
    /// Doing it again changes nothing.
    ReplayChangesNothing,
    /// Usage that comes after its invoice opens a new revision of its day and leaves the old one as it was.
    LateUsageOpensARevision,
    /// A tariff comes into force after whatever is priced by it, and prices what comes after that; a posting keeps what priced it.
    PricedStaysPriced,
    /// Of several records of one usage the last one counts, in whatever order they come.
    LastRecordCounts,
    /// What is corrected counts as what is right, once, also over an issued invoice, which stays as it is.
    CorrectedIsBilledRight,
    /// What a void invoice billed is billed again, the same, under the next number.
    VoidIsBilledAgain,
    /// An item that was parked is recorded, dropped or still parked, and one of them.
    ParkedIsNotLost,
    /// What arrives while days are handed over is handed over next: nothing is missing, nothing comes twice.
    HandOverLosesNothing,
    /// A revision of a day that is sent again is sent as it was.
    SentAgainAsItWas,
    /// A future that is dropped at any point leaves the store usable and nothing half-written.
    CancelledLeavesNothing,
}

impl Promise {
    /// Every promise, in the order in which they are checked.
    pub const ALL: &'static [Self] = &[
        Self::TenantsAreApart,
        Self::JournalIsInOrder,
        Self::PagesAreComplete,
        Self::KeysFindTheirRows,
        Self::KeysAreBytes,
        Self::ValuesComeBack,
        Self::SupersededMovesOn,
        Self::VoidFreesItsPeriod,
        Self::WritesReplace,
        Self::NothingBeforeCommit,
        Self::UnitSeesItself,
        Self::AllOrNothing,
        Self::AClaimIsForEver,
        Self::NamesAreTakenOnce,
        Self::CorrectionIsMadeOnce,
        Self::NumberIsGivenOnce,
        Self::DroppedIsKeptOnce,
        Self::InvoiceIsMarkedOnce,
        Self::SettlementIsKept,
        Self::CursorsMoveForward,
        Self::WhatIsDueIsFound,
        Self::EpochIsBegunOnce,
        Self::UnitsFollowOneAnother,
        Self::InvoiceOnceAPeriod,
        Self::ReplayChangesNothing,
        Self::LateUsageOpensARevision,
        Self::PricedStaysPriced,
        Self::LastRecordCounts,
        Self::CorrectedIsBilledRight,
        Self::VoidIsBilledAgain,
        Self::ParkedIsNotLost,
        Self::HandOverLosesNothing,
        Self::SentAgainAsItWas,
        Self::CancelledLeavesNothing,
    ];
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TenantsAreApart => "two tenants with the same ids see nothing of each other",
            Self::JournalIsInOrder => {
                "postings and events come merged in the order of their numbers"
            }
            Self::PagesAreComplete => "pages list every row once and in order",
            Self::KeysFindTheirRows => {
                "a question by keys finds what the pages list, each row once"
            }
            Self::KeysAreBytes => "ids are compared as bytes",
            Self::ValuesComeBack => "values come back as they were",
            Self::NothingBeforeCommit => "a unit dropped without a commit leaves nothing",
            Self::UnitSeesItself => {
                "a unit reads what it wrote, and nobody else does before it commits"
            }
            Self::AllOrNothing => "nothing stays of an apply that was refused",
            Self::AClaimIsForEver => "an item is claimed once and for ever",
            Self::NamesAreTakenOnce => {
                "accounts, plan versions, assignments and batches are written once"
            }
            Self::CorrectionIsMadeOnce => "a correction is made once",
            Self::NumberIsGivenOnce => "a number is given once",
            Self::WritesReplace => "what may change is replaced",
            Self::InvoiceOnceAPeriod => "a period is invoiced once",
            Self::UnitsFollowOneAnother => "units that lock the same account follow one another",
            Self::ReplayChangesNothing => "doing it again changes nothing",
            Self::LateUsageOpensARevision => "late usage opens a new revision of its day",
            Self::SupersededMovesOn => "what was superseded moves its current posting alone",
            Self::VoidFreesItsPeriod => "a void invoice frees its period and its parts",
            Self::DroppedIsKeptOnce => "a dropped item is kept once and is no longer parked",
            Self::InvoiceIsMarkedOnce => "an invoice is paid or made void once",
            Self::SettlementIsKept => "what is handed over never changes, and accepted it stays",
            Self::CursorsMoveForward => "a sink's cursors move forward, under its lease",
            Self::WhatIsDueIsFound => "what a sink is to be told is found once it is due",
            Self::EpochIsBegunOnce => "an epoch is begun once",
            Self::PricedStaysPriced => {
                "a tariff changes nothing that is priced, and prices all that comes after"
            }
            Self::LastRecordCounts => "of several records of one usage the last one counts",
            Self::CorrectedIsBilledRight => {
                "what is corrected counts as what is right, once, also after an invoice"
            }
            Self::VoidIsBilledAgain => {
                "what a void invoice billed is billed again under the next number"
            }
            Self::ParkedIsNotLost => "a parked item is recorded, dropped or still parked",
            Self::HandOverLosesNothing => "what arrives during a hand-over is handed over next",
            Self::SentAgainAsItWas => "a revision of a day is sent again as it was",
            Self::CancelledLeavesNothing => {
                "a future dropped at any point leaves nothing half-written"
            }
        })
    }
}

/// A store broke a promise.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the store does not keep the promise that {promise}: {what}")]
pub struct Broken {
    /// Which.
    pub promise: Promise,
    /// What was seen.
    pub what: String,
}
