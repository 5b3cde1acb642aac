//! Exact amounts, in units of a currency that stands elsewhere.

use alloc::string::String;
use core::{fmt, str::FromStr};

use rust_decimal::Decimal;

use crate::{
    id::text_serde,
    money::{
        MoneyError,
        decimal::{
            Bounds, DECIMALS_MAX, bounded_decimal, fixed, of_few_units, signed_decimal, units_of,
        },
    },
};

/// An exact amount, in units of a currency that stands elsewhere.
///
/// Has at most 10 decimals and stays below 10^18 on either side of 0, so every sum
/// of two is exact. As text it is a minus sign where due, digits, and a point and
/// digits where due, without trailing zeros; in JSON it is a string only.
///
/// # Examples
///
/// ```
/// use billing_core::money::Amount;
///
/// let amount: Amount = "1.620".parse()?;
/// assert_eq!(amount.to_string(), "1.62");
/// assert!("1e3".parse::<Amount>().is_err());
/// # Ok::<(), billing_core::money::MoneyError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(Decimal);

const BOUNDS: Bounds = Bounds {
    kind: "amount",
    decimals_max: DECIMALS_MAX,
    min: -9_999_999_999_999_999_999_999_999_999,
    max: 9_999_999_999_999_999_999_999_999_999,
    accepted: "below 10^18 on either side of 0",
};

bounded_decimal!(Amount, BOUNDS, "an amount as text, such as \"1.62\"");
signed_decimal!(Amount, BOUNDS);

impl Amount {
    /// The amount of `units` times 10^-`decimals`, such as cents at 2 decimals.
    ///
    /// # Errors
    ///
    /// [`MoneyError::TooPrecise`] and [`MoneyError::OutOfBounds`]; nothing is rounded.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::money::Amount;
    ///
    /// assert_eq!(Amount::from_units(162, 2)?.to_string(), "1.62");
    /// # Ok::<(), billing_core::money::MoneyError>(())
    /// ```
    pub fn from_units(units: i128, decimals: u32) -> Result<Self, MoneyError> {
        BOUNDS.of_units(units, decimals).map(Self)
    }

    /// The amount in units of 10^-`decimals`, or `None` if it is not a whole number of them.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::money::Amount;
    ///
    /// let amount: Amount = "1.62".parse()?;
    /// assert_eq!(amount.units(2), Some(162));
    /// assert_eq!(amount.units(1), None);
    /// # Ok::<(), billing_core::money::MoneyError>(())
    /// ```
    #[must_use]
    pub fn units(self, decimals: u32) -> Option<i128> {
        units_of(self.0, decimals)
    }

    /// The same of fewer than 10^18 units at 10 decimals at most, which are in bounds.
    pub(crate) fn from_few_units(units: u64, decimals: u32) -> Self {
        Self(of_few_units(units, decimals))
    }

    pub(super) fn out_of_bounds(value: String) -> MoneyError {
        BOUNDS.out_of_bounds(value)
    }
}
