//! Items in order of time, and parked ones in order of when they were dropped: page after page, ties too.

use billing_core::{
    decide::{Dropped, StoredItem, Writes},
    id::AccountId,
    item::{Fingerprint, Item, ItemKey},
    time::Instant,
};

use crate::{
    conformance::{
        bench::Bench,
        dump::{dropped_key, item_key},
        kept::{Failed, Kept, ensure},
        order::{keys, pages},
        sample::{self, Made},
    },
    error::StoreResult,
    store::{Facts, HistoryPage},
};

/// A moment before, most at one instant, the next microsecond, later, and much later.
const TIMES: [&str; 11] = [
    "07:59:59.999999",
    "08:00:00",
    "08:00:00",
    "08:00:00",
    "08:00:00",
    "08:00:00",
    "08:00:00",
    "08:00:00",
    "08:00:00.000001",
    "08:30:00",
    "09:00:00",
];

pub(super) async fn pages(bench: &Bench) -> Kept {
    let account = "account-4";
    let mut writes = Writes::default();
    for (key, number) in keys()?.into_iter().cycle().zip(0_usize..) {
        let Some(time) = TIMES.get(number) else { break };
        // The keys come twice: legs of their own make them others.
        let key = sample::leg(&key, &format!("{}-{number}", key.leg_text()))?;
        let time = sample::at(time)?;
        writes.items.push(item(account, sample::partial(&key, 1), number, time)?);
        writes.items.push(item(account, sample::partial(&key, 10), number, time)?);
        writes.items.push(item(account, sample::partial(&key, 9), number, time)?);
        writes.items.push(item("account-5", sample::partial(&key, 2), number, time)?);
        writes
            .dropped
            .push(Dropped { at: time, ..sample::dropped(sample::partial(&key, 10), "10:00:00")? });
        writes
            .dropped
            .push(Dropped { at: time, ..sample::dropped(sample::partial(&key, 9), "10:00:00")? });
    }
    bench.commit(&bench.acme, &writes).await?;
    bench.commit(&bench.rival, &writes).await?;
    let mut facts = bench.read(&bench.acme).await?;
    let mine = |item: &&StoredItem| item.claim.account.as_str() == account;
    let mut items: Vec<StoredItem> = writes.items.iter().filter(mine).cloned().collect();
    items.sort_by(|one, two| place(one).cmp(&place(two)));
    ensure(items.len() == 33, "the sample of a history is not as large as it is thought to be")?;
    history(&mut *facts, &items).await?;
    outside(&mut *facts, &items).await?;
    let mut dropped = writes.dropped;
    dropped.sort_by(|one, two| dropped_key(one).cmp(&dropped_key(two)));
    pages!("dropped items", dropped, |after, limit| {
        facts.dropped_page(after.map(dropped_key), limit)
    });
    Ok(())
}

/// A call, a pulse or a charge at an instant.
fn item(account: &str, key: ItemKey, number: usize, at: Instant) -> Made<StoredItem> {
    let mut stored = sample::item(account, key, 1)?;
    stored.item = match number.rem_euclid(3) {
        0 => sample::call()?,
        1 => sample::pulse("0.25")?,
        _ => sample::one_off("49.90")?,
    };
    match &mut stored.item {
        Item::Call(call) => call.start = at,
        Item::Pulse(pulse) => pulse.at = at,
        Item::OneOff(charge) => charge.at = at,
        other => return Err(Failed(format!("the suite does not know how to date {other:?}"))),
    }
    stored.claim.fingerprint = Fingerprint::of(Some(&stored.claim.account), &stored.item);
    Ok(stored)
}

const fn place(item: &StoredItem) -> (Instant, &ItemKey) {
    (item.item.at(), item_key(item))
}

/// Every kind over every span, page by page.
async fn history(facts: &mut dyn Facts, items: &[StoredItem]) -> Kept {
    let account = sample::of("account-4")?;
    let (start, end) = (sample::at("08:00:00")?, sample::at("09:00:00")?);
    for (from, until) in [
        (Instant::MIN, Instant::MAX),
        (start, end),
        (start, sample::at("08:00:00.000001")?),
        (sample::at("08:00:00.000001")?, end),
        (end, start),
    ] {
        for kind in [None, Some("call"), Some("pulse"), Some("one_off"), Some("other"), Some("")] {
            let due = items.iter().filter(|item| {
                let at = item.item.at();
                from <= at && at < until && kind.is_none_or(|kind| kind == item.item.kind())
            });
            let due: Vec<StoredItem> = due.cloned().collect();
            pages!("items of a history", due, |after, limit| {
                let after = after.map(place);
                history_page(facts, &account, HistoryPage { from, until, kind, after, limit })
            });
        }
    }
    Ok(())
}

async fn history_page(
    facts: &mut dyn Facts,
    account: &AccountId,
    of: HistoryPage<'_>,
) -> StoreResult<Vec<StoredItem>> {
    facts.history(account, &of).await
}

/// A page after an item that lies before the span begins at its start; one after an item behind it is empty.
async fn outside(facts: &mut dyn Facts, items: &[StoredItem]) -> Kept {
    let account = sample::of("account-4")?;
    let (from, until) = (sample::at("08:30:00")?, sample::at("09:00:00")?);
    let (first, last) = (items.first().map(place), items.last().map(place));
    let early = HistoryPage { from, until, kind: None, after: first, limit: 1_000 };
    let found = facts.history(&account, &early).await?;
    ensure(found.len() == 3, "a page after an item before its span does not begin at its start")?;
    let late = HistoryPage { after: last, ..early };
    let found = facts.history(&account, &late).await?;
    ensure(found.is_empty(), "a page after an item behind its span holds items")?;
    let nobody = facts.history(&sample::of("nobody")?, &early).await?;
    ensure(nobody.is_empty(), "an account that does not exist has a history")
}
