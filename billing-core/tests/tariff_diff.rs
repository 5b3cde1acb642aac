//! What a preview of a new price list shows, in small cases and in a large one.
#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::indexing_slicing, reason = "a test may panic")]
#![expect(clippy::default_numeric_fallback, reason = "numbers of JSON have no type")]

use billing_core::{
    money::Rounding,
    tariff::{
        Change, DiffError, DiffSummary, Effect, LineDiff, Part, Percents, TariffDiff, TariffSpec,
    },
};
use serde_json::{Value, json};

const PERCENTS: Percents = Percents { decimals: 1, rounding: Rounding::HalfUp };

/// A document of lines, with fields of its own in place of the usual ones.
fn tariff(version: u32, fields: &Value, lines: &[Value]) -> TariffSpec {
    let mut document = json!({
        "id": "retail", "version": version, "currency": "EUR", "zone": "UTC", "decimals": 4,
        "rounding": "half_up", "lines": lines,
    });
    for (name, value) in fields.as_object().unwrap() {
        document[name] = value.clone();
    }
    serde_json::from_value(document).unwrap()
}

/// A line to a prefix at a price for so many seconds, by the second, with fields of its own.
fn line(prefix: &str, price: &str, per: &str, fields: &Value) -> Value {
    let to = if prefix == "any" { json!("any") } else { json!({ "prefixes": [prefix] }) };
    let mut line = json!({
        "destination": "there", "to": to,
        "bands": [{ "price": price, "per": per, "increment": "1" }],
    });
    for (name, value) in fields.as_object().unwrap() {
        line[name] = value.clone();
    }
    line
}

fn no() -> Value {
    json!({})
}

/// What becomes of one line that is another in the newer tariff.
fn changed(old: Value, new: Value) -> (Vec<Part>, Effect) {
    let (old, new) = (tariff(1, &no(), &[old]), tariff(2, &no(), &[new]));
    let diff = old.diff(&new, PERCENTS).unwrap();
    assert!(diff.lines.iter().all(|line| line.change == Change::Changed) && diff.lines.len() < 2);
    let line = diff.lines.first();
    line.map_or_else(|| (Vec::new(), Effect::Same), |line| (line.parts(), line.effect()))
}

#[test]
fn a_change_is_named_by_its_parts_and_its_effect() {
    let usual = || line("49", "0.02", "60", &no());
    let with = |fields: Value| line("49", "0.02", "60", &fields);
    let bands = |bands: Value| with(json!({ "bands": bands }));
    let blocked = json!({ "destination": "there", "to": { "prefixes": ["49"] }, "blocked": true });
    let band = |from: &str, price: &str| json!({ "from": from, "price": price, "per": "60", "increment": "1" });
    let cases = [
        (usual(), vec![], Effect::Same),
        // The same for another unit, and a first increment like every other.
        (line("49", "0.04", "120", &no()), vec![], Effect::Same),
        (with(json!({ "first": "1" })), vec![], Effect::Same),
        (line("49", "0.0004", "1", &no()), vec![Part::Price], Effect::Increase),
        (line("49", "0.0003", "1", &no()), vec![Part::Price], Effect::Decrease),
        (with(json!({ "destination": "here" })), vec![Part::Destination], Effect::Same),
        (with(json!({ "first": "30" })), vec![Part::Increments], Effect::Same),
        (
            bands(json!([{ "price": "0.02", "per": "60", "increment": "60" }])),
            vec![Part::Increments],
            Effect::Same,
        ),
        (with(json!({ "connect_fee": "0.01" })), vec![Part::ConnectFee], Effect::Increase),
        (with(json!({ "minimum": "0.01" })), vec![Part::Minimum], Effect::Increase),
        (with(json!({ "maximum": "1" })), vec![Part::Maximum], Effect::Decrease),
        (
            with(json!({ "maximum": "1", "at_maximum": "disconnect" })),
            vec![Part::Maximum],
            Effect::Same,
        ),
        (with(json!({ "grace": "3" })), vec![Part::Grace], Effect::Same),
        (with(json!({ "weight": 3 })), vec![Part::Weight], Effect::Same),
        (
            bands(json!([band("0", "0.02"), band("60", "0.03")])),
            vec![Part::Price, Part::Bands],
            Effect::Increase,
        ),
        (
            bands(json!([band("0", "0.03"), band("60", "0.01")])),
            vec![Part::Price, Part::Bands],
            Effect::Mixed,
        ),
        (
            line("49", "0.03", "60", &json!({ "maximum": "1" })),
            vec![Part::Price, Part::Maximum],
            Effect::Mixed,
        ),
        (blocked, vec![Part::Blocked, Part::Bands, Part::Increments], Effect::Lost),
    ];
    for (new, parts, effect) in cases {
        assert_eq!(changed(usual(), new.clone()), (parts, effect), "{new}");
    }
}

