//! Every fuzz target for some seconds, beginning with its seeds and with what earlier runs found.

use std::{fs, path::Path};

use crate::command::Line;

/// What keeps a run small: input that nobody writes by hand, and memory that a reader has no need of.
const BOUNDS: [&str; 4] =
    ["-max_len=16384", "-rss_limit_mb=512", "-timeout=5", "-print_final_stats=1"];

#[derive(Debug, clap::Args)]
pub struct Options {
    /// The targets to run; all of them when none is named
    targets: Vec<String>,
    /// How long each of them runs
    #[arg(long, default_value_t = 10)]
    seconds: u32,
    /// Show the targets, and run nothing
    #[arg(long)]
    list: bool,
}

impl Options {
    /// All targets, for as long as a check may take.
    pub const fn of_a_check() -> Self {
        Self { targets: Vec::new(), seconds: 10, list: false }
    }
}

pub fn run(root: &Path, options: &Options) -> Result<(), String> {
    let all = crate::ci::sources(&root.join("fuzz/fuzz_targets"));
    if options.list {
        all.iter().for_each(|target| println!("{target}"));
        return Ok(());
    }
    if let Some(name) = options.targets.iter().find(|name| !all.contains(name)) {
        return Err(format!("fuzz: there is no target `{name}`; see cargo xtask fuzz --list"));
    }
    if let Some(missing) = missing(root) {
        return Err(format!("fuzz: {missing}"));
    }
    let targets = if options.targets.is_empty() { &all } else { &options.targets };
    let build = Line::cargo(["fuzz", "build", "--sanitizer", "none"]);
    println!("   {build}");
    build.run(root).map_err(|message| format!("fuzz: {message}; repeat it with: {build}"))?;
    let mut failed = Vec::new();
    for (number, target) in (1..).zip(targets) {
        println!("   {number}/{}: {target} for {} s", targets.len(), options.seconds);
        match one(root, target, options.seconds) {
            Ok(Done { runs, seconds }) => {
                println!("evidence: {target} = {runs} runs in {seconds} s, 0 crashes");
            }
            Err(message) => {
                println!("{message}");
                failed.push(target.as_str());
            }
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    Err(format!("fuzz: found something: {}", failed.join(", ")))
}

/// What a run needs and this machine lacks.
pub fn missing(root: &Path) -> Option<&'static str> {
    let needs = [
        (
            Line::cargo(["fuzz", "--version"]),
            "cargo-fuzz is not installed (cargo install --locked cargo-fuzz)",
        ),
        (
            Line::new("c++", ["--version"]),
            "there is no C++ compiler, which the fuzzer is built with",
        ),
    ];
    needs.into_iter().find_map(|(line, why)| line.read(root).is_err().then_some(why))
}

/// How far a target came.
#[derive(Debug, PartialEq, Eq)]
struct Done {
    runs: u64,
    seconds: u64,
}

fn one(root: &Path, target: &str, seconds: u32) -> Result<Done, String> {
    let [corpus, seeds] = ["corpus", "seeds"].map(|folder| format!("fuzz/{folder}/{target}"));
    fs::create_dir_all(root.join(&corpus)).map_err(|error| format!("{corpus}: {error}"))?;
    let line = Line::cargo(["fuzz", "run", "--sanitizer", "none", target, &corpus, &seeds, "--"])
        .args(BOUNDS)
        .args([format!("-max_total_time={seconds}")]);
    let (mut done, mut said) = (None, Vec::new());
    let ended = line.listen_to_errors(root, |line| {
        done = done_in(line).or(done.take());
        if line.contains("\tpulse ") {
            println!("      {line}");
        }
        if tells_of_a_fault(line) {
            said.push(format!("      {}", line.trim()));
        }
    });
    match (ended, done) {
        (Ok(()), Some(done)) => Ok(done),
        (Ok(()), None) => Err(format!("      {target} did not say how far it came")),
        (Err(message), _) => {
            said.push(format!("      {target} {message}; repeat it with: {line}"));
            Err(said.join("\n"))
        }
    }
}

/// A line such as `Done 178248 runs in 61 second(s)`.
fn done_in(line: &str) -> Option<Done> {
    let (runs, rest) = line.strip_prefix("Done ")?.split_once(" runs in ")?;
    let seconds = rest.strip_suffix(" second(s)")?;
    Some(Done { runs: runs.parse().ok()?, seconds: seconds.parse().ok()? })
}

fn tells_of_a_fault(line: &str) -> bool {
    ["panicked at", "ERROR: ", "assertion ", "  left: ", " right: ", "cargo fuzz run "]
        .iter()
        .any(|mark| line.contains(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_target_says_at_its_end_is_heard() {
        let cases = [
            ("Done 178248 runs in 61 second(s)", Some(Done { runs: 178_248, seconds: 61 })),
            ("INFO: seed corpus: files: 2", None),
            ("Done runs in 61 second(s)", None),
        ];
        for (line, expected) in cases {
            assert_eq!(done_in(line), expected, "{line}");
        }
    }

    #[test]
    fn every_target_has_seeds_and_a_place_in_the_manifest() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
        let manifest = fs::read_to_string(root.join("fuzz/Cargo.toml")).expect("a manifest");
        let targets = crate::ci::sources(&root.join("fuzz/fuzz_targets"));
        assert!(!targets.is_empty());
        for target in targets {
            assert!(manifest.contains(&format!("name = \"{target}\"\n")), "{target}");
            let seeds = fs::read_dir(root.join("fuzz/seeds").join(&target));
            assert!(seeds.is_ok_and(|mut seeds| seeds.next().is_some()), "{target}");
        }
    }
}
