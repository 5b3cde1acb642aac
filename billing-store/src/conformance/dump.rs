//! Everything a tenant has, read through the facts alone, so that two states can be compared.

use std::collections::BTreeMap;

use billing_core::{
    account::{AccountSettings, Assignment},
    correction::RecordedCorrection,
    decide::{AccountFacts, CarryMove, Dropped, Intake, Parked, Refusal, StoredItem, Writes},
    digest::Digest,
    event::{Head, JournalEntry},
    id::{AccountId, CorrectionId, IntakeId, SeriesId, SinkId, TariffId},
    invoice::{Invoice, InvoiceKind, InvoiceMark, InvoiceState},
    item::ItemKey,
    outbox::DeadLetter,
    plan::PlanSpec,
    settlement::Settlement,
    tariff::{Catalog, SavedTariff, TariffSpec},
    time::{Day, Instant},
    usage::DayTotal,
};

use crate::{
    conformance::kept::{Failed, ensure},
    store::{BilledPart, Facts},
};

/// What one page of the walk asks for; odd, so that a store's own chunks end elsewhere.
const PAGE: u32 = 997;

/// More rows than the suite ever writes: a walk that goes on is a store that does not move on.
const ROWS_MAX: usize = 100_000;

/// Asks for page after page until one is empty; `$so_far` is what came before.
macro_rules! walk {
    ($so_far:ident, $page:expr) => {{
        let mut $so_far = Vec::new();
        loop {
            let page = $page.await?;
            if page.is_empty() {
                break $so_far;
            }
            $so_far.extend(page);
            ensure($so_far.len() < ROWS_MAX, "pages never end")?;
        }
    }};
}

/// Everything a tenant has. What comes in pages stands in the order of the pages, the rest in the order of its keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Dump {
    pub(super) accounts: Vec<AccountFacts>,
    pub(super) journals: BTreeMap<AccountId, Vec<JournalEntry>>,
    pub(super) items: Vec<StoredItem>,
    pub(super) corrections: Vec<RecordedCorrection>,
    pub(super) parked: Vec<Parked>,
    pub(super) dropped: Vec<Dropped>,
    pub(super) totals: Vec<DayTotal>,
    pub(super) carries: Vec<CarryMove>,
    pub(super) plans: Vec<PlanSpec>,
    pub(super) tariffs: Vec<TariffSpec>,
    pub(super) catalog: Catalog,
    pub(super) tariff_digest: Option<Digest>,
    pub(super) intakes: Vec<(Intake, Vec<Refusal>)>,
    pub(super) invoices: Vec<Invoice>,
    pub(super) marks: Vec<InvoiceMark>,
    pub(super) parts: Vec<BilledPart>,
    pub(super) settlements: Vec<Settlement>,
    pub(super) dead_letters: Vec<DeadLetter>,
    pub(super) numbers: BTreeMap<SeriesId, Vec<u64>>,
    pub(super) series: Vec<(SeriesId, u64)>,
}

impl Dump {
    pub(super) async fn read(facts: &mut dyn Facts) -> Result<Self, Failed> {
        let mut dump = Self {
            items: walk!(so_far, facts.item_page(so_far.last().map(item_key), PAGE)),
            corrections: walk!(
                so_far,
                facts.correction_page(so_far.last().map(correction_key), PAGE)
            ),
            parked: walk!(so_far, facts.parked_page(so_far.last().map(parked_key), PAGE)),
            dropped: walk!(so_far, facts.dropped_page(so_far.last().map(dropped_key), PAGE)),
            plans: facts.all_plans().await?,
            catalog: facts.tariff_catalog().await?,
            tariff_digest: facts.tariff_digest().await?,
            series: facts.all_series().await?,
            ..Self::default()
        };
        let accounts = walk!(so_far, facts.account_page(so_far.last(), PAGE));
        for account in &accounts {
            dump.account(facts, account).await?;
        }
        let intakes = walk!(so_far, facts.intake_page(so_far.last().map(intake_key), PAGE));
        for intake in intakes {
            let refusals = facts.refusals(&intake.id).await?;
            dump.intakes.push((intake, refusals));
        }
        for (series, _) in &dump.series {
            let after = |so_far: &[u64]| so_far.last().copied().unwrap_or(0);
            let numbers = walk!(so_far, facts.invoice_numbers(series, after(&so_far), PAGE));
            let _none: Option<_> = dump.numbers.insert(series.clone(), numbers);
        }
        dump.marks = facts.invoice_marks(&dump.given()).await?;
        dump.tariffs = facts.tariffs(&dump.versions()).await?;
        dump.sort();
        Ok(dump)
    }

    /// The numbers of all invoices.
    pub(super) fn given(&self) -> Vec<(SeriesId, u64)> {
        self.invoices.iter().map(|invoice| (invoice.series.clone(), invoice.number)).collect()
    }

    /// The versions of all tariffs.
    pub(super) fn versions(&self) -> Vec<(TariffId, u32)> {
        self.catalog.saved.iter().map(|saved| (saved.tariff.clone(), saved.version)).collect()
    }

