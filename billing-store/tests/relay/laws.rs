//! Whatever a sink does and wherever runs are dropped: nothing is lost, nothing is out of order, nothing is skipped but dead letters.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use proptest::prelude::*;

use billing_store::{MemoryStore, Tenant, verify::verify};

use crate::world::{
    Place, Scripted, Step, cut_short, dead, is_idle, journal, later, relay, tenant,
};

const ATTEMPTS_MAX: u32 = 3;
/// Longer than the lease and every wait.
const PAUSE_MS: u64 = 100_000;

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => Just(Step::Take),
        1 => Just(Step::Stop),
        6 => Just(Step::Retry),
        1 => Just(Step::Never),
        1 => Just(Step::Panic),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn every_message_is_taken_or_dead(
        calls in prop::collection::vec(0_u64..12, 3),
        steps in prop::collection::vec(step(), 0..80),
        chance in any::<u32>(),
    ) {
        let panics = steps.iter().any(|step| matches!(step, Step::Panic));
        let never = steps.iter().any(|step| matches!(step, Step::Never));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let tenant = tenant(Arc::new(MemoryStore::new()), &calls).await;
            let sink = Scripted::of(steps);
            let relay = relay(&tenant, "one", Arc::clone(&sink) as _);
            let mut at = 0;
            for _ in 0..1_000 {
                let delivered = relay.run_once(later(at), chance).await.unwrap();
                at += PAUSE_MS;
                // A sink that stops without a word looks idle, too.
                if is_idle(&delivered) && sink.steps.lock().unwrap().is_empty() {
                    break;
                }
            }
            let dead = told(&tenant, &sink).await;
            let failed = sink.failed.lock().unwrap().clone();
            let exhausted: BTreeSet<Place> =
                failed.iter().filter(|(_, times)| **times >= ATTEMPTS_MAX).map(|(p, _)| p.clone()).collect();
            // Of a panic nobody knows which message it was at: the first is blamed.
            if !panics {
                assert!(exhausted.is_subset(&dead), "{exhausted:?} {dead:?}");
                assert!(never || exhausted == dead, "{exhausted:?} {dead:?}");
                assert!(failed.values().all(|times| *times <= ATTEMPTS_MAX), "{failed:?}");
            }
            // Nothing is taken twice, unless the sink could not say how far it had come.
            let taken = sink.places();
            let once = taken.iter().collect::<BTreeSet<_>>().len() == taken.len();
            assert!(once || panics, "{taken:?}");
            assert!(verify(&tenant).await.unwrap().is_clean());
        });
    }

    #[test]
    fn runs_that_are_dropped_lose_nothing(
        calls in prop::collection::vec(0_u64..6, 3),
        steps in prop::collection::vec(step(), 0..40),
        cuts in prop::collection::vec((0_u32..60, any::<bool>(), 0_u64..40_000), 0..20),
        chance in any::<u32>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let tenant = tenant(Arc::new(MemoryStore::new()), &calls).await;
            let steps_len = steps.len();
            let sink = Scripted::of(steps);
            let relays = ["one", "two"].map(|name| relay(&tenant, name, Arc::clone(&sink) as _));
            let mut at = 0;
            for (polls, second, pause) in cuts {
                let relay = &relays[usize::from(second)];
                let run = cut_short(relay.run_once(later(at), chance), polls).await;
                drop(run.transpose().unwrap());
                at += pause;
            }
            for _ in 0..1_000 {
                let delivered = relays[0].run_once(later(at), chance).await.unwrap();
                at += PAUSE_MS;
                // A sink that stops without a word looks idle, too.
                if is_idle(&delivered) && sink.steps.lock().unwrap().is_empty() {
                    break;
                }
            }
            let dead = told(&tenant, &sink).await;
            assert!(dead.len() <= steps_len, "{dead:?}");
            assert!(verify(&tenant).await.unwrap().is_clean());
        });
    }
}

/// Everything was taken or is dead, and first in the order of its account; the dead letters.
async fn told(tenant: &Tenant, sink: &Scripted) -> BTreeSet<Place> {
    let dead = dead(tenant).await;
    let journal = journal(tenant).await;
    let mut due: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let taken: BTreeSet<_> = sink.places().into_iter().collect();
    for (account, seq) in &journal {
        let place = (account.clone(), *seq);
        assert!(taken.contains(&place) || dead.contains(&place), "{place:?} is lost");
        if taken.contains(&place) {
            due.entry(account.clone()).or_default().push(*seq);
        }
    }
    assert_eq!(sink.first_taken(), due, "first deliveries are in order");
    assert!(taken.is_subset(&journal));
    dead
}
