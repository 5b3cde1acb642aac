//! A folder for database files that goes away with its test.

use std::path::{Path, PathBuf};

use billing_store::SqliteStore;

pub(crate) struct Folder(PathBuf);

impl Folder {
    /// A folder of this process; tests that run at the same time give it other names.
    pub(crate) fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("billing-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is left to whoever empties the temporary folder.
        let _gone: std::io::Result<()> = std::fs::remove_dir_all(&self.0);
    }
}

/// The store in a file, with its schema.
pub(crate) async fn open(file: impl AsRef<Path> + Send) -> SqliteStore {
    let store = SqliteStore::open(file).await.unwrap();
    store.migrate().await.unwrap();
    store
}
