//! A file of documents, line by line.

use core::fmt;
use std::io::{self, BufRead};

use billing_core::item::{Incoming, Item};

use crate::{
    lines::{LINE_BYTES_MAX, NumberedLines, Read},
    ndjson::{
        BadLine, Reason,
        document::{Unread, read},
        fault,
    },
};

/// What one line became.
pub type Row = Result<Incoming, BadLine>;

/// A file of documents, line by line.
///
/// Gives one [`Row`] for every line that is not blank, in order. Memory stays flat, whatever the length of the file and of its
/// lines.
///
/// # Errors
///
/// An error of the input is given once and ends the reader; what was read of a line by then is lost, so the file is to be
/// read again.
///
/// # Examples
///
/// ```
/// use billing_core::decide::Refusal;
/// use billing_formats::ndjson::Reader;
///
/// let file = r#"{"key":{"source":"meter","id":"1"},"account":null,"pulse":{"at":"2026-10-05T08:00:00Z","product":"storage","unit":"GB-h","amount":"0.25"}}
/// {"key":{"source":"meter","id":"2"},"account":null,"pulse":{"at":"2026-10-05T08:00:00Z","product":"storage","unit":"GB-h","amount":0.25}}
/// "#;
/// let entries: Vec<_> = Reader::new(file.as_bytes())
///     .map(|row| row.map(|row| row.map_err(Refusal::from)))
///     .collect::<Result<_, _>>()?;
/// assert_eq!(entries[0].as_ref().unwrap().key.to_string(), "meter/1");
/// let refusal = entries[1].as_ref().unwrap_err();
/// assert_eq!(refusal.place, "line 2");
/// assert_eq!(refusal.reason, "`pulse.amount` is not accepted; accepted is a quantity as text, such as \"1.5\"");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Reader<R> {
    lines: NumberedLines<R>,
}

impl<R: BufRead> Reader<R> {
    /// Reads `input`.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_formats::ndjson::Reader;
    ///
    /// let rows: Vec<_> = Reader::new("{}\n\n[]".as_bytes()).collect::<Result<_, _>>()?;
    /// let shown: Vec<_> = rows.iter().map(|row| row.as_ref().unwrap_err().to_string()).collect();
    /// assert_eq!(shown, ["line 1: `key` is missing", "line 3: `document` is not accepted; accepted is an object"]);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub const fn new(input: R) -> Self {
        Self { lines: NumberedLines::new(input, LINE_BYTES_MAX) }
    }

    fn row(&self, read: Read) -> Row {
        let item = match read {
            Read::TooLong => Err(Reason::TooLong),
            Read::Whole | Read::End => item(self.lines.line()),
        };
        item.map_err(|reason| BadLine {
            line: self.lines.number(),
            column: None,
            reason,
            raw: self.lines.raw(),
        })
    }
}

fn item(line: &[u8]) -> Result<Incoming, Reason> {
    let text = match core::str::from_utf8(line) {
        Ok(text) => text,
        Err(error) => return Err(Reason::Encoding { at: error.valid_up_to() }),
    };
    match read(text) {
        Ok(incoming) if may_have_a_name_twice(&incoming) => {
            fault::of(text).map_or(Ok(incoming), Err)
        }
        Ok(incoming) => Ok(incoming),
        Err(Unread::Reason(reason)) => Err(reason),
        Err(Unread::Json(error)) => Err(fault::of_error(text, &error)),
    }
}

/// Properties take any name, and of a name that comes twice they keep the last value.
fn may_have_a_name_twice(incoming: &Incoming) -> bool {
    matches!(&incoming.item, Item::Pulse(pulse) if !pulse.properties.is_empty())
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = io::Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        let read = self.lines.advance_to_full()?;
        Some(read.map(|read| self.row(read)))
    }
}

impl<R: BufRead> core::iter::FusedIterator for Reader<R> {}

impl<R> fmt::Debug for Reader<R> {
    // The buffer holds telephone numbers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}
