//! Codes in lists and ranges, and what stands before them.

use core::cmp::Ordering;

use billing_core::number::Prefix;

use crate::deck::{
    Comma, Hyphen, InvalidRange, Mapping, Problem, ROW_CODES_MAX,
    code::{Codes, prefix},
    fewest_prefixes,
};

/// The most prefixes that one range may need; up to six digits of its ends may differ in any way.
pub const RANGE_PREFIXES_MAX: usize = 100;

/// Adds the codes of a list behind a country, which may be empty.
pub(super) fn list(
    country: &str,
    text: &str,
    mapping: &Mapping,
    codes: &mut Codes,
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
