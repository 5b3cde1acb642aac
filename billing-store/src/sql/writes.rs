//! Applying what a decision left behind: a fixed number of statements for each kind of row and chunk.

use std::collections::BTreeSet;

use billing_core::{
    account::{AccountSettings, Assignment},
    decide::{CarryMove, Dropped, Intake, Parked, Refusal, StoredItem, Writes},
    event::{Event, Head},
    id::{AccountId, CustomerId, IntakeId, SeriesId},
    invoice::{Invoice, InvoiceMark, InvoiceState},
    item::ItemKey,
    money::Amount,
    plan::PlanSpec,
    settlement::Settlement,
    time::Instant,
    usage::DayTotal,
};

use crate::{
    error::StoreResult,
    sql::{
        bulk::{Cells, Insert, json},
        digests,
        session::{Claimed, Session},
    },
    store::BilledPart,
};

pub(super) async fn apply(mut unit: Session<'_>, writes: &Writes) -> StoreResult<()> {
    let Writes {
        accounts,
        heads,
        plans,
        tariffs,
        activations,
        tariff_catalog,
        assignments,
        items,
        parked,
        unparked,
        dropped,
        moved,
        corrections,
        erased,
        erased_dropped,
        erased_refusals,
        postings,
        events,
        totals,
        carries,
        intake,
        refusals,
        invoices,
        series,
        marks,
        settlements,
        relayed,
        dead_letters,
    } = writes;
    unit.accounts(accounts, heads).await?;
    unit.plans(plans, assignments).await?;
    unit.tariffs(tariffs, activations, tariff_catalog.as_ref()).await?;
    unit.items(items).await?;
    unit.parked(parked).await?;
    unit.unparked(unparked).await?;
    unit.dropped(dropped).await?;
    unit.moved(moved).await?;
    unit.corrections(corrections).await?;
    unit.erased(erased).await?;
    unit.erased_dropped(erased_dropped).await?;
    unit.erased_refusals(erased_refusals).await?;
    unit.postings(postings).await?;
    unit.events(events).await?;
    unit.marks(marks).await?;
    unit.totals(totals).await?;
    unit.carries(carries).await?;
    unit.settlements(settlements).await?;
    if let Some(intake) = intake {
        unit.intake(intake, refusals).await?;
    }
    unit.invoices(invoices).await?;
    unit.series(series.as_ref()).await?;
    unit.outbox(relayed.as_ref(), dead_letters).await?;
    #[cfg(feature = "postgres")]
    unit.part(items, parked).await?;
    Ok(())
}

