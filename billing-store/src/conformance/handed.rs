//! Settlements: which are listed and in what order, and that what was handed over stays as it was.

use billing_core::{
    decide::Writes,
    id::TenantId,
    settlement::{Answer, Settlement, SettlementState},
    usage::DayTotal,
};

use crate::conformance::{
    bench::{Bench, ensure_same},
    dump::settlement_key,
    kept::{Kept, ensure},
    order::pages,
    sample::{self, Made},
};

/// In a tenant of its own, because these pages go over all accounts.
pub(super) async fn pages(bench: &Bench) -> Kept {
    let tenant = TenantId::try_new("handed")?;
    let mut writes = Writes::default();
    for (account, closed, handed) in [
        ("account-5", true, false),
        ("account-1", false, false),
        ("account-2", true, true),
        ("account-3", true, false),
        ("account-6", false, false),
    ] {
        for (day, revision) in [("2026-10-06", 1), ("2026-10-05", 1), ("2026-10-05", 2)] {
            let total = sample::total(account, day, revision)?;
            writes.totals.push(DayTotal { closed, handed, ..total });
        }
    }
    for account in ["account-2", "account-10", "account-1"] {
        for (day, revision) in
            [("2026-10-06", 1), ("2026-10-05", 10), ("2026-10-05", 9), ("1969-12-30", 1)]
        {
            writes.settlements.push(sample::settlement(account, day, revision)?);
        }
    }
    // Every state at every place among the others.
    let rounds = writes.settlements.iter_mut().zip([0, 1, 0, 2, 1, 3, 0, 1, 3, 1, 0, 1]);
    for (settlement, state) in rounds {
        *settlement = in_state(settlement, state)?;
    }
    bench.commit(&tenant, &writes).await?;
    bench.commit(&TenantId::try_new("handed too")?, &writes).await?;
    let mut facts = bench.read(&tenant).await?;
    let names = ["account-1", "account-3", "account-5", "account-6"];
    let unhanded: Vec<_> = names.into_iter().map(sample::of).collect::<Made<_>>()?;
    pages!("accounts with day totals in no settlement", unhanded, |after, limit| {
        facts.unhanded_accounts(after, limit)
    });
    writes.settlements.sort_by(|one, two| settlement_key(one).cmp(&settlement_key(two)));
    for account in ["account-1", "account-2", "account-10"] {
        let found = facts.settlements_of(&sample::of(account)?).await?;
        let mine = writes.settlements.iter().filter(|s| s.handover.account.as_str() == account);
        ensure(mine.eq(&found), "an account's settlements are not in order of day and revision")?;
    }
    let is_open = |one: &&Settlement| !matches!(one.state, SettlementState::Answered { .. });
    let open: Vec<_> = writes.settlements.iter().filter(is_open).cloned().collect();
    ensure(open.len() == 9, "the sample of settlements is not as large as it is thought to be")?;
    pages!("settlements without an answer", open, |after, limit| {
        facts.unanswered(after.map(settlement_key), limit)
    });
    Ok(())
}

fn in_state(settlement: &Settlement, state: u8) -> Made<Settlement> {
    let at = sample::at("14:00:00")?;
    let answer = match state {
        0 => return Ok(settlement.clone()),
        1 => return sample::sent(settlement),
        2 => Answer::Accepted { reference: "7".into() },
        _ => Answer::Refused { reason: "no such customer".into() },
    };
    let state = SettlementState::Answered { at, answer };
    Ok(Settlement { state, attempts: 1, ..settlement.clone() })
}

/// A step in the life of a settlement.
fn state(settlement: &Settlement, state: SettlementState, attempts: u32) -> Settlement {
    Settlement { state, attempts, ..settlement.clone() }
}

