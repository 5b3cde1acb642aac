//! What a row of a deck does to the price of its codes.

use serde::{Deserialize, Serialize};

/// What a row of a deck does to the price of its codes.
///
/// Only `withdrawn` and `blocked` decide anything; the others are what the sender says of a price that counts in any case.
///
/// # Examples
///
/// ```
/// use billing_formats::{csv::Listed, deck::Change};
///
/// let flag: Listed<Change> = serde_json::from_str(
///     r#"{"column": "Status", "values": {"I": "increase", "D": "decrease", "X": "withdrawn", "": "unchanged"}}"#,
/// )?;
/// assert_eq!(flag.find("x"), Some(Change::Withdrawn));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// There was no price.
    New,
    /// It is higher than before.
    Increase,
    /// It is lower than before.
    Decrease,
    /// It is as before.
    Unchanged,
    /// It is another than before.
    Changed,
    /// Calls there are not to be made; the price is not read.
    Blocked,
    /// There is no price from the row's date on, or at once if it has none; the price is not read.
    Withdrawn,
}

/// Whether a deck is the whole price list.
///
/// # Examples
///
/// ```
/// use billing_formats::deck::Mode;
///
/// assert_eq!(serde_json::from_str::<Mode>(r#""delta""#)?, Mode::Delta);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It is: its lines replace all there are.
    Full,
    /// It holds changes: codes that it does not name keep their lines.
    Delta,
}
