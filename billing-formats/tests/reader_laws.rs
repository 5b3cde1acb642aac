//! What holds for every file, of comma-separated values or of documents.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::default_numeric_fallback,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

use std::io::{self, BufRead, BufReader, Read};

use billing_core::{
    item::{
        Call, Direction, Disposition, Incoming, Item, ItemKey, OneOff, Party, Properties, Pulse,
    },
    money::{Currency, Money},
    time::Instant,
};
use billing_formats::{
    accounts::AccountMap,
    csv::{self, LINE_BYTES_MAX, Mapping},
    ndjson,
};
use proptest::{collection::vec, option, prelude::*, sample::Index, string::string_regex};
use serde_json::{Value, json};

fn text(pattern: &str) -> impl Strategy<Value = String> + use<> {
    string_regex(pattern).unwrap()
}

/// Texts that an id may have, also those that CSV and JSON must take care of.
fn id() -> impl Strategy<Value = String> {
    text("[a-z0-9\",; \\\\äß]{0,8}[a-z0-9]").prop_map(|id| id.trim().to_owned())
}

fn instant() -> impl Strategy<Value = Instant> {
    (-60_000_000_000_000_000_i64..250_000_000_000_000_000)
        .prop_map(|micros| Instant::from_micros(micros).unwrap())
}

fn party() -> impl Strategy<Value = Party> {
    text("[+]?[0-9]{0,15}|[a-z\",]{0,9}").prop_map(|party| party.parse().unwrap())
}

fn call() -> impl Strategy<Value = Call> {
    let disposition = prop::sample::select(vec![
        Disposition::Answered,
        Disposition::NoAnswer,
        Disposition::Busy,
        Disposition::Failed,
    ]);
    let direction =
        prop::sample::select(vec![Direction::Outbound, Direction::Inbound, Direction::Internal]);
    (instant(), any::<u64>(), party(), party(), disposition, direction).prop_map(
        |(start, duration_ms, caller, callee, disposition, direction)| Call {
            start,
            duration_ms,
            caller,
            callee,
            disposition,
            direction,
        },
    )
}

fn item() -> impl Strategy<Value = Item> {
    let amount = || text("-?[0-9]{1,18}([.][0-9]{1,10})?");
    let properties = vec((id(), text("[^\\p{Cc}]{0,20}")), 0..4);
    let pulse = (instant(), id(), id(), amount(), properties).prop_map(
        |(at, product, unit, amount, properties)| {
            Item::Pulse(Pulse {
                at,
                product: product.parse().unwrap(),
                unit: unit.parse().unwrap(),
                amount: amount.parse().unwrap(),
                properties: Properties::try_new(properties).unwrap(),
            })
        },
    );
    let one_off = (instant(), id(), amount()).prop_map(|(at, name, amount)| {
        let price = Money::new(amount.parse().unwrap(), Currency::try_new("EUR").unwrap());
        Item::OneOff(OneOff { at, name: name.parse().unwrap(), price })
    });
    prop_oneof![call().prop_map(Item::Call), pulse, one_off]
}

fn key() -> impl Strategy<Value = ItemKey> {
    (id(), id(), option::of(id()), 0_u32..4).prop_map(|(source, id, leg, partial)| ItemKey {
        source: source.parse().unwrap(),
        id: id.parse().unwrap(),
        leg: leg.map(|leg| leg.parse().unwrap()),
        partial: partial.try_into().ok(),
    })
}

fn incoming() -> impl Strategy<Value = Incoming> {
    (key(), option::of(id()), item()).prop_map(|(key, account, item)| Incoming {
        key,
        account: account.map(|account| account.parse().unwrap()),
        item,
    })
}

fn document(incoming: &Incoming) -> String {
    let mut output = Vec::new();
    ndjson::write(incoming, &mut output).unwrap();
    String::from_utf8(output).unwrap()
}

