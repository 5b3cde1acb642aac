//! State in a SQLite file: nothing to install, one writer at a time, many readers.

mod bulk;
mod facts;
mod migrate;
mod rows;
mod writes;

use std::{path::Path, time::Duration};

use async_trait::async_trait;
use sqlx::{
    Sqlite, SqliteConnection,
    pool::PoolConnection,
    sqlite::{
        SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
    },
};

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
#[derive(Clone, Debug)]
pub struct SqliteStore {
    writer: SqlitePool,
    readers: SqlitePool,
}

/// How long a unit waits for another process that writes.
const BUSY: Duration = Duration::from_secs(5);
/// How long a unit waits for those before it in this process.
const TURN: Duration = Duration::from_mins(1);
/// How many may read at the same time.
const READERS: u32 = 4;
/// A page cache of 64 MiB: SQLite's own 2 MB halve the speed of ingest.
const CACHE_KIB: &str = "-65536";

impl SqliteStore {
    /// Opens a file, creating it if it does not exist. Call [`migrate`](Self::migrate) before the first use.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the file cannot be opened or is not a database.
    pub async fn open(file: impl AsRef<Path>) -> StoreResult<Self> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY)
            .pragma("cache_size", CACHE_KIB)
            .pragma("trusted_schema", "off")
            .statement_cache_capacity(256);
        // A connection to a file does not go stale: nothing to test, nothing to renew.
        let pool = SqlitePoolOptions::new()
            .acquire_timeout(TURN)
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None);
        let writer = pool.clone().max_connections(1);
        let writer = writer.connect_with(options.clone()).await.map_err(failed)?;
        let readers = pool.max_connections(READERS).after_release(|connection, _| {
            // Ends the snapshot of whoever read. One whose snapshot does not end is not used again.
            Box::pin(async move { Ok(sqlx::query("rollback").execute(connection).await.is_ok()) })
        });
        Ok(Self { writer, readers: readers.connect_lazy_with(options) })
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
        self.writer.close().await;
    }

    async fn write(&self) -> StoreResult<Guard> {
        Guard::begin(&self.writer, Access::Write).await
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn begin(&self, tenant: &TenantId, _locks: &Locks) -> StoreResult<Box<dyn Transaction>> {
        // There is one writer, so every lock is held by whoever writes.
        Ok(Box::new(SqliteUnit { tenant: tenant.clone(), guard: self.write().await? }))
    }

    async fn read(&self, tenant: &TenantId) -> StoreResult<Box<dyn Facts>> {
        let guard = Guard::begin(&self.readers, Access::Read).await?;
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

/// What a transaction is begun for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Read,
    Write,
}

/// Owns a connection inside a transaction.
///
/// A writer that is dropped before it is finished, in whatever state a cancelled future left it, is closed and not returned to the
/// pool: SQLite rolls back, and nobody else meets an open transaction. A reader returns to its pool, which ends its snapshot.
struct Guard {
    connection: Option<PoolConnection<Sqlite>>,
    access: Access,
}

impl Guard {
    async fn begin(pool: &SqlitePool, access: Access) -> StoreResult<Self> {
        let connection = Some(pool.acquire().await.map_err(failed)?);
        let mut guard = Self { connection, access };
        let begin = match access {
            Access::Read => "begin",
            // A read that turns into a write fails at once instead of waiting.
            Access::Write => "begin immediate",
        };
        let _done = sqlx::query(begin).execute(guard.connection()?).await.map_err(failed)?;
        Ok(guard)
    }

    fn connection(&mut self) -> StoreResult<&mut SqliteConnection> {
        self.connection.as_deref_mut().ok_or_else(|| StoreError::Refused {
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
        drop(self.connection.take());
        Ok(())
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        match (self.connection.take(), self.access) {
            (Some(connection), Access::Write) => drop(connection.detach()),
            (Some(connection), Access::Read) => drop(connection),
            (None, Access::Read | Access::Write) => {}
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
        _ if matches!(error, sqlx::Error::PoolTimedOut) => {
            StoreError::Transient { source: error.into() }
        }
        _ => StoreError::Failed { source: error.into() },
    }
}
