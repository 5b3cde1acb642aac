//! Every question a decision asks is answered from an index, whatever the tenant has gathered.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use sqlx::{AssertSqlSafe, Row as _};

use billing_core::{
    decide::{Moved, Writes},
    digest::Digest,
    id::{AccountId, TenantId},
    invoice::{InvoiceMark, InvoiceState},
    item::ItemKey,
    time::{Day, Instant},
    usage::ScopeKey,
};

use crate::{
    sql::sqlite::{Guard, Held, SqliteStore},
    store::{HistoryPage, Locks, Store as _},
};

static ASKED: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());

/// Remembers a statement that was asked.
pub(in crate::sql) fn note(sql: &'static str) {
    let _new: bool = ASKED.lock().unwrap_or_else(PoisonError::into_inner).insert(sql);
}

/// What lists everything of a tenant, and so walks it; by a text of each statement that no other has.
const WALKS: [(&str, &str); 8] = [
    ("from billing_plan where tenant = ?1 order by", "every plan, of which there are few"),
    ("from billing_tariff where tenant = ?1 order by", "every tariff, of which there are few"),
    ("from billing_tariff_catalog where", "one row, whose key is the tenant"),
    ("from billing_tariff_activation where", "whenever one came into force, which is seldom"),
    ("from billing_series where", "every series, of which there are fewer"),
    ("from billing_lease where", "every sink, of which there are few"),
    ("from billing_epoch where", "the last row, by its number"),
    ("where not exists", "what `verify` alone asks: the accounts that any row names"),
];

/// What changes rows that are there: the table, and the columns by which each row is looked up.
const CHANGES: [(&str, &str, &str); 4] = [
    ("delete from billing_parked", "billing_parked", "source=? AND id=? AND leg=? AND partial=?"),
    ("update billing_item set", "billing_item", "source=? AND id=? AND leg=? AND partial=?"),
    ("update billing_invoice set", "billing_invoice", "series=? AND number=?"),
    // The index of an invoice's parts; their key begins with the account.
    ("update billing_line_part indexed", "billing_line_part", "series=? AND number=?"),
];

/// The modules that ask.
const QUESTIONS: [&str; 12] = [
    include_str!("../facts/accounts.rs"),
    include_str!("../facts/corrections.rs"),
    include_str!("../facts/intake.rs"),
    include_str!("../facts/invoices.rs"),
    include_str!("../facts/items.rs"),
    include_str!("../facts/journal.rs"),
    include_str!("../facts/outbox.rs"),
    include_str!("../facts/parked.rs"),
    include_str!("../facts/plans.rs"),
    include_str!("../facts/settlements.rs"),
    include_str!("../facts/tariffs.rs"),
    include_str!("../facts/totals.rs"),
];

/// How often a text stands in the source of a module.
fn count(source: &str, text: &str) -> usize {
    source.matches(text).count()
}

