//! The bus within the process: messages repeated and shuffled, consumers that die, stores that are busy, messages that cannot be taken.

use core::time::Duration;
use std::sync::{Arc, Mutex, atomic::AtomicU64};

use tokio::task::JoinSet;

use billing_core::digest::Digest;
use billing_store::{
    MemoryStore, Tenant,
    bus::{
        ATTEMPTS_MAX, Batching, Partitions, Report,
        in_process::{Bus, Consumer, PublishError},
    },
    store::Store,
};

use crate::{
    failing::{Failing, When},
    first_seed,
    folder::{Folder, open},
    runs,
    server::Database,
    world::{Chance, Log, Sent, checked, poisoned, set_up, sum, tenant},
};

const PARTITIONS: u16 = 4;

/// Small, so that sources wait for places and batches are many.
const CAPACITY: usize = 16;

fn bus() -> Bus {
    Bus::new(Partitions::try_new(PARTITIONS).unwrap(), CAPACITY)
}

const fn small() -> Batching {
    Batching { messages_max: 7, wait: Duration::from_millis(1) }
}

/// Publishes and takes in with a consumer of each tenant for each partition, until nothing is left; every fifth batch or so dies.
async fn deliver(tenants: &[Tenant], messages: Vec<Sent>, seed: u64) -> Vec<Report> {
    let (bus, reports) = (bus(), Arc::new(Mutex::new(Vec::new())));
    let mut consumers = JoinSet::new();
    for (number, tenant) in (0..).zip(tenants) {
        for partition in 0..PARTITIONS {
            let consumer = bus.consumer(tenant, partition, small()).unwrap();
            let chance = Chance(seed ^ (number * 1_000 + u64::from(partition)));
            consumers.spawn(mortal(consumer, chance, Arc::clone(&reports)));
        }
    }
    for Sent { account, body } in messages {
        bus.publish_body(account.as_ref(), body).await.unwrap();
    }
    bus.close();
    while let Some(ended) = consumers.join_next().await {
        ended.unwrap();
    }
    core::mem::take(&mut *reports.lock().unwrap())
}

/// A consumer that dies at any moment now and then, also between its commit and its acknowledgement, and begins again.
async fn mortal(consumer: Consumer, mut chance: Chance, reports: Arc<Mutex<Vec<Report>>>) {
    loop {
        match chance.below(10) {
            0..=2 => {
                let soon = Duration::from_micros(chance.below(3_000));
                if let Ok(taken) = tokio::time::timeout(soon, consumer.take()).await {
                    let Some(committed) = taken else { return };
                    reports.lock().unwrap().push(committed.let_go());
                }
            }
            3 => match consumer.take().await {
                None => return,
                Some(committed) => drop(committed),
            },
            _ => match consumer.run_once().await {
                None => return,
                Some(report) => reports.lock().unwrap().push(report),
            },
        }
    }
}

/// One log over two libraries at one store: the hash, which must be that of a clean run.
async fn run<S: Store + Clone + 'static>(one: S, other: S, seed: u64) -> Digest {
    let mut chance = Chance(seed);
    let log = Log::by_chance(&mut chance);
    let busy = |inner, seed| Failing { inner, when: When::OneIn(50, Mutex::new(Chance(seed))) };
    set_up(&tenant(one.clone())).await;
    let tenants = [tenant(busy(one, seed)), tenant(busy(other, seed + 1))];
    let reports = deliver(&tenants, log.repeated(&mut chance), seed).await;
    let again: usize = reports.iter().map(|report| report.again).sum();
    let problems = reports.iter().filter(|report| report.problem.is_some()).count();
    assert_eq!(again > 0, problems > 0, "what comes again has its reason, and nothing else");
    // Which content came first is a fact of its own, so the others come when all of them have.
    let second = deliver(&tenants, log.conflicts.clone(), seed).await;
    let [received, .., conflict, _, _] = sum(&second);
    assert_eq!((received, conflict), (received, received));
    let hash = checked(&tenants[1]).await;
    assert_eq!(hash, log.clean().await, "BILLING_BUS_SEED={seed}");
    hash
}

