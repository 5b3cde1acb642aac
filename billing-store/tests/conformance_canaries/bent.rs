//! What a defect makes of writes before they reach the store inside.

use std::collections::BTreeSet;

use billing_core::{
    decide::{Moved, StoredItem, Writes},
    event::JournalEntry,
    id::{ItemId, SeriesId},
    invoice::InvoiceState,
    item::{Item, ItemKey, Properties},
    money::{Amount, Exact, Quantity},
    settlement::{Handover, Settlement},
    tariff::Catalog,
    terms::Overrides,
    usage::{DayTotal, Totals},
};
use billing_store::{StoreError, StoreResult, store::BilledPart};

use crate::{Defect, store::Wrapped};

impl Wrapped {
    pub(crate) async fn bend(&mut self, writes: &Writes) -> StoreResult<Writes> {
        let mut bent = writes.clone();
        match self.defect {
            Defect::FoldsCase => bent.items.iter_mut().for_each(fold),
            Defect::DropsEvents => bent.events.clear(),
            Defect::LosesFractions => lose_fractions(&mut bent),
            Defect::CutsProperties => bent.items.iter_mut().for_each(cut_properties),
            Defect::LosesOverrides => {
                bent.assignments.iter_mut().for_each(|(_, a)| a.overrides = Overrides::none());
            }
            Defect::LosesLongFractions => {
                let kept = bent.carries.iter_mut().map(|moved| &mut moved.carry.kept);
                kept.filter(|kept| kept.to_string().len() > 40)
                    .for_each(|kept| *kept = Exact::zero());
            }
            Defect::LosesPrefixes => {
                let priced = bent.postings.iter_mut().filter_map(|p| p.provenance.as_deref_mut());
                priced.for_each(|provenance| provenance.prefix = None);
            }
            Defect::FreezesTheDigest => {
                let stored = self.unit().await?.tariff_digest().await?;
                bent.tariff_catalog = bent.tariff_catalog.filter(|_| stored.is_none());
            }
            Defect::IgnoresDoubleTariffs | Defect::IgnoresDoubleActivations => {
                self.pass_over_tariffs(&mut bent).await?;
            }
            Defect::MovesRatedBack => move_rated_back(&mut bent),
            Defect::ForgetsWhatMoved => bent.moved.clear(),
            Defect::KeepsReportedContent => {
                bent.moved.iter_mut().for_each(|moved| moved.amended = None);
            }
            Defect::LosesCorrections => {
                bent.postings.iter_mut().for_each(|posting| posting.correction = None);
            }
            Defect::IgnoresDoubleCorrections => self.pass_over_corrections(&mut bent).await?,
            Defect::ForgetsIdleCorrections => {
                bent.corrections.retain(|recorded| recorded.report.changed > 0);
            }
            Defect::MovesAllRecords => self.move_all_records(&mut bent).await?,
            Defect::VoidKeepsThePeriod => self.refuse_periods(&bent).await?,
            Defect::VoidKeepsTheParts => self.refuse_parts(&bent).await?,
            Defect::MarksReplays if *writes == Writes::default() => {
                bent.series = Some((SeriesId::try_new("replays").unwrap(), 1));
            }
            Defect::IgnoresDoubleClaims => self.pass_over_claims(&mut bent).await?,
            Defect::IgnoresDoublePlans => self.pass_over_plans(&mut bent).await?,
            Defect::NumbersTwice => self.pass_over_numbers(&mut bent).await?,
            Defect::KeepsDroppedParked => {
                let dropped = |key: &ItemKey| {
                    writes.dropped.iter().any(|dropped| dropped.parked.incoming.key == *key)
                };
                bent.unparked.retain(|key| !dropped(key));
            }
            Defect::IgnoresDoubleDrops => self.pass_over_drops(&mut bent).await?,
            Defect::IgnoresDoubleMarks => self.pass_over_marks(&mut bent).await?,
            Defect::FreezesSettlements
            | Defect::IgnoresOtherContent
            | Defect::IgnoresAccepted
            | Defect::RefreshesWhatIsSent => self.pass_over_settlements(&mut bent).await?,
            Defect::AddsTotals
            | Defect::IgnoresLateUsage
            | Defect::TakesNothingBack
            | Defect::IgnoresHandedDays => self.bend_totals(&mut bent).await?,
            Defect::KeepsCarries => self.pass_over_carries(&mut bent).await?,
            Defect::InvoicesTwice => self.pass_over_invoices(&mut bent).await?,
            Defect::IgnoresTheLease | Defect::IgnoresOldCursors => {
                self.pass_over_relays(&mut bent).await?;
            }
            Defect::UnparksTheUsage => self.unpark_the_usage(&mut bent).await?,
            _ => {}
        }
        Ok(bent)
    }

