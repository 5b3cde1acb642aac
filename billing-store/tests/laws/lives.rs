//! Whatever is done in whatever order, all stores answer the same, keep the same, and have nothing to hide.

use std::sync::Arc;

use proptest::{prelude::*, sample::Index, test_runner::TestRunner};

use billing_core::{
    correction::{Change, Correction, Selection},
    decide::{Batch, Days, StoredItem},
    digest::Digest,
    id::AccountId,
    item::{Incoming, ItemKey},
    settlement::Handover,
    tariff::Activation,
    terms::Overrides,
    time::{Instant, Zone},
};
use billing_store::{
    MemoryStore, Outcome, Tenant, clock::SetClock, state_hash, store::HistoryPage, verify::verify,
};

use crate::{
    downstream::Downstream,
    server::Database,
    world::{
        Span, at, block_on, cases, flat, items, retail, set_up, shuffled, tenant, usage,
        with_postgres, with_sqlite,
    },
};

/// One thing that is done.
#[derive(Clone, Debug)]
enum Step {
    /// So many batches are ingested.
    Ingest(usize),
    /// Days pass.
    Wait(u32),
    /// What has ended is invoiced.
    Issue,
    /// The last invoice of an account is made void.
    Void(u8),
    /// The last invoice of an account is paid.
    Pay(u8),
    /// Days are handed over.
    HandOver(bool),
    /// What waits is sent.
    Send(Downstream),
    /// What an account was refused is sent once more.
    Resend(u8),
    /// What is parked is tried again.
    Retry,
    /// One of the parked items is dropped.
    Drop(Index),
    /// A new version of a tariff is saved, and is to be in force since so many minutes ago.
    Activate(u8, u32),
    /// The same, with what is priced rated anew.
    ActivateAnew(u8, u32),
    /// An account has another plan since so many days ago, with what it used rated anew.
    AssignAnew(u8, u8, i32),
    /// One of the recorded items is taken back.
    TakeBack(Index),
    /// One of the recorded items has the content of another.
    Amend(Index, Index),
    /// Everything is rated anew.
    Rerate,
}

fn step() -> impl Strategy<Value = Step> {
    let downstream =
        prop_oneof![Just(Downstream::Accepts), Just(Downstream::Refuses), Just(Downstream::Fails)];
    prop_oneof![
        4 => (1_usize..6).prop_map(Step::Ingest),
        3 => (1_u32..20).prop_map(Step::Wait),
        2 => Just(Step::Issue),
        2 => (0_u8..5).prop_map(Step::Void),
        1 => (0_u8..5).prop_map(Step::Pay),
        2 => any::<bool>().prop_map(Step::HandOver),
        3 => downstream.prop_map(Step::Send),
        1 => (0_u8..5).prop_map(Step::Resend),
        1 => Just(Step::Retry),
        1 => any::<Index>().prop_map(Step::Drop),
        3 => (0_u8..3, 0_u32..20 * 24 * 60).prop_map(|(tariff, since)| Step::Activate(tariff, since)),
        2 => (0_u8..3, 0_u32..40 * 24 * 60).prop_map(|(tariff, since)| Step::ActivateAnew(tariff, since)),
        2 => (0_u8..5, 0_u8..5, 0_i32..40).prop_map(|(who, plan, since)| Step::AssignAnew(who, plan, since)),
        3 => any::<Index>().prop_map(Step::TakeBack),
        3 => (any::<Index>(), any::<Index>()).prop_map(|(one, other)| Step::Amend(one, other)),
        1 => Just(Step::Rerate),
    ]
}

/// A tenant at work, and what it has answered so far.
struct Life {
    tenant: Tenant,
    clock: Arc<SetClock>,
    minute: u32,
    /// The last version of all tariffs.
    version: u32,
    /// How many corrections were asked for.
    corrections: u32,
    answers: Vec<String>,
}

fn account(number: u8) -> AccountId {
    format!("account-{number}").parse().unwrap()
}

impl Life {
    fn now(&self) -> Instant {
        at(self.minute)
    }

    fn answer(&mut self, answer: &impl std::fmt::Debug) {
        self.answers.push(format!("{answer:?}"));
    }

    async fn ingest(&mut self, items: Vec<Incoming>) {
        let entries = items.into_iter().map(Ok).collect();
        let taken = self.tenant.ingest(&Batch { label: String::new(), entries }).await.unwrap();
        self.answer(&taken);
    }

    async fn parked(&self) -> Vec<ItemKey> {
        let parked = self.tenant.parked(None, 1_000).await.unwrap();
        parked.into_iter().map(|parked| parked.incoming.key).collect()
    }

    async fn retry(&mut self) {
        let keys = self.parked().await;
        let taken = self.tenant.retry_parked(&keys).await.unwrap();
        self.answer(&taken);
    }

