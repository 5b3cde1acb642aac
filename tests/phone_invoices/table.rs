//! The table of cases: what was before, what is asked, and what must be, then and afterwards.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use billing::state_hash;

use crate::{
    app::sample,
    cases::{self, Lies, check_all, falsify_all},
    kept::{Done, Kept, same},
    service::{Answer, Asked, NOW, Service, answer, tariff},
};

const CASES: &str = include_str!("../cases/phone_invoices.json");

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default)]
    given: Given,
    request: Asked,
    expect: Expect,
    /// What is asked afterwards.
    #[serde(default)]
    then: Vec<Then>,
}

#[derive(Clone, Default, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Given {
    now: Option<String>,
    flags: Vec<String>,
    sample_data: bool,
    /// Requests with good answers, one after the other.
    steps: Vec<Asked>,
    at_once: Option<AtOnce>,
}

/// Requests with good answers, from many clients at the same time.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AtOnce {
    clients: u32,
    each: u32,
    request: Asked,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Then {
    now: Option<String>,
    request: Asked,
    expect: Expect,
}

#[derive(Clone, Default, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Expect {
    status: u16,
    /// The beginnings of headers.
    headers: BTreeMap<String, String>,
    body: Option<Value>,
    /// Values at places of the body.
    json: BTreeMap<String, Value>,
    /// Places that are there.
    has: Vec<String>,
    /// How long the list is.
    count: Option<usize>,
    /// What each item of the list holds.
    every: BTreeMap<String, Value>,
    /// By which field the list falls.
    falling: Option<String>,
}

fn cases() -> Vec<Case> {
    serde_json::from_str(CASES).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_is_answered_as_the_table_says() {
    let cases = cases();
    assert_eq!(check_all(&cases).await, (74, 74));
    let of_customers = cases.iter().filter(|case| case.name.starts_with("customers: "));
    assert_eq!(of_customers.count(), 34);
}

#[test]
fn no_case_is_there_twice() {
    let names: std::collections::BTreeSet<_> = cases().into_iter().map(|case| case.name).collect();
    assert_eq!(names.len(), 74);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_cannot_be_passed_by_accident() {
    let falsified = falsify_all(&cases()).await;
    assert!(falsified > 250, "{falsified} falsehoods are too few to prove anything");
}

impl cases::Case for Case {
    fn name(&self) -> &str {
        &self.name
    }

    fn falsehoods(&self) -> Vec<Self> {
        let main = altered(&self.expect).into_iter().map(|expect| Self { expect, ..self.clone() });
        let then = self.then.iter().enumerate().flat_map(|(place, then)| {
            altered(&then.expect).into_iter().map(move |expect| {
                let mut told = self.clone();
                told.then[place].expect = expect;
                told
            })
        });
        main.chain(then).collect()
    }

    async fn check(&self, kept: Kept) -> Done {
        let Self { given, request, expect, then, .. } = self;
        let flags: Vec<&str> = given.flags.iter().map(String::as_str).collect();
        let now = given.now.as_deref().unwrap_or(NOW);
        let service = Service::start(kept, now, tariff(&flags)).await?;
        if given.sample_data {
            sample::load(&service.ledger).await.map_err(|told| format!("{told:?}"))?;
        }
        for step in &given.steps {
            service.good(step).await?;
        }
        if let Some(AtOnce { clients, each, request }) = &given.at_once {
            all_at_once(&service, *clients, *each, request).await;
        }
        ask(&service, request, expect).await?;
        for Then { now, request, expect } in then {
            now.iter().try_for_each(|now| service.set_clock(now))?;
            ask(&service, request, expect).await?;
        }
        service.stop().await
    }
}

fn altered(truth: &Expect) -> Vec<Expect> {
    let mut lies = Lies::of(truth);
    lies.tell(|expect| expect.status += 1);
    lies.tell(|expect| expect.headers.values_mut().for_each(|value| value.insert(0, '?')));
    lies.tell(|expect| expect.body = expect.body.as_ref().map(|_| json!(["something else"])));
    for place in truth.json.keys() {
        lies.tell(|expect| *expect.json.get_mut(place).unwrap() = json!("something else"));
    }
    lies.tell(|expect| expect.has.iter_mut().for_each(|place| place.push_str("/nowhere")));
    lies.tell(|expect| expect.count = expect.count.map(|count| count + 1));
    lies.tell(|expect| {
        expect.every.values_mut().for_each(|value| *value = json!("something else"))
    });
    lies.tell(|expect| expect.falling = expect.falling.as_ref().map(|_| "nowhere".to_owned()));
    lies.told
}

async fn all_at_once(service: &Service, clients: u32, each: u32, request: &Asked) {
    let client = || {
        let (app, request) = (service.app.clone(), request.clone());
        tokio::spawn(async move {
            for _ in 0..each {
                let answer = answer(app.clone(), &request).await.unwrap();
                assert!(answer.status.is_success(), "{}", answer.text);
            }
        })
    };
    let clients: Vec<_> = (0..clients).map(|_| client()).collect();
    for client in clients {
        client.await.unwrap();
    }
}

/// Asks, and sees to it that a refusal leaves nothing behind.
async fn ask(service: &Service, request: &Asked, expect: &Expect) -> Done {
    let before = state_hash(service.tenant()).await?;
    let answer = service.ask(request).await?;
    holds(&answer, expect)
        .map_err(|wrong| format!("{} {}: {wrong}", request.method, request.path))?;
    match answer.status.is_client_error() {
        true => same("what is kept after a refusal", state_hash(service.tenant()).await?, before),
        false => Ok(()),
    }
}

fn holds(Answer { status, headers, body, text }: &Answer, expect: &Expect) -> Done {
    same(&format!("the status of {text}"), status.as_u16(), expect.status)?;
    for (name, beginning) in &expect.headers {
        let value = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        same(&format!("{name} {value}"), value.starts_with(beginning.as_str()), true)?;
    }
    if let Some(expected) = &expect.body {
        same("the body", body, expected)?;
    }
    for (place, value) in &expect.json {
        same(&format!("{place} of {text}"), body.pointer(place), Some(value))?;
    }
    for place in &expect.has {
        same(&format!("whether there is {place} in {text}"), body.pointer(place).is_some(), true)?;
    }
    let list = body.as_array().map_or(&[][..], Vec::as_slice);
    if let Some(count) = expect.count {
        same("the length of the list", list.len(), count)?;
    }
    for (field, value) in &expect.every {
        let wrong = list.iter().find(|item| item.get(field) != Some(value));
        same(field, (wrong, list.is_empty()), (None, false))?;
    }
    if let Some(field) = &expect.falling {
        let texts: Option<Vec<&str>> = list.iter().map(|item| item.get(field)?.as_str()).collect();
        let falls =
            |texts: &Vec<&str>| texts.len() > 1 && texts.is_sorted_by(|one, two| one >= two);
        same(&format!("whether {field} falls"), texts.as_ref().is_some_and(falls), true)?;
    }
    Ok(())
}
