//! The accounts and plans that the laws are held against, and what may be used under them.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use proptest::prelude::*;
use serde_json::json;

use billing_core::{
    account::AccountSettings,
    item::Incoming,
    plan::{PlanBook, PlanSpec},
    tariff::TariffSpec,
    time::Instant,
};
use billing_store::{Billing, SqliteStore, Tenant, clock::SetClock, store::Store};

use crate::{
    folder::{Folder, open},
    server::Database,
};

/// What each of five plans charges for calls, and what it charges beside.
const PLANS: [(&str, &str); 5] = [
    (
        r#"{"id":"calls","kind":"flat_rate","terms":{"per_minute":"0.0199","minutes":"pro_rata"}}"#,
        r#"{"id":"fee","kind":"recurring",
            "terms":{"per_period":"9.99","timing":"in_advance","proration":"days"}}"#,
    ),
    (
        r#"{"id":"calls","kind":"flat_rate",
            "terms":{"per_minute":"0.031","minutes":"per_started_minute"}}"#,
        r#"{"id":"fee","kind":"recurring",
            "terms":{"per_period":"5","timing":"in_arrears","proration":"none"}}"#,
    ),
    (
        r#"{"id":"calls","kind":"blocks","terms":{"block_ms":30000,"per_block":"0.2","scope":"call"}}"#,
        r#"{"id":"credit","kind":"prepaid","terms":{"per_period":"20","proration":"days"}}"#,
    ),
    (
        r#"{"id":"calls","kind":"blocks","terms":{"block_ms":30000,"per_block":"0.2","scope":"period"}}"#,
        r#"{"id":"credit","kind":"prepaid",
            "terms":{"per_period":"1","proration":"none","covers":["storage"]}}"#,
    ),
    (
        r#"{"id":"calls","kind":"blocks","terms":{"block_ms":7000,"per_block":"0.005","scope":"lifetime"}}"#,
        r#"{"id":"mail","kind":"per_unit","terms":{"product":"mail","unit":"piece","per_unit":"0.005"}}"#,
    ),
];
/// What every plan prices by tariffs, and counts of pulses.
const METERS: &str = r#"{"id":"rated","kind":"tariff","applies_to":{"directions":["outbound"]},
     "terms":{"tariff":"retail"}},
    {"id":"pieces","kind":"tariff","terms":{"tariff":"pieces","unit":"piece"}},
    {"id":"storage","kind":"per_unit",
     "terms":{"product":"storage","unit":"GB-h","per_unit":"0.0333"}},
    {"id":"usage","kind":"unpriced","terms":{}}"#;
/// Prices of the account's own that account `3` has.
const OWN: &str = r#"{"rated":{"own":{"id":"own","version":1,"currency":"EUR","zone":"UTC","decimals":3,
    "rounding":"up","lines":[{"destination":"Berlin","to":{"prefixes":["4930"]},
    "bands":[{"price":"0.001","per":"1","increment":"1"}]}]}}}"#;

/// Whom calls go to: nobody with a number, two lines of one country, one that is blocked, and one that is another tariff's.
const CALLEES: [&str; 5] = ["", "+4930123456", "+4915123456", "+12645550100", "+33123456789"];

/// A version of the tariff whose price changes in the evening and within a call, and falls back on another.
pub(crate) fn retail(version: u32) -> TariffSpec {
    serde_json::from_value(json!({
        "id": "retail", "version": version, "currency": "EUR", "zone": "Europe/Berlin", "decimals": 4,
        "rounding": "half_even", "fallback": ["world"], "windows": {"evening": {"from": "18:00", "until": "08:00"}},
        "lines": [
            {"destination": "Germany", "to": {"prefixes": ["49"]},
             "bands": [{"price": decimal(199 + i64::from(version), 4), "per": "60", "increment": "60"},
                       {"from": "120", "price": "0.01", "per": "60", "increment": "1"}]},
            {"destination": "Germany", "to": {"prefixes": ["49"]}, "window": "evening", "weight": 10,
             "bands": [{"price": "0.0007", "per": "7", "increment": "7"}]},
            {"destination": "Germany mobile", "to": {"prefixes": ["4915"]}, "connect_fee": "0.05",
             "bands": [{"price": "0.1", "per": "60", "increment": "6"}], "first": "30"},
            {"destination": "Anguilla", "to": {"prefixes": ["1264"]}, "blocked": true},
        ],
    }))
    .unwrap()
}

