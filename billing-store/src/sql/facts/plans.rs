//! Questions about plans: some versions, or every one.

use std::collections::BTreeSet;

use billing_core::{id::PlanId, plan::PlanSpec};

use crate::{
    error::StoreResult,
    sql::{bulk::json, connection::Param::Text, session::Session},
};

pub(super) async fn of_versions(
    unit: &mut Session<'_>,
    ids: &[(PlanId, u32)],
) -> StoreResult<Vec<PlanSpec>> {
    let ids = json(&ids.iter().collect::<BTreeSet<_>>())?;
    unit.all(
        "billing_plan",
        "select p.plan, p.version, p.body, p.digest from json_each(?2) k cross join billing_plan p \
         on p.tenant = ?1 and p.plan = cast(k.value ->> 0 as text) \
         and p.version = cast(k.value ->> 1 as bigint)",
        &[Text(&ids)],
    )
    .await
}

pub(super) async fn all(unit: &mut Session<'_>) -> StoreResult<Vec<PlanSpec>> {
    unit.all(
        "billing_plan",
        "select plan, version, body, digest from billing_plan where tenant = ?1 order by plan, version",
        &[],
    )
    .await
}
