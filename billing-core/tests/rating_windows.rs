//! When windows are open, where clocks are changed and where they are not.
#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::arithmetic_side_effects, reason = "the figures are far below their bounds")]

#[expect(dead_code, reason = "each file of tests is a crate of its own, which uses a part")]
mod reference;

use billing_core::{
    tariff::{Measure, RateError, Tariff, TariffSpec},
    time::Instant,
};
use reference::{Reference, Refused, Used};

/// A zone, a window, and the stretches in which it is open on the days that are looked at.
type Case = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

fn tariff(zone: &str, window: &str) -> TariffSpec {
    let json = format!(
        r#"{{"id":"retail","version":1,"currency":"EUR","zone":"{zone}","decimals":4,
             "rounding":"half_up",
             "calendars":{{"holidays":["2026-05-01","2026-05-14"]}},
             "windows":{{"window":{window}}},
             "lines":[{{"destination":"anywhere","to":"any","window":"window",
                        "bands":[{{"price":"1","per":"1","increment":"1"}}]}}]}}"#
    );
    serde_json::from_str(&json).unwrap()
}

/// Both raters' answer to whether a call at an instant has a line.
fn is_open(spec: &TariffSpec, at: Instant) -> bool {
    let (to, from) = ("4930123456".to_owned(), String::new());
    let used = Used { to, from, at, measure: Measure::Time, usage: 1_000 };
    let engine = match Tariff::compile(spec).unwrap().rate(&used.usage()) {
        Ok(_) => true,
        Err(error) => {
            assert!(matches!(error, RateError::NoLine { .. }), "{error}");
            false
        }
    };
    let reference = Reference::new([(spec.clone(), Instant::MIN)], at, at);
    let second = match reference.price(&spec.id, &used) {
        Ok(_) => true,
        Err(refused) => {
            assert_eq!(refused, Refused::NoLine { at });
            false
        }
    };
    assert_eq!(engine, second, "two raters at {at}");
    engine
}

fn hold(cases: &[Case]) {
    for (zone, window, stretches) in cases {
        let spec = tariff(zone, window);
        for (from, until) in *stretches {
            let [from, until]: [Instant; 2] = [from, until].map(|it| it.parse().unwrap());
            let before = |at: Instant| Instant::from_micros(at.micros() - 1).unwrap();
            let found = [before(from), from, before(until), until].map(|at| is_open(&spec, at));
            assert_eq!(found, [false, true, true, false], "{window} in {zone}, {from} to {until}");
        }
    }
}

#[test]
fn windows_are_open_in_local_time() {
    hold(&[
        (
            "Europe/Berlin",
            r#"{"from":"18:00","until":"24:00"}"#,
            &[
                ("2026-01-15T17:00:00Z", "2026-01-15T23:00:00Z"),
                ("2026-07-15T16:00:00Z", "2026-07-15T22:00:00Z"),
            ],
        ),
        (
            "Asia/Kolkata",
            r#"{"from":"08:00:30","until":"08:00:31"}"#,
            &[("2026-01-15T02:30:30Z", "2026-01-15T02:30:31Z")],
        ),
        // Without times it is the whole day.
        (
            "Europe/Berlin",
            r#"{"weekdays":["tue"]}"#,
            &[("2026-06-01T22:00:00Z", "2026-06-02T22:00:00Z")],
        ),
        (
            "Europe/Berlin",
            r#"{"weekdays":["tue"],"from":"12:00"}"#,
            &[("2026-06-02T10:00:00Z", "2026-06-02T22:00:00Z")],
        ),
        (
            "Europe/Berlin",
            r#"{"weekdays":["tue"],"until":"12:00"}"#,
            &[("2026-06-01T22:00:00Z", "2026-06-02T10:00:00Z")],
        ),
    ]);
}

