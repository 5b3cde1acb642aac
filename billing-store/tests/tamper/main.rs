//! `verify` finds what is changed behind the library's back, column by column and row by row.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::default_numeric_fallback,
    reason = "a test may panic, and prints its figure"
)]

#[path = "../downstream/mod.rs"]
mod downstream;
#[path = "../folder/mod.rs"]
mod folder;
mod world;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use sqlx::{
    AssertSqlSafe, Connection as _, Row as _, SqliteConnection, sqlite::SqliteConnectOptions,
};

use billing_store::{
    SqliteStore,
    verify::{Report, verify},
};

use folder::Folder;

/// What no check can find, and why.
const UNFINDABLE: [(&str, &str, &str); 6] = [
    (
        "billing_parked",
        "tenant",
        "nothing else speaks of what is parked: it is gone without a hole",
    ),
    ("billing_parked", "row", "as above"),
    (
        "billing_dropped",
        "tenant",
        "nothing else speaks of what was dropped: it is gone without a hole",
    ),
    ("billing_dropped", "row", "as above"),
    (
        "billing_settlement",
        "attempts",
        "how often it was sent is told to people, and decides nothing",
    ),
    (
        LIE,
        "a batch of which nothing was recorded was never there",
        "what batches recorded adds up to the items, and this one adds nothing",
    ),
];

/// Tables that nobody is billed by: they say how far sinks were told, and who tells them. Cursors that pass over something are a lie.
const UNPROTECTED: [&str; 4] =
    ["billing_cursor", "billing_dead_letter", "billing_epoch", "billing_lease"];

/// The table of a lie.
const LIE: &str = "several places";

