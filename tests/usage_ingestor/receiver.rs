//! A processor on a port of this machine, which does whatever processors do.

use std::{
    collections::{BTreeMap, VecDeque},
    error::Error,
    panic,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::Notify, task::JoinHandle};

use crate::kept::Done;

/// What the receiver does with a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// Takes it and says so.
    Answers,
    /// Cuts the line and has not taken it.
    Cuts,
    /// Takes it and cuts the line.
    TakesAndCuts,
    /// Answers 500 and has not taken it.
    Fails,
    /// Takes it and answers 500.
    TakesAndFails,
    /// Takes it, and says so when nobody listens any more.
    IsLate,
    /// Takes it and says so twice.
    AnswersTwice,
    /// Takes it, and forgets to answer for the first account.
    ForgetsOne,
    /// Takes it, and talks about another account.
    SaysNonsense,
    /// Takes none of it, and says so.
    Refuses,
    /// Takes it, and does not answer before it is released.
    Waits,
}

impl Mood {
    pub const UNRELIABLE: [Self; 9] = [
        Self::Answers,
        Self::Cuts,
        Self::TakesAndCuts,
        Self::Fails,
        Self::TakesAndFails,
        Self::IsLate,
        Self::AnswersTwice,
        Self::ForgetsOne,
        Self::SaysNonsense,
    ];
}

/// How long a late receiver takes; those who wait for it wait less.
pub const LATE: Duration = Duration::from_millis(400);

