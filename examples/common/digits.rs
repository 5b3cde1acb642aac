//! Numbers in JSON as their digits stand, because a float makes 0.6000000000000001 of three times 0.2.

use std::fmt::Display;

use serde::{Serialize, Serializer, ser::Error as _};
use serde_json::value::RawValue;

/// Writes what displays as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digits<T>(pub T);

impl<T: Display> Serialize for Digits<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let digits = RawValue::from_string(self.0.to_string()).map_err(S::Error::custom)?;
        digits.serialize(serializer)
    }
}
