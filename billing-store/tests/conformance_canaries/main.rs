//! The suite bites: each of these stores has one defect, and the suite names the promise it breaks.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod answers;
mod bent;
mod outbox;
mod store;

use std::collections::BTreeSet;

use billing_store::conformance::{self, Promise};

use store::Canary;

/// What is wrong with a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Defect {
    /// Nothing: the wrapping itself keeps every promise.
    None,
    /// Keys do not begin with the tenant.
    ForgetsTheTenant,
    /// Each page of a journal is last number first.
    SwapsTheJournal,
    /// Events are not written.
    DropsEvents,
    /// A page has two rows at most.
    TruncatesPages,
    /// A page of a history goes on behind the instant of the item it is asked after.
    SkipsTies,
    /// The numbers of partial records are ordered as texts.
    OrdersNumbersAsTexts,
    /// Settlements that were sent are not listed as unanswered.
    ForgetsWhatIsSent,
    /// Day totals that are closed are not found by their day.
    HidesClosedDays,
    /// Day totals that are closed are not found among those that no line holds.
    UnbilledForgetsClosed,
    /// Day totals that are closed are not found among those in no settlement.
    UnhandedForgetsClosed,
    /// Of several records of one usage those are answered that were named.
    AnswersExactKeys,
    /// Keys that are named twice are answered twice.
    AnswersEachTime,
    /// Item ids are stored in lower case.
    FoldsCase,
    /// A customer is found in lower case too.
    FoldsCustomers,
    /// Amounts and quantities keep six decimals.
    LosesFractions,
    /// Ten properties of a pulse are kept.
    CutsProperties,
    /// An account's own terms are not written.
    LosesOverrides,
    /// A long fraction that a carry keeps beside is not written.
    LosesLongFractions,
    /// What priced a posting is written without its prefix.
    LosesPrefixes,
    /// Whose usage is priced beyond an instant is answered a millisecond late.
    RoundsToMilliseconds,
    /// The digest of tariffs stays the first.
    FreezesTheDigest,
    /// A tariff version that exists is passed over.
    IgnoresDoubleTariffs,
    /// An activation at an instant that is taken is passed over.
    IgnoresDoubleActivations,
    /// How far an account is priced moves back with what comes late.
    MovesRatedBack,
    /// Current postings stay where they were.
    ForgetsWhatMoved,
    /// Current postings of all records of a usage move together.
    MovesAllRecords,
    /// A period that has a void invoice takes no other.
    VoidKeepsThePeriod,
    /// A day total that is in a void line is taken into no other.
    VoidKeepsTheParts,
    /// The parts of void invoices are gone.
    VoidForgetsTheParts,
    /// The last invoice may be a void one.
    LastCountsVoid,
    /// Periods with a void invoice count as invoiced.
    InvoicedCountsVoid,
    /// Day totals are added to what is stored.
    AddsTotals,
    /// Settlements stay in the state in which they were made.
    FreezesSettlements,
    /// Each apply is committed at once.
    CommitsAtOnce,
    /// What is applied is written with the commit and not seen before.
    ReadsStale,
    /// The claims of an apply that was refused stay.
    KeepsHalfOfARefusal,
    /// Claims that exist are passed over.
    IgnoresDoubleClaims,
    /// A plan version that exists is passed over.
    IgnoresDoublePlans,
    /// A correction that exists is passed over.
    IgnoresDoubleCorrections,
    /// A correction that changed nothing is not kept.
    ForgetsIdleCorrections,
    /// Items that are moved keep the content that was reported.
    KeepsReportedContent,
    /// Postings of corrections are written without the correction's name.
    LosesCorrections,
    /// Postings and events have numbers of their own.
    NumbersTwice,
    /// What is dropped stays parked.
    KeepsDroppedParked,
    /// What was dropped is dropped again without a word.
    IgnoresDoubleDrops,
    /// A second mark of an invoice is passed over.
    IgnoresDoubleMarks,
    /// Other content of a settlement is passed over.
    IgnoresOtherContent,
    /// Whatever comes for a settlement that was accepted is passed over.
    IgnoresAccepted,
    /// Whoever takes a lease has it.
    IgnoresTheLease,
    /// A cursor that moves back is passed over.
    IgnoresOldCursors,
    /// Cursors are due before their time.
    ForgetsToWait,
    /// An epoch that was begun before is passed over.
    IgnoresDoubleEpochs,
    /// A second invoice for a period is accepted.
    InvoicesTwice,
    /// Units do not wait for one another before they write.
    TakesNoLock,
    /// An apply without writes leaves a mark.
    MarksReplays,
    /// New day totals of invoiced periods are not written.
    IgnoresLateUsage,
    /// A day total that became less is not written.
    TakesNothingBack,
    /// A carry is not replaced by nothing.
    KeepsCarries,
    /// Whoever is recorded takes all records and legs of its usage out of the parked ones.
    UnparksTheUsage,
    /// New day totals of days that were handed over are not written.
    IgnoresHandedDays,
    /// What was sent more than once is what the day used by now.
    RefreshesWhatIsSent,
    /// Claims are committed first, and what they claimed in a second commit.
    ClaimsBeforeEffects,
    /// Settlements are committed first, and the days they are made of in a second commit.
    SettlesBeforeTotals,
}

