//! Prices and quantities as the whole numbers that are rated with.

use compact_str::{CompactString, ToCompactString as _};

use crate::{
    money::{Amount, Price, Quantity, power_of_ten},
    tariff::{Measure, TariffProblem},
};

/// A price in units of 10^-10.
pub(super) fn units(price: Price) -> u128 {
    let decimal = price.decimal();
    let missing = 10_u32.saturating_sub(decimal.scale());
    let units = power_of_ten(missing).and_then(|power| decimal.mantissa().checked_mul(power));
    // A price is not negative and has at most 22 digits at 10 decimals.
    units.and_then(|units| u128::try_from(units).ok()).unwrap_or(u128::MAX)
}

/// A quantity of a document in ticks.
pub(super) fn ticks(
    what: &'static str,
    quantity: Quantity,
    measure: Measure,
) -> Result<u64, TariffProblem> {
    let accepted = match measure {
        Measure::Time => "0 or more seconds with at most 3 decimals, below 10^10, are accepted",
        Measure::Units => "0 or more units with at most 6 decimals, below 10^10, are accepted",
    };
    let refused = || TariffProblem::Quantity { what, value: shown(&quantity), accepted };
    let end = 10_000_000_000_u64.saturating_mul(ticks_per_unit(measure));
    to_ticks(quantity, measure).filter(|ticks| *ticks < end).ok_or_else(refused)
}

/// The same of a quantity that must not be 0.
pub(super) fn positive(
    what: &'static str,
    quantity: Quantity,
    measure: Measure,
) -> Result<u64, TariffProblem> {
    match ticks(what, quantity, measure)? {
        0 => {
            let accepted = "more than 0 is accepted";
            Err(TariffProblem::Quantity { what, value: shown(&quantity), accepted })
        }
        ticks => Ok(ticks),
    }
}

/// A quantity in ticks, if it is a whole number of them and not negative.
pub(super) fn to_ticks(quantity: Quantity, measure: Measure) -> Option<u64> {
    let decimal = quantity.decimal();
    let decimals = match measure {
        Measure::Time => 3_u32,
        Measure::Units => 6,
    };
    let power = power_of_ten(decimals.checked_sub(decimal.scale())?)?;
    u64::try_from(decimal.mantissa().checked_mul(power)?).ok()
}

/// Ticks of a second, or of a unit.
const fn ticks_per_unit(measure: Measure) -> u64 {
    match measure {
        Measure::Time => 1_000,
        Measure::Units => 1_000_000,
    }
}

/// A value as it is put into a message.
pub(super) fn shown(value: &impl core::fmt::Display) -> CompactString {
    value.to_compact_string()
}

/// An amount from units of a tariff's last decimal.
pub(super) fn amount_of(units: u128, decimals: u32) -> Option<Amount> {
    Amount::from_units(i128::try_from(units).ok()?, decimals).ok()
}
