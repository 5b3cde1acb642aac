//! How a deck is written, as data.

use core::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use billing_core::{
    money::{Currency, Quantity},
    time::Zone,
};

use crate::{
    csv::{Delimiter, Quotes},
    deck::{Columns, Encoding, InvalidMapping, Mode, invalid},
};

/// How a deck is written, as data: what its columns mean, and how its codes, prices and dates read.
///
/// # Examples
///
/// ```
/// use billing_formats::deck::{Header, Mapping, Per};
///
/// let mapping: Mapping = serde_json::from_str(
///     r#"{"currency": "EUR", "zone": "Europe/Berlin", "mode": "full", "decimal": "comma", "rows": "with_code",
///         "columns": {"code": "Vorwahl", "destination": "Ziel", "price": "Preis", "increments": "Takt",
///                     "valid_from": "Gültig ab"}}"#,
/// )?;
/// assert_eq!((mapping.header, mapping.per), (Header::Found, Per::Minute));
/// assert_eq!(mapping.check(), Ok(()));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// The currency of every price.
    pub currency: Currency,
    /// The zone in which dates begin.
    pub zone: Zone,
    /// Whether the deck is the whole price list.
    pub mode: Mode,
    /// In which bytes characters are written, where no byte order mark says it.
    #[serde(default)]
    pub encoding: Encoding,
    /// What stands between columns; if left out it is found, see [`Header`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<Delimiter>,
    /// Whether columns may be in quotation marks.
    #[serde(default)]
    pub quotes: Quotes,
    /// Where the names of columns stand.
    #[serde(default)]
    pub header: Header,
    /// Which rows after the header are to be read.
    #[serde(default)]
    pub rows: DataRows,
    /// What stands before the decimals of a price.
    #[serde(default)]
    pub decimal: DecimalMark,
    /// What may stand between the thousands of a price; nothing if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thousands: Option<ThousandsMark>,
    /// For how much usage a price is.
    #[serde(default)]
    pub per: Per,
    /// The longest increment that a column may have, in seconds or units; 3600 if left out. A spreadsheet makes `46023` of `1/1`.
    #[serde(default = "hour", skip_serializing_if = "is_hour")]
    pub increment_max: Quantity,
    /// What stands for a price where calls are not to be made, such as `N/A`, `blocked` or `-1`; without regard to case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocked_prices: Vec<String>,
    /// How dates are written.
    #[serde(default)]
    pub dates: DateOrder,
    /// Whether the day of an end date is the last one or the one after it.
    #[serde(default)]
    pub end_date: EndDate,
    /// What a code may begin with that is none of its digits.
    #[serde(default = "international_prefixes", skip_serializing_if = "is_usual")]
    pub international_prefixes: Vec<String>,
    /// What a hyphen in a code means; if left out, what the [lengths](crate::deck#codes) of its sides tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hyphen: Option<Hyphen>,
    /// What a comma in a code means; if left out, it separates codes where it can be nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comma: Option<Comma>,
    /// Where the parts of a row stand.
    pub columns: Columns,
}

/// Where the names of columns stand; what stands before them is passed over.
///
/// Where the delimiter is not given, each of comma, semicolon, tab and bar is tried, and the one counts under which the header has
/// all the names of the mapping. Without names the one counts that gives the first row the most columns.
///
/// # Examples
///
/// ```
/// use billing_formats::deck::Header;
///
/// assert_eq!(serde_json::from_str::<Header>(r#""absent""#)?, Header::Absent);
/// assert_eq!(serde_json::from_str::<Header>(r#"{"row": 3}"#)?, Header::Row(3.try_into()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Header {
    /// In the first row that has all the names of the mapping: one of the first 50, within 262,144 bytes.
    #[default]
    Found,
    /// In this row, counted from 1 without blank lines; up to 50.
    Row(NonZeroU32),
    /// Nowhere: columns are told by their places.
    Absent,
}

/// Which rows after the header are to be read; rows of empty columns are never.
///
/// # Examples
///
/// ```
/// use billing_formats::deck::DataRows;
///
/// assert_eq!(serde_json::from_str::<DataRows>(r#""with_code""#)?, DataRows::WithCode);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataRows {
    /// Each.
    #[default]
    All,
    /// Those whose code begins with a digit, also behind a sign, or is `*`; the others are passed over, and counted. One that has a
    /// price nevertheless, or is blocked or withdrawn, is refused for its code.
    WithCode,
}

