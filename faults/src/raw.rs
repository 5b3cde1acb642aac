//! A database behind the library's back: its tables, its cells, and changes that no trigger hears of.

use sqlx::{
    AssertSqlSafe, Connection as _, PgConnection, Row as _, SqliteConnection,
    sqlite::SqliteConnectOptions,
};

use crate::{Done, place::Place};

/// A column of a table.
#[derive(Clone, Debug)]
pub struct Column {
    pub table: String,
    pub name: String,
    /// The type, where the database has one for a column.
    kind: String,
    /// The columns of the table's key, with commas between them.
    keys: String,
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

/// Where a changed cell is.
#[derive(Debug)]
pub struct Spot(String);

/// A connection that may do anything.
pub enum Raw {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

const SQLITE_COLUMNS: &str = "select m.name, c.name, c.type, (select group_concat(k.name, ', ') from pragma_table_info(m.name) k \
     where k.pk > 0) from sqlite_master m, pragma_table_info(m.name) c \
     where m.type = 'table' and m.name like 'billing_%' order by m.name, c.cid";

const POSTGRES_COLUMNS: &str = "select c.table_name::text, c.column_name::text, c.data_type::text, \
     (select string_agg(k.column_name::text, ', ') from information_schema.key_column_usage k \
     join information_schema.table_constraints t using (constraint_schema, constraint_name) \
     where t.constraint_type = 'PRIMARY KEY' and k.table_schema = c.table_schema and k.table_name = c.table_name) \
     from information_schema.columns c join information_schema.tables b using (table_schema, table_name) \
     where b.table_type = 'BASE TABLE' and c.table_schema = current_schema() and c.table_name like 'billing\\_%' \
     order by c.table_name, c.ordinal_position";

impl Raw {
    pub async fn connect(place: &Place) -> Done<Self> {
        match place {
            Place::File(file) => {
                let options = SqliteConnectOptions::new().filename(file);
                let options = options.pragma("ignore_check_constraints", "on");
                Ok(Self::Sqlite(SqliteConnection::connect_with(&options).await?))
            }
            Place::Database(url) => {
                let mut connection = PgConnection::connect(url).await?;
                // No trigger hears of what this connection does.
                sqlx::query("set session_replication_role = replica")
                    .execute(&mut connection)
                    .await?;
                Ok(Self::Postgres(connection))
            }
        }
    }

    /// Takes away what refuses to edit the past; whoever edits a database can do that too.
    pub async fn disarm(&mut self) -> Done {
        if let Self::Sqlite(connection) = self {
            let triggers = "select name from sqlite_master where type = 'trigger'";
            let names: Vec<String> =
                sqlx::query_scalar(triggers).fetch_all(&mut *connection).await?;
            for name in names {
                let drop = AssertSqlSafe(format!("drop trigger {name}"));
                sqlx::query(drop).execute(&mut *connection).await?;
            }
        }
        Ok(())
    }

    /// The columns of the library's tables that have rows.
    pub async fn columns(&mut self) -> Done<Vec<Column>> {
        let all: Vec<(String, String, String, String)> = match self {
            Self::Sqlite(connection) => {
                sqlx::query_as(SQLITE_COLUMNS).fetch_all(connection).await?
            }
            Self::Postgres(connection) => {
                sqlx::query_as(POSTGRES_COLUMNS).fetch_all(connection).await?
            }
        };
        let mut columns = Vec::new();
        for (table, name, kind, keys) in all {
            let count = AssertSqlSafe(format!("select count(*) from {table}"));
            let rows: i64 = match self {
                Self::Sqlite(connection) => sqlx::query_scalar(count).fetch_one(connection).await?,
                Self::Postgres(connection) => {
                    sqlx::query_scalar(count).fetch_one(connection).await?
                }
            };
            columns.push(Column { table, name, kind, keys, rows: u64::try_from(rows)? });
        }
        columns.retain(|column| column.rows > 0);
        Ok(columns)
    }