    async fn issue(&mut self) {
        let issued = self.tenant.issue_invoices(&"main".parse().unwrap(), self.now()).await;
        self.answer(&issued.unwrap());
    }

    /// Marks the last invoice of an account.
    async fn mark(&mut self, number: u8, void: bool) {
        let last = self.tenant.read().await.unwrap().last_invoice(&account(number)).await.unwrap();
        self.answer(&last);
        let Some((series, number)) = last else { return };
        let answer = if void {
            self.tenant.void_invoice(&series, number, "a wrong price").await
        } else {
            let on = "2026-11-20".parse().unwrap();
            self.tenant.invoice_paid(&series, number, on, "transfer 7").await
        };
        self.answer(&answer);
    }

    async fn resend(&mut self, number: u8) {
        for settlement in self.tenant.settlements(&account(number)).await.unwrap() {
            if settlement.state.name() == "refused" {
                let Handover { account, day, revision, .. } = settlement.handover;
                self.tenant.resend_settlement(&account, day, revision).await.unwrap();
            }
        }
    }

    /// Makes a correction as it was said to be beforehand, and once more.
    async fn correct(&mut self, change: Change) {
        self.corrections += 1;
        let (id, reason) = (self.corrections.to_string().parse().unwrap(), "a complaint".into());
        let correction = Correction { id, reason, change };
        let preview = self.tenant.preview_correction(&correction).await;
        self.answer(&preview);
        let made = self.tenant.correct(&correction).await;
        match (preview, made) {
            (Ok(preview), Ok(made)) => {
                assert_eq!(made.report, preview);
                let again = self.tenant.correct(&correction).await.unwrap();
                assert_eq!((again.outcome, again.report), (Outcome::Replay, preview));
            }
            (preview, made) => assert!(preview.is_err() && made.is_err(), "{preview:?} {made:?}"),
        }
    }

    /// The recorded items, in the order of their keys.
    async fn recorded(&self) -> Vec<StoredItem> {
        self.tenant.read().await.unwrap().item_page(None, 1_000).await.unwrap()
    }

    async fn take_back(&mut self, index: Index) {
        let items = self.recorded().await;
        if !items.is_empty() {
            let key = index.get(&items).claim.key.clone();
            self.correct(Change::Void { key }).await;
        }
    }

    async fn amend(&mut self, one: Index, other: Index) {
        let items = self.recorded().await;
        if !items.is_empty() {
            let (key, item) = (one.get(&items).claim.key.clone(), other.get(&items).item.clone());
            self.correct(Change::Amend { key, item }).await;
        }
    }

    async fn assign_anew(&mut self, number: u8, plan: u8, since: i32) {
        let today = Zone::try_new("UTC").unwrap().day_of(self.now());
        let (from, overrides) = (today.plus_days(-since).unwrap(), Overrides::none());
        let (account, plan) = (account(number), format!("plan-{plan}").parse().unwrap());
        self.correct(Change::AssignPlan { account, plan, version: 1, from, overrides }).await;
    }

    /// A version more of a tariff.
    async fn next_version(&mut self, tariff: u8, since: u32) -> Activation {
        self.version += 1;
        let spec = match tariff {
            0 => retail(self.version),
            1 => flat("world", self.version, "time"),
            _ => flat("pieces", self.version, "units"),
        };
        self.tenant.save_tariff(&spec).await.unwrap();
        let from = at(self.minute.saturating_sub(since));
        Activation { tariff: spec.id, version: spec.version, from }
    }

    /// Whether it may begin then is for the store to say.
    async fn activate(&mut self, tariff: u8, since: u32) {
        let Activation { tariff, version, from } = self.next_version(tariff, since).await;
        let answer = self.tenant.activate_tariff(&tariff, version, from).await;
        self.answer(&answer);
    }

    async fn activate_anew(&mut self, tariff: u8, since: u32) {
        let activation = self.next_version(tariff, since).await;
        self.correct(Change::ActivateTariff { activation }).await;
    }

    async fn step(&mut self, step: &Step, batches: &mut impl Iterator<Item = Vec<Incoming>>) {
        match step {
            Step::Ingest(number) => {
                for batch in batches.take(*number) {
                    self.ingest(batch).await;
                }
            }
            Step::Wait(days) => {
                self.minute += days * 24 * 60;
                self.clock.set(self.now());
            }
            Step::Issue => self.issue().await,
            Step::Void(number) => self.mark(*number, true).await,
            Step::Pay(number) => self.mark(*number, false).await,
            Step::HandOver(ended) => {
                let days = if *ended { Days::Ended } else { Days::All };
                let made = self.tenant.hand_over(days).await.unwrap();
                self.answer(&made);
            }
            Step::Send(to) => {
                let sent = self.tenant.send_settlements(to, 0).await;
                self.answer(&sent);
            }
            Step::Resend(number) => self.resend(*number).await,
            Step::Retry => self.retry().await,
            Step::Activate(tariff, since) => self.activate(*tariff, *since).await,
            Step::ActivateAnew(tariff, since) => self.activate_anew(*tariff, *since).await,
            Step::AssignAnew(who, plan, since) => self.assign_anew(*who, *plan, *since).await,
            Step::TakeBack(index) => self.take_back(*index).await,
            Step::Amend(one, other) => self.amend(*one, *other).await,
            Step::Rerate => self.correct(Change::Rerate { selection: Selection::all() }).await,
            Step::Drop(index) => {
                let keys = self.parked().await;
                if !keys.is_empty() {
                    self.tenant.drop_parked(index.get(&keys), "a test").await.unwrap();
                }
            }
        }
    }

