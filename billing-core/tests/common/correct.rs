//! Corrections as tests make them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use billing_core::{
    correction::{Change, Correction},
    decide::{self, CorrectError, CorrectFacts, Corrected, OpenDay, StoredItem},
    id::AccountId,
    item::{Incoming, ItemKey},
    time::Day,
};

use super::{read, world::World};

impl World {
    /// Makes a correction of the items it is about; of all that count if it is not about one.
    pub(crate) fn correct(&mut self, id: &str, change: Change) -> Result<Corrected, CorrectError> {
        let correction = Correction { id: read(id), reason: "a complaint".into(), change };
        let items: Vec<StoredItem> = match &correction.change {
            Change::Void { key } | Change::Amend { key, .. } => vec![self.items[key].clone()],
            _ => self.items.values().filter(|item| item.claim.effective > 0).cloned().collect(),
        };
        let facts = self.correct_facts(&correction.change, &items);
        let corrected = decide::correct(facts, &correction, &items, &self.limits, self.now)?;
        if corrected.unpriced.is_empty() {
            self.apply(&corrected.writes);
            let report = corrected.report.clone();
            self.apply(&decide::record_correction(&correction, report, self.now));
        }
        Ok(corrected)
    }

    /// Takes an item back.
    pub(crate) fn void_item(&mut self, id: &str, key: &ItemKey) -> Result<Corrected, CorrectError> {
        self.correct(id, Change::Void { key: key.clone() })
    }

    /// Gives an item the content of another under the same key.
    pub(crate) fn amend(
        &mut self,
        id: &str,
        right: impl Into<Incoming>,
    ) -> Result<Corrected, CorrectError> {
        let Incoming { key, item, .. } = right.into();
        self.correct(id, Change::Amend { key, item })
    }

    fn correct_facts(&self, change: &Change, items: &[StoredItem]) -> CorrectFacts {
        let accounts: BTreeMap<AccountId, _> = self.accounts.clone();
        let plans = accounts.keys().flat_map(|account| self.plans_of(account)).collect();
        let usage: BTreeSet<ItemKey> = items.iter().map(|item| item.claim.key.of_final()).collect();
        let claims = self.items.iter().filter(|(key, _)| usage.contains(&key.of_final()));
        let claims = claims.map(|(key, item)| (key.clone(), item.claim.clone())).collect();
        let current =
            |item: &StoredItem| (item.claim.key.clone(), self.current_postings(&item.claim));
        let postings: BTreeMap<_, _> = items.iter().map(current).collect();
        let touched = decide::days_corrected(change, items, &accounts, &postings);
        let of_day = |(account, day): (AccountId, Day)| {
            let is_of =
                |key: &billing_core::usage::TotalKey| (&key.account, key.day) == (&account, day);
            let totals = self.totals.values().filter(|total| is_of(&total.key));
            let open = OpenDay::of(totals.cloned().collect());
            ((account, day), open)
        };
        let days = touched.into_iter().map(of_day).collect();
        let tariffs = Arc::new(self.tariffs.clone());
        CorrectFacts { accounts, plans, tariffs, claims, postings, days }
    }
}
