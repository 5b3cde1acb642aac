//! Questions about tariffs: which there are, when each is in force, and the documents.

use std::collections::BTreeSet;

use billing_core::{
    digest::Digest,
    id::TariffId,
    tariff::{Catalog, TariffSpec},
};

use crate::{
    error::StoreResult,
    sql::{bulk::json, connection::Param::Text, session::Session},
};

pub(super) async fn digest(unit: &mut Session<'_>) -> StoreResult<Option<Digest>> {
    unit.share_catalog().await?;
    let found = unit
        .all(
            "billing_tariff_catalog",
            "select digest from billing_tariff_catalog where tenant = ?1",
            &[],
        )
        .await?;
    Ok(found.into_iter().next())
}

pub(super) async fn catalog(unit: &mut Session<'_>) -> StoreResult<Catalog> {
    let saved = unit
        .all(
            "billing_tariff",
            "select tariff, version, currency, digest from billing_tariff where tenant = ?1 \
             order by tariff, version",
            &[],
        )
        .await?;
    let activations = unit
        .all(
            "billing_tariff_activation",
            "select tariff, version, from_at from billing_tariff_activation where tenant = ?1 \
             order by tariff, from_at",
            &[],
        )
        .await?;
    Ok(Catalog { saved, activations })
}

pub(super) async fn of_versions(
    unit: &mut Session<'_>,
    ids: &[(TariffId, u32)],
) -> StoreResult<Vec<TariffSpec>> {
    let ids = json(&ids.iter().collect::<BTreeSet<_>>())?;
    unit.all(
        "billing_tariff",
        "select t.tariff, t.version, t.currency, t.digest, t.body from json_each(?2) k \
         cross join billing_tariff t \
         on t.tenant = ?1 and t.tariff = cast(k.value ->> 0 as text) \
         and t.version = cast(k.value ->> 1 as bigint)",
        &[Text(&ids)],
    )
    .await
}
