//! Who called or was called, as the switch wrote it.

use core::{fmt, str::FromStr};

use compact_str::CompactString;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{id::deserialize_private, number::PhoneNumber};

/// One end of a call as its source wrote it: a telephone number, a short code, an extension, or nothing.
///
/// At most 255 bytes without control characters. Personal data: `Debug` shows the length alone.
///
/// # Examples
///
/// ```
/// use billing_core::item::Party;
///
/// let callee: Party = "+12025550123".parse()?;
/// assert_eq!(callee.as_str(), "+12025550123");
/// assert!(callee.number().is_some());
/// assert_eq!(format!("{callee:?}"), "Party(12 bytes)");
/// # Ok::<(), billing_core::item::InvalidParty>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Party(CompactString);

impl Party {
    /// Nobody known: the empty text.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::item::Party;
    ///
    /// assert_eq!(Party::unknown().as_str(), "");
    /// ```
    #[must_use]
    pub const fn unknown() -> Self {
        Self(CompactString::const_new(""))
    }

    /// The text as the source wrote it.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::item::Party;
    ///
    /// assert_eq!("extension 12".parse::<Party>()?.as_str(), "extension 12");
    /// # Ok::<(), billing_core::item::InvalidParty>(())
    /// ```
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text as a telephone number, if it is one: 1 to 15 digits, with or without `+`.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::item::Party;
    ///
    /// assert_eq!("+12025550123".parse::<Party>()?.number(), Some("12025550123".parse()?));
    /// assert_eq!("extension 12".parse::<Party>()?.number(), None);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn number(&self) -> Option<PhoneNumber> {
        PhoneNumber::try_new(&self.0).ok()
    }
}

/// The text cannot name an end of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidParty {
    /// Longer than 255 bytes.
    #[error("a party of {0} bytes is too long: at most 255 are accepted")]
    TooLong(usize),
    /// A control character.
    #[error("a party has a control character at byte {0}: none are accepted")]
    ControlCharacter(usize),
}

impl FromStr for Party {
    type Err = InvalidParty;

    fn from_str(text: &str) -> Result<Self, InvalidParty> {
        if text.len() > 255 {
            return Err(InvalidParty::TooLong(text.len()));
        }
        match text.char_indices().find(|(_, char)| char.is_control()) {
            Some((at, _)) => Err(InvalidParty::ControlCharacter(at)),
            None => Ok(Self(CompactString::new(text))),
        }
    }
}

impl fmt::Debug for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Party({} bytes)", self.0.len())
    }
}

impl Serialize for Party {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Party {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize_private(deserializer, "a party as text of at most 255 bytes")
    }
}
