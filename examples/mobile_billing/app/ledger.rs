//! What is kept in the library: users as accounts, their calls, and what the calls cost.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    error::Error as StdError,
    num::NonZeroU32,
    sync::Arc,
};

use serde::{Deserialize as _, Serialize};
use serde_json::json;

use billing::{
    AccountId, AccountSettings, Amount, Batch, Billing, Call, CallEnded, Draft, Error, Instant,
    ItemKey, PlanBook, PlanSpec, Receipt, Tenant,
    clock::Clock,
    core::{
        decide::{BillError, Limits},
        digest::Digest,
        invoice::Line,
        item::{Direction, Disposition, Party},
        money::{Exact, Quantity},
        plan::BlocksTerms,
    },
    store::store::{Locks, Store, Unit},
};

use super::{digits::Digits, plans::save_plan, tariff::Tariff};

pub struct Ledger {
    tenant: Tenant,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    /// What users are given when they call for the first time.
    plan: PlanSpec,
    settings: AccountSettings,
}

/// What a user has talked so far, and what that costs.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Usage {
    pub id: u64,
    pub call_count: i64,
    pub block_count: Digits<Exact>,
    pub price: Digits<Amount>,
}

/// The longest call that is recorded; the library sets longer ones aside for a person to look at.
pub fn call_ms_max() -> u64 {
    Limits::default().call_duration_ms_max
}

impl Ledger {
    pub async fn open(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        tariff: Tariff,
    ) -> Result<Self, Box<dyn StdError>> {
        let (shared, book, time) = (Arc::clone(&store), PlanBook::standard(), Arc::clone(&clock));
        let tenant =
            Billing::with_limits(shared, book, time, Limits::default()).tenant("mobile")?;
        let plan = save_plan(&tenant, plan(tariff)?).await?;
        // The id is replaced by each user's own. Ten decimals are the most a price can have, so nothing is rounded.
        let settings = serde_json::from_value(json!({
            "id": "user", "currency": "USD", "zone": "UTC",
            "anchor": { "from": "2000-01-01", "months": 1 }, "invoice": { "decimals": 10 },
        }))?;
        Ok(Self { tenant, store, clock, plan, settings })
    }

    /// The event that a call of `user` has ended just now, after `duration_ms`.
    pub fn call_ended(
        &self,
        key: ItemKey,
        user: AccountId,
        duration_ms: u64,
    ) -> Result<CallEnded, Error> {
        let call = Call {
            start: self.clock.now().checked_sub_ms(duration_ms)?,
            duration_ms,
            // A report says who pays, and no telephone numbers.
            caller: Party::unknown(),
            callee: Party::unknown(),
            disposition: Disposition::Answered,
            direction: Direction::Outbound,
        };
        Ok(CallEnded { key, account: Some(user), call })
    }

    /// Records calls, and opens the accounts of those who call for the first time, in one transaction.
    ///
    /// Answers with a receipt for each call, in their order.
    pub async fn record(&self, mut calls: Vec<CallEnded>) -> Result<Vec<Receipt>, Error> {
        let users = calls.iter().filter_map(|call| call.account.clone());
        // Who opens an account holds the catalog too.
        let locks = Locks { catalog: true, ..Locks::accounts(users) };
        let mut unit = self.store.begin(self.tenant.id(), &locks).await?;
        let callers = recall(&mut *unit, &mut calls).await?;
        self.open_accounts(&mut *unit, callers).await?;
        let entries = calls.into_iter().map(|call| Ok(call.into())).collect();
        let batch = Batch { label: String::new(), entries };
        let taken = self.tenant.ingest_in(&mut *unit, &batch).await?;
        unit.commit().await?;
        Ok(taken.receipts)
    }

    async fn open_accounts(
        &self,
        unit: &mut dyn Unit,
        users: BTreeSet<AccountId>,
    ) -> Result<(), Error> {
        let users: Vec<_> = users.into_iter().collect();
        let known = unit.accounts(&users).await?;
        let known: BTreeSet<_> = known.iter().map(|account| &account.settings.id).collect();
        // A call may have begun as long ago as calls last, and one day more if its report waited over midnight.
        let longest_ago = self.clock.now().checked_sub_ms(call_ms_max())?;
        let from = self.settings.zone.day_of(longest_ago).plus_days(-1)?;
        for user in users.iter().filter(|user| !known.contains(user)) {
            let settings = AccountSettings { id: user.clone(), ..self.settings.clone() };
            self.tenant.open_account_in(unit, &settings).await?;
            self.tenant.assign_in(unit, user, &self.plan.id, self.plan.version, from).await?;
        }
        Ok(())
    }