/// How long anything may take.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Account, day and revision.
pub type Place = (String, String, u64);

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Handed {
    pub account: String,
    pub day: String,
    pub revision: u64,
    pub digest: String,
    pub totals: Vec<Total>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Total {
    pub product: String,
    pub unit: String,
    pub amount: String,
    pub pulses: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Batch {
    tenant: String,
    day: String,
    handovers: Vec<Handed>,
}

#[derive(Default)]
pub struct Seen {
    /// What the next batches find; afterwards the receiver answers.
    pub moods: VecDeque<Mood>,
    pub batches: usize,
    /// What came again after it was taken.
    pub again: usize,
    pub taken: BTreeMap<Place, Handed>,
    /// What must not be: the same revision with other content, or a batch of another shape.
    pub wrong: Vec<String>,
}

#[derive(Clone, Default)]
pub struct Shared {
    pub seen: Arc<Mutex<Seen>>,
    pub arrived: Arc<Notify>,
    pub released: Arc<Notify>,
}

pub struct Receiver {
    pub url: String,
    pub shared: Shared,
    serving: JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Receiver {
    pub async fn start() -> Done<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/batches", listener.local_addr()?);
        let shared = Shared::default();
        let app = Router::new().route("/batches", post(take)).with_state(shared.clone());
        let serving = tokio::spawn(async {
            axum::serve(listener, app).await.unwrap();
        });
        Ok(Self { url, shared, serving })
    }

    pub fn will(&self, moods: impl IntoIterator<Item = Mood>) {
        self.shared.seen.lock().unwrap().moods.extend(moods);
    }

    pub fn batches(&self) -> usize {
        self.shared.seen.lock().unwrap().batches
    }

    pub fn again(&self) -> usize {
        self.shared.seen.lock().unwrap().again
    }

    pub fn taken(&self) -> Vec<Place> {
        self.shared.seen.lock().unwrap().taken.keys().cloned().collect()
    }

    /// Tenant, product, unit and amount of all that was taken, each revision once.
    pub fn sums(&self) -> Done<Vec<(String, String, String, String)>> {
        let seen = self.shared.seen.lock().unwrap();
        if let Some(wrong) = seen.wrong.first() {
            return Err(wrong.clone().into());
        }
        let mut sums: BTreeMap<(String, String, String), i64> = BTreeMap::new();
        for handed in seen.taken.values() {
            for Total { product, unit, amount, .. } in &handed.totals {
                let key = (handed.account.clone(), product.clone(), unit.clone());
                *sums.entry(key).or_default() += amount.parse::<i64>()?;
            }
        }
        let sums = sums.into_iter();
        Ok(sums
            .map(|((tenant, product, unit), sum)| (tenant, product, unit, sum.to_string()))
            .collect())
    }
}

async fn take(State(shared): State<Shared>, body: String) -> (StatusCode, Json<Value>) {
    let (mood, batch) = {
        let mut seen = shared.seen.lock().unwrap();
        seen.batches += 1;
        let mood = seen.moods.pop_front().unwrap_or(Mood::Answers);
        match serde_json::from_str::<Batch>(&body) {
            Ok(batch) => {
                seen.check(&batch);
                if !matches!(mood, Mood::Cuts | Mood::Fails | Mood::Refuses) {
                    batch.handovers.iter().for_each(|handed| seen.take(handed));
                }
                (mood, batch)
            }
            Err(error) => {
                seen.wrong.push(error.to_string());
                return failed();
            }
        }
    };
    match mood {
        Mood::Answers => ok(&accepted(&batch)),
        // Ends the task that serves the connection, without a message about a panic.
        Mood::Cuts | Mood::TakesAndCuts => panic::resume_unwind(Box::new("the line is cut")),
        Mood::Fails | Mood::TakesAndFails => failed(),
        Mood::IsLate => {
            tokio::time::sleep(LATE).await;
            ok(&accepted(&batch))
        }
        Mood::AnswersTwice => ok(&[accepted(&batch), accepted(&batch)].concat()),
        Mood::ForgetsOne => ok(accepted(&batch).split_at(1).1),
        Mood::SaysNonsense => {
            ok(&[json!({"account": "?", "revision": 1, "answer": "accepted", "reference": ""})])
        }
        Mood::Refuses => ok(&refused(&batch)),
        Mood::Waits => {
            shared.arrived.notify_one();
            shared.released.notified().await;
            ok(&accepted(&batch))
        }
    }
}

impl Seen {
    fn check(&mut self, batch: &Batch) {
        if batch.tenant != "usage_ingestor" {
            self.wrong.push(format!("a batch of {}", batch.tenant));
        }
        for handed in batch.handovers.iter().filter(|handed| handed.day != batch.day) {
            self.wrong.push(format!("{} is in a batch of {}", handed.day, batch.day));
        }
    }

    fn take(&mut self, handed: &Handed) {
        let place = (handed.account.clone(), handed.day.clone(), handed.revision);
        match self.taken.get(&place) {
            None => {
                self.taken.insert(place, handed.clone());
            }
            Some(before) if before == handed => self.again += 1,
            Some(before) => self.wrong.push(format!("{handed:?} came after {before:?}")),
        }
    }
}

fn accepted(batch: &Batch) -> Vec<Value> {
    answers(batch, &json!({"answer": "accepted", "reference": "taken"}))
}

fn refused(batch: &Batch) -> Vec<Value> {
    answers(batch, &json!({"answer": "refused", "reason": "nobody of that name"}))
}

fn answers(batch: &Batch, said: &Value) -> Vec<Value> {
    let answer = |handed: &Handed| {
        let mut answer = said.clone();
        answer["account"] = json!(handed.account);
        answer["revision"] = json!(handed.revision);
        answer
    };
    batch.handovers.iter().map(answer).collect()
}

fn ok(answers: &[Value]) -> (StatusCode, Json<Value>) {
    (StatusCode::OK, Json(json!({ "answers": answers })))
}

fn failed() -> (StatusCode, Json<Value>) {
    (StatusCode::INTERNAL_SERVER_ERROR, Json(json!("it hurts")))
}

/// Waits until something holds, and not for ever.
pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> Done<bool>) -> Done {
    let holding = async {
        while !holds().await? {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok::<(), Box<dyn Error>>(())
    };
    tokio::time::timeout(PATIENCE, holding).await.map_err(|_| format!("still not so: {what}"))?
}
