//! Facts of usage as their sources reported them.

mod call;
mod incoming;
mod party;

pub use call::{Call, Direction, Disposition};
pub use incoming::{CallEnded, Fingerprint, Incoming, Item, ItemKey};
pub use party::{InvalidParty, Party};
