//! The way of events from the relay to the stream that others read.

use std::collections::BTreeSet;

use async_nats::{
    HeaderMap,
    jetstream::{
        Context,
        context::{PublishError, PublishErrorKind},
    },
};
use async_trait::async_trait;

use billing_core::outbox::{Delivery, Failure, Message};

use crate::{
    bus::nats::{
        Layout,
        publisher::{ON_THEIR_WAY_MAX, send},
    },
    relay::Sink,
};

/// A sink that publishes each event on `<prefix>.events.<tenant>.<partition>` and waits until NATS has stored it. Cloning is cheap.
///
/// The `Nats-Msg-Id` is the event id, so that NATS drops what the relay repeats within the window of the stream; receivers that must
/// not count twice keep the ids that they have seen. The events of one account are stored in their order.
///
/// # Examples
///
/// ```no_run
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// use billing_store::{bus::{Partitions, nats}, relay::Sink};
///
/// let client = async_nats::connect("nats://127.0.0.1:4222").await?;
/// let context = async_nats::jetstream::new(client);
/// let layout = nats::Layout::try_new("billing", Partitions::ONE)?;
/// nats::ensure_streams(&context, &layout, nats::Keeping::default()).await?;
/// let sink: Box<dyn Sink> = Box::new(nats::EventSink::new(context, layout));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct EventSink {
    context: Context,
    layout: Layout,
}

impl EventSink {
    /// A sink that publishes into the streams of a layout.
    ///
    /// # Examples
    ///
    /// See [`EventSink`].
    #[must_use]
    pub const fn new(context: Context, layout: Layout) -> Self {
        Self { context, layout }
    }

    /// Publishes some and waits for their answers in order; gives how many are stored from the front, and why no more.
    async fn publish(&self, messages: &[Message]) -> Delivery {
        let mut on_their_way = Vec::with_capacity(messages.len());
        let mut unsent = None;
        for message in messages {
            let subject = self.layout.event_subject_of(&message.tenant, &message.account);
            let (id, body) = (message.id.to_string(), message.body.clone().into_bytes());
            match send(&self.context, subject, &id, HeaderMap::new(), body).await {
                Ok(answer) => on_their_way.push(answer),
                Err(error) => {
                    unsent = Some(error);
                    break;
                }
            }
        }
        let mut taken: usize = 0;
        for answer in on_their_way {
            match answer.await {
                Ok(_stored) => taken = taken.saturating_add(1),
                Err(error) => return Delivery::failed_after(taken, failure(&error)),
            }
        }
        Delivery { taken, failure: unsent.as_ref().map(failure) }
    }
}

#[async_trait]
impl Sink for EventSink {
    async fn deliver(&self, messages: &[Message]) -> Delivery {
        let (mut rest, mut taken) = (messages, 0_usize);
        while !rest.is_empty() {
            let (some, others) = rest.split_at(apart(rest));
            let delivery = self.publish(some).await;
            taken = taken.saturating_add(delivery.taken);
            if let Some(failure) = delivery.failure {
                return Delivery::failed_after(taken, failure);
            }
            rest = others;
        }
        Delivery::all(messages)
    }
}

/// How many from the front are of as many accounts: if one of them fails, none that follows it in its journal is stored before it.
fn apart(messages: &[Message]) -> usize {
    let mut accounts = BTreeSet::new();
    let some = messages.iter().take(ON_THEIR_WAY_MAX);
    some.take_while(|message| accounts.insert(&message.account)).count()
}

fn failure(error: &PublishError) -> Failure {
    let reason = error.kind().to_string();
    match error.kind() {
        PublishErrorKind::MaxPayloadExceeded => Failure::Never { reason },
        _ => Failure::Retry { reason, wait_ms: None },
    }
}
