//! Tariffs: saved for ever, in force from an instant on, never before usage that is priced.

use std::sync::Arc;

use billing_core::{
    decide::{self, AccountFacts, Plans},
    id::{AccountId, StrategyId, TariffId},
    item::ItemKey,
    plan::Arrival,
    tariff::{Activation, Catalog, Explanation, TariffSpec, Tariffs},
    time::Instant,
};

use crate::{
    answer::{Error, Outcome, Result},
    billing::{Tenant, catalog::apply},
    error::StoreResult,
    store::{Facts, Locks, Unit},
};

/// How many accounts are looked at together.
const PAGE: u32 = 500;

impl Tenant {
    /// Saves a version of a tariff; saving it again with the same content is a replay.
    ///
    /// It prices nothing before it is [activated](Self::activate_tariff).
    ///
    /// # Errors
    ///
    /// [`Error::Tariff`] if the document cannot be compiled, the version is saved with other content, or the tariff's other versions
    /// are in another currency.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// use billing_core::{decide::TariffError, tariff::TariffSpec};
    /// use billing_store::{Error, Outcome};
    ///
    /// # use billing_core::plan::PlanBook;
    /// # use billing_store::{Billing, MemoryStore, clock::SetClock};
    /// # let clock = SetClock::at("2026-11-02T08:00:00Z".parse()?);
    /// # let acme = Billing::new(MemoryStore::new(), PlanBook::standard(), clock).tenant("acme")?;
    /// # let retail: TariffSpec = serde_json::from_str(
    /// #     r#"{"id":"retail","version":1,"currency":"EUR","zone":"UTC","decimals":4,"rounding":"half_up",
    /// #         "lines":[{"destination":"Germany","to":{"prefixes":["49"]},
    /// #                   "bands":[{"price":"0.02","per":"60","increment":"60"}]}]}"#,
    /// # )?;
    /// assert_eq!(acme.save_tariff(&retail).await?, Outcome::New);
    /// assert_eq!(acme.save_tariff(&retail).await?, Outcome::Replay);
    ///
    /// let other = TariffSpec { decimals: 2, ..retail };
    /// let error = acme.save_tariff(&other).await.unwrap_err();
    /// assert!(matches!(error, Error::Tariff(TariffError::Differs { version: 1, .. })));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn save_tariff(&self, spec: &TariffSpec) -> Result<Outcome> {
        let mut unit = self.parts.store.begin(&self.id, &Locks::catalog()).await?;
        let outcome = self.save_tariff_in(&mut *unit, spec).await?;
        unit.commit().await?;
        Ok(outcome)
    }

    /// [`save_tariff`](Self::save_tariff) inside the caller's unit, which holds the catalog.
    ///
    /// # Errors
    ///
    /// As [`save_tariff`](Self::save_tariff).
    ///
    /// # Examples
    ///
    /// All twins in one unit: see [`Tenant`].
    pub async fn save_tariff_in(&self, unit: &mut dyn Unit, spec: &TariffSpec) -> Result<Outcome> {
        self.expect_mine(unit)?;
        let catalog = unit.tariff_catalog().await?;
        apply(unit, decide::save_tariff(&catalog, spec)?).await
    }

    /// Lets a saved version of a tariff be in force from an instant on, until the next one begins; doing it again is a replay.
    ///
    /// What is priced stays priced so: the instant is not before the end of usage that was priced by strategies which may ask the
    /// tariff, by itself or as a fallback. The cost grows with the accounts whose usage is priced beyond the instant.
    ///
    /// # Errors
    ///
    /// [`Error::Tariff`] if the version is not saved, another one begins then, or usage is priced beyond the instant; the error names
    /// the earliest that is accepted.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// use billing_core::{decide::TariffError, tariff::TariffSpec};
    /// use billing_store::Error;
    ///
    /// # use billing_core::{item::CallEnded, plan::PlanBook};
    /// # use billing_store::{Billing, MemoryStore, clock::SetClock};
    /// # let clock = SetClock::at("2026-11-02T08:00:00Z".parse()?);
    /// # let acme = Billing::new(MemoryStore::new(), PlanBook::standard(), clock).tenant("acme")?;
    /// # let retail: TariffSpec = serde_json::from_str(
    /// #     r#"{"id":"retail","version":1,"currency":"EUR","zone":"UTC","decimals":4,"rounding":"half_up",
    /// #         "lines":[{"destination":"Germany","to":{"prefixes":["49"]},
    /// #                   "bands":[{"price":"0.02","per":"60","increment":"60"}]}]}"#,
    /// # )?;
    /// # let call: CallEnded = serde_json::from_str(
    /// #     r#"{"key":{"source":"pbx","id":"1"},"account":"alice",
    /// #         "call":{"start":"2026-10-05T08:00:00Z","duration_ms":61000,"caller":"","callee":"+4930123456",
    /// #                 "disposition":"answered","direction":"outbound"}}"#,
    /// # )?;
    /// acme.save_tariff(&retail).await?;
    /// acme.activate_tariff(&retail.id, 1, "2026-10-01T00:00:00Z".parse()?).await?;
    /// acme.save_plan(&serde_json::from_str(
    ///     r#"{"id":"basic","version":1,"currency":"EUR","payment":"postpaid",
    ///         "strategies":[{"id":"calls","kind":"tariff","terms":{"tariff":"retail"}}]}"#,
    /// )?).await?;
    /// # acme.open_account(&serde_json::from_str(
    /// #     r#"{"id":"alice","currency":"EUR","zone":"UTC","anchor":{"from":"2026-10-01","months":1}}"#,
    /// # )?).await?;
    /// # let alice = "alice".parse()?;
    /// acme.assign(&alice, &"basic".parse()?, 1, "2026-10-01".parse()?).await?;
    /// acme.calls_ended(&[call]).await?; // on 5 October from 08:00:00 to 08:01:01, to +49 30 ...
    /// let bill = acme.bill(&alice, "2026-10-31T12:00:00Z".parse()?).await?;
    /// assert_eq!(bill.open.expect("a period").taxed.total.to_string(), "0.04");
    ///
    /// acme.save_tariff(&TariffSpec { version: 2, ..retail.clone() }).await?;
    /// let earlier = acme.activate_tariff(&retail.id, 2, "2026-10-05T08:01:00Z".parse()?).await;
    /// let end = "2026-10-05T08:01:01Z".parse()?;
    /// assert!(matches!(earlier, Err(Error::Tariff(TariffError::Past { earliest, .. })) if earliest == end));
    /// acme.activate_tariff(&retail.id, 2, end).await?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn activate_tariff(
        &self,
        tariff: &TariffId,
        version: u32,
        from: Instant,
    ) -> Result<Outcome> {
        let mut unit = self.parts.store.begin(&self.id, &Locks::catalog()).await?;
        let outcome = self.activate_tariff_in(&mut *unit, tariff, version, from).await?;
        unit.commit().await?;
        Ok(outcome)
    }

    /// [`activate_tariff`](Self::activate_tariff) inside the caller's unit, which holds the catalog.
    ///
    /// # Errors
    ///
    /// As [`activate_tariff`](Self::activate_tariff).
    ///
    /// # Examples
    ///
    /// All twins in one unit: see [`Tenant`].
    pub async fn activate_tariff_in(
        &self,
        unit: &mut dyn Unit,
        tariff: &TariffId,
        version: u32,
        from: Instant,
    ) -> Result<Outcome> {
        self.expect_mine(unit)?;
        let catalog = unit.tariff_catalog().await?;
        let activation = Activation { tariff: tariff.clone(), version, from };
        let rated_until = if catalog.activations.contains(&activation) {
            None
        } else {
            self.rated_until(unit, &activation).await?
        };
        apply(unit, decide::activate_tariff(&catalog, &activation, rated_until)?).await
    }

    /// One version of a tariff, as it was saved.
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
    /// assert_eq!(acme.tariff(&"retail".parse()?, 1).await?, None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn tariff(&self, tariff: &TariffId, version: u32) -> Result<Option<TariffSpec>> {
        let found = self.read().await?.tariffs(&[(tariff.clone(), version)]).await?;
        Ok(found.into_iter().next())
    }

    /// Which versions of tariffs are saved, and from when on each is in force.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # use billing_core::{plan::PlanBook, tariff::TariffSpec};
    /// # use billing_store::{Billing, MemoryStore, clock::SetClock};
    /// # let clock = SetClock::at("2026-11-02T08:00:00Z".parse()?);
    /// # let acme = Billing::new(MemoryStore::new(), PlanBook::standard(), clock).tenant("acme")?;
    /// # let retail: TariffSpec = serde_json::from_str(
    /// #     r#"{"id":"retail","version":1,"currency":"EUR","zone":"UTC","decimals":4,"rounding":"half_up",
    /// #         "lines":[{"destination":"Germany","to":{"prefixes":["49"]},
    /// #                   "bands":[{"price":"0.02","per":"60","increment":"60"}]}]}"#,
    /// # )?;
    /// acme.save_tariff(&retail).await?;
    /// acme.activate_tariff(&retail.id, 1, "2026-10-01T00:00:00Z".parse()?).await?;
    /// let tariffs = acme.tariffs().await?;
    /// assert_eq!((tariffs.saved.len(), tariffs.activations.len()), (1, 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn tariffs(&self) -> Result<Catalog> {
        Ok(self.read().await?.tariff_catalog().await?)
    }

    /// Why a recorded item costs what it costs, for each strategy that priced it by a tariff.
    ///
    /// Nothing for a record that a later one of the same call took back.
    ///
    /// # Errors
    ///
    /// [`Error::NotRecorded`] if no such item is recorded, [`Error::Erased`] if who called whom is erased, [`Error::Explain`] if its
    /// plan cannot be used here.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # use billing_core::{item::CallEnded, plan::PlanBook};
    /// # use billing_store::{Billing, MemoryStore, clock::SetClock};
    /// # let clock = SetClock::at("2026-11-02T08:00:00Z".parse()?);
    /// # let acme = Billing::new(MemoryStore::new(), PlanBook::standard(), clock).tenant("acme")?;
    /// # acme.save_tariff(&serde_json::from_str(
    /// #     r#"{"id":"retail","version":1,"currency":"EUR","zone":"UTC","decimals":4,"rounding":"half_up",
    /// #         "lines":[{"destination":"Germany","to":{"prefixes":["49"]},
    /// #                   "bands":[{"price":"0.02","per":"60","increment":"60"}]}]}"#,
    /// # )?).await?;
    /// # acme.activate_tariff(&"retail".parse()?, 1, "2026-10-01T00:00:00Z".parse()?).await?;
    /// # acme.save_plan(&serde_json::from_str(
    /// #     r#"{"id":"basic","version":1,"currency":"EUR","payment":"postpaid",
    /// #         "strategies":[{"id":"calls","kind":"tariff","terms":{"tariff":"retail"}}]}"#,
    /// # )?).await?;
    /// # acme.open_account(&serde_json::from_str(
    /// #     r#"{"id":"alice","currency":"EUR","zone":"UTC","anchor":{"from":"2026-10-01","months":1}}"#,
    /// # )?).await?;
    /// # acme.assign(&"alice".parse()?, &"basic".parse()?, 1, "2026-10-01".parse()?).await?;
    /// # let call: CallEnded = serde_json::from_str(
    /// #     r#"{"key":{"source":"pbx","id":"1"},"account":"alice",
    /// #         "call":{"start":"2026-10-05T08:00:00Z","duration_ms":61000,"caller":"","callee":"+4930123456",
    /// #                 "disposition":"answered","direction":"outbound"}}"#,
    /// # )?;
    /// acme.calls_ended(&[call.clone()]).await?; // of 61 s, at 0.02 a started minute
    /// let explained = acme.explain_item(&call.key).await?;
    /// let (strategy, why) = &explained[0];
    /// assert_eq!((strategy.as_str(), why.amount.to_string()), ("calls", "0.04".into()));
    /// assert_eq!((why.pieces[0].used, why.pieces[0].billed), (61_000, 120_000));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn explain_item(&self, key: &ItemKey) -> Result<Vec<(StrategyId, Explanation)>> {
        let mut facts = self.read().await?;
        let records = facts.items(core::slice::from_ref(key)).await?;
        let item = records.into_iter().find(|record| record.claim.key == *key);
        let item = item.ok_or_else(|| Error::NotRecorded { key: key.clone() })?;
        if item.erased {
            return Err(Error::Erased { key: key.clone() });
        }
        if item.claim.effective == 0 {
            return Ok(Vec::new());
        }
        let account = self.account(&mut *facts, &item.claim.account).await?;
        let plans = self.plans(&mut *facts, core::iter::once(&account)).await?;
        let tariffs = self.tariffs_of(&mut *facts, &plans).await?;
        let day = account.settings.zone.day_of(item.content().at());
        let plan = decide::plan_on(&account.assignments, &plans, day).map_err(Error::Explain)?;
        let arrival = Arrival::new(item.content(), day, account.settings.currency);
        decide::explain(plan, &arrival.with_tariffs(&tariffs)).map_err(Error::Explain)
    }

    /// The tariffs that plans may ask.
    pub(crate) async fn tariffs_of<F: Facts + ?Sized>(
        &self,
        facts: &mut F,
        plans: &Plans,
    ) -> StoreResult<Arc<Tariffs>> {
        self.parts.tariffs.load(facts, plans).await
    }

    /// Up to when usage is priced by a strategy which may ask the tariff that is to change, if beyond the instant of the change.
    async fn rated_until(
        &self,
        unit: &mut dyn Unit,
        activation: &Activation,
    ) -> Result<Option<Instant>> {
        let asking = self.asking(unit, activation).await?;
        Ok(asking.into_iter().map(|(_, until)| until).fold(None, Option::max))
    }

    /// The accounts whose usage is priced beyond the instant of a change by a strategy which may ask the tariff, and up to when.
    pub(super) async fn asking<F: Facts + ?Sized>(
        &self,
        facts: &mut F,
        activation: &Activation,
    ) -> Result<Vec<(AccountId, Option<Instant>)>> {
        let Activation { tariff, from, .. } = activation;
        let (mut asking, mut after) = (Vec::new(), None);
        loop {
            let page = facts.rated_beyond(*from, after.as_ref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok(asking) };
            after = Some(last.clone());
            let accounts = facts.accounts(&page).await?;
            let plans = self.plans(facts, accounts.iter()).await?;
            let tariffs = self.tariffs_of(facts, &plans).await?;
            let mine = accounts.into_iter().filter(|one| may_ask(one, &plans, &tariffs, tariff));
            asking.extend(mine.map(|one| (one.settings.id, one.head.rated_until)));
        }
    }
}

/// Whether a plan that the account has had may ask a tariff; one that cannot be built here might.
fn may_ask(account: &AccountFacts, plans: &Plans, tariffs: &Tariffs, tariff: &TariffId) -> bool {
    account.assignments.iter().any(|assignment| match plans.get(&assignment.digest) {
        Some(Ok(plan)) => tariffs.asked_by(plan.tariffs()).contains(tariff),
        Some(Err(_)) | None => true,
    })
}
