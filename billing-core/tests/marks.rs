//! What becomes of an issued invoice: it is paid, or made void and billed again.

#[expect(dead_code, reason = "each file of tests is a crate of its own, which uses a part")]
mod common;

use std::collections::BTreeMap;

use billing_core::{
    decide::{self, MarkError},
    event::{Happened, Head, JournalEntry},
    invoice::{Draft, Invoice, InvoiceKind, InvoiceMark, InvoiceState},
    usage::{Carry, CarryKey},
};
use common::{
    blocks, call, fee, flat_rate, named, one_off, partial, per_unit, plan, prepaid, pulse, read,
    said::{only, total, totals},
    settings, strategy, unpriced,
    world::World,
};

/// An account with one invoice over 0.02, of January.
fn invoiced() -> World {
    let mut world = World::under(&[flat_rate("0.02", "pro_rata")]);
    world.record(&[call("a", "2026-01-10T12:00:00Z", 60_000)]);
    assert_eq!(totals(&world.issue("2026-02-01T00:00:00Z")), ["0.02"]);
    world
}

fn paid(on: &str, reference: &str) -> InvoiceState {
    InvoiceState::Paid { on: read(on), reference: reference.into() }
}

fn void(reason: &str) -> InvoiceState {
    InvoiceState::Void { reason: reason.into() }
}

