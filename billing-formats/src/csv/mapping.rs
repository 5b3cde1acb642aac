//! What the columns of a file mean, as data.

use core::num::NonZeroU16;

use serde::{Deserialize, Serialize};

use billing_core::{id::SourceId, time::Zone};

use crate::{
    csv::{Calls, Delimiter, InvalidMapping, Pulses, TimeFormat, invalid},
    dial_plan::DialPlan,
};

/// What the columns of a file mean, as data.
///
/// # Examples
///
/// ```
/// use billing_formats::csv::{Header, Mapping};
///
/// let mapping: Mapping = serde_json::from_str(
///     r#"{"source": "pbx-1", "zone": "Europe/Berlin", "delimiter": ";", "decimal": "comma",
///         "times": {"local": "%d.%m.%Y %H:%M:%S"},
///         "records": {"calls": {
///             "id": "Call-ID", "account": "Kostenstelle", "start": {"date": "Datum", "time": "Zeit"},
///             "duration": {"clock": "Dauer"}, "caller": "Von", "callee": "An",
///             "direction": {"listed": {"column": "Richtung", "values": {"ein": "inbound", "aus": "outbound"}}}
///         }}}"#,
/// )?;
/// assert_eq!(mapping.header, Header::Present);
/// assert_eq!(mapping.check(), Ok(()));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Which switch or service wrote the file; part of the key of every record.
    pub source: SourceId,
    /// The zone of local times, and of the days for which the account map is asked.
    pub zone: Zone,
    /// How times are written.
    #[serde(default)]
    pub times: TimeFormat,
    /// Which one is meant of a local time that clocks showed twice.
    #[serde(default)]
    pub repeated: Repeated,
    /// What stands between columns.
    #[serde(default)]
    pub delimiter: Delimiter,
    /// Whether columns may be in quotation marks.
    #[serde(default)]
    pub quotes: Quotes,
    /// How many physical lines stand before the header or the first record, whatever they hold.
    #[serde(default)]
    pub preamble_lines: u32,
    /// Whether the first record names the columns.
    #[serde(default)]
    pub header: Header,
    /// What stands before the decimals of a number.
    #[serde(default)]
    pub decimal: DecimalMark,
    /// How the numbers of callers and callees are to be understood; they are left as they are without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dial_plan: Option<DialPlan>,
    /// What a record is, and where its parts stand.
    pub records: Records,
}

/// What a record is, and where its parts stand.
///
/// # Examples
///
/// ```
/// use billing_formats::csv::Records;
///
/// let records: Records =
///     serde_json::from_str(r#"{"calls": {"id": 1, "start": 2, "duration": {"seconds": 3}}}"#)?;
/// assert!(matches!(records, Records::Calls(calls) if calls.leg.is_none()));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Records {
    /// Each is a call.
    Calls(Calls),
    /// Each is a report of usage.
    Pulses(Pulses),
}

/// Whether the first record names the columns.
///
/// # Examples
///
/// ```
/// use billing_formats::csv::Header;
///
/// assert_eq!(serde_json::from_str::<Header>(r#""present""#)?, Header::Present);
/// let columns = 7.try_into().ok();
/// assert_eq!(serde_json::from_str::<Header>(r#"{"absent": {"columns": 7}}"#)?, Header::Absent { columns });
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Header {
    /// It does; every record has as many columns.
    #[default]
    Present,
    /// It is a record like the others; columns are told by their places.
    Absent {
        /// How many columns every record has; as many as the mapping reads, or more, if left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        columns: Option<NonZeroU16>,
    },
}

/// Which one is meant of a local time that clocks showed twice, because they were set back.
///
/// # Examples
///
/// ```
/// use billing_formats::csv::Repeated;
///
/// assert_eq!(serde_json::from_str::<Repeated>(r#""later""#)?, Repeated::Later);
/// assert_eq!(Repeated::default(), Repeated::Refuse);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Repeated {
    /// The first time they showed it.
    Earlier,
    /// The last time they showed it.
    Later,
    /// Nobody knows: the record is refused.
    #[default]
    Refuse,
}

/// Whether columns may be in quotation marks.
///
/// # Examples
///
/// ```
/// use billing_formats::csv::Quotes;
///
/// assert_eq!(serde_json::from_str::<Quotes>(r#""none""#)?, Quotes::None);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quotes {
    /// In double ones, which are doubled inside a column, as in RFC 4180.
    #[default]
    Double,
    /// A quotation mark is a character like any other.
    None,
}

/// What stands before the decimals of a number.
///
/// # Examples
///
/// ```
/// use billing_formats::csv::DecimalMark;
///
/// assert_eq!(serde_json::from_str::<DecimalMark>(r#""comma""#)?, DecimalMark::Comma);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecimalMark {
    /// As in `1.5`.
    #[default]
    Point,
    /// As in `1,5`.
    Comma,
}

impl DecimalMark {
    pub(super) const fn char(self) -> char {
        match self {
            Self::Point => '.',
            Self::Comma => ',',
        }
    }
}

impl Mapping {
    /// A mapping of a file with commas between its columns, a header, and times as RFC 3339.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::{id::SourceId, time::Zone};
    /// use billing_formats::csv::{Calls, Duration, Mapping, Records, RecordId};
    ///
    /// let id = RecordId::Column("id".into());
    /// let calls = Calls::new(id, "start".into(), Duration::Seconds("seconds".into()));
    /// let zone = Zone::try_new("UTC")?;
    /// let mapping = Mapping::new(SourceId::try_new("pbx-1")?, zone, Records::Calls(calls));
    /// assert_eq!(mapping.check(), Ok(()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn new(source: SourceId, zone: Zone, records: Records) -> Self {
        Self {
            source,
            zone,
            times: TimeFormat::default(),
            repeated: Repeated::default(),
            delimiter: Delimiter::default(),
            quotes: Quotes::default(),
            preamble_lines: 0,
            header: Header::default(),
            decimal: DecimalMark::default(),
            dial_plan: None,
            records,
        }
    }

    /// Refuses a mapping whose parts contradict each other; a reader asks this first.
    ///
    /// # Errors
    ///
    /// [`InvalidMapping`], which names the field.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_formats::csv::{InvalidMapping, Mapping};
    ///
    /// let mapping: Mapping = serde_json::from_str(
    ///     r#"{"source": "pbx-1", "zone": "UTC", "header": {"absent": {}},
    ///         "records": {"calls": {"id": 1, "start": 2, "duration": {"seconds": "talk"}}}}"#,
    /// )?;
    /// assert_eq!(mapping.check(), Err(InvalidMapping::NameWithoutHeader { name: "talk".into() }));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn check(&self) -> Result<(), InvalidMapping> {
        invalid::check(self)
    }
}
