//! A record that cannot be taken in: where it stands, why, and what it was.

use core::fmt;

use billing_core::decide::Refusal;

/// A record that cannot be taken in, for a reason `R` and perhaps at a column `C`.
///
/// Each reader names its own, such as [`csv::BadRow`](crate::csv::BadRow). `raw` may hold telephone numbers: neither `Display`
/// nor `Debug` shows it.
///
/// # Examples
///
/// ```
/// use billing_formats::csv::{BadRow, Reason};
///
/// let column = Some("talk".into());
/// let row = BadRow { line: 17, column, reason: Reason::AnswerMissing, raw: String::new() };
/// assert_eq!(row.to_string(), "line 17, column `talk`: the call was answered, but has no answer time");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct BadRow<C, R> {
    /// The physical line it begins on, counted from 1.
    pub line: u64,
    /// The column at fault, if it is one.
    pub column: Option<C>,
    /// What is wrong.
    pub reason: R,
    /// Its lines without their ends, with U+FFFD in place of NUL and of bytes that are not UTF-8.
    ///
    /// Of a line that is too long, the first 1 024 bytes.
    pub raw: String,
}

impl<C: fmt::Display, R: fmt::Display> BadRow<C, R> {
    fn describe(&self, f: &mut impl fmt::Write) -> fmt::Result {
        match &self.column {
            Some(column) => write!(f, "column {column}: {}", self.reason),
            None => write!(f, "{}", self.reason),
        }
    }
}

impl<C: fmt::Display, R: fmt::Display> fmt::Display for BadRow<C, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separator = if self.column.is_some() { ", " } else { ": " };
        write!(f, "line {}{separator}", self.line)?;
        self.describe(f)
    }
}

impl<C: fmt::Debug, R: fmt::Debug> fmt::Debug for BadRow<C, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BadRow")
            .field("line", &self.line)
            .field("column", &self.column)
            .field("reason", &self.reason)
            .field("raw", &format_args!("{} bytes", self.raw.len()))
            .finish()
    }
}

impl<C, R> core::error::Error for BadRow<C, R>
where
    C: fmt::Debug + fmt::Display,
    R: fmt::Debug + fmt::Display,
{
}

impl<C: fmt::Display, R: fmt::Display> From<BadRow<C, R>> for Refusal {
    fn from(row: BadRow<C, R>) -> Self {
        let mut reason = String::new();
        // Writing to a text cannot fail.
        let _written: fmt::Result = row.describe(&mut reason);
        Self { place: format!("line {}", row.line).into(), reason, raw: row.raw }
    }
}

/// What is wrong, and where in the record.
#[derive(Debug)]
pub(crate) struct Fault<C, R> {
    column: Option<C>,
    reason: R,
}

impl<C: Clone, R> Fault<C, R> {
    pub(crate) fn at(column: &C, reason: impl Into<R>) -> Self {
        Self { column: Some(column.clone()), reason: reason.into() }
    }
}

impl<C, R> Fault<C, R> {
    pub(crate) fn into_row(self, line: u64, raw: String) -> BadRow<C, R> {
        BadRow { line, column: self.column, reason: self.reason, raw }
    }
}

impl<C, R> From<R> for Fault<C, R> {
    fn from(reason: R) -> Self {
        Self { column: None, reason }
    }
}