/// A call as the mapping below has it, in columns that are all quoted; the note stands in the last but one.
fn record(call: &Call, key: &ItemKey, note: &str) -> String {
    let columns = [
        key.id.as_str(),
        key.leg_text(),
        &key.partial_number().to_string(),
        &call.start.to_string(),
        &call.duration_ms.to_string(),
        call.caller.as_str(),
        call.callee.as_str(),
        call.disposition.name(),
        call.direction.name(),
        note,
        "end",
    ];
    columns.map(|column| format!("\"{}\"", column.replace('"', "\"\""))).join(";")
}

/// A mapping of such files.
fn mapping(header: &str) -> Mapping {
    serde_json::from_value(json!({
        "source": "pbx", "zone": "UTC", "delimiter": ";", "header": if header == "present" { json!("present") } else { json!({"absent": {"columns": 11}}) },
        "records": {"calls": {
            "id": 1, "leg": 2, "partial": 3, "account": {"constant": "alice"}, "start": 4, "duration": {"milliseconds": 5},
            "caller": 6, "callee": 7,
            "disposition": {"listed": {"column": 8, "values":
                {"answered": "answered", "no_answer": "no_answer", "busy": "busy", "failed": "failed"}}},
            "direction": {"listed": {"column": 9, "values":
                {"outbound": "outbound", "inbound": "inbound", "internal": "internal"}}},
        }},
    }))
    .unwrap()
}

/// Calls that files of comma-separated values can hold: talk time means an answer, and has up to 19 digits.
fn listed_call() -> impl Strategy<Value = (Call, ItemKey)> {
    (call(), key()).prop_map(|(mut call, mut key)| {
        let is_answered = call.disposition == Disposition::Answered;
        call.duration_ms =
            if is_answered { call.duration_ms.min(9_999_999_999_999_999_999) } else { 0 };
        key.source = "pbx".parse().unwrap();
        (call, key)
    })
}

/// A note that nobody reads.
fn note() -> impl Strategy<Value = String> {
    text("[a-z\";\r\n]{0,12}").prop_map(|note| note.replace('\r', ""))
}

/// Bytes that look like a file here and there.
fn csv_file() -> impl Strategy<Value = Vec<u8>> {
    let line = (listed_call(), note())
        .prop_map(|((call, key), note)| record(&call, &key, &note).into_bytes());
    damaged(line.boxed())
}

fn ndjson_file() -> impl Strategy<Value = Vec<u8>> {
    let line = incoming().prop_map(|incoming| document(&incoming).trim_end().as_bytes().to_vec());
    damaged(line.boxed())
}

fn damaged(line: BoxedStrategy<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let changed = (line.clone(), any::<Index>(), any::<u8>()).prop_map(|(mut line, at, byte)| {
        let at = at.index(line.len());
        line[at] = byte;
        line
    });
    let torn = (line.clone(), any::<Index>()).prop_map(|(mut line, at)| {
        line.truncate(at.index(line.len()));
        line
    });
    let long = (0_usize..8).prop_map(|excess| vec![b'x'; LINE_BYTES_MAX - 4 + excess]);
    let piece = prop_oneof![
        8 => line,
        4 => changed,
        4 => torn,
        2 => vec(any::<u8>(), 0..60),
        2 => text("[\"; \n\r]{0,12}").prop_map(String::into_bytes),
        1 => long,
    ];
    let end = prop_oneof![
        8 => Just(&b"\n"[..]),
        2 => Just(&b"\r\n"[..]),
        1 => Just(&b""[..]),
        1 => Just(&b"\n\n \n"[..]),
        1 => Just(&b"\xEF\xBB\xBF"[..]),
        1 => Just(&b"\""[..]),
    ];
    vec((piece, end), 0..7).prop_map(|pieces| {
        pieces.into_iter().flat_map(|(piece, end)| [piece.as_slice(), end].concat()).collect()
    })
}

