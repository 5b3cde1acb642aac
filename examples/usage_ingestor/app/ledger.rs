//! What is kept in the library: tenants as accounts, and their pulses.
//!
//! A tenant of this service is an account of the library. The library's own tenant is whoever bills, which here is the service;
//! an account is whose usage is added up day by day, handed over by itself, and zoned. So pulses of many tenants share a
//! transaction, and one hand-over walks them all.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    error::Error as StdError,
    sync::Arc,
};

use serde_json::json;

use billing::{
    AccountId, AccountSettings, Batch, Billing, Error, Instant, ItemKey, Limits, PlanBook,
    PlanSpec, Pulse, PulseReported, Quantity, Receipt, Tenant,
    clock::Clock,
    core::{
        id::{ProductId, Unit},
        item::Properties,
    },
    store::store::{Locks, Store, Unit as Transaction},
};

use super::settings::Counting;

#[derive(Debug)]
pub struct Ledger {
    tenant: Tenant,
    limits: Limits,
    /// What tenants are given when their first pulse comes.
    plan: PlanSpec,
    settings: AccountSettings,
}

/// A pulse as its client reported it; it counts when it comes unless it says `at`.
#[derive(Clone, Debug)]
pub struct Report {
    pub key: ItemKey,
    pub tenant: AccountId,
    pub at: Option<Instant>,
    pub product: ProductId,
    pub unit: Unit,
    pub amount: Quantity,
}

/// What became of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It counts, exactly once; it may have been there before.
    Counted,
    /// Its id belongs to another pulse.
    IdTaken,
    /// It is outside of what is taken, and nothing is kept of it.
    NotAccepted,
}

impl Ledger {
    pub async fn open(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        counting: &Counting,
    ) -> Result<Self, Box<dyn StdError>> {
        let limits = Limits { pulse_sign: counting.pulse_sign(), ..Limits::default() };
        let billing = Billing::with_limits(store, PlanBook::standard(), clock, limits);
        let tenant = billing.tenant("usage_ingestor")?;
        // Usage is counted here and priced by whoever is handed it. An account must have a currency; nothing is ever in it.
        let plan: PlanSpec = serde_json::from_value(json!({
            "id": "usage", "version": 1, "currency": "EUR", "payment": "postpaid",
            "strategies": [{ "id": "usage", "kind": "unpriced", "terms": {} }],
        }))?;
        tenant.save_plan(&plan).await?;
        // The id is replaced by each tenant's own.
        let settings = serde_json::from_value(json!({
            "id": "tenant", "currency": "EUR", "zone": counting.zone.name(),
            "anchor": { "from": "2000-01-01", "months": 1 },
        }))?;
        Ok(Self { tenant, limits, plan, settings })
    }

    pub const fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// Records pulses, and opens the accounts of tenants who send their first, in one transaction.
    ///
    /// What the library would set aside is not kept: the others are recorded without it. Answers each report, in their order.
    pub async fn record(&self, reports: &[Report]) -> Result<Vec<Verdict>, Error> {
        let mut verdicts = BTreeMap::new();
        let mut open: Vec<(usize, &Report)> = reports.iter().enumerate().collect();
        while !open.is_empty() {
            let tenants = open.iter().map(|(_, report)| report.tenant.clone());
            // Who opens an account holds the catalog too.
            let locks = Locks { catalog: true, ..Locks::accounts(tenants) };
            let mut unit = self.tenant.begin(&locks).await?;
            let pulses: Vec<&Report> = open.iter().map(|(_, report)| *report).collect();
            let receipts = self.ingest(&mut *unit, &pulses).await?;
            let is_parked = |receipt: &Receipt| matches!(receipt, Receipt::Parked(_));
            let answered: Vec<_> = open.drain(..).zip(receipts).collect();
            if answered.iter().any(|(_, receipt)| is_parked(receipt)) {
                // The unit is dropped, and with it what this attempt did.
                let kept = answered.into_iter().filter(|(_, receipt)| !is_parked(receipt));
                open = kept.map(|(report, _)| report).collect();
                continue;
            }
            unit.commit().await?;
            let answers = answered.iter().map(|((place, _), receipt)| (*place, verdict(receipt)));
            verdicts.extend(answers);
        }
        let verdict = |place| verdicts.get(&place).copied().unwrap_or(Verdict::NotAccepted);
        Ok((0..reports.len()).map(verdict).collect())
    }

