//! Price lists of suppliers and carriers, read into lines of a tariff by a mapping that says how they are written.
//!
//! `docs/decks.md` tells what a [`Mapping`] says and how to load a deck. A [`Deck`] is what was read; nothing is saved by it.
//! [`TariffSpec::diff`](billing_core::tariff::TariffSpec::diff) is the preview of what it makes of a tariff.
//!
//! ```
//! use billing_core::tariff::{Tariff, TariffSpec};
//! use billing_formats::deck::{Deck, Mapping};
//!
//! let mapping: Mapping = serde_json::from_str(
//!     r#"{"currency": "EUR", "zone": "Europe/Berlin", "mode": "full", "rows": "with_code", "decimal": "comma",
//!         "columns": {"code": "Vorwahl", "destination": "Ziel", "price": "EUR/min", "increments": "Takt"}}"#,
//! )?;
//! let file = "Preisliste;;;\r\n\r\nZiel;Vorwahl;Takt;EUR/min\r\n\
//!     Deutschland;+49;60/60;0,012\r\nUK mobil;44 7700-7799;30/6;0,021\r\nalle Preise netto;;;\r\n";
//! let deck = Deck::read(file.as_bytes(), &mapping)?;
//!
//! let present: TariffSpec = serde_json::from_str(
//!     r#"{"id":"retail","version":1,"currency":"EUR","zone":"Europe/Berlin","decimals":4,"rounding":"half_up","lines":[]}"#,
//! )?;
//! let loaded = deck.apply(&present, 2)?;
//! assert_eq!(loaded.tariff.lines[1].to, serde_json::from_str(r#"{"prefixes":["4477"]}"#)?);
//! let compiled = Tariff::compile(&loaded.tariff)?;
//! assert_eq!((deck.counts().passed_over, compiled.prefixes()), (3, 2));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Rows
//!
//! Columns, quotation marks, blank lines and lines that are too long are treated as in [`csv`](crate::csv#records). A row is read if
//! the mapping does not pass it over, and then becomes a line, withdraws codes, repeats another row, or is refused with the place
//! and the value at fault. [`Counts`] adds up. A row may have fewer columns than the header if none of those are read, and more if
//! nothing stands in them.
//!
//! # Codes
//!
//! | in the deck | means |
//! |---|---|
//! | `4930`, `+4930`, `004930`, `49 30`, `(49) 30` | 4930 |
//! | `1-204` | 1204: one to three digits before the hyphen, and more behind it |
//! | `44 7700-7799` | the codes from 447700 to 447799, as the fewest prefixes: 4477 |
//! | `52 33-34` | 5233 and 5234: up to three digits make a range behind a country only |
//! | `52 33,34` and `52 33;34` | 5233 and 5234: what stands before the first space of the first code stands before the others |
//! | `1-204,1-250` | 1204 and 1250: a code that has a country of its own keeps it |
//! | `1-204` behind a country 1 | refused: the country may stand there twice |
//! | `*` | all that no other row names; behind a country, all of that country |
//! | `4.40E+2` | 440: all digits are there |
//! | `4.47956E+11`, `4.4E+2` | refused: a spreadsheet dropped digits |
//! | `52-55`, `204-55`, `1-33-34`, `4477-4478999`, `1,204` | refused unless [`Mapping::hyphen`] or [`Mapping::comma`] says what is meant |
//!
//! # The same code twice
//!
//! With different dates, each price holds until the next begins. With the same date, rows that say the same are one, and of others
//! the later one is refused, naming the earlier.

mod apply;
mod bad_row;
mod bad_rows;
mod change;
mod code;
mod columns;
mod counts;
mod date;
mod encoding;
mod head;
mod increments;
mod invalid;
mod layout;
mod list;
mod mapping;
mod named;
mod price;
mod price_list;
mod range;
mod read_error;
mod reader;
mod row;
mod sequence;
mod setting;
mod stream;
mod terms;

pub use apply::{DeckError, Loaded};
pub use bad_row::{BadRow, Problem};
pub use bad_rows::{BAD_ROWS_MAX, BadRows};
pub use change::{Change, Mode};
pub use code::ROW_CODES_MAX;
pub use columns::Columns;
pub use counts::Counts;
pub use encoding::Encoding;
pub use increments::{Increments, InvalidIncrements};
pub use invalid::InvalidMapping;
pub use list::RANGE_PREFIXES_MAX;
pub use mapping::{
    Comma, DataRows, DateOrder, DecimalMark, EndDate, Header, Hyphen, Mapping, Per, ThousandsMark,
};
pub use price_list::Deck;
pub use range::{InvalidRange, fewest_prefixes};
pub use read_error::ReadError;
pub use setting::Setting;
pub use stream::{StreamError, stream};

/// The program of the guide, run with the tests.
#[cfg(doctest)]
#[cfg_attr(doctest, doc = include_str!("../../../docs/decks.md"))]
struct Guide;
