//! A report of generic usage.

use core::{convert::Infallible, fmt, str::FromStr};

use alloc::collections::BTreeMap;

use compact_str::CompactString;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{
    id::{ProductId, Unit, deserialize_private},
    money::Quantity,
    time::Instant,
};

/// One report of usage as its source made it.
///
/// # Examples
///
/// ```
/// use billing_core::item::Pulse;
///
/// let pulse: Pulse = serde_json::from_str(
///     r#"{"at":"2026-10-05T08:00:00Z","product":"storage","unit":"GB-h","amount":"0.25"}"#,
/// )?;
/// assert_eq!(pulse.amount.to_string(), "0.25");
/// let number = r#"{"at":"2026-10-05T08:00:00Z","product":"storage","unit":"GB-h","amount":0.25}"#;
/// assert!(serde_json::from_str::<Pulse>(number).is_err(), "an amount is text");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pulse {
    /// When it was used; decides the billing day.
    pub at: Instant,
    /// Of what.
    pub product: ProductId,
    /// What the amount counts.
    pub unit: Unit,
    /// How much.
    pub amount: Quantity,
    /// What else the source said; kept, and not charged for.
    #[serde(default, skip_serializing_if = "Properties::is_empty")]
    pub properties: Properties,
}

/// What a source says about its usage beside the amount: up to 50 names of 1 to 64 bytes, with values of up to 255 bytes.
///
/// Neither has control characters. May be personal data: `Debug` shows how many there are.
///
/// # Examples
///
/// ```
/// use billing_core::item::Properties;
///
/// let properties = Properties::try_new([("region", "eu-1"), ("host", "a7")])?;
/// assert_eq!(properties.get("region"), Some("eu-1"));
/// assert_eq!(format!("{properties:?}"), "Properties(2)");
/// # Ok::<(), billing_core::item::InvalidProperties>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<Text, Text>", into = "BTreeMap<CompactString, CompactString>")]
pub struct Properties(BTreeMap<CompactString, CompactString>);

/// Properties that are not accepted; names the place and never the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidProperties {
    /// Too many.
    #[error("{count} properties are too many: at most {} are accepted", Properties::COUNT_MAX)]
    Count {
        /// How many there are.
        count: usize,
    },
    /// A name that is empty, too long or has a control character.
    #[error(
        "the name of property {place} has {bytes} bytes or a control character: accepted are 1 to {} bytes without",
        Properties::NAME_BYTES_MAX
    )]
    Name {
        /// Its place in the order of names, from 1.
        place: usize,
        /// How long it is.
        bytes: usize,
    },
    /// A value that is too long or has a control character.
    #[error(
        "the value of property {place} has {bytes} bytes or a control character: accepted are up to {} bytes without",
        Properties::VALUE_BYTES_MAX
    )]
    Value {
        /// Its place in the order of names, from 1.
        place: usize,
        /// How long it is.
        bytes: usize,
    },
}

impl Properties {
    /// How many there may be.
    pub const COUNT_MAX: usize = 50;
    /// The longest name, in bytes.
    pub const NAME_BYTES_MAX: usize = 64;
    /// The longest value, in bytes.
    pub const VALUE_BYTES_MAX: usize = 255;

    /// Takes names and values; of a name that comes twice the last value is kept.
    ///
    /// # Errors
    ///
    /// [`InvalidProperties`] beyond the bounds.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::item::{InvalidProperties, Properties};
    ///
    /// let problem = Properties::try_new([("", "eu-1")]).unwrap_err();
    /// assert_eq!(problem, InvalidProperties::Name { place: 1, bytes: 0 });
    /// ```
    pub fn try_new<N: AsRef<str>, V: AsRef<str>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, InvalidProperties> {
        let pair = |(name, value): (N, V)| {
            (CompactString::from(name.as_ref()), CompactString::from(value.as_ref()))
        };
        Self::try_from(pairs.into_iter().map(pair).collect::<BTreeMap<_, _>>())
    }

    /// The value of a name.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::item::Properties;
    ///
    /// assert_eq!(Properties::default().get("region"), None);
    /// ```
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(CompactString::as_str)
    }

    /// Names and values in the order of names.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::item::Properties;
    ///
    /// let properties = Properties::try_new([("b", "2"), ("a", "1")])?;
    /// assert_eq!(properties.iter().next(), Some(("a", "1")));
    /// # Ok::<(), billing_core::item::InvalidProperties>(())
    /// ```
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether there are none.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::item::Properties;
    ///
    /// assert!(Properties::default().is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A text that is never repeated in an error.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Text(CompactString);

impl FromStr for Text {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(CompactString::from(text)))
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize_private(deserializer, "a property as text")
    }
}

impl TryFrom<BTreeMap<Text, Text>> for Properties {
    type Error = InvalidProperties;

    fn try_from(pairs: BTreeMap<Text, Text>) -> Result<Self, InvalidProperties> {
        Self::try_from(
            pairs.into_iter().map(|(name, value)| (name.0, value.0)).collect::<BTreeMap<_, _>>(),
        )
    }
}

impl TryFrom<BTreeMap<CompactString, CompactString>> for Properties {
    type Error = InvalidProperties;

    fn try_from(pairs: BTreeMap<CompactString, CompactString>) -> Result<Self, InvalidProperties> {
        if pairs.len() > Self::COUNT_MAX {
            return Err(InvalidProperties::Count { count: pairs.len() });
        }
        let plain = |text: &str| !text.chars().any(char::is_control);
        for (place, (name, value)) in (1..).zip(&pairs) {
            let bytes = name.len();
            if !(1..=Self::NAME_BYTES_MAX).contains(&bytes) || !plain(name) {
                return Err(InvalidProperties::Name { place, bytes });
            }
            let bytes = value.len();
            if bytes > Self::VALUE_BYTES_MAX || !plain(value) {
                return Err(InvalidProperties::Value { place, bytes });
            }
        }
        Ok(Self(pairs))
    }
}

impl From<Properties> for BTreeMap<CompactString, CompactString> {
    fn from(properties: Properties) -> Self {
        properties.0
    }
}

impl fmt::Debug for Properties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Properties({})", self.0.len())
    }
}
