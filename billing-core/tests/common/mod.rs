//! Builders of facts, and a store of a few maps that applies what the rules decide.
#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::indexing_slicing, reason = "a test may panic")]
#![expect(clippy::panic_in_result_fn, reason = "a test may panic")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
    sync::Arc,
};

use billing_core::{
    account::AccountSettings,
    decide::{
        self, AccountFacts, AssignError, AssignFacts, Batch, BillError, BillFacts, IngestError,
        IngestFacts, Ingested, Intake, Limits, OpenDay, Parked, Plans, Refusal, StoredItem, Writes,
    },
    event::{Head, JournalEntry, Posting},
    id::{AccountId, Group, IntakeId, PlanId, StrategyId},
    invoice::{Draft, Invoice},
    item::{Call, CallEnded, Direction, Disposition, Incoming, Item, ItemKey},
    money::Quantity,
    plan::{Arrival, Bill, Plan, PlanBook, PlanSpec, Priced, Problem, Strategy, StretchFacts},
    time::{Day, Instant},
    usage::{Carry, CarryKey, DayTotal, Scope, TotalKey, Totals},
};

/// A value from its text.
pub(crate) fn read<T: FromStr<Err: fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

/// A document from its JSON.
pub(crate) fn document<T: serde::de::DeserializeOwned>(json: &str) -> T {
    serde_json::from_str(json).unwrap()
}

/// An account in euros with periods of calendar months in UTC, and what `more` says besides.
pub(crate) fn settings(id: &str, more: &str) -> AccountSettings {
    document(&format!(
        r#"{{"id":"{id}","currency":"EUR","zone":"UTC",
             "anchor":{{"from":"2026-01-01","months":1}}{more}}}"#
    ))
}

/// Lines and taxes with as many decimals as there are.
pub(crate) const EXACT: &str = r#","invoice":{"decimals":10}"#;

/// The version of plan `basic` with these strategies.
pub(crate) fn plan(version: u32, strategies: &[String]) -> PlanSpec {
    let strategies = strategies.join(",");
    document(&format!(
        r#"{{"id":"basic","version":{version},"currency":"EUR","payment":"postpaid",
             "strategies":[{strategies}]}}"#
    ))
}

/// A strategy called `calls`, of a kind with terms.
pub(crate) fn strategy(kind: &str, terms: &str) -> String {
    named("calls", kind, terms)
}

