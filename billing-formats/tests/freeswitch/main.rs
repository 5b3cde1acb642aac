//! Call detail records of FreeSWITCH: what is read, what is refused, and why.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::format_collect,
    clippy::indexing_slicing,
    clippy::integer_division,
    clippy::panic,
    clippy::panic_in_result_fn,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

mod documents;
mod laws;
mod lines;

use std::io;

use billing_core::{
    id::SourceId,
    item::{Direction, Disposition},
    time::Zone,
};
use billing_formats::freeswitch::{
    CsvReader, JsonReader, Legs, Options, Reason, Row, Template, Variables,
};

const UUID: &str = "7a3d9b52-1111-4c1a-9a59-3d1f9f0d7a10";

/// A variable and its value.
type Pair<'text> = (&'text str, &'text str);

fn options(zone: &str) -> Options {
    Options::new(SourceId::try_new("fs-1").unwrap(), Zone::try_new(zone).unwrap())
}

fn csv_rows(template: &Template, zone: &str, input: &[u8]) -> Vec<Row> {
    let variables = Variables::default();
    let reader = CsvReader::try_new(input, template, &variables, &options(zone)).unwrap();
    reader.collect::<io::Result<_>>().unwrap()
}

fn json_rows(variables: &Variables, input: &[u8]) -> Vec<Row> {
    JsonReader::new(input, variables, &options("America/New_York"))
        .collect::<io::Result<_>>()
        .unwrap()
}

fn only(mut rows: Vec<Row>) -> Row {
    assert_eq!(rows.len(), 1);
    rows.pop().unwrap()
}

/// A template of these variables alone, and a line with these values.
fn pairs(pairs: &[Pair<'_>]) -> (Template, String) {
    let names: Vec<_> = pairs.iter().map(|(name, _)| format!("${{{name}}}")).collect();
    let values: Vec<_> = pairs.iter().map(|(_, value)| *value).collect();
    (names.join("|").parse().unwrap(), values.join("|"))
}

/// What every record below has, with these changes and additions.
fn with<'text>(changes: &[Pair<'text>]) -> Vec<Pair<'text>> {
    let mut all = vec![
        ("uuid", UUID),
        ("caller_id_number", "+12025550100"),
        ("destination_number", "+12025550123"),
        ("hangup_cause", "NORMAL_CLEARING"),
        ("start_epoch", "1790841600"),
        ("answer_epoch", "1790841605"),
        ("end_epoch", "1790841666"),
    ];
    for change in changes {
        match all.iter_mut().find(|(name, _)| *name == change.0) {
            Some(pair) => *pair = *change,
            None => all.push(*change),
        }
    }
    all
}

