//! Call detail records of Asterisk: what is read, what is refused, and where.
#![expect(
    clippy::default_numeric_fallback,
    clippy::indexing_slicing,
    clippy::integer_division,
    clippy::panic_in_result_fn,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

use std::{
    collections::BTreeMap,
    io::{self, BufReader, Read},
};

use billing_core::{
    decide::Refusal,
    id::SourceId,
    item::{Direction, Disposition},
    time::Zone,
};
use billing_formats::asterisk::{BadRow, Cdr, Column, LINE_BYTES_MAX, Options, Reader, Row};

/// A record of 18 columns, as Asterisk quotes it.
const RECORD: [&str; 18] = [
    "\"sales\"",
    "\"+12025550100\"",
    "\"12025550123\"",
    "\"office\"",
    "\"\"\"Ann\"\" <+12025550100>\"",
    "\"PJSIP/desk-0000001a\"",
    "\"PJSIP/carrier-0000001b\"",
    "\"Dial\"",
    "\"PJSIP/12025550123@carrier,60\"",
    "\"2026-10-01 08:00:00\"",
    "\"2026-10-01 08:00:05\"",
    "\"2026-10-01 08:01:06\"",
    "66",
    "61",
    "\"ANSWERED\"",
    "\"DOCUMENTATION\"",
    "\"1790841600.17\"",
    "\"note\"",
];

fn record(changes: &[(Column, &str)]) -> String {
    let mut columns = RECORD.map(str::to_owned);
    for (column, text) in changes {
        (*text).clone_into(&mut columns[*column as usize]);
    }
    columns.join(",")
}

fn options(zone: &str) -> Options {
    Options::new(SourceId::try_new("pbx-1").unwrap(), Zone::try_new(zone).unwrap())
}

fn rows_in(zone: &str, input: impl Read) -> Vec<Row> {
    Reader::new(BufReader::new(input), &options(zone)).collect::<io::Result<_>>().unwrap()
}

fn rows(input: impl AsRef<[u8]>) -> Vec<Row> {
    rows_in("America/New_York", input.as_ref())
}

fn one(zone: &str, changes: &[(Column, &str)]) -> Row {
    let mut rows = rows_in(zone, record(changes).as_bytes());
    assert_eq!(rows.len(), 1);
    rows.pop().unwrap()
}

fn times(cdr: &Cdr) -> (String, String, String) {
    let answer = cdr.answer.map(|answer| answer.to_string()).unwrap_or_default();
    (cdr.start.to_string(), answer, cdr.end.to_string())
}

#[test]
fn a_record_is_read_whole() {
    let cdr = one("America/New_York", &[]).unwrap();
    assert_eq!(cdr.line, 1);
    assert_eq!(cdr.account_code, "sales");
    assert_eq!((cdr.src.as_str(), cdr.dst.as_str()), ("+12025550100", "12025550123"));
    assert_eq!(cdr.context, "office");
    assert_eq!(cdr.channel, "PJSIP/desk-0000001a");
    assert_eq!(cdr.dst_channel, "PJSIP/carrier-0000001b");
    assert_eq!(cdr.start.to_string(), "2026-10-01T12:00:00Z");
    assert_eq!(cdr.answer.unwrap().to_string(), "2026-10-01T12:00:05Z");
    assert_eq!(cdr.end.to_string(), "2026-10-01T12:01:06Z");
    assert_eq!((cdr.duration_s, cdr.billsec), (66, 61));
    assert_eq!(cdr.disposition, Disposition::Answered);
    assert_eq!(cdr.unique_id.as_str(), "1790841600.17");
    assert_eq!(cdr.user_field, "note");
}

#[test]
fn a_record_becomes_a_call_charged_from_its_answer() {
    let mut options = options("America/New_York");
    options.contexts = BTreeMap::from([("office".to_owned(), Direction::Internal)]);
    let ended = one("America/New_York", &[]).unwrap().into_call(None, &options);
    assert_eq!(ended.key.to_string(), "pbx-1/1790841600.17");
    assert_eq!(ended.call.start.to_string(), "2026-10-01T12:00:05Z");
    assert_eq!(ended.call.charged_ms(), 61_000);
    assert_eq!(ended.call.direction, Direction::Internal);
}

