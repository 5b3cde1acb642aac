//! What a unit of work shows and leaves: to itself, to others, after a commit, after a refusal and after nothing.

use std::time::Duration;

use billing_core::{
    decide::{CarryMove, Writes},
    digest::Digest,
    event::Head,
    usage::{Carry, DayTotal, ScopeKey, Totals},
};

use crate::conformance::{
    bench::{Bench, ensure_same},
    dump::Dump,
    finds::finds,
    kept::{Kept, ensure},
    sample::{self, Made},
    together,
};

/// How long a reader may wait for a unit to end before the unit is ended for it.
const GLANCE: Duration = Duration::from_millis(50);

pub(super) async fn nothing_before_commit(bench: &Bench) -> Kept {
    dropped(bench, &sample::everything("alice", 1)?, "a first unit was dropped").await?;
    bench.commit(&bench.acme, &sample::everything("alice", 1)?).await?;
    dropped(bench, &replacing()?, "a unit that replaced rows was dropped").await?;
    dropped(bench, &sample::everything("bob", 2)?, "a second unit was dropped").await?;
    // What a dropped unit claimed is free.
    bench.commit(&bench.acme, &sample::everything("bob", 2)?).await?;
    let before = bench.dump(&bench.acme).await?;
    bench.begin(&bench.acme, &Writes::default()).await?.commit().await?;
    ensure_same(&bench.dump(&bench.acme).await?, &before, "after a unit that wrote nothing")
}

async fn dropped(bench: &Bench, writes: &Writes, when: &str) -> Kept {
    let before = bench.dump(&bench.acme).await?;
    let mut unit = bench.begin(&bench.acme, writes).await?;
    unit.apply(writes).await?;
    drop(unit);
    ensure_same(&bench.dump(&bench.acme).await?, &before, when)?;
    finds(&mut *bench.read(&bench.acme).await?, &before).await
}

pub(super) async fn unit_sees_itself(bench: &Bench) -> Kept {
    let first = sample::everything("alice", 1)?;
    seen(bench, &first, &Dump::of(&first)).await?;
    bench.commit(&bench.acme, &first).await?;
    let replacing = replacing()?;
    let heads = Vec::new();
    let after = Dump::of(&Writes {
        heads: first.heads.clone(),
        series: first.series.clone(),
        ..replaced(first, &replacing)
    });
    seen(bench, &Writes { heads, series: None, ..replacing }, &after).await
}

/// Looks at writes from inside and from outside before the unit is dropped.
async fn seen(bench: &Bench, writes: &Writes, after: &Dump) -> Kept {
    let before = bench.dump(&bench.acme).await?;
    let mut unit = bench.begin(&bench.acme, writes).await?;
    unit.apply(writes).await?;
    let inside = Dump::read(&mut *unit).await?;
    finds(&mut *unit, &inside).await?;
    // A reader may see the state before or wait. Since the unit is dropped, it sees the state before in either case.
    let outside = together::within(GLANCE, Box::pin(bench.dump(&bench.acme))).await;
    drop(unit);
    let outside = match outside {
        Ok(outside) => outside?,
        Err(waiting) => waiting.await?,
    };
    ensure_same(&inside, after, "a unit that read its own writes")?;
    ensure_same(&outside, &before, "a reader beside a unit that did not commit")
}

pub(super) async fn all_or_nothing(bench: &Bench) -> Kept {
    let alice = sample::everything("alice", 1)?;
    bench.commit(&bench.acme, &alice).await?;
    let before = bench.dump(&bench.acme).await?;
    for (refused, why) in refused_late(&alice)? {
        let mut unit = bench.begin(&bench.acme, &refused).await?;
        // That it is refused is the matter of other promises; what is accepted is dropped all the same.
        let answer = unit.apply(&refused).await;
        drop(unit);
        drop(answer);
        ensure_same(&bench.dump(&bench.acme).await?, &before, why)?;
    }
    bench.commit(&bench.acme, &sample::everything("bob", 2)?).await?;
    Ok(())
}

