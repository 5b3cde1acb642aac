//! What a change of plan does to prices and counts, and when a plan may start.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[expect(dead_code, reason = "each file of tests is a crate of its own, which uses a part")]
mod common;

use billing_core::{
    decide::{self, AssignError, OpenAccountError},
    invoice::{Invoice, Line},
    item::CallEnded,
    money::Amount,
    plan::{Bill, StretchFacts},
    terms::Overrides,
    usage::Scope,
};
use common::{
    EXACT, blocks, call, flat_rate,
    own::{book, counted},
    plan, read,
    said::{expected, only, said, totals},
    settings, strategy,
    world::World,
};

#[test]
fn a_new_price_is_not_asked_for_what_was_used_before() {
    let mut world = World::under(&[flat_rate("0.02", "pro_rata")]);
    world.change("2026-03-16", &[flat_rate("0.05", "pro_rata")]);
    world.calls(&[
        ("a", "2026-03-15T23:59:59Z", 600_000),
        ("b", "2026-03-16T00:00:00Z", 600_000),
        ("c", "2026-03-31T00:00:00Z", 60_000),
    ]);
    let invoice = only(world.issue("2026-04-01T00:00:00Z"));
    let lines = [
        ("2026-03-01", "at 0.02 a minute, pro rata", "0.2"),
        ("2026-03-16", "at 0.05 a minute, pro rata", "0.55"),
    ];
    assert_eq!(said(&invoice.draft.lines), expected(&lines));
    let versions: Vec<u32> = invoice.draft.lines.iter().map(|line| line.version).collect();
    assert_eq!(versions, [1, 2]);
    world.calls(&[("late", "2026-03-02T00:00:00Z", 60_000)]);
    let invoice = only(world.issue("2026-05-01T00:00:00Z"));
    let lines = [("2026-03-01", "at 0.02 a minute, pro rata", "0.02")];
    assert_eq!(said(&invoice.draft.lines), expected(&lines), "at the price of its day");
}

#[test]
fn each_stretch_of_a_flat_rate_is_rounded_on_its_own() {
    let mut world = World::under(&[flat_rate("0.01", "pro_rata")]);
    world.change("2026-03-16", &[flat_rate("0.01", "pro_rata")]);
    // Half a cent on each side of the change.
    world.calls(&[("a", "2026-03-15T00:00:00Z", 30_000), ("b", "2026-03-16T00:00:00Z", 30_000)]);
    let invoice = only(world.issue("2026-04-01T00:00:00Z"));
    let amounts: Vec<Amount> = invoice.draft.lines.iter().map(|line| line.amount).collect();
    assert_eq!(amounts, [read("0.01"), read("0.01")]);
}

#[test]
fn blocks_of_a_period_go_on_counting_over_a_plan_change() {
    // Talk before and after the change; blocks and amount under the old price 0.2 and the new price 0.5.
    let cases = [
        (20_000, 20_000, ("1", "0.2"), ("1", "0.5")),
        (10_000, 10_000, ("1", "0.2"), ("0", "0")),
        (10_000, 50_001, ("1", "0.2"), ("2", "1")),
        (30_000, 30_000, ("1", "0.2"), ("1", "0.5")),
        (545_000, 545_000, ("19", "3.8"), ("18", "9")),
    ];
    for scope in ["period", "lifetime"] {
        for (before, after, (blocks_before, old), (blocks_after, new)) in cases {
            let mut world = World::under(&[blocks(scope, "0.2")]);
            world.change("2026-03-16", &[blocks(scope, "0.5")]);
            // The order of arrival is not that of the days.
            world.calls(&[("b", "2026-03-20T00:00:00Z", after)]);
            world.calls(&[("a", "2026-03-10T00:00:00Z", before)]);
            let invoice = only(world.issue("2026-04-01T00:00:00Z"));
            let texts = [
                format!("{blocks_before} blocks of 30 s at 0.2"),
                format!("{blocks_after} blocks of 30 s at 0.5"),
            ];
            let lines =
                [("2026-03-01", texts[0].as_str(), old), ("2026-03-16", texts[1].as_str(), new)];
            assert_eq!(said(&invoice.draft.lines), expected(&lines), "{before} + {after} ms");
        }
    }
}

