//! What the door refuses and what it must not remember.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod invoices;
mod parked;
mod settlements;
mod tariffs;

use std::sync::Arc;

use billing_core::{
    account::AccountSettings,
    decide::{AssignError, Batch, Days, Limits, RunOutcome},
    id::TenantId,
    item::{CallEnded, Incoming},
    plan::{PlanBook, PlanSpec},
    terms::Overrides,
};
use billing_store::{
    Billing, Error, MemoryStore, Outcome, Tenant,
    clock::SetClock,
    store::{Locks, Store},
    verify::verify,
};

const NOW: &str = "2026-10-20T00:00:00Z";

fn billing(store: &MemoryStore) -> (Billing, Arc<SetClock>) {
    let clock = Arc::new(SetClock::at(NOW.parse().unwrap()));
    let (store, clock): (Arc<dyn Store>, _) = (Arc::new(store.clone()), clock);
    let billing = Billing::with_limits(
        store,
        PlanBook::standard(),
        Arc::<SetClock>::clone(&clock),
        Limits::default(),
    );
    (billing, clock)
}

fn plan(price: &str) -> PlanSpec {
    serde_json::from_str(&format!(
        r#"{{"id":"basic","version":1,"currency":"EUR","payment":"postpaid","strategies":[
            {{"id":"calls","kind":"flat_rate","terms":{{"per_minute":"{price}","minutes":"pro_rata"}}}}]}}"#
    ))
    .unwrap()
}

fn account(id: &str) -> AccountSettings {
    serde_json::from_str(&format!(
        r#"{{"id":"{id}","currency":"EUR","zone":"UTC","anchor":{{"from":"2026-10-01","months":1}}}}"#
    ))
    .unwrap()
}

fn call(account: &str) -> CallEnded {
    serde_json::from_str(&format!(
        r#"{{"key":{{"source":"pbx","id":"of-{account}"}},"account":"{account}",
            "call":{{"start":"2026-10-05T08:00:00Z","duration_ms":600000,"caller":"","callee":"",
                     "disposition":"answered","direction":"outbound"}}}}"#
    ))
    .unwrap()
}

/// A call of ten minutes in October, to be told apart by its id.
fn october(account: &str, id: &str) -> Incoming {
    let mut call = call(account);
    call.key.id = id.parse().unwrap();
    call.into()
}

async fn ingest(tenant: &Tenant, items: &[Incoming]) -> billing_core::decide::Intake {
    let entries = items.iter().cloned().map(Ok).collect();
    tenant.ingest(&Batch { label: String::new(), entries }).await.unwrap().intake
}

async fn open(tenant: &Tenant, id: &str, price: &str) {
    tenant.save_plan(&plan(price)).await.unwrap();
    tenant.open_account(&account(id)).await.unwrap();
    let (id, basic) = (id.parse().unwrap(), "basic".parse().unwrap());
    tenant.assign(&id, &basic, 1, "2026-10-01".parse().unwrap()).await.unwrap();
}

async fn total(tenant: &Tenant, id: &str) -> String {
    let bill = tenant.bill(&id.parse().unwrap(), NOW.parse().unwrap()).await.unwrap();
    bill.open.unwrap().taxed.total.to_string()
}

#[tokio::test]
async fn a_plan_of_a_unit_that_was_rolled_back_prices_nothing() {
    let store = MemoryStore::new();
    let acme = billing(&store).0.tenant("acme").unwrap();
    let locks = Locks::accounts(["alice".parse().unwrap()]);
    let mut unit = store.begin(acme.id(), &locks).await.unwrap();
    acme.save_plan_in(&mut *unit, &plan("9")).await.unwrap();
    acme.open_account_in(&mut *unit, &account("alice")).await.unwrap();
    let (alice, basic) = ("alice".parse().unwrap(), "basic".parse().unwrap());
    let from = "2026-10-01".parse().unwrap();
    acme.assign_in(&mut *unit, &alice, &basic, 1, from).await.unwrap();
    let batch = Batch { label: String::new(), entries: vec![Ok(call("alice").into())] };
    acme.ingest_in(&mut *unit, &batch).await.unwrap();
    drop(unit);
    open(&acme, "alice", "0.02").await;
    acme.calls_ended(&[call("alice")]).await.unwrap();
    assert_eq!(total(&acme, "alice").await, "0.2", "ten minutes at 0.02, not at 9");
    assert_eq!(verify(&acme).await.unwrap().findings, []);
}

#[tokio::test]
async fn a_handle_works_on_no_other_tenants_unit() {
    let store = MemoryStore::new();
    let (billing, _) = billing(&store);
    let (acme, rival) = (billing.tenant("acme").unwrap(), TenantId::try_new("rival").unwrap());
    let mut unit = store.begin(&rival, &Locks::default()).await.unwrap();
    let unit = &mut *unit;
    let (id, basic, day) =
        ("alice".parse().unwrap(), "basic".parse().unwrap(), "2026-10-01".parse().unwrap());
    let series = "main".parse().unwrap();
    let refused = [
        acme.save_plan_in(unit, &plan("1")).await.map(drop),
        acme.open_account_in(unit, &account("alice")).await.map(drop),
        acme.assign_in(unit, &id, &basic, 1, day).await.map(drop),
        acme.ingest_in(unit, &Batch::default()).await.map(drop),
        acme.assign_with_in(unit, &id, &basic, 1, day, &Overrides::none()).await.map(drop),
        acme.issue_invoices_in(unit, &[], &series, NOW.parse().unwrap()).await.map(drop),
        acme.invoice_paid_in(unit, &series, 1, day, "").await.map(drop),
        acme.void_invoice_in(unit, &series, 1, "").await.map(drop),
        acme.drop_parked_in(unit, &call("alice").key, "").await,
        acme.hand_over_in(unit, &[], Days::All).await.map(drop),
    ];
    for answer in refused {
        assert!(matches!(answer, Err(Error::OtherTenant { .. })), "{answer:?}");
    }
}

