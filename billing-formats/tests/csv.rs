//! Files of comma-separated values: what a mapping makes of them, what is refused, and where.
#![expect(
    clippy::default_numeric_fallback,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::panic_in_result_fn,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

use std::io::{self, BufReader, Read};

use billing_core::{
    decide::Refusal,
    item::{Call, Direction, Disposition, Incoming, Item, Pulse},
};
use billing_formats::{
    accounts::AccountMap,
    csv::{BadHeader, InvalidMapping, LINE_BYTES_MAX, Mapping, ReadError, Reader, Row},
};
use serde_json::{Value, json};

/// A mapping of calls whose columns all have names, with some of its fields replaced.
fn mapping(changes: Value, calls: Value) -> Mapping {
    let mut mapping = json!({
        "source": "pbx-1", "zone": "Europe/Berlin", "times": {"local": "%Y-%m-%d %H:%M:%S"},
        "records": {"calls": {
            "id": "id", "account": "account", "start": "start", "duration": {"seconds": "talk"},
            "caller": "from", "callee": "to",
        }},
    });
    merge(&mut mapping["records"]["calls"], calls);
    merge(&mut mapping, changes);
    serde_json::from_value(mapping).unwrap()
}

fn merge(object: &mut Value, changes: Value) {
    let Value::Object(changes) = changes else { panic!("an object") };
    for (name, value) in changes {
        object[name] = value;
    }
}

fn standard() -> Mapping {
    mapping(json!({}), json!({}))
}

fn read(mapping: &Mapping, file: impl AsRef<[u8]>) -> Vec<Row> {
    let accounts = AccountMap::default();
    let reader = Reader::try_new(file.as_ref(), mapping, &accounts).unwrap();
    reader.collect::<Result<_, _>>().unwrap()
}

const HEADER: &str = "id,account,start,talk,from,to";

/// The only row of a file with the standard header and one line.
fn one(mapping: &Mapping, line: &str) -> Row {
    let mut rows = read(mapping, format!("{HEADER}\n{line}\n"));
    assert_eq!(rows.len(), 1, "{line}");
    rows.pop().unwrap()
}

/// A record of the standard mapping with one of its columns replaced.
fn with(column: usize, text: &str) -> String {
    let mut columns = ["7", "alice", "2026-10-01 10:00:00", "61", "+12025550100", "+12025550123"];
    columns[column] = text;
    columns.join(",")
}

fn call_of(incoming: Incoming) -> Call {
    match incoming.item {
        Item::Call(call) => call,
        item => panic!("{}", item.kind()),
    }
}

fn pulse_of(incoming: Incoming) -> Pulse {
    match incoming.item {
        Item::Pulse(pulse) => pulse,
        item => panic!("{}", item.kind()),
    }
}

fn problem(row: Row) -> String {
    row.unwrap_err().to_string()
}

#[test]
fn a_call_is_read_whole() {
    let mapping = mapping(
        json!({"times": "rfc3339"}),
        json!({
            "leg": "leg", "partial": "part", "answer": "answer",
            "disposition": {"listed": {"column": "status", "values": {"ANSWER": "answered", "no answer": "no_answer"}}},
            "direction": {"listed": {"column": "dir", "values": {"in": "inbound"}, "otherwise": "internal"}},
        }),
    );
    let file = "\
        To,FROM, id ,leg,part,account,start,answer,talk,status,Dir,note\n\
        +12025550123,101,1,b,2,alice,2026-10-01T10:00:00+02:00,2026-10-01T10:00:05.5+02:00,61.25,Answer,IN,x\n\
        +12025550123,101,1,,,,2026-10-01T10:00:00+02:00,never,,No Answer,?,x\n";
    let rows = read(&mapping, file);
    let first = rows[0].clone().unwrap();
    assert_eq!(first.key.to_string(), "pbx-1/1/b#2");
    assert_eq!(first.account, Some("alice".parse().unwrap()));
    let call = call_of(first);
    assert_eq!(call.start.to_string(), "2026-10-01T08:00:05.5Z");
    assert_eq!(call.duration_ms, 61_250);
    assert_eq!((call.caller.as_str(), call.callee.as_str()), ("101", "+12025550123"));
    assert_eq!((call.disposition, call.direction), (Disposition::Answered, Direction::Inbound));
    let second = rows[1].clone().unwrap();
    assert_eq!((second.key.to_string(), second.account.clone()), ("pbx-1/1".to_owned(), None));
    let call = call_of(second);
    assert_eq!(call.start.to_string(), "2026-10-01T08:00:00Z");
    assert_eq!(call.duration_ms, 0);
    assert_eq!((call.disposition, call.direction), (Disposition::NoAnswer, Direction::Internal));
}

#[test]
fn a_pulse_is_read_whole() {
    let mapping: Mapping = serde_json::from_value(json!({
        "source": "meter", "zone": "UTC", "times": "epoch_s", "delimiter": "\t", "decimal": "comma", "quotes": "none",
        "records": {"pulses": {
            "id": 1, "account": {"constant": "alice"}, "at": 2, "product": {"constant": "storage"}, "unit": 3,
            "amount": 4, "properties": {"region": 5, "host": 6}, "leg": 7,
        }},
        "header": {"absent": {"columns": 7}},
    }))
    .unwrap();
    let rows = read(&mapping, "1\t1790841600,25\tGB\t-0,50\t\"eu\t\tb\n");
    let incoming = rows[0].clone().unwrap();
    assert_eq!(incoming.key.to_string(), "meter/1/b");
    assert_eq!(incoming.account, Some("alice".parse().unwrap()));
    let pulse = pulse_of(incoming);
    assert_eq!(pulse.at.to_string(), "2026-10-01T08:00:00.25Z");
    assert_eq!((pulse.product.as_str(), pulse.unit.as_str()), ("storage", "GB"));
    assert_eq!(pulse.amount.to_string(), "-0.5");
    assert_eq!(pulse.properties.iter().collect::<Vec<_>>(), [("region", "\"eu")]);
}