#[tokio::test]
async fn every_statement_finds_its_rows_by_their_whole_key() {
    let folder = std::env::temp_dir().join(format!("billing-plans-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let store = SqliteStore::open(folder.join("billing.db")).await.unwrap();
    store.migrate().await.unwrap();
    ask_everything(&store).await;
    change_everything(&store).await;
    let asked = ASKED.lock().unwrap().clone();
    // Each call of these has a statement of its own; a question that is not asked above would be missing here.
    let asks = |source| [".all(", ".all_held("].map(|text| count(source, text)).into_iter();
    let questions: usize = QUESTIONS.iter().flat_map(|source| asks(source)).sum();
    let changing = [include_str!("../writes.rs"), include_str!("../corrections.rs")];
    let changes = |source| [".change(", ".change_as("].map(|text| count(source, text)).into_iter();
    let changes: usize = changing.iter().flat_map(|source| changes(source)).sum();
    assert_eq!(asked.len(), questions + changes, "statements were not all noted");
    assert_eq!(changes, CHANGES.len());
    let reader = store.readers.acquire().await.unwrap();
    let mut guard = Guard::begin(Held::Reader(reader), "begin").await.unwrap();
    let (mut walks, mut changes) = (BTreeSet::new(), BTreeSet::new());
    #[cfg(feature = "postgres")]
    let all = asked.clone();
    for sql in asked {
        let explain = AssertSqlSafe(format!("explain query plan {sql}"));
        let steps = sqlx::query(explain).fetch_all(guard.held().unwrap()).await.unwrap();
        let steps: Vec<String> = steps.iter().map(|step| step.get("detail")).collect();
        assert!(!steps.is_empty(), "no plan for {sql}");
        let walk = WALKS.iter().find(|(text, _)| sql.contains(text));
        match (walk, steps.iter().find(|step| walks_rows(step))) {
            (None, None) => {}
            (Some((text, _)), Some(_)) => drop(walks.insert(text)),
            (None, Some(step)) => panic!("{step}\nin {sql}"),
            (Some((_, why)), None) => panic!("not a walk any more ({why}): {sql}"),
        }
        for (text, table, key) in CHANGES.iter().filter(|(text, ..)| sql.contains(text)) {
            let target = format!("SEARCH {table} USING ");
            let key = format!("(tenant=? AND {key})");
            let by_key = steps.iter().any(|step| step.starts_with(&target) && step.ends_with(&key));
            assert!(by_key, "{steps:?}\nin {sql}");
            changes.insert(text);
        }
    }
    assert_eq!((walks.len(), changes.len()), (WALKS.len(), CHANGES.len()), "a text fits nothing");
    drop(guard);
    store.close().await;
    std::fs::remove_dir_all(&folder).unwrap();
    #[cfg(feature = "postgres")]
    crate::sql::postgres::tests::plans(&all, &WALKS.map(|(text, _)| text)).await;
}

/// Whether a step reads a table, or all that a tenant has in it. The keys of a question are read one after the other.
fn walks_rows(step: &str) -> bool {
    let keys = step.contains("json_each") || step.starts_with("SCAN k");
    (step.starts_with("SCAN") && !keys) || step.contains("(tenant=?)")
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
    drop(facts.amended(&account, Some(&key), 1).await.unwrap());
    drop(facts.corrections(&["ticket-7".parse().unwrap()]).await.unwrap());
    drop(facts.correction_page(Some(&"ticket-7".parse().unwrap()), 1).await.unwrap());
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
    let _none: Option<Digest> = facts.tariff_digest().await.unwrap();
    drop(facts.tariff_catalog().await.unwrap());
    drop(facts.tariffs(&[("retail".parse().unwrap(), 1)]).await.unwrap());
    drop(facts.rated_beyond(Instant::MIN, Some(&account), 1).await.unwrap());
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
    let customer = "carol".parse().unwrap();
    drop(facts.accounts_of(&customer).await.unwrap());
    drop(facts.unhanded_accounts(Some(&account), 1).await.unwrap());
    let (from, until) = (Instant::MIN, Instant::MAX);
    let of = HistoryPage { from, until, kind: Some("call"), after: Some((from, &key)), limit: 1 };
    drop(facts.history(&account, &of).await.unwrap());
    drop(facts.dropped_page(Some((from, &key)), 1).await.unwrap());
    drop(facts.unhanded(&accounts).await.unwrap());
    drop(facts.totals_between(&account, Day::MIN, Day::MAX).await.unwrap());
    let place = Some((Day::MIN, &series, 1));
    drop(facts.invoice_page(&account, place, 1).await.unwrap());
    drop(facts.last_invoice(&account).await.unwrap());
    drop(facts.invoice_marks(&[(series.clone(), 1)]).await.unwrap());
    drop(facts.settlements(&[(account.clone(), Day::MIN, 1)]).await.unwrap());
    drop(facts.settlements_of(&account).await.unwrap());
    drop(facts.unanswered(Some((&account, Day::MIN, 1)), 1).await.unwrap());
    let sink = "bus".parse().unwrap();
    drop(facts.epoch().await.unwrap());
    drop(facts.leases().await.unwrap());
    drop(facts.behind(&sink, Instant::MIN, Some(&account), 1).await.unwrap());
    drop(facts.cursors_of(&account).await.unwrap());
    drop(facts.dead_letters(&sink, Some((&account, 1)), 1).await.unwrap());
    drop(facts.dead_letters_of(&account).await.unwrap());
}

/// Whatever updates or deletes by keys.
async fn change_everything(store: &SqliteStore) {
    let key = ItemKey::new("pbx".parse().unwrap(), "1".parse().unwrap());
    let (series, state) = ("main".parse().unwrap(), InvoiceState::Void { reason: String::new() });
    let mark = InvoiceMark { series, number: 1, at: Instant::MIN, state };
    let moved = Moved { key: key.clone(), current_seq: 1, effective: 0, amended: None };
    let (unparked, moved, marks) = (vec![key], vec![moved], vec![mark]);
    let writes = Writes { unparked, moved, marks, ..Writes::default() };
    let acme = TenantId::try_new("acme").unwrap();
    let mut unit = store.begin(&acme, &Locks::default()).await.unwrap();
    unit.apply(&writes).await.unwrap();
}
