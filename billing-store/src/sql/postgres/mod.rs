//! State in a PostgreSQL database: many processes, many writers at a time.

mod columns;
mod decimal;
mod dialect;
mod failed;
mod guard;
mod locks;
mod meetings;
mod options;
mod statements;
#[cfg(all(test, feature = "sqlite"))]
pub(super) mod tests;

use core::fmt;

use async_trait::async_trait;
use sqlx::{Connection as _, PgConnection, Postgres, postgres::PgPool};

use billing_core::{
    id::{EpochId, TenantId},
    time::Instant,
};

use crate::{
    error::StoreResult,
    outbox::Epochs,
    sql::{
        connection::Connection,
        migrate::{Schema, Step},
        outbox,
        unit::{Hold, Mode, SqlUnit},
    },
    store::{Facts, Locks, Store, Transaction, Unit},
};

pub(super) use columns::{Columns, insert};
pub(super) use decimal::Decimal;
pub(super) use locks::share_catalog;
pub(super) use meetings::{check_claim, part};
pub(super) use statements::{execute, fetch, script};

pub use options::{Durability, PostgresOptions};

use failed::failed;
use guard::Guard;

/// Each step once, in order; a step that was released is never changed.
const STEPS: &[Step] = &[
    Step {
        version: 1,
        name: "first_bill",
        sql: include_str!("../../../migrations/postgres/0001_first_bill.sql"),
    },
    Step {
        version: 2,
        name: "corrections",
        sql: include_str!("../../../migrations/postgres/0002_corrections.sql"),
    },
    Step {
        version: 3,
        name: "outbox",
        sql: include_str!("../../../migrations/postgres/0003_outbox.sql"),
    },
    Step {
        version: 4,
        name: "erasure",
        sql: include_str!("../../../migrations/postgres/0004_erasure.sql"),
    },
];

const LEDGER: &str = "create table if not exists billing_migration (
    version bigint not null primary key,
    name    text   not null,
    digest  text   not null
)";

const SCHEMA: Schema = Schema { ledger: LEDGER, steps: STEPS };

/// State in a PostgreSQL database, through sqlx, for any number of processes.
///
/// A commit that returned survives power loss: a server that does not see to it is refused, see [`Durability`]. Units that name other
/// accounts do not wait for each other; readers see one consistent state and wait for nobody.
///
/// # Locks
///
/// A unit locks the rows of its accounts in the order of their bytes, then its series and the catalog by advisory locks of the
/// transaction, whose numbers are 64 bits of a SHA-256. Two units that meet without a lock in common, because both name one item under
/// different accounts, are [`Transient`](crate::StoreError::Transient) to the second; so is the one that a deadlock ends.
///
/// # Sessions
///
/// A unit waits a minute for a connection and a minute for each of its locks, a statement may take ten, and a unit that is idle for ten
/// loses its locks: all are [`Transient`](crate::StoreError::Transient). Zone, date style and locale of the server bear on nothing.
/// The connections of this store are its own; those of a host that [joins](Self::join) keep the host's settings.
///
/// # The line
///
/// Over TCP the driver leaves small packets to wait for the ones before them. What is larger than a packet, and under TLS than a record of
/// 16 KiB, may so wait for the server's delayed acknowledgement, 40 ms on Linux: batches of 1,000 calls take five times as long
/// where that happens. On the server's own machine connect through its Unix socket, `postgres://billing@localhost/billing?host=/var/run/postgresql`.
///
/// # Tenants
///
/// Every statement names its tenant. Row-level security is a second wall: each transaction says whose rows it may see
/// (`billing.tenant`), and the server shows and takes no others. It holds for the owner of the tables too, but not for superusers and
/// roles with `bypassrls`: let the service be neither. A backup needs a role with `bypassrls`, as `pg_dump` refuses to leave rows out.
///
/// # Examples
///
/// ```no_run
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// use billing_core::id::TenantId;
/// use billing_store::{PostgresStore, store::Store};
///
/// let store = PostgresStore::open("postgres://billing@localhost/billing?sslmode=verify-full").await?;
/// store.migrate().await?;
/// let mut facts = store.read(&TenantId::try_new("acme")?).await?;
/// assert_eq!(facts.account_page(None, 10).await?, []);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct PostgresStore {
    options: PostgresOptions,
    units: PgPool,
    readers: PgPool,
}

