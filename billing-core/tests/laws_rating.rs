//! What holds for all tariffs and usage, and that two raters agree.
#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::unwrap_in_result, reason = "a test may panic")]
#![expect(clippy::indexing_slicing, reason = "a test may panic")]
#![expect(clippy::string_slice, reason = "numbers are ASCII digits")]
#![expect(clippy::arithmetic_side_effects, reason = "the figures are far below their bounds")]
#![expect(clippy::integer_division, reason = "whole ticks")]
#![expect(clippy::print_stdout, reason = "the figures are printed")]

mod reference;

use core::{
    cell::Cell,
    mem::{Discriminant, discriminant},
};

use std::collections::BTreeSet;

use billing_core::{
    id::Group,
    money::{Amount, Exact, Price, Quantity},
    number::Prefix,
    tariff::{
        AtMaximum, BandSpec, Explanation, LineSpec, Measure, RateError, Rated, Reach, Tariff,
        TariffProblem, TariffSpec, To, Usage, Why,
    },
    time::Instant,
};
use num_rational::BigRational;
use proptest::{
    bool::weighted,
    collection::vec,
    prelude::{
        Just, ProptestConfig, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest,
    },
    sample::{Index, select},
    test_runner::{TestCaseError, TestRunner},
};
use reference::{
    Costs, Refused, Used, fraction,
    random::{self, World},
    rounded,
};

/// How many random cases each law is held against; `PROPTEST_CASES` asks for more.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(96)
}

/// So many tariffs, with [`random::USED`] calls each, for each case of the other laws: 50,000 pairs in an ordinary run.
const TARIFFS: u32 = 9;
/// One in so many prices is compared piece by piece too.
const EXPLAINED: usize = 4;

fn runner() -> TestRunner {
    let (cases, failure_persistence) = (TARIFFS * cases(), None);
    TestRunner::new(ProptestConfig { cases, failure_persistence, ..ProptestConfig::default() })
}

/// Fractions of the engine and of the reference are written the same way.
fn exact(fraction: &BigRational) -> Exact {
    let part = |number: &num_bigint::BigInt| number.to_string().parse::<Exact>().unwrap();
    part(fraction.numer()).checked_div(&part(fraction.denom())).unwrap()
}

fn agrees(
    used: &Used,
    expected: Result<Costs, Refused>,
    rated: Result<Rated<'_>, RateError>,
    explained: Option<impl FnOnce(&Usage) -> Result<Explanation, RateError>>,
) -> Result<(), TestCaseError> {
    let costs = match (expected, rated) {
        (Err(refused), Err(error)) => {
            let same = match (&refused, &error) {
                (Refused::NotInForce, RateError::NotInForce { at, .. }) => *at == used.at,
                (Refused::Measure, RateError::Measure { .. })
                | (Refused::TooMuch, RateError::Money(_)) => true,
                (Refused::NoLine { at: expected }, RateError::NoLine { at, .. }) => expected == at,
                (Refused::Blocked { line: expected }, RateError::Blocked { line, .. }) => {
                    *expected == usize::try_from(*line).unwrap()
                }
                _ => false,
            };
            prop_assert!(same, "{refused:?}, but {error:?}");
            return Ok(());
        }
        (Ok(costs), Ok(rated)) => {
            prop_assert_eq!(costs.amount, rated.amount());
            prop_assert_eq!(costs.billed(), i128::from(rated.billed_ms()) * used.tick());
            prop_assert_eq!(costs.line, usize::try_from(rated.line()).unwrap());
            let prefix = rated.prefix().map(|prefix| prefix.to_string());
            prop_assert_eq!(&costs.prefix, &prefix);
            prop_assert_eq!(&costs.destination, rated.destination());
            prop_assert_eq!(costs.pieces.len(), usize::try_from(rated.segments()).unwrap());
            costs
        }
        (expected, rated) => {
            prop_assert!(false, "{expected:?}, but {rated:?}");
            return Ok(());
        }
    };
    let Some(explained) = explained else { return Ok(()) };
    let explanation = explained(&used.usage()).unwrap();
    prop_assert_eq!(explanation.amount, costs.amount);
    prop_assert_eq!(&explanation.exact, &exact(&costs.exact));
    for (piece, expected) in explanation.pieces.iter().zip(&costs.pieces) {
        let tick = used.tick();
        prop_assert_eq!(usize::try_from(piece.line).unwrap(), expected.line);
        prop_assert_eq!(&piece.destination, &expected.destination);
        prop_assert_eq!(i128::from(piece.from) * tick, expected.from);
        // A change within a millisecond counts from the next one on.
        prop_assert!(i128::from(piece.used) * tick - expected.used < tick);
        prop_assert!(i128::from(piece.used) * tick >= expected.used);
        prop_assert_eq!(i128::from(piece.billed) * tick, expected.billed);
        prop_assert_eq!(i128::from(piece.increment) * tick, expected.increment);
        prop_assert_eq!(&piece.cost, &exact(&expected.cost));
    }
    Ok(())
}

