//! Corrections of what was recorded: what is asked for, and what it changed.

mod recorded;
mod report;
mod request;

pub use recorded::RecordedCorrection;
pub use report::{AmountChange, CorrectionReport, Counted, ItemChange, QuantityChange};
pub use request::{Change, Correction, Selection};
