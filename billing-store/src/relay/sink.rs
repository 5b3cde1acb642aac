//! The port of whoever is told what happened.

use async_trait::async_trait;

use billing_core::outbox::{Delivery, Message};

/// Whoever is told what happened: a message bus, an endpoint, a listener in this process.
///
/// # Examples
///
/// ```
/// use async_trait::async_trait;
/// use billing_store::relay::{Delivery, Message, Sink};
///
/// /// Takes everything, and keeps nothing.
/// #[derive(Debug)]
/// struct Blackhole;
///
/// #[async_trait]
/// impl Sink for Blackhole {
///     async fn deliver(&self, messages: &[Message]) -> Delivery {
///         Delivery::all(messages)
///     }
/// }
/// # let sink: std::sync::Arc<dyn Sink> = std::sync::Arc::new(Blackhole);
/// ```
#[async_trait]
pub trait Sink: core::fmt::Debug + Send + Sync {
    /// Takes messages in their order, and says how far it came.
    ///
    /// They are of one tenant; those of one account follow one another without a gap, and several accounts may be in one call.
    /// Any message may come again with the same id and the same content: after a crash, or when its answer was lost. A message
    /// counts as taken once it is safe where the sink puts it.
    ///
    /// The relay holds no lock meanwhile, and the future may be dropped at any point. A sink bounds its own waiting: nobody else
    /// does.
    async fn deliver(&self, messages: &[Message]) -> Delivery;
}