/// The shape of a difference, for prices: prefix, change, the prefix of the other side, effect.
fn shape<'a>(diff: &'a TariffDiff<'_>) -> Vec<(String, Change, Option<String>, Effect)> {
    let text = |prefix: Option<billing_core::number::Prefix>| {
        prefix.map_or_else(|| "any".to_owned(), |prefix| prefix.to_string())
    };
    let shape = |line: &'a LineDiff<'_>| {
        let other = match line.change {
            Change::Added => line.old,
            Change::Removed | Change::Changed => line.new,
        };
        (text(line.prefix), line.change, other.map(|at| text(at.prefix)), line.effect())
    };
    diff.lines.iter().map(shape).collect()
}

#[test]
fn the_line_that_takes_over_is_the_next_shorter_one() {
    let old = [
        line("any", "0.9", "60", &no()),
        line("49", "0.02", "60", &no()),
        line("4930", "0.01", "60", &no()),
        line("49301", "0.03", "60", &no()),
        line("33", "0.05", "60", &no()),
    ];
    let new = [
        line("any", "0.9", "60", &no()),
        line("49", "0.02", "60", &no()),
        line("493", "0.04", "60", &no()),
        line("491", "0.02", "60", &no()),
    ];
    let (old, new) = (tariff(1, &no(), &old), tariff(2, &no(), &new));
    let diff = old.diff(&new, PERCENTS).unwrap();
    let some = |prefix: &str| Some(prefix.to_owned());
    let expected = [
        ("33".to_owned(), Change::Removed, some("any"), Effect::Increase),
        ("491".to_owned(), Change::Added, some("49"), Effect::Same),
        ("493".to_owned(), Change::Added, some("49"), Effect::Increase),
        ("4930".to_owned(), Change::Removed, some("493"), Effect::Increase),
        ("49301".to_owned(), Change::Removed, some("493"), Effect::Increase),
    ];
    assert_eq!(shape(&diff), expected);
    // Without a catch-all there is nothing left for +33.
    let (old, new) = (&old.lines[1..], &new.lines[1..]);
    let [old, new] =
        [old, new].map(|lines| TariffSpec { lines: lines.to_vec(), ..tariff(1, &no(), &[]) });
    let lost = ("33".to_owned(), Change::Removed, None, Effect::Lost);
    assert_eq!(shape(&old.diff(&new, PERCENTS).unwrap())[0], lost);
    let gained = ("33".to_owned(), Change::Added, None, Effect::Gained);
    assert_eq!(shape(&new.diff(&old, PERCENTS).unwrap())[0], gained);
}

#[test]
fn only_a_line_that_is_always_in_force_with_another_takes_over_from_it() {
    let windows =
        json!({ "windows": { "day": { "from": "08:00" }, "night": { "until": "08:00" } } });
    let gone = |fields: &Value| line("4930", "0.01", "60", fields);
    let stays = |prefix: &str, fields: Value| line(prefix, "0.02", "60", &fields);
    let from = "2026-06-01T00:00:00Z";
    let later = "2026-07-01T00:00:00Z";
    // The line that is removed, those that stay, and which of them takes over, counted from 1.
    let cases = [
        (json!({ "window": "day" }), vec![stays("49", json!({ "window": "night" }))], None),
        (json!({ "window": "day" }), vec![stays("49", json!({ "window": "day" }))], Some(1)),
        (
            json!({ "window": "day" }),
            vec![stays("4930", no()), stays("49", json!({ "window": "day" }))],
            Some(1),
        ),
        (no(), vec![stays("493", json!({ "window": "day" })), stays("49", no())], Some(2)),
        (no(), vec![stays("49", json!({ "origin": "1" }))], None),
        (json!({ "origin": "12" }), vec![stays("49", json!({ "origin": "1" }))], Some(1)),
        (json!({ "origin": "1" }), vec![stays("49", json!({ "origin": "12" }))], None),
        (
            json!({ "origin": "12" }),
            vec![stays("49", no()), stays("49", json!({ "origin": "1" }))],
            Some(2),
        ),
        (json!({ "valid_from": later }), vec![stays("49", json!({ "valid_from": from }))], Some(1)),
        (
            json!({ "valid_until": from }),
            vec![stays("49", json!({ "valid_until": later }))],
            Some(1),
        ),
        // Weight before anything else, then what asks for more.
        (
            json!({ "window": "day" }),
            vec![stays("49", json!({ "weight": 1 })), stays("49", json!({ "window": "day" }))],
            Some(1),
        ),
        (
            json!({ "valid_from": later }),
            vec![stays("49", no()), stays("49", json!({ "valid_from": from }))],
            Some(2),
        ),
    ];
    for (fields, stay, number) in cases {
        let old: Vec<Value> = [gone(&fields)].into_iter().chain(stay.clone()).collect();
        let (old, new) = (tariff(1, &windows, &old), tariff(2, &windows, &stay));
        let diff = old.diff(&new, PERCENTS).unwrap();
        assert_eq!(diff.lines.len(), 1);
        assert_eq!(diff.lines[0].change, Change::Removed);
        assert_eq!(diff.lines[0].new.map(|at| at.number), number, "{fields} {stay:?}");
    }
}

