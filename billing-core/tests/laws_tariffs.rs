//! What holds for whatever is built on rating: batches, quotes, margins, comparisons and trials of tariffs.
#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::unwrap_in_result, reason = "a test may panic")]
#![expect(clippy::indexing_slicing, reason = "a test may panic")]
#![expect(clippy::arithmetic_side_effects, reason = "the figures are far below their bounds")]

#[expect(dead_code, reason = "each file of tests is a crate of its own, which uses a part")]
mod reference;

use core::mem::{Discriminant, discriminant};

use std::collections::BTreeSet;

use billing_core::{
    digest::Digest,
    id::{AccountId, Group},
    money::{Amount, Exact, Money, Price, Quantity, Rounding},
    number::{PhoneNumber, Prefix},
    tariff::{
        BandSpec, Change, Crossing, DiffSummary, Effect, ExchangeRate, Impact, LineAt, LineDiff,
        LineSpec, MarginError, Measure, Part, Percents, Present, RateError, Rated, Rater, Sums,
        Tariff, TariffSpec, Tariffs, To, WhatIf,
    },
};
use proptest::{
    collection::vec,
    prelude::{
        ProptestConfig, Strategy, prop_assert, prop_assert_eq, prop_assert_ne, prop_oneof, proptest,
    },
    sample::select,
};
use reference::{
    Used,
    random::{self, World},
};

const PERCENTS: Percents = Percents { decimals: 2, rounding: Rounding::HalfUp };

fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

/// The lines of a document with some left out, some on the terms of others, and some more.
fn next_version() -> impl Strategy<Value = (World, TariffSpec)> {
    random::measures().prop_flat_map(|measure| {
        let worlds = (random::world_of(measure), random::world_of(measure));
        let fates = vec(select(vec![0_u8, 0, 0, 1, 2, 3, 4]), 8);
        (worlds, fates, 0..4_usize).prop_map(|((world, other), fates, more)| {
            let old = &world.versions[0].0;
            let others = &other.versions[0].0.lines;
            let kept =
                old.lines.iter().zip(fates).enumerate().filter_map(|(place, (line, fate))| {
                    let terms = || others[place % others.len()].clone();
                    match fate {
                        0 => Some(line.clone()),
                        1 => None,
                        // The same line on other terms.
                        2 => Some(on_terms_of(line, terms())),
                        // With one of them.
                        3 => Some(with_one_of(line, terms(), place)),
                        _ => Some(LineSpec { to: terms().to, ..line.clone() }),
                    }
                });
            let lines = kept.chain(others.iter().take(more).cloned()).collect();
            let new = random::untwinned(TariffSpec { version: 2, lines, ..old.clone() });
            (world, new)
        })
    })
}

/// A line for the numbers and times of one, on the terms of another.
fn on_terms_of(line: &LineSpec, terms: LineSpec) -> LineSpec {
    let LineSpec { to, origin, window, weight, valid_from, valid_until, .. } = line.clone();
    LineSpec { to, origin, window, weight, valid_from, valid_until, ..terms }
}

/// A line with one of the terms of another; a blocked one has none to give or to take.
fn with_one_of(line: &LineSpec, terms: LineSpec, place: usize) -> LineSpec {
    let line = line.clone();
    if line.blocked || terms.blocked {
        return line;
    }
    let LineSpec { destination, connect_fee, minimum, grace, first, bands, .. } = terms;
    match place % 7 {
        0 => LineSpec { destination, ..line },
        1 => LineSpec { connect_fee, ..line },
        2 => LineSpec { minimum, maximum: None, ..line },
        3 => LineSpec { maximum: None, ..line },
        4 => LineSpec { grace, ..line },
        5 => LineSpec { first, ..line },
        _ => LineSpec { bands, ..line },
    }
}

