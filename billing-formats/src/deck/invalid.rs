//! What the mapping of a deck must not say.

use billing_core::money::Quantity;

use crate::{
    csv::{Column, Listed, choice::are_same},
    deck::{DecimalMark, Header, Mapping, Per, ThousandsMark},
};

/// A mapping cannot be used; names the field.
///
/// # Examples
///
/// ```
/// use billing_formats::deck::InvalidMapping;
///
/// assert_eq!(
///     InvalidMapping::HeaderOfNoNames.to_string(),
///     "`header` is to be found, but no column is told by its name; accepted are names, or `header` as a row or absent",
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidMapping {
    /// A column is named in a deck without names.
    #[error(
        "column `{name}` is told by name, but `header` says that there are none; accepted are places"
    )]
    NameWithoutHeader {
        /// The column.
        name: String,
    },
    /// Nothing tells the header.
    #[error(
        "`header` is to be found, but no column is told by its name; accepted are names, or `header` as a row or absent"
    )]
    HeaderOfNoNames,
    /// The header is further down than is looked.
    #[error("`header` is in row {row}; accepted is a row up to {max}")]
    HeaderTooFar {
        /// The row.
        row: u32,
        /// The last that is accepted.
        max: u32,
    },
    /// The decimal mark is also the mark of thousands.
    #[error(
        "`thousands` is a mark that `decimal` may be; accepted is another one, and with `auto` a space or an apostrophe"
    )]
    SameMarks,
    /// A price is for nothing.
    #[error("`per` is {quantity}; accepted is a quantity above 0")]
    PerNothing {
        /// The quantity.
        quantity: Quantity,
    },
    /// No word has a meaning.
    #[error("`{field}` lists no values; accepted is one or more")]
    NoValues {
        /// Which field.
        field: &'static str,
    },
    /// Two words are the same but for case.
    #[error(
        "`{field}` lists {word:?} and another value that differs in case or spaces alone; accepted is one of them"
    )]
    ValueTwice {
        /// Which field.
        field: &'static str,
        /// The word.
        word: String,
    },
    /// What a code may begin with is empty or no number.
    #[error("`international_prefixes` has {prefix:?}; accepted are digits")]
    InternationalPrefix {
        /// The prefix.
        prefix: String,
    },
}

/// The last row in which a header is looked for.
pub(super) const HEADER_ROW_MAX: u32 = 50;

/// Refuses a mapping whose parts contradict each other.
pub(super) fn check(mapping: &Mapping) -> Result<(), InvalidMapping> {
    check_header(mapping)?;
    let same = matches!(
        (mapping.decimal, mapping.thousands),
        (DecimalMark::Point | DecimalMark::Auto, Some(ThousandsMark::Point))
            | (DecimalMark::Comma | DecimalMark::Auto, Some(ThousandsMark::Comma))
    );
    if same {
        return Err(InvalidMapping::SameMarks);
    }
    if let Per::Quantity(quantity) = mapping.per
        && (quantity.is_negative() || quantity.is_zero())
    {
        return Err(InvalidMapping::PerNothing { quantity });
    }
    let is_number =
        |prefix: &&String| !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(prefix) = mapping.international_prefixes.iter().find(|prefix| !is_number(prefix)) {
        return Err(InvalidMapping::InternationalPrefix { prefix: prefix.clone() });
    }
    check_listed("change", mapping.columns.change.as_ref())?;
    check_listed("blocked", mapping.columns.blocked.as_ref())
}

fn check_header(mapping: &Mapping) -> Result<(), InvalidMapping> {
    let columns = mapping.columns.all();
    let mut names = columns.iter().filter_map(|column| match column {
        Column::Name(name) => Some(name),
        Column::Position(_) => None,
    });
    match (mapping.header, names.next()) {
        (Header::Absent, Some(name)) => {
            Err(InvalidMapping::NameWithoutHeader { name: name.clone() })
        }
        (Header::Found, None) => Err(InvalidMapping::HeaderOfNoNames),
        (Header::Row(row), _) if row.get() > HEADER_ROW_MAX => {
            Err(InvalidMapping::HeaderTooFar { row: row.get(), max: HEADER_ROW_MAX })
        }
        (Header::Absent | Header::Found | Header::Row(_), _) => Ok(()),
    }
}

fn check_listed<T>(field: &'static str, listed: Option<&Listed<T>>) -> Result<(), InvalidMapping> {
    let Some(listed) = listed else { return Ok(()) };
    if listed.values.is_empty() {
        return Err(InvalidMapping::NoValues { field });
    }
    let mut words = listed.values.keys();
    while let Some(word) = words.next() {
        if words.clone().any(|other| are_same(word, other)) {
            return Err(InvalidMapping::ValueTwice { field, word: word.clone() });
        }
    }
    Ok(())
}
