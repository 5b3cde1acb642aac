//! Processes that are killed under load: at random, after each statement, while they migrate, and with a defect.

use std::{collections::BTreeSet, time::Duration};

use crate::{
    Done,
    backend::Backend,
    chance::Chance,
    check::Expected,
    client,
    drive::{Drive, Plan, Tally},
    place::Place,
    run::Run,
    script::Script,
    worker::Defect,
};

/// So many kills befall one history at most.
const KILLS_OF_A_HISTORY: u64 = 20;
/// Items that each account uses in a month, where the load matters and where the kinds of requests do.
const MUCH: u64 = 40;
const LITTLE: u64 = 8;
/// A kill comes so long after an answer at most.
const DELAY_US: u64 = 5_000;
/// A process must serve again within this time, on a machine that others may be at work with and where figures are taken.
const READY: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(5));

/// A history under faults, and what is wrong with the state it led to.
pub struct Outcome {
    pub tally: Tally,
    pub problems: Vec<String>,
}

impl Outcome {
    /// All that is wrong.
    fn wrong(&self) -> Vec<String> {
        let lost = self.tally.lost.iter().map(|what| format!("answered and lost: {what}"));
        let refused = self.tally.refused.iter().map(|what| format!("refused: {what}"));
        lost.chain(refused).chain(self.problems.iter().cloned()).collect()
    }

    /// What was counted, if nothing is wrong.
    pub fn judge(self, name: &str) -> Done<Tally> {
        let wrong = self.wrong();
        if wrong.is_empty() {
            return Ok(self.tally);
        }
        let more = wrong.len().saturating_sub(5);
        let told: Vec<String> = wrong.into_iter().take(5).collect();
        Err(format!("{name}: {}; and {more} more", told.join("; ")).into())
    }
}

/// Runs a script in a fresh place under a plan.
pub async fn history(
    run: &Run,
    backend: &Backend,
    name: &str,
    size: u64,
    seed: u64,
    plan: impl FnOnce(&Script) -> Plan,
) -> Done<Outcome> {
    let script = Script::of(seed, size)?;
    let expected = Expected::of(&script).await?;
    let place = backend.fresh(run.folder(), name).await?;
    let notes = run.notes(backend, name)?;
    let plan = plan(&script);
    let must_fail = plan.defect.is_some();
    let tally = Drive::new((&place, &place), &notes, plan, seed)?.run(&script).await?;
    let problems = found(&expected, &place).await?;
    let outcome = Outcome { tally, problems };
    if outcome.wrong().is_empty() || must_fail {
        backend.remove(&place).await?;
    }
    Ok(outcome)
}

/// What is wrong with a store that nobody is at work with.
pub async fn found(expected: &Expected, place: &Place) -> Done<Vec<String>> {
    let opened = place.open_patiently().await?;
    let problems = expected.problems(&opened.tenant()?).await;
    opened.close().await;
    problems
}

pub async fn at_random(run: &Run, backend: &Backend) -> Done<Vec<String>> {
    let mut sum = Tally::default();
    let (mut left, mut histories) = (run.kills, 0_u64);
    while left > 0 {
        let kills = left.min(KILLS_OF_A_HISTORY);
        let seed = run.seed.wrapping_add(histories);
        let name = format!("kills-{histories}");
        let plan = |script: &Script| random_kills(script, kills, seed, run.defect);
        let tally = history(run, backend, &name, MUCH, seed, plan).await?.judge(&name)?;
        if tally.kills != kills {
            return Err(format!("{name}: {} of {kills} kills were made", tally.kills).into());
        }
        sum.add(&tally);
        (left, histories) = (left - kills, histories + 1);
        eprintln!("{}: {} of {} kills", backend.name(), sum.kills, run.kills);
    }
    let Tally { answered, kills, unknown, happened, ready_after_max, .. } = sum;
    if ready_after_max > if run.is_long() { READY.1 } else { READY.0 } {
        return Err(format!("a process served only after {ready_after_max:.1?}").into());
    }
    Ok(vec![format!(
        "killed at random under load, {} = {kills} kills in {histories} histories, {answered} requests answered: 0 lost, 0 doubled, \
         numbers without a gap, verified clean, state of one clean run; of {unknown} requests under way {happened} batches had been \
         recorded, each counted once; served again within {} ms",
        backend.name(),
        ready_after_max.as_millis(),
    )])
}