#[test]
fn an_amount_is_exact_or_refused() {
    let pulses = |decimal: &str| -> Mapping {
        serde_json::from_value(json!({
            "source": "meter", "zone": "UTC", "decimal": decimal, "delimiter": ";",
            "records": {"pulses": {
                "id": "id", "account": "account", "at": "at", "product": "product", "unit": "unit", "amount": "amount",
            }},
        }))
        .unwrap()
    };
    let amount = |decimal: &str, text: &str| {
        let line =
            format!("id;account;at;product;unit;amount\n1;a;2026-10-01T08:00:00Z;p;u;{text}\n");
        let row = read(&pulses(decimal), line).pop().unwrap();
        row.map(|incoming| pulse_of(incoming).amount.to_string()).map_err(|bad| bad.to_string())
    };
    let cases = [
        ("point", "1.50", Some("1.5")),
        ("comma", "1,50", Some("1.5")),
        ("comma", "1", Some("1")),
        ("point", "-3", Some("-3")),
        ("point", "0.0000000001", Some("0.0000000001")),
        ("point", "999999999999999999.9999999999", Some("999999999999999999.9999999999")),
        ("point", "1,50", None),
        ("comma", "1.50", None),
        ("comma", "1.000,50", None),
        ("comma", "1,000,50", None),
        ("point", "1e3", None),
        ("point", "+1", None),
        ("point", "", None),
        ("point", "NaN", None),
        ("point", "0.00000000001", None),
        ("point", "1000000000000000000", None),
    ];
    for (decimal, text, expected) in cases {
        let mark = if decimal == "comma" { ',' } else { '.' };
        let refused = format!(
            "line 2, column `amount`: the amount cannot be read; accepted is a number such as 1{mark}5, \
             below 10^18 and with up to 10 decimals"
        );
        assert_eq!(
            amount(decimal, text),
            expected.map(str::to_owned).ok_or(refused),
            "{decimal} {text}"
        );
    }
}

#[test]
fn durations_are_read_in_every_unit_and_cut_to_milliseconds() {
    let ms = |duration: Value, decimal: &str, text: &str| {
        let mapping =
            mapping(json!({"decimal": decimal, "delimiter": ";"}), json!({"duration": duration}));
        let file = format!("{}\n{}\n", HEADER.replace(',', ";"), with(3, text).replace(',', ";"));
        let row = read(&mapping, file.replace('_', ",")).pop().unwrap();
        row.ok().map(|incoming| call_of(incoming).duration_ms)
    };
    let cases = [
        ("seconds", "point", "61", Some(61_000)),
        ("seconds", "point", "0", Some(0)),
        ("seconds", "point", "61.2509", Some(61_250)),
        ("seconds", "comma", "61_25", Some(61_250)),
        ("seconds", "comma", "61.25", None),
        ("seconds", "point", "61_25", None),
        ("seconds", "point", " 61 ", Some(61_000)),
        ("seconds", "point", "0061", Some(61_000)),
        ("seconds", "point", "18446744073709551", Some(18_446_744_073_709_551_000)),
        ("seconds", "point", "18446744073709552", None),
        ("milliseconds", "point", "18446744073709551615", None),
        ("milliseconds", "point", "9999999999999999999", Some(9_999_999_999_999_999_999)),
        ("milliseconds", "point", "61000", Some(61_000)),
        ("milliseconds", "point", "0.9", Some(0)),
        ("minutes", "point", "1.05", Some(63_000)),
        ("minutes", "comma", "1_5", Some(90_000)),
        ("minutes", "point", "0.0000166666", Some(0)),
        ("minutes", "point", "0.0000166667", Some(1)),
        ("clock", "point", "1:02:03", Some(3_723_000)),
        ("clock", "point", "00:01:01", Some(61_000)),
        ("clock", "point", "100:00:00.5", Some(360_000_500)),
        ("clock", "comma", "0:00:01_25", Some(1_250)),
        ("clock", "point", "1:60:00", None),
        ("clock", "point", "1:00:60", None),
        ("clock", "point", "1:2:3", None),
        ("clock", "point", "01:01", None),
        ("clock", "point", "1:02:03:04", None),
        ("clock", "point", "99999999999999999999:00:00", None),
        ("clock", "point", "9999999999999999999:00:00", None),
        ("seconds", "point", "", None),
        ("seconds", "point", "-1", None),
        ("seconds", "point", "+1", None),
        ("seconds", "point", "1e9", None),
        ("seconds", "point", "1.", None),
        ("seconds", "point", ".5", None),
        ("seconds", "point", "61s", None),
        ("seconds", "point", "6 1", None),
        ("seconds", "point", "٦١", None),
        ("seconds", "point", "inf", None),
    ];
    for (unit, decimal, text, expected) in cases {
        assert_eq!(ms(json!({ unit: "talk" }), decimal, text), expected, "{unit} {decimal} {text}");
    }
}