#[test]
fn two_raters_agree_on_one_tariff() {
    let pairs = Cell::new(0_u64);
    let held = runner().run(&random::world(), |world| {
        let (tariff, reference) = (world.tariff(), world.reference());
        for (place, used) in world.used.iter().enumerate() {
            let expected = reference.price(world.asked(), used);
            let explained = |usage: &Usage| tariff.explain(usage);
            let explained = (place % EXPLAINED == 0).then_some(explained);
            agrees(used, expected, tariff.rate(&used.usage()), explained)?;
            pairs.set(pairs.get() + 1);
        }
        Ok(())
    });
    held.unwrap();
    println!("evidence: usage priced by two raters, under one tariff = {}", pairs.get());
}

#[test]
fn two_raters_agree_on_versions_and_fallbacks() {
    let pairs = Cell::new(0_u64);
    let held = runner().run(&random::worlds(), |world| {
        let (tariffs, reference) = (world.tariffs(), world.reference());
        for (place, used) in world.used.iter().enumerate() {
            let expected = reference.price(world.asked(), used);
            let explained = |usage: &Usage| tariffs.explain(world.asked(), usage);
            let explained = (place % EXPLAINED == 0).then_some(explained);
            agrees(used, expected, tariffs.rate(world.asked(), &used.usage()), explained)?;
            pairs.set(pairs.get() + 1);
        }
        Ok(())
    });
    held.unwrap();
    println!(
        "evidence: usage priced by two raters, under versions and fallbacks = {}",
        pairs.get()
    );
}

/// What does not depend on where in the document a line stands.
type Outcome = Result<(Amount, u64, u32, Option<Prefix>, Group), Discriminant<RateError>>;

fn outcome(tariff: &Tariff, used: &Used) -> Outcome {
    let rated = tariff.rate(&used.usage()).map_err(|error| discriminant(&error))?;
    let destination = rated.destination().clone();
    Ok((rated.amount(), rated.billed_ms(), rated.segments(), rated.prefix(), destination))
}

/// The same tariff with more lines after its own, as far as none is a twin.
fn with_lines(world: &World, lines: impl IntoIterator<Item = LineSpec>) -> Tariff {
    let mut spec = world.versions[0].0.clone();
    spec.lines.extend(lines);
    Tariff::compile(&random::untwinned(spec)).unwrap()
}

/// A line for numbers that begin with a prefix: without conditions, and no other of that prefix wins.
fn plain(line: &LineSpec, prefix: &str) -> LineSpec {
    LineSpec {
        destination: "added".parse().unwrap(),
        to: To::Prefixes(vec![prefix.parse().unwrap()]),
        weight: 99,
        origin: None,
        window: None,
        valid_from: None,
        valid_until: None,
        ..line.clone()
    }
}

