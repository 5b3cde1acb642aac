//! The built-in kinds of strategy.

mod blocks;
mod flat_rate;

pub use blocks::{BlockScope, Blocks, BlocksTerms};
pub use flat_rate::{FlatRate, FlatRateTerms, Minutes};

use alloc::format;

use crate::{
    id::{Group, Unit},
    item::{Disposition, Item},
    money::Quantity,
    plan::{Priced, Problem, StrategySpec},
    usage::Totals,
};

/// Milliseconds of talk, the unit in which durations are added up.
fn milliseconds() -> Result<Unit, Problem> {
    unit("ms")
}

fn unit(name: &str) -> Result<Unit, Problem> {
    Unit::try_new(name).map_err(|error| Problem(format!("{error}")))
}

/// The one group of a strategy that does not tell its calls apart.
fn calls() -> Result<Group, Problem> {
    Group::try_new("calls").map_err(|error| Problem(format!("{error}")))
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
