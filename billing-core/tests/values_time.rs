//! What holds for instants, days and periods.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use billing_core::time::{Anchor, Day, Instant, Period, TimeError};
use chrono::{DateTime, Datelike as _, NaiveDate, TimeDelta, Utc};
use proptest::prelude::{Strategy, prop_assert, prop_assert_eq, proptest};

const MICROS_PER_DAY: i64 = 86_400_000_000;

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn instant(text: &str) -> Instant {
    text.parse().unwrap()
}

fn days() -> impl Strategy<Value = Day> {
    (Day::MIN.ordinal()..=Day::MAX.ordinal())
        .prop_map(|ordinal| Day::from_ordinal(ordinal).unwrap())
}

fn instants() -> impl Strategy<Value = Instant> {
    (Instant::MIN.micros()..=Instant::MAX.micros())
        .prop_map(|micros| Instant::from_micros(micros).unwrap())
}

proptest! {
    #[test]
    fn instants_read_as_they_are_written(instant in instants()) {
        prop_assert_eq!(instant.to_string().parse::<Instant>()?, instant);
        prop_assert_eq!(instant.to_chrono().to_rfc3339().parse::<Instant>()?, instant);
        prop_assert_eq!(Instant::try_from(instant.to_chrono())?, instant);
        prop_assert_eq!(instant.to_chrono().timestamp_micros(), instant.micros());
        let json = serde_json::to_string(&instant)?;
        prop_assert_eq!(serde_json::from_str::<Instant>(&json)?, instant);
    }

    #[test]
    fn nanoseconds_are_cut_downwards(instant in instants(), nanos in 0_i64..1_000) {
        let finer = instant.to_chrono().checked_add_signed(TimeDelta::nanoseconds(nanos)).unwrap();
        prop_assert_eq!(Instant::try_from(finer)?, instant.min(Instant::MAX));
    }

    #[test]
    fn milliseconds_are_added_and_counted(instant in instants(), ms in 0_u64..1_000_000_000_000) {
        if let Ok(later) = instant.checked_add_ms(ms) {
            prop_assert_eq!(instant.millis_until(later), Some(ms));
            prop_assert_eq!(later.checked_sub_ms(ms)?, instant);
            prop_assert_eq!(later.millis_until(instant), (ms == 0).then_some(0));
        }
        prop_assert!(instant.checked_add_ms(u64::MAX).is_err());
    }

    #[test]
    fn days_are_chrono_dates(day in days(), steps in -10_000_i32..10_000_i32) {
        let date = NaiveDate::from(day);
        prop_assert_eq!(Day::try_from(date)?, day);
        prop_assert_eq!(i32::from(day.year()), date.year());
        prop_assert_eq!(u32::from(day.month()), date.month());
        prop_assert_eq!(u32::from(day.day_of_month()), date.day());
        prop_assert_eq!(day.to_string(), date.format("%Y-%m-%d").to_string());
        prop_assert_eq!(day.to_string().parse::<Day>()?, day);
        prop_assert_eq!(Day::try_new(day.year(), day.month(), day.day_of_month())?, day);
        if let Ok(other) = day.plus_days(steps) {
            prop_assert_eq!(day.days_until(other), steps);
        }
    }

    #[test]
    fn an_invented_date_is_refused_like_chrono_does(year: i16, month: u8, day: u8) {
        let date = NaiveDate::from_ymd_opt(i32::from(year), u32::from(month), u32::from(day));
        let expected = date.and_then(|date| Day::try_from(date).ok());
        prop_assert_eq!(Day::try_new(year, month, day).ok(), expected);
    }

    #[test]
    fn a_day_is_in_the_one_period_of_its_number(
        from in days(),
        months in 1_u16..=120,
        day in days(),
    ) {
        let anchor = Anchor::try_new(from, months)?;
        if let Ok(period) = anchor.period_of(day) {
            let n = anchor.index_of(day)?;
            prop_assert!(period.contains(day));
            prop_assert_eq!(anchor.period(n)?, period);
            if let Ok(next) = anchor.period(n.saturating_add(1)) {
                prop_assert_eq!(next.start(), period.end());
            }
            if let Ok(previous) = anchor.period(n.saturating_sub(1)) {
                prop_assert_eq!(previous.end(), period.start());
            }
        } else {
            // Only a period that leaves the range of days is refused.
            let edge = i32::from(months).saturating_mul(31);
            prop_assert!(
                Day::MIN.days_until(day) <= edge || day.days_until(Day::MAX) <= edge
            );
        }
    }

    #[test]
    fn no_period_number_panics(from in days(), months in 1_u16..=120, n: i32) {
        let anchor = Anchor::try_new(from, months)?;
        if let Ok(period) = anchor.period(n) {
            prop_assert!(period.start() < period.end());
            prop_assert_eq!(anchor.period_of(period.start())?, period);
        }
    }
}

