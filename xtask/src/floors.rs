//! Floors: a module imports only what the table in ARCHITECTURE.md allows it.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    lexer::{Kind, Token, tokens},
    tree::{Finding, Tree},
};

/// Where the table stands.
pub const TABLE: &str = "ARCHITECTURE.md";
const FENCE: &str = "```floors";

/// A crate under this rule: its name in the table, its folder, its name in Rust.
struct House {
    short: &'static str,
    sources: &'static str,
    name: &'static str,
}

const HOUSES: [House; 3] = [
    House { short: "core", sources: "billing-core/src/", name: "billing_core" },
    House { short: "store", sources: "billing-store/src/", name: "billing_store" },
    House { short: "formats", sources: "billing-formats/src/", name: "billing_formats" },
];

/// Files that stand outside the floors: the roof, which only re-exports, and programs.
const ROOFS: [&str; 2] = ["lib.rs", "main.rs"];

/// Reads the table and every `use` line, and compares the two.
///
/// The table is a fenced block that opens with ```` ```floors ````. A line is
/// `crate::module: allowed modules`; what is allowed are modules of the same crate, or a whole
/// other crate as `core`, `store` or `formats`. Code under `#[cfg(test)]` may import anything.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let Some(text) = tree.text(TABLE) else {
        return vec![Finding::error(TABLE, 0, "is missing, and with it the floors table")];
    };
    let (table, mut findings) = Table::parse(text);
    if table.rows.is_empty() {
        findings.push(Finding::error(TABLE, 0, format!("has no rows in a {FENCE} block")));
        return findings;
    }
    for house in &HOUSES {
        let modules = modules(tree, house);
        findings.extend(table.against_modules(house, &modules));
        findings.extend(table.cycles(house));
        findings.extend(table.against_imports(tree, house, &modules));
    }
    findings
}

#[derive(Debug, Default)]
struct Table {
    /// By (crate, module).
    rows: BTreeMap<(String, String), Row>,
}

#[derive(Debug)]
struct Row {
    line: usize,
    allowed: Vec<String>,
}

impl Table {
    fn parse(text: &str) -> (Self, Vec<Finding>) {
        let (mut table, mut findings, mut inside) = (Self::default(), Vec::new(), false);
        for (line, text) in (1..).zip(text.lines().map(str::trim)) {
            match (inside, text.starts_with(FENCE), text.starts_with("```")) {
                (false, opens, _) => inside = opens,
                (true, _, true) => inside = false,
                (true, _, false) if text.is_empty() || text.starts_with('#') => {}
                (true, _, false) => {
                    if let Err(message) = table.add(line, text) {
                        findings.push(Finding::error(TABLE, line, message));
                    }
                }
            }
        }
        (table, findings)
    }

    fn add(&mut self, line: usize, text: &str) -> Result<(), String> {
        let shape = || format!("`{text}` is not of the form `crate::module: allowed modules`");
        let (house, rest) = text.split_once("::").ok_or_else(shape)?;
        let (module, allowed) = rest.split_once(':').ok_or_else(shape)?;
        let (house, module) = (house.trim().to_owned(), module.trim().to_owned());
        if !HOUSES.iter().any(|known| known.short == house) {
            return Err(format!("`{house}` is no crate with floors"));
        }
        let words = allowed.split([',', ' ']).filter(|word| !word.is_empty());
        let row = Row { line, allowed: words.map(str::to_owned).collect() };
        match self.rows.insert((house, module), row) {
            Some(first) => Err(format!("`{text}` repeats the row of line {}", first.line)),
            None => Ok(()),
        }
    }

