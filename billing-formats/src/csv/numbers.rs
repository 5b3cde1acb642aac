//! Numbers and durations as text, exact, and cut off below the unit asked for.

use crate::csv::DecimalMark;

const DIGITS_MAX: usize = 19;
const SECOND_MS: u64 = 1_000;
const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 3_600_000;

/// How many whole units a decimal number of things is, of which each is so many units.
pub(super) fn whole_units(text: &str, mark: DecimalMark, units_per_thing: u64) -> Option<u64> {
    let (whole, fraction) = match text.split_once(mark.char()) {
        Some((whole, fraction)) => (digits(whole)?, Some(fraction)),
        None => (digits(text)?, None),
    };
    let units = u128::from(units_per_thing);
    let below_one = match fraction {
        None => 0,
        Some(fraction) => {
            let scale = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
            digits(fraction)?.checked_mul(units)?.checked_div(scale)?
        }
    };
    whole.checked_mul(units)?.checked_add(below_one)?.try_into().ok()
}

/// The milliseconds of a text such as `1:02:03`.
pub(super) fn clock_ms(text: &str, mark: DecimalMark) -> Option<u64> {
    let (hours, rest) = text.split_once(':')?;
    let (minutes, seconds) = rest.split_once(':')?;
    let whole_seconds = seconds.split(mark.char()).next()?;
    if minutes.len() != 2 || whole_seconds.len() != 2 {
        return None;
    }
    let hours_ms = u64::try_from(digits(hours)?).ok()?.checked_mul(HOUR_MS)?;
    let minutes_ms = whole_units(minutes, mark, MINUTE_MS).filter(|ms| *ms < HOUR_MS)?;
    let seconds_ms = whole_units(seconds, mark, SECOND_MS).filter(|ms| *ms < MINUTE_MS)?;
    hours_ms.checked_add(minutes_ms)?.checked_add(seconds_ms)
}

/// The number that digits state; no sign, no space, no other digits than those of ASCII.
fn digits(text: &str) -> Option<u128> {
    let is_short = (1..=DIGITS_MAX).contains(&text.len());
    let is_number = is_short && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}
