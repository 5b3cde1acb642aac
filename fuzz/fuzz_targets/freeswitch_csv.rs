//! The reader of FreeSWITCH's lines: the first one is the template; every other one that is not blank gives one row.
#![no_main]

use billing_formats::freeswitch::{CsvReader, Template, Variables};
use billing_fuzz::{OPTIONS, check_freeswitch, first_line, parsed_or};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let (text, file) = first_line(input);
    let template: Template = parsed_or(text, Template::example);
    assert_eq!(template.to_string().parse(), Ok(template.clone()));
    let variables = Variables::default();
    if let Ok(reader) = CsvReader::try_new(file, &template, &variables, &OPTIONS) {
        check_freeswitch(reader, file);
    }
});
