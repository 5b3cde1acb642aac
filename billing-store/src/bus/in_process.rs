//! A bounded bus within the process, for hosts that have no other.

use core::{fmt, pin::pin};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};

use billing_core::id::AccountId;

use crate::{
    billing::Tenant,
    bus::{Batching, Letter, Offered, Partitions, Report, Verdict, stop::unless, take_in},
};

/// A bounded bus within the process, of one tenant's calls and pulses. Cloning is cheap.
///
/// It keeps nothing across the end of the process: what must not be lost is published by a source that sends again what was not
/// recorded, or travels on a bus that stores. A message counts against its partition's capacity until it is let go.
///
/// # Examples
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// use billing_core::item::PulseReported;
/// use billing_store::bus::{Batching, Partitions, in_process::Bus};
///
/// # use billing_core::plan::PlanBook;
/// # use billing_store::{Billing, MemoryStore, clock::SetClock};
/// # let clock = SetClock::at("2026-11-02T08:00:00Z".parse()?);
/// # let acme = Billing::new(MemoryStore::new(), PlanBook::standard(), clock).tenant("acme")?;
/// # let pulse: PulseReported = serde_json::from_str(
/// #     r#"{"key":{"source":"meter","id":"1"},"account":"alice",
/// #         "pulse":{"at":"2026-10-05T08:00:00Z","product":"storage","unit":"GB-h","amount":"0.25"}}"#,
/// # )?;
/// let bus = Bus::new(Partitions::ONE, 1_000);
/// bus.publish(&pulse).await?;
/// bus.publish(&pulse).await?;
/// bus.close();
/// assert!(bus.publish(&pulse).await.is_err());
///
/// let consumer = bus.consumer(&acme, 0, Batching::default()).expect("the partition 0");
/// let report = consumer.run_once().await.expect("messages are left");
/// assert_eq!(report.received(), 2);
/// assert!(consumer.run_once().await.is_none(), "it is closed, and nothing is left");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Bus {
    partitions: Partitions,
    queues: Arc<[Arc<Queue>]>,
}

/// A message was not published.
///
/// # Examples
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// use billing_store::bus::{Partitions, in_process::{Bus, PublishError}};
///
/// let bus = Bus::new(Partitions::ONE, 1);
/// bus.publish_body(None, b"{}".to_vec()).await?;
/// bus.close();
/// let refused = bus.publish_body(None, b"{}".to_vec()).await;
/// assert!(matches!(refused, Err(PublishError::Closed)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The bus was closed, before or while the message waited for a place.
    #[error("the bus is closed")]
    Closed,
    /// The message cannot be written.
    #[error("the message cannot be written as JSON")]
    Unwritten {
        /// What the writer said.
        source: serde_json::Error,
    },
}

impl Bus {
    /// A bus that holds up to `capacity` messages in each partition.
    ///
    /// # Examples
    ///
    /// See [`Bus`].
    #[must_use]
    pub fn new(partitions: Partitions, capacity: usize) -> Self {
        let queue = |_| Arc::new(Queue::new(capacity.clamp(1, Semaphore::MAX_PERMITS)));
        Self { partitions, queues: partitions.all().map(queue).collect() }
    }

    /// Publishes a call or a pulse; while its partition is full, this waits for a place there.
    ///
    /// # Errors
    ///
    /// [`PublishError`]; then the message is not on the bus.
    ///
    /// # Examples
    ///
    /// See [`Bus`].
    pub async fn publish(&self, letter: &impl Letter) -> Result<(), PublishError> {
        let body = letter.body().map_err(|source| PublishError::Unwritten { source })?;
        self.publish_body(letter.account(), body).await
    }

    /// Publishes what came as JSON, among the messages of `account`; what is wrong with it is found when it is taken in.
    ///
    /// # Errors
    ///
    /// [`PublishError::Closed`].
    ///
    /// # Examples
    ///
    /// See [`Bus`].
    pub async fn publish_body(
        &self,
        account: Option<&AccountId>,
        body: Vec<u8>,
    ) -> Result<(), PublishError> {
        let place = usize::from(self.partitions.of(account));
        let queue = self.queues.get(place).ok_or(PublishError::Closed)?;
        let places = Arc::clone(&queue.places);
        let held = places.acquire_owned().await.map_err(|_closed| PublishError::Closed)?;
        queue.add(body, held);
        Ok(())
    }

