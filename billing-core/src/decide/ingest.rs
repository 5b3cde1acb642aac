//! Taking a batch in: each entry is recorded, replayed, in conflict, parked or refused, by itself.

use alloc::{
    boxed::Box,
    collections::{BTreeMap, BTreeSet},
    format,
    string::ToString as _,
    vec::Vec,
};

use compact_str::CompactString;

use crate::{
    account::{Assignment, assignment_on},
    decide::{
        AccountFacts, Batch, Claim, IngestError, IngestFacts, Intake, Limits, ParkReason, Parked,
        PulseSign, Rated, Refusal, StoredItem, Writes,
        facts::{latest, plan_of},
        rate,
    },
    digest::Digest,
    event::{Cause, Head, JournalEntry, Posting},
    id::{AccountId, Group, IntakeId, StrategyId, Unit},
    item::{Fingerprint, Incoming, Item, ItemKey},
    money::Currency,
    plan::Arrival,
    tariff::Provenance,
    time::{Day, Instant, Zone},
    usage::{DayTotal, TotalKey, Totals, TotalsError},
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
    /// Claimed before with other content; nothing was written.
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
    zone_data: CompactString,
    touched: BTreeMap<TotalKey, DayTotal>,
    moved: BTreeMap<AccountId, Head>,
    parked: BTreeMap<ItemKey, Parked>,
    unparked: BTreeSet<ItemKey>,
    writes: Writes,
}

