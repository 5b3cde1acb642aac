//! The service: which request goes where, and what its answers have in common.

mod aggregates;
pub mod bus;
#[path = "../../common/causes.rs"]
pub mod causes;
pub mod commit;
#[path = "../../common/digits.rs"]
mod digits;
pub mod downstream;
pub mod handing;
pub mod ledger;
#[path = "../../common/object.rs"]
mod object;
mod over_http;
mod pulse;
mod sample;
pub mod settings;
mod watch;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::DefaultBodyLimit,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};

pub use self::sample::sample;

use self::{bus::Bus, causes::with_causes, commit::Committer, handing::Handing, ledger::Ledger};

/// The bytes that a report of a pulse may have; it needs a hundred.
const BODY_BYTES_MAX: usize = 16 * 1024;

#[derive(Clone)]
pub struct App {
    pub ledger: Arc<Ledger>,
    pub handing: Arc<Handing>,
    pub bus: Bus,
    pub committer: Arc<Committer>,
}

pub fn router(app: App) -> Router {
    Router::new()
        .route("/pulses", post(pulse::report))
        .route("/aggregates", get(aggregates::all))
        .route("/aggregates/{key}", get(aggregates::one))
        .route("/aggregates/commit", post(aggregates::commit))
        // Some clients were told to spell it so.
        .route("/agreggates/commit", post(aggregates::commit))
        .route("/health", get(watch::health))
        .fallback(async || plain(StatusCode::NOT_FOUND, "Not Found"))
        .method_not_allowed_fallback(async || {
            plain(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")
        })
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(app)
}

fn plain(status: StatusCode, message: &str) -> (StatusCode, Json<Value>) {
    (status, Json(json!({ "message": message })))
}

/// An answer in words: a JSON string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said(pub StatusCode, pub &'static str);

impl IntoResponse for Said {
    fn into_response(self) -> Response {
        (self.0, Json(self.1)).into_response()
    }
}

/// Says in the log what failed, and to the client only whether to try again.
fn told(error: &billing::Error, try_again: Said, failed: Said) -> Said {
    let billing::Error::Store(error) = error else {
        // Other errors may name the tenant, and that name may be a person's.
        eprintln!("usage_ingestor: the rules of billing refused a request that should be right");
        return failed;
    };
    eprintln!("usage_ingestor: {}", with_causes(error));
    if error.is_transient() { try_again } else { failed }
}
