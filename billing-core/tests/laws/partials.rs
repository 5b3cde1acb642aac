//! Partial records in any order, any number of times and in any batches are as if only the last had come.

use std::collections::BTreeMap;

use billing_core::{
    decide::Days,
    item::{Incoming, Item, ItemKey},
    time::Instant,
};
use proptest::{
    collection::vec,
    prelude::{Just, Strategy, any, prop_assert_eq, proptest},
    sample::Index,
};

use crate::{
    cases::{DAY_MICROS, START_MICROS, world},
    checks::{billed_by_scope, issue_as_previewed, used, whole},
    common::{read, world::World},
    life::{Counted, LATE, records, terms},
    of_lives,
};

const HALF_DAY_MICROS: i64 = 43_200_000_000;

/// Calls with all their records, in order.
fn usage() -> impl Strategy<Value = Vec<Vec<Incoming>>> {
    let call = (0..150 * DAY_MICROS, vec(0_u64..7_200_000, 1..5), any::<bool>(), 0_i64..3);
    vec(call, 1..8).prop_map(|calls| {
        let numbered = calls.into_iter().enumerate();
        let of = |(i, (at, ms, ends, half_days)): (usize, (i64, Vec<u64>, bool, i64))| {
            let instant = |micros| Instant::from_micros(START_MICROS + micros).unwrap();
            let mut records = records(&format!("call-{i}"), &instant(at).to_string(), &ms, ends);
            // Some sources find only in the end when a call began.
            if let Some(Incoming { item: Item::Call(call), .. }) = records.last_mut() {
                call.start = instant(at + half_days * HALF_DAY_MICROS);
            }
            records
        };
        numbered.map(of).collect()
    })
}

/// The record of each call that counts: the final one, or the highest there is.
fn counting(all: &[Incoming]) -> Vec<Incoming> {
    let mut last: BTreeMap<ItemKey, &Incoming> = BTreeMap::new();
    for record in all {
        let place = last.entry(record.key.of_final()).or_insert(record);
        if record.key.supersedes(&place.key) {
            *place = record;
        }
    }
    last.into_values().cloned().collect()
}

fn take(world: &mut World, records: &[Incoming], sizes: &[usize]) {
    let mut rest = records;
    for size in sizes.iter().cycle() {
        let (taken, later) = rest.split_at(rest.len().min(*size));
        world.record_or_replay(taken);
        rest = later;
        if rest.is_empty() {
            break;
        }
    }
}

fn disturbed() -> impl Strategy<Value = (Vec<Incoming>, Vec<Incoming>)> {
    (usage(), vec(any::<Index>(), 0..6)).prop_flat_map(|(usage, again)| {
        let all = usage.concat();
        let again: Vec<Incoming> = again.iter().map(|index| index.get(&all).clone()).collect();
        (Just(all.clone()), Just([all, again].concat()).prop_shuffle())
    })
}

proptest! {
    #![proptest_config(of_lives())]

    #[test]
    fn only_the_last_record_of_a_call_counts(
        terms in terms(Counted::AtAnyPrice),
        (all, disturbed) in disturbed(),
        sizes in vec(1_usize..9, 1..9),
    ) {
        let (mut plain, mut piecemeal) = (world(&terms), world(&terms));
        plain.record(&counting(&all));
        take(&mut piecemeal, &disturbed, &sizes);
        whole(&piecemeal);
        prop_assert_eq!(piecemeal.items.len(), all.len(), "every record is kept");
        prop_assert_eq!(used(&plain), used(&piecemeal));
        for world in [&mut plain, &mut piecemeal] {
            drop(issue_as_previewed(world, read(LATE)));
        }
        prop_assert_eq!(billed_by_scope(&plain), billed_by_scope(&piecemeal));
    }

    #[test]
    fn nor_does_it_matter_what_was_invoiced_or_handed_over_between_them(
        terms in terms(Counted::AtOnePrice),
        (all, disturbed) in disturbed(),
        cuts in vec((any::<Index>(), 0..220 * DAY_MICROS), 1..5),
    ) {
        let (mut plain, mut interrupted) = (world(&terms), world(&terms));
        plain.record(&counting(&all));
        interrupt(&mut interrupted, &disturbed, &cuts);
        whole(&interrupted);
        prop_assert_eq!(used(&plain), used(&interrupted));
        for world in [&mut plain, &mut interrupted] {
            drop(issue_as_previewed(world, read(LATE)));
        }
        prop_assert_eq!(billed_by_scope(&plain), billed_by_scope(&interrupted));
    }
}

/// Takes records in pieces, and after each issues what has ended and hands all days over.
fn interrupt(world: &mut World, records: &[Incoming], cuts: &[(Index, i64)]) {
    let mut cuts: Vec<(usize, i64)> =
        cuts.iter().map(|(at, moment)| (at.index(records.len() + 1), *moment)).collect();
    cuts.sort_unstable();
    let mut from = 0;
    for (until, moment) in cuts {
        world.record_or_replay(&records[from..until]);
        let as_of = Instant::from_micros(START_MICROS + moment).unwrap();
        drop(issue_as_previewed(world, as_of));
        drop(world.hand_over("alice", Days::All));
        from = until;
    }
    world.record_or_replay(&records[from..]);
}