    fn of<'a>(&'a self, house: &House) -> impl Iterator<Item = (&'a str, &'a Row)> {
        let short = house.short;
        let own = self.rows.iter().filter(move |((of, _), _)| of == short);
        own.map(|((_, module), row)| (module.as_str(), row))
    }

    /// The table and the folders name the same modules.
    fn against_modules(&self, house: &House, modules: &BTreeMap<&str, &str>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (module, row) in self.of(house) {
            let place = format!("{}::{module}", house.short);
            if !modules.contains_key(module) {
                let message = format!("`{place}` is listed but {} lacks it", house.sources);
                findings.push(Finding::error(TABLE, row.line, message));
            }
            for allowed in &row.allowed {
                let other_crate =
                    HOUSES.iter().any(|o| o.short == allowed && o.short != house.short);
                if !other_crate && !modules.contains_key(allowed.as_str()) {
                    let message = format!("`{place}` may import `{allowed}`, which does not exist");
                    findings.push(Finding::error(TABLE, row.line, message));
                }
            }
        }
        let listed: BTreeSet<&str> = self.of(house).map(|(module, _)| module).collect();
        for (module, path) in modules.iter().filter(|(module, _)| !listed.contains(*module)) {
            let message = format!("module `{}::{module}` has no row in {TABLE}", house.short);
            findings.push(Finding::error(path, 1, message));
        }
        findings
    }

    /// Follows the allowed imports down and reports each way back to its start.
    fn cycles(&self, house: &House) -> Vec<Finding> {
        let below: BTreeMap<&str, &Row> = self.of(house).collect();
        let mut done = BTreeSet::new();
        let mut findings = Vec::new();
        for start in below.keys() {
            descend(start, &below, &mut Vec::new(), &mut done, &mut findings);
        }
        findings
    }

    fn against_imports(
        &self,
        tree: &Tree,
        house: &House,
        modules: &BTreeMap<&str, &str>,
    ) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut used: BTreeSet<(String, String)> = BTreeSet::new();
        for (path, text, inside) in sources(tree, house) {
            let module = inside[0];
            let row = self.rows.get(&(house.short.to_owned(), module.to_owned()));
            // A module without a row is reported once, where it starts.
            let Some(row) = row else { continue };
            for import in imports(&inside, text) {
                let Some(name) = import.target.name(house, modules) else { continue };
                let allowed = match &name {
                    Ok(name) => name == module || row.allowed.contains(name),
                    Err(_) => false,
                };
                let message = match name {
                    Ok(name) if allowed => {
                        used.insert((module.to_owned(), name));
                        continue;
                    }
                    Ok(name) => format!(
                        "`{}::{module}` imports `{name}`, which {TABLE}:{} does not allow",
                        house.short, row.line
                    ),
                    Err(message) => message,
                };
                findings.push(Finding::error(path, import.line, message));
            }
        }
        for (module, row) in self.of(house).filter(|(module, _)| modules.contains_key(module)) {
            let unused =
                |allowed: &&String| !used.contains(&(module.to_owned(), String::clone(allowed)));
            let unused: Vec<&str> = row.allowed.iter().filter(unused).map(String::as_str).collect();
            if !unused.is_empty() {
                let message =
                    format!("`{}::{module}` does not use: {}", house.short, unused.join(", "));
                findings.push(Finding::warning(TABLE, row.line, message));
            }
        }
        findings
    }
}

fn descend<'a>(
    module: &'a str,
    below: &BTreeMap<&'a str, &'a Row>,
    way: &mut Vec<&'a str>,
    done: &mut BTreeSet<&'a str>,
    findings: &mut Vec<Finding>,
) {
    if let Some(start) = way.iter().position(|passed| *passed == module) {
        let circle = [&way[start..], &[module]].concat().join(" > ");
        let line = below.get(module).map_or(0, |row| row.line);
        findings.push(Finding::error(TABLE, line, format!("goes in a circle: {circle}")));
        return;
    }
    let Some(row) = below.get(module).filter(|_| !done.contains(module)) else { return };
    way.push(module);
    for next in &row.allowed {
        descend(next, below, way, done, findings);
    }
    way.pop();
    done.insert(module);
}

