//! From unbilled usage to drafts and invoices.
#![expect(clippy::indexing_slicing, reason = "a test may panic")]

#[expect(dead_code, reason = "each file of tests is a crate of its own, which uses a part")]
mod common;

use billing_core::{
    account::Assignment,
    decide,
    event::Happened,
    invoice::{Draft, Invoice, InvoiceKind},
    time::Instant,
    usage::{CarryKey, ScopeKey},
};
use common::{
    blocks, document, fee, flat_rate, named, plan, prepaid, read,
    said::{only, totals},
    settings,
    world::World,
};

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
        world.calls(&[("a", start, month_ms)]);
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
    world.calls(&[("a", "2026-03-10T09:00:00Z", 60_000)]);
    assert_eq!(world.issue("2026-03-31T21:59:59.999999Z"), []);
    let invoice = only(world.issue("2026-03-31T22:00:00Z"));
    assert_eq!(invoice.draft.start, read("2026-02-28T23:00:00Z"));
    assert_eq!(invoice.draft.end, read("2026-03-31T22:00:00Z"));
    assert_eq!(world.issue("2026-03-31T22:00:00Z"), [], "once");
}

#[test]
fn each_ended_period_has_its_own_invoice_oldest_first() {
    let mut world = World::under(&[flat_rate("0.02", "pro_rata")]);
    world.calls(&[
        ("d", "2026-05-10T00:00:00Z", 240_000),
        ("c", "2026-04-10T00:00:00Z", 180_000),
        ("a", "2026-01-10T00:00:00Z", 60_000),
    ]);
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
    let mut world = World::under(&[flat_rate("0.02", "pro_rata")]);
    world.calls(&[("a", "2026-01-10T00:00:00Z", 60_000), ("b", "2026-02-10T00:00:00Z", 60_000)]);
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
    world.calls(&[
        ("a", "2026-01-10T00:00:00Z", 61_234),
        ("b", "2026-02-10T00:00:00Z", 1_234_567),
        ("c", "2026-04-10T00:00:00Z", 7),
    ]);
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
    let mut world = World::under(&[blocks("lifetime", "0.005")]);
    world.calls(&[("a", "2026-01-10T00:00:00Z", 45_000), ("b", "2026-02-10T00:00:00Z", 45_000)]);
    let mut facts = world.bill_facts(&read("alice"), read("2026-03-01T00:00:00Z"));
    let invoices = world.issue("2026-03-01T00:00:00Z");
    for invoice in &invoices {
        let (draft, carries) =
            decide::settle(&facts, InvoiceKind::Period, invoice.draft.period).unwrap();
        assert_eq!(draft, invoice.draft);
        facts.carries = carries;
        facts.unbilled.retain(|total| total.key.day >= draft.period.end());
    }
    assert_eq!((invoices.len(), &facts.carries), (2, &world.carries));
}

#[test]
fn an_invoice_is_settled_again_under_the_assignments_that_were_known_then() {
    let strategies = [fee("fee", "28", "in_advance", "days"), prepaid("14", "days")];
    let mut world = World::under(&strategies);
    let advance = only(world.issue("2026-01-10T00:00:00Z"));
    let at = read("2026-02-01T00:00:00Z");
    let facts = world.bill_facts(&read("alice"), at);
    let january = only(world.issue("2026-02-01T00:00:00Z"));
    // What becomes known afterwards is in the store, and no part of the invoice.
    world.change("2026-02-15", &[fee("fee", "56", "in_advance", "days")]);
    let changed = world.bill_facts(&read("alice"), at);
    let settle = |assignments: &[Assignment]| {
        let mut facts = facts.clone();
        facts.plans.clone_from(&changed.plans);
        facts.account.assignments = assignments.to_vec();
        decide::settle(&facts, InvoiceKind::Period, january.draft.period).unwrap().0
    };
    let [first, second] = changed.account.assignments.as_slice() else { panic!("two plans") };
    assert_eq!(settle(core::slice::from_ref(first)), january.draft);
    assert_ne!(settle(&[first.clone(), second.clone()]), january.draft);
    let mut before = facts.clone();
    before.carries.clear();
    let period = advance.draft.period;
    let (draft, carries) = decide::settle(&before, InvoiceKind::Advance, period).unwrap();
    assert_eq!((draft, carries), (advance.draft, facts.carries));
}

#[test]
fn fractions_of_a_cent_are_kept_until_they_make_one() {
    let mut world = World::under(&[blocks("lifetime", "0.005")]);
    let mut issued = Vec::new();
    for month in 1_u8..=6 {
        let (id, next) = (format!("call-{month}"), month.checked_add(1).unwrap());
        world.calls(&[(&id, &format!("2026-{month:02}-10T00:00:00Z"), 30_000)]);
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
        world.calls(&[(&id, &format!("2026-{month:02}-10T00:00:00Z"), 30_000)]);
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
            world.calls(&[(&id, &format!("2026-{month:02}-10T00:00:00Z"), 30_000)]);
        }
        assert_eq!(totals(&world.issue("2026-04-01T00:00:00Z")), expected, "{rounding}");
    }
}

#[test]
fn a_line_is_shared_out_over_its_days() {
    let mut world = World::under(&[flat_rate("0.01", "pro_rata")]);
    world.calls(&[
        ("a", "2026-03-10T00:00:00Z", 60_000),
        ("b", "2026-03-11T00:00:00Z", 20_000),
        ("c", "2026-03-12T00:00:00Z", 100_000),
        ("d", "2026-03-13T00:00:00Z", 0),
    ]);
    let line = world.bill("2026-03-31T00:00:00Z").pop().unwrap().lines.pop().unwrap();
    assert_eq!(line.amount, read("0.03"));
    let shares: Vec<_> =
        line.parts.iter().map(|p| (p.day.day_of_month(), p.revision, p.share)).collect();
    let expected = [(10, "0.01"), (11, "0"), (12, "0.02"), (13, "0")];
    assert_eq!(shares, expected.map(|(day, share)| (day, 1, read(share))));
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
    world.calls(&[("a", "2026-03-10T00:00:00Z", 60_000)]);
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
    let mut world = World::under(&[blocks("period", "0.2")]);
    world.calls(&[("a", "2026-02-10T00:00:00Z", 1)]);
    drop(world.issue("2026-03-01T00:00:00Z"));
    world.change("2026-04-10", &[blocks("lifetime", "0.2")]);
    world.calls(&[("late", "2026-01-10T00:00:00Z", 1)]);
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
