//! Calls whose prices are known from elsewhere, by the engine and by the second rater.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[expect(dead_code, reason = "each file of tests is a crate of its own, which uses a part")]
mod reference;

use std::sync::Arc;

use billing_core::{
    id::TariffId,
    money::{Amount, Exact, Quantity},
    tariff::{Measure, RateError, Reach, Tariff, TariffSpec, Tariffs, Usage},
    time::Instant,
};
use reference::{Reference, Refused, Used, millionths};
use serde::Deserialize;

const CASES: &str = include_str!("cases/rating.json");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    cases: Vec<Case>,
    drift: Drift,
}

/// Tariffs, and calls under one of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    asked: TariffId,
    tariffs: Vec<Version>,
    calls: Vec<Call>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Version {
    since: Instant,
    tariff: TariffSpec,
}

/// A call, and what is known about its price.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    name: String,
    /// The number; a call to something else has none.
    #[serde(default)]
    to: String,
    at: Instant,
    seconds: Option<Quantity>,
    units: Option<Quantity>,
    price: Option<Amount>,
    /// The price before rounding.
    exact: Option<Exact>,
    /// The price without the fee for being connected.
    without_fee: Option<Exact>,
    billed: Option<Quantity>,
    /// Where each segment begins, and how much of it is billed.
    pieces: Option<Vec<(Quantity, Quantity)>>,
    /// Whether a line is in force at all.
    open: Option<bool>,
    balance: Option<Amount>,
    /// How much of the usage the balance pays for.
    reaches: Option<Quantity>,
}

/// An amount that is taken many times.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Drift {
    name: String,
    from: Amount,
    each: Amount,
    times: u32,
    to: Amount,
}

fn cases() -> Cases {
    serde_json::from_str(CASES).unwrap()
}

impl Case {
    fn tariffs(&self) -> Tariffs {
        let mut tariffs = Tariffs::default();
        for Version { since, tariff } in &self.tariffs {
            tariffs.activate(Arc::new(Tariff::compile(tariff).unwrap()), *since).unwrap();
        }
        tariffs
    }

    fn reference(&self, call: &Call) -> Reference {
        let versions = self.tariffs.iter().map(|it| (it.tariff.clone(), it.since));
        let end = call.at.checked_add_ms(call.used().ticks()).unwrap();
        Reference::new(versions, call.at, end)
    }
}

impl Call {
    fn used(&self) -> Used {
        let (measure, quantity) = match self.seconds {
            Some(seconds) => (Measure::Time, seconds),
            None => (Measure::Units, self.units.unwrap()),
        };
        let (to, from) = (self.to.clone(), String::new());
        let usage = millionths(quantity.decimal());
        Used { to, from, at: self.at, measure, usage }
    }

    fn usage(&self) -> Usage {
        self.used().usage()
    }

    /// Seconds or units of the engine's milliseconds or millionths.
    fn quantity(&self, ticks: u64) -> Quantity {
        let decimals = if self.units.is_some() { 6 } else { 3 };
        Quantity::from_units(ticks.into(), decimals).unwrap()
    }
}

#[test]
fn calls_cost_what_they_are_known_to_cost() {
    for case in cases().cases {
        let tariffs = case.tariffs();
        for call in &case.calls {
            let name = &call.name;
            let rated = tariffs.rate(&case.asked, &call.usage());
            if let Some(open) = call.open {
                let closed = matches!(rated, Err(RateError::NoLine { .. }));
                assert_eq!((rated.is_ok(), closed), (open, !open), "{name} at {}", call.at);
                continue;
            }
            let rated = rated.unwrap();
            let explained = tariffs.explain(&case.asked, &call.usage()).unwrap();
            if let Some(price) = call.price {
                assert_eq!(rated.amount(), price, "{name}");
            }
            if let Some(exact) = &call.exact {
                assert_eq!(&explained.exact, exact, "{name}");
            }
            if let Some(price) = &call.without_fee {
                assert_eq!(&explained.exact.sub(&explained.connect_fee), price, "{name}");
            }
            if let Some(billed) = call.billed {
                assert_eq!(call.quantity(rated.billed_ms()), billed, "{name}");
            }
            if let Some(pieces) = &call.pieces {
                let quantity = |ticks| call.quantity(ticks);
                let found = explained.pieces.iter();
                let found: Vec<_> =
                    found.map(|piece| (quantity(piece.from), quantity(piece.billed))).collect();
                assert_eq!(&found, pieces, "{name}");
            }
        }
    }
}

#[test]
fn balances_reach_as_far_as_they_are_known_to_reach() {
    let mut asked = 0_u32;
    for case in cases().cases {
        let tariffs = case.tariffs();
        for call in &case.calls {
            let (Some(balance), Some(reaches)) = (call.balance, call.reaches) else { continue };
            let whole = call.usage();
            let found = match tariffs.reach(&case.asked, &whole, balance).unwrap() {
                Reach::Unlimited => call.used().ticks(),
                Reach::Until(ticks) => ticks,
            };
            assert_eq!(call.quantity(found), reaches, "{}", call.name);
            asked += 1;
        }
    }
    assert_eq!(asked, 8);
}

#[test]
fn the_second_rater_knows_the_same_prices() {
    for case in cases().cases {
        for call in &case.calls {
            let name = &call.name;
            let price = case.reference(call).price(&case.asked, &call.used());
            if call.open == Some(false) {
                assert_eq!(price.unwrap_err(), Refused::NoLine { at: call.at }, "{name}");
                continue;
            }
            let costs = price.unwrap();
            if let Some(price) = call.price {
                assert_eq!(costs.amount, price, "{name}");
            }
            if let Some(billed) = call.billed {
                assert_eq!(costs.billed(), millionths(billed.decimal()), "{name}");
            }
            if let Some(pieces) = &call.pieces {
                let found: Vec<_> =
                    costs.pieces.iter().map(|piece| (piece.from, piece.billed)).collect();
                let known = |quantity: Quantity| millionths(quantity.decimal());
                let pieces: Vec<_> =
                    pieces.iter().map(|(from, billed)| (known(*from), known(*billed))).collect();
                assert_eq!(found, pieces, "{name}");
            }
        }
    }
}

#[test]
fn amounts_do_not_drift() {
    let drift = cases().drift;
    let mut amount = drift.from;
    for _ in 0..drift.times {
        amount = amount.checked_sub(drift.each).unwrap();
    }
    assert_eq!(amount, drift.to, "{}", drift.name);
}