/// One posting to be made, before it has its number.
struct Effect {
    item: ItemKey,
    fingerprint: Fingerprint,
    cause: Cause,
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

/// Where an item is recorded: what is taken back for it, then what it brings, and the day totals with each.
struct Place {
    account: AccountId,
    currency: Currency,
    superseded: Option<ItemKey>,
    effects: Vec<(Effect, DayTotal)>,
}

impl State {
    fn new(facts: IngestFacts, limits: Limits, now: Instant) -> Self {
        Self {
            facts,
            limits,
            now,
            zone_data: CompactString::const_new(Zone::data_version()),
            touched: BTreeMap::new(),
            moved: BTreeMap::new(),
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
        let AccountFacts { settings, assignments, .. } = self.settings(incoming)?;
        self.check_limits(incoming)?;
        let day = settings.zone.day_of(incoming.item.at());
        let assignment = assignment_on(assignments, day).ok_or(ParkReason::NoPlan { day })?;
        let in_calendar = settings.anchor.period_of(day).is_ok();
        let () = in_calendar.then_some(()).ok_or(ParkReason::OutOfCalendar { day })?;
        let plan = plan_of(&self.facts.plans, assignment)?;
        let arrival = Arrival::new(&incoming.item, day, settings.currency);
        let rated = rate(plan, &arrival.with_tariffs(&self.facts.tariffs))?;
        Ok((day, assignment, rated))
    }

    /// Finds where an item belongs and what the day's totals would become.
    fn place(
        &self,
        incoming: &Incoming,
        fingerprint: Fingerprint,
        earlier: Option<&Claim>,
    ) -> Result<Place, ParkReason> {
        let settings = &self.settings(incoming)?.settings;
        let (day, assignment, rated) = self.rated(incoming)?;
        let rated = rated.into_iter();
        let brought = rated.map(|Rated { strategy, group, priced }| Effect {
            item: incoming.key.clone(),
            fingerprint,
            cause: Cause::Rated,
            day,
            assignment: assignment.number,
            strategy,
            group,
            unit: priced.unit,
            totals: priced.totals,
            rules: Posting::RULES,
            zone_data: self.zone_data.clone(),
            provenance: priced.provenance,
        });
        let taken_back = earlier.map_or_else(|| Ok(Vec::new()), |claim| self.taken_back(claim))?;
        let effects = taken_back.into_iter().chain(brought).collect();
        let (account, currency) = (settings.id.clone(), settings.currency);
        let effects = self.with_totals(&account, currency, effects)?;
        let superseded = earlier.map(|claim| claim.key.clone());
        Ok(Place { account, currency, superseded, effects })
    }

    /// The current postings of an earlier record, negated.
    fn taken_back(&self, claim: &Claim) -> Result<Vec<Effect>, ParkReason> {
        let mine = |posting: &&Posting| posting.item == claim.key;
        let stored = self.facts.superseded.get(&claim.key);
        let made = self.writes.postings.iter().filter(mine);
        let postings = stored.into_iter().flatten().chain(made);
        let negated = postings.map(|posting| {
            let totals = posting.totals.checked_neg();
            Ok(Effect {
                item: posting.item.clone(),
                fingerprint: posting.fingerprint,
                cause: Cause::Superseded,
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
        });
        let negated: Vec<Effect> = negated.collect::<Result<_, _>>()?;
        if negated.is_empty() {
            let why = format!("the postings of record {} were not loaded", claim.key);
            return Err(ParkReason::TotalOutOfBounds { why });
        }
        Ok(negated)
    }

    fn check_limits(&self, incoming: &Incoming) -> Result<(), ParkReason> {
        let item = &incoming.item;
        // What has waited to be mended is not late for having waited.
        let parked = self.facts.parked.get(&incoming.key);
        let came = parked.map_or(self.now, |parked| parked.since.min(self.now));
        let Limits { item_future_ms_max, item_past_ms_max, .. } = self.limits;
        let at = item.at();
        // A call that is over ended in the past; one that ends in the far future would hold up every change of its prices.
        let ends = match item {
            Item::Call(call) => at.checked_add_ms(call.duration_ms).unwrap_or(Instant::MAX),
            Item::Pulse(_) | Item::OneOff(_) => at,
        };
        if self.now.checked_add_ms(item_future_ms_max).is_ok_and(|latest| ends > latest) {
            return Err(ParkReason::TooFarAhead { at: ends, max_ms: item_future_ms_max });
        }
        if came.checked_sub_ms(item_past_ms_max).is_ok_and(|earliest| at < earliest) {
            return Err(ParkReason::TooFarBack { at, max_ms: item_past_ms_max });
        }
        match item {
            Item::Call(call) => {
                let (duration_ms, max_ms) = (call.duration_ms, self.limits.call_duration_ms_max);
                if duration_ms > max_ms {
                    return Err(ParkReason::TooLong { duration_ms, max_ms });
                }
            }
            Item::Pulse(pulse) => {
                let refused = self.limits.pulse_sign == PulseSign::NotNegative;
                if refused && pulse.amount.is_negative() {
                    return Err(ParkReason::Negative { amount: pulse.amount });
                }
            }
            Item::OneOff(_) => {}
        }
        Ok(())
    }

    /// The day totals with each of the effects added, one after the other.
    fn with_totals(
        &self,
        account: &AccountId,
        currency: Currency,
        effects: Vec<Effect>,
    ) -> Result<Vec<(Effect, DayTotal)>, ParkReason> {
        let mut done: Vec<(Effect, DayTotal)> = Vec::with_capacity(effects.len());
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

    /// A total more must not be one too many for its day, beside those that the item brings before it.
    fn check_groups(&self, key: &TotalKey, done: &[(Effect, DayTotal)]) -> Result<(), ParkReason> {
        let max = self.limits.day_groups_max;
        let stored = self.facts.days.get(&(key.account.clone(), key.day));
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
        self.facts.days.get(&(account.clone(), day)).map_or(1, |open| open.revision)
    }

    fn total(&self, key: &TotalKey) -> Option<&DayTotal> {
        let stored = || {
            let open = self.facts.days.get(&(key.account.clone(), key.day))?;
            open.totals.get(key)
        };
        self.touched.get(key).or_else(stored)
    }

    fn record(
        &mut self,
        incoming: &Incoming,
        fingerprint: Fingerprint,
        place: Place,
    ) -> Result<Receipt, IngestError> {
        let Place { account, currency, superseded, effects } = place;
        let mut head = self.head(&account);
        let full = || IngestError::JournalFull { account: account.clone() };
        let (mut first_seq, mut postings, mut taken_back) = (None, 0_u32, None);
        for (effect, total) in effects {
            let seq = head.next().ok_or_else(full)?;
            match effect.cause {
                Cause::Rated => {
                    first_seq = first_seq.or(Some(seq));
                    postings = postings.saturating_add(1);
                }
                Cause::Superseded => taken_back = taken_back.or(Some(seq)),
            }
            let posting = Posting {
                account: account.clone(),
                seq,
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
            };
            let entry = JournalEntry::Posting(posting);
            head = head.append(&entry);
            if let JournalEntry::Posting(posting) = entry {
                self.writes.postings.push(posting);
            }
            let _before: Option<DayTotal> = self.touched.insert(total.key.clone(), total);
        }
        let _moved: Option<Head> = self.moved.insert(account.clone(), head);
        if let Some((key, seq)) = superseded.zip(taken_back) {
            self.move_on(&key, seq);
        }
        // A plan rates an item at least once, or it is parked.
        let first_seq = first_seq.unwrap_or(0);
        self.claim(incoming, fingerprint, &account, (first_seq, postings));
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
        };
        self.unpark(&incoming.key);
        let _none: Option<Claim> = self.facts.claims.insert(claim.key.clone(), claim.clone());
        self.writes.items.push(StoredItem { claim, item: incoming.item.clone(), postings });
    }

    /// The current postings of an item are others from here on.
    fn move_on(&mut self, key: &ItemKey, seq: u64) {
        if let Some(claim) = self.facts.claims.get_mut(key) {
            claim.current_seq = seq;
        }
        match self.writes.items.iter_mut().find(|item| item.claim.key == *key) {
            Some(item) => item.claim.current_seq = seq,
            None => self.writes.moved.push((key.clone(), seq)),
        }
    }

    fn head(&self, account: &AccountId) -> Head {
        let stored = || self.facts.accounts.get(account).map(|facts| facts.head);
        self.moved.get(account).copied().or_else(stored).unwrap_or(Head::EMPTY)
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
        self.writes.totals = self.touched.into_values().collect();
        self.writes.heads = self.moved.into_iter().collect();
        self.writes.parked = self.parked.into_values().collect();
        self.writes.unparked = self.unparked.into_iter().collect();
        Ok(Ingested { receipts, intake, writes: self.writes })
    }
}

fn answer_again(claim: &Claim, incoming: &Incoming, given: Fingerprint) -> Receipt {
    if claim.fingerprint.is_of(incoming.account.as_ref(), &incoming.item) {
        let Claim { account, first_seq, current_seq, .. } = claim.clone();
        Receipt::Replayed { account, first_seq, current_seq }
    } else {
        Receipt::Conflict { claimed: claim.fingerprint, given }
    }
}

fn out_of_bounds(error: &TotalsError) -> ParkReason {
    ParkReason::TotalOutOfBounds { why: error.to_string() }
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
