//! How a relay goes about it, as data.

use serde::{Deserialize, Serialize};

use billing_core::{id::HolderId, outbox::RetryPolicy};

/// How a relay goes about it.
///
/// # Examples
///
/// ```
/// use billing_store::relay::RelayOptions;
///
/// let options: RelayOptions = serde_json::from_str(r#"{"holder":"billing-1","start":"now"}"#)?;
/// assert_eq!((options.lease_ms, options.retry.attempts_max), (60_000, 20));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelayOptions {
    /// The name of this relay among all that share the store: one process at a time relays to a sink.
    pub holder: HolderId,
    /// How long a relay that has died keeps others from taking over, in milliseconds; longer than a run may take, for after it two
    /// may deliver the same.
    #[serde(default = "lease_ms")]
    pub lease_ms: u64,
    /// At most so many accounts in one run.
    #[serde(default = "accounts_max")]
    pub accounts_max: u32,
    /// At most so many messages in one run.
    #[serde(default = "messages_max")]
    pub messages_max: u32,
    /// After so many failures a run ends: a sink that is down is not asked for each account.
    #[serde(default = "failures_max")]
    pub failures_max: u32,
    /// Where a sink begins that nothing was relayed to before.
    #[serde(default)]
    pub start: Start,
    /// When messages that were not taken are tried again.
    #[serde(default)]
    pub retry: RetryPolicy,
}

impl RelayOptions {
    /// The usual ways, under a name.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_store::relay::{RelayOptions, Start};
    ///
    /// let options = RelayOptions { start: Start::Now, ..RelayOptions::new("billing-1".parse()?) };
    /// assert_eq!(options.accounts_max, 100);
    /// # Ok::<(), billing_core::id::InvalidId>(())
    /// ```
    #[must_use]
    pub fn new(holder: HolderId) -> Self {
        Self {
            holder,
            lease_ms: lease_ms(),
            accounts_max: accounts_max(),
            messages_max: messages_max(),
            failures_max: failures_max(),
            start: Start::default(),
            retry: RetryPolicy::default(),
        }
    }
}

/// Where a sink begins that nothing was relayed to before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// At the beginning of every journal.
    #[default]
    Beginning,
    /// Behind whatever has happened by the first run.
    Now,
}

const fn lease_ms() -> u64 {
    60_000
}

const fn accounts_max() -> u32 {
    100
}

const fn messages_max() -> u32 {
    500
}

const fn failures_max() -> u32 {
    3
}
