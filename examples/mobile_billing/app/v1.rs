//! The routes under `/v1`: each answer is an envelope with a code that begins with the HTTP status.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use billing::AccountId;

use super::{
    App, Refusal,
    ledger::{Usage, call_ms_max},
    object::Fields,
};

const NAME_BYTES_MAX: usize = 32;

const BAD_REQUEST: Envelope = failure(400, "Bad Request");
const MISSING_USERNAME: Envelope = failure(4_000_100, "missing username");
const INVALID_USERNAME: Envelope = failure(4_000_101, "invalid username");
const INVALID_DURATION: Envelope = failure(4_000_102, "invalid duration");
const INVALID_KEY: Envelope = failure(4_000_103, "invalid idempotency key");
const NOT_FOUND: Envelope = failure(4_040_100, "billing not found");
const KEY_TAKEN: Envelope = failure(4_090_100, "idempotency key belongs to another call");
const FAILED: Envelope = failure(500, "Internal Server Error");
const TRY_AGAIN: Envelope = failure(503, "Service Unavailable");

type Username = Result<Path<String>, PathRejection>;

pub async fn call(
    State(app): State<App>,
    username: Username,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Envelope, Envelope> {
    let name = given(username)?;
    let fields: Fields<'_> = serde_json::from_slice(&body).map_err(|_no_object| BAD_REQUEST)?;
    let duration_ms: i64 = match fields.get("call_duration").map(|value| value.get()) {
        // What is missing counts as zero, which is refused below.
        None | Some("null") => 0,
        Some(number) => number.parse().map_err(|_not_whole| BAD_REQUEST)?,
    };
    let name = name.filter(|name| name.len() <= NAME_BYTES_MAX).ok_or(INVALID_USERNAME)?;
    let user = AccountId::try_new(name).map_err(|_control_character| INVALID_USERNAME)?;
    let duration_ms = u64::try_from(duration_ms).map_err(|_negative| INVALID_DURATION)?;
    if !(1..=call_ms_max()).contains(&duration_ms) {
        return Err(INVALID_DURATION);
    }
    app.call_ended(&headers, user, duration_ms).await?;
    Ok(Envelope::successful(None))
}

pub async fn billing(
    State(app): State<App>,
    username: Username,
) -> Result<Envelope<Usage>, Envelope> {
    let name = given(username)?.ok_or(NOT_FOUND)?;
    let user = AccountId::try_new(name).map_err(|_nobodys| NOT_FOUND)?;
    let usage = app.usage(&user).await?.ok_or(NOT_FOUND)?;
    Ok(Envelope::successful(Some(usage)))
}

/// The name in the path, which must be there; `None` if it is no text.
fn given(username: Username) -> Result<Option<String>, Envelope> {
    let name = username.ok().map(|Path(name)| name);
    if name.as_deref() == Some("") { Err(MISSING_USERNAME) } else { Ok(name) }
}

/// What every answer looks like.
#[derive(Debug, Serialize)]
pub struct Envelope<T = ()> {
    meta: Meta,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<T>,
}

#[derive(Debug, Serialize)]
struct Meta {
    code: u32,
    message: &'static str,
}

const fn failure(code: u32, message: &'static str) -> Envelope {
    Envelope::new(code, message, None)
}

impl<T> Envelope<T> {
    pub const fn new(code: u32, message: &'static str, data: Option<T>) -> Self {
        Self { meta: Meta { code, message }, data }
    }

    pub const fn successful(data: Option<T>) -> Self {
        Self::new(200, "Successful", data)
    }
}

impl<T: Serialize> IntoResponse for Envelope<T> {
    fn into_response(self) -> Response {
        let code = self.meta.code.to_string();
        let status = code.get(..3).and_then(|status| status.parse().ok());
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, [(CONTENT_TYPE, "application/json; charset=utf-8")], Json(self)).into_response()
    }
}

impl From<Refusal> for Envelope {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::BadKey => INVALID_KEY,
            Refusal::KeyTaken => KEY_TAKEN,
            Refusal::TryAgain => TRY_AGAIN,
            Refusal::Failed => FAILED,
        }
    }
}
