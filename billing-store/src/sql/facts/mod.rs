//! What a decision may ask, as statements of a fixed number for any number of keys.

mod accounts;
mod ask;
mod corrections;
mod intake;
mod invoices;
mod items;
mod journal;
mod outbox;
mod parked;
mod plans;
mod settlements;
mod tariffs;
mod totals;

use async_trait::async_trait;

use billing_core::{
    correction::RecordedCorrection,
    decide::{AccountFacts, CarryMove, Dropped, Intake, Parked, Refusal, StoredItem},
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
    error::StoreResult,
    sql::unit::{Hold, SqlUnit},
    store::{BilledPart, Facts, HistoryPage},
};

#[async_trait]
impl<H: Hold> Facts for SqlUnit<H> {
    fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    async fn accounts(&mut self, ids: &[AccountId]) -> StoreResult<Vec<AccountFacts>> {
        accounts::of_ids(&mut self.session()?, ids).await
    }

    async fn account_page(
        &mut self,
        after: Option<&AccountId>,
        limit: u32,
    ) -> StoreResult<Vec<AccountId>> {
        accounts::page(&mut self.session()?, after, limit).await
    }

    async fn accounts_of(&mut self, customer: &CustomerId) -> StoreResult<Vec<AccountId>> {
        accounts::of_customer(&mut self.session()?, customer).await
    }

    async fn unhanded_accounts(
        &mut self,
        after: Option<&AccountId>,
        limit: u32,
    ) -> StoreResult<Vec<AccountId>> {
        accounts::unhanded(&mut self.session()?, after, limit).await
    }

    async fn items(&mut self, keys: &[ItemKey]) -> StoreResult<Vec<StoredItem>> {
        items::of_keys(&mut self.session()?, keys).await
    }

    async fn history(
        &mut self,
        account: &AccountId,
        of: &HistoryPage<'_>,
    ) -> StoreResult<Vec<StoredItem>> {
        items::history(&mut self.session()?, account, of).await
    }

    async fn amended(
        &mut self,
        account: &AccountId,
        after: Option<&ItemKey>,
        limit: u32,
    ) -> StoreResult<Vec<StoredItem>> {
        corrections::amended(&mut self.session()?, account, after, limit).await
    }

    async fn corrections(&mut self, ids: &[CorrectionId]) -> StoreResult<Vec<RecordedCorrection>> {
        corrections::of_ids(&mut self.session()?, ids).await
    }

    async fn correction_page(
        &mut self,
        after: Option<&CorrectionId>,
        limit: u32,
    ) -> StoreResult<Vec<RecordedCorrection>> {
        corrections::page(&mut self.session()?, after, limit).await
    }

    async fn item_page(
        &mut self,
        after: Option<&ItemKey>,
        limit: u32,
    ) -> StoreResult<Vec<StoredItem>> {
        items::page(&mut self.session()?, after, limit).await
    }

    async fn parked(&mut self, keys: &[ItemKey]) -> StoreResult<Vec<Parked>> {
        parked::of_keys(&mut self.session()?, keys).await
    }

    async fn parked_page(
        &mut self,
        after: Option<&ItemKey>,
        limit: u32,
    ) -> StoreResult<Vec<Parked>> {
        parked::page(&mut self.session()?, after, limit).await
    }

    async fn dropped_page(
        &mut self,
        after: Option<(Instant, &ItemKey)>,
        limit: u32,
    ) -> StoreResult<Vec<Dropped>> {
        parked::dropped_page(&mut self.session()?, after, limit).await
    }

    async fn day_totals(&mut self, days: &[(AccountId, Day)]) -> StoreResult<Vec<DayTotal>> {
        totals::of_days(&mut self.session()?, days).await
    }

    async fn unbilled(&mut self, accounts: &[AccountId]) -> StoreResult<Vec<DayTotal>> {
        totals::unbilled(&mut self.session()?, accounts).await
    }

    async fn unhanded(&mut self, accounts: &[AccountId]) -> StoreResult<Vec<DayTotal>> {
        totals::unhanded(&mut self.session()?, accounts).await
    }

    async fn totals_between(
        &mut self,
        account: &AccountId,
        from: Day,
        until: Day,
    ) -> StoreResult<Vec<DayTotal>> {
        totals::between(&mut self.session()?, account, from, until).await
    }

    async fn totals_of(&mut self, account: &AccountId) -> StoreResult<Vec<DayTotal>> {
        totals::of_account(&mut self.session()?, account).await
    }

    async fn first_used(
        &mut self,
        account: &AccountId,
        from: Day,
        until: Option<Day>,
    ) -> StoreResult<Option<Day>> {
        totals::first_used(&mut self.session()?, account, from, until).await
    }

