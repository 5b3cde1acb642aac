//! Physical lines of a stream of bytes, read into one buffer.

use std::io::{self, BufRead, Read as _};

/// The longest line that is read, in bytes without its end.
pub const LINE_BYTES_MAX: usize = 65_536;

/// What is kept of a line that is too long, in bytes.
const RAW_BYTES_MAX: usize = 1_024;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// [`LINE_BYTES_MAX`] with a byte order mark, a carriage return and a line feed.
const READ_BYTES_MAX: u64 = 65_536 + 3 + 2;

pub(super) struct Lines<R> {
    input: R,
    /// The line, with a line feed as its end.
    buffer: Vec<u8>,
    number: u64,
}

/// How a line was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Read {
    Whole,
    TooLong,
    /// There are no more lines.
    End,
}

impl<R: BufRead> Lines<R> {
    pub(super) const fn new(input: R) -> Self {
        Self { input, buffer: Vec::new(), number: 0 }
    }

    /// The number of the line, counted from 1.
    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    /// The line with a line feed as its end, also if it had another or none.
    pub(super) fn line(&self) -> &[u8] {
        &self.buffer
    }

    pub(super) fn is_empty(&self) -> bool {
        self.buffer == b"\n"
    }

    /// The line as text that every store can hold.
    pub(super) fn raw(&self, read: Read) -> String {
        let line = self.buffer.strip_suffix(b"\n").unwrap_or(&self.buffer);
        let kept = match read {
            Read::Whole | Read::End => line,
            Read::TooLong => line.get(..RAW_BYTES_MAX).unwrap_or(line),
        };
        String::from_utf8_lossy(kept).replace('\0', "\u{FFFD}")
    }

    pub(super) fn advance(&mut self) -> io::Result<Read> {
        self.buffer.clear();
        let mut bounded = self.input.by_ref().take(READ_BYTES_MAX);
        if bounded.read_until(b'\n', &mut self.buffer)? == 0 {
            return Ok(Read::End);
        }
        let is_whole = bounded.limit() > 0 || self.buffer.ends_with(b"\n");
        if !is_whole {
            let _skipped: usize = self.input.skip_until(b'\n')?;
        }
        if self.number == 0 && self.buffer.starts_with(BYTE_ORDER_MARK) {
            let _mark = self.buffer.drain(..BYTE_ORDER_MARK.len());
        }
        if self.number == 0 && self.buffer.is_empty() {
            return Ok(Read::End);
        }
        self.number = self.number.saturating_add(1);
        self.end_with_line_feed();
        let is_whole = is_whole && self.buffer.len() <= LINE_BYTES_MAX.saturating_add(1);
        Ok(if is_whole { Read::Whole } else { Read::TooLong })
    }

    fn end_with_line_feed(&mut self) {
        for end in [b'\n', b'\r'] {
            if self.buffer.last() == Some(&end) {
                let _end = self.buffer.pop();
            }
        }
        self.buffer.push(b'\n');
    }
}
