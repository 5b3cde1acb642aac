//! What is wrong with a tariff document, and in which line.

use alloc::string::String;
use core::fmt;

use compact_str::CompactString;

use crate::number::Prefix;

/// A tariff document that cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{problem}", Place(*line))]
pub struct InvalidTariff {
    /// The line, counted from 1; `None` if it is the document.
    pub line: Option<usize>,
    /// What is wrong.
    pub problem: TariffProblem,
}

struct Place(Option<usize>);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|line| write!(f, "line {line}: "))
    }
}

/// What is wrong with a tariff document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TariffProblem {
    /// Version 0.
    #[error("a tariff's version is 0: versions are counted from 1")]
    Version,
    /// Too many decimals.
    #[error("{decimals} decimals are too many: 0 to 10 are accepted")]
    Decimals {
        /// The decimals.
        decimals: u8,
    },
    /// More lines or prefixes than a tariff may have.
    #[error("a tariff of more than {max} lines or prefixes is too large")]
    TooLarge {
        /// How many are accepted.
        max: u32,
    },
    /// No such window, group or calendar.
    #[error("there is no {what} {name:?} in the tariff")]
    Unknown {
        /// What it was to be.
        what: &'static str,
        /// Its name.
        name: CompactString,
    },
    /// A group or line without prefixes.
    #[error("{what} has no prefixes")]
    NoPrefixes {
        /// What has none.
        what: String,
    },
    /// A line without a price.
    #[error("a line that is not blocked needs a band")]
    NoBands,
    /// A line with prices that is blocked.
    #[error("a blocked line has no bands, fees, minimum or maximum")]
    PricedAndBlocked,
    /// The first band does not begin at 0, or a band not after the one before.
    #[error(
        "band {band} begins at {from}: the first begins at 0, each other after the one before it"
    )]
    BandOrder {
        /// The band, counted from 1.
        band: usize,
        /// Where it begins.
        from: CompactString,
    },
    /// A band that begins within an increment of the one before.
    #[error("band {band} begins at {from}, within an increment of the band before it")]
    BandWithinIncrement {
        /// The band, counted from 1.
        band: usize,
        /// Where it begins.
        from: CompactString,
    },
    /// A quantity that is out of bounds or finer than the measure.
    #[error("{what} is {value}: {accepted}")]
    Quantity {
        /// What it is.
        what: &'static str,
        /// The value.
        value: CompactString,
        /// What is accepted.
        accepted: &'static str,
    },
    /// The validity of a line is empty.
    #[error("a line is valid from before until after: it ends before it begins")]
    Validity,
    /// The minimum is above the maximum.
    #[error("the minimum of {minimum} is above the maximum of {maximum}")]
    MinimumAboveMaximum {
        /// The minimum.
        minimum: CompactString,
        /// The maximum.
        maximum: CompactString,
    },
    /// The units that prices are for have no common measure of a reasonable size.
    #[error("prices are for units whose common multiple is too large")]
    Units,
    /// A time of day that is none.
    #[error("{text:?} is no time of day: `08:00`, `08:00:30` and up to `24:00` are accepted")]
    TimeOfDay {
        /// The text.
        text: CompactString,
    },
    /// A month or day of the month that is none, or days that end before they begin.
    #[error("window {name:?}: {what}")]
    Window {
        /// Its name.
        name: CompactString,
        /// What is wrong.
        what: &'static str,
    },
    /// Two lines between which nothing decides.
    #[error(
        "prefix {} has another line of the same origin, window, weight and validity: line {other}",
        Shown(*prefix)
    )]
    Twins {
        /// The prefix; `None` for the catch-all.
        prefix: Option<Prefix>,
        /// The other line, counted from 1.
        other: usize,
    },
}

struct Shown(Option<Prefix>);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(prefix) => write!(f, "{prefix}"),
            None => f.write_str("any"),
        }
    }
}
