//! The suite accepts the stores that come with the library.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use billing_store::{MemoryStore, SqliteStore, conformance};

#[tokio::test]
async fn the_suite_accepts_memory() {
    let outcome = conformance::check(|| async { MemoryStore::new() }).await;
    assert_eq!(outcome, Ok(()));
}

#[tokio::test]
async fn the_suite_accepts_sqlite() {
    let folder = Folder::new("one-thread");
    assert_eq!(conformance::check(|| folder.store()).await, Ok(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_suite_accepts_sqlite_on_several_threads() {
    let folder = Folder::new("threads");
    let outcome = tokio::spawn(async move { conformance::check(|| folder.store()).await }).await;
    assert_eq!(outcome.unwrap(), Ok(()));
}

/// A folder of database files that goes away with the test.
struct Folder {
    path: PathBuf,
    files: AtomicU32,
}

impl Folder {
    fn new(name: &str) -> Self {
        let folder = format!("billing-conformance-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(folder);
        std::fs::create_dir_all(&path).unwrap();
        Self { path, files: AtomicU32::new(0) }
    }

    fn store(&self) -> impl Future<Output = SqliteStore> + Send + use<> {
        let number = self.files.fetch_add(1, Ordering::Relaxed);
        open(self.path.join(format!("{number}.db")))
    }
}

async fn open(file: impl AsRef<Path> + Send) -> SqliteStore {
    let store = SqliteStore::open(file).await.unwrap();
    store.migrate().await.unwrap();
    store
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is left to whoever empties the temporary folder.
        let _gone: std::io::Result<()> = std::fs::remove_dir_all(&self.path);
    }
}
