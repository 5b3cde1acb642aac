//! Durable ingest on SQLite and PostgreSQL, each beside a bare bulk insert of the same rows into the same tables through the same driver.
//!
//! `cargo bench --bench ingest` measures batches of 1, 100, 1,000 and 10,000 calls in three rounds and prints medians and
//! ratios; PostgreSQL where `BILLING_TEST_POSTGRES_URL` leads to one, whose settings decide what a commit costs, and whose line how
//! long large statements wait: with `?sslmode=disable`, or through a Unix socket, they do not. `-- --test` runs a
//! small round once. Calls come in time order over one month, from 10,000 accounts of falling size.

#[path = "ingest/postgres.rs"]
mod postgres;
#[path = "ingest/sqlite.rs"]
mod sqlite;

use std::{
    error::Error,
    time::{Duration, Instant},
};

use billing_core::{
    account::AccountSettings,
    decide::Batch,
    id::{AccountId, ItemId, SourceId},
    item::{Call, CallEnded, Direction, Disposition, ItemKey, Party},
    plan::{PlanBook, PlanSpec},
    time::Instant as At,
};
use billing_store::{
    Billing, Tenant,
    clock::SystemClock,
    store::{Locks, Store},
    verify::verify,
};

type Done<T = ()> = Result<T, Box<dyn Error>>;

const ACCOUNTS: u64 = 10_000;
const ROUNDS: usize = 3;

/// A round that only tries has fewer accounts.
const fn accounts(calls: usize) -> u64 {
    if calls <= 2_000 { 200 } else { ACCOUNTS }
}

/// The time the library takes, and the time its rows take to be inserted bare.
type Times = (Duration, Duration);

fn main() -> Done {
    let test = std::env::args().any(|arg| arg == "--test");
    let sizes: &[(usize, usize)] = if test {
        &[(100, 2_000)]
    } else {
        &[(1, 3_000), (100, 100_000), (1_000, 300_000), (10_000, 500_000)]
    };
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run(sizes, test))
}

async fn run(sizes: &[(usize, usize)], test: bool) -> Done {
    println!(
        "database     batch    calls   library calls/s   bare calls/s   library / bare   (medians)"
    );
    let server = std::env::var("BILLING_TEST_POSTGRES_URL").ok().filter(|url| !url.is_empty());
    for &(batch, calls) in sizes {
        let (mut sqlite, mut postgres) = (Vec::new(), Vec::new());
        for round in 0..if test { 1 } else { ROUNDS } {
            sqlite.push(sqlite::measure(batch, calls, round).await?);
            if let Some(server) = &server {
                postgres.push(postgres::measure(server, batch, calls, round).await?);
            }
        }
        print("SQLite", batch, calls, &sqlite);
        if postgres.is_empty() {
            println!("not run: PostgreSQL, for want of BILLING_TEST_POSTGRES_URL");
        } else {
            print("PostgreSQL", batch, calls, &postgres);
        }
    }
    Ok(())
}

fn print(database: &str, batch: usize, calls: usize, rounds: &[Times]) {
    let (ours, bare) = (median(rounds, |r| r.0), median(rounds, |r| r.1));
    let percent = ratio_percent(ours, bare);
    let rate = |time: Duration| per_second(calls, time);
    println!(
        "{database:<10} {batch:>7} {calls:>8} {:>17} {:>14} {percent:>14} %",
        rate(ours),
        rate(bare),
    );
    println!(
        "evidence: ingest on {database}, batches of {batch} = {} calls/s, {percent} % of a bare bulk insert ({} calls/s)",
        rate(ours),
        rate(bare),
    );
}

