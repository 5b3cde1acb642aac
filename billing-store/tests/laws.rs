//! Laws of recording: order, duplication and batching do not matter, on any store.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::integer_division,
    clippy::default_numeric_fallback,
    reason = "a test may panic, and its shuffling is no money"
)]

use std::{
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
};

use proptest::{prelude::*, test_runner::TestRunner};

use billing_core::{
    account::AccountSettings,
    decide::Batch,
    digest::Digest,
    item::{CallEnded, Incoming},
    money::Amount,
    plan::{PlanBook, PlanSpec},
};
use billing_store::{
    Billing, MemoryStore, SqliteStore, Tenant, clock::SetClock, state_hash, verify::verify,
};

const PLANS: [&str; 5] = [
    r#"{"id":"calls","kind":"flat_rate","terms":{"per_minute":"0.0199","minutes":"pro_rata"}}"#,
    r#"{"id":"calls","kind":"flat_rate","terms":{"per_minute":"0.031","minutes":"per_started_minute"}}"#,
    r#"{"id":"calls","kind":"blocks","terms":{"block_ms":30000,"per_block":"0.2","scope":"call"}}"#,
    r#"{"id":"calls","kind":"blocks","terms":{"block_ms":30000,"per_block":"0.2","scope":"period"}}"#,
    r#"{"id":"calls","kind":"blocks","terms":{"block_ms":7000,"per_block":"0.005","scope":"lifetime"}}"#,
];
const ZONES: [&str; 5] =
    ["Europe/Berlin", "America/St_Johns", "Asia/Kolkata", "Pacific/Apia", "Australia/Lord_Howe"];

/// Accounts `0..5` have the five plans in five zones; account `5` does not exist.
async fn set_up(tenant: &Tenant) {
    for (number, (strategy, zone)) in PLANS.iter().zip(ZONES).enumerate() {
        let plan: PlanSpec = serde_json::from_str(&format!(
            r#"{{"id":"plan-{number}","version":1,"currency":"EUR","payment":"postpaid","strategies":[{strategy}]}}"#
        ))
        .unwrap();
        tenant.save_plan(&plan).await.unwrap();
        let settings: AccountSettings = serde_json::from_str(&format!(
            r#"{{"id":"account-{number}","currency":"EUR","zone":"{zone}",
                "anchor":{{"from":"2026-08-{:02}","months":1}},
                "tax":{{"name":"VAT","percent":"8","mode":"added"}}}}"#,
            [1, 15, 31, 30, 2][number],
        ))
        .unwrap();
        tenant.open_account(&settings).await.unwrap();
        let from = "2026-08-31".parse().unwrap();
        tenant.assign(&settings.id, &plan.id, 1, from).await.unwrap();
    }
}

fn call() -> impl Strategy<Value = (u8, u32, u32, bool)> {
    // Up to 70 days from late August: before the first plan, over two closed periods, into an open one.
    (0_u8..6, 0_u32..70 * 24 * 60, 0_u32..400_000, any::<bool>())
}

fn incoming(
    number: usize,
    (account, minute, duration, answered): (u8, u32, u32, bool),
) -> Incoming {
    let start: billing_core::time::Instant = "2026-08-29T00:00:00Z".parse().unwrap();
    let start = start.checked_add_ms(u64::from(minute) * 60_000).unwrap();
    let disposition = if answered { "answered" } else { "no_answer" };
    let call: CallEnded = serde_json::from_str(&format!(
        r#"{{"key":{{"source":"pbx","id":"{number}"}},"account":"account-{account}",
            "call":{{"start":"{start}","duration_ms":{duration},"caller":"","callee":"",
                     "disposition":"{disposition}","direction":"outbound"}}}}"#
    ))
    .unwrap();
    call.into()
}

