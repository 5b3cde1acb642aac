//! Sharing out a rounded total so that the parts add up to it.

use alloc::{string::ToString as _, vec::Vec};
use core::cmp::Reverse;

use num_bigint::{BigInt, BigUint, Sign};
use num_traits::{ToPrimitive as _, Zero as _};
use rust_decimal::Decimal;

use crate::money::{
    Amount, MoneyError, Quantity,
    decimal::{DECIMALS_MAX, units_of},
};

/// Shares `total` out by `weights`, in units of 10^-`decimals`.
///
/// The parts add up to `total`, and each lies less than one unit from its exact
/// share: the units that are left over go to the largest remainders, and among
/// equal ones to the first. Weights count without their sign; if all are 0, all
/// count the same. A negative total gives the parts of the positive one, negated.
///
/// # Errors
///
/// [`MoneyError::Decimals`] above 10 decimals, [`MoneyError::NotInUnits`] if `total`
/// is no whole number of units, and [`MoneyError::NoWeights`] if there are no weights
/// and `total` is not 0.
///
/// # Examples
///
/// ```
/// use billing_core::money::{Quantity, allocate};
///
/// let weights = [1_u32, 1, 1].map(Quantity::from);
/// let parts = allocate("1.00".parse()?, &weights, 2)?;
/// assert_eq!(parts, ["0.34".parse()?, "0.33".parse()?, "0.33".parse()?]);
/// # Ok::<(), billing_core::money::MoneyError>(())
/// ```
pub fn allocate(
    total: Amount,
    weights: &[Quantity],
    decimals: u32,
) -> Result<Vec<Amount>, MoneyError> {
    if decimals > DECIMALS_MAX {
        return Err(MoneyError::Decimals { decimals });
    }
    let Some(units) = total.units(decimals) else {
        return Err(MoneyError::NotInUnits { total: total.to_string(), decimals });
    };
    if weights.is_empty() && !total.is_zero() {
        return Err(MoneyError::NoWeights { total: total.to_string() });
    }
    let parts = share_out(&BigUint::from(units.unsigned_abs()), &sizes_of(weights));
    parts.into_iter().map(|part| amount_of(part, total, decimals)).collect()
}

fn amount_of(part: BigUint, total: Amount, decimals: u32) -> Result<Amount, MoneyError> {
    let sign = if total.is_negative() { Sign::Minus } else { Sign::Plus };
    let part = BigInt::from_biguint(sign, part);
    match part.to_i128() {
        Some(units) => Amount::from_units(units, decimals),
        None => Err(Amount::out_of_bounds(part.to_string())),
    }
}

fn sizes_of(weights: &[Quantity]) -> Vec<BigUint> {
    if weights.iter().all(|weight| weight.is_zero()) {
        return weights.iter().map(|_| BigUint::from(1_u8)).collect();
    }
    weights.iter().map(|weight| size_of_weight(weight.decimal())).collect()
}

fn size_of_weight(weight: Decimal) -> BigUint {
    BigUint::from(units_of(weight, DECIMALS_MAX).unwrap_or_default().unsigned_abs())
}

/// The shares of `units`; `sizes` has at least one above 0, or is empty.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "big numbers cannot overflow, the sum of the sizes is above 0, and a share is never \
              above its exact value"
)]
fn share_out(units: &BigUint, sizes: &[BigUint]) -> Vec<BigUint> {
    let whole: BigUint = sizes.iter().sum();
    if whole.is_zero() {
        return Vec::new();
    }
    let products = sizes.iter().map(|size| units * size);
    let (mut shares, mut order) = (Vec::new(), Vec::new());
    let mut left = units.clone();
    for (index, product) in products.enumerate() {
        let share = &product / &whole;
        left -= &share;
        order.push((Reverse(product - &share * &whole), index));
        shares.push(share);
    }
    order.sort_unstable();
    let left = left.to_usize().unwrap_or(usize::MAX);
    for (_, index) in order.into_iter().take(left) {
        if let Some(share) = shares.get_mut(index) {
            *share += 1_u8;
        }
    }
    shares
}
