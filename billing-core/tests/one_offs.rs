//! Charges that are made once, beside the plan.

#[expect(dead_code, reason = "each file of tests is a crate of its own, which uses a part")]
mod common;

use core::slice;

use billing_core::{
    decide::{ParkReason, Receipt},
    item::{Fingerprint, Incoming, OneOffCharged},
    money::{Amount, Money},
    plan::{BuildPlanError, PlanBook},
};
use common::{
    call, flat_rate, named, one_off, per_unit, plan, pulse, read,
    said::{charged, expected, only, said, totals},
    settings, unpriced,
    world::World,
};

fn with(more: &str) -> World {
    World::with(&settings("alice", more), &[flat_rate("0.02", "pro_rata")])
}

/// A charge of March.
fn charge(id: &str, name: &str, price: &str) -> OneOffCharged {
    one_off(id, "2026-03-10T12:00:00Z", name, price)
}

#[test]
fn a_charge_stands_on_the_next_invoice_under_its_name() {
    let mut world = with("");
    world.record(&[charge("b", "set-up", "49.90"), charge("a", "device", "199")]);
    let invoice = only(world.issue("2026-04-01T00:00:00Z"));
    let lines = ["one_off device 199", "one_off set-up 49.9"];
    assert_eq!(charged(&invoice.draft), lines);
    let line = &invoice.draft.lines[0];
    assert_eq!((line.unit.clone(), line.count), (Some(read("charge")), 1));
    assert_eq!((line.quantity, line.text.as_str()), (read("1"), "charged once"));
    assert_eq!(invoice.draft.taxed.total, read("248.9"));
    assert_eq!(world.issue("2026-05-01T00:00:00Z"), [], "and on no other");
}

#[test]
fn charges_of_one_name_add_up() {
    let cases: [(&[&str], &str); 6] = [
        (&["10", "5.5"], "15.5"),
        (&["10", "-4"], "6"),
        (&["10", "-10"], "0"),
        (&["-4", "-6.01"], "-10.01"),
        (&["0"], "0"),
        (&["0.005", "0.005"], "0.01"),
    ];
    for (prices, sum) in cases {
        let mut world = with("");
        let numbered = prices.iter().enumerate();
        let charges: Vec<_> =
            numbered.map(|(i, price)| charge(&format!("c{i}"), "sundries", price)).collect();
        world.record(&charges);
        let line = only(only(world.issue("2026-04-01T00:00:00Z")).draft.lines);
        assert_eq!(line.amount, read(sum), "{prices:?}");
        assert_eq!(usize::try_from(line.count), Ok(prices.len()));
    }
}

#[test]
fn charges_of_one_name_on_several_days_are_one_line_of_several_parts() {
    let mut world = with("");
    world.record(&[
        one_off("a", "2026-03-01T00:00:00Z", "visit", "40"),
        one_off("b", "2026-03-31T23:59:59Z", "visit", "60"),
        one_off("c", "2026-04-01T00:00:00Z", "visit", "1"),
    ]);
    let march = only(world.issue("2026-04-15T00:00:00Z"));
    let line = only(march.draft.lines);
    let shares: Vec<_> = line.parts.iter().map(|part| (part.day, part.share)).collect();
    let expected = [("2026-03-01", "40"), ("2026-03-31", "60")];
    assert_eq!(shares, expected.map(|(day, share)| (read(day), read::<Amount>(share))));
    assert_eq!(totals(&world.issue("2026-05-01T00:00:00Z")), ["1"]);
}

#[test]
fn a_credit_may_be_more_than_everything_else() {
    let tax = r#","tax":{"name":"VAT","percent":"8","mode":"added"}"#;
    let mut world = with(tax);
    world.record(&[call("a", "2026-03-10T12:00:00Z", 6_000_000)]);
    world.record(&[charge("b", "goodwill", "-12")]);
    let invoice = only(world.issue("2026-04-01T00:00:00Z"));
    assert_eq!(charged(&invoice.draft), ["calls calls 2", "one_off goodwill -12"]);
    let taxed = &invoice.draft.taxed;
    assert_eq!((taxed.net, taxed.taxes[0].amount), (read("-10"), read("-0.8")));
    assert_eq!(taxed.total, read("-10.8"));
}

