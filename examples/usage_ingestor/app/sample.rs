//! Two pulses to look at, for those who ask for them.

use billing::{ItemKey, core::id::InvalidId};

use super::ledger::Report;

/// They carry ids, so that a program that starts again does not count them again.
pub fn sample() -> Result<Vec<Report>, InvalidId> {
    let pulses = [("tenant1", "sku1", "unit1", 150_u32), ("tenant2", "sku2", "unit2", 90)];
    let report = |(tenant, product, unit, amount): (&str, &str, &str, u32)| {
        Ok(Report {
            key: ItemKey::new(tenant.parse()?, "sample".parse()?),
            tenant: tenant.parse()?,
            at: None,
            product: product.parse()?,
            unit: unit.parse()?,
            amount: amount.into(),
        })
    };
    pulses.into_iter().map(report).collect()
}
