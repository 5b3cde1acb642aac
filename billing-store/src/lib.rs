//! Where billing state is kept, and the async door to it.
//!
//! [`Billing`] is the door: it begins a unit of work, loads facts, asks `billing_core` to decide, applies what was decided and
//! commits. The ports behind it are [`store`]; [`MemoryStore`] and `SqliteStore` implement them.
//! [`schedule`] is what a host drives invoice runs and hand-overs with, [`settlement`] whom they go to.
//! [`bus`] brings calls and pulses in, [`relay`] tells sinks what happened.
//! [`verify`](verify::verify) recomputes everything a store holds, [`state_hash()`] compares stores.

mod answer;
pub mod billing;
pub mod bus;
pub mod clock;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod error;
pub mod memory;
pub mod outbox;
mod plans;
pub mod relay;
pub mod schedule;
pub mod settlement;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod sql;
mod state_hash;
pub mod store;
mod tariffs;
pub mod verify;

pub use answer::{CorrectionMade, Error, Outcome, Result, TakenIn};
pub use billing::{Billing, Erased, NotBilled, Tenant, Waiting};
pub use error::{StoreError, StoreResult};
pub use memory::MemoryStore;
#[cfg(feature = "sqlite")]
pub use sql::SqliteStore;
#[cfg(feature = "postgres")]
pub use sql::{Durability, PostgresOptions, PostgresStore};
pub use state_hash::state_hash;
