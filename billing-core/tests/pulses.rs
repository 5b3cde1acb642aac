//! What generic usage costs, and how it is counted where it has no price.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[expect(dead_code, reason = "each file of tests is a crate of its own, which uses a part")]
mod common;

use core::slice;

use billing_core::{
    decide::{ParkReason, PulseSign, Receipt},
    id::{Group, ProductId, Unit},
    invoice::Line,
    item::{Fingerprint, Incoming, InvalidProperties, Properties, PulseReported},
    plan::Unpriced,
};
use common::{
    EXACT, batch, call, flat_rate, labelled, named, per_unit, pulse, read,
    said::{charged, only},
    settings,
    taken::recorded,
    unpriced,
    world::World,
};

const NOON: &str = "2026-03-10T12:00:00Z";

/// One pulse after the other, each of the amount given.
fn pulses(amounts: &[&str]) -> Vec<PulseReported> {
    let numbered = amounts.iter().enumerate();
    numbered.map(|(i, amount)| pulse(&format!("pulse-{i}"), NOON, amount)).collect()
}

/// The only line of March for these amounts of `storage`.
fn line(more: &str, price: &str, amounts: &[&str]) -> Line {
    let mut world = World::with(&settings("alice", more), &[per_unit(price)]);
    world.limits.pulse_sign = PulseSign::Any;
    world.record(&pulses(amounts));
    let draft = world.bill("2026-03-31T00:00:00Z").pop().unwrap();
    let invoice = only(world.issue("2026-04-01T00:00:00Z"));
    assert_eq!(invoice.draft, draft, "as previewed");
    only(draft.lines)
}

/// The same usage of another product, in another unit.
fn of(product: &str, unit: &str, reported: PulseReported) -> PulseReported {
    let mut other = reported;
    (other.pulse.product, other.pulse.unit) = (read(product), read(unit));
    other
}

#[test]
fn a_unit_costs_its_price_and_a_fraction_of_it_that_fraction() {
    let cases: [(&[&str], &str, &str, &str); 13] = [
        (&["1"], "0.5", "1", "0.5"),
        (&["0.25", "0.25"], "3", "0.5", "1.5"),
        (&["0.1", "0.2"], "0.3", "0.3", "0.09"),
        (&["0.0000000001"], "1", "0.0000000001", "0.0000000001"),
        (&["1234567.891"], "0.0001", "1234567.891", "123.4567891"),
        (&["0"], "7", "0", "0"),
        (&["720"], "0.0001", "720", "0.072"),
        (&["3"], "0", "3", "0"),
        (&["1", "1", "1"], "0.3333333333", "3", "0.9999999999"),
        (&["0.0000000001"], "0.1", "0.0000000001", "0"),
        (&["0.0000000001"], "0.5", "0.0000000001", "0.0000000001"),
        (&["2", "-0.5"], "0.4", "1.5", "0.6"),
        (&["1", "-3"], "0.4", "-2", "-0.8"),
    ];
    for (amounts, price, quantity, cost) in cases {
        let line = line(EXACT, price, amounts);
        assert_eq!((line.quantity, line.amount), (read(quantity), read(cost)), "{amounts:?}");
        assert_eq!((line.group, line.unit), (read("storage"), Some(read("GB-h"))));
        assert_eq!(usize::try_from(line.count), Ok(amounts.len()), "each pulse counts");
        assert_eq!(line.text, format!("at {price} a GB-h"));
    }
}

#[test]
fn a_line_of_pulses_is_rounded_once() {
    // 0.004 each: one alone is nothing, three are a cent.
    let cases: [(&[&str], &str); 4] = [
        (&["0.4"], "0"),
        (&["0.4", "0.4", "0.4"], "0.01"),
        (&["0.5"], "0.01"),
        (&["-0.5"], "-0.01"),
    ];
    for (amounts, cost) in cases {
        assert_eq!(line("", "0.01", amounts).amount, read(cost), "{amounts:?}");
    }
}

