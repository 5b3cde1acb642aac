//! What became of an issued invoice.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::{
    id::SeriesId,
    time::{Day, Instant},
};

/// What became of an invoice. It is paid or made void once, and then stays so.
///
/// # Examples
///
/// ```
/// use billing_core::invoice::InvoiceState;
///
/// let paid = InvoiceState::Paid { on: "2026-11-14".parse()?, reference: "transfer 7".into() };
/// assert_eq!(paid.name(), "paid");
/// assert_eq!(serde_json::to_string(&paid)?, r#"{"state":"paid","on":"2026-11-14","reference":"transfer 7"}"#);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum InvoiceState {
    /// It is to be paid.
    Issued,
    /// It was paid.
    Paid {
        /// On which day.
        on: Day,
        /// What the payer or the bank called it.
        reference: String,
    },
    /// It is not to be paid; what it billed is billed again.
    Void {
        /// Why.
        reason: String,
    },
}

impl InvoiceState {
    /// The name of the state.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::invoice::InvoiceState;
    ///
    /// assert_eq!(InvoiceState::Issued.name(), "issued");
    /// ```
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::Paid { .. } => "paid",
            Self::Void { .. } => "void",
        }
    }
}

/// That an invoice was paid or made void.
///
/// # Examples
///
/// ```
/// use billing_core::invoice::{InvoiceMark, InvoiceState};
///
/// let state = InvoiceState::Void { reason: "the wrong address".into() };
/// let at = "2026-11-14T08:00:00Z".parse()?;
/// let mark = InvoiceMark { series: "2026".parse()?, number: 7, at, state };
/// assert_eq!(serde_json::from_str::<InvoiceMark>(&serde_json::to_string(&mark)?)?, mark);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InvoiceMark {
    /// The series of its number.
    pub series: SeriesId,
    /// Its number.
    pub number: u64,
    /// When it was recorded.
    pub at: Instant,
    /// What became of it.
    pub state: InvoiceState,
}
