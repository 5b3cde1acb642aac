//! One of few values, and the words that stand for it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::csv::Column;

/// One of few values: told by the words of a column, or the same for the whole file.
///
/// # Examples
///
/// ```
/// use billing_core::item::Direction;
/// use billing_formats::csv::Choice;
///
/// let direction: Choice<Direction> = serde_json::from_str(
///     r#"{"listed": {"column": "Dir", "values": {"in": "inbound", "out": "outbound"}}}"#,
/// )?;
/// let Choice::Listed(listed) = direction else { return Ok(()) };
/// assert_eq!(listed.find("IN"), Some(Direction::Inbound));
/// assert_eq!(listed.find("transit"), None);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice<T> {
    /// The file has no column for it.
    Constant(T),
    /// The words of a column tell.
    Listed(Listed<T>),
}

/// What the words of a column mean.
///
/// # Examples
///
/// ```
/// use billing_core::item::Disposition;
/// use billing_formats::csv::Listed;
///
/// let mut listed = Listed { column: "cause".into(), values: [("16".into(), Disposition::Answered)].into(), otherwise: None };
/// assert_eq!(listed.find("17"), None);
/// listed.otherwise = Some(Disposition::Failed);
/// assert_eq!(listed.find("17"), Some(Disposition::Failed));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed<T> {
    /// Where they stand.
    pub column: Column,
    /// What each means, without regard to case; the empty text stands for an empty column.
    pub values: BTreeMap<String, T>,
    /// What any other word means; records with one are refused if this is left out.
    #[serde(default = "Option::default", skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<T>,
}

impl<T> Choice<T> {
    pub(crate) const fn column(&self) -> Option<&Column> {
        match self {
            Self::Listed(listed) => Some(&listed.column),
            Self::Constant(_) => None,
        }
    }
}

impl<T: Copy> Listed<T> {
    /// What a word means, if anything.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::item::Direction;
    /// use billing_formats::csv::Listed;
    ///
    /// let listed =
    ///     Listed { column: 3.try_into()?, values: [("In".into(), Direction::Inbound)].into(), otherwise: None };
    /// assert_eq!(listed.find(" IN "), Some(Direction::Inbound));
    /// # Ok::<(), core::num::TryFromIntError>(())
    /// ```
    #[must_use]
    pub fn find(&self, word: &str) -> Option<T> {
        let mut values = self.values.iter();
        values.find(|(name, _)| are_same(name, word)).map(|(_, value)| *value).or(self.otherwise)
    }
}

/// Whether two words are the same but for case, and for spaces around them.
pub(crate) fn are_same(one: &str, other: &str) -> bool {
    let [one, other] = [one, other].map(|word| word.trim().chars().flat_map(char::to_lowercase));
    one.eq(other)
}