#[test]
fn blocks_of_each_call_do_not_go_on_over_a_plan_change() {
    let mut world = World::under(&[blocks("call", "0.2")]);
    world.change("2026-03-16", &[blocks("call", "0.5")]);
    world.calls(&[("a", "2026-03-10T00:00:00Z", 20_000), ("b", "2026-03-20T00:00:00Z", 20_000)]);
    assert_eq!(totals(&world.issue("2026-04-01T00:00:00Z")), ["0.7"]);
}

#[test]
fn blocks_of_a_period_start_anew_with_the_next_one() {
    let mut world = World::under(&[blocks("period", "0.2")]);
    world.calls(&[("a", "2026-03-10T00:00:00Z", 10_000), ("b", "2026-04-10T00:00:00Z", 10_000)]);
    assert_eq!(totals(&world.issue("2026-05-01T00:00:00Z")), ["0.2", "0.2"]);
}

#[test]
fn blocks_of_a_lifetime_are_the_same_however_they_are_invoiced() {
    // 400 calls of 10.001 s make 134 blocks.
    let start = |i: u32| {
        let day = i.checked_rem(28).unwrap().checked_add(1).unwrap();
        let month = i.checked_rem(5).unwrap().checked_add(1).unwrap();
        format!("2026-{month:02}-{day:02}T09:00:00Z")
    };
    let calls: Vec<CallEnded> =
        (0_u32..400).map(|i| call(&format!("call-{i}"), &start(i), 10_001)).collect();
    let runs = ["2026-02-01", "2026-03-01", "2026-04-01", "2026-05-01", "2026-06-01"];
    for from in 0..runs.len() {
        let mut world = World::under(&[blocks("lifetime", "0.2")]);
        drop(world.take(&calls));
        for run in runs.get(from..).unwrap() {
            drop(world.issue(&format!("{run}T00:00:00Z")));
        }
        let blocks: u64 = world.invoices.iter().map(count_of_blocks).sum();
        assert_eq!((world.invoices.len(), blocks), (5, 134), "from run {from} on");
        let sum = world
            .invoices
            .iter()
            .try_fold(Amount::ZERO, |sum, invoice| sum.checked_add(invoice.draft.taxed.total));
        assert_eq!(sum, Ok(read("26.8")));
    }
}

fn count_of_blocks(invoice: &Invoice) -> u64 {
    let first = |line: &Line| line.text.split(' ').next().unwrap().parse::<u64>().unwrap();
    invoice.draft.lines.iter().map(first).sum()
}

#[test]
fn a_plan_starts_after_what_was_assigned_rated_or_invoiced() {
    let mut world = World::under(&[flat_rate("0.02", "pro_rata")]);
    let alice = read("alice");
    world.save(plan(2, &[flat_rate("0.03", "pro_rata")]));
    world.calls(&[("a", "2026-02-10T00:00:00Z", 60_000)]);
    let taken = AssignError::Taken {
        account: read("alice"),
        plan: read("basic"),
        version: 1,
        from: read("2026-01-01"),
    };
    assert_eq!(world.assign(&alice, 2, "2026-01-01"), Err(taken));
    let used = |from| {
        let (account, used) = (read("alice"), read("2026-02-10"));
        AssignError::Used { account, used, from: read(from) }
    };
    assert_eq!(world.assign(&alice, 2, "2026-02-10"), Err(used("2026-02-10")));
    drop(world.issue("2026-03-01T00:00:00Z"));
    let invoiced = AssignError::Invoiced {
        account: read("alice"),
        until: read("2026-03-01"),
        from: read("2026-02-28"),
    };
    assert_eq!(world.assign(&alice, 2, "2026-02-28"), Err(invoiced));
    assert_eq!(world.assign(&alice, 2, "2026-03-01"), Ok(()));
    let plan_1 = world.book.build(world.specs[&(read("basic"), 1)].clone()).unwrap();
    let (account, plans) = (&world.accounts[&alice], &world.plans_of(&alice));
    let overrides = &Overrides::none();
    let facts = decide::AssignFacts { account, plan: &plan_1, overrides, plans, used: None };
    let again = decide::assign(facts, read("2026-01-01"), world.now);
    assert_eq!(again, Ok(None), "assigning it again is a replay");
    let mut francs = plan(3, &[flat_rate("0.02", "pro_rata")]);
    francs.currency = read("CHF");
    world.save(francs);
    let error = world.assign(&alice, 3, "2026-05-01").unwrap_err();
    assert_eq!(
        error.to_string(),
        "plan basic is in CHF, account alice in EUR: they must be the same"
    );
    assert!(matches!(world.assign(&alice, 2, "9999-12-15"), Err(AssignError::Time(_))));
}

