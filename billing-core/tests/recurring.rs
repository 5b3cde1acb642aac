//! Fixed amounts for each period: how much, and on which invoice.

#[expect(dead_code, reason = "each file of tests is a crate of its own, which uses a part")]
mod common;

use billing_core::{
    invoice::{Draft, Invoice, InvoiceKind},
    money::Amount,
};
use common::{
    EXACT, call, document, fee, flat_rate, plan, read,
    said::{charged, expected, only, said, sum, totals},
    settings,
    world::World,
};

/// Kind, first day of the period and total of each invoice.
fn issued(invoices: &[Invoice]) -> Vec<(&'static str, String, String)> {
    let of = |draft: &Draft| {
        (draft.kind.name(), draft.period.start().to_string(), draft.taxed.total.to_string())
    };
    invoices.iter().map(|invoice| of(&invoice.draft)).collect()
}

fn owned(cases: &[(&'static str, &str, &str)]) -> Vec<(&'static str, String, String)> {
    cases.iter().map(|(kind, day, total)| (*kind, (*day).into(), (*total).into())).collect()
}

#[test]
fn a_fee_in_arrears_stands_on_the_invoice_of_its_period() {
    for (proration, text) in [("none", "30 a period"), ("days", "31 of 31 days at 30 a period")] {
        let mut world = World::under(&[fee("fee", "30", "in_arrears", proration)]);
        assert_eq!(world.issue("2026-01-31T23:59:59Z"), []);
        let invoice = only(world.issue("2026-02-01T00:00:00Z"));
        assert_eq!(said(&invoice.draft.lines), expected(&[("2026-01-01", text, "30")]));
        let line = &invoice.draft.lines[0];
        assert_eq!((&line.unit, line.count, line.quantity), (&None, 0, read("0")));
        assert_eq!((line.group.as_str(), line.parts.len()), ("fee", 0));
        assert_eq!(world.issue("2026-02-28T00:00:00Z"), [], "once");
        assert_eq!(totals(&world.issue("2026-05-01T00:00:00Z")), ["30", "30", "30"]);
    }
}

#[test]
fn a_fee_in_advance_stands_on_an_invoice_of_its_own_and_then_on_that_of_the_period_before() {
    for (proration, text) in [("none", "30 a period"), ("days", "28 of 28 days at 30 a period")] {
        let mut world = World::under(&[fee("fee", "30", "in_advance", proration)]);
        let first = world.issue("2026-01-01T00:00:00Z");
        assert_eq!(issued(&first), owned(&[("advance", "2026-01-01", "30")]));
        assert_eq!(first[0].draft.end, read("2026-02-01T00:00:00Z"));
        assert_eq!(world.issue("2026-01-31T23:59:59Z"), [], "once");
        let second = world.issue("2026-02-01T00:00:00Z");
        assert_eq!(issued(&second), owned(&[("period", "2026-01-01", "30")]));
        let lines = [("2026-02-01", text, "30")];
        assert_eq!(said(&second[0].draft.lines), expected(&lines), "that of February");
        assert_eq!(world.issue("2026-02-28T23:59:59Z"), [], "once");
        let third = world.issue("2026-04-30T00:00:00Z");
        let expected = [("period", "2026-02-01", "30"), ("period", "2026-03-01", "30")];
        assert_eq!(issued(&third), owned(&expected));
    }
}

#[test]
fn a_first_run_that_comes_late_asks_for_each_period_once() {
    for proration in ["none", "days"] {
        let mut world = World::under(&[fee("fee", "30", "in_advance", proration)]);
        let invoices = world.issue("2026-03-10T00:00:00Z");
        // January and February, then March; nothing is left to ask for in advance.
        let expected = [("period", "2026-01-01", "60"), ("period", "2026-02-01", "30")];
        assert_eq!(issued(&invoices), owned(&expected));
        assert_eq!(world.issue("2026-03-31T00:00:00Z"), []);
    }
}

#[test]
fn nothing_is_asked_for_before_the_plan_begins() {
    let mut world = World::empty();
    world.open(&settings("alice", ""));
    world.save(plan(1, &[fee("fee", "31", "in_advance", "days")]));
    world.assign(&read("alice"), 1, "2026-03-16").unwrap();
    assert_eq!(world.issue("2026-03-15T23:59:59Z"), []);
    let first = world.issue("2026-03-16T00:00:00Z");
    assert_eq!(issued(&first), owned(&[("advance", "2026-03-01", "16")]));
    let text = "16 of 31 days at 31 a period";
    assert_eq!(said(&first[0].draft.lines), expected(&[("2026-03-16", text, "16")]));
}

#[test]
fn a_first_part_of_a_period_costs_its_days_or_the_whole() {
    // The first day of a plan in March, with 31 days at 31 a period.
    let cases = [("2026-03-01", "31"), ("2026-03-02", "30"), ("2026-03-16", "16")];
    for (from, by_days) in cases.into_iter().chain([("2026-03-31", "1")]) {
        for (proration, cost) in [("days", by_days), ("none", "31")] {
            for timing in ["in_advance", "in_arrears"] {
                let mut world = World::empty();
                world.open(&settings("alice", ""));
                world.save(plan(1, &[fee("fee", "31", timing, proration)]));
                world.assign(&read("alice"), 1, from).unwrap();
                let mut invoices = world.issue("2026-03-31T00:00:00Z");
                invoices.extend(world.issue("2026-04-01T00:00:00Z"));
                let of_march = invoices.iter().flat_map(|invoice| &invoice.draft.lines);
                let of_march = of_march.filter(|l| l.stretch.period.start() == read("2026-03-01"));
                let amounts: Vec<Amount> = of_march.map(|line| line.amount).collect();
                assert_eq!(amounts, [read(cost)], "{timing}, {proration}, from {from}");
            }
        }
    }
}

#[test]
fn days_are_local_days_and_periods_are_as_long_as_agreed() {
    // 31 days of March with a change of the clock, 90 days of a quarter, 28 days from one month's end to the next.
    let cases = [
        ("Europe/Berlin", "2026-01-01", 1_u8, "2026-03-30", "31", "2 of 31 days", "2"),
        ("America/New_York", "2026-01-01", 3_u8, "2026-03-30", "90", "2 of 90 days", "2"),
        ("UTC", "2026-01-31", 1_u8, "2026-02-27", "28", "1 of 28 days", "1"),
    ];
    for (zone, anchor, months, from, price, days, cost) in cases {
        let mut settings = settings("alice", "");
        settings.zone = read(zone);
        settings.anchor = document(&format!(r#"{{"from":"{anchor}","months":{months}}}"#));
        let mut world = World::empty();
        world.open(&settings);
        world.save(plan(1, &[fee("fee", price, "in_arrears", "days")]));
        world.assign(&read("alice"), 1, from).unwrap();
        let invoices = world.issue("2026-04-01T12:00:00Z");
        let text = format!("{days} at {price} a period");
        assert_eq!(said(&invoices[0].draft.lines), expected(&[(from, &text, cost)]));
    }
}

#[test]
fn a_part_of_a_period_is_rounded_with_its_line() {
    let cases =
        [("", "4.84"), (r#","invoice":{"rounding":"down"}"#, "4.83"), (EXACT, "4.8387096774")];
    for (more, cost) in cases {
        let mut world = World::empty();
        world.open(&settings("alice", more));
        world.save(plan(1, &[fee("fee", "10", "in_arrears", "days")]));
        world.assign(&read("alice"), 1, "2026-03-17").unwrap();
        // 15/31 of 10.
        let line = only(only(world.issue("2026-04-01T00:00:00Z")).draft.lines);
        assert_eq!((line.amount, line.exact), (read(cost), read("150/31")));
    }
}

#[test]
fn a_change_of_plan_splits_a_fee_by_days() {
    for timing in ["in_advance", "in_arrears"] {
        for day in 2_i32..=31_i32 {
            let mut world = World::under(&[fee("fee", "31", timing, "days")]);
            world.change(&format!("2026-03-{day:02}"), &[fee("fee", "62", timing, "days")]);
            drop(world.issue("2026-04-01T00:00:00Z"));
            let lines = world.invoices.iter().flat_map(|invoice| &invoice.draft.lines);
            let march = lines.filter(|l| l.stretch.period.start() == read("2026-03-01"));
            let found: Vec<_> =
                march.map(|line| (line.text.clone(), line.amount.to_string())).collect();
            let (old, new) = (day - 1_i32, 32_i32 - day);
            let expected = [
                (format!("{old} of 31 days at 31 a period"), old.to_string()),
                (format!("{new} of 31 days at 62 a period"), (2_i32 * new).to_string()),
            ];
            assert_eq!(found, expected, "{timing}, changed on day {day}");
        }
    }
}

#[test]
fn a_whole_fee_is_asked_for_by_the_first_plan_of_a_period_and_a_fee_of_another_name_beside() {
    for timing in ["in_advance", "in_arrears"] {
        for day in 1_u8..=31 {
            for (name, changed) in [("fee", "31"), ("other", "93")] {
                let mut world = World::under(&[fee("fee", "31", timing, "none")]);
                world.change(&format!("2026-03-{day:02}"), &[fee(name, "62", timing, "none")]);
                drop(world.issue("2026-04-01T00:00:00Z"));
                let expected = if day == 1 { "62" } else { changed };
                let case = format!("{timing}, {name} from day {day} on");
                assert_eq!(cost(&world, "2026-03-01"), read(expected), "{case}");
            }
        }
    }
}

/// What all invoices say of the period that starts on a day.
fn cost(world: &World, start: &str) -> Amount {
    let lines = world.valid().flat_map(|invoice| &invoice.draft.lines);
    let lines = lines.filter(|line| line.stretch.period.start() == read(start));
    sum(lines.map(|line| line.amount))
}

#[test]
fn a_change_after_billing_in_advance_is_made_good_on_the_invoice_of_its_period() {
    for day in 2_i32..=28_i32 {
        let mut world = World::under(&[fee("fee", "28", "in_advance", "days")]);
        assert_eq!(totals(&world.issue("2026-02-01T00:00:00Z")), ["56"]);
        world.change(&format!("2026-02-{day:02}"), &[fee("fee", "56", "in_advance", "days")]);
        let invoice = only(world.issue("2026-03-01T00:00:00Z"));
        let (old, new) = (day - 1_i32, 29_i32 - day);
        let texts = [
            format!("{old} of 28 days at 28 a period"),
            format!("{new} of 28 days at 56 a period"),
        ];
        let starts = ["2026-02-01".to_owned(), format!("2026-02-{day:02}")];
        let amounts = [(-new).to_string(), (2_i32 * new).to_string()];
        let lines = [
            (starts[0].as_str(), texts[0].as_str(), amounts[0].as_str()),
            (&starts[1], &texts[1], &amounts[1]),
            ("2026-03-01", "31 of 31 days at 56 a period", "56"),
        ];
        assert_eq!(said(&invoice.draft.lines), expected(&lines));
        assert_eq!(invoice.draft.lines[0].before.billed, read("28"));
        assert_eq!(invoice.draft.lines[0].exact.to_string(), old.to_string());
    }
}

#[test]
fn a_plan_that_is_replaced_from_the_first_day_gives_back_what_it_was_paid_in_advance() {
    let mut world = World::under(&[fee("fee", "28", "in_advance", "days")]);
    drop(world.issue("2026-02-01T00:00:00Z"));
    world.change("2026-02-01", &[fee("fee", "56", "in_advance", "days")]);
    let invoice = only(world.issue("2026-03-01T00:00:00Z"));
    let lines = [
        ("2026-02-01", "0 of 28 days at 28 a period", "-28"),
        ("2026-02-01", "28 of 28 days at 56 a period", "56"),
        ("2026-03-01", "31 of 31 days at 56 a period", "56"),
    ];
    assert_eq!(said(&invoice.draft.lines), expected(&lines));
    let gone = &invoice.draft.lines[0].stretch;
    assert!(gone.is_empty() && gone.assignment == 1);
    assert_eq!(cost(&world, "2026-02-01"), read("56"));
    assert_eq!(world.bill("2026-03-31T00:00:00Z")[0].lines, [], "once");
}

#[test]
fn a_plan_that_never_had_a_day_asks_for_nothing_else() {
    for proration in ["none", "days"] {
        let support = fee("support", "7", "in_arrears", proration);
        let mut world = World::under(&[fee("fee", "28", "in_advance", "days"), support]);
        drop(world.issue("2026-02-01T00:00:00Z"));
        world.change("2026-02-01", &[flat_rate("0.02", "pro_rata")]);
        let invoice = only(world.issue("2026-03-01T00:00:00Z"));
        assert_eq!(charged(&invoice.draft), ["fee fee -28"], "{proration}");
    }
}

#[test]
fn a_plan_without_a_fee_gives_back_what_was_paid_in_advance_for_its_days() {
    for (from, back, kept) in [("2026-02-01", "-28", "0"), ("2026-02-15", "-14", "14")] {
        let mut world = World::under(&[fee("fee", "28", "in_advance", "days")]);
        drop(world.issue("2026-02-01T00:00:00Z"));
        world.change(from, &[flat_rate("0.02", "pro_rata")]);
        let invoice = only(world.issue("2026-03-01T00:00:00Z"));
        assert_eq!(charged(&invoice.draft), [format!("fee fee {back}")]);
        assert_eq!(cost(&world, "2026-02-01"), read(kept));
    }
}

#[test]
fn a_whole_fee_that_was_paid_in_advance_stays_when_the_plan_changes() {
    for (name, total) in [("fee", "28"), ("other", "84")] {
        for from in ["2026-02-01", "2026-02-02", "2026-02-15", "2026-02-28"] {
            let mut world = World::under(&[fee("fee", "28", "in_advance", "none")]);
            drop(world.issue("2026-02-01T00:00:00Z"));
            world.change(from, &[fee(name, "56", "in_advance", "none")]);
            drop(world.issue("2026-03-01T00:00:00Z"));
            assert_eq!(cost(&world, "2026-02-01"), read(total), "{name} from {from} on");
        }
    }
}

#[test]
fn a_change_waits_for_the_invoice_of_its_period_however_often_the_run_comes() {
    let mut world = World::under(&[fee("fee", "28", "in_advance", "days")]);
    drop(world.issue("2026-02-01T00:00:00Z"));
    world.change("2026-02-15", &[fee("fee", "56", "in_advance", "days")]);
    for day in 1_u8..=28 {
        assert_eq!(world.issue(&format!("2026-02-{day:02}T12:00:00Z")), [], "on day {day}");
    }
    let invoice = only(world.issue("2026-03-01T00:00:00Z"));
    assert_eq!(charged(&invoice.draft), ["fee fee -14", "fee fee 28", "fee fee 56"]);
}

#[test]
fn a_fee_that_begins_within_a_period_is_asked_for_at_once() {
    let mut world = World::under(&[flat_rate("0.02", "pro_rata")]);
    world.record(&[call("a", "2026-01-10T00:00:00Z", 60_000)]);
    drop(world.issue("2026-02-01T00:00:00Z"));
    world.change("2026-02-15", &[fee("fee", "28", "in_advance", "days")]);
    let invoices = world.issue("2026-02-20T00:00:00Z");
    assert_eq!(issued(&invoices), owned(&[("advance", "2026-02-01", "14")]));
    assert_eq!(totals(&world.issue("2026-03-01T00:00:00Z")), ["28"], "March");
}

#[test]
fn the_running_bill_shows_a_fee_until_it_is_invoiced() {
    let mut world = World::under(&[fee("fee", "30", "in_advance", "none")]);
    let open = world.bill("2026-01-10T00:00:00Z").pop().unwrap();
    assert_eq!((open.kind, open.taxed.total), (InvoiceKind::Period, read("30")));
    drop(world.issue("2026-01-10T00:00:00Z"));
    assert_eq!(world.bill("2026-01-10T00:00:00Z").pop().unwrap().lines, []);
    let drafts = world.bill("2026-02-10T00:00:00Z");
    let shown: Vec<_> = drafts.iter().map(|draft| draft.taxed.total.to_string()).collect();
    assert_eq!(shown, ["30", "0"], "the invoice to come, and nothing beyond it");
}

#[test]
fn late_usage_brings_no_second_fee() {
    for timing in ["in_advance", "in_arrears"] {
        for proration in ["none", "days"] {
            let strategies = [fee("fee", "30", timing, proration), flat_rate("1", "pro_rata")];
            let mut world = World::under(&strategies);
            drop(world.issue("2026-03-01T00:00:00Z"));
            world.record(&[call("late", "2026-01-10T00:00:00Z", 60_000)]);
            let invoice = only(world.issue("2026-04-01T00:00:00Z"));
            let lines = ["calls calls 1", "fee fee 30"];
            assert_eq!(charged(&invoice.draft), lines, "{timing}, {proration}");
        }
    }
}

#[test]
fn a_fee_of_nothing_makes_no_line() {
    for timing in ["in_advance", "in_arrears"] {
        for proration in ["none", "days"] {
            let mut world = World::under(&[fee("fee", "0", timing, proration)]);
            assert_eq!(world.issue("2026-04-15T00:00:00Z"), [], "{timing}, {proration}");
        }
    }
}

#[test]
fn fees_stand_in_the_order_of_the_plan_and_those_of_the_next_period_last() {
    let tax = r#","tax":{"name":"VAT","percent":"10","mode":"added"}"#;
    let strategies = [
        fee("line", "5", "in_arrears", "none"),
        fee("desk", "20", "in_advance", "none"),
        flat_rate("1", "pro_rata"),
    ];
    let mut world = World::with(&settings("alice", tax), &strategies);
    world.record(&[call("a", "2026-01-10T00:00:00Z", 60_000)]);
    let invoice = only(world.issue("2026-02-01T00:00:00Z"));
    let lines = ["line fee 5", "desk fee 20", "calls calls 1", "desk fee 20"];
    assert_eq!(charged(&invoice.draft), lines);
    assert_eq!(invoice.draft.taxed.total, read("50.6"));
}
