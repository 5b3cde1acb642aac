//! How a local time is written, and how it is read.

use core::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use billing_core::time::{Day, LocalTime};

pub(crate) const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const FRACTION_DIGITS_MAX: usize = 9;
const MICRO_DIGITS: usize = 6;

/// How a local time is written, in the signs of `strftime`.
///
/// | sign | stands for |
/// |---|---|
/// | `%Y`, `%y` | the year in four digits; in two, from 2000 on |
/// | `%m`, `%b` | the month in two digits; its English name in three letters |
/// | `%d` | the day of the month |
/// | `%H` | the hour, 00 to 23 |
/// | `%I`, `%p` | the hour, 01 to 12, with `AM` or `PM` |
/// | `%M`, `%S` | the minute; the second, which may be missing from the pattern |
/// | `%.f` | nothing, or a point or comma and up to nine digits of the second; what is below a microsecond is cut off |
///
/// Numbers have all their digits; with a hyphen, as in `%-d`, a leading zero may be missing. Any other character stands for
/// itself. Date, hour and minute must be there, each once.
///
/// # Examples
///
/// ```
/// use billing_formats::csv::Pattern;
///
/// let pattern: Pattern = "%-m/%-d/%Y %-I:%M %p".parse()?;
/// let local = pattern.read("1/31/2026 1:05 PM").expect("a time");
/// assert_eq!((local.day.to_string().as_str(), local.second_of_day), ("2026-01-31", 47_100));
/// assert_eq!(pattern.read("31/1/2026 1:05 PM"), None);
/// # Ok::<(), billing_formats::csv::InvalidPattern>(())
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern {
    text: String,
    parts: Vec<Part>,
}

/// A pattern cannot be used.
///
/// # Examples
///
/// ```
/// use billing_formats::csv::{InvalidPattern, Pattern};
///
/// assert_eq!(Pattern::try_new("%Y-%m-%d %T"), Err(InvalidPattern::Sign { at: 9 }));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPattern {
    /// A sign that is none.
    #[error(
        "the pattern has an unknown sign at byte {at}; accepted are %Y %y %m %b %d %H %I %p %M %S %.f, and %-m %-d %-H %-I"
    )]
    Sign {
        /// Where, counted from 0.
        at: usize,
    },
    /// The same part of a time twice.
    #[error("the pattern has the {part} twice; accepted is once")]
    Twice {
        /// Which part.
        part: &'static str,
    },
    /// A part of a time is missing.
    #[error(
        "the pattern lacks the {part}; accepted is a pattern with date, hour and minute, and %I together with %p"
    )]
    Missing {
        /// Which part.
        part: &'static str,
    },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Literal(char),
    Year,
    YearOfCentury,
    Month(Digits),
    MonthName,
    Day(Digits),
    Hour(Digits),
    HalfHour(Digits),
    Half,
    Minute,
    Second,
    Fraction,
}

/// How many digits a number of up to two has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Digits {
    Two,
    OneOrTwo,
}

/// What has been read.
#[derive(Default)]
struct Fields {
    year: u32,
    month: u32,
    day: u32,
    hour: u32,
    is_afternoon: Option<bool>,
    minute: u32,
    second: u32,
    micros: u32,
}

impl Pattern {
    /// Takes the pattern from its text.
    ///
    /// # Errors
    ///
    /// [`InvalidPattern`].
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_formats::csv::{InvalidPattern, Pattern};
    ///
    /// assert!(Pattern::try_new("%Y%m%d%H%M%S").is_ok());
    /// assert_eq!(Pattern::try_new("%Y-%m-%d"), Err(InvalidPattern::Missing { part: "hour" }));
    /// ```
    pub fn try_new(text: impl Into<String>) -> Result<Self, InvalidPattern> {
        let text = text.into();
        let parts = parts_of(&text)?;
        check(&parts)?;
        Ok(Self { text, parts })
    }

