//! A store in memory: the reference for what a store promises, and handy in tests.

mod outbox;
mod state;
mod tariffs;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use async_trait::async_trait;
use tokio::sync::{Mutex, OwnedMutexGuard};

use billing_core::{
    correction::RecordedCorrection,
    decide::{AccountFacts, CarryMove, Dropped, Intake, Parked, Refusal, StoredItem, Writes},
    digest::Digest,
    event::{JournalEntry, Posting},
    id::{AccountId, CorrectionId, CustomerId, IntakeId, PlanId, SeriesId, TariffId, TenantId},
    invoice::{Invoice, InvoiceMark},
    item::ItemKey,
    plan::PlanSpec,
    settlement::Settlement,
    tariff::{Catalog, TariffSpec},
    time::{Day, Instant},
    usage::{DayTotal, ScopeKey},
};

use crate::{
    error::{StoreError, StoreResult},
    store::{BilledPart, Facts, HistoryPage, Locks, Store, Transaction, Unit},
};
use state::{State, Undo};

type Tenants = BTreeMap<TenantId, Arc<State>>;

/// A store in memory. Units of work follow one another; cloning shares the state.
///
/// A reader holds nobody up. It begins with the state between two units, so it waits for the one at work: whoever keeps a unit must
/// read through it.
///
/// # Examples
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// use billing_core::id::TenantId;
/// use billing_store::{MemoryStore, store::Store};
///
/// let store = MemoryStore::new();
/// let mut facts = store.read(&TenantId::try_new("acme")?).await?;
/// assert_eq!(facts.account_page(None, 10).await?, []);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    tenants: Arc<Mutex<Tenants>>,
    epochs: Arc<outbox::Begun>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn begin(&self, tenant: &TenantId, _locks: &Locks) -> StoreResult<Box<dyn Transaction>> {
        let mut tenants = Arc::clone(&self.tenants).lock_owned().await;
        // Taken out, so that it is changed in place unless a reader still looks at it.
        let state = tenants.remove(tenant).unwrap_or_default();
        let unit = (tenants, Vec::new());
        let (tenant, epochs) = (tenant.clone(), Arc::clone(&self.epochs));
        Ok(Box::new(MemoryUnit { tenant, epochs, state, unit: Some(unit) }))
    }

    async fn read(&self, tenant: &TenantId) -> StoreResult<Box<dyn Facts>> {
        let state = self.tenants.lock().await.get(tenant).map(Arc::clone).unwrap_or_default();
        let (tenant, epochs) = (tenant.clone(), Arc::clone(&self.epochs));
        Ok(Box::new(MemoryUnit { tenant, epochs, state, unit: None }))
    }
}

/// One tenant's state, and for a unit of work the lock and what takes its writes back.
struct MemoryUnit {
    tenant: TenantId,
    epochs: Arc<outbox::Begun>,
    state: Arc<State>,
    unit: Option<(OwnedMutexGuard<Tenants>, Vec<Undo>)>,
}

impl MemoryUnit {
    fn state(&self) -> &State {
        &self.state
    }
}

impl Drop for MemoryUnit {
    fn drop(&mut self) {
        let Some((mut tenants, undo)) = self.unit.take() else { return };
        let mut state = core::mem::take(&mut self.state);
        for undo in undo.into_iter().rev() {
            undo(Arc::make_mut(&mut state));
        }
        drop(tenants.insert(self.tenant.clone(), state));
    }
}

#[async_trait]
impl Unit for MemoryUnit {
    async fn apply(&mut self, writes: &Writes) -> StoreResult<()> {
        match &mut self.unit {
            Some((_, undo)) => Arc::make_mut(&mut self.state).apply(writes, undo),
            None => Err(StoreError::Refused { what: "a reader cannot write".into(), source: None }),
        }
    }
}

#[async_trait]
impl Transaction for MemoryUnit {
    async fn commit(mut self: Box<Self>) -> StoreResult<()> {
        if let Some((_, undo)) = &mut self.unit {
            undo.clear();
        }
        Ok(())
    }
}

#[async_trait]
impl Facts for MemoryUnit {
    fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    async fn accounts(&mut self, ids: &[AccountId]) -> StoreResult<Vec<AccountFacts>> {
        Ok(self.state().accounts(ids))
    }

    async fn account_page(
        &mut self,
        after: Option<&AccountId>,
        limit: u32,
    ) -> StoreResult<Vec<AccountId>> {
        Ok(self.state().account_page(after, limit))
    }

