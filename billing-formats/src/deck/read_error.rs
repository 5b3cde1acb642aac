//! A deck that cannot be read at all, or not any further.

use std::io;

use crate::{
    csv::BadHeader,
    deck::{InvalidMapping, invalid::HEADER_ROW_MAX},
};

/// A deck cannot be read at all, or not any further.
///
/// # Examples
///
/// ```
/// use billing_formats::deck::{Deck, Mapping};
///
/// let mapping: Mapping = serde_json::from_str(
///     r#"{"currency": "EUR", "zone": "UTC", "mode": "full",
///         "columns": {"code": "Code", "destination": "Name", "price": "Rate", "increments": {"constant": "60/60"}}}"#,
/// )?;
/// let problem = Deck::read("Code;Name;Price\n".as_bytes(), &mapping).unwrap_err();
/// assert_eq!(
///     problem.to_string(),
///     "the header has no column `Rate`; accepted is one with every column that the mapping names",
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The input failed.
    #[error("the input cannot be read")]
    Input(#[from] io::Error),
    /// The mapping contradicts itself.
    #[error(transparent)]
    Mapping(#[from] InvalidMapping),
    /// The header is not that of the mapping; of all rows that were looked at, the one most like it is named.
    #[error(transparent)]
    Header(#[from] BadHeader),
    /// There is no header.
    #[error("there is no header; accepted is one within the first {HEADER_ROW_MAX} rows")]
    NoHeader,
    /// Two delimiters suit as many rows, and give as many columns.
    #[error("two delimiters suit as well; accepted is a mapping whose `delimiter` says which")]
    EitherDelimiter,
    /// There are far more codes than rows.
    #[error(
        "the rows up to line {line} name more than {max} codes; accepted are a million, or ten for each row if that is more"
    )]
    TooManyCodes {
        /// The physical line on which the last of them begins, counted from 1.
        line: u64,
        /// How many are accepted up to there.
        max: usize,
    },
    /// There are more codes than a tariff may have.
    #[error("a deck of more than {max} rows or codes is too large")]
    TooLarge {
        /// How many are accepted.
        max: u32,
    },
}