#[test]
fn a_window_over_midnight_belongs_to_the_day_it_began_on() {
    hold(&[
        (
            "Europe/Berlin",
            r#"{"weekdays":["fri"],"from":"22:00","until":"06:00"}"#,
            &[("2026-06-05T20:00:00Z", "2026-06-06T04:00:00Z")],
        ),
        // Equal times are a whole day, from then to then.
        (
            "UTC",
            r#"{"weekdays":["fri"],"from":"12:00","until":"12:00"}"#,
            &[("2026-06-05T12:00:00Z", "2026-06-06T12:00:00Z")],
        ),
        (
            "UTC",
            r#"{"weekdays":["fri"],"from":"00:00","until":"00:00"}"#,
            &[("2026-06-05T00:00:00Z", "2026-06-06T00:00:00Z")],
        ),
        // It ends on a holiday and on a day of the next month.
        (
            "UTC",
            r#"{"from":"22:00","until":"06:00","holidays":{"except":"holidays"},"months":[4]}"#,
            &[("2026-04-30T22:00:00Z", "2026-05-01T06:00:00Z")],
        ),
        (
            "UTC",
            r#"{"from":"22:00","until":"06:00","holidays":{"only":"holidays"}}"#,
            &[
                ("2026-05-01T22:00:00Z", "2026-05-02T06:00:00Z"),
                ("2026-05-14T22:00:00Z", "2026-05-15T06:00:00Z"),
            ],
        ),
    ]);
}

#[test]
fn all_conditions_of_a_day_hold_together() {
    hold(&[
        (
            "UTC",
            r#"{"months":[2,3],"month_days":[1,29,31]}"#,
            &[
                ("2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z"),
                ("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"),
                ("2026-03-29T00:00:00Z", "2026-03-30T00:00:00Z"),
                ("2028-02-29T00:00:00Z", "2028-03-02T00:00:00Z"),
            ],
        ),
        (
            "UTC",
            r#"{"month_days":[13],"weekdays":["fri"]}"#,
            &[("2026-02-13T00:00:00Z", "2026-02-14T00:00:00Z")],
        ),
        // The day of the end is the first that does not belong to it.
        (
            "Europe/Berlin",
            r#"{"first_day":"2026-05-01","end_day":"2026-05-03"}"#,
            &[("2026-04-30T22:00:00Z", "2026-05-02T22:00:00Z")],
        ),
        (
            "UTC",
            r#"{"first_day":"2026-05-01","end_day":"2026-05-03","holidays":{"except":"holidays"}}"#,
            &[("2026-05-02T00:00:00Z", "2026-05-03T00:00:00Z")],
        ),
        (
            "UTC",
            r#"{"holidays":{"only":"holidays"}}"#,
            &[
                ("2026-05-01T00:00:00Z", "2026-05-02T00:00:00Z"),
                ("2026-05-14T00:00:00Z", "2026-05-15T00:00:00Z"),
            ],
        ),
    ]);
}

