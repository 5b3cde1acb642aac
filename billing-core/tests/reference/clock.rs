//! When windows are open, found by stepping through local days.

use billing_core::{
    tariff::{HolidayRule, TariffSpec, Weekday, WindowSpec},
    time::{Day, Instant, Zone},
};

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

/// What the clocks of a zone show over a stretch of time.
pub(super) struct Clock {
    /// From which second on they are how many seconds ahead of UTC.
    pieces: Vec<(i64, i64)>,
    /// The local days that may matter.
    days: core::ops::Range<i64>,
}

impl Clock {
    /// Looks at the clock every six hours, and where it has been changed by halves to the second.
    pub(super) fn of(zone: &Zone, from: Instant, until: Instant) -> Self {
        let ahead = |second: i64| {
            let instant = Instant::from_micros(second * SECOND).unwrap();
            i64::from(zone.offset_seconds(instant))
        };
        let first = from.micros().div_euclid(SECOND) - 5 * DAY;
        let last = until.micros().div_euclid(SECOND) + 5 * DAY;
        let mut pieces = vec![(first, ahead(first))];
        let mut second = first;
        while second < last {
            let (mut before, mut after) = (second, second + 6 * HOUR);
            if ahead(before) != ahead(after) {
                while after - before > 1 {
                    let middle = before + (after - before) / 2;
                    if ahead(middle) == ahead(second) { before = middle } else { after = middle }
                }
                pieces.push((after, ahead(after)));
            }
            second += 6 * HOUR;
        }
        Self { pieces, days: first.div_euclid(DAY) + 2..last.div_euclid(DAY) - 1 }
    }

    /// The first instant, in microseconds, at which clocks have come to a second of a local day.
    fn first(&self, day: i64, second: i64) -> i64 {
        let wanted = day * DAY + second;
        for (place, (from, ahead)) in self.pieces.iter().enumerate() {
            let until = self.pieces.get(place + 1).map_or(i64::MAX, |(next, _)| *next);
            let reached = (wanted - ahead).max(*from);
            if reached < until {
                return reached * SECOND;
            }
        }
        i64::MAX
    }

    /// From when until when a window is open, in microseconds, on each of its days.
    pub(super) fn opening(&self, tariff: &TariffSpec, window: &WindowSpec) -> Vec<(i64, i64)> {
        let (begin, end) = times(window);
        let mut open = Vec::new();
        for day in self.days.clone() {
            if is_a_day_of(tariff, window, day) {
                let from = self.first(day, begin);
                let until = self.first(if end > begin { day } else { day + 1 }, end);
                if from < until {
                    open.push((from, until));
                }
            }
        }
        open
    }
}

/// The seconds of the day at which a window begins and ends.
pub(super) fn times(window: &WindowSpec) -> (i64, i64) {
    let begin = window.from.as_deref().map_or(0, second_of_day);
    let end = window.until.as_deref().map_or(DAY, second_of_day);
    (begin, end)
}

fn second_of_day(text: &str) -> i64 {
    let units = [HOUR, 60, 1];
    text.split(':').zip(units).map(|(part, unit)| part.parse::<i64>().unwrap() * unit).sum()
}

fn is_a_day_of(tariff: &TariffSpec, window: &WindowSpec, ordinal: i64) -> bool {
    let day = Day::from_ordinal(ordinal.try_into().unwrap()).unwrap();
    let week = [
        Weekday::Thu, // 1970-01-01
        Weekday::Fri,
        Weekday::Sat,
        Weekday::Sun,
        Weekday::Mon,
        Weekday::Tue,
        Weekday::Wed,
    ];
    let weekday = week[usize::try_from(ordinal.rem_euclid(7)).unwrap()];
    let is_in = |calendar: &str| tariff.calendars[calendar].contains(&day);
    (window.weekdays.is_empty() || window.weekdays.contains(&weekday))
        && (window.months.is_empty() || window.months.contains(&day.month()))
        && (window.month_days.is_empty() || window.month_days.contains(&day.day_of_month()))
        && window.first_day.is_none_or(|first| first <= day)
        && window.end_day.is_none_or(|end| day < end)
        && match &window.holidays {
            None => true,
            Some(HolidayRule::Only(calendar)) => is_in(calendar),
            Some(HolidayRule::Except(calendar)) => !is_in(calendar),
        }
}
