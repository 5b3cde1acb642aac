//! The long counts: what has been counted, when, and the command that counts it again.

use std::{
    fs,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use crate::command::Line;

const FILE: &str = "docs/evidence.md";

/// What a child process prints before a figure.
const MARK: &str = "evidence: ";

const PREAMBLE: &str = "# Evidence

Figures quoted as reached come from here. `cargo xtask evidence` writes this file: each section is
one entry of `cargo xtask evidence --list`, with the day and the machine it ran on, and each row
names the command that repeats it. Times hold for that machine only; counts hold anywhere.
";

#[derive(Debug, clap::Args)]
pub struct Options {
    /// The entries to run; all of them when none is named
    names: Vec<String>,
    /// Show the entries and their commands, and run nothing
    #[arg(long)]
    list: bool,
}

/// One long count.
struct Entry {
    name: &'static str,
    title: &'static str,
    line: Line,
}

fn entries() -> Vec<Entry> {
    let faults = Line::cargo(["xtask", "faults", "--release", "--kills", "200"]);
    let laws = Line::cargo(["test", "--release", "--workspace", "--test", "laws"]);
    let hand_over = ["test", "--release", "--package", "billing", "--test", "hand_over"];
    let invoice_run = ["test", "--release", "--package", "billing", "--test", "invoice_run"];
    let (hand_over, invoice_run) = (Line::cargo(hand_over), Line::cargo(invoice_run));
    let bus = Line::cargo(["test", "--release", "--package", "billing-store"]);
    let tamper = Line::cargo(["test", "--release", "--package", "billing-store"]);
    let rating = Line::cargo(["test", "--release", "--package", "billing-core"]);
    let rating = rating.args(["--test", "laws_rating", "--test", "laws_tariffs"]);
    vec![
        Entry {
            name: "faults",
            title: "Processes and servers are killed, connections cut, futures dropped and bytes changed, and nothing is lost, counted twice or missed",
            line: faults,
        },
        Entry {
            name: "hand_over",
            title: "Days are handed over while the process is killed, and each pulse reaches the processor once",
            line: hand_over.args(["--", "--nocapture"]).env("BILLING_KILLS", "20"),
        },
        Entry {
            name: "invoice_run",
            title: "Several schedulers issue a thousand invoices at once, killed and resumed, without a gap or a twin",
            line: invoice_run.args(["--", "--nocapture"]).env("BILLING_KILLS", "20"),
        },
        Entry {
            name: "bus",
            title: "Whatever a bus delivers, how often and to whom, the state is that of one clean run",
            line: bus
                .args(["--features", "nats,postgres,sqlite", "--test", "bus", "--", "--nocapture"])
                .env("BILLING_BUS_RUNS", "200")
                .env("BILLING_REQUIRE", "nats,postgres"),
        },
        Entry {
            name: "tamper",
            title: "Every column and every row changed behind the library's back is found by verify",
            line: tamper.args(["--features", "sqlite", "--test", "tamper", "--", "--nocapture"]),
        },
        Entry {
            name: "ingest",
            title: "Durable recording beside a bare bulk insert of the same rows",
            line: Line::cargo(["bench", "--bench", "ingest"]),
        },
        Entry {
            name: "bill",
            title: "Reading a running bill costs the same with few calls and with many",
            line: Line::cargo(["bench", "--bench", "bill"]),
        },
        Entry {
            name: "verify",
            title: "Everything is recomputed, in memory that does not grow with the calls",
            line: Line::cargo(["bench", "--bench", "verify"]),
        },
        Entry {
            name: "rate",
            title: "Rating a call in memory, one thread, beside a plain rater",
            line: Line::cargo(["bench", "--bench", "rate"]),
        },
        Entry {
            name: "totals",
            title: "From a CSV of calls to the total of each account, beside Polars",
            line: Line::cargo(["bench", "--bench", "totals"]),
        },
        Entry {
            name: "laws",
            title: "The laws hold for many more random cases than a test run has time for",
            line: laws.args(["--", "--nocapture"]).env("PROPTEST_CASES", "2000"),
        },
        Entry {
            name: "rating",
            title: "Two raters agree on a million pairs of tariff and usage, and the laws of tariffs hold",
            line: rating.args(["--", "--nocapture"]).env("PROPTEST_CASES", "2000"),
        },
        Entry {
            name: "fuzz",
            title: "Readers and documents answer whatever a fuzzer makes of them, for a minute each",
            line: Line::cargo(["xtask", "fuzz", "--seconds", "60"]),
        },
    ]
}

pub fn run(root: &Path, options: &Options) -> Result<(), String> {
    let entries = entries();
    if options.list {
        for entry in &entries {
            println!("{:11} {}\n            {}", entry.name, entry.title, entry.line);
        }
        return Ok(());
    }
    let known = |name: &String| entries.iter().any(|entry| entry.name == name);
    if let Some(name) = options.names.iter().find(|name| !known(name)) {
        return Err(format!(
            "evidence: there is no entry `{name}`; see cargo xtask evidence --list"
        ));
    }
    let chosen = |entry: &&Entry| {
        options.names.is_empty() || options.names.iter().any(|name| name == entry.name)
    };
    let machine = machine(root)?;
    let mut failed = Vec::new();
    for entry in entries.iter().filter(chosen) {
        println!("== {}: {}\n   {}", entry.name, entry.title, entry.line);
        match count(root, entry) {
            // Written at once, so that a later failure takes nothing away.
            Ok(figures) => write(root, entry, &section(entry, &machine, &figures))?,
            Err(message) => {
                println!("   {}: {message}; its section stays as it is", entry.name);
                failed.push(entry.name);
            }
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    Err(format!(
        "evidence: no figures from {0}; repeat with: cargo xtask evidence {0}",
        failed.join(" ")
    ))
}

/// What was counted, and the figure.
pub type Figure = (String, String);

fn count(root: &Path, entry: &Entry) -> Result<Vec<Figure>, String> {
    let mut figures = Vec::new();
    entry.line.listen(root, |line| figures.extend(figure(line, entry.title)))?;
    if figures.is_empty() {
        return Err(format!("printed no line that starts with `{MARK}`"));
    }
    Ok(figures)
}

/// A line with a figure. The test harness may have begun it with the name of the test.
pub fn figure(line: &str, title: &str) -> Option<Figure> {
    let said = line.strip_prefix(MARK).or_else(|| {
        let (before, said) = line.split_once(MARK)?;
        before.ends_with(" ... ").then_some(said)
    })?;
    let (what, figure) = said.split_once(" = ").unwrap_or((title, said));
    Some((what.trim().to_owned(), figure.trim().to_owned()))
}

fn section(entry: &Entry, machine: &str, figures: &[Figure]) -> String {
    let mut text = format!("## {}\n\n{}. {machine}.\n\n", entry.name, entry.title);
    text += "| what | figure | command |\n|---|---|---|\n";
    for (what, figure) in figures {
        text += &format!("| {} | {} | `{}` |\n", cell(what), cell(figure), entry.line);
    }
    text
}

fn cell(text: &str) -> String {
    text.replace('|', r"\|")
}

fn write(root: &Path, entry: &Entry, section: &str) -> Result<(), String> {
    let path = root.join(FILE);
    let old = fs::read_to_string(&path).unwrap_or_else(|_| PREAMBLE.to_owned());
    let order: Vec<&str> = entries().iter().map(|entry| entry.name).collect();
    let new = merged(&old, entry.name, section, &order);
    fs::create_dir_all(root.join("docs"))
        .and_then(|()| fs::write(&path, new))
        .map_err(|error| format!("evidence: cannot write {FILE}: {error}"))
}

/// `old` with the section called `name` replaced, or put where `order` wants it. All else stays.
fn merged(old: &str, name: &str, section: &str, order: &[&str]) -> String {
    let mut parts: Vec<(Option<&str>, String)> = vec![(None, String::new())];
    for line in old.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            parts.push((Some(title.trim()), String::new()));
        }
        if let Some((_, text)) = parts.last_mut() {
            text.push_str(line);
            text.push('\n');
        }
    }
    let rank = |title: &str| order.iter().position(|name| *name == title);
    if let Some(part) = parts.iter_mut().find(|(title, _)| *title == Some(name)) {
        section.clone_into(&mut part.1);
    } else {
        let later = |title: &Option<&str>| title.is_some_and(|title| rank(title) > rank(name));
        let place = parts.iter().position(|(title, _)| later(title)).unwrap_or(parts.len());
        parts.insert(place, (Some(name), section.to_owned()));
    }
    let texts: Vec<&str> = parts.iter().map(|(_, text)| text.trim_end()).collect();
    format!("{}\n", texts.join("\n\n").trim_start())
}

fn machine(root: &Path) -> Result<String, String> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|error| error.to_string())?;
    let rustc = Line::new("rustc", ["--version"]).read(root)?;
    let cores = std::thread::available_parallelism().map_err(|error| error.to_string())?;
    Ok(format!("{}, {}, {cores} cores", date(since.as_secs() / 86_400), rustc.trim()))
}

