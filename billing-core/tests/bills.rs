//! From unbilled usage to drafts and invoices: over plan changes, late usage and several periods.
#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::indexing_slicing, reason = "a test may panic")]
#![expect(clippy::panic_in_result_fn, reason = "a test may panic")]
#![expect(clippy::unnecessary_wraps, reason = "strategies have the signatures of the trait")]

#[expect(dead_code, reason = "each file of tests uses a part")]
mod common;

use billing_core::{
    decide::{self, AssignError, BillError, OpenAccountError},
    event::Happened,
    invoice::{Draft, Invoice, Line},
    item::{CallEnded, Direction, Item},
    money::{Amount, Exact, MoneyError, Quantity},
    plan::{Arrival, Bill, PlanBook, Priced, Problem, StretchFacts},
    time::Instant,
    usage::{CarryKey, Scope, ScopeKey, Totals, TotalsError},
};
use common::{
    EXACT, World, blocks, book, call, counted, document, flat_rate, named, plan, read, settings,
    strategy,
};

fn with(strategy: String) -> World {
    World::with(&settings("alice", ""), &[strategy])
}

fn own(scope: Scope, settle: common::Settle) -> World {
    let book = book(scope, counted, settle);
    World::with_book(book, &settings("alice", ""), &[strategy("own", "{}")])
}

/// Plan `basic` in version 2 from a day on.
fn change(world: &mut World, from: &str, strategies: &[String]) {
    world.save(plan(2, strategies));
    world.assign(&read("alice"), 2, from).unwrap();
}

fn take(world: &mut World, calls: &[(&str, &str, u64)]) {
    let calls: Vec<_> = calls.iter().map(|(id, start, ms)| call(id, start, *ms)).collect();
    let intake = world.take(&calls).intake;
    assert_eq!(intake.recorded, intake.received, "every call is recorded");
}

/// First day, text and amount of each line.
fn said(lines: &[Line]) -> Vec<(String, &str, String)> {
    let said = |line: &Line| line.stretch.start.to_string();
    lines.iter().map(|line| (said(line), line.text.as_str(), line.amount.to_string())).collect()
}

fn expected<'a>(lines: &[(&str, &'a str, &str)]) -> Vec<(String, &'a str, String)> {
    let owned = |(day, text, amount): &(&str, &'a str, &str)| {
        ((*day).to_owned(), *text, (*amount).to_owned())
    };
    lines.iter().map(owned).collect()
}

fn only(mut invoices: Vec<Invoice>) -> Invoice {
    assert_eq!(invoices.len(), 1, "one invoice");
    invoices.pop().unwrap()
}

fn totals(invoices: &[Invoice]) -> Vec<String> {
    invoices.iter().map(|invoice| invoice.draft.taxed.total.to_string()).collect()
}

#[test]
fn a_call_counts_in_the_period_in_which_it_starts() {
    let cases = [
        ("UTC", "2026-03-01T00:00:00Z", "2026-03-01"),
        ("UTC", "2026-03-31T23:59:00Z", "2026-03-01"),
        ("UTC", "2026-03-31T23:59:59.999999Z", "2026-03-01"),
        ("UTC", "2026-04-01T00:00:00Z", "2026-04-01"),
        ("UTC", "2026-03-31T22:00:00-05:00", "2026-04-01"),
        ("UTC", "2026-04-01T01:00:00+02:00", "2026-03-01"),
        ("Europe/Berlin", "2026-03-31T21:59:59Z", "2026-03-01"),
        ("Europe/Berlin", "2026-03-31T22:00:00Z", "2026-04-01"),
        ("America/New_York", "2026-04-01T03:59:59Z", "2026-03-01"),
        ("America/New_York", "2026-04-01T04:00:00Z", "2026-04-01"),
    ];
    // 31 days, charged whole to the day on which they began.
    let month_ms = 31 * 24 * 60 * 60 * 1_000;
    for (zone, start, period) in cases {
        let mut settings = settings("alice", "");
        settings.zone = read(zone);
        let mut world = World::with(&settings, &[flat_rate("0.02", "pro_rata")]);
        take(&mut world, &[("a", start, month_ms)]);
        let invoice = only(world.issue("2026-06-15T00:00:00Z"));
        let (found, total) = (invoice.draft.period.start(), invoice.draft.taxed.total);
        assert_eq!((found, total), (read(period), read("892.8")), "{start} in {zone}");
    }
}

