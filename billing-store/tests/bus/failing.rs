//! A store in front of another that cannot begin a unit, now and then or for one account.

use std::{
    path::PathBuf,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;

use billing_core::{
    id::{AccountId, EpochId, TenantId},
    time::Instant,
};
use billing_store::{
    StoreError, StoreResult,
    outbox::Epochs,
    store::{Facts, Locks, Store, Transaction},
};

use crate::world::Chance;

/// When it fails.
pub(crate) enum When {
    /// One time in so many it is busy.
    OneIn(u64, Mutex<Chance>),
    /// What it holds of this account is impossible.
    Of(AccountId),
    /// It begins so many units and hangs in the last of them, after making a file that says so.
    Hangs { units: AtomicU64, waits: PathBuf },
}

pub(crate) struct Failing<S> {
    pub(crate) inner: S,
    pub(crate) when: When,
}

impl<S> core::fmt::Debug for Failing<S> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Failing").finish_non_exhaustive()
    }
}

#[async_trait]
impl<S: Store> Epochs for Failing<S> {
    async fn begin_epoch(&self, epoch: &EpochId, at: Instant) -> StoreResult<()> {
        self.inner.begin_epoch(epoch, at).await
    }
}

#[async_trait]
impl<S: Store> Store for Failing<S> {
    async fn begin(&self, tenant: &TenantId, locks: &Locks) -> StoreResult<Box<dyn Transaction>> {
        match &self.when {
            When::OneIn(times, chance) => {
                let mut chance = chance.lock().unwrap_or_else(PoisonError::into_inner);
                if chance.below(*times) == 0 {
                    return Err(StoreError::Transient { source: "busy".into() });
                }
            }
            When::Of(account) if locks.accounts.contains(account) => {
                let what = format!("day total of account {account}");
                return Err(StoreError::Corrupt { what, source: None });
            }
            When::Of(_) => {}
            When::Hangs { units, waits } => {
                if units.fetch_sub(1, Ordering::SeqCst) == 1 {
                    std::fs::File::create(waits).unwrap();
                    core::future::pending::<()>().await;
                }
            }
        }
        self.inner.begin(tenant, locks).await
    }

    async fn read(&self, tenant: &TenantId) -> StoreResult<Box<dyn Facts>> {
        self.inner.read(tenant).await
    }
}
