//! What an account owes: drafts, and invoices as issued, paid or made void.

mod consolidated;
mod document;
mod state;

pub use consolidated::{Consolidated, ConsolidatedSum, Member};
pub use document::{Draft, Invoice, InvoiceKind, InvoiceSummary, Line, LinePart, RunningBill};
pub use state::{InvoiceMark, InvoiceState};
