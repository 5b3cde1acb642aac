//! What is corrected: it counts as what is right, once, and what was issued stays as it was issued.

use billing_core::{
    correction::{Change, Correction, Selection},
    decide::{CorrectError, Writes},
    id::AccountId,
    item::{Incoming, Item},
    money::Amount,
    tariff::Activation,
};

use crate::{
    answer::{CorrectionMade, Error, Outcome},
    conformance::{
        bench::{Bench, ensure_same, must_refuse},
        coheres::coheres,
        door::Door,
        dump::Dump,
        kept::{Failed, Kept, ensure},
        sample::{self, Made},
    },
};

pub(super) async fn correction_is_made_once(bench: &Bench) -> Kept {
    let once = correction("first")?;
    let mut unit = bench.begin(&bench.acme, &once).await?;
    unit.apply(&once).await?;
    must_refuse(unit.apply(&once).await, "a correction that the same unit made")?;
    drop(unit);
    bench.commit(&bench.acme, &once).await?;
    bench.commit(&bench.acme, &correction("second")?).await?;
    bench.commit(&bench.rival, &once).await?;
    let before = bench.dump(&bench.acme).await?;
    bench.refused(&bench.acme, &once, "a correction that an earlier unit made").await?;
    let mut other = once;
    for recorded in &mut other.corrections {
        recorded.correction.reason = "another".into();
    }
    bench.refused(&bench.acme, &other, "another correction of the same id").await?;
    ensure_same(&bench.dump(&bench.acme).await?, &before, "after corrections were refused")
}

fn correction(id: &str) -> Made<Writes> {
    Ok(Writes { corrections: vec![sample::correction(id)?], ..Writes::default() })
}

pub(super) async fn corrected_is_billed_right(bench: &Bench) -> Kept {
    let door = Door::by_tariff(bench, "corrected", &["alice", "bob"]).await?;
    let mut retail = sample::tariff("retail", 1)?;
    let from = sample::at("00:00:00")?;
    door.tenant.save_tariff(&retail).await?;
    door.tenant.activate_tariff(&retail.id, 1, from).await?;
    let calls = [
        call("alice", "amended", 61_000)?,
        call("alice", "void", 60_000)?,
        call("alice", "rated-anew", 60_000)?,
        call("bob", "other", 60_000)?,
    ];
    let taken = door.take(&calls).await?;
    ensure(taken.intake.recorded == 4, "calls were not recorded")?;
    let void = Change::Void { key: sample::key("void")? };
    makes(bench, &door, &asked("void", void.clone())?, 1).await?;
    // Once more under another id: there is nothing left to take back.
    makes(bench, &door, &asked("void-again", void)?, 0).await?;
    let _issued: Vec<_> = door.invoices("2026-11-02").await?;
    let issued = bench.dump(door.tenant.id()).await?.invoices;
    let Item::Call(shorter) = call("alice", "amended", 60_000)?.item else {
        return Err(Failed("the sample is no call".into()));
    };
    let key = sample::key("amended")?;
    let amend = Change::Amend { key, item: Item::Call(shorter) };
    makes(bench, &door, &asked("amend", amend)?, 1).await?;
    retail.version = 2;
    for line in &mut retail.lines {
        line.connect_fee = sample::of("1")?;
    }
    door.tenant.save_tariff(&retail).await?;
    let from = sample::at("00:00:00.000001")?;
    let activation = Activation { tariff: retail.id, version: 2, from };
    makes(bench, &door, &asked("dearer", Change::ActivateTariff { activation })?, 3).await?;
    let selection = Selection { version: Some(2), ..Selection::all() };
    makes(bench, &door, &asked("again", Change::Rerate { selection })?, 0).await?;
    let _issued: Vec<_> = door.invoices("2026-12-02").await?;
    let after = bench.dump(door.tenant.id()).await?;
    coheres(&after)?;
    ensure(issued.iter().all(|one| after.invoices.contains(one)), "an issued invoice was changed")?;
    // Two calls of alice's and one of bob's, each at 1.0199.
    for (account, due) in [("alice", "2.04"), ("bob", "1.02")] {
        let billed = billed(&after, &sample::of(account)?)?;
        let what = format!("{account} is billed {billed} in all, where {due} are right");
        ensure(billed == sample::of(due)?, what)?;
    }
    Ok(())
}

/// Makes a correction: after a preview that leaves nothing, now, and then as a replay.
async fn makes(bench: &Bench, door: &Door, correction: &Correction, changed: u64) -> Kept {
    let before = bench.dump(door.tenant.id()).await?;
    let preview = door.tenant.preview_correction(correction).await?;
    let found = bench.dump(door.tenant.id()).await?;
    ensure_same(&found, &before, "after a correction was looked at beforehand")?;
    let CorrectionMade { outcome, report } = door.tenant.correct(correction).await?;
    let made = outcome == Outcome::New && report == preview;
    ensure(made, "a correction is not what it was said to be beforehand")?;
    let what = format!("{} items were changed where {changed} are wrong", report.changed);
    ensure(report.changed == changed, what)?;
    let after = bench.dump(door.tenant.id()).await?;
    coheres(&after)?;
    let again = door.tenant.correct(correction).await?;
    let replay = again == CorrectionMade { outcome: Outcome::Replay, report };
    ensure(replay, "a correction that was made is not recognised")?;
    let other = Correction { reason: "another".into(), ..correction.clone() };
    let told = matches!(
        door.tenant.correct(&other).await,
        Err(Error::Correct(CorrectError::Differs { .. }))
    );
    ensure(told, "an id of a correction was taken twice")?;
    let found = bench.dump(door.tenant.id()).await?;
    ensure_same(&found, &after, "after a correction was made again")
}

fn asked(id: &str, change: Change) -> Made<Correction> {
    Ok(Correction { id: sample::of(id)?, reason: "a complaint".into(), change })
}

fn call(account: &str, id: &str, duration_ms: u64) -> Made<Incoming> {
    let Item::Call(mut call) = sample::call()? else {
        return Err(Failed("the sample is no call".into()));
    };
    call.duration_ms = duration_ms;
    let (key, account) = (sample::key(id)?, Some(sample::of(account)?));
    Ok(Incoming { key, account, item: Item::Call(call) })
}

/// What an account's invoices add up to.
fn billed(dump: &Dump, account: &AccountId) -> Result<Amount, Failed> {
    let mine = dump.invoices.iter().filter(|invoice| invoice.draft.account == *account);
    let mut lines = mine.flat_map(|invoice| &invoice.draft.lines).map(|line| line.amount);
    Ok(lines.try_fold(Amount::ZERO, Amount::checked_add)?)
}
