//! Documents, one a line: what is read, what is refused, and where.
#![expect(
    clippy::default_numeric_fallback,
    clippy::panic_in_result_fn,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

use std::io::{self, BufReader, Read};

use billing_core::{
    decide::Refusal,
    item::{CallEnded, Incoming, OneOffCharged, PulseReported},
};
use billing_formats::ndjson::{LINE_BYTES_MAX, Reader, Row, write};
use serde_json::{Value, json};

const CALL: &str = r#"{"key":{"source":"pbx","id":"1"},"account":"alice","call":{"start":"2026-10-05T08:00:00Z","duration_ms":61000,"caller":"+12025550100","callee":"+12025550123","disposition":"answered","direction":"outbound"}}"#;
const PULSE: &str = r#"{"key":{"source":"meter","id":"1","leg":"b","partial":3},"account":null,"pulse":{"at":"2026-10-05T08:00:00Z","product":"storage","unit":"GB-h","amount":"0.25","properties":{"host":"a7","region":"eu"}}}"#;
const ONE_OFF: &str = r#"{"key":{"source":"desk","id":"1"},"account":"alice","one_off":{"at":"2026-10-05T08:00:00Z","name":"set-up","price":{"amount":"49.9","currency":"EUR"}}}"#;

fn read(file: impl AsRef<[u8]>) -> Vec<Row> {
    Reader::new(file.as_ref()).collect::<io::Result<_>>().unwrap()
}

fn one(line: &str) -> Row {
    let mut rows = read(line);
    assert_eq!(rows.len(), 1, "{line}");
    rows.pop().unwrap()
}

fn written(incoming: &Incoming) -> String {
    let mut output = Vec::new();
    write(incoming, &mut output).unwrap();
    String::from_utf8(output).unwrap()
}

/// A document with a value in place of another; nothing in place of what is missing.
fn with(document: &str, place: &str, value: Value) -> String {
    let mut changed: Value = serde_json::from_str(document).unwrap();
    let (object, name) = place.rsplit_once('/').unwrap();
    changed.pointer_mut(object).unwrap()[name] = value;
    changed.to_string()
}

fn without(document: &str, place: &str) -> String {
    let mut changed: Value = serde_json::from_str(document).unwrap();
    let (object, name) = place.rsplit_once('/').unwrap();
    let removed = changed.pointer_mut(object).unwrap().as_object_mut().unwrap().remove(name);
    assert!(removed.is_some(), "{place}");
    changed.to_string()
}

fn reason(line: &str) -> String {
    one(line).unwrap_err().reason.to_string()
}

#[test]
fn a_line_is_what_the_arguments_of_recording_are() {
    let rows = read(format!("{CALL}\n{PULSE}\n{ONE_OFF}\n"));
    let rows: Vec<_> = rows.into_iter().map(Result::unwrap).collect();
    let call: CallEnded = serde_json::from_str(CALL).unwrap();
    let pulse: PulseReported = serde_json::from_str(PULSE).unwrap();
    let charge: OneOffCharged = serde_json::from_str(ONE_OFF).unwrap();
    assert_eq!(rows, [call.into(), pulse.into(), charge.into()]);
    for (incoming, line) in rows.iter().zip([CALL, PULSE, ONE_OFF]) {
        assert_eq!(written(incoming), format!("{line}\n"));
    }
}

#[test]
fn what_need_not_be_there_may_be_missing() {
    let cases = [
        (without(CALL, "/account"), with(CALL, "/account", Value::Null)),
        (with(PULSE, "/key/leg", Value::Null), without(PULSE, "/key/leg")),
        (with(PULSE, "/key/partial", Value::Null), without(PULSE, "/key/partial")),
        (with(PULSE, "/pulse/properties", json!({})), without(PULSE, "/pulse/properties")),
        (format!(" \t{CALL}  "), CALL.to_owned()),
    ];
    for (one_way, other_way) in cases {
        assert_eq!(one(&one_way).unwrap(), one(&other_way).unwrap(), "{one_way}");
    }
}

