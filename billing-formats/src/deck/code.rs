//! Codes as decks write them: with signs, in lists, in ranges.

use core::cmp::Ordering;

use billing_core::number::Prefix;

use crate::deck::{Comma, Hyphen, InvalidRange, Mapping, Problem, fewest_prefixes};

/// The most prefixes that one row may name.
pub const ROW_CODES_MAX: usize = 10_000;

/// Which codes a row names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// Those that were put into the list.
    Codes,
    /// All that no other row names.
    Any,
}

/// Puts the codes of a row in place of what `codes` holds, each once.
pub(super) fn read(
    country: &str,
    text: &str,
    mapping: &Mapping,
    codes: &mut Vec<Prefix>,
) -> Result<Named, Problem> {
    codes.clear();
    if country.is_empty() && is_plain(text, mapping) {
        codes.push(Prefix::try_new(text)?);
        return Ok(Named::Codes);
    }
    let (country, text) = (bare(country), bare(text));
    match (country, text) {
        ("", "*") => return Ok(Named::Any),
        ("", "") => return Err(Problem::Empty { accepted: "a code, such as 4930" }),
        (country, "" | "*") => codes.push(prefix(country, mapping)?),
        _ if is_rounded(text) => codes.push(unrounded(country, text, mapping)?),
        _ => list(country, text, mapping, codes)?,
    }
    codes.sort_unstable();
    codes.dedup();
    if codes.len() > ROW_CODES_MAX { Err(Problem::TooManyCodes) } else { Ok(Named::Codes) }
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

fn list(
    country: &str,
    text: &str,
    mapping: &Mapping,
    codes: &mut Vec<Prefix>,
) -> Result<(), Problem> {
    let without_commas;
    let text = match mapping.comma {
        Some(Comma::Nothing) => {
            without_commas = text.replace(',', "");
            without_commas.as_str()
        }
        None if country.is_empty() && may_be_thousands(text) => return Err(Problem::EitherComma),
        None | Some(Comma::List) => text,
    };
    let mut items = text.split([',', ';', '\n']).map(str::trim).filter(|item| !item.is_empty());
    let first = items.next().ok_or(Problem::Code)?;
    // One code may have spaces anywhere, and so may those behind a country that has a column of its own.
    let is_parted = country.is_empty() && items.clone().next().is_some();
    let mut country = Head { text: country, is_given: !country.is_empty() };
    for (place, item) in core::iter::once(first).chain(items).enumerate() {
        let head = add(country, item, is_parted, mapping, codes)?;
        // What stands before the first code of a list stands before the others too.
        if place == 0 && !country.is_given {
            country.text = head;
        }
        if codes.len() > ROW_CODES_MAX {
            return Err(Problem::TooManyCodes);
        }
    }
    Ok(())
}

/// Whether a spreadsheet may have put the commas of a text between thousands.
fn may_be_thousands(text: &str) -> bool {
    let is_group = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    let mut groups = text.split(',');
    groups.next().is_some_and(|first| (1..=3).contains(&first.len()) && is_group(first))
        && text.contains(',')
        && groups.all(|group| group.len() == 3 && is_group(group))
}

/// What stands before the codes of a list.
#[derive(Clone, Copy)]
struct Head<'text> {
    text: &'text str,
    /// Whether it has a column of its own.
    is_given: bool,
}

impl<'text> Head<'text> {
    /// What stands before a code, which its own text may say, and the code.
    fn of(self, text: &'text str) -> Result<(&'text str, &'text str), Problem> {
        match text.split_once([' ', '\u{A0}']).filter(|_| !self.is_given) {
            None => Ok((self.text, text)),
            // More spaces could part either.
            Some((_, code)) if code.trim().contains([' ', '\u{A0}']) => Err(Problem::Code),
            Some((head, code)) => Ok((head, code.trim())),
        }
    }
}

/// Adds the codes of one item of a list, and answers what stands before it.
fn add<'text>(
    country: Head<'text>,
    item: &'text str,
    is_parted: bool,
    mapping: &Mapping,
    codes: &mut Vec<Prefix>,
) -> Result<&'text str, Problem> {
    let Some((before, last)) = item.rsplit_once(HYPHENS) else {
        let (head, code) = if is_parted { country.of(item)? } else { (country.text, item) };
        codes.push(prefix(&[head, code].concat(), mapping)?);
        return Ok(head);
    };
    let (before, last) = (before.trim(), last.trim());
    match meaning(before, last, mapping.hyphen)? {
        Hyphen::Nothing => {
            codes.push(prefix(&[country.text, item].concat(), mapping)?);
            Ok(before)
        }
        Hyphen::Range => {
            let (head, first) = country.of(before)?;
            let (own, last) = Head { text: head, ..country }.of(last)?;
            if own != head {
                return Err(Problem::Code);
            }
            let [first, last] = [first, last].map(|code| prefix(&[head, code].concat(), mapping));
            codes.extend(fewest_prefixes(first?, last?)?);
            Ok(head)
        }
    }
}

const HYPHENS: [char; 2] = ['-', '\u{2013}'];

/// What a hyphen means between two texts.
fn meaning(before: &str, last: &str, said: Option<Hyphen>) -> Result<Hyphen, Problem> {
    let is_second = before.contains(HYPHENS);
    let first = before.rsplit([' ', '-', '\u{2013}', '\u{A0}']).next().unwrap_or(before);
    let last = last.rsplit([' ', '\u{A0}']).next().unwrap_or(last);
    let (first, last) = (digits_of(first), digits_of(last));
    match (said, first.cmp(&last)) {
        (Some(Hyphen::Range), _) if is_second => Err(Problem::Code),
        (Some(Hyphen::Range), Ordering::Less | Ordering::Greater) => {
            Err(InvalidRange::Lengths { first, last }.into())
        }
        (Some(said), _) => Ok(said),
        (None, Ordering::Equal) if !is_second => Ok(Hyphen::Range),
        (None, Ordering::Less) => Ok(Hyphen::Nothing),
        (None, Ordering::Equal | Ordering::Greater) => Err(Problem::EitherHyphen),
    }
}

fn digits_of(text: &str) -> usize {
    text.bytes().filter(u8::is_ascii_digit).count()
}

/// The code of digits with spaces, brackets and hyphens, and with what is dialled before it.
fn prefix(text: &str, mapping: &Mapping) -> Result<Prefix, Problem> {
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
