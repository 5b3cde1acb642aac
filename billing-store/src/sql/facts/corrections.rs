//! Questions about corrections, and about items whose content is another.

use std::collections::BTreeSet;

use billing_core::{
    correction::RecordedCorrection,
    decide::StoredItem,
    id::{AccountId, CorrectionId},
    item::ItemKey,
};

use crate::{
    error::StoreResult,
    sql::{
        bulk::json,
        connection::Param::{Int, Text},
        facts::{ask::page_key, items::items},
        session::Session,
    },
};

/// A statement that asks for corrections, with the columns that `FromCells` reads.
macro_rules! corrections {
    ($from:literal) => {
        concat!(
            "select c.correction, c.at, c.kind, c.reason, c.body, c.request, c.report, c.digest ",
            $from
        )
    };
}

pub(super) async fn of_ids(
    unit: &mut Session<'_>,
    ids: &[CorrectionId],
) -> StoreResult<Vec<RecordedCorrection>> {
    let ids = json(&ids.iter().map(|id| [id.as_str()]).collect::<BTreeSet<_>>())?;
    unit.all(
        "billing_correction",
        corrections!(
            "from json_each(?2) k cross join billing_correction c \
             on c.tenant = ?1 and c.correction = cast(k.value ->> 0 as text)"
        ),
        &[Text(&ids)],
    )
    .await
}

pub(super) async fn page(
    unit: &mut Session<'_>,
    after: Option<&CorrectionId>,
    limit: u32,
) -> StoreResult<Vec<RecordedCorrection>> {
    unit.all(
        "billing_correction",
        corrections!(
            "from billing_correction c where c.tenant = ?1 and c.correction > ?2 \
             order by c.correction limit ?3"
        ),
        &[Text(after.map_or("", CorrectionId::as_str)), Int(limit.into())],
    )
    .await
}

pub(super) async fn amended(
    unit: &mut Session<'_>,
    account: &AccountId,
    after: Option<&ItemKey>,
    limit: u32,
) -> StoreResult<Vec<StoredItem>> {
    let (source, id, leg, partial) = page_key(after);
    unit.all(
        "billing_item",
        items!(
            "from billing_item i indexed by billing_item_amended \
             where i.tenant = ?1 and i.account = ?2 and i.amended is not null \
             and (i.source, i.id, i.leg, i.partial) > (?3, ?4, ?5, ?6) \
             order by i.source, i.id, i.leg, i.partial limit ?7"
        ),
        &[
            Text(account.as_str()),
            Text(source),
            Text(id),
            Text(leg),
            Int(partial),
            Int(limit.into()),
        ],
    )
    .await
}
