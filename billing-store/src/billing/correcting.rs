//! How a correction is made: what it begins with comes into force, then items are gone through, a page at a time.

use std::collections::BTreeMap;

use billing_core::{
    correction::{Change, Correction, CorrectionReport, Selection},
    decide::{self, CorrectError, CorrectFacts, ParkReason, StoredItem, Writes},
    event::Posting,
    id::AccountId,
    item::ItemKey,
    tariff::Activation,
    time::{Day, Instant},
};

use crate::{
    answer::{CorrectionMade, Error, Outcome, Result},
    billing::{
        Tenant,
        catalog::{Assigning, OnUsed, apply},
        items::{by_id, current_postings, open_days},
    },
    error::StoreError,
    store::{HistoryPage, Locks, Transaction, Unit},
};

/// How many items are rated anew at a time.
const PAGE: u32 = 500;

/// How often the accounts of a correction are asked for again, when others joined them before they were locked.
const TRIES: u32 = 5;

/// How many of the items that cannot be priced an error names.
const UNPRICED_MAX: usize = 10;

/// The longest call that is looked for before an instant from which on calls are rated anew, where the limits do not allow a longer
/// one.
const CALL_MS_MAX: u64 = 366 * DAY_MS;

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

impl Tenant {
    /// Makes a correction, and leaves it to the caller whether it is committed.
    pub(super) async fn correcting(
        &self,
        correction: &Correction,
    ) -> Result<(Box<dyn Transaction>, CorrectionMade)> {
        for _ in 0..TRIES {
            let locks = self.correction_locks(correction).await?;
            let mut unit = self.begin(&locks).await?;
            if let Some(made) = self.make(&mut *unit, correction, Some(&locks)).await? {
                return Ok((unit, made));
            }
        }
        Err(joined())
    }

    /// Makes a correction. Answers nothing if it would touch accounts that are not among those that are locked.
    pub(super) async fn make(
        &self,
        unit: &mut dyn Unit,
        correction: &Correction,
        locked: Option<&Locks>,
    ) -> Result<Option<CorrectionMade>> {
        let known = unit.corrections(core::slice::from_ref(&correction.id)).await?;
        if let Some(report) = decide::replayed_correction(known.first(), correction)? {
            return Ok(Some(CorrectionMade { outcome: Outcome::Replay, report }));
        }
        let mut run = Run::new(self, correction, locked);
        let reach = match &correction.change {
            Change::Void { key } | Change::Amend { key, .. } => run.item(unit, key).await?,
            Change::Rerate { selection } => run.selection(unit, selection).await?,
            Change::ActivateTariff { activation } => run.tariff(unit, activation).await?,
            Change::AssignPlan { account, plan, version, from, overrides } => {
                let (version, from) = (*version, *from);
                run.plan(unit, Assigning { account, plan, version, from, overrides }).await?
            }
            other => return Err(unknown(other)),
        };
        match reach {
            Reach::Beyond => Ok(None),
            Reach::Locked => {
                let report = run.finish(unit).await?;
                Ok(Some(CorrectionMade { outcome: Outcome::New, report }))
            }
        }
    }
}

/// Which accounts a correction touches.
#[derive(Clone, Copy)]
enum Reach {
    /// Those that are locked for it.
    Locked,
    /// Others too; then nothing was done.
    Beyond,
}

/// A correction at work.
struct Run<'a> {
    tenant: &'a Tenant,
    correction: &'a Correction,
    /// What is locked, as far as that is known here.
    locked: Option<&'a Locks>,
    now: Instant,
    report: CorrectionReport,
    unpriced: u64,
    first: Vec<(ItemKey, ParkReason)>,
}

impl<'a> Run<'a> {
    fn new(tenant: &'a Tenant, correction: &'a Correction, locked: Option<&'a Locks>) -> Self {
        let (now, report) = (tenant.now(), CorrectionReport::default());
        Self { tenant, correction, locked, now, report, unpriced: 0, first: Vec::new() }
    }

    fn is_locked(&self, account: &AccountId) -> bool {
        self.locked.is_none_or(|locks| locks.accounts.contains(account))
    }

