//! Which line prices usage, and what it makes of it, in small cases by both raters.
#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::panic_in_result_fn, reason = "a test may panic")]

#[expect(dead_code, reason = "each file of tests is a crate of its own, which uses a part")]
mod reference;

use billing_core::{
    money::Quantity,
    tariff::{Explanation, Measure, RateError, Rated, Reach, Tariff, TariffSpec, Usage, Why},
    time::Instant,
};
use reference::{Refused, Used, millionths, random::World};

/// When every tariff here begins.
const SINCE: &str = "2026-01-01T00:00:00Z";
/// A Monday.
const START: &str = "2026-06-01T12:00:00Z";

/// A tariff with fields and lines of its own.
fn tariff(id: &str, fields: &str, lines: &[&str]) -> TariffSpec {
    let lines = lines.join(",");
    let json = format!(
        r#"{{"id":"{id}","version":1,"currency":"EUR","zone":"UTC","decimals":4,
             "rounding":"half_up",{fields}"lines":[{lines}]}}"#
    );
    serde_json::from_str(&json).unwrap()
}

/// A line to a prefix at a price a second by the second, with fields of its own.
fn line(prefix: &str, price: &str, fields: &str) -> String {
    let to = if prefix == "any" {
        r#""any""#.to_owned()
    } else {
        format!(r#"{{"prefixes":["{prefix}"]}}"#)
    };
    format!(
        r#"{{"destination":"at {price}","to":{to},{fields}
             "bands":[{{"price":"{price}","per":"1","increment":"1"}}]}}"#
    )
}

fn call(at: &str, seconds: &str) -> Used {
    let seconds: Quantity = seconds.parse().unwrap();
    Used {
        to: "4930123456".to_owned(),
        from: "12025550100".to_owned(),
        at: at.parse().unwrap(),
        measure: Measure::Time,
        usage: millionths(seconds.decimal()),
    }
}

fn alone(spec: &TariffSpec) -> Vec<(TariffSpec, Instant)> {
    vec![(spec.clone(), SINCE.parse().unwrap())]
}

/// The price of usage under the first of some versions, on which both raters agree.
fn price(versions: &[(TariffSpec, Instant)], used: &Used) -> Result<String, RateError> {
    let world = World { versions: versions.to_vec(), used: vec![used.clone()] };
    let second = world.reference().price(world.asked(), used);
    let tariffs = world.tariffs();
    let rated = tariffs.rate(world.asked(), &used.usage());
    assert_eq!(rated.as_ref().ok().map(Rated::amount), second.ok().map(|costs| costs.amount));
    rated.map(|rated| rated.amount().to_string())
}

fn price_of(spec: &TariffSpec, used: &Used) -> String {
    price(&alone(spec), used).unwrap()
}

fn explanation(versions: &[(TariffSpec, Instant)], used: &Used) -> Explanation {
    let world = World { versions: versions.to_vec(), used: vec![used.clone()] };
    world.tariffs().explain(world.asked(), &used.usage()).unwrap()
}

