//! Relative links in Markdown lead somewhere: to a file, and in it to a heading.

use std::collections::{BTreeMap, BTreeSet};

use crate::tree::{Finding, Tree};

pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.ending(".md") {
        for (line, target) in targets(text) {
            if let Err(message) = follow(tree, path, &target) {
                findings.push(Finding::error(path, line, format!("link `{target}`: {message}")));
            }
        }
    }
    findings
}

/// The lines of a Markdown text outside fenced blocks, without code spans.
fn prose(text: &str) -> impl Iterator<Item = (usize, String)> {
    let mut fence: Option<&str> = None;
    (1..).zip(text.lines()).filter_map(move |(number, line)| {
        let start = line.trim_start();
        let mark = ["```", "~~~"].into_iter().find(|mark| start.starts_with(mark));
        match (fence, mark) {
            (None, Some(opened)) => fence = Some(opened),
            (Some(open), Some(closed)) if open == closed => fence = None,
            (None, None) => return Some((number, without_code(line))),
            (Some(_), _) => {}
        }
        None
    })
}

/// Every second part between backticks is code; an odd last one is not closed and stays.
fn without_code(line: &str) -> String {
    let parts: Vec<&str> = line.split('`').collect();
    let keeps = |(index, _): &(usize, &&str)| index % 2 == 0 || index + 1 == parts.len();
    parts.iter().enumerate().filter(keeps).map(|(_, part)| *part).collect()
}

fn targets(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        let definition = line.trim_start().strip_prefix('[').and_then(|rest| rest.split_once("]:"));
        if let Some((_, target)) = definition.filter(|(name, _)| !name.starts_with('^')) {
            found.extend(target.split_whitespace().next().map(|word| (number, word.to_owned())));
        }
        for (_, rest) in line.match_indices("](").map(|(at, mark)| (at, &line[at + mark.len()..])) {
            let inside = rest.split(')').next().unwrap_or_default();
            found.extend(inside.split_whitespace().next().map(|word| (number, word.to_owned())));
        }
    }
    for (_, target) in &mut found {
        *target = target.trim_matches(['<', '>']).to_owned();
    }
    found
}

fn follow(tree: &Tree, from: &str, target: &str) -> Result<(), String> {
    let elsewhere = ["http://", "https://", "mailto:"].iter().any(|s| target.starts_with(s));
    // A path of Rust is rustdoc's to resolve.
    if elsewhere || target.contains("::") {
        return Ok(());
    }
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = if file.is_empty() { from.to_owned() } else { resolve(from, file)? };
    if !tree.has(&path) {
        return Err(format!("there is no `{path}`"));
    }
    match tree.text(&path) {
        Some(text) if path.ends_with(".md") && !anchor.is_empty() => {
            let there = anchors(text).contains(anchor);
            if there { Ok(()) } else { Err(format!("`{path}` has no heading for it")) }
        }
        _ => Ok(()),
    }
}

fn resolve(from: &str, file: &str) -> Result<String, String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    if file.starts_with('/') {
        return Err("is not relative".to_owned());
    }
    for part in file.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop().ok_or("leaves the checkout")?),
            name => parts.push(name),
        }
    }
    Ok(parts.join("/"))
}

/// The anchors that a Markdown text offers: its headings, and ids in HTML.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let mut anchors = BTreeSet::new();
    let mut fenced = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        for attribute in ["id=\"", "name=\""] {
            let ids = line.split(attribute).skip(1).filter_map(|rest| rest.split('"').next());
            anchors.extend(ids.map(str::to_owned));
        }
        let title = line.trim_start_matches('#');
        let level = line.len() - title.len();
        if (1..=6).contains(&level) && title.starts_with(' ') {
            let slug = slug(title.trim());
            let count = seen.entry(slug.clone()).and_modify(|count| *count += 1).or_insert(0);
            anchors.insert(if *count == 0 { slug } else { format!("{slug}-{count}") });
        }
    }
    anchors
}

/// A heading as the usual viewers of Markdown spell its anchor.
fn slug(title: &str) -> String {
    let mut text = String::new();
    let mut rest = title;
    // Of a link only its words are seen.
    while let Some((before, after)) = rest.split_once("](") {
        text.extend(before.chars().filter(|c| *c != '['));
        rest = after.split_once(')').map_or("", |(_, after)| after);
    }
    text.push_str(rest);
    let kept = text.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OTHER: &str = "# Other\n## 1. What it is\n## Twice\n## Twice\n<a id=\"here\"></a>\n\
                         ## `code` & [link](page.md)\n```\n# not a heading\n```\n";

    fn refused(link: &str) -> Vec<Finding> {
        let text = format!("# Top\n\n{link}\n");
        let files =
            [("docs/page.md", text.as_str()), ("docs/other.md", OTHER), ("src/lib.rs", "//! L.\n")];
        check(&Tree::of(&files))
    }

    #[test]
    fn links_that_lead_somewhere_pass() {
        let links = [
            "[a](other.md) and [b](other.md#1-what-it-is)",
            "[a](#top) [b](other.md#twice) [c](other.md#twice-1) [d](other.md#here)",
            "[a](other.md#code--link)",
            "[a](../src/lib.rs#L1) [b](../src) [c](../src/) ![d](other.md \"title\")",
            "[a](https://example.org/none.md) [b](mailto:a@example.org)",
            "[a](billing_core::money)",
            "`[a](none.md)`",
            "```\n[a](none.md)\n```",
            "[a]: other.md",
            "[^1]: a footnote",
        ];
        for link in links {
            assert_eq!(refused(link), [], "{link}");
        }
    }

    #[test]
    fn links_that_lead_nowhere_are_named() {
        let links = [
            "[a](none.md)",
            "[a](other.md#none)",
            "[a](other.md#not-a-heading)",
            "[a](#none)",
            "[a](../../up.md)",
            "[a](/docs/other.md)",
            "[a]: none.md",
            "`code` then [a](none.md)",
        ];
        for link in links {
            let found = refused(link);
            assert_eq!(found.len(), 1, "{link}: {found:?}");
            assert_eq!(found[0].line, 3, "{link}");
        }
    }
}
