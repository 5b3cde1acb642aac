//! The load: three months of a tenant as requests in stages, which a seed decides.
//!
//! Requests of a stage commute: asked in any order, side by side and again, they lead to the same state.

use serde_json::{Value, json};

use billing_core::{
    correction::Change,
    id::AccountId,
    item::{Incoming, ItemKey},
};

use crate::{Done, chance::Chance, request::Request};

/// The time of the tenant's clock, after everything in the script.
pub const NOW: &str = "2026-12-01T12:00:00Z";
/// Accounts that are there from the start.
const ACCOUNTS: u64 = 8;
/// The account that is opened late: its usage waits.
const LATE: &str = "late";
/// The account that is never opened: its usage is dropped.
const NOBODY: &str = "nobody";
const SERIES: &str = "main";
/// How long an amended call lasted.
const AMENDED_MS: u64 = 90_000;
/// Items in a batch.
const BATCH: usize = 6;
/// Requests that are asked side by side.
const LANES: usize = 6;

/// A stage begins when the one before it is done.
#[derive(Clone, Debug)]
pub struct Stage {
    pub requests: Vec<Request>,
    /// How many are asked side by side.
    pub lanes: usize,
}

#[derive(Clone, Debug)]
pub struct Script {
    pub stages: Vec<Stage>,
}

impl Script {
    /// `size` is the number of items that each account uses in a month.
    pub fn of(seed: u64, size: u64) -> Done<Self> {
        let mut chance = Chance::of(seed);
        let chance = &mut chance;
        let september = usage(chance, 9, size)?;
        let october = [usage(chance, 10, size)?, late_usage(chance, size)?].concat();
        let stages = vec![
            alone(catalog()?),
            together(
                [ingests(chance, "september", &september), changes()?, bills(9)?].concat(),
                chance,
            ),
            together([issue("2026-10-02", ACCOUNTS)?, days()].concat(), chance),
            alone(open(LATE)?),
            together(
                [
                    ingests(chance, "october", &october),
                    ingests(chance, "conflicts", &conflicts(&september)?),
                    vec![
                        Request::Retry(waiting(&september, LATE)),
                        Request::Retry(waiting(&september, LATE)),
                    ],
                    bills(10)?,
                ]
                .concat(),
                chance,
            ),
            together(corrections(&september)?, chance),
            together(
                [issue("2026-11-02", 2 * ACCOUNTS + 1)?, days(), drops(&september)].concat(),
                chance,
            ),
            together(marks()?, chance),
            together([issue("2026-11-02", 2 * ACCOUNTS + 3)?, days()].concat(), chance),
        ];
        Ok(Self { stages })
    }

    /// How many requests there are.
    pub fn requests(&self) -> u64 {
        self.stages.iter().map(|stage| stage.requests.len() as u64).sum()
    }

    /// What was corrected.
    pub fn corrections(&self) -> impl Iterator<Item = &Change> {
        let requests = self.stages.iter().flat_map(|stage| &stage.requests);
        requests.filter_map(|request| match request {
            Request::Correct(correction) => Some(&correction.change),
            _ => None,
        })
    }

    /// Every item in the order of the stages.
    pub fn items(&self) -> impl Iterator<Item = &Incoming> {
        let requests = self.stages.iter().flat_map(|stage| &stage.requests);
        let batches = requests.filter_map(|request| match request {
            Request::Ingest(_, items, _) => Some(items),
            _ => None,
        });
        batches.flatten()
    }
}

/// Whether its usage is billed in the end.
pub fn pays(account: &AccountId) -> bool {
    account.as_str() != NOBODY
}

const fn alone(requests: Vec<Request>) -> Stage {
    Stage { requests, lanes: 1 }
}

fn together(mut requests: Vec<Request>, chance: &mut Chance) -> Stage {
    chance.shuffle(&mut requests);
    Stage { requests, lanes: LANES }
}

fn account(number: u64) -> String {
    format!("account-{number}")
}

