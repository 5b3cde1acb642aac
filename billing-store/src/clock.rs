//! The clock as a component: the only place that may ask the system for the time.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use billing_core::time::Instant;

/// Tells the time when something is recorded. What is charged never depends on it.
///
/// # Examples
///
/// ```
/// use billing_core::time::Instant;
/// use billing_store::clock::{Clock, SystemClock};
///
/// /// The system's clock, never earlier than the last thing the host recorded.
/// #[derive(Debug)]
/// struct HostClock {
///     last: Instant,
/// }
///
/// impl Clock for HostClock {
///     fn now(&self) -> Instant {
///         SystemClock.now().max(self.last)
///     }
/// }
///
/// assert_eq!(HostClock { last: Instant::MAX }.now(), Instant::MAX);
/// ```
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
///
/// # Examples
///
/// ```
/// use billing_store::clock::{Clock, SystemClock};
///
/// assert!(SystemClock.now() > "2020-01-01T00:00:00Z".parse()?);
/// # Ok::<(), billing_core::time::TimeError>(())
/// ```
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
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_store::clock::{Clock, SetClock};
    ///
    /// let clock = SetClock::at("2026-11-01T00:00:00Z".parse()?);
    /// assert_eq!(clock.now(), clock.now());
    /// # Ok::<(), billing_core::time::TimeError>(())
    /// ```
    #[must_use]
    pub const fn at(now: Instant) -> Self {
        Self(Mutex::new(now))
    }

    /// Sets the clock.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use billing_core::plan::PlanBook;
    /// use billing_store::{Billing, MemoryStore, clock::{Clock, SetClock}};
    ///
    /// let clock = Arc::new(SetClock::at("2026-11-01T00:00:00Z".parse()?));
    /// let billing = Billing::new(MemoryStore::new(), PlanBook::standard(), Arc::clone(&clock));
    /// clock.set("2026-12-01T00:00:00Z".parse()?); // the library sees December too
    /// assert_eq!(clock.now().to_string(), "2026-12-01T00:00:00Z");
    /// # Ok::<(), billing_core::time::TimeError>(())
    /// ```
    pub fn set(&self, now: Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }
}

impl Clock for SetClock {
    fn now(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
