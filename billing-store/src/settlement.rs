//! The port of a downstream processor that is handed closed days.

use async_trait::async_trait;

use billing_core::{
    id::TenantId,
    settlement::{Answer, Handover},
};

/// Whoever is handed closed days, such as another service.
///
/// # Examples
///
/// ```
/// use async_trait::async_trait;
/// use billing_core::{id::TenantId, settlement::{Answer, Handover}};
/// use billing_store::settlement::{Processor, ProcessorError};
///
/// /// Takes everything.
/// #[derive(Debug)]
/// struct Ledger;
///
/// #[async_trait]
/// impl Processor for Ledger {
///     async fn process(
///         &self,
///         _tenant: &TenantId,
///         handovers: &[Handover],
///     ) -> Result<Vec<Answer>, ProcessorError> {
///         let accept = |handover: &Handover| Answer::Accepted { reference: handover.digest().to_string() };
///         Ok(handovers.iter().map(accept).collect())
///     }
/// }
/// # let ledger: Box<dyn Processor> = Box::new(Ledger);
/// ```
#[async_trait]
pub trait Processor: core::fmt::Debug + Send + Sync {
    /// Takes revisions of days, and answers each in their order.
    ///
    /// The same revision may come again, always with the same content: after a crash, or when its answer was lost. It is known by
    /// tenant, account, day and revision.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from answering; then all of them are sent again.
    async fn process(
        &self,
        tenant: &TenantId,
        handovers: &[Handover],
    ) -> Result<Vec<Answer>, ProcessorError>;
}

/// What keeps a processor from answering.
pub type ProcessorError = Box<dyn core::error::Error + Send + Sync>;

/// What sending settlements did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// How many revisions of days were handed to the processor.
    pub sent: u64,
    /// How many of them it accepted.
    pub accepted: u64,
    /// How many of them it refused.
    pub refused: u64,
}
