//! Numbers in JSON as their digits stand, because a float makes 9007199254740992 of 9007199254740993.

use std::{collections::BTreeMap, fmt::Display};

use serde::{Serialize as _, Serializer, ser::Error as _};
use serde_json::value::RawValue;

/// The fields of an object, each value as it was written.
pub type Fields<'a> = BTreeMap<String, &'a RawValue>;

/// Writes what displays as a number.
pub fn digits<S: Serializer>(number: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    RawValue::from_string(number.to_string()).map_err(S::Error::custom)?.serialize(serializer)
}
