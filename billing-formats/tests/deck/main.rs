//! Price lists: what a mapping makes of them, what is refused, and what they make of a tariff.
#![expect(
    clippy::default_numeric_fallback,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

mod apply;
mod cells;
mod codes;
mod files;
mod mappings;
mod prices;
mod same_code;
mod streams;

use billing_core::tariff::{LineSpec, To};
use billing_formats::deck::{Deck, Mapping};
use serde_json::{Value, json};

const HEADER: &str = "code,name,rate";

/// A mapping of the columns `code`, `name` and `rate`, with fields of it and of its columns replaced.
fn mapping(changes: &Value, columns: &Value) -> Mapping {
    let mut mapping = json!({
        "currency": "EUR", "zone": "Europe/Berlin", "mode": "full",
        "columns": {"code": "code", "destination": "name", "price": "rate", "increments": {"constant": "60/60"}},
    });
    for (object, changes) in [("", changes), ("/columns", columns)] {
        let object = mapping.pointer_mut(object).unwrap();
        for (name, value) in changes.as_object().unwrap() {
            object[name] = value.clone();
        }
    }
    serde_json::from_value(mapping).unwrap()
}

fn standard() -> Mapping {
    mapping(&json!({}), &json!({}))
}

fn read(mapping: &Mapping, file: impl AsRef<[u8]>) -> Deck {
    Deck::read(file.as_ref(), mapping).unwrap()
}

fn lines(deck: &Deck) -> Vec<LineSpec> {
    assert_eq!(deck.bad_rows().to_string(), "0 rows cannot be taken in");
    deck.lines().collect()
}

/// The only line of a deck with one row.
fn line(mapping: &Mapping, header: &str, row: &str) -> LineSpec {
    let mut lines = lines(&read(mapping, format!("{header}\n{row}\n")));
    assert_eq!(lines.len(), 1, "{row}");
    lines.pop().unwrap()
}

/// Why the only row of a deck is refused.
fn refusal(mapping: &Mapping, header: &str, row: &str) -> String {
    let deck = read(mapping, format!("{header}\n{row}\n"));
    assert_eq!((deck.bad_rows().count(), deck.lines().count()), (1, 0), "{row}");
    deck.bad_rows().rows()[0].to_string()
}

/// The codes of a line as text, `*` for the catch-all.
fn codes(line: &LineSpec) -> Vec<String> {
    match &line.to {
        To::Prefixes(prefixes) => prefixes.iter().map(ToString::to_string).collect(),
        To::Any => vec!["*".to_owned()],
        To::Group(name) => panic!("a group {name}"),
    }
}
