//! What a processor may answer, and what becomes of a settlement when it does not.

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;

use billing_core::{
    decide::Days,
    id::{AccountId, TenantId},
    settlement::{Answer, Handover},
    time::Day,
};
use billing_store::{
    Error, MemoryStore, Outcome, Tenant,
    settlement::{Processor, ProcessorError, Sent},
    store::{Locks, Store as _},
    verify::verify,
};

use crate::{billing, ingest, october, open};

/// A processor with so many answers too few or too many, once it has answered some calls well.
#[derive(Debug)]
struct Downstream {
    /// How many calls are answered well.
    well: usize,
    /// How many answers there are to a call that is not: one for each revision, and so many more.
    more: Option<isize>,
    calls: AtomicUsize,
    told: Mutex<Vec<(TenantId, Vec<Handover>)>>,
}

impl Downstream {
    fn new(well: usize, more: Option<isize>) -> Self {
        Self { well, more, calls: AtomicUsize::new(0), told: Mutex::default() }
    }
}

#[async_trait]
impl Processor for Downstream {
    async fn process(
        &self,
        tenant: &TenantId,
        handovers: &[Handover],
    ) -> Result<Vec<Answer>, ProcessorError> {
        self.told.lock().unwrap().push((tenant.clone(), handovers.to_vec()));
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        let more = if call < self.well { Some(0) } else { self.more };
        let answers = more.ok_or("the line is down")?.saturating_add_unsigned(handovers.len());
        let answer = Answer::Accepted { reference: "7".into() };
        Ok(vec![answer; usize::try_from(answers).unwrap()])
    }
}

fn day() -> Day {
    "2026-10-05".parse().unwrap()
}

/// Accounts with a call each, handed over.
async fn handed(store: &MemoryStore, accounts: usize) -> (Tenant, Vec<AccountId>) {
    let acme = billing(store).0.tenant("acme").unwrap();
    let mut ids = Vec::new();
    for number in 0..accounts {
        let id = format!("account-{number:03}");
        open(&acme, &id, "0.02").await;
        ingest(&acme, &[october(&id, &id)]).await;
        ids.push(id.parse().unwrap());
    }
    assert_eq!(acme.hand_over(Days::Ended).await.unwrap(), u64::try_from(accounts).unwrap());
    (acme, ids)
}

/// The states of all settlements, in order of the accounts.
async fn states(acme: &Tenant, ids: &[AccountId]) -> Vec<(&'static str, u32)> {
    let mut states = Vec::new();
    for id in ids {
        let settlements = acme.settlements(id).await.unwrap();
        states.extend(settlements.iter().map(|one| (one.state.name(), one.attempts)));
    }
    states
}

#[tokio::test]
async fn a_processor_that_does_not_answer_each_revision_is_asked_again() {
    for (more, told) in [(None, "down"), (Some(-1), "1 answers to 2"), (Some(1), "3 answers to 2")]
    {
        let store = MemoryStore::new();
        let (acme, ids) = handed(&store, 2).await;
        let bad = Downstream::new(0, more);
        let sent = acme.send_settlements(&bad, 60_000).await;
        let Err(Error::Processor { source }) = &sent else { panic!("{sent:?}") };
        assert!(source.to_string().contains(told), "{source}");
        assert_eq!(states(&acme, &ids).await, [("sent", 1); 2], "no answer is recorded: {told}");
        // It is waited for, and then all of them are sent again, as they were.
        let good = Downstream::new(1, None);
        let sent = acme.send_settlements(&good, 60_000).await.unwrap();
        assert_eq!(sent, Sent::default());
        let sent = acme.send_settlements(&good, 0).await.unwrap();
        assert_eq!(sent, Sent { sent: 2, accepted: 2, refused: 0 });
        assert_eq!(states(&acme, &ids).await, [("accepted", 2); 2]);
        let (first, second) = (bad.told.into_inner().unwrap(), good.told.into_inner().unwrap());
        assert_eq!((first.len(), &first), (1, &second), "the same tenant, the same content");
        assert_eq!(first[0].0, *acme.id());
        assert_eq!(verify(&acme).await.unwrap().findings, []);
    }
}

#[tokio::test]
async fn what_was_answered_before_a_processor_failed_is_recorded() {
    let store = MemoryStore::new();
    // More than one page of settlements.
    let (acme, ids) = handed(&store, 130).await;
    let bad = Downstream::new(1, None);
    let sent = acme.settle_days(&bad, Days::All, 60_000).await;
    assert!(matches!(sent, Err(Error::Processor { .. })), "{sent:?}");
    let found = states(&acme, &ids).await;
    let answered = bad.told.lock().unwrap()[0].1.len();
    assert!((1..130).contains(&answered), "one call was answered, and it was not the only one");
    assert!(found[..answered].iter().all(|state| *state == ("accepted", 1)), "{found:?}");
    assert!(found[answered..].iter().all(|state| *state == ("sent", 1)), "{found:?}");
    let good = Downstream::new(9, None);
    let rest = u64::try_from(130 - answered).unwrap();
    assert_eq!(acme.send_settlements(&good, 0).await.unwrap().accepted, rest);
    assert_eq!(verify(&acme).await.unwrap().findings, []);
}