/// The whole of the usage of a world, up to a number of ticks each.
fn cut(used: &Used, ticks: impl IntoIterator<Item = u64>) -> Vec<Used> {
    let mut ticks: Vec<u64> = ticks.into_iter().chain([used.ticks()]).collect();
    ticks.sort_unstable();
    ticks.into_iter().map(|ticks| used.with_ticks(ticks)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_lines_does_not_matter(
        (world, lines) in random::world().prop_flat_map(|world| {
            let lines = world.versions[0].0.lines.clone();
            (Just(world), Just(lines).prop_shuffle())
        }),
    ) {
        let spec = TariffSpec { lines, ..world.versions[0].0.clone() };
        let (tariff, shuffled) = (world.tariff(), Tariff::compile(&spec).unwrap());
        for used in &world.used {
            prop_assert_eq!(outcome(&shuffled, used), outcome(&tariff, used));
        }
    }

    #[test]
    fn the_longest_prefix_with_a_line_in_force_wins(
        world in random::world(),
        at in any::<Index>(),
    ) {
        let used = world.used.iter().filter(|used| !used.to.is_empty());
        for used in used {
            let line = at.get(&world.versions[0].0.lines);
            let tariff = with_lines(&world, [plain(line, &used.to)]);
            match tariff.explain(&used.usage()) {
                Ok(explanation) => {
                    let won = explanation.candidates.iter().find(|it| it.why == Why::Won).unwrap();
                    prop_assert_eq!(won.prefix.unwrap().to_string(), used.to.as_str());
                    let names = explanation.pieces.iter().map(|piece| piece.destination.to_string());
                    prop_assert!(names.into_iter().all(|name| name == "added"));
                }
                Err(RateError::Blocked { .. }) => prop_assert!(line.blocked),
                Err(error) => prop_assert!(matches!(error, RateError::Money(_)), "{error}"),
            }
            // No line of a shorter one changes that.
            let both = with_lines(&world, [plain(line, &used.to), plain(line, "49")]);
            prop_assert_eq!(outcome(&both, used), outcome(&tariff, used));
        }
    }

    #[test]
    fn a_line_that_is_never_in_force_changes_nothing(
        (world, more) in random::measures().prop_flat_map(|measure| {
            (random::world_of(measure), random::world_of(measure))
        }),
        at in any::<Index>(),
    ) {
        for used in &world.used {
            let lines = &more.versions[0].0.lines;
            let end = used.at.checked_add_ms(used.ticks() + 1).unwrap();
            let unused = lines.iter().enumerate().map(|(place, line)| match place % 4 {
                0 => plain(line, "7"),
                1 => LineSpec { origin: Some("7".parse().unwrap()), ..line.clone() },
                2 => LineSpec { valid_from: None, valid_until: Some(used.at), ..line.clone() },
                _ => LineSpec { valid_from: Some(end), valid_until: None, ..line.clone() },
            });
            let tariff = with_lines(&world, unused);
            prop_assert_eq!(outcome(&tariff, used), outcome(&world.tariff(), used));
        }
        // Nor does one that always loses.
        let heavy = |world: &World| -> Vec<LineSpec> {
            let line = at.get(&world.versions[0].0.lines);
            let all = random::PREFIXES.map(|prefix| plain(line, prefix));
            let any = LineSpec { to: To::Any, ..all[0].clone() };
            all.into_iter().chain([any]).collect()
        };
        let lines = || more.versions[0].0.lines.iter().cloned();
        let (alone, beside) = (heavy(&world), heavy(&world).into_iter().chain(lines()));
        let (alone, beside) = (with_lines(&world, alone), with_lines(&world, beside));
        for used in &world.used {
            prop_assert_eq!(outcome(&beside, used), outcome(&alone, used));
        }
    }

    #[test]
    fn longer_usage_never_costs_less(
        world in random::world(),
        ticks in vec(random::ticks(), 1..5),
    ) {
        let tariff = world.tariff();
        for used in &world.used {
            let (mut before, mut ended) = ((Amount::ZERO, 0), false);
            for used in cut(used, ticks.iter().copied()) {
                match tariff.rate(&used.usage()) {
                    Ok(rated) => {
                        prop_assert!(!ended, "there was no price for less");
                        let now = (rated.amount(), rated.billed_ms());
                        prop_assert!(before.0 <= now.0 && before.1 <= now.1, "{before:?} {now:?}");
                        before = now;
                    }
                    Err(_) => ended = true,
                }
            }
        }
    }

    #[test]
    fn usage_that_is_rated_in_slices_costs_the_same(
        world in random::world(),
        ticks in vec(random::ticks(), 1..5),
    ) {
        let tariff = world.tariff();
        for used in &world.used {
            let Ok(whole) = tariff.explain(&used.usage()) else { continue };
            let slices = ticks.iter().copied().filter(|ticks| *ticks <= used.ticks());
            let mut charged = Amount::ZERO;
            for slice in cut(used, slices) {
                let so_far = tariff.explain(&slice.usage()).unwrap();
                let due = so_far.amount.checked_sub(charged).unwrap();
                prop_assert!(!due.is_negative());
                charged = charged.checked_add(due).unwrap();
                // All but its last segment are those of the whole, and that one is a beginning.
                let Some((last, before)) = so_far.pieces.split_last() else { continue };
                prop_assert_eq!(before, &whole.pieces[..before.len()]);
                let same = &whole.pieces[before.len()];
                prop_assert_eq!((last.line, last.from), (same.line, same.from));
                prop_assert_eq!(last.increment, same.increment);
                prop_assert!(last.used <= same.used && last.billed <= same.billed);
            }
            prop_assert_eq!(charged, whole.amount);
        }
    }

    #[test]
    fn prices_and_billed_usage_stay_within_their_bounds(world in random::world()) {
        let (spec, tariff) = (&world.versions[0].0, world.tariff());
        for used in &world.used {
            let Ok(rated) = tariff.rate(&used.usage()) else { continue };
            let line = &spec.lines[usize::try_from(rated.line()).unwrap() - 1];
            let bound = |price: Price| {
                rounded(&fraction(price.decimal()), spec.decimals, spec.rounding).unwrap()
            };
            if rated.segments() == 0 {
                prop_assert_eq!((rated.amount(), rated.billed_ms()), (Amount::ZERO, 0));
                continue;
            }
            prop_assert!(rated.amount() >= bound(line.minimum));
            if let (Some(maximum), AtMaximum::Free) = (line.maximum, line.at_maximum) {
                prop_assert!(rated.amount() <= bound(maximum));
            }
            let pieces = tariff.explain(&used.usage()).unwrap().pieces;
            let growth: u64 = pieces.iter().map(|piece| piece.increment).sum();
            let first = line.first.map_or(0, |first| ticks_of(first, used.measure));
            prop_assert!(rated.billed_ms() >= used.ticks());
            prop_assert!(rated.billed_ms() < used.ticks() + growth + first);
            for (place, piece) in pieces.iter().enumerate() {
                let first = if place == 0 { first } else { 0 };
                prop_assert!(piece.used <= piece.billed);
                prop_assert!(piece.billed < piece.used + piece.increment + first);
            }
        }
    }

    #[test]
    fn an_explanation_adds_up(world in random::world()) {
        let (spec, tariff) = (&world.versions[0].0, world.tariff());
        for used in &world.used {
            let rated = tariff.rate(&used.usage());
            let explanation = tariff.explain(&used.usage());
            let (Ok(rated), Ok(explanation)) = (&rated, &explanation) else {
                prop_assert_eq!(rated.err(), explanation.err());
                continue;
            };
            let line = &spec.lines[usize::try_from(rated.line()).unwrap() - 1];
            prop_assert_eq!(explanation.amount, rated.amount());
            let rounding = spec.rounding;
            let exact = &explanation.exact;
            prop_assert_eq!(exact.round(spec.decimals.into(), rounding).unwrap(), rated.amount());
            let mut sum = explanation.connect_fee.clone();
            let mut from = 0;
            for piece in &explanation.pieces {
                prop_assert_eq!(piece.from, from);
                if used.measure == Measure::Time {
                    prop_assert_eq!(piece.at, used.at.checked_add_ms(from).unwrap());
                }
                sum = sum.add(&piece.cost);
                from += piece.billed;
            }
            prop_assert_eq!(from, rated.billed_ms());
            let least = if explanation.pieces.is_empty() { Price::ZERO } else { line.minimum };
            let most = line.maximum.filter(|_| line.at_maximum == AtMaximum::Free);
            let bounded = sum.max(Exact::from(least));
            let bounded = most.map_or(bounded.clone(), |most| bounded.min(Exact::from(most)));
            prop_assert_eq!(&bounded, exact);
            let won: Vec<_> = explanation.candidates.iter().filter(|it| it.why == Why::Won).collect();
            prop_assert_eq!(won.len(), 1);
            prop_assert_eq!((won[0].line, won[0].prefix), (rated.line(), rated.prefix()));
        }
    }

    #[test]
    fn an_amount_reaches_as_far_as_it_pays(
        world in random::world(),
        paid in vec((random::ticks(), -2_i64..3), 1..3),
    ) {
        let (spec, tariff) = (&world.versions[0].0, world.tariff());
        for used in world.used.iter().step_by(4) {
            let pays = |ticks: u64, amount: Amount| {
                let usage = used.with_ticks(ticks).usage();
                let Ok(rated) = tariff.rate(&usage) else { return false };
                let line = &spec.lines[usize::try_from(rated.line()).unwrap() - 1];
                let Some(most) = line.maximum.filter(|_| line.at_maximum == AtMaximum::Disconnect)
                else {
                    return rated.amount() <= amount;
                };
                let explanation = tariff.explain(&usage).unwrap();
                let costs = explanation.pieces.iter().map(|piece| &piece.cost);
                let sum = costs.fold(explanation.connect_fee.clone(), |sum, cost| sum.add(cost));
                rated.amount() <= amount && sum <= Exact::from(most)
            };
            for (ticks, more) in &paid {
                // About as much as it costs at some point of it.
                let at = used.with_ticks((*ticks).min(used.ticks()));
                let cost = tariff.rate(&at.usage()).map_or(Amount::ZERO, |rated| rated.amount());
                let more = Amount::from_units(i128::from(*more), spec.decimals.into()).unwrap();
                let amount = cost.checked_add(more).unwrap();
                match tariff.reach(&used.usage(), amount) {
                    Ok(Reach::Unlimited) => prop_assert!(pays(used.ticks(), amount)),
                    Ok(Reach::Until(reached)) => {
                        prop_assert!(reached < used.ticks() || reached == 0);
                        prop_assert!(pays(reached, amount) || reached == 0);
                        prop_assert!(!pays(reached + 1, amount));
                    }
                    Err(error) => {
                        prop_assert!(!pays(0, Amount::ZERO) || matches!(error, RateError::Money(_)));
                    }
                }
            }
        }
    }

    #[test]
    fn a_document_with_one_wrong_line_is_refused_with_its_number(
        world in random::world(),
        at in any::<Index>(),
        how in 0..WRONGS.len(),
    ) {
        let mut spec = world.versions[0].0.clone();
        let place = at.index(spec.lines.len());
        let line = &mut spec.lines[place];
        line.blocked = false;
        line.bands = vec![band(0, 2, spec.measure)];
        let (wrong, is_expected) = WRONGS[how];
        wrong(line, spec.measure);
        let invalid = Tariff::compile(&spec).unwrap_err();
        prop_assert_eq!(invalid.line, Some(place + 1));
        prop_assert!(is_expected(&invalid.problem), "{}", invalid);
        let begins = format!("line {}: ", place + 1);
        prop_assert!(invalid.to_string().starts_with(&begins));
    }

    #[test]
    fn a_line_twice_is_refused_with_both_numbers(world in random::world(), at in any::<Index>()) {
        let mut spec = world.versions[0].0.clone();
        let place = at.index(spec.lines.len());
        spec.lines.push(spec.lines[place].clone());
        let invalid = Tariff::compile(&spec).unwrap_err();
        prop_assert_eq!(invalid.line, Some(spec.lines.len()));
        let other = place + 1;
        let is_twin = matches!(&invalid.problem, TariffProblem::Twins { other: it, .. } if *it == other);
        prop_assert!(is_twin, "{}", invalid);
    }

    #[test]
    fn any_document_compiles_or_says_which_line_is_wrong(spec in anything(), at in instants()) {
        match Tariff::compile(&spec) {
            Err(invalid) => {
                let lines = 1..=spec.lines.len();
                prop_assert!(invalid.line.is_none_or(|line| lines.contains(&line)), "{invalid}");
            }
            // What compiles can be asked about anything.
            Ok(tariff) => for ticks in [0, 1, 61_000, 90_000_000] {
                let used = Used {
                    to: "4930123456".to_owned(),
                    from: String::new(),
                    at,
                    measure: spec.measure,
                    usage: 0,
                };
                let usage = used.with_ticks(ticks).usage();
                drop(tariff.rate(&usage));
                drop(tariff.reach(&usage, "1".parse().unwrap()));
            },
        }
    }
}

/// How many prefixes a line has, on either side of where they are looked up in another way.
const COUNTS: [usize; 6] = [1, 7, 511, 512, 3_000, 17_000];

proptest! {
    #![proptest_config(ProptestConfig { cases: cases().div_ceil(8), ..ProptestConfig::default() })]

    #[test]
    fn the_longest_of_many_prefixes_is_found(
        (prefixes, numbers) in select(&COUNTS[..]).prop_flat_map(|count| {
            (vec(digits(1..16), count), vec(digits(1..16), 200))
        }),
    ) {
        let json = r#"{"id":"retail","version":1,"currency":"EUR","zone":"UTC","decimals":4,
            "rounding":"half_up","lines":[{"destination":"there","to":"any",
            "bands":[{"price":"1","per":"1","increment":"1"}]}]}"#;
        let mut spec: TariffSpec = serde_json::from_str(json).unwrap();
        spec.lines[0].to =
            To::Prefixes(prefixes.iter().map(|prefix| prefix.parse().unwrap()).collect());
        let tariff = Tariff::compile(&spec).unwrap();
        let known: BTreeSet<&str> = prefixes.iter().map(String::as_str).collect();
        prop_assert_eq!(tariff.prefixes(), known.len());
        let at: Instant = "2026-06-01T12:00:00Z".parse().unwrap();
        // Numbers that are prefixes themselves, that go on behind one, and any.
        let longer = prefixes.iter().map(|prefix| format!("{prefix}9").chars().take(15).collect());
        for number in prefixes.iter().take(200).cloned().chain(longer.take(200)).chain(numbers) {
            let found = tariff.rate(&Usage::call(&number.parse().unwrap(), at, 1));
            let found = found.ok().and_then(|rated| rated.prefix()).map(|it| it.to_string());
            let mut shorter = (1..=number.len()).rev().map(|length| &number[..length]);
            let longest = shorter.find(|prefix| known.contains(prefix)).map(str::to_owned);
            prop_assert_eq!(found, longest);
        }
    }
}

