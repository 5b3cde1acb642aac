//! Correcting what was recorded: taking items back, amending them, rating them anew; first as a preview if so wished.

use std::collections::BTreeMap;

use billing_core::{
    correction::{Change, Correction, CorrectionReport, RecordedCorrection, Selection},
    decide::{self, CorrectError, CorrectFacts, ParkReason, StoredItem, Writes},
    event::Posting,
    id::{AccountId, CorrectionId},
    item::ItemKey,
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
    store::{HistoryPage, Locks, Unit},
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
    /// Corrects what was recorded, in one transaction, and answers what it changed.
    ///
    /// Nothing that was posted is edited: the old effect is taken back and the right one is posted, into the open revisions of
    /// the days. What is invoiced already stays so, and the next invoice bills the difference. The id of a correction is claimed
    /// for ever: the same correction again changes nothing and is answered with the first report.
    ///
    /// | change | what it does |
    /// |---|---|
    /// | `Void` | takes an item back |
    /// | `Amend` | gives an item other content, rated under what is in force for its time |
    /// | `Rerate` | rates a selection of items anew under what is in force |
    /// | `ActivateTariff` | lets a version of a tariff come into force before usage that is priced, and rates that anew |
    /// | `AssignPlan` | gives an account a plan from a used day on that is not invoiced, and rates its usage anew |
    ///
    /// An item that is the same under what is in force now is left as it is. If one cannot be priced, nothing is changed.
    ///
    /// # Errors
    ///
    /// [`Error::Correct`] if the id is claimed with other content, an item cannot be priced, or it is not the record that counts;
    /// [`Error::NotRecorded`] if there is no such item, [`Error::UnknownAccount`] if there is no such account; [`Error::Tariff`],
    /// [`Error::Assign`], [`Error::UnknownPlan`] and [`Error::BuildPlan`] as for what is activated or assigned.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # use billing_core::{item::CallEnded, plan::PlanBook};
    /// # use billing_store::{Billing, MemoryStore, clock::SetClock};
    /// use billing_core::correction::Correction;
    /// use billing_store::Outcome;
    ///
    /// # let clock = SetClock::at("2026-10-06T00:00:00Z".parse()?);
    /// # let acme = Billing::new(MemoryStore::new(), PlanBook::standard(), clock).tenant("acme")?;
    /// # acme.save_plan(&serde_json::from_str(
    /// #     r#"{"id":"basic","version":1,"currency":"EUR","payment":"postpaid",
    /// #         "strategies":[{"id":"calls","kind":"flat_rate",
    /// #                        "terms":{"per_minute":"0.02","minutes":"pro_rata"}}]}"#,
    /// # )?).await?;
    /// # acme.open_account(&serde_json::from_str(
    /// #     r#"{"id":"alice","currency":"EUR","zone":"UTC","anchor":{"from":"2026-10-01","months":1}}"#,
    /// # )?).await?;
    /// # let alice = "alice".parse()?;
    /// # acme.assign(&alice, &"basic".parse()?, 1, "2026-10-01".parse()?).await?;
    /// # let call: CallEnded = serde_json::from_str(
    /// #     r#"{"key":{"source":"pbx","id":"1"},"account":"alice",
    /// #         "call":{"start":"2026-10-05T08:00:00Z","duration_ms":4500000,"caller":"","callee":"",
    /// #                 "disposition":"answered","direction":"outbound"}}"#,
    /// # )?;
    /// acme.calls_ended(&[call]).await?; // of 75 minutes, at 0.02 a minute
    /// let bill = acme.bill(&alice, acme.now()).await?;
    /// assert_eq!(bill.open.expect("it has begun").taxed.total.to_string(), "1.5");
    ///
    /// let correction: Correction = serde_json::from_str(
    ///     r#"{"id":"ticket-7","reason":"a test call",
    ///         "change":{"kind":"void","key":{"source":"pbx","id":"1"}}}"#,
    /// )?;
    /// let preview = acme.preview_correction(&correction).await?;
    /// assert_eq!(preview.quantities[0].difference.to_string(), "-4500000");
    /// let made = acme.correct(&correction).await?;
    /// assert_eq!((made.outcome, &made.report), (Outcome::New, &preview));
    /// let bill = acme.bill(&alice, acme.now()).await?;
    /// assert_eq!(bill.open.expect("it has begun").taxed.total.to_string(), "0");
    ///
    /// let again = acme.correct(&correction).await?; // changes nothing
    /// assert_eq!((again.outcome, again.report), (Outcome::Replay, preview));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn correct(&self, correction: &Correction) -> Result<CorrectionMade> {
        let (unit, made) = self.correcting(correction).await?;
        unit.commit().await?;
        Ok(made)
    }

    /// What a correction would change: it is made, and then not committed.
    ///
    /// It holds the locks of the correction while it works. For a correction that was made it is the first report.
    ///
    /// # Errors
    ///
    /// As of [`correct`](Self::correct).
    ///
    /// # Examples
    ///
    /// See [`correct`](Self::correct).
    pub async fn preview_correction(&self, correction: &Correction) -> Result<CorrectionReport> {
        let (unit, made) = self.correcting(correction).await?;
        drop(unit);
        Ok(made.report)
    }

    /// Like [`correct`](Self::correct), in a unit that the caller began with [`correction_locks`](Self::correction_locks).
    ///
    /// # Errors
    ///
    /// As of [`correct`](Self::correct). What was applied by then is not whole: the unit is to be dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # use billing_core::plan::PlanBook;
    /// # use billing_store::{Billing, MemoryStore, clock::SystemClock};
    /// use billing_core::correction::{Change, Correction, Selection};
    ///
    /// # let acme = Billing::new(MemoryStore::new(), PlanBook::standard(), SystemClock).tenant("acme")?;
    /// let change = Change::Rerate { selection: Selection::all() };
    /// let correction = Correction { id: "june".parse()?, reason: "a new deck".into(), change };
    /// let locks = acme.correction_locks(&correction).await?;
    /// let mut unit = acme.begin(&locks).await?;
    /// let made = acme.correct_in(&mut *unit, &correction).await?;
    /// unit.commit().await?;
    /// assert_eq!(made.report.examined, 0); // nothing is recorded
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn correct_in(
        &self,
        unit: &mut dyn Unit,
        correction: &Correction,
    ) -> Result<CorrectionMade> {
        self.expect_mine(unit)?;
        let made = self.make(unit, correction, None).await?;
        made.ok_or_else(joined)
    }

    /// What a correction must lock: the accounts whose items it may touch, and the catalog where a tariff comes into force.
    ///
    /// # Errors
    ///
    /// [`Error::NotRecorded`] if there is no such item, else [`Error::Store`].
    ///
    /// # Examples
    ///
    /// See [`correct_in`](Self::correct_in).
    pub async fn correction_locks(&self, correction: &Correction) -> Result<Locks> {
        let mut facts = self.read().await?;
        match &correction.change {
            Change::Void { key } | Change::Amend { key, .. } => {
                let records = facts.items(core::slice::from_ref(key)).await?;
                let item = records.into_iter().find(|record| record.claim.key == *key);
                let item = item.ok_or_else(|| Error::NotRecorded { key: key.clone() })?;
                Ok(Locks::accounts([item.claim.account]))
            }
            Change::Rerate { selection: Selection { accounts: Some(accounts), .. } } => {
                Ok(Locks::accounts(accounts.iter().cloned()))
            }
            Change::Rerate { selection: Selection { accounts: None, .. } } => {
                let mut locks = Locks::default();
                loop {
                    let page = facts.account_page(locks.accounts.last(), PAGE).await?;
                    if page.is_empty() {
                        return Ok(locks);
                    }
                    locks.accounts.extend(page);
                }
            }
            Change::ActivateTariff { activation } => {
                let asking = self.asking(&mut *facts, activation).await?;
                let accounts = Locks::accounts(asking.into_iter().map(|(account, _)| account));
                Ok(Locks { catalog: true, ..accounts })
            }
            Change::AssignPlan { account, .. } => Ok(Locks::accounts([account.clone()])),
            other => Err(unknown(other)),
        }
    }

    /// A correction that was made, with its report.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # use billing_core::plan::PlanBook;
    /// # use billing_store::{Billing, MemoryStore, clock::SystemClock};
    /// # let acme = Billing::new(MemoryStore::new(), PlanBook::standard(), SystemClock).tenant("acme")?;
    /// assert_eq!(acme.correction(&"ticket-7".parse()?).await?, None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn correction(&self, id: &CorrectionId) -> Result<Option<RecordedCorrection>> {
        let found = self.read().await?.corrections(core::slice::from_ref(id)).await?;
        Ok(found.into_iter().next())
    }

    /// The corrections that were made, in order of their ids, after one of them.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # use billing_core::plan::PlanBook;
    /// # use billing_store::{Billing, MemoryStore, clock::SystemClock};
    /// # let acme = Billing::new(MemoryStore::new(), PlanBook::standard(), SystemClock).tenant("acme")?;
    /// assert_eq!(acme.corrections(None, 100).await?, []);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn corrections(
        &self,
        after: Option<&CorrectionId>,
        limit: u32,
    ) -> Result<Vec<RecordedCorrection>> {
        Ok(self.read().await?.correction_page(after, limit).await?)
    }

    /// Makes a correction, and leaves it to the caller whether it is committed.
    async fn correcting(
        &self,
        correction: &Correction,
    ) -> Result<(Box<dyn crate::store::Transaction>, CorrectionMade)> {
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
    async fn make(
        &self,
        unit: &mut dyn Unit,
        correction: &Correction,
        locked: Option<&Locks>,
    ) -> Result<Option<CorrectionMade>> {
        let known = unit.corrections(core::slice::from_ref(&correction.id)).await?;
        if let Some(report) = decide::replayed_correction(known.first(), correction)? {
            return Ok(Some(CorrectionMade { outcome: Outcome::Replay, report }));
        }
        let is_locked =
            |account: &AccountId| locked.is_none_or(|locks| locks.accounts.contains(account));
        let mut run = Run::new(self, correction);
        match &correction.change {
            Change::Void { key } | Change::Amend { key, .. } => run.item(unit, key).await?,
            Change::Rerate { selection } => {
                let accounts = match &selection.accounts {
                    Some(accounts) => accounts.iter().cloned().collect(),
                    None => all_accounts(unit).await?,
                };
                if !accounts.iter().all(is_locked) {
                    return Ok(None);
                }
                let (from, until) = (selection.from, selection.until);
                let span = (from.unwrap_or(Instant::MIN), until.unwrap_or(Instant::MAX));
                let selects = |item: &StoredItem, postings: &[Posting]| {
                    selection.selects(item.content().at(), postings)
                };
                for account in &accounts {
                    run.rerate(unit, account, span, &selects).await?;
                }
            }
            Change::ActivateTariff { activation } => {
                let catalog = unit.tariff_catalog().await?;
                let asking = self.asking(unit, activation).await?;
                if !asking.iter().all(|(account, _)| is_locked(account)) {
                    return Ok(None);
                }
                // Whoever is priced beyond it is rated anew, so nothing stands in its way.
                let _new =
                    apply(unit, decide::activate_tariff(&catalog, activation, None)?).await?;
                let from = activation.from;
                let longest = self.parts.limits.call_duration_ms_max.max(CALL_MS_MAX);
                let span = (before(from, longest), Instant::MAX);
                // A call that began before may go on beyond it.
                let selects = |item: &StoredItem, postings: &[Posting]| {
                    let priced = postings.iter().filter_map(|posting| posting.provenance.as_ref());
                    item.content().at() >= from || priced.into_iter().any(|by| by.until > from)
                };
                for (account, _) in &asking {
                    run.rerate(unit, account, span, &selects).await?;
                }
            }
            Change::AssignPlan { account, plan, version, from, overrides } => {
                let assigning =
                    Assigning { account, plan, version: *version, from: *from, overrides };
                let writes = self.assigning(unit, assigning, OnUsed::RateAnew).await?;
                let _new = apply(unit, writes).await?;
                run.reassigned(unit, account, *from).await?;
            }
            other => return Err(unknown(other)),
        }
        let report = run.finish(unit).await?;
        Ok(Some(CorrectionMade { outcome: Outcome::New, report }))
    }
}

