//! A batch on its way in, and the bounds it is held to.

use alloc::{
    collections::BTreeSet,
    string::{String, ToString as _},
    vec::Vec,
};

use crate::{
    decide::{ParkReason, Refusal},
    digest::Digest,
    id::{AccountId, IntakeId, InvalidId},
    item::{Incoming, Item, ItemKey},
    time::Instant,
};

/// Bounds on what is taken in.
///
/// # Examples
///
/// ```
/// use billing_core::decide::Limits;
///
/// let limits = Limits { call_duration_ms_max: 24 * 60 * 60 * 1_000, ..Limits::default() };
/// assert_eq!(limits.batch_entries_max, 10_000);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest call, in milliseconds; longer ones are parked.
    pub call_duration_ms_max: u64,
    /// How far ahead of the clock an item may be dated, in milliseconds; those further ahead are parked.
    pub item_future_ms_max: u64,
    /// How far behind the clock an item may be dated, in milliseconds; those further behind are parked.
    pub item_past_ms_max: u64,
    /// Whether a pulse may report less than nothing.
    pub pulse_sign: PulseSign,
    /// How many groups one account's day may have, over all strategies; an item that would add another is parked.
    pub day_groups_max: usize,
    /// The largest batch; larger ones are refused whole.
    pub batch_entries_max: usize,
}

/// Which amounts a pulse may report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PulseSign {
    /// Zero and above; a negative amount is parked.
    NotNegative,
    /// Any: a source may take back what it reported.
    Any,
}

impl Default for Limits {
    /// Calls of up to 366 days, items dated from 366 days behind to a day ahead of the clock, pulses of nothing or more,
    /// 1 000 groups a day, batches of up to 10 000 entries.
    fn default() -> Self {
        const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
        Self {
            call_duration_ms_max: 366 * DAY_MS,
            item_future_ms_max: DAY_MS,
            item_past_ms_max: 366 * DAY_MS,
            pulse_sign: PulseSign::NotNegative,
            day_groups_max: 1_000,
            batch_entries_max: 10_000,
        }
    }
}

impl Limits {
    /// Refuses a batch that has too many entries, before anything is loaded for it.
    ///
    /// # Errors
    ///
    /// [`IngestError::TooLarge`].
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::decide::{Batch, IngestError, Limits, Refusal};
    ///
    /// # let refusal = Refusal { place: "line 1".into(), reason: "empty".into(), raw: String::new() };
    /// let batch = Batch { label: String::new(), entries: vec![Err(refusal.clone()), Err(refusal)] };
    /// assert_eq!(Limits::default().check(&batch), Ok(()));
    /// let limits = Limits { batch_entries_max: 1, ..Limits::default() };
    /// assert_eq!(limits.check(&batch), Err(IngestError::TooLarge { entries: 2, max: 1 }));
    /// ```
    pub const fn check(&self, batch: &Batch) -> Result<(), IngestError> {
        let (entries, max) = (batch.entries.len(), self.batch_entries_max);
        if entries > max { Err(IngestError::TooLarge { entries, max }) } else { Ok(()) }
    }

    /// Whether an item that came at an instant is within the bounds.
    pub(super) fn check_item(
        &self,
        item: &Item,
        came: Instant,
        now: Instant,
    ) -> Result<(), ParkReason> {
        let Self { item_future_ms_max, item_past_ms_max, .. } = *self;
        let at = item.at();
        // A call that is over ended in the past; one that ends in the far future would hold up every change of its prices.
        let ends = match item {
            Item::Call(call) => at.checked_add_ms(call.duration_ms).unwrap_or(Instant::MAX),
            Item::Pulse(_) | Item::OneOff(_) => at,
        };
        if now.checked_add_ms(item_future_ms_max).is_ok_and(|latest| ends > latest) {
            return Err(ParkReason::TooFarAhead { at: ends, max_ms: item_future_ms_max });
        }
        if came.checked_sub_ms(item_past_ms_max).is_ok_and(|earliest| at < earliest) {
            return Err(ParkReason::TooFarBack { at, max_ms: item_past_ms_max });
        }
        match item {
            Item::Call(call) => {
                let (duration_ms, max_ms) = (call.duration_ms, self.call_duration_ms_max);
                if duration_ms > max_ms {
                    return Err(ParkReason::TooLong { duration_ms, max_ms });
                }
            }
            Item::Pulse(pulse) => {
                let refused = self.pulse_sign == PulseSign::NotNegative;
                if refused && pulse.amount.is_negative() {
                    return Err(ParkReason::Negative { amount: pulse.amount });
                }
            }
            Item::OneOff(_) => {}
        }
        Ok(())
    }
}

