//! A value that stands in a column, or is the same for the whole file.

use serde::{Deserialize, Serialize};

use crate::csv::{Column, column::ColumnOr};

/// A value that stands in a column, or is the same for the whole file.
///
/// In JSON a column stands bare, and a constant in an object.
///
/// # Examples
///
/// ```
/// use billing_core::id::Unit;
/// use billing_formats::csv::Value;
///
/// let column: Value<Unit> = serde_json::from_str(r#""Unit of measure""#)?;
/// assert_eq!(column, Value::Column("Unit of measure".into()));
/// let constant: Value<Unit> = serde_json::from_str(r#"{"constant": "GB"}"#)?;
/// assert_eq!(constant, Value::Constant(Unit::try_new("GB")?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    from = "ColumnOr<Constant<T>>",
    into = "ColumnOr<Constant<T>>",
    bound(serialize = "T: Clone + Serialize", deserialize = "T: Deserialize<'de>")
)]
pub enum Value<T> {
    /// It stands in this column.
    Column(Column),
    /// The file has no column for it.
    Constant(T),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Constant<T> {
    constant: T,
}

impl<T> From<ColumnOr<Constant<T>>> for Value<T> {
    fn from(form: ColumnOr<Constant<T>>) -> Self {
        match form {
            ColumnOr::Column(column) => Self::Column(column),
            ColumnOr::Other(Constant { constant }) => Self::Constant(constant),
        }
    }
}

impl<T> From<Value<T>> for ColumnOr<Constant<T>> {
    fn from(value: Value<T>) -> Self {
        match value {
            Value::Column(column) => Self::Column(column),
            Value::Constant(constant) => Self::Other(Constant { constant }),
        }
    }
}

impl<T> Value<T> {
    pub(super) const fn column(&self) -> Option<&Column> {
        match self {
            Self::Column(column) => Some(column),
            Self::Constant(_) => None,
        }
    }
}
