//! What is parked until somebody mends it, and what is not billed and why.

use std::collections::BTreeMap;

use billing_core::{
    decide::{self, Batch, BillError, Dropped, Parked},
    id::AccountId,
    item::{Incoming, ItemKey},
    time::Instant,
};

use crate::{
    answer::{Error, Result, TakenIn},
    billing::Tenant,
    store::{Locks, Transaction, Unit},
};

const PAGE: u32 = 500;

/// What a tenant does not bill, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NotBilled {
    /// Parked items by the code of their reason, such as `unknown_account`.
    pub parked: BTreeMap<String, Waiting>,
    /// How many entries of batches could not be decoded; their raw text is kept with the batch.
    pub refused: u64,
    /// How many parked items were dropped; their reasons are kept with them.
    pub dropped: u64,
    /// Accounts whose bill cannot be drawn up.
    pub held: Vec<(AccountId, BillError)>,
}

/// How many items wait for one reason, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// How many.
    pub items: u64,
    /// Since when the one waits that has waited longest.
    pub since: Instant,
}

impl Tenant {
    /// Parked items in order of their keys, at most `limit`, after one of them.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// use billing_core::{decide::ParkReason, item::CallEnded};
    ///
    /// # use billing_core::plan::PlanBook;
    /// # use billing_store::{Billing, MemoryStore, clock::SetClock};
    /// # let clock = SetClock::at("2026-11-02T08:00:00Z".parse()?);
    /// # let acme = Billing::new(MemoryStore::new(), PlanBook::standard(), clock).tenant("acme")?;
    /// # let call: CallEnded = serde_json::from_str(
    /// #     r#"{"key":{"source":"pbx","id":"1"},"account":"alice",
    /// #         "call":{"start":"2026-10-05T08:00:00Z","duration_ms":4500000,"caller":"","callee":"",
    /// #                 "disposition":"answered","direction":"outbound"}}"#,
    /// # )?;
    /// acme.calls_ended(&[call]).await?; // nobody opened an account for alice
    /// let parked = acme.parked(None, 10).await?;
    /// assert_eq!(parked[0].reason, ParkReason::UnknownAccount);
    /// assert_eq!(acme.parked(Some(&parked[0].incoming.key), 10).await?, []);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn parked(&self, after: Option<&ItemKey>, limit: u32) -> Result<Vec<Parked>> {
        Ok(self.read().await?.parked_page(after, limit).await?)
    }

    /// Tries parked items again as they are, because what they waited for was mended: an account, a plan, a limit.
    ///
    /// Items that are not parked any more are left out. At most a batch's worth of keys.
    ///
    /// # Errors
    ///
    /// As [`calls_ended`](Self::calls_ended).
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # use billing_core::plan::PlanBook;
    /// # use billing_store::{Billing, MemoryStore, clock::SetClock};
    /// # let clock = SetClock::at("2026-11-02T08:00:00Z".parse()?);
    /// # let acme = Billing::new(MemoryStore::new(), PlanBook::standard(), clock).tenant("acme")?;
    /// # acme.save_plan(&serde_json::from_str(
    /// #     r#"{"id":"basic","version":1,"currency":"EUR","payment":"postpaid",
    /// #         "strategies":[{"id":"calls","kind":"flat_rate",
    /// #                        "terms":{"per_minute":"0.02","minutes":"pro_rata"}},
    /// #                       {"id":"usage","kind":"unpriced","terms":{}}]}"#,
    /// # )?).await?;
    /// # acme.open_account(&serde_json::from_str(
    /// #     r#"{"id":"alice","currency":"EUR","zone":"UTC","customer":"carol",
    /// #         "anchor":{"from":"2026-10-01","months":1}}"#,
    /// # )?).await?;
    /// # let alice = "alice".parse()?;
    /// # acme.assign(&alice, &"basic".parse()?, 1, "2026-10-01".parse()?).await?;
    /// # let call: billing_core::item::CallEnded = serde_json::from_str(
    /// #     r#"{"key":{"source":"pbx","id":"1"},"account":"alice",
    /// #         "call":{"start":"2026-10-05T08:00:00Z","duration_ms":4500000,"caller":"","callee":"",
    /// #                 "disposition":"answered","direction":"outbound"}}"#,
    /// # )?;
    /// let early = billing_core::item::CallEnded { account: Some("bob".parse()?), ..call };
    /// let taken = acme.calls_ended(&[early.clone()]).await?;
    /// assert_eq!(taken.intake.parked, 1, "there is no bob");
    ///
    /// acme.open_account(&serde_json::from_str(
    ///     r#"{"id":"bob","currency":"EUR","zone":"UTC","anchor":{"from":"2026-10-01","months":1}}"#,
    /// )?).await?;
    /// acme.assign(&"bob".parse()?, &"basic".parse()?, 1, "2026-10-01".parse()?).await?;
    /// assert_eq!(acme.retry_parked(&[early.key]).await?.intake.recorded, 1);
    /// assert!(acme.parked(None, 10).await?.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn retry_parked(&self, keys: &[ItemKey]) -> Result<TakenIn> {
        let waiting = self.read().await?.parked(keys).await?;
        let entries = waiting.into_iter().map(|parked| Ok(parked.incoming)).collect();
        let mut batch = Batch { label: "retry of parked items".into(), entries };
        self.parts.limits.check(&batch)?;
        let locks = Locks::accounts(batch.accounts().into_iter().cloned());
        let mut unit = self.parts.store.begin(&self.id, &locks).await?;
        // What was mended or dropped meanwhile is not tried again.
        let parked = unit.parked(keys).await?;
        let waits = |incoming: &Incoming| parked.iter().any(|parked| parked.incoming == *incoming);
        batch.entries.retain(|entry| entry.as_ref().is_ok_and(waits));
        let taken = self.ingest_in(&mut *unit, &batch).await?;
        unit.commit().await?;
        Ok(taken)
    }

    /// Records parked items with mended content, such as the account that pays.
    ///
    /// # Errors
    ///
    /// [`Error::NotParked`] if one of them is not parked, and as [`calls_ended`](Self::calls_ended).
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # use billing_core::plan::PlanBook;
    /// # use billing_store::{Billing, MemoryStore, clock::SetClock};
    /// # let clock = SetClock::at("2026-11-02T08:00:00Z".parse()?);
    /// # let acme = Billing::new(MemoryStore::new(), PlanBook::standard(), clock).tenant("acme")?;
    /// # acme.save_plan(&serde_json::from_str(
    /// #     r#"{"id":"basic","version":1,"currency":"EUR","payment":"postpaid",
    /// #         "strategies":[{"id":"calls","kind":"flat_rate",
    /// #                        "terms":{"per_minute":"0.02","minutes":"pro_rata"}},
    /// #                       {"id":"usage","kind":"unpriced","terms":{}}]}"#,
    /// # )?).await?;
    /// # acme.open_account(&serde_json::from_str(
    /// #     r#"{"id":"alice","currency":"EUR","zone":"UTC","customer":"carol",
    /// #         "anchor":{"from":"2026-10-01","months":1}}"#,
    /// # )?).await?;
    /// # let alice = "alice".parse()?;
    /// # acme.assign(&alice, &"basic".parse()?, 1, "2026-10-01".parse()?).await?;
    /// # let call: billing_core::item::CallEnded = serde_json::from_str(
    /// #     r#"{"key":{"source":"pbx","id":"1"},"account":"alice",
    /// #         "call":{"start":"2026-10-05T08:00:00Z","duration_ms":4500000,"caller":"","callee":"",
    /// #                 "disposition":"answered","direction":"outbound"}}"#,
    /// # )?;
    /// let nobodys = billing_core::item::CallEnded { account: None, ..call.clone() };
    /// assert_eq!(acme.calls_ended(&[nobodys]).await?.intake.parked, 1);
    /// assert_eq!(acme.mend_parked(&[call.clone().into()]).await?.intake.recorded, 1);
    /// assert!(acme.mend_parked(&[call.into()]).await.is_err(), "it is not parked any more");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn mend_parked(&self, mended: &[Incoming]) -> Result<TakenIn> {
        let entries = mended.iter().map(|incoming| Ok(incoming.clone())).collect();
        let batch = Batch { label: "mended parked items".into(), entries };
        self.parts.limits.check(&batch)?;
        let locks = Locks::accounts(batch.accounts().into_iter().cloned());
        let mut unit = self.parts.store.begin(&self.id, &locks).await?;
        let keys: Vec<ItemKey> = batch.keys().into_iter().cloned().collect();
        let parked = unit.parked(&keys).await?;
        let is_parked = |key: &ItemKey| parked.iter().any(|parked| parked.incoming.key == *key);
        if let Some(key) = keys.into_iter().find(|key| !is_parked(key)) {
            return Err(Error::NotParked { key });
        }
        let taken = self.ingest_in(&mut *unit, &batch).await?;
        unit.commit().await?;
        Ok(taken)
    }

    /// Drops a parked item: it is not billed, and kept with the reason.
    ///
    /// # Errors
    ///
    /// [`Error::NotParked`].
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # use billing_core::plan::PlanBook;
    /// # use billing_store::{Billing, MemoryStore, clock::SetClock};
    /// # let clock = SetClock::at("2026-11-02T08:00:00Z".parse()?);
    /// # let acme = Billing::new(MemoryStore::new(), PlanBook::standard(), clock).tenant("acme")?;
    /// # acme.save_plan(&serde_json::from_str(
    /// #     r#"{"id":"basic","version":1,"currency":"EUR","payment":"postpaid",
    /// #         "strategies":[{"id":"calls","kind":"flat_rate",
    /// #                        "terms":{"per_minute":"0.02","minutes":"pro_rata"}},
    /// #                       {"id":"usage","kind":"unpriced","terms":{}}]}"#,
    /// # )?).await?;
    /// # acme.open_account(&serde_json::from_str(
    /// #     r#"{"id":"alice","currency":"EUR","zone":"UTC","customer":"carol",
    /// #         "anchor":{"from":"2026-10-01","months":1}}"#,
    /// # )?).await?;
    /// # let alice = "alice".parse()?;
    /// # acme.assign(&alice, &"basic".parse()?, 1, "2026-10-01".parse()?).await?;
    /// # let call: billing_core::item::CallEnded = serde_json::from_str(
    /// #     r#"{"key":{"source":"pbx","id":"1"},"account":"alice",
    /// #         "call":{"start":"2026-10-05T08:00:00Z","duration_ms":4500000,"caller":"","callee":"",
    /// #                 "disposition":"answered","direction":"outbound"}}"#,
    /// # )?;
    /// let nobodys = billing_core::item::CallEnded { account: None, ..call };
    /// acme.calls_ended(&[nobodys.clone()]).await?;
    /// acme.drop_parked(&nobodys.key, "a test call").await?;
    /// assert!(acme.parked(None, 10).await?.is_empty());
    /// assert_eq!(acme.dropped(None, 10).await?[0].reason, "a test call");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn drop_parked(&self, key: &ItemKey, reason: &str) -> Result<()> {
        let mut unit = self.begin_parked(core::slice::from_ref(key)).await?;
        self.drop_parked_in(&mut *unit, key, reason).await?;
        unit.commit().await?;
        Ok(())
    }

    /// [`drop_parked`](Self::drop_parked) inside the caller's unit, which holds the item's account and the catalog.
    ///
    /// # Errors
    ///
    /// As [`drop_parked`](Self::drop_parked), and [`Error::OtherTenant`].
    ///
    /// # Examples
    ///
    /// All twins in one unit: see [`Tenant`].
    pub async fn drop_parked_in(
        &self,
        unit: &mut dyn Unit,
        key: &ItemKey,
        reason: &str,
    ) -> Result<()> {
        self.expect_mine(unit)?;
        let parked = unit.parked(core::slice::from_ref(key)).await?.into_iter().next();
        let parked = parked.ok_or_else(|| Error::NotParked { key: key.clone() })?;
        let writes = decide::drop_parked(parked, reason.to_owned(), self.parts.clock.now());
        Ok(unit.apply(&writes).await?)
    }

    /// Dropped items in the order in which they were dropped, at most `limit`, after one of them.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    ///
    /// # Examples
    ///
    /// See [`drop_parked`](Self::drop_parked).
    pub async fn dropped(&self, after: Option<&Dropped>, limit: u32) -> Result<Vec<Dropped>> {
        let after = after.map(|dropped| (dropped.at, &dropped.parked.incoming.key));
        Ok(self.read().await?.dropped_page(after, limit).await?)
    }

    /// Begins a unit that holds the accounts of parked items; the catalog stands for items without one.
    async fn begin_parked(&self, keys: &[ItemKey]) -> Result<Box<dyn Transaction>> {
        let parked = self.read().await?.parked(keys).await?;
        let accounts = parked.into_iter().filter_map(|parked| parked.incoming.account);
        self.begin(&Locks { catalog: true, ..Locks::accounts(accounts) }).await
    }

    /// What is not billed and why: parked items by reason, refused entries, dropped items, and accounts whose bill is held.
    ///
    /// Reads one consistent state; the cost grows with what is not billed and with the number of accounts.
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
    /// # use billing_store::{Billing, MemoryStore, clock::SetClock};
    /// # let clock = SetClock::at("2026-11-02T08:00:00Z".parse()?);
    /// # let acme = Billing::new(MemoryStore::new(), PlanBook::standard(), clock).tenant("acme")?;
    /// # acme.save_plan(&serde_json::from_str(
    /// #     r#"{"id":"basic","version":1,"currency":"EUR","payment":"postpaid",
    /// #         "strategies":[{"id":"calls","kind":"flat_rate",
    /// #                        "terms":{"per_minute":"0.02","minutes":"pro_rata"}},
    /// #                       {"id":"usage","kind":"unpriced","terms":{}}]}"#,
    /// # )?).await?;
    /// # acme.open_account(&serde_json::from_str(
    /// #     r#"{"id":"alice","currency":"EUR","zone":"UTC","customer":"carol",
    /// #         "anchor":{"from":"2026-10-01","months":1}}"#,
    /// # )?).await?;
    /// # let alice = "alice".parse()?;
    /// # acme.assign(&alice, &"basic".parse()?, 1, "2026-10-01".parse()?).await?;
    /// # let call: billing_core::item::CallEnded = serde_json::from_str(
    /// #     r#"{"key":{"source":"pbx","id":"1"},"account":"alice",
    /// #         "call":{"start":"2026-10-05T08:00:00Z","duration_ms":4500000,"caller":"","callee":"",
    /// #                 "disposition":"answered","direction":"outbound"}}"#,
    /// # )?;
    /// let nobodys = billing_core::item::CallEnded { account: None, ..call };
    /// acme.calls_ended(&[nobodys]).await?;
    /// let report = acme.not_billed().await?;
    /// assert_eq!(report.parked["unknown_account"].items, 1);
    /// assert!(report.held.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn not_billed(&self) -> Result<NotBilled> {
        let mut report = NotBilled::default();
        let mut facts = self.read().await?;
        let mut after: Option<ItemKey> = None;
        loop {
            let page = facts.parked_page(after.as_ref(), PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.incoming.key.clone());
            for parked in &page {
                report.wait(parked);
            }
        }
        let mut after: Option<Dropped> = None;
        loop {
            let last = after.as_ref().map(|dropped| (dropped.at, &dropped.parked.incoming.key));
            let page = facts.dropped_page(last, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.clone());
            report.dropped = report.dropped.saturating_add(u64::try_from(page.len()).unwrap_or(0));
        }
        let mut after = None;
        loop {
            let page = facts.intake_page(after.as_ref(), PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id.clone());
            let refused = page.iter().map(|intake| intake.refused);
            report.refused = refused.fold(report.refused, u64::saturating_add);
        }
        report.held = self.held(&mut *facts).await?;
        Ok(report)
    }
}

impl NotBilled {
    fn wait(&mut self, parked: &Parked) {
        let since = parked.since;
        let waiting = self.parked.entry(parked.reason.code().to_owned());
        let waiting = waiting.or_insert(Waiting { items: 0, since });
        waiting.items = waiting.items.saturating_add(1);
        waiting.since = waiting.since.min(since);
    }
}
