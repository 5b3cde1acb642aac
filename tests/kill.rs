//! Imports that are killed at random moments, run again, and end where an undisturbed one ends.
//!
//! `BILLING_KILLS` sets how many (10 if unset), `BILLING_KILL_SEED` repeats a run.
#![cfg(feature = "sqlite")]

use std::{
    error::Error,
    fs::File,
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use billing_core::{
    account::AccountSettings,
    decide::Batch,
    digest::Digest,
    item::{CallEnded, Incoming},
    plan::{PlanBook, PlanSpec},
};
use billing_store::{Billing, SqliteStore, clock::SystemClock, state_hash, verify::verify};

type Done<T = ()> = Result<T, Box<dyn Error>>;

/// Set for the child process: the database it imports into.
const CHILD: &str = "BILLING_KILL_DATABASE";
const CALLS: u64 = 4_000;
const ACCOUNTS: u64 = 40;
const BATCH: usize = 50;

#[test]
fn a_killed_import_run_again_ends_where_an_undisturbed_one_ends() -> Done {
    if let Some(database) = std::env::var_os(CHILD) {
        return block_on(import(PathBuf::from(database), Acknowledge::OnFile));
    }
    let kills: u32 = env("BILLING_KILLS")?.unwrap_or(10);
    let seed: u64 = env("BILLING_KILL_SEED")?.unwrap_or_else(random_seed);
    let folder = std::env::temp_dir().join(format!("billing-kill-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let (expected, whole) = undisturbed(&folder.join("undisturbed.db"))?;
    let mut random = seed;
    let (mut before, mut midway, mut after) = (0_u32, 0_u32, 0_u32);
    for kill in 0..kills {
        let database = folder.join(format!("{kill}.db"));
        let share = next(&mut random) % 1_000;
        let wait = whole * u32::try_from(share)? / 1_000;
        kill_after(&database, wait)?;
        let recorded = block_on(recorded(&database))?;
        let acknowledged = acknowledged(&database)?;
        assert!(
            recorded >= acknowledged,
            "{acknowledged} calls were acknowledged, {recorded} are there: kill {kill} of BILLING_KILL_SEED={seed}"
        );
        match recorded {
            0 => before += 1,
            CALLS => after += 1,
            _ => midway += 1,
        }
        block_on(import(database.clone(), Acknowledge::Nowhere))?;
        let (found, clean) = block_on(state_of(database.clone()))?;
        let repeat = format!("kill {kill} of BILLING_KILL_SEED={seed}, after {wait:?}");
        assert_eq!(clean, None, "{repeat}");
        assert_eq!(found, expected, "{repeat}");
        remove(&database)?;
    }
    std::fs::remove_dir_all(&folder)?;
    assert!(midway > 0, "no kill hit the import: {before} before, {after} after; seed {seed}");
    println!(
        "evidence: imports killed = {kills} ({before} before the first commit, {midway} midway, {after} after the last), \
         nothing acknowledged lost, each verified clean and equal to an undisturbed run"
    );
    Ok(())
}

/// The state of an import nobody disturbs, and how long its process lives.
fn undisturbed(database: &Path) -> Done<(Digest, Duration)> {
    let begun = Instant::now();
    let status = child(database)?.wait()?;
    assert!(status.success(), "the undisturbed import failed");
    let whole = begun.elapsed();
    let (hash, clean) = block_on(state_of(database.to_owned()))?;
    assert_eq!(clean, None);
    Ok((hash, whole))
}

/// Runs this test again as the child that imports.
fn child(database: &Path) -> Done<std::process::Child> {
    Ok(Command::new(std::env::current_exe()?)
        .args(["--exact", "a_killed_import_run_again_ends_where_an_undisturbed_one_ends"])
        .env(CHILD, database)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?)
}

fn kill_after(database: &Path, wait: Duration) -> Done {
    let mut child = child(database)?;
    std::thread::sleep(wait);
    child.kill()?;
    child.wait()?;
    Ok(())
}

/// Whether a batch that was answered is written down outside the database.
#[derive(Clone, Copy)]
enum Acknowledge {
    OnFile,
    Nowhere,
}

fn acknowledgements(database: &Path) -> PathBuf {
    database.with_extension("acknowledged")
}

/// How many calls the killed process had been told are recorded.
fn acknowledged(database: &Path) -> Done<u64> {
    let lines = match std::fs::read_to_string(acknowledgements(database)) {
        Ok(lines) => lines,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error.into()),
    };
    // A line without its end was cut off by the kill.
    let whole = lines.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    Ok(whole.map(|line| line.trim_end().parse::<u64>()).sum::<Result<_, _>>()?)
}

/// What a host does: schema, plans, accounts, calls in batches, invoices. Every step may be repeated.
async fn import(database: PathBuf, acknowledge: Acknowledge) -> Done {
    let mut acknowledgements = match acknowledge {
        Acknowledge::Nowhere => None,
        Acknowledge::OnFile => Some(File::create(acknowledgements(&database))?),
    };
    let store = SqliteStore::open(database).await?;
    store.migrate().await?;
    let tenant = Billing::new(store.clone(), PlanBook::standard(), SystemClock).tenant("acme")?;
    for kind in [
        r#"{"id":"calls","kind":"flat_rate","terms":{"per_minute":"0.0199","minutes":"pro_rata"}}"#,
        r#"{"id":"calls","kind":"blocks","terms":{"block_ms":30000,"per_block":"0.2","scope":"lifetime"}}"#,
    ] {
        let plan: PlanSpec = serde_json::from_str(&format!(
            r#"{{"id":"plan-{}","version":1,"currency":"EUR","payment":"postpaid","strategies":[{kind}]}}"#,
            if kind.contains("blocks") { 1 } else { 0 },
        ))?;
        tenant.save_plan(&plan).await?;
    }
    for number in 0..ACCOUNTS {
        let settings: AccountSettings = serde_json::from_str(&format!(
            r#"{{"id":"account-{number}","currency":"EUR","zone":"Europe/Berlin",
                "anchor":{{"from":"2026-09-01","months":1}}}}"#
        ))?;
        tenant.open_account(&settings).await?;
        let plan = format!("plan-{}", number % 2).parse()?;
        tenant.assign(&settings.id, &plan, 1, "2026-09-01".parse()?).await?;
    }
    let calls: Vec<Incoming> = (0..CALLS).map(call).collect::<Result<_, _>>()?;
    for calls in calls.chunks(BATCH) {
        let entries = calls.iter().cloned().map(Ok).collect();
        tenant.ingest(&Batch { label: "calls".into(), entries }).await?;
        if let Some(file) = &mut acknowledgements {
            writeln!(file, "{}", calls.len())?;
        }
    }
    tenant.issue_invoices(&"main".parse()?, "2026-11-01T12:00:00Z".parse()?).await?;
    store.close().await;
    Ok(())
}

