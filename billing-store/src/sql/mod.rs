//! State in an SQL database: one set of statements, and beside it what each database needs of its own.

mod bulk;
mod connection;
mod corrections;
mod digests;
mod erasure;
mod facts;
mod migrate;
mod outbox;
#[cfg(feature = "postgres")]
mod postgres;
mod postings;
mod rows;
mod session;
#[cfg(feature = "sqlite")]
mod sqlite;
mod tariffs;
mod unit;
mod writes;

#[cfg(feature = "postgres")]
pub use postgres::{Durability, PostgresOptions, PostgresStore};
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;
