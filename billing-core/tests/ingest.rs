//! What becomes of a batch: each entry is recorded, replayed, in conflict, parked or refused.
#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::indexing_slicing, reason = "a test may panic")]
#![expect(clippy::panic, reason = "a test may panic")]

#[expect(dead_code, reason = "each file of tests uses a part")]
mod common;

use core::slice;

use billing_core::{
    decide::{
        self, Batch, IngestError, Ingested, Intake, Limits, OpenDay, ParkReason, Receipt, Refusal,
        Writes,
    },
    digest::Digest,
    event::{Cause, Head, JournalEntry, Posting},
    id::AccountId,
    item::{CallEnded, Disposition, Fingerprint, Incoming},
    plan::{Arrival, Priced, Problem},
    time::{Day, Instant, Zone},
    usage::{DayTotal, Scope, TotalKey, Totals},
};
use common::{
    World, batch, blocks, book, call, counted, document, flat_rate, named, plan, read, settings,
    strategy,
};

const RATE: &str = r#"{"per_minute":"0.02","minutes":"pro_rata"}"#;
const MINUTE: &str = r#"{"per_minute":"0.02","minutes":"per_started_minute"}"#;

fn alice() -> World {
    World::with(&settings("alice", ""), &[flat_rate("0.02", "pro_rata")])
}

fn ten_past_nine(id: &str, duration_ms: u64) -> CallEnded {
    call(id, "2026-03-10T09:10:00Z", duration_ms)
}

fn refusal(place: &str) -> Refusal {
    Refusal { place: place.into(), reason: "no start".into(), raw: "x,y".into() }
}

fn counts(intake: &Intake) -> [u64; 6] {
    let Intake { received, recorded, replayed, conflict, parked, refused, .. } = intake;
    [received, recorded, replayed, conflict, parked, refused].map(|count| *count)
}

fn recorded(first_seq: u64) -> Receipt {
    Receipt::Recorded { account: read("alice"), first_seq }
}

fn replayed(seq: u64) -> Receipt {
    Receipt::Replayed { account: read("alice"), first_seq: seq, current_seq: seq }
}

/// Everything that `writes` stores besides the account of the batch.
fn without_intake(writes: Writes) -> Writes {
    Writes { intake: None, refusals: Vec::new(), ..writes }
}