fn catalog() -> Done<Vec<Request>> {
    let mut requests = Vec::new();
    for (version, price, from) in [(1, "0.0199", "2026-08-01"), (2, "0.0311", "2026-10-10")] {
        let bands = json!([{"price": price, "per": "60", "increment": "6"}]);
        let tariff = json!({
            "id": "retail", "version": version, "currency": "EUR", "zone": "Europe/Berlin", "decimals": 4,
            "rounding": "half_up", "lines": [
                {"destination": "Washington", "to": {"prefixes": ["1202"]}, "bands": bands},
                {"destination": "World", "to": "any", "bands": bands},
            ],
        });
        let plan = json!({
            "id": "basic", "version": version, "currency": "EUR", "payment": "postpaid", "strategies": [
                {"id": "talk", "kind": "flat_rate", "terms": {"per_minute": price, "minutes": "pro_rata"}},
                {"id": "storage", "kind": "per_unit",
                 "terms": {"product": "storage", "unit": "GB-h", "per_unit": price}},
                {"id": "calls", "kind": "tariff", "terms": {"tariff": "retail"}},
            ],
        });
        requests.push(Request::SaveTariff(serde_json::from_value(tariff)?));
        let from = format!("{from}T00:00:00Z").parse()?;
        requests.push(Request::ActivateTariff("retail".parse()?, version, from));
        requests.push(Request::SavePlan(serde_json::from_value(plan)?));
    }
    for number in 0..ACCOUNTS {
        requests.extend(open(&account(number))?);
    }
    Ok(requests)
}

fn open(account: &str) -> Done<Vec<Request>> {
    let settings = json!({
        "id": account, "currency": "EUR", "zone": "Europe/Berlin",
        "anchor": {"from": "2026-09-01", "months": 1},
        "tax": {"name": "VAT", "percent": "19", "mode": "added"},
    });
    let assign = Request::Assign(account.parse()?, "basic".parse()?, 1, "2026-09-01".parse()?);
    Ok(vec![Request::Open(serde_json::from_value(settings)?), assign])
}

/// Some accounts change to the second version of the plan.
fn changes() -> Done<Vec<Request>> {
    let change = |number: u64| -> Done<Request> {
        let from = "2026-10-15".parse()?;
        Ok(Request::Assign(account(number).parse()?, "basic".parse()?, 2, from))
    };
    (0..ACCOUNTS).step_by(2).map(change).collect()
}

/// What every account uses in a month; in September also what the two uses that nobody may pay for yet.
fn usage(chance: &mut Chance, month: u32, size: u64) -> Done<Vec<Incoming>> {
    let mut items = Vec::new();
    for number in 0..ACCOUNTS {
        for item in 0..size {
            let id = format!("{month}-{number}-{item}");
            items.extend(one(chance, &account(number), &id, month)?);
        }
    }
    if month == 9 {
        for payer in [LATE, NOBODY] {
            for item in 0..4 {
                items.push(call(chance, payer, &format!("{payer}-{item}"), 10)?);
            }
        }
    }
    chance.shuffle(&mut items);
    Ok(items)
}

/// Usage of September that comes when its invoices are issued and its days handed over.
fn late_usage(chance: &mut Chance, size: u64) -> Done<Vec<Incoming>> {
    (0..size)
        .map(|item| call(chance, &account(item % ACCOUNTS), &format!("9-afterwards-{item}"), 9))
        .collect()
}

/// A call, or now and then a usage in several records of which the last counts.
fn one(chance: &mut Chance, payer: &str, id: &str, month: u32) -> Done<Vec<Incoming>> {
    if chance.below(4) > 0 {
        return Ok(vec![call(chance, payer, id, month)?]);
    }
    let day = 2 + chance.below(24);
    let records = [Some(1), Some(2), None].into_iter().map(|partial| {
        let key = json!({"source": "meter", "id": id, "partial": partial});
        let amount = format!("{}.{:03}", chance.below(50), chance.below(1_000));
        item(
            &key,
            payer,
            &json!({"kind": "pulse", "at": format!("2026-{month:02}-{day:02}T09:00:00Z"),
                    "product": "storage", "unit": "GB-h", "amount": amount}),
        )
    });
    records.collect()
}

fn call(chance: &mut Chance, payer: &str, id: &str, month: u32) -> Done<Incoming> {
    let (day, hour) = (2 + chance.below(26), 6 + chance.below(12));
    let callee = if chance.below(3) == 0 { "+12025550123" } else { "+4930123456" };
    let duration = 1_000 + chance.below(600_000);
    item(
        &json!({"source": "pbx", "id": id, "leg": "a"}),
        payer,
        &json!({"kind": "call", "start": format!("2026-{month:02}-{day:02}T{hour:02}:30:00Z"),
                "duration_ms": duration, "caller": "+12025550100", "callee": callee,
                "disposition": "answered", "direction": "outbound"}),
    )
}

