//! A line that is no item, and why.

use core::fmt;

use billing_core::decide::Refusal;

use crate::ndjson::LINE_BYTES_MAX;

/// A line that is no item.
///
/// `raw` may hold telephone numbers: neither `Display` nor `Debug` shows it.
///
/// # Examples
///
/// ```
/// use billing_formats::ndjson::{BadLine, Reason};
///
/// let reason = Reason::Missing { place: "call.start".into() };
/// let line = BadLine { line: 17, reason, raw: String::new() };
/// assert_eq!(line.to_string(), "line 17: `call.start` is missing");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct BadLine {
    /// The line, counted from 1.
    pub line: u64,
    /// What is wrong.
    pub reason: Reason,
    /// The line without its end, with U+FFFD in place of NUL and of bytes that are not UTF-8.
    ///
    /// Of a line that is too long, the first 1 024 bytes.
    pub raw: String,
}

/// Why a line is no item; never with anything that stands on it.
///
/// Places are names that the format knows, such as `call.start`; the document itself is `document`.
///
/// # Examples
///
/// ```
/// use billing_formats::ndjson::Reason;
///
/// assert_eq!(
///     Reason::Kind { found: 0 }.to_string(),
///     "the document has 0 of `call`, `pulse` and `one_off`; accepted is one of them",
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The line has more than [`LINE_BYTES_MAX`] bytes.
    #[error("the line is longer than {LINE_BYTES_MAX} bytes")]
    TooLong,
    /// The line is not UTF-8.
    #[error("the line is not UTF-8 from byte {at} on")]
    Encoding {
        /// The first byte at fault, counted from 0.
        at: usize,
    },
    /// The line is not JSON.
    #[error("the line is not one JSON document: reading stops at byte {at}")]
    Syntax {
        /// Where, counted from 0.
        at: usize,
    },
    /// Something is missing.
    #[error("`{place}` is missing")]
    Missing {
        /// What.
        place: String,
    },
    /// A name stands there that is not known.
    #[error("`{place}` has a name that is not known; accepted are {accepted}")]
    Unknown {
        /// In what.
        place: String,
        /// Which names are accepted.
        accepted: String,
    },
    /// A name stands there twice.
    #[error("`{place}` has a name twice; accepted is once")]
    Twice {
        /// In what.
        place: String,
    },
    /// A value is not accepted.
    #[error("`{place}` is not accepted; accepted is {accepted}")]
    Value {
        /// Which one.
        place: String,
        /// What is accepted.
        accepted: &'static str,
    },
    /// The document is none of those that are known, or several at once.
    #[error("the document has {found} of `call`, `pulse` and `one_off`; accepted is one of them")]
    Kind {
        /// How many it has.
        found: usize,
    },
    /// Something else is wrong.
    #[error("the document is not accepted: reading stops at byte {at}")]
    Other {
        /// Where, counted from 0.
        at: usize,
    },
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

impl fmt::Debug for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BadLine")
            .field("line", &self.line)
            .field("reason", &self.reason)
            .field("raw", &format_args!("{} bytes", self.raw.len()))
            .finish()
    }
}

impl core::error::Error for BadLine {}

impl From<BadLine> for Refusal {
    fn from(line: BadLine) -> Self {
        let (place, reason) = (format!("line {}", line.line), line.reason.to_string());
        Self { place: place.into(), reason, raw: line.raw }
    }
}
