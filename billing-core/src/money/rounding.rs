//! Named ways to round.

use serde::{Deserialize, Serialize};

/// Where a fraction of the last decimal goes.
///
/// There is no default; whoever rounds says how.
///
/// # Examples
///
/// ```
/// use billing_core::money::{Exact, Rounding};
///
/// let exact: Exact = "-2.5".parse()?;
/// assert_eq!(exact.round(0, Rounding::HalfUp)?.to_string(), "-3");
/// assert_eq!(exact.round(0, Rounding::HalfEven)?.to_string(), "-2");
/// # Ok::<(), billing_core::money::MoneyError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// To the nearer side; a tie goes away from 0.
    HalfUp,
    /// To the nearer side; a tie goes to the even digit.
    HalfEven,
    /// To the nearer side; a tie goes toward 0.
    HalfDown,
    /// Away from 0.
    Up,
    /// Toward 0.
    Down,
    /// Toward positive infinity.
    Ceiling,
    /// Toward negative infinity.
    Floor,
}
