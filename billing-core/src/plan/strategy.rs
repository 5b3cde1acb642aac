//! The strategy: one replaceable piece of a plan, and what it is handed.

use alloc::{collections::BTreeMap, string::String, vec::Vec};
use core::fmt::Debug;

use crate::{
    account::Stretch,
    id::{Group, StrategyId, Unit},
    item::Item,
    money::{Currency, Exact, MoneyError, Quantity},
    time::Day,
    usage::{Carry, Scope, Totals},
};

/// One replaceable piece of a plan.
///
/// A strategy is built from its terms and keeps no state: facts are handed in, what it decides is handed back, and the same
/// facts always give the same answer.
pub trait Strategy: Debug + Send + Sync {
    /// Unique in the plan, kept across its versions.
    fn id(&self) -> &StrategyId;

    /// The group this item counts in, or `None` if it is not this strategy's.
    ///
    /// Looks at the item alone. The number of groups must be bounded: each makes a total a day and a line an invoice, and a day
    /// has at most [`Limits::day_groups_max`](crate::decide::Limits). A group is printed and logged: never a dialled number.
    fn group(&self, item: &Item) -> Option<Group>;

    /// The quantity, and the amount if nothing but the item decides it, rounded once.
    ///
    /// All items of a group must be given the same unit, and either all of them an amount or none.
    ///
    /// # Errors
    ///
    /// [`Problem`] parks the item with its text as the reason.
    fn on_arrival(&self, arrival: &Arrival<'_>) -> Result<Priced, Problem>;

    /// How far its counting reaches.
    fn scope(&self) -> Scope {
        Scope::Stretch
    }

    /// Charges for the unbilled usage of one stretch.
    ///
    /// Every group of `facts` must be charged exactly once, even if with zero; further groups may be charged without usage.
    /// A charge is a difference: what the scope costs with the unbilled usage, less what it costs without.
    ///
    /// # Errors
    ///
    /// [`Problem`] parks the account's bill: it is reported, and nothing is issued.
    fn settle(&self, facts: &StretchFacts, bill: &mut Bill) -> Result<(), Problem>;
}

/// An item that has arrived, and what a strategy may know of it.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    item: &'a Item,
    day: Day,
    currency: Currency,
}

impl<'a> Arrival<'a> {
    /// Facts for [`Strategy::on_arrival`].
    #[must_use]
    pub const fn new(item: &'a Item, day: Day, currency: Currency) -> Self {
        Self { item, day, currency }
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
}

/// What a strategy makes of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Priced {
    /// What the quantity counts.
    pub unit: Unit,
    /// Count (1, or 0 for an item that is recorded and not charged), quantity, and the amount if it is decided.
    pub totals: Totals,
}

impl Priced {
    /// A quantity in a unit, with its count and perhaps its amount.
    #[must_use]
    pub const fn new(unit: Unit, totals: Totals) -> Self {
        Self { unit, totals }
    }
}

/// Why a strategy cannot price or settle, as a lowercase clause without personal data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Problem(pub String);

impl From<MoneyError> for Problem {
    fn from(error: MoneyError) -> Self {
        Self(alloc::format!("{error}"))
    }
}

/// The unbilled usage of one group, and what its scope was billed before.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GroupUsage {
    /// What the quantities count.
    pub unit: Unit,
    /// What no line holds yet.
    pub unbilled: Totals,
    /// What lines of the scope hold already.
    pub before: Carry,
}

impl GroupUsage {
    /// The scope's quantity with the unbilled usage.
    ///
    /// # Errors
    ///
    /// [`Problem`] if the sum leaves the bounds of a [`Quantity`].
    pub fn quantity_after(&self) -> Result<Quantity, Problem> {
        Ok(self.before.quantity.checked_add(self.unbilled.quantity)?)
    }
}

/// What a strategy is handed to settle one stretch.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StretchFacts {
    /// Which days under which assignment.
    pub stretch: Stretch,
    /// The account's currency.
    pub currency: Currency,
    /// The strategy's groups with unbilled usage in the stretch, in order of their names.
    pub usage: BTreeMap<Group, GroupUsage>,
    /// What the strategy's scope was billed before, for groups without unbilled usage too.
    pub before: BTreeMap<Group, Carry>,
}

impl StretchFacts {
    /// Facts for [`Strategy::settle`].
    #[must_use]
    pub const fn new(
        stretch: Stretch,
        currency: Currency,
        usage: BTreeMap<Group, GroupUsage>,
        before: BTreeMap<Group, Carry>,
    ) -> Self {
        Self { stretch, currency, usage, before }
    }
}

impl GroupUsage {
    /// The usage of one group for [`StretchFacts::new`].
    #[must_use]
    pub const fn new(unit: Unit, unbilled: Totals, before: Carry) -> Self {
        Self { unit, unbilled, before }
    }
}

/// What a strategy charges one group with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Charge {
    /// Which group.
    pub group: Group,
    /// The exact difference.
    pub exact: Exact,
    /// How it came about, for the invoice: `19 blocks of 30 s at 0.2`.
    pub text: String,
}

/// The bill of one stretch in the making, as strategies see it.
///
/// It collects exact differences; rounding them and sharing them out over days is not the strategies' business.
#[derive(Clone, Debug, Default)]
pub struct Bill {
    before: Vec<(StrategyId, Charge)>,
    charges: Vec<Charge>,
}

impl Bill {
    /// Charges a group with an exact difference; negative gives back.
    pub fn charge(&mut self, group: Group, exact: Exact, text: String) {
        self.charges.push(Charge { group, exact, text });
    }

    /// What the strategy at work has charged so far.
    #[must_use]
    pub fn charges(&self) -> &[Charge] {
        &self.charges
    }

    /// What the strategies before it in the plan charged in this stretch.
    #[must_use]
    pub fn charged_before(&self) -> &[(StrategyId, Charge)] {
        &self.before
    }

    /// Ends the turn of a strategy, and gives what it charged.
    pub(crate) fn end_turn(&mut self, strategy: &StrategyId) -> Vec<Charge> {
        let charges = core::mem::take(&mut self.charges);
        self.before.extend(charges.iter().map(|charge| (strategy.clone(), charge.clone())));
        charges
    }
}
