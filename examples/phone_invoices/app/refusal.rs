//! Why a request is not served, and how that is said.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;

use billing::{
    core::{id::InvalidId, money::MoneyError, time::TimeError},
    store::StoreError,
};

use super::causes::with_causes;

#[derive(Debug)]
pub enum Refusal {
    /// A field is missing or not accepted.
    Invalid { place: &'static str, field: String, why: String },
    /// Nobody has this number.
    NotFound { what: &'static str, id: String },
    /// The month has its invoice.
    Exists { identifier: String, year: i16, month: u8 },
    /// It contradicts what is kept.
    Conflict(String),
    /// The body is neither a form nor JSON.
    WrongType,
    /// The body is too long.
    TooLong,
    /// The store is busy: the same request may succeed later.
    TryAgain,
    /// Nothing that a client could mend.
    Failed,
}

impl Refusal {
    pub fn invalid(place: &'static str, field: &str, why: impl Into<String>) -> Self {
        Self::Invalid { place, field: field.to_owned(), why: why.into() }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let error = |status: StatusCode, error: &str| (status, Json(json!({ "error": error })));
        let answer = match self {
            Self::Invalid { place, field, why } => {
                let problem = json!({ "loc": [place, field], "msg": why, "type": "value_error" });
                (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({ "detail": [problem] })))
            }
            Self::NotFound { what, id } => {
                error(StatusCode::NOT_FOUND, &format!("{what} {id} not found!"))
            }
            Self::Exists { identifier, year, month } => {
                let said = format!("Invoice {identifier} for {month}/{year} already exists!");
                error(StatusCode::CONFLICT, &said)
            }
            Self::Conflict(why) => error(StatusCode::CONFLICT, &why),
            Self::WrongType => {
                let said = "accepted are forms (application/x-www-form-urlencoded) and JSON";
                error(StatusCode::UNSUPPORTED_MEDIA_TYPE, said)
            }
            Self::TooLong => error(StatusCode::PAYLOAD_TOO_LARGE, "the body is too long"),
            Self::TryAgain => error(StatusCode::SERVICE_UNAVAILABLE, "try again"),
            Self::Failed => error(StatusCode::INTERNAL_SERVER_ERROR, "the service failed"),
        };
        answer.into_response()
    }
}

/// Whatever the library says that a use case has not turned into an answer is a failure of the service.
macro_rules! failures {
    ($($error:ty),*) => {$(
        impl From<$error> for Refusal {
            fn from(error: $error) -> Self {
                told(&error.into())
            }
        }
    )*};
}

failures!(billing::Error, StoreError, TimeError, MoneyError, InvalidId);

/// Says in the log what failed, and to the client only whether to try again. Errors name customers by numbers of ours alone.
pub fn told(error: &billing::Error) -> Refusal {
    eprintln!("phone_invoices: {}", with_causes(error));
    match error {
        billing::Error::Store(error) if error.is_transient() => Refusal::TryAgain,
        _ => Refusal::Failed,
    }
}
