//! Corrections of what was recorded: items taken back, amended and rated anew, before and after they are invoiced.

#[expect(dead_code, reason = "each file of tests is a crate of its own, which uses a part")]
mod common;

use billing_core::{
    correction::{Change, Selection},
    decide::{CorrectError, Corrected, ParkReason, Receipt},
    event::{Cause, JournalEntry},
    item::{CallEnded, Direction, Incoming, Item},
};
use common::{
    blocks, call, fee, flat_rate, named, one_off, partial, plan, read,
    said::{expected, only, said, totals},
    taken::{alice, replayed},
    world::World,
};

const TEN: &str = "2026-03-10T10:00:00Z";

/// How many items a correction changed, and the sum of the differences of what has no amount.
fn said_of(corrected: &Corrected) -> (u64, Vec<String>) {
    let quantities = &corrected.report.quantities;
    (corrected.report.changed, quantities.iter().map(|sum| sum.difference.to_string()).collect())
}

#[test]
fn what_is_taken_back_is_negated_and_names_the_correction() {
    let mut world = alice();
    world.calls(&[("a", TEN, 60_000)]);
    let key = call("a", TEN, 60_000).key;
    let first = world.postings()[0].clone();
    let corrected = world.void_item("ticket-7", &key).unwrap();
    assert_eq!(said_of(&corrected), (1, vec!["-60000".into()]));
    let [back] = corrected.writes.postings.as_slice() else { panic!("one posting") };
    assert_eq!((back.cause, &back.correction), (Cause::Void, &Some(read("ticket-7"))));
    assert_eq!((back.totals.count, back.totals.quantity), (-1, read("-60000")));
    assert_eq!(
        (back.day, &back.group, back.fingerprint),
        (first.day, &first.group, first.fingerprint)
    );
    let claim = &world.items[&key].claim;
    assert_eq!((claim.first_seq, claim.current_seq, claim.effective), (3, 4, 0));
    // Twice is once.
    let again = world.void_item("ticket-8", &key).unwrap();
    assert_eq!((said_of(&again), again.writes.postings.len()), ((0, vec![]), 0));
    assert_eq!(world.bill("2026-03-31T00:00:00Z")[0].taxed.total, read("0"));
}

#[test]
fn a_correction_after_an_invoice_is_on_the_next_one_as_the_difference() {
    // 10.5 minutes, of which a call of 2.5 minutes is taken back, or becomes one of half a minute.
    let cases = [
        (flat_rate("0.02", "pro_rata"), "0.21", "-0.05", "-0.04"),
        (flat_rate("0.02", "per_started_minute"), "0.22", "-0.06", "-0.04"),
        (blocks("call", "0.2"), "4.2", "-1", "-0.8"),
        (blocks("period", "0.2"), "4.2", "-1", "-0.8"),
        (blocks("lifetime", "0.2"), "4.2", "-1", "-0.8"),
    ];
    for (strategy, first, void, shorter) in cases {
        for (amended, difference) in [(None, void), (Some(30_000), shorter)] {
            let mut world = World::under(core::slice::from_ref(&strategy));
            world.calls(&[("a", TEN, 480_000), ("wrong", TEN, 150_000)]);
            let invoice = only(world.issue("2026-04-01T00:00:00Z"));
            assert_eq!(invoice.draft.taxed.total, read(first));
            let wrong = call("wrong", TEN, 150_000);
            let corrected = match amended {
                None => world.void_item("ticket-7", &wrong.key),
                Some(ms) => world.amend("ticket-7", call("wrong", TEN, ms)),
            };
            assert_eq!(corrected.unwrap().report.changed, 1);
            world.calls(&[("next", "2026-04-10T00:00:00Z", 60_000)]);
            let next = only(world.issue("2026-05-01T00:00:00Z"));
            let [late, _] = next.draft.lines.as_slice() else { panic!("two lines") };
            assert_eq!(late.amount, read(difference), "{strategy} {amended:?}");
            assert_eq!(late.before.billed, read(first));
            let parts: Vec<_> = late.parts.iter().map(|part| (part.revision, part.share)).collect();
            assert_eq!(parts, [(2, read(difference))]);
            assert_eq!(world.invoices[0], invoice, "what is issued stays so");
        }
    }
}

