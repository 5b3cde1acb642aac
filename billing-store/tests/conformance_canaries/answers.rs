//! What a defect makes of the answers of the store inside.

use async_trait::async_trait;

use billing_core::{
    correction::RecordedCorrection,
    decide::{AccountFacts, CarryMove, Dropped, Intake, Parked, Refusal, StoredItem},
    digest::Digest,
    event::{JournalEntry, Posting},
    id::{AccountId, CorrectionId, CustomerId, IntakeId, PlanId, SeriesId, TariffId, TenantId},
    invoice::{Invoice, InvoiceKind, InvoiceMark},
    item::ItemKey,
    plan::PlanSpec,
    settlement::{HandedTotal, Handover, Settlement, SettlementState},
    tariff::{Catalog, TariffSpec},
    time::{Day, Instant},
    usage::{DayTotal, ScopeKey, TotalKey},
};
use billing_store::{
    StoreResult,
    store::{BilledPart, Facts, HistoryPage},
};

use crate::{Defect, store::Wrapped};

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

    /// Until when an account has invoices of a kind, void ones too.
    async fn until(&mut self, account: &AccountId, kind: InvoiceKind) -> StoreResult<Option<Day>> {
        let invoices = ask!(self.invoices_of(account))?.into_iter();
        let of_kind = invoices.filter(|invoice| invoice.draft.kind == kind);
        Ok(of_kind.map(|invoice| invoice.draft.period.end()).max())
    }

    /// What a day has used by now, in all revisions.
    async fn refreshed(&mut self, settlement: Settlement) -> StoreResult<Settlement> {
        let stored = settlement.handover.clone();
        let mut days = ask!(self.totals_of(&stored.account))?;
        days.retain(|total| total.key.day == stored.day);
        days.sort_by(|one, two| one.key.cmp(&two.key));
        let mut sums: Vec<DayTotal> = Vec::new();
        for total in days {
            let of = |key: &TotalKey| (key.assignment, key.strategy.clone(), key.group.clone());
            match sums.iter_mut().find(|sum| of(&sum.key) == of(&total.key)) {
                Some(sum) => sum.totals = sum.totals.checked_add(total.totals).unwrap(),
                None => sums.push(total),
            }
        }
        let totals = sums.iter().map(HandedTotal::from).collect();
        let handover = Handover { totals, ..stored.clone() };
        self.refreshed.insert(handover.body(), stored);
        Ok(Settlement { handover, ..settlement })
    }
}

#[async_trait]
impl Facts for Wrapped {
    fn tenant(&self) -> &TenantId {
        &self.named
    }

