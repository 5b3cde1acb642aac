//! When a line is in force: local times of the week and the year.

use alloc::{collections::BTreeSet, vec::Vec};

use compact_str::CompactString;

use crate::{
    tariff::{HolidayRule, TariffProblem, TariffSpec, Weekday, WindowSpec},
    time::{Day, Instant, LocalTime, Resolved, Zone},
};

const DAY_S: u32 = 86_400;

/// A window, ready to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// One bit for each day of the week from Monday on.
    weekdays: u8,
    /// One bit for each month from bit 1 on.
    months: u16,
    /// One bit for each day of the month from bit 1 on.
    month_days: u32,
    first_day: Option<Day>,
    end_day: Option<Day>,
    holidays: Option<(Rule, Vec<Day>)>,
    /// Seconds after local midnight.
    from: u32,
    /// Seconds after the same midnight; beyond a day if it runs over the next one.
    until: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    Only,
    Except,
}

impl Window {
    pub(super) fn compile(
        name: &str,
        spec: &WindowSpec,
        of: &TariffSpec,
    ) -> Result<Self, TariffProblem> {
        let wrong = |what| TariffProblem::Window { name: CompactString::from(name), what };
        let from = spec.from.as_deref().map_or(Ok(0), seconds)?;
        let until = spec.until.as_deref().map_or(Ok(DAY_S), seconds)?;
        if from >= DAY_S {
            return Err(wrong("it begins before 24:00"));
        }
        let until = if until > from { until } else { until.saturating_add(DAY_S) };
        let bits = |values: &[u8], max: u8, what| {
            let bit = |value: &u8| {
                (1..=max).contains(value).then(|| 1_u32.checked_shl(u32::from(*value)))?
            };
            values.iter().try_fold(0, |bits, value| Some(bits | bit(value)?)).ok_or(wrong(what))
        };
        let months = bits(&spec.months, 12, "months are 1 to 12")?;
        let month_days = bits(&spec.month_days, 31, "days of the month are 1 to 31")?;
        if spec.first_day.zip(spec.end_day).is_some_and(|(first, end)| end <= first) {
            return Err(wrong("its days end before they begin"));
        }
        let holidays = spec.holidays.as_ref().map(|rule| {
            let (rule, name) = match rule {
                HolidayRule::Only(name) => (Rule::Only, name),
                HolidayRule::Except(name) => (Rule::Except, name),
            };
            let unknown = || TariffProblem::Unknown { what: "calendar", name: name.clone() };
            let days: BTreeSet<Day> =
                of.calendars.get(name).ok_or_else(unknown)?.iter().copied().collect();
            Ok((rule, days.into_iter().collect()))
        });
        let weekdays = spec.weekdays.iter().fold(0_u8, |bits, day| bits | weekday_bit(*day));
        Ok(Self {
            weekdays: if spec.weekdays.is_empty() { u8::MAX } else { weekdays },
            months: if spec.months.is_empty() {
                u16::MAX
            } else {
                u16::try_from(months).unwrap_or(0)
            },
            month_days: if spec.month_days.is_empty() { u32::MAX } else { month_days },
            first_day: spec.first_day,
            end_day: spec.end_day,
            holidays: holidays.transpose()?,
            from,
            until,
        })
    }

    /// The time of day it begins at; among lines of one weight the later one wins.
    pub(super) const fn begins(&self) -> u32 {
        self.from
    }

    /// Whether the window of a day exists.
    fn is_on(&self, day: Day) -> bool {
        let ordinal = i64::from(day.ordinal());
        // 1 January 1970 was a Thursday.
        let weekday = ordinal.saturating_add(3).rem_euclid(7);
        let has = |bits: u32, bit: u32| bits.checked_shr(bit).unwrap_or(0) & 1 == 1;
        let weekday = u32::try_from(weekday).unwrap_or(0);
        has(u32::from(self.weekdays), weekday)
            && (self.months == u16::MAX || has(u32::from(self.months), u32::from(day.month())))
            && (self.month_days == u32::MAX || has(self.month_days, u32::from(day.day_of_month())))
            && self.first_day.is_none_or(|first| first <= day)
            && self.end_day.is_none_or(|end| day < end)
            && self.holidays.as_ref().is_none_or(|(rule, days)| {
                days.binary_search(&day).is_ok() == (*rule == Rule::Only)
            })
    }