/// Each module of a crate and the file it starts in.
fn modules<'a>(tree: &'a Tree, house: &House) -> BTreeMap<&'a str, &'a str> {
    let mut modules = BTreeMap::new();
    for (path, _, inside) in sources(tree, house) {
        modules.entry(inside[0]).or_insert(path);
    }
    modules
}

/// The files below the roof, each with the module path its place gives it.
fn sources<'a>(
    tree: &'a Tree,
    house: &House,
) -> impl Iterator<Item = (&'a str, &'a str, Vec<&'a str>)> {
    let folder = house.sources;
    tree.ending(".rs").filter_map(move |(path, text)| {
        let inside = path.strip_prefix(folder)?;
        if ROOFS.contains(&inside) || inside.starts_with("bin/") {
            return None;
        }
        let mut parts: Vec<&str> = inside.strip_suffix(".rs")?.split('/').collect();
        if parts.last() == Some(&"mod") {
            parts.pop();
        }
        // `tests.rs` and `tests/` are declared under `#[cfg(test)]`.
        (!parts.contains(&"tests")).then_some((path, text, parts))
    })
}

#[derive(Debug, PartialEq, Eq)]
struct Import<'a> {
    line: usize,
    target: Target<'a>,
}

#[derive(Debug, PartialEq, Eq)]
enum Target<'a> {
    /// A name in the root of the own crate: a module, as it should be, or something else.
    Own(&'a str),
    /// A crate with floors, by its name in Rust.
    Other(&'a str),
}

impl Target<'_> {
    /// What the table calls it; the inner error says why the table cannot.
    fn name(
        &self,
        house: &House,
        modules: &BTreeMap<&str, &str>,
    ) -> Option<Result<String, String>> {
        match *self {
            Self::Own(name) if modules.contains_key(name) => Some(Ok(name.to_owned())),
            Self::Own("*") => Some(Err("imports everything from the crate root".to_owned())),
            Self::Own(name) => Some(Err(format!(
                "imports `{name}` from the crate root; name the module that defines it"
            ))),
            Self::Other(name) => {
                let other = HOUSES.iter().find(|other| other.name == name)?;
                (other.short != house.short).then(|| Ok(other.short.to_owned()))
            }
        }
    }
}

/// What the file at module path `inside` reaches for, in `use` lines and in paths alike.
fn imports<'a>(inside: &[&'a str], text: &'a str) -> Vec<Import<'a>> {
    let tokens = tokens(text);
    let mut found = Vec::new();
    // For each open brace, whether it is the body of an inline module.
    let mut braces: Vec<bool> = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token.kind {
            Kind::Sign('#') if is_test_only(&tokens[at..]) => {
                if sign(&tokens, at + 1) == Some('!') {
                    return found;
                }
                at = after_item(&tokens, at);
                continue;
            }
            Kind::Sign('{') => {
                let named = at >= 2
                    && tokens[at - 2].kind == Kind::Name("mod")
                    && matches!(tokens[at - 1].kind, Kind::Name(_));
                braces.push(named);
            }
            Kind::Sign('}') => drop(braces.pop()),
            Kind::Name("crate") if is_separator(&tokens, at + 1) => {
                found.extend(from_root(&tokens, at + 2));
            }
            Kind::Name("super") if !after_super(&tokens, at) => {
                let depth = inside.len() + braces.iter().filter(|named| **named).count();
                let (ups, next) = climb(&tokens, at);
                if ups >= depth {
                    found.extend(from_root(&tokens, next));
                }
            }
            Kind::Name(name) if HOUSES.iter().any(|house| house.name == name) => {
                found.push(Import { line: token.line, target: Target::Other(name) });
            }
            Kind::Name(_) | Kind::PathSeparator | Kind::Sign(_) => {}
        }
        at += 1;
    }
    found
}