/// The reason why a call is parked.
fn parked(world: &mut World, call: &CallEnded) -> ParkReason {
    let Ingested { mut receipts, writes, intake } = world.take(slice::from_ref(call));
    assert_eq!(counts(&intake), [1, 0, 0, 0, 1, 0]);
    assert_eq!(writes.postings, [], "what is parked has no effect");
    let Some(Receipt::Parked(reason)) = receipts.pop() else { panic!("{call:?} is not parked") };
    assert_eq!(world.parked[&call.key].reason, reason, "it is kept with its reason");
    assert_eq!(world.parked[&call.key].incoming, Incoming::from(call.clone()));
    reason
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
fn a_posting_says_what_was_made_of_the_item_and_why() {
    let mut world = alice();
    let ended = ten_past_nine("a", 61_000);
    let writes = world.take(slice::from_ref(&ended)).writes;
    let posting = Posting {
        account: read("alice"),
        seq: 3,
        item: ended.key.clone(),
        fingerprint: Incoming::from(ended.clone()).fingerprint(),
        cause: Cause::Rated,
        day: read("2026-03-10"),
        assignment: 1,
        strategy: read("calls"),
        group: read("calls"),
        day_revision: 1,
        rules: 1,
        zone_data: Zone::data_version().into(),
        unit: read("ms"),
        currency: read("EUR"),
        totals: Totals { count: 1, quantity: read("61000"), amount: None },
    };
    assert_eq!(writes.postings, slice::from_ref(&posting));
    let total = DayTotal {
        key: posting.total_key(),
        unit: read("ms"),
        currency: read("EUR"),
        totals: posting.totals,
        closed: false,
        billed: false,
    };
    assert_eq!(writes.totals, [total]);
    let item = &writes.items[0];
    assert_eq!((&item.claim.key, item.postings), (&ended.key, 1));
    assert_eq!((item.claim.first_seq, item.claim.current_seq), (3, 3));
    assert_eq!(item.claim.fingerprint, posting.fingerprint);
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
fn what_cannot_be_rated_is_parked_with_its_reason() {
    let mut world = alice();
    let item_future_ms_max = u64::MAX;
    world.limits =
        Limits { call_duration_ms_max: 3_600_000, item_future_ms_max, ..Limits::default() };
    let mut unnamed = ten_past_nine("unnamed", 1);
    unnamed.account = None;
    assert_eq!(parked(&mut world, &unnamed), ParkReason::UnknownAccount);
    let mut unknown = ten_past_nine("unknown", 1);
    unknown.account = Some(read("nobody"));
    assert_eq!(parked(&mut world, &unknown), ParkReason::UnknownAccount);
    let early = call("early", "2025-12-31T23:59:59.999999Z", 1);
    assert_eq!(parked(&mut world, &early), ParkReason::NoPlan { day: read("2025-12-31") });
    let late = call("late", "9999-12-29T00:00:00Z", 1);
    assert_eq!(parked(&mut world, &late), ParkReason::OutOfCalendar { day: read("9999-12-29") });
    let long = ten_past_nine("long", 3_600_001);
    let (duration_ms, max_ms) = (3_600_001, 3_600_000);
    assert_eq!(parked(&mut world, &long), ParkReason::TooLong { duration_ms, max_ms });
    let longest = world.take(&[ten_past_nine("longest", 3_600_000)]);
    assert_eq!(longest.receipts, [recorded(3)], "the limit itself is accepted");
}

#[test]
fn an_item_too_far_ahead_of_the_clock_is_parked_until_its_time_comes() {
    let mut world = alice();
    world.limits.item_future_ms_max = 1_000;
    world.now = read("2026-03-10T09:09:58.999999Z");
    let ended = ten_past_nine("a", 61_000);
    let at = ended.call.start;
    assert_eq!(parked(&mut world, &ended), ParkReason::TooFarAhead { at, max_ms: 1_000 });
    world.now = read("2026-03-10T09:09:59Z");
    let later = world.ingest(&labelled("later", &ended)).unwrap();
    assert_eq!(later.receipts, [recorded(3)], "exactly as far ahead as is accepted");
}

#[test]
fn a_day_has_no_more_groups_than_it_may_have() {
    let prefixes = ["1", "2", "3"].map(|prefix| {
        format!(
            r#"{{"id":"to-{prefix}","kind":"flat_rate","applies_to":{{"callee":["{prefix}"]}},
                "terms":{{"per_minute":"0.02","minutes":"pro_rata"}}}}"#
        )
    });
    let mut world = World::with(&settings("alice", ""), &prefixes);
    world.limits.day_groups_max = 2;
    let to = |id: &str, callee: &str| {
        let mut ended = ten_past_nine(id, 1);
        ended.call.callee = read(callee);
        ended
    };
    let taken = world.take(&[to("a", "1"), to("b", "2"), to("c", "3"), to("d", "1")]);
    assert_eq!(counts(&taken.intake), [4, 3, 0, 0, 1, 0], "the third group is one too many");
    let reason = parked(&mut world, &to("e", "3"));
    assert_eq!(reason, ParkReason::TooManyGroups { day: read("2026-03-10"), max: 2 });
    let mut tomorrow = to("f", "3");
    tomorrow.call.start = read("2026-03-11T00:00:00Z");
    assert!(matches!(world.take(&[tomorrow]).receipts[..], [Receipt::Recorded { .. }]));
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
fn a_call_that_no_strategy_charges_for_is_parked() {
    let only_inbound = r#"{"id":"calls","kind":"flat_rate","applies_to":{"directions":["inbound"]},
        "terms":{"per_minute":"0.02","minutes":"pro_rata"}}"#;
    let mut world = World::with(&settings("alice", ""), &[only_inbound.into()]);
    let reason = parked(&mut world, &ten_past_nine("a", 1));
    assert_eq!(reason, ParkReason::NoPrice { plan: read("basic"), version: 1 });
}

#[test]
fn a_plan_that_cannot_be_built_here_parks_what_arrives() {
    let own = book(Scope::Stretch, counted, |_, _| Ok(()));
    let mut world = World::with_book(own, &settings("alice", ""), &[strategy("own", "{}")]);
    world.book = billing_core::plan::PlanBook::standard();
    let (plan, version) = (read("basic"), 1);
    let why = "strategy calls is of kind own, which is unknown: known are blocks, flat_rate";
    let expected = ParkReason::PlanUnavailable { plan, version, why: why.into() };
    assert_eq!(parked(&mut world, &ten_past_nine("a", 1)), expected);
    let batch = batch(&[ten_past_nine("b", 1)]);
    let mut facts = world.ingest_facts(&batch);
    facts.plans.clear();
    let taken = decide::ingest(facts, &batch, world.limits, world.now).unwrap();
    let (plan, why) = (read("basic"), "it was not loaded".into());
    let reason = ParkReason::PlanUnavailable { plan, version, why };
    assert_eq!(taken.receipts, [Receipt::Parked(reason)]);
}

