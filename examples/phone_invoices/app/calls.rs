//! Calls: recorded once, and read back in the order of their numbers or of their time.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::HeaderMap;
use serde::Deserialize as _;
use uuid::Uuid;

use billing::{
    AccountSettings, Amount, Batch, Call, CallEnded, Instant, Item, ItemKey, Receipt, Zone,
    core::{
        account::assignment_on,
        decide::{AccountFacts, StoredItem},
        event::JournalEntry,
        id::{ItemId, SourceId},
        item::{Direction, Disposition, Party},
        money::{Exact, MoneyError, Price, Quantity, Rounding},
        plan::FlatRateTerms,
        usage::TotalKey,
    },
    store::store::{HistoryPage, Locks, Unit},
};

use super::{
    contract::Contract,
    fields::Page,
    ledger::{Ledger, account, nobody},
    refusal::Refusal,
    tariff::PlanName,
};

/// The longest call in minutes: 366 days.
pub const CALL_MINUTES_MAX: u64 = 366 * 24 * 60;
pub const MINUTE_MS: u64 = 60_000;
/// How far ahead of the clock a call may end, because the clocks of others differ; the library allows its start the same.
const AHEAD_MS: u64 = 24 * 60 * 60 * 1_000;
/// The header by which a client names a call, so that it can send it again.
const KEY: &str = "idempotency-key";
/// How many rows are read together.
const ROWS: u32 = 1_000;

/// Talk that has ended: now, if it is not said when it began.
pub struct Talk {
    pub start: Option<Instant>,
    pub duration_ms: u64,
    pub callee: Party,
}

/// What is done about a customer nobody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stranger {
    /// The call opens an account.
    Welcome,
    NotFound,
}

/// A call as it is kept, and where.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub id: u64,
    pub contract: Contract,
    pub zone: Zone,
    pub call: Call,
    pub end: Instant,
}

impl Ledger {
    /// Records a call, and opens the account of a stranger who is welcome, in one transaction.
    ///
    /// What the library would set aside for a person to look at is refused, and nothing is kept of it.
    pub async fn record(
        &self,
        contract: Contract,
        key: ItemKey,
        talk: Talk,
        stranger: Stranger,
    ) -> Result<Recorded, Refusal> {
        let id = contract.account()?;
        let opens = stranger == Stranger::Welcome && contract.operator == 0;
        let locks = Locks { catalog: opens, ..Locks::accounts([id.clone()]) };
        let mut unit = self.tenant.begin(&locks).await?;
        let settings = match account(&mut *unit, &id).await? {
            Some(known) => known.settings,
            None if opens => {
                let settings = self.stranger(contract)?;
                self.open_in(&mut *unit, &settings, PlanName::Postpaid).await?.settings
            }
            None => return Err(nobody(contract)),
        };
        let call = self.call(&mut *unit, &key, talk).await?;
        let ended = CallEnded { key, account: Some(id), call: call.clone() };
        let batch = Batch { label: String::new(), entries: vec![Ok(ended.into())] };
        let seq = match self.tenant.ingest_in(&mut *unit, &batch).await?.receipts.pop() {
            Some(Receipt::Recorded { first_seq, .. } | Receipt::Replayed { first_seq, .. }) => {
                first_seq
            }
            Some(Receipt::Conflict { .. }) => {
                let why = "the idempotency key belongs to another call";
                return Err(Refusal::Conflict(why.to_owned()));
            }
            Some(Receipt::Parked(why)) => {
                return Err(Refusal::invalid("body", "", why.to_string()));
            }
            Some(Receipt::Superseded { .. } | Receipt::Refused) | None => {
                return Err(Refusal::Failed);
            }
        };
        let recorded = recorded(&settings, seq, call)?;
        unit.commit().await?;
        Ok(recorded)
    }

    /// The call that talk makes. One that ends now and whose key was used before began when the first one did, because a retry
    /// comes later.
    async fn call(&self, unit: &mut dyn Unit, key: &ItemKey, talk: Talk) -> Result<Call, Refusal> {
        let known = unit.items(std::slice::from_ref(key)).await?.pop();
        let start = match (talk.start, known) {
            (Some(start), _) => start,
            (None, Some(known)) => known.item.at(),
            (None, None) => self.tenant.now().checked_sub_ms(talk.duration_ms)?,
        };
        Ok(Call {
            start,
            duration_ms: talk.duration_ms,
            // The account says who called.
            caller: Party::unknown(),
            callee: talk.callee,
            disposition: Disposition::Answered,
            direction: Direction::Outbound,
        })
    }

