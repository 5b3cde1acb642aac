//! Where billing periods begin.

use chrono::{Months, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::time::{Day, Period, TimeError};

const MONTHS_MAX: u16 = 120;
const MONTHS_PER_YEAR: i32 = 12;

/// The day that billing periods are counted from, and how many months each has.
///
/// Every boundary is computed from this day, clamped to the length of its month,
/// and never from the boundary before. In JSON it is
/// `{"from":"2026-01-31","months":1}`.
///
/// # Examples
///
/// ```
/// use billing_core::time::Anchor;
///
/// let anchor = Anchor::monthly("2026-01-31".parse()?);
/// assert_eq!(anchor.period(0)?.to_string(), "2026-01-31..2026-02-28");
/// assert_eq!(anchor.period(1)?.to_string(), "2026-02-28..2026-03-31");
/// # Ok::<(), billing_core::time::TimeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Fields", into = "Fields")]
pub struct Anchor {
    from: Day,
    months: u16,
}

impl Anchor {
    /// Periods of one month, counted from `from`.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::time::Anchor;
    ///
    /// assert_eq!(Anchor::monthly("2026-01-31".parse()?).months(), 1);
    /// # Ok::<(), billing_core::time::TimeError>(())
    /// ```
    #[must_use]
    pub const fn monthly(from: Day) -> Self {
        Self { from, months: 1 }
    }

    /// Periods of `months` months, 1 to 120, counted from `from`.
    ///
    /// # Errors
    ///
    /// [`TimeError::Months`].
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::time::Anchor;
    ///
    /// assert!(Anchor::try_new("2026-01-31".parse()?, 12).is_ok());
    /// assert!(Anchor::try_new("2026-01-31".parse()?, 0).is_err());
    /// # Ok::<(), billing_core::time::TimeError>(())
    /// ```
    pub fn try_new(from: Day, months: u16) -> Result<Self, TimeError> {
        let valid = (1..=MONTHS_MAX).contains(&months);
        valid.then_some(Self { from, months }).ok_or(TimeError::Months { months })
    }

    /// The day that periods are counted from, the first one of period 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::time::Anchor;
    ///
    /// assert_eq!(Anchor::monthly("2026-01-31".parse()?).from().to_string(), "2026-01-31");
    /// # Ok::<(), billing_core::time::TimeError>(())
    /// ```
    #[must_use]
    pub const fn from(self) -> Day {
        self.from
    }

    /// How many months a period has, 1 to 120.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::time::Anchor;
    ///
    /// assert_eq!(Anchor::try_new("2026-01-31".parse()?, 3)?.months(), 3);
    /// # Ok::<(), billing_core::time::TimeError>(())
    /// ```
    #[must_use]
    pub const fn months(self) -> u16 {
        self.months
    }

    /// Period number `n`; period 0 starts on the anchor, earlier ones are negative.
    ///
    /// # Errors
    ///
    /// [`TimeError::OutOfRange`] if it does not lie wholly in 0001-01-01..9999-12-30.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::time::Anchor;
    ///
    /// let anchor = Anchor::monthly("2026-01-31".parse()?);
    /// assert_eq!(anchor.period(-2)?.to_string(), "2025-11-30..2025-12-31");
    /// # Ok::<(), billing_core::time::TimeError>(())
    /// ```
    pub fn period(&self, n: i32) -> Result<Period, TimeError> {
        let next = n.checked_add(1).ok_or(OUT_OF_RANGE)?;
        Period::try_new(self.boundary(n)?, self.boundary(next)?)
    }

    /// The one period that `day` is in.
    ///
    /// # Errors
    ///
    /// [`TimeError::OutOfRange`] if it does not lie wholly in 0001-01-01..9999-12-30.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::time::Anchor;
    ///
    /// let anchor = Anchor::monthly("2026-01-31".parse()?);
    /// assert_eq!(anchor.period_of("2026-02-28".parse()?)?, anchor.period(1)?);
    /// # Ok::<(), billing_core::time::TimeError>(())
    /// ```
    pub fn period_of(&self, day: Day) -> Result<Period, TimeError> {
        let n = self.index_of(day)?;
        self.period(n)
    }

    /// The number of the one period that `day` is in.
    ///
    /// # Errors
    ///
    /// [`TimeError::OutOfRange`] if that period starts before 0001-01-01.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::time::Anchor;
    ///
    /// let anchor = Anchor::monthly("2026-01-31".parse()?);
    /// assert_eq!(anchor.index_of("2026-02-28".parse()?)?, 1);
    /// # Ok::<(), billing_core::time::TimeError>(())
    /// ```
    pub fn index_of(&self, day: Day) -> Result<i32, TimeError> {
        let months = month_number(day).saturating_sub(month_number(self.from));
        let n = months.div_euclid(i32::from(self.months));
        // Its first month is right; within that month `day` may come before the boundary.
        let before = day < self.boundary(n)?;
        Ok(n.saturating_sub(i32::from(before)))
    }

    /// The first day of period `n`.
    fn boundary(self, n: i32) -> Result<Day, TimeError> {
        let months = n.checked_mul(i32::from(self.months)).ok_or(OUT_OF_RANGE)?;
        let distance = Months::new(months.unsigned_abs());
        let from = NaiveDate::from(self.from);
        let date = if months < 0_i32 {
            from.checked_sub_months(distance)
        } else {
            from.checked_add_months(distance)
        };
        date.ok_or(OUT_OF_RANGE).and_then(Day::try_from)
    }
}

const OUT_OF_RANGE: TimeError =
    TimeError::OutOfRange { kind: "period", accepted: "0001-01-01 to 9999-12-30" };

fn month_number(day: Day) -> i32 {
    let years = i32::from(day.year()).saturating_mul(MONTHS_PER_YEAR);
    years.saturating_add(i32::from(day.month()))
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    from: Day,
    months: u16,
}

impl TryFrom<Fields> for Anchor {
    type Error = TimeError;

    fn try_from(fields: Fields) -> Result<Self, Self::Error> {
        Self::try_new(fields.from, fields.months)
    }
}

impl From<Anchor> for Fields {
    fn from(anchor: Anchor) -> Self {
        Self { from: anchor.from, months: anchor.months }
    }
}
