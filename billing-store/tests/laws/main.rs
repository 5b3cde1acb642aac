//! Laws of recording: order, duplication and batching do not matter, on any store.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::integer_division,
    clippy::default_numeric_fallback,
    reason = "a test may panic, and its shuffling is no money"
)]

mod corrections;
#[path = "../downstream/mod.rs"]
mod downstream;
#[path = "../folder/mod.rs"]
mod folder;
mod lives;
mod places;
#[path = "../server/mod.rs"]
mod server;
#[path = "../services/mod.rs"]
mod services;
mod world;

use proptest::{prelude::*, test_runner::TestRunner};

use billing_core::{decide::Batch, digest::Digest, item::Incoming, money::Amount};
use billing_store::{MemoryStore, Tenant, state_hash, verify::verify};

use server::Database;
use world::{
    Span, block_on, cases, items, set_up, shuffled, tenant, usage, with_postgres, with_sqlite,
};

/// After everything that is used.
const NOW: &str = "2026-11-03T00:00:00Z";

/// The state's hash before and after the invoice run.
type Hashes = (Digest, Digest);

/// Ingests in the given batches and issues; `verify` must be clean before and after.
async fn run(tenant: &Tenant, batches: &[Vec<Incoming>]) -> Hashes {
    set_up(tenant).await;
    for items in batches {
        let entries = items.iter().cloned().map(Ok).collect();
        let taken = tenant.ingest(&Batch { label: String::new(), entries }).await.unwrap();
        assert!(taken.intake.balances());
        assert_eq!(taken.intake.conflict, 0);
    }
    assert_eq!(verify(tenant).await.unwrap().findings, []);
    let before = state_hash(tenant).await.unwrap();
    let series = "main".parse().unwrap();
    let as_of = "2026-11-02T00:00:00Z".parse().unwrap();
    tenant.issue_invoices(&series, as_of).await.unwrap();
    check_shares(tenant).await;
    assert_eq!(verify(tenant).await.unwrap().findings, []);
    (before, state_hash(tenant).await.unwrap())
}

/// The shares of each line add up to it, the lines to the net, and net and tax to the total.
async fn check_shares(tenant: &Tenant) {
    for number in 0..5 {
        let account = format!("account-{number}").parse().unwrap();
        for invoice in tenant.invoices(&account).await.unwrap() {
            let draft = &invoice.draft;
            for line in &draft.lines {
                // A fee is for no day's usage, so it has no shares.
                let shared = sum(line.parts.iter().map(|part| part.share));
                let due = if line.unit.is_some() { line.amount } else { Amount::ZERO };
                assert_eq!(shared, due, "{line:?}");
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

async fn on_memory(batches: &[Vec<Incoming>]) -> Hashes {
    run(&tenant(MemoryStore::new(), NOW).0, batches).await
}

async fn on_sqlite(batches: &[Vec<Incoming>]) -> Hashes {
    with_sqlite(async |store| run(&tenant(store, NOW).0, batches).await).await
}

async fn on_postgres(database: &Database, batches: &[Vec<Incoming>]) -> Hashes {
    with_postgres(database, NOW, async |(tenant, _)| run(&tenant, batches).await).await
}

/// Holds a law against items in any order, and the same in one batch and clean.
fn hold(span: Span, same: impl Fn(Hashes, Hashes) -> Result<(), TestCaseError>) {
    let config = ProptestConfig { cases: cases(), ..ProptestConfig::default() };
    let database = block_on(Database::new("laws"));
    let usages = proptest::collection::vec((0_u8..6, usage(span)), 1..60);
    let held = TestRunner::new(config).run(&(usages, any::<u64>()), |(usages, seed)| {
        let numbered = usages.iter().enumerate();
        let all: Vec<Incoming> =
            numbered.flat_map(|(id, (account, usage))| items(id, *account, usage)).collect();
        let clean = block_on(on_memory(core::slice::from_ref(&all)));
        let disturbed = shuffled(&all, seed);
        same(block_on(on_memory(&disturbed)), clean)?;
        same(block_on(on_sqlite(&disturbed)), clean)?;
        match &database {
            Some(database) => same(block_on(on_postgres(database, &disturbed)), clean),
            None => Ok(()),
        }
    });
    held.unwrap();
}

#[test]
fn any_order_duplication_and_batching_gives_one_state_on_every_store() {
    hold(Span::Moment, |one, other| {
        prop_assert_eq!(one, other);
        Ok(())
    });
    println!("evidence: random cases for each law, of the rules and of every store = {}", cases());
}

// A day that a superseded record was of keeps a total of nothing. The hash leaves it out, an invoice does not: its line of nothing is
// there or not, as the records came.
#[test]
fn records_of_several_days_give_one_state_in_any_order_until_they_are_invoiced() {
    hold(Span::Days, |(one, _), (other, _)| {
        prop_assert_eq!(one, other);
        Ok(())
    });
}
