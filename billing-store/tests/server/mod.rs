//! A PostgreSQL server whose databases go away with their tests.

use core::{
    str::FromStr as _,
    sync::atomic::{AtomicU32, Ordering},
};

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, postgres::PgConnectOptions};

use billing_store::{Durability, PostgresOptions, PostgresStore};

use crate::services;

/// A database of one test.
pub(crate) struct Database {
    server: PgConnectOptions,
    pub(crate) name: String,
}

impl Database {
    /// An empty database of this process; `None` without a server.
    pub(crate) async fn new(of_test: &str) -> Option<Self> {
        Self::like(of_test, "template1").await
    }

    /// A copy of a database that nobody is connected to.
    pub(crate) async fn like(of_test: &str, template: &str) -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let server = PgConnectOptions::from_str(&services::url("postgres")?).unwrap();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("billing_{of_test}_{}_{number}", std::process::id());
        run(&server, &format!("create database {name} template {template}")).await;
        Some(Self { server, name })
    }

    pub(crate) fn connect(&self) -> PgConnectOptions {
        self.server.clone().database(&self.name)
    }

    /// What a test's server loses with the power is no loss.
    pub(crate) fn options(&self) -> PostgresOptions {
        let mut options = PostgresOptions::new(self.connect());
        options.durability = Durability::AcceptLoss;
        options
    }

    /// A store in it, with its schema.
    pub(crate) async fn store(&self) -> PostgresStore {
        let store = PostgresStore::open_with(self.options()).await.unwrap();
        store.migrate().await.unwrap();
        store
    }
}

/// Runs statements, as the user of the server.
pub(crate) async fn run(on: &PgConnectOptions, sql: &str) {
    let mut connection = PgConnection::connect_with(on).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

impl Drop for Database {
    fn drop(&mut self) {
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                let sql = format!("drop database if exists {} with (force)", self.name);
                runtime.unwrap().block_on(run(&self.server, &sql));
            });
        });
    }
}
