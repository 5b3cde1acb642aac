//! Taking a batch of messages in: which are done, which are to come again, and which are dead, and why.

use core::{fmt, time::Duration};

use billing_core::{
    decide::{Batch, Receipt, Refusal},
    item::Incoming,
};

use crate::{
    answer::Error,
    billing::Tenant,
    bus::{DeadLetter, Report, letter},
    error::StoreError,
};

/// How often a message is delivered that the store cannot take for what it holds, before it is a dead letter.
///
/// A store that is busy, full or out of reach makes no dead letters: then a message comes again as often as it takes.
pub const ATTEMPTS_MAX: u64 = 5;

/// One message as its bus offers it.
///
/// # Examples
///
/// ```
/// use billing_store::bus::Offered;
///
/// let offered = Offered { place: "message 1".into(), body: b"{}", attempt: 1 };
/// assert_eq!(offered.body.len(), 2);
/// ```
#[derive(Clone)]
pub struct Offered<'body> {
    /// Where it stands on its bus; no other message stands there.
    pub place: String,
    /// The message.
    pub body: &'body [u8],
    /// How often it has been delivered, this time included.
    pub attempt: u64,
}

impl fmt::Debug for Offered<'_> {
    // The body holds telephone numbers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, attempt, .. } = self;
        f.debug_struct("Offered")
            .field("place", place)
            .field("attempt", attempt)
            .finish_non_exhaustive()
    }
}

/// What the bus is to do with a message that it offered.
///
/// # Examples
///
/// See [`take_in`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Acknowledge it: what it says is committed.
    Done,
    /// Deliver it again.
    Again {
        /// Not before so long.
        after: Duration,
    },
    /// Keep it where it is not delivered again, with the reason.
    Dead {
        /// Why, without personal data.
        reason: String,
    },
}

/// What became of a batch, and what the bus is to do with each message.
///
/// # Examples
///
/// See [`take_in`].
#[derive(Debug)]
pub struct Taken {
    /// One for each message, in their order.
    pub verdicts: Vec<Verdict>,
    /// For the host.
    pub report: Report,
}

/// Takes a batch of messages in, in one unit; a consumer of any bus does as the verdicts say, after this returns.
///
/// If the store cannot take the batch because of what it holds of some account, the batch is divided until only what cannot be taken is left.
///
/// # Examples
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// use billing_store::bus::{Offered, Verdict, take_in};
///
/// # use billing_core::plan::PlanBook;
/// # use billing_store::{Billing, MemoryStore, clock::SetClock};
/// # let clock = SetClock::at("2026-11-02T08:00:00Z".parse()?);
/// # let acme = Billing::new(MemoryStore::new(), PlanBook::standard(), clock).tenant("acme")?;
/// let pulse = br#"{"key":{"source":"meter","id":"1"},"account":"nobody",
///     "pulse":{"at":"2026-11-01T08:00:00Z","product":"storage","unit":"GB-h","amount":"0.25"}}"#;
/// let offered = [
///     Offered { place: "message 1".into(), body: pulse, attempt: 1 },
///     Offered { place: "message 2".into(), body: b"not JSON", attempt: 1 },
/// ];
/// let taken = take_in(&acme, "partition 0", &offered).await;
/// assert_eq!(taken.verdicts[0], Verdict::Done, "billing keeps it until the account is opened");
/// assert!(matches!(taken.verdicts[1], Verdict::Dead { .. }));
/// let intake = &taken.report.intakes[0];
/// assert_eq!((intake.received, intake.parked, intake.refused), (2, 1, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub async fn take_in(tenant: &Tenant, label: &str, offered: &[Offered<'_>]) -> Taken {
    let entries: Vec<Entry<'_>> = offered.iter().map(Entry::of).collect();
    let mut taken =
        Taken { verdicts: Vec::with_capacity(entries.len()), report: Report::default() };
    // The part on top is the first that is left, so that verdicts are found in order.
    let mut parts = vec![entries.as_slice()];
    while let Some(part) = parts.pop() {
        let read = part.iter().map(|entry| entry.read.clone()).collect();
        let batch = Batch { label: label.to_owned(), entries: read };
        match tenant.ingest(&batch).await {
            Ok(answer) => {
                taken.report.intakes.push(answer.intake);
                let each = part.iter().zip(&answer.receipts);
                each.for_each(|(entry, receipt)| taken.judge(entry, entry.verdict(receipt)));
            }
            Err(error) if is_of_the_batch(&error) && part.len() > 1 => {
                let (first, second) = part.split_at(part.len().div_ceil(2));
                parts.extend([second, first]);
            }
            Err(error) => {
                let is_final = is_of_the_batch(&error);
                for entry in part {
                    taken.judge(entry, entry.failed(&error, is_final));
                }
                taken.report.problem = Some(error);
            }
        }
    }
    taken
}

