//! Statements as SQLite is given them: as they are written, and rows as lists of values.

use std::sync::Arc;

use sqlx::{
    Arguments as _, AssertSqlSafe, Sqlite, SqliteConnection,
    query::Query,
    sqlite::{SqliteArguments, SqliteRow},
};

use crate::{
    error::{StoreError, StoreResult},
    sql::{
        bulk::{Cells, Insert},
        connection::Param::{self, Int, Text},
        sqlite::failed::failed,
    },
};

pub(in crate::sql) async fn fetch(
    connection: &mut SqliteConnection,
    sql: &'static str,
    params: &[Param<'_>],
) -> StoreResult<Vec<SqliteRow>> {
    bound(sql, params).fetch_all(connection).await.map_err(failed)
}

pub(in crate::sql) async fn execute(
    connection: &mut SqliteConnection,
    sql: &'static str,
    params: &[Param<'_>],
) -> StoreResult<u64> {
    let done = bound(sql, params).execute(connection).await.map_err(failed)?;
    Ok(done.rows_affected())
}

pub(in crate::sql) async fn script(
    connection: &mut SqliteConnection,
    sql: &'static str,
) -> StoreResult<()> {
    sqlx::raw_sql(sql).execute(connection).await.map(drop).map_err(failed)
}

fn bound<'q>(sql: &'static str, params: &[Param<'q>]) -> Query<'q, Sqlite, SqliteArguments> {
    params.iter().fold(sqlx::query(sql), |statement, param| match param {
        Text(text) => statement.bind(*text),
        Int(number) => statement.bind(*number),
    })
}

/// Rows of one statement, in falling sizes: few distinct statements, so that they stay prepared.
const SIZES: [usize; 4] = [512, 64, 8, 1];

pub(in crate::sql) async fn insert<R: Sync>(
    insert: &Insert,
    connection: &mut SqliteConnection,
    rows: &[R],
    bind: impl Fn(&mut Cells, &R) -> StoreResult<()> + Send + Sync,
) -> StoreResult<u64> {
    let (mut rest, mut inserted) = (rows, 0_u64);
    while !rest.is_empty() {
        let size = SIZES.into_iter().find(|size| *size <= rest.len()).unwrap_or(1);
        let (chunk, after) = rest.split_at_checked(size).unwrap_or((rest, &[]));
        let mut arguments = SqliteArguments::default();
        arguments.reserve(size.saturating_mul(insert.columns), 0);
        let mut cells = Cells::Sqlite(arguments);
        chunk.iter().try_for_each(|row| bind(&mut cells, row))?;
        let arguments = match cells {
            Cells::Sqlite(arguments) => arguments,
            #[cfg(feature = "postgres")]
            Cells::Postgres(_) => SqliteArguments::default(),
        };
        let statement = sqlx::query_with(AssertSqlSafe(values(insert, size)), arguments);
        let done = statement.execute(&mut *connection).await.map_err(failed)?;
        inserted = inserted.saturating_add(done.rows_affected());
        rest = after;
    }
    Ok(inserted)
}

/// The statement; only texts of this crate go into it.
fn values(insert: &Insert, rows: usize) -> String {
    let row = format!("({}?)", "?,".repeat(insert.columns.saturating_sub(1)));
    let rows = vec![row.as_str(); rows].join(",");
    format!("insert into {} values {rows} {}", insert.into, insert.on_conflict)
}

pub(in crate::sql) fn add_text(
    arguments: &mut SqliteArguments,
    text: Option<&str>,
) -> StoreResult<()> {
    add(arguments, text.map(Arc::<str>::from))
}

pub(in crate::sql) fn add<'q, T: sqlx::Encode<'q, Sqlite> + sqlx::Type<Sqlite>>(
    arguments: &mut SqliteArguments,
    value: T,
) -> StoreResult<()> {
    arguments.add(value).map_err(|source| StoreError::Failed { source })
}
