//! The door: every use case begins a unit, loads facts, decides, applies and commits.

use std::{collections::BTreeMap, sync::Arc};

use billing_core::{
    account::AccountSettings,
    decide::{
        self, AccountFacts, AssignFacts, Batch, BillFacts, IngestError, IngestFacts, Limits,
        OpenDay, Parked, Plans, RunOutcome, Writes,
    },
    id::{AccountId, PlanId, SeriesId, TenantId},
    invoice::{Invoice, RunningBill},
    item::{CallEnded, ItemKey},
    plan::{Plan, PlanBook, PlanSpec},
    time::{Day, Instant},
    usage::DayTotal,
};

use crate::{
    answer::{Error, Outcome, Result, TakenIn},
    clock::Clock,
    plans::BuiltPlans,
    store::{Facts, Locks, Store, Unit},
};

/// A billing library at work: a store, a plan book and a clock. Cloning is cheap.
///
/// It spawns no task, reads no environment and keeps nothing but built plans; any number of them may share a store.
///
/// # Examples
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// use billing_core::{item::CallEnded, plan::PlanBook};
/// use billing_store::{Billing, MemoryStore, clock::SetClock};
///
/// let clock = SetClock::at("2026-10-31T12:00:00Z".parse()?);
/// let billing = Billing::new(MemoryStore::new(), PlanBook::standard(), clock);
/// let acme = billing.tenant("acme")?;
/// acme.save_plan(&serde_json::from_str(
///     r#"{"id":"basic","version":1,"currency":"EUR","payment":"postpaid",
///         "strategies":[{"id":"calls","kind":"flat_rate",
///                        "terms":{"per_minute":"0.02","minutes":"pro_rata"}}]}"#,
/// )?).await?;
/// acme.open_account(&serde_json::from_str(
///     r#"{"id":"alice","currency":"EUR","zone":"Europe/Berlin",
///         "anchor":{"from":"2026-10-01","months":1}}"#,
/// )?).await?;
/// let (alice, basic) = ("alice".parse()?, "basic".parse()?);
/// acme.assign(&alice, &basic, 1, "2026-10-01".parse()?).await?;
///
/// let call: CallEnded = serde_json::from_str(
///     r#"{"key":{"source":"pbx","id":"1"},"account":"alice",
///         "call":{"start":"2026-10-05T08:00:00Z","duration_ms":4500000,"caller":"","callee":"",
///                 "disposition":"answered","direction":"outbound"}}"#,
/// )?;
/// let taken = acme.calls_ended(&[call.clone(), call]).await?;
/// assert_eq!((taken.intake.recorded, taken.intake.replayed), (1, 1));
///
/// let bill = acme.bill(&alice, "2026-10-31T12:00:00Z".parse()?).await?;
/// assert_eq!(bill.open.expect("a period").taxed.total.to_string(), "1.5");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Billing {
    parts: Arc<Parts>,
}

#[derive(Debug)]
struct Parts {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    limits: Limits,
    plans: BuiltPlans,
}

/// How many accounts an invoice run settles in one transaction.
const RUN_ACCOUNTS: u32 = 100;

impl Billing {
    /// Puts a library together from its components.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::plan::PlanBook;
    /// use billing_store::{Billing, MemoryStore, clock::SystemClock};
    ///
    /// let billing = Billing::new(MemoryStore::new(), PlanBook::standard(), SystemClock);
    /// assert_eq!(billing.tenant("acme")?.id().as_str(), "acme");
    /// # Ok::<(), billing_store::Error>(())
    /// ```
    #[must_use]
    pub fn new(store: impl Store + 'static, book: PlanBook, clock: impl Clock + 'static) -> Self {
        Self::with_limits(Arc::new(store), book, Arc::new(clock), Limits::default())
    }

