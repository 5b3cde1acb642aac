//! The suite bites: each of these stores has one defect, and the suite names the promise it breaks.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use tokio::sync::{Mutex, OwnedMutexGuard};

use billing_core::{
    decide::{AccountFacts, CarryMove, Intake, Parked, Refusal, StoredItem, Writes},
    event::{JournalEntry, Posting},
    id::{AccountId, IntakeId, ItemId, PlanId, SeriesId, TenantId},
    invoice::Invoice,
    item::ItemKey,
    money::{Amount, Quantity},
    plan::PlanSpec,
    time::Day,
    usage::{DayTotal, ScopeKey, Totals},
};
use billing_store::{
    MemoryStore, StoreResult,
    conformance::{self, Promise},
    store::{BilledPart, Facts, Locks, Store, Transaction, Unit},
};

/// What is wrong with a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Defect {
    /// Nothing: the wrapping itself keeps every promise.
    None,
    /// Keys do not begin with the tenant.
    ForgetsTheTenant,
    /// Each page of a journal is last number first.
    SwapsTheJournal,
    /// Events are not written.
    DropsEvents,
    /// A page has two rows at most.
    TruncatesPages,
    /// Day totals that are closed are not found by their day.
    HidesClosedDays,
    /// Keys that are named twice are answered twice.
    AnswersEachTime,
    /// Item ids are stored in lower case.
    FoldsCase,
    /// Amounts and quantities keep six decimals.
    LosesFractions,
    /// Each apply is committed at once.
    CommitsAtOnce,
    /// What is applied is written with the commit and not seen before.
    ReadsStale,
    /// The claims of an apply that was refused stay.
    KeepsHalfOfARefusal,
    /// Claims that exist are passed over.
    IgnoresDoubleClaims,
    /// A plan version that exists is passed over.
    IgnoresDoublePlans,
    /// Postings and events have numbers of their own.
    NumbersTwice,
    /// Day totals are added to what is stored.
    AddsTotals,
    /// A second invoice for a period is accepted.
    InvoicesTwice,
    /// Units do not wait for one another before they write.
    TakesNoLock,
    /// An apply without writes leaves a mark.
    MarksReplays,
    /// New day totals of invoiced periods are not written.
    IgnoresLateUsage,
    /// Claims are committed first, and what they claimed in a second commit.
    ClaimsBeforeEffects,
}

const CANARIES: [(Defect, Promise); 20] = [
    (Defect::ForgetsTheTenant, Promise::TenantsAreApart),
    (Defect::SwapsTheJournal, Promise::JournalIsInOrder),
    (Defect::DropsEvents, Promise::JournalIsInOrder),
    (Defect::TruncatesPages, Promise::PagesAreComplete),
    (Defect::HidesClosedDays, Promise::KeysFindTheirRows),
    (Defect::AnswersEachTime, Promise::KeysFindTheirRows),
    (Defect::FoldsCase, Promise::KeysAreBytes),
    (Defect::LosesFractions, Promise::ValuesComeBack),
    (Defect::CommitsAtOnce, Promise::NothingBeforeCommit),
    (Defect::ReadsStale, Promise::UnitSeesItself),
    (Defect::KeepsHalfOfARefusal, Promise::AllOrNothing),
    (Defect::IgnoresDoubleClaims, Promise::AClaimIsForEver),
    (Defect::IgnoresDoublePlans, Promise::NamesAreTakenOnce),
    (Defect::NumbersTwice, Promise::NumberIsGivenOnce),
    (Defect::AddsTotals, Promise::WritesReplace),
    (Defect::TakesNoLock, Promise::UnitsFollowOneAnother),
    (Defect::InvoicesTwice, Promise::InvoiceOnceAPeriod),
    (Defect::MarksReplays, Promise::ReplayChangesNothing),
    (Defect::IgnoresLateUsage, Promise::LateUsageOpensARevision),
    (Defect::ClaimsBeforeEffects, Promise::CancelledLeavesNothing),
];

#[tokio::test]
async fn each_defect_is_named_by_the_promise_it_breaks() {
    for (defect, promise) in CANARIES {
        let outcome = conformance::check(|| async move { Canary::with(defect) }).await;
        let broken = outcome.err().map(|broken| broken.promise);
        assert_eq!(broken, Some(promise), "{defect:?}");
    }
}

