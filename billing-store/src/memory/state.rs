//! What the memory store keeps of one tenant: ordered tables, and how each write to them is undone.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use billing_core::{
    account::{AccountSettings, Assignment},
    decide::{AccountFacts, CarryMove, Intake, Parked, Refusal, StoredItem, Writes},
    event::{Event, Head, JournalEntry, Posting},
    id::{AccountId, IntakeId, PlanId, SeriesId},
    invoice::Invoice,
    item::ItemKey,
    plan::PlanSpec,
    time::Day,
    usage::{Carry, CarryKey, DayTotal, TotalKey},
};

use crate::{
    error::{StoreError, StoreResult},
    store::BilledPart,
};

/// Takes one write back.
pub(super) type Undo = Box<dyn FnOnce(&mut State) + Send>;

/// Names a table, so that an undo can find it again.
type Of<K, V> = fn(&mut State) -> &mut BTreeMap<K, V>;

#[derive(Clone, Debug, Default)]
pub(super) struct State {
    accounts: BTreeMap<AccountId, AccountSettings>,
    heads: BTreeMap<AccountId, Head>,
    assignments: BTreeMap<AccountId, Vec<Assignment>>,
    invoiced_until: BTreeMap<AccountId, Day>,
    plans: BTreeMap<(PlanId, u32), PlanSpec>,
    items: BTreeMap<ItemKey, StoredItem>,
    parked: BTreeMap<ItemKey, Parked>,
    journal: BTreeMap<(AccountId, u64), JournalEntry>,
    totals: BTreeMap<AccountId, BTreeMap<TotalKey, DayTotal>>,
    carries: BTreeMap<AccountId, BTreeMap<CarryKey, Carry>>,
    intakes: BTreeMap<IntakeId, Intake>,
    refusals: BTreeMap<IntakeId, Vec<Refusal>>,
    invoices: BTreeMap<(SeriesId, u64), Invoice>,
    periods: BTreeMap<(AccountId, Day), (SeriesId, u64)>,
    parts: BTreeMap<TotalKey, BilledPart>,
    series: BTreeMap<SeriesId, u64>,
}

impl State {
    pub(super) fn apply(&mut self, writes: &Writes, undo: &mut Vec<Undo>) -> StoreResult<()> {
        let Writes {
            accounts,
            heads,
            plans,
            assignments,
            items,
            parked,
            unparked,
            postings,
            events,
            totals,
            carries,
            intake,
            refusals,
            invoices,
            series,
        } = writes;
        let mut put = Put { state: self, undo };
        for settings in accounts {
            put.add(|s| &mut s.accounts, settings.id.clone(), settings.clone(), "account")?;
        }
        for (account, head) in heads {
            put.set(|s| &mut s.heads, account.clone(), Some(*head));
        }
        for plan in plans {
            put.add(|s| &mut s.plans, (plan.id.clone(), plan.version), plan.clone(), "plan")?;
        }
        put.assignments(assignments)?;
        for item in items {
            put.add(|s| &mut s.items, item.claim.key.clone(), item.clone(), "item")?;
        }
        for parked in parked {
            put.set(|s| &mut s.parked, parked.incoming.key.clone(), Some(parked.clone()));
        }
        for key in unparked {
            put.set(|s| &mut s.parked, key.clone(), None);
        }
        put.journal(postings, events)?;
        put.totals(totals);
        put.carries(carries);
        if let Some(intake) = intake {
            put.add(|s| &mut s.intakes, intake.id.clone(), intake.clone(), "intake")?;
            put.set(|s| &mut s.refusals, intake.id.clone(), Some(refusals.clone()));
        }
        put.invoices(invoices)?;
        if let Some((series, last)) = series {
            put.set(|s| &mut s.series, series.clone(), Some(*last));
        }
        Ok(())
    }

    pub(super) fn accounts(&self, ids: &[AccountId]) -> Vec<AccountFacts> {
        let distinct: BTreeSet<_> = ids.iter().collect();
        let facts = |id: &AccountId| {
            Some(AccountFacts {
                settings: self.accounts.get(id)?.clone(),
                head: self.heads.get(id).copied().unwrap_or(Head::EMPTY),
                assignments: self.assignments.get(id).cloned().unwrap_or_default(),
                invoiced_until: self.invoiced_until.get(id).copied(),
            })
        };
        distinct.into_iter().filter_map(facts).collect()
    }

    pub(super) fn account_page(&self, after: Option<&AccountId>, limit: u32) -> Vec<AccountId> {
        page(&self.accounts, after, limit).map(|(id, _)| id.clone()).collect()
    }

    pub(super) fn items(&self, keys: &[ItemKey]) -> Vec<StoredItem> {
        by_key(&self.items, keys)
    }

