//! A tenant with rows in every table, and in every state that rows have.

use std::{path::Path, sync::Arc};

use serde_json::{Value, json};

use billing_core::{
    decide::{Batch, Days, Refusal, RunOutcome},
    item::Incoming,
    plan::PlanBook,
};
use billing_store::{
    Billing, SqliteStore, Tenant,
    clock::SetClock,
    relay::{Listeners, Relay, RelayOptions},
};

use crate::{downstream::Downstream, folder};

pub(crate) fn tenant(store: SqliteStore) -> Tenant {
    let clock = SetClock::at("2026-12-01T12:00:00Z".parse().unwrap());
    Billing::new(store, PlanBook::standard(), clock).tenant("acme").unwrap()
}

/// A tariff in two versions. Two accounts with a plan change and terms of their own, usage of every kind in three months, records that superseded others,
/// parked and dropped items, refused lines, corrections of every kind, invoices in advance and for periods, paid and void ones, and settlements in every state.
pub(crate) async fn make(file: &Path) {
    let store = folder::open(file).await;
    let tenant = tenant(store.clone());
    for (version, price, from) in [(1, "0.02", "2026-09-01"), (2, "0.03", "2026-10-10")] {
        tenant.save_tariff(&serde_json::from_value(tariff(version, price)).unwrap()).await.unwrap();
        let from = format!("{from}T00:00:00Z").parse().unwrap();
        tenant.activate_tariff(&"retail".parse().unwrap(), version, from).await.unwrap();
    }
    for (version, price) in [(1, "0.02"), (2, "0.03")] {
        tenant.save_plan(&serde_json::from_value(plan(version, price)).unwrap()).await.unwrap();
    }
    for account in ["alice", "bob"] {
        open(&tenant, account).await;
        use_everything(&tenant, account).await;
    }
    park(&tenant).await;
    invoice(&tenant).await;
    settle(&tenant).await;
    correct(&tenant).await;
    let options = RelayOptions::new("one".parse().unwrap());
    let listeners = Arc::new(Listeners::new());
    let relay = Relay::new(tenant.clone(), "bus".parse().unwrap(), listeners, options);
    while relay.run_once(tenant.now(), 7).await.unwrap().more {}
    store.close().await;
}

fn tariff(version: u32, price: &str) -> Value {
    let bands = json!([{"price": price, "per": "60", "increment": "1"}]);
    json!({
        "id": "retail", "version": version, "currency": "EUR", "zone": "Europe/Berlin", "decimals": 4,
        "rounding": "half_up", "lines": [
            {"destination": "Washington", "to": {"prefixes": ["1202"]}, "bands": bands},
            {"destination": "World", "to": "any", "bands": bands},
        ],
    })
}

fn plan(version: u32, price: &str) -> Value {
    json!({
        "id": "basic", "version": version, "currency": "EUR", "payment": "postpaid",
        "strategies": [
            {"id": "talk", "kind": "flat_rate", "terms": {"per_minute": price, "minutes": "pro_rata"}},
            {"id": "blocks", "kind": "blocks",
             "terms": {"block_ms": 30000, "per_block": "0.1", "scope": "lifetime"}},
            {"id": "storage", "kind": "per_unit",
             "terms": {"product": "storage", "unit": "GB-h", "per_unit": "0.0333"}},
            {"id": "usage", "kind": "unpriced", "terms": {}},
            {"id": "calls", "kind": "tariff", "terms": {"tariff": "retail"}},
            {"id": "fee", "kind": "recurring",
             "terms": {"per_period": "9.99", "timing": "in_advance", "proration": "days"}},
        ],
    })
}

async fn open(tenant: &Tenant, account: &str) {
    let customer = if account == "alice" { json!("carol") } else { json!(null) };
    let settings = json!({
        "id": account, "currency": "EUR", "zone": "Europe/Berlin", "customer": customer,
        "anchor": {"from": "2026-09-01", "months": 1},
        "tax": {"name": "VAT", "percent": "19", "mode": "added"},
    });
    tenant.open_account(&serde_json::from_value(settings).unwrap()).await.unwrap();
    let (account, plan) = (account.parse().unwrap(), "basic".parse().unwrap());
    let own = json!({"talk": {"per_minute": "0.015"}});
    let own = serde_json::from_value(own).unwrap();
    let from = "2026-09-01".parse().unwrap();
    tenant.assign_with(&account, &plan, 1, from, &own).await.unwrap();
    tenant.assign(&account, &plan, 2, "2026-10-15".parse().unwrap()).await.unwrap();
}