    async fn carries(&mut self, scopes: &[(AccountId, ScopeKey)]) -> StoreResult<Vec<CarryMove>> {
        totals::carries(&mut self.session()?, scopes).await
    }

    async fn carries_of(&mut self, account: &AccountId) -> StoreResult<Vec<CarryMove>> {
        totals::carries_of(&mut self.session()?, account).await
    }

    async fn plans(&mut self, ids: &[(PlanId, u32)]) -> StoreResult<Vec<PlanSpec>> {
        plans::of_versions(&mut self.session()?, ids).await
    }

    async fn all_plans(&mut self) -> StoreResult<Vec<PlanSpec>> {
        plans::all(&mut self.session()?).await
    }

    async fn tariff_digest(&mut self) -> StoreResult<Option<Digest>> {
        tariffs::digest(&mut self.session()?).await
    }

    async fn tariff_catalog(&mut self) -> StoreResult<Catalog> {
        tariffs::catalog(&mut self.session()?).await
    }

    async fn tariffs(&mut self, ids: &[(TariffId, u32)]) -> StoreResult<Vec<TariffSpec>> {
        tariffs::of_versions(&mut self.session()?, ids).await
    }

    async fn rated_beyond(
        &mut self,
        at: Instant,
        after: Option<&AccountId>,
        limit: u32,
    ) -> StoreResult<Vec<AccountId>> {
        accounts::rated_beyond(&mut self.session()?, at, after, limit).await
    }

    async fn journal(
        &mut self,
        account: &AccountId,
        after: u64,
        limit: u32,
    ) -> StoreResult<Vec<JournalEntry>> {
        journal::page(&mut self.session()?, account, after, limit).await
    }

    async fn postings(&mut self, numbers: &[(AccountId, u64)]) -> StoreResult<Vec<Posting>> {
        journal::postings(&mut self.session()?, numbers).await
    }

    async fn intake(&mut self, id: &IntakeId) -> StoreResult<Option<Intake>> {
        intake::of_id(&mut self.session()?, id).await
    }

    async fn intake_page(
        &mut self,
        after: Option<&IntakeId>,
        limit: u32,
    ) -> StoreResult<Vec<Intake>> {
        intake::page(&mut self.session()?, after, limit).await
    }

    async fn refusals(&mut self, intake: &IntakeId) -> StoreResult<Vec<Refusal>> {
        intake::refusals(&mut self.session()?, intake).await
    }

    async fn invoices_of(&mut self, account: &AccountId) -> StoreResult<Vec<Invoice>> {
        invoices::of_account(&mut self.session()?, account).await
    }

    async fn invoice_page(
        &mut self,
        account: &AccountId,
        after: Option<(Day, &SeriesId, u64)>,
        limit: u32,
    ) -> StoreResult<Vec<Invoice>> {
        invoices::page(&mut self.session()?, account, after, limit).await
    }

    async fn last_invoice(&mut self, account: &AccountId) -> StoreResult<Option<(SeriesId, u64)>> {
        invoices::last(&mut self.session()?, account).await
    }

    async fn invoice_marks(
        &mut self,
        invoices: &[(SeriesId, u64)],
    ) -> StoreResult<Vec<InvoiceMark>> {
        invoices::marks(&mut self.session()?, invoices).await
    }

    async fn settlements(
        &mut self,
        keys: &[(AccountId, Day, u32)],
    ) -> StoreResult<Vec<Settlement>> {
        settlements::of_keys(&mut self.session()?, keys).await
    }

    async fn settlements_of(&mut self, account: &AccountId) -> StoreResult<Vec<Settlement>> {
        settlements::of_account(&mut self.session()?, account).await
    }

    async fn unanswered(
        &mut self,
        after: Option<(&AccountId, Day, u32)>,
        limit: u32,
    ) -> StoreResult<Vec<Settlement>> {
        settlements::unanswered(&mut self.session()?, after, limit).await
    }

    async fn line_parts(&mut self, account: &AccountId) -> StoreResult<Vec<BilledPart>> {
        invoices::parts(&mut self.session()?, account).await
    }

    async fn strays(&mut self) -> StoreResult<Vec<AccountId>> {
        accounts::strays(&mut self.session()?).await
    }

    async fn invoice(&mut self, series: &SeriesId, number: u64) -> StoreResult<Option<Invoice>> {
        invoices::of_number(&mut self.session()?, series, number).await
    }

    async fn invoice_numbers(
        &mut self,
        series: &SeriesId,
        after: u64,
        limit: u32,
    ) -> StoreResult<Vec<u64>> {
        invoices::numbers(&mut self.session()?, series, after, limit).await
    }

    async fn all_series(&mut self) -> StoreResult<Vec<(SeriesId, u64)>> {
        invoices::all_series(&mut self.session()?).await
    }
}
