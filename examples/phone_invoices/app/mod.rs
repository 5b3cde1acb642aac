//! The service: which request goes where.
//!
//! Two interfaces share it. Where their paths would meet, the shape of the path decides: `/call/` and `/invoice/` with nothing
//! after the stroke, or with a word, are the customers', and with a number they are the users'. `/` is a page, and a greeting for
//! those who accept JSON.

pub mod calls;
#[path = "../../common/causes.rs"]
pub mod causes;
pub mod contract;
mod customers;
#[path = "../../common/digits.rs"]
mod digits;
mod fields;
mod invoices;
pub mod ledger;
mod operators;
#[path = "../../common/plans.rs"]
mod plans;
pub mod refusal;
pub mod sample;
pub mod tariff;
mod times;
mod users;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, State},
    http::{
        HeaderMap, StatusCode,
        header::{ACCEPT, HOST},
    },
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post, put},
};
use serde_json::{Value, json};

use self::ledger::Ledger;

/// The bytes that a body may have; a call needs three hundred.
const BODY_BYTES_MAX: usize = 16 * 1024;

#[derive(Clone)]
pub struct App {
    pub ledger: Arc<Ledger>,
    pub greeting: Option<String>,
    /// Where it listens, for the page to show.
    pub address: String,
}

pub fn router(app: App) -> Router {
    Router::new()
        .route("/", get(root))
        .route("/health", get(customers::health))
        .route("/call", get(async || Redirect::permanent("/call/")))
        .route("/call/", get(customers::all_calls))
        .route("/call/customer", get(customers::calls))
        .route("/call/add_call", post(customers::add_call))
        .route("/invoice", get(async || Redirect::permanent("/invoice/")))
        .route("/invoice/", get(customers::all_invoices))
        .route("/invoice/customer", get(customers::itemised))
        .route("/invoice/consolidated", get(customers::consolidated))
        .route("/invoice/month", get(customers::month))
        .route("/invoice/generate_invoice", post(customers::generate))
        .route("/user", post(users::create))
        .route("/user/{user_id}", get(users::user))
        .route("/user/{user_id}/plan", put(users::change_plan))
        .route("/user/{user_id}/phone_call", get(users::history).post(users::record_call))
        .route("/user/{user_id}/invoice/{year}/{month}", post(users::create_invoice))
        .route("/user/{user_id}/operator", get(operators::operators))
        .route("/call/{call_id}", get(users::call))
        .route("/invoice/{invoice_id}", get(users::invoice))
        .route("/invoice/{invoice_id}/payment", post(users::pay))
        .route("/invoice/{invoice_id}/void", post(users::void))
        .route("/operator/{operator_id}/customer", get(operators::customers))
        .route("/operator/{operator_id}/customer/{customer_id}", put(operators::join))
        .fallback(not_found)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(app)
}

async fn root(State(app): State<App>, headers: HeaderMap) -> Response {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if text(ACCEPT).contains("application/json") {
        return Json(json!({ "message": app.greeting })).into_response();
    }
    // What a client calls the host is shown as far as it is a name.
    let named = |letter: &char| letter.is_ascii_alphanumeric() || ".-:[]".contains(*letter);
    let host: String = text(HOST).chars().filter(named).collect();
    let page = format!(
        "<!doctype html><title>phone_invoices</title><p>phone_invoices on {host} at {}</p>",
        app.address
    );
    Html(page).into_response()
}

async fn not_found() -> (StatusCode, Json<Value>) {
    (StatusCode::NOT_FOUND, Json(json!({ "error": "there is no such page" })))
}
