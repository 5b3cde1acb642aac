//! What is the SQLite store's own: its file, its settings, its schema.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::PathBuf;

use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

use billing_core::id::TenantId;
use billing_store::{
    SqliteStore, StoreError,
    store::{Locks, Store as _},
};

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("billing-sqlite-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[tokio::test]
async fn a_store_that_cannot_keep_a_log_is_refused() {
    let error = SqliteStore::open(":memory:").await.unwrap_err();
    assert!(matches!(error, StoreError::Refused { .. }), "{error}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let folder = folder("garbage");
    let file = folder.join("notes.txt");
    std::fs::write(&file, "calls and cents, calls and cents, calls and cents, ".repeat(100))
        .unwrap();
    let opened = SqliteStore::open(&file).await;
    assert!(matches!(opened, Err(StoreError::Corrupt { .. })), "{opened:?}");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn migrating_again_changes_nothing_and_a_newer_schema_is_refused() {
    let folder = folder("migrate");
    let file = folder.join("billing.db");
    let store = SqliteStore::open(&file).await.unwrap();
    store.migrate().await.unwrap();
    store.migrate().await.unwrap();
    store.close().await;
    let options = SqliteConnectOptions::new().filename(&file);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    let newer = "insert into billing_migration values (2, 'from the future', 'unknown')";
    sqlx::query(newer).execute(&mut connection).await.unwrap();
    let store = SqliteStore::open(&file).await.unwrap();
    let error = store.migrate().await.unwrap_err();
    assert!(matches!(error, StoreError::Schema { found: 2, known: 1 }), "{error}");
    sqlx::query("delete from billing_migration where version = 2")
        .execute(&mut connection)
        .await
        .unwrap();
    sqlx::query("update billing_migration set digest = 'other'")
        .execute(&mut connection)
        .await
        .unwrap();
    let error = store.migrate().await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    store.close().await;
    connection.close().await.unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn two_stores_on_one_file_wait_for_each_other() {
    let folder = folder("two");
    let file = folder.join("billing.db");
    let (one, two) =
        (SqliteStore::open(&file).await.unwrap(), SqliteStore::open(&file).await.unwrap());
    one.migrate().await.unwrap();
    two.migrate().await.unwrap();
    let tenant = TenantId::try_new("acme").unwrap();
    let locks = Locks::default();
    let unit = one.begin(&tenant, &locks).await.unwrap();
    let release = async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        unit.commit().await.unwrap();
    };
    let ((), second) = tokio::join!(release, two.begin(&tenant, &locks));
    second.unwrap().commit().await.unwrap();
    one.close().await;
    two.close().await;
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn the_past_is_not_edited() {
    let folder = folder("past");
    let file = folder.join("billing.db");
    let store = SqliteStore::open(&file).await.unwrap();
    store.migrate().await.unwrap();
    store.close().await;
    let options = SqliteConnectOptions::new().filename(&file);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    let insert = "insert into billing_event values ('acme', 'alice', 1, 0, '{}')";
    sqlx::query(insert).execute(&mut connection).await.unwrap();
    for edit in ["update billing_event set at = 1", "delete from billing_event"] {
        let error = sqlx::query(edit).execute(&mut connection).await.unwrap_err();
        assert!(error.to_string().contains("never"), "{edit}: {error}");
    }
    connection.close().await.unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
}
