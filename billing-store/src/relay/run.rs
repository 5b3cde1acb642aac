//! A relay at work: takes its lease, reads what is due, hands it over, and moves the cursors.

use core::{future::poll_fn, task::Poll};
use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use tokio::sync::Mutex;

use billing_core::{
    decide::Writes,
    event::JournalEntry,
    id::{AccountId, EpochId, SinkId},
    outbox::{
        Cursor, DeadLetter, Delivery, Failure, Lease, LeaseMove, Lent, Message, Progress, Relayed,
        Turn, lend, progress,
    },
    time::Instant,
};

use crate::{
    answer::{Error, Result},
    billing::Tenant,
    error::StoreError,
    relay::{RelayOptions, Sink, Start},
    store::{Facts, Locks},
};

/// Hands one tenant's events to one sink, at least once and in order per account.
///
/// The host drives it: it calls [`run_once`](Self::run_once) while there is more, waits a little, and calls it again. No task is
/// spawned, and no clock is read. Any number of processes may do so for the same sink: a lease sees to it that one of them delivers
/// at a time, and another takes over when it has died, within the lease and one poll.
///
/// An event is delivered under the same id until the sink has taken it: again after a crash between the delivery and the note of
/// it, so receivers pass over ids they know. Of each account the events come in the order of their numbers and without a gap, but
/// for dead letters: messages that failed too often are skipped, [listed](Tenant::dead_letters), and told
/// [again](Self::redeliver) when somebody has mended the reason.
///
/// # Examples
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// use std::sync::{Arc, Mutex};
///
/// use billing_core::plan::PlanBook;
/// use billing_store::relay::{Listeners, Relay, RelayOptions};
/// # use billing_store::{Billing, MemoryStore, clock::SetClock};
///
/// # let clock = SetClock::at("2026-11-20T08:00:00Z".parse()?);
/// # let acme = Billing::new(MemoryStore::new(), PlanBook::standard(), clock).tenant("acme")?;
/// acme.open_account(&serde_json::from_str(
///     r#"{"id":"alice","currency":"EUR","zone":"UTC","anchor":{"from":"2026-10-01","months":1}}"#,
/// )?).await?;
///
/// let heard = Arc::new(Mutex::new(Vec::new()));
/// let kept = Arc::clone(&heard);
/// let listeners = Listeners::new().and(move |message| {
///     kept.lock().unwrap().push(message.kind.clone());
///     Ok(())
/// });
/// let options = RelayOptions::new("process 1".parse()?);
/// let relay = Relay::new(acme.clone(), "listeners".parse()?, Arc::new(listeners), options);
///
/// let (now, chance) = (acme.now(), 4);
/// while relay.run_once(now, chance).await?.more {}
/// assert_eq!(*heard.lock().unwrap(), ["account.opened"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Relay {
    tenant: Tenant,
    id: SinkId,
    sink: Arc<dyn Sink>,
    options: RelayOptions,
    place: Mutex<Place>,
}

/// What a relay remembers from run to run; everything else is in the store.
#[derive(Debug)]
struct Place {
    /// The token of its lease, or of one it tried to take.
    token: Option<u64>,
    /// The account its last run ended with, so that a busy account does not keep others waiting.
    after: Option<AccountId>,
    /// How many messages the next run may have: as many as the sink takes in a small part of the lease.
    messages: u32,
}

impl Place {
    /// How many messages the first run may have, before it is known how fast the sink is.
    const MESSAGES: u32 = 64;

    const fn new() -> Self {
        Self { token: None, after: None, messages: Self::MESSAGES }
    }

    /// Gives the next run more or fewer messages, so that it ends long before the lease does.
    fn pace(&mut self, took_ms: u64, options: &RelayOptions) {
        let parts_of_lease = took_ms.saturating_mul(8);
        if parts_of_lease > options.lease_ms.saturating_mul(2) {
            self.messages = self.messages.checked_shr(1).unwrap_or(0).max(1);
        } else if parts_of_lease < options.lease_ms {
            self.messages = self.messages.saturating_mul(2).min(options.messages_max.max(1));
        }
    }
}

