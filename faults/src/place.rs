//! Where a store is, so that a process can be told: a file, or a database of a server.

use std::{
    fmt,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use billing_core::plan::PlanBook;
use billing_store::{
    Billing, PostgresStore, SqliteStore, StoreResult, Tenant, clock::SetClock, store::Store,
};

use crate::{Done, script::NOW};

/// What the address of a server begins with.
pub const SCHEME: &str = "postgres";
/// How long a store that is busy or out of reach is tried again.
const PATIENCE: Duration = Duration::from_secs(30);

/// The address of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    File(PathBuf),
    /// The URL of a database.
    Database(String),
}

impl Place {
    pub fn of(address: &str) -> Self {
        if address.starts_with(SCHEME) {
            Self::Database(address.to_owned())
        } else {
            Self::File(PathBuf::from(address))
        }
    }

    /// The store with its schema.
    pub async fn open(&self) -> StoreResult<Opened> {
        match self {
            Self::File(file) => {
                let store = SqliteStore::open(file).await?;
                store.migrate().await?;
                Ok(Opened::Sqlite(store))
            }
            Self::Database(url) => {
                let store = PostgresStore::open(url).await?;
                store.migrate().await?;
                Ok(Opened::Postgres(store))
            }
        }
    }

    /// Opens it, again while it is busy or out of reach.
    pub async fn open_patiently(&self) -> Done<Opened> {
        let begun = Instant::now();
        loop {
            match self.open().await {
                Err(error) if error.is_transient() && begun.elapsed() < PATIENCE => {
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
            Self::Database(url) => url.fmt(f),
        }
    }
}

/// A store that is open.
#[derive(Clone, Debug)]
pub enum Opened {
    Sqlite(SqliteStore),
    Postgres(PostgresStore),
}

impl Opened {
    pub fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::Sqlite(store) => Arc::new(store.clone()),
            Self::Postgres(store) => Arc::new(store.clone()),
        }
    }

    pub fn tenant(&self) -> Done<Tenant> {
        tenant(self.store())
    }

    pub async fn close(&self) {
        match self {
            Self::Sqlite(store) => store.close().await,
            Self::Postgres(store) => store.close().await,
        }
    }
}

/// The tenant of all scripts. Its clock stands still, so that a request means the same whenever it is made.
pub fn tenant(store: impl Store + 'static) -> Done<Tenant> {
    Ok(Billing::new(store, PlanBook::standard(), SetClock::at(NOW.parse()?)).tenant("acme")?)
}
