//! The strategy: one replaceable piece of a plan, and what it is handed.

use alloc::{collections::BTreeMap, string::String, vec::Vec};
use core::fmt::Debug;

use crate::{
    account::Stretch,
    id::{Group, StrategyId, TariffId, Unit},
    item::Item,
    money::{Amount, Currency, Exact, MoneyError, Quantity},
    plan::{Arrival, Priced},
    tariff::Explanation,
    usage::{Carry, Scope, Totals},
};

/// One replaceable piece of a plan.
///
/// A strategy is built from its terms and keeps no state: facts are handed in, what it decides is handed back, and the same
/// facts always give the same answer.
///
/// # Examples
///
/// ```
/// use billing_core::{
///     id::{Group, StrategyId, Unit},
///     item::Item,
///     money::{Exact, Quantity},
///     plan::{Arrival, Bill, Priced, Problem, Strategy, StretchFacts},
///     usage::Totals,
/// };
///
/// /// A fee of 0.05 for each call; further groups and prices would come from the terms.
/// #[derive(Debug)]
/// struct Fee {
///     id: StrategyId,
///     group: Group,
///     unit: Unit,
///     fee: Exact,
/// }
///
/// impl Strategy for Fee {
///     fn id(&self) -> &StrategyId {
///         &self.id
///     }
///
///     fn group(&self, _item: &Item) -> Option<Group> {
///         Some(self.group.clone())
///     }
///
///     fn on_arrival(&self, _arrival: &Arrival<'_>) -> Result<Priced, Problem> {
///         let totals = Totals { count: 1, quantity: Quantity::from_u64(1)?, amount: None };
///         Ok(Priced::new(self.unit.clone(), totals))
///     }
///
///     fn settle(&self, facts: &StretchFacts, bill: &mut Bill) -> Result<(), Problem> {
///         for (group, usage) in &facts.usage {
///             let fees = Exact::from(usage.unbilled.quantity).mul(&self.fee);
///             bill.charge(group.clone(), fees, "at 0.05 a call".into());
///         }
///         Ok(())
///     }
/// }
/// # let (id, group, unit) = ("fees".parse()?, "calls".parse()?, "call".parse()?);
/// # let fee = Fee { id, group, unit, fee: "0.05".parse()? };
/// # assert_eq!(fee.scope(), billing_core::usage::Scope::Stretch);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub trait Strategy: Debug + Send + Sync {
    /// Unique in the plan, kept across its versions.
    fn id(&self) -> &StrategyId;

    /// The group this item counts in, or `None` if it is not this strategy's.
    ///
    /// Looks at the item alone. The number of groups must be bounded: each makes a total a day and a line an invoice, and a day
    /// has at most [`Limits::day_groups_max`](crate::decide::Limits). A group is printed and logged: never a dialled number.
    /// Where the price decides the group, it is that of [`Priced::by_tariff`].
    fn group(&self, item: &Item) -> Option<Group>;

    /// The quantity, and the amount if nothing but the item decides it, rounded once.
    ///
    /// All items of a group must be given the same unit, and either all of them an amount or none.
    ///
    /// # Errors
    ///
    /// [`Problem`] parks the item with its text as the reason.
    fn on_arrival(&self, arrival: &Arrival<'_>) -> Result<Priced, Problem>;

    /// The tariffs that it may ask for a price on arrival, without those that they fall back on.
    fn tariffs(&self) -> &[TariffId] {
        &[]
    }

    /// The currency of prices that it brings itself, if it brings any: that of the plan is accepted.
    fn currency(&self) -> Option<Currency> {
        None
    }

    /// Why an item of its own costs what it costs, if a tariff prices it.
    ///
    /// # Errors
    ///
    /// As [`on_arrival`](Self::on_arrival).
    fn explain(&self, _arrival: &Arrival<'_>) -> Result<Option<Explanation>, Problem> {
        Ok(None)
    }

    /// How far its counting reaches.
    fn scope(&self) -> Scope {
        Scope::Stretch
    }

    /// When its charges are due.
    ///
    /// What is due in advance is settled for the period to come too, before there is any usage in it, and once more for the period
    /// itself: it charges the difference.
    fn due(&self) -> Due {
        Due::InArrears
    }

    /// The strategies whose charges it reads, if it reads any: all of them must stand before it in the plan. An empty list is for
    /// all that do, of which there must be one.
    fn draws_on(&self) -> Option<&[StrategyId]> {
        None
    }

    /// Charges for the unbilled usage of one stretch.
    ///
    /// May be asked again for a stretch that was settled before: for late usage, or because a plan was changed since. A stretch
    /// that a change left without days [is empty](Stretch::is_empty). Every group of `facts` must be charged exactly once, even if with zero; further groups may be charged without usage.
    /// A charge is a difference: what the scope costs with the unbilled usage, less what it costs without.
    ///
    /// # Errors
    ///
    /// [`Problem`] parks the account's bill: it is reported, and nothing is issued.
    fn settle(&self, facts: &StretchFacts, bill: &mut Bill) -> Result<(), Problem>;
}

