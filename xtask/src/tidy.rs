//! What must hold for the files as they lie there, before anything is built.

use std::{collections::BTreeMap, path::Path};

use crate::{
    floors, links,
    tree::{Finding, Tree, Weight},
};

/// A file with more lines than this probably holds two ideas.
const LINES_MAX: usize = 700;
const MIGRATIONS: &str = "billing-store/migrations/";
const CHANGELOG: &str = "CHANGELOG.md";

pub fn run(root: &Path) -> Result<(), String> {
    let tree = Tree::read(root).map_err(|error| format!("tidy: cannot read the files: {error}"))?;
    let findings = check(&tree);
    for finding in &findings {
        println!("{finding}");
    }
    let errors = findings.iter().filter(|finding| finding.weight == Weight::Error).count();
    let warnings = findings.len() - errors;
    let read = tree.texts().count();
    println!("tidy: {read} files read, {errors} errors, {warnings} warnings");
    if errors == 0 { Ok(()) } else { Err(format!("tidy: {errors} errors")) }
}

/// All findings, those that stop the run last, so that they are what is left on the screen.
fn check(tree: &Tree) -> Vec<Finding> {
    let checks =
        [captions, lengths, words, migrations, targets, changelog, links::check, floors::check];
    let mut findings: Vec<Finding> = checks.iter().flat_map(|check| check(tree)).collect();
    findings.sort_by_key(|finding| finding.weight == Weight::Error);
    findings
}

fn captions(tree: &Tree) -> Vec<Finding> {
    let sources = tree.ending(".rs").filter(|(path, _)| !is_build_script(path));
    let bare = sources.filter(|(_, text)| {
        let caption = text.lines().next().and_then(|line| line.strip_prefix("//! "));
        caption.is_none_or(|caption| caption.trim().is_empty())
    });
    bare.map(|(path, _)| Finding::error(path, 1, "does not start with a `//!` caption")).collect()
}

fn is_build_script(path: &str) -> bool {
    path == "build.rs" || path.ends_with("/build.rs")
}

fn lengths(tree: &Tree) -> Vec<Finding> {
    let counted = tree.ending(".rs").map(|(path, text)| (path, text.lines().count()));
    let long = counted.filter(|(_, lines)| *lines > LINES_MAX);
    long.map(|(path, lines)| Finding::warning(path, 0, format!("has {lines} lines"))).collect()
}

/// Words that are about the work and not about the project, or about one machine.
fn words(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts() {
        for (number, line) in (1..).zip(text.lines()) {
            let said = note(line).map(|word| format!("`{word}` is a note about the work"));
            let place = machine_path(line).map(|word| format!("`{word}` exists on one machine"));
            findings.extend(said.or(place).map(|message| Finding::error(path, number, message)));
        }
    }
    findings
}

/// The first planning note in `line`: a marker, or the number of an issue.
fn note(line: &str) -> Option<String> {
    // Put together, so that this file passes its own check.
    let markers = [concat!("TO", "DO"), concat!("FIX", "ME")];
    let marker = markers.into_iter().find(|marker| has_word(line, marker));
    marker.map(str::to_owned).or_else(|| xs(line)).or_else(|| reference(line)).or_else(|| nth(line))
}

/// Three X as a marker: after the sign of a comment, or before a colon. In quotes they are the
/// code of no currency.
fn xs(line: &str) -> Option<String> {
    let marker = concat!("X", "XX");
    let found = |at: &usize| {
        let (before, after) = (line[..*at].trim_end(), &line[at + marker.len()..]);
        ["//", "///", "//!", "#", "--", "/*", "<!--"].iter().any(|sign| before.ends_with(sign))
            || after.starts_with(':')
    };
    let mut places = word_places(line, marker);
    places.find(found).map(|_| marker.to_owned())
}

/// A number sign before digits. Colours, format strings and entities of HTML look alike.
fn reference(line: &str) -> Option<String> {
    let colours = ["color", "colour", "background", "border", "fill", "stroke"];
    if colours.iter().any(|word| line.contains(word)) {
        return None;
    }
    line.match_indices('#').find_map(|(at, _)| {
        let rest = &line[at + 1..];
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        let before = line[..at].chars().next_back();
        let after = rest[digits.len()..].chars().next();
        let alone = before.is_none_or(|c| !(is_word(c) || "&:#".contains(c)))
            && after.is_none_or(|c| !(is_word(c) || c == '-'));
        (alone && !digits.is_empty()).then(|| format!("#{digits}"))
    })
}

/// The words that name a piece of a plan, before a number.
fn nth(line: &str) -> Option<String> {
    let pieces = ["issue", "issues", "ticket", "milestone", "sprint", "pull request"];
    let lower = line.to_lowercase();
    pieces.into_iter().find_map(|piece| {
        let mut ends = word_places(&lower, piece).map(|at| at + piece.len());
        ends.find_map(|end| {
            let number = lower[end..].strip_prefix(' ')?.trim_start_matches('#');
            let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
            (!digits.is_empty()).then(|| format!("{piece} {digits}"))
        })
    })
}