    /// Everything a person may ask for.
    async fn look(&mut self) {
        let report = self.tenant.not_billed().await.unwrap();
        let dropped = self.tenant.dropped(None, 1_000).await.unwrap();
        self.answer(&(report, dropped));
        for number in 0..5 {
            let id = account(number);
            let (from, until) = (Instant::MIN, Instant::MAX);
            let page = HistoryPage { from, until, kind: None, after: None, limit: 1_000 };
            let history = self.tenant.history(&id, &page).await.unwrap();
            let first = "2026-01-01".parse().unwrap();
            let usage = self.tenant.usage(&id, first, "2027-01-01".parse().unwrap()).await.unwrap();
            let invoices = self.tenant.invoice_page(&id, None, 1_000).await.unwrap();
            let settlements = self.tenant.settlements(&id).await.unwrap();
            let bill = self.tenant.bill(&id, self.now()).await;
            // The end of the journal stands for all of it.
            let facts = self.tenant.read().await.unwrap().accounts(&[id]).await.unwrap();
            self.answer(&(facts, history, usage, invoices, settlements, bill));
        }
    }
}

/// Lives, and gives all answers and the hash of what there is in the end.
async fn live(
    (tenant, clock): (Tenant, Arc<SetClock>),
    steps: &[Step],
    batches: &[Vec<Incoming>],
) -> (Vec<String>, Digest) {
    set_up(&tenant).await;
    let (minute, answers) = (10 * 24 * 60, Vec::new());
    let mut life = Life { tenant, clock, minute, version: 2, corrections: 0, answers };
    let mut batches = batches.iter().cloned();
    for step in steps {
        life.step(step, &mut batches).await;
    }
    assert_eq!(verify(&life.tenant).await.unwrap().findings, []);
    life.look().await;
    // In the end all is told, billed and handed over.
    life.step(&Step::Wait(100), &mut batches).await;
    life.step(&Step::Ingest(usize::MAX), &mut batches).await;
    life.retry().await;
    life.issue().await;
    for number in 0..5 {
        life.resend(number).await;
    }
    assert!(life.tenant.settle_days(&Downstream::Accepts, Days::All, 0).await.is_ok());
    assert_eq!(verify(&life.tenant).await.unwrap().findings, []);
    let left = life.tenant.read().await.unwrap().unanswered(None, 1).await.unwrap();
    assert_eq!(left, []);
    life.look().await;
    (life.answers, state_hash(&life.tenant).await.unwrap())
}

#[test]
fn whatever_is_done_all_stores_answer_and_keep_the_same() {
    let now = at(10 * 24 * 60).to_string();
    let config = ProptestConfig { cases: cases(), ..ProptestConfig::default() };
    let database = block_on(Database::new("lives"));
    let usages = proptest::collection::vec((0_u8..6, usage(Span::Days)), 1..40);
    let steps = proptest::collection::vec(step(), 1..25);
    let held =
        TestRunner::new(config).run(&(usages, steps, any::<u64>()), |(usages, steps, seed)| {
            let numbered = usages.iter().enumerate();
            let all: Vec<Incoming> =
                numbered.flat_map(|(id, (account, usage))| items(id, *account, usage)).collect();
            let batches = shuffled(&all, seed);
            let memory = block_on(live(tenant(MemoryStore::new(), &now), &steps, &batches));
            let sqlite = block_on(with_sqlite(async |store| {
                live(tenant(store, &now), &steps, &batches).await
            }));
            for (one, other) in memory.0.iter().zip(&sqlite.0) {
                prop_assert_eq!(one, other);
            }
            prop_assert_eq!(&memory, &sqlite);
            let Some(database) = &database else { return Ok(()) };
            let postgres = block_on(with_postgres(database, &now, async |tenant| {
                live(tenant, &steps, &batches).await
            }));
            for (one, other) in memory.0.iter().zip(&postgres.0) {
                prop_assert_eq!(one, other);
            }
            prop_assert_eq!(memory, postgres);
            Ok(())
        });
    held.unwrap();
}
