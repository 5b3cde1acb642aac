//! The bus of NATS: the same as in process, with processes that are killed, over one file of SQLite.

use core::time::Duration;
use std::{
    io::Read as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use async_nats::jetstream::{self, Context};
use futures_util::StreamExt as _;
use sqlx::ConnectOptions as _;
use tokio::task::JoinSet;

use billing_core::{
    id::{AccountId, TenantId},
    item::CallEnded,
    outbox::{Delivery, EventId, Failure, Message},
};
use billing_store::{
    MemoryStore, PostgresStore, Tenant,
    bus::{
        Batching, Partitions, Report,
        nats::{
            Consumer, EventSink, Keeping, Layout, NatsError, Publisher, REASON, SUBJECT, Settings,
            ensure_streams,
        },
    },
    relay::Sink as _,
    store::Store,
};

use crate::{
    failing::{Failing, When},
    first_seed,
    folder::{Folder, open},
    runs,
    server::Database,
    services,
    world::{Chance, Log, Sent, checked, poisoned, set_up, sum, tenant},
};

const PARTITIONS: u16 = 4;

/// Streams of a run's own, which go away with it.
struct Streams {
    url: String,
    prefix: String,
    context: Context,
    layout: Layout,
}

impl Streams {
    async fn make(url: &str) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let prefix = format!("billing-test-{}-{number}", std::process::id());
        let (context, layout) = (connect(url).await, layout(&prefix));
        ensure_streams(&context, &layout, Keeping::default()).await.unwrap();
        Self { url: url.to_owned(), prefix, context, layout }
    }

    async fn publish(&self, tenant: &Tenant, messages: &[Sent]) {
        for Sent { account, body } in messages {
            let subject = self.layout.subject_of(tenant.id(), account.as_ref());
            // Without an id, so that NATS drops none of them.
            self.context.publish(subject, body.clone().into()).await.unwrap().await.unwrap();
        }
    }

    async fn left(&self, stream: String) -> u64 {
        self.context.get_stream(stream).await.unwrap().cached_info().state.messages
    }

    /// Waits until every message was acknowledged, which takes it out of the queue.
    async fn drained(&self) {
        while self.left(self.layout.stream()).await > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn consumers(&self, tenant: &Tenant) -> Vec<Consumer> {
        let mut consumers = Vec::new();
        for partition in 0..PARTITIONS {
            let consumer =
                Consumer::open(&self.context, &self.layout, tenant, partition, settings()).await;
            consumers.push(consumer.unwrap());
        }
        consumers
    }
}

impl Drop for Streams {
    fn drop(&mut self) {
        let (url, layout) = (self.url.clone(), self.layout.clone());
        let gone = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let context = connect(&url).await;
                for stream in [layout.stream(), layout.dead_stream(), layout.event_stream()] {
                    context.delete_stream(stream).await.unwrap();
                }
            });
        });
        let gone = gone.join();
        // What failed before is told first.
        if !std::thread::panicking() {
            gone.unwrap();
        }
    }
}

async fn connect(url: &str) -> Context {
    jetstream::new(async_nats::connect(url).await.unwrap())
}

fn layout(prefix: &str) -> Layout {
    Layout::try_new(prefix, Partitions::try_new(PARTITIONS).unwrap()).unwrap()
}

const fn settings() -> Settings {
    let batching = Batching { messages_max: 7, wait: Duration::from_millis(30) };
    Settings { batching, ack_wait: Duration::from_secs(1) }
}

/// The store that the processes of a run share: a file of `SQLite` in the folder, or the database at an address.
async fn shared(folder: &Path, database: Option<&str>) -> Arc<dyn Store> {
    match database {
        Some(url) => Arc::new(PostgresStore::open(url).await.unwrap()),
        None => Arc::new(open(folder.join("billing.db")).await),
    }
}

/// What a child is told: where NATS and the database are (`-` is a file), the prefix of the streams, where and at which batch it
/// dies, and its folder.
const CHILD: &str = "BILLING_BUS_CHILD";

/// What all processes of one run are told.
struct Run<'url> {
    url: &'url str,
    database: Option<String>,
    folder: PathBuf,
}

