//! Physical lines of a stream of bytes, each read into a buffer of bounded size.

use std::io::{self, BufRead, Read as _};

use memchr::memchr;

/// The longest line that is read, in bytes without its end.
pub const LINE_BYTES_MAX: usize = 65_536;

/// What is kept of a line that is too long, in bytes.
const RAW_BYTES_MAX: usize = 1_024;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// What may stand around a line: a byte order mark, a carriage return and a line feed.
const AROUND_BYTES_MAX: usize = 3 + 2;

pub(crate) struct Lines<R> {
    input: R,
    bytes_max: usize,
    is_begun: bool,
}

/// How a line was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Read {
    Whole,
    /// The line was cut to what is kept of it.
    TooLong,
    /// There are no more lines.
    End,
}

impl<R: BufRead> Lines<R> {
    /// Lines of up to `bytes_max` bytes without their ends.
    pub(crate) const fn new(input: R, bytes_max: usize) -> Self {
        Self { input, bytes_max, is_begun: false }
    }

    /// The next line without its end, and how many bytes it takes with it, if the whole of it stands in the input's buffer.
    ///
    /// It is still to be read, or to be passed over.
    pub(crate) fn buffered(&mut self) -> io::Result<Option<(&[u8], usize)>> {
        if !self.is_begun {
            return Ok(None);
        }
        let buffer = self.input.fill_buf()?;
        let found = memchr(b'\n', buffer).and_then(|end| Some((buffer.get(..end)?, end)));
        let found = found
            .map(|(line, end)| (line.strip_suffix(b"\r").unwrap_or(line), end.saturating_add(1)));
        Ok(found.filter(|(line, _)| line.len() <= LINE_BYTES_MAX))
    }

    /// So many bytes of the input's buffer; none if it has fewer.
    pub(crate) fn buffer(&mut self, bytes: usize) -> &[u8] {
        // It is not empty, so nothing is read.
        self.input.fill_buf().ok().and_then(|buffer| buffer.get(..bytes)).unwrap_or_default()
    }

    /// Passes over what [`buffered`](Self::buffered) gave.
    pub(crate) fn pass(&mut self, bytes: usize) {
        self.input.consume(bytes);
    }

    /// Reads the next line in place of what `line` holds, without its end.
    pub(crate) fn read(&mut self, line: &mut Vec<u8>) -> io::Result<Read> {
        line.clear();
        let read_max = self.bytes_max.saturating_add(AROUND_BYTES_MAX);
        let mut bounded = self.input.by_ref().take(read_max.try_into().unwrap_or(u64::MAX));
        if bounded.read_until(b'\n', line)? == 0 {
            return Ok(Read::End);
        }
        let is_whole = bounded.limit() > 0 || line.ends_with(b"\n");
        if !is_whole {
            let _skipped: usize = self.input.skip_until(b'\n')?;
        }
        let is_first = !core::mem::replace(&mut self.is_begun, true);
        if is_first && line.starts_with(BYTE_ORDER_MARK) {
            drop(line.drain(..BYTE_ORDER_MARK.len()));
            if line.is_empty() {
                return Ok(Read::End);
            }
        }
        without_end(line);
        if is_whole && line.len() <= self.bytes_max {
            return Ok(Read::Whole);
        }
        line.truncate(RAW_BYTES_MAX);
        Ok(Read::TooLong)
    }
}

/// Lines in one buffer, counted, up to the last one or to the first error of the input.
pub(crate) struct NumberedLines<R> {
    lines: Lines<R>,
    line: Vec<u8>,
    number: u64,
    is_done: bool,
}

impl<R: BufRead> NumberedLines<R> {
    /// Lines of up to `bytes_max` bytes without their ends.
    pub(crate) const fn new(input: R, bytes_max: usize) -> Self {
        Self { lines: Lines::new(input, bytes_max), line: Vec::new(), number: 0, is_done: false }
    }

    /// Goes on to the next line; `None` for good after the last one, and after an error.
    pub(crate) fn advance(&mut self) -> Option<io::Result<Read>> {
        if self.is_done {
            return None;
        }
        let read = self.lines.read(&mut self.line);
        self.is_done = !matches!(read, Ok(Read::Whole | Read::TooLong));
        self.number = self.number.saturating_add(1);
        match read {
            Ok(Read::End) => None,
            read => Some(read),
        }
    }

    /// As [`advance`](Self::advance), and passes over lines with nothing but spaces and tabs on them.
    pub(crate) fn advance_to_full(&mut self) -> Option<io::Result<Read>> {
        loop {
            let read = self.advance()?;
            if read.is_err() || !is_blank(&self.line) {
                return Some(read);
            }
        }
    }

    /// The number of the line, counted from 1.
    pub(crate) const fn number(&self) -> u64 {
        self.number
    }

    /// The line without its end.
    pub(crate) const fn line(&self) -> &[u8] {
        self.line.as_slice()
    }

    /// The line as text that every store can hold.
    pub(crate) fn raw(&self) -> String {
        raw(&self.line)
    }
}

/// Whether nothing but spaces and tabs is on a line.
pub(crate) fn is_blank(line: &[u8]) -> bool {
    line.iter().all(|byte| matches!(byte, b' ' | b'\t'))
}

/// A line as text that every store can hold.
pub(crate) fn raw(line: &[u8]) -> String {
    String::from_utf8_lossy(line).replace('\0', "\u{FFFD}")
}

fn without_end(line: &mut Vec<u8>) {
    for end in [b'\n', b'\r'] {
        if line.last() == Some(&end) {
            let _end = line.pop();
        }
    }
}
