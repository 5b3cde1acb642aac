//! Where a store is, so that a process can be told: a file, or a database of a server.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

use billing_core::plan::PlanBook;
use billing_store::{Billing, SqliteStore, StoreResult, Tenant, clock::SetClock, store::Store};

use crate::{Done, script::NOW};

/// The address of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    File(PathBuf),
}

impl Place {
    pub fn of(address: &str) -> Self {
        Self::File(PathBuf::from(address))
    }

    /// The store with its schema.
    pub async fn open(&self) -> StoreResult<Opened> {
        match self {
            Self::File(file) => {
                let store = SqliteStore::open(file).await?;
                store.migrate().await?;
                Ok(Opened::Sqlite(store))
            }
        }
    }

    /// Opens it, again while others keep it busy.
    pub async fn open_patiently(&self) -> Done<Opened> {
        let mut left = 1_000_u32;
        loop {
            match self.open().await {
                Err(error) if error.is_transient() && left > 0 => {
                    left -= 1;
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                opened => return Ok(opened?),
            }
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => file.display().fmt(f),
        }
    }
}

/// A store that is open.
#[derive(Clone, Debug)]
pub enum Opened {
    Sqlite(SqliteStore),
}

impl Opened {
    pub fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::Sqlite(store) => Arc::new(store.clone()),
        }
    }

    pub fn tenant(&self) -> Done<Tenant> {
        tenant(self.store())
    }

    /// How many connections only read.
    pub const fn readers(&self) -> usize {
        match self {
            Self::Sqlite(_) => 4,
        }
    }

    /// How many connections write.
    pub const fn writers(&self) -> usize {
        match self {
            Self::Sqlite(_) => 1,
        }
    }

    pub async fn close(&self) {
        match self {
            Self::Sqlite(store) => store.close().await,
        }
    }
}

/// The tenant of all scripts. Its clock stands still, so that a request means the same whenever it is made.
pub fn tenant(store: impl Store + 'static) -> Done<Tenant> {
    Ok(Billing::new(store, PlanBook::standard(), SetClock::at(NOW.parse()?)).tenant("acme")?)
}

/// The stores that are there.
pub fn backends() -> Done<Vec<Backend>> {
    Ok(vec![Backend::Sqlite])
}

/// Which kind of store is put to the test.
#[derive(Clone, Debug)]
pub enum Backend {
    Sqlite,
}

impl Backend {
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
        }
    }

    /// A place where nothing is.
    pub async fn fresh(&self, folder: &Path, name: &str) -> Done<Place> {
        match self {
            Self::Sqlite => Ok(Place::File(folder.join(format!("{name}.db")))),
        }
    }

    /// Whether no transaction is open that nobody ends.
    pub async fn idle(&self, place: &Place) -> Done {
        match (self, place) {
            (Self::Sqlite, Place::File(file)) => {
                let options =
                    SqliteConnectOptions::new().filename(file).busy_timeout(Duration::ZERO);
                let mut beside = SqliteConnection::connect_with(&options).await?;
                sqlx::query("begin immediate").execute(&mut beside).await?;
                sqlx::query("rollback").execute(&mut beside).await?;
                Ok(beside.close().await?)
            }
        }
    }

    /// The same store once more, in a place of its own; nobody is at work with it.
    pub async fn copy(&self, place: &Place) -> Done<Place> {
        match (self, place) {
            (Self::Sqlite, Place::File(file)) => {
                // A name that was used before could meet a log that is left of it.
                static COPIES: AtomicU64 = AtomicU64::new(0);
                let number = COPIES.fetch_add(1, Ordering::Relaxed);
                let copy = file.with_extension(format!("copy-{number}.db"));
                std::fs::copy(file, &copy)?;
                Ok(Place::File(copy))
            }
        }
    }

    /// Takes away what [`fresh`](Self::fresh) gave.
    pub async fn remove(&self, place: &Place) -> Done {
        match (self, place) {
            (Self::Sqlite, Place::File(file)) => {
                for suffix in ["", "-wal", "-shm"] {
                    let file = PathBuf::from(format!("{}{suffix}", file.display()));
                    if file.exists() {
                        std::fs::remove_file(file)?;
                    }
                }
                Ok(())
            }
        }
    }
}
