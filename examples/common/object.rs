//! A JSON object in the body of a request.

use std::collections::BTreeMap;

use axum::{
    body::Bytes,
    http::{HeaderMap, header::CONTENT_TYPE},
};
use serde_json::value::RawValue;

/// The fields of an object, each value as it was written.
pub type Fields<'a> = BTreeMap<String, &'a RawValue>;

/// Why a body has no fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoFields {
    /// Its content type is not that of JSON.
    NotJson,
    /// It is not an object.
    NoObject,
}

/// Reads a JSON object; no body at all is an object without fields.
pub fn fields_of<'a>(headers: &HeaderMap, body: &'a Bytes) -> Result<Fields<'a>, NoFields> {
    if body.is_empty() {
        return Ok(Fields::new());
    }
    let media_type = headers.get(CONTENT_TYPE).and_then(|media_type| media_type.to_str().ok());
    let media_type = media_type.and_then(|media_type| media_type.split(';').next());
    if !media_type.is_some_and(|name| name.trim().eq_ignore_ascii_case("application/json")) {
        return Err(NoFields::NotJson);
    }
    serde_json::from_slice(body).map_err(|_no_object| NoFields::NoObject)
}
