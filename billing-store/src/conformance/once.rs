//! What is written once: claims, names, numbers, and a period's invoice.

use billing_core::{
    decide::{RunOutcome, Writes},
    id::AccountId,
    invoice::Invoice,
};

use crate::conformance::{
    bench::{Bench, ensure_same, must_refuse},
    door::Door,
    dump::Dump,
    kept::{Failed, Kept, ensure},
    sample::{self, Made},
    together::{self, Boxed},
};

pub(super) async fn a_claim_is_for_ever(bench: &Bench) -> Kept {
    bench.commit(&bench.acme, &sample::opened("alice")?).await?;
    let claim = claim("alice", "call-1", 1)?;
    let mut unit = bench.begin(&bench.acme, &claim).await?;
    unit.apply(&claim).await?;
    must_refuse(unit.apply(&claim).await, "an item that the same unit claimed")?;
    drop(unit);
    let doubled =
        Writes { items: [claim.items.clone(), claim.items.clone()].concat(), ..Writes::default() };
    bench.refused(&bench.acme, &doubled, "an item twice in one batch").await?;
    bench.commit(&bench.acme, &claim).await?;
    let before = bench.dump(&bench.acme).await?;
    for number in 2..5 {
        bench
            .commit(&bench.acme, &self::claim("alice", &format!("call-{number}"), number)?)
            .await?;
        bench.refused(&bench.acme, &claim, "an item that an earlier unit claimed").await?;
        let by_another = self::claim("bob", "call-1", 9)?;
        bench.refused(&bench.acme, &by_another, "an item of another account").await?;
    }
    let items = bench.dump(&bench.acme).await?.items;
    ensure(items.first() == before.items.first(), "a claim was replaced")?;
    ensure(items.len() == 4, "a claim is missing")?;
    bench.commit(&bench.rival, &claim).await?;
    Ok(())
}

fn claim(account: &str, id: &str, seq: u64) -> Made<Writes> {
    let items = vec![sample::item(account, sample::key(id)?, seq)?];
    Ok(Writes { items, ..Writes::default() })
}

pub(super) async fn names_are_taken_once(bench: &Bench) -> Kept {
    let first = sample::everything("alice", 1)?;
    bench.commit(&bench.acme, &first).await?;
    bench.commit(&bench.rival, &first).await?;
    let before = bench.dump(&bench.acme).await?;
    let assigned = |number: u32, from: &str| {
        let assignments = vec![(sample::of("alice")?, sample::assignment(number, from)?)];
        Made::Ok(Writes { assignments, ..Writes::default() })
    };
    let mut plans = first.plans.clone();
    for plan in &mut plans {
        plan.strategies.clear();
    }
    let mut tariffs = first.tariffs.clone();
    for tariff in &mut tariffs {
        tariff.lines.clear();
    }
    let mut activations = first.activations.clone();
    for activation in &mut activations {
        activation.version = 2;
    }
    let again = [
        ("a tariff version", Writes { tariffs, ..Writes::default() }),
        ("the instant of an activation", Writes { activations, ..Writes::default() }),
        ("an account", Writes { accounts: first.accounts.clone(), ..Writes::default() }),
        ("a plan version", Writes { plans, ..Writes::default() }),
        ("the number of an assignment", assigned(1, "2026-11-01")?),
        ("the first day of an assignment", assigned(2, "2026-10-01")?),
        ("the record of a batch", Writes { intake: first.intake.clone(), ..Writes::default() }),
    ];
    for (what, again) in again {
        bench.refused(&bench.acme, &again, &format!("{what} that exists")).await?;
    }
    ensure_same(&bench.dump(&bench.acme).await?, &before, "after names were taken again")
}

