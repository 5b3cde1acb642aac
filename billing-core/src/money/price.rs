//! Prices of one unit, and percentages.

use alloc::string::String;
use core::{fmt, str::FromStr};

use rust_decimal::Decimal;

use crate::{
    id::text_serde,
    money::{
        MoneyError,
        decimal::{Bounds, DECIMALS_MAX, bounded_decimal, fixed},
    },
};

/// The price of one unit, in units of a currency that stands elsewhere.
///
/// Is 0 or more, has at most 10 decimals and stays below 10^12. As text it is
/// written like an amount; in JSON it is a string only.
///
/// # Examples
///
/// ```
/// use billing_core::money::Price;
///
/// let price: Price = "0.0150".parse()?;
/// assert_eq!(price.to_string(), "0.015");
/// assert!("-1".parse::<Price>().is_err());
/// # Ok::<(), billing_core::money::MoneyError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Price(Decimal);

const PRICE_BOUNDS: Bounds = Bounds {
    kind: "price",
    decimals_max: DECIMALS_MAX,
    min: 0,
    max: 9_999_999_999_999_999_999_999,
    accepted: "0 or more and below 10^12",
};

bounded_decimal!(Price, PRICE_BOUNDS, "a price as text, such as \"0.015\"");

impl Price {
    /// The price of units of 10^-10.
    pub(crate) fn from_units(units: u128) -> Result<Self, MoneyError> {
        // What is too large for a number is too large for a price.
        PRICE_BOUNDS.of_units(i128::try_from(units).unwrap_or(i128::MAX), DECIMALS_MAX).map(Self)
    }
}

/// A percentage: `8` means 8 %.
///
/// Lies in 0..=1000 and has at most 6 decimals. As text it is written like an
/// amount, without a sign for percent; in JSON it is a string only.
///
/// # Examples
///
/// ```
/// use billing_core::money::Percent;
///
/// let percent: Percent = "8.10".parse()?;
/// assert_eq!(percent.to_string(), "8.1");
/// assert!("1000.1".parse::<Percent>().is_err());
/// # Ok::<(), billing_core::money::MoneyError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent(Decimal);

const PERCENT_BOUNDS: Bounds = Bounds {
    kind: "percentage",
    decimals_max: 6,
    min: 0,
    max: 10_000_000_000_000,
    accepted: "0 to 1000",
};

bounded_decimal!(Percent, PERCENT_BOUNDS, "a percentage as text, such as \"8\"");
