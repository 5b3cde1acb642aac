//! A line that is no call detail record, and why.

use billing_core::{id::InvalidId, item::InvalidParty};

use crate::{
    asterisk::{Column, LINE_BYTES_MAX},
    bad_row,
    clock::Unread,
};

/// A line that is no call detail record.
pub type BadRow = bad_row::BadRow<Column, Reason>;

/// What is wrong, and where on the line.
pub(super) type Fault = bad_row::Fault<Column, Reason>;

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

impl From<Unread> for Reason {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::NoTime => Self::Time,
            Unread::Skipped { zone } => Self::SkippedTime { zone },
        }
    }
}

/// A value as it is put into a message: escaped, and cut to 24 characters.
pub(super) fn shown(value: &str) -> String {
    value.escape_debug().take(24).collect()
}
