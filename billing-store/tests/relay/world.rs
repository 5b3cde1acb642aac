//! A tenant with journals, on every store there is, and a sink that does as it is told.

use std::{
    collections::{BTreeMap, BTreeSet},
    pin::Pin,
    sync::{Arc, Mutex},
    task::Poll,
    time::Duration,
};

use async_trait::async_trait;
use serde_json::json;

use billing_core::{outbox::RetryPolicy, plan::PlanBook, time::Instant};
use billing_store::{
    Billing, MemoryStore, Tenant,
    clock::SetClock,
    relay::{Delivered, Delivery, Failure, Message, Relay, RelayOptions, Sink},
    store::Store,
};

use crate::{
    folder::{Folder, open},
    server::Database,
};

pub(crate) const ACCOUNTS: [&str; 3] = ["alice", "bob", "carol"];
pub(crate) const SINK: &str = "bus";

/// Which message: account and number.
pub(crate) type Place = (String, u64);

pub(crate) fn now() -> Instant {
    "2026-11-20T08:00:00Z".parse().unwrap()
}

pub(crate) fn later(ms: u64) -> Instant {
    now().checked_add_ms(ms).unwrap()
}

/// Every store there is, each empty; they go away with their test.
pub(crate) struct Stores {
    all: Vec<Arc<dyn Store>>,
    _folder: Folder,
    _database: Option<Database>,
}

impl Stores {
    pub(crate) async fn new(name: &str) -> Self {
        let folder = Folder::new(name);
        let mut stores: Vec<Arc<dyn Store>> = vec![Arc::new(MemoryStore::new())];
        stores.push(Arc::new(open(folder.file("billing.db")).await));
        let database = Database::new(&name.replace('-', "_")).await;
        if let Some(database) = &database {
            stores.push(Arc::new(database.store().await));
        }
        Self { all: stores, _folder: folder, _database: database }
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = Arc<dyn Store>> {
        self.all.iter().map(Arc::clone)
    }
}

pub(crate) fn billing(store: Arc<dyn Store>) -> Billing {
    Billing::new(store, PlanBook::standard(), SetClock::at(now()))
}

/// Accounts with so many calls each.
pub(crate) async fn tenant(store: Arc<dyn Store>, calls: &[u64]) -> Tenant {
    let tenant = billing(store).tenant("acme").unwrap();
    let plan = json!({"id": "basic", "version": 1, "currency": "EUR", "payment": "postpaid",
        "strategies": [{"id": "calls", "kind": "flat_rate",
                        "terms": {"per_minute": "0.02", "minutes": "pro_rata"}}]});
    tenant.save_plan(&serde_json::from_value(plan).unwrap()).await.unwrap();
    for (account, calls) in ACCOUNTS.iter().zip(calls) {
        let settings = json!({"id": account, "currency": "EUR", "zone": "UTC",
            "anchor": {"from": "2026-10-01", "months": 1}});
        tenant.open_account(&serde_json::from_value(settings).unwrap()).await.unwrap();
        let (account, basic) = (account.parse().unwrap(), "basic".parse().unwrap());
        tenant.assign(&account, &basic, 1, "2026-10-01".parse().unwrap()).await.unwrap();
        call(&tenant, account.as_str(), 0..*calls).await;
    }
    tenant
}

pub(crate) async fn call(tenant: &Tenant, account: &str, numbers: std::ops::Range<u64>) {
    let calls: Vec<_> = numbers
        .map(|number| {
            let call = json!({"key": {"source": "pbx", "id": format!("{account}-{number}")},
                "account": account,
                "call": {"start": "2026-10-05T08:00:00Z", "duration_ms": 61_000,
                         "caller": "+12025550100", "callee": "+12025550199",
                         "disposition": "answered", "direction": "outbound"}});
            serde_json::from_value(call).unwrap()
        })
        .collect();
    drop(tenant.calls_ended(&calls).await.unwrap());
}

/// Everything that stands in the journals.
pub(crate) async fn journal(tenant: &Tenant) -> BTreeSet<Place> {
    let mut facts = tenant.read().await.unwrap();
    let mut places = BTreeSet::new();
    for account in ACCOUNTS {
        let entries = facts.journal(&account.parse().unwrap(), 0, u32::MAX).await.unwrap();
        places.extend(entries.iter().map(|entry| (account.to_owned(), entry.seq())));
    }
    places
}

/// Dead letters that are not done.
pub(crate) async fn dead(tenant: &Tenant) -> BTreeSet<Place> {
    let letters = tenant.dead_letters(&SINK.parse().unwrap(), None, u32::MAX).await.unwrap();
    letters.iter().map(|letter| (letter.account.to_string(), letter.seq)).collect()
}

/// A relay under a name, with few attempts.
pub(crate) fn relay(tenant: &Tenant, holder: &str, sink: Arc<dyn Sink>) -> Relay {
    Relay::new(tenant.clone(), SINK.parse().unwrap(), sink, options(holder))
}

pub(crate) fn options(holder: &str) -> RelayOptions {
    let retry = RetryPolicy { attempts_max: 3, wait_first_ms: 1_000, wait_max_ms: 60_000 };
    RelayOptions { lease_ms: 30_000, retry, ..RelayOptions::new(holder.parse().unwrap()) }
}

/// What a sink does with the message it is at.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Take,
    /// Takes those before it, and says nothing about it.
    Stop,
    Retry,
    Never,
    Panic,
    /// Takes it, and the answer never comes.
    TakeAndHang,
}

