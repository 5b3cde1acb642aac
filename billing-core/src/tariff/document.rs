//! Tariff documents: what is saved, versioned and compiled.

use alloc::{borrow::ToOwned as _, collections::BTreeMap, vec::Vec};

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use crate::{
    id::{Group, TariffId},
    money::{Currency, MoneyError, Price, Quantity, Rounding},
    number::Prefix,
    tariff::TariffProblem,
    time::{Day, Instant, Zone},
};

/// A tariff as a document. A version is never changed once saved.
///
/// Quantities are in seconds where the measure is time, otherwise in units.
///
/// # Examples
///
/// ```
/// use billing_core::tariff::TariffSpec;
///
/// let tariff: TariffSpec = serde_json::from_str(
///     r#"{"id":"retail","version":1,"currency":"EUR","zone":"Europe/Berlin","decimals":4,"rounding":"half_up",
///         "windows":{"evening":{"from":"18:00","until":"24:00"}},
///         "lines":[{"destination":"Germany","to":{"prefixes":["49"]},
///                   "bands":[{"price":"0.02","per":"60","increment":"1"}]},
///                  {"destination":"Germany","to":{"prefixes":["49"]},"window":"evening","weight":10,
///                   "bands":[{"price":"0.01","per":"60","increment":"1"}]}]}"#,
/// )?;
/// assert_eq!(tariff.lines.len(), 2);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TariffSpec {
    /// The tariff's name.
    pub id: TariffId,
    /// 1, 2, 3 ...
    pub version: u32,
    /// The currency of every price.
    pub currency: Currency,
    /// The zone in which windows and holidays are local.
    pub zone: Zone,
    /// What is measured.
    #[serde(default)]
    pub measure: Measure,
    /// What happens where a call crosses into another window, validity or version.
    #[serde(default)]
    pub crossing: Crossing,
    /// How first and next increments count.
    #[serde(default)]
    pub increments: IncrementRule,
    /// The decimals a call's price is rounded to: 0 to 10.
    pub decimals: u8,
    /// How a call's price is rounded, once.
    pub rounding: Rounding,
    /// Days by the name of a calendar.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub calendars: BTreeMap<CompactString, Vec<Day>>,
    /// Times by the name of a window.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub windows: BTreeMap<CompactString, WindowSpec>,
    /// Prefixes by the name of a group.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<CompactString, Vec<Prefix>>,
    /// The prices.
    pub lines: Vec<LineSpec>,
    /// Tariffs that are asked, in this order, for what no line prices.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fallback: Vec<TariffId>,
}

/// What a tariff measures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Time, in seconds to the millisecond; split where prices change while it runs.
    #[default]
    Time,
    /// Units, to the millionth: messages, megabytes, events; all priced as at their instant.
    Units,
}

impl Measure {
    /// The quantity of milliseconds of time, or of millionths of a unit: in seconds, or in units.
    ///
    /// # Errors
    ///
    /// None today: 64 bits of either are a quantity.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::tariff::Measure;
    ///
    /// assert_eq!(Measure::Time.quantity(61_500)?.to_string(), "61.5");
    /// assert_eq!(Measure::Units.quantity(250_000)?.to_string(), "0.25");
    /// # Ok::<(), billing_core::money::MoneyError>(())
    /// ```
    pub fn quantity(self, ticks: u64) -> Result<Quantity, MoneyError> {
        let decimals = match self {
            Self::Time => 3,
            Self::Units => 6,
        };
        Quantity::from_units(i128::from(ticks), decimals)
    }
}

/// What happens where a call crosses into another window, validity or version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Crossing {
    /// It is split there, and each part has the price of its time.
    #[default]
    Split,
    /// The whole of it has the price of its start.
    AtStart,
}

/// How usage is counted in first and next increments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncrementRule {
    /// The first increment, and the rest in whole next ones: 90/60 bills 100 s as 90 + 60 = 150 s.
    #[default]
    Remainder,
    /// Whole next increments, at least the first: 90/60 bills 100 s as 120 s.
    Total,
}

