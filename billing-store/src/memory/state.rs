//! What the memory store keeps of one tenant: ordered tables, and how each write to them is undone.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use billing_core::{
    account::{AccountSettings, Assignment},
    correction::RecordedCorrection,
    decide::{
        AccountFacts, CarryMove, Dropped, Intake, Moved, Parked, Refusal, StoredItem, Writes,
    },
    event::{Event, Head, JournalEntry, Posting},
    id::{AccountId, CorrectionId, CustomerId, IntakeId, PlanId, SeriesId},
    invoice::{Invoice, InvoiceKind, InvoiceMark, InvoiceState},
    item::ItemKey,
    plan::PlanSpec,
    settlement::{Handover, Settlement, SettlementState},
    time::{Day, Instant},
    usage::{Carry, CarryKey, DayTotal, TotalKey},
};

use crate::{
    error::{StoreError, StoreResult},
    memory::{outbox, tariffs::Tables},
    store::{BilledPart, HistoryPage},
};

/// Takes one write back.
pub(super) type Undo = Box<dyn FnOnce(&mut State) + Send>;

/// Names a table, so that an undo can find it again.
pub(super) type Of<K, V> = fn(&mut State) -> &mut BTreeMap<K, V>;

#[derive(Clone, Debug, Default)]
pub(super) struct State {
    accounts: BTreeMap<AccountId, AccountSettings>,
    pub(super) heads: BTreeMap<AccountId, Head>,
    assignments: BTreeMap<AccountId, Vec<Assignment>>,
    plans: BTreeMap<(PlanId, u32), PlanSpec>,
    pub(super) tariffs: Tables,
    pub(super) outbox: outbox::Tables,
    items: BTreeMap<ItemKey, StoredItem>,
    /// Items in order of time, with their kinds.
    history: BTreeMap<(AccountId, Instant, ItemKey), &'static str>,
    corrections: BTreeMap<CorrectionId, RecordedCorrection>,
    parked: BTreeMap<ItemKey, Parked>,
    dropped: BTreeMap<(Instant, ItemKey), Dropped>,
    journal: BTreeMap<(AccountId, u64), JournalEntry>,
    totals: BTreeMap<AccountId, BTreeMap<TotalKey, DayTotal>>,
    carries: BTreeMap<AccountId, BTreeMap<CarryKey, Carry>>,
    intakes: BTreeMap<IntakeId, Intake>,
    refusals: BTreeMap<IntakeId, Vec<Refusal>>,
    invoices: BTreeMap<(SeriesId, u64), Invoice>,
    periods: BTreeMap<(AccountId, InvoiceKind, Day), (SeriesId, u64)>,
    marks: BTreeMap<(SeriesId, u64), InvoiceMark>,
    parts: BTreeMap<TotalKey, BilledPart>,
    void_parts: BTreeMap<(TotalKey, SeriesId, u64), BilledPart>,
    settlements: BTreeMap<(AccountId, Day, u32), Settlement>,
    series: BTreeMap<SeriesId, u64>,
}