/// The same tariffs at one price for each millisecond, so that nothing but lines ends a segment.
fn by_the_millisecond(world: &World) -> Tariffs {
    let tick = random::quantity(1, Measure::Time);
    let plain = |line: LineSpec| {
        let price = random::of_units(1);
        let band = BandSpec { from: Quantity::ZERO, price, per: tick, increment: tick };
        let bands = if line.blocked { Vec::new() } else { vec![band] };
        let (maximum, first) = (None, None);
        let [connect_fee, minimum] = [Price::ZERO; 2];
        LineSpec { connect_fee, minimum, maximum, grace: Quantity::ZERO, first, bands, ..line }
    };
    let versions = world.versions.iter().cloned().map(|(spec, since)| {
        let lines = spec.lines.into_iter().map(plain).collect();
        (TariffSpec { crossing: Crossing::Split, lines, ..spec }, since)
    });
    World { versions: versions.collect(), used: Vec::new() }.tariffs()
}

/// The same document with lines that hold always and for everybody.
fn plain(spec: TariffSpec) -> TariffSpec {
    let plain = spec.lines.into_iter().map(|line| LineSpec {
        origin: None,
        window: None,
        weight: 0,
        valid_from: None,
        valid_until: None,
        ..line
    });
    random::untwinned(TariffSpec { lines: plain.collect(), ..spec })
}

/// The same document with lines that hold always.
fn undated(spec: TariffSpec) -> TariffSpec {
    let lines = spec.lines.into_iter();
    let undated = lines.map(|line| LineSpec { valid_from: None, valid_until: None, ..line });
    random::untwinned(TariffSpec { lines: undated.collect(), ..spec })
}

/// Every prefix of every line, the catch-all as an empty one.
fn rows(spec: &TariffSpec) -> usize {
    let prefixes = spec.lines.iter().map(|line| match &line.to {
        To::Any => 1,
        To::Prefixes(prefixes) => prefixes.iter().collect::<BTreeSet<_>>().len(),
        To::Group(name) => spec.groups[name].iter().collect::<BTreeSet<_>>().len(),
    });
    prefixes.sum()
}

fn mirrored(effect: Effect) -> Effect {
    match effect {
        Effect::Increase => Effect::Decrease,
        Effect::Decrease => Effect::Increase,
        Effect::Gained => Effect::Lost,
        Effect::Lost => Effect::Gained,
        Effect::Mixed | Effect::Same => effect,
    }
}

/// All that a price tells.
type Told<'t> = Result<((Amount, u64, u32), (u32, Option<Prefix>), (Digest, &'t Group)), RateError>;

fn told<'t>(rated: &Result<Rated<'t>, RateError>) -> Told<'t> {
    let rated = rated.as_ref().map_err(Clone::clone)?;
    let line = (rated.line(), rated.prefix());
    let of = (rated.tariff().digest(), rated.destination());
    Ok(((rated.amount(), rated.billed_ms(), rated.segments()), line, of))
}

type Outcome = Result<(Amount, Group), Discriminant<RateError>>;

fn outcome(rated: Result<Rated<'_>, RateError>) -> Outcome {
    match rated {
        Ok(rated) => Ok((rated.amount(), rated.destination().clone())),
        Err(error) => Err(discriminant(&error)),
    }
}

/// What usage costs by a line alone; without one it has no price.
fn outcome_of(side: Option<LineAt<'_>>, of: &TariffSpec, used: &Used) -> Outcome {
    let lines = side.map(|at| LineSpec { to: To::Any, ..at.line.clone() });
    let spec = TariffSpec { lines: lines.into_iter().collect(), ..of.clone() };
    outcome(Tariff::compile(&spec).unwrap().rate(&used.usage()))
}

/// The difference that speaks of a number: that of its longest prefix.
fn longest<'d, 'a>(lines: &'d [LineDiff<'a>], to: &str) -> Option<&'d LineDiff<'a>> {
    let number = PhoneNumber::try_new(to).ok();
    let of_number = lines.iter().filter(|line| match (line.prefix, number) {
        (Some(prefix), Some(number)) => prefix.matches(&number),
        (prefix, _) => prefix.is_none(),
    });
    of_number.max_by_key(|line| line.prefix.map_or(0, |prefix: Prefix| prefix.len()))
}