    /// How long a call was that began and ended then, in milliseconds, the library's unit; less than one is left out. An error says
    /// what is wrong with the end.
    pub fn talk_ms(&self, start: Instant, end: Instant) -> Result<u64, &'static str> {
        let latest = self.tenant.now().checked_add_ms(AHEAD_MS);
        if latest.is_ok_and(|latest| latest < end) {
            return Err("the call has not ended yet");
        }
        start.millis_until(end).ok_or("the call ends before it starts")
    }

    /// The call of a number, if there is one.
    pub async fn call_of(&self, id: u64) -> Result<Option<Recorded>, Refusal> {
        let Some((contract, seq)) = Contract::of_call(id) else { return Ok(None) };
        let mut facts = self.tenant.read().await?;
        let Some(owner) = account(&mut *facts, &contract.account()?).await? else {
            return Ok(None);
        };
        let place = [(owner.settings.id.clone(), seq)];
        let Some(posting) = facts.postings(&place).await?.pop() else { return Ok(None) };
        let items = facts.items(&[posting.item]).await?;
        Ok(all_recorded(&owner.settings, items)?.into_iter().find(|call| call.id == id))
    }

    /// An account's calls in the order in which they came, after a place in its journal.
    pub async fn calls_after(
        &self,
        account: &AccountFacts,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Recorded>, Refusal> {
        let mut facts = self.tenant.read().await?;
        let (mut found, mut after) = (Vec::new(), after);
        while found.len() < limit {
            let entries = facts.journal(&account.settings.id, after, ROWS).await?;
            let Some(last) = entries.last() else { break };
            after = last.seq();
            let keys = entries.into_iter().filter_map(|entry| match entry {
                JournalEntry::Posting(posting) => Some(posting.item),
                JournalEntry::Event(_) => None,
            });
            let items = facts.items(&keys.collect::<Vec<_>>()).await?;
            let mut calls = all_recorded(&account.settings, items)?;
            calls.sort_by_key(|call| call.id);
            found.append(&mut calls);
        }
        found.truncate(limit);
        Ok(found)
    }

    /// A page of an account's calls in the order in which they began, of those that began in `[from, until)`.
    ///
    /// What lies before the page is read and left out: the way to it costs what the way through it does.
    pub async fn history(
        &self,
        account: &AccountFacts,
        (from, until): (Instant, Instant),
        page: Page,
    ) -> Result<Vec<Recorded>, Refusal> {
        let (mut skip, mut found, mut last) = (page.offset, Vec::new(), None);
        while found.len() < page.limit {
            let limit = skip.saturating_add(page.limit).saturating_sub(found.len());
            let limit = u32::try_from(limit).unwrap_or(ROWS).min(ROWS);
            let after = last.as_ref().map(|(at, key): &(Instant, ItemKey)| (*at, key));
            let part = HistoryPage { from, until, kind: Some("call"), after, limit };
            let items = self.tenant.history(&account.settings.id, &part).await?;
            let Some(end) = items.last() else { break };
            last = Some((end.item.at(), end.claim.key.clone()));
            let count = items.len();
            found.extend(all_recorded(&account.settings, items)?.into_iter().skip(skip));
            skip = skip.saturating_sub(count);
        }
        Ok(found)
    }

    /// A page of the calls of all customers, those that began last first.
    ///
    /// The library keeps calls by customer, so that this looks at every one of them. It is for whoever watches over the service.
    pub async fn latest_calls(&self, page: Page) -> Result<Vec<Recorded>, Refusal> {
        let mut facts = self.tenant.read().await?;
        let (mut items, mut after) = (Vec::new(), None);
        loop {
            let part = facts.item_page(after.as_ref(), ROWS).await?;
            let Some(last) = part.last() else { break };
            after = Some(last.claim.key.clone());
            items.extend(part.into_iter().filter(|stored| matches!(stored.item, Item::Call(_))));
            items.sort_by(|one: &StoredItem, two| {
                (two.item.at(), &two.claim.key).cmp(&(one.item.at(), &one.claim.key))
            });
            items.truncate(page.offset.saturating_add(page.limit));
        }
        let items: Vec<_> = items.into_iter().skip(page.offset).collect();
        let owners: BTreeSet<_> = items.iter().map(|stored| stored.claim.account.clone()).collect();
        let owners = facts.accounts(&owners.into_iter().collect::<Vec<_>>()).await?.into_iter();
        let owners: BTreeMap<_, _> =
            owners.map(|owner| (owner.settings.id.clone(), owner.settings)).collect();
        let mut calls = Vec::with_capacity(items.len());
        for stored in items {
            let owner = owners.get(&stored.claim.account).ok_or(Refusal::Failed)?;
            calls.extend(all_recorded(owner, vec![stored])?);
        }
        Ok(calls)
    }

    /// The numbers of the invoices that calls of one account stand on, by the numbers of the calls.
    ///
    /// Its cost depends on the days that were invoiced to the account, not on its calls.
    pub async fn invoice_ids(&self, calls: &[Recorded]) -> Result<BTreeMap<u64, u64>, Refusal> {
        let Some(first) = calls.first() else { return Ok(BTreeMap::new()) };
        let owner = first.contract.account()?;
        let places = calls.iter().filter_map(|call| Contract::of_call(call.id));
        let places: Vec<_> = places.map(|(_, seq)| (owner.clone(), seq)).collect();
        let mut facts = self.tenant.read().await?;
        let parts = facts.line_parts(&owner).await?.into_iter().filter(|part| !part.void);
        let billed: BTreeMap<TotalKey, u64> = parts.map(|part| (part.key, part.number)).collect();
        let postings = facts.postings(&places).await?.into_iter();
        let ids = postings.filter_map(|posting| {
            let id = first.contract.call_id(posting.seq)?;
            let total = TotalKey {
                account: posting.account,
                day: posting.day,
                assignment: posting.assignment,
                strategy: posting.strategy,
                group: posting.group,
                revision: posting.day_revision,
            };
            Some((id, *billed.get(&total)?))
        });
        Ok(ids.collect())
    }

    /// What a minute costs an account before tax, by the numbers of its assignments.
    pub async fn minute_prices(
        &self,
        owner: &AccountFacts,
    ) -> Result<BTreeMap<u32, Price>, Refusal> {
        let ids: Vec<_> =
            owner.assignments.iter().map(|it| (it.plan.clone(), it.version)).collect();
        let plans = self.tenant.read().await?.plans(&ids).await?;
        let price = |assignment: &billing::core::account::Assignment| {
            let (plan, version) = (&assignment.plan, assignment.version);
            let plan = plans.iter().find(|it| (&it.id, it.version) == (plan, version))?;
            let calls = plan.strategies.iter().find(|strategy| strategy.id.as_str() == "calls")?;
            let terms = FlatRateTerms::deserialize(&calls.terms).ok()?;
            Some((assignment.number, terms.per_minute))
        };
        owner.assignments.iter().map(|it| price(it).ok_or(Refusal::Failed)).collect()
    }
}

