//! Ingest on SQLite, and the bare insert of its rows.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use billing_store::SqliteStore;
use sqlx::{
    AssertSqlSafe, Connection as _, Row as _, SqliteConnection, TypeInfo as _, ValueRef as _,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteRow, SqliteSynchronous},
};

use crate::{Done, Times};

pub(crate) async fn measure(batch: usize, calls: usize, round: usize) -> Done<Times> {
    let folder = std::env::temp_dir().join(format!("billing-bench-{}-{round}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let (ours, bare) = (folder.join("ours.db"), folder.join("bare.db"));
    let store = SqliteStore::open(&ours).await?;
    store.migrate().await?;
    let library = crate::library(store.clone(), batch, calls).await?;
    store.close().await;
    let yardstick = yardstick(&ours, &bare, batch).await?;
    std::fs::remove_dir_all(&folder)?;
    Ok((library, yardstick))
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
