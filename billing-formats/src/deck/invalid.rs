//! What the mapping of a deck must not say.

use billing_core::money::Quantity;

use crate::{
    csv::{
        self, Column,
        invalid::{check_listed, check_place},
    },
    deck::{Columns, DecimalMark, Header, Mapping, Per, ThousandsMark, increments::is_counted},
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
    /// Columns or words are not as they must be in any file.
    #[error(transparent)]
    Columns(#[from] csv::InvalidMapping),
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
    /// A price is for nothing, or for more than can be counted.
    #[error(
        "`per` is {quantity}; accepted is a quantity above 0 and below 10^10, with up to 3 decimals"
    )]
    Per {
        /// The quantity.
        quantity: Quantity,
    },
    /// No increment would be accepted, or more than can be counted.
    #[error(
        "`increment_max` is {quantity}; accepted is a quantity above 0 and below 10^10, with up to 3 decimals"
    )]
    IncrementMax {
        /// The quantity.
        quantity: Quantity,
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
    let counts = |quantity: Quantity| !quantity.is_zero() && is_counted(quantity);
    if let Per::Quantity(quantity) = mapping.per
        && !counts(quantity)
    {
        return Err(InvalidMapping::Per { quantity });
    }
    if !counts(mapping.increment_max) {
        return Err(InvalidMapping::IncrementMax { quantity: mapping.increment_max });
    }
    let is_number =
        |prefix: &&String| !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(prefix) = mapping.international_prefixes.iter().find(|prefix| !is_number(prefix)) {
        return Err(InvalidMapping::InternationalPrefix { prefix: prefix.clone() });
    }
    let Columns { change, blocked, .. } = &mapping.columns;
    change.iter().try_for_each(|listed| check_listed("change", listed))?;
    blocked.iter().try_for_each(|listed| check_listed("blocked", listed))?;
    Ok(())
}

fn check_header(mapping: &Mapping) -> Result<(), InvalidMapping> {
    let columns = mapping.columns.all();
    match mapping.header {
        Header::Absent => {
            columns.into_iter().try_for_each(|column| check_place(column, None))?;
            Ok(())
        }
        Header::Found if !columns.iter().any(|column| matches!(column, Column::Name(_))) => {
            Err(InvalidMapping::HeaderOfNoNames)
        }
        Header::Row(row) if row.get() > HEADER_ROW_MAX => {
            Err(InvalidMapping::HeaderTooFar { row: row.get(), max: HEADER_ROW_MAX })
        }
        Header::Found | Header::Row(_) => Ok(()),
    }
}
