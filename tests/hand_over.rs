//! Days are handed over while eight writers report pulses and the process is killed: what is accepted adds up to the pulses.
//!
//! `BILLING_KILLS` sets how often it is killed (5 if unset), `BILLING_KILL_SEED` repeats a run.
#![cfg(feature = "sqlite")]

mod children;
#[path = "hand_over/pulses.rs"]
mod pulses;
#[path = "hand_over/worker.rs"]
mod worker;

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use billing::{
    Day, Tenant,
    core::{digest::Digest, id::AccountId, plan::Unpriced},
};

use children::{Done, Running, below, block_on, finding, open};
use pulses::{BATCH, NOW, Sums, WRITERS};
use worker::{Received, Until};

const TEST: &str = "pulses_under_kills_are_handed_over_exactly_once";
/// Set for the child process: where its files are, and whether it comes to an end.
const CHILD: &str = "BILLING_HAND_OVER_FOLDER";
const LAST: &str = "BILLING_HAND_OVER_LAST";
const SEED: &str = "BILLING_KILL_SEED";

/// How long a process may take to show that it works.
const PATIENCE: Duration = Duration::from_secs(60);

/// One revision of one account's day.
type Place = (AccountId, Day, u32);

#[test]
fn pulses_under_kills_are_handed_over_exactly_once() -> Done {
    if let Some(folder) = std::env::var_os(CHILD) {
        children::end_with_parent();
        let until = if std::env::var_os(LAST).is_some() { Until::Answered } else { Until::Killed };
        return block_on(worker::work(&PathBuf::from(folder), children::seed()?, until));
    }
    let (kills, seed) = (children::kills(5)?, children::seed()?);
    let folder = children::folder("hand-over")?;
    println!("repeat this with {SEED}={seed}; its files are in {}", folder.display());
    block_on(prepare(&folder))?;
    let (mut random, mut at_work) = (seed, 0_u32);
    for kill in 0..kills {
        let before = progress(&folder)?;
        let child = begin(&folder, seed, Until::Killed)?;
        kill_somewhere(child, &folder, &before, &mut random)?;
        at_work += u32::from(progress(&folder)? != before);
        let repeat = format!("kill {kill} of {SEED}={seed}");
        block_on(check_what_is_left(&folder, seed, &repeat))?;
    }
    assert!(at_work > 0, "no kill hit a process at work; {SEED}={seed}");
    begin(&folder, seed, Until::Answered)?.wait()?;
    let counted = block_on(check_everything(&folder, seed))?;
    std::fs::remove_dir_all(&folder)?;
    println!(
        "evidence: hand-overs under {WRITERS} writers, process killed = {kills} times ({at_work} at work): {counted}, \
         each with one digest; accepted revisions add up to the pulses, verified clean"
    );
    Ok(())
}

fn begin(folder: &Path, seed: u64, until: Until) -> Done<Running> {
    let seed = seed.to_string();
    let mut told = vec![(CHILD, folder.as_os_str()), (SEED, OsStr::new(&seed))];
    if until == Until::Answered {
        told.push((LAST, OsStr::new("1")));
    }
    Running::begin(TEST, told)
}