/// What stands before the decimals of a price.
///
/// # Examples
///
/// ```
/// use billing_formats::deck::DecimalMark;
///
/// assert_eq!(serde_json::from_str::<DecimalMark>(r#""comma""#)?, DecimalMark::Comma);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecimalMark {
    /// A point.
    #[default]
    Point,
    /// A comma.
    Comma,
    /// Whichever a price has. Of both, the last; one that comes again stands between thousands. A price with one mark that could
    /// be either, such as `1.250`, is refused.
    Auto,
}

/// What may stand between the thousands of a price.
///
/// # Examples
///
/// ```
/// use billing_formats::deck::ThousandsMark;
///
/// assert_eq!(serde_json::from_str::<ThousandsMark>(r#""apostrophe""#)?, ThousandsMark::Apostrophe);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThousandsMark {
    /// A point.
    Point,
    /// A comma.
    Comma,
    /// A space, also one that does not break.
    Space,
    /// An apostrophe, straight or not.
    Apostrophe,
}

/// For how much usage a price is.
///
/// # Examples
///
/// ```
/// use billing_formats::deck::Per;
///
/// assert_eq!(serde_json::from_str::<Per>(r#""increment""#)?, Per::Increment);
/// assert_eq!(serde_json::from_str::<Per>(r#"{"quantity": "3600"}"#)?, Per::Quantity("3600".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// 60 seconds.
    #[default]
    Minute,
    /// A second.
    Second,
    /// The next increment of the row: a price for each block.
    Increment,
    /// So many seconds or units.
    Quantity(Quantity),
}

/// How dates are written: with digits, `/`, `.`, `-` or spaces between, years of four digits, or of two from 2000 on.
///
/// Names of months have three letters. A time of day may follow, as `08:00` or `08:00:00`. A year of two digits is refused where it may
/// stand first: behind hyphens between digits alone, as in `26-04-01`, and in dates such as `26.04.01`.
///
/// # Examples
///
/// ```
/// use billing_formats::deck::DateOrder;
///
/// assert_eq!(serde_json::from_str::<DateOrder>(r#""day_first""#)?, DateOrder::DayFirst);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateOrder {
    /// As `2026-03-01`, or an instant as `2026-03-01T00:00:00Z`.
    #[default]
    Iso,
    /// As `01/03/2026`, `1.3.26` or `01-Mar-26`.
    DayFirst,
    /// As `03/01/2026`, `Mar 1, 2026` or `01-Mar-26`.
    MonthFirst,
}

/// Whether the day of an end date is the last one or the one after it; an end with a time of day other than midnight is that instant.
///
/// # Examples
///
/// ```
/// use billing_formats::deck::EndDate;
///
/// assert_eq!(serde_json::from_str::<EndDate>(r#""day_after""#)?, EndDate::DayAfter);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndDate {
    /// The price holds on that day.
    #[default]
    LastDay,
    /// It does not.
    DayAfter,
}

/// What a hyphen in a code means.
///
/// # Examples
///
/// ```
/// use billing_formats::deck::Hyphen;
///
/// assert_eq!(serde_json::from_str::<Hyphen>(r#""range""#)?, Hyphen::Range);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hyphen {
    /// All codes from one to the other.
    Range,
    /// Nothing: digits before and after are one code.
    Nothing,
}

/// What a comma in a code means.
///
/// # Examples
///
/// ```
/// use billing_formats::deck::Comma;
///
/// assert_eq!(serde_json::from_str::<Comma>(r#""list""#)?, Comma::List);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comma {
    /// It separates codes.
    List,
    /// Nothing: a spreadsheet put it between thousands.
    Nothing,
}

fn international_prefixes() -> Vec<String> {
    vec!["00".to_owned()]
}

fn is_usual(prefixes: &[String]) -> bool {
    prefixes == ["00"]
}

fn hour() -> Quantity {
    Quantity::from(3_600)
}

fn is_hour(quantity: &Quantity) -> bool {
    *quantity == hour()
}

impl Mapping {
    /// Refuses a mapping whose parts contradict each other; reading a deck asks this first.
    ///
    /// # Errors
    ///
    /// [`InvalidMapping`], which names the field.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_formats::deck::{InvalidMapping, Mapping};
    ///
    /// let mapping: Mapping = serde_json::from_str(
    ///     r#"{"currency": "EUR", "zone": "UTC", "mode": "full", "decimal": "comma", "thousands": "comma",
    ///         "columns": {"code": 1, "destination": 2, "price": "rate", "increments": {"constant": "60/60"}}}"#,
    /// )?;
    /// assert_eq!(mapping.check(), Err(InvalidMapping::SameMarks));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn check(&self) -> Result<(), InvalidMapping> {
        invalid::check(self)
    }
}
