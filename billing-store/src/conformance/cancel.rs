//! Futures dropped half-way: a client hangs up, a time limit strikes, a task is aborted.

use billing_core::{
    decide::{Days, Receipt},
    money::Quantity,
};

use crate::{
    answer::{Error, Outcome},
    conformance::{
        bench::{Bench, ensure_same},
        coheres::coheres,
        door::{Door, call, pulse},
        hand_over::{Downstream, hand_over, quantity, send, told_as_kept},
        kept::{Failed, Kept, ensure},
        sample,
        together::{self, Boxed},
    },
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
    invoices(bench, &door).await?;
    settlements(bench).await?;
    voids(bench).await?;
    drops(bench).await
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

/// Hands days over and sends them, drops that at ever later polls, and does it to the end.
async fn settlements(bench: &Bench) -> Kept {
    let door = Door::metered(bench, "handed", &["alice", "bob"]).await?;
    let to = Downstream::default();
    let (mut answered, mut used) = (0_usize, Quantity::ZERO);
    for polls in 1..=POLLS {
        for account in ["alice", "bob"] {
            let key = sample::key(&format!("{account}-{polls}"))?;
            let taken = door.take(&[pulse(account, key, "0.5")?]).await?;
            ensure(taken.intake.recorded == 1, "usage is not recorded after a dropped hand-over")?;
            used = used.checked_add(sample::of("0.5")?)?;
        }
        let settle: Boxed<'_, _> = Box::pin(door.tenant.settle_days(&to, Days::All, 0));
        let answer = together::cut_short(settle, polls).await.transpose()?;
        answered = answered.saturating_add(answer.iter().count());
        let dump = bench.dump(door.tenant.id()).await?;
        coheres(&dump)?;
        told_as_kept(&dump, &to)?;
        if answered == ANSWERED {
            break;
        }
    }
    let _rest: u64 = hand_over(&door).await?;
    let _sent = send(&door, &to, 0).await?;
    let dump = bench.dump(door.tenant.id()).await?;
    coheres(&dump)?;
    told_as_kept(&dump, &to)?;
    let accepted = dump.settlements.iter().all(|one| one.state.name() == "accepted");
    ensure(accepted, "a settlement whose sending was dropped is not accepted")?;
    let told = to.told();
    ensure(told.len() == dump.settlements.len(), "a settlement was never sent")?;
    let mut sum = Quantity::ZERO;
    for body in told.values().filter_map(|bodies| bodies.last()) {
        sum = sum.checked_add(quantity(body)?)?;
    }
    ensure(sum == used, format!("{sum} was handed over where {used} was used"))
}

/// Makes invoices void, drops that at ever later polls, and does it to the end.
async fn voids(bench: &Bench) -> Kept {
    let door = Door::open(bench, "void", &["alice"]).await?;
    let _taken = door.calls(&[("alice", "1")]).await?;
    let (series, mut answered) = (sample::of("invoices")?, 0_usize);
    for number in 1..=u64::from(POLLS) {
        let _issued: Vec<_> = door.invoices("2026-11-02").await?;
        let void: Boxed<'_, _> = Box::pin(door.tenant.void_invoice(&series, number, "a test"));
        let answer = together::cut_short(void, u32::try_from(number)?).await.transpose()?;
        answered = answered.saturating_add(answer.iter().count());
        coheres(&bench.dump(door.tenant.id()).await?)?;
        // A commit that was on its way when its future was dropped may still arrive: either answer is right.
        let _again: Outcome = door.tenant.void_invoice(&series, number, "a test").await?;
        let dump = bench.dump(door.tenant.id()).await?;
        coheres(&dump)?;
        let numbers = dump.marks.iter().map(|mark| mark.number);
        ensure(numbers.eq(1..=number), "an invoice was not made void, or twice")?;
        ensure(dump.parts.iter().all(|part| part.void), "an invoice was made void half-way")?;
        if answered == ANSWERED {
            break;
        }
    }
    Ok(())
}

/// Drops what is parked, drops the future of that at ever later polls, and does it to the end.
async fn drops(bench: &Bench) -> Kept {
    let door = Door::metered(bench, "dropped", &[]).await?;
    let mut answered = 0_usize;
    for polls in 1..=POLLS {
        let key = sample::key(&format!("parked-{polls}"))?;
        let _taken = door.take(&[pulse("nobody", key.clone(), "1")?]).await?;
        let drops: Boxed<'_, _> = Box::pin(door.tenant.drop_parked(&key, "a test"));
        let answer = together::cut_short(drops, polls).await.transpose()?;
        answered = answered.saturating_add(answer.iter().count());
        let dump = bench.dump(door.tenant.id()).await?;
        let dropped = dump.dropped.iter().filter(|one| one.parked.incoming.key == key).count();
        let parked = dump.parked.iter().filter(|one| one.incoming.key == key).count();
        ensure(dropped.saturating_add(parked) == 1, "a parked item was dropped half-way")?;
        match door.tenant.drop_parked(&key, "a test").await {
            Ok(()) | Err(Error::NotParked { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let dump = bench.dump(door.tenant.id()).await?;
        let kept = dump.dropped.iter().filter(|one| one.parked.incoming.key == key).count();
        ensure((kept, dump.parked.len()) == (1, 0), "a parked item was not dropped, or twice")?;
        if answered == ANSWERED {
            break;
        }
    }
    Ok(())
}