fn no_price(_: &Arrival<'_>) -> Result<Priced, Problem> {
    Err(Problem("there is no rate for this destination".into()))
}

#[test]
fn a_strategy_that_cannot_price_an_item_parks_it() {
    let own = book(Scope::Stretch, no_price, |_, _| Ok(()));
    let strategies = [flat_rate("0.02", "pro_rata"), named("fees", "own", "{}")];
    let mut world = World::with_book(own, &settings("alice", ""), &strategies);
    let (strategy, why) = (read("fees"), "there is no rate for this destination".into());
    let reason = parked(&mut world, &ten_past_nine("a", 1));
    assert_eq!(reason, ParkReason::Unpriceable { strategy, why });
    assert_eq!(world.totals.len(), 0, "the other strategy has no part of it either");
}

#[test]
fn a_duration_beyond_every_quantity_is_parked() {
    let mut world = alice();
    world.limits.call_duration_ms_max = u64::MAX;
    let reason = parked(&mut world, &ten_past_nine("a", u64::MAX));
    assert!(matches!(reason, ParkReason::Unpriceable { .. }), "{reason}");
    let most = ten_past_nine("b", 999_999_999_999_999_999);
    assert_eq!(world.take(&[most]).receipts, [recorded(3)]);
    let reason = parked(&mut world, &ten_past_nine("c", 1));
    assert!(matches!(reason, ParkReason::TotalOutOfBounds { .. }), "{reason}");
    let other_day = call("d", "2026-03-11T09:10:00Z", 1);
    assert_eq!(world.take(&[other_day]).receipts, [recorded(4)], "another day has room");
}

#[test]
fn a_day_that_is_full_parks_within_a_batch_too() {
    let mut world = alice();
    world.limits.call_duration_ms_max = u64::MAX;
    let full = 999_999_999_999_999_999;
    let taken = world.take(&[ten_past_nine("a", full), ten_past_nine("b", 1)]);
    assert_eq!(counts(&taken.intake), [2, 1, 0, 0, 1, 0]);
    assert_eq!(taken.writes.totals[0].totals.quantity, read("999999999999999999"));
}

#[test]
fn a_count_that_is_full_parks() {
    let world = alice();
    let batch = batch(&[ten_past_nine("a", 1)]);
    let mut facts = world.ingest_facts(&batch);
    let key = TotalKey {
        account: read("alice"),
        day: read("2026-03-10"),
        assignment: 1,
        strategy: read("calls"),
        group: read("calls"),
        revision: 1,
    };
    let (day, totals) = (key.day, Totals { count: i64::MAX, quantity: read("1"), amount: None });
    let (unit, currency) = (read("ms"), read("EUR"));
    let total = DayTotal { key, unit, currency, totals, closed: false, billed: false };
    let open = OpenDay::of(vec![total]);
    drop(facts.days.insert((read("alice"), day), open));
    let taken = decide::ingest(facts, &batch, world.limits, world.now).unwrap();
    let why = "a count of items left the range of 64 bits".into();
    let reason = ParkReason::TotalOutOfBounds { why };
    assert_eq!(taken.receipts, [Receipt::Parked(reason)]);
}

/// Gives an amount for long calls alone, against the rule.
fn sometimes(arrival: &Arrival<'_>) -> Result<Priced, Problem> {
    let priced = counted(arrival)?;
    let amount = (priced.totals.quantity > read("10")).then(|| read("0.1"));
    Ok(Priced::new(priced.unit, Totals { amount, ..priced.totals }))
}

#[test]
fn a_strategy_prices_every_item_on_arrival_or_none() {
    let own = book(Scope::Stretch, sometimes, |_, _| Ok(()));
    let mut world = World::with_book(own, &settings("alice", ""), &[strategy("own", "{}")]);
    assert_eq!(world.take(&[ten_past_nine("a", 11)]).receipts, [recorded(3)]);
    let reason = parked(&mut world, &ten_past_nine("b", 10));
    assert!(reason.to_string().ends_with("one of two totals has an amount"), "{reason}");
}

