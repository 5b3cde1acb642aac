//! NATS `JetStream`: calls and pulses into billing, and events out of it.
//!
//! | subject | stream | holds |
//! |---|---|---|
//! | `billing.in.<tenant>.<partition>` | `billing_in`, a work queue | calls and pulses, each until it is taken in |
//! | `billing.dead.<tenant>` | `billing_dead` | what could not be taken in, with the header [`REASON`] |
//! | `billing.events.<tenant>.<partition>` | `billing_events` | what happened, told by the relay through [`EventSink`] |
//!
//! `billing` stands for the prefix of the [`Layout`]. A tenant is written with every byte but ASCII letters, digits, `-` and `_` as
//! `%` and two upper-case hexadecimal digits.
//!
//! The streams are kept in files, and refuse what is new when they are full, so that nothing is pushed out. Messages are acknowledged
//! after their commit, with an answer from the server. A consumer never gives up on a message by count: the broker drops none. A source
//! publishes through [`Publisher`], or by any client of NATS: then its message is the JSON alone, and a `Nats-Msg-Id` spares work but
//! decides nothing.
//!
//! The host connects, with its own TLS and credentials, and hands in the context; it drives [`Consumer::run`] for each partition it
//! serves, in as many processes as it likes.
//!
//! # Examples
//!
//! ```no_run
//! # async fn run(billing: billing_store::Billing, call: billing_core::item::CallEnded) -> Result<(), Box<dyn std::error::Error>> {
//! use billing_store::bus::{Partitions, nats};
//!
//! let client = async_nats::connect("nats://127.0.0.1:4222").await?;
//! let context = async_nats::jetstream::new(client);
//! let layout = nats::Layout::try_new("billing", Partitions::ONE)?;
//! nats::ensure_streams(&context, &layout, nats::Keeping::default()).await?;
//!
//! let acme = billing.tenant("acme")?;
//! nats::Publisher::new(context.clone(), layout.clone()).publish(acme.id(), &call).await?;
//!
//! let settings = nats::Settings::default();
//! let consumer = nats::Consumer::open(&context, &layout, &acme, 0, settings).await?;
//! let report = consumer.run_once().await?;
//! assert_eq!(report.received(), 1);
//! # Ok(())
//! # }
//! ```

mod consumer;
mod error;
mod event_sink;
mod layout;
mod publisher;
mod streams;

pub use consumer::{Consumer, InHand, REASON, SUBJECT, Settings};
pub use error::NatsError;
pub use event_sink::EventSink;
pub use layout::{InvalidPrefix, Layout};
pub use publisher::Publisher;
pub use streams::{Keeping, ensure_streams};
