//! Plan documents: what is saved, versioned and assigned.

use alloc::vec::Vec;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use crate::{
    digest::Digest,
    id::{PlanId, ProductId, StrategyId},
    item::{Direction, Item},
    money::Currency,
    number::Prefix,
    terms::{Overrides, strict_json},
};

/// A plan as a document. A version is never changed once saved.
///
/// # Examples
///
/// ```
/// use billing_core::plan::PlanSpec;
///
/// let plan: PlanSpec = serde_json::from_str(
///     r#"{"id":"basic","version":1,"currency":"EUR","payment":"postpaid",
///         "strategies":[{"id":"calls","kind":"flat_rate",
///                        "terms":{"per_minute":"0.02","minutes":"pro_rata"}}]}"#,
/// )?;
/// assert_eq!(plan.strategies.len(), 1);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanSpec {
    /// The plan's name.
    pub id: PlanId,
    /// 1, 2, 3 ...
    pub version: u32,
    /// The currency of its prices; accounts that have it must have the same.
    pub currency: Currency,
    /// How it is paid.
    pub payment: Payment,
    /// What is charged, in the order in which it is settled.
    pub strategies: Vec<StrategySpec>,
}

/// How a plan is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Payment {
    /// Used first, invoiced at the end of the period.
    Postpaid,
}

/// One strategy of a plan as a document.
///
/// # Examples
///
/// ```
/// use billing_core::plan::StrategySpec;
///
/// let read = |terms: &str| {
///     serde_json::from_str::<StrategySpec>(&format!(
///         r#"{{"id":"calls","kind":"flat_rate","terms":{terms}}}"#
///     ))
/// };
/// let spec = read(r#"{"per_minute":"0.02","minutes":"pro_rata"}"#)?;
/// assert!(spec.applies_to.is_everything());
/// assert!(read(r#"{"per_minute":0.02,"minutes":"pro_rata"}"#).is_err(), "a price is text");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StrategySpec {
    /// Unique in the plan and kept across its versions.
    pub id: StrategyId,
    /// The kind that builds it, such as `flat_rate`.
    pub kind: CompactString,
    /// Which items it charges for; all that its kind can charge for if left out.
    #[serde(default, skip_serializing_if = "AppliesTo::is_everything")]
    pub applies_to: AppliesTo,
    /// What the kind asks for. A name that stands twice and a number with a fraction are refused.
    #[serde(default, deserialize_with = "strict_json::deserialize")]
    pub terms: serde_json::Value,
}

/// Which items a strategy charges for. An empty list excludes nothing.
///
/// A condition on calls excludes everything that is no call, and one on products everything that is no pulse.
///
/// # Examples
///
/// ```
/// use billing_core::plan::AppliesTo;
///
/// let json = r#"{"directions":["outbound"],"callee":["1202","44"]}"#;
/// let applies_to: AppliesTo = serde_json::from_str(json)?;
/// assert_eq!(applies_to.callee.len(), 2);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppliesTo {
    /// Calls in one of these directions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub directions: Vec<Direction>,
    /// Calls to a number that starts with one of these digits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub callee: Vec<Prefix>,
    /// Pulses of one of these products.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub products: Vec<ProductId>,
}

impl AppliesTo {
    /// Whether nothing is excluded.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::{item::Direction, plan::AppliesTo};
    ///
    /// assert!(AppliesTo::default().is_everything());
    /// let outbound = AppliesTo { directions: vec![Direction::Outbound], ..AppliesTo::default() };
    /// assert!(!outbound.is_everything());
    /// ```
    #[must_use]
    pub const fn is_everything(&self) -> bool {
        self.directions.is_empty() && self.callee.is_empty() && self.products.is_empty()
    }

