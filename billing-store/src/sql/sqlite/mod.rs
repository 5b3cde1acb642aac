//! State in a SQLite file: nothing to install, one writer at a time, many readers.

mod failed;
mod guard;
mod statements;
#[cfg(test)]
pub(super) mod tests;

use core::fmt;
use std::{fs::File, path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use sqlx::{
    Connection as _, Sqlite, SqliteConnection,
    sqlite::{
        SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
    },
};
use tokio::sync::Mutex;

use billing_core::{
    id::{EpochId, TenantId},
    time::Instant,
};

use crate::{
    error::{StoreError, StoreResult},
    outbox::Epochs,
    sql::{
        connection::Connection,
        migrate::{Schema, Step},
        outbox,
        unit::{Hold, Mode, SqlUnit},
    },
    store::{Facts, Locks, Store, Transaction, Unit},
};

pub(super) use guard::{Guard, Held};
pub(super) use statements::{add, add_text, execute, fetch, insert, script};

use failed::failed;

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

/// Each step once, in order; a step that was released is never changed.
const STEPS: &[Step] = &[
    Step {
        version: 1,
        name: "first_bill",
        sql: include_str!("../../../migrations/sqlite/0001_first_bill.sql"),
    },
    Step {
        version: 2,
        name: "corrections",
        sql: include_str!("../../../migrations/sqlite/0002_corrections.sql"),
    },
    Step {
        version: 3,
        name: "outbox",
        sql: include_str!("../../../migrations/sqlite/0003_outbox.sql"),
    },
    Step {
        version: 4,
        name: "erasure",
        sql: include_str!("../../../migrations/sqlite/0004_erasure.sql"),
    },
];

const LEDGER: &str = "create table if not exists billing_migration (
    version integer not null primary key,
    name    text    not null,
    digest  text    not null
) strict";

