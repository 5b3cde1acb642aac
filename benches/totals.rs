//! From a CSV of calls to the total of each account: CPU time a call and peak memory, beside Polars where it is installed.
//!
//! `cargo bench --bench totals` writes a price list of 100,000 prefixes and ten million calls to a temporary folder (900 MB), and has
//! the example `rate_cdrs` and, if `python3` has it, Polars on one thread add them up in turns. `-- --test` runs it small and once;
//! `-- --data FOLDER` takes `deck.csv` and `calls.csv` from a folder instead.

#[path = "rate/cpu.rs"]
mod cpu;
#[expect(dead_code, reason = "a benchmark has an entry of its own")]
#[path = "../examples/rate_cdrs/main.rs"]
mod example;
#[path = "rate/workload.rs"]
mod workload;

use std::{
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use clap::Parser as _;

type Done<T = ()> = Result<T, Box<dyn Error>>;

/// What a run took, and what it found.
struct Run {
    cpu_ms: u64,
    peak_mib: u64,
    totals: String,
}

const DECK_MAPPING: &str = r#"{"currency": "EUR", "zone": "UTC", "mode": "full",
    "columns": {"code": "prefix", "destination": "destination", "price": "rate_per_minute", "connect_fee": "connect_fee",
                "increments": "next_increment_s", "first_increment": "first_increment_s"}}"#;

fn main() -> Done {
    let args: Vec<String> = env::args().collect();
    let after =
        |name: &str| args.iter().position(|arg| arg == name).and_then(|at| args.get(at + 1));
    if let Some(folder) = after("--child") {
        return child(Path::new(folder));
    }
    let test = args.iter().any(|arg| arg == "--test");
    let made = env::temp_dir().join(format!("billing-bench-totals-{}", std::process::id()));
    let (sizes, rounds) = if test { (vec![5_000], 1) } else { (vec![1_000_000, 10_000_000], 3) };
    let sizes = if after("--data").is_some() { vec![0] } else { sizes };
    for calls in sizes {
        let folder = match after("--data") {
            Some(folder) => PathBuf::from(folder),
            None => workload::write(&made, if test { 2_000 } else { 100_000 }, calls)?,
        };
        let compared = compare(&folder, rounds);
        if after("--data").is_none() {
            fs::remove_dir_all(&folder)?;
        }
        compared?;
    }
    Ok(())
}

fn compare(folder: &Path, rounds: usize) -> Done {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        ours.push(run(Command::new(env::current_exe()?).arg("--child").arg(folder))?);
        let peer = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peers/totals_polars.py");
        let mut polars = Command::new("python3");
        theirs.extend(run(polars.arg(peer).arg(folder).env("POLARS_MAX_THREADS", "1")).ok());
    }
    let calls = fs::read_to_string(folder.join("calls.csv"))?.lines().count() as u64 - 1;
    let figure = |runs: &[Run]| {
        let cpu_ms = cpu::median(runs.iter().map(|run| run.cpu_ms).collect());
        (cpu_ms, runs.iter().map(|run| run.peak_mib).max().unwrap_or_default())
    };
    let (cpu_ms, peak_mib) = figure(&ours);
    println!(
        "evidence: CSV to totals, {calls} calls = {} ns of CPU a call, {peak_mib} MiB at most",
        cpu_ms * 1_000_000 / calls.max(1)
    );
    if theirs.is_empty() {
        println!("python3 has no Polars here: nothing to compare with");
        return Ok(());
    }
    if theirs.iter().chain(&ours).any(|run| run.totals != ours[0].totals) {
        return Err("the totals of accounts differ".into());
    }
    let (their_ms, their_mib) = figure(&theirs);
    println!(
        "evidence: the same by Polars on one thread, equal totals = {} ns of CPU a call, {their_mib} MiB at most; {} % of ours",
        their_ms * 1_000_000 / calls.max(1),
        their_ms * 100 / cpu_ms.max(1),
    );
    Ok(())
}

/// Rates a folder and says what that took, in a process of its own.
fn child(folder: &Path) -> Done {
    let file = |name: &str| folder.join(name).display().to_string();
    fs::write(file("deck.mapping.json"), DECK_MAPPING)?;
    let words = [
        "rate_cdrs",
        "--deck",
        &file("deck.csv"),
        "--deck-mapping",
        &file("deck.mapping.json"),
        "--decimals",
        "6",
        "--calls",
        &file("calls.csv"),
        "--calls-mapping",
        concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/calls.mapping.json"),
        "--totals",
        "/dev/stdout",
    ];
    example::run(&example::Options::parse_from(words), &mut std::io::sink())?;
    let (cpu_ms, peak_mib) = (cpu::process_cpu_ns() / 1_000_000, cpu::peak_kib() / 1_024);
    eprintln!("{}.{:03} {peak_mib}", cpu_ms / 1_000, cpu_ms % 1_000);
    Ok(())
}

/// Runs what prints totals, and on the standard error its CPU seconds and its peak in MiB.
fn run(command: &mut Command) -> Done<Run> {
    let output = command.stdin(Stdio::null()).output()?;
    let said = String::from_utf8(output.stderr)?;
    let figures = said.lines().last().and_then(|line| line.split_once(' '));
    let (seconds, peak) =
        figures.filter(|_| output.status.success()).ok_or_else(|| said.clone())?;
    let cpu_ms = seconds.replace('.', "").parse()?;
    Ok(Run { cpu_ms, peak_mib: peak.parse()?, totals: String::from_utf8(output.stdout)? })
}
