//! The suite accepts the stores that come with the library.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod folder;

use std::sync::atomic::{AtomicU32, Ordering};

use billing_store::{MemoryStore, SqliteStore, conformance};

use folder::{Folder, open};

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
