//! What those who watch over the service ask: is it up.

use std::time::Duration;

use axum::{Json, extract::State, http::StatusCode};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{App, causes::with_causes};

/// How long the store may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whether pulses can be kept. A processor that is out of reach does not count: what it is to have waits on the disk.
pub async fn health(State(app): State<App>) -> (StatusCode, Json<Value>) {
    match timeout(PATIENCE, app.ledger.ask()).await {
        Ok(Ok(())) => {
            let waiting = app.bus.waiting();
            return (StatusCode::OK, Json(json!({ "status": "UP", "waiting": waiting })));
        }
        Ok(Err(error)) => {
            eprintln!("usage_ingestor: the store is down: {}", with_causes(&error));
        }
        Err(_too_long) => {
            eprintln!("usage_ingestor: the store has not answered for {PATIENCE:?}");
        }
    }
    (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "DOWN" })))
}
