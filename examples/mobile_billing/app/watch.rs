//! What those who watch over the service ask: is it up, and how full is the bus.

use std::time::Duration;

use axum::extract::State;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{App, bus, causes::with_causes, v1::Envelope};

/// How long the store may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

pub async fn health(State(app): State<App>) -> Envelope<Value> {
    let status = match timeout(PATIENCE, app.ledger.ask()).await {
        Ok(Ok(())) => "UP",
        Ok(Err(error)) => {
            eprintln!("mobile_billing: the store is down: {}", with_causes(&error));
            "DOWN"
        }
        Err(_too_long) => {
            eprintln!("mobile_billing: the store has not answered for {PATIENCE:?}");
            "DOWN"
        }
    };
    let data = json!({ "status": status, "components": { "datasource": { "status": status } } });
    match status {
        "UP" => Envelope::successful(Some(data)),
        _ => Envelope::new(503, "Service Unavailable", Some(data)),
    }
}

pub async fn info(State(app): State<App>) -> Envelope<Value> {
    Envelope::successful(Some(json!({
        "service_name": "Call Billing API",
        "info": {
            "event_bus": {
                "channel_capacity": bus::CAPACITY,
                "channel_current_size": app.bus.waiting(),
            },
            "build": { "name": "mobile_billing", "version": env!("CARGO_PKG_VERSION") },
        },
    })))
}
