//! One bad sample and its good neighbours for each rule about files.

use super::*;

fn messages(check: fn(&Tree) -> Vec<Finding>, files: &[(&str, &str)]) -> Vec<String> {
    check(&Tree::of(files)).into_iter().map(|finding| finding.to_string()).collect()
}

#[test]
fn every_rust_file_but_a_build_script_has_a_caption() {
    let good = [("src/lib.rs", "//! A caption.\n"), ("billing-store/build.rs", "fn main() {}\n")];
    assert_eq!(messages(captions, &good), [""; 0]);
    for text in ["", "use std::fmt;\n", "//!\n", "\n//! Late.\n", "// Not a caption.\n"] {
        assert_eq!(messages(captions, &[("tests/laws.rs", text)]).len(), 1, "{text:?}");
    }
}

#[test]
fn a_long_file_is_a_warning() {
    let found = lengths(&Tree::of(&[("a.rs", &"\n".repeat(700)), ("b.rs", &"\n".repeat(701))]));
    assert_eq!(found, [Finding::warning("b.rs", 0, "has 701 lines")]);
}

#[test]
fn notes_about_the_work_are_found() {
    let sign = '#';
    let lines = [
        format!("// {}{} later", "TO", "DO"),
        format!("{}{}(me): later", "FIX", "ME"),
        format!("// {}XX later", "X"),
        format!("{}XX: later", "X"),
        format!("as in {sign}12"),
        format!("({sign}7)."),
        format!("{sign}123"),
        format!("see is{}2", "sue "),
        format!("Is{}{sign}2", "sue "),
        format!("mile{}3", "stone "),
    ];
    for line in &lines {
        assert!(note(line).is_some(), "{line}");
    }
}

#[test]
fn what_only_looks_like_a_note_is_left_alone() {
    let lines = [
        "todo = \"deny\"",
        "Currency::try_new(\"XXX\")",
        "| `XXX` | no currency |",
        "# Heading",
        "#[derive(Debug)]",
        "r#\"text\"#",
        "{:#?} {:#018x}",
        "&#39;",
        "color: #333;",
        "[1](#1-what-it-is)",
        "issues invoices; issue two of them",
        "tissue 4",
    ];
    for line in lines {
        assert_eq!(note(line), None, "{line}");
    }
}

#[test]
fn a_path_of_one_machine_is_found() {
    let slash = '/';
    for (root, rest) in [("work", "/main"), ("root", ""), ("home", "/someone"), ("root", "/.cargo")]
    {
        let line = format!("cd {slash}{root}{rest}");
        assert!(machine_path(&line).is_some(), "{line}");
    }
    assert!(machine_path(&format!("see ..{slash}shared")).is_some());
    let lines =
        ["the/work", "net/worked", "a/rooted", "</root>", "${HOME}/work", "../root", "/working"];
    for line in lines {
        assert_eq!(machine_path(line), None, "{line}");
    }
}

#[test]
fn a_finding_names_the_line() {
    let text = format!("//! Caption.\n\n// {}{}\n", "TO", "DO");
    let found = messages(words, &[("src/lib.rs", &text)]);
    assert!(found.len() == 1 && found[0].starts_with("error: src/lib.rs:3: "), "{found:?}");
}

#[test]
fn migrations_are_numbered_without_gaps_and_alike_for_every_database() {
    let cases: [(&[&str], usize); 8] = [
        (&["sqlite/0001_start.sql", "sqlite/0002_more.sql"], 0),
        (&["sqlite/0001_start.sql", "postgres/0001_start.sql"], 0),
        (&[], 1),
        (&["sqlite/0002_start.sql"], 1),
        (&["sqlite/0001_start.sql", "sqlite/0003_more.sql"], 1),
        (&["sqlite/0001_start.sql", "sqlite/0001_again.sql"], 1),
        (&["sqlite/0001_Start.sql"], 1),
        (&["sqlite/0001_start.sql", "postgres/0001_other.sql"], 1),
    ];
    for (names, expected) in cases {
        let paths: Vec<String> = names.iter().map(|name| format!("{MIGRATIONS}{name}")).collect();
        let files: Vec<(&str, &str)> = paths.iter().map(|path| (path.as_str(), "")).collect();
        assert_eq!(messages(migrations, &files).len(), expected, "{names:?}");
    }
}

#[test]
fn what_markdown_tells_to_run_exists() {
    let there = [
        ("examples/quickstart.rs", ""),
        ("examples/server/main.rs", ""),
        ("billing-core/tests/laws.rs", ""),
        ("Cargo.toml", "[[bench]]\nname = \"ingest\"\n"),
    ];
    let cases = [
        ("cargo run --example quickstart -- --database x.db", 0),
        ("`cargo run --example quickstart`.", 0),
        ("cargo run --example server", 0),
        ("cargo test --test laws", 0),
        ("cargo bench --bench ingest -- --test", 0),
        ("the option --example none", 0),
        ("cargo run --example none", 1),
        ("run `cargo test --test kill`", 1),
        ("cargo run --example quick", 1),
    ];
    for (line, expected) in cases {
        let files = [&there[..], &[("README.md", line)]].concat();
        assert_eq!(messages(targets, &files).len(), expected, "{line}");
    }
}

#[test]
fn the_changelog_has_a_heading_to_write_under() {
    let cases = [
        ("# Changelog\n## [Unreleased]\n", 0),
        ("# Changelog\n## Unreleased\n", 0),
        ("# Changelog\n## [0.1.0] - 2026-01-01\n", 0),
        ("# Changelog\n", 1),
    ];
    for (text, expected) in cases {
        assert_eq!(messages(changelog, &[(CHANGELOG, text)]).len(), expected, "{text}");
    }
    assert_eq!(messages(changelog, &[]).len(), 1);
}