#[test]
fn a_period_may_be_invoiced_from_its_last_midnight_on() {
    let mut settings = settings("alice", "");
    settings.zone = read("Europe/Berlin");
    let mut world = World::with(&settings, &[flat_rate("0.02", "pro_rata")]);
    take(&mut world, &[("a", "2026-03-10T09:00:00Z", 60_000)]);
    assert_eq!(world.issue("2026-03-31T21:59:59.999999Z"), []);
    let invoice = only(world.issue("2026-03-31T22:00:00Z"));
    assert_eq!(invoice.draft.start, read("2026-02-28T23:00:00Z"));
    assert_eq!(invoice.draft.end, read("2026-03-31T22:00:00Z"));
    assert_eq!(world.issue("2026-03-31T22:00:00Z"), [], "once");
}

#[test]
fn a_new_price_is_not_asked_for_what_was_used_before() {
    let mut world = with(flat_rate("0.02", "pro_rata"));
    change(&mut world, "2026-03-16", &[flat_rate("0.05", "pro_rata")]);
    take(
        &mut world,
        &[
            ("a", "2026-03-15T23:59:59Z", 600_000),
            ("b", "2026-03-16T00:00:00Z", 600_000),
            ("c", "2026-03-31T00:00:00Z", 60_000),
        ],
    );
    let invoice = only(world.issue("2026-04-01T00:00:00Z"));
    let lines = [
        ("2026-03-01", "at 0.02 a minute, pro rata", "0.2"),
        ("2026-03-16", "at 0.05 a minute, pro rata", "0.55"),
    ];
    assert_eq!(said(&invoice.draft.lines), expected(&lines));
    let versions: Vec<u32> = invoice.draft.lines.iter().map(|line| line.version).collect();
    assert_eq!(versions, [1, 2]);
    take(&mut world, &[("late", "2026-03-02T00:00:00Z", 60_000)]);
    let invoice = only(world.issue("2026-05-01T00:00:00Z"));
    let lines = [("2026-03-01", "at 0.02 a minute, pro rata", "0.02")];
    assert_eq!(said(&invoice.draft.lines), expected(&lines), "at the price of its day");
}

#[test]
fn each_stretch_of_a_flat_rate_is_rounded_on_its_own() {
    let mut world = with(flat_rate("0.01", "pro_rata"));
    change(&mut world, "2026-03-16", &[flat_rate("0.01", "pro_rata")]);
    // Half a cent on each side of the change.
    take(
        &mut world,
        &[("a", "2026-03-15T00:00:00Z", 30_000), ("b", "2026-03-16T00:00:00Z", 30_000)],
    );
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
            let mut world = with(blocks(scope, "0.2"));
            change(&mut world, "2026-03-16", &[blocks(scope, "0.5")]);
            // The order of arrival is not that of the days.
            take(&mut world, &[("b", "2026-03-20T00:00:00Z", after)]);
            take(&mut world, &[("a", "2026-03-10T00:00:00Z", before)]);
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
    let mut world = with(blocks("call", "0.2"));
    change(&mut world, "2026-03-16", &[blocks("call", "0.5")]);
    take(
        &mut world,
        &[("a", "2026-03-10T00:00:00Z", 20_000), ("b", "2026-03-20T00:00:00Z", 20_000)],
    );
    assert_eq!(totals(&world.issue("2026-04-01T00:00:00Z")), ["0.7"]);
}

