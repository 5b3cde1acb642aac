//! How units keep out of one another's way, and tenants out of one another's rows.

use std::collections::BTreeSet;

use sqlx::PgConnection;

use billing_core::{
    digest::Digest,
    id::{AccountId, TenantId},
};

use crate::{
    error::{StoreError, StoreResult},
    sql::{postgres::failed::failed, unit::Mode},
    store::Locks,
};

/// What begins a transaction: its isolation, and whose rows it may see.
pub(super) fn begin(tenant: &TenantId, mode: Mode) -> String {
    let isolation = match mode {
        // What was committed before a lock was had is seen behind it.
        Mode::Writes => "read committed",
        Mode::Reads => "repeatable read read only",
    };
    // As digits there is nothing in it to escape.
    let digits: Vec<String> = tenant.as_str().bytes().map(|byte| format!("{byte:02x}")).collect();
    let tenant = digits.concat();
    format!(
        "begin isolation level {isolation}; \
         select set_config('billing.tenant', convert_from(decode('{tenant}', 'hex'), 'UTF8'), true)"
    )
}

/// The same inside a transaction that the host began.
pub(super) async fn join(connection: &mut PgConnection, tenant: &TenantId) -> StoreResult<()> {
    let isolation: String = sqlx::query_scalar(
        "select current_setting('transaction_isolation') \
         from (values (set_config('billing.tenant', $1, true))) begun",
    )
    .bind(tenant.as_str())
    .fetch_one(connection)
    .await
    .map_err(failed)?;
    if isolation == "read committed" {
        return Ok(());
    }
    let what =
        format!("a unit joins transactions that are read committed, this one is {isolation}");
    Err(StoreError::Refused { what, source: None })
}

/// Takes a unit's locks: accounts in the order of their bytes, series, the catalog.
///
/// An account is locked by its row. One that has none yet cannot get one while the catalog is shared, so whoever names such an account
/// shares it.
pub(super) async fn take(
    connection: &mut PgConnection,
    tenant: &TenantId,
    locks: &Locks,
) -> StoreResult<()> {
    let ids: BTreeSet<&str> = locks.accounts.iter().map(AccountId::as_str).collect();
    let missing = accounts(connection, tenant, &ids).await?;
    let series = locks.series.iter().map(|series| key(tenant, "series", series.as_str()));
    for key in series.collect::<BTreeSet<i64>>() {
        advisory(connection, "select pg_advisory_xact_lock($1)", key).await?;
    }
    let catalog = key(tenant, "catalog", "");
    if locks.catalog {
        advisory(connection, "select pg_advisory_xact_lock($1)", catalog).await?;
    } else if !missing.is_empty() {
        advisory(connection, "select pg_advisory_xact_lock_shared($1)", catalog).await?;
    }
    // Whoever held the catalog before may have opened them.
    let _absent: BTreeSet<&str> = accounts(connection, tenant, &missing).await?;
    // What is committed by now is seen by whatever the unit reads, see `billing_since_begun`.
    let began = "select set_config('billing.began', pg_current_snapshot()::text, true)";
    sqlx::query(began).execute(connection).await.map(drop).map_err(failed)
}

/// Locks the rows of accounts and says which have none.
async fn accounts<'a>(
    connection: &mut PgConnection,
    tenant: &TenantId,
    ids: &BTreeSet<&'a str>,
) -> StoreResult<BTreeSet<&'a str>> {
    if ids.is_empty() {
        return Ok(BTreeSet::new());
    }
    let all: Vec<&str> = ids.iter().copied().collect();
    let found: Vec<String> = sqlx::query_scalar(
        "select account from billing_account where tenant = $1 and account = any($2) \
         order by account for update",
    )
    .bind(tenant.as_str())
    .bind(all)
    .fetch_all(connection)
    .await
    .map_err(failed)?;
    let found: BTreeSet<&str> = found.iter().map(String::as_str).collect();
    Ok(ids.iter().copied().filter(|id| !found.contains(id)).collect())
}

/// Keeps tariffs from being added until the transaction ends.
pub(in crate::sql) async fn share_catalog(
    connection: &mut PgConnection,
    tenant: &str,
) -> StoreResult<()> {
    advisory(connection, "select pg_advisory_xact_lock_shared($1)", key(tenant, "catalog", ""))
        .await
}

pub(super) async fn advisory(
    connection: &mut PgConnection,
    sql: &'static str,
    key: i64,
) -> StoreResult<()> {
    sqlx::query(sql).bind(key).execute(connection).await.map(drop).map_err(failed)
}

/// The number of a lock: 64 bits of a digest. Two locks that share one by chance wait for each other and are none the worse for it.
pub(super) fn key(tenant: impl AsRef<str>, kind: &str, name: &str) -> i64 {
    let digest =
        Digest::of().text("billing lock").text(tenant.as_ref()).text(kind).text(name).finish();
    let first = digest.as_bytes().first_chunk::<8>().copied().unwrap_or_default();
    i64::from_be_bytes(first)
}
