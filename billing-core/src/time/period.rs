//! Stretches of days that are billed together.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::time::{Day, TimeError};

/// A half-open stretch of at least one civil day: `start` is in it, `end` is not.
///
/// # Examples
///
/// ```
/// use billing_core::time::Period;
///
/// let period = Period::try_new("2026-01-31".parse()?, "2026-02-28".parse()?)?;
/// assert!(!period.contains(period.end()));
/// assert_eq!(period.to_string(), "2026-01-31..2026-02-28");
/// # Ok::<(), billing_core::time::TimeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Ends", into = "Ends")]
pub struct Period {
    start: Day,
    end: Day,
}

impl Period {
    /// Takes the period from its first day and the day after its last one.
    ///
    /// # Errors
    ///
    /// [`TimeError::Reversed`] unless `start` is before `end`.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::time::{Day, Period};
    ///
    /// let day: Day = "2026-01-31".parse()?;
    /// assert!(Period::try_new(day, day.next()?).is_ok());
    /// assert!(Period::try_new(day, day).is_err());
    /// # Ok::<(), billing_core::time::TimeError>(())
    /// ```
    pub fn try_new(start: Day, end: Day) -> Result<Self, TimeError> {
        (start < end).then_some(Self { start, end }).ok_or(TimeError::Reversed { start, end })
    }

    /// The first day.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::time::Period;
    ///
    /// let period = Period::try_new("2026-01-31".parse()?, "2026-02-28".parse()?)?;
    /// assert_eq!(period.start().to_string(), "2026-01-31");
    /// # Ok::<(), billing_core::time::TimeError>(())
    /// ```
    #[must_use]
    pub const fn start(self) -> Day {
        self.start
    }

    /// The day after the last one.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::time::Period;
    ///
    /// let period = Period::try_new("2026-01-31".parse()?, "2026-02-28".parse()?)?;
    /// assert_eq!(period.end().to_string(), "2026-02-28");
    /// # Ok::<(), billing_core::time::TimeError>(())
    /// ```
    #[must_use]
    pub const fn end(self) -> Day {
        self.end
    }

    /// Whether `day` is in the period.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::time::Period;
    ///
    /// let period = Period::try_new("2026-01-31".parse()?, "2026-02-28".parse()?)?;
    /// assert!(period.contains("2026-02-27".parse()?));
    /// # Ok::<(), billing_core::time::TimeError>(())
    /// ```
    #[must_use]
    pub fn contains(self, day: Day) -> bool {
        self.start <= day && day < self.end
    }

    /// How many days the period has, at least 1.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::time::Period;
    ///
    /// let period = Period::try_new("2026-01-31".parse()?, "2026-02-28".parse()?)?;
    /// assert_eq!(period.days(), 28);
    /// # Ok::<(), billing_core::time::TimeError>(())
    /// ```
    #[must_use]
    pub fn days(self) -> u32 {
        self.start.ordinal().abs_diff(self.end.ordinal())
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ends {
    start: Day,
    end: Day,
}

impl TryFrom<Ends> for Period {
    type Error = TimeError;

    fn try_from(ends: Ends) -> Result<Self, Self::Error> {
        Self::try_new(ends.start, ends.end)
    }
}

impl From<Period> for Ends {
    fn from(period: Period) -> Self {
        Self { start: period.start, end: period.end }
    }
}