#[test]
fn times_are_read_as_the_mapping_says() {
    let start = |times: Value, text: &str| {
        let mapping = mapping(
            json!({"times": times, "zone": "America/New_York", "delimiter": ";"}),
            json!({}),
        );
        let line = format!("7;alice;{text};61;;");
        let row = read(&mapping, format!("{}\n{line}\n", HEADER.replace(',', ";"))).pop().unwrap();
        row.map(|incoming| call_of(incoming).start.to_string()).ok()
    };
    let eight = Some("2026-10-01T12:00:00Z".to_owned());
    let cases = [
        (json!("rfc3339"), "2026-10-01T12:00:00Z", &eight),
        (json!("rfc3339"), "2026-10-01t08:00:00-04:00", &eight),
        (json!("rfc3339"), "2026-10-01 12:00:00Z", &None),
        (json!("rfc3339"), "2026-10-01T12:00:00", &None),
        (json!("epoch_s"), "1790856000", &eight),
        (json!("epoch_s"), "1790856000.000000", &eight),
        (json!("epoch_s"), "1.790856E9", &None),
        (json!("epoch_s"), "-1", &None),
        (json!("epoch_s"), "1790856000000000000", &None),
        (json!("epoch_ms"), "1790856000000", &eight),
        (json!("epoch_ms"), "", &None),
        (json!({"local": "%Y-%m-%d %H:%M:%S"}), "2026-10-01 08:00:00", &eight),
        (json!({"local": "%Y-%m-%d %H:%M:%S"}), "2026-10-01 08:00:60", &None),
        (json!({"local": "%Y-%m-%d %H:%M:%S"}), "2026-10-01 24:00:00", &None),
        (json!({"local": "%Y-%m-%d %H:%M:%S"}), "2026-02-30 08:00:00", &None),
        (json!({"local": "%Y-%m-%d %H:%M:%S"}), "2026-10-1 08:00:00", &None),
        (json!({"local": "%Y-%m-%d %H:%M:%S"}), "2026-10-01 08:00:00Z", &None),
        (json!({"local": "%Y-%m-%d %H:%M:%S"}), "2026-10-01 08:00", &None),
        (json!({"local": "%Y-%m-%d %H:%M:%S"}), "+026-10-01 08:00:00", &None),
        (json!({"local": "%Y-%m-%d %H:%M:%S"}), "", &None),
        (json!({"local": "%d.%m.%Y %H:%M"}), "01.10.2026 08:00", &eight),
        (json!({"local": "%d.%m.%y %H:%M"}), "01.10.26 08:00", &eight),
        (json!({"local": "%Y%m%d%H%M%S"}), "20261001080000", &eight),
        (json!({"local": "%-m/%-d/%Y %-I:%M %p"}), "10/1/2026 8:00 am", &eight),
        (
            json!({"local": "%-m/%-d/%Y %-I:%M %p"}),
            "10/1/2026 8:00 PM",
            &Some("2026-10-02T00:00:00Z".into()),
        ),
        (
            json!({"local": "%-m/%-d/%Y %I:%M %p"}),
            "10/1/2026 12:00 AM",
            &Some("2026-10-01T04:00:00Z".into()),
        ),
        (
            json!({"local": "%-m/%-d/%Y %I:%M %p"}),
            "10/1/2026 12:00 PM",
            &Some("2026-10-01T16:00:00Z".into()),
        ),
        (json!({"local": "%-m/%-d/%Y %I:%M %p"}), "10/1/2026 00:00 AM", &None),
        (json!({"local": "%-m/%-d/%Y %I:%M %p"}), "10/1/2026 13:00 PM", &None),
        (json!({"local": "%d-%b-%Y %H:%M:%S%.f"}), "01-OCT-2026 08:00:00", &eight),
        (
            json!({"local": "%d-%b-%Y %H:%M:%S%.f"}),
            "01-Oct-2026 08:00:00.1234567",
            &Some("2026-10-01T12:00:00.123456Z".into()),
        ),
        (
            json!({"local": "%d-%b-%Y %H:%M:%S%.f"}),
            "01-Oct-2026 08:00:00,5",
            &Some("2026-10-01T12:00:00.5Z".into()),
        ),
        (json!({"local": "%d-%b-%Y %H:%M:%S%.f"}), "01-Oct-2026 08:00:00.", &None),
        (json!({"local": "%d-%b-%Y %H:%M:%S%.f"}), "01-Okt-2026 08:00:00", &None),
        (json!({"local": "%Y年%m月%d日 %H:%M"}), "2026年10月01日 08:00", &eight),
        (json!({"local": "%Y-%m-%d %H:%M"}), "0000-01-01 08:00", &None),
        (json!({"local": "%Y-%m-%d %H:%M"}), "0001-01-01 08:00", &None),
    ];
    for (times, text, expected) in cases {
        assert_eq!(start(times.clone(), text), *expected, "{times} {text}");
    }
}

#[test]
fn a_date_and_a_time_of_day_may_stand_apart() {
    let mapping = mapping(
        json!({}),
        json!({"start": {"date": "day", "time": "clock"}, "duration": {"until": {"date": "day", "time": 5}}}),
    );
    let file = "id,account,from,to,until,day,clock\n\
                1,a,,,10:01:01,2026-10-01,10:00:00\n\
                2,a,,,10:01:01,2026-10-01,\n";
    let rows = read(&mapping, file);
    let call = call_of(rows[0].clone().unwrap());
    assert_eq!(
        (call.start.to_string().as_str(), call.duration_ms),
        ("2026-10-01T08:00:00Z", 61_000)
    );
    assert_eq!(
        problem(rows[1].clone()),
        "line 3, column `day`: the time cannot be read; accepted is a local time written as %Y-%m-%d %H:%M:%S"
    );
}

#[test]
fn a_time_that_comes_twice_is_what_the_mapping_says() {
    let ambiguous = "line 2, column `start`: the time is ambiguous: Europe/Berlin had it twice, and the mapping does not \
                     say which is meant";
    let skipped = "line 2, column `start`: the time does not exist in Europe/Berlin, where clocks were set forward over it";
    let cases = [
        ("earlier", "2026-10-25 02:30:00", Ok("2026-10-25T00:30:00Z")),
        ("later", "2026-10-25 02:30:00", Ok("2026-10-25T01:30:00Z")),
        ("refuse", "2026-10-25 02:30:00", Err(ambiguous)),
        ("refuse", "2026-10-25 03:00:00", Ok("2026-10-25T02:00:00Z")),
        ("earlier", "2026-03-29 02:30:00", Err(skipped)),
        ("later", "2026-03-29 02:30:00", Err(skipped)),
        ("refuse", "2026-03-29 02:30:00", Err(skipped)),
    ];
    for (policy, text, expected) in cases {
        let row = one(&mapping(json!({"repeated": policy}), json!({})), &with(2, text));
        let found = row.map(|incoming| call_of(incoming).start.to_string());
        let found = found.map_err(|bad| bad.to_string());
        assert_eq!(found, expected.map(str::to_owned).map_err(str::to_owned), "{policy} {text}");
    }
    assert_eq!(problem(one(&standard(), &with(2, "2026-10-25 02:30:00"))), ambiguous);
}

