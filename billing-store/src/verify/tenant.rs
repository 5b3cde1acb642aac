//! What is checked across accounts: items from their side, series, batches, parked items.

use std::collections::{BTreeMap, BTreeSet};

use billing_core::{
    correction::RecordedCorrection,
    decide::{Claim, Dropped, StoredItem},
    event::{Cause, Posting},
    id::{AccountId, CorrectionId, SeriesId},
    item::{Fingerprint, ItemKey},
};

use crate::{
    answer::Result,
    billing::Tenant,
    state_hash::posting_numbers,
    store::Facts,
    verify::{
        PAGE, Promise, Report,
        account::{self, Met},
        readable, tariffs,
    },
};

pub(super) async fn check(
    tenant: &Tenant,
    facts: &mut dyn Facts,
    report: &mut Report,
) -> Result<()> {
    tariffs::check(facts, report).await?;
    let mut met = Met::default();
    let mut after: Option<AccountId> = None;
    loop {
        let page = facts.account_page(after.as_ref(), PAGE).await;
        let Some(page) = readable(report, None, page)? else { break };
        let Some(last) = page.last() else { break };
        after = Some(last.clone());
        for id in &page {
            account::check(tenant, facts, id, report, &mut met).await?;
        }
    }
    let strays = facts.strays().await;
    for stray in readable(report, None, strays)?.unwrap_or_default() {
        report.find(Promise::Readable, Some(&stray), "rows of an account that is not there");
    }
    check_items(facts, report, met.erased).await?;
    check_series(facts, report, &met.numbers).await?;
    check_corrections(facts, report, met.corrections).await?;
    check_parked(facts, report).await?;
    check_dropped(facts, report).await?;
    check_intakes(facts, report).await
}

/// Every item has the postings it was answered with.
async fn check_items(facts: &mut dyn Facts, report: &mut Report, told: u64) -> Result<()> {
    let mut after: Option<ItemKey> = None;
    let mut erased = 0_u64;
    loop {
        let page = facts.item_page(after.as_ref(), PAGE).await;
        let Some(page) = readable(report, None, page)? else { return Ok(()) };
        let Some(last) = page.last() else { break };
        after = Some(last.claim.key.clone());
        let arrived = page.iter().flat_map(posting_numbers);
        let last = page.iter().filter(|item| item.claim.effective == 0);
        let last = last.map(|item| (item.claim.account.clone(), item.claim.current_seq));
        let numbers: Vec<_> = arrived.chain(last).collect();
        let postings = readable(report, None, facts.postings(&numbers).await)?.unwrap_or_default();
        let postings: Postings =
            postings.into_iter().map(|p| ((p.account.clone(), p.seq), p)).collect();
        for item in &page {
            report.items = report.items.saturating_add(1);
            erased = erased.saturating_add(u64::from(item.erased));
            check_item(item, &postings, report);
        }
        check_records(facts, &page, &postings, report).await?;
    }
    if erased != told {
        let what = format!("{erased} items lost their persons, journals tell of {told}");
        report.find(Promise::Item, None, what);
    }
    Ok(())
}

/// Postings by account and number.
type Postings = BTreeMap<(AccountId, u64), Posting>;