#[test]
fn any_delivery_to_any_consumer_gives_the_state_of_a_clean_run() {
    let (runs, first) = (runs(), first_seed());
    let mut on_a_server = 0_u64;
    for seed in first..first + runs {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let memory = MemoryStore::new();
            let in_memory = run(memory.clone(), memory, seed).await;
            let folder = Folder::new(&format!("bus-{seed}"));
            let (one, other) = (open(folder.file("b.db")).await, open(folder.file("b.db")).await);
            let in_file = run(one.clone(), other.clone(), seed).await;
            one.close().await;
            other.close().await;
            assert_eq!(in_memory, in_file);
            if (seed - first).is_multiple_of(5)
                && let Some(database) = Database::new("bus").await
            {
                let (one, other) = (database.store().await, database.store().await);
                assert_eq!(run(one, other, seed).await, in_memory);
                on_a_server += 1;
            }
        });
    }
    println!(
        "evidence: logs delivered in process, 1 to 10 times each message, in memory and in a file = {runs}"
    );
    println!("evidence: those of them delivered over PostgreSQL too = {on_a_server}");
}

#[tokio::test]
async fn every_message_is_in_one_count() {
    let acme = tenant(MemoryStore::new());
    set_up(&acme).await;
    let (bus, messages) = (bus(), poisoned());
    let mut consumers = JoinSet::new();
    for partition in 0..PARTITIONS {
        let consumer = bus.consumer(&acme, partition, small()).unwrap();
        consumers.spawn(async move {
            let mut reports = Vec::new();
            consumer.run(core::future::pending(), |report| reports.push(report)).await;
            reports
        });
    }
    for Sent { account, body } in &messages {
        bus.publish_body(account.as_ref(), body.clone()).await.unwrap();
    }
    bus.close();
    let reports: Vec<Report> = consumers.join_all().await.into_iter().flatten().collect();
    let intakes: Vec<_> = reports.iter().flat_map(|report| &report.intakes).collect();
    assert_eq!(sum(&reports), [1_000, 980, 0, 0, 10, 10]);

    let mut dead: Vec<_> = reports.iter().flat_map(|report| &report.dead).collect();
    dead.sort_by_key(|letter| letter.body.clone());
    let mut unreadable: Vec<_> = messages.iter().step_by(100).map(|sent| &sent.body).collect();
    unreadable.sort();
    assert_eq!(dead.iter().map(|letter| &letter.body).collect::<Vec<_>>(), unreadable);
    assert!(dead.iter().all(|letter| letter.reason.starts_with("it is no")));
    let (mut facts, mut refusals) = (acme.read().await.unwrap(), Vec::new());
    for intake in intakes {
        refusals.extend(facts.refusals(&intake.id).await.unwrap());
    }
    refusals.sort_by_key(|refusal| refusal.raw.clone());
    let kept = |letter: &billing_store::bus::DeadLetter| {
        (letter.place.clone(), String::from_utf8(letter.body.clone()).unwrap())
    };
    let refused = refusals.iter().map(|refusal| (refusal.place.to_string(), refusal.raw.clone()));
    assert_eq!(refused.collect::<Vec<_>>(), dead.into_iter().map(kept).collect::<Vec<_>>());
    assert_eq!(acme.parked(None, 100).await.unwrap().len(), 10);
}

#[tokio::test]
async fn a_full_bus_makes_sources_wait_and_drops_nothing() {
    let acme = tenant(MemoryStore::new());
    let bus = Bus::new(Partitions::ONE, 2);
    let consumer = bus.consumer(&acme, 0, small()).unwrap();
    let mut messages = poisoned().into_iter().map(|sent| sent.body);
    for body in messages.by_ref().take(2) {
        bus.publish_body(None, body).await.unwrap();
    }
    let (third, other) = (messages.next().unwrap(), bus.clone());
    let waiting = tokio::spawn(async move { other.publish_body(None, third).await });
    let committed = consumer.take().await.unwrap();
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished(), "what is in hand takes its place still");
    assert_eq!(committed.let_go().received(), 2);
    waiting.await.unwrap().unwrap();

    let (fourth, fifth) = (messages.next().unwrap(), messages.next().unwrap());
    bus.publish_body(None, fourth).await.unwrap();
    let other = bus.clone();
    let late = tokio::spawn(async move { other.publish_body(None, fifth).await });
    tokio::task::yield_now().await;
    bus.close();
    assert!(matches!(late.await.unwrap(), Err(PublishError::Closed)));
    assert_eq!(consumer.run_once().await.unwrap().received(), 2);
    assert!(consumer.run_once().await.is_none());
}