/// An item that `account` pays, under a key.
fn item(key: &Value, account: &str, item: &Value) -> Incoming {
    serde_json::from_value(json!({"key": key, "account": account, "item": item})).unwrap()
}

fn call(account: &str, month: u32, day: u32) -> Incoming {
    let key = json!({"source": "pbx", "id": format!("{account}-{month}-{day}"), "leg": "a"});
    let callee = if day == 3 { "+12025550123" } else { "+4930123456" };
    item(
        &key,
        account,
        &json!({
            "kind": "call", "start": format!("2026-{month:02}-{day:02}T08:00:00Z"),
            "duration_ms": 61_000, "caller": "+12025550100", "callee": callee,
            "disposition": "answered", "direction": "outbound",
        }),
    )
}

/// A record of storage; the final one has no number.
fn pulse(account: &str, id: &str, partial: Option<u32>, day: &str, amount: &str) -> Incoming {
    let key = json!({"source": "meter", "id": format!("{account}-{id}"), "partial": partial});
    item(
        &key,
        account,
        &json!({
            "kind": "pulse", "at": format!("{day}T09:00:00Z"), "product": "storage", "unit": "GB-h",
            "amount": amount, "properties": {"region": "eu-1", "host": "a7"},
        }),
    )
}

fn one_off(account: &str, id: &str, price: &str) -> Incoming {
    let key = json!({"source": "shop", "id": format!("{account}-{id}")});
    item(
        &key,
        account,
        &json!({
            "kind": "one_off", "at": "2026-10-03T10:00:00Z", "name": "set-up",
            "price": {"amount": price, "currency": "EUR"},
        }),
    )
}

async fn ingest(tenant: &Tenant, label: &str, items: Vec<Incoming>) {
    let mut entries: Vec<_> = items.into_iter().map(Ok).collect();
    let refusal = Refusal { place: label.into(), reason: "torn".into(), raw: "\"x".into() };
    entries.push(Err(refusal));
    let taken = tenant.ingest(&Batch { label: label.into(), entries }).await.unwrap();
    assert_eq!((taken.intake.conflict, taken.intake.refused), (0, 1));
}

/// Calls, pulses and charges of three months; records that supersede others, in a batch and across batches, and a late one.
async fn use_everything(tenant: &Tenant, account: &str) {
    let mut items: Vec<_> =
        (9..12).flat_map(|month| [3, 20].map(|day| call(account, month, day))).collect();
    items.push(one_off(account, "setup", "49.90"));
    items.push(one_off(account, "credit", "-5"));
    items.push(pulse(account, "1", Some(1), "2026-10-03", "1.5"));
    items.push(pulse(account, "1", Some(2), "2026-10-04", "2.5"));
    items.push(pulse(account, "2", Some(1), "2026-10-20", "0.25"));
    ingest(tenant, account, items).await;
    let items = vec![
        pulse(account, "1", None, "2026-10-04", "3.25"),
        pulse(account, "2", Some(10), "2026-10-21", "0.75"),
        pulse(account, "2", Some(9), "2026-10-21", "0.5"),
    ];
    ingest(tenant, &format!("late records of {account}"), items).await;
}

/// Items of an account that is not there: some are dropped, some stay.
async fn park(tenant: &Tenant) {
    let number =
        |number: u32| pulse("nobody", &number.to_string(), Some(number), "2026-10-05", "1");
    ingest(tenant, "nobody", (1..=4).chain(9..=10).map(number).collect()).await;
    for (number, reason) in [(2, "a test call"), (9, "")] {
        tenant
            .drop_parked(
                &pulse("nobody", &number.to_string(), Some(number), "2026-10-05", "1").key,
                reason,
            )
            .await
            .unwrap();
    }
}

