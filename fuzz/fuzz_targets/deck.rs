//! The reader of decks: the first line is the mapping; its counts add up, and what it makes of a tariff compiles.
#![no_main]

use std::sync::LazyLock;

use billing_core::tariff::{Tariff, TariffSpec};
use billing_formats::deck::{Deck, Mapping};
use billing_fuzz::{first_line, read_or};
use libfuzzer_sys::fuzz_target;

static MAPPING: LazyLock<Mapping> = LazyLock::new(|| {
    let mapping = r#"{"currency": "EUR", "zone": "Europe/Berlin", "mode": "full", "rows": "with_code", "decimal": "comma",
        "columns": {"code": "Vorwahl", "destination": "Ziel", "price": "EUR/min", "increments": "Takt"}}"#;
    serde_json::from_str(mapping).expect("a mapping")
});

static PRESENT: LazyLock<TariffSpec> = LazyLock::new(|| {
    let tariff = r#"{"id": "retail", "version": 1, "currency": "EUR", "zone": "Europe/Berlin", "decimals": 4,
        "rounding": "half_up", "lines": [{"destination": "Germany", "to": {"prefixes": ["49"]},
            "bands": [{"price": "0.02", "per": "60", "increment": "1"}]}]}"#;
    serde_json::from_str(tariff).expect("a tariff")
});

fuzz_target!(|input: &[u8]| {
    let (document, file) = first_line(input);
    let mapping: Mapping = read_or(document, &MAPPING);
    let Ok(deck) = Deck::read(file, &mapping) else { return };
    let counts = deck.counts();
    let answered = [counts.priced, counts.withdrawn, counts.repeated, counts.refused];
    let rows: u64 = answered.iter().sum();
    assert_eq!(counts.rows, rows + counts.passed_over + counts.blank);
    let _lines = deck.lines().count();
    if let Ok(loaded) = deck.apply(&PRESENT, 2) {
        Tariff::compile(&loaded.tariff).expect("what is applied compiles");
    }
});
