//! The relay: hands what happened to sinks, at least once and in order per account.

mod listeners;
mod options;
mod run;
mod sink;
#[cfg(feature = "webhooks")]
pub mod webhooks;

pub use billing_core::outbox::{Delivery, EventId, Failure, Message, RetryPolicy};
pub use listeners::{ListenerError, Listeners};
pub use options::{RelayOptions, Start};
pub use run::{Delivered, Relay};
pub use sink::Sink;