#[test]
fn dispositions_decide_what_is_charged() {
    let cases = [
        ("NO ANSWER", Disposition::NoAnswer),
        ("BUSY", Disposition::Busy),
        ("FAILED", Disposition::Failed),
        ("CONGESTION", Disposition::Failed),
    ];
    for (text, disposition) in cases {
        let changes = [(Column::Disposition, text), (Column::Answer, ""), (Column::Billsec, "0")];
        let call = one("UTC", &changes).unwrap().into_call(None, &options("UTC")).call;
        assert_eq!(call.disposition, disposition, "{text}");
        assert_eq!(call.start.to_string(), "2026-10-01T08:00:00Z", "{text}");
        assert_eq!(call.charged_ms(), 0, "{text}");
    }
}

#[test]
fn seventeen_columns_and_the_newer_ones_are_read() {
    let seventeen = RECORD[..17].join(",");
    let cases = [
        (seventeen.clone(), ""),
        (RECORD.join(","), "note"),
        (seventeen + ",\"\",\"1790841600.17\",1", ""),
        (RECORD.join(",") + ",\"\",\"1790841600.17\",1", "note"),
    ];
    for (line, user_field) in cases {
        let cdr = rows(&line).pop().unwrap().unwrap();
        assert_eq!(cdr.user_field, user_field, "{line}");
        assert_eq!(cdr.unique_id.as_str(), "1790841600.17", "{line}");
    }
}

#[test]
fn every_fault_has_its_reason_and_its_column() {
    let seconds = "is no number of seconds; accepted are digits, up to 4294967295";
    let time = "the time cannot be read; accepted is a date and time such as 2026-01-31 12:00:00";
    let accepted = "accepted are 1 to 255 bytes without control characters";
    let long = "9".repeat(256);
    let cases = [
        (Column::Start, "", time.to_owned()),
        (Column::Start, "2026-10-01T08:00:00", time.to_owned()),
        (Column::Start, "2026-10-01 08:00", time.to_owned()),
        (Column::Start, "2026-10-01 08:00:00Z", time.to_owned()),
        (Column::Start, "2026-10-01 08:00:60", time.to_owned()),
        (Column::Start, "2026-10-01 08:60:00", time.to_owned()),
        (Column::Start, "2026-10-01 24:00:00", time.to_owned()),
        (Column::Answer, "2026-02-30 08:00:00", time.to_owned()),
        (Column::Answer, "0000-01-01 00:00:00", time.to_owned()),
        (Column::End, "+026-10-01 08:00:00", time.to_owned()),
        (
            Column::End,
            "2026-03-08 02:30:00",
            "the time does not exist in America/New_York, where clocks were set forward over it".to_owned(),
        ),
        (Column::Duration, "", format!("`` {seconds}")),
        (Column::Duration, "+66", format!("`+66` {seconds}")),
        (Column::Duration, "66.5", format!("`66.5` {seconds}")),
        (Column::Billsec, "-1", format!("`-1` {seconds}")),
        (Column::Billsec, "4294967296", format!("`4294967296` {seconds}")),
        (Column::Billsec, "1\u{1b}[2J", format!("`1\\u{{1b}}[2J` {seconds}")),
        (Column::Billsec, &long, format!("`{}` {seconds}", "9".repeat(24))),
        (
            Column::Disposition,
            "answered",
            "disposition `answered` is unknown; accepted are ANSWERED, NO ANSWER, BUSY, FAILED and CONGESTION"
                .to_owned(),
        ),
        (Column::UniqueId, "", format!("item id is 0 bytes long; {accepted}")),
        (Column::Src, &long, "a party of 256 bytes is too long: at most 255 are accepted".to_owned()),
        (
            Column::Dst,
            "1\u{7}2",
            "a party has a control character at byte 1: none are accepted".to_owned(),
        ),
        (Column::End, "2026-10-01 07:59:59", "the call ends before it starts".to_owned()),
        (
            Column::Answer,
            "2026-10-01 07:59:59",
            "the call is answered outside the time from its start to its end".to_owned(),
        ),
        (
            Column::Answer,
            "2026-10-01 08:01:07",
            "the call is answered outside the time from its start to its end".to_owned(),
        ),
        (Column::Answer, "", "the call is answered, but has no answer time".to_owned()),
        (
            Column::Billsec,
            "67",
            "67 s were talked, but the whole call lasted 66 s".to_owned(),
        ),
    ];
    for (column, text, expected) in cases {
        let bad = one("America/New_York", &[(column, text)]).unwrap_err();
        assert_eq!(bad.to_string(), format!("line 1, column {column}: {expected}"), "{text}");
        assert_eq!(bad.raw, record(&[(column, text)]));
    }
    let bad = one("UTC", &[(Column::Disposition, "BUSY")]).unwrap_err();
    assert_eq!(
        bad.to_string(),
        "line 1, column billsec: 61 s were talked, but the call was not answered"
    );
}

