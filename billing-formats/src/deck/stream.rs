//! A deck handed on line by line, without keeping it.

use std::io::BufRead;

use billing_core::tariff::{LineSpec, To};

use crate::deck::{
    BadRows, Counts, Mapping, Mode, ReadError,
    code::Named,
    reader::{Priced, Reader},
};

/// A deck could not be handed on whole; what was handed on by then is not to be used.
///
/// # Examples
///
/// See [`stream`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StreamError<E> {
    /// The deck cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Rows cannot be taken in.
    #[error(transparent)]
    BadRows(BadRows),
    /// A line was not accepted.
    #[error("the line of the row on line {line} is not accepted")]
    Sink {
        /// The physical line the row begins on, counted from 1.
        line: u64,
        /// Why.
        source: E,
    },
    /// The deck holds changes only.
    #[error(
        "a deck of changes needs the tariff that it changes; accepted is one whose `mode` is full"
    )]
    Delta,
}

/// Hands the lines of a full deck to `sink`, in the order of its rows, and answers what became of the rows.
///
/// Memory does not grow with the deck, so that a [`TariffBuilder`](billing_core::tariff::TariffBuilder) can be fed while the file is
/// read. In return rows are not compared with each other: a code that comes twice reaches the sink twice, with the dates of its
/// rows. [`Deck`](super::Deck) sorts that out.
///
/// After a row that cannot be taken in, the rest is read for its errors, and nothing more is handed on.
///
/// # Errors
///
/// [`StreamError`]; what the sink was given is then to be thrown away.
///
/// # Examples
///
/// ```
/// use billing_core::tariff::{TariffBuilder, TariffSpec};
/// use billing_formats::deck::{Mapping, StreamError, stream};
///
/// let mapping: Mapping = serde_json::from_str(
///     r#"{"currency": "EUR", "zone": "UTC", "mode": "full",
///         "columns": {"code": "Code", "destination": "Name", "price": "Rate", "increments": {"constant": "60/60"}}}"#,
/// )?;
/// let head: TariffSpec = serde_json::from_str(
///     r#"{"id":"supplier-1","version":1,"currency":"EUR","zone":"UTC","decimals":4,"rounding":"half_up","lines":[]}"#,
/// )?;
/// let mut builder = TariffBuilder::new(&head)?;
/// let file = "Code,Name,Rate\n49,Germany,0.02\n44 7700-7799,UK mobile,0.03\n";
/// let counts = stream(file.as_bytes(), &mapping, |line| builder.push(&line))?;
/// assert_eq!((counts.priced, builder.finish()?.prefixes()), (2, 2));
///
/// let mut builder = TariffBuilder::new(&head)?;
/// let refused = stream("Code,Name,Rate\n49,Germany,\n".as_bytes(), &mapping, |line| builder.push(&line));
/// assert!(matches!(refused, Err(StreamError::BadRows(rows)) if rows.count() == 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn stream<R: BufRead, E>(
    input: R,
    mapping: &Mapping,
    mut sink: impl FnMut(LineSpec) -> Result<(), E>,
) -> Result<Counts, StreamError<E>> {
    if mapping.mode == Mode::Delta {
        return Err(StreamError::Delta);
    }
    let mut reader = Reader::new(input, mapping)?;
    let mut bad_rows = BadRows::default();
    let mut counts = Counts::default();
    while let Some(row) = reader.next().map_err(ReadError::from)? {
        match row {
            Err(row) => bad_rows.push(row),
            Ok(row) if row.is_withdrawn => counts.withdrawn = counts.withdrawn.saturating_add(1),
            Ok(row) => {
                counts.priced = counts.priced.saturating_add(1);
                if bad_rows.count() == 0
                    && let Some(line) = line(&row, &reader)
                {
                    sink(line).map_err(|source| StreamError::Sink { line: row.line, source })?;
                }
            }
        }
    }
    if bad_rows.count() > 0 {
        return Err(StreamError::BadRows(bad_rows));
    }
    Ok(Counts { priced: counts.priced, withdrawn: counts.withdrawn, ..reader.counts })
}

fn line<R>(row: &Priced, reader: &Reader<'_, R>) -> Option<LineSpec> {
    let destination = reader.rows.destination.clone()?;
    let to = match row.named {
        Named::Any => To::Any,
        Named::Codes => To::Prefixes(reader.rows.codes.all.clone()),
    };
    let window = row.terms.window.and_then(|place| usize::try_from(place).ok());
    let window = window.and_then(|place| reader.rows.windows.get(place));
    Some(row.terms.line(destination, to, window.map(String::as_str)))
}