/// The first path in `line` that only the machine of its writer has.
fn machine_path(line: &str) -> Option<String> {
    let aside = concat!("../", "shared");
    let roots = [concat!("/", "work"), concat!("/", "root"), concat!("/", "home")];
    let absolute = |root: &&str| {
        line.match_indices(*root).any(|(at, root)| {
            let before = line[..at].chars().next_back();
            let after = line[at + root.len()..].chars().next();
            before.is_none_or(|c| !(is_word(c) || "<.-/}>*)".contains(c)))
                && after.is_none_or(|c| !(is_word(c) || c == '-'))
        })
    };
    let found = roots.into_iter().find(absolute);
    found.or_else(|| line.contains(aside).then_some(aside)).map(str::to_owned)
}

fn has_word(line: &str, word: &str) -> bool {
    word_places(line, word).next().is_some()
}

fn word_places<'a>(line: &'a str, word: &'a str) -> impl Iterator<Item = usize> {
    line.match_indices(word).map(|(at, _)| at).filter(move |at| {
        let before = line[..*at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// `0001_name.sql` and on without a gap, the same steps for every database.
fn migrations(tree: &Tree) -> Vec<Finding> {
    let mut steps: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for path in tree.paths() {
        let place = path.strip_prefix(MIGRATIONS).and_then(|rest| rest.split_once('/'));
        if let Some((database, file)) = place.filter(|(_, file)| file.ends_with(".sql")) {
            steps.entry(database).or_default().push(file);
        }
    }
    let Some((first, expected)) = steps.first_key_value() else {
        return vec![Finding::error(MIGRATIONS, 0, "holds no migrations")];
    };
    let mut findings = Vec::new();
    for (database, files) in &steps {
        for (number, file) in (1..).zip(files) {
            let start = format!("{number:04}_");
            let name = file.strip_prefix(&start).and_then(|rest| rest.strip_suffix(".sql"));
            let named = |name: &str| {
                name.chars().all(|c| c.is_ascii_lowercase() || "_0123456789".contains(c))
            };
            if !name.is_some_and(|name| !name.is_empty() && named(name)) {
                let message = format!("step {number} is to be called `{start}what_it_does.sql`");
                findings.push(Finding::error(
                    &format!("{MIGRATIONS}{database}/{file}"),
                    0,
                    message,
                ));
                break;
            }
        }
        if files != expected {
            let message = format!("has other steps than `{first}`");
            findings.push(Finding::error(&format!("{MIGRATIONS}{database}"), 0, message));
        }
    }
    findings
}

/// The examples, benches and tests that Markdown tells people to run exist.
fn targets(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.ending(".md") {
        for (number, line) in (1..).zip(text.lines()) {
            for (kind, folder) in [("example", "examples"), ("bench", "benches"), ("test", "tests")]
            {
                for name in named_targets(line, kind) {
                    if !has_target(tree, folder, name) {
                        let message = format!("there is no {kind} called `{name}`");
                        findings.push(Finding::error(path, number, message));
                    }
                }
            }
        }
    }
    findings
}

/// The names that follow `--kind` in a line that calls cargo.
fn named_targets<'a>(line: &'a str, kind: &str) -> impl Iterator<Item = &'a str> {
    let line = line.find("cargo ").map_or("", |start| &line[start..]);
    let option = format!("--{kind}");
    let mut words = line.split_whitespace();
    std::iter::from_fn(move || {
        words.find(|word| *word == option)?;
        words.next().map(|word| word.trim_end_matches(|c| !is_word(c)))
    })
    .filter(|name| name.starts_with(is_word))
}

fn has_target(tree: &Tree, folder: &str, name: &str) -> bool {
    let endings = [format!("{folder}/{name}.rs"), format!("{folder}/{name}/main.rs")];
    let declared = format!("name = \"{name}\"");
    tree.paths().any(|path| {
        endings.iter().any(|end| {
            path.strip_suffix(end.as_str()).is_some_and(|up| up.is_empty() || up.ends_with('/'))
        })
    }) || tree.ending("Cargo.toml").any(|(_, text)| text.contains(&declared))
}

fn changelog(tree: &Tree) -> Vec<Finding> {
    let Some(text) = tree.text(CHANGELOG) else {
        return vec![Finding::error(CHANGELOG, 0, "is missing")];
    };
    let headings = text.lines().filter_map(|line| line.strip_prefix("## "));
    let mut titles = headings.map(|title| title.trim_start_matches('['));
    let releases = |title: &str| {
        title.starts_with("Unreleased") || title.starts_with(|c: char| c.is_ascii_digit())
    };
    if titles.any(releases) {
        return Vec::new();
    }
    vec![Finding::error(CHANGELOG, 0, "has no heading `## [Unreleased]` or `## [0.1.0]`")]
}

#[cfg(test)]
#[path = "tidy_tests.rs"]
mod tests;
