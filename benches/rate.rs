//! Rating in memory, one thread: CPU time a call, beside a plain rater written by hand.
//!
//! `cargo bench --bench rate` makes a price list of 100,000 prefixes and a million calls, and rates them in turns; `-- --test` runs it
//! small and once. `-- --data FOLDER` reads `deck.csv` and `calls.csv` from a folder instead.

#[path = "rate/cpu.rs"]
mod cpu;
#[path = "rate/workload.rs"]
mod workload;
#[path = "rate/yardstick.rs"]
mod yardstick;

use std::{error::Error, hint::black_box, path::PathBuf};

use billing_core::tariff::{LineSpec, Rater, Tariff, TariffBuilder, Usage};

use cpu::{cpu_ns, median};
use workload::{Workload, head, line};
use yardstick::Yardstick;

type Done<T = ()> = Result<T, Box<dyn Error>>;

fn main() -> Done {
    let args: Vec<String> = std::env::args().collect();
    let test = args.iter().any(|arg| arg == "--test");
    let folder = args.iter().position(|arg| arg == "--data").and_then(|at| args.get(at + 1));
    let (prefixes, calls, rounds) = if test { (2_000, 5_000, 1) } else { (100_000, 1_000_000, 7) };
    let workload = match folder {
        Some(folder) => Workload::read(&PathBuf::from(folder))?,
        None => Workload::made(prefixes, calls)?,
    };
    plain(&workload, rounds)?;
    by_duration(&workload, rounds)?;
    windowed(&workload, rounds)?;
    compiling(if test { 5_000 } else { 1_000_000 })
}

/// The CPU time of rating all calls one by one, a call, and what they cost in millionths.
fn rate_all(tariff: &Tariff, calls: &[Usage]) -> (u64, i128) {
    let before = cpu_ns();
    let mut sum = 0_i128;
    for call in calls {
        if let Ok(rated) = tariff.rate(call) {
            sum += rated.units();
        }
    }
    let taken = cpu_ns() - before;
    (taken / calls.len() as u64, black_box(sum))
}

/// The same in batches.
fn rate_batches(tariff: &Tariff, calls: &[Usage]) -> (u64, i128) {
    let before = cpu_ns();
    let (mut sum, mut rated) = (0_i128, Vec::new());
    for batch in calls.chunks(512) {
        rated.clear();
        Rater::Version(tariff).rate_batch(batch, &mut rated);
        for rated in rated.iter().flatten() {
            sum += rated.units();
        }
    }
    let taken = cpu_ns() - before;
    (taken / calls.len() as u64, black_box(sum))
}

fn plain(workload: &Workload, rounds: usize) -> Done {
    let tariff = workload.tariff()?;
    let yardstick = Yardstick::of(workload);
    let (mut ours, mut batches, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let (ns, sum) = rate_all(&tariff, &workload.usages);
        ours.push(ns);
        let (ns, same) = rate_batches(&tariff, &workload.usages);
        batches.push(ns);
        let (ns, expected) = yardstick.rate_all(workload);
        theirs.push(ns);
        if [sum, same] != [expected; 2] {
            let said = format!("{sum} millionths, in batches {same}");
            return Err(format!("the tariff prices {said}, the yardstick {expected}").into());
        }
    }
    let (ours, batches, theirs) = (median(ours), median(batches), median(theirs));
    println!(
        "evidence: rating a call under {} prefixes = {ours} ns of CPU, in batches {batches} ns; a plain rater with a hash map a length {theirs} ns, the same total",
        tariff.prefixes(),
    );
    println!(
        "evidence: a compiled tariff of {} prefixes = {} bytes a prefix",
        tariff.prefixes(),
        tariff.bytes() / tariff.prefixes().max(1)
    );
    Ok(())
}

/// A call of an hour in seconds beside one of a minute in one minute.
fn by_duration(workload: &Workload, rounds: usize) -> Done {
    let tariff = |first, next| -> Done<Tariff> {
        let head = head("UTC")?;
        let mut builder = TariffBuilder::new(&head)?;
        for row in &workload.deck {
            builder.push(&line(row, first, next)?)?;
        }
        Ok(builder.finish()?)
    };
    let (second, minute) = (tariff(1, 1)?, tariff(60, 60)?);
    let of = |ms| workload.usages_of(ms);
    let (hours, minutes) = (of(3_600_000), of(60_000));
    let (mut long, mut short) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        long.push(rate_all(&second, &hours).0);
        short.push(rate_all(&minute, &minutes).0);
    }
    let (long, short) = (median(long), median(short));
    println!(
        "evidence: rating one hour in seconds = {long} ns of CPU; one minute in one step {short} ns"
    );
    Ok(())
}

/// Every prefix with a price by day on working days and another one else.
fn windowed(workload: &Workload, rounds: usize) -> Done {
    let mut head = head("Europe/Berlin")?;
    head.windows = serde_json::from_str(
        r#"{"peak":{"weekdays":["mon","tue","wed","thu","fri"],"from":"08:00","until":"20:00"}}"#,
    )?;
    let mut builder = TariffBuilder::new(&head)?;
    for row in &workload.deck {
        let off_peak = line(row, row.first, row.next)?;
        let peak = LineSpec { window: Some("peak".into()), weight: 1, ..off_peak.clone() };
        builder.push(&peak)?;
        builder.push(&off_peak)?;
    }
    let tariff = builder.finish()?;
    let ns = (0..rounds).map(|_| rate_all(&tariff, &workload.usages).0).collect();
    println!(
        "evidence: rating a call under {} prefixes with a window = {} ns of CPU",
        tariff.prefixes(),
        median(ns)
    );
    Ok(())
}

/// Compiling a price list of a million prefixes.
fn compiling(prefixes: usize) -> Done {
    let deck = workload::deck(prefixes);
    let head = head("UTC")?;
    let lines = deck.iter().map(|row| line(row, row.first, row.next)).collect::<Done<Vec<_>>>()?;
    let before = cpu_ns();
    let mut builder = TariffBuilder::new(&head)?;
    for line in &lines {
        builder.push(line)?;
    }
    let tariff = builder.finish()?;
    let taken = cpu_ns() - before;
    println!(
        "evidence: compiling {} prefixes = {} ms of CPU, {} bytes a prefix",
        tariff.prefixes(),
        taken / 1_000_000,
        tariff.bytes() / tariff.prefixes().max(1)
    );
    Ok(())
}
