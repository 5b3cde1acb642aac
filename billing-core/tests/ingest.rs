//! What becomes of a batch: each entry is recorded, replayed, in conflict, parked or refused.

#[expect(dead_code, reason = "each file of tests is a crate of its own, which uses a part")]
mod common;

use core::slice;

use billing_core::{
    decide::{self, Batch, IngestError, Ingested, ParkReason, Receipt, Refusal, Writes},
    event::Head,
    item::{CallEnded, Disposition, Fingerprint, Incoming},
};
use common::{
    batch, flat_rate, named, read, settings,
    taken::{alice, counts, recorded, replayed, ten_past_nine, without_intake},
    world::World,
};

const RATE: &str = r#"{"per_minute":"0.02","minutes":"pro_rata"}"#;

fn refusal(place: &str) -> Refusal {
    Refusal { place: place.into(), reason: "no start".into(), raw: "x,y".into() }
}

#[test]
fn every_entry_of_a_batch_has_its_own_answer() {
    let mut world = alice();
    drop(world.take(&[ten_past_nine("before", 60_000)]));
    let mut stranger = ten_past_nine("stranger", 1);
    stranger.account = None;
    let mut batch = batch(&[
        ten_past_nine("new", 61_000),
        ten_past_nine("before", 60_000),
        ten_past_nine("before", 60_001),
        stranger,
        ten_past_nine("last", 1),
    ]);
    batch.entries.insert(2, Err(refusal("line 3")));
    let Ingested { receipts, intake, writes } = world.ingest(&batch).unwrap();
    let fingerprint = |ms| Incoming::from(ten_past_nine("before", ms)).fingerprint();
    let expected = [
        recorded(4),
        replayed(3),
        Receipt::Refused,
        Receipt::Conflict { claimed: fingerprint(60_000), given: fingerprint(60_001) },
        Receipt::Parked(ParkReason::UnknownAccount),
        recorded(5),
    ];
    assert_eq!(receipts, expected);
    assert_eq!(counts(&intake), [6, 2, 1, 1, 1, 1]);
    assert_eq!((intake.label.as_str(), intake.at), ("calls", world.now));
    assert_eq!(writes.refusals, [refusal("line 3")]);
    assert_eq!(writes.items.len(), 2);
}

#[test]
fn a_call_sent_twice_in_one_batch_is_recorded_once() {
    let mut world = alice();
    let call = ten_past_nine("a", 61_000);
    let taken = world.take(&[call.clone(), call.clone(), ten_past_nine("a", 1), call]);
    let Receipt::Conflict { .. } = taken.receipts[2] else { panic!("{:?}", taken.receipts[2]) };
    let answers = [&taken.receipts[0], &taken.receipts[1], &taken.receipts[3]];
    assert_eq!(answers, [&recorded(3), &replayed(3), &replayed(3)]);
    assert_eq!(counts(&taken.intake), [4, 1, 2, 1, 0, 0]);
    assert_eq!(taken.writes.totals[0].totals.quantity, read("61000"));
}

#[test]
fn a_batch_sent_again_changes_nothing() {
    let mut world = alice();
    let mut stranger = ten_past_nine("stranger", 1);
    stranger.account = Some(read("nobody"));
    let mut batch = batch(&[ten_past_nine("a", 1), stranger]);
    batch.entries.push(Err(refusal("line 3")));
    let first = world.ingest(&batch).unwrap();
    let stored = format!("{world:?}");
    let again = world.ingest(&batch).unwrap();
    assert_eq!(again.writes, Writes::default());
    assert_eq!(format!("{world:?}"), stored);
    assert_eq!(again.intake.id, first.intake.id, "the same batch is the same intake");
    assert_eq!(counts(&again.intake), [3, 0, 1, 0, 1, 1]);
    assert_eq!(counts(&world.intakes[&first.intake.id]), [3, 1, 0, 0, 1, 1], "the first stays");
}

#[test]
fn a_batch_is_known_by_its_entries_and_its_label() {
    let of = |calls: &[CallEnded]| batch(calls).id().unwrap();
    let [a, b] = ["a", "b"].map(|id| ten_past_nine(id, 1));
    let both = of(&[a.clone(), b.clone()]);
    assert_eq!(both, of(&[a.clone(), b.clone()]));
    assert_ne!(both, of(&[b.clone(), a.clone()]));
    assert_ne!(both, of(slice::from_ref(&a)));
    assert_ne!(both, of(&[a.clone(), ten_past_nine("b", 2)]));
    assert_ne!(both, Batch { label: "more".into(), ..batch(&[a.clone(), b]) }.id().unwrap());
    let mut other = a.clone();
    other.account = Some(read("bob"));
    assert_ne!(of(slice::from_ref(&a)), of(&[other]));
    let mut other = a.clone();
    other.key.leg = Some(read("b"));
    assert_ne!(of(&[a]), of(&[other]));
    let refused = |place| Batch { label: "calls".into(), entries: vec![Err(refusal(place))] };
    assert_ne!(refused("line 1").id(), refused("line 2").id());
}

