//! What holds for money: exact sums, named rounding, parts that add up.
#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::arithmetic_side_effects, reason = "the oracles compute far below their bounds")]
#![expect(clippy::integer_division, reason = "the oracles divide whole numbers")]
#![expect(clippy::modulo_arithmetic, reason = "the oracles take remainders of whole numbers")]

use std::collections::BTreeSet;

use billing_core::money::{
    Amount, Currency, Exact, Money, MoneyError, Percent, Price, Quantity, Rounding, allocate,
};
use iso_currency::IntoEnumIterator as _;
use num_bigint::BigInt;
use proptest::{
    collection,
    prelude::{Just, Strategy, prop_assert, prop_assert_eq, prop_oneof, proptest},
};
use rust_decimal::{Decimal, RoundingStrategy};

/// One above the largest amount, in units of 10^-10.
const LIMIT: i128 = 10_i128.pow(28);

const ROUNDINGS: [(Rounding, RoundingStrategy); 7] = [
    (Rounding::HalfUp, RoundingStrategy::MidpointAwayFromZero),
    (Rounding::HalfEven, RoundingStrategy::MidpointNearestEven),
    (Rounding::HalfDown, RoundingStrategy::MidpointTowardZero),
    (Rounding::Up, RoundingStrategy::AwayFromZero),
    (Rounding::Down, RoundingStrategy::ToZero),
    (Rounding::Ceiling, RoundingStrategy::ToPositiveInfinity),
    (Rounding::Floor, RoundingStrategy::ToNegativeInfinity),
];

fn units() -> impl Strategy<Value = i128> {
    prop_oneof![-1_000_i128..1_000, -10_i128.pow(15)..10_i128.pow(15), 1 - LIMIT..LIMIT]
}

fn amount(units: i128) -> Amount {
    Amount::from_units(units, 10).unwrap()
}

fn exact(text: &str) -> Exact {
    text.parse().unwrap()
}

fn exact_units(units: i128, decimals: u32) -> Exact {
    Exact::from_integer(units).checked_div(&Exact::from_integer(10_i128.pow(decimals))).unwrap()
}