impl Session<'_> {
    async fn accounts(
        &mut self,
        accounts: &[AccountSettings],
        heads: &[(AccountId, Head)],
    ) -> StoreResult<()> {
        let insert = Insert {
            into: "billing_account_settings (tenant, account, customer, body)",
            columns: 4,
            on_conflict: "",
        };
        self.insert(insert, accounts, |cells, settings| {
            cells.text(settings.id.as_str())?;
            cells.maybe_text(settings.customer.as_ref().map(CustomerId::as_str))?;
            cells.text(&json(settings)?)
        })
        .await?;
        let insert = Insert {
            into: "billing_account (tenant, account, seq, chain, rated_until)",
            columns: 5,
            on_conflict: "on conflict (tenant, account) do update set seq = excluded.seq, chain = excluded.chain, \
                          rated_until = excluded.rated_until",
        };
        self.insert(insert, heads, |cells, (account, head)| {
            cells.text(account.as_str())?;
            cells.int(head.seq)?;
            cells.bytes(head.chain.as_bytes())?;
            cells.maybe_int(head.rated_until.map(Instant::micros))
        })
        .await
    }

    async fn plans(
        &mut self,
        plans: &[PlanSpec],
        assignments: &[(AccountId, Assignment)],
    ) -> StoreResult<()> {
        let insert = Insert {
            into: "billing_plan (tenant, plan, version, body, digest)",
            columns: 5,
            on_conflict: "",
        };
        self.insert(insert, plans, |cells, plan| {
            cells.text(plan.id.as_str())?;
            cells.int(plan.version)?;
            cells.text(&json(plan)?)?;
            cells.bytes(plan.digest().as_bytes())
        })
        .await?;
        let insert = Insert {
            into: "billing_assignment (tenant, account, assignment, from_day, plan, version, \
                   overrides, digest)",
            columns: 8,
            on_conflict: "",
        };
        self.insert(insert, assignments, |cells, (account, assignment)| {
            cells.text(account.as_str())?;
            cells.int(assignment.number)?;
            cells.int(assignment.from.ordinal())?;
            cells.text(assignment.plan.as_str())?;
            cells.int(assignment.version)?;
            cells.text(&json(&assignment.overrides)?)?;
            cells.bytes(assignment.digest.as_bytes())
        })
        .await
    }

    async fn items(&mut self, items: &[StoredItem]) -> StoreResult<()> {
        let insert = Insert {
            into: "billing_item (tenant, source, id, leg, partial, account, kind, at, body, \
                   fingerprint_rule, fingerprint, first_seq, current_seq, postings, effective, \
                   amended)",
            columns: 16,
            on_conflict: "on conflict (tenant, source, id, leg, partial) do nothing",
        };
        let claims = Claimed::Items(items);
        self.claim(insert, claims, items, item_cells).await
    }

    async fn parked(&mut self, parked: &[Parked]) -> StoreResult<()> {
        let insert = Insert {
            into: "billing_parked (tenant, source, id, leg, partial, account, body, reason, since, \
                   digest)",
            columns: 10,
            on_conflict: "on conflict (tenant, source, id, leg, partial) do update set account = excluded.account, \
                          body = excluded.body, reason = excluded.reason, \
                          since = excluded.since, digest = excluded.digest",
        };
        self.insert(insert, parked, |cells, parked| {
            let Parked { incoming, reason, since } = parked;
            key(cells, &incoming.key)?;
            cells.maybe_text(incoming.account.as_ref().map(AccountId::as_str))?;
            cells.text(&json(&incoming.item)?)?;
            cells.text(&json(reason)?)?;
            cells.int(since.micros())?;
            cells.bytes(digests::parked(parked)?.as_bytes())
        })
        .await
    }

    async fn unparked(&mut self, keys: &[ItemKey]) -> StoreResult<()> {
        if keys.is_empty() {
            return Ok(());
        }
        self.change(
            "delete from billing_parked where tenant = ?1 and (source, id, leg, partial) in \
             (select cast(k.value ->> 0 as text), cast(k.value ->> 1 as text), \
             cast(k.value ->> 2 as text), cast(k.value ->> 3 as bigint) from json_each(?2) k)",
            &keys_json(&keys.iter().collect::<Vec<_>>())?,
        )
        .await
    }

    async fn dropped(&mut self, dropped: &[Dropped]) -> StoreResult<()> {
        let insert = Insert {
            into: "billing_dropped (tenant, at, source, id, leg, partial, account, body, parked, \
                   since, reason, digest)",
            columns: 12,
            on_conflict: "",
        };
        self.insert(insert, dropped, dropped_cells).await
    }

    /// Marks invoices; a void one has its row and its line parts marked too.
    async fn marks(&mut self, marks: &[InvoiceMark]) -> StoreResult<()> {
        let insert = Insert {
            into: "billing_invoice_mark (tenant, series, number, at, body)",
            columns: 5,
            on_conflict: "",
        };
        self.insert(insert, marks, |cells, mark| {
            cells.text(mark.series.as_str())?;
            cells.int(mark.number)?;
            cells.int(mark.at.micros())?;
            cells.text(&json(&mark.state)?)
        })
        .await?;
        let is_void = |mark: &&InvoiceMark| matches!(mark.state, InvoiceState::Void { .. });
        let void: Vec<_> = marks.iter().filter(is_void).map(|m| (&m.series, m.number)).collect();
        if void.is_empty() {
            return Ok(());
        }
        let void = json(&void)?;
        self.change(
            "update billing_invoice set void = 1 where tenant = ?1 and (series, number) in \
             (select cast(k.value ->> 0 as text), cast(k.value ->> 1 as bigint) \
             from json_each(?2) k)",
            &void,
        )
        .await?;
        self.change(
            "update billing_line_part indexed by billing_line_part_invoice set void = 1 \
             where tenant = ?1 and (series, number) in \
             (select cast(k.value ->> 0 as text), cast(k.value ->> 1 as bigint) \
             from json_each(?2) k)",
            &void,
        )
        .await
    }

    async fn settlements(&mut self, settlements: &[Settlement]) -> StoreResult<()> {
        let insert = Insert {
            into: "billing_settlement (tenant, account, day, day_revision, body, digest, state, \
                   detail, attempts)",
            columns: 9,
            on_conflict: "on conflict (tenant, account, day, day_revision) do update set body = excluded.body, digest = excluded.digest, \
                          state = excluded.state, detail = excluded.detail, \
                          attempts = excluded.attempts",
        };
        self.insert(insert, settlements, |cells, settlement| {
            let Settlement { handover, state, attempts } = settlement;
            cells.text(handover.account.as_str())?;
            cells.int(handover.day.ordinal())?;
            cells.int(handover.revision)?;
            cells.text(&handover.body())?;
            cells.bytes(handover.digest().as_bytes())?;
            cells.text(state.name())?;
            cells.text(&json(state)?)?;
            cells.int(*attempts)
        })
        .await
    }

    async fn events(&mut self, events: &[Event]) -> StoreResult<()> {
        let insert = Insert {
            into: "billing_event (tenant, account, seq, at, body)",
            columns: 5,
            on_conflict: "",
        };
        self.insert(insert, events, |cells, event| {
            cells.text(event.account.as_str())?;
            cells.int(event.seq)?;
            cells.int(event.at.micros())?;
            cells.text(&event.body())
        })
        .await
    }

    async fn totals(&mut self, totals: &[DayTotal]) -> StoreResult<()> {
        let insert = Insert {
            into: "billing_day_total (tenant, account, day, assignment, strategy, grp, \
                   day_revision, unit, currency, count, quantity, amount, closed, billed, handed)",
            columns: 15,
            on_conflict: "on conflict (tenant, account, day, assignment, strategy, grp, day_revision) do update set count = excluded.count, \
                          quantity = excluded.quantity, amount = excluded.amount, \
                          closed = excluded.closed, billed = excluded.billed, \
                          handed = excluded.handed",
        };
        self.insert(insert, totals, |cells, total| {
            cells.text(total.key.account.as_str())?;
            cells.int(total.key.day.ordinal())?;
            cells.int(total.key.assignment)?;
            cells.text(total.key.strategy.as_str())?;
            cells.text(total.key.group.as_str())?;
            cells.int(total.key.revision)?;
            cells.text(total.unit.as_str())?;
            cells.text(total.currency.code())?;
            cells.int(total.totals.count)?;
            cells.decimal(total.totals.quantity)?;
            amount(cells, total.totals.amount)?;
            cells.int(u8::from(total.closed))?;
            cells.int(u8::from(total.billed))?;
            cells.int(u8::from(total.handed))
        })
        .await
    }

    async fn carries(&mut self, carries: &[CarryMove]) -> StoreResult<()> {
        let insert = Insert {
            into: "billing_carry (tenant, account, scope, strategy, grp, quantity, exact, billed, \
                   kept)",
            columns: 9,
            on_conflict: "on conflict (tenant, account, scope, strategy, grp) do update set quantity = excluded.quantity, \
                          exact = excluded.exact, billed = excluded.billed, kept = excluded.kept",
        };
        self.insert(insert, carries, |cells, CarryMove { key, carry }| {
            cells.text(key.account.as_str())?;
            cells.text(&key.scope.to_string())?;
            cells.text(key.strategy.as_str())?;
            cells.text(key.group.as_str())?;
            cells.decimal(carry.quantity)?;
            cells.text(&carry.exact.to_string())?;
            cells.decimal(carry.billed)?;
            cells.text(&carry.kept.to_string())
        })
        .await
    }

    async fn intake(&mut self, intake: &Intake, refusals: &[Refusal]) -> StoreResult<()> {
        let insert = Insert {
            into: "billing_intake (tenant, intake, label, at, received, recorded, replayed, \
                   conflict, parked, refused, digest)",
            columns: 11,
            on_conflict: "on conflict (tenant, intake) do nothing",
        };
        let claim = Claimed::Intake(intake);
        self.claim(insert, claim, core::slice::from_ref(intake), |cells, intake| {
            cells.text(intake.id.as_str())?;
            cells.foreign(&intake.label)?;
            cells.int(intake.at.micros())?;
            let counts = [
                intake.received,
                intake.recorded,
                intake.replayed,
                intake.conflict,
                intake.parked,
                intake.refused,
            ];
            counts.into_iter().try_for_each(|count| cells.int(count))?;
            cells.bytes(digests::intake(intake)?.as_bytes())
        })
        .await?;
        let insert = Insert {
            into: "billing_refusal (tenant, intake, number, place, reason, raw, digest)",
            columns: 7,
            on_conflict: "",
        };
        let numbered: Vec<_> = (0_u64..).zip(refusals).collect();
        self.insert(insert, &numbered, |cells, (number, refusal)| {
            refusal_cells(cells, &intake.id, *number, refusal)
        })
        .await
    }

    async fn invoices(&mut self, invoices: &[Invoice]) -> StoreResult<()> {
        let insert = Insert {
            into: "billing_invoice (tenant, series, number, account, kind, period_start, \
                   period_end, issued_at, currency, total, body, digest, void)",
            columns: 13,
            on_conflict: "",
        };
        self.insert(insert, invoices, |cells, invoice| {
            let draft = &invoice.draft;
            cells.text(invoice.series.as_str())?;
            cells.int(invoice.number)?;
            cells.text(draft.account.as_str())?;
            cells.text(draft.kind.name())?;
            cells.int(draft.period.start().ordinal())?;
            cells.int(draft.period.end().ordinal())?;
            cells.int(invoice.issued_at.micros())?;
            cells.text(draft.currency.code())?;
            cells.decimal(draft.taxed.total)?;
            cells.text(&invoice.body())?;
            cells.bytes(invoice.digest().as_bytes())?;
            cells.int(0_u8)
        })
        .await?;
        self.line_parts(invoices).await
    }

    async fn line_parts(&mut self, invoices: &[Invoice]) -> StoreResult<()> {
        let insert = Insert {
            into: "billing_line_part (tenant, account, day, assignment, strategy, grp, \
                   day_revision, series, number, line, share, void)",
            columns: 12,
            on_conflict: "",
        };
        let parts: Vec<_> = invoices.iter().flat_map(BilledPart::of).collect();
        self.insert(insert, &parts, |cells, part| {
            cells.text(part.key.account.as_str())?;
            cells.int(part.key.day.ordinal())?;
            cells.int(part.key.assignment)?;
            cells.text(part.key.strategy.as_str())?;
            cells.text(part.key.group.as_str())?;
            cells.int(part.key.revision)?;
            cells.text(part.series.as_str())?;
            cells.int(part.number)?;
            cells.int(part.line)?;
            cells.decimal(part.share)?;
            cells.int(0_u8)
        })
        .await
    }

    async fn series(&mut self, series: Option<&(SeriesId, u64)>) -> StoreResult<()> {
        let insert = Insert {
            into: "billing_series (tenant, series, last)",
            columns: 3,
            on_conflict: "on conflict (tenant, series) do update set last = excluded.last",
        };
        self.insert(insert, series.as_slice(), |cells, (series, last)| {
            cells.text(series.as_str())?;
            cells.int(*last)
        })
        .await
    }
}

