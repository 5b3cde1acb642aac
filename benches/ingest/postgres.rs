//! Ingest on PostgreSQL, and the bare insert of its rows.

use core::str::FromStr as _;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use billing_store::{Durability, PostgresOptions, PostgresStore};
use sqlx::{
    AssertSqlSafe, Connection as _, PgConnection, Row as _, TypeInfo as _, ValueRef as _,
    postgres::{PgConnectOptions, PgRow},
};

use crate::{Done, Times};

pub(crate) async fn measure(server: &str, batch: usize, calls: usize, round: usize) -> Done<Times> {
    let server = PgConnectOptions::from_str(server)?;
    let name = |of: &str| format!("billing_bench_{of}_{}_{round}", std::process::id());
    let (ours, bare) = (name("ours"), name("bare"));
    for name in [&ours, &bare] {
        run(&server, &format!("create database {name}")).await?;
    }
    let at = |name: &str| server.clone().database(name);
    let times = times(&at(&ours), &at(&bare), batch, calls).await;
    for name in [&ours, &bare] {
        run(&server, &format!("drop database {name} with (force)")).await?;
    }
    times
}

async fn times(
    ours: &PgConnectOptions,
    bare: &PgConnectOptions,
    batch: usize,
    calls: usize,
) -> Done<Times> {
    let store = store(ours).await?;
    let library = crate::library(store.clone(), batch, calls).await?;
    store.close().await;
    Ok((library, yardstick(ours, bare, batch).await?))
}

async fn store(at: &PgConnectOptions) -> Done<PostgresStore> {
    let mut options = PostgresOptions::new(at.clone());
    // What the server is set to bears on both alike.
    options.durability = Durability::AcceptLoss;
    let store = PostgresStore::open_with(options).await?;
    store.migrate().await?;
    Ok(store)
}

async fn run(on: &PgConnectOptions, sql: &str) -> Done {
    let mut connection = PgConnection::connect_with(on).await?;
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?;
    Ok(connection.close().await?)
}

/// Rows of one table in one batch, column by column.
struct Rows {
    sql: String,
    columns: Vec<Column>,
}

