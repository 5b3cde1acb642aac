//! Stores what was decided, as strictly as a database with unique keys and rules about what never changes.

use std::collections::{BTreeMap, BTreeSet};

use billing_core::{
    decide::{AccountFacts, Writes},
    event::{Event, Head, JournalEntry, Posting},
    id::AccountId,
    invoice::{Invoice, InvoiceKind, InvoiceState},
    settlement::{Answer, SettlementState},
    usage::TotalKey,
};

use super::world::World;

impl World {
    pub(crate) fn apply(&mut self, writes: &Writes) {
        self.apply_accounts(writes);
        self.apply_items(writes);
        self.apply_journal(writes);
        self.apply_totals(writes);
        for moved in &writes.carries {
            drop(self.carries.insert(moved.key.clone(), moved.carry.clone()));
        }
        if let Some(intake) = &writes.intake {
            let before = self.intakes.insert(intake.id.clone(), intake.clone());
            assert_eq!(before, None, "a batch leaves one record");
        }
        self.refusals.extend(writes.refusals.iter().cloned());
        self.apply_invoices(writes);
        self.apply_settlements(writes);
    }

    fn apply_accounts(&mut self, writes: &Writes) {
        for settings in &writes.accounts {
            let facts = AccountFacts {
                settings: settings.clone(),
                head: Head::EMPTY,
                assignments: Vec::new(),
                invoiced_until: None,
                advanced_until: None,
            };
            let before = self.accounts.insert(settings.id.clone(), facts);
            assert_eq!(before, None, "an account is opened once");
        }
        for (account, assignment) in &writes.assignments {
            let facts = self.accounts.get_mut(account).unwrap();
            facts.assignments.push(assignment.clone());
            facts.assignments.sort_by_key(|assignment| assignment.from);
        }
    }

    fn apply_items(&mut self, writes: &Writes) {
        for item in &writes.items {
            let before = self.items.insert(item.claim.key.clone(), item.clone());
            assert_eq!(before, None, "an item is claimed once");
        }
        for moved in &writes.moved {
            let claim = &mut self.items.get_mut(&moved.key).unwrap().claim;
            assert!(claim.current_seq < moved.current_seq, "current postings are later ones");
            claim.move_on(moved);
        }
        for recorded in &writes.corrections {
            let before = self.corrections.insert(recorded.correction.id.clone(), recorded.clone());
            assert_eq!(before, None, "a correction is made once");
        }
        for parked in &writes.parked {
            let key = parked.incoming.key.clone();
            assert!(!self.items.contains_key(&key), "what is claimed is never parked");
            drop(self.parked.insert(key, parked.clone()));
        }
        for key in &writes.unparked {
            assert!(self.parked.remove(key).is_some(), "what is unparked was parked");
        }
        self.dropped.extend(writes.dropped.iter().cloned());
    }

    fn apply_journal(&mut self, writes: &Writes) {
        let postings = writes.postings.iter().cloned();
        let postings = postings.map(|posting| (posting.account.clone(), posting.into()));
        let events = writes.events.iter().cloned();
        let events = events.map(|event| (event.account.clone(), event.into()));
        let mut entries: Vec<(AccountId, Entry)> = postings.chain(events).collect();
        entries.sort_by_key(|(account, entry)| (account.clone(), entry.0.seq()));
        let mut heads = BTreeMap::new();
        for (account, Entry(entry)) in entries {
            let stored = self.accounts[&account].head;
            let head = heads.entry(account.clone()).or_insert(stored);
            assert_eq!(Some(entry.seq()), head.next(), "numbers have no gap");
            *head = head.append(&entry);
            self.journal.entry(account).or_default().push(entry);
        }
        let told: BTreeMap<_, _> = writes.heads.iter().cloned().collect();
        assert_eq!(told, heads, "the head is the last link");
        for (account, head) in heads {
            self.accounts.get_mut(&account).unwrap().head = head;
        }
    }