#[tokio::test]
async fn no_period_is_invoiced_before_its_time_has_come() {
    let store = MemoryStore::new();
    let (billing, clock) = billing(&store);
    let acme = billing.tenant("acme").unwrap();
    open(&acme, "alice", "0.02").await;
    acme.calls_ended(&[call("alice")]).await.unwrap();
    let (series, later) = ("main".parse().unwrap(), "2026-11-01T00:00:00Z".parse().unwrap());
    let outside = acme.issue_invoices(&series, later).await;
    assert!(matches!(outside, Err(Error::NotYet { .. })), "{outside:?}");
    let alice = ["alice".parse().unwrap()];
    let mut unit = store.begin(acme.id(), &Locks::default()).await.unwrap();
    let inside = acme.issue_invoices_in(&mut *unit, &alice, &series, later).await;
    assert!(matches!(inside, Err(Error::NotYet { .. })), "{inside:?}");
    let nobody = ["nobody".parse().unwrap()];
    let unknown = acme.issue_invoices_in(&mut *unit, &nobody, &series, NOW.parse().unwrap()).await;
    assert!(matches!(unknown, Err(Error::UnknownAccount { .. })), "{unknown:?}");
    drop(unit);
    let early = acme.issue_invoices(&series, NOW.parse().unwrap()).await.unwrap();
    assert_eq!(early[0].1, RunOutcome::NothingDue, "October has not ended on the 20th");
    clock.set(later);
    let ended = acme.issue_invoices(&series, later).await.unwrap();
    assert!(matches!(&ended[0].1, RunOutcome::Issued(invoices) if invoices.len() == 1));
    let again = acme.issue_invoices(&series, later).await.unwrap();
    assert_eq!(again[0].1, RunOutcome::AlreadyIssued);
}

#[tokio::test]
async fn a_batch_sent_again_records_what_was_mended_meanwhile() {
    let store = MemoryStore::new();
    let acme = billing(&store).0.tenant("acme").unwrap();
    open(&acme, "alice", "0.02").await;
    let calls = [call("alice"), call("bob")];
    let first = acme.calls_ended(&calls).await.unwrap().intake;
    assert_eq!((first.recorded, first.parked), (1, 1));
    open(&acme, "bob", "0.02").await;
    let second = acme.calls_ended(&calls).await.unwrap().intake;
    assert_eq!((second.recorded, second.replayed, second.parked), (1, 1, 0));
    assert_eq!(verify(&acme).await.unwrap().findings, [], "the records add up to the items");
}

#[tokio::test]
async fn a_reader_holds_no_writer_up_and_sees_one_state() {
    let store = MemoryStore::new();
    let acme = billing(&store).0.tenant("acme").unwrap();
    open(&acme, "alice", "0.02").await;
    let mut before = acme.read().await.unwrap();
    acme.calls_ended(&[call("alice")]).await.unwrap();
    assert_eq!(before.item_page(None, 10).await.unwrap(), [], "as it was when the reader began");
    assert_eq!(acme.read().await.unwrap().item_page(None, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_accounts_own_terms_are_for_strategies_that_the_plan_has() {
    let store = MemoryStore::new();
    let acme = billing(&store).0.tenant("acme").unwrap();
    open(&acme, "alice", "0.02").await;
    let (alice, basic) = ("alice".parse().unwrap(), "basic".parse().unwrap());
    let from = "2026-10-15".parse().unwrap();
    let before = acme.read().await.unwrap().journal(&alice, 0, 10).await.unwrap();
    let cases = [
        (r#"{"texts":{"per_minute":"0.01"}}"#, "no strategy texts"),
        (r#"{"one_off":{"per_minute":"0.01"}}"#, "no strategy one_off"),
        (r#"{"calls":{"per_minute":"cheap"}}"#, "strategy calls"),
        (r#"{"calls":{"per_hour":"1"}}"#, "strategy calls"),
    ];
    for (own, told) in cases {
        let own: Overrides = serde_json::from_str(own).unwrap();
        let error = acme.assign_with(&alice, &basic, 1, from, &own).await.unwrap_err();
        assert!(matches!(error, Error::Overrides(_) | Error::BuildPlan(_)), "{error:?}");
        assert!(error.to_string().contains(told), "{error}");
    }
    let after = acme.read().await.unwrap().journal(&alice, 0, 10).await.unwrap();
    assert_eq!(after, before, "a refusal leaves nothing");
    let own = |price: &str| -> Overrides {
        serde_json::from_str(&format!(r#"{{"calls":{{"per_minute":"{price}"}}}}"#)).unwrap()
    };
    let assign = async |price: &str| acme.assign_with(&alice, &basic, 1, from, &own(price)).await;
    assert_eq!(assign("0.01").await.unwrap(), Outcome::New);
    assert_eq!(assign("0.01").await.unwrap(), Outcome::Replay);
    let other = assign("0.015").await;
    assert!(matches!(other, Err(Error::Assign(AssignError::Taken { .. }))), "{other:?}");
    let without = acme.assign(&alice, &basic, 1, from).await;
    assert!(matches!(without, Err(Error::Assign(AssignError::Taken { .. }))), "{without:?}");
    assert_eq!(verify(&acme).await.unwrap().findings, []);
}
