//! Codes as decks write them.

use billing_core::number::Prefix;

use crate::deck::{Mapping, Problem, list::list};

/// The most prefixes that one row may name.
pub const ROW_CODES_MAX: usize = 10_000;

/// The codes of a row, each once and in order.
#[derive(Default)]
pub(super) struct Codes {
    pub(super) all: Vec<Prefix>,
    /// Those that make up ranges, so that whatever begins with them is meant too.
    pub(super) of_ranges: Vec<Prefix>,
}

/// Which codes a row names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// Those that were put into the list.
    Codes,
    /// All that no other row names.
    Any,
}

/// Puts the codes of a row in place of what `codes` holds.
pub(super) fn read(
    country: &str,
    text: &str,
    mapping: &Mapping,
    codes: &mut Codes,
) -> Result<Named, Problem> {
    codes.all.clear();
    codes.of_ranges.clear();
    if country.is_empty() && is_plain(text, mapping) {
        codes.all.push(Prefix::try_new(text)?);
        return Ok(Named::Codes);
    }
    let (country, text) = (bare(country), bare(text));
    match (country, text) {
        ("", "*") => return Ok(Named::Any),
        ("", "") => return Err(Problem::Empty { accepted: "a code, such as 4930" }),
        (country, "" | "*") => codes.all.push(prefix(country, mapping)?),
        _ if is_rounded(text) => codes.all.push(unrounded(country, text, mapping)?),
        _ => list(country, text, mapping, codes)?,
    }
    for list in [&mut codes.all, &mut codes.of_ranges] {
        list.sort_unstable();
        list.dedup();
    }
    if codes.all.len() > ROW_CODES_MAX { Err(Problem::TooManyCodes) } else { Ok(Named::Codes) }
}

/// Whether what stands where codes stand begins as one.
pub(super) fn is_begun(text: &str) -> bool {
    let digits = text.trim_start_matches(['\'', '=', '"', '+', '(', ' ', '\u{A0}']);
    digits.starts_with(|letter: char| letter.is_ascii_digit() || letter == '*')
}

/// Whether a text is a code as it stands.
fn is_plain(text: &str, mapping: &Mapping) -> bool {
    let dialled = &mapping.international_prefixes;
    let mut digits = text.bytes();
    matches!(digits.next(), Some(b'1'..=b'9'))
        && digits.all(|byte| byte.is_ascii_digit())
        && !dialled.iter().any(|dialled| text.starts_with(dialled.as_str()))
}

/// A text without what makes spreadsheets take it as text: `'49` and `="49"`.
fn bare(text: &str) -> &str {
    let quoted = text.strip_prefix("=\"").and_then(|text| text.strip_suffix('"'));
    quoted.or_else(|| text.strip_prefix('\'')).unwrap_or(text).trim()
}

/// Whether a spreadsheet wrote a number as `4.47956E+11`.
fn is_rounded(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['E', 'e']) else { return false };
    mantissa.starts_with(|letter: char| letter.is_ascii_digit())
        && exponent.ends_with(|letter: char| letter.is_ascii_digit())
}

/// The code of a rounded number that has all its digits.
fn unrounded(country: &str, text: &str, mapping: &Mapping) -> Result<Prefix, Problem> {
    let (mantissa, exponent) = text.split_once(['E', 'e']).ok_or(Problem::Code)?;
    let exponent = exponent.strip_prefix('+').unwrap_or(exponent);
    let digits = exponent.parse::<u8>().map_err(|_none| Problem::Code)?;
    let digits = usize::from(digits).saturating_add(1);
    let (first, rest) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, ""));
    let kept = [first, rest].concat();
    if first.len() != 1 || !kept.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Problem::Code);
    }
    if kept.len() != digits {
        return Err(Problem::DigitsLost { digits });
    }
    prefix(&[country, &kept].concat(), mapping)
}

/// The code of digits with spaces, brackets and hyphens, and with what is dialled before it.
pub(super) fn prefix(text: &str, mapping: &Mapping) -> Result<Prefix, Problem> {
    let mut digits = String::with_capacity(text.len());
    let bare = text.strip_prefix('+').unwrap_or(text);
    for letter in bare.chars() {
        match letter {
            '0'..='9' => digits.push(letter),
            ' ' | '\u{A0}' | '(' | ')' | '-' | '\u{2013}' => {}
            _ => return Err(Problem::Code),
        }
    }
    let is_whole = bare.len() < text.len();
    let dialled = mapping.international_prefixes.iter().filter(|_| !is_whole);
    let code = dialled.into_iter().find_map(|dialled| digits.strip_prefix(dialled.as_str()));
    let code = code.unwrap_or(&digits);
    if code.starts_with('0') {
        return Err(Problem::LeadingZero);
    }
    Ok(Prefix::try_new(code)?)
}
