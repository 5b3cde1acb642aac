//! A file of records, one by one.

use core::fmt;
use std::io::BufRead;

use billing_core::item::Incoming;

use crate::{
    accounts::AccountMap,
    csv::{
        BadHeader, BadRow, Header, InvalidMapping, Mapping, Quotes, ReadError, Reason, Records,
        bad_row::Fault,
        call::call,
        fields::Fields,
        places::Places,
        pulse::pulse,
        source::{Found, Source},
        splitter::Splitter,
    },
};

/// What one record became.
pub type Row = Result<Incoming, BadRow>;

/// A file of records, one by one.
///
/// Gives one [`Row`] for every record, in order. Memory stays flat, whatever the length of the file and of its lines.
///
/// # Errors
///
/// A [`ReadError`] is given once and ends the reader. After an error of the input the file is to be read again.
///
/// # Examples
///
/// ```
/// use billing_formats::{accounts::AccountMap, csv::{Mapping, Reader}};
///
/// let mapping: Mapping = serde_json::from_str(
///     r#"{"source": "pbx-1", "zone": "UTC",
///         "records": {"calls": {"id": "id", "account": "account", "start": "start", "duration": {"seconds": "talk"},
///                               "caller": "from", "callee": "to"}}}"#,
/// )?;
/// let accounts = AccountMap::default();
/// let file = "id,start,talk,account,from,to\n\
///     1,2026-10-01T08:00:00Z,61,alice,+12025550100,+12025550123\n\
///     2,2026-10-01T08:05:00Z,61s,alice,+12025550100,+12025550123\n";
///
/// let mut rows = Reader::try_new(file.as_bytes(), &mapping, &accounts)?;
/// let call = rows.next().expect("a record")??;
/// assert_eq!(call.key.to_string(), "pbx-1/1");
/// let bad = rows.next().expect("a record")?.unwrap_err();
/// assert_eq!(bad.to_string(), "line 3, column `talk`: the duration cannot be read; accepted is a number of seconds");
/// assert!(rows.next().is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Reader<'mapping, R> {
    source: Source<R>,
    mapping: &'mapping Mapping,
    accounts: &'mapping AccountMap,
    progress: Progress,
}

enum Progress {
    /// Nothing has been read.
    New,
    /// Records are being read, in which columns have these places.
    Reading(Places),
    Done,
}

