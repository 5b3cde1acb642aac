//! A bounded channel: events wait in it until one task has recorded whatever is waiting, and whoever sent one hears what became of it.

use tokio::sync::{mpsc, oneshot};

/// How many events may wait, and how many are recorded in one transaction at most.
pub const CAPACITY: usize = 500;

/// The end of the channel that requests publish on.
#[derive(Clone)]
pub struct Bus<E, A>(mpsc::Sender<Waiting<E, A>>);

/// The end of the channel that is recorded from.
pub struct Queue<E, A>(mpsc::Receiver<Waiting<E, A>>);

/// An event, and the request that waits to hear what became of it.
struct Waiting<E, A> {
    event: E,
    answer: oneshot::Sender<A>,
}

pub fn open<E, A>() -> (Bus<E, A>, Queue<E, A>) {
    let (sender, receiver) = mpsc::channel(CAPACITY);
    (Bus(sender), Queue(receiver))
}

impl<E, A> Bus<E, A> {
    /// Publishes an event and waits for its commit; while the channel is full, it waits for a place there first.
    ///
    /// `None` if the recorder has ended. It may have recorded the event all the same: to send it again by the same key is safe.
    pub async fn publish(&self, event: E) -> Option<A> {
        let (answer, answered) = oneshot::channel();
        self.0.send(Waiting { event, answer }).await.ok()?;
        answered.await.ok()
    }

    /// How many events are waiting.
    pub fn waiting(&self) -> usize {
        self.0.max_capacity().saturating_sub(self.0.capacity())
    }
}

impl<E, A> Queue<E, A> {
    /// Records events until nobody can publish any more and none is left; `record` answers each event, in their order.
    ///
    /// What comes in while a transaction is on its way shares the next one: the more requests, the larger the groups.
    pub async fn record_all<R>(mut self, record: impl Fn(Vec<E>) -> R)
    where
        R: Future<Output = Vec<A>>,
    {
        let mut waiting = Vec::with_capacity(CAPACITY);
        while self.0.recv_many(&mut waiting, CAPACITY).await > 0 {
            let pairs = waiting.drain(..).map(|Waiting { event, answer }| (event, answer));
            let (events, answers): (Vec<_>, Vec<_>) = pairs.unzip();
            for (answer, told) in answers.into_iter().zip(record(events).await) {
                // Whoever hung up meanwhile does not hear that the event is recorded; it is.
                answer.send(told).ok();
            }
        }
    }
}
