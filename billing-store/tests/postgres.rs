//! What is the PostgreSQL store's own: its server, its settings, its schema, its wall between tenants.
#![expect(
    clippy::unwrap_used,
    clippy::default_numeric_fallback,
    clippy::arithmetic_side_effects,
    reason = "a test may panic"
)]

mod past;
mod server;
mod services;

use core::{future::poll_fn, pin::pin, task::Poll};

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, error::DatabaseError};

use billing_core::{
    account::AccountSettings, decide, decide::Writes, id::TenantId, plan::PlanBook,
};
use billing_store::{
    Billing, Durability, PostgresOptions, PostgresStore, StoreError,
    clock::SetClock,
    store::{Locks, Store as _},
};

use past::{LASTING, MOVING, PAST};
use server::Database;

#[tokio::test]
async fn a_server_that_may_lose_what_it_confirmed_is_refused_unless_that_is_accepted() {
    let Some(database) = Database::new("durability").await else { return };
    let connect = database.connect().options([("synchronous_commit", "off")]);
    let error = PostgresStore::open_with(PostgresOptions::new(connect.clone())).await.unwrap_err();
    let StoreError::Refused { what, .. } = &error else { panic!("{error}") };
    // The server of a test may be one that takes other risks too.
    assert!(what.contains(" is off, accepted is "), "{what}");
    let mut options = PostgresOptions::new(connect);
    options.durability = Durability::AcceptLoss;
    PostgresStore::open_with(options).await.unwrap().close().await;
}

