//! Instants, civil days, zones and billing periods.

mod anchor;
mod clock;
mod day;
mod error;
mod instant;
mod period;
mod zone;

pub use anchor::Anchor;
pub(crate) use clock::{DAY_S, LocalClock, Moment, instant};
pub use day::Day;
pub use error::TimeError;
pub use instant::Instant;
pub use period::Period;
pub use zone::{LocalTime, Resolved, Zone};