/// Good rows for another account, each time with one row that exists.
fn refused_late(alice: &Writes) -> Made<[(Writes, &'static str); 7]> {
    let mut claimed = sample::everything("bob", 2)?;
    claimed.items.extend(alice.items.iter().cloned());
    let mut numbered = sample::everything("bob", 2)?;
    numbered.postings.extend(alice.postings.iter().cloned());
    let mut invoiced = sample::everything("bob", 2)?;
    invoiced.invoices.extend(alice.invoices.iter().cloned());
    let mut taken_in = sample::everything("bob", 2)?;
    taken_in.intake.clone_from(&alice.intake);
    let mut dropped = sample::everything("bob", 2)?;
    dropped.dropped.extend(alice.dropped.iter().cloned());
    let mut corrected = sample::everything("bob", 2)?;
    corrected.corrections.extend(alice.corrections.iter().cloned());
    // What alice has moves on before that of bob is refused.
    let mut handed = Writes { dropped: Vec::new(), ..sample::everything("bob", 2)? };
    handed.moved.push(sample::moved(sample::key("alice-2")?, 9)?);
    handed.unparked.push(sample::key("alice-parked")?);
    handed.marks.push(sample::mark("invoices", 1, sample::void())?);
    handed
        .settlements
        .extend(alice.settlements.iter().map(sample::sent).collect::<Made<Vec<_>>>()?);
    let mut other = sample::settlement("alice", "2026-10-05", 1)?;
    other.handover.totals.clear();
    handed.settlements.push(other);
    Ok([
        (claimed, "after a unit whose last item was claimed already"),
        (numbered, "after a unit whose last posting had a number that was given"),
        (invoiced, "after a unit whose last invoice had a number that was given"),
        (taken_in, "after a unit whose batch was recorded already"),
        (dropped, "after a unit whose last dropped item was dropped already"),
        (corrected, "after a unit whose last correction was made already"),
        (handed, "after a unit whose last settlement had other content"),
    ])
}

pub(super) async fn writes_replace(bench: &Bench) -> Kept {
    let first = sample::everything("alice", 1)?;
    bench.commit(&bench.acme, &first).await?;
    let replacing = replacing()?;
    bench.commit(&bench.acme, &replacing).await?;
    let found = bench.dump(&bench.acme).await?;
    let due = Writes {
        heads: replacing.heads.clone(),
        series: replacing.series.clone(),
        ..replaced(first, &replacing)
    };
    ensure_same(&found, &Dump::of(&due), "after rows were replaced")?;
    parks_again(bench).await
}

/// What is there once `replacing` came after `first`, but for heads and series.
fn replaced(first: Writes, replacing: &Writes) -> Writes {
    let mut items = first.items;
    for item in &mut items {
        let moved = replacing.moved.iter().find(|moved| moved.key == item.claim.key);
        if let Some(moved) = moved {
            item.claim.move_on(moved);
        }
    }
    Writes {
        items,
        parked: Vec::new(),
        totals: replacing.totals.clone(),
        carries: replacing.carries.clone(),
        marks: replacing.marks.clone(),
        settlements: replacing.settlements.clone(),
        tariff_catalog: replacing.tariff_catalog,
        ..first
    }
}

/// Replaces whatever `everything` around alice wrote and may change, unparks, and makes the invoice void.
fn replacing() -> Made<Writes> {
    let first = sample::everything("alice", 1)?;
    let amount = Some(sample::of("-1")?);
    let flip = |total: DayTotal| DayTotal {
        totals: Totals { count: 5, amount, ..total.totals },
        closed: !total.closed,
        billed: !total.billed,
        handed: !total.handed,
        ..total
    };
    let CarryMove { key, .. } = sample::carry("alice", ScopeKey::Lifetime)?;
    let (exact, kept) = (sample::of("-1/7")?, sample::of("2/3")?);
    let carry = Carry { quantity: sample::of("7")?, exact, billed: sample::of("-3")?, kept };
    Ok(Writes {
        heads: vec![(
            sample::of("alice")?,
            Head { rated_until: Some(sample::at("08:01:01")?), ..sample::head(9) },
        )],
        unparked: vec![sample::key("alice-parked")?, sample::key("never-parked")?],
        moved: vec![sample::moved(sample::key("alice-2")?, 9)?],
        marks: vec![sample::mark("invoices", 1, sample::void())?],
        settlements: first.settlements.iter().map(sample::sent).collect::<Made<_>>()?,
        totals: first.totals.into_iter().map(flip).collect(),
        carries: vec![CarryMove { key, carry }],
        series: Some((sample::of("invoices")?, 9)),
        tariff_catalog: Some(Digest::ZERO),
        ..Writes::default()
    })
}

/// Parks an item, parks it with another reason, and claims and unparks it in one unit.
async fn parks_again(bench: &Bench) -> Kept {
    let key = sample::key("again")?;
    let mut parked = sample::parked(key.clone())?;
    for since in ["09:00:00", "09:30:00"] {
        parked.since = sample::at(since)?;
        parked.incoming.account = Some(sample::of("alice")?);
        let writes = Writes { parked: vec![parked.clone()], ..Writes::default() };
        bench.commit(&bench.acme, &writes).await?;
        let found = bench.read(&bench.acme).await?.parked(core::slice::from_ref(&key)).await?;
        ensure(found == [parked.clone()], "an item parked again is not as it was parked last")?;
    }
    let items = vec![sample::item("alice", key.clone(), 3)?];
    let writes = Writes { items, unparked: vec![key.clone()], ..Writes::default() };
    bench.commit(&bench.acme, &writes).await?;
    let mut facts = bench.read(&bench.acme).await?;
    let parked = facts.parked(core::slice::from_ref(&key)).await?;
    ensure(parked.is_empty(), "an item is still parked after it was unparked")?;
    let items = facts.items(&[key]).await?;
    ensure(items.len() == 1, "an item that was parked cannot be claimed")
}