#[tokio::test]
async fn a_canary_without_a_defect_passes() {
    let outcome = conformance::check(|| async { Canary::with(Defect::None) }).await;
    assert_eq!(outcome, Ok(()));
}

#[test]
fn every_promise_has_a_canary() {
    let bitten: BTreeSet<Promise> = CANARIES.into_iter().map(|(_, promise)| promise).collect();
    let given: BTreeSet<Promise> = Promise::ALL.iter().copied().collect();
    assert_eq!(bitten, given);
}

/// A memory store with a defect.
#[derive(Debug)]
struct Canary {
    store: MemoryStore,
    defect: Defect,
    turn: Arc<Mutex<()>>,
}

impl Canary {
    fn with(defect: Defect) -> Self {
        Self { store: MemoryStore::new(), defect, turn: Arc::default() }
    }

    fn wrap(&self, tenant: &TenantId, inner: Inner) -> Wrapped {
        let (named, key) = (tenant.clone(), self.key(tenant));
        let (store, defect) = (self.store.clone(), self.defect);
        Wrapped { named, key, store, defect, inner, told: Vec::new(), turn: None }
    }

    fn key(&self, tenant: &TenantId) -> TenantId {
        match self.defect {
            Defect::ForgetsTheTenant => TenantId::try_new("everybody").unwrap(),
            _ => tenant.clone(),
        }
    }
}

#[async_trait]
impl Store for Canary {
    async fn begin(&self, tenant: &TenantId, locks: &Locks) -> StoreResult<Box<dyn Transaction>> {
        let mut wrapped = self.wrap(tenant, Inner::Idle);
        match self.defect {
            Defect::TakesNoLock => {}
            Defect::ClaimsBeforeEffects => {
                wrapped.turn = Some(Arc::clone(&self.turn).lock_owned().await);
                wrapped.begin().await?;
            }
            _ => wrapped.inner = Inner::Unit(self.store.begin(&wrapped.key, locks).await?),
        }
        Ok(Box::new(wrapped))
    }

    async fn read(&self, tenant: &TenantId) -> StoreResult<Box<dyn Facts>> {
        let reader = self.store.read(&self.key(tenant)).await?;
        Ok(Box::new(self.wrap(tenant, Inner::Reader(reader))))
    }
}

/// What a unit holds of the store inside.
enum Inner {
    /// Nothing, until it asks or writes.
    Idle,
    /// A reader.
    Reader(Box<dyn Facts>),
    /// A unit.
    Unit(Box<dyn Transaction>),
}

/// A reader or a unit with a defect.
struct Wrapped {
    named: TenantId,
    key: TenantId,
    store: MemoryStore,
    defect: Defect,
    inner: Inner,
    told: Vec<Writes>,
    turn: Option<OwnedMutexGuard<()>>,
}

impl Wrapped {
    /// Begins the unit inside, after giving back what is held.
    async fn begin(&mut self) -> StoreResult<()> {
        self.inner = Inner::Idle;
        self.inner = Inner::Unit(self.store.begin(&self.key, &Locks::default()).await?);
        Ok(())
    }

    async fn unit(&mut self) -> StoreResult<&mut dyn Transaction> {
        if !matches!(self.inner, Inner::Unit(_)) {
            self.begin().await?;
        }
        match &mut self.inner {
            Inner::Unit(unit) => Ok(&mut **unit),
            Inner::Idle | Inner::Reader(_) => panic!("a unit was begun"),
        }
    }

    async fn facts(&mut self) -> StoreResult<&mut dyn Facts> {
        if matches!(self.inner, Inner::Idle) {
            self.inner = Inner::Reader(self.store.read(&self.key).await?);
        }
        match &mut self.inner {
            Inner::Unit(unit) => Ok(&mut **unit),
            Inner::Reader(reader) => Ok(&mut **reader),
            Inner::Idle => panic!("a reader was begun"),
        }
    }

    /// Lets others in between two questions, where no lock keeps them out.
    async fn release(&mut self) {
        if self.defect == Defect::TakesNoLock && matches!(self.inner, Inner::Reader(_)) {
            self.inner = Inner::Idle;
            tokio::task::yield_now().await;
        }
    }