    /// The pattern `%Y-%m-%d %H:%M:%S%.f`, after which databases write local times.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_formats::csv::Pattern;
    ///
    /// let local = Pattern::of_databases().read("2026-01-31 00:01:00.5").expect("a time");
    /// assert_eq!((local.second_of_day, local.micros), (60, 500_000));
    /// ```
    #[must_use]
    pub fn of_databases() -> Self {
        let dash = Part::Literal('-');
        let colon = Part::Literal(':');
        let (day, hour) = (Part::Day(Digits::Two), Part::Hour(Digits::Two));
        let date = [Part::Year, dash, Part::Month(Digits::Two), dash, day, Part::Literal(' ')];
        let time = [hour, colon, Part::Minute, colon, Part::Second, Part::Fraction];
        Self { text: "%Y-%m-%d %H:%M:%S%.f".into(), parts: [date, time].concat() }
    }

    /// The local time that a text states, if it is written so.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_formats::csv::Pattern;
    ///
    /// let pattern = Pattern::try_new("%d.%m.%Y %H:%M")?;
    /// assert_eq!(pattern.read("31.01.2026 00:01").map(|local| local.second_of_day), Some(60));
    /// assert_eq!(pattern.read("30.02.2026 00:01"), None);
    /// # Ok::<(), billing_formats::csv::InvalidPattern>(())
    /// ```
    #[must_use]
    pub fn read(&self, text: &str) -> Option<LocalTime> {
        let mut fields = Fields::default();
        let mut rest = text;
        for part in &self.parts {
            rest = part.read(rest, &mut fields)?;
        }
        rest.is_empty().then(|| fields.local_time())?
    }
}

impl Fields {
    fn local_time(&self) -> Option<LocalTime> {
        let day = Day::try_new(
            self.year.try_into().ok()?,
            self.month.try_into().ok()?,
            self.day.try_into().ok()?,
        );
        let hour = match self.is_afternoon {
            None => Some(self.hour).filter(|hour| *hour < 24),
            Some(is_afternoon) => {
                let hour = Some(self.hour).filter(|hour| (1..=12).contains(hour))?;
                let of_half = if hour == 12 { 0 } else { hour };
                of_half.checked_add(if is_afternoon { 12 } else { 0 })
            }
        }?;
        let is_clock = self.minute < 60 && self.second < 60;
        let minutes = hour.checked_mul(60)?.checked_add(self.minute)?;
        let second_of_day = minutes.checked_mul(60)?.checked_add(self.second)?;
        is_clock.then_some(LocalTime { day: day.ok()?, second_of_day, micros: self.micros })
    }
}

impl Part {
    /// Reads this part from the beginning of a text, and answers what follows it.
    fn read<'text>(self, text: &'text str, fields: &mut Fields) -> Option<&'text str> {
        let (field, (number, rest)) = match self {
            Self::Literal(literal) => return text.strip_prefix(literal),
            Self::MonthName => return month_name(text, fields),
            Self::Half => return half(text, fields),
            Self::Fraction => return fraction(text, fields),
            Self::Year => (&mut fields.year, number(text, 4, 4)?),
            Self::YearOfCentury => {
                let (year, rest) = number(text, 2, 2)?;
                (&mut fields.year, (year.checked_add(2_000)?, rest))
            }
            Self::Month(digits) => (&mut fields.month, digits.read(text)?),
            Self::Day(digits) => (&mut fields.day, digits.read(text)?),
            Self::Hour(digits) | Self::HalfHour(digits) => (&mut fields.hour, digits.read(text)?),
            Self::Minute => (&mut fields.minute, number(text, 2, 2)?),
            Self::Second => (&mut fields.second, number(text, 2, 2)?),
        };
        *field = number;
        Some(rest)
    }

    /// Which part of a time it is, if it is one.
    const fn name(self) -> Option<&'static str> {
        match self {
            Self::Literal(_) => None,
            Self::Year | Self::YearOfCentury => Some("year"),
            Self::Month(_) | Self::MonthName => Some("month"),
            Self::Day(_) => Some("day"),
            Self::Hour(_) | Self::HalfHour(_) => Some("hour"),
            Self::Half => Some("half of the day"),
            Self::Minute => Some("minute"),
            Self::Second => Some("second"),
            Self::Fraction => Some("fraction of the second"),
        }
    }
}

impl Digits {
    fn read(self, text: &str) -> Option<(u32, &str)> {
        match self {
            Self::Two => number(text, 2, 2),
            Self::OneOrTwo => number(text, 1, 2),
        }
    }
}

