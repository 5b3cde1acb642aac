//! Many at once in one process: what is ingested, handed over, sent, mended and dropped side by side adds up.
#![expect(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::default_numeric_fallback,
    clippy::indexing_slicing,
    clippy::integer_division,
    clippy::panic,
    reason = "a test may panic, and its counting is no money"
)]

mod folder;
mod server;
mod services;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use async_trait::async_trait;
use serde_json::json;
use tokio::sync::Barrier;

use billing_core::{
    correction::Correction,
    decide::{Batch, Days},
    id::{AccountId, TenantId},
    item::Incoming,
    money::Quantity,
    plan::PlanBook,
    settlement::{Answer, Handover, SettlementState},
    time::Day,
};
use billing_store::{
    Billing, Error, MemoryStore, Outcome, Tenant,
    clock::SetClock,
    settlement::{Processor, ProcessorError},
    store::{Locks, Store},
    verify::verify,
};

use folder::{Folder, open};
use server::Database;

const ACCOUNTS: [&str; 3] = ["alice", "bob", "carol"];
const DAYS: [&str; 2] = ["2026-10-05", "2026-10-06"];
/// How many tasks ingest at the same time.
const WRITERS: u32 = 8;
/// How many batches each of them sends.
const ROUNDS: u32 = 6;
/// How many tasks hand over and send meanwhile.
const SENDERS: u32 = 2;

/// Which revision of whose day.
type Revision = (AccountId, Day, u32);

/// A processor whose line is bad: it hears, and every third answer is lost or a refusal.
#[derive(Debug, Default)]
struct Downstream {
    told: Mutex<BTreeMap<Revision, BTreeSet<String>>>,
    calls: AtomicU32,
    lost: AtomicU32,
    refused: AtomicU32,
    mended: AtomicBool,
}

#[async_trait]
impl Processor for Downstream {
    async fn process(
        &self,
        tenant: &TenantId,
        handovers: &[Handover],
    ) -> Result<Vec<Answer>, ProcessorError> {
        assert_eq!(tenant.as_str(), "acme");
        {
            let mut told = self.told.lock().unwrap();
            for handover in handovers {
                told.entry(revision(handover)).or_default().insert(handover.body());
            }
        }
        // Whoever waits here is overtaken.
        tokio::task::yield_now().await;
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        let accept = Answer::Accepted { reference: "7".into() };
        let refuse = Answer::Refused { reason: "not today".into() };
        match (self.mended.load(Ordering::SeqCst), call % 3) {
            (true, _) | (_, 2) => Ok(handovers.iter().map(|_| accept.clone()).collect()),
            (_, 0) => {
                self.lost.fetch_add(1, Ordering::SeqCst);
                Err("the line is down".into())
            }
            _ => {
                self.refused.fetch_add(1, Ordering::SeqCst);
                Ok(handovers.iter().map(|_| refuse.clone()).collect())
            }
        }
    }
}

fn revision(handover: &Handover) -> Revision {
    (handover.account.clone(), handover.day, handover.revision)
}

fn tenant(store: impl Store + 'static) -> Tenant {
    let clock = SetClock::at("2026-11-02T08:00:00Z".parse().unwrap());
    Billing::new(store, PlanBook::standard(), clock).tenant("acme").unwrap()
}

async fn set_up(tenant: &Tenant) {
    let plan = json!({
        "id": "basic", "version": 1, "currency": "EUR", "payment": "postpaid",
        "strategies": [{"id": "usage", "kind": "unpriced", "terms": {}}],
    });
    tenant.save_plan(&serde_json::from_value(plan).unwrap()).await.unwrap();
    for account in ACCOUNTS {
        let settings = json!({
            "id": account, "currency": "EUR", "zone": "UTC",
            "anchor": {"from": "2026-10-01", "months": 1},
        });
        tenant.open_account(&serde_json::from_value(settings).unwrap()).await.unwrap();
        let (account, from) = (account.parse().unwrap(), "2026-10-01".parse().unwrap());
        tenant.assign(&account, &"basic".parse().unwrap(), 1, from).await.unwrap();
    }
}

