//! When a message that was not taken is tried again, and how often.

use serde::{Deserialize, Serialize};

/// When a message that was not taken is tried again, and how often.
///
/// Waits double from the first to the longest, and are shortened by up to a half at random.
///
/// # Examples
///
/// ```
/// use billing_core::outbox::RetryPolicy;
///
/// let policy: RetryPolicy = serde_json::from_str(r#"{"attempts_max":3}"#)?;
/// assert_eq!(policy.wait_first_ms, 5_000);
/// assert!(serde_json::from_str::<RetryPolicy>(r#"{"tries":3}"#).is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetryPolicy {
    /// After so many attempts a message becomes a dead letter; 0 counts as 1.
    pub attempts_max: u32,
    /// The wait after the first attempt, in milliseconds.
    pub wait_first_ms: u64,
    /// The longest wait, in milliseconds, also of those that a sink asks for.
    pub wait_max_ms: u64,
}

impl Default for RetryPolicy {
    /// 20 attempts within two to three days, from 5 seconds to 6 hours apart.
    fn default() -> Self {
        Self { attempts_max: 20, wait_first_ms: 5_000, wait_max_ms: 21_600_000 }
    }
}

impl RetryPolicy {
    /// How long to wait after so many attempts, in milliseconds.
    ///
    /// At least what the sink asked for, and never more than the longest wait. `chance` is any number, all of them as likely: 0 is
    /// half of the wait, the largest all of it.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::outbox::RetryPolicy;
    ///
    /// let policy = RetryPolicy { attempts_max: 20, wait_first_ms: 1_000, wait_max_ms: 60_000 };
    /// assert_eq!(policy.wait_ms(1, 0, 0), 500);
    /// assert_eq!(policy.wait_ms(3, 0, 0), 2_000);
    /// assert_eq!(policy.wait_ms(3, 0, u32::MAX), 3_999);
    /// assert_eq!(policy.wait_ms(3, 30_000, 0), 30_000);
    /// assert_eq!(policy.wait_ms(99, 0, 0), 30_000);
    /// ```
    #[must_use]
    pub fn wait_ms(&self, attempts: u32, asked_ms: u64, chance: u32) -> u64 {
        let factor = 1_u64.checked_shl(attempts.saturating_sub(1)).unwrap_or(u64::MAX);
        let full = self.wait_first_ms.saturating_mul(factor).min(self.wait_max_ms);
        let half = full.checked_shr(1).unwrap_or(0);
        // Less than a half by construction, so it fits.
        let more = u128::from(full.saturating_sub(half)).saturating_mul(chance.into());
        let more = u64::try_from(more.checked_shr(32).unwrap_or(0)).unwrap_or(0);
        half.saturating_add(more).max(asked_ms.min(self.wait_max_ms))
    }
}
