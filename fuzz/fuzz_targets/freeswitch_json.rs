//! The reader of FreeSWITCH's documents: every line that is not blank gives one row.
#![no_main]

use billing_formats::freeswitch::{JsonReader, Legs, Variables};
use billing_fuzz::{OPTIONS, check_freeswitch};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let variables = Variables { legs: Legs::Both, ..Variables::default() };
    check_freeswitch(JsonReader::new(input, &variables, &OPTIONS), input);
});