    /// Rates a selection anew.
    async fn selection(&mut self, unit: &mut dyn Unit, selection: &Selection) -> Result<Reach> {
        let accounts = match &selection.accounts {
            Some(accounts) => accounts.iter().cloned().collect(),
            None => all_accounts(unit).await?,
        };
        if !accounts.iter().all(|account| self.is_locked(account)) {
            return Ok(Reach::Beyond);
        }
        let (from, until) = (selection.from, selection.until);
        let span = (from.unwrap_or(Instant::MIN), until.unwrap_or(Instant::MAX));
        let selects = |item: &StoredItem, postings: &[Posting]| {
            selection.selects(item.content().at(), postings)
        };
        for account in &accounts {
            self.rerate(unit, account, span, &selects).await?;
        }
        Ok(Reach::Locked)
    }

    /// Lets a version of a tariff come into force, and rates anew what is priced beyond that.
    async fn tariff(&mut self, unit: &mut dyn Unit, activation: &Activation) -> Result<Reach> {
        let catalog = unit.tariff_catalog().await?;
        let asking = self.tenant.asking(unit, activation).await?;
        if !asking.iter().all(|(account, _)| self.is_locked(account)) {
            return Ok(Reach::Beyond);
        }
        // Whoever is priced beyond it is rated anew, so nothing stands in its way.
        let _new = apply(unit, decide::activate_tariff(&catalog, activation, None)?).await?;
        let from = activation.from;
        let longest = self.tenant.parts.limits.call_duration_ms_max.max(CALL_MS_MAX);
        let span = (before(from, longest), Instant::MAX);
        // A call that began before may go on beyond it.
        let selects = |item: &StoredItem, postings: &[Posting]| {
            let mut priced = postings.iter().filter_map(|posting| posting.provenance.as_ref());
            item.content().at() >= from || priced.any(|by| by.until > from)
        };
        for (account, _) in &asking {
            self.rerate(unit, account, span, &selects).await?;
        }
        Ok(Reach::Locked)
    }

    /// Lets an account have a plan, and rates anew what it used of the days that it takes over.
    async fn plan(&mut self, unit: &mut dyn Unit, assigning: Assigning<'_>) -> Result<Reach> {
        let Assigning { account, from, .. } = assigning;
        let writes = self.tenant.assigning(unit, assigning, OnUsed::RateAnew).await?;
        let _new = apply(unit, writes).await?;
        self.reassigned(unit, account, from).await?;
        Ok(Reach::Locked)
    }

    /// Corrects one item.
    async fn item(&mut self, unit: &mut dyn Unit, key: &ItemKey) -> Result<Reach> {
        let records = unit.items(core::slice::from_ref(key)).await?;
        let item = records.iter().find(|record| record.claim.key == *key).cloned();
        let item = item.ok_or_else(|| Error::NotRecorded { key: key.clone() })?;
        let postings = current_postings(unit, core::iter::once(&item.claim)).await?;
        self.items(unit, &[item], &records, postings).await?;
        Ok(Reach::Locked)
    }

    /// Rates an account's items of a span of time anew, a page at a time; those that are amended stand where they were reported, so they
    /// are gone through by themselves.
    async fn rerate(
        &mut self,
        unit: &mut dyn Unit,
        account: &AccountId,
        (from, until): (Instant, Instant),
        selects: &(impl Fn(&StoredItem, &[Posting]) -> bool + Sync),
    ) -> Result<()> {
        let mut after: Option<(Instant, ItemKey)> = None;
        loop {
            let place = after.as_ref().map(|(at, key)| (*at, key));
            let of = HistoryPage { from, until, kind: None, after: place, limit: PAGE };
            let mut page = unit.history(account, &of).await?;
            let Some(last) = page.last() else { break };
            after = Some((last.item.at(), last.claim.key.clone()));
            page.retain(|item| item.claim.amended.is_none());
            self.page(unit, page, selects).await?;
        }
        let mut after: Option<ItemKey> = None;
        loop {
            let page = unit.amended(account, after.as_ref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.claim.key.clone());
            self.page(unit, page, selects).await?;
        }
    }