    /// What a user owes for everything so far; `None` for somebody who never called.
    ///
    /// It is read from the running bill, whose cost depends on the days with calls and never on the number of calls. Nothing is
    /// invoiced here, so that bill reaches back to the first call, with a draft for each month that has any.
    pub async fn usage(&self, user: &AccountId) -> Result<Option<Usage>, Error> {
        let bill = match self.tenant.bill(user, self.clock.now()).await {
            Err(Error::UnknownAccount { .. }) => return Ok(None),
            bill => bill?,
        };
        let lines: Vec<_> = bill.drafts().flat_map(|draft| &draft.lines).collect();
        let Some(last) = lines.last() else { return Ok(None) };
        let talk = |sum: Quantity, line: &&Line| sum.checked_add(line.quantity);
        let talk_ms = lines.iter().try_fold(Quantity::ZERO, talk).map_err(BillError::from)?;
        let total = |sum: Amount, draft: &Draft| sum.checked_add(draft.taxed.total);
        let price = bill.drafts().try_fold(Amount::ZERO, total).map_err(BillError::from)?;
        Ok(Some(Usage {
            id: number_of(user),
            call_count: lines.iter().map(|line| line.count).sum(),
            block_count: Digits(blocks(talk_ms, self.block_ms(last).await?)),
            price: Digits(price),
        }))
    }

    /// The size of the blocks in a line: that of the plan which its user was given.
    async fn block_ms(&self, line: &Line) -> Result<NonZeroU32, Error> {
        let (plan, version) = (line.plan.clone(), line.version);
        let saved = self.tenant.read().await?.plans(&[(plan.clone(), version)]).await?;
        let strategy = saved.first().and_then(|plan| plan.strategies.first());
        match strategy.map(|strategy| BlocksTerms::deserialize(&strategy.terms)) {
            Some(Ok(terms)) => Ok(terms.block_ms),
            Some(Err(error)) => {
                Err(BillError::PlanUnavailable { plan, version, why: error.to_string() }.into())
            }
            None => Err(Error::UnknownPlan { plan, version }),
        }
    }

    /// Reads something, whatever it is, so that a store that cannot answer says so.
    pub async fn ask(&self) -> Result<(), Error> {
        self.tenant.read().await?.account_page(None, 1).await?;
        Ok(())
    }
}

fn plan(tariff: Tariff) -> Result<PlanSpec, serde_json::Error> {
    let terms = json!({
        "block_ms": tariff.block_ms, "per_block": tariff.price_per_block, "scope": "lifetime",
    });
    serde_json::from_value(json!({
        "id": "mobile", "version": 1, "currency": "USD", "payment": "postpaid",
        "strategies": [{ "id": "calls", "kind": "blocks", "terms": terms }],
    }))
}

/// Dates a call whose key was used before like the first one: a report does not say when its call was, and a retry comes later.
///
/// Answers with the users of all other calls.
async fn recall(
    unit: &mut dyn Unit,
    calls: &mut [CallEnded],
) -> Result<BTreeSet<AccountId>, Error> {
    let keys: Vec<ItemKey> = calls.iter().map(|call| call.key.clone()).collect();
    let known = unit.items(&keys).await?.into_iter();
    let mut starts: BTreeMap<ItemKey, Instant> =
        known.map(|known| (known.claim.key, known.item.at())).collect();
    let mut users = BTreeSet::new();
    for CallEnded { key, account, call } in calls {
        match starts.entry(key.clone()) {
            Entry::Occupied(first) => call.start = *first.get(),
            Entry::Vacant(unused) => {
                unused.insert(call.start);
                users.extend(account.clone());
            }
        }
    }
    Ok(users)
}

/// Talk in whole blocks, rounded up once.
fn blocks(talk_ms: Quantity, block_ms: NonZeroU32) -> Exact {
    let block_ms = Exact::from(Quantity::from(block_ms.get()));
    // A block is never empty.
    Exact::from(talk_ms).checked_div(&block_ms).map_or_else(Exact::zero, |blocks| blocks.ceil())
}

/// A number for those who expect users to have one: here they are known by their names, and this is made from the name.
///
/// Its 48 bits survive any reader of JSON. Nothing is looked up by it, so nothing is confused if two of millions share one.
fn number_of(user: &AccountId) -> u64 {
    let digest = Digest::of().text(user.as_str()).finish();
    let [a, b, c, d, e, f, ..] = *digest.as_bytes();
    u64::from_be_bytes([0, 0, a, b, c, d, e, f])
}
