//! An item on its arrival: what a strategy may know of it, and what it makes of it.

use alloc::boxed::Box;

use crate::{
    id::{Group, Unit},
    item::Item,
    money::Currency,
    tariff::{Provenance, Tariffs},
    time::Day,
    usage::Totals,
};

/// An item that has arrived, and what a strategy may know of it.
///
/// # Examples
///
/// ```
/// use billing_core::{item::Item, plan::Arrival};
///
/// # let call = serde_json::from_str(
/// #     r#"{"start":"2026-10-05T08:00:00Z","duration_ms":61000,"caller":"","callee":"",
/// #         "disposition":"answered","direction":"outbound"}"#,
/// # )?;
/// let item = Item::Call(call);
/// let arrival = Arrival::new(&item, "2026-10-05".parse()?, "EUR".parse()?);
/// assert_eq!(arrival.item(), &item);
/// assert_eq!((arrival.day().to_string(), arrival.currency().code()), ("2026-10-05".into(), "EUR"));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    item: &'a Item,
    day: Day,
    currency: Currency,
    tariffs: &'a Tariffs,
}

/// What is in force where nobody says.
static NO_TARIFFS: Tariffs = Tariffs::new();

impl<'a> Arrival<'a> {
    /// Facts for [`Strategy::on_arrival`](crate::plan::Strategy::on_arrival), without tariffs.
    #[must_use]
    pub const fn new(item: &'a Item, day: Day, currency: Currency) -> Self {
        Self { item, day, currency, tariffs: &NO_TARIFFS }
    }

    /// The same with the tariffs that may be asked.
    #[must_use]
    pub const fn with_tariffs(self, tariffs: &'a Tariffs) -> Self {
        Self { tariffs, ..self }
    }

    /// The item.
    #[must_use]
    pub const fn item(&self) -> &'a Item {
        self.item
    }

    /// The billing day in the account's zone.
    #[must_use]
    pub const fn day(&self) -> Day {
        self.day
    }

    /// The account's currency.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// The tariffs and when each of their versions is in force.
    #[must_use]
    pub const fn tariffs(&self) -> &'a Tariffs {
        self.tariffs
    }
}

/// What a strategy makes of an item.
///
/// # Examples
///
/// ```
/// use billing_core::{money::Quantity, plan::Priced, usage::Totals};
///
/// let totals = Totals { count: 1, quantity: Quantity::from_u64(61_000)?, amount: None };
/// let priced = Priced::new("ms".parse()?, totals);
/// assert_eq!(priced.totals, totals);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Priced {
    /// What the quantity counts.
    pub unit: Unit,
    /// Count (1, or 0 for an item that is recorded and not charged), quantity, and the amount if it is decided.
    pub totals: Totals,
    /// The group, where the price decides it.
    pub group: Option<Group>,
    /// What priced it, if a tariff did.
    pub provenance: Option<Box<Provenance>>,
}

impl Priced {
    /// A quantity in a unit, with its count and perhaps its amount.
    #[must_use]
    pub const fn new(unit: Unit, totals: Totals) -> Self {
        Self { unit, totals, group: None, provenance: None }
    }

    /// The same as a tariff priced it: in the group of the destination, with where the price comes from.
    ///
    /// # Examples
    ///
    /// See [`ByTariff`](crate::plan::ByTariff), which answers so.
    #[must_use]
    pub fn by_tariff(self, group: Group, provenance: Provenance) -> Self {
        Self { group: Some(group), provenance: Some(Box::new(provenance)), ..self }
    }
}
