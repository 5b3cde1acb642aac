//! What is checked of an account's settlements: each hands over what its revision of the day used, once.

use std::collections::BTreeMap;

use billing_core::{
    settlement::{Answer, HandedTotal, Handover, Settlement, SettlementState},
    time::Day,
    usage::DayTotal,
};

use crate::verify::{
    Promise,
    account::{Answered, Check},
};

impl Check<'_> {
    /// Settlements agree with the journal and with the day totals, and each total marked so is in one.
    pub(super) fn settlements(&mut self, settlements: &[Settlement], totals: &[DayTotal]) {
        let mut revisions: BTreeMap<(Day, u32), Vec<&DayTotal>> = BTreeMap::new();
        for total in totals.iter().filter(|total| total.handed) {
            revisions.entry((total.key.day, total.key.revision)).or_default().push(total);
        }
        let mut seen = core::mem::take(&mut self.seen.handed);
        for Settlement { handover, state, .. } in settlements {
            self.report.settlements = self.report.settlements.saturating_add(1);
            let Handover { day, revision, .. } = handover;
            let key = (*day, *revision);
            let known = seen.remove(&key);
            if known.as_ref().map(|(digest, _)| *digest) != Some(handover.digest()) {
                let what = format!("revision {revision} of {day} is not what was handed over");
                self.find(Promise::Settlement, what);
            }
            if !agrees(state, known.and_then(|(_, answer)| answer).as_ref()) {
                let what = format!("revision {revision} of {day} was not {}", state.name());
                self.find(Promise::Settlement, what);
            }
            let mut mine = revisions.remove(&key).unwrap_or_default();
            mine.sort_by(|one, two| one.key.cmp(&two.key));
            let mine: Vec<HandedTotal> = mine.into_iter().map(HandedTotal::from).collect();
            if mine != handover.totals {
                let what = format!("revision {revision} of {day} is not what the day used");
                self.find(Promise::Settlement, what);
            }
        }
        for (day, revision) in seen.keys().chain(revisions.keys()) {
            let what = format!("the settlement of {day} in revision {revision} is missing");
            self.find(Promise::Settlement, what);
        }
    }
}

/// A settlement is answered as the journal says last; one that was refused may be on its way again.
fn agrees(state: &SettlementState, answered: Option<&Answered>) -> bool {
    match state {
        SettlementState::Answered { at, answer } => {
            answered.is_some_and(|(when, said)| (at, answer) == (when, said))
        }
        SettlementState::Pending | SettlementState::Sent { .. } => {
            !matches!(answered, Some((_, Answer::Accepted { .. })))
        }
    }
}