#[tokio::test]
async fn an_answer_for_another_account_day_revision_or_tenant_is_nobodys() {
    let store = MemoryStore::new();
    let (acme, ids) = handed(&store, 2).await;
    let rival = billing(&store).0.tenant("rival").unwrap();
    open(&rival, "account-000", "0.02").await;
    open(&acme, "unused", "0.02").await;
    let accept = || Answer::Accepted { reference: "7".into() };
    let cases = [
        (&acme, "nobody", "2026-10-05", 1),
        (&acme, "unused", "2026-10-05", 1),
        (&acme, "account-000", "2026-10-06", 1),
        (&acme, "account-000", "2026-10-05", 2),
        (&acme, "account-000", "2026-10-05", 0),
        (&rival, "account-000", "2026-10-05", 1),
    ];
    for (tenant, account, day, revision) in cases {
        let (account, day): (AccountId, Day) = (account.parse().unwrap(), day.parse().unwrap());
        let answers = [
            tenant.answer_settlement(&account, day, revision, accept()).await.map(drop),
            tenant.resend_settlement(&account, day, revision).await,
        ];
        for answer in answers {
            let Err(Error::UnknownSettlement { account: of, day: on, revision: number, .. }) =
                &answer
            else {
                panic!("{answer:?}");
            };
            assert_eq!((of, *on, *number), (&account, day, revision));
        }
    }
    assert_eq!(states(&acme, &ids).await, [("pending", 0); 2]);
    assert_eq!(rival.settlements(&ids[0]).await.unwrap(), []);
}

#[tokio::test]
async fn only_a_refused_settlement_is_sent_once_more() {
    let store = MemoryStore::new();
    let (acme, ids) = handed(&store, 1).await;
    let id = &ids[0];
    let resend = async || acme.resend_settlement(id, day(), 1).await;
    let refused_to = |answer: billing_store::Result<()>| {
        let named = matches!(answer, Err(Error::UnknownSettlement { expected: "refused", .. }));
        assert!(named, "{answer:?}");
    };
    refused_to(resend().await);
    acme.send_settlements(&Downstream::new(0, None), 60_000).await.unwrap_err();
    refused_to(resend().await);
    let no = Answer::Refused { reason: "no such customer".into() };
    assert_eq!(acme.answer_settlement(id, day(), 1, no.clone()).await.unwrap(), Outcome::New);
    assert_eq!(acme.send_settlements(&Downstream::new(9, None), 0).await.unwrap().sent, 0);
    assert_eq!(states(&acme, &ids).await, [("refused", 1)]);
    resend().await.unwrap();
    refused_to(resend().await);
    let yes = Answer::Accepted { reference: "7".into() };
    assert_eq!(acme.answer_settlement(id, day(), 1, yes.clone()).await.unwrap(), Outcome::New);
    for late in [yes, no] {
        assert_eq!(acme.answer_settlement(id, day(), 1, late).await.unwrap(), Outcome::Replay);
    }
    refused_to(resend().await);
    assert_eq!(states(&acme, &ids).await, [("accepted", 1)]);
    assert_eq!(verify(&acme).await.unwrap().findings, []);
}

#[tokio::test]
async fn days_of_an_account_that_is_not_there_are_not_handed_over() {
    let store = MemoryStore::new();
    let acme = billing(&store).0.tenant("acme").unwrap();
    open(&acme, "alice", "0.02").await;
    ingest(&acme, &[october("alice", "1")]).await;
    let accounts = ["alice".parse().unwrap(), "nobody".parse().unwrap()];
    let mut unit = store.begin(acme.id(), &Locks::accounts(accounts.clone())).await.unwrap();
    let answer = acme.hand_over_in(&mut *unit, &accounts, Days::All).await;
    assert!(matches!(&answer, Err(Error::UnknownAccount { account }) if *account == accounts[1]));
    unit.commit().await.unwrap();
    assert_eq!(acme.settlements(&accounts[0]).await.unwrap(), [], "nothing was handed over");
    // Which days have ended is asked in the account's zone.
    assert_eq!(acme.hand_over(Days::On("2026-10-06".parse().unwrap())).await.unwrap(), 0);
    assert_eq!(acme.hand_over(Days::On(day())).await.unwrap(), 1);
}
