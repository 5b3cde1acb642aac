//! Exact fractions: decimals become them, and one rounding leads back.

use billing_core::money::{Amount, Rounding};
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One as _, Zero as _};
use rust_decimal::Decimal;

/// Millionths in one second or unit.
pub(crate) const MILLION: i128 = 1_000_000;

/// A decimal as a fraction.
pub(crate) fn fraction(value: Decimal) -> BigRational {
    let scale = BigInt::from(10_u8).pow(value.scale());
    BigRational::new(BigInt::from(value.mantissa()), scale)
}

/// A decimal number of seconds or units in millionths, of which it is a whole number.
pub(crate) fn millionths(value: Decimal) -> i128 {
    let whole = fraction(value) * BigRational::from_integer(BigInt::from(MILLION));
    assert!(whole.is_integer(), "{value} is finer than a millionth");
    whole.to_integer().try_into().unwrap()
}

/// A value that is not negative, rounded; `None` if it is no amount any more.
pub(crate) fn rounded(value: &BigRational, decimals: u8, rounding: Rounding) -> Option<Amount> {
    let scale = BigRational::from_integer(BigInt::from(10_u8).pow(u32::from(decimals)));
    let scaled = value * scale;
    let (low, rest) = (scaled.floor().to_integer(), scaled.fract());
    let half = BigRational::new(BigInt::one(), BigInt::from(2_u8));
    let is_odd = !(&low % BigInt::from(2_u8)).is_zero();
    let goes_up = match rounding {
        Rounding::HalfUp => rest >= half,
        Rounding::HalfEven => rest > half || rest == half && is_odd,
        Rounding::HalfDown => rest > half,
        Rounding::Up | Rounding::Ceiling => !rest.is_zero(),
        Rounding::Down | Rounding::Floor => false,
    };
    let units = if goes_up { low + BigInt::one() } else { low };
    Amount::from_units(units.try_into().ok()?, u32::from(decimals)).ok()
}