#[test]
fn an_invoice_of_nothing_but_what_was_taken_back_is_below_zero() {
    let mut world = World::under(&[flat_rate("0.02", "pro_rata")]);
    world.calls(&[("a", TEN, 600_000)]);
    assert_eq!(totals(&world.issue("2026-04-01T00:00:00Z")), ["0.2"]);
    world.void_item("ticket-7", &call("a", TEN, 0).key).unwrap();
    let next = world.issue("2026-05-01T00:00:00Z");
    assert_eq!(totals(&next), ["-0.2"]);
    assert_eq!(
        said(&next[0].draft.lines),
        expected(&[("2026-03-01", "at 0.02 a minute, pro rata", "-0.2")])
    );
    assert_eq!(world.issue("2026-06-01T00:00:00Z"), [], "nothing holds the account up");
}

#[test]
fn the_source_that_sends_an_amended_item_again_is_answered_with_what_counts() {
    let mut world = alice();
    let (first, right, other) = (call("a", TEN, 1), call("a", TEN, 2), call("a", TEN, 3));
    world.record(core::slice::from_ref(&first));
    world.amend("ticket-7", right.clone()).unwrap();
    let answers = world.take(&[first.clone(), right, other]).receipts;
    let known = Receipt::Replayed { account: read("alice"), first_seq: 3, current_seq: 5 };
    assert_eq!(answers[..2], [known.clone(), known]);
    assert!(matches!(answers[2], Receipt::Conflict { .. }), "{answers:?}");
    // Amended back, it is as it was reported.
    world.amend("ticket-8", first.clone()).unwrap();
    let item = &world.items[&first.key];
    assert_eq!((&item.claim.amended, item.content()), (&None, &Incoming::from(first).item));
}

#[test]
fn amended_content_is_rated_with_the_prices_of_its_own_time_and_day() {
    let mut world = World::under(&[flat_rate("0.02", "pro_rata")]);
    world.change("2026-03-15", &[flat_rate("0.04", "pro_rata")]);
    world.calls(&[("a", TEN, 60_000)]);
    world.amend("ticket-7", call("a", "2026-03-20T10:00:00Z", 60_000)).unwrap();
    let draft = &world.bill("2026-03-31T00:00:00Z")[0];
    assert_eq!(draft.taxed.total, read("0.04"));
    let posting = world.postings().pop().unwrap();
    assert_eq!((posting.cause, posting.assignment), (Cause::Amend, 2));
    assert_eq!(posting.day, read("2026-03-20"));
}

