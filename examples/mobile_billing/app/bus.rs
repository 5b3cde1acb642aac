//! The event bus: ended calls wait in a bounded channel, and one task records whatever is waiting.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use billing::{CallEnded, Receipt};

use super::{Refusal, ledger::Ledger, told};

/// How many calls may wait, and how many are recorded in one transaction at most.
pub const CAPACITY: usize = 500;

/// The end of the channel that requests publish on.
#[derive(Clone)]
pub struct Bus(mpsc::Sender<Waiting>);

/// The end of the channel that is recorded from.
pub struct Queue(mpsc::Receiver<Waiting>);

/// An event, and the request that waits to hear what became of it.
struct Waiting {
    call: CallEnded,
    answer: oneshot::Sender<Result<Receipt, Refusal>>,
}

pub fn open() -> (Bus, Queue) {
    let (sender, receiver) = mpsc::channel(CAPACITY);
    (Bus(sender), Queue(receiver))
}

impl Bus {
    /// Publishes an event and waits for its commit; while the channel is full, it waits for a place there first.
    pub async fn publish(&self, call: CallEnded) -> Result<Receipt, Refusal> {
        let (answer, answered) = oneshot::channel();
        let sent = self.0.send(Waiting { call, answer }).await;
        sent.map_err(|_closed| Refusal::TryAgain)?;
        // A recorder that ended without an answer may have recorded the call: to send it again by the same key is safe.
        answered.await.unwrap_or(Err(Refusal::TryAgain))
    }

    /// How many events are waiting.
    pub fn waiting(&self) -> usize {
        self.0.max_capacity().saturating_sub(self.0.capacity())
    }
}

impl Queue {
    /// Records events until nobody can publish any more and none is left.
    ///
    /// What comes in while a transaction is on its way shares the next one: the more requests, the larger the groups.
    pub async fn record_all(mut self, ledger: Arc<Ledger>) {
        let mut waiting = Vec::with_capacity(CAPACITY);
        while self.0.recv_many(&mut waiting, CAPACITY).await > 0 {
            let events = waiting.drain(..).map(|Waiting { call, answer }| (call, answer));
            let (calls, answers): (Vec<_>, Vec<_>) = events.unzip();
            let receipts = match ledger.record(calls).await {
                Ok(receipts) => receipts.into_iter().map(Ok).collect(),
                Err(error) => vec![Err(told(&error)); answers.len()],
            };
            for (answer, receipt) in answers.into_iter().zip(receipts) {
                // Whoever hung up meanwhile does not hear that the call is recorded; it is.
                drop(answer.send(receipt));
            }
        }
    }
}
