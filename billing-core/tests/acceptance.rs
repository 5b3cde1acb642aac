//! How far from the clock an item may be dated, and whose one call may be.

#[expect(dead_code, reason = "each file of tests is a crate of its own, which uses a part")]
mod common;

use billing_core::{
    decide::{Limits, ParkReason, Receipt},
    item::Incoming,
    time::Instant,
};
use common::{
    call, flat_rate, one_off, per_unit, pulse, read, said::total, settings, taken::recorded,
    world::World,
};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

fn alice() -> World {
    let strategies = [flat_rate("0.02", "pro_rata"), per_unit("1")];
    World::under(&strategies)
}

/// One item of each kind, dated at an instant.
fn each_kind(at: &str) -> [Incoming; 3] {
    [
        call("call", at, 0).into(),
        pulse("pulse", at, "1").into(),
        one_off("charge", at, "set-up", "1").into(),
    ]
}

/// Where an instant lies beside the window.
#[derive(Clone, Copy)]
enum Dated {
    Behind,
    Within,
    Ahead,
}

#[test]
fn an_item_may_be_dated_as_far_from_the_clock_as_was_agreed_and_no_further() {
    let (behind, ahead) = (3_600_000, 60_000);
    let cases = [
        ("2026-03-10T11:00:00Z", Dated::Within),
        ("2026-03-10T10:59:59.999999Z", Dated::Behind),
        ("2026-03-10T12:00:00Z", Dated::Within),
        ("2026-03-10T12:01:00Z", Dated::Within),
        ("2026-03-10T12:01:00.000001Z", Dated::Ahead),
        ("2026-03-10T13:01:00+01:00", Dated::Within),
    ];
    for (at, dated) in cases {
        let mut world = alice();
        world.now = read("2026-03-10T12:00:00Z");
        (world.limits.item_past_ms_max, world.limits.item_future_ms_max) = (behind, ahead);
        let instant: Instant = read(at);
        let reason = match dated {
            Dated::Within => None,
            Dated::Behind => Some(ParkReason::TooFarBack { at: instant, max_ms: behind }),
            Dated::Ahead => Some(ParkReason::TooFarAhead { at: instant, max_ms: ahead }),
        };
        for receipt in world.take(&each_kind(at)).receipts {
            match &reason {
                None => assert!(matches!(receipt, Receipt::Recorded { .. }), "{at}: {receipt:?}"),
                Some(reason) => assert_eq!(receipt, Receipt::Parked(reason.clone()), "{at}"),
            }
        }
    }
}

#[test]
fn a_call_must_be_over_as_soon_as_it_may_be_dated() {
    let mut world = alice();
    world.now = read("2026-03-10T12:00:00Z");
    world.limits.item_future_ms_max = 60_000;
    // Both began in time; the second says that it goes on for a microsecond too long.
    let calls = [
        call("a", "2026-03-10T11:00:00Z", 3_660_000),
        call("b", "2026-03-10T11:00:00.000001Z", 3_660_000),
    ];
    let receipts = world.take(&calls).receipts;
    assert!(matches!(receipts[0], Receipt::Recorded { .. }), "{receipts:?}");
    let at = read("2026-03-10T12:01:00.000001Z");
    let reason = ParkReason::TooFarAhead { at, max_ms: 60_000 };
    assert_eq!(receipts[1], Receipt::Parked(reason));
}

#[test]
fn a_window_of_nothing_takes_what_happens_now() {
    let mut world = alice();
    world.now = read("2026-03-10T12:00:00Z");
    (world.limits.item_past_ms_max, world.limits.item_future_ms_max) = (0, 0);
    assert_eq!(world.take(&each_kind("2026-03-10T12:00:00Z")).intake.recorded, 3);
}

#[test]
fn a_window_without_an_end_reaches_over_the_whole_calendar() {
    let mut world = alice();
    (world.limits.item_past_ms_max, world.limits.item_future_ms_max) = (u64::MAX, u64::MAX);
    for (at, plan) in [("0001-01-03T00:00:00Z", false), ("9000-01-01T00:00:00Z", true)] {
        let [ended, ..] = each_kind(at);
        let receipts = world.take(&[ended]).receipts;
        let no_plan = matches!(receipts[..], [Receipt::Parked(ParkReason::NoPlan { .. })]);
        assert_eq!(no_plan, !plan, "{at}: {receipts:?}");
    }
}

#[test]
fn a_year_behind_and_a_day_ahead_are_taken_unless_something_else_was_agreed() {
    let limits = Limits::default();
    let agreed = (limits.item_past_ms_max, limits.item_future_ms_max);
    assert_eq!(agreed, (366 * DAY_MS, DAY_MS));
    let reason = ParkReason::TooFarBack { at: read("2026-03-10T12:00:00Z"), max_ms: 1_000 };
    let told = "the item is dated 2026-03-10T12:00:00Z, more than 1000 ms behind the clock";
    assert_eq!(reason.to_string(), told);
}

#[test]
fn an_item_that_is_too_old_is_taken_once_somebody_allows_it() {
    let mut world = alice();
    world.limits.item_past_ms_max = DAY_MS;
    world.now = read("2026-03-12T12:00:00Z");
    let old = call("a", "2026-03-10T12:00:00Z", 60_000);
    assert_eq!(world.take(std::slice::from_ref(&old)).intake.parked, 1);
    world.limits.item_past_ms_max = u64::MAX;
    assert_eq!(world.take(&[old]).receipts, [recorded(3)]);
    assert_eq!(world.parked.len(), 0);
}

#[test]
fn one_call_may_have_a_payer_on_each_leg() {
    let mut world = alice();
    world.open(&settings("bob", ""));
    world.assign(&read("bob"), 1, "2026-01-01").unwrap();
    let of = |account: &str, leg: Option<&str>, ms: u64| {
        let mut ended = call("a", "2026-03-10T12:00:00Z", ms);
        (ended.account, ended.key.leg) = (Some(read(account)), leg.map(read));
        ended
    };
    // Alice called, and bob pays for the forwarded part.
    let calls = [of("alice", None, 600_000), of("bob", Some("forwarder"), 120_000)];
    let taken = world.take(&calls);
    let expected = [("alice", 3), ("bob", 3)];
    let recorded = |(account, first_seq)| Receipt::Recorded { account: read(account), first_seq };
    assert_eq!(taken.receipts, expected.map(recorded));
    let again = world.take(&[of("bob", Some("forwarder"), 120_000), of("bob", None, 120_000)]);
    let [Receipt::Replayed { .. }, Receipt::Conflict { .. }] = again.receipts.as_slice() else {
        panic!("the leg of bob is known, and that without one is of alice: {:?}", again.receipts)
    };
    let as_of = "2026-04-01T00:00:00Z";
    assert_eq!(total(&world.issue_of("alice", as_of).unwrap()), read("0.2"));
    assert_eq!(total(&world.issue_of("bob", as_of).unwrap()), read("0.04"));
}

#[test]
fn the_payers_of_one_call_may_be_the_same_account() {
    let mut world = alice();
    let mut second = call("a", "2026-03-10T12:00:00Z", 60_000);
    second.key.leg = Some(read("b"));
    world.record(&[call("a", "2026-03-10T12:00:00Z", 60_000), second]);
    assert_eq!(total(&world.issue("2026-04-01T00:00:00Z")), read("0.04"));
}