    async fn account(&mut self, facts: &mut dyn Facts, account: &AccountId) -> Result<(), Failed> {
        self.accounts.extend(facts.accounts(core::slice::from_ref(account)).await?);
        let after = |so_far: &[JournalEntry]| so_far.last().map_or(0, JournalEntry::seq);
        let journal = walk!(so_far, facts.journal(account, after(&so_far), PAGE));
        let _none: Option<_> = self.journals.insert(account.clone(), journal);
        self.totals.extend(facts.totals_of(account).await?);
        self.carries.extend(facts.carries_of(account).await?);
        self.invoices.extend(facts.invoices_of(account).await?);
        self.parts.extend(facts.line_parts(account).await?);
        self.settlements.extend(facts.settlements_of(account).await?);
        self.dead_letters.extend(facts.dead_letters_of(account).await?);
        Ok(())
    }

    /// What an empty store holds once `writes` were applied, for writes that are complete in themselves.
    pub(super) fn of(writes: &Writes) -> Self {
        let mut dump = Self {
            accounts: writes.accounts.iter().map(|settings| facts_of(writes, settings)).collect(),
            items: writes.items.clone(),
            corrections: writes.corrections.clone(),
            parked: writes.parked.clone(),
            dropped: writes.dropped.clone(),
            totals: writes.totals.clone(),
            carries: writes.carries.clone(),
            plans: writes.plans.clone(),
            tariffs: writes.tariffs.clone(),
            catalog: catalog_of(writes),
            tariff_digest: writes.tariff_catalog,
            intakes: writes.intake.iter().map(|i| (i.clone(), writes.refusals.clone())).collect(),
            invoices: writes.invoices.clone(),
            marks: writes.marks.clone(),
            parts: writes.invoices.iter().flat_map(|invoice| parts_of(writes, invoice)).collect(),
            settlements: writes.settlements.clone(),
            dead_letters: writes.dead_letters.clone(),
            series: writes.series.iter().cloned().collect(),
            ..Self::default()
        };
        dump.accounts.sort_by(|one, two| one.settings.id.cmp(&two.settings.id));
        dump.items.sort_by(|one, two| item_key(one).cmp(item_key(two)));
        dump.parked.sort_by(|one, two| parked_key(one).cmp(parked_key(two)));
        dump.dropped.sort_by(|one, two| dropped_key(one).cmp(&dropped_key(two)));
        dump.settlements.sort_by(|one, two| settlement_key(one).cmp(&settlement_key(two)));
        dump.plans.sort_by(|one, two| (&one.id, one.version).cmp(&(&two.id, two.version)));
        dump.invoices.sort_by(|one, two| invoice_key(one).cmp(&invoice_key(two)));
        for AccountFacts { settings, .. } in &dump.accounts {
            let journal = journal_of(writes, &settings.id);
            let _none: Option<_> = dump.journals.insert(settings.id.clone(), journal);
        }
        for (series, _) in &dump.series {
            let mine = dump.invoices.iter().filter(|invoice| invoice.series == *series);
            let mut numbers: Vec<_> = mine.map(|invoice| invoice.number).collect();
            numbers.sort_unstable();
            let _none: Option<_> = dump.numbers.insert(series.clone(), numbers);
        }
        dump.sort();
        dump
    }

    /// Brings what comes in no promised order into one. Pages stay as they came: their order is a promise.
    fn sort(&mut self) {
        self.totals.sort_by(|one, two| one.key.cmp(&two.key));
        self.carries.sort_by(|one, two| one.key.cmp(&two.key));
        self.marks.sort_by(|one, two| mark_key(one).cmp(&mark_key(two)));
        self.tariffs.sort_by(|one, two| (&one.id, one.version).cmp(&(&two.id, two.version)));
        self.parts.sort();
        self.dead_letters.sort_by(|one, two| letter_key(one).cmp(&letter_key(two)));
        self.series.sort();
    }

    /// The first table that differs from another state, in words.
    pub(super) fn difference(&self, other: &Self) -> Option<String> {
        let journal = |dump: &Self| dump.journals.values().flatten().cloned().collect::<Vec<_>>();
        let numbers = |dump: &Self| dump.numbers.values().flatten().copied().collect::<Vec<_>>();
        let differences = [
            differ("accounts", &self.accounts, &other.accounts),
            differ("journal entries", &journal(self), &journal(other)),
            differ("items", &self.items, &other.items),
            differ("corrections", &self.corrections, &other.corrections),
            differ("parked items", &self.parked, &other.parked),
            differ("dropped items", &self.dropped, &other.dropped),
            differ("day totals", &self.totals, &other.totals),
            differ("carries", &self.carries, &other.carries),
            differ("plans", &self.plans, &other.plans),
            differ("tariffs", &self.tariffs, &other.tariffs),
            differ("saved tariffs", &self.catalog.saved, &other.catalog.saved),
            differ("activations", &self.catalog.activations, &other.catalog.activations),
            differ(
                "digests of tariffs",
                self.tariff_digest.as_slice(),
                other.tariff_digest.as_slice(),
            ),
            differ("records of batches", &self.intakes, &other.intakes),
            differ("invoices", &self.invoices, &other.invoices),
            differ("marks of invoices", &self.marks, &other.marks),
            differ("parts of lines", &self.parts, &other.parts),
            differ("settlements", &self.settlements, &other.settlements),
            differ("dead letters", &self.dead_letters, &other.dead_letters),
            differ("invoice numbers", &numbers(self), &numbers(other)),
            differ("series", &self.series, &other.series),
        ];
        differences.into_iter().flatten().next()
    }
}

