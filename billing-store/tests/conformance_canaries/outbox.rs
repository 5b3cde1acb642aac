//! What a defect makes of the outbox: leases, cursors and epochs.

use async_trait::async_trait;

use billing_core::{
    decide::Writes,
    id::{AccountId, EpochId, SinkId},
    outbox::{Cursor, DeadLetter, Lease},
    time::Instant,
};
use billing_store::{
    StoreError, StoreResult,
    outbox::{Epochs, OutboxFacts},
};

use crate::{
    Defect,
    store::{Canary, Wrapped},
};

impl Wrapped {
    pub(crate) async fn pass_over_relays(&mut self, writes: &mut Writes) -> StoreResult<()> {
        let Some(relayed) = &mut writes.relayed else { return Ok(()) };
        if self.defect == Defect::IgnoresTheLease {
            let leases = self.unit().await?.leases().await?;
            let there = leases.iter().find(|lease| lease.sink == relayed.lease.lease.sink);
            relayed.lease.expected = there.map(|lease| lease.token);
            return Ok(());
        }
        for cursor in std::mem::take(&mut relayed.cursors) {
            let stored = self.unit().await?.cursors_of(&cursor.account).await?;
            let is_old = |stored: &Cursor| stored.sink == cursor.sink && stored.seq > cursor.seq;
            if !stored.iter().any(is_old) {
                relayed.cursors.push(cursor);
            }
        }
        Ok(())
    }
}

#[async_trait]
impl OutboxFacts for Wrapped {
    async fn epoch(&mut self) -> StoreResult<EpochId> {
        self.facts().await?.epoch().await
    }

    async fn leases(&mut self) -> StoreResult<Vec<Lease>> {
        self.facts().await?.leases().await
    }

    async fn behind(
        &mut self,
        sink: &SinkId,
        now: Instant,
        after: Option<&AccountId>,
        limit: u32,
    ) -> StoreResult<Vec<Cursor>> {
        let now = if self.defect == Defect::ForgetsToWait { Instant::MAX } else { now };
        self.facts().await?.behind(sink, now, after, limit).await
    }

    async fn cursors_of(&mut self, account: &AccountId) -> StoreResult<Vec<Cursor>> {
        self.facts().await?.cursors_of(account).await
    }

    async fn dead_letters(
        &mut self,
        sink: &SinkId,
        after: Option<(&AccountId, u64)>,
        limit: u32,
    ) -> StoreResult<Vec<DeadLetter>> {
        self.facts().await?.dead_letters(sink, after, limit).await
    }

    async fn dead_letters_of(&mut self, account: &AccountId) -> StoreResult<Vec<DeadLetter>> {
        self.facts().await?.dead_letters_of(account).await
    }
}

#[async_trait]
impl Epochs for Canary {
    async fn begin_epoch(&self, epoch: &EpochId, at: Instant) -> StoreResult<()> {
        match self.store.begin_epoch(epoch, at).await {
            Err(StoreError::Refused { .. }) if self.defect == Defect::IgnoresDoubleEpochs => Ok(()),
            answer => answer,
        }
    }
}
