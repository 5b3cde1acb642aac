//! The database server is killed with all its processes while a process is at work, and started again by nobody else.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{
    Done,
    backend::{Backend, idle, is_required},
    chance::Chance,
    check::Expected,
    drive::{Drive, Plan, Tally},
    killed::{Outcome, found},
    request::Request,
    run::Run,
    script::Script,
    server::{self, Server},
};

/// How often it is killed, in the short run and in the long one.
const KILLS: (u64, u64) = (3, 50);
/// Items that each account uses in a month.
const SOME: u64 = 16;
/// Answers must come again within this time of the server taking connections, on a machine that others may be at work with and where
/// figures are taken.
const BACK: (Duration, Duration) = (Duration::from_secs(150), Duration::from_secs(10));

pub async fn killed(run: &Run) -> Done<Vec<String>> {
    let Some(programs) = server::programs() else {
        let why = "no initdb and postgres in PATH or where systems keep them";
        if is_required() {
            return Err(format!("required, but {why}").into());
        }
        eprintln!("not run: a server that is killed, because there is {why}");
        return Ok(Vec::new());
    };
    let mut server = Server::begin(programs, run.folder()).await?;
    let backend = Backend::Postgres(server.url());
    let due = if run.is_long() { KILLS.1 } else { KILLS.0 };
    let (mut kills, mut histories) = (0_u64, 0_u64);
    let (mut sum, mut back) = (Tally::default(), Duration::ZERO);
    while kills < due {
        let seed = run.seed.wrapping_add(histories);
        let name = format!("server-{histories}");
        let (made, slowest, tally) =
            history(run, &backend, &mut server, &name, seed, due - kills).await?;
        (kills, histories, back) = (kills + made, histories + 1, back.max(slowest));
        sum.add(&tally);
        eprintln!("a server of our own: {kills} of {due} kills");
    }
    server.kill().await?;
    if back > if run.is_long() { BACK.1 } else { BACK.0 } {
        return Err(format!("answers came {back:.1?} after the server was there again").into());
    }
    Ok(vec![format!(
        "the server is killed under load (postmaster and its processes), PostgreSQL = {kills} kills in {histories} histories, {} \
         requests answered, {} asked again: 0 lost, 0 doubled, verified clean, state of one clean run; answers came again within {} ms \
         of its start, without a manual step",
        sum.answered,
        sum.again,
        back.as_millis(),
    )])
}

/// One history; how many kills befell it, and the longest time until answers came again.
async fn history(
    run: &Run,
    backend: &Backend,
    server: &mut Server,
    name: &str,
    seed: u64,
    most: u64,
) -> Done<(u64, Duration, Tally)> {
    let script = Script::of(seed, SOME)?;
    let expected = Expected::of(&script).await?;
    let place = backend.fresh(run.folder(), name).await?;
    let answered = Arc::new(AtomicU64::new(0));
    let plan = Plan { answers: Arc::clone(&answered), ..Plan::default() };
    let notes = run.notes(backend, name)?;
    let mut drive = Drive::new((&place, &place), &notes, plan, seed)?;
    let (mut kills, mut slowest) = (0_u64, Duration::ZERO);
    let mut worker = {
        let mut work = std::pin::pin!(drive.stages(&script));
        let mut chance = Chance::of(seed);
        loop {
            let due = answered.load(Ordering::Relaxed) + 1 + chance.below(script.requests() / 6);
            tokio::select! {
                worker = &mut work => break worker?,
                () = reached(&answered, due), if kills < most => {}
            }
            // Work goes on while it is killed and started.
            let (restarted, worker) = {
                let mut restart = std::pin::pin!(restart(server, &answered));
                tokio::select! {
                    slow = &mut restart => (slow, None),
                    worker = &mut work => (restart.await, Some(worker?)),
                }
            };
            (kills, slowest) = (kills + 1, slowest.max(restarted?));
            if let Some(worker) = worker {
                break worker;
            }
        }
    };
    let (readers, units) = backend.connections();
    drive.alone(&mut worker, &Request::Hold(readers, units)).await?;
    idle(&place).await?;
    let tally = drive.end(worker).await?;
    let problems = found(&expected, &place).await?;
    let tally = Outcome { tally, problems }.judge(name)?;
    backend.remove(&place).await?;
    Ok((kills, slowest, tally))
}

/// Kills the server and starts it again; how long it took from then on until the next answer, if there was more to answer.
async fn restart(server: &mut Server, answered: &AtomicU64) -> Done<Duration> {
    server.kill().await?;
    let before = answered.load(Ordering::Relaxed);
    server.start().await?;
    let there = Instant::now();
    while answered.load(Ordering::Relaxed) == before && there.elapsed() <= BACK.0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(there.elapsed())
}

async fn reached(answered: &AtomicU64, due: u64) {
    while answered.load(Ordering::Relaxed) < due {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
