//! How far sinks have been told, and what a sink's answer makes of that.

use alloc::{borrow::ToOwned as _, string::String, vec::Vec};

use crate::{
    digest::Digest,
    id::{AccountId, SinkId},
    outbox::{Delivery, Failure, RetryPolicy},
    time::Instant,
};

/// How far a sink has been told of an account's journal.
///
/// It only moves forward. What stands behind it was taken by the sink, or is a [`DeadLetter`].
///
/// # Examples
///
/// ```
/// use billing_core::outbox::Cursor;
///
/// let cursor = Cursor::start("bus".parse()?, "alice".parse()?);
/// assert_eq!((cursor.seq, cursor.attempts), (0, 0));
/// # Ok::<(), billing_core::id::InvalidId>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Which sink.
    pub sink: SinkId,
    /// Whose journal.
    pub account: AccountId,
    /// The number of the last entry that is behind it; 0 before the first.
    pub seq: u64,
    /// How often the next entry was tried in vain.
    pub attempts: u32,
    /// When the next entry is tried again; at once if `None`.
    pub retry_at: Option<Instant>,
    /// Why it was not taken the last time.
    pub error: Option<String>,
}

impl Cursor {
    /// Where every sink begins: before the first entry.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::outbox::Cursor;
    ///
    /// assert_eq!(Cursor::start("bus".parse()?, "alice".parse()?).retry_at, None);
    /// # Ok::<(), billing_core::id::InvalidId>(())
    /// ```
    #[must_use]
    pub const fn start(sink: SinkId, account: AccountId) -> Self {
        Self { sink, account, seq: 0, attempts: 0, retry_at: None, error: None }
    }

    /// Everything up to a number is behind it.
    fn past(self, seq: u64) -> Self {
        if seq == self.seq { self } else { Self { seq, ..Self::start(self.sink, self.account) } }
    }
}

/// A message that a sink did not take, and that was skipped.
///
/// # Examples
///
/// ```
/// use billing_core::outbox::DeadLetter;
///
/// let letter = DeadLetter {
///     sink: "bus".parse()?,
///     account: "alice".parse()?,
///     seq: 7,
///     reason: "the endpoint answered 500".into(),
///     at: "2026-11-20T08:00:00Z".parse()?,
///     attempts: 20,
///     done: None,
/// };
/// assert_eq!(letter.done, None, "somebody should look at it");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Which sink.
    pub sink: SinkId,
    /// Whose journal.
    pub account: AccountId,
    /// The entry's place in it.
    pub seq: u64,
    /// Why it was not taken the last time.
    pub reason: String,
    /// When it was tried last.
    pub at: Instant,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was taken after all, or closed by hand.
    pub done: Option<Instant>,
}

impl DeadLetter {
    /// The letter after it was handed to the sink once more, alone.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::outbox::{DeadLetter, Delivery};
    ///
    /// # let letter = DeadLetter {
    /// #     sink: "bus".parse()?,
    /// #     account: "alice".parse()?,
    /// #     seq: 7,
    /// #     reason: "the endpoint answered 500".into(),
    /// #     at: "2026-11-20T08:00:00Z".parse()?,
    /// #     attempts: 20,
    /// #     done: None,
    /// # };
    /// let now = "2026-11-21T08:00:00Z".parse()?;
    /// let taken = Delivery { taken: 1, failure: None };
    /// assert_eq!(letter.told_again(&taken, now).done, Some(now));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn told_again(self, delivery: &Delivery, now: Instant) -> Self {
        let attempts = self.attempts.saturating_add(1);
        if delivery.taken > 0 {
            return Self { at: now, attempts, done: Some(now), ..self };
        }
        let reason = delivery.failure.as_ref().map_or(NO_REASON, Failure::reason);
        Self { at: now, attempts, reason: shorten(reason), ..self }
    }
}

/// One account's part of what a sink is handed: the entries behind the cursor, up to a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// How far the sink has been told.
    pub cursor: Cursor,
    /// The number of the last entry that it is handed.
    pub last: u64,
}

impl Turn {
    fn entries(&self) -> u64 {
        self.last.saturating_sub(self.cursor.seq)
    }
}

/// What a sink's answer makes of the turns it was handed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Cursors that are to be kept.
    pub cursors: Vec<Cursor>,
    /// The message that is skipped, if one is.
    pub dead: Option<DeadLetter>,
    /// What is to be handed next, in order.
    pub left: Vec<Turn>,
    /// Whether a message is to be tried again another time.
    pub retry: bool,
    /// The sink takes nothing any more, and why.
    pub gone: Option<String>,
}

