//! Days on their way downstream: nothing is missing, nothing comes twice, and nothing is sent otherwise than before.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;

use billing_core::{
    decide::Days,
    id::{AccountId, TenantId},
    money::Quantity,
    settlement::{Answer, Handover, SettlementState},
    time::Day,
};

use crate::{
    answer,
    conformance::{
        bench::Bench,
        coheres::coheres,
        door::{Door, patiently, pulse},
        dump::Dump,
        kept::{Failed, Kept, ensure},
        sample::{self, Made},
        together::{self, Boxed},
    },
    settlement::{Processor, ProcessorError, Sent},
};

/// How long an answer is waited for, in milliseconds; the clock does not move that far by itself.
const WAIT_MS: u64 = 60_000;
/// How many ingest, and as many hand over and send, at the same time.
const TASKS: u32 = 4;
/// How often each of them does.
const ROUNDS: u32 = 5;

/// A processor that keeps what it was told, and answers as it is bidden.
#[derive(Debug, Default)]
pub(super) struct Downstream {
    told: Mutex<BTreeMap<(AccountId, Day, u32), Vec<String>>>,
    mood: Mutex<Mood>,
}

/// How a processor answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mood {
    /// It takes everything.
    #[default]
    Accepts,
    /// It takes nothing.
    Refuses,
    /// It heard, and its answer is lost.
    Fails,
}

impl Downstream {
    pub(super) fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap_or_else(PoisonError::into_inner) = mood;
    }

    /// What it was told of each revision, each time.
    pub(super) fn told(&self) -> BTreeMap<(AccountId, Day, u32), Vec<String>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Processor for Downstream {
    async fn process(
        &self,
        _tenant: &TenantId,
        handovers: &[Handover],
    ) -> Result<Vec<Answer>, ProcessorError> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        for handover in handovers {
            let key = (handover.account.clone(), handover.day, handover.revision);
            told.entry(key).or_default().push(handover.body());
        }
        drop(told);
        let mood = *self.mood.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = |handover: &Handover| match mood {
            Mood::Accepts => Answer::Accepted { reference: handover.digest().to_string() },
            Mood::Refuses | Mood::Fails => Answer::Refused { reason: "not today".into() },
        };
        match mood {
            Mood::Fails => Err("the line is down".into()),
            Mood::Accepts | Mood::Refuses => Ok(handovers.iter().map(answer).collect()),
        }
    }
}

/// Sends what is to be sent.
pub(super) async fn send(door: &Door, to: &Downstream, wait_ms: u64) -> Result<Sent, Failed> {
    patiently(|| door.tenant.send_settlements(to, wait_ms)).await
}

pub(super) async fn hand_over(door: &Door) -> Result<u64, Failed> {
    patiently(|| door.tenant.hand_over(Days::All)).await
}

async fn used(door: &Door, account: &str, id: &str, amount: &str) -> Kept {
    let taken = door.take(&[pulse(account, sample::key(id)?, amount)?]).await?;
    ensure(taken.intake.recorded == 1, "usage was not recorded during a hand-over")
}

pub(super) async fn hand_over_loses_nothing(bench: &Bench) -> Kept {
    let names = ["alice", "bob"];
    let door = Door::metered(bench, "acme", &names).await?;
    let to = Downstream::default();
    for round in 0_u8..3 {
        used(&door, "alice", &format!("early-{round}"), "1.5").await?;
        used(&door, "bob", &format!("other-{round}"), "0.25").await?;
        ensure(hand_over(&door).await? == 2, "not one revision of each day was handed over")?;
        ensure(hand_over(&door).await? == 0, "a day was handed over twice")?;
        // It arrives after the day was closed and before it is sent: it belongs to the next revision.
        used(&door, "alice", &format!("meanwhile-{round}"), "2").await?;
        let sent = send(&door, &to, WAIT_MS).await?;
        ensure((sent.sent, sent.accepted) == (2, 2), "not all that was handed over was sent")?;
        let sent = send(&door, &to, 0).await?;
        ensure(sent.sent == 0, "what was accepted was sent again")?;
        all_arrived(bench, &door, &to, &names).await?;
    }
    ensure(hand_over(&door).await? == 1, "what arrived meanwhile was not handed over")?;
    let sent = send(&door, &to, WAIT_MS).await?;
    ensure(sent.accepted == 1, "what arrived meanwhile was not sent")?;
    let due = [("alice", sample::of("10.5")?), ("bob", sample::of("0.75")?)];
    whole(bench, &door, &to, &due).await?;
    competing(bench).await
}

