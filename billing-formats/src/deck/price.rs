//! Prices as decks write them: decimal marks, thousands, currencies.

use std::borrow::Cow;

use billing_core::money::{Currency, MoneyError, Price};

use crate::deck::{DecimalMark, Mapping, Problem, ThousandsMark};

/// The price that a text states.
pub(super) fn price(text: &str, mapping: &Mapping) -> Result<Price, Problem> {
    match (text, mapping.decimal) {
        ("0", _) => return Ok(Price::ZERO),
        (_, DecimalMark::Point) if is_plain(text) => {
            return text.parse().map_err(refused);
        }
        _ => {}
    }
    let number = without_currency(text, mapping.currency)?;
    let plain = plain(number, mapping)?;
    plain.parse().map_err(refused)
}

/// What is wrong with a text that is no price, in the words of the mapping where its form is.
fn refused(problem: MoneyError) -> Problem {
    match problem {
        MoneyError::Malformed { .. } => Problem::NoPrice,
        problem => Problem::Price(problem),
    }
}

/// Whether a text is digits, and a point between them at the most.
fn is_plain(text: &str) -> bool {
    let is_digit = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_digit());
    let bytes = || text.bytes();
    is_digit(bytes().next())
        && is_digit(bytes().next_back())
        && bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// The number beside a code or sign of the currency.
fn without_currency(text: &str, currency: Currency) -> Result<&str, Problem> {
    let is_number = |letter: char| letter.is_ascii_digit() || "-.,".contains(letter);
    let (Some(begin), Some(end)) =
        (text.find(is_number), text.rfind(|letter: char| letter.is_ascii_digit()))
    else {
        return Err(Problem::NoPrice);
    };
    let (before, rest) = text.split_at_checked(begin).unwrap_or((text, ""));
    let (number, after) =
        rest.split_at_checked(end.saturating_add(1).saturating_sub(begin)).unwrap_or((rest, ""));
    for mark in [before, after].map(str::trim) {
        check_currency(mark, currency)?;
    }
    Ok(number)
}

/// Refuses what is neither nothing, nor the code of a currency, nor a sign of it.
pub(super) fn check_currency(mark: &str, currency: Currency) -> Result<(), Problem> {
    let code = currency.code();
    let by_sign = || {
        let signs = SIGNS.iter().filter(|(sign, _)| *sign == mark);
        signs.into_iter().any(|(_, codes)| codes.contains(&code))
    };
    if mark.is_empty() || mark.eq_ignore_ascii_case(code) || by_sign() {
        Ok(())
    } else {
        Err(Problem::Currency { accepted: currency })
    }
}

const SIGNS: [(&str, &[&str]); 9] = [
    ("€", &["EUR"]),
    ("£", &["GBP", "FKP", "GIP", "SHP"]),
    (
        "$",
        &[
            "USD", "AUD", "BBD", "BMD", "BND", "BSD", "BZD", "CAD", "CLP", "COP", "FJD", "GYD",
            "HKD", "JMD", "KYD", "LRD", "MXN", "NAD", "NZD", "SBD", "SGD", "SRD", "TTD", "TWD",
            "XCD",
        ],
    ),
    ("US$", &["USD"]),
    ("¥", &["JPY", "CNY"]),
    ("₹", &["INR"]),
    ("₽", &["RUB"]),
    ("zł", &["PLN"]),
    ("kr", &["DKK", "ISK", "NOK", "SEK"]),
];

/// A number with a point before its decimals and nothing between its thousands.
fn plain<'text>(number: &'text str, mapping: &Mapping) -> Result<Cow<'text, str>, Problem> {
    let (decimal, thousands) = marks(number, mapping)?;
    let (whole, fraction) = match number.rsplit_once(decimal) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (number, None),
    };
    let whole = match thousands {
        Some(mark) if whole.contains(|letter| is_mark(letter, mark)) => {
            Cow::from(without_thousands(whole, mark)?)
        }
        // Spreadsheets of some countries leave the zero before a point out.
        _ if whole.is_empty() && fraction.is_some() => Cow::from("0"),
        _ => Cow::from(whole),
    };
    if whole.contains(['.', ',']) || fraction.is_some_and(|digits| digits.contains(['.', ','])) {
        return Err(Problem::NoPrice);
    }
    Ok(match fraction {
        None => whole,
        Some(fraction) => Cow::from(format!("{whole}.{fraction}")),
    })
}

/// What stands before the decimals of a number, and what between its thousands.
fn marks(number: &str, mapping: &Mapping) -> Result<(char, Option<ThousandsMark>), Problem> {
    match mapping.decimal {
        DecimalMark::Point => Ok(('.', mapping.thousands)),
        DecimalMark::Comma => Ok((',', mapping.thousands)),
        DecimalMark::Auto => {
            let points = number.matches('.').count();
            let commas = number.matches(',').count();
            match (points, commas) {
                (0, 0) => Ok(('.', mapping.thousands)),
                (1, 0) => either(number, '.').map(|()| ('.', mapping.thousands)),
                (0, 1) => either(number, ',').map(|()| (',', mapping.thousands)),
                (_, 0) => Ok((',', Some(ThousandsMark::Point))),
                (0, _) => Ok(('.', Some(ThousandsMark::Comma))),
                (_, _) if number.rfind('.') > number.rfind(',') => {
                    Ok(('.', Some(ThousandsMark::Comma)))
                }
                (_, _) => Ok((',', Some(ThousandsMark::Point))),
            }
        }
    }
}

/// Refuses a number whose only mark could stand before decimals or between thousands.
fn either(number: &str, mark: char) -> Result<(), Problem> {
    let (whole, fraction) = number.split_once(mark).unwrap_or((number, ""));
    let may_be_thousands =
        fraction.len() == 3 && (1..=3).contains(&whole.len()) && !whole.starts_with('0');
    if may_be_thousands { Err(Problem::EitherMark) } else { Ok(()) }
}

/// The digits of a number whose thousands are groups of three.
fn without_thousands(whole: &str, mark: ThousandsMark) -> Result<String, Problem> {
    let groups: Vec<&str> = whole.split(|letter| is_mark(letter, mark)).collect();
    let (first, rest) = groups.split_first().ok_or(Problem::NoPrice)?;
    if !(1..=3).contains(&first.len()) || rest.iter().any(|group| group.len() != 3) {
        return Err(Problem::NoPrice);
    }
    // Nobody groups 15 as 0.015.
    if first.starts_with('0') { Err(Problem::ZeroThousands) } else { Ok(groups.concat()) }
}

const fn is_mark(letter: char, mark: ThousandsMark) -> bool {
    match mark {
        ThousandsMark::Point => letter == '.',
        ThousandsMark::Comma => letter == ',',
        ThousandsMark::Space => matches!(letter, ' ' | '\u{A0}' | '\u{202F}' | '\u{2009}'),
        ThousandsMark::Apostrophe => matches!(letter, '\'' | '\u{2019}'),
    }
}
