//! Commits: what is not accepted goes to the processor, every so often and whenever somebody asks.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use axum::http::StatusCode;
use tokio::{
    sync::Mutex,
    time::{Instant, MissedTickBehavior, interval_at},
};

use billing::{
    Day, Days, Error,
    core::{
        id::TenantId,
        settlement::{Answer, Handover},
    },
    settlement::{Processor, ProcessorError},
};

use super::{
    Said,
    causes::with_causes,
    downstream::Downstream,
    handing::{Handing, Place, place_of},
    told,
};

/// Only one commit is on its way and each waits for its answers, so what has none when the next begins never gets one.
const ANSWER_MS_MAX: u64 = 0;

const NOT_TAKEN: Said = Said(StatusCode::BAD_GATEWAY, "Failed to commit aggregated data");
const TRY_AGAIN: Said = Said(StatusCode::SERVICE_UNAVAILABLE, "Failed to commit aggregated data");
const FAILED: Said = Said(StatusCode::INTERNAL_SERVER_ERROR, "Failed to commit aggregated data");

#[derive(Debug)]
pub struct Committer {
    handing: Arc<Handing>,
    downstream: Downstream,
    turn: Mutex<()>,
}

impl Committer {
    pub fn new(handing: Arc<Handing>, downstream: Downstream) -> Self {
        Self { handing, downstream, turn: Mutex::new(()) }
    }

    /// Commits what is there again and again, at first when `every` has passed.
    ///
    /// It may be stopped at any moment: what was sent and has no answer yet is sent again by the next one.
    pub async fn commit_every(self: Arc<Self>, every: Duration) {
        let mut ticks = interval_at(Instant::now() + every, every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            // What was refused waits for somebody who asks, because nothing here can mend it.
            if let Err(error) = self.commit(None).await {
                eprintln!("usage_ingestor: not everything is committed: {}", with_causes(&error));
            }
        }
    }

    /// Commits all days or one, the refused ones once more, because somebody asks for it.
    pub async fn commit_asked(&self, only: Option<Day>) -> Result<(), Said> {
        let told = |error: Error| match &error {
            Error::Processor { .. } => {
                eprintln!("usage_ingestor: not everything is committed: {}", with_causes(&error));
                NOT_TAKEN
            }
            error => told(error, TRY_AGAIN, FAILED),
        };
        self.handing.resend_refused(only).await.map_err(told)?;
        match self.commit(only).await.map_err(told)? {
            Taken::All => Ok(()),
            Taken::NotAll => Err(NOT_TAKEN),
        }
    }

    /// Closes the days, sends what is to be sent, and records the answers. What was on its way before goes along.
    async fn commit(&self, only: Option<Day>) -> Result<Taken, Error> {
        let _mine = self.turn.lock().await;
        let (handing, downstream) = (&self.handing, &self.downstream);
        let courier = Courier { handing, downstream, refused: AtomicBool::new(false) };
        let days = only.map_or(Days::All, Days::On);
        self.handing.tenant().settle_days(&courier, days, ANSWER_MS_MAX).await?;
        Ok(if courier.refused.into_inner() { Taken::NotAll } else { Taken::All })
    }
}

/// Whether the processor took all that it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    All,
    NotAll,
}

/// Hands revisions over in one batch for each day, and records each batch's answers as they come.
///
/// So one batch that finds no answer does not take those of the others with it.
#[derive(Debug)]
struct Courier<'a> {
    handing: &'a Handing,
    downstream: &'a Downstream,
    /// Whether anything was refused. The library does not count an answer that is recorded here before it.
    refused: AtomicBool,
}

#[async_trait]
impl Processor for Courier<'_> {
    async fn process(
        &self,
        tenant: &TenantId,
        handovers: &[Handover],
    ) -> Result<Vec<Answer>, ProcessorError> {
        let days: BTreeSet<Day> = handovers.iter().map(|handover| handover.day).collect();
        let (mut answers, mut failed) = (BTreeMap::new(), None);
        for day in days {
            let batch: Vec<_> = handovers.iter().filter(|one| one.day == day).collect();
            match self.downstream.hand(tenant, day, &batch).await {
                Ok(said) => self.record(&batch, said, &mut answers).await?,
                Err(error) => failed = Some(error),
            }
        }
        let answer = |handover: &Handover| answers.remove(&place_of(handover));
        let answers: Option<Vec<Answer>> = handovers.iter().map(answer).collect();
        answers.ok_or_else(|| failed.unwrap_or_else(|| "an answer is missing".into()))
    }
}

impl Courier<'_> {
    async fn record(
        &self,
        batch: &[&Handover],
        mut said: BTreeMap<Place, Answer>,
        answers: &mut BTreeMap<Place, Answer>,
    ) -> Result<(), Error> {
        for handover in batch {
            let place = place_of(handover);
            if let Some(answer) = said.remove(&place) {
                if let Answer::Refused { .. } = answer {
                    self.refused.store(true, Ordering::Relaxed);
                }
                self.handing.answered(handover, answer.clone()).await?;
                answers.insert(place, answer);
            }
        }
        Ok(())
    }
}
