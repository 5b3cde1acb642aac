//! A connection inside a transaction and the rows it answers with, whichever database it leads to.

#[cfg(feature = "postgres")]
use sqlx::{PgConnection, postgres::PgRow};
#[cfg(feature = "sqlite")]
use sqlx::{SqliteConnection, sqlite::SqliteRow};

#[cfg(feature = "postgres")]
use crate::sql::postgres;
#[cfg(feature = "sqlite")]
use crate::sql::sqlite;
use crate::{
    error::StoreResult,
    sql::rows::{Cells, FromCells},
};

/// A connection that a unit borrows for one statement or more.
pub(super) enum Connection<'c> {
    #[cfg(feature = "postgres")]
    Postgres(&'c mut PgConnection),
    #[cfg(feature = "sqlite")]
    Sqlite(&'c mut SqliteConnection),
}

/// One row of an answer.
#[derive(Clone, Copy)]
pub(super) enum Row<'r> {
    #[cfg(feature = "postgres")]
    Postgres(&'r PgRow),
    #[cfg(feature = "sqlite")]
    Sqlite(&'r SqliteRow),
}

/// A statement that asks.
#[derive(Clone, Copy)]
pub(super) struct Ask {
    pub(super) sql: &'static str,
    #[cfg_attr(
        not(feature = "postgres"),
        expect(dead_code, reason = "where units follow one another, rows stay as they are")
    )]
    /// The table, as the statement calls it, whose rows are to stay as they are until the transaction ends.
    pub(super) held: Option<&'static str>,
}

/// A parameter of a statement.
#[derive(Clone, Copy)]
pub(super) enum Param<'a> {
    Text(&'a str),
    Int(i64),
}

impl Connection<'_> {
    /// Runs a statement and reads its rows, which are of one table.
    pub(super) async fn fetch<T: FromCells>(
        &mut self,
        table: &'static str,
        ask: Ask,
        params: &[Param<'_>],
    ) -> StoreResult<Vec<T>> {
        let value = |row| T::from_cells(&mut Cells::of(table, row));
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => {
                let rows = postgres::fetch(connection, ask, params).await?;
                rows.iter().map(|row| value(Row::Postgres(row))).collect()
            }
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => {
                // There is one writer: nothing changes but by it.
                let rows = sqlite::fetch(connection, ask.sql, params).await?;
                rows.iter().map(|row| value(Row::Sqlite(row))).collect()
            }
        }
    }

    /// Runs a statement that answers nothing, and says how many rows it has changed.
    pub(super) async fn execute(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
    ) -> StoreResult<u64> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => postgres::execute(connection, sql, params).await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => sqlite::execute(connection, sql, params).await,
        }
    }

    /// Runs statements of the schema, one after the other.
    pub(super) async fn script(&mut self, sql: &'static str) -> StoreResult<()> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => postgres::script(connection, sql).await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => sqlite::script(connection, sql).await,
        }
    }
}
