//! When a line is in force: local times of the week and the year.

use alloc::{collections::BTreeSet, vec::Vec};

use compact_str::CompactString;

use crate::{
    tariff::{HolidayRule, TariffProblem, TariffSpec, Weekday, WindowSpec},
    time::{self, Day, LocalClock, Moment},
};

/// The seconds of a day of 24 hours.
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
    /// Whether anything but the day of the week decides which days it is on.
    is_dated: bool,
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
        let is_dated = !(spec.months.is_empty() && spec.month_days.is_empty())
            || spec.first_day.is_some()
            || spec.end_day.is_some()
            || spec.holidays.is_some();
        Ok(Self {
            is_dated,
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

    /// Whether the window of a day, in days since 1970-01-01, exists.
    fn is_on(&self, day: i64) -> bool {
        // 1 January 1970 was a Thursday.
        let weekday = u32::try_from(day.saturating_add(3).rem_euclid(7)).unwrap_or(0);
        has(self.weekdays.into(), weekday) && (!self.is_dated || self.is_on_date(day))
    }

    fn is_on_date(&self, day: i64) -> bool {
        let Some(day) = i32::try_from(day).ok().and_then(|day| Day::from_ordinal(day).ok()) else {
            return false;
        };
        has(self.months.into(), day.month().into())
            && has(self.month_days, day.day_of_month().into())
            && self.first_day.is_none_or(|first| first <= day)
            && self.end_day.is_none_or(|end| day < end)
            && self.holidays.as_ref().is_none_or(|(rule, days)| {
                days.binary_search(&day).is_ok() == (*rule == Rule::Only)
            })
    }

    /// Whether it is open.
    pub(super) fn is_open(&self, at: &Moment, clock: &LocalClock) -> bool {
        let opened = |day: i64| {
            self.is_on(day) && {
                let (from, until) = self.bounds(day, clock);
                from <= at.second && at.second < until
            }
        };
        opened(at.day) || (self.until > DAY_S && opened(at.day.saturating_sub(1)))
    }

    /// The first second of the window of a day, and the first one after it.
    fn bounds(&self, day: i64, clock: &LocalClock) -> (i64, i64) {
        let midnight = day.saturating_mul(time::DAY_S);
        let reached = |second: u32| clock.reached(midnight.saturating_add(second.into()));
        (reached(self.from), reached(self.until))
    }

    /// The first second after a moment and before `until` at which it opens or closes.
    pub(super) fn next_change(&self, at: &Moment, until: i64, clock: &LocalClock) -> Option<i64> {
        // A window that does not run over midnight ends with its day.
        let mut day = if self.until > DAY_S { at.day.saturating_sub(1) } else { at.day };
        let mut next: Option<i64> = None;
        loop {
            if self.is_on(day) {
                let (from, end) = self.bounds(day, clock);
                let later = [from, end].into_iter().filter(|edge| *edge > at.second && from < end);
                next = later.chain(next).min();
            }
            // Later windows cannot change anything before the next day begins.
            day = day.checked_add(1)?;
            let begins = clock.reached(day.saturating_mul(time::DAY_S));
            if begins >= until || next.is_some_and(|next| next <= begins) {
                return next.filter(|next| *next < until);
            }
        }
    }
}

fn has(bits: u32, bit: u32) -> bool {
    bits.checked_shr(bit).unwrap_or(0) & 1 == 1
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
