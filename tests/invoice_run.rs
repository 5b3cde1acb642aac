//! The run over a thousand accounts by four schedulers at once: a thousand invoices, numbered without a gap, also under kills.
//!
//! `BILLING_KILLS` sets how often a scheduler is killed (5 if unset), `BILLING_KILL_SEED` repeats a run.
#![cfg(feature = "sqlite")]

mod children;
#[path = "invoice_run/month.rs"]
mod month;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use billing::{
    AccountId, Draft, RunOutcome, SeriesId, Tenant,
    schedule::{Done as JobDone, Job, Scheduler},
};

use children::{Done, Running, below, block_on, finding, open};
use month::{ACCOUNTS, NOW};

const TEST: &str = "four_schedulers_at_once_issue_each_invoice_once";
/// Set for a child process: the database it issues invoices in.
const CHILD: &str = "BILLING_INVOICE_RUN_DATABASE";
const SEED: &str = "BILLING_KILL_SEED";

const SCHEDULERS: usize = 4;
const KILLS_OF_A_RUN: u32 = 5;
const SERIES: &str = "2026";
/// An hour before `NOW`: the job falls due once in between.
const SINCE: &str = "2026-11-02T11:00:00Z";
const HOURLY: &str = "5 * * * *";
/// How long a process may take to show that it works.
const PATIENCE: Duration = Duration::from_secs(60);

/// What each account is to pay: everything on its invoice but the number.
type Drafts = BTreeMap<AccountId, Draft>;

