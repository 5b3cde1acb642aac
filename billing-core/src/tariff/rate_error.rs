//! Why usage has no price.

use crate::{
    id::TariffId,
    money::{Currency, MoneyError},
    time::Instant,
};

/// Usage has no price.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RateError {
    /// No line prices it, or a part of it.
    #[error("tariff {tariff} has no line for this destination at {at}")]
    NoLine {
        /// The tariff.
        tariff: TariffId,
        /// When.
        at: Instant,
    },
    /// The destination is blocked.
    #[error("line {line} of tariff {tariff} blocks this destination")]
    Blocked {
        /// The tariff.
        tariff: TariffId,
        /// The line, counted from 1.
        line: u32,
    },
    /// A call was rated by a tariff for units, or the other way round.
    #[error("tariff {tariff} measures something else than this usage")]
    Measure {
        /// The tariff.
        tariff: TariffId,
    },
    /// No such tariff, or none in force at the time.
    #[error("tariff {tariff} is not in force at {at}")]
    NotInForce {
        /// The tariff.
        tariff: TariffId,
        /// When.
        at: Instant,
    },
    /// The tariff is in another currency than the prices that are asked before it.
    #[error("tariff {tariff} is in {theirs}, the prices before it are in {ours}")]
    Currency {
        /// The tariff.
        tariff: TariffId,
        /// Its currency.
        theirs: Currency,
        /// That of the prices before it.
        ours: Currency,
    },
    /// Usage in whole increments is too much to be counted.
    #[error(
        "usage from {at} on, in whole increments of tariff {tariff}, leaves 2^64 milliseconds or millionths"
    )]
    TooMuch {
        /// The tariff.
        tariff: TariffId,
        /// When.
        at: Instant,
    },
    /// The amount leaves its bounds.
    #[error(transparent)]
    Money(#[from] MoneyError),
}
