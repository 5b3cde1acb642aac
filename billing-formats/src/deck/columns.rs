//! Where the parts of a row stand.

use serde::{Deserialize, Serialize};

use billing_core::{
    id::Group,
    money::{Price, Quantity},
    number::Prefix,
    time::Instant,
};

use crate::{
    csv::{Column, Listed},
    deck::{Change, Increments, Setting},
};

/// Where the parts of a row stand; columns that are not named may hold anything.
///
/// # Examples
///
/// ```
/// use billing_formats::deck::Columns;
///
/// let columns: Columns = serde_json::from_str(
///     r#"{"country": "Country Code", "code": "Area Codes", "destination": "Destination", "price": "Rate",
///         "increments": {"column": "Min/Inc", "empty": "60/60"}, "connect_fee": {"constant": "0.01"},
///         "blocked": {"column": "Status", "values": {"open": false, "blocked": true}}}"#,
/// )?;
/// assert_eq!(columns.country, Some("Country Code".into()));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Columns {
    /// The codes, or with `country` what follows it.
    pub code: Column,
    /// What stands before the codes; a code without it is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<Column>,
    /// What the destination is called.
    pub destination: Setting<Group>,
    /// The price.
    pub price: Column,
    /// The increments, as `30/6`; with `first_increment` the next one alone.
    pub increments: Setting<Increments>,
    /// The first increment, where it has a column of its own; 0 for one as the next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_increment: Option<Setting<Quantity>>,
    /// What a call costs for being connected; nothing if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_fee: Option<Setting<Price>>,
    /// What a call costs at least; nothing if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<Setting<Price>>,
    /// Seconds or units up to which a call costs nothing at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace: Option<Setting<Quantity>>,
    /// From when on the price holds; always if left out or empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Setting<Instant>>,
    /// When it ends; never if left out, empty or 31 December 9999.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Setting<Instant>>,
    /// What the row does to the price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Listed<Change>>,
    /// Whether calls are not to be made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked: Option<Listed<bool>>,
    /// The name of the tariff's window in which the price holds; always if left out or empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Setting<String>>,
    /// The weight of the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<Setting<u32>>,
    /// What the calling number must begin with; anything if left out or empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Setting<Prefix>>,
    /// The code of the currency, which must be that of the mapping.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Column>,
}

impl Columns {
    /// Every column that is read.
    pub(super) fn all(&self) -> Vec<&Column> {
        let Self { code, country, destination, price, increments, .. } = self;
        let mut columns = vec![code, price];
        columns.extend(country);
        columns.extend(&self.currency);
        columns.extend(self.change.as_ref().map(|listed| &listed.column));
        columns.extend(self.blocked.as_ref().map(|listed| &listed.column));
        columns.extend(destination.column());
        columns.extend(increments.column());
        columns.extend(self.first_increment.as_ref().and_then(Setting::column));
        columns.extend(self.connect_fee.as_ref().and_then(Setting::column));
        columns.extend(self.minimum.as_ref().and_then(Setting::column));
        columns.extend(self.grace.as_ref().and_then(Setting::column));
        columns.extend(self.valid_from.as_ref().and_then(Setting::column));
        columns.extend(self.valid_until.as_ref().and_then(Setting::column));
        columns.extend(self.window.as_ref().and_then(Setting::column));
        columns.extend(self.weight.as_ref().and_then(Setting::column));
        columns.extend(self.origin.as_ref().and_then(Setting::column));
        columns
    }
}