pub(super) fn item_cells(cells: &mut Cells, stored: &StoredItem) -> StoreResult<()> {
    let StoredItem { claim, item, postings, .. } = stored;
    key(cells, &claim.key)?;
    cells.text(claim.account.as_str())?;
    cells.text(item.kind())?;
    cells.int(item.at().micros())?;
    cells.text(&json(item)?)?;
    cells.int(claim.fingerprint.rule)?;
    cells.bytes(claim.fingerprint.digest.as_bytes())?;
    cells.int(claim.first_seq)?;
    cells.int(claim.current_seq)?;
    cells.int(*postings)?;
    cells.int(claim.effective)?;
    cells.maybe_text(claim.amended.as_ref().map(json).transpose()?.as_deref())
}

pub(super) fn dropped_cells(cells: &mut Cells, dropped: &Dropped) -> StoreResult<()> {
    let Parked { incoming, reason, since } = &dropped.parked;
    cells.int(dropped.at.micros())?;
    key(cells, &incoming.key)?;
    cells.maybe_text(incoming.account.as_ref().map(AccountId::as_str))?;
    cells.text(&json(&incoming.item)?)?;
    cells.text(&json(reason)?)?;
    cells.int(since.micros())?;
    cells.foreign(&dropped.reason)?;
    cells.bytes(digests::dropped(dropped)?.as_bytes())
}

