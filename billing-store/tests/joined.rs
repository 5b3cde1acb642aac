//! A unit inside the host's transaction: the host's rows and billing's are there together, or neither are.
#![expect(clippy::unwrap_used, clippy::default_numeric_fallback, reason = "a test may panic")]

mod folder;
mod server;
mod services;

use serde_json::json;
use sqlx::{
    Connection as _, PgConnection, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode},
};

use billing_core::{account::AccountSettings, decide::Batch, item::Incoming, plan::PlanBook};
use billing_store::{
    Billing, PostgresStore, SqliteStore, StoreError, Tenant,
    clock::SetClock,
    store::{Locks, Store, Unit},
    verify::verify,
};

use folder::{Folder, open};
use server::Database;

const TABLE: &str = "create table shop (sold text not null)";
const ROW: &str = "insert into shop values ('a pulse')";
const ROWS: &str = "select count(*) from shop";

async fn acme(store: impl Store + 'static) -> Tenant {
    let clock = SetClock::at("2026-10-20T00:00:00Z".parse().unwrap());
    let acme = Billing::new(store, PlanBook::standard(), clock).tenant("acme").unwrap();
    let plan = json!({
        "id": "basic", "version": 1, "currency": "EUR", "payment": "postpaid",
        "strategies": [{"id": "usage", "kind": "unpriced", "terms": {}}],
    });
    acme.save_plan(&serde_json::from_value(plan).unwrap()).await.unwrap();
    acme.open_account(&account("alice")).await.unwrap();
    let (alice, basic) = ("alice".parse().unwrap(), "basic".parse().unwrap());
    acme.assign(&alice, &basic, 1, "2026-10-01".parse().unwrap()).await.unwrap();
    acme
}

fn account(id: &str) -> AccountSettings {
    serde_json::from_value(json!({
        "id": id, "currency": "EUR", "zone": "UTC", "anchor": {"from": "2026-10-01", "months": 1},
    }))
    .unwrap()
}

fn locks() -> Locks {
    Locks::accounts(["alice".parse().unwrap()])
}

/// Records a pulse in a unit.
async fn sell(acme: &Tenant, unit: &mut dyn Unit) {
    let pulse: Incoming = serde_json::from_value(json!({
        "key": {"source": "meter", "id": "1"}, "account": "alice",
        "item": {"kind": "pulse", "at": "2026-10-05T08:00:00Z", "product": "storage",
                 "unit": "GB-h", "amount": "1.5"},
    }))
    .unwrap();
    let batch = Batch { label: String::new(), entries: vec![Ok(pulse)] };
    assert_eq!(acme.ingest_in(unit, &batch).await.unwrap().intake.recorded, 1);
}

async fn recorded(acme: &Tenant) -> i64 {
    assert_eq!(verify(acme).await.unwrap().findings, []);
    let items = acme.read().await.unwrap().item_page(None, 10).await.unwrap();
    items.len().try_into().unwrap()
}

#[tokio::test]
async fn a_unit_joined_to_a_sqlite_transaction_ends_as_it_ends() {
    let folder = Folder::new("joined");
    let file = folder.file("host.db");
    let store = open(&file).await;
    let acme = acme(store.clone()).await;
    let options = SqliteConnectOptions::new().filename(&file).journal_mode(SqliteJournalMode::Wal);
    let mut host = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query(TABLE).execute(&mut host).await.unwrap();
    for commits in [false, true] {
        let mut both = host.begin_with("begin immediate").await.unwrap();
        sqlx::query(ROW).execute(&mut *both).await.unwrap();
        let mut unit = SqliteStore::join(&mut both, acme.id(), &locks()).await.unwrap();
        sell(&acme, &mut *unit).await;
        drop(unit);
        let ended = if commits { both.commit().await } else { both.rollback().await };
        ended.unwrap();
        let rows: i64 = sqlx::query_scalar(ROWS).fetch_one(&mut host).await.unwrap();
        assert_eq!((rows, recorded(&acme).await), (commits.into(), commits.into()));
    }
    host.close().await.unwrap();
    store.close().await;
}

#[tokio::test]
async fn a_sqlite_transaction_that_read_too_early_is_not_joined() {
    let folder = Folder::new("joined-stale");
    let file = folder.file("host.db");
    let store = open(&file).await;
    let acme = acme(store.clone()).await;
    let options = SqliteConnectOptions::new().filename(&file);
    let mut host = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query(TABLE).execute(&mut host).await.unwrap();
    let mut deferred = host.begin().await.unwrap();
    let _rows: i64 = sqlx::query_scalar(ROWS).fetch_one(&mut *deferred).await.unwrap();
    acme.open_account(&account("bob")).await.unwrap();
    let refused = SqliteStore::join(&mut deferred, acme.id(), &locks()).await.err();
    assert!(matches!(refused, Some(StoreError::Transient { .. })), "{refused:?}");
    deferred.rollback().await.unwrap();
    host.close().await.unwrap();
    store.close().await;
}

#[tokio::test]
async fn a_unit_joined_to_a_postgres_transaction_ends_as_it_ends() {
    let Some(database) = Database::new("joined").await else { return };
    let store = database.store().await;
    let acme = acme(store.clone()).await;
    let mut host = PgConnection::connect_with(&database.connect()).await.unwrap();
    sqlx::query(TABLE).execute(&mut host).await.unwrap();
    for commits in [false, true] {
        let mut both = host.begin().await.unwrap();
        sqlx::query(ROW).execute(&mut *both).await.unwrap();
        let mut unit = PostgresStore::join(&mut both, acme.id(), &locks()).await.unwrap();
        sell(&acme, &mut *unit).await;
        drop(unit);
        let ended = if commits { both.commit().await } else { both.rollback().await };
        ended.unwrap();
        let rows: i64 = sqlx::query_scalar(ROWS).fetch_one(&mut host).await.unwrap();
        assert_eq!((rows, recorded(&acme).await), (commits.into(), commits.into()));
    }
    host.close().await.unwrap();
    store.close().await;
}

#[tokio::test]
async fn a_unit_in_the_hosts_transaction_holds_its_locks_until_that_ends() {
    let Some(database) = Database::new("joined_locks").await else { return };
    let store = database.store().await;
    let acme = acme(store.clone()).await;
    let mut host = PgConnection::connect_with(&database.connect()).await.unwrap();
    let mut both = host.begin().await.unwrap();
    drop(PostgresStore::join(&mut both, acme.id(), &locks()).await.unwrap());
    let mut other = PgConnection::connect_with(&database.connect()).await.unwrap();
    let free = "select count(*) from (select 1 from billing_account for update skip locked) free";
    let free: i64 = sqlx::query_scalar(free).fetch_one(&mut other).await.unwrap();
    assert_eq!(free, 0, "the account was free");
    both.rollback().await.unwrap();
    other.close().await.unwrap();
    host.close().await.unwrap();
    store.close().await;
}

#[tokio::test]
async fn a_postgres_transaction_of_another_isolation_is_not_joined() {
    let Some(database) = Database::new("joined_isolation").await else { return };
    let store = database.store().await;
    let acme = acme(store.clone()).await;
    let mut host = PgConnection::connect_with(&database.connect()).await.unwrap();
    let mut both = host.begin_with("begin isolation level serializable").await.unwrap();
    let refused = PostgresStore::join(&mut both, acme.id(), &locks()).await.err();
    assert!(matches!(refused, Some(StoreError::Refused { .. })), "{refused:?}");
    both.rollback().await.unwrap();
    host.close().await.unwrap();
    store.close().await;
}
