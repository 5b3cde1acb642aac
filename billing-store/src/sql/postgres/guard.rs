//! Who owns a connection while a transaction is open on it.

use sqlx::{AssertSqlSafe, PgConnection, Postgres, pool::PoolConnection};

use crate::{
    error::{StoreError, StoreResult},
    sql::{
        connection::Connection,
        postgres::failed::failed,
        unit::{Hold, Mode},
    },
};

/// Owns a connection inside a transaction.
///
/// A unit that is dropped before it has committed, in whatever state a cancelled future left it, takes its connection along: the server
/// rolls back, and nobody else meets an open transaction. A reader's goes back to its pool, which ends its snapshot.
pub(in crate::sql) struct Guard {
    held: Option<PoolConnection<Postgres>>,
    mode: Mode,
}

impl Guard {
    /// Begins with statements that need no answer, in one round trip. Only texts of this crate go into them.
    pub(super) async fn begin(
        held: PoolConnection<Postgres>,
        mode: Mode,
        how: String,
    ) -> StoreResult<Self> {
        let mut guard = Self { held: Some(held), mode };
        let _done =
            sqlx::raw_sql(AssertSqlSafe(how)).execute(guard.held()?).await.map_err(failed)?;
        Ok(guard)
    }

    pub(super) fn held(&mut self) -> StoreResult<&mut PgConnection> {
        self.held.as_deref_mut().ok_or_else(|| StoreError::Refused {
            what: "the transaction has ended".into(),
            source: None,
        })
    }

    pub(super) async fn commit(&mut self) -> StoreResult<()> {
        // A transaction that was refused before would take a commit for a rollback without a word; it does not get as far.
        let done = sqlx::raw_sql("select 1; commit").execute(self.held()?).await;
        let _done = done.map_err(|error| match failed(error) {
            refused @ (StoreError::Refused { .. } | StoreError::Corrupt { .. }) => refused,
            // Nobody can say how far a commit came that nobody answered.
            StoreError::Transient { source } | StoreError::Failed { source } => {
                StoreError::Unknown { source }
            }
            known => known,
        })?;
        drop(self.held.take());
        Ok(())
    }
}

impl Hold for Guard {
    fn connection(&mut self) -> StoreResult<Connection<'_>> {
        self.held().map(Connection::Postgres)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let Some(held) = self.held.take() else { return };
        // Returning needs a runtime; without one the connection is closed.
        let stays = self.mode == Mode::Reads && tokio::runtime::Handle::try_current().is_ok();
        if stays { drop(held) } else { drop(held.detach()) }
    }
}
