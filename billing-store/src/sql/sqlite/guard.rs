//! Who owns a connection while a transaction is open on it.

use sqlx::{Sqlite, SqliteConnection, pool::PoolConnection};
use tokio::sync::OwnedMutexGuard;

use crate::{
    error::{StoreError, StoreResult},
    sql::{connection::Connection, sqlite::failed::failed, unit::Hold},
};

/// A connection that a unit holds.
pub(in crate::sql) enum Held {
    /// The one connection that writes.
    Writer(OwnedMutexGuard<Option<SqliteConnection>>),
    /// One of the pool of those that read.
    Reader(PoolConnection<Sqlite>),
}

/// Owns a connection inside a transaction.
///
/// A writer that is dropped before it has committed, in whatever state a cancelled future left it, is closed: SQLite rolls back, and
/// nobody else meets an open transaction. A reader returns to its pool, which ends its snapshot.
pub(in crate::sql) struct Guard {
    held: Option<Held>,
}

impl Guard {
    pub(super) async fn begin(held: Held, how: &'static str) -> StoreResult<Self> {
        let mut guard = Self { held: Some(held) };
        let _done = sqlx::query(how).execute(guard.held()?).await.map_err(failed)?;
        Ok(guard)
    }

    pub(super) fn held(&mut self) -> StoreResult<&mut SqliteConnection> {
        let connection = match &mut self.held {
            Some(Held::Writer(writer)) => writer.as_mut(),
            Some(Held::Reader(reader)) => Some(&mut **reader),
            None => None,
        };
        connection.ok_or_else(|| StoreError::Refused {
            what: "the transaction has ended".into(),
            source: None,
        })
    }

    pub(super) async fn commit(&mut self) -> StoreResult<()> {
        let done = sqlx::query("commit").execute(self.held()?).await;
        let _done = done.map_err(|error| match failed(error) {
            // Nobody can say how far a commit came that failed for another reason than being held up.
            StoreError::Failed { source } => StoreError::Unknown { source },
            known => known,
        })?;
        drop(self.held.take());
        Ok(())
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        match self.held.take() {
            Some(Held::Writer(mut writer)) => drop(writer.take()),
            // Returning needs a runtime; without one the connection is closed.
            Some(Held::Reader(reader)) if tokio::runtime::Handle::try_current().is_err() => {
                drop(reader.detach());
            }
            Some(Held::Reader(reader)) => drop(reader),
            None => {}
        }
    }
}

impl Hold for Guard {
    fn connection(&mut self) -> StoreResult<Connection<'_>> {
        self.held().map(Connection::Sqlite)
    }
}
