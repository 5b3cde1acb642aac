//! Taking a batch in: each entry is recorded, replayed, in conflict, parked or refused, by itself.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    format,
    string::ToString as _,
    vec::Vec,
};

use crate::{
    account::Assignment,
    decide::{
        AccountFacts, Batch, Claim, IngestError, IngestFacts, Intake, Limits, Moved, ParkReason,
        Parked, Rated, Refusal, StoredItem, Writes,
        effect::{Effect, Folded, Folding, Payer, Reason},
        facts::latest,
        rate::rated_for,
    },
    digest::Digest,
    event::{Cause, Head, Posting},
    id::{AccountId, IntakeId},
    item::{Fingerprint, Incoming, ItemKey},
    money::Currency,
    time::{Day, Instant},
};

/// What became of one entry of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// Recorded now: claimed for ever, with postings numbered from here in the account's journal.
    Recorded {
        /// Who pays.
        account: AccountId,
        /// The first posting's number.
        first_seq: u64,
    },
    /// Recorded now, and without effect: a later record of the same usage was there before it.
    Superseded {
        /// Who pays.
        account: AccountId,
        /// The later record.
        by: ItemKey,
    },
    /// Recorded before with the same content; nothing was written.
    Replayed {
        /// Who pays.
        account: AccountId,
        /// The first posting's number.
        first_seq: u64,
        /// The first number of its current postings.
        current_seq: u64,
    },
    /// Claimed before with other content; nothing was written. Content that a correction gave the item is no other.
    Conflict {
        /// The fingerprint that is claimed.
        claimed: Fingerprint,
        /// The fingerprint that was given.
        given: Fingerprint,
    },
    /// Kept until its reason is mended.
    Parked(ParkReason),
    /// Not decoded; its raw text and place are kept.
    Refused,
}

/// What taking a batch in decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ingested {
    /// One answer for each entry, in the batch's order.
    pub receipts: Vec<Receipt>,
    /// The account of the batch, as answered this time.
    pub intake: Intake,
    /// What to store.
    pub writes: Writes,
}

/// Decides what becomes of every entry of a batch.
///
/// # Errors
///
/// [`IngestError::TooLarge`] if the batch has too many entries, [`IngestError::JournalFull`] if a journal has no numbers left;
/// then nothing is to be stored.
///
/// # Examples
///
/// ```
/// use std::{collections::BTreeMap, sync::Arc};
///
/// use billing_core::decide::{Batch, IngestFacts, Limits, ParkReason, Receipt, Refusal, ingest};
/// # use billing_core::item::CallEnded;
///
/// # let call: CallEnded = serde_json::from_str(
/// #     r#"{"key":{"source":"pbx","id":"1"},"account":"alice",
/// #         "call":{"start":"2026-10-05T08:00:00Z","duration_ms":4500000,"caller":"","callee":"",
/// #                 "disposition":"answered","direction":"outbound"}}"#,
/// # )?;
/// # let refusal = Refusal { place: "line 2".into(), reason: "no start".into(), raw: String::new() };
/// let batch = Batch { label: "cdr.csv".into(), entries: vec![Ok(call.into()), Err(refusal)] };
/// let facts = IngestFacts {
///     accounts: BTreeMap::new(), // none of those named is open
///     plans: BTreeMap::new(),
///     tariffs: Arc::default(),
///     claims: BTreeMap::new(),
///     superseded: BTreeMap::new(),
///     parked: BTreeMap::new(),
///     days: BTreeMap::new(),
///     batch: batch.id()?,
///     intake: None,
/// };
/// let taken = ingest(facts, &batch, Limits::default(), "2026-10-05T12:00:00Z".parse()?)?;
/// assert_eq!(taken.receipts, [Receipt::Parked(ParkReason::UnknownAccount), Receipt::Refused]);
/// assert!(taken.intake.balances());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub fn ingest(
    facts: IngestFacts,
    batch: &Batch,
    limits: Limits,
    now: Instant,
) -> Result<Ingested, IngestError> {
    limits.check(batch)?;
    let mut state = State::new(facts, limits, now);
    let receipts = batch.entries.iter().map(|entry| state.take(entry)).collect::<Result<_, _>>()?;
    state.finish(batch, receipts)
}