pub(super) async fn settlement_is_kept(bench: &Bench) -> Kept {
    let first = sample::everything("alice", 1)?;
    bench.commit(&bench.acme, &first).await?;
    bench.commit(&bench.rival, &first).await?;
    let pending = sample::settlement("alice", "2026-10-05", 1)?;
    let sent = |time: &str| Made::Ok(SettlementState::Sent { at: sample::at(time)? });
    let answered = |time: &str, answer: Answer| {
        Made::Ok(SettlementState::Answered { at: sample::at(time)?, answer })
    };
    let refused = Answer::Refused { reason: "no such customer".into() };
    let accepted = Answer::Accepted { reference: "7".into() };
    // Refused, mended, sent again, and accepted at last: the content is the same all the while.
    for step in [
        state(&pending, sent("13:00:00")?, 1),
        state(&pending, sent("13:01:00")?, 2),
        state(&pending, answered("13:02:00", refused.clone())?, 2),
        state(&pending, SettlementState::Pending, 2),
        state(&pending, sent("13:03:00")?, 3),
    ] {
        content_stays(bench, &step).await?;
        bench.commit(&bench.acme, &settling(vec![step.clone()])).await?;
        let mut due = bench.dump(&bench.rival).await?;
        due.settlements = vec![step];
        ensure_same(&bench.dump(&bench.acme).await?, &due, "after a settlement moved on")?;
    }
    let done = state(&pending, answered("13:04:00", accepted.clone())?, 3);
    bench.commit(&bench.acme, &settling(vec![done.clone()])).await?;
    content_stays(bench, &done).await?;
    for other in [
        state(&pending, SettlementState::Pending, 3),
        state(&pending, sent("13:05:00")?, 4),
        state(&pending, answered("13:05:00", refused)?, 3),
        state(&pending, answered("13:04:00", Answer::Accepted { reference: "8".into() })?, 3),
        state(&pending, answered("13:05:00", accepted)?, 3),
    ] {
        let what = format!("a settlement that was accepted and is {} now", other.state.name());
        bench.refused(&bench.acme, &settling(vec![other]), &what).await?;
    }
    let found = bench.dump(&bench.acme).await?.settlements;
    ensure(found == [done], "a settlement that was accepted did not stay as it was")?;
    others_are_free(bench).await
}

fn settling(settlements: Vec<Settlement>) -> Writes {
    Writes { settlements, ..Writes::default() }
}

/// Whatever in its content is another: it is refused, in a later unit, and in the one that wrote it.
async fn content_stays(bench: &Bench, settlement: &Settlement) -> Kept {
    let before = bench.dump(&bench.acme).await?;
    let mut more = settlement.clone();
    let mut less = settlement.clone();
    less.handover.totals.clear();
    for total in &mut more.handover.totals {
        total.totals.quantity = sample::of("61000.0000000001")?;
    }
    for other in [more, less] {
        let what = format!("other content of a settlement that is {}", other.state.name());
        bench.refused(&bench.acme, &settling(vec![other.clone()]), &what).await?;
        let Settlement { handover, .. } = &other;
        let [mut one, mut two] = [settlement.clone(), other.clone()];
        for new in [&mut one, &mut two] {
            // One that was never seen, twice in one batch.
            (new.handover.day, new.handover.revision) = (handover.day.next()?, 7);
        }
        bench.refused(&bench.acme, &settling(vec![one, two]), "two contents at once").await?;
    }
    ensure_same(&bench.dump(&bench.acme).await?, &before, "after other content was refused")
}

/// The content of another day, revision, account or tenant is its own.
async fn others_are_free(bench: &Bench) -> Kept {
    let mut settlements = Vec::new();
    for (account, day, revision) in
        [("alice", "2026-10-06", 1), ("alice", "2026-10-05", 2), ("bob", "2026-10-05", 1)]
    {
        let mut settlement = sample::settlement(account, day, revision)?;
        settlement.handover.totals.clear();
        settlements.push(settlement);
    }
    bench.commit(&bench.acme, &settling(settlements)).await?;
    let theirs = sample::settlement("alice", "2026-10-05", 1)?;
    let found = bench.dump(&bench.rival).await?.settlements;
    ensure(found == [theirs], "another tenant's settlement of the same day moved on")
}