/// How long the library takes with a fresh store.
async fn library(store: impl Store + 'static, batch: usize, calls: usize) -> Done<Duration> {
    let tenant = Billing::new(store, PlanBook::standard(), SystemClock).tenant("bench")?;
    let accounts = accounts(calls);
    open_accounts(&tenant, accounts).await?;
    let batches: Vec<Batch> = month(calls, accounts)
        .chunks(batch)
        .map(|calls| Batch {
            label: String::new(),
            entries: calls.iter().cloned().map(|call| Ok(call.into())).collect(),
        })
        .collect();
    let begun = Instant::now();
    for batch in &batches {
        let taken = tenant.ingest(batch).await?;
        assert_eq!(taken.intake.recorded, taken.intake.received);
    }
    let took = begun.elapsed();
    if calls <= 3_000 {
        assert!(verify(&tenant).await?.is_clean());
    }
    Ok(took)
}

async fn open_accounts(tenant: &Tenant, accounts: u64) -> Done {
    let plan: PlanSpec = serde_json::from_str(
        r#"{"id":"basic","version":1,"currency":"EUR","payment":"postpaid","strategies":
            [{"id":"calls","kind":"flat_rate","terms":{"per_minute":"0.02","minutes":"pro_rata"}}]}"#,
    )?;
    tenant.save_plan(&plan).await?;
    let ids: Vec<AccountId> = (0..accounts)
        .map(|number| AccountId::try_new(format!("account-{number}")))
        .collect::<Result<_, _>>()?;
    for ids in ids.chunks(500) {
        let locks = Locks { catalog: true, ..Locks::accounts(ids.iter().cloned()) };
        let mut unit = tenant.begin(&locks).await?;
        for id in ids {
            let settings: AccountSettings = serde_json::from_str(&format!(
                r#"{{"id":"{id}","currency":"EUR","zone":"Europe/Berlin",
                    "anchor":{{"from":"2026-10-01","months":1}}}}"#
            ))?;
            tenant.open_account_in(&mut *unit, &settings).await?;
            tenant.assign_in(&mut *unit, id, &plan.id, 1, "2026-10-01".parse()?).await?;
        }
        unit.commit().await?;
    }
    Ok(())
}

/// Calls in time order over one month; the accounts' sizes fall like 1/n, the ids are in no order.
fn month(calls: usize, accounts: u64) -> Vec<CallEnded> {
    let source = SourceId::try_new("switch-1").expect("an id");
    let mut random = Random(1);
    let step = 31_u64 * 86_400_000_000 / calls as u64;
    let start = "2026-10-01T00:00:00Z".parse::<At>().expect("an instant").micros();
    (0..calls as u64)
        .map(|number| {
            let account = AccountId::try_new(format!("account-{}", random.zipf(accounts)));
            let id = ItemId::try_new(format!("{:016x}", random.next()));
            let callee = format!("+1202555{:04}", random.below(10_000));
            CallEnded {
                key: ItemKey::new(source.clone(), id.expect("an id")),
                account: Some(account.expect("an id")),
                call: Call {
                    start: At::from_micros(start + (number * step) as i64).expect("an instant"),
                    duration_ms: 1 + random.below(240_000),
                    caller: "+12025550100".parse().expect("a party"),
                    callee: callee.parse::<Party>().expect("a party"),
                    disposition: Disposition::Answered,
                    direction: Direction::Outbound,
                },
            }
        })
        .collect()
}

/// A small generator of numbers that are the same each time (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// A number below `bound`, small ones more often: about 1/n.
    fn zipf(&mut self, bound: u64) -> u64 {
        let bits = self.below(u64::from(bound.ilog2()) + 1);
        ((1 << bits) + self.below(1 << bits)).min(bound) - 1
    }
}

fn median(rounds: &[Times], of: impl Fn(&Times) -> Duration) -> Duration {
    let mut times: Vec<_> = rounds.iter().map(of).collect();
    times.sort();
    times[times.len() / 2]
}

fn per_second(calls: usize, time: Duration) -> u128 {
    calls as u128 * 1_000_000 / time.as_micros().max(1)
}

/// The speed of `ours` in percent of the speed of `bare`.
fn ratio_percent(ours: Duration, bare: Duration) -> u128 {
    bare.as_micros() * 100 / ours.as_micros().max(1)
}
