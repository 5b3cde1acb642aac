//! Whatever arrives, in whatever order, is answered and accounted for.

use std::collections::BTreeSet;

use billing_core::{
    decide::{Batch, Limits},
    event::Posting,
    invoice::Draft,
    item::{Call, Direction, Disposition, Incoming, Item, ItemKey},
    time::Instant,
};
use proptest::{
    collection::vec,
    prelude::{Just, Strategy, any, prop_assert_eq, proptest},
    sample::select,
};

use crate::{
    cases::{DAY_MICROS, END, START_MICROS, calls, terms, world},
    checks::{adds_up, journals_are_chained, postings_are_the_totals, state},
    common::{batch, read},
    config,
};

/// Anything a source may report.
fn anything() -> impl Strategy<Value = Incoming> {
    let edges = vec![Instant::MIN.micros(), Instant::MAX.micros(), 0, START_MICROS];
    let at = proptest::prop_oneof![
        select(edges),
        Instant::MIN.micros()..=Instant::MAX.micros(),
        START_MICROS..START_MICROS + 150 * DAY_MICROS,
    ];
    let duration = proptest::prop_oneof![
        select(vec![0, 1, u64::MAX, u64::MAX - 1, 999_999_999_999_999_999]),
        any::<u64>(),
        0_u64..100_000,
    ];
    let dispositions =
        [Disposition::Answered, Disposition::NoAnswer, Disposition::Busy, Disposition::Failed];
    let directions = [Direction::Outbound, Direction::Inbound, Direction::Internal];
    (
        at,
        duration,
        select(dispositions.to_vec()),
        select(directions.to_vec()),
        select(vec!["", "+12025550123", "0", "sip:a@example.org", "\u{1f4de}"]),
        select(vec![Some("alice"), Some("nobody"), None]),
        0_u8..30,
    )
        .prop_map(|(at, duration_ms, disposition, direction, party, account, id)| Incoming {
            key: ItemKey::new(read("switch"), read(&format!("item-{id}"))),
            account: account.map(read),
            item: Item::Call(Call {
                start: Instant::from_micros(at).unwrap(),
                duration_ms,
                caller: read(party),
                callee: read(party),
                disposition,
                direction,
            }),
        })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn neither_order_nor_repetition_nor_batches_matter(
        terms in terms(),
        (calls, other) in calls(1..40).prop_flat_map(|calls| {
            let doubled = [calls.clone(), calls.clone()].concat();
            (Just(calls), Just(doubled).prop_shuffle())
        }),
        sizes in vec(1_usize..9, 1..20),
    ) {
        let mut at_once = world(&terms);
        drop(at_once.take(&calls));
        let mut piecemeal = world(&terms);
        let mut rest = other.as_slice();
        for size in sizes.iter().cycle() {
            let (taken, later) = rest.split_at(rest.len().min(*size));
            drop(piecemeal.take(taken));
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(state(&at_once), state(&piecemeal));
        prop_assert_eq!(piecemeal.items.len(), calls.len());
        // Once more changes nothing but the account of the batch.
        let before = (piecemeal.journal.clone(), state(&piecemeal));
        let again = piecemeal.ingest(&Batch { label: "again".into(), ..batch(&calls) }).unwrap();
        prop_assert_eq!(usize::try_from(again.intake.replayed)?, calls.len());
        prop_assert_eq!((piecemeal.journal.clone(), state(&piecemeal)), before);
    }

    #[test]
    fn whatever_arrives_is_answered_and_accounted_for(
        terms in terms(),
        entries in vec(anything(), 0..40),
        call_duration_ms_max in select(vec![0, 7_200_000, u64::MAX]),
        size in 1_usize..10,
    ) {
        let mut world = world(&terms);
        world.limits = Limits { call_duration_ms_max, ..Limits::default() };
        for part in entries.chunks(size) {
            let entries = part.iter().cloned().map(Ok).collect();
            drop(world.ingest(&Batch { label: "any".into(), entries }).unwrap());
        }
        postings_are_the_totals(&world);
        journals_are_chained(&world);
        let keys: BTreeSet<&ItemKey> = entries.iter().map(|incoming| &incoming.key).collect();
        let kept: BTreeSet<&ItemKey> = world.items.keys().chain(world.parked.keys()).collect();
        prop_assert_eq!(&keys, &kept, "what arrived is recorded or parked");
        prop_assert_eq!(world.items.len() + world.parked.len(), kept.len(), "and never both");
        // A bill is drawn up or refused, and never lost.
        let count = |drafts: &[Draft]| -> i64 {
            drafts.iter().flat_map(|draft| &draft.lines).map(|line| line.count).sum()
        };
        if let Ok(drafts) = world.bill_of("alice", END) {
            drafts.iter().for_each(adds_up);
            let charged = |posting: &&&Posting| posting.day <= drafts.last().unwrap().period.start();
            let postings = world.postings();
            let counts: i64 = postings.iter().filter(charged).map(|p| p.totals.count).sum();
            prop_assert_eq!(count(&drafts), counts);
        }
    }
}