/// How long until a message that could not be taken comes again: twice as long each time, from a tenth of a second to half a minute.
pub(super) fn pause(attempt: u64) -> Duration {
    const FIRST: Duration = Duration::from_millis(100);
    const LONGEST: Duration = Duration::from_secs(30);
    let doublings = u32::try_from(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
    FIRST.saturating_mul(2_u32.saturating_pow(doublings)).min(LONGEST)
}

/// A message, and what was read in it.
struct Entry<'offered> {
    offered: &'offered Offered<'offered>,
    read: Result<Incoming, Refusal>,
}

impl<'offered> Entry<'offered> {
    fn of(offered: &'offered Offered<'offered>) -> Self {
        let read = letter::read(offered.body).map_err(|reason| Refusal {
            place: offered.place.as_str().into(),
            reason,
            raw: letter::kept(offered.body),
        });
        Self { offered, read }
    }

    fn verdict(&self, receipt: &Receipt) -> Verdict {
        match (receipt, &self.read) {
            (Receipt::Refused, Err(refusal)) => Verdict::Dead { reason: refusal.reason.clone() },
            // Nobody waits for the answer, and billing keeps no second content.
            (Receipt::Conflict { .. }, _) => {
                Verdict::Dead { reason: "its key is claimed with other content".into() }
            }
            _ => Verdict::Done,
        }
    }

    fn failed(&self, error: &Error, is_final: bool) -> Verdict {
        let attempt = self.offered.attempt;
        if is_final && attempt >= ATTEMPTS_MAX {
            Verdict::Dead { reason: error.to_string() }
        } else {
            Verdict::Again { after: pause(attempt) }
        }
    }
}

impl Taken {
    fn judge(&mut self, entry: &Entry<'_>, verdict: Verdict) {
        match &verdict {
            Verdict::Done => {}
            Verdict::Again { .. } => self.report.again = self.report.again.saturating_add(1),
            Verdict::Dead { reason } => {
                let Offered { place, body, .. } = entry.offered;
                let (place, reason, body) = (place.clone(), reason.clone(), body.to_vec());
                self.report.dead.push(DeadLetter { place, reason, body });
            }
        }
        self.verdicts.push(verdict);
    }
}

/// Whether it fails for what it is and for what is stored of its accounts, and not for the state that the store is in.
const fn is_of_the_batch(error: &Error) -> bool {
    !matches!(
        error,
        Error::Store(
            StoreError::Transient { .. }
                | StoreError::Unknown { .. }
                | StoreError::Failed { .. }
                | StoreError::Schema { .. }
        )
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_half_a_minute() {
        let cases = [
            (0, 100),
            (1, 100),
            (2, 200),
            (5, 1_600),
            (9, 25_600),
            (10, 30_000),
            (u64::MAX, 30_000),
        ];
        for (attempt, pause_ms) in cases {
            assert_eq!(pause(attempt), Duration::from_millis(pause_ms), "attempt {attempt}");
        }
    }
}