    /// Puts a library together from shared components and limits of your own.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// use std::sync::Arc;
    ///
    /// use billing_core::{decide::{IngestError, Limits}, item::CallEnded, plan::PlanBook};
    /// use billing_store::{Billing, Error, MemoryStore, clock::SystemClock};
    ///
    /// let (store, clock) = (Arc::new(MemoryStore::new()), Arc::new(SystemClock));
    /// let limits = Limits { batch_entries_max: 1, ..Limits::default() };
    /// let billing = Billing::with_limits(store, PlanBook::standard(), clock, limits);
    /// # let call: CallEnded = serde_json::from_str(
    /// #     r#"{"key":{"source":"pbx","id":"1"},"account":"alice",
    /// #         "call":{"start":"2026-10-05T08:00:00Z","duration_ms":4500000,"caller":"","callee":"",
    /// #                 "disposition":"answered","direction":"outbound"}}"#,
    /// # )?;
    /// let taken = billing.tenant("acme")?.calls_ended(&[call.clone(), call]).await;
    /// assert!(matches!(taken, Err(Error::Ingest(IngestError::TooLarge { entries: 2, max: 1 }))));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_limits(
        store: Arc<dyn Store>,
        book: PlanBook,
        clock: Arc<dyn Clock>,
        limits: Limits,
    ) -> Self {
        let plans = BuiltPlans::of(book);
        Self { parts: Arc::new(Parts { store, clock, limits, plans }) }
    }

    /// A handle on one tenant's billing; cheap, and nothing is looked up.
    ///
    /// # Errors
    ///
    /// [`Error::Id`] if the text is not 1 to 255 bytes without control characters.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::plan::PlanBook;
    /// use billing_store::{Billing, MemoryStore, clock::SystemClock};
    ///
    /// let billing = Billing::new(MemoryStore::new(), PlanBook::standard(), SystemClock);
    /// assert!(billing.tenant("acme").is_ok());
    /// assert!(billing.tenant("").is_err());
    /// ```
    pub fn tenant(&self, id: &str) -> Result<Tenant> {
        Ok(Tenant { parts: Arc::clone(&self.parts), id: TenantId::try_new(id)? })
    }
}

/// One tenant's billing. Every use case concerns one tenant, and every retry with the same ids is safe.
///
/// A use case and its twin `..._in` do the same; the twin works inside a unit the caller began and commits.
///
/// Any use case may answer [`Error::Store`], and names what else it answers. A twin refuses the unit of another tenant with
/// [`Error::OtherTenant`].
///
/// # Examples
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// use billing_core::decide::Batch;
/// use billing_store::store::{Locks, Store};
///
/// # use billing_core::{account::AccountSettings, id::SeriesId, item::CallEnded};
/// # use billing_core::plan::{PlanBook, PlanSpec};
/// # use billing_store::{Billing, MemoryStore, clock::SetClock};
/// # let store = MemoryStore::new();
/// # let clock = SetClock::at("2026-11-02T08:00:00Z".parse()?);
/// # let acme = Billing::new(store.clone(), PlanBook::standard(), clock).tenant("acme")?;
/// # let plan: PlanSpec = serde_json::from_str(
/// #     r#"{"id":"basic","version":1,"currency":"EUR","payment":"postpaid",
/// #         "strategies":[{"id":"calls","kind":"flat_rate",
/// #                        "terms":{"per_minute":"0.02","minutes":"pro_rata"}}]}"#,
/// # )?;
/// # let settings: AccountSettings = serde_json::from_str(
/// #     r#"{"id":"alice","currency":"EUR","zone":"UTC","anchor":{"from":"2026-10-01","months":1}}"#,
/// # )?;
/// # let call: CallEnded = serde_json::from_str(
/// #     r#"{"key":{"source":"pbx","id":"1"},"account":"alice",
/// #         "call":{"start":"2026-10-05T08:00:00Z","duration_ms":4500000,"caller":"","callee":"",
/// #                 "disposition":"answered","direction":"outbound"}}"#,
/// # )?;
/// # let (alice, series): (_, SeriesId) = (settings.id.clone(), "2026".parse()?);
/// // Everything in one transaction, which the host could also use for rows of its own.
/// let locks = Locks { catalog: true, ..Locks::accounts([alice.clone()]).and_series(series.clone()) };
/// let mut unit = store.begin(acme.id(), &locks).await?;
/// acme.save_plan_in(&mut *unit, &plan).await?;
/// acme.open_account_in(&mut *unit, &settings).await?;
/// acme.assign_in(&mut *unit, &alice, &plan.id, 1, "2026-10-01".parse()?).await?;
/// acme.ingest_in(&mut *unit, &Batch { label: "calls".into(), entries: vec![Ok(call.into())] }).await?;
/// let as_of = "2026-11-01T00:00:00Z".parse()?;
/// acme.issue_invoices_in(&mut *unit, &[alice.clone()], &series, as_of).await?;
/// unit.commit().await?;
/// assert_eq!(acme.invoices(&alice).await?.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Tenant {
    parts: Arc<Parts>,
    id: TenantId,
}