#[test]
fn first_increments_count_by_the_rule_of_the_tariff() {
    // The first and the next increment, usage, and what is billed under either rule.
    let cases = [
        (None, "60", "1", "60", "60"),
        (None, "60", "61", "120", "120"),
        (Some("90"), "60", "1", "90", "90"),
        (Some("90"), "60", "90", "90", "120"),
        (Some("90"), "60", "100", "150", "120"),
        (Some("90"), "60", "150", "150", "180"),
        (Some("90"), "60", "151", "210", "180"),
        (Some("30"), "6", "31", "36", "36"),
        (Some("30"), "60", "31", "90", "60"),
        (Some("1"), "1", "0.001", "1", "1"),
        (Some("0.5"), "0.001", "0.501", "0.501", "0.501"),
    ];
    for (first, next, seconds, remainder, total) in cases {
        for (rule, billed) in [("remainder", remainder), ("total", total)] {
            let first = first.map(|it| format!(r#""first":"{it}","#)).unwrap_or_default();
            let line = format!(
                r#"{{"destination":"there","to":"any",{first}
                     "bands":[{{"price":"1","per":"1","increment":"{next}"}}]}}"#
            );
            let spec = tariff("retail", &format!(r#""increments":"{rule}","#), &[&line]);
            let found = price_of(&spec, &call(START, seconds));
            assert_eq!(found, billed, "{first} {next} {seconds} {rule}");
        }
    }
}

#[test]
fn growth_swallows_what_follows() {
    let bands = r#""bands":[{"price":"1","per":"60","increment":"60"},
                            {"from":"60","price":"2","per":"60","increment":"1"}]"#;
    let first = |first: &str| format!(r#"{{"destination":"there","to":"any",{first}{bands}}}"#);
    // Up to the second band, into it, and beyond.
    let cases = [
        ("", "59", "1"),
        ("", "90", "2"),
        (r#""first":"90","#, "60", "1.5"),
        (r#""first":"90","#, "61", "1.5"),
        (r#""first":"90","#, "91", "1.5333"),
        (r#""first":"150","#, "120", "2.5"),
    ];
    for (increment, seconds, expected) in cases {
        let spec = tariff("retail", "", &[&first(increment)]);
        let found = price_of(&spec, &call(START, seconds));
        assert_eq!(found, expected, "{increment} {seconds}");
    }
    // Into another line's time: 12:01:00 is reached before the first increment is over.
    let later = line("any", "2", r#""valid_from":"2026-06-01T12:01:00Z","weight":1,"#);
    let spec = tariff("retail", "", &[&first(r#""first":"90","#), &later]);
    assert_eq!(price_of(&spec, &call(START, "100")), "21.5");
}

#[test]
fn fees_and_bounds_are_those_of_the_line_at_the_start() {
    let fields = r#""connect_fee":"0.5","minimum":"2","maximum":"10","grace":"3","#;
    let cases = [
        ("0", "0"),
        ("3", "0"),
        ("3.001", "4.5"),
        ("1", "0"),
        ("9", "9.5"),
        ("9.5", "10"),
        ("3600", "10"),
    ];
    for (seconds, expected) in cases {
        let spec = tariff("retail", "", &[&line("49", "1", fields)]);
        assert_eq!(price_of(&spec, &call(START, seconds)), expected, "{seconds}");
    }
    let least = line("49", "0.1", fields);
    let later = line("49", "5", r#""weight":1,"valid_from":"2026-06-01T12:00:05Z","#);
    let spec = tariff("retail", "", &[&least, &later]);
    assert_eq!(price_of(&spec, &call(START, "4")), "2");
    assert_eq!(price_of(&spec, &call(START, "6")), "6");
    assert_eq!(price_of(&spec, &call(START, "60")), "10");
    assert_eq!(price_of(&spec, &call("2026-06-01T12:00:05Z", "1")), "5");
    // Also of a call that goes on under another version.
    let change = "2026-06-01T12:00:10Z".parse().unwrap();
    let next = TariffSpec { version: 2, ..tariff("retail", "", &[&line("49", "2", "")]) };
    let cases = [
        (r#""connect_fee":"0.5","#, "30.5"),
        (r#""minimum":"100","#, "100"),
        (r#""maximum":"25","#, "25"),
        (r#""maximum":"25","at_maximum":"disconnect","#, "30"),
    ];
    for (fields, expected) in cases {
        let mut versions = alone(&tariff("retail", "", &[&line("49", "1", fields)]));
        versions.push((next.clone(), change));
        assert_eq!(price(&versions, &call(START, "20")).unwrap(), expected, "{fields}");
    }
    // A minimum that is the maximum too is a price for any call.
    let spec = tariff("retail", "", &[&line("49", "1", r#""minimum":"2","maximum":"2","#)]);
    assert_eq!(["1", "60"].map(|seconds| price_of(&spec, &call(START, seconds))), ["2", "2"]);
    // A maximum is rounded like any price.
    let spec = tariff("retail", "", &[&line("49", "1", r#""maximum":"0.62","#)]);
    let spec = TariffSpec { decimals: 1, rounding: billing_core::money::Rounding::Up, ..spec };
    assert_eq!(price_of(&spec, &call(START, "1")), "0.7");
}

#[test]
fn of_lines_in_force_weight_then_origin_then_window_then_validity_decide() {
    let windows = r#""windows":{"a":{"from":"08:00"},"b":{"from":"10:00"},"z":{}},"#;
    let plain = line("49", "1", "");
    // Each wins over all before it.
    let ranked = [
        line("any", "9", r#""weight":7,"#),
        line("4", "8", r#""weight":7,"origin":"1202","#),
        plain,
        line("49", "2", r#""valid_from":"2026-02-01T00:00:00Z","#),
        line("49", "3", r#""window":"z","#),
        line("49", "4", r#""window":"a","valid_from":"2026-02-01T00:00:00Z","#),
        line("49", "5", r#""window":"b","#),
        line("49", "6", r#""origin":"1","#),
        line("49", "7", r#""origin":"12","#),
        line("49", "10", r#""weight":1,"#),
        line("4930", "11", ""),
    ];
    for count in 1..=ranked.len() {
        let lines: Vec<&str> = ranked[..count].iter().map(String::as_str).collect();
        let forward = tariff("retail", windows, &lines);
        let backward: Vec<&str> = lines.into_iter().rev().collect();
        let backward = tariff("retail", windows, &backward);
        let found = [forward, backward].map(|spec| explanation(&alone(&spec), &call(START, "1")));
        let [forward, backward] = found.map(|it| it.pieces[0].destination.to_string());
        assert_eq!(forward, backward);
        assert!(ranked[count - 1].contains(&format!("\"{forward}\"")), "{forward} of {count}");
    }
}

#[test]
fn what_lines_have_in_common_is_that_of_each() {
    let line = |prefix: &str, price: &str| line(prefix, price, r#""grace":"1","#);
    let spec = tariff("retail", "", &[&line("4", "1"), &line("49", "2"), &line("493", "1")]);
    let used = call(START, "2");
    assert_eq!(price_of(&spec, &used), "2");
    let destination = &explanation(&alone(&spec), &used).pieces[0].destination;
    assert_eq!(destination.as_str(), "at 1");
}

#[test]
fn the_latest_validity_decides_whatever_windows_are_called() {
    let since = r#""valid_from":"2026-05-01T00:00:00Z","#;
    for (early, late) in [("a", "b"), ("b", "a")] {
        let windows = r#""windows":{"a":{"until":"18:00"},"b":{"until":"20:00"}},"#;
        let early = line("49", "1", &format!(r#""window":"{early}","#));
        let late = line("49", "2", &format!(r#"{since}"window":"{late}","#));
        let spec = tariff("retail", windows, &[&early, &late]);
        assert_eq!(price_of(&spec, &call(START, "1")), "2");
    }
}

#[test]
fn of_one_beginning_the_later_end_wins_and_then_the_last_name() {
    let windows = r#""windows":{"a":{"from":"08:00","until":"18:00"},
                                "b":{"from":"08:00","until":"20:00"}},"#;
    let june = r#""valid_until":"2026-07-01T00:00:00Z","#;
    let july = r#""valid_until":"2026-08-01T00:00:00Z","#;
    // Each wins over all before it: a line without an end ranks below any that has one.
    let ranked = [
        line("49", "1", ""),
        line("49", "2", june),
        line("49", "3", july),
        line("49", "4", r#""valid_from":"2026-05-01T00:00:00Z","#),
        line("49", "5", r#""window":"a","#),
        line("49", "6", r#""window":"b","#),
        line("49", "7", &format!(r#""window":"a",{june}"#)),
    ];
    for count in 1..=ranked.len() {
        let lines: Vec<&str> = ranked[..count].iter().map(String::as_str).collect();
        let spec = tariff("retail", windows, &lines);
        assert_eq!(price_of(&spec, &call(START, "1")), count.to_string());
    }
}

#[test]
fn a_line_that_loses_ends_no_segment() {
    // 90/60 by the whole: 100 s are 120 s, and not 90 s and a minute more.
    let first = |fields: &str| {
        format!(
            r#"{{"destination":"there","to":{{"prefixes":["49"]}},"weight":1,"first":"90",
                 {fields}"bands":[{{"price":"1","per":"1","increment":"60"}}]}}"#
        )
    };
    let windows = r#""increments":"total","windows":{"evening":{"from":"12:00:50"},"day":{}},"#;
    let losing = [
        line("49", "5", r#""window":"evening","#),
        line("49", "5", r#""window":"evening","origin":"44","weight":9,"#),
        line("49", "5", r#""valid_from":"2026-06-01T12:00:50Z","#),
        line("49", "5", r#""valid_until":"2026-06-01T12:00:50Z","#),
    ];
    let spec = tariff("retail", windows, &[&first("")]);
    assert_eq!(price_of(&spec, &call(START, "100")), "120");
    for other in losing {
        let spec = tariff("retail", windows, &[&first(""), &other]);
        assert_eq!(price_of(&spec, &call(START, "100")), "120", "{other}");
    }
    // Nor does a window that closes and opens at once.
    let spec = tariff("retail", windows, &[&first(r#""window":"day","#)]);
    let midnight = call("2026-06-01T23:59:10Z", "100");
    assert_eq!(price_of(&spec, &midnight), "120");
    assert_eq!(explanation(&alone(&spec), &midnight).pieces.len(), 1);
}

#[test]
fn the_prefix_that_won_keeps_the_call_and_others_fill_its_gaps() {
    let noon = r#""valid_until":"2026-06-01T12:00:10Z","#;
    let back = r#""valid_from":"2026-06-01T12:00:30Z","#;
    let lines = [
        line("49", "1", noon),
        line("49", "2", back),
        line("4", "10", ""),
        // A longer one that begins while the call goes on.
        line(
            "493",
            "100",
            r#""valid_from":"2026-06-01T12:00:05Z","valid_until":"2026-06-01T12:00:20Z","#,
        ),
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let spec = tariff("retail", "", &lines);
    // 10 s of +49, 10 s of +493, 10 s of +4, 10 s of +49 again.
    assert_eq!(price_of(&spec, &call(START, "40")), "1130");
    let pieces = explanation(&alone(&spec), &call(START, "40")).pieces;
    let names: Vec<String> = pieces.iter().map(|piece| piece.destination.to_string()).collect();
    assert_eq!(names, ["at 1", "at 100", "at 10", "at 2"]);
    let spec = tariff("retail", r#""crossing":"at_start","#, &lines);
    assert_eq!(price_of(&spec, &call(START, "40")), "40");
    // Without +4 there is a part that has no price.
    let spec = tariff("retail", "", &lines[..2]);
    let error = price(&alone(&spec), &call(START, "40")).unwrap_err();
    let message = "tariff retail has no line for this destination at 2026-06-01T12:00:10Z";
    assert_eq!(error.to_string(), message);
    assert_eq!(price_of(&spec, &call(START, "10")), "10");
}

#[test]
fn the_prefix_that_won_keeps_the_call_when_a_new_version_begins() {
    let change: Instant = "2026-06-01T12:00:10Z".parse().unwrap();
    let version =
        |version: u32, lines: &[&str]| TariffSpec { version, ..tariff("retail", "", lines) };
    let first = version(1, &[&line("49", "1", "")]);
    let mut versions = alone(&first);
    versions.push((version(2, &[&line("49", "2", ""), &line("4930", "100", "")]), change));
    assert_eq!(price(&versions, &call(START, "20")).unwrap(), "30");
    assert_eq!(price(&versions, &call("2026-06-01T12:00:10Z", "20")).unwrap(), "2000");
    // What the new version has no line for is looked for anew.
    versions[1] = (version(2, &[&line("4930", "100", "")]), change);
    assert_eq!(price(&versions, &call(START, "20")).unwrap(), "1010");
    // And one that measures something else has none.
    versions[1] = (version(2, &[&line("49", "2", "")]), change);
    versions[1].0.measure = Measure::Units;
    let error = price(&versions, &call(START, "20")).unwrap_err();
    assert!(matches!(error, RateError::NoLine { at, .. } if at == change), "{error}");
    // The same of a fallback: the tariff that is asked first does not take the call over.
    let asked = tariff("asked", r#""fallback":["retail"],"#, &[&line("44", "7", "")]);
    let mut versions = alone(&asked);
    versions.extend(alone(&first));
    versions.push((version(2, &[&line("49", "2", "")]), change));
    let second = TariffSpec { version: 2, ..tariff("asked", "", &[&line("any", "7", "")]) };
    versions.push((second, "2026-06-01T12:00:05Z".parse().unwrap()));
    assert_eq!(price(&versions, &call(START, "20")).unwrap(), "30");
}

#[test]
fn a_call_returns_to_the_tariff_it_began_under() {
    let gap = line("49", "1", r#""valid_until":"2026-06-01T12:00:10Z","#);
    let after = line("49", "2", r#""valid_from":"2026-06-01T12:00:20Z","#);
    let asked = tariff("asked", r#""fallback":["other"],"#, &[&line("44", "7", "")]);
    let mut versions = alone(&asked);
    versions.extend(alone(&tariff("other", "", &[&gap, &after])));
    // The new version asks nobody, and prices the gap itself.
    let second = TariffSpec { version: 2, ..tariff("asked", "", &[&line("any", "7", "")]) };
    versions.push((second, "2026-06-01T12:00:05Z".parse().unwrap()));
    assert_eq!(price(&versions, &call(START, "30")).unwrap(), "100");
}

#[test]
fn fallbacks_are_asked_in_their_order_and_three_deep() {
    let empty = |id: &str, next: &str| {
        tariff(id, &format!(r#""fallback":[{next}],"#), &[&line("7", "1", "")])
    };
    let priced = |id: &str, price: &str| tariff(id, "", &[&line("49", price, "")]);
    let book = |specs: Vec<TariffSpec>| -> Vec<_> { specs.iter().flat_map(alone).collect() };
    let cases = [
        // The first that answers, and its own fallbacks before the next.
        (vec![empty("a", r#""b","c""#), priced("b", "2"), priced("c", "3")], Some("2")),
        (
            vec![
                empty("a", r#""b","c""#),
                empty("b", r#""d""#),
                priced("c", "3"),
                priced("d", "4"),
            ],
            Some("4"),
        ),
        (vec![empty("a", r#""nobody","c""#), priced("c", "3")], Some("3")),
        // Round in a ring.
        (vec![empty("a", r#""b""#), empty("b", r#""a","c""#), priced("c", "3")], Some("3")),
        (
            vec![
                empty("a", r#""b""#),
                empty("b", r#""c""#),
                empty("c", r#""d""#),
                priced("d", "4"),
            ],
            Some("4"),
        ),
        (
            vec![
                empty("a", r#""b""#),
                empty("b", r#""c""#),
                empty("c", r#""d""#),
                empty("d", r#""e""#),
                priced("e", "5"),
            ],
            None,
        ),
    ];
    for (specs, expected) in cases {
        let found = price(&book(specs), &call(START, "1"));
        match expected {
            Some(expected) => assert_eq!(found.unwrap(), expected),
            None => assert_eq!(
                found.unwrap_err().to_string(),
                "tariff a has no line for this destination at 2026-06-01T12:00:00Z"
            ),
        }
    }
}

#[test]
fn a_gap_is_watched_as_deep_as_it_is_filled() {
    let asking = |id: &str, next: &str, line: &str| {
        tariff(id, &format!(r#""fallback":["{next}"],"#), &[line])
    };
    let (ten, twenty) = ("2026-06-01T12:00:10Z", "2026-06-01T12:00:20Z");
    let until = |price: &str, at: &str| line("49", price, &format!(r#""valid_until":"{at}","#));
    let last = line("49", "3", &format!(r#""valid_from":"{twenty}","#));
    let chain = [
        asking("a", "b", &until("1", ten)),
        asking("b", "c", &line("7", "1", "")),
        asking("c", "d", &line("7", "1", "")),
        tariff("d", "", &[&until("2", twenty), &last]),
    ];
    let versions: Vec<_> = chain.iter().flat_map(alone).collect();
    assert_eq!(price(&versions, &call(START, "30")).unwrap(), "60");
}

#[test]
fn whoever_may_be_asked_is_three_deep_too() {
    let chain = [("a", "b"), ("b", "c"), ("c", "d"), ("d", "e"), ("e", "f")].map(|(id, next)| {
        tariff(id, &format!(r#""fallback":["{next}"],"#), &[&line("7", "1", "")])
    });
    let world = World { versions: chain.iter().flat_map(alone).collect(), used: Vec::new() };
    let tariffs = world.tariffs();
    let asked = tariffs.asked_by([world.asked()]);
    let names: Vec<String> = asked.into_iter().map(ToString::to_string).collect();
    assert_eq!(names, ["a", "b", "c", "d"]);
}

#[test]
fn a_fallback_answers_by_its_own_rules_and_in_the_same_currency() {
    let asked = tariff("asked", r#""fallback":["other","last"],"#, &[&line("44", "1", "")]);
    let fields = r#""increments":"total","crossing":"at_start","#;
    let first = r#""first":"90","#;
    let minute = r#"{"destination":"there","to":"any","first":"90",
                     "bands":[{"price":"0.00125","per":"1","increment":"60"}]}"#;
    let other = TariffSpec { decimals: 2, ..tariff("other", fields, &[minute]) };
    let mut versions = alone(&asked);
    versions.extend(alone(&other));
    assert_eq!(price(&versions, &call(START, "100")).unwrap(), "0.15", "{first}");
    // One in another currency is passed over, and one for units too.
    versions.extend(alone(&tariff("last", "", &[&line("any", "3", "")])));
    versions[1].0.currency = "USD".parse().unwrap();
    assert_eq!(price(&versions, &call(START, "100")).unwrap(), "300");
    versions[1].0.currency = "EUR".parse().unwrap();
    versions[1].0.measure = Measure::Units;
    assert_eq!(price(&versions, &call(START, "100")).unwrap(), "300");
}

#[test]
fn a_call_is_split_or_not_by_the_tariff_whose_line_priced_its_start() {
    let dearer = line("49", "2", r#""weight":1,"valid_from":"2026-06-01T12:00:10Z","#);
    for (asked_by, other_by, expected) in [("split", "at_start", "20"), ("at_start", "split", "30")]
    {
        let crossing = |rule: &str| format!(r#""crossing":"{rule}","fallback":["other"],"#);
        let asked = tariff("asked", &crossing(asked_by), &[&line("44", "7", "")]);
        let other = tariff("other", &crossing(other_by), &[&line("49", "1", ""), &dearer]);
        let versions: Vec<_> = [&asked, &other].into_iter().flat_map(alone).collect();
        assert_eq!(price(&versions, &call(START, "20")).unwrap(), expected);
    }
}

#[test]
fn a_fallback_that_is_passed_over_does_not_ask_its_own() {
    let asked = tariff("asked", r#""fallback":["next"],"#, &[&line("44", "1", "")]);
    let next = tariff("next", r#""fallback":["last"],"#, &[&line("44", "1", "")]);
    let last = tariff("last", "", &[&line("49", "3", "")]);
    let mut versions: Vec<_> = [&asked, &next, &last].into_iter().flat_map(alone).collect();
    assert_eq!(price(&versions, &call(START, "1")).unwrap(), "3");
    versions[1].0.currency = "USD".parse().unwrap();
    assert!(matches!(price(&versions, &call(START, "1")), Err(RateError::NoLine { .. })));
    versions[1].0.currency = "EUR".parse().unwrap();
    versions[1].0.measure = Measure::Units;
    assert!(matches!(price(&versions, &call(START, "1")), Err(RateError::NoLine { .. })));
    // Nor does one of which no version is in force yet.
    versions[1] = (next, "2026-07-01T00:00:00Z".parse().unwrap());
    assert!(matches!(price(&versions, &call(START, "1")), Err(RateError::NoLine { .. })));
}

#[test]
fn an_explanation_over_versions_names_the_lines_that_lost() {
    let lines = [
        line("any", "1", ""),
        line("49", "2", ""),
        line("49", "3", r#""origin":"44","#),
        line("49", "4", r#""weight":1,"valid_until":"2026-05-01T00:00:00Z","#),
        line("49", "5", r#""weight":2,"window":"night","#),
        line("4930", "6", r#""window":"day","#),
        line("4930", "7", ""),
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let windows = r#""windows":{"day":{"from":"08:00"},"night":{"until":"06:00"}},"#;
    let spec = tariff("retail", windows, &lines);
    let candidates = explanation(&alone(&spec), &call(START, "1")).candidates;
    let found: Vec<_> = candidates.iter().map(|it| (it.line, it.why)).collect();
    let expected = [
        (6, Why::Won),
        (7, Why::Outranked),
        (5, Why::WindowClosed),
        (4, Why::NotValid),
        (3, Why::OtherOrigin),
        (2, Why::ShorterPrefix),
        (1, Why::ShorterPrefix),
    ];
    assert_eq!(found, expected);
    let one = Tariff::compile(&spec).unwrap();
    assert!(one.has_origins());
    assert_eq!(one.explain(&call(START, "1").usage()).unwrap().candidates, candidates);
}

#[test]
fn what_has_no_price_is_an_error_and_says_why() {
    let blocked = r#"{"destination":"there","to":{"prefixes":["49"]},"blocked":true}"#;
    let spec = tariff("retail", "", &[&line("44", "1", ""), blocked]);
    let used = call(START, "1");
    let error = price(&alone(&spec), &used).unwrap_err();
    assert_eq!(error.to_string(), "line 2 of tariff retail blocks this destination");
    // Also a call of nothing.
    let error = price(&alone(&spec), &call(START, "0")).unwrap_err();
    assert!(matches!(error, RateError::Blocked { line: 2, .. }));
    let early = call("2025-12-31T23:59:59.999999Z", "1");
    let error = price(&alone(&spec), &early).unwrap_err();
    let message = "tariff retail is not in force at 2025-12-31T23:59:59.999999Z";
    assert_eq!(error.to_string(), message);
    let units = Used { measure: Measure::Units, ..used };
    let error = price(&alone(&spec), &units).unwrap_err();
    assert_eq!(error.to_string(), "tariff retail measures something else than this usage");
    // Whether a line blocks it or has a price.
    for spec in [spec, tariff("retail", "", &[&line("49", "1", "")])] {
        let error = Tariff::compile(&spec).unwrap().rate(&units.usage()).unwrap_err();
        assert_eq!(error.to_string(), "tariff retail measures something else than this usage");
    }
    // A block that begins while a call goes on ends what has a price.
    let later = r#"{"destination":"there","to":{"prefixes":["49"]},"blocked":true,"weight":1,
                    "valid_from":"2026-06-01T12:00:10Z"}"#;
    let spec = tariff("retail", "", &[&line("49", "1", ""), later]);
    assert_eq!(price_of(&spec, &call(START, "10")), "10");
    let world = World { versions: alone(&spec), used: vec![call(START, "11")] };
    let second = world.reference().price(world.asked(), &world.used[0]).unwrap_err();
    assert_eq!(second, Refused::Blocked { line: 2 });
    let compiled = Tariff::compile(&spec).unwrap();
    let error = compiled.rate(&world.used[0].usage()).unwrap_err();
    assert!(matches!(error, RateError::Blocked { line: 2, .. }));
    let reach = compiled.reach(&world.used[0].usage(), "1000".parse().unwrap());
    assert_eq!(reach.unwrap(), Reach::Until(10_000));
}

#[test]
fn what_costs_nothing_reaches_its_end_whatever_the_maximum() {
    let fields = r#""connect_fee":"2","maximum":"1","at_maximum":"disconnect","grace":"3","#;
    let compiled = Tariff::compile(&tariff("retail", "", &[&line("49", "1", fields)])).unwrap();
    let reach = |seconds: &str| compiled.reach(&call(START, seconds).usage(), "9".parse().unwrap());
    assert_eq!(reach("3").unwrap(), Reach::Unlimited);
    assert_eq!(reach("3.001").unwrap(), Reach::Until(3_000));
}

#[test]
fn changes_within_a_millisecond_count_from_the_next_one_on() {
    let later = line("49", "2", r#""weight":1,"valid_from":"2026-06-01T12:00:00.0015Z","#);
    let fine = |price: &str, fields: &str| {
        line("49", price, fields).replace(r#""increment":"1""#, r#""increment":"0.001""#)
    };
    let later = later.replace(r#""increment":"1""#, r#""increment":"0.001""#);
    let spec = tariff("retail", "", &[&fine("1", ""), &later]);
    assert_eq!(price_of(&spec, &call(START, "0.002")), "0.002");
    assert_eq!(price_of(&spec, &call(START, "0.003")), "0.004");
    assert_eq!(price_of(&spec, &call("2026-06-01T12:00:00.0005Z", "0.003")), "0.005");
}

#[test]
fn the_largest_prices_and_usages_stay_exact_or_are_refused() {
    let dear = line("49", "999999999999.9999999999", "");
    let spec = TariffSpec { decimals: 10, ..tariff("retail", "", &[&dear]) };
    assert_eq!(price_of(&spec, &call(START, "1000000")), "999999999999999999.9999");
    let error = price(&alone(&spec), &call(START, "1000001")).unwrap_err();
    assert!(matches!(error, RateError::Money(_)), "{error}");
    // A maximum is kept to, however far above it the sum is.
    let capped = line("49", "999999999999.9999999999", r#""maximum":"0.0000000001","#);
    let spec = TariffSpec { decimals: 10, ..tariff("retail", "", &[&capped]) };
    assert_eq!(price_of(&spec, &call(START, "2592000")), "0.0000000001");
    // Nothing is too long for a tariff whose prices do not change.
    let whole = Usage::call_to_nobody(START.parse().unwrap(), 18_446_744_073_709_551_000);
    let free = Tariff::compile(&tariff("retail", "", &[&line("any", "0", "")])).unwrap();
    assert_eq!(free.rate(&whole).unwrap().amount().to_string(), "0");
}

#[test]
fn usage_that_cannot_be_counted_in_whole_increments_is_an_error() {
    let spec: TariffSpec = serde_json::from_str(
        r#"{"id":"units","version":1,"currency":"EUR","zone":"UTC","measure":"units","decimals":9,"rounding":"half_up",
            "lines":[{"destination":"Anywhere","to":"any",
                      "bands":[{"price":"0.0000000001","per":"1","increment":"7"}]}]}"#,
    )
    .unwrap();
    let tariff = Tariff::compile(&spec).unwrap();
    let at = "2026-10-05T08:00:00Z".parse().unwrap();
    let usage = |units: &str| Usage::units(None, at, units.parse().unwrap()).unwrap();
    let refused = tariff.rate(&usage("18446744073709.551615"));
    assert!(matches!(refused, Err(RateError::TooMuch { .. })), "{refused:?}");
    // 2,635,249,153,387 increments of 7, the most that there are.
    let most = tariff.rate(&usage("18446744073709")).unwrap();
    assert_eq!(most.billed_ms(), 18_446_744_073_709_000_000);
}
