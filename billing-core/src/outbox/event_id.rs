//! The name of an event, the same however often it is delivered.

use alloc::{string::String, vec::Vec};
use core::{
    fmt::{self, Write as _},
    str::FromStr,
};

use crate::id::{AccountId, EpochId, InvalidId, TenantId, text_serde};

/// What receivers know an event by: the store's epoch, the tenant, the account and the number in its journal.
///
/// Written as `epoch:tenant:account:number`, each name with every byte but ASCII letters, digits, `-`, `_` and `~` as `%` and two
/// upper-case hexadecimal digits. No two events have the same text, it fits into a header, and it has no full stop, which
/// standard webhooks join their signed parts with.
///
/// # Examples
///
/// ```
/// use billing_core::outbox::EventId;
///
/// let id = EventId {
///     epoch: "first".parse()?,
///     tenant: "acme".parse()?,
///     account: "alice:home".parse()?,
///     seq: 7,
/// };
/// assert_eq!(id.to_string(), "first:acme:alice%3Ahome:7");
/// assert_eq!("first:acme:alice%3Ahome:7".parse(), Ok(id));
/// assert!("first:acme:alice:home:7".parse::<EventId>().is_err());
/// # Ok::<(), billing_core::id::InvalidId>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId {
    /// In which epoch of the store it is delivered.
    pub epoch: EpochId,
    /// Whose account it is.
    pub tenant: TenantId,
    /// Whose journal it stands in.
    pub account: AccountId,
    /// Its place in that journal.
    pub seq: u64,
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for name in [self.epoch.as_str(), self.tenant.as_str(), self.account.as_str()] {
            write_name(f, name)?;
            f.write_str(":")?;
        }
        write!(f, "{}", self.seq)
    }
}

impl FromStr for EventId {
    type Err = InvalidEventId;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let mut parts = s.split(':');
        let (Some(epoch), Some(tenant), Some(account), Some(seq), None) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(InvalidEventId::Shape);
        };
        Ok(Self {
            epoch: EpochId::try_new(read_name(epoch)?)?,
            tenant: TenantId::try_new(read_name(tenant)?)?,
            account: AccountId::try_new(read_name(account)?)?,
            seq: read_seq(seq)?,
        })
    }
}

text_serde!(EventId, "an event id as epoch:tenant:account:number", deserialize_private);

/// A text is no event id; says why, and never repeats the text.
///
/// # Examples
///
/// ```
/// use billing_core::outbox::{EventId, InvalidEventId};
///
/// assert_eq!("7".parse::<EventId>(), Err(InvalidEventId::Shape));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidEventId {
    /// It does not have four parts.
    #[error("an event id has four parts with a colon between them: epoch:tenant:account:number")]
    Shape,
    /// A name is not written as it must be, so that two texts could be one event.
    #[error(
        "a name in an event id has ASCII letters, digits, `-`, `_` and `~` as they are, and any other byte as % and two upper-case digits"
    )]
    Encoding,
    /// The number is not one of a journal.
    #[error(
        "the number in an event id is 1 to 18446744073709551615, without a sign or leading zeros"
    )]
    Number,
    /// A name is no id.
    #[error("an event id has a part that is no name")]
    Name(#[from] InvalidId),
}

const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~')
}

fn write_name(f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    name.bytes().try_for_each(|byte| {
        if is_plain(byte) { f.write_char(char::from(byte)) } else { write!(f, "%{byte:02X}") }
    })
}

fn read_name(text: &str) -> Result<String, InvalidEventId> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => read_byte(rest.next(), rest.next()).ok_or(InvalidEventId::Encoding)?,
            plain if is_plain(plain) => plain,
            _ => return Err(InvalidEventId::Encoding),
        });
    }
    String::from_utf8(bytes).ok().ok_or(InvalidEventId::Encoding)
}

/// A byte that is written as two digits; `None` for one that is written as it is.
fn read_byte(high: Option<u8>, low: Option<u8>) -> Option<u8> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => byte.checked_sub(b'0'),
        b'A'..=b'F' => byte.checked_sub(b'A')?.checked_add(10),
        _ => None,
    };
    let byte = digit(high?)?.checked_mul(16)?.checked_add(digit(low?)?)?;
    (!is_plain(byte)).then_some(byte)
}

fn read_seq(text: &str) -> Result<u64, InvalidEventId> {
    let first = text.bytes().next();
    if !first.is_some_and(|byte| matches!(byte, b'1'..=b'9')) {
        return Err(InvalidEventId::Number);
    }
    text.parse().ok().ok_or(InvalidEventId::Number)
}
