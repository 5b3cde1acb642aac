//! Tariffs: one that compiles prices any call without a panic, the same in every form, and nothing for no talk.
#![no_main]

use billing_core::{
    money::Amount,
    number::PhoneNumber,
    tariff::{Tariff, TariffSpec, Usage},
    time::Instant,
};
use libfuzzer_sys::fuzz_target;

const NUMBERS: [&str; 4] = ["4930123456", "12025550123", "999999999999999", "1"];
/// Up to the longest call that is taken in by default: work grows with the days on which windows open.
const DURATIONS_MS: [u64; 5] = [0, 1, 61_000, 86_400_000, 366 * 86_400_000];
const STARTS: [&str; 3] =
    ["2026-10-05T08:00:00Z", "2026-10-25T00:59:59.999999Z", "2026-03-08T06:59:00Z"];

fuzz_target!(|input: &[u8]| {
    let Ok(spec) = serde_json::from_slice::<TariffSpec>(input) else { return };
    let written = serde_json::to_string(&spec).expect("a tariff is a document");
    let again: TariffSpec = serde_json::from_str(&written).expect("it is read back");
    assert_eq!(again, spec);
    let Ok(tariff) = Tariff::compile(&spec) else { return };
    let again = Tariff::compile(&again).expect("it compiles again");
    for (number, start) in NUMBERS.into_iter().flat_map(|n| STARTS.map(|start| (n, start))) {
        let number: PhoneNumber = number.parse().expect("a number");
        let start: Instant = start.parse().expect("an instant");
        for duration_ms in DURATIONS_MS {
            let usage = Usage::call(&number, start, duration_ms).from(&number);
            let amount =
                |tariff: &Tariff| tariff.rate(&usage).map(|rated| (rated.amount(), rated.line()));
            let rated = amount(&tariff);
            assert_eq!(rated, amount(&again));
            if let (0, Ok((amount, _))) = (duration_ms, rated) {
                assert_eq!(amount, Amount::ZERO);
            }
        }
    }
});