    /// The cell of a row, counted in the order of the keys; `None` if it holds nothing.
    pub async fn read(&mut self, column: &Column, row: u64) -> Done<Option<Value>> {
        let Column { table, name, keys, kind, .. } = column;
        let rest = format!("from {table} order by {keys} limit 1 offset {row}");
        match self {
            Self::Sqlite(connection) => {
                let sql = format!("select {name}, typeof({name}) {rest}");
                let row = sqlx::query(AssertSqlSafe(sql)).fetch_one(connection).await?;
                Ok(match row.get::<String, _>(1).as_str() {
                    "text" => Some(Value::Text(row.get(0))),
                    "integer" => Some(Value::Number(row.get(0))),
                    "blob" => Some(Value::Bytes(row.get(0))),
                    _ => None,
                })
            }
            Self::Postgres(connection) => {
                let shown = if kind == "numeric" { format!("{name}::text") } else { name.clone() };
                let sql = AssertSqlSafe(format!("select {shown} {rest}"));
                let row = sqlx::query(sql).fetch_one(connection).await?;
                Ok(match kind.as_str() {
                    "text" | "numeric" => row.get::<Option<String>, _>(0).map(Value::Text),
                    "bigint" => row.get::<Option<i64>, _>(0).map(Value::Number),
                    "bytea" => row.get::<Option<Vec<u8>>, _>(0).map(Value::Bytes),
                    other => return Err(format!("{table}.{name} is {other}").into()),
                })
            }
        }
    }

    /// Whether something is true of a row.
    pub async fn holds(&mut self, column: &Column, row: u64, what: &str) -> Done<bool> {
        let Column { table, keys, .. } = column;
        let sql = AssertSqlSafe(format!(
            "select {what} from {table} order by {keys} limit 1 offset {row}"
        ));
        Ok(match self {
            Self::Sqlite(connection) => sqlx::query_scalar(sql).fetch_one(connection).await?,
            Self::Postgres(connection) => sqlx::query_scalar(sql).fetch_one(connection).await?,
        })
    }

    /// Changes a cell; `None` if the database itself refuses it.
    pub async fn write(&mut self, column: &Column, row: u64, value: &Value) -> Done<Option<Spot>> {
        let Column { table, name, keys, kind, .. } = column;
        let row =
            |key: &str| format!("(select {key} from {table} order by {keys} limit 1 offset {row})");
        match self {
            Self::Sqlite(connection) => {
                let sql = format!("update {table} set {name} = ? where ({keys}) = {}", row(keys));
                let query = sqlx::query(AssertSqlSafe(sql));
                let query = match value {
                    Value::Text(text) => query.bind(text),
                    Value::Number(number) => query.bind(number),
                    Value::Bytes(bytes) => query.bind(bytes),
                };
                let done = query.execute(connection).await;
                Ok(done.is_ok_and(|done| done.rows_affected() == 1).then(|| Spot(String::new())))
            }
            Self::Postgres(connection) => {
                let sql = format!(
                    "update {table} set {name} = $1::{kind} where ctid = {} returning ctid::text",
                    row("ctid")
                );
                // What is refused here was no change.
                Ok(set(connection, sql, value).await.ok().map(Spot))
            }
        }
    }

    /// Makes a cell what it was, where a database is not one of many copies.
    pub async fn restore(&mut self, column: &Column, spot: &Spot, value: &Value) -> Done {
        let (Column { table, name, kind, .. }, Spot(spot)) = (column, spot);
        if let Self::Postgres(connection) = self {
            let sql = format!(
                "update {table} set {name} = $1::{kind} where ctid = '{spot}'::tid returning ctid::text"
            );
            set(connection, sql, value).await?;
        }
        Ok(())
    }

    pub async fn close(self) -> Done {
        match self {
            Self::Sqlite(connection) => Ok(connection.close().await?),
            Self::Postgres(connection) => Ok(connection.close().await?),
        }
    }
}

async fn set(connection: &mut PgConnection, sql: String, value: &Value) -> sqlx::Result<String> {
    let query = sqlx::query_scalar(AssertSqlSafe(sql));
    let query = match value {
        Value::Text(text) => query.bind(text),
        Value::Number(number) => query.bind(number),
        Value::Bytes(bytes) => query.bind(bytes),
    };
    query.fetch_one(connection).await
}
