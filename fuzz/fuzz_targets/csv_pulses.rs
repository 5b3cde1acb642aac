//! The reader of CSV, for pulses of five columns.
#![no_main]

use std::sync::LazyLock;

use billing_formats::csv::Mapping;
use billing_fuzz::check_csv;
use libfuzzer_sys::fuzz_target;

static MAPPING: LazyLock<Mapping> = LazyLock::new(|| {
    let mapping = r#"{"source": "fuzz", "zone": "Europe/Berlin", "delimiter": ";", "decimal": "comma",
    "times": {"local": "%d.%m.%Y %H:%M:%S%.f"}, "header": {"absent": {}},
    "records": {"pulses": {"id": {"digest": [1, 2]}, "account": {"map": {"party": 2}}, "at": {"date": 3, "time": 4},
        "product": {"constant": "data"}, "unit": {"constant": "MB"}, "amount": 5, "properties": {"cell": 1}}}}"#;
    serde_json::from_str(mapping).expect("a mapping")
});

fuzz_target!(|input: &[u8]| {
    check_csv(input, &MAPPING);
});