/// A tariff of one price for whatever is asked.
pub(crate) fn flat(id: &str, version: u32, measure: &str) -> TariffSpec {
    serde_json::from_value(json!({
        "id": id, "version": version, "currency": "EUR", "zone": "UTC", "decimals": 2, "rounding": "half_up",
        "measure": measure, "lines": [{"destination": id, "to": "any",
        "bands": [{"price": decimal(30 + i64::from(version), 2), "per": "1", "increment": "1"}]}],
    }))
    .unwrap()
}

/// Two versions of one tariff, what it falls back on, and one that begins later than usage does.
async fn tariffs(tenant: &Tenant) {
    for (spec, from) in [
        (retail(1), "2026-08-01T00:00:00Z"),
        (retail(2), "2026-09-20T17:30:00Z"),
        (flat("world", 1, "time"), "2026-08-01T00:00:00Z"),
        (flat("pieces", 1, "units"), "2026-09-02T00:00:00Z"),
    ] {
        tenant.save_tariff(&spec).await.unwrap();
        tenant.activate_tariff(&spec.id, spec.version, from.parse().unwrap()).await.unwrap();
    }
}

const ZONES: [&str; 5] =
    ["Europe/Berlin", "America/St_Johns", "Asia/Kolkata", "Pacific/Apia", "Australia/Lord_Howe"];

/// Accounts `0..5` have the five plans in five zones; account `5` does not exist.
pub(crate) async fn set_up(tenant: &Tenant) {
    tariffs(tenant).await;
    for (number, ((calls, beside), zone)) in PLANS.iter().zip(ZONES).enumerate() {
        let plan: PlanSpec = serde_json::from_str(&format!(
            r#"{{"id":"plan-{number}","version":1,"currency":"EUR","payment":"postpaid",
                "strategies":[{calls},{METERS},{beside}]}}"#
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
        let own = serde_json::from_str(if number == 3 { OWN } else { "{}" }).unwrap();
        tenant.assign_with(&settings.id, &plan.id, 1, from, &own).await.unwrap();
    }
}

/// One usage, as one item or as several records.
#[derive(Clone, Debug)]
pub(crate) enum Usage {
    Call {
        minute: u32,
        duration_ms: u32,
        answered: bool,
        callee: usize,
    },
    Pulse {
        minute: u32,
        product: usize,
        amount: i64,
    },
    /// Records, each with its number (the final one has none), its minute and what was used by then.
    Records {
        product: usize,
        records: Vec<(Option<u32>, u32, i64)>,
    },
    OneOff {
        minute: u32,
        cents: i64,
        name: usize,
    },
}

/// Minutes of up to 70 days from late August: before the first plan, over two closed periods, into an open one.
fn minute() -> std::ops::Range<u32> {
    0..70 * 24 * 60
}

/// Thousandths of what was used; less than nothing is not accepted.
fn amount() -> std::ops::Range<i64> {
    -5_000..50_000
}

/// How far the records of one usage are from one another.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Span {
    /// They are of one moment, and so of one day.
    Moment,
    /// Each is of any day there is.
    Days,
}

/// Some of the records 1 to 11 of a usage, and the final one or not.
fn records(span: Span) -> impl Strategy<Value = Vec<(Option<u32>, u32, i64)>> {
    let numbered = proptest::collection::btree_map(1_u32..12, (minute(), amount()), 1..4);
    let last = proptest::option::of((minute(), amount()));
    (minute(), numbered, last).prop_map(move |(moment, numbered, last)| {
        let numbered = numbered.into_iter().map(|(number, record)| (Some(number), record));
        let all = numbered.chain(last.map(|record| (None, record)));
        let placed = |(number, (minute, amount))| match span {
            Span::Moment => (number, moment, amount),
            Span::Days => (number, minute, amount),
        };
        all.map(placed).collect()
    })
}

pub(crate) fn usage(span: Span) -> impl Strategy<Value = Usage> {
    prop_oneof![
        (minute(), 0_u32..400_000, any::<bool>(), 0..CALLEES.len()).prop_map(
            |(minute, duration_ms, answered, callee)| Usage::Call {
                minute,
                duration_ms,
                answered,
                callee
            }
        ),
        (minute(), 0_usize..3, amount()).prop_map(|(minute, product, amount)| Usage::Pulse {
            minute,
            product,
            amount
        }),
        (0_usize..3, records(span))
            .prop_map(|(product, records)| Usage::Records { product, records }),
        (minute(), -2_000_i64..10_000, 0_usize..2)
            .prop_map(|(minute, cents, name)| Usage::OneOff { minute, cents, name }),
    ]
}

pub(crate) fn at(minute: u32) -> Instant {
    let start: Instant = "2026-08-29T00:00:00Z".parse().unwrap();
    start.checked_add_ms(u64::from(minute) * 60_000).unwrap()
}

