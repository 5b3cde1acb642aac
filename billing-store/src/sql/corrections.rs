//! How corrections are written: each once, with its report, and the items whose current postings it made others.

use billing_core::{correction::RecordedCorrection, decide::Moved};

use crate::{
    error::StoreResult,
    sql::{
        bulk::{Insert, json},
        session::{Claimed, Session, Words},
        writes::key_cells,
    },
};

impl Session<'_> {
    pub(super) async fn corrections(
        &mut self,
        corrections: &[RecordedCorrection],
    ) -> StoreResult<()> {
        let insert = Insert {
            into: "billing_correction (tenant, correction, at, kind, reason, body, request, \
                   report, digest)",
            columns: 9,
            on_conflict: "on conflict (tenant, correction) do nothing",
        };
        let claims = Claimed::Corrections(corrections);
        self.claim(insert, claims, corrections, |cells, recorded| {
            let RecordedCorrection { correction, request, at, report } = recorded;
            cells.text(correction.id.as_str())?;
            cells.int(at.micros())?;
            cells.text(correction.change.name())?;
            cells.foreign(&correction.reason)?;
            cells.text(&json(&correction.change)?)?;
            cells.bytes(request.as_bytes())?;
            cells.text(&json(report)?)?;
            cells.bytes(recorded.digest().as_bytes())
        })
        .await
    }

    /// Lets items' current postings be others.
    pub(super) async fn moved(&mut self, moved: &[Moved]) -> StoreResult<()> {
        if moved.is_empty() {
            return Ok(());
        }
        let row = |moved: &Moved| {
            let Moved { key, current_seq, effective, amended } = moved;
            let amended = amended.as_ref().map(json).transpose()?;
            let (source, id, leg, partial) = key_cells(key);
            json(&(source, id, leg, partial, current_seq, effective, amended))
        };
        let rows = moved.iter().map(row).collect::<StoreResult<Vec<_>>>()?;
        self.change_as(MOVE, &format!("[{}]", rows.join(","))).await
    }
}

/// Lets items' current postings be others.
pub(super) const MOVE: Words = Words {
    // The rows are found by their keys and changed in their places, or the planner might walk all of a tenant's.
    #[cfg(feature = "postgres")]
    postgres: "with moved as materialized (
             select i.place, cast(k.value ->> 4 as bigint) as seq, \
             cast(k.value ->> 5 as bigint) as effective, cast(k.value ->> 6 as text) as amended \
             from json_each(?2) k cross join lateral (\
                 select ctid as place from billing_item where tenant = ?1 \
                 and source = cast(k.value ->> 0 as text) and id = cast(k.value ->> 1 as text) \
                 and leg = cast(k.value ->> 2 as text) \
                 and partial = cast(k.value ->> 3 as bigint) offset 0\
             ) i
         )
         update billing_item set (current_seq, effective, amended) = \
         (select m.seq, m.effective, m.amended from moved m where m.place = billing_item.ctid) \
         where tenant = ?1 and ctid = any(array(select m.place from moved m))",
    // The tenant comes with the keys: told by itself, it tempts the planner to walk all of its items.
    #[cfg(feature = "sqlite")]
    sqlite: "with k(tenant, source, id, leg, partial, seq, effective, amended) as materialized (
             select ?1, cast(k.value ->> 0 as text), cast(k.value ->> 1 as text), \
             cast(k.value ->> 2 as text), cast(k.value ->> 3 as bigint), \
             cast(k.value ->> 4 as bigint), cast(k.value ->> 5 as bigint), \
             cast(k.value ->> 6 as text) from json_each(?2) k
         )
         update billing_item set current_seq = k.seq, effective = k.effective, \
         amended = k.amended from k \
         where billing_item.tenant = k.tenant and billing_item.source = k.source \
         and billing_item.id = k.id and billing_item.leg = k.leg \
         and billing_item.partial = k.partial",
};
