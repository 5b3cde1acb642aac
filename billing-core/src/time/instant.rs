//! Instants in microseconds, UTC.

use core::{fmt, str::FromStr};

use chrono::{DateTime, Timelike as _, Utc};

use crate::{
    id::text_serde,
    time::{Day, TimeError},
};

const MICROS_PER_SECOND: i64 = 1_000_000;
const NANOS_PER_MICRO: u32 = 1_000;
const MICROS_OF_SECOND_MAX: u32 = 999_999;

/// No accepted text is longer.
const TEXT_BYTES_MAX: usize = 64;

/// A point in time, in whole microseconds since 1970 began, UTC.
///
/// Lies from 0001-01-02T00:00:00Z to 9999-12-29T00:00:00Z, so that its date exists
/// in every zone. As text it is RFC 3339 with an offset, written in UTC.
///
/// # Examples
///
/// ```
/// use billing_core::time::Instant;
///
/// let instant: Instant = "2026-01-31T13:00:00.250+01:00".parse()?;
/// assert_eq!(instant.to_string(), "2026-01-31T12:00:00.25Z");
/// # Ok::<(), billing_core::time::TimeError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(i64);

impl Instant {
    /// The first instant, 0001-01-02T00:00:00Z.
    pub const MIN: Self = Self(-62_135_510_400_000_000);

    /// The last instant, 9999-12-29T00:00:00Z.
    pub const MAX: Self = Self(253_402_041_600_000_000);

    /// Takes the instant from microseconds since 1970 began, UTC.
    ///
    /// # Errors
    ///
    /// [`TimeError::OutOfRange`].
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::time::Instant;
    ///
    /// assert_eq!(Instant::from_micros(-1)?.to_string(), "1969-12-31T23:59:59.999999Z");
    /// # Ok::<(), billing_core::time::TimeError>(())
    /// ```
    pub fn from_micros(micros: i64) -> Result<Self, TimeError> {
        let instant = Self(micros);
        (Self::MIN..=Self::MAX).contains(&instant).then_some(instant).ok_or(OUT_OF_RANGE)
    }

    /// The microseconds since 1970 began, UTC.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::time::Instant;
    ///
    /// assert_eq!("1970-01-01T00:00:01Z".parse::<Instant>()?.micros(), 1_000_000);
    /// # Ok::<(), billing_core::time::TimeError>(())
    /// ```
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The same instant as a chrono value.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::time::Instant;
    ///
    /// assert_eq!(Instant::from_micros(1)?.to_chrono().timestamp_micros(), 1);
    /// # Ok::<(), billing_core::time::TimeError>(())
    /// ```
    #[must_use]
    pub fn to_chrono(self) -> DateTime<Utc> {
        // Every instant of the range is also one of chrono's.
        DateTime::from_timestamp_micros(self.0).unwrap_or_default()
    }

    /// The instant `ms` milliseconds later.
    ///
    /// # Errors
    ///
    /// [`TimeError::OutOfRange`].
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::time::Instant;
    ///
    /// assert_eq!(Instant::from_micros(0)?.checked_add_ms(5)?.micros(), 5_000);
    /// # Ok::<(), billing_core::time::TimeError>(())
    /// ```
    pub fn checked_add_ms(self, ms: u64) -> Result<Self, TimeError> {
        let micros = ms.checked_mul(1_000).and_then(|micros| self.0.checked_add_unsigned(micros));
        micros.ok_or(OUT_OF_RANGE).and_then(Self::from_micros)
    }

    /// The instant `ms` milliseconds earlier.
    ///
    /// # Errors
    ///
    /// [`TimeError::OutOfRange`].
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::time::Instant;
    ///
    /// assert_eq!(Instant::from_micros(0)?.checked_sub_ms(5)?.micros(), -5_000);
    /// # Ok::<(), billing_core::time::TimeError>(())
    /// ```
    pub fn checked_sub_ms(self, ms: u64) -> Result<Self, TimeError> {
        let micros = ms.checked_mul(1_000).and_then(|micros| self.0.checked_sub_unsigned(micros));
        micros.ok_or(OUT_OF_RANGE).and_then(Self::from_micros)
    }

