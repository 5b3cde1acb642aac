//! Increments as decks write them: `60/60`, `30/6`, `60+1`, `6`.

use core::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use billing_core::money::Quantity;

/// The first increment and the next ones, in seconds or units, as text such as `30/6`, `60+1` or `6`.
///
/// # Examples
///
/// ```
/// use billing_formats::deck::Increments;
///
/// let increments: Increments = "30/6".parse()?;
/// assert_eq!((increments.first.to_string(), increments.next.to_string()), ("30".into(), "6".into()));
/// assert_eq!("6".parse::<Increments>()?, "6/6".parse()?);
/// assert!("6/0".parse::<Increments>().is_err());
/// # Ok::<(), billing_formats::deck::InvalidIncrements>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Increments {
    /// The first; as the next ones if it is 0.
    pub first: Quantity,
    /// The next ones; above 0.
    pub next: Quantity,
}

/// A text cannot be read as increments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the increments cannot be read; accepted are a first and a next one, such as 30/6 or 60+1, or one for both, such as 6; the next above 0, each below 10^10 with up to 3 decimals"
)]
pub struct InvalidIncrements;

impl FromStr for Increments {
    type Err = InvalidIncrements;

    fn from_str(s: &str) -> Result<Self, InvalidIncrements> {
        let (first, next) = s.split_once(['/', '+']).unwrap_or((s, s));
        let [first, next] =
            [first, next].map(|part| quantity(part.trim()).ok_or(InvalidIncrements));
        Some(Self { first: first?, next: next? })
            .filter(|increments| !increments.next.is_zero())
            .ok_or(InvalidIncrements)
    }
}

impl fmt::Display for Increments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.next)
    }
}

impl TryFrom<String> for Increments {
    type Error = InvalidIncrements;

    fn try_from(text: String) -> Result<Self, InvalidIncrements> {
        text.parse()
    }
}

impl From<Increments> for String {
    fn from(increments: Increments) -> Self {
        increments.to_string()
    }
}

/// A quantity that a tariff can count.
pub(super) fn quantity(text: &str) -> Option<Quantity> {
    let is_short = (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_short {
        return text.parse::<u32>().ok().map(Quantity::from);
    }
    text.parse().ok().filter(|quantity| is_counted(*quantity))
}

/// Whether a quantity is 0 or more, below 10^10, and has 3 decimals at the most.
pub(super) fn is_counted(quantity: Quantity) -> bool {
    let end = Quantity::from_units(QUANTITY_END, 0);
    let is_below = end.is_ok_and(|end| quantity < end);
    is_below && !quantity.is_negative() && quantity.decimal().scale() <= DECIMALS_MAX
}

const QUANTITY_END: i128 = 10_000_000_000;
const DECIMALS_MAX: u32 = 3;
