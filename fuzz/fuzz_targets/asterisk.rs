//! The reader of Asterisk: every physical line gives one row.
#![no_main]

use billing_formats::asterisk::{Reader, entry};
use billing_fuzz::{ACCOUNTS, OPTIONS, lines};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let mut answered = 0;
    for (row, number) in Reader::new(input, &OPTIONS).zip(1..) {
        let row = row.expect("bytes in memory are read");
        let line = match &row {
            Ok(cdr) => cdr.line,
            Err(bad) => bad.line,
        };
        assert_eq!(line, number);
        let _entry = entry(row, &OPTIONS, &ACCOUNTS);
        answered += 1;
    }
    assert_eq!(answered, lines(input).len());
});
