//! A range of codes, as the fewest prefixes.

use billing_core::number::Prefix;

/// A range of codes is none.
///
/// # Examples
///
/// ```
/// use billing_formats::deck::{InvalidRange, fewest_prefixes};
///
/// assert_eq!(fewest_prefixes("7799".parse()?, "7700".parse()?), Err(InvalidRange::Reversed));
/// # Ok::<(), billing_core::number::InvalidNumber>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRange {
    /// It ends before it begins.
    #[error("the range ends before it begins; accepted is the smaller code first")]
    Reversed,
    /// Its ends have different lengths.
    #[error(
        "the range begins with {first} digits and ends with {last}; accepted are as many at both ends"
    )]
    Lengths {
        /// Digits of the first code.
        first: usize,
        /// Digits of the last.
        last: usize,
    },
}

/// The fewest prefixes that hold the numbers of every code from `first` to `last`, and no other; in order.
///
/// There are at most 18 for every digit of the ends.
///
/// # Errors
///
/// [`InvalidRange`].
///
/// # Examples
///
/// ```
/// use billing_formats::deck::fewest_prefixes;
///
/// let prefixes = |first: &str, last: &str| -> Result<Vec<String>, Box<dyn std::error::Error>> {
///     let prefixes = fewest_prefixes(first.parse()?, last.parse()?)?;
///     Ok(prefixes.iter().map(ToString::to_string).collect())
/// };
/// assert_eq!(prefixes("7700", "7799")?, ["77"]);
/// assert_eq!(prefixes("7798", "7810")?, ["7798", "7799", "780", "7810"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn fewest_prefixes(first: Prefix, last: Prefix) -> Result<Vec<Prefix>, InvalidRange> {
    let digits = first.len();
    if digits != last.len() {
        return Err(InvalidRange::Lengths { first: digits, last: last.len() });
    }
    if last < first {
        return Err(InvalidRange::Reversed);
    }
    let (mut next, last) = (value(first), value(last));
    let mut prefixes = Vec::new();
    while next <= last {
        let block = largest_block(next, last, digits);
        prefixes.extend(prefix(next, digits, block));
        next = next.saturating_add(ten_to(block));
    }
    Ok(prefixes)
}

/// How many digits the codes have that begin at `next`, end by `last` and share a prefix.
fn largest_block(next: u64, last: u64, digits: usize) -> usize {
    let fits = |block: usize| {
        let size = ten_to(block);
        next.is_multiple_of(size) && next.saturating_add(size) <= last.saturating_add(1)
    };
    // A prefix has a digit at least.
    (1..digits).take_while(|block| fits(*block)).last().unwrap_or(0)
}

/// The prefix of the codes of so many digits from `next` on, without the digits in which they differ.
fn prefix(next: u64, digits: usize, block: usize) -> Option<Prefix> {
    let width = digits.checked_sub(block)?;
    let shared = next.checked_div(ten_to(block))?;
    Prefix::try_new(&format!("{shared:0width$}")).ok()
}

fn value(prefix: Prefix) -> u64 {
    let digits = prefix.digits().map(u64::from);
    // Fifteen digits are below 2^64.
    digits.fold(0, |value, digit| value.saturating_mul(10).saturating_add(digit))
}

fn ten_to(exponent: usize) -> u64 {
    u32::try_from(exponent)
        .ok()
        .and_then(|exponent| 10_u64.checked_pow(exponent))
        .unwrap_or(u64::MAX)
}
