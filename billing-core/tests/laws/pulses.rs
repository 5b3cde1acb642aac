//! Pulses in any order, any number of times and in any batches add up to the same.

use std::collections::BTreeMap;

use billing_core::{
    item::PulseReported,
    money::{Amount, Quantity},
    plan::Unpriced,
    time::Instant,
};
use proptest::{
    collection::vec,
    prelude::{Just, Strategy, prop_assert_eq, proptest},
    sample::select,
};

use crate::{
    cases::{DAY_MICROS, END, START_MICROS, Terms, price, settings, world},
    checks::{billed_by_scope, round, state},
    common::{per_unit, pulse, read, unpriced},
    config,
};

/// Pulses over five months, of two products in two units, to four decimals.
fn pulses() -> impl Strategy<Value = Vec<PulseReported>> {
    let products = select(vec!["storage", "a/b"]);
    let units = select(vec!["GB-h", "%"]);
    let one = (0..150 * DAY_MICROS, products, units, 0_u32..10_000_000);
    vec(one, 1..40).prop_map(|pulses| {
        let numbered = pulses.into_iter().enumerate();
        let of = |(i, (at, product, unit, amount)): (usize, (i64, &str, &str, u32))| {
            let at = Instant::from_micros(START_MICROS + at).unwrap().to_string();
            let mut reported = pulse(&format!("pulse-{i}"), &at, &price(amount));
            (reported.pulse.product, reported.pulse.unit) = (read(product), read(unit));
            reported
        };
        numbered.map(of).collect()
    })
}

fn terms() -> impl Strategy<Value = Terms> {
    (settings(), 0_u32..20_000).prop_map(|(settings, units)| {
        let strategies = vec![per_unit(&price(units)), unpriced()];
        let (changed, change) = (strategies.clone(), read("2026-03-03"));
        Terms { settings, strategies, changed, change }
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn neither_order_nor_repetition_nor_batches_of_pulses_matter(
        terms in terms(),
        (pulses, other) in pulses().prop_flat_map(|pulses| {
            let doubled = [pulses.clone(), pulses.clone()].concat();
            (Just(pulses), Just(doubled).prop_shuffle())
        }),
        size in 1_usize..9,
    ) {
        let (mut at_once, mut piecemeal) = (world(&terms), world(&terms));
        at_once.record(&pulses);
        for part in other.chunks(size) {
            let taken = piecemeal.take(part).intake;
            prop_assert_eq!(taken.recorded + taken.replayed, taken.received);
        }
        prop_assert_eq!(state(&at_once), state(&piecemeal));
        prop_assert_eq!(piecemeal.items.len(), pulses.len());
    }

    #[test]
    fn pulses_are_counted_and_cost_what_a_hand_computes(
        settings in settings(),
        pulses in pulses(),
        units in 0_u32..20_000,
    ) {
        let strategies = vec![per_unit(&price(units)), unpriced()];
        // The next plan begins after everything.
        let (changed, change) = (strategies.clone(), read("2027-06-01"));
        let terms = Terms { settings, strategies, changed, change };
        let mut world = world(&terms);
        world.record(&pulses);
        let mut counted: BTreeMap<_, i128> = BTreeMap::new();
        let mut charged: BTreeMap<_, i128> = BTreeMap::new();
        for reported in &pulses {
            let pulse = &reported.pulse;
            let amount = pulse.amount.decimal();
            let amount = amount.mantissa() * 10_i128.pow(4 - amount.scale());
            let day = terms.settings.zone.day_of(pulse.at);
            let group = Unpriced::group_of(&pulse.product, &pulse.unit).unwrap();
            *counted.entry((day, group)).or_insert(0) += amount;
            if (pulse.product.as_str(), pulse.unit.as_str()) == ("storage", "GB-h") {
                let period = terms.settings.anchor.period_of(day).unwrap();
                *charged.entry(period.start()).or_insert(0) += amount;
            }
        }
        let totals = world.totals.values().filter(|t| t.key.strategy.as_str() == "usage");
        let totals = totals.map(|t| ((t.key.day, t.key.group.clone()), t.totals.quantity));
        let by_hand = counted
            .into_iter()
            .map(|(key, units)| (key, Quantity::from_units(units, 4).unwrap()));
        prop_assert_eq!(totals.collect::<BTreeMap<_, _>>(), by_hand.collect());
        drop(world.issue(END));
        let decimals = terms.settings.decimals();
        let cost = |quantity: i128| {
            let units = quantity * i128::from(units) * 10_i128.pow(decimals);
            let rounded = round(units, 100_000_000, terms.settings.invoice.rounding);
            Amount::from_units(rounded, decimals).unwrap()
        };
        let by_hand = charged.into_values().map(cost).filter(|amount| !amount.is_zero());
        prop_assert_eq!(
            billed_by_scope(&world).into_values().collect::<Vec<_>>(),
            by_hand.collect::<Vec<_>>(),
        );
    }
}
