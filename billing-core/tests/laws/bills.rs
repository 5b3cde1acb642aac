//! What is billed is what a hand computes, adds up and leads back.

use std::collections::{BTreeMap, BTreeSet};

use billing_core::{
    decide,
    invoice::Invoice,
    item::{Call, CallEnded, Disposition},
    money::Amount,
    time::{Day, Instant},
    usage::TotalKey,
};
use proptest::{
    prelude::{prop_assert, prop_assert_eq, proptest},
    sample::{Index, select},
};

use crate::{
    cases::{
        DAY_MICROS, END, START_MICROS, Terms, blocks, flat_rate, of_call, runs, settings, shuffled,
        terms, world,
    },
    checks::{
        adds_up, billed, issue_as_previewed, journals_are_chained, period_start,
        postings_are_the_totals, round,
    },
    common::{document, read, said::sum, world::World},
    config,
};

/// What a price a minute charges in each stretch, in whole numbers alone; prices are in units of 10^-4.
fn flat_rate_by_hand(
    terms: &Terms,
    calls: &[CallEnded],
    minutes: &str,
    prices: [u32; 2],
) -> BTreeMap<(Day, u32, String), Amount> {
    let mut units: BTreeMap<(Day, u32), i128> = BTreeMap::new();
    for ended in calls {
        let Call { start, duration_ms, disposition, .. } = ended.call;
        let talked = if disposition == Disposition::Answered { duration_ms } else { 0 };
        let counted = if minutes == "pro_rata" {
            i128::from(talked)
        } else {
            i128::from(talked.div_ceil(60_000)) * 60_000
        };
        let day = terms.settings.zone.day_of(start);
        let assignment = if day < terms.change { 1 } else { 2 };
        *units.entry((period_start(&terms.settings, day), assignment)).or_insert(0) += counted;
    }
    let decimals = terms.settings.decimals();
    let amount = |(period, assignment): (Day, u32), ms: i128| {
        let price = i128::from(prices[usize::from(assignment == 2)]);
        let numerator = ms * price * 10_i128.pow(decimals);
        let rounded = round(numerator, 60_000 * 10_000, terms.settings.invoice.rounding);
        let amount = Amount::from_units(rounded, decimals).unwrap();
        ((period, assignment, "rate".to_owned()), amount)
    };
    units.into_iter().map(|(stretch, ms)| amount(stretch, ms)).collect()
}

