//! What an item leaves in the journal and in the totals of its day.

#[expect(dead_code, reason = "each file of tests is a crate of its own, which uses a part")]
mod common;

use core::slice;

use billing_core::{
    decide::OpenDay,
    digest::Digest,
    event::{Cause, Head, JournalEntry, Posting},
    id::AccountId,
    item::Incoming,
    time::{Day, Zone},
    usage::{DayTotal, Totals},
};
use common::{
    blocks, call, flat_rate, labelled, named, plan, read, settings,
    taken::{alice, recorded, replayed, ten_past_nine},
    world::World,
};

const MINUTE: &str = r#"{"per_minute":"0.02","minutes":"per_started_minute"}"#;

#[test]
fn a_posting_says_what_was_made_of_the_item_and_why() {
    let mut world = alice();
    let ended = ten_past_nine("a", 61_000);
    let writes = world.take(slice::from_ref(&ended)).writes;
    let posting = Posting {
        account: read("alice"),
        seq: 3,
        item: ended.key.clone(),
        fingerprint: Incoming::from(ended.clone()).fingerprint(),
        cause: Cause::Rated,
        day: read("2026-03-10"),
        assignment: 1,
        strategy: read("calls"),
        group: read("calls"),
        day_revision: 1,
        rules: 1,
        zone_data: Zone::data_version().into(),
        unit: read("ms"),
        currency: read("EUR"),
        totals: Totals { count: 1, quantity: read("61000"), amount: None },
        provenance: None,
        correction: None,
    };
    assert_eq!(writes.postings, slice::from_ref(&posting));
    let total = DayTotal {
        key: posting.total_key(),
        unit: read("ms"),
        currency: read("EUR"),
        totals: posting.totals,
        closed: false,
        billed: false,
        handed: false,
    };
    assert_eq!(writes.totals, [total]);
    let item = &writes.items[0];
    assert_eq!((&item.claim.key, item.postings), (&ended.key, 1));
    assert_eq!((item.claim.first_seq, item.claim.current_seq), (3, 3));
    assert_eq!(item.claim.fingerprint, posting.fingerprint);
}

#[test]
fn an_item_under_two_strategies_has_two_postings() {
    let mut world = World::under(&[blocks("period", "0.2"), named("minutes", "flat_rate", MINUTE)]);
    let taken = world.take(&[ten_past_nine("a", 61_000), ten_past_nine("b", 30_000)]);
    assert_eq!(taken.receipts, [recorded(3), recorded(5)]);
    let postings: Vec<_> = taken
        .writes
        .postings
        .iter()
        .map(|p| (p.seq, p.item.id.as_str(), p.strategy.as_str(), p.totals.quantity.to_string()))
        .collect();
    let expected = [
        (3, "a", "calls", "61000"),
        (4, "a", "minutes", "2"),
        (5, "b", "calls", "30000"),
        (6, "b", "minutes", "1"),
    ];
    assert_eq!(postings, expected.map(|(n, id, s, q)| (n, id, s, q.to_owned())));
    assert!(taken.writes.items.iter().all(|item| item.postings == 2));
    let totals = taken.writes.totals.iter();
    let totals: Vec<_> =
        totals.map(|total| (total.key.strategy.as_str(), total.totals.quantity)).collect();
    assert_eq!(totals, [("calls", read("91000")), ("minutes", read("3"))]);
    let again = world.ingest(&labelled("again", &[ten_past_nine("b", 30_000)])).unwrap();
    assert_eq!(again.receipts, [replayed(5)]);
}

#[test]
fn numbers_and_links_go_on_from_batch_to_batch() {
    let mut world = alice();
    world.open(&settings("bob", ""));
    world.assign(&read("bob"), 1, "2026-01-01").unwrap();
    let of = |account: &str, id: &str| {
        let mut call = ten_past_nine(id, 1);
        call.account = Some(read(account));
        call
    };
    drop(world.take(&[of("alice", "a"), of("bob", "b"), of("alice", "c")]));
    drop(world.take(&[of("bob", "d"), of("alice", "a"), of("alice", "e")]));
    for (account, entries) in [("alice", 5), ("bob", 4)] {
        let account: AccountId = read(account);
        let journal = &world.journal[&account];
        let numbers: Vec<u64> = journal.iter().map(JournalEntry::seq).collect();
        assert_eq!(numbers, (1..=entries).collect::<Vec<u64>>());
        let head = journal.iter().fold(Head::EMPTY, Head::append);
        assert_eq!(head, world.accounts[&account].head);
    }
}

