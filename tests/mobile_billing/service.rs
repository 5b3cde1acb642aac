//! A service in this process, and where it keeps what it knows.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode},
};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tower::ServiceExt as _;

use billing::{
    Billing, Item, PlanBook, Tenant,
    clock::SetClock,
    core::decide::{Limits, StoredItem},
};

use crate::{
    app::{
        self, App,
        bus::{self, Bus, Queue},
        ledger::Ledger,
        tariff::Tariff,
    },
    http::request,
    kept::{Done, Kept, check, same},
};

const NOW: &str = "2026-11-20T12:00:00Z";

pub struct Service {
    pub app: Router,
    pub bus: Bus,
    pub ledger: Arc<Ledger>,
    pub tenant: Tenant,
    pub clock: Arc<SetClock>,
    pub kept: Kept,
    recorder: Option<JoinHandle<()>>,
}

impl Service {
    pub async fn start(kept: Kept, tariff: Tariff) -> Done<Self> {
        let (service, queue) = Self::start_without_recorder(kept, tariff).await?;
        Ok(service.record(queue))
    }

    pub async fn start_without_recorder(kept: Kept, tariff: Tariff) -> Done<(Self, Queue)> {
        let clock = clock();
        let time: Arc<SetClock> = Arc::clone(&clock);
        let ledger = Arc::new(Ledger::open(kept.store(), time, tariff).await?);
        let (bus, queue) = bus::open();
        let app = app::router(App { ledger: Arc::clone(&ledger), bus: bus.clone() });
        let (book, limits) = (PlanBook::standard(), Limits::default());
        let billing = Billing::with_limits(kept.store(), book, clock.clone(), limits);
        let tenant = billing.tenant("mobile")?;
        Ok((Self { app, bus, ledger, tenant, clock, kept, recorder: None }, queue))
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
        let response = self.app.clone().oneshot(request).await?;
        let status = response.status();
        let body = to_bytes(response.into_body(), usize::MAX).await?;
        // What is not JSON is a plain text.
        let plain = |_| Value::from(String::from_utf8_lossy(&body).into_owned());
        Ok((status, serde_json::from_slice(&body).unwrap_or_else(plain)))
    }

    pub async fn get(&self, path: &str) -> Done<(StatusCode, Value)> {
        self.send(request("GET", path).body(Body::empty())?).await
    }

    /// A call of a user, by the interface that also takes calls of no time.
    pub async fn called(&self, user: &str, duration_ms: u64) -> Done {
        let request = report(user, duration_ms);
        let (status, answer) = self.send(request).await?;
        same(&format!("the answer {answer}"), status, StatusCode::OK)
    }

    /// Calls from `clients` at the same time; the user of a client's call is given by its number.
    pub async fn called_at_once(
        &self,
        clients: u32,
        each: u32,
        user: impl Fn(u32) -> String,
        duration_ms: u64,
    ) {
        let reports = || (0..each).map(|call| report(&user(call), duration_ms)).collect();
        let client = |reports: Vec<Request<Body>>| {
            let app = self.app.clone();
            async move {
                for report in reports {
                    let answer = app.clone().oneshot(report).await.unwrap();
                    assert_eq!(answer.status(), StatusCode::OK);
                }
            }
        };
        let clients: Vec<_> = (0..clients).map(|_| tokio::spawn(client(reports()))).collect();
        for client in clients {
            client.await.unwrap();
        }
    }

    /// The calls and blocks of a user, on which both interfaces agree.
    pub async fn bill(&self, user: &str) -> Done<(u64, u64)> {
        let (_, plain) = self.get(&format!("/mobile/{user}/billing")).await?;
        let (_, v1) = self.get(&format!("/v1/mobile/{user}/billing")).await?;
        let counts =
            |bill: &Value| Some((bill["call_count"].as_u64()?, bill["block_count"].as_u64()?));
        same("the bill of the other interface", counts(&v1["data"]), counts(&plain))?;
        counts(&plain).ok_or_else(|| format!("this is no bill: {plain}").into())
    }

    /// Whose calls are kept, and how long they were.
    pub async fn stored(&self) -> Vec<(String, u64)> {
        let mut facts = self.tenant.read().await.unwrap();
        let items = facts.item_page(None, 1_000).await.unwrap();
        assert_eq!(facts.parked_page(None, 1).await.unwrap(), []);
        let call = |item: StoredItem| match item.item {
            Item::Call(call) => (item.claim.account.to_string(), call.duration_ms),
            _ => panic!("an item that is no call"),
        };
        items.into_iter().map(call).collect()
    }
}

pub struct Stopped(Kept);

impl Stopped {
    pub async fn restart(self, tariff: Tariff) -> Done<Service> {
        Service::start(self.0.reopened().await, tariff).await
    }
}

fn report(user: &str, duration_ms: u64) -> Request<Body> {
    let request = request("PUT", &format!("/mobile/{user}/call"));
    let body = json!({ "call_duration": duration_ms }).to_string();
    request.header("content-type", "application/json").body(body.into()).unwrap()
}

pub fn clock() -> Arc<SetClock> {
    Arc::new(SetClock::at(NOW.parse().unwrap()))
}

pub fn usual() -> Tariff {
    tariff(30_000, "0.2")
}

pub fn tariff(block_ms: u32, price_per_block: &str) -> Tariff {
    Tariff { block_ms, price_per_block: price_per_block.parse().unwrap() }
}