pub(super) async fn number_is_given_once(bench: &Bench) -> Kept {
    let first = sample::everything("alice", 1)?;
    bench.commit(&bench.acme, &first).await?;
    let before = bench.dump(&bench.acme).await?;
    let posting = |seq| {
        Made::Ok(Writes { postings: vec![sample::posting("alice", seq)?], ..Writes::default() })
    };
    let event =
        |seq| Made::Ok(Writes { events: vec![sample::event("alice", seq)?], ..Writes::default() });
    let both = Writes { events: event(3)?.events, ..posting(3)? };
    let invoice = sample::invoice("bob", "invoices", 1, "2026-12-01")?;
    let again = [
        ("a posting under another posting's number", posting(2)?),
        ("an event under another event's number", event(1)?),
        ("a posting under an event's number", posting(1)?),
        ("an event under a posting's number", event(2)?),
        ("a posting and an event under one number", both),
        ("an invoice number", Writes { invoices: vec![invoice], ..Writes::default() }),
    ];
    for (what, again) in again {
        bench.refused(&bench.acme, &again, &format!("{what} that is given")).await?;
    }
    ensure_same(&bench.dump(&bench.acme).await?, &before, "after numbers were given again")?;
    // The same numbers are free for other accounts, other series and other tenants.
    let others = Writes { invoices: Vec::new(), series: None, ..sample::everything("bob", 1)? };
    bench.commit(&bench.acme, &others).await?;
    let invoices = vec![sample::invoice("bob", "others", 1, "2026-12-01")?];
    bench.commit(&bench.acme, &Writes { invoices, ..Writes::default() }).await?;
    bench.commit(&bench.rival, &first).await?;
    Ok(())
}

pub(super) async fn invoice_once_a_period(bench: &Bench) -> Kept {
    let first = sample::everything("alice", 1)?;
    bench.commit(&bench.acme, &first).await?;
    let invoices = |invoice: Invoice| Writes { invoices: vec![invoice], ..Writes::default() };
    let period = sample::invoice("alice", "invoices", 2, "2026-10-01")?;
    bench.refused(&bench.acme, &invoices(period), "a period with an invoice").await?;
    let elsewhere = sample::invoice("alice", "others", 1, "2026-10-01")?;
    let what = "a period with an invoice in another series";
    bench.refused(&bench.acme, &invoices(elsewhere), what).await?;
    let mut part = sample::invoice("alice", "invoices", 2, "2026-12-01")?;
    part.draft.lines = first.invoices.iter().flat_map(|i| i.draft.lines.clone()).collect();
    bench.refused(&bench.acme, &invoices(part), "a day total that a line holds").await?;
    ensure_same(&bench.dump(&bench.acme).await?, &Dump::of(&first), "after invoices were refused")?;
    bench.commit(&bench.rival, &first).await?;
    runs_compete(bench).await
}

/// What a run answers.
type Ran = Result<Vec<(AccountId, RunOutcome)>, Failed>;

/// Four runs over five accounts at once: one invoice each, with the numbers 1 to 5.
async fn runs_compete(bench: &Bench) -> Kept {
    let names = ["a", "b", "c", "d", "e"];
    let door = Door::open(bench, "runs", &names).await?;
    for name in names {
        door.calls(&[(name, name)]).await?;
    }
    let run = || Box::pin(door.invoices("2026-11-02")) as Boxed<'_, Ran>;
    let runs = vec![run(), run(), run(), run()];
    let mut issued = 0_usize;
    for answers in together::all(runs).await {
        for (_, outcome) in answers? {
            match outcome {
                RunOutcome::Issued(invoices) => issued = issued.saturating_add(invoices.len()),
                RunOutcome::AlreadyIssued => {}
                other => ensure(false, format!("a run answered {other:?}"))?,
            }
        }
    }
    ensure(issued == names.len(), format!("four runs issued {issued} invoices for five accounts"))?;
    let dump = bench.dump(door.tenant.id()).await?;
    let invoiced = dump.invoices.iter().map(|invoice| invoice.draft.account.as_str());
    ensure(invoiced.eq(names), "not every account has one invoice")?;
    let numbers = dump.numbers.values().flatten().copied();
    ensure(numbers.eq(1..=5), "the numbers of a series are not 1, 2, 3 without a gap")?;
    let last = dump.series.iter().map(|(_, last)| *last);
    ensure(last.eq([5]), "a series does not stand at its last number")
}
