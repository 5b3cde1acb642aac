//! A fixed amount for each period, in advance or in arrears.

use alloc::format;

use serde::{Deserialize, Serialize};

use crate::{
    id::{Group, StrategyId},
    item::Item,
    money::{Exact, Price},
    plan::{Arrival, Bill, Due, Priced, Problem, Strategy, StrategySpec, StretchFacts, kinds},
    usage::{Carry, Scope},
};

/// What the kind `recurring` asks for.
///
/// # Examples
///
/// ```
/// use billing_core::plan::{Proration, RecurringTerms, Timing};
///
/// let json = r#"{"per_period":"9.90","timing":"in_advance","proration":"days"}"#;
/// let terms: RecurringTerms = serde_json::from_str(json)?;
/// assert_eq!((terms.timing, terms.proration), (Timing::InAdvance, Proration::Days));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecurringTerms {
    /// The amount for a whole billing period; for an account whose periods are months, the amount a month.
    pub per_period: Price,
    /// When it is invoiced.
    pub timing: Timing,
    /// What a part of a period costs.
    pub proration: Proration,
}

/// When an amount is invoiced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Timing {
    /// With the invoice that is issued as the period begins.
    InAdvance,
    /// With the invoice of the period, after its end.
    InArrears,
}

/// What a part of a period costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proration {
    /// The whole amount, once a period: a period in which plans change is charged by the first of them that has the strategy and asks for
    /// something.
    None,
    /// The amount by the local days of the part: 16 of 31 days are 16/31 of it.
    Days,
}

/// A strategy of the kind `recurring`: charges the group `fee`, and no item.
///
/// An amount in advance is invoiced for the days that are known to be under the plan; if the plan changes afterwards, what was
/// charged too much is given back on the invoice of the period (with `days`; with `none` it stays).
///
/// # Examples
///
/// ```
/// use std::collections::BTreeMap;
///
/// use billing_core::plan::{Bill, Recurring, Strategy, StrategySpec, StretchFacts};
///
/// # use billing_core::{account::Stretch, time::Period};
/// let spec: StrategySpec = serde_json::from_str(
///     r#"{"id":"fee","kind":"recurring",
///         "terms":{"per_period":"31","timing":"in_arrears","proration":"days"}}"#,
/// )?;
/// # let period = Period::try_new("2026-10-01".parse()?, "2026-11-01".parse()?)?;
/// // An account that has the plan from the 16th on: 16 days.
/// let stretch =
///     Stretch { period, start: "2026-10-16".parse()?, end: period.end(), assignment: 1 };
/// let facts = StretchFacts::new(stretch, "EUR".parse()?, BTreeMap::new(), BTreeMap::new());
/// let mut bill = Bill::default();
/// Recurring::try_new(&spec)?.settle(&facts, &mut bill)?;
/// assert_eq!(bill.charges()[0].exact.to_string(), "16");
/// assert_eq!(bill.charges()[0].text, "16 of 31 days at 31 a period");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Recurring {
    strategy: StrategyId,
    terms: RecurringTerms,
    fee: Group,
}

impl Recurring {
    /// Builds the strategy from its document.
    ///
    /// # Errors
    ///
    /// [`Problem`] if the terms are not [`RecurringTerms`], or there is an `applies_to`.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::plan::{Recurring, StrategySpec};
    ///
    /// let spec: StrategySpec = serde_json::from_str(
    ///     r#"{"id":"fee","kind":"recurring","terms":{"per_period":"31","timing":"in_arrears"}}"#,
    /// )?;
    /// let problem = Recurring::try_new(&spec).unwrap_err();
    /// assert_eq!(problem.to_string(), "missing field `proration`");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn try_new(spec: &StrategySpec) -> Result<Self, Problem> {
        kinds::without_items(spec)?;
        let (strategy, fee) = (spec.id.clone(), kinds::group("fee")?);
        Ok(Self { strategy, terms: kinds::terms(spec)?, fee })
    }
}

impl Strategy for Recurring {
    fn id(&self) -> &StrategyId {
        &self.strategy
    }

    fn group(&self, _item: &Item) -> Option<Group> {
        None
    }

    fn on_arrival(&self, arrival: &Arrival<'_>) -> Result<Priced, Problem> {
        Err(kinds::not_mine(arrival.item()))
    }

    fn scope(&self) -> Scope {
        self.terms.proration.scope()
    }

    fn due(&self) -> Due {
        match self.terms.timing {
            Timing::InAdvance => Due::InAdvance,
            Timing::InArrears => Due::InArrears,
        }
    }

    fn settle(&self, facts: &StretchFacts, bill: &mut Bill) -> Result<(), Problem> {
        let RecurringTerms { per_period, proration, .. } = self.terms;
        proration.charge(per_period, &self.fee, facts, bill);
        Ok(())
    }
}

impl Proration {
    /// Over what an amount is counted: the whole once a period, or by the days of each stretch.
    pub(super) const fn scope(self) -> Scope {
        match self {
            Self::None => Scope::Period,
            Self::Days => Scope::Stretch,
        }
    }

    /// Charges what is lacking of an amount for a stretch, and gives what the scope has been charged then.
    pub(super) fn charge(
        self,
        per_period: Price,
        group: &Group,
        facts: &StretchFacts,
        bill: &mut Bill,
    ) -> Exact {
        let before =
            facts.before.get(group).map_or_else(Exact::zero, |carry: &Carry| carry.exact.clone());
        let (due, text) = match self {
            // Whoever comes first in a period charges it, and whoever comes later leaves it so.
            Self::None if facts.before.contains_key(group) || facts.stretch.is_empty() => {
                return before;
            }
            Self::None => (Exact::from(per_period), format!("{per_period} a period")),
            Self::Days => kinds::by_days(per_period, &facts.stretch),
        };
        let lacking = due.sub(&before);
        if !lacking.is_zero() {
            bill.charge(group.clone(), lacking, text);
        }
        due
    }
}