#[test]
fn a_link_depends_on_every_field_and_on_the_link_before() {
    let mut world = alice();
    drop(world.take(&[ten_past_nine("a", 61_000)]));
    let original = world.postings()[0].clone();
    let link = original.link(Digest::ZERO);
    assert_ne!(original.link(link), link);
    let change: [fn(&mut Posting); 18] = [
        |p| p.account = read("bob"),
        |p| p.seq = 4,
        |p| p.item.source = read("other"),
        |p| p.item.id = read("other"),
        |p| p.item.leg = Some(read("leg")),
        |p| p.fingerprint.rule = 2,
        |p| p.fingerprint.digest = Digest::ZERO,
        |p| p.day = read("2026-03-11"),
        |p| p.assignment = 2,
        |p| p.strategy = read("other"),
        |p| p.group = read("other"),
        |p| p.day_revision = 2,
        |p| p.rules = 2,
        |p| p.zone_data = "other".into(),
        |p| p.unit = read("min"),
        |p| p.currency = read("CHF"),
        |p| p.totals.count = 2,
        |p| p.totals.amount = Some(read("0")),
    ];
    for (i, change) in change.into_iter().enumerate() {
        let mut other = original.clone();
        change(&mut other);
        assert_ne!(other.link(Digest::ZERO), link, "change {i}");
    }
    for quantity in ["6100", "610000", "61000.1", "-61000"] {
        let mut other = original.clone();
        other.totals.quantity = read(quantity);
        assert_ne!(other.link(Digest::ZERO), link, "quantity {quantity}");
    }
}

#[test]
fn a_day_that_is_invoiced_opens_its_next_revision() {
    let mut world = alice();
    drop(world.take(&[ten_past_nine("a", 60_000)]));
    for (round, expected) in [("b", 2), ("c", 3)] {
        let month = if round == "b" { "2026-04-01" } else { "2026-05-01" };
        assert_eq!(world.issue(&format!("{month}T00:00:00Z")).len(), 1);
        let late =
            world.take(&[ten_past_nine(round, 1_000), ten_past_nine(&format!("{round}2"), 2_000)]);
        let revisions: Vec<u32> = late.writes.postings.iter().map(|p| p.day_revision).collect();
        assert_eq!(revisions, [expected, expected]);
        assert_eq!(late.writes.totals.len(), 1);
        assert_eq!(late.writes.totals[0].totals.quantity, read("3000"), "it begins empty");
        let mut open: Vec<u32> = world.totals.keys().map(|key| key.revision).collect();
        assert_eq!(open.pop(), Some(expected));
    }
    let other_day = world.take(&[call("e", "2026-03-11T09:10:00Z", 1)]);
    assert_eq!(other_day.writes.postings[0].day_revision, 1, "a day without usage is open");
}

#[test]
fn the_open_revision_is_the_one_after_the_last_closed_one() {
    let mut world = alice();
    drop(world.take(&[ten_past_nine("a", 60_000)]));
    let original = world.totals.values().next().unwrap().clone();
    let of = |revision, closed| {
        let mut total = original.clone();
        (total.key.revision, total.closed) = (revision, closed);
        total
    };
    let cases = [
        (vec![], 1, 0),
        (vec![of(1, false)], 1, 1),
        (vec![of(1, true)], 2, 0),
        (vec![of(2, true), of(1, true)], 3, 0),
        (vec![of(2, false), of(1, true)], 2, 1),
    ];
    for (totals, revision, open) in cases {
        let day = OpenDay::of(totals);
        assert_eq!((day.revision, day.totals.len()), (revision, open));
    }
}

#[test]
fn a_call_counts_on_the_day_its_zone_shows() {
    let cases = [
        ("UTC", "2026-03-10T23:59:59.999999Z", "2026-03-10"),
        ("UTC", "2026-03-11T00:00:00Z", "2026-03-11"),
        ("Europe/Berlin", "2026-03-10T22:59:59Z", "2026-03-10"),
        ("Europe/Berlin", "2026-03-10T23:00:00Z", "2026-03-11"),
        ("Europe/Berlin", "2026-07-10T22:00:00Z", "2026-07-11"),
        ("America/New_York", "2026-03-11T03:59:59Z", "2026-03-10"),
        ("Pacific/Kiritimati", "2026-03-10T10:00:00Z", "2026-03-11"),
        ("Asia/Kolkata", "2026-03-10T18:30:00Z", "2026-03-11"),
        ("UTC", "2026-03-31T22:00:00-05:00", "2026-04-01"),
        ("UTC", "2026-04-01T01:00:00+02:00", "2026-03-31"),
    ];
    for (zone, start, day) in cases {
        let mut settings = settings("alice", "");
        settings.zone = read(zone);
        let mut world = World::with(&settings, &[flat_rate("0.02", "pro_rata")]);
        let taken = world.take(&[call("a", start, 86_400_000)]);
        assert_eq!(taken.writes.postings[0].day, read::<Day>(day), "{start} in {zone}");
    }
}

#[test]
fn a_call_is_rated_under_the_plan_of_its_day() {
    let mut world = alice();
    world.save(plan(2, &[flat_rate("0.01", "per_started_minute")]));
    world.assign(&read("alice"), 2, "2026-03-10").unwrap();
    let taken = world.take(&[
        call("a", "2026-03-09T23:59:59Z", 61_000),
        call("b", "2026-03-10T00:00:00Z", 61_000),
    ]);
    let postings = taken.writes.postings.iter();
    let rated: Vec<_> = postings.map(|p| (p.assignment, p.unit.as_str())).collect();
    assert_eq!(rated, [(1, "ms"), (2, "min")]);
}
