//! A store of a few maps: reads the facts that the rules ask for, and applies what they decide.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use billing_core::{
    account::{AccountSettings, Assignment},
    correction::RecordedCorrection,
    decide::{
        self, AccountFacts, AssignError, AssignFacts, Batch, BillError, BillFacts, Claim, Days,
        Dropped, IngestError, IngestFacts, Ingested, Intake, Limits, MarkError, MarkFacts, OpenDay,
        Parked, Plans, Refusal, StoredItem,
    },
    event::{JournalEntry, Posting},
    id::{AccountId, CorrectionId, IntakeId, PlanId, SeriesId},
    invoice::{Draft, Invoice, InvoiceState},
    item::{Incoming, ItemKey},
    plan::{BuildPlanError, Plan, PlanBook, PlanSpec},
    settlement::{Answer, Settlement},
    tariff::Tariffs,
    terms::Overrides,
    time::{Day, Instant},
    usage::{Carry, CarryKey, DayTotal, TotalKey},
};

use super::{batch, call, plan, read, settings};

/// What one stored state is made of.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) book: PlanBook,
    pub(crate) limits: Limits,
    pub(crate) now: Instant,
    pub(crate) specs: BTreeMap<(PlanId, u32), PlanSpec>,
    pub(crate) accounts: BTreeMap<AccountId, AccountFacts>,
    pub(crate) items: BTreeMap<ItemKey, StoredItem>,
    pub(crate) corrections: BTreeMap<CorrectionId, RecordedCorrection>,
    pub(crate) parked: BTreeMap<ItemKey, Parked>,
    pub(crate) dropped: Vec<Dropped>,
    pub(crate) totals: BTreeMap<TotalKey, DayTotal>,
    pub(crate) carries: BTreeMap<CarryKey, Carry>,
    pub(crate) journal: BTreeMap<AccountId, Vec<JournalEntry>>,
    pub(crate) intakes: BTreeMap<IntakeId, Intake>,
    pub(crate) refusals: Vec<Refusal>,
    /// In the order in which they were issued, void ones too.
    pub(crate) invoices: Vec<Invoice>,
    pub(crate) states: BTreeMap<(SeriesId, u64), InvoiceState>,
    pub(crate) settlements: BTreeMap<(AccountId, Day, u32), Settlement>,
    pub(crate) tariffs: Tariffs,
}

impl World {
    /// Nothing, and the built-in kinds.
    pub(crate) fn empty() -> Self {
        Self {
            book: PlanBook::standard(),
            limits: Limits::default(),
            now: read("2026-12-31T12:00:00Z"),
            specs: BTreeMap::new(),
            accounts: BTreeMap::new(),
            items: BTreeMap::new(),
            corrections: BTreeMap::new(),
            parked: BTreeMap::new(),
            dropped: Vec::new(),
            totals: BTreeMap::new(),
            carries: BTreeMap::new(),
            journal: BTreeMap::new(),
            intakes: BTreeMap::new(),
            refusals: Vec::new(),
            invoices: Vec::new(),
            states: BTreeMap::new(),
            settlements: BTreeMap::new(),
            tariffs: Tariffs::new(),
        }
    }

    /// One account with plan `basic` in version 1 from 2026-01-01 on.
    pub(crate) fn with(settings: &AccountSettings, strategies: &[String]) -> Self {
        Self::with_book(PlanBook::standard(), settings, strategies)
    }

    /// The same for `alice`.
    pub(crate) fn under(strategies: &[String]) -> Self {
        Self::with(&settings("alice", ""), strategies)
    }

    /// One account with kinds of one's own.
    pub(crate) fn with_book(
        book: PlanBook,
        settings: &AccountSettings,
        strategies: &[String],
    ) -> Self {
        let mut world = Self { book, ..Self::empty() };
        world.open(settings);
        world.save(plan(1, strategies));
        world.assign(&settings.id, 1, "2026-01-01").unwrap();
        world
    }

    pub(crate) fn open(&mut self, settings: &AccountSettings) {
        let existing = self.accounts.get(&settings.id);
        let writes = decide::open_account(existing, settings, self.now).unwrap();
        self.apply(&writes.unwrap());
    }

