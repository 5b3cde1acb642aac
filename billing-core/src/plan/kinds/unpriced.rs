//! Usage that is counted and costs nothing here: shown, or handed downstream to be priced there.

use alloc::string::String;

use crate::{
    id::{Group, ProductId, StrategyId, Unit},
    item::Item,
    money::Exact,
    plan::{
        AppliesTo, Arrival, Bill, Priced, Problem, Strategy, StrategySpec, StretchFacts, kinds,
    },
};

/// A strategy of the kind `unpriced`, without terms.
///
/// Pulses of every product and unit it applies to are added up, in one group for each product and unit.
///
/// # Examples
///
/// ```
/// use billing_core::{item::{Item, Pulse}, plan::{Strategy, StrategySpec, Unpriced}};
///
/// let spec: StrategySpec = serde_json::from_str(r#"{"id":"usage","kind":"unpriced","terms":{}}"#)?;
/// let pulse: Pulse = serde_json::from_str(
///     r#"{"at":"2026-10-05T08:00:00Z","product":"storage","unit":"GB/h","amount":"0.25"}"#,
/// )?;
/// let group = Unpriced::try_new(&spec)?.group(&Item::Pulse(pulse.clone())).expect("a short one");
/// assert_eq!(group.as_str(), "storage/GB%2Fh");
/// assert_eq!(Unpriced::product_and_unit(&group), Some((pulse.product, pulse.unit)));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Unpriced {
    strategy: StrategyId,
    applies_to: AppliesTo,
}

impl Unpriced {
    /// Builds the strategy from its document.
    ///
    /// # Errors
    ///
    /// [`Problem`] if there are terms.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::plan::{StrategySpec, Unpriced};
    ///
    /// let json = r#"{"id":"usage","kind":"unpriced","terms":{"per_unit":"1"}}"#;
    /// let spec: StrategySpec = serde_json::from_str(json)?;
    /// assert!(Unpriced::try_new(&spec).is_err());
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn try_new(spec: &StrategySpec) -> Result<Self, Problem> {
        kinds::no_terms(spec)?;
        Ok(Self { strategy: spec.id.clone(), applies_to: spec.applies_to.clone() })
    }

    /// The group of a product and unit: both, with `%` and `/` written as `%25` and `%2F`, around a `/`.
    ///
    /// `None` if that is longer than the 255 bytes of a group; such pulses are not this kind's.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::plan::Unpriced;
    ///
    /// let group = Unpriced::group_of(&"sku1".parse()?, &"unit1".parse()?);
    /// assert_eq!(group, "sku1/unit1".parse().ok());
    /// # Ok::<(), billing_core::id::InvalidId>(())
    /// ```
    #[must_use]
    pub fn group_of(product: &ProductId, unit: &Unit) -> Option<Group> {
        Group::try_new([escape(product.as_str()), escape(unit.as_str())].join("/")).ok()
    }

    /// The product and unit that a group is of, if it is one of this kind.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::plan::Unpriced;
    ///
    /// assert_eq!(Unpriced::product_and_unit(&"calls".parse()?), None);
    /// # Ok::<(), billing_core::id::InvalidId>(())
    /// ```
    #[must_use]
    pub fn product_and_unit(group: &Group) -> Option<(ProductId, Unit)> {
        let (product, unit) = group.as_str().split_once('/')?;
        Some((unescape(product).parse().ok()?, unescape(unit).parse().ok()?))
    }
}

fn escape(text: &str) -> String {
    text.replace('%', "%25").replace('/', "%2F")
}

fn unescape(text: &str) -> String {
    text.replace("%2F", "/").replace("%25", "%")
}

impl Strategy for Unpriced {
    fn id(&self) -> &StrategyId {
        &self.strategy
    }

    fn group(&self, item: &Item) -> Option<Group> {
        match item {
            Item::Pulse(pulse) if self.applies_to.includes(item) => {
                Self::group_of(&pulse.product, &pulse.unit)
            }
            Item::Pulse(_) | Item::Call(_) | Item::OneOff(_) => None,
        }
    }

    fn on_arrival(&self, arrival: &Arrival<'_>) -> Result<Priced, Problem> {
        kinds::metered(arrival.item())
    }

    fn settle(&self, facts: &StretchFacts, bill: &mut Bill) -> Result<(), Problem> {
        for group in facts.usage.keys() {
            bill.charge(group.clone(), Exact::zero(), "counted, without a price".into());
        }
        Ok(())
    }
}
