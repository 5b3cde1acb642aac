//! Partial records of one call: which of them counts, in whatever order they come.
#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::indexing_slicing, reason = "a test may panic")]
#![expect(clippy::arithmetic_side_effects, reason = "the oracles compute far below their bounds")]

#[expect(dead_code, reason = "each file of tests is a crate of its own, which uses a part")]
mod common;

use billing_core::{
    decide::{Days, Moved, ParkReason, Receipt},
    event::{Cause, Posting},
    item::{CallEnded, ItemKey},
    time::Day,
    usage::Totals,
};
use common::{
    batch, call, flat_rate, labelled, named, one_off, partial, per_unit, plan, pulse, read,
    said::{only, total},
    settings,
    taken::{alice, recorded, replayed},
    world::World,
};

const TEN: &str = "2026-03-10T10:00:00Z";

/// A record of the one call of these tests, that tells a minute for each number; 0 is the final one, of 10 minutes.
fn record(number: u32) -> CallEnded {
    let minutes = if number == 0 { 10 } else { u64::from(number) };
    partial(number, call("a", TEN, minutes * 60_000))
}

fn key(number: u32) -> ItemKey {
    record(number).key
}

/// Count and quantity over all days and revisions.
fn counted(world: &World) -> (i64, String) {
    let totals = world.totals.values().map(|total| total.totals);
    let sum = totals.fold(Totals::nothing(None), |sum, more| sum.checked_add(more).unwrap());
    (sum.count, sum.quantity.to_string())
}

/// All orders of some things.
fn orders(of: &[u32]) -> Vec<Vec<u32>> {
    let Some((first, rest)) = of.split_first() else { return vec![Vec::new()] };
    let with_first = |order: Vec<u32>| {
        (0..=order.len()).map(move |at| [&order[..at], &[*first], &order[at..]].concat())
    };
    orders(rest).into_iter().flat_map(with_first).collect()
}

/// The sentence that an answer says, without the numbers of the journal.
fn answer(receipt: &Receipt) -> String {
    match receipt {
        Receipt::Recorded { .. } => "recorded".into(),
        Receipt::Superseded { by, .. } => format!("superseded by {by}"),
        Receipt::Replayed { .. } => "replayed".into(),
        Receipt::Conflict { .. } => "in conflict".into(),
        Receipt::Parked(reason) => format!("parked: {reason}"),
        Receipt::Refused => "refused".into(),
    }
}

#[test]
fn a_later_record_supersedes_an_earlier_one() {
    let cases = [
        (0, 1, true),
        (0, u32::MAX, true),
        (2, 1, true),
        (1, 2, false),
        (1, 1, false),
        (1, 0, false),
        (0, 0, false),
    ];
    for (one, other, supersedes) in cases {
        assert_eq!(key(one).supersedes(&key(other)), supersedes, "{one} over {other}");
    }
    let change: [fn(&mut ItemKey); 3] =
        [|k| k.source = read("x"), |k| k.id = read("x"), |k| k.leg = Some(read("x"))];
    for change in change {
        let mut other = key(1);
        change(&mut other);
        assert!(!key(0).supersedes(&other), "{other} is other usage");
    }
}

#[test]
fn whatever_the_order_the_last_record_alone_counts() {
    for numbers in [vec![1, 2, 0], vec![1, 2, 3, 0], vec![1, 2, 3], vec![7, 3]] {
        let last = if numbers.contains(&0) { 0 } else { *numbers.iter().max().unwrap() };
        let expected = (1, record(last).call.duration_ms.to_string());
        for order in orders(&numbers) {
            let records: Vec<_> = order.iter().map(|number| record(*number)).collect();
            let mut at_once = alice();
            at_once.record(&records);
            assert_eq!(counted(&at_once), expected, "{order:?} in one batch");
            for split in 0..=records.len() {
                let mut piecemeal = alice();
                piecemeal.record(&records[..split]);
                piecemeal.record(&records[split..]);
                assert_eq!(counted(&piecemeal), expected, "{order:?} split at {split}");
                assert_eq!(piecemeal.postings(), at_once.postings(), "{order:?} at {split}");
            }
            let mut one_by_one = alice();
            for record in &records {
                one_by_one.record(std::slice::from_ref(record));
            }
            assert_eq!(counted(&one_by_one), expected, "{order:?} one by one");
            assert_eq!(one_by_one.items.len(), records.len(), "all of them are kept");
        }
    }
}

