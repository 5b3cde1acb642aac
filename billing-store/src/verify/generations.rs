//! What an item counted as one after the other: each time taken back exactly before it counts as something else.

use std::collections::BTreeMap;

use billing_core::{
    decide::{Claim, StoredItem},
    event::{Cause, Posting},
    id::CorrectionId,
    item::ItemKey,
};

/// The items of an account whose current postings are not those of their arrival, as far as the journal was read.
#[derive(Default)]
pub(super) struct Generations {
    of_item: BTreeMap<ItemKey, Generation>,
    /// How many items each correction changed.
    pub(super) corrections: BTreeMap<CorrectionId, u64>,
}

/// What an item counts as.
#[derive(Default)]
struct Generation {
    standing: Vec<Posting>,
    /// How many of them are to be taken back, and how many are.
    pending: usize,
    taken_back: usize,
    /// What made the last postings, and the number of the first and the last of these.
    by: Option<(Cause, Option<CorrectionId>)>,
    first: u64,
    last: u64,
    claim: Option<Claim>,
}

impl Generations {
    /// Takes the next posting of an item in. Answers what is wrong with it.
    pub(super) fn take(&mut self, posting: &Posting, item: &StoredItem) -> Option<&'static str> {
        let StoredItem { claim, postings, .. } = item;
        let by = (posting.cause, posting.correction.clone());
        let is_named = matches!(by.0, Cause::Void | Cause::Amend | Cause::Rerate);
        if is_named != by.1.is_some() {
            return Some("is made by a correction that it does not name, or names one");
        }
        if posting.cause == Cause::Rated {
            let until = claim.first_seq.saturating_add(u64::from(*postings));
            if !(claim.first_seq..until).contains(&posting.seq) {
                return Some("is not one of those of its item's arrival");
            }
        }
        if claim.current_seq == claim.first_seq {
            let arrived = posting.cause == Cause::Rated;
            return (!arrived).then_some("takes back what is said to count");
        }
        let generation = self.of_item.entry(claim.key.clone()).or_default();
        if generation.claim.is_none() {
            generation.claim = Some(claim.clone());
        }
        if generation.by.as_ref() == Some(&by) {
            if Some(posting.seq) != generation.last.checked_add(1) {
                return Some("does not stand with the others of its correction");
            }
        } else {
            if generation.taken_back > 0 || (by.0 == Cause::Rated && generation.by.is_some()) {
                return Some("comes while its item is taken back in part");
            }
            if let Some(correction) = &by.1 {
                let items = self.corrections.entry(correction.clone()).or_default();
                *items = items.saturating_add(1);
            }
            generation.begin(by, posting.seq);
        }
        generation.last = posting.seq;
        generation.take(posting)
    }

    /// The items whose last postings are not where their claims say.
    pub(super) fn finish(&self) -> impl Iterator<Item = &Claim> {
        let wrong = |generation: &&Generation| !generation.is_as_claimed();
        self.of_item.values().filter(wrong).filter_map(|generation| generation.claim.as_ref())
    }
}

impl Generation {
    fn begin(&mut self, by: (Cause, Option<CorrectionId>), seq: u64) {
        self.taken_back = 0;
        self.first = seq;
        self.by = Some(by);
        self.pending = self.standing.len();
    }

    fn take(&mut self, posting: &Posting) -> Option<&'static str> {
        if self.pending == 0 {
            let brings = matches!(posting.cause, Cause::Rated | Cause::Amend | Cause::Rerate);
            if !brings {
                return Some("takes back what does not count");
            }
            self.standing.push(posting.clone());
            return None;
        }
        let taken = self.standing.get(self.taken_back);
        let exact = taken.is_some_and(|taken| is_exact(taken, posting));
        self.taken_back = self.taken_back.saturating_add(1);
        if self.taken_back >= self.pending {
            self.standing.clear();
            (self.pending, self.taken_back) = (0, 0);
        }
        (!exact).then_some("does not take back what it is to take back")
    }

    fn is_as_claimed(&self) -> bool {
        let Some(claim) = &self.claim else { return false };
        let first = self.standing.first().map_or(self.first, |posting| posting.seq);
        self.pending == 0
            && u32::try_from(self.standing.len()) == Ok(claim.effective)
            && claim.current_seq == first
    }
}

/// Whether a posting takes another back exactly.
fn is_exact(taken: &Posting, by: &Posting) -> bool {
    let back = Posting {
        seq: by.seq,
        cause: by.cause,
        correction: by.correction.clone(),
        day_revision: by.day_revision,
        totals: by.totals,
        ..taken.clone()
    };
    back == *by
        && by.day_revision >= taken.day_revision
        && taken.totals.checked_neg().is_ok_and(|totals| totals == by.totals)
}
