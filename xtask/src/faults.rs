//! The faults: what is killed, cut, cancelled and tampered with, in one table of counts.

use std::path::Path;

use crate::{
    command::Line,
    evidence::{Figure, figure},
};

#[derive(Debug, clap::Args)]
pub struct Options {
    /// The faults to make; all of them when none is named
    faults: Vec<String>,
    /// Show the faults, and make none
    #[arg(long)]
    list: bool,
    /// How often a process is killed at random, for each store
    #[arg(long, default_value_t = 10)]
    kills: u64,
    /// What chance begins with; another number each time if it is not given
    #[arg(long)]
    seed: Option<u64>,
    /// Build with optimisations, as figures are taken
    #[arg(long)]
    release: bool,
    /// Give the processes that are killed a defect: then the run must fail
    #[arg(long, value_name = "answers-first|own-ids")]
    defect: Option<String>,
}

/// The fault that is made by a test of its own.
const BYTES: &str = "bytes";

impl Options {
    /// The short run.
    pub fn of_a_check() -> Self {
        let (faults, seed, defect) = (Vec::new(), None, None);
        Self { faults, list: false, kills: 10, seed, release: false, defect }
    }

    fn lines(&self) -> Vec<Line> {
        let bytes = self.faults.iter().any(|name| name == BYTES);
        let others = self.faults.iter().any(|name| name != BYTES);
        let (kills, all) = (self.kills.to_string(), self.faults.is_empty());
        let mut lines = Vec::new();
        if all || others || self.list {
            let line = self.cargo("run", ["--quiet", "--package", "faults"]);
            let line = line.args(["--", "run", "--kills", &kills]);
            let line = line.args(self.list.then_some("--list"));
            let line =
                line.args(self.seed.iter().flat_map(|seed| ["--seed".into(), seed.to_string()]));
            let line = line.args(self.defect.iter().flat_map(|defect| ["--defect", defect]));
            lines.push(line.args(self.faults.iter().filter(|name| *name != BYTES)));
        }
        if (all || bytes) && !self.list {
            let line = self.cargo("test", ["--quiet", "--package", "billing-store"]);
            let line = line.args(["--features", "sqlite", "--test", "tamper"]);
            let line = line.args(["--", "--nocapture", "every_changed_byte_is_found"]);
            let seed = self.seed.map(|seed| seed.to_string());
            lines.push(seed.iter().fold(line, |line, seed| line.env("BILLING_TAMPER_SEED", seed)));
        }
        lines
    }

    fn cargo<const N: usize>(&self, task: &str, args: [&str; N]) -> Line {
        Line::cargo([task]).args(args).args(self.release.then_some("--release"))
    }

    /// The command that does this again.
    fn repeat(&self) -> String {
        let mut line = Line::cargo(["xtask", "faults"]).args(self.faults.iter());
        line = line.args(["--kills".to_owned(), self.kills.to_string()]);
        line = line.args(self.seed.iter().flat_map(|seed| ["--seed".into(), seed.to_string()]));
        line.args(self.release.then_some("--release")).to_string()
    }
}

pub fn run(root: &Path, options: &Options) -> Result<(), String> {
    let mut figures: Vec<Figure> = Vec::new();
    for line in options.lines() {
        println!("   {line}");
        let heard = line.listen(root, |said| figures.extend(figure(said, "")));
        heard.map_err(|message| format!("faults: `{line}` {message}"))?;
    }
    if !options.list {
        println!("\n{}\nrepeat it with: {}", table(&figures), options.repeat());
    }
    Ok(())
}

/// What was counted, under each other.
fn table(figures: &[Figure]) -> String {
    let row = |(what, figure): &Figure| format!("| {what} | {figure} |\n");
    format!("| what | counted |\n|---|---|\n{}", figures.iter().map(row).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_repeated_by_what_it_says() {
        let mut options = Options { seed: Some(7), ..Options::of_a_check() };
        assert_eq!(options.repeat(), "cargo xtask faults --kills 10 --seed 7");
        assert_eq!(options.lines().len(), 2);
        options.faults = vec![BYTES.to_owned()];
        let lines: Vec<_> = options.lines().iter().map(ToString::to_string).collect();
        assert_eq!(lines.len(), 1);
        assert!(lines[0].starts_with("BILLING_TAMPER_SEED=7 cargo test"), "{lines:?}");
    }

    #[test]
    fn counts_stand_under_each_other() {
        let figures = [("kills".to_owned(), "10".to_owned())];
        assert_eq!(table(&figures), "| what | counted |\n|---|---|\n| kills | 10 |\n");
    }
}
