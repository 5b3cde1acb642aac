//! Calls that are lent are those that the reader gives.

use std::io::BufReader;

use billing_core::{
    id::{AccountId, LegId},
    item::{Incoming, Item},
};
use billing_formats::{
    accounts::AccountMap,
    csv::{CallRow, CallRows, Mapping, Reader},
};
use proptest::{collection::vec, option, prelude::*, sample::select};

const MAPPINGS: [&str; 4] = [
    r#"{"source":"a","zone":"UTC","records":{"calls":{"id":"id","account":"account","start":"start",
        "duration":{"milliseconds":"talk"},"caller":"from","callee":"to",
        "disposition":{"listed":{"column":"end","values":{"ok":"answered","busy":"busy"}}}}}}"#,
    r#"{"source":"a","zone":"Europe/Berlin","times":"epoch_s","records":{"calls":{"id":"id","account":{"constant":"x"},
        "start":"start","duration":{"seconds":"talk"},"caller":{"constant":"12"},"callee":"to"}}}"#,
    r#"{"source":"a","zone":"UTC","times":"epoch_ms","header":{"absent":{}},"quotes":"none","records":{"calls":{
        "id":1,"start":3,"duration":{"minutes":4},"callee":6,
        "direction":{"listed":{"column":7,"values":{"ok":"inbound"},"otherwise":"outbound"}}}}}"#,
    r#"{"source":"a","zone":"UTC","delimiter":"\t","records":{"calls":{"id":"id","leg":"end","start":"start",
        "answer":"start","duration":{"seconds":"talk"}}}}"#,
];

/// A column that is right for one of the mappings, or nearly.
fn word() -> impl Strategy<Value = String> {
    let usual = select(vec![
        "1",
        "a1",
        "",
        "ok",
        "OK",
        "Busy",
        "lost",
        "+12025550123",
        "49 30",
        "\"q\"",
        "\"q",
        "é",
        "é,",
        "61",
        "061",
        "1.5",
        " 7 ",
        "-1",
        "123456789012345",
        "1234567890123456789012",
        "2026-03-01T00:00:00Z",
        "2026-03-01T00:00:00.5Z",
        "2026-03-01T23:59:59.1234567Z",
        "2026-02-29T00:00:00Z",
        "2026-03-01T24:00:00Z",
        "2026-03-01t00:00:00z",
        "2026-03-01T00:00:00+01:00",
        "0000-01-01T00:00:00Z",
        "2026-12-31T23:59:60Z",
        "\u{1}",
        "x\ty",
    ]);
    prop_oneof![8 => usual.prop_map(str::to_owned), 1 => any::<String>(), 1 => "[0-9]{0,300}"]
}

/// A line as a source writes it: usually whole.
fn line() -> impl Strategy<Value = Vec<String>> {
    let time = select(vec![
        "2026-03-01T00:00:00Z",
        "2026-03-01T09:30:00.25Z",
        "1790000000",
        "1790000000123",
    ]);
    let whole = (0_u32..99, time, 0_u32..999, select(vec!["ok", "OK", "busy", "lost"])).prop_map(
        |(id, time, talk, end)| {
            let columns =
                [&id.to_string(), "alice", time, &talk.to_string(), "+1202", "+4930", end];
            columns.map(str::to_owned).to_vec()
        },
    );
    (whole, option::weighted(0.4, (0_usize..8, word()))).prop_map(|(mut columns, other)| {
        match other {
            Some((place, word)) if place < columns.len() => columns[place] = word,
            Some((_, word)) => columns.push(word),
            None => {}
        }
        columns
    })
}

fn lent(row: CallRow<'_>) -> String {
    let CallRow {
        id,
        leg,
        partial,
        account,
        start,
        duration_ms,
        caller,
        callee,
        disposition,
        direction,
    } = row;
    format!(
        "{id:?} {leg:?} {partial:?} {account:?} {start} {duration_ms} {caller:?} {callee:?} {disposition:?} {direction:?}"
    )
}

fn read(incoming: Incoming) -> String {
    let Incoming { key, account, item: Item::Call(call) } = incoming else { panic!("a call") };
    lent(CallRow {
        id: key.id.as_str(),
        leg: key.leg.as_ref().map(LegId::as_str),
        partial: key.partial,
        account: account.as_ref().map(AccountId::as_str),
        start: call.start,
        duration_ms: call.duration_ms,
        caller: call.caller.as_str(),
        callee: call.callee.as_str(),
        disposition: call.disposition,
        direction: call.direction,
    })
}

proptest! {
    #[test]
    fn calls_are_lent_as_the_reader_gives_them(
        mapping in select(MAPPINGS.to_vec()),
        lines in vec(line(), 0..30),
        end in select(vec!["\n", "\r\n"]),
        buffer in select(vec![16_usize, 64, 100, 65_536]),
    ) {
        let mapping: Mapping = serde_json::from_str(mapping).unwrap();
        let delimiter = if matches!(serde_json::to_value(&mapping).unwrap()["delimiter"].as_str(), Some("\t")) { "\t" } else { "," };
        let header = ["id", "account", "start", "talk", "from", "to", "end"].map(str::to_owned).to_vec();
        let all = core::iter::once(&header).chain(&lines).map(|columns| columns.join(delimiter));
        let file = all.collect::<Vec<_>>().join(end);
        let accounts = AccountMap::default();

        let mut expected = Vec::new();
        let mut reader = Reader::try_new(file.as_bytes(), &mapping, &accounts).unwrap();
        while let Some(row) = reader.next() {
            let row = match row {
                Ok(Ok(incoming)) => read(incoming),
                Ok(Err(bad)) => format!("{bad} {}", bad.raw),
                Err(error) => error.to_string(),
            };
            expected.push((reader.line(), row));
        }
        let mut found = Vec::new();
        let mut rows = CallRows::try_new(BufReader::with_capacity(buffer, file.as_bytes()), &mapping, &accounts).unwrap();
        while let Some(row) = rows.next_row() {
            let row = match row {
                Ok(Ok(row)) => lent(row),
                Ok(Err(bad)) => format!("{bad} {}", bad.raw),
                Err(error) => error.to_string(),
            };
            found.push((rows.line(), row));
        }
        prop_assert_eq!(found, expected);
    }
}