fn random_kills(script: &Script, kills: u64, seed: u64, defect: Option<Defect>) -> Plan {
    let kills = Chance::of(seed).moments(kills, script.requests());
    Plan { kills: kills.into(), delay_us: DELAY_US, defect, ..Plan::default() }
}

pub async fn at_points(run: &Run, backend: &Backend) -> Done<Vec<String>> {
    let plan = |_: &Script| Plan { at_points: true, defect: run.defect, ..Plan::default() };
    let outcome = history(run, backend, "points", LITTLE, run.seed, plan).await?;
    let tally = outcome.judge("points")?;
    let script = Script::of(run.seed, LITTLE)?;
    let requests = script.stages.iter().flat_map(|stage| &stage.requests);
    let cases: BTreeSet<&str> = requests.map(|request| request.name()).collect();
    for case in cases.iter().filter(|case| **case != "bill") {
        let mine = format!("{case}: ");
        let commits = |point: &String| point.starts_with(&mine) && point.ends_with("commit`");
        if !tally.points.iter().any(commits) {
            return Err(
                format!("no process ended between the commit of {case} and its answer").into()
            );
        }
    }
    Ok(vec![format!(
        "ended after each kind of statement of {} use cases, {} = {} points, each reached: 0 lost, 0 doubled, numbers without a gap, \
         verified clean, state of one clean run",
        cases.len(),
        backend.name(),
        tally.points.len(),
    )])
}

/// Ends migrations after each of their statements, and at random moments, and lets the next one finish.
pub async fn migrating(run: &Run, backend: &Backend) -> Done<Vec<String>> {
    let place = backend.fresh(run.folder(), "migration").await?;
    let known = run.notes(backend, "migration")?.join("points");
    std::fs::write(&known, "")?;
    let mut points: Vec<String> = Vec::new();
    while let Some(point) = client::migrate(&place, &known).await? {
        points.push(point);
        std::fs::write(&known, points.join("\n"))?;
    }
    served(&place).await?;
    backend.remove(&place).await?;
    let mut chance = Chance::of(run.seed);
    let whole = {
        let place = backend.fresh(run.folder(), "migrated").await?;
        let took = client::migrate_and_kill(&place, None).await?;
        backend.remove(&place).await?;
        u64::try_from(took.as_micros())?
    };
    let kills = run.kills;
    for number in 0..kills {
        let place = backend.fresh(run.folder(), &format!("migration-{number}")).await?;
        let after = Duration::from_micros(chance.below(whole.max(1)));
        client::migrate_and_kill(&place, Some(after)).await?;
        served(&place).await?;
        backend.remove(&place).await?;
    }
    if !points.iter().any(|point| point.contains("billing_migration")) {
        return Err("no process ended inside a migration".into());
    }
    Ok(vec![format!(
        "killed while migrating, {} = after each of {} statements and at {kills} random moments: the next start finished it",
        backend.name(),
        points.len(),
    )])
}

/// Whether a store takes the script's first requests in.
async fn served(place: &Place) -> Done {
    let opened = place.open_patiently().await?;
    let tenant = opened.tenant()?;
    let script = Script::of(1, 1)?;
    for request in script.stages.iter().take(1).flat_map(|stage| &stage.requests) {
        let answer = request.ask(&tenant).await;
        if answer != crate::request::Answer::Ok {
            return Err(format!("after a migration that was cut off: {answer:?}").into());
        }
    }
    opened.close().await;
    Ok(())
}

/// Runs the kills with processes that have a defect; the run must say what is wrong.
pub async fn with_defects(run: &Run, backend: &Backend) -> Done<Vec<String>> {
    let mut found = Vec::new();
    for (defect, name, sign) in [
        (Defect::AnswersFirst, "answers before it commits", "answered and lost: "),
        (Defect::OwnIds, "forgets what it recorded once it is begun again", "doubled: "),
    ] {
        let plan = |script: &Script| random_kills(script, 10, run.seed, Some(defect));
        let outcome = history(run, backend, "canary", LITTLE, run.seed, plan).await?;
        if !outcome.wrong().iter().any(|wrong| wrong.starts_with(sign)) {
            return Err(format!("a process that {name} was not found out").into());
        }
        found.push(name);
    }
    Ok(vec![format!(
        "defects that must be found, {} = {} of 2: a process that {}",
        backend.name(),
        found.len(),
        found.join(", and one that ")
    )])
}
