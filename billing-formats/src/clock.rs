//! Local times as instants, and which of two is meant where clocks show a time twice.

use billing_core::time::{Day, Instant, LocalTime, Resolved, Zone};

/// How far from its evidence a time that comes twice may be, in seconds.
///
/// Ten minutes: less than half of the shortest stretch that clocks in use repeat, half an hour, so that no evidence can
/// speak for both.
pub const NEAR_S: u64 = 600;

const HOURS_KEPT: usize = 8;
const HOUR_TEXT_BYTES: usize = 13;
const HOUR_LAST_SECOND: u32 = 3_599;
const MICROS_PER_SECOND: i64 = 1_000_000;

/// When a local time was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    Once(Instant),
    Twice(Instant, Instant),
}

/// Why a text is no local time of a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    NoTime,
    /// Clocks in the zone skipped it.
    Skipped {
        zone: &'static str,
    },
}

/// Reads local times of one zone; remembers the hours it met last.
pub(crate) struct Clock {
    zone: Zone,
    hours: [Option<Hour>; HOURS_KEPT],
}

/// A local hour that the zone has exactly once and whole: its ends come once, and as far apart as they should.
#[derive(Clone, Copy)]
struct Hour {
    /// Such as `2026-01-31 12`.
    text: [u8; HOUR_TEXT_BYTES],
    start_micros: i64,
}

impl Clock {
    pub(crate) fn new(zone: Zone) -> Self {
        Self { zone, hours: [None; HOURS_KEPT] }
    }

    pub(crate) fn zone_name(&self) -> &'static str {
        self.zone.name()
    }

    /// Reads a time such as `2026-01-31 12:00:00`.
    pub(crate) fn read(&mut self, text: &str) -> Result<When, Unread> {
        let bytes = text.as_bytes();
        let (hour, rest) = bytes.split_first_chunk::<HOUR_TEXT_BYTES>().ok_or(Unread::NoTime)?;
        let &[b':', m1, m2, b':', s1, s2] = rest else { return Err(Unread::NoTime) };
        let minute = number([m1, m2]).filter(|minute| *minute < 60).ok_or(Unread::NoTime)?;
        let second = number([s1, s2]).filter(|second| *second < 60).ok_or(Unread::NoTime)?;
        let seconds = minute.saturating_mul(60).saturating_add(second);
        let slot = slot_of(hour);
        let kept = self.hours.get(slot).copied().flatten().filter(|kept| kept.text == *hour);
        match kept {
            Some(kept) => kept.at(seconds),
            None => self.read_new(hour, slot, seconds),
        }
    }

    fn read_new(
        &mut self,
        hour: &[u8; HOUR_TEXT_BYTES],
        slot: usize,
        seconds: u32,
    ) -> Result<When, Unread> {
        let (day, second_of_day) = day_and_hour(hour).ok_or(Unread::NoTime)?;
        let first = self.resolve(day, second_of_day);
        let last = self.resolve(day, second_of_day.saturating_add(HOUR_LAST_SECOND));
        if let (Ok(When::Once(first)), Ok(When::Once(last))) = (first, last)
            && first.micros_until(last) == Some(3_599_000_000)
        {
            let hour = Hour { text: *hour, start_micros: first.micros() };
            if let Some(kept) = self.hours.get_mut(slot) {
                *kept = Some(hour);
            }
            return hour.at(seconds);
        }
        self.resolve(day, second_of_day.saturating_add(seconds))
    }

    fn resolve(&self, day: Day, second_of_day: u32) -> Result<When, Unread> {
        match self.zone.resolve(LocalTime { day, second_of_day, micros: 0 }) {
            Ok(Resolved::Unique(at)) => Ok(When::Once(at)),
            Ok(Resolved::Fold { earlier, later }) => Ok(When::Twice(earlier, later)),
            Ok(Resolved::Gap { .. }) => Err(Unread::Skipped { zone: self.zone.name() }),
            Err(_) => Err(Unread::NoTime),
        }
    }
}

impl Hour {
    fn at(self, seconds: u32) -> Result<When, Unread> {
        let micros = i64::from(seconds).saturating_mul(MICROS_PER_SECOND);
        let at = Instant::from_micros(self.start_micros.saturating_add(micros));
        at.map(When::Once).map_err(|_out_of_range| Unread::NoTime)
    }
}

impl When {
    /// The instant, if there is one alone.
    pub(crate) const fn once(self) -> Option<Instant> {
        match self {
            Self::Once(at) => Some(at),
            Self::Twice(..) => None,
        }
    }

    /// The instant, where `expected` decides between two; `None` if it does not.
    pub(crate) fn nearest(self, expected: impl FnOnce() -> Option<Instant>) -> Option<Instant> {
        match self {
            Self::Once(at) => Some(at),
            Self::Twice(earlier, later) => {
                let expected = expected()?;
                [earlier, later].into_iter().find(|at| are_near(*at, expected))
            }
        }
    }
}

/// Whether two instants are at most [`NEAR_S`] apart.
pub(crate) fn are_near(one: Instant, two: Instant) -> bool {
    one.micros().abs_diff(two.micros()) <= NEAR_S.saturating_mul(1_000_000)
}

/// Neighbouring hours go to different places.
fn slot_of(hour: &[u8; HOUR_TEXT_BYTES]) -> usize {
    usize::from(hour.last().copied().unwrap_or(0) & 7)
}

/// Reads a text such as `2026-01-31 12`; the hour is in seconds.
fn day_and_hour(text: &[u8; HOUR_TEXT_BYTES]) -> Option<(Day, u32)> {
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b' ', h1, h2] = text else { return None };
    let year = number([y1, y2, y3, y4]).and_then(|year| i16::try_from(year).ok())?;
    let month = number([m1, m2]).and_then(|month| u8::try_from(month).ok())?;
    let day = number([d1, d2]).and_then(|day| u8::try_from(day).ok())?;
    let hour = number([h1, h2]).filter(|hour| *hour < 24)?;
    Some((Day::try_new(year, month, day).ok()?, hour.saturating_mul(3_600)))
}

fn number<const DIGITS: usize>(digits: [u8; DIGITS]) -> Option<u32> {
    digits.iter().try_fold(0_u32, |number, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
        number.checked_mul(10)?.checked_add(u32::from(digit))
    })
}
