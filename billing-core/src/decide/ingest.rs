//! Taking a batch in: each entry is recorded, replayed, in conflict, parked or refused, by itself.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    format,
    string::{String, ToString as _},
    sync::Arc,
    vec::Vec,
};

use compact_str::CompactString;

use crate::{
    account::assignment_on,
    decide::{
        AccountFacts, Batch, Claim, IngestError, Intake, Limits, ParkReason, Parked, Rated,
        Refusal, StoredItem, Writes, rate,
    },
    digest::Digest,
    event::{Cause, Head, JournalEntry, Posting},
    id::{AccountId, IntakeId, PlanId},
    item::{Fingerprint, Incoming, Item, ItemKey},
    money::Currency,
    plan::{BuildPlanError, Plan},
    time::{Day, Instant, Zone},
    usage::{DayTotal, TotalKey},
};

/// The plans that assignments name, built or not.
pub type Plans = BTreeMap<(PlanId, u32), Result<Arc<Plan>, BuildPlanError>>;

/// The open revision of one account's day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenDay {
    /// The revision that takes postings.
    pub revision: u32,
    /// Its totals so far.
    pub totals: BTreeMap<TotalKey, DayTotal>,
}

impl OpenDay {
    /// Finds the open revision among a day's totals of all revisions.
    ///
    /// It is one more than the last closed one, 1 if none is closed.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::{decide::OpenDay, usage::DayTotal};
    ///
    /// # let total: DayTotal = serde_json::from_str(
    /// #     r#"{"key":{"account":"alice","day":"2026-10-05","assignment":1,"strategy":"calls",
    /// #                "group":"calls","revision":1},"unit":"ms","currency":"EUR",
    /// #         "totals":{"count":1,"quantity":"61000","amount":null},"closed":false,"billed":false}"#,
    /// # )?;
    /// assert_eq!(OpenDay::of(vec![total.clone()]).totals.len(), 1);
    /// let closed = OpenDay::of(vec![DayTotal { closed: true, billed: true, ..total }]);
    /// assert_eq!((closed.revision, closed.totals.len()), (2, 0));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn of(totals: Vec<DayTotal>) -> Self {
        let closed = totals.iter().filter(|total| total.closed).map(|total| total.key.revision);
        let revision = closed.max().unwrap_or(0).saturating_add(1);
        let open = totals.into_iter().filter(|total| total.key.revision == revision);
        Self { revision, totals: open.map(|total| (total.key.clone(), total)).collect() }
    }
}

/// What must be known to take a batch in, read under the locks of its accounts.
#[derive(Clone, Debug)]
pub struct IngestFacts {
    /// The accounts that exist among those named.
    pub accounts: BTreeMap<AccountId, AccountFacts>,
    /// The plans of their assignments.
    pub plans: Plans,
    /// The keys that are claimed among those given.
    pub claims: BTreeMap<ItemKey, Claim>,
    /// The keys that are parked among those given.
    pub parked: BTreeMap<ItemKey, Parked>,
    /// The open revisions of the days touched; a day not here has no totals yet.
    pub days: BTreeMap<(AccountId, Day), OpenDay>,
    /// The batch's own id, [`Batch::id`].
    pub batch: IntakeId,
    /// The batch's first record, if it was taken in before.
    pub intake: Option<Intake>,
}

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

