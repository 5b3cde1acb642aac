//! Amounts that are paid ahead, and what they cover.
#![expect(clippy::arithmetic_side_effects, reason = "the oracles compute far below their bounds")]

#[expect(dead_code, reason = "each file of tests is a crate of its own, which uses a part")]
mod common;

use billing_core::{
    decide::PulseSign,
    invoice::Invoice,
    item::{CallEnded, PulseReported},
    money::Amount,
    plan::PlanBook,
};
use common::{
    call, fee, flat_rate, named, one_off, partial, per_unit, plan, prepaid, pulse, read,
    said::{charged, expected, only, said, sum, totals},
    settings,
    world::World,
};

/// Talk at 1 a minute, storage at 1 a unit, and what is paid ahead for both.
fn with(credit: &str) -> World {
    let strategies = [flat_rate("1", "pro_rata"), per_unit("1"), credit.into()];
    let mut world = World::under(&strategies);
    world.limits.pulse_sign = PulseSign::Any;
    world
}

/// Talk for an amount in cents.
fn talk(id: &str, day: &str, cents: u64) -> CallEnded {
    call(id, &format!("{day}T12:00:00Z"), cents * 600)
}

fn units(id: &str, day: &str, amount: &str) -> PulseReported {
    pulse(id, &format!("{day}T12:00:00Z"), amount)
}

/// The invoice of March, for an account whose amount for March is invoiced already.
fn march(world: &mut World) -> Invoice {
    only(world.issue("2026-04-01T00:00:00Z"))
}

/// What all invoices say of the period that starts on a day.
fn cost(world: &World, start: &str) -> Amount {
    let lines = world.valid().flat_map(|invoice| &invoice.draft.lines);
    let lines = lines.filter(|line| line.stretch.period.start() == read(start));
    sum(lines.map(|line| line.amount))
}

