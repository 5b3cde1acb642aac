//! A record that cannot be taken in, and why.

use core::fmt;

use billing_core::{
    id::InvalidId,
    item::{InvalidParty, InvalidProperties},
};

use crate::{
    bad_row,
    csv::{Column, LINE_BYTES_MAX},
};

/// A record that cannot be taken in.
pub type BadRow = bad_row::BadRow<Column, Reason>;

/// What is wrong, and where in the record.
pub(super) type Fault = bad_row::Fault<Column, Reason>;

/// Why a record cannot be taken in; never with anything that stands in it.
///
/// # Examples
///
/// ```
/// use billing_formats::csv::{Reason, Width};
///
/// let reason = Reason::Columns { found: 3, accepted: Width::Exactly(7) };
/// assert_eq!(reason.to_string(), "the record has 3 columns; accepted are 7");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// A line has more than [`LINE_BYTES_MAX`] bytes.
    #[error("the line is longer than {LINE_BYTES_MAX} bytes")]
    TooLong,
    /// A quoted column does not end, neither on its line nor on those after it.
    #[error(
        "a quoted column of the line does not end, neither on it nor within {LINE_BYTES_MAX} bytes on those after it"
    )]
    Unclosed,
    /// A quotation mark stands in the middle.
    #[error(
        "a quotation mark stands inside a column; accepted are marks around a whole column, and doubled ones inside"
    )]
    QuoteInside,
    /// Too few columns, or too many.
    #[error("the record has {found} columns; accepted are {accepted}")]
    Columns {
        /// How many there are.
        found: usize,
        /// How many there should be.
        accepted: Width,
    },
    /// The column is not UTF-8.
    #[error("the column is not UTF-8 from byte {at} on")]
    Encoding {
        /// The first byte at fault, counted from 0.
        at: usize,
    },
    /// A time cannot be read.
    #[error("the time cannot be read; accepted is {accepted}")]
    Time {
        /// How times are written, as the mapping says.
        accepted: String,
    },
    /// Clocks in the zone skipped the time.
    #[error("the time does not exist in {zone}, where clocks were set forward over it")]
    SkippedTime {
        /// The zone of the file.
        zone: &'static str,
    },
    /// Clocks in the zone showed the time twice.
    #[error(
        "the time is ambiguous: {zone} had it twice, and the mapping does not say which is meant"
    )]
    AmbiguousTime {
        /// The zone of the file.
        zone: &'static str,
    },
    /// A duration cannot be read.
    #[error("the duration cannot be read; accepted is {accepted}")]
    Duration {
        /// How durations are written, as the mapping says.
        accepted: &'static str,
    },
    /// An amount cannot be read.
    #[error(
        "the amount cannot be read; accepted is a number such as 1{mark}5, below 10^18 and with up to 10 decimals"
    )]
    Amount {
        /// What stands before decimals, as the mapping says.
        mark: char,
    },
    /// The number of a partial record cannot be read.
    #[error("the number of a partial record cannot be read; accepted are digits, up to 4294967295")]
    Partial,
    /// A word has no meaning.
    #[error("the word is none of the {listed} that the mapping lists")]
    Unlisted {
        /// How many are listed.
        listed: usize,
    },
    /// A text that names something is none.
    #[error(transparent)]
    Id(#[from] InvalidId),
    /// The caller or the callee cannot be one.
    #[error(transparent)]
    Party(#[from] InvalidParty),
    /// The properties are not accepted.
    #[error(transparent)]
    Properties(#[from] InvalidProperties),
    /// The call was answered, and nothing says when.
    #[error("the call was answered, but has no answer time")]
    AnswerMissing,
    /// The call was answered before it began.
    #[error("the call was answered before it started")]
    AnswerBeforeStart,
    /// The call ended before it began.
    #[error("the call ends before it was answered or started")]
    EndBeforeStart,
    /// Talk time without an answer.
    #[error("{talk_ms} ms were talked, but the call was not answered")]
    TalkUnanswered {
        /// Milliseconds talked.
        talk_ms: u64,
    },
}

/// How many columns a record has.
///
/// # Examples
///
/// ```
/// use billing_formats::csv::Width;
///
/// assert_eq!(Width::AtLeast(7).to_string(), "7 and more");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// So many.
    Exactly(usize),
    /// So many or more.
    AtLeast(usize),
}

impl Width {
    pub(super) const fn accepts(self, found: usize) -> bool {
        match self {
            Self::Exactly(columns) => found == columns,
            Self::AtLeast(columns) => found >= columns,
        }
    }
}

impl fmt::Display for Width {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(columns) => write!(f, "{columns}"),
            Self::AtLeast(columns) => write!(f, "{columns} and more"),
        }
    }
}
