//! A memory store with a defect: what it begins, what it applies, and when it commits.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use tokio::sync::{Mutex, OwnedMutexGuard};

use billing_core::{decide::Writes, id::TenantId, settlement::Handover};
use billing_store::{
    MemoryStore, StoreResult,
    store::{Facts, Locks, Store, Transaction, Unit},
};

use crate::Defect;

/// A memory store with a defect.
#[derive(Debug)]
pub(crate) struct Canary {
    pub(crate) store: MemoryStore,
    pub(crate) defect: Defect,
    turn: Arc<Mutex<()>>,
}

impl Canary {
    pub(crate) fn with(defect: Defect) -> Self {
        Self { store: MemoryStore::new(), defect, turn: Arc::default() }
    }

    fn wrap(&self, tenant: &TenantId, inner: Inner) -> Wrapped {
        let (named, key) = (tenant.clone(), self.key(tenant));
        let (store, defect) = (self.store.clone(), self.defect);
        let (told, refreshed) = (Vec::new(), BTreeMap::new());
        Wrapped { named, key, store, defect, inner, told, refreshed, turn: None }
    }

    fn key(&self, tenant: &TenantId) -> TenantId {
        match self.defect {
            Defect::ForgetsTheTenant => TenantId::try_new("everybody").unwrap(),
            _ => tenant.clone(),
        }
    }
}

#[async_trait]
impl Store for Canary {
    async fn begin(&self, tenant: &TenantId, locks: &Locks) -> StoreResult<Box<dyn Transaction>> {
        let mut wrapped = self.wrap(tenant, Inner::Idle);
        match self.defect {
            Defect::TakesNoLock => {}
            Defect::ClaimsBeforeEffects | Defect::SettlesBeforeTotals => {
                wrapped.turn = Some(Arc::clone(&self.turn).lock_owned().await);
                wrapped.begin().await?;
            }
            _ => wrapped.inner = Inner::Unit(self.store.begin(&wrapped.key, locks).await?),
        }
        Ok(Box::new(wrapped))
    }

    async fn read(&self, tenant: &TenantId) -> StoreResult<Box<dyn Facts>> {
        let reader = self.store.read(&self.key(tenant)).await?;
        Ok(Box::new(self.wrap(tenant, Inner::Reader(reader))))
    }
}

/// What a unit holds of the store inside.
enum Inner {
    /// Nothing, until it asks or writes.
    Idle,
    /// A reader.
    Reader(Box<dyn Facts>),
    /// A unit.
    Unit(Box<dyn Transaction>),
}

/// A reader or a unit with a defect.
pub(crate) struct Wrapped {
    pub(crate) named: TenantId,
    key: TenantId,
    store: MemoryStore,
    pub(crate) defect: Defect,
    inner: Inner,
    told: Vec<Writes>,
    /// Contents as this unit was told them, and as they are stored.
    pub(crate) refreshed: BTreeMap<String, Handover>,
    turn: Option<OwnedMutexGuard<()>>,
}

impl Wrapped {
    /// Begins the unit inside, after giving back what is held.
    async fn begin(&mut self) -> StoreResult<()> {
        self.inner = Inner::Idle;
        self.inner = Inner::Unit(self.store.begin(&self.key, &Locks::default()).await?);
        Ok(())
    }

    pub(crate) async fn unit(&mut self) -> StoreResult<&mut dyn Transaction> {
        if !matches!(self.inner, Inner::Unit(_)) {
            self.begin().await?;
        }
        match &mut self.inner {
            Inner::Unit(unit) => Ok(&mut **unit),
            Inner::Idle | Inner::Reader(_) => panic!("a unit was begun"),
        }
    }

    pub(crate) async fn facts(&mut self) -> StoreResult<&mut dyn Facts> {
        if matches!(self.inner, Inner::Idle) {
            self.inner = Inner::Reader(self.store.read(&self.key).await?);
        }
        match &mut self.inner {
            Inner::Unit(unit) => Ok(&mut **unit),
            Inner::Reader(reader) => Ok(&mut **reader),
            Inner::Idle => panic!("a reader was begun"),
        }
    }

    /// Whether it may write.
    pub(crate) const fn is_unit(&self) -> bool {
        matches!(self.inner, Inner::Unit(_))
    }

    /// Lets others in between two questions, where no lock keeps them out.
    pub(crate) async fn release(&mut self) {
        if self.defect == Defect::TakesNoLock && matches!(self.inner, Inner::Reader(_)) {
            self.inner = Inner::Idle;
            tokio::task::yield_now().await;
        }
    }

    async fn commit_now(&mut self, writes: &Writes) -> StoreResult<()> {
        self.begin().await?;
        self.unit().await?.apply(writes).await?;
        self.commit_inner().await
    }

    /// Commits one part of the writes, lets others in, and commits the other.
    async fn commit_in_parts(&mut self, first: &Writes, second: &Writes) -> StoreResult<()> {
        self.commit_now(first).await?;
        tokio::task::yield_now().await;
        self.commit_now(second).await
    }

    async fn commit_inner(&mut self) -> StoreResult<()> {
        match std::mem::replace(&mut self.inner, Inner::Idle) {
            Inner::Unit(unit) => unit.commit().await,
            Inner::Idle | Inner::Reader(_) => Ok(()),
        }
    }
}

#[async_trait]
impl Unit for Wrapped {
    async fn apply(&mut self, writes: &Writes) -> StoreResult<()> {
        let bent = self.bend(writes).await?;
        match self.defect {
            Defect::ReadsStale => {
                self.told.push(bent);
                Ok(())
            }
            Defect::CommitsAtOnce => {
                self.commit_now(&bent).await?;
                self.begin().await
            }
            Defect::ClaimsBeforeEffects | Defect::SettlesBeforeTotals => {
                self.unit().await?.apply(&bent).await?;
                self.told.push(bent);
                Ok(())
            }
            Defect::KeepsHalfOfARefusal => {
                let answer = self.unit().await?.apply(&bent).await;
                if answer.is_err() {
                    let parked = Writes { parked: bent.parked, ..Writes::default() };
                    self.commit_now(&parked).await?;
                    self.begin().await?;
                }
                answer
            }
            _ => self.unit().await?.apply(&bent).await,
        }
    }
}

#[async_trait]
impl Transaction for Wrapped {
    async fn commit(mut self: Box<Self>) -> StoreResult<()> {
        let told = std::mem::take(&mut self.told);
        match self.defect {
            Defect::ReadsStale => {
                for writes in told {
                    self.unit().await?.apply(&writes).await?;
                }
                self.commit_inner().await
            }
            Defect::ClaimsBeforeEffects => {
                for writes in told {
                    let claims = Writes { items: writes.items.clone(), ..Writes::default() };
                    let effects = Writes { items: Vec::new(), ..writes };
                    self.commit_in_parts(&claims, &effects).await?;
                }
                Ok(())
            }
            Defect::SettlesBeforeTotals => {
                for writes in told {
                    let settlements = writes.settlements.clone();
                    let settled = Writes { settlements, ..Writes::default() };
                    let days = Writes { settlements: Vec::new(), ..writes };
                    self.commit_in_parts(&settled, &days).await?;
                }
                Ok(())
            }
            _ => self.commit_inner().await,
        }
    }
}
