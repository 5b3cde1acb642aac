//! What a tenant puts to a database: questions, changes by key, and rows to insert.

use billing_core::{
    correction::RecordedCorrection,
    decide::{Intake, StoredItem},
};

#[cfg(feature = "postgres")]
use crate::sql::postgres;
use crate::{
    error::{StoreError, StoreResult},
    sql::{
        bulk::{Cells, Insert},
        connection::{
            Ask, Connection,
            Param::{self, Text},
        },
        rows::FromCells,
        unit::Mode,
    },
};

/// A connection inside a transaction, and whose rows are read and written.
pub(super) struct Session<'s> {
    pub(super) connection: Connection<'s>,
    pub(super) tenant: &'s str,
    pub(super) mode: Mode,
}

impl Session<'_> {
    /// Runs a statement whose first parameter is the tenant, and reads its rows.
    ///
    /// Keys come as one JSON parameter, an array of arrays. `cross join` keeps SQLite's planner from scanning the tenant's rows for
    /// each of them.
    pub(super) async fn all<T: FromCells>(
        &mut self,
        table: &'static str,
        sql: &'static str,
        params: &[Param<'_>],
    ) -> StoreResult<Vec<T>> {
        self.ask(table, Ask { sql, held: None }, params).await
    }

    /// As [`all`](Self::all); until a unit ends, the rows of the table that is called `held` in the statement do not change.
    pub(super) async fn all_held<T: FromCells>(
        &mut self,
        table: &'static str,
        sql: &'static str,
        held: &'static str,
        params: &[Param<'_>],
    ) -> StoreResult<Vec<T>> {
        // A reader sees what was there when it began.
        let held = (self.mode == Mode::Writes).then_some(held);
        self.ask(table, Ask { sql, held }, params).await
    }

    async fn ask<T: FromCells>(
        &mut self,
        table: &'static str,
        ask: Ask,
        params: &[Param<'_>],
    ) -> StoreResult<Vec<T>> {
        #[cfg(all(test, feature = "sqlite"))]
        crate::sql::sqlite::tests::note(ask.sql);
        let tenant = core::iter::once(Text(self.tenant));
        let params: Vec<_> = tenant.chain(params.iter().copied()).collect();
        self.connection.fetch(table, ask, &params).await
    }

    /// Runs a statement whose parameters are the tenant and keys as JSON.
    ///
    /// Keys are cast to what their columns are, or only the first of them would be looked up in an index.
    pub(super) async fn change(&mut self, sql: &'static str, keys: &str) -> StoreResult<()> {
        #[cfg(all(test, feature = "sqlite"))]
        crate::sql::sqlite::tests::note(sql);
        self.connection.execute(sql, &[Text(self.tenant), Text(keys)]).await.map(drop)
    }

    /// As [`change`](Self::change), by a statement that each database is given in words of its own.
    pub(super) async fn change_as(&mut self, words: Words, keys: &str) -> StoreResult<()> {
        #[cfg(all(test, feature = "sqlite"))]
        crate::sql::sqlite::tests::note(words.sqlite);
        let sql = match &self.connection {
            #[cfg(feature = "postgres")]
            Connection::Postgres(_) => words.postgres,
            #[cfg(feature = "sqlite")]
            Connection::Sqlite(_) => words.sqlite,
        };
        self.connection.execute(sql, &[Text(self.tenant), Text(keys)]).await.map(drop)
    }

    /// Inserts rows of the tenant, each with the cells that `bind` gives it behind the tenant's.
    pub(super) async fn insert<R: Sync>(
        &mut self,
        insert: Insert,
        rows: &[R],
        bind: impl Fn(&mut Cells, &R) -> StoreResult<()> + Send + Sync,
    ) -> StoreResult<()> {
        self.insert_new(insert, rows, bind).await.map(drop)
    }

    /// As [`insert`](Self::insert), and says how many were inserted.
    async fn insert_new<R: Sync>(
        &mut self,
        insert: Insert,
        rows: &[R],
        bind: impl Fn(&mut Cells, &R) -> StoreResult<()> + Send + Sync,
    ) -> StoreResult<u64> {
        let tenant = self.tenant;
        let bind = |cells: &mut Cells, row: &R| {
            cells.text(tenant)?;
            bind(cells, row)
        };
        insert.run(&mut self.connection, rows, bind).await
    }

    /// Inserts rows whose keys units may claim that have no lock in common; a row whose key exists must be passed over by the insert.
    pub(super) async fn claim<R: Sync>(
        &mut self,
        insert: Insert,
        claim: Claimed<'_>,
        rows: &[R],
        bind: impl Fn(&mut Cells, &R) -> StoreResult<()> + Send + Sync,
    ) -> StoreResult<()> {
        let inserted = self.insert_new(insert, rows, bind).await?;
        if usize::try_from(inserted).is_ok_and(|inserted| inserted == rows.len()) {
            return Ok(());
        }
        match &mut self.connection {
            #[cfg(feature = "postgres")]
            Connection::Postgres(connection) => {
                postgres::check_claim(connection, self.tenant, claim).await?;
            }
            // There is one writer: whoever was first was there before this unit began.
            #[cfg(feature = "sqlite")]
            Connection::Sqlite(_) => {}
        }
        let what = format!("{} exists already", claim.what());
        Err(StoreError::Refused { what, source: None })
    }

    /// Keeps tariffs from being added until a unit ends.
    pub(super) async fn share_catalog(&mut self) -> StoreResult<()> {
        match (&mut self.connection, self.mode) {
            #[cfg(feature = "postgres")]
            (Connection::Postgres(connection), Mode::Writes) => {
                postgres::share_catalog(connection, self.tenant).await
            }
            // There is one writer, and a reader sees what was there when it began.
            _ => Ok(()),
        }
    }

    /// Sees to it, as the last thing that is written, that what was recorded is not parked, also if another unit does so. Units of
    /// SQLite follow one another.
    #[cfg(feature = "postgres")]
    pub(super) async fn part(
        &mut self,
        recorded: &[StoredItem],
        parked: &[billing_core::decide::Parked],
    ) -> StoreResult<()> {
        match &mut self.connection {
            Connection::Postgres(connection) => {
                postgres::part(connection, self.tenant, recorded, parked).await
            }
            #[cfg(feature = "sqlite")]
            Connection::Sqlite(_) => Ok(()),
        }
    }
}

/// One statement in the words of each database.
#[derive(Clone, Copy)]
pub(super) struct Words {
    #[cfg(feature = "postgres")]
    pub(super) postgres: &'static str,
    #[cfg(feature = "sqlite")]
    pub(super) sqlite: &'static str,
}

/// Keys that units may claim that have no lock in common.
#[cfg_attr(
    not(feature = "postgres"),
    expect(dead_code, reason = "where units follow one another, nobody asks which keys")
)]
#[derive(Clone, Copy)]
pub(super) enum Claimed<'a> {
    /// Of items.
    Items(&'a [StoredItem]),
    /// Of the record of a batch.
    Intake(&'a Intake),
    /// Of corrections.
    Corrections(&'a [RecordedCorrection]),
}

impl Claimed<'_> {
    const fn what(self) -> &'static str {
        match self {
            Self::Items(_) => "an item",
            Self::Intake(_) => "the record of a batch",
            Self::Corrections(_) => "a correction",
        }
    }
}
