//! A line that is no call detail record, and why.

use core::fmt;

use billing_core::{decide::Refusal, id::InvalidId, item::InvalidParty};

use crate::asterisk::{Column, LINE_BYTES_MAX};

/// A line that is no call detail record.
///
/// `raw` may hold telephone numbers: neither `Display` nor `Debug` shows it.
///
/// # Examples
///
/// ```
/// use billing_formats::asterisk::{BadRow, Reason};
///
/// let row = BadRow { line: 17, column: None, reason: Reason::Empty, raw: String::new() };
/// assert_eq!(row.to_string(), "line 17: the line is empty");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct BadRow {
    /// The physical line, counted from 1.
    pub line: u64,
    /// The column at fault, if it is one.
    pub column: Option<Column>,
    /// What is wrong.
    pub reason: Reason,
    /// The line without its end, with U+FFFD in place of NUL and of bytes that are not UTF-8.
    ///
    /// Of a line that is too long, the first 1 024 bytes.
    pub raw: String,
}

/// Why a line is no call detail record; never with a telephone number in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// Nothing is on the line.
    #[error("the line is empty")]
    Empty,
    /// The line has more than [`LINE_BYTES_MAX`] bytes.
    #[error("the line is longer than {LINE_BYTES_MAX} bytes")]
    TooLong,
    /// The line is not UTF-8.
    #[error("the line is not UTF-8 from byte {at} on")]
    Encoding {
        /// The first byte at fault, counted from 0.
        at: usize,
    },
    /// A quoted field has no end on this line.
    #[error("a quoted field does not end on the line")]
    Unclosed,
    /// The number of columns fits no setting of Asterisk.
    #[error("the line has {found} columns; accepted are 17, 18, 20 and 21")]
    Columns {
        /// How many, counted up to 64.
        found: usize,
    },
    /// A time cannot be read.
    #[error("the time cannot be read; accepted is a date and time such as 2026-01-31 12:00:00")]
    Time,
    /// Clocks in the zone skipped the time.
    #[error("the time does not exist in {zone}, where clocks were set forward over it")]
    SkippedTime {
        /// The zone of the file.
        zone: &'static str,
    },
    /// Clocks in the zone showed the time twice, and the line does not say which is meant.
    #[error(
        "the time is ambiguous: {zone} had it twice, and the line does not tell which is meant"
    )]
    AmbiguousTime {
        /// The zone of the file.
        zone: &'static str,
    },
    /// A number of seconds cannot be read.
    #[error("`{value}` is no number of seconds; accepted are digits, up to 4294967295")]
    Seconds {
        /// What stands there, escaped and cut to 24 characters.
        value: String,
    },
    /// The disposition is not one of Asterisk's.
    #[error(
        "disposition `{value}` is unknown; accepted are ANSWERED, NO ANSWER, BUSY, FAILED and CONGESTION"
    )]
    Disposition {
        /// What stands there, escaped and cut to 24 characters.
        value: String,
    },
    /// The uniqueid names no item.
    #[error(transparent)]
    UniqueId(#[from] InvalidId),
    /// The caller or the callee cannot be one.
    #[error(transparent)]
    Party(#[from] InvalidParty),
    /// The call ended before it began.
    #[error("the call ends before it starts")]
    EndBeforeStart,
    /// The call was answered before it began or after it ended.
    #[error("the call is answered outside the time from its start to its end")]
    AnswerOutside,
    /// The call was answered, and nothing says when.
    #[error("the call is answered, but has no answer time")]
    AnswerMissing,
    /// More was talked than the whole call lasted.
    #[error("{billsec} s were talked, but the whole call lasted {duration_s} s")]
    TalkAboveDuration {
        /// Seconds talked.
        billsec: u32,
        /// Seconds from start to end.
        duration_s: u32,
    },
    /// Talk time without an answer.
    #[error("{billsec} s were talked, but the call was not answered")]
    TalkUnanswered {
        /// Seconds talked.
        billsec: u32,
    },
}

impl BadRow {
    fn describe(&self, f: &mut impl fmt::Write) -> fmt::Result {
        match self.column {
            Some(column) => write!(f, "column {column}: {}", self.reason),
            None => write!(f, "{}", self.reason),
        }
    }
}

impl fmt::Display for BadRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separator = if self.column.is_some() { ", " } else { ": " };
        write!(f, "line {}{separator}", self.line)?;
        self.describe(f)
    }
}

impl fmt::Debug for BadRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BadRow")
            .field("line", &self.line)
            .field("column", &self.column)
            .field("reason", &self.reason)
            .field("raw", &format_args!("{} bytes", self.raw.len()))
            .finish()
    }
}

impl core::error::Error for BadRow {}

impl From<BadRow> for Refusal {
    fn from(row: BadRow) -> Self {
        let mut reason = String::new();
        // Writing to a text cannot fail.
        let _written: fmt::Result = row.describe(&mut reason);
        Self { place: format!("line {}", row.line).into(), reason, raw: row.raw }
    }
}

/// What is wrong, and where on the line.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) column: Option<Column>,
    pub(super) reason: Reason,
}

impl Fault {
    pub(super) fn at(column: Column, reason: impl Into<Reason>) -> Self {
        Self { column: Some(column), reason: reason.into() }
    }
}

impl From<Reason> for Fault {
    fn from(reason: Reason) -> Self {
        Self { column: None, reason }
    }
}

/// A value as it is put into a message: escaped, and cut to 24 characters.
pub(super) fn shown(value: &str) -> String {
    value.escape_debug().take(24).collect()
}