impl Tenant {
    /// The tenant's id.
    ///
    /// # Examples
    ///
    /// ```
    /// # use billing_core::plan::PlanBook;
    /// # use billing_store::{Billing, MemoryStore, clock::SystemClock};
    /// # let billing = Billing::new(MemoryStore::new(), PlanBook::standard(), SystemClock);
    /// assert_eq!(billing.tenant("acme")?.id().as_str(), "acme");
    /// # Ok::<(), billing_store::Error>(())
    /// ```
    #[must_use]
    pub const fn id(&self) -> &TenantId {
        &self.id
    }

    /// The kinds of strategy this process knows.
    ///
    /// # Examples
    ///
    /// ```
    /// # use billing_core::plan::PlanBook;
    /// # use billing_store::{Billing, MemoryStore, clock::SystemClock};
    /// # let billing = Billing::new(MemoryStore::new(), PlanBook::standard(), SystemClock);
    /// assert!(billing.tenant("acme")?.book().kinds().any(|kind| kind == "flat_rate"));
    /// # Ok::<(), billing_store::Error>(())
    /// ```
    #[must_use]
    pub fn book(&self) -> &PlanBook {
        self.parts.plans.book()
    }

    /// Reads one consistent state of the tenant.
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
    /// let mut facts = acme.read().await?;
    /// assert_eq!(facts.account_page(None, 10).await?, []);
    /// assert_eq!(facts.all_plans().await?, []);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn read(&self) -> Result<Box<dyn Facts>> {
        Ok(self.parts.store.read(&self.id).await?)
    }

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
    /// [`Error::BuildPlan`] if a kind is unknown or terms are wrong, [`Error::PlanDiffers`] if the version is taken.
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
        let _plan: Plan = self.parts.plans.book().build(spec.clone())?;
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
    /// [`Error::Assign`] if the currencies differ, another plan starts on that day, or days of the plan are rated or invoiced.
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
        let locks = Locks::accounts([account.clone()]);
        let mut unit = self.parts.store.begin(&self.id, &locks).await?;
        let outcome = self.assign_in(&mut *unit, account, plan, version, from).await?;
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
        self.expect_mine(unit)?;
        let facts = self.account(unit, account).await?;
        let saved = unit.plans(&[(plan.clone(), version)]).await?;
        let unknown = || Error::UnknownPlan { plan: plan.clone(), version };
        let plan = self.parts.plans.book().build(saved.into_iter().next().ok_or_else(unknown)?)?;
        let plans = self.plans(unit, core::iter::once(&facts)).await?;
        let next = facts.assignments.iter().map(|assignment| assignment.from);
        let used = unit.first_used(account, from, next.filter(|next| *next > from).min()).await?;
        let facts = AssignFacts { account: &facts, plan: &plan, plans: &plans, used };
        apply(unit, decide::assign(facts, from, self.parts.clock.now())?).await
    }

    /// Records calls that ended: whatever bus the host has calls this with what it received.
    ///
    /// # Errors
    ///
    /// [`Error::Ingest`] if there are more than a batch may have, or a journal is full. What is wrong with one call is in its
    /// receipt.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// use billing_core::decide::{ParkReason, Receipt};
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
    /// # acme.assign(&"alice".parse()?, &"basic".parse()?, 1, "2026-10-01".parse()?).await?;
    /// # let call: CallEnded = serde_json::from_str(
    /// #     r#"{"key":{"source":"pbx","id":"1"},"account":"alice",
    /// #         "call":{"start":"2026-10-05T08:00:00Z","duration_ms":4500000,"caller":"","callee":"",
    /// #                 "disposition":"answered","direction":"outbound"}}"#,
    /// # )?;
    /// let nobodys = CallEnded { account: None, ..call.clone() };
    /// assert_eq!(acme.calls_ended(&[call.clone()]).await?.intake.recorded, 1);
    /// assert_eq!(acme.calls_ended(&[call]).await?.intake.replayed, 1);
    /// let taken = acme.calls_ended(&[nobodys]).await?;
    /// assert!(matches!(taken.receipts[0], Receipt::Conflict { .. }), "its key is claimed");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn calls_ended(&self, calls: &[CallEnded]) -> Result<TakenIn> {
        let entries = calls.iter().map(|call| Ok(call.clone().into())).collect();
        self.ingest(&Batch { label: String::new(), entries }).await
    }

    /// Takes a batch in: items of any kind, and what a reader could not decode.
    ///
    /// # Errors
    ///
    /// As [`calls_ended`](Self::calls_ended).
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// use billing_core::decide::{Batch, Receipt, Refusal};
    ///
    /// # use billing_core::plan::PlanBook;
    /// # use billing_store::{Billing, MemoryStore, clock::SetClock};
    /// # let clock = SetClock::at("2026-11-02T08:00:00Z".parse()?);
    /// # let acme = Billing::new(MemoryStore::new(), PlanBook::standard(), clock).tenant("acme")?;
    /// let refusal = Refusal {
    ///     place: "line 1".into(),
    ///     reason: "no column `start`".into(),
    ///     raw: "1;alice;;61".into(),
    /// };
    /// let batch = Batch { label: "cdr.csv".into(), entries: vec![Err(refusal)] };
    /// let taken = acme.ingest(&batch).await?;
    /// assert_eq!(taken.receipts, [Receipt::Refused]);
    /// assert_eq!(acme.read().await?.refusals(&taken.intake.id).await?.len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn ingest(&self, batch: &Batch) -> Result<TakenIn> {
        self.parts.limits.check(batch)?;
        let locks = Locks::accounts(batch.accounts().into_iter().cloned());
        let mut unit = self.parts.store.begin(&self.id, &locks).await?;
        let taken = self.ingest_in(&mut *unit, batch).await?;
        unit.commit().await?;
        Ok(taken)
    }

    /// [`ingest`](Self::ingest) inside the caller's unit, which holds the accounts the batch names.
    ///
    /// # Errors
    ///
    /// As [`calls_ended`](Self::calls_ended).
    ///
    /// # Examples
    ///
    /// All twins in one unit: see [`Tenant`].
    pub async fn ingest_in(&self, unit: &mut dyn Unit, batch: &Batch) -> Result<TakenIn> {
        self.expect_mine(unit)?;
        self.parts.limits.check(batch)?;
        let keys: Vec<ItemKey> = batch.keys().into_iter().cloned().collect();
        let ids: Vec<AccountId> = batch.accounts().into_iter().cloned().collect();
        let accounts: BTreeMap<_, _> = by_id(unit.accounts(&ids).await?);
        let claims = unit.items(&keys).await?.into_iter().map(|item| item.claim);
        let claims = claims.map(|claim| (claim.key.clone(), claim)).collect();
        let parked = unit.parked(&keys).await?.into_iter();
        let parked = parked.map(|parked| (parked.incoming.key.clone(), parked)).collect();
        let plans = self.plans(unit, accounts.values()).await?;
        let touched: Vec<_> = decide::days_touched(batch, &accounts).into_iter().collect();
        let days = open_days(unit.day_totals(&touched).await?);
        let id = batch.id().map_err(IngestError::from)?;
        let intake = unit.intake(&id).await?;
        let facts = IngestFacts { accounts, plans, claims, parked, days, batch: id, intake };
        let ingested = decide::ingest(facts, batch, self.parts.limits, self.parts.clock.now())?;
        unit.apply(&ingested.writes).await?;
        Ok(TakenIn { receipts: ingested.receipts, intake: ingested.intake })
    }

    /// The running bill: drafts of the periods that ended without an invoice, and of the one that holds `at`.
    ///
    /// `at` picks the open period; what is recorded of that period counts, also if it is dated later than `at`. Its cost depends on the days with usage since the last invoice, never on the number of calls.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownAccount`], [`Error::Bill`] if a strategy fails, [`Error::Time`] if a period leaves the calendar.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
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
    /// # let alice = "alice".parse()?;
    /// # acme.assign(&alice, &"basic".parse()?, 1, "2026-10-01".parse()?).await?;
    /// # let call: CallEnded = serde_json::from_str(
    /// #     r#"{"key":{"source":"pbx","id":"1"},"account":"alice",
    /// #         "call":{"start":"2026-10-05T08:00:00Z","duration_ms":4500000,"caller":"","callee":"",
    /// #                 "disposition":"answered","direction":"outbound"}}"#,
    /// # )?;
    /// acme.calls_ended(&[call]).await?; // 75 minutes at 0.02, on 5 October
    /// let bill = acme.bill(&alice, "2026-11-02T08:00:00Z".parse()?).await?;
    /// assert_eq!(bill.ended[0].taxed.total.to_string(), "1.5");
    /// assert!(bill.open.expect("November").lines.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn bill(&self, account: &AccountId, at: Instant) -> Result<RunningBill> {
        let mut facts = self.parts.store.read(&self.id).await?;
        let account = self.account(&mut *facts, account).await?;
        let facts = self.bill_facts(&mut *facts, vec![account], at).await?;
        let mut bill = RunningBill::default();
        for facts in &facts {
            bill.ended = decide::bill(facts, at)?;
            bill.open = bill.ended.pop();
        }
        Ok(bill)
    }

    /// Issues the invoices of every account for every period that ended by `as_of`.
    ///
    /// Each account is answered: issued, already issued, nothing due, or held with its reason. Running it again, from anywhere
    /// and after any interruption, issues what is missing and nothing twice.
    ///
    /// # Errors
    ///
    /// [`Error::NotYet`] if `as_of` lies in the future, [`Error::Time`] if a period leaves the calendar. What else is wrong with one
    /// account is in its answer.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// use billing_core::{decide::RunOutcome, id::SeriesId};
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
    /// # let alice = "alice".parse()?;
    /// # acme.assign(&alice, &"basic".parse()?, 1, "2026-10-01".parse()?).await?;
    /// # let call: CallEnded = serde_json::from_str(
    /// #     r#"{"key":{"source":"pbx","id":"1"},"account":"alice",
    /// #         "call":{"start":"2026-10-05T08:00:00Z","duration_ms":4500000,"caller":"","callee":"",
    /// #                 "disposition":"answered","direction":"outbound"}}"#,
    /// # )?;
    /// acme.calls_ended(&[call]).await?; // 75 minutes at 0.02, on 5 October
    /// let (series, as_of): (SeriesId, _) = ("2026".parse()?, "2026-11-01T00:00:00Z".parse()?);
    /// let run = acme.issue_invoices(&series, as_of).await?;
    /// let RunOutcome::Issued(invoices) = &run[0].1 else { panic!("not issued") };
    /// assert_eq!(invoices[0].total.to_string(), "1.50 EUR");
    ///
    /// let run = acme.issue_invoices(&series, as_of).await?;
    /// assert_eq!(run, [(alice.clone(), RunOutcome::AlreadyIssued)]);
    /// assert_eq!(acme.invoice(&series, 1).await?, acme.invoices(&alice).await?.pop());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn issue_invoices(
        &self,
        series: &SeriesId,
        as_of: Instant,
    ) -> Result<Vec<(AccountId, RunOutcome)>> {
        self.check_clock(as_of)?;
        let mut answers: Vec<(AccountId, RunOutcome)> = Vec::new();
        let mut after: Option<AccountId> = None;
        loop {
            let page = self.read().await?.account_page(after.as_ref(), RUN_ACCOUNTS).await?;
            let Some(last) = page.last() else { return Ok(answers) };
            after = Some(last.clone());
            let locks = Locks::accounts(page.iter().cloned()).and_series(series.clone());
            let mut unit = self.parts.store.begin(&self.id, &locks).await?;
            let answered = self.issue_invoices_in(&mut *unit, &page, series, as_of).await?;
            unit.commit().await?;
            answers.extend(answered);
        }
    }

    /// Issues invoices for some accounts inside the caller's unit, which holds them and the series.
    ///
    /// # Errors
    ///
    /// As [`issue_invoices`](Self::issue_invoices), and [`Error::UnknownAccount`].
    ///
    /// # Examples
    ///
    /// All twins in one unit: see [`Tenant`].
    pub async fn issue_invoices_in(
        &self,
        unit: &mut dyn Unit,
        accounts: &[AccountId],
        series: &SeriesId,
        as_of: Instant,
    ) -> Result<Vec<(AccountId, RunOutcome)>> {
        self.expect_mine(unit)?;
        let now = self.check_clock(as_of)?;
        let ids = accounts;
        let mut accounts = unit.accounts(ids).await?;
        let unknown = |id: &&AccountId| !accounts.iter().any(|facts| facts.settings.id == **id);
        if let Some(account) = ids.iter().find(unknown).cloned() {
            return Err(Error::UnknownAccount { account });
        }
        // Numbers are given in order of the accounts' ids, whatever order the store answers in.
        accounts.sort_by(|one, two| one.settings.id.cmp(&two.settings.id));
        let all = unit.all_series().await?;
        let mut last = all.iter().find(|(id, _)| id == series).map_or(0, |(_, last)| *last);
        let (mut answers, mut writes) = (Vec::new(), Writes::default());
        for facts in self.bill_facts(unit, accounts, as_of).await? {
            let outcome = match decide::issue(&facts, as_of, series, last, now) {
                Err(error) => RunOutcome::Held(error),
                Ok((invoices, _)) if invoices.is_empty() => nothing_issued(&facts, as_of)?,
                Ok((invoices, issued)) => {
                    last = invoices.last().map_or(last, |invoice| invoice.number);
                    extend(&mut writes, issued);
                    RunOutcome::Issued(invoices.iter().map(Invoice::summary).collect())
                }
            };
            answers.push((facts.account.settings.id, outcome));
        }
        if !writes.invoices.is_empty() {
            writes.series = Some((series.clone(), last));
            unit.apply(&writes).await?;
        }
        Ok(answers)
    }

    /// An account's invoices, oldest first.
    ///
    /// Empty for an account that is not there.
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
    /// assert_eq!(acme.invoices(&"alice".parse()?).await?, []);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn invoices(&self, account: &AccountId) -> Result<Vec<Invoice>> {
        Ok(self.read().await?.invoices_of(account).await?)
    }

    /// One invoice by its number.
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
    /// assert_eq!(acme.invoice(&"2026".parse()?, 1).await?, None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn invoice(&self, series: &SeriesId, number: u64) -> Result<Option<Invoice>> {
        Ok(self.read().await?.invoice(series, number).await?)
    }

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

    /// A handle works on its own tenant's units alone.
    fn expect_mine(&self, unit: &dyn Unit) -> Result<()> {
        if unit.tenant() == &self.id {
            return Ok(());
        }
        let (handle, unit) = (self.id.clone(), unit.tenant().clone());
        Err(Error::OtherTenant { handle, unit })
    }

    /// The time, if `as_of` has come.
    fn check_clock(&self, as_of: Instant) -> Result<Instant> {
        let now = self.parts.clock.now();
        if as_of > now { Err(Error::NotYet { as_of, now }) } else { Ok(now) }
    }

    async fn account<F: Facts + ?Sized>(
        &self,
        facts: &mut F,
        account: &AccountId,
    ) -> Result<AccountFacts> {
        let found = facts.accounts(core::slice::from_ref(account)).await?;
        let unknown = || Error::UnknownAccount { account: account.clone() };
        found.into_iter().next().ok_or_else(unknown)
    }

    /// What must be known to bill accounts up to `at`, in four statements for any number of accounts.
    async fn bill_facts<F: Facts + ?Sized>(
        &self,
        facts: &mut F,
        accounts: Vec<AccountFacts>,
        at: Instant,
    ) -> Result<Vec<BillFacts>> {
        let ids: Vec<AccountId> = accounts.iter().map(|facts| facts.settings.id.clone()).collect();
        let plans = self.plans(facts, accounts.iter()).await?;
        let mut unbilled: BTreeMap<AccountId, Vec<DayTotal>> = BTreeMap::new();
        for total in facts.unbilled(&ids).await? {
            unbilled.entry(total.key.account.clone()).or_default().push(total);
        }
        let mut scopes = Vec::new();
        for account in &accounts {
            let id = &account.settings.id;
            let totals = unbilled.get(id).map_or(&[][..], Vec::as_slice);
            let touched = decide::scopes_touched(account, totals, at)?;
            scopes.extend(touched.into_iter().map(|scope| (id.clone(), scope)));
        }
        let mut carries: BTreeMap<AccountId, BTreeMap<_, _>> = BTreeMap::new();
        for carry in facts.carries(&scopes).await? {
            let of_account = carries.entry(carry.key.account.clone()).or_default();
            let _none: Option<_> = of_account.insert(carry.key, carry.carry);
        }
        let bill_facts = |account: AccountFacts| {
            let id = account.settings.id.clone();
            BillFacts {
                account,
                plans: plans.clone(),
                unbilled: unbilled.remove(&id).unwrap_or_default(),
                carries: carries.remove(&id).unwrap_or_default(),
            }
        };
        Ok(accounts.into_iter().map(bill_facts).collect())
    }

    /// The plans of the accounts' assignments.
    pub(crate) async fn plans<F: Facts + ?Sized>(
        &self,
        facts: &mut F,
        accounts: impl Iterator<Item = &AccountFacts> + Send,
    ) -> Result<Plans> {
        Ok(self.parts.plans.load(facts, accounts).await?)
    }
}