/// Where a child stops and waits to be killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dies {
    Never,
    /// It has messages, and nothing of them is committed.
    BeforeCommit,
    /// They are committed, and none is acknowledged.
    BeforeAcknowledgement,
}

/// A process of its own with four consumers. It ends with this value.
struct Running(Child);

impl Running {
    fn begin(run: &Run<'_>, prefix: &str, (dies, at): (Dies, u64)) -> Self {
        let database = run.database.as_deref().unwrap_or("-");
        let folder = run.folder.display();
        let told = format!("{} {database} {prefix} {} {at} {folder}", run.url, dies as u8);
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture", "nats::a_process_takes_messages_in"])
            .env(CHILD, told)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn();
        Self(child.unwrap())
    }

    /// Tells it to stop, and waits until it has.
    fn stop(mut self) {
        drop(self.0.stdin.take());
        assert!(self.0.wait().unwrap().success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _killed: std::io::Result<()> = self.0.kill();
        let _ended: std::io::Result<ExitStatus> = self.0.wait();
    }
}

/// Where a child says that it waits to be killed.
fn waits(folder: &Path) -> PathBuf {
    folder.join("waits")
}

/// Nothing by itself; what a child does.
#[test]
fn a_process_takes_messages_in() {
    let Ok(told) = std::env::var(CHILD) else { return };
    let mut told = told.splitn(6, ' ');
    let mut next = || told.next().unwrap().to_owned();
    let (url, database) = (next(), Some(next()).filter(|database| database != "-"));
    let (prefix, dies, at, folder) = (next(), next(), next(), PathBuf::from(next()));
    let every = [Dies::Never, Dies::BeforeCommit, Dies::BeforeAcknowledgement];
    let dies = (every[dies.parse::<usize>().unwrap()], at.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(work(&Run { url: &url, database, folder }, &prefix, dies));
}

async fn work(run: &Run<'_>, prefix: &str, (dies, at): (Dies, u64)) {
    static COMMITTED: AtomicU64 = AtomicU64::new(0);
    let folder = &run.folder;
    let inner = shared(folder, run.database.as_deref()).await;
    let begun = if dies == Dies::BeforeCommit { at } else { u64::MAX };
    let when = When::Hangs { units: AtomicU64::new(begun), waits: waits(folder) };
    let acme = tenant(Failing { inner, when });
    let (context, layout) = (connect(run.url).await, layout(prefix));
    let (stop, stopped) = tokio::sync::watch::channel(false);
    std::thread::spawn(move || {
        // It ends when its parent says so, or has ended.
        let _end: std::io::Result<usize> = std::io::stdin().read_to_end(&mut Vec::new());
        stop.send_replace(true);
    });
    let mut consumers = JoinSet::new();
    for partition in 0..PARTITIONS {
        let consumer = Consumer::open(&context, &layout, &acme, partition, settings()).await;
        let (consumer, stopped, folder) = (consumer.unwrap(), stopped.clone(), folder.clone());
        let mut chance = Chance(at ^ u64::from(partition));
        consumers.spawn(async move {
            while !*stopped.borrow() {
                let batch = consumer.take().await.unwrap();
                let is_some = batch.report().received() > 0;
                if is_some
                    && dies == Dies::BeforeAcknowledgement
                    && COMMITTED.fetch_add(1, Ordering::SeqCst) + 1 == at
                {
                    std::fs::File::create(waits(&folder)).unwrap();
                    core::future::pending::<()>().await;
                }
                // One acknowledgement in ten is lost.
                if chance.below(10) > 0 {
                    let _report: Report = batch.let_go().await;
                }
            }
        });
    }
    while let Some(ended) = consumers.join_next().await {
        ended.unwrap();
    }
}

async fn run(url: &str, seed: u64, database: Option<String>) {
    let mut chance = Chance(seed);
    let log = Log::by_chance(&mut chance);
    let messages = log.repeated(&mut chance);
    let folder = Folder::new(&format!("bus-nats-{seed}"));
    let run = Run { url, database, folder: folder.file("") };
    let acme = tenant(shared(&run.folder, run.database.as_deref()).await);
    set_up(&acme).await;

    let streams = Streams::make(url).await;
    let (before, meanwhile) = messages.split_at(messages.len() / 2);
    streams.publish(&acme, before).await;
    let dies =
        [Dies::BeforeCommit, Dies::BeforeAcknowledgement][usize::from(seed.is_multiple_of(2))];
    let victim = Running::begin(&run, &streams.prefix, (dies, 1 + chance.below(4)));
    let survivor = Running::begin(&run, &streams.prefix, (Dies::Never, 0));
    streams.publish(&acme, meanwhile).await;
    while !waits(&run.folder).exists() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(victim);
    streams.drained().await;
    // Which content came first is a fact of its own, so the others come when all of them have.
    streams.publish(&acme, &log.conflicts).await;
    streams.drained().await;
    survivor.stop();

    assert_eq!(checked(&acme).await, log.clean().await, "BILLING_BUS_SEED={seed}");
    let dead = streams.left(streams.layout.dead_stream()).await;
    let unreadable = messages.iter().filter(|sent| sent.account.is_none()).count();
    let expected = u64::try_from(unreadable + log.conflicts.len()).unwrap();
    // What was kept twice, because its process was killed in between, is dropped by its id.
    assert_eq!(dead, expected);
}

#[test]
fn processes_that_are_killed_leave_the_state_of_a_clean_run() {
    let Some(url) = services::url("nats") else { return };
    let (runs, first) = (runs().div_ceil(10), first_seed());
    let mut on_a_server = 0_u64;
    for seed in first..first + runs {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            run(&url, seed, None).await;
            if let Some(database) = Database::new("bus_nats").await {
                drop(database.store().await);
                let database = database.connect().to_url_lossy().to_string();
                run(&url, seed, Some(database)).await;
                on_a_server += 1;
            }
        });
    }
    println!(
        "evidence: logs delivered by NATS to two processes over one file, one of them killed before its commit or before its \
         acknowledgement = {runs}"
    );
    println!("evidence: those of them over PostgreSQL too = {on_a_server}");
}

