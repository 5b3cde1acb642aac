//! The tariff: a document, or a deck.

use std::{fs::File, io::BufReader, path::Path};

use billing::{
    core::tariff::{Tariff, TariffBuilder, TariffSpec},
    formats::deck::{Counts, Mapping, stream},
};

use super::{Done, read_json};

pub struct Prices {
    pub tariff: Tariff,
    /// The decimals of its prices.
    pub decimals: u32,
    /// What became of the rows of the deck.
    pub counts: Option<Counts>,
}

impl Prices {
    pub fn of_document(path: &Path) -> Done<Self> {
        let spec: TariffSpec = read_json(path)?;
        let tariff =
            Tariff::compile(&spec).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self { tariff, decimals: spec.decimals.into(), counts: None })
    }

    /// Compiles the deck while it is read, so that only the compiled tariff is kept.
    pub fn of_deck(deck: &Path, mapping: &Path, decimals: u8) -> Done<Self> {
        let mapping: Mapping = read_json(mapping)?;
        let head: TariffSpec = serde_json::from_value(serde_json::json!({
            "id": "deck", "version": 1, "currency": mapping.currency, "zone": mapping.zone,
            "decimals": decimals, "rounding": "half_up", "lines": [],
        }))?;
        let mut builder = TariffBuilder::new(&head)?;
        let at = |error: &dyn std::fmt::Display| format!("{}: {error}", deck.display());
        let file = File::open(deck).map_err(|error| at(&error))?;
        let read = stream(BufReader::new(file), &mapping, |line| builder.push(&line));
        let counts = read.map_err(|error| match std::error::Error::source(&error) {
            Some(cause) => at(&format!("{error}: {cause}")),
            None => at(&error),
        })?;
        // Lines of the tariff are the prices of the deck, one after the other.
        let tariff = builder.finish().map_err(|error| at(&format!("as a tariff, {error}")))?;
        Ok(Self { tariff, decimals: decimals.into(), counts: Some(counts) })
    }
}
