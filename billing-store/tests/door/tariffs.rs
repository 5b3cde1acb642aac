//! What tariffs price from the door to the invoice, and what they are refused.

use billing_core::{
    decide::{Batch, ParkReason, Receipt, TariffError},
    id::TariffId,
    item::CallEnded,
    plan::PlanSpec,
    tariff::TariffSpec,
    terms::Overrides,
    time::Instant,
};
use billing_store::{Error, MemoryStore, Outcome, Tenant, store::Store as _, verify::verify};

use crate::{account, billing, call, total};

const OCTOBER: &str = "2026-10-01T00:00:00Z";

/// A tariff of one line to Germany at a price a minute, and what it falls back on.
fn tariff(id: &str, version: u32, price: &str, fallback: &[&str]) -> TariffSpec {
    serde_json::from_value(serde_json::json!({
        "id": id, "version": version, "currency": "EUR", "zone": "UTC", "decimals": 4, "rounding": "half_up",
        "lines": [{"destination": format!("Germany by {id}"), "to": {"prefixes": ["49"]},
                   "bands": [{"price": price, "per": "60", "increment": "60"}]}],
        "fallback": fallback,
    }))
    .unwrap()
}

fn plan(id: &str, tariff: &str) -> PlanSpec {
    serde_json::from_value(serde_json::json!({
        "id": id, "version": 1, "currency": "EUR", "payment": "postpaid",
        "strategies": [{"id": "calls", "kind": "tariff", "terms": {"tariff": tariff}}],
    }))
    .unwrap()
}

async fn save(tenant: &Tenant, spec: &TariffSpec, from: &str) {
    tenant.save_tariff(spec).await.unwrap();
    activate(tenant, spec, from).await.unwrap();
}

async fn activate(
    tenant: &Tenant,
    spec: &TariffSpec,
    from: &str,
) -> billing_store::Result<Outcome> {
    tenant.activate_tariff(&spec.id, spec.version, from.parse().unwrap()).await
}

/// An account with a plan that asks a tariff.
async fn open(tenant: &Tenant, id: &str, tariff: &str, own: &str) {
    let plan = plan(tariff, tariff);
    tenant.save_plan(&plan).await.unwrap();
    tenant.open_account(&account(id)).await.unwrap();
    let own: Overrides = serde_json::from_str(own).unwrap();
    let (id, from) = (id.parse().unwrap(), "2026-10-01".parse().unwrap());
    tenant.assign_with(&id, &plan.id, 1, from, &own).await.unwrap();
}

/// A call on 5 October from a time on.
fn to(account: &str, id: &str, callee: &str, time: &str, duration_ms: u64) -> CallEnded {
    let mut ended = call(account);
    ended.key.id = id.parse().unwrap();
    ended.call.callee = callee.parse().unwrap();
    ended.call.start = format!("2026-10-05T{time}Z").parse().unwrap();
    ended.call.duration_ms = duration_ms;
    ended
}

const BERLIN: &str = "+4930123456";

async fn ended(tenant: &Tenant, call: CallEnded) -> Receipt {
    tenant.calls_ended(&[call]).await.unwrap().receipts.remove(0)
}

fn earliest(answer: &billing_store::Result<Outcome>) -> Option<Instant> {
    match answer {
        Err(Error::Tariff(TariffError::Past { earliest, .. })) => Some(*earliest),
        _ => None,
    }
}

#[tokio::test]
async fn an_invoice_has_a_line_for_each_destination_from_calls_that_are_exact() {
    let store = MemoryStore::new();
    let (billing, clock) = billing(&store);
    let acme = billing.tenant("acme").unwrap();
    save(&acme, &tariff("retail", 1, "0.0049", &["world"]), OCTOBER).await;
    let mut world = tariff("world", 1, "0.3", &[]);
    world.lines[0].to = billing_core::tariff::To::Any;
    save(&acme, &world, OCTOBER).await;
    open(&acme, "alice", "retail", "{}").await;
    for number in ["1", "2", "3"] {
        ended(&acme, to("alice", &format!("berlin-{number}"), BERLIN, "08:00:00", 59_000)).await;
    }
    ended(&acme, to("alice", "paris", "+33123456789", "08:00:00", 61_000)).await;
    // Three calls of 0.0049 are 0.0147, and 0.01 on the bill.
    assert_eq!(total(&acme, "alice").await, "0.61");
    clock.set("2026-11-02T00:00:00Z".parse().unwrap());
    let as_of = "2026-11-01T00:00:00Z".parse().unwrap();
    acme.issue_invoices(&"main".parse().unwrap(), as_of).await.unwrap();
    let invoices = acme.invoices(&"alice".parse().unwrap()).await.unwrap();
    let lines = invoices[0].draft.lines.iter().map(|line| {
        let texts = [line.group.to_string(), line.quantity.to_string(), line.exact.to_string()];
        (texts.join(" "), line.amount.to_string())
    });
    let due = [("Germany by retail 180 0.0147", "0.01"), ("Germany by world 120 0.6", "0.6")];
    assert!(lines.eq(due.map(|(text, amount)| (text.to_owned(), amount.to_owned()))));
    assert_eq!(verify(&acme).await.unwrap().findings, []);
}

