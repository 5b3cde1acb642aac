//! How a store connects, and what it expects of the server it finds.

use core::{fmt, str::FromStr as _, time::Duration};

use sqlx::{
    PgConnection, Row as _,
    postgres::{PgConnectOptions, PgPool, PgPoolOptions},
};

use crate::{
    error::{StoreError, StoreResult},
    sql::postgres::failed::failed,
};

/// How long anybody waits for a connection of the pool.
const TURN: Duration = Duration::from_mins(1);

/// What every session is told. Times are in milliseconds.
const SESSION: [(&str, &str); 11] = [
    // How long a unit waits for those that hold its locks.
    ("lock_timeout", "60000"),
    // How long one statement may take; none of a unit's reads more than what it names, `verify` goes through tenants in pages.
    ("statement_timeout", "600000"),
    // After so long without a word a unit's locks are let go.
    ("idle_in_transaction_session_timeout", "600000"),
    // Nothing below depends on these three; so nothing can.
    ("timezone", "UTC"),
    ("datestyle", "ISO"),
    ("standard_conforming_strings", "on"),
    // Every question names its keys and has an index for them. A plan that was made while a table was small would walk it once it has
    // grown: so plans are made for the table as it is, and look rows up.
    ("plan_cache_mode", "force_custom_plan"),
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("jit", "off"),
];

/// What becomes of a server that may lose what it has confirmed.
///
/// # Examples
///
/// ```
/// use billing_store::Durability;
///
/// assert_eq!(Durability::default(), Durability::Required);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// It is refused: `fsync`, `full_page_writes` and `synchronous_commit` must not be off.
    #[default]
    Required,
    /// It is used all the same: for tests, and for a copy that can be made again.
    AcceptLoss,
}

/// How a [`PostgresStore`](crate::PostgresStore) connects.
///
/// # Examples
///
/// ```
/// use billing_store::PostgresOptions;
///
/// let mut options = PostgresOptions::of_url("postgres://billing@localhost/billing?sslmode=verify-full")?;
/// options.units_max = 16;
/// assert_eq!(options.readers_max, 4);
/// # Ok::<(), billing_store::StoreError>(())
/// ```
#[derive(Clone)]
pub struct PostgresOptions {
    /// Where the server is, who asks, and how the line is encrypted.
    pub connect: PgConnectOptions,
    /// How many units may be at work at the same time in this process, 8 unless said otherwise.
    pub units_max: u32,
    /// How many may read at the same time in this process, 4 unless said otherwise.
    pub readers_max: u32,
    /// Whether a server that may lose what it has confirmed is refused.
    pub durability: Durability,
}

impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The password stands in `connect`.
        f.debug_struct("PostgresOptions")
            .field("host", &self.connect.get_host())
            .field("database", &self.connect.get_database())
            .field("units_max", &self.units_max)
            .field("readers_max", &self.readers_max)
            .field("durability", &self.durability)
            .finish_non_exhaustive()
    }
}

impl PostgresOptions {
    /// Connects as `connect` says.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_store::{Durability, PostgresOptions};
    /// use sqlx::postgres::{PgConnectOptions, PgSslMode};
    ///
    /// let connect = PgConnectOptions::new_without_pgpass().ssl_mode(PgSslMode::VerifyFull);
    /// assert_eq!(PostgresOptions::new(connect).durability, Durability::Required);
    /// ```
    #[must_use]
    pub const fn new(connect: PgConnectOptions) -> Self {
        Self { connect, units_max: 8, readers_max: 4, durability: Durability::Required }
    }

    /// Connects to where a URL leads, `postgres://user:password@host:port/database?sslmode=verify-full`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Failed`] if it is no such URL.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_store::PostgresOptions;
    ///
    /// assert!(PostgresOptions::of_url("postgres://localhost/billing").is_ok());
    /// assert!(PostgresOptions::of_url("not a url").is_err());
    /// ```
    pub fn of_url(url: &str) -> StoreResult<Self> {
        // What the driver says of a URL may quote it, with the password in it.
        let connect = PgConnectOptions::from_str(url).ok();
        connect.map(Self::new).ok_or_else(|| StoreError::Failed {
            source: "not a URL of the form postgres://user:password@host:port/database".into(),
        })
    }

    pub(super) fn units(&self) -> PgPool {
        pool(self.units_max).connect_lazy_with(self.session())
    }

    pub(super) fn readers(&self) -> PgPool {
        let pool = pool(self.readers_max).after_release(|connection, _| {
            // Ends the snapshot of whoever read. One whose snapshot does not end is not used again.
            Box::pin(async move { Ok(sqlx::raw_sql("rollback").execute(connection).await.is_ok()) })
        });
        pool.connect_lazy_with(self.session())
    }

    pub(super) fn session(&self) -> PgConnectOptions {
        let named = self.connect.get_application_name().is_some();
        let connect = self.connect.clone().statement_cache_capacity(256).options(SESSION);
        if named { connect } else { connect.application_name("billing") }
    }

    /// What is asked of a server must be what it does.
    pub(super) async fn check(&self, connection: &mut PgConnection) -> StoreResult<()> {
        for (setting, accepted) in EXPECTED {
            let found: String = sqlx::query("select current_setting($1)")
                .bind(setting)
                .fetch_one(&mut *connection)
                .await
                .and_then(|row| row.try_get(0))
                .map_err(failed)?;
            let lossy = LOSSY.contains(&setting) && self.durability == Durability::AcceptLoss;
            if !lossy && !accepted.fits(&found) {
                let what = format!("{setting} is {found}, accepted is {accepted}");
                return Err(StoreError::Refused { what, source: None });
            }
        }
        Ok(())
    }
}

fn pool(connections_max: u32) -> PgPoolOptions {
    PgPoolOptions::new().max_connections(connections_max).acquire_timeout(TURN).after_connect(
        |connection, _| {
            Box::pin(async move {
                // So that the locks of a process that is gone are free at once, also while a statement of its is waiting. The
                // setting is known from version 14 on.
                let watch = "select set_config('client_connection_check_interval', '1000', false) \
                             where current_setting('server_version_num')::int >= 140000";
                sqlx::raw_sql(watch).execute(connection).await.map(drop)
            })
        },
    )
}

/// What is accepted of a setting.
#[derive(Clone, Copy)]
enum Accepted {
    One(&'static str),
    AnyBut(&'static str),
    AtLeast(u32),
}

impl Accepted {
    fn fits(self, found: &str) -> bool {
        match self {
            Self::One(value) => found.eq_ignore_ascii_case(value),
            Self::AnyBut(value) => !found.eq_ignore_ascii_case(value),
            Self::AtLeast(value) => found.parse().is_ok_and(|found: u32| found >= value),
        }
    }
}

impl fmt::Display for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(value) => f.write_str(value),
            Self::AnyBut(value) => write!(f, "anything but {value}"),
            Self::AtLeast(value) => write!(f, "{value} or more"),
        }
    }
}

const EXPECTED: [(&str, Accepted); 5] = [
    ("server_version_num", Accepted::AtLeast(130_000)),
    ("server_encoding", Accepted::One("UTF8")),
    ("fsync", Accepted::One("on")),
    ("full_page_writes", Accepted::One("on")),
    // What is not waited for is lost with the power. How far standbys are waited for is the operator's choice.
    ("synchronous_commit", Accepted::AnyBut("off")),
];

/// Of these, those by which confirmed commits can be lost.
const LOSSY: [&str; 3] = ["fsync", "full_page_writes", "synchronous_commit"];
