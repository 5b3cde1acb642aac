//! What became of the rows of a deck.

/// What became of the rows of a deck: `rows` is the sum of the others.
///
/// # Examples
///
/// ```
/// use billing_formats::deck::{Counts, Deck, Mapping};
///
/// let mapping: Mapping = serde_json::from_str(
///     r#"{"currency": "EUR", "zone": "UTC", "mode": "full", "rows": "with_code",
///         "columns": {"code": "Code", "destination": "Name", "price": "Rate", "increments": {"constant": "60/60"}}}"#,
/// )?;
/// let file = "Prices of March\n\nCode,Name,Rate\n49,Germany,0.02\n,,\n49,Germany,0.02\nwithout VAT\n";
/// let counts = *Deck::read(file.as_bytes(), &mapping)?.counts();
/// assert_eq!(counts, Counts { rows: 7, priced: 1, repeated: 1, passed_over: 3, blank: 2, ..Counts::default() });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All rows, blank lines with them.
    pub rows: u64,
    /// Those that became lines of a tariff: one, or several where their codes end at different times.
    pub priced: u64,
    /// Those that withdraw codes.
    pub withdrawn: u64,
    /// Those that say what another row says.
    pub repeated: u64,
    /// Those up to the header, and those that the mapping does not read.
    pub passed_over: u64,
    /// Lines with nothing on them, and rows of empty columns.
    pub blank: u64,
    /// Those that cannot be taken in.
    pub refused: u64,
}