    pub(crate) fn save(&mut self, spec: PlanSpec) {
        self.book.build(spec.clone()).unwrap();
        let before = self.specs.insert((spec.id.clone(), spec.version), spec);
        assert_eq!(before, None, "a version is saved once");
    }

    /// Plan `basic` in version 2 for `alice` from a day on.
    pub(crate) fn change(&mut self, from: &str, strategies: &[String]) {
        self.save(plan(2, strategies));
        self.assign(&read("alice"), 2, from).unwrap();
    }

    pub(crate) fn assign(
        &mut self,
        account: &AccountId,
        version: u32,
        from: &str,
    ) -> Result<(), AssignError> {
        self.assign_with(account, version, from, &Overrides::none())
    }

    /// Assigns plan `basic` with terms of the account's own.
    #[expect(
        clippy::unwrap_in_result,
        reason = "the plan is there, and it is assigned for the first time"
    )]
    pub(crate) fn assign_with(
        &mut self,
        account: &AccountId,
        version: u32,
        from: &str,
        overrides: &Overrides,
    ) -> Result<(), AssignError> {
        let from: Day = read(from);
        let next = self.accounts[account].assignments.iter().map(|assignment| assignment.from);
        let next = next.filter(|next| *next > from).min();
        let used = self.totals.keys().filter(|key| key.account == *account).map(|key| key.day);
        let used = used.filter(|day| from <= *day && next.is_none_or(|next| *day < next)).min();
        let plan = &self.own_plan(version, overrides).unwrap();
        let plans = &self.plans_of(account);
        let account = &self.accounts[account];
        let facts = AssignFacts { account, plan, overrides, plans, used };
        let writes = decide::assign(facts, from, self.now)?;
        self.apply(&writes.unwrap());
        Ok(())
    }

    /// Plan `basic` in a version, with an account's own terms.
    pub(crate) fn own_plan(
        &self,
        version: u32,
        overrides: &Overrides,
    ) -> Result<Plan, BuildPlanError> {
        self.book.build(self.specs[&(read("basic"), version)].with(overrides)?)
    }

    /// The plan of an assignment, if the saved document is still the one that was assigned.
    fn plan_of(&self, assignment: &Assignment) -> Result<Arc<Plan>, BuildPlanError> {
        let Assignment { plan, version, overrides, digest, .. } = assignment;
        let (plan, version) = (plan.clone(), *version);
        let spec = self.specs[&(plan.clone(), version)].with(overrides)?;
        if spec.digest() != *digest {
            return Err(BuildPlanError::Altered { plan, version });
        }
        self.book.build(spec).map(Arc::new)
    }

    /// The plans of an account's assignments.
    pub(crate) fn plans_of(&self, account: &AccountId) -> Plans {
        let assignments = self.accounts[account].assignments.iter();
        assignments.map(|assignment| (assignment.digest, self.plan_of(assignment))).collect()
    }

    /// What a store would read for a batch.
    pub(crate) fn ingest_facts(&self, batch: &Batch) -> IngestFacts {
        let named = batch.accounts();
        let accounts = self.accounts.iter().filter(|(id, _)| named.contains(id));
        let accounts: BTreeMap<_, _> =
            accounts.map(|(id, facts)| (id.clone(), facts.clone())).collect();
        let keys = batch.keys();
        // The records of all usage that is named, not only those that are.
        let usage: BTreeSet<ItemKey> = keys.iter().map(|key| key.of_final()).collect();
        let claims = self.items.iter().filter(|(key, _)| usage.contains(&key.of_final()));
        let claims: BTreeMap<ItemKey, Claim> =
            claims.map(|(key, item)| (key.clone(), item.claim.clone())).collect();
        let superseded: BTreeMap<ItemKey, Vec<Posting>> = decide::claims_superseded(batch, &claims)
            .into_iter()
            .map(|claim| (claim.key.clone(), self.current_postings(claim)))
            .collect();
        let mut touched = decide::days_touched(batch, &accounts);
        let taken_back = superseded.values().flatten();
        touched.extend(taken_back.map(|posting| (posting.account.clone(), posting.day)));
        let mut days: BTreeMap<(AccountId, Day), Vec<DayTotal>> = BTreeMap::new();
        for total in self.totals.values() {
            let day = (total.key.account.clone(), total.key.day);
            if touched.contains(&day) {
                days.entry(day).or_default().push(total.clone());
            }
        }
        let plans = accounts.keys().flat_map(|account| self.plans_of(account)).collect();
        let parked = self.parked.iter().filter(|(key, _)| keys.contains(key));
        IngestFacts {
            plans,
            tariffs: Arc::new(self.tariffs.clone()),
            accounts,
            claims,
            superseded,
            parked: parked.map(|(key, parked)| (key.clone(), parked.clone())).collect(),
            days: days.into_iter().map(|(day, totals)| (day, OpenDay::of(totals))).collect(),
            batch: batch.id().unwrap(),
            intake: batch.id().ok().and_then(|id| self.intakes.get(&id).cloned()),
        }
    }

    /// The postings that an item has from the current one on.
    pub(crate) fn current_postings(&self, claim: &Claim) -> Vec<Posting> {
        let postings = self.journal[&claim.account].iter().filter_map(|entry| match entry {
            JournalEntry::Posting(posting) => Some(posting),
            JournalEntry::Event(_) => None,
        });
        let until = claim.current_seq + u64::from(claim.effective);
        let current = |posting: &&Posting| (claim.current_seq..until).contains(&posting.seq);
        postings.filter(current).cloned().collect()
    }

    #[expect(
        clippy::panic_in_result_fn,
        reason = "an answer that does not add up fails every test"
    )]
    pub(crate) fn ingest(&mut self, batch: &Batch) -> Result<Ingested, IngestError> {
        let facts = self.ingest_facts(batch);
        let ingested = decide::ingest(facts, batch, self.limits, self.now)?;
        assert!(ingested.intake.balances(), "every entry is accounted for");
        assert_eq!(ingested.receipts.len(), batch.entries.len(), "every entry is answered");
        self.apply(&ingested.writes);
        Ok(ingested)
    }

    pub(crate) fn take<T: Clone + Into<Incoming>>(&mut self, items: &[T]) -> Ingested {
        self.ingest(&batch(items)).unwrap()
    }

    /// Takes items that are all recorded now.
    pub(crate) fn record<T: Clone + Into<Incoming>>(&mut self, items: &[T]) {
        let intake = self.take(items).intake;
        assert_eq!(intake.recorded, intake.received, "every item is recorded");
    }

    /// Records calls of `alice`, each with its id, its start and its milliseconds.
    pub(crate) fn calls(&mut self, calls: &[(&str, &str, u64)]) {
        let calls: Vec<_> = calls.iter().map(|(id, start, ms)| call(id, start, *ms)).collect();
        self.record(&calls);
    }

    /// Takes items none of which is parked or in conflict.
    pub(crate) fn record_or_replay(&mut self, items: &[Incoming]) {
        let intake = self.take(items).intake;
        assert_eq!(intake.recorded + intake.replayed, intake.received, "every item is recorded");
    }

    /// What a store would read to bill an account up to an instant.
    pub(crate) fn bill_facts(&self, account: &AccountId, at: Instant) -> BillFacts {
        let plans = self.plans_of(account);
        let account = self.accounts[account].clone();
        let mine = |total: &&DayTotal| total.key.account == account.settings.id && !total.billed;
        let unbilled: Vec<_> = self.totals.values().filter(mine).cloned().collect();
        let scopes = decide::scopes_touched(&account, &unbilled, at).unwrap();
        let touched =
            |key: &CarryKey| key.account == account.settings.id && scopes.contains(&key.scope);
        let carries = self.carries.iter().filter(|(key, _)| touched(key));
        let carries = carries.map(|(key, carry)| (key.clone(), carry.clone())).collect();
        BillFacts { account, plans, unbilled, carries }
    }

    pub(crate) fn bill_of(&self, account: &str, at: &str) -> Result<Vec<Draft>, BillError> {
        let at = read(at);
        decide::bill(&self.bill_facts(&read(account), at), at)
    }

    /// The drafts of `alice`.
    pub(crate) fn bill(&self, at: &str) -> Vec<Draft> {
        self.bill_of("alice", at).unwrap()
    }

    pub(crate) fn issue_of(&mut self, account: &str, at: &str) -> Result<Vec<Invoice>, BillError> {
        self.issue_at(&read(account), read(at))
    }

    pub(crate) fn issue_at(
        &mut self,
        account: &AccountId,
        as_of: Instant,
    ) -> Result<Vec<Invoice>, BillError> {
        let facts = self.bill_facts(account, as_of);
        let last = self.invoices.last().map_or(0, |invoice| invoice.number);
        let (invoices, writes) = decide::issue(&facts, as_of, &read("2026"), last, self.now)?;
        self.apply(&writes);
        Ok(invoices)
    }

    /// The invoices that are issued to `alice`.
    pub(crate) fn issue(&mut self, as_of: &str) -> Vec<Invoice> {
        self.issue_of("alice", as_of).unwrap()
    }

    /// Those that are not void, oldest first.
    pub(crate) fn valid(&self) -> impl DoubleEndedIterator<Item = &Invoice> {
        let void = |invoice: &Invoice| {
            let state = &self.states[&(invoice.series.clone(), invoice.number)];
            matches!(state, InvoiceState::Void { .. })
        };
        self.invoices.iter().filter(move |invoice| !void(invoice))
    }

    /// What a store would read to mark an invoice.
    pub(crate) fn mark_facts(&self, number: u64) -> MarkFacts {
        let invoice = self.invoices.iter().find(|invoice| invoice.number == number).unwrap();
        let account = &invoice.draft.account;
        let mut mine = self.valid().filter(|other| other.draft.account == *account);
        let last = mine.next_back().map(|last| (last.series.clone(), last.number));
        let totals = invoice.part_keys().map(|key| self.totals[&key].clone());
        MarkFacts {
            account: self.accounts[account].clone(),
            invoice: invoice.clone(),
            state: self.states[&(invoice.series.clone(), number)].clone(),
            last,
            totals: totals.collect(),
        }
    }

    /// Records that an invoice was paid on 2026-12-24; `false` if it was known.
    pub(crate) fn pay(&mut self, number: u64, reference: &str) -> Result<bool, MarkError> {
        let facts = self.mark_facts(number);
        let writes = decide::pay(&facts, read("2026-12-24"), reference.into(), self.now)?;
        if let Some(writes) = &writes {
            self.apply(writes);
        }
        Ok(writes.is_some())
    }

    /// Makes an invoice void; `false` if it was.
    pub(crate) fn void(&mut self, number: u64, reason: &str) -> Result<bool, MarkError> {
        let writes = decide::void(&self.mark_facts(number), reason.into(), self.now)?;
        if let Some(writes) = &writes {
            self.apply(writes);
        }
        Ok(writes.is_some())
    }

    /// Hands an account's days over, and gives the settlements that are made of them.
    pub(crate) fn hand_over(&mut self, account: &str, days: Days) -> Vec<Settlement> {
        let unhanded = self.totals.values().filter(|t| t.key.account.as_str() == account);
        let unhanded: Vec<_> = unhanded.filter(|total| !total.handed).cloned().collect();
        let account = &self.accounts[account];
        let writes = decide::hand_over(account, &unhanded, days, self.now).unwrap();
        self.apply(&writes);
        writes.settlements
    }

    /// Records a processor's answer; `false` if there was one.
    pub(crate) fn answer(&mut self, settlement: &Settlement, said: Answer) -> bool {
        let account = &self.accounts[&settlement.handover.account];
        let writes = decide::answer(account, settlement, said, self.now).unwrap();
        if let Some(writes) = &writes {
            self.apply(writes);
        }
        writes.is_some()
    }

    /// Every posting, by account and number.
    pub(crate) fn postings(&self) -> Vec<&Posting> {
        let entries = self.journal.values().flatten();
        let postings = entries.filter_map(|entry| match entry {
            JournalEntry::Posting(posting) => Some(posting),
            JournalEntry::Event(_) => None,
        });
        postings.collect()
    }
}
