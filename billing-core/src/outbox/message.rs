//! A message: one entry of a journal, as sinks are told of it.

use alloc::{
    borrow::ToOwned as _,
    format,
    string::{String, ToString as _},
};

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    event::{Event, JournalEntry, Posting},
    id::{AccountId, EpochId, TenantId},
    outbox::EventId,
    time::Instant,
};

/// One entry of an account's journal on its way to a sink.
///
/// The body is one JSON object:
///
/// | field | holds |
/// |---|---|
/// | `id` | the [event id](EventId); the same event has the same, however often it is delivered |
/// | `type` | the [kind](Self::kind) |
/// | `tenant`, `account`, `seq` | whose journal, and the entry's place in it, a number |
/// | `at` | when it was decided, RFC 3339; postings have none, their item has |
/// | `data` | what happened; depends on the type |
///
/// The data of a posting has `item` (`source`, `id`, and `leg` and `partial` where it has them), `day`, `assignment`, `strategy`,
/// `group`, `day_revision`, `rules`, `zone_data`, `unit`, `currency`, `totals` (`count`, a number, `quantity` and `amount`, which is
/// null where the price is settled over all usage) and `provenance` where a tariff priced it. The data of other events has the
/// fields of their [`Happened`](crate::event::Happened). Amounts and quantities are text. Receivers should skip fields they do not
/// know. No number that called or was called is in it, and nothing derived from one but the prefix that priced it.
///
/// # Examples
///
/// ```
/// use billing_core::{digest::Digest, event::{Event, Happened, JournalEntry}, outbox::Message};
///
/// let (series, total, digest) = ("2026".parse()?, "1.50".parse()?, Digest::ZERO);
/// let what = Happened::InvoiceIssued { series, number: 7, total, digest };
/// let at = "2026-11-01T08:00:00Z".parse()?;
/// let entry = JournalEntry::Event(Event { account: "alice".parse()?, seq: 12, at, what });
///
/// let message = Message::of(&"first".parse()?, &"acme".parse()?, &entry);
/// assert_eq!((message.kind.as_str(), message.seq), ("invoice.issued", 12));
/// let body: serde_json::Value = serde_json::from_str(&message.body)?;
/// assert_eq!(body["id"], "first:acme:alice:12");
/// assert_eq!(body["data"]["total"], "1.5");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What receivers know it by.
    pub id: EventId,
    /// Whose account it is.
    pub tenant: TenantId,
    /// Whose journal it stands in.
    pub account: AccountId,
    /// Its place in that journal.
    pub seq: u64,
    /// What kind of event it is: stable text such as `posting.rated` or `invoice.issued`.
    pub kind: String,
    /// All of it, as JSON.
    pub body: String,
}

impl Message {
    /// What sinks are told of an entry.
    ///
    /// # Examples
    ///
    /// ```
    /// # use billing_core::{event::JournalEntry, outbox::Message};
    /// # let posting = serde_json::from_str(&format!(
    /// #     r#"{{"account":"alice","seq":1,"item":{{"source":"pbx","id":"1"}},"cause":"rated",
    /// #          "fingerprint":{{"rule":1,"digest":"{}"}},"day":"2026-10-05","assignment":1,
    /// #          "strategy":"calls","group":"calls","day_revision":1,"rules":1,"zone_data":"2026a",
    /// #          "unit":"ms","currency":"EUR",
    /// #          "totals":{{"count":1,"quantity":"61000","amount":null}}}}"#,
    /// #     billing_core::digest::Digest::ZERO,
    /// # ))?;
    /// let message = Message::of(&"first".parse()?, &"acme".parse()?, &JournalEntry::Posting(posting));
    /// assert_eq!(message.kind, "posting.rated");
    /// let body: serde_json::Value = serde_json::from_str(&message.body)?;
    /// assert_eq!(body["data"]["item"]["id"], "1");
    /// assert_eq!(body["data"]["totals"]["quantity"], "61000");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn of(epoch: &EpochId, tenant: &TenantId, entry: &JournalEntry) -> Self {
        let (account, kind, at, data) = match entry {
            JournalEntry::Posting(posting) => {
                let kind = format!("posting.{}", posting.cause.name());
                (&posting.account, kind, None, posting_data(posting))
            }
            JournalEntry::Event(event) => {
                let (kind, data) = event_data(event);
                (&event.account, kind, Some(event.at), data)
            }
        };
        let (tenant, account, seq) = (tenant.clone(), account.clone(), entry.seq());
        let id =
            EventId { epoch: epoch.clone(), tenant: tenant.clone(), account: account.clone(), seq };
        let envelope = Envelope {
            id: &id,
            kind: &kind,
            tenant: &tenant,
            account: &account,
            seq,
            at,
            data: &data,
        };
        // Serialising a value made of texts, numbers and lists of them cannot fail.
        let body = serde_json::to_string(&envelope).unwrap_or_default();
        Self { id, tenant, account, seq, kind, body }
    }
}

