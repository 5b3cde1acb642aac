//! Talk counted in whole blocks, rounded up over a call, a period or a lifetime.

use alloc::{format, string::String};
use core::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use crate::{
    id::{Group, StrategyId, Unit},
    item::Item,
    money::{Exact, Price, Quantity},
    plan::{
        Arrival, Bill, Priced, Problem, Strategy, StrategySpec, StretchFacts,
        kinds::{self, Calls},
    },
    usage::Scope,
};

/// What the kind `blocks` asks for.
///
/// # Examples
///
/// ```
/// use billing_core::plan::{BlockScope, BlocksTerms};
///
/// let json = r#"{"block_ms":30000,"per_block":"0.2","scope":"period"}"#;
/// let terms: BlocksTerms = serde_json::from_str(json)?;
/// assert_eq!((terms.block_ms.get(), terms.scope), (30_000, BlockScope::Period));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlocksTerms {
    /// The size of a block in milliseconds.
    pub block_ms: NonZeroU32,
    /// The price of a block.
    pub per_block: Price,
    /// Over what the talk is added up before it is rounded up to whole blocks.
    pub scope: BlockScope,
}

/// Over what talk is added up before it is rounded up to whole blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockScope {
    /// Each call by itself: three calls of 10 s are three blocks of 30 s.
    Call,
    /// All calls of a period: three calls of 10 s are one.
    Period,
    /// All calls ever.
    Lifetime,
}

/// A strategy of the kind `blocks`.
///
/// Talk is counted in `block` if each call is rounded up by itself, otherwise in `ms`, for all its calls together in the group
/// `calls`.
///
/// # Examples
///
/// ```
/// use billing_core::{item::Item, plan::{Arrival, Blocks, Strategy}};
///
/// # use billing_core::plan::StrategySpec;
/// # let call = serde_json::from_str(
/// #     r#"{"start":"2026-10-05T08:00:00Z","duration_ms":61000,"caller":"","callee":"",
/// #         "disposition":"answered","direction":"outbound"}"#,
/// # )?;
/// let spec: StrategySpec = serde_json::from_str(
///     r#"{"id":"calls","kind":"blocks",
///         "terms":{"block_ms":30000,"per_block":"0.2","scope":"call"}}"#,
/// )?;
/// let item = Item::Call(call); // of 61 s
/// let arrival = Arrival::new(&item, "2026-10-05".parse()?, "EUR".parse()?);
/// let priced = Blocks::try_new(&spec)?.on_arrival(&arrival)?;
/// assert_eq!((priced.totals.quantity.to_string(), priced.unit.as_str()), ("3".into(), "block"));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Blocks {
    calls: Calls,
    terms: BlocksTerms,
    unit: Unit,
}

impl Blocks {
    /// Builds the strategy from its document.
    ///
    /// # Errors
    ///
    /// [`Problem`] if the terms are not [`BlocksTerms`].
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::plan::{Blocks, StrategySpec};
    ///
    /// let spec: StrategySpec = serde_json::from_str(
    ///     r#"{"id":"calls","kind":"blocks","terms":{"block_ms":0,"per_block":"0.2","scope":"call"}}"#,
    /// )?;
    /// assert!(Blocks::try_new(&spec).is_err(), "a block is never empty");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn try_new(spec: &StrategySpec) -> Result<Self, Problem> {
        let terms: BlocksTerms = kinds::terms(spec)?;
        let unit = match terms.scope {
            BlockScope::Call => kinds::unit("block")?,
            BlockScope::Period | BlockScope::Lifetime => kinds::milliseconds()?,
        };
        Ok(Self { calls: Calls::of(spec)?, terms, unit })
    }

    /// The size of a block for a reader: in seconds where it is whole ones.
    fn size(&self) -> String {
        let milliseconds = self.terms.block_ms.get();
        match (milliseconds.checked_rem(1_000), milliseconds.checked_div(1_000)) {
            (Some(0), Some(seconds)) => format!("{seconds} s"),
            _ => format!("{milliseconds} ms"),
        }
    }

    /// The blocks that a scope's quantity makes.
    fn blocks(&self, quantity: Quantity) -> Exact {
        let quantity = Exact::from(quantity);
        match self.terms.scope {
            BlockScope::Call => quantity,
            BlockScope::Period | BlockScope::Lifetime => {
                let block = Exact::from_integer(i128::from(self.terms.block_ms.get()));
                // A block is never empty.
                quantity.checked_div(&block).unwrap_or(quantity).ceil()
            }
        }
    }
}

impl Strategy for Blocks {
    fn id(&self) -> &StrategyId {
        &self.calls.strategy
    }

    fn group(&self, item: &Item) -> Option<Group> {
        self.calls.group(item)
    }

    fn on_arrival(&self, arrival: &Arrival<'_>) -> Result<Priced, Problem> {
        let call = kinds::call(arrival.item())?;
        let quantity = match self.terms.scope {
            BlockScope::Call => call.charged_ms().div_ceil(u64::from(self.terms.block_ms.get())),
            BlockScope::Period | BlockScope::Lifetime => call.charged_ms(),
        };
        kinds::counted(self.unit.clone(), quantity, call)
    }

    fn scope(&self) -> Scope {
        match self.terms.scope {
            BlockScope::Call => Scope::Stretch,
            BlockScope::Period => Scope::Period,
            BlockScope::Lifetime => Scope::Lifetime,
        }
    }

    fn settle(&self, facts: &StretchFacts, bill: &mut Bill) -> Result<(), Problem> {
        for (group, usage) in &facts.usage {
            let after = self.blocks(usage.quantity_after()?);
            let blocks = after.sub(&self.blocks(usage.before.quantity));
            let text = format!("{blocks} blocks of {} at {}", self.size(), self.terms.per_block);
            bill.charge(group.clone(), blocks.mul(&Exact::from(self.terms.per_block)), text);
        }
        Ok(())
    }
}