#[tokio::test]
async fn a_plan_is_in_the_currency_of_its_tariffs() {
    let acme = billing(&MemoryStore::new()).0.tenant("acme").unwrap();
    let dollars = TariffSpec { currency: "USD".parse().unwrap(), ..tariff("dollars", 1, "1", &[]) };
    acme.save_tariff(&dollars).await.unwrap();
    let is_refused = |answer: &billing_store::Result<Outcome>| {
        matches!(answer, Err(Error::Tariff(TariffError::Currency { theirs, ours, .. }))
            if (theirs.code(), ours.code()) == ("USD", "EUR"))
    };
    let saved = acme.save_plan(&plan("basic", "dollars")).await;
    assert!(is_refused(&saved), "{saved:?}");
    open(&acme, "alice", "retail", "{}").await;
    let own = serde_json::from_str(r#"{"calls":{"tariff":"dollars"}}"#).unwrap();
    let (alice, retail) = ("alice".parse().unwrap(), "retail".parse().unwrap());
    let assigned = acme.assign_with(&alice, &retail, 1, "2026-10-02".parse().unwrap(), &own).await;
    assert!(is_refused(&assigned), "{assigned:?}");
    // A tariff that comes after the plan is found out by the first call.
    let dollars = TariffSpec { id: "retail".parse().unwrap(), ..dollars };
    save(&acme, &dollars, OCTOBER).await;
    let receipt = ended(&acme, to("alice", "a", BERLIN, "08:00:00", 1)).await;
    let Receipt::Parked(ParkReason::Unpriceable { why, .. }) = receipt else {
        panic!("{receipt:?}")
    };
    assert_eq!(why, "tariff retail is in USD at 2026-10-05T08:00:00Z, not in EUR");
    let euros = acme.save_tariff(&tariff("retail", 2, "1", &[])).await;
    assert!(matches!(euros, Err(Error::Tariff(TariffError::Currency { .. }))), "{euros:?}");
}

#[tokio::test]
async fn a_tariff_of_a_unit_that_was_rolled_back_prices_nothing() {
    let store = MemoryStore::new();
    let acme = billing(&store).0.tenant("acme").unwrap();
    open(&acme, "alice", "retail", "{}").await;
    let locks = billing_store::store::Locks {
        catalog: true,
        ..billing_store::store::Locks::accounts(["alice".parse().unwrap()])
    };
    let mut unit = store.begin(acme.id(), &locks).await.unwrap();
    let dear = tariff("retail", 1, "9", &[]);
    acme.save_tariff_in(&mut *unit, &dear).await.unwrap();
    acme.activate_tariff_in(&mut *unit, &dear.id, 1, OCTOBER.parse().unwrap()).await.unwrap();
    let berlin = to("alice", "a", BERLIN, "08:00:00", 60_000);
    let batch = Batch { label: String::new(), entries: vec![Ok(berlin.clone().into())] };
    assert_eq!(acme.ingest_in(&mut *unit, &batch).await.unwrap().intake.recorded, 1);
    drop(unit);
    let waits = ended(&acme, berlin.clone()).await;
    assert!(matches!(waits, Receipt::Parked(_)), "{waits:?}");
    save(&acme, &tariff("retail", 1, "0.02", &[]), OCTOBER).await;
    assert_eq!(acme.retry_parked(&[berlin.key]).await.unwrap().intake.recorded, 1);
    assert_eq!(total(&acme, "alice").await, "0.02");
    assert_eq!(verify(&acme).await.unwrap().findings, []);
}

#[tokio::test]
async fn what_one_process_activates_another_prices_by() {
    let store = MemoryStore::new();
    let (one, other) =
        (billing(&store).0.tenant("acme").unwrap(), billing(&store).0.tenant("acme").unwrap());
    save(&one, &tariff("retail", 1, "0.02", &[]), OCTOBER).await;
    open(&one, "alice", "retail", "{}").await;
    ended(&one, to("alice", "a", BERLIN, "08:00:00", 60_000)).await;
    save(&other, &tariff("retail", 2, "0.5", &[]), "2026-10-05T09:00:00Z").await;
    ended(&one, to("alice", "b", BERLIN, "09:00:00", 60_000)).await;
    assert_eq!(total(&one, "alice").await, "0.52");
    // Tariffs that nobody has asked yet are found beside those that are compiled.
    save(&other, &tariff("wholesale", 1, "0.1", &["retail"]), OCTOBER).await;
    open(&other, "bob", "wholesale", "{}").await;
    ended(&one, to("bob", "c", BERLIN, "08:00:00", 60_000)).await;
    assert_eq!(total(&one, "bob").await, "0.1");
    for tenant in [one, other] {
        assert_eq!(verify(&tenant).await.unwrap().findings, []);
    }
}

#[tokio::test]
async fn a_tariff_changes_no_earlier_than_what_it_may_have_priced() {
    let acme = billing(&MemoryStore::new()).0.tenant("acme").unwrap();
    for (id, fallback) in
        [("retail", &["middle"][..]), ("middle", &["world"]), ("world", &[]), ("special", &[])]
    {
        save(&acme, &tariff(id, 1, "0.02", fallback), OCTOBER).await;
        acme.save_tariff(&tariff(id, 2, "0.03", fallback)).await.unwrap();
    }
    open(&acme, "alice", "retail", "{}").await;
    open(&acme, "bob", "retail", r#"{"calls":{"tariff":"special"}}"#).await;
    ended(&acme, to("alice", "a", BERLIN, "08:00:00", 90_000)).await;
    ended(&acme, to("bob", "b", BERLIN, "09:00:00", 90_000)).await;
    // Usage of nothing has the price of its start.
    ended(&acme, to("bob", "c", BERLIN, "10:00:00", 0)).await;
    let cases = [
        ("retail", "2026-10-05T08:01:30Z"),
        ("middle", "2026-10-05T08:01:30Z"),
        ("world", "2026-10-05T08:01:30Z"),
        ("special", "2026-10-05T10:00:00.000001Z"),
    ];
    for (id, from) in cases {
        let (next, from): (_, Instant) = (tariff(id, 2, "0.03", &[]), from.parse().unwrap());
        let before = Instant::from_micros(from.micros() - 1).unwrap();
        let answer = activate(&acme, &next, &before.to_string()).await;
        assert_eq!(earliest(&answer), Some(from), "{id}: {answer:?}");
        assert_eq!(activate(&acme, &next, &from.to_string()).await.unwrap(), Outcome::New, "{id}");
        assert_eq!(
            activate(&acme, &next, &from.to_string()).await.unwrap(),
            Outcome::Replay,
            "{id}"
        );
    }
    assert_eq!(verify(&acme).await.unwrap().findings, []);
}

#[tokio::test]
async fn an_activation_is_of_a_saved_version_and_has_its_instant_alone() {
    let acme = billing(&MemoryStore::new()).0.tenant("acme").unwrap();
    let (first, second) = (tariff("retail", 1, "0.02", &[]), tariff("retail", 2, "0.03", &[]));
    save(&acme, &first, OCTOBER).await;
    let unknown = activate(&acme, &second, OCTOBER).await;
    assert!(matches!(unknown, Err(Error::Tariff(TariffError::Unknown { version: 2, .. }))));
    acme.save_tariff(&second).await.unwrap();
    let taken = activate(&acme, &second, OCTOBER).await;
    assert!(matches!(taken, Err(Error::Tariff(TariffError::Taken { version: 1, .. }))));
    // A version may come into force again.
    activate(&acme, &second, "2026-10-02T00:00:00Z").await.unwrap();
    activate(&acme, &first, "2026-10-03T00:00:00Z").await.unwrap();
    let catalog = acme.tariffs().await.unwrap();
    let versions: Vec<u32> = catalog.activations.iter().map(|it| it.version).collect();
    assert_eq!((catalog.saved.len(), versions), (2, vec![1, 2, 1]));
    let retail: TariffId = "retail".parse().unwrap();
    assert_eq!(acme.tariff(&retail, 2).await.unwrap(), Some(second));
    assert_eq!(acme.tariff(&retail, 3).await.unwrap(), None);
}

#[tokio::test]
async fn a_state_hash_tells_tariffs_and_activations_apart() {
    let mut hashes = std::collections::BTreeSet::new();
    for (price, from) in [
        ("0.02", None),
        ("0.03", None),
        ("0.02", Some(OCTOBER)),
        ("0.02", Some("2026-11-01T00:00:00Z")),
    ] {
        let acme = billing(&MemoryStore::new()).0.tenant("acme").unwrap();
        let retail = tariff("retail", 1, price, &[]);
        acme.save_tariff(&retail).await.unwrap();
        if let Some(from) = from {
            activate(&acme, &retail, from).await.unwrap();
        }
        hashes.insert(billing_store::state_hash(&acme).await.unwrap());
    }
    assert_eq!(hashes.len(), 4);
}

#[tokio::test]
async fn a_recorded_call_is_explained_as_it_was_priced() {
    let acme = billing(&MemoryStore::new()).0.tenant("acme").unwrap();
    save(&acme, &tariff("retail", 1, "0.02", &[]), OCTOBER).await;
    open(&acme, "alice", "retail", "{}").await;
    let berlin = to("alice", "a", BERLIN, "08:00:00", 61_000);
    ended(&acme, berlin.clone()).await;
    save(&acme, &tariff("retail", 2, "0.5", &[]), "2026-10-05T08:01:01Z").await;
    let explained = acme.explain_item(&berlin.key).await.unwrap();
    assert_eq!(explained.len(), 1);
    assert_eq!(explained[0].1.amount.to_string(), "0.04");
    let unknown = acme.explain_item(&to("alice", "b", BERLIN, "08:00:00", 1).key).await;
    assert!(matches!(unknown, Err(Error::NotRecorded { .. })));
}
