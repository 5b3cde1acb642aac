//! The outbox: cursors move forward under a lease, what is due is found, an epoch is begun once.

use billing_core::{
    decide::Writes,
    id::{AccountId, SinkId},
    outbox::{Cursor, DeadLetter, Lease, LeaseMove, Relayed},
    time::Instant,
};

use crate::conformance::{
    bench::{Bench, ensure_same, must_refuse},
    kept::{Kept, ensure},
    sample::{self, Made},
};

/// Names whose order as bytes is not that of any language.
const ACCOUNTS: [&str; 5] = ["B", "a", "a b", "a\u{e9}", "b"];

pub(super) async fn cursors_move_forward(bench: &Bench) -> Kept {
    bench.commit(&bench.acme, &opened(&["alice", "bob"])?).await?;
    let before = bench.dump(&bench.acme).await?;
    // A first lease, and with it what was moved under it.
    let first = relayed(None, "one", 1, &[("alice", 1)])?;
    let mut unit = bench.begin(&bench.acme, &first).await?;
    unit.apply(&first).await?;
    let inside = unit.cursors_of(&sample::of("alice")?).await?;
    ensure(inside == [at("alice", 1)?], "a unit does not see the cursor it has moved")?;
    drop(unit);
    ensure_same(&bench.dump(&bench.acme).await?, &before, "a run that was dropped")?;
    let leases = bench.read(&bench.acme).await?.leases().await?;
    ensure(leases.is_empty(), "a run that was dropped has left its lease")?;
    bench.commit(&bench.acme, &first).await?;
    expect(bench, 1, 1).await?;

    for (expected, token, why) in [
        (None, 1, "a lease that was there, taken as the first"),
        (None, 2, "a lease that was there, taken as the first, with another token"),
        (Some(2), 3, "a lease taken from a holder that does not hold it"),
        (Some(9), 1, "a lease kept under a token that was never given"),
    ] {
        let stale = relayed(expected, "two", token, &[("alice", 2)])?;
        bench.refused(&bench.acme, &stale, why).await?;
        expect(bench, 1, 1).await?;
    }
    bench.commit(&bench.acme, &relayed(Some(1), "two", 2, &[("alice", 2)])?).await?;
    expect(bench, 2, 2).await?;
    let late = relayed(Some(1), "one", 1, &[("alice", 3)])?;
    bench.refused(&bench.acme, &late, "what was moved under a lease of the past").await?;
    let back = relayed(Some(2), "two", 2, &[("bob", 1), ("alice", 1)])?;
    bench.refused(&bench.acme, &back, "a cursor that moves back").await?;
    expect(bench, 2, 2).await?;
    let bob = bench.read(&bench.acme).await?.cursors_of(&sample::of("bob")?).await?;
    ensure(bob.is_empty(), "a cursor stays of a run that was refused")?;

    // Where it stands, everything else of it may change.
    let failed = failed("alice", 2)?;
    let mut again = relayed(Some(2), "two", 2, &[])?;
    again.relayed.iter_mut().for_each(|relayed| relayed.cursors.push(failed.clone()));
    bench.commit(&bench.acme, &again).await?;
    let found = bench.read(&bench.acme).await?.cursors_of(&sample::of("alice")?).await?;
    ensure(found == [failed], "a cursor does not keep what it waits for")?;
    // Nobody else has any of it.
    let mut rival = bench.read(&bench.rival).await?;
    let is_apart = rival.leases().await?.is_empty()
        && rival.cursors_of(&sample::of("alice")?).await?.is_empty();
    ensure(is_apart, "another tenant has the lease and the cursors")
}

/// The token of the lease, and where the cursor of alice stands.
async fn expect(bench: &Bench, token: u64, seq: u64) -> Kept {
    let mut facts = bench.read(&bench.acme).await?;
    let tokens: Vec<u64> = facts.leases().await?.iter().map(|lease| lease.token).collect();
    ensure(tokens == [token], format!("the token of the lease is {tokens:?}, {token} is due"))?;
    let found = facts.cursors_of(&sample::of("alice")?).await?;
    let found: Vec<u64> = found.iter().map(|cursor| cursor.seq).collect();
    ensure(found == [seq], format!("the cursor stands at {found:?}, {seq} is due"))
}

