//! Exact quantities: seconds, messages, gigabytes.

use alloc::string::String;
use core::{fmt, str::FromStr};

use rust_decimal::Decimal;

use crate::{
    id::text_serde,
    money::{
        MoneyError,
        decimal::{Bounds, DECIMALS_MAX, bounded_decimal, fixed, signed_decimal},
    },
};

/// An exact quantity, in a unit that stands elsewhere.
///
/// Has at most 10 decimals and stays below 10^18 on either side of 0, so every sum
/// of two is exact. As text it is written like an amount; in JSON it is a string only.
///
/// # Examples
///
/// ```
/// use billing_core::money::Quantity;
///
/// let quantity: Quantity = "-0.50".parse()?;
/// assert_eq!(quantity.to_string(), "-0.5");
/// # Ok::<(), billing_core::money::MoneyError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity(Decimal);

const BOUNDS: Bounds = Bounds {
    kind: "quantity",
    decimals_max: DECIMALS_MAX,
    min: -9_999_999_999_999_999_999_999_999_999,
    max: 9_999_999_999_999_999_999_999_999_999,
    accepted: "below 10^18 on either side of 0",
};

bounded_decimal!(Quantity, BOUNDS, "a quantity as text, such as \"1.5\"");
signed_decimal!(Quantity, BOUNDS);

impl Quantity {
    /// Takes the quantity from a whole number.
    ///
    /// # Errors
    ///
    /// [`MoneyError::OutOfBounds`] from 10^18 on.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::money::Quantity;
    ///
    /// assert_eq!(Quantity::from_u64(60)?.to_string(), "60");
    /// # Ok::<(), billing_core::money::MoneyError>(())
    /// ```
    pub fn from_u64(whole: u64) -> Result<Self, MoneyError> {
        Self::try_new(Decimal::from(whole))
    }

    /// The quantity of `units` times 10^-`decimals`, such as milliseconds at 3 decimals.
    ///
    /// # Errors
    ///
    /// [`MoneyError::TooPrecise`] and [`MoneyError::OutOfBounds`]; nothing is rounded.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::money::Quantity;
    ///
    /// assert_eq!(Quantity::from_units(1_500, 3)?.to_string(), "1.5");
    /// # Ok::<(), billing_core::money::MoneyError>(())
    /// ```
    pub fn from_units(units: i128, decimals: u32) -> Result<Self, MoneyError> {
        BOUNDS.of_units(units, decimals).map(Self)
    }

    pub(super) fn out_of_bounds(value: String) -> MoneyError {
        BOUNDS.out_of_bounds(value)
    }
}

impl From<u32> for Quantity {
    fn from(whole: u32) -> Self {
        Self(Decimal::from(whole).normalize())
    }
}
