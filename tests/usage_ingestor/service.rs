//! A service in this process, where it keeps what it knows, and what its clients ask of it.

use std::{error::Error, sync::Arc};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode},
};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tower::ServiceExt as _;

use billing::{Tenant, Zone, clock::SetClock};

use crate::{
    app::{
        self, App,
        bus::{self, Bus, Queue},
        commit::Committer,
        downstream::Downstream,
        handing::Handing,
        ledger::Ledger,
        settings::{Counting, Delivery},
    },
    http::request,
    kept::{Done, Kept, check, same},
};

const NOW: &str = "2026-11-20T12:00:00Z";

/// Flags of a service.
#[derive(Clone)]
pub struct Flags {
    pub counting: Counting,
    pub delivery: Delivery,
}

impl Flags {
    /// Without a processor: batches are logged.
    pub fn usual() -> Self {
        Self::to("")
    }

    pub fn to(processor: &str) -> Self {
        let zone = Zone::try_new("UTC").unwrap();
        let processor = processor.parse().ok();
        let (processor_timeout_ms, commit_every_s) = (10_000, 60);
        Self {
            counting: Counting { zone, allow_negative: false },
            delivery: Delivery { processor, processor_timeout_ms, commit_every_s },
        }
    }
}

pub struct Service {
    pub app: Router,
    pub bus: Bus,
    pub ledger: Arc<Ledger>,
    pub committer: Arc<Committer>,
    pub tenant: Tenant,
    pub clock: Arc<SetClock>,
    pub kept: Kept,
    recorder: Option<JoinHandle<()>>,
}

impl Service {
    pub async fn start(kept: Kept, flags: &Flags) -> Done<Self> {
        let (service, queue) = Self::start_without_recorder(kept, flags).await?;
        Ok(service.record(queue))
    }

    pub async fn start_without_recorder(kept: Kept, flags: &Flags) -> Done<(Self, Queue)> {
        let clock = Arc::new(SetClock::at(NOW.parse()?));
        let time: Arc<SetClock> = Arc::clone(&clock);
        let ledger = Arc::new(Ledger::open(kept.store(), time, &flags.counting).await?);
        let downstream = Downstream::of(&flags.delivery);
        let handing = Arc::new(Handing::open(ledger.tenant().clone()).await?);
        let committer = Arc::new(Committer::new(Arc::clone(&handing), downstream));
        let (bus, queue) = bus::open();
        let (shared, committing) = (Arc::clone(&ledger), Arc::clone(&committer));
        let app =
            app::router(App { ledger: shared, handing, bus: bus.clone(), committer: committing });
        let (tenant, recorder) = (ledger.tenant().clone(), None);
        Ok((Self { app, bus, ledger, committer, tenant, clock, kept, recorder }, queue))
    }

    pub fn record(mut self, queue: Queue) -> Self {
        self.recorder = Some(tokio::spawn(bus::record_all(queue, Arc::clone(&self.ledger))));
        self
    }

    /// Ends as the program does, once everything that is kept was recomputed.
    pub async fn stop(self) -> Done {
        check(&self.tenant).await?;
        let Self { app, bus, recorder, kept, .. } = self;
        drop((app, bus));
        if let Some(recorder) = recorder {
            recorder.await?;
        }
        kept.close().await;
        Ok(())
    }

    /// Ends at once: nothing is drained, nothing is closed.
    pub fn stop_without_goodbye(self) -> Stopped {
        if let Some(recorder) = &self.recorder {
            recorder.abort();
        }
        Stopped(self.kept.clone())
    }

    pub async fn send(&self, request: Request<Body>) -> Done<(StatusCode, Value)> {
        send(&self.app, request).await
    }

    pub async fn get(&self, path: &str) -> Done<(StatusCode, Value)> {
        self.send(request("GET", path).body(Body::empty())?).await
    }

    pub async fn post(&self, path: &str) -> Done<(StatusCode, Value)> {
        self.send(request("POST", path).body(Body::empty())?).await
    }

    pub async fn report(&self, pulse: &Value) -> Done<(StatusCode, Value)> {
        self.send(report(pulse)).await
    }

    /// A pulse that must be taken.
    pub async fn used(&self, (tenant, product, unit, amount): (&str, &str, &str, i64)) -> Done {
        let (status, answer) = self.report(&pulse(tenant, product, unit, amount)).await?;
        same(&format!("the answer {answer}"), status, StatusCode::OK)
    }

    /// Tenant, product, unit and total of each aggregate, after checking the rest of it against these.
    pub async fn aggregates(&self) -> Done<Vec<(String, String, String, i64)>> {
        let (status, list) = self.get("/aggregates").await?;
        same("the status of the list", status, StatusCode::OK)?;
        let list = list.as_array().ok_or("the list is none")?.clone();
        list.iter().map(aggregate).collect()
    }

    pub async fn tenants(&self) -> Done<usize> {
        Ok(self.tenant.read().await?.account_page(None, 1_000).await?.len())
    }
}

fn aggregate(of: &Value) -> Done<(String, String, String, i64)> {
    let text = |field: &str| Ok::<_, Box<dyn Error>>(of[field].as_str().ok_or(field)?.to_owned());
    let (tenant, product) = (text("TenantId")?, text("ProductSKU")?);
    let (unit, day) = (text("UseUnit")?, text("AggregationDate")?);
    let total = of["TotalUsedAmount"].as_i64().ok_or("TotalUsedAmount")?;
    let escaped = |part: &str| part.replace('%', "%25").replace(':', "%3A");
    let parts = [&tenant, &product, &unit].map(|part| escaped(part));
    same("the key", text("PulseKey")?, format!("{}:{day}", parts.join(":")))?;
    same("the number of fields", of.as_object().map(serde_json::Map::len), Some(6))?;
    Ok((tenant, product, unit, total))
}

pub struct Stopped(Kept);

impl Stopped {
    pub async fn restart(self, flags: &Flags) -> Done<Service> {
        Service::start(self.0.reopened().await, flags).await
    }
}

pub async fn send(app: &Router, request: Request<Body>) -> Done<(StatusCode, Value)> {
    let response = app.clone().oneshot(request).await?;
    let status = response.status();
    let body = to_bytes(response.into_body(), usize::MAX).await?;
    Ok((status, serde_json::from_slice(&body)?))
}

pub fn report(pulse: &Value) -> Request<Body> {
    let request = request("POST", "/pulses").header("content-type", "application/json");
    request.body(pulse.to_string().into()).unwrap()
}

pub fn pulse(tenant: &str, product: &str, unit: &str, amount: i64) -> Value {
    json!({
        "tenant_id": tenant, "product_sku": product, "use_unit": unit, "used_amount": amount,
    })
}
