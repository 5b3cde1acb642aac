//! Tariffs: versioned price lists for calls and other usage, compiled once and rated for ever.

mod builder;
mod compiled;
mod digest;
mod document;
mod explain;
mod invalid;
mod line;
mod prefixes;
mod rating;
mod reach;
mod ticks;
mod versions;
mod window;

pub use builder::TariffBuilder;
pub use compiled::Tariff;
pub use document::{
    AtMaximum, BandSpec, Crossing, HolidayRule, IncrementRule, LineSpec, Measure, TariffSpec, To,
    Weekday, WindowSpec,
};
pub use explain::{Candidate, Explanation, Piece, Why};
pub use invalid::{InvalidTariff, TariffProblem};
pub use rating::{RateError, Rated, Usage};
pub use reach::Reach;
pub use versions::{Tariffs, VersionError};
