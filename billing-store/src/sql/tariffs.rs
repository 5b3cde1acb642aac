//! How tariffs are written: their documents, when each comes into force, and the digest of all of it.

use billing_core::{
    digest::Digest,
    tariff::{Activation, TariffSpec},
};

use crate::{
    error::StoreResult,
    sql::{
        bulk::{Insert, json},
        session::Session,
    },
};

impl Session<'_> {
    pub(super) async fn tariffs(
        &mut self,
        tariffs: &[TariffSpec],
        activations: &[Activation],
        digest: Option<&Digest>,
    ) -> StoreResult<()> {
        let insert = Insert {
            into: "billing_tariff (tenant, tariff, version, currency, digest, body)",
            columns: 6,
            on_conflict: "",
        };
        self.insert(insert, tariffs, |cells, spec| {
            cells.text(spec.id.as_str())?;
            cells.int(spec.version)?;
            cells.text(spec.currency.code())?;
            cells.bytes(spec.digest().as_bytes())?;
            cells.text(&json(spec)?)
        })
        .await?;
        let insert = Insert {
            into: "billing_tariff_activation (tenant, tariff, from_at, version)",
            columns: 4,
            on_conflict: "",
        };
        self.insert(insert, activations, |cells, activation| {
            cells.text(activation.tariff.as_str())?;
            cells.int(activation.from.micros())?;
            cells.int(activation.version)
        })
        .await?;
        let insert = Insert {
            into: "billing_tariff_catalog (tenant, digest)",
            columns: 2,
            on_conflict: "on conflict (tenant) do update set digest = excluded.digest",
        };
        self.insert(insert, digest.as_slice(), |cells, digest| cells.bytes(digest.as_bytes())).await
    }
}
