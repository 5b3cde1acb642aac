//! A plan that changes on any day of a period splits it: each part costs what it costs by itself.

use std::collections::BTreeMap;

use billing_core::{
    account::AccountSettings,
    item::Incoming,
    money::Amount,
    time::{Day, Instant, Period},
};
use proptest::{
    collection::vec,
    prelude::{Strategy, any, prop_assert_eq, proptest},
    sample::{Index, select},
};

use crate::{
    cases::{blocks, flat_rate, price, settings},
    checks::{issue_as_previewed, round, whole},
    common::{call, fee, per_unit, plan, pulse, world::World},
    config,
};

/// Usage of one moment: of which day of the period, how late in it, how long a talk and how many units.
#[derive(Clone, Debug)]
struct Used {
    day: Day,
    second: u32,
    talk_ms: u64,
    units: u32,
}

/// Prices of one version of the plan, in units of 10^-4.
#[derive(Clone, Copy, Debug)]
struct Prices {
    minute: u32,
    started: u32,
    block: u32,
    unit: u32,
    fee: u32,
}

#[derive(Clone, Debug)]
struct Case {
    settings: AccountSettings,
    period: Period,
    /// The first day of the second plan.
    change: Day,
    prices: [Prices; 2],
    block_ms: u32,
    timing: &'static str,
    used: Vec<Used>,
}

fn prices() -> impl Strategy<Value = Prices> {
    let one = || 0_u32..50_000;
    (one(), one(), one(), one(), 0_u32..1_000_000).prop_map(
        |(minute, started, block, unit, fee)| Prices { minute, started, block, unit, fee },
    )
}

fn case() -> impl Strategy<Value = Case> {
    let shape = (settings(), 20_500_i32..20_600_i32, any::<Index>());
    let timing = select(vec!["in_advance", "in_arrears"]);
    let used = vec((any::<Index>(), 0_u32..79_200, 0_u64..7_200_000, 0_u32..100_000), 0..24);
    let numbers = ([prices(), prices()], 1_u32..100_000);
    (shape, timing, used, numbers).prop_map(|(shape, timing, used, (prices, block_ms))| {
        let (settings, around, at) = shape;
        let period = settings.anchor.period_of(Day::from_ordinal(around).unwrap()).unwrap();
        let days = usize::try_from(period.days()).unwrap();
        let day = |at: usize| period.start().plus_days(i32::try_from(at).unwrap()).unwrap();
        let change = day(at.index(days));
        let of = |(at, second, talk_ms, units): (Index, u32, u64, u32)| Used {
            day: day(at.index(days)),
            second,
            talk_ms,
            units,
        };
        let used = used.into_iter().map(of).collect();
        Case { settings, period, change, prices, block_ms, timing, used }
    })
}

fn strategies(case: &Case, version: usize) -> Vec<String> {
    let Prices { minute, started, block, unit, fee: per_period } = case.prices[version];
    vec![
        flat_rate("minutes", "pro_rata", minute),
        flat_rate("started", "per_started_minute", started),
        blocks("blocks", "call", case.block_ms, block),
        per_unit(&price(unit)),
        fee("fee", &price(per_period), case.timing, "days"),
    ]
}

fn items(case: &Case) -> Vec<Incoming> {
    let numbered = case.used.iter().enumerate();
    let both = numbered.flat_map(|(i, used)| {
        let start = case.settings.zone.day_start(used.day).micros();
        let at = Instant::from_micros(start + i64::from(used.second) * 1_000_000).unwrap();
        let at = at.to_string();
        let talk = call(&format!("call-{i}"), &at, used.talk_ms);
        let units = pulse(&format!("pulse-{i}"), &at, &price(used.units));
        [Incoming::from(talk), Incoming::from(units)]
    });
    both.collect()
}

