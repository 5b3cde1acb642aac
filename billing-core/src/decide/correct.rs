//! Correcting what was recorded: the old effect is taken back, and what is right is posted.

use alloc::{
    boxed::Box,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    vec::Vec,
};

use crate::{
    correction::{Change, Correction, CorrectionReport, Counted, ItemChange, RecordedCorrection},
    decide::{
        AccountFacts, Claim, CorrectError, Limits, Moved, OpenDay, ParkReason, Plans, Rated,
        StoredItem, Writes,
        effect::{Effect, Folding, Payer, Reason},
        facts::latest,
        rate::rated_for,
    },
    event::Posting,
    id::AccountId,
    item::{Fingerprint, Item, ItemKey},
    money::Currency,
    tariff::Tariffs,
    time::{Day, Instant},
};

/// What must be known to correct some items, read under the locks of their accounts.
#[derive(Clone, Debug)]
pub struct CorrectFacts {
    /// The accounts of the items.
    pub accounts: BTreeMap<AccountId, AccountFacts>,
    /// The plans of their assignments.
    pub plans: Plans,
    /// The tariffs that these plans may ask, with those that they fall back on.
    pub tariffs: Arc<Tariffs>,
    /// The claims of all records of the usage, where one item is taken back or amended.
    pub claims: BTreeMap<ItemKey, Claim>,
    /// The postings that count now, of each item in the order of their numbers.
    pub postings: BTreeMap<ItemKey, Vec<Posting>>,
    /// The open revisions of the days touched; a day not here has no totals yet.
    pub days: BTreeMap<(AccountId, Day), OpenDay>,
}

/// What correcting some items decided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Corrected {
    /// What changes.
    pub report: CorrectionReport,
    /// What cannot be priced as it would have to be; if there is any, nothing is to be stored.
    pub unpriced: Vec<(ItemKey, ParkReason)>,
    /// What to store.
    pub writes: Writes,
}

/// What is answered to a correction whose id is claimed: the first report, `None` if it is new.
///
/// # Errors
///
/// [`CorrectError::Differs`] if it was asked for with other content.
///
/// # Examples
///
/// ```
/// use billing_core::{
///     correction::{Change, Correction, CorrectionReport, Selection},
///     decide::{record_correction, replayed_correction},
/// };
///
/// let change = Change::Rerate { selection: Selection::all() };
/// let correction = Correction { id: "june".parse()?, reason: "a new deck".into(), change };
/// assert_eq!(replayed_correction(None, &correction), Ok(None));
/// let (report, now) = (CorrectionReport::default(), "2026-10-05T12:00:00Z".parse()?);
/// let recorded = record_correction(&correction, report.clone(), now).corrections.remove(0);
/// assert_eq!(replayed_correction(Some(&recorded), &correction), Ok(Some(report)));
/// let other = Correction { reason: "another deck".into(), ..correction };
/// assert!(replayed_correction(Some(&recorded), &other).is_err());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub fn replayed_correction(
    recorded: Option<&RecordedCorrection>,
    correction: &Correction,
) -> Result<Option<CorrectionReport>, CorrectError> {
    match recorded {
        None => Ok(None),
        Some(recorded) if recorded.is_of(correction) => Ok(Some(recorded.report.clone())),
        Some(_) => Err(CorrectError::Differs { id: correction.id.clone() }),
    }
}

/// Claims the id of a correction for ever, with its report.
///
/// # Examples
///
/// See [`replayed_correction`].
#[must_use]
pub fn record_correction(
    correction: &Correction,
    report: CorrectionReport,
    now: Instant,
) -> Writes {
    let corrections = alloc::vec![RecordedCorrection::of(correction, now, report)];
    Writes { corrections, ..Writes::default() }
}

/// The (account, day) pairs a correction may add to: what must be loaded of day totals.
///
/// These are the days of the postings that count now, and those that the items belong to.
///
/// # Examples
///
/// ```
/// use std::collections::BTreeMap;
///
/// use billing_core::{correction::{Change, Selection}, decide::days_corrected};
///
/// let change = Change::Rerate { selection: Selection::all() };
/// assert!(days_corrected(&change, &[], &BTreeMap::new(), &BTreeMap::new()).is_empty());
/// ```
#[must_use]
pub fn days_corrected(
    change: &Change,
    items: &[StoredItem],
    accounts: &BTreeMap<AccountId, AccountFacts>,
    postings: &BTreeMap<ItemKey, Vec<Posting>>,
) -> BTreeSet<(AccountId, Day)> {
    let posted = postings.values().flatten();
    let posted = posted.map(|posting| (posting.account.clone(), posting.day));
    let mine = items.iter().filter_map(|item| {
        let zone = &accounts.get(&item.claim.account)?.settings.zone;
        Some((item.claim.account.clone(), zone.day_of(content(change, item)?.at())))
    });
    posted.chain(mine).collect()
}