/// What one run has done.
///
/// # Examples
///
/// ```
/// use billing_store::relay::Delivered;
///
/// let delivered = Delivered::default();
/// assert!(!delivered.more, "an idle run asks for a pause");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// How many messages the sink took.
    pub messages: u64,
    /// Of how many accounts.
    pub accounts: u64,
    /// How many accounts wait for another attempt since this run.
    pub retry: u64,
    /// How many messages became dead letters in this run.
    pub dead: u64,
    /// Whether another run may find more at once.
    pub more: bool,
    /// Who relays to the sink instead; then nothing was done, or what was delivered will be delivered again.
    pub held: Option<Lease>,
    /// The sink takes nothing any more, and why: stop relaying to it until that is mended.
    pub gone: Option<String>,
}

impl Relay {
    /// A relay of a tenant's events to a sink, which keeps its cursors under `id`.
    #[must_use]
    pub fn new(tenant: Tenant, id: SinkId, sink: Arc<dyn Sink>, options: RelayOptions) -> Self {
        Self { tenant, id, sink, options, place: Mutex::new(Place::new()) }
    }

    /// Delivers what is due, up to the limits of one run.
    ///
    /// `chance` is any number; it spreads the waits after failures. Runs of one relay follow one another. A run may be dropped at
    /// any point: what the sink took and the store does not know is delivered again.
    ///
    /// # Errors
    ///
    /// [`Error::Store`]; what was delivered may be delivered again.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// use std::sync::Arc;
    ///
    /// use billing_store::relay::{Listeners, Relay, RelayOptions};
    /// # use billing_core::plan::PlanBook;
    /// # use billing_store::{Billing, MemoryStore, clock::SystemClock};
    ///
    /// # let acme = Billing::new(MemoryStore::new(), PlanBook::standard(), SystemClock).tenant("acme")?;
    /// let options = RelayOptions::new("process 1".parse()?);
    /// let relay = Relay::new(acme, "nobody".parse()?, Arc::new(Listeners::new()), options);
    /// let delivered = relay.run_once("2026-11-20T08:00:00Z".parse()?, 4).await?;
    /// assert_eq!((delivered.messages, delivered.more), (0, false));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn run_once(&self, now: Instant, chance: u32) -> Result<Delivered> {
        let mut place = self.place.lock().await;
        if let Some(held) = self.take_lease(&mut place, now).await? {
            return Ok(Delivered { held: Some(held), ..Delivered::default() });
        }
        let began_after = place.after.take();
        let page = self.page(began_after.as_ref(), now, place.messages).await?;
        let is_last = page.is_last;
        let began = self.tenant.now();
        let mut run = self.deliver(page, now, chance).await;
        let took_ms = began.millis_until(self.tenant.now()).unwrap_or(0);
        place.pace(took_ms, &self.options);
        // The lease begins anew where the sink has answered, however long that took.
        let now = now.checked_add_ms(took_ms).unwrap_or(now);
        if !is_last || run.gave_up {
            place.after.clone_from(&run.after);
        }
        let more = !is_last || began_after.is_some() || run.delivered.dead > 0;
        let mut delivered = core::mem::take(&mut run.delivered);
        // A sink that is down is left alone for a while.
        delivered.more = more && !run.gave_up;
        delivered.accounts = u64::try_from(run.cursors.len()).unwrap_or(u64::MAX);
        if !run.cursors.is_empty() {
            delivered.held = self.keep(&mut place, now, run).await?;
        }
        Ok(delivered)
    }

    /// Gives the lease up, so that another relay need not wait for it to run out.
    ///
    /// # Errors
    ///
    /// [`Error::Store`]; then it runs out by itself.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # use std::sync::Arc;
    /// # use billing_core::plan::PlanBook;
    /// # use billing_store::relay::{Listeners, Relay, RelayOptions};
    /// # use billing_store::{Billing, MemoryStore, clock::SystemClock};
    /// # let acme = Billing::new(MemoryStore::new(), PlanBook::standard(), SystemClock).tenant("acme")?;
    /// let new = |holder: &str| -> Result<Relay, billing_core::id::InvalidId> {
    ///     let options = RelayOptions::new(holder.parse()?);
    ///     Ok(Relay::new(acme.clone(), "bus".parse()?, Arc::new(Listeners::new()), options))
    /// };
    /// let (one, two) = (new("process 1")?, new("process 2")?);
    /// let now = "2026-11-20T08:00:00Z".parse()?;
    /// assert_eq!(one.run_once(now, 4).await?.held, None);
    /// assert!(two.run_once(now, 4).await?.held.is_some());
    /// one.release(now).await?;
    /// assert_eq!(two.run_once(now, 4).await?.held, None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn release(&self, now: Instant) -> Result<()> {
        let mut place = self.place.lock().await;
        let lease = self.lease(&mut *self.tenant.read().await?).await?;
        let Some(lease) = lease.filter(|lease| self.is_mine(lease, &place)) else { return Ok(()) };
        let expected = Some(lease.token);
        let lease = Lease { until: now, ..lease };
        self.apply(Relayed::lease(LeaseMove { expected, lease })).await?;
        place.token = None;
        Ok(())
    }

    /// Hands a dead letter to the sink once more, alone and out of its account's order.
    ///
    /// What the sink takes is done. It needs no lease: told twice at once, it may be delivered twice.
    ///
    /// # Errors
    ///
    /// [`Error::Store`]; [`Error::NoDeadLetter`] if there is none that is not done.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// use std::sync::{Arc, atomic::{AtomicBool, Ordering}};
    ///
    /// use billing_core::outbox::RetryPolicy;
    /// use billing_store::relay::{Listeners, Relay, RelayOptions};
    /// # use billing_core::plan::PlanBook;
    /// # use billing_store::{Billing, MemoryStore, clock::SystemClock};
    ///
    /// # let acme = Billing::new(MemoryStore::new(), PlanBook::standard(), SystemClock).tenant("acme")?;
    /// # acme.open_account(&serde_json::from_str(
    /// #     r#"{"id":"alice","currency":"EUR","zone":"UTC","anchor":{"from":"2026-10-01","months":1}}"#,
    /// # )?).await?;
    /// let mended = Arc::new(AtomicBool::new(false));
    /// let is_mended = Arc::clone(&mended);
    /// let listener = Listeners::new().and(move |_| match is_mended.load(Ordering::SeqCst) {
    ///     true => Ok(()),
    ///     false => Err("not yet".into()),
    /// });
    /// let retry = RetryPolicy { attempts_max: 1, ..RetryPolicy::default() };
    /// let options = RelayOptions { retry, ..RelayOptions::new("process 1".parse()?) };
    /// let relay = Relay::new(acme.clone(), "books".parse()?, Arc::new(listener), options);
    ///
    /// let now = "2026-11-20T08:00:00Z".parse()?;
    /// assert_eq!(relay.run_once(now, 4).await?.dead, 1);
    /// let letters = acme.dead_letters(&"books".parse()?, None, 10).await?;
    /// mended.store(true, Ordering::SeqCst);
    /// let letter = relay.redeliver(&letters[0].account, letters[0].seq, now).await?;
    /// assert_eq!(letter.done, Some(now));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn redeliver(
        &self,
        account: &AccountId,
        seq: u64,
        now: Instant,
    ) -> Result<DeadLetter> {
        let mut facts = self.tenant.read().await?;
        let letter = self.tenant.open_letter(&mut *facts, &self.id, account, seq).await?;
        let entry = facts.journal(account, seq.saturating_sub(1), 1).await?;
        let entry = entry.into_iter().find(|entry| entry.seq() == seq);
        let entry = entry.ok_or_else(|| gap(account, seq))?;
        let message = Message::of(&facts.epoch().await?, self.tenant.id(), &entry);
        drop(facts);
        let delivery = self.ask(core::slice::from_ref(&message)).await;
        let letter = letter.told_again(&delivery, now);
        self.tenant.keep_letter(letter.clone()).await?;
        Ok(letter)
    }

    /// Takes or prolongs the lease; answers that of somebody else.
    async fn take_lease(&self, place: &mut Place, now: Instant) -> Result<Option<Lease>> {
        let current = self.lease(&mut *self.tenant.read().await?).await?;
        let mine = current.as_ref().filter(|lease| self.is_mine(lease, place));
        // Prolonged when half of it is over, so that an idle relay does not write at each poll.
        let half_ms = self.options.lease_ms.checked_shr(1).unwrap_or(0);
        let left_ms = mine.and_then(|lease| now.millis_until(lease.until));
        if left_ms.is_some_and(|left| left > half_ms) {
            return Ok(None);
        }
        self.keep(place, now, Run::default()).await
    }

    /// Writes what a run has moved, under the lease; answers the lease of somebody else, and then nothing is written.
    async fn keep(&self, place: &mut Place, now: Instant, run: Run) -> Result<Option<Lease>> {
        let mut unit = self.tenant.begin(&Locks::default()).await?;
        let current = self.lease(&mut *unit).await?;
        let RelayOptions { holder, lease_ms, start, .. } = &self.options;
        let lent = lend(current.as_ref(), place.token, &self.id, holder, now, *lease_ms);
        let lease = match lent {
            Lent::Mine(lease) => lease,
            Lent::Held(lease) => return Ok(Some(lease)),
        };
        let taken_over = lease.expected.is_some() && Some(lease.lease.token) != place.token;
        if taken_over && !run.cursors.is_empty() {
            // It went to another and came back: what this run has read is old.
            return Ok(current);
        }
        // Before the commit, whose answer may be lost.
        place.token = Some(lease.lease.token);
        let relayed = Relayed {
            skip_the_past: lease.expected.is_none() && *start == Start::Now,
            cursors: run.cursors.into_values().collect(),
            dead_letters: run.dead_letters,
            lease,
        };
        match unit.apply(&Writes { relayed: Some(relayed), ..Writes::default() }).await {
            Ok(()) => {}
            Err(error @ StoreError::Refused { .. }) => {
                drop(unit);
                // Another may have been first by a moment.
                let current = self.lease(&mut *self.tenant.read().await?).await?;
                let others = current.filter(|lease| !self.is_mine(lease, place));
                return others.map_or(Err(Error::Store(error)), |lease| Ok(Some(lease)));
            }
            Err(error) => return Err(Error::Store(error)),
        }
        unit.commit().await?;
        Ok(None)
    }

    async fn apply(&self, relayed: Relayed) -> Result<()> {
        let mut unit = self.tenant.begin(&Locks::default()).await?;
        unit.apply(&Writes { relayed: Some(relayed), ..Writes::default() }).await?;
        Ok(unit.commit().await?)
    }

    async fn lease<F: Facts + ?Sized>(&self, facts: &mut F) -> Result<Option<Lease>> {
        let leases = facts.leases().await?;
        Ok(leases.into_iter().find(|lease| lease.sink == self.id))
    }

    fn is_mine(&self, lease: &Lease, place: &Place) -> bool {
        Some(lease.token) == place.token && lease.holder == self.options.holder
    }

    /// What is due, in pages of accounts that begin where the last one ended.
    async fn page(&self, after: Option<&AccountId>, now: Instant, messages: u32) -> Result<Page> {
        let accounts_max = self.options.accounts_max.max(1);
        let mut left = self.options.messages_max.min(messages).max(1);
        let mut facts = self.tenant.read().await?;
        let epoch = facts.epoch().await?;
        let cursors = facts.behind(&self.id, now, after, accounts_max).await?;
        let mut is_last = u32::try_from(cursors.len()).is_ok_and(|found| found < accounts_max);
        let (mut turns, mut entries) = (Vec::new(), Vec::new());
        for cursor in cursors {
            if left == 0 {
                is_last = false;
                break;
            }
            let behind = facts.journal(&cursor.account, cursor.seq, left).await?;
            check_order(&cursor, &behind)?;
            left = left.saturating_sub(u32::try_from(behind.len()).unwrap_or(u32::MAX));
            if let Some(last) = behind.last().map(JournalEntry::seq) {
                turns.push(Turn { cursor, last });
            }
            entries.extend(behind);
        }
        Ok(Page { epoch, turns, entries, is_last: is_last && left > 0 })
    }

    /// Hands turns to the sink until all have had theirs, or too many failed. No lock of the store is held meanwhile.
    async fn deliver(&self, page: Page, now: Instant, chance: u32) -> Run {
        let Page { epoch, mut turns, entries, .. } = page;
        let mut run = Run::default();
        let mut failures = 0_u32;
        while !turns.is_empty() {
            let messages = self.messages(&epoch, &turns, &entries);
            let delivery = self.ask(&messages).await;
            let next = progress(&turns, &delivery, &self.options.retry, now, chance);
            run.add(delivery.taken.min(messages.len()), &next);
            let failed = next.retry || next.dead.is_some();
            failures = failures.saturating_add(failed.into());
            for cursor in next.cursors {
                run.after = Some(cursor.account.clone());
                drop(run.cursors.insert(cursor.account.clone(), cursor));
            }
            run.dead_letters.extend(next.dead);
            turns = next.left;
            if failures >= self.options.failures_max.max(1) || run.delivered.gone.is_some() {
                run.gave_up = true;
                break;
            }
        }
        run
    }

    fn messages(&self, epoch: &EpochId, turns: &[Turn], entries: &[JournalEntry]) -> Vec<Message> {
        let is_of = |entry: &JournalEntry, turn: &Turn| {
            let (account, after) = (&turn.cursor.account, turn.cursor.seq);
            entry.account() == account && after < entry.seq() && entry.seq() <= turn.last
        };
        // Both stand in the order of the accounts.
        let due = entries.iter().filter(|entry| turns.iter().any(|turn| is_of(entry, turn)));
        due.map(|entry| Message::of(epoch, self.tenant.id(), entry)).collect()
    }

    /// A sink that panics has failed, and no more than that.
    async fn ask(&self, messages: &[Message]) -> Delivery {
        let mut answer = self.sink.deliver(messages);
        poll_fn(|context| {
            let polled = catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(context)));
            polled.unwrap_or_else(|_| {
                let reason = "the sink panicked".to_owned();
                Poll::Ready(Delivery::failed_after(0, Failure::Retry { reason, wait_ms: None }))
            })
        })
        .await
    }
}

