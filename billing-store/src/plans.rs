//! Plans as this process has built them, each content of a document once.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use billing_core::{
    account::Assignment,
    decide::{AccountFacts, Plans},
    digest::Digest,
    plan::{BuildPlanError, Plan, PlanBook, PlanSpec},
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
        let assigned: BTreeMap<Digest, &Assignment> =
            accounts.flat_map(|facts| &facts.assignments).map(|a| (a.digest, a)).collect();
        let mut plans = Plans::new();
        let mut missing = Vec::new();
        for (digest, assignment) in assigned {
            match self.built(&digest) {
                Some(built) => drop(plans.insert(digest, Ok(built))),
                None => missing.push(assignment),
            }
        }
        if missing.is_empty() {
            return Ok(plans);
        }
        let ids: Vec<_> = missing.iter().map(|a| (a.plan.clone(), a.version)).collect();
        let saved = facts.plans(&ids).await?.into_iter();
        let saved: BTreeMap<_, _> =
            saved.map(|spec| ((spec.id.clone(), spec.version), spec)).collect();
        for assignment in missing {
            if let Some(spec) = saved.get(&(assignment.plan.clone(), assignment.version)) {
                drop(plans.insert(assignment.digest, self.build(spec, assignment)));
            }
        }
        Ok(plans)
    }

    /// Builds the plan with the account's own terms, if that is what was assigned.
    fn build(&self, spec: &PlanSpec, assignment: &Assignment) -> Result<Arc<Plan>, BuildPlanError> {
        let spec = spec.with(&assignment.overrides)?;
        if spec.digest() != assignment.digest {
            let (plan, version) = (spec.id, spec.version);
            return Err(BuildPlanError::Altered { plan, version });
        }
        self.book.build(spec).map(|plan| self.keep(assignment.digest, plan))
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