#[derive(Clone)]
enum Cell {
    Int(Option<i64>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
}

enum Column {
    Int(Vec<Option<i64>>),
    Text(Vec<Option<String>>),
    Bytes(Vec<Option<Vec<u8>>>),
}

/// Inserts what the library wrote into an empty database of the same schema: one transaction a batch, a statement for each table.
async fn yardstick(
    ours: &PgConnectOptions,
    bare: &PgConnectOptions,
    batch: usize,
) -> Done<Duration> {
    store(bare).await?.close().await;
    let mut from = PgConnection::connect_with(ours).await?;
    let batches = batches(&mut from, batch).await?;
    let mut into = PgConnection::connect_with(bare).await?;
    let begun = Instant::now();
    for tables in batches {
        sqlx::query("begin").execute(&mut into).await?;
        for rows in tables {
            insert(&mut into, rows).await?;
        }
        sqlx::query("commit").execute(&mut into).await?;
    }
    let took = begun.elapsed();
    into.close().await?;
    from.close().await?;
    Ok(took)
}

async fn insert(connection: &mut PgConnection, rows: Rows) -> Done {
    let mut query = sqlx::query(AssertSqlSafe(rows.sql));
    for column in rows.columns {
        query = match column {
            Column::Int(cells) => query.bind(cells),
            Column::Text(cells) => query.bind(cells),
            Column::Bytes(cells) => query.bind(cells),
        };
    }
    query.execute(connection).await?;
    Ok(())
}

/// What is written to a table: its rows, each with the batch it is of, and by how many first cells they are told apart.
struct Written {
    table: &'static str,
    rows: Vec<(i64, Vec<Cell>)>,
    columns: Vec<(String, String)>,
    on_conflict: &'static str,
    distinct: Option<usize>,
}

/// The items in the order in which they were recorded, each with the number of its batch.
const ITEMS: &str = "(select i.*, (row_number() over (order by i.xmin::text::bigint, i.ctid) - 1) / $1 as batch \
                     from billing_item i) i";

async fn batches(from: &mut PgConnection, batch: usize) -> Done<Vec<Vec<Rows>>> {
    let of = [
        (
            "billing_item",
            format!("{ITEMS} join billing_item t using (tenant, source, id, leg, partial)"),
            "",
            None,
        ),
        (
            "billing_posting",
            format!(
                "{ITEMS} join billing_posting t on t.tenant = i.tenant and t.account = i.account and t.seq = i.first_seq"
            ),
            "",
            None,
        ),
        (
            "billing_day_total",
            format!(
                "{ITEMS} join billing_posting p on p.tenant = i.tenant and p.account = i.account and p.seq = i.first_seq \
                 join billing_day_total t on t.tenant = p.tenant and t.account = p.account and t.day = p.day"
            ),
            "on conflict (tenant, account, day, assignment, strategy, grp, day_revision) do update set \
             count = excluded.count, quantity = excluded.quantity, amount = excluded.amount, \
             closed = excluded.closed, billed = excluded.billed",
            Some(3),
        ),
        (
            "billing_account",
            format!(
                "{ITEMS} join billing_account t on t.tenant = i.tenant and t.account = i.account"
            ),
            "on conflict (tenant, account) do update set seq = excluded.seq, chain = excluded.chain",
            Some(2),
        ),
        (
            "billing_intake",
            "(select k.*, row_number() over (order by k.xmin::text::bigint) - 1 as batch \
             from billing_intake k) i join billing_intake t using (tenant, intake)"
                .to_owned(),
            "",
            None,
        ),
    ];
    let mut tables = Vec::new();
    for (table, joined, on_conflict, distinct) in of {
        tables.push(written(from, table, &joined, on_conflict, distinct, batch).await?);
    }
    let last = tables[0].rows.last().map_or(0, |row| row.0);
    let mut batches: Vec<Vec<Rows>> = (0..=last).map(|_| Vec::new()).collect();
    for table in tables {
        let mut of: BTreeMap<i64, Vec<Vec<Cell>>> = BTreeMap::new();
        for (batch, row) in &table.rows {
            of.entry(*batch).or_default().push(row.clone());
        }
        for (batch, rows) in of {
            batches[usize::try_from(batch)?].push(rows_of(&table, rows));
        }
    }
    Ok(batches)
}

async fn written(
    from: &mut PgConnection,
    table: &'static str,
    joined: &str,
    on_conflict: &'static str,
    distinct: Option<usize>,
    batch: usize,
) -> Done<Written> {
    let columns = "select attname::text, format_type(atttypid, null) from pg_attribute \
                   where attrelid = $1::regclass and attnum > 0 order by attnum";
    let columns: Vec<(String, String)> =
        sqlx::query_as(columns).bind(table).fetch_all(&mut *from).await?;
    let list = columns.iter().map(|(name, kind)| match kind.as_str() {
        "numeric" => format!("t.{name}::text"),
        _ => format!("t.{name}"),
    });
    let list = list.collect::<Vec<_>>().join(", ");
    let sql = format!("select i.batch::bigint, {list} from {joined} order by i.batch");
    let mut asked = sqlx::query(AssertSqlSafe(sql));
    if joined.contains("$1") {
        asked = asked.bind(i64::try_from(batch)?);
    }
    let rows = asked.fetch_all(from).await?;
    let rows = rows.iter().map(|row: &PgRow| {
        let cells = (1..row.len()).map(|at| cell(row, at)).collect::<Done<Vec<Cell>>>()?;
        Ok((row.try_get(0)?, cells))
    });
    let rows = rows.collect::<Done<_>>()?;
    Ok(Written { table, rows, columns, on_conflict, distinct })
}

fn cell(row: &PgRow, at: usize) -> Done<Cell> {
    Ok(match row.try_get_raw(at)?.type_info().name() {
        "INT8" => Cell::Int(row.try_get(at)?),
        "TEXT" => Cell::Text(row.try_get(at)?),
        _ => Cell::Bytes(row.try_get(at)?),
    })
}

/// Rows column by column, each once if they are told apart.
fn rows_of(table: &Written, mut rows: Vec<Vec<Cell>>) -> Rows {
    if let Some(key) = table.distinct {
        let name = |row: &Vec<Cell>| {
            let cell = |cell: &Cell| match cell {
                Cell::Int(number) => format!("{:020}", number.unwrap_or(0)),
                Cell::Text(text) => text.clone().unwrap_or_default(),
                Cell::Bytes(_) => String::new(),
            };
            row.iter().take(key).map(cell).collect::<Vec<_>>()
        };
        rows.sort_by_key(name);
        rows.dedup_by_key(|row| name(row));
    }
    let mut columns: Vec<Column> = table
        .columns
        .iter()
        .map(|(_, kind)| match kind.as_str() {
            "bigint" => Column::Int(Vec::new()),
            "bytea" => Column::Bytes(Vec::new()),
            _ => Column::Text(Vec::new()),
        })
        .collect();
    for row in rows {
        for (column, cell) in columns.iter_mut().zip(row) {
            match (column, cell) {
                (Column::Int(cells), Cell::Int(cell)) => cells.push(cell),
                (Column::Text(cells), Cell::Text(cell)) => cells.push(cell),
                (Column::Bytes(cells), Cell::Bytes(cell)) => cells.push(cell),
                _ => unreachable!("a column has one type"),
            }
        }
    }
    let named = |text: &dyn Fn(usize, &str) -> String| {
        let columns = table.columns.iter().enumerate();
        columns.map(|(at, (_, kind))| text(at + 1, kind)).collect::<Vec<_>>().join(", ")
    };
    let casts = named(&|at, kind| match kind {
        "numeric" => format!("c{at}::numeric"),
        _ => format!("c{at}"),
    });
    let (arrays, names) = (named(&|at, _| format!("${at}")), named(&|at, _| format!("c{at}")));
    let sql = format!(
        "insert into {} select {casts} from unnest({arrays}) as r({names}) {}",
        table.table, table.on_conflict
    );
    Rows { sql, columns }
}
