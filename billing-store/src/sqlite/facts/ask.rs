//! How a question is put: a statement, its parameters, and keys as one of them.

use std::collections::BTreeSet;

use sqlx::sqlite::SqliteRow;

use billing_core::{id::AccountId, item::ItemKey};

use crate::{
    error::StoreResult,
    sqlite::{
        SqliteUnit,
        bulk::json,
        failed,
        rows::{Cells, FromCells},
    },
};

/// A parameter of a statement.
pub(super) enum Param<'a> {
    Text(&'a str),
    Int(i64),
}
use Param::{Int, Text};

impl SqliteUnit {
    /// Runs a statement whose first parameter is the tenant, and reads its rows.
    ///
    /// Keys come as one JSON parameter. `cross join` keeps the planner from scanning the tenant's rows for each of them.
    pub(super) async fn all<T: FromCells>(
        &mut self,
        table: &'static str,
        sql: &'static str,
        params: &[Param<'_>],
    ) -> StoreResult<Vec<T>> {
        #[cfg(test)]
        crate::sqlite::tests::note(sql);
        let mut statement = sqlx::query(sql).bind(self.tenant.as_str());
        for param in params {
            statement = match param {
                Text(text) => statement.bind(*text),
                Int(number) => statement.bind(*number),
            };
        }
        let rows: Vec<SqliteRow> =
            statement.fetch_all(self.guard.connection()?).await.map_err(failed)?;
        rows.iter().map(|row| T::from_cells(&mut Cells::of(table, row))).collect()
    }
}

pub(super) fn account_json(accounts: &[AccountId]) -> StoreResult<String> {
    json(&accounts.iter().map(AccountId::as_str).collect::<BTreeSet<_>>())
}

/// The key that a page of items begins behind, column by column.
pub(super) fn page_key(after: Option<&ItemKey>) -> (&str, &str, &str, i64) {
    after.map_or(("", "", "", 0), |key| {
        (key.source.as_str(), key.id.as_str(), key.leg_text(), key.partial_number().into())
    })
}