impl State {
    pub(super) fn apply(&mut self, writes: &Writes, undo: &mut Vec<Undo>) -> StoreResult<()> {
        let Writes {
            accounts,
            heads,
            plans,
            tariffs,
            activations,
            tariff_catalog,
            assignments,
            items,
            parked,
            unparked,
            dropped,
            moved,
            corrections,
            erased,
            erased_dropped,
            erased_refusals,
            postings,
            events,
            totals,
            carries,
            intake,
            refusals,
            invoices,
            series,
            marks,
            settlements,
            relayed,
            dead_letters,
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
        put.tariffs(tariffs, activations, *tariff_catalog)?;
        put.assignments(assignments)?;
        for item in items {
            let (key, account) = (item.claim.key.clone(), item.claim.account.clone());
            put.add(|s| &mut s.items, key.clone(), item.clone(), "item")?;
            let (at, kind) = (item.item.at(), item.item.kind());
            put.set(|s| &mut s.history, (account, at, key), Some(kind));
        }
        put.moved(moved);
        for recorded in corrections {
            let id = recorded.correction.id.clone();
            put.add(|s| &mut s.corrections, id, recorded.clone(), "correction")?;
        }
        for item in erased {
            put.set(|s| &mut s.items, item.claim.key.clone(), Some(item.clone()));
        }
        for dropped in erased_dropped {
            let key = (dropped.at, dropped.parked.incoming.key.clone());
            put.set(|s| &mut s.dropped, key, Some(dropped.clone()));
        }
        put.erased_refusals(erased_refusals);
        for parked in parked {
            put.set(|s| &mut s.parked, parked.incoming.key.clone(), Some(parked.clone()));
        }
        for key in unparked {
            put.set(|s| &mut s.parked, key.clone(), None);
        }
        for dropped in dropped {
            let key = (dropped.at, dropped.parked.incoming.key.clone());
            put.add(|s| &mut s.dropped, key, dropped.clone(), "dropped item")?;
        }
        put.journal(postings, events)?;
        put.marks(marks)?;
        put.totals(totals);
        put.carries(carries);
        put.settlements(settlements)?;
        if let Some(intake) = intake {
            put.add(|s| &mut s.intakes, intake.id.clone(), intake.clone(), "intake")?;
            put.set(|s| &mut s.refusals, intake.id.clone(), Some(refusals.clone()));
        }
        put.invoices(invoices)?;
        if let Some((series, last)) = series {
            put.set(|s| &mut s.series, series.clone(), Some(*last));
        }
        put.outbox(relayed.as_ref(), dead_letters)
    }

    pub(super) fn accounts(&self, ids: &[AccountId]) -> Vec<AccountFacts> {
        let distinct: BTreeSet<_> = ids.iter().collect();
        let facts = |id: &AccountId| {
            Some(AccountFacts {
                settings: self.accounts.get(id)?.clone(),
                head: self.heads.get(id).copied().unwrap_or(Head::EMPTY),
                assignments: self.assignments.get(id).cloned().unwrap_or_default(),
                invoiced_until: self.period_until(id, InvoiceKind::Period),
                advanced_until: self.period_until(id, InvoiceKind::Advance),
            })
        };
        distinct.into_iter().filter_map(facts).collect()
    }

    /// The end of the last period of an account with an invoice of a kind that is not void.
    fn period_until(&self, account: &AccountId, kind: InvoiceKind) -> Option<Day> {
        let (first, last) = ((account.clone(), kind, Day::MIN), (account.clone(), kind, Day::MAX));
        let (_, number) = self.periods.range(first..=last).next_back()?;
        self.invoices.get(number).map(|invoice| invoice.draft.period.end())
    }

    pub(super) fn accounts_of(&self, customer: &CustomerId) -> Vec<AccountId> {
        let mine = |settings: &&AccountSettings| settings.customer.as_ref() == Some(customer);
        self.accounts.values().filter(mine).map(|settings| settings.id.clone()).collect()
    }

    pub(super) fn unhanded_accounts(
        &self,
        after: Option<&AccountId>,
        limit: u32,
    ) -> Vec<AccountId> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let accounts = self.totals.range::<AccountId, _>((from, Bound::Unbounded));
        let unhanded = accounts.filter(|(_, totals)| totals.values().any(|total| !total.handed));
        unhanded.map(|(id, _)| id.clone()).take(size(limit)).collect()
    }

    pub(super) fn history(&self, account: &AccountId, of: &HistoryPage<'_>) -> Vec<StoredItem> {
        let after = of.after.map(|(at, key)| (account.clone(), at, key.clone()));
        let within = |(id, at, _): &(AccountId, Instant, ItemKey), kind: &str| {
            id == account
                && (of.from..of.until).contains(at)
                && of.kind.is_none_or(|asked| asked == kind)
        };
        let mine = self.history.iter().filter(|(place, kind)| within(place, kind));
        let later = mine.filter(|(place, _)| after.as_ref().is_none_or(|after| *place > after));
        let items = later.filter_map(|((_, _, key), _)| self.items.get(key));
        items.take(size(of.limit)).cloned().collect()
    }

    pub(super) fn account_page(&self, after: Option<&AccountId>, limit: u32) -> Vec<AccountId> {
        page(&self.accounts, after, limit).map(|(id, _)| id.clone()).collect()
    }

    pub(super) fn items(&self, keys: &[ItemKey]) -> Vec<StoredItem> {
        let usage: BTreeSet<ItemKey> = keys.iter().map(ItemKey::of_final).collect();
        let records = |whole: ItemKey| {
            let is_of = {
                let whole = whole.clone();
                move |key: &ItemKey| key.of_final() == whole
            };
            let records = self.items.range(whole..);
            records.take_while(move |(key, _)| is_of(key)).map(|(_, item)| item.clone())
        };
        usage.into_iter().flat_map(records).collect()
    }