fn differ<T: PartialEq>(rows: &str, found: &[T], due: &[T]) -> Option<String> {
    let (came, were) = (found.len(), due.len());
    let what = || format!("the {rows} are not as they must be ({came} found, {were} due)");
    (found != due).then(what)
}

fn facts_of(writes: &Writes, settings: &AccountSettings) -> AccountFacts {
    let account = &settings.id;
    let head = writes.heads.iter().find(|(id, _)| id == account);
    let assigned = writes.assignments.iter().filter(|(id, _)| id == account);
    let mut assignments: Vec<Assignment> = assigned.map(|(_, a)| a.clone()).collect();
    assignments.sort_by_key(|assignment| assignment.from);
    let mine = writes.invoices.iter().filter(|invoice| invoice.draft.account == *account);
    let mine: Vec<_> = mine.filter(|invoice| !is_void(&writes.marks, invoice)).collect();
    let until = |kind: InvoiceKind| -> Option<Day> {
        let of_kind = mine.iter().filter(|invoice| invoice.draft.kind == kind);
        of_kind.map(|invoice| invoice.draft.period.end()).max()
    };
    AccountFacts {
        settings: settings.clone(),
        head: head.map_or(Head::EMPTY, |(_, head)| *head),
        assignments,
        invoiced_until: until(InvoiceKind::Period),
        advanced_until: until(InvoiceKind::Advance),
    }
}

fn catalog_of(writes: &Writes) -> Catalog {
    let saved = writes.tariffs.iter().map(SavedTariff::from).collect();
    let mut catalog = Catalog { saved, activations: writes.activations.clone() };
    catalog.saved.sort_by(|one, two| (&one.tariff, one.version).cmp(&(&two.tariff, two.version)));
    catalog.activations.sort_by(|one, two| (&one.tariff, one.from).cmp(&(&two.tariff, two.from)));
    catalog
}

fn parts_of(writes: &Writes, invoice: &Invoice) -> Vec<BilledPart> {
    let void = is_void(&writes.marks, invoice);
    BilledPart::of(invoice).map(|part| BilledPart { void, ..part }).collect()
}

/// Whether an invoice was made void.
pub(super) fn is_void(marks: &[InvoiceMark], invoice: &Invoice) -> bool {
    let of_invoice = |mark: &&InvoiceMark| mark_key(mark) == (&invoice.series, invoice.number);
    let mark = marks.iter().find(of_invoice);
    mark.is_some_and(|mark| matches!(mark.state, InvoiceState::Void { .. }))
}

fn journal_of(writes: &Writes, account: &AccountId) -> Vec<JournalEntry> {
    let postings = writes.postings.iter().filter(|posting| posting.account == *account);
    let events = writes.events.iter().filter(|event| event.account == *account);
    let postings = postings.cloned().map(JournalEntry::Posting);
    let mut journal: Vec<_> = postings.chain(events.cloned().map(JournalEntry::Event)).collect();
    journal.sort_by_key(JournalEntry::seq);
    journal
}

pub(super) const fn item_key(item: &StoredItem) -> &ItemKey {
    &item.claim.key
}

pub(super) const fn correction_key(recorded: &RecordedCorrection) -> &CorrectionId {
    &recorded.correction.id
}

pub(super) const fn parked_key(parked: &Parked) -> &ItemKey {
    &parked.incoming.key
}

pub(super) const fn dropped_key(dropped: &Dropped) -> (Instant, &ItemKey) {
    (dropped.at, parked_key(&dropped.parked))
}

pub(super) const fn settlement_key(settlement: &Settlement) -> (&AccountId, Day, u32) {
    let handover = &settlement.handover;
    (&handover.account, handover.day, handover.revision)
}

const fn letter_key(letter: &DeadLetter) -> (&AccountId, &SinkId, u64) {
    (&letter.account, &letter.sink, letter.seq)
}

pub(super) const fn mark_key(mark: &InvoiceMark) -> (&SeriesId, u64) {
    (&mark.series, mark.number)
}

pub(super) const fn intake_key(intake: &Intake) -> &IntakeId {
    &intake.id
}

/// Where an invoice stands among those of its account.
pub(super) const fn invoice_place(invoice: &Invoice) -> (Day, &SeriesId, u64) {
    (invoice.draft.period.start(), &invoice.series, invoice.number)
}

const fn invoice_key(invoice: &Invoice) -> (&AccountId, &SeriesId, u64) {
    (&invoice.draft.account, &invoice.series, invoice.number)
}
