//! Random lives of one account: what it uses, when it is invoiced and when its days are handed over.

use billing_core::{
    decide::Days,
    item::Incoming,
    time::{Day, Instant},
};
use proptest::{
    collection::vec,
    prelude::{Just, Strategy, any, prop_oneof},
    sample::{Index, select},
};

use crate::{
    cases::{DAY_MICROS, START_MICROS, Terms, blocks, flat_rate, price, settings, world},
    checks::issue_as_previewed,
    common::{self, call, fee, one_off, partial, pulse, read, world::World},
};

/// An instant after every period in which something was used or that an earlier run leaves open.
pub(crate) const LATE: &str = "2026-12-01T00:00:00Z";

/// One thing that happens.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Take(Vec<Incoming>),
    Issue(Instant),
    HandOver(Days),
}

/// An account, its plans, and what happens to it in order.
#[derive(Clone, Debug)]
pub(crate) struct Life {
    pub(crate) terms: Terms,
    pub(crate) steps: Vec<Step>,
}

impl Life {
    pub(crate) fn world(&self) -> World {
        world(&self.terms)
    }
}

pub(crate) fn live(world: &mut World, step: &Step) {
    match step {
        Step::Take(items) => world.record_or_replay(items),
        Step::Issue(as_of) => drop(issue_as_previewed(world, *as_of)),
        Step::HandOver(days) => drop(world.hand_over("alice", *days)),
    }
}

/// What there is beside talk that is counted over several stretches: which of them has the block that is full only together
/// depends on which was billed first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counted {
    /// Another price after a change of plan, and amounts paid ahead: what all costs depends on when it is billed.
    AtAnyPrice,
    /// Neither: all costs the same whenever it is billed.
    AtOnePrice,
}

/// The strategies of two versions of a plan, of every kind.
fn strategies(counted: Counted) -> impl Strategy<Value = [Vec<String>; 2]> {
    let shapes = ["pro_rata", "per_started_minute", "call", "period", "lifetime"];
    let talk = (select(shapes.to_vec()), 1_u32..100_000, [0_u32..5_000, 0_u32..5_000]);
    let timing = select(vec!["in_advance", "in_arrears"]);
    let proration = || select(vec!["none", "days"]);
    let fees = (timing, proration(), [1_u32..500_000, 1_u32..500_000]);
    let credits = (proration(), [1_u32..100_000, 1_u32..100_000], any::<bool>());
    let storage = [0_u32..20_000, 0_u32..20_000];
    (talk, fees, credits, storage).prop_map(move |(talk, fees, credits, storage)| {
        [0, 1].map(|version: usize| {
            let (shape, block_ms, talk) = talk;
            let cumulative = matches!(shape, "period" | "lifetime");
            let stays = cumulative && counted == Counted::AtOnePrice;
            let talk = talk[if stays { 0 } else { version }];
            let talk = match shape {
                "pro_rata" | "per_started_minute" => flat_rate("talk", shape, talk),
                _ => blocks("talk", shape, block_ms, talk),
            };
            let (timing, proration, prices) = fees;
            let fee = fee("fee", &price(prices[version]), timing, proration);
            let (proration, prices, is_there) = credits;
            let credit = common::prepaid(&price(prices[version]), proration);
            let storage = common::per_unit(&price(storage[version]));
            let credit = (is_there && !stays).then_some(credit);
            [talk, storage, common::unpriced()].into_iter().chain(credit).chain([fee]).collect()
        })
    })
}

pub(crate) fn terms(counted: Counted) -> impl Strategy<Value = Terms> {
    (settings(), strategies(counted), 20_460_i32..20_600).prop_map(
        |(settings, [strategies, changed], change)| {
            let change = Day::from_ordinal(change).unwrap();
            Terms { settings, strategies, changed, change }
        },
    )
}

/// A moment of the five months in which things are used.
fn moment() -> impl Strategy<Value = String> {
    (0..150 * DAY_MICROS).prop_map(|at| instant(at).to_string())
}

fn instant(micros: i64) -> Instant {
    Instant::from_micros(START_MICROS + micros).unwrap()
}

/// The records of one item.
fn item(id: String) -> impl Strategy<Value = Vec<Incoming>> {
    let talk = (moment(), vec(0_u64..7_200_000, 1..4), any::<bool>());
    let (of_talk, of_pulse, of_charge) = (id.clone(), id.clone(), id);
    prop_oneof![
        4 => talk.prop_map(move |(at, ms, ends)| records(&of_talk, &at, &ms, ends)),
        2 => (moment(), 0_u32..100_000).prop_map(move |(at, amount)| {
            vec![pulse(&of_pulse, &at, &price(amount)).into()]
        }),
        1 => (moment(), select(vec!["visit", "device"]), -200_000_i128..200_000).prop_map(
            move |(at, name, amount)| {
                let amount = billing_core::money::Amount::from_units(amount, 4).unwrap();
                vec![one_off(&of_charge, &at, name, &amount.to_string()).into()]
            }
        ),
    ]
}

/// The records of one call, each as long as it is then; the last is the final one if the call has ended.
pub(crate) fn records(id: &str, at: &str, ms: &[u64], ends: bool) -> Vec<Incoming> {
    let numbered = (1_u32..).zip(ms);
    let last = u32::try_from(ms.len()).unwrap();
    let number = |number: u32| if ends && number == last { 0 } else { number };
    numbered.map(|(n, ms)| partial(number(n), call(id, at, *ms)).into()).collect()
}

/// Items with all their records, in any order, some of them twice.
fn items() -> impl Strategy<Value = Vec<Incoming>> {
    let items: Vec<_> = (0_u8..16).map(|i| item(format!("item-{i}"))).collect();
    (items, vec(any::<Index>(), 0..6)).prop_flat_map(|(items, again)| {
        let mut all = items.concat();
        let again: Vec<Incoming> = again.iter().map(|index| index.get(&all).clone()).collect();
        all.extend(again);
        Just(all).prop_shuffle()
    })
}

/// Something beside usage.
fn event() -> impl Strategy<Value = Step> {
    let day = (20_454_i32..20_610_i32).prop_map(|day| Days::On(Day::from_ordinal(day).unwrap()));
    prop_oneof![
        3 => (0..220 * DAY_MICROS).prop_map(|at| Step::Issue(instant(at))),
        1 => Just(Step::HandOver(Days::All)),
        1 => Just(Step::HandOver(Days::Ended)),
        1 => day.prop_map(Step::HandOver),
    ]
}

pub(crate) fn life(counted: Counted) -> impl Strategy<Value = Life> {
    let events = vec((any::<Index>(), event()), 0..8);
    (terms(counted), items(), events).prop_map(|(terms, items, events)| {
        let mut events: Vec<(usize, Step)> =
            events.into_iter().map(|(at, step)| (at.index(items.len() + 1), step)).collect();
        events.sort_by_key(|(at, _)| *at);
        let (mut steps, mut from) = (Vec::new(), 0);
        for (until, step) in events {
            steps.push(Step::Take(items[from..until].to_vec()));
            steps.push(step);
            from = until;
        }
        steps.push(Step::Take(items[from..].to_vec()));
        steps.push(Step::Issue(read(LATE)));
        Life { terms, steps }
    })
}
