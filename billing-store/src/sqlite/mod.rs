//! State in a SQLite file: nothing to install, one writer at a time, many readers.

mod bulk;
mod digests;
mod facts;
mod migrate;
mod postings;
mod rows;
mod tariffs;
#[cfg(test)]
mod tests;
mod writes;

use core::fmt;
use std::{path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use sqlx::{
    Connection as _, Sqlite, SqliteConnection,
    pool::PoolConnection,
    sqlite::{
        SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
    },
};
use tokio::sync::{Mutex, OwnedMutexGuard};

use billing_core::{decide::Writes, id::TenantId};

use crate::{
    error::{StoreError, StoreResult},
    store::{Facts, Locks, Store, Transaction, Unit},
};

/// State in a SQLite file, through sqlx with SQLite built in.
///
/// Write-ahead log with full synchronisation: a commit that returned survives power loss on a disk that keeps its word. One
/// unit writes at a time; readers are not held up. The file must be on a local disk.
///
/// # Examples
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// use billing_core::id::TenantId;
/// use billing_store::{SqliteStore, store::Store};
///
/// let folder = std::env::temp_dir().join(format!("billing-doc-{}", std::process::id()));
/// std::fs::create_dir_all(&folder)?;
/// let store = SqliteStore::open(folder.join("billing.db")).await?;
/// store.migrate().await?;
/// let mut facts = store.read(&TenantId::try_new("acme")?).await?;
/// assert_eq!(facts.account_page(None, 10).await?, []);
/// drop(facts);
/// store.close().await;
/// std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct SqliteStore {
    options: SqliteConnectOptions,
    /// `None` until somebody writes, and after a unit that did not end: its connection is closed.
    writer: Arc<Mutex<Option<SqliteConnection>>>,
    readers: SqlitePool,
}

/// How long a unit waits for another process that writes.
const BUSY: Duration = Duration::from_secs(5);
/// How long a unit waits for those before it in this process.
const TURN: Duration = Duration::from_mins(1);
/// How many may read at the same time.
const READERS: u32 = 4;
/// A page cache of 64 MiB for the writer: SQLite's own 2 MB halve the speed of ingest.
const WRITER_CACHE_KIB: &str = "-65536";
/// A page cache of 8 MiB for each reader.
const READER_CACHE_KIB: &str = "-8192";
/// The log is cut back to this many bytes once readers have let it grow.
const LOG_BYTES: &str = "67108864";

impl SqliteStore {
    /// Opens a file, creating it if it does not exist. Call [`migrate`](Self::migrate) before the first use.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the file cannot be opened or is not a database, or lies where a write-ahead log cannot be kept.
    pub async fn open(file: impl AsRef<Path>) -> StoreResult<Self> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY)
            .pragma("journal_size_limit", LOG_BYTES)
            .pragma("trusted_schema", "off")
            // Where a flush does not reach the medium by itself, ask for one that does.
            .pragma("fullfsync", "on")
            .pragma("checkpoint_fullfsync", "on")
            .statement_cache_capacity(256);
        let reader = options.clone().pragma("cache_size", READER_CACHE_KIB).row_buffer_size(1_000);
        let options = options.pragma("cache_size", WRITER_CACHE_KIB);
        let mut first = SqliteConnection::connect_with(&options).await.map_err(failed)?;
        check_durable(&mut first).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(TURN)
            // A connection to a file does not go stale: nothing to test, nothing to renew.
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
            .after_release(|connection, _| {
                // Ends the snapshot of whoever read. One whose snapshot does not end is not used again.
                Box::pin(async move {
                    Ok(sqlx::query("rollback").execute(connection).await.is_ok())
                })
            })
            .connect_lazy_with(reader);
        Ok(Self { options, writer: Arc::new(Mutex::new(Some(first))), readers })
    }

    /// Brings the schema to the version this library knows. Doing it again changes nothing; killed half-way, it starts over.
    ///
    /// # Errors
    ///
    /// [`StoreError::Schema`] if the database is newer than this library.
    pub async fn migrate(&self) -> StoreResult<()> {
        let mut unit = self.write().await?;
        migrate::migrate(unit.connection()?).await?;
        unit.commit().await
    }

    /// Closes the file once the units at work have ended.
    pub async fn close(&self) {
        self.readers.close().await;
        let writer = self.writer.lock().await.take();
        if let Some(writer) = writer {
            // Whatever could be said here was said by the last commit.
            drop(writer.close().await);
        }
    }

    async fn write(&self) -> StoreResult<Guard> {
        let waiting = tokio::time::timeout(TURN, Arc::clone(&self.writer).lock_owned()).await;
        let mut writer =
            waiting.map_err(|source| StoreError::Transient { source: source.into() })?;
        if self.readers.is_closed() {
            let what = "the store is closed".into();
            return Err(StoreError::Refused { what, source: None });
        }
        if writer.is_none() {
            *writer = Some(SqliteConnection::connect_with(&self.options).await.map_err(failed)?);
        }
        // `IMMEDIATE`, because a read that turns into a write fails at once instead of waiting.
        Guard::begin(Held::Writer(writer), "begin immediate").await
    }
}