/// A record of a pulse; the final one has no number.
fn pulse(account: &str, id: &str, partial: Option<u32>, day: &str, amount: &str) -> Incoming {
    let mut key = json!({"source": "meter", "id": id});
    if let Some(number) = partial {
        key["partial"] = json!(number);
    }
    serde_json::from_value(json!({
        "key": key, "account": account,
        "item": {"kind": "pulse", "at": format!("{day}T08:00:00Z"), "product": "storage",
                 "unit": "GB-h", "amount": amount},
    }))
    .unwrap()
}

async fn ingest(tenant: &Tenant, items: Vec<Incoming>) {
    let due = u64::try_from(items.len()).unwrap();
    let batch = Batch { label: String::new(), entries: items.into_iter().map(Ok).collect() };
    assert_eq!(tenant.ingest(&batch).await.unwrap().intake.recorded, due);
}

/// What the final record of a writer's round says was used.
fn amount(writer: u32, round: u32) -> String {
    format!("{}.{:02}", writer * 7 + 1, round + 1)
}

/// Sends what this writer used, and an earlier record of what its neighbour does.
async fn write(tenant: Tenant, writer: u32, to: Arc<Downstream>, half: Arc<Barrier>) {
    let neighbour = (writer + 1) % WRITERS;
    for round in 0..ROUNDS {
        if round == ROUNDS / 2 {
            // The second half comes late: by then an answer was lost and another was a refusal.
            half.wait().await;
            while to.calls.load(Ordering::SeqCst) < 2 {
                settle(&tenant, &to).await;
            }
        }
        let day = DAYS[usize::try_from(round).unwrap() % DAYS.len()];
        let of = |writer: u32, account: &str, partial, amount: &str| {
            pulse(account, &format!("{account}-{writer}-{round}"), partial, day, amount)
        };
        let mut items = Vec::new();
        for account in ACCOUNTS {
            items.push(of(neighbour, account, Some(2), "1000.5"));
            items.push(of(writer, account, None, &amount(writer, round)));
        }
        ingest(&tenant, items).await;
        let late = ACCOUNTS.map(|account| of(writer, account, Some(1), "500"));
        ingest(&tenant, late.to_vec()).await;
    }
}

/// Hands over and sends; an answer that is lost is no failure of whoever sends.
async fn settle(tenant: &Tenant, to: &Downstream) {
    tenant.hand_over(Days::All).await.unwrap();
    match tenant.send_settlements(to, 0).await {
        Ok(_) | Err(Error::Processor { .. }) => {}
        Err(error) => panic!("{error}"),
    }
}

/// Does so while others write.
async fn settle_all_along(tenant: Tenant, to: Arc<Downstream>, writing: Arc<AtomicBool>) {
    while writing.load(Ordering::SeqCst) {
        settle(&tenant, &to).await;
        tokio::task::yield_now().await;
    }
}

/// Hands over what is left, and sends it and whatever was refused.
async fn finish(tenant: &Tenant, to: &Downstream) {
    to.mended.store(true, Ordering::SeqCst);
    tenant.hand_over(Days::All).await.unwrap();
    for account in ACCOUNTS {
        for settlement in tenant.settlements(&account.parse().unwrap()).await.unwrap() {
            if settlement.state.name() == "refused" {
                let (account, day, revision) = revision(&settlement.handover);
                tenant.resend_settlement(&account, day, revision).await.unwrap();
            }
        }
    }
    tenant.send_settlements(to, 0).await.unwrap();
}