fn check_item(item: &StoredItem, postings: &Postings, report: &mut Report) {
    let StoredItem { claim, postings: arrived, .. } = item;
    let account = Some(&claim.account);
    // Of an item that lost its persons, the digest of what is left was held against it when it was read.
    let right = if item.erased {
        item.item == item.item.without_persons()
    } else {
        Fingerprint::of(account, &item.item) == claim.fingerprint
    };
    if !right {
        let what = format!("the content of item {} has another fingerprint", claim.key);
        report.find(Promise::Item, account, what);
    }
    let whole = claim.key.partial.is_none();
    // A record that came after a later one of its usage has no postings, and no numbers of any.
    let unposted = *arrived == 0 && (claim.first_seq, claim.current_seq) != (0, 0);
    let nothing = *arrived == 0 || (claim.effective == 0 && !is_void(claim, postings));
    if unposted || (whole && nothing) {
        report.find(Promise::Claim, account, format!("item {} has no postings", claim.key));
    }
    let stands = claim.current_seq == claim.first_seq && claim.effective == *arrived;
    let moved = *arrived > 0 && claim.current_seq > claim.first_seq;
    if !stands && !moved {
        let what = format!("item {} counts as postings that it has not", claim.key);
        report.find(Promise::Claim, account, what);
    }
    // Content in force is that of what counts, and other than was reported.
    // Without its persons it may be the same, and it stays where the item was taken back.
    let amended = claim.amended.as_deref().filter(|_| !item.erased);
    if amended.is_some_and(|content| claim.effective == 0 || stands || *content == item.item) {
        let what = format!("item {} is said to be amended, and is not", claim.key);
        report.find(Promise::Claim, account, what);
    }
    let missing = posting_numbers(item)
        .find(|number| postings.get(number).is_none_or(|posting| posting.item != claim.key));
    if let Some((_, seq)) = missing {
        let what = format!("posting {seq} of item {} is missing or of another item", claim.key);
        report.find(Promise::Claim, account, what);
    }
}

/// Whether a correction took an item back.
fn is_void(claim: &Claim, postings: &Postings) -> bool {
    let last = postings.get(&(claim.account.clone(), claim.current_seq));
    last.is_some_and(|posting| posting.cause == Cause::Void && posting.item == claim.key)
}

/// Of several records of the same usage the latest counts, unless a correction took it back, and no other.
async fn check_records(
    facts: &mut dyn Facts,
    page: &[StoredItem],
    postings: &Postings,
    report: &mut Report,
) -> Result<()> {
    let partial = page.iter().map(|item| &item.claim.key).filter(|key| key.partial.is_some());
    let partial: Vec<ItemKey> = partial.cloned().collect();
    if partial.is_empty() {
        return Ok(());
    }
    let records = readable(report, None, facts.items(&partial).await)?.unwrap_or_default();
    for key in &partial {
        let superseded = records.iter().any(|other| other.claim.key.supersedes(key));
        let mine = records.iter().find(|record| record.claim.key == *key);
        let claim = mine.map(|record| &record.claim);
        let wrong = |claim: &&Claim| {
            let counts = claim.effective > 0;
            counts == superseded && (superseded || !is_void(claim, postings))
        };
        if let Some(claim) = claim.filter(wrong) {
            let what = format!("record {key} counts beside a later one, or not at all");
            report.find(Promise::Claim, Some(&claim.account), what);
        }
    }
    Ok(())
}

/// Every correction changed as many items as it says, and all that postings name are there.
async fn check_corrections(
    facts: &mut dyn Facts,
    report: &mut Report,
    mut met: BTreeMap<CorrectionId, u64>,
) -> Result<()> {
    let mut after: Option<CorrectionId> = None;
    loop {
        let page = facts.correction_page(after.as_ref(), PAGE).await;
        let Some(page) = readable(report, None, page)? else { return Ok(()) };
        let Some(last) = page.last() else { break };
        after = Some(last.correction.id.clone());
        for RecordedCorrection { correction, report: said, .. } in &page {
            report.corrections = report.corrections.saturating_add(1);
            let changed = met.remove(&correction.id).unwrap_or(0);
            let sum = said.changed.checked_add(said.unchanged);
            if said.changed != changed || sum != Some(said.examined) {
                let what = format!("correction {} changed {changed} items", correction.id);
                report.find(Promise::Correction, None, what);
            }
        }
    }
    for id in met.keys() {
        let what = format!("postings name correction {id}, which is not there");
        report.find(Promise::Correction, None, what);
    }
    Ok(())
}

