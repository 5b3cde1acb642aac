//! Bills that cannot be drawn up, so that nothing is issued and nothing is lost.
#![expect(clippy::panic_in_result_fn, reason = "a test may panic")]
#![expect(clippy::unnecessary_wraps, reason = "strategies have the signatures of the trait")]

#[expect(dead_code, reason = "each file of tests is a crate of its own, which uses a part")]
mod common;

use std::sync::Arc;

use billing_core::{
    decide::{self, BillError, Receipt},
    item::Direction,
    money::{Exact, MoneyError},
    plan::{Bill, PlanBook, Problem, StretchFacts},
    time::Instant,
    usage::{Scope, TotalsError},
};
use common::{
    call, flat_rate, named,
    own::{Settle, book, counted, own},
    plan, read, settings, strategy,
    world::World,
};

const RATE: &str = r#"{"per_minute":"0.02","minutes":"pro_rata"}"#;

fn forgetful(_: &StretchFacts, _: &mut Bill) -> Result<(), Problem> {
    Ok(())
}

fn twice(facts: &StretchFacts, bill: &mut Bill) -> Result<(), Problem> {
    for group in facts.usage.keys() {
        bill.charge(group.clone(), Exact::from_integer(1), String::new());
        bill.charge(group.clone(), Exact::from_integer(1), String::new());
    }
    Ok(())
}

fn only_the_first(facts: &StretchFacts, bill: &mut Bill) -> Result<(), Problem> {
    for group in facts.usage.keys().take(1) {
        bill.charge(group.clone(), Exact::from_integer(1), String::new());
    }
    assert_eq!(bill.charges().len(), facts.usage.len().min(1));
    Ok(())
}

fn two_fees(_: &StretchFacts, bill: &mut Bill) -> Result<(), Problem> {
    for _ in 0_u8..2 {
        bill.charge(read("fee"), Exact::from_integer(1), String::new());
    }
    Ok(())
}

#[test]
fn every_group_with_usage_is_charged_exactly_once() {
    let cases: [(Settle, &str, usize); 4] = [
        (forgetful, "inbound", 0),
        (twice, "inbound", 2),
        (only_the_first, "outbound", 0),
        (two_fees, "fee", 2),
    ];
    for (settle, group, times) in cases {
        let mut world = own(Scope::Stretch, settle);
        let mut inbound = call("in", "2026-03-10T00:00:00Z", 1);
        inbound.call.direction = Direction::Inbound;
        let calls = [inbound, call("out", "2026-03-10T00:00:00Z", 1)];
        // Without usage there is nothing to forget.
        let calls = if group == "fee" { &[][..] } else { &calls };
        drop(world.take(calls));
        let error = BillError::Charges { strategy: read("calls"), group: read(group), times };
        assert_eq!(world.bill_of("alice", "2026-03-31T00:00:00Z"), Err(error.clone()));
        let stored = format!("{world:?}");
        assert_eq!(world.issue_of("alice", "2026-04-01T00:00:00Z"), Err(error));
        assert_eq!(format!("{world:?}"), stored, "nothing is issued");
    }
}

#[test]
fn a_strategy_that_cannot_settle_parks_the_bill() {
    let mut world = own(Scope::Stretch, |_, _| Err(Problem("no rate is known".into())));
    world.calls(&[("a", "2026-03-10T00:00:00Z", 1)]);
    let error = world.bill_of("alice", "2026-03-31T00:00:00Z").unwrap_err();
    assert_eq!(error.to_string(), "strategy calls cannot settle: no rate is known");
}

#[test]
fn usage_of_a_strategy_its_plan_does_not_have_is_never_lost() {
    let mut world = World::under(&[flat_rate("0.02", "pro_rata")]);
    world.calls(&[("a", "2026-03-10T00:00:00Z", 60_000)]);
    let (at, series) = (read("2026-04-01T00:00:00Z"), read("2026"));
    let mut facts = world.bill_facts(&read("alice"), at);
    let other = world.book.build(plan(1, &[named("other", "flat_rate", RATE)])).unwrap();
    facts.plans.values_mut().for_each(|plan| *plan = Ok(Arc::new(other.clone())));
    let error = decide::bill(&facts, at).unwrap_err();
    assert_eq!(error, BillError::Orphaned { strategy: read("calls"), count: 1 });
    assert_eq!(decide::issue(&facts, at, &series, 0, world.now).unwrap_err(), error);
}

#[test]
fn a_document_that_was_exchanged_behind_the_account_holds_its_bill() {
    let mut world = World::under(&[flat_rate("0.02", "pro_rata")]);
    world.calls(&[("a", "2026-03-10T00:00:00Z", 60_000)]);
    drop(world.specs.insert((read("basic"), 1), plan(1, &[flat_rate("2", "pro_rata")])));
    let error = world.bill_of("alice", "2026-03-31T00:00:00Z").unwrap_err();
    let why = "the document of plan basic version 1 is not the one that was assigned";
    assert!(error.to_string().ends_with(why), "{error}");
    let receipts = world.take(&[call("b", "2026-03-10T00:00:00Z", 1)]).receipts;
    let [Receipt::Parked(reason)] = receipts.as_slice() else { panic!("{receipts:?}") };
    assert!(reason.to_string().ends_with(why), "{reason}");
}

