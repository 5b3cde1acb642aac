//! Decks handed on line by line.

use core::{convert::Infallible, fmt};

use billing_core::tariff::LineSpec;
use billing_formats::deck::{Counts, StreamError, stream};
use serde_json::json;

use crate::{codes, mapping, standard};

#[test]
fn lines_come_as_they_are_read_and_are_counted() {
    let columns = json!({"change": {"column": "flag", "values": {"": "new", "x": "withdrawn"}}, "window": "when"});
    let file = "code,name,rate,flag,when\n49,Germany,0.02,,\n33,,,x,\n*,all,1,,evening\n\n49,Germany,0.03,,\n";
    let mut lines = Vec::new();
    let push = |line: LineSpec| -> Result<(), Infallible> {
        lines.push(line);
        Ok(())
    };
    let counts = stream(file.as_bytes(), &mapping(&json!({}), &columns), push).unwrap();
    let accepted =
        Counts { rows: 6, priced: 3, withdrawn: 1, passed_over: 1, blank: 1, ..Counts::default() };
    assert_eq!(counts, accepted);
    assert_eq!(lines.iter().flat_map(codes).collect::<Vec<_>>(), ["49", "*", "49"]);
    assert_eq!(lines[1].window.as_deref(), Some("evening"));
}

#[test]
fn nothing_is_handed_on_after_a_row_that_is_refused() {
    let file = "code,name,rate\n49,Germany,0.02\n33,France,x\n34,Spain,0.03\n35,Portugal,y\n";
    let mut pushed = 0;
    let result = stream(file.as_bytes(), &standard(), |_line| {
        pushed += 1;
        Ok::<(), Infallible>(())
    });
    let Err(StreamError::BadRows(rows)) = result else { panic!("{result:?}") };
    assert_eq!((pushed, rows.count()), (1, 2));
}

#[test]
fn a_line_that_the_sink_refuses_ends_the_stream() {
    let file = "code,name,rate\n49,Germany,0.02\n33,France,0.03\n";
    let result = stream(file.as_bytes(), &standard(), |line| {
        if line.destination.as_str() == "France" { Err(fmt::Error) } else { Ok(()) }
    });
    assert_eq!(result.unwrap_err().to_string(), "the line of the row on line 3 is not accepted");
}

#[test]
fn changes_alone_cannot_be_handed_on() {
    let delta = mapping(&json!({"mode": "delta"}), &json!({}));
    let result = stream("".as_bytes(), &delta, |_line| Ok::<(), Infallible>(()));
    assert!(matches!(result, Err(StreamError::Delta)));
}

#[test]
fn a_thousand_windows_are_kept_and_no_more() {
    let mapping = mapping(&json!({}), &json!({"window": "window"}));
    let row = |window: u32| format!("49,Germany,0.02,window {window}\n");
    let file = |names: u32| {
        let rows: String = (0..names).chain([0, 1]).map(row).collect();
        format!("code,name,rate,window\n{rows}")
    };
    let read = |names| stream(file(names).as_bytes(), &mapping, |_line| Ok::<(), Infallible>(()));
    assert_eq!(read(1_000).unwrap().priced, 1_002);
    let Err(StreamError::BadRows(rows)) = read(1_002) else { panic!("read") };
    assert_eq!(rows.count(), 2);
    assert_eq!(
        rows.rows()[0].to_string(),
        "line 1002, column `window`, value \"window 1000\": \
         the rows before name 1000 windows, and this is another one; accepted are no more in one deck",
    );
}