impl Recorded {
    /// What the call costs by itself, before tax. Its line on the invoice is rounded as a whole, so these need not add up to it.
    pub fn charge(
        &self,
        owner: &AccountFacts,
        prices: &BTreeMap<u32, Price>,
    ) -> Result<Amount, Refusal> {
        let day = self.zone.day_of(self.call.start);
        let assignment = assignment_on(&owner.assignments, day);
        let price = assignment.and_then(|it| prices.get(&it.number)).ok_or(Refusal::Failed)?;
        let exact =
            exact_minutes(Quantity::from_u64(self.call.duration_ms)?).mul(&Exact::from(*price));
        Ok(exact.round(10, Rounding::HalfUp)?)
    }

    pub fn minutes(&self) -> Result<Amount, MoneyError> {
        minutes(Quantity::from_u64(self.call.duration_ms)?)
    }
}

/// Talk in minutes, as a number to show.
pub fn minutes(talk_ms: Quantity) -> Result<Amount, MoneyError> {
    exact_minutes(talk_ms).round(10, Rounding::HalfUp)
}

fn exact_minutes(talk_ms: Quantity) -> Exact {
    let minute_ms = Exact::from_integer(i128::from(MINUTE_MS));
    // A minute is not empty.
    Exact::from(talk_ms).checked_div(&minute_ms).unwrap_or_else(Exact::zero)
}

fn recorded(owner: &AccountSettings, seq: u64, call: Call) -> Result<Recorded, Refusal> {
    let contract = Contract::of(&owner.id).ok_or(Refusal::Failed)?;
    let id = contract.call_id(seq).ok_or(Refusal::Failed)?;
    let end = call.start.checked_add_ms(call.duration_ms)?;
    Ok(Recorded { id, contract, zone: owner.zone.clone(), call, end })
}

/// The calls among an account's items.
fn all_recorded(owner: &AccountSettings, items: Vec<StoredItem>) -> Result<Vec<Recorded>, Refusal> {
    let calls = items.into_iter().filter_map(|stored| match stored.item {
        Item::Call(call) => Some(recorded(owner, stored.claim.first_seq, call)),
        _ => None,
    });
    calls.collect()
}

/// What a call is known by for ever: the name that its client gave it, or one that nobody else draws.
pub fn key(headers: &HeaderMap) -> Result<ItemKey, Refusal> {
    let wrong = || Refusal::invalid("header", KEY, "accepted are 1 to 255 visible characters");
    let (source, id) = match headers.get(KEY).map(|key| key.to_str()) {
        Some(Ok(key)) => ("client", key.to_owned()),
        Some(Err(_)) => return Err(wrong()),
        None => ("drawn", Uuid::now_v7().to_string()),
    };
    let id = ItemId::try_new(id).map_err(|_unfit| wrong())?;
    Ok(ItemKey::new(SourceId::try_new(source)?, id))
}