fn owned(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

#[test]
fn an_amount_paid_ahead_covers_what_is_used_until_it_is_used_up() {
    // Used, in cents; charged, given back, and what March costs in all.
    let cases = [
        (0, vec![], "20"),
        (1, vec!["calls calls 0.01", "credit covered -0.01"], "20"),
        (1_250, vec!["calls calls 12.5", "credit covered -12.5"], "20"),
        (1_999, vec!["calls calls 19.99", "credit covered -19.99"], "20"),
        (2_000, vec!["calls calls 20", "credit covered -20"], "20"),
        (2_001, vec!["calls calls 20.01", "credit covered -20"], "20.01"),
        (3_500, vec!["calls calls 35", "credit covered -20"], "35"),
    ];
    for proration in ["none", "days"] {
        for (cents, lines, all) in &cases {
            let mut world = with(&prepaid("20", proration));
            drop(world.issue("2026-03-01T00:00:00Z"));
            if *cents > 0 {
                world.record(&[talk("a", "2026-03-10", *cents)]);
            }
            let invoice = march(&mut world);
            let said = charged(&invoice.draft);
            let (april, found) = said.split_last().unwrap();
            assert_eq!((found, april.as_str()), (&*owned(lines), "credit prepaid 20"));
            assert_eq!(cost(&world, "2026-03-01"), read(all), "{cents} cents, {proration}");
        }
    }
}

#[test]
fn what_is_not_used_is_gone_with_its_period() {
    let mut world = with(&prepaid("20", "none"));
    world.record(&[talk("a", "2026-02-10", 500), talk("b", "2026-03-10", 2_500)]);
    drop(world.issue("2026-04-01T00:00:00Z"));
    assert_eq!(cost(&world, "2026-02-01"), read("20"));
    assert_eq!(cost(&world, "2026-03-01"), read("25"), "nothing is left of February");
}

#[test]
fn an_amount_paid_ahead_is_invoiced_ahead() {
    let mut world = with(&prepaid("20", "days"));
    let first = world.issue("2026-01-01T00:00:00Z");
    assert_eq!((first[0].draft.kind.name(), totals(&first)), ("advance", vec!["20".to_owned()]));
    let text = "31 of 31 days at 20 a period";
    assert_eq!(said(&first[0].draft.lines), expected(&[("2026-01-01", text, "20")]));
    world.record(&[talk("a", "2026-01-10", 500)]);
    let second = world.issue("2026-02-01T00:00:00Z");
    let lines = [
        ("2026-01-01", "at 1 a minute, pro rata", "5"),
        ("2026-01-01", "covered by 20 prepaid", "-5"),
        ("2026-02-01", "28 of 28 days at 20 a period", "20"),
    ];
    assert_eq!(said(&second[0].draft.lines), expected(&lines));
}

#[test]
fn late_usage_is_covered_by_what_is_left_of_its_period() {
    // Used in time and late, in cents; what is given back late, and what the late usage costs.
    let cases = [
        (1_200, 500, Some("-5"), "0"),
        (1_200, 800, Some("-8"), "0"),
        (1_200, 1_500, Some("-8"), "7"),
        (2_000, 500, Some("0"), "5"),
        (3_500, 500, Some("0"), "5"),
        (0, 2_500, Some("-20"), "5"),
    ];
    for proration in ["none", "days"] {
        for (in_time, late, back, costs) in cases {
            let mut world = with(&prepaid("20", proration));
            if in_time > 0 {
                world.record(&[talk("a", "2026-03-10", in_time)]);
            }
            drop(world.issue("2026-04-01T00:00:00Z"));
            let before = cost(&world, "2026-03-01");
            world.record(&[talk("late", "2026-03-11", late)]);
            let april = only(world.issue("2026-05-01T00:00:00Z"));
            let covered = april.draft.lines.iter().find(|l| l.group.as_str() == "covered");
            let covered = covered.map(|line| line.amount.to_string());
            assert_eq!(covered.as_deref(), back, "{in_time} and {late}, {proration}");
            let after = before.checked_add(read(costs)).unwrap();
            assert_eq!(cost(&world, "2026-03-01"), after, "{in_time} and {late}, {proration}");
        }
    }
}

#[test]
fn a_correction_gives_back_what_was_paid_beyond_the_amount_first() {
    // Used, then taken back; what changes in what is covered, and what March costs in the end.
    let cases = [
        ("35", "-10", Some("0"), "25"),
        ("35", "-15", Some("0"), "20"),
        ("35", "-20", Some("5"), "20"),
        ("35", "-35", Some("20"), "20"),
        ("35", "-40", Some("20"), "15"),
        ("12", "-5", Some("5"), "20"),
        ("12", "-12", Some("12"), "20"),
        ("20", "-0.01", Some("0.01"), "20"),
    ];
    for proration in ["none", "days"] {
        for (used, back, change, all) in cases {
            let mut world = with(&prepaid("20", proration));
            world.record(&[units("a", "2026-03-10", used)]);
            drop(world.issue("2026-04-01T00:00:00Z"));
            world.record(&[units("b", "2026-03-12", back)]);
            let april = only(world.issue("2026-05-01T00:00:00Z"));
            let covered = april.draft.lines.iter().find(|l| l.group.as_str() == "covered");
            let covered = covered.map(|line| line.amount.to_string());
            assert_eq!(covered.as_deref(), change, "{used} and {back}, {proration}");
            assert_eq!(cost(&world, "2026-03-01"), read(all), "{used} and {back}, {proration}");
            // What is taken back may be used again.
            world.record(&[units("c", "2026-03-13", &back.replace('-', ""))]);
            drop(world.issue("2026-06-01T00:00:00Z"));
            let beyond = read::<Amount>(used).checked_sub(read("20")).unwrap();
            let again = if beyond.is_negative() { read("20") } else { read(used) };
            assert_eq!(cost(&world, "2026-03-01"), again, "{used} once more, {proration}");
        }
    }
}

#[test]
fn a_call_that_was_shorter_than_reported_gives_its_amount_back() {
    let mut world = with(&prepaid("20", "none"));
    world.record(&[partial(1, talk("a", "2026-03-10", 3_000))]);
    drop(world.issue("2026-04-01T00:00:00Z"));
    assert_eq!(cost(&world, "2026-03-01"), read("30"));
    world.record(&[talk("a", "2026-03-10", 1_500)]);
    let april = only(world.issue("2026-05-01T00:00:00Z"));
    let lines = ["calls calls -15", "credit covered 5", "credit prepaid 20"];
    assert_eq!(charged(&april.draft), lines);
    assert_eq!(cost(&world, "2026-03-01"), read("20"));
}

#[test]
fn an_amount_stands_after_what_it_covers() {
    let credit = |covers: &str| {
        let terms = format!(r#"{{"per_period":"20","proration":"none"{covers}}}"#);
        named("credit", "prepaid", &terms)
    };
    let (calls, storage) = (flat_rate("1", "pro_rata"), per_unit("1"));
    let cases = [
        (vec![credit(""), calls.clone()], "no strategy stands before it in the plan"),
        (
            vec![calls.clone(), credit(r#","covers":["storage"]"#), storage],
            "strategy storage does not stand before it in the plan",
        ),
        (
            vec![calls, credit(r#","covers":["cals"]"#)],
            "strategy cals does not stand before it in the plan",
        ),
    ];
    for (strategies, problem) in cases {
        let error = PlanBook::standard().build(plan(1, &strategies)).unwrap_err();
        let told = format!("the terms of strategy credit are not accepted: {problem}");
        assert_eq!(error.to_string(), told);
    }
}

#[test]
fn what_is_covered_is_covered_to_the_cent() {
    // Three lines of half a cent are a cent each on the invoice, and of four tenths nothing.
    for (price, due) in [("0.005", "0"), ("0.004", "0")] {
        let of = |id: &str| {
            let terms = format!(r#"{{"product":"{id}","unit":"GB-h","per_unit":"{price}"}}"#);
            named(id, "per_unit", &terms)
        };
        let credit = named("credit", "prepaid", r#"{"per_period":"20","proration":"none"}"#);
        let strategies = [of("a"), of("b"), of("c"), credit];
        let mut world = World::under(&strategies);
        for product in ["a", "b", "c"] {
            let mut used = units(product, "2026-03-10", "1");
            used.pulse.product = read(product);
            world.record(&[used]);
        }
        let draft = world.bill("2026-03-31T00:00:00Z").pop().unwrap();
        let usage = draft.lines.iter().filter(|line| line.group.as_str() != "prepaid");
        let sum = usage.fold(Amount::ZERO, |sum, line| sum.checked_add(line.amount).unwrap());
        assert_eq!(sum.to_string(), due, "{price}");
    }
}

#[test]
fn an_amount_covers_what_it_names_and_otherwise_all_that_stands_before_it() {
    let credit = |covers: &str| {
        let terms = format!(r#"{{"per_period":"20","proration":"none"{covers}}}"#);
        named("credit", "prepaid", &terms)
    };
    let (calls, storage) = (flat_rate("1", "pro_rata"), per_unit("1"));
    // Talk for 8 and storage for 9; what is covered of them.
    let cases = [
        (r#","covers":["calls"]"#, [0, 1, 2], Some("-8")),
        (r#","covers":["storage"]"#, [0, 1, 2], Some("-9")),
        (r#","covers":["storage","calls"]"#, [0, 1, 2], Some("-17")),
        (r#","covers":[]"#, [0, 1, 2], Some("-17")),
        ("", [0, 1, 2], Some("-17")),
        ("", [0, 2, 1], Some("-8")),
        ("", [1, 2, 0], Some("-9")),
    ];
    for (covers, order, covered) in cases {
        let strategies = [calls.clone(), storage.clone(), credit(covers)];
        let strategies = order.map(|i: usize| strategies[i].clone());
        let mut world = World::under(&strategies);
        world.record(&[talk("a", "2026-03-10", 800)]);
        world.record(&[units("b", "2026-03-10", "9")]);
        let draft = world.bill("2026-03-31T00:00:00Z").pop().unwrap();
        let found = draft.lines.iter().find(|line| line.group.as_str() == "covered");
        let found = found.map(|line| line.amount.to_string());
        assert_eq!(found.as_deref(), covered, "{covers} in order {order:?}");
    }
}

#[test]
fn a_charge_beside_the_plan_is_not_covered() {
    let mut world = with(&prepaid("20", "none"));
    drop(world.issue("2026-03-01T00:00:00Z"));
    world.record(&[one_off("a", "2026-03-10T12:00:00Z", "visit", "7")]);
    let lines = ["one_off visit 7", "credit prepaid 20"];
    assert_eq!(charged(&march(&mut world).draft), lines);
}

#[test]
fn a_fee_before_it_is_covered_unless_something_else_is_named() {
    let only_calls = r#"{"per_period":"20","proration":"none","covers":["calls"]}"#;
    let cases = [
        (prepaid("20", "none"), ["fee fee 6", "credit prepaid 20", "credit covered -6"], "20"),
        (named("credit", "prepaid", only_calls), ["fee fee 6", "credit prepaid 20", ""], "26"),
    ];
    for (credit, lines, total) in cases {
        let strategies =
            [fee("fee", "6", "in_advance", "none"), flat_rate("1", "pro_rata"), credit];
        let mut world = World::under(&strategies);
        let first = only(world.issue("2026-01-01T00:00:00Z"));
        let lines: Vec<_> = lines.iter().filter(|line| !line.is_empty()).collect();
        assert_eq!(charged(&first.draft).iter().collect::<Vec<_>>(), lines);
        assert_eq!(first.draft.taxed.total, read(total));
        // Talk for 15 is covered by 14 in the one case and by 20 in the other.
        world.record(&[talk("a", "2026-01-10", 1_500)]);
        drop(world.issue("2026-02-01T00:00:00Z"));
        let all = if total == "20" { "21" } else { "26" };
        assert_eq!(cost(&world, "2026-01-01"), read(all));
    }
}

#[test]
fn a_part_of_a_period_covers_its_part_or_the_whole() {
    // From 16 March on, with 31 paid ahead a month and talk for 20.
    for (proration, paid, covered, all) in
        [("days", "16", "-16", "20"), ("none", "31", "-20", "31")]
    {
        let mut world = World::empty();
        world.open(&settings("alice", ""));
        world.save(plan(1, &[flat_rate("1", "pro_rata"), prepaid("31", proration)]));
        world.assign(&read("alice"), 1, "2026-03-16").unwrap();
        assert_eq!(totals(&world.issue("2026-03-16T00:00:00Z")), [paid]);
        world.record(&[talk("a", "2026-03-20", 2_000)]);
        let lines = charged(&march(&mut world).draft);
        assert_eq!(lines[..2], ["calls calls 20".to_owned(), format!("credit covered {covered}")]);
        assert_eq!(cost(&world, "2026-03-01"), read(all));
    }
}

#[test]
fn an_amount_by_days_covers_each_part_of_a_period_by_itself() {
    let mut world = with(&prepaid("31", "days"));
    let strategies = [flat_rate("2", "pro_rata"), prepaid("62", "days")];
    world.change("2026-03-16", &strategies);
    assert_eq!(totals(&world.issue("2026-03-01T00:00:00Z"))[1], "47", "15 and twice 16");
    // Talk for 20 under the first plan and for 30 under the second.
    world.record(&[talk("a", "2026-03-10", 2_000), talk("b", "2026-03-20", 1_500)]);
    let lines = charged(&march(&mut world).draft);
    let expected = ["calls calls 20", "credit covered -15", "calls calls 30", "credit covered -30"];
    assert_eq!(lines[..4], expected);
    assert_eq!(
        cost(&world, "2026-03-01"),
        read("52"),
        "the 2 that were left do not help the first"
    );
}

#[test]
fn a_whole_amount_covers_all_of_a_period_over_changes_of_plan() {
    let mut world = with(&prepaid("31", "none"));
    world.change("2026-03-16", &[flat_rate("2", "pro_rata"), prepaid("62", "none")]);
    assert_eq!(totals(&world.issue("2026-03-01T00:00:00Z"))[1], "31", "that of the first");
    world.record(&[talk("a", "2026-03-10", 2_000), talk("b", "2026-03-20", 1_500)]);
    let lines = charged(&march(&mut world).draft);
    let expected = ["calls calls 20", "credit covered -20", "calls calls 30", "credit covered -11"];
    assert_eq!(lines[..4], expected);
    assert_eq!(cost(&world, "2026-03-01"), read("50"));
    // Late usage of the first part finds nothing left, whichever part used it up.
    world.record(&[talk("late", "2026-03-02", 300)]);
    drop(world.issue("2026-05-01T00:00:00Z"));
    assert_eq!(cost(&world, "2026-03-01"), read("53"));
}

#[test]
fn an_amount_that_was_paid_for_days_the_plan_lost_is_given_back() {
    // Talk for 18 on 10 March; 31 paid ahead; the plan ends on the day given.
    let cases = [
        ("2026-03-11", vec!["calls calls 18", "credit prepaid -21", "credit covered -10"], "18"),
        ("2026-03-20", vec!["calls calls 18", "credit prepaid -12", "credit covered -18"], "19"),
        ("2026-03-31", vec!["calls calls 18", "credit prepaid -1", "credit covered -18"], "30"),
    ];
    for (from, lines, all) in cases {
        let mut world = with(&prepaid("31", "days"));
        drop(world.issue("2026-03-01T00:00:00Z"));
        world.record(&[talk("a", "2026-03-10", 1_800)]);
        world.change(from, &[flat_rate("1", "pro_rata")]);
        assert_eq!(charged(&march(&mut world).draft), lines, "{from}");
        assert_eq!(cost(&world, "2026-03-01"), read(all), "{from}");
    }
    let mut world = with(&prepaid("31", "days"));
    drop(world.issue("2026-03-01T00:00:00Z"));
    world.change("2026-03-01", &[flat_rate("1", "pro_rata")]);
    world.record(&[talk("a", "2026-03-10", 1_800)]);
    let lines = ["credit prepaid -31", "calls calls 18"];
    assert_eq!(charged(&march(&mut world).draft), lines, "it never had a day");
    assert_eq!(cost(&world, "2026-03-01"), read("18"));
}

#[test]
fn what_was_covered_is_remembered_between_invoices() {
    let mut world = with(&prepaid("20", "none"));
    world.record(&[talk("a", "2026-03-10", 3_500)]);
    let invoices = world.issue("2026-04-01T00:00:00Z");
    let covered = |lines: &[billing_core::invoice::Line]| {
        lines.iter().find(|line| line.group.as_str() == "covered").cloned().unwrap()
    };
    let first = covered(&invoices.last().unwrap().draft.lines);
    assert_eq!(
        (first.exact.to_string(), first.before.kept.to_string()),
        ("-20".into(), "0".into())
    );
    world.record(&[talk("b", "2026-03-10", 100)]);
    let second = covered(&only(world.issue("2026-05-01T00:00:00Z")).draft.lines);
    assert_eq!(second.before.kept.to_string(), "35", "what was charged, beside what was covered");
    let key = world.carries.keys().find(|key| {
        key.group.as_str() == "covered" && key.scope.to_string() == "period:2026-03-01"
    });
    assert_eq!(world.carries[key.unwrap()].kept.to_string(), "36");
}

#[test]
fn an_amount_of_nothing_covers_nothing() {
    let mut world = with(&prepaid("0", "none"));
    drop(world.issue("2026-03-01T00:00:00Z"));
    world.record(&[talk("a", "2026-03-10", 500)]);
    let invoice = march(&mut world);
    assert_eq!(invoice.draft.taxed.total, read("5"));
}