fn item(key: &Value, payer: &str, item: &Value) -> Done<Incoming> {
    Ok(serde_json::from_value(json!({"key": key, "account": payer, "item": item}))?)
}

/// Batches of the items; every third batch comes a second time, and every batch brings an item of the one before it again.
fn ingests(chance: &mut Chance, label: &str, items: &[Incoming]) -> Vec<Request> {
    let mut batches: Vec<Request> = Vec::new();
    let mut before: Option<&Incoming> = None;
    for (number, items) in items.chunks(BATCH).enumerate() {
        let batch: Vec<Incoming> = before.into_iter().chain(items).cloned().collect();
        before = items.last();
        let refused = u32::from(chance.below(4) == 0);
        let request = Request::Ingest(format!("{label} {number}"), batch, refused);
        if chance.below(3) == 0 {
            batches.push(request.clone());
        }
        batches.push(request);
    }
    batches
}

/// Calls that are recorded, under the same ids and with another duration.
fn conflicts(items: &[Incoming]) -> Done<Vec<Incoming>> {
    let calls = items.iter().filter(|item| item.key.source.as_str() == "pbx").step_by(9);
    let other = |item: &Incoming| -> Done<Option<Incoming>> {
        let mut value = serde_json::to_value(item)?;
        let duration = value.pointer_mut("/item/duration_ms").ok_or("a call has a duration")?;
        *duration = json!(777);
        let paid = item.account.as_ref().is_some_and(|id| id.as_str().starts_with("account-"));
        Ok(if paid { Some(serde_json::from_value(value)?) } else { None })
    };
    calls.map(other).filter_map(Done::transpose).collect()
}

/// Some calls are taken back, and some lasted as long as [`AMENDED_MS`] says.
fn corrections(items: &[Incoming]) -> Done<Vec<Request>> {
    let paid = |item: &&Incoming| {
        let account = item.account.as_ref().is_some_and(|id| id.as_str().starts_with("account-"));
        account && item.key.source.as_str() == "pbx"
    };
    let mut requests = Vec::new();
    for (number, item) in items.iter().filter(paid).step_by(5).take(6).enumerate() {
        let mut value = serde_json::to_value(item)?;
        let change = if number % 2 == 0 {
            json!({"kind": "void", "key": item.key})
        } else {
            let duration = value.pointer_mut("/item/duration_ms").ok_or("a call has a duration")?;
            *duration = json!(AMENDED_MS);
            json!({"kind": "amend", "key": item.key, "item": value["item"]})
        };
        let correction =
            json!({"id": format!("ticket-{number}"), "reason": "a test call", "change": change});
        requests.push(Request::Correct(serde_json::from_value(correction)?));
    }
    Ok(requests)
}

fn waiting(items: &[Incoming], payer: &str) -> Vec<ItemKey> {
    let mine = |item: &&Incoming| item.account.as_ref().is_some_and(|id| id.as_str() == payer);
    items.iter().filter(mine).map(|item| item.key.clone()).collect()
}

/// What nobody pays for is dropped, all but one item that goes on waiting.
fn drops(items: &[Incoming]) -> Vec<Request> {
    let drop = |key| Request::Drop(key, "a test call".into());
    waiting(items, NOBODY).into_iter().skip(1).map(drop).collect()
}

fn bills(month: u32) -> Done<Vec<Request>> {
    let bill = |number| -> Done<Request> {
        let at = format!("2026-{month:02}-20T12:00:00Z").parse()?;
        Ok(Request::Bill(account(number).parse()?, at))
    };
    (0..ACCOUNTS).map(bill).collect()
}

/// Two runs at once.
fn issue(day: &str, last: u64) -> Done<Vec<Request>> {
    let run = Request::Issue(SERIES.parse()?, format!("{day}T00:00:00Z").parse()?, last);
    Ok(vec![run.clone(), run])
}

fn days() -> Vec<Request> {
    vec![Request::HandOver, Request::HandOver, Request::Send, Request::Send]
}

/// Invoices of September are paid; those of two accounts for October are made void.
fn marks() -> Done<Vec<Request>> {
    let mut marks = Vec::new();
    for number in 1..=3 {
        let (on, reference) = ("2026-11-20".parse()?, format!("transfer {number}"));
        marks.push(Request::Paid(SERIES.parse()?, number, on, reference));
    }
    for number in [ACCOUNTS + 1, ACCOUNTS + 2] {
        marks.push(Request::Void(SERIES.parse()?, number, "a wrong price".into()));
    }
    Ok(marks)
}
