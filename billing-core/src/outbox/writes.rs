//! What a relay leaves behind.

use alloc::vec::Vec;

use crate::outbox::{Cursor, DeadLetter, LeaseMove};

/// What a run of a relay stores, in one transaction and under its lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relayed {
    /// The lease, taken or prolonged. If somebody else has it, nothing of the rest is written.
    pub lease: LeaseMove,
    /// Whether every account without a cursor of the sink gets one at the end of its journal, before the others are set.
    pub skip_the_past: bool,
    /// Cursors of the sink to set; one that would move back is refused.
    pub cursors: Vec<Cursor>,
    /// Messages that were skipped.
    pub dead_letters: Vec<DeadLetter>,
}

impl Relayed {
    /// Keeps a lease, and nothing else.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::outbox::{Lent, Relayed, lend};
    ///
    /// let now = "2026-11-20T08:00:00Z".parse()?;
    /// let Lent::Mine(lease) = lend(None, None, &"bus".parse()?, &"me".parse()?, now, 30_000)
    /// else { panic!() };
    /// assert!(Relayed::lease(lease).cursors.is_empty());
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn lease(lease: LeaseMove) -> Self {
        Self { lease, skip_the_past: false, cursors: Vec::new(), dead_letters: Vec::new() }
    }
}
