//! What can be wrong with times.

use compact_str::CompactString;

use crate::time::Day;

/// A value of time was refused, or a computation leaves the supported range.
///
/// # Examples
///
/// ```
/// use billing_core::time::Day;
///
/// assert_eq!(
///     "2026-02-30".parse::<Day>().unwrap_err().to_string(),
///     "day cannot be read; accepted is a date such as 2026-01-31"
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimeError {
    /// The text does not read as such a value; it is not repeated.
    #[error("{kind} cannot be read; accepted is {accepted}")]
    Malformed {
        /// What it was to be, such as `day`.
        kind: &'static str,
        /// What is accepted.
        accepted: &'static str,
    },
    /// The value lies outside the supported range.
    #[error("{kind} is out of range; accepted is {accepted}")]
    OutOfRange {
        /// What it was to be, such as `instant`.
        kind: &'static str,
        /// What is accepted.
        accepted: &'static str,
    },
    /// The calendar has no such date.
    #[error("there is no {year}-{month}-{day} from 0001-01-01 to 9999-12-30")]
    NoSuchDay {
        /// The year.
        year: i16,
        /// The month, 1 to 12 in a date that exists.
        month: u8,
        /// The day of the month, 1 to 31 in a date that exists.
        day: u8,
    },
    /// The time zone database has no such zone.
    #[error("time zone {name} is unknown; accepted are IANA names such as Europe/Berlin")]
    UnknownZone {
        /// The name, or how long it is if it does not look like one.
        name: CompactString,
    },
    /// An anchor counts an unsupported number of months.
    #[error("a period of {months} months was asked for; accepted are 1 to 120")]
    Months {
        /// The number of months.
        months: u16,
    },
    /// A period does not end after it starts.
    #[error("a period from {start} to {end} was asked for; accepted is an end after the start")]
    Reversed {
        /// The first day.
        start: Day,
        /// The day after the last one.
        end: Day,
    },
}