#[test]
fn a_line_that_is_no_record_costs_itself_alone() {
    let good = record(&[]);
    let torn_id = good.strip_suffix("7\",\"note\"").unwrap().to_owned();
    let many = ",".repeat(80);
    let cases = [
        (String::new(), "the line is empty"),
        (RECORD[..16].join(","), "the line has 16 columns; accepted are 17, 18, 20 and 21"),
        (RECORD.join(",") + ",\"\"", "the line has 19 columns; accepted are 17, 18, 20 and 21"),
        (many, "the line has 64 columns; accepted are 17, 18, 20 and 21"),
        (good.chars().take(30).collect(), "a quoted field does not end on the line"),
        (torn_id, "a quoted field does not end on the line"),
    ];
    for (bad, reason) in cases {
        let rows = rows(format!("{good}\n{bad}\n{good}\n"));
        assert_eq!(rows.len(), 3, "{reason}");
        assert!(rows[0].is_ok() && rows[2].is_ok(), "{reason}");
        assert_eq!(rows[2].as_ref().unwrap().line, 3);
        let refused = rows[1].as_ref().unwrap_err();
        assert_eq!(refused.to_string(), format!("line 2: {reason}"));
        assert_eq!((refused.column, &refused.raw), (None, &bad));
    }
}

#[test]
fn bytes_that_no_store_can_hold_are_replaced_in_the_raw_text() {
    let rows = rows(b"a\xFFb\n\0c\n");
    let refused = |at: usize| rows[at].as_ref().unwrap_err();
    assert_eq!(refused(0).to_string(), "line 1: the line is not UTF-8 from byte 1 on");
    assert_eq!(refused(0).raw, "a\u{FFFD}b");
    assert_eq!(refused(1).raw, "\u{FFFD}c");
}

#[test]
fn a_line_may_have_the_longest_length_and_no_more() {
    let padding = LINE_BYTES_MAX - record(&[(Column::UserField, "")]).len();
    for end in ["", "\n", "\r\n"] {
        let longest = record(&[(Column::UserField, &"x".repeat(padding))]) + end;
        for mark in ["", "\u{FEFF}"] {
            let rows = rows(format!("{mark}{longest}"));
            assert_eq!(rows.len(), 1);
            assert_eq!(rows[0].as_ref().unwrap().user_field.len(), padding);
        }
    }
    for excess in [1, 2, 3, 4, 5, 6, 7, 1_000_000] {
        let line = record(&[(Column::UserField, &"x".repeat(padding + excess))]);
        let rows = rows(format!("{line}\n{}", record(&[])));
        assert_eq!(rows.len(), 2, "{excess}");
        let refused = rows[0].as_ref().unwrap_err();
        assert_eq!(refused.to_string(), "line 1: the line is longer than 65536 bytes");
        assert_eq!(refused.raw, line[..1_024]);
        assert_eq!(rows[1].as_ref().unwrap().line, 2);
    }
}