fn csv_rows(mapping: &Mapping, input: impl BufRead) -> Vec<csv::Row> {
    let accounts = AccountMap::default();
    let reader = csv::Reader::try_new(input, mapping, &accounts).unwrap();
    reader.map_while(Result::ok).collect()
}

fn ndjson_rows(input: impl BufRead) -> Vec<ndjson::Row> {
    ndjson::Reader::new(input).collect::<io::Result<_>>().unwrap()
}

/// The lines of a file without their ends.
fn lines(input: &[u8]) -> Vec<&[u8]> {
    let input = input.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(input);
    let lines = input.split_inclusive(|byte| *byte == b'\n');
    let without = |line, end| <[u8]>::strip_suffix(line, end).unwrap_or(line);
    lines.map(|line| without(without(line, b"\n"), b"\r")).collect()
}

fn is_blank(line: &[u8]) -> bool {
    line.iter().all(|byte| b" \t".contains(byte))
}

fn raw(lines: &[&[u8]]) -> String {
    String::from_utf8_lossy(&lines.join(&b'\n')).replace('\0', "\u{FFFD}")
}

/// Hands its bytes over in pieces of these sizes.
struct Pieces<'bytes> {
    bytes: &'bytes [u8],
    sizes: std::iter::Cycle<std::vec::IntoIter<usize>>,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let size = self.sizes.next().unwrap().min(buf.len());
        (&mut self.bytes).take(size as u64).read(buf)
    }
}

fn in_pieces(bytes: &[u8], sizes: Vec<usize>) -> BufReader<Pieces<'_>> {
    BufReader::with_capacity(7, Pieces { bytes, sizes: sizes.into_iter().cycle() })
}

