//! Text whose place must not be taken by a number, which a reader would quote in its error.

use core::fmt;

use serde::{
    Deserializer,
    de::{Error, Visitor},
};

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    // Asked for text, a JSON reader that meets a number quotes it; asked for anything, it leaves the refusal to the visitor.
    if deserializer.is_human_readable() {
        deserializer.deserialize_any(PrivateText)
    } else {
        deserializer.deserialize_string(PrivateText)
    }
}

struct PrivateText;

impl PrivateText {
    fn refuse_number<E: Error>() -> Result<String, E> {
        Err(E::custom("a number was found; expected text"))
    }
}

impl Visitor<'_> for PrivateText {
    type Value = String;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("text")
    }

    fn visit_str<E: Error>(self, v: &str) -> Result<String, E> {
        Ok(v.to_owned())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<String, E> {
        Self::refuse_number()
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<String, E> {
        Self::refuse_number()
    }

    fn visit_i128<E: Error>(self, _: i128) -> Result<String, E> {
        Self::refuse_number()
    }

    fn visit_u128<E: Error>(self, _: u128) -> Result<String, E> {
        Self::refuse_number()
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<String, E> {
        Self::refuse_number()
    }
}