fn added(one: Sums, two: Sums) -> Sums {
    let add = |one: Amount, two| one.checked_add(two).unwrap();
    Sums { calls: one.calls + two.calls, old: add(one.old, two.old), new: add(one.new, two.new) }
}

/// The sum of impacts.
fn sum(impacts: impl Iterator<Item = Impact>) -> Option<Impact> {
    impacts.reduce(|one, two| Impact {
        both: added(one.both, two.both),
        gained: added(one.gained, two.gained),
        lost: added(one.lost, two.lost),
        unpriced: one.unpriced + two.unpriced,
        cheaper: one.cheaper + two.cheaper,
        dearer: one.dearer + two.dearer,
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_batch_costs_what_each_of_it_costs(
        world in prop_oneof![random::world(), random::worlds()],
        times in 1_usize..3,
    ) {
        let (tariff, tariffs) = (world.tariff(), world.tariffs());
        let usages: Vec<_> = world.used.iter().map(Used::usage).collect();
        let usages = usages.repeat(times);
        for rater in [Rater::Version(&tariff), Rater::InForce(&tariffs, world.asked())] {
            let one_by_one: Vec<_> = usages.iter().map(|usage| told(&rater.rate(usage))).collect();
            // What stands there already stays.
            let mut results = vec![rater.rate(&usages[0])];
            rater.rate_batch(&usages, &mut results);
            let results: Vec<_> = results[1..].iter().map(told).collect();
            prop_assert_eq!(results, one_by_one);
        }
    }

    #[test]
    fn a_quote_agrees_with_rating(
        world in prop_oneof![random::world(), random::worlds()],
        lengths in vec(random::ticks(), 1..4),
    ) {
        let (tariffs, fine) = (world.tariffs(), by_the_millisecond(&world));
        let rater = Rater::InForce(&tariffs, world.asked());
        for used in world.used.iter().take(8) {
            let start = rater.rate(&used.with_ticks(0).usage());
            let quote = match (rater.quote(&used.usage(), &lengths), &start) {
                (Ok(quote), Ok(_)) => quote,
                (Err(quote), Err(rated)) => {
                    prop_assert_eq!(&quote, rated);
                    continue;
                }
                (quote, _) => {
                    prop_assert!(false, "{quote:?}, but {start:?}");
                    continue;
                }
            };
            for (cost, ticks) in quote.costs.iter().zip(&lengths) {
                let rated = rater.rate(&used.with_ticks(*ticks).usage());
                let measure = quote.measure;
                let cost = cost.clone().map(|cost| (cost.usage, cost.billed, cost.amount));
                let rated = rated.map(|rated| {
                    let quantity = |ticks| measure.quantity(ticks).unwrap();
                    (quantity(*ticks), quantity(rated.billed_ms()), rated.amount())
                });
                prop_assert_eq!(cost, rated);
            }
            // Its terms are those of the document.
            let mut versions = world.versions.iter().map(|(spec, _)| spec);
            let is_it = |it: &&TariffSpec| it.id == quote.tariff && it.version == quote.version;
            let line = versions.find(is_it).unwrap().line(quote.line).unwrap();
            prop_assert_eq!(&line.bands, &quote.bands);
            prop_assert_eq!(&line.destination, &quote.destination);
            prop_assert_eq!(line.connect_fee, quote.connect_fee);
            prop_assert_eq!((line.minimum, line.maximum), (quote.minimum, quote.maximum));
            prop_assert_eq!((line.grace, line.first), (quote.grace, quote.first));
            // Its line prices a call until then, and not a millisecond longer.
            if quote.measure == Measure::Units {
                continue;
            }
            let micros = quote.until.and_then(|until| used.at.micros_until(until));
            let ms = micros.map_or(30 * 86_400_000, |micros| micros.div_ceil(1_000));
            let names = |ms: u64| -> Result<Vec<Group>, RateError> {
                let explained = fine.explain(world.asked(), &used.with_ticks(ms).usage())?;
                Ok(explained.pieces.into_iter().map(|piece| piece.destination).collect())
            };
            let own = vec![quote.destination];
            prop_assert_eq!(&names(ms).unwrap(), &own);
            if let (Some(_), Ok(longer)) = (quote.until, names(ms + 1)) {
                prop_assert_eq!(longer.len(), 2);
                prop_assert_ne!(&longer[1], &own[0]);
            }
        }
    }

    #[test]
    fn a_margin_is_the_price_without_the_cost(
        (world, supplier) in next_version(),
        units in 0_u64..30_000_000_000,
    ) {
        let (price, cost) = (world.tariff(), Tariff::compile(&supplier).unwrap());
        let dollars = TariffSpec { currency: "USD".parse().unwrap(), ..supplier };
        let in_dollars = Tariff::compile(&dollars).unwrap();
        let exchange = ExchangeRate {
            from: "USD".parse().unwrap(),
            to: "EUR".parse().unwrap(),
            rate: random::of_units(i128::from(units)),
            decimals: 4,
            rounding: Rounding::HalfEven,
        };
        for used in &world.used {
            let usage = used.usage();
            let (sold, bought) = (price.rate(&usage), cost.rate(&usage));
            let customer = Rater::Version(&price);
            let margin = customer.margin(&Rater::Version(&cost), &usage, None);
            let abroad = customer.margin(&Rater::Version(&in_dollars), &usage, Some(&exchange));
            let missing = customer.margin(&Rater::Version(&in_dollars), &usage, None);
            let (sold, bought) = match (sold, bought) {
                (Err(error), _) => {
                    prop_assert_eq!(margin.unwrap_err(), MarginError::Customer(error));
                    continue;
                }
                (Ok(_), Err(error)) => {
                    prop_assert_eq!(margin.unwrap_err(), MarginError::Supplier(error));
                    continue;
                }
                (Ok(sold), Ok(bought)) => (sold, bought),
            };
            let margin = margin.unwrap();
            let euros = |amount| Money::new(amount, exchange.to);
            prop_assert_eq!((margin.price, margin.cost), (euros(sold.amount()), euros(bought.amount())));
            let left = sold.amount().checked_sub(bought.amount()).unwrap();
            prop_assert_eq!(margin.margin, euros(left));
            prop_assert_eq!(margin.loss, bought.amount() > sold.amount());
            prop_assert_eq!(told(&Ok(margin.sold)), told(&Ok(sold)));
            prop_assert_eq!(told(&Ok(margin.bought)), told(&Ok(bought)));
            let currencies = MarginError::Currencies { price: exchange.to, cost: exchange.from };
            prop_assert_eq!(missing.unwrap_err(), currencies);
            let exact = Exact::from(bought.amount()).mul(&Exact::from(exchange.rate));
            match (abroad, exact.round(4, Rounding::HalfEven)) {
                (Ok(margin), Ok(cost)) => {
                    prop_assert_eq!(margin.cost, euros(cost));
                    prop_assert_eq!(margin.margin.checked_add(margin.cost).unwrap(), margin.price);
                }
                (Err(MarginError::Rate { .. }), _) => prop_assert_eq!(units, 0),
                (abroad, cost) => prop_assert!(cost.is_err(), "{abroad:?}, but {cost:?}"),
            }
        }
    }

    #[test]
    fn nothing_is_different_from_itself(world in random::world()) {
        let spec = &world.versions[0].0;
        let diff = spec.diff(spec, PERCENTS).unwrap();
        prop_assert_eq!((&*diff.lines, &*diff.rules), (&[][..], &[][..]));
        let unchanged = u64::try_from(rows(spec)).unwrap();
        prop_assert_eq!(diff.summary, DiffSummary { unchanged, ..DiffSummary::default() });
        // Nor does the order of lines matter.
        let lines = spec.lines.iter().rev().cloned().collect();
        let other = TariffSpec { lines, ..spec.clone() };
        prop_assert_eq!(spec.diff(&other, PERCENTS).unwrap().summary, diff.summary);
    }

    #[test]
    fn a_difference_backwards_is_the_same_backwards((world, new) in next_version()) {
        let old = &world.versions[0].0;
        let (there, back) = (old.diff(&new, PERCENTS).unwrap(), new.diff(old, PERCENTS).unwrap());
        prop_assert_eq!(there.lines.len(), back.lines.len());
        for (line, other) in there.lines.iter().zip(&back.lines) {
            let change = match line.change {
                Change::Added => Change::Removed,
                Change::Removed => Change::Added,
                Change::Changed => Change::Changed,
            };
            prop_assert_eq!((other.prefix, other.change), (line.prefix, change));
            let when = |line: &LineDiff<'_>| (line.valid_from, line.valid_until);
            prop_assert_eq!(when(other), when(line));
            prop_assert_eq!((other.old, other.new), (line.new, line.old));
            prop_assert_eq!(other.effect(), mirrored(line.effect()));
            prop_assert_eq!(other.parts(), line.parts());
            for (price, other) in line.prices().iter().zip(&other.prices()) {
                prop_assert_eq!((&other.old, &other.new), (&price.new, &price.old));
                prop_assert_eq!((other.from, other.per), (price.from, price.per));
                // Up by a third and down by a quarter.
                if let (Some(up), Some(down)) = (&price.ratio, &other.ratio) {
                    let one = Exact::from_integer(1);
                    prop_assert_eq!(one.add(up).mul(&one.add(down)), one);
                }
            }
        }
        let DiffSummary { unchanged, added, removed, changed, .. } = there.summary;
        let expected = DiffSummary {
            added: removed,
            removed: added,
            increase: there.summary.decrease,
            decrease: there.summary.increase,
            gained: there.summary.lost,
            lost: there.summary.gained,
            ..there.summary
        };
        prop_assert_eq!(back.summary, expected);
        let count = |count: usize| u64::try_from(count).unwrap();
        // A line counts at least once, and without dates not more.
        prop_assert!(unchanged + changed + removed >= count(rows(old)));
        prop_assert!(unchanged + changed + added >= count(rows(&new)));
        prop_assert_eq!(added + removed + changed, count(there.lines.len()));
        let prefixes = there.lines.iter().map(|line| line.prefix);
        prop_assert!(prefixes.is_sorted());
        let (old, new) = (undated(old.clone()), undated(new));
        let DiffSummary { unchanged, added, removed, changed, .. } =
            old.diff(&new, PERCENTS).unwrap().summary;
        prop_assert_eq!(unchanged + changed + removed, count(rows(&old)));
        prop_assert_eq!(unchanged + changed + added, count(rows(&new)));
    }

    #[test]
    fn a_difference_explains_every_change_of_price_of_plain_lines((world, new) in next_version()) {
        let (old, new) = (plain(world.versions[0].0.clone()), plain(new));
        let [before, after] = [&old, &new].map(|spec| Tariff::compile(spec).unwrap());
        let diff = old.diff(&new, PERCENTS).unwrap();
        prop_assert!(diff.rules.is_empty());
        for used in &world.used {
            let usage = used.usage();
            let (was, is) = (outcome(before.rate(&usage)), outcome(after.rate(&usage)));
            let line = longest(&diff.lines, &used.to);
            let Some(line) = line.filter(|_| was != is) else {
                prop_assert_eq!(was, is, "nothing speaks of it");
                continue;
            };
            prop_assert_eq!(&outcome_of(line.old, &old, used), &was);
            prop_assert_eq!(&outcome_of(line.new, &new, used), &is);
            let (Ok((was, _)), Ok((is, _))) = (was, is) else { continue };
            let is_counted_alike = ![Part::Increments, Part::Bands, Part::Grace]
                .iter()
                .any(|part| line.parts().contains(part));
            if is_counted_alike {
                match line.effect() {
                    Effect::Increase => prop_assert!(was <= is),
                    Effect::Decrease => prop_assert!(is <= was),
                    Effect::Same => prop_assert_eq!(was, is),
                    Effect::Mixed => {}
                    effect @ (Effect::Gained | Effect::Lost) => {
                        prop_assert!(false, "{effect:?}, but {was} and {is}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_a_draft_changes_is_the_sum_of_what_it_changes_for_each_call(
        (world, new) in next_version(),
    ) {
        let (present, draft) = (world.tariff(), Tariff::compile(&new).unwrap());
        let mut what_if = WhatIf::new(Rater::Version(&draft));
        let (mut before, mut after) = (Exact::zero(), Exact::zero());
        let (mut both, mut gained, mut lost, mut neither) = (0_u64, 0_u64, 0_u64, 0_u64);
        for (place, used) in world.used.iter().enumerate() {
            let account: AccountId = format!("account-{}", place % 3).parse().unwrap();
            let usage = used.usage();
            let (was, is) = (present.rate(&usage), draft.rate(&usage));
            let so_far = what_if.clone();
            let pushed = match (place % 2, &was) {
                (0, _) => what_if.push_under(&Rater::Version(&present), &account, &usage).is_ok(),
                (_, was) => {
                    let was = was.as_ref().ok().map(Present::from);
                    what_if.push(&account, &usage, was).is_ok()
                }
            };
            if !pushed {
                // Only beyond the bounds of a sum, and then nothing was added.
                prop_assert_eq!(what_if.finish(), so_far.finish());
                return Ok(());
            }
            match (was, is) {
                (Ok(was), Ok(is)) => {
                    both += 1;
                    before = before.add(&Exact::from(was.amount()));
                    after = after.add(&Exact::from(is.amount()));
                }
                (Err(_), Ok(_)) => gained += 1,
                (Ok(_), Err(_)) => lost += 1,
                (Err(_), Err(_)) => neither += 1,
            }
        }
        let found = what_if.finish();
        let total = found.total;
        prop_assert_eq!(Exact::from(total.both.difference().unwrap()), after.sub(&before));
        prop_assert_eq!((total.both.calls, total.gained.calls), (both, gained));
        prop_assert_eq!((total.lost.calls, total.unpriced), (lost, neither));
        prop_assert!(total.gained.old.is_zero() && total.lost.new.is_zero());
        prop_assert_eq!(sum(found.accounts.iter().map(|it| it.impact)), Some(total));
        prop_assert_eq!(sum(found.destinations.iter().map(|it| it.impact)), Some(total));
        for of in &found.destinations {
            let Impact { both, gained, lost, unpriced, .. } = of.impact;
            let counts = [both.calls, gained.calls, lost.calls, unpriced].map(|calls| calls > 0);
            let expected = match (&of.old, &of.new) {
                (Some(_), Some(_)) => [true, false, false, false],
                (None, Some(_)) => [false, true, false, false],
                (Some(_), None) => [false, false, true, false],
                (None, None) => [false, false, false, true],
            };
            prop_assert_eq!(counts, expected);
        }
    }
}

#[cfg(feature = "parallel")]
proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..config() })]

    #[test]
    fn all_cores_give_the_same_results_in_the_same_order(world in random::worlds()) {
        let tariffs = world.tariffs();
        let rater = Rater::InForce(&tariffs, world.asked());
        let usages: Vec<_> = world.used.iter().map(Used::usage).collect();
        // None, fewer than one thread takes, and enough for several.
        for count in [0, 1, 2_048, 4_097] {
            let usages: Vec<_> = usages.iter().cycle().take(count).copied().collect();
            let (mut one, mut all) = (Vec::new(), Vec::new());
            rater.rate_batch(&usages, &mut one);
            rater.rate_batch_parallel(&usages, &mut all);
            let [one, all] = [one, all].map(|of| of.iter().map(told).collect::<Vec<_>>());
            prop_assert_eq!(one, all);
        }
    }
}