/// The numbers of each series are 1..n, and each was met in an account.
async fn check_series(
    facts: &mut dyn Facts,
    report: &mut Report,
    met: &BTreeMap<SeriesId, u64>,
) -> Result<()> {
    let all = facts.all_series().await;
    let Some(all) = readable(report, None, all)? else { return Ok(()) };
    let listed: BTreeSet<_> = all.iter().map(|(series, _)| series).collect();
    for series in met.keys().filter(|series| !listed.contains(series)) {
        let what = format!("series {series} has invoices and no last number");
        report.find(Promise::Series, None, what);
    }
    for (series, last) in &all {
        check_numbers(facts, series, *last, report).await?;
        let in_accounts = met.get(series).copied().unwrap_or(0);
        if in_accounts != *last {
            let what = format!("series {series} gave {last} numbers, accounts hold {in_accounts}");
            report.find(Promise::Series, None, what);
        }
    }
    Ok(())
}

async fn check_numbers(
    facts: &mut dyn Facts,
    series: &SeriesId,
    last: u64,
    report: &mut Report,
) -> Result<()> {
    let mut seen = 0_u64;
    loop {
        let page = facts.invoice_numbers(series, seen, PAGE).await;
        let Some(page) = readable(report, None, page)? else { return Ok(()) };
        if page.is_empty() {
            break;
        }
        for number in page {
            if number != seen.saturating_add(1) {
                let what = format!("series {series} has {number} after {seen}");
                report.find(Promise::Series, None, what);
            }
            seen = number;
        }
    }
    if seen != last {
        let what = format!("series {series} ends at {seen}, its last number given is {last}");
        report.find(Promise::Series, None, what);
    }
    Ok(())
}

async fn check_parked(facts: &mut dyn Facts, report: &mut Report) -> Result<()> {
    let mut after: Option<ItemKey> = None;
    loop {
        let page = facts.parked_page(after.as_ref(), PAGE).await;
        let Some(page) = readable(report, None, page)? else { return Ok(()) };
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.incoming.key.clone());
        let keys: Vec<_> = page.iter().map(|parked| parked.incoming.key.clone()).collect();
        let both = readable(report, None, facts.items(&keys).await)?.unwrap_or_default();
        let is_parked = |item: &StoredItem| keys.contains(&item.claim.key);
        for item in both.into_iter().filter(is_parked) {
            let what = format!("item {} is recorded and parked", item.claim.key);
            report.find(Promise::Parked, Some(&item.claim.account), what);
        }
    }
}

/// Dropped items can be read; each carries a digest of its own.
async fn check_dropped(facts: &mut dyn Facts, report: &mut Report) -> Result<()> {
    let mut after: Option<Dropped> = None;
    loop {
        let place = after.as_ref().map(|dropped| (dropped.at, &dropped.parked.incoming.key));
        let page = facts.dropped_page(place, PAGE).await;
        let Some(page) = readable(report, None, page)? else { return Ok(()) };
        let Some(last) = page.into_iter().next_back() else { return Ok(()) };
        after = Some(last);
    }
}

async fn check_intakes(facts: &mut dyn Facts, report: &mut Report) -> Result<()> {
    let mut after = None;
    let mut recorded = 0_u64;
    loop {
        let page = facts.intake_page(after.as_ref(), PAGE).await;
        let Some(page) = readable(report, None, page)? else { return Ok(()) };
        let Some(last) = page.last() else { break };
        after = Some(last.id.clone());
        for intake in &page {
            report.intakes = report.intakes.saturating_add(1);
            recorded = recorded.saturating_add(intake.recorded);
            let refusals = facts.refusals(&intake.id).await;
            let kept = readable(report, None, refusals)?.unwrap_or_default().len();
            if !intake.balances() || u64::try_from(kept).unwrap_or(u64::MAX) != intake.refused {
                let what = format!("batch {} keeps {kept} refusals: {intake:?}", intake.id);
                report.find(Promise::Intake, None, what);
            }
        }
    }
    if recorded != report.items {
        let what = format!("batches recorded {recorded} items, {} are there", report.items);
        report.find(Promise::Intake, None, what);
    }
    Ok(())
}
