//! What is checked of an account's invoices: each is drawn up again from what it was drawn up from.

use std::collections::{BTreeMap, BTreeSet};

use billing_core::{
    account::Assignment,
    decide::{self, AccountFacts, BillFacts},
    digest::Digest,
    id::SeriesId,
    invoice::{Invoice, InvoiceMark, InvoiceState},
    usage::{Carry, CarryKey, DayTotal, TotalKey},
};

use crate::{
    store::BilledPart,
    verify::{
        Promise,
        account::{Check, Life},
    },
};

/// What invoices have done to an account so far.
#[derive(Default)]
struct Ledger {
    totals: BTreeMap<TotalKey, DayTotal>,
    in_lines: BTreeSet<TotalKey>,
    given_back: BTreeSet<TotalKey>,
    carries: BTreeMap<CarryKey, Carry>,
    issued: Vec<(SeriesId, u64)>,
}

impl Check<'_> {
    /// The parts in the store are those of the invoices, each once.
    pub(super) fn line_parts(
        &mut self,
        invoices: &[Invoice],
        marks: &[InvoiceMark],
        mut kept: Vec<BilledPart>,
    ) {
        let is_void = |part: &BilledPart| {
            let mine =
                |mark: &&InvoiceMark| (&mark.series, mark.number) == (&part.series, part.number);
            let mark = marks.iter().find(mine);
            mark.is_some_and(|mark| matches!(mark.state, InvoiceState::Void { .. }))
        };
        let parts = invoices.iter().flat_map(BilledPart::of);
        let mut parts: Vec<BilledPart> =
            parts.map(|part| BilledPart { void: is_void(&part), ..part }).collect();
        parts.sort();
        kept.sort();
        if parts != kept {
            let what = format!("{} parts are kept, invoices have {}", kept.len(), parts.len());
            self.find(Promise::LinePart, what);
        }
    }

    /// What became of invoices is what the journal says.
    pub(super) fn marks(&mut self, marks: &[InvoiceMark]) {
        let mut seen = core::mem::take(&mut self.seen.marks);
        for InvoiceMark { series, number, at, state } in marks {
            let said = seen.remove(&(series.clone(), *number));
            if said.as_ref().map(|(at, state)| (at, state)) != Some((at, state)) {
                let what = format!("invoice {series} {number} was not marked {}", state.name());
                self.find(Promise::Invoice, what);
            }
        }
        for ((series, number), (_, state)) in seen {
            let what = format!("that invoice {series} {number} is {} is missing", state.name());
            self.find(Promise::Invoice, what);
        }
    }

    /// Every invoice is drawn up again, in the order in which they were issued and made void.
    pub(super) fn invoices(
        &mut self,
        invoices: Vec<Invoice>,
        totals: &[DayTotal],
        stored: BTreeMap<CarryKey, Carry>,
    ) {
        let mut invoices: BTreeMap<(SeriesId, u64), Invoice> =
            invoices.into_iter().map(|i| ((i.series.clone(), i.number), i)).collect();
        let by_key = totals.iter().map(|total| (total.key.clone(), total.clone()));
        let mut ledger = Ledger { totals: by_key.collect(), ..Ledger::default() };
        let mut issued: BTreeMap<(SeriesId, u64), Invoice> = BTreeMap::new();
        for life in core::mem::take(&mut self.seen.lives) {
            let found = match life {
                Life::Issued { number, digest, assignments } => {
                    invoices.remove(&number).map(|invoice| {
                        self.issued(&mut ledger, &invoice, digest, assignments);
                        drop(issued.insert(number.clone(), invoice));
                    })
                }
                Life::Voided { number } => {
                    issued.get(&number).map(|invoice| self.voided(&mut ledger, invoice))
                }
            };
            if found.is_none() {
                self.find(Promise::Invoice, "an invoice that the journal names is missing");
            }
        }
        for (series, number) in invoices.keys() {
            self.find(Promise::Invoice, format!("invoice {series} {number} was never issued"));
        }
        for total in
            totals.iter().filter(|total| total.billed != ledger.in_lines.contains(&total.key))
        {
            let what = format!("{:?} is marked as billed or not, wrongly", total.key);
            self.find(Promise::LinePart, what);
        }
        let open = |total: &&DayTotal| !(total.billed || total.handed);
        for total in totals.iter().filter(open) {
            if total.closed && !ledger.given_back.contains(&total.key) {
                let what = format!("{:?} is closed and was never billed or handed over", total.key);
                self.find(Promise::DayTotal, what);
            }
        }
        let some = |carries: BTreeMap<CarryKey, Carry>| -> BTreeMap<CarryKey, Carry> {
            carries.into_iter().filter(|(_, carry)| !carry.is_nothing()).collect()
        };
        if some(ledger.carries) != some(stored) {
            self.find(Promise::Carry, "the carries are not what the invoices moved them to");
        }
    }

    fn issued(&mut self, ledger: &mut Ledger, invoice: &Invoice, digest: Digest, known: usize) {
        self.report.invoices = self.report.invoices.saturating_add(1);
        let (series, number) = (&invoice.series, invoice.number);
        let mine = invoice.draft.account == self.account.settings.id;
        if invoice.digest() != digest || !mine {
            self.find(Promise::Invoice, format!("invoice {series} {number} is not as issued"));
        }
        let parts = self.parts(ledger, invoice);
        // What was assigned afterwards could not be known.
        let mut assignments: Vec<Assignment> =
            self.seen.assignments.iter().take(known).cloned().collect();
        assignments.sort_by_key(|assignment| assignment.from);
        let account = AccountFacts { assignments, ..self.account.clone() };
        let carries = core::mem::take(&mut ledger.carries);
        let facts = BillFacts { account, plans: self.plans.clone(), unbilled: parts, carries };
        match decide::settle(&facts, invoice.draft.kind, invoice.draft.period) {
            Ok((draft, carries)) => {
                let same = draft.lines == invoice.draft.lines
                    && draft.taxed == invoice.draft.taxed
                    && draft.currency == invoice.draft.currency;
                if !same {
                    let what = format!("invoice {series} {number} is not what its days cost");
                    self.find(Promise::Invoice, what);
                }
                ledger.carries = carries;
            }
            Err(error) => {
                let what = format!("invoice {series} {number} cannot be drawn up again: {error}");
                self.find(Promise::Invoice, what);
                ledger.carries = facts.carries;
            }
        }
        ledger.issued.push((series.clone(), number));
    }

    fn voided(&mut self, ledger: &mut Ledger, invoice: &Invoice) {
        let number = (invoice.series.clone(), invoice.number);
        if ledger.issued.pop() != Some(number) {
            let what = format!("invoice {} {} was not the last", invoice.series, invoice.number);
            self.find(Promise::Invoice, what);
        }
        for key in invoice.part_keys() {
            let _was: bool = ledger.in_lines.remove(&key);
            let _new: bool = ledger.given_back.insert(key);
        }
        for moved in decide::carries_before(invoice) {
            let _before: Option<Carry> = ledger.carries.insert(moved.key, moved.carry);
        }
    }

    /// The day totals that an invoice bills, as they were before it; each is in no other line.
    fn parts(&mut self, ledger: &mut Ledger, invoice: &Invoice) -> Vec<DayTotal> {
        let mut parts = Vec::new();
        for key in invoice.part_keys() {
            let total = ledger.totals.get(&key).filter(|total| total.closed).cloned();
            let new = ledger.in_lines.insert(key.clone());
            let part = total.filter(|_| new);
            if part.is_none() {
                let what = format!("{key:?} is in a line of invoice {} wrongly", invoice.number);
                self.find(Promise::LinePart, what);
            }
            parts.extend(part);
        }
        parts
    }
}