/// Digits as text, often of few kinds, so that one begins like another.
fn digits(length: core::ops::Range<usize>) -> impl Strategy<Value = String> {
    let digit = prop_oneof![3 => select(vec!['0', '4', '9']), 1 => select(vec!['1', '2', '7'])];
    vec(digit, length).prop_map(String::from_iter)
}

fn ticks_of(quantity: Quantity, measure: Measure) -> u64 {
    let millionths = reference::millionths(quantity.decimal());
    let tick = if measure == Measure::Time { 1_000 } else { 1 };
    u64::try_from(millionths / tick).unwrap()
}

fn band(from: u64, increment: u64, measure: Measure) -> BandSpec {
    let [from, per, increment] =
        [from, 1_000, increment].map(|ticks| random::quantity(ticks, measure));
    BandSpec { from, price: Price::ZERO, per, increment }
}

/// A way to break a line, and whether a problem is the one it is refused for.
type Wrong = (fn(&mut LineSpec, Measure), fn(&TariffProblem) -> bool);

const WRONGS: [Wrong; 18] = [
    (|line, _| line.window = Some("none".into()), |it| matches!(it, TariffProblem::Unknown { .. })),
    (
        |line, _| line.to = To::Group("none".into()),
        |it| matches!(it, TariffProblem::Unknown { .. }),
    ),
    (
        |line, _| line.to = To::Prefixes(Vec::new()),
        |it| matches!(it, TariffProblem::NoPrefixes { .. }),
    ),
    (|line, _| line.bands.clear(), |it| *it == TariffProblem::NoBands),
    (|line, _| line.blocked = true, |it| *it == TariffProblem::PricedAndBlocked),
    (
        |line, measure| line.bands = vec![band(1, 1, measure)],
        |it| matches!(it, TariffProblem::BandOrder { band: 1, .. }),
    ),
    (
        |line, measure| line.bands.push(band(0, 1, measure)),
        |it| matches!(it, TariffProblem::BandOrder { band: 2, .. }),
    ),
    (
        |line, measure| line.bands.push(band(3, 1, measure)),
        |it| matches!(it, TariffProblem::BandWithinIncrement { band: 2, .. }),
    ),
    (|line, measure| line.bands = vec![band(0, 0, measure)], is_quantity),
    (|line, _| line.bands[0].per = Quantity::ZERO, is_quantity),
    (|line, _| line.bands[0].per = "-1".parse().unwrap(), is_quantity),
    (|line, _| line.bands[0].increment = "0.0000001".parse().unwrap(), is_quantity),
    (|line, _| line.bands[0].from = "100000000000000000".parse().unwrap(), is_quantity),
    (|line, _| line.first = Some(Quantity::ZERO), is_quantity),
    (|line, _| line.grace = "-0.001".parse().unwrap(), is_quantity),
    (
        |line, measure| {
            line.bands.push(band(2, 2, measure));
            line.bands[0].per = "999983".parse().unwrap();
            line.bands[1].per = "1000003".parse().unwrap();
        },
        |it| *it == TariffProblem::Units,
    ),
    (
        |line, _| {
            line.valid_from = Some("2026-01-01T00:00:00Z".parse().unwrap());
            line.valid_until = line.valid_from;
        },
        |it| *it == TariffProblem::Validity,
    ),
    (
        |line, _| {
            line.minimum = "2".parse().unwrap();
            line.maximum = Some("1".parse().unwrap());
        },
        |it| matches!(it, TariffProblem::MinimumAboveMaximum { .. }),
    ),
];