#[test]
fn an_invoice_is_paid_or_made_void_once_and_stays_so() {
    #[derive(Debug)]
    enum Step {
        Pay(&'static str, &'static str),
        Void(&'static str),
    }
    let steps =
        || [Step::Pay("2026-02-14", "t7"), Step::Pay("2026-02-15", "t7"), Step::Void("typo")];
    // What each step makes of each state: a new state, nothing because it is so already, or a refusal.
    let cases = [
        (
            InvoiceState::Issued,
            [
                Ok(Some(paid("2026-02-14", "t7"))),
                Ok(Some(paid("2026-02-15", "t7"))),
                Ok(Some(void("typo"))),
            ],
        ),
        (paid("2026-02-14", "t7"), [Ok(None), Err("paid"), Err("paid")]),
        (paid("2026-02-14", "t8"), [Err("paid"), Err("paid"), Err("paid")]),
        (void("typo"), [Err("void"), Err("void"), Ok(None)]),
        (void("other"), [Err("void"), Err("void"), Err("void")]),
    ];
    for (state, outcomes) in cases {
        for (step, expected) in steps().into_iter().zip(outcomes) {
            let mut facts = invoiced().mark_facts(1);
            facts.state = state.clone();
            let now = read("2026-03-01T00:00:00Z");
            let found = match &step {
                Step::Pay(on, reference) => decide::pay(&facts, read(on), (*reference).into(), now),
                Step::Void(reason) => decide::void(&facts, (*reason).into(), now),
            };
            let found = found.map(|writes| writes.map(|w| only(w.marks)));
            let expected = match expected {
                Ok(state) => Ok(state.map(|state| InvoiceMark {
                    series: read("2026"),
                    number: 1,
                    at: now,
                    state,
                })),
                Err(name) => {
                    assert_eq!(state.name(), name);
                    let state = state.clone();
                    Err(MarkError::NotIssued {
                        series: read("2026"),
                        number: 1,
                        state: state.name(),
                    })
                }
            };
            assert_eq!(found, expected, "{step:?} of {state:?}");
        }
    }
    let state = paid("2026-02-14", "t7");
    let error = MarkError::NotIssued { series: read("2026"), number: 7, state: state.name() };
    let told = "invoice 2026/7 is paid: only an issued one can be paid or made void";
    assert_eq!(error.to_string(), told);
}

#[test]
fn what_becomes_of_an_invoice_is_an_event() {
    let mut world = invoiced();
    assert_eq!(world.pay(1, "transfer 7"), Ok(true));
    assert_eq!(world.pay(1, "transfer 7"), Ok(false), "it is known");
    let last = |world: &World| match world.journal["alice"].last() {
        Some(JournalEntry::Event(event)) => event.what.clone(),
        _ => panic!("the last entry is an event"),
    };
    let (series, on, reference) = (read("2026"), read("2026-12-24"), "transfer 7".into());
    assert_eq!(last(&world), Happened::InvoicePaid { series, number: 1, on, reference });
    let mut world = invoiced();
    assert_eq!(world.void(1, "the wrong address"), Ok(true));
    let entries = world.journal["alice"].len();
    assert_eq!(world.void(1, "the wrong address"), Ok(false), "it is known");
    assert_eq!(world.journal["alice"].len(), entries);
    let (series, reason) = (read("2026"), "the wrong address".into());
    assert_eq!(last(&world), Happened::InvoiceVoided { series, number: 1, reason });
}

/// Usage of four months for every kind of strategy.
fn use_up(world: &mut World) {
    for month in 1_u8..=4 {
        let at = |day: u8| format!("2026-{month:02}-{day:02}T12:00:00Z");
        let name = |what: &str| format!("{what}-{month}");
        let talk = |day: u8, ms: u64| call(&name(&format!("call-{day}")), &at(day), ms);
        drop(world.take(&[talk(3, 61_001), talk(17, 3_600_500), talk(28, 7)]));
        drop(world.take(&[pulse(&name("pulse"), &at(20), "12.345")]));
        drop(world.take(&[one_off(&name("charge"), &at(21), "visit", "-3.335")]));
    }
}

fn kinds() -> Vec<Vec<String>> {
    let talk = flat_rate("0.0213", "pro_rata");
    vec![
        vec![talk.clone()],
        vec![flat_rate("0.0213", "per_started_minute")],
        vec![blocks("call", "0.0037")],
        vec![blocks("period", "0.0037")],
        vec![blocks("lifetime", "0.0037")],
        vec![per_unit("0.0101"), unpriced()],
        vec![fee("fee", "9.99", "in_arrears", "none"), talk.clone()],
        vec![fee("fee", "9.99", "in_arrears", "days")],
        vec![fee("fee", "9.99", "in_advance", "none"), blocks("lifetime", "0.0037")],
        vec![fee("fee", "9.99", "in_advance", "days")],
        vec![talk.clone(), per_unit("0.0101"), prepaid("1", "none")],
        vec![talk, per_unit("0.0101"), prepaid("3", "days")],
    ]
}

fn drafts(invoices: &[Invoice]) -> Vec<Draft> {
    invoices.iter().map(|invoice| invoice.draft.clone()).collect()
}

fn carried(world: &World) -> BTreeMap<CarryKey, Carry> {
    let carries = world.carries.iter().filter(|(_, carry)| !carry.is_nothing());
    carries.map(|(key, carry)| (key.clone(), carry.clone())).collect()
}

#[test]
fn what_is_made_void_is_billed_again_under_the_next_numbers() {
    for strategies in kinds() {
        for change in [false, true] {
            let mut world = World::under(&strategies);
            if change {
                world.change("2026-02-10", &strategies);
            }
            use_up(&mut world);
            let first = world.issue("2026-04-15T00:00:00Z");
            let (issued, count) = (drafts(&first), u64::try_from(first.len()).unwrap());
            for number in (1..=count).rev() {
                assert_eq!(world.void(number, "typo"), Ok(true), "{strategies:?}");
            }
            assert_eq!(carried(&world), BTreeMap::new(), "as if nothing had been billed");
            assert!(world.totals.values().all(
                |total| !total.billed && (total.closed || total.key.day >= read("2026-04-01"))
            ));
            let again = world.issue("2026-04-15T00:00:00Z");
            assert_eq!(drafts(&again), issued, "{strategies:?}");
            let numbers: Vec<u64> = again.iter().map(|invoice| invoice.number).collect();
            assert_eq!(numbers, (count + 1..=2 * count).collect::<Vec<_>>());
        }
    }
}

#[test]
fn a_void_leaves_everything_as_it_was_before_the_invoice() {
    for strategies in kinds() {
        let mut world = World::under(&strategies);
        use_up(&mut world);
        let mut stages = vec![world.clone()];
        for as_of in ["2026-01-20", "2026-02-01", "2026-03-01", "2026-04-01", "2026-05-01"] {
            drop(world.issue(&format!("{as_of}T00:00:00Z")));
            stages.push(world.clone());
        }
        for pair in stages.windows(2) {
            let [before, after] = pair else { panic!("two of them") };
            let mut back = after.clone();
            let issued = after.invoices.len() - before.invoices.len();
            for invoice in after.invoices.iter().rev().take(issued) {
                assert_eq!(back.void(invoice.number, "typo"), Ok(true));
            }
            assert_eq!(carried(&back), carried(before), "{strategies:?}");
            let unbilled = |world: &World| -> Vec<_> {
                let totals = world.totals.values().filter(|total| !total.billed);
                totals.map(|total| (total.key.clone(), total.totals)).collect()
            };
            assert_eq!(unbilled(&back), unbilled(before), "{strategies:?}");
            let until = |world: &World| {
                let account = &world.accounts["alice"];
                (account.invoiced_until, account.advanced_until)
            };
            assert_eq!(until(&back), until(before));
            let at = "2026-05-15T00:00:00Z";
            assert_eq!(back.bill(at), before.bill(at), "{strategies:?}");
        }
    }
}

#[test]
fn what_comes_after_a_void_is_on_the_invoice_that_takes_its_place() {
    let mut world = invoiced();
    assert_eq!(world.void(1, "usage was lacking"), Ok(true));
    world.record(&[call("b", "2026-01-10T12:00:00Z", 120_000)]);
    let again = only(world.issue("2026-02-01T00:00:00Z"));
    assert_eq!((again.number, again.draft.taxed.total), (2, read("0.06")));
    let line = only(again.draft.lines);
    assert!(line.before.is_nothing(), "nothing was billed before");
    let parts: Vec<u32> = line.parts.iter().map(|part| part.revision).collect();
    assert_eq!(parts, [1, 2], "the closed revision and the one after it");
}

#[test]
fn only_the_last_invoice_of_an_account_can_be_made_void() {
    let mut world = invoiced();
    world.record(&[call("b", "2026-02-10T12:00:00Z", 120_000)]);
    drop(world.issue("2026-03-01T00:00:00Z"));
    let (series, last) = (read("2026"), (read("2026"), 2));
    let error = MarkError::NotLast { series, number: 1, last };
    assert_eq!(world.void(1, "typo"), Err(error.clone()));
    let told = "invoice 2026/1 cannot be made void before invoice 2026/2, \
                which was issued to the account after it";
    assert_eq!(error.to_string(), told);
    assert_eq!(world.pay(1, "transfer"), Ok(true), "it may be paid in any order");
    assert_eq!(world.void(2, "typo"), Ok(true));
    assert!(matches!(world.void(1, "typo"), Err(MarkError::NotIssued { .. })), "it is paid");
    let mut other = invoiced();
    other.open(&settings("bob", ""));
    other.assign(&read("bob"), 1, "2026-01-01").unwrap();
    let mut bobs = call("b", "2026-01-10T12:00:00Z", 60_000);
    bobs.account = Some(read("bob"));
    other.record(&[bobs]);
    assert_eq!(other.issue_of("bob", "2026-02-01T00:00:00Z").unwrap()[0].number, 2);
    assert_eq!(other.void(1, "typo"), Ok(true), "that of another account is not in the way");
}

#[test]
fn an_invoice_before_is_the_last_once_the_later_one_is_void() {
    let mut world = invoiced();
    world.record(&[call("b", "2026-02-10T12:00:00Z", 120_000)]);
    drop(world.issue("2026-03-01T00:00:00Z"));
    assert_eq!(world.void(2, "typo"), Ok(true));
    assert_eq!(world.void(1, "typo"), Ok(true));
    let again = world.issue("2026-03-01T00:00:00Z");
    assert_eq!(again.iter().map(|invoice| invoice.number).collect::<Vec<_>>(), [3, 4]);
    assert_eq!(totals(&again), ["0.02", "0.04"]);
    assert_eq!(
        world.void(3, "typo"),
        Err(MarkError::NotLast { series: read("2026"), number: 3, last: (read("2026"), 4) })
    );
}

#[test]
fn an_invoice_in_advance_can_be_made_void_and_issued_again() {
    let strategies = [fee("fee", "31", "in_advance", "days")];
    let mut world = World::under(&strategies);
    assert_eq!(totals(&world.issue("2026-01-10T00:00:00Z")), ["31"]);
    assert_eq!(world.void(1, "the wrong plan"), Ok(true));
    world.change("2026-01-11", &[fee("fee", "62", "in_advance", "days")]);
    let again = only(world.issue("2026-01-12T00:00:00Z"));
    assert_eq!((again.number, again.draft.kind), (2, InvoiceKind::Advance));
    assert_eq!(again.draft.taxed.total, read("52"), "10 days of the one and 21 of the other");
    assert_eq!(world.issue("2026-01-31T00:00:00Z"), []);
}

#[test]
fn a_period_whose_invoice_is_void_may_have_another_plan() {
    let mut world = invoiced();
    world.save(plan(2, &[flat_rate("1", "pro_rata")]));
    let alice = read("alice");
    assert!(world.assign(&alice, 2, "2026-01-16").is_err(), "it is invoiced");
    assert_eq!(world.void(1, "the wrong plan"), Ok(true));
    assert!(world.assign(&alice, 2, "2026-01-10").is_err(), "that day was rated");
    assert_eq!(world.assign(&alice, 2, "2026-01-11"), Ok(()));
    world.record(&[call("b", "2026-01-20T12:00:00Z", 60_000)]);
    let again = only(world.issue("2026-02-01T00:00:00Z"));
    assert_eq!(again.draft.taxed.total, read("1.02"));
}

#[test]
fn a_record_that_supersedes_what_a_void_gave_back_is_in_the_next_revision() {
    let mut world = World::under(&[flat_rate("0.02", "pro_rata")]);
    world.record(&[partial(1, call("a", "2026-01-10T12:00:00Z", 60_000))]);
    drop(world.issue("2026-02-01T00:00:00Z"));
    assert_eq!(world.void(1, "typo"), Ok(true));
    world.record(&[call("a", "2026-01-10T12:00:00Z", 600_000)]);
    let again = only(world.issue("2026-02-01T00:00:00Z"));
    assert_eq!(again.draft.taxed.total, read("0.2"));
    assert_eq!(total(&[again]), read("0.2"));
}

#[test]
fn a_total_that_is_not_there_stops_a_void() {
    let world = invoiced();
    let mut facts = world.mark_facts(1);
    facts.totals.clear();
    let error = decide::void(&facts, "typo".into(), world.now).unwrap_err();
    let told = "a total of 2026-01-10 that invoice 2026/1 is made of is not there";
    assert_eq!(error.to_string(), told);
    let MarkError::Missing { number: 1, key, .. } = error else { panic!("{error}") };
    assert_eq!(Some(*key), facts.invoice.part_keys().next());
}

#[test]
fn a_journal_without_numbers_records_no_payment_and_no_void() {
    let world = invoiced();
    let mut facts = world.mark_facts(1);
    facts.account.head = Head { seq: u64::MAX, ..facts.account.head };
    let full = MarkError::JournalFull { account: read("alice") };
    let (on, now) = (read("2026-02-14"), world.now);
    assert_eq!(decide::pay(&facts, on, "t".into(), now), Err(full.clone()));
    assert_eq!(decide::void(&facts, "t".into(), now), Err(full));
}

#[test]
fn carries_go_back_to_what_the_first_line_of_their_scope_found() {
    let blocks = |price: &str| {
        let terms = format!(r#"{{"block_ms":30000,"per_block":"{price}","scope":"lifetime"}}"#);
        strategy("blocks", &terms)
    };
    let mut world = World::under(&[blocks("0.2")]);
    world.change("2026-02-10", &[blocks("0.5")]);
    world.record(&[call("a", "2026-01-10T12:00:00Z", 45_000)]);
    let january = only(world.issue("2026-02-01T00:00:00Z"));
    // Two lines of February move one carry.
    world.record(&[
        call("b", "2026-02-01T12:00:00Z", 45_000),
        call("c", "2026-02-20T12:00:00Z", 45_000),
    ]);
    let february = only(world.issue("2026-03-01T00:00:00Z"));
    assert_eq!(february.draft.lines.len(), 2);
    let back = only(decide::carries_before(&february)).carry;
    let of_january = &january.draft.lines[0];
    assert_eq!((back.quantity, &back.exact), (of_january.quantity, &of_january.exact));
    assert_eq!(back.billed, read("0.4"));
    assert!(only(decide::carries_before(&january)).carry.is_nothing());
}

#[test]
fn a_plan_with_many_strategies_gives_back_each_of_them() {
    let strategies = [
        flat_rate("1", "pro_rata"),
        named("more", "flat_rate", r#"{"per_minute":"2","minutes":"per_started_minute"}"#),
        fee("fee", "5", "in_arrears", "none"),
    ];
    let mut world = World::under(&strategies);
    world.record(&[call("a", "2026-01-10T12:00:00Z", 90_000)]);
    assert_eq!(totals(&world.issue("2026-02-01T00:00:00Z")), ["10.5"]);
    assert_eq!(world.void(1, "typo"), Ok(true));
    assert_eq!(carried(&world).len(), 0);
    assert_eq!(totals(&world.issue("2026-02-01T00:00:00Z")), ["10.5"]);
}
