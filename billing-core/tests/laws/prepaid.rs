//! An amount paid ahead covers what is charged in all, up to itself, in whatever steps that becomes known.

use std::collections::BTreeMap;

use billing_core::{
    account::AccountSettings,
    decide::PulseSign,
    item::PulseReported,
    money::Amount,
    time::{Day, Instant, Period},
};
use proptest::{
    collection::vec,
    prelude::{Strategy, any, prop_assert_eq, proptest},
    sample::{Index, select},
};

use crate::{
    cases::{price, settings},
    checks::{issue_as_previewed, round, whole},
    common::{per_unit, plan, prepaid, pulse, world::World},
    config,
};

#[derive(Clone, Debug)]
struct Case {
    settings: AccountSettings,
    period: Period,
    /// The first day of the second plan.
    change: Day,
    /// Whether the change becomes known only when the period was billed in advance.
    is_late: bool,
    proration: &'static str,
    /// Under each plan: a unit, and the amount paid ahead, in units of 10^-4.
    prices: [(u32, u32); 2],
    /// The day, how late in it, and how many units of 10^-4, more or less.
    used: Vec<(Day, u32, i32)>,
}

fn case() -> impl Strategy<Value = Case> {
    let prices = || (0_u32..30_000, 1_u32..2_000_000);
    let used = vec((any::<Index>(), 0_u32..79_200, -300_000_i32..1_000_000_i32), 0..16);
    let proration = select(vec!["none", "days"]);
    let shape = (settings(), 20_500_i32..20_600_i32, any::<Index>(), any::<bool>(), proration);
    (shape, [prices(), prices()], used).prop_map(|(shape, prices, used)| {
        let (settings, around, at, is_late, proration) = shape;
        let period = settings.anchor.period_of(Day::from_ordinal(around).unwrap()).unwrap();
        let days = usize::try_from(period.days()).unwrap();
        let day = |at: Index| {
            let at = i32::try_from(at.index(days)).unwrap();
            period.start().plus_days(at).unwrap()
        };
        let used = used.into_iter().map(|(at, second, units)| (day(at), second, units)).collect();
        Case { settings, period, change: day(at), is_late, proration, prices, used }
    })
}

fn strategies(case: &Case, version: usize) -> [String; 2] {
    let (unit, ahead) = case.prices[version];
    [per_unit(&price(unit)), prepaid(&price(ahead), case.proration)]
}

fn world(case: &Case) -> World {
    let mut world = World::empty();
    (world.limits.item_past_ms_max, world.limits.pulse_sign) = (u64::MAX, PulseSign::Any);
    let alice = &case.settings.id;
    world.open(&case.settings);
    world.save(plan(1, &strategies(case, 0)));
    world.save(plan(2, &strategies(case, 1)));
    let before = case.period.start().plus_days(-1).unwrap();
    world.assign(alice, 1, &before.to_string()).unwrap();
    if case.is_late {
        let begun = case.settings.zone.day_start(case.period.start());
        drop(issue_as_previewed(&mut world, begun));
    }
    world.assign(alice, 2, &case.change.to_string()).unwrap();
    world
}

fn pulses(case: &Case) -> Vec<PulseReported> {
    let numbered = case.used.iter().enumerate();
    let of = |(i, (day, second, units)): (usize, &(Day, u32, i32))| {
        let start = case.settings.zone.day_start(*day).micros();
        let at = Instant::from_micros(start + i64::from(*second) * 1_000_000).unwrap();
        let amount = Amount::from_units(i128::from(*units), 4).unwrap();
        pulse(&format!("pulse-{i}"), &at.to_string(), &amount.to_string())
    };
    numbered.map(of).collect()
}

/// The sums of charges, of what is paid ahead and of what is covered, each rounded with its line, by fractions alone.
fn by_hand(case: &Case) -> [Amount; 3] {
    let whole = i128::from(case.period.days());
    let parts = [(case.period.start(), case.change), (case.change, case.period.end())];
    // Everything in units of 10^-8, of as many parts as the period has days.
    let used = |part: usize| -> i128 {
        let (from, until) = parts[part];
        let mine = case.used.iter().filter(|(day, ..)| from <= *day && *day < until);
        let units: i128 = mine.map(|(_, _, units)| i128::from(*units)).sum();
        units * i128::from(case.prices[part].0) * whole
    };
    let ahead = |part: usize| {
        let (from, until) = parts[part];
        i128::from(case.prices[part].1) * 10_000 * i128::from(from.days_until(until))
    };
    let decimals = case.settings.decimals();
    let rounded = |units: i128| {
        let scaled = units * 10_i128.pow(decimals);
        let rounded = round(scaled, 100_000_000 * whole, case.settings.invoice.rounding);
        Amount::from_units(rounded, decimals).unwrap()
    };
    let both = |one: Amount, two: Amount| one.checked_add(two).unwrap();
    let charged = both(rounded(used(0)), rounded(used(1)));
    // What is covered is what the lines say, up to the amount before it is rounded.
    let (scale, unit) = (10_i128.pow(decimals), 100_000_000 * whole);
    let line = |part: usize| round(used(part) * scale, unit, case.settings.invoice.rounding) * unit;
    let covering = |charged: i128, amount: i128| {
        let covered = charged.max(0).min(amount * scale);
        let rounded = round(-covered, unit, case.settings.invoice.rounding);
        Amount::from_units(rounded, decimals).unwrap()
    };
    if case.proration == "days" {
        let covered = |part: usize| covering(line(part), ahead(part));
        let paid = both(rounded(ahead(0)), rounded(ahead(1)));
        return [charged, paid, both(covered(0), covered(1))];
    }
    // The first plan that asked for it has said how much it is.
    let first = usize::from(case.change == case.period.start() && !case.is_late);
    let amount = i128::from(case.prices[first].1) * 10_000 * whole;
    [charged, rounded(amount), covering(line(0) + line(1), amount)]
}

/// What all valid invoices say of the period: charged, paid ahead and covered.
fn said(world: &World, period: Period) -> [Amount; 3] {
    let mut sums = BTreeMap::new();
    for line in world.valid().flat_map(|invoice| &invoice.draft.lines) {
        if line.stretch.period == period {
            let sum = sums.entry(line.group.to_string()).or_insert(Amount::ZERO);
            *sum = sum.checked_add(line.amount).unwrap();
        }
    }
    ["storage", "prepaid", "covered"].map(|group| sums.remove(group).unwrap_or(Amount::ZERO))
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn an_amount_covers_what_is_charged_in_all_up_to_itself(
        case in case(),
        runs in vec((any::<Index>(), 0_i32..150_i32), 0..5),
    ) {
        let mut world = world(&case);
        let pulses = pulses(&case);
        let mut cuts: Vec<_> =
            runs.iter().map(|(at, day)| (at.index(pulses.len() + 1), *day)).collect();
        cuts.sort_unstable();
        let mut from = 0;
        for (until, day) in cuts {
            world.record(&pulses[from..until]);
            let day = case.period.start().plus_days(day).unwrap();
            drop(issue_as_previewed(&mut world, case.settings.zone.day_start(day)));
            whole(&world);
            from = until;
        }
        world.record(&pulses[from..]);
        let late = case.period.end().plus_days(250).unwrap();
        drop(issue_as_previewed(&mut world, case.settings.zone.day_start(late)));
        whole(&world);
        prop_assert_eq!(said(&world, case.period), by_hand(&case));
    }
}
