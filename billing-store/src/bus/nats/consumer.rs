//! Taking in what one partition of the stream holds, and acknowledging it after the commit.

use core::{fmt, future::ready, pin::pin, time::Duration};

use async_nats::{
    HeaderMap, HeaderValue,
    jetstream::{
        AckKind, Context, Message,
        consumer::{AckPolicy, PullConsumer, pull},
    },
};
use futures_util::{StreamExt as _, future::join_all};

use billing_core::digest::Digest;

use crate::{
    billing::Tenant,
    bus::{
        Batching, Offered, Report, Verdict,
        nats::{Layout, NatsError, publisher::send},
        stop::unless,
        take_in,
        take_in::pause,
    },
};

/// The header of a dead letter that says why it is one.
pub const REASON: &str = "Billing-Reason";
/// The header of a dead letter that says which subject it came on, and may be published on again once its reason is mended.
pub const SUBJECT: &str = "Billing-Subject";

/// How many messages of a partition may be with consumers, or wait to come again, at once.
const IN_HAND_MAX: i64 = 10_000;

/// How a partition is read.
///
/// # Examples
///
/// ```
/// use billing_store::bus::nats::Settings;
///
/// assert_eq!(Settings::default().ack_wait.as_secs(), 30);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How batches are formed. An empty partition is asked again after the batch's wait.
    pub batching: Batching,
    /// After how long NATS delivers again what was neither acknowledged nor put back: longer than a batch takes.
    pub ack_wait: Duration,
}

impl Default for Settings {
    /// Batches of up to 500 or a tenth of a second, and half a minute.
    fn default() -> Self {
        Self { batching: Batching::default(), ack_wait: Duration::from_secs(30) }
    }
}

/// Takes one partition of a tenant in. It does nothing unless it is driven.
///
/// Any number of them, in any number of processes, may read one partition: NATS hands each message to one of them at a time.
///
/// # Examples
///
/// See [the module](super).
#[derive(Clone, Debug)]
pub struct Consumer {
    tenant: Tenant,
    context: Context,
    inner: PullConsumer,
    label: String,
    dead: String,
    batching: Batching,
}

impl Consumer {
    /// Opens the durable consumer of a partition, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// [`NatsError::NoPartition`], [`NatsError::Stream`] if the streams were not made, [`NatsError::Consumer`].
    ///
    /// # Examples
    ///
    /// See [the module](super).
    pub async fn open(
        context: &Context,
        layout: &Layout,
        tenant: &Tenant,
        partition: u16,
        settings: Settings,
    ) -> Result<Self, NatsError> {
        let count = layout.partitions().count();
        if partition >= count {
            return Err(NatsError::NoPartition { partition, count });
        }
        let (stream, consumer) = (layout.stream(), Layout::consumer(tenant.id(), partition));
        let config = pull::Config {
            durable_name: Some(consumer.clone()),
            filter_subject: layout.inbound(tenant.id(), partition),
            ack_policy: AckPolicy::Explicit,
            ack_wait: settings.ack_wait,
            // The broker gives nothing up: what is dead is decided here, and kept.
            max_deliver: -1,
            max_ack_pending: IN_HAND_MAX,
            ..pull::Config::default()
        };
        let found = context.get_stream_no_info(&stream).await.map_err(|error| {
            let (stream, source) = (stream.clone(), error.into());
            NatsError::Stream { stream, source }
        })?;
        let inner = found.create_consumer(config).await;
        let inner =
            inner.map_err(|error| NatsError::Consumer { consumer, source: error.into() })?;
        Ok(Self {
            tenant: tenant.clone(),
            context: context.clone(),
            inner,
            label: format!("{stream} partition {partition}"),
            dead: layout.dead_subject_of(tenant.id()),
            batching: settings.batching,
        })
    }

    /// Fetches a batch, takes it in and acknowledges it; the report of an empty partition is empty.
    ///
    /// # Errors
    ///
    /// [`NatsError::Pull`]. What the store could not do is in the report.
    ///
    /// # Examples
    ///
    /// See [the module](super).
    pub async fn run_once(&self) -> Result<Report, NatsError> {
        Ok(self.take().await?.let_go().await)
    }

    /// Takes in one batch after the other until `stop` is ready; `told` hears of each batch that was not empty.
    ///
    /// A batch that is fetched is finished before it stops.
    ///
    /// # Errors
    ///
    /// [`NatsError::Pull`]; the client connects again by itself, so the host may call this again, after a pause.
    ///
    /// # Examples
    ///
    /// See [the module](super).
    pub async fn run(
        &self,
        stop: impl Future<Output = ()>,
        mut told: impl FnMut(Report),
    ) -> Result<(), NatsError> {
        let mut stop = pin!(stop);
        while unless(stop.as_mut(), ready(())).await.is_some() {
            let batch = self.take().await?;
            if !batch.messages.is_empty() {
                told(batch.let_go().await);
            }
        }
        Ok(())
    }