#[test]
fn each_record_is_told_what_became_of_it() {
    let cases: [(&[u32], &[&str]); 6] = [
        (&[1, 2, 0], &["recorded", "recorded", "recorded"]),
        (&[0, 1], &["recorded", "superseded by switch/a"]),
        (&[2, 1, 0], &["recorded", "superseded by switch/a#2", "recorded"]),
        (&[1, 1, 2, 1], &["recorded", "replayed", "recorded", "replayed"]),
        (&[0, 1, 1, 0], &["recorded", "superseded by switch/a", "replayed", "replayed"]),
        (&[3, 2, 1], &["recorded", "superseded by switch/a#3", "superseded by switch/a#3"]),
    ];
    for (numbers, answers) in cases {
        let mut world = alice();
        let records: Vec<_> = numbers.iter().map(|number| record(*number)).collect();
        let taken = world.take(&records);
        let told: Vec<_> = taken.receipts.iter().map(answer).collect();
        assert_eq!(told, answers, "{numbers:?}");
        let distinct = records.iter().map(|r| &r.key).collect::<std::collections::BTreeSet<_>>();
        assert_eq!(usize::try_from(taken.intake.recorded), Ok(distinct.len()), "{numbers:?}");
    }
}

#[test]
fn what_an_earlier_record_posted_is_taken_back_before_the_later_one_is_posted() {
    let mut world = alice();
    world.record(&[record(1)]);
    let writes = world.take(&[record(0)]).writes;
    let of = |posting: &Posting| {
        (posting.seq, posting.item.to_string(), posting.cause, posting.totals.quantity.to_string())
    };
    let expected = [
        (4, "switch/a#1".to_owned(), Cause::Superseded, "-60000".to_owned()),
        (5, "switch/a".to_owned(), Cause::Rated, "600000".to_owned()),
    ];
    assert_eq!(writes.postings.iter().map(of).collect::<Vec<_>>(), expected);
    assert_eq!(writes.postings[0].totals.count, -1);
    let first = &world.items[&key(1)];
    assert_eq!(writes.postings[0].fingerprint, first.claim.fingerprint);
    assert_eq!((first.claim.first_seq, first.claim.current_seq, first.postings), (3, 4, 1));
    let moved = Moved { key: key(1), current_seq: 4, effective: 0, amended: None };
    assert_eq!(writes.moved, [moved]);
    let last = &world.items[&key(0)];
    assert_eq!((last.claim.first_seq, last.claim.current_seq, last.postings), (5, 5, 1));
    let again = world.ingest(&labelled("again", &[record(1), record(0)])).unwrap();
    let moved = Receipt::Replayed { account: read("alice"), first_seq: 3, current_seq: 4 };
    assert_eq!(again.receipts, [moved, replayed(5)]);
}

#[test]
fn a_record_that_was_superseded_in_its_own_batch_is_answered_with_what_took_it_back() {
    let mut world = alice();
    let taken = world.take(&[record(1), record(0), record(1)]);
    let again = Receipt::Replayed { account: read("alice"), first_seq: 3, current_seq: 4 };
    assert_eq!(taken.receipts, [recorded(3), recorded(5), again]);
    assert_eq!(taken.writes.moved, [], "it is claimed with its last number");
    assert_eq!(world.items[&key(1)].claim.current_seq, 4);
}

#[test]
fn a_record_that_comes_too_late_is_kept_without_a_trace_in_the_journal() {
    let mut world = alice();
    world.record(&[record(0)]);
    let (journal, totals) = (world.journal.clone(), world.totals.clone());
    let taken = world.take(&[record(3)]);
    let by = key(0);
    assert_eq!(taken.receipts, [Receipt::Superseded { account: read("alice"), by }]);
    assert_eq!((taken.intake.recorded, taken.intake.replayed), (1, 0));
    assert_eq!((&world.journal, &world.totals), (&journal, &totals));
    let kept = &world.items[&key(3)];
    assert_eq!((kept.claim.first_seq, kept.claim.current_seq, kept.postings), (0, 0, 0));
    let receipts = world.ingest(&labelled("again", &[record(3)])).unwrap().receipts;
    assert_eq!(receipts, [replayed(0)]);
    let mut other = record(3);
    other.call.duration_ms = 1;
    let receipts = world.ingest(&labelled("other", &[other])).unwrap().receipts;
    assert!(matches!(receipts[..], [Receipt::Conflict { .. }]), "{receipts:?}");
}

