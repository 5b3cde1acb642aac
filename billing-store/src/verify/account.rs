//! What is checked of one account: its journal, ratings, day totals, invoices and carries.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use billing_core::{
    account::{AccountSettings, Assignment, assignment_on},
    decide::{self, AccountFacts, Plans, Rated, StoredItem},
    digest::Digest,
    event::{Cause, Event, Happened, Head, JournalEntry, Posting},
    id::{AccountId, CorrectionId, SeriesId, Unit},
    invoice::InvoiceState,
    item::{Fingerprint, ItemKey},
    plan::Arrival,
    settlement::Answer,
    tariff::Tariffs,
    time::{Day, Instant},
    usage::{DayTotal, TotalKey, Totals, TotalsError},
};

use crate::{
    answer::{Error, Result},
    billing::Tenant,
    store::Facts,
    verify::{PAGE, Promise, Report, generations::Generations, readable},
};

pub(super) async fn check(
    tenant: &Tenant,
    facts: &mut dyn Facts,
    id: &AccountId,
    report: &mut Report,
    met: &mut Met,
) -> Result<()> {
    report.accounts = report.accounts.saturating_add(1);
    let known = facts.accounts(core::slice::from_ref(id)).await;
    let Some(known) = readable(report, Some(id), known)? else { return Ok(()) };
    let Some(account) = known.into_iter().next() else {
        report.find(Promise::Readable, Some(id), "the account has no settings");
        return Ok(());
    };
    let plans = match tenant.plans(facts, core::iter::once(&account)).await {
        Ok(plans) => plans,
        Err(Error::Store(error)) => readable(report, Some(id), Err(error))?.unwrap_or_default(),
        Err(error) => return Err(error),
    };
    let tariffs = tenant.tariffs_of(facts, &plans).await;
    let tariffs = readable(report, Some(id), tariffs)?.unwrap_or_default();
    let mut check = Check { account, plans, tariffs, seen: Seen::default(), report };
    check.documents(facts).await?;
    check.journal(facts).await?;
    met.erased = met.erased.saturating_add(check.seen.erased);
    let totals = facts.totals_of(id).await;
    let totals = readable(check.report, Some(id), totals)?.unwrap_or_default();
    check.totals(&totals);
    let invoices = facts.invoices_of(id).await;
    let invoices = readable(check.report, Some(id), invoices)?.unwrap_or_default();
    for invoice in &invoices {
        let given = met.numbers.entry(invoice.series.clone()).or_insert(0);
        *given = given.saturating_add(1);
    }
    let carries = facts.carries_of(id).await;
    let carries = readable(check.report, Some(id), carries)?.unwrap_or_default();
    let carries = carries.into_iter().map(|moved| (moved.key, moved.carry));
    let parts = facts.line_parts(id).await;
    let parts = readable(check.report, Some(id), parts)?.unwrap_or_default();
    let given: Vec<_> = invoices.iter().map(|i| (i.series.clone(), i.number)).collect();
    let marks = facts.invoice_marks(&given).await;
    let marks = readable(check.report, Some(id), marks)?.unwrap_or_default();
    check.line_parts(&invoices, &marks, parts);
    check.marks(&marks);
    let settlements = facts.settlements_of(id).await;
    let settlements = readable(check.report, Some(id), settlements)?.unwrap_or_default();
    check.settlements(&settlements, &totals);
    check.outbox(facts).await?;
    check.invoices(invoices, &totals, carries.collect());
    for (correction, changed) in check.seen.generations.corrections {
        let items = met.corrections.entry(correction).or_insert(0);
        *items = items.saturating_add(changed);
    }
    Ok(())
}

/// What was met in the accounts.
#[derive(Default)]
pub(super) struct Met {
    /// How many invoices of each series.
    pub(super) numbers: BTreeMap<SeriesId, u64>,
    /// How many items each correction changed.
    pub(super) corrections: BTreeMap<CorrectionId, u64>,
    /// How many items lost their persons.
    pub(super) erased: u64,
}

