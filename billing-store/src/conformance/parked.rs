//! What is parked: kept until it is mended or dropped, and kept when it was dropped.

use billing_core::{
    decide::{Dropped, Writes},
    id::AccountId,
    item::{Incoming, ItemKey},
};

use crate::{
    answer,
    conformance::{
        bench::{Bench, ensure_same},
        coheres::coheres,
        door::{Door, pulse},
        dump::{Dump, dropped_key, parked_key},
        kept::{Kept, ensure},
        sample::{self, Made},
    },
};

pub(super) async fn dropped_is_kept_once(bench: &Bench) -> Kept {
    let key = sample::key("usage")?;
    let beside = [
        sample::partial(&key, 1),
        sample::partial(&key, 10),
        sample::leg(&key, "b")?,
        sample::key("usage1")?,
    ];
    let parked = beside.iter().chain([&key]).map(|key| sample::parked(key.clone()));
    let mut due = sample::opened("alice")?;
    due.parked = parked.collect::<Made<_>>()?;
    bench.commit(&bench.acme, &due).await?;
    bench.commit(&bench.rival, &due).await?;
    let rival = bench.dump(&bench.rival).await?;
    let first = dropping(&key, "10:00:00")?;
    bench.commit(&bench.acme, &first).await?;
    due.parked.retain(|parked| parked.incoming.key != key);
    due.dropped.clone_from(&first.dropped);
    let after = bench.dump(&bench.acme).await?;
    ensure_same(&after, &Dump::of(&due), "after an item was dropped")?;
    let mut other = dropping(&key, "10:00:00")?;
    for dropped in &mut other.dropped {
        dropped.reason = "another reason".into();
    }
    bench.refused(&bench.acme, &first, "an item that was dropped at that instant").await?;
    bench.refused(&bench.acme, &other, "an item that was dropped for another reason").await?;
    let twice = [first.dropped.clone(), first.dropped].concat();
    let twice = Writes { dropped: twice, ..Writes::default() };
    bench.refused(&bench.acme, &twice, "an item dropped twice at once").await?;
    ensure_same(&bench.dump(&bench.acme).await?, &after, "after items were dropped again")?;
    // It may come again: to be parked and dropped once more, and to be recorded.
    let again = vec![sample::parked(key.clone())?];
    bench.commit(&bench.acme, &Writes { parked: again, ..Writes::default() }).await?;
    let second = dropping(&key, "09:00:00")?;
    bench.commit(&bench.acme, &second).await?;
    due.dropped.extend(second.dropped);
    let items = vec![sample::item("alice", key.clone(), 1)?];
    due.items.clone_from(&items);
    bench.commit(&bench.acme, &Writes { items, ..Writes::default() }).await?;
    ensure_same(&bench.dump(&bench.acme).await?, &Dump::of(&due), "after it came again")?;
    ensure_same(&bench.dump(&bench.rival).await?, &rival, "another tenant's items of these keys")
}

fn dropping(key: &ItemKey, time: &str) -> Made<Writes> {
    let (unparked, dropped) = (vec![key.clone()], vec![sample::dropped(key.clone(), time)?]);
    Ok(Writes { unparked, dropped, ..Writes::default() })
}

