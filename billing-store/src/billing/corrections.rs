//! Correcting what was recorded: taking items back, amending them, rating them anew; first as a preview if so wished.

use billing_core::{
    correction::{Change, Correction, CorrectionReport, RecordedCorrection, Selection},
    id::CorrectionId,
};

use crate::{
    answer::{CorrectionMade, Error, Result},
    billing::{
        Tenant,
        correcting::{joined, unknown},
    },
    store::{Locks, Unit},
};

/// How many accounts are listed at a time.
const PAGE: u32 = 500;

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
    /// What is parked is not touched: what waited for a price that came so is tried again with
    /// [`retry_parked`](Self::retry_parked).
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
}