/// One price of a tariff.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineSpec {
    /// What the destination is called; calls are grouped by it.
    pub destination: Group,
    /// Which numbers.
    pub to: To,
    /// Only calls from numbers with this prefix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Prefix>,
    /// Only in this window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<CompactString>,
    /// Among lines of one prefix the higher weight wins.
    #[serde(default, skip_serializing_if = "is_default")]
    pub weight: u32,
    /// Only from this instant on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Instant>,
    /// Only before this instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Instant>,
    /// What a call costs for being connected.
    #[serde(default = "no_price", skip_serializing_if = "is_free")]
    pub connect_fee: Price,
    /// What a call costs at least.
    #[serde(default = "no_price", skip_serializing_if = "is_free")]
    pub minimum: Price,
    /// What a call costs at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<Price>,
    /// What happens to a call that has reached the maximum.
    #[serde(default)]
    pub at_maximum: AtMaximum,
    /// Usage up to which a call costs nothing at all.
    #[serde(default = "no_quantity", skip_serializing_if = "is_none")]
    pub grace: Quantity,
    /// The first increment, if it is another than the first band's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Quantity>,
    /// Prices by how much of the call has been billed before; at least one unless blocked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bands: Vec<BandSpec>,
    /// Whether calls there have no price because they are not to be made.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub blocked: bool,
}

/// Which numbers a line prices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum To {
    /// Those with one of these prefixes.
    Prefixes(Vec<Prefix>),
    /// Those with a prefix of this group.
    Group(CompactString),
    /// All that no prefix prices.
    Any,
}

/// What happens to a call that has reached the maximum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AtMaximum {
    /// It goes on and costs no more.
    #[default]
    Free,
    /// It is not let to go on; what it has used is priced as it is.
    Disconnect,
}

/// One band of a price: from how much billed usage on, what, for how much, in which steps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BandSpec {
    /// The billed usage at which it begins; 0 for the first.
    #[serde(default = "no_quantity", skip_serializing_if = "is_none")]
    pub from: Quantity,
    /// The price.
    pub price: Price,
    /// For how much usage: `60` for a price a minute.
    pub per: Quantity,
    /// The step in which usage is counted.
    pub increment: Quantity,
}

/// Times of the week and the year, local in the tariff's zone. A condition that is left out holds always.
///
/// A window whose end is not after its beginning runs over midnight; it belongs to the day it began on. Its beginning and end are
/// the first instants at which the local clock has come so far, so that a change of clocks neither leaves a part of it out nor
/// counts one twice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowSpec {
    /// Days of the week.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weekdays: Vec<Weekday>,
    /// Months, 1 to 12.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub months: Vec<u8>,
    /// Days of the month, 1 to 31.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub month_days: Vec<u8>,
    /// The first day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_day: Option<Day>,
    /// The day after the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_day: Option<Day>,
    /// What holidays do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holidays: Option<HolidayRule>,
    /// When it begins, as `08:00` or `08:00:30`; at midnight if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<CompactString>,
    /// When it ends, up to `24:00`; at the next midnight if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<CompactString>,
}

/// What the days of a calendar do to a window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HolidayRule {
    /// It is only on these days.
    Only(CompactString),
    /// It is not on these days.
    Except(CompactString),
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

const fn no_price() -> Price {
    Price::ZERO
}

fn is_free(price: &Price) -> bool {
    price.is_zero()
}

const fn no_quantity() -> Quantity {
    Quantity::ZERO
}

fn is_none(quantity: &Quantity) -> bool {
    quantity.is_zero()
}

impl TariffSpec {
    /// A line by its number, counted from 1 as prices and errors name it.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::tariff::TariffSpec;
    ///
    /// let json = r#"{"id":"retail","version":1,"currency":"EUR","zone":"UTC","decimals":4,
    ///     "rounding":"half_up","lines":[{"destination":"Germany","to":{"prefixes":["49"]},"blocked":true}]}"#;
    /// let tariff: TariffSpec = serde_json::from_str(json)?;
    /// assert_eq!(tariff.line(1).map(|line| line.destination.as_str()), Some("Germany"));
    /// assert_eq!(tariff.line(2), None);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn line(&self, number: u32) -> Option<&LineSpec> {
        self.lines.get(usize::try_from(number).ok()?.checked_sub(1)?)
    }
}

impl TariffSpec {
    /// The prefixes of one of its lines; `None` for all numbers.
    pub(super) fn prefixes_of<'a>(
        &'a self,
        line: &'a LineSpec,
    ) -> Result<Option<&'a [Prefix]>, TariffProblem> {
        match &line.to {
            To::Any => Ok(None),
            To::Prefixes(prefixes) if prefixes.is_empty() => {
                Err(TariffProblem::NoPrefixes { what: "the line".to_owned() })
            }
            To::Prefixes(prefixes) => Ok(Some(prefixes)),
            To::Group(name) => match self.groups.get(name) {
                Some(prefixes) => Ok(Some(prefixes)),
                None => Err(TariffProblem::Unknown { what: "group", name: name.clone() }),
            },
        }
    }
}