#[test]
fn what_cannot_be_priced_so_changes_nothing() {
    let calls = named("calls", "flat_rate", r#"{"per_minute":"0.02","minutes":"pro_rata"}"#);
    let calls = calls.replace("\"terms\"", r#""applies_to":{"directions":["outbound"]},"terms""#);
    let mut world = World::under(&[calls]);
    world.calls(&[("a", TEN, 60_000)]);
    let before = world.journal.clone();
    let mut inbound = call("a", TEN, 60_000);
    inbound.call.direction = Direction::Inbound;
    let unpriced = world.amend("1", inbound).unwrap().unpriced;
    let no_price = ParkReason::NoPrice { plan: read("basic"), version: 1 };
    assert_eq!(unpriced, [(call("a", TEN, 0).key, no_price)]);
    world.limits.call_duration_ms_max = 60_000;
    let long = call("a", TEN, 60_001);
    let (_, reason) = only(world.amend("2", long).unwrap().unpriced);
    assert_eq!(reason.code(), "too_long");
    let Item::OneOff(charge) = Incoming::from(one_off("a", TEN, "set-up", "1")).item else {
        panic!("a charge")
    };
    let (key, item) = (call("a", TEN, 0).key, Item::OneOff(charge));
    let error = world.correct("3", Change::Amend { key: key.clone(), item }).unwrap_err();
    assert_eq!(error, CorrectError::OtherKind { key: key.into(), ours: "call", theirs: "one_off" });
    assert_eq!(world.journal, before);
}

fn record(number: u32) -> CallEnded {
    partial(number, call("a", TEN, 60_000 + u64::from(number)))
}

#[test]
fn a_record_after_one_that_was_corrected_waits_for_somebody_to_decide() {
    for amended in [false, true] {
        let mut world = alice();
        world.record(&[record(1)]);
        let corrected = if amended {
            world.amend("ticket-7", partial(1, call("a", TEN, 5)))
        } else {
            world.void_item("ticket-7", &record(1).key)
        };
        assert_eq!(corrected.unwrap().report.changed, 1);
        let answers = world.take(&[record(2), record(0)]).receipts;
        let parked = Receipt::Parked(ParkReason::Corrected { other: record(1).key });
        assert_eq!(answers, [parked.clone(), parked]);
        let again = world.take(&[record(1)]).receipts;
        assert!(matches!(again[..], [Receipt::Replayed { .. }]), "{again:?}");
    }
}

#[test]
fn a_record_before_one_that_was_corrected_has_no_effect() {
    let mut world = alice();
    world.record(&[record(1), record(0)]);
    let by = record(0).key;
    let error = world.void_item("1", &record(1).key).unwrap_err();
    assert_eq!(
        error,
        CorrectError::Superseded { key: record(1).key.into(), by: by.clone().into() }
    );
    world.void_item("2", &by).unwrap();
    let late = world.take(&[record(2)]).receipts;
    assert_eq!(late, [Receipt::Superseded { account: read("alice"), by }]);
    assert_eq!(world.bill("2026-03-31T00:00:00Z")[0].taxed.total, read("0"));
}

#[test]
fn what_is_rated_anew_and_is_the_same_stays_as_it_is() {
    let mut world = alice();
    world.calls(&[("a", TEN, 60_000), ("b", TEN, 60_000)]);
    let rerate = Change::Rerate { selection: Selection::all() };
    let corrected = world.correct("june", rerate).unwrap();
    let report = &corrected.report;
    assert_eq!((report.examined, report.unchanged, report.changed), (2, 2, 0));
    assert_eq!(corrected.writes, billing_core::decide::Writes::default());
    assert_eq!(world.take(&[call("a", TEN, 60_000)]).receipts, [replayed(3)]);
}

#[test]
fn days_that_another_plan_took_over_leave_nothing_under_the_first() {
    let strategies =
        |price: &str| [flat_rate(price, "pro_rata"), fee("fee", "31", "in_arrears", "none")];
    let mut world = World::under(&strategies("0.02"));
    world.calls(&[("a", TEN, 60_000), ("b", "2026-03-05T10:00:00Z", 60_000)]);
    // As an assignment that comes with its rerate does.
    world.save(plan(2, &strategies("0.04")));
    let unused = core::mem::take(&mut world.totals);
    world.assign(&read("alice"), 2, "2026-03-01").unwrap();
    world.totals = unused;
    let rerate = Change::Rerate { selection: Selection::all() };
    assert_eq!(world.correct("plan", rerate).unwrap().report.changed, 2);
    let draft = &world.bill("2026-03-31T00:00:00Z")[2];
    let lines: Vec<_> =
        draft.lines.iter().filter(|line| !line.amount.is_zero()).map(|line| line.version).collect();
    assert_eq!((draft.taxed.total, lines), (read("31.08"), vec![2, 2]));
    let chain = world.journal["alice"].iter();
    let corrections = chain.filter(|entry| match entry {
        JournalEntry::Posting(posting) => posting.correction.is_some(),
        JournalEntry::Event(_) => false,
    });
    assert_eq!(corrections.count(), 4);
}
