//! The bench a store is checked on: two tenants, and the short ways to write, to be refused and to read everything.

use std::sync::Arc;

use billing_core::{decide::Writes, id::TenantId};

use crate::{
    conformance::{
        dump::Dump,
        kept::{Failed, Kept},
    },
    error::{StoreError, StoreResult},
    store::{Facts, Locks, Store, Transaction},
};

/// Fails with the first table that differs.
pub(super) fn ensure_same(found: &Dump, expected: &Dump, when: &str) -> Kept {
    match found.difference(expected) {
        None => Ok(()),
        Some(what) => Err(Failed(format!("{when}: {what}"))),
    }
}

/// A store and two tenants.
pub(super) struct Bench {
    pub(super) store: Arc<dyn Store>,
    pub(super) acme: TenantId,
    pub(super) rival: TenantId,
}

impl Bench {
    pub(super) fn try_new(store: Arc<dyn Store>) -> Result<Self, Failed> {
        Ok(Self { store, acme: "acme".parse()?, rival: "rival".parse()? })
    }

    /// Begins a unit that holds what `writes` need.
    pub(super) async fn begin(
        &self,
        tenant: &TenantId,
        writes: &Writes,
    ) -> StoreResult<Box<dyn Transaction>> {
        self.store.begin(tenant, &locks(writes)).await
    }

    /// Applies and commits.
    pub(super) async fn commit(&self, tenant: &TenantId, writes: &Writes) -> StoreResult<()> {
        let mut unit = self.begin(tenant, writes).await?;
        unit.apply(writes).await?;
        unit.commit().await
    }

    /// Applies what must be refused, and drops the unit.
    pub(super) async fn refused(&self, tenant: &TenantId, writes: &Writes, what: &str) -> Kept {
        let mut unit = self.begin(tenant, writes).await?;
        must_refuse(unit.apply(writes).await, what)
    }

    pub(super) async fn read(&self, tenant: &TenantId) -> StoreResult<Box<dyn Facts>> {
        self.store.read(tenant).await
    }

    /// Reads everything a tenant has.
    pub(super) async fn dump(&self, tenant: &TenantId) -> Result<Dump, Failed> {
        Dump::read(&mut *self.read(tenant).await?).await
    }
}

/// Fails unless the store refused, finally and under that name.
pub(super) fn must_refuse(answer: StoreResult<()>, what: &str) -> Kept {
    match answer {
        Err(StoreError::Refused { .. }) => Ok(()),
        Ok(()) => Err(Failed(format!("{what} was accepted"))),
        Err(error) => {
            let Failed(error) = Failed::from(error);
            Err(Failed(format!("{what} must be refused as a broken rule, but {error}")))
        }
    }
}

fn locks(writes: &Writes) -> Locks {
    let heads = writes.heads.iter().map(|(account, _)| account);
    let assigned = writes.assignments.iter().map(|(account, _)| account);
    let posted = writes.postings.iter().map(|posting| &posting.account);
    let happened = writes.events.iter().map(|event| &event.account);
    let totalled = writes.totals.iter().map(|total| &total.key.account);
    let carried = writes.carries.iter().map(|carry| &carry.key.account);
    let invoiced = writes.invoices.iter().map(|invoice| &invoice.draft.account);
    let handed = writes.settlements.iter().map(|settlement| &settlement.handover.account);
    let opened = writes.accounts.iter().map(|settings| &settings.id);
    let accounts = heads.chain(assigned).chain(posted).chain(happened);
    let accounts =
        accounts.chain(totalled).chain(carried).chain(invoiced).chain(handed).chain(opened);
    let mut locks = Locks::accounts(accounts.cloned());
    locks.series = writes.invoices.iter().map(|invoice| invoice.series.clone()).collect();
    locks.series.extend(writes.series.iter().map(|(series, _)| series.clone()));
    locks.catalog = !writes.accounts.is_empty() || !writes.plans.is_empty();
    locks.catalog |= !writes.dropped.is_empty() || !writes.tariffs.is_empty();
    locks.catalog |= !writes.activations.is_empty() || writes.tariff_catalog.is_some();
    locks
}