    /// Whether the item is one of those charged for. Looks at the item alone.
    ///
    /// A callee that is no telephone number starts with no prefix.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::plan::AppliesTo;
    ///
    /// # use billing_core::item::{Call, Direction, Item};
    /// # let call: Call = serde_json::from_str(
    /// #     r#"{"start":"2026-10-05T08:00:00Z","duration_ms":61000,"caller":"",
    /// #         "callee":"+12025550123","disposition":"answered","direction":"outbound"}"#,
    /// # )?;
    /// let item = Item::Call(call.clone());
    /// let washington = AppliesTo { callee: vec!["1202".parse()?], ..AppliesTo::default() };
    /// assert!(washington.includes(&item));
    ///
    /// let inbound = AppliesTo { directions: vec![Direction::Inbound], ..washington.clone() };
    /// assert!(!inbound.includes(&item));
    /// let short_code = Item::Call(Call { callee: "*97".parse()?, ..call });
    /// assert!(!washington.includes(&short_code));
    ///
    /// let storage = AppliesTo { products: vec!["storage".parse()?], ..AppliesTo::default() };
    /// assert!(!storage.includes(&short_code), "a call is no product");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn includes(&self, item: &Item) -> bool {
        match item {
            Item::Call(call) => {
                let number = call.callee.number();
                let called = |prefix: &Prefix| number.is_some_and(|number| prefix.matches(&number));
                self.products.is_empty()
                    && (self.directions.is_empty() || self.directions.contains(&call.direction))
                    && (self.callee.is_empty() || self.callee.iter().any(called))
            }
            Item::Pulse(pulse) => {
                self.directions.is_empty()
                    && self.callee.is_empty()
                    && (self.products.is_empty() || self.products.contains(&pulse.product))
            }
            Item::OneOff(_) => self.is_everything(),
        }
    }
}

/// Overrides for a strategy that the plan does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("plan {plan} version {version} has no strategy {strategy} whose terms could be replaced")]
pub struct UnknownStrategy {
    /// The plan.
    pub plan: PlanId,
    /// Its version.
    pub version: u32,
    /// The strategy.
    pub strategy: StrategyId,
}

impl PlanSpec {
    /// The document with an account's own terms in place of those of the plan.
    ///
    /// # Errors
    ///
    /// [`UnknownStrategy`]. Whether the terms are accepted is found when the plan is built.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::terms::Overrides;
    ///
    /// # use billing_core::plan::PlanSpec;
    /// # let plan: PlanSpec = serde_json::from_str(
    /// #     r#"{"id":"basic","version":1,"currency":"EUR","payment":"postpaid",
    /// #         "strategies":[{"id":"calls","kind":"flat_rate",
    /// #                        "terms":{"per_minute":"0.02","minutes":"pro_rata"}}]}"#,
    /// # )?;
    /// let overrides: Overrides = serde_json::from_str(r#"{"calls":{"per_minute":"0.015"}}"#)?;
    /// let own = plan.with(&overrides)?;
    /// assert_eq!(own.strategies[0].terms["per_minute"], "0.015");
    /// assert_eq!(own.strategies[0].terms["minutes"], "pro_rata");
    /// assert_eq!(plan.with(&Overrides::none())?, plan);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn with(&self, overrides: &Overrides) -> Result<Self, UnknownStrategy> {
        let mut spec = self.clone();
        for (strategy, terms) in overrides.iter() {
            let found = spec.strategies.iter_mut().find(|spec| spec.id == *strategy);
            let found = found.ok_or_else(|| UnknownStrategy {
                plan: self.id.clone(),
                version: self.version,
                strategy: strategy.clone(),
            })?;
            match &mut found.terms {
                serde_json::Value::Object(own) => own.extend(terms.clone()),
                other => *other = serde_json::Value::Object(terms.clone()),
            }
        }
        Ok(spec)
    }

    /// The digest of the document in its canonical form: JSON, fields as declared, terms in order of their names.
    ///
    /// # Examples
    ///
    /// ```
    /// # use billing_core::plan::PlanSpec;
    /// # let spec: PlanSpec = serde_json::from_str(
    /// #     r#"{"id":"basic","version":1,"currency":"EUR","payment":"postpaid",
    /// #         "strategies":[{"id":"calls","kind":"flat_rate",
    /// #                        "terms":{"per_minute":"0.02","minutes":"pro_rata"}}]}"#,
    /// # )?;
    /// let later = PlanSpec { version: 2, ..spec.clone() };
    /// assert_eq!(spec.digest(), spec.clone().digest());
    /// assert_ne!(spec.digest(), later.digest());
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut spec = self.clone();
        for strategy in &mut spec.strategies {
            strategy.terms.sort_all_objects();
        }
        // Serialising a value made of texts, numbers and lists of them cannot fail.
        Digest::of().text(&serde_json::to_string(&spec).unwrap_or_default()).finish()
    }
}