#[test]
fn lines_are_known_again_by_what_they_are_for_and_when() {
    let noon = json!({ "valid_from": "2026-06-01T12:00:00Z" });
    let old = [
        json!({ "destination": "there", "to": { "group": "de" }, "weight": 1,
                "bands": [{ "price": "1", "per": "60", "increment": "1" }] }),
        line("49", "2", "60", &no()),
        line("49", "3", "60", &json!({ "weight": 2 })),
    ];
    let new = [
        // The group, prefix by prefix; +493 is moved to a line of its own.
        json!({ "destination": "there", "to": { "prefixes": ["492", "491"] }, "weight": 1,
                "bands": [{ "price": "1", "per": "60", "increment": "1" }] }),
        line("493", "1", "60", &json!({ "weight": 4 })),
        // The one of the same weight is meant first, and then the one that is left.
        line("49", "3", "60", &json!({ "weight": 9 })),
        line("49", "2", "60", &no()),
        line("49", "2", "60", &noon),
    ];
    let groups = json!({ "groups": { "de": ["491", "492", "493", "491"] } });
    let (old, new) = (tariff(1, &groups, &old), tariff(2, &no(), &new));
    let diff = old.diff(&new, PERCENTS).unwrap();
    let DiffSummary { unchanged, added, removed, changed, .. } = diff.summary;
    assert_eq!((unchanged, added, removed, changed), (3, 1, 0, 2));
    let lines = diff.lines.iter().map(|line| {
        (line.change, line.old.map(|at| at.number), line.new.map(|at| at.number), line.parts())
    });
    let expected = [
        (Change::Changed, Some(3), Some(3), vec![Part::Weight]),
        (Change::Added, Some(3), Some(5), vec![Part::Price, Part::Weight]),
        (Change::Changed, Some(1), Some(2), vec![Part::Weight]),
    ];
    assert_eq!(lines.collect::<Vec<_>>(), expected);
}

const MARCH: &str = "2026-03-01T00:00:00Z";
const APRIL: &str = "2026-04-01T00:00:00Z";
const MAY: &str = "2026-05-01T00:00:00Z";

/// A line to +4477 from an instant on, until before another, with a weight.
fn dated(price: &str, from: Option<&str>, until: Option<&str>, weight: u32) -> Value {
    let fields = json!({ "valid_from": from, "valid_until": until, "weight": weight });
    line("4477", price, "60", &fields)
}

/// When something is so, what became of the line, the numbers of the old line and the new one, and the effect.
type Entry<'t> = (Option<&'t str>, Option<&'t str>, Change, [Option<u32>; 2], Effect);

