//! Erasing who called whom, once nobody may keep it any longer.

use std::collections::BTreeSet;

use billing_core::{
    decide::{self, Dropped, Erasure, Refusal, StoredItem, Writes},
    id::{AccountId, IntakeId},
    item::ItemKey,
    time::Instant,
};

use crate::{
    answer::{Error, Result},
    billing::Tenant,
    store::{HistoryPage, Locks, Unit},
};

/// How many rows are looked at, and erased in one unit.
const PAGE: u32 = 500;

/// What an erasure did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// Recorded items that lost their persons.
    pub items: u64,
    /// Recorded items that keep them, because their day is not billed or handed over yet: ask again after that.
    pub open: u64,
    /// Dropped items that lost their persons.
    pub dropped: u64,
    /// Refused entries of batches that lost their raw text.
    pub refused: u64,
    /// Parked items that keep them: mend or drop them, and ask again.
    pub parked: u64,
}

impl Tenant {
    /// Erases persons wherever they are recorded: who called and who was called, the properties of pulses, the raw text of what was
    /// refused.
    ///
    /// What was used and what it cost stays, to the cent, and so do the claims: a call that comes again is a replay. An item without its persons
    /// is a tombstone: it cannot be rated or explained again. Each account that loses something has an event that says so with the
    /// reason, which must not name the person.
    ///
    /// Works in pages, each a unit of its own: what fails half-way is continued by asking again. Walks all items of the time, for a
    /// [party](Erasure::Party) all there are.
    ///
    /// # Errors
    ///
    /// [`Error::JournalFull`].
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// use billing_core::decide::Erasure;
    ///
    /// # use billing_core::{item::CallEnded, plan::PlanBook};
    /// # use billing_store::{Billing, MemoryStore, clock::SetClock};
    /// # let clock = SetClock::at("2026-11-02T08:00:00Z".parse()?);
    /// # let acme = Billing::new(MemoryStore::new(), PlanBook::standard(), clock).tenant("acme")?;
    /// # acme.save_plan(&serde_json::from_str(
    /// #     r#"{"id":"basic","version":1,"currency":"EUR","payment":"postpaid",
    /// #         "strategies":[{"id":"calls","kind":"flat_rate",
    /// #                        "terms":{"per_minute":"0.02","minutes":"pro_rata"}}]}"#,
    /// # )?).await?;
    /// # acme.open_account(&serde_json::from_str(
    /// #     r#"{"id":"alice","currency":"EUR","zone":"UTC","anchor":{"from":"2026-10-01","months":1}}"#,
    /// # )?).await?;
    /// # acme.assign(&"alice".parse()?, &"basic".parse()?, 1, "2026-10-01".parse()?).await?;
    /// # let call: CallEnded = serde_json::from_str(
    /// #     r#"{"key":{"source":"pbx","id":"1"},"account":"alice",
    /// #         "call":{"start":"2026-10-05T08:00:00Z","duration_ms":4500000,"caller":"","callee":"+12025550123",
    /// #                 "disposition":"answered","direction":"outbound"}}"#,
    /// # )?;
    /// # acme.calls_ended(&[call.clone()]).await?;
    /// let (from, until) = ("2026-10-01T00:00:00Z".parse()?, "2026-11-01T00:00:00Z".parse()?);
    /// let october = Erasure::Between { from, until };
    /// let erased = acme.erase_persons(&october, "retention").await?;
    /// assert_eq!((erased.items, erased.open), (0, 1), "October is not billed yet");
    ///
    /// acme.issue_invoices(&"2026".parse()?, acme.now()).await?;
    /// let erased = acme.erase_persons(&october, "retention").await?;
    /// assert_eq!((erased.items, erased.open), (1, 0));
    /// assert_eq!(acme.calls_ended(&[call]).await?.intake.replayed, 1); // it is still known
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn erase_persons(&self, erasure: &Erasure<'_>, reason: &str) -> Result<Erased> {
        let mut done = Erased::default();
        let mut after: Option<AccountId> = None;
        loop {
            let page = self.read().await?.account_page(after.as_ref(), PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.clone());
            for account in &page {
                self.erase_items(account, erasure, reason, &mut done).await?;
            }
        }
        self.erase_dropped(erasure, &mut done).await?;
        self.erase_refused(erasure, &mut done).await?;
        self.count_parked(erasure, &mut done).await?;
        Ok(done)
    }

    /// Erases the persons of an account's items, page by page.
    async fn erase_items(
        &self,
        account: &AccountId,
        erasure: &Erasure<'_>,
        reason: &str,
        done: &mut Erased,
    ) -> Result<()> {
        let (from, until) = match erasure {
            Erasure::Between { from, until } => (*from, *until),
            Erasure::Party(_) => (Instant::MIN, Instant::MAX),
        };
        let mut after: Option<(Instant, ItemKey)> = None;
        loop {
            let place = after.as_ref().map(|(at, key)| (*at, key));
            let of = HistoryPage { from, until, kind: None, after: place, limit: PAGE };
            let page = self.history(account, &of).await?;
            let Some(last) = page.last() else { break };
            after = Some((last.item.at(), last.claim.key.clone()));
            self.erase_page(account, erasure, reason, &page, done).await?;
        }
        // What was amended may be of another time than was reported.
        let mut after: Option<ItemKey> = None;
        loop {
            let mut page = self.read().await?.amended(account, after.as_ref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.claim.key.clone());
            page.retain(|item| !(from..until).contains(&item.item.at()));
            self.erase_page(account, erasure, reason, &page, done).await?;
        }
    }

