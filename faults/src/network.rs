//! The line between a process and its database fails in every way while the process is at work.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{
    Done,
    backend::{self, Backend, idle},
    chance::Chance,
    check::Expected,
    drive::{Drive, Plan, Tally},
    killed::{Outcome, found},
    proxy::{Cut, Proxy, Weather},
    request::Request,
    run::Run,
    script::Script,
};

/// How many faults there are in the short run, and in the long one.
const FAULTS: (u64, u64) = (12, 200);
/// Items that each account uses in a month.
const SOME: u64 = 16;
/// Every connection must be free again within this time.
const FREE: Duration = Duration::from_secs(30);

/// What was made, by its kind.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    faults: u64,
    cuts: u64,
    commits_cut: u64,
    free_after_max: Duration,
    idle_after_max: Duration,
}

pub async fn failing(run: &Run, backend: &Backend) -> Done<Vec<String>> {
    let due = if run.is_long() { FAULTS.1 } else { FAULTS.0 };
    let (mut counts, mut sum, mut histories) = (Counts::default(), Tally::default(), 0_u64);
    // Chance may leave the commits alone for a while: it goes on until one was cut, within bounds.
    let done = |counts: &Counts| {
        counts.faults >= due && (counts.commits_cut > 0 || counts.faults >= due.saturating_mul(10))
    };
    while !done(&counts) {
        let seed = run.seed.wrapping_add(histories);
        let name = format!("network-{histories}");
        let tally = history(run, backend, &name, seed, &mut counts).await?;
        sum.add(&tally);
        histories += 1;
        eprintln!("{}: {} of {due} faults of the network", backend.name(), counts.faults);
    }
    let Counts { faults, cuts, commits_cut, free_after_max, idle_after_max } = counts;
    if commits_cut == 0 {
        return Err("no line was cut at a commit".into());
    }
    Ok(vec![format!(
        "the line fails under load, {} = {faults} faults in {histories} histories (lines cut at a byte {cuts}, of them at a commit \
         {commits_cut}; else all cut, held up, narrow or swallowed), {} requests answered, {} asked again: 0 lost, 0 doubled, verified \
         clean, state of one clean run; no open transaction {} ms after, every connection free within {} ms",
        backend.name(),
        sum.answered,
        sum.again,
        idle_after_max.as_millis(),
        free_after_max.as_millis(),
    )])
}

async fn history(
    run: &Run,
    backend: &Backend,
    name: &str,
    seed: u64,
    counts: &mut Counts,
) -> Done<Tally> {
    let script = Script::of(seed, SOME)?;
    let expected = Expected::of(&script).await?;
    let place = backend.fresh(run.folder(), name).await?;
    // The schema is there, and the line is clear.
    place.open_patiently().await?.close().await;
    let proxy = Arc::new(Proxy::begin(backend::target(&place)?).await?);
    let proxied = backend::through(&place, proxy.address)?;
    let answered = Arc::new(AtomicU64::new(0));
    let plan = Plan { answers: Arc::clone(&answered), ..Plan::default() };
    let notes = run.notes(backend, name)?;
    let mut drive = Drive::new((&proxied, &place), &notes, plan, seed)?;
    let storm = tokio::spawn(storm(Arc::clone(&proxy), answered, seed));
    let worked = drive.stages(&script).await;
    storm.abort();
    let faults = storm.await.err().map_or(0, |_| proxy.faults());
    let mut worker = worked?;
    let healed = Instant::now();
    proxy.set(Weather::Clear);
    proxy.cut(None);
    let (readers, units) = backend.connections();
    let hold = Request::Hold(readers, units);
    tokio::time::timeout(FREE, drive.alone(&mut worker, &hold)).await??;
    counts.free_after_max = counts.free_after_max.max(healed.elapsed());
    counts.idle_after_max = counts.idle_after_max.max(idle(&place).await?);
    let tally = drive.end(worker).await?;
    let (cuts, commits_cut) = proxy.cuts();
    counts.faults += faults;
    counts.cuts += cuts;
    counts.commits_cut += commits_cut;
    let problems = found(&expected, &place).await?;
    let tally = Outcome { tally, problems }.judge(name)?;
    backend.remove(&place).await?;
    Ok(tally)
}

/// One fault after the other, for as long as it may.
async fn storm(proxy: Arc<Proxy>, answered: Arc<AtomicU64>, seed: u64) {
    let mut chance = Chance::of(seed);
    for number in 0_u64.. {
        // Between two faults work is done.
        let before = answered.load(Ordering::Relaxed);
        let due = before + 2 + chance.below(6);
        while answered.load(Ordering::Relaxed) < due {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        proxy.one_more();
        let ms = |ms| Duration::from_millis(ms);
        match number % 6 {
            0 => cut(&proxy, Cut::AfterBytes(chance.below(20_000))).await,
            1 => cut(&proxy, Cut::InCommit(usize::try_from(chance.below(16)).unwrap_or(0))).await,
            // The whole of it arrives, and its answer does not.
            2 => cut(&proxy, Cut::InCommit(usize::MAX)).await,
            3 => {
                proxy.set(Weather::Slow(chance.below(500)));
                tokio::time::sleep(ms(300)).await;
            }
            4 => {
                proxy.set(Weather::Narrow(10_000));
                tokio::time::sleep(ms(300)).await;
            }
            _ => {
                proxy.set(Weather::Hole);
                tokio::time::sleep(ms(100 + chance.below(900))).await;
                proxy.break_all();
            }
        }
        proxy.set(Weather::Clear);
    }
}

/// Has a connection cut, and waits until one was.
async fn cut(proxy: &Proxy, at: Cut) {
    proxy.cut(Some(at));
    while proxy.will_cut() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