    async fn commit_now(&mut self, writes: &Writes) -> StoreResult<()> {
        self.begin().await?;
        self.unit().await?.apply(writes).await?;
        self.commit_inner().await
    }

    async fn commit_inner(&mut self) -> StoreResult<()> {
        match std::mem::replace(&mut self.inner, Inner::Idle) {
            Inner::Unit(unit) => unit.commit().await,
            Inner::Idle | Inner::Reader(_) => Ok(()),
        }
    }

    /// What the defect makes of writes before they reach the store inside.
    async fn bend(&mut self, writes: &Writes) -> StoreResult<Writes> {
        let mut bent = writes.clone();
        match self.defect {
            Defect::FoldsCase => bent.items.iter_mut().for_each(fold),
            Defect::DropsEvents => bent.events.clear(),
            Defect::LosesFractions => lose_fractions(&mut bent),
            Defect::MarksReplays if *writes == Writes::default() => {
                bent.series = Some((SeriesId::try_new("replays").unwrap(), 1));
            }
            Defect::IgnoresDoubleClaims => self.pass_over_claims(&mut bent).await?,
            Defect::IgnoresDoublePlans => self.pass_over_plans(&mut bent).await?,
            Defect::NumbersTwice => self.pass_over_numbers(&mut bent).await?,
            Defect::AddsTotals => self.add_totals(&mut bent).await?,
            Defect::InvoicesTwice => self.pass_over_invoices(&mut bent).await?,
            Defect::IgnoresLateUsage => self.pass_over_late_usage(&mut bent).await?,
            _ => {}
        }
        Ok(bent)
    }

    async fn pass_over_claims(&mut self, writes: &mut Writes) -> StoreResult<()> {
        let keys: Vec<_> = writes.items.iter().map(|item| item.claim.key.clone()).collect();
        let stored = self.unit().await?.items(&keys).await?;
        let mut known: BTreeSet<_> = stored.into_iter().map(|item| item.claim.key).collect();
        writes.items.retain(|item| known.insert(item.claim.key.clone()));
        Ok(())
    }

    async fn pass_over_plans(&mut self, writes: &mut Writes) -> StoreResult<()> {
        let keys: Vec<_> =
            writes.plans.iter().map(|plan| (plan.id.clone(), plan.version)).collect();
        let stored = self.unit().await?.plans(&keys).await?;
        writes.plans.retain(|plan| {
            !stored.iter().any(|stored| (&stored.id, stored.version) == (&plan.id, plan.version))
        });
        Ok(())
    }

    async fn pass_over_numbers(&mut self, writes: &mut Writes) -> StoreResult<()> {
        let mut posted = BTreeSet::new();
        for posting in std::mem::take(&mut writes.postings) {
            let before = posting.seq.saturating_sub(1);
            let stored = self.unit().await?.journal(&posting.account, before, 1).await?;
            let is_event = |entry: &JournalEntry| matches!(entry, JournalEntry::Event(event) if event.seq == posting.seq);
            if !stored.iter().any(is_event) {
                posted.insert((posting.account.clone(), posting.seq));
                writes.postings.push(posting);
            }
        }
        let numbers: Vec<_> =
            writes.events.iter().map(|event| (event.account.clone(), event.seq)).collect();
        let stored = self.unit().await?.postings(&numbers).await?;
        posted.extend(stored.into_iter().map(|posting| (posting.account, posting.seq)));
        writes.events.retain(|event| !posted.contains(&(event.account.clone(), event.seq)));
        Ok(())
    }

    async fn add_totals(&mut self, writes: &mut Writes) -> StoreResult<()> {
        for total in &mut writes.totals {
            let stored = self.unit().await?.totals_of(&total.key.account).await?;
            let before = stored.into_iter().find(|stored| stored.key == total.key);
            let sum = before.map(|before| total.totals.checked_add(before.totals));
            total.totals = sum.and_then(Result::ok).unwrap_or(total.totals);
        }
        Ok(())
    }

    async fn pass_over_invoices(&mut self, writes: &mut Writes) -> StoreResult<()> {
        for invoice in std::mem::take(&mut writes.invoices) {
            let stored = self.unit().await?.invoices_of(&invoice.draft.account).await?;
            if !stored.iter().any(|stored| stored.draft.period == invoice.draft.period) {
                writes.invoices.push(invoice);
            }
        }
        Ok(())
    }