    /// Erases the persons of what an erasure takes of some items of an account.
    async fn erase_page(
        &self,
        account: &AccountId,
        erasure: &Erasure<'_>,
        reason: &str,
        page: &[StoredItem],
        done: &mut Erased,
    ) -> Result<()> {
        let takes = |item: &&StoredItem| {
            !item.erased && (erasure.takes(&item.item) || erasure.takes(item.content()))
        };
        let mine = page.iter().filter(takes);
        let keys: Vec<ItemKey> = mine.map(|item| item.claim.key.clone()).collect();
        if keys.is_empty() {
            return Ok(());
        }
        let mut unit = self.begin(&Locks::accounts([account.clone()])).await?;
        let erased = self.erase_items_in(&mut *unit, account, &keys, reason).await?;
        unit.commit().await?;
        done.items = done.items.saturating_add(erased.items);
        done.open = done.open.saturating_add(erased.open);
        Ok(())
    }

    /// Erases the persons of items of one account.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownAccount`], [`Error::JournalFull`].
    ///
    /// # Examples
    ///
    /// See [`erase_persons`](Self::erase_persons) and [`Tenant`].
    pub async fn erase_items_in(
        &self,
        unit: &mut dyn Unit,
        account: &AccountId,
        keys: &[ItemKey],
        reason: &str,
    ) -> Result<Erased> {
        self.expect_mine(unit)?;
        let known = self.account(unit, account).await?;
        let wanted: BTreeSet<&ItemKey> = keys.iter().collect();
        let mut items: Vec<StoredItem> = unit.items(keys).await?;
        items.retain(|item| wanted.contains(&item.claim.key) && item.claim.account == *account);
        let zone = &known.settings.zone;
        let contents = items.iter().flat_map(|item| [&item.item, item.content()]);
        let days: BTreeSet<_> = contents.map(|content| zone.day_of(content.at())).collect();
        let days: Vec<_> = days.into_iter().map(|day| (account.clone(), day)).collect();
        let totals = unit.day_totals(&days).await?;
        let done = decide::erase_items(&known, items, &totals, reason, self.now());
        let done = done.map_err(Error::from)?;
        unit.apply(&done.writes).await?;
        Ok(Erased { items: done.erased, open: done.open, ..Erased::default() })
    }

    async fn erase_dropped(&self, erasure: &Erasure<'_>, done: &mut Erased) -> Result<()> {
        let mut after: Option<Dropped> = None;
        loop {
            let page = self.dropped(after.as_ref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.clone());
            let mine = page.iter().filter(|it| erasure.takes(&it.parked.incoming.item));
            let erased_dropped: Vec<_> = mine.filter_map(decide::erase_dropped).collect();
            let count = u64::try_from(erased_dropped.len()).unwrap_or(u64::MAX);
            done.dropped = done.dropped.saturating_add(count);
            self.keep(Writes { erased_dropped, ..Writes::default() }).await?;
        }
    }

    async fn erase_refused(&self, erasure: &Erasure<'_>, done: &mut Erased) -> Result<()> {
        let mut after: Option<IntakeId> = None;
        loop {
            let mut facts = self.read().await?;
            let page = facts.intake_page(after.as_ref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.id.clone());
            let mut erased_refusals = Vec::new();
            for intake in page.iter().filter(|intake| intake.refused > 0) {
                let refusals = facts.refusals(&intake.id).await?;
                let numbered = (0_u64..).zip(refusals);
                let mine = numbered.filter(|(_, it)| erasure.takes_refused(it, intake.at));
                erased_refusals.extend(mine.map(|(number, refusal)| {
                    let raw = String::new();
                    (intake.id.clone(), number, Refusal { raw, ..refusal })
                }));
            }
            drop(facts);
            let count = u64::try_from(erased_refusals.len()).unwrap_or(u64::MAX);
            done.refused = done.refused.saturating_add(count);
            self.keep(Writes { erased_refusals, ..Writes::default() }).await?;
        }
    }

    async fn count_parked(&self, erasure: &Erasure<'_>, done: &mut Erased) -> Result<()> {
        let mut facts = self.read().await?;
        let mut after: Option<ItemKey> = None;
        loop {
            let page = facts.parked_page(after.as_ref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.incoming.key.clone());
            let waiting = page.iter().filter(|parked| {
                let item = &parked.incoming.item;
                erasure.takes(item) && item.without_persons() != *item
            });
            let waiting = u64::try_from(waiting.count()).unwrap_or(u64::MAX);
            done.parked = done.parked.saturating_add(waiting);
        }
    }

    /// Applies writes in a unit of their own, if there are any.
    async fn keep(&self, writes: Writes) -> Result<()> {
        if writes == Writes::default() {
            return Ok(());
        }
        let mut unit = self.begin(&Locks::default()).await?;
        unit.apply(&writes).await?;
        unit.commit().await?;
        Ok(())
    }
}