#[test]
fn every_posting_of_the_earlier_record_is_taken_back() {
    let minutes =
        named("more", "flat_rate", r#"{"per_minute":"1","minutes":"per_started_minute"}"#);
    let strategies = [flat_rate("0.02", "pro_rata"), minutes];
    let mut world = World::under(&strategies);
    world.record(&[record(1)]);
    world.record(&[record(2), record(0)]);
    let quantities: Vec<_> = world
        .postings()
        .iter()
        .map(|p| (p.strategy.to_string(), p.totals.quantity.to_string()))
        .collect();
    let of = |strategy: &str, quantity: &str| (strategy.to_owned(), quantity.to_owned());
    let expected = [
        of("calls", "60000"),
        of("more", "1"),
        of("calls", "-60000"),
        of("more", "-1"),
        of("calls", "120000"),
        of("more", "2"),
        of("calls", "-120000"),
        of("more", "-2"),
        of("calls", "600000"),
        of("more", "10"),
    ];
    assert_eq!(quantities, expected);
    assert_eq!(world.items[&key(2)].claim.current_seq, 9);
    assert_eq!(total(&world.issue("2026-04-01T00:00:00Z")), read("10.2"));
}

#[test]
fn a_record_of_another_day_moves_the_call_there() {
    let moved = CallEnded { key: key(0), ..call("a", "2026-03-11T00:00:00Z", 600_000) };
    for records in [[record(1), moved.clone()], [moved, record(1)]] {
        for size in [1, 2] {
            let mut world = alice();
            records.chunks(size).for_each(|records| world.record(records));
            let of_day = |day: &str| {
                let day: Day = read(day);
                let total = world.totals.values().find(|total| total.key.day == day);
                total.map_or("0".into(), |total| total.totals.quantity.to_string())
            };
            assert_eq!((of_day("2026-03-10"), of_day("2026-03-11")), ("0".into(), "600000".into()));
        }
    }
}

#[test]
fn a_record_after_a_change_of_plan_is_taken_back_under_the_plan_of_its_day() {
    let mut world = alice();
    world.change("2026-03-11", &[flat_rate("1", "per_started_minute")]);
    world.record(&[record(1)]);
    world.record(&[CallEnded { key: key(0), ..call("a", "2026-03-11T00:00:00Z", 60_001) }]);
    let totals: Vec<_> = world
        .totals
        .values()
        .map(|t| (t.key.assignment, t.unit.to_string(), t.totals.quantity.to_string()))
        .collect();
    let expected = [(1, "ms", "0"), (2, "min", "2")];
    assert_eq!(totals, expected.map(|(n, unit, q)| (n, unit.to_owned(), q.to_owned())));
    assert_eq!(total(&world.issue("2026-04-01T00:00:00Z")), read("2"));
}

#[test]
fn a_day_that_is_closed_takes_back_in_its_next_revision() {
    for closed_by_invoice in [false, true] {
        let mut world = alice();
        world.record(&[record(1)]);
        if closed_by_invoice {
            assert_eq!(total(&world.issue("2026-04-01T00:00:00Z")), read("0.02"));
        } else {
            assert_eq!(world.hand_over("alice", Days::All).len(), 1);
        }
        world.record(&[record(0)]);
        let revisions: Vec<_> = world
            .totals
            .values()
            .map(|t| (t.key.revision, t.totals.count, t.totals.quantity.to_string()))
            .collect();
        let expected = [(1, 1, "60000"), (2, 0, "540000")];
        assert_eq!(revisions, expected.map(|(n, count, q)| (n, count, q.to_owned())));
        drop(world.issue("2026-05-01T00:00:00Z"));
        assert_eq!(total(&world.invoices), read("0.2"), "ten minutes in all");
        if closed_by_invoice {
            let late = only(world.invoices[1].draft.lines.clone());
            assert_eq!((late.amount, late.count), (read("0.18"), 0));
        }
    }
}

#[test]
fn all_records_of_one_call_are_one_payers() {
    for (first, second) in [(1, 2), (2, 1), (1, 0), (0, 1)] {
        let mut world = alice();
        world.open(&settings("bob", ""));
        world.assign(&read("bob"), 1, "2026-01-01").unwrap();
        world.record(&[record(first)]);
        let bobs = CallEnded { account: Some(read("bob")), ..record(second) };
        let receipts = world.take(std::slice::from_ref(&bobs)).receipts;
        let reason = ParkReason::OtherPayer { other: key(first) };
        assert_eq!(receipts, [Receipt::Parked(reason.clone())], "{second} after {first}");
        let told = format!(
            "record {} of the same usage is another account's: all records of it must be one payer's, or have a leg each",
            key(first)
        );
        assert_eq!(reason.to_string(), told);
        let mut own_leg = bobs;
        own_leg.key.leg = Some(read("forwarder"));
        world.record(&[own_leg]);
        assert_eq!(counted(&world).0, 2, "with a leg of its own it is other usage");
    }
}

#[test]
fn a_record_of_nobody_is_parked_and_hinders_no_other() {
    let mut world = alice();
    let nobodys = CallEnded { account: None, ..record(1) };
    assert_eq!(world.take(&[nobodys]).receipts, [Receipt::Parked(ParkReason::UnknownAccount)]);
    world.record(&[record(0)]);
    assert_eq!(counted(&world), (1, "600000".into()));
    let mended = world.take(&[record(1)]);
    assert!(matches!(mended.receipts[..], [Receipt::Superseded { .. }]), "{:?}", mended.receipts);
    assert_eq!(world.parked.len(), 0);
    assert_eq!(counted(&world), (1, "600000".into()));
}

#[test]
fn what_a_parked_record_would_say_is_not_said_until_it_is_mended() {
    // The longest call accepted is one of 5 minutes: the final record, of 10, is parked.
    let mut world = alice();
    world.limits.call_duration_ms_max = 300_000;
    let taken = world.take(&[record(1), record(0), record(2)]);
    let told: Vec<_> = taken.receipts.iter().map(answer).collect();
    let parked = "parked: a call of 600000 ms is longer than the 300000 ms that are accepted";
    assert_eq!(told, ["recorded", parked, "recorded"]);
    assert_eq!(counted(&world), (1, "120000".into()), "the last that was taken counts");
    (world.limits.call_duration_ms_max, world.limits.item_future_ms_max) = (u64::MAX, u64::MAX);
    world.record(&[record(0)]);
    assert_eq!(counted(&world), (1, "600000".into()));
    assert_eq!(world.parked.len(), 0);
}

#[test]
fn each_leg_has_records_of_its_own() {
    let leg = |name: &str, number: u32| {
        let mut ended = record(number);
        ended.key.leg = Some(read(name));
        ended
    };
    let mut world = alice();
    let records = [record(1), leg("b", 2), leg("b", 0), leg("c", 1), record(3)];
    world.record(&records);
    assert_eq!(counted(&world), (3, "840000".into()), "3, 10 and 1 minutes");
}

#[test]
fn an_unanswered_partial_counts_for_nothing_until_somebody_talks() {
    let mut world = alice();
    let mut ringing = record(1);
    ringing.call.disposition = billing_core::item::Disposition::NoAnswer;
    world.record(&[ringing]);
    assert_eq!(counted(&world), (0, "0".into()));
    world.record(&[record(0)]);
    assert_eq!(counted(&world), (1, "600000".into()));
}

#[test]
fn pulses_and_charges_have_partial_records_too() {
    let mut world = World::under(&[per_unit("1")]);
    let numbered = |number: u32, mut key: ItemKey| {
        key.partial = number.try_into().ok();
        key
    };
    let mut first = pulse("p", TEN, "1.5");
    first.key = numbered(1, first.key);
    let mut second = pulse("p", TEN, "4");
    second.key = numbered(2, second.key);
    world.record(&[second, first]);
    let mut deposit = one_off("d", TEN, "rent", "10");
    deposit.key = numbered(1, deposit.key);
    world.record(&[deposit]);
    world.record(&[one_off("d", TEN, "rent", "12.5")]);
    assert_eq!(total(&world.issue("2026-04-01T00:00:00Z")), read("16.5"));
    world.record(&[pulse("p", TEN, "3")]);
    let late = only(only(world.issue("2026-05-01T00:00:00Z")).draft.lines);
    assert_eq!((late.amount, late.quantity, late.count), (read("-1"), read("-1"), 0));
}

#[test]
fn a_batch_of_records_is_another_batch_than_that_of_other_numbers() {
    assert_ne!(batch(&[record(1)]).id(), batch(&[record(2)]).id());
    let [one, other] = [1, 0].map(|number| partial(number, call("a", TEN, 60_000)));
    assert_ne!(batch(std::slice::from_ref(&one)).id(), batch(std::slice::from_ref(&other)).id());
    let mut world = alice();
    assert_eq!(world.take(&[one]).receipts, [recorded(3)]);
    assert_eq!(world.take(&[other]).receipts, [recorded(5)], "the same content, once more");
    assert_eq!(counted(&world), (1, "60000".into()));
}

#[test]
fn a_plan_may_not_take_over_a_day_whose_call_moved_away() {
    let mut world = alice();
    world.record(&[record(1)]);
    world.record(&[CallEnded { key: key(0), ..call("a", "2026-03-11T00:00:00Z", 600_000) }]);
    world.save(plan(2, &[flat_rate("1", "pro_rata")]));
    assert!(world.assign(&read("alice"), 2, "2026-03-10").is_err(), "what was posted stays");
    assert_eq!(world.assign(&read("alice"), 2, "2026-03-12"), Ok(()));
}