#[test]
fn a_pulse_of_another_product_or_in_another_unit_is_not_charged_for() {
    let cases = [("storage", "GB-h", true), ("storage", "B-h", false), ("storage", "gb-h", false)];
    let more = [("Storage", "GB-h", false), ("traffic", "GB-h", false)];
    for (product, unit, charged) in cases.into_iter().chain(more) {
        let mut world = World::under(&[per_unit("1")]);
        let receipts = world.take(&[of(product, unit, pulse("a", NOON, "1"))]).receipts;
        let no_price = ParkReason::NoPrice { plan: read("basic"), version: 1 };
        let expected = if charged { recorded(3) } else { Receipt::Parked(no_price) };
        assert_eq!(receipts, [expected], "{product} in {unit}");
    }
}

#[test]
fn a_price_of_talk_is_not_asked_for_a_pulse_and_none_of_a_unit_for_talk() {
    let mut world = World::under(&[flat_rate("1", "pro_rata")]);
    assert_eq!(world.take(&[pulse("a", NOON, "1")]).intake.parked, 1);
    let mut world = World::under(&[per_unit("1"), unpriced()]);
    assert_eq!(world.take(&[call("a", NOON, 60_000)]).intake.parked, 1);
}

#[test]
fn each_product_and_unit_has_a_price_of_its_own() {
    let strategy = |id: &str, product: &str, unit: &str, price: &str| {
        let terms = format!(r#"{{"product":"{product}","unit":"{unit}","per_unit":"{price}"}}"#);
        named(id, "per_unit", &terms)
    };
    let strategies = [
        strategy("messages", "sms", "message", "0.07"),
        strategy("storage", "storage", "GB-h", "0.01"),
        strategy("large", "storage", "TB-h", "9"),
    ];
    let mut world = World::under(&strategies);
    world.record(&[
        pulse("a", NOON, "10"),
        of("sms", "message", pulse("b", NOON, "3")),
        of("storage", "TB-h", pulse("c", NOON, "0.5")),
        of("sms", "message", pulse("d", NOON, "1")),
    ]);
    let draft = world.bill("2026-03-31T00:00:00Z").pop().unwrap();
    let lines = ["messages sms 0.28", "storage storage 0.1", "large storage 4.5"];
    assert_eq!(charged(&draft), lines);
    assert_eq!(draft.taxed.total, read("4.88"));
}

#[test]
fn usage_without_a_price_is_counted_by_product_and_unit() {
    let mut world = World::under(&[unpriced()]);
    world.record(&[
        of("sku1", "unit1", pulse("a", NOON, "0.25")),
        of("sku1", "unit1", pulse("b", "2026-03-11T12:00:00Z", "0.5")),
        of("sku1", "unit2", pulse("c", NOON, "7")),
        of("a/b", "100%", pulse("d", NOON, "1")),
    ]);
    let invoice = only(world.issue("2026-04-01T00:00:00Z"));
    let said = |line: &Line| {
        let unit = line.unit.clone().unwrap();
        (line.group.to_string(), unit.to_string(), line.quantity.to_string(), line.count)
    };
    let expected = [
        ("a%2Fb/100%25", "100%", "1", 1),
        ("sku1/unit1", "unit1", "0.75", 2),
        ("sku1/unit2", "unit2", "7", 1),
    ];
    let expected = expected.map(|(g, u, q, n)| (g.to_owned(), u.to_owned(), q.to_owned(), n));
    assert_eq!(invoice.draft.lines.iter().map(said).collect::<Vec<_>>(), expected);
    assert!(invoice.draft.lines.iter().all(|line| line.text == "counted, without a price"));
    assert_eq!(invoice.draft.taxed.total, read("0"));
}

#[test]
fn the_group_of_a_product_and_unit_leads_back_to_both() {
    let cases = [
        ("sku1", "unit1", "sku1/unit1"),
        ("a/b", "c", "a%2Fb/c"),
        ("a", "b/c", "a/b%2Fc"),
        ("/", "/", "%2F/%2F"),
        ("%", "%%", "%25/%25%25"),
        ("%2F", "%252F", "%252F/%25252F"),
        ("a%", "2Fb", "a%25/2Fb"),
        ("\u{e4}", "\u{20ac} cent", "\u{e4}/\u{20ac} cent"),
    ];
    for (product, unit, group) in cases {
        let (product, unit): (ProductId, Unit) = (read(product), read(unit));
        let made = Unpriced::group_of(&product, &unit).unwrap();
        assert_eq!(made, read::<Group>(group));
        assert_eq!(Unpriced::product_and_unit(&made), Some((product, unit)), "{group}");
    }
    for group in ["calls", "/", "a/", "/a"] {
        assert_eq!(Unpriced::product_and_unit(&read(group)), None, "{group}");
    }
}

#[test]
fn a_product_too_long_for_a_group_is_not_counted() {
    let cases = [("x".repeat(253), true), ("x".repeat(254), false), ("/".repeat(85), false)];
    let more = [(["/".repeat(84), "x".into()].concat(), true)];
    for (product, counted) in cases.into_iter().chain(more) {
        let mut world = World::under(&[unpriced()]);
        let taken = world.take(&[of(&product, "u", pulse("a", NOON, "1"))]).intake;
        assert_eq!((taken.recorded == 1, taken.parked == 0), (counted, counted), "{product}");
    }
}

#[test]
fn usage_is_counted_for_the_products_asked_for() {
    let only_two = r#"{"id":"usage","kind":"unpriced","applies_to":{"products":["a","b"]},
        "terms":{}}"#;
    for (product, counted) in [("a", 1), ("b", 1), ("c", 0), ("A", 0)] {
        let mut world = World::under(&[only_two.into()]);
        let intake = world.take(&[of(product, "u", pulse("p", NOON, "1"))]).intake;
        assert_eq!(intake.recorded, counted, "{product}");
    }
}

