//! The ports: what a decision may ask of a store, and how what it decided is kept.

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;

use billing_core::{
    correction::RecordedCorrection,
    decide::{AccountFacts, CarryMove, Dropped, Intake, Parked, Refusal, StoredItem, Writes},
    digest::Digest,
    event::{JournalEntry, Posting},
    id::{AccountId, CorrectionId, CustomerId, IntakeId, PlanId, SeriesId, TariffId, TenantId},
    invoice::{Invoice, InvoiceMark},
    item::ItemKey,
    money::Amount,
    plan::PlanSpec,
    settlement::Settlement,
    tariff::{Catalog, TariffSpec},
    time::{Day, Instant},
    usage::{DayTotal, ScopeKey, TotalKey},
};

use crate::{
    error::StoreResult,
    outbox::{Epochs, OutboxFacts},
};

/// What a unit of work locks, all at once and before it reads.
///
/// Stores take locks in one order (accounts as bytes, then series, then the catalog), so that two units never wait for each
/// other in a ring.
///
/// # Examples
///
/// ```
/// use billing_store::store::Locks;
///
/// // What opening an account and invoicing it in one unit would lock.
/// let alice = Locks::accounts(["alice".parse()?]);
/// let locks = Locks { catalog: true, ..alice.and_series("2026".parse()?) };
/// assert_eq!((locks.accounts.len(), locks.series.len(), locks.catalog), (1, 1, true));
/// # Ok::<(), billing_core::id::InvalidId>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Locks {
    /// Accounts whose journals may grow.
    pub accounts: BTreeSet<AccountId>,
    /// Series whose numbers may be drawn.
    pub series: BTreeSet<SeriesId>,
    /// Whether plans, tariffs or accounts may be added, or tariffs come into force.
    pub catalog: bool,
}

impl Locks {
    /// Locks accounts.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_store::store::Locks;
    ///
    /// let locks = Locks::accounts(["bob".parse()?, "alice".parse()?]);
    /// assert_eq!(locks.accounts.first(), Some(&"alice".parse()?));
    /// # Ok::<(), billing_core::id::InvalidId>(())
    /// ```
    #[must_use]
    pub fn accounts(accounts: impl IntoIterator<Item = AccountId>) -> Self {
        Self { accounts: accounts.into_iter().collect(), ..Self::default() }
    }

    /// Locks the catalog of plans, tariffs and accounts.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_store::store::Locks;
    ///
    /// assert!(Locks::catalog().accounts.is_empty());
    /// ```
    #[must_use]
    pub fn catalog() -> Self {
        Self { catalog: true, ..Self::default() }
    }

    /// Locks a series too.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_store::store::Locks;
    ///
    /// assert_eq!(Locks::default().and_series("2026".parse()?).series.len(), 1);
    /// # Ok::<(), billing_core::id::InvalidId>(())
    /// ```
    #[must_use]
    pub fn and_series(mut self, series: SeriesId) -> Self {
        let _new: bool = self.series.insert(series);
        self
    }
}

/// In which line of which invoice a revision of a day total is, and with what share.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BilledPart {
    /// The day total.
    pub key: TotalKey,
    /// The invoice's series.
    pub series: SeriesId,
    /// The invoice's number.
    pub number: u64,
    /// The line's place on the invoice, from 0.
    pub line: u64,
    /// The share.
    pub share: Amount,
    /// Whether the invoice was made void.
    pub void: bool,
}

