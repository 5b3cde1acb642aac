//! Every question a decision asks is answered from an index, whatever the tenant has gathered.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use sqlx::{AssertSqlSafe, Row as _};

use billing_core::{
    id::{AccountId, TenantId},
    item::ItemKey,
    time::Day,
    usage::ScopeKey,
};

use crate::{
    sqlite::{Guard, Held, SqliteStore},
    store::Store as _,
};

static ASKED: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());

/// Remembers a statement that was asked.
pub(super) fn note(sql: &'static str) {
    let _new: bool = ASKED.lock().unwrap_or_else(PoisonError::into_inner).insert(sql);
}

/// What may walk all rows of a tenant: lists of everything, and what `verify` alone asks.
const WALKS: [&str; 4] = [
    "from billing_plan where tenant = ?1 order by",
    "from billing_series where",
    "where tenant = ?1 and account > ?2",
    "where not exists",
];

#[tokio::test]
async fn every_statement_finds_its_rows_by_their_whole_key() {
    let folder = std::env::temp_dir().join(format!("billing-plans-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let store = SqliteStore::open(folder.join("billing.db")).await.unwrap();
    store.migrate().await.unwrap();
    ask_everything(&store).await;
    let asked = ASKED.lock().unwrap().clone();
    assert!(asked.len() >= 25, "{} statements are fewer than there are", asked.len());
    let reader = store.readers.acquire().await.unwrap();
    let mut guard = Guard::begin(Held::Reader(reader), "begin").await.unwrap();
    for sql in asked {
        if WALKS.iter().any(|walk| sql.contains(walk)) {
            continue;
        }
        let explain = AssertSqlSafe(format!("explain query plan {sql}"));
        let steps = sqlx::query(explain).fetch_all(guard.connection().unwrap()).await.unwrap();
        for step in steps {
            let step: String = step.get("detail");
            let keys = step.contains("json_each") || step.starts_with("SCAN k ");
            let scans = step.starts_with("SCAN") && !keys;
            let whole_tenant = step.contains("(tenant=?)");
            assert!(!scans && !whole_tenant, "{step}\nin {sql}");
        }
    }
    drop(guard);
    store.close().await;
    std::fs::remove_dir_all(&folder).unwrap();
}

async fn ask_everything(store: &SqliteStore) {
    let mut facts = store.read(&TenantId::try_new("acme").unwrap()).await.unwrap();
    let account = AccountId::try_new("alice").unwrap();
    let key = ItemKey::new("pbx".parse().unwrap(), "1".parse().unwrap());
    let (accounts, keys) = ([account.clone()], [key.clone()]);
    let (series, intake) = ("main".parse().unwrap(), "batch".parse().unwrap());
    drop(facts.accounts(&accounts).await.unwrap());
    drop(facts.account_page(None, 1).await.unwrap());
    drop(facts.items(&keys).await.unwrap());
    drop(facts.item_page(Some(&key), 1).await.unwrap());
    drop(facts.parked(&keys).await.unwrap());
    drop(facts.parked_page(Some(&key), 1).await.unwrap());
    drop(facts.day_totals(&[(account.clone(), Day::MIN)]).await.unwrap());
    drop(facts.unbilled(&accounts).await.unwrap());
    drop(facts.totals_of(&account).await.unwrap());
    let _none: Option<Day> = facts.first_used(&account, Day::MIN, None).await.unwrap();
    drop(facts.carries(&[(account.clone(), ScopeKey::Lifetime)]).await.unwrap());
    drop(facts.carries_of(&account).await.unwrap());
    drop(facts.plans(&[("basic".parse().unwrap(), 1)]).await.unwrap());
    drop(facts.all_plans().await.unwrap());
    drop(facts.journal(&account, 0, 1).await.unwrap());
    drop(facts.postings(&[(account.clone(), 1)]).await.unwrap());
    drop(facts.intake(&intake).await.unwrap());
    drop(facts.intake_page(Some(&intake), 1).await.unwrap());
    drop(facts.refusals(&intake).await.unwrap());
    drop(facts.invoices_of(&account).await.unwrap());
    drop(facts.line_parts(&account).await.unwrap());
    drop(facts.strays().await.unwrap());
    drop(facts.invoice(&series, 1).await.unwrap());
    drop(facts.invoice_numbers(&series, 0, 1).await.unwrap());
    drop(facts.all_series().await.unwrap());
}