    async fn move_all_records(&mut self, writes: &mut Writes) -> StoreResult<()> {
        for moved in writes.moved.clone() {
            let records = self.unit().await?.items(core::slice::from_ref(&moved.key)).await?;
            let moved = |record: StoredItem| Moved { key: record.claim.key, ..moved.clone() };
            writes.moved.extend(records.into_iter().map(moved));
        }
        Ok(())
    }

    async fn refuse_periods(&mut self, writes: &Writes) -> StoreResult<()> {
        for invoice in &writes.invoices {
            let stored = self.unit().await?.invoices_of(&invoice.draft.account).await?;
            let period = |of: &billing_core::invoice::Draft| (of.kind, of.period.start());
            if stored.iter().any(|stored| period(&stored.draft) == period(&invoice.draft)) {
                return refused();
            }
        }
        Ok(())
    }

    async fn refuse_parts(&mut self, writes: &Writes) -> StoreResult<()> {
        for part in writes.invoices.iter().flat_map(BilledPart::of) {
            let stored = self.unit().await?.line_parts(&part.key.account).await?;
            if stored.iter().any(|stored| stored.key == part.key) {
                return refused();
            }
        }
        Ok(())
    }

    async fn pass_over_claims(&mut self, writes: &mut Writes) -> StoreResult<()> {
        let keys: Vec<_> = writes.items.iter().map(|item| item.claim.key.clone()).collect();
        let stored = self.unit().await?.items(&keys).await?;
        let mut known: BTreeSet<_> = stored.into_iter().map(|item| item.claim.key).collect();
        writes.items.retain(|item| known.insert(item.claim.key.clone()));
        Ok(())
    }

    async fn pass_over_plans(&mut self, writes: &mut Writes) -> StoreResult<()> {
        let keys: Vec<_> =
            writes.plans.iter().map(|plan| (plan.id.clone(), plan.version)).collect();
        let stored = self.unit().await?.plans(&keys).await?;
        writes.plans.retain(|plan| {
            !stored.iter().any(|stored| (&stored.id, stored.version) == (&plan.id, plan.version))
        });
        Ok(())
    }

    async fn pass_over_tariffs(&mut self, writes: &mut Writes) -> StoreResult<()> {
        let Catalog { saved, activations } = self.unit().await?.tariff_catalog().await?;
        if self.defect == Defect::IgnoresDoubleTariffs {
            writes.tariffs.retain(|tariff| {
                let mut saved = saved.iter().map(|saved| (&saved.tariff, saved.version));
                !saved.any(|saved| saved == (&tariff.id, tariff.version))
            });
        } else {
            writes.activations.retain(|new| {
                let mut taken = activations.iter().map(|old| (&old.tariff, old.from));
                !taken.any(|taken| taken == (&new.tariff, new.from))
            });
        }
        Ok(())
    }

