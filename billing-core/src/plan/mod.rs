//! Plans: data that a plan book builds into strategies.

mod book;
mod kinds;
mod spec;
mod strategy;
mod strict_json;

pub use book::{BuildPlanError, Kind, Plan, PlanBook};
pub use kinds::{BlockScope, Blocks, BlocksTerms, FlatRate, FlatRateTerms, Minutes};
pub use spec::{AppliesTo, Payment, PlanSpec, StrategySpec};
pub use strategy::{Arrival, Bill, Charge, GroupUsage, Priced, Problem, Strategy, StretchFacts};
