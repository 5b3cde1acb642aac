//! How persons are taken out of rows: the rest of each row stays as it is.

use billing_core::{
    decide::{Dropped, Refusal, StoredItem},
    id::IntakeId,
};

use crate::{
    error::StoreResult,
    sql::{
        bulk::{Insert, json},
        digests,
        session::Session,
        writes::{dropped_cells, item_cells, refusal_cells},
    },
};

impl Session<'_> {
    pub(super) async fn erased(&mut self, items: &[StoredItem]) -> StoreResult<()> {
        let insert = Insert {
            into: "billing_item (tenant, source, id, leg, partial, account, kind, at, body, \
                   fingerprint_rule, fingerprint, first_seq, current_seq, postings, effective, \
                   amended, erased)",
            columns: 17,
            on_conflict: "on conflict (tenant, source, id, leg, partial) do update \
                          set body = excluded.body, amended = excluded.amended, \
                          erased = excluded.erased",
        };
        self.insert(insert, items, |cells, item| {
            item_cells(cells, item)?;
            let amended = item.claim.amended.as_ref().map(json).transpose()?;
            cells.text(&digests::erased(&json(&item.item)?, amended.as_deref()).to_string())
        })
        .await
    }

    pub(super) async fn erased_dropped(&mut self, dropped: &[Dropped]) -> StoreResult<()> {
        let insert = Insert {
            into: "billing_dropped (tenant, at, source, id, leg, partial, account, body, parked, \
                   since, reason, digest)",
            columns: 12,
            on_conflict: "on conflict (tenant, at, source, id, leg, partial) do update \
                          set body = excluded.body, digest = excluded.digest",
        };
        self.insert(insert, dropped, dropped_cells).await
    }

    pub(super) async fn erased_refusals(
        &mut self,
        refusals: &[(IntakeId, u64, Refusal)],
    ) -> StoreResult<()> {
        let insert = Insert {
            into: "billing_refusal (tenant, intake, number, place, reason, raw, digest)",
            columns: 7,
            on_conflict: "on conflict (tenant, intake, number) do update \
                          set raw = excluded.raw, digest = excluded.digest",
        };
        self.insert(insert, refusals, |cells, (intake, number, refusal)| {
            refusal_cells(cells, intake, *number, refusal)
        })
        .await
    }
}
