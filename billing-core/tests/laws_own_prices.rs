//! What holds for prices of one's own before a tariff's, and for how long a price depends on what comes into force.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[expect(dead_code, reason = "each file of tests uses a part")]
mod reference;

use std::sync::Arc;

use billing_core::{
    id::Group,
    money::Amount,
    number::Prefix,
    tariff::{Provenance, RateError, Rated, Tariff, TariffSpec},
    time::Instant,
};
use proptest::{
    prelude::{ProptestConfig, prop_assert, prop_assert_eq},
    sample::Index,
    test_runner::TestRunner,
};
use reference::random::{World, worlds};

fn runner() -> TestRunner {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    let (cases, failure_persistence) = (asked.unwrap_or(96), None);
    TestRunner::new(ProptestConfig { cases, failure_persistence, ..ProptestConfig::default() })
}

/// One of the tariffs as somebody's own, and the others with fallbacks of the first alone, so that nobody asks too deep.
fn with_own(mut world: World, own: Index) -> (TariffSpec, World) {
    let asked = world.asked().clone();
    let in_euros: Vec<_> =
        world.versions.iter().filter(|(spec, _)| spec.currency.code() == "EUR").collect();
    let own = own.get(&in_euros).0.clone();
    let own = TariffSpec { id: "own".parse().unwrap(), version: 1, fallback: vec![], ..own };
    let others = world.versions.iter_mut().filter(|(spec, _)| spec.id != asked);
    others.for_each(|(spec, _)| spec.fallback.clear());
    (own, world)
}

#[test]
fn own_prices_are_those_of_a_tariff_that_falls_back_on_the_other() {
    let held = runner().run(&(worlds(), proptest::prelude::any::<Index>()), |(world, own)| {
        let (own, world) = with_own(world, own);
        let (tariffs, asked) = (world.tariffs(), world.asked());
        let mut joined = tariffs.clone();
        let before = TariffSpec { fallback: vec![asked.clone()], ..own.clone() };
        joined.activate(Arc::new(Tariff::compile(&before).unwrap()), Instant::MIN).unwrap();
        let own = Tariff::compile(&own).unwrap();
        for used in &world.used {
            let usage = used.usage();
            let quoted = tariffs.rate_with(Some(&own), asked, &usage);
            match (&quoted, joined.rate(&before.id, &usage)) {
                (Ok(quoted), Ok(rated)) => prop_assert_eq!(told(quoted), told(&rated)),
                (Err(RateError::NotInForce { .. }), Err(RateError::NoLine { .. })) => {}
                (Err(error), Err(other)) => prop_assert_eq!(alike(error), alike(&other)),
                (quoted, rated) => prop_assert!(false, "{quoted:?}, but {rated:?}"),
            }
            let explained = tariffs.explain_with(Some(&own), asked, &usage);
            let amount = quoted.map(|quoted| quoted.amount());
            prop_assert_eq!(explained.map(|explained| explained.amount), amount);
        }
        Ok(())
    });
    held.unwrap();
}

/// All that a price tells.
fn told<'t>(rated: &Rated<'t>) -> (Amount, u64, u32, u32, Option<Prefix>, &'t Group) {
    let of = (rated.amount(), rated.billed_ms(), rated.segments());
    (of.0, of.1, of.2, rated.line(), rated.prefix(), rated.destination())
}

/// An error without the tariff that was asked, which is another.
fn alike(error: &RateError) -> String {
    match error {
        RateError::NoLine { at, .. } => format!("no line at {at}"),
        other => format!("{other:?}"),
    }
}

#[test]
fn what_comes_into_force_after_its_end_leaves_a_price_as_it_is() {
    let all = (worlds(), proptest::prelude::any::<Index>(), 0_u64..5_000);
    let held = runner().run(&all, |(world, index, later_ms)| {
        let (own, mut world) = with_own(world, index);
        let own = Tariff::compile(&own).unwrap();
        let tariffs = world.tariffs();
        let asked = world.asked().clone();
        let used = index.get(&world.used).usage();
        let Ok(quoted) = tariffs.rate_with(Some(&own), &asked, &used) else { return Ok(()) };
        let until = Provenance::of(&quoted, &used).until;
        prop_assert!(until > used.at());
        let from = until.checked_add_ms(later_ms).unwrap();
        // Each tariff begins anew with the prices of another.
        let lines = world.versions[0].0.lines.clone();
        let windows = world.versions[0].0.clone();
        for (spec, since) in world.versions.clone() {
            if since != from {
                let TariffSpec { id, fallback, currency, .. } = spec;
                let lines = lines.clone();
                let spec =
                    TariffSpec { id, fallback, currency, lines, version: 99, ..windows.clone() };
                if !world.versions.iter().any(|(other, at)| other.id == spec.id && *at == from) {
                    world.versions.push((spec, from));
                }
            }
        }
        let tariffs = world.tariffs();
        let then = tariffs.rate_with(Some(&own), &asked, &used).unwrap();
        prop_assert_eq!(told(&quoted), told(&then));
        prop_assert_eq!(Provenance::of(&quoted, &used), Provenance::of(&then, &used));
        Ok(())
    });
    held.unwrap();
}
