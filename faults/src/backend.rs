//! Which stores there are to put to the test, and fresh places in them.

use std::{
    path::{Path, PathBuf},
    str::FromStr as _,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, SqliteConnection,
    postgres::PgConnectOptions, sqlite::SqliteConnectOptions,
};

use crate::{
    Done,
    place::{Place, SCHEME},
};

/// Where a server is on which databases may be created.
const URL: &str = "BILLING_TEST_POSTGRES_URL";
/// Which services a run must not do without.
const REQUIRE: &str = "BILLING_REQUIRE";
/// A transaction that nobody ends must be gone within this time.
const IDLE: Duration = Duration::from_secs(30);

/// A kind of store, and where it is.
#[derive(Clone, Debug)]
pub enum Backend {
    Sqlite,
    /// By the URL of any database of its server.
    Postgres(String),
}

/// The stores that are there; what is not is said in a line, or is a failure where it is required.
pub fn backends() -> Done<Vec<Backend>> {
    let mut backends = vec![Backend::Sqlite];
    match std::env::var(URL).ok().filter(|url| !url.is_empty()) {
        Some(url) => backends.push(Backend::Postgres(url)),
        None if is_required() => return Err(format!("{URL} is not set and required").into()),
        None => eprintln!("not run: the faults that need {URL}"),
    }
    Ok(backends)
}

/// Whether a run must have PostgreSQL.
pub fn is_required() -> bool {
    let required = std::env::var(REQUIRE).unwrap_or_default();
    required.split(',').any(|name| name.trim() == SCHEME)
}

impl Backend {
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres(_) => "PostgreSQL",
        }
    }

    /// How many connections only read, and how many write.
    pub const fn connections(&self) -> (usize, usize) {
        match self {
            Self::Sqlite => (4, 1),
            Self::Postgres(_) => (4, 8),
        }
    }

    /// A place where nothing is.
    pub async fn fresh(&self, folder: &Path, name: &str) -> Done<Place> {
        match self {
            Self::Sqlite => Ok(Place::File(folder.join(format!("{name}.db")))),
            Self::Postgres(url) => {
                let name =
                    format!("billing_faults_{}_{}", std::process::id(), name.replace('-', "_"));
                order(url, format!("create database {name}")).await?;
                let options = PgConnectOptions::from_str(url)?.database(&name);
                Ok(Place::Database(options.to_url_lossy().to_string()))
            }
        }
    }

    /// The same store once more, in a place of its own, where that costs nothing; nobody is at work with it.
    pub fn copy(&self, place: &Place) -> Done<Place> {
        // A name that was used before could meet a log that is left of it.
        static COPIES: AtomicU64 = AtomicU64::new(0);
        match place {
            Place::File(file) => {
                let number = COPIES.fetch_add(1, Ordering::Relaxed);
                let copy = file.with_extension(format!("copy-{number}.db"));
                std::fs::copy(file, &copy)?;
                Ok(Place::File(copy))
            }
            Place::Database(_) => Ok(place.clone()),
        }
    }

    /// Takes away what [`fresh`](Self::fresh) or [`copy`](Self::copy) gave.
    pub async fn remove(&self, place: &Place) -> Done {
        match (self, place) {
            (Self::Postgres(server), Place::Database(url)) => {
                let options = PgConnectOptions::from_str(url)?;
                let name = options.get_database().ok_or("a place has a database")?;
                order(server, format!("drop database {name} with (force)")).await
            }
            (_, Place::File(file)) => {
                for suffix in ["", "-wal", "-shm"] {
                    let file = PathBuf::from(format!("{}{suffix}", file.display()));
                    if file.exists() {
                        std::fs::remove_file(file)?;
                    }
                }
                Ok(())
            }
            (Self::Sqlite, Place::Database(_)) => Err("a file is no database of a server".into()),
        }
    }
}

/// Where a place's server is, as `host:port`, and the place as it is reached through another address.
pub fn through(place: &Place, address: std::net::SocketAddr) -> Done<Place> {
    let Place::Database(url) = place else { return Err("a file has no address".into()) };
    let options = PgConnectOptions::from_str(url)?;
    let options = options.host(&address.ip().to_string()).port(address.port());
    Ok(Place::Database(options.to_url_lossy().to_string()))
}

/// The `host:port` of a place's server.
pub fn target(place: &Place) -> Done<String> {
    let Place::Database(url) = place else { return Err("a file has no address".into()) };
    let options = PgConnectOptions::from_str(url)?;
    Ok(format!("{}:{}", options.get_host(), options.get_port()))
}

/// Waits until no transaction is open that nobody ends; how long it took.
pub async fn idle(place: &Place) -> Done<Duration> {
    let begun = Instant::now();
    match place {
        Place::File(file) => {
            let options = SqliteConnectOptions::new().filename(file).busy_timeout(IDLE);
            let mut beside = SqliteConnection::connect_with(&options).await?;
            sqlx::query("begin immediate").execute(&mut beside).await?;
            sqlx::query("rollback").execute(&mut beside).await?;
            beside.close().await?;
        }
        Place::Database(url) => {
            let mut beside = PgConnection::connect(url).await?;
            let open = "select count(*) from pg_stat_activity where datname = current_database() \
                        and state like 'idle in transaction%'";
            while sqlx::query_scalar::<_, i64>(open).fetch_one(&mut beside).await? > 0 {
                if begun.elapsed() > IDLE {
                    return Err(format!("a transaction is still open after {IDLE:?}").into());
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            beside.close().await?;
        }
    }
    Ok(begun.elapsed())
}

async fn order(url: &str, sql: String) -> Done {
    let mut connection = PgConnection::connect(url).await?;
    sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await?;
    Ok(connection.close().await?)
}