#[test]
fn charging_runs_from_the_answer_until_the_end() {
    let mapping = mapping(
        json!({}),
        json!({
            "answer": "answer", "duration": {"until": "end"},
            "disposition": {"listed": {"column": "status", "values": {"yes": "answered", "no": "busy", "": "failed"}}},
        }),
    );
    let cases = [
        ("10:00:00", "2026-10-01 10:00:05", "10:01:06", "yes", Ok(("08:00:05", 61_000))),
        ("10:00:00", "2026-10-01 10:00:00", "10:00:00", "yes", Ok(("08:00:00", 0))),
        ("10:00:00", "0000-00-00 00:00:00", "10:01:06", "no", Ok(("08:00:00", 0))),
        ("10:00:00", "", "10:01:06", "", Ok(("08:00:00", 0))),
        (
            "10:00:00",
            "",
            "10:01:06",
            "yes",
            Err(("answer", "the call was answered, but has no answer time")),
        ),
        (
            "10:00:00",
            "2026-10-01 09:59:59",
            "10:01:06",
            "yes",
            Err(("answer", "the call was answered before it started")),
        ),
        (
            "10:00:00",
            "2026-10-01 10:01:07",
            "10:01:06",
            "yes",
            Err(("end", "the call ends before it was answered or started")),
        ),
        (
            "10:00:00",
            "2026-10-01 10:00:00",
            "10:01:06",
            "maybe",
            Err(("status", "the word is none of the 3 that the mapping lists")),
        ),
    ];
    for (start, answer, end, status, expected) in cases {
        let file = format!(
            "id,account,from,to,start,answer,end,status\n1,a,,,2026-10-01 {start},{answer},2026-10-01 {end},{status}\n"
        );
        let found = read(&mapping, file).pop().unwrap().map(|incoming| {
            let call = call_of(incoming);
            (call.start.to_string(), call.duration_ms)
        });
        let expected = expected.map(|(start, ms)| (format!("2026-10-01T{start}Z"), ms));
        let expected =
            expected.map_err(|(column, reason)| format!("line 2, column `{column}`: {reason}"));
        assert_eq!(found.map_err(|bad| bad.to_string()), expected, "{answer} {status}");
    }
}

#[test]
fn a_call_that_was_not_answered_was_not_talked() {
    let mapping = mapping(json!({}), json!({"disposition": {"constant": "no_answer"}}));
    for (talk, expected) in [
        ("0", Ok(0)),
        ("", Ok(0)),
        ("0.00", Ok(0)),
        ("9", Err("9000 ms were talked, but the call was not answered")),
        ("x", Err("the duration cannot be read; accepted is a number of seconds")),
    ] {
        let found = one(&mapping, &with(3, talk)).map(|incoming| call_of(incoming).duration_ms);
        let expected = expected.map_err(|reason| format!("line 2, column `talk`: {reason}"));
        assert_eq!(found.map_err(|bad| bad.to_string()), expected, "{talk}");
    }
}

#[test]
fn every_fault_has_its_reason_and_its_column() {
    let long = "9".repeat(256);
    let accepted = "accepted are 1 to 255 bytes without control characters";
    let mapping = mapping(json!({}), json!({"leg": "from", "partial": "to"}));
    let cases = [
        (0, "", "id", format!("item id is 0 bytes long; {accepted}")),
        (0, &long, "id", format!("item id is 256 bytes long; {accepted}")),
        (0, "\"1\n2\"", "id", format!("item id has a control character at byte 1; {accepted}")),
        (1, &long, "account", format!("account id is 256 bytes long; {accepted}")),
        (
            2,
            "10:00",
            "start",
            "the time cannot be read; accepted is a local time written as %Y-%m-%d %H:%M:%S"
                .to_owned(),
        ),
        (
            3,
            "61s",
            "talk",
            "the duration cannot be read; accepted is a number of seconds".to_owned(),
        ),
        (4, &long, "from", format!("leg id is 256 bytes long; {accepted}")),
        (
            5,
            "+1",
            "to",
            "the number of a partial record cannot be read; accepted are digits, up to 4294967295"
                .to_owned(),
        ),
        (
            5,
            "4294967296",
            "to",
            "the number of a partial record cannot be read; accepted are digits, up to 4294967295"
                .to_owned(),
        ),
    ];
    for (column, text, name, reason) in cases {
        let line = with(column, text).replace("+12025550123", "0");
        let bad = one(&mapping, &line).unwrap_err();
        assert_eq!(bad.to_string(), format!("line 2, column `{name}`: {reason}"));
        assert_eq!(bad.raw, line);
    }
    let cases = [
        (
            4,
            &*long,
            "line 2, column `from`: a party of 256 bytes is too long: at most 255 are accepted",
        ),
        (
            5,
            "1\u{7}",
            "line 2, column `to`: a party has a control character at byte 1: none are accepted",
        ),
    ];
    for (column, text, expected) in cases {
        assert_eq!(problem(one(&standard(), &with(column, text))), expected);
    }
}

