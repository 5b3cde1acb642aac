//! What must be true of a store after a fault, and of one whose script is done.

use std::collections::{BTreeMap, BTreeSet};

use billing_core::{decide::StoredItem, digest::Digest, item::ItemKey};
use billing_store::{MemoryStore, Tenant, state_hash, store::Facts, verify::verify};

use crate::{
    Done, model,
    place::tenant,
    request::{Answer, Request},
    script::{Script, pays},
};

/// Of these requests, which were answered, what is not in the store.
pub async fn lost(tenant: &Tenant, answered: &[&Request]) -> Done<BTreeSet<String>> {
    let mut lost = BTreeSet::new();
    let mut facts = tenant.read().await?;
    for request in answered {
        lost.extend(missing(&mut *facts, request).await?);
    }
    Ok(lost)
}

/// What is missing in the store of a request that was done.
async fn missing(facts: &mut dyn Facts, request: &Request) -> Done<Vec<String>> {
    let there = match request {
        Request::Ingest(_, items, _) => {
            let keys: Vec<ItemKey> = items.iter().map(|item| item.key.clone()).collect();
            let found = facts.items(&keys).await?;
            let counted: BTreeSet<&ItemKey> =
                found.iter().filter(|item| has_effect(item)).map(|item| &item.claim.key).collect();
            let parked = facts.parked(&keys).await?;
            let parked: BTreeSet<_> = parked.iter().map(|parked| &parked.incoming.key).collect();
            let gone = items.iter().filter(|item| {
                let may_be_dropped = !item.account.as_ref().is_some_and(pays);
                !counted.contains(&item.key) && !parked.contains(&item.key) && !may_be_dropped
            });
            return Ok(gone.map(|item| format!("item {}", item.key)).collect());
        }
        Request::Open(settings) => {
            !facts.accounts(std::slice::from_ref(&settings.id)).await?.is_empty()
        }
        Request::Assign(account, _, version, from) => {
            let known = facts.accounts(std::slice::from_ref(account)).await?;
            let mut assignments = known.iter().flat_map(|facts| &facts.assignments);
            assignments.any(|one| one.from == *from && one.version == *version)
        }
        Request::SavePlan(plan) => {
            !facts.plans(&[(plan.id.clone(), plan.version)]).await?.is_empty()
        }
        Request::SaveTariff(tariff) => {
            !facts.tariffs(&[(tariff.id.clone(), tariff.version)]).await?.is_empty()
        }
        Request::ActivateTariff(tariff, version, from) => {
            let activations = facts.tariff_catalog().await?.activations;
            activations
                .iter()
                .any(|one| (&one.tariff, one.version, one.from) == (tariff, *version, *from))
        }
        Request::Issue(series, _, until) => {
            facts.all_series().await?.iter().any(|(id, last)| id == series && last >= until)
        }
        Request::Paid(series, number, ..) | Request::Void(series, number, _) => {
            !facts.invoice_marks(&[(series.clone(), *number)]).await?.is_empty()
        }
        Request::Retry(keys) => facts.parked(keys).await?.is_empty(),
        Request::Drop(key, _) => facts.parked(std::slice::from_ref(key)).await?.is_empty(),
        Request::Correct(correction) => {
            !facts.corrections(std::slice::from_ref(&correction.id)).await?.is_empty()
        }
        // What they did is in the state at the end, and of two at once either may have done it.
        Request::HandOver | Request::Send | Request::Bill(..) | Request::Hold(..) => true,
    };
    Ok(if there { Vec::new() } else { vec![format!("{request:?}")] })
}

/// Whether an item has its posting; a record that came after a later one of the same usage needs none.
fn has_effect(item: &StoredItem) -> bool {
    (item.postings > 0 && item.claim.first_seq > 0) || item.claim.key.partial.is_some()
}

/// Whether a batch that nobody has an answer to is in the store; `None` for other requests.
pub async fn happened(tenant: &Tenant, request: &Request) -> Done<Option<bool>> {
    match request {
        Request::Ingest(..) => {
            let mut facts = tenant.read().await?;
            Ok(Some(missing(&mut *facts, request).await?.is_empty()))
        }
        _ => Ok(None),
    }
}

/// What a script must lead to.
#[derive(Debug)]
pub struct Expected {
    sums: model::Sums,
    hash: Digest,
    last_number: u64,
}

impl Expected {
    /// Runs the script on a memory store, each request once and nothing beside it.
    pub async fn of(script: &Script) -> Done<Self> {
        let tenant = tenant(MemoryStore::new())?;
        let mut last_number = 0;
        for request in script.stages.iter().flat_map(|stage| &stage.requests) {
            let answer = request.ask(&tenant).await;
            if answer != Answer::Ok {
                return Err(format!("{answer:?} to {request:?}").into());
            }
            if let Request::Issue(_, _, until) = request {
                last_number = last_number.max(*until);
            }
        }
        let expected =
            Self { sums: model::of(script)?, hash: state_hash(&tenant).await?, last_number };
        let problems = expected.problems(&tenant).await?;
        if problems.is_empty() { Ok(expected) } else { Err(problems.join("; ").into()) }
    }

    /// What is wrong with a store whose script is done.
    pub async fn problems(&self, tenant: &Tenant) -> Done<Vec<String>> {
        let mut problems = self.doubled(tenant).await?;
        let mut facts = tenant.read().await?;
        for (series, last) in facts.all_series().await? {
            let numbers = facts.invoice_numbers(&series, 0, 1_000_000).await?;
            if !numbers.iter().copied().eq(1..=self.last_number) || last != self.last_number {
                problems.push(format!(
                    "gap: series {series} has {} numbers up to {last}",
                    numbers.len()
                ));
            }
        }
        drop(facts);
        let findings = verify(tenant).await?.findings;
        problems.extend(findings.iter().take(3).map(|finding| format!("verify: {finding}")));
        if state_hash(tenant).await? != self.hash {
            problems.push("state: it is not that of one clean run".into());
        }
        Ok(problems)
    }

    /// Where a store's sums are not those of the script's usage, each counted once.
    async fn doubled(&self, tenant: &Tenant) -> Done<Vec<String>> {
        let mut facts = tenant.read().await?;
        let mut found = model::Sums::new();
        for account in facts.account_page(None, 1_000).await? {
            for total in facts.totals_of(&account).await? {
                let what = match total.key.strategy.as_str() {
                    "talk" => "talk",
                    "storage" => "storage",
                    _ => continue,
                };
                let quantity = model::thousandths(&total.totals.quantity.to_string())?;
                let sum = found.entry((account.to_string(), what)).or_default();
                *sum = (sum.0 + total.totals.count, sum.1 + quantity);
            }
        }
        found.retain(|_, sum| *sum != (0, 0));
        let places: BTreeSet<_> = self.sums.keys().chain(found.keys()).collect();
        let of =
            |sums: &BTreeMap<_, model::Sum>, place| sums.get(place).copied().unwrap_or_default();
        let wrong = places.into_iter().filter(|place| of(&self.sums, place) != of(&found, place));
        let told = wrong.map(|place| {
            let (due, is) = (of(&self.sums, place), of(&found, place));
            let kind = if is.0 > due.0 { "doubled" } else { "lost" };
            format!("{kind}: {} of {} is {is:?}, its usage is {due:?}", place.1, place.0)
        });
        Ok(told.collect())
    }
}
