//! Which column of a file: by its name, or by its place.

use core::{fmt, num::NonZeroU16};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, MapAccess, Unexpected, Visitor, value::MapAccessDeserializer},
};

/// Which column of a file: by the name its header has for it, or by its place.
///
/// Names are compared without regard to case and to spaces around them. In JSON a name is text and a place a number.
///
/// # Examples
///
/// ```
/// use billing_formats::csv::Column;
///
/// let columns: [Column; 2] = serde_json::from_str(r#"["Call Duration", 4]"#)?;
/// assert_eq!(columns[0], Column::Name("Call Duration".into()));
/// assert_eq!(columns[1].to_string(), "4");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Column {
    /// The name in the header.
    Name(String),
    /// The place, counted from 1.
    Position(NonZeroU16),
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "`{name}`"),
            Self::Position(position) => write!(f, "{position}"),
        }
    }
}

/// The column at a place, counted from 1.
impl TryFrom<u16> for Column {
    type Error = core::num::TryFromIntError;

    fn try_from(position: u16) -> Result<Self, Self::Error> {
        NonZeroU16::try_from(position).map(Self::Position)
    }
}

/// The column of a name.
impl From<&str> for Column {
    fn from(name: &str) -> Self {
        Self::Name(name.to_owned())
    }
}

impl Serialize for Column {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Name(name) => serializer.serialize_str(name),
            Self::Position(position) => serializer.serialize_u16(position.get()),
        }
    }
}

impl<'de> Deserialize<'de> for Column {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ColumnVisitor)
    }
}

struct ColumnVisitor;

impl Visitor<'_> for ColumnVisitor {
    type Value = Column;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a column: its name as text, or its place as a number from 1 to 65535")
    }

    fn visit_str<E: Error>(self, v: &str) -> Result<Column, E> {
        if v.trim().is_empty() {
            return Err(E::invalid_value(Unexpected::Str(v), &self));
        }
        Ok(Column::Name(v.to_owned()))
    }

    fn visit_u64<E: Error>(self, v: u64) -> Result<Column, E> {
        let position = u16::try_from(v).ok().and_then(NonZeroU16::new);
        position
            .map(Column::Position)
            .ok_or_else(|| E::invalid_value(Unexpected::Unsigned(v), &self))
    }
}

/// A column, or an object that says something else; how most of a mapping is written.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum ColumnOr<T> {
    Column(Column),
    Other(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for ColumnOr<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ColumnOrVisitor(core::marker::PhantomData))
    }
}

struct ColumnOrVisitor<T>(core::marker::PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ColumnOrVisitor<T> {
    type Value = ColumnOr<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(
            "a column: its name as text, or its place as a number from 1 to 65535; or an object that stands for none",
        )
    }

    fn visit_str<E: Error>(self, v: &str) -> Result<ColumnOr<T>, E> {
        ColumnVisitor.visit_str(v).map(ColumnOr::Column)
    }

    fn visit_u64<E: Error>(self, v: u64) -> Result<ColumnOr<T>, E> {
        ColumnVisitor.visit_u64(v).map(ColumnOr::Column)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ColumnOr<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(ColumnOr::Other)
    }
}
