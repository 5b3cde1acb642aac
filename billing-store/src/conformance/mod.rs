//! The suite that every store must pass: what a store promises, checked by name.
//!
//! Whoever writes a store calls [`check`] with a function that makes an empty one. The suite stops at the first [`Promise`]
//! that is broken and says how. It works through [`Store`](crate::store::Store) alone, so it can be run against anything that
//! implements it, and it asks for no runtime of its own: units that compete are polled side by side.
//!
//! Rows of the suite may name what is not stored, such as a posting's account: a store keeps keys apart, and what rows mean to
//! one another is decided above it.
//!
//! The promises are checked from the plain to the involved, and each on a store of its own, so that the first name is the one
//! to start mending at.

mod bench;
mod cancel;
mod coheres;
mod corrected;
mod door;
mod dump;
mod finds;
mod hand_over;
mod handed;
mod histories;
mod invoiced;
mod kept;
mod keys;
mod limits;
mod once;
mod order;
mod outbox;
mod parked;
mod priced;
mod promise;
mod records;
mod sample;
mod suite;
mod together;
mod units;

pub use promise::{Broken, Promise};
pub use suite::check;
