//! How subjects, streams and consumers are named.

use core::fmt::Write as _;

use billing_core::{
    digest::Digest,
    id::{AccountId, TenantId},
};

use crate::bus::Partitions;

/// How subjects, streams and consumers are named: everything billing has in an account of NATS begins with one prefix.
///
/// Sources, consumers and the relay share it. The number of partitions stands in the subjects of the stream, so that a source with more
/// of them is told that no stream takes its message.
///
/// # Examples
///
/// ```
/// use billing_store::bus::{Partitions, nats::Layout};
///
/// let layout = Layout::try_new("billing", Partitions::try_new(4).expect("at most 1 024"))?;
/// let (tenant, alice) = ("acme.eu".parse()?, "alice".parse()?);
/// assert_eq!(layout.subject_of(&tenant, Some(&alice)), "billing.in.acme%2Eeu.1");
/// assert_eq!(layout.event_subject_of(&tenant, &alice), "billing.events.acme%2Eeu.1");
/// assert_eq!(layout.dead_subject_of(&tenant), "billing.dead.acme%2Eeu");
/// assert!(Layout::try_new("billing.eu", Partitions::ONE).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    prefix: String,
    partitions: Partitions,
}

/// A text that is no prefix.
///
/// # Examples
///
/// ```
/// use billing_store::bus::{Partitions, nats::{InvalidPrefix, Layout}};
///
/// assert_eq!(Layout::try_new("", Partitions::ONE), Err(InvalidPrefix { bytes: 0 }));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a prefix has 1 to 64 ASCII letters, digits, `-` or `_`; this one has {bytes} bytes")]
pub struct InvalidPrefix {
    /// How long it is.
    pub bytes: usize,
}

impl Layout {
    /// A layout under a prefix of 1 to 64 ASCII letters, digits, `-` or `_`.
    ///
    /// # Errors
    ///
    /// [`InvalidPrefix`].
    ///
    /// # Examples
    ///
    /// See [`Layout`].
    pub fn try_new(prefix: &str, partitions: Partitions) -> Result<Self, InvalidPrefix> {
        let bytes = prefix.len();
        if !(1..=64).contains(&bytes) || !prefix.bytes().all(is_plain) {
            return Err(InvalidPrefix { bytes });
        }
        Ok(Self { prefix: prefix.to_owned(), partitions })
    }

    /// Into how many partitions the accounts of each tenant are spread.
    ///
    /// # Examples
    ///
    /// See [`Layout`].
    #[must_use]
    pub const fn partitions(&self) -> Partitions {
        self.partitions
    }

    /// The subject that usage of an account is published on.
    ///
    /// # Examples
    ///
    /// See [`Layout`].
    #[must_use]
    pub fn subject_of(&self, tenant: &TenantId, account: Option<&AccountId>) -> String {
        self.inbound(tenant, self.partitions.of(account))
    }

    /// The subject of a tenant's dead letters.
    ///
    /// # Examples
    ///
    /// See [`Layout`].
    #[must_use]
    pub fn dead_subject_of(&self, tenant: &TenantId) -> String {
        format!("{}.dead.{}", self.prefix, token(tenant))
    }

    /// The subject that the events of an account are published on.
    ///
    /// # Examples
    ///
    /// See [`Layout`].
    #[must_use]
    pub fn event_subject_of(&self, tenant: &TenantId, account: &AccountId) -> String {
        let partition = self.partitions.of(Some(account));
        format!("{}.events.{}.{partition}", self.prefix, token(tenant))
    }

    /// The stream of what comes in.
    ///
    /// # Examples
    ///
    /// See [`Layout`].
    #[must_use]
    pub fn stream(&self) -> String {
        format!("{}_in", self.prefix)
    }

    /// The stream of dead letters.
    ///
    /// # Examples
    ///
    /// See [`Layout`].
    #[must_use]
    pub fn dead_stream(&self) -> String {
        format!("{}_dead", self.prefix)
    }

    /// The stream of events.
    ///
    /// # Examples
    ///
    /// See [`Layout`].
    #[must_use]
    pub fn event_stream(&self) -> String {
        format!("{}_events", self.prefix)
    }

    pub(super) fn inbound(&self, tenant: &TenantId, partition: u16) -> String {
        format!("{}.in.{}.{partition}", self.prefix, token(tenant))
    }

    /// The subjects of the three streams: of what comes in, of dead letters, of events.
    pub(super) fn subjects(&self) -> [Vec<String>; 3] {
        let each =
            self.partitions.all().map(|partition| format!("{}.in.*.{partition}", self.prefix));
        let all = |kind| vec![format!("{}.{kind}.>", self.prefix)];
        [each.collect(), all("dead"), all("events")]
    }

    /// The durable consumer of a tenant's partition; a stream has its own.
    pub(super) fn consumer(tenant: &TenantId, partition: u16) -> String {
        // A server takes names of up to 255 bytes.
        const TOKEN_BYTES_MAX: usize = 128;
        let token = token(tenant);
        if token.len() <= TOKEN_BYTES_MAX {
            return format!("{token}-{partition}");
        }
        // No token has `=`, so that no two tenants share a name.
        format!("={}-{partition}", Digest::of().text(tenant.as_str()).finish())
    }
}

const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// A tenant as one token of a subject.
fn token(tenant: &TenantId) -> String {
    let mut token = String::new();
    for byte in tenant.as_str().bytes() {
        if is_plain(byte) {
            token.push(char::from(byte));
        } else {
            // Writing to a text cannot fail.
            let _written: core::fmt::Result = write!(token, "%{byte:02X}");
        }
    }
    token
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn tenants_never_share_a_subject_or_a_consumer() {
        let layout = Layout::try_new("billing", Partitions::ONE).unwrap();
        let long = "é".repeat(127);
        let tenants =
            ["a", "a.b", "a b", "a*", ">", "a%2Eb", "$SYS", "A", &long, &format!("{long}x")];
        let tenants: Vec<TenantId> = tenants.iter().map(|tenant| tenant.parse().unwrap()).collect();
        let subjects = tenants.iter().map(|tenant| layout.subject_of(tenant, None));
        let subjects: BTreeSet<_> = subjects.collect();
        let consumers = tenants.iter().map(|tenant| Layout::consumer(tenant, 0));
        let consumers: BTreeSet<_> = consumers.collect();
        assert_eq!((subjects.len(), consumers.len()), (tenants.len(), tenants.len()));
        for subject in &subjects {
            assert_eq!(subject.split('.').count(), 4, "{subject}");
            assert!(!subject.contains([' ', '*', '>', '$']), "{subject}");
        }
        assert!(consumers.iter().all(|name| name.len() < 255 && !name.contains('.')));
    }
}