/// Several ingest while others hand over and send.
async fn competing(bench: &Bench) -> Kept {
    let names = ["alice", "bob"];
    let door = Door::metered(bench, "many", &names).await?;
    let to = Downstream::default();
    let (door, to) = (&door, &to);
    let ingest = |task: u32| async move {
        for round in 0..ROUNDS {
            used(door, "alice", &format!("alice-{task}-{round}"), "0.5").await?;
            used(door, "bob", &format!("bob-{task}-{round}"), "0.1").await?;
        }
        Ok(())
    };
    let settle = || async move {
        for _ in 0..ROUNDS {
            let _made: u64 = hand_over(door).await?;
            let _sent: Sent = send(door, to, WAIT_MS).await?;
        }
        Ok(())
    };
    let ingesting = (0..TASKS).map(|task| Box::pin(ingest(task)) as Boxed<'_, Kept>);
    let settling = (0..TASKS).map(|_| Box::pin(settle()) as Boxed<'_, Kept>);
    for answer in together::all(ingesting.chain(settling).collect()).await {
        answer?;
    }
    let _rest: u64 = hand_over(door).await?;
    let _sent: Sent = send(door, to, WAIT_MS).await?;
    whole(bench, door, to, &[("alice", sample::of("10")?), ("bob", sample::of("2")?)]).await
}

/// What was accepted is all that was used, and each revision was told once.
async fn whole(bench: &Bench, door: &Door, to: &Downstream, due: &[(&str, Quantity)]) -> Kept {
    let names: Vec<&str> = due.iter().map(|(name, _)| *name).collect();
    all_arrived(bench, door, to, &names).await?;
    let told = to.told();
    ensure(!told.is_empty(), "nothing was sent")?;
    let once = told.values().all(|bodies| bodies.len() == 1);
    ensure(once, "a revision that was accepted was sent more than once")?;
    for (name, due) in due {
        let sum = told.iter().filter(|((account, ..), _)| account.as_str() == *name);
        let bodies = sum.flat_map(|(_, bodies)| bodies);
        let sum = bodies
            .map(|body| quantity(body))
            .try_fold(Quantity::ZERO, |sum, one| Made::Ok(sum.checked_add(one?)?))?;
        ensure(sum == *due, format!("{sum} was handed over where {due} was used"))?;
    }
    let mut facts = bench.read(door.tenant.id()).await?;
    let left = facts.unhanded_accounts(None, 10).await?;
    ensure(left.is_empty(), "usage is left that nobody was told")
}

/// What a handover says was stored.
pub(super) fn quantity(body: &str) -> Made<Quantity> {
    let handover: Handover = serde_json::from_str(body)?;
    let stored = handover.totals.into_iter().filter(|total| total.strategy.as_str() == "usage");
    let mut sum = Quantity::ZERO;
    for total in stored {
        sum = sum.checked_add(total.totals.quantity)?;
    }
    Ok(sum)
}

/// Settlements hang together with the days, are accepted, and are numbered without a gap.
async fn all_arrived(bench: &Bench, door: &Door, to: &Downstream, names: &[&str]) -> Kept {
    let dump = bench.dump(door.tenant.id()).await?;
    coheres(&dump)?;
    let accepted = dump.settlements.iter().all(|one| one.state.name() == "accepted");
    ensure(accepted, "a settlement that was sent is not accepted")?;
    for name in names {
        let mine = dump.settlements.iter().filter(|one| one.handover.account.as_str() == *name);
        let revisions: Vec<u32> = mine.map(|one| one.handover.revision).collect();
        let numbered = revisions.iter().copied().eq((1_u32..).take(revisions.len()));
        ensure(numbered, format!("the revisions of a day are {revisions:?}"))?;
    }
    told_as_kept(&dump, to)
}

/// What was told of a revision is what is kept of it, every time; and that it is told was kept before it was.
pub(super) fn told_as_kept(dump: &Dump, to: &Downstream) -> Kept {
    let mut told = to.told();
    for settlement in &dump.settlements {
        let Handover { account, day, revision, .. } = &settlement.handover;
        let body = settlement.handover.body();
        let bodies = told.remove(&(account.clone(), *day, *revision)).unwrap_or_default();
        let same = bodies.iter().all(|told| *told == body);
        ensure(same, "a revision went out with other content than is kept of it")?;
        let times = u32::try_from(bodies.len())?;
        ensure(times <= settlement.attempts, "a revision went out and is not said to be sent")?;
    }
    ensure(told.is_empty(), "a revision went out that is not kept")
}

pub(super) async fn sent_again_as_it_was(bench: &Bench) -> Kept {
    let door = Door::metered(bench, "acme", &["alice"]).await?;
    let to = Downstream::default();
    used(&door, "alice", "1", "1.5").await?;
    ensure(hand_over(&door).await? == 1, "a day with usage was not handed over")?;
    // Its answer is lost, and its day goes on.
    to.set(Mood::Fails);
    fails(&door, &to).await?;
    used(&door, "alice", "2", "2").await?;
    let sent = send(&door, &to, WAIT_MS).await?;
    ensure(sent.sent == 0, "an answer was not waited for")?;
    door.clock.set(sample::of("2027-03-01T00:01:00Z")?);
    fails(&door, &to).await?;
    used(&door, "alice", "3", "4").await?;
    ensure(hand_over(&door).await? == 1, "late usage was not handed over")?;
    // Refused and mended, it is still the same.
    to.set(Mood::Refuses);
    let sent = send(&door, &to, 0).await?;
    ensure((sent.sent, sent.refused) == (2, 2), "what was not answered was not sent again")?;
    used(&door, "alice", "4", "8").await?;
    let (alice, day) = (sample::of("alice")?, sample::of("2026-10-05")?);
    door.tenant.resend_settlement(&alice, day, 1).await?;
    to.set(Mood::Accepts);
    let sent = send(&door, &to, WAIT_MS).await?;
    ensure((sent.sent, sent.accepted) == (1, 1), "what was mended was not sent again")?;
    let dump = bench.dump(door.tenant.id()).await?;
    coheres(&dump)?;
    told_as_kept(&dump, &to)?;
    let told = to.told();
    let quantities = told.values().map(|bodies| {
        let all = bodies.iter().map(|body| Ok(quantity(body)?.to_string()));
        all.collect::<Made<Vec<_>>>()
    });
    let quantities = quantities.collect::<Made<Vec<_>>>()?;
    let due = [vec!["1.5"; 4], vec!["6"]];
    ensure(quantities == due, format!("{quantities:?} was sent where {due:?} was due"))?;
    let states = dump.settlements.iter().map(|one| (one.state.name(), one.attempts));
    ensure(states.eq([("accepted", 4), ("refused", 1)]), "a settlement was not sent so often")?;
    // The first answer stands.
    let late = Answer::Refused { reason: "too late".into() };
    let again = door.tenant.answer_settlement(&alice, day, 1, late).await?;
    ensure(again == answer::Outcome::Replay, "a second answer was recorded")?;
    let kept = door.tenant.settlements(&alice).await?;
    let first = kept.first().map(|one| &one.state);
    let stands =
        matches!(first, Some(SettlementState::Answered { answer: Answer::Accepted { .. }, .. }));
    ensure(stands, "the first answer does not stand")
}

/// Sends to a processor that does not answer.
async fn fails(door: &Door, to: &Downstream) -> Kept {
    let sent = door.tenant.send_settlements(to, WAIT_MS).await;
    let failed = matches!(sent, Err(answer::Error::Processor { .. }));
    ensure(failed, "a processor that fails is not told so")
}