/// A decimal from its digits and how many of them are behind the point.
fn decimal(digits: i64, scale: u32) -> String {
    let one = 10_u64.pow(scale);
    let sign = if digits < 0 { "-" } else { "" };
    let (whole, rest) = (digits.unsigned_abs() / one, digits.unsigned_abs() % one);
    format!("{sign}{whole}.{rest:0width$}", width = usize::try_from(scale).unwrap())
}

/// A usage as items on their way in.
pub(crate) fn items(id: usize, account: u8, usage: &Usage) -> Vec<Incoming> {
    let incoming = |source: &str, partial: Option<u32>, item: serde_json::Value| {
        let mut key = json!({"source": source, "id": id.to_string()});
        if let Some(number) = partial {
            key["partial"] = json!(number);
        }
        let account = format!("account-{account}");
        serde_json::from_value(json!({"key": key, "account": account, "item": item})).unwrap()
    };
    let pulse = |minute: u32, product: usize, amount: i64| {
        let (product, unit) = [("storage", "GB-h"), ("mail", "piece"), ("a/b %", "GB-h")][product];
        json!({"kind": "pulse", "at": at(minute), "product": product, "unit": unit,
               "amount": decimal(amount, 3), "properties": {"region": "eu-1"}})
    };
    match usage {
        Usage::Call { minute, duration_ms, answered, callee } => vec![incoming(
            "pbx",
            None,
            json!({
                "kind": "call", "start": at(*minute), "duration_ms": duration_ms, "caller": "",
                "callee": CALLEES[*callee],
                "disposition": if *answered { "answered" } else { "no_answer" }, "direction": "outbound",
            }),
        )],
        Usage::Pulse { minute, product, amount } => {
            vec![incoming("meter", None, pulse(*minute, *product, *amount))]
        }
        Usage::Records { product, records } => {
            let record = |(number, minute, amount): &(Option<u32>, u32, i64)| {
                incoming("meter", *number, pulse(*minute, *product, *amount))
            };
            records.iter().map(record).collect()
        }
        Usage::OneOff { minute, cents, name } => {
            let name = ["set-up", "credit"][*name];
            vec![incoming(
                "shop",
                None,
                json!({
                    "kind": "one_off", "at": at(*minute), "name": name,
                    "price": {"amount": decimal(*cents, 2), "currency": "EUR"},
                }),
            )]
        }
    }
}

pub(crate) fn tenant(store: impl Store + 'static, now: &str) -> (Tenant, Arc<SetClock>) {
    tenant_of("acme", store, now)
}

fn tenant_of(id: &str, store: impl Store + 'static, now: &str) -> (Tenant, Arc<SetClock>) {
    let clock = Arc::new(SetClock::at(now.parse().unwrap()));
    let theirs = Arc::<SetClock>::clone(&clock);
    (Billing::new(store, PlanBook::standard(), theirs).tenant(id).unwrap(), clock)
}

/// Does some work with a SQLite store that goes away with it.
pub(crate) async fn with_sqlite<T, Fut: Future<Output = T>>(
    work: impl FnOnce(SqliteStore) -> Fut,
) -> T {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let folder = Folder::new(&format!("laws-{number}"));
    let store = open(folder.file("billing.db")).await;
    let done = work(store.clone()).await;
    store.close().await;
    done
}

/// Does some work with a tenant that nobody has seen, in a database of PostgreSQL.
pub(crate) async fn with_postgres<T, Fut: Future<Output = T>>(
    database: &Database,
    now: &str,
    work: impl FnOnce((Tenant, Arc<SetClock>)) -> Fut,
) -> T {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let store = database.store().await;
    let done = work(tenant_of(&format!("acme-{number}"), store.clone(), now)).await;
    store.close().await;
    done
}

/// The items, some of them again, in another order and other batches.
pub(crate) fn shuffled(items: &[Incoming], seed: u64) -> Vec<Vec<Incoming>> {
    let mut state = seed;
    let mut next = |below: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let mut all = items.to_vec();
    for _ in 0..items.len() / 2 {
        all.push(items[next(items.len())].clone());
    }
    for at in (1..all.len()).rev() {
        all.swap(at, next(at + 1));
    }
    let mut batches = vec![Vec::new()];
    for item in all {
        if next(4) == 0 {
            batches.push(Vec::new());
        }
        batches.last_mut().unwrap().push(item);
    }
    batches
}

pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(work)
}

/// How many random cases each law is held against; `PROPTEST_CASES` asks for more.
pub(crate) fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(24)
}
