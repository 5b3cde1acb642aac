//! What the fuzz targets hold against what they read.

use std::{
    io::{self, BufReader},
    str::FromStr,
    sync::LazyLock,
};

use billing_core::{
    id::{AccountId, LegId, SourceId},
    item::Item,
    time::Zone,
};
use billing_formats::{accounts::AccountMap, csv, freeswitch, freeswitch::Options};
use serde::de::DeserializeOwned;

/// Physical lines without their ends; a byte order mark at the beginning is left out.
#[must_use]
pub fn lines(input: &[u8]) -> Vec<&[u8]> {
    let input = input.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(input);
    let lines = input.split_inclusive(|byte| *byte == b'\n');
    let without = |line, end| <[u8]>::strip_suffix(line, end).unwrap_or(line);
    lines.map(|line| without(without(line, b"\n"), b"\r")).collect()
}

/// Whether nothing but spaces and tabs is on a line.
#[must_use]
pub fn is_blank(line: &[u8]) -> bool {
    line.iter().all(|byte| b" \t".contains(byte))
}

/// The numbers of lines that are not blank, counted from 1.
#[must_use]
pub fn full_lines(input: &[u8]) -> Vec<u64> {
    let lines = (1..).zip(lines(input)).filter(|(_, line)| !is_blank(line));
    lines.map(|(number, _)| number).collect()
}

/// The first line, and everything after it: settings, and what is read with them.
#[must_use]
pub fn first_line(input: &[u8]) -> (&[u8], &[u8]) {
    let at = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    (&input[..at], input.get(at + 1..).unwrap_or_default())
}

/// What a text is, or `default` where it is none.
pub fn parsed_or<T: FromStr>(text: &[u8], default: impl FnOnce() -> T) -> T {
    let text = std::str::from_utf8(text).ok();
    text.and_then(|text| text.parse().ok()).unwrap_or_else(default)
}

/// What a document is, or a copy of `default` where it is none.
pub fn read_or<T: DeserializeOwned + Clone>(document: &[u8], default: &T) -> T {
    serde_json::from_slice(document).unwrap_or_else(|_| default.clone())
}

/// Options of a switch in a zone whose clocks change.
pub static OPTIONS: LazyLock<Options> = LazyLock::new(|| {
    let source = SourceId::try_new("fuzz").expect("an id");
    Options::new(source, Zone::try_new("America/New_York").expect("a zone"))
});

/// An account map with rules of every kind.
pub static ACCOUNTS: LazyLock<AccountMap> = LazyLock::new(|| {
    let rules = r#"[{"match": {"account_code": "sales"}, "account": "a"},
        {"match": {"trunk": "SIP/carrier"}, "account": "b", "from": "2026-10-01"},
        {"match": {"caller": "101"}, "account": "c"},
        {"match": {"caller_prefix": "1202"}, "account": "d"}]"#;
    serde_json::from_str(rules).expect("rules")
});

/// Reads a file with a mapping; holds that every line that is not blank is answered once, and in order.
///
/// # Panics
///
/// If it is not.
pub fn check_csv(file: &[u8], mapping: &csv::Mapping) {
    let Ok(mut reader) = csv::Reader::try_new(file, mapping, &ACCOUNTS) else { return };
    let lines = lines(file);
    // Until the first record is read nobody knows how many lines stand before it.
    let mut answered: Option<usize> = None;
    while let Some(row) = reader.next() {
        let Ok(row) = row else { return };
        let last = usize::try_from(reader.line()).expect("few lines");
        assert!(last <= lines.len());
        if let Some(answered) = answered {
            let skipped = lines[answered..].iter().take_while(|line| is_blank(line)).count();
            assert!(answered + skipped < last, "a line is answered twice");
            if let Err(bad) = &row {
                let first = usize::try_from(bad.line).expect("few lines");
                assert_eq!(first, answered + skipped + 1, "a line is not answered");
            }
        }
        if let Err(bad) = row {
            let _shown = (bad.to_string(), format!("{bad:?}"));
        }
        answered = Some(last);
    }
    if let Some(answered) = answered {
        assert!(lines[answered..].iter().all(|line| is_blank(line)), "a line is not answered");
    }
}

/// Holds that the calls that are lent are those that the reader gives, also where a buffer cuts their lines.
///
/// # Panics
///
/// If they are not.
pub fn check_lent(file: &[u8], mapping: &csv::Mapping) {
    let input = BufReader::with_capacity(64, file);
    let Ok(mut lent) = csv::CallRows::try_new(input, mapping, &ACCOUNTS) else { return };
    let mut reader =
        csv::Reader::try_new(file, mapping, &ACCOUNTS).expect("it is the same mapping");
    loop {
        match (lent.next_row(), reader.next()) {
            (None, None) | (Some(Err(_)), Some(Err(_))) => return,
            (Some(Ok(Err(bad))), Some(Ok(Err(expected)))) => assert_eq!(bad, expected),
            (Some(Ok(Ok(row))), Some(Ok(Ok(expected)))) => {
                let Item::Call(call) = &expected.item else { panic!("no call was mapped") };
                let key = &expected.key;
                assert_eq!(row.id, key.id.as_str());
                assert_eq!(
                    (row.leg, row.partial),
                    (key.leg.as_ref().map(LegId::as_str), key.partial)
                );
                assert_eq!(row.account, expected.account.as_ref().map(AccountId::as_str));
                assert_eq!((row.start, row.duration_ms), (call.start, call.duration_ms));
                assert_eq!((row.caller, row.callee), (call.caller.as_str(), call.callee.as_str()));
                assert_eq!((row.disposition, row.direction), (call.disposition, call.direction));
            }
            _ => panic!("a line is read in two ways"),
        }
        assert_eq!(lent.line(), reader.line());
    }
}

/// Holds that a switch's file is answered by one row for every line that is not blank, and makes entries of them.
///
/// # Panics
///
/// If it is not.
pub fn check_freeswitch(rows: impl Iterator<Item = io::Result<freeswitch::Row>>, file: &[u8]) {
    let mut numbers = full_lines(file).into_iter();
    for row in rows {
        let row = row.expect("bytes in memory are read");
        let line = match &row {
            Ok(cdr) => cdr.line,
            Err(bad) => bad.line,
        };
        assert_eq!(Some(line), numbers.next());
        let _entry = freeswitch::entry(row, &OPTIONS, &ACCOUNTS);
    }
    assert_eq!(numbers.next(), None);
}