    async fn accounts_of(&mut self, customer: &CustomerId) -> StoreResult<Vec<AccountId>> {
        Ok(self.state().accounts_of(customer))
    }

    async fn unhanded_accounts(
        &mut self,
        after: Option<&AccountId>,
        limit: u32,
    ) -> StoreResult<Vec<AccountId>> {
        Ok(self.state().unhanded_accounts(after, limit))
    }

    async fn history(
        &mut self,
        account: &AccountId,
        of: &HistoryPage<'_>,
    ) -> StoreResult<Vec<StoredItem>> {
        Ok(self.state().history(account, of))
    }

    async fn items(&mut self, keys: &[ItemKey]) -> StoreResult<Vec<StoredItem>> {
        Ok(self.state().items(keys))
    }

    async fn amended(
        &mut self,
        account: &AccountId,
        after: Option<&ItemKey>,
        limit: u32,
    ) -> StoreResult<Vec<StoredItem>> {
        Ok(self.state().amended(account, after, limit))
    }

    async fn corrections(&mut self, ids: &[CorrectionId]) -> StoreResult<Vec<RecordedCorrection>> {
        Ok(self.state().corrections(ids))
    }

    async fn correction_page(
        &mut self,
        after: Option<&CorrectionId>,
        limit: u32,
    ) -> StoreResult<Vec<RecordedCorrection>> {
        Ok(self.state().correction_page(after, limit))
    }

    async fn item_page(
        &mut self,
        after: Option<&ItemKey>,
        limit: u32,
    ) -> StoreResult<Vec<StoredItem>> {
        Ok(self.state().item_page(after, limit))
    }

    async fn parked(&mut self, keys: &[ItemKey]) -> StoreResult<Vec<Parked>> {
        Ok(self.state().parked(keys))
    }

    async fn parked_page(
        &mut self,
        after: Option<&ItemKey>,
        limit: u32,
    ) -> StoreResult<Vec<Parked>> {
        Ok(self.state().parked_page(after, limit))
    }

    async fn dropped_page(
        &mut self,
        after: Option<(Instant, &ItemKey)>,
        limit: u32,
    ) -> StoreResult<Vec<Dropped>> {
        Ok(self.state().dropped_page(after, limit))
    }

    async fn day_totals(&mut self, days: &[(AccountId, Day)]) -> StoreResult<Vec<DayTotal>> {
        Ok(self.state().day_totals(days))
    }

    async fn unbilled(&mut self, accounts: &[AccountId]) -> StoreResult<Vec<DayTotal>> {
        let state = self.state();
        let distinct: BTreeSet<_> = accounts.iter().collect();
        let totals = distinct.into_iter().flat_map(|id| state.totals_of(id));
        Ok(totals.filter(|total| !total.billed).collect())
    }

    async fn unhanded(&mut self, accounts: &[AccountId]) -> StoreResult<Vec<DayTotal>> {
        let state = self.state();
        let distinct: BTreeSet<_> = accounts.iter().collect();
        let totals = distinct.into_iter().flat_map(|id| state.totals_of(id));
        Ok(totals.filter(|total| !total.handed).collect())
    }

    async fn totals_between(
        &mut self,
        account: &AccountId,
        from: Day,
        until: Day,
    ) -> StoreResult<Vec<DayTotal>> {
        let within = |total: &DayTotal| from <= total.key.day && total.key.day < until;
        Ok(self.state().totals_of(account).filter(within).collect())
    }

    async fn totals_of(&mut self, account: &AccountId) -> StoreResult<Vec<DayTotal>> {
        Ok(self.state().totals_of(account).collect())
    }

    async fn first_used(
        &mut self,
        account: &AccountId,
        from: Day,
        until: Option<Day>,
    ) -> StoreResult<Option<Day>> {
        let days = self.state().totals_of(account).map(|total| total.key.day);
        Ok(days.filter(|day| from <= *day && until.is_none_or(|until| *day < until)).min())
    }

    async fn carries(&mut self, scopes: &[(AccountId, ScopeKey)]) -> StoreResult<Vec<CarryMove>> {
        let state = self.state();
        let within = |account: &AccountId, scope: ScopeKey| {
            state.carries_of(account).filter(move |carry| carry.key.scope == scope)
        };
        let distinct: BTreeSet<_> = scopes.iter().collect();
        let carries = distinct.into_iter().flat_map(|(account, scope)| within(account, *scope));
        Ok(carries.collect())
    }