    /// Fetches a batch and takes it in, and holds it: dropped without [`InHand::let_go`], it is delivered again.
    ///
    /// # Errors
    ///
    /// [`NatsError::Pull`].
    ///
    /// # Examples
    ///
    /// See [the module](super).
    pub async fn take(&self) -> Result<InHand<'_>, NatsError> {
        let messages = self.fetch().await?;
        let offered: Vec<_> = messages.iter().map(offered).collect();
        let taken = if offered.is_empty() {
            return Ok(InHand {
                consumer: self,
                messages,
                verdicts: vec![],
                report: Report::default(),
            });
        } else {
            take_in(&self.tenant, &self.label, &offered).await
        };
        let (verdicts, report) = (taken.verdicts, taken.report);
        Ok(InHand { consumer: self, messages, verdicts, report })
    }

    async fn fetch(&self) -> Result<Vec<Message>, NatsError> {
        let Batching { messages_max, wait } = self.batching;
        let fetched = self.inner.batch().max_messages(messages_max.max(1)).expires(wait);
        let mut fetched =
            fetched.messages().await.map_err(|error| NatsError::Pull { source: error.into() })?;
        let mut messages = Vec::new();
        while let Some(message) = fetched.next().await {
            match message {
                Ok(message) => messages.push(message),
                // What has come is taken in; if nothing can come, the next time says so.
                Err(source) if messages.is_empty() => return Err(NatsError::Pull { source }),
                Err(_) => break,
            }
        }
        Ok(messages)
    }
}

/// A batch that was taken in and not yet acknowledged.
///
/// # Examples
///
/// ```no_run
/// # async fn run(consumer: billing_store::bus::nats::Consumer) -> Result<(), Box<dyn std::error::Error>> {
/// let in_hand = consumer.take().await?;
/// // What is in the report is committed; the process may end here, and nothing is lost and nothing counts twice.
/// let report = in_hand.let_go().await;
/// # Ok(())
/// # }
/// ```
pub struct InHand<'consumer> {
    consumer: &'consumer Consumer,
    messages: Vec<Message>,
    verdicts: Vec<Verdict>,
    report: Report,
}

impl fmt::Debug for InHand<'_> {
    // The messages hold telephone numbers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InHand").field("report", &self.report).finish_non_exhaustive()
    }
}

/// What became of a message when it was let go.
enum Gone {
    /// It does not come again.
    Settled,
    /// It comes again, and was to be.
    Again,
    /// It was dead and could not be kept as that: it comes again.
    Unkept,
    /// It is committed and comes again, because NATS did not answer.
    Unacknowledged,
}

impl InHand<'_> {
    /// What became of the batch; who acknowledged what is not in it yet.
    ///
    /// # Examples
    ///
    /// See [the module](super).
    #[must_use]
    pub const fn report(&self) -> &Report {
        &self.report
    }

    /// Acknowledges what is done, keeps what is dead among the dead letters, and puts back what is to come again.
    ///
    /// # Examples
    ///
    /// See [the module](super).
    pub async fn let_go(self) -> Report {
        let mut report = self.report;
        let each = self.messages.iter().zip(&self.verdicts);
        let gone = join_all(each.map(|(message, verdict)| self.consumer.settle(message, verdict)));
        let mut dead = core::mem::take(&mut report.dead).into_iter();
        for (gone, verdict) in gone.await.into_iter().zip(&self.verdicts) {
            let letter = if matches!(verdict, Verdict::Dead { .. }) { dead.next() } else { None };
            match gone {
                Gone::Settled => report.dead.extend(letter),
                Gone::Again => {}
                Gone::Unkept => report.again = report.again.saturating_add(1),
                Gone::Unacknowledged => {
                    report.unacknowledged = report.unacknowledged.saturating_add(1);
                    report.dead.extend(letter);
                }
            }
        }
        report
    }
}

impl Consumer {
    async fn settle(&self, message: &Message, verdict: &Verdict) -> Gone {
        let last = match verdict {
            Verdict::Done => AckKind::Ack,
            Verdict::Again { after } => {
                // If this is lost, it comes again when NATS has waited for long enough.
                let _put_back: Result<(), _> = message.ack_with(AckKind::Nak(Some(*after))).await;
                return Gone::Again;
            }
            Verdict::Dead { reason } => {
                if self.bury(message, reason).await.is_none() {
                    let after = AckKind::Nak(Some(pause(attempt(message))));
                    let _put_back: Result<(), _> = message.ack_with(after).await;
                    return Gone::Unkept;
                }
                AckKind::Term
            }
        };
        match message.double_ack_with(last).await {
            Ok(()) => Gone::Settled,
            Err(_) => Gone::Unacknowledged,
        }
    }

    /// Keeps a message among the dead letters; `None` if NATS did not say that it has it.
    async fn bury(&self, message: &Message, reason: &str) -> Option<()> {
        let mut headers = HeaderMap::new();
        headers.insert(REASON, reason.parse::<HeaderValue>().ok()?);
        headers.insert(SUBJECT, message.subject.as_str());
        let body = message.payload.to_vec();
        let id = Digest::of().text(&place(message)).bytes(&body).finish().to_string();
        let sent = send(&self.context, self.dead.clone(), &id, headers, body).await.ok()?;
        sent.await.ok().map(|_stored| ())
    }
}

fn offered(message: &Message) -> Offered<'_> {
    Offered { place: place(message), body: &message.payload, attempt: attempt(message) }
}

/// Where it stands in its stream; no other message ever stands there.
fn place(message: &Message) -> String {
    match message.info() {
        Ok(info) => format!("message {} of {}", info.stream_sequence, info.stream),
        Err(_) => format!("a message of {}", message.subject),
    }
}

fn attempt(message: &Message) -> u64 {
    message.info().ok().and_then(|info| u64::try_from(info.delivered).ok()).unwrap_or(1)
}
