//! Every question is answered from an index on PostgreSQL too, behind its wall and by a plan that was made while tables were empty.

use core::str::FromStr as _;
use std::collections::BTreeSet;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, postgres::PgConnectOptions};

use crate::sql::postgres::{Durability, PostgresOptions, PostgresStore, dialect::spelled};

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
    options.connect = options.connect.options([("role", ROLE)]);
    let mut connection = PgConnection::connect_with(&options.session()).await.unwrap();
    let generic = "set plan_cache_mode = force_generic_plan";
    sqlx::raw_sql(generic).execute(&mut connection).await.unwrap();
    let mut wrong = Vec::new();
    for sql in asked {
        let plan = explained(&mut connection, sql).await;
        let walk = walks.iter().any(|text| sql.contains(text));
        if !walk && !plan.iter().all(|step| finds(step)) {
            wrong.push(format!("{}\nin {sql}", plan.join("\n")));
        }
    }
    connection.close().await.unwrap();
    run(&server, &format!("drop database {name} with (force)")).await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Whether a step of a plan looks up rows by more than their tenant, if it looks up any.
fn finds(step: &str) -> bool {
    let step = step.trim_start();
    let by_tenant_alone = step.starts_with("Index Cond:") && !step.contains(" AND ");
    !by_tenant_alone && !step.contains("Seq Scan on billing_")
}

async fn explained(connection: &mut PgConnection, sql: &str) -> Vec<String> {
    let sql = spelled(sql);
    let parameters = (1..=20_u8).rev().find(|number| sql.contains(&format!("${number}")));
    let nulls = vec!["null"; usize::from(parameters.unwrap_or(0))].join(", ");
    let prepare = AssertSqlSafe(format!("prepare asked as {sql}"));
    sqlx::raw_sql(prepare).execute(&mut *connection).await.unwrap();
    let explain = AssertSqlSafe(format!("explain (costs off) execute asked({nulls})"));
    let plan = sqlx::query_scalar(explain).fetch_all(&mut *connection).await.unwrap();
    sqlx::raw_sql("deallocate asked").execute(connection).await.unwrap();
    plan
}

async fn run(on: &PgConnectOptions, sql: &str) {
    let mut connection = PgConnection::connect_with(on).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}
