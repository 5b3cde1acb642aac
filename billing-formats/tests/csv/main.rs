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

mod lines;
mod mappings;
mod payers;
mod rows;
mod values;

use billing_core::item::{Call, Incoming, Item, Pulse};
use billing_formats::{
    accounts::AccountMap,
    csv::{Mapping, Reader, Row},
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
