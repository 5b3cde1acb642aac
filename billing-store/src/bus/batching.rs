//! How a consumer forms batches.

use core::time::Duration;

/// How a consumer forms batches.
///
/// # Examples
///
/// ```
/// use billing_store::bus::Batching;
///
/// assert_eq!(Batching::default().messages_max, 500);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batching {
    /// A batch has at most so many messages.
    pub messages_max: usize,
    /// A batch that is not full is taken in after so long.
    pub wait: Duration,
}

impl Default for Batching {
    /// Up to 500 messages, and a tenth of a second.
    fn default() -> Self {
        Self { messages_max: 500, wait: Duration::from_millis(100) }
    }
}
