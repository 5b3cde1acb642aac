//! Where a service of a test keeps what it knows: in memory, or in a file that goes away with it.

use std::{
    env,
    error::Error,
    fmt::Debug,
    fs,
    path::PathBuf,
    process,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use billing::{MemoryStore, SqliteStore, Tenant, store::store::Store, verify};

pub type Done<T = ()> = Result<T, Box<dyn Error>>;

#[derive(Clone)]
pub enum Kept {
    InMemory(MemoryStore),
    OnFile(Box<SqliteStore>, Arc<Folder>),
}

/// A folder that goes away when nobody needs it any more.
pub struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

impl Kept {
    pub async fn both() -> [Self; 2] {
        [Self::on_file().await, Self::in_memory()]
    }

    pub fn in_memory() -> Self {
        Self::InMemory(MemoryStore::new())
    }

    pub async fn on_file() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("billing-{}-{}-{number}", env!("CARGO_CRATE_NAME"), process::id());
        let folder = env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        Self::opened(&Arc::new(Folder(folder))).await
    }

    async fn opened(folder: &Arc<Folder>) -> Self {
        let store = SqliteStore::open(folder.0.join("billing.db")).await.unwrap();
        store.migrate().await.unwrap();
        Self::OnFile(Box::new(store), Arc::clone(folder))
    }

    /// What a program finds that starts after another one stopped.
    pub async fn reopened(&self) -> Self {
        match self {
            Self::InMemory(store) => Self::InMemory(store.clone()),
            Self::OnFile(_, folder) => Self::opened(folder).await,
        }
    }

    pub fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::InMemory(store) => Arc::new(store.clone()),
            Self::OnFile(store, _) => Arc::new((**store).clone()),
        }
    }

    pub async fn close(&self) {
        match self {
            Self::InMemory(_) => {}
            Self::OnFile(store, _) => store.close().await,
        }
    }
}

/// Recomputes everything that is kept, of which nothing may be set aside.
pub async fn check(tenant: &Tenant) -> Done {
    same("what verify finds", verify(tenant).await?.findings, Vec::new())?;
    same("what is set aside", tenant.parked(None, 1).await?, Vec::new())
}

pub fn same<T: PartialEq + Debug>(what: &str, found: T, expected: T) -> Done {
    if found == expected {
        return Ok(());
    }
    Err(format!("{what} is {found:?}, expected was {expected:?}").into())
}