fn call(number: u64) -> Result<Incoming, serde_json::Error> {
    let mut random = number;
    let (account, minute) = (next(&mut random) % ACCOUNTS, next(&mut random) % (60 * 24 * 30));
    let (day, hour, minute) = (1 + minute / 1_440, minute / 60 % 24, minute % 60);
    let duration = next(&mut random) % 300_000;
    let call: CallEnded = serde_json::from_str(&format!(
        r#"{{"key":{{"source":"pbx","id":"{number}"}},"account":"account-{account}",
            "call":{{"start":"2026-09-{day:02}T{hour:02}:{minute:02}:00Z","duration_ms":{duration},
                     "caller":"","callee":"","disposition":"answered","direction":"outbound"}}}}"#
    ))?;
    Ok(call.into())
}

/// The hash of a database's state, and what `verify` finds.
async fn state_of(database: PathBuf) -> Done<(Digest, Option<String>)> {
    let store = SqliteStore::open(database).await?;
    let tenant = Billing::new(store.clone(), PlanBook::standard(), SystemClock).tenant("acme")?;
    let report = verify(&tenant).await?;
    let hash = state_hash(&tenant).await?;
    store.close().await;
    Ok((hash, report.findings.first().map(ToString::to_string)))
}

/// How many calls a killed import left recorded; it must be readable and agree with itself already.
async fn recorded(database: &Path) -> Done<u64> {
    let store = SqliteStore::open(database).await?;
    store.migrate().await?;
    let tenant = Billing::new(store.clone(), PlanBook::standard(), SystemClock).tenant("acme")?;
    let report = verify(&tenant).await?;
    assert_eq!(report.findings.first(), None, "right after the kill");
    store.close().await;
    Ok(report.items)
}

fn block_on<T>(work: impl Future<Output = Done<T>>) -> Done<T> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}

fn remove(database: &Path) -> Done {
    for suffix in ["", "-wal", "-shm"] {
        let file = PathBuf::from(format!("{}{suffix}", database.display()));
        if file.exists() {
            std::fs::remove_file(file)?;
        }
    }
    Ok(())
}

fn env<T: std::str::FromStr<Err: Error + 'static>>(name: &str) -> Done<Option<T>> {
    Ok(std::env::var(name).ok().map(|text| text.parse()).transpose()?)
}

fn random_seed() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos() & u128::from(u64::MAX)).unwrap_or_default()
}

/// The next number of a small generator (splitmix64).
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
