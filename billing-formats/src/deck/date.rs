//! Dates as decks write them, and the instants they state.

use billing_core::time::{Day, Instant, LocalTime, Resolved, Zone};

use crate::{
    csv::pattern::MONTHS,
    deck::{DateOrder, EndDate, Mapping, Problem},
};

/// Which side of a validity a date is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Edge {
    From,
    Until,
}

/// The instant that a date states; where it has no time of day or midnight, that at which its day begins, or at an end the next day.
pub(super) fn instant(text: &str, edge: Edge, mapping: &Mapping) -> Result<Instant, Problem> {
    let unreadable = || Problem::Date { accepted: accepted(mapping.dates) };
    if mapping.dates == DateOrder::Iso
        && let Ok(instant) = text.parse()
    {
        return Ok(instant);
    }
    let (date, time) = parts(text);
    let day = day(date, mapping.dates).ok_or_else(unreadable)?;
    let second_of_day = time.map(|time| second_of_day(time).ok_or_else(unreadable)).transpose()?;
    // Spreadsheets write midnight behind dates that were typed without a time.
    match second_of_day.filter(|second| *second > 0) {
        Some(second_of_day) => resolve(LocalTime { day, second_of_day, micros: 0 }, &mapping.zone),
        None if edge == Edge::Until && mapping.end_date == EndDate::LastDay => {
            let next = day.next().map_err(|_beyond| unreadable())?;
            Ok(mapping.zone.day_start(next))
        }
        None => Ok(mapping.zone.day_start(day)),
    }
}

/// Whether an end date says that there is no end.
pub(super) fn is_never(text: &str, mapping: &Mapping) -> bool {
    // Most dates need no second look.
    text.contains("9999") && fields(parts(text).0, mapping.dates) == Some((9_999, 12, 31))
}

/// A date, and the time of day behind it.
fn parts(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once([' ', 'T']) {
        Some((date, time)) if time.contains(':') => (date, Some(time)),
        _ => (text, None),
    }
}

const fn accepted(order: DateOrder) -> &'static str {
    match order {
        DateOrder::Iso => "2026-03-31, also with a time of day, or 2026-03-31T00:00:00Z",
        DateOrder::DayFirst => {
            "31/03/2026, 31.3.26 or 31-Mar-26 (months of three letters), also with a time of day"
        }
        DateOrder::MonthFirst => {
            "03/31/2026, 3/31/26, Mar 31, 2026 or 31-Mar-26 (months of three letters), also with a time of day"
        }
    }
}

fn day(text: &str, order: DateOrder) -> Option<Day> {
    let (year, month, day) = fields(text, order)?;
    let (month, day) = (u8::try_from(month).ok()?, u8::try_from(day).ok()?);
    Day::try_new(i16::try_from(year).ok()?, month, day).ok()
}

/// The year, the month and the day that a date states.
fn fields(text: &str, order: DateOrder) -> Option<(u16, u16, u16)> {
    let mut parts = text.split(['/', '.', '-', ' ', ',']).filter(|part| !part.is_empty());
    let (one, two, three) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let (year, month, day) = match order {
        DateOrder::Iso => (year(one).filter(|_| one.len() == 4), number(two, 2), number(three, 2)),
        // A month with a name stands for itself wherever it is.
        DateOrder::DayFirst => (year(three), month(two).or_else(|| number(two, 2)), number(one, 2)),
        DateOrder::MonthFirst if month(two).is_some() => (year(three), month(two), number(one, 2)),
        DateOrder::MonthFirst => {
            (year(three), month(one).or_else(|| number(one, 2)), number(two, 2))
        }
    };
    let is_short = order != DateOrder::Iso && three.len() < 4;
    if is_short && may_begin_with_year(text, one, year?) {
        return None;
    }
    Some((year?, month?, day?))
}

/// Whether a date that ends with two digits of a year may begin with them instead, as `26-04-01`.
fn may_begin_with_year(text: &str, first: &str, year: u16) -> bool {
    let is_recent = |year: u16| year >= RECENT_YEAR;
    let is_named = text.contains(|letter: char| letter.is_ascii_alphabetic());
    let first = number(first, 2).and_then(|first| first.checked_add(CENTURY));
    !is_named && (text.contains('-') || (first.is_some_and(is_recent) && !is_recent(year)))
}

const CENTURY: u16 = 2_000;
const RECENT_YEAR: u16 = 2_020;

fn year(text: &str) -> Option<u16> {
    match text.len() {
        4 => number(text, 4),
        2 => number(text, 2)?.checked_add(CENTURY),
        _ => None,
    }
}

fn month(name: &str) -> Option<u16> {
    let mut months = (1_u16..).zip(MONTHS);
    months.find(|(_, month)| month.eq_ignore_ascii_case(name)).map(|(month, _)| month)
}

fn second_of_day(text: &str) -> Option<u32> {
    let mut parts = text.split(':');
    let (hour, minute) = (number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    let second = parts.next().map_or(Some(0), |second| number(second, 2))?;
    let is_clock = hour < 24 && minute < 60 && second < 60 && parts.next().is_none();
    let minutes = u32::from(hour).checked_mul(60)?.checked_add(minute.into())?;
    minutes.checked_mul(60)?.checked_add(second.into()).filter(|_| is_clock)
}

/// A number of up to so many digits.
fn number(text: &str, digits_max: usize) -> Option<u16> {
    let is_number =
        (1..=digits_max).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

fn resolve(local: LocalTime, zone: &Zone) -> Result<Instant, Problem> {
    match zone.resolve(local) {
        Ok(Resolved::Unique(at)) => Ok(at),
        Ok(Resolved::Fold { .. } | Resolved::Gap { .. }) | Err(_) => {
            Err(Problem::LocalTime { zone: zone.name() })
        }
    }
}