/// The date, in UTC, that lies `days` after the first of January 1970.
fn date(days: u64) -> String {
    // Years are counted from March, so that the leap day is a year's last.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
    format!("{:04}-{month:02}-{day:02}", year + era * 400)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_become_dates() {
        let cases = [
            (0, "1970-01-01"),
            (58, "1970-02-28"),
            (59, "1970-03-01"),
            (11_016, "2000-02-29"),
            (11_017, "2000-03-01"),
            (20_453, "2025-12-31"),
            (20_454, "2026-01-01"),
        ];
        for (days, expected) in cases {
            assert_eq!(date(days), expected, "{days}");
        }
    }

    #[test]
    fn figures_are_heard_among_other_lines() {
        let cases = [
            ("evidence: kills = 50", Some(("kills", "50"))),
            ("evidence: 50 kills", Some(("title", "50 kills"))),
            ("test nothing_is_lost ... evidence: kills = 50", Some(("kills", "50"))),
            ("no evidence: here", None),
            ("running 1 test", None),
        ];
        for (line, expected) in cases {
            let expected = expected.map(|(what, figure)| (what.to_owned(), figure.to_owned()));
            assert_eq!(figure(line, "title"), expected, "{line}");
        }
    }

    #[test]
    fn only_the_section_that_ran_changes() {
        let old =
            "# Evidence\n\nWords.\n\n## kills\n\nold\n\n## laws\n\nkept\n\n## by hand\n\nkept\n";
        let order = ["kills", "ingest", "laws"];
        let again = merged(old, "kills", "## kills\n\nnew\n", &order);
        assert_eq!(again, old.replace("old", "new"));
        let more = merged(old, "ingest", "## ingest\n\nnew\n", &order);
        assert_eq!(more, old.replace("## laws", "## ingest\n\nnew\n\n## laws"));
        let first = merged(PREAMBLE, "laws", "## laws\n\nnew\n", &order);
        assert_eq!(first, format!("{PREAMBLE}\n## laws\n\nnew\n"));
    }

    #[test]
    fn a_row_names_its_command() {
        let entries = entries();
        let figures = [("kills | lost".to_owned(), "50 | 0".to_owned())];
        let text = section(&entries[0], "2026-01-01, rustc 1.95.0, 2 cores", &figures);
        let row = "| kills \\| lost | 50 \\| 0 | `cargo xtask faults --release --kills 200` |\n";
        assert!(text.ends_with(row), "{text}");
    }
}
