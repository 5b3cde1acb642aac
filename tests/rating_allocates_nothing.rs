//! A call is rated without asking for memory.

use billing::core::{
    number::PhoneNumber,
    tariff::{Rater, Tariff, TariffSpec, Usage},
};

#[test]
fn a_call_is_rated_without_an_allocation() {
    let text = include_str!("../examples/data/tariffs/retail-1.json");
    let spec: TariffSpec = serde_json::from_str(text).unwrap();
    let tariff = Tariff::compile(&spec).unwrap();
    // On a working day and a Sunday, within a window and over its end; plain lines, and one with bands.
    let starts = ["2026-10-05T08:00:00Z", "2026-10-05T21:58:30Z", "2026-10-04T12:00:00Z"];
    let numbers = ["+493012345678", "+494012345678", "+12025550123", "+61212345678"];
    let usages: Vec<Usage> = starts
        .iter()
        .flat_map(|start| numbers.map(|number| (start, number)))
        .map(|(start, number)| {
            let callee: PhoneNumber = number.parse().unwrap();
            Usage::call(&callee, start.parse().unwrap(), 4_000_000)
        })
        .collect();
    let mut results = Vec::with_capacity(usages.len());
    let mut rated = 0;
    let alone = allocation_counter::measure(|| {
        rated = usages.iter().filter(|usage| tariff.rate(usage).is_ok()).count();
    });
    let together = allocation_counter::measure(|| {
        Rater::Version(&tariff).rate_batch(&usages, &mut results);
    });
    assert_eq!(rated, usages.len());
    assert_eq!((alone.count_total, together.count_total), (0, 0));
}