proptest! {
    #[test]
    fn amounts_read_as_they_are_written(units in units()) {
        let value = amount(units);
        prop_assert_eq!(value.units(10), Some(units));
        prop_assert_eq!(value.to_string().parse::<Amount>()?, value);
        prop_assert_eq!(value.to_fixed(10).parse::<Amount>()?, value);
        prop_assert_eq!(Amount::try_new(value.decimal())?, value);
        let json = serde_json::to_string(&value)?;
        prop_assert_eq!(serde_json::from_str::<Amount>(&json)?, value);
    }

    #[test]
    fn one_value_has_one_text(units in units(), scale in 0_u32..=10) {
        let value = amount(units);
        let mut padded = value.decimal();
        padded.rescale(padded.scale().max(scale));
        prop_assert_eq!(Amount::try_new(padded)?.to_string(), value.to_string());
        prop_assert!(!value.to_string().ends_with('.'));
        prop_assert!(!value.to_string().contains('.') || !value.to_string().ends_with('0'));
    }

    #[test]
    fn sums_are_exact_or_refused(a in units(), b in units()) {
        let cases = [
            (amount(a).checked_add(amount(b)), a + b),
            (amount(a).checked_sub(amount(b)), a - b),
        ];
        for (result, expected) in cases {
            if expected.abs() < LIMIT {
                prop_assert_eq!(result.unwrap().units(10), Some(expected));
            } else {
                let refused = matches!(result, Err(MoneyError::OutOfBounds { .. }));
                prop_assert!(refused);
            }
        }
        prop_assert_eq!(amount(a).checked_neg()?.units(10), Some(-a));
        prop_assert_eq!(amount(a).abs().units(10), Some(a.abs()));
        prop_assert_eq!(amount(a).is_negative(), a < 0);
        prop_assert_eq!(amount(a).cmp(&amount(b)), a.cmp(&b));
        prop_assert_eq!(Exact::from(amount(a)).add(&Exact::from(amount(b))), exact_units(a + b, 10));
    }

    #[test]
    fn a_fraction_is_rounded_as_its_name_says(
        numerator in -10_i128.pow(12)..10_i128.pow(12),
        denominator in prop_oneof![Just(2_i128), Just(20), Just(200), 1_i128..5_000],
        decimals in 0_u32..=10,
    ) {
        let value = Exact::from_integer(numerator)
            .checked_div(&Exact::from_integer(denominator))
            .unwrap();
        for (rounding, _) in ROUNDINGS {
            let rounded = value.round(decimals, rounding)?.units(decimals).unwrap();
            let expected = rounded_fraction(numerator * 10_i128.pow(decimals), denominator, rounding);
            prop_assert_eq!(rounded, expected, "{:?}", rounding);
        }
    }

    #[test]
    fn a_decimal_is_rounded_as_another_library_does(units in units(), decimals in 0_u32..=10) {
        for (rounding, strategy) in ROUNDINGS {
            let expected = amount(units).decimal().round_dp_with_strategy(decimals, strategy);
            let rounded = Exact::from(amount(units)).round(decimals, rounding);
            match Amount::try_new(expected) {
                Ok(expected) => prop_assert_eq!(rounded.unwrap(), expected, "{:?}", rounding),
                Err(_) => prop_assert!(rounded.is_err()),
            }
        }
    }

    #[test]
    fn exact_numbers_keep_the_laws_of_arithmetic(
        (a, b, c) in ((units(), 1_i128..9_999), (units(), 1_i128..9_999), (units(), 1_i128..9_999)),
    ) {
        let [a, b, c] = [a, b, c].map(|(numerator, denominator)| {
            Exact::from_integer(numerator).checked_div(&Exact::from_integer(denominator)).unwrap()
        });
        prop_assert_eq!(&a.add(&b).sub(&b), &a);
        prop_assert_eq!(a.add(&b.negate()), a.sub(&b));
        prop_assert_eq!(a.add(&b).mul(&c), a.mul(&c).add(&b.mul(&c)));
        match a.checked_div(&b) {
            Some(quotient) => prop_assert_eq!(&quotient.mul(&b), &a),
            None => prop_assert!(b.is_zero()),
        }
        prop_assert_eq!(a.cmp(&b), a.sub(&b).cmp(&Exact::zero()));
        prop_assert_eq!(&a.to_string().parse::<Exact>()?, &a);
        prop_assert_eq!(&serde_json::from_str::<Exact>(&serde_json::to_string(&a)?)?, &a);
        prop_assert!(a.floor() <= a && a <= a.ceil());
        prop_assert!(a.ceil().sub(&a.floor()) <= Exact::from_integer(1));
    }

    #[test]
    fn quantities_survive_exact_numbers(units in units()) {
        let quantity = Quantity::from_units(units, 10)?;
        prop_assert_eq!(Exact::from(quantity).to_quantity()?, quantity);
        prop_assert_eq!(Exact::from(quantity).to_string(), quantity.to_string());
    }

    #[test]
    fn parts_add_up_and_are_less_than_a_unit_off(
        units in units(),
        weights in collection::vec(units(), 1..12),
        decimals in 0_u32..=10,
    ) {
        let scale = 10_i128.pow(10 - decimals);
        let units = units / scale;
        let total = Amount::from_units(units, decimals)?;
        let quantities: Vec<Quantity> =
            weights.iter().map(|&weight| Quantity::from_units(weight, 10).unwrap()).collect();
        let parts: Vec<i128> = allocate(total, &quantities, decimals)?
            .into_iter()
            .map(|part| part.units(decimals).unwrap())
            .collect();
        prop_assert_eq!(parts.iter().sum::<i128>(), units);
        let mut sizes: Vec<i128> = weights.iter().map(|weight| weight.abs()).collect();
        if sizes.iter().all(|&size| size == 0) {
            sizes.fill(1);
        }
        let whole: BigInt = sizes.iter().map(|&size| BigInt::from(size)).sum();
        for (&part, &size) in parts.iter().zip(&sizes) {
            // |part - units × size / whole| < 1, without a division.
            let off = BigInt::from(part) * &whole - BigInt::from(units) * size;
            prop_assert!(BigInt::from(off.magnitude().clone()) < whole);
        }
    }

    #[test]
    fn a_negative_total_is_shared_like_a_positive_one(
        units in 0_i128..10_i128.pow(12),
        weights in collection::vec(-50_i128..50, 0..9),
    ) {
        let total = Amount::from_units(units, 2)?;
        let quantities: Vec<Quantity> =
            weights.iter().map(|&weight| Quantity::from_units(weight, 0).unwrap()).collect();
        let mirrored = allocate(total.checked_neg()?, &quantities, 2);
        let parts = allocate(total, &quantities, 2);
        prop_assert_eq!(parts.is_ok(), mirrored.is_ok());
        for (part, mirror) in parts.into_iter().flatten().zip(mirrored.into_iter().flatten()) {
            prop_assert_eq!(part.checked_neg()?, mirror);
        }
    }

    #[test]
    fn a_larger_weight_never_gets_less(
        units in 0_i128..10_i128.pow(6),
        weights in collection::vec(0_u32..50, 1..9),
    ) {
        let quantities: Vec<Quantity> = weights.iter().map(|&weight| Quantity::from(weight)).collect();
        let parts = allocate(Amount::from_units(units, 2)?, &quantities, 2)?;
        let mut pairs: Vec<(u32, Amount)> = weights.into_iter().zip(parts).collect();
        pairs.sort_unstable();
        for pair in pairs.windows(2) {
            prop_assert!(pair[0].1 <= pair[1].1);
        }
    }
}