#[tokio::test]
async fn a_batch_in_hand_is_finished_before_a_consumer_stops() {
    let acme = tenant(MemoryStore::new());
    set_up(&acme).await;
    let bus = Bus::new(Partitions::ONE, 1_000);
    for Sent { account, body } in poisoned() {
        bus.publish_body(account.as_ref(), body).await.unwrap();
    }
    let consumer = bus.consumer(&acme, 0, small()).unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let (mut stop, mut reports) = (Some(stop), Vec::new());
    let told = |report| {
        reports.push(report);
        // After the first batch.
        stop.take().map(|stop| stop.send(()));
    };
    consumer.run(async { stopped.await.unwrap() }, told).await;
    assert_eq!(sum(&reports)[0], 7);
    assert_eq!(reports.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_consumer_that_dies_before_its_commit_loses_nothing() {
    let (store, folder) = (MemoryStore::new(), Folder::new("bus-dies"));
    set_up(&tenant(store.clone())).await;
    let when = When::Hangs { units: AtomicU64::new(1), waits: folder.file("waits") };
    let (hangs, works) = (tenant(Failing { inner: store.clone(), when }), tenant(store));
    let bus = Bus::new(Partitions::ONE, 1_000);
    for Sent { account, body } in poisoned() {
        bus.publish_body(account.as_ref(), body).await.unwrap();
    }
    bus.close();
    let dies = bus.consumer(&hangs, 0, small()).unwrap();
    tokio::time::timeout(Duration::from_mins(1), dies.run_once()).await.unwrap_err();
    let lives = bus.consumer(&works, 0, Batching { messages_max: 1_000, ..small() }).unwrap();
    let reports = [lives.run_once().await.unwrap()];
    assert_eq!(sum(&reports), [1_000, 980, 0, 0, 10, 10]);
    assert!(lives.run_once().await.is_none());
}

/// The store holds something impossible of one account: the others of its batches are recorded, and its messages are dead in the end.
#[tokio::test(start_paused = true)]
async fn an_account_that_cannot_be_taken_holds_up_nobody() {
    let store = MemoryStore::new();
    set_up(&tenant(store.clone())).await;
    let account = "account-3".parse().unwrap();
    let acme = tenant(Failing { inner: store, when: When::Of(account) });
    let (bus, messages) = (Bus::new(Partitions::ONE, 1_000), poisoned());
    for Sent { account, body } in &messages {
        bus.publish_body(account.as_ref(), body.clone()).await.unwrap();
    }
    bus.close();
    let consumer = bus.consumer(&acme, 0, Batching::default()).unwrap();
    let (mut again, mut reports) = (0, Vec::new());
    while let Some(report) = consumer.run_once().await {
        again += report.again;
        reports.push(report);
    }
    let of_the_account =
        |sent: &&Sent| sent.account.as_ref().is_some_and(|id| id.as_str() == "account-3");
    let held = messages.iter().filter(of_the_account).count();
    let held = u64::try_from(held).unwrap();
    let dead = reports.iter().flat_map(|report| &report.dead);
    let dead = dead.filter(|letter| letter.reason.contains("something impossible")).count();
    assert_eq!(u64::try_from(dead).unwrap(), held);
    assert_eq!(u64::try_from(again).unwrap(), held * (ATTEMPTS_MAX - 1));
    let recorded = 980 - held;
    let sums = sum(&reports);
    assert_eq!(sums, [recorded + 20, recorded, 0, 0, 10, 10]);
}