impl PostgresStore {
    /// Connects to a server. Call [`migrate`](Self::migrate) before the first use.
    ///
    /// What the URL leaves out is taken from the variables that every PostgreSQL client knows, such as `PGHOST`.
    ///
    /// # Errors
    ///
    /// [`StoreError`](crate::StoreError) if the server cannot be reached, is older than version 13, does not speak UTF-8, or may lose
    /// what it has confirmed.
    pub async fn open(url: &str) -> StoreResult<Self> {
        Self::open_with(PostgresOptions::of_url(url)?).await
    }

    /// Connects as the options say.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub async fn open_with(options: PostgresOptions) -> StoreResult<Self> {
        // Not of the pool, which would go on trying for a while.
        let mut first = PgConnection::connect_with(&options.session()).await.map_err(failed)?;
        options.check(&mut first).await?;
        first.close().await.map_err(failed)?;
        let (units, readers) = (options.units(), options.readers());
        Ok(Self { options, units, readers })
    }

    /// Brings the schema to the version this library knows.
    ///
    /// Each step is a transaction: killed half-way, the next run goes on where it stood. Several processes may do it at once. Doing it
    /// again changes nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError::Schema`](crate::StoreError::Schema) if the database is newer than this library.
    pub async fn migrate(&self) -> StoreResult<()> {
        let key = locks::key("", "schema", "");
        loop {
            let connection = self.units.acquire().await.map_err(failed)?;
            let begin = format!(
                "begin isolation level read committed; select pg_advisory_xact_lock({key})"
            );
            let mut unit = Guard::begin(connection, Mode::Writes, begin).await?;
            let more = SCHEMA.next(unit.connection()?).await?;
            unit.commit().await?;
            if !more {
                return Ok(());
            }
        }
    }

    /// A unit inside the host's own transaction: what it writes is committed or rolled back with everything else in there.
    ///
    /// The transaction must be `read committed`, which it is unless the host said otherwise, and lead to a database that was
    /// [migrated](Self::migrate). The locks are held until it ends, those of parked items and partial records too, which every unit of the tenant
    /// that records may wait for: end it soon. From here on it sees this tenant's rows alone. How durable its commit is, is the host's to say.
    /// Join the transaction itself, not a savepoint in it: what was written there other units cannot tell from what was there before, and two that
    /// name the same item under different accounts at that moment might both record it.
    ///
    /// # Errors
    ///
    /// [`StoreError`](crate::StoreError) as beginning a unit; [`Refused`](crate::StoreError::Refused) under another isolation.
    pub async fn join<'h>(
        host: &'h mut sqlx::Transaction<'_, Postgres>,
        tenant: &TenantId,
        locks: &Locks,
    ) -> StoreResult<Box<dyn Unit + 'h>> {
        let hold: &'h mut PgConnection = host;
        locks::join(hold, tenant).await?;
        locks::take(hold, tenant, locks).await?;
        Ok(Box::new(SqlUnit { tenant: tenant.clone(), mode: Mode::Writes, hold }))
    }

    /// Closes the connections once the units at work have ended.
    pub async fn close(&self) {
        self.readers.close().await;
        self.units.close().await;
    }
}

impl Hold for &mut PgConnection {
    fn connection(&mut self) -> StoreResult<Connection<'_>> {
        Ok(Connection::Postgres(self))
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").field("options", &self.options).finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn begin(&self, tenant: &TenantId, locks: &Locks) -> StoreResult<Box<dyn Transaction>> {
        let connection = self.units.acquire().await.map_err(failed)?;
        let begin = locks::begin(tenant, Mode::Writes);
        let mut hold = Guard::begin(connection, Mode::Writes, begin).await?;
        locks::take(hold.held()?, tenant, locks).await?;
        Ok(Box::new(SqlUnit { tenant: tenant.clone(), mode: Mode::Writes, hold }))
    }

    async fn read(&self, tenant: &TenantId) -> StoreResult<Box<dyn Facts>> {
        let connection = self.readers.acquire().await.map_err(failed)?;
        let begin = locks::begin(tenant, Mode::Reads);
        let hold = Guard::begin(connection, Mode::Reads, begin).await?;
        Ok(Box::new(SqlUnit { tenant: tenant.clone(), mode: Mode::Reads, hold }))
    }
}

#[async_trait]
impl Transaction for SqlUnit<Guard> {
    async fn commit(mut self: Box<Self>) -> StoreResult<()> {
        self.hold.commit().await
    }
}

#[async_trait]
impl Epochs for PostgresStore {
    async fn begin_epoch(&self, epoch: &EpochId, at: Instant) -> StoreResult<()> {
        // One statement, and so a transaction of its own.
        let mut connection = self.units.acquire().await.map_err(failed)?;
        outbox::begin_epoch(Connection::Postgres(&mut connection), epoch, at).await
    }
}