/// In advance, for September and for October; some are paid, and the last of one account is void and issued again.
async fn invoice(tenant: &Tenant) {
    let series = "main".parse().unwrap();
    let mut issued = Vec::new();
    for day in ["2026-09-02", "2026-10-02", "2026-11-02"] {
        let as_of = format!("{day}T00:00:00Z").parse().unwrap();
        issued.extend(tenant.issue_invoices(&series, as_of).await.unwrap());
    }
    let all = issued.iter().all(|(_, outcome)| matches!(outcome, RunOutcome::Issued(_)));
    assert!(all && issued.len() == 6, "{issued:?}");
    let other = "other".parse().unwrap();
    for (number, reference) in [(1, "transfer 7"), (4, "")] {
        let on = "2026-11-20".parse().unwrap();
        tenant.invoice_paid(&series, number, on, reference).await.unwrap();
    }
    for number in [6, 5] {
        tenant.void_invoice(&series, number, "a wrong price").await.unwrap();
    }
    let as_of = "2026-11-02T00:00:00Z".parse().unwrap();
    let again = tenant.issue_invoices(&other, as_of).await.unwrap();
    assert!(again.iter().all(|(_, outcome)| matches!(outcome, RunOutcome::Issued(_))));
    // One stays void, and its days wait.
    tenant.void_invoice(&other, 1, "").await.unwrap();
}

/// For each account a settlement in each state, and one that was refused and waits to be sent again.
async fn settle(tenant: &Tenant) {
    let hand_over = async |day: &str| {
        assert_eq!(tenant.hand_over(Days::On(day.parse().unwrap())).await.unwrap(), 2, "{day}");
    };
    hand_over("2026-10-03").await;
    assert_eq!(tenant.send_settlements(&Downstream::Accepts, 0).await.unwrap().accepted, 2);
    for day in ["2026-10-04", "2026-10-20"] {
        hand_over(day).await;
    }
    assert_eq!(tenant.send_settlements(&Downstream::Refuses, 0).await.unwrap().refused, 4);
    hand_over("2026-11-03").await;
    tenant.send_settlements(&Downstream::Fails, 0).await.unwrap_err();
    for account in ["alice", "bob"] {
        let late = pulse(account, "late", None, "2026-10-03", "0.125");
        ingest(tenant, &format!("late usage of {account}"), vec![late]).await;
        let (account, day) = (account.parse().unwrap(), "2026-10-20".parse().unwrap());
        tenant.resend_settlement(&account, day, 1).await.unwrap();
    }
    hand_over("2026-10-03").await;
    for account in ["alice", "bob"] {
        let settlements = tenant.settlements(&account.parse().unwrap()).await.unwrap();
        let states = settlements.iter().map(|one| (one.state.name(), one.attempts));
        let due = [("accepted", 1), ("pending", 0), ("refused", 1), ("pending", 1), ("sent", 1)];
        assert_eq!(states.collect::<Vec<_>>(), due);
    }
}

/// An item is taken back, one amended, one amended and rated anew by a version of the tariff that came late, and an account changes its plan
/// before what it used.
async fn correct(tenant: &Tenant) {
    let late = tariff(3, "0.04");
    tenant.save_tariff(&serde_json::from_value(late).unwrap()).await.unwrap();
    let longer = |account, month| {
        let call = serde_json::to_string(&call(account, month, 20).item).unwrap();
        let longer: Value = serde_json::from_str(&call.replace("61000", "120000")).unwrap();
        longer
    };
    let key = |id: &str| json!({"source": "pbx", "id": id, "leg": "a"});
    let from = "2026-11-10T00:00:00Z";
    for (id, change, changed) in [
        (
            "amend-1",
            json!({"kind": "amend", "key": key("alice-9-20"), "item": longer("alice", 9)}),
            1,
        ),
        (
            "amend-2",
            json!({"kind": "amend", "key": key("bob-11-20"), "item": longer("bob", 11)}),
            1,
        ),
        (
            "late",
            json!({"kind": "activate_tariff",
            "activation": {"tariff": "retail", "version": 3, "from": from}}),
            2,
        ),
        (
            "plan",
            json!({"kind": "assign_plan", "account": "bob", "plan": "basic", "version": 1,
            "from": "2026-11-15"}),
            1,
        ),
        ("void", json!({"kind": "void", "key": key("alice-10-20")}), 1),
    ] {
        let correction = json!({"id": id, "reason": "a complaint", "change": change});
        let correction = serde_json::from_value(correction).unwrap();
        assert_eq!(tenant.correct(&correction).await.unwrap().report.changed, changed, "{id}");
    }
}
