//! Names that the caller gives to things, as validated text.

use core::{borrow::Borrow, fmt, marker::PhantomData, str::FromStr};

use compact_str::CompactString;
use serde::{Deserializer, de::Visitor};

const BYTES_MAX: usize = 255;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        ///
        /// Holds 1 to 255 bytes without control characters, compared as bytes.
        ///
        /// # Examples
        ///
        /// ```
        #[doc = concat!("use billing_core::id::", stringify!($name), ";")]
        ///
        #[doc = concat!("let id = ", stringify!($name), "::try_new(\"a-1\")?;")]
        /// assert_eq!(id.as_str(), "a-1");
        #[doc = concat!("assert!(", stringify!($name), "::try_new(\"\").is_err());")]
        /// # Ok::<(), billing_core::id::InvalidId>(())
        /// ```
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(CompactString);

        impl $name {
            /// Takes the id from its text.
            ///
            /// Accepts 1 to 255 bytes without control characters.
            ///
            /// # Errors
            ///
            /// [`InvalidId`], which names the problem and never the text.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use billing_core::id::", stringify!($name), ";")]
            ///
            #[doc = concat!("assert!(", stringify!($name), "::try_new(\"a-1\").is_ok());")]
            #[doc = concat!("assert!(", stringify!($name), "::try_new(\"a\\n1\").is_err());")]
            /// ```
            pub fn try_new(text: impl AsRef<str>) -> Result<Self, InvalidId> {
                let text = text.as_ref();
                match problem_of(text) {
                    None => Ok(Self(CompactString::from(text))),
                    Some(problem) => Err(InvalidId { kind: $kind, problem }),
                }
            }

            /// The text of the id.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use billing_core::id::", stringify!($name), ";")]
            ///
            #[doc = concat!("assert_eq!(", stringify!($name), "::try_new(\"a-1\")?.as_str(), \"a-1\");")]
            /// # Ok::<(), billing_core::id::InvalidId>(())
            /// ```
            #[must_use]
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                // Honours a width, for those who print tables.
                f.pad(self.as_str())
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                self.as_str()
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(s: &str) -> Result<Self, Self::Err> {
                Self::try_new(s)
            }
        }

        text_serde!($name, concat!($kind, " as text of 1 to 255 bytes"), deserialize_private);
    };
}

/// Writes a value as the text it displays as, and reads it through `FromStr`.
macro_rules! text_serde {
    ($name:ty, $expected:expr, $deserialize:ident) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::id::$deserialize(deserializer, $expected)
            }
        }
    };
}
pub(crate) use text_serde;

text_id! {
    /// The operator that bills; every key starts with it.
    TenantId, "tenant id"
}
text_id! {
    /// One payer's contract with a tenant.
    AccountId, "account id"
}
text_id! {
    /// Somebody who may hold several accounts, as the host names them.
    CustomerId, "customer id"
}
text_id! {
    /// Where items come from: a switch, a file feed, a meter.
    SourceId, "source id"
}
text_id! {
    /// One item, as its source named it.
    ItemId, "item id"
}
text_id! {
    /// One leg of a call, as the switch named it.
    LegId, "leg id"
}
text_id! {
    /// What is metered and sold by the unit, such as a SKU.
    ProductId, "product id"
}
text_id! {
    /// One tariff, all versions of it.
    TariffId, "tariff id"
}
text_id! {
    /// One plan, all versions of it.
    PlanId, "plan id"
}
text_id! {
    /// One strategy of a plan, kept across the plan's versions.
    StrategyId, "strategy id"
}
text_id! {
    /// What totals are kept apart by within a strategy.
    Group, "group"
}
text_id! {
    /// One series of document numbers.
    SeriesId, "series id"
}
text_id! {
    /// One batch or file that was taken in.
    IntakeId, "intake id"
}
text_id! {
    /// One correction of what was recorded, known for ever.
    CorrectionId, "correction id"
}
text_id! {
    /// What a quantity counts, such as `ms`, `min` or `block`.
    Unit, "unit"
}
text_id! {
    /// Where events are delivered to: a bus, an endpoint, a listener.
    SinkId, "sink id"
}
text_id! {
    /// One stretch of a store's life, from its making or a restored backup on.
    EpochId, "epoch id"
}
text_id! {
    /// Who holds a lease, such as the name of a process.
    HolderId, "holder id"
}

/// A text was refused as an id; says why, and never repeats the text.
///
/// # Examples
///
/// ```
/// use billing_core::id::AccountId;
///
/// let error = AccountId::try_new("a\tb").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "account id has a control character at byte 1; accepted are 1 to 255 bytes without control characters"
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} {problem}; accepted are 1 to 255 bytes without control characters")]
pub struct InvalidId {
    /// Which id it was to be, such as `account id`.
    pub kind: &'static str,
    /// What is wrong with the text.
    pub problem: IdProblem,
}

/// What is wrong with the text of an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdProblem {
    /// Its length in bytes is outside 1..=255.
    Length(usize),
    /// A control character begins at this byte, counted from 0.
    Control(usize),
}

impl fmt::Display for IdProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(bytes) => write!(f, "is {bytes} bytes long"),
            Self::Control(position) => {
                write!(f, "has a control character at byte {position}")
            }
        }
    }
}

fn problem_of(text: &str) -> Option<IdProblem> {
    if text.is_empty() || text.len() > BYTES_MAX {
        return Some(IdProblem::Length(text.len()));
    }
    let control = text.char_indices().find(|(_, character)| character.is_control());
    control.map(|(position, _)| IdProblem::Control(position))
}

/// Reads text, and nothing else.
pub(crate) fn deserialize_text<'de, D, T>(
    deserializer: D,
    expected: &'static str,
) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: fmt::Display>,
{
    deserializer.deserialize_str(TextVisitor { expected, value: PhantomData })
}

/// Reads text, and nothing else; no error repeats what stood there instead.
pub(crate) fn deserialize_private<'de, D, T>(
    deserializer: D,
    expected: &'static str,
) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: fmt::Display>,
{
    let visitor = TextVisitor { expected, value: PhantomData };
    // Asked for text, a JSON reader that meets a number quotes it in its own error;
    // asked for anything, it leaves the refusal to the visitor.
    if deserializer.is_human_readable() {
        deserializer.deserialize_any(visitor)
    } else {
        deserializer.deserialize_str(visitor)
    }
}

struct TextVisitor<T> {
    expected: &'static str,
    value: PhantomData<T>,
}

impl<T> TextVisitor<T> {
    fn refuse_number<E: serde::de::Error>(&self) -> Result<T, E> {
        Err(E::custom(format_args!("a number was found; expected {}", self.expected)))
    }
}

impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for TextVisitor<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.expected)
    }

    fn visit_str<E: serde::de::Error>(self, v: &str) -> Result<T, E> {
        v.parse().map_err(E::custom)
    }

    fn visit_i64<E: serde::de::Error>(self, _v: i64) -> Result<T, E> {
        self.refuse_number()
    }

    fn visit_u64<E: serde::de::Error>(self, _v: u64) -> Result<T, E> {
        self.refuse_number()
    }

    fn visit_i128<E: serde::de::Error>(self, _v: i128) -> Result<T, E> {
        self.refuse_number()
    }

    fn visit_u128<E: serde::de::Error>(self, _v: u128) -> Result<T, E> {
        self.refuse_number()
    }

    fn visit_f64<E: serde::de::Error>(self, _v: f64) -> Result<T, E> {
        self.refuse_number()
    }
}