#[test]
fn a_line_that_is_no_record_costs_itself_alone() {
    let good = with(0, "7");
    let long = with(0, &"7".repeat(LINE_BYTES_MAX));
    let cases = [
        ("7,alice", "the record has 2 columns; accepted are 6"),
        ("Total: 3 calls", "the record has 1 columns; accepted are 6"),
        (&format!("{good},x"), "the record has 7 columns; accepted are 6"),
        (
            ",,,,,",
            "column `id`: item id is 0 bytes long; accepted are 1 to 255 bytes without control characters",
        ),
        (
            &with(0, "\"7"),
            "a quoted column of the line does not end, neither on it nor within 65536 bytes on those after it",
        ),
        (
            &with(5, "\"+1202555"),
            "a quoted column of the line does not end, neither on it nor within 65536 bytes on those after it",
        ),
        (
            &with(0, "\"7\"8"),
            "a quotation mark stands inside a column; accepted are marks around a whole column, and doubled ones inside",
        ),
        (
            &with(0, "7\"8"),
            "a quotation mark stands inside a column; accepted are marks around a whole column, and doubled ones inside",
        ),
        (&long, "the line is longer than 65536 bytes"),
    ];
    for (bad, reason) in cases {
        for good in [good.clone(), with(0, "\"7\""), format!("\"{}\"", good.replace(',', "\",\""))]
        {
            let rows = read(&standard(), format!("{HEADER}\n{good}\n{bad}\n{good}\n\"a\n{good}"));
            let oks: Vec<_> = rows.iter().map(Result::is_ok).collect();
            assert_eq!(oks, [true, false, true, false, true], "{reason}");
            let refused = rows[1].as_ref().unwrap_err();
            let separator = if refused.column.is_some() { "," } else { ":" };
            assert_eq!(refused.to_string(), format!("line 3{separator} {reason}"));
            let kept = if bad.len() > LINE_BYTES_MAX { 1_024 } else { bad.len() };
            assert_eq!(refused.raw, bad[..kept]);
            assert_eq!(rows[3].as_ref().unwrap_err().line, 5);
        }
    }
}

#[test]
fn a_quoted_column_may_hold_anything() {
    let mapping = mapping(
        json!({"header": {"absent": {"columns": 7}}}),
        json!({
            "id": 1, "account": 2, "start": 3, "duration": {"seconds": 4}, "caller": 5, "callee": 6,
        }),
    );
    let record = |caller: &str, note: &str| format!("7,a,2026-10-01 10:00:00,61,{caller},,{note}");
    let cases = [
        ("\"Ann \"\"A\"\" <1>, desk\"", "", "Ann \"A\" <1>, desk", 1),
        ("\"\"", "\"\"", "", 1),
        ("", "\"a\nb\r\n\r\n\"\"c\"\", d\"", "", 4),
        ("\"x\"", "\"\n\"", "x", 2),
        ("\" x \"", "\"7,a,2026-10-01 10:00:00,61,,,\n7,a,2026-10-01 10:00:00,61,,,\"", "x", 2),
    ];
    for (caller, note, expected, lines) in cases {
        let file = format!("{}\n{}\n", record(caller, note), record("y", ""));
        let accounts = AccountMap::default();
        let mut reader = Reader::try_new(file.as_bytes(), &mapping, &accounts).unwrap();
        let first = reader.next().unwrap().unwrap().unwrap();
        assert_eq!(call_of(first).caller.as_str(), expected);
        assert_eq!(reader.line(), lines);
        let second = reader.next().unwrap().unwrap().unwrap();
        assert_eq!(call_of(second).caller.as_str(), "y");
        assert!(reader.next().is_none());
    }
}

#[test]
fn a_forged_line_inside_a_quoted_column_is_no_record() {
    let forged = with(0, "8");
    let rows = read(
        &standard(),
        format!("{HEADER}\n{}\n{}\n", with(5, &format!("\"x\n{forged}\n\"")), with(0, "9")),
    );
    assert_eq!(rows.len(), 2);
    let bad = rows[0].as_ref().unwrap_err();
    assert_eq!(
        bad.to_string(),
        "line 2, column `to`: a party has a control character at byte 1: none are accepted"
    );
    assert!(bad.raw.contains(&forged));
    assert_eq!(rows[1].as_ref().unwrap().key.to_string(), "pbx-1/9");
}

#[test]
fn a_record_may_have_the_longest_length_and_no_more() {
    let mapping = mapping(
        json!({"header": {"absent": {}}}),
        json!({
            "id": 1, "account": 2, "start": 3, "duration": {"seconds": 4}, "caller": 5, "callee": 6,
        }),
    );
    let good = with(0, "7");
    let padding = LINE_BYTES_MAX - good.len() - 1;
    for end in ["", "\n", "\r\n"] {
        let rows = read(&mapping, format!("\u{FEFF}{good},{}{end}", "x".repeat(padding)));
        assert!(rows.len() == 1 && rows[0].is_ok());
    }
    let rows = read(&mapping, format!("{good},{}\n{good}", "x".repeat(padding + 1)));
    assert_eq!(problem(rows[0].clone()), "line 1: the line is longer than 65536 bytes");
    assert_eq!(rows[0].as_ref().unwrap_err().raw.len(), 1_024);
    assert!(rows[1].is_ok());
    // Over several lines.
    for (excess, count) in [(0, 1), (1, 2)] {
        let half = "x".repeat(padding.div_euclid(2));
        let rest = "x".repeat(padding - half.len() - "\"\n\"".len() + excess);
        let rows = read(&mapping, format!("{good},\"{half}\n{rest}\"\n{good}"));
        assert_eq!(rows.len(), count + 1, "{excess}");
        assert_eq!(rows[0].is_ok(), excess == 0);
        assert!(rows[count].is_ok());
    }
}

#[test]
fn blank_lines_line_ends_and_a_byte_order_mark_do_not_count() {
    let good = with(0, "7");
    for end in ["\n", "\r\n"] {
        for file in [
            format!("\u{FEFF}{HEADER}{end}{good}{end}{good}{end}"),
            format!("{HEADER}{end}{good}{end}{good}"),
            format!("{end}\u{20}{end}{HEADER}{end}{end}{end}{good}{end}\t \t{end}{good}{end}{end}"),
        ] {
            let rows = read(&standard(), &file);
            assert_eq!(rows.len(), 2, "{file:?}");
            assert!(rows.iter().all(Result::is_ok), "{file:?}");
        }
    }
    for empty in ["", "\n", "\u{FEFF}", "\u{FEFF}\n", HEADER, &format!("{HEADER}\n\n")] {
        assert_eq!(read(&standard(), empty), []);
    }
    let rows = read(&standard(), format!("\n{HEADER}\n\nbad\n"));
    assert_eq!(rows[0].as_ref().unwrap_err().line, 4);
}