    async fn pass_over_numbers(&mut self, writes: &mut Writes) -> StoreResult<()> {
        let mut posted = BTreeSet::new();
        for posting in std::mem::take(&mut writes.postings) {
            let before = posting.seq.saturating_sub(1);
            let stored = self.unit().await?.journal(&posting.account, before, 1).await?;
            let is_event = |entry: &JournalEntry| matches!(entry, JournalEntry::Event(event) if event.seq == posting.seq);
            if !stored.iter().any(is_event) {
                posted.insert((posting.account.clone(), posting.seq));
                writes.postings.push(posting);
            }
        }
        let numbers: Vec<_> =
            writes.events.iter().map(|event| (event.account.clone(), event.seq)).collect();
        let stored = self.unit().await?.postings(&numbers).await?;
        posted.extend(stored.into_iter().map(|posting| (posting.account, posting.seq)));
        writes.events.retain(|event| !posted.contains(&(event.account.clone(), event.seq)));
        Ok(())
    }

    async fn pass_over_corrections(&mut self, writes: &mut Writes) -> StoreResult<()> {
        let stored = self.unit().await?.correction_page(None, u32::MAX).await?;
        let mut known: BTreeSet<_> =
            stored.into_iter().map(|recorded| recorded.correction.id).collect();
        writes.corrections.retain(|recorded| known.insert(recorded.correction.id.clone()));
        Ok(())
    }

    async fn pass_over_drops(&mut self, writes: &mut Writes) -> StoreResult<()> {
        let stored = self.unit().await?.dropped_page(None, u32::MAX).await?;
        let place = |dropped: &billing_core::decide::Dropped| {
            (dropped.at, dropped.parked.incoming.key.clone())
        };
        let mut known: BTreeSet<_> = stored.iter().map(place).collect();
        writes.dropped.retain(|dropped| known.insert(place(dropped)));
        Ok(())
    }

    async fn pass_over_marks(&mut self, writes: &mut Writes) -> StoreResult<()> {
        let numbers: Vec<_> =
            writes.marks.iter().map(|mark| (mark.series.clone(), mark.number)).collect();
        let stored = self.unit().await?.invoice_marks(&numbers).await?;
        let mut known: BTreeSet<_> =
            stored.into_iter().map(|mark| (mark.series, mark.number)).collect();
        writes.marks.retain(|mark| known.insert((mark.series.clone(), mark.number)));
        Ok(())
    }

    async fn pass_over_settlements(&mut self, writes: &mut Writes) -> StoreResult<()> {
        let mut before: Vec<Settlement> = Vec::new();
        for mut settlement in std::mem::take(&mut writes.settlements) {
            let Handover { account, day, revision, .. } = &settlement.handover;
            let key = (account.clone(), *day, *revision);
            let stored = self.unit().await?.settlements(core::slice::from_ref(&key)).await?;
            let same = |other: &&Settlement| {
                let Handover { account, day, revision, .. } = &other.handover;
                (account, *day, *revision) == (&key.0, key.1, key.2)
            };
            let known = before.iter().chain(&stored).find(same).cloned();
            let passed_over = known.is_some_and(|known| match self.defect {
                Defect::FreezesSettlements => known.handover == settlement.handover,
                Defect::IgnoresOtherContent => known.handover != settlement.handover,
                Defect::IgnoresAccepted => known.state.name() == "accepted",
                _ => false,
            });
            if let Some(stored) = self.refreshed.get(&settlement.handover.body()) {
                settlement.handover = stored.clone();
            }
            if !passed_over {
                before.push(settlement.clone());
                writes.settlements.push(settlement);
            }
        }
        Ok(())
    }

    async fn bend_totals(&mut self, writes: &mut Writes) -> StoreResult<()> {
        for mut total in std::mem::take(&mut writes.totals) {
            let account = total.key.account.clone();
            let stored = self.unit().await?.totals_of(&account).await?;
            let before = stored.into_iter().find(|stored| stored.key == total.key);
            let is_kept = match self.defect {
                Defect::AddsTotals => {
                    let sum = before.map(|before| total.totals.checked_add(before.totals));
                    total.totals = sum.and_then(Result::ok).unwrap_or(total.totals);
                    true
                }
                Defect::TakesNothingBack => {
                    before.is_none_or(|before| before.totals.quantity <= total.totals.quantity)
                }
                Defect::IgnoresLateUsage => {
                    let facts = self.unit().await?.accounts(&[account]).await?;
                    let until = facts.first().and_then(|facts| facts.invoiced_until);
                    before.is_some() || until.is_none_or(|until| until <= total.key.day)
                }
                _ => before.is_some() || !self.is_of_a_handed_day(&total).await?,
            };
            if is_kept {
                writes.totals.push(total);
            }
        }
        Ok(())
    }

