//! Dial plans: the first line is one, and the others are dialled; an E.164 number stays what it is.
#![no_main]

use std::sync::LazyLock;

use billing_core::item::Party;
use billing_formats::dial_plan::{DialPlan, Dialled};
use billing_fuzz::{first_line, lines, read_or};
use libfuzzer_sys::fuzz_target;

static PLAN: LazyLock<DialPlan> = LazyLock::new(|| {
    let plan = r#"{"country": "49", "international_prefixes": ["00"], "national_prefix": "0", "area_code": "30",
    "short_codes": ["112"], "special_prefixes": ["*"], "internal_digits_max": 3}"#;
    serde_json::from_str(plan).expect("a plan")
});

fuzz_target!(|input: &[u8]| {
    let (document, numbers) = first_line(input);
    let plan: DialPlan = read_or(document, &PLAN);
    let written = serde_json::to_string(&plan).expect("a plan is a document");
    assert_eq!(serde_json::from_str::<DialPlan>(&written).expect("it is read back"), plan);
    for number in lines(numbers) {
        let Some(party) = std::str::from_utf8(number).ok().and_then(|text| text.parse().ok())
        else {
            continue;
        };
        let dialled = plan.normalize(&party);
        if let Dialled::E164(_) = &dialled {
            assert_eq!(plan.normalize(&Party::from(dialled.clone())), dialled);
        }
    }
});
