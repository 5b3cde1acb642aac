//! What becomes of a parked item that is not billed.

use alloc::string::String;

use crate::{
    decide::{Dropped, Parked, Writes},
    time::Instant,
};

/// Drops a parked item: it is not billed, and is kept with the reason. The source may still send it again.
///
/// # Examples
///
/// ```
/// use billing_core::decide::{ParkReason, Parked, drop_parked};
///
/// # use billing_core::item::CallEnded;
/// # let call: CallEnded = serde_json::from_str(
/// #     r#"{"key":{"source":"pbx","id":"1"},"account":"alice",
/// #         "call":{"start":"2026-10-05T08:00:00Z","duration_ms":4500000,"caller":"","callee":"",
/// #                 "disposition":"answered","direction":"outbound"}}"#,
/// # )?;
/// let now = "2026-10-06T08:00:00Z".parse()?;
/// let parked = Parked { incoming: call.into(), reason: ParkReason::UnknownAccount, since: now };
/// let writes = drop_parked(parked, "a test call".into(), now);
/// assert_eq!((writes.unparked.len(), writes.dropped.len()), (1, 1));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[must_use]
pub fn drop_parked(parked: Parked, reason: String, now: Instant) -> Writes {
    Writes {
        unparked: alloc::vec![parked.incoming.key.clone()],
        dropped: alloc::vec![Dropped { parked, reason, at: now }],
        ..Writes::default()
    }
}
