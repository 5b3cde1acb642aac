//! One relay at a time: two of one sink, take-over, and hand-over.

use std::{collections::BTreeSet, sync::Arc};

use crate::world::{
    ACCOUNTS, Scripted, Step, Stores, call, journal, later, now, nudge, relay, tenant,
};

#[tokio::test]
async fn a_second_relay_waits_and_takes_over_when_the_first_is_gone() {
    let stores = Stores::new("relay-lease").await;
    for store in stores.all() {
        let tenant = tenant(store, &[2, 2, 2]).await;
        let sink = Scripted::of([Step::Take, Step::TakeAndHang]);
        let one = relay(&tenant, "one", Arc::clone(&sink) as _);
        let two = relay(&tenant, "two", Arc::clone(&sink) as _);
        // The first dies between the delivery and the note of it.
        let mut run = Box::pin(one.run_once(now(), 7));
        while sink.places().len() < 2 {
            nudge(&mut run).await;
        }
        drop(run);
        for at in [0, 1, 29_999] {
            let held = two.run_once(later(at), 7).await.unwrap().held.unwrap();
            assert_eq!((held.holder.as_str(), held.token), ("one", 1));
        }
        let delivered = two.run_once(later(30_000), 7).await.unwrap();
        assert_eq!((delivered.messages, delivered.held), (12, None));
        // What the first had delivered came again, and nothing else did.
        assert_eq!(sink.places().len(), 14);
        assert_eq!(sink.places()[..4].iter().collect::<BTreeSet<_>>().len(), 2);
        // The first is back, and finds that it is not its turn.
        assert_eq!(one.run_once(later(30_001), 7).await.unwrap().held.unwrap().token, 2);
    }
}

#[tokio::test]
async fn a_relay_that_wakes_after_its_lease_moves_nothing() {
    let stores = Stores::new("relay-stale").await;
    for store in stores.all() {
        let tenant = tenant(store, &[4, 0, 0]).await;
        let sink = Scripted::of([]);
        let one = relay(&tenant, "one", Arc::clone(&sink) as _);
        let two = relay(&tenant, "two", Arc::clone(&sink) as _);
        let mut slow = Box::pin(one.run_once(now(), 7));
        // It has read, and is at the sink.
        while sink.places().is_empty() {
            nudge(&mut slow).await;
        }
        let other = two.run_once(later(40_000), 7).await.unwrap();
        assert_eq!(other.messages, 10);
        call(&tenant, "alice", 4..6).await;
        assert_eq!(two.run_once(later(40_001), 7).await.unwrap().messages, 2);
        let late = slow.await.unwrap();
        assert_eq!(late.held.map(|held| held.token), Some(2));
        let facts = tenant.read().await.unwrap().cursors_of(&"alice".parse().unwrap()).await;
        assert_eq!(facts.unwrap().first().map(|cursor| cursor.seq), Some(8));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_relays_at_once_deliver_everything_while_more_happens() {
    let stores = Stores::new("relay-two").await;
    for store in stores.all() {
        let tenant = tenant(store, &[0, 0, 0]).await;
        let sink = Scripted::of([]);
        let mut tasks = Vec::new();
        for name in ["one", "two"] {
            let relay = relay(&tenant, name, Arc::clone(&sink) as _);
            tasks.push(tokio::spawn(async move {
                let mut at = 0;
                for turn in 0..60_u64 {
                    let delivered = relay.run_once(later(at), 7).await.unwrap();
                    at += 1_000;
                    if turn % 20 == 19 && delivered.held.is_none() {
                        relay.release(later(at)).await.unwrap();
                    }
                    tokio::task::yield_now().await;
                }
            }));
        }
        for number in 0..20 {
            for account in ACCOUNTS {
                call(&tenant, account, number..number + 1).await;
            }
        }
        for task in tasks {
            task.await.unwrap();
        }
        let last = relay(&tenant, "three", Arc::clone(&sink) as _);
        while last.run_once(later(10_000_000), 7).await.unwrap().more {}
        let taken: BTreeSet<_> = sink.places().into_iter().collect();
        assert_eq!(taken, journal(&tenant).await);
        for numbers in sink.first_taken().into_values() {
            assert!(numbers.is_sorted(), "{numbers:?}");
        }
    }
}
