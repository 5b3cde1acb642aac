//! Times as text, and the instants they state.

use billing_core::time::{Instant, LocalTime, Resolved};

use crate::csv::{Mapping, Reason, Repeated, TimeFormat, numbers::whole_units};

const SECOND_MICROS: u64 = 1_000_000;
const MILLISECOND_MICROS: u64 = 1_000;

/// The instant that a text states, written as the mapping says.
pub(super) fn instant(text: &str, mapping: &Mapping) -> Result<Instant, Reason> {
    let unreadable = || Reason::Time { accepted: mapping.times.to_string() };
    let since_1970 = |unit_micros: u64| {
        let micros = whole_units(text, mapping.decimal, unit_micros)?;
        Instant::from_micros(i64::try_from(micros).ok()?).ok()
    };
    match &mapping.times {
        TimeFormat::Rfc3339 => text.parse().map_err(|_unreadable| unreadable()),
        TimeFormat::EpochS => since_1970(SECOND_MICROS).ok_or_else(unreadable),
        TimeFormat::EpochMs => since_1970(MILLISECOND_MICROS).ok_or_else(unreadable),
        TimeFormat::Local(pattern) => {
            let local = pattern.read(text).ok_or_else(unreadable)?;
            resolve(local, mapping)?.ok_or_else(unreadable)
        }
    }
}

/// When a local time was; `None` beyond the range of instants.
fn resolve(local: LocalTime, mapping: &Mapping) -> Result<Option<Instant>, Reason> {
    let zone = mapping.zone.name();
    match (mapping.zone.resolve(local), mapping.repeated) {
        (Ok(Resolved::Unique(at)), _) => Ok(Some(at)),
        (Ok(Resolved::Fold { earlier, .. }), Repeated::Earlier) => Ok(Some(earlier)),
        (Ok(Resolved::Fold { later, .. }), Repeated::Later) => Ok(Some(later)),
        (Ok(Resolved::Fold { .. }), Repeated::Refuse) => Err(Reason::AmbiguousTime { zone }),
        (Ok(Resolved::Gap { .. }), _) => Err(Reason::SkippedTime { zone }),
        (Err(_), _) => Ok(None),
    }
}
