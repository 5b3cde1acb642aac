//! The developer command of this workspace: `cargo xtask --help`.

mod ci;
mod command;
mod evidence;
mod faults;
mod floors;
mod fuzz;
mod lexer;
mod links;
mod purity;
mod sample_data;
mod tidy;
mod tree;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

const ABOUT: &str = "Checks and figures of this workspace.

Everything that must hold before a change is merged is one command:

    cargo xtask ci

It names the check that failed and the command that repeats it alone.";

const CI_EXAMPLES: &str = "Examples:
  cargo xtask ci                  everything
  cargo xtask ci --list           what there is, in its order
  cargo xtask ci format clippy    only these two
  cargo xtask ci --after-tests    `cargo test` has just passed: test only what it left out
  cargo xtask ci --strict         a check that cannot run here is a failure";

const TIDY_DETAILS: &str = "It holds:
  - a `//!` caption in the first line of every Rust file
  - imports against the floors table in ARCHITECTURE.md
  - migrations numbered without gaps, alike for every database
  - links in Markdown, and the targets that commands in Markdown name
  - no notes about the work, no paths of one machine
  - a changelog with a heading to write under
It builds nothing and takes less than a second.";

const FUZZ_EXAMPLES: &str =
    "A target is a file in fuzz/fuzz_targets, a [[bin]] in fuzz/Cargo.toml, and a few seeds in
fuzz/seeds. What a run finds stays in fuzz/corpus and fuzz/artifacts, which git ignores.

Examples:
  cargo xtask fuzz                     all targets, ten seconds each
  cargo xtask fuzz --seconds 60 ndjson only this one, for a minute
  cargo xtask fuzz --list              what there is";

const FAULTS_EXAMPLES: &str = "Processes are killed under load, connections cut, futures dropped, bytes changed; after each, what
was answered is looked for and counted, and the store verified. PostgreSQL takes part if
BILLING_TEST_POSTGRES_URL names a server on which databases may be created.

Examples:
  cargo xtask faults                      the short run, as in `cargo xtask ci`
  cargo xtask faults --kills 200 --release  the long one
  cargo xtask faults kills --seed 7       one fault, repeated
  cargo xtask faults --list               what there is";

const EVIDENCE_EXAMPLES: &str =
    "Each entry is a child process. A line of its standard output that \
starts with
`evidence: WHAT = FIGURE` becomes a row, beside the command that repeats it.
Sections of entries that are not run, or fail, stay as they are.

Examples:
  cargo xtask evidence --list     what there is, and what it runs
  cargo xtask evidence faults     only this entry
  cargo xtask evidence            all of them: hours, not minutes";

#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask", about = ABOUT)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Run every check in order and stop at the first that fails
    #[command(after_help = CI_EXAMPLES)]
    Ci(ci::Options),
    /// Read the files of the workspace and report what is out of place
    #[command(after_help = TIDY_DETAILS)]
    Tidy,
    /// Run the fuzz targets, which needs cargo-fuzz and no nightly toolchain
    #[command(after_help = FUZZ_EXAMPLES)]
    Fuzz(fuzz::Options),
    /// Make faults on every store and count what was lost
    #[command(after_help = FAULTS_EXAMPLES)]
    Faults(faults::Options),
    /// Run the long counts and write their figures to docs/evidence.md
    #[command(after_help = EVIDENCE_EXAMPLES)]
    Evidence(evidence::Options),
    /// Write the sample month of the examples anew: the same calls every time
    SampleData,
}

fn main() -> ExitCode {
    let root = root();
    let done = match Arguments::parse().task {
        Task::Ci(options) => ci::run(&root, &options),
        Task::Tidy => tidy::run(&root),
        Task::Fuzz(options) => fuzz::run(&root, &options),
        Task::Faults(options) => faults::run(&root, &options),
        Task::Evidence(options) => evidence::run(&root, &options),
        Task::SampleData => sample_data::run(&root),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// The folder of the workspace, wherever in it the command was typed.
fn root() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    here.parent().map_or(here.clone(), PathBuf::from)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_well_formed() {
        super::Arguments::command().debug_assert();
    }
}