/// The facts of a batch, moving on as its entries are taken.
struct State {
    facts: IngestFacts,
    limits: Limits,
    now: Instant,
    folding: Folding,
    parked: BTreeMap<ItemKey, Parked>,
    unparked: BTreeSet<ItemKey>,
    writes: Writes,
}

/// Where an item is recorded: what is taken back for it, then what it brings, and the day totals with each.
struct Place {
    account: AccountId,
    currency: Currency,
    superseded: Option<ItemKey>,
    /// How many of the effects take back.
    taken_back: u32,
    /// How many of them the item brings.
    brought: u32,
    effects: Folded,
}

impl State {
    fn new(mut facts: IngestFacts, limits: Limits, now: Instant) -> Self {
        let folding = Folding::new(core::mem::take(&mut facts.days), limits.day_groups_max);
        Self {
            facts,
            limits,
            now,
            folding,
            parked: BTreeMap::new(),
            unparked: BTreeSet::new(),
            writes: Writes::default(),
        }
    }

    fn take(&mut self, entry: &Result<Incoming, Refusal>) -> Result<Receipt, IngestError> {
        let incoming = match entry {
            Ok(incoming) => incoming,
            Err(refusal) => {
                self.writes.refusals.push(refusal.clone());
                return Ok(Receipt::Refused);
            }
        };
        let given = incoming.fingerprint();
        if let Some(claim) = self.facts.claims.get(&incoming.key) {
            return Ok(answer_again(claim, incoming, given));
        }
        match self.settings(incoming).and_then(|_| self.earlier(incoming)) {
            Err(reason) => Ok(self.park(incoming, reason)),
            // Somebody decided what this usage counts as: a record that comes after that is not to undo it unseen.
            Ok(Some(claim)) if incoming.key.supersedes(&claim.key) && claim.is_decided() => {
                let other = claim.key.clone();
                Ok(self.park(incoming, ParkReason::Corrected { other }))
            }
            Ok(Some(claim)) if claim.key.supersedes(&incoming.key) => {
                let by = claim.key.clone();
                // What cannot be billed is parked, whether the later record came before it or is still to come.
                match self.rated(incoming) {
                    Ok(_) => Ok(self.record_superseded(incoming, given, by)),
                    Err(reason) => Ok(self.park(incoming, reason)),
                }
            }
            Ok(earlier) => match self.place(incoming, given, earlier) {
                Ok(place) => self.record(incoming, given, place),
                Err(reason) => Ok(self.park(incoming, reason)),
            },
        }
    }

    fn settings(&self, incoming: &Incoming) -> Result<&AccountFacts, ParkReason> {
        let account = incoming.account.as_ref().and_then(|id| self.facts.accounts.get(id));
        account.ok_or(ParkReason::UnknownAccount)
    }

    /// The latest other record of the same usage; all of them are one account's.
    fn earlier(&self, incoming: &Incoming) -> Result<Option<&Claim>, ParkReason> {
        match latest(&self.facts.claims, &incoming.key) {
            Some(claim) if Some(&claim.account) != incoming.account.as_ref() => {
                Err(ParkReason::OtherPayer { other: claim.key.clone() })
            }
            found => Ok(found),
        }
    }

    /// The day of an item, under which assignment it is rated, and as what; without what else the day holds.
    fn rated(&self, incoming: &Incoming) -> Result<(Day, &Assignment, Vec<Rated>), ParkReason> {
        let account = self.settings(incoming)?;
        self.check_limits(incoming)?;
        rated_for(account, &self.facts.plans, &self.facts.tariffs, &incoming.item)
    }

    /// Finds where an item belongs and what the day's totals would become.
    fn place(
        &self,
        incoming: &Incoming,
        fingerprint: Fingerprint,
        earlier: Option<&Claim>,
    ) -> Result<Place, ParkReason> {
        let AccountFacts { settings, head, .. } = self.settings(incoming)?;
        let (day, assignment, rated) = self.rated(incoming)?;
        let why = Reason { cause: Cause::Rated, correction: None };
        let (of, place) = ((&incoming.key, fingerprint), (day, assignment.number));
        let brought: Vec<_> =
            rated.into_iter().map(|rated| Effect::bringing(rated, of, place, why)).collect();
        let taken_back = earlier.map_or_else(|| Ok(Vec::new()), |claim| self.taken_back(claim))?;
        let (account, currency) = (settings.id.clone(), settings.currency);
        let payer = Payer { account: &account, currency, head: *head };
        let (taken, new) = (count_of(&taken_back), count_of(&brought));
        let effects = self.folding.fold(payer, taken_back.into_iter().chain(brought))?;
        let superseded = earlier.map(|claim| claim.key.clone());
        Ok(Place { account, currency, superseded, taken_back: taken, brought: new, effects })
    }

