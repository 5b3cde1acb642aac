//! Accounts, plans and which account has which plan from when on.

use billing_core::{
    account::AccountSettings,
    decide::{self, AssignFacts, Writes},
    id::{AccountId, PlanId},
    plan::{Plan, PlanSpec},
    terms::Overrides,
    time::Day,
};

use crate::{
    answer::{Error, Outcome, Result},
    billing::Tenant,
    store::{Locks, Unit},
};

impl Tenant {
    /// Opens an account; opening it again with the same settings is a replay.
    ///
    /// # Errors
    ///
    /// [`Error::OpenAccount`] if it is open with other settings.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// use billing_core::account::AccountSettings;
    /// use billing_store::{Error, Outcome};
    ///
    /// # use billing_core::plan::PlanBook;
    /// # use billing_store::{Billing, MemoryStore, clock::SetClock};
    /// # let clock = SetClock::at("2026-11-02T08:00:00Z".parse()?);
    /// # let acme = Billing::new(MemoryStore::new(), PlanBook::standard(), clock).tenant("acme")?;
    /// # let settings: AccountSettings = serde_json::from_str(
    /// #     r#"{"id":"alice","currency":"EUR","zone":"UTC","anchor":{"from":"2026-10-01","months":1}}"#,
    /// # )?;
    /// assert_eq!(acme.open_account(&settings).await?, Outcome::New);
    /// assert_eq!(acme.open_account(&settings).await?, Outcome::Replay);
    ///
    /// let other = AccountSettings { currency: "USD".parse()?, ..settings };
    /// assert!(matches!(acme.open_account(&other).await, Err(Error::OpenAccount(_))));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn open_account(&self, settings: &AccountSettings) -> Result<Outcome> {
        let mut locks = Locks::catalog();
        let _new: bool = locks.accounts.insert(settings.id.clone());
        let mut unit = self.parts.store.begin(&self.id, &locks).await?;
        let outcome = self.open_account_in(&mut *unit, settings).await?;
        unit.commit().await?;
        Ok(outcome)
    }

    /// [`open_account`](Self::open_account) inside the caller's unit, which holds the account and the catalog.
    ///
    /// # Errors
    ///
    /// [`Error::OpenAccount`] if it is open with other settings.
    ///
    /// # Examples
    ///
    /// All twins in one unit: see [`Tenant`].
    pub async fn open_account_in(
        &self,
        unit: &mut dyn Unit,
        settings: &AccountSettings,
    ) -> Result<Outcome> {
        self.expect_mine(unit)?;
        let existing = unit.accounts(core::slice::from_ref(&settings.id)).await?;
        let writes = decide::open_account(existing.first(), settings, self.parts.clock.now())?;
        apply(unit, writes).await
    }

    /// Saves a version of a plan; saving it again with the same content is a replay.
    ///
    /// # Errors
    ///
    /// [`Error::BuildPlan`] if a kind is unknown or terms are wrong, [`Error::PlanDiffers`] if the version is taken, [`Error::Tariff`]
    /// if a tariff that it asks is saved in another currency.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// use billing_core::plan::PlanSpec;
    /// use billing_store::{Error, Outcome};
    ///
    /// # use billing_core::plan::PlanBook;
    /// # use billing_store::{Billing, MemoryStore, clock::SetClock};
    /// # let clock = SetClock::at("2026-11-02T08:00:00Z".parse()?);
    /// # let acme = Billing::new(MemoryStore::new(), PlanBook::standard(), clock).tenant("acme")?;
    /// # let plan: PlanSpec = serde_json::from_str(
    /// #     r#"{"id":"basic","version":1,"currency":"EUR","payment":"postpaid",
    /// #         "strategies":[{"id":"calls","kind":"flat_rate",
    /// #                        "terms":{"per_minute":"0.02","minutes":"pro_rata"}}]}"#,
    /// # )?;
    /// assert_eq!(acme.save_plan(&plan).await?, Outcome::New);
    /// assert_eq!(acme.save_plan(&plan).await?, Outcome::Replay);
    ///
    /// let other = PlanSpec { currency: "USD".parse()?, ..plan };
    /// assert!(matches!(acme.save_plan(&other).await, Err(Error::PlanDiffers { version: 1, .. })));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn save_plan(&self, spec: &PlanSpec) -> Result<Outcome> {
        let mut unit = self.parts.store.begin(&self.id, &Locks::catalog()).await?;
        let outcome = self.save_plan_in(&mut *unit, spec).await?;
        unit.commit().await?;
        Ok(outcome)
    }

    /// [`save_plan`](Self::save_plan) inside the caller's unit, which holds the catalog.
    ///
    /// # Errors
    ///
    /// As [`save_plan`](Self::save_plan).
    ///
    /// # Examples
    ///
    /// All twins in one unit: see [`Tenant`].
    pub async fn save_plan_in(&self, unit: &mut dyn Unit, spec: &PlanSpec) -> Result<Outcome> {
        self.expect_mine(unit)?;
        let plan: Plan = self.parts.plans.book().build(spec.clone())?;
        self.check_tariffs(unit, &plan).await?;
        let saved = unit.plans(&[(spec.id.clone(), spec.version)]).await?;
        let writes = match saved.first() {
            None => Some(Writes { plans: vec![spec.clone()], ..Writes::default() }),
            Some(saved) if saved == spec => None,
            Some(_) => {
                let (plan, version) = (spec.id.clone(), spec.version);
                return Err(Error::PlanDiffers { plan, version });
            }
        };
        apply(unit, writes).await
    }

    /// Gives an account a plan from a local day on; doing it again is a replay.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownAccount`], [`Error::UnknownPlan`], [`Error::BuildPlan`] if this process cannot build the plan,
    /// [`Error::Assign`] if the currencies differ, another plan starts on that day, or days of the plan are rated or invoiced,
    /// [`Error::Tariff`] if a tariff that it asks is saved in another currency.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// use billing_store::{Error, Outcome};
    ///
    /// # use billing_core::plan::PlanBook;
    /// # use billing_store::{Billing, MemoryStore, clock::SetClock};
    /// # let clock = SetClock::at("2026-11-02T08:00:00Z".parse()?);
    /// # let acme = Billing::new(MemoryStore::new(), PlanBook::standard(), clock).tenant("acme")?;
    /// # use billing_core::{account::AccountSettings, item::CallEnded, plan::PlanSpec};
    /// # let plan: PlanSpec = serde_json::from_str(
    /// #     r#"{"id":"basic","version":1,"currency":"EUR","payment":"postpaid",
    /// #         "strategies":[{"id":"calls","kind":"flat_rate",
    /// #                        "terms":{"per_minute":"0.02","minutes":"pro_rata"}}]}"#,
    /// # )?;
    /// # let settings: AccountSettings = serde_json::from_str(
    /// #     r#"{"id":"alice","currency":"EUR","zone":"UTC","anchor":{"from":"2026-10-01","months":1}}"#,
    /// # )?;
    /// # acme.save_plan(&plan).await?;
    /// # acme.open_account(&settings).await?;
    /// let (alice, basic, from) = ("alice".parse()?, "basic".parse()?, "2026-10-01".parse()?);
    /// assert_eq!(acme.assign(&alice, &basic, 1, from).await?, Outcome::New);
    /// assert_eq!(acme.assign(&alice, &basic, 1, from).await?, Outcome::Replay);
    ///
    /// let unknown = acme.assign(&alice, &basic, 2, from).await;
    /// assert!(matches!(unknown, Err(Error::UnknownPlan { version: 2, .. })));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn assign(
        &self,
        account: &AccountId,
        plan: &PlanId,
        version: u32,
        from: Day,
    ) -> Result<Outcome> {
        self.assign_with(account, plan, version, from, &Overrides::none()).await
    }

    /// Gives an account a plan from a local day on, with terms of its own in place of some of the plan's.
    ///
    /// # Errors
    ///
    /// As [`assign`](Self::assign), and [`Error::Overrides`] if the plan has no strategy that the terms are for.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// use billing_core::terms::Overrides;
    /// use billing_store::{Error, Outcome};
    ///
    /// # use billing_core::plan::PlanBook;
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
    /// # let (alice, basic, from) = ("alice".parse()?, "basic".parse()?, "2026-10-01".parse()?);
    /// let own: Overrides = serde_json::from_str(r#"{"calls":{"per_minute":"0.015"}}"#)?;
    /// assert_eq!(acme.assign_with(&alice, &basic, 1, from, &own).await?, Outcome::New);
    ///
    /// let nobodys: Overrides = serde_json::from_str(r#"{"texts":{"per_unit":"0.01"}}"#)?;
    /// let refused = acme.assign_with(&alice, &basic, 1, "2026-12-01".parse()?, &nobodys).await;
    /// assert!(matches!(refused, Err(Error::Overrides(_))));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn assign_with(
        &self,
        account: &AccountId,
        plan: &PlanId,
        version: u32,
        from: Day,
        overrides: &Overrides,
    ) -> Result<Outcome> {
        let locks = Locks::accounts([account.clone()]);
        let mut unit = self.parts.store.begin(&self.id, &locks).await?;
        let outcome =
            self.assign_with_in(&mut *unit, account, plan, version, from, overrides).await?;
        unit.commit().await?;
        Ok(outcome)
    }

    /// [`assign`](Self::assign) inside the caller's unit, which holds the account.
    ///
    /// # Errors
    ///
    /// As [`assign`](Self::assign).
    ///
    /// # Examples
    ///
    /// All twins in one unit: see [`Tenant`].
    pub async fn assign_in(
        &self,
        unit: &mut dyn Unit,
        account: &AccountId,
        plan: &PlanId,
        version: u32,
        from: Day,
    ) -> Result<Outcome> {
        self.assign_with_in(unit, account, plan, version, from, &Overrides::none()).await
    }

    /// [`assign_with`](Self::assign_with) within a unit that locks the account.
    ///
    /// # Errors
    ///
    /// As [`assign_with`](Self::assign_with), and [`Error::OtherTenant`].
    ///
    /// # Examples
    ///
    /// See [`Tenant`].
    pub async fn assign_with_in(
        &self,
        unit: &mut dyn Unit,
        account: &AccountId,
        plan: &PlanId,
        version: u32,
        from: Day,
        overrides: &Overrides,
    ) -> Result<Outcome> {
        self.expect_mine(unit)?;
        let assigning = Assigning { account, plan, version, from, overrides };
        let writes = self.assigning(unit, assigning, OnUsed::Refuse).await?;
        apply(unit, writes).await
    }
}

