//! Taking calls, pulses and charges in.

use std::collections::BTreeMap;

use billing_core::{
    decide::{self, AccountFacts, Batch, Claim, IngestError, IngestFacts, OpenDay, StoredItem},
    event::Posting,
    id::AccountId,
    item::{CallEnded, ItemKey, OneOffCharged, PulseReported},
    time::Day,
    usage::DayTotal,
};

use crate::{
    answer::{Result, TakenIn},
    billing::Tenant,
    store::{Locks, Unit},
};

impl Tenant {
    /// Records calls that ended: whatever bus the host has calls this with what it received.
    ///
    /// # Errors
    ///
    /// [`Error::Ingest`](crate::Error::Ingest) if there are more than a batch may have, or a journal is full. What is wrong with one call is in its
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

    /// Records usage that was reported.
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
    /// # let pulse: billing_core::item::PulseReported = serde_json::from_str(
    /// #     r#"{"key":{"source":"meter","id":"1"},"account":"alice",
    /// #         "pulse":{"at":"2026-10-05T08:00:00Z","product":"storage","unit":"GB-h","amount":"0.25"}}"#,
    /// # )?;
    /// let taken = acme.pulses_reported(&[pulse.clone(), pulse]).await?;
    /// assert_eq!((taken.intake.recorded, taken.intake.replayed), (1, 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn pulses_reported(&self, pulses: &[PulseReported]) -> Result<TakenIn> {
        let entries = pulses.iter().map(|pulse| Ok(pulse.clone().into())).collect();
        self.ingest(&Batch { label: String::new(), entries }).await
    }

    /// Charges accounts once, beside their plans; the charges stand on their next invoices.
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
    /// let setup = serde_json::from_str(
    ///     r#"{"key":{"source":"desk","id":"1"},"account":"alice",
    ///         "one_off":{"at":"2026-10-05T08:00:00Z","name":"set-up",
    ///                    "price":{"amount":"49.90","currency":"EUR"}}}"#,
    /// )?;
    /// acme.one_offs_charged(&[setup]).await?;
    /// let bill = acme.bill(&alice, "2026-10-31T12:00:00Z".parse()?).await?;
    /// assert_eq!(bill.open.expect("a period").taxed.total.to_string(), "49.9");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn one_offs_charged(&self, charges: &[OneOffCharged]) -> Result<TakenIn> {
        let entries = charges.iter().map(|charge| Ok(charge.clone().into())).collect();
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
        let records = unit.items(&keys).await?.into_iter();
        let records = records.map(|record| (record.claim.key.clone(), record));
        let records: BTreeMap<ItemKey, StoredItem> = records.collect();
        let claims = records.iter().map(|(key, record)| (key.clone(), record.claim.clone()));
        let claims = claims.collect();
        let superseded = superseded(unit, batch, &claims).await?;
        let parked = unit.parked(&keys).await?.into_iter();
        let parked = parked.map(|parked| (parked.incoming.key.clone(), parked)).collect();
        let plans = self.plans(unit, accounts.values()).await?;
        let tariffs = self.tariffs_of(unit, &plans).await?;
        let mut touched = decide::days_touched(batch, &accounts);
        let taken_back = superseded.values().flatten();
        touched.extend(taken_back.map(|posting| (posting.account.clone(), posting.day)));
        let touched: Vec<_> = touched.into_iter().collect();
        let days = open_days(unit.day_totals(&touched).await?);
        let batch_id = batch.id().map_err(IngestError::from)?;
        let intake = unit.intake(&batch_id).await?;
        let facts = IngestFacts {
            accounts,
            plans,
            tariffs,
            claims,
            superseded,
            parked,
            days,
            batch: batch_id,
            intake,
        };
        let ingested = decide::ingest(facts, batch, self.parts.limits, self.parts.clock.now())?;
        unit.apply(&ingested.writes).await?;
        Ok(TakenIn { receipts: ingested.receipts, intake: ingested.intake })
    }
}

/// The current postings of the records that a batch supersedes. Most batches supersede none.
async fn superseded(
    unit: &mut dyn Unit,
    batch: &Batch,
    claims: &BTreeMap<ItemKey, Claim>,
) -> Result<BTreeMap<ItemKey, Vec<Posting>>> {
    let superseded = decide::claims_superseded(batch, claims);
    current_postings(unit, superseded.into_iter()).await
}

/// The postings that count of some items, in the order of their numbers.
pub(super) async fn current_postings(
    unit: &mut dyn Unit,
    claims: impl Iterator<Item = &Claim> + Send,
) -> Result<BTreeMap<ItemKey, Vec<Posting>>> {
    let numbers: Vec<_> = claims.flat_map(Claim::numbers).collect();
    let mut postings: BTreeMap<ItemKey, Vec<Posting>> = BTreeMap::new();
    if numbers.is_empty() {
        return Ok(postings);
    }
    let mut found = unit.postings(&numbers).await?;
    found.sort_by_key(|posting| posting.seq);
    for posting in found {
        postings.entry(posting.item.clone()).or_default().push(posting);
    }
    Ok(postings)
}

pub(super) fn by_id(accounts: Vec<AccountFacts>) -> BTreeMap<AccountId, AccountFacts> {
    accounts.into_iter().map(|facts| (facts.settings.id.clone(), facts)).collect()
}

pub(super) fn open_days(totals: Vec<DayTotal>) -> BTreeMap<(AccountId, Day), OpenDay> {
    let mut days: BTreeMap<_, Vec<DayTotal>> = BTreeMap::new();
    for total in totals {
        days.entry((total.key.account.clone(), total.key.day)).or_default().push(total);
    }
    days.into_iter().map(|(day, totals)| (day, OpenDay::of(totals))).collect()
}