    async fn accounts(&mut self, ids: &[AccountId]) -> StoreResult<Vec<AccountFacts>> {
        let mut answers = Vec::new();
        match self.defect {
            Defect::AnswersEachTime => {
                for id in ids {
                    answers.extend(ask!(self.accounts(std::slice::from_ref(id)))?);
                }
            }
            Defect::InvoicedCountsVoid => {
                answers = ask!(self.accounts(ids))?;
                for facts in &mut answers {
                    let id = &facts.settings.id;
                    facts.invoiced_until = self.until(id, InvoiceKind::Period).await?;
                    facts.advanced_until = self.until(id, InvoiceKind::Advance).await?;
                }
            }
            _ => answers = ask!(self.accounts(ids))?,
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

    async fn accounts_of(&mut self, customer: &CustomerId) -> StoreResult<Vec<AccountId>> {
        let mut accounts = ask!(self.accounts_of(customer))?;
        let folded = CustomerId::try_new(customer.as_str().to_lowercase()).unwrap();
        if self.defect == Defect::FoldsCustomers && folded != *customer {
            accounts.extend(ask!(self.accounts_of(&folded))?);
            accounts.sort();
        }
        Ok(accounts)
    }

    async fn unhanded_accounts(
        &mut self,
        after: Option<&AccountId>,
        limit: u32,
    ) -> StoreResult<Vec<AccountId>> {
        let limit = self.limit(limit);
        ask!(self.unhanded_accounts(after, limit))
    }

    async fn items(&mut self, keys: &[ItemKey]) -> StoreResult<Vec<StoredItem>> {
        let mut items = ask!(self.items(keys))?;
        if self.defect == Defect::AnswersExactKeys {
            items.retain(|item| keys.contains(&item.claim.key));
        }
        Ok(items)
    }

    async fn history(
        &mut self,
        account: &AccountId,
        of: &HistoryPage<'_>,
    ) -> StoreResult<Vec<StoredItem>> {
        let of = HistoryPage { limit: self.limit(of.limit), ..*of };
        let mut items = ask!(self.history(account, &of))?;
        if let (Defect::SkipsTies, Some((at, _))) = (self.defect, of.after) {
            items.retain(|item| item.item.at() != at);
        }
        Ok(items)
    }

    async fn amended(
        &mut self,
        account: &AccountId,
        after: Option<&ItemKey>,
        limit: u32,
    ) -> StoreResult<Vec<StoredItem>> {
        let limit = self.limit(limit);
        ask!(self.amended(account, after, limit))
    }

    async fn corrections(&mut self, ids: &[CorrectionId]) -> StoreResult<Vec<RecordedCorrection>> {
        ask!(self.corrections(ids))
    }

    async fn correction_page(
        &mut self,
        after: Option<&CorrectionId>,
        limit: u32,
    ) -> StoreResult<Vec<RecordedCorrection>> {
        let limit = self.limit(limit);
        ask!(self.correction_page(after, limit))
    }

    async fn item_page(
        &mut self,
        after: Option<&ItemKey>,
        limit: u32,
    ) -> StoreResult<Vec<StoredItem>> {
        let limit = self.limit(limit);
        let mut items = ask!(self.item_page(after, limit))?;
        if self.defect == Defect::OrdersNumbersAsTexts {
            items.sort_by_key(|item| {
                let key = &item.claim.key;
                (key.of_final(), key.partial_number().to_string())
            });
        }
        Ok(items)
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

    async fn dropped_page(
        &mut self,
        after: Option<(Instant, &ItemKey)>,
        limit: u32,
    ) -> StoreResult<Vec<Dropped>> {
        let limit = self.limit(limit);
        ask!(self.dropped_page(after, limit))
    }

    async fn day_totals(&mut self, days: &[(AccountId, Day)]) -> StoreResult<Vec<DayTotal>> {
        let mut totals = ask!(self.day_totals(days))?;
        if self.defect == Defect::HidesClosedDays {
            totals.retain(|total| !total.closed);
        }
        Ok(totals)
    }

    async fn unbilled(&mut self, accounts: &[AccountId]) -> StoreResult<Vec<DayTotal>> {
        let mut totals = ask!(self.unbilled(accounts))?;
        if self.defect == Defect::UnbilledForgetsClosed {
            totals.retain(|total| !total.closed);
        }
        Ok(totals)
    }

    async fn unhanded(&mut self, accounts: &[AccountId]) -> StoreResult<Vec<DayTotal>> {
        let mut totals = ask!(self.unhanded(accounts))?;
        if self.defect == Defect::UnhandedForgetsClosed {
            totals.retain(|total| !total.closed);
        }
        Ok(totals)
    }

    async fn totals_between(
        &mut self,
        account: &AccountId,
        from: Day,
        until: Day,
    ) -> StoreResult<Vec<DayTotal>> {
        ask!(self.totals_between(account, from, until))
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

    async fn tariff_digest(&mut self) -> StoreResult<Option<Digest>> {
        ask!(self.tariff_digest())
    }

    async fn tariff_catalog(&mut self) -> StoreResult<Catalog> {
        ask!(self.tariff_catalog())
    }

    async fn tariffs(&mut self, ids: &[(TariffId, u32)]) -> StoreResult<Vec<TariffSpec>> {
        ask!(self.tariffs(ids))
    }

    async fn rated_beyond(
        &mut self,
        at: Instant,
        after: Option<&AccountId>,
        limit: u32,
    ) -> StoreResult<Vec<AccountId>> {
        let at = match self.defect {
            Defect::RoundsToMilliseconds => at.checked_add_ms(1).unwrap_or(at),
            _ => at,
        };
        ask!(self.rated_beyond(at, after, limit))
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

    async fn invoice_page(
        &mut self,
        account: &AccountId,
        after: Option<(Day, &SeriesId, u64)>,
        limit: u32,
    ) -> StoreResult<Vec<Invoice>> {
        let limit = self.limit(limit);
        ask!(self.invoice_page(account, after, limit))
    }

    async fn last_invoice(&mut self, account: &AccountId) -> StoreResult<Option<(SeriesId, u64)>> {
        if self.defect != Defect::LastCountsVoid {
            return ask!(self.last_invoice(account));
        }
        let invoices = ask!(self.invoices_of(account))?.into_iter();
        let last =
            invoices.max_by_key(|invoice| (invoice.draft.period.start(), invoice.draft.kind));
        Ok(last.map(|invoice| (invoice.series, invoice.number)))
    }

    async fn invoice_marks(
        &mut self,
        invoices: &[(SeriesId, u64)],
    ) -> StoreResult<Vec<InvoiceMark>> {
        ask!(self.invoice_marks(invoices))
    }

    async fn settlements(
        &mut self,
        keys: &[(AccountId, Day, u32)],
    ) -> StoreResult<Vec<Settlement>> {
        let mut settlements = ask!(self.settlements(keys))?;
        if self.defect == Defect::RefreshesWhatIsSent && self.is_unit() {
            for settlement in &mut settlements {
                if settlement.attempts > 1
                    && matches!(settlement.state, SettlementState::Sent { .. })
                {
                    *settlement = self.refreshed(settlement.clone()).await?;
                }
            }
        }
        Ok(settlements)
    }

    async fn settlements_of(&mut self, account: &AccountId) -> StoreResult<Vec<Settlement>> {
        ask!(self.settlements_of(account))
    }

    async fn unanswered(
        &mut self,
        after: Option<(&AccountId, Day, u32)>,
        limit: u32,
    ) -> StoreResult<Vec<Settlement>> {
        let limit = self.limit(limit);
        let mut settlements = ask!(self.unanswered(after, limit))?;
        if self.defect == Defect::ForgetsWhatIsSent {
            settlements.retain(|settlement| settlement.state == SettlementState::Pending);
        }
        Ok(settlements)
    }

    async fn line_parts(&mut self, account: &AccountId) -> StoreResult<Vec<BilledPart>> {
        let mut parts = ask!(self.line_parts(account))?;
        if self.defect == Defect::VoidForgetsTheParts {
            parts.retain(|part| !part.void);
        }
        Ok(parts)
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