    fn apply_totals(&mut self, writes: &Writes) {
        let is_void = |state: &InvoiceState| matches!(state, InvoiceState::Void { .. });
        let voids = writes.marks.iter().any(|mark| is_void(&mark.state));
        for total in &writes.totals {
            let Some(before) = self.totals.insert(total.key.clone(), total.clone()) else {
                continue;
            };
            let same = (before.totals, &before.unit, before.currency)
                == (total.totals, &total.unit, total.currency);
            assert!(same || !before.closed, "a closed revision takes no postings");
            assert!(total.closed || !before.closed, "what is closed stays so");
            assert!(total.handed || !before.handed, "what is handed over stays so");
            assert_eq!(before.billed && !total.billed, voids, "only a void gives back");
        }
    }

    fn apply_invoices(&mut self, writes: &Writes) {
        for mark in &writes.marks {
            let name = (mark.series.clone(), mark.number);
            let before = self.states.insert(name.clone(), mark.state.clone());
            assert_eq!(before, Some(InvoiceState::Issued), "an invoice is marked once");
            let invoice = self.invoices.iter().find(|i| (&i.series, i.number) == (&name.0, name.1));
            if matches!(mark.state, InvoiceState::Void { .. }) {
                for part in invoice.unwrap().part_keys() {
                    assert!(!self.totals[&part].billed, "what was in its lines is given back");
                }
            }
        }
        let mut parts: BTreeSet<TotalKey> = self.valid().flat_map(Invoice::part_keys).collect();
        for invoice in &writes.invoices {
            self.apply_invoice(invoice);
            for part in invoice.part_keys() {
                assert!(self.totals[&part].billed, "what is in a line is billed");
                assert!(parts.insert(part), "a day's total is in one line");
            }
        }
        self.see_until();
    }

    fn apply_invoice(&mut self, invoice: &Invoice) {
        let (account, period) = (&invoice.draft.account, invoice.draft.period);
        let facts = &self.accounts[account];
        match invoice.draft.kind {
            InvoiceKind::Period => assert!(
                facts.invoiced_until.is_none_or(|until| until <= period.start()),
                "a period is invoiced once, after those before it"
            ),
            InvoiceKind::Advance => assert!(
                facts.advanced_until.is_none_or(|until| until < period.end()),
                "what is due in advance has at most one invoice of its own a period"
            ),
        }
        let name = (invoice.series.clone(), invoice.number);
        let before = self.states.insert(name, InvoiceState::Issued);
        assert_eq!(before, None, "a number is given once");
        self.invoices.push(invoice.clone());
        self.see_until();
    }

    /// How far each account is invoiced, as a store would find it.
    fn see_until(&mut self) {
        let until = |account: &AccountId, kind: InvoiceKind| {
            let of = |invoice: &&Invoice| {
                invoice.draft.account == *account && invoice.draft.kind == kind
            };
            self.valid().filter(of).map(|invoice| invoice.draft.period.end()).max()
        };
        let found: Vec<_> = self
            .accounts
            .keys()
            .map(|id| (until(id, InvoiceKind::Period), until(id, InvoiceKind::Advance)))
            .collect();
        for (facts, (invoiced, advanced)) in self.accounts.values_mut().zip(found) {
            (facts.invoiced_until, facts.advanced_until) = (invoiced, advanced);
        }
    }

    fn apply_settlements(&mut self, writes: &Writes) {
        for settlement in &writes.settlements {
            let handover = &settlement.handover;
            let name = (handover.account.clone(), handover.day, handover.revision);
            match self.settlements.insert(name, settlement.clone()) {
                None => assert_eq!(settlement.state, SettlementState::Pending, "it begins so"),
                Some(before) => {
                    assert_eq!(before.handover, *handover, "its content never changes");
                    let accepted = matches!(
                        before.state,
                        SettlementState::Answered { answer: Answer::Accepted { .. }, .. }
                    );
                    assert!(!accepted, "what is accepted is done with");
                }
            }
        }
    }
}

/// One journal entry, made from either kind.
struct Entry(JournalEntry);

impl From<Posting> for Entry {
    fn from(posting: Posting) -> Self {
        Self(JournalEntry::Posting(posting))
    }
}

impl From<Event> for Entry {
    fn from(event: Event) -> Self {
        Self(JournalEntry::Event(event))
    }
}
