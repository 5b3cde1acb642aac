//! What an account pays otherwise than its plan says.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[expect(dead_code, reason = "each file of tests is a crate of its own, which uses a part")]
mod common;

use billing_core::{
    decide::{AssignError, ParkReason, Receipt},
    event::{Happened, JournalEntry},
    plan::{BuildPlanError, PlanBook, PlanSpec, UnknownStrategy},
    terms::{InvalidOverrides, Overrides},
};
use common::{
    call, document, fee, flat_rate, named, plan, prepaid, read,
    said::{charged, expected, only, said, total},
    settings,
    world::World,
};
use serde_json::Value;

/// The terms of an account's own.
fn own(json: &str) -> Overrides {
    document(json)
}

fn basic() -> PlanSpec {
    plan(1, &[flat_rate("0.02", "pro_rata"), fee("fee", "30", "in_arrears", "days")])
}

/// Accounts with plan `basic` and terms of their own, none of which used anything.
fn accounts(terms: &[(&str, &str)]) -> World {
    let mut world = World::empty();
    world.save(basic());
    for (id, overrides) in terms {
        world.open(&settings(id, ""));
        world.assign_with(&read(id), 1, "2026-01-01", &own(overrides)).unwrap();
    }
    world
}

#[test]
fn one_account_may_pay_less_than_another_under_the_same_plan() {
    let cases = [
        ("alice", "{}", "0.2", "30"),
        ("bob", r#"{"calls":{"per_minute":"0.015"}}"#, "0.15", "30"),
        ("carol", r#"{"fee":{"per_period":"0"}}"#, "0.2", "0"),
        ("dave", r#"{"fee":{"per_period":"31"},"calls":{"per_minute":"0"}}"#, "0", "31"),
        ("erin", r#"{"calls":{"minutes":"per_started_minute","per_minute":"1"}}"#, "10", "30"),
        ("frank", r#"{"calls":{"per_minute":"0.02"}}"#, "0.2", "30"),
    ];
    let terms: Vec<_> = cases.iter().map(|(id, overrides, ..)| (*id, *overrides)).collect();
    let mut world = accounts(&terms);
    for (id, _, talk, fee) in cases {
        let mut ended = call(id, "2026-01-10T12:00:00Z", 599_999);
        ended.account = Some(read(id));
        world.record(&[ended]);
        let invoice = only(world.issue_of(id, "2026-02-01T00:00:00Z").unwrap());
        let lines = &invoice.draft.lines;
        assert_eq!(lines[0].amount, read(talk), "{id}");
        let found = lines.get(1).map_or(read("0"), |line| line.amount);
        assert_eq!(found, read(fee), "{id}");
        assert!(lines.iter().all(|line| (line.plan.as_str(), line.version) == ("basic", 1)));
    }
}

#[test]
fn a_line_says_the_price_that_was_asked_for() {
    let mut world = accounts(&[("alice", r#"{"calls":{"per_minute":"0.015"}}"#)]);
    world.record(&[call("a", "2026-01-10T12:00:00Z", 60_000)]);
    let invoice = only(world.issue("2026-02-01T00:00:00Z"));
    assert_eq!(invoice.draft.lines[0].text, "at 0.015 a minute, pro rata");
}

#[test]
fn terms_of_ones_own_are_for_strategies_that_the_plan_has() {
    for (name, json) in [("minutes", r#"{"minutes":{}}"#), ("one_off", r#"{"one_off":{}}"#)] {
        let unknown = basic().with(&own(json)).unwrap_err();
        let (plan, strategy) = (read("basic"), read(name));
        assert_eq!(unknown, UnknownStrategy { plan, version: 1, strategy });
        let told =
            format!("plan basic version 1 has no strategy {name} whose terms could be replaced");
        assert_eq!(unknown.to_string(), told);
        assert_eq!(BuildPlanError::from(unknown).to_string(), told);
    }
}

#[test]
fn terms_that_are_not_accepted_are_told_with_their_strategy() {
    let cases = [
        ("calls", r#"{"calls":{"per_minute":"cheap"}}"#, "price"),
        ("calls", r#"{"calls":{"per_minute":"-1"}}"#, "price"),
        ("calls", r#"{"calls":{"per_minute":null}}"#, "null"),
        ("calls", r#"{"calls":{"per_second":"1"}}"#, "unknown field `per_second`"),
        ("fee", r#"{"fee":{"timing":"never"}}"#, "unknown variant `never`"),
        ("fee", r#"{"calls":{"per_minute":"1"},"fee":{"per_period":[]}}"#, "sequence"),
    ];
    for (name, json, told) in cases {
        let spec = basic().with(&own(json)).unwrap();
        let error = PlanBook::standard().build(spec).unwrap_err();
        let BuildPlanError::Terms { strategy, problem } = &error else { panic!("{error}") };
        assert_eq!(*strategy, read(name), "{json}");
        assert!(problem.to_string().contains(told), "{json}: {problem}");
        let begins = format!("the terms of strategy {name} are not accepted: ");
        assert!(error.to_string().starts_with(&begins), "{error}");
    }
}

#[test]
fn each_name_given_replaces_the_term_of_that_name_alone() {
    let spec = basic().with(&own(r#"{"calls":{"per_minute":"1"}}"#)).unwrap();
    let terms: Value = document(r#"{"minutes":"pro_rata","per_minute":"1"}"#);
    assert_eq!(spec.strategies[0].terms, terms);
    assert_eq!(spec.strategies[1], basic().strategies[1], "the others stay as they are");
    let nothing = plan(1, &[r#"{"id":"own","kind":"own"}"#.into()]);
    let spec = nothing.with(&own(r#"{"own":{"a":{"b":1}}}"#)).unwrap();
    assert_eq!(spec.strategies[0].terms, document::<Value>(r#"{"a":{"b":1}}"#));
    let deep = plan(1, &[named("own", "own", r#"{"a":{"b":1,"c":2}}"#)]);
    let spec = deep.with(&own(r#"{"own":{"a":{"b":3}}}"#)).unwrap();
    let whole = document::<Value>(r#"{"a":{"b":3}}"#);
    assert_eq!(spec.strategies[0].terms, whole, "a term is replaced whole");
}

#[test]
fn an_assignment_is_known_by_its_plan_and_terms_together() {
    let digest = |json: &str| basic().with(&own(json)).unwrap().digest();
    assert_eq!(digest("{}"), basic().digest());
    assert_eq!(digest(r#"{"calls":{"per_minute":"0.02"}}"#), basic().digest(), "no other terms");
    let cheaper = digest(r#"{"calls":{"per_minute":"0.01"}}"#);
    assert_ne!(cheaper, basic().digest());
    let [one, other] = [
        r#"{"calls":{"per_minute":"1","minutes":"pro_rata"},"fee":{"timing":"in_advance"}}"#,
        r#"{"fee":{"timing":"in_advance"},"calls":{"minutes":"pro_rata","per_minute":"1"}}"#,
    ];
    assert_eq!(own(one), own(other), "the order in which they are written is nothing");
    assert_eq!(digest(one), digest(other));
}

#[test]
fn terms_of_ones_own_are_read_strictly_and_written_as_they_were_read() {
    let json = r#"{"calls":{"minutes":"pro_rata","per_minute":"1"},"fee":{}}"#;
    assert_eq!(serde_json::to_string(&own(json)).unwrap(), json);
    let refused = [
        ("[]", "overrides are an object of strategies"),
        ("null", "overrides are an object of strategies"),
        (r#"{"calls":null}"#, "each an object of terms"),
        (r#"{"calls":"0.01"}"#, "each an object of terms"),
        (r#"{"":{}}"#, "0 bytes long"),
        (r#"{"calls":{"per_minute":0.015}}"#, "0.015"),
        (r#"{"calls":{"a":1,"a":2}}"#, "stands twice"),
        (r#"{"calls":{},"calls":{}}"#, "stands twice"),
    ];
    for (json, told) in refused {
        let error = serde_json::from_str::<Overrides>(json).unwrap_err().to_string();
        assert!(error.contains(told), "{json}: {error}");
    }
    assert_eq!(Overrides::try_from(Value::Null), Err(InvalidOverrides::Shape));
    assert!(own("{}").is_empty() && own("{}") == Overrides::none());
}

#[test]
fn other_terms_begin_on_a_day_of_their_own() {
    let mut world = accounts(&[("alice", "{}")]);
    let alice = read("alice");
    let cheaper = own(r#"{"calls":{"per_minute":"0.01"}}"#);
    let taken = world.assign_with(&alice, 1, "2026-01-01", &cheaper).unwrap_err();
    let (plan, from) = (read("basic"), read("2026-01-01"));
    let account = read("alice");
    assert_eq!(taken, AssignError::Taken { account, plan, version: 1, from });
    world.assign_with(&alice, 1, "2026-01-16", &cheaper).unwrap();
    world.record(&[
        call("a", "2026-01-15T12:00:00Z", 600_000),
        call("b", "2026-01-16T12:00:00Z", 600_000),
    ]);
    let invoice = only(world.issue("2026-02-01T00:00:00Z"));
    let lines = [
        ("2026-01-01", "at 0.02 a minute, pro rata", "0.2"),
        ("2026-01-01", "15 of 31 days at 30 a period", "14.52"),
        ("2026-01-16", "at 0.01 a minute, pro rata", "0.1"),
        ("2026-01-16", "16 of 31 days at 30 a period", "15.48"),
    ];
    assert_eq!(said(&invoice.draft.lines), expected(&lines));
}

#[test]
fn an_assignment_keeps_the_terms_it_was_made_with() {
    let json = r#"{"calls":{"per_minute":"0.01"}}"#;
    let world = accounts(&[("alice", json), ("bob", "{}")]);
    for (id, overrides) in [("alice", json), ("bob", "{}")] {
        let assignment = &world.accounts[id].assignments[0];
        assert_eq!(assignment.overrides, own(overrides));
        assert_eq!(assignment.digest, basic().with(&own(overrides)).unwrap().digest());
        let JournalEntry::Event(event) = &world.journal[id][1] else { panic!("an event") };
        let what = Happened::PlanAssigned { assignment: assignment.clone() };
        assert_eq!(event.what, what);
        assert_eq!(event.body().contains("overrides"), id == "alice", "none are not written");
        assert_eq!(document::<Happened>(&event.body()), what);
    }
}

#[test]
fn terms_that_cannot_be_used_here_park_what_arrives() {
    let mut world = accounts(&[("alice", r#"{"calls":{"per_minute":"0.01"}}"#)]);
    // The saved document lost the strategy that the account has terms for.
    let other = plan(1, &[fee("fee", "30", "in_arrears", "days")]);
    drop(world.specs.insert((read("basic"), 1), other));
    let receipts = world.take(&[call("a", "2026-01-10T12:00:00Z", 1)]).receipts;
    let why = "plan basic version 1 has no strategy calls whose terms could be replaced".into();
    let reason = ParkReason::PlanUnavailable { plan: read("basic"), version: 1, why };
    assert_eq!(receipts, [Receipt::Parked(reason)]);
}

#[test]
fn a_fee_and_an_amount_paid_ahead_may_be_an_accounts_own() {
    let mut world = World::empty();
    let strategies = [flat_rate("1", "pro_rata"), prepaid("20", "none")];
    world.save(plan(1, &strategies));
    world.open(&settings("alice", ""));
    let more = own(r#"{"credit":{"per_period":"50","covers":["calls"]}}"#);
    world.assign_with(&read("alice"), 1, "2026-01-01", &more).unwrap();
    world.record(&[call("a", "2026-01-10T12:00:00Z", 1_800_000)]);
    let invoice = only(world.issue("2026-02-01T00:00:00Z"));
    let lines = ["calls calls 30", "credit prepaid 50", "credit covered -30", "credit prepaid 50"];
    assert_eq!(charged(&invoice.draft), lines);
    assert_eq!(total(&world.invoices), read("100"));
}
