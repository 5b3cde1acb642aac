//! Webhooks over a real connection, with an endpoint that fails in every way there is.
#![expect(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::default_numeric_fallback,
    reason = "a test may panic, and its counting is no money"
)]

mod endpoint;
mod signatures;

use std::sync::Arc;

use serde_json::json;

use billing_core::{outbox::RetryPolicy, plan::PlanBook, time::Instant};
use billing_store::{
    Billing, MemoryStore, Tenant,
    clock::SetClock,
    relay::{
        Delivery, Failure, Message, Relay, RelayOptions, Sink as _,
        webhooks::{
            InvalidWebhook, Reach, Webhook, WebhookOptions, WebhookSecret, verify as verify_webhook,
        },
    },
    verify::verify,
};

use endpoint::{Endpoint, Way};

fn now() -> Instant {
    "2026-11-20T08:00:00Z".parse().unwrap()
}

fn secrets() -> Vec<WebhookSecret> {
    [[1; 32], [2; 32]].iter().map(|bytes| WebhookSecret::try_new(bytes).unwrap()).collect()
}

fn options(endpoint: &Endpoint) -> WebhookOptions {
    let url = format!("http://{}/hooks?token=abc", endpoint.address);
    let bounds = WebhookOptions::new(url);
    WebhookOptions { reach: Reach::Loopback, answer_ms: 500, answer_bytes_max: 1_000, ..bounds }
}

fn webhook(options: &WebhookOptions) -> Webhook {
    Webhook::try_new(options, secrets(), Arc::new(SetClock::at(now()))).unwrap()
}

fn message(seq: u64) -> Message {
    let id: billing_core::outbox::EventId = format!("first:acme:alice:{seq}").parse().unwrap();
    let body = json!({"id": id, "type": "posting.rated"}).to_string();
    let (tenant, account) = (id.tenant.clone(), id.account.clone());
    Message { id, tenant, account, seq, kind: "posting.rated".into(), body }
}

fn messages(count: u64) -> Vec<Message> {
    (1..=count).map(message).collect()
}

#[tokio::test]
async fn messages_are_posted_in_order_over_one_line_and_can_be_verified() {
    let endpoint = Endpoint::new([Way::Status(200, ""), Way::Status(202, "")]).await;
    let messages = messages(4);
    let delivery = webhook(&options(&endpoint)).deliver(&messages).await;
    assert_eq!(delivery, Delivery::all(&messages));
    let received = endpoint.received();
    assert_eq!((received.len(), *endpoint.seen.lines.lock().unwrap()), (4, 1));
    for (message, received) in messages.iter().zip(&received) {
        assert_eq!(received.line, "POST /hooks?token=abc HTTP/1.1");
        assert_eq!(received.body, message.body);
        let header = |name: &str| received.headers[name].as_str();
        assert_eq!(header("host"), endpoint.address.to_string());
        assert_eq!(header("content-type"), "application/json");
        assert_eq!(header("webhook-id"), message.id.to_string());
        let seconds = now().to_chrono().timestamp();
        // A receiver that knows either secret believes it.
        for secret in secrets() {
            let (at, signature) = (header("webhook-timestamp"), header("webhook-signature"));
            let (id, body) = (header("webhook-id"), &received.body);
            assert_eq!(verify_webhook(&[secret], id, at, signature, body, seconds, 0), Ok(()));
        }
    }
}