#[test]
fn four_schedulers_at_once_issue_each_invoice_once() -> Done {
    if let Some(database) = std::env::var_os(CHILD) {
        children::end_with_parent();
        return block_on(issue_in(PathBuf::from(database)));
    }
    let (kills, seed) = (children::kills(KILLS_OF_A_RUN)?, children::seed()?);
    let folder = children::folder("invoice-run")?;
    println!("repeat this with {SEED}={seed}; its files are in {}", folder.display());
    block_on(check(&folder, kills, seed))?;
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

async fn check(folder: &Path, kills: u32, seed: u64) -> Done {
    let month = folder.join("month.db");
    let (store, tenant) = open(&month, NOW).await?;
    month::prepare(&tenant).await?;
    store.close().await;

    let alone = copy(&month, "alone")?;
    issue_in(alone.clone()).await?;
    let expected = drafts(&alone).await?;

    let together = copy(&month, "together")?;
    issue_together(&together).await?;
    assert!(drafts(&together).await? == expected, "four tasks made other invoices than one");
    assert!(is_clean(&together).await?);

    let (mut random, mut left, mut midway, mut runs) = (seed, kills, 0_u32, 0_u32);
    while left > 0 {
        let killed = left.min(KILLS_OF_A_RUN);
        let database = copy(&month, &format!("killed-{runs}"))?;
        midway += issue_under_kills(&database, killed, &mut random).await?;
        let found = drafts(&database).await?;
        assert!(found == expected, "killed schedulers made other invoices; {SEED}={seed}");
        assert!(is_clean(&database).await?, "{SEED}={seed}");
        (left, runs) = (left - killed, runs + 1);
    }
    assert!(midway > 0, "no kill came between the first invoice and the last; {SEED}={seed}");
    println!(
        "evidence: invoice run by {SCHEDULERS} schedulers at once = {ACCOUNTS} accounts, {ACCOUNTS} invoices numbered \
         1 to {ACCOUNTS}, equal to an undisturbed run, verified clean"
    );
    println!(
        "evidence: the same by {SCHEDULERS} processes, {kills} times one was killed ({midway} between the first invoice and \
         the last) = {runs} runs, the same in each"
    );
    Ok(())
}

fn copy(month: &Path, name: &str) -> Done<PathBuf> {
    let database = month.with_file_name(format!("{name}.db"));
    std::fs::copy(month, &database)?;
    Ok(database)
}

/// Four tasks on one store.
async fn issue_together(database: &Path) -> Done {
    let (store, tenant) = open(database, NOW).await?;
    let issue = |_| {
        let tenant = tenant.clone();
        tokio::spawn(async move { issue(&tenant).await.map_err(|error| error.to_string()) })
    };
    let tasks: Vec<_> = (0..SCHEDULERS).map(issue).collect();
    for task in tasks {
        task.await??;
    }
    store.close().await;
    Ok(())
}

/// Four processes on one file, of which one is killed at random moments and begun again, until each is done.
async fn issue_under_kills(database: &Path, kills: u32, random: &mut u64) -> Done<u32> {
    let begin = || Running::begin(TEST, [(CHILD, database.as_os_str())]);
    // Opened before they begin, because it waits for its turn to write.
    let (store, tenant) = open(database, NOW).await?;
    let mut running: Vec<Running> = (0..SCHEDULERS).map(|_| begin()).collect::<Done<_>>()?;
    let mut moments: Vec<u64> = (0..kills).map(|_| below(ACCOUNTS, random)).collect();
    moments.sort_unstable();
    let mut midway = 0;
    for moment in moments {
        let begun = Instant::now();
        while last_number(&tenant).await? < moment && begun.elapsed() < PATIENCE {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // Somewhere in what is done next.
        tokio::time::sleep(Duration::from_micros(below(20_000, random))).await;
        let one = usize::try_from(below(u64::try_from(running.len())?, random))?;
        if running.swap_remove(one).kill()?.is_none() {
            midway += u32::from((1..ACCOUNTS).contains(&last_number(&tenant).await?));
        }
        running.push(begin()?);
    }
    for child in running {
        child.wait()?;
    }
    store.close().await;
    Ok(midway)
}

async fn last_number(tenant: &Tenant) -> Done<u64> {
    let series: SeriesId = SERIES.parse()?;
    let all = tenant.read().await?.all_series().await?;
    Ok(all.into_iter().find(|(id, _)| *id == series).map_or(0, |(_, last)| last))
}

async fn issue_in(database: PathBuf) -> Done {
    let (store, tenant) = open(&database, NOW).await?;
    issue(&tenant).await?;
    store.close().await;
    Ok(())
}

/// What a host's scheduler does: drives what is due, and drives it once more while the store is busy.
async fn issue(tenant: &Tenant) -> Done {
    let job = Job::IssueInvoices { series: SERIES.parse()? };
    let scheduler = Scheduler::new(tenant.clone()).with(HOURLY.parse()?, job);
    let (since, begun) = (SINCE.parse()?, Instant::now());
    while begun.elapsed() < PATIENCE {
        for outcome in scheduler.run_due(since, tenant.now()).await {
            match outcome {
                Ok(JobDone::Invoices(answers)) => return all_issued(&answers),
                Err(billing::Error::Store(error)) if error.is_transient() => {}
                Err(error) => return Err(error.into()),
                Ok(other) => return Err(format!("this is no invoice run: {other:?}").into()),
            }
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Err("the store was busy all the time".into())
}

/// Each account has its invoice, from this scheduler or from another one.
fn all_issued(answers: &[(AccountId, RunOutcome)]) -> Done {
    let issued =
        |outcome: &RunOutcome| matches!(outcome, RunOutcome::Issued(_) | RunOutcome::AlreadyIssued);
    match answers.iter().find(|(_, outcome)| !issued(outcome)) {
        Some((account, outcome)) => Err(format!("{account}: {outcome:?}").into()),
        None if answers.len() == usize::try_from(ACCOUNTS)? => Ok(()),
        None => Err(format!("{} accounts were asked", answers.len()).into()),
    }
}

/// Whether everything in a database agrees with everything else.
async fn is_clean(database: &Path) -> Done<bool> {
    let (store, tenant) = open(database, NOW).await?;
    let finding = finding(&tenant).await?;
    store.close().await;
    finding.map_or(Ok(true), |finding| Err(finding.into()))
}

/// The accounts' invoices without their numbers, once these are 1 to 1,000.
async fn drafts(database: &Path) -> Done<Drafts> {
    let (store, tenant) = open(database, NOW).await?;
    let (mut drafts, mut numbers) = (Drafts::new(), BTreeSet::new());
    let mut facts = tenant.read().await?;
    for account in facts.account_page(None, u32::try_from(ACCOUNTS)? + 1).await? {
        let invoices = facts.invoices_of(&account).await?;
        let [invoice] = &invoices[..] else {
            return Err(format!("{account} has {} invoices", invoices.len()).into());
        };
        assert!(numbers.insert(invoice.number), "number {} was given twice", invoice.number);
        assert_eq!(invoice.series.as_str(), SERIES);
        drafts.insert(account, invoice.draft.clone());
    }
    assert!(numbers.into_iter().eq(1..=ACCOUNTS), "there is a gap in the numbers");
    drop(facts);
    assert_eq!(last_number(&tenant).await?, ACCOUNTS);
    store.close().await;
    Ok(drafts)
}
