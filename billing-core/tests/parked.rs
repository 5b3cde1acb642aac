//! What cannot be rated is kept with its reason until it is mended.
#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::panic, reason = "a test may panic")]

#[expect(dead_code, reason = "each file of tests is a crate of its own, which uses a part")]
mod common;

use core::slice;

use billing_core::{
    decide::{self, Days, Dropped, Limits, OpenDay, ParkReason, Receipt, Writes},
    item::{CallEnded, Incoming},
    plan::{Arrival, Priced, Problem},
    time::Instant,
    usage::{DayTotal, Scope, TotalKey, Totals},
};
use common::{
    batch, call, document, flat_rate, labelled, named,
    own::{book, counted},
    partial, per_unit, plan, pulse, read, settings, strategy,
    taken::{alice, counts, parked, recorded, replayed, ten_past_nine, without_intake},
    world::World,
};

#[test]
fn what_cannot_be_rated_is_parked_with_its_reason() {
    let mut world = alice();
    let (item_future_ms_max, item_past_ms_max) = (u64::MAX, u64::MAX);
    world.limits = Limits {
        call_duration_ms_max: 3_600_000,
        item_future_ms_max,
        item_past_ms_max,
        ..Limits::default()
    };
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
    let ended = ten_past_nine("a", 0);
    let at = ended.call.start;
    assert_eq!(parked(&mut world, &ended), ParkReason::TooFarAhead { at, max_ms: 1_000 });
    world.now = read("2026-03-10T09:09:59Z");
    let later = world.ingest(&labelled("later", &[ended])).unwrap();
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
    let mut world = World::under(&prefixes);
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
fn an_item_under_several_strategies_may_not_bring_more_groups_than_a_day_may_have() {
    // Two strategies claim each call; the second day has room for one group more alone.
    let more = named("more", "flat_rate", r#"{"per_minute":"1","minutes":"pro_rata"}"#);
    let strategies = [flat_rate("0.02", "pro_rata"), more, per_unit("1")];
    let cases = [(0, 0), (1, 0), (2, 1), (3, 1)];
    for (max, recorded) in cases {
        let mut world = World::under(&strategies);
        world.limits.day_groups_max = max;
        let taken = world.take(&[ten_past_nine("a", 1)]);
        assert_eq!(taken.intake.recorded, recorded, "{max} groups");
        assert!(world.totals.len() <= max, "{max} groups");
    }
    let mut world = World::under(&strategies);
    world.limits.day_groups_max = 2;
    world.record(&[pulse("p", "2026-03-10T09:10:00Z", "1")]);
    let reason = parked(&mut world, &ten_past_nine("a", 1));
    assert_eq!(reason, ParkReason::TooManyGroups { day: read("2026-03-10"), max: 2 });
    assert_eq!(world.totals.len(), 1, "the first of its groups has no part of it either");
}

#[test]
fn a_record_that_takes_back_needs_no_room_for_what_it_replaces() {
    let mut world = alice();
    world.limits.day_groups_max = 1;
    world.record(&[partial(1, ten_past_nine("a", 1))]);
    world.record(&[partial(2, ten_past_nine("a", 2)), ten_past_nine("a", 3)]);
    drop(world.hand_over("alice", Days::All));
    let taken = world.take(&[partial(1, ten_past_nine("b", 1)), ten_past_nine("b", 2)]);
    assert_eq!(counts(&taken.intake), [2, 2, 0, 0, 0, 0], "in the next revision too");
}

#[test]
fn a_parked_item_that_somebody_drops_is_kept_with_the_reason_and_may_come_again() {
    let mut world = alice();
    let mut strangers = ten_past_nine("a", 61_000);
    strangers.account = None;
    drop(parked(&mut world, &strangers));
    let waiting = world.parked[&strangers.key].clone();
    let writes = decide::drop_parked(waiting.clone(), "a test call".into(), world.now);
    world.apply(&writes);
    assert_eq!((world.parked.len(), world.items.len()), (0, 0));
    let dropped = Dropped { parked: waiting, reason: "a test call".into(), at: world.now };
    assert_eq!(world.dropped, [dropped]);
    let again = world.ingest(&labelled("again", &[ten_past_nine("a", 61_000)])).unwrap();
    assert_eq!(again.receipts, [recorded(3)], "it was never claimed");
}

#[test]
fn a_call_that_no_strategy_charges_for_is_parked() {
    let only_inbound = r#"{"id":"calls","kind":"flat_rate","applies_to":{"directions":["inbound"]},
        "terms":{"per_minute":"0.02","minutes":"pro_rata"}}"#;
    let mut world = World::under(&[only_inbound.into()]);
    let reason = parked(&mut world, &ten_past_nine("a", 1));
    assert_eq!(reason, ParkReason::NoPrice { plan: read("basic"), version: 1 });
}

#[test]
fn a_plan_that_cannot_be_built_here_parks_what_arrives() {
    let own = book(Scope::Stretch, counted, |_, _| Ok(()));
    let mut world = World::with_book(own, &settings("alice", ""), &[strategy("own", "{}")]);
    world.book = billing_core::plan::PlanBook::standard();
    let (plan, version) = (read("basic"), 1);
    let why = "strategy calls is of kind own, which is unknown: \
               known are blocks, flat_rate, per_unit, prepaid, recurring, tariff, unpriced";
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
    (world.limits.call_duration_ms_max, world.limits.item_future_ms_max) = (u64::MAX, u64::MAX);
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
    (world.limits.call_duration_ms_max, world.limits.item_future_ms_max) = (u64::MAX, u64::MAX);
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
    let total =
        DayTotal { key, unit, currency, totals, closed: false, billed: false, handed: false };
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
    assert_eq!(
        world.ingest(&labelled("third", slice::from_ref(&call))).unwrap().receipts,
        [recorded(3)]
    );
    assert_eq!(world.parked.len(), 0);
    assert_eq!(
        world.ingest(&labelled("fourth", slice::from_ref(&call))).unwrap().receipts,
        [replayed(3)]
    );
}

fn parked_again(world: &mut World, call: &CallEnded) -> ParkReason {
    let receipts = world.ingest(&labelled("again", slice::from_ref(call))).unwrap().receipts;
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
    let receipts = world.ingest(&labelled("again", slice::from_ref(&broken))).unwrap().receipts;
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
    let again = world.ingest(&labelled("again", slice::from_ref(&broken))).unwrap();
    assert_eq!(without_intake(again.writes), Writes::default(), "nothing about it is new");
    broken.call.duration_ms = 62_000;
    let changed = world.ingest(&labelled("changed", slice::from_ref(&broken))).unwrap();
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
fn the_first_and_the_last_instant_are_answered() {
    let mut settings = settings("alice", "");
    settings.anchor = document(r#"{"from":"2026-01-02","months":1}"#);
    let mut world = World::with(&settings, &[flat_rate("0.02", "pro_rata")]);
    for (id, start) in [("first", Instant::MIN), ("last", Instant::MAX)] {
        world.limits.item_future_ms_max = u64::MAX;
        world.limits.item_past_ms_max = u64::MAX;
        let mut ended = ten_past_nine(id, u64::MAX);
        ended.call.start = start;
        let reason = parked(&mut world, &ended);
        assert!(matches!(reason, ParkReason::TooLong { .. }), "{reason}");
        (world.limits.call_duration_ms_max, world.limits.item_future_ms_max) = (u64::MAX, u64::MAX);
        let reason = parked_again(&mut world, &ended);
        let expected = match id {
            "first" => ParkReason::NoPlan { day: read("0001-01-02") },
            _ => ParkReason::OutOfCalendar { day: read("9999-12-29") },
        };
        assert_eq!(reason, expected);
        world.limits = Limits::default();
    }
}