/// What one part costs under its own plan, by fractions alone; nothing is left out but what costs nothing.
fn by_hand(case: &Case, from: Day, until: Day, version: usize) -> BTreeMap<String, Amount> {
    let prices = case.prices[version];
    let mine = || case.used.iter().filter(|used| from <= used.day && used.day < until);
    let sum = |count: fn(&Used, &Case) -> u64| -> i128 {
        mine().map(|used| i128::from(count(used, case))).sum()
    };
    let whole = i128::from(case.period.days());
    let days = i128::from(from.days_until(until));
    // Numerator and denominator of each, in units of 10^-4.
    let fractions = [
        ("minutes", sum(|used, _| used.talk_ms) * i128::from(prices.minute), 60_000),
        ("started", sum(|used, _| used.talk_ms.div_ceil(60_000)) * i128::from(prices.started), 1),
        (
            "blocks",
            sum(|used, case| used.talk_ms.div_ceil(u64::from(case.block_ms)))
                * i128::from(prices.block),
            1,
        ),
        ("storage", sum(|used, _| u64::from(used.units)) * i128::from(prices.unit), 10_000),
        ("fee", days * i128::from(prices.fee), whole),
    ];
    let decimals = case.settings.decimals();
    let amount = |(name, numerator, denominator): (&str, i128, i128)| {
        let scaled = numerator * 10_i128.pow(decimals);
        let rounded = round(scaled, denominator * 10_000, case.settings.invoice.rounding);
        (name.to_owned(), Amount::from_units(rounded, decimals).unwrap())
    };
    let amounts = fractions.into_iter().map(amount);
    amounts.filter(|(_, amount)| !amount.is_zero()).collect()
}

/// What the lines of the period say of one assignment.
fn charged(world: &World, period: Period, assignment: u32) -> BTreeMap<String, Amount> {
    let mut charged = BTreeMap::new();
    for line in world.valid().flat_map(|invoice| &invoice.draft.lines) {
        if (line.stretch.period, line.stretch.assignment) == (period, assignment) {
            let sum = charged.entry(line.strategy.to_string()).or_insert(Amount::ZERO);
            *sum = sum.checked_add(line.amount).unwrap();
        }
    }
    charged.retain(|_, amount| !amount.is_zero());
    charged
}

/// The account with its first plan from long before, and the second from the change on, known before or after the period began.
fn world(case: &Case, is_late: bool) -> World {
    let mut world = World::empty();
    world.limits.item_past_ms_max = u64::MAX;
    let alice = &case.settings.id;
    world.open(&case.settings);
    world.save(plan(1, &strategies(case, 0)));
    world.save(plan(2, &strategies(case, 1)));
    let long_before = case.period.start().plus_days(-40).unwrap();
    world.assign(alice, 1, &long_before.to_string()).unwrap();
    if is_late {
        let begun = case.settings.zone.day_start(case.period.start());
        drop(issue_as_previewed(&mut world, begun));
    }
    world.assign(alice, 2, &case.change.to_string()).unwrap();
    world
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_change_on_any_day_splits_a_period_without_changing_what_each_part_costs(
        case in case(),
        is_late in any::<bool>(),
        late in any::<Index>(),
        runs in vec((any::<Index>(), -10_i32..110_i32), 0..4),
    ) {
        let mut world = world(&case, is_late);
        let all = items(&case);
        // Usage comes from anywhere in the list on, and the run comes between.
        let (late, early) = all.split_at(late.index(all.len() + 1));
        let all = [early, late].concat();
        let mut cuts: Vec<_> =
            runs.iter().map(|(at, day)| (at.index(all.len() + 1), *day)).collect();
        cuts.sort_unstable();
        let mut from = 0;
        for (until, day) in cuts {
            world.record(&all[from..until]);
            let day = case.period.start().plus_days(day).unwrap();
            let as_of = case.settings.zone.day_start(day);
            drop(issue_as_previewed(&mut world, as_of));
            from = until;
        }
        world.record(&all[from..]);
        let long_after = case.period.end().plus_days(200).unwrap();
        let as_of = case.settings.zone.day_start(long_after);
        drop(issue_as_previewed(&mut world, as_of));
        whole(&world);
        let Case { period, change, .. } = case;
        let first = by_hand(&case, period.start(), change, 0);
        prop_assert_eq!(charged(&world, period, 1), first, "until the change");
        let second = by_hand(&case, change, period.end(), 1);
        prop_assert_eq!(charged(&world, period, 2), second, "from the change on");
    }
}