/// The body, its fields in this order.
#[derive(Serialize)]
struct Envelope<'a> {
    id: &'a EventId,
    #[serde(rename = "type")]
    kind: &'a str,
    tenant: &'a TenantId,
    account: &'a AccountId,
    seq: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Instant>,
    data: &'a Map<String, Value>,
}

/// A posting without what the envelope says already.
///
/// The fingerprint is left out too: it is over the numbers of the call, which could be guessed until one fits.
fn posting_data(posting: &Posting) -> Map<String, Value> {
    let mut data = object(posting);
    for field in ["account", "seq", "cause", "fingerprint"] {
        drop(data.remove(field));
    }
    data
}

/// The kind of an event and what it holds: `invoice_issued` of the journal is `invoice.issued` to sinks.
fn event_data(event: &Event) -> (String, Map<String, Value>) {
    let mut data = object(&event.what);
    let tag = data.remove("event");
    let tag = tag.as_ref().and_then(Value::as_str).unwrap_or_default();
    (tag.replacen('_', ".", 1), data)
}

fn object(value: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(value) {
        Ok(Value::Object(fields)) => fields,
        // Neither happens: both are structures of texts, numbers and lists of them.
        Ok(other) => Map::from_iter([("value".to_owned(), other)]),
        Err(error) => Map::from_iter([("error".to_owned(), Value::String(error.to_string()))]),
    }
}

/// What became of messages that a sink was handed, in their order.
///
/// # Examples
///
/// ```
/// use billing_core::outbox::{Delivery, Failure};
///
/// let busy = Failure::Retry { reason: "the endpoint answered 503".into(), wait_ms: Some(30_000) };
/// let delivery = Delivery::failed_after(2, busy);
/// assert_eq!(delivery.taken, 2);
/// assert_eq!(Delivery::all(&[]).failure, None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// How many, from the front, were taken and will not be sent again.
    pub taken: usize,
    /// Why the next one was not taken. Without a failure, what follows is offered again.
    pub failure: Option<Failure>,
}

impl Delivery {
    /// All of them were taken.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::outbox::Delivery;
    ///
    /// assert_eq!(Delivery::all(&[]), Delivery { taken: 0, failure: None });
    /// ```
    #[must_use]
    pub const fn all(messages: &[Message]) -> Self {
        Self { taken: messages.len(), failure: None }
    }

    /// Some were taken from the front, and the next one was not.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::outbox::{Delivery, Failure};
    ///
    /// let delivery = Delivery::failed_after(0, Failure::Never { reason: "too large".into() });
    /// assert!(delivery.failure.is_some());
    /// ```
    #[must_use]
    pub const fn failed_after(taken: usize, failure: Failure) -> Self {
        Self { taken, failure: Some(failure) }
    }
}

/// Why a sink did not take a message. The reason is kept and listed, so it holds no personal data.
///
/// # Examples
///
/// ```
/// use billing_core::outbox::Failure;
///
/// let failure = Failure::Never { reason: "the message is larger than 1 MiB".into() };
/// assert_eq!(failure.reason(), "the message is larger than 1 MiB");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It may take it another time.
    Retry {
        /// Why.
        reason: String,
        /// How long the sink asks to be left alone, in milliseconds.
        wait_ms: Option<u64>,
    },
    /// It will not take this one, however often it is tried.
    Never {
        /// Why.
        reason: String,
    },
    /// It takes nothing any more; the host is told, and nothing is lost.
    Gone {
        /// Why.
        reason: String,
    },
}

impl Failure {
    /// Why.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::outbox::Failure;
    ///
    /// assert_eq!(Failure::Gone { reason: "410".into() }.reason(), "410");
    /// ```
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            Self::Retry { reason, .. } | Self::Never { reason } | Self::Gone { reason } => reason,
        }
    }
}
