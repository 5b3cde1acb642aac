//! Plan documents: what is saved, versioned and assigned.

use alloc::vec::Vec;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use crate::{
    digest::Digest,
    id::{PlanId, StrategyId},
    item::{Direction, Item},
    money::Currency,
    number::Prefix,
    plan::strict_json,
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StrategySpec {
    /// Unique in the plan and kept across its versions.
    pub id: StrategyId,
    /// The kind that builds it, such as `flat_rate`.
    pub kind: CompactString,
    /// Which items it charges for; every call if left out.
    #[serde(default, skip_serializing_if = "AppliesTo::is_everything")]
    pub applies_to: AppliesTo,
    /// What the kind asks for. A name that stands twice and a number with a fraction are refused.
    #[serde(default, deserialize_with = "strict_json::deserialize")]
    pub terms: serde_json::Value,
}

/// Which calls a strategy charges for. An empty list excludes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppliesTo {
    /// Calls in one of these directions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub directions: Vec<Direction>,
    /// Calls to a number that starts with one of these digits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub callee: Vec<Prefix>,
}

impl AppliesTo {
    /// Whether nothing is excluded.
    #[must_use]
    pub const fn is_everything(&self) -> bool {
        self.directions.is_empty() && self.callee.is_empty()
    }

    /// Whether the item is one of those charged for. Looks at the item alone.
    #[must_use]
    pub fn includes(&self, item: &Item) -> bool {
        match item {
            Item::Call(call) => {
                let number = call.callee.number();
                let called = |prefix: &Prefix| number.is_some_and(|number| prefix.matches(&number));
                (self.directions.is_empty() || self.directions.contains(&call.direction))
                    && (self.callee.is_empty() || self.callee.iter().any(called))
            }
        }
    }
}

impl PlanSpec {
    /// The digest of the document in its canonical form: JSON, fields as declared, terms in order of their names.
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
