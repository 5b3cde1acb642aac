//! Postings in the making: each is folded into the open total of its day, then numbered and chained into its journal.

use alloc::{
    boxed::Box,
    collections::{BTreeMap, BTreeSet},
    format,
    string::ToString as _,
    vec::Vec,
};

use compact_str::CompactString;

use crate::{
    decide::{OpenDay, ParkReason, Rated, Writes},
    event::{Cause, Head, JournalEntry, Posting},
    id::{AccountId, CorrectionId, Group, StrategyId, Unit},
    item::{Fingerprint, ItemKey},
    money::Currency,
    tariff::Provenance,
    time::{Day, Zone},
    usage::{DayTotal, TotalKey, Totals, TotalsError},
};

/// Why postings are made.
#[derive(Clone, Copy)]
pub(super) struct Reason<'a> {
    pub(super) cause: Cause,
    pub(super) correction: Option<&'a CorrectionId>,
}

/// One posting to be made, before it has its number.
pub(super) struct Effect {
    item: ItemKey,
    fingerprint: Fingerprint,
    cause: Cause,
    correction: Option<CorrectionId>,
    day: Day,
    assignment: u32,
    strategy: StrategyId,
    group: Group,
    unit: Unit,
    totals: Totals,
    rules: u16,
    zone_data: CompactString,
    provenance: Option<Box<Provenance>>,
}

impl Effect {
    /// What an item brings under one strategy.
    pub(super) fn bringing(
        rated: Rated,
        (item, fingerprint): (&ItemKey, Fingerprint),
        (day, assignment): (Day, u32),
        why: Reason<'_>,
    ) -> Self {
        let Rated { strategy, group, priced } = rated;
        Self {
            item: item.clone(),
            fingerprint,
            cause: why.cause,
            correction: why.correction.cloned(),
            day,
            assignment,
            strategy,
            group,
            unit: priced.unit,
            totals: priced.totals,
            rules: Posting::RULES,
            zone_data: CompactString::const_new(Zone::data_version()),
            provenance: priced.provenance,
        }
    }

    /// A posting negated.
    pub(super) fn taking_back(posting: &Posting, why: Reason<'_>) -> Result<Self, ParkReason> {
        let totals = posting.totals.checked_neg();
        Ok(Self {
            item: posting.item.clone(),
            fingerprint: posting.fingerprint,
            cause: why.cause,
            correction: why.correction.cloned(),
            day: posting.day,
            assignment: posting.assignment,
            strategy: posting.strategy.clone(),
            group: posting.group.clone(),
            unit: posting.unit.clone(),
            totals: totals.map_err(|error| out_of_bounds(&error))?,
            // It takes back what was made under the rules of then.
            rules: posting.rules,
            zone_data: posting.zone_data.clone(),
            provenance: posting.provenance.clone(),
        })
    }
}

/// Effects, each with what the total of its day becomes.
pub(super) type Folded = Vec<(Effect, DayTotal)>;

/// Whose postings are made.
#[derive(Clone, Copy)]
pub(super) struct Payer<'a> {
    pub(super) account: &'a AccountId,
    pub(super) currency: Currency,
    /// The end of the journal as it is stored.
    pub(super) head: Head,
}

/// The totals of days and the ends of journals, moving on as postings are made.
pub(super) struct Folding {
    days: BTreeMap<(AccountId, Day), OpenDay>,
    day_groups_max: usize,
    touched: BTreeMap<TotalKey, DayTotal>,
    heads: BTreeMap<AccountId, Head>,
    postings: Vec<Posting>,
}

impl Folding {
    /// Starts from the open revisions of the days that may be touched.
    pub(super) const fn new(
        days: BTreeMap<(AccountId, Day), OpenDay>,
        day_groups_max: usize,
    ) -> Self {
        Self {
            days,
            day_groups_max,
            touched: BTreeMap::new(),
            heads: BTreeMap::new(),
            postings: Vec::new(),
        }
    }

    /// What was posted so far.
    pub(super) fn postings(&self) -> &[Posting] {
        &self.postings
    }