    pub(super) fn amended(
        &self,
        account: &AccountId,
        after: Option<&ItemKey>,
        limit: u32,
    ) -> Vec<StoredItem> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let items = self.items.range::<ItemKey, _>((from, Bound::Unbounded)).map(|(_, item)| item);
        let mine =
            |item: &&StoredItem| item.claim.account == *account && item.claim.amended.is_some();
        items.filter(mine).take(size(limit)).cloned().collect()
    }

    pub(super) fn corrections(&self, ids: &[CorrectionId]) -> Vec<RecordedCorrection> {
        by_key(&self.corrections, ids)
    }

    pub(super) fn correction_page(
        &self,
        after: Option<&CorrectionId>,
        limit: u32,
    ) -> Vec<RecordedCorrection> {
        let page = page(&self.corrections, after, limit);
        page.map(|(_, recorded)| recorded.clone()).collect()
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

    pub(super) fn dropped_page(
        &self,
        after: Option<(Instant, &ItemKey)>,
        limit: u32,
    ) -> Vec<Dropped> {
        let after = after.map(|(at, key)| (at, key.clone()));
        page(&self.dropped, after.as_ref(), limit).map(|(_, dropped)| dropped.clone()).collect()
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
        let parts = self.parts.values().chain(self.void_parts.values());
        parts.filter(|part| part.key.account == *account).cloned().collect()
    }

    pub(super) fn invoice_page(
        &self,
        account: &AccountId,
        after: Option<(Day, &SeriesId, u64)>,
        limit: u32,
    ) -> Vec<Invoice> {
        let mut mine = self.invoices_of(account);
        mine.sort_by(|one, two| place(one).cmp(&place(two)));
        mine.retain(|invoice| after.is_none_or(|after| place(invoice) > after));
        mine.truncate(size(limit));
        mine
    }

    pub(super) fn last_invoice(&self, account: &AccountId) -> Option<(SeriesId, u64)> {
        let mine = self.periods.iter().filter(|((id, ..), _)| id == account);
        let last = mine.max_by_key(|((_, kind, start), _)| (*start, *kind));
        last.map(|(_, number)| number.clone())
    }

    pub(super) fn invoice_marks(&self, invoices: &[(SeriesId, u64)]) -> Vec<InvoiceMark> {
        by_key(&self.marks, invoices)
    }

    pub(super) fn settlements(&self, keys: &[(AccountId, Day, u32)]) -> Vec<Settlement> {
        by_key(&self.settlements, keys)
    }

    pub(super) fn settlements_of(&self, account: &AccountId) -> Vec<Settlement> {
        let mine = self.settlements.values();
        mine.filter(|settlement| settlement.handover.account == *account).cloned().collect()
    }

    pub(super) fn unanswered(
        &self,
        after: Option<(&AccountId, Day, u32)>,
        limit: u32,
    ) -> Vec<Settlement> {
        let after = after.map(|(id, day, revision)| (id.clone(), day, revision));
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let later = self.settlements.range((from, Bound::Unbounded)).map(|(_, one)| one);
        let open = later.filter(|one| !matches!(one.state, SettlementState::Answered { .. }));
        open.take(size(limit)).cloned().collect()
    }

    pub(super) fn strays(&self) -> Vec<AccountId> {
        let journals = self.journal.keys().map(|(account, _)| account);
        let others = self.assignments.keys().chain(self.totals.keys()).chain(self.carries.keys());
        let parts = self.parts.keys().map(|key| &key.account);
        let parts = parts.chain(self.settlements.keys().map(|(account, ..)| account));
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
pub(super) struct Put<'a> {
    pub(super) state: &'a mut State,
    undo: &'a mut Vec<Undo>,
}

impl Put<'_> {
    pub(super) fn add<K, V>(
        &mut self,
        of: Of<K, V>,
        key: K,
        value: V,
        what: &str,
    ) -> StoreResult<()>
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

    pub(super) fn set<K, V>(&mut self, of: Of<K, V>, key: K, value: Option<V>)
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
                put_back(&mut state.totals, &account, key, before);
            }));
        }
    }

    fn carries(&mut self, carries: &[CarryMove]) {
        for CarryMove { key, carry } in carries {
            let (account, key) = (key.account.clone(), key.clone());
            let of_account = self.state.carries.entry(account.clone()).or_default();
            let before = of_account.insert(key.clone(), carry.clone());
            self.undo.push(Box::new(move |state| {
                put_back(&mut state.carries, &account, key, before);
            }));
        }
    }

    fn invoices(&mut self, invoices: &[Invoice]) -> StoreResult<()> {
        for invoice in invoices {
            let number = (invoice.series.clone(), invoice.number);
            let draft = &invoice.draft;
            let key = (draft.account.clone(), draft.kind, draft.period.start());
            self.add(|s| &mut s.periods, key, number.clone(), "invoice of the period")?;
            for part in BilledPart::of(invoice) {
                self.add(|s| &mut s.parts, part.key.clone(), part, "line part")?;
            }
            self.add(|s| &mut s.invoices, number, invoice.clone(), "invoice")?;
        }
        Ok(())
    }

    /// Lets items' current postings be others.
    fn moved(&mut self, moved: &[Moved]) {
        for moved in moved {
            if let Some(mut item) = self.state.items.get(&moved.key).cloned() {
                item.claim.move_on(moved);
                self.set(|s| &mut s.items, moved.key.clone(), Some(item));
            }
        }
    }

    /// Marks invoices; a void one leaves its period and its days to another.
    fn erased_refusals(&mut self, refusals: &[(IntakeId, u64, Refusal)]) {
        for (intake, number, refusal) in refusals {
            let mut kept = self.state.refusals.get(intake).cloned().unwrap_or_default();
            let place = usize::try_from(*number).unwrap_or(usize::MAX);
            if let Some(kept) = kept.get_mut(place) {
                kept.clone_from(refusal);
            }
            self.set(|s| &mut s.refusals, intake.clone(), Some(kept));
        }
    }

    fn marks(&mut self, marks: &[InvoiceMark]) -> StoreResult<()> {
        for mark in marks {
            let number = (mark.series.clone(), mark.number);
            self.add(|s| &mut s.marks, number.clone(), mark.clone(), "mark of the invoice")?;
            let void = matches!(mark.state, InvoiceState::Void { .. });
            let invoice = self.state.invoices.get(&number).filter(|_| void).cloned();
            for invoice in invoice.as_slice() {
                let draft = &invoice.draft;
                let key = (draft.account.clone(), draft.kind, draft.period.start());
                self.set(|s| &mut s.periods, key, None);
                for part in BilledPart::of(invoice) {
                    self.set(|s| &mut s.parts, part.key.clone(), None);
                    let key = (part.key.clone(), part.series.clone(), part.number);
                    self.set(|s| &mut s.void_parts, key, Some(BilledPart { void: true, ..part }));
                }
            }
        }
        Ok(())
    }

    fn settlements(&mut self, settlements: &[Settlement]) -> StoreResult<()> {
        for settlement in settlements {
            let Handover { account, day, revision, .. } = &settlement.handover;
            let key = (account.clone(), *day, *revision);
            let kept = self.state.settlements.get(&key).is_none_or(|before| {
                before.handover == settlement.handover && before.state.name() != "accepted"
            });
            if !kept {
                let what = "what is handed over is never changed".to_owned();
                return Err(StoreError::Refused { what, source: None });
            }
            self.set(|s| &mut s.settlements, key, Some(settlement.clone()));
        }
        Ok(())
    }
}

/// Where an invoice stands among those of its account.
fn place(invoice: &Invoice) -> (Day, &SeriesId, u64) {
    (invoice.draft.period.start(), &invoice.series, invoice.number)
}

/// Puts back what an account had under a key; an account that had nothing has no table either.
fn put_back<K: Ord, V>(
    tables: &mut BTreeMap<AccountId, BTreeMap<K, V>>,
    account: &AccountId,
    key: K,
    before: Option<V>,
) {
    let of_account = tables.entry(account.clone()).or_default();
    let _undone: Option<V> = replace(of_account, key, before);
    if of_account.is_empty() {
        drop(tables.remove(account));
    }
}

fn replace<K: Ord, V>(table: &mut BTreeMap<K, V>, key: K, value: Option<V>) -> Option<V> {
    match value {
        Some(value) => table.insert(key, value),
        None => table.remove(&key),
    }
}

pub(super) fn by_key<K: Ord, V: Clone>(table: &BTreeMap<K, V>, keys: &[K]) -> Vec<V> {
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

pub(super) fn size(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}