#[test]
fn lines_before_the_header_are_passed_over() {
    let mapping = mapping(json!({"preamble_lines": 3}), json!({}));
    let rows =
        read(&mapping, format!("Report of \"October\n\n1,2,3\n{HEADER}\n{}\n", with(0, "7")));
    assert!(rows.len() == 1 && rows[0].is_ok());
    assert_eq!(read(&mapping, "one\ntwo"), []);
}

#[test]
fn a_header_that_is_not_the_mappings_ends_the_file() {
    let cases = [
        (
            "id,account,start,seconds,from,to",
            "the header has no column `talk`; accepted is one with every column that the mapping names",
        ),
        (
            "id,account,start,talk,Talk ,from,to",
            "the header has column `talk` more than once; accepted is once, or a place instead of the name",
        ),
        (
            "7,+12025550100",
            "the header has no column `id`; accepted is one with every column that the mapping names",
        ),
        (
            "id,\"account",
            "the header cannot be read: a quoted column of the line does not end, neither on it nor within 65536 bytes on those after it",
        ),
        (
            "id,a\"b",
            "the header cannot be read: a quotation mark stands inside a column; accepted are marks around a whole column, and doubled ones inside",
        ),
    ];
    for (header, expected) in cases {
        let (mapping, accounts) = (standard(), AccountMap::default());
        let file = format!("{header}\n{}\n", with(0, "7"));
        let mut reader = Reader::try_new(file.as_bytes(), &mapping, &accounts).unwrap();
        let Some(Err(ReadError::Header(bad))) = reader.next() else { panic!("{header}") };
        assert_eq!(bad.to_string(), expected);
        assert!(reader.next().is_none());
    }
    let mapping = mapping(json!({}), json!({"caller": 9}));
    let accounts = AccountMap::default();
    let mut reader = Reader::try_new(HEADER.as_bytes(), &mapping, &accounts).unwrap();
    let Some(Err(ReadError::Header(bad))) = reader.next() else { panic!("a header was accepted") };
    assert_eq!(bad, BadHeader::Narrow { position: 9.try_into().unwrap(), found: 6 });
}

#[test]
fn without_a_header_columns_are_told_by_their_places() {
    let calls = json!({"id": 2, "account": {"constant": "a"}, "start": 1, "duration": {"seconds": 4}, "caller": {"constant": "101"}, "callee": {"constant": ""}});
    let open = mapping(json!({"header": {"absent": {}}}), calls.clone());
    let exact = mapping(json!({"header": {"absent": {"columns": 5}}}), calls);
    let line = "2026-10-01 10:00:00,7,x,61";
    let cases = [
        (line.to_owned(), true, false),
        (format!("{line},x"), true, true),
        (format!("{line},x,"), true, false),
    ];
    for (line, is_open, is_exact) in cases {
        assert_eq!(read(&open, &line)[0].is_ok(), is_open, "{line}");
        assert_eq!(read(&exact, &line)[0].is_ok(), is_exact, "{line}");
    }
    assert_eq!(
        problem(read(&open, "7,x").remove(0)),
        "line 1: the record has 2 columns; accepted are 4 and more"
    );
}

#[test]
fn columns_that_are_not_read_may_hold_any_bytes() {
    let mut file = format!("{HEADER},note\n").into_bytes();
    file.extend(with(0, "7").bytes());
    file.extend(b",M\xFCller\0\n");
    file.extend(with(4, "M").bytes().map(|byte| if byte == b'M' { 0xFC } else { byte }));
    file.extend(b",\0\n");
    let rows = read(&standard(), file);
    assert!(rows[0].is_ok());
    let bad = rows[1].as_ref().unwrap_err();
    assert_eq!(bad.to_string(), "line 3, column `from`: the column is not UTF-8 from byte 0 on");
    assert_eq!(bad.raw, with(4, "\u{FFFD}") + ",\u{FFFD}");
}

#[test]
fn the_account_map_is_asked_about_what_the_mapping_names() {
    let accounts: AccountMap = serde_json::from_value(json!([
        {"match": {"account_code": "sales"}, "account": "code"},
        {"match": {"trunk": "SIP/carrier-a"}, "account": "trunk"},
        {"match": {"caller": "+49301234567"}, "account": "alice", "until": "2026-10-01"},
        {"match": {"caller": "+49301234567"}, "account": "bob", "from": "2026-10-01"},
    ]))
    .unwrap();
    let plan = json!({"country": "49", "international_prefixes": ["00"], "national_prefix": "0"});
    let account = |origin: Value, line: &str| {
        let mapping = mapping(
            json!({"dial_plan": plan}),
            json!({
                "account": {"map": origin},
                "direction": {"listed": {"column": "dir", "values": {"in": "inbound", "out": "outbound"}}},
            }),
        );
        let file = format!("id,start,talk,from,to,dir,code,channel\n1,2026-{line}\n");
        let mut reader = Reader::try_new(file.as_bytes(), &mapping, &accounts).unwrap();
        let incoming = reader.next().unwrap().unwrap().unwrap();
        incoming.account.map(|account| account.as_str().to_owned())
    };
    let both = json!({"account_code": "code", "channel": "channel"});
    let cases = [
        (json!({}), "10-01 00:00:00,61,030 1234567,110,out,sales,", Some("bob")),
        (json!({}), "09-30 23:59:59,61,030 1234567,110,out,sales,", Some("alice")),
        (json!({}), "10-01 00:00:00,61,110,030 1234567,in,,", None),
        (json!({"party": "callee"}), "10-01 00:00:00,61,110,+49 30 1234567,out,,", Some("bob")),
        (json!({"party": "ours"}), "10-01 00:00:00,61,110,0049301234567,in,,", Some("bob")),
        (json!({"party": "ours"}), "10-01 00:00:00,61,110,0049301234567,out,,", None),
        (json!({"party": "ours"}), "10-01 00:00:00,61,0301234567,110,out,,", Some("bob")),
        (
            both.clone(),
            "10-01 00:00:00,61,0301234567,110,out,sales,SIP/carrier-a-0000001f",
            Some("code"),
        ),
        (
            both.clone(),
            "10-01 00:00:00,61,0301234567,110,out,,SIP/carrier-a-0000001f",
            Some("trunk"),
        ),
        (both, "10-01 00:00:00,61,0301234567,110,out,,", Some("bob")),
    ];
    for (origin, line, expected) in cases {
        assert_eq!(account(origin, line).as_deref(), expected, "{line}");
    }
}

