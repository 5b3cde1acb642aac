//! The sample month, imported and invoiced by the library, equals what a second hand makes of it.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::{collections::BTreeMap, fs, path::PathBuf};

use serde::Deserialize;

use billing::{
    AccountId, AccountSettings, Amount, Batch, Billing, Day, Item, MemoryStore, PlanBook, PlanId,
    PlanSpec, SeriesId, SqliteStore, Tenant, clock::SetClock, core::item::Disposition,
    formats::accounts::AccountMap, formats::asterisk, state_hash, store::store::Store, verify,
};

const MONTH_OVER: &str = "2026-11-01T12:00:00Z";

#[derive(Deserialize)]
struct Setup {
    tenant: String,
    series: SeriesId,
    asterisk: asterisk::Options,
    plans: Vec<PlanSpec>,
    accounts: Vec<Account>,
    account_map: AccountMap,
}

#[derive(Deserialize)]
struct Account {
    settings: AccountSettings,
    plans: Vec<Planned>,
}

#[derive(Deserialize)]
struct Planned {
    plan: PlanId,
    version: u32,
    from: Day,
}

/// What the second hand found; also what is read back from a store.
#[derive(Debug, PartialEq, Eq, Deserialize)]
struct Golden {
    counts: Counts,
    accounts: BTreeMap<AccountId, Usage>,
}

#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
struct Counts {
    received: u64,
    recorded: u64,
    replayed: u64,
    conflict: u64,
    parked: u64,
    refused: u64,
}

#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
struct Usage {
    recorded: u64,
    charged: u64,
    talk_ms: u64,
    invoices: Vec<Invoiced>,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
struct Invoiced {
    period: String,
    currency: String,
    lines: Vec<Line>,
    net: Amount,
    tax: Amount,
    total: Amount,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
struct Line {
    what: String,
    count: i64,
    quantity: String,
    amount: Amount,
}

fn file(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> String {
    fs::read_to_string(file(path)).unwrap()
}

async fn tenant_of(store: impl Store + 'static, setup: &Setup) -> Tenant {
    let clock = SetClock::at(MONTH_OVER.parse().unwrap());
    let tenant = Billing::new(store, PlanBook::standard(), clock).tenant(&setup.tenant).unwrap();
    for plan in &setup.plans {
        tenant.save_plan(plan).await.unwrap();
    }
    for Account { settings, plans } in &setup.accounts {
        tenant.open_account(settings).await.unwrap();
        for Planned { plan, version, from } in plans {
            tenant.assign(&settings.id, plan, *version, *from).await.unwrap();
        }
    }
    tenant
}

async fn import(tenant: &Tenant, setup: &Setup, batch_lines: usize) -> Counts {
    let file = read("examples/data/master.csv");
    let rows = asterisk::Reader::new(file.as_bytes(), &setup.asterisk);
    let entries: Vec<_> = rows
        .map(|row| asterisk::entry(row.unwrap(), &setup.asterisk, &setup.account_map))
        .collect();
    let mut counts = Counts::default();
    for (number, entries) in entries.chunks(batch_lines).enumerate() {
        let label = format!("{number} of {batch_lines} lines each");
        let batch = Batch { label, entries: entries.to_vec() };
        let intake = tenant.ingest(&batch).await.unwrap().intake;
        assert!(intake.balances());
        counts.received += intake.received;
        counts.recorded += intake.recorded;
        counts.replayed += intake.replayed;
        counts.conflict += intake.conflict;
        counts.parked += intake.parked;
        counts.refused += intake.refused;
    }
    counts
}

/// Reads back what a store holds.
async fn stored(tenant: &Tenant, setup: &Setup) -> BTreeMap<AccountId, Usage> {
    let mut accounts: BTreeMap<AccountId, Usage> = BTreeMap::new();
    for account in &setup.accounts {
        let id = account.settings.id.clone();
        let invoices = tenant.invoices(&id).await.unwrap();
        let invoices = invoices.into_iter().map(invoiced).collect();
        accounts.insert(id, Usage { invoices, ..Usage::default() });
    }
    let mut after = None;
    loop {
        let page = tenant.read().await.unwrap().item_page(after.as_ref(), 1_000).await.unwrap();
        let Some(last) = page.last() else { return accounts };
        after = Some(last.claim.key.clone());
        for item in page {
            let Item::Call(call) = &item.item else { panic!("an item that is no call") };
            let usage = accounts.get_mut(&item.claim.account).unwrap();
            usage.recorded += 1;
            usage.charged += u64::from(call.disposition == Disposition::Answered);
            usage.talk_ms += call.charged_ms();
        }
    }
}

fn invoiced(invoice: billing::Invoice) -> Invoiced {
    let draft = invoice.draft;
    let taxes = draft.taxed.taxes.iter().map(|tax| tax.amount);
    let lines = draft.lines.iter().map(|line| Line {
        what: format!("{}.{}/{}", line.plan, line.version, line.strategy),
        count: line.count,
        quantity: line.quantity.to_string(),
        amount: line.amount,
    });
    Invoiced {
        period: draft.period.to_string(),
        currency: draft.currency.code().to_owned(),
        lines: lines.collect(),
        net: draft.taxed.net,
        tax: taxes.fold(Amount::ZERO, |sum, tax| sum.checked_add(tax).unwrap()),
        total: draft.taxed.total,
    }
}

/// Imports and invoices the month, twice; answers with the state's hash.
async fn bill_the_month(store: impl Store + 'static) -> String {
    let setup: Setup = serde_json::from_str(&read("examples/data/setup.json")).unwrap();
    let golden: Golden = serde_json::from_str(&read("tests/golden/quickstart.json")).unwrap();
    let tenant = tenant_of(store, &setup).await;
    let as_of = MONTH_OVER.parse().unwrap();

    assert_eq!(import(&tenant, &setup, 1_000).await, golden.counts);
    tenant.issue_invoices(&setup.series, as_of).await.unwrap();
    let accounts = stored(&tenant, &setup).await;
    for (account, usage) in &golden.accounts {
        assert_eq!(accounts.get(account), Some(usage), "account {account}");
    }
    assert_eq!(accounts.len(), golden.accounts.len());
    let hash = state_hash(&tenant).await.unwrap();

    let again = import(&tenant, &setup, 700).await;
    let known = golden.counts.recorded + golden.counts.replayed;
    assert_eq!(again, Counts { recorded: 0, replayed: known, ..golden.counts });
    tenant.issue_invoices(&setup.series, as_of).await.unwrap();
    assert_eq!(stored(&tenant, &setup).await, accounts);
    assert_eq!(state_hash(&tenant).await.unwrap(), hash);
    assert_eq!(verify(&tenant).await.unwrap().findings, []);
    hash.to_string()
}

#[tokio::test]
async fn both_stores_bill_the_sample_month_as_the_second_hand_does() {
    let memory = bill_the_month(MemoryStore::new()).await;

    let folder = std::env::temp_dir().join(format!("billing-quickstart-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let store = SqliteStore::open(folder.join("billing.db")).await.unwrap();
    store.migrate().await.unwrap();
    let sqlite = bill_the_month(store.clone()).await;
    store.close().await;
    fs::remove_dir_all(&folder).unwrap();

    assert_eq!(memory, sqlite);
}
