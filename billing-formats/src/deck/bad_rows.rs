//! The rows of a deck that cannot be taken in.

use core::fmt;

use crate::deck::BadRow;

/// How many rows that cannot be taken in are kept; of more, only their number is.
pub const BAD_ROWS_MAX: usize = 1_000;

/// The rows of a deck that cannot be taken in, in their order.
///
/// # Examples
///
/// ```
/// use billing_formats::deck::{Deck, Mapping};
///
/// let mapping: Mapping = serde_json::from_str(
///     r#"{"currency": "EUR", "zone": "UTC", "mode": "full", "header": "absent",
///         "columns": {"code": 1, "destination": 2, "price": 3, "increments": {"constant": "60/60"}}}"#,
/// )?;
/// let deck = Deck::read("49;Germany;0.02\n33;France;n/a\n".as_bytes(), &mapping)?;
/// assert_eq!(
///     deck.bad_rows().to_string(),
///     "1 row cannot be taken in; the first: line 2, column 3, value \"n/a\": \
///      it cannot be read as a price; accepted is a number such as 0.015, as the mapping writes it",
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BadRows {
    count: u64,
    rows: Vec<BadRow>,
}

impl BadRows {
    /// How many there are.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The first of them, up to [`BAD_ROWS_MAX`]; those that are refused for another row come after that many of the others.
    #[must_use]
    pub fn rows(&self) -> &[BadRow] {
        &self.rows
    }

    pub(super) fn push(&mut self, row: BadRow) {
        self.count = self.count.saturating_add(1);
        if self.rows.len() < BAD_ROWS_MAX {
            self.rows.push(row);
        }
    }

    pub(super) fn sort(&mut self) {
        self.rows.sort_by_key(|row| row.line);
    }
}

impl fmt::Display for BadRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = if self.count == 1 { "row" } else { "rows" };
        write!(f, "{} {rows} cannot be taken in", self.count)?;
        self.rows.first().into_iter().try_for_each(|first| write!(f, "; the first: {first}"))
    }
}

impl core::error::Error for BadRows {}