#[test]
fn every_fault_has_its_place_and_says_what_is_accepted() {
    let id = "text of 1 to 255 bytes without control characters";
    let party = "text of at most 255 bytes without control characters";
    let instant = "an instant as RFC 3339 text with an offset, such as \"2026-01-31T12:00:00Z\"";
    let properties = "an object of up to 50 names of 1 to 64 bytes, with texts of up to 255 bytes, without control characters";
    let whole = "a whole number from 0 to 18446744073709551615";
    let amount = "a quantity as text, such as \"1.5\"";
    let long = "x".repeat(256);
    let many: serde_json::Map<_, _> =
        (0..51).map(|name: u8| (name.to_string(), json!(""))).collect();
    let cases = [
        (PULSE, "/key", json!("1"), "an object"),
        (PULSE, "/key/source", json!(""), id),
        (PULSE, "/key/id", json!(1), id),
        (PULSE, "/key/id", json!(long), id),
        (PULSE, "/key/id", json!("a\u{0}b"), id),
        (PULSE, "/key/leg", json!([]), id),
        (PULSE, "/key/partial", json!(0), "a whole number from 1 to 4294967295"),
        (PULSE, "/key/partial", json!("1"), "a whole number from 1 to 4294967295"),
        (PULSE, "/account", json!(4_915_112_345_678_u64), id),
        (PULSE, "/pulse", Value::Null, "an object"),
        (PULSE, "/pulse/at", json!("2026-10-05 08:00:00"), instant),
        (PULSE, "/pulse/at", json!(1_790_841_600), instant),
        (PULSE, "/pulse/product", Value::Null, id),
        (PULSE, "/pulse/unit", json!({}), id),
        (PULSE, "/pulse/amount", json!(0.25), amount),
        (PULSE, "/pulse/amount", json!(1), amount),
        (PULSE, "/pulse/amount", json!("1,5"), amount),
        (PULSE, "/pulse/amount", json!("1e3"), amount),
        (PULSE, "/pulse/amount", json!("0.00000000001"), amount),
        (PULSE, "/pulse/amount", json!("1000000000000000000"), amount),
        (PULSE, "/pulse/properties", Value::Null, properties),
        (PULSE, "/pulse/properties", json!({"region": 1}), properties),
        (PULSE, "/pulse/properties", json!({"": "x"}), properties),
        (PULSE, "/pulse/properties", json!({"region": long}), properties),
        (PULSE, "/pulse/properties", Value::Object(many), properties),
        (CALL, "/call/start", json!(""), instant),
        (CALL, "/call/duration_ms", json!("61000"), whole),
        (CALL, "/call/duration_ms", json!(-1), whole),
        (CALL, "/call/duration_ms", json!(61_000.5), whole),
        (CALL, "/call/caller", json!(12_025_550_100_u64), party),
        (CALL, "/call/callee", json!(long), party),
        (CALL, "/call/callee", json!("1\n2"), party),
        (CALL, "/call/disposition", json!("ANSWERED"), "answered, no_answer, busy or failed"),
        (CALL, "/call/direction", json!("out"), "outbound, inbound or internal"),
        (ONE_OFF, "/one_off/name", json!(""), id),
        (ONE_OFF, "/one_off/price", json!("49.90 EUR"), "an object"),
        (ONE_OFF, "/one_off/price/amount", json!(49.9), "an amount as text, such as \"1.62\""),
        (
            ONE_OFF,
            "/one_off/price/currency",
            json!("eur"),
            "an ISO 4217 currency code as text, such as \"EUR\"",
        ),
    ];
    for (document, place, value, accepted) in cases {
        let line = with(document, place, value);
        let name = place[1..].replace('/', ".");
        assert_eq!(
            reason(&line),
            format!("`{name}` is not accepted; accepted is {accepted}"),
            "{line}"
        );
        assert_eq!(one(&line).unwrap_err().raw, line);
    }
}

