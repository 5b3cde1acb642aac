//! What follows for whoever bills: units in turn, replays without effect, late usage beside what was invoiced.

use std::sync::Arc;

use billing_core::{
    decide::{Batch, Limits, Receipt, RunOutcome},
    id::AccountId,
    item::{CallEnded, Incoming, Item, ItemKey},
    plan::{PlanBook, PlanSpec},
    time::Instant,
    usage::DayTotal,
};

use crate::{
    answer::{self, Outcome, TakenIn},
    billing::{Billing, Tenant},
    clock::SetClock,
    conformance::{
        bench::{Bench, ensure_same},
        coheres::coheres,
        dump::Dump,
        kept::{Failed, Kept, ensure},
        sample::{self, Made},
        together::{self, Boxed},
    },
};

/// How often a use case is tried again that a store could not serve at once.
const TRIES: u32 = 100;

/// A tenant with a plan and open accounts that have it since October 2026.
pub(super) struct Door {
    pub(super) tenant: Tenant,
    pub(super) clock: Arc<SetClock>,
    plan: PlanSpec,
}

impl Door {
    pub(super) async fn open(
        bench: &Bench,
        tenant: &str,
        accounts: &[&str],
    ) -> Result<Self, Failed> {
        Self::with(bench, tenant, accounts, sample::plan("basic", 1)?).await
    }

    /// With a plan that charges for more than calls.
    pub(super) async fn metered(
        bench: &Bench,
        tenant: &str,
        accounts: &[&str],
    ) -> Result<Self, Failed> {
        Self::with(bench, tenant, accounts, sample::metered()?).await
    }

    /// With a plan whose calls are priced by the tariff `retail`, which is not saved.
    pub(super) async fn by_tariff(
        bench: &Bench,
        tenant: &str,
        accounts: &[&str],
    ) -> Result<Self, Failed> {
        Self::with(bench, tenant, accounts, sample::by_tariff()?).await
    }

    async fn with(
        bench: &Bench,
        tenant: &str,
        accounts: &[&str],
        plan: PlanSpec,
    ) -> Result<Self, Failed> {
        let clock = Arc::new(SetClock::at(sample::of("2027-03-01T00:00:00Z")?));
        let (store, book) = (Arc::clone(&bench.store), PlanBook::standard());
        let theirs = Arc::<SetClock>::clone(&clock);
        let billing = Billing::with_limits(store, book, theirs, Limits::default());
        let door = Self { tenant: billing.tenant(tenant)?, clock, plan };
        let _answers: Vec<Outcome> = door.set_up(accounts).await?;
        Ok(door)
    }

    /// Saves the plan and opens the accounts.
    pub(super) async fn set_up(&self, accounts: &[&str]) -> Result<Vec<Outcome>, Failed> {
        let mut answers = vec![self.tenant.save_plan(&self.plan).await?];
        for account in accounts {
            answers.push(self.tenant.open_account(&sample::settings(account)?).await?);
            let account = sample::of(account)?;
            let from = sample::of("2026-10-01")?;
            answers.push(self.tenant.assign(&account, &self.plan.id, 1, from).await?);
        }
        Ok(answers)
    }

    /// Records calls, each as account and id.
    pub(super) async fn calls(&self, calls: &[(&str, &str)]) -> Result<TakenIn, Failed> {
        let calls = calls.iter().map(|(account, id)| Ok(Incoming::from(call(account, id)?)));
        self.take(&calls.collect::<Made<Vec<_>>>()?).await
    }

    /// Records whatever comes, in one batch.
    pub(super) async fn take(&self, items: &[Incoming]) -> Result<TakenIn, Failed> {
        let entries = items.iter().cloned().map(Ok).collect();
        let batch = Batch { label: String::new(), entries };
        patiently(|| self.tenant.ingest(&batch)).await
    }

    /// Runs invoices as of the beginning of a day, UTC.
    pub(super) async fn invoices(&self, day: &str) -> Result<Vec<(AccountId, RunOutcome)>, Failed> {
        let (series, as_of) = (sample::of("invoices")?, instant(day)?);
        patiently(|| self.tenant.issue_invoices(&series, as_of)).await
    }
}

/// Does it, and again for as long as the store is busy.
pub(super) async fn patiently<T, F, Fut>(work: F) -> Result<T, Failed>
where
    F: Fn() -> Fut,
    Fut: Future<Output = answer::Result<T>>,
{
    let mut tries = 0;
    loop {
        match work().await {
            Err(error) if may_retry(&error, &mut tries) => {}
            answer => return Ok(answer?),
        }
    }
}

fn may_retry(error: &answer::Error, tries: &mut u32) -> bool {
    *tries = tries.saturating_add(1);
    matches!(error, answer::Error::Store(error) if error.is_transient()) && *tries < TRIES
}

fn instant(day: &str) -> Made<Instant> {
    sample::of(&format!("{day}T00:00:00Z"))
}

/// A call of a minute on 2026-10-05.
pub(super) fn call(account: &str, id: &str) -> Made<CallEnded> {
    let Item::Call(call) = sample::call()? else {
        return Err(Failed("the sample is no call".into()));
    };
    Ok(CallEnded { key: sample::key(id)?, account: Some(sample::of(account)?), call })
}

/// A pulse of so much storage on 2026-10-05.
pub(super) fn pulse(account: &str, key: ItemKey, amount: &str) -> Made<Incoming> {
    Ok(Incoming { key, account: Some(sample::of(account)?), item: sample::pulse(amount)? })
}

/// How many units compete.
const TASKS: u32 = 8;
/// How many batches each of them sends.
const ROUNDS: u32 = 4;

