//! The clock as a component: the only place that may ask the system for the time.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use billing_core::time::Instant;

/// Tells the time when something is recorded. What is charged never depends on it.
pub trait Clock: Send + Sync + core::fmt::Debug {
    /// The present instant.
    fn now(&self) -> Instant;
}

/// A clock that is shared, so that its owner can go on setting it.
impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Instant {
        (**self).now()
    }
}

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock component")]
    fn now(&self) -> Instant {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let micros = i64::try_from(since.as_micros()).unwrap_or(i64::MAX);
        Instant::from_micros(micros).unwrap_or(Instant::MAX)
    }
}

/// A clock that is set by hand, for tests and for replaying the past.
///
/// # Examples
///
/// ```
/// use billing_store::clock::{Clock, SetClock};
///
/// let clock = SetClock::at("2026-11-01T00:00:00Z".parse()?);
/// clock.set("2026-11-02T00:00:00Z".parse()?);
/// assert_eq!(clock.now().to_string(), "2026-11-02T00:00:00Z");
/// # Ok::<(), billing_core::time::TimeError>(())
/// ```
#[derive(Debug)]
pub struct SetClock(Mutex<Instant>);

impl SetClock {
    /// A clock that shows `now` until it is set.
    #[must_use]
    pub const fn at(now: Instant) -> Self {
        Self(Mutex::new(now))
    }

    /// Sets the clock.
    pub fn set(&self, now: Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }
}

impl Clock for SetClock {
    fn now(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