    /// Nothing can be published any more; what was is still delivered.
    ///
    /// # Examples
    ///
    /// See [`Bus`].
    pub fn close(&self) {
        for queue in self.queues.iter() {
            queue.places.close();
            queue.changed.notify_waiters();
        }
    }

    /// A consumer of a partition; `None` if there is no such partition. One partition may have several.
    ///
    /// # Examples
    ///
    /// See [`Bus`].
    #[must_use]
    pub fn consumer(
        &self,
        tenant: &Tenant,
        partition: u16,
        batching: Batching,
    ) -> Option<Consumer> {
        let queue = Arc::clone(self.queues.get(usize::from(partition))?);
        // Numbers begin again with every bus; what is kept of a refusal is told apart by the time.
        let label = format!("bus partition {partition} since {}", tenant.now());
        Some(Consumer { queue, tenant: tenant.clone(), label, batching })
    }
}

/// Takes the messages of one partition in. It does nothing unless it is driven.
///
/// A future of it may be dropped at any time: what it had in hand is delivered again.
///
/// # Examples
///
/// See [`Bus`].
#[derive(Debug)]
pub struct Consumer {
    queue: Arc<Queue>,
    tenant: Tenant,
    label: String,
    batching: Batching,
}

impl Consumer {
    /// Waits for a batch, takes it in and lets it go; `None` if the bus is closed and has nothing left in this partition.
    ///
    /// # Examples
    ///
    /// See [`Bus`].
    pub async fn run_once(&self) -> Option<Report> {
        Some(self.take().await?.let_go())
    }

    /// Takes in one batch after the other until `stop` is ready or the bus is closed and empty; `told` hears of each batch.
    ///
    /// A batch in hand is finished before it stops. Each report also names what is dead, for the host to keep.
    ///
    /// # Examples
    ///
    /// See [`Bus`].
    pub async fn run(&self, stop: impl Future<Output = ()>, mut told: impl FnMut(Report)) {
        let mut stop = pin!(stop);
        while let Some(Some(batch)) = unless(stop.as_mut(), self.batch()).await {
            told(self.take_in(batch).await.let_go());
        }
    }

    /// Waits for a batch and takes it in, and holds it: dropped without [`InHand::let_go`], it is delivered again.
    ///
    /// # Examples
    ///
    /// See [`Bus`].
    pub async fn take(&self) -> Option<InHand> {
        let batch = self.batch().await?;
        Some(self.take_in(batch).await)
    }

    async fn take_in(&self, batch: Batch) -> InHand {
        let deliveries = batch.messages.iter().map(|message| Offered {
            place: format!("message {} of {}", message.number, self.label),
            body: &message.body,
            attempt: message.attempt,
        });
        let deliveries: Vec<_> = deliveries.collect();
        let taken = take_in(&self.tenant, &self.label, &deliveries).await;
        InHand { batch, verdicts: taken.verdicts, report: taken.report }
    }

    /// The next batch: what is due, up to as many as a batch has, or to as long as it waits.
    async fn batch(&self) -> Option<Batch> {
        let mut batch = Batch { queue: Arc::clone(&self.queue), messages: Vec::new() };
        let max = self.batching.messages_max.max(1);
        let mut until: Option<Instant> = None;
        loop {
            // Before it looks, so that nothing comes between looking and waiting.
            let mut changed = pin!(self.queue.changed.notified());
            let _signalled: bool = changed.as_mut().enable();
            let now = Instant::now();
            let next = self.queue.due(now, max, &mut batch.messages);
            if batch.messages.is_empty() {
                if self.queue.is_finished() {
                    return None;
                }
            } else if batch.messages.len() >= max {
                return Some(batch);
            } else {
                until = until.or_else(|| now.checked_add(self.batching.wait));
                if until.is_none_or(|until| now >= until) {
                    return Some(batch);
                }
            }
            match [until, next].into_iter().flatten().min() {
                None => changed.await,
                // Whether it changed or the time has come: it looks again.
                Some(at) => drop(timeout_at(at, changed).await),
            }
        }
    }
}