    /// The current postings of an earlier record, negated.
    fn taken_back(&self, claim: &Claim) -> Result<Vec<Effect>, ParkReason> {
        let mine = |posting: &&Posting| posting.item == claim.key;
        let stored = self.facts.superseded.get(&claim.key);
        let made = self.folding.postings().iter().filter(mine);
        let postings = stored.into_iter().flatten().chain(made);
        let why = Reason { cause: Cause::Superseded, correction: None };
        let negated = postings.map(|posting| Effect::taking_back(posting, why));
        let negated: Vec<Effect> = negated.collect::<Result<_, _>>()?;
        if negated.is_empty() {
            let why = format!("the postings of record {} were not loaded", claim.key);
            return Err(ParkReason::TotalOutOfBounds { why });
        }
        Ok(negated)
    }

    fn check_limits(&self, incoming: &Incoming) -> Result<(), ParkReason> {
        // What has waited to be mended is not late for having waited.
        let parked = self.facts.parked.get(&incoming.key);
        let came = parked.map_or(self.now, |parked| parked.since.min(self.now));
        self.limits.check_item(&incoming.item, came, self.now)
    }

    fn record(
        &mut self,
        incoming: &Incoming,
        fingerprint: Fingerprint,
        place: Place,
    ) -> Result<Receipt, IngestError> {
        let Place { account, currency, superseded, taken_back, brought, effects } = place;
        let head = self.facts.accounts.get(&account).map_or(Head::EMPTY, |facts| facts.head);
        let payer = Payer { account: &account, currency, head };
        let full = || IngestError::JournalFull { account: account.clone() };
        let first = self.folding.post(payer, effects).ok_or_else(full)?;
        if let Some(key) = superseded {
            self.take_back(&key, first);
        }
        let first_seq = first.saturating_add(u64::from(taken_back));
        self.claim(incoming, fingerprint, &account, (first_seq, brought));
        Ok(Receipt::Recorded { account, first_seq })
    }

    /// Keeps a record that came after a later one of the same usage: claimed, and without effect.
    fn record_superseded(
        &mut self,
        incoming: &Incoming,
        fingerprint: Fingerprint,
        by: ItemKey,
    ) -> Receipt {
        let account = incoming.account.as_ref().and_then(|id| self.facts.accounts.get(id));
        let Some(account) = account.map(|facts| facts.settings.id.clone()) else {
            return self.park(incoming, ParkReason::UnknownAccount);
        };
        self.claim(incoming, fingerprint, &account, (0, 0));
        Receipt::Superseded { account, by }
    }

    fn claim(
        &mut self,
        incoming: &Incoming,
        fingerprint: Fingerprint,
        account: &AccountId,
        (first_seq, postings): (u64, u32),
    ) {
        let claim = Claim {
            key: incoming.key.clone(),
            account: account.clone(),
            fingerprint,
            first_seq,
            current_seq: first_seq,
            effective: postings,
            amended: None,
        };
        self.unpark(&incoming.key);
        let _none: Option<Claim> = self.facts.claims.insert(claim.key.clone(), claim.clone());
        self.writes.items.push(StoredItem {
            claim,
            item: incoming.item.clone(),
            postings,
            erased: false,
        });
    }

    /// The postings of an item are taken back from a number on.
    fn take_back(&mut self, key: &ItemKey, seq: u64) {
        let moved = Moved { key: key.clone(), current_seq: seq, effective: 0, amended: None };
        if let Some(claim) = self.facts.claims.get_mut(key) {
            claim.move_on(&moved);
        }
        match self.writes.items.iter_mut().find(|item| item.claim.key == *key) {
            Some(item) => item.claim.move_on(&moved),
            None => self.writes.moved.push(moved),
        }
    }

