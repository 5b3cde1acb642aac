//! Usage to be rated, as a tariff measures it.

use crate::{
    money::Quantity,
    number::PhoneNumber,
    tariff::{Measure, ticks::to_ticks},
    time::Instant,
};

/// Usage to be rated: a call, or units of something else.
///
/// # Examples
///
/// ```
/// use billing_core::tariff::Usage;
///
/// let (callee, caller) = ("+4930123456".parse()?, "+12025550100".parse()?);
/// let call = Usage::call(&callee, "2026-10-05T08:00:00Z".parse()?, 61_000).from(&caller);
/// assert_eq!(call.at().to_string(), "2026-10-05T08:00:00Z");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    pub(super) callee: u64,
    pub(super) caller: u64,
    pub(super) at: Instant,
    pub(super) measure: Measure,
    pub(super) ticks: u64,
}

impl Usage {
    /// A call to a number, from its answer on, in milliseconds of talk.
    ///
    /// Where a tariff has windows, rating takes work for each day of the call, so bound a length that comes from outside;
    /// [`Limits`](crate::decide::Limits) accepts calls of up to 366 days unless told otherwise.
    #[must_use]
    pub fn call(callee: &PhoneNumber, start: Instant, duration_ms: u64) -> Self {
        let (callee, measure) = (callee.packed(), Measure::Time);
        Self { callee, caller: 0, at: start, measure, ticks: duration_ms }
    }

    /// A call to something that is no telephone number: only a catch-all prices it.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::tariff::Usage;
    ///
    /// let call = Usage::call_to_nobody("2026-10-05T08:00:00Z".parse()?, 61_000);
    /// assert_eq!(call.at().to_string(), "2026-10-05T08:00:00Z");
    /// # Ok::<(), billing_core::time::TimeError>(())
    /// ```
    #[must_use]
    pub const fn call_to_nobody(start: Instant, duration_ms: u64) -> Self {
        Self { callee: 0, caller: 0, at: start, measure: Measure::Time, ticks: duration_ms }
    }

    /// Units of something: messages, megabytes, events.
    ///
    /// `None` for less than nothing, finer than a millionth, or 2^64 millionths and more: some 18 million million.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::tariff::Usage;
    ///
    /// let (to, at) = ("+4930123456".parse()?, "2026-10-05T08:00:00Z".parse()?);
    /// assert!(Usage::units(Some(&to), at, "0.25".parse()?).is_some());
    /// assert!(Usage::units(None, at, "0.0000001".parse()?).is_none());
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn units(to: Option<&PhoneNumber>, at: Instant, quantity: Quantity) -> Option<Self> {
        let (callee, measure) = (to.map_or(0, |to| to.packed()), Measure::Units);
        Some(Self { callee, caller: 0, at, measure, ticks: to_ticks(quantity, measure)? })
    }

    /// The same from a number, for lines that ask for an origin.
    #[must_use]
    pub fn from(self, caller: &PhoneNumber) -> Self {
        Self { caller: caller.packed(), ..self }
    }

    /// When it began.
    #[must_use]
    pub const fn at(&self) -> Instant {
        self.at
    }

    /// The instant at which so much of it has been used.
    pub(super) fn after(&self, ticks: u64) -> Instant {
        // Past the end of the calendar there is nothing that changes.
        self.at.checked_add_ms(ticks).unwrap_or(Instant::MAX)
    }

    pub(super) const fn with_ticks(self, ticks: u64) -> Self {
        Self { ticks, ..self }
    }
}