/// `numerator` / `denominator` as a whole number, by the definition of each name.
fn rounded_fraction(numerator: i128, denominator: i128, rounding: Rounding) -> i128 {
    // Truncation in magnitude, then one step away from zero where the name asks for it.
    let (size, sign) = (numerator.abs(), numerator.signum());
    let (quotient, remainder) = (size / denominator, size % denominator);
    let step = match rounding {
        Rounding::HalfUp => 2 * remainder >= denominator,
        Rounding::HalfDown => 2 * remainder > denominator,
        Rounding::HalfEven => {
            2 * remainder > denominator || (2 * remainder == denominator && quotient % 2 == 1)
        }
        Rounding::Up => remainder > 0,
        Rounding::Down => false,
        Rounding::Ceiling => remainder > 0 && sign > 0,
        Rounding::Floor => remainder > 0 && sign < 0,
    };
    sign * (quotient + i128::from(step))
}

#[test]
fn amounts_are_read_strictly() {
    let accepted = [
        ("0", "0"),
        ("-0", "0"),
        ("-0.00", "0"),
        ("007", "7"),
        ("1.50", "1.5"),
        ("-1.5", "-1.5"),
        ("0.0000000001", "0.0000000001"),
        ("1.00000000000000", "1"),
        ("999999999999999999.9999999999", "999999999999999999.9999999999"),
        ("-999999999999999999.9999999999", "-999999999999999999.9999999999"),
    ];
    for (text, expected) in accepted {
        assert_eq!(text.parse::<Amount>().unwrap().to_string(), expected, "{text}");
    }
    let refused = [
        "",
        "-",
        ".",
        "1.",
        ".5",
        "+1",
        "--1",
        " 1",
        "1 ",
        "1_000",
        "1,5",
        "1e3",
        "1E-3",
        "0x1",
        "١",
        "NaN",
        "inf",
        "1.2.3",
        "1/2",
        "0.00000000001",
        "1000000000000000000",
        "-1000000000000000000",
        "99999999999999999999999999999999999999999999999999",
    ];
    for text in refused {
        assert!(text.parse::<Amount>().is_err(), "{text}");
    }
    assert!("0".repeat(65).parse::<Amount>().is_err());
}

