//! Many rows in few statements.

use std::sync::Arc;

use sqlx::{Arguments as _, AssertSqlSafe, SqliteConnection, sqlite::SqliteArguments};

use crate::{
    error::{StoreError, StoreResult},
    sqlite::failed,
};

/// An insert of any number of rows.
pub(super) struct Insert {
    /// `table (column, column ...)`.
    pub(super) into: &'static str,
    /// How many columns.
    pub(super) columns: usize,
    /// What happens to a row whose key exists, if that is no error.
    pub(super) on_conflict: &'static str,
}

/// Rows of one statement, in falling sizes: few distinct statements, so that they stay prepared.
const SIZES: [usize; 4] = [512, 64, 8, 1];

impl Insert {
    /// Inserts rows, each bound by `bind`.
    pub(super) async fn run<R: Sync>(
        &self,
        connection: &mut SqliteConnection,
        rows: &[R],
        bind: impl Fn(&mut Cells, &R) -> StoreResult<()> + Send + Sync,
    ) -> StoreResult<()> {
        let mut rest = rows;
        while !rest.is_empty() {
            let size = SIZES.into_iter().find(|size| *size <= rest.len()).unwrap_or(1);
            let (chunk, after) = rest.split_at_checked(size).unwrap_or((rest, &[]));
            let mut cells = Cells::default();
            cells.0.reserve(size.saturating_mul(self.columns), 0);
            chunk.iter().try_for_each(|row| bind(&mut cells, row))?;
            let sql = AssertSqlSafe(self.sql(size));
            let _done =
                sqlx::query_with(sql, cells.0).execute(&mut *connection).await.map_err(failed)?;
            rest = after;
        }
        Ok(())
    }

    /// The statement; only texts of this crate go into it.
    fn sql(&self, rows: usize) -> String {
        let row = format!("({}?)", "?,".repeat(self.columns.saturating_sub(1)));
        let rows = vec![row.as_str(); rows].join(",");
        format!("insert into {} values {rows} {}", self.into, self.on_conflict)
    }
}

/// The values of a statement, in order.
#[derive(Default)]
pub(super) struct Cells(SqliteArguments);

impl Cells {
    pub(super) fn text(&mut self, text: &str) -> StoreResult<()> {
        self.add(Arc::<str>::from(text))
    }

    pub(super) fn maybe_text(&mut self, text: Option<&str>) -> StoreResult<()> {
        self.add(text.map(Arc::<str>::from))
    }

    pub(super) fn maybe_int(&mut self, number: Option<i64>) -> StoreResult<()> {
        self.add(number)
    }

    pub(super) fn int(&mut self, number: impl TryInto<i64>) -> StoreResult<()> {
        let number = number.try_into().ok().ok_or_else(|| StoreError::Refused {
            what: "a number is beyond 63 bits".into(),
            source: None,
        })?;
        self.add(number)
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) -> StoreResult<()> {
        self.add(bytes.to_vec())
    }

    fn add<'q, T: sqlx::Encode<'q, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>>(
        &mut self,
        value: T,
    ) -> StoreResult<()> {
        self.0.add(value).map_err(|source| StoreError::Failed { source })
    }
}

/// A value as the text of a cell.
pub(super) fn json(value: &impl serde::Serialize) -> StoreResult<String> {
    serde_json::to_string(value).map_err(|error| StoreError::Failed { source: error.into() })
}