#[test]
fn a_file_without_lines_has_no_rows() {
    assert_eq!(rows(""), []);
    assert_eq!(rows("\u{FEFF}"), []);
    assert_eq!(rows("\n").len(), 1);
    assert_eq!(rows("\u{FEFF}\n").len(), 1);
    assert_eq!(rows("\n\r\n\r").len(), 3);
}

#[test]
fn a_byte_order_mark_counts_at_the_very_beginning_alone() {
    let good = record(&[(Column::AccountCode, "sales")]);
    for before in ["", "\"torn\n", "torn\n", &format!("{good}\n")] {
        let rows = rows(format!("\u{FEFF}{before}\u{FEFF}{good}\n"));
        let last = rows.last().unwrap().as_ref().unwrap();
        assert_eq!(last.account_code, "\u{FEFF}sales", "{before}");
    }
}

#[test]
fn a_time_that_comes_twice_is_the_one_its_uniqueid_is_near() {
    // 05:30:00Z is 01:30 EDT, 06:30:00Z is 01:30 EST.
    let cases = [
        ("1793511000.1", "2026-11-01T05:30:00Z"),
        ("1793510999.1", "2026-11-01T05:30:00Z"),
        ("pbx-east-1793511000.1", "2026-11-01T05:30:00Z"),
        ("1793514600.1", "2026-11-01T06:30:00Z"),
        ("pbx-east-1793514599.1", "2026-11-01T06:30:00Z"),
    ];
    for (unique_id, start) in cases {
        let cdr = one(
            "America/New_York",
            &[
                (Column::Start, "2026-11-01 01:30:00"),
                (Column::Answer, "2026-11-01 01:30:05"),
                (Column::End, "2026-11-01 01:31:06"),
                (Column::UniqueId, unique_id),
            ],
        );
        let cdr = cdr.unwrap();
        let minute = &start[..17];
        let (answer, end) = (format!("{minute}05Z"), start.replace("30:00", "31:06"));
        assert_eq!(times(&cdr), (start.to_owned(), answer, end), "{unique_id}");
    }
}

#[test]
fn a_call_over_the_end_of_summer_time_keeps_its_length() {
    // In Berlin clocks go from 03:00 back to 02:00 at 01:00Z.
    let cases = [
        // Begins before the hour that comes twice, and ends the first or the second time.
        ("01:59:50", "01:59:55", "02:00:10", 20, 15, "24T23:59:50", "24T23:59:55", "25T00:00:10"),
        (
            "01:59:50",
            "01:59:55",
            "02:00:10",
            3_620,
            3_615,
            "24T23:59:50",
            "24T23:59:55",
            "25T01:00:10",
        ),
        // Begins the first time: local times run backwards.
        ("02:59:50", "02:59:55", "02:00:10", 20, 15, "25T00:59:50", "25T00:59:55", "25T01:00:10"),
        ("02:59:50", "02:00:05", "02:00:10", 20, 5, "25T00:59:50", "25T01:00:05", "25T01:00:10"),
        // Longer than the hour: the end is the second one.
        (
            "02:30:00",
            "02:30:05",
            "02:35:00",
            3_900,
            3_895,
            "25T00:30:00",
            "25T00:30:05",
            "25T01:35:00",
        ),
        (
            "02:30:00",
            "02:30:05",
            "03:00:10",
            5_410,
            5_405,
            "25T00:30:00",
            "25T00:30:05",
            "25T02:00:10",
        ),
    ];
    for (start, answer, end, duration, billsec, start_at, answer_at, end_at) in cases {
        let created: billing_core::time::Instant = format!("2026-10-{start_at}Z").parse().unwrap();
        let row = one(
            "Europe/Berlin",
            &[
                (Column::Start, &format!("2026-10-25 {start}")),
                (Column::Answer, &format!("2026-10-25 {answer}")),
                (Column::End, &format!("2026-10-25 {end}")),
                (Column::Duration, &duration.to_string()),
                (Column::Billsec, &billsec.to_string()),
                (Column::UniqueId, &format!("{}.1", created.micros() / 1_000_000)),
            ],
        );
        let expected = [start_at, answer_at, end_at].map(|time| format!("2026-10-{time}Z"));
        assert_eq!(times(&row.unwrap()), expected.into(), "{start} {duration}");
    }
}

