//! What holds for ids, numbers and every other value that is read from text.

use std::{fmt::Display, str::FromStr};

use billing_core::{
    id::{AccountId, Group, TenantId},
    money::{Amount, Currency, Exact, Money, Percent, Price, Quantity, Rounding},
    number::{NumberProblem, PhoneNumber, Prefix},
    time::{Anchor, Day, Instant, Period, Zone},
};
use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};

/// Reads a text; whatever is accepted is written so that it reads as the same again.
fn reads_back<T: FromStr + Display + PartialEq>(text: &str) -> bool {
    let Ok(value) = text.parse::<T>() else { return true };
    value.to_string().parse::<T>().is_ok_and(|again| again == value)
}

fn all_read_back(text: &str) -> bool {
    reads_back::<AccountId>(text)
        && reads_back::<PhoneNumber>(text)
        && reads_back::<Prefix>(text)
        && reads_back::<Amount>(text)
        && reads_back::<Quantity>(text)
        && reads_back::<Price>(text)
        && reads_back::<Percent>(text)
        && reads_back::<Exact>(text)
        && reads_back::<Currency>(text)
        && reads_back::<Day>(text)
        && reads_back::<Instant>(text)
        && reads_back::<Zone>(text)
}

proptest! {
    #[test]
    fn no_text_makes_a_parser_panic(text in any::<String>()) {
        prop_assert!(all_read_back(&text));
    }

    #[test]
    fn no_nearly_right_text_makes_a_parser_panic(text in "[-+]?[0-9]{0,40}[./:TZ+-]{0,2}[0-9é]{0,30}") {
        prop_assert!(all_read_back(&text));
    }

    #[test]
    fn no_date_like_text_makes_a_parser_panic(
        text in "[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{0,12})?([Zz]|[+-][0-9]{2}:[0-9]{2})?)?",
    ) {
        prop_assert!(all_read_back(&text));
    }

    #[test]
    fn no_document_makes_a_reader_panic(text in "[{\\[\"0-9a-z:,.}\\]-]{0,60}") {
        let read = serde_json::from_str::<Money>(&text).is_ok()
            || serde_json::from_str::<Anchor>(&text).is_ok()
            || serde_json::from_str::<Period>(&text).is_ok();
        prop_assert!(!read);
    }

    #[test]
    fn ids_are_ordered_like_their_bytes(a in "[^\\p{Cc}]{1,60}", b in "[^\\p{Cc}]{1,60}") {
        let (left, right) = (AccountId::try_new(&a)?, AccountId::try_new(&b)?);
        prop_assert_eq!(left.cmp(&right), a.as_bytes().cmp(b.as_bytes()));
    }

    #[test]
    fn numbers_are_ordered_like_their_digits(a in "[0-9]{1,15}", b in "[0-9]{1,15}") {
        let (left, right) = (PhoneNumber::try_new(&a)?, PhoneNumber::try_new(&b)?);
        prop_assert_eq!(left.cmp(&right), a.cmp(&b));
        let (left, right) = (Prefix::try_new(&a)?, Prefix::try_new(&b)?);
        prop_assert_eq!(left.cmp(&right), a.cmp(&b));
    }

    #[test]
    fn a_prefix_matches_what_its_digits_begin(prefix in "[0-3]{1,4}", number in "[0-3]{1,15}") {
        let matched = Prefix::try_new(&prefix)?.matches(&PhoneNumber::try_new(&number)?);
        prop_assert_eq!(matched, number.starts_with(&prefix));
    }

    #[test]
    fn the_first_digits_of_a_number_are_a_prefix_of_it(
        digits in "[0-9]{1,15}",
        length in 0_usize..20,
    ) {
        let number = PhoneNumber::try_new(&digits)?;
        let expected = digits.get(..length).and_then(|first| Prefix::try_new(first).ok());
        prop_assert_eq!(number.prefix(length), expected);
        let text: String = number.digits().map(|digit| char::from(b'0'.saturating_add(digit))).collect();
        prop_assert_eq!(text, digits);
    }

    #[test]
    fn no_error_tells_a_number(
        digits in "[0-9]{6,15}",
        wrong in "[a-z .-]",
        place in any::<prop::sample::Index>(),
    ) {
        let mut text = digits.clone();
        text.insert_str(place.index(digits.len()), &wrong);
        let error = PhoneNumber::try_new(&text).unwrap_err();
        let told = format!("{error} {error:?}");
        prop_assert!(!told.contains(&text) && !told.contains(&digits));
        let number = PhoneNumber::try_new(&digits)?;
        prop_assert_eq!(format!("{number:?}"), format!("PhoneNumber({} digits)", digits.len()));
    }
}

#[test]
fn an_id_is_1_to_255_bytes_without_control_characters() {
    let cases = [
        (String::new(), Some("tenant id is 0 bytes long")),
        ("a".repeat(255), None),
        ("a".repeat(256), Some("tenant id is 256 bytes long")),
        ("é".repeat(128), Some("tenant id is 256 bytes long")),
        ("two words, Zoë".to_owned(), None),
        ("é\u{7f}".to_owned(), Some("tenant id has a control character at byte 2")),
        ("a\u{85}".to_owned(), Some("tenant id has a control character at byte 1")),
    ];
    for (text, problem) in cases {
        let error = TenantId::try_new(&text).err().map(|error| error.to_string());
        let expected = problem.map(|problem| {
            format!("{problem}; accepted are 1 to 255 bytes without control characters")
        });
        assert_eq!(error, expected, "{text:?}");
    }
}

