//! Plans that follow the flags of a program.

use billing::{PlanSpec, Tenant};

/// A plan with these prices: a version that is saved already, otherwise a new one.
///
/// A saved version never changes and an account keeps the one it was given, so new prices reprice nothing.
pub async fn save_plan(tenant: &Tenant, plan: PlanSpec) -> billing::Result<PlanSpec> {
    let mut saved = tenant.read().await?.all_plans().await?;
    saved.retain(|saved| saved.id == plan.id);
    if let Some(same) = saved.iter().find(|saved| saved.strategies == plan.strategies) {
        return Ok(same.clone());
    }
    let last = saved.iter().map(|saved| saved.version).max().unwrap_or(0);
    let plan = PlanSpec { version: last.saturating_add(1), ..plan };
    tenant.save_plan(&plan).await?;
    Ok(plan)
}
