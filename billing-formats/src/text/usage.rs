//! How much was used, as people read it.

use billing_core::{id::Unit, money::Quantity};

const MS_PER_SECOND: u128 = 1_000;
const MS_PER_MINUTE: u128 = 60_000;
const MS_PER_HOUR: u128 = 3_600_000;

/// Milliseconds as `h:mm:ss`, with a fraction where due; anything else with its unit.
pub(super) fn usage(quantity: Quantity, unit: &Unit) -> String {
    match unit.as_str() {
        "ms" => clock(quantity).unwrap_or_else(|| format!("{quantity} ms")),
        "block" if quantity.abs() != Quantity::from(1) => format!("{quantity} blocks"),
        unit => format!("{quantity} {unit}"),
    }
}

/// `None` for a fraction of a millisecond.
fn clock(quantity: Quantity) -> Option<String> {
    let total: u128 = quantity.abs().to_string().parse().ok()?;
    let hours = total.checked_div(MS_PER_HOUR)?;
    let minutes = total.checked_rem(MS_PER_HOUR)?.checked_div(MS_PER_MINUTE)?;
    let seconds = total.checked_rem(MS_PER_MINUTE)?.checked_div(MS_PER_SECOND)?;
    let fraction = match total.checked_rem(MS_PER_SECOND)? {
        0 => String::new(),
        fraction => format!(".{fraction:03}"),
    };
    let sign = if quantity.is_negative() { "-" } else { "" };
    Some(format!("{sign}{hours}:{minutes:02}:{seconds:02}{fraction}"))
}
