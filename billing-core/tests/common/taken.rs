//! What became of what was taken in, in a form that cases can be held against.

use core::slice;

use billing_core::{
    decide::{Ingested, Intake, ParkReason, Receipt, Writes},
    item::{CallEnded, Incoming},
};

use super::{call, flat_rate, read, world::World};

pub(crate) fn alice() -> World {
    World::under(&[flat_rate("0.02", "pro_rata")])
}

pub(crate) fn ten_past_nine(id: &str, duration_ms: u64) -> CallEnded {
    call(id, "2026-03-10T09:10:00Z", duration_ms)
}

pub(crate) fn counts(intake: &Intake) -> [u64; 6] {
    let Intake { received, recorded, replayed, conflict, parked, refused, .. } = intake;
    [received, recorded, replayed, conflict, parked, refused].map(|count| *count)
}

pub(crate) fn recorded(first_seq: u64) -> Receipt {
    Receipt::Recorded { account: read("alice"), first_seq }
}

pub(crate) fn replayed(seq: u64) -> Receipt {
    Receipt::Replayed { account: read("alice"), first_seq: seq, current_seq: seq }
}

/// Everything that `writes` stores besides the account of the batch.
pub(crate) fn without_intake(writes: Writes) -> Writes {
    Writes { intake: None, refusals: Vec::new(), ..writes }
}

/// The reason why a call is parked.
pub(crate) fn parked(world: &mut World, call: &CallEnded) -> ParkReason {
    let Ingested { receipts, writes, intake } = world.take(slice::from_ref(call));
    assert_eq!(counts(&intake), [1, 0, 0, 0, 1, 0]);
    assert_eq!(writes.postings, [], "what is parked has no effect");
    let kept = &world.parked[&call.key];
    assert_eq!(receipts, [Receipt::Parked(kept.reason.clone())], "it is kept with its reason");
    assert_eq!(kept.incoming, Incoming::from(call.clone()));
    kept.reason.clone()
}
