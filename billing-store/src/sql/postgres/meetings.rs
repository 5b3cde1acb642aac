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
        connection::{Ask, Param::Text},
        postgres::{
            failed::met,
            locks::{advisory, key},
            statements::{execute, fetch},
        },
        session::Claimed,
        writes::keys_json,
    },
};

/// Items of some keys that were recorded since the transaction began.
const RECORDED: &str = "select 1 from json_each(?2) k cross join billing_item i \
     on i.tenant = ?1 and i.source = cast(k.value ->> 0 as text) and i.id = cast(k.value ->> 1 as text) \
     and i.leg = cast(k.value ->> 2 as text) and i.partial = cast(k.value ->> 3 as bigint) \
     and billing_since_begun(i.xmin) limit 1";

/// Records of some usage, under other accounts, that were recorded since the transaction began.
const RECORDED_APART: &str = "select 1 from json_each(?2) k cross join billing_item i \
     on i.tenant = ?1 and i.source = cast(k.value ->> 0 as text) and i.id = cast(k.value ->> 1 as text) \
     and i.leg = cast(k.value ->> 2 as text) and i.account <> cast(k.value ->> 3 as text) \
     and billing_since_begun(i.xmin) limit 1";

/// Of some batches, those that were taken in since the transaction began.
const TAKEN_IN: &str = "select 1 from json_each(?2) k cross join billing_intake i \
     on i.tenant = ?1 and i.intake = cast(k.value ->> 0 as text) and billing_since_begun(i.xmin) limit 1";

/// Of some corrections, those that were made since the transaction began.
const MADE: &str = "select 1 from json_each(?2) k cross join billing_correction c \
     on c.tenant = ?1 and c.correction = cast(k.value ->> 0 as text) and billing_since_begun(c.xmin) limit 1";

/// Items of some keys that were parked since the transaction began.
const PARKED: &str = "select 1 from json_each(?2) k cross join billing_parked p \
     on p.tenant = ?1 and p.source = cast(k.value ->> 0 as text) \
     and p.id = cast(k.value ->> 1 as text) and p.leg = cast(k.value ->> 2 as text) \
     and p.partial = cast(k.value ->> 3 as bigint) and billing_since_begun(p.xmin) limit 1";

/// Takes items out of the parked ones.
const UNPARK: &str = "delete from billing_parked \
     where tenant = ?1 and (source, id, leg, partial) in (select cast(k.value ->> 0 as text), cast(k.value ->> 1 as text), \
     cast(k.value ->> 2 as text), cast(k.value ->> 3 as bigint) from json_each(?2) k)";

/// All of them, to look at their plans.
#[cfg(all(test, feature = "sqlite"))]
pub(super) const STATEMENTS: [&str; 6] = [RECORDED, RECORDED_APART, TAKEN_IN, MADE, PARKED, UNPARK];

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
        let keys = item_keys(recorded)?;
        if since_begun(connection, PARKED, tenant, &keys).await? {
            let _changed: u64 = execute(connection, UNPARK, &[Text(tenant), Text(&keys)]).await?;
        }
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
    let found = fetch(connection, Ask { sql, held: None }, &[Text(tenant), Text(keys)]).await?;
    Ok(!found.is_empty())
}
