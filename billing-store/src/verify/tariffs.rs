//! What is checked of tariffs: each document by its digest, and the list of them by its own.

use billing_core::tariff::{Activation, Catalog, SavedTariff};

use crate::{
    answer::Result,
    store::Facts,
    verify::{Promise, Report, readable},
};

pub(super) async fn check(facts: &mut dyn Facts, report: &mut Report) -> Result<()> {
    let digest = facts.tariff_digest().await;
    let digest = readable(report, None, digest)?.flatten();
    let catalog = facts.tariff_catalog().await;
    let Some(catalog) = readable(report, None, catalog)? else { return Ok(()) };
    let due = (catalog != Catalog::default()).then(|| catalog.digest());
    if digest != due {
        report.find(Promise::Tariff, None, "the digest of the tariffs is not theirs");
    }
    for Activation { tariff, version, from } in &catalog.activations {
        if catalog.saved(tariff, *version).is_none() {
            let what =
                format!("tariff {tariff} version {version} is in force from {from}, and not saved");
            report.find(Promise::Tariff, None, what);
        }
    }
    for saved in &catalog.saved {
        if catalog.currency(&saved.tariff) != Some(saved.currency) {
            let SavedTariff { tariff, version, currency, .. } = saved;
            let what =
                format!("tariff {tariff} version {version} is in {currency}, another is not");
            report.find(Promise::Tariff, None, what);
        }
        check_document(facts, saved, report).await?;
    }
    Ok(())
}

/// A document is what the list says; one at a time, because each may be large.
async fn check_document(
    facts: &mut dyn Facts,
    saved: &SavedTariff,
    report: &mut Report,
) -> Result<()> {
    report.tariffs = report.tariffs.saturating_add(1);
    let SavedTariff { tariff, version, .. } = saved;
    let found = facts.tariffs(&[(tariff.clone(), *version)]).await;
    let Some(found) = readable(report, None, found)? else { return Ok(()) };
    if !found.iter().map(SavedTariff::from).eq([saved.clone()]) {
        report.find(Promise::Tariff, None, format!("tariff {tariff} version {version}"));
    }
    Ok(())
}