impl BilledPart {
    /// The parts of an invoice, in its order.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::invoice::{Draft, Invoice};
    /// use billing_store::store::BilledPart;
    ///
    /// # let draft: Draft = serde_json::from_str(
    /// #     r#"{"account":"alice","period":{"start":"2026-10-01","end":"2026-11-01"},
    /// #         "start":"2026-10-01T00:00:00Z","end":"2026-11-01T00:00:00Z","zone":"UTC",
    /// #         "zone_data":"2026a","currency":"EUR","decimals":2,
    /// #         "lines":[{"stretch":{"period":{"start":"2026-10-01","end":"2026-11-01"},
    /// #                              "start":"2026-10-01","end":"2026-11-01","assignment":1},
    /// #                   "plan":"basic","version":1,"strategy":"calls","group":"calls","unit":"ms",
    /// #                   "count":1,"quantity":"4500000","text":"at 0.02 a minute, pro rata",
    /// #                   "exact":"1.5","scope":"stretch:2026-10-01:1","amount":"1.5",
    /// #                   "parts":[{"day":"2026-10-05","revision":1,"share":"1.5"}]}],
    /// #         "taxed":{"net":"1.5","taxes":[],"total":"1.5"}}"#,
    /// # )?;
    /// # let (series, issued_at) = ("2026".parse()?, "2026-11-01T08:00:00Z".parse()?);
    /// let invoice = Invoice { series, number: 7, issued_at, draft };
    /// let parts: Vec<_> = BilledPart::of(&invoice).collect();
    /// assert_eq!((parts.len(), parts[0].number, parts[0].line), (1, 7, 0));
    /// assert_eq!(parts[0].share, invoice.draft.lines[0].amount);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn of(invoice: &Invoice) -> impl Iterator<Item = Self> + use<'_> {
        let lines = (0_u64..).zip(&invoice.draft.lines);
        let parts = lines
            .flat_map(|(number, line)| line.parts.iter().map(move |part| (number, part.share)));
        invoice.part_keys().zip(parts).map(|(key, (line, share))| Self {
            key,
            series: invoice.series.clone(),
            number: invoice.number,
            line,
            share,
            void: false,
        })
    }
}

/// Which part of an account's history is asked for.
///
/// # Examples
///
/// ```
/// use billing_store::store::HistoryPage;
///
/// let october = HistoryPage {
///     from: "2026-10-01T00:00:00Z".parse()?,
///     until: "2026-11-01T00:00:00Z".parse()?,
///     kind: Some("call"),
///     after: None,
///     limit: 100,
/// };
/// assert!(october.from < october.until);
/// # Ok::<(), billing_core::time::TimeError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct HistoryPage<'a> {
    /// From this instant on.
    pub from: Instant,
    /// Before this instant.
    pub until: Instant,
    /// Items of one kind, by its name; all if `None`.
    pub kind: Option<&'a str>,
    /// After the item of this instant and key.
    pub after: Option<(Instant, &'a ItemKey)>,
    /// At most so many.
    pub limit: u32,
}

/// What a decision may ask, always about one tenant, in batches.
///
/// Answers leave out what does not exist, answer a key named twice once, and are in no promised order unless stated. A page is
/// shorter than asked for only at the end. A unit sees its own writes.
///
/// # Errors
///
/// Every answer may be a [`StoreError`](crate::StoreError): [`Transient`](crate::StoreError::Transient) if it is worth another
/// try, [`Corrupt`](crate::StoreError::Corrupt) if a row cannot be understood.
///
/// # Examples
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// use billing_core::id::TenantId;
/// use billing_store::{MemoryStore, store::Store};
///
/// let store = MemoryStore::new();
/// let mut facts = store.read(&TenantId::try_new("acme")?).await?;
/// assert_eq!(facts.accounts(&["alice".parse()?]).await?, []);
/// assert_eq!(facts.invoice(&"2026".parse()?, 1).await?, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[async_trait]
pub trait Facts: OutboxFacts {
    /// The tenant that is asked about.
    fn tenant(&self) -> &TenantId;

    /// Accounts by id.
    async fn accounts(&mut self, ids: &[AccountId]) -> StoreResult<Vec<AccountFacts>>;

    /// Ids of accounts in byte order, after one of them.
    async fn account_page(
        &mut self,
        after: Option<&AccountId>,
        limit: u32,
    ) -> StoreResult<Vec<AccountId>>;

    /// Ids of the accounts of a customer, in byte order.
    async fn accounts_of(&mut self, customer: &CustomerId) -> StoreResult<Vec<AccountId>>;

