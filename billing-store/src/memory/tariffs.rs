//! What the memory store keeps of tariffs: documents, when each comes into force, and how far each account is priced.

use std::{collections::BTreeMap, ops::Bound, sync::Arc};

use billing_core::{
    digest::Digest,
    id::{AccountId, TariffId},
    tariff::{Activation, Catalog, SavedTariff, TariffSpec},
    time::Instant,
};

use crate::{
    error::StoreResult,
    memory::state::{Put, State, by_key, size},
};

#[derive(Clone, Debug, Default)]
pub(super) struct Tables {
    saved: BTreeMap<(TariffId, u32), (SavedTariff, Arc<TariffSpec>)>,
    activations: BTreeMap<(TariffId, Instant), u32>,
    /// One row, or none.
    digest: BTreeMap<(), Digest>,
}

impl Put<'_> {
    pub(super) fn tariffs(
        &mut self,
        tariffs: &[TariffSpec],
        activations: &[Activation],
        digest: Option<Digest>,
    ) -> StoreResult<()> {
        for spec in tariffs {
            let key = (spec.id.clone(), spec.version);
            let row = (SavedTariff::from(spec), Arc::new(spec.clone()));
            self.add(|s| &mut s.tariffs.saved, key, row, "tariff")?;
        }
        for Activation { tariff, version, from } in activations {
            let key = (tariff.clone(), *from);
            self.add(|s| &mut s.tariffs.activations, key, *version, "activation of the tariff")?;
        }
        if digest.is_some() {
            self.set(|s| &mut s.tariffs.digest, (), digest);
        }
        Ok(())
    }
}

impl State {
    pub(super) fn tariff_digest(&self) -> Option<Digest> {
        self.tariffs.digest.values().next().copied()
    }

    pub(super) fn tariff_catalog(&self) -> Catalog {
        let saved = self.tariffs.saved.values().map(|(saved, _)| saved.clone()).collect();
        let activations = self.tariffs.activations.iter().map(|((tariff, from), version)| {
            Activation { tariff: tariff.clone(), version: *version, from: *from }
        });
        Catalog { saved, activations: activations.collect() }
    }

    pub(super) fn tariffs(&self, ids: &[(TariffId, u32)]) -> Vec<TariffSpec> {
        let found = by_key(&self.tariffs.saved, ids).into_iter();
        found.map(|(_, spec)| TariffSpec::clone(&spec)).collect()
    }

    pub(super) fn rated_beyond(
        &self,
        at: Instant,
        after: Option<&AccountId>,
        limit: u32,
    ) -> Vec<AccountId> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let heads = self.heads.range::<AccountId, _>((from, Bound::Unbounded));
        let beyond = heads.filter(|(_, head)| head.rated_until.is_some_and(|until| until > at));
        beyond.map(|(id, _)| id.clone()).take(size(limit)).collect()
    }
}
