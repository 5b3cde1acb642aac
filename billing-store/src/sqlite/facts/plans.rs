//! Questions about plans: some versions, or every one.

use std::collections::BTreeSet;

use billing_core::{id::PlanId, plan::PlanSpec};

use crate::{
    error::StoreResult,
    sqlite::{SqliteUnit, bulk::json, facts::ask::Param::Text},
};

pub(super) async fn of_versions(
    unit: &mut SqliteUnit,
    ids: &[(PlanId, u32)],
) -> StoreResult<Vec<PlanSpec>> {
    let ids = json(&ids.iter().collect::<BTreeSet<_>>())?;
    unit.all(
        "billing_plan",
        "select p.plan, p.version, p.body, p.digest from json_each(?2) k cross join billing_plan p \
         on p.tenant = ?1 and p.plan = k.value ->> 0 and p.version = k.value ->> 1",
        &[Text(&ids)],
    )
    .await
}

pub(super) async fn all(unit: &mut SqliteUnit) -> StoreResult<Vec<PlanSpec>> {
    unit.all(
        "billing_plan",
        "select plan, version, body, digest from billing_plan where tenant = ?1 order by plan, version",
        &[],
    )
    .await
}