fn is_quantity(problem: &TariffProblem) -> bool {
    matches!(problem, TariffProblem::Quantity { .. })
}

fn instants() -> impl Strategy<Value = Instant> {
    let edges = [Instant::MIN.micros(), Instant::MAX.micros(), 0];
    let near = select(edges.to_vec());
    prop_oneof![near, Instant::MIN.micros()..=Instant::MAX.micros()]
        .prop_map(|micros| Instant::from_micros(micros).unwrap())
}

/// Any document at all, most of them wrong somewhere.
fn anything() -> impl Strategy<Value = TariffSpec> {
    let quantities = vec(
        prop_oneof![
            4 => select(vec![1_000_000_000_i128, 60_000_000_000, 1]),
            1 => any::<i64>().prop_map(i128::from),
            1 => select(vec![0, -1, 999_999_999_999_999_999_999_999_999]),
        ]
        .prop_map(|units| Quantity::from_units(units, 9).unwrap()),
        5,
    );
    let wrong = (weighted(0.1), weighted(0.1), weighted(0.1), weighted(0.1), weighted(0.1));
    let times = select(vec!["24:00", "8:00", "", "23:59:60", "00:00", "25:00", "12:00:00:00"]);
    (random::world(), quantities, wrong, any::<Index>(), times, any::<u8>()).prop_map(
        |(world, quantities, (first, second, third, fourth, fifth), at, time, number)| {
            let mut spec = world.versions.into_iter().next().unwrap().0;
            let place = at.index(spec.lines.len());
            let line = &mut spec.lines[place];
            line.grace = quantities[0];
            line.first = Some(quantities[1]);
            let [from, per, increment] = [quantities[2], quantities[3], quantities[4]];
            line.bands.push(BandSpec { from, price: Price::ZERO, per, increment });
            if first {
                spec.decimals = number;
            }
            if second {
                spec.windows.values_mut().for_each(|window| window.from = Some(time.into()));
            }
            if third {
                spec.windows.values_mut().for_each(|window| window.month_days = vec![number]);
            }
            if fourth {
                spec.calendars.clear();
            }
            if fifth {
                spec.groups.clear();
                spec.version = u32::from(number);
            }
            spec
        },
    )
}
