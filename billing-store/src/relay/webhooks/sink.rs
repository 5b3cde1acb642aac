//! An endpoint as a sink: what is posted to it, and what its answers mean.

use core::fmt;
use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use http_body_util::Full;
use hyper::{
    Request, Uri,
    body::Bytes,
    header::{CONTENT_TYPE, HOST, USER_AGENT},
    http::uri::Scheme,
};
use serde::{Deserialize, Serialize};
use tokio_rustls::rustls::pki_types::ServerName;

use billing_core::{
    outbox::{Delivery, Failure, Message},
    time::Instant,
};

use crate::{
    clock::Clock,
    relay::{
        Sink,
        webhooks::{
            Reach, WebhookSecret,
            line::{Answer, Broken, Line, Target, connector},
            sign,
        },
    },
};

/// What an endpoint is, as data.
///
/// # Examples
///
/// ```
/// use billing_store::relay::webhooks::{Reach, WebhookOptions};
///
/// let options: WebhookOptions = serde_json::from_str(r#"{"url":"https://example.com/hooks"}"#)?;
/// assert_eq!((options.answer_ms, options.reach), (15_000, Reach::Public));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookOptions {
    /// Where to. `Debug` does not show it: it may hold a token.
    pub url: String,
    /// Where it may go.
    #[serde(default)]
    pub reach: Reach,
    /// How long a connection may take to be made, in milliseconds.
    #[serde(default = "connect_ms")]
    pub connect_ms: u64,
    /// How long an answer may take, in milliseconds.
    #[serde(default = "answer_ms")]
    pub answer_ms: u64,
    /// How much of an answer is read, in bytes; nothing in it counts but its status.
    #[serde(default = "answer_bytes_max")]
    pub answer_bytes_max: usize,
}

impl WebhookOptions {
    /// The usual bounds, for a URL.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_store::relay::webhooks::WebhookOptions;
    ///
    /// assert_eq!(WebhookOptions::new("https://example.com/hooks").connect_ms, 5_000);
    /// ```
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            reach: Reach::default(),
            connect_ms: connect_ms(),
            answer_ms: answer_ms(),
            answer_bytes_max: answer_bytes_max(),
        }
    }
}

impl fmt::Debug for WebhookOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { reach, connect_ms, answer_ms, answer_bytes_max, .. } = self;
        let mut debug = f.debug_struct("WebhookOptions");
        debug.field("reach", reach).field("connect_ms", connect_ms).field("answer_ms", answer_ms);
        debug.field("answer_bytes_max", answer_bytes_max).finish_non_exhaustive()
    }
}

const fn connect_ms() -> u64 {
    5_000
}

const fn answer_ms() -> u64 {
    15_000
}

const fn answer_bytes_max() -> usize {
    65_536
}

/// An endpoint that messages are posted to, one by one, in the form of standard webhooks.
///
/// The headers are `webhook-id`, the [event id](billing_core::outbox::EventId); `webhook-timestamp`, seconds since 1970; and
/// `webhook-signature`, which a receiver [verifies](crate::relay::webhooks::verify). The body is the
/// [message's](billing_core::outbox::Message).
///
/// | answer | meaning |
/// |---|---|
/// | 2xx | taken |
/// | 410 | the endpoint takes nothing any more: the run says so, and nothing becomes a dead letter |
/// | 429, 503 with `retry-after` | tried again, not before that time |
/// | anything else, a redirect too, or none | tried again |
///
/// Names are resolved for each connection, and the address that is connected to is one that [`Reach`] allows. Redirects are not
/// followed, proxies of the environment are not used, certificates are checked against Mozilla's roots.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
///
/// use billing_store::clock::SystemClock;
/// use billing_store::relay::webhooks::{InvalidWebhook, Webhook, WebhookOptions, WebhookSecret};
///
/// let secret = WebhookSecret::try_new(&[7; 32])?;
/// let options = WebhookOptions::new("https://example.com/hooks");
/// let webhook = Webhook::try_new(&options, vec![secret.clone()], Arc::new(SystemClock))?;
/// # drop(webhook);
///
/// let plain = WebhookOptions::new("http://example.com/hooks");
/// let refused = Webhook::try_new(&plain, vec![secret], Arc::new(SystemClock));
/// assert_eq!(refused.unwrap_err(), InvalidWebhook::NotHttps);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Webhook {
    target: Target,
    /// The header `host`.
    authority: String,
    path: String,
    secrets: Vec<WebhookSecret>,
    clock: Arc<dyn Clock>,
    answer: Duration,
    answer_bytes_max: usize,
}

