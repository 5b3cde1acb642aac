//! The example service answers as its table of cases says, on both stores, and loses nothing in any way a service can end.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

#[path = "../examples/mobile_billing/app/mod.rs"]
mod app;
mod cases;
mod http;
mod kept;
#[path = "mobile_billing/service.rs"]
mod service;
#[path = "mobile_billing/table.rs"]
mod table;

use std::sync::Arc;

use axum::{
    body::{Body, to_bytes},
    http::{Request, StatusCode},
};
use clap::Parser;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use app::{bus, tariff::Tariff};
use http::request;
use kept::{Done, Kept, same};
use service::{Service, tariff, usual};

const A_SECOND: &str = r#"{"call_duration": 1000}"#;

#[tokio::test(flavor = "multi_thread")]
async fn users_whose_first_calls_come_all_at_once_lose_none() -> Done {
    for kept in Kept::both().await {
        let service = Service::start(kept, usual()).await?;
        // Eight clients greet each of fifty new users at the same time.
        service.called_at_once(8, 50, |call| format!("user-{call}"), 10_001).await;
        for user in 0..50 {
            same("the bill", service.bill(&format!("user-{user}")).await?, (8, 3))?;
        }
        service.stop().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_report_that_is_sent_twice_counts_once() -> Done {
    for kept in Kept::both().await {
        let service = Service::start(kept, usual()).await?;
        let report = |path: &str, duration_ms: u64| {
            let json = json!({ "call_duration": duration_ms });
            request("PUT", path).header("Idempotency-Key", "call-1").body(json.to_string().into())
        };
        let typed = |mut request: Request<Body>| {
            request.headers_mut().insert("content-type", "application/json".parse().unwrap());
            request
        };
        let (v1, plain) = ("/v1/mobile/ann/call", "/mobile/ann/call");
        // Two at once may share a transaction; the third comes on another day.
        let twice = tokio::join!(
            service.send(report(v1, 61_000)?),
            service.send(typed(report(plain, 61_000)?))
        );
        service.clock.set("2026-12-24T18:00:00Z".parse()?);
        for (status, _) in [twice.0?, twice.1?, service.send(report(v1, 61_000)?).await?] {
            assert_eq!(status, StatusCode::OK);
        }
        let (status, body) = service.send(report(v1, 61_001)?).await?;
        assert_eq!((status, &body["meta"]["code"]), (StatusCode::CONFLICT, &json!(4_090_100)));
        let (status, body) = service.send(typed(report("/mobile/bob/call", 61_000)?)).await?;
        assert_eq!((status, &body["extra"]), (StatusCode::CONFLICT, &json!({})));

        assert_eq!(service.bill("ann").await?, (1, 3));
        let (status, _) = service.get("/v1/mobile/bob/billing").await?;
        assert_eq!(status, StatusCode::NOT_FOUND);
        let accounts = service.tenant.read().await?.account_page(None, 10).await?;
        assert_eq!(accounts, ["ann".parse()?], "a refused first call opens no account");
        service.stop().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_report_without_an_answer_counts_once_when_it_is_sent_again() -> Done {
    let (service, queue) = Service::start_without_recorder(Kept::on_file().await, usual()).await?;
    let report = || {
        let request = request("PUT", "/v1/mobile/ann/call").header("Idempotency-Key", "call-1");
        request.body(Body::from(A_SECOND))
    };
    // The program stops after the call was published and before it was recorded.
    let waiting = tokio::spawn(service.app.clone().oneshot(report()?));
    while service.bus.waiting() == 0 {
        tokio::task::yield_now().await;
    }
    drop(queue);
    assert_eq!(waiting.await??.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(service.stored().await, []);

    let service = service.stop_without_goodbye().restart(usual()).await?;
    for _ in 0..2 {
        assert_eq!(service.send(report()?).await?.0, StatusCode::OK);
    }
    assert_eq!(service.bill("ann").await?, (1, 1));
    service.stop().await
}

#[tokio::test]
async fn requests_that_wait_together_are_committed_together() -> Done {
    let (service, queue) = Service::start_without_recorder(Kept::in_memory(), usual()).await?;
    let report = |user: u32| {
        let request = request("PUT", &format!("/v1/mobile/{user}/call"));
        tokio::spawn(service.app.clone().oneshot(request.body(Body::from(A_SECOND)).unwrap()))
    };
    let mut answers: Vec<_> = (0..500).map(report).collect();
    while service.bus.waiting() < bus::CAPACITY {
        tokio::task::yield_now().await;
    }
    // The channel is full: one more waits, and does not fail.
    answers.push(report(500));
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    let (_, info) = service.get("/actuator/info").await?;
    let size = json!({ "channel_capacity": 500, "channel_current_size": 500 });
    assert_eq!(info["data"]["info"]["event_bus"], size);
    assert_eq!(info["data"]["service_name"], "Call Billing API");
    assert!(answers.iter().all(|answer| !answer.is_finished()));

    let service = service.record(queue);
    for answer in answers {
        assert_eq!(answer.await??.status(), StatusCode::OK);
    }
    let intakes = service.tenant.read().await?.intake_page(None, 10).await?;
    let mut received: Vec<_> = intakes.iter().map(|intake| intake.received).collect();
    received.sort_unstable();
    assert_eq!(received, [1, 500]);
    service.stop().await
}

#[tokio::test]
async fn what_waits_when_the_program_ends_is_recorded_first() -> Done {
    let (service, queue) = Service::start_without_recorder(Kept::on_file().await, usual()).await?;
    let report = request("PUT", "/v1/mobile/ann/call").body(Body::from(A_SECOND))?;
    let waiting = tokio::spawn(service.app.clone().oneshot(report));
    while service.bus.waiting() == 0 {
        tokio::task::yield_now().await;
    }
    // Whoever asked has hung up, and nobody can publish any more.
    waiting.abort();
    assert!(waiting.await.is_err());
    let (ledger, kept) = (Arc::clone(&service.ledger), service.kept.clone());
    drop(service);
    bus::record_all(queue, ledger).await;

    let service = Service::start(kept, usual()).await?;
    assert_eq!(service.bill("ann").await?, (1, 1));
    service.stop().await
}

#[tokio::test]
async fn calls_of_several_months_make_one_bill() -> Done {
    for kept in Kept::both().await {
        let service = Service::start(kept, usual()).await?;
        // Ten seconds each: on their own each would begin a block.
        for now in ["2026-11-20T12:00:00Z", "2026-12-01T00:00:05Z", "2027-03-01T00:00:00Z"] {
            service.clock.set(now.parse()?);
            service.called("ann", 10_000).await?;
        }
        assert_eq!(service.bill("ann").await?, (3, 1));
        // The longest call there is began before its user's account was opened.
        service.called("ann", 366 * 24 * 3_600_000).await?;
        assert_eq!(service.bill("ann").await?, (4, 1_054_081));
        let (_, bill) = service.get("/v1/mobile/ann/billing").await?;
        assert_eq!(bill["data"]["price"], json!(210_816.2));
        service.clock.set("2029-01-01T00:00:00Z".parse()?);
        assert_eq!(service.bill("ann").await?, (4, 1_054_081));
        service.stop().await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_longest_call_may_be_somebodys_first() -> Done {
    let service = Service::start(Kept::in_memory(), usual()).await?;
    service.called("ann", 366 * 24 * 3_600_000).await?;
    assert_eq!(service.bill("ann").await?, (1, 1_054_080));
    service.stop().await
}

#[tokio::test]
async fn a_new_tariff_holds_for_new_users_alone() -> Done {
    let price = async |service: &Service, user: &str| -> Done<(Value, Value)> {
        let (_, bill) = service.get(&format!("/v1/mobile/{user}/billing")).await?;
        Ok((bill["data"]["block_count"].clone(), bill["data"]["price"].clone()))
    };
    let service = Service::start(Kept::on_file().await, usual()).await?;
    service.called("old", 61_000).await?;
    let service = service.stop_without_goodbye();
    let service = service.restart(tariff(60_000, "0.35")).await?;
    service.called("new", 61_000).await?;
    service.called("old", 30_000).await?;
    assert_eq!(price(&service, "old").await?, (json!(4), json!(0.8)));
    assert_eq!(price(&service, "new").await?, (json!(2), json!(0.7)));
    // The first tariff again is the first version again.
    let service = service.stop_without_goodbye().restart(tariff(30_000, "0.20")).await?;
    service.called("third", 1).await?;
    assert_eq!(price(&service, "third").await?, (json!(1), json!(0.2)));
    assert_eq!(service.tenant.read().await?.all_plans().await?.len(), 2);
    service.stop().await
}

#[tokio::test]
async fn both_interfaces_share_their_users() -> Done {
    let service = Service::start(Kept::on_file().await, usual()).await?;
    let call = r#"{"call_duration": 10000}"#;
    for (path, body) in [
        ("/v1/mobile/Bob/call", call),
        ("/mobile/Bob/call", call),
        ("/mobile/%20Bob%0A/call", call),
        ("/v1/mobile/bob/call", call),
    ] {
        let request =
            request("PUT", path).header("content-type", "application/json; charset=utf-8");
        let (status, answer) = service.send(request.body(body.into())?).await?;
        assert_eq!(status, StatusCode::OK, "{path}: {answer}");
    }
    assert_eq!(service.bill("Bob").await?, (3, 1));
    assert_eq!(service.bill("bob").await?, (1, 1));
    assert_eq!(service.get("/mobile/%20Bob%20/billing").await?.1["call_count"], 3);

    // A user's number is the user's own, and stays.
    let number = async |service: &Service, user: &str| {
        service.get(&format!("/v1/mobile/{user}/billing")).await.unwrap().1["data"]["id"].as_u64()
    };
    let (one, two) = (number(&service, "Bob").await, number(&service, "bob").await);
    assert!(one > Some(0) && two > Some(0) && one != two);
    let service = service.stop_without_goodbye().restart(usual()).await?;
    assert_eq!((number(&service, "Bob").await, number(&service, "bob").await), (one, two));
    service.stop().await
}

#[tokio::test]
async fn a_clients_mistake_is_named_and_nothing_is_kept_of_it() -> Done {
    let service = Service::start(Kept::in_memory(), usual()).await?;
    let long = format!(r#"{{"call_duration": 1, "note": "{}"}}"#, "x".repeat(20_000));
    let table = [
        // Under v1: the status, then the code.
        ("/v1/mobile/ann/call", r#"{"call_duration": 31622400001}"#, 400, 4_000_102),
        ("/v1/mobile/ann/call", r#"{"call_duration": 9223372036855}"#, 400, 4_000_102),
        ("/v1/mobile/ann/call", r#"{"call_duration": 9223372036854775808}"#, 400, 400),
        ("/v1/mobile/ann/call", r#"{"call_duration": 1e3}"#, 400, 400),
        ("/v1/mobile/ann/call", r#"{"call_duration": "1000"}"#, 400, 400),
        ("/v1/mobile/ann/call", r#"{"call_duration": null}"#, 400, 4_000_102),
        ("/v1/mobile/ann/call", "[1000]", 400, 400),
        ("/v1/mobile/ann/call", "null", 400, 400),
        ("/v1/mobile/ann/call", r#"{"call_duration": 1} {}"#, 400, 400),
        ("/v1/mobile/a%00b/call", r#"{"call_duration": 1}"#, 400, 4_000_101),
        ("/v1/mobile/%FF/call", r#"{"call_duration": 1}"#, 400, 4_000_101),
        (
            "/v1/mobile/%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4a/call",
            r#"{"call_duration": 1}"#,
            400,
            4_000_101,
        ),
        ("/v1/mobile/ann/call", &long, 413, 0),
        // Without a version.
        ("/mobile/ann/call", r#"{"call_duration": 31622400001}"#, 400, 0),
        ("/mobile/ann/call", r#"{"call_duration": 99999999999999999999999}"#, 400, 0),
        ("/mobile/ann/call", r#"{"call_duration": -1}"#, 400, 0),
        ("/mobile/ann/call", r#"{"call_duration": "abc"}"#, 400, 0),
        ("/mobile/ann/call", r#"{"call_duration": ""}"#, 400, 0),
        ("/mobile/ann/call", r#"{"call_duration": 1.5}"#, 400, 0),
        ("/mobile/ann/call", r#""call_duration""#, 400, 0),
        ("/mobile/ann/call", "{", 400, 0),
        ("/mobile/%20/call", r#"{"call_duration": 1}"#, 400, 0),
        ("/mobile/%FF/call", r#"{"call_duration": 1}"#, 400, 0),
        ("/mobile/a%2Fb/call", r#"{"call_duration": 1}"#, 404, 0),
        ("/mobile/ann/call", &long, 413, 0),
    ];
    for (path, body, status, code) in table {
        let request = request("PUT", path).header("content-type", "application/json");
        let (found, answer) = service.send(request.body(body.to_owned().into())?).await?;
        assert_eq!(found.as_u16(), status, "{path} {body}: {answer}");
        if code != 0 {
            assert_eq!(answer["meta"]["code"], code, "{path} {body}: {answer}");
        }
    }
    for key in [String::new(), "k".repeat(256), "\u{e4}".to_owned()] {
        let request = request("PUT", "/v1/mobile/ann/call").header("Idempotency-Key", key);
        let request = request.body(r#"{"call_duration": 1}"#.into())?;
        assert_eq!(service.send(request).await?.1["meta"]["code"], 4_000_103);
    }
    for (method, path, status) in [
        ("GET", "/v1/mobile//billing", 400),
        ("GET", "/v1/mobile/%00/billing", 404),
        ("DELETE", "/v1/mobile/ann/call", 404),
        ("POST", "/actuator/health", 404),
        ("GET", "/mobile/%00/billing", 200),
        ("POST", "/mobile/ann/billing", 405),
    ] {
        let (found, answer) = service.send(request(method, path).body(Body::empty())?).await?;
        assert_eq!(found.as_u16(), status, "{method} {path}: {answer}");
    }
    assert_eq!(service.stored().await, []);
    service.stop().await
}

#[tokio::test]
async fn a_price_is_written_digit_by_digit() -> Done {
    let service = Service::start(Kept::in_memory(), usual()).await?;
    service.called("ann", 70_000).await?;
    let request = request("GET", "/v1/mobile/ann/billing").body(Body::empty())?;
    let response = service.app.clone().oneshot(request).await?;
    assert_eq!(response.headers()["content-type"], "application/json; charset=utf-8");
    let body = to_bytes(response.into_body(), usize::MAX).await?;
    let body = String::from_utf8(body.to_vec())?;
    assert!(body.ends_with(r#""call_count":1,"block_count":3,"price":0.6}}"#), "{body}");
    service.stop().await
}

#[tokio::test]
async fn a_service_that_works_says_so() -> Done {
    for kept in Kept::both().await {
        let service = Service::start(kept, usual()).await?;
        let (status, health) = service.get("/actuator/health").await?;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(health["data"]["status"], "UP");
        assert_eq!(health["data"]["components"]["datasource"]["status"], "UP");
        service.stop().await?;
    }
    Ok(())
}

#[test]
fn the_flags_take_no_block_without_length_and_no_price_below_zero() {
    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        tariff: Tariff,
    }
    let parse = |flags: &[&str]| Flags::try_parse_from([&["mobile_billing"], flags].concat());
    let Tariff { block_ms, price_per_block } = parse(&[]).ok().unwrap().tariff;
    assert_eq!((block_ms, price_per_block.to_string().as_str()), (30_000, "0.2"));
    for wrong in ["--block-ms=0", "--block-ms=-1", "--price-per-block=-0.2", "--price-per-block=x"]
    {
        assert!(parse(&[wrong]).is_err(), "{wrong}");
    }
}
