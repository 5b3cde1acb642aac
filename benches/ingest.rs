//! Durable ingest on SQLite beside a bare bulk insert of the same rows into the same tables through the same driver.
//!
//! `cargo bench --bench ingest` measures batches of 1, 100, 1,000 and 10,000 calls in three rounds and prints medians and
//! ratios. `-- --test` runs a small round once. Calls come in time order over one month, from 10,000 accounts of falling size.

use std::{
    collections::BTreeSet,
    error::Error,
    path::{Path, PathBuf},
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
use billing_store::{Billing, SqliteStore, Tenant, clock::SystemClock, verify::verify};
use sqlx::{
    AssertSqlSafe, Connection as _, Row as _, SqliteConnection, TypeInfo as _, ValueRef as _,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteRow, SqliteSynchronous},
};

type Done<T = ()> = Result<T, Box<dyn Error>>;

const ACCOUNTS: u64 = 10_000;
const ROUNDS: usize = 3;

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
    println!("batch    calls   library calls/s   bare calls/s   library / bare   (medians)");
    for &(batch, calls) in sizes {
        let mut rounds = Vec::new();
        for round in 0..if test { 1 } else { ROUNDS } {
            rounds.push(measure(batch, calls, round).await?);
        }
        let (ours, bare) = (median(&rounds, |r| r.0), median(&rounds, |r| r.1));
        let percent = ratio_percent(ours, bare);
        let rate = |time: Duration| per_second(calls, time);
        println!("{batch:>6} {calls:>8} {:>17} {:>14} {percent:>14} %", rate(ours), rate(bare),);
        println!(
            "evidence: ingest on SQLite, batches of {batch} = {} calls/s, {percent} % of a bare bulk insert ({} calls/s)",
            rate(ours),
            rate(bare),
        );
    }
    Ok(())
}

