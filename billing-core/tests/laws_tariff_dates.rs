//! What a preview of a new price list says of each instant, where prices begin and end.
#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::arithmetic_side_effects, reason = "the figures are far below their bounds")]
#![expect(clippy::default_numeric_fallback, reason = "numbers of JSON have no type")]

use billing_core::{
    money::Rounding,
    number::{PhoneNumber, Prefix},
    tariff::{Effect, LineDiff, LineSpec, Percents, RateError, Tariff, TariffSpec, Usage},
    time::Instant,
};
use proptest::{
    collection::vec,
    option,
    prelude::{Just, ProptestConfig, Strategy, prop_assert_eq, proptest},
    sample::select,
};
use serde_json::json;

const PERCENTS: Percents = Percents { decimals: 2, rounding: Rounding::HalfUp };

/// Prices begin and end on these days, from April on.
const DAYS: u64 = 8;

const NUMBER: &str = "4930123456";
/// All of them are the number's.
const PREFIXES: [&str; 4] = ["any", "4", "49", "493"];

/// A price list with at most one line in force for a prefix at any time; a price of 0 cents is none at all, but a block.
fn prices(prefixes: Vec<&'static str>) -> impl Strategy<Value = TariffSpec> {
    let line = (select(prefixes), option::of(0..DAYS), option::of(0..DAYS), 0..4_u8);
    vec(line, 0..12).prop_map(|lines| {
        let mut spec: TariffSpec = serde_json::from_value(json!({
            "id": "retail", "version": 1, "currency": "EUR", "zone": "UTC", "decimals": 4,
            "rounding": "half_up", "crossing": "at_start", "lines": [],
        }))
        .unwrap();
        for (prefix, from, until, cents) in lines {
            let line = price(prefix, from.map(day), until.map(day), cents);
            let is_possible = begins(&line) < ends(&line);
            let meets = |other: &LineSpec| {
                line.to == other.to && begins(&line) < ends(other) && begins(other) < ends(&line)
            };
            if is_possible && !spec.lines.iter().any(meets) {
                spec.lines.push(line);
            }
        }
        spec
    })
}

fn price(prefix: &str, from: Option<Instant>, until: Option<Instant>, cents: u8) -> LineSpec {
    let to = if prefix == "any" { json!("any") } else { json!({ "prefixes": [prefix] }) };
    let band = json!({ "price": format!("0.0{cents}"), "per": "1", "increment": "1" });
    let bands = if cents == 0 { json!([]) } else { json!([band]) };
    serde_json::from_value(json!({
        "destination": "there", "to": to, "valid_from": from, "valid_until": until,
        "blocked": cents == 0, "bands": bands,
    }))
    .unwrap()
}

fn day(number: u64) -> Instant {
    let april: Instant = "2026-04-01T00:00:00Z".parse().unwrap();
    april.checked_add_ms(number * 86_400_000).unwrap()
}

fn begins(line: &LineSpec) -> Instant {
    line.valid_from.unwrap_or(Instant::MIN)
}

fn ends(line: &LineSpec) -> Instant {
    line.valid_until.unwrap_or(Instant::MAX)
}

/// The difference of the longest prefix that speaks of an instant.
fn entry_at<'d, 'a>(lines: &'d [LineDiff<'a>], at: Instant) -> Option<&'d LineDiff<'a>> {
    let then = lines.iter().filter(|line| {
        line.valid_from.is_none_or(|from| from <= at)
            && line.valid_until.is_none_or(|until| at < until)
    });
    then.max_by_key(|line| line.prefix.map_or(0, |prefix: Prefix| prefix.len()))
}

/// Which line of each side prices calls.
fn sides(line: &LineDiff<'_>) -> [Option<u32>; 2] {
    [line.old, line.new].map(|side| side.map(|at| at.number))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_difference_explains_the_change_of_price_at_every_instant(
        (is_alone, old, new) in select(vec![vec!["49"], PREFIXES.to_vec()])
            .prop_flat_map(|prefixes| {
                let lists = [prefixes.clone(), prefixes.clone()].map(prices);
                (Just(prefixes.len() == 1), lists).prop_map(|(is_alone, [old, new])| (is_alone, old, new))
            }),
    ) {
        let [before, after] = [&old, &new].map(|spec| Tariff::compile(spec).unwrap());
        let diff = old.diff(&new, PERCENTS).unwrap();
        let to = PhoneNumber::try_new(NUMBER).unwrap();
        let edges = (0..DAYS).map(day);
        let instants = edges.flat_map(|edge| [-1, 0, 1].map(|micros| edge.micros() + micros));
        for at in instants.map(|micros| Instant::from_micros(micros).unwrap()) {
            let usage = Usage::call(&to, at, 1_000);
            let [was, is] = [before.rate(&usage), after.rate(&usage)];
            let numbers = [&was, &is].map(|rated| match rated {
                Ok(rated) => Some(rated.line()),
                Err(RateError::Blocked { line, .. }) => Some(*line),
                Err(_) => None,
            });
            let [was, is] = [was, is].map(|rated| rated.ok().map(|rated| rated.amount()));
            // What an entry of a shorter prefix says is not about calls that a longer one prices.
            let line = entry_at(&diff.lines, at);
            let Some(line) = line.filter(|line| is_alone || sides(line) == numbers) else {
                prop_assert_eq!(was, is, "nothing speaks of it at {}", at);
                continue;
            };
            prop_assert_eq!(sides(line), numbers);
            let effect = match (was, is) {
                (None, Some(_)) => Effect::Gained,
                (Some(_), None) => Effect::Lost,
                (Some(was), Some(is)) if was < is => Effect::Increase,
                (Some(was), Some(is)) if is < was => Effect::Decrease,
                (None, None) | (Some(_), Some(_)) => Effect::Same,
            };
            prop_assert_eq!(line.effect(), effect, "at {}", at);
        }
    }
}
