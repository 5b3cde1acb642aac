//! Fingerprints: SHA-256 over fields that cannot run into each other.

use alloc::string::String;
use core::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};

/// A SHA-256 value, written as 64 lower-case hexadecimal digits.
///
/// # Examples
///
/// ```
/// use billing_core::digest::Digest;
///
/// let digest = Digest::of().text("a").text("b").finish();
/// assert_ne!(digest, Digest::of().text("ab").text("").finish());
/// assert_eq!(digest.to_string().parse(), Ok(digest));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The start of every chain: 32 zero bytes.
    pub const ZERO: Self = Self([0; 32]);

    /// Begins a digest over fields.
    #[must_use]
    pub fn of() -> DigestBuilder {
        DigestBuilder(Sha256::new())
    }

    /// The value of 32 bytes as stored.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Collects fields; each is preceded by its length, so that `ab` + `c` differs from `a` + `bc`.
#[derive(Clone, Debug)]
pub struct DigestBuilder(Sha256);

impl DigestBuilder {
    /// Adds a text.
    #[must_use]
    pub fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    /// Adds bytes.
    #[must_use]
    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        self.add_bytes(bytes);
        self
    }

    /// Adds a whole number.
    #[must_use]
    pub fn number(mut self, number: impl Into<i128>) -> Self {
        self.add_number(number);
        self
    }

    /// Adds a text that may be missing; missing differs from empty.
    #[must_use]
    pub fn maybe(self, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.number(1_u8).text(text),
            None => self.number(0_u8),
        }
    }

    /// The digest of all fields so far.
    #[must_use]
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }

    /// Adds a text where the builder stays with whoever began it.
    pub(crate) fn add_text(&mut self, text: &str) {
        self.add_bytes(text.as_bytes());
    }

    /// Adds a whole number where the builder stays with whoever began it.
    pub(crate) fn add_number(&mut self, number: impl Into<i128>) {
        self.0.update(number.into().to_be_bytes());
    }

    fn add_bytes(&mut self, bytes: &[u8]) {
        // A usize always fits 64 bits on the targets Rust knows; the fallback keeps this total.
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.0.update(length.to_be_bytes());
        self.0.update(bytes);
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// The text is not a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a digest is 64 hexadecimal digits in lower case, not {length} bytes of something else")]
pub struct InvalidDigest {
    /// How many bytes were given.
    pub length: usize,
}

impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        let invalid = InvalidDigest { length: text.len() };
        let mut bytes = [0; 32];
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if pairs.len() != bytes.len() || !rest.is_empty() {
            return Err(invalid);
        }
        for (byte, &[high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = nibble(high).zip(nibble(low)).map(|(h, l)| (h << 4_u32) | l).ok_or(invalid)?;
        }
        Ok(Self(bytes))
    }
}

const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => digit.checked_sub(b'0'),
        b'a'..=b'f' => digit.checked_sub(b'a' - 10),
        _ => None,
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
