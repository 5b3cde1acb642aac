//! The table of cases: what was before, what is asked, and what must be, then and afterwards.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use billing::state_hash;

use crate::{
    app::sample,
    kept::{Done, Kept, same},
    service::{Answer, Asked, NOW, Service, answer, tariff},
};

const CASES: &str = include_str!("../cases/phone_invoices.json");

#[derive(Clone, Deserialize)]
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

#[derive(Clone, Default, Deserialize)]
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
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct AtOnce {
    clients: u32,
    each: u32,
    request: Asked,
}

#[derive(Clone, Deserialize)]
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
    let (mut of_customers, mut of_users, mut wrong) = (0, 0, Vec::new());
    for case in cases() {
        match case.name.starts_with("customers: ") {
            true => of_customers += 1,
            false => of_users += 1,
        }
        for kept in Kept::both().await {
            let place = if matches!(kept, Kept::InMemory(_)) { "memory" } else { "SQLite" };
            if let Err(error) = check(&case, kept).await {
                wrong.push(format!("{}, in {place}: {error}", case.name));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert_eq!((of_customers, of_users), (34, 40));
}

#[test]
fn no_case_is_there_twice() {
    let names: std::collections::BTreeSet<_> = cases().into_iter().map(|case| case.name).collect();
    assert_eq!(names.len(), 74);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_cannot_be_passed_by_accident() {
    let mut falsified = 0;
    for case in cases() {
        for told in falsehoods(&case) {
            let memory = Kept::in_memory();
            let outcome = check(&told, memory).await;
            assert!(outcome.is_err(), "{}: a falsehood was taken for true", case.name);
            falsified += 1;
        }
    }
    assert!(falsified > 250, "{falsified} falsehoods are too few to prove anything");
}

/// The case with one thing in it altered, in all ways.
fn falsehoods(case: &Case) -> Vec<Case> {
    let main = altered(&case.expect).into_iter().map(|expect| Case { expect, ..case.clone() });
    let then = case.then.iter().enumerate().flat_map(|(place, then)| {
        altered(&then.expect).into_iter().map(move |expect| {
            let mut told = case.clone();
            told.then[place].expect = expect;
            told
        })
    });
    main.chain(then).collect()
}

fn altered(truth: &Expect) -> Vec<Expect> {
    let mut all = Vec::new();
    let mut lie = |change: &dyn Fn(&mut Expect)| {
        let mut expect = truth.clone();
        change(&mut expect);
        if expect != *truth {
            all.push(expect);
        }
    };
    lie(&|expect| expect.status += 1);
    lie(&|expect| expect.headers.values_mut().for_each(|value| value.insert(0, '?')));
    lie(&|expect| expect.body = expect.body.as_ref().map(|_| json!(["something else"])));
    for place in truth.json.keys() {
        lie(&|expect| *expect.json.get_mut(place).unwrap() = json!("something else"));
    }
    lie(&|expect| expect.has.iter_mut().for_each(|place| place.push_str("/nowhere")));
    lie(&|expect| expect.count = expect.count.map(|count| count + 1));
    lie(&|expect| expect.every.values_mut().for_each(|value| *value = json!("something else")));
    lie(&|expect| expect.falling = expect.falling.as_ref().map(|_| "nowhere".to_owned()));
    all
}

/// What stands in the way of a case, if anything does.
async fn check(case: &Case, kept: Kept) -> Done {
    let Case { given, request, expect, then, .. } = case;
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