/// The (account, day) pairs a batch may add to: what must be loaded of day totals.
///
/// # Examples
///
/// ```
/// use std::collections::BTreeMap;
///
/// use billing_core::{decide::{Batch, days_touched}, item::CallEnded};
///
/// # use billing_core::{
/// #     account::{AccountSettings, Assignment}, decide::AccountFacts, digest::Digest, event::Head,
/// # };
/// # let settings: AccountSettings = serde_json::from_str(
/// #     r#"{"id":"alice","currency":"EUR","zone":"Europe/Berlin",
/// #         "anchor":{"from":"2026-10-01","months":1}}"#,
/// # )?;
/// # let (plan, digest) = ("basic".parse()?, Digest::ZERO);
/// # let basic = Assignment { number: 1, from: "2026-10-01".parse()?, plan, version: 1, digest };
/// # let (head, assignments) = (Head::EMPTY, vec![basic]);
/// # let account = AccountFacts { settings, head, assignments, invoiced_until: None };
/// # let mut call: CallEnded = serde_json::from_str(
/// #     r#"{"key":{"source":"pbx","id":"1"},"account":"alice",
/// #         "call":{"start":"2026-10-05T08:00:00Z","duration_ms":4500000,"caller":"","callee":"",
/// #                 "disposition":"answered","direction":"outbound"}}"#,
/// # )?;
/// call.call.start = "2026-10-04T22:30:00Z".parse()?; // after midnight in Berlin
/// let batch = Batch { label: "calls".into(), entries: vec![Ok(call.into())] };
/// let accounts = BTreeMap::from([("alice".parse()?, account)]);
/// let days: Vec<_> = days_touched(&batch, &accounts).into_iter().collect();
/// assert_eq!(days, [("alice".parse()?, "2026-10-05".parse()?)]);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[must_use]
pub fn days_touched(
    batch: &Batch,
    accounts: &BTreeMap<AccountId, AccountFacts>,
) -> BTreeSet<(AccountId, Day)> {
    let known = |incoming: &Incoming| {
        let facts = accounts.get(incoming.account.as_ref()?)?;
        Some((facts.settings.id.clone(), facts.settings.zone.day_of(incoming.item.at())))
    };
    batch.entries.iter().flatten().filter_map(known).collect()
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
/// use std::collections::BTreeMap;
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
///     claims: BTreeMap::new(),
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

/// Where an item would be recorded.
struct Place {
    account: AccountId,
    currency: Currency,
    day: Day,
    assignment: u32,
    rated: Vec<Rated>,
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
        match self.place(incoming) {
            Ok((place, totals)) => self.record(incoming, given, place, totals),
            Err(reason) => Ok(self.park(incoming, reason)),
        }
    }

    /// Finds where an item belongs and what the day's totals would become.
    fn place(&self, incoming: &Incoming) -> Result<(Place, Vec<DayTotal>), ParkReason> {
        let account = incoming.account.as_ref().and_then(|id| self.facts.accounts.get(id));
        let AccountFacts { settings, assignments, .. } =
            account.ok_or(ParkReason::UnknownAccount)?;
        self.check_limits(&incoming.item)?;
        let day = settings.zone.day_of(incoming.item.at());
        let assignment = assignment_on(assignments, day).ok_or(ParkReason::NoPlan { day })?;
        let in_calendar = settings.anchor.period_of(day).is_ok();
        let () = in_calendar.then_some(()).ok_or(ParkReason::OutOfCalendar { day })?;
        let plan = self.plan(&assignment.plan, assignment.version)?;
        let rated = rate(plan, &incoming.item, day, settings.currency)?;
        let place = Place {
            account: settings.id.clone(),
            currency: settings.currency,
            day,
            assignment: assignment.number,
            rated,
        };
        let totals = self.totals_with(&place)?;
        Ok((place, totals))
    }

    fn check_limits(&self, item: &Item) -> Result<(), ParkReason> {
        let max_ms = self.limits.item_future_ms_max;
        if self.now.checked_add_ms(max_ms).is_ok_and(|latest| item.at() > latest) {
            return Err(ParkReason::TooFarAhead { at: item.at(), max_ms });
        }
        let Item::Call(call) = item;
        let (duration_ms, max_ms) = (call.duration_ms, self.limits.call_duration_ms_max);
        if duration_ms > max_ms {
            return Err(ParkReason::TooLong { duration_ms, max_ms });
        }
        Ok(())
    }

    fn plan(&self, plan: &PlanId, version: u32) -> Result<&Plan, ParkReason> {
        let unavailable = |why: String| {
            let plan = plan.clone();
            ParkReason::PlanUnavailable { plan, version, why }
        };
        match self.facts.plans.get(&(plan.clone(), version)) {
            Some(Ok(plan)) => Ok(plan),
            Some(Err(error)) => Err(unavailable(error.to_string())),
            None => Err(unavailable("it was not loaded".into())),
        }
    }

    /// The day's totals with the item added, one for each strategy that claims it.
    fn totals_with(&self, place: &Place) -> Result<Vec<DayTotal>, ParkReason> {
        let revision = self.revision(place);
        let with = |rated: &Rated| {
            let key = TotalKey {
                account: place.account.clone(),
                day: place.day,
                assignment: place.assignment,
                strategy: rated.strategy.clone(),
                group: rated.group.clone(),
                revision,
            };
            let totals = match self.total(&key) {
                None => {
                    self.check_groups(&key)?;
                    rated.priced.totals
                }
                Some(before) if before.unit != rated.priced.unit => {
                    let (strategy, one) = (rated.strategy.clone(), &before.unit);
                    let why = format!("{one} and {} are counted in one group", rated.priced.unit);
                    return Err(ParkReason::Unpriceable { strategy, why });
                }
                Some(before) => before
                    .totals
                    .checked_add(rated.priced.totals)
                    .map_err(|error| ParkReason::TotalOutOfBounds { why: error.to_string() })?,
            };
            let (unit, currency) = (rated.priced.unit.clone(), place.currency);
            Ok(DayTotal { key, unit, currency, totals, closed: false, billed: false })
        };
        place.rated.iter().map(with).collect()
    }

    /// A total more must not be one too many for its day.
    fn check_groups(&self, key: &TotalKey) -> Result<(), ParkReason> {
        let max = self.limits.day_groups_max;
        let stored = self.facts.days.get(&(key.account.clone(), key.day));
        let is_stored = |key: &TotalKey| stored.is_some_and(|open| open.totals.contains_key(key));
        let of_day = |other: &&TotalKey| other.account == key.account && other.day == key.day;
        let first = TotalKey { assignment: 0, ..key.clone() };
        let added = self.touched.range(first..).map(|(other, _)| other).take_while(of_day);
        let added = added.filter(|other| !is_stored(other)).count();
        let groups = stored.map_or(0, |open| open.totals.len()).saturating_add(added);
        if groups < max { Ok(()) } else { Err(ParkReason::TooManyGroups { day: key.day, max }) }
    }

    fn revision(&self, place: &Place) -> u32 {
        let day = (place.account.clone(), place.day);
        self.facts.days.get(&day).map_or(1, |open| open.revision)
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
        totals: Vec<DayTotal>,
    ) -> Result<Receipt, IngestError> {
        let mut head = self.head(&place.account);
        let full = || IngestError::JournalFull { account: place.account.clone() };
        let first_seq = head.next().ok_or_else(full)?;
        let postings = u32::try_from(totals.len()).unwrap_or(u32::MAX);
        for (rated, total) in place.rated.iter().zip(totals) {
            let posting = Posting {
                account: place.account.clone(),
                seq: head.next().ok_or_else(full)?,
                item: incoming.key.clone(),
                fingerprint,
                cause: Cause::Rated,
                day: place.day,
                assignment: place.assignment,
                strategy: rated.strategy.clone(),
                group: rated.group.clone(),
                day_revision: total.key.revision,
                rules: Posting::RULES,
                zone_data: self.zone_data.clone(),
                unit: rated.priced.unit.clone(),
                currency: place.currency,
                totals: rated.priced.totals,
            };
            let entry = JournalEntry::Posting(posting);
            head = head.append(&entry);
            if let JournalEntry::Posting(posting) = entry {
                self.writes.postings.push(posting);
            }
            let _before: Option<DayTotal> = self.touched.insert(total.key.clone(), total);
        }
        let _moved: Option<Head> = self.moved.insert(place.account.clone(), head);
        let claim = Claim {
            key: incoming.key.clone(),
            account: place.account.clone(),
            fingerprint,
            first_seq,
            current_seq: first_seq,
        };
        self.unpark(&incoming.key);
        let _none: Option<Claim> = self.facts.claims.insert(claim.key.clone(), claim.clone());
        self.writes.items.push(StoredItem { claim, item: incoming.item.clone(), postings });
        Ok(Receipt::Recorded { account: place.account, first_seq })
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

/// The id of a batch that came again: no two times have the same, because no two record the same postings.
fn again(first: &Intake, receipts: &[Receipt], now: Instant) -> Result<IntakeId, IngestError> {
    let digest = Digest::of().text(first.id.as_str()).number(now.micros());
    let digest = receipts.iter().fold(digest, |digest, receipt| match receipt {
        Receipt::Recorded { account, first_seq } => {
            digest.text(account.as_str()).number(*first_seq)
        }
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
        recorded: number(|receipt| matches!(receipt, Receipt::Recorded { .. })),
        replayed: number(|receipt| matches!(receipt, Receipt::Replayed { .. })),
        conflict: number(|receipt| matches!(receipt, Receipt::Conflict { .. })),
        parked: number(|receipt| matches!(receipt, Receipt::Parked(_))),
        refused: number(|receipt| matches!(receipt, Receipt::Refused)),
    }
}