    pub(super) fn item_page(&self, after: Option<&ItemKey>, limit: u32) -> Vec<StoredItem> {
        page(&self.items, after, limit).map(|(_, item)| item.clone()).collect()
    }

    pub(super) fn parked(&self, keys: &[ItemKey]) -> Vec<Parked> {
        by_key(&self.parked, keys)
    }

    pub(super) fn parked_page(&self, after: Option<&ItemKey>, limit: u32) -> Vec<Parked> {
        page(&self.parked, after, limit).map(|(_, parked)| parked.clone()).collect()
    }

    pub(super) fn day_totals(&self, days: &[(AccountId, Day)]) -> Vec<DayTotal> {
        let distinct: BTreeSet<_> = days.iter().collect();
        let of_day = |(account, day): &(AccountId, Day)| {
            let day = *day;
            self.totals_of(account).filter(move |total| total.key.day == day)
        };
        distinct.into_iter().flat_map(of_day).collect()
    }

    pub(super) fn totals_of(
        &self,
        account: &AccountId,
    ) -> impl Iterator<Item = DayTotal> + use<'_> {
        self.totals.get(account).into_iter().flat_map(BTreeMap::values).cloned()
    }

    pub(super) fn carries_of(
        &self,
        account: &AccountId,
    ) -> impl Iterator<Item = CarryMove> + use<'_> {
        let carries = self.carries.get(account).into_iter().flatten();
        carries.map(|(key, carry)| CarryMove { key: key.clone(), carry: carry.clone() })
    }

    pub(super) fn plans(&self, ids: &[(PlanId, u32)]) -> Vec<PlanSpec> {
        by_key(&self.plans, ids)
    }

    pub(super) fn all_plans(&self) -> Vec<PlanSpec> {
        self.plans.values().cloned().collect()
    }

    pub(super) fn journal(&self, account: &AccountId, after: u64, limit: u32) -> Vec<JournalEntry> {
        let from = Bound::Excluded((account.clone(), after));
        let until = Bound::Included((account.clone(), u64::MAX));
        // A range from after the last number to that number has no sense to the map.
        if after == u64::MAX {
            return Vec::new();
        }
        let entries = self.journal.range((from, until)).take(size(limit));
        entries.map(|(_, entry)| entry.clone()).collect()
    }

    pub(super) fn postings(&self, numbers: &[(AccountId, u64)]) -> Vec<Posting> {
        let entries = by_key(&self.journal, numbers).into_iter();
        let postings = entries.filter_map(|entry| match entry {
            JournalEntry::Posting(posting) => Some(posting),
            JournalEntry::Event(_) => None,
        });
        postings.collect()
    }

    pub(super) fn intake(&self, id: &IntakeId) -> Option<Intake> {
        self.intakes.get(id).cloned()
    }

    pub(super) fn intake_page(&self, after: Option<&IntakeId>, limit: u32) -> Vec<Intake> {
        page(&self.intakes, after, limit).map(|(_, intake)| intake.clone()).collect()
    }

    pub(super) fn refusals(&self, intake: &IntakeId) -> Vec<Refusal> {
        self.refusals.get(intake).cloned().unwrap_or_default()
    }

    pub(super) fn invoices_of(&self, account: &AccountId) -> Vec<Invoice> {
        let mine = self.invoices.values().filter(|invoice| invoice.draft.account == *account);
        mine.cloned().collect()
    }

    pub(super) fn line_parts(&self, account: &AccountId) -> Vec<BilledPart> {
        self.parts.values().filter(|part| part.key.account == *account).cloned().collect()
    }

    pub(super) fn strays(&self) -> Vec<AccountId> {
        let journals = self.journal.keys().map(|(account, _)| account);
        let others = self.assignments.keys().chain(self.totals.keys()).chain(self.carries.keys());
        let parts = self.parts.keys().map(|key| &key.account);
        let invoices = self.invoices.values().map(|invoice| &invoice.draft.account);
        let all: BTreeSet<_> = journals.chain(others).chain(parts).chain(invoices).collect();
        all.into_iter().filter(|id| !self.accounts.contains_key(*id)).cloned().collect()
    }

    pub(super) fn invoice(&self, series: &SeriesId, number: u64) -> Option<Invoice> {
        self.invoices.get(&(series.clone(), number)).cloned()
    }

    pub(super) fn invoice_numbers(&self, series: &SeriesId, after: u64, limit: u32) -> Vec<u64> {
        let mine = self.invoices.keys().filter(|(of, number)| of == series && *number > after);
        mine.map(|(_, number)| *number).take(size(limit)).collect()
    }

    pub(super) fn all_series(&self) -> Vec<(SeriesId, u64)> {
        self.series.iter().map(|(id, last)| (id.clone(), *last)).collect()
    }
}

