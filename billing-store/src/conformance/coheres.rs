//! Whether a state hangs together, whatever was done to it.

use std::collections::{BTreeMap, BTreeSet};

use billing_core::{
    decide::AccountFacts,
    event::{Cause, Head, JournalEntry},
    item::ItemKey,
    settlement::HandedTotal,
    usage::{TotalKey, Totals},
};

use crate::conformance::{
    dump::Dump,
    kept::{Kept, ensure},
    sample,
};

/// Journals without gaps and with their heads, items and day totals as the postings say, billed and handed totals where they
/// belong.
pub(super) fn coheres(dump: &Dump) -> Kept {
    for AccountFacts { settings, head, .. } in &dump.accounts {
        let journal = dump.journals.get(&settings.id).map_or(&[][..], Vec::as_slice);
        let numbers = journal.iter().map(JournalEntry::seq);
        ensure(numbers.eq((1..).take(journal.len())), "a journal has a gap")?;
        let chained = journal.iter().fold(Head::EMPTY, Head::append);
        ensure(chained == *head, "the head of a journal is not its last entry")?;
    }
    postings(dump)?;
    billed(dump)?;
    handed(dump)
}

/// How many postings an item has: on arrival, and taken back.
type Made = (u32, u32);

fn postings(dump: &Dump) -> Kept {
    let mut sums: BTreeMap<TotalKey, Totals> = BTreeMap::new();
    let mut made: BTreeMap<ItemKey, Made> = BTreeMap::new();
    for entry in dump.journals.values().flatten() {
        let JournalEntry::Posting(posting) = entry else { continue };
        let nothing = Totals::nothing(posting.totals.amount.map(|_| sample::of("0")).transpose()?);
        let sum = sums.entry(posting.total_key()).or_insert(nothing);
        *sum = sum.checked_add(posting.totals)?;
        let (rated, taken_back) = made.entry(posting.item.clone()).or_default();
        let count = if posting.cause == Cause::Rated { rated } else { taken_back };
        *count = count.saturating_add(1);
    }
    for item in &dump.items {
        let claim = &item.claim;
        let (rated, taken_back) = made.remove(&claim.key).unwrap_or_default();
        ensure(rated == item.postings, "an item has not the postings it was recorded with")?;
        let moved = if claim.current_seq == claim.first_seq { 0 } else { item.postings };
        ensure(taken_back == moved, "an item's current postings are not where they should be")?;
    }
    ensure(made.is_empty(), "a posting has no item")?;
    let totals = dump.totals.iter().map(|total| (&total.key, &total.totals));
    ensure(totals.eq(&sums), "day totals are not the sums of their postings")
}

fn billed(dump: &Dump) -> Kept {
    let billed = dump.totals.iter().filter(|total| total.billed).map(|total| &total.key);
    let valid = dump.parts.iter().filter(|part| !part.void).map(|part| &part.key);
    let (billed, valid): (Vec<_>, BTreeSet<_>) = (billed.collect(), valid.collect());
    ensure(
        valid.iter().eq(&billed),
        "billed day totals and parts of lines do not belong together",
    )?;
    let parts = dump.invoices.iter().map(|invoice| invoice.part_keys().count());
    let all = parts.fold(0_usize, usize::saturating_add);
    ensure(all == dump.parts.len(), "not every part of an invoice's lines is there")
}

fn handed(dump: &Dump) -> Kept {
    let mut handed: BTreeMap<_, Vec<HandedTotal>> = BTreeMap::new();
    for total in dump.totals.iter().filter(|total| total.handed) {
        let TotalKey { account, day, revision, .. } = &total.key;
        handed.entry((account, *day, *revision)).or_default().push(total.into());
    }
    let settlements = dump.settlements.iter().map(|settlement| &settlement.handover);
    let settled = settlements.map(|h| ((&h.account, h.day, h.revision), &h.totals));
    let handed = handed.iter().map(|(revision, totals)| (*revision, totals));
    ensure(settled.eq(handed), "settlements are not what the days that are in one used")
}
