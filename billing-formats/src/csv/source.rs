//! Records of a file, each of one line, or of several if a quoted column runs over them.

use std::{
    collections::VecDeque,
    io::{self, BufRead},
};

use crate::{
    csv::splitter::{Split, Splitter},
    lines::{LINE_BYTES_MAX, Lines, Read, is_blank, raw},
};

pub(crate) struct Source<R> {
    lines: Lines<R>,
    splitter: Splitter,
    /// Lines that were read in search of the end of a quoted column.
    ahead: VecDeque<Line>,
    /// The lines of the record.
    record: Vec<u8>,
    /// The first line of the record, counted from 1.
    first: u64,
    /// Its last line.
    last: u64,
}

struct Line {
    bytes: Vec<u8>,
    read: Read,
}

/// What was found after the records before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Record,
    /// A line that is too long.
    TooLong,
    /// A line with a quoted column that does not end; the next line is a new record.
    Unclosed,
    /// A line with a quotation mark where none may be.
    Damaged,
    /// There are no more records.
    End,
}

impl<R: BufRead> Source<R> {
    pub(crate) const fn new(input: R, splitter: Splitter) -> Self {
        Self {
            lines: Lines::new(input, LINE_BYTES_MAX),
            splitter,
            ahead: VecDeque::new(),
            record: Vec::new(),
            first: 0,
            last: 0,
        }
    }

    pub(crate) const fn first_line(&self) -> u64 {
        self.first
    }

    pub(crate) const fn last_line(&self) -> u64 {
        self.last
    }

    /// The record, taken apart.
    pub(crate) const fn columns(&self) -> &Splitter {
        &self.splitter
    }

    /// The record as text that every store can hold.
    pub(crate) fn raw(&self) -> String {
        raw(&self.record)
    }

    /// The next line without its end, and how many bytes it takes with it, if the whole of it stands in the input's buffer.
    pub(super) fn buffered(&mut self) -> io::Result<Option<(&[u8], usize)>> {
        if self.ahead.is_empty() { self.lines.buffered() } else { Ok(None) }
    }

    /// So many bytes of the input's buffer.
    pub(super) fn buffer(&mut self, bytes: usize) -> &[u8] {
        self.lines.buffer(bytes)
    }

    /// Counts a line that was read where it stands.
    pub(super) const fn count_line(&mut self) {
        self.last = self.last.saturating_add(1);
        self.first = self.last;
    }

    /// Passes over a line that was read where it stands.
    pub(super) fn pass(&mut self, bytes: usize) {
        self.lines.pass(bytes);
    }

    /// Passes over a line, whatever it holds.
    pub(crate) fn skip_line(&mut self) -> io::Result<()> {
        self.take_line().map(|_read| ())
    }

    /// Goes on to the next record; blank lines between records are none.
    pub(crate) fn advance(&mut self) -> io::Result<Found> {
        loop {
            match self.take_line()? {
                Read::End => return Ok(Found::End),
                Read::TooLong => return Ok(Found::TooLong),
                Read::Whole if is_blank(&self.record) => {}
                Read::Whole => return self.split(),
            }
        }
    }

    fn take_line(&mut self) -> io::Result<Read> {
        let read = match self.ahead.pop_front() {
            Some(line) => {
                self.record = line.bytes;
                line.read
            }
            None => self.lines.read(&mut self.record)?,
        };
        if read != Read::End {
            self.count_line();
        }
        Ok(read)
    }

    fn split(&mut self) -> io::Result<Found> {
        match self.splitter.start(&self.record) {
            Split::Whole => Ok(Found::Record),
            Split::Damaged => Ok(Found::Damaged),
            Split::Open => self.join(),
        }
    }

    /// Adds lines until the quoted column ends. If it does not, its line stands alone and the others are still to come.
    fn join(&mut self) -> io::Result<Found> {
        let first_bytes = self.record.len();
        let mut taken = 0_usize;
        while self.reads_ahead(taken)? {
            let Some(line) = self.ahead.get(taken) else { break };
            let bytes = self.record.len().saturating_add(1).saturating_add(line.bytes.len());
            if line.read != Read::Whole || bytes > LINE_BYTES_MAX {
                break;
            }
            self.record.push(b'\n');
            self.record.extend_from_slice(&line.bytes);
            taken = taken.saturating_add(1);
            match self.splitter.go_on(&line.bytes) {
                Split::Open => {}
                Split::Damaged => break,
                Split::Whole => {
                    let _joined = self.ahead.drain(..taken);
                    self.last = self.last.saturating_add(u64::try_from(taken).unwrap_or(u64::MAX));
                    return Ok(Found::Record);
                }
            }
        }
        self.record.truncate(first_bytes);
        Ok(Found::Unclosed)
    }

    /// Whether there is a line after `taken` others.
    fn reads_ahead(&mut self, taken: usize) -> io::Result<bool> {
        if taken < self.ahead.len() {
            return Ok(true);
        }
        let mut bytes = Vec::new();
        let read = self.lines.read(&mut bytes)?;
        if read != Read::End {
            self.ahead.push_back(Line { bytes, read });
        }
        Ok(read != Read::End)
    }
}