impl Tenant {
    /// Decides that an account has a plan from a local day on.
    pub(super) async fn assigning(
        &self,
        unit: &mut dyn Unit,
        assigning: Assigning<'_>,
        on_used: OnUsed,
    ) -> Result<Option<Writes>> {
        let Assigning { account, plan, version, from, overrides } = assigning;
        let facts = self.account(unit, account).await?;
        let saved = unit.plans(&[(plan.clone(), version)]).await?;
        let unknown = || Error::UnknownPlan { plan: plan.clone(), version };
        let own = saved.first().ok_or_else(unknown)?.with(overrides)?;
        let plan = self.parts.plans.book().build(own)?;
        self.check_tariffs(unit, &plan).await?;
        let plans = self.plans(unit, core::iter::once(&facts)).await?;
        let next = facts.assignments.iter().map(|assignment| assignment.from);
        let next = next.filter(|next| *next > from).min();
        let used = match on_used {
            OnUsed::Refuse => unit.first_used(account, from, next).await?,
            OnUsed::RateAnew => None,
        };
        let facts = AssignFacts { account: &facts, plan: &plan, overrides, plans: &plans, used };
        Ok(decide::assign(facts, from, self.parts.clock.now())?)
    }

    /// The tariffs that a plan asks are in its currency, as far as they are saved.
    async fn check_tariffs(&self, unit: &mut dyn Unit, plan: &Plan) -> Result<()> {
        if plan.tariffs().next().is_none() {
            return Ok(());
        }
        let (catalog, currency) = (unit.tariff_catalog().await?, plan.spec().currency);
        plan.tariffs().try_for_each(|id| decide::check_currency(&catalog, id, currency))?;
        Ok(())
    }
}

/// Which plan an account is to have, and from when on.
#[derive(Clone, Copy)]
pub(super) struct Assigning<'a> {
    pub(super) account: &'a AccountId,
    pub(super) plan: &'a PlanId,
    pub(super) version: u32,
    pub(super) from: Day,
    pub(super) overrides: &'a Overrides,
}

/// What becomes of usage that was rated under another plan.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum OnUsed {
    /// The plan cannot start.
    Refuse,
    /// The caller rates it anew.
    RateAnew,
}

pub(super) async fn apply(unit: &mut dyn Unit, writes: Option<Writes>) -> Result<Outcome> {
    match writes {
        None => Ok(Outcome::Replay),
        Some(writes) => {
            unit.apply(&writes).await?;
            Ok(Outcome::New)
        }
    }
}