#[tokio::test]
async fn what_an_endpoint_answers_says_what_becomes_of_the_message() {
    let retry = |reason: &str, wait_ms| Failure::Retry { reason: reason.into(), wait_ms };
    let cases = [
        (Way::Status(500, ""), retry("the endpoint answered 500", None)),
        (Way::Status(404, ""), retry("the endpoint answered 404", None)),
        (
            Way::Status(503, "retry-after: 120\r\n"),
            retry("the endpoint answered 503", Some(120_000)),
        ),
        (
            Way::Status(429, "retry-after: Fri, 20 Nov 2026 08:00:30 GMT\r\n"),
            retry("the endpoint answered 429", Some(30_000)),
        ),
        (Way::Status(429, "retry-after: soon\r\n"), retry("the endpoint answered 429", None)),
        (Way::Status(410, ""), Failure::Gone { reason: "the endpoint answered 410".into() }),
        (Way::Silent, retry("the endpoint did not answer in time", None)),
        (Way::Cut, retry("the connection to the endpoint was cut", None)),
        (Way::CutAnswer, retry("the connection to the endpoint was cut", None)),
        (Way::Garbage, retry("the connection to the endpoint was cut", None)),
    ];
    for (way, failure) in cases {
        let endpoint = Endpoint::new([Way::Status(200, ""), way.clone()]).await;
        let delivery = webhook(&options(&endpoint)).deliver(&messages(3)).await;
        assert_eq!(delivery, Delivery::failed_after(1, failure), "{way:?}");
        assert_eq!(endpoint.received().len(), 2, "{way:?}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Endpoint::new([]).await;
    let location = format!("location: http://{}/\r\n", elsewhere.address);
    let endpoint = Endpoint::new([Way::Status(307, location.leak())]).await;
    let delivery = webhook(&options(&endpoint)).deliver(&messages(1)).await;
    let reason = "the endpoint answered 307".to_owned();
    assert_eq!(delivery, Delivery::failed_after(0, Failure::Retry { reason, wait_ms: None }));
    assert_eq!(elsewhere.received().len(), 0);
}

#[tokio::test]
async fn an_answer_without_end_counts_by_its_status_and_the_line_is_left() {
    for way in [Way::Endless, Way::Short] {
        let endpoint = Endpoint::new([way.clone()]).await;
        let messages = messages(2);
        let delivery = webhook(&options(&endpoint)).deliver(&messages).await;
        assert_eq!(delivery, Delivery::all(&messages), "{way:?}");
        assert_eq!(*endpoint.seen.lines.lock().unwrap(), 2, "{way:?}");
    }
}

#[tokio::test]
async fn an_endpoint_that_is_not_there_is_tried_again() {
    let endpoint = Endpoint::new([]).await;
    let options = options(&endpoint);
    drop(endpoint);
    tokio::task::yield_now().await;
    let cases = [
        (options.clone(), "the endpoint does not take connections"),
        (
            WebhookOptions { url: "http://nowhere.invalid/".into(), ..options },
            "the endpoint's name is not known",
        ),
    ];
    for (options, reason) in cases {
        let delivery = webhook(&options).deliver(&messages(1)).await;
        let failure = Failure::Retry { reason: reason.into(), wait_ms: None };
        assert_eq!(delivery, Delivery::failed_after(0, failure));
    }
}

#[tokio::test]
async fn an_address_is_looked_at_after_its_name_was_resolved() {
    let endpoint = Endpoint::new([]).await;
    let port = endpoint.address.port();
    let refused = "the endpoint has no address that webhooks may go to";
    for host in ["localhost", "127.0.0.1", "127.1.2.3", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"] {
        let url = format!("https://{host}:{port}/");
        let delivery = webhook(&WebhookOptions::new(url)).deliver(&messages(1)).await;
        let failure = Failure::Retry { reason: refused.into(), wait_ms: None };
        assert_eq!(delivery, Delivery::failed_after(0, failure), "{host}");
    }
    assert_eq!(*endpoint.seen.lines.lock().unwrap(), 0);
    // Where the operator allows it, the same name is reached.
    let allowed = options(&endpoint);
    let url = format!("http://localhost:{port}/");
    for reach in [Reach::Loopback, Reach::Anywhere] {
        let delivery = webhook(&WebhookOptions { reach, url: url.clone(), ..allowed.clone() });
        assert_eq!(delivery.deliver(&messages(1)).await.failure, None, "{reach:?}");
    }
}

#[tokio::test]
async fn tls_that_is_none_is_refused() {
    let endpoint = Endpoint::new([Way::Status(200, "")]).await;
    let url = format!("https://{}/", endpoint.address);
    let options = WebhookOptions { url, ..options(&endpoint) };
    let delivery = webhook(&options).deliver(&messages(1)).await;
    assert_eq!(delivery.taken, 0);
    assert!(matches!(delivery.failure, Some(Failure::Retry { .. })), "{delivery:?}");
    assert_eq!(endpoint.received().len(), 0);
}

#[test]
fn no_public_address_is_refused_and_no_other_is_allowed() {
    let public =
        ["1.1.1.1", "93.184.215.14", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00::1"];
    let special = [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:a00:1::1",
        "3fff::1",
        "fc00::1",
        "fd12::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ];
    for address in public {
        assert!(Reach::Public.allows(address.parse().unwrap()), "{address}");
    }
    for address in special {
        assert!(!Reach::Public.allows(address.parse().unwrap()), "{address}");
    }
}

#[test]
fn an_endpoint_is_checked_before_anything_goes_there() {
    let made = |url: &str| {
        let options = WebhookOptions::new(url);
        Webhook::try_new(&options, secrets(), Arc::new(SetClock::at(now()))).map(drop)
    };
    let cases = [
        ("https://example.com", Ok(())),
        ("https://[2606:4700::1111]:8443/hooks", Ok(())),
        ("http://example.com/hooks", Err(InvalidWebhook::NotHttps)),
        ("ftp://example.com/hooks", Err(InvalidWebhook::NotHttps)),
        ("https://user:secret@example.com/", Err(InvalidWebhook::Credentials)),
        ("/hooks", Err(InvalidWebhook::Url)),
        ("example.com", Err(InvalidWebhook::Url)),
        ("https://", Err(InvalidWebhook::Url)),
        ("", Err(InvalidWebhook::Url)),
    ];
    for (url, due) in cases {
        assert_eq!(made(url), due, "{url}");
    }
    let shown = format!("{:?}", WebhookOptions::new("https://example.com/?token=abc"));
    assert!(!shown.contains("abc"), "{shown}");
}

#[tokio::test]
async fn an_endpoint_that_fails_for_a_while_gets_everything_in_order() {
    let tenant = tenant().await;
    let ways = [Way::Status(500, ""), Way::Cut, Way::Status(200, ""), Way::Garbage, Way::Silent];
    let endpoint = Endpoint::new(ways).await;
    let retry = RetryPolicy { attempts_max: 9, ..RetryPolicy::default() };
    let options = RelayOptions { retry, ..RelayOptions::new("one".parse().unwrap()) };
    let sink = Arc::new(webhook(&self::options(&endpoint)));
    let relay = Relay::new(tenant.clone(), "hooks".parse().unwrap(), sink, options);
    let (mut at, mut taken) = (now(), 0);
    while taken < 3 {
        taken += relay.run_once(at, 7).await.unwrap().messages;
        at = at.checked_add_ms(100_000_000).unwrap();
    }
    let mut ids: Vec<_> =
        endpoint.received().iter().map(|received| received.headers["webhook-id"].clone()).collect();
    assert_eq!(ids.len(), 7);
    ids.dedup();
    let due = ["first:acme:alice:1", "first:acme:bob:1", "first:acme:carol:1"];
    ids.sort();
    ids.dedup();
    assert_eq!(ids, due);
    assert!(verify(&tenant).await.unwrap().is_clean());
}

#[tokio::test]
async fn an_endpoint_that_is_gone_stops_the_run_and_loses_nothing() {
    let tenant = tenant().await;
    let endpoint = Endpoint::new([Way::Status(200, ""), Way::Status(410, "")]).await;
    let options = RelayOptions::new("one".parse().unwrap());
    let sink = Arc::new(webhook(&self::options(&endpoint)));
    let relay = Relay::new(tenant.clone(), "hooks".parse().unwrap(), sink, options);
    let delivered = relay.run_once(now(), 7).await.unwrap();
    assert_eq!((delivered.messages, delivered.dead, delivered.more), (1, 0, false));
    assert_eq!(delivered.gone.as_deref(), Some("the endpoint answered 410"));
    assert_eq!(endpoint.received().len(), 2);
    let later = now().checked_add_ms(100_000_000).unwrap();
    // The next run begins behind the account that had its turn, and one after it with the others.
    let mut taken = 0;
    for _ in 0..2 {
        taken += relay.run_once(later, 7).await.unwrap().messages;
    }
    assert_eq!(taken, 2);
}

/// Three accounts that were opened.
async fn tenant() -> Tenant {
    let clock = SetClock::at(now());
    let tenant =
        Billing::new(MemoryStore::new(), PlanBook::standard(), clock).tenant("acme").unwrap();
    for account in ["alice", "bob", "carol"] {
        let settings = json!({"id": account, "currency": "EUR", "zone": "UTC",
            "anchor": {"from": "2026-10-01", "months": 1}});
        tenant.open_account(&serde_json::from_value(settings).unwrap()).await.unwrap();
    }
    tenant
}
