//! Random accounts, plans and calls, from which the laws draw their cases.

use billing_core::{
    account::AccountSettings,
    item::{CallEnded, Disposition},
    money::{Amount, Rounding},
    time::{Day, Instant},
};
use proptest::{
    collection::vec,
    prelude::{Just, Strategy, any},
    sample::{Index, select},
};

use crate::common::{self, document, plan, world::World};

pub(crate) const ZONES: [&str; 9] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Santiago",
    "Asia/Kolkata",
    "Africa/Cairo",
    "Australia/Lord_Howe",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
];

pub(crate) const ROUNDINGS: [Rounding; 7] = [
    Rounding::HalfUp,
    Rounding::HalfEven,
    Rounding::HalfDown,
    Rounding::Up,
    Rounding::Down,
    Rounding::Ceiling,
    Rounding::Floor,
];

pub(crate) const TAXES: [&str; 4] = [
    "",
    r#","tax":{"name":"VAT","percent":"8","mode":"added"}"#,
    r#","tax":{"name":"VAT","percent":"8.1","mode":"included"}"#,
    r#","tax":{"name":"GST","percent":"12.345678","mode":"added"}"#,
];

/// 2026-01-05T00:00:00Z, when every zone has 2026-01-04 at least.
pub(crate) const START_MICROS: i64 = 1_767_571_200_000_000;
pub(crate) const DAY_MICROS: i64 = 86_400_000_000;

/// An instant after every period of every case.
pub(crate) const END: &str = "2027-12-31T12:00:00Z";

/// How an account is billed in one case.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub(crate) settings: AccountSettings,
    /// The kind and shape of the strategies, and their prices under version 1 and version 2.
    pub(crate) strategies: Vec<String>,
    pub(crate) changed: Vec<String>,
    /// When version 2 begins.
    pub(crate) change: Day,
}

pub(crate) fn settings() -> impl Strategy<Value = AccountSettings> {
    let months = 1_u16..=3;
    let decimals = select(vec![0_u8, 2, 2, 2, 3, 10]);
    (select(&ZONES[..]), 0_i32..400, months, decimals, select(&ROUNDINGS[..]), select(&TAXES[..]))
        .prop_map(|(zone, from, months, decimals, rounding, tax)| {
            let from = Day::from_ordinal(20_454 - from).unwrap();
            let rounding = serde_json::to_string(&rounding).unwrap();
            document(&format!(
                r#"{{"id":"alice","currency":"EUR","zone":"{zone}",
                     "anchor":{{"from":"{from}","months":{months}}},
                     "invoice":{{"decimals":{decimals},"rounding":{rounding}}}{tax}}}"#
            ))
        })
}

/// A price in units of 10^-4.
pub(crate) fn price(units: u32) -> String {
    Amount::from_units(i128::from(units), 4).unwrap().to_string()
}

pub(crate) fn flat_rate(id: &str, minutes: &str, price_units: u32) -> String {
    let price = price(price_units);
    let terms = format!(r#"{{"per_minute":"{price}","minutes":"{minutes}"}}"#);
    common::named(id, "flat_rate", &terms)
}

pub(crate) fn blocks(id: &str, scope: &str, block_ms: u32, price_units: u32) -> String {
    let price = price(price_units);
    let terms = format!(r#"{{"block_ms":{block_ms},"per_block":"{price}","scope":"{scope}"}}"#);
    common::named(id, "blocks", &terms)
}

/// Any of the built-in strategies, under two prices.
pub(crate) fn strategies() -> impl Strategy<Value = Vec<[String; 2]>> {
    let shapes = ["pro_rata", "per_started_minute", "call", "period", "lifetime"];
    let one = (select(shapes.to_vec()), 1_u32..100_000, 0_u32..5_000, 0_u32..5_000);
    vec(one, 1..4).prop_map(|chosen| {
        let numbered = chosen.into_iter().enumerate();
        let built = numbered.map(|(i, (shape, block_ms, old, new))| {
            let id = format!("s{i}");
            [old, new].map(|price| match shape {
                "pro_rata" | "per_started_minute" => flat_rate(&id, shape, price),
                _ => blocks(&id, shape, block_ms, price),
            })
        });
        built.collect()
    })
}

pub(crate) fn terms() -> impl Strategy<Value = Terms> {
    (settings(), strategies(), 20_460_i32..20_600).prop_map(|(settings, both, change)| {
        let [strategies, changed] =
            [0, 1].map(|version: usize| both.iter().map(|s| s[version].clone()).collect());
        Terms { settings, strategies, changed, change: Day::from_ordinal(change).unwrap() }
    })
}

pub(crate) fn of_call(i: usize, at: i64, duration_ms: u64, disposition: Disposition) -> CallEnded {
    let mut ended = common::call(&format!("call-{i}"), "2026-01-01T00:00:00Z", duration_ms);
    ended.call.start = Instant::from_micros(START_MICROS + at).unwrap();
    ended.call.disposition = disposition;
    ended
}

/// Calls over five months.
pub(crate) fn calls(size: core::ops::Range<usize>) -> impl Strategy<Value = Vec<CallEnded>> {
    let dispositions = [Disposition::Answered, Disposition::Answered, Disposition::NoAnswer];
    let one = (0..150 * DAY_MICROS, 0_u64..7_200_000, select(dispositions.to_vec()));
    vec(one, size).prop_map(|calls| {
        let numbered = calls.into_iter().enumerate();
        numbered.map(|(i, (at, ms, disposition))| of_call(i, at, ms, disposition)).collect()
    })
}

pub(crate) fn shuffled(size: core::ops::Range<usize>) -> impl Strategy<Value = Vec<CallEnded>> {
    calls(size).prop_flat_map(|calls| Just(calls).prop_shuffle())
}

/// Runs of issuing: after how many calls, and up to when.
pub(crate) fn runs() -> impl Strategy<Value = Vec<(Index, i64)>> {
    vec((any::<Index>(), 0..200 * DAY_MICROS), 0..6)
}

pub(crate) fn world(terms: &Terms) -> World {
    let mut world = World::empty();
    world.open(&terms.settings);
    world.save(plan(1, &terms.strategies));
    world.save(plan(2, &terms.changed));
    world.assign(&terms.settings.id, 1, "2026-01-01").unwrap();
    world.assign(&terms.settings.id, 2, &terms.change.to_string()).unwrap();
    world
}