    async fn pass_over_late_usage(&mut self, writes: &mut Writes) -> StoreResult<()> {
        for total in std::mem::take(&mut writes.totals) {
            let account = total.key.account.clone();
            let stored = self.unit().await?.totals_of(&account).await?;
            let known = stored.iter().any(|stored| stored.key == total.key);
            let facts = self.unit().await?.accounts(&[account]).await?;
            let until = facts.first().and_then(|facts| facts.invoiced_until);
            if known || until.is_none_or(|until| until <= total.key.day) {
                writes.totals.push(total);
            }
        }
        Ok(())
    }
}

fn fold(item: &mut StoredItem) {
    item.claim.key.id = ItemId::try_new(item.claim.key.id.as_str().to_lowercase()).unwrap();
}

fn lose_fractions(writes: &mut Writes) {
    let cut = |totals: &mut Totals| {
        totals.quantity = Quantity::try_new(totals.quantity.decimal().trunc_with_scale(6)).unwrap();
        totals.amount = totals
            .amount
            .map(|amount| Amount::try_new(amount.decimal().trunc_with_scale(6)).unwrap());
    };
    writes.postings.iter_mut().for_each(|posting| cut(&mut posting.totals));
    writes.totals.iter_mut().for_each(|total| cut(&mut total.totals));
}

#[async_trait]
impl Unit for Wrapped {
    async fn apply(&mut self, writes: &Writes) -> StoreResult<()> {
        let bent = self.bend(writes).await?;
        match self.defect {
            Defect::ReadsStale => {
                self.told.push(bent);
                Ok(())
            }
            Defect::CommitsAtOnce => {
                self.commit_now(&bent).await?;
                self.begin().await
            }
            Defect::ClaimsBeforeEffects => {
                self.unit().await?.apply(&bent).await?;
                self.told.push(bent);
                Ok(())
            }
            Defect::KeepsHalfOfARefusal => {
                let answer = self.unit().await?.apply(&bent).await;
                if answer.is_err() {
                    let parked = Writes { parked: bent.parked, ..Writes::default() };
                    self.commit_now(&parked).await?;
                    self.begin().await?;
                }
                answer
            }
            _ => self.unit().await?.apply(&bent).await,
        }
    }
}

#[async_trait]
impl Transaction for Wrapped {
    async fn commit(mut self: Box<Self>) -> StoreResult<()> {
        let told = std::mem::take(&mut self.told);
        match self.defect {
            Defect::ReadsStale => {
                for writes in told {
                    self.unit().await?.apply(&writes).await?;
                }
                self.commit_inner().await
            }
            Defect::ClaimsBeforeEffects => {
                for writes in told {
                    let claims = Writes { items: writes.items.clone(), ..Writes::default() };
                    self.commit_now(&claims).await?;
                    tokio::task::yield_now().await;
                    self.commit_now(&Writes { items: Vec::new(), ..writes }).await?;
                }
                Ok(())
            }
            _ => self.commit_inner().await,
        }
    }
}

/// Asks the store inside.
macro_rules! ask {
    ($self:ident.$question:ident($($of:expr),*)) => {{
        let answer = $self.facts().await?.$question($($of),*).await;
        $self.release().await;
        answer
    }};
}

impl Wrapped {
    fn limit(&self, limit: u32) -> u32 {
        match self.defect {
            Defect::TruncatesPages => limit.min(2),
            _ => limit,
        }
    }
}

#[async_trait]
impl Facts for Wrapped {
    fn tenant(&self) -> &TenantId {
        &self.named
    }

    async fn accounts(&mut self, ids: &[AccountId]) -> StoreResult<Vec<AccountFacts>> {
        if self.defect != Defect::AnswersEachTime {
            return ask!(self.accounts(ids));
        }
        let mut answers = Vec::new();
        for id in ids {
            answers.extend(ask!(self.accounts(std::slice::from_ref(id)))?);
        }
        Ok(answers)
    }

    async fn account_page(
        &mut self,
        after: Option<&AccountId>,
        limit: u32,
    ) -> StoreResult<Vec<AccountId>> {
        let limit = self.limit(limit);
        ask!(self.account_page(after, limit))
    }

    async fn items(&mut self, keys: &[ItemKey]) -> StoreResult<Vec<StoredItem>> {
        ask!(self.items(keys))
    }