#[test]
fn a_pulse_may_be_priced_and_counted_beside() {
    let mut world = World::under(&[per_unit("2"), unpriced()]);
    world.record(&[pulse("a", NOON, "1.5")]);
    let draft = world.bill("2026-03-31T00:00:00Z").pop().unwrap();
    assert_eq!(charged(&draft), ["storage storage 3", "usage storage/GB-h 0"]);
}

#[test]
fn a_pulse_of_less_than_nothing_is_taken_only_where_that_was_agreed() {
    for amount in ["-0.0000000001", "-1"] {
        let mut world = World::under(&[per_unit("1")]);
        let reported = pulse("a", NOON, amount);
        let receipts = world.take(slice::from_ref(&reported)).receipts;
        let reason = ParkReason::Negative { amount: read(amount) };
        assert_eq!(receipts, [Receipt::Parked(reason.clone())]);
        let told = format!("a pulse of {amount} is not accepted: 0 and above are");
        assert_eq!(reason.to_string(), told);
        world.limits.pulse_sign = PulseSign::Any;
        assert_eq!(world.take(slice::from_ref(&reported)).receipts, [recorded(3)]);
        assert_eq!(world.parked.len(), 0);
    }
    let mut world = World::under(&[per_unit("1")]);
    assert_eq!(world.take(&[pulse("a", NOON, "0")]).receipts, [recorded(3)], "nothing is taken");
}

#[test]
fn what_a_source_says_besides_is_kept_and_not_charged_for() {
    let mut world = World::under(&[per_unit("1")]);
    let mut reported = pulse("a", NOON, "1");
    reported.pulse.properties = Properties::try_new([("region", "eu-1")]).unwrap();
    world.record(slice::from_ref(&reported));
    let stored = &world.items[&reported.key].item;
    assert_eq!(*stored, Incoming::from(reported.clone()).item);
    assert_eq!(world.bill("2026-03-31T00:00:00Z").pop().unwrap().lines.len(), 1);
    reported.pulse.properties = Properties::default();
    let receipts = world.ingest(&labelled("again", &[reported])).unwrap().receipts;
    assert!(matches!(receipts[..], [Receipt::Conflict { .. }]), "it is content: {receipts:?}");
}

