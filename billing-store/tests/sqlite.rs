//! What is the SQLite store's own: its file, its settings, its schema.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod folder;
mod past;

use std::path::Path;

use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

use billing_core::{digest::Digest, id::TenantId, plan::PlanBook};
use billing_store::{
    Billing, SqliteStore, StoreError, Tenant,
    clock::SetClock,
    store::{Locks, Store as _},
};

use folder::{Folder, open};
use past::{LASTING, MOVING, PAST};

#[tokio::test]
async fn a_store_that_cannot_keep_a_log_is_refused() {
    let error = SqliteStore::open(":memory:").await.unwrap_err();
    assert!(matches!(error, StoreError::Refused { .. }), "{error}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let folder = Folder::new("sqlite-garbage");
    let file = folder.file("notes.txt");
    std::fs::write(&file, "calls and cents, calls and cents, calls and cents, ".repeat(100))
        .unwrap();
    let opened = SqliteStore::open(&file).await;
    assert!(matches!(opened, Err(StoreError::Corrupt { .. })), "{opened:?}");
}

#[tokio::test]
async fn migrating_again_changes_nothing_and_a_newer_schema_is_refused() {
    let folder = Folder::new("sqlite-migrate");
    let file = folder.file("billing.db");
    let store = open(&file).await;
    store.migrate().await.unwrap();
    store.close().await;
    let options = SqliteConnectOptions::new().filename(&file);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    let newer = "insert into billing_migration values (99, 'from the future', 'unknown')";
    sqlx::query(newer).execute(&mut connection).await.unwrap();
    let store = SqliteStore::open(&file).await.unwrap();
    let error = store.migrate().await.unwrap_err();
    assert!(matches!(error, StoreError::Schema { found: 99, .. }), "{error}");
    sqlx::query("delete from billing_migration where version = 99")
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
}

/// The schema before there were corrections.
const FIRST: &str = include_str!("../migrations/sqlite/0001_first_bill.sql");

#[tokio::test]
async fn what_was_recorded_before_there_were_corrections_counts_as_it_did() {
    let folder = Folder::new("sqlite-before-corrections");
    let file = folder.file("billing.db");
    let options = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql(FIRST).execute(&mut connection).await.unwrap();
    let digest = Digest::of().text(FIRST).finish();
    for sql in [
        "create table billing_migration (version integer not null primary key, name text not null, \
         digest text not null) strict",
        &format!("insert into billing_migration values (1, 'first_bill', '{digest}')"),
        // Two that count, under one strategy and under two, one that a later record superseded, and one that came after it.
        "insert into billing_item values
         ('acme', 'pbx', 'a', '', 0, 'alice', 'call', 0, '{}', 1, zeroblob(32), 3, 3, 1),
         ('acme', 'pbx', 'b', '', 0, 'alice', 'call', 0, '{}', 1, zeroblob(32), 4, 4, 2),
         ('acme', 'pbx', 'c', '', 1, 'alice', 'call', 0, '{}', 1, zeroblob(32), 6, 7, 1),
         ('acme', 'pbx', 'd', '', 1, 'alice', 'call', 0, '{}', 1, zeroblob(32), 0, 0, 0)",
    ] {
        run(&mut connection, sql).await.unwrap();
    }
    open(&file).await.close().await;
    let effective = "select effective from billing_item where amended is null order by id";
    let effective: Vec<i64> =
        sqlx::query_scalar(effective).fetch_all(&mut connection).await.unwrap();
    assert_eq!(effective, [1, 2, 0, 0]);
    connection.close().await.unwrap();
}

#[tokio::test]
async fn two_stores_on_one_file_wait_for_each_other() {
    let folder = Folder::new("sqlite-two");
    let file = folder.file("billing.db");
    let (one, two) = (open(&file).await, open(&file).await);
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
}

/// A tenant with an account whose calls are charged by a strategy.
async fn charged_by(store: &SqliteStore, strategy: &str) -> Tenant {
    let clock = SetClock::at("2026-10-20T00:00:00Z".parse().unwrap());
    let acme = Billing::new(store.clone(), PlanBook::standard(), clock).tenant("acme").unwrap();
    let plan = format!(
        r#"{{"id":"basic","version":1,"currency":"EUR","payment":"postpaid","strategies":[{strategy}]}}"#
    );
    let settings =
        r#"{"id":"alice","currency":"EUR","zone":"UTC","anchor":{"from":"2026-10-01","months":1}}"#;
    acme.save_plan(&serde_json::from_str(&plan).unwrap()).await.unwrap();
    acme.open_account(&serde_json::from_str(settings).unwrap()).await.unwrap();
    let (alice, basic) = ("alice".parse().unwrap(), "basic".parse().unwrap());
    acme.assign(&alice, &basic, 1, "2026-10-01".parse().unwrap()).await.unwrap();
    acme
}

/// A call of ten minutes.
async fn call(tenant: &Tenant, id: &str) {
    let call = format!(
        r#"{{"key":{{"source":"pbx","id":"{id}"}},"account":"alice",
            "call":{{"start":"2026-10-05T08:00:00Z","duration_ms":600000,"caller":"","callee":"",
                     "disposition":"answered","direction":"outbound"}}}}"#
    );
    let taken = tenant.calls_ended(&[serde_json::from_str(&call).unwrap()]).await.unwrap();
    assert_eq!(taken.intake.recorded, 1, "{:?}", taken.receipts);
}

