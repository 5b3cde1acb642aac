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

impl Options {
    /// The short run.
    pub fn of_a_check() -> Self {
        let (faults, seed, defect) = (Vec::new(), None, None);
        Self { faults, list: false, kills: 10, seed, release: false, defect }
    }

    fn line(&self) -> Line {
        let line = Line::cargo(["run", "--quiet", "--package", "faults"]);
        let line = line.args(self.release.then_some("--release"));
        let line = line.args(["--", "run", "--kills", &self.kills.to_string()]);
        let line = line.args(self.list.then_some("--list"));
        let line = line.args(self.seed.iter().flat_map(|seed| ["--seed".into(), seed.to_string()]));
        let line = line.args(self.defect.iter().flat_map(|defect| ["--defect", defect]));
        line.args(&self.faults)
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
    let line = options.line();
    println!("   {line}");
    let mut figures: Vec<Figure> = Vec::new();
    let heard = line.listen(root, |said| figures.extend(figure(said, "")));
    heard.map_err(|message| format!("faults: `{line}` {message}"))?;
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
        let options = Options { seed: Some(7), ..Options::of_a_check() };
        assert_eq!(options.repeat(), "cargo xtask faults --kills 10 --seed 7");
        let line = options.line().to_string();
        assert_eq!(line, "cargo run --quiet --package faults -- run --kills 10 --seed 7");
    }

    #[test]
    fn counts_stand_under_each_other() {
        let figures = [("kills".to_owned(), "10".to_owned())];
        assert_eq!(table(&figures), "| what | counted |\n|---|---|\n| kills | 10 |\n");
    }
}