#[test]
fn the_key_of_an_item_is_its_source_its_id_and_its_leg() {
    let mut world = alice();
    let one = ten_past_nine("a", 1);
    let (mut source, mut leg) = (one.clone(), one.clone());
    source.key.source = read("other switch");
    leg.key.leg = Some(read("b"));
    let taken = world.take(&[one, source, leg]);
    assert_eq!(taken.receipts, [recorded(3), recorded(4), recorded(5)]);
}

#[test]
fn content_that_differs_in_any_field_is_a_conflict() {
    let mut world = alice();
    world.open(&settings("bob", ""));
    let original = ten_past_nine("a", 61_000);
    drop(world.take(slice::from_ref(&original)));
    let change: [fn(&mut CallEnded); 8] = [
        |c| c.account = Some(read("bob")),
        |c| c.account = None,
        |c| c.call.start = read("2026-03-10T09:10:00.000001Z"),
        |c| c.call.duration_ms = 61_001,
        |c| c.call.caller = read("12025550100"),
        |c| c.call.callee = read(""),
        |c| c.call.disposition = Disposition::Busy,
        |c| c.call.direction = billing_core::item::Direction::Internal,
    ];
    for (i, change) in change.into_iter().enumerate() {
        let mut other = original.clone();
        change(&mut other);
        let Ingested { receipts, writes, .. } = world.take(&[other]);
        assert!(matches!(receipts[0], Receipt::Conflict { .. }), "change {i}: {:?}", receipts[0]);
        assert_eq!(without_intake(writes), Writes::default(), "change {i}");
    }
    assert_eq!(world.take(&[original]).receipts, [replayed(3)]);
}

#[test]
fn a_fingerprint_is_the_same_for_ever() {
    // Computed by another program over the fields of rule 1; a change would turn replays into conflicts.
    let fingerprint = Incoming::from(ten_past_nine("a", 61_000)).fingerprint();
    let digest = "b43e456923410d989afd9512b13eee4bf0b8e659d6957573495cac7132fc821e";
    assert_eq!(fingerprint, Fingerprint { rule: 1, digest: read(digest) });
}

#[test]
fn a_batch_that_comes_again_and_changes_something_leaves_a_record_more() {
    let mut world = alice();
    let mut waiting = ten_past_nine("a", 61_000);
    waiting.account = Some(read("bob"));
    let batch = batch(&[waiting, ten_past_nine("b", 1)]);
    let first = world.ingest(&batch).unwrap().intake;
    assert_eq!(counts(&first), [2, 1, 0, 0, 1, 0]);
    world.open(&settings("bob", ""));
    world.assign(&read("bob"), 1, "2026-01-01").unwrap();
    let mended = world.ingest(&batch).unwrap().intake;
    assert_eq!(counts(&mended), [2, 1, 1, 0, 0, 0]);
    assert_ne!(mended.id, first.id);
    let recorded: u64 = world.intakes.values().map(|intake| intake.recorded).sum();
    assert_eq!(recorded, 2, "what the records say was recorded is what is there");
    let nothing = world.ingest(&batch).unwrap();
    assert_eq!(nothing.writes, Writes::default());
}

#[test]
fn a_batch_that_is_too_large_is_refused_whole() {
    let mut world = alice();
    world.limits.batch_entries_max = 2;
    let three = batch(&["a", "b", "c"].map(|id| ten_past_nine(id, 1)));
    let error = world.ingest(&three).unwrap_err();
    assert_eq!(error, IngestError::TooLarge { entries: 3, max: 2 });
    assert_eq!(error.to_string(), "a batch of 3 entries is too large: at most 2 are accepted");
    let two = world.take(&["a", "b"].map(|id| ten_past_nine(id, 1)));
    assert_eq!(counts(&two.intake), [2, 2, 0, 0, 0, 0]);
}

#[test]
fn an_empty_batch_is_an_intake_of_nothing() {
    let mut world = alice();
    let taken = world.take::<CallEnded>(&[]);
    assert_eq!(counts(&taken.intake), [0; 6]);
    assert_eq!(without_intake(taken.writes), Writes::default());
}

#[test]
fn a_journal_without_numbers_takes_nothing_in() {
    let mut world =
        World::under(&[flat_rate("0.02", "pro_rata"), named("more", "flat_rate", RATE)]);
    for (last, fits) in [(u64::MAX, false), (u64::MAX - 1, false), (u64::MAX - 2, true)] {
        let id = read("alice");
        world.accounts.get_mut(&id).unwrap().head = Head { seq: last, ..Head::EMPTY };
        let batch = batch(&[ten_past_nine("a", 1)]);
        let facts = world.ingest_facts(&batch);
        let taken = decide::ingest(facts, &batch, world.limits, world.now);
        match taken {
            Ok(taken) => assert!(fits && taken.intake.recorded == 1, "after {last}"),
            Err(error) => {
                assert_eq!(error, IngestError::JournalFull { account: id }, "after {last}");
                assert!(!fits, "after {last}");
            }
        }
    }
}