#[test]
fn a_parked_item_is_recorded_once_its_account_is_open() {
    let mut world = World::empty();
    let call = ten_past_nine("a", 61_000);
    assert_eq!(parked(&mut world, &call), ParkReason::UnknownAccount);
    world.open(&settings("alice", ""));
    let day = read("2026-03-10");
    assert_eq!(parked_again(&mut world, &call), ParkReason::NoPlan { day });
    world.save(plan(1, &[flat_rate("0.02", "pro_rata")]));
    world.assign(&read("alice"), 1, "2026-03-10").unwrap();
    assert_eq!(world.ingest(&labelled("third", &call)).unwrap().receipts, [recorded(3)]);
    assert_eq!(world.parked.len(), 0);
    assert_eq!(world.ingest(&labelled("fourth", &call)).unwrap().receipts, [replayed(3)]);
}

fn labelled(label: &str, call: &CallEnded) -> Batch {
    Batch { label: label.into(), ..batch(slice::from_ref(call)) }
}

fn parked_again(world: &mut World, call: &CallEnded) -> ParkReason {
    let receipts = world.ingest(&labelled("again", call)).unwrap().receipts;
    let [Receipt::Parked(reason)] = receipts.as_slice() else { panic!("{receipts:?}") };
    reason.clone()
}

#[test]
fn a_parked_item_may_come_again_with_other_content() {
    let mut world = alice();
    let mut broken = ten_past_nine("a", 61_000);
    broken.account = Some(read("alcie"));
    assert_eq!(parked(&mut world, &broken), ParkReason::UnknownAccount);
    let mended = world.take(&[ten_past_nine("a", 62_000)]);
    assert_eq!(mended.receipts, [recorded(3)], "what is parked is not claimed");
    assert_eq!(mended.writes.unparked, [broken.key.clone()]);
    assert_eq!(world.parked.len(), 0);
    let receipts = world.ingest(&labelled("again", &broken)).unwrap().receipts;
    assert!(matches!(receipts[..], [Receipt::Conflict { .. }]), "{receipts:?}");
}

#[test]
fn an_item_stays_parked_since_it_came_first() {
    let mut world = alice();
    let mut broken = ten_past_nine("a", 61_000);
    broken.account = Some(read("alcie"));
    let first = world.now;
    drop(parked(&mut world, &broken));
    world.now = read("2027-01-01T00:00:00Z");
    let again = world.ingest(&labelled("again", &broken)).unwrap();
    assert_eq!(without_intake(again.writes), Writes::default(), "nothing about it is new");
    broken.call.duration_ms = 62_000;
    let changed = world.ingest(&labelled("changed", &broken)).unwrap();
    assert_eq!(changed.writes.parked[0].incoming, Incoming::from(broken.clone()));
    assert_eq!(changed.writes.parked[0].since, first);
}

#[test]
fn the_last_of_several_parked_versions_is_kept() {
    let broken = |ms| {
        let mut broken = ten_past_nine("a", ms);
        broken.account = Some(read("alcie"));
        broken
    };
    for before in [None, Some(1), Some(2), Some(3)] {
        let mut world = alice();
        if let Some(ms) = before {
            drop(parked(&mut world, &broken(ms)));
        }
        let taken = world.take(&[broken(1), broken(2)]);
        assert_eq!(counts(&taken.intake), [2, 0, 0, 0, 2, 0]);
        let kept = &world.parked[&broken(2).key].incoming;
        assert_eq!(*kept, Incoming::from(broken(2)), "{before:?} was parked before");
        let mended = world.take(&[broken(4), ten_past_nine("a", 5), broken(6)]);
        assert_eq!(counts(&mended.intake), [3, 1, 0, 1, 1, 0]);
        assert_eq!(world.parked.len(), 0, "what is recorded is not parked");
    }
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
    let taken = world.take(&[]);
    assert_eq!(counts(&taken.intake), [0; 6]);
    assert_eq!(without_intake(taken.writes), Writes::default());
}