/// What was asked of SQLite must be what it does: it falls back in silence where it cannot.
async fn check_durable(connection: &mut SqliteConnection) -> StoreResult<()> {
    let journal: String = sqlx::query_scalar("pragma journal_mode")
        .fetch_one(&mut *connection)
        .await
        .map_err(failed)?;
    let synchronous: i64 =
        sqlx::query_scalar("pragma synchronous").fetch_one(connection).await.map_err(failed)?;
    if (journal.as_str(), synchronous) == ("wal", 2) {
        return Ok(());
    }
    Err(StoreError::Refused {
        what: format!(
            "durable commits need journal_mode wal and synchronous 2, here are {journal} and {synchronous}"
        ),
        source: None,
    })
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore")
            .field("file", &self.options.get_filename())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn begin(&self, tenant: &TenantId, _locks: &Locks) -> StoreResult<Box<dyn Transaction>> {
        // There is one writer, so every lock is held by whoever writes.
        Ok(Box::new(SqliteUnit { tenant: tenant.clone(), guard: self.write().await? }))
    }

    async fn read(&self, tenant: &TenantId) -> StoreResult<Box<dyn Facts>> {
        let reader = self.readers.acquire().await.map_err(failed)?;
        let guard = Guard::begin(Held::Reader(reader), "begin").await?;
        Ok(Box::new(SqliteUnit { tenant: tenant.clone(), guard }))
    }
}

/// One tenant's view of one transaction.
struct SqliteUnit {
    tenant: TenantId,
    guard: Guard,
}

#[async_trait]
impl Unit for SqliteUnit {
    async fn apply(&mut self, writes: &Writes) -> StoreResult<()> {
        writes::apply(self.guard.connection()?, &self.tenant, writes).await
    }
}

#[async_trait]
impl Transaction for SqliteUnit {
    async fn commit(mut self: Box<Self>) -> StoreResult<()> {
        self.guard.commit().await
    }
}

/// A connection that a unit holds.
enum Held {
    /// The one connection that writes.
    Writer(OwnedMutexGuard<Option<SqliteConnection>>),
    /// One of the pool of those that read.
    Reader(PoolConnection<Sqlite>),
}

/// Owns a connection inside a transaction.
///
/// A writer that is dropped before it has committed, in whatever state a cancelled future left it, is closed: SQLite rolls back, and
/// nobody else meets an open transaction. A reader returns to its pool, which ends its snapshot.
struct Guard {
    held: Option<Held>,
}

impl Guard {
    async fn begin(held: Held, how: &'static str) -> StoreResult<Self> {
        let mut guard = Self { held: Some(held) };
        let _done = sqlx::query(how).execute(guard.connection()?).await.map_err(failed)?;
        Ok(guard)
    }

    fn connection(&mut self) -> StoreResult<&mut SqliteConnection> {
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

    async fn commit(&mut self) -> StoreResult<()> {
        let done = sqlx::query("commit").execute(self.connection()?).await;
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

/// Sorts what the driver says into what the caller can do about it.
fn failed(error: sqlx::Error) -> StoreError {
    let database = |error: &sqlx::Error| {
        let database = error.as_database_error()?;
        Some((
            database.code()?.into_owned(),
            database.is_unique_violation(),
            database.is_check_violation(),
        ))
    };
    match database(&error) {
        Some((_, true, _)) => {
            StoreError::Refused { what: "the key exists".into(), source: Some(error.into()) }
        }
        Some((_, _, true)) => {
            StoreError::Refused { what: "a check failed".into(), source: Some(error.into()) }
        }
        // SQLITE_CONSTRAINT_TRIGGER: the past is not edited, a number is given once.
        Some((code, ..)) if code == "1811" => {
            StoreError::Refused { what: "a rule of the schema".into(), source: Some(error.into()) }
        }
        // SQLITE_BUSY and SQLITE_LOCKED, with their extended codes in the higher bytes.
        Some((code, ..)) if code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 5 | 6)) => {
            StoreError::Transient { source: error.into() }
        }
        // SQLITE_CORRUPT and SQLITE_NOTADB.
        Some((code, ..))
            if code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 11 | 26)) =>
        {
            StoreError::Corrupt { what: "the file".into(), source: Some(error.into()) }
        }
        // SQLITE_CONSTRAINT, with its extended codes in the higher bytes.
        Some((code, ..)) if code.parse::<u32>().is_ok_and(|code| code & 0xff == 19) => {
            StoreError::Refused { what: "a constraint".into(), source: Some(error.into()) }
        }
        _ if matches!(error, sqlx::Error::PoolTimedOut) => {
            StoreError::Transient { source: error.into() }
        }
        _ => StoreError::Failed { source: error.into() },
    }
}