#[test]
fn a_time_that_comes_twice_is_never_guessed() {
    let ambiguous = "the time is ambiguous: America/New_York had it twice, and the line does not tell which is meant";
    let cases = [
        // No second in the uniqueid, or one that is far from both, or half way.
        ("01:30:00", "01:30:05", "01:31:06", "asterisk", Column::Start),
        ("01:30:00", "01:30:05", "01:31:06", "1793511000", Column::Start),
        ("01:30:00", "01:30:05", "01:31:06", "+1793511000.1", Column::Start),
        ("01:30:00", "01:30:05", "01:31:06", "1793510000.1", Column::Start),
        ("01:30:00", "01:30:05", "01:31:06", "1793512800.1", Column::Start),
        ("01:30:00", "01:30:05", "01:31:06", "99999999999999999999.1", Column::Start),
        // The channel is an hour older than the call: the end tells.
        ("01:59:00", "01:59:05", "02:00:06", "1793512740.1", Column::Start),
        // The duration fits neither end.
        ("00:30:00", "00:30:05", "01:30:00", "1793507400.1", Column::End),
    ];
    for (start, answer, end, unique_id, column) in cases {
        let row = one(
            "America/New_York",
            &[
                (Column::Start, &format!("2026-11-01 {start}")),
                (Column::Answer, &format!("2026-11-01 {answer}")),
                (Column::End, &format!("2026-11-01 {end}")),
                (Column::UniqueId, unique_id),
            ],
        );
        let bad = row.unwrap_err();
        assert_eq!(bad.to_string(), format!("line 1, column {column}: {ambiguous}"), "{unique_id}");
    }
}

#[test]
fn a_time_that_clocks_skipped_is_refused() {
    let cases = [
        ("America/New_York", "2026-03-08 01:59:59", true),
        ("America/New_York", "2026-03-08 02:00:00", false),
        ("America/New_York", "2026-03-08 02:59:59", false),
        ("America/New_York", "2026-03-08 03:00:00", true),
        ("Europe/Berlin", "2026-03-29 02:00:00", false),
        ("Australia/Lord_Howe", "2026-10-04 02:29:59", false),
        ("Australia/Lord_Howe", "2026-10-04 02:30:00", true),
        ("UTC", "2026-03-08 02:30:00", true),
    ];
    for (zone, time, exists) in cases {
        let changes = [Column::Start, Column::Answer, Column::End].map(|column| (column, time));
        assert_eq!(one(zone, &changes).is_ok(), exists, "{zone} {time}");
    }
}

#[test]
fn nothing_personal_is_shown() {
    let input = format!("{}\n{}\n", record(&[]), record(&[(Column::Start, "12025550123")]));
    let rows = rows(&input);
    let bad = rows[1].as_ref().unwrap_err();
    let shown = format!("{rows:?} {bad}");
    for personal in ["2025550", "Ann", "desk", "sales", "note"] {
        assert!(!shown.contains(personal), "{shown}");
        assert!(bad.raw.contains(personal));
    }
}

#[test]
fn a_bad_row_is_a_refusal_that_keeps_the_line() {
    let bad = BadRow { line: 17, ..one("UTC", &[(Column::Billsec, "x")]).unwrap_err() };
    let refusal = Refusal::from(bad);
    assert_eq!(refusal.place, "line 17");
    assert_eq!(
        refusal.reason,
        "column billsec: `x` is no number of seconds; accepted are digits, up to 4294967295"
    );
    assert_eq!(refusal.raw, record(&[(Column::Billsec, "x")]));
}

#[test]
fn an_error_of_the_input_is_given_once() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("broken"))
        }
    }
    let good = record(&[]) + "\n";
    let input = good.as_bytes().chain("torn".as_bytes()).chain(Broken);
    let rows: Vec<_> = Reader::new(BufReader::new(input), &options("UTC")).collect();
    assert_eq!(rows.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false]);
}