/// A correction at work.
struct Run<'a> {
    tenant: &'a Tenant,
    correction: &'a Correction,
    now: Instant,
    report: CorrectionReport,
    unpriced: u64,
    first: Vec<(ItemKey, ParkReason)>,
}

impl<'a> Run<'a> {
    fn new(tenant: &'a Tenant, correction: &'a Correction) -> Self {
        let (now, report) = (tenant.now(), CorrectionReport::default());
        Self { tenant, correction, now, report, unpriced: 0, first: Vec::new() }
    }

    /// Corrects one item.
    async fn item(&mut self, unit: &mut dyn Unit, key: &ItemKey) -> Result<()> {
        let records = unit.items(core::slice::from_ref(key)).await?;
        let item = records.iter().find(|record| record.claim.key == *key).cloned();
        let item = item.ok_or_else(|| Error::NotRecorded { key: key.clone() })?;
        let postings = current_postings(unit, core::iter::once(&item.claim)).await?;
        self.items(unit, &[item], &records, postings).await
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
fn joined() -> Error {
    let source = "other accounts joined those that are corrected: try again".into();
    StoreError::Transient { source }.into()
}

/// A change that this version of the library does not know.
fn unknown(change: &Change) -> Error {
    let what = format!("a correction of kind {} is not known here", change.name());
    StoreError::Refused { what, source: None }.into()
}