async fn drop_tables(file: &Path, tables: &[&str]) {
    let options = SqliteConnectOptions::new().filename(file);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    for table in tables {
        run(&mut connection, &format!("drop table {table}")).await.unwrap();
    }
    connection.close().await.unwrap();
}

#[tokio::test]
async fn usage_that_no_tariff_prices_asks_nothing_of_the_tables_of_tariffs() {
    let folder = Folder::new("sqlite-untariffed");
    let file = folder.file("billing.db");
    let store = open(&file).await;
    let flat =
        r#"{"id":"calls","kind":"flat_rate","terms":{"per_minute":"0.02","minutes":"pro_rata"}}"#;
    let acme = charged_by(&store, flat).await;
    let tables = ["billing_tariff", "billing_tariff_activation", "billing_tariff_catalog"];
    drop_tables(&file, &tables).await;
    call(&acme, "1").await;
    store.close().await;
}

#[tokio::test]
async fn a_tariff_that_is_compiled_is_not_read_again() {
    let folder = Folder::new("sqlite-tariff");
    let file = folder.file("billing.db");
    let store = open(&file).await;
    let retail = r#"{"id":"retail","version":1,"currency":"EUR","zone":"UTC","decimals":4,"rounding":"half_up",
        "lines":[{"destination":"anywhere","to":"any",
                  "bands":[{"price":"0.02","per":"60","increment":"60"}]}]}"#;
    let by_tariff = r#"{"id":"calls","kind":"tariff","terms":{"tariff":"retail"}}"#;
    let acme = charged_by(&store, by_tariff).await;
    acme.save_tariff(&serde_json::from_str(retail).unwrap()).await.unwrap();
    let from = "2026-10-01T00:00:00Z".parse().unwrap();
    acme.activate_tariff(&"retail".parse().unwrap(), 1, from).await.unwrap();
    call(&acme, "1").await;
    // What is left says that nothing has changed.
    drop_tables(&file, &["billing_tariff", "billing_tariff_activation"]).await;
    call(&acme, "2").await;
    store.close().await;
}

#[tokio::test]
async fn the_past_is_not_edited() {
    let folder = Folder::new("sqlite-past");
    let file = folder.file("billing.db");
    open(&file).await.close().await;
    let options = SqliteConnectOptions::new().filename(&file);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    for (table, row, allowed) in PAST {
        run(&mut connection, &format!("insert into {table} values ({row})")).await.unwrap();
        let columns = format!("select name from pragma_table_info('{table}')");
        let columns: Vec<String> =
            sqlx::query_scalar(AssertSqlSafe(columns)).fetch_all(&mut connection).await.unwrap();
        assert!(columns.len() > 2, "{table} has no columns");
        for column in columns {
            if MOVING.contains(&column.as_str()) {
                continue;
            }
            let other = format!(
                "case typeof({column}) when 'integer' then {column} + 1 when 'null' then 'x' \
                 when 'blob' then randomblob(32) else {column} || '1' end"
            );
            refused(&mut connection, &format!("update {table} set {column} = {other}")).await;
        }
        refused(&mut connection, &format!("delete from {table}")).await;
        for edit in allowed {
            run(&mut connection, &format!("update {table} set {edit}")).await.unwrap();
        }
    }
    let accepted = "update billing_settlement set state = 'accepted'";
    run(&mut connection, accepted).await.unwrap();
    for edit in ["state = 'pending'", "attempts = 2", "detail = '{}'"] {
        refused(&mut connection, &format!("update billing_settlement set {edit}")).await;
    }
    for table in ["billing_invoice", "billing_line_part"] {
        let error =
            run(&mut connection, &format!("update {table} set void = 0")).await.unwrap_err();
        assert!(error.to_string().contains("stays void"), "{error}");
    }
    for row in LASTING {
        run(&mut connection, &format!("insert into {row}")).await.unwrap();
        let table = row.split(' ').next().unwrap();
        refused(&mut connection, &format!("delete from {table}")).await;
    }
    connection.close().await.unwrap();
}

async fn run(connection: &mut SqliteConnection, sql: &str) -> sqlx::Result<()> {
    sqlx::query(AssertSqlSafe(sql.to_owned())).execute(connection).await.map(drop)
}

async fn refused(connection: &mut SqliteConnection, sql: &str) {
    let error = run(connection, sql).await.unwrap_err();
    assert!(error.to_string().contains("never"), "{sql}: {error}");
}