    /// Whether it is open at an instant.
    pub(super) fn is_open(&self, at: Instant, zone: &Zone) -> bool {
        let today = zone.day_of(at);
        let opened = |day: Day| self.is_on(day) && self.covers(day, at, zone);
        opened(today) || (self.until > DAY_S && today.plus_days(-1).is_ok_and(opened))
    }

    fn covers(&self, day: Day, at: Instant, zone: &Zone) -> bool {
        let (from, until) = self.bounds(day, zone);
        from <= at && at < until
    }

    /// The first and the last instant of the window of a day, `[from, until)`.
    fn bounds(&self, day: Day, zone: &Zone) -> (Instant, Instant) {
        (reached(zone, day, self.from), reached(zone, day, self.until))
    }

    /// The first instant after `at` and before `until` at which it opens or closes.
    pub(super) fn next_change(&self, at: Instant, until: Instant, zone: &Zone) -> Option<Instant> {
        let mut day = zone.day_of(at).plus_days(-1).ok()?;
        let mut next: Option<Instant> = None;
        loop {
            if self.is_on(day) {
                let (from, end) = self.bounds(day, zone);
                let later = [from, end].into_iter().filter(|edge| *edge > at && from < end);
                next = later.chain(next).min();
            }
            // Later windows cannot change anything before the next day begins.
            let tomorrow = day.next().ok()?;
            let begins = zone.day_start(tomorrow);
            if next.is_some_and(|next| next <= begins) || begins >= until {
                return next.filter(|next| *next < until);
            }
            day = tomorrow;
        }
    }
}

/// The first instant at which the local clock of a zone has come so many seconds after a day's midnight.
fn reached(zone: &Zone, day: Day, second: u32) -> Instant {
    let (day, second) = match second.checked_sub(DAY_S) {
        None => (day, second),
        Some(rest) => (day.next().unwrap_or(day), rest),
    };
    if second == 0 {
        return zone.day_start(day);
    }
    // Two days, where a window of one day is as long as possible.
    let (day, second) = match second.checked_sub(DAY_S) {
        None => (day, second),
        Some(rest) => (day.next().unwrap_or(day), rest),
    };
    let local = LocalTime { day, second_of_day: second, micros: 0 };
    match zone.resolve(local) {
        Ok(Resolved::Unique(at)) => at,
        Ok(Resolved::Fold { earlier, .. }) => earlier,
        Ok(Resolved::Gap { transition, .. }) => transition,
        Err(_) => zone.day_start(day),
    }
}

const fn weekday_bit(day: Weekday) -> u8 {
    match day {
        Weekday::Mon => 1,
        Weekday::Tue => 2,
        Weekday::Wed => 4,
        Weekday::Thu => 8,
        Weekday::Fri => 16,
        Weekday::Sat => 32,
        Weekday::Sun => 64,
    }
}

/// The seconds after midnight of a time of day.
fn seconds(text: &str) -> Result<u32, TariffProblem> {
    let wrong = || TariffProblem::TimeOfDay { text: CompactString::from(text) };
    let mut parts = text.split(':').map(|part| {
        let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        if digits { part.parse::<u32>().ok() } else { None }
    });
    let (hours, minutes) = (parts.next().flatten(), parts.next().flatten());
    let seconds = parts.next().map_or(Some(0), |seconds| seconds);
    let (Some(hours), Some(minutes), Some(seconds), None) = (hours, minutes, seconds, parts.next())
    else {
        return Err(wrong());
    };
    let total = hours
        .checked_mul(3_600)
        .and_then(|whole| whole.checked_add(minutes.checked_mul(60)?))
        .and_then(|whole| whole.checked_add(seconds))
        .filter(|total| minutes < 60 && seconds < 60 && *total <= DAY_S);
    total.ok_or_else(wrong)
}
