//! What can go wrong between billing and NATS.

use core::error::Error as StdError;

/// What NATS or its client said.
type Source = Box<dyn StdError + Send + Sync>;

/// Something could not be done over NATS. Trying again is safe: no call and no pulse counts twice.
///
/// # Examples
///
/// ```
/// use billing_store::bus::nats::NatsError;
///
/// let error = NatsError::Pull { source: "no responders".into() };
/// assert_eq!(error.to_string(), "messages cannot be fetched");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NatsError {
    /// A stream cannot be found or made.
    #[error("the stream {stream} cannot be found or made")]
    Stream {
        /// Which.
        stream: String,
        /// What NATS said.
        source: Source,
    },
    /// A stream is there, and not as it must be.
    #[error("the stream {stream} is there with other {what}")]
    Differs {
        /// Which.
        stream: String,
        /// What differs: its subjects, retention, discarding or storage.
        what: &'static str,
    },
    /// There is no such partition.
    #[error("there is no partition {partition}: the layout has {count}")]
    NoPartition {
        /// The one asked for.
        partition: u16,
        /// How many there are, counted from 0.
        count: u16,
    },
    /// The durable consumer of a partition cannot be found or made.
    #[error("the consumer {consumer} cannot be found or made")]
    Consumer {
        /// Which.
        consumer: String,
        /// What NATS said.
        source: Source,
    },
    /// Messages cannot be fetched.
    #[error("messages cannot be fetched")]
    Pull {
        /// What NATS said.
        source: Source,
    },
    /// A message was not stored by NATS, or its answer did not come.
    #[error("a message was not acknowledged by NATS; {stored} before it were")]
    Publish {
        /// How many of those that were to be published were stored before it.
        stored: usize,
        /// What NATS said.
        source: Source,
    },
}
