//! The variables of a document.

use core::fmt;
use std::borrow::Cow;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::freeswitch::{
    Reason, Variables,
    percent::decoded,
    values::{Role, Value, Values},
};

/// The document, if the line is percent-encoded as a whole; otherwise the line.
pub(super) fn whole(line: &[u8]) -> Cow<'_, [u8]> {
    let line = line.trim_ascii();
    let is_encoded = line.starts_with(b"%7B") || line.starts_with(b"%7b");
    let document = if is_encoded { decoded(line) } else { None };
    document.map_or(Cow::Borrowed(line), Cow::Owned)
}

/// The values of the variables that are read.
pub(super) fn values<'line>(
    document: &'line [u8],
    variables: &'line Variables,
) -> Result<Values<'line>, Reason> {
    let mut reader = serde_json::Deserializer::from_slice(document);
    let mut found = Found { own: Values::new(variables), profile: Values::new(variables) };
    let read = reader.deserialize_map(DocumentVisitor(&mut found)).and_then(|()| reader.end());
    if let Err(error) = read {
        return Err(Reason::Syntax { at: error.column().saturating_sub(1) });
    }
    let Found { mut own, profile } = found;
    own.check()?;
    profile.check()?;
    let stamps = [Role::StartStamp, Role::AnswerStamp, Role::EndStamp];
    if stamps.into_iter().any(|stamp| own.text(stamp).is_ok_and(|text| text.contains('%'))) {
        own.change(|text| String::from_utf8(decoded(text.as_bytes())?).ok());
    }
    own.complete_with(&profile);
    Ok(own)
}

struct Found<'line> {
    /// Of the channel.
    own: Values<'line>,
    /// Of its last caller profile.
    profile: Values<'line>,
}

struct DocumentVisitor<'found, 'line>(&'found mut Found<'line>);

impl<'line> Visitor<'line> for DocumentVisitor<'_, 'line> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a call detail record as an object")
    }

    fn visit_map<A: MapAccess<'line>>(self, mut map: A) -> Result<(), A::Error> {
        let mut is_profile_known = false;
        while let Some(Name(name)) = map.next_key()? {
            match &*name {
                "variables" => map.next_value_seed(Object(&mut self.0.own))?,
                // Old releases write the name once for every profile, the last one first.
                "callflow" if !is_profile_known => {
                    is_profile_known = true;
                    map.next_value_seed(Flow(&mut self.0.profile))?;
                }
                _ => ignore(&mut map)?,
            }
        }
        Ok(())
    }
}

/// One flow of a call, or a list of them, of which the first is read.
struct Flow<'found, 'line>(&'found mut Values<'line>);

impl<'line> DeserializeSeed<'line> for Flow<'_, 'line> {
    type Value = ();

    fn deserialize<D: Deserializer<'line>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'line> Visitor<'line> for Flow<'_, 'line> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a flow of a call, or a list of them")
    }

    fn visit_seq<A: SeqAccess<'line>>(self, mut seq: A) -> Result<(), A::Error> {
        let _first: Option<()> = seq.next_element_seed(self)?;
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'line>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Name(name)) = map.next_key()? {
            match &*name {
                "caller_profile" => map.next_value_seed(Object(self.0))?,
                _ => ignore(&mut map)?,
            }
        }
        Ok(())
    }
}

/// An object of values by the names of variables.
struct Object<'found, 'line>(&'found mut Values<'line>);

impl<'line> DeserializeSeed<'line> for Object<'_, 'line> {
    type Value = ();

    fn deserialize<D: Deserializer<'line>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'line> Visitor<'line> for Object<'_, 'line> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object of variables")
    }

    fn visit_map<A: MapAccess<'line>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Name(name)) = map.next_key()? {
            if self.0.is_read(&name) {
                let Given(value) = map.next_value()?;
                if let Some(value) = value {
                    self.0.insert(&name, &value);
                }
            } else {
                ignore(&mut map)?;
            }
        }
        Ok(())
    }
}

fn ignore<'line, A: MapAccess<'line>>(map: &mut A) -> Result<(), A::Error> {
    map.next_value::<IgnoredAny>().map(|_ignored| ())
}

/// A name, borrowed where nothing in it is escaped.
#[derive(Deserialize)]
struct Name<'line>(#[serde(borrow)] Cow<'line, str>);

/// A value of a variable; none where it is null.
struct Given<'line>(Option<Value<'line>>);

impl<'line> Deserialize<'line> for Given<'line> {
    fn deserialize<D: Deserializer<'line>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(GivenVisitor).map(Self)
    }
}

struct GivenVisitor;

impl<'line> Visitor<'line> for GivenVisitor {
    type Value = Option<Value<'line>>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_borrowed_str<E: Error>(self, v: &'line str) -> Result<Self::Value, E> {
        Ok(Some(Value::Text(v.into())))
    }

    fn visit_str<E: Error>(self, v: &str) -> Result<Self::Value, E> {
        Ok(Some(Value::Text(v.to_owned().into())))
    }

    fn visit_u64<E: Error>(self, v: u64) -> Result<Self::Value, E> {
        Ok(Some(Value::Text(v.to_string().into())))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Some(Value::Unfit))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Some(Value::Unfit))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Some(Value::Unfit))
    }

    fn visit_seq<A: SeqAccess<'line>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Some(Value::Unfit))
    }

    fn visit_map<A: MapAccess<'line>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Some(Value::Unfit))
    }
}
