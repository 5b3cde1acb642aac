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
    let Some(databases) = Databases::new("suite", None).await else { return };
    assert_eq!(conformance::check(|| databases.store()).await, Ok(()));
}

/// As a role that row-level security holds for, though the tables are its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_suite_accepts_postgres_on_several_threads_behind_its_wall() {
    let Some(databases) = Databases::new("suite_wall", Some("billing_suite_wall")).await else {
        return;
    };
    let outcome = tokio::spawn(async move { conformance::check(|| databases.store()).await }).await;
    assert_eq!(outcome.unwrap(), Ok(()));
}

/// Databases of a server, one after the other: each goes when the next one comes.
struct Databases {
    name: &'static str,
    role: Option<&'static str>,
    /// What is copied: a database with its schema.
    migrated: Arc<Database>,
    current: Arc<Mutex<Option<Database>>>,
}

impl Databases {
    async fn new(name: &'static str, role: Option<&'static str>) -> Option<Self> {
        let migrated = Database::new(name).await?;
        if let Some(role) = role {
            let grants = format!(
                "do $$ begin create role {role}; exception when duplicate_object then null; end $$; \
                 grant create on schema public to {role}"
            );
            server::run(&migrated.connect(), &grants).await;
        }
        as_role(&migrated, role).await.close().await;
        Some(Self { name, role, migrated: Arc::new(migrated), current: Arc::default() })
    }

    fn store(&self) -> impl Future<Output = PostgresStore> + Send + use<> {
        let (name, role) = (self.name, self.role);
        let (migrated, current) = (Arc::clone(&self.migrated), Arc::clone(&self.current));
        async move {
            let database = Database::like(name, &migrated.name).await.unwrap();
            let store = as_role(&database, role).await;
            drop(current.lock().unwrap().replace(database));
            store
        }
    }
}

/// A store with its schema, whose connections are of a role.
async fn as_role(database: &Database, role: Option<&'static str>) -> PostgresStore {
    if role.is_none() {
        return database.store().await;
    }
    let mut options = database.options();
    options.connect = options.connect.options(role.map(|role| ("role", role)));
    let store = PostgresStore::open_with(options).await.unwrap();
    store.migrate().await.unwrap();
    store
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
