//! The built-in kinds of strategy.

mod blocks;
mod flat_rate;

pub use blocks::{BlockScope, Blocks, BlocksTerms};
pub use flat_rate::{FlatRate, FlatRateTerms, Minutes};

use alloc::format;

use crate::{
    id::{Group, StrategyId, Unit},
    item::{Disposition, Item},
    money::Quantity,
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

/// The calls a strategy charges for, all in one group.
#[derive(Clone, Debug)]
struct Calls {
    strategy: StrategyId,
    applies_to: AppliesTo,
    group: Group,
}

impl Calls {
    fn of(spec: &StrategySpec) -> Result<Self, Problem> {
        let group = Group::try_new("calls").map_err(|error| Problem(format!("{error}")))?;
        let (strategy, applies_to) = (spec.id.clone(), spec.applies_to.clone());
        Ok(Self { strategy, applies_to, group })
    }

    fn group(&self, item: &Item) -> Option<Group> {
        self.applies_to.includes(item).then(|| self.group.clone())
    }
}

/// A quantity without an amount; counts the call if it was answered.
fn counted(unit: Unit, quantity: u64, item: &Item) -> Result<Priced, Problem> {
    let count = match item {
        Item::Call(call) => i64::from(call.disposition == Disposition::Answered),
    };
    let totals = Totals { count, quantity: Quantity::from_u64(quantity)?, amount: None };
    Ok(Priced::new(unit, totals))
}

/// Reads the terms of a strategy, naming what is wrong with them.
fn terms<T: serde::de::DeserializeOwned>(spec: &StrategySpec) -> Result<T, Problem> {
    T::deserialize(&spec.terms).map_err(|error| Problem(format!("{error}")))
}