/// When what a strategy charges is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// With the invoice of the period before, or with one of its own if there is none.
    InAdvance,
    /// With the invoice of the period, after its end.
    InArrears,
}

/// Why a strategy cannot price or settle, as a lowercase clause without personal data.
///
/// # Examples
///
/// ```
/// use billing_core::{money::Quantity, plan::Problem};
///
/// let problem: Problem = Quantity::from_units(1, 11).unwrap_err().into();
/// assert!(!problem.to_string().is_empty());
/// ```
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
    ///
    /// # Examples
    ///
    /// ```
    /// # use billing_core::{
    /// #     account::Stretch, id::Group, money::Quantity,
    /// #     plan::{GroupUsage, StretchFacts}, time::Period, usage::{Carry, Totals},
    /// # };
    /// # let calls: Group = "calls".parse()?;
    /// # let quantity = Quantity::from_u64(4_500_000)?;
    /// # let totals = Totals { count: 1, quantity, amount: None };
    /// let before = Carry { quantity: Quantity::from_u64(500_000)?, ..Carry::nothing() };
    /// let usage = GroupUsage::new("ms".parse()?, totals, before);
    /// assert_eq!(usage.quantity_after()?, Quantity::from_u64(5_000_000)?);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn quantity_after(&self) -> Result<Quantity, Problem> {
        Ok(self.before.quantity.checked_add(self.unbilled.quantity)?)
    }
}

/// What a strategy is handed to settle one stretch.
///
/// # Examples
///
/// ```
/// use std::collections::BTreeMap;
///
/// use billing_core::plan::{Bill, FlatRate, Strategy, StrategySpec};
///
/// # use billing_core::{
/// #     account::Stretch, id::Group, money::Quantity,
/// #     plan::{GroupUsage, StretchFacts}, time::Period, usage::{Carry, Totals},
/// # };
/// # let calls: Group = "calls".parse()?;
/// # let quantity = Quantity::from_u64(4_500_000)?;
/// # let totals = Totals { count: 1, quantity, amount: None };
/// # let spec: StrategySpec = serde_json::from_str(
/// #     r#"{"id":"calls","kind":"flat_rate","terms":{"per_minute":"0.02","minutes":"pro_rata"}}"#,
/// # )?;
/// # let period = Period::try_new("2026-10-01".parse()?, "2026-11-01".parse()?)?;
/// # let stretch = Stretch { period, start: period.start(), end: period.end(), assignment: 1 };
/// let usage = GroupUsage::new("ms".parse()?, totals, Carry::nothing());
/// let usage = BTreeMap::from([(calls, usage)]);
/// let facts = StretchFacts::new(stretch, "EUR".parse()?, usage, BTreeMap::new());
///
/// let mut bill = Bill::default();
/// FlatRate::try_new(&spec)?.settle(&facts, &mut bill)?;
/// assert_eq!(bill.charges()[0].exact, "1.5".parse()?);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
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
    /// What the strategy keeps for the next time; `None` leaves what it kept before.
    pub kept: Option<Exact>,
}

