//! What a mapping must not say.

use core::num::NonZeroU16;

use billing_core::item::{InvalidProperties, Properties};

use crate::csv::{
    Calls, Choice, Column, Header, Listed, Mapping, Moment, Payer, PulseOrigin, Pulses, RecordId,
    Records, TimeFormat, choice::are_same,
};

/// A mapping cannot be used; names the field.
///
/// # Examples
///
/// ```
/// use billing_formats::csv::InvalidMapping;
///
/// assert_eq!(
///     InvalidMapping::NameWithoutHeader { name: "talk".into() }.to_string(),
///     "column `talk` is told by name, but `header` says that there are none; accepted are places",
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidMapping {
    /// A column is named in a file without names.
    #[error(
        "column `{name}` is told by name, but `header` says that there are none; accepted are places"
    )]
    NameWithoutHeader {
        /// The column.
        name: String,
    },
    /// A column stands beyond the last.
    #[error(
        "column {position} is read, but `header` says that there are {columns}; accepted are 1 to {columns}"
    )]
    PositionBeyond {
        /// The column.
        position: NonZeroU16,
        /// How many there are.
        columns: NonZeroU16,
    },
    /// A date and a time of day stand apart, and nothing says how to read them together.
    #[error(
        "a date and a time of day stand in two columns, but `times` has no pattern; accepted is `local`"
    )]
    PartedWithoutPattern,
    /// Calls are asked of a mapping of pulses.
    #[error("`records` are pulses; accepted are calls")]
    NoCalls,
    /// The digest of nothing.
    #[error("`id` is the digest of no columns; accepted is one or more")]
    DigestOfNothing,
    /// The account map is asked about nothing.
    #[error("`account` asks the map, but names no column to ask about; accepted is one or more")]
    OriginOfNothing,
    /// No word has a meaning.
    #[error("`{field}` lists no values; accepted is one or more")]
    NoValues {
        /// Which field.
        field: &'static str,
    },
    /// Two words are the same but for case.
    #[error(
        "`{field}` lists values {first} and {second}, which differ in case or spaces alone; accepted is one of them"
    )]
    ValueTwice {
        /// Which field.
        field: &'static str,
        /// The place of one in the order of values, counted from 1.
        first: usize,
        /// The place of the other.
        second: usize,
    },
    /// The names of properties are not accepted.
    #[error("`properties` cannot have these names: {0}")]
    Properties(InvalidProperties),
}

/// Refuses a mapping whose parts contradict each other.
pub(super) fn check(mapping: &Mapping) -> Result<(), InvalidMapping> {
    if let Header::Absent { columns } = mapping.header {
        mapping
            .records
            .columns()
            .into_iter()
            .try_for_each(|column| check_place(column, columns))?;
    }
    match &mapping.records {
        Records::Calls(calls) => check_calls(calls, &mapping.times),
        Records::Pulses(pulses) => check_pulses(pulses, &mapping.times),
    }
}

impl Records {
    /// Every column that is read.
    pub(super) fn columns(&self) -> Vec<&Column> {
        match self {
            Self::Calls(calls) => calls.columns(),
            Self::Pulses(pulses) => pulses.columns(),
        }
    }
}

pub(crate) fn check_place(
    column: &Column,
    columns: Option<NonZeroU16>,
) -> Result<(), InvalidMapping> {
    match (column, columns) {
        (Column::Name(name), _) => Err(InvalidMapping::NameWithoutHeader { name: name.clone() }),
        (&Column::Position(position), Some(columns)) if position > columns => {
            Err(InvalidMapping::PositionBeyond { position, columns })
        }
        (Column::Position(_), _) => Ok(()),
    }
}

fn check_calls(calls: &Calls, times: &TimeFormat) -> Result<(), InvalidMapping> {
    check_id(&calls.id)?;
    check_moment(&calls.start, times)?;
    calls.answer.iter().try_for_each(|answer| check_moment(answer, times))?;
    calls.duration.until().into_iter().try_for_each(|end| check_moment(end, times))?;
    check_choice("disposition", &calls.disposition)?;
    check_choice("direction", &calls.direction)
}

fn check_pulses(pulses: &Pulses, times: &TimeFormat) -> Result<(), InvalidMapping> {
    check_id(&pulses.id)?;
    check_moment(&pulses.at, times)?;
    if pulses.account == Payer::Map(PulseOrigin::default()) {
        return Err(InvalidMapping::OriginOfNothing);
    }
    let names = pulses.properties.keys().map(|name| (name, ""));
    match Properties::try_new(names) {
        Ok(_) => Ok(()),
        Err(problem) => Err(InvalidMapping::Properties(problem)),
    }
}

fn check_id(id: &RecordId) -> Result<(), InvalidMapping> {
    if id.columns().is_empty() { Err(InvalidMapping::DigestOfNothing) } else { Ok(()) }
}

fn check_moment(moment: &Moment, times: &TimeFormat) -> Result<(), InvalidMapping> {
    match (moment, times) {
        (Moment::Column(_), _) | (Moment::Parted { .. }, TimeFormat::Local(_)) => Ok(()),
        (Moment::Parted { .. }, TimeFormat::Rfc3339 | TimeFormat::EpochS | TimeFormat::EpochMs) => {
            Err(InvalidMapping::PartedWithoutPattern)
        }
    }
}

fn check_choice<T>(field: &'static str, choice: &Choice<T>) -> Result<(), InvalidMapping> {
    match choice {
        Choice::Listed(listed) => check_listed(field, listed),
        Choice::Constant(_) => Ok(()),
    }
}

pub(crate) fn check_listed<T>(
    field: &'static str,
    listed: &Listed<T>,
) -> Result<(), InvalidMapping> {
    if listed.values.is_empty() {
        return Err(InvalidMapping::NoValues { field });
    }
    let words = || (1..).zip(listed.values.keys());
    for (first, word) in words() {
        if let Some((second, _)) = words().skip(first).find(|(_, other)| are_same(word, other)) {
            return Err(InvalidMapping::ValueTwice { field, first, second });
        }
    }
    Ok(())
}
