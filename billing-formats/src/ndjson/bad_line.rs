//! A line that is no item, and why.

use core::convert::Infallible;

use crate::{bad_row::BadRow, ndjson::LINE_BYTES_MAX};

/// A line that is no item; its places are in the reason, so it never names a column.
///
/// # Examples
///
/// ```
/// use billing_formats::ndjson::{BadLine, Reason};
///
/// let reason = Reason::Missing { place: "call.start".into() };
/// let line = BadLine { line: 17, column: None, reason, raw: String::new() };
/// assert_eq!(line.to_string(), "line 17: `call.start` is missing");
/// ```
pub type BadLine = BadRow<Infallible, Reason>;

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