fn parts_of(text: &str) -> Result<Vec<Part>, InvalidPattern> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let at = text.len().saturating_sub(rest.len());
        let (part, after) = if next == '%' {
            sign(rest).ok_or(InvalidPattern::Sign { at })?
        } else {
            (Part::Literal(next), rest.get(next.len_utf8()..).unwrap_or_default())
        };
        parts.push(part);
        rest = after;
    }
    Ok(parts)
}

/// The sign that a text begins with, and what follows it.
fn sign(text: &str) -> Option<(Part, &str)> {
    let signs = [
        ("%Y", Part::Year),
        ("%y", Part::YearOfCentury),
        ("%m", Part::Month(Digits::Two)),
        ("%-m", Part::Month(Digits::OneOrTwo)),
        ("%b", Part::MonthName),
        ("%d", Part::Day(Digits::Two)),
        ("%-d", Part::Day(Digits::OneOrTwo)),
        ("%H", Part::Hour(Digits::Two)),
        ("%-H", Part::Hour(Digits::OneOrTwo)),
        ("%I", Part::HalfHour(Digits::Two)),
        ("%-I", Part::HalfHour(Digits::OneOrTwo)),
        ("%p", Part::Half),
        ("%M", Part::Minute),
        ("%S", Part::Second),
        ("%.f", Part::Fraction),
    ];
    signs.into_iter().find_map(|(sign, part)| Some((part, text.strip_prefix(sign)?)))
}

fn check(parts: &[Part]) -> Result<(), InvalidPattern> {
    let count = |name: &str| parts.iter().filter(|part| part.name() == Some(name)).count();
    if let Some(part) = parts.iter().filter_map(|part| part.name()).find(|name| count(name) > 1) {
        return Err(InvalidPattern::Twice { part });
    }
    let mut needed = vec!["year", "month", "day", "hour", "minute"];
    if parts.iter().any(|part| matches!(part, Part::HalfHour(_))) {
        needed.push("half of the day");
    } else if count("half of the day") > 0 {
        return Err(InvalidPattern::Missing { part: "hour of the half day" });
    }
    if count("fraction of the second") > 0 {
        needed.push("second");
    }
    match needed.into_iter().find(|name| count(name) == 0) {
        Some(part) => Err(InvalidPattern::Missing { part }),
        None => Ok(()),
    }
}

/// The number that a text begins with, and what follows it.
fn number(text: &str, digits_min: usize, digits_max: usize) -> Option<(u32, &str)> {
    let digits = text.bytes().take(digits_max).take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at_checked(digits)?;
    (digits >= digits_min).then_some((number.parse().ok()?, rest))
}

fn month_name<'text>(text: &'text str, fields: &mut Fields) -> Option<&'text str> {
    let (name, rest) = text.split_at_checked(3)?;
    let (month, _) = (1..).zip(MONTHS).find(|(_, month)| month.eq_ignore_ascii_case(name))?;
    fields.month = month;
    Some(rest)
}

fn half<'text>(text: &'text str, fields: &mut Fields) -> Option<&'text str> {
    let (name, rest) = text.split_at_checked(2)?;
    let (is_afternoon, _) = [(false, "AM"), (true, "PM")]
        .into_iter()
        .find(|(_, half)| half.eq_ignore_ascii_case(name))?;
    fields.is_afternoon = Some(is_afternoon);
    Some(rest)
}

fn fraction<'text>(text: &'text str, fields: &mut Fields) -> Option<&'text str> {
    let Some(digits) = text.strip_prefix(['.', ',']) else { return Some(text) };
    let length = digits.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = digits.split_at_checked(length)?;
    if !(1..=FRACTION_DIGITS_MAX).contains(&length) {
        return None;
    }
    let micros: String = digits.chars().chain("000000".chars()).take(MICRO_DIGITS).collect();
    fields.micros = micros.parse().ok()?;
    Some(rest)
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({})", self.text)
    }
}

impl FromStr for Pattern {
    type Err = InvalidPattern;

    fn from_str(s: &str) -> Result<Self, InvalidPattern> {
        Self::try_new(s)
    }
}

impl TryFrom<String> for Pattern {
    type Error = InvalidPattern;

    fn try_from(text: String) -> Result<Self, InvalidPattern> {
        Self::try_new(text)
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.text
    }
}