impl Webhook {
    /// An endpoint, the secrets that are shared with it, the newest first, and a clock for the timestamps.
    ///
    /// # Errors
    ///
    /// [`InvalidWebhook`], which never repeats the URL.
    pub fn try_new(
        options: &WebhookOptions,
        secrets: Vec<WebhookSecret>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, InvalidWebhook> {
        let WebhookOptions { url, reach, connect_ms, answer_ms, answer_bytes_max } = options;
        let uri: Uri = url.parse().ok().ok_or(InvalidWebhook::Url)?;
        let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
            return Err(InvalidWebhook::Url);
        };
        if secrets.is_empty() {
            return Err(InvalidWebhook::NoSecret);
        }
        if authority.as_str().contains('@') {
            return Err(InvalidWebhook::Credentials);
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let is_https = *scheme == Scheme::HTTPS;
        let (port, tls) = match is_https {
            true => {
                let name = ServerName::try_from(host.clone()).ok().ok_or(InvalidWebhook::Url)?;
                (443, Some((connector().ok_or(InvalidWebhook::Tls)?, name)))
            }
            false if *scheme == Scheme::HTTP && *reach != Reach::Public => (80, None),
            false => return Err(InvalidWebhook::NotHttps),
        };
        let port = authority.port_u16().unwrap_or(port);
        let connect = Duration::from_millis(*connect_ms);
        Ok(Self {
            target: Target { host, port, tls, reach: *reach, connect },
            authority: authority.as_str().to_owned(),
            path: uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string),
            secrets,
            clock,
            answer: Duration::from_millis(*answer_ms),
            answer_bytes_max: *answer_bytes_max,
        })
    }

    /// Posts a message, over the line that is open or over another.
    async fn post(
        &self,
        line: Option<Line>,
        message: &Message,
        now: Instant,
    ) -> Result<(Answer, Option<Line>), Broken> {
        let request =
            self.request(message, now).ok_or("the message does not fit into a request")?;
        let line = match line {
            Some(line) => line,
            None => Line::open(&self.target).await?,
        };
        line.ask(request, self.answer, self.answer_bytes_max).await
    }

    fn request(&self, message: &Message, now: Instant) -> Option<Request<Full<Bytes>>> {
        let (id, seconds) = (message.id.to_string(), now.to_chrono().timestamp());
        let signature = sign(&self.secrets, &id, seconds, &message.body);
        let request = Request::post(&self.path)
            .header(HOST, &self.authority)
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("billing/", env!("CARGO_PKG_VERSION")))
            .header("webhook-id", id)
            .header("webhook-timestamp", seconds)
            .header("webhook-signature", signature);
        request.body(Full::from(message.body.clone())).ok()
    }
}

#[async_trait]
impl Sink for Webhook {
    async fn deliver(&self, messages: &[Message]) -> Delivery {
        let mut line = None;
        for (taken, message) in messages.iter().enumerate() {
            let now = self.clock.now();
            let failure = match self.post(line.take(), message, now).await {
                Ok((answer, open)) => {
                    line = open;
                    failure(&answer, now)
                }
                Err(broken) => Some(Failure::Retry { reason: broken.to_owned(), wait_ms: None }),
            };
            if let Some(failure) = failure {
                return Delivery::failed_after(taken, failure);
            }
        }
        Delivery::all(messages)
    }
}

/// What an answer means; `None` if the message is taken.
fn failure(answer: &Answer, now: Instant) -> Option<Failure> {
    let status = answer.status.as_u16();
    let reason = format!("the endpoint answered {status}");
    match status {
        200..=299 => None,
        410 => Some(Failure::Gone { reason }),
        429 | 503 => {
            let asked = answer.retry_after.as_deref();
            Some(Failure::Retry { reason, wait_ms: asked.and_then(|text| wait_ms(text, now)) })
        }
        _ => Some(Failure::Retry { reason, wait_ms: None }),
    }
}

/// The wait that a header `retry-after` asks for, in seconds or until a date.
fn wait_ms(text: &str, now: Instant) -> Option<u64> {
    if let Ok(seconds) = text.parse::<u64>() {
        return seconds.checked_mul(1_000);
    }
    let until = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    now.millis_until(Instant::from_micros(until.as_microsecond()).ok()?)
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (host, reach) = (&self.target.host, &self.target.reach);
        f.debug_struct("Webhook").field("host", host).field("reach", reach).finish_non_exhaustive()
    }
}

/// An endpoint that nothing can be posted to. Never repeats its URL, which may hold a token.
///
/// # Examples
///
/// ```
/// # use std::sync::Arc;
/// # use billing_store::clock::SystemClock;
/// use billing_store::relay::webhooks::{InvalidWebhook, Webhook, WebhookOptions};
///
/// let options = WebhookOptions::new("https://example.com/hooks");
/// let refused = Webhook::try_new(&options, vec![], Arc::new(SystemClock));
/// assert_eq!(refused.unwrap_err(), InvalidWebhook::NoSecret);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidWebhook {
    /// The URL is none, or has no host.
    #[error("an endpoint is a URL such as https://host/path")]
    Url,
    /// The URL is not HTTPS.
    #[error("an endpoint is reached over https, or over http where its reach allows it")]
    NotHttps,
    /// The URL holds a name or a password.
    #[error("the URL of an endpoint has no user and no password")]
    Credentials,
    /// There is no secret to sign with.
    #[error("an endpoint needs at least one secret")]
    NoSecret,
    /// TLS could not be set up.
    #[error("TLS could not be set up")]
    Tls,
}