#[test]
fn what_must_be_there_is_missed() {
    let places = [
        (PULSE, "/key"),
        (PULSE, "/key/source"),
        (PULSE, "/key/id"),
        (PULSE, "/pulse/at"),
        (PULSE, "/pulse/product"),
        (PULSE, "/pulse/unit"),
        (PULSE, "/pulse/amount"),
        (CALL, "/call/start"),
        (CALL, "/call/duration_ms"),
        (CALL, "/call/caller"),
        (CALL, "/call/callee"),
        (CALL, "/call/disposition"),
        (CALL, "/call/direction"),
        (ONE_OFF, "/one_off/at"),
        (ONE_OFF, "/one_off/name"),
        (ONE_OFF, "/one_off/price"),
        (ONE_OFF, "/one_off/price/amount"),
        (ONE_OFF, "/one_off/price/currency"),
    ];
    for (document, place) in places {
        let name = place[1..].replace('/', ".");
        assert_eq!(reason(&without(document, place)), format!("`{name}` is missing"));
    }
    for (document, found) in [
        (without(CALL, "/call"), 0),
        (with(CALL, "/pulse", serde_json::from_str::<Value>(PULSE).unwrap()["pulse"].clone()), 2),
    ] {
        assert_eq!(
            reason(&document),
            format!(
                "the document has {found} of `call`, `pulse` and `one_off`; accepted is one of them"
            )
        );
    }
}

#[test]
fn a_name_that_is_not_known_is_refused() {
    let cases = [
        ("/fax", "document", "key, account, call, pulse, one_off"),
        ("/key/tenant", "key", "source, id, leg, partial"),
        ("/call/note", "call", "start, duration_ms, caller, callee, disposition, direction"),
    ];
    for (place, object, accepted) in cases {
        let expected = format!("`{object}` has a name that is not known; accepted are {accepted}");
        assert_eq!(reason(&with(CALL, place, Value::Null)), expected);
    }
    let incoming = r#"{"key":{"source":"pbx","id":"1"},"account":"alice","item":{"kind":"call"}}"#;
    assert!(reason(incoming).starts_with("`document` has a name that is not known"));
}

