//! The drill: a store is copied while it is at work, breaks, and comes back from the copy with everything its sources still have.
#![expect(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "a test may panic")]

mod folder;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use billing_core::{
    decide::Batch,
    item::{CallEnded, Incoming},
    plan::PlanBook,
    time::Instant,
};
use billing_store::{
    Billing, SqliteStore, Tenant,
    clock::SetClock,
    outbox::Epochs as _,
    relay::{Listeners, Relay, RelayOptions},
    state_hash,
    verify::verify,
};

use folder::Folder;

const NOW: &str = "2026-11-20T00:00:00Z";
const CALLS: usize = 400;

fn call(number: usize) -> Incoming {
    let (account, day, ms) = (number % 3, 1 + number % 28, number * 1_000);
    let call: CallEnded = serde_json::from_str(&format!(
        r#"{{"key":{{"source":"pbx","id":"{number}"}},"account":"account-{account}",
            "call":{{"start":"2026-10-{day:02}T08:00:00Z","duration_ms":{ms},"caller":"","callee":"",
                     "disposition":"answered","direction":"outbound"}}}}"#
    ))
    .unwrap();
    call.into()
}

/// The raw log: what the sources keep, in the batches in which they send it.
fn log() -> Vec<Batch> {
    let calls: Vec<Incoming> = (0..CALLS).map(call).collect();
    let batch = |calls: &[Incoming]| {
        let entries = calls.iter().cloned().map(Ok).collect();
        Batch { label: String::new(), entries }
    };
    calls.chunks(10).map(batch).collect()
}

async fn tenant(store: SqliteStore) -> Tenant {
    let now: Instant = NOW.parse().unwrap();
    let acme = Billing::new(store, PlanBook::standard(), SetClock::at(now)).tenant("acme").unwrap();
    let plan = r#"{"id":"basic","version":1,"currency":"EUR","payment":"postpaid","strategies":[
        {"id":"calls","kind":"flat_rate","terms":{"per_minute":"0.02","minutes":"pro_rata"}}]}"#;
    acme.save_plan(&serde_json::from_str(plan).unwrap()).await.unwrap();
    for number in 0..3_u8 {
        let account = format!(
            r#"{{"id":"account-{number}","currency":"EUR","zone":"UTC","anchor":{{"from":"2026-10-01","months":1}}}}"#
        );
        let account = serde_json::from_str(&account).unwrap();
        acme.open_account(&account).await.unwrap();
        let (basic, from) = ("basic".parse().unwrap(), "2026-10-01".parse().unwrap());
        acme.assign(&account.id, &basic, 1, from).await.unwrap();
    }
    acme
}

/// What a sink was told, by the ids of the events.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Told>>);

#[derive(Default)]
struct Told {
    events: BTreeMap<String, String>,
    /// Ids that came again with another meaning.
    twice: Vec<String>,
}

impl Heard {
    /// Tells the sink what it was not told yet.
    async fn hear(&self, acme: &Tenant, process: &str) {
        let heard = Arc::clone(&self.0);
        let listeners = Listeners::new().and(move |message| {
            let mut heard = heard.lock().unwrap();
            let before = heard.events.insert(message.id.to_string(), message.body.clone());
            if before.is_some_and(|before| before != message.body) {
                heard.twice.push(message.id.to_string());
            }
            drop(heard);
            Ok(())
        });
        let options = RelayOptions::new(process.parse().unwrap());
        let id = "warehouse".parse().unwrap();
        let relay = Relay::new(acme.clone(), id, Arc::new(listeners), options);
        while relay.run_once(acme.now(), 0).await.unwrap().more {}
        relay.release(acme.now()).await.unwrap();
    }

    fn len(&self) -> usize {
        self.0.lock().unwrap().events.len()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_taken_at_work_and_the_log_make_the_store_that_never_broke() {
    let folder = Folder::new("restore");
    let copy = folder.file("copy.db");
    let store = folder::open(folder.file("billing.db")).await;
    let acme = tenant(store.clone()).await;
    let heard = Heard::default();
    let writer = {
        let acme = acme.clone();
        tokio::spawn(async move {
            for batch in log() {
                acme.ingest(&batch).await.unwrap();
            }
        })
    };
    // In the middle of it, and while it goes on.
    while acme.read().await.unwrap().item_page(None, 1).await.unwrap().is_empty() {
        assert!(!writer.is_finished(), "nothing was recorded");
        tokio::task::yield_now().await;
    }
    heard.hear(&acme, "before").await;
    store.backup_to(&copy).await.unwrap();
    writer.await.unwrap();
    heard.hear(&acme, "before").await;
    let until_it_broke = heard.len();
    let whole = state_hash(&acme).await.unwrap();
    store.close().await;

    let restored = folder::open(&copy).await;
    restored.begin_epoch(&"restored".parse().unwrap(), NOW.parse().unwrap()).await.unwrap();
    let again = restored.begin_epoch(&"restored".parse().unwrap(), NOW.parse().unwrap()).await;
    assert!(again.is_err(), "an epoch begins once");
    let acme = tenant(restored.clone()).await;
    assert_eq!(verify(&acme).await.unwrap().findings, []);
    let kept = verify(&acme).await.unwrap().items;
    let mut recorded = 0_u64;
    // The other way round, so that numbers are given to other things than before.
    for batch in log().iter().rev() {
        recorded += acme.ingest(batch).await.unwrap().intake.recorded;
    }
    assert_eq!(kept + recorded, u64::try_from(CALLS).unwrap());
    assert_eq!(verify(&acme).await.unwrap().findings, []);
    assert_eq!(state_hash(&acme).await.unwrap(), whole);
    heard.hear(&acme, "after").await;
    assert_eq!(heard.0.lock().unwrap().twice, Vec::<String>::new());
    assert!(heard.len() > until_it_broke || recorded == 0, "what was recorded again was not told");
    restored.close().await;
}
