//! The local clock of a zone as a table, for rules that ask it often.

use alloc::vec::Vec;

use crate::time::{Instant, Zone};

pub(crate) const DAY_S: i64 = 86_400;

/// From 1970 to 2100; other times are asked of the zone.
const TABLE_S: core::ops::Range<i64> = 0..4_102_444_800;

/// Local time never differs from UTC by more than this, in seconds.
const OFFSET_MAX: i64 = 26 * 3_600;

/// The offsets of a zone by when they begin. Answers as [`Zone`] does; the time zone database's code is asked once.
#[derive(Clone, Debug)]
pub(crate) struct LocalClock {
    zone: Zone,
    /// When an offset begins, in seconds since 1970 began, and the offset; ascending, the first one far back.
    pieces: Vec<(i64, i64)>,
    /// For each slot of seconds from 1970 on, the place of the piece it begins in.
    slots: Vec<u16>,
}

/// A slot has 2^22 seconds, some 48 days: few slots, and few pieces in one.
const SLOT_BITS: u32 = 22;

/// A second, and the local day it is in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// Whole seconds since 1970 began, UTC, rounded down.
    pub(crate) second: i64,
    /// The billing day, in days since 1970-01-01.
    pub(crate) day: i64,
}

impl LocalClock {
    pub(crate) fn new(zone: &Zone) -> Self {
        let start = TABLE_S.start.saturating_sub(OFFSET_MAX.saturating_mul(4));
        let mut pieces = Vec::from([(i64::MIN, zone.offset_at(start))]);
        let end = TABLE_S.end.saturating_add(OFFSET_MAX.saturating_mul(4));
        pieces.extend(zone.transitions_after(start).take_while(|(at, _)| *at <= end));
        let last = TABLE_S.end >> SLOT_BITS;
        let slots = (0..=last).map(|slot| {
            let piece = pieces.partition_point(|(begins, _)| *begins <= slot << SLOT_BITS);
            u16::try_from(piece.saturating_sub(1)).unwrap_or(0)
        });
        Self { zone: zone.clone(), slots: slots.collect(), pieces }
    }

    /// The local day of an instant.
    pub(crate) fn moment(&self, at: Instant) -> Moment {
        let second = at.seconds();
        if !TABLE_S.contains(&second) {
            return Moment { second, day: self.zone.day_of(at).ordinal().into() };
        }
        let place = self.place(second);
        let (begins, offset) = self.piece(place);
        let mut day = second.saturating_add(offset).div_euclid(DAY_S);
        // Where the clock has just been set back, the later day may have begun already.
        if second.saturating_sub(begins) <= OFFSET_MAX.saturating_mul(2) {
            while second >= self.reached(day.saturating_add(1).saturating_mul(DAY_S)) {
                day = day.saturating_add(1);
            }
        }
        Moment { second, day }
    }

    /// The first second at which the local clock has come to a local time, in seconds since 1970-01-01 00:00:00 as shown.
    pub(crate) fn reached(&self, local: i64) -> i64 {
        if !TABLE_S.contains(&local) {
            return self.zone.reached(local);
        }
        let mut place = self.place(local.saturating_sub(OFFSET_MAX));
        let mut second = local.saturating_sub(self.piece(place).1);
        while let Some((begins, offset)) = self.pieces.get(place.saturating_add(1)) {
            if second < *begins {
                break;
            }
            second = local.saturating_sub(*offset).max(*begins);
            place = place.saturating_add(1);
        }
        second
    }

    /// The piece that a second is in.
    fn place(&self, second: i64) -> usize {
        let slot = usize::try_from(second >> SLOT_BITS).unwrap_or(0);
        let mut place = self.slots.get(slot).map_or(0, |piece| usize::from(*piece));
        while self.pieces.get(place.saturating_add(1)).is_some_and(|next| next.0 <= second) {
            place = place.saturating_add(1);
        }
        place
    }

    fn piece(&self, place: usize) -> (i64, i64) {
        self.pieces.get(place).copied().unwrap_or((i64::MIN, 0))
    }
}

/// The instant of a second, or the nearest one that there is.
pub(crate) fn instant(second: i64) -> Instant {
    Instant::clamped(second.saturating_mul(1_000_000))
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZoneDatabase;
    use proptest::{
        prelude::{ProptestConfig, any, prop_assert_eq, prop_oneof},
        sample::Index,
        test_runner::TestRunner,
    };

    use super::*;
    use crate::time::Day;

    #[test]
    fn the_table_answers_as_the_zone() {
        let all = TimeZoneDatabase::bundled();
        let zones = all.available().filter_map(|name| Zone::try_new(name.as_str()).ok());
        let clocks: Vec<LocalClock> = zones.map(|zone| LocalClock::new(&zone)).collect();
        // Often in the last year of the table.
        let anywhere = prop_oneof![-200_000..4_103_000_000_i64, 4_071_000_000..4_103_000_000_i64];
        let cases = (any::<Index>(), anywhere, any::<Option<(u8, i32)>>());
        let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
        let held = TestRunner::new(config).run(&cases, |(place, anywhere, near)| {
            let clock = place.get(&clocks);
            let zone = &clock.zone;
            // Within three days of a change of clocks, where there is one.
            let second = near.and_then(|(which, by)| {
                let (change, _) = zone.transitions_after(0).nth(which.into())?;
                Some(change.saturating_add(i64::from(by >> 13_u32)))
            });
            let second = second.filter(|second| *second < 4_103_000_000).unwrap_or(anywhere);
            let at = instant(second);
            let day = i32::try_from(clock.moment(at).day).map(Day::from_ordinal);
            prop_assert_eq!(day, Ok(Ok(zone.day_of(at))), "{} {}", zone, at);
            prop_assert_eq!(clock.reached(second), zone.reached(second), "{} {}", zone, at);
            Ok(())
        });
        assert!(held.is_ok(), "{held:?}");
    }
}