#[tokio::test]
async fn every_message_over_nats_is_in_one_count() {
    let Some(url) = services::url("nats") else { return };
    let streams = Streams::make(&url).await;
    let acme = tenant(MemoryStore::new());
    set_up(&acme).await;
    let messages = poisoned();
    streams.publish(&acme, &messages).await;
    let mut reports: Vec<Report> = Vec::new();
    let consumers = streams.consumers(&acme).await;
    while streams.left(streams.layout.stream()).await > 0 {
        for consumer in &consumers {
            reports.push(consumer.run_once().await.unwrap());
        }
    }
    assert_eq!(sum(&reports), [1_000, 980, 0, 0, 10, 10]);
    assert_eq!(acme.parked(None, 100).await.unwrap().len(), 10);

    let dead = streams.context.get_stream(streams.layout.dead_stream()).await.unwrap();
    let dead = dead.create_consumer(jetstream::consumer::pull::Config::default()).await.unwrap();
    let mut letters = dead.fetch().max_messages(100).messages().await.unwrap();
    let mut bodies = Vec::new();
    while let Some(letter) = letters.next().await {
        let letter = letter.unwrap();
        assert_eq!(letter.subject.as_str(), streams.layout.dead_subject_of(acme.id()));
        let headers = letter.headers.clone().unwrap();
        assert!(headers.get(REASON).unwrap().as_str().starts_with("it is no"));
        assert_eq!(
            headers.get(SUBJECT).unwrap().as_str(),
            streams.layout.subject_of(acme.id(), None)
        );
        bodies.push(letter.payload.to_vec());
    }
    bodies.sort();
    let mut unreadable: Vec<_> =
        messages.iter().step_by(100).map(|sent| sent.body.clone()).collect();
    unreadable.sort();
    assert_eq!(bodies, unreadable);
}