    async fn carries_of(&mut self, account: &AccountId) -> StoreResult<Vec<CarryMove>> {
        Ok(self.state().carries_of(account).collect())
    }

    async fn plans(&mut self, ids: &[(PlanId, u32)]) -> StoreResult<Vec<PlanSpec>> {
        Ok(self.state().plans(ids))
    }

    async fn all_plans(&mut self) -> StoreResult<Vec<PlanSpec>> {
        Ok(self.state().all_plans())
    }

    async fn tariff_digest(&mut self) -> StoreResult<Option<Digest>> {
        Ok(self.state().tariff_digest())
    }

    async fn tariff_catalog(&mut self) -> StoreResult<Catalog> {
        Ok(self.state().tariff_catalog())
    }

    async fn tariffs(&mut self, ids: &[(TariffId, u32)]) -> StoreResult<Vec<TariffSpec>> {
        Ok(self.state().tariffs(ids))
    }

    async fn rated_beyond(
        &mut self,
        at: Instant,
        after: Option<&AccountId>,
        limit: u32,
    ) -> StoreResult<Vec<AccountId>> {
        Ok(self.state().rated_beyond(at, after, limit))
    }

    async fn journal(
        &mut self,
        account: &AccountId,
        after: u64,
        limit: u32,
    ) -> StoreResult<Vec<JournalEntry>> {
        Ok(self.state().journal(account, after, limit))
    }

    async fn postings(&mut self, numbers: &[(AccountId, u64)]) -> StoreResult<Vec<Posting>> {
        Ok(self.state().postings(numbers))
    }

    async fn intake(&mut self, id: &IntakeId) -> StoreResult<Option<Intake>> {
        Ok(self.state().intake(id))
    }

    async fn intake_page(
        &mut self,
        after: Option<&IntakeId>,
        limit: u32,
    ) -> StoreResult<Vec<Intake>> {
        Ok(self.state().intake_page(after, limit))
    }

    async fn refusals(&mut self, intake: &IntakeId) -> StoreResult<Vec<Refusal>> {
        Ok(self.state().refusals(intake))
    }

    async fn invoices_of(&mut self, account: &AccountId) -> StoreResult<Vec<Invoice>> {
        Ok(self.state().invoices_of(account))
    }

    async fn invoice_page(
        &mut self,
        account: &AccountId,
        after: Option<(Day, &SeriesId, u64)>,
        limit: u32,
    ) -> StoreResult<Vec<Invoice>> {
        Ok(self.state().invoice_page(account, after, limit))
    }

    async fn last_invoice(&mut self, account: &AccountId) -> StoreResult<Option<(SeriesId, u64)>> {
        Ok(self.state().last_invoice(account))
    }

    async fn invoice_marks(
        &mut self,
        invoices: &[(SeriesId, u64)],
    ) -> StoreResult<Vec<InvoiceMark>> {
        Ok(self.state().invoice_marks(invoices))
    }

    async fn settlements(
        &mut self,
        keys: &[(AccountId, Day, u32)],
    ) -> StoreResult<Vec<Settlement>> {
        Ok(self.state().settlements(keys))
    }

    async fn settlements_of(&mut self, account: &AccountId) -> StoreResult<Vec<Settlement>> {
        Ok(self.state().settlements_of(account))
    }

    async fn unanswered(
        &mut self,
        after: Option<(&AccountId, Day, u32)>,
        limit: u32,
    ) -> StoreResult<Vec<Settlement>> {
        Ok(self.state().unanswered(after, limit))
    }

    async fn line_parts(&mut self, account: &AccountId) -> StoreResult<Vec<BilledPart>> {
        Ok(self.state().line_parts(account))
    }

    async fn strays(&mut self) -> StoreResult<Vec<AccountId>> {
        Ok(self.state().strays())
    }

    async fn invoice(&mut self, series: &SeriesId, number: u64) -> StoreResult<Option<Invoice>> {
        Ok(self.state().invoice(series, number))
    }

    async fn invoice_numbers(
        &mut self,
        series: &SeriesId,
        after: u64,
        limit: u32,
    ) -> StoreResult<Vec<u64>> {
        Ok(self.state().invoice_numbers(series, after, limit))
    }

    async fn all_series(&mut self) -> StoreResult<Vec<(SeriesId, u64)>> {
        Ok(self.state().all_series())
    }
}
