//! A file of call detail records, line by line.

use core::fmt;
use std::io::{self, BufRead};

use crate::{
    asterisk::{BadRow, Cdr, Options, Reason, bad_row::Fault, columns::Splitter, record::record},
    clock::Clock,
    lines::{LINE_BYTES_MAX, NumberedLines, Read},
};

/// What one physical line became.
pub type Row = Result<Cdr, BadRow>;

/// A file of call detail records, line by line.
///
/// Gives one [`Row`] for every physical line, in order; lines end with LF or CRLF, the last one also without, and a byte
/// order mark before the first is skipped. Memory stays flat, whatever the length of the file and of its lines.
///
/// # Errors
///
/// An error of the input is given once and ends the reader; what was read of a line by then is lost, so the file is to be
/// read again.
///
/// # Examples
///
/// ```
/// use billing_core::{id::SourceId, time::Zone};
/// use billing_formats::asterisk::{Column, Options, Reader};
///
/// let options = Options::new(SourceId::try_new("pbx-1")?, Zone::try_new("Europe/Berlin")?);
/// let file = r#""","101","102","office","","SIP/101-00000001","","","","2026-10-01 08:00:00",,"2026-10-01 08:00:09",9,0,"NO ANSWER","","1790834400.1"
/// "","101","102","office","","SIP/101-00000002","","","","2026-10-01 08:01:00",,"2026-10-01 08:01:09",9s,0,"NO ANSWER","","1790834460.2""#;
///
/// let rows: Vec<_> = Reader::new(file.as_bytes(), &options).collect::<Result<_, _>>()?;
/// assert_eq!(rows[0].as_ref().unwrap().duration_s, 9);
/// let bad = rows[1].as_ref().unwrap_err();
/// assert_eq!((bad.line, bad.column), (2, Some(Column::Duration)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Reader<R> {
    lines: NumberedLines<R>,
    splitter: Splitter,
    clock: Clock,
}

impl<R: BufRead> Reader<R> {
    /// Reads `input`, whose times are in the zone of the options.
    #[must_use]
    pub fn new(input: R, options: &Options) -> Self {
        Self {
            lines: NumberedLines::new(input, LINE_BYTES_MAX),
            splitter: Splitter::new(),
            clock: Clock::new(options.zone.clone()),
        }
    }

    fn row(&mut self, read: Read) -> Row {
        self.cdr(read).map_err(|fault| fault.into_row(self.lines.number(), self.lines.raw()))
    }

    fn cdr(&mut self, read: Read) -> Result<Cdr, Fault> {
        if read == Read::TooLong {
            return Err(Reason::TooLong.into());
        }
        if self.lines.line().is_empty() {
            return Err(Reason::Empty.into());
        }
        let columns = self.splitter.split(self.lines.line())?;
        record(self.lines.number(), &columns, &mut self.clock)
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = io::Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        let read = self.lines.advance()?;
        Some(read.map(|read| self.row(read)))
    }
}

impl<R: BufRead> core::iter::FusedIterator for Reader<R> {}

impl<R> fmt::Debug for Reader<R> {
    // The buffers hold telephone numbers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}
