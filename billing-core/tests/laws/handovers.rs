//! Days that are handed over at any moments: their revisions add up to what was used, and none of them ever changes.

use std::collections::BTreeMap;

use billing_core::{
    decide::Days,
    money::Quantity,
    settlement::Settlement,
    time::{Day, Instant},
    usage::Totals,
};
use proptest::{
    collection::vec,
    prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest},
    sample::select,
};

use crate::{
    cases::{DAY_MICROS, START_MICROS, Terms, price, settings, world},
    checks::whole,
    common::{per_unit, pulse, read, unpriced, world::World},
    config,
};

#[derive(Clone, Debug)]
enum Step {
    /// Units, and when.
    Pulse(i64, u32),
    HandOver(Choice),
    Issue(i64),
}

#[derive(Clone, Copy, Debug)]
enum Choice {
    Ended,
    All,
    On(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    // Four days, so that late usage is the rule.
    let moment = || 0..4 * DAY_MICROS;
    let choice =
        prop_oneof![Just(Choice::Ended), Just(Choice::All), moment().prop_map(Choice::On),];
    let one = prop_oneof![
        6 => (moment(), 0_u32..1_000_000).prop_map(|(at, units)| Step::Pulse(at, units)),
        2 => choice.prop_map(Step::HandOver),
        1 => (0..100 * DAY_MICROS).prop_map(Step::Issue),
    ];
    vec(one, 1..40)
}

fn instant(micros: i64) -> Instant {
    Instant::from_micros(START_MICROS + micros).unwrap()
}

/// The sums of all revisions, by day and group.
fn handed(world: &World) -> BTreeMap<(Day, String), Totals> {
    let mut sums: BTreeMap<(Day, String), Totals> = BTreeMap::new();
    for Settlement { handover, .. } in world.settlements.values() {
        for total in &handover.totals {
            let key = (handover.day, total.group.to_string());
            let before = sums.get(&key).copied();
            let sum = before.map_or(total.totals, |sum| sum.checked_add(total.totals).unwrap());
            let _before: Option<Totals> = sums.insert(key, sum);
        }
    }
    sums
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn all_revisions_of_a_day_add_up_to_what_was_used_on_it(
        settings in settings(),
        steps in steps(),
        now in 0..6 * DAY_MICROS,
        with_price in any::<bool>(),
        zero in select(vec![0_u32, 1]),
    ) {
        let strategies = if with_price { vec![per_unit("0.07")] } else { vec![unpriced()] };
        let group = if with_price { "storage" } else { "storage/GB-h" };
        let (changed, change) = (strategies.clone(), read("2026-01-06"));
        let terms = Terms { settings, strategies, changed, change };
        let mut world = world(&terms);
        world.now = instant(now);
        world.limits.item_future_ms_max = u64::MAX;
        let mut expected: BTreeMap<(Day, String), (i64, i128)> = BTreeMap::new();
        for (i, step) in steps.iter().enumerate() {
            let made: BTreeMap<_, _> = world.settlements.clone();
            match step {
                Step::Pulse(at, units) => {
                    let units = units * zero;
                    let at = instant(*at);
                    let reported = pulse(&format!("p{i}"), &at.to_string(), &price(units));
                    world.record(&[reported]);
                    let day = terms.settings.zone.day_of(at);
                    let sum = expected.entry((day, group.to_owned())).or_insert((0, 0));
                    *sum = (sum.0 + 1, sum.1 + i128::from(units));
                }
                Step::HandOver(choice) => {
                    let days = match choice {
                        Choice::Ended => Days::Ended,
                        Choice::All => Days::All,
                        Choice::On(at) => Days::On(terms.settings.zone.day_of(instant(*at))),
                    };
                    for settlement in world.hand_over("alice", days) {
                        let day = settlement.handover.day;
                        prop_assert!(days.includes(day, &terms.settings.zone, world.now));
                    }
                }
                Step::Issue(at) => drop(world.issue(&instant(*at).to_string())),
            }
            for (name, settlement) in made {
                prop_assert_eq!(&world.settlements[&name], &settlement, "never changes");
            }
            whole(&world);
        }
        drop(world.hand_over("alice", Days::All));
        whole(&world);
        let totals = |(count, units): (i64, i128)| {
            Totals { count, quantity: Quantity::from_units(units, 4).unwrap(), amount: None }
        };
        let expected = expected.into_iter().map(|(key, sum)| (key, totals(sum)));
        prop_assert_eq!(handed(&world), expected.collect());
        // Revisions of a day are numbered without a gap.
        let mut next: BTreeMap<Day, u32> = BTreeMap::new();
        for (_, day, revision) in world.settlements.keys() {
            let number = next.entry(*day).or_insert(0);
            *number += 1;
            prop_assert_eq!(*revision, *number);
        }
        prop_assert_eq!(world.hand_over("alice", Days::All), []);
    }
}
