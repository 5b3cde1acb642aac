//! Civil days, without a zone.

use core::{fmt, str::FromStr};

use chrono::{Datelike as _, NaiveDate};

use crate::{id::text_serde, time::TimeError};

/// A civil date without a zone, from 0001-01-01 to 9999-12-30.
///
/// Counted in days since 1970-01-01. As text it is an ISO 8601 date.
///
/// # Examples
///
/// ```
/// use billing_core::time::Day;
///
/// let day: Day = "2026-01-31".parse()?;
/// assert_eq!(day.next()?.to_string(), "2026-02-01");
/// # Ok::<(), billing_core::time::TimeError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i32);

impl Day {
    /// The first day, 0001-01-01.
    pub const MIN: Self = Self(-719_162);

    /// The last day, 9999-12-30.
    pub const MAX: Self = Self(2_932_895);

    /// Takes the day from its year, month (1 to 12) and day of the month.
    ///
    /// # Errors
    ///
    /// [`TimeError::NoSuchDay`].
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::time::Day;
    ///
    /// assert_eq!(Day::try_new(1970, 1, 2)?.ordinal(), 1);
    /// assert!(Day::try_new(2026, 2, 29).is_err());
    /// # Ok::<(), billing_core::time::TimeError>(())
    /// ```
    pub fn try_new(year: i16, month: u8, day: u8) -> Result<Self, TimeError> {
        let date = NaiveDate::from_ymd_opt(i32::from(year), u32::from(month), u32::from(day));
        date.and_then(|date| Self::try_from(date).ok()).ok_or(TimeError::NoSuchDay {
            year,
            month,
            day,
        })
    }

    /// Takes the day from the number of days since 1970-01-01.
    ///
    /// # Errors
    ///
    /// [`TimeError::OutOfRange`].
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::time::Day;
    ///
    /// assert_eq!(Day::from_ordinal(-1)?.to_string(), "1969-12-31");
    /// # Ok::<(), billing_core::time::TimeError>(())
    /// ```
    pub fn from_ordinal(ordinal: i32) -> Result<Self, TimeError> {
        let day = Self(ordinal);
        (Self::MIN..=Self::MAX)
            .contains(&day)
            .then_some(day)
            .ok_or(TimeError::OutOfRange { kind: "day", accepted: "0001-01-01 to 9999-12-30" })
    }

    /// The number of days since 1970-01-01.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::time::Day;
    ///
    /// assert_eq!(Day::try_new(1970, 1, 1)?.ordinal(), 0);
    /// # Ok::<(), billing_core::time::TimeError>(())
    /// ```
    #[must_use]
    pub const fn ordinal(self) -> i32 {
        self.0
    }

    /// The year, 1 to 9999.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::time::Day;
    ///
    /// assert_eq!(Day::try_new(2026, 1, 31)?.year(), 2026);
    /// # Ok::<(), billing_core::time::TimeError>(())
    /// ```
    #[must_use]
    pub fn year(self) -> i16 {
        i16::try_from(self.date().year()).unwrap_or(i16::MAX)
    }

    /// The month, 1 to 12.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::time::Day;
    ///
    /// assert_eq!(Day::try_new(2026, 1, 31)?.month(), 1);
    /// # Ok::<(), billing_core::time::TimeError>(())
    /// ```
    #[must_use]
    pub fn month(self) -> u8 {
        u8::try_from(self.date().month()).unwrap_or(u8::MAX)
    }

    /// The day of the month, 1 to 31.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::time::Day;
    ///
    /// assert_eq!(Day::try_new(2026, 1, 31)?.day_of_month(), 31);
    /// # Ok::<(), billing_core::time::TimeError>(())
    /// ```
    #[must_use]
    pub fn day_of_month(self) -> u8 {
        u8::try_from(self.date().day()).unwrap_or(u8::MAX)
    }

    /// The day after this one.
    ///
    /// # Errors
    ///
    /// [`TimeError::OutOfRange`] after 9999-12-30.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::time::Day;
    ///
    /// assert_eq!(Day::try_new(2026, 1, 31)?.next()?, Day::try_new(2026, 2, 1)?);
    /// # Ok::<(), billing_core::time::TimeError>(())
    /// ```
    pub fn next(self) -> Result<Self, TimeError> {
        self.plus_days(1)
    }

    /// The day that is `days` after this one, or before it if negative.
    ///
    /// # Errors
    ///
    /// [`TimeError::OutOfRange`] outside 0001-01-01 to 9999-12-30.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::time::Day;
    ///
    /// assert_eq!(Day::try_new(2026, 1, 31)?.plus_days(-31)?, Day::try_new(2025, 12, 31)?);
    /// # Ok::<(), billing_core::time::TimeError>(())
    /// ```
    pub fn plus_days(self, days: i32) -> Result<Self, TimeError> {
        Self::from_ordinal(self.0.saturating_add(days))
    }

    /// How many days `other` is after this one; negative if it is before.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::time::Day;
    ///
    /// assert_eq!(Day::try_new(2026, 1, 31)?.days_until(Day::try_new(2026, 3, 1)?), 29);
    /// # Ok::<(), billing_core::time::TimeError>(())
    /// ```
    #[must_use]
    pub fn days_until(self, other: Self) -> i32 {
        other.0.saturating_sub(self.0)
    }

    fn date(self) -> NaiveDate {
        // Every day of the range is also one of chrono's.
        NaiveDate::from_epoch_days(self.0).unwrap_or_default()
    }
}

impl TryFrom<NaiveDate> for Day {
    type Error = TimeError;

    fn try_from(date: NaiveDate) -> Result<Self, Self::Error> {
        Self::from_ordinal(date.to_epoch_days())
    }
}

impl From<Day> for NaiveDate {
    fn from(day: Day) -> Self {
        day.date()
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Day({self})")
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = self.date();
        write!(f, "{:04}-{:02}-{:02}", date.year(), date.month(), date.day())
    }
}

impl FromStr for Day {
    type Err = TimeError;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        read(s).ok_or(TimeError::Malformed { kind: "day", accepted: "a date such as 2026-01-31" })
    }
}

text_serde!(Day, "a date as text, such as \"2026-01-31\"", deserialize_text);

fn read(text: &str) -> Option<Day> {
    if text.len() != 10 {
        return None;
    }
    let mut fields = text.split('-');
    let year = number(fields.next()?, 4)?;
    let month = number(fields.next()?, 2)?;
    let day = number(fields.next()?, 2)?;
    let date = NaiveDate::from_ymd_opt(i32::from(year), u32::from(month), u32::from(day))?;
    Day::try_from(date).ok()
}

/// The number that exactly `length` digits state.
fn number(text: &str, length: usize) -> Option<u16> {
    let valid = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    valid.then(|| text.parse().ok())?
}