pub(super) async fn what_is_due_is_found(bench: &Bench) -> Kept {
    bench.commit(&bench.acme, &opened(&ACCOUNTS)?).await?;
    bench.commit(&bench.rival, &opened(&["a", "z"])?).await?;
    let bus = sample::of::<SinkId>("bus")?;
    let start = ACCOUNTS.iter().map(|account| at(account, 0)).collect::<Made<Vec<_>>>()?;
    behind(bench, sample::at("09:00:00")?, &start, "before anything was told").await?;

    // Told, told in vain, skipped, and not told at all.
    let waiting = failed("a", 0)?;
    let mut writes = relayed(None, "one", 1, &[("a b", 1)])?;
    let letters = ["a\u{e9}", "b"].map(|account| sample::letter(account, 1));
    let letters = letters.into_iter().collect::<Made<Vec<_>>>()?;
    if let Some(relayed) = &mut writes.relayed {
        relayed.cursors.push(waiting.clone());
        relayed.cursors.push(at("b", 1)?);
        relayed.dead_letters.clone_from(&letters);
    }
    bench.commit(&bench.acme, &writes).await?;
    let due = [at("B", 0)?, at("a\u{e9}", 0)?];
    behind(bench, sample::at("09:00:00")?, &due, "while one waits for another try").await?;
    let all = [at("B", 0)?, waiting, at("a\u{e9}", 0)?];
    behind(bench, sample::at("10:00:00")?, &all, "when its time has come").await?;

    dead_letters(bench, &bus, &letters).await?;
    // One is done, and stays so.
    let (now, mut done) = (sample::at("11:00:00")?, letters.clone());
    for letter in done.iter_mut().take(1) {
        letter.done = Some(now);
    }
    keep(bench, done.clone()).await?;
    dead_letters(bench, &bus, done.get(1..).unwrap_or_default()).await?;
    let mut open = letters.clone();
    for letter in &mut open {
        letter.attempts = 9;
    }
    keep(bench, open).await?;
    let found = bench.read(&bench.acme).await?.dead_letters_of(&sample::of("a\u{e9}")?).await?;
    let is_done = found.iter().map(|letter| (letter.attempts, letter.done)).eq([(9, Some(now))]);
    ensure(is_done, "a dead letter that was done is open again")?;
    skips_the_past(bench).await
}

/// Another sink, which begins behind what has happened.
async fn skips_the_past(bench: &Bench) -> Kept {
    let sink = sample::of::<SinkId>("later")?;
    let lease = LeaseMove { expected: None, lease: lease(&sink, "one", 1)? };
    let relayed = Relayed { skip_the_past: true, ..Relayed::lease(lease) };
    let writes = Writes { relayed: Some(relayed), ..Writes::default() };
    bench.commit(&bench.acme, &writes).await?;
    let mut facts = bench.read(&bench.acme).await?;
    let found = facts.behind(&sink, sample::at("10:00:00")?, None, 10).await?;
    ensure(found.is_empty(), "a sink that skips the past is told of it")?;
    let cursors = facts.cursors_of(&sample::of("b")?).await?;
    let places: Vec<_> = cursors.iter().map(|c| (c.sink.as_str(), c.seq)).collect();
    ensure(
        places == [("bus", 1), ("later", 1)],
        "the cursors of an account are not those of its sinks",
    )?;
    let sinks = facts.leases().await?;
    let sinks = sinks.iter().map(|lease| lease.sink.as_str()).eq(["bus", "later"]);
    ensure(sinks, "the leases are not those of the sinks, in order")
}

pub(super) async fn epoch_is_begun_once(bench: &Bench) -> Kept {
    let now = sample::at("09:00:00")?;
    epoch(bench, "first").await?;
    must_refuse(
        bench.store.begin_epoch(&sample::of("first")?, now).await,
        "the first epoch again",
    )?;
    for name in ["2026-11-20 restore", "2026-11-21 restore"] {
        bench.store.begin_epoch(&sample::of(name)?, now).await?;
        epoch(bench, name).await?;
        for used in ["first", "2026-11-20 restore", name] {
            let again = bench.store.begin_epoch(&sample::of(used)?, now).await;
            must_refuse(again, "an epoch that was begun before")?;
            epoch(bench, name).await?;
        }
    }
    Ok(())
}

