//! The door: every use case begins a unit, loads facts, decides, applies and commits.

mod catalog;
mod correcting;
mod corrections;
mod erase;
mod history;
mod invoices;
mod items;
mod outbox;
mod parked;
mod settlements;
mod tariffs;

pub use erase::Erased;
pub use parked::{NotBilled, Waiting};

use std::sync::Arc;

use billing_core::{
    decide::{AccountFacts, Limits, Plans},
    id::{AccountId, TenantId},
    plan::PlanBook,
    time::Instant,
};

use crate::{
    answer::{Error, Result},
    clock::Clock,
    plans::BuiltPlans,
    store::{Facts, Locks, Store, Transaction, Unit},
    tariffs::BuiltTariffs,
};

/// A billing library at work: a store, a plan book and a clock. Cloning is cheap.
///
/// It spawns no task, reads no environment and keeps nothing but built plans and tariffs; any number of them may share a store.
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
    tariffs: BuiltTariffs,
}

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
        let tariffs = BuiltTariffs::default();
        Self { parts: Arc::new(Parts { store, clock, limits, plans, tariffs }) }
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
/// # let retail: billing_core::tariff::TariffSpec = serde_json::from_str(
/// #     r#"{"id":"retail","version":1,"currency":"EUR","zone":"UTC","decimals":4,"rounding":"half_up",
/// #         "lines":[{"destination":"anywhere","to":"any",
/// #                   "bands":[{"price":"0.02","per":"60","increment":"60"}]}]}"#,
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
/// acme.save_tariff_in(&mut *unit, &retail).await?;
/// acme.activate_tariff_in(&mut *unit, &retail.id, 1, "2026-10-01T00:00:00Z".parse()?).await?;
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

    /// Begins a unit of work on the tenant that holds `locks`, for several use cases in one transaction.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// use billing_store::store::Locks;
    ///
    /// # use billing_core::plan::PlanBook;
    /// # use billing_store::{Billing, MemoryStore, clock::SetClock};
    /// # let clock = SetClock::at("2026-11-02T08:00:00Z".parse()?);
    /// # let acme = Billing::new(MemoryStore::new(), PlanBook::standard(), clock).tenant("acme")?;
    /// let alice = serde_json::from_str(
    ///     r#"{"id":"alice","currency":"EUR","zone":"UTC","anchor":{"from":"2026-10-01","months":1}}"#,
    /// )?;
    /// let mut unit = acme.begin(&Locks::catalog()).await?;
    /// acme.open_account_in(&mut *unit, &alice).await?;
    /// drop(unit); // not committed
    /// assert_eq!(acme.read().await?.account_page(None, 10).await?, []);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn begin(&self, locks: &Locks) -> Result<Box<dyn Transaction>> {
        Ok(self.parts.store.begin(&self.id, locks).await?)
    }

    /// The time, as the library's clock tells it.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::plan::PlanBook;
    /// use billing_store::{Billing, MemoryStore, clock::SetClock};
    ///
    /// let now = "2026-11-02T08:00:00Z".parse()?;
    /// let billing = Billing::new(MemoryStore::new(), PlanBook::standard(), SetClock::at(now));
    /// assert_eq!(billing.tenant("acme")?.now(), now);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn now(&self) -> Instant {
        self.parts.clock.now()
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

    /// The plans of the accounts' assignments.
    pub(crate) async fn plans<F: Facts + ?Sized>(
        &self,
        facts: &mut F,
        accounts: impl Iterator<Item = &AccountFacts> + Send,
    ) -> Result<Plans> {
        Ok(self.parts.plans.load(facts, accounts).await?)
    }
}
