//! What a request says: in its path, its query, and its form or JSON.

use std::{collections::BTreeMap, ops::RangeInclusive};

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    response::IntoResponse as _,
};
use serde_json::value::RawValue;

use billing::{Instant, Zone};

use super::{refusal::Refusal, times};

/// Which of a list is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    pub offset: usize,
    pub limit: usize,
}

/// The fields of a query and of a body, which wins. A body may come with any method; those who cannot send one have the query.
#[derive(Debug, Default)]
pub struct Fields(BTreeMap<String, Field>);

#[derive(Debug)]
struct Field {
    place: &'static str,
    text: String,
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let mut fields = Self::default();
        fields.add_form("query", request.uri().query().unwrap_or_default().as_bytes());
        let media_type = media_type(request.headers());
        let body =
            Bytes::from_request(request, state).await.map_err(|rejection| {
                match rejection.into_response().status() {
                    StatusCode::PAYLOAD_TOO_LARGE => Refusal::TooLong,
                    _ => Refusal::invalid("body", "", "it ended too soon"),
                }
            })?;
        match media_type.as_str() {
            _ if body.is_empty() => {}
            "" | "application/x-www-form-urlencoded" => fields.add_form("body", &body),
            "application/json" => fields.add_json(&body)?,
            _ => return Err(Refusal::WrongType),
        }
        Ok(fields)
    }
}

fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

impl Fields {
    fn add_form(&mut self, place: &'static str, form: &[u8]) {
        for (name, text) in form_urlencoded::parse(form).into_owned() {
            self.0.insert(name, Field { place, text });
        }
    }

    /// Numbers stay the digits that were sent; `null` is as good as nothing.
    fn add_json(&mut self, json: &[u8]) -> Result<(), Refusal> {
        let object: BTreeMap<String, &RawValue> = serde_json::from_slice(json)
            .map_err(|error| Refusal::invalid("body", "", format!("it is no object: {error}")))?;
        for (name, value) in object.into_iter().filter(|(_, value)| value.get() != "null") {
            let text = serde_json::from_str(value.get());
            let text = text.unwrap_or_else(|_no_text| value.get().to_owned());
            self.0.insert(name, Field { place: "body", text });
        }
        Ok(())
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A text without spaces around it.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|field| field.text.trim())
    }

    /// A whole number in digits.
    pub fn number(
        &self,
        name: &str,
        accepted: RangeInclusive<u64>,
    ) -> Result<Option<u64>, Refusal> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let number = text.parse().ok().filter(|number| accepted.contains(number));
        let why = || {
            format!("accepted are whole numbers from {} to {}", accepted.start(), accepted.end())
        };
        number.map(Some).ok_or_else(|| self.wrong(name, why()))
    }

    /// A time; without an offset it is read in `zone`.
    pub fn time(&self, name: &str, zone: &Zone) -> Result<Option<Instant>, Refusal> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let why = "accepted are times such as 2022-07-01T12:00:00+00:00, or seconds since 1970";
        times::read(text, zone).map(Some).ok_or_else(|| self.wrong(name, why))
    }

    /// What reads as a `T`, such as a date.
    pub fn value<T: std::str::FromStr>(&self, name: &str, why: &str) -> Result<Option<T>, Refusal> {
        let Some(text) = self.text(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_unreadable| self.wrong(name, why))
    }

    pub fn page(&self, limit_max: u64) -> Result<Page, Refusal> {
        let offset = self.number("offset", 0..=u64::from(u32::MAX))?.unwrap_or(0);
        Ok(Page { offset: size(offset), limit: self.limit(limit_max)? })
    }

    /// How many are asked for; as many as there may be, if it is not said.
    pub fn limit(&self, max: u64) -> Result<usize, Refusal> {
        Ok(size(self.number("limit", 0..=max)?.unwrap_or(max)))
    }

    pub fn wrong(&self, name: &str, why: impl Into<String>) -> Refusal {
        let place = self.0.get(name).map_or("body", |field| field.place);
        Refusal::invalid(place, name, why)
    }
}

fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// What must be there.
pub fn needed<T>(name: &str, value: Option<T>) -> Result<T, Refusal> {
    value.ok_or_else(|| Refusal::invalid("body", name, "it is missing"))
}

/// The number of something in a path. One with more digits than any has is nobody's.
pub fn id_in_path(what: &'static str, text: &str, max: u64) -> Result<u64, Refusal> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        let field = format!("{}_id", what.to_ascii_lowercase());
        return Err(Refusal::invalid("path", &field, "it is not a whole number"));
    }
    let id = text.parse().ok().filter(|id| *id <= max);
    id.ok_or_else(|| Refusal::NotFound { what, id: text.to_owned() })
}
