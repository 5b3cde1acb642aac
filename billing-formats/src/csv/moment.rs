//! Where a time stands.

use serde::{Deserialize, Serialize};

use crate::csv::{Column, column::ColumnOr};

/// Where a time stands: in one column, or its date and its time of day in two.
///
/// # Examples
///
/// ```
/// use billing_formats::csv::Moment;
///
/// let whole: Moment = serde_json::from_str(r#""Start""#)?;
/// assert_eq!(whole, Moment::Column("Start".into()));
/// let parted: Moment = serde_json::from_str(r#"{"date": "Date", "time": "Time"}"#)?;
/// assert_eq!(parted, Moment::Parted { date: "Date".into(), time: "Time".into() });
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "ColumnOr<Parted>", into = "ColumnOr<Parted>")]
pub enum Moment {
    /// Date and time of day stand in this column.
    Column(Column),
    /// They stand apart, and are read as if they stood together with one space between.
    Parted {
        /// Where the date stands.
        date: Column,
        /// Where the time of day stands.
        time: Column,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parted {
    date: Column,
    time: Column,
}

impl Moment {
    /// The column that is blamed if the time cannot be read.
    pub(super) const fn column(&self) -> &Column {
        match self {
            Self::Column(column) | Self::Parted { date: column, .. } => column,
        }
    }

    pub(super) const fn second_column(&self) -> Option<&Column> {
        match self {
            Self::Column(_) => None,
            Self::Parted { time, .. } => Some(time),
        }
    }

    pub(super) fn columns(&self) -> impl Iterator<Item = &Column> {
        core::iter::once(self.column()).chain(self.second_column())
    }
}

impl From<&str> for Moment {
    fn from(name: &str) -> Self {
        Self::Column(name.into())
    }
}

impl From<ColumnOr<Parted>> for Moment {
    fn from(form: ColumnOr<Parted>) -> Self {
        match form {
            ColumnOr::Column(column) => Self::Column(column),
            ColumnOr::Other(Parted { date, time }) => Self::Parted { date, time },
        }
    }
}

impl From<Moment> for ColumnOr<Parted> {
    fn from(moment: Moment) -> Self {
        match moment {
            Moment::Column(column) => Self::Column(column),
            Moment::Parted { date, time } => Self::Other(Parted { date, time }),
        }
    }
}
