//! A file that cannot be read at all, or not any further.

use core::num::NonZeroU16;
use std::io;

use crate::csv::Reason;

/// A file cannot be read at all, or not any further.
///
/// # Examples
///
/// ```
/// use billing_formats::{accounts::AccountMap, csv::{Mapping, ReadError, Reader}};
///
/// let mapping: Mapping = serde_json::from_str(
///     r#"{"source": "pbx-1", "zone": "UTC",
///         "records": {"calls": {"id": "id", "start": "start", "duration": {"seconds": "talk"}}}}"#,
/// )?;
/// let accounts = AccountMap::default();
/// let mut reader = Reader::try_new("id,start,billsec\n".as_bytes(), &mapping, &accounts)?;
/// let Some(Err(ReadError::Header(problem))) = reader.next() else { panic!("a header was accepted") };
/// assert_eq!(problem.to_string(), "the header has no column `talk`; accepted is one with every column that the mapping names");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The input failed; what was read by then is answered.
    #[error("the input cannot be read")]
    Input(#[from] io::Error),
    /// The header is not that of the mapping, so nothing in the file can be told.
    #[error(transparent)]
    Header(#[from] BadHeader),
}

/// The header is not that of the mapping; shows nothing of it, since it may be a record.
///
/// # Examples
///
/// ```
/// use billing_formats::csv::BadHeader;
///
/// assert_eq!(
///     BadHeader::Twice { name: "talk".into() }.to_string(),
///     "the header has column `talk` more than once; accepted is once, or a place instead of the name",
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadHeader {
    /// A column is missing.
    #[error(
        "the header has no column `{name}`; accepted is one with every column that the mapping names"
    )]
    Missing {
        /// The name in the mapping.
        name: String,
    },
    /// A column is there more than once.
    #[error(
        "the header has column `{name}` more than once; accepted is once, or a place instead of the name"
    )]
    Twice {
        /// The name in the mapping.
        name: String,
    },
    /// A column stands beyond the last.
    #[error(
        "the header has {found} columns, but column {position} is read; accepted is a header of at least {position}"
    )]
    Narrow {
        /// The column.
        position: NonZeroU16,
        /// How many there are.
        found: usize,
    },
    /// The header cannot be taken apart.
    #[error("the header cannot be read: {0}")]
    Unreadable(Reason),
}
