//! The reader of CSV, for calls: the first line is the mapping, or presets read it all; lent or not, they are the same.
#![no_main]

use std::sync::LazyLock;

use billing_formats::{csv::Mapping, kamailio};
use billing_fuzz::{OPTIONS, check_csv, check_lent, first_line};
use libfuzzer_sys::fuzz_target;

static PRESETS: LazyLock<[Mapping; 3]> = LazyLock::new(|| {
    let named = || (OPTIONS.source.clone(), OPTIONS.zone.clone());
    let ((source, zone), (second, there), (third, place)) = (named(), named(), named());
    [
        kamailio::cdrs(source, zone),
        kamailio::acc_cdrs(second, there),
        kamailio::opensips_acc(third, place),
    ]
});

fuzz_target!(|input: &[u8]| {
    let (document, file) = first_line(input);
    if let Ok(mapping) = serde_json::from_slice::<Mapping>(document) {
        check_csv(file, &mapping);
        check_lent(file, &mapping);
        let written = serde_json::to_string(&mapping).expect("a mapping is a document");
        assert_eq!(serde_json::from_str::<Mapping>(&written).expect("it is read back"), mapping);
        return;
    }
    PRESETS.iter().for_each(|preset| check_csv(input, preset));
});
