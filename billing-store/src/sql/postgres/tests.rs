//! Every question is answered from an index on PostgreSQL too, behind its wall and by a plan that knows of no statistics.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use core::str::FromStr as _;
use std::collections::BTreeSet;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, postgres::PgConnectOptions};

use crate::sql::{
    corrections::MOVE,
    postgres::{
        Durability, PostgresOptions, PostgresStore, dialect::spelled, meetings::STATEMENTS,
    },
};

#[path = "../../../tests/services/mod.rs"]
mod services;

/// A role that row-level security holds for.
const ROLE: &str = "billing_plans_anybody";

/// Looks at the plan of every statement; those that walk what a tenant has are named by a part of their text.
pub(in crate::sql) async fn plans(asked: &BTreeSet<&'static str>, walks: &[&str]) {
    let Some(url) = services::url("postgres") else { return };
    let server = PgConnectOptions::from_str(&url).unwrap();
    let name = format!("billing_plans_{}", std::process::id());
    run(&server, &format!("create database {name}")).await;
    let mut options = PostgresOptions::new(server.clone().database(&name));
    options.durability = Durability::AcceptLoss;
    let store = PostgresStore::open_with(options.clone()).await.unwrap();
    store.migrate().await.unwrap();
    store.close().await;
    let role = format!(
        "do $$ begin create role {ROLE}; exception when duplicate_object then null; end $$; \
         grant select, insert, update, delete on all tables in schema public to {ROLE}"
    );
    run(&options.connect, &role).await;
    let owner = options.connect.clone();
    options.connect = options.connect.options([("role", ROLE)]);
    let mut connection = PgConnection::connect_with(&options.session()).await.unwrap();
    let acme = "set billing.tenant = 'acme'";
    sqlx::raw_sql(acme).execute(&mut connection).await.unwrap();
    run(&owner, ROWS).await;
    let asked = asked.iter().copied().filter(|sql| *sql != MOVE.sqlite);
    let (questions, changes): (Vec<&str>, Vec<&str>) =
        asked.chain(STATEMENTS).chain([MOVE.postgres]).partition(|sql| sql.starts_with("select"));
    let mut wrong = Vec::new();
    for sql in questions {
        let plan = explained(&mut connection, sql).await;
        let walk = walks.iter().any(|text| sql.contains(text));
        if !walk && !plan.iter().all(|step| finds(step)) {
            wrong.push(format!("{}\nin {sql}", plan.join("\n")));
        }
    }
    // A change has found its rows, and goes to their places once the table is known to be larger than what it has found.
    run(&owner, "analyze").await;
    for sql in changes {
        let plan = explained(&mut connection, sql).await;
        if !plan.iter().all(|step| finds(step)) {
            wrong.push(format!("{}\nin {sql}", plan.join("\n")));
        }
    }
    connection.close().await.unwrap();
    run(&server, &format!("drop database {name} with (force)")).await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Rows in every table, of which nothing is known: they came since it was last looked at.
const ROWS: &str = r"do $$
    declare into_table text; cells text;
    begin
        for into_table, cells in
            select relname, string_agg(case
                when not attnotnull then 'null'
                when attname = 'tenant' then '''acme'''
                when attname in ('void', 'closed', 'billed', 'handed', 'received', 'recorded', 'replayed',
                                 'conflict', 'parked', 'refused') and atttypid = 'bigint'::regtype then '0'
                when attname in ('postings', 'effective') then '1'
                when attname = 'seq' and relname = 'billing_event' then 'n + 1000000'
                when attname = 'state' then '''pending'''
                when attname = 'kind' and relname = 'billing_invoice' then '''period'''
                when atttypid = 'bytea'::regtype then 'sha256('''')'
                when atttypid = 'text'::regtype then 'n::text'
                else 'n' end, ', ' order by attnum)
            from pg_class join pg_attribute on attrelid = pg_class.oid and attnum > 0
            where relkind = 'r' and relname like 'billing\_%'
                and relname not in ('billing_migration', 'billing_epoch')
            group by relname
        loop
            execute format('insert into %I select %s from generate_series(1, 3000) n on conflict do nothing', into_table, cells);
        end loop;
    end $$";

/// Whether a step of a plan looks up rows by more than their tenant, if it looks up any.
fn finds(step: &str) -> bool {
    let step = step.trim_start();
    let by_tenant_alone = step.starts_with("Index Cond:") && !step.contains(" AND ");
    !by_tenant_alone && !step.contains("Seq Scan on billing_")
}

async fn explained(connection: &mut PgConnection, sql: &str) -> Vec<String> {
    let sql = spelled(sql);
    let parameters = (1..=20_u8).rev().find(|number| sql.contains(&format!("${number}")));
    let keys = sql.contains("jsonb");
    let values = (1..=parameters.unwrap_or(0)).map(|number| match number {
        1 => "'acme'",
        2 if keys => r#"'[["1", "1", "1", "1", "1", "1", "1"]]'"#,
        _ => "'1'",
    });
    let values = values.collect::<Vec<_>>().join(", ");
    let prepare = AssertSqlSafe(format!("prepare asked as {sql}"));
    let prepared = sqlx::raw_sql(prepare).execute(&mut *connection).await;
    assert!(prepared.is_ok(), "{prepared:?}\nof {sql}");
    let explain = AssertSqlSafe(format!("explain (costs off) execute asked({values})"));
    let plan = sqlx::query_scalar(explain).fetch_all(&mut *connection).await.unwrap();
    sqlx::raw_sql("deallocate asked").execute(connection).await.unwrap();
    plan
}

async fn run(on: &PgConnectOptions, sql: &str) {
    let mut connection = PgConnection::connect_with(on).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}
