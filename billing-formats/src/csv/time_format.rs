//! How the times of a file are written.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::csv::Pattern;

/// How the times of a file are written; displays as what is accepted.
///
/// # Examples
///
/// ```
/// use billing_formats::csv::TimeFormat;
///
/// let format: TimeFormat = serde_json::from_str(r#"{"local": "%d.%m.%Y %H:%M:%S"}"#)?;
/// assert_eq!(format.to_string(), "a local time written as %d.%m.%Y %H:%M:%S");
/// assert_eq!(serde_json::from_str::<TimeFormat>(r#""epoch_s""#)?, TimeFormat::EpochS);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeFormat {
    /// RFC 3339 with an offset, such as `2026-01-31T12:00:00Z`.
    #[default]
    Rfc3339,
    /// What clocks in the zone of the file show, written after a pattern.
    Local(Pattern),
    /// Seconds since 1970 began, UTC, also with decimals.
    EpochS,
    /// Milliseconds since 1970 began, UTC, also with decimals.
    EpochMs,
}

impl fmt::Display for TimeFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rfc3339 => f.write_str("RFC 3339 with an offset, such as 2026-01-31T12:00:00Z"),
            Self::Local(pattern) => write!(f, "a local time written as {pattern}"),
            Self::EpochS => f.write_str("a number of seconds since 1970 began"),
            Self::EpochMs => f.write_str("a number of milliseconds since 1970 began"),
        }
    }
}