/// What is due, as read.
struct Page {
    epoch: EpochId,
    turns: Vec<Turn>,
    entries: Vec<JournalEntry>,
    /// Whether nothing is due behind it.
    is_last: bool,
}

/// What a run has done so far.
#[derive(Default)]
struct Run {
    delivered: Delivered,
    cursors: BTreeMap<AccountId, Cursor>,
    dead_letters: Vec<DeadLetter>,
    /// The account it has come to.
    after: Option<AccountId>,
    /// Whether it ended because too much failed.
    gave_up: bool,
}

impl Run {
    fn add(&mut self, taken: usize, next: &Progress) {
        let Delivered { messages, retry, dead, gone, .. } = &mut self.delivered;
        *messages = messages.saturating_add(u64::try_from(taken).unwrap_or(u64::MAX));
        *retry = retry.saturating_add(next.retry.into());
        *dead = dead.saturating_add(next.dead.is_some().into());
        gone.clone_from(&next.gone);
    }
}

/// What is handed over follows the cursor without a gap.
fn check_order(cursor: &Cursor, entries: &[JournalEntry]) -> Result<()> {
    let mut due = cursor.seq;
    for entry in entries {
        due = due.saturating_add(1);
        if entry.seq() != due {
            return Err(gap(&cursor.account, due));
        }
    }
    Ok(())
}

fn gap(account: &AccountId, seq: u64) -> Error {
    let what = format!("entry {seq} of the journal of account {account} is missing");
    Error::Store(StoreError::Corrupt { what, source: None })
}