/// A sink that takes the steps it is given, and then takes everything; it keeps what it took and what failed.
#[derive(Debug, Default)]
pub(crate) struct Scripted {
    pub(crate) steps: Mutex<Vec<Step>>,
    pub(crate) taken: Mutex<Vec<Message>>,
    pub(crate) failed: Mutex<BTreeMap<Place, u32>>,
}

impl Scripted {
    pub(crate) fn of(steps: impl IntoIterator<Item = Step>) -> Arc<Self> {
        let mut steps: Vec<_> = steps.into_iter().collect();
        steps.reverse();
        Arc::new(Self { steps: Mutex::new(steps), ..Self::default() })
    }

    pub(crate) fn places(&self) -> Vec<Place> {
        let taken = self.taken.lock().unwrap();
        taken.iter().map(|message| (message.account.to_string(), message.seq)).collect()
    }

    /// The numbers of each account as they were taken for the first time.
    pub(crate) fn first_taken(&self) -> BTreeMap<String, Vec<u64>> {
        let mut first: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for (account, seq) in self.places() {
            let numbers = first.entry(account).or_default();
            if !numbers.contains(&seq) {
                numbers.push(seq);
            }
        }
        first
    }
}

#[async_trait]
impl Sink for Scripted {
    async fn deliver(&self, messages: &[Message]) -> Delivery {
        for (taken, message) in messages.iter().enumerate() {
            // A point at which the run may be dropped.
            tokio::task::yield_now().await;
            let place = (message.account.to_string(), message.seq);
            let step = self.steps.lock().unwrap().pop().unwrap_or(Step::Take);
            if matches!(step, Step::Take | Step::TakeAndHang) {
                self.taken.lock().unwrap().push(message.clone());
            } else if !matches!(step, Step::Stop) || taken == 0 {
                *self.failed.lock().unwrap().entry(place).or_default() += 1;
            }
            let reason = "as it was told".to_owned();
            match step {
                Step::Take => {}
                Step::TakeAndHang => std::future::pending().await,
                Step::Stop => return Delivery { taken, failure: None },
                Step::Retry => {
                    return Delivery::failed_after(taken, Failure::Retry { reason, wait_ms: None });
                }
                Step::Never => return Delivery::failed_after(taken, Failure::Never { reason }),
                Step::Panic => panic!("as it was told"),
            }
        }
        Delivery::all(messages)
    }
}

/// Whether a run has found nothing to do.
pub(crate) fn is_idle(delivered: &Delivered) -> bool {
    let Delivered { messages, retry, dead, more, held, .. } = delivered;
    (*messages, *retry, *dead, *more) == (0, 0, 0, false) && held.is_none()
}

/// Polls a future whenever it is woken, so often, and drops it unless it is ready.
pub(crate) async fn cut_short<F: Future>(future: F, mut polls: u32) -> Option<F::Output> {
    let mut future = Box::pin(future);
    std::future::poll_fn(|context| {
        if polls == 0 {
            return Poll::Ready(None);
        }
        polls -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

/// Polls a future once, and leaves the thread to others for a while.
pub(crate) async fn nudge<F: Future + Unpin>(future: &mut F) {
    let polled = std::future::poll_fn(|context| Poll::Ready(Pin::new(&mut *future).poll(context)));
    assert!(polled.await.is_pending());
    tokio::time::sleep(Duration::from_millis(1)).await;
}
