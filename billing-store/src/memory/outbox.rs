//! What the memory store keeps of the outbox: leases, cursors, dead letters, and the epochs of the store.

use std::{collections::BTreeMap, ops::Bound, sync::PoisonError};

use async_trait::async_trait;

use billing_core::{
    id::{AccountId, EpochId, SinkId},
    outbox::{Cursor, DeadLetter, Lease, LeaseMove, Relayed},
    time::Instant,
};

use crate::{
    error::{StoreError, StoreResult},
    memory::{
        MemoryStore, MemoryUnit,
        state::{Put, State, size},
    },
    outbox::{Epochs, OutboxFacts},
};

/// The epochs that were begun, in order.
pub(super) type Begun = std::sync::Mutex<Vec<EpochId>>;

#[derive(Clone, Debug, Default)]
pub(super) struct Tables {
    leases: BTreeMap<SinkId, Lease>,
    cursors: BTreeMap<(SinkId, AccountId), Cursor>,
    dead_letters: BTreeMap<(SinkId, AccountId, u64), DeadLetter>,
}

impl Put<'_> {
    pub(super) fn outbox(
        &mut self,
        relayed: Option<&Relayed>,
        dead_letters: &[DeadLetter],
    ) -> StoreResult<()> {
        if let Some(Relayed { lease, skip_the_past, cursors, dead_letters }) = relayed {
            self.lease(lease)?;
            if *skip_the_past {
                self.skip_the_past(&lease.lease.sink);
            }
            cursors.iter().try_for_each(|cursor| self.cursor(cursor))?;
            self.dead_letters(dead_letters);
        }
        self.dead_letters(dead_letters);
        Ok(())
    }

    fn lease(&mut self, LeaseMove { expected, lease }: &LeaseMove) -> StoreResult<()> {
        let token = self.state.outbox.leases.get(&lease.sink).map(|lease| lease.token);
        if token != *expected {
            return refused("the lease is another's");
        }
        self.set(|s| &mut s.outbox.leases, lease.sink.clone(), Some(lease.clone()));
        Ok(())
    }

    fn skip_the_past(&mut self, sink: &SinkId) {
        let state = &*self.state;
        let unknown = |account: &AccountId| {
            !state.outbox.cursors.contains_key(&(sink.clone(), account.clone()))
        };
        let heads = state.heads.iter().filter(|(account, _)| unknown(account));
        let ends: Vec<_> = heads.map(|(account, head)| (account.clone(), head.seq)).collect();
        for (account, seq) in ends {
            let key = (sink.clone(), account.clone());
            let cursor = Cursor { seq, ..Cursor::start(sink.clone(), account) };
            self.set(|s| &mut s.outbox.cursors, key, Some(cursor));
        }
    }

    fn cursor(&mut self, cursor: &Cursor) -> StoreResult<()> {
        let key = (cursor.sink.clone(), cursor.account.clone());
        let stored = self.state.outbox.cursors.get(&key);
        if stored.is_some_and(|stored| stored.seq > cursor.seq) {
            return refused("a cursor moves forward");
        }
        self.set(|s| &mut s.outbox.cursors, key, Some(cursor.clone()));
        Ok(())
    }

    fn dead_letters(&mut self, letters: &[DeadLetter]) {
        for letter in letters {
            let key = (letter.sink.clone(), letter.account.clone(), letter.seq);
            let stored = self.state.outbox.dead_letters.get(&key);
            let done = stored.and_then(|stored| stored.done).or(letter.done);
            let letter = DeadLetter { done, ..letter.clone() };
            self.set(|s| &mut s.outbox.dead_letters, key, Some(letter));
        }
    }
}

fn refused(what: &str) -> StoreResult<()> {
    Err(StoreError::Refused { what: what.into(), source: None })
}

impl State {
    fn behind(
        &self,
        sink: &SinkId,
        now: Instant,
        after: Option<&AccountId>,
        limit: u32,
    ) -> Vec<Cursor> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let heads = self.heads.range::<AccountId, _>((from, Bound::Unbounded));
        let cursors = heads.filter_map(|(account, head)| {
            let stored = self.outbox.cursors.get(&(sink.clone(), account.clone()));
            let start = || Cursor::start(sink.clone(), account.clone());
            let cursor = stored.cloned().unwrap_or_else(start);
            let is_due = cursor.retry_at.is_none_or(|at| at <= now);
            (head.seq > cursor.seq && is_due).then_some(cursor)
        });
        cursors.take(size(limit)).collect()
    }
}

#[async_trait]
impl OutboxFacts for MemoryUnit {
    async fn epoch(&mut self) -> StoreResult<EpochId> {
        let begun = self.epochs.lock().unwrap_or_else(PoisonError::into_inner).last().cloned();
        let none = || StoreError::Corrupt { what: "the store has no epoch".into(), source: None };
        begun.map_or_else(|| EpochId::try_new(FIRST).ok().ok_or_else(none), Ok)
    }

    async fn leases(&mut self) -> StoreResult<Vec<Lease>> {
        Ok(self.state().outbox.leases.values().cloned().collect())
    }

    async fn behind(
        &mut self,
        sink: &SinkId,
        now: Instant,
        after: Option<&AccountId>,
        limit: u32,
    ) -> StoreResult<Vec<Cursor>> {
        Ok(self.state().behind(sink, now, after, limit))
    }

    async fn cursors_of(&mut self, account: &AccountId) -> StoreResult<Vec<Cursor>> {
        let cursors = self.state().outbox.cursors.values();
        Ok(cursors.filter(|cursor| cursor.account == *account).cloned().collect())
    }

    async fn dead_letters(
        &mut self,
        sink: &SinkId,
        after: Option<(&AccountId, u64)>,
        limit: u32,
    ) -> StoreResult<Vec<DeadLetter>> {
        let letters = self.state().outbox.dead_letters.values();
        let open = letters.filter(|letter| letter.sink == *sink && letter.done.is_none());
        let later = open.filter(|letter| after.is_none_or(|a| (&letter.account, letter.seq) > a));
        Ok(later.take(size(limit)).cloned().collect())
    }

    async fn dead_letters_of(&mut self, account: &AccountId) -> StoreResult<Vec<DeadLetter>> {
        let letters = self.state().outbox.dead_letters.values();
        Ok(letters.filter(|letter| letter.account == *account).cloned().collect())
    }
}

#[async_trait]
impl Epochs for MemoryStore {
    async fn begin_epoch(&self, epoch: &EpochId, _at: Instant) -> StoreResult<()> {
        let mut begun = self.epochs.lock().unwrap_or_else(PoisonError::into_inner);
        if epoch.as_str() == FIRST || begun.contains(epoch) {
            return refused("the epoch was begun before");
        }
        begun.push(epoch.clone());
        Ok(())
    }
}

/// The epoch that begins with the store.
const FIRST: &str = "first";
