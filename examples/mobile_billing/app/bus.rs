//! The event bus: ended calls wait in a bounded channel, and one task records whatever is waiting.

#[path = "../../common/channel.rs"]
mod channel;

use std::sync::Arc;

use billing::{CallEnded, Receipt};

use super::{Refusal, ledger::Ledger, told};

pub use self::channel::{CAPACITY, open};

pub type Bus = channel::Bus<CallEnded, Result<Receipt, Refusal>>;
pub type Queue = channel::Queue<CallEnded, Result<Receipt, Refusal>>;

/// Records calls until nobody can publish any more and none is left.
pub async fn record_all(queue: Queue, ledger: Arc<Ledger>) {
    let record = async |calls: Vec<CallEnded>| {
        let count = calls.len();
        match ledger.record(calls).await {
            Ok(receipts) => receipts.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(told(&error)); count],
        }
    };
    queue.record_all(record).await;
}
