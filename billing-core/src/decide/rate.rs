//! What the strategies of a plan make of one item: the rule that everything recorded can be held against again.

use alloc::{string::ToString as _, vec::Vec};

use crate::{
    decide::ParkReason,
    id::{Group, StrategyId},
    item::Item,
    money::Currency,
    plan::{Arrival, Plan, Priced},
    time::Day,
};

/// What one strategy makes of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rated {
    /// The strategy.
    pub strategy: StrategyId,
    /// The group.
    pub group: Group,
    /// Quantity and amount.
    pub priced: Priced,
}

/// Rates an item under a plan: what each of its strategies makes of it. Depends on nothing else.
///
/// # Errors
///
/// [`ParkReason::NoPrice`] if no strategy claims the item, [`ParkReason::Unpriceable`] if one cannot price it.
///
/// # Examples
///
/// ```
/// use billing_core::{decide::{ParkReason, rate}, item::{Call, Direction, Item}, plan::PlanBook};
/// # use billing_core::{item::CallEnded, plan::PlanSpec};
///
/// # let spec: PlanSpec = serde_json::from_str(
/// #     r#"{"id":"basic","version":1,"currency":"EUR","payment":"postpaid",
/// #         "strategies":[{"id":"calls","kind":"flat_rate","applies_to":{"directions":["outbound"]},
/// #                        "terms":{"per_minute":"0.02","minutes":"pro_rata"}}]}"#,
/// # )?;
/// # let call: CallEnded = serde_json::from_str(
/// #     r#"{"key":{"source":"pbx","id":"1"},"account":"alice",
/// #         "call":{"start":"2026-10-05T08:00:00Z","duration_ms":4500000,"caller":"","callee":"",
/// #                 "disposition":"answered","direction":"outbound"}}"#,
/// # )?;
/// # let CallEnded { call, .. } = call;
/// let plan = PlanBook::standard().build(spec)?; // for outbound calls alone
/// let (day, currency) = ("2026-10-05".parse()?, "EUR".parse()?);
/// let rated = rate(&plan, &Item::Call(call.clone()), day, currency)?;
/// assert_eq!((rated.len(), rated[0].strategy.as_str()), (1, "calls"));
/// assert_eq!(rated[0].priced.totals.quantity.to_string(), "4500000");
///
/// let inbound = Item::Call(Call { direction: Direction::Inbound, ..call });
/// let no_price = ParkReason::NoPrice { plan: "basic".parse()?, version: 1 };
/// assert_eq!(rate(&plan, &inbound, day, currency), Err(no_price));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub fn rate(
    plan: &Plan,
    item: &Item,
    day: Day,
    currency: Currency,
) -> Result<Vec<Rated>, ParkReason> {
    let arrival = Arrival::new(item, day, currency);
    let mut rated = Vec::with_capacity(1);
    for strategy in plan.strategies() {
        let Some(group) = strategy.group(item) else { continue };
        let priced = strategy.on_arrival(&arrival).map_err(|problem| ParkReason::Unpriceable {
            strategy: strategy.id().clone(),
            why: problem.to_string(),
        })?;
        rated.push(Rated { strategy: strategy.id().clone(), group, priced });
    }
    if rated.is_empty() {
        let (plan, version) = (plan.spec().id.clone(), plan.spec().version);
        return Err(ParkReason::NoPrice { plan, version });
    }
    Ok(rated)
}
