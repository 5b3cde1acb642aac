//! What stands in the columns of a record, and what is refused of it.

use billing_core::item::{Direction, Disposition};
use billing_formats::csv::Mapping;
use serde_json::{Value, json};

use crate::{HEADER, call_of, mapping, one, problem, pulse_of, read, standard, with};

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
        ("clock", "point", "1:2:03", None),
        ("clock", "point", "1:02:3", None),
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