/// The epoch that both tenants read.
async fn epoch(bench: &Bench, due: &str) -> Kept {
    for tenant in [&bench.acme, &bench.rival] {
        let found = bench.read(tenant).await?.epoch().await?;
        ensure(found.as_str() == due, format!("the epoch is {found}, {due} is due"))?;
    }
    Ok(())
}

/// All cursors that are due, in pages of every size.
async fn behind(bench: &Bench, now: Instant, due: &[Cursor], when: &str) -> Kept {
    let bus = sample::of::<SinkId>("bus")?;
    for limit in 1..=6 {
        let mut found: Vec<Cursor> = Vec::new();
        let mut facts = bench.read(&bench.acme).await?;
        loop {
            let after = found.last().map(|cursor| cursor.account.clone());
            let page = facts.behind(&bus, now, after.as_ref(), limit).await?;
            if page.is_empty() {
                break;
            }
            found.extend(page);
            ensure(found.len() <= ACCOUNTS.len(), "pages of cursors never end")?;
        }
        ensure(found == due, format!("{when}: the cursors that are due are not found"))?;
    }
    Ok(())
}

/// All dead letters that are open, in pages of every size.
async fn dead_letters(bench: &Bench, sink: &SinkId, due: &[DeadLetter]) -> Kept {
    for limit in 1..=3 {
        let mut found: Vec<DeadLetter> = Vec::new();
        let mut facts = bench.read(&bench.acme).await?;
        loop {
            let after = found.last().map(|letter| (letter.account.clone(), letter.seq));
            let after = after.as_ref().map(|(account, seq)| (account, *seq));
            let page = facts.dead_letters(sink, after, limit).await?;
            if page.is_empty() {
                break;
            }
            found.extend(page);
            ensure(found.len() <= ACCOUNTS.len(), "pages of dead letters never end")?;
        }
        ensure(found == due, "the dead letters that are open are not found")?;
    }
    Ok(())
}

async fn keep(bench: &Bench, dead_letters: Vec<DeadLetter>) -> Kept {
    let writes = Writes { dead_letters, ..Writes::default() };
    Ok(bench.commit(&bench.acme, &writes).await?)
}

/// Accounts with one entry each.
fn opened(accounts: &[&str]) -> Made<Writes> {
    let mut all = Writes::default();
    for account in accounts {
        let one = sample::opened(account)?;
        all.accounts.extend(one.accounts);
        all.heads.extend(one.heads);
        all.events.extend(one.events);
    }
    Ok(all)
}

/// What a relay of the sink `bus` writes.
fn relayed(
    expected: Option<u64>,
    holder: &str,
    token: u64,
    cursors: &[(&str, u64)],
) -> Made<Writes> {
    let lease = LeaseMove { expected, lease: lease(&sample::of("bus")?, holder, token)? };
    let cursors = cursors.iter().map(|(account, seq)| at(account, *seq));
    let cursors = cursors.collect::<Made<_>>()?;
    let relayed = Relayed { cursors, ..Relayed::lease(lease) };
    Ok(Writes { relayed: Some(relayed), ..Writes::default() })
}

fn lease(sink: &SinkId, holder: &str, token: u64) -> Made<Lease> {
    let (sink, until) = (sink.clone(), sample::at("09:01:00")?);
    Ok(Lease { sink, holder: sample::of(holder)?, until, token })
}

fn at(account: &str, seq: u64) -> Made<Cursor> {
    let account = sample::of::<AccountId>(account)?;
    Ok(Cursor { seq, ..Cursor::start(sample::of("bus")?, account) })
}

/// A cursor whose next entry is tried again at ten.
fn failed(account: &str, seq: u64) -> Made<Cursor> {
    let retry_at = Some(sample::at("10:00:00")?);
    Ok(Cursor {
        attempts: 3,
        retry_at,
        error: Some("it is \u{2713} 'busy'".into()),
        ..at(account, seq)?
    })
}
