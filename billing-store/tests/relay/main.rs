//! What happened reaches sinks at least once, in order per account, whatever fails meanwhile.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::default_numeric_fallback,
    reason = "a test may panic, and its counting is no money"
)]

mod crash;
#[path = "../folder/mod.rs"]
mod folder;
mod laws;
mod leases;
mod letters;
#[path = "../server/mod.rs"]
mod server;
#[path = "../services/mod.rs"]
mod services;
mod world;

use std::sync::{Arc, Mutex};

use billing_store::{
    relay::{Listeners, Relay, RelayOptions, Start},
    verify::verify,
};

use world::{SINK, Scripted, Step, Stores, call, journal, later, now, options, relay, tenant};

#[tokio::test]
async fn everything_is_delivered_in_order_under_ids_that_stay() {
    let stores = Stores::new("relay-all").await;
    for store in stores.all() {
        let tenant = tenant(store, &[5, 0, 3]).await;
        let sink = Scripted::of([]);
        let relay = relay(&tenant, "one", Arc::clone(&sink) as _);
        let delivered = relay.run_once(now(), 7).await.unwrap();
        // Opened, assigned, and the calls.
        assert_eq!((delivered.messages, delivered.accounts, delivered.more), (14, 3, false));
        assert_eq!(sink.places(), journal(&tenant).await.into_iter().collect::<Vec<_>>());
        let kinds: Vec<_> =
            sink.taken.lock().unwrap().iter().take(3).map(|m| m.kind.clone()).collect();
        assert_eq!(kinds, ["account.opened", "plan.assigned", "posting.rated"]);
        let ids: Vec<_> = sink.taken.lock().unwrap().iter().map(|m| m.id.to_string()).collect();
        assert_eq!(ids[0], "first:acme:alice:1");
        // Nothing happened, nothing is delivered.
        assert_eq!(relay.run_once(later(1), 7).await.unwrap(), <_>::default());
        call(&tenant, "bob", 0..2).await;
        assert_eq!(relay.run_once(later(2), 7).await.unwrap().messages, 2);
        assert_eq!(sink.places()[14..], [("bob".to_owned(), 3), ("bob".to_owned(), 4)]);
        assert!(verify(&tenant).await.unwrap().is_clean());
    }
}

#[tokio::test]
async fn no_number_that_was_called_is_in_a_message() {
    let stores = Stores::new("relay-private").await;
    for store in stores.all() {
        let tenant = tenant(store, &[2, 2, 2]).await;
        let sink = Scripted::of([]);
        relay(&tenant, "one", Arc::clone(&sink) as _).run_once(now(), 7).await.unwrap();
        for message in sink.taken.lock().unwrap().iter() {
            assert!(!message.body.contains("2025550"), "{}", message.body);
            assert!(!message.body.contains("fingerprint"), "{}", message.body);
        }
    }
}

#[tokio::test]
async fn a_run_has_bounds_and_the_next_goes_on_where_it_ended() {
    let stores = Stores::new("relay-bounds").await;
    for store in stores.all() {
        let tenant = tenant(store, &[9, 4, 6]).await;
        let sink = Scripted::of([]);
        let bounds = RelayOptions { messages_max: 4, accounts_max: 2, ..options("one") };
        let sink_id = SINK.parse().unwrap();
        let relay = Relay::new(tenant.clone(), sink_id, Arc::clone(&sink) as _, bounds);
        let mut runs = 0;
        loop {
            let delivered = relay.run_once(now(), 7).await.unwrap();
            assert!(delivered.messages <= 4 && delivered.accounts <= 2, "{delivered:?}");
            runs += 1;
            if runs == 3 {
                // The busy one in front did not keep the others waiting.
                assert_eq!(sink.first_taken().len(), 3, "{:?}", sink.places());
            }
            if !delivered.more {
                break;
            }
        }
        assert_eq!(sink.places().len(), journal(&tenant).await.len());
        assert!(runs < 20, "{runs}");
    }
}

#[tokio::test]
async fn a_new_sink_may_begin_with_what_happens_next() {
    let stores = Stores::new("relay-now").await;
    for store in stores.all() {
        let tenant = tenant(store, &[5, 0, 3]).await;
        let sink = Scripted::of([]);
        let from_now = RelayOptions { start: Start::Now, ..options("one") };
        let sink_id = SINK.parse().unwrap();
        let relay = Relay::new(tenant.clone(), sink_id, Arc::clone(&sink) as _, from_now);
        assert_eq!(relay.run_once(now(), 7).await.unwrap().messages, 0);
        call(&tenant, "carol", 3..4).await;
        assert_eq!(relay.run_once(now(), 7).await.unwrap().messages, 1);
        assert_eq!(sink.places(), [("carol".to_owned(), 6)]);
    }
}

#[tokio::test]
async fn listeners_that_fail_or_panic_hear_it_again() {
    let stores = Stores::new("relay-listeners").await;
    for store in stores.all() {
        let tenant = tenant(store, &[3, 0, 0]).await;
        let heard = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&heard);
        let listeners = Listeners::new().and(move |message| {
            let mut kept = kept.lock().unwrap();
            kept.push((message.account.to_string(), message.seq));
            match kept.len() {
                2 => Err("not now".into()),
                _ => Ok(()),
            }
        });
        let panics = Arc::new(Mutex::new(0));
        let listeners = listeners.and(move |_| {
            let mut calls = panics.lock().unwrap();
            *calls += 1;
            let is_second = *calls == 2;
            drop(calls);
            assert!(!is_second, "a listener panics");
            Ok(())
        });
        let relay = relay(&tenant, "one", Arc::new(listeners));
        let (mut at, mut retries) = (0, 0);
        let due = journal(&tenant).await.len() + 2;
        while heard.lock().unwrap().len() < due {
            retries += relay.run_once(later(at), 7).await.unwrap().retry;
            at += 100_000;
            assert!(at < 10_000_000, "{:?}", heard.lock().unwrap());
        }
        assert_eq!(retries, 2);
        assert_eq!(world::dead(&tenant).await, <_>::default());
    }
}

#[tokio::test]
async fn a_sink_that_is_down_is_asked_a_few_times_and_then_left_alone() {
    let stores = Stores::new("relay-down").await;
    for store in stores.all() {
        let tenant = tenant(store, &[3, 3, 3]).await;
        let sink = Scripted::of([Step::Retry; 2]);
        let options = RelayOptions { failures_max: 1, ..options("one") };
        let sink_id = SINK.parse().unwrap();
        let relay = Relay::new(tenant.clone(), sink_id, Arc::clone(&sink) as _, options);
        let first = relay.run_once(now(), 7).await.unwrap();
        assert_eq!((first.messages, first.retry, first.more), (0, 1, false));
        // The next account has its turn first.
        let second = relay.run_once(now(), 7).await.unwrap();
        assert_eq!((second.messages, second.retry), (0, 1));
        let failed: Vec<_> = sink.failed.lock().unwrap().keys().cloned().collect();
        assert_eq!(failed, [("alice".to_owned(), 1), ("bob".to_owned(), 1)]);
        assert_eq!(relay.run_once(now(), 7).await.unwrap().messages, 5);
        // Waits are over after a second at most.
        while relay.run_once(later(1_000), 7).await.unwrap().more {}
        assert_eq!(sink.places().len(), journal(&tenant).await.len());
    }
}