impl<'mapping, R: BufRead> Reader<'mapping, R> {
    /// Reads `input` as the mapping says; `accounts` is asked if the mapping says so.
    ///
    /// # Errors
    ///
    /// [`InvalidMapping`]; nothing is read yet.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_formats::{accounts::AccountMap, csv::{InvalidMapping, Mapping, Reader}};
    ///
    /// let mapping: Mapping = serde_json::from_str(
    ///     r#"{"source": "pbx-1", "zone": "UTC",
    ///         "records": {"calls": {"id": {"digest": []}, "start": 1, "duration": {"seconds": 2}}}}"#,
    /// )?;
    /// let accounts = AccountMap::default();
    /// let problem = Reader::try_new("".as_bytes(), &mapping, &accounts).err();
    /// assert_eq!(problem, Some(InvalidMapping::DigestOfNothing));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn try_new(
        input: R,
        mapping: &'mapping Mapping,
        accounts: &'mapping AccountMap,
    ) -> Result<Self, InvalidMapping> {
        mapping.check()?;
        let quote = match mapping.quotes {
            Quotes::Double => Some(b'"'),
            Quotes::None => None,
        };
        let splitter = Splitter::new(mapping.delimiter.byte(), quote);
        let source = Source::new(input, splitter);
        Ok(Self { source, mapping, accounts, progress: Progress::New })
    }

    /// The last physical line of what was read last, counted from 1; `0` before anything was.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_formats::{accounts::AccountMap, csv::{Mapping, Reader}};
    ///
    /// let mapping: Mapping = serde_json::from_str(
    ///     r#"{"source": "pbx-1", "zone": "UTC", "header": {"absent": {}},
    ///         "records": {"calls": {"id": 1, "start": 2, "duration": {"seconds": 3}}}}"#,
    /// )?;
    /// let accounts = AccountMap::default();
    /// let file = "1,2026-10-01T08:00:00Z,61,\"a note\nof two lines\"\n";
    /// let mut rows = Reader::try_new(file.as_bytes(), &mapping, &accounts)?;
    /// assert!(rows.next().expect("a record")?.is_ok());
    /// assert_eq!(rows.line(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn line(&self) -> u64 {
        self.source.last_line()
    }

    /// What the mapping says and where its columns are, once the first record was read.
    pub(super) const fn columns(&self) -> Option<(&'mapping Mapping, &Places)> {
        match &self.progress {
            Progress::Reading(places) => Some((self.mapping, places)),
            Progress::New | Progress::Done => None,
        }
    }

    /// The next line, if it can be read where it stands; see [`Source::buffered`].
    pub(super) fn buffered(&mut self) -> Result<Option<(&[u8], usize)>, ReadError> {
        Ok(self.source.buffered()?)
    }

    /// So many bytes of the input's buffer, which [`buffered`](Self::buffered) filled.
    pub(super) fn buffer(&mut self, bytes: usize) -> &[u8] {
        self.source.buffer(bytes)
    }

    pub(super) const fn count_line(&mut self) {
        self.source.count_line();
    }

    pub(super) fn pass(&mut self, bytes: usize) {
        self.source.pass(bytes);
    }

    fn step(&mut self) -> Result<Option<Row>, ReadError> {
        if let Progress::New = self.progress {
            self.progress = self.begin()?;
        }
        let found = self.source.advance()?;
        Ok(self.row(found))
    }

    /// Passes over what stands before the records, and learns from it which places columns have.
    fn begin(&mut self) -> Result<Progress, ReadError> {
        for _line in 0..self.mapping.preamble_lines {
            self.source.skip_line()?;
        }
        let records = &self.mapping.records;
        if let Header::Absent { columns } = self.mapping.header {
            return Ok(Progress::Reading(Places::without_header(records, columns)));
        }
        match self.source.advance()? {
            Found::End => Ok(Progress::Done),
            found => match fault_of(found) {
                Some(reason) => Err(BadHeader::Unreadable(reason).into()),
                None => Ok(Progress::Reading(Places::of_header(records, self.source.columns())?)),
            },
        }
    }

    fn row(&self, found: Found) -> Option<Row> {
        let Progress::Reading(places) = &self.progress else { return None };
        if found == Found::End {
            return None;
        }
        let read = fault_of(found).map_or_else(|| self.record(places), |reason| Err(reason.into()));
        Some(read.map_err(|fault| fault.into_row(self.source.first_line(), self.source.raw())))
    }

    fn record(&self, places: &Places) -> Result<Incoming, Fault> {
        let columns = self.source.columns();
        places.check(columns)?;
        let fields = Fields { mapping: self.mapping, places, columns };
        match &self.mapping.records {
            Records::Calls(calls) => call(fields, calls, self.accounts).map(Incoming::from),
            Records::Pulses(pulses) => pulse(fields, pulses, self.accounts).map(Incoming::from),
        }
    }
}

pub(crate) const fn fault_of(found: Found) -> Option<Reason> {
    match found {
        Found::Record | Found::End => None,
        Found::TooLong => Some(Reason::TooLong),
        Found::Unclosed => Some(Reason::Unclosed),
        Found::Damaged => Some(Reason::QuoteInside),
    }
}

impl<R: BufRead> Iterator for Reader<'_, R> {
    type Item = Result<Row, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if matches!(self.progress, Progress::Done) {
            return None;
        }
        let step = self.step();
        if !matches!(step, Ok(Some(_))) {
            self.progress = Progress::Done;
        }
        step.transpose()
    }
}

impl<R: BufRead> core::iter::FusedIterator for Reader<'_, R> {}

impl<R> fmt::Debug for Reader<'_, R> {
    // The buffers hold telephone numbers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}
