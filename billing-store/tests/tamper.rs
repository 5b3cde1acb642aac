//! `verify` finds what is changed behind the library's back, column by column and row by row.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::default_numeric_fallback,
    reason = "a test may panic, and prints its figure"
)]

use std::{collections::BTreeMap, path::Path};

use sqlx::{
    AssertSqlSafe, Connection as _, Row as _, SqliteConnection, sqlite::SqliteConnectOptions,
};

use billing_core::{
    decide::{Batch, Refusal},
    item::CallEnded,
    plan::PlanBook,
};
use billing_store::{
    Billing, SqliteStore, Tenant,
    clock::SetClock,
    verify::{Report, verify},
};

/// What no check can find, because nothing else speaks of it: records of what was *not* billed are kept one by one, so one that is
/// gone, or has gone to another tenant, leaves no hole.
const UNFINDABLE: [(&str, &str); 5] = [
    ("billing_parked", "tenant"),
    ("billing_parked", "source"),
    ("billing_parked", "id"),
    ("billing_parked", "leg"),
    ("billing_parked", "row"),
];

#[tokio::test]
async fn every_changed_column_and_every_missing_row_is_found() {
    let folder = std::env::temp_dir().join(format!("billing-tamper-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let original = folder.join("original.db");
    make(&original).await;
    assert_eq!(check(&original).await.unwrap().findings, []);
    let (mut changes, mut missed) = (0_u32, Vec::new());
    for Place { table, keys, name } in places(&original).await {
        if UNFINDABLE.contains(&(table.as_str(), name.as_str())) {
            continue;
        }
        for sql in statements(&table, &keys, &name) {
            let copy = folder.join("copy.db");
            std::fs::copy(&original, &copy).unwrap();
            if change(&copy, &sql).await {
                changes = changes.saturating_add(1);
                // A store that cannot be read at all has been found out too.
                if check(&copy).await.is_ok_and(|report| report.is_clean()) {
                    missed.push(sql);
                }
            }
            std::fs::remove_file(&copy).unwrap();
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
    println!(
        "evidence: changes behind the library's back = {changes} made, {} missed",
        missed.len()
    );
    assert!(changes > 150, "{changes} changes are too few to show anything");
    assert_eq!(missed, Vec::<String>::new());
}

fn tenant(store: SqliteStore) -> Tenant {
    let clock = SetClock::at("2026-12-01T12:00:00Z".parse().unwrap());
    Billing::new(store, PlanBook::standard(), clock).tenant("acme").unwrap()
}

/// Two accounts with a plan change, calls of three months, a parked one, a refused one, two invoices each and an open month.
async fn make(file: &Path) {
    let store = SqliteStore::open(file).await.unwrap();
    store.migrate().await.unwrap();
    let tenant = tenant(store.clone());
    for (version, price) in [(1, "0.02"), (2, "0.03")] {
        let plan = format!(
            r#"{{"id":"basic","version":{version},"currency":"EUR","payment":"postpaid","strategies":[
                {{"id":"talk","kind":"flat_rate","terms":{{"per_minute":"{price}","minutes":"pro_rata"}}}},
                {{"id":"blocks","kind":"blocks","terms":{{"block_ms":30000,"per_block":"0.1","scope":"lifetime"}}}}]}}"#
        );
        tenant.save_plan(&serde_json::from_str(&plan).unwrap()).await.unwrap();
    }
    for account in ["alice", "bob"] {
        let settings = format!(
            r#"{{"id":"{account}","currency":"EUR","zone":"Europe/Berlin",
                "anchor":{{"from":"2026-09-01","months":1}},
                "tax":{{"name":"VAT","percent":"19","mode":"added"}}}}"#
        );
        tenant.open_account(&serde_json::from_str(&settings).unwrap()).await.unwrap();
        for (version, from) in [(1, "2026-09-01"), (2, "2026-10-15")] {
            let (account, plan) = (account.parse().unwrap(), "basic".parse().unwrap());
            tenant.assign(&account, &plan, version, from.parse().unwrap()).await.unwrap();
        }
        let mut entries: Vec<_> =
            (9..12).flat_map(|month| [3, 20].map(|day| Ok(call(account, month, day)))).collect();
        entries.push(Ok(call("nobody", 10, u32::from(account == "bob"))));
        let refusal = Refusal { place: account.into(), reason: "torn".into(), raw: "\"x".into() };
        entries.push(Err(refusal));
        tenant.ingest(&Batch { label: account.into(), entries }).await.unwrap();
    }
    let as_of = "2026-11-02T00:00:00Z".parse().unwrap();
    tenant.issue_invoices(&"main".parse().unwrap(), as_of).await.unwrap();
    store.close().await;
}

