//! Codes as decks write them: with signs, in lists, in ranges.

use core::cmp::Ordering;

use billing_core::number::Prefix;

use crate::deck::{Comma, Hyphen, InvalidRange, Mapping, Problem, fewest_prefixes};

/// The most prefixes that one row may name.
pub const ROW_CODES_MAX: usize = 10_000;

/// The most prefixes that one range may need; up to six digits of its ends may differ in any way.
pub const RANGE_PREFIXES_MAX: usize = 100;

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

fn list(country: &str, text: &str, mapping: &Mapping, codes: &mut Codes) -> Result<(), Problem> {
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
    let by = if country.is_empty() { By::Nothing } else { By::Column };
    // One code may have spaces anywhere.
    let is_parted = by == By::Column || items.clone().next().is_some();
    let mut head = Head { text: country, by };
    for (place, item) in core::iter::once(first).chain(items).enumerate() {
        let own = add(head, item, is_parted, mapping, codes)?;
        // What stands before the first code of a list stands before the others too.
        if place == 0 {
            head = own;
        }
        if codes.all.len() > ROW_CODES_MAX {
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
    by: By,
}

/// What tells the head from the codes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    /// There is none.
    Nothing,
    Column,
    Space,
    Hyphen,
}

impl<'text> Head<'text> {
    /// What stands before a code, which its own text may say, and the code.
    fn of(self, text: &'text str, mapping: &Mapping) -> Result<(Self, &'text str), Problem> {
        let parts = text.split_once(SPACES);
        match (self.by, parts) {
            (By::Column, Some((own, _))) if self.is_same(own, mapping) => Err(Problem::EitherHead),
            // Either of two hyphens may end it.
            (By::Hyphen, None) if self.text.contains(HYPHENS) => Err(Problem::EitherHead),
            (By::Column, _) | (_, None) => Ok((self, text)),
            // More spaces could part either.
            (_, Some((_, code))) if code.trim().contains(SPACES) => Err(Problem::Code),
            (_, Some((own, code))) => Ok((Head { text: own, by: By::Space }, code.trim())),
        }
    }

    /// What stands before a code whose hyphen means nothing.
    fn of_hyphened(self, before: &'text str, mapping: &Mapping) -> Result<Self, Problem> {
        let own = before.split([' ', '\u{A0}', '-', '\u{2013}']).next().unwrap_or(before);
        let is_same = self.is_same(own, mapping);
        match self.by {
            // It may be the head once more, or digits behind it.
            By::Column if is_same => Err(Problem::EitherHead),
            By::Space if !is_same => Err(Problem::EitherHead),
            By::Column => Ok(self),
            By::Space | By::Hyphen | By::Nothing if before.contains(SPACES) => {
                Ok(Head { text: own, by: By::Space })
            }
            By::Space | By::Hyphen | By::Nothing => Ok(Head { text: before, by: By::Hyphen }),
        }
    }

    fn is_same(self, other: &str, mapping: &Mapping) -> bool {
        prefix(self.text, mapping).ok() == prefix(other, mapping).ok()
    }

    fn with(self, code: &str, mapping: &Mapping) -> Result<Prefix, Problem> {
        prefix(&[self.text, code].concat(), mapping)
    }
}

/// Adds the codes of one item of a list, and answers what stands before it.
fn add<'text>(
    head: Head<'text>,
    item: &'text str,
    is_parted: bool,
    mapping: &Mapping,
    codes: &mut Codes,
) -> Result<Head<'text>, Problem> {
    let Some((before, last)) = item.rsplit_once(HYPHENS) else {
        let (head, code) = if is_parted { head.of(item, mapping)? } else { (head, item) };
        codes.all.push(head.with(code, mapping)?);
        return Ok(head);
    };
    let (before, last) = (before.trim(), last.trim());
    match meaning(head, before, last, mapping)? {
        Hyphen::Nothing => {
            let own = head.of_hyphened(before, mapping)?;
            // Only a head with a column of its own is not in the text.
            let given = if own.by == By::Column { own.text } else { "" };
            codes.all.push(prefix(&[given, item].concat(), mapping)?);
            Ok(own)
        }
        Hyphen::Range => {
            let (head, first) = head.of(before, mapping)?;
            let (own, last) = head.of(last, mapping)?;
            if own.text != head.text {
                return Err(Problem::Code);
            }
            let [first, last] = [first, last].map(|code| head.with(code, mapping));
            let prefixes = fewest_prefixes(first?, last?)?;
            if prefixes.len() > RANGE_PREFIXES_MAX {
                return Err(Problem::TooManyPrefixes { prefixes: prefixes.len() });
            }
            codes.all.extend_from_slice(&prefixes);
            codes.of_ranges.extend(prefixes);
            Ok(head)
        }
    }
}

const SPACES: [char; 2] = [' ', '\u{A0}'];
const HYPHENS: [char; 2] = ['-', '\u{2013}'];

/// What a hyphen means between two texts.
fn meaning(head: Head<'_>, before: &str, last: &str, mapping: &Mapping) -> Result<Hyphen, Problem> {
    let is_headed = !head.text.is_empty() || before.contains(SPACES);
    let is_second = before.contains(HYPHENS);
    let first = before.rsplit([' ', '-', '\u{2013}', '\u{A0}']).next().unwrap_or(before);
    let last = last.rsplit([' ', '\u{A0}']).next().unwrap_or(last);
    let (first, last) = (digits_of(first), digits_of(last));
    match (mapping.hyphen, first.cmp(&last)) {
        (Some(Hyphen::Range), _) if is_second => Err(Problem::Code),
        (Some(Hyphen::Range), Ordering::Less | Ordering::Greater) => {
            Err(InvalidRange::Lengths { first, last }.into())
        }
        (Some(said), _) => Ok(said),
        // A country and an area may have as many digits too.
        (None, Ordering::Equal) if !is_second && (is_headed || first > SHORT_DIGITS_MAX) => {
            Ok(Hyphen::Range)
        }
        (None, Ordering::Less) if are_short(before, mapping) => Ok(Hyphen::Nothing),
        (None, Ordering::Less | Ordering::Equal | Ordering::Greater) => Err(Problem::EitherHyphen),
    }
}

/// Whether all that stands before the last hyphen is groups as short as country and area codes.
fn are_short(before: &str, mapping: &Mapping) -> bool {
    let mut dialled = mapping.international_prefixes.iter();
    let bare = dialled.find_map(|dialled| before.strip_prefix(dialled.as_str()));
    let bare = bare.or_else(|| before.strip_prefix('+')).unwrap_or(before);
    bare.split(HYPHENS).all(|group| {
        (1..=SHORT_DIGITS_MAX).contains(&group.len()) && digits_of(group) == group.len()
    })
}

const SHORT_DIGITS_MAX: usize = 3;

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
