//! Tariff documents that are refused, and in which words.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;

use billing_core::{
    tariff::{InvalidTariff, LineSpec, Tariff, TariffBuilder, TariffProblem, TariffSpec, Tariffs},
    time::Instant,
};

/// A document with fields of its own, and lines.
fn document(fields: &str, lines: &[&str]) -> TariffSpec {
    let lines = lines.join(",");
    let json = format!(
        r#"{{"id":"retail","currency":"EUR","zone":"UTC","rounding":"half_up",
             {fields},"lines":[{lines}]}}"#
    );
    serde_json::from_str(&json).unwrap()
}

const PLAIN: &str = r#""version":1,"decimals":4"#;

/// A line to +49 with fields of its own.
fn line(fields: &str) -> String {
    format!(r#"{{"destination":"Germany","to":{{"prefixes":["49"]}},{fields}}}"#)
}

const BANDS: &str = r#""bands":[{"price":"1","per":"60","increment":"60"}]"#;

fn refusal(spec: &TariffSpec) -> String {
    Tariff::compile(spec).unwrap_err().to_string()
}

#[test]
fn a_document_is_refused_as_a_whole_for_what_is_in_no_line() {
    let window = |window: &str| format!(r#"{PLAIN},"windows":{{"day":{window}}}"#);
    let time = "is no time of day: `08:00`, `08:00:30` and up to `24:00` are accepted";
    let cases = [
        (
            r#""version":0,"decimals":4"#.to_owned(),
            "a tariff's version is 0: versions are counted from 1".to_owned(),
        ),
        (
            r#""version":1,"decimals":11"#.to_owned(),
            "11 decimals are too many: 0 to 10 are accepted".to_owned(),
        ),
        (
            format!(r#"{PLAIN},"groups":{{"empty":[]}}"#),
            "group \"empty\" has no prefixes".to_owned(),
        ),
        (
            window(r#"{"holidays":{"only":"feasts"}}"#),
            "there is no calendar \"feasts\" in the tariff".to_owned(),
        ),
        (window(r#"{"from":"8:00"}"#), format!("\"8:00\" {time}")),
        (window(r#"{"until":"24:00:01"}"#), format!("\"24:00:01\" {time}")),
        (window(r#"{"until":"12:60"}"#), format!("\"12:60\" {time}")),
        (window(r#"{"until":"12:00:60"}"#), format!("\"12:00:60\" {time}")),
        (window(r#"{"until":"12"}"#), format!("\"12\" {time}")),
        (window(r#"{"until":"12:00:00:00"}"#), format!("\"12:00:00:00\" {time}")),
        (window(r#"{"until":"+1:00"}"#), format!("\"+1:00\" {time}")),
        (window(r#"{"from":"24:00"}"#), "window \"day\": it begins before 24:00".to_owned()),
        (window(r#"{"months":[0]}"#), "window \"day\": months are 1 to 12".to_owned()),
        (window(r#"{"months":[1,13]}"#), "window \"day\": months are 1 to 12".to_owned()),
        (
            window(r#"{"month_days":[32]}"#),
            "window \"day\": days of the month are 1 to 31".to_owned(),
        ),
        (
            window(r#"{"first_day":"2026-05-01","end_day":"2026-05-01"}"#),
            "window \"day\": its days end before they begin".to_owned(),
        ),
    ];
    for (fields, message) in cases {
        let spec = document(&fields, &[&line(BANDS)]);
        assert_eq!(Tariff::compile(&spec).unwrap_err().line, None);
        assert_eq!(refusal(&spec), message);
    }
}

#[test]
fn a_document_is_refused_for_a_line_that_is_named() {
    let band = |band: &str| line(&format!(r#""bands":[{band}]"#));
    let with = |fields: &str| line(&format!("{fields},{BANDS}"));
    let seconds = "0 or more seconds with at most 3 decimals, below 10^10, are accepted";
    let blocked = "a blocked line has no bands, fees, minimum or maximum";
    let cases = [
        (with(r#""window":"night""#), "there is no window \"night\" in the tariff".to_owned()),
        (
            format!(r#"{{"destination":"Germany","to":{{"group":"de"}},{BANDS}}}"#),
            "there is no group \"de\" in the tariff".to_owned(),
        ),
        (
            format!(r#"{{"destination":"Germany","to":{{"prefixes":[]}},{BANDS}}}"#),
            "the line has no prefixes".to_owned(),
        ),
        (line(r#""weight":1"#), "a line that is not blocked needs a band".to_owned()),
        (with(r#""blocked":true"#), blocked.to_owned()),
        (line(r#""blocked":true,"connect_fee":"1""#), blocked.to_owned()),
        (line(r#""blocked":true,"minimum":"1""#), blocked.to_owned()),
        (line(r#""blocked":true,"maximum":"1""#), blocked.to_owned()),
        (
            band(r#"{"from":"60","price":"1","per":"60","increment":"60"}"#),
            "band 1 begins at 60: the first begins at 0, each other after the one before it"
                .to_owned(),
        ),
        (
            band(
                r#"{"price":"1","per":"60","increment":"60"},
                   {"from":"60","price":"1","per":"60","increment":"60"},
                   {"from":"60","price":"1","per":"60","increment":"60"}"#,
            ),
            "band 3 begins at 60: the first begins at 0, each other after the one before it"
                .to_owned(),
        ),
        (
            band(
                r#"{"price":"1","per":"60","increment":"60"},
                   {"from":"90","price":"1","per":"60","increment":"1"}"#,
            ),
            "band 2 begins at 90, within an increment of the band before it".to_owned(),
        ),
        // The increments of a band count from its own beginning.
        (
            band(
                r#"{"price":"1","per":"60","increment":"30"},
                   {"from":"30","price":"1","per":"60","increment":"60"},
                   {"from":"120","price":"1","per":"60","increment":"1"}"#,
            ),
            "band 3 begins at 120, within an increment of the band before it".to_owned(),
        ),
        (
            band(r#"{"price":"1","per":"0","increment":"60"}"#),
            "what a price is for is 0: more than 0 is accepted".to_owned(),
        ),
        (
            band(r#"{"price":"1","per":"60","increment":"0"}"#),
            "an increment is 0: more than 0 is accepted".to_owned(),
        ),
        (
            band(r#"{"price":"1","per":"60","increment":"0.0005"}"#),
            format!("an increment is 0.0005: {seconds}"),
        ),
        (
            band(r#"{"from":"-1","price":"1","per":"60","increment":"1"}"#),
            format!("the beginning of a band is -1: {seconds}"),
        ),
        (with(r#""first":"0""#), "the first increment is 0: more than 0 is accepted".to_owned()),
        (with(r#""grace":"-0.001""#), format!("the grace is -0.001: {seconds}")),
        (with(r#""grace":"10000000000""#), format!("the grace is 10000000000: {seconds}")),
        (
            with(r#""valid_from":"2026-05-01T00:00:00Z","valid_until":"2026-05-01T00:00:00Z""#),
            "a line is valid from before until after: it ends before it begins".to_owned(),
        ),
        (
            with(r#""minimum":"2.5","maximum":"2""#),
            "the minimum of 2.5 is above the maximum of 2".to_owned(),
        ),
        (
            band(
                r#"{"price":"1","per":"999983","increment":"1"},
                   {"from":"60","price":"1","per":"1000003","increment":"1"}"#,
            ),
            "prices are for units whose common multiple is too large".to_owned(),
        ),
        (
            line(&format!(r#""weight":0,{BANDS}"#)),
            "prefix 49 has another line of the same origin, window, weight and validity: line 1"
                .to_owned(),
        ),
    ];
    for (wrong, message) in cases {
        let spec = document(PLAIN, &[&line(BANDS), &wrong]);
        assert_eq!(refusal(&spec), format!("line 2: {message}"));
    }
}

#[test]
fn time_is_measured_to_the_millisecond() {
    let grace = |grace: &str| line(&format!(r#""grace":"{grace}",{BANDS}"#));
    for accepted in ["0.001", "9999999999.999"] {
        assert!(Tariff::compile(&document(PLAIN, &[&grace(accepted)])).is_ok(), "{accepted}");
    }
}

#[test]
fn prices_are_for_units_with_a_common_multiple_of_at_most_a_billion_seconds() {
    let per = |per: &str| {
        line(&format!(r#""weight":1,"bands":[{{"price":"1","per":"{per}","increment":"1"}}]"#))
    };
    let usual = line(BANDS);
    // Of 60 s and so many.
    for accepted in ["999999960", "3600", "99.991", "0.001"] {
        assert!(Tariff::compile(&document(PLAIN, &[&per(accepted), &usual])).is_ok(), "{accepted}");
    }
    for refused in ["1000000000", "250000000.02"] {
        let message = refusal(&document(PLAIN, &[&usual, &per(refused)]));
        let expected = "line 2: prices are for units whose common multiple is too large";
        assert_eq!(message, expected, "{refused}");
    }
    assert!(Tariff::compile(&document(PLAIN, &[&per("1000000000")])).is_ok());
    assert!(Tariff::compile(&document(PLAIN, &[&per("1000000000.001")])).is_err());
}

#[test]
fn units_are_measured_to_the_millionth() {
    let units = r#""version":1,"decimals":4,"measure":"units""#;
    let grace = |grace: &str| line(&format!(r#""grace":"{grace}",{BANDS}"#));
    assert!(Tariff::compile(&document(units, &[&grace("0.000001")])).is_ok());
    let accepted = "0 or more units with at most 6 decimals, below 10^10, are accepted";
    for refused in ["0.0000001", "10000000000"] {
        let message = format!("line 1: the grace is {refused}: {accepted}");
        assert_eq!(refusal(&document(units, &[&grace(refused)])), message);
    }
}

#[test]
fn lines_between_which_nothing_decides_are_refused_wherever_they_stand() {
    let any = format!(r#"{{"destination":"anywhere","to":"any",{BANDS}}}"#);
    let spec = document(PLAIN, &[&any, &line(BANDS), &any]);
    let message = "line 3: prefix any has another line of the same origin, window, weight and \
                   validity: line 1";
    assert_eq!(refusal(&spec), message);
    // Of two groups it is the prefix they share.
    let groups = format!(r#"{PLAIN},"groups":{{"one":["4930","49"],"two":["49","4940"]}}"#);
    let of =
        |group: &str| format!(r#"{{"destination":"there","to":{{"group":"{group}"}},{BANDS}}}"#);
    let spec = document(&groups, &[&of("two"), &of("one")]);
    let message = "line 2: prefix 49 has another line of the same origin, window, weight and \
                   validity: line 1";
    assert_eq!(refusal(&spec), message);
    // Of many lines too it is the later one that is refused.
    let weighing = |weight: u32| line(&format!(r#""weight":{weight},{BANDS}"#));
    let many: Vec<String> = (0_u32..100).map(|it| weighing(it.wrapping_mul(37) % 100)).collect();
    for (other, twin) in (1_usize..).zip(&many) {
        let lines: Vec<&str> = many.iter().chain([twin]).map(String::as_str).collect();
        let refused = Tariff::compile(&document(PLAIN, &lines)).unwrap_err();
        let problem = TariffProblem::Twins { prefix: "49".parse().ok(), other };
        assert_eq!(refused, InvalidTariff { line: Some(101), problem });
    }
    // One prefix twice in one line is one.
    let twice = format!(r#"{{"destination":"there","to":{{"prefixes":["49","49"]}},{BANDS}}}"#);
    assert!(Tariff::compile(&document(PLAIN, &[&twice])).is_ok());
    // Whatever is different decides.
    let different = [
        line(BANDS),
        line(&format!(r#""origin":"1",{BANDS}"#)),
        line(&format!(r#""weight":1,{BANDS}"#)),
        line(&format!(r#""valid_from":"2026-05-01T00:00:00Z",{BANDS}"#)),
        line(&format!(r#""valid_until":"2026-05-01T00:00:00Z",{BANDS}"#)),
        line(&format!(r#""window":"day",{BANDS}"#)),
    ];
    let lines: Vec<&str> = different.iter().map(String::as_str).collect();
    let windows = format!(r#"{PLAIN},"windows":{{"day":{{}}}}"#);
    assert!(Tariff::compile(&document(&windows, &lines)).is_ok());
}

#[test]
fn what_is_too_large_says_how_large_it_may_be() {
    let problem = TariffProblem::TooLarge { max: Tariff::LINES_MAX };
    let message = "a tariff of more than 16000000 lines or prefixes is too large";
    assert_eq!(InvalidTariff { line: None, problem }.to_string(), message);
}

#[test]
fn versions_begin_at_instants_of_their_own_and_in_one_currency() {
    let mut tariffs = Tariffs::default();
    let from: Instant = "2026-05-01T00:00:00Z".parse().unwrap();
    let next = from.checked_add_ms(1).unwrap();
    let compiled = |spec: &TariffSpec| Arc::new(Tariff::compile(spec).unwrap());
    let euro = document(PLAIN, &[&line(BANDS)]);
    let second = TariffSpec { version: 2, ..euro.clone() };
    let dollar = TariffSpec { version: 3, currency: "USD".parse().unwrap(), ..euro.clone() };
    tariffs.activate(compiled(&euro), from).unwrap();
    let taken = tariffs.activate(compiled(&second), from).unwrap_err();
    let message = "version 1 of tariff retail is in force from 2026-05-01T00:00:00Z on: two \
                   cannot begin at one instant";
    assert_eq!(taken.to_string(), message);
    let other = tariffs.activate(compiled(&dollar), next).unwrap_err();
    assert_eq!(other.to_string(), "version 3 of tariff retail is in USD, the others are in EUR");
    tariffs.activate(compiled(&second), next).unwrap();
    let version = |at| tariffs.in_force(&euro.id, at).map(Tariff::version);
    let before = Instant::from_micros(from.micros() - 1).unwrap();
    assert_eq!([before, from, next].map(version), [None, Some(1), Some(2)]);
}

#[test]
fn a_line_that_is_refused_leaves_nothing_behind() {
    let head: TariffSpec = serde_json::from_str(
        r#"{"id":"retail","version":1,"currency":"EUR","zone":"UTC","decimals":4,"rounding":"half_up","lines":[]}"#,
    )
    .unwrap();
    let line = |destination: &str, to: &str, per: &str| -> LineSpec {
        let json = format!(
            r#"{{"destination":"{destination}","to":{to},"bands":[{{"price":"1","per":"{per}","increment":"1"}}]}}"#
        );
        serde_json::from_str(&json).unwrap()
    };
    let good = line("Germany", r#"{"prefixes":["49"]}"#, "3600");
    let mut builder = TariffBuilder::new(&head).unwrap();
    let refused = builder.push(&line("Nowhere", r#"{"group":"none"}"#, "999999.999")).unwrap_err();
    assert_eq!(refused.line, Some(1));
    builder.push(&good).unwrap();
    let tariff = builder.finish().unwrap();
    assert_eq!(tariff.destinations(), core::slice::from_ref(&good.destination));
    assert_eq!(tariff.digest(), TariffSpec { lines: vec![good], ..head }.digest());
}
