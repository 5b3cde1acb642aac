//! Reading a running bill: what it costs with few calls and with many, side by side.
//!
//! `cargo bench --bench bill` reads the bill of an account with 1,000 calls and of one with 100,000 in turns, on SQLite. Both have
//! calls on every day of the month. `-- --test` runs it small and once.

use std::{
    error::Error,
    time::{Duration, Instant},
};

use billing_core::{
    account::AccountSettings,
    decide::Batch,
    id::AccountId,
    item::{CallEnded, Incoming},
    plan::{PlanBook, PlanSpec},
};
use billing_store::{Billing, SqliteStore, Tenant, clock::SystemClock};

type Done<T = ()> = Result<T, Box<dyn Error>>;

fn main() -> Done {
    let test = std::env::args().any(|arg| arg == "--test");
    let (few, many, reads) = if test { (100, 1_000, 3) } else { (1_000, 100_000, 500) };
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(run(few, many, reads))
}

async fn run(few: u64, many: u64, reads: usize) -> Done {
    let folder = std::env::temp_dir().join(format!("billing-bench-bill-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let store = SqliteStore::open(folder.join("billing.db")).await?;
    store.migrate().await?;
    let tenant = Billing::new(store.clone(), PlanBook::standard(), SystemClock).tenant("bench")?;
    let small = open(&tenant, "small", few).await?;
    let large = open(&tenant, "large", many).await?;
    let (mut of_small, mut of_large) = (Vec::new(), Vec::new());
    for _ in 0..reads {
        of_small.push(read(&tenant, &small, few).await?);
        of_large.push(read(&tenant, &large, many).await?);
    }
    store.close().await;
    std::fs::remove_dir_all(&folder)?;
    let (small, large) = (median(of_small), median(of_large));
    println!(
        "evidence: reading a running bill on SQLite = {} µs with {few} calls, {} µs with {many} ({} %)",
        small.as_micros(),
        large.as_micros(),
        large.as_nanos() * 100 / small.as_nanos().max(1),
    );
    Ok(())
}

/// An account with so many calls in October 2026.
async fn open(tenant: &Tenant, name: &str, calls: u64) -> Done<AccountId> {
    let plan: PlanSpec = serde_json::from_str(
        r#"{"id":"basic","version":1,"currency":"EUR","payment":"postpaid","strategies":
            [{"id":"calls","kind":"flat_rate","terms":{"per_minute":"0.02","minutes":"pro_rata"}}]}"#,
    )?;
    tenant.save_plan(&plan).await?;
    let settings: AccountSettings = serde_json::from_str(&format!(
        r#"{{"id":"{name}","currency":"EUR","zone":"Europe/Berlin",
            "anchor":{{"from":"2026-10-01","months":1}}}}"#
    ))?;
    tenant.open_account(&settings).await?;
    tenant.assign(&settings.id, &plan.id, 1, "2026-10-01".parse()?).await?;
    let calls: Vec<Incoming> =
        (0..calls).map(|number| call(name, number)).collect::<Result<_, _>>()?;
    for calls in calls.chunks(10_000) {
        let entries = calls.iter().cloned().map(Ok).collect();
        tenant.ingest(&Batch { label: String::new(), entries }).await?;
    }
    Ok(settings.id)
}

fn call(account: &str, number: u64) -> Result<Incoming, serde_json::Error> {
    let day = 1 + number % 31;
    let call: CallEnded = serde_json::from_str(&format!(
        r#"{{"key":{{"source":"pbx","id":"{account}-{number}"}},"account":"{account}",
            "call":{{"start":"2026-10-{day:02}T08:00:00Z","duration_ms":60000,"caller":"","callee":"",
                     "disposition":"answered","direction":"outbound"}}}}"#
    ))?;
    Ok(call.into())
}

async fn read(tenant: &Tenant, account: &AccountId, calls: u64) -> Done<Duration> {
    let at = "2026-10-31T12:00:00Z".parse()?;
    let begun = Instant::now();
    let bill = tenant.bill(account, at).await?;
    let took = begun.elapsed();
    let counted: i64 = bill.drafts().flat_map(|draft| &draft.lines).map(|line| line.count).sum();
    assert_eq!(counted, i64::try_from(calls)?);
    Ok(took)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