/// Lies that a row tells in several places at once, so that it does not contradict itself.
const LIES: [(&str, &str); 24] = [
    (
        "a sink was told of what has not happened",
        "update billing_cursor set seq = 1000 where account = 'alice'",
    ),
    (
        "a message was skipped before the sink was told up to it",
        "insert into billing_dead_letter (tenant, sink, account, seq, reason, at, attempts) \
         select tenant, sink, account, seq + 1, 'busy', 0, 1 from billing_cursor where account = 'alice'",
    ),
    (
        "an accepted settlement waits to be sent",
        "update billing_settlement set state = 'pending', detail = '{\"state\":\"pending\"}' \
         where state = 'accepted' and account = 'alice'",
    ),
    (
        "a refused settlement was accepted",
        "update billing_settlement set state = 'accepted', \
         detail = replace(replace(detail, 'refused', 'accepted'), 'reason', 'reference') \
         where state = 'refused' and account = 'alice'",
    ),
    (
        "a settlement was accepted as another",
        "update billing_settlement set detail = replace(detail, '\"7\"', '\"8\"') \
         where state = 'accepted' and account = 'alice'",
    ),
    (
        "a settlement was answered in another year",
        "update billing_settlement set detail = replace(detail, '2026-', '2025-') \
         where state = 'accepted' and account = 'alice'",
    ),
    (
        "a sent settlement was accepted",
        "update billing_settlement set state = 'accepted', detail = \
         (select detail from billing_settlement where state = 'accepted' limit 1) \
         where state = 'sent' and account = 'alice'",
    ),
    (
        "an invoice was paid by another transfer",
        "update billing_invoice_mark set body = replace(body, 'transfer 7', 'transfer 8') \
         where body like '%transfer 7%'",
    ),
    (
        "an invoice was paid on another day",
        "update billing_invoice_mark set body = replace(body, '2026-11-20', '2026-11-21') \
         where body like '%transfer 7%'",
    ),
    (
        "a paid invoice is only issued",
        "delete from billing_invoice_mark where body like '%transfer 7%'",
    ),
    (
        "a record that was superseded counts",
        "update billing_item set current_seq = first_seq, effective = postings \
         where id = 'alice-1' and partial = 1",
    ),
    (
        "a record has no effect, and no posting either",
        "update billing_item set first_seq = 0, current_seq = 0, postings = 0, effective = 0 \
         where id = 'alice-1' and partial = 0",
    ),
    (
        "an item that was taken back counts",
        "update billing_item set current_seq = first_seq, effective = postings \
         where id = 'alice-10-20'",
    ),
    (
        "an item that was amended is as it was reported",
        "update billing_item set amended = null where id = 'alice-9-20'",
    ),
    (
        "an item was amended to something else",
        "update billing_item set amended = replace(amended, '120000', '120001') \
         where id = 'alice-9-20'",
    ),
    (
        "an item that was rated anew counts as it did before",
        "update billing_item set current_seq = first_seq, effective = postings \
         where id = 'alice-11-20'",
    ),
    (
        "an item that counts was taken back",
        "update billing_item set current_seq = first_seq + 1, effective = 0 \
         where id = 'alice-9-3'",
    ),
    (
        "a record that has no effect has a number of one",
        "update billing_item set current_seq = 7 where postings = 0 and account = 'alice'",
    ),
    (
        "an invoice is void in another way",
        "update billing_invoice set void = 199 where series = 'main' and number = 1",
    ),
    (
        "an account has no terms of its own",
        "update billing_assignment set overrides = '{}' where account = 'alice' and assignment = 1",
    ),
    (
        "an account has another customer",
        "update billing_account_settings set customer = 'erin', \
         body = replace(body, 'carol', 'erin') where account = 'alice'",
    ),
    (
        "a pulse has another property",
        "update billing_item set body = replace(body, 'eu-1', 'eu-2') \
         where id = 'alice-1' and partial = 0",
    ),
    (
        "a day that was handed over was not",
        "update billing_day_total set handed = 0 where account = 'alice' and grp = 'storage/GB-h' \
         and handed = 1 and day_revision = 1 \
         and day = (select min(day) from billing_day_total where handed = 1)",
    ),
    (
        "a batch of which nothing was recorded was never there",
        "delete from billing_intake where recorded = 0 and label = 'nobody'",
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_changed_column_and_every_missing_row_is_found() {
    let folder = Folder::new("tamper");
    let original = folder.file("original.db");
    world::make(&original).await;
    let untouched = check(&original).await.unwrap();
    assert_eq!(untouched.findings, []);
    let looked_at = [untouched.invoices, untouched.settlements, untouched.intakes];
    assert_eq!(looked_at, [8, 10, 7], "another world than is thought");
    assert_eq!((untouched.tariffs, untouched.corrections), (3, 5));
    disarm(&original).await;
    let changes = changes(&original).await;
    let running: Vec<_> = (0..WORKERS)
        .map(|worker| {
            let mine = changes.iter().skip(worker).step_by(WORKERS).cloned().collect();
            tokio::spawn(tamper(original.clone(), folder.file(&worker.to_string()), mine))
        })
        .collect();
    let mut told = Vec::new();
    for worker in running {
        told.extend(worker.await.unwrap());
    }
    drop(folder);
    let (unfindable, findable): (Vec<_>, Vec<_>) =
        told.into_iter().partition(|(change, _)| change.why_unfindable().is_some());
    let missed: Vec<_> = findable.iter().filter(|(_, found)| !found).collect();
    println!(
        "evidence: changes behind the library's back = {} made, {} missed",
        findable.len(),
        missed.len()
    );
    assert!(findable.len() > 500, "{} changes are too few to show anything", findable.len());
    assert!(missed.is_empty(), "{missed:#?}");
    let found: Vec<_> = unfindable.iter().filter(|(_, found)| *found).collect();
    assert!(found.is_empty(), "what was thought to be unfindable is found: {found:#?}");
    let places: BTreeSet<_> =
        unfindable.iter().map(|(made, _)| (&made.table, &made.column)).collect();
    assert_eq!(places.len(), UNFINDABLE.len(), "a place that is not there is called unfindable");
}

/// One change behind the library's back.
#[derive(Clone, Debug)]
struct Change {
    table: String,
    /// `row` for the row as a whole.
    column: String,
    sql: String,
}

impl Change {
    fn why_unfindable(&self) -> Option<&'static str> {
        let mine = |(table, column, _): &&(&str, &str, &str)| {
            (*table, *column) == (self.table.as_str(), self.column.as_str())
        };
        UNFINDABLE.iter().find(mine).map(|(.., why)| *why)
    }
}

/// How many files are looked at side by side.
const WORKERS: usize = 4;

/// Makes each change in a copy of its own; the changes that the database took, and whether they were found.
async fn tamper(original: PathBuf, copies: PathBuf, changes: Vec<Change>) -> Vec<(Change, bool)> {
    let mut told = Vec::new();
    for (number, made) in changes.into_iter().enumerate() {
        // A name that was used before could meet a log that is left of it.
        let folder = copies.join(number.to_string());
        std::fs::create_dir_all(&folder).unwrap();
        let copy = folder.join("copy.db");
        std::fs::copy(&original, &copy).unwrap();
        let is_taken = change(&copy, &made.sql).await;
        assert!(is_taken || made.table != LIE, "nothing came of it: {made:?}");
        if is_taken {
            // A store that cannot be read at all has been found out too.
            let found = !check(&copy).await.is_ok_and(|report| report.is_clean());
            told.push((made, found));
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
    told
}

async fn check(file: &Path) -> billing_store::Result<Report> {
    let store = SqliteStore::open(file).await?;
    let report = verify(&world::tenant(store.clone())).await;
    store.close().await;
    report
}

async fn connect(file: &Path) -> SqliteConnection {
    let options =
        SqliteConnectOptions::new().filename(file).pragma("ignore_check_constraints", "on");
    SqliteConnection::connect_with(&options).await.unwrap()
}

/// A table as the schema describes it.
struct Table {
    name: String,
    keys: Vec<String>,
    columns: Vec<String>,
    rows: u32,
}

/// Tables of which every row is changed, because rows in other states are looked at otherwise.
const EVERY_ROW: [&str; 4] =
    ["billing_settlement", "billing_invoice", "billing_invoice_mark", "billing_dropped"];

/// The table of which a tenant has one row.
const ONE_ROW: &str = "billing_tariff_catalog";

/// The table of which one row in so many is changed, because strategies and prefixes make its rows differ.
const SOME_ROWS: (&str, usize) = ("billing_posting", 7);

/// Changes of each column of the first and the last row of each table, and of more rows where rows are of several kinds.
async fn changes(file: &Path) -> Vec<Change> {
    let mut changes = Vec::new();
    for table in tables(file).await {
        let single = table.name == ONE_ROW;
        assert!(table.rows > 1 || single, "{} has {} rows", table.name, table.rows);
        let all = 0..table.rows;
        let every = EVERY_ROW.contains(&table.name.as_str());
        let step = if table.name == SOME_ROWS.0 { Some(SOME_ROWS.1) } else { every.then_some(1) };
        let rows: BTreeSet<u32> = all.clone().take(1).chain(all.clone().last()).collect();
        let more = step.into_iter().flat_map(|step| all.clone().step_by(step));
        let rows: BTreeSet<u32> = rows.into_iter().chain(more).collect();
        for column in table.columns.iter().map(String::as_str).chain(["row"]) {
            let at = rows.iter().map(|row| statement(&table, column, *row));
            changes.extend(at.map(|sql| Change {
                table: table.name.clone(),
                column: column.to_owned(),
                sql,
            }));
        }
    }
    let lie = |(what, sql): (&str, &str)| Change {
        table: LIE.into(),
        column: what.into(),
        sql: sql.into(),
    };
    changes.extend(LIES.map(lie));
    changes
}

async fn tables(file: &Path) -> Vec<Table> {
    let mut connection = connect(file).await;
    let rows = sqlx::query(
        "select m.name, c.name, c.pk > 0 from sqlite_master m, pragma_table_info(m.name) c \
         where m.type = 'table' and m.name like 'billing_%' and m.name <> 'billing_migration' \
         and not exists (select 1 from json_each(?) k where k.value = m.name) \
         order by m.name, c.cid",
    )
    .bind(serde_json::to_string(&UNPROTECTED).unwrap())
    .fetch_all(&mut connection)
    .await
    .unwrap();
    let mut tables: Vec<Table> = Vec::new();
    for row in &rows {
        let name: String = row.get(0);
        if tables.last().is_none_or(|table| table.name != name) {
            let count = AssertSqlSafe(format!("select count(*) from {name}"));
            let rows = sqlx::query_scalar(count).fetch_one(&mut connection).await.unwrap();
            tables.push(Table { name, keys: Vec::new(), columns: Vec::new(), rows });
        }
        let table = tables.last_mut().unwrap();
        table.columns.push(row.get(1));
        if row.get::<bool, _>(2) {
            table.keys.push(row.get(1));
        }
    }
    connection.close().await.unwrap();
    tables
}

/// Changes one column of one row, or deletes the row.
fn statement(table: &Table, column: &str, row: u32) -> String {
    let Table { name, keys, .. } = table;
    let keys = keys.join(", ");
    let row =
        format!("({keys}) = (select {keys} from {name} order by {keys} limit 1 offset {row})");
    if column == "row" {
        return format!("delete from {name} where {row}");
    }
    format!(
        "update {name} set {column} = case typeof({column}) \
         when 'integer' then {column} + 1 when 'null' then 'x' \
         when 'blob' then zeroblob(32) else {column} || '1' end where {row}"
    )
}

/// Takes away what refuses to edit the past; whoever edits a file can do that too.
async fn disarm(file: &Path) {
    let mut connection = connect(file).await;
    let triggers = "select name from sqlite_master where type = 'trigger'";
    let triggers: Vec<String> =
        sqlx::query_scalar(triggers).fetch_all(&mut connection).await.unwrap();
    assert!(triggers.len() > 20, "{} triggers are fewer than there are", triggers.len());
    for trigger in triggers {
        let drop = format!("drop trigger {trigger}");
        sqlx::query(AssertSqlSafe(drop)).execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();
}

/// Makes one change; `false` if the database itself refuses it.
async fn change(file: &Path, sql: &str) -> bool {
    let mut connection = connect(file).await;
    let done = sqlx::query(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await;
    connection.close().await.unwrap();
    done.is_ok_and(|done| done.rows_affected() == 1)
}
