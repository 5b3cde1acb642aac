//! How accounts are spread, so that consumers seldom wait for one another.

use core::num::NonZeroU16;

use billing_core::{digest::Digest, id::AccountId};

/// Into how many partitions the accounts of a tenant are spread: 1 to 1 024.
///
/// Which partition an account is in depends on its id and on the number of partitions alone, in every process and version.
///
/// # Examples
///
/// ```
/// use billing_store::bus::Partitions;
///
/// let partitions = Partitions::try_new(4).expect("a number from 1 to 1 024");
/// let alice = "alice".parse()?;
/// assert!(partitions.of(Some(&alice)) < 4);
/// assert_eq!(partitions.of(Some(&alice)), partitions.of(Some(&alice)));
/// assert_eq!(partitions.all().collect::<Vec<_>>(), [0, 1, 2, 3]);
/// assert_eq!(Partitions::try_new(0), None);
/// # Ok::<(), billing_core::id::InvalidId>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partitions(NonZeroU16);

impl Partitions {
    /// All accounts in one.
    pub const ONE: Self = Self(NonZeroU16::MIN);
    /// As many as there may be.
    pub const MAX: u16 = 1_024;

    /// So many partitions; `None` for none, and above [`MAX`](Self::MAX).
    ///
    /// # Examples
    ///
    /// See [`Partitions`].
    #[must_use]
    pub fn try_new(count: u16) -> Option<Self> {
        NonZeroU16::new(count).filter(|count| count.get() <= Self::MAX).map(Self)
    }

    /// How many they are.
    ///
    /// # Examples
    ///
    /// See [`Partitions`].
    #[must_use]
    pub const fn count(self) -> u16 {
        self.0.get()
    }

    /// Their numbers.
    ///
    /// # Examples
    ///
    /// See [`Partitions`].
    pub fn all(self) -> impl Iterator<Item = u16> {
        0..self.0.get()
    }

    /// The partition of an account; usage of nobody is all in one.
    ///
    /// It is the first two bytes, as one big-endian number, of the SHA-256 over the id's length in eight big-endian bytes and the id,
    /// modulo the number of partitions. A source that cannot compute it may choose any: partitions keep consumers apart, and no count
    /// depends on them.
    ///
    /// # Examples
    ///
    /// See [`Partitions`].
    #[must_use]
    pub fn of(self, account: Option<&AccountId>) -> u16 {
        let digest = Digest::of().text(account.map_or("", AccountId::as_str)).finish();
        let [one, two, ..] = *digest.as_bytes();
        // A remainder of 65 536 values by at most 1 024 is even enough: the fullest has 1.6 % more than the emptiest at most.
        u16::from_be_bytes([one, two]).checked_rem(self.0.get()).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The expected numbers were computed by a program of its own, from the rule as it is written above.
    #[test]
    fn an_account_stays_in_its_partition_for_ever() {
        let cases = [(None, 1, 853), (Some("alice"), 1, 681), (Some("bob"), 1, 869)];
        for (account, of_four, of_all) in cases {
            let id = account.map(|account| account.parse().unwrap());
            let of = |count| Partitions::try_new(count).unwrap().of(id.as_ref());
            assert_eq!((of(4), of(1_024)), (of_four, of_all), "{account:?}");
        }
    }

    #[test]
    fn accounts_are_spread_evenly() {
        let eight = Partitions::try_new(8).unwrap();
        let mut counts = [0_u32; 8];
        for number in 0..8_000_u32 {
            let account = format!("account-{number}").parse().unwrap();
            let count = &mut counts[usize::from(eight.of(Some(&account)))];
            *count = count.saturating_add(1);
        }
        assert!(counts.iter().all(|count| (800..1_200).contains(count)), "{counts:?}");
    }
}
