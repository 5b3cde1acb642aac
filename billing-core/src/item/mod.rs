//! Facts of usage as their sources reported them.

mod call;
mod incoming;
mod one_off;
mod party;
mod pulse;

pub use call::{Call, Direction, Disposition};
pub use incoming::{CallEnded, Fingerprint, Incoming, Item, ItemKey, OneOffCharged, PulseReported};
pub use one_off::OneOff;
pub use party::{InvalidParty, Party};
pub use pulse::{InvalidProperties, Properties, Pulse};
