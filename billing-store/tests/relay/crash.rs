//! A run dropped at every point at which it waits: nothing is lost, nothing is skipped.

use std::{collections::BTreeSet, sync::Arc};

use crate::world::{ACCOUNTS, Scripted, Stores, cut_short, journal, later, relay, tenant};

#[tokio::test]
async fn a_run_may_be_dropped_at_every_point() {
    let stores = Stores::new("relay-crash").await;
    for store in stores.all() {
        let tenant = tenant(store, &[2, 1, 0]).await;
        let sink = Scripted::of([]);
        let mut at = 0;
        let mut dropped = 0;
        for polls in 0..400 {
            // Another process each time; the one before is gone, and its lease with it.
            let relay = relay(&tenant, &format!("process {polls}"), Arc::clone(&sink) as _);
            at += 40_000;
            match cut_short(relay.run_once(later(at), 7), polls).await {
                Some(delivered) if delivered.as_ref().unwrap().messages == 0 => break,
                Some(delivered) => drop(delivered.unwrap()),
                None => dropped += 1,
            }
        }
        assert!(dropped > 3, "only {dropped} runs were dropped");
        let taken: BTreeSet<_> = sink.places().into_iter().collect();
        assert_eq!(taken, journal(&tenant).await);
        for account in ACCOUNTS {
            let numbers = &sink.first_taken()[account];
            assert!(numbers.iter().copied().eq(1..=numbers.len() as u64), "{numbers:?}");
        }
    }
}