#[tokio::test]
async fn a_publisher_waits_until_it_is_stored_and_is_told_when_nobody_takes_it() {
    let Some(url) = services::url("nats") else { return };
    let streams = Streams::make(&url).await;
    let acme = tenant(MemoryStore::new());
    let call: CallEnded = serde_json::from_slice(&poisoned()[2].body).unwrap();
    let publisher = Publisher::new(streams.context.clone(), streams.layout.clone());
    let calls = vec![call.clone(); 3];
    publisher.publish_all(acme.id(), &calls).await.unwrap();
    let mut other = call;
    other.call.duration_ms += 1;
    publisher.publish(acme.id(), &other).await.unwrap();
    let left = streams.left(streams.layout.stream()).await;
    assert_eq!(
        left, 2,
        "NATS drops what is the same, and never another content under the same key"
    );

    // Doing it again does nothing; a layout with other partitions is told apart.
    ensure_streams(&streams.context, &streams.layout, Keeping::default()).await.unwrap();
    let more = Partitions::try_new(PARTITIONS + 1).unwrap();
    let wider = Layout::try_new(&streams.prefix, more).unwrap();
    let differs = ensure_streams(&streams.context, &wider, Keeping::default()).await;
    assert!(matches!(differs, Err(NatsError::Differs { what: "subjects", .. })), "{differs:?}");
    let wider = Publisher::new(streams.context.clone(), wider);
    let mut refused = 0_u32;
    for number in 0..50_u32 {
        other.account = Some(format!("account-{number}").parse().unwrap());
        refused += u32::from(wider.publish(acme.id(), &other).await.is_err());
    }
    assert!(refused > 0, "no stream takes the fifth partition");
    let opened =
        Consumer::open(&streams.context, &streams.layout, &acme, PARTITIONS, settings()).await;
    assert!(matches!(opened, Err(NatsError::NoPartition { partition: 4, count: 4 })));
}

/// An event of an account, as the relay tells it.
fn event(account: &str, seq: u64, bytes: usize) -> Message {
    let (epoch, tenant, account) = ("first".parse(), "acme".parse(), account.parse());
    let (tenant, account): (TenantId, AccountId) = (tenant.unwrap(), account.unwrap());
    let id =
        EventId { epoch: epoch.unwrap(), tenant: tenant.clone(), account: account.clone(), seq };
    let body = "0".repeat(bytes);
    Message { id, tenant, account, seq, kind: "posting.rated".into(), body }
}

#[tokio::test]
async fn events_are_stored_once_in_the_order_of_each_account_up_to_the_first_that_fails() {
    let Some(url) = services::url("nats") else { return };
    let streams = Streams::make(&url).await;
    let sink = EventSink::new(streams.context.clone(), streams.layout.clone());
    let mut events = vec![];
    for account in ["alice", "bob", "carol"] {
        events.extend((1..=30).map(|seq| event(account, seq, 1)));
    }
    assert_eq!(sink.deliver(&events).await, Delivery::all(&events));
    assert_eq!(sink.deliver(&events).await, Delivery::all(&events), "NATS drops what it has");

    let stream = streams.context.get_stream(streams.layout.event_stream()).await.unwrap();
    let reader = stream.create_consumer(jetstream::consumer::pull::Config::default()).await;
    let mut stored = reader.unwrap().fetch().max_messages(1_000).messages().await.unwrap();
    let mut read = Vec::new();
    while let Some(message) = stored.next().await {
        let message = message.unwrap();
        let id = message.headers.as_ref().unwrap().get("Nats-Msg-Id").unwrap().as_str().to_owned();
        read.push((message.subject.to_string(), id));
    }
    for account in ["alice", "bob", "carol"] {
        let of = |event: &&Message| event.account.as_str() == account;
        let subject =
            |event: &Message| streams.layout.event_subject_of(&event.tenant, &event.account);
        let told: Vec<_> =
            events.iter().filter(of).map(|event| (subject(event), event.id.to_string())).collect();
        let read = read.iter().filter(|read| told.contains(read)).cloned();
        assert_eq!(read.collect::<Vec<_>>(), told);
    }
    assert_eq!(read.len(), events.len());

    // Larger than a server takes; what follows it waits.
    let large = [event("dora", 1, 1), event("emil", 1, 2_000_000), event("emil", 2, 1)];
    let delivery = sink.deliver(&large).await;
    assert_eq!(delivery.taken, 1);
    assert!(matches!(delivery.failure, Some(Failure::Never { .. })), "{delivery:?}");

    streams.context.delete_stream(streams.layout.event_stream()).await.unwrap();
    let delivery = sink.deliver(&events).await;
    assert_eq!(delivery.taken, 0);
    assert!(matches!(delivery.failure, Some(Failure::Retry { .. })), "{delivery:?}");
    ensure_streams(&streams.context, &streams.layout, Keeping::default()).await.unwrap();
}
