//! The ports of the outbox: what a relay asks of a store, and the epochs of a store's life.

use std::sync::Arc;

use async_trait::async_trait;

use billing_core::{
    id::{AccountId, EpochId, SinkId},
    outbox::{Cursor, DeadLetter, Lease},
    time::Instant,
};

use crate::error::StoreResult;

/// What a relay may ask about one tenant's outbox.
///
/// # Examples
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// use billing_core::id::TenantId;
/// use billing_store::{MemoryStore, store::Store};
///
/// let store = MemoryStore::new();
/// let mut facts = store.read(&TenantId::try_new("acme")?).await?;
/// assert_eq!(facts.leases().await?, []);
/// assert_eq!(facts.dead_letters(&"bus".parse()?, None, 10).await?, []);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[async_trait]
pub trait OutboxFacts: Send {
    /// The store's epoch.
    async fn epoch(&mut self) -> StoreResult<EpochId>;

    /// The leases of all sinks that were ever relayed to, in order of the sinks as bytes.
    async fn leases(&mut self) -> StoreResult<Vec<Lease>>;

    /// Cursors of a sink whose accounts have entries behind them and that are due, in order of the accounts as bytes, after one of
    /// them. An account that the sink was told nothing of stands at the start.
    async fn behind(
        &mut self,
        sink: &SinkId,
        now: Instant,
        after: Option<&AccountId>,
        limit: u32,
    ) -> StoreResult<Vec<Cursor>>;

    /// The cursors of an account, in order of the sinks as bytes.
    async fn cursors_of(&mut self, account: &AccountId) -> StoreResult<Vec<Cursor>>;

    /// Dead letters of a sink that are not done, in order of account and number, after one of them.
    async fn dead_letters(
        &mut self,
        sink: &SinkId,
        after: Option<(&AccountId, u64)>,
        limit: u32,
    ) -> StoreResult<Vec<DeadLetter>>;

    /// The dead letters of an account, those that are done too, in order of sink and number.
    async fn dead_letters_of(&mut self, account: &AccountId) -> StoreResult<Vec<DeadLetter>>;
}

/// The epochs of a store: what keeps the ids of events apart that happened before and after a backup was restored.
///
/// # Examples
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// use billing_core::id::TenantId;
/// use billing_store::{MemoryStore, outbox::Epochs, store::Store};
///
/// let (store, now) = (MemoryStore::new(), "2026-11-20T08:00:00Z".parse()?);
/// let acme = TenantId::try_new("acme")?;
/// assert_eq!(store.read(&acme).await?.epoch().await?.as_str(), "first");
///
/// store.begin_epoch(&"2026-11-20-restore".parse()?, now).await?;
/// assert_eq!(store.read(&acme).await?.epoch().await?.as_str(), "2026-11-20-restore");
/// assert!(store.begin_epoch(&"first".parse()?, now).await.is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[async_trait]
pub trait Epochs: Send + Sync {
    /// Begins an epoch; the first one, `first`, begins with the schema.
    ///
    /// One that was begun before is [`StoreError::Refused`](crate::StoreError::Refused).
    async fn begin_epoch(&self, epoch: &EpochId, at: Instant) -> StoreResult<()>;
}

#[async_trait]
impl<S: Epochs + ?Sized> Epochs for Arc<S> {
    async fn begin_epoch(&self, epoch: &EpochId, at: Instant) -> StoreResult<()> {
        (**self).begin_epoch(epoch, at).await
    }
}
