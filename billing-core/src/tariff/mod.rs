//! Tariffs: versioned price lists for calls and other usage, compiled once and rated for ever.

mod batch;
mod builder;
mod catalog;
mod compiled;
mod diff;
mod digest;
mod document;
mod explain;
mod invalid;
mod line;
mod line_diff;
mod margin;
mod own;
mod prefixes;
mod provenance;
mod quote;
mod rate_error;
mod rated;
mod rater;
mod rating;
mod reach;
mod rows;
mod side_by_side;
mod ticks;
mod usage;
mod validity;
mod versions;
mod what_if;
mod window;

pub use builder::TariffBuilder;
pub use catalog::{Activation, Catalog, SavedTariff};
pub use compiled::Tariff;
pub use diff::{DiffError, DiffSummary, Named, RuleDiff, TariffDiff};
pub use document::{
    AtMaximum, BandSpec, Crossing, HolidayRule, IncrementRule, LineSpec, Measure, TariffSpec, To,
    Weekday, WindowSpec,
};
pub use explain::{Candidate, Explanation, Piece, Why};
pub use invalid::{InvalidTariff, TariffProblem};
pub use line_diff::{Change, Effect, LineAt, LineDiff, Part, Percents, PriceDiff};
pub use margin::{ExchangeRate, Margin, MarginError};
pub use provenance::Provenance;
pub use quote::{Cost, Quote};
pub use rate_error::RateError;
pub use rated::Rated;
pub use rater::Rater;
pub use reach::Reach;
pub use usage::Usage;
pub use versions::{Tariffs, VersionError};
pub use what_if::{
    Impact, OfAccount, OfDestination, Present, Sums, WhatIf, WhatIfError, WhatIfFound,
};
