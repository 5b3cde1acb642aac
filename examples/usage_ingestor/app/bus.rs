//! The way to the disk: pulses wait in a bounded channel, and one task records whatever is waiting.

#[path = "../../common/channel.rs"]
mod channel;

use std::sync::Arc;

use super::{
    Said,
    ledger::{Ledger, Report, Verdict},
    pulse::{FAILED, TRY_AGAIN},
    told,
};

pub use self::channel::open;

pub type Bus = channel::Bus<Report, Result<Verdict, Said>>;
pub type Queue = channel::Queue<Report, Result<Verdict, Said>>;

/// Records reports until nobody can hand in any more and none is left.
pub async fn record_all(queue: Queue, ledger: Arc<Ledger>) {
    let record = async |reports: Vec<Report>| match ledger.record(&reports).await {
        Ok(verdicts) => verdicts.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(told(&error, TRY_AGAIN, FAILED)); reports.len()],
    };
    queue.record_all(record).await;
}
