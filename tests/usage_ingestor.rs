//! The example ingestor answers as its table of cases says, on both stores, and counts each pulse exactly once.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../examples/usage_ingestor/app/mod.rs"]
mod app;
mod cases;
#[path = "usage_ingestor/delivery.rs"]
mod delivery;
mod http;
mod kept;
#[path = "usage_ingestor/receiver.rs"]
mod receiver;
#[path = "usage_ingestor/service.rs"]
mod service;
#[path = "usage_ingestor/table.rs"]
mod table;

use std::sync::Arc;

use axum::{
    body::{Body, to_bytes},
    http::StatusCode,
};
use clap::Parser;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use app::{
    bus,
    settings::{Counting, Delivery},
};
use http::request;
use kept::{Done, Kept, same};
use service::{Flags, Service, pulse, report, send};

/// A pulse with further fields.
fn with(mut pulse: Value, fields: &[(&str, &str)]) -> Value {
    for (field, text) in fields {
        pulse[*field] = json!(text);
    }
    pulse
}

fn total(tenant: &str, product: &str, unit: &str, sum: i64) -> (String, String, String, i64) {
    (tenant.to_owned(), product.to_owned(), unit.to_owned(), sum)
}

#[tokio::test(flavor = "multi_thread")]
async fn pulses_of_many_clients_at_once_add_up() -> Done {
    for kept in Kept::both().await {
        let service = Service::start(kept, &Flags::usual()).await?;
        // Eight clients report to the same five new tenants at the same time.
        let client = |client: i64| {
            let app = service.app.clone();
            async move {
                for number in 0..100_i64 {
                    let tenant = format!("tenant-{}", number % 5);
                    let pulse = pulse(&tenant, "sms", "message", client * 100 + number + 1);
                    let answer = app.clone().oneshot(report(&pulse)).await.unwrap();
                    assert_eq!(answer.status(), StatusCode::OK);
                }
            }
        };
        let clients: Vec<_> = (0..8).map(|number| tokio::spawn(client(number))).collect();
        for client in clients {
            client.await?;
        }
        let sums: Vec<i64> = service.aggregates().await?.into_iter().map(|sum| sum.3).collect();
        assert_eq!((sums.len(), sums.iter().sum::<i64>()), (5, (1..=800).sum()));
        service.stop().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_pulse_that_is_sent_twice_counts_once() -> Done {
    for kept in Kept::both().await {
        let service = Service::start(kept, &Flags::usual()).await?;
        let named = |amount| with(pulse("acme", "sms", "message", amount), &[("id", "p-1")]);
        // Two at once may share a transaction; the third comes on another day, and the fourth after a commit.
        let pulse_1 = named(7);
        let twice = tokio::join!(service.report(&pulse_1), service.report(&pulse_1));
        service.clock.set("2026-12-24T18:00:00Z".parse()?);
        let third = service.report(&named(7)).await?;
        assert_eq!(service.aggregates().await?, [total("acme", "sms", "message", 7)]);
        assert_eq!(service.post("/aggregates/commit").await?.0, StatusCode::OK);
        let fourth = service.report(&named(7)).await?;
        for answer in [twice.0?, twice.1?, third, fourth] {
            assert_eq!(answer, (StatusCode::OK, json!("Pulse processed successfully")));
        }
        assert_eq!(service.aggregates().await?, []);

        let taken = (StatusCode::CONFLICT, json!("Pulse id belongs to another pulse"));
        assert_eq!(service.report(&named(8)).await?, taken);
        let other_time = with(named(7), &[("at", "2026-11-20T12:00:01Z")]);
        assert_eq!(service.report(&other_time).await?, taken);
        // An id is its tenant's own, and a pulse without one is always another.
        let other = with(pulse("zeta", "sms", "message", 8), &[("id", "p-1")]);
        for pulse in
            [&other, &pulse("acme", "sms", "message", 2), &pulse("acme", "sms", "message", 2)]
        {
            assert_eq!(service.report(pulse).await?.0, StatusCode::OK);
        }
        let sums = [total("acme", "sms", "message", 4), total("zeta", "sms", "message", 8)];
        assert_eq!(service.aggregates().await?, sums);
        service.stop().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_pulse_without_an_answer_counts_once_when_it_is_sent_again() -> Done {
    let flags = Flags::usual();
    let (service, queue) = Service::start_without_recorder(Kept::on_file().await, &flags).await?;
    let named = with(pulse("acme", "sms", "message", 7), &[("id", "p-1")]);
    // The program stops after the pulse was handed in and before it was recorded.
    let waiting = tokio::spawn(service.app.clone().oneshot(report(&named)));
    while service.bus.waiting() == 0 {
        tokio::task::yield_now().await;
    }
    drop(queue);
    assert_eq!(waiting.await??.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(service.aggregates().await?, []);

    let service = service.stop_without_goodbye().restart(&flags).await?;
    for _ in 0..2 {
        assert_eq!(service.report(&named).await?.0, StatusCode::OK);
    }
    assert_eq!(service.aggregates().await?, [total("acme", "sms", "message", 7)]);
    service.stop().await
}

#[tokio::test]
async fn one_wrong_pulse_does_not_take_those_that_wait_with_it_along() -> Done {
    for kept in Kept::both().await {
        let (service, queue) = Service::start_without_recorder(kept, &Flags::usual()).await?;
        let before_its_time =
            with(pulse("new", "sms", "message", 9), &[("at", "2020-01-01T00:00:00Z")]);
        let pulses = [
            pulse("acme", "sms", "message", 7),
            pulse("acme", "sms", "message", -1),
            before_its_time,
            pulse("acme", "sms", "message", 5),
        ];
        let send = |pulse: &Value| tokio::spawn(service.app.clone().oneshot(report(pulse)));
        let answers: Vec<_> = pulses.iter().map(send).collect();
        while service.bus.waiting() < pulses.len() {
            tokio::task::yield_now().await;
        }
        let service = service.record(queue);
        let mut statuses = Vec::new();
        for answer in answers {
            statuses.push(answer.await??.status().as_u16());
        }
        assert_eq!(statuses, [200, 400, 400, 200]);
        assert_eq!(service.aggregates().await?, [total("acme", "sms", "message", 12)]);
        assert_eq!(service.tenants().await?, 1, "a refused first pulse opens no account");
        service.stop().await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_waits_when_the_program_ends_is_recorded_first() -> Done {
    let flags = Flags::usual();
    let (service, queue) = Service::start_without_recorder(Kept::on_file().await, &flags).await?;
    let pulse = pulse("acme", "sms", "message", 7);
    let waiting = tokio::spawn(service.app.clone().oneshot(report(&pulse)));
    while service.bus.waiting() == 0 {
        tokio::task::yield_now().await;
    }
    // Whoever asked has hung up, and nobody can report any more.
    waiting.abort();
    assert!(waiting.await.is_err());
    let (ledger, kept) = (Arc::clone(&service.ledger), service.kept.clone());
    drop(service);
    bus::record_all(queue, ledger).await;

    let service = Service::start(kept, &flags).await?;
    assert_eq!(service.aggregates().await?, [total("acme", "sms", "message", 7)]);
    service.stop().await
}

#[tokio::test]
async fn a_pulse_counts_on_the_day_it_happened_in_its_zone() -> Done {
    let days = async |service: &Service| -> Done<Vec<Value>> {
        let (_, list) = service.get("/aggregates").await?;
        let list = list.as_array().ok_or("no list")?.clone();
        Ok(list.iter().map(|one| one["AggregationDate"].clone()).collect())
    };
    let at = |tenant, at| with(pulse(tenant, "sms", "message", 1), &[("at", at)]);
    let service = Service::start(Kept::on_file().await, &Flags::usual()).await?;
    for time in ["2026-11-18T23:30:00Z", "2026-11-19T01:00:00+02:00", "2026-11-20T12:00:00Z"] {
        assert_eq!(service.report(&at("acme", time)).await?.0, StatusCode::OK);
    }
    assert_eq!(days(&service).await?, ["2026-11-18", "2026-11-20"]);
    let (_, of_one_day) = service.get("/aggregates?date=2026-11-18").await?;
    assert_eq!(of_one_day[0]["TotalUsedAmount"], 2);
    assert_eq!(of_one_day.as_array().map(Vec::len), Some(1));
    assert_eq!(service.get("/aggregates?unknown=1&date=2026-11-19").await?.1, json!([]));
    assert_eq!(service.get("/aggregates?date=today").await?.0, StatusCode::BAD_REQUEST);

    // New tenants have the zone of the flag, and those who are there keep theirs.
    let mut flags = Flags::usual();
    flags.counting.zone = "Pacific/Auckland".parse()?;
    let service = service.stop_without_goodbye().restart(&flags).await?;
    for tenant in ["acme", "zeta"] {
        assert_eq!(service.report(&at(tenant, "2026-11-18T23:30:00Z")).await?.0, StatusCode::OK);
    }
    assert_eq!(days(&service).await?, ["2026-11-18", "2026-11-20", "2026-11-19"]);
    service.stop().await
}

#[tokio::test]
async fn an_amount_is_written_digit_by_digit() -> Done {
    let service = Service::start(Kept::in_memory(), &Flags::usual()).await?;
    service.used(("acme", "sms", "message", 9_007_199_254_740_993)).await?;
    let request = request("GET", "/aggregates").body(Body::empty())?;
    let body = service.app.clone().oneshot(request).await?.into_body();
    let body = String::from_utf8(to_bytes(body, usize::MAX).await?.to_vec())?;
    let aggregate = r#"[{"TenantId":"acme","ProductSKU":"sms","UseUnit":"message","TotalUsedAmount":9007199254740993,"AggregationDate":"2026-11-20","PulseKey":"acme:sms:message:2026-11-20"}]"#;
    assert_eq!(body, aggregate);
    // The largest amount is taken once, and not where the sum would be too large.
    service.used(("zeta", "sms", "message", 999_999_999_999_999_999)).await?;
    let (status, _) = service.report(&pulse("zeta", "sms", "message", 1)).await?;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let (_, found) = service.get("/aggregates/zeta:sms:message:2026-11-20").await?;
    assert_eq!(found["TotalUsedAmount"], 999_999_999_999_999_999_u64);
    service.stop().await
}

#[tokio::test]
async fn amounts_below_zero_are_taken_where_the_flag_says_so() -> Done {
    let mut flags = Flags::usual();
    flags.counting.allow_negative = true;
    let service = Service::start(Kept::on_file().await, &flags).await?;
    for amount in [150, 100, -300] {
        service.used(("acme", "sms", "message", amount)).await?;
    }
    assert_eq!(service.aggregates().await?, [total("acme", "sms", "message", -50)]);
    service.stop().await
}

#[tokio::test]
async fn each_aggregate_is_found_under_its_key_alone() -> Done {
    let service = Service::start(Kept::in_memory(), &Flags::usual()).await?;
    let names = [
        ("a:b", "c", "d"),
        ("a", "b:c", "d"),
        ("a", "b", "c:d"),
        ("a%3Ab", "c", "d"),
        ("a/b", "c", "d"),
    ];
    for (amount, (tenant, product, unit)) in (1..).zip(names) {
        service.used((tenant, product, unit, amount)).await?;
    }
    let (_, list) = service.get("/aggregates").await?;
    for aggregate in list.as_array().ok_or("no list")? {
        let key = aggregate["PulseKey"].as_str().ok_or("no key")?;
        let path = format!("/aggregates/{}", key.replace('%', "%25").replace('/', "%2F"));
        assert_eq!(service.get(&path).await?, (StatusCode::OK, aggregate.clone()), "{path}");
    }
    assert_eq!(list.as_array().map(Vec::len), Some(names.len()));
    service.stop().await
}

#[tokio::test]
async fn a_clients_mistake_is_named_and_nothing_is_kept_of_it() -> Done {
    let (invalid, failed) = ("Invalid input", "Failed to process pulse");
    let long = "x".repeat(256);
    let good = || pulse("acme", "sms", "message", 7);
    let but = |field: &str, value: Value| {
        let mut pulse = good();
        pulse[field] = value;
        pulse.to_string()
    };
    let large = but("note", json!("x".repeat(20_000)));
    let table = [
        (String::new(), 400, failed),
        ("{}".to_owned(), 400, failed),
        (but("used_amount", json!(0)), 400, failed),
        (but("used_amount", json!(null)), 400, failed),
        (but("use_unit", json!("")), 400, failed),
        (but("use_unit", json!("a\nb")), 400, failed),
        (but("tenant_id", json!(long)), 400, failed),
        (but("product_sku", json!("x".repeat(250))), 400, failed),
        (but("id", json!("")), 400, failed),
        (but("used_amount", json!(1_000_000_000_000_000_000_i64)), 400, failed),
        // A day ahead and a year back are taken, not more.
        (but("at", json!("2026-11-21T12:00:01Z")), 400, failed),
        (but("at", json!("2025-11-19T11:59:59Z")), 400, failed),
        (but("at", json!("yesterday")), 400, invalid),
        (but("at", json!(1_763_640_000)), 400, invalid),
        (but("id", json!(7)), 400, invalid),
        (but("tenant_id", json!(7)), 400, invalid),
        (but("used_amount", json!("7")), 400, invalid),
        (good().to_string().replace('7', "9223372036854775808"), 400, invalid),
        (good().to_string().replace('7', "7e0"), 400, invalid),
        (good().to_string().replace('7', "7.0"), 400, invalid),
        (format!("[{}]", good()), 400, invalid),
        (format!("{} {{}}", good()), 400, invalid),
        (large, 413, invalid),
    ];
    let service = Service::start(Kept::on_file().await, &Flags::usual()).await?;
    for (body, status, said) in table {
        let request = request("POST", "/pulses").header("content-type", "application/json");
        let (found, answer) = service.send(request.body(body.clone().into())?).await?;
        assert_eq!((found.as_u16(), &answer), (status, &json!(said)), "{body}");
    }
    for content_type in ["text/plain", "application/x-www-form-urlencoded", ""] {
        let request = request("POST", "/pulses").header("content-type", content_type);
        let answer = service.send(request.body(good().to_string().into())?).await?;
        assert_eq!(answer, (StatusCode::BAD_REQUEST, json!(invalid)), "{content_type}");
    }
    for (method, path, status, message) in [
        ("GET", "/", 404, "Not Found"),
        ("GET", "/pulses", 405, "Method Not Allowed"),
        ("DELETE", "/aggregates", 405, "Method Not Allowed"),
    ] {
        let (found, answer) = service.send(request(method, path).body(Body::empty())?).await?;
        assert_eq!((found.as_u16(), answer), (status, json!({ "message": message })), "{path}");
    }
    assert_eq!((service.aggregates().await?, service.tenants().await?), (vec![], 0));
    service.stop().await
}

#[tokio::test]
async fn sample_data_is_there_for_those_who_ask_and_once() -> Done {
    let service = Service::start(Kept::in_memory(), &Flags::usual()).await?;
    assert_eq!(service.aggregates().await?, []);
    for _ in 0..2 {
        service.ledger.record(&app::sample()?).await?;
        let sums = [total("tenant1", "sku1", "unit1", 150), total("tenant2", "sku2", "unit2", 90)];
        assert_eq!(service.aggregates().await?, sums);
    }
    service.stop().await
}

#[tokio::test]
async fn a_service_says_whether_it_can_keep_pulses() -> Done {
    let service = Service::start(Kept::on_file().await, &Flags::usual()).await?;
    let up = (StatusCode::OK, json!({ "status": "UP", "waiting": 0 }));
    assert_eq!(service.get("/health").await?, up);
    service.kept.close().await;
    let down = (StatusCode::SERVICE_UNAVAILABLE, json!({ "status": "DOWN" }));
    assert_eq!(service.get("/health").await?, down);
    for (request, said) in [
        (report(&pulse("acme", "sms", "message", 7)), "Failed to process pulse"),
        (request("GET", "/aggregates").body(Body::empty())?, "Failed to read aggregates"),
        (
            request("POST", "/aggregates/commit").body(Body::empty())?,
            "Failed to commit aggregated data",
        ),
    ] {
        let answer = send(&service.app, request).await?;
        assert_eq!(answer, (StatusCode::INTERNAL_SERVER_ERROR, json!(said)));
    }
    Ok(())
}

#[test]
fn the_flags_are_what_the_service_does_without_them() -> Done {
    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        counting: Counting,
        #[command(flatten)]
        delivery: Delivery,
    }
    let parse = |flags: &[&str]| Flags::try_parse_from([&["usage_ingestor"], flags].concat());
    let Flags { counting, delivery } = parse(&[])?;
    same("the zone", counting.zone.name(), "UTC")?;
    assert!(!counting.allow_negative && delivery.processor.is_none());
    assert_eq!(delivery.commit_every().as_secs(), 60);
    assert!(parse(&["--processor=http://127.0.0.1:9/batches"])?.delivery.processor.is_some());
    for wrong in [
        "--zone=Berlin",
        "--processor=https://localhost/",
        "--processor=/batches",
        "--commit-every-s=0",
        "--processor-timeout-ms=0",
    ] {
        assert!(parse(&[wrong]).is_err(), "{wrong}");
    }
    Ok(())
}