fn call(account: &str, month: u32, day: u32) -> billing_core::item::Incoming {
    let call: CallEnded = serde_json::from_str(&format!(
        r#"{{"key":{{"source":"pbx","id":"{account}-{month}-{day}"}},"account":"{account}",
            "call":{{"start":"2026-{month:02}-{:02}T08:00:00Z","duration_ms":61000,"caller":"+12025550100",
                     "callee":"+12025550123","disposition":"answered","direction":"outbound"}}}}"#,
        day.max(1),
    ))
    .unwrap();
    call.into()
}

async fn check(file: &Path) -> billing_store::Result<Report> {
    let store = SqliteStore::open(file).await?;
    let report = verify(&tenant(store.clone())).await;
    store.close().await;
    report
}

async fn connect(file: &Path) -> SqliteConnection {
    let options =
        SqliteConnectOptions::new().filename(file).pragma("ignore_check_constraints", "on");
    SqliteConnection::connect_with(&options).await.unwrap()
}

struct Place {
    table: String,
    /// The columns of the table's key.
    keys: Vec<String>,
    /// `row` for the row as a whole.
    name: String,
}

/// Each column of each table, and each table's rows as wholes.
async fn places(file: &Path) -> Vec<Place> {
    let mut connection = connect(file).await;
    let rows = sqlx::query(
        "select m.name, c.name, c.pk > 0 from sqlite_master m, pragma_table_info(m.name) c \
         where m.type = 'table' and m.name like 'billing_%' and m.name <> 'billing_migration' \
         order by m.name, c.cid",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    connection.close().await.unwrap();
    let mut tables: BTreeMap<String, (Vec<String>, Vec<String>)> = BTreeMap::new();
    for row in &rows {
        let (keys, columns) = tables.entry(row.get(0)).or_default();
        columns.push(row.get(1));
        if row.get::<bool, _>(2) {
            keys.push(row.get(1));
        }
    }
    let of_table = |(table, (keys, columns)): (String, (Vec<String>, Vec<String>))| {
        columns.into_iter().chain(["row".to_owned()]).map(move |name| Place {
            table: table.clone(),
            keys: keys.clone(),
            name,
        })
    };
    tables.into_iter().flat_map(of_table).collect()
}

/// Changes of the first and of the last row.
fn statements(table: &str, keys: &[String], column: &str) -> Vec<String> {
    let mut statements = Vec::new();
    for order in ["asc", "desc"] {
        let ordered: Vec<_> = keys.iter().map(|key| format!("{key} {order}")).collect();
        let (keys, ordered) = (keys.join(", "), ordered.join(", "));
        let row = format!("({keys}) = (select {keys} from {table} order by {ordered} limit 1)");
        if column == "row" {
            statements.push(format!("delete from {table} where {row}"));
        } else {
            statements.push(format!(
                "update {table} set {column} = case typeof({column}) \
                 when 'integer' then {column} + 1 when 'null' then 'x' \
                 when 'blob' then zeroblob(32) else {column} || '1' end where {row}"
            ));
        }
    }
    statements
}

/// Makes one change; `false` if the database itself refuses it.
async fn change(file: &Path, sql: &str) -> bool {
    let mut connection = connect(file).await;
    let triggers: Vec<String> =
        sqlx::query("select name from sqlite_master where type = 'trigger'")
            .fetch_all(&mut connection)
            .await
            .unwrap()
            .iter()
            .map(|row| row.get(0))
            .collect();
    for trigger in triggers {
        let drop = format!("drop trigger {trigger}");
        sqlx::query(AssertSqlSafe(drop)).execute(&mut connection).await.unwrap();
    }
    let done = sqlx::query(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await;
    let changed = done.is_ok_and(|done| done.rows_affected() == 1);
    connection.close().await.unwrap();
    changed
}