/// Ingests in the given batches, issues, and gives the state's hash; `verify` must be clean before and after.
async fn run(tenant: &Tenant, batches: &[Vec<Incoming>]) -> Digest {
    set_up(tenant).await;
    for calls in batches {
        let entries = calls.iter().cloned().map(Ok).collect();
        let taken = tenant.ingest(&Batch { label: String::new(), entries }).await.unwrap();
        assert!(taken.intake.balances());
    }
    assert_eq!(verify(tenant).await.unwrap().findings, []);
    let series = "main".parse().unwrap();
    let as_of = "2026-11-02T00:00:00Z".parse().unwrap();
    tenant.issue_invoices(&series, as_of).await.unwrap();
    check_shares(tenant).await;
    assert_eq!(verify(tenant).await.unwrap().findings, []);
    state_hash(tenant).await.unwrap()
}

/// The shares of each line add up to it, the lines to the net, and net and tax to the total.
async fn check_shares(tenant: &Tenant) {
    for number in 0..5 {
        let account = format!("account-{number}").parse().unwrap();
        for invoice in tenant.invoices(&account).await.unwrap() {
            let draft = &invoice.draft;
            for line in &draft.lines {
                assert_eq!(sum(line.parts.iter().map(|part| part.share)), line.amount);
            }
            assert_eq!(sum(draft.lines.iter().map(|line| line.amount)), draft.taxed.net);
            let taxes = sum(draft.taxed.taxes.iter().map(|tax| tax.amount));
            assert_eq!(draft.taxed.net.checked_add(taxes).unwrap(), draft.taxed.total);
        }
    }
}

fn sum(mut amounts: impl Iterator<Item = Amount>) -> Amount {
    amounts.try_fold(Amount::ZERO, Amount::checked_add).unwrap()
}

fn tenant(store: impl billing_store::store::Store + 'static) -> Tenant {
    let clock = SetClock::at("2026-11-03T00:00:00Z".parse().unwrap());
    Billing::new(store, PlanBook::standard(), clock).tenant("acme").unwrap()
}

async fn on_memory(batches: &[Vec<Incoming>]) -> Digest {
    run(&tenant(MemoryStore::new()), batches).await
}

async fn on_sqlite(batches: &[Vec<Incoming>]) -> Digest {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let folder: PathBuf =
        std::env::temp_dir().join(format!("billing-laws-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let store = SqliteStore::open(folder.join("billing.db")).await.unwrap();
    store.migrate().await.unwrap();
    let hash = run(&tenant(store.clone()), batches).await;
    store.close().await;
    std::fs::remove_dir_all(&folder).unwrap();
    hash
}

/// The calls, some of them again, in another order and other batches.
fn shuffled(calls: &[Incoming], seed: u64) -> Vec<Vec<Incoming>> {
    let mut state = seed;
    let mut next = |below: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let mut all = calls.to_vec();
    for _ in 0..calls.len() / 2 {
        all.push(calls[next(calls.len())].clone());
    }
    for at in (1..all.len()).rev() {
        all.swap(at, next(at + 1));
    }
    let mut batches = vec![Vec::new()];
    for call in all {
        if next(4) == 0 {
            batches.push(Vec::new());
        }
        batches.last_mut().unwrap().push(call);
    }
    batches
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(work)
}

/// How many random cases each law is held against; `PROPTEST_CASES` asks for more.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(24)
}

#[test]
fn any_order_duplication_and_batching_gives_one_state_on_every_store() {
    let config = ProptestConfig { cases: cases(), ..ProptestConfig::default() };
    let calls = proptest::collection::vec(call(), 1..60);
    let held = TestRunner::new(config).run(&(calls, any::<u64>()), |(calls, seed)| {
        let calls: Vec<Incoming> =
            calls.into_iter().enumerate().map(|(number, call)| incoming(number, call)).collect();
        let clean = block_on(on_memory(core::slice::from_ref(&calls)));
        let disturbed = shuffled(&calls, seed);
        prop_assert_eq!(block_on(on_memory(&disturbed)), clean);
        prop_assert_eq!(block_on(on_sqlite(&disturbed)), clean);
        Ok(())
    });
    held.unwrap();
    println!("evidence: random cases for each law, of the rules and of both stores = {}", cases());
}
