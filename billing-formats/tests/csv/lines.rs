//! The lines of a file: which are records, and which cost themselves alone.

use std::io::{self, BufReader, Read};

use billing_core::decide::Refusal;
use billing_formats::{
    accounts::AccountMap,
    csv::{BadHeader, LINE_BYTES_MAX, ReadError, Reader},
};
use serde_json::json;

use crate::{HEADER, call_of, mapping, one, problem, read, standard, with};

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
