//! What a record is known by.

use serde::{Deserialize, Serialize};

use crate::csv::{Column, column::ColumnOr};

/// What a record is known by: an id in a column, or the digest of what makes it the only one of its kind.
///
/// The digest is for sources that give no ids. It is taken over the text of the columns in the order given, and two records
/// with the same text are one; so name enough of them, such as the start, both numbers and the duration.
///
/// # Examples
///
/// ```
/// use billing_formats::csv::RecordId;
///
/// let id: RecordId = serde_json::from_str(r#""Call-ID""#)?;
/// assert_eq!(id, RecordId::Column("Call-ID".into()));
/// let digest: RecordId = serde_json::from_str(r#"{"digest": ["Start", "From", "To", 7]}"#)?;
/// assert!(matches!(digest, RecordId::Digest(columns) if columns.len() == 4));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "ColumnOr<Other>", into = "ColumnOr<Other>")]
pub enum RecordId {
    /// The id stands in this column.
    Column(Column),
    /// The digest of these columns, as 64 hexadecimal digits.
    Digest(Vec<Column>),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Other {
    digest: Vec<Column>,
}

impl RecordId {
    pub(super) const fn columns(&self) -> &[Column] {
        match self {
            Self::Column(column) => core::slice::from_ref(column),
            Self::Digest(columns) => columns.as_slice(),
        }
    }
}

impl From<ColumnOr<Other>> for RecordId {
    fn from(form: ColumnOr<Other>) -> Self {
        match form {
            ColumnOr::Column(column) => Self::Column(column),
            ColumnOr::Other(Other { digest }) => Self::Digest(digest),
        }
    }
}

impl From<RecordId> for ColumnOr<Other> {
    fn from(id: RecordId) -> Self {
        match id {
            RecordId::Column(column) => Self::Column(column),
            RecordId::Digest(digest) => Self::Other(Other { digest }),
        }
    }
}
