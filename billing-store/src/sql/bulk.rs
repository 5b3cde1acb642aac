//! Many rows in few statements.

#[cfg(feature = "sqlite")]
use sqlx::sqlite::SqliteArguments;

#[cfg(feature = "postgres")]
use crate::sql::postgres;
#[cfg(feature = "sqlite")]
use crate::sql::sqlite;
use crate::{
    error::{StoreError, StoreResult},
    sql::connection::Connection,
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

impl Insert {
    /// Inserts rows, each bound by `bind`, and says how many were inserted.
    pub(super) async fn run<R: Sync>(
        &self,
        connection: &mut Connection<'_>,
        rows: &[R],
        bind: impl Fn(&mut Cells, &R) -> StoreResult<()> + Send + Sync,
    ) -> StoreResult<u64> {
        match connection {
            #[cfg(feature = "postgres")]
            Connection::Postgres(connection) => {
                postgres::insert(self, connection, rows, bind).await
            }
            #[cfg(feature = "sqlite")]
            Connection::Sqlite(connection) => sqlite::insert(self, connection, rows, bind).await,
        }
    }
}

/// The values of the rows of a statement, in order.
pub(super) enum Cells {
    /// Column by column.
    #[cfg(feature = "postgres")]
    Postgres(postgres::Columns),
    /// Row by row.
    #[cfg(feature = "sqlite")]
    Sqlite(SqliteArguments),
}

impl Cells {
    /// What follows belongs to another row.
    #[cfg(feature = "postgres")]
    pub(super) const fn next_row(&mut self) {
        match self {
            Self::Postgres(columns) => columns.next_row(),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => {}
        }
    }

    /// A text without NUL: an id, a name, a document.
    pub(super) fn text(&mut self, text: &str) -> StoreResult<()> {
        self.maybe_text(Some(text))
    }

    pub(super) fn maybe_text(&mut self, text: Option<&str>) -> StoreResult<()> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(columns) => columns.text(text),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(arguments) => sqlite::add_text(arguments, text),
        }
    }

    /// A text that somebody else wrote: any characters.
    pub(super) fn foreign(&mut self, text: &str) -> StoreResult<()> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(columns) => columns.bytes(text.as_bytes()),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(arguments) => sqlite::add_text(arguments, Some(text)),
        }
    }

    /// An amount or a quantity.
    pub(super) fn decimal(&mut self, number: impl ToString) -> StoreResult<()> {
        self.maybe_decimal(Some(number))
    }

    pub(super) fn maybe_decimal(&mut self, number: Option<impl ToString>) -> StoreResult<()> {
        let text = number.map(|number| number.to_string());
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(columns) => columns.decimal(text.as_deref()),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(arguments) => sqlite::add_text(arguments, text.as_deref()),
        }
    }

    pub(super) fn int(&mut self, number: impl TryInto<i64>) -> StoreResult<()> {
        let number = number.try_into().ok().ok_or_else(|| StoreError::Refused {
            what: "a number is beyond 63 bits".into(),
            source: None,
        })?;
        self.maybe_int(Some(number))
    }

    pub(super) fn maybe_int(&mut self, number: Option<i64>) -> StoreResult<()> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(columns) => columns.int(number),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(arguments) => sqlite::add(arguments, number),
        }
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) -> StoreResult<()> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(columns) => columns.bytes(bytes),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(arguments) => sqlite::add(arguments, bytes.to_vec()),
        }
    }
}

/// A value as the text of a cell.
pub(super) fn json(value: &impl serde::Serialize) -> StoreResult<String> {
    serde_json::to_string(value).map_err(|error| StoreError::Failed { source: error.into() })
}
