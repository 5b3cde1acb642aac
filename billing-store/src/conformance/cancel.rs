//! Futures dropped half-way: a client hangs up, a time limit strikes, a task is aborted.

use billing_core::decide::Receipt;

use crate::conformance::{
    bench::{Bench, ensure_same},
    door::{Door, call, coheres},
    kept::{Failed, Kept, ensure},
    sample,
    together::{self, Boxed},
};

/// A future is dropped after 1 poll, after 2, and so on up to this many.
const POLLS: u32 = 40;
/// A future that was so often answered before it was dropped is not cut any later.
const ANSWERED: usize = 5;

pub(super) async fn cancelled_leaves_nothing(bench: &Bench) -> Kept {
    let door = Door::open(bench, "acme", &["alice", "bob"]).await?;
    let (mut sent, mut answered) = (0_usize, 0_usize);
    for polls in 1..=POLLS {
        answered = answered.saturating_add(a_call(bench, &door, polls).await?);
        sent = sent.saturating_add(2);
        if answered == ANSWERED {
            break;
        }
    }
    let items = bench.dump(door.tenant.id()).await?.items;
    ensure(items.len() == sent, "a call that was sent again is missing or counted twice")?;
    for polls in 1..=POLLS {
        a_reader(bench, polls).await?;
    }
    invoices(bench, &door).await
}

/// Sends a call, drops the future, sends another, and then the first again; how often the future was answered.
async fn a_call(bench: &Bench, door: &Door, polls: u32) -> Result<usize, Failed> {
    let before = bench.dump(door.tenant.id()).await?;
    let first = [call("alice", &format!("first-{polls}"))?];
    let second = [call("alice", &format!("second-{polls}"))?];
    let sent: Boxed<'_, _> = Box::pin(door.tenant.calls_ended(&first));
    let answer = together::cut_short(sent, polls).await;
    let after = bench.dump(door.tenant.id()).await?;
    if after.items.len() == before.items.len() {
        let when = format!("after a future was dropped at poll {polls}");
        ensure_same(&after, &before, &when)?;
        ensure(answer.is_none(), "a call was answered and not recorded")?;
    }
    coheres(&after)?;
    let again = door.tenant.calls_ended(&second).await?;
    ensure(again.intake.recorded == 1, "the store does not record after a future was dropped")?;
    let again = door.tenant.calls_ended(&first).await?;
    let counted = again
        .receipts
        .iter()
        .all(|receipt| matches!(receipt, Receipt::Recorded { .. } | Receipt::Replayed { .. }));
    ensure(counted, "a call whose future was dropped cannot be sent again")?;
    coheres(&bench.dump(door.tenant.id()).await?)?;
    Ok(answer.iter().count())
}

/// Reads, drops the future, and reads again.
async fn a_reader(bench: &Bench, polls: u32) -> Kept {
    let reader: Boxed<'_, _> = Box::pin(async move {
        let mut facts = bench.read(&bench.acme).await?;
        facts.journal(&sample::of("alice")?, 0, 1_000).await.map_err(Into::into)
    });
    let _answer: Option<Result<_, Failed>> = together::cut_short(reader, polls).await;
    let accounts = bench.read(&bench.acme).await?.account_page(None, 10).await?;
    ensure(accounts.len() == 2, "the store does not read after a reader was dropped")
}

/// Issues invoices, drops the run at ever later polls, and runs it to the end.
async fn invoices(bench: &Bench, door: &Door) -> Kept {
    let _taken = door.calls(&[("bob", "bob")]).await?;
    let mut answered = 0_usize;
    for polls in 1..=POLLS {
        let run: Boxed<'_, _> = Box::pin(door.invoices("2026-11-02"));
        let answer = together::cut_short(run, polls).await.transpose()?;
        answered = answered.saturating_add(answer.iter().count());
        let dump = bench.dump(door.tenant.id()).await?;
        ensure(
            matches!(dump.invoices.len(), 0 | 2),
            "a run that was dropped issued one of two invoices",
        )?;
        coheres(&dump)?;
        if answered == ANSWERED {
            break;
        }
    }
    let _answers: Vec<_> = door.invoices("2026-11-02").await?;
    let dump = bench.dump(door.tenant.id()).await?;
    let numbers = dump.numbers.values().flatten().copied();
    ensure(numbers.eq(1..=2), "a run that was dropped took a number with it")
}