/// Decides what a correction makes of some items.
///
/// An item that is the same under what is in force now stays as it is. What cannot be priced is told in the answer: then nothing is
/// to be stored.
///
/// # Errors
///
/// [`CorrectError::Superseded`] if a later record counts in place of the one that is to be corrected, [`CorrectError::OtherKind`]
/// if an item would become one of another kind, [`CorrectError::JournalFull`] if a journal has no numbers left,
/// [`CorrectError::Money`] if a sum of the report leaves its bounds; [`CorrectError::NoAccount`] and [`CorrectError::Missing`] if
/// the facts are not of these items.
///
/// # Examples
///
/// ```
/// use std::{collections::BTreeMap, sync::Arc};
///
/// use billing_core::{
///     correction::{Change, Correction, Selection},
///     decide::{CorrectFacts, Limits, correct},
/// };
///
/// let change = Change::Rerate { selection: Selection::all() };
/// let correction = Correction { id: "june".parse()?, reason: "a new deck".into(), change };
/// let facts = CorrectFacts {
///     accounts: BTreeMap::new(),
///     plans: BTreeMap::new(),
///     tariffs: Arc::default(),
///     claims: BTreeMap::new(),
///     postings: BTreeMap::new(),
///     days: BTreeMap::new(),
/// };
/// let now = "2026-10-05T12:00:00Z".parse()?;
/// let corrected = correct(facts, &correction, &[], &Limits::default(), now)?;
/// assert_eq!(corrected.report.examined, 0); // there was nothing to rate
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub fn correct(
    mut facts: CorrectFacts,
    correction: &Correction,
    items: &[StoredItem],
    limits: &Limits,
    now: Instant,
) -> Result<Corrected, CorrectError> {
    let folding = Folding::new(core::mem::take(&mut facts.days), limits.day_groups_max);
    let done = Corrected::default();
    let mut state = State { facts, correction, limits, now, folding, done };
    for item in items {
        if state.is_erased(item)? {
            state.done.report.keep_erased();
            continue;
        }
        state.check(item)?;
        match state.rated(item) {
            Ok(right) => state.make(item, right)?,
            Err(reason) => state.done.unpriced.push((item.claim.key.clone(), reason)),
        }
    }
    let State { folding, mut done, .. } = state;
    folding.finish(&mut done.writes);
    Ok(done)
}

/// The content that an item has after a change; `None` if it is taken back.
fn content<'a>(change: &'a Change, item: &'a StoredItem) -> Option<&'a Item> {
    match change {
        Change::Void { .. } => None,
        Change::Amend { item, .. } => Some(item),
        Change::Rerate { .. } | Change::ActivateTariff { .. } | Change::AssignPlan { .. } => {
            Some(item.content())
        }
    }
}

/// The facts of a correction, moving on as its items are taken.
struct State<'a> {
    facts: CorrectFacts,
    correction: &'a Correction,
    limits: &'a Limits,
    now: Instant,
    folding: Folding,
    done: Corrected,
}

/// What an item should count as.
struct Right {
    fingerprint: Fingerprint,
    amended: Option<Box<Item>>,
    place: (Day, u32),
    rated: Vec<Rated>,
}