#[test]
fn a_journal_without_numbers_takes_nothing_in() {
    let mut world = World::with(
        &settings("alice", ""),
        &[flat_rate("0.02", "pro_rata"), named("more", "flat_rate", RATE)],
    );
    for (last, fits) in [(u64::MAX, false), (u64::MAX - 1, false), (u64::MAX - 2, true)] {
        let id = read("alice");
        world.accounts.get_mut(&id).unwrap().head = Head { seq: last, chain: Digest::ZERO };
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

#[test]
fn an_item_under_two_strategies_has_two_postings() {
    let mut world = World::with(
        &settings("alice", ""),
        &[blocks("period", "0.2"), named("minutes", "flat_rate", MINUTE)],
    );
    let taken = world.take(&[ten_past_nine("a", 61_000), ten_past_nine("b", 30_000)]);
    assert_eq!(taken.receipts, [recorded(3), recorded(5)]);
    let postings: Vec<_> = taken
        .writes
        .postings
        .iter()
        .map(|p| (p.seq, p.item.id.as_str(), p.strategy.as_str(), p.totals.quantity.to_string()))
        .collect();
    let expected = [
        (3, "a", "calls", "61000"),
        (4, "a", "minutes", "2"),
        (5, "b", "calls", "30000"),
        (6, "b", "minutes", "1"),
    ];
    assert_eq!(postings, expected.map(|(n, id, s, q)| (n, id, s, q.to_owned())));
    assert!(taken.writes.items.iter().all(|item| item.postings == 2));
    let totals = taken.writes.totals.iter();
    let totals: Vec<_> =
        totals.map(|total| (total.key.strategy.as_str(), total.totals.quantity)).collect();
    assert_eq!(totals, [("calls", read("91000")), ("minutes", read("3"))]);
    let again = world.ingest(&labelled("again", &ten_past_nine("b", 30_000))).unwrap();
    assert_eq!(again.receipts, [replayed(5)]);
}

#[test]
fn numbers_and_links_go_on_from_batch_to_batch() {
    let mut world = alice();
    world.open(&settings("bob", ""));
    world.assign(&read("bob"), 1, "2026-01-01").unwrap();
    let of = |account: &str, id: &str| {
        let mut call = ten_past_nine(id, 1);
        call.account = Some(read(account));
        call
    };
    drop(world.take(&[of("alice", "a"), of("bob", "b"), of("alice", "c")]));
    drop(world.take(&[of("bob", "d"), of("alice", "a"), of("alice", "e")]));
    for (account, entries) in [("alice", 5), ("bob", 4)] {
        let account: AccountId = read(account);
        let journal = &world.journal[&account];
        let numbers: Vec<u64> = journal.iter().map(JournalEntry::seq).collect();
        assert_eq!(numbers, (1..=entries).collect::<Vec<u64>>());
        let head = journal.iter().fold(Head::EMPTY, Head::append);
        assert_eq!(head, world.accounts[&account].head);
    }
}

#[test]
fn a_link_depends_on_every_field_and_on_the_link_before() {
    let mut world = alice();
    drop(world.take(&[ten_past_nine("a", 61_000)]));
    let original = world.postings()[0].clone();
    let link = original.link(Digest::ZERO);
    assert_ne!(original.link(link), link);
    let change: [fn(&mut Posting); 18] = [
        |p| p.account = read("bob"),
        |p| p.seq = 4,
        |p| p.item.source = read("other"),
        |p| p.item.id = read("other"),
        |p| p.item.leg = Some(read("leg")),
        |p| p.fingerprint.rule = 2,
        |p| p.fingerprint.digest = Digest::ZERO,
        |p| p.day = read("2026-03-11"),
        |p| p.assignment = 2,
        |p| p.strategy = read("other"),
        |p| p.group = read("other"),
        |p| p.day_revision = 2,
        |p| p.rules = 2,
        |p| p.zone_data = "other".into(),
        |p| p.unit = read("min"),
        |p| p.currency = read("CHF"),
        |p| p.totals.count = 2,
        |p| p.totals.amount = Some(read("0")),
    ];
    for (i, change) in change.into_iter().enumerate() {
        let mut other = original.clone();
        change(&mut other);
        assert_ne!(other.link(Digest::ZERO), link, "change {i}");
    }
    for quantity in ["6100", "610000", "61000.1", "-61000"] {
        let mut other = original.clone();
        other.totals.quantity = read(quantity);
        assert_ne!(other.link(Digest::ZERO), link, "quantity {quantity}");
    }
}

#[test]
fn a_day_that_is_invoiced_opens_its_next_revision() {
    let mut world = alice();
    drop(world.take(&[ten_past_nine("a", 60_000)]));
    for (round, expected) in [("b", 2), ("c", 3)] {
        let month = if round == "b" { "2026-04-01" } else { "2026-05-01" };
        assert_eq!(world.issue(&format!("{month}T00:00:00Z")).len(), 1);
        let late =
            world.take(&[ten_past_nine(round, 1_000), ten_past_nine(&format!("{round}2"), 2_000)]);
        let revisions: Vec<u32> = late.writes.postings.iter().map(|p| p.day_revision).collect();
        assert_eq!(revisions, [expected, expected]);
        assert_eq!(late.writes.totals.len(), 1);
        assert_eq!(late.writes.totals[0].totals.quantity, read("3000"), "it begins empty");
        let mut open: Vec<u32> = world.totals.keys().map(|key| key.revision).collect();
        assert_eq!(open.pop(), Some(expected));
    }
    let other_day = world.take(&[call("e", "2026-03-11T09:10:00Z", 1)]);
    assert_eq!(other_day.writes.postings[0].day_revision, 1, "a day without usage is open");
}

#[test]
fn the_open_revision_is_the_one_after_the_last_closed_one() {
    let mut world = alice();
    drop(world.take(&[ten_past_nine("a", 60_000)]));
    let original = world.totals.values().next().unwrap().clone();
    let of = |revision, closed| {
        let mut total = original.clone();
        (total.key.revision, total.closed) = (revision, closed);
        total
    };
    let cases = [
        (vec![], 1, 0),
        (vec![of(1, false)], 1, 1),
        (vec![of(1, true)], 2, 0),
        (vec![of(2, true), of(1, true)], 3, 0),
        (vec![of(2, false), of(1, true)], 2, 1),
    ];
    for (totals, revision, open) in cases {
        let day = OpenDay::of(totals);
        assert_eq!((day.revision, day.totals.len()), (revision, open));
    }
}

#[test]
fn a_call_counts_on_the_day_its_zone_shows() {
    let cases = [
        ("UTC", "2026-03-10T23:59:59.999999Z", "2026-03-10"),
        ("UTC", "2026-03-11T00:00:00Z", "2026-03-11"),
        ("Europe/Berlin", "2026-03-10T22:59:59Z", "2026-03-10"),
        ("Europe/Berlin", "2026-03-10T23:00:00Z", "2026-03-11"),
        ("Europe/Berlin", "2026-07-10T22:00:00Z", "2026-07-11"),
        ("America/New_York", "2026-03-11T03:59:59Z", "2026-03-10"),
        ("Pacific/Kiritimati", "2026-03-10T10:00:00Z", "2026-03-11"),
        ("Asia/Kolkata", "2026-03-10T18:30:00Z", "2026-03-11"),
        ("UTC", "2026-03-31T22:00:00-05:00", "2026-04-01"),
        ("UTC", "2026-04-01T01:00:00+02:00", "2026-03-31"),
    ];
    for (zone, start, day) in cases {
        let mut settings = settings("alice", "");
        settings.zone = read(zone);
        let mut world = World::with(&settings, &[flat_rate("0.02", "pro_rata")]);
        let taken = world.take(&[call("a", start, 86_400_000)]);
        assert_eq!(taken.writes.postings[0].day, read::<Day>(day), "{start} in {zone}");
    }
}

#[test]
fn a_call_is_rated_under_the_plan_of_its_day() {
    let mut world = alice();
    world.save(plan(2, &[flat_rate("0.01", "per_started_minute")]));
    world.assign(&read("alice"), 2, "2026-03-10").unwrap();
    let taken = world.take(&[
        call("a", "2026-03-09T23:59:59Z", 61_000),
        call("b", "2026-03-10T00:00:00Z", 61_000),
    ]);
    let postings = taken.writes.postings.iter();
    let rated: Vec<_> = postings.map(|p| (p.assignment, p.unit.as_str())).collect();
    assert_eq!(rated, [(1, "ms"), (2, "min")]);
}

#[test]
fn the_first_and_the_last_instant_are_answered() {
    let mut settings = settings("alice", "");
    settings.anchor = document(r#"{"from":"2026-01-02","months":1}"#);
    let mut world = World::with(&settings, &[flat_rate("0.02", "pro_rata")]);
    for (id, start) in [("first", Instant::MIN), ("last", Instant::MAX)] {
        world.limits.item_future_ms_max = u64::MAX;
        let mut ended = ten_past_nine(id, u64::MAX);
        ended.call.start = start;
        let reason = parked(&mut world, &ended);
        assert!(matches!(reason, ParkReason::TooLong { .. }), "{reason}");
        world.limits.call_duration_ms_max = u64::MAX;
        let reason = parked_again(&mut world, &ended);
        let expected = match id {
            "first" => ParkReason::NoPlan { day: read("0001-01-02") },
            _ => ParkReason::OutOfCalendar { day: read("9999-12-29") },
        };
        assert_eq!(reason, expected);
        world.limits = Limits::default();
    }
}