/// Kills a child at a random moment, most often while it works, and sometimes while it still opens its files.
fn kill_somewhere(child: Running, folder: &Path, before: &[u64], random: &mut u64) -> Done {
    let begun = Instant::now();
    if below(4, random) > 0 {
        while progress(folder)? == before && begun.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    std::thread::sleep(Duration::from_micros(below(400_000, random)));
    match child.kill()? {
        None => Ok(()),
        Some(status) => Err(format!("the child ended by itself, with {status}").into()),
    }
}

/// How far the writers are.
fn progress(folder: &Path) -> Done<Vec<u64>> {
    (0..WRITERS).map(|writer| worker::acknowledged(folder, writer)).collect()
}

async fn prepare(folder: &Path) -> Done {
    let (store, tenant) = open(&worker::database(folder), NOW).await?;
    pulses::prepare(&tenant).await?;
    store.close().await;
    Ok(())
}

/// Right after a kill: the store agrees with itself, and every pulse that was answered is there.
async fn check_what_is_left(folder: &Path, seed: u64, repeat: &str) -> Done {
    let (store, tenant) = open(&worker::database(folder), NOW).await?;
    assert_eq!(finding(&tenant).await?, None, "{repeat}");
    for (writer, batches) in (0..).zip(progress(folder)?) {
        for number in 0..batches {
            assert!(is_recorded(&tenant, seed, writer, number).await?, "{repeat}");
        }
    }
    store.close().await;
    Ok(())
}

async fn is_recorded(tenant: &Tenant, seed: u64, writer: u64, number: u64) -> Done<bool> {
    let keys: Vec<_> =
        pulses::batch(seed, writer, number)?.into_iter().map(|pulse| pulse.key).collect();
    Ok(tenant.read().await?.items(&keys).await?.len() == keys.len())
}

/// At the end: what the processor received adds up to what was reported, and the store says the same.
async fn check_everything(folder: &Path, seed: u64) -> Done<String> {
    let repeat = format!("{SEED}={seed}");
    let batches = progress(folder)?;
    let (revisions, times) = received(folder, &repeat)?;
    let (store, tenant) = open(&worker::database(folder), NOW).await?;
    assert_eq!(finding(&tenant).await?, None, "{repeat}");
    let accepted = accepted(&tenant, &repeat).await?;
    let digests = revisions.iter().map(|(place, received)| (place.clone(), received.digest));
    assert_eq!(accepted, digests.collect(), "{repeat}");
    store.close().await;

    let expected = pulses::expected(seed, &batches)?;
    assert!(sums(revisions.values())? == expected, "sums differ: {repeat}");
    let pulses = batches.iter().sum::<u64>() * BATCH;
    let days: BTreeSet<_> = revisions.keys().map(|(account, day, _)| (account, day)).collect();
    Ok(format!(
        "{pulses} pulses in {} revisions of {} days, received {times} times",
        revisions.len(),
        days.len(),
    ))
}

/// Each revision that the processor received, and how often it received any.
fn received(folder: &Path, repeat: &str) -> Done<(BTreeMap<Place, Received>, usize)> {
    let mut revisions: BTreeMap<Place, Received> = BTreeMap::new();
    let lines = std::fs::read_to_string(worker::received(folder))?;
    for line in lines.lines() {
        let received: Received = serde_json::from_str(line)?;
        let handover = &received.handover;
        assert_eq!(handover.digest(), received.digest, "{repeat}");
        let place = (handover.account.clone(), handover.day, handover.revision);
        let first = revisions.entry(place).or_insert_with_key(|_| received.clone());
        assert_eq!(first.digest, received.digest, "two digests of {:?}: {repeat}", first.handover);
    }
    Ok((revisions, lines.lines().count()))
}

/// What the store says was accepted; nothing may be in another state, and nothing may wait to be handed over.
async fn accepted(tenant: &Tenant, repeat: &str) -> Done<BTreeMap<Place, Digest>> {
    let mut facts = tenant.read().await?;
    assert_eq!(facts.unhanded_accounts(None, 1).await?, [], "{repeat}");
    let mut accepted = BTreeMap::new();
    for account in facts.account_page(None, 1_000).await? {
        for settlement in facts.settlements_of(&account).await? {
            assert_eq!(settlement.state.name(), "accepted", "{repeat}");
            let handover = settlement.handover;
            let place = (account.clone(), handover.day, handover.revision);
            accepted.insert(place, handover.digest());
        }
    }
    Ok(accepted)
}

fn sums<'a>(revisions: impl Iterator<Item = &'a Received>) -> Done<Sums> {
    let mut sums = Sums::new();
    for Received { handover, .. } in revisions {
        for total in &handover.totals {
            let named = Unpriced::product_and_unit(&total.group);
            let (product, unit) = named.ok_or("a group of no product and unit")?;
            let (account, day) = (handover.account.to_string(), handover.day.to_string());
            let key = (account, day, product.to_string(), unit.to_string());
            pulses::add(&mut sums, key, total.totals.count, total.totals.quantity)?;
        }
    }
    Ok(sums)
}
