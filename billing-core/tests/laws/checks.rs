//! What must hold for any stored state, and sums made by another hand.

use std::collections::{BTreeMap, BTreeSet};

use billing_core::{
    account::AccountSettings,
    decide,
    event::Head,
    id::{Group, StrategyId},
    invoice::{Draft, Invoice, InvoiceKind},
    item::{Item, ItemKey},
    money::{Amount, Rounding},
    settlement::HandedTotal,
    time::{Day, Instant},
    usage::{CarryKey, ScopeKey, TotalKey, Totals},
};
use chrono::{Months, NaiveDate};

use crate::{
    cases::END,
    common::{read, said::sum, world::World},
};

/// Everything that must not depend on the order of arrival.
pub(crate) fn state(
    world: &World,
) -> (BTreeMap<ItemKey, Item>, BTreeMap<TotalKey, Totals>, Vec<Draft>) {
    let items = world.items.iter().map(|(key, stored)| (key.clone(), stored.item.clone()));
    let totals = world.totals.iter().map(|(key, total)| (key.clone(), total.totals));
    (items.collect(), totals.collect(), world.bill(END))
}

/// The sums of a draft, each from what it is made of.
pub(crate) fn adds_up(draft: &Draft) {
    for line in &draft.lines {
        let shares = sum(line.parts.iter().map(|part| part.share));
        assert_eq!(line.parts.is_empty(), line.unit.is_none(), "usage has days, and nothing else");
        assert!(shares == line.amount || line.parts.is_empty(), "parts of a line");
        assert!(line.amount.units(draft.decimals).is_some(), "a line has the decimals it may");
    }
    let lines = sum(draft.lines.iter().map(|line| line.amount));
    let taxes = sum(draft.taxed.taxes.iter().map(|tax| tax.amount));
    assert_eq!(sum([draft.taxed.net, taxes]), draft.taxed.total, "net and taxes");
    assert!(lines == draft.taxed.net || lines == draft.taxed.total, "the lines are net or total");
}

/// The sum of postings is what the day totals say, each posting stands on its item's local day.
pub(crate) fn postings_are_the_totals(world: &World) {
    let mut sums: BTreeMap<TotalKey, Totals> = BTreeMap::new();
    for posting in world.postings() {
        let zone = &world.accounts[&posting.account].settings.zone;
        let at = world.items[&posting.item].item.at();
        assert_eq!(posting.day, zone.day_of(at));
        assert!(zone.day_start(posting.day) <= at, "the day has begun");
        // The last instant of all is also the end of its day.
        let end = zone.day_start(posting.day.next().unwrap());
        assert!(at < end || at == Instant::MAX, "the next one has not");
        let before = sums.get(&posting.total_key());
        let sum = before.map_or(posting.totals, |sum| sum.checked_add(posting.totals).unwrap());
        let _before: Option<Totals> = sums.insert(posting.total_key(), sum);
    }
    let totals = world.totals.iter().map(|(key, total)| (key.clone(), total.totals));
    assert_eq!(sums, totals.collect());
}

/// The journals follow from their entries alone.
pub(crate) fn journals_are_chained(world: &World) {
    for (account, journal) in &world.journal {
        let head = journal.iter().fold(Head::EMPTY, |head, entry| {
            assert_eq!(Some(entry.seq()), head.next());
            head.append(entry)
        });
        assert_eq!(head, world.accounts[account].head);
    }
}

/// What all invoices together say of each stretch and strategy.
pub(crate) fn billed(invoices: &[Invoice]) -> BTreeMap<(Day, u32, String), Amount> {
    let mut billed = BTreeMap::new();
    for line in invoices.iter().flat_map(|invoice| &invoice.draft.lines) {
        let stretch = (line.stretch.period.start(), line.stretch.assignment);
        let sum =
            billed.entry((stretch.0, stretch.1, line.strategy.to_string())).or_insert(Amount::ZERO);
        *sum = sum.checked_add(line.amount).unwrap();
    }
    billed
}

/// `numerator / denominator` to a whole number; the denominator is positive.
pub(crate) fn round(numerator: i128, denominator: i128, rounding: Rounding) -> i128 {
    let (floor, rest) = (numerator.div_euclid(denominator), numerator.rem_euclid(denominator));
    let half = (2 * rest).cmp(&denominator);
    let nearest = |tie: bool| if half.is_eq() { tie } else { half.is_gt() };
    let up = rest > 0
        && match rounding {
            Rounding::HalfUp => nearest(numerator > 0),
            Rounding::HalfEven => nearest(floor.rem_euclid(2) != 0),
            Rounding::HalfDown => nearest(numerator < 0),
            Rounding::Up => numerator > 0,
            Rounding::Down => numerator < 0,
            Rounding::Ceiling => true,
            Rounding::Floor => false,
        };
    floor + i128::from(up)
}

/// The first day of the period that a day is in, by walking there month by month.
pub(crate) fn period_start(settings: &AccountSettings, day: Day) -> Day {
    let (from, months) = (NaiveDate::from(settings.anchor.from()), settings.anchor.months());
    let boundary = |n: u32| from.checked_add_months(Months::new(n * u32::from(months))).unwrap();
    let date = NaiveDate::from(day);
    let last = (0..1_000).take_while(|n| boundary(*n) <= date).last().unwrap();
    Day::try_from(boundary(last)).unwrap()
}