pub(super) fn refusal_cells(
    cells: &mut Cells,
    intake: &IntakeId,
    number: u64,
    refusal: &Refusal,
) -> StoreResult<()> {
    cells.text(intake.as_str())?;
    cells.int(number)?;
    cells.foreign(&refusal.place)?;
    cells.foreign(&refusal.reason)?;
    cells.foreign(&refusal.raw)?;
    cells.bytes(digests::refusal(intake, number, refusal)?.as_bytes())
}

pub(super) fn key(cells: &mut Cells, key: &ItemKey) -> StoreResult<()> {
    cells.text(key.source.as_str())?;
    cells.text(key.id.as_str())?;
    cells.text(key.leg_text())?;
    cells.int(key.partial_number())
}

pub(super) fn key_cells(key: &ItemKey) -> (&str, &str, &str, u32) {
    (key.source.as_str(), key.id.as_str(), key.leg_text(), key.partial_number())
}

pub(super) fn amount(cells: &mut Cells, amount: Option<Amount>) -> StoreResult<()> {
    cells.maybe_decimal(amount)
}

/// Item keys as one JSON parameter: `[[source, id, leg, partial], ...]`.
pub(super) fn keys_json(keys: &[&ItemKey]) -> StoreResult<String> {
    json(&keys.iter().copied().map(key_cells).collect::<BTreeSet<_>>())
}
