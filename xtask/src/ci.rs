//! Every check in order, cheapest first, until one fails.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{command::Line, faults, fuzz, purity, tidy};

#[derive(Debug, clap::Args)]
pub struct Options {
    /// The checks to run; all of them when none is named
    checks: Vec<String>,
    /// Show the checks in their order, and run nothing
    #[arg(long)]
    list: bool,
    /// Test only what a plain `cargo test` leaves out, because that has just passed
    #[arg(long)]
    after_tests: bool,
    /// Fail where a check cannot run here, as when a tool is missing
    ///
    /// The variable BILLING_REQUIRE_DENY, set to anything, asks this of the dependencies alone.
    #[arg(long)]
    strict: bool,
}

struct Check {
    name: &'static str,
    what: &'static str,
    run: fn(&Run<'_>) -> Result<(), Failure>,
}

const CHECKS: [Check; 12] = [
    Check { name: "format", what: "every file is as rustfmt leaves it", run: format },
    Check { name: "tidy", what: "captions, floors, migrations, words, links", run: tidy },
    Check { name: "clippy", what: "no lint speaks up, with every feature on", run: clippy },
    Check { name: "features", what: "each feature of each crate compiles alone", run: features },
    Check { name: "purity", what: "the core needs no `std` and only listed crates", run: purity },
    Check { name: "tests", what: "every test and documentation example passes", run: tests },
    Check { name: "docs", what: "the documentation builds without a warning", run: docs },
    Check { name: "dependencies", what: "licences, bans and sources", run: dependencies },
    Check { name: "benches", what: "every benchmark runs once", run: benches },
    Check { name: "quickstart", what: "runs twice on one database", run: quickstart },
    Check {
        name: "faults",
        what: "kills, cuts and changed bytes lose nothing unseen",
        run: faults,
    },
    Check { name: "fuzz", what: "no fuzz target finds anything in ten seconds", run: fuzz },
];

/// What went wrong, and the line that shows it again.
struct Failure {
    message: String,
    repeat: String,
}

/// One run of the checks.
struct Run<'a> {
    root: &'a Path,
    after_tests: bool,
    strict: bool,
    /// What did not run, and why.
    left_out: RefCell<Vec<String>>,
}

pub fn run(root: &Path, options: &Options) -> Result<(), String> {
    if options.list {
        CHECKS.iter().for_each(|check| println!("{:13} {}", check.name, check.what));
        return Ok(());
    }
    let known = |name: &String| CHECKS.iter().any(|check| check.name == name);
    if let Some(name) = options.checks.iter().find(|name| !known(name)) {
        return Err(format!("ci: there is no check `{name}`; see cargo xtask ci --list"));
    }
    let chosen = |check: &&Check| {
        options.checks.is_empty() || options.checks.iter().any(|name| name == check.name)
    };
    let checks: Vec<&Check> = CHECKS.iter().filter(chosen).collect();
    let (after_tests, strict) = (options.after_tests, options.strict);
    let run = Run { root, after_tests, strict, left_out: RefCell::default() };
    run.all(&checks)
}

impl Run<'_> {
    fn all(&self, checks: &[&Check]) -> Result<(), String> {
        let start = Instant::now();
        let mut times = Vec::new();
        for (number, check) in (1..).zip(checks) {
            println!("\n== {number}/{} {}: {}", checks.len(), check.name, check.what);
            let start = Instant::now();
            let outcome = (check.run)(self);
            let time = seconds(start.elapsed());
            println!("   {}: {time}", check.name);
            if let Err(Failure { message, repeat }) = outcome {
                return Err(format!(
                    "\nci: {} failed after {time}: {message}\nci: repeat it with: {repeat}",
                    check.name
                ));
            }
            times.push(format!("{} {time}", check.name));
        }
        println!("\nci: passed in {}: {}", seconds(start.elapsed()), times.join(", "));
        self.left_out.borrow().iter().for_each(|what| println!("ci: not run: {what}"));
        Ok(())
    }

    /// Shows the line, runs it, and on failure names it as the one to repeat.
    fn line(&self, line: &Line) -> Result<(), Failure> {
        println!("   {line}");
        line.run(self.root).map_err(|message| Failure { message, repeat: line.to_string() })
    }

    fn read(&self, line: &Line) -> Result<String, Failure> {
        println!("   {line}");
        line.read(self.root).map_err(|message| Failure { message, repeat: line.to_string() })
    }

    /// A check that cannot run here: said aloud, and a failure where the run is strict.
    fn leave_out(&self, check: &str, why: &str) -> Result<(), Failure> {
        println!("   not run: {why}");
        if self.strict {
            let repeat = format!("cargo xtask ci --strict {check}");
            return Err(Failure { message: why.to_owned(), repeat });
        }
        self.left_out.borrow_mut().push(format!("{check}: {why}"));
        Ok(())
    }
}