#[test]
fn the_account_map_is_asked_about_a_pulse_too() {
    let accounts: AccountMap =
        serde_json::from_value(json!([{"match": {"caller": "+49301234567"}, "account": "alice"}]))
            .unwrap();
    let mapping: Mapping = serde_json::from_value(json!({
        "source": "smsc", "zone": "UTC",
        "dial_plan": {"country": "49", "international_prefixes": [], "national_prefix": "0"},
        "records": {"pulses": {
            "id": "id", "account": {"map": {"party": "sender"}}, "at": "at", "product": {"constant": "sms"},
            "unit": {"constant": "message"}, "amount": {"constant": "1"},
        }},
    }))
    .unwrap();
    let file = "id,at,sender\n1,2026-10-01T08:00:00Z,030/1234567\n2,2026-10-01T08:00:00Z,\n";
    let reader = Reader::try_new(file.as_bytes(), &mapping, &accounts).unwrap();
    let accounts: Vec<_> = reader.map(|row| row.unwrap().unwrap().account).collect();
    assert_eq!(accounts, [Some("alice".parse().unwrap()), None]);
}

#[test]
fn numbers_are_normalised_and_words_are_kept() {
    let mapping = mapping(
        json!({"dial_plan": {"country": "39", "international_prefixes": ["00"], "short_codes": ["112"]}}),
        json!({}),
    );
    for (dialled, becomes) in
        [("06 1234567", "+39061234567"), ("112", "112"), ("anonymous", "anonymous"), ("", "")]
    {
        let call = call_of(one(&mapping, &with(5, dialled)).unwrap());
        assert_eq!(call.callee.as_str(), becomes);
    }
}

#[test]
fn records_without_an_id_are_known_by_their_content() {
    let mapping = mapping(json!({}), json!({"id": {"digest": ["start", "from", "to"]}}));
    let id = |line: &str| one(&mapping, line).unwrap().key.id;
    let known = id(&with(0, "7"));
    assert_eq!(known.as_str().len(), 64);
    assert_eq!(id(&with(0, "8")), known, "a column that is not in the digest");
    assert_eq!(id(&with(4, " +12025550100\t")), known, "spaces do not count");
    assert_ne!(id(&with(4, "+12025550101")), known);
    assert_ne!(id(&with(4, "")), id(&with(4, "x")));
}

#[test]
fn a_mapping_that_contradicts_itself_is_refused() {
    let name = |name: &str| InvalidMapping::NameWithoutHeader { name: name.to_owned() };
    let cases = [
        (json!({"header": {"absent": {}}}), json!({}), name("id")),
        (
            json!({"header": {"absent": {"columns": 3}}}),
            json!({"id": 1, "account": 2, "start": 3, "duration": {"seconds": 4}, "caller": 5, "callee": 6}),
            InvalidMapping::PositionBeyond {
                position: 4.try_into().unwrap(),
                columns: 3.try_into().unwrap(),
            },
        ),
        (
            json!({"times": "rfc3339"}),
            json!({"start": {"date": "day", "time": "clock"}}),
            InvalidMapping::PartedWithoutPattern,
        ),
        (json!({}), json!({"id": {"digest": []}}), InvalidMapping::DigestOfNothing),
        (
            json!({}),
            json!({"direction": {"listed": {"column": "dir", "values": {}}}}),
            InvalidMapping::NoValues { field: "direction" },
        ),
        (
            json!({}),
            json!({"disposition": {"listed": {"column": "status", "values": {"Ok": "answered", "busy": "busy", "ok": "failed"}}}}),
            InvalidMapping::ValueTwice { field: "disposition", first: 1, second: 3 },
        ),
    ];
    for (changes, calls, expected) in cases {
        let mapping = mapping(changes, calls);
        assert_eq!(mapping.check(), Err(expected.clone()));
        let accounts = AccountMap::default();
        let reader = Reader::try_new(io::empty(), &mapping, &accounts);
        assert_eq!(reader.err(), Some(expected.clone()));
        assert!(expected.to_string().contains("accepted"), "{expected}");
    }
    let pulses = |change: Value| -> InvalidMapping {
        let mut pulses = json!({
            "id": "id", "account": "account", "at": "at", "product": {"constant": "sms"}, "unit": {"constant": "message"},
            "amount": {"constant": "1"},
        });
        merge(&mut pulses, change);
        let mapping: Mapping = serde_json::from_value(
            json!({"source": "x", "zone": "UTC", "records": {"pulses": pulses}}),
        )
        .unwrap();
        mapping.check().unwrap_err()
    };
    assert_eq!(pulses(json!({"account": {"map": {}}})), InvalidMapping::OriginOfNothing);
    assert_eq!(
        pulses(json!({"properties": {"": "x"}})).to_string(),
        "`properties` cannot have these names: the name of property 1 has 0 bytes or a control character: accepted are 1 to 64 bytes without"
    );
}

