//! Listeners in this process, as a sink.

use core::{error::Error as StdError, fmt};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use async_trait::async_trait;

use billing_core::outbox::{Delivery, Failure, Message};

use crate::relay::Sink;

/// Functions of this process that are told what happens, one after the other.
///
/// A message is taken once all of them have returned. One that fails or panics is told again later, and so are those before it:
/// a listener may hear a message more than once. The text of an error is kept as the reason, so it holds no personal data. They
/// run on the relay's thread, so a listener that waits should put the message on a channel instead.
///
/// # Examples
///
/// ```
/// use std::sync::mpsc;
///
/// use billing_store::relay::{Listeners, Message};
///
/// let (sender, receiver) = mpsc::sync_channel::<Message>(1_000);
/// let listeners = Listeners::new()
///     // A channel that is full is tried again.
///     .and(move |message| Ok(sender.try_send(message.clone())?));
/// # drop((listeners, receiver));
/// ```
#[derive(Clone, Default)]
pub struct Listeners {
    listeners: Vec<Arc<Listener>>,
}

type Listener = dyn Fn(&Message) -> Result<(), ListenerError> + Send + Sync;

/// Why a listener did not take a message.
pub type ListenerError = Box<dyn StdError + Send + Sync>;

impl Listeners {
    /// Nobody, who takes everything.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One more listener.
    #[must_use]
    pub fn and(
        mut self,
        listener: impl Fn(&Message) -> Result<(), ListenerError> + Send + Sync + 'static,
    ) -> Self {
        self.listeners.push(Arc::new(listener));
        self
    }

    fn tell(&self, message: &Message) -> Result<(), String> {
        self.listeners.iter().try_for_each(|listener| {
            match catch_unwind(AssertUnwindSafe(|| listener(message))) {
                Ok(Ok(())) => Ok(()),
                Ok(Err(error)) => Err(error.to_string()),
                Err(_panic) => Err("a listener panicked".to_owned()),
            }
        })
    }
}

impl fmt::Debug for Listeners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listeners").field("listeners", &self.listeners.len()).finish()
    }
}

#[async_trait]
impl Sink for Listeners {
    async fn deliver(&self, messages: &[Message]) -> Delivery {
        for (taken, message) in messages.iter().enumerate() {
            if let Err(reason) = self.tell(message) {
                return Delivery::failed_after(taken, Failure::Retry { reason, wait_ms: None });
            }
        }
        Delivery::all(messages)
    }
}
