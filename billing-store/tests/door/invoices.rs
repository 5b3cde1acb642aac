//! What an issued invoice can and cannot become.

use billing_core::{
    decide::MarkError,
    invoice::{Invoice, InvoiceState},
};
use billing_store::{
    Error, MemoryStore, Outcome, Tenant, store::Locks, store::Store as _, verify::verify,
};

use crate::{billing, ingest, october, open};

/// Alice has invoices 1 and 2 for October and November, Bob 3 for October.
async fn invoiced(store: &MemoryStore) -> Tenant {
    let (billing, clock) = billing(store);
    let acme = billing.tenant("acme").unwrap();
    open(&acme, "alice", "0.02").await;
    ingest(&acme, &[october("alice", "1")]).await;
    let series = "main".parse().unwrap();
    for (day, numbers) in [("2026-11-02", 1), ("2026-12-02", 3)] {
        let as_of = format!("{day}T00:00:00Z").parse().unwrap();
        clock.set(as_of);
        acme.issue_invoices(&series, as_of).await.unwrap();
        let facts = acme.read().await.unwrap().all_series().await.unwrap();
        assert_eq!(facts, [(series.clone(), numbers)]);
        if numbers == 1 {
            open(&acme, "bob", "0.02").await;
            // One comes late to October, one early to it.
            ingest(&acme, &[october("alice", "2"), october("bob", "3")]).await;
        }
    }
    acme
}

/// What is stored of an account's invoices and of what became of them.
async fn stored(
    acme: &Tenant,
) -> (Vec<(Invoice, InvoiceState)>, Vec<billing_core::event::JournalEntry>) {
    let alice = "alice".parse().unwrap();
    let invoices = acme.invoice_page(&alice, None, 10).await.unwrap();
    (invoices, acme.read().await.unwrap().journal(&alice, 0, 100).await.unwrap())
}

#[tokio::test]
async fn an_invoice_that_is_not_there_becomes_nothing() {
    let store = MemoryStore::new();
    let acme = invoiced(&store).await;
    let before = stored(&acme).await;
    let on = "2026-12-02".parse().unwrap();
    for (series, number) in [("main", 4), ("main", 0), ("main", u64::MAX), ("other", 1)] {
        let series = series.parse().unwrap();
        assert_eq!(acme.invoice_state(&series, number).await.unwrap(), None);
        let mut unit = store.begin(acme.id(), &Locks::default()).await.unwrap();
        let inside = [
            acme.invoice_paid_in(&mut *unit, &series, number, on, "7").await,
            acme.void_invoice_in(&mut *unit, &series, number, "why").await,
        ];
        drop(unit);
        let outside = [
            acme.invoice_paid(&series, number, on, "7").await,
            acme.void_invoice(&series, number, "why").await,
        ];
        for answer in inside.into_iter().chain(outside) {
            let named = matches!(&answer, Err(Error::UnknownInvoice { series: of, number: n }) if (of, *n) == (&series, number));
            assert!(named, "{answer:?}");
        }
    }
    // Another tenant's invoices are not there either.
    let rival = billing(&store).0.tenant("rival").unwrap();
    let answer = rival.void_invoice(&"main".parse().unwrap(), 1, "why").await;
    assert!(matches!(answer, Err(Error::UnknownInvoice { .. })), "{answer:?}");
    assert_eq!(stored(&acme).await, before, "a refusal leaves nothing");
}

#[tokio::test]
async fn an_invoice_is_paid_or_void_once_and_the_same_again_is_a_replay() {
    let store = MemoryStore::new();
    let acme = invoiced(&store).await;
    let (series, on) = ("main".parse().unwrap(), "2026-12-02".parse().unwrap());
    let later = "2026-12-03".parse().unwrap();
    assert_eq!(acme.invoice_paid(&series, 1, on, "transfer 7").await.unwrap(), Outcome::New);
    assert_eq!(acme.void_invoice(&series, 3, "a wrong price").await.unwrap(), Outcome::New);
    let before = stored(&acme).await;
    assert_eq!(acme.invoice_paid(&series, 1, on, "transfer 7").await.unwrap(), Outcome::Replay);
    assert_eq!(acme.void_invoice(&series, 3, "a wrong price").await.unwrap(), Outcome::Replay);
    let refused = [
        (acme.invoice_paid(&series, 1, on, "transfer 8").await, 1, "paid"),
        (acme.invoice_paid(&series, 1, later, "transfer 7").await, 1, "paid"),
        (acme.void_invoice(&series, 1, "a wrong price").await, 1, "paid"),
        (acme.void_invoice(&series, 3, "another reason").await, 3, "void"),
        (acme.invoice_paid(&series, 3, on, "transfer 7").await, 3, "void"),
    ];
    for (answer, of, is) in refused {
        let Err(Error::Mark(MarkError::NotIssued { number, state, .. })) = &answer else {
            panic!("{answer:?}");
        };
        assert_eq!((*number, *state), (of, is));
    }
    assert_eq!(stored(&acme).await, before, "a refusal and a replay leave nothing");
    assert_eq!(verify(&acme).await.unwrap().findings, []);
}

#[tokio::test]
async fn invoices_are_made_void_from_the_last_one_back() {
    let store = MemoryStore::new();
    let acme = invoiced(&store).await;
    let series: billing_core::id::SeriesId = "main".parse().unwrap();
    let early = acme.void_invoice(&series, 1, "a wrong price").await;
    let Err(Error::Mark(MarkError::NotLast { number, last, .. })) = &early else {
        panic!("{early:?}");
    };
    assert_eq!((*number, last), (1, &(series.clone(), 2)), "invoice 3 is another account's");
    assert_eq!(acme.void_invoice(&series, 2, "a wrong price").await.unwrap(), Outcome::New);
    assert_eq!(acme.void_invoice(&series, 1, "a wrong price").await.unwrap(), Outcome::New);
    let states = stored(&acme).await.0.into_iter().map(|(_, state)| state.name());
    assert_eq!(states.collect::<Vec<_>>(), ["void", "void"]);
    let as_of = "2026-12-02T00:00:00Z".parse().unwrap();
    acme.issue_invoices(&series, as_of).await.unwrap();
    let again = stored(&acme).await.0;
    let numbers = again.iter().map(|(invoice, state)| (invoice.number, state.name()));
    assert_eq!(numbers.collect::<Vec<_>>(), [(1, "void"), (4, "issued"), (2, "void")]);
    assert_eq!(verify(&acme).await.unwrap().findings, []);
}