    /// Ids of accounts that have day totals in no settlement, in byte order, after one of them.
    async fn unhanded_accounts(
        &mut self,
        after: Option<&AccountId>,
        limit: u32,
    ) -> StoreResult<Vec<AccountId>>;

    /// Claimed items by key, with all other records of the same usage.
    async fn items(&mut self, keys: &[ItemKey]) -> StoreResult<Vec<StoredItem>>;

    /// An account's claimed items in order of their instant and key, after one of them.
    async fn history(
        &mut self,
        account: &AccountId,
        of: &HistoryPage<'_>,
    ) -> StoreResult<Vec<StoredItem>>;

    /// An account's claimed items that a correction gave other content, in order of their keys as bytes, after one of them.
    async fn amended(
        &mut self,
        account: &AccountId,
        after: Option<&ItemKey>,
        limit: u32,
    ) -> StoreResult<Vec<StoredItem>>;

    /// Corrections by their ids.
    async fn corrections(&mut self, ids: &[CorrectionId]) -> StoreResult<Vec<RecordedCorrection>>;

    /// Corrections in order of their ids as bytes, after one of them.
    async fn correction_page(
        &mut self,
        after: Option<&CorrectionId>,
        limit: u32,
    ) -> StoreResult<Vec<RecordedCorrection>>;

    /// Claimed items in order of (source, id, leg, partial) as bytes, after one of them.
    async fn item_page(
        &mut self,
        after: Option<&ItemKey>,
        limit: u32,
    ) -> StoreResult<Vec<StoredItem>>;

    /// Parked items by key.
    async fn parked(&mut self, keys: &[ItemKey]) -> StoreResult<Vec<Parked>>;

    /// Parked items in order of (source, id, leg, partial) as bytes, after one of them.
    async fn parked_page(
        &mut self,
        after: Option<&ItemKey>,
        limit: u32,
    ) -> StoreResult<Vec<Parked>>;

    /// Dropped items in order of when that was and of (source, id, leg, partial) as bytes, after one of them.
    async fn dropped_page(
        &mut self,
        after: Option<(Instant, &ItemKey)>,
        limit: u32,
    ) -> StoreResult<Vec<Dropped>>;

    /// Day totals of all revisions, by account and day.
    async fn day_totals(&mut self, days: &[(AccountId, Day)]) -> StoreResult<Vec<DayTotal>>;

    /// Day totals that no line holds, by account.
    async fn unbilled(&mut self, accounts: &[AccountId]) -> StoreResult<Vec<DayTotal>>;

    /// Day totals that no settlement holds, by account.
    async fn unhanded(&mut self, accounts: &[AccountId]) -> StoreResult<Vec<DayTotal>>;

    /// An account's day totals of the days in `[from, until)`.
    async fn totals_between(
        &mut self,
        account: &AccountId,
        from: Day,
        until: Day,
    ) -> StoreResult<Vec<DayTotal>>;

    /// Every day total of an account.
    async fn totals_of(&mut self, account: &AccountId) -> StoreResult<Vec<DayTotal>>;

    /// The first day in `[from, until)` on which an account has usage; without an end if `until` is `None`.
    async fn first_used(
        &mut self,
        account: &AccountId,
        from: Day,
        until: Option<Day>,
    ) -> StoreResult<Option<Day>>;

    /// Carries by account and scope, all strategies and groups.
    async fn carries(&mut self, scopes: &[(AccountId, ScopeKey)]) -> StoreResult<Vec<CarryMove>>;

    /// Every carry of an account.
    async fn carries_of(&mut self, account: &AccountId) -> StoreResult<Vec<CarryMove>>;

    /// Plan documents by id and version.
    async fn plans(&mut self, ids: &[(PlanId, u32)]) -> StoreResult<Vec<PlanSpec>>;

    /// Every plan document, in order of id and version.
    async fn all_plans(&mut self) -> StoreResult<Vec<PlanSpec>>;