    /// The whole milliseconds from here to `other`, or `None` if `other` is before.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::time::Instant;
    ///
    /// let (start, end) = (Instant::from_micros(0)?, Instant::from_micros(1_999)?);
    /// assert_eq!(start.millis_until(end), Some(1));
    /// assert_eq!(end.millis_until(start), None);
    /// # Ok::<(), billing_core::time::TimeError>(())
    /// ```
    #[must_use]
    pub fn millis_until(self, other: Self) -> Option<u64> {
        self.micros_until(other)?.checked_div(1_000)
    }

    /// The microseconds from here to `other`, or `None` if `other` is before.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::time::Instant;
    ///
    /// let (start, end) = (Instant::from_micros(0)?, Instant::from_micros(1_999)?);
    /// assert_eq!(start.micros_until(end), Some(1_999));
    /// # Ok::<(), billing_core::time::TimeError>(())
    /// ```
    #[must_use]
    pub fn micros_until(self, other: Self) -> Option<u64> {
        let micros = other.0.checked_sub(self.0)?;
        u64::try_from(micros).ok()
    }

    /// The nearest instant of the range.
    pub(crate) fn clamped(micros: i64) -> Self {
        Self(micros).clamp(Self::MIN, Self::MAX)
    }

    /// Whole seconds since 1970 began, rounded down.
    pub(crate) fn seconds(self) -> i64 {
        self.0.div_euclid(MICROS_PER_SECOND)
    }

    /// Microseconds of the running second, 0 to 999 999.
    pub(super) fn micros_of_second(self) -> u32 {
        u32::try_from(self.0.rem_euclid(MICROS_PER_SECOND)).unwrap_or_default()
    }
}

const OUT_OF_RANGE: TimeError = TimeError::OutOfRange {
    kind: "instant",
    accepted: "0001-01-02T00:00:00Z to 9999-12-29T00:00:00Z",
};

/// Cuts nanoseconds down to microseconds; a leap second becomes the end of the second before.
impl TryFrom<DateTime<Utc>> for Instant {
    type Error = TimeError;

    fn try_from(instant: DateTime<Utc>) -> Result<Self, Self::Error> {
        let micros = instant.nanosecond().checked_div(NANOS_PER_MICRO).unwrap_or_default();
        let micros = i64::from(micros.min(MICROS_OF_SECOND_MAX));
        let seconds = instant.timestamp().checked_mul(MICROS_PER_SECOND);
        seconds
            .and_then(|seconds| seconds.checked_add(micros))
            .ok_or(OUT_OF_RANGE)
            .and_then(Self::from_micros)
    }
}

impl From<Instant> for DateTime<Utc> {
    fn from(instant: Instant) -> Self {
        instant.to_chrono()
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Instant({self})")
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.to_chrono();
        let day = Day::try_from(time.date_naive()).unwrap_or(Day::MIN);
        write!(f, "{day}T{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second())?;
        let micros = alloc::format!(".{:06}", self.micros_of_second());
        f.write_str(micros.trim_end_matches('0').trim_end_matches('.'))?;
        f.write_str("Z")
    }
}

impl FromStr for Instant {
    type Err = TimeError;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let malformed = TimeError::Malformed {
            kind: "instant",
            accepted: "RFC 3339 with an offset, such as 2026-01-31T12:00:00Z",
        };
        if !looks_like_an_instant(s) {
            return Err(malformed);
        }
        match DateTime::parse_from_rfc3339(s) {
            Ok(instant) => Self::try_from(instant.to_utc()),
            Err(_) => Err(malformed),
        }
    }
}

text_serde!(
    Instant,
    "an instant as RFC 3339 text, such as \"2026-01-31T12:00:00Z\"",
    deserialize_text
);

// chrono also accepts a space instead of the `T`, and a minus sign outside ASCII.
fn looks_like_an_instant(text: &str) -> bool {
    let separator = text.as_bytes().get(10);
    text.is_ascii() && text.len() <= TEXT_BYTES_MAX && matches!(separator, Some(b'T' | b't'))
}
