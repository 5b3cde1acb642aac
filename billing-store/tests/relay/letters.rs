//! Dead letters: who becomes one, what goes on behind it, and how it is dealt with; and the epochs of a store.

use std::sync::Arc;

use billing_store::{Error, StoreError, verify::verify};

use crate::world::{SINK, Scripted, Step, Stores, billing, call, dead, later, now, relay, tenant};

#[tokio::test]
async fn a_message_that_fails_too_often_is_skipped_and_told_again_by_hand() {
    let stores = Stores::new("relay-dead").await;
    for store in stores.all() {
        let tenant = tenant(store, &[1, 0, 0]).await;
        let sink = Scripted::of([Step::Retry, Step::Take, Step::Take, Step::Take, Step::Take]);
        let relay = relay(&tenant, "one", Arc::clone(&sink) as _);
        let (bus, alice) = (SINK.parse().unwrap(), "alice".parse().unwrap());
        // Alice fails, the others go on.
        let delivered = relay.run_once(now(), 7).await.unwrap();
        assert_eq!((delivered.messages, delivered.retry, delivered.dead), (4, 1, 0));
        assert_eq!(relay.run_once(later(499), 7).await.unwrap(), <_>::default());
        for (at, retry, killed) in [(10_000, 1, 0), (20_000, 0, 1)] {
            sink.steps.lock().unwrap().push(Step::Retry);
            let delivered = relay.run_once(later(at), 7).await.unwrap();
            assert_eq!((delivered.retry, delivered.dead), (retry, killed));
        }
        // The account goes on behind it.
        assert_eq!(relay.run_once(later(20_000), 7).await.unwrap().messages, 2);
        assert_eq!(dead(&tenant).await, [("alice".to_owned(), 1)].into());
        let letters = tenant.dead_letters(&bus, None, 10).await.unwrap();
        assert_eq!((letters[0].attempts, letters[0].reason.as_str()), (3, "as it was told"));

        sink.steps.lock().unwrap().push(Step::Retry);
        let letter = relay.redeliver(&alice, 1, later(30_000)).await.unwrap();
        assert_eq!((letter.attempts, letter.done), (4, None));
        let letter = relay.redeliver(&alice, 1, later(40_000)).await.unwrap();
        assert_eq!((letter.attempts, letter.done), (5, Some(later(40_000))));
        assert_eq!(sink.places().last(), Some(&("alice".to_owned(), 1)));
        let again = relay.redeliver(&alice, 1, later(50_000)).await;
        assert!(matches!(again, Err(Error::NoDeadLetter { seq: 1, .. })), "{again:?}");
        assert!(tenant.dead_letters(&bus, None, 10).await.unwrap().is_empty());
        let all = tenant.read().await.unwrap().dead_letters_of(&alice).await.unwrap();
        assert_eq!(all, [letter]);
        assert!(verify(&tenant).await.unwrap().is_clean());
    }
}

#[tokio::test]
async fn what_a_sink_never_takes_is_skipped_at_once_and_closed_by_hand() {
    let stores = Stores::new("relay-never").await;
    for store in stores.all() {
        let tenant = tenant(store, &[1, 0, 0]).await;
        let sink = Scripted::of([Step::Take, Step::Never]);
        let relay = relay(&tenant, "one", Arc::clone(&sink) as _);
        let delivered = relay.run_once(now(), 7).await.unwrap();
        assert_eq!((delivered.dead, delivered.more), (1, true));
        while relay.run_once(now(), 7).await.unwrap().more {}
        assert_eq!(dead(&tenant).await, [("alice".to_owned(), 2)].into());
        assert_eq!(sink.first_taken()["alice"], [1, 3]);
        let (bus, alice) = (SINK.parse().unwrap(), "alice".parse().unwrap());
        let closed = tenant.close_dead_letter(&bus, &alice, 2).await.unwrap();
        assert_eq!((closed.done, closed.attempts), (Some(now()), 1));
        let again = tenant.close_dead_letter(&bus, &alice, 2).await;
        assert!(matches!(again, Err(Error::NoDeadLetter { seq: 2, .. })), "{again:?}");
    }
}

#[tokio::test]
async fn a_restored_store_uses_no_id_again() {
    let stores = Stores::new("relay-epoch").await;
    for store in stores.all() {
        let tenant = tenant(Arc::clone(&store), &[0, 0, 0]).await;
        let billing = billing(store);
        let sink = Scripted::of([]);
        let relay = relay(&tenant, "one", Arc::clone(&sink) as _);
        while relay.run_once(now(), 7).await.unwrap().more {}
        billing.begin_epoch("2026-11-20-restore").await.unwrap();
        call(&tenant, "alice", 0..1).await;
        while relay.run_once(now(), 7).await.unwrap().more {}
        let last = sink.taken.lock().unwrap().last().map(|message| message.id.to_string());
        assert_eq!(last.as_deref(), Some("2026-11-20-restore:acme:alice:3"));
        for used in ["first", "2026-11-20-restore"] {
            let again = billing.begin_epoch(used).await;
            let refused = matches!(again, Err(Error::Store(StoreError::Refused { .. })));
            assert!(refused, "{again:?}");
        }
        billing.begin_epoch("2026-11-21-restore").await.unwrap();
        let epoch = tenant.read().await.unwrap().epoch().await.unwrap();
        assert_eq!(epoch.as_str(), "2026-11-21-restore");
    }
}