#[test]
fn every_kind_has_its_bounds() {
    let cases = [
        ("999999999999.9999999999", true, false),
        ("1000000000000", false, false),
        ("1000", true, true),
        ("1000.000001", true, false),
        ("0.000001", true, true),
        ("0.0000001", true, false),
        ("0.00000000001", false, false),
        ("-0", true, true),
        ("-0.01", false, false),
    ];
    for (text, price, percent) in cases {
        assert_eq!(text.parse::<Price>().is_ok(), price, "{text}");
        assert_eq!(text.parse::<Percent>().is_ok(), percent, "{text}");
    }
    assert!(Quantity::from_u64(999_999_999_999_999_999).is_ok());
    assert!(Quantity::from_u64(1_000_000_000_000_000_000).is_err());
    assert!(Amount::try_new(Decimal::MAX).is_err());
    assert!(Amount::from_units(i128::MAX, 0).is_err());
    assert!(Amount::from_units(1, 99).is_err());
    assert_eq!(
        Amount::try_new(Decimal::from_i128_with_scale(10_i128.pow(28), 28)).unwrap(),
        amount(10_i128.pow(10))
    );
}

#[test]
fn errors_name_the_value_and_what_is_accepted() {
    let cases = [
        (
            "12x",
            "amount cannot be read from byte 2 on; accepted is an optional minus sign, digits, and optionally a point and digits, 64 bytes at most",
        ),
        ("0.00000000001", "amount 0.00000000001 has more than 10 decimals"),
        (
            "1000000000000000000",
            "amount 1000000000000000000 is out of bounds; accepted is below 10^18 on either side of 0",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(text.parse::<Amount>().unwrap_err().to_string(), expected);
    }
}

#[test]
fn decimals_are_padded_and_never_cut() {
    let cases = [
        ("1.5", 2, "1.50"),
        ("1", 2, "1.00"),
        ("1.625", 2, "1.625"),
        ("0", 0, "0"),
        ("-3", 3, "-3.000"),
    ];
    for (text, decimals, expected) in cases {
        assert_eq!(text.parse::<Amount>().unwrap().to_fixed(decimals), expected);
    }
    assert_eq!(Amount::ZERO.to_fixed(u32::MAX).len(), 30);
    assert_eq!(format!("{:.1}", amount(16_250_000_000)), "1.625");
}

#[test]
fn money_stays_in_one_currency() {
    let currency = |code| Currency::try_new(code).unwrap();
    let euro = Money::new("1.62".parse().unwrap(), currency("EUR"));
    let yen = Money::new("162".parse().unwrap(), currency("JPY"));
    assert_eq!(
        euro.checked_add(yen).unwrap_err().to_string(),
        "EUR and JPY cannot be combined; both must be in one currency"
    );
    assert!(euro.checked_sub(yen).is_err());
    assert_eq!(euro.checked_add(euro).unwrap().to_string(), "3.24 EUR");
    assert_eq!(euro.checked_sub(euro).unwrap().to_string(), "0.00 EUR");
    assert_eq!(yen.to_string(), "162 JPY");
    assert_eq!(Money::new(Amount::ZERO, currency("BHD")).to_string(), "0.000 BHD");
}

#[test]
fn currencies_are_those_of_another_table() {
    let ours: BTreeSet<(String, u32)> =
        Currency::all().map(|currency| (currency.code().to_owned(), currency.decimals())).collect();
    let theirs: BTreeSet<(String, u32)> = iso_currency::Currency::iter()
        .filter_map(|currency| Some((currency.code().to_owned(), u32::from(currency.exponent()?))))
        .collect();
    assert_eq!(ours, theirs);
    assert_eq!(ours.len(), Currency::all().count());
    for code in ["BGN", "CUC", "HRK", "SLL", "SLE", "ZWL", "ZWG", "VED", "VES", "XCG"] {
        assert!(Currency::try_new(code).is_ok(), "{code}");
    }
    for code in ["XAU", "XXX", "XTS", "XDR", "eur", "EU", "EURO", "", "€"] {
        assert!(Currency::try_new(code).is_err(), "{code}");
    }
}

#[test]
fn totals_are_shared_by_largest_remainder() {
    let cases: [(&str, &[u32], u32, &[&str]); 8] = [
        ("1.00", &[1, 1, 1], 2, &["0.34", "0.33", "0.33"]),
        ("0.05", &[3, 7], 2, &["0.02", "0.03"]),
        ("-1.00", &[1, 1, 1], 2, &["-0.34", "-0.33", "-0.33"]),
        ("10", &[0, 5, 0], 0, &["0", "10", "0"]),
        ("0.02", &[0, 0, 0], 2, &["0.01", "0.01", "0"]),
        ("0.01", &[1, 2, 2], 2, &["0", "0.01", "0"]),
        ("0", &[], 2, &[]),
        ("999999999999999999.99", &[1, 1], 2, &["500000000000000000", "499999999999999999.99"]),
    ];
    for (total, weights, decimals, expected) in cases {
        let weights: Vec<Quantity> = weights.iter().map(|&weight| Quantity::from(weight)).collect();
        let parts = allocate(total.parse().unwrap(), &weights, decimals).unwrap();
        let texts: Vec<String> = parts.iter().map(ToString::to_string).collect();
        assert_eq!(texts, expected, "{total}");
    }
}

#[test]
fn what_cannot_be_shared_is_refused() {
    let one = [Quantity::from(1)];
    let cases = [
        (
            allocate("1".parse().unwrap(), &[], 2),
            "1 cannot be shared out among no weights; at least one is needed",
        ),
        (
            allocate("0.001".parse().unwrap(), &one, 2),
            "0.001 cannot be shared out in units of 2 decimals",
        ),
        (
            allocate("1".parse().unwrap(), &one, 11),
            "11 decimals were asked for; accepted are 0 to 10",
        ),
    ];
    for (result, expected) in cases {
        assert_eq!(result.unwrap_err().to_string(), expected);
    }
}

#[test]
fn exact_numbers_have_one_text() {
    let cases = [
        ("2/4", "0.5"),
        ("1/3", "1/3"),
        ("-6/4", "-1.5"),
        ("-0", "0"),
        ("0/7", "0"),
        ("10", "10"),
        ("1/10000000000", "0.0000000001"),
        ("1/100000000000", "1/100000000000"),
        ("0.00000000001", "1/100000000000"),
        ("-0.05", "-0.05"),
        ("-1/3", "-1/3"),
    ];
    for (text, expected) in cases {
        assert_eq!(exact(text).to_string(), expected, "{text}");
    }
    for text in [
        "", "/", "1/", "/1", "1/0", "1/-2", "1//2", "1/2/3", "1.5/2", "+1", "1e3", " 1", "1_0/2",
        "-/2",
    ] {
        assert!(text.parse::<Exact>().is_err(), "{text}");
    }
    assert!("1".repeat(200).parse::<Exact>().is_ok());
    assert!("1".repeat(201).parse::<Exact>().is_err());
    let long = exact(&"9".repeat(200));
    assert!(serde_json::to_string(&long.mul(&long)).is_err());
    assert!(long.round(2, Rounding::HalfUp).is_err());
    assert!(long.to_quantity().is_err());
    assert!(exact("1").round(11, Rounding::HalfUp).is_err());
}

#[test]
fn a_percentage_is_a_fraction() {
    assert_eq!(Exact::from("8".parse::<Percent>().unwrap()), exact("8/100"));
    assert_eq!(Exact::from("0.015".parse::<Price>().unwrap()), exact("3/200"));
}