proptest! {
    #[test]
    fn every_line_of_csv_is_answered_once(input in csv_file(), bytes in vec(any::<u8>(), 0..200)) {
        for input in [input, bytes] {
            let (mapping, accounts) = (mapping("absent"), AccountMap::default());
            let mut reader = csv::Reader::try_new(&*input, &mapping, &accounts).unwrap();
            let lines = lines(&input);
            let mut answered = 0;
            while let Some(row) = reader.next() {
                let row = row.unwrap();
                while is_blank(lines[answered]) {
                    answered += 1;
                }
                let last = usize::try_from(reader.line()).unwrap();
                prop_assert!(answered < last && last <= lines.len());
                if let Err(bad) = row {
                    prop_assert_eq!(usize::try_from(bad.line).unwrap(), answered + 1);
                    let whole = raw(&lines[answered..last]);
                    let is_cut = bad.reason == csv::Reason::TooLong;
                    prop_assert!(bad.raw == whole || is_cut && whole.starts_with(&bad.raw));
                }
                answered = last;
            }
            prop_assert!(lines[answered..].iter().all(|line| is_blank(line)));
        }
    }

    #[test]
    fn every_document_is_answered_once(input in ndjson_file(), bytes in vec(any::<u8>(), 0..200)) {
        for input in [input, bytes] {
            let lines = lines(&input);
            let full: Vec<_> = (1..).zip(&lines).filter(|(_, line)| !is_blank(line)).collect();
            let rows = ndjson_rows(&*input);
            prop_assert_eq!(rows.len(), full.len());
            for (row, (number, line)) in rows.iter().zip(full) {
                if let Err(bad) = row {
                    prop_assert_eq!(bad.line, number);
                    prop_assert!(raw(&[line]).starts_with(&bad.raw));
                }
            }
        }
    }

    #[test]
    fn it_does_not_matter_in_which_pieces_a_file_comes(
        csv in csv_file(),
        ndjson in ndjson_file(),
        sizes in vec(1_usize..20, 1..5),
    ) {
        for header in ["present", "absent"] {
            let mapping = mapping(header);
            prop_assert_eq!(csv_rows(&mapping, in_pieces(&csv, sizes.clone())), csv_rows(&mapping, &*csv));
        }
        prop_assert_eq!(ndjson_rows(in_pieces(&ndjson, sizes)), ndjson_rows(&*ndjson));
    }

    #[test]
    fn a_written_call_is_read_back(calls in vec((listed_call(), note()), 0..5), end in prop_oneof![Just("\n"), Just("\r\n")]) {
        let records: Vec<_> = calls.iter().map(|((call, key), note)| record(call, key, note)).collect();
        let rows = csv_rows(&mapping("absent"), records.join(end).as_bytes());
        let expected: Vec<_> = calls
            .into_iter()
            .map(|((call, key), _)| Ok(Incoming { key, account: Some("alice".parse().unwrap()), item: Item::Call(call) }))
            .collect();
        prop_assert_eq!(rows, expected);
    }

    #[test]
    fn a_torn_line_costs_itself_alone(
        (before, after) in (vec(listed_call(), 0..3), vec(listed_call(), 0..3)),
        torn in listed_call(),
        at in any::<Index>(),
    ) {
        let line = |(call, key): &(Call, ItemKey)| record(call, key, "a \"note\"") + "\n";
        let torn = line(&torn);
        let torn = torn.chars().take(at.index(torn.chars().count() - 1)).collect::<String>() + "\n";
        let lines = |calls: &[(Call, ItemKey)]| calls.iter().map(line).collect::<String>();
        let rows = csv_rows(&mapping("absent"), (lines(&before) + &torn + &lines(&after)).as_bytes());
        let answers = usize::from(!is_blank(torn.trim_end().as_bytes()));
        prop_assert_eq!(rows.len(), before.len() + answers + after.len());
        let others = rows[..before.len()].iter().chain(&rows[before.len() + answers..]);
        for (row, (call, key)) in others.zip(before.into_iter().chain(after)) {
            let account = Some("alice".parse().unwrap());
            prop_assert_eq!(row, &Ok(Incoming { key, account, item: Item::Call(call) }));
        }
    }

    #[test]
    fn a_written_document_is_read_back(incoming in vec(incoming(), 0..5)) {
        let file: String = incoming.iter().map(document).collect();
        let rows = ndjson_rows(file.as_bytes());
        prop_assert_eq!(rows, incoming.into_iter().map(Ok).collect::<Vec<_>>());
    }

    #[test]
    fn a_document_with_one_fault_is_refused_with_its_place(
        incoming in incoming(),
        at in any::<Index>(),
        value in prop_oneof![Just(json!(17)), Just(json!(-1.5)), Just(json!([])), Just(json!(true)), Just(json!("\u{7}"))],
    ) {
        let mut document: Value = serde_json::from_str(&document(&incoming)).unwrap();
        let places = places_in(&document, String::new());
        let place = &places[at.index(places.len())];
        *document.pointer_mut(place).unwrap() = value.clone();
        let row = ndjson_rows(document.to_string().as_bytes()).pop().unwrap();
        if value == json!(17) && (place == "/call/duration_ms" || place == "/key/partial") {
            prop_assert!(row.is_ok());
        } else {
            let ndjson::Reason::Value { place: found, .. } = row.unwrap_err().reason else {
                return Err(TestCaseError::fail("another reason"));
            };
            let place = place.trim_start_matches('/').replace('/', ".");
            prop_assert!(place == found || place.starts_with("pulse.properties") && found == "pulse.properties");
        }
    }
}

/// Every place in a document, without those of properties, whose names may have any characters.
fn places_in(document: &Value, place: String) -> Vec<String> {
    let Value::Object(object) = document else { return vec![place] };
    let inside = object.iter().filter(|_| place != "/pulse/properties");
    let mut places: Vec<_> =
        inside.flat_map(|(name, value)| places_in(value, format!("{place}/{name}"))).collect();
    if !place.is_empty() {
        places.push(place);
    }
    places
}