/// The first names of the path, or of each path of the group, that starts at `at`.
fn from_root<'a>(tokens: &[Token<'a>], at: usize) -> Vec<Import<'a>> {
    if sign(tokens, at) != Some('{') {
        return first_name(tokens, at).into_iter().collect();
    }
    let (mut found, mut depth) = (Vec::new(), 0_usize);
    for (here, token) in tokens.iter().enumerate().skip(at) {
        match token.kind {
            Kind::Sign('{') => depth += 1,
            Kind::Sign('}') => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
        if depth == 1 && (here == at || token.kind == Kind::Sign(',')) {
            found.extend(first_name(tokens, here + 1));
        }
    }
    found
}

fn first_name<'a>(tokens: &[Token<'a>], at: usize) -> Option<Import<'a>> {
    let token = tokens.get(at)?;
    let target = match token.kind {
        // A macro is known in the whole crate and belongs to no floor.
        Kind::Name(_) if sign(tokens, at + 1) == Some('!') => return None,
        Kind::Name(name) => Target::Own(name),
        Kind::Sign('*') => Target::Own("*"),
        Kind::PathSeparator | Kind::Sign(_) => return None,
    };
    Some(Import { line: token.line, target })
}

fn sign(tokens: &[Token<'_>], at: usize) -> Option<char> {
    match tokens.get(at)?.kind {
        Kind::Sign(sign) => Some(sign),
        Kind::Name(_) | Kind::PathSeparator => None,
    }
}

fn is_separator(tokens: &[Token<'_>], at: usize) -> bool {
    tokens.get(at).is_some_and(|token| token.kind == Kind::PathSeparator)
}

fn after_super(tokens: &[Token<'_>], at: usize) -> bool {
    at >= 2 && is_separator(tokens, at - 1) && tokens[at - 2].kind == Kind::Name("super")
}

/// How many `super::` stand in a row at `at`, and what comes after them.
fn climb(tokens: &[Token<'_>], mut at: usize) -> (usize, usize) {
    let mut ups = 0;
    while tokens.get(at).is_some_and(|token| token.kind == Kind::Name("super"))
        && is_separator(tokens, at + 1)
    {
        ups += 1;
        at += 2;
    }
    (ups, at)
}

/// Whether `tokens` start with `#[cfg(test)]`, `#[cfg(all(test, ..))]` or their inner forms.
fn is_test_only(tokens: &[Token<'_>]) -> bool {
    let words = tokens.iter().map(|token| token.kind).filter(|kind| *kind != Kind::Sign('!'));
    let words: Vec<Kind<'_>> = words.take(8).collect();
    let start = [Kind::Sign('#'), Kind::Sign('['), Kind::Name("cfg"), Kind::Sign('(')];
    let Some(rest) = words.strip_prefix(&start) else { return false };
    let all = [Kind::Name("all"), Kind::Sign('('), Kind::Name("test"), Kind::Sign(',')];
    rest.starts_with(&[Kind::Name("test"), Kind::Sign(')')]) || rest.starts_with(&all)
}

/// The place after the item that the attribute at `at` belongs to.
fn after_item(tokens: &[Token<'_>], mut at: usize) -> usize {
    while sign(tokens, at) == Some('#') {
        at = after_group(tokens, at + 1);
    }
    while let Some(token) = tokens.get(at) {
        match token.kind {
            Kind::Sign(';') => return at + 1,
            Kind::Sign('{') => return after_group(tokens, at),
            Kind::Sign('(' | '[') => at = after_group(tokens, at),
            Kind::Name(_) | Kind::PathSeparator | Kind::Sign(_) => at += 1,
        }
    }
    at
}

/// The place after the bracket that closes the one at `at`.
fn after_group(tokens: &[Token<'_>], at: usize) -> usize {
    let mut depth = 0_usize;
    for (here, token) in tokens.iter().enumerate().skip(at) {
        match token.kind {
            Kind::Sign('(' | '[' | '{') => depth += 1,
            Kind::Sign(')' | ']' | '}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return here + 1;
        }
    }
    tokens.len()
}

#[cfg(test)]
#[path = "floors_tests.rs"]
mod tests;
