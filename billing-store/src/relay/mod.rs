//! The relay: hands what happened to sinks, at least once and in order per account.

mod sink;

pub use billing_core::outbox::{Delivery, EventId, Failure, Message};
pub use sink::Sink;
