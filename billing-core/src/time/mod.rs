//! Instants, civil days, zones and billing periods.

mod anchor;
mod day;
mod error;
mod instant;
mod period;
mod zone;

pub use anchor::Anchor;
pub use day::Day;
pub use error::TimeError;
pub use instant::Instant;
pub use period::Period;
pub use zone::{LocalTime, Resolved, Zone};
