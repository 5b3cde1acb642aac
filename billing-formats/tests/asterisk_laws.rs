//! What holds for every file of call detail records.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::integer_division,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

use std::io;

use billing_core::{
    id::SourceId,
    item::Disposition,
    time::{Instant, Zone},
};
use billing_formats::asterisk::{Cdr, Options, Reader, Row};
use proptest::{collection::vec, prelude::*, string::string_regex};

const ZONES: [&str; 5] =
    ["UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata"];

fn rows(zone: &str, input: &[u8]) -> Vec<Row> {
    let source = SourceId::try_new("pbx-1").unwrap();
    let options = Options::new(source, Zone::try_new(zone).unwrap());
    Reader::new(input, &options).collect::<io::Result<_>>().unwrap()
}

/// How many physical lines there are.
fn lines(input: &[u8]) -> usize {
    let input = input.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(input);
    input.split_inclusive(|byte| *byte == b'\n').count()
}

/// A record as Asterisk writes it.
fn written(cdr: &Cdr, zone: &str) -> String {
    let zone = Zone::try_new(zone).unwrap();
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let time = |at: Instant| {
        let local = zone.local(at);
        let (minutes, second) = (local.second_of_day / 60, local.second_of_day % 60);
        quoted(&format!("{} {:02}:{:02}:{second:02}", local.day, minutes / 60, minutes % 60))
    };
    let disposition = match cdr.disposition {
        Disposition::Answered => "ANSWERED",
        Disposition::NoAnswer => "NO ANSWER",
        Disposition::Busy => "BUSY",
        Disposition::Failed => "FAILED",
    };
    let columns = [
        quoted(&cdr.account_code),
        quoted(cdr.src.as_str()),
        quoted(cdr.dst.as_str()),
        quoted(&cdr.context),
        quoted(&format!("\"A, B\" <{}>", cdr.src.as_str())),
        quoted(&cdr.channel),
        quoted(&cdr.dst_channel),
        quoted("Dial"),
        quoted(""),
        time(cdr.start),
        cdr.answer.map(time).unwrap_or_default(),
        time(cdr.end),
        cdr.duration_s.to_string(),
        cdr.billsec.to_string(),
        quoted(disposition),
        quoted("DOCUMENTATION"),
        quoted(cdr.unique_id.as_str()),
        quoted(&cdr.user_field),
    ];
    columns.join(",")
}

/// Records around the changes of clocks in 2026, and whenever.
fn cdr() -> impl Strategy<Value = Cdr> {
    let text = || string_regex("[^\\p{Cc}]{0,12}").unwrap();
    let party = || string_regex("[+]?[0-9]{0,15}|[a-z\" ,]{0,9}").unwrap();
    let start = prop_oneof![
        0_i64..4_000_000_000,
        1_793_491_200_i64..1_793_534_400, // 2026-11-01, America
        1_792_872_000_i64..1_792_915_200, // 2026-10-25, Europe
        1_772_928_000_i64..1_772_971_200, // 2026-03-08, America
        1_774_728_000_i64..1_774_771_200, // 2026-03-29, Europe
        1_775_304_000_i64..1_775_347_200, // 2026-04-05, Lord Howe
    ];
    let answer = prop_oneof![Just(None), (0_u32..600).prop_map(Some)];
    let talk = prop_oneof![0_u32..100, 0_u32..20_000];
    let texts = (text(), text(), text(), text(), text());
    (start, answer, talk, party(), party(), texts, 0_u16..100).prop_map(
        |(start, ring, talk, src, dst, texts, count)| {
            let at = |seconds: u32| {
                Instant::from_micros((start + i64::from(seconds)) * 1_000_000).unwrap()
            };
            let billsec = ring.map_or(0, |_| talk);
            let duration_s = ring.unwrap_or(9) + billsec;
            let (account_code, context, channel, dst_channel, user_field) = texts;
            Cdr {
                line: 1,
                account_code,
                src: src.parse().unwrap(),
                dst: dst.parse().unwrap(),
                context,
                channel,
                dst_channel,
                start: at(0),
                answer: ring.map(at),
                end: at(duration_s),
                duration_s,
                billsec,
                disposition: ring.map_or(Disposition::NoAnswer, |_| Disposition::Answered),
                unique_id: format!("pbx-{start}.{count}").parse().unwrap(),
                user_field,
            }
        },
    )
}

