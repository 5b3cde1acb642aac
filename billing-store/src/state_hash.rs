//! One hash over what the bills are made of, the same for every order in which the same calls arrived.

use billing_core::{
    correction::RecordedCorrection,
    decide::StoredItem,
    digest::{Digest, DigestBuilder},
    event::Posting,
    id::AccountId,
    money::Amount,
    tariff::Catalog,
    usage::{DayTotal, Totals},
};

use crate::{
    answer::Result,
    billing::Tenant,
    error::{StoreError, StoreResult},
    store::Facts,
};

/// How many rows are read at a time.
const PAGE: u32 = 1_000;

/// The hash of a tenant's state: SHA-256 over it in canonical order, in flat memory.
///
/// Covers account settings, plans, tariffs and when they are in force, assignments, items with the postings that count, corrections, parked items with their reasons, day totals, carries
/// and invoices with their lines and parts. Leaves out what depends on the order of arrival or on the clock: numbers and
/// links of journals, events, intake records, refusals, recording times. Stores that were given the same calls in any order, in
/// any batches, any number of times, have the same hash.
///
/// # Errors
///
/// [`Error::Store`](crate::Error::Store).
///
/// # Examples
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// use billing_core::plan::PlanBook;
/// use billing_store::{Billing, MemoryStore, clock::SystemClock, state_hash};
///
/// # let settings = serde_json::from_str(
/// #     r#"{"id":"alice","currency":"EUR","zone":"UTC","anchor":{"from":"2026-10-01","months":1}}"#,
/// # )?;
/// let one = Billing::new(MemoryStore::new(), PlanBook::standard(), SystemClock).tenant("acme")?;
/// let two = Billing::new(MemoryStore::new(), PlanBook::standard(), SystemClock).tenant("acme")?;
/// one.open_account(&settings).await?;
/// assert_ne!(state_hash(&one).await?, state_hash(&two).await?);
/// two.open_account(&settings).await?;
/// assert_eq!(state_hash(&one).await?, state_hash(&two).await?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub async fn state_hash(tenant: &Tenant) -> Result<Digest> {
    let mut facts = tenant.read().await?;
    let facts = &mut *facts;
    let mut hash = Digest::of();
    for plan in facts.all_plans().await? {
        hash = hash.text("plan").text(&json(&plan)?);
    }
    let Catalog { saved, activations } = facts.tariff_catalog().await?;
    for tariff in saved {
        hash = hash.text("tariff").text(&json(&tariff)?);
    }
    for activation in activations {
        hash = hash.text("activation").text(&json(&activation)?);
    }
    hash = accounts(facts, hash).await?;
    hash = items(facts, hash).await?;
    hash = corrections(facts, hash).await?;
    Ok(parked(facts, hash).await?.finish())
}

async fn accounts(facts: &mut dyn Facts, mut hash: DigestBuilder) -> StoreResult<DigestBuilder> {
    let mut after: Option<AccountId> = None;
    loop {
        let page = facts.account_page(after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else { return Ok(hash) };
        after = Some(last.clone());
        for id in &page {
            hash = account(facts, hash, id).await?;
        }
    }
}

async fn account(
    facts: &mut dyn Facts,
    mut hash: DigestBuilder,
    id: &AccountId,
) -> StoreResult<DigestBuilder> {
    for known in facts.accounts(core::slice::from_ref(id)).await? {
        hash = hash.text("account").text(&json(&known.settings)?).text(&json(&known.assignments)?);
    }
    let mut totals = facts.totals_of(id).await?;
    totals.sort_by(|one: &DayTotal, two| one.key.cmp(&two.key));
    // A superseded record may leave a total of nothing, or none.
    let nothing = |total: &DayTotal| {
        let Totals { count, quantity, amount } = total.totals;
        count == 0 && quantity.is_zero() && amount.is_none_or(Amount::is_zero)
    };
    for total in totals.into_iter().filter(|total| !nothing(total)) {
        hash = hash.text("total").text(&json(&total)?);
    }
    let mut carries = facts.carries_of(id).await?;
    carries.sort_by(|one, two| one.key.cmp(&two.key));
    for moved in carries.into_iter().filter(|moved| !moved.carry.is_nothing()) {
        let (key, carry) = (moved.key, moved.carry);
        hash = hash.text("carry").text(&key.scope.to_string());
        hash = hash.text(key.strategy.as_str()).text(key.group.as_str());
        hash = hash.text(&carry.quantity.to_string());
        hash = hash.text(&carry.exact.to_string()).text(&carry.billed.to_string());
        hash = hash.text(&carry.kept.to_string());
    }
    for invoice in facts.invoices_of(id).await? {
        hash = hash.text("invoice").text(invoice.series.as_str());
        hash = hash.number(invoice.number).text(&json(&invoice.draft)?);
    }
    Ok(hash)
}

async fn items(facts: &mut dyn Facts, mut hash: DigestBuilder) -> StoreResult<DigestBuilder> {
    let mut after = None;
    loop {
        let page = facts.item_page(after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else { return Ok(hash) };
        after = Some(last.claim.key.clone());
        // What was taken back depends, for records of the same usage, on which of them came first.
        let numbers: Vec<_> = page.iter().flat_map(|item| item.claim.numbers()).collect();
        let mut postings = facts.postings(&numbers).await?;
        postings.sort_by(|one: &Posting, two| {
            (&one.item, &one.strategy, &one.group).cmp(&(&two.item, &two.strategy, &two.group))
        });
        for StoredItem { claim, item, .. } in page {
            hash = hash.text("item").text(&claim.key.to_string()).text(claim.key.leg_text());
            hash = hash.number(claim.key.partial_number());
            hash = hash.text(claim.account.as_str()).text(&json(&item)?);
            hash = hash.bytes(claim.fingerprint.digest.as_bytes());
            hash = hash.maybe(claim.amended.as_ref().map(json).transpose()?.as_deref());
        }
        for posting in postings {
            // Number and link are what differs between orders of arrival.
            let same = Posting { seq: 0, ..posting };
            hash = hash.text("posting").text(&json(&same)?);
        }
    }
}

async fn corrections(facts: &mut dyn Facts, mut hash: DigestBuilder) -> StoreResult<DigestBuilder> {
    let mut after = None;
    loop {
        let page = facts.correction_page(after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else { return Ok(hash) };
        after = Some(last.correction.id.clone());
        for RecordedCorrection { correction, report, .. } in page {
            hash = hash.text("correction").text(&json(&correction)?).text(&json(&report)?);
        }
    }
}

async fn parked(facts: &mut dyn Facts, mut hash: DigestBuilder) -> StoreResult<DigestBuilder> {
    let mut after = None;
    loop {
        let page = facts.parked_page(after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else { return Ok(hash) };
        after = Some(last.incoming.key.clone());
        for parked in page {
            hash = hash.text("parked").text(&json(&parked.incoming)?).text(&json(&parked.reason)?);
        }
    }
}

/// The account and numbers of an item's postings on arrival.
pub(crate) fn posting_numbers(
    item: &StoredItem,
) -> impl Iterator<Item = (AccountId, u64)> + use<'_> {
    let first = item.claim.first_seq;
    let until = first.saturating_add(u64::from(item.postings));
    (first..until).map(|seq| (item.claim.account.clone(), seq))
}

fn json(value: &impl serde::Serialize) -> StoreResult<String> {
    serde_json::to_string(value).map_err(|error| StoreError::Failed { source: error.into() })
}
