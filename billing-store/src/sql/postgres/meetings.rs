//! Units of different accounts that name the same item at the same time.
//!
//! They share no lock. What they would do to one another is noticed where it lands: whoever comes second is told to try again, and then
//! finds what the first one left. `billing_since_begun` says of a row that it was committed since the transaction began.

use sqlx::PgConnection;

use billing_core::decide::{Claim, Parked, StoredItem};

use crate::{
    error::StoreResult,
    sql::{
        bulk::json,
        postgres::{
            failed::{failed, met},
            locks::{advisory, key},
        },
        session::Claimed,
        writes::keys_json,
    },
};

/// Items of some keys that were recorded since the transaction began.
const RECORDED: &str = "select exists (select 1 from jsonb_array_elements($2::jsonb) k(value) join billing_item i \
     on i.tenant = $1 and i.source = k.value ->> 0 and i.id = k.value ->> 1 \
     and i.leg = k.value ->> 2 and i.partial = (k.value ->> 3)::bigint \
     where billing_since_begun(i.xmin))";

/// Records of some usage, under other accounts, that were recorded since the transaction began.
const RECORDED_APART: &str = "select exists (select 1 from jsonb_array_elements($2::jsonb) k(value) join billing_item i \
     on i.tenant = $1 and i.source = k.value ->> 0 and i.id = k.value ->> 1 \
     and i.leg = k.value ->> 2 and i.account <> k.value ->> 3 \
     where billing_since_begun(i.xmin))";

/// Of some batches, those that were taken in since the transaction began.
const TAKEN_IN: &str = "select exists (select 1 from jsonb_array_elements($2::jsonb) k(value) join billing_intake i \
     on i.tenant = $1 and i.intake = k.value ->> 0 where billing_since_begun(i.xmin))";

/// Of some corrections, those that were made since the transaction began.
const MADE: &str = "select exists (select 1 from jsonb_array_elements($2::jsonb) k(value) join billing_correction c \
     on c.tenant = $1 and c.correction = k.value ->> 0 where billing_since_begun(c.xmin))";

/// Of items that are recorded, those that were parked since the transaction began are so no more.
const UNPARK: &str = "delete from billing_parked p using jsonb_array_elements($2::jsonb) k(value) \
     where p.tenant = $1 and p.source = k.value ->> 0 and p.id = k.value ->> 1 \
     and p.leg = k.value ->> 2 and p.partial = (k.value ->> 3)::bigint \
     and billing_since_begun(p.xmin)";

/// Fails if it was another unit that was first by a moment.
pub(in crate::sql) async fn check_claim(
    connection: &mut PgConnection,
    tenant: &str,
    claim: Claimed<'_>,
) -> StoreResult<()> {
    let (sql, keys) = match claim {
        Claimed::Items(items) => (RECORDED, item_keys(items)?),
        Claimed::Intake(intake) => (TAKEN_IN, json(&[[intake.id.as_str()]])?),
        Claimed::Corrections(corrections) => {
            let ids = corrections.iter().map(|recorded| [recorded.correction.id.as_str()]);
            (MADE, json(&ids.collect::<Vec<_>>())?)
        }
    };
    if since_begun(connection, sql, tenant, &keys).await? {
        return Err(met("another unit has just written what this one was to write"));
    }
    Ok(())
}

/// Keeps those who record and those who park apart, and those who record parts of one call, until the transaction ends.
pub(in crate::sql) async fn part(
    connection: &mut PgConnection,
    tenant: &str,
    recorded: &[StoredItem],
    parked: &[Parked],
) -> StoreResult<()> {
    if recorded.is_empty() && parked.is_empty() {
        return Ok(());
    }
    let parts = recorded.iter().any(|item| item.claim.key.partial.is_some());
    let lock = if parts || !parked.is_empty() {
        "select pg_advisory_xact_lock($1)"
    } else {
        "select pg_advisory_xact_lock_shared($1)"
    };
    advisory(connection, lock, key(tenant, "parting", "")).await?;
    if !parked.is_empty() {
        let keys =
            keys_json(&parked.iter().map(|parked| &parked.incoming.key).collect::<Vec<_>>())?;
        if since_begun(connection, RECORDED, tenant, &keys).await? {
            return Err(met("another unit has just recorded what this one was to park"));
        }
    }
    if !recorded.is_empty() {
        if since_begun(connection, RECORDED_APART, tenant, &records(recorded)?).await? {
            return Err(met("another unit has just recorded a part for another account"));
        }
        let statement = sqlx::query(UNPARK).bind(tenant).bind(item_keys(recorded)?);
        let _done = statement.execute(connection).await.map_err(failed)?;
    }
    Ok(())
}

/// Items with whose they are: `[[source, id, leg, account], ...]`.
fn records(items: &[StoredItem]) -> StoreResult<String> {
    let records = items.iter().map(|StoredItem { claim: Claim { key, account, .. }, .. }| {
        [key.source.as_str(), key.id.as_str(), key.leg_text(), account.as_str()]
    });
    json(&records.collect::<Vec<_>>())
}

fn item_keys(items: &[StoredItem]) -> StoreResult<String> {
    keys_json(&items.iter().map(|item| &item.claim.key).collect::<Vec<_>>())
}

async fn since_begun(
    connection: &mut PgConnection,
    sql: &'static str,
    tenant: &str,
    keys: &str,
) -> StoreResult<bool> {
    let statement = sqlx::query_scalar(sql).bind(tenant).bind(keys);
    statement.fetch_one(connection).await.map_err(failed)
}