fn format(run: &Run<'_>) -> Result<(), Failure> {
    run.line(&Line::cargo(["fmt", "--all", "--check"]))?;
    run.line(&Line::cargo(["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"]))
}

fn tidy(run: &Run<'_>) -> Result<(), Failure> {
    let repeat = "cargo xtask tidy".to_owned();
    tidy::run(run.root).map_err(|message| Failure { message, repeat })
}

fn clippy(run: &Run<'_>) -> Result<(), Failure> {
    let line = Line::cargo(["clippy", "--workspace", "--all-targets", "--all-features"]);
    run.line(&line.args(["--", "-D", "warnings"]))
}

fn features(run: &Run<'_>) -> Result<(), Failure> {
    let metadata = metadata(run, &["--no-deps"])?;
    for (package, features) in packages(&metadata).filter(|(package, _)| *package != "xtask") {
        let bare = Line::cargo(["check", "--package", package, "--no-default-features"]);
        run.line(&bare)?;
        for feature in features {
            run.line(&bare.clone().args(["--features", feature]))?;
        }
    }
    Ok(())
}

fn purity(run: &Run<'_>) -> Result<(), Failure> {
    let tree = purity::tree();
    let unused = purity::compare(&run.read(&tree)?)
        .map_err(|message| Failure { message, repeat: tree.to_string() })?;
    if !unused.is_empty() {
        println!(
            "   the list in xtask/src/purity.rs names more than is used: {}",
            unused.join(", ")
        );
    }
    let build = purity::build();
    let there = purity::has_target(run.root)
        .map_err(|message| Failure { message, repeat: build.to_string() })?;
    if there {
        return run.line(&build);
    }
    let why = format!("the target is not installed (rustup target add {})", purity::TARGET);
    run.leave_out("purity", &why)
}

fn tests(run: &Run<'_>) -> Result<(), Failure> {
    if !run.after_tests {
        return run.line(&Line::cargo(["test", "--workspace", "--all-features"]));
    }
    let metadata = metadata(run, &[])?;
    let more = with_more_features(&metadata);
    if more.is_empty() {
        println!("   a plain `cargo test` has every feature on");
        return Ok(());
    }
    let packages = more.iter().flat_map(|package| ["--package", package]);
    run.line(&Line::cargo(["test", "--all-features"]).args(packages))
}

fn docs(run: &Run<'_>) -> Result<(), Failure> {
    let line = Line::cargo(["doc", "--workspace", "--no-deps", "--all-features"]);
    run.line(&line.env("RUSTDOCFLAGS", "-D warnings"))
}

fn dependencies(run: &Run<'_>) -> Result<(), Failure> {
    if Line::cargo(["deny", "--version"]).read(run.root).is_err() {
        let why = "cargo-deny is not installed (cargo install --locked cargo-deny)";
        if env::var_os("BILLING_REQUIRE_DENY").is_some() {
            let repeat = "cargo xtask ci dependencies".to_owned();
            return Err(Failure { message: why.to_owned(), repeat });
        }
        return run.leave_out("dependencies", why);
    }
    run.line(&Line::cargo([
        "deny",
        "check",
        "--hide-inclusion-graph",
        "licenses",
        "bans",
        "sources",
    ]))
}

/// In the profile of the tests: whether it runs is asked, not how fast.
fn benches(run: &Run<'_>) -> Result<(), Failure> {
    let names = sources(&run.root.join("benches"));
    if names.is_empty() {
        println!("   there are none");
    }
    names.iter().try_for_each(|name| {
        let line = Line::cargo(["bench", "--profile", "dev", "--bench", name]);
        run.line(&line.args(["--", "--test"]))
    })
}

fn quickstart(run: &Run<'_>) -> Result<(), Failure> {
    if !sources(&run.root.join("examples")).iter().any(|name| name == "quickstart") {
        return run.leave_out("quickstart", "there is no examples/quickstart.rs");
    }
    let folder = Scratch::new().map_err(|error| Failure {
        message: format!("no temporary folder: {error}"),
        repeat: "cargo xtask ci quickstart".to_owned(),
    })?;
    let database = folder.0.join("quickstart.db");
    let line = Line::cargo(["run", "--quiet", "--example", "quickstart", "--", "--database"])
        .args([database.to_string_lossy()]);
    run.line(&line)?;
    run.line(&line)
}

fn faults(run: &Run<'_>) -> Result<(), Failure> {
    let repeat = "cargo xtask faults".to_owned();
    faults::run(run.root, &faults::Options::of_a_check())
        .map_err(|message| Failure { message, repeat })
}