#[tokio::test]
async fn a_password_is_in_no_error_and_no_debug_output() {
    for url in ["postgres://billing:hunter2@127.0.0.1:1/billing", "postgres://billing:hunter2@[::1"]
    {
        let said = match PostgresOptions::of_url(url) {
            Ok(options) => {
                let opened = PostgresStore::open_with(options.clone()).await;
                format!("{options:?} {:?}", opened.unwrap_err())
            }
            Err(error) => format!("{error:?}"),
        };
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[tokio::test]
async fn migrating_again_changes_nothing_and_a_newer_schema_is_refused() {
    let Some(database) = Database::new("migrate").await else { return };
    let store = database.store().await;
    store.migrate().await.unwrap();
    server::run(
        &database.connect(),
        "insert into billing_migration values (1000, 'from the future', 'unknown')",
    )
    .await;
    let error = store.migrate().await.unwrap_err();
    assert!(matches!(error, StoreError::Schema { found: 1000, .. }), "{error}");
    server::run(&database.connect(), "delete from billing_migration where version = 1000").await;
    server::run(
        &database.connect(),
        "update billing_migration set digest = 'other' where version = 1",
    )
    .await;
    let error = store.migrate().await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    store.close().await;
}

#[tokio::test]
async fn stores_that_migrate_at_once_take_each_step_once() {
    let Some(database) = Database::new("migrate_at_once").await else { return };
    let mut stores = Vec::new();
    for _ in 0..4 {
        stores.push(PostgresStore::open_with(database.options()).await.unwrap());
    }
    let (a, b, c, d) = tokio::join!(
        stores[0].migrate(),
        stores[1].migrate(),
        stores[2].migrate(),
        stores[3].migrate(),
    );
    a.and(b).and(c).and(d).unwrap();
    for store in stores {
        store.close().await;
    }
}

/// What a future gives before it has been polled more than so often.
async fn polled<F: Future>(future: F, times: u32) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = times;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

#[tokio::test]
async fn a_migration_that_ends_anywhere_is_completed_by_the_next() {
    let Some(database) = Database::new("migrate_ends").await else { return };
    let mut times = 0;
    loop {
        let store = PostgresStore::open_with(database.options()).await.unwrap();
        let done = polled(store.migrate(), times).await;
        store.close().await;
        match done {
            Some(done) => break done.unwrap(),
            None => times += 1,
        }
    }
    assert!(times > 3, "after {times} polls it was done");
    let store = database.store().await;
    let acme = TenantId::try_new("acme").unwrap();
    assert_eq!(store.read(&acme).await.unwrap().account_page(None, 1).await.unwrap(), []);
    store.close().await;
}

fn opened(id: &str) -> (Locks, Writes) {
    let settings: AccountSettings = serde_json::from_str(&format!(
        r#"{{"id":"{id}","currency":"EUR","zone":"UTC","anchor":{{"from":"2026-10-01","months":1}}}}"#
    ))
    .unwrap();
    let now = "2026-10-01T08:00:00Z".parse().unwrap();
    let writes = decide::open_account(None, &settings, now).unwrap().unwrap();
    (Locks { catalog: true, ..Locks::accounts([settings.id]) }, writes)
}

#[tokio::test]
async fn what_was_confirmed_is_there_however_many_units_beside_it_were_cancelled() {
    let Some(database) = Database::new("cancelled").await else { return };
    let store = database.store().await;
    let acme = TenantId::try_new("acme").unwrap();
    let work = async |id: String| {
        let (locks, writes) = opened(&id);
        let mut unit = store.begin(&acme, &locks).await?;
        unit.apply(&writes).await?;
        unit.commit().await
    };
    let mut confirmed = Vec::new();
    for round in 0..60 {
        if let Some(done) = polled(work(format!("cancelled-{round:03}")), round).await {
            done.unwrap();
            confirmed.push(format!("cancelled-{round:03}"));
        }
        work(format!("kept-{round:03}")).await.unwrap();
        confirmed.push(format!("kept-{round:03}"));
    }
    let other = database.store().await;
    let there = other.read(&acme).await.unwrap().account_page(None, 1_000).await.unwrap();
    for id in confirmed {
        assert!(there.iter().any(|account| account.as_str() == id), "{id} is lost");
    }
    store.close().await;
    other.close().await;
}

#[tokio::test]
async fn a_unit_that_loses_its_line_may_try_again_and_a_commit_that_does_is_unknown() {
    let Some(database) = Database::new("line").await else { return };
    let store = database.store().await;
    let acme = TenantId::try_new("acme").unwrap();
    let (locks, writes) = opened("alice");
    let cut = "select pg_terminate_backend(pid, 5000) from pg_stat_activity \
               where datname = current_database() and state = 'idle in transaction'";
    let mut unit = store.begin(&acme, &locks).await.unwrap();
    server::run(&database.connect(), cut).await;
    let error = unit.apply(&writes).await.unwrap_err();
    assert!(matches!(error, StoreError::Transient { .. }), "{error}");
    drop(unit);
    let mut unit = store.begin(&acme, &locks).await.unwrap();
    unit.apply(&writes).await.unwrap();
    server::run(&database.connect(), cut).await;
    let error = unit.commit().await.unwrap_err();
    assert!(matches!(error, StoreError::Unknown { .. }), "{error}");
    assert_eq!(store.read(&acme).await.unwrap().account_page(None, 1).await.unwrap(), []);
    store.close().await;
}

#[tokio::test]
async fn a_unit_that_was_refused_is_not_committed() {
    let Some(database) = Database::new("refused").await else { return };
    let store = database.store().await;
    let acme = TenantId::try_new("acme").unwrap();
    let (locks, alice) = opened("alice");
    let mut unit = store.begin(&acme, &locks).await.unwrap();
    unit.apply(&alice).await.unwrap();
    let error = unit.apply(&alice).await.unwrap_err();
    assert!(matches!(error, StoreError::Refused { .. }), "{error}");
    let error = unit.commit().await.unwrap_err();
    assert!(matches!(error, StoreError::Refused { .. }), "{error}");
    assert_eq!(store.read(&acme).await.unwrap().account_page(None, 1).await.unwrap(), []);
    store.close().await;
}

#[tokio::test]
async fn nothing_of_a_failing_row_is_in_an_error() {
    let Some(database) = Database::new("said").await else { return };
    let store = database.store().await;
    let clock = SetClock::at("2026-10-20T00:00:00Z".parse().unwrap());
    let acme = Billing::new(store.clone(), PlanBook::standard(), clock).tenant("acme").unwrap();
    server::run(
        &database.connect(),
        "alter table billing_account add check (account <> '+4930123456')",
    )
    .await;
    let settings = serde_json::from_str(
        r#"{"id":"+4930123456","currency":"EUR","zone":"UTC","anchor":{"from":"2026-10-01","months":1}}"#,
    );
    let error = acme.open_account(&settings.unwrap()).await.unwrap_err();
    assert!(!format!("{error:?}").contains("4930123456"), "{error:?}");
    store.close().await;
}

/// A connection as a role that row-level security holds for.
async fn as_anybody(database: &Database) -> PgConnection {
    let role = "billing_wall_anybody";
    let grants = format!(
        "do $$ begin create role {role}; exception when duplicate_object then null; end $$; \
         grant select, insert, update, delete on all tables in schema public to {role}"
    );
    server::run(&database.connect(), &grants).await;
    PgConnection::connect_with(&database.connect().options([("role", role)])).await.unwrap()
}

#[tokio::test]
async fn a_tenants_rows_are_there_for_nobody_else_and_nobody_else_writes_them() {
    let Some(database) = Database::new("wall").await else { return };
    let store = database.store().await;
    let acme = TenantId::try_new("acme").unwrap();
    let (locks, writes) = opened("alice");
    let mut unit = store.begin(&acme, &locks).await.unwrap();
    unit.apply(&writes).await.unwrap();
    unit.commit().await.unwrap();
    let mut anybody = as_anybody(&database).await;
    // The ledger of the schema and the epochs are the whole store's, and hold nobody's rows.
    let walled = "select count(*) from pg_class where relkind = 'r' and relname like 'billing\\_%' \
                  and relname not in ('billing_migration', 'billing_epoch') and not (relrowsecurity and relforcerowsecurity)";
    let open: i64 = sqlx::query_scalar(walled).fetch_one(&mut anybody).await.unwrap();
    assert_eq!(open, 0, "tables without a wall");
    for (tenant, due) in [("", 0), ("rival", 0), ("acme", 1)] {
        let mut one = anybody.begin().await.unwrap();
        if !tenant.is_empty() {
            let set = "select set_config('billing.tenant', $1, true)";
            sqlx::query(set).bind(tenant).execute(&mut *one).await.unwrap();
        }
        for table in ["billing_account", "billing_account_settings", "billing_event"] {
            let rows = AssertSqlSafe(format!("select count(*) from {table}"));
            let rows: i64 = sqlx::query_scalar(rows).fetch_one(&mut *one).await.unwrap();
            assert_eq!(rows, due, "{table} as {tenant:?}");
        }
        let insert = "insert into billing_series values ('acme', 'main', 1)";
        let written = sqlx::query(insert).execute(&mut *one).await;
        assert_eq!(written.is_ok(), tenant == "acme", "{written:?}");
        one.rollback().await.unwrap();
    }
    anybody.close().await.unwrap();
    store.close().await;
}

#[tokio::test]
async fn the_past_is_not_edited() {
    let Some(database) = Database::new("past").await else { return };
    database.store().await.close().await;
    let mut connection = PgConnection::connect_with(&database.connect()).await.unwrap();
    for (table, row, allowed) in PAST {
        run(&mut connection, &format!("insert into {table} values ({row})")).await.unwrap();
        let columns = "select attname::text, format_type(atttypid, null) from pg_attribute \
                       where attrelid = $1::regclass and attnum > 0";
        let columns: Vec<(String, String)> =
            sqlx::query_as(columns).bind(table).fetch_all(&mut connection).await.unwrap();
        assert!(columns.len() > 2, "{table} has no columns");
        for (column, kind) in columns {
            if MOVING.contains(&column.as_str()) {
                continue;
            }
            let other = match kind.as_str() {
                "bigint" | "numeric" => format!("coalesce({column}, 0) + 1"),
                "bytea" => format!("sha256({column})"),
                _ => format!("coalesce({column}, '') || '1'"),
            };
            refused(&mut connection, &format!("update {table} set {column} = {other}")).await;
        }
        refused(&mut connection, &format!("delete from {table}")).await;
        refused(&mut connection, &format!("truncate {table}")).await;
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
        refused(&mut connection, &format!("update {table} set void = 0")).await;
    }
    for row in LASTING {
        run(&mut connection, &format!("insert into {row}")).await.unwrap();
        let table = row.split(' ').next().unwrap();
        refused(&mut connection, &format!("delete from {table}")).await;
    }
    let number = "insert into billing_event values ('acme', 'alice', 1, 0, '{}')";
    refused(&mut connection, number).await;
    connection.close().await.unwrap();
}

/// Runs a statement that is written for SQLite.
async fn run(connection: &mut PgConnection, sql: &str) -> sqlx::Result<()> {
    let sql = sql.replace("zeroblob(32)", "decode(repeat('00', 32), 'hex')");
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.map(drop)
}

async fn refused(connection: &mut PgConnection, sql: &str) {
    let error = run(connection, sql).await.unwrap_err();
    let code = error.as_database_error().and_then(DatabaseError::code);
    assert_eq!(code.as_deref(), Some("BL001"), "{sql}: {error}");
}
