//! A row of a deck that cannot be taken in, and why.

use core::fmt;

use billing_core::{
    id::InvalidId,
    money::{Currency, MoneyError, Quantity},
    number::{InvalidNumber, Prefix},
};

use crate::{
    csv::{Column, Reason},
    deck::{InvalidIncrements, InvalidRange, RANGE_PREFIXES_MAX, ROW_CODES_MAX, row::WINDOWS_MAX},
};

/// A row of a deck that cannot be taken in.
///
/// # Examples
///
/// ```
/// use billing_formats::deck::{BadRow, Problem};
///
/// let row = BadRow { line: 17, column: Some("Rate".into()), value: Some("1.250".into()), problem: Problem::EitherMark };
/// assert_eq!(
///     row.to_string(),
///     "line 17, column `Rate`, value \"1.250\": its mark may stand before decimals or between thousands; \
///      accepted is a mapping whose `decimal` says which",
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRow {
    /// The physical line it begins on, counted from 1.
    pub line: u64,
    /// The column at fault, if it is one.
    pub column: Option<Column>,
    /// What stands there, up to its first 40 characters.
    pub value: Option<String>,
    /// What is wrong.
    pub problem: Problem,
}

/// Why a row of a deck cannot be taken in.
///
/// # Examples
///
/// ```
/// use billing_formats::deck::Problem;
///
/// assert_eq!(
///     Problem::DigitsLost { digits: 12 }.to_string(),
///     "a spreadsheet cut a code of 12 digits; accepted is one with all of them",
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The row cannot be taken apart.
    #[error(transparent)]
    Record(#[from] Reason),
    /// Characters are not in the encoding of the mapping.
    #[error("it has bytes that are no characters; accepted are those of the mapping's `encoding`")]
    Encoding,
    /// There are too few columns.
    #[error("the row has {found} columns; accepted are {accepted} and more")]
    TooFewColumns {
        /// How many there are.
        found: usize,
        /// How many are read.
        accepted: usize,
    },
    /// There is something beyond the last column of the header.
    #[error(
        "the row has {found} columns; accepted are the {accepted} of the header, and empty ones"
    )]
    TooManyColumns {
        /// How many there are.
        found: usize,
        /// How many the header has.
        accepted: usize,
    },
    /// There is nothing.
    #[error("it is empty, and the mapping does not say what that means; accepted is {accepted}")]
    Empty {
        /// What is accepted.
        accepted: &'static str,
    },
    /// There is no code.
    #[error(
        "it cannot be read as a code; accepted are digits with spaces, brackets, + or an international prefix, ranges as 44 7700-7799, lists as 52 33,34, and *"
    )]
    Code,
    /// A code has the wrong length.
    #[error(transparent)]
    Prefix(#[from] InvalidNumber),
    /// A code begins with 0.
    #[error("the code begins with 0; accepted is the country code first")]
    LeadingZero,
    /// A spreadsheet kept the first digits of a code only.
    #[error("a spreadsheet cut a code of {digits} digits; accepted is one with all of them")]
    DigitsLost {
        /// How many digits the code had.
        digits: usize,
    },
    /// A hyphen may mean either of two.
    #[error(
        "its hyphen may stand for a range or for nothing; accepted is a mapping whose `hyphen` says which"
    )]
    EitherHyphen,
    /// What stands before a code may be its country, or follow another one.
    #[error(
        "it may begin with its own country or follow that of the column or of the first code; accepted are codes that all have their country before a space or hyphen, or none that has it beside a column"
    )]
    EitherHead,
    /// A comma may mean either of two.
    #[error(
        "its comma may separate codes or stand between thousands; accepted is a mapping whose `comma` says which"
    )]
    EitherComma,
    /// A range is none.
    #[error(transparent)]
    Range(#[from] InvalidRange),
    /// A range needs too many prefixes.
    #[error(
        "the range needs {prefixes} prefixes; accepted are up to {RANGE_PREFIXES_MAX}: several ranges, or ends that differ in fewer digits"
    )]
    TooManyPrefixes {
        /// How many it needs.
        prefixes: usize,
    },
    /// A row has too many codes.
    #[error("it has more codes than {ROW_CODES_MAX} prefixes; accepted are fewer in each row")]
    TooManyCodes,
    /// There is no number.
    #[error(
        "it cannot be read as a price; accepted is a number such as 0.015, as the mapping writes it"
    )]
    NoPrice,
    /// A mark may mean either of two.
    #[error(
        "its mark may stand before decimals or between thousands; accepted is a mapping whose `decimal` says which"
    )]
    EitherMark,
    /// What stands between thousands would stand behind a zero.
    #[error(
        "its thousands begin with 0, so that their mark may stand before decimals; accepted is 1 to 9 before the first mark of thousands, as in 1 250"
    )]
    ZeroThousands,
    /// The number is no price.
    #[error(transparent)]
    Price(MoneyError),
    /// The price is in another currency.
    #[error(
        "it has another currency or other words beside it; accepted is {accepted} by its code or sign"
    )]
    Currency {
        /// The currency of the mapping.
        accepted: Currency,
    },
    /// The increments cannot be read.
    #[error(transparent)]
    Increments(#[from] InvalidIncrements),
    /// An increment is so long that a spreadsheet may have made it of a date.
    #[error(
        "an increment is above {max}; accepted are shorter ones, or a mapping whose `increment_max` is higher"
    )]
    IncrementMax {
        /// The longest that is accepted.
        max: Quantity,
    },
    /// A quantity cannot be read.
    #[error(
        "it cannot be read as a quantity; accepted is a number such as 60 or 0.5, of 0 or more and below 10^10, with up to 3 decimals"
    )]
    Quantity,
    /// It names one window more than is kept.
    #[error(
        "the rows before name {WINDOWS_MAX} windows, and this is another one; accepted are no more in one deck"
    )]
    TooManyWindows,
    /// A weight cannot be read.
    #[error("it cannot be read as a weight; accepted is a whole number up to 4294967295")]
    Weight,
    /// A date cannot be read.
    #[error("it cannot be read as a date; accepted is {accepted}")]
    Date {
        /// How dates are written, as the mapping says.
        accepted: &'static str,
    },
    /// Clocks skipped the time, or showed it twice.
    #[error("{zone} had this time never or twice; accepted is another time, or a date alone")]
    LocalTime {
        /// The zone of the mapping.
        zone: &'static str,
    },
    /// The price ends before it begins.
    #[error("the price ends when it begins or before; accepted is a later end")]
    Validity,
    /// A word has no meaning.
    #[error("it is none of the {listed} words that the mapping lists")]
    Unlisted {
        /// How many are listed.
        listed: usize,
    },
    /// The name of a destination is not accepted.
    #[error(transparent)]
    Destination(#[from] InvalidId),
    /// Another row says something else of the same code from the same time on.
    #[error(
        "{} has another line from the same time on in line {other}; accepted is one of them, or another date",
        Shown(*code)
    )]
    SameDate {
        /// The code; `None` for the catch-all.
        code: Option<Prefix>,
        /// The line on which the other row begins, counted from 1.
        other: u64,
    },
}