    /// The digest of [the tenant's tariffs](Self::tariff_catalog), as it was written with the last of them; `None` before the first.
    ///
    /// Within a unit it stays so until the unit ends: whoever locks the catalog waits for units that asked.
    async fn tariff_digest(&mut self) -> StoreResult<Option<Digest>>;

    /// Which versions of tariffs are saved, in order of tariff and version, and from when on each is in force, in order of tariff
    /// and instant.
    async fn tariff_catalog(&mut self) -> StoreResult<Catalog>;

    /// Tariff documents by id and version.
    async fn tariffs(&mut self, ids: &[(TariffId, u32)]) -> StoreResult<Vec<TariffSpec>>;

    /// Ids of accounts with usage that tariffs have priced beyond an instant, in byte order, after one of them.
    async fn rated_beyond(
        &mut self,
        at: Instant,
        after: Option<&AccountId>,
        limit: u32,
    ) -> StoreResult<Vec<AccountId>>;

    /// The entries of an account's journal in order, after a number.
    async fn journal(
        &mut self,
        account: &AccountId,
        after: u64,
        limit: u32,
    ) -> StoreResult<Vec<JournalEntry>>;

    /// Postings by account and number.
    async fn postings(&mut self, numbers: &[(AccountId, u64)]) -> StoreResult<Vec<Posting>>;

    /// One record of a batch.
    async fn intake(&mut self, id: &IntakeId) -> StoreResult<Option<Intake>>;

    /// Records of batches in order of their ids, after one of them.
    async fn intake_page(
        &mut self,
        after: Option<&IntakeId>,
        limit: u32,
    ) -> StoreResult<Vec<Intake>>;

    /// What a batch held that could not be decoded, in its order.
    async fn refusals(&mut self, intake: &IntakeId) -> StoreResult<Vec<Refusal>>;

    /// An account's invoices, oldest number first within each series.
    async fn invoices_of(&mut self, account: &AccountId) -> StoreResult<Vec<Invoice>>;

    /// An account's invoices in order of their period's start, series and number, after one of them.
    async fn invoice_page(
        &mut self,
        account: &AccountId,
        after: Option<(Day, &SeriesId, u64)>,
        limit: u32,
    ) -> StoreResult<Vec<Invoice>>;

    /// The invoice issued to an account last of those that are not void: of the latest period, and of it the period's own.
    async fn last_invoice(&mut self, account: &AccountId) -> StoreResult<Option<(SeriesId, u64)>>;

    /// What became of invoices, by series and number.
    async fn invoice_marks(
        &mut self,
        invoices: &[(SeriesId, u64)],
    ) -> StoreResult<Vec<InvoiceMark>>;

    /// Settlements by account, day and revision.
    async fn settlements(&mut self, keys: &[(AccountId, Day, u32)])
    -> StoreResult<Vec<Settlement>>;

    /// Every settlement of an account, in order of day and revision.
    async fn settlements_of(&mut self, account: &AccountId) -> StoreResult<Vec<Settlement>>;

    /// Settlements that have no answer, in order of account, day and revision, after one of them.
    async fn unanswered(
        &mut self,
        after: Option<(&AccountId, Day, u32)>,
        limit: u32,
    ) -> StoreResult<Vec<Settlement>>;

    /// The line parts of an account, those of void invoices too.
    async fn line_parts(&mut self, account: &AccountId) -> StoreResult<Vec<BilledPart>>;

    /// Accounts that rows belong to and that are not there. A healthy store has none.
    async fn strays(&mut self) -> StoreResult<Vec<AccountId>>;

    /// One invoice.
    async fn invoice(&mut self, series: &SeriesId, number: u64) -> StoreResult<Option<Invoice>>;

    /// The numbers given in a series, in order, after one of them.
    async fn invoice_numbers(
        &mut self,
        series: &SeriesId,
        after: u64,
        limit: u32,
    ) -> StoreResult<Vec<u64>>;

    /// Every series and the last number given in it.
    async fn all_series(&mut self) -> StoreResult<Vec<(SeriesId, u64)>>;
}

