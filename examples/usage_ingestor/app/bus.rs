//! The way to the disk: pulses wait in a bounded channel, and one task records whatever is waiting.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::{
    Said,
    ledger::{Ledger, Report, Verdict},
    pulse::{FAILED, TRY_AGAIN},
};

/// How many pulses may wait, and how many are recorded in one transaction at most.
pub const CAPACITY: usize = 500;

/// The end of the channel that requests report on.
#[derive(Clone)]
pub struct Bus(mpsc::Sender<Waiting>);

/// The end of the channel that is recorded from.
pub struct Queue(mpsc::Receiver<Waiting>);

/// A report, and the request that waits to hear what became of it.
struct Waiting {
    report: Report,
    answer: oneshot::Sender<Result<Verdict, Said>>,
}

pub fn open() -> (Bus, Queue) {
    let (sender, receiver) = mpsc::channel(CAPACITY);
    (Bus(sender), Queue(receiver))
}

impl Bus {
    /// Hands in a report and waits for its commit; while the channel is full, it waits for a place there first.
    pub async fn publish(&self, report: Report) -> Result<Verdict, Said> {
        let (answer, answered) = oneshot::channel();
        let sent = self.0.send(Waiting { report, answer }).await;
        sent.map_err(|_closed| TRY_AGAIN)?;
        // A recorder that ended without an answer may have recorded the pulse: to send it again by the same id is safe.
        answered.await.unwrap_or(Err(TRY_AGAIN))
    }

    /// How many reports are waiting.
    pub fn waiting(&self) -> usize {
        self.0.max_capacity().saturating_sub(self.0.capacity())
    }
}

impl Queue {
    /// Records reports until nobody can hand in any more and none is left.
    ///
    /// What comes in while a transaction is on its way shares the next one: the more requests, the larger the groups.
    pub async fn record_all(mut self, ledger: Arc<Ledger>) {
        let mut waiting = Vec::with_capacity(CAPACITY);
        while self.0.recv_many(&mut waiting, CAPACITY).await > 0 {
            let pairs = waiting.drain(..).map(|Waiting { report, answer }| (report, answer));
            let (reports, answers): (Vec<_>, Vec<_>) = pairs.unzip();
            let verdicts = match ledger.record(&reports).await {
                Ok(verdicts) => verdicts.into_iter().map(Ok).collect(),
                Err(error) => vec![Err(super::told(&error, TRY_AGAIN, FAILED)); answers.len()],
            };
            for (answer, verdict) in answers.into_iter().zip(verdicts) {
                // Whoever hung up meanwhile does not hear that the pulse is recorded; it is.
                answer.send(verdict).ok();
            }
        }
    }
}