pub(super) async fn units_follow_one_another(bench: &Bench) -> Kept {
    let names = ["alice", "bob", "carol"];
    let door = Door::open(bench, "acme", &names).await?;
    // Every task sends a call of its own and one that all send to one account, then to several.
    let task = |task: u32| send(&door, task, &names);
    let tasks = (0..TASKS).map(|number| Box::pin(task(number)) as Boxed<'_, Kept>).collect();
    for answer in together::all(tasks).await {
        answer?;
    }
    let dump = bench.dump(door.tenant.id()).await?;
    coheres(&dump)?;
    let own = TASKS.saturating_mul(ROUNDS);
    for (name, calls) in [("alice", own.saturating_add(ROUNDS)), ("bob", own), ("carol", own)] {
        let account = sample::of::<AccountId>(name)?;
        let counted: i64 =
            dump.totals.iter().filter(|t| t.key.account == account).map(|t| t.totals.count).sum();
        let due = i64::from(calls);
        ensure(counted == due, format!("{counted} calls were counted where {due} were sent"))?;
    }
    Ok(())
}

async fn send(door: &Door, task: u32, names: &[&str]) -> Kept {
    for round in 0..ROUNDS {
        let own = names.iter().map(|name| (*name, format!("{name}-{task}-{round}")));
        let own: Vec<_> = own.collect();
        let all = format!("all-{round}");
        let mut calls: Vec<_> = own.iter().map(|(name, id)| (*name, id.as_str())).collect();
        let first = calls.remove(0);
        let taken = door.calls(&[first, ("alice", &all)]).await?;
        ensure(accepted(&taken), "a call that was sent by several was not counted or recognised")?;
        let taken = door.calls(&calls).await?;
        ensure(taken.intake.recorded == 2, "calls to two accounts were not recorded")?;
    }
    Ok(())
}

fn accepted(taken: &TakenIn) -> bool {
    let known =
        |receipt: &Receipt| matches!(receipt, Receipt::Recorded { .. } | Receipt::Replayed { .. });
    taken.receipts.iter().all(known)
}

pub(super) async fn replay_changes_nothing(bench: &Bench) -> Kept {
    let names = ["alice", "bob"];
    let door = Door::open(bench, "acme", &names).await?;
    let batch = batch()?;
    let first = door.tenant.ingest(&batch).await?;
    ensure(first.intake.recorded == 3, "calls were not recorded")?;
    let _issued: Vec<_> = door.invoices("2026-11-02").await?;
    let before = bench.dump(door.tenant.id()).await?;
    let again = door.set_up(&names).await?;
    ensure(again.iter().all(|answer| *answer == Outcome::Replay), "a set-up was done twice")?;
    let again = door.tenant.ingest(&batch).await?;
    ensure(again.intake.replayed == 3, "calls were not recognised")?;
    let again = door.invoices("2026-11-02").await?;
    let issued = again.iter().any(|(_, outcome)| matches!(outcome, RunOutcome::Issued(_)));
    ensure(!issued, "invoices were issued twice")?;
    ensure_same(&bench.dump(door.tenant.id()).await?, &before, "after everything was done again")?;
    // In another batch, the same calls leave nothing but the record of that batch.
    let mut other = batch;
    other.entries.reverse();
    let _taken: TakenIn = door.tenant.ingest(&other).await?;
    let after = Dump { intakes: before.intakes.clone(), ..bench.dump(door.tenant.id()).await? };
    ensure_same(&after, &before, "after the same calls came in another batch")
}

fn batch() -> Made<Batch> {
    let mut entries = Vec::new();
    for (account, id) in [("alice", "1"), ("bob", "2"), ("alice", "3"), ("nobody", "4")] {
        entries.push(Ok(Incoming::from(call(account, id)?)));
    }
    entries.push(Err(sample::refusal("line 5")));
    Ok(Batch { label: "a file".into(), entries })
}

pub(super) async fn late_usage_opens_a_revision(bench: &Bench) -> Kept {
    let door = Door::open(bench, "acme", &["alice"]).await?;
    let _taken: TakenIn = door.calls(&[("alice", "1")]).await?;
    let _issued: Vec<_> = door.invoices("2026-11-02").await?;
    let before = bench.dump(door.tenant.id()).await?;
    ensure(before.invoices.len() == 1, "an ended period was not invoiced")?;
    let taken = door.calls(&[("alice", "2"), ("alice", "1")]).await?;
    ensure(
        (taken.intake.recorded, taken.intake.replayed) == (1, 1),
        "late usage was not taken in",
    )?;
    let late = bench.dump(door.tenant.id()).await?;
    let revisions = |dump: &Dump| {
        let marks = |total: &DayTotal| (total.key.revision, total.closed, total.billed);
        dump.totals.iter().map(marks).collect::<Vec<_>>()
    };
    let opened = revisions(&late) == [(1, true, true), (2, false, false)];
    ensure(opened, "late usage is not in a revision of its own")?;
    ensure(late.totals.first() == before.totals.first(), "late usage changed a closed revision")?;
    ensure(late.invoices == before.invoices, "late usage changed an invoice")?;
    coheres(&late)?;
    let _issued: Vec<_> = door.invoices("2026-12-02").await?;
    let after = bench.dump(door.tenant.id()).await?;
    let closed = revisions(&after) == [(1, true, true), (2, true, true)];
    ensure(closed, "late usage was not billed with the next invoice")?;
    ensure(after.invoices.len() == 2, "late usage is on no invoice")?;
    ensure(after.invoices.first() == before.invoices.first(), "an issued invoice was changed")?;
    coheres(&after)
}