async fn add_up(store: impl Store + Clone + 'static) {
    let tenant = tenant(store);
    set_up(&tenant).await;
    let (to, writing) = (Arc::new(Downstream::default()), Arc::new(AtomicBool::new(true)));
    let senders: Vec<_> = (0..SENDERS)
        .map(|_| {
            tokio::spawn(settle_all_along(tenant.clone(), Arc::clone(&to), Arc::clone(&writing)))
        })
        .collect();
    let half = Arc::new(Barrier::new(usize::try_from(WRITERS).unwrap()));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| write(tenant.clone(), writer, Arc::clone(&to), Arc::clone(&half)))
        .map(tokio::spawn)
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    writing.store(false, Ordering::SeqCst);
    for sender in senders {
        sender.await.unwrap();
    }
    finish(&tenant, &to).await;
    let mut due = Quantity::ZERO;
    for (writer, round) in (0..WRITERS).flat_map(|w| (0..ROUNDS).map(move |r| (w, r))) {
        due = due.checked_add(amount(writer, round).parse().unwrap()).unwrap();
    }
    let told = to.told.lock().unwrap().clone();
    assert!(
        told.values().all(|contents| contents.len() == 1),
        "a revision went out in two contents"
    );
    let mut revisions = 0;
    for account in ACCOUNTS {
        let mut sum = Quantity::ZERO;
        for settlement in tenant.settlements(&account.parse().unwrap()).await.unwrap() {
            let handover = &settlement.handover;
            let accepted = matches!(
                settlement.state,
                SettlementState::Answered { answer: Answer::Accepted { .. }, .. }
            );
            assert!(accepted, "{:?}", settlement.state);
            assert!(told[&revision(handover)].contains(&handover.body()), "other content was told");
            for total in &handover.totals {
                sum = sum.checked_add(total.totals.quantity).unwrap();
            }
            revisions += 1;
        }
        assert_eq!(sum, due, "what {account} used, in accepted revisions");
    }
    assert_eq!(told.len(), revisions, "a revision was told that is not kept");
    assert_eq!(tenant.read().await.unwrap().unhanded_accounts(None, 1).await.unwrap(), []);
    assert_eq!(verify(&tenant).await.unwrap().findings, []);
    // Or nothing was shown: days closed while they were written to, answers lost and refused.
    assert!(revisions > ACCOUNTS.len() * DAYS.len(), "{revisions} revisions: nothing came late");
    let (lost, refused) = (to.lost.load(Ordering::SeqCst), to.refused.load(Ordering::SeqCst));
    assert!(lost > 0 && refused > 0, "{lost} answers were lost and {refused} refused");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_eight_write_while_others_hand_over_adds_up_in_memory() {
    add_up(MemoryStore::new()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_eight_write_while_others_hand_over_adds_up_in_sqlite() {
    let folder = Folder::new("concurrency-adds-up");
    let store = open(folder.file("billing.db")).await;
    add_up(store.clone()).await;
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_eight_write_while_others_hand_over_adds_up_in_postgres() {
    let Some(database) = Database::new("adds_up").await else { return };
    let store = database.store().await;
    add_up(store.clone()).await;
    store.close().await;
}

#[tokio::test]
async fn what_is_dropped_while_it_is_tried_again_is_not_billed_in_sqlite() {
    let folder = Folder::new("concurrency-dropped");
    let store = open(folder.file("billing.db")).await;
    drop_while_tried(&store).await;
    store.close().await;
}

#[tokio::test]
async fn what_is_dropped_while_it_is_tried_again_is_not_billed_in_postgres() {
    let Some(database) = Database::new("dropped").await else { return };
    let store = database.store().await;
    drop_while_tried(&store).await;
    store.close().await;
}

async fn drop_while_tried(store: &(impl Store + Clone + 'static)) {
    let acme = tenant(store.clone());
    let items = ["1", "2"].map(|id| pulse("alice", id, None, "2026-10-05", "1"));
    let entries = items.iter().cloned().map(Ok).collect();
    let taken = acme.ingest(&Batch { label: String::new(), entries }).await.unwrap();
    assert_eq!(taken.intake.parked, 2, "there is no account yet");
    set_up(&acme).await;
    let keys = items.map(|item| item.key);
    // Whoever drops one is at work while another sees both of them parked and waits for its turn.
    let mut unit = store.begin(acme.id(), &Locks::catalog()).await.unwrap();
    acme.drop_parked_in(&mut *unit, &keys[0], "a test").await.unwrap();
    let drop = async {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        unit.commit().await.unwrap();
    };
    let ((), tried) = tokio::join!(drop, acme.retry_parked(&keys));
    assert_eq!(tried.unwrap().intake.recorded, 1, "what was dropped was tried again");
    let items = acme.read().await.unwrap().item_page(None, 10).await.unwrap();
    assert_eq!(items.iter().map(|item| &item.claim.key).collect::<Vec<_>>(), [&keys[1]]);
    assert_eq!(acme.dropped(None, 10).await.unwrap().len(), 1);
}

/// How many tasks send the same calls, each for an account of its own.
const RIVALS: usize = 6;
/// How many calls there are.
const CALLS: usize = 40;

/// Does something again until the store is not busy with somebody else's.
async fn insist<T, Fut: Future<Output = billing_store::Result<T>>>(work: impl Fn() -> Fut) -> T {
    loop {
        match work().await {
            Ok(done) => break done,
            Err(Error::Store(error)) if error.is_transient() => tokio::task::yield_now().await,
            Err(error) => panic!("{error:?}"),
        }
    }
}

/// Calls that several tasks send at once, in batches that differ: for three accounts, for one that is not there, and for nobody.
async fn rival(tenant: Tenant, rival: usize, start: Arc<Barrier>) {
    let account = ["alice", "bob", "carol", "dave", "alice", "erin"][rival];
    start.wait().await;
    for round in 0..CALLS / 4 {
        // Each begins elsewhere, so that all of them record some.
        let start = 4 * ((round + 2 * rival) % (CALLS / 4));
        let ids = (0..4).map(|at| (start + (at + rival) % 4).to_string());
        let items = ids.map(|id| pulse(account, &id, None, DAYS[rival % 2], "1.5"));
        let entries = items.map(|mut item| {
            if rival == 5 {
                item.account = None;
            }
            Ok(item)
        });
        let batch = Batch { label: String::new(), entries: entries.collect() };
        let _taken = insist(|| tenant.ingest(&batch)).await;
        let keys: Vec<_> = batch.keys().into_iter().cloned().collect();
        let _tried = insist(|| tenant.retry_parked(&keys[..2])).await;
        // And a record of one long call, each for another account.
        let number = u32::try_from(rival).unwrap();
        let part = pulse(account, &format!("long-{start}"), Some(number + 1), DAYS[0], "2");
        let batch = Batch { label: String::new(), entries: vec![Ok(part)] };
        let _taken = insist(|| tenant.ingest(&batch)).await;
    }
}

/// Every call is recorded for one account or parked, and what was answered adds up to that.
async fn compete(store: impl Store + Clone + 'static) {
    let tenant = tenant(store);
    set_up(&tenant).await;
    let start = Arc::new(Barrier::new(RIVALS));
    let rivals: Vec<_> = (0..RIVALS)
        .map(|number| tokio::spawn(rival(tenant.clone(), number, Arc::clone(&start))))
        .collect();
    for rival in rivals {
        rival.await.unwrap();
    }
    let mut facts = tenant.read().await.unwrap();
    let items = facts.item_page(None, 1_000).await.unwrap();
    let parked = facts.parked_page(None, 1_000).await.unwrap();
    let mut whose: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for item in &items {
        let account = item.claim.account.as_str();
        whose.entry(item.claim.key.id.clone()).or_default().insert(account);
    }
    assert!(
        whose.values().all(|accounts| accounts.len() == 1),
        "records of two accounts: {whose:?}"
    );
    let recorded: BTreeSet<_> = items.iter().map(|item| item.claim.key.clone()).collect();
    let finals = recorded.iter().filter(|key| key.partial.is_none()).count();
    assert_eq!(finals, CALLS, "alice, bob and carol sent all of them");
    let both = parked.iter().filter(|parked| recorded.contains(&parked.incoming.key));
    assert_eq!(both.count(), 0, "recorded and parked");
    let of: BTreeSet<_> = items.iter().map(|item| item.claim.account.as_str()).collect();
    assert!(of.len() > 1, "nobody competed: {of:?}");
    let mut sum = 0;
    for intake in facts.intake_page(None, 10_000).await.unwrap() {
        assert!(intake.balances());
        sum += intake.recorded;
    }
    assert_eq!(
        usize::try_from(sum).unwrap(),
        recorded.len(),
        "recorded by the records of the batches"
    );
    drop(facts);
    assert_eq!(verify(&tenant).await.unwrap().findings, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_call_that_several_send_for_different_accounts_is_recorded_once_in_sqlite() {
    let folder = Folder::new("concurrency-compete");
    let store = open(folder.file("billing.db")).await;
    compete(store.clone()).await;
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_call_that_several_send_for_different_accounts_is_recorded_once_in_postgres() {
    let Some(database) = Database::new("compete").await else { return };
    let store = database.store().await;
    compete(store.clone()).await;
    store.close().await;
}

/// Accounts that several open while others send calls for them: opened once, and no call is lost.
async fn open_at_once(store: impl Store + Clone + 'static) {
    let tenant = tenant(store);
    set_up(&tenant).await;
    let opening = async |tenant: Tenant, id: String| {
        let settings = json!({
            "id": id, "currency": "EUR", "zone": "UTC",
            "anchor": {"from": "2026-10-01", "months": 1},
        });
        let settings = serde_json::from_value(settings).unwrap();
        let opened = insist(|| tenant.open_account(&settings)).await;
        let (account, from) = (id.parse().unwrap(), "2026-10-01".parse().unwrap());
        let basic = "basic".parse().unwrap();
        let _assigned = insist(|| tenant.assign(&account, &basic, 1, from)).await;
        matches!(opened, Outcome::New)
    };
    let sending = async |tenant: Tenant, id: String, number: usize| {
        let item = pulse(&id, &format!("{id}-{number}"), None, DAYS[0], "1");
        let batch = Batch { label: String::new(), entries: vec![Ok(item.clone())] };
        let _taken = insist(|| tenant.ingest(&batch)).await;
        item.key
    };
    for round in 0..8 {
        let id = format!("new-{round}");
        let send = |number| sending(tenant.clone(), id.clone(), number);
        let open = || opening(tenant.clone(), id.clone());
        let (a, b, c, one, two, three) =
            tokio::join!(open(), open(), open(), send(1), send(2), send(3));
        assert_eq!([a, b, c].into_iter().filter(|new| *new).count(), 1, "{id} is opened once");
        let keys = [one, two, three];
        let _tried = insist(|| tenant.retry_parked(&keys)).await;
        let there = tenant.read().await.unwrap().items(&keys).await.unwrap();
        assert_eq!(there.len(), 3, "calls of {id} are lost");
    }
    assert_eq!(verify(&tenant).await.unwrap().findings, []);
}

#[tokio::test]
async fn an_account_that_several_open_and_others_use_is_opened_once_in_sqlite() {
    let folder = Folder::new("concurrency-open");
    let store = open(folder.file("billing.db")).await;
    Box::pin(open_at_once(store.clone())).await;
    store.close().await;
}

#[tokio::test]
async fn an_account_that_several_open_and_others_use_is_opened_once_in_postgres() {
    let Some(database) = Database::new("open").await else { return };
    let store = database.store().await;
    Box::pin(open_at_once(store.clone())).await;
    store.close().await;
}

/// How many ask for the same correction at once.
const ASKING: usize = 8;

/// One of those who ask for the same correction at once makes it, the others are told what it changed.
async fn corrected_at_once(store: impl Store + Clone + 'static) {
    let tenant = tenant(store);
    set_up(&tenant).await;
    let wrong = |account: &str| pulse(account, &format!("{account}-wrong"), None, DAYS[0], "1");
    let items = ACCOUNTS.map(wrong);
    ingest(&tenant, items.to_vec()).await;
    let corrections = [
        json!({"id": "void", "reason": "a complaint", "change": {"kind": "void", "key": items[0].key}}),
        json!({"id": "all", "reason": "a complaint", "change": {"kind": "rerate", "selection": {}}}),
    ];
    for correction in corrections {
        let correction: Correction = serde_json::from_value(correction).unwrap();
        let barrier = Arc::new(Barrier::new(ASKING));
        let asking = (0..ASKING).map(|_| {
            let (tenant, correction, barrier) =
                (tenant.clone(), correction.clone(), Arc::clone(&barrier));
            tokio::spawn(async move {
                barrier.wait().await;
                loop {
                    match tenant.correct(&correction).await {
                        Err(Error::Store(error)) if error.is_transient() => {}
                        answer => return answer.unwrap(),
                    }
                }
            })
        });
        let mut made = Vec::new();
        for one in asking.collect::<Vec<_>>() {
            made.push(one.await.unwrap());
        }
        let new = made.iter().filter(|one| one.outcome == Outcome::New).count();
        assert_eq!(new, 1, "{made:?}");
        assert!(made.iter().all(|one| one.report == made[0].report));
    }
    assert_eq!(tenant.corrections(None, 10).await.unwrap().len(), 2);
    assert_eq!(verify(&tenant).await.unwrap().findings, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_correction_that_is_asked_for_at_once_is_made_once_on_memory() {
    corrected_at_once(MemoryStore::new()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_correction_that_is_asked_for_at_once_is_made_once_on_sqlite() {
    let folder = Folder::new("corrected-at-once");
    let store = open(folder.file("billing.db")).await;
    corrected_at_once(store.clone()).await;
    store.close().await;
}
