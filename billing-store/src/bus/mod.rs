//! From a bus into billing: messages are taken in batches, recorded, and only then let go.
//!
//! A message is the JSON of one [`CallEnded`](billing_core::item::CallEnded) or [`PulseReported`](billing_core::item::PulseReported).
//! What becomes of it is decided by [`take_in`], alike for every bus: the [in-process one](in_process), NATS `JetStream` (the feature
//! `nats`), and whichever the host has.
//!
//! | a message that is | ends as |
//! |---|---|
//! | recorded, replayed or parked | done: it is committed, then acknowledged |
//! | known with other content | a dead letter, and counted as a conflict |
//! | not to be decoded | a dead letter, and refused: billing keeps its text, its place and what is wrong |
//! | met by a store that is busy or out of reach | delivered again, after a pause that grows |
//! | met by a store that holds something impossible | delivered again, and a dead letter after [`ATTEMPTS_MAX`] times |
//!
//! Offered is at least once and in any order; that each counts once is the work of the store's claims, which are for ever, and of no
//! broker. Accounts are spread over [`Partitions`], so that consumers seldom wait for one another's accounts. Nothing is spawned and
//! nothing is logged: the host drives each consumer, and is told what it did in a [`Report`].

mod batching;
pub mod in_process;
mod letter;
#[cfg(feature = "nats")]
pub mod nats;
mod partitions;
mod report;
mod stop;
mod take_in;

pub use batching::Batching;
pub use letter::{BODY_BYTES_MAX, Letter};
pub use partitions::Partitions;
pub use report::{DeadLetter, Report};
pub use take_in::{ATTEMPTS_MAX, Offered, Taken, Verdict, take_in};
