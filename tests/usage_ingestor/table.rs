//! The table of cases: what was before, what is asked, and what must be.

use std::{sync::Arc, time::Duration};

use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    cases::{self, Lies, check_all, falsify_all},
    http::Http,
    kept::{Done, Kept, same},
    receiver::{Mood, PATIENCE, Receiver, until},
    service::{Flags, Service},
};

const COMMIT: &str = "/aggregates/commit";
const CASES: &str = include_str!("../cases/usage_ingestor.json");

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default)]
    given: Given,
    request: Http,
    expect: Expect,
}

/// What was before: pulses, pulses that came while a commit waited for its answer, a stop without goodbye, time that passed.
#[derive(Clone, Default, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Given {
    pulses: Vec<(String, String, String, i64)>,
    during_commit: Vec<(String, String, String, i64)>,
    stopped: bool,
    passed_s: Option<u64>,
}

/// What must be: of the answer, of what is listed afterwards, and of what the processor got.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    status: u16,
    json: Option<Value>,
    aggregates: Vec<(String, String, String, i64)>,
    batches: Option<usize>,
    accepted: Option<Vec<(String, String, String, String)>>,
}

fn cases() -> Vec<Case> {
    serde_json::from_str(CASES).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_is_answered_as_the_table_says() {
    assert_eq!(check_all(&cases()).await, (13, 13));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_cannot_be_passed_by_accident() {
    let falsified = falsify_all(&cases()).await;
    assert!(falsified > 40, "{falsified} falsehoods are too few to prove anything");
}

impl cases::Case for Case {
    fn name(&self) -> &str {
        &self.name
    }

    fn falsehoods(&self) -> Vec<Self> {
        let lies = falsehoods(&self.expect).into_iter();
        lies.map(|expect| Self { expect, ..self.clone() }).collect()
    }

    async fn check(&self, kept: Kept) -> Done {
        let Self { given, request, expect, .. } = self;
        let receiver = Receiver::start().await?;
        let flags = Flags::to(&receiver.url);
        let service = prepare(given, kept, &flags, &receiver).await?;
        let before = service.aggregates().await?;
        let (status, body) = service.send(request.request()?).await?;
        same("the status", status.as_u16(), expect.status)?;
        if expect.json.is_some() {
            same("the answer", Some(&body), expect.json.as_ref())?;
        }
        let aggregates = service.aggregates().await?;
        same("what is listed", &aggregates, &expect.aggregates)?;
        if status.is_client_error() {
            same("what is listed after a refusal", aggregates, before)?;
        }
        if let Some(batches) = expect.batches {
            same("how many batches the processor got", receiver.batches(), batches)?;
        }
        let accepted = receiver.sums()?;
        if let Some(expected) = &expect.accepted {
            same("what the processor accepted", &accepted, expected)?;
        }
        service.stop().await
    }
}

/// All that differ from the truth in one thing.
fn falsehoods(truth: &Expect) -> Vec<Expect> {
    let mut lies = Lies::of(truth);
    lies.tell(|expect| expect.status += 1);
    lies.tell(|expect| expect.json.iter_mut().for_each(|json| *json = json!("something else")));
    lies.tell(|expect| expect.json.iter_mut().for_each(|json| *json = Value::Null));
    lies.tell(|expect| {
        expect.aggregates.push(("nobody".into(), "sms".into(), "message".into(), 1))
    });
    lies.tell(|expect| drop(expect.aggregates.pop()));
    lies.tell(|expect| expect.aggregates.iter_mut().for_each(|aggregate| aggregate.3 += 1));
    lies.tell(|expect| expect.batches.iter_mut().for_each(|batches| *batches += 1));
    lies.tell(|expect| expect.accepted.iter_mut().for_each(|accepted| drop(accepted.pop())));
    lies.tell(|expect| expect.accepted.iter_mut().flatten().for_each(|sum| sum.3.push('0')));
    lies.told
}

async fn prepare(given: &Given, kept: Kept, flags: &Flags, receiver: &Receiver) -> Done<Service> {
    let service = Service::start(kept, flags).await?;
    let used = async |pulses: &[(String, String, String, i64)]| -> Done {
        for (tenant, product, unit, amount) in pulses {
            service.used((tenant, product, unit, *amount)).await?;
        }
        Ok(())
    };
    used(&given.pulses).await?;
    if !given.during_commit.is_empty() {
        receiver.will([Mood::Waits]);
        let pulses_meanwhile = async {
            receiver.shared.arrived.notified().await;
            let done = used(&given.during_commit).await;
            receiver.shared.released.notify_one();
            done
        };
        let commit = async { same("the commit", service.post(COMMIT).await?.0, StatusCode::OK) };
        let both = async { tokio::try_join!(commit, pulses_meanwhile) };
        tokio::time::timeout(PATIENCE, both).await??;
    }
    if let Some(passed_s) = given.passed_s {
        // A millisecond stands for a second.
        let every = Duration::from_millis(passed_s);
        let committing = tokio::spawn(Arc::clone(&service.committer).commit_every(every));
        until("nothing waits", async || Ok(service.aggregates().await?.is_empty())).await?;
        committing.abort();
        assert!(committing.await.unwrap_err().is_cancelled());
    }
    match given.stopped {
        true => service.stop_without_goodbye().restart(flags).await,
        false => Ok(service),
    }
}