/// Bytes that look like a file here and there.
fn file() -> impl Strategy<Value = Vec<u8>> {
    let record = cdr().prop_map(|cdr| written(&cdr, "UTC").into_bytes());
    let damaged = (cdr(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(cdr, at, byte)| {
        let mut line = written(&cdr, "UTC").into_bytes();
        let at = at.index(line.len());
        line[at] = byte;
        line
    });
    let torn = (cdr(), any::<prop::sample::Index>()).prop_map(|(cdr, at)| {
        let mut line = written(&cdr, "UTC").into_bytes();
        line.truncate(at.index(line.len()));
        line
    });
    let end = || {
        prop_oneof![
            Just(&b"\n"[..]),
            Just(&b"\r\n"[..]),
            Just(&b""[..]),
            Just(&b"\xEF\xBB\xBF"[..]),
            Just(&b"\""[..])
        ]
    };
    let piece = prop_oneof![record, damaged, torn, vec(any::<u8>(), 0..60)];
    vec((piece, end()), 0..6).prop_map(|pieces| {
        pieces.into_iter().flat_map(|(piece, end)| [piece.as_slice(), end].concat()).collect()
    })
}

proptest! {
    #[test]
    fn every_line_gives_one_row(input in prop_oneof![file(), vec(any::<u8>(), 0..300)]) {
        let rows = rows("Europe/Berlin", &input);
        prop_assert_eq!(rows.len(), lines(&input));
        for (row, number) in rows.iter().zip(1..) {
            let line = match row {
                Ok(cdr) => cdr.line,
                Err(bad) => bad.line,
            };
            prop_assert_eq!(line, number);
        }
    }

    #[test]
    fn a_row_depends_on_its_line_alone(input in file()) {
        let text = input.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&input);
        for (line, row) in text.split_inclusive(|byte| *byte == b'\n').zip(rows("America/New_York", &input)) {
            if line.starts_with(b"\xEF\xBB\xBF") {
                // Alone it would be the beginning of a file, where a byte order mark is skipped.
                continue;
            }
            let mut alone = rows("America/New_York", line);
            match (alone.pop(), row) {
                (Some(Ok(alone)), Ok(row)) => prop_assert_eq!(alone, Cdr { line: 1, ..row }),
                (Some(Err(alone)), Err(row)) => {
                    prop_assert_eq!((alone.column, alone.reason), (row.column, row.reason));
                }
                (alone, row) => prop_assert!(false, "{alone:?} {row:?}"),
            }
        }
    }

    #[test]
    fn line_ends_and_a_byte_order_mark_change_nothing(input in file()) {
        let text: Vec<u8> = input.into_iter().filter(|byte| *byte != b'\r').collect();
        let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&text);
        let expected = rows("UTC", text);
        let carriage_returns: Vec<u8> = text
            .iter()
            .flat_map(|byte| if *byte == b'\n' { &b"\r\n"[..] } else { core::slice::from_ref(byte) })
            .copied()
            .collect();
        prop_assert_eq!(&rows("UTC", &carriage_returns), &expected);
        if !text.starts_with(b"\xEF\xBB\xBF") {
            prop_assert_eq!(&rows("UTC", &[b"\xEF\xBB\xBF", text].concat()), &expected);
        }
        if let Some(text) = text.strip_suffix(b"\n") && !text.ends_with(b"\n") && !text.is_empty() {
            prop_assert_eq!(&rows("UTC", text), &expected);
        }
    }

    #[test]
    fn a_written_record_is_read_back(cdr in cdr(), zone in prop::sample::select(&ZONES[..])) {
        let read = rows(zone, written(&cdr, zone).as_bytes());
        prop_assert_eq!(read, [Ok(cdr)]);
    }
}
