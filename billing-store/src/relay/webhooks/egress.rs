//! Where webhooks may go: an endpoint's address is looked at after its name was resolved.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

/// Where webhooks may go.
///
/// # Examples
///
/// ```
/// use billing_store::relay::webhooks::Reach;
///
/// assert!(Reach::Public.allows("93.184.215.14".parse()?));
/// // The address that clouds tell a machine its secrets at.
/// assert!(!Reach::Public.allows("169.254.169.254".parse()?));
/// assert!(!Reach::Public.allows("::ffff:10.0.0.1".parse()?));
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// Over HTTPS to public addresses: what tenants may be let to name themselves.
    #[default]
    Public,
    /// Over HTTP too, to this machine alone.
    Loopback,
    /// Over HTTP too, and to any address: for endpoints that the operator names in its own network.
    Anywhere,
}

impl Reach {
    /// Whether an address may be connected to.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_store::relay::webhooks::Reach;
    ///
    /// assert!(Reach::Loopback.allows("127.0.0.1".parse()?));
    /// assert!(Reach::Anywhere.allows("10.0.0.1".parse()?));
    /// # Ok::<(), std::net::AddrParseError>(())
    /// ```
    #[must_use]
    pub const fn allows(self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        match self {
            Self::Public => is_public(address),
            Self::Loopback => address.is_loopback(),
            Self::Anywhere => true,
        }
    }
}

const fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// Not in one of the blocks that IANA's registry of special addresses keeps for other ends.
const fn is_public_v4(address: Ipv4Addr) -> bool {
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast();
    let block = match address.octets() {
        // This network; reserved and broadcast; protocol assignments; relays between IPv6 and IPv4; benchmarks.
        [0 | 240..=255, ..] | [192, 0, 0, _] | [192, 88, 99, _] | [198, 18 | 19, ..] => true,
        // Between a provider and its customers.
        [100, second, ..] => second & 0xc0 == 64,
        _ => false,
    };
    !special && !block
}

/// In the block of unicast addresses, and not in one of those within it that reach elsewhere.
const fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        // Protocol assignments, among them tunnels that carry IPv4; documentation; 6to4; documentation.
        [0x2001, 0..=0x01ff | 0x0db8, ..] | [0x2002, ..] | [0x3fff, 0..=0x0fff, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}