    async fn is_of_a_handed_day(&mut self, total: &DayTotal) -> StoreResult<bool> {
        let handed = self.unit().await?.settlements_of(&total.key.account).await?;
        let mut days = handed.iter().map(|one| (one.handover.day, one.handover.revision));
        Ok(days.any(|(day, revision)| day == total.key.day && revision < total.key.revision))
    }

    async fn pass_over_carries(&mut self, writes: &mut Writes) -> StoreResult<()> {
        for moved in std::mem::take(&mut writes.carries) {
            let stored = self.unit().await?.carries_of(&moved.key.account).await?;
            let known = stored.iter().any(|stored| stored.key == moved.key);
            if !(known && moved.carry.is_nothing()) {
                writes.carries.push(moved);
            }
        }
        Ok(())
    }

    async fn pass_over_invoices(&mut self, writes: &mut Writes) -> StoreResult<()> {
        for invoice in std::mem::take(&mut writes.invoices) {
            let stored = self.unit().await?.invoices_of(&invoice.draft.account).await?;
            let same = |of: &billing_core::invoice::Draft| {
                (of.kind, of.period) == (invoice.draft.kind, invoice.draft.period)
            };
            let same = stored.iter().filter(|stored| same(&stored.draft));
            let numbers: Vec<_> =
                same.map(|stored| (stored.series.clone(), stored.number)).collect();
            let marks = self.unit().await?.invoice_marks(&numbers).await?;
            let is_void = |state: &InvoiceState| matches!(state, InvoiceState::Void { .. });
            let void = marks.iter().filter(|mark| is_void(&mark.state)).count();
            if void == numbers.len() {
                writes.invoices.push(invoice);
            }
        }
        Ok(())
    }

    async fn unpark_the_usage(&mut self, writes: &mut Writes) -> StoreResult<()> {
        if writes.items.is_empty() {
            return Ok(());
        }
        let parked = self.unit().await?.parked_page(None, u32::MAX).await?;
        let of = |key: &ItemKey| (key.source.clone(), key.id.clone());
        let unparked: BTreeSet<_> = writes.unparked.iter().map(of).collect();
        let keys = parked.into_iter().map(|parked| parked.incoming.key);
        writes.unparked.extend(keys.filter(|key| unparked.contains(&of(key))));
        Ok(())
    }
}

/// Lets an account be priced as far as its last posting, not as its latest.
fn move_rated_back(writes: &mut Writes) {
    for (account, head) in &mut writes.heads {
        let mine = writes.postings.iter().filter(|posting| posting.account == *account);
        if let Some(provenance) = mine.filter_map(|posting| posting.provenance.as_ref()).next_back()
        {
            head.rated_until = Some(provenance.until);
        }
    }
}

fn refused() -> StoreResult<()> {
    Err(StoreError::Refused { what: "what a void invoice holds".into(), source: None })
}

fn fold(item: &mut StoredItem) {
    item.claim.key.id = ItemId::try_new(item.claim.key.id.as_str().to_lowercase()).unwrap();
}

fn cut_properties(stored: &mut StoredItem) {
    if let Item::Pulse(pulse) = &mut stored.item {
        pulse.properties = Properties::try_new(pulse.properties.clone().iter().take(10)).unwrap();
    }
}

fn lose_fractions(writes: &mut Writes) {
    let cut = |totals: &mut Totals| {
        totals.quantity = Quantity::try_new(totals.quantity.decimal().trunc_with_scale(6)).unwrap();
        totals.amount = totals
            .amount
            .map(|amount| Amount::try_new(amount.decimal().trunc_with_scale(6)).unwrap());
    };
    writes.postings.iter_mut().for_each(|posting| cut(&mut posting.totals));
    writes.totals.iter_mut().for_each(|total| cut(&mut total.totals));
}