async fn apply(unit: &mut dyn Unit, writes: Option<Writes>) -> Result<Outcome> {
    match writes {
        None => Ok(Outcome::Replay),
        Some(writes) => {
            unit.apply(&writes).await?;
            Ok(Outcome::New)
        }
    }
}

fn by_id(accounts: Vec<AccountFacts>) -> BTreeMap<AccountId, AccountFacts> {
    accounts.into_iter().map(|facts| (facts.settings.id.clone(), facts)).collect()
}

fn open_days(totals: Vec<DayTotal>) -> BTreeMap<(AccountId, Day), OpenDay> {
    let mut days: BTreeMap<_, Vec<DayTotal>> = BTreeMap::new();
    for total in totals {
        days.entry((total.key.account.clone(), total.key.day)).or_default().push(total);
    }
    days.into_iter().map(|(day, totals)| (day, OpenDay::of(totals))).collect()
}

fn nothing_issued(facts: &BillFacts, as_of: Instant) -> Result<RunOutcome> {
    Ok(if decide::is_invoiced(&facts.account, as_of)? {
        RunOutcome::AlreadyIssued
    } else {
        RunOutcome::NothingDue
    })
}

/// Adds one account's invoices to the writes of the others; the rest of the writes stays empty in a run.
fn extend(writes: &mut Writes, issued: Writes) {
    let Writes { heads, events, totals, carries, invoices, .. } = issued;
    writes.heads.extend(heads);
    writes.events.extend(events);
    writes.totals.extend(totals);
    writes.carries.extend(carries);
    writes.invoices.extend(invoices);
}