/// A batch on its way in.
///
/// # Examples
///
/// ```
/// use billing_core::decide::{Batch, Refusal};
///
/// # use billing_core::item::CallEnded;
/// # let call: CallEnded = serde_json::from_str(
/// #     r#"{"key":{"source":"pbx","id":"1"},"account":"alice",
/// #         "call":{"start":"2026-10-05T08:00:00Z","duration_ms":4500000,"caller":"","callee":"",
/// #                 "disposition":"answered","direction":"outbound"}}"#,
/// # )?;
/// let refusal = Refusal {
///     place: "line 2".into(),
///     reason: "no column `start`".into(),
///     raw: "2;alice;;61".into(),
/// };
/// let batch = Batch { label: "cdr.csv".into(), entries: vec![Ok(call.into()), Err(refusal)] };
/// assert_eq!((batch.keys().len(), batch.accounts().len()), (1, 1));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// What the caller calls it, such as a file's name and lines.
    pub label: String,
    /// The entries: decoded items, and what could not be decoded.
    pub entries: Vec<Result<Incoming, Refusal>>,
}

impl Batch {
    /// The batch's id: the digest of its entries, so that the same batch has the same id.
    ///
    /// It covers the label too.
    ///
    /// # Errors
    ///
    /// Never for a digest; the error is that of any id.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::decide::Batch;
    ///
    /// let batch = Batch { label: "monday.csv".into(), entries: vec![] };
    /// let other = Batch { label: "tuesday.csv".into(), ..batch.clone() };
    /// assert_eq!(batch.id()?, batch.clone().id()?);
    /// assert_ne!(batch.id()?, other.id()?);
    /// # Ok::<(), billing_core::id::InvalidId>(())
    /// ```
    pub fn id(&self) -> Result<IntakeId, InvalidId> {
        let digest = self.entries.iter().fold(Digest::of(), |digest, entry| match entry {
            Ok(incoming) => digest
                .text(incoming.key.source.as_str())
                .text(incoming.key.id.as_str())
                .text(incoming.key.leg_text())
                .number(incoming.key.partial_number())
                .bytes(incoming.fingerprint().digest.as_bytes()),
            Err(refusal) => digest.text("refused").text(&refusal.place).text(&refusal.raw),
        });
        IntakeId::try_new(digest.text(&self.label).finish().to_string())
    }

    /// The keys of the decoded entries, each once, in order.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::{decide::Batch, item::CallEnded};
    ///
    /// # let call: CallEnded = serde_json::from_str(
    /// #     r#"{"key":{"source":"pbx","id":"1"},"account":"alice",
    /// #         "call":{"start":"2026-10-05T08:00:00Z","duration_ms":4500000,"caller":"","callee":"",
    /// #                 "disposition":"answered","direction":"outbound"}}"#,
    /// # )?;
    /// let entries = vec![Ok(call.clone().into()), Ok(call.into())];
    /// let batch = Batch { label: "twice".into(), entries };
    /// assert_eq!(batch.keys().len(), 1);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn keys(&self) -> BTreeSet<&ItemKey> {
        self.entries.iter().flatten().map(|incoming| &incoming.key).collect()
    }

    /// The accounts the decoded entries name, each once, in order.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::{decide::Batch, item::CallEnded};
    ///
    /// # let call: CallEnded = serde_json::from_str(
    /// #     r#"{"key":{"source":"pbx","id":"1"},"account":"alice",
    /// #         "call":{"start":"2026-10-05T08:00:00Z","duration_ms":4500000,"caller":"","callee":"",
    /// #                 "disposition":"answered","direction":"outbound"}}"#,
    /// # )?;
    /// let nobodys = CallEnded { account: None, ..call.clone() };
    /// let entries = vec![Ok(call.into()), Ok(nobodys.into())];
    /// let batch = Batch { label: "calls".into(), entries };
    /// assert_eq!(batch.accounts().into_iter().collect::<Vec<_>>(), [&"alice".parse()?]);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn accounts(&self) -> BTreeSet<&AccountId> {
        self.entries.iter().flatten().filter_map(|incoming| incoming.account.as_ref()).collect()
    }
}

/// A batch cannot be taken in at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IngestError {
    /// More entries than a batch may have.
    #[error("a batch of {entries} entries is too large: at most {max} are accepted")]
    TooLarge {
        /// How many it has.
        entries: usize,
        /// How many are accepted.
        max: usize,
    },
    /// An account's journal has no numbers left.
    #[error("the journal of account {account} is full")]
    JournalFull {
        /// The account.
        account: AccountId,
    },
    /// The digest was not accepted as an id.
    #[error(transparent)]
    Id(#[from] InvalidId),
}
