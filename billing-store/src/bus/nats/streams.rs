//! The streams that billing reads and writes, made or checked when the host says so.

use core::time::Duration;

use async_nats::jetstream::{
    Context,
    stream::{Config, DiscardPolicy, RetentionPolicy, StorageType},
};

use crate::bus::nats::{Layout, NatsError};

/// How streams are kept that are made; what is there already keeps what it has.
///
/// # Examples
///
/// ```
/// use billing_store::bus::nats::Keeping;
///
/// let keeping = Keeping { replicas: 3, ..Keeping::default() };
/// assert_eq!(keeping.events, None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keeping {
    /// How many servers keep each message.
    pub replicas: usize,
    /// How long events are kept; for ever if it is `None`. The store keeps them in any case.
    pub events: Option<Duration>,
}

impl Default for Keeping {
    /// One server, and events for ever.
    fn default() -> Self {
        Self { replicas: 1, events: None }
    }
}

/// Makes the streams of a layout, or checks that they are as they must be. Doing it again does nothing.
///
/// They are kept in files, and a stream that is full refuses what is new. What comes in is a work queue: it is gone once it is
/// acknowledged.
///
/// # Errors
///
/// [`NatsError::Stream`], [`NatsError::Differs`].
///
/// # Examples
///
/// See [the module](super).
pub async fn ensure_streams(
    context: &Context,
    layout: &Layout,
    keeping: Keeping,
) -> Result<(), NatsError> {
    let [inbound, dead, events] = layout.subjects();
    let queue = RetentionPolicy::WorkQueue;
    let kept = RetentionPolicy::Limits;
    let for_ever = Duration::ZERO;
    ensure(context, keeping, layout.stream(), (inbound, queue, for_ever)).await?;
    ensure(context, keeping, layout.dead_stream(), (dead, kept, for_ever)).await?;
    let max_age = keeping.events.unwrap_or(for_ever);
    ensure(context, keeping, layout.event_stream(), (events, kept, max_age)).await
}

async fn ensure(
    context: &Context,
    keeping: Keeping,
    stream: String,
    (subjects, retention, max_age): (Vec<String>, RetentionPolicy, Duration),
) -> Result<(), NatsError> {
    let config = Config {
        name: stream.clone(),
        subjects,
        retention,
        max_age,
        discard: DiscardPolicy::New,
        storage: StorageType::File,
        num_replicas: keeping.replicas,
        ..Config::default()
    };
    let found = context.get_or_create_stream(config.clone()).await;
    let found = found.map_err(|source| {
        let (stream, source) = (stream.clone(), source.into());
        NatsError::Stream { stream, source }
    })?;
    let found = &found.cached_info().config;
    let same = [
        ("subjects", found.subjects == config.subjects),
        ("retention", found.retention == config.retention),
        ("discarding", found.discard == config.discard),
        ("storage", found.storage == config.storage),
    ];
    match same.into_iter().find(|(_, same)| !same) {
        Some((what, _)) => Err(NatsError::Differs { stream, what }),
        None => Ok(()),
    }
}
