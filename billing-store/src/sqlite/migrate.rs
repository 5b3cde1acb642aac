//! The schema's steps, and the ledger of those that were taken.

use sqlx::{Row as _, SqliteConnection};

use billing_core::digest::Digest;

use crate::{
    error::{StoreError, StoreResult},
    sqlite::failed,
};

/// Each step once, in order; a step that was released is never changed.
const STEPS: [(i64, &str, &str); 1] =
    [(1, "first_bill", include_str!("../../migrations/sqlite/0001_first_bill.sql"))];

const LEDGER: &str = "create table if not exists billing_migration (
    version integer not null primary key,
    name    text    not null,
    digest  text    not null
) strict";

/// Takes the steps that are missing, inside the caller's transaction.
pub(super) async fn migrate(connection: &mut SqliteConnection) -> StoreResult<()> {
    let _done = sqlx::query(LEDGER).execute(&mut *connection).await.map_err(failed)?;
    let taken = sqlx::query("select version, digest from billing_migration order by version")
        .fetch_all(&mut *connection)
        .await
        .map_err(failed)?;
    let mut last = 0;
    for row in &taken {
        let version: i64 = row.try_get(0).map_err(failed)?;
        let digest: String = row.try_get(1).map_err(failed)?;
        check(version, &digest)?;
        if version.checked_sub(1) != Some(last) {
            let what = format!("schema step {version} was taken after step {last}");
            return Err(StoreError::Corrupt { what, source: None });
        }
        last = version;
    }
    for (version, name, sql) in STEPS.iter().filter(|(version, ..)| *version > last) {
        let _done = sqlx::raw_sql(*sql).execute(&mut *connection).await.map_err(failed)?;
        let _done = sqlx::query("insert into billing_migration values (?, ?, ?)")
            .bind(version)
            .bind(name)
            .bind(digest_of(sql))
            .execute(&mut *connection)
            .await
            .map_err(failed)?;
    }
    Ok(())
}

fn check(version: i64, digest: &str) -> StoreResult<()> {
    let known = STEPS.iter().find(|(number, ..)| *number == version);
    let newest = STEPS.last().map_or(0, |(number, ..)| *number);
    let (.., sql) = known.ok_or(StoreError::Schema { found: version, known: newest })?;
    if digest_of(sql) == digest {
        return Ok(());
    }
    let what = format!("schema step {version} was taken with another text than this library's");
    Err(StoreError::Corrupt { what, source: None })
}

fn digest_of(sql: &str) -> String {
    Digest::of().text(sql).finish().to_string()
}