#[test]
fn over_400_years_each_day_is_in_exactly_one_period() {
    for first in 1..=31_u8 {
        let from = Day::try_new(2024, 1, first).unwrap();
        for months in [1, 3] {
            tile(Anchor::try_new(from, months).unwrap());
        }
    }
}

/// Follows every day from 1824 to 2223, the period it is in, and that period's number.
fn tile(anchor: Anchor) {
    let (mut today, end) = (day("1824-01-01"), day("2224-01-01"));
    let mut n = anchor.index_of(today).unwrap();
    let mut period = anchor.period(n).unwrap();
    assert!(period.contains(today), "{anchor:?} {n}");
    while today < end {
        if today == period.end() {
            n = n.saturating_add(1);
            let next = anchor.period(n).unwrap();
            assert_eq!(next.start(), period.end(), "{anchor:?} {n}");
            period = next;
        }
        assert!(period.contains(today), "{anchor:?} {today}");
        if today == period.start() || today.next() == Ok(period.end()) {
            assert_eq!(anchor.period_of(today), Ok(period), "{anchor:?} {today}");
        }
        let clamped = period.start().day_of_month();
        assert!(
            clamped == anchor.from().day_of_month()
                || period.start().next().unwrap().month() != period.start().month()
        );
        today = today.next().unwrap();
    }
}

#[test]
fn the_31st_does_not_drift() {
    let anchor = Anchor::monthly(day("2024-01-31"));
    let cases = [
        (-2_i32, "2023-11-30..2023-12-31"),
        (-1_i32, "2023-12-31..2024-01-31"),
        (0_i32, "2024-01-31..2024-02-29"),
        (1_i32, "2024-02-29..2024-03-31"),
        (2_i32, "2024-03-31..2024-04-30"),
        (13_i32, "2025-02-28..2025-03-31"),
    ];
    for (n, expected) in cases {
        assert_eq!(anchor.period(n).unwrap().to_string(), expected);
    }
    let yearly = Anchor::try_new(day("2024-02-29"), 12).unwrap();
    assert_eq!(yearly.period(1).unwrap().to_string(), "2025-02-28..2026-02-28");
    assert_eq!(yearly.period(3).unwrap().to_string(), "2027-02-28..2028-02-29");
    assert_eq!(yearly.period(3).unwrap().days(), 366);
}

#[test]
fn ranges_end_where_they_say() {
    assert_eq!(Day::MIN.to_string(), "0001-01-01");
    assert_eq!(Day::MAX.to_string(), "9999-12-30");
    assert_eq!(Instant::MIN.to_string(), "0001-01-02T00:00:00Z");
    assert_eq!(Instant::MAX.to_string(), "9999-12-29T00:00:00Z");
    assert!(Day::MAX.next().is_err());
    assert!(Day::from_ordinal(i32::MIN).is_err());
    assert!(Day::MIN.plus_days(i32::MIN).is_err());
    assert!(Day::MAX.plus_days(i32::MAX).is_err());
    assert!(Instant::from_micros(i64::MAX).is_err());
    assert!(Instant::from_micros(i64::MIN).is_err());
    assert!(Instant::try_from(DateTime::<Utc>::MAX_UTC).is_err());
    assert!(Instant::try_from(DateTime::<Utc>::MIN_UTC).is_err());
    assert!(Day::try_from(NaiveDate::MAX).is_err());
    assert!("9999-12-31".parse::<Day>().is_err());
    assert!("9999-12-29T00:00:00.000001Z".parse::<Instant>().is_err());
    assert!("9999-12-31T23:59:59-23:59".parse::<Instant>().is_err());
    assert!(matches!(
        Anchor::monthly(Day::MAX).period(0),
        Err(TimeError::OutOfRange { kind: "period" | "day", .. })
    ));
    assert!(Anchor::monthly(day("0001-01-31")).period_of(day("0001-01-30")).is_err());
}