/// Takes calls in pieces, and issues after some of them.
fn take_and_issue(world: &mut World, calls: &[CallEnded], runs: &[(Index, i64)]) {
    let mut from = 0;
    let mut cuts: Vec<(usize, i64)> =
        runs.iter().map(|(index, at)| (index.index(calls.len() + 1), *at)).collect();
    cuts.sort_unstable();
    for (until, at) in cuts {
        drop(world.take(&calls[from..until]));
        from = until;
        let as_of = Instant::from_micros(START_MICROS + at).unwrap();
        drop(issue_as_previewed(world, as_of));
    }
    drop(world.take(&calls[from..]));
    drop(world.issue(END));
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn everything_adds_up_and_leads_back(
        terms in terms(),
        calls in shuffled(1..40),
        runs in runs(),
    ) {
        let mut world = world(&terms);
        take_and_issue(&mut world, &calls, &runs);
        postings_are_the_totals(&world);
        journals_are_chained(&world);
        for invoice in &world.invoices {
            adds_up(&invoice.draft);
            prop_assert_eq!(&document::<Invoice>(&invoice.body()), invoice);
        }
        // Every day's total is in exactly one line, and every number is given once.
        let parts: Vec<TotalKey> = world.invoices.iter().flat_map(Invoice::part_keys).collect();
        let distinct: BTreeSet<&TotalKey> = parts.iter().collect();
        prop_assert_eq!(distinct.len(), parts.len());
        prop_assert!(distinct.into_iter().eq(world.totals.keys()));
        let numbers = world.invoices.iter().map(|invoice| invoice.number);
        prop_assert!(numbers.eq(1..=u64::try_from(world.invoices.len())?));
        // What was billed is what the carries say.
        let carried = sum(world.carries.values().map(|carry| carry.billed));
        let lines = world.invoices.iter().flat_map(|invoice| &invoice.draft.lines);
        prop_assert_eq!(carried, sum(lines.map(|line| line.amount)));
        let counts: i64 = world.postings().iter().map(|posting| posting.totals.count).sum();
        let lines = world.invoices.iter().flat_map(|invoice| &invoice.draft.lines);
        prop_assert_eq!(lines.map(|line| line.count).sum::<i64>(), counts);
        prop_assert_eq!(world.bill(END).iter().map(|draft| draft.lines.len()).sum::<usize>(), 0);
    }

    #[test]
    fn each_stretch_of_a_flat_rate_costs_what_a_hand_computes(
        settings in settings(),
        calls in shuffled(1..40),
        runs in runs(),
        change in 20_460_i32..20_600_i32,
        minutes in select(vec!["pro_rata", "per_started_minute"]),
        prices in [0_u32..5_000, 0_u32..5_000],
    ) {
        let [strategies, changed] = prices.map(|price| vec![flat_rate("rate", minutes, price)]);
        let change = Day::from_ordinal(change).unwrap();
        let terms = Terms { settings, strategies, changed, change };
        let mut world = world(&terms);
        take_and_issue(&mut world, &calls, &runs);
        let expected = flat_rate_by_hand(&terms, &calls, minutes, prices);
        prop_assert_eq!(billed(&world.invoices), expected);
    }

    #[test]
    fn blocks_of_a_lifetime_cost_the_same_however_they_are_invoiced(
        settings in settings(),
        calls in shuffled(1..60),
        runs in runs(),
        block_ms in 1_u32..100_000,
        price_units in 0_u32..5_000,
    ) {
        let strategies = vec![blocks("blocks", "lifetime", block_ms, price_units)];
        let (changed, change) = (strategies.clone(), read("2026-02-14"));
        let terms = Terms { settings, strategies, changed, change };
        let mut world = world(&terms);
        take_and_issue(&mut world, &calls, &runs);
        let answered = calls.iter().filter(|c| c.call.disposition == Disposition::Answered);
        let talked: u64 = answered.map(|ended| ended.call.duration_ms).sum();
        let blocks = i128::from(talked.div_ceil(u64::from(block_ms)));
        let decimals = terms.settings.decimals();
        let units = blocks * i128::from(price_units) * 10_i128.pow(decimals);
        let rounded = round(units, 10_000, terms.settings.invoice.rounding);
        let total = sum(billed(&world.invoices).into_values());
        prop_assert_eq!(total, Amount::from_units(rounded, decimals)?);
    }

    #[test]
    fn blocks_of_a_period_cost_the_same_however_they_are_invoiced(
        settings in settings(),
        calls in shuffled(1..60),
        runs in runs(),
        block_ms in 1_u32..100_000,
        price_units in 0_u32..5_000,
    ) {
        let strategies = vec![blocks("blocks", "period", block_ms, price_units)];
        let (changed, change) = (strategies.clone(), read("2026-02-14"));
        let terms = Terms { settings, strategies, changed, change };
        let mut world = world(&terms);
        take_and_issue(&mut world, &calls, &runs);
        let mut talked: BTreeMap<Day, u64> = BTreeMap::new();
        for ended in calls.iter().filter(|c| c.call.disposition == Disposition::Answered) {
            let day = terms.settings.zone.day_of(ended.call.start);
            *talked.entry(period_start(&terms.settings, day)).or_insert(0) +=
                ended.call.duration_ms;
        }
        let decimals = terms.settings.decimals();
        let cost = |ms: u64| {
            let blocks = i128::from(ms.div_ceil(u64::from(block_ms)));
            let units = blocks * i128::from(price_units) * 10_i128.pow(decimals);
            let rounded = round(units, 10_000, terms.settings.invoice.rounding);
            Amount::from_units(rounded, decimals).unwrap()
        };
        let total = sum(billed(&world.invoices).into_values());
        prop_assert_eq!(total, sum(talked.into_values().map(cost)));
    }

    #[test]
    fn a_bill_may_be_asked_for_at_any_time(terms in terms(), at in -200_i64..2_000) {
        let mut world = world(&terms);
        drop(world.take(&[of_call(0, 0, 60_000, Disposition::Answered)]));
        let at = Instant::from_micros(START_MICROS + at * DAY_MICROS).unwrap();
        let drafts = decide::bill(&world.bill_facts(&read("alice"), at), at).unwrap();
        let today = terms.settings.zone.day_of(at);
        match drafts.last() {
            Some(open) => prop_assert!(open.period.contains(today) && open.start <= at && at < open.end),
            None => prop_assert!(today < read("2026-01-01"), "before the first plan"),
        }
        let issued = world.issue_at(&read("alice"), at).unwrap();
        prop_assert_eq!(issued.len(), drafts.len().saturating_sub(1));
    }
}