    /// Rates the items of days anew that a plan took over.
    async fn reassigned(
        &mut self,
        unit: &mut dyn Unit,
        account: &AccountId,
        from: Day,
    ) -> Result<()> {
        let facts = self.tenant.account(unit, account).await?;
        let zone = facts.settings.zone;
        let next = facts.assignments.iter().map(|assignment| assignment.from);
        let next = next.filter(|next| *next > from).min();
        // A day may have been found under other zone data: one more on either side is looked at.
        let start = before(zone.day_start(from), DAY_MS);
        let end = next.map_or(Instant::MAX, |next| {
            zone.day_start(next).checked_add_ms(DAY_MS).unwrap_or(Instant::MAX)
        });
        let is_taken = |day: Day| from <= day && next.is_none_or(|next| day < next);
        let selects = |item: &StoredItem, postings: &[Posting]| {
            is_taken(zone.day_of(item.content().at()))
                || postings.iter().any(|posting| is_taken(posting.day))
        };
        self.rerate(unit, account, (start, end), &selects).await
    }

    async fn page(
        &mut self,
        unit: &mut dyn Unit,
        mut items: Vec<StoredItem>,
        selects: &(impl Fn(&StoredItem, &[Posting]) -> bool + Sync),
    ) -> Result<()> {
        items.retain(|item| item.claim.effective > 0);
        let claims = items.iter().map(|item| &item.claim);
        let postings = current_postings(unit, claims).await?;
        let postings_of =
            |item: &StoredItem| postings.get(&item.claim.key).map_or(&[][..], Vec::as_slice);
        items.retain(|item| selects(item, postings_of(item)));
        self.items(unit, &items, &[], postings).await
    }

    async fn items(
        &mut self,
        unit: &mut dyn Unit,
        items: &[StoredItem],
        records: &[StoredItem],
        postings: BTreeMap<ItemKey, Vec<Posting>>,
    ) -> Result<()> {
        if items.is_empty() {
            return Ok(());
        }
        let Self { tenant, correction, now, .. } = *self;
        let mut ids: Vec<AccountId> = items.iter().map(|item| item.claim.account.clone()).collect();
        ids.dedup();
        let accounts = by_id(unit.accounts(&ids).await?);
        let plans = tenant.plans(unit, accounts.values()).await?;
        let tariffs = tenant.tariffs_of(unit, &plans).await?;
        let touched = decide::days_corrected(&correction.change, items, &accounts, &postings);
        let touched: Vec<_> = touched.into_iter().collect();
        let days = open_days(unit.day_totals(&touched).await?);
        let claims = records.iter().map(|record| (record.claim.key.clone(), record.claim.clone()));
        let claims = claims.collect();
        let facts = CorrectFacts { accounts, plans, tariffs, claims, postings, days };
        let limits = &tenant.parts.limits;
        let corrected = decide::correct(facts, correction, items, limits, now)?;
        let unpriced = u64::try_from(corrected.unpriced.len()).unwrap_or(u64::MAX);
        self.unpriced = self.unpriced.saturating_add(unpriced);
        let left = UNPRICED_MAX.saturating_sub(self.first.len());
        self.first.extend(corrected.unpriced.into_iter().take(left));
        self.report.merge(corrected.report).map_err(CorrectError::from)?;
        // Once it is refused, the rest is gone through to say how many there are.
        if self.unpriced == 0 && corrected.writes != Writes::default() {
            unit.apply(&corrected.writes).await?;
        }
        Ok(())
    }

    /// Claims the correction's id, unless there was something that cannot be priced.
    async fn finish(self, unit: &mut dyn Unit) -> Result<CorrectionReport> {
        let Self { correction, now, report, unpriced: count, first, .. } = self;
        if count > 0 {
            return Err(CorrectError::Unpriced { count, first }.into());
        }
        unit.apply(&decide::record_correction(correction, report.clone(), now)).await?;
        Ok(report)
    }
}

async fn all_accounts(unit: &mut dyn Unit) -> Result<Vec<AccountId>> {
    let mut accounts: Vec<AccountId> = Vec::new();
    loop {
        let page = unit.account_page(accounts.last(), PAGE).await?;
        if page.is_empty() {
            return Ok(accounts);
        }
        accounts.extend(page);
    }
}

fn before(instant: Instant, ms: u64) -> Instant {
    instant.checked_sub_ms(ms).unwrap_or(Instant::MIN)
}

/// Accounts came to the correction again and again before they could be locked.
pub(super) fn joined() -> Error {
    let source = "other accounts joined those that are corrected: try again".into();
    StoreError::Transient { source }.into()
}

/// A change that this version of the library does not know.
pub(super) fn unknown(change: &Change) -> Error {
    let what = format!("a correction of kind {} is not known here", change.name());
    StoreError::Refused { what, source: None }.into()
}
