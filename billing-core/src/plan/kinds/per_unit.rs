//! One price for each unit of a product.

use alloc::format;

use serde::{Deserialize, Serialize};

use crate::{
    id::{Group, ProductId, StrategyId, Unit},
    item::Item,
    money::{Exact, Price},
    plan::{Arrival, Bill, Priced, Problem, Strategy, StrategySpec, StretchFacts, kinds},
};

/// What the kind `per_unit` asks for.
///
/// # Examples
///
/// ```
/// use billing_core::plan::PerUnitTerms;
///
/// let json = r#"{"product":"storage","unit":"GB-h","per_unit":"0.0001"}"#;
/// let terms: PerUnitTerms = serde_json::from_str(json)?;
/// assert_eq!(terms.product.as_str(), "storage");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PerUnitTerms {
    /// The product whose pulses are charged for.
    pub product: ProductId,
    /// The unit they must be in; pulses in another unit are not this strategy's.
    pub unit: Unit,
    /// The price of one unit.
    pub per_unit: Price,
}

/// A strategy of the kind `per_unit`.
///
/// Amounts are added up in the pulses' unit, in a group of the product's name; fractions of a unit cost their fraction of the
/// price, and the line is rounded once.
///
/// # Examples
///
/// ```
/// use billing_core::{item::{Item, Pulse}, plan::{Arrival, PerUnit, Strategy, StrategySpec}};
///
/// let spec: StrategySpec = serde_json::from_str(
///     r#"{"id":"storage","kind":"per_unit",
///         "terms":{"product":"storage","unit":"GB-h","per_unit":"0.0001"}}"#,
/// )?;
/// let pulse: Pulse = serde_json::from_str(
///     r#"{"at":"2026-10-05T08:00:00Z","product":"storage","unit":"GB-h","amount":"0.25"}"#,
/// )?;
/// let storage = PerUnit::try_new(&spec)?;
/// let item = Item::Pulse(pulse.clone());
/// let arrival = Arrival::new(&item, "2026-10-05".parse()?, "EUR".parse()?);
/// assert_eq!(storage.on_arrival(&arrival)?.totals.quantity, "0.25".parse()?);
///
/// let in_bytes = Item::Pulse(Pulse { unit: "B-h".parse()?, ..pulse });
/// assert_eq!(storage.group(&in_bytes), None);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct PerUnit {
    strategy: StrategyId,
    terms: PerUnitTerms,
    group: Group,
}

impl PerUnit {
    /// Builds the strategy from its document.
    ///
    /// # Errors
    ///
    /// [`Problem`] if the terms are not [`PerUnitTerms`], or there is an `applies_to`: the product says it.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::plan::{PerUnit, StrategySpec};
    ///
    /// let spec: StrategySpec = serde_json::from_str(
    ///     r#"{"id":"storage","kind":"per_unit","terms":{"product":"storage","unit":"GB-h"}}"#,
    /// )?;
    /// let problem = PerUnit::try_new(&spec).unwrap_err();
    /// assert_eq!(problem.to_string(), "missing field `per_unit`");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn try_new(spec: &StrategySpec) -> Result<Self, Problem> {
        kinds::without_condition(spec, "`product` and `unit` say which pulses are charged for")?;
        let terms: PerUnitTerms = kinds::terms(spec)?;
        let group = kinds::group(terms.product.as_str())?;
        Ok(Self { strategy: spec.id.clone(), terms, group })
    }
}

impl Strategy for PerUnit {
    fn id(&self) -> &StrategyId {
        &self.strategy
    }

    fn group(&self, item: &Item) -> Option<Group> {
        let PerUnitTerms { product, unit, .. } = &self.terms;
        let mine = match item {
            Item::Pulse(pulse) => (&pulse.product, &pulse.unit) == (product, unit),
            Item::Call(_) | Item::OneOff(_) => false,
        };
        mine.then(|| self.group.clone())
    }

    fn on_arrival(&self, arrival: &Arrival<'_>) -> Result<Priced, Problem> {
        kinds::metered(arrival.item())
    }

    fn settle(&self, facts: &StretchFacts, bill: &mut Bill) -> Result<(), Problem> {
        let PerUnitTerms { unit, per_unit, .. } = &self.terms;
        for (group, usage) in &facts.usage {
            let exact = Exact::from(usage.unbilled.quantity).mul(&Exact::from(*per_unit));
            bill.charge(group.clone(), exact, format!("at {per_unit} a {unit}"));
        }
        Ok(())
    }
}
