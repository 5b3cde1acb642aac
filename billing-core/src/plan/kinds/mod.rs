//! The built-in kinds of strategy.

mod blocks;
mod by_tariff;
mod flat_rate;
mod one_offs;
mod per_unit;
mod prepaid;
mod recurring;
mod unpriced;

pub use blocks::{BlockScope, Blocks, BlocksTerms};
pub use by_tariff::{ByTariff, TariffTerms};
pub use flat_rate::{FlatRate, FlatRateTerms, Minutes};
pub use one_offs::OneOffs;
pub use per_unit::{PerUnit, PerUnitTerms};
pub use prepaid::{Prepaid, PrepaidTerms};
pub use recurring::{Proration, Recurring, RecurringTerms, Timing};
pub use unpriced::Unpriced;

use alloc::{format, string::String};

use crate::{
    account::Stretch,
    id::{Group, StrategyId, Unit},
    item::{Call, Disposition, Item},
    money::{Exact, Price, Quantity},
    plan::{AppliesTo, Priced, Problem, StrategySpec},
    usage::Totals,
};

/// Milliseconds of talk, the unit in which durations are added up.
fn milliseconds() -> Result<Unit, Problem> {
    unit("ms")
}

fn unit(name: &str) -> Result<Unit, Problem> {
    Unit::try_new(name).map_err(|error| Problem(format!("{error}")))
}

fn group(name: &str) -> Result<Group, Problem> {
    Group::try_new(name).map_err(|error| Problem(format!("{error}")))
}

/// The calls a strategy charges for, all in one group.
#[derive(Clone, Debug)]
struct Calls {
    strategy: StrategyId,
    applies_to: AppliesTo,
    group: Group,
}

impl Calls {
    fn of(spec: &StrategySpec) -> Result<Self, Problem> {
        let group = group("calls")?;
        let (strategy, applies_to) = (spec.id.clone(), spec.applies_to.clone());
        Ok(Self { strategy, applies_to, group })
    }

    fn group(&self, item: &Item) -> Option<Group> {
        let mine = matches!(item, Item::Call(_)) && self.applies_to.includes(item);
        mine.then(|| self.group.clone())
    }
}

/// The call that an item is; a strategy for calls is handed no other.
fn call(item: &Item) -> Result<&Call, Problem> {
    match item {
        Item::Call(call) => Ok(call),
        Item::Pulse(_) | Item::OneOff(_) => Err(not_mine(item)),
    }
}

fn not_mine(item: &Item) -> Problem {
    Problem(format!("an item of kind {} is not charged for here", item.kind()))
}

/// A quantity without an amount; counts the call if it was answered.
fn counted(unit: Unit, quantity: u64, call: &Call) -> Result<Priced, Problem> {
    let count = i64::from(call.disposition == Disposition::Answered);
    let totals = Totals { count, quantity: Quantity::from_u64(quantity)?, amount: None };
    Ok(Priced::new(unit, totals))
}

/// The amount of a pulse, in its unit, without a price.
fn metered(item: &Item) -> Result<Priced, Problem> {
    match item {
        Item::Pulse(pulse) => {
            let totals = Totals { count: 1, quantity: pulse.amount, amount: None };
            Ok(Priced::new(pulse.unit.clone(), totals))
        }
        Item::Call(_) | Item::OneOff(_) => Err(not_mine(item)),
    }
}

/// A price shared out by days: what a stretch costs of what a whole period does, and how to say it.
fn by_days(price: Price, stretch: &Stretch) -> (Exact, String) {
    let (days, whole) = (stretch.start.days_until(stretch.end), stretch.period.days());
    let share = Exact::from_integer(i128::from(days));
    // A period has a day at least.
    let share = share.checked_div(&Exact::from_integer(i128::from(whole))).unwrap_or(share);
    (Exact::from(price).mul(&share), format!("{days} of {whole} days at {price} a period"))
}

/// Refuses terms of a strategy that asks for none.
fn no_terms(spec: &StrategySpec) -> Result<(), Problem> {
    match &spec.terms {
        serde_json::Value::Null => Ok(()),
        serde_json::Value::Object(terms) if terms.is_empty() => Ok(()),
        _ => Err(Problem("terms are not accepted: the kind asks for none".into())),
    }
}

/// Refuses a condition on items in a strategy that charges without any.
fn without_items(spec: &StrategySpec) -> Result<(), Problem> {
    without_condition(spec, "the charge does not depend on items")
}

/// Refuses a condition on items, and says why there is none.
fn without_condition(spec: &StrategySpec, why: &str) -> Result<(), Problem> {
    if spec.applies_to.is_everything() {
        return Ok(());
    }
    Err(Problem(format!("`applies_to` is not accepted: {why}")))
}

/// Reads the terms of a strategy, naming what is wrong with them.
fn terms<T: serde::de::DeserializeOwned>(spec: &StrategySpec) -> Result<T, Problem> {
    T::deserialize(&spec.terms).map_err(|error| Problem(format!("{error}")))
}
