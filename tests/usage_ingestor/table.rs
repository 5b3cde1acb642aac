//! The table of cases: what was before, what is asked, and what must be.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    kept::{Done, Kept, same},
    receiver::{Mood, PATIENCE, Receiver, until},
    service::{Flags, Service, request},
};

const COMMIT: &str = "/aggregates/commit";
const CASES: &str = include_str!("../cases/usage_ingestor.json");

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default)]
    given: Given,
    request: Asked,
    expect: Expect,
}

/// What was before: pulses, pulses that came while a commit waited for its answer, a stop without goodbye, time that passed.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Given {
    pulses: Vec<(String, String, String, i64)>,
    during_commit: Vec<(String, String, String, i64)>,
    stopped: bool,
    passed_s: Option<u64>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    method: String,
    path: String,
    json: Option<Value>,
    text: Option<String>,
    content_type: Option<String>,
}

impl Asked {
    fn request(&self) -> Done<Request<Body>> {
        let mut request = request(&self.method, &self.path);
        let json = self.json.as_ref().map(|_| "application/json");
        if let Some(content_type) = self.content_type.as_deref().or(json) {
            request = request.header("content-type", content_type);
        }
        let body = self.json.as_ref().map(Value::to_string).or(self.text.clone());
        Ok(request.body(body.map_or(Body::empty(), Body::from))?)
    }
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
    let (mut on_file, mut in_memory, mut wrong) = (0, 0, Vec::new());
    for case in cases() {
        on_file += 1;
        if let Err(error) = check(&case, Kept::on_file().await).await {
            wrong.push(format!("{}, in SQLite: {error}", case.name));
        }
        in_memory += 1;
        if let Err(error) = check(&case, Kept::in_memory()).await {
            wrong.push(format!("{}, in memory: {error}", case.name));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert_eq!((on_file, in_memory), (13, 13));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_cannot_be_passed_by_accident() {
    let mut falsified = 0;
    for case in cases() {
        for expect in falsehoods(&case.expect) {
            let told = Case { expect, ..case.clone() };
            let outcome = check(&told, Kept::in_memory()).await;
            assert!(outcome.is_err(), "{}: {:?} was taken for true", case.name, told.expect);
            falsified += 1;
        }
    }
    assert!(falsified > 40, "{falsified} falsehoods are too few to prove anything");
}

/// All that differ from the truth in one thing.
fn falsehoods(truth: &Expect) -> Vec<Expect> {
    let mut all = Vec::new();
    let mut lie = |change: &dyn Fn(&mut Expect)| {
        let mut expect = truth.clone();
        change(&mut expect);
        if expect != *truth {
            all.push(expect);
        }
    };
    lie(&|expect| expect.status += 1);
    lie(&|expect| expect.json.iter_mut().for_each(|json| *json = json!("something else")));
    lie(&|expect| expect.json.iter_mut().for_each(|json| *json = Value::Null));
    lie(&|expect| expect.aggregates.push(("nobody".into(), "sms".into(), "message".into(), 1)));
    lie(&|expect| drop(expect.aggregates.pop()));
    lie(&|expect| expect.aggregates.iter_mut().for_each(|aggregate| aggregate.3 += 1));
    lie(&|expect| expect.batches.iter_mut().for_each(|batches| *batches += 1));
    lie(&|expect| expect.accepted.iter_mut().for_each(|accepted| drop(accepted.pop())));
    lie(&|expect| expect.accepted.iter_mut().flatten().for_each(|sum| sum.3.push('0')));
    all
}

/// What stands in the way of a case, if anything does.
async fn check(case: &Case, kept: Kept) -> Done {
    let Case { given, request, expect, .. } = case;
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