#[test]
fn a_name_that_stands_twice_is_refused() {
    let cases = [
        (CALL, r#""account":"alice""#, "document"),
        (CALL, r#""source":"pbx""#, "key"),
        (CALL, r#""duration_ms":61000"#, "call"),
        (PULSE, r#""amount":"0.25""#, "pulse"),
        (PULSE, r#""region":"eu""#, "pulse.properties"),
        (ONE_OFF, r#""currency":"EUR""#, "one_off.price"),
    ];
    for (document, pair, place) in cases {
        for again in [pair.to_owned(), pair.replace(':', " : ")] {
            let line = document.replace(pair, &format!("{pair},{again}"));
            assert_eq!(
                reason(&line),
                format!("`{place}` has a name twice; accepted is once"),
                "{line}"
            );
        }
    }
    // Written in another way, it is still the same name.
    let line = PULSE.replace(r#""region":"eu""#, r#""region":"eu","\u0072egion":"us""#);
    assert_eq!(reason(&line), "`pulse.properties` has a name twice; accepted is once");
}

#[test]
fn a_line_that_is_no_document_costs_itself_alone() {
    let cases = [
        ("12025550123".to_owned(), "`document` is not accepted; accepted is an object"),
        ("[]".to_owned(), "`document` is not accepted; accepted is an object"),
        ("null".to_owned(), "`document` is not accepted; accepted is an object"),
        ("{".to_owned(), "the line is not one JSON document: reading stops at byte 0"),
        ("2025-01".to_owned(), "the line is not one JSON document: reading stops at byte 4"),
        (
            CALL.replace("\"account\"", "account"),
            "the line is not one JSON document: reading stops at byte 33",
        ),
        (format!("{CALL}{CALL}"), "the line is not one JSON document: reading stops at byte 207"),
        (
            CALL.replace("61000", "1e999"),
            "the line is not one JSON document: reading stops at byte 108",
        ),
        ("[".repeat(1_000), "the line is not one JSON document: reading stops at byte 999"),
        (CALL.replace("alice", &"x".repeat(LINE_BYTES_MAX)), "the line is longer than 65536 bytes"),
    ];
    for (bad, expected) in cases {
        let rows = read(format!("{CALL}\n{bad}\r\n{CALL}"));
        assert_eq!(
            rows.iter().map(Result::is_ok).collect::<Vec<_>>(),
            [true, false, true],
            "{expected}"
        );
        let refused = rows[1].as_ref().unwrap_err();
        assert_eq!(refused.to_string(), format!("line 2: {expected}"));
        let kept = if bad.len() > LINE_BYTES_MAX { 1_024 } else { bad.len() };
        assert_eq!(refused.raw, bad[..kept]);
    }
    let rows = read([CALL.as_bytes(), b"\n{\"a\xFFb\0\n", CALL.as_bytes()].concat());
    let refused = rows[1].as_ref().unwrap_err();
    assert_eq!(refused.to_string(), "line 2: the line is not UTF-8 from byte 3 on");
    assert_eq!(refused.raw, "{\"a\u{FFFD}b\u{FFFD}");
    assert!(rows[2].is_ok());
}

#[test]
fn a_line_may_have_the_longest_length_and_no_more() {
    let padding = LINE_BYTES_MAX - CALL.len();
    for mark in ["", "\u{FEFF}"] {
        for end in ["", "\n", "\r\n"] {
            assert!(one(&format!("{mark}{CALL}{}{end}", " ".repeat(padding))).is_ok());
        }
    }
    for excess in [1, 2, 3, 4, 5, 6, 7, 1_000_000] {
        let rows = read(format!("{CALL}{}\n{CALL}", " ".repeat(padding + excess)));
        assert_eq!(rows.iter().map(Result::is_ok).collect::<Vec<_>>(), [false, true], "{excess}");
    }
}

#[test]
fn blank_lines_and_a_byte_order_mark_do_not_count() {
    for empty in ["", "\n", "\r\n \n\t", "\u{FEFF}", "\u{FEFF}\n"] {
        assert_eq!(read(empty), []);
    }
    let rows = read(format!("\u{FEFF}\n{CALL}\n\n\nbad\n{CALL}\n\n"));
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[1].as_ref().unwrap_err().line, 5);
    assert!(one(&format!("\n\u{FEFF}{CALL}")).is_err(), "a mark in the middle is none");
}

#[test]
fn nothing_personal_is_shown() {
    let personal = json!("+12025550177 Ann");
    let lines = [
        with(CALL, "/call/duration_ms", personal.clone()),
        with(CALL, "/call/disposition", personal),
        with(CALL, "/call/+12025550177 Ann", Value::Null),
        with(PULSE, "/pulse/amount", json!("12025550177.12025550177")),
        with(PULSE, "/pulse/amount", json!(12_025_550_177_u64)),
        with(ONE_OFF, "/one_off/price/currency", json!("Ann")),
        with(PULSE, "/pulse/properties", json!({"+12025550177": 1})),
        CALL.replace("\"alice\"", "+12025550177"),
    ];
    for line in lines {
        let bad = one(&line).unwrap_err();
        let refusal = Refusal::from(bad.clone());
        let shown = format!("{bad} {bad:?} {} {} {refusal:?}", refusal.place, refusal.reason);
        assert!(!shown.contains("2025550") && !shown.contains("Ann"), "{shown}");
        assert_eq!(refusal.raw, line);
    }
}

#[test]
fn an_error_of_the_input_is_given_once() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("broken"))
        }
    }
    let good = format!("{CALL}\n");
    let input = good.as_bytes().chain("torn".as_bytes()).chain(Broken);
    let rows: Vec<_> = Reader::new(BufReader::new(input)).collect();
    assert_eq!(rows.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false]);
}
