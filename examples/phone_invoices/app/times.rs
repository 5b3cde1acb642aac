//! Times as clients write and read them: with an offset, in seconds, or as the clock on the customer's wall shows them.

use billing::{
    Day, Instant, Zone,
    core::time::{Anchor, LocalTime, Resolved},
};

/// A time from ISO 8601 text or seconds since 1970; without an offset it is read in `zone`.
pub fn read(text: &str, zone: &Zone) -> Option<Instant> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let micros = text.parse::<i64>().ok()?.checked_mul(1_000_000)?;
        return Instant::from_micros(micros).ok();
    }
    let (day, time) = text.split_once(['T', 't', ' '])?;
    let (minute, rest) = time.split_at_checked("hh:mm".len())?;
    let seconds = if rest.starts_with(':') { "" } else { ":00" };
    let text = format!("{day}T{minute}{seconds}{rest}");
    text.parse().ok().or_else(|| on_the_wall(&text, zone))
}

/// The instant at which clocks in the zone show this: the first one if they show it twice. What they leave out, because they are
/// set forward, is counted as if they had not been.
fn on_the_wall(text: &str, zone: &Zone) -> Option<Instant> {
    // What is read as UTC shows there what the text says.
    let shown = Zone::try_new("UTC").ok()?.local(format!("{text}Z").parse().ok()?);
    match zone.resolve(shown).ok()? {
        Resolved::Unique(instant)
        | Resolved::Fold { earlier: instant, .. }
        | Resolved::Gap { before: instant, .. } => Some(instant),
    }
}

/// With the offset of UTC, as `2022-07-01T00:00:00+00:00`.
pub fn in_utc(instant: Instant) -> String {
    format!("{}+00:00", instant.to_string().trim_end_matches('Z'))
}

/// As the clock on the wall, as `2022-07-01T00:00:00`.
pub fn local(instant: Instant, zone: &Zone) -> String {
    let LocalTime { day, second_of_day: second, micros } = zone.local(instant);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    let micros = format!(".{micros:06}");
    let micros = micros.trim_end_matches('0').trim_end_matches('.');
    format!("{day}T{hour:02}:{minute:02}:{second:02}{micros}")
}

/// To the minute and month first, as `07/01/2022, 00:00`.
pub fn to_the_minute(instant: Instant, zone: &Zone) -> String {
    let LocalTime { day, second_of_day: second, .. } = zone.local(instant);
    let (year, month, date) = (day.year(), day.month(), day.day_of_month());
    format!("{month:02}/{date:02}/{year:04}, {:02}:{:02}", second / 3_600, second / 60 % 60)
}

/// The first of the month that is `months` after the month of `day`, or before it if negative.
pub fn first_of_month(day: Day, months: i32) -> Option<Day> {
    let calendar = Anchor::monthly(Day::try_new(2000, 1, 1).ok()?);
    let month = calendar.index_of(day).ok()?.checked_add(months)?;
    Some(calendar.period(month).ok()?.start())
}
