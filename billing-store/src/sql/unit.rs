//! One tenant's view of one transaction, and the ways to hold the connection it runs on.

use async_trait::async_trait;

use billing_core::{decide::Writes, id::TenantId};

use crate::{
    error::StoreResult,
    sql::{connection::Connection, session::Session, writes},
    store::Unit,
};

/// Holds a connection inside a transaction.
pub(super) trait Hold: Send {
    /// The connection.
    ///
    /// # Errors
    ///
    /// `Refused` if the transaction has ended.
    fn connection(&mut self) -> StoreResult<Connection<'_>>;
}

/// Whether what is read stays so until the transaction ends, because it is locked, or because it is a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Reads under locks, and writes.
    Writes,
    /// Reads one consistent state.
    Reads,
}

/// One tenant's view of one transaction.
pub(super) struct SqlUnit<H> {
    pub(super) tenant: TenantId,
    pub(super) mode: Mode,
    pub(super) hold: H,
}

impl<H: Hold> SqlUnit<H> {
    pub(super) fn session(&mut self) -> StoreResult<Session<'_>> {
        let (tenant, mode) = (self.tenant.as_str(), self.mode);
        Ok(Session { connection: self.hold.connection()?, tenant, mode })
    }
}

#[async_trait]
impl<H: Hold> Unit for SqlUnit<H> {
    async fn apply(&mut self, writes: &Writes) -> StoreResult<()> {
        writes::apply(self.session()?, writes).await
    }
}
