//! Several records of one usage: which of them counts, and how the others are marked.

use billing_core::{
    decide::{Moved, Receipt, Writes},
    item::{Incoming, Item},
};

use crate::conformance::{
    bench::{Bench, ensure_same},
    coheres::coheres,
    door::{Door, pulse},
    kept::{Failed, Kept, ensure},
    sample::{self, Made},
};

/// How many items one write moves: more than a statement has rows.
const MANY: u64 = 600;

pub(super) async fn superseded_moves_on(bench: &Bench) -> Kept {
    let usage = sample::key("session")?;
    let keys = [
        sample::partial(&usage, 1),
        sample::partial(&usage, 2),
        sample::partial(&usage, 10),
        usage.clone(),
        sample::partial(&sample::leg(&usage, "b")?, 1),
        sample::partial(&sample::key("session1")?, 1),
    ];
    let mut writes = sample::opened("alice")?;
    for (key, seq) in keys.iter().zip(2_u64..) {
        writes.items.push(sample::item("alice", key.clone(), seq)?);
    }
    for seq in 100..MANY.saturating_add(100) {
        let key = sample::partial(&sample::key(&format!("many-{seq}"))?, 1);
        writes.items.push(sample::item("alice", key, seq)?);
    }
    bench.commit(&bench.acme, &writes).await?;
    bench.commit(&bench.rival, &writes).await?;
    let before = bench.dump(&bench.acme).await?;
    let Some(first) = keys.first() else { return Ok(()) };
    moves(bench, vec![sample::moved(first.clone(), 20)?]).await?;
    moves(
        bench,
        vec![
            Moved { effective: 0, amended: None, ..sample::moved(first.clone(), 21)? },
            sample::moved(sample::partial(&usage, 2), 22)?,
        ],
    )
    .await?;
    let many = before.items.iter().map(|item| item.claim.key.clone());
    let many = many.filter(|key| key.id.as_str().starts_with("many"));
    let many = many.zip(1_000_u64..).map(|(key, seq)| sample::moved(key, seq));
    moves(bench, many.collect::<Made<_>>()?).await?;
    // What is not there does not come by being moved.
    let nothing = sample::partial(&usage, 3);
    bench.commit(&bench.acme, &moving(vec![sample::moved(nothing, 9)?])?).await?;
    let items = bench.dump(&bench.acme).await?.items;
    let moved = items.iter().filter(|item| item.claim.current_seq != item.claim.first_seq);
    ensure(items.len() == before.items.len(), "an item came by being moved, or went")?;
    ensure(moved.count() == before.items.len().saturating_sub(4), "not all that moved is moved")?;
    ensure_same(
        &bench.dump(&bench.rival).await?,
        &before,
        "another tenant's items of the same keys",
    )
}

/// Moves items, and looks whether they moved and nothing else did.
async fn moves(bench: &Bench, moved: Vec<Moved>) -> Kept {
    let mut due = bench.dump(&bench.acme).await?;
    for item in &mut due.items {
        let to = moved.iter().find(|moved| moved.key == item.claim.key);
        if let Some(moved) = to {
            item.claim.move_on(moved);
        }
    }
    bench.commit(&bench.acme, &moving(moved)?).await?;
    ensure_same(&bench.dump(&bench.acme).await?, &due, "after items were superseded")
}

fn moving(moved: Vec<Moved>) -> Made<Writes> {
    let heads = vec![(sample::of("alice")?, sample::head(1))];
    Ok(Writes { moved, heads, ..Writes::default() })
}

/// The records of one usage: a number, how much was used by then, and on which day it was told.
const RECORDS: [(u32, &str, &str); 4] = [
    (1, "1.5", "2026-10-05T08:00:00Z"),
    (2, "9", "2026-10-06T08:00:00Z"),
    (10, "7.25", "2026-10-06T09:00:00Z"),
    (0, "4.0000000001", "2026-10-05T22:30:00Z"),
];

pub(super) async fn last_record_counts(bench: &Bench) -> Kept {
    let door = Door::metered(bench, "acme", &["alice"]).await?;
    let orders = orders(&[0, 1, 2, 3]);
    // One batch for all records, one for three and one for the last, one for each, and each batch again.
    for size in [4, 3, 1] {
        let usages = orders.iter().zip(1_u32..);
        let usages = usages.map(|(order, number)| records(&format!("{size}-{number}"), order));
        let usages = usages.collect::<Made<Vec<_>>>()?;
        let mut told = 0_usize;
        for chunk in 0..RECORDS.len().div_ceil(size) {
            let chunks = usages.iter().filter_map(|records| records.chunks(size).nth(chunk));
            let batch = chunks.flatten().cloned().collect::<Vec<_>>();
            let taken = door.take(&batch).await?;
            told = told.saturating_add(taken.receipts.iter().filter(|r| is_told(r)).count());
            let again = door.take(&batch).await?;
            let known = again.receipts.iter().all(|r| matches!(r, Receipt::Replayed { .. }));
            ensure(known, "a record that came again was not recognised")?;
        }
        ensure(told == 96, format!("of 96 records {told} were recorded or superseded"))?;
    }
    let dump = bench.dump(door.tenant.id()).await?;
    coheres(&dump)?;
    ensure(dump.items.len() == 288, "not every record is kept")?;
    let (from, until) = (sample::of("2026-10-01")?, sample::of("2026-11-01")?);
    let used = door.tenant.usage(&sample::of("alice")?, from, until).await?;
    let mut counted = 0_u32;
    for usage in used.iter().filter(|usage| usage.totals.count != 0) {
        // The final record is told at half past midnight in Berlin.
        let of_final = (usage.day.to_string(), usage.totals.count, usage.totals.quantity);
        let due = ("2026-10-06".to_owned(), 72, sample::of("288.0000000072")?);
        ensure(of_final == due, format!("{of_final:?} was counted where {due:?} were due"))?;
        counted = counted.saturating_add(1);
    }
    ensure(counted == 2, format!("{counted} strategies counted what two of them count"))
}

const fn is_told(receipt: &Receipt) -> bool {
    matches!(receipt, Receipt::Recorded { .. } | Receipt::Superseded { .. })
}

/// The records of a usage of alice's, in the given order.
fn records(id: &str, order: &[usize]) -> Made<Vec<Incoming>> {
    let usage = sample::key(id)?;
    let record = |place: &usize| {
        let unknown = || Failed(format!("there is no record {place}"));
        let (number, amount, at) = RECORDS.get(*place).ok_or_else(unknown)?;
        let mut record = pulse("alice", sample::partial(&usage, *number), amount)?;
        if let Item::Pulse(pulse) = &mut record.item {
            pulse.at = sample::of(at)?;
        }
        Ok(record)
    };
    order.iter().map(record).collect()
}

/// All orders of some places.
fn orders(places: &[usize]) -> Vec<Vec<usize>> {
    if places.is_empty() {
        return vec![Vec::new()];
    }
    let first = |place: &usize| {
        let rest: Vec<usize> = places.iter().copied().filter(|other| other != place).collect();
        let before = |rest: Vec<usize>| [vec![*place], rest].concat();
        orders(&rest).into_iter().map(before).collect::<Vec<_>>()
    };
    places.iter().flat_map(first).collect()
}
