//! Statements as PostgreSQL is given them.

use sqlx::{
    AssertSqlSafe, PgConnection, Postgres,
    postgres::{PgArguments, PgRow},
    query::Query,
};

use crate::{
    error::StoreResult,
    sql::{
        connection::{
            Ask,
            Param::{self, Int, Text},
        },
        postgres::{dialect::spelled, failed::failed},
    },
};

pub(in crate::sql) async fn fetch(
    connection: &mut PgConnection,
    ask: Ask,
    params: &[Param<'_>],
) -> StoreResult<Vec<PgRow>> {
    let mut sql = spelled(ask.sql);
    if let Some(held) = ask.held {
        sql.push_str(" for update of ");
        sql.push_str(held);
    }
    bound(sql, params).fetch_all(connection).await.map_err(failed)
}

pub(in crate::sql) async fn execute(
    connection: &mut PgConnection,
    sql: &'static str,
    params: &[Param<'_>],
) -> StoreResult<u64> {
    let done = bound(spelled(sql), params).execute(connection).await.map_err(failed)?;
    Ok(done.rows_affected())
}

pub(in crate::sql) async fn script(
    connection: &mut PgConnection,
    sql: &'static str,
) -> StoreResult<()> {
    sqlx::raw_sql(sql).execute(connection).await.map(drop).map_err(failed)
}

/// Only texts of this crate come here.
fn bound<'q>(sql: String, params: &[Param<'q>]) -> Query<'q, Postgres, PgArguments> {
    params.iter().fold(sqlx::query(AssertSqlSafe(sql)), |statement, param| match param {
        Text(text) => statement.bind(*text),
        Int(number) => statement.bind(*number),
    })
}
