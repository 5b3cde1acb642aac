//! What reaches a processor over a real line: each pulse in exactly one accepted revision, whatever the processor does.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use axum::http::StatusCode;
use serde_json::json;
use tokio::net::TcpListener;
use tower::ServiceExt as _;

use crate::{
    kept::{Done, Kept, same},
    receiver::{LATE, Mood, Receiver, until},
    service::{Flags, Service, pulse, report},
};

const COMMITTED: &str = "Aggregated data committed and cleared successfully";
const NOT_COMMITTED: &str = "Failed to commit aggregated data";
const COMMIT: &str = "/aggregates/commit";

fn place(account: &str, day: &str, revision: u64) -> (String, String, u64) {
    (account.to_owned(), day.to_owned(), revision)
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_processor_does_everything_is_accepted_exactly_once() -> Done {
    for (seed, kept) in [(1, Kept::on_file().await), (2, Kept::in_memory())] {
        let receiver = Receiver::start().await?;
        let mut random = seed;
        let moods = (0..120).map(|_| Mood::UNRELIABLE[next(&mut random, 9)]);
        receiver.will(moods);
        let mut flags = Flags::to(&receiver.url);
        flags.delivery.processor_timeout_ms = u64::try_from(LATE.as_millis())? / 4;
        let mut service = Service::start(kept, &flags).await?;
        let mut sent: BTreeMap<String, i64> = BTreeMap::new();
        for round in 0..6_i64 {
            let every = Duration::from_millis(15);
            let committing = tokio::spawn(Arc::clone(&service.committer).commit_every(every));
            let clients = (0..4_i64).map(|client| {
                let app = service.app.clone();
                tokio::spawn(async move {
                    for number in 0..20 {
                        let pulse = usage(round, client, number);
                        let answer = app.clone().oneshot(report(&pulse)).await.unwrap();
                        assert_eq!(answer.status(), StatusCode::OK);
                        tokio::time::sleep(Duration::from_millis(2)).await;
                    }
                })
            });
            for client in clients.collect::<Vec<_>>() {
                client.await?;
            }
            for pulse in (0..80).map(|number| usage(round, number / 20, number % 20)) {
                let tenant = pulse["tenant_id"].as_str().ok_or("no tenant")?.to_owned();
                *sent.entry(tenant).or_default() += pulse["used_amount"].as_i64().ok_or("none")?;
            }
            // Stopped in the middle of whatever the commit is at.
            committing.abort();
            assert!(committing.await.unwrap_err().is_cancelled());
            service = service.stop_without_goodbye().restart(&flags).await?;
        }
        until("a commit takes everything along", async || {
            let (status, _) = service.post(COMMIT).await?;
            Ok(status == StatusCode::OK && service.aggregates().await?.is_empty())
        })
        .await?;

        let mut accepted: BTreeMap<String, i64> = BTreeMap::new();
        for (tenant, _, _, amount) in receiver.sums()? {
            *accepted.entry(tenant).or_default() += amount.parse::<i64>()?;
        }
        assert_eq!(accepted, sent);
        assert!(receiver.again() > 0, "nothing came twice, so nothing was tried");
        let settled = recorded(&service).await?;
        assert_eq!(settled, receiver.taken().into_iter().collect());
        service.stop().await?;
    }
    Ok(())
}

/// Five tenants, three days, two products.
fn usage(round: i64, client: i64, number: i64) -> serde_json::Value {
    let seed = u64::try_from(round * 10_000 + client * 100 + number).unwrap_or_default();
    let mut random = seed;
    let tenant = format!("tenant-{}", next(&mut random, 5));
    let day = ["2026-11-18", "2026-11-19", "2026-11-20"][next(&mut random, 3)];
    let product = ["sms", "storage"][next(&mut random, 2)];
    let mut pulse = pulse(&tenant, product, "unit", i64::from(number == 0) + 1 + client);
    pulse["at"] = json!(format!("{day}T10:00:00Z"));
    pulse["id"] = json!(format!("{round}/{client}/{number}"));
    pulse
}

/// Where the store says that the processor accepted; nothing may be in another state.
async fn recorded(service: &Service) -> Done<BTreeSet<(String, String, u64)>> {
    let accounts = service.tenant.read().await?.account_page(None, 100).await?;
    let mut places = BTreeSet::new();
    for account in accounts {
        for settlement in service.tenant.settlements(&account).await? {
            let handover = &settlement.handover;
            same("the state of a settlement", settlement.state.name(), "accepted")?;
            let revision = u64::from(handover.revision);
            places.insert(place(account.as_str(), &handover.day.to_string(), revision));
        }
    }
    Ok(places)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_late_for_a_day_is_its_next_revision() -> Done {
    for kept in Kept::both().await {
        let receiver = Receiver::start().await?;
        let service = Service::start(kept, &Flags::to(&receiver.url)).await?;
        service.used(("acme", "sms", "message", 40)).await?;
        assert_eq!(service.post(COMMIT).await?, (StatusCode::OK, json!(COMMITTED)));
        service.used(("acme", "sms", "message", 2)).await?;
        // The other spelling does the same.
        assert_eq!(service.post("/agreggates/commit").await?, (StatusCode::OK, json!(COMMITTED)));
        let revisions = [place("acme", "2026-11-20", 1), place("acme", "2026-11-20", 2)];
        assert_eq!(receiver.taken(), revisions);
        assert_eq!(receiver.sums()?[0].3, "42");
        assert_eq!(service.aggregates().await?, []);
        service.stop().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_of_one_day_leaves_the_others() -> Done {
    let receiver = Receiver::start().await?;
    let service = Service::start(Kept::on_file().await, &Flags::to(&receiver.url)).await?;
    for day in ["2026-11-18", "2026-11-19", "2026-11-20"] {
        let mut pulse = pulse("acme", "sms", "message", 1);
        pulse["at"] = json!(format!("{day}T00:00:00Z"));
        assert_eq!(service.report(&pulse).await?.0, StatusCode::OK);
    }
    let invalid = (StatusCode::BAD_REQUEST, json!("Invalid input"));
    assert_eq!(service.post("/aggregates/commit?date=2026-02-30").await?, invalid);
    assert_eq!(receiver.batches(), 0);
    let of_one_day = service.post("/aggregates/commit?date=2026-11-19").await?;
    assert_eq!(of_one_day, (StatusCode::OK, json!(COMMITTED)));
    assert_eq!(receiver.taken(), [place("acme", "2026-11-19", 1)]);
    assert_eq!(service.aggregates().await?.len(), 2);
    // One request for each day that is left.
    assert_eq!(service.post(COMMIT).await?.0, StatusCode::OK);
    assert_eq!((receiver.batches(), receiver.taken().len()), (3, 3));
    service.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_without_an_answer_holds_no_other_back() -> Done {
    let receiver = Receiver::start().await?;
    let service = Service::start(Kept::in_memory(), &Flags::to(&receiver.url)).await?;
    for day in ["2026-11-18", "2026-11-19", "2026-11-20"] {
        let mut pulse = pulse("acme", "sms", "message", 1);
        pulse["at"] = json!(format!("{day}T00:00:00Z"));
        assert_eq!(service.report(&pulse).await?.0, StatusCode::OK);
    }
    receiver.will([Mood::Fails, Mood::Answers, Mood::TakesAndCuts]);
    let failed = (StatusCode::BAD_GATEWAY, json!(NOT_COMMITTED));
    assert_eq!(service.post(COMMIT).await?, failed);
    let (_, left) = service.get("/aggregates").await?;
    let days: Vec<_> =
        left.as_array().ok_or("no list")?.iter().map(|one| &one["AggregationDate"]).collect();
    assert_eq!(days, ["2026-11-18", "2026-11-20"]);
    assert_eq!(service.post(COMMIT).await?.0, StatusCode::OK);
    assert_eq!((receiver.batches(), receiver.again()), (5, 1));
    assert_eq!(receiver.sums()?[0].3, "3");
    service.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn while_nobody_listens_everything_waits() -> Done {
    // A port that was free a moment ago.
    let nowhere = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    let flags = Flags::to(&format!("http://{nowhere}/batches"));
    let service = Service::start(Kept::on_file().await, &flags).await?;
    service.used(("acme", "sms", "message", 42)).await?;
    for _ in 0..2 {
        let failed = (StatusCode::BAD_GATEWAY, json!(NOT_COMMITTED));
        assert_eq!(service.post(COMMIT).await?, failed);
        assert_eq!(service.aggregates().await?.len(), 1);
    }
    assert_eq!(service.get("/health").await?.0, StatusCode::OK);
    service.used(("acme", "sms", "message", 1)).await?;
    // The day is in two revisions by now, and still one aggregate.
    assert_eq!(service.aggregates().await?[0].3, 43);

    let receiver = Receiver::start().await?;
    let service = service.stop_without_goodbye().restart(&Flags::to(&receiver.url)).await?;
    assert_eq!(service.aggregates().await?[0].3, 43);
    assert_eq!(service.post(COMMIT).await?.0, StatusCode::OK);
    assert_eq!(receiver.taken().len(), 2);
    assert_eq!(receiver.sums()?[0].3, "43");
    service.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_stays_until_somebody_asks_again() -> Done {
    for kept in Kept::both().await {
        let receiver = Receiver::start().await?;
        receiver.will([Mood::Refuses]);
        let flags = Flags::to(&receiver.url);
        let service = Service::start(kept, &flags).await?;
        service.used(("acme", "sms", "message", 42)).await?;
        let failed = (StatusCode::BAD_GATEWAY, json!(NOT_COMMITTED));
        assert_eq!(service.post(COMMIT).await?, failed);
        assert_eq!(service.aggregates().await?[0].3, 42);

        // Not by itself, and not after a restart.
        let service = service.stop_without_goodbye().restart(&flags).await?;
        service.used(("zeta", "sms", "message", 1)).await?;
        let every = Duration::from_millis(5);
        let committing = tokio::spawn(Arc::clone(&service.committer).commit_every(every));
        until("only what was refused waits", async || Ok(service.aggregates().await?.len() == 1))
            .await?;
        committing.abort();
        assert!(committing.await.unwrap_err().is_cancelled());
        assert_eq!(service.aggregates().await?[0].0, "acme");
        assert_eq!(receiver.batches(), 2);

        assert_eq!(service.post("/aggregates/commit?date=2026-11-19").await?.0, StatusCode::OK);
        assert_eq!(receiver.batches(), 2, "that is another day");
        assert_eq!(service.post(COMMIT).await?.0, StatusCode::OK);
        assert_eq!(service.aggregates().await?, []);
        assert_eq!((receiver.batches(), receiver.again()), (3, 0));
        service.stop().await?;
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_minute_is_a_minute() -> Done {
    let service = Service::start(Kept::in_memory(), &Flags::usual()).await?;
    service.used(("acme", "sms", "message", 42)).await?;
    let every = Flags::usual().delivery.commit_every();
    let committing = tokio::spawn(Arc::clone(&service.committer).commit_every(every));
    tokio::time::sleep(Duration::from_millis(59_990)).await;
    assert_eq!(service.aggregates().await?.len(), 1);
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(service.aggregates().await?, []);
    service.used(("acme", "sms", "message", 1)).await?;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(service.aggregates().await?, []);
    committing.abort();
    assert!(committing.await.unwrap_err().is_cancelled());
    service.stop().await
}

/// A number below `end` of a small generator (splitmix64).
fn next(state: &mut u64, end: u64) -> usize {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    usize::try_from((z ^ (z >> 31)) % end).unwrap_or_default()
}
