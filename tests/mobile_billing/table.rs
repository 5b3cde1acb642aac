//! The table of cases: what was before, what is asked, and what must be.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use billing::{CallEnded, core::money::Price};

use crate::{
    app::{ledger::Ledger, tariff::Tariff},
    cases::{self, Lies, check_all, falsify_all},
    http::Http,
    kept::{Done, Kept, same},
    service::{Service, clock, usual},
};

const CASES: &str = include_str!("../cases/mobile_billing.json");

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default)]
    given: Given,
    request: Asked,
    expect: Expect,
}

/// What was before: calls of users in milliseconds, calls from many clients at once, a stop without goodbye, a store that closed.
#[derive(Clone, Default, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Given {
    tariff: Option<Terms>,
    calls: Vec<(String, u64)>,
    at_once: Option<AtOnce>,
    stopped: bool,
    store: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Terms {
    block_ms: u32,
    price_per_block: Price,
}

impl From<Terms> for Tariff {
    fn from(Terms { block_ms, price_per_block }: Terms) -> Self {
        Self { block_ms, price_per_block }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AtOnce {
    user: String,
    clients: u32,
    each: u32,
    duration_ms: u64,
}

/// A request over HTTP, an event as a document, or to start at all.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Asked {
    Http(Http),
    Event { event: Value },
    Start { start: bool },
}

/// What must be: of the answer, of the items that are kept, and of anybody's calls and blocks.
#[derive(Clone, Default, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Expect {
    status: Option<u16>,
    json: BTreeMap<String, Value>,
    has: Vec<String>,
    lacks: Vec<String>,
    stored: Option<Vec<(String, u64)>>,
    bills: BTreeMap<String, (u64, u64)>,
    starts: Option<bool>,
    event: Option<bool>,
}

fn cases() -> Vec<Case> {
    serde_json::from_str(CASES).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_is_answered_as_the_table_says() {
    assert_eq!(check_all(&cases()).await, (62, 61));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_cannot_be_passed_by_accident() {
    let falsified = falsify_all(&cases()).await;
    assert!(falsified > 150, "{falsified} falsehoods are too few to prove anything");
}

impl cases::Case for Case {
    fn name(&self) -> &str {
        &self.name
    }

    fn is_for_memory(&self) -> bool {
        // Memory cannot be closed.
        self.given.store.is_none()
    }

    fn falsehoods(&self) -> Vec<Self> {
        let lies = falsehoods(&self.expect).into_iter();
        lies.map(|expect| Self { expect, ..self.clone() }).collect()
    }

    async fn check(&self, kept: Kept) -> Done {
        let Self { given, request, expect, .. } = self;
        let tariff = given.tariff.map_or_else(usual, Tariff::from);
        if let Asked::Start { start } = request {
            let started = Ledger::open(kept.store(), clock(), tariff).await.is_ok();
            return same("whether it starts", Some(started == *start), expect.starts);
        }
        let service = Service::start(kept, tariff).await?;
        for (user, duration_ms) in &given.calls {
            service.called(user, *duration_ms).await?;
        }
        if let Some(AtOnce { user, clients, each, duration_ms }) = &given.at_once {
            service.called_at_once(*clients, *each, |_| user.clone(), *duration_ms).await;
        }
        if let (Some("closed"), Asked::Http(http)) = (given.store.as_deref(), request) {
            service.kept.close().await;
            return holds(&service.send(http.request()?).await?, expect);
        }
        let service = match given.stopped {
            true => service.stop_without_goodbye().restart(tariff).await?,
            false => service,
        };
        ask(&service, request, expect).await?;
        if let Some(stored) = &expect.stored {
            same("what is kept", &service.stored().await, stored)?;
        }
        for (user, expected) in &expect.bills {
            same(&format!("the bill of {user}"), service.bill(user).await?, *expected)?;
        }
        service.stop().await
    }
}

/// All that differ from the truth in one thing.
fn falsehoods(truth: &Expect) -> Vec<Expect> {
    let mut lies = Lies::of(truth);
    lies.tell(|expect| expect.status = expect.status.map(|status| status + 1));
    for pointer in truth.json.keys() {
        lies.tell(|expect| *expect.json.get_mut(pointer).unwrap() = json!("something else"));
    }
    lies.tell(|expect| expect.has.iter_mut().for_each(|pointer| pointer.push_str("/nowhere")));
    lies.tell(|expect| {
        expect.lacks.iter_mut().for_each(|pointer| *pointer = "/meta/code".to_owned());
    });
    lies.tell(|expect| {
        expect.stored.iter_mut().for_each(|stored| stored.push(("nobody".into(), 1)))
    });
    for user in truth.bills.keys() {
        lies.tell(|expect| *expect.bills.get_mut(user).unwrap() = (7, 7));
    }
    lies.tell(|expect| expect.starts = expect.starts.map(|starts| !starts));
    lies.tell(|expect| expect.event = expect.event.map(|event| !event));
    lies.told
}

async fn ask(service: &Service, request: &Asked, expect: &Expect) -> Done {
    let before = service.stored().await;
    match request {
        Asked::Http(http) => {
            let answer = service.send(http.request()?).await?;
            holds(&answer, expect)?;
            match answer.0.is_client_error() {
                true => same("what is kept after a refusal", service.stored().await, before),
                false => Ok(()),
            }
        }
        Asked::Event { event } => {
            let event = serde_json::from_value::<CallEnded>(event.clone()).ok();
            let is_event = event.is_some();
            if let Some(event) = event {
                let answer = service.bus.publish(event).await.ok_or("the recorder has ended")?;
                answer.map_err(|refusal| format!("{refusal:?}"))?;
            }
            same("whether it is an event", Some(is_event), expect.event)
        }
        Asked::Start { .. } => Err("it has started already".into()),
    }
}

fn holds((status, body): &(StatusCode, Value), expect: &Expect) -> Done {
    same("the status", Some(status.as_u16()), expect.status)?;
    for (pointer, value) in &expect.json {
        same(pointer, body.pointer(pointer), Some(value))?;
    }
    for pointer in &expect.has {
        same(pointer, body.pointer(pointer).is_some(), true)?;
    }
    for pointer in &expect.lacks {
        same(pointer, body.pointer(pointer), None)?;
    }
    Ok(())
}