#[test]
fn usage_without_a_plan_is_never_lost() {
    let mut world = World::under(&[flat_rate("0.02", "pro_rata")]);
    world.calls(&[("a", "2026-03-10T00:00:00Z", 60_000)]);
    let at: Instant = read("2026-03-31T00:00:00Z");
    let facts = world.bill_facts(&read("alice"), at);
    let mut of_other_assignment = facts.clone();
    of_other_assignment.unbilled[0].key.assignment = 2;
    let mut early = facts;
    early.account.assignments[0].from = read("2026-03-11");
    for facts in [of_other_assignment, early] {
        let error = decide::bill(&facts, at).unwrap_err();
        assert_eq!(error, BillError::NoPlan { day: read("2026-03-10") });
    }
}

#[test]
fn a_plan_that_cannot_be_built_holds_what_it_may_have_a_part_of_and_nothing_before() {
    let own = book(Scope::Stretch, counted, forgetful);
    let mut world = World::with_book(own, &settings("alice", ""), &[flat_rate("0.02", "pro_rata")]);
    world.change("2026-05-10", &[strategy("own", "{}")]);
    world.calls(&[("a", "2026-03-10T00:00:00Z", 60_000), ("b", "2026-04-10T00:00:00Z", 60_000)]);
    world.book = PlanBook::standard();
    assert_eq!(world.issue("2026-04-15T00:00:00Z").len(), 1, "March");
    // What May asks for in advance would stand on the invoice of April.
    let error = world.issue_of("alice", "2026-05-01T00:00:00Z").unwrap_err();
    let BillError::PlanUnavailable { version, why, .. } = error else { panic!("{error}") };
    assert_eq!(version, 2);
    assert!(why.contains("kind own, which is unknown"), "{why}");
    let mut facts = world.bill_facts(&read("alice"), read("2026-04-15T00:00:00Z"));
    facts.plans.clear();
    let error = decide::bill(&facts, read("2026-04-15T00:00:00Z")).unwrap_err();
    assert_eq!(error.to_string(), "plan basic version 1 cannot be used here: it was not loaded");
}

#[test]
fn sums_that_leave_their_bounds_park_the_bill() {
    let full = 999_999_999_999_999_999;
    let mut world = World::under(&[flat_rate("0.02", "pro_rata")]);
    (world.limits.call_duration_ms_max, world.limits.item_future_ms_max) = (u64::MAX, u64::MAX);
    world.calls(&[("a", "2026-03-10T00:00:00Z", full)]);
    assert_eq!(world.bill("2026-03-31T00:00:00Z")[0].taxed.total, read("333333333333.33"));
    world.calls(&[("b", "2026-03-11T00:00:00Z", 1)]);
    let error = world.bill_of("alice", "2026-03-31T00:00:00Z").unwrap_err();
    assert!(matches!(error, BillError::Totals(TotalsError::Money(_))), "{error}");
    let terms = r#"{"block_ms":1,"per_block":"999","scope":"call"}"#;
    let mut world = World::under(&[strategy("blocks", terms)]);
    (world.limits.call_duration_ms_max, world.limits.item_future_ms_max) = (u64::MAX, u64::MAX);
    world.calls(&[("a", "2026-03-10T00:00:00Z", full)]);
    let error = world.bill_of("alice", "2026-03-31T00:00:00Z").unwrap_err();
    assert!(matches!(error, BillError::Money(MoneyError::OutOfBounds { .. })), "{error}");
}

/// Charges the reciprocal of a number of 300 digits.
fn unwritable(facts: &StretchFacts, bill: &mut Bill) -> Result<(), Problem> {
    let large = (0_u8..8)
        .fold(Exact::from_integer(10_i128.pow(38).saturating_sub(1)), |large, _| {
            large.mul(&Exact::from_integer(10_i128.pow(38).saturating_sub(1)))
        });
    let tiny = Exact::from_integer(1).checked_div(&large).unwrap_or_else(Exact::zero);
    for group in facts.usage.keys() {
        bill.charge(group.clone(), tiny.clone(), "almost nothing".into());
    }
    Ok(())
}

#[test]
fn an_amount_that_cannot_be_written_down_parks_the_bill() {
    let mut world = own(Scope::Stretch, unwritable);
    world.calls(&[("a", "2026-03-10T00:00:00Z", 1)]);
    let error = world.issue_of("alice", "2026-04-01T00:00:00Z").unwrap_err();
    assert!(error.to_string().starts_with("strategy calls cannot settle: exact number"), "{error}");
}