#[test]
fn a_number_is_1_to_15_digits() {
    let cases = [
        ("", Some("phone number is 0 bytes long; accepted are 1 to 15 digits")),
        ("+", Some("phone number is 0 bytes long; accepted are 1 to 15 digits")),
        ("0", None),
        ("+123456789012345", None),
        ("1234567890123456", Some("phone number is 16 bytes long; accepted are 1 to 15 digits")),
        (
            "++1",
            Some(
                "phone number has something else than a digit at byte 1; accepted are 1 to 15 digits",
            ),
        ),
        (
            "1٣",
            Some(
                "phone number has something else than a digit at byte 1; accepted are 1 to 15 digits",
            ),
        ),
    ];
    for (text, expected) in cases {
        let error = PhoneNumber::try_new(text).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), expected, "{text:?}");
    }
}

#[test]
fn nothing_but_a_digit_is_one_wherever_it_stands() {
    for place in 0..15_usize {
        for byte in 0..=127_u8 {
            let at = |here| if here == place { char::from(byte) } else { '4' };
            let text: String = (0..15_usize).map(at).collect();
            let problem = Prefix::try_new(&text).err().map(|error| error.problem);
            let expected = (!byte.is_ascii_digit()).then_some(NumberProblem::NotADigit(place));
            assert_eq!(problem, expected, "{text:?}");
        }
    }
}

#[test]
fn values_are_json_strings_and_no_json_number_is_repeated() {
    assert_eq!(serde_json::to_string(&Group::try_new("de").unwrap()).unwrap(), r#""de""#);
    assert_eq!(
        serde_json::to_string(&PhoneNumber::try_new("4930").unwrap()).unwrap(),
        r#""+4930""#
    );
    assert_eq!(
        serde_json::from_str::<PhoneNumber>(r#""4930""#).unwrap(),
        PhoneNumber::try_new("4930").unwrap()
    );
    for text in ["491511234567", "-491511234567", "491511234567.5", "4915112345678901234567890"] {
        let errors = [
            serde_json::from_str::<PhoneNumber>(text).unwrap_err().to_string(),
            serde_json::from_str::<AccountId>(text).unwrap_err().to_string(),
        ];
        for error in errors {
            assert!(error.starts_with("a number was found; expected a"), "{error}");
            assert!(!error.contains("4915"), "{error}");
        }
    }
}

#[test]
fn money_is_never_read_from_a_json_number() {
    for text in ["1", "1.5", "-1", "null", "true", "[]"] {
        assert!(serde_json::from_str::<Amount>(text).is_err(), "{text}");
        assert!(serde_json::from_str::<Quantity>(text).is_err(), "{text}");
        assert!(serde_json::from_str::<Price>(text).is_err(), "{text}");
        assert!(serde_json::from_str::<Percent>(text).is_err(), "{text}");
        assert!(serde_json::from_str::<Exact>(text).is_err(), "{text}");
        let value: serde_json::Value = serde_json::from_str(text).unwrap();
        assert!(serde_json::from_value::<Amount>(value).is_err(), "{text}");
    }
    assert_eq!(serde_json::from_str::<Amount>(r#""1.50""#).unwrap().to_string(), "1.5");
}

#[test]
fn documents_have_exactly_their_fields() {
    let money = r#"{"amount":"1.62","currency":"EUR"}"#;
    assert_eq!(
        serde_json::to_string(&serde_json::from_str::<Money>(money).unwrap()).unwrap(),
        money
    );
    let anchor = r#"{"from":"2026-01-31","months":1}"#;
    assert_eq!(
        serde_json::to_string(&serde_json::from_str::<Anchor>(anchor).unwrap()).unwrap(),
        anchor
    );
    let period = r#"{"start":"2026-01-31","end":"2026-02-28"}"#;
    assert_eq!(
        serde_json::to_string(&serde_json::from_str::<Period>(period).unwrap()).unwrap(),
        period
    );
    assert_eq!(serde_json::to_string(&Rounding::HalfEven).unwrap(), r#""half_even""#);
    let refused = [
        r#"{"amount":"1.62","currency":"EUR","note":""}"#,
        r#"{"amount":1.62,"currency":"EUR"}"#,
        r#"{"amount":"1.62","currency":"eur"}"#,
        r#"{"amount":"1.62"}"#,
        r#"{"from":"2026-01-31","months":0}"#,
        r#"{"from":"2026-01-31","months":121}"#,
        r#"{"from":"2026-01-31"}"#,
        r#"{"from":"2026-01-31","months":1,"n":1}"#,
        r#"{"start":"2026-01-31","end":"2026-01-31"}"#,
    ];
    for text in refused {
        let read = serde_json::from_str::<Money>(text).is_ok()
            || serde_json::from_str::<Anchor>(text).is_ok()
            || serde_json::from_str::<Period>(text).is_ok();
        assert!(!read, "{text}");
    }
}