#[test]
fn blocks_of_a_period_start_anew_with_the_next_one() {
    let mut world = with(blocks("period", "0.2"));
    take(
        &mut world,
        &[("a", "2026-03-10T00:00:00Z", 10_000), ("b", "2026-04-10T00:00:00Z", 10_000)],
    );
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
        let mut world = with(blocks("lifetime", "0.2"));
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
fn late_usage_is_on_the_next_invoice_as_the_difference() {
    let cases = [
        (flat_rate("0.02", "pro_rata"), "0.21", "0.05", "at 0.02 a minute, pro rata"),
        (flat_rate("0.02", "per_started_minute"), "0.22", "0.06", "at 0.02 a started minute"),
        (blocks("call", "0.2"), "4.2", "1", "5 blocks of 30 s at 0.2"),
        (blocks("period", "0.2"), "4.2", "1", "5 blocks of 30 s at 0.2"),
        (blocks("lifetime", "0.2"), "4.2", "1", "5 blocks of 30 s at 0.2"),
    ];
    for (strategy, first, difference, text) in cases {
        let mut world = with(strategy);
        // 10.5 minutes, and 2.5 that come late.
        take(&mut world, &[("a", "2026-03-10T00:00:00Z", 630_000)]);
        assert_eq!(totals(&world.issue("2026-04-01T00:00:00Z")), [first]);
        take(&mut world, &[("late", "2026-03-10T00:00:00Z", 150_000)]);
        take(&mut world, &[("next", "2026-04-10T00:00:00Z", 60_000)]);
        let invoice = only(world.issue("2026-05-01T00:00:00Z"));
        let [late, next] = invoice.draft.lines.as_slice() else { panic!("two lines") };
        assert_eq!(
            said(core::slice::from_ref(late)),
            expected(&[("2026-03-01", text, difference)])
        );
        assert_eq!(late.billed_before, read(first));
        assert_eq!(late.parts.iter().map(|part| part.revision).collect::<Vec<_>>(), [2]);
        assert_eq!(next.stretch.start, read("2026-04-01"));
    }
}

#[test]
fn late_usage_alone_makes_an_invoice_of_the_next_period() {
    let mut world = with(flat_rate("0.02", "pro_rata"));
    take(&mut world, &[("a", "2026-03-10T00:00:00Z", 60_000)]);
    drop(world.issue("2026-04-01T00:00:00Z"));
    take(&mut world, &[("late", "2026-03-11T00:00:00Z", 60_000)]);
    let invoice = only(world.issue("2026-05-01T00:00:00Z"));
    assert_eq!(invoice.draft.period.start(), read("2026-04-01"));
    assert_eq!(invoice.draft.lines[0].stretch.period.start(), read("2026-03-01"));
    assert_eq!(invoice.draft.taxed.total, read("0.02"));
}

#[test]
fn late_usage_of_several_periods_stands_in_order_of_time() {
    let mut world = with(flat_rate("0.02", "pro_rata"));
    change(&mut world, "2026-02-10", &[flat_rate("0.04", "pro_rata")]);
    take(&mut world, &[("a", "2026-04-10T00:00:00Z", 60_000)]);
    drop(world.issue("2026-05-01T00:00:00Z"));
    take(
        &mut world,
        &[
            ("e", "2026-05-01T00:00:00Z", 60_000),
            ("d", "2026-03-31T00:00:00Z", 60_000),
            ("c", "2026-02-10T00:00:00Z", 60_000),
            ("b", "2026-02-09T00:00:00Z", 60_000),
            ("a2", "2026-01-31T00:00:00Z", 60_000),
        ],
    );
    let invoice = only(world.issue("2026-06-01T00:00:00Z"));
    let (old, new) = ("at 0.02 a minute, pro rata", "at 0.04 a minute, pro rata");
    let lines = [
        ("2026-01-01", old, "0.02"),
        ("2026-02-01", old, "0.02"),
        ("2026-02-10", new, "0.04"),
        ("2026-03-01", new, "0.04"),
        ("2026-05-01", new, "0.04"),
    ];
    assert_eq!(said(&invoice.draft.lines), expected(&lines));
}

#[test]
fn a_period_without_usage_stays_open_for_late_usage() {
    let mut world = with(flat_rate("0.02", "pro_rata"));
    assert_eq!(world.issue("2026-04-01T00:00:00Z"), []);
    take(&mut world, &[("late", "2026-02-10T00:00:00Z", 60_000)]);
    let invoice = only(world.issue("2026-04-01T00:00:00Z"));
    assert_eq!(invoice.draft.period.start(), read("2026-02-01"), "it has its own invoice");
}

#[test]
fn each_ended_period_has_its_own_invoice_oldest_first() {
    let mut world = with(flat_rate("0.02", "pro_rata"));
    take(
        &mut world,
        &[
            ("d", "2026-05-10T00:00:00Z", 240_000),
            ("c", "2026-04-10T00:00:00Z", 180_000),
            ("a", "2026-01-10T00:00:00Z", 60_000),
        ],
    );
    let invoices = world.issue("2026-05-31T23:59:59Z");
    assert_eq!(totals(&invoices), ["0.02", "0.06"], "May has not ended");
    let periods: Vec<_> = invoices.iter().map(|i| i.draft.period.to_string()).collect();
    assert_eq!(periods, ["2026-01-01..2026-02-01", "2026-04-01..2026-05-01"]);
    let numbers: Vec<u64> = invoices.iter().map(|invoice| invoice.number).collect();
    assert_eq!(numbers, [1, 2]);
    let invoice = only(world.issue("2026-06-01T00:00:00Z"));
    assert_eq!((invoice.number, invoice.series.as_str()), (3, "2026"));
    assert_eq!(invoice.issued_at, world.now);
}

#[test]
fn an_invoice_is_an_event_with_its_number_and_digest() {
    let mut world = with(flat_rate("0.02", "pro_rata"));
    take(
        &mut world,
        &[("a", "2026-01-10T00:00:00Z", 60_000), ("b", "2026-02-10T00:00:00Z", 60_000)],
    );
    let facts = world.bill_facts(&read("alice"), read("2026-03-01T00:00:00Z"));
    let (as_of, series) = (read("2026-03-01T00:00:00Z"), read("2026"));
    let (invoices, writes) = decide::issue(&facts, as_of, &series, 41, world.now).unwrap();
    let numbers: Vec<u64> = invoices.iter().map(|invoice| invoice.number).collect();
    assert_eq!(numbers, [42, 43]);
    for ((event, invoice), seq) in writes.events.iter().zip(&invoices).zip(5_u64..) {
        let what = Happened::InvoiceIssued {
            series: read("2026"),
            number: invoice.number,
            total: read("0.02"),
            digest: invoice.digest(),
        };
        assert_eq!((event.seq, &event.what), (seq, &what));
    }
    assert_eq!(writes.invoices, invoices);
    let billed: Vec<_> = invoices.iter().flat_map(Invoice::part_keys).collect();
    let written: Vec<_> = writes.totals.iter().map(|total| total.key.clone()).collect();
    assert_eq!(billed, written, "each total is in a line");
    assert!(writes.totals.iter().all(|total| total.closed && total.billed));
}

#[test]
fn the_preview_says_what_the_invoice_will_say() {
    let strategies = [
        blocks("lifetime", "0.005"),
        named("minutes", "flat_rate", r#"{"per_minute":"0.013","minutes":"pro_rata"}"#),
    ];
    let more = r#","tax":{"name":"VAT","percent":"8.1","mode":"included"}"#;
    let mut world = World::with(&settings("alice", more), &strategies);
    take(
        &mut world,
        &[
            ("a", "2026-01-10T00:00:00Z", 61_234),
            ("b", "2026-02-10T00:00:00Z", 1_234_567),
            ("c", "2026-04-10T00:00:00Z", 7),
        ],
    );
    let previewed = world.bill("2026-05-02T00:00:00Z");
    let (open, ended) = previewed.split_last().unwrap();
    assert_eq!((open.period.start(), open.lines.len()), (read("2026-05-01"), 0));
    let before = world.clone();
    let issued: Vec<Draft> =
        world.issue("2026-05-02T00:00:00Z").into_iter().map(|invoice| invoice.draft).collect();
    assert_eq!(issued, ended);
    assert_eq!(world.bill("2026-05-02T00:00:00Z"), core::slice::from_ref(open));
    // One after the other gives the same as all at once.
    let mut stepwise = before;
    for as_of in ["2026-02-01", "2026-03-01", "2026-04-01", "2026-05-01"] {
        drop(stepwise.issue(&format!("{as_of}T00:00:00Z")));
    }
    let drafts: Vec<Draft> = stepwise.invoices.into_iter().map(|i| i.draft).collect();
    assert_eq!(drafts, issued);
    assert_eq!(stepwise.carries, world.carries);
}

#[test]
fn an_invoice_can_be_settled_again_from_what_it_was_made_of() {
    let mut world = with(blocks("lifetime", "0.005"));
    take(
        &mut world,
        &[("a", "2026-01-10T00:00:00Z", 45_000), ("b", "2026-02-10T00:00:00Z", 45_000)],
    );
    let mut facts = world.bill_facts(&read("alice"), read("2026-03-01T00:00:00Z"));
    let invoices = world.issue("2026-03-01T00:00:00Z");
    for invoice in &invoices {
        let (draft, carries) = decide::settle(&facts, invoice.draft.period).unwrap();
        assert_eq!(draft, invoice.draft);
        facts.carries = carries;
        facts.unbilled.retain(|total| total.key.day >= draft.period.end());
    }
    assert_eq!((invoices.len(), &facts.carries), (2, &world.carries));
}

#[test]
fn fractions_of_a_cent_are_kept_until_they_make_one() {
    let mut world = with(blocks("lifetime", "0.005"));
    let mut issued = Vec::new();
    for month in 1_u8..=6 {
        let (id, next) = (format!("call-{month}"), month.checked_add(1).unwrap());
        take(&mut world, &[(&id, &format!("2026-{month:02}-10T00:00:00Z"), 30_000)]);
        issued.extend(world.issue(&format!("2026-{next:02}-01T00:00:00Z")));
    }
    assert_eq!(totals(&issued), ["0.01", "0", "0.01", "0", "0.01", "0"]);
    let exact: Vec<String> = issued.iter().map(|i| i.draft.lines[0].exact.to_string()).collect();
    assert_eq!(exact, ["0.005", "0.01", "0.015", "0.02", "0.025", "0.03"]);
    // Bankers round the same halves to even.
    let more = r#","invoice":{"rounding":"half_even"}"#;
    let mut world = World::with(&settings("alice", more), &[blocks("lifetime", "0.005")]);
    for month in 1_u8..=4 {
        let id = format!("call-{month}");
        take(&mut world, &[(&id, &format!("2026-{month:02}-10T00:00:00Z"), 30_000)]);
    }
    assert_eq!(totals(&world.issue("2026-05-01T00:00:00Z")), ["0", "0.01", "0.01", "0"]);
}

#[test]
fn rounding_up_may_give_back_nothing_and_never_too_much() {
    for (rounding, expected) in [("up", ["0.01", "0", "0.01"]), ("down", ["0", "0.01", "0"])] {
        let more = format!(r#","invoice":{{"rounding":"{rounding}"}}"#);
        let mut world = World::with(&settings("alice", &more), &[blocks("lifetime", "0.005")]);
        for month in 1_u8..=3 {
            let id = format!("call-{month}");
            take(&mut world, &[(&id, &format!("2026-{month:02}-10T00:00:00Z"), 30_000)]);
        }
        assert_eq!(totals(&world.issue("2026-04-01T00:00:00Z")), expected, "{rounding}");
    }
}

/// Two euros a second up to ten seconds, and one euro for every second beyond that many in all.
fn by_volume(facts: &StretchFacts, bill: &mut Bill) -> Result<(), Problem> {
    for (group, usage) in &facts.usage {
        let after = usage.quantity_after()?;
        let price = if after > read("10000") { "0.001" } else { "0.002" };
        let all = Exact::from(after).mul(&read(price));
        bill.charge(group.clone(), all.sub(&usage.before.exact), format!("at {price} a ms"));
    }
    Ok(())
}

#[test]
fn a_cheaper_price_for_all_gives_back_on_the_next_invoice() {
    let mut world = own(Scope::Stretch, by_volume);
    take(&mut world, &[("a", "2026-03-10T00:00:00Z", 10_000)]);
    assert_eq!(totals(&world.issue("2026-04-01T00:00:00Z")), ["20"]);
    take(
        &mut world,
        &[("late", "2026-03-10T00:00:00Z", 1_000), ("late2", "2026-03-11T00:00:00Z", 2_000)],
    );
    let invoice = only(world.issue("2026-05-01T00:00:00Z"));
    let line = &invoice.draft.lines[0];
    assert_eq!((line.billed_before, line.amount), (read("20"), read("-7")));
    assert_eq!(line.exact, read("13"));
    let shares: Vec<Amount> = line.parts.iter().map(|part| part.share).collect();
    assert_eq!(shares, [read("-2.33"), read("-4.67")]);
    assert_eq!(invoice.draft.taxed.total, read("-7"));
}

#[test]
fn a_line_is_shared_out_over_its_days() {
    let mut world = with(flat_rate("0.01", "pro_rata"));
    take(
        &mut world,
        &[
            ("a", "2026-03-10T00:00:00Z", 60_000),
            ("b", "2026-03-11T00:00:00Z", 20_000),
            ("c", "2026-03-12T00:00:00Z", 100_000),
            ("d", "2026-03-13T00:00:00Z", 0),
        ],
    );
    let line = world.bill("2026-03-31T00:00:00Z").pop().unwrap().lines.pop().unwrap();
    assert_eq!(line.amount, read("0.03"));
    let shares: Vec<_> =
        line.parts.iter().map(|p| (p.day.day_of_month(), p.revision, p.share)).collect();
    let expected = [(10, "0.01"), (11, "0"), (12, "0.02"), (13, "0")];
    assert_eq!(shares, expected.map(|(day, share)| (day, 1, read(share))));
}

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
    let cases: [(common::Settle, &str, usize); 4] = [
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
    take(&mut world, &[("a", "2026-03-10T00:00:00Z", 1)]);
    let error = world.bill_of("alice", "2026-03-31T00:00:00Z").unwrap_err();
    assert_eq!(error.to_string(), "strategy calls cannot settle: no rate is known");
}

/// A fee of five euros a stretch, whether anybody called or not.
fn with_fee(facts: &StretchFacts, bill: &mut Bill) -> Result<(), Problem> {
    for group in facts.usage.keys() {
        bill.charge(group.clone(), Exact::zero(), "free".into());
    }
    let paid = facts.before.get("fee").map_or(Exact::zero(), |carry| carry.exact.clone());
    bill.charge(read("fee"), Exact::from_integer(5).sub(&paid), "fee".into());
    Ok(())
}

#[test]
fn a_fee_needs_no_usage_and_is_charged_once() {
    let mut world = own(Scope::Stretch, with_fee);
    let invoices = world.issue("2026-03-01T00:00:00Z");
    assert_eq!(totals(&invoices), ["5", "5"], "January and February");
    let fee = &invoices[0].draft.lines[0];
    assert_eq!((&fee.unit, fee.count, fee.quantity), (&None, 0, read("0")));
    assert_eq!(fee.parts, []);
    take(&mut world, &[("late", "2026-01-10T00:00:00Z", 1)]);
    let invoice = only(world.issue("2026-04-01T00:00:00Z"));
    let lines =
        [("2026-01-01", "free", "0"), ("2026-01-01", "fee", "0"), ("2026-03-01", "fee", "5")];
    assert_eq!(said(&invoice.draft.lines), expected(&lines), "late usage brings no second fee");
}

#[test]
fn a_plan_is_charged_for_the_stretches_it_has_days_in() {
    let cases = [("2026-02-28", "20"), ("2026-03-01", "15"), ("2026-03-02", "20")];
    for (from, total) in cases {
        let mut world = own(Scope::Stretch, with_fee);
        change(&mut world, from, &[strategy("own", "{}")]);
        let invoices = world.issue("2026-04-01T00:00:00Z");
        let sum = invoices.iter().try_fold(Amount::ZERO, |sum, invoice| {
            assert!(invoice.draft.lines.iter().all(|line| line.stretch.start < line.stretch.end));
            sum.checked_add(invoice.draft.taxed.total)
        });
        assert_eq!(sum, Ok(read(total)), "three months, changed on {from}");
    }
}

/// Seven cents for every answered call and one cent for every started second.
fn with_surcharge(arrival: &Arrival<'_>) -> Result<Priced, Problem> {
    let Item::Call(call) = arrival.item() else { return Err(Problem("not a call".into())) };
    let seconds = call.charged_ms().div_ceil(1_000);
    let cents = i128::from(seconds).checked_add(7).filter(|_| seconds > 0).unwrap_or(0);
    let amount = Some(Amount::from_units(cents, arrival.currency().decimals())?);
    let quantity = Quantity::from_u64(seconds)?;
    let totals = Totals { count: i64::from(seconds > 0), quantity, amount };
    Ok(Priced::new(read("s"), totals))
}

fn as_arrived(facts: &StretchFacts, bill: &mut Bill) -> Result<(), Problem> {
    for (group, usage) in &facts.usage {
        let amount = usage.unbilled.amount.ok_or_else(|| Problem("no amount".into()))?;
        bill.charge(group.clone(), Exact::from(amount), "as arrived".into());
    }
    Ok(())
}

#[test]
fn amounts_decided_on_arrival_add_up_exactly() {
    let book = book(Scope::Stretch, with_surcharge, as_arrived);
    let mut world = World::with_book(
        book,
        &settings("alice", ""),
        &[strategy("own", r#"{"surcharge":"0.07"}"#)],
    );
    let calls = [
        ("a", "2026-03-10T00:00:00Z", 1),
        ("b", "2026-03-10T00:00:00Z", 1_001),
        ("c", "2026-03-11T00:00:00Z", 0),
        ("d", "2026-03-12T00:00:00Z", 60_000),
    ];
    take(&mut world, &calls);
    let invoice = only(world.issue("2026-04-01T00:00:00Z"));
    let line = &invoice.draft.lines[0];
    // 8 + 9 + 0 + 67 cents.
    assert_eq!((line.amount, line.count, line.quantity), (read("0.84"), 3, read("63")));
    let shares: Vec<Amount> = line.parts.iter().map(|part| part.share).collect();
    assert_eq!(shares, [read("0.17"), read("0"), read("0.67")], "each day has its own amounts");
    take(&mut world, &[("late", "2026-03-10T00:00:00Z", 1)]);
    assert_eq!(totals(&world.issue("2026-05-01T00:00:00Z")), ["0.08"]);
}

#[test]
fn usage_of_a_strategy_its_plan_does_not_have_is_never_lost() {
    let mut world = with(flat_rate("0.02", "pro_rata"));
    take(&mut world, &[("a", "2026-03-10T00:00:00Z", 60_000)]);
    drop(world.specs.insert((read("basic"), 1), plan(1, &[named("other", "flat_rate", RATE)])));
    let error = world.bill_of("alice", "2026-03-31T00:00:00Z").unwrap_err();
    assert_eq!(error, BillError::Orphaned { strategy: read("calls"), count: 1 });
    assert_eq!(world.issue_of("alice", "2026-04-01T00:00:00Z").unwrap_err(), error);
}

const RATE: &str = r#"{"per_minute":"0.02","minutes":"pro_rata"}"#;

#[test]
fn usage_without_a_plan_is_never_lost() {
    let mut world = with(flat_rate("0.02", "pro_rata"));
    take(&mut world, &[("a", "2026-03-10T00:00:00Z", 60_000)]);
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
fn a_plan_that_cannot_be_built_parks_the_bill_and_not_what_ended_before() {
    let own = book(Scope::Stretch, counted, as_arrived);
    let mut world = World::with_book(own, &settings("alice", ""), &[flat_rate("0.02", "pro_rata")]);
    change(&mut world, "2026-04-10", &[strategy("own", "{}")]);
    take(&mut world, &[("a", "2026-03-10T00:00:00Z", 60_000)]);
    world.book = PlanBook::standard();
    assert_eq!(world.issue("2026-04-15T00:00:00Z").len(), 1, "March");
    let error = world.bill_of("alice", "2026-04-15T00:00:00Z").unwrap_err();
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
    let mut world = with(flat_rate("0.02", "pro_rata"));
    world.limits.call_duration_ms_max = u64::MAX;
    take(&mut world, &[("a", "2026-03-10T00:00:00Z", full)]);
    assert_eq!(world.bill("2026-03-31T00:00:00Z")[0].taxed.total, read("333333333333.33"));
    take(&mut world, &[("b", "2026-03-11T00:00:00Z", 1)]);
    let error = world.bill_of("alice", "2026-03-31T00:00:00Z").unwrap_err();
    assert!(matches!(error, BillError::Totals(TotalsError::Money(_))), "{error}");
    let terms = r#"{"block_ms":1,"per_block":"999","scope":"call"}"#;
    let mut world = with(strategy("blocks", terms));
    world.limits.call_duration_ms_max = u64::MAX;
    take(&mut world, &[("a", "2026-03-10T00:00:00Z", full)]);
    let error = world.bill_of("alice", "2026-03-31T00:00:00Z").unwrap_err();
    assert!(matches!(error, BillError::Money(MoneyError::OutOfBounds { .. })), "{error}");
}

#[test]
fn an_account_without_a_plan_has_no_bill() {
    let mut world = World::empty();
    world.open(&settings("alice", ""));
    assert_eq!(world.bill("2026-03-31T00:00:00Z"), []);
    assert_eq!(world.issue("2026-04-01T00:00:00Z"), []);
    world.save(plan(1, &[flat_rate("0.02", "pro_rata")]));
    world.assign(&read("alice"), 1, "2026-04-01").unwrap();
    assert_eq!(world.bill("2026-03-31T00:00:00Z"), [], "its plan begins later");
}

#[test]
fn the_periods_due_are_those_since_the_last_invoice() {
    let mut world = World::empty();
    let mut settings = settings("alice", "");
    settings.anchor = document(r#"{"from":"2026-01-31","months":1}"#);
    world.open(&settings);
    world.save(plan(1, &[flat_rate("0.02", "pro_rata")]));
    world.assign(&settings.id, 1, "2026-02-10").unwrap();
    let due = |world: &World, at: &str| -> Vec<String> {
        let account = &world.accounts["alice"];
        let periods = decide::due_periods(account, read(at)).unwrap();
        periods.iter().map(ToString::to_string).collect()
    };
    assert_eq!(due(&world, "2026-02-09T00:00:00Z"), [""; 0]);
    let [first, second, third] =
        ["2026-01-31..2026-02-28", "2026-02-28..2026-03-31", "2026-03-31..2026-04-30"];
    assert_eq!(due(&world, "2026-02-10T00:00:00Z"), [first]);
    assert_eq!(due(&world, "2026-03-31T00:00:00Z"), [first, second, third]);
    take(&mut world, &[("a", "2026-03-10T00:00:00Z", 60_000)]);
    assert_eq!(is_invoiced(&world, "2026-03-31T00:00:00Z"), Ok(false));
    let invoice = only(world.issue("2026-03-31T00:00:00Z"));
    assert_eq!(invoice.draft.period.to_string(), second, "the first one had nothing");
    assert_eq!(is_invoiced(&world, "2026-03-31T00:00:00Z"), Ok(true));
    assert_eq!(is_invoiced(&world, "2026-04-30T00:00:00Z"), Ok(false));
    assert_eq!(due(&world, "2026-03-30T00:00:00Z"), [""; 0]);
    assert_eq!(due(&world, "2026-03-31T00:00:00Z"), [third]);
    let account = &world.accounts["alice"];
    assert!(decide::due_periods(account, Instant::MAX).is_err(), "the calendar ends");
}

fn is_invoiced(world: &World, as_of: &str) -> Result<bool, billing_core::time::TimeError> {
    decide::is_invoiced(&world.accounts["alice"], read(as_of))
}

#[test]
fn the_scopes_to_load_are_those_a_bill_may_touch() {
    let mut world = with(blocks("period", "0.2"));
    take(&mut world, &[("a", "2026-02-10T00:00:00Z", 1)]);
    drop(world.issue("2026-03-01T00:00:00Z"));
    change(&mut world, "2026-04-10", &[blocks("lifetime", "0.2")]);
    take(&mut world, &[("late", "2026-01-10T00:00:00Z", 1)]);
    let unbilled: Vec<_> = world.totals.values().filter(|total| !total.billed).cloned().collect();
    let account = &world.accounts["alice"];
    let scopes = decide::scopes_touched(account, &unbilled, read("2026-04-15T00:00:00Z")).unwrap();
    let scopes: Vec<String> = scopes.iter().map(ToString::to_string).collect();
    let expected = [
        "stretch:2026-01-01:1",
        "stretch:2026-03-01:1",
        "stretch:2026-04-01:1",
        "stretch:2026-04-01:2",
        "period:2026-01-01",
        "period:2026-03-01",
        "period:2026-04-01",
        "lifetime",
    ];
    assert_eq!(scopes, expected);
    let carried: Vec<_> = world.carries.keys().collect();
    let key = CarryKey {
        account: read("alice"),
        scope: ScopeKey::Period(read("2026-02-01")),
        strategy: read("calls"),
        group: read("calls"),
    };
    assert_eq!(carried, [&key]);
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
    take(&mut world, &[("a", "2026-03-10T00:00:00Z", 1)]);
    let error = world.issue_of("alice", "2026-04-01T00:00:00Z").unwrap_err();
    assert!(error.to_string().starts_with("strategy calls cannot settle: exact number"), "{error}");
}

#[test]
fn a_plan_starts_after_what_was_assigned_rated_or_invoiced() {
    let mut world = with(flat_rate("0.02", "pro_rata"));
    let alice = read("alice");
    world.save(plan(2, &[flat_rate("0.03", "pro_rata")]));
    take(&mut world, &[("a", "2026-02-10T00:00:00Z", 60_000)]);
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
    let facts = decide::AssignFacts { account, plan: &plan_1, plans, used: None };
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
    let mut world = with(flat_rate("0.02", "pro_rata"));
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
    take(&mut world, &calls);
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
