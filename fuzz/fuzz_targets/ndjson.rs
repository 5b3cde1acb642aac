//! The reader of JSON lines: every line that is not blank gives one row, and what was read is written and read again.
#![no_main]

use billing_formats::ndjson::{Reader, write};
use billing_fuzz::full_lines;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let numbers = full_lines(input);
    let rows: Vec<_> = Reader::new(input).map(|row| row.expect("bytes are read")).collect();
    assert_eq!(rows.len(), numbers.len());
    for (row, number) in rows.into_iter().zip(numbers) {
        match row {
            Err(bad) => assert_eq!(bad.line, number),
            Ok(item) => {
                let mut line = Vec::new();
                write(&item, &mut line).expect("what was read can be written");
                let again = Reader::new(&*line).next().expect("a line").expect("bytes are read");
                assert_eq!(again, Ok(item));
            }
        }
    }
});
