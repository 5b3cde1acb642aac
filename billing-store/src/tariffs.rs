//! Tariffs as this process has compiled them, each document once.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use billing_core::{
    decide::Plans,
    digest::Digest,
    id::{TariffId, TenantId},
    tariff::{Catalog, Tariff, Tariffs},
};

use crate::{
    error::{StoreError, StoreResult},
    store::Facts,
};

/// What has been compiled of each tenant's tariffs, as of the digest of all of them.
///
/// A digest stands for the content: a unit that was rolled back leaves nothing here that another could take for its own.
#[derive(Debug, Default)]
pub(crate) struct BuiltTariffs {
    of_tenant: Mutex<BTreeMap<TenantId, Arc<Built>>>,
    none: Arc<Tariffs>,
}

#[derive(Clone, Debug, Default)]
struct Built {
    catalog: Option<Digest>,
    /// Whose activations are in `tariffs`, if they have any.
    loaded: BTreeSet<TariffId>,
    tariffs: Arc<Tariffs>,
    documents: BTreeMap<Digest, Arc<Tariff>>,
}

impl BuiltTariffs {
    /// The tariffs that plans may ask, with those that they fall back on; reads the documents of those that are not compiled yet.
    ///
    /// Asks nothing of the store if no plan asks a tariff, and the digest alone if nothing has changed.
    pub(crate) async fn load<F: Facts + ?Sized>(
        &self,
        facts: &mut F,
        plans: &Plans,
    ) -> StoreResult<Arc<Tariffs>> {
        let plans = plans.values().filter_map(|plan| plan.as_ref().ok());
        let asked: BTreeSet<TariffId> = plans.flat_map(|plan| plan.tariffs()).cloned().collect();
        if asked.is_empty() {
            return Ok(Arc::clone(&self.none));
        }
        let Some(digest) = facts.tariff_digest().await? else { return Ok(Arc::clone(&self.none)) };
        let tenant = facts.tenant().clone();
        let before = self.built(&tenant);
        let is_same = before.catalog == Some(digest);
        if is_same && asked.is_subset(&before.loaded) {
            return Ok(Arc::clone(&before.tariffs));
        }
        let mut built = Built { documents: before.documents.clone(), ..Built::default() };
        if is_same {
            built = Built::clone(&before);
        }
        built.catalog = Some(digest);
        let catalog = facts.tariff_catalog().await?;
        if catalog.digest() != digest {
            return Err(StoreError::corrupt("the tariffs", "their digest is another"));
        }
        let mut tariffs = Tariffs::clone(&built.tariffs);
        loop {
            let all = tariffs.asked_by(&asked);
            let new: BTreeSet<TariffId> =
                all.into_iter().filter(|id| !built.loaded.contains(*id)).cloned().collect();
            if new.is_empty() {
                break;
            }
            for activation in catalog.activations.iter().filter(|it| new.contains(&it.tariff)) {
                let id = (activation.tariff.clone(), activation.version);
                let tariff = built.document(facts, &catalog, id).await?;
                let done = tariffs.activate(tariff, activation.from);
                done.map_err(|error| StoreError::corrupt("an activation", error))?;
            }
            built.loaded.extend(new);
        }
        built.tariffs = Arc::new(tariffs);
        Ok(self.keep(tenant, built))
    }

    fn built(&self, tenant: &TenantId) -> Arc<Built> {
        let of_tenant = self.of_tenant.lock().unwrap_or_else(PoisonError::into_inner);
        of_tenant.get(tenant).cloned().unwrap_or_default()
    }

    fn keep(&self, tenant: TenantId, built: Built) -> Arc<Tariffs> {
        let tariffs = Arc::clone(&built.tariffs);
        let mut of_tenant = self.of_tenant.lock().unwrap_or_else(PoisonError::into_inner);
        drop(of_tenant.insert(tenant, Arc::new(built)));
        tariffs
    }
}

impl Built {
    /// One compiled document.
    async fn document<F: Facts + ?Sized>(
        &mut self,
        facts: &mut F,
        catalog: &Catalog,
        id: (TariffId, u32),
    ) -> StoreResult<Arc<Tariff>> {
        let what = || format!("tariff {} version {}", id.0, id.1);
        let missing = || StoreError::corrupt(what(), "it is not the one that was saved");
        let saved = catalog.saved(&id.0, id.1).ok_or_else(missing)?;
        if let Some(tariff) = self.documents.get(&saved.digest) {
            return Ok(Arc::clone(tariff));
        }
        let found = facts.tariffs(core::slice::from_ref(&id)).await?;
        let spec = found.first().ok_or_else(missing)?;
        let tariff = Tariff::compile(spec);
        let tariff = Arc::new(tariff.map_err(|error| StoreError::corrupt(what(), error))?);
        if tariff.digest() != saved.digest {
            return Err(missing());
        }
        drop(self.documents.insert(saved.digest, Arc::clone(&tariff)));
        Ok(tariff)
    }
}
