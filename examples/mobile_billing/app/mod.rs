//! The service: which request goes where, and what both interfaces share.

pub mod bus;
#[path = "../../common/causes.rs"]
pub mod causes;
#[path = "../../common/digits.rs"]
mod digits;
pub mod ledger;
#[path = "../../common/object.rs"]
mod object;
mod plain;
#[path = "../../common/plans.rs"]
mod plans;
pub mod tariff;
mod v1;
mod watch;

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderMap, StatusCode},
    routing::{get, put},
};
use uuid::Uuid;

use billing::{
    AccountId, ItemKey, Receipt,
    core::id::{ItemId, SourceId},
};

use self::{
    bus::Bus,
    causes::with_causes,
    ledger::{Ledger, Usage},
};

/// The bytes that a report of a call may have; it needs thirty.
const BODY_BYTES_MAX: usize = 16 * 1024;
/// The header by which a client names a report, so that it can send it again.
const KEY: &str = "idempotency-key";

#[derive(Clone)]
pub struct App {
    pub ledger: Arc<Ledger>,
    pub bus: Bus,
}

pub fn router(app: App) -> Router {
    Router::new()
        .route("/v1/mobile/{username}/call", put(v1::call).fallback(not_found))
        .route("/v1/mobile/{username}/billing", get(v1::billing).fallback(not_found))
        .route("/mobile/{user_name}/call", put(plain::call).fallback(plain::wrong_method))
        .route("/mobile/{user_name}/billing", get(plain::billing).fallback(plain::wrong_method))
        .route("/actuator/health", get(watch::health).fallback(not_found))
        .route("/actuator/info", get(watch::info).fallback(not_found))
        .fallback(not_found)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(app)
}

async fn not_found() -> (StatusCode, &'static str) {
    (StatusCode::NOT_FOUND, "404 page not found\n")
}

/// Why a request in which every field is right is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The key is not 1 to 255 visible characters.
    BadKey,
    /// The key belongs to another call.
    KeyTaken,
    /// The bus is closed or the store is busy: the same request may succeed later.
    TryAgain,
    /// Nothing that a client could mend.
    Failed,
}

impl App {
    /// Publishes that a call has ended, and waits until that is on the disk.
    async fn call_ended(
        &self,
        headers: &HeaderMap,
        user: AccountId,
        duration_ms: u64,
    ) -> Result<(), Refusal> {
        let key = key(headers)?;
        let call = self.ledger.call_ended(key, user, duration_ms).map_err(|error| told(&error))?;
        match self.bus.publish(call).await.unwrap_or(Err(Refusal::TryAgain))? {
            Receipt::Recorded { .. } | Receipt::Superseded { .. } | Receipt::Replayed { .. } => {
                Ok(())
            }
            Receipt::Conflict { .. } => Err(Refusal::KeyTaken),
            Receipt::Parked(reason) => {
                eprintln!("mobile_billing: a call was set aside, and is on no bill: {reason}");
                Err(Refusal::Failed)
            }
            Receipt::Refused => Err(Refusal::Failed),
        }
    }

    async fn usage(&self, user: &AccountId) -> Result<Option<Usage>, Refusal> {
        self.ledger.usage(user).await.map_err(|error| told(&error))
    }
}

/// What a call is known by for ever: the name that its client gave it, or one that nobody else draws.
fn key(headers: &HeaderMap) -> Result<ItemKey, Refusal> {
    let (source, id) = match headers.get(KEY).map(|key| key.to_str()) {
        Some(Ok(key)) => ("client", key.to_owned()),
        Some(Err(_)) => return Err(Refusal::BadKey),
        None => ("drawn", Uuid::now_v7().to_string()),
    };
    let id = ItemId::try_new(id).map_err(|_| Refusal::BadKey)?;
    Ok(ItemKey::new(SourceId::try_new(source).map_err(|_| Refusal::Failed)?, id))
}

/// Says in the log what failed, and to the client only whether to try again.
fn told(error: &billing::Error) -> Refusal {
    let billing::Error::Store(error) = error else {
        // Other errors may name the user, and that name may be a telephone number.
        eprintln!("mobile_billing: the rules of billing refused a request that should be right");
        return Refusal::Failed;
    };
    eprintln!("mobile_billing: {}", with_causes(error));
    if error.is_transient() { Refusal::TryAgain } else { Refusal::Failed }
}
