//! What a dial plan must not say.

use crate::dial_plan::Rules;

const COUNTRY_DIGITS_MAX: usize = 3;
const INTERNATIONAL_DIGITS_MAX: usize = 8;
const NATIONAL_PREFIX_DIGITS_MAX: usize = 5;
const AREA_DIGITS_MAX: usize = 6;
const CODE_BYTES_MAX: usize = 15;
const INTERNAL_DIGITS_MAX: u8 = 9;
const NUMBER_DIGITS_MAX: usize = 15;

/// A dial plan cannot be used; names the field, and the place in it, counted from 1.
///
/// # Examples
///
/// ```
/// use billing_formats::dial_plan::{DialPlan, InvalidDialPlan, Rules};
///
/// let problem = DialPlan::try_new(Rules::new("+49")).unwrap_err();
/// assert_eq!(problem, InvalidDialPlan::Country);
/// assert_eq!(problem.to_string(), "`country` is no country code; accepted are 1 to 3 digits, the first one not 0");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidDialPlan {
    /// The country code.
    #[error("`country` is no country code; accepted are 1 to 3 digits, the first one not 0")]
    Country,
    /// An international prefix.
    #[error(
        "`international_prefixes` has no prefix at place {place}; accepted are 1 to 8 digits, or `+`"
    )]
    InternationalPrefix {
        /// Which one.
        place: usize,
    },
    /// The national prefix is not made of digits.
    #[error("`national_prefix` is no prefix; accepted are 1 to 5 digits, or none")]
    NationalPrefix,
    /// The national prefix begins with an international one, which would always be found first.
    #[error(
        "`national_prefix` begins with place {place} of `international_prefixes`; accepted is one that does not"
    )]
    NationalPrefixHidden {
        /// Which international prefix.
        place: usize,
    },
    /// The area code.
    #[error("`area_code` is no area code; accepted are 1 to 6 digits, or none")]
    AreaCode,
    /// The area code has the national prefix before it.
    #[error("`area_code` begins with the national prefix 0; accepted is one without it")]
    AreaCodePrefixed,
    /// Nothing tells local numbers from national ones.
    #[error(
        "`area_code` leaves open which numbers are local; accepted is one beside `national_prefix` or `national_digits`"
    )]
    AreaCodeOpen,
    /// The length of national numbers.
    #[error(
        "`national_digits` is {digits}; accepted are lengths above those of `area_code` and `internal_digits_max` that make up to 15 digits with `country`"
    )]
    NationalDigits {
        /// Which length.
        digits: u8,
    },
    /// A short code.
    #[error("`short_codes` has no code at place {place}; accepted are 1 to 15 of 0 to 9, * and #")]
    ShortCode {
        /// Which one.
        place: usize,
    },
    /// A special prefix.
    #[error(
        "`special_prefixes` has no prefix at place {place}; accepted are 1 to 15 of 0 to 9, * and #"
    )]
    SpecialPrefix {
        /// Which one.
        place: usize,
    },
    /// The length of extensions.
    #[error("`internal_digits_max` is {digits}; accepted are 0 to 9")]
    InternalDigits {
        /// Which length.
        digits: u8,
    },
    /// A character to be left out may not be.
    #[error(
        "`strip` has a letter, a digit, or one of +, * and # at place {place}; accepted are other characters"
    )]
    Strip {
        /// Which one.
        place: usize,
    },
}

/// Refuses rules that contradict each other, or that are no digits.
pub(super) fn check(rules: &Rules) -> Result<(), InvalidDialPlan> {
    let country = &rules.country;
    if !is_digits(country, COUNTRY_DIGITS_MAX) || country.starts_with('0') {
        return Err(InvalidDialPlan::Country);
    }
    let is_prefix = |text: &str| text == "+" || is_digits(text, INTERNATIONAL_DIGITS_MAX);
    if let Some(place) = place_without(&rules.international_prefixes, is_prefix) {
        return Err(InvalidDialPlan::InternationalPrefix { place });
    }
    if let Some(place) = place_without(&rules.short_codes, is_code) {
        return Err(InvalidDialPlan::ShortCode { place });
    }
    if let Some(place) = place_without(&rules.special_prefixes, is_code) {
        return Err(InvalidDialPlan::SpecialPrefix { place });
    }
    if rules.internal_digits_max > INTERNAL_DIGITS_MAX {
        return Err(InvalidDialPlan::InternalDigits { digits: rules.internal_digits_max });
    }
    let is_kept = |char: char| char.is_alphanumeric() || "+*#".contains(char);
    if let Some(place) = (1..).zip(rules.strip.chars()).find(|(_, char)| is_kept(*char)) {
        return Err(InvalidDialPlan::Strip { place: place.0 });
    }
    check_national_prefix(rules)?;
    check_area_code(rules)?;
    check_national_digits(rules)
}

fn check_national_prefix(rules: &Rules) -> Result<(), InvalidDialPlan> {
    let Some(national) = &rules.national_prefix else { return Ok(()) };
    if !is_digits(national, NATIONAL_PREFIX_DIGITS_MAX) {
        return Err(InvalidDialPlan::NationalPrefix);
    }
    let is_apart = |prefix: &str| !national.starts_with(prefix);
    match place_without(&rules.international_prefixes, is_apart) {
        Some(place) => Err(InvalidDialPlan::NationalPrefixHidden { place }),
        None => Ok(()),
    }
}

fn check_area_code(rules: &Rules) -> Result<(), InvalidDialPlan> {
    let Some(area) = &rules.area_code else { return Ok(()) };
    if !is_digits(area, AREA_DIGITS_MAX) {
        return Err(InvalidDialPlan::AreaCode);
    }
    // Where 0 is dialled before national numbers, none of them begins with it.
    if rules.national_prefix.as_deref() == Some("0") && area.starts_with('0') {
        return Err(InvalidDialPlan::AreaCodePrefixed);
    }
    match (&rules.national_prefix, rules.national_digits) {
        (None, None) => Err(InvalidDialPlan::AreaCodeOpen),
        (Some(_), _) | (_, Some(_)) => Ok(()),
    }
}

fn check_national_digits(rules: &Rules) -> Result<(), InvalidDialPlan> {
    let Some(digits) = rules.national_digits else { return Ok(()) };
    let area_digits = rules.area_code.as_ref().map_or(0, String::len);
    let internal_digits = usize::from(rules.internal_digits_max);
    let number_digits = rules.country.len().saturating_add(usize::from(digits));
    let is_longer = usize::from(digits) > area_digits.max(internal_digits);
    if is_longer && number_digits <= NUMBER_DIGITS_MAX {
        Ok(())
    } else {
        Err(InvalidDialPlan::NationalDigits { digits })
    }
}

/// The place, counted from 1, of the first text that is not accepted.
fn place_without(texts: &[String], is_accepted: impl Fn(&str) -> bool) -> Option<usize> {
    (1..).zip(texts).find(|(_, text)| !is_accepted(text)).map(|(place, _)| place)
}

fn is_digits(text: &str, digits_max: usize) -> bool {
    let is_short = (1..=digits_max).contains(&text.len());
    is_short && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_code(text: &str) -> bool {
    let is_short = (1..=CODE_BYTES_MAX).contains(&text.len());
    is_short && text.bytes().all(|byte| byte.is_ascii_digit() || b"*#".contains(&byte))
}