/// A batch that was taken in and not yet let go.
///
/// # Examples
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// # use billing_core::plan::PlanBook;
/// # use billing_store::{Billing, MemoryStore, clock::SetClock};
/// use billing_store::bus::{Batching, Partitions, in_process::Bus};
///
/// # let clock = SetClock::at("2026-11-02T08:00:00Z".parse()?);
/// # let acme = Billing::new(MemoryStore::new(), PlanBook::standard(), clock).tenant("acme")?;
/// let bus = Bus::new(Partitions::ONE, 1_000);
/// bus.publish_body(None, b"not JSON".to_vec()).await?;
/// let consumer = bus.consumer(&acme, 0, Batching::default()).expect("the partition 0");
///
/// let in_hand = consumer.take().await.expect("a message is there");
/// assert_eq!(in_hand.report().dead.len(), 1);
/// drop(in_hand); // as if the process had ended here
/// let report = consumer.take().await.expect("it is delivered again").let_go();
/// assert_eq!(report.dead[0].reason, "it is not JSON: see line 1 column 2");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct InHand {
    batch: Batch,
    verdicts: Vec<Verdict>,
    report: Report,
}

impl InHand {
    /// What became of the batch.
    ///
    /// # Examples
    ///
    /// See [`Bus`].
    #[must_use]
    pub const fn report(&self) -> &Report {
        &self.report
    }

    /// Lets the messages go that are done or dead, and puts back what is to come again.
    ///
    /// # Examples
    ///
    /// See [`Bus`].
    #[must_use = "the report holds what is dead"]
    pub fn let_go(mut self) -> Report {
        let now = Instant::now();
        let messages = core::mem::take(&mut self.batch.messages);
        let again = messages.into_iter().zip(&self.verdicts).filter_map(|(message, verdict)| {
            let Verdict::Again { after } = verdict else { return None };
            Some((now.checked_add(*after).unwrap_or(now), message))
        });
        let again = again.collect();
        self.batch.queue.put_back(Vec::new(), again);
        self.report
    }
}

/// Messages on their way through a consumer; dropped, they are put back.
#[derive(Debug)]
struct Batch {
    queue: Arc<Queue>,
    messages: Vec<Message>,
}

impl Drop for Batch {
    fn drop(&mut self) {
        self.queue.put_back(core::mem::take(&mut self.messages), Vec::new());
    }
}

/// One message, and the place that it takes.
struct Message {
    number: u64,
    body: Vec<u8>,
    attempt: u64,
    _place: OwnedSemaphorePermit,
}

impl fmt::Debug for Message {
    // The body holds telephone numbers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, attempt, .. } = self;
        f.debug_struct("Message").field("number", number).field("attempt", attempt).finish()
    }
}

/// One partition.
#[derive(Debug)]
struct Queue {
    capacity: usize,
    places: Arc<Semaphore>,
    changed: Notify,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    published: u64,
    ready: VecDeque<Message>,
    /// What is to come again, and not before when.
    later: Vec<(Instant, Message)>,
}

impl Queue {
    fn new(capacity: usize) -> Self {
        let places = Arc::new(Semaphore::new(capacity));
        Self { capacity, places, changed: Notify::new(), waiting: Mutex::default() }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Nothing is half done while it is held.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, body: Vec<u8>, place: OwnedSemaphorePermit) {
        let mut waiting = self.waiting();
        waiting.published = waiting.published.saturating_add(1);
        let number = waiting.published;
        waiting.ready.push_back(Message { number, body, attempt: 0, _place: place });
        drop(waiting);
        self.changed.notify_waiters();
    }

    /// Adds what is due to `batch`, up to `max`; gives when the first of what is to come again is.
    fn due(&self, now: Instant, max: usize, batch: &mut Vec<Message>) -> Option<Instant> {
        let mut waiting = self.waiting();
        let Waiting { ready, later, .. } = &mut *waiting;
        let due = later.extract_if(.., |(due, _)| *due <= now);
        ready.extend(due.map(|(_, message)| message));
        while batch.len() < max
            && let Some(message) = ready.pop_front()
        {
            batch.push(Message { attempt: message.attempt.saturating_add(1), ..message });
        }
        later.iter().map(|(due, _)| *due).min()
    }

    fn put_back(&self, now: Vec<Message>, later: Vec<(Instant, Message)>) {
        let mut waiting = self.waiting();
        waiting.ready.extend(now);
        waiting.later.extend(later);
        drop(waiting);
        // Those that were let go have given their places back, which may be what others wait for.
        self.changed.notify_waiters();
    }

    /// Whether nothing can come any more: it is closed, and every place is free.
    fn is_finished(&self) -> bool {
        self.places.is_closed() && self.places.available_permits() == self.capacity
    }
}