impl State<'_> {
    /// Whether an item is left out, because its persons are erased.
    fn is_erased(&self, item: &StoredItem) -> Result<bool, CorrectError> {
        let key = || item.claim.key.clone();
        match &self.correction.change {
            _ if !item.erased => Ok(false),
            Change::Void { .. } => Ok(false),
            Change::Rerate { .. } | Change::ActivateTariff { .. } => Ok(true),
            // It would have to move to another plan, or be given persons again.
            Change::Amend { .. } | Change::AssignPlan { .. } => {
                Err(CorrectError::Erased { key: key() })
            }
        }
    }

    /// One item is corrected by its key: it is the record that counts, and stays of its kind.
    fn check(&self, item: &StoredItem) -> Result<(), CorrectError> {
        let key = &item.claim.key;
        let theirs = match &self.correction.change {
            Change::Void { .. } => None,
            Change::Amend { item, .. } => Some(item.kind()),
            Change::Rerate { .. } | Change::ActivateTariff { .. } | Change::AssignPlan { .. } => {
                return Ok(());
            }
        };
        if let Some(by) = latest(&self.facts.claims, key).filter(|by| by.key.supersedes(key)) {
            let (key, by) = (Box::new(key.clone()), Box::new(by.key.clone()));
            return Err(CorrectError::Superseded { key, by });
        }
        let ours = item.item.kind();
        match theirs.filter(|theirs| *theirs != ours) {
            None => Ok(()),
            Some(theirs) => {
                let key = Box::new(key.clone());
                Err(CorrectError::OtherKind { key, ours, theirs })
            }
        }
    }

    /// What an item should count as; `None` if it is taken back.
    fn rated(&self, item: &StoredItem) -> Result<Option<Right>, ParkReason> {
        let StoredItem { claim, item: reported, .. } = item;
        let Some(content) = content(&self.correction.change, item) else { return Ok(None) };
        let account = self.facts.accounts.get(&claim.account);
        let account = account.ok_or(ParkReason::UnknownAccount)?;
        if let Change::Amend { .. } = &self.correction.change {
            // What was reported in time is not late for being corrected.
            let came = self.now.min(reported.at());
            self.limits.check_item(content, came, self.now)?;
        }
        let CorrectFacts { plans, tariffs, .. } = &self.facts;
        let (day, assignment, rated) = rated_for(account, plans, tariffs, content)?;
        let place = (day, assignment.number);
        let is_reported = *content == *reported;
        let amended = (!is_reported).then(|| Box::new(content.clone()));
        let fingerprint = if is_reported {
            claim.fingerprint
        } else {
            Fingerprint::of(Some(&claim.account), content)
        };
        Ok(Some(Right { fingerprint, amended, place, rated }))
    }

    fn make(&mut self, item: &StoredItem, right: Option<Right>) -> Result<(), CorrectError> {
        let claim = &item.claim;
        let key = &claim.key;
        let before = self.facts.postings.remove(key).unwrap_or_default();
        if u32::try_from(before.len()) != Ok(claim.effective) {
            return Err(CorrectError::Missing { key: Box::new(key.clone()) });
        }
        let stays = right.as_ref().map_or(before.is_empty(), |right| right.is(&before));
        if stays {
            self.done.report.keep();
            return Ok(());
        }
        let no_account = || CorrectError::NoAccount { key: Box::new(key.clone()) };
        let AccountFacts { settings, head, .. } =
            self.facts.accounts.get(&claim.account).ok_or_else(no_account)?;
        let (account, currency) = (&settings.id, settings.currency);
        let payer = Payer { account, currency, head: *head };
        let why =
            Reason { cause: self.correction.change.cause(), correction: Some(&self.correction.id) };
        let taken_back = before.iter().map(|posting| Effect::taking_back(posting, why));
        let effects: Result<Vec<Effect>, ParkReason> = taken_back.collect();
        // The digest of what is left of an erased item covers its content in force too.
        let mut amended = claim.amended.clone().filter(|_| item.erased);
        let (mut effective, mut after) = (0_u32, Vec::new());
        let folded = effects.and_then(|mut effects| {
            if let Some(Right { fingerprint, amended: content, place, rated }) = right {
                amended = content;
                effective = u32::try_from(rated.len()).unwrap_or(u32::MAX);
                after = rated.iter().map(|rated| counted(rated, place.0, currency)).collect();
                let of = (key, fingerprint);
                let bring = |rated: Rated| Effect::bringing(rated, of, place, why);
                effects.extend(rated.into_iter().map(bring));
            }
            self.folding.fold(payer, effects)
        });
        let folded = match folded {
            Ok(folded) => folded,
            Err(reason) => {
                self.done.unpriced.push((key.clone(), reason));
                return Ok(());
            }
        };
        let full = || CorrectError::JournalFull { account: account.clone() };
        let first = self.folding.post(payer, folded).ok_or_else(full)?;
        let taken_back = if effective == 0 { 0 } else { u64::from(claim.effective) };
        let current_seq = first.saturating_add(taken_back);
        let key = key.clone();
        self.done.writes.moved.push(Moved { key: key.clone(), current_seq, effective, amended });
        let before = before.iter().map(Counted::from).collect();
        let account = account.clone();
        Ok(self.done.report.change(ItemChange { key, account, before, after })?)
    }
}

impl Right {
    /// Whether postings are what the item should count as.
    fn is(&self, postings: &[Posting]) -> bool {
        let is = |(posting, rated): (&Posting, &Rated)| {
            (posting.day, posting.assignment) == self.place
                && posting.fingerprint == self.fingerprint
                && posting.strategy == rated.strategy
                && posting.group == rated.group
                && posting.unit == rated.priced.unit
                && posting.totals == rated.priced.totals
                && posting.provenance == rated.priced.provenance
        };
        postings.len() == self.rated.len() && postings.iter().zip(&self.rated).all(is)
    }
}

fn counted(rated: &Rated, day: Day, currency: Currency) -> Counted {
    Counted {
        day,
        strategy: rated.strategy.clone(),
        group: rated.group.clone(),
        unit: rated.priced.unit.clone(),
        currency,
        totals: rated.priced.totals,
    }
}
