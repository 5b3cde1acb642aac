//! Rows to insert, column by column: one array for each, so that one statement takes any number of rows.

use sqlx::{
    Arguments as _, AssertSqlSafe, Encode, PgConnection, Postgres, Type,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgArguments, PgTypeInfo},
};

use crate::{
    error::{StoreError, StoreResult},
    sql::{
        bulk::{Cells, Insert},
        postgres::failed::failed,
    },
};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Int,
    Bytes,
    /// Sent as text.
    Decimal,
}

impl Kind {
    /// The number by which PostgreSQL knows the type of an element, in every database.
    const fn element(self) -> u32 {
        match self {
            Self::Text | Self::Decimal => 25,
            Self::Int => 20,
            Self::Bytes => 17,
        }
    }

    /// How its values are called in the statement.
    const fn cast(self) -> &'static str {
        match self {
            Self::Decimal => "::numeric",
            Self::Text | Self::Int | Self::Bytes => "",
        }
    }
}

/// One column, as the elements of an array on the wire.
#[derive(Debug)]
struct Column {
    kind: Kind,
    count: i32,
    has_null: bool,
    elements: Vec<u8>,
}

/// The columns of the rows of one statement.
#[derive(Debug, Default)]
pub(in crate::sql) struct Columns {
    columns: Vec<Column>,
    /// The column that the next cell belongs to.
    at: usize,
}

impl Columns {
    pub(in crate::sql) fn text(&mut self, text: Option<&str>) -> StoreResult<()> {
        self.push(Kind::Text, text.map(str::as_bytes))
    }

    pub(in crate::sql) fn decimal(&mut self, text: Option<&str>) -> StoreResult<()> {
        self.push(Kind::Decimal, text.map(str::as_bytes))
    }

    pub(in crate::sql) fn int(&mut self, number: Option<i64>) -> StoreResult<()> {
        self.push(Kind::Int, number.map(i64::to_be_bytes).as_ref().map(<[u8; 8]>::as_slice))
    }

    pub(in crate::sql) fn bytes(&mut self, bytes: &[u8]) -> StoreResult<()> {
        self.push(Kind::Bytes, Some(bytes))
    }

    pub(in crate::sql) const fn next_row(&mut self) {
        self.at = 0;
    }

    fn push(&mut self, kind: Kind, cell: Option<&[u8]>) -> StoreResult<()> {
        if self.at == self.columns.len() {
            self.columns.push(Column { kind, count: 0, has_null: false, elements: Vec::new() });
        }
        let column = self.columns.get_mut(self.at).filter(|column| column.kind == kind);
        let column = column.ok_or_else(|| failure("a column has cells of two kinds"))?;
        self.at = self.at.saturating_add(1);
        column.count = column.count.checked_add(1).ok_or_else(|| failure("too many rows"))?;
        match cell {
            None => {
                column.has_null = true;
                column.elements.extend_from_slice(&(-1_i32).to_be_bytes());
            }
            Some(cell) => {
                let length = i32::try_from(cell.len()).ok();
                let length = length.ok_or_else(|| failure("a cell is too long"))?;
                column.elements.extend_from_slice(&length.to_be_bytes());
                column.elements.extend_from_slice(cell);
            }
        }
        Ok(())
    }
}

fn failure(what: &'static str) -> StoreError {
    StoreError::Refused { what: what.into(), source: None }
}

impl Type<Postgres> for Column {
    fn type_info() -> PgTypeInfo {
        <Vec<String> as Type<Postgres>>::type_info()
    }
}

impl Encode<'_, Postgres> for Column {
    fn produces(&self) -> Option<PgTypeInfo> {
        Some(match self.kind {
            Kind::Text | Kind::Decimal => <Vec<String> as Type<Postgres>>::type_info(),
            Kind::Int => <Vec<i64> as Type<Postgres>>::type_info(),
            Kind::Bytes => <Vec<Vec<u8>> as Type<Postgres>>::type_info(),
        })
    }

    /// Dimensions, whether there are nulls, the type of the elements, their number, the first one's index, and the elements.
    fn encode_by_ref(&self, buf: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buf.extend_from_slice(&1_i32.to_be_bytes());
        buf.extend_from_slice(&i32::from(self.has_null).to_be_bytes());
        buf.extend_from_slice(&self.kind.element().to_be_bytes());
        buf.extend_from_slice(&self.count.to_be_bytes());
        buf.extend_from_slice(&1_i32.to_be_bytes());
        buf.extend_from_slice(&self.elements);
        Ok(IsNull::No)
    }
}

/// Inserts all rows in one statement and says how many were inserted.
pub(in crate::sql) async fn insert<R: Sync>(
    insert: &Insert,
    connection: &mut PgConnection,
    rows: &[R],
    bind: impl Fn(&mut Cells, &R) -> StoreResult<()> + Send + Sync,
) -> StoreResult<u64> {
    if rows.is_empty() {
        return Ok(0);
    }
    let mut cells = Cells::Postgres(Columns { columns: Vec::with_capacity(insert.columns), at: 0 });
    for row in rows {
        cells.next_row();
        bind(&mut cells, row)?;
    }
    let columns = match cells {
        Cells::Postgres(columns) => columns.columns,
        #[cfg(feature = "sqlite")]
        Cells::Sqlite(_) => Vec::new(),
    };
    let sql = AssertSqlSafe(statement(insert, &columns));
    let mut arguments = PgArguments::default();
    for column in columns {
        arguments.add(column).map_err(|source| StoreError::Failed { source })?;
    }
    let done = sqlx::query_with(sql, arguments).execute(connection).await.map_err(failed)?;
    Ok(done.rows_affected())
}

/// The statement; only texts of this crate go into it. It is the same for any number of rows, so that it stays prepared.
fn statement(insert: &Insert, columns: &[Column]) -> String {
    let numbered = || (1_usize..).zip(columns);
    let list = |text: &dyn Fn((usize, &Column)) -> String| {
        numbered().map(text).collect::<Vec<_>>().join(", ")
    };
    let cells = list(&|(number, column)| format!("c{number}{}", column.kind.cast()));
    let arrays = list(&|(number, _)| format!("${number}"));
    let names = list(&|(number, _)| format!("c{number}"));
    format!(
        "insert into {} select {cells} from unnest({arrays}) as r({names}) {}",
        insert.into, insert.on_conflict
    )
}