/// Everything that is stored follows from the journal and the invoices.
pub(crate) fn whole(world: &World) {
    postings_are_the_totals(world);
    journals_are_chained(world);
    world.valid().for_each(|invoice| adds_up(&invoice.draft));
    let parts: Vec<TotalKey> = world.valid().flat_map(Invoice::part_keys).collect();
    let distinct: BTreeSet<&TotalKey> = parts.iter().collect();
    assert_eq!(distinct.len(), parts.len(), "a total is in one line");
    let billed = world.totals.iter().filter(|(_, total)| total.billed).map(|(key, _)| key);
    assert!(distinct.into_iter().eq(billed), "what is billed is in a line");
    let numbers = world.invoices.iter().map(|invoice| invoice.number);
    assert!(numbers.eq(1..=u64::try_from(world.invoices.len()).unwrap()), "without a gap");
    carries_are_the_lines(world);
    handovers_are_the_totals(world);
}

/// What was billed is what the carries say.
fn carries_are_the_lines(world: &World) {
    let mut lines: BTreeMap<CarryKey, Amount> = BTreeMap::new();
    for invoice in world.valid() {
        for line in &invoice.draft.lines {
            let key = CarryKey {
                account: invoice.draft.account.clone(),
                scope: line.scope,
                strategy: line.strategy.clone(),
                group: line.group.clone(),
            };
            let billed = lines.entry(key).or_insert(Amount::ZERO);
            *billed = sum([*billed, line.amount]);
        }
    }
    for (key, carry) in &world.carries {
        let billed = lines.remove(key).unwrap_or(Amount::ZERO);
        assert_eq!(carry.billed, billed, "{key:?}");
    }
    assert_eq!(lines, BTreeMap::new(), "every line has moved a carry");
}

/// What was handed over is what the closed totals say, each in one settlement.
fn handovers_are_the_totals(world: &World) {
    let mut handed: BTreeMap<TotalKey, HandedTotal> = BTreeMap::new();
    for settlement in world.settlements.values() {
        let handover = &settlement.handover;
        for total in &handover.totals {
            let key = TotalKey {
                account: handover.account.clone(),
                day: handover.day,
                assignment: total.assignment,
                strategy: total.strategy.clone(),
                group: total.group.clone(),
                revision: handover.revision,
            };
            assert_eq!(handed.insert(key, total.clone()), None, "in one settlement");
        }
    }
    let totals = world.totals.iter().filter(|(_, total)| total.handed);
    assert!(totals.clone().all(|(_, total)| total.closed), "what is handed over is closed");
    let totals = totals.map(|(key, total)| (key.clone(), HandedTotal::from(total)));
    assert_eq!(handed, totals.collect());
}

/// What all valid invoices say of each scope, where it is not nothing.
pub(crate) fn billed_by_scope(world: &World) -> BTreeMap<(ScopeKey, StrategyId, Group), Amount> {
    let mut billed = BTreeMap::new();
    for line in world.valid().flat_map(|invoice| &invoice.draft.lines) {
        let key = (line.scope, line.strategy.clone(), line.group.clone());
        let so_far = billed.entry(key).or_insert(Amount::ZERO);
        *so_far = sum([*so_far, line.amount]);
    }
    billed.retain(|_, amount| !amount.is_zero());
    billed
}

/// Usage of each day, strategy and group over all revisions, where it is not nothing.
pub(crate) fn used(world: &World) -> BTreeMap<(Day, u32, StrategyId, Group), Totals> {
    let mut used: BTreeMap<_, Totals> = BTreeMap::new();
    for (key, total) in &world.totals {
        let key = (key.day, key.assignment, key.strategy.clone(), key.group.clone());
        let before = used.get(&key).copied();
        let sum = before.map_or(total.totals, |sum| sum.checked_add(total.totals).unwrap());
        let _before: Option<Totals> = used.insert(key, sum);
    }
    let nothing = |totals: &Totals| {
        totals.count == 0 && totals.quantity.is_zero() && totals.amount.is_none_or(Amount::is_zero)
    };
    used.retain(|_, totals| !nothing(totals));
    used
}

/// Issues what is due, and holds it against what the running bill showed.
pub(crate) fn issue_as_previewed(world: &mut World, as_of: Instant) -> Vec<Invoice> {
    let alice = read("alice");
    let drafts = |world: &World| decide::bill(&world.bill_facts(&alice, as_of), as_of).unwrap();
    let ended = |draft: &&Draft| draft.end <= as_of && !draft.lines.is_empty();
    // What is charged for the period that goes on.
    let open = |drafts: &[Draft]| {
        let open = drafts.iter().filter(|draft| draft.end > as_of);
        sum(open.flat_map(|draft| &draft.lines).map(|line| line.amount))
    };
    let before = drafts(world);
    let issued = world.issue_at(&alice, as_of).unwrap();
    let of_kind = |kind: InvoiceKind| {
        let mine = issued.iter().map(|invoice| &invoice.draft);
        mine.filter(move |draft| draft.kind == kind)
    };
    let previewed: Vec<&Draft> = before.iter().filter(ended).collect();
    assert_eq!(of_kind(InvoiceKind::Period).collect::<Vec<_>>(), previewed, "as previewed");
    let lines = of_kind(InvoiceKind::Advance).flat_map(|draft| &draft.lines);
    let advance = sum(lines.map(|line| line.amount));
    let after = drafts(world);
    assert_eq!(sum([advance, open(&after)]), open(&before), "what is asked for is shown no more");
    assert_eq!(after.iter().filter(ended).count(), 0, "nothing that ended is left");
    issued
}