    /// The day totals with each of the effects added, one after the other; nothing is made yet.
    pub(super) fn fold(
        &self,
        payer: Payer<'_>,
        effects: impl IntoIterator<Item = Effect>,
    ) -> Result<Folded, ParkReason> {
        let Payer { account, currency, .. } = payer;
        let mut done = Folded::new();
        for effect in effects {
            let key = TotalKey {
                account: account.clone(),
                day: effect.day,
                assignment: effect.assignment,
                strategy: effect.strategy.clone(),
                group: effect.group.clone(),
                revision: self.revision(account, effect.day),
            };
            let here = done.iter().rev().map(|(_, total)| total).find(|total| total.key == key);
            let totals = match here.or_else(|| self.total(&key)) {
                None => {
                    self.check_groups(&key, &done)?;
                    effect.totals
                }
                Some(before) if before.unit != effect.unit => {
                    let (strategy, one) = (effect.strategy.clone(), &before.unit);
                    let why = format!("{one} and {} are counted in one group", effect.unit);
                    return Err(ParkReason::Unpriceable { strategy, why });
                }
                Some(before) => {
                    let sum = before.totals.checked_add(effect.totals);
                    sum.map_err(|error| out_of_bounds(&error))?
                }
            };
            let unit = effect.unit.clone();
            let (closed, billed, handed) = (false, false, false);
            done.push((effect, DayTotal { key, unit, currency, totals, closed, billed, handed }));
        }
        Ok(done)
    }

    /// Makes postings of effects, under consecutive numbers. Answers the first of them, `None` if the journal is full.
    pub(super) fn post(&mut self, payer: Payer<'_>, effects: Folded) -> Option<u64> {
        let Payer { account, currency, head } = payer;
        let mut head = self.heads.get(account).copied().unwrap_or(head);
        let first = head.next()?;
        for (effect, total) in effects {
            let posting = Posting {
                account: account.clone(),
                seq: head.next()?,
                item: effect.item,
                fingerprint: effect.fingerprint,
                cause: effect.cause,
                day: effect.day,
                assignment: effect.assignment,
                strategy: effect.strategy,
                group: effect.group,
                day_revision: total.key.revision,
                rules: effect.rules,
                zone_data: effect.zone_data,
                unit: effect.unit,
                currency,
                totals: effect.totals,
                provenance: effect.provenance,
                correction: effect.correction,
            };
            let entry = JournalEntry::Posting(posting);
            head = head.append(&entry);
            if let JournalEntry::Posting(posting) = entry {
                self.postings.push(posting);
            }
            let _before: Option<DayTotal> = self.touched.insert(total.key.clone(), total);
        }
        let _moved: Option<Head> = self.heads.insert(account.clone(), head);
        Some(first)
    }

    /// Everything that was made, into what is to be stored.
    pub(super) fn finish(self, writes: &mut Writes) {
        writes.totals = self.touched.into_values().collect();
        writes.heads = self.heads.into_iter().collect();
        writes.postings = self.postings;
    }

    /// A total more must not be one too many for its day, beside those that the item brings before it.
    fn check_groups(&self, key: &TotalKey, done: &[(Effect, DayTotal)]) -> Result<(), ParkReason> {
        let max = self.day_groups_max;
        let stored = self.days.get(&(key.account.clone(), key.day));
        let is_stored = |key: &TotalKey| stored.is_some_and(|open| open.totals.contains_key(key));
        let of_day = |other: &&TotalKey| other.account == key.account && other.day == key.day;
        let first = TotalKey { assignment: 0, ..key.clone() };
        let added = self.touched.range(first..).map(|(other, _)| other).take_while(of_day);
        let added = added.filter(|other| !is_stored(other)).count();
        let is_new = |other: &&TotalKey| !is_stored(other) && !self.touched.contains_key(*other);
        let mine = done.iter().map(|(_, total)| &total.key).filter(of_day).filter(is_new);
        let mine = mine.collect::<BTreeSet<_>>().len();
        let groups = stored.map_or(0, |open| open.totals.len());
        let groups = groups.saturating_add(added).saturating_add(mine);
        if groups < max { Ok(()) } else { Err(ParkReason::TooManyGroups { day: key.day, max }) }
    }

    fn revision(&self, account: &AccountId, day: Day) -> u32 {
        self.days.get(&(account.clone(), day)).map_or(1, |open| open.revision)
    }

    fn total(&self, key: &TotalKey) -> Option<&DayTotal> {
        let stored = || {
            let open = self.days.get(&(key.account.clone(), key.day))?;
            open.totals.get(key)
        };
        self.touched.get(key).or_else(stored)
    }
}

fn out_of_bounds(error: &TotalsError) -> ParkReason {
    ParkReason::TotalOutOfBounds { why: error.to_string() }
}
