//! What the strategies of a plan make of one item: the rule that everything recorded can be held against again.

use alloc::{string::ToString as _, vec::Vec};

use crate::{
    account::{Assignment, assignment_on},
    decide::{AccountFacts, ParkReason, Plans, facts::plan_of},
    id::{Group, StrategyId},
    item::Item,
    plan::{Arrival, Plan, Priced, Problem, Strategy},
    tariff::{Explanation, Tariffs},
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

/// Rates an item on its arrival under a plan: what each of its strategies makes of it. Depends on nothing else.
///
/// # Errors
///
/// [`ParkReason::NoPrice`] if no strategy claims the item, [`ParkReason::Unpriceable`] if one cannot price it.
///
/// # Examples
///
/// ```
/// use billing_core::{decide::{ParkReason, rate}, item::{Call, Direction, Item}, plan::{Arrival, PlanBook}};
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
/// let item = Item::Call(call.clone());
/// let rated = rate(&plan, &Arrival::new(&item, day, currency))?;
/// assert_eq!((rated.len(), rated[0].strategy.as_str()), (1, "calls"));
/// assert_eq!(rated[0].priced.totals.quantity.to_string(), "4500000");
///
/// let inbound = Item::Call(Call { direction: Direction::Inbound, ..call });
/// let no_price = ParkReason::NoPrice { plan: "basic".parse()?, version: 1 };
/// assert_eq!(rate(&plan, &Arrival::new(&inbound, day, currency)), Err(no_price));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub fn rate(plan: &Plan, arrival: &Arrival<'_>) -> Result<Vec<Rated>, ParkReason> {
    let item = arrival.item();
    let mut rated = Vec::with_capacity(1);
    for strategy in plan.strategies() {
        let Some(group) = strategy.group(item) else { continue };
        let priced = strategy.on_arrival(arrival);
        let priced = priced.map_err(|problem| unpriceable(strategy, &problem))?;
        let group = priced.group.clone().unwrap_or(group);
        rated.push(Rated { strategy: strategy.id().clone(), group, priced });
    }
    if rated.is_empty() {
        let (plan, version) = (plan.spec().id.clone(), plan.spec().version);
        return Err(ParkReason::NoPrice { plan, version });
    }
    Ok(rated)
}

/// The day of an account's item, under which assignment it is rated, and as what.
pub(super) fn rated_for<'a>(
    account: &'a AccountFacts,
    plans: &Plans,
    tariffs: &Tariffs,
    item: &Item,
) -> Result<(Day, &'a Assignment, Vec<Rated>), ParkReason> {
    let AccountFacts { settings, assignments, .. } = account;
    let day = settings.zone.day_of(item.at());
    let assignment = assignment_on(assignments, day).ok_or(ParkReason::NoPlan { day })?;
    let in_calendar = settings.anchor.period_of(day).is_ok();
    let () = in_calendar.then_some(()).ok_or(ParkReason::OutOfCalendar { day })?;
    let plan = plan_of(plans, assignment)?;
    let arrival = Arrival::new(item, day, settings.currency);
    Ok((day, assignment, rate(plan, &arrival.with_tariffs(tariffs))?))
}

/// Why an item costs what it costs, for each strategy of a plan that a tariff priced it for.
///
/// # Errors
///
/// [`ParkReason::Unpriceable`] if a strategy cannot price it.
///
/// # Examples
///
/// See `Tenant::explain_item` of the store, which asks it of what is recorded.
pub fn explain(
    plan: &Plan,
    arrival: &Arrival<'_>,
) -> Result<Vec<(StrategyId, Explanation)>, ParkReason> {
    let mine = plan.strategies().filter(|strategy| strategy.group(arrival.item()).is_some());
    let explained = mine.filter_map(|strategy| match strategy.explain(arrival) {
        Ok(explanation) => Some(Ok((strategy.id().clone(), explanation?))),
        Err(problem) => Some(Err(unpriceable(strategy, &problem))),
    });
    explained.collect()
}

fn unpriceable(strategy: &dyn Strategy, problem: &Problem) -> ParkReason {
    ParkReason::Unpriceable { strategy: strategy.id().clone(), why: problem.to_string() }
}
