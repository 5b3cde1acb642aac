//! The suite accepts the stores that come with the library.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod folder;
mod server;
mod services;

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering},
};

use billing_store::{MemoryStore, PostgresStore, SqliteStore, conformance};

use folder::{Folder, open};
use server::Database;

#[tokio::test]
async fn the_suite_accepts_memory() {
    let outcome = conformance::check(|| async { MemoryStore::new() }).await;
    assert_eq!(outcome, Ok(()));
}

#[tokio::test]
async fn the_suite_accepts_sqlite() {
    let files = Files::new("one-thread");
    assert_eq!(conformance::check(|| files.store()).await, Ok(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_suite_accepts_sqlite_on_several_threads() {
    let files = Files::new("threads");
    let outcome = tokio::spawn(async move { conformance::check(|| files.store()).await }).await;
    assert_eq!(outcome.unwrap(), Ok(()));
}

#[tokio::test]
async fn the_suite_accepts_postgres() {
    let Some(databases) = Databases::new("suite").await else { return };
    assert_eq!(conformance::check(|| databases.store()).await, Ok(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_suite_accepts_postgres_on_several_threads() {
    let Some(databases) = Databases::new("suite_threads").await else { return };
    let outcome = tokio::spawn(async move { conformance::check(|| databases.store()).await }).await;
    assert_eq!(outcome.unwrap(), Ok(()));
}

/// Databases of a server, one after the other: each goes when the next one comes.
struct Databases {
    name: &'static str,
    current: Arc<Mutex<Option<Database>>>,
}

impl Databases {
    async fn new(name: &'static str) -> Option<Self> {
        let first = Database::new(name).await?;
        Some(Self { name, current: Arc::new(Mutex::new(Some(first))) })
    }

    fn store(&self) -> impl Future<Output = PostgresStore> + Send + use<> {
        let (name, current) = (self.name, Arc::clone(&self.current));
        async move {
            let database = Database::new(name).await.unwrap();
            let store = database.store().await;
            drop(current.lock().unwrap().replace(database));
            store
        }
    }
}

/// Database files, one after the other.
struct Files {
    folder: Folder,
    number: AtomicU32,
}

impl Files {
    fn new(name: &str) -> Self {
        let folder = Folder::new(&format!("conformance-{name}"));
        Self { folder, number: AtomicU32::new(0) }
    }

    fn store(&self) -> impl Future<Output = SqliteStore> + Send + use<> {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        open(self.folder.file(&format!("{number}.db")))
    }
}