/// The bill of one stretch in the making, as strategies see it.
///
/// It collects exact differences; rounding them and sharing them out over days is not the strategies' business.
///
/// # Examples
///
/// ```
/// use billing_core::{money::Exact, plan::Bill};
///
/// let mut bill = Bill::default();
/// let blocks = Exact::from_integer(19);
/// bill.charge("calls".parse()?, blocks.mul(&"0.2".parse()?), "19 blocks of 30 s at 0.2".into());
/// assert_eq!(bill.charges()[0].exact.to_string(), "3.8");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Bill {
    before: Vec<Charged>,
    charges: Vec<Charge>,
}

impl Bill {
    /// Charges a group with an exact difference; negative gives back.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::plan::Bill;
    ///
    /// let mut bill = Bill::default();
    /// bill.charge("calls".parse()?, "1/3".parse()?, "a third".into());
    /// assert_eq!(bill.charges()[0].text, "a third");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn charge(&mut self, group: Group, exact: Exact, text: String) {
        self.charges.push(Charge { group, exact, text, kept: None });
    }

    /// Charges a group, and keeps a number of the strategy's own in the group's [`Carry`] until the scope is settled again.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::{money::Exact, plan::Bill};
    ///
    /// let mut bill = Bill::default();
    /// bill.charge_keeping("covered".parse()?, "-20".parse()?, "23.5".parse()?, "covered".into());
    /// assert_eq!(bill.charges()[0].kept, Some("23.5".parse()?));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn charge_keeping(&mut self, group: Group, exact: Exact, kept: Exact, text: String) {
        self.charges.push(Charge { group, exact, text, kept: Some(kept) });
    }

    /// What the strategy at work has charged so far.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::plan::Bill;
    ///
    /// assert!(Bill::default().charges().is_empty());
    /// ```
    #[must_use]
    pub fn charges(&self) -> &[Charge] {
        &self.charges
    }

    /// What the strategies before it in the plan are charged with in this settlement of the stretch, as on the invoice.
    ///
    /// These are differences: where a stretch is settled again, for late usage, they are what comes on top. A strategy that
    /// depends on their sum [keeps](Self::charge_keeping) it.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::{money::Exact, plan::{Bill, StretchFacts}};
    ///
    /// /// What a strategy that stands last in its plan would charge to make up a minimum of 10.
    /// fn minimum(facts: &StretchFacts, bill: &mut Bill, group: billing_core::id::Group) {
    ///     let before = facts.before.get(&group).cloned().unwrap_or_default();
    ///     let charged = bill.charged_before().iter().map(|charged| Exact::from(charged.amount));
    ///     let sum = charged.fold(before.kept, |sum, amount| sum.add(&amount));
    ///     let lacking = Exact::from_integer(10).sub(&sum).max(Exact::zero());
    ///     bill.charge_keeping(group, lacking.sub(&before.exact), sum, "minimum of 10".into());
    /// }
    /// # use billing_core::{account::Stretch, time::Period};
    /// # let period = Period::try_new("2026-10-01".parse()?, "2026-11-01".parse()?)?;
    /// # let stretch = Stretch { period, start: period.start(), end: period.end(), assignment: 1 };
    /// # let nothing = std::collections::BTreeMap::new;
    /// # let facts = StretchFacts::new(stretch, "EUR".parse()?, nothing(), std::collections::BTreeMap::new());
    /// let mut bill = Bill::default();
    /// minimum(&facts, &mut bill, "minimum".parse()?);
    /// assert_eq!(bill.charges()[0].exact, Exact::from_integer(10));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn charged_before(&self) -> &[Charged] {
        &self.before
    }

    /// What the strategy at work charged, for the lines to be made of it.
    pub(crate) fn take_charges(&mut self) -> Vec<Charge> {
        core::mem::take(&mut self.charges)
    }

    /// Ends the turn of a strategy with the amounts of its lines.
    pub(crate) fn end_turn(
        &mut self,
        strategy: &StrategyId,
        lines: impl Iterator<Item = (Group, Amount)>,
    ) {
        let charged = |(group, amount)| Charged { strategy: strategy.clone(), group, amount };
        self.before.extend(lines.map(charged));
    }
}

/// What a strategy has been charged with in a stretch: a line of the invoice.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Charged {
    /// Which strategy.
    pub strategy: StrategyId,
    /// Which group.
    pub group: Group,
    /// The amount of the line.
    pub amount: Amount,
}