/// A place where a decision's writes land together with everything else of its transaction.
///
/// # Examples
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// # use billing_core::{account::AccountSettings, decide, id::TenantId};
/// # use billing_store::{MemoryStore, store::{Locks, Store}};
/// # let store = MemoryStore::new();
/// # let acme = TenantId::try_new("acme")?;
/// # let settings: AccountSettings = serde_json::from_str(
/// #     r#"{"id":"alice","currency":"EUR","zone":"UTC","anchor":{"from":"2026-10-01","months":1}}"#,
/// # )?;
/// # let locks = Locks { catalog: true, ..Locks::accounts([settings.id.clone()]) };
/// let now = "2026-10-01T08:00:00Z".parse()?;
/// let writes = decide::open_account(None, &settings, now)?.expect("a new account");
/// let mut unit = store.begin(&acme, &locks).await?;
/// unit.apply(&writes).await?;
/// assert_eq!(unit.accounts(&[settings.id]).await?.len(), 1, "a unit sees its own writes");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[async_trait]
pub trait Unit: Facts {
    /// Stores everything a decision left behind.
    ///
    /// A claim, an account, a plan version, an invoice number, an account's period or a journal number that exists already is
    /// [`StoreError::Refused`](crate::StoreError::Refused), and then the unit must not be committed.
    async fn apply(&mut self, writes: &Writes) -> StoreResult<()>;
}

/// A unit of its own: dropped without a commit, it leaves nothing behind.
///
/// # Examples
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// # use billing_core::{account::AccountSettings, decide, id::TenantId};
/// # use billing_store::{MemoryStore, store::{Locks, Store}};
/// # let store = MemoryStore::new();
/// # let acme = TenantId::try_new("acme")?;
/// # let settings: AccountSettings = serde_json::from_str(
/// #     r#"{"id":"alice","currency":"EUR","zone":"UTC","anchor":{"from":"2026-10-01","months":1}}"#,
/// # )?;
/// # let locks = Locks { catalog: true, ..Locks::accounts([settings.id.clone()]) };
/// # let now = "2026-10-01T08:00:00Z".parse()?;
/// # let writes = decide::open_account(None, &settings, now)?.expect("a new account");
/// let mut unit = store.begin(&acme, &locks).await?;
/// unit.apply(&writes).await?;
/// drop(unit);
/// assert_eq!(store.read(&acme).await?.account_page(None, 10).await?, []);
///
/// let mut unit = store.begin(&acme, &locks).await?;
/// unit.apply(&writes).await?;
/// unit.commit().await?;
/// assert_eq!(store.read(&acme).await?.account_page(None, 10).await?, [settings.id]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[async_trait]
pub trait Transaction: Unit {
    /// Makes it durable. When this returns, the writes survive the process and, with the documented settings, the power.
    async fn commit(self: Box<Self>) -> StoreResult<()>;
}

/// Where state is kept.
///
/// # Examples
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// use billing_core::id::TenantId;
/// use billing_store::{MemoryStore, store::{Locks, Store}};
///
/// let store = MemoryStore::new();
/// let unit = store.begin(&TenantId::try_new("acme")?, &Locks::default()).await?;
/// assert_eq!(unit.tenant().as_str(), "acme");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[async_trait]
pub trait Store: Epochs + core::fmt::Debug {
    /// Begins a unit of work that holds `locks`.
    async fn begin(&self, tenant: &TenantId, locks: &Locks) -> StoreResult<Box<dyn Transaction>>;

    /// Begins reading one consistent state.
    async fn read(&self, tenant: &TenantId) -> StoreResult<Box<dyn Facts>>;
}

#[async_trait]
impl<S: Store + ?Sized> Store for Arc<S> {
    async fn begin(&self, tenant: &TenantId, locks: &Locks) -> StoreResult<Box<dyn Transaction>> {
        (**self).begin(tenant, locks).await
    }

    async fn read(&self, tenant: &TenantId) -> StoreResult<Box<dyn Facts>> {
        (**self).read(tenant).await
    }
}