pub(super) async fn parked_is_not_lost(bench: &Bench) -> Kept {
    let door = Door::metered(bench, "acme", &["alice"]).await?;
    let usage = sample::key("usage")?;
    let keys = [
        usage.clone(),
        sample::leg(&usage, "b")?,
        sample::partial(&sample::leg(&usage, "b")?, 2),
        sample::leg(&usage, "c")?,
        sample::key("dropped")?,
        sample::key("late")?,
    ];
    let items = keys.iter().map(|key| pulse("nobody", key.clone(), "1.25"));
    let items: Vec<Incoming> = items.collect::<Made<_>>()?;
    let taken = door.take(&items).await?;
    ensure(taken.intake.parked == 6, "items of an account that is not there were not parked")?;
    retries(bench, &door, &keys).await?;
    let [whole, leg, record, other, dropped, late] = keys;
    // One leg is mended, and none beside it.
    let mended = [pulse("alice", leg.clone(), "1.25")?];
    ensure(door.tenant.mend_parked(&mended).await?.intake.recorded == 1, "it was not mended")?;
    waits(bench, &door, &[&dropped, &late, &whole, &record, &other]).await?;
    let again = door.tenant.mend_parked(&mended).await;
    let refused = matches!(&again, Err(answer::Error::NotParked { key }) if *key == leg);
    ensure(refused, "an item that is recorded was mended again")?;
    drops(bench, &door, &dropped).await?;
    waits(bench, &door, &[&late, &whole, &record, &other]).await?;
    // An account that opens late takes what waited for it, each once.
    let _opened: Vec<_> = door.set_up(&["nobody"]).await?;
    let taken = door.tenant.retry_parked(&[late.clone(), whole.clone(), late, whole]).await?;
    ensure(taken.intake.recorded == 2, "what waited for its account was not recorded once")?;
    waits(bench, &door, &[&record, &other]).await?;
    // The record comes after the final one of another payer: that is no reason to lose it.
    let taken = door.tenant.retry_parked(&[record.clone(), other]).await?;
    ensure((taken.intake.recorded, taken.intake.parked) == (1, 1), "a record went astray")?;
    waits(bench, &door, &[&record]).await?;
    let mended = [pulse("alice", record, "1.25")?];
    let taken = door.tenant.mend_parked(&mended).await?;
    ensure(taken.intake.recorded == 1, "a record whose payer was mended was not recorded")?;
    let dump = bench.dump(door.tenant.id()).await?;
    coheres(&dump)?;
    let all = (dump.items.len(), dump.parked.len(), dump.dropped.len());
    ensure(all == (5, 0, 1), format!("of six items {all:?} are recorded, parked and dropped"))?;
    let report = door.tenant.not_billed().await?;
    ensure(report.parked.is_empty() && report.dropped == 1, "it is not told what is not billed")
}

/// Trying again what still cannot be recorded changes nothing but that it was tried.
async fn retries(bench: &Bench, door: &Door, keys: &[ItemKey]) -> Kept {
    let before = bench.dump(door.tenant.id()).await?;
    // It is parked since it first was.
    door.clock.set(sample::of("2027-03-02T00:00:00Z")?);
    let taken = door.tenant.retry_parked(keys).await?;
    ensure(taken.intake.parked == 6, "what was tried again and cannot be recorded is not parked")?;
    let after = bench.dump(door.tenant.id()).await?;
    ensure_same(
        &Dump { intakes: before.intakes.clone(), ..after },
        &before,
        "after parked items were tried again in vain",
    )
}

/// These are parked, and no others.
async fn waits(bench: &Bench, door: &Door, keys: &[&ItemKey]) -> Kept {
    let mut keys = keys.to_vec();
    keys.sort();
    let dump = bench.dump(door.tenant.id()).await?;
    let parked: Vec<&ItemKey> = dump.parked.iter().map(parked_key).collect();
    ensure(parked == keys, format!("{} items wait where {} are due", parked.len(), keys.len()))
}

async fn drops(bench: &Bench, door: &Door, key: &ItemKey) -> Kept {
    let was = bench.read(door.tenant.id()).await?.parked(core::slice::from_ref(key)).await?;
    door.tenant.drop_parked(key, "a test").await?;
    let dropped: Vec<Dropped> = door.tenant.dropped(None, 10).await?;
    let same = dropped.iter().map(|dropped| &dropped.parked).eq(&was) && was.len() == 1;
    ensure(same, "what was dropped is not what was parked")?;
    let last = dropped.last();
    let place = last.map(dropped_key);
    let behind = bench.read(door.tenant.id()).await?.dropped_page(place, 10).await?;
    ensure(behind.is_empty(), "more was dropped than one item")?;
    let again = door.tenant.drop_parked(key, "a test").await;
    let refused = matches!(again, Err(answer::Error::NotParked { .. }));
    ensure(refused, "an item that was dropped could be dropped again")?;
    let account: AccountId = sample::of("alice")?;
    let used = door.tenant.usage(&account, sample::of("2026-10-01")?, sample::of("2026-11-01")?);
    let counts = used.await?.into_iter().map(|usage| usage.totals.count);
    ensure(counts.eq([1, 1]), "what was dropped is counted, or what was mended is not")
}
