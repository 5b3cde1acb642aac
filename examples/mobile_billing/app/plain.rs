//! The routes without a version: bare answers, and refusals that say of each field what is wrong with it.

use std::collections::BTreeMap;

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Value, json};

use billing::{AccountId, core::money::Exact};

use super::{
    App, Refusal,
    digits::Digits,
    ledger::{Usage, call_ms_max},
    object::{Fields, NoFields, fields_of},
};

const NAME_LETTERS_MAX: usize = 32;
/// How much of a wrong value is shown to the client who sent it.
const SHOWN_LETTERS_MAX: usize = 40;

const NOT_FOUND: Failure = failure(StatusCode::NOT_FOUND, "page not found");
const WRONG_METHOD: Failure = failure(StatusCode::METHOD_NOT_ALLOWED, "method not allowed");
const NOT_JSON: Failure =
    failure(StatusCode::UNSUPPORTED_MEDIA_TYPE, "accepted is the content type application/json");
const NO_OBJECT: Failure = failure(StatusCode::BAD_REQUEST, "the body is not a JSON object");
const INVALID: Failure = failure(StatusCode::BAD_REQUEST, "a field is not accepted");
const INVALID_KEY: Failure =
    failure(StatusCode::BAD_REQUEST, "an idempotency key is 1 to 255 visible characters");
const KEY_TAKEN: Failure =
    failure(StatusCode::CONFLICT, "the idempotency key belongs to another call");
const FAILED: Failure = failure(StatusCode::INTERNAL_SERVER_ERROR, "the service failed");
const TRY_AGAIN: Failure = failure(StatusCode::SERVICE_UNAVAILABLE, "try again");

type UserName = Result<Path<String>, PathRejection>;

pub async fn call(
    State(app): State<App>,
    user_name: UserName,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, Failure> {
    let name = given(&user_name)?;
    let fields = fields_of(&headers, &body).map_err(|why| match why {
        NoFields::NotJson => NOT_JSON,
        NoFields::NoObject => NO_OBJECT,
    })?;
    let (user, duration_ms) = match (user_of(name), duration_ms_of(&fields)) {
        (Ok(user), Ok(duration_ms)) => (user, duration_ms),
        (user, duration_ms) => {
            let wrong = [("user_name", user.err()), ("call_duration", duration_ms.err())];
            let wrong = wrong.into_iter().filter_map(|(field, why)| Some((field, why?)));
            return Err(Failure { fields: wrong.collect(), ..INVALID });
        }
    };
    app.call_ended(&headers, user, duration_ms).await?;
    Ok(Json(json!({ "code": "success", "message": "Success" })))
}

/// The bill of anybody: who never called, or never could, has used nothing.
pub async fn billing(State(app): State<App>, user_name: UserName) -> Result<Json<Counts>, Failure> {
    let name = given(&user_name)?;
    let Ok(user) = AccountId::try_new(name) else { return Ok(Json(Counts::of(None))) };
    let usage = app.usage(&user).await?;
    Ok(Json(Counts::of(usage)))
}

pub async fn wrong_method() -> Failure {
    WRONG_METHOD
}

#[derive(Debug, Serialize)]
pub struct Counts {
    call_count: i64,
    block_count: Digits<Exact>,
}

impl Counts {
    fn of(usage: Option<Usage>) -> Self {
        let counts = usage.map(|usage| (usage.call_count, usage.block_count));
        let (call_count, block_count) = counts.unwrap_or((0, Digits(Exact::zero())));
        Self { call_count, block_count }
    }
}

/// The name in the path without spaces around it; one that is no text is left empty, which is no name.
fn given(user_name: &UserName) -> Result<&str, Failure> {
    let name = user_name.as_ref().map_or(" ", |Path(name)| name);
    // Without a name, or with a name of several parts, the path leads elsewhere.
    if name.is_empty() || name.contains('/') { Err(NOT_FOUND) } else { Ok(name.trim()) }
}

fn user_of(name: &str) -> Result<AccountId, String> {
    let letters = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    let user = AccountId::try_new(name).ok().filter(|_| letters && name.len() <= NAME_LETTERS_MAX);
    user.ok_or_else(|| {
        format!("accepted are 1 to {NAME_LETTERS_MAX} of the letters a-z and A-Z, digits, - and _")
    })
}

/// A whole number, also one that is written as text or with zeros after a point.
fn duration_ms_of(fields: &Fields<'_>) -> Result<u64, String> {
    let accepted =
        format!("accepted is a whole number of milliseconds from 0 to {}", call_ms_max());
    let value = fields.get("call_duration").map(|value| value.get());
    let value = value.ok_or_else(|| format!("it is missing: {accepted}"))?;
    let text: String = serde_json::from_str(value).unwrap_or_else(|_no_text| value.to_owned());
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let duration_ms = whole.parse().ok().filter(|_| fraction.bytes().all(|digit| digit == b'0'));
    let duration_ms = duration_ms.filter(|duration_ms| *duration_ms <= call_ms_max());
    duration_ms.ok_or_else(|| {
        let shown: String = value.chars().take(SHOWN_LETTERS_MAX).collect();
        format!("it is {shown}: {accepted}")
    })
}

/// What every refusal looks like.
#[derive(Debug)]
pub struct Failure {
    status: StatusCode,
    message: &'static str,
    fields: BTreeMap<&'static str, String>,
}

const fn failure(status: StatusCode, message: &'static str) -> Failure {
    Failure { status, message, fields: BTreeMap::new() }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let texts = self.fields.into_iter().map(|(field, why)| (field, [why]));
        let fields: BTreeMap<_, _> = texts.collect();
        let extra = if fields.is_empty() { json!({}) } else { json!({ "fields": fields }) };
        (self.status, Json(json!({ "message": self.message, "extra": extra }))).into_response()
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::BadKey => INVALID_KEY,
            Refusal::KeyTaken => KEY_TAKEN,
            Refusal::TryAgain => TRY_AGAIN,
            Refusal::Failed => FAILED,
        }
    }
}
