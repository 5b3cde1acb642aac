//! What is checked of the outbox: cursors and dead letters against the journal.
//!
//! Cursors, leases and dead letters say how far sinks have been told; nobody is billed by them. Therefore they are no part of the chain,
//! and what is checked is that nothing is passed over: no cursor beyond the journal, no dead letter that its cursor has not come to.

use crate::{
    answer::Result,
    store::Facts,
    verify::{Promise, account::Check, readable},
};

impl Check<'_> {
    pub(super) async fn outbox(&mut self, facts: &mut dyn Facts) -> Result<()> {
        let id = self.account.settings.id.clone();
        let cursors = readable(self.report, Some(&id), facts.cursors_of(&id).await)?;
        let cursors = cursors.unwrap_or_default();
        let letters = readable(self.report, Some(&id), facts.dead_letters_of(&id).await)?;
        let head = self.account.head.seq;
        for cursor in &cursors {
            let (sink, seq) = (&cursor.sink, cursor.seq);
            if seq > head {
                let what = format!("sink {sink} is told up to entry {seq}, the last is {head}");
                self.report.find(Promise::Outbox, Some(&id), what);
            }
        }
        for letter in letters.unwrap_or_default() {
            let mut told = cursors.iter().filter(|cursor| cursor.sink == letter.sink);
            if !told.any(|cursor| letter.seq <= cursor.seq) {
                let (sink, seq) = (&letter.sink, letter.seq);
                let what = format!("sink {sink} has skipped entry {seq}, and is not told up to it");
                self.report.find(Promise::Outbox, Some(&id), what);
            }
        }
        Ok(())
    }
}