struct Shown(Option<Prefix>);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(code) => write!(f, "code {code}"),
            None => f.write_str("the catch-all *"),
        }
    }
}

impl fmt::Display for BadRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        self.column.iter().try_for_each(|column| write!(f, ", column {column}"))?;
        self.value.iter().try_for_each(|value| write!(f, ", value {value:?}"))?;
        write!(f, ": {}", self.problem)
    }
}

impl core::error::Error for BadRow {}

/// What is wrong, and where in the row.
#[derive(Debug)]
pub(super) struct Fault {
    place: Option<Box<Place>>,
    problem: Problem,
}

#[derive(Debug)]
struct Place {
    column: Column,
    value: Option<String>,
}

const VALUE_CHARACTERS_MAX: usize = 40;

impl Fault {
    /// A fault in a column; without the value that stands there if it is no text.
    pub(super) fn at(column: &Column, value: Option<&str>, problem: Problem) -> Self {
        let value = value.map(|value| value.chars().take(VALUE_CHARACTERS_MAX).collect());
        Self { place: Some(Box::new(Place { column: column.clone(), value })), problem }
    }

    pub(super) fn on(self, line: u64) -> BadRow {
        let Self { place, problem } = self;
        let (column, value) = match place {
            Some(place) => (Some(place.column), place.value),
            None => (None, None),
        };
        BadRow { line, column, value, problem }
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self { place: None, problem }
    }
}
