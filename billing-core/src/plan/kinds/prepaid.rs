//! An amount that is invoiced ahead and covers what the period costs, until it is used up.

use alloc::{format, vec::Vec};

use serde::{Deserialize, Serialize};

use crate::{
    id::{Group, StrategyId},
    item::Item,
    money::{Exact, Price},
    plan::{
        Arrival, Bill, Due, Priced, Problem, Proration, Strategy, StrategySpec, StretchFacts, kinds,
    },
    usage::Scope,
};

/// What the kind `prepaid` asks for.
///
/// # Examples
///
/// ```
/// use billing_core::plan::PrepaidTerms;
///
/// let json = r#"{"per_period":"20","proration":"none","covers":["calls"]}"#;
/// let terms: PrepaidTerms = serde_json::from_str(json)?;
/// assert_eq!(terms.covers.len(), 1);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrepaidTerms {
    /// The amount for a whole billing period, invoiced in advance.
    pub per_period: Price,
    /// What a part of a period costs, and covers.
    pub proration: Proration,
    /// The strategies whose charges it covers; if left out, all that stand before it in the plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub covers: Vec<StrategyId>,
}

/// A strategy of the kind `prepaid`: charges the group `prepaid` ahead, and gives back in the group `covered` what the strategies
/// before it charge, up to that amount.
///
/// What is not used up by the end of the period is gone with it (with proration by `days`, by the end of each part of it that a
/// change of plan makes); what is used beyond it is charged. It stands after the strategies it covers.
///
/// # Examples
///
/// ```
/// use std::collections::BTreeMap;
///
/// use billing_core::plan::{Bill, Prepaid, Strategy, StrategySpec, StretchFacts};
///
/// # use billing_core::{account::Stretch, time::Period};
/// let spec: StrategySpec = serde_json::from_str(
///     r#"{"id":"credit","kind":"prepaid","terms":{"per_period":"20","proration":"none"}}"#,
/// )?;
/// # let period = Period::try_new("2026-10-01".parse()?, "2026-11-01".parse()?)?;
/// # let stretch = Stretch { period, start: period.start(), end: period.end(), assignment: 1 };
/// let facts = StretchFacts::new(stretch, "EUR".parse()?, BTreeMap::new(), BTreeMap::new());
/// let mut bill = Bill::default();
/// Prepaid::try_new(&spec)?.settle(&facts, &mut bill)?;
/// assert_eq!((bill.charges().len(), bill.charges()[0].exact.to_string()), (1, "20".to_owned()));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Prepaid {
    strategy: StrategyId,
    terms: PrepaidTerms,
    ahead: Group,
    covered: Group,
}

impl Prepaid {
    /// Builds the strategy from its document.
    ///
    /// # Errors
    ///
    /// [`Problem`] if the terms are not [`PrepaidTerms`], or there is an `applies_to`.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::plan::{Prepaid, StrategySpec};
    ///
    /// let json = r#"{"id":"credit","kind":"prepaid","terms":{"per_period":"20"}}"#;
    /// let spec: StrategySpec = serde_json::from_str(json)?;
    /// let problem = Prepaid::try_new(&spec).unwrap_err();
    /// assert_eq!(problem.to_string(), "missing field `proration`");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn try_new(spec: &StrategySpec) -> Result<Self, Problem> {
        kinds::without_items(spec)?;
        let (ahead, covered) = (kinds::group("prepaid")?, kinds::group("covered")?);
        let (strategy, terms) = (spec.id.clone(), kinds::terms(spec)?);
        Ok(Self { strategy, terms, ahead, covered })
    }

    /// What the strategies it covers are charged with, as differences, rounded as on the invoice.
    fn charged(&self, bill: &Bill) -> Exact {
        let covers = &self.terms.covers;
        let mine = bill.charged_before().iter();
        let mine = mine.filter(|charged| covers.is_empty() || covers.contains(&charged.strategy));
        mine.fold(Exact::zero(), |sum, charged| sum.add(&Exact::from(charged.amount)))
    }
}

impl Strategy for Prepaid {
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
        Due::InAdvance
    }

    fn draws_on(&self) -> Option<&[StrategyId]> {
        Some(&self.terms.covers)
    }

    fn settle(&self, facts: &StretchFacts, bill: &mut Bill) -> Result<(), Problem> {
        let PrepaidTerms { per_period, proration, .. } = self.terms;
        let amount = proration.charge(per_period, &self.ahead, facts, bill);
        // What was charged in all is kept beside what of it was covered: what goes back when usage is corrected depends on both.
        let before = facts.before.get(&self.covered);
        let (was_charged, was_covered) = before.map_or_else(
            || (Exact::zero(), Exact::zero()),
            |carry| (carry.kept.clone(), carry.exact.negate()),
        );
        let charged = was_charged.add(&self.charged(bill));
        let covered = charged.clone().max(Exact::zero()).min(amount);
        if charged != was_charged || covered != was_covered {
            let text = format!("covered by {per_period} prepaid");
            let back = was_covered.sub(&covered);
            bill.charge_keeping(self.covered.clone(), back, charged, text);
        }
        Ok(())
    }
}
