//! Verifying a store: what it costs a call, what memory it takes with few calls and with many, and how large the file is.
//!
//! `cargo bench --bench verify` records 100,000 and 1,000,000 calls of 1,000 accounts on SQLite and verifies each in a process of
//! its own. `-- --test` runs it small and once.

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use billing_core::{
    account::AccountSettings,
    decide::Batch,
    item::{CallEnded, Incoming},
    plan::{PlanBook, PlanSpec},
};
use billing_store::{Billing, SqliteStore, Tenant, clock::SystemClock, verify::verify};

type Done<T = ()> = Result<T, Box<dyn Error>>;

/// Set for the child process: the file it verifies.
const CHILD: &str = "BILLING_BENCH_VERIFY";
const ACCOUNTS: u64 = 1_000;

fn main() -> Done {
    if let Some(file) = std::env::var_os(CHILD) {
        return block_on(child(PathBuf::from(file)));
    }
    let test = std::env::args().any(|arg| arg == "--test");
    let sizes: &[u64] = if test { &[2_000] } else { &[100_000, 1_000_000] };
    println!("   calls   bytes a call   µs a call   peak MiB");
    let mut said = Vec::new();
    for &calls in sizes {
        let folder =
            std::env::temp_dir().join(format!("billing-bench-verify-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let file = folder.join("billing.db");
        block_on(record(&file, calls))?;
        let bytes = fs::metadata(&file)?.len() / calls;
        let out = Command::new(std::env::current_exe()?).env(CHILD, &file).output()?;
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        let out = String::from_utf8(out.stdout)?;
        let mut figures = out.split_whitespace();
        let mut figure = || {
            figures
                .next()
                .ok_or("a figure is missing")?
                .parse::<u64>()
                .map_err(Box::<dyn Error>::from)
        };
        let (micros, kib) = (figure()?, figure()?);
        fs::remove_dir_all(&folder)?;
        println!("{calls:>8} {bytes:>14} {:>11} {:>10}", micros / calls, kib / 1_024);
        said.push(format!(
            "{} µs a call, {} MiB at its peak, with {calls} calls in a file of {bytes} bytes a call",
            micros / calls,
            kib / 1_024
        ));
    }
    println!("evidence: verify on SQLite, {ACCOUNTS} accounts = {}", said.join("; "));
    Ok(())
}

fn block_on(work: impl Future<Output = Done>) -> Done {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}

/// Verifies, and prints the microseconds it took and the most KiB the process ever had.
async fn child(file: PathBuf) -> Done {
    let store = SqliteStore::open(file).await?;
    let tenant = Billing::new(store.clone(), PlanBook::standard(), SystemClock).tenant("bench")?;
    let begun = Instant::now();
    let report = verify(&tenant).await?;
    let micros = begun.elapsed().as_micros();
    assert!(report.is_clean(), "{:?}", report.findings.first());
    println!("{micros} {}", peak_kib());
    Ok(())
}

/// The peak of the process's memory, 0 where the system does not tell.
fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

/// Calls on every day of October 2026, and what they are billed.
async fn record(file: &Path, calls: u64) -> Done {
    let store = SqliteStore::open(file).await?;
    store.migrate().await?;
    let tenant = Billing::new(store.clone(), PlanBook::standard(), SystemClock).tenant("bench")?;
    open_accounts(&tenant).await?;
    let numbers: Vec<u64> = (0..calls).collect();
    for numbers in numbers.chunks(10_000) {
        let entries = numbers.iter().map(|number| Ok(Ok(call(*number, calls)?)));
        let entries = entries.collect::<Result<_, serde_json::Error>>()?;
        let taken = tenant.ingest(&Batch { label: String::new(), entries }).await?;
        assert_eq!(taken.intake.recorded, taken.intake.received);
    }
    tenant.issue_invoices(&"2026".parse()?, "2026-11-01T00:00:00Z".parse()?).await?;
    store.close().await;
    Ok(())
}

async fn open_accounts(tenant: &Tenant) -> Done {
    let plan: PlanSpec = serde_json::from_str(
        r#"{"id":"basic","version":1,"currency":"EUR","payment":"postpaid","strategies":
            [{"id":"calls","kind":"flat_rate","terms":{"per_minute":"0.02","minutes":"pro_rata"}}]}"#,
    )?;
    tenant.save_plan(&plan).await?;
    for number in 0..ACCOUNTS {
        let settings: AccountSettings = serde_json::from_str(&format!(
            r#"{{"id":"account-{number}","currency":"EUR","zone":"Europe/Berlin",
                "anchor":{{"from":"2026-10-01","months":1}}}}"#
        ))?;
        tenant.open_account(&settings).await?;
        tenant.assign(&settings.id, &plan.id, 1, "2026-10-01".parse()?).await?;
    }
    Ok(())
}

/// One of so many calls, in the order of time, of accounts in turn.
fn call(number: u64, calls: u64) -> Result<Incoming, serde_json::Error> {
    let second = number * 30 * 86_400 / calls;
    let (day, second) = (1 + second / 86_400, second % 86_400);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    let account = number * 7 % ACCOUNTS;
    let callee = number % 9_999_991;
    let call: CallEnded = serde_json::from_str(&format!(
        r#"{{"key":{{"source":"pbx","id":"{number:x}.{account}"}},"account":"account-{account}",
            "call":{{"start":"2026-10-{day:02}T{hour:02}:{minute:02}:{second:02}Z","duration_ms":60000,
                     "caller":"+1202555{account:04}","callee":"+1617{callee:07}",
                     "disposition":"answered","direction":"outbound"}}}}"#
    ))?;
    Ok(call.into())
}
