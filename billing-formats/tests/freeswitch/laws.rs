//! What holds for every file, whatever is in it.

use billing_formats::freeswitch::{Reason, Row, Template, Variables};
use proptest::{
    array::uniform3,
    collection::vec,
    prelude::*,
    sample::{self, Index},
};

use super::{csv_rows, json_rows, row};

const LINE: &str = r#""Ann","101","102","default","2026-10-01 08:00:00","2026-10-01 08:00:05","2026-10-01 08:01:06","66","61","NORMAL_CLEARING","f00d","","sales","PCMU","PCMU""#;
const DOCUMENT: &str = r#"{"variables":{"uuid":"f00d","hangup_cause":"NORMAL_CLEARING","start_stamp":"2026-10-01 08:00:00","start_uepoch":"1790841600471153","answer_uepoch":"1790841605971147","end_uepoch":"1790841666010851","billusec":"60039704"},"callflow":[{"caller_profile":{"caller_id_number":"101","destination_number":"102"}}]}"#;

/// Bytes that look like a file of such lines here and there.
fn file(line: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let changed = (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| {
        let mut line = line.as_bytes().to_vec();
        let at = at.index(line.len());
        line[at] = byte;
        line
    });
    let torn = any::<Index>().prop_map(|at| line.as_bytes()[..at.index(line.len())].to_vec());
    let piece = prop_oneof![
        4 => Just(line.as_bytes().to_vec()),
        3 => changed,
        3 => torn,
        2 => vec(any::<u8>(), 0..60),
        1 => Just(b" \t".to_vec()),
    ];
    let end = prop_oneof![4 => Just("\n"), 1 => Just("\r\n"), 1 => Just(""), 1 => Just("\u{feff}"), 1 => Just("\"")];
    vec((piece, end), 0..6).prop_map(|pieces| {
        pieces.into_iter().flat_map(|(piece, end)| [&piece, end.as_bytes()].concat()).collect()
    })
}

/// The numbers of lines that are not blank.
fn full_lines(input: &[u8]) -> Vec<u64> {
    let input = input.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(input);
    let lines = (1..).zip(input.split_inclusive(|byte| *byte == b'\n'));
    let is_blank = |line: &[u8]| {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        line.strip_suffix(b"\r").unwrap_or(line).iter().all(|byte| b" \t".contains(byte))
    };
    lines.filter(|(_, line)| !is_blank(line)).map(|(number, _)| number).collect()
}

fn numbers(rows: &[Row]) -> Vec<u64> {
    rows.iter()
        .map(|row| match row {
            Ok(cdr) => cdr.line,
            Err(bad) => bad.line,
        })
        .collect()
}

proptest! {
    #[test]
    fn every_line_is_answered_once(input in prop_oneof![file(LINE), vec(any::<u8>(), 0..300)]) {
        let rows = csv_rows(&Template::example(), "Europe/Berlin", &input);
        prop_assert_eq!(numbers(&rows), full_lines(&input));
    }

    #[test]
    fn every_document_is_answered_once(input in prop_oneof![file(DOCUMENT), vec(any::<u8>(), 0..300)]) {
        let rows = json_rows(&Variables::default(), &input);
        prop_assert_eq!(numbers(&rows), full_lines(&input));
    }

    #[test]
    fn talk_time_is_never_far_from_answer_to_end(input in file(DOCUMENT)) {
        for cdr in json_rows(&Variables::default(), &input).into_iter().flatten() {
            let measured_ms = cdr.answer.zip(cdr.end).map(|(answer, end)| answer.millis_until(end).unwrap_or(0));
            prop_assert!(measured_ms.is_none_or(|measured_ms| cdr.talk_ms.abs_diff(measured_ms) <= 1_000));
            prop_assert!(cdr.answer.is_some() || cdr.talk_ms == 0);
        }
    }

    /// The switch cuts each time to the unit before it subtracts.
    #[test]
    fn what_the_switch_computes_is_accepted_with_times_in_any_unit(
        start_us in 1_790_841_600_000_000_u64..1_790_841_700_000_000,
        ringing_us in 0_u64..90_000_000,
        talk_us in 0_u64..20_000_000_000,
        talk in sample::select(vec![("billsec", 1_000_000), ("billmsec", 1_000), ("billusec", 1)]),
        time_units in uniform3(sample::select(vec![("epoch", 1_000_000), ("uepoch", 1)])),
        more_s in 3_u64..10_000,
    ) {
        let answer_us = start_us + ringing_us;
        let times_us = [start_us, answer_us, answer_us + talk_us];
        let mut changes = vec![];
        for ((moment, us), (unit, unit_us)) in ["start", "answer", "end"].into_iter().zip(times_us).zip(time_units) {
            changes.push((format!("{moment}_epoch"), String::new()));
            changes.push((format!("{moment}_{unit}"), (us / unit_us).to_string()));
        }
        let (name, unit_us) = talk;
        let stated = (answer_us + talk_us) / unit_us - answer_us / unit_us;
        let row_with = |stated: u64| {
            let mut changes = changes.clone();
            changes.push((name.to_owned(), stated.to_string()));
            row(&changes.iter().map(|(name, value)| (&**name, &**value)).collect::<Vec<_>>())
        };
        let cdr = row_with(stated).unwrap();
        prop_assert!((cdr.talk_ms * 1_000).abs_diff(talk_us) < 1_001_000);
        let reason = row_with(stated + more_s * 1_000_000 / unit_us).unwrap_err().reason;
        prop_assert_eq!(reason, Reason::TalkUnlikeTimes);
    }

    #[test]
    fn a_value_between_marks_is_read_back(name in "[^\\p{Cc}]{0,12}", account in "[^\\p{Cc}\"]{0,12}") {
        let line = LINE.replace("Ann", &name.replace('"', "\"\"")).replace("sales", &account);
        let row = csv_rows(&Template::example(), "UTC", line.as_bytes()).pop().unwrap();
        let account = account.trim_matches([' ', '\t']);
        prop_assert_eq!(row.map(|cdr| cdr.account_code), Ok(account.to_owned()));
    }

    #[test]
    fn any_template_that_is_accepted_is_read_back(text in "[a-z\", ]{0,3}([$][{][a-z]{1,3}[}][a-z\", ]{0,3}){0,4}") {
        if let Ok(template) = text.parse::<Template>() {
            prop_assert_eq!(template.to_string().parse(), Ok(template));
        }
    }
}
