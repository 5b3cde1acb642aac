//! Whether a state hangs together, whatever was done to it.

use std::collections::{BTreeMap, BTreeSet};

use billing_core::{
    decide::{AccountFacts, StoredItem},
    event::{Cause, Head, JournalEntry, Posting},
    id::AccountId,
    item::ItemKey,
    money::Amount,
    settlement::HandedTotal,
    usage::{TotalKey, Totals},
};

use crate::conformance::{
    dump::Dump,
    kept::{Failed, Kept, ensure},
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

/// What an item counts as under a plan's strategy, on a day.
type Counts = BTreeMap<TotalKey, Totals>;

fn postings(dump: &Dump) -> Kept {
    let mut sums = Counts::new();
    let mut rated: BTreeMap<ItemKey, u32> = BTreeMap::new();
    let mut counts: BTreeMap<ItemKey, Counts> = BTreeMap::new();
    let mut current: BTreeMap<(&AccountId, u64), &Posting> = BTreeMap::new();
    for entry in dump.journals.values().flatten() {
        let JournalEntry::Posting(posting) = entry else { continue };
        add(&mut sums, posting.total_key(), posting)?;
        let of_item = counts.entry(posting.item.clone()).or_default();
        add(of_item, TotalKey { revision: 0, ..posting.total_key() }, posting)?;
        let arrived = rated.entry(posting.item.clone()).or_default();
        *arrived = arrived.saturating_add(u32::from(posting.cause == Cause::Rated));
        let _none: Option<_> = current.insert((&posting.account, posting.seq), posting);
    }
    for StoredItem { claim, postings, .. } in &dump.items {
        let arrived = rated.get(&claim.key).copied().unwrap_or(0);
        ensure(arrived == *postings, "an item has not the postings it was recorded with")?;
        let mut counted = counts.remove(&claim.key).unwrap_or_default();
        for (account, seq) in claim.numbers() {
            let missing = || Failed("an item's current posting is not there".into());
            let posting = current.get(&(&account, seq)).ok_or_else(missing)?;
            ensure(posting.item == claim.key, "an item's current posting is another's")?;
            let totals = posting.totals.checked_neg()?;
            let back = Posting { totals, ..Posting::clone(posting) };
            add(&mut counted, TotalKey { revision: 0, ..posting.total_key() }, &back)?;
        }
        let nothing = counted.values().all(is_nothing);
        ensure(nothing, "an item counts as something else than its current postings")?;
    }
    ensure(counts.is_empty(), "a posting has no item")?;
    let totals = dump.totals.iter().map(|total| (&total.key, &total.totals));
    ensure(totals.eq(&sums), "day totals are not the sums of their postings")
}

fn add(counts: &mut Counts, key: TotalKey, posting: &Posting) -> Kept {
    let nothing = Totals::nothing(posting.totals.amount.map(|_| sample::of("0")).transpose()?);
    let sum = counts.entry(key).or_insert(nothing);
    *sum = sum.checked_add(posting.totals)?;
    Ok(())
}

fn is_nothing(totals: &Totals) -> bool {
    totals.count == 0 && totals.quantity.is_zero() && totals.amount.is_none_or(Amount::is_zero)
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