#[test]
fn what_a_source_says_besides_has_bounds() {
    let pairs = |count: usize| -> Vec<(String, String)> {
        (0..count).map(|i| (format!("name-{i}"), String::new())).collect()
    };
    assert!(Properties::try_new(pairs(50)).is_ok());
    let count = InvalidProperties::Count { count: 51 };
    assert_eq!(Properties::try_new(pairs(51)), Err(count));
    let name = |bytes| Err(InvalidProperties::Name { place: 1, bytes });
    let value = |bytes| Err(InvalidProperties::Value { place: 1, bytes });
    let long = |bytes: usize| "x".repeat(bytes);
    let cases = [
        (long(64), long(255), Ok(())),
        (long(65), String::new(), name(65)),
        (String::new(), String::new(), name(0)),
        ("a\u{7}".into(), String::new(), name(2)),
        ("a".into(), long(256), value(256)),
        ("a".into(), "b\n".into(), value(2)),
        ("\u{e4}".repeat(32), "\u{e4}".repeat(127), Ok(())),
        ("\u{e4}".repeat(33), String::new(), name(66)),
    ];
    for (name, value, expected) in cases {
        let found = Properties::try_new([(&name, &value)]);
        assert_eq!(found.map(drop), expected, "{} and {} bytes", name.len(), value.len());
    }
    let told = InvalidProperties::Value { place: 3, bytes: 256 }.to_string();
    let expected = "the value of property 3 has 256 bytes or a control character: \
                    accepted are up to 255 bytes without";
    assert_eq!(told, expected);
    let twice = Properties::try_new([("a", "1"), ("a", "2")]).unwrap();
    assert_eq!(twice.get("a"), Some("2"), "the last of one name is kept");
}

#[test]
fn the_fingerprint_of_a_pulse_is_the_same_for_ever() {
    // Computed by another program over the fields of rule 1; a change would turn replays into conflicts.
    let mut reported = pulse("a", "2026-03-10T09:10:00Z", "0.250");
    let plain = "86ba2f5021d604c0f2c174252d700a78564f4ffe3e9e4d0d484d50e7cda92c9e";
    let fingerprint = Incoming::from(reported.clone()).fingerprint();
    assert_eq!(fingerprint, Fingerprint { rule: 1, digest: read(plain) });
    let pairs = [("region", "eu-1"), ("host", "a7")];
    reported.pulse.properties = Properties::try_new(pairs).unwrap();
    let with_properties = "808e1e23d9f3d0eba5d6ab8f35d2bf6e5093119e515dbf44f1bff6764514e8f6";
    let fingerprint = Incoming::from(reported).fingerprint();
    assert_eq!(fingerprint, Fingerprint { rule: 1, digest: read(with_properties) });
}

#[test]
fn calls_and_pulses_are_told_apart_by_kind() {
    let mut world = World::under(&[flat_rate("0.02", "pro_rata"), per_unit("1")]);
    let mut reported = pulse("a", NOON, "1");
    reported.key = call("a", NOON, 1).key;
    world.record(&[call("a", NOON, 1)]);
    let receipts = world.ingest(&batch(&[reported])).unwrap().receipts;
    assert!(matches!(receipts[..], [Receipt::Conflict { .. }]), "one key is one item");
}

#[test]
fn late_pulses_are_the_difference_on_the_next_invoice() {
    let mut world = World::under(&[per_unit("0.01")]);
    world.record(&[pulse("a", NOON, "0.5")]);
    let march = only(world.issue("2026-04-01T00:00:00Z"));
    assert_eq!(march.draft.taxed.total, read("0.01"), "half a cent is rounded up");
    world.record(&[pulse("late", NOON, "0.5")]);
    let april = only(world.issue("2026-05-01T00:00:00Z"));
    let late = only(april.draft.lines);
    assert_eq!((late.before.billed, late.exact), (read("0.01"), read("0.01")));
    assert_eq!(late.amount, read("0"), "and so the second half is paid already");
}