/// One account at work.
pub(super) struct Check<'a> {
    pub(super) account: AccountFacts,
    pub(super) plans: Plans,
    tariffs: Arc<Tariffs>,
    pub(super) seen: Seen,
    pub(super) report: &'a mut Report,
}

/// When a processor answered, and what.
pub(super) type Answered = (Instant, Answer);

/// What the journal says, against which the rest is held.
#[derive(Default)]
pub(super) struct Seen {
    totals: BTreeMap<TotalKey, (Unit, Totals)>,
    /// Issued and voided invoices in the order in which that happened.
    pub(super) lives: Vec<Life>,
    pub(super) marks: BTreeMap<(SeriesId, u64), (Instant, InvoiceState)>,
    pub(super) handed: BTreeMap<(Day, u32), (Digest, Option<Answered>)>,
    pub(super) assignments: Vec<Assignment>,
    settings: Option<AccountSettings>,
    generations: Generations,
    /// How many items lost their persons.
    erased: u64,
}

/// A step in the life of an invoice.
pub(super) enum Life {
    /// It was issued, when the account had so many assignments.
    Issued { number: (SeriesId, u64), digest: Digest, assignments: usize },
    /// It was made void.
    Voided { number: (SeriesId, u64) },
}

impl Check<'_> {
    pub(super) fn find(&mut self, promise: Promise, what: impl Into<String>) {
        self.report.find(promise, Some(&self.account.settings.id), what);
    }

    /// The plans that are saved are those that were assigned; built ones are not believed.
    async fn documents(&mut self, facts: &mut dyn Facts) -> Result<()> {
        let assignments = self.account.assignments.clone();
        let ids: Vec<_> = assignments.iter().map(|a| (a.plan.clone(), a.version)).collect();
        let saved = facts.plans(&ids).await;
        let saved = readable(self.report, Some(&self.account.settings.id), saved)?;
        let saved: BTreeMap<_, _> = saved
            .unwrap_or_default()
            .into_iter()
            .map(|spec| ((spec.id.clone(), spec.version), spec))
            .collect();
        for assignment in assignments {
            let Assignment { plan, version, overrides, digest, .. } = assignment;
            let spec = saved.get(&(plan.clone(), version));
            let own = spec.and_then(|spec| spec.with(&overrides).ok());
            if own.map(|own| own.digest()) != Some(digest) {
                self.find(Promise::Plan, format!("plan {plan} version {version}"));
            }
        }
        Ok(())
    }

    async fn journal(&mut self, facts: &mut dyn Facts) -> Result<()> {
        let id = self.account.settings.id.clone();
        let mut head = Head::EMPTY;
        loop {
            let page = facts.journal(&id, head.seq, PAGE).await;
            let Some(page) = readable(self.report, Some(&id), page)? else { break };
            if page.is_empty() {
                break;
            }
            self.ratings(facts, &page).await?;
            for entry in &page {
                if Some(entry.seq()) != head.next() {
                    let what = format!("entry {} follows entry {}", entry.seq(), head.seq);
                    self.find(Promise::Journal, what);
                }
                head = head.append(entry);
                self.entry(entry);
            }
        }
        let wrong = self.seen.generations.finish().map(|claim| claim.key.to_string());
        for key in wrong.collect::<Vec<_>>() {
            self.find(Promise::Claim, format!("item {key} does not count as its last postings"));
        }
        if head != self.account.head {
            let Head { seq, .. } = self.account.head;
            let what =
                format!("the chain of {} entries does not end in the head at {seq}", head.seq);
            self.find(Promise::Journal, what);
        }
        if self.seen.settings.as_ref() != Some(&self.account.settings) {
            self.find(Promise::Journal, "the settings are not those the account was opened with");
        }
        let mut assignments = self.seen.assignments.clone();
        assignments.sort_by_key(|assignment| assignment.from);
        if assignments != self.account.assignments {
            self.find(Promise::Journal, "the assignments are not those of the journal");
        }
        Ok(())
    }

    fn entry(&mut self, entry: &JournalEntry) {
        match entry {
            JournalEntry::Posting(posting) => self.fold(posting),
            JournalEntry::Event(Event { at, what, .. }) => match what {
                Happened::AccountOpened { settings } => self.seen.settings = Some(settings.clone()),
                Happened::PlanAssigned { assignment } => {
                    self.seen.assignments.push(assignment.clone());
                }
                Happened::InvoiceIssued { series, number, digest, .. } => {
                    let (number, digest) = ((series.clone(), *number), *digest);
                    let assignments = self.seen.assignments.len();
                    self.seen.lives.push(Life::Issued { number, digest, assignments });
                }
                Happened::InvoicePaid { series, number, on, reference } => {
                    let state = InvoiceState::Paid { on: *on, reference: reference.clone() };
                    self.mark(series, *number, *at, state);
                }
                Happened::InvoiceVoided { series, number, reason } => {
                    let state = InvoiceState::Void { reason: reason.clone() };
                    self.mark(series, *number, *at, state);
                    self.seen.lives.push(Life::Voided { number: (series.clone(), *number) });
                }
                Happened::DayHandedOver { day, revision, digest } => {
                    let handed = self.seen.handed.insert((*day, *revision), (*digest, None));
                    if handed.is_some() {
                        let what = format!("revision {revision} of {day} is handed over twice");
                        self.find(Promise::Settlement, what);
                    }
                }
                Happened::PersonsErased { items, .. } => {
                    self.seen.erased = self.seen.erased.saturating_add(*items);
                }
                Happened::SettlementAnswered { day, revision, answer } => {
                    let handed = self.seen.handed.get_mut(&(*day, *revision));
                    if handed.map(|(_, last)| *last = Some((*at, answer.clone()))).is_none() {
                        let what = format!("revision {revision} of {day} has only an answer");
                        self.find(Promise::Settlement, what);
                    }
                }
                other => self.find(Promise::Journal, format!("an unknown event: {other:?}")),
            },
        }
    }

    /// Keeps what became of an invoice; it is marked once.
    fn mark(&mut self, series: &SeriesId, number: u64, at: Instant, state: InvoiceState) {
        if self.seen.marks.insert((series.clone(), number), (at, state)).is_some() {
            self.find(Promise::Invoice, format!("invoice {series} {number} is marked twice"));
        }
    }

    fn fold(&mut self, posting: &Posting) {
        self.report.postings = self.report.postings.saturating_add(1);
        let key = posting.total_key();
        let sum = match self.seen.totals.get(&key) {
            None => Ok(posting.totals),
            Some((_, before)) => before.checked_add(posting.totals),
        };
        match sum {
            Ok(sum) => drop(self.seen.totals.insert(key, (posting.unit.clone(), sum))),
            Err(error) => self.overflow(&key, &error),
        }
    }

    fn overflow(&mut self, key: &TotalKey, error: &TotalsError) {
        self.find(Promise::DayTotal, format!("the sum of {} cannot be taken: {error}", key.day));
    }

    /// Rates the items of a page's postings again.
    async fn ratings(&mut self, facts: &mut dyn Facts, page: &[JournalEntry]) -> Result<()> {
        let postings = page.iter().filter_map(|entry| match entry {
            JournalEntry::Posting(posting) => Some(posting),
            JournalEntry::Event(_) => None,
        });
        let postings: Vec<&Posting> = postings.collect();
        let keys: BTreeSet<&ItemKey> = postings.iter().map(|posting| &posting.item).collect();
        let keys: Vec<ItemKey> = keys.into_iter().cloned().collect();
        let id = self.account.settings.id.clone();
        let items = facts.items(&keys).await;
        let items = readable(self.report, Some(&id), items)?.unwrap_or_default();
        let items: BTreeMap<ItemKey, StoredItem> =
            items.into_iter().map(|item| (item.claim.key.clone(), item)).collect();
        for posting in postings {
            match items.get(&posting.item) {
                None => {
                    let what = format!("posting {} has no item {}", posting.seq, posting.item);
                    self.find(Promise::Claim, what);
                }
                Some(item) => self.rating(posting, item),
            }
        }
        Ok(())
    }

    fn rating(&mut self, posting: &Posting, item: &StoredItem) {
        let claim = &item.claim;
        if claim.account != posting.account {
            let what = format!("posting {} is not of item {} as claimed", posting.seq, claim.key);
            self.find(Promise::Claim, what);
        }
        if let Some(wrong) = self.seen.generations.take(posting, item) {
            let what = format!("posting {} of item {} {wrong}", posting.seq, claim.key);
            self.find(Promise::Claim, what);
        }
        let until = claim.current_seq.saturating_add(u64::from(claim.effective));
        let counts = (claim.current_seq..until).contains(&posting.seq);
        let fingerprint = match &claim.amended {
            Some(content) if counts => Fingerprint::of(Some(&claim.account), content),
            Some(_) | None => claim.fingerprint,
        };
        // Of an amended item that lost its persons, the content that was rated is not there any more.
        let known = !(counts && item.erased && claim.amended.is_some());
        let told = known && (counts || posting.cause == Cause::Rated);
        if told && fingerprint != posting.fingerprint {
            let what = format!("posting {} is of other content than {}", posting.seq, claim.key);
            self.find(Promise::Claim, what);
        }
        // What was taken back is held against what takes it back: the plans and tariffs of then may have been corrected.
        if counts {
            self.counting(posting, item);
        }
    }

    /// Rates the item of a posting that counts again.
    fn counting(&mut self, posting: &Posting, item: &StoredItem) {
        let (claim, fact) = (&item.claim, item.content());
        let AccountSettings { zone, currency, .. } = &self.account.settings;
        // The day stays the one that was found under the zone data of that time.
        let same_data = posting.zone_data == billing_core::time::Zone::data_version();
        if same_data && zone.day_of(fact.at()) != posting.day {
            let what = format!("posting {} is on {}, its item is not", posting.seq, posting.day);
            self.find(Promise::Rating, what);
            return;
        }
        let assignment = assignment_on(&self.account.assignments, posting.day);
        let plan = assignment.map(|a| self.plans.get(&a.digest));
        let number = assignment.map(|assignment| assignment.number);
        let Some(Some(Ok(plan))) = plan else {
            self.find(Promise::Rating, format!("posting {} has no plan here", posting.seq));
            return;
        };
        let arrival = Arrival::new(fact, posting.day, *currency).with_tariffs(&self.tariffs);
        let rated = decide::rate(plan, &arrival);
        let expected = |rated: &Rated| {
            rated.strategy == posting.strategy
                && rated.group == posting.group
                && rated.priced.unit == posting.unit
                && rated.priced.totals == posting.totals
                && rated.priced.provenance == posting.provenance
        };
        // Windows may open otherwise under other zone data: what a tariff priced under that of then is left as it is.
        let same_prices = !item.erased && (same_data || posting.provenance.is_none());
        let right = !same_prices
            || rated.is_ok_and(|rated| {
                u32::try_from(rated.len()) == Ok(claim.effective) && rated.iter().any(expected)
            });
        if !right || number != Some(posting.assignment) || posting.currency != *currency {
            let what = format!("posting {} is not what item {} rates as", posting.seq, claim.key);
            self.find(Promise::Rating, what);
        }
    }

    /// Day totals are the sums of the journal's postings, and nothing else is there.
    fn totals(&mut self, totals: &[DayTotal]) {
        let mut summed = core::mem::take(&mut self.seen.totals);
        for total in totals {
            self.report.day_totals = self.report.day_totals.saturating_add(1);
            if summed.remove(&total.key) != Some((total.unit.clone(), total.totals)) {
                self.find(
                    Promise::DayTotal,
                    format!("{:?} is not the sum of its postings", total.key),
                );
            }
            if (total.billed || total.handed) && !total.closed {
                let what = format!("{:?} is billed or handed over and open", total.key);
                self.find(Promise::DayTotal, what);
            }
            if total.currency != self.account.settings.currency {
                self.find(Promise::DayTotal, format!("{:?} is in another currency", total.key));
            }
        }
        for key in summed.keys() {
            self.find(Promise::DayTotal, format!("{key:?} is missing"));
        }
    }
}
