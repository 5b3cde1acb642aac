//! What can be wrong with money.

use alloc::string::String;

use crate::money::Currency;

/// A value of money was refused, or a computation has no such result.
///
/// # Examples
///
/// ```
/// use billing_core::money::Amount;
///
/// assert_eq!(
///     "1.00000000001".parse::<Amount>().unwrap_err().to_string(),
///     "amount 1.00000000001 has more than 10 decimals"
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MoneyError {
    /// The text does not read as such a value; it is not repeated.
    #[error("{kind} cannot be read from byte {position} on; accepted is {accepted}")]
    Malformed {
        /// What it was to be, such as `amount`.
        kind: &'static str,
        /// The first byte that does not fit, counted from 0.
        position: usize,
        /// What is accepted.
        accepted: &'static str,
    },
    /// The value has more decimals than its kind may have.
    #[error("{kind} {value} has more than {decimals_max} decimals")]
    TooPrecise {
        /// What it was to be, such as `amount`.
        kind: &'static str,
        /// The value.
        value: String,
        /// How many decimals are accepted.
        decimals_max: u32,
    },
    /// The value is too large or too small for its kind.
    #[error("{kind} {value} is out of bounds; accepted is {accepted}")]
    OutOfBounds {
        /// What it was to be, such as `amount`.
        kind: &'static str,
        /// The value, or how long it is.
        value: String,
        /// What is accepted.
        accepted: &'static str,
    },
    /// Two amounts of money are in different currencies.
    #[error("{left} and {right} cannot be combined; both must be in one currency")]
    CurrencyMismatch {
        /// The currency of the first one.
        left: Currency,
        /// The currency of the second one.
        right: Currency,
    },
    /// The exact value has no finite decimal of at most 10 decimals.
    #[error("{value} is not a decimal of at most 10 decimals")]
    NotDecimal {
        /// The value, or how long it is.
        value: String,
    },
    /// More decimals were asked for than an amount has.
    #[error("{decimals} decimals were asked for; accepted are 0 to 10")]
    Decimals {
        /// How many were asked for.
        decimals: u32,
    },
    /// A total has decimals below the unit it is to be shared out in.
    #[error("{total} cannot be shared out in units of {decimals} decimals")]
    NotInUnits {
        /// The total.
        total: String,
        /// How many decimals the unit has.
        decimals: u32,
    },
    /// A total other than 0 has nobody to go to.
    #[error("{total} cannot be shared out among no weights; at least one is needed")]
    NoWeights {
        /// The total.
        total: String,
    },
}