/// Decides how the cursors move once a sink has answered.
///
/// What was taken is behind the cursor. Of an account whose next message failed nothing more is handed in this run, so that its
/// order holds: it is tried again after a [wait](RetryPolicy::wait_ms), or, after
/// [`attempts_max`](RetryPolicy::attempts_max) attempts or if it will never be taken, it becomes a dead letter and the account
/// goes on behind it. Other accounts are not held up. An answer of nothing taken and no failure counts as a failure.
///
/// `chance` spreads the waits, evenly over all values.
///
/// # Examples
///
/// ```
/// use billing_core::outbox::{Cursor, Delivery, Failure, RetryPolicy, Turn, progress};
///
/// let (policy, now) = (RetryPolicy::default(), "2026-11-20T08:00:00Z".parse()?);
/// let turn = |account: &str| -> Result<Turn, billing_core::id::InvalidId> {
///     Ok(Turn { cursor: Cursor::start("bus".parse()?, account.parse()?), last: 3 })
/// };
/// // Four were taken: all three of alice, and one of bob.
/// let busy = Failure::Retry { reason: "busy".into(), wait_ms: None };
/// let delivery = Delivery::failed_after(4, busy);
/// let next = progress(&[turn("alice")?, turn("bob")?, turn("carol")?], &delivery, &policy, now, 0);
///
/// let told: Vec<_> = next.cursors.iter().map(|cursor| (cursor.seq, cursor.attempts)).collect();
/// assert_eq!(told, [(3, 0), (1, 1)]);
/// assert_eq!(next.left, [turn("carol")?]);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[must_use]
pub fn progress(
    turns: &[Turn],
    delivery: &Delivery,
    policy: &RetryPolicy,
    now: Instant,
    chance: u32,
) -> Progress {
    let mut next = Progress::default();
    let mut taken = u64::try_from(delivery.taken).unwrap_or(u64::MAX);
    let nothing = Failure::Retry { reason: NO_REASON.to_owned(), wait_ms: None };
    let failure = match &delivery.failure {
        None if taken == 0 => Some(&nothing),
        failure => failure.as_ref(),
    };
    let mut rest = turns.iter();
    for turn in rest.by_ref() {
        let of_turn = taken.min(turn.entries());
        taken = taken.saturating_sub(of_turn);
        let seq = turn.cursor.seq.saturating_add(of_turn);
        let cursor = turn.cursor.clone().past(seq);
        if seq >= turn.last {
            next.cursors.push(cursor);
            continue;
        }
        if let Some(failure) = failure {
            next.fail(cursor, failure, policy, now, chance);
        } else {
            next.left.push(Turn { cursor: cursor.clone(), last: turn.last });
            next.cursors.push(cursor);
        }
        break;
    }
    if let Some(Failure::Gone { reason }) = failure {
        next.gone = Some(shorten(reason));
    }
    next.left.extend(rest.cloned());
    next
}

impl Progress {
    /// The entry behind the cursor was not taken.
    fn fail(
        &mut self,
        cursor: Cursor,
        failure: &Failure,
        policy: &RetryPolicy,
        now: Instant,
        chance: u32,
    ) {
        let reason = shorten(failure.reason());
        let attempts = cursor.attempts.saturating_add(1);
        let (attempts, wait_ms) = match failure {
            Failure::Never { .. } => return self.skip(cursor, reason, attempts, now),
            Failure::Retry { .. } if attempts >= policy.attempts_max => {
                return self.skip(cursor, reason, attempts, now);
            }
            Failure::Retry { wait_ms: asked, .. } => {
                let chance = spread(&cursor, chance);
                (attempts, policy.wait_ms(attempts, asked.unwrap_or(0), chance))
            }
            // The message is not to blame.
            Failure::Gone { .. } => (cursor.attempts, policy.wait_max_ms),
        };
        self.retry = true;
        let retry_at = Some(now.checked_add_ms(wait_ms).unwrap_or(Instant::MAX));
        self.cursors.push(Cursor { attempts, retry_at, error: Some(reason), ..cursor });
    }

    fn skip(&mut self, cursor: Cursor, reason: String, attempts: u32, at: Instant) {
        let Cursor { sink, account, seq, .. } = cursor.clone();
        let seq = seq.saturating_add(1);
        self.dead = Some(DeadLetter { sink, account, seq, reason, at, attempts, done: None });
        self.cursors.push(cursor.past(seq));
    }
}

const NO_REASON: &str = "the sink took nothing and gave no reason";

/// How much of a reason is kept, in characters.
const REASON_MAX: usize = 500;

/// The beginning of a reason, in one line; not every database takes every control character.
fn shorten(reason: &str) -> String {
    let kept = reason.chars().take(REASON_MAX);
    kept.map(|character| if character.is_control() { ' ' } else { character }).collect()
}

/// Another chance for each account, so that those that failed together do not come back together.
fn spread(cursor: &Cursor, chance: u32) -> u32 {
    let digest = Digest::of().text(cursor.account.as_str()).number(chance).finish();
    let bytes = digest.as_bytes().first_chunk().copied().unwrap_or_default();
    u32::from_be_bytes(bytes)
}
