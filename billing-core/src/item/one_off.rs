//! A charge that is made once.

use serde::{Deserialize, Serialize};

use crate::{id::Group, money::Money, time::Instant};

/// One charge beside the plan: a set-up fee, a device, a goodwill credit.
///
/// It stands on the next invoice as a line of its name; charges of one name and day add up. A negative price is a credit.
///
/// # Examples
///
/// ```
/// use billing_core::item::OneOff;
///
/// let setup: OneOff = serde_json::from_str(
///     r#"{"at":"2026-10-05T08:00:00Z","name":"set-up","price":{"amount":"49.90","currency":"EUR"}}"#,
/// )?;
/// assert_eq!(setup.price.to_string(), "49.90 EUR");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneOff {
    /// When it was made; decides the billing day.
    pub at: Instant,
    /// What the invoice calls it.
    pub name: Group,
    /// What it costs before tax, in the account's currency; rounded with its line.
    pub price: Money,
}