/// The time the library takes, and the time its rows take to be inserted bare.
async fn measure(batch: usize, calls: usize, round: usize) -> Done<(Duration, Duration)> {
    let folder = std::env::temp_dir().join(format!("billing-bench-{}-{round}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let (ours, bare) = (folder.join("ours.db"), folder.join("bare.db"));
    let library = library(&ours, batch, calls).await?;
    let yardstick = yardstick(&ours, &bare, batch).await?;
    std::fs::remove_dir_all(&folder)?;
    Ok((library, yardstick))
}

async fn library(file: &Path, batch: usize, calls: usize) -> Done<Duration> {
    let store = SqliteStore::open(file).await?;
    store.migrate().await?;
    let billing = Billing::new(store.clone(), PlanBook::standard(), SystemClock);
    let tenant = billing.tenant("bench")?;
    open_accounts(&tenant).await?;
    let batches: Vec<Batch> = month(calls)
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
    store.close().await;
    Ok(took)
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

/// Calls in time order over one month; the accounts' sizes fall like 1/n, the ids are in no order.
fn month(calls: usize) -> Vec<CallEnded> {
    let source = SourceId::try_new("switch-1").expect("an id");
    let mut random = Random(1);
    let step = 31_u64 * 86_400_000_000 / calls as u64;
    let start = "2026-10-01T00:00:00Z".parse::<At>().expect("an instant").micros();
    (0..calls as u64)
        .map(|number| {
            let account = AccountId::try_new(format!("account-{}", random.zipf(ACCOUNTS)));
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

/// Rows of one table in one batch, ready to be bound.
struct Rows {
    into: String,
    on_conflict: &'static str,
    rows: Vec<Vec<Cell>>,
}

#[derive(Clone)]
enum Cell {
    Null,
    Int(i64),
    Text(String),
    Blob(Vec<u8>),
}

/// Inserts what the library wrote into an empty database of the same schema: one transaction a batch, statements of 512 rows.
async fn yardstick(ours: &Path, bare: &PathBuf, batch: usize) -> Done<Duration> {
    let store = SqliteStore::open(bare).await?;
    store.migrate().await?;
    store.close().await;
    let mut from = connect(ours).await?;
    let batches = batches(&mut from, batch).await?;
    let mut into = connect(bare).await?;
    let begun = Instant::now();
    for tables in &batches {
        sqlx::query("begin immediate").execute(&mut into).await?;
        for rows in tables {
            for chunk in rows.rows.chunks(512) {
                insert(&mut into, rows, chunk).await?;
            }
        }
        sqlx::query("commit").execute(&mut into).await?;
    }
    let took = begun.elapsed();
    into.close().await?;
    from.close().await?;
    Ok(took)
}

async fn connect(file: &Path) -> Done<SqliteConnection> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("cache_size", "-65536");
    Ok(SqliteConnection::connect_with(&options).await?)
}

async fn insert(connection: &mut SqliteConnection, rows: &Rows, chunk: &[Vec<Cell>]) -> Done {
    let columns = chunk[0].len();
    let row = format!("({}?)", "?,".repeat(columns - 1));
    let values = vec![row.as_str(); chunk.len()].join(",");
    let sql = format!("insert into {} values {values} {}", rows.into, rows.on_conflict);
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for cell in chunk.iter().flatten() {
        query = match cell {
            Cell::Null => query.bind(None::<i64>),
            Cell::Int(number) => query.bind(*number),
            Cell::Text(text) => query.bind(text.as_str()),
            Cell::Blob(bytes) => query.bind(bytes.as_slice()),
        };
    }
    query.execute(connection).await?;
    Ok(())
}

/// The rows of each batch: items, postings, day totals and accounts touched, and the batch's own record.
async fn batches(from: &mut SqliteConnection, batch: usize) -> Done<Vec<Vec<Rows>>> {
    let items = cells(from, "select * from billing_item order by rowid").await?;
    let postings = cells(
        from,
        "select p.* from billing_item i join billing_posting p \
         on p.tenant = i.tenant and p.account = i.account and p.seq = i.first_seq order by i.rowid",
    )
    .await?;
    let totals = cells(
        from,
        "select t.* from billing_item i \
         join billing_posting p on p.tenant = i.tenant and p.account = i.account and p.seq = i.first_seq \
         join billing_day_total t on t.tenant = p.tenant and t.account = p.account and t.day = p.day \
         order by i.rowid",
    )
    .await?;
    let accounts = cells(
        from,
        "select a.* from billing_item i join billing_account a \
         on a.tenant = i.tenant and a.account = i.account order by i.rowid",
    )
    .await?;
    let intakes = cells(from, "select * from billing_intake").await?;
    let mut batches = Vec::new();
    for (number, items) in items.chunks(batch).enumerate() {
        let within = |rows: &[Vec<Cell>]| rows[number * batch..][..items.len()].to_vec();
        let table = |into: &str, on_conflict, rows| Rows { into: into.into(), on_conflict, rows };
        batches.push(vec![
            table("billing_item", "", items.to_vec()),
            table("billing_posting", "", within(&postings)),
            table(
                "billing_day_total",
                "on conflict do update set count = excluded.count, quantity = excluded.quantity, \
                 amount = excluded.amount, closed = excluded.closed, billed = excluded.billed",
                distinct(within(&totals), 3),
            ),
            table(
                "billing_account",
                "on conflict do update set seq = excluded.seq, chain = excluded.chain",
                distinct(within(&accounts), 2),
            ),
            table("billing_intake", "", vec![intakes[number].clone()]),
        ]);
    }
    Ok(batches)
}

/// Each row once, told apart by its first cells, in their order.
fn distinct(rows: Vec<Vec<Cell>>, key: usize) -> Vec<Vec<Cell>> {
    let name = |row: &Vec<Cell>| {
        let cell = |cell: &Cell| match cell {
            Cell::Int(number) => format!("{:020}", number),
            Cell::Text(text) => text.clone(),
            Cell::Null | Cell::Blob(_) => String::new(),
        };
        row.iter().take(key).map(cell).collect::<Vec<_>>()
    };
    let mut seen = BTreeSet::new();
    let mut rows: Vec<_> = rows.into_iter().filter(|row| seen.insert(name(row))).collect();
    rows.sort_by_key(name);
    rows
}

async fn cells(from: &mut SqliteConnection, sql: &'static str) -> Done<Vec<Vec<Cell>>> {
    let rows = sqlx::query(sql).fetch_all(from).await?;
    rows.iter().map(|row: &SqliteRow| (0..row.len()).map(|at| cell(row, at)).collect()).collect()
}

fn cell(row: &SqliteRow, at: usize) -> Done<Cell> {
    let value = row.try_get_raw(at)?;
    if value.is_null() {
        return Ok(Cell::Null);
    }
    Ok(match value.type_info().name() {
        "INTEGER" => Cell::Int(row.try_get(at)?),
        "TEXT" => Cell::Text(row.try_get(at)?),
        _ => Cell::Blob(row.try_get(at)?),
    })
}

fn median(
    rounds: &[(Duration, Duration)],
    of: impl Fn(&(Duration, Duration)) -> Duration,
) -> Duration {
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
