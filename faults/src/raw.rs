//! A database behind the library's back: its tables, its cells, and changes that no trigger hears of.

use sqlx::{
    AssertSqlSafe, Connection as _, Row as _, SqliteConnection, sqlite::SqliteConnectOptions,
};

use crate::{Done, place::Place};

/// A column of a table.
#[derive(Clone, Debug)]
pub struct Column {
    pub table: String,
    pub name: String,
    /// The columns of the table's key, with commas between them.
    pub keys: String,
    /// How many rows the table has.
    pub rows: u64,
}

/// What a cell holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Text(String),
    Number(i64),
    Bytes(Vec<u8>),
}

/// A connection that may do anything.
pub enum Raw {
    Sqlite(SqliteConnection),
}

impl Raw {
    pub async fn connect(place: &Place) -> Done<Self> {
        match place {
            Place::File(file) => {
                let options = SqliteConnectOptions::new().filename(file);
                let options = options.pragma("ignore_check_constraints", "on");
                Ok(Self::Sqlite(SqliteConnection::connect_with(&options).await?))
            }
        }
    }

    /// Takes away what refuses to edit the past; whoever edits a database can do that too.
    pub async fn disarm(&mut self) -> Done {
        match self {
            Self::Sqlite(connection) => {
                let triggers = "select name from sqlite_master where type = 'trigger'";
                let names: Vec<String> =
                    sqlx::query_scalar(triggers).fetch_all(&mut *connection).await?;
                for name in names {
                    let drop = AssertSqlSafe(format!("drop trigger {name}"));
                    sqlx::query(drop).execute(&mut *connection).await?;
                }
                Ok(())
            }
        }
    }

    /// The columns of the library's tables that have rows.
    pub async fn columns(&mut self) -> Done<Vec<Column>> {
        let mut columns: Vec<Column> = Vec::new();
        match self {
            Self::Sqlite(connection) => {
                let all = "select m.name, c.name, (select group_concat(k.name, ', ') from pragma_table_info(m.name) k \
                           where k.pk > 0) from sqlite_master m, pragma_table_info(m.name) c \
                           where m.type = 'table' and m.name like 'billing_%' order by m.name, c.cid";
                for row in sqlx::query(all).fetch_all(&mut *connection).await? {
                    let (table, name, keys): (String, String, String) =
                        (row.get(0), row.get(1), row.get(2));
                    let count = AssertSqlSafe(format!("select count(*) from {table}"));
                    let rows: i64 = sqlx::query_scalar(count).fetch_one(&mut *connection).await?;
                    columns.push(Column { table, name, keys, rows: u64::try_from(rows)? });
                }
            }
        }
        columns.retain(|column| column.rows > 0);
        Ok(columns)
    }

    /// The cell of a row, counted in the order of the keys; `None` if it holds nothing.
    pub async fn read(&mut self, column: &Column, row: u64) -> Done<Option<Value>> {
        let Column { table, name, keys, .. } = column;
        match self {
            Self::Sqlite(connection) => {
                let sql = format!(
                    "select {name}, typeof({name}) from {table} order by {keys} limit 1 offset {row}"
                );
                let row = sqlx::query(AssertSqlSafe(sql)).fetch_one(connection).await?;
                Ok(match row.get::<String, _>(1).as_str() {
                    "text" => Some(Value::Text(row.get(0))),
                    "integer" => Some(Value::Number(row.get(0))),
                    "blob" => Some(Value::Bytes(row.get(0))),
                    _ => None,
                })
            }
        }
    }

    /// Whether something is true of a row.
    pub async fn holds(&mut self, column: &Column, row: u64, what: &str) -> Done<bool> {
        let Column { table, keys, .. } = column;
        let sql = format!("select {what} from {table} order by {keys} limit 1 offset {row}");
        match self {
            Self::Sqlite(connection) => {
                Ok(sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(connection).await?)
            }
        }
    }

    /// Changes a cell; `false` if the database itself refuses it.
    pub async fn write(&mut self, column: &Column, row: u64, value: &Value) -> Done<bool> {
        let Column { table, name, keys, .. } = column;
        match self {
            Self::Sqlite(connection) => {
                let sql = format!(
                    "update {table} set {name} = ? where ({keys}) = \
                     (select {keys} from {table} order by {keys} limit 1 offset {row})"
                );
                let query = sqlx::query(AssertSqlSafe(sql));
                let query = match value {
                    Value::Text(text) => query.bind(text),
                    Value::Number(number) => query.bind(number),
                    Value::Bytes(bytes) => query.bind(bytes),
                };
                Ok(query.execute(connection).await.is_ok_and(|done| done.rows_affected() == 1))
            }
        }
    }

    pub async fn close(self) -> Done {
        match self {
            Self::Sqlite(connection) => Ok(connection.close().await?),
        }
    }
}