/// The row of such a record, from a line and from a document: they agree.
fn row(changes: &[Pair<'_>]) -> Row {
    let all = with(changes);
    let (template, line) = pairs(&all);
    let from_line = only(csv_rows(&template, "America/New_York", line.as_bytes()));
    let variables: serde_json::Map<_, _> =
        all.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    let document = serde_json::json!({ "variables": variables }).to_string();
    let from_document = only(json_rows(&Variables::default(), document.as_bytes()));
    match (&from_line, &from_document) {
        (Ok(line), Ok(document)) => assert_eq!(line, document),
        (Err(line), Err(document)) => assert_eq!(line.reason, document.reason),
        _ => panic!("{from_line:?} {from_document:?}"),
    }
    from_line
}

#[test]
fn talk_time_is_the_finest_that_the_record_has() {
    let uepochs = [
        ("start_uepoch", "1790841600100000"),
        ("answer_uepoch", "1790841605971147"),
        ("end_uepoch", "1790841666010851"),
    ];
    let both = |more: &[(&'static str, &'static str)]| [&uepochs[..], more].concat();
    let cases: [(Vec<(&str, &str)>, u64); 9] = [
        (vec![], 61_000),
        (vec![("billsec", "60")], 60_000),
        (vec![("billsec", "61"), ("billmsec", "60039")], 60_039),
        (vec![("billsec", "61"), ("billmsec", "60039"), ("billusec", "60038999")], 60_038),
        (both(&[]), 60_039),
        (both(&[("billsec", "61")]), 60_039),
        (both(&[("billsec", "61"), ("billusec", "60039704")]), 60_039),
        (vec![("answer_uepoch", "1790841605971147"), ("billsec", "61")], 61_000),
        (vec![("billsec", ""), ("billmsec", "")], 61_000),
    ];
    for (changes, talk_ms) in cases {
        assert_eq!(row(&changes).unwrap().talk_ms, talk_ms, "{changes:?}");
    }
}

#[test]
fn talk_time_is_what_lies_between_answer_and_end() {
    let rings_long = [("answer_epoch", "1790843400"), ("end_epoch", "1790843460")];
    let talks_long = [("answer_epoch", "1790841605"), ("end_epoch", "1790845266")];
    let uepochs = [("answer_uepoch", "1790841605000000"), ("end_uepoch", "1790845266000000")];
    let no_end = [("end_epoch", ""), ("duration", "66")];
    let cases: [(&[Pair<'_>], Pair<'_>, bool); 13] = [
        (&rings_long, ("billsec", "1860"), false),
        (&rings_long, ("billsec", "60"), true),
        (&talks_long, ("billsec", "6"), false),
        (&talks_long, ("billsec", "3661"), true),
        (&uepochs, ("billsec", "6"), false),
        (&uepochs, ("billmsec", "6000"), false),
        (&uepochs, ("billusec", "6000000"), false),
        (&[], ("billmsec", "62000"), true),
        (&[], ("billmsec", "62001"), false),
        (&[], ("billmsec", "60000"), true),
        (&[], ("billmsec", "59999"), false),
        (&no_end, ("billsec", "61"), true),
        (&no_end, ("billsec", "66"), false),
    ];
    for (times, talk, is_accepted) in cases {
        let row = row(&[times, &[talk]].concat());
        let reason = row.err().map(|bad| bad.reason);
        let expected = (!is_accepted).then_some(Reason::TalkUnlikeTimes);
        assert_eq!(reason, expected, "{times:?} {talk:?}");
    }
}

#[test]
fn a_call_is_charged_from_its_answer() {
    let mut options = options("America/New_York");
    options.contexts = [("public".to_owned(), Direction::Inbound)].into();
    let cdr = row(&[("billusec", "61039704"), ("context", "public"), ("accountcode", "sales")]);
    let cdr = cdr.unwrap();
    assert_eq!(cdr.account_code, "sales");
    let call = cdr.into_call(None, &options);
    assert_eq!(call.key.to_string(), format!("fs-1/{UUID}"));
    assert_eq!(call.call.start.to_string(), "2026-10-01T08:00:05Z");
    assert_eq!(call.call.duration_ms, 61_039);
    assert_eq!(call.call.direction, Direction::Inbound);
}

#[test]
fn a_call_that_nobody_answered_has_no_talk_time() {
    let cases = [
        ("USER_BUSY", Disposition::Busy),
        ("NO_ANSWER", Disposition::NoAnswer),
        ("NO_USER_RESPONSE", Disposition::NoAnswer),
        ("ORIGINATOR_CANCEL", Disposition::NoAnswer),
        ("LOSE_RACE", Disposition::NoAnswer),
        ("PICKED_OFF", Disposition::NoAnswer),
        ("NORMAL_CLEARING", Disposition::NoAnswer),
        ("CALL_REJECTED", Disposition::Failed),
        ("UNALLOCATED_NUMBER", Disposition::Failed),
        ("NORMAL_TEMPORARY_FAILURE", Disposition::Failed),
        ("anything", Disposition::Failed),
    ];
    for (cause, disposition) in cases {
        for talk in
            [("billsec", "0"), ("billsec", ""), ("billsec", "1790841666"), ("billusec", "17")]
        {
            let changes = [("hangup_cause", cause), ("answer_epoch", "0"), talk];
            let cdr = row(&changes).unwrap();
            assert_eq!(
                (cdr.disposition, cdr.talk_ms, cdr.answer),
                (disposition, 0, None),
                "{cause}"
            );
            assert_eq!(cdr.charged_from(), cdr.start, "{cause}");
        }
    }
}

#[test]
fn talk_time_without_an_answer_is_refused() {
    let cases = [
        [("billsec", "1"), ("end_epoch", "1790841666")],
        [("billsec", "61"), ("end_epoch", "1790841666")],
        [("billmsec", "61000"), ("end_epoch", "1790841666")],
        [("billsec", "1790841664"), ("end_epoch", "1790841666")],
        [("billsec", "1790841666"), ("end_epoch", "")],
    ];
    for changes in cases {
        for answer in ["", "0"] {
            let row = row(&[&changes[..], &[("answer_epoch", answer)]].concat());
            assert_eq!(row.unwrap_err().reason, Reason::TalkUnanswered, "{changes:?}");
        }
    }
}

#[test]
fn an_answer_of_1970_is_none() {
    // Eastern time was five hours behind.
    for stamp in ["", "1969-12-31 19:00:00"] {
        let changes = [("answer_epoch", ""), ("answer_stamp", stamp), ("billsec", "0")];
        assert_eq!(row(&changes).unwrap().answer, None, "{stamp}");
    }
}

#[test]
fn every_fault_has_its_reason() {
    let digits = "cannot be read; accepted are digits, up to 18446744073709551615";
    let cases = [
        (("uuid", ""), "`uuid` is missing".to_owned()),
        (("start_epoch", ""), "`start_uepoch` is missing".to_owned()),
        (("start_epoch", "0"), "`start_uepoch` is missing".to_owned()),
        (("start_epoch", "x"), format!("`start_epoch` {digits}")),
        (("start_epoch", "+1790841600"), format!("`start_epoch` {digits}")),
        (("start_epoch", "17908416000000"), "`start_epoch` cannot be read; accepted is a time before the year 10000, counted from 1970 on".to_owned()),
        (("billusec", "-1"), format!("`billusec` {digits}")),
        (("billsec", "18446744073709551615"), format!("`billsec` {digits}")),
        (("answer_epoch", "1790841599"), "the call is answered outside the time from its start to its end".to_owned()),
        (("answer_epoch", "1790841667"), "the call is answered outside the time from its start to its end".to_owned()),
        (("end_epoch", "1790841599"), "the call ends before it starts".to_owned()),
        (("billsec", "63"), "the talk time is not the time from the answer to the end; accepted is a difference of up to one second".to_owned()),
        (("originating_leg_uuid", "f00d"), "the record is of a B leg, and the call is billed by its A leg; accepted are A legs".to_owned()),
        (("caller_id_number", "1\u{7}2"), "`caller_id_number` is not accepted: a party has a control character at byte 1: none are accepted".to_owned()),
    ];
    for (change, expected) in cases {
        let bad = row(&[change]).unwrap_err();
        assert_eq!(bad.to_string(), format!("line 1: {expected}"), "{change:?}");
    }
    let unanswered = [("answer_epoch", "0"), ("hangup_cause", "")];
    assert_eq!(row(&unanswered).unwrap_err().to_string(), "line 1: `hangup_cause` is missing");
}

#[test]
fn each_leg_is_a_call_where_both_are_wanted() {
    let variables = Variables { legs: Legs::Both, ..Variables::default() };
    let documents = [
        r#"{"variables":{"uuid":"a","bridge_uuid":"b","start_epoch":"1790841600","answer_epoch":"0","hangup_cause":"NO_ANSWER"}}"#,
        r#"{"variables":{"uuid":"b","originator":"a","start_epoch":"1790841600","answer_epoch":"0","hangup_cause":"NO_ANSWER"}}"#,
    ];
    let rows = json_rows(&variables, documents.join("\n").as_bytes());
    let legs: Vec<_> = rows.iter().map(|row| row.as_ref().unwrap()).collect();
    assert_eq!([&*legs[0].other_leg, &*legs[1].other_leg], ["b", "a"]);
    assert_ne!(legs[0].leg, legs[1].leg);
    let rows = json_rows(&Variables::default(), documents.join("\n").as_bytes());
    assert!(rows[0].is_ok());
    assert_eq!(rows[1].as_ref().unwrap_err().reason, Reason::BLeg);
}
