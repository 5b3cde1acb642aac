//! What can be mended or dropped: what is parked, and nothing else.

use billing_store::{Error, MemoryStore, Tenant, store::Locks, store::Store as _, verify::verify};

use crate::{billing, ingest, october, open};

/// Alice has a call; two wait for accounts that are not there, and one was dropped.
async fn parked(store: &MemoryStore) -> Tenant {
    let acme = billing(store).0.tenant("acme").unwrap();
    open(&acme, "alice", "0.02").await;
    let items = [
        october("alice", "recorded"),
        october("nobody", "waits"),
        october("nobody", "waits-too"),
        october("nobody", "dropped"),
    ];
    let taken = ingest(&acme, &items).await;
    assert_eq!((taken.recorded, taken.parked), (1, 3));
    acme.drop_parked(&october("nobody", "dropped").key, "a test").await.unwrap();
    acme
}

async fn counts(acme: &Tenant) -> [usize; 3] {
    let mut facts = acme.read().await.unwrap();
    [
        facts.item_page(None, 10).await.unwrap().len(),
        facts.parked_page(None, 10).await.unwrap().len(),
        facts.dropped_page(None, 10).await.unwrap().len(),
    ]
}

#[tokio::test]
async fn what_is_not_parked_is_neither_mended_nor_dropped() {
    let store = MemoryStore::new();
    let acme = parked(&store).await;
    for id in ["recorded", "dropped", "never came"] {
        let item = october("alice", id);
        let mut unit = store.begin(acme.id(), &Locks::catalog()).await.unwrap();
        let inside = acme.drop_parked_in(&mut *unit, &item.key, "why").await;
        drop(unit);
        let answers = [
            inside,
            acme.drop_parked(&item.key, "why").await,
            acme.mend_parked(core::slice::from_ref(&item)).await.map(drop),
            // With one that is parked: then neither is touched.
            acme.mend_parked(&[october("alice", "waits"), item.clone()]).await.map(drop),
        ];
        for answer in answers {
            let named = matches!(&answer, Err(Error::NotParked { key }) if *key == item.key);
            assert!(named, "{id}: {answer:?}");
        }
        // To try again leaves out what is not parked.
        let tried = acme.retry_parked(core::slice::from_ref(&item.key)).await.unwrap();
        assert_eq!(tried.receipts, []);
        assert_eq!(counts(&acme).await, [1, 2, 1], "{id}");
    }
    assert_eq!(verify(&acme).await.unwrap().findings, []);
}

#[tokio::test]
async fn what_is_mended_is_recorded_once_and_what_was_dropped_may_come_again() {
    let store = MemoryStore::new();
    let acme = parked(&store).await;
    let mended = [october("alice", "waits")];
    assert_eq!(acme.mend_parked(&mended).await.unwrap().intake.recorded, 1);
    assert_eq!(counts(&acme).await, [2, 1, 1]);
    // What its source sends again is in conflict with what somebody made of it, and not parked once more.
    let taken = ingest(&acme, &[october("nobody", "waits")]).await;
    assert_eq!((taken.conflict, taken.parked), (1, 0));
    let taken = ingest(&acme, &[october("alice", "dropped")]).await;
    assert_eq!(taken.recorded, 1, "a drop claims nothing");
    assert_eq!(counts(&acme).await, [3, 1, 1]);
    assert_eq!(verify(&acme).await.unwrap().findings, []);
}
