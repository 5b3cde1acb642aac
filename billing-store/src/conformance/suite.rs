//! The run: every promise in turn, each on a store of its own.

use core::pin::Pin;
use std::sync::Arc;

use crate::{
    conformance::{
        Broken, Promise,
        bench::Bench,
        cancel, corrected, door, hand_over, handed, invoiced,
        kept::{Failed, Kept},
        keys, limits, once, order, outbox, parked, priced, records, units,
    },
    store::Store,
};

/// Checks that a store keeps every promise; `fresh` makes an empty one, with its schema in place, each time it is called.
///
/// The first broken promise ends the run. A store that deadlocks hangs it: run it under a time limit.
///
/// # Errors
///
/// [`Broken`] names the promise and says what was seen.
///
/// # Examples
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// use billing_store::{MemoryStore, conformance};
///
/// let outcome = conformance::check(|| async { MemoryStore::new() }).await;
/// assert_eq!(outcome, Ok(()));
/// # });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub async fn check<S, F, Fut>(mut fresh: F) -> Result<(), Broken>
where
    S: Store + 'static,
    F: FnMut() -> Fut,
    Fut: Future<Output = S>,
{
    for promise in Promise::ALL.iter().copied() {
        let broken = |Failed(what)| Broken { promise, what };
        let bench = Bench::try_new(Arc::new(fresh().await)).map_err(broken)?;
        keep(promise, &bench).await.map_err(broken)?;
    }
    Ok(())
}

/// Boxed, because the whole suite as one future would be large.
fn keep(promise: Promise, bench: &Bench) -> Pin<Box<dyn Future<Output = Kept> + Send + '_>> {
    match promise {
        Promise::TenantsAreApart => Box::pin(keys::tenants_are_apart(bench)),
        Promise::JournalIsInOrder => Box::pin(order::journal_is_in_order(bench)),
        Promise::PagesAreComplete => Box::pin(order::pages_are_complete(bench)),
        Promise::KeysFindTheirRows => Box::pin(keys::keys_find_their_rows(bench)),
        Promise::KeysAreBytes => Box::pin(keys::keys_are_bytes(bench)),
        Promise::ValuesComeBack => Box::pin(limits::values_come_back(bench)),
        Promise::NothingBeforeCommit => Box::pin(units::nothing_before_commit(bench)),
        Promise::UnitSeesItself => Box::pin(units::unit_sees_itself(bench)),
        Promise::AllOrNothing => Box::pin(units::all_or_nothing(bench)),
        Promise::AClaimIsForEver => Box::pin(once::a_claim_is_for_ever(bench)),
        Promise::NamesAreTakenOnce => Box::pin(once::names_are_taken_once(bench)),
        Promise::CorrectionIsMadeOnce => Box::pin(corrected::correction_is_made_once(bench)),
        Promise::NumberIsGivenOnce => Box::pin(once::number_is_given_once(bench)),
        Promise::WritesReplace => Box::pin(units::writes_replace(bench)),
        Promise::InvoiceOnceAPeriod => Box::pin(once::invoice_once_a_period(bench)),
        Promise::UnitsFollowOneAnother => Box::pin(door::units_follow_one_another(bench)),
        Promise::ReplayChangesNothing => Box::pin(door::replay_changes_nothing(bench)),
        Promise::LateUsageOpensARevision => Box::pin(door::late_usage_opens_a_revision(bench)),
        Promise::SupersededMovesOn => Box::pin(records::superseded_moves_on(bench)),
        Promise::VoidFreesItsPeriod => Box::pin(invoiced::void_frees_its_period(bench)),
        Promise::DroppedIsKeptOnce => Box::pin(parked::dropped_is_kept_once(bench)),
        Promise::InvoiceIsMarkedOnce => Box::pin(invoiced::invoice_is_marked_once(bench)),
        Promise::SettlementIsKept => Box::pin(handed::settlement_is_kept(bench)),
        Promise::CursorsMoveForward => Box::pin(outbox::cursors_move_forward(bench)),
        Promise::WhatIsDueIsFound => Box::pin(outbox::what_is_due_is_found(bench)),
        Promise::EpochIsBegunOnce => Box::pin(outbox::epoch_is_begun_once(bench)),
        Promise::PricedStaysPriced => Box::pin(priced::priced_stays_priced(bench)),
        Promise::LastRecordCounts => Box::pin(records::last_record_counts(bench)),
        Promise::CorrectedIsBilledRight => Box::pin(corrected::corrected_is_billed_right(bench)),
        Promise::VoidIsBilledAgain => Box::pin(invoiced::void_is_billed_again(bench)),
        Promise::ParkedIsNotLost => Box::pin(parked::parked_is_not_lost(bench)),
        Promise::HandOverLosesNothing => Box::pin(hand_over::hand_over_loses_nothing(bench)),
        Promise::SentAgainAsItWas => Box::pin(hand_over::sent_again_as_it_was(bench)),
        Promise::CancelledLeavesNothing => Box::pin(cancel::cancelled_leaves_nothing(bench)),
    }
}
