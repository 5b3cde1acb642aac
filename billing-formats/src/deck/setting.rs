//! A value that stands in a column, or is the same for the whole deck.

use serde::{Deserialize, Serialize};

use crate::csv::{Column, column::ColumnOr};

/// A value that stands in a column, or is the same for the whole deck.
///
/// In JSON a column stands bare; `{"column": ..., "empty": ...}` says besides what an empty one means, and
/// `{"constant": ...}` needs no column.
///
/// # Examples
///
/// ```
/// use billing_formats::deck::{Increments, Setting};
///
/// let column: Setting<Increments> = serde_json::from_str(r#""Min/Inc""#)?;
/// assert_eq!(column, Setting::Column { column: "Min/Inc".into(), empty: None });
/// let constant: Setting<Increments> = serde_json::from_str(r#"{"constant": "60/60"}"#)?;
/// assert_eq!(constant, Setting::Constant("60/60".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    try_from = "ColumnOr<Form<T>>",
    into = "ColumnOr<Form<T>>",
    bound(serialize = "T: Clone + Serialize", deserialize = "T: Deserialize<'de>")
)]
pub enum Setting<T> {
    /// It stands in a column.
    Column {
        /// Which one.
        column: Column,
        /// What an empty column means; what it means that there is none, if this is left out.
        empty: Option<T>,
    },
    /// The deck has no column for it.
    Constant(T),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form<T> {
    #[serde(default = "Option::default", skip_serializing_if = "Option::is_none")]
    column: Option<Column>,
    #[serde(default = "Option::default", skip_serializing_if = "Option::is_none")]
    empty: Option<T>,
    #[serde(default = "Option::default", skip_serializing_if = "Option::is_none")]
    constant: Option<T>,
}

impl<T> TryFrom<ColumnOr<Form<T>>> for Setting<T> {
    type Error = &'static str;

    fn try_from(form: ColumnOr<Form<T>>) -> Result<Self, Self::Error> {
        match form {
            ColumnOr::Column(column) => Ok(Self::Column { column, empty: None }),
            ColumnOr::Other(Form { column: Some(column), empty, constant: None }) => {
                Ok(Self::Column { column, empty })
            }
            ColumnOr::Other(Form { column: None, empty: None, constant: Some(constant) }) => {
                Ok(Self::Constant(constant))
            }
            ColumnOr::Other(_) => {
                Err("accepted is `constant` alone, or `column`, and with it `empty`")
            }
        }
    }
}

impl<T> From<Setting<T>> for ColumnOr<Form<T>> {
    fn from(setting: Setting<T>) -> Self {
        match setting {
            Setting::Column { column, empty: None } => Self::Column(column),
            Setting::Column { column, empty } => {
                Self::Other(Form { column: Some(column), empty, constant: None })
            }
            Setting::Constant(constant) => {
                Self::Other(Form { column: None, empty: None, constant: Some(constant) })
            }
        }
    }
}

/// The setting of a column.
impl<T> From<&str> for Setting<T> {
    fn from(name: &str) -> Self {
        Self::Column { column: name.into(), empty: None }
    }
}

impl<T> Setting<T> {
    pub(super) const fn column(&self) -> Option<&Column> {
        match self {
            Self::Column { column, .. } => Some(column),
            Self::Constant(_) => None,
        }
    }
}