#[test]
fn clocks_set_forward_leave_nothing_out_and_open_nothing_twice() {
    hold(&[
        // 02:00 to 03:00 is left out on 29 March.
        (
            "Europe/Berlin",
            r#"{"from":"02:30","until":"04:00"}"#,
            &[
                ("2026-03-28T01:30:00Z", "2026-03-28T03:00:00Z"),
                ("2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"),
            ],
        ),
        (
            "Europe/Berlin",
            r#"{"from":"01:00","until":"02:30"}"#,
            &[("2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z")],
        ),
        (
            "Europe/Berlin",
            r#"{"weekdays":["sat"],"from":"22:00","until":"02:30"}"#,
            &[("2026-03-28T21:00:00Z", "2026-03-29T01:00:00Z")],
        ),
        // Half an hour.
        (
            "Australia/Lord_Howe",
            r#"{"from":"01:30","until":"02:15"}"#,
            &[("2026-10-03T15:00:00Z", "2026-10-03T15:30:00Z")],
        ),
        (
            "Australia/Lord_Howe",
            r#"{"from":"02:15","until":"03:00"}"#,
            &[("2026-10-03T15:30:00Z", "2026-10-03T16:00:00Z")],
        ),
        // Midnight itself.
        (
            "America/Santiago",
            r#"{"weekdays":["sun"],"until":"02:00"}"#,
            &[("2026-09-06T04:00:00Z", "2026-09-06T05:00:00Z")],
        ),
        (
            "America/Santiago",
            r#"{"weekdays":["sat"],"from":"23:00","until":"00:30"}"#,
            &[("2026-09-06T03:00:00Z", "2026-09-06T04:00:00Z")],
        ),
        // A whole Friday.
        (
            "Pacific/Apia",
            r#"{"weekdays":["thu"],"from":"22:00","until":"06:00"}"#,
            &[("2011-12-30T08:00:00Z", "2011-12-30T10:00:00Z")],
        ),
    ]);
    let never = [
        ("Europe/Berlin", r#"{"from":"02:00","until":"03:00"}"#, "2026-03-29T01:00:00Z"),
        ("Australia/Lord_Howe", r#"{"from":"02:00","until":"02:30"}"#, "2026-10-03T15:30:00Z"),
        ("Pacific/Apia", r#"{"weekdays":["fri"]}"#, "2011-12-30T10:00:00Z"),
    ];
    for (zone, window, change) in never {
        let (spec, change) = (tariff(zone, window), change.parse::<Instant>().unwrap().micros());
        for micros in [-1, 0, 1, 1_000_000] {
            let at = Instant::from_micros(change + micros).unwrap();
            assert!(!is_open(&spec, at), "{window} in {zone} at {at}");
        }
    }
}

#[test]
fn clocks_set_back_count_the_first_time_that_comes_twice() {
    hold(&[
        // 02:00 to 03:00 comes twice on 25 October.
        (
            "Europe/Berlin",
            r#"{"from":"02:00","until":"03:00"}"#,
            &[("2026-10-25T00:00:00Z", "2026-10-25T02:00:00Z")],
        ),
        (
            "Europe/Berlin",
            r#"{"from":"02:30","until":"03:30"}"#,
            &[("2026-10-25T00:30:00Z", "2026-10-25T02:30:00Z")],
        ),
        (
            "Europe/Berlin",
            r#"{"from":"01:00","until":"02:30"}"#,
            &[("2026-10-24T23:00:00Z", "2026-10-25T00:30:00Z")],
        ),
        (
            "Europe/Berlin",
            r#"{"weekdays":["sat"],"from":"22:00","until":"02:15"}"#,
            &[("2026-10-24T20:00:00Z", "2026-10-25T00:15:00Z")],
        ),
        // Half an hour.
        (
            "Australia/Lord_Howe",
            r#"{"from":"01:30","until":"02:00"}"#,
            &[("2026-04-04T14:30:00Z", "2026-04-04T15:30:00Z")],
        ),
        (
            "Australia/Lord_Howe",
            r#"{"from":"01:00","until":"01:45"}"#,
            &[("2026-04-04T14:00:00Z", "2026-04-04T14:45:00Z")],
        ),
        // The last hour of a Saturday.
        (
            "America/Santiago",
            r#"{"weekdays":["sat"],"from":"23:00","until":"24:00"}"#,
            &[("2026-04-05T02:00:00Z", "2026-04-05T04:00:00Z")],
        ),
        (
            "America/Santiago",
            r#"{"weekdays":["sun"]}"#,
            &[("2026-04-05T04:00:00Z", "2026-04-06T04:00:00Z")],
        ),
        // A minute after midnight: the new day has begun and stays.
        (
            "America/St_Johns",
            r#"{"weekdays":["sat"],"from":"23:00","until":"24:00"}"#,
            &[("2010-11-07T01:30:00Z", "2010-11-07T02:30:00Z")],
        ),
        (
            "America/St_Johns",
            r#"{"weekdays":["sun"],"until":"01:00"}"#,
            &[("2010-11-07T02:30:00Z", "2010-11-07T04:30:00Z")],
        ),
    ]);
}
