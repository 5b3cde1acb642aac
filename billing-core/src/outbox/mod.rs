//! The outbox: what sinks are told of the journal, how far each has been told, and when to try again.
//!
//! The journal of an account is its outbox: whatever happened stands there, committed with its effect, under numbers without a
//! gap. A sink has a [`Cursor`] for each account, and what stands behind it is still to be delivered.

mod cursor;
mod event_id;
mod lease;
mod message;
mod retry;
mod writes;

pub use cursor::{Cursor, DeadLetter, Progress, Turn, progress};
pub use event_id::{EventId, InvalidEventId};
pub use lease::{Lease, LeaseMove, Lent, lend};
pub use message::{Delivery, Failure, Message};
pub use retry::RetryPolicy;
pub use writes::Relayed;