#[test]
fn a_plan_may_start_before_another_where_nothing_was_rated() {
    let mut world = World::under(&[flat_rate("0.02", "pro_rata")]);
    let alice = read("alice");
    world.save(plan(2, &[flat_rate("0.03", "pro_rata")]));
    world.save(plan(3, &[flat_rate("0.05", "pro_rata")]));
    assert_eq!(world.assign(&alice, 2, "2026-05-01"), Ok(()), "a change that is planned");
    assert_eq!(world.assign(&alice, 3, "2026-03-15"), Ok(()), "does not hinder an earlier one");
    assert_eq!(world.assign(&alice, 3, "2025-12-01"), Ok(()), "nor one before the first");
    let assignments = &world.accounts[&alice].assignments;
    let order: Vec<_> = assignments.iter().map(|a| (a.version, a.number)).collect();
    assert_eq!(order, [(3, 4), (1, 1), (3, 3), (2, 2)], "in order of days, numbered as made");
    let calls = [
        ("a", "2025-12-31T00:00:00Z", 600_000),
        ("b", "2026-03-14T00:00:00Z", 600_000),
        ("c", "2026-03-15T00:00:00Z", 600_000),
    ];
    world.calls(&calls);
    let drafts = world.bill("2026-03-31T00:00:00Z");
    let lines = drafts.iter().flat_map(|draft| &draft.lines);
    let amounts: Vec<_> = lines.map(|line| (line.stretch.assignment, line.amount)).collect();
    assert_eq!(amounts, [(4, read("0.5")), (1, read("0.2")), (3, read("0.5"))]);
}

#[test]
fn what_counts_over_a_change_of_plan_keeps_its_kind() {
    let over_periods = |_: &StretchFacts, _: &mut Bill| Ok(());
    let book = book(Scope::Period, counted, over_periods);
    let mut world = World::with_book(book, &settings("alice", EXACT), &[blocks("period", "0.2")]);
    let alice = read("alice");
    world.save(plan(2, &[strategy("own", "{}")]));
    world.save(plan(3, &[blocks("call", "0.2")]));
    let error = world.assign(&alice, 2, "2026-03-01").unwrap_err();
    assert!(matches!(error, AssignError::OtherKind { .. }), "{error}");
    assert_eq!(world.assign(&alice, 3, "2026-03-01"), Ok(()), "a stretch begins anew");
}

#[test]
fn an_account_is_opened_once_with_the_same_settings() {
    let mut world = World::empty();
    let settings = settings("alice", EXACT);
    world.open(&settings);
    let existing = world.accounts.get(&settings.id);
    assert_eq!(decide::open_account(existing, &settings, world.now), Ok(None));
    let mut other = settings.clone();
    other.zone = read("Europe/Berlin");
    let account = settings.id;
    let error = decide::open_account(existing, &other, world.now).unwrap_err();
    assert_eq!(error, OpenAccountError::Differs { account });
}