    async fn item_page(
        &mut self,
        after: Option<&ItemKey>,
        limit: u32,
    ) -> StoreResult<Vec<StoredItem>> {
        let limit = self.limit(limit);
        ask!(self.item_page(after, limit))
    }

    async fn parked(&mut self, keys: &[ItemKey]) -> StoreResult<Vec<Parked>> {
        ask!(self.parked(keys))
    }

    async fn parked_page(
        &mut self,
        after: Option<&ItemKey>,
        limit: u32,
    ) -> StoreResult<Vec<Parked>> {
        let limit = self.limit(limit);
        ask!(self.parked_page(after, limit))
    }

    async fn day_totals(&mut self, days: &[(AccountId, Day)]) -> StoreResult<Vec<DayTotal>> {
        let mut totals = ask!(self.day_totals(days))?;
        if self.defect == Defect::HidesClosedDays {
            totals.retain(|total| !total.closed);
        }
        Ok(totals)
    }

    async fn unbilled(&mut self, accounts: &[AccountId]) -> StoreResult<Vec<DayTotal>> {
        ask!(self.unbilled(accounts))
    }

    async fn totals_of(&mut self, account: &AccountId) -> StoreResult<Vec<DayTotal>> {
        ask!(self.totals_of(account))
    }

    async fn first_used(
        &mut self,
        account: &AccountId,
        from: Day,
        until: Option<Day>,
    ) -> StoreResult<Option<Day>> {
        ask!(self.first_used(account, from, until))
    }

    async fn carries(&mut self, scopes: &[(AccountId, ScopeKey)]) -> StoreResult<Vec<CarryMove>> {
        ask!(self.carries(scopes))
    }

    async fn carries_of(&mut self, account: &AccountId) -> StoreResult<Vec<CarryMove>> {
        ask!(self.carries_of(account))
    }

    async fn plans(&mut self, ids: &[(PlanId, u32)]) -> StoreResult<Vec<PlanSpec>> {
        ask!(self.plans(ids))
    }

    async fn all_plans(&mut self) -> StoreResult<Vec<PlanSpec>> {
        ask!(self.all_plans())
    }

    async fn journal(
        &mut self,
        account: &AccountId,
        after: u64,
        limit: u32,
    ) -> StoreResult<Vec<JournalEntry>> {
        let limit = self.limit(limit);
        let mut journal = ask!(self.journal(account, after, limit))?;
        if self.defect == Defect::SwapsTheJournal {
            journal.reverse();
        }
        Ok(journal)
    }

    async fn postings(&mut self, numbers: &[(AccountId, u64)]) -> StoreResult<Vec<Posting>> {
        ask!(self.postings(numbers))
    }

    async fn intake(&mut self, id: &IntakeId) -> StoreResult<Option<Intake>> {
        ask!(self.intake(id))
    }

    async fn intake_page(
        &mut self,
        after: Option<&IntakeId>,
        limit: u32,
    ) -> StoreResult<Vec<Intake>> {
        let limit = self.limit(limit);
        ask!(self.intake_page(after, limit))
    }

    async fn refusals(&mut self, intake: &IntakeId) -> StoreResult<Vec<Refusal>> {
        ask!(self.refusals(intake))
    }

    async fn invoices_of(&mut self, account: &AccountId) -> StoreResult<Vec<Invoice>> {
        ask!(self.invoices_of(account))
    }

    async fn line_parts(&mut self, account: &AccountId) -> StoreResult<Vec<BilledPart>> {
        ask!(self.line_parts(account))
    }

    async fn strays(&mut self) -> StoreResult<Vec<AccountId>> {
        ask!(self.strays())
    }

    async fn invoice(&mut self, series: &SeriesId, number: u64) -> StoreResult<Option<Invoice>> {
        ask!(self.invoice(series, number))
    }

    async fn invoice_numbers(
        &mut self,
        series: &SeriesId,
        after: u64,
        limit: u32,
    ) -> StoreResult<Vec<u64>> {
        let limit = self.limit(limit);
        ask!(self.invoice_numbers(series, after, limit))
    }

    async fn all_series(&mut self) -> StoreResult<Vec<(SeriesId, u64)>> {
        ask!(self.all_series())
    }
}