    async fn ingest(
        &self,
        unit: &mut dyn Transaction,
        reports: &[&Report],
    ) -> Result<Vec<Receipt>, Error> {
        let (pulses, tenants) = dated(unit, reports, self.tenant.now()).await?;
        self.open_accounts(unit, tenants).await?;
        let entries = pulses.into_iter().map(|pulse| Ok(pulse.into())).collect();
        let batch = Batch { label: String::new(), entries };
        Ok(self.tenant.ingest_in(unit, &batch).await?.receipts)
    }

    async fn open_accounts(
        &self,
        unit: &mut dyn Transaction,
        tenants: BTreeSet<AccountId>,
    ) -> Result<(), Error> {
        let tenants: Vec<_> = tenants.into_iter().collect();
        let known = unit.accounts(&tenants).await?;
        let known: BTreeSet<_> = known.iter().map(|account| &account.settings.id).collect();
        // A first pulse may be as old as pulses are taken, and its tenant's day may have begun a day before.
        let longest_ago = self.tenant.now().checked_sub_ms(self.limits.item_past_ms_max)?;
        let from = self.settings.zone.day_of(longest_ago).plus_days(-1)?;
        for tenant in tenants.iter().filter(|tenant| !known.contains(tenant)) {
            let settings = AccountSettings { id: tenant.clone(), ..self.settings.clone() };
            self.tenant.open_account_in(unit, &settings).await?;
            self.tenant.assign_in(unit, tenant, &self.plan.id, self.plan.version, from).await?;
        }
        Ok(())
    }

    /// Reads something, whatever it is, so that a store that cannot answer says so.
    pub async fn ask(&self) -> Result<(), Error> {
        self.tenant.read().await?.account_page(None, 1).await?;
        Ok(())
    }
}

const fn verdict(receipt: &Receipt) -> Verdict {
    match receipt {
        Receipt::Recorded { .. } | Receipt::Superseded { .. } | Receipt::Replayed { .. } => {
            Verdict::Counted
        }
        Receipt::Conflict { .. } => Verdict::IdTaken,
        Receipt::Parked(_) | Receipt::Refused => Verdict::NotAccepted,
    }
}

/// The pulses of reports, with the tenants of those whose id was not used before.
///
/// A report without a time counts when it comes; sent again, it counts when it came first.
async fn dated(
    unit: &mut dyn Transaction,
    reports: &[&Report],
    now: Instant,
) -> Result<(Vec<PulseReported>, BTreeSet<AccountId>), Error> {
    let keys: Vec<ItemKey> = reports.iter().map(|report| report.key.clone()).collect();
    let known = unit.items(&keys).await?.into_iter();
    let mut times: BTreeMap<ItemKey, Instant> =
        known.map(|known| (known.claim.key, known.item.at())).collect();
    let (mut pulses, mut tenants) = (Vec::with_capacity(reports.len()), BTreeSet::new());
    for report in reports {
        let Report { key, tenant, at, product, unit, amount } = (*report).clone();
        let first = match times.entry(key.clone()) {
            Entry::Occupied(first) => *first.get(),
            Entry::Vacant(unused) => {
                tenants.insert(tenant.clone());
                *unused.insert(at.unwrap_or(now))
            }
        };
        let (at, properties) = (at.unwrap_or(first), Properties::default());
        let pulse = Pulse { at, product, unit, amount, properties };
        pulses.push(PulseReported { key, account: Some(tenant), pulse });
    }
    Ok((pulses, tenants))
}
