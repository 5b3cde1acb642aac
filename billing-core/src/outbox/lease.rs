//! A lease: who relays to a sink, so that one process at a time does.

use crate::{
    id::{HolderId, SinkId},
    time::Instant,
};

/// Who relays to a sink, and until when nobody else does.
///
/// # Examples
///
/// ```
/// use billing_core::outbox::{Lent, lend};
///
/// let (bus, one, two) = ("bus".parse()?, "process 1".parse()?, "process 2".parse()?);
/// let now = "2026-11-20T08:00:00Z".parse()?;
/// let Lent::Mine(first) = lend(None, None, &bus, &one, now, 30_000) else { panic!() };
/// assert_eq!((first.expected, first.lease.token), (None, 1));
///
/// // Another waits until it has run out, and then has a token of its own.
/// let held = lend(Some(&first.lease), None, &bus, &two, now, 30_000);
/// assert_eq!(held, Lent::Held(first.lease.clone()));
/// let Lent::Mine(second) = lend(Some(&first.lease), None, &bus, &two, first.lease.until, 30_000)
/// else { panic!() };
/// assert_eq!((second.expected, second.lease.token), (Some(1), 2));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Which sink.
    pub sink: SinkId,
    /// Who holds it.
    pub holder: HolderId,
    /// Until when, that instant not included.
    pub until: Instant,
    /// Grows each time the lease goes to another holder: whoever writes shows it, and one of the past is refused.
    pub token: u64,
}

/// A lease that is to be kept, provided that nobody else has taken it since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseMove {
    /// The token of the lease that is there; there is none if `None`.
    pub expected: Option<u64>,
    /// What it becomes.
    pub lease: Lease,
}

/// Whether a lease is to be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lent {
    /// It is, once this is kept.
    Mine(LeaseMove),
    /// Somebody else holds it.
    Held(Lease),
}

/// Decides whether a holder gets a sink's lease, or has it prolonged.
///
/// `current` is the lease that is there, and `mine` the token the holder was given before. It is the holder's own if both token
/// and holder agree; it is free if there is none, or none that has not run out.
///
/// # Examples
///
/// ```
/// use billing_core::outbox::{Lent, lend};
///
/// let (bus, me) = ("bus".parse()?, "process 1".parse()?);
/// let now = "2026-11-20T08:00:00Z".parse()?;
/// let Lent::Mine(taken) = lend(None, None, &bus, &me, now, 30_000) else { panic!() };
/// let later = "2026-11-20T08:00:20Z".parse()?;
/// let Lent::Mine(kept) = lend(Some(&taken.lease), Some(1), &bus, &me, later, 30_000) else { panic!() };
/// assert_eq!((kept.expected, kept.lease.token), (Some(1), 1));
/// assert!(kept.lease.until > taken.lease.until);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[must_use]
pub fn lend(
    current: Option<&Lease>,
    mine: Option<u64>,
    sink: &SinkId,
    holder: &HolderId,
    now: Instant,
    ttl_ms: u64,
) -> Lent {
    let expected = current.map(|lease| lease.token);
    let token = match current {
        None => 1,
        Some(lease) if Some(lease.token) == mine && lease.holder == *holder => lease.token,
        Some(lease) if lease.until > now => return Lent::Held(lease.clone()),
        Some(lease) => lease.token.saturating_add(1),
    };
    let (sink, holder, until) =
        (sink.clone(), holder.clone(), now.checked_add_ms(ttl_ms).unwrap_or(Instant::MAX));
    Lent::Mine(LeaseMove { expected, lease: Lease { sink, holder, until, token } })
}