fn fuzz(run: &Run<'_>) -> Result<(), Failure> {
    if let Some(missing) = fuzz::missing(run.root) {
        return run.leave_out("fuzz", missing);
    }
    let repeat = "cargo xtask fuzz".to_owned();
    fuzz::run(run.root, &fuzz::Options::of_a_check()).map_err(|message| Failure { message, repeat })
}

/// A folder for one check, removed with what is in it.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> std::io::Result<Self> {
        let path = env::temp_dir().join(format!("billing-ci-{}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("could not remove {}: {error}", self.0.display());
        }
    }
}

/// The names of the Rust files right in `folder`, without their ending.
pub fn sources(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> =
        names.filter_map(|name| name.strip_suffix(".rs").map(str::to_owned)).collect();
    names.sort();
    names
}

fn metadata(run: &Run<'_>, options: &[&str]) -> Result<Value, Failure> {
    let line = Line::cargo(["metadata", "--format-version", "1"]).args(options.iter().copied());
    let text = run.read(&line)?;
    let unread = |error: serde_json::Error| Failure {
        message: format!("cargo's metadata is not as expected: {error}"),
        repeat: line.to_string(),
    };
    serde_json::from_str(&text).map_err(unread)
}

/// The packages of the workspace, each with the features it declares besides `default`.
fn packages(metadata: &Value) -> impl Iterator<Item = (&str, Vec<&str>)> {
    let members: BTreeSet<&str> = strings(&metadata["workspace_members"]).collect();
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let own = packages
        .filter(move |package| package["id"].as_str().is_some_and(|id| members.contains(id)));
    own.filter_map(|package| {
        let declared = package["features"].as_object().into_iter().flatten();
        let names = declared.map(|(name, _)| name.as_str()).filter(|name| *name != "default");
        Some((package["name"].as_str()?, names.collect()))
    })
}

/// The packages that have features which a build of the whole workspace leaves off.
fn with_more_features(metadata: &Value) -> Vec<&str> {
    let ids = metadata["packages"].as_array().into_iter().flatten();
    let id_of = |name: &str| ids.clone().find(|package| package["name"] == name).map(|p| &p["id"]);
    let nodes = metadata["resolve"]["nodes"].as_array().into_iter().flatten();
    let more = packages(metadata).filter(|(name, declared)| {
        let node = nodes.clone().find(|node| Some(&node["id"]) == id_of(name));
        let on: BTreeSet<&str> = node.into_iter().flat_map(|n| strings(&n["features"])).collect();
        declared.iter().any(|feature| !on.contains(feature))
    });
    more.map(|(name, _)| name).collect()
}

fn strings(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Value {
        serde_json::json!({
            "workspace_members": ["store", "core"],
            "packages": [
                { "name": "core", "id": "core", "features": { "std": [] } },
                { "name": "store", "id": "store", "features": { "default": [], "suite": [] } },
                { "name": "serde", "id": "serde", "features": { "std": [] } },
            ],
            "resolve": { "nodes": [
                { "id": "core", "features": ["std"] },
                { "id": "store", "features": ["default"] },
                { "id": "serde", "features": [] },
            ] },
        })
    }

    #[test]
    fn only_own_packages_and_their_features_are_checked_alone() {
        let metadata = sample();
        let found: Vec<_> = packages(&metadata).collect();
        assert_eq!(found, [("core", vec!["std"]), ("store", vec!["suite"])]);
    }

    #[test]
    fn a_package_is_tested_again_where_a_feature_was_off() {
        assert_eq!(with_more_features(&sample()), ["store"]);
    }

    #[test]
    fn a_run_stops_at_the_first_failure_and_says_what_to_repeat() {
        fn good(_: &Run<'_>) -> Result<(), Failure> {
            Ok(())
        }
        fn bad(_: &Run<'_>) -> Result<(), Failure> {
            Err(Failure { message: "no".to_owned(), repeat: "cargo bad".to_owned() })
        }
        fn never(_: &Run<'_>) -> Result<(), Failure> {
            panic!("ran after a failure")
        }
        let check = |name, run| Check { name, what: "", run };
        let (first, second, third) = (check("a", good), check("b", bad), check("c", never));
        let root = Path::new(".");
        let run = Run { root, after_tests: false, strict: false, left_out: RefCell::default() };
        let outcome = run.all(&[&first, &second, &third]);
        let message = outcome.expect_err("the second check fails");
        assert!(message.contains("b failed"), "{message}");
        assert!(message.ends_with("repeat it with: cargo bad"), "{message}");
    }

    #[test]
    fn a_check_that_cannot_run_is_said_or_refused() {
        let root = Path::new(".");
        let mut run = Run { root, after_tests: false, strict: false, left_out: RefCell::default() };
        assert!(run.leave_out("deny", "missing").is_ok());
        assert_eq!(run.left_out.take(), ["deny: missing"]);
        run.strict = true;
        assert!(run.leave_out("deny", "missing").is_err());
    }
}
