//! Decisions: facts in, what to store and what to answer out.

mod assign;
mod ingest;
mod invoice;
mod open;
mod writes;

pub use assign::{AssignError, AssignFacts, assign};
pub use ingest::{
    Batch, IngestError, IngestFacts, Ingested, Limits, OpenDay, Plans, Rated, Receipt,
    days_touched, ingest, rate,
};
pub use invoice::{
    BillError, BillFacts, RunOutcome, bill, due_periods, is_invoiced, issue, scopes_touched, settle,
};
pub use open::{OpenAccountError, open_account};
pub use writes::{
    AccountFacts, CarryMove, Claim, Intake, ParkReason, Parked, Refusal, StoredItem, Writes,
};