/// A strategy of a kind with terms.
pub(crate) fn named(id: &str, kind: &str, terms: &str) -> String {
    format!(r#"{{"id":"{id}","kind":"{kind}","terms":{terms}}}"#)
}

/// Blocks of 30 s.
pub(crate) fn blocks(scope: &str, per_block: &str) -> String {
    strategy(
        "blocks",
        &format!(r#"{{"block_ms":30000,"per_block":"{per_block}","scope":"{scope}"}}"#),
    )
}

/// A price a minute.
pub(crate) fn flat_rate(per_minute: &str, minutes: &str) -> String {
    strategy("flat_rate", &format!(r#"{{"per_minute":"{per_minute}","minutes":"{minutes}"}}"#))
}

/// An answered outbound call that `alice` pays.
pub(crate) fn call(id: &str, start: &str, duration_ms: u64) -> CallEnded {
    CallEnded {
        key: ItemKey::new(read("switch"), read(id)),
        account: Some(read("alice")),
        call: Call {
            start: read(start),
            duration_ms,
            caller: read("+12025550100"),
            callee: read("+12025550123"),
            disposition: Disposition::Answered,
            direction: Direction::Outbound,
        },
    }
}

/// A batch of calls.
pub(crate) fn batch(calls: &[CallEnded]) -> Batch {
    let entries = calls.iter().map(|call| Ok(Incoming::from(call.clone()))).collect();
    Batch { label: "calls".into(), entries }
}

/// What one stored state is made of.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) book: PlanBook,
    pub(crate) limits: Limits,
    pub(crate) now: Instant,
    pub(crate) specs: BTreeMap<(PlanId, u32), PlanSpec>,
    pub(crate) accounts: BTreeMap<AccountId, AccountFacts>,
    pub(crate) items: BTreeMap<ItemKey, StoredItem>,
    pub(crate) parked: BTreeMap<ItemKey, Parked>,
    pub(crate) totals: BTreeMap<TotalKey, DayTotal>,
    pub(crate) carries: BTreeMap<CarryKey, Carry>,
    pub(crate) journal: BTreeMap<AccountId, Vec<JournalEntry>>,
    pub(crate) intakes: BTreeMap<IntakeId, Intake>,
    pub(crate) refusals: Vec<Refusal>,
    pub(crate) invoices: Vec<Invoice>,
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
            parked: BTreeMap::new(),
            totals: BTreeMap::new(),
            carries: BTreeMap::new(),
            journal: BTreeMap::new(),
            intakes: BTreeMap::new(),
            refusals: Vec::new(),
            invoices: Vec::new(),
        }
    }

    /// One account with plan `basic` in version 1 from 2026-01-01 on.
    pub(crate) fn with(settings: &AccountSettings, strategies: &[String]) -> Self {
        Self::with_book(PlanBook::standard(), settings, strategies)
    }

    /// The same with kinds of one's own.
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

    pub(crate) fn assign(
        &mut self,
        account: &AccountId,
        version: u32,
        from: &str,
    ) -> Result<(), AssignError> {
        let from: Day = read(from);
        let next = self.accounts[account].assignments.iter().map(|assignment| assignment.from);
        let next = next.filter(|next| *next > from).min();
        let used = self.totals.keys().filter(|key| key.account == *account).map(|key| key.day);
        let used = used.filter(|day| from <= *day && next.is_none_or(|next| *day < next)).min();
        let plan = self.plan(version);
        let (plan, plans) = (&plan, &self.plans_of(account));
        let facts = AssignFacts { account: &self.accounts[account], plan, plans, used };
        let writes = decide::assign(facts, from, self.now)?;
        self.apply(&writes.unwrap());
        Ok(())
    }

    /// What a store would read for a batch.
    pub(crate) fn ingest_facts(&self, batch: &Batch) -> IngestFacts {
        let named = batch.accounts();
        let accounts = self.accounts.iter().filter(|(id, _)| named.contains(id));
        let accounts = accounts.map(|(id, facts)| (id.clone(), facts.clone())).collect();
        let keys = batch.keys();
        let claims = self.items.iter().filter(|(key, _)| keys.contains(key));
        let parked = self.parked.iter().filter(|(key, _)| keys.contains(key));
        let mut days: BTreeMap<(AccountId, Day), Vec<DayTotal>> = BTreeMap::new();
        let touched = decide::days_touched(batch, &accounts);
        for total in self.totals.values() {
            let day = (total.key.account.clone(), total.key.day);
            if touched.contains(&day) {
                days.entry(day).or_default().push(total.clone());
            }
        }
        IngestFacts {
            accounts,
            plans: self.plans(),
            claims: claims.map(|(key, item)| (key.clone(), item.claim.clone())).collect(),
            parked: parked.map(|(key, parked)| (key.clone(), parked.clone())).collect(),
            days: days.into_iter().map(|(day, totals)| (day, OpenDay::of(totals))).collect(),
            batch: batch.id().unwrap(),
            intake: batch.id().ok().and_then(|id| self.intakes.get(&id).cloned()),
        }
    }

    pub(crate) fn ingest(&mut self, batch: &Batch) -> Result<Ingested, IngestError> {
        let facts = self.ingest_facts(batch);
        let ingested = decide::ingest(facts, batch, self.limits, self.now)?;
        assert!(ingested.intake.balances(), "every entry is accounted for");
        assert_eq!(ingested.receipts.len(), batch.entries.len(), "every entry is answered");
        self.apply(&ingested.writes);
        Ok(ingested)
    }

    pub(crate) fn take(&mut self, calls: &[CallEnded]) -> Ingested {
        self.ingest(&batch(calls)).unwrap()
    }

    /// Plan `basic` in a version.
    pub(crate) fn plan(&self, version: u32) -> Plan {
        self.book.build(self.specs[&(read("basic"), version)].clone()).unwrap()
    }

    /// The plans of an account's assignments.
    pub(crate) fn plans_of(&self, account: &AccountId) -> Plans {
        let assigned = |id: &(PlanId, u32)| {
            let assignments = &self.accounts[account].assignments;
            assignments.iter().any(|a| (&a.plan, a.version) == (&id.0, id.1))
        };
        self.plans().into_iter().filter(|(id, _)| assigned(id)).collect()
    }

    pub(crate) fn plans(&self) -> Plans {
        let build = |spec: &PlanSpec| self.book.build(spec.clone()).map(Arc::new);
        self.specs.iter().map(|(id, spec)| (id.clone(), build(spec))).collect()
    }

    /// What a store would read to bill an account up to an instant.
    pub(crate) fn bill_facts(&self, account: &AccountId, at: Instant) -> BillFacts {
        let account = self.accounts[account].clone();
        let mine = |total: &&DayTotal| total.key.account == account.settings.id && !total.billed;
        let unbilled: Vec<_> = self.totals.values().filter(mine).cloned().collect();
        let scopes = decide::scopes_touched(&account, &unbilled, at).unwrap();
        let touched =
            |key: &CarryKey| key.account == account.settings.id && scopes.contains(&key.scope);
        let carries = self.carries.iter().filter(|(key, _)| touched(key));
        let carries = carries.map(|(key, carry)| (key.clone(), carry.clone())).collect();
        BillFacts { account, plans: self.plans(), unbilled, carries }
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

    /// Every posting, by account and number.
    pub(crate) fn postings(&self) -> Vec<&Posting> {
        let entries = self.journal.values().flatten();
        let postings = entries.filter_map(|entry| match entry {
            JournalEntry::Posting(posting) => Some(posting),
            JournalEntry::Event(_) => None,
        });
        postings.collect()
    }

    /// Stores what was decided, as strictly as a database with unique keys.
    pub(crate) fn apply(&mut self, writes: &Writes) {
        for settings in &writes.accounts {
            let facts = AccountFacts {
                settings: settings.clone(),
                head: Head::EMPTY,
                assignments: Vec::new(),
                invoiced_until: None,
            };
            let before = self.accounts.insert(settings.id.clone(), facts);
            assert_eq!(before, None, "an account is opened once");
        }
        for (account, assignment) in &writes.assignments {
            let facts = self.accounts.get_mut(account).unwrap();
            facts.assignments.push(assignment.clone());
            facts.assignments.sort_by_key(|assignment| assignment.from);
        }
        for item in &writes.items {
            let before = self.items.insert(item.claim.key.clone(), item.clone());
            assert_eq!(before, None, "an item is claimed once");
        }
        for parked in &writes.parked {
            let key = parked.incoming.key.clone();
            assert!(!self.items.contains_key(&key), "what is claimed is never parked");
            drop(self.parked.insert(key, parked.clone()));
        }
        for key in &writes.unparked {
            assert!(self.parked.remove(key).is_some(), "what is unparked was parked");
        }
        self.apply_journal(writes);
        self.apply_totals(writes);
        for moved in &writes.carries {
            drop(self.carries.insert(moved.key.clone(), moved.carry.clone()));
        }
        if let Some(intake) = &writes.intake {
            let before = self.intakes.insert(intake.id.clone(), intake.clone());
            assert_eq!(before, None, "a batch leaves one record");
        }
        self.refusals.extend(writes.refusals.iter().cloned());
        self.apply_invoices(writes);
    }

    fn apply_journal(&mut self, writes: &Writes) {
        let postings = writes.postings.iter().cloned();
        let postings = postings.map(|posting| (posting.account.clone(), posting.into()));
        let events = writes.events.iter().cloned();
        let events = events.map(|event| (event.account.clone(), event.into()));
        let mut entries: Vec<(AccountId, Entry)> = postings.chain(events).collect();
        entries.sort_by_key(|(account, entry)| (account.clone(), entry.0.seq()));
        let mut heads = BTreeMap::new();
        for (account, Entry(entry)) in entries {
            let stored = self.accounts[&account].head;
            let head = heads.entry(account.clone()).or_insert(stored);
            assert_eq!(Some(entry.seq()), head.next(), "numbers have no gap");
            *head = head.append(&entry);
            self.journal.entry(account).or_default().push(entry);
        }
        let told: BTreeMap<_, _> = writes.heads.iter().cloned().collect();
        assert_eq!(told, heads, "the head is the last link");
        for (account, head) in heads {
            self.accounts.get_mut(&account).unwrap().head = head;
        }
    }

    fn apply_totals(&mut self, writes: &Writes) {
        for total in &writes.totals {
            if let Some(before) = self.totals.insert(total.key.clone(), total.clone()) {
                assert!(!before.billed, "what is billed never changes");
                let changed = before.totals != total.totals;
                assert!(!(before.closed && changed), "a closed revision takes no postings");
            }
        }
    }

    fn apply_invoices(&mut self, writes: &Writes) {
        let mut parts: BTreeSet<TotalKey> =
            self.invoices.iter().flat_map(Invoice::part_keys).collect();
        for invoice in &writes.invoices {
            let (account, period) = (&invoice.draft.account, invoice.draft.period);
            let facts = self.accounts.get_mut(account).unwrap();
            assert!(
                facts.invoiced_until.is_none_or(|until| until <= period.start()),
                "a period is invoiced once, after those before it"
            );
            facts.invoiced_until = Some(period.end());
            for part in invoice.part_keys() {
                assert!(self.totals[&part].billed, "what is in a line is billed");
                assert!(parts.insert(part), "a day's total is in one line");
            }
            self.invoices.push(invoice.clone());
        }
    }
}

/// One journal entry, made from either kind.
struct Entry(JournalEntry);

impl From<Posting> for Entry {
    fn from(posting: Posting) -> Self {
        Self(JournalEntry::Posting(posting))
    }
}

impl From<billing_core::event::Event> for Entry {
    fn from(event: billing_core::event::Event) -> Self {
        Self(JournalEntry::Event(event))
    }
}

/// How a strategy of one's own prices an item.
pub(crate) type OnArrival = fn(&Arrival<'_>) -> Result<Priced, Problem>;

/// How a strategy of one's own settles a stretch.
pub(crate) type Settle = fn(&StretchFacts, &mut Bill) -> Result<(), Problem>;

/// A strategy of one's own, made of two functions.
#[derive(Clone, Debug)]
pub(crate) struct Own {
    id: StrategyId,
    scope: Scope,
    on_arrival: OnArrival,
    settle: Settle,
}

impl Strategy for Own {
    fn id(&self) -> &StrategyId {
        &self.id
    }

    fn group(&self, item: &Item) -> Option<Group> {
        let Item::Call(call) = item else { return None };
        Some(read(call.direction.name()))
    }

    fn on_arrival(&self, arrival: &Arrival<'_>) -> Result<Priced, Problem> {
        (self.on_arrival)(arrival)
    }

    fn scope(&self) -> Scope {
        self.scope
    }

    fn settle(&self, facts: &StretchFacts, bill: &mut Bill) -> Result<(), Problem> {
        (self.settle)(facts, bill)
    }
}

/// The built-in kinds and a kind `own`.
pub(crate) fn book(scope: Scope, on_arrival: OnArrival, settle: Settle) -> PlanBook {
    PlanBook::standard().with_kind("own", move |spec| {
        Ok(Arc::new(Own { id: spec.id.clone(), scope, on_arrival, settle }))
    })
}

/// Counts milliseconds, as the built-in kinds do.
pub(crate) fn counted(arrival: &Arrival<'_>) -> Result<Priced, Problem> {
    let Item::Call(call) = arrival.item() else { return Err(Problem("not a call".into())) };
    let quantity = Quantity::from_u64(call.charged_ms())?;
    Ok(Priced::new(read("ms"), Totals { count: 1, quantity, amount: None }))
}