const CANARIES: [(Defect, Promise); 63] = [
    (Defect::ForgetsTheTenant, Promise::TenantsAreApart),
    (Defect::SwapsTheJournal, Promise::JournalIsInOrder),
    (Defect::DropsEvents, Promise::JournalIsInOrder),
    (Defect::TruncatesPages, Promise::PagesAreComplete),
    (Defect::SkipsTies, Promise::PagesAreComplete),
    (Defect::OrdersNumbersAsTexts, Promise::PagesAreComplete),
    (Defect::ForgetsWhatIsSent, Promise::PagesAreComplete),
    (Defect::HidesClosedDays, Promise::KeysFindTheirRows),
    (Defect::UnbilledForgetsClosed, Promise::KeysFindTheirRows),
    (Defect::UnhandedForgetsClosed, Promise::KeysFindTheirRows),
    (Defect::AnswersExactKeys, Promise::KeysFindTheirRows),
    (Defect::AnswersEachTime, Promise::KeysFindTheirRows),
    (Defect::RoundsToMilliseconds, Promise::KeysFindTheirRows),
    (Defect::FoldsCase, Promise::KeysAreBytes),
    (Defect::FoldsCustomers, Promise::KeysAreBytes),
    (Defect::LosesFractions, Promise::ValuesComeBack),
    (Defect::CutsProperties, Promise::ValuesComeBack),
    (Defect::LosesOverrides, Promise::ValuesComeBack),
    (Defect::LosesLongFractions, Promise::ValuesComeBack),
    (Defect::LosesPrefixes, Promise::ValuesComeBack),
    (Defect::LosesCorrections, Promise::ValuesComeBack),
    (Defect::ForgetsWhatMoved, Promise::SupersededMovesOn),
    (Defect::MovesAllRecords, Promise::SupersededMovesOn),
    (Defect::KeepsReportedContent, Promise::SupersededMovesOn),
    (Defect::VoidKeepsThePeriod, Promise::VoidFreesItsPeriod),
    (Defect::VoidKeepsTheParts, Promise::VoidFreesItsPeriod),
    (Defect::VoidForgetsTheParts, Promise::VoidFreesItsPeriod),
    (Defect::LastCountsVoid, Promise::VoidFreesItsPeriod),
    (Defect::InvoicedCountsVoid, Promise::VoidFreesItsPeriod),
    (Defect::AddsTotals, Promise::WritesReplace),
    (Defect::FreezesSettlements, Promise::WritesReplace),
    (Defect::FreezesTheDigest, Promise::WritesReplace),
    (Defect::CommitsAtOnce, Promise::NothingBeforeCommit),
    (Defect::ReadsStale, Promise::UnitSeesItself),
    (Defect::KeepsHalfOfARefusal, Promise::AllOrNothing),
    (Defect::IgnoresDoubleClaims, Promise::AClaimIsForEver),
    (Defect::IgnoresDoublePlans, Promise::NamesAreTakenOnce),
    (Defect::IgnoresDoubleTariffs, Promise::NamesAreTakenOnce),
    (Defect::IgnoresDoubleActivations, Promise::NamesAreTakenOnce),
    (Defect::IgnoresDoubleCorrections, Promise::CorrectionIsMadeOnce),
    (Defect::NumbersTwice, Promise::NumberIsGivenOnce),
    (Defect::KeepsDroppedParked, Promise::DroppedIsKeptOnce),
    (Defect::IgnoresDoubleDrops, Promise::DroppedIsKeptOnce),
    (Defect::IgnoresDoubleMarks, Promise::InvoiceIsMarkedOnce),
    (Defect::IgnoresOtherContent, Promise::SettlementIsKept),
    (Defect::IgnoresAccepted, Promise::SettlementIsKept),
    (Defect::IgnoresTheLease, Promise::CursorsMoveForward),
    (Defect::IgnoresOldCursors, Promise::CursorsMoveForward),
    (Defect::ForgetsToWait, Promise::WhatIsDueIsFound),
    (Defect::IgnoresDoubleEpochs, Promise::EpochIsBegunOnce),
    (Defect::TakesNoLock, Promise::UnitsFollowOneAnother),
    (Defect::InvoicesTwice, Promise::InvoiceOnceAPeriod),
    (Defect::MarksReplays, Promise::ReplayChangesNothing),
    (Defect::IgnoresLateUsage, Promise::LateUsageOpensARevision),
    (Defect::MovesRatedBack, Promise::PricedStaysPriced),
    (Defect::TakesNothingBack, Promise::LastRecordCounts),
    (Defect::ForgetsIdleCorrections, Promise::CorrectedIsBilledRight),
    (Defect::KeepsCarries, Promise::VoidIsBilledAgain),
    (Defect::UnparksTheUsage, Promise::ParkedIsNotLost),
    (Defect::IgnoresHandedDays, Promise::HandOverLosesNothing),
    (Defect::RefreshesWhatIsSent, Promise::SentAgainAsItWas),
    (Defect::ClaimsBeforeEffects, Promise::CancelledLeavesNothing),
    (Defect::SettlesBeforeTotals, Promise::CancelledLeavesNothing),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_defect_is_named_by_the_promise_it_breaks() {
    let check = |defect| conformance::check(move || async move { Canary::with(defect) });
    let running = CANARIES.map(|(defect, _)| tokio::spawn(check(defect)));
    for ((defect, promise), outcome) in CANARIES.into_iter().zip(running) {
        let outcome = outcome.await.unwrap();
        let broken = outcome.as_ref().err().map(|broken| broken.promise);
        assert_eq!(broken, Some(promise), "{defect:?}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_canary_without_a_defect_passes() {
    let outcome = conformance::check(|| async { Canary::with(Defect::None) }).await;
    assert_eq!(outcome, Ok(()));
}

#[test]
fn every_promise_has_a_canary() {
    let bitten: BTreeSet<Promise> = CANARIES.into_iter().map(|(_, promise)| promise).collect();
    let given: BTreeSet<Promise> = Promise::ALL.iter().copied().collect();
    assert_eq!(bitten, given);
    let defects: BTreeSet<Defect> = CANARIES.into_iter().map(|(defect, _)| defect).collect();
    assert_eq!(defects.len(), CANARIES.len(), "a defect is listed twice");
}