/// Compares two lists: so many lines are unchanged, and these are the entries.
fn along_time(old: &[Value], new: &[Value], unchanged: u64, expected: &[Entry<'_>]) {
    let (old, new) = (tariff(1, &no(), old), tariff(2, &no(), new));
    let diff = old.diff(&new, PERCENTS).unwrap();
    let instant = |text: &str| text.parse().unwrap();
    let entries: Vec<_> = diff
        .lines
        .iter()
        .map(|line| {
            let numbers = [line.old, line.new].map(|side| side.map(|at| at.number));
            (line.valid_from, line.valid_until, line.change, numbers, line.effect())
        })
        .collect();
    let expected: Vec<_> = expected
        .iter()
        .map(|(from, until, change, numbers, effect)| {
            (from.map(instant), until.map(instant), *change, *numbers, *effect)
        })
        .collect();
    assert_eq!((diff.summary.unchanged, entries), (unchanged, expected));
}

#[test]
fn a_price_that_goes_up_from_a_date_on_is_unchanged_before_it() {
    let old = [dated("0.019", None, None, 0)];
    let new = [dated("0.019", None, Some(APRIL), 0), dated("0.021", Some(APRIL), None, 0)];
    let from_april = (Some(APRIL), None, Change::Changed, [Some(1), Some(2)], Effect::Increase);
    along_time(&old, &new, 1, &[from_april]);
    let [old, new] = [tariff(1, &no(), &old), tariff(2, &no(), &new)];
    let diff = old.diff(&new, PERCENTS).unwrap();
    assert_eq!(diff.lines[0].prices()[0].percent.unwrap().to_string(), "10.5");
    // As JSON it says when.
    let shown = serde_json::to_value(diff.lines[0]).unwrap();
    assert_eq!((&shown["valid_from"], shown.get("valid_until")), (&json!(APRIL), None));
}

#[test]
fn a_code_that_is_withdrawn_from_a_date_on_is_unchanged_before_it() {
    let new = [dated("0.019", None, Some(MAY), 0)];
    let removed = |new, effect| (Some(MAY), None, Change::Removed, [Some(1), new], effect);
    let old = [dated("0.019", None, None, 0)];
    along_time(&old, &new, 1, &[removed(None, Effect::Lost)]);
    // Another line may take over.
    let shorter = [line("44", "0.02", "60", &no())];
    let [old, new] = [old, new].map(|lines| [lines.as_slice(), &shorter].concat());
    along_time(&old, &new, 2, &[removed(Some(2), Effect::Increase)]);
}

#[test]
fn the_line_that_takes_over_may_be_another_from_a_date_on() {
    let lines = |shorter: &[Value]| [&[dated("0.019", None, Some(MAY), 0)], shorter].concat();
    let from_april = |price: &str| line("44", price, "60", &json!({ "valid_from": APRIL }));
    let removed = |from, until, new, effect| (from, until, Change::Removed, [Some(1), new], effect);
    along_time(
        &lines(&[from_april("0.02")]),
        &[from_april("0.02")],
        1,
        &[
            removed(None, Some(APRIL), None, Effect::Lost),
            removed(Some(APRIL), Some(MAY), Some(1), Effect::Increase),
        ],
    );
    // Dates at which nobody else takes over are no cuts, nor are those of lines that do not matter.
    let stay = [
        line("44", "0.02", "60", &no()),
        line("4", "0.03", "60", &json!({ "valid_from": MARCH })),
        line("44", "0.03", "60", &json!({ "valid_from": MARCH, "origin": "1" })),
    ];
    let whole = removed(None, Some(MAY), Some(1), Effect::Increase);
    along_time(&lines(&stay), &stay, 3, &[whole]);
}

#[test]
fn a_later_deck_may_move_a_date() {
    let prices = |date| [dated("0.019", None, Some(date), 0), dated("0.021", Some(date), None, 0)];
    let postponed = (Some(APRIL), Some(MAY), Change::Changed, [Some(2), Some(1)], Effect::Decrease);
    along_time(&prices(APRIL), &prices(MAY), 2, &[postponed]);
    let sooner = (Some(MARCH), Some(APRIL), Change::Changed, [Some(1), Some(2)], Effect::Increase);
    along_time(&prices(APRIL), &prices(MARCH), 2, &[sooner]);
}

#[test]
fn lines_with_dates_of_their_own_are_compared_piece_by_piece() {
    let old = [dated("1", None, Some(MARCH), 0), dated("2", Some(APRIL), None, 0)];
    let new = [dated("1", None, Some(APRIL), 0), dated("3", Some(MAY), None, 0)];
    along_time(
        &old,
        &new,
        1,
        &[
            (Some(MARCH), Some(APRIL), Change::Added, [None, Some(1)], Effect::Gained),
            (Some(APRIL), Some(MAY), Change::Removed, [Some(2), None], Effect::Lost),
            (Some(MAY), None, Change::Changed, [Some(2), Some(2)], Effect::Increase),
        ],
    );
    // One and the same price is one entry, whatever begins and ends beside it.
    let promotion = dated("1", Some(MARCH), Some(MAY), 5);
    let added = (Some(MARCH), Some(MAY), Change::Added, [Some(1), Some(2)], Effect::Decrease);
    along_time(&[dated("2", None, None, 0)], &[dated("2", None, None, 0), promotion], 1, &[added]);
}

#[test]
fn lines_of_one_weight_belong_together_at_every_time() {
    let old = [dated("1", None, None, 0), dated("5", None, None, 5)];
    let new = [
        dated("5", None, Some(APRIL), 5),
        dated("1", None, Some(MAY), 0),
        dated("6", Some(APRIL), None, 5),
        dated("2", Some(MAY), None, 0),
    ];
    let from = |date, old, new| {
        (Some(date), None, Change::Changed, [Some(old), Some(new)], Effect::Increase)
    };
    along_time(&old, &new, 2, &[from(APRIL, 2, 3), from(MAY, 1, 4)]);
    // One of another weight is no more the same line for being always in force.
    let new = [dated("9", None, None, 5), new[1].clone(), new[3].clone()];
    let added = (None, None, Change::Added, [Some(1), Some(1)], Effect::Increase);
    along_time(&old[..1], &new, 1, &[added, from(MAY, 1, 3)]);
    // Without one of its own weight, any.
    let new = [dated("1", None, Some(APRIL), 0), dated("1", Some(APRIL), None, 3)];
    let weight = (Some(APRIL), None, Change::Changed, [Some(1), Some(2)], Effect::Same);
    along_time(&old[..1], &new, 1, &[weight]);
}

#[test]
fn rules_that_stand_in_no_line_are_told_by_their_names() {
    let old = json!({ "windows": { "day": { "from": "08:00" } }, "calendars": { "feasts": ["2026-05-01"] } });
    let new = json!({
        "windows": { "day": { "from": "09:00" }, "night": { "until": "08:00" } },
        "rounding": "up", "zone": "Europe/Berlin", "decimals": 2, "crossing": "at_start",
        "increments": "total", "fallback": ["other"],
    });
    let (old, new) = (tariff(1, &old, &[]), tariff(2, &new, &[]));
    let diff = old.diff(&new, PERCENTS).unwrap();
    let rules = diff.rules.iter().map(|it| (it.rule.as_str(), it.old.clone(), it.new.clone()));
    let expected = [
        ("calendars.feasts", json!(["2026-05-01"]), Value::Null),
        ("crossing", json!("split"), json!("at_start")),
        ("decimals", json!(4), json!(2)),
        ("fallback", json!([]), json!(["other"])),
        ("increments", json!("remainder"), json!("total")),
        ("rounding", json!("half_up"), json!("up")),
        ("windows.day", json!({ "from": "08:00" }), json!({ "from": "09:00" })),
        ("windows.night", Value::Null, json!({ "until": "08:00" })),
        ("zone", json!("UTC"), json!("Europe/Berlin")),
    ];
    assert_eq!(rules.collect::<Vec<_>>(), expected);
}

#[test]
fn what_cannot_be_compared_is_refused_and_says_why() {
    let usual = tariff(1, &no(), &[]);
    let refusal = |other: &TariffSpec| usual.diff(other, PERCENTS).unwrap_err().to_string();
    let dollars = tariff(2, &json!({ "currency": "USD" }), &[]);
    let message =
        "the older tariff is in EUR, the newer one in USD: prices of one currency can be compared";
    assert_eq!(refusal(&dollars), message);
    let units = tariff(2, &json!({ "measure": "units" }), &[]);
    let message =
        "one tariff measures time and the other units: prices of one measure can be compared";
    assert_eq!(refusal(&units), message);
    let group = json!({ "destination": "there", "to": { "group": "de" }, "blocked": true });
    let unknown = tariff(2, &no(), &[group]);
    assert_eq!(refusal(&unknown), "line 1: there is no group \"de\" in the tariff");
    let fine = Percents { decimals: 11, ..PERCENTS };
    let error = usual.diff(&usual, fine).unwrap_err();
    assert!(matches!(error, DiffError::Percents(_)), "{error}");
    assert_eq!(error.to_string(), "11 decimals were asked for; accepted are 0 to 10");
}

#[test]
fn a_preview_is_json_with_amounts_as_text() {
    let old = [
        line("49", "0.03", "60", &json!({ "connect_fee": "0.01" })),
        line("33", "0.05", "60", &json!({ "valid_until": "2026-06-01T12:00:00Z" })),
    ];
    let new = line("49", "0.0007", "1", &no());
    let (old, new) = (tariff(1, &no(), &old), tariff(2, &no(), &[new]));
    let diff = old.diff(&new, PERCENTS).unwrap();
    let terms = |line: u32, prefix: &str, fee: &str, band: Value| {
        json!({
            "line": line, "prefix": prefix, "destination": "there", "blocked": false, "weight": 0,
            "connect_fee": fee, "minimum": "0", "maximum": null, "at_maximum": "free",
            "grace": "0", "first": null, "bands": [band],
        })
    };
    let band = |price: &str, per: &str| json!({ "price": price, "per": per, "increment": "1" });
    let expected = json!({
        "old": { "tariff": "retail", "version": 1 },
        "new": { "tariff": "retail", "version": 2 },
        "currency": "EUR",
        "summary": {
            "unchanged": 0, "added": 0, "removed": 1, "changed": 1,
            "increase": 0, "decrease": 0, "mixed": 1, "same": 0, "gained": 0, "lost": 1,
        },
        "rules": [],
        "lines": [
            {
                "prefix": "33", "change": "removed", "effect": "lost",
                "valid_until": "2026-06-01T12:00:00Z", "parts": [],
                "prices": [{
                    "from": "0", "per": "60", "old": "0.05", "new": null,
                    "ratio": null, "percent": null,
                }],
                "old": terms(2, "33", "0", band("0.05", "60")), "new": null,
            },
            {
                "prefix": "49", "change": "changed", "effect": "mixed",
                "parts": ["price", "connect_fee"],
                "prices": [{
                    "from": "0", "per": "60", "old": "0.03", "new": "0.042",
                    "ratio": "0.4", "percent": "40",
                }],
                "old": terms(1, "49", "0.01", band("0.03", "60")),
                "new": terms(1, "49", "0", band("0.0007", "1")),
            },
        ],
    });
    assert_eq!(serde_json::to_value(&diff).unwrap(), expected);
}

#[test]
fn the_relative_change_is_exact_and_rounded_by_the_rule_that_is_named() {
    let percent = |old: &str, new: &str, rounding: Rounding| {
        let (old, new) = (line("49", old, "60", &no()), line("49", new, "60", &no()));
        let (old, new) = (tariff(1, &no(), &[old]), tariff(2, &no(), &[new]));
        let diff = old.diff(&new, Percents { decimals: 1, rounding }).unwrap();
        let price = diff.lines[0].prices().remove(0);
        (price.ratio.map(|ratio| ratio.to_string()), price.percent.map(|it| it.to_string()))
    };
    let text = |ratio: &str, percent: &str| (Some(ratio.to_owned()), Some(percent.to_owned()));
    assert_eq!(percent("0.03", "0.04", Rounding::HalfUp), text("1/3", "33.3"));
    assert_eq!(percent("0.03", "0.04", Rounding::Up), text("1/3", "33.4"));
    assert_eq!(percent("0.03", "0.02", Rounding::Up), text("-1/3", "-33.4"));
    assert_eq!(percent("0.03", "0.02", Rounding::Ceiling), text("-1/3", "-33.3"));
    assert_eq!(percent("0.03", "0", Rounding::HalfUp), text("-1", "-100"));
    // From nothing, nothing can be said in percent.
    assert_eq!(percent("0", "0.03", Rounding::HalfUp), (None, None));
}

#[test]
fn large_price_lists_are_compared_in_one_go() {
    let prices = |version: u32, offset: u32| {
        let lines = (0..20_000_u32).filter(|number| !(number + version).is_multiple_of(10));
        let line = |number: u32| {
            let cents = 1 + (number + if number.is_multiple_of(3) { offset } else { 0 }) % 90;
            line(&format!("{}", 100_000 + number), &format!("0.{cents:02}"), "60", &no())
        };
        tariff(version, &no(), &lines.map(line).collect::<Vec<_>>())
    };
    let (old, new) = (prices(1, 0), prices(2, 1));
    let DiffSummary { unchanged, added, removed, changed, .. } =
        old.diff(&new, PERCENTS).unwrap().summary;
    assert_eq!((added, removed), (2_000, 2_000));
    assert_eq!((unchanged, changed), (10_667, 5_333));
}
