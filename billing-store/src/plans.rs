//! Plans as this process has built them, each content of a document once.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use billing_core::{
    decide::{AccountFacts, Plans},
    digest::Digest,
    id::PlanId,
    plan::{BuildPlanError, Plan, PlanBook},
};

use crate::{error::StoreResult, store::Facts};

/// A plan book and what it has built.
///
/// Kept by the digests of the documents: the same content is the same plan, whoever saved it, and a unit that was rolled back leaves
/// nothing here that another could take for its own.
#[derive(Debug)]
pub(crate) struct BuiltPlans {
    book: PlanBook,
    built: Mutex<BTreeMap<Digest, Arc<Plan>>>,
}

impl BuiltPlans {
    pub(crate) const fn of(book: PlanBook) -> Self {
        Self { book, built: Mutex::new(BTreeMap::new()) }
    }

    pub(crate) const fn book(&self) -> &PlanBook {
        &self.book
    }

    /// The plans of the accounts' assignments; reads the documents of those that are not built yet.
    pub(crate) async fn load<F: Facts + ?Sized>(
        &self,
        facts: &mut F,
        accounts: impl Iterator<Item = &AccountFacts> + Send,
    ) -> StoreResult<Plans> {
        let assignments = accounts.flat_map(|facts| &facts.assignments);
        let assigned = assignments.map(|a| ((a.plan.clone(), a.version), a.digest));
        let assigned: BTreeMap<(PlanId, u32), Digest> = assigned.collect();
        let mut plans = Plans::new();
        let mut missing = Vec::new();
        for (plan, digest) in &assigned {
            match self.built(digest) {
                Some(built) => drop(plans.insert(plan.clone(), Ok(built))),
                None => missing.push(plan.clone()),
            }
        }
        if missing.is_empty() {
            return Ok(plans);
        }
        for spec in facts.plans(&missing).await? {
            let (key, digest) = ((spec.id.clone(), spec.version), spec.digest());
            let plan = if assigned.get(&key) == Some(&digest) {
                self.book.build(spec).map(|plan| self.keep(digest, plan))
            } else {
                let (plan, version) = key.clone();
                Err(BuildPlanError::Altered { plan, version })
            };
            drop(plans.insert(key, plan));
        }
        Ok(plans)
    }

    fn built(&self, digest: &Digest) -> Option<Arc<Plan>> {
        let built = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        built.get(digest).map(Arc::clone)
    }

    fn keep(&self, digest: Digest, plan: Plan) -> Arc<Plan> {
        let mut built = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(built.entry(digest).or_insert_with(|| Arc::new(plan)))
    }
}