const SCHEMA: Schema = Schema { ledger: LEDGER, steps: STEPS };

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
        // One step, one transaction: whatever ends the process leaves whole steps behind.
        loop {
            let mut unit = self.write().await?;
            let more = SCHEMA.next(unit.connection()?).await?;
            unit.commit().await?;
            if !more {
                return Ok(());
            }
        }
    }

    /// A unit inside the host's own transaction on the same file: what it writes is committed or rolled back with everything else in
    /// there.
    ///
    /// The file must have been [migrated](Self::migrate), and settings such as `synchronous` are those of the host's connection. The
    /// transaction should have begun as `begin immediate`: joining takes the file's one lock for writing at once, and a transaction that
    /// has read before somebody else wrote cannot have it any more.
    ///
    /// # Errors
    ///
    /// [`Transient`](StoreError::Transient) if the lock is not to be had; the host rolls back and tries again.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// use billing_core::{account::AccountSettings, plan::PlanBook};
    /// use billing_store::{Billing, SqliteStore, clock::SystemClock, store::Locks};
    /// use sqlx::{Connection, SqliteConnection};
    ///
    /// # let folder = std::env::temp_dir().join(format!("billing-join-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder)?;
    /// let file = folder.join("host.db");
    /// let store = SqliteStore::open(&file).await?;
    /// store.migrate().await?;
    /// let acme = Billing::new(store.clone(), PlanBook::standard(), SystemClock).tenant("acme")?;
    /// let alice: AccountSettings = serde_json::from_str(
    ///     r#"{"id":"alice","currency":"EUR","zone":"UTC","anchor":{"from":"2026-10-01","months":1}}"#,
    /// )?;
    ///
    /// let url = format!("sqlite://{}", file.display());
    /// let mut host = SqliteConnection::connect(&url).await?;
    /// sqlx::query("create table customer (name text primary key)").execute(&mut host).await?;
    /// let mut both = host.begin_with("begin immediate").await?;
    /// sqlx::query("insert into customer values ('alice')").execute(&mut *both).await?;
    /// let locks = Locks { catalog: true, ..Locks::accounts([alice.id.clone()]) };
    /// let mut unit = SqliteStore::join(&mut both, acme.id(), &locks).await?;
    /// acme.open_account_in(&mut *unit, &alice).await?;
    /// drop(unit);
    /// both.commit().await?;
    /// assert_eq!(acme.read().await?.account_page(None, 10).await?, [alice.id]);
    /// # host.close().await?;
    /// # store.close().await;
    /// # std::fs::remove_dir_all(&folder)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn join<'h>(
        host: &'h mut sqlx::Transaction<'_, Sqlite>,
        tenant: &TenantId,
        _locks: &Locks,
    ) -> StoreResult<Box<dyn Unit + 'h>> {
        let hold: &'h mut SqliteConnection = host;
        // A write takes the lock, also one that finds nothing to change.
        let nothing = "update billing_migration set name = name where version = 0";
        let _done = sqlx::query(nothing).execute(&mut *hold).await.map_err(failed)?;
        Ok(Box::new(SqlUnit { tenant: tenant.clone(), mode: Mode::Writes, hold }))
    }

    /// Writes a copy of the database into a new file, as it is at one instant, while others read and write.
    ///
    /// The copy is compact, holds every commit that had returned, and is on its medium when this returns. To be opened by another process
    /// beside this one it needs an epoch of its own: [`Billing::begin_epoch`](crate::Billing::begin_epoch).
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the file exists and is not empty, or cannot be written.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// use billing_store::SqliteStore;
    ///
    /// # let folder = std::env::temp_dir().join(format!("billing-doc-backup-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder)?;
    /// let store = SqliteStore::open(folder.join("billing.db")).await?;
    /// store.migrate().await?;
    /// let file = folder.join("monday.db");
    /// store.backup_to(&file).await?;
    /// assert!(store.backup_to(&file).await.is_err(), "a backup is not written over");
    ///
    /// let restored = SqliteStore::open(&file).await?;
    /// restored.migrate().await?;
    /// # restored.close().await;
    /// # store.close().await;
    /// # std::fs::remove_dir_all(&folder)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn backup_to(&self, file: impl AsRef<Path> + Send) -> StoreResult<()> {
        let file = file.as_ref().to_owned();
        let name = file.to_str().ok_or_else(|| StoreError::Refused {
            what: "the name of the file is not UTF-8".into(),
            source: None,
        })?;
        let mut reader = self.readers.acquire().await.map_err(failed)?;
        let copy = sqlx::query("vacuum into ?1").bind(name).execute(&mut *reader);
        let _done = copy.await.map_err(failed)?;
        let on_medium = tokio::task::spawn_blocking(move || sync(&file)).await;
        let on_medium = on_medium.map_err(|error| StoreError::Failed { source: error.into() })?;
        on_medium.map_err(|error| StoreError::Failed { source: error.into() })
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
            return Err(StoreError::Failed { source: "the store is closed".into() });
        }
        if writer.is_none() {
            *writer = Some(SqliteConnection::connect_with(&self.options).await.map_err(failed)?);
        }
        // `IMMEDIATE`, because a read that turns into a write fails at once instead of waiting.
        Guard::begin(Held::Writer(writer), "begin immediate").await
    }
}

impl Hold for &mut SqliteConnection {
    fn connection(&mut self) -> StoreResult<Connection<'_>> {
        Ok(Connection::Sqlite(self))
    }
}

/// Puts a file that was written on its medium, and the name under which it is found.
fn sync(file: &Path) -> std::io::Result<()> {
    File::open(file)?.sync_all()?;
    if cfg!(not(unix)) {
        // A folder is no file there, and its entries are kept by the file system.
        return Ok(());
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()
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
        let hold = self.write().await?;
        Ok(Box::new(SqlUnit { tenant: tenant.clone(), mode: Mode::Writes, hold }))
    }

    async fn read(&self, tenant: &TenantId) -> StoreResult<Box<dyn Facts>> {
        let reader = self.readers.acquire().await.map_err(failed)?;
        let hold = Guard::begin(Held::Reader(reader), "begin").await?;
        Ok(Box::new(SqlUnit { tenant: tenant.clone(), mode: Mode::Reads, hold }))
    }
}

#[async_trait]
impl Transaction for SqlUnit<Guard> {
    async fn commit(mut self: Box<Self>) -> StoreResult<()> {
        self.hold.commit().await
    }
}

#[async_trait]
impl Epochs for SqliteStore {
    async fn begin_epoch(&self, epoch: &EpochId, at: Instant) -> StoreResult<()> {
        let mut guard = self.write().await?;
        outbox::begin_epoch(guard.connection()?, epoch, at).await?;
        guard.commit().await
    }
}
