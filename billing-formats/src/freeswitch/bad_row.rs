//! A line that is no call detail record, and why.

use core::convert::Infallible;

use billing_core::{id::InvalidId, item::InvalidParty};

use crate::{bad_row, clock::Unread};

/// A line that is no call detail record; its variables are in the reason, so it never names a column.
///
/// # Examples
///
/// ```
/// use billing_formats::freeswitch::{BadRow, Reason};
///
/// let reason = Reason::Missing { variable: "uuid".into() };
/// let row = BadRow { line: 17, column: None, reason, raw: String::new() };
/// assert_eq!(row.to_string(), "line 17: `uuid` is missing");
/// ```
pub type BadRow = bad_row::BadRow<Infallible, Reason>;

/// Why a line is no call detail record; never with anything that stands on it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The line is too long.
    #[error("the line is longer than {bytes_max} bytes")]
    TooLong {
        /// How long one may be.
        bytes_max: usize,
    },
    /// The line cannot have been written with the template.
    #[error(
        "the line does not fit the template: after {columns} columns something else follows; accepted are {accepted} columns"
    )]
    Template {
        /// How many columns fit.
        columns: usize,
        /// How many there are.
        accepted: usize,
    },
    /// The line is not JSON, or not of the shape of a call.
    #[error("the line is not one JSON document of a call: reading stops at byte {at}")]
    Syntax {
        /// Where, counted from 0.
        at: usize,
    },
    /// A variable is there twice.
    #[error("`{variable}` is there twice; accepted is once")]
    Twice {
        /// Which one.
        variable: String,
    },
    /// A variable is missing or empty.
    #[error("`{variable}` is missing")]
    Missing {
        /// Which one.
        variable: String,
    },
    /// A variable is no text, or its text is not UTF-8.
    #[error("`{variable}` cannot be read; accepted is text in UTF-8, or a whole number")]
    Text {
        /// Which one.
        variable: String,
    },
    /// A quotation mark stands in a variable that has none.
    #[error(
        "`{variable}` has a quotation mark in it, so columns may be shifted; accepted are none"
    )]
    Quote {
        /// Which one.
        variable: String,
    },
    /// A number cannot be read.
    #[error("`{variable}` cannot be read; accepted are digits, up to 18446744073709551615")]
    Number {
        /// Which one.
        variable: String,
    },
    /// A time cannot be read.
    #[error("`{variable}` cannot be read; accepted is {accepted}")]
    Time {
        /// Which one.
        variable: String,
        /// How it is written.
        accepted: &'static str,
    },
    /// Clocks in the zone skipped the time.
    #[error("`{variable}` does not exist in {zone}, where clocks were set forward over it")]
    SkippedTime {
        /// Which one.
        variable: String,
        /// The zone of the file.
        zone: &'static str,
    },
    /// Clocks in the zone showed the time twice, and the record does not say which is meant.
    #[error(
        "`{variable}` is ambiguous: {zone} had it twice, and the record does not tell which is meant"
    )]
    AmbiguousTime {
        /// Which one.
        variable: String,
        /// The zone of the file.
        zone: &'static str,
    },
    /// The uuid names no item.
    #[error("`uuid` is not accepted: {0}")]
    Uuid(#[from] InvalidId),
    /// The caller or the callee cannot be one.
    #[error("`{variable}` is not accepted: {problem}")]
    Party {
        /// Which variable.
        variable: String,
        /// What is wrong.
        problem: InvalidParty,
    },
    /// The call ended before it began.
    #[error("the call ends before it starts")]
    EndBeforeStart,
    /// The call was answered before it began or after it ended.
    #[error("the call is answered outside the time from its start to its end")]
    AnswerOutside,
    /// The talk time is not what lies between the answer and the end.
    #[error(
        "the talk time is not the time from the answer to the end; accepted is a difference of up to one second"
    )]
    TalkUnlikeTimes,
    /// Talk time without an answer.
    #[error("there is talk time, but the call was not answered; accepted is none")]
    TalkUnanswered,
    /// The record is of a B leg.
    #[error("the record is of a B leg, and the call is billed by its A leg; accepted are A legs")]
    BLeg,
}

impl Reason {
    pub(super) fn of_time(unread: Unread, variable: &str) -> Self {
        let variable = variable.to_owned();
        match unread {
            Unread::NoTime => {
                Self::Time { variable, accepted: "a date and time such as 2026-01-31 12:00:00" }
            }
            Unread::Skipped { zone } => Self::SkippedTime { variable, zone },
        }
    }
}