/// Writes to the tables, remembering how to take each write back.
struct Put<'a> {
    state: &'a mut State,
    undo: &'a mut Vec<Undo>,
}

impl Put<'_> {
    fn add<K, V>(&mut self, of: Of<K, V>, key: K, value: V, what: &str) -> StoreResult<()>
    where
        K: Ord + Clone + Send + 'static,
        V: Send + 'static,
    {
        if of(self.state).contains_key(&key) {
            return Err(StoreError::Refused { what: format!("{what} exists"), source: None });
        }
        self.set(of, key, Some(value));
        Ok(())
    }

    fn set<K, V>(&mut self, of: Of<K, V>, key: K, value: Option<V>)
    where
        K: Ord + Clone + Send + 'static,
        V: Send + 'static,
    {
        let before = replace(of(self.state), key.clone(), value);
        self.undo.push(Box::new(move |state| {
            let _undone: Option<V> = replace(of(state), key, before);
        }));
    }

    fn assignments(&mut self, assignments: &[(AccountId, Assignment)]) -> StoreResult<()> {
        for (account, assignment) in assignments {
            let mut list = self.state.assignments.get(account).cloned().unwrap_or_default();
            if list.iter().any(|a| a.number == assignment.number || a.from == assignment.from) {
                let what = "assignment exists".to_owned();
                return Err(StoreError::Refused { what, source: None });
            }
            list.push(assignment.clone());
            list.sort_by_key(|assignment| assignment.from);
            self.set(|s| &mut s.assignments, account.clone(), Some(list));
        }
        Ok(())
    }

    fn journal(&mut self, postings: &[Posting], events: &[Event]) -> StoreResult<()> {
        let postings = postings.iter().map(|posting| {
            let key = (posting.account.clone(), posting.seq);
            (key, JournalEntry::Posting(posting.clone()))
        });
        let events = events.iter().map(|event| {
            let key = (event.account.clone(), event.seq);
            (key, JournalEntry::Event(event.clone()))
        });
        for (key, entry) in postings.chain(events) {
            self.add(|s| &mut s.journal, key, entry, "journal entry")?;
        }
        Ok(())
    }

    fn totals(&mut self, totals: &[DayTotal]) {
        for total in totals {
            let (account, key) = (total.key.account.clone(), total.key.clone());
            let of_account = self.state.totals.entry(account.clone()).or_default();
            let before = of_account.insert(key.clone(), total.clone());
            self.undo.push(Box::new(move |state| {
                let of_account = state.totals.entry(account).or_default();
                let _undone: Option<DayTotal> = replace(of_account, key, before);
            }));
        }
    }

    fn carries(&mut self, carries: &[CarryMove]) {
        for CarryMove { key, carry } in carries {
            let (account, key) = (key.account.clone(), key.clone());
            let of_account = self.state.carries.entry(account.clone()).or_default();
            let before = of_account.insert(key.clone(), carry.clone());
            self.undo.push(Box::new(move |state| {
                let of_account = state.carries.entry(account).or_default();
                let _undone: Option<Carry> = replace(of_account, key, before);
            }));
        }
    }

    fn invoices(&mut self, invoices: &[Invoice]) -> StoreResult<()> {
        for invoice in invoices {
            let number = (invoice.series.clone(), invoice.number);
            let (account, period) = (&invoice.draft.account, invoice.draft.period);
            let key = (account.clone(), period.start());
            self.add(|s| &mut s.periods, key, number.clone(), "invoice of the period")?;
            for part in BilledPart::of(invoice) {
                self.add(|s| &mut s.parts, part.key.clone(), part, "line part")?;
            }
            self.add(|s| &mut s.invoices, number, invoice.clone(), "invoice")?;
            let until = self.state.invoiced_until.get(account).copied();
            let until = until.map_or(period.end(), |until| until.max(period.end()));
            self.set(|s| &mut s.invoiced_until, account.clone(), Some(until));
        }
        Ok(())
    }
}

fn replace<K: Ord, V>(table: &mut BTreeMap<K, V>, key: K, value: Option<V>) -> Option<V> {
    match value {
        Some(value) => table.insert(key, value),
        None => table.remove(&key),
    }
}

fn by_key<K: Ord, V: Clone>(table: &BTreeMap<K, V>, keys: &[K]) -> Vec<V> {
    let distinct: BTreeSet<_> = keys.iter().collect();
    distinct.into_iter().filter_map(|key| table.get(key).cloned()).collect()
}

fn page<'a, K: Ord, V>(
    table: &'a BTreeMap<K, V>,
    after: Option<&K>,
    limit: u32,
) -> impl Iterator<Item = (&'a K, &'a V)> + use<'a, K, V> {
    let from = after.map_or(Bound::Unbounded, Bound::Excluded);
    table.range((from, Bound::Unbounded)).take(size(limit))
}

fn size(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}