#[test]
fn instants_are_rfc_3339_with_an_offset() {
    let accepted = [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01t00:00:00z", 0),
        ("1970-01-01T00:00:00.5Z", 500_000),
        ("1970-01-01T00:00:00.0000019999Z", 1),
        ("1969-12-31T23:59:59.999999999Z", -1),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1969-12-31T19:00:00-05:00", 0),
        ("1970-01-01T00:00:00-00:00", 0),
        ("1969-12-31T23:59:60Z", -1),
        ("1969-12-31T23:59:60.5Z", -1),
        ("1970-01-02T00:00:00Z", MICROS_PER_DAY),
    ];
    for (text, micros) in accepted {
        assert_eq!(text.parse::<Instant>().map(Instant::micros), Ok(micros), "{text}");
    }
    let refused = [
        "",
        "1970-01-01",
        "1970-01-01T00:00:00",
        "1970-01-01 00:00:00Z",
        "1970-01-01T24:00:00Z",
        "1970-01-01T00:60:00Z",
        "1970-01-01T00:00:61Z",
        "1970-01-01T00:00:00.Z",
        "1970-01-01T00:00:00+1",
        "1970-01-01T00:00:00+24:00",
        "1970-02-30T00:00:00Z",
        "1970-01-01T00:00Z",
        " 1970-01-01T00:00:00Z",
        "1970-01-01T00:00:00Z ",
        "+1970-01-01T00:00:00Z",
        "1970-01-01T00:00:00\u{2212}01:00",
        "1970-01-01T00:00:00+01:00[Europe/Berlin]",
        "70-01-01T00:00:00Z",
        "1970-1-1T00:00:00Z",
    ];
    for text in refused {
        assert!(text.parse::<Instant>().is_err(), "{text}");
    }
}

#[test]
fn a_leap_second_is_the_end_of_the_second_before() {
    let leap = NaiveDate::from_ymd_opt(2016, 12, 31)
        .and_then(|date| date.and_hms_nano_opt(23, 59, 59, 1_500_000_000))
        .unwrap()
        .and_utc();
    assert_eq!(Instant::try_from(leap), Ok(instant("2016-12-31T23:59:59.999999Z")));
}

#[test]
fn instants_show_only_the_decimals_they_need() {
    let cases = [
        (0, "1970-01-01T00:00:00Z"),
        (100_000, "1970-01-01T00:00:00.1Z"),
        (10, "1970-01-01T00:00:00.00001Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
    ];
    for (micros, expected) in cases {
        assert_eq!(Instant::from_micros(micros).unwrap().to_string(), expected);
    }
}

#[test]
fn days_are_iso_8601_dates() {
    let refused = [
        "",
        "2026-1-31",
        "2026-01-32",
        "2026-02-29",
        "0000-01-01",
        "20260131",
        "2026-01-31 ",
        "+026-01-31",
        "2026-01--1",
        "2026/01/31",
        "-001-01-01",
        "2026-01-3a",
        "2026-001-1",
    ];
    for text in refused {
        assert!(text.parse::<Day>().is_err(), "{text}");
    }
    assert_eq!(day("2024-02-29").ordinal(), 19_782_i32);
}

#[test]
fn a_period_has_at_least_one_day() {
    let (first, second) = (day("2026-01-31"), day("2026-02-01"));
    assert_eq!(Period::try_new(first, second).unwrap().days(), 1);
    assert_eq!(
        Period::try_new(second, first).unwrap_err().to_string(),
        "a period from 2026-02-01 to 2026-01-31 was asked for; accepted is an end after the start"
    );
}