#[test]
fn a_charge_in_another_currency_is_parked() {
    let mut world = with("");
    let mut francs = charge("a", "set-up", "49.90");
    francs.one_off.price = Money::new(read("49.90"), read("CHF"));
    let receipts = world.take(slice::from_ref(&francs)).receipts;
    let why = "a charge in CHF is not accepted: the account is in EUR".to_owned();
    let reason = ParkReason::Unpriceable { strategy: read("one_off"), why };
    assert_eq!(receipts, [Receipt::Parked(reason)]);
    let mended = world.take(&[charge("a", "set-up", "49.90")]);
    assert_eq!(mended.intake.recorded, 1, "it may come again in euros");
    assert_eq!(world.parked.len(), 0);
}

#[test]
fn a_charge_of_a_day_without_a_plan_is_parked() {
    let mut world = with("");
    let early = one_off("a", "2025-12-31T23:59:59Z", "set-up", "1");
    let day = read("2025-12-31");
    assert_eq!(world.take(&[early]).receipts, [Receipt::Parked(ParkReason::NoPlan { day })]);
}

#[test]
fn every_plan_takes_charges_after_everything_else() {
    for strategy in [flat_rate("1", "pro_rata"), per_unit("1"), unpriced()] {
        let mut world = World::under(&[strategy]);
        world.record(&[charge("a", "set-up", "5")]);
        assert_eq!(totals(&world.issue("2026-04-01T00:00:00Z")), ["5"]);
    }
    let strategies = [per_unit("1"), flat_rate("1", "pro_rata")];
    let mut world = World::under(&strategies);
    world.record(&[charge("a", "a first name", "5")]);
    world.record(&[call("b", "2026-03-10T12:00:00Z", 60_000)]);
    world.record(&[pulse("c", "2026-03-10T12:00:00Z", "1")]);
    let lines = ["storage storage 1", "calls calls 1", "one_off a first name 5"];
    assert_eq!(charged(&world.bill("2026-03-31T00:00:00Z")[0]), lines);
}

#[test]
fn no_strategy_of_a_plan_may_call_itself_as_that_of_charges() {
    let terms = r#"{"per_minute":"0.02","minutes":"pro_rata"}"#;
    let spec = plan(1, &[named("one_off", "flat_rate", terms)]);
    let error = PlanBook::standard().build(spec).unwrap_err();
    assert_eq!(error, BuildPlanError::Doubled { strategy: read("one_off") });
}

#[test]
fn a_late_charge_is_on_the_next_invoice_in_the_stretch_of_its_day() {
    let mut world = with("");
    world.record(&[charge("a", "visit", "10")]);
    assert_eq!(totals(&world.issue("2026-04-01T00:00:00Z")), ["10"]);
    world.record(&[charge("b", "visit", "7"), charge("c", "credit", "-2.5")]);
    let invoice = only(world.issue("2026-05-01T00:00:00Z"));
    let lines = [("2026-03-01", "charged once", "-2.5"), ("2026-03-01", "charged once", "7")];
    assert_eq!(said(&invoice.draft.lines), expected(&lines));
    assert_eq!(invoice.draft.lines[1].before.billed, read("10"));
    assert_eq!(invoice.draft.lines[1].exact, read("17"));
}

#[test]
fn a_charge_is_made_once_however_often_it_is_told() {
    let mut world = with("");
    let setup = charge("a", "set-up", "49.90");
    let twice = world.take(&[setup.clone(), setup]);
    assert_eq!((twice.intake.recorded, twice.intake.replayed), (1, 1));
    let receipts = world.take(&[charge("a", "set-up", "49.91")]).receipts;
    assert!(matches!(receipts[..], [Receipt::Conflict { .. }]), "{receipts:?}");
    assert_eq!(totals(&world.issue("2026-04-01T00:00:00Z")), ["49.9"]);
}

#[test]
fn the_fingerprint_of_a_charge_is_the_same_for_ever() {
    // Computed by another program over the fields of rule 1; a change would turn replays into conflicts.
    let credit = one_off("a", "2026-03-10T09:10:00Z", "set-up", "-49.90");
    let digest = "b2783c90d76a4a0d2f9c8c249ba44dedae4ab1cc16fe239dc1e07a82a6115390";
    let fingerprint = Incoming::from(credit).fingerprint();
    assert_eq!(fingerprint, Fingerprint { rule: 1, digest: read(digest) });
}
