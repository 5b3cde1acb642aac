//! Fees by days add up to their shares, however often the plan changes and whenever that becomes known.

use std::collections::BTreeMap;

use billing_core::{
    decide::AssignError,
    money::Amount,
    time::{Day, Period},
};
use proptest::{
    collection::vec,
    prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest},
    sample::{Index, select},
};

use crate::{
    cases::{price, settings},
    checks::{issue_as_previewed, round, whole},
    common::{fee, plan, said::sum, world::World},
    config,
};

/// What happens within a period, by days counted from its first: a plan is assigned, or the run comes.
#[derive(Clone, Debug)]
enum Step {
    /// A plan with a price of its own, from a day on.
    Assign(Index, u32),
    /// The run, on a day.
    Run(Index),
    /// The last invoice is made void.
    Void,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    vec(
        prop_oneof![
            3 => (any::<Index>(), 0_u32..1_000_000).prop_map(|(day, price)| Step::Assign(day, price)),
            2 => any::<Index>().prop_map(Step::Run),
            1 => Just(Step::Void),
        ],
        0..10,
    )
}

fn void_last(world: &mut World, period: Period) {
    let last = world.valid().next_back();
    // An invoice of an earlier period stays, so that plans begin in this one alone.
    let last = last
        .filter(|last| last.draft.period == period || last.draft.period.end() == period.start());
    if let Some(number) = last.map(|invoice| invoice.number) {
        assert_eq!(world.void(number, "typo"), Ok(true));
    }
}

/// What all valid invoices say of a period, by assignment.
fn charged(world: &World, period: Period) -> BTreeMap<u32, Amount> {
    let mut charged = BTreeMap::new();
    for line in world.valid().flat_map(|invoice| &invoice.draft.lines) {
        if line.stretch.period == period {
            let billed = charged.entry(line.stretch.assignment).or_insert(Amount::ZERO);
            *billed = sum([*billed, line.amount]);
        }
    }
    charged.retain(|_, amount| !amount.is_zero());
    charged
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_fee_by_days_adds_up_over_any_changes_of_plan(
        settings in settings(),
        around in 20_500_i32..20_600_i32,
        timing in select(vec!["in_advance", "in_arrears"]),
        first_price in 0_u32..1_000_000,
        steps in steps(),
    ) {
        let period = settings.anchor.period_of(Day::from_ordinal(around).unwrap()).unwrap();
        let days = usize::try_from(period.days()).unwrap();
        let day_at = |index: &Index| {
            let day = i32::try_from(index.index(days)).unwrap();
            period.start().plus_days(day).unwrap()
        };
        let (zone, alice) = (settings.zone.clone(), settings.id.clone());
        let mut world = World::empty();
        world.open(&settings);
        let terms = |price_units: u32| [fee("fee", &price(price_units), timing, "days")];
        world.save(plan(1, &terms(first_price)));
        let before = period.start().plus_days(-1).unwrap();
        world.assign(&alice, 1, &before.to_string()).unwrap();
        // The day, the assignment and the price of each plan that begins within the period.
        let mut begun: BTreeMap<Day, (u32, u32)> = BTreeMap::new();
        for step in &steps {
            match step {
                Step::Assign(day, price_units) => {
                    let from = day_at(day);
                    let version = u32::try_from(world.specs.len() + 1).unwrap();
                    world.save(plan(version, &terms(*price_units)));
                    match world.assign(&alice, version, &from.to_string()) {
                        Ok(()) => {
                            let number = u32::try_from(begun.len() + 2).unwrap();
                            prop_assert_eq!(begun.insert(from, (number, *price_units)), None);
                        }
                        Err(AssignError::Taken { .. }) => {}
                        Err(error) => prop_assert!(false, "{}", error),
                    }
                }
                Step::Run(day) => {
                    let as_of = zone.day_start(day_at(day));
                    drop(issue_as_previewed(&mut world, as_of));
                }
                Step::Void => void_last(&mut world, period),
            }
            whole(&world);
        }
        let as_of = zone.day_start(period.end());
        drop(issue_as_previewed(&mut world, as_of));
        whole(&world);
        // Each plan until the next begins; the first one too, if a day is left to it.
        let mut parts = vec![(period.start(), 1, first_price)];
        parts.extend(begun.iter().map(|(from, (number, price))| (*from, *number, *price)));
        let ends = parts.iter().skip(1).map(|(from, ..)| *from).chain([period.end()]);
        let whole_days = i128::from(period.days());
        let decimals = settings.decimals();
        let share = |((from, number, price_units), end): (&(Day, u32, u32), Day)| {
            let days = i128::from(from.days_until(end));
            let units = days * i128::from(*price_units) * 10_i128.pow(decimals);
            let rounded = round(units, whole_days * 10_000, settings.invoice.rounding);
            (*number, Amount::from_units(rounded, decimals).unwrap())
        };
        let mut shares: BTreeMap<u32, Amount> = parts.iter().zip(ends).map(share).collect();
        shares.retain(|_, amount| !amount.is_zero());
        prop_assert_eq!(charged(&world, period), shares);
    }
}