    fn unpark(&mut self, key: &ItemKey) {
        let _was_to_park: Option<Parked> = self.parked.remove(key);
        if self.facts.parked.contains_key(key) {
            let _new: bool = self.unparked.insert(key.clone());
        }
    }

    fn park(&mut self, incoming: &Incoming, reason: ParkReason) -> Receipt {
        let stored = self.facts.parked.get(&incoming.key);
        let since = stored.map_or(self.now, |parked| parked.since);
        let parked = Parked { incoming: incoming.clone(), reason: reason.clone(), since };
        // What is parked already with the same content and reason is left as it is.
        let same = stored == Some(&parked);
        let _before: Option<Parked> = if same {
            self.parked.remove(&incoming.key)
        } else {
            self.parked.insert(incoming.key.clone(), parked)
        };
        Receipt::Parked(reason)
    }

    fn finish(mut self, batch: &Batch, receipts: Vec<Receipt>) -> Result<Ingested, IngestError> {
        let mut intake = count(self.facts.batch.clone(), &batch.label, &receipts, self.now);
        let writes = &mut self.writes;
        let changed =
            !writes.items.is_empty() || !self.parked.is_empty() || !self.unparked.is_empty();
        match &self.facts.intake {
            None => writes.intake = Some(intake.clone()),
            // A batch that comes again and changes something, because what it waited for was mended, leaves a record more.
            Some(first) if changed => {
                intake.id = again(first, &receipts, self.now)?;
                writes.intake = Some(intake.clone());
            }
            Some(_) => writes.refusals.clear(),
        }
        self.folding.finish(&mut self.writes);
        self.writes.parked = self.parked.into_values().collect();
        self.writes.unparked = self.unparked.into_iter().collect();
        Ok(Ingested { receipts, intake, writes: self.writes })
    }
}

fn answer_again(claim: &Claim, incoming: &Incoming, given: Fingerprint) -> Receipt {
    let amended = claim.amended.as_deref() == Some(&incoming.item)
        && incoming.account.as_ref() == Some(&claim.account);
    if amended || claim.fingerprint.is_of(incoming.account.as_ref(), &incoming.item) {
        let Claim { account, first_seq, current_seq, .. } = claim.clone();
        Receipt::Replayed { account, first_seq, current_seq }
    } else {
        Receipt::Conflict { claimed: claim.fingerprint, given }
    }
}

fn count_of(effects: &[Effect]) -> u32 {
    u32::try_from(effects.len()).unwrap_or(u32::MAX)
}

/// The id of a batch that came again: no two times have the same, because no two record the same postings.
fn again(first: &Intake, receipts: &[Receipt], now: Instant) -> Result<IntakeId, IngestError> {
    let digest = Digest::of().text(first.id.as_str()).number(now.micros());
    let digest = receipts.iter().fold(digest, |digest, receipt| match receipt {
        Receipt::Recorded { account, first_seq } => {
            digest.text(account.as_str()).number(*first_seq)
        }
        Receipt::Superseded { by, .. } => digest.text(&by.to_string()),
        Receipt::Parked(reason) => digest.text(&reason.to_string()),
        Receipt::Replayed { .. } | Receipt::Conflict { .. } | Receipt::Refused => digest,
    });
    Ok(IntakeId::try_new(digest.finish().to_string())?)
}

fn count(id: IntakeId, label: &str, receipts: &[Receipt], at: Instant) -> Intake {
    let number = |which: fn(&Receipt) -> bool| {
        u64::try_from(receipts.iter().filter(|receipt| which(receipt)).count()).unwrap_or(u64::MAX)
    };
    Intake {
        id,
        label: label.into(),
        at,
        received: number(|_| true),
        recorded: number(|receipt| {
            matches!(receipt, Receipt::Recorded { .. } | Receipt::Superseded { .. })
        }),
        replayed: number(|receipt| matches!(receipt, Receipt::Replayed { .. })),
        conflict: number(|receipt| matches!(receipt, Receipt::Conflict { .. })),
        parked: number(|receipt| matches!(receipt, Receipt::Parked(_))),
        refused: number(|receipt| matches!(receipt, Receipt::Refused)),
    }
}