#[test]
fn a_mapping_is_read_and_written_as_json() {
    let calls = json!({"records": {"calls": {"id": 1, "start": 2, "duration": {"seconds": 3}}}});
    let cases = [
        (json!({"delimiter": "::"}), "the delimiter has 2 bytes"),
        (json!({"delimiter": "\""}), "the delimiter has 1 bytes"),
        (json!({"delimiter": "x"}), "the delimiter has 1 bytes"),
        (json!({"delimiter": "\r"}), "the delimiter has 1 bytes"),
        (json!({"times": {"local": "%Y-%m-%d"}}), "the pattern lacks the hour"),
        (json!({"times": {"local": "%Y-%m-%d %H:%M %Y"}}), "the pattern has the year twice"),
        (json!({"times": {"local": "%Y-%m-%d %I:%M"}}), "the pattern lacks the half of the day"),
        (
            json!({"times": {"local": "%Y-%m-%d %H:%M %p"}}),
            "the pattern lacks the hour of the half day",
        ),
        (json!({"times": {"local": "%Y-%m-%d %H:%M%.f"}}), "the pattern lacks the second"),
        (
            json!({"times": {"local": "%Y-%m-%d %H:%M %Z"}}),
            "the pattern has an unknown sign at byte 15",
        ),
        (json!({"times": {"local": "%"}}), "the pattern has an unknown sign at byte 0"),
        (json!({"times": "iso"}), "unknown variant `iso`"),
        (json!({"decimals": "comma"}), "unknown field `decimals`"),
        (json!({"header": {"absent": {"width": 3}}}), "unknown field `width`"),
        (
            json!({"records": {"calls": {"id": 0, "start": 2, "duration": {"seconds": 3}}}}),
            "invalid value: integer `0`, expected a column",
        ),
        (
            json!({"records": {"calls": {"id": 65_536, "start": 2, "duration": {"seconds": 3}}}}),
            "invalid value: integer `65536`, expected a column",
        ),
        (
            json!({"records": {"calls": {"id": " ", "start": 2, "duration": {"seconds": 3}}}}),
            "invalid value: string \" \", expected a column",
        ),
        (
            json!({"records": {"calls": {"id": [1], "start": 2, "duration": {"seconds": 3}}}}),
            "invalid type: sequence, expected a column",
        ),
        (json!({"records": {"calls": {"id": 1, "start": 2}}}), "missing field `duration`"),
        (
            json!({"records": {"calls": {"id": 1, "start": 2, "duration": {"seconds": 3}, "product": 4}}}),
            "unknown field `product`",
        ),
        (
            json!({"records": {"calls": {"id": 1, "start": 2, "duration": {"hours": 3}}}}),
            "unknown variant `hours`",
        ),
        (
            json!({"records": {"calls": {"id": 1, "start": 2, "duration": {"seconds": 3}, "caller": {"const": "1"}}}}),
            "unknown field `const`",
        ),
        (
            json!({"records": {"calls": {"id": 1, "start": 2, "duration": {"seconds": 3}, "account": {"const": "1"}}}}),
            "unknown variant `const`",
        ),
    ];
    for (change, expected) in cases {
        let mut mapping = json!({"source": "x", "zone": "UTC"});
        merge(&mut mapping, calls.clone());
        merge(&mut mapping, change);
        let error = serde_json::from_value::<Mapping>(mapping).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
    let full = mapping(
        json!({"delimiter": "\t", "quotes": "none", "preamble_lines": 2, "decimal": "comma", "repeated": "later",
               "dial_plan": {"country": "49", "international_prefixes": ["00"]}}),
        json!({"leg": 4, "partial": "part", "answer": {"date": "day", "time": "clock"}, "account": {"map": {"party": "ours", "channel": "x"}},
               "direction": {"listed": {"column": "dir", "values": {"in": "inbound"}, "otherwise": "outbound"}}}),
    );
    for mapping in [
        full,
        standard(),
        mapping(json!({"header": {"absent": {}}}), json!({"account": {"constant": "a"}})),
    ] {
        let written = serde_json::to_string(&mapping).unwrap();
        assert_eq!(serde_json::from_str::<Mapping>(&written).unwrap(), mapping, "{written}");
    }
}

#[test]
fn nothing_personal_is_shown() {
    let lines = [
        with(2, "+12025550177"),
        with(3, "+12025550177"),
        with(0, "\"12025550177"),
        with(4, &"12025550177".repeat(30)),
        "12025550177".to_owned(),
        with(1, &"Ann".repeat(100)),
    ];
    let rows = read(&standard(), format!("{HEADER}\n{}\n", lines.join("\n")));
    assert_eq!(rows.len(), lines.len());
    for row in &rows {
        let bad = row.as_ref().unwrap_err();
        let refusal = Refusal::from(bad.clone());
        let shown = format!("{row:?} {bad} {} {} {refusal:?}", refusal.place, refusal.reason);
        assert!(!shown.contains("2025550") && !shown.contains("Ann"), "{shown}");
        assert!(refusal.raw.contains("2025550") || refusal.raw.contains("Ann"));
    }
    let (mapping, accounts) = (standard(), AccountMap::default());
    let mut reader = Reader::try_new("12025550177,Ann".as_bytes(), &mapping, &accounts).unwrap();
    let Some(Err(error)) = reader.next() else { panic!("a header was accepted") };
    assert!(!format!("{error} {error:?} {reader:?}").contains("2025550"));
}

#[test]
fn a_bad_row_is_a_refusal_that_keeps_its_lines() {
    let line = with(0, "\"1\n2\"");
    let refusal = Refusal::from(one(&standard(), &line).unwrap_err());
    assert_eq!(refusal.place, "line 2");
    assert_eq!(
        refusal.reason,
        "column `id`: item id has a control character at byte 1; accepted are 1 to 255 bytes without control characters"
    );
    assert_eq!(refusal.raw, line);
}

#[test]
fn an_error_of_the_input_is_given_once() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("broken"))
        }
    }
    for torn in ["torn", "torn,\"open\nand more"] {
        let good = format!("{HEADER}\n{}\n", with(0, "7"));
        let input = BufReader::new(good.as_bytes().chain(torn.as_bytes()).chain(Broken));
        let (mapping, accounts) = (standard(), AccountMap::default());
        let rows: Vec<_> = Reader::try_new(input, &mapping, &accounts).unwrap().collect();
        assert_eq!(rows.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false]);
    }
}
