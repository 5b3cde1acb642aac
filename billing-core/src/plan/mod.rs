//! Plans: data that a plan book builds into strategies.

mod book;
mod kinds;
mod spec;
mod strategy;

pub use book::{BuildPlanError, Kind, Plan, PlanBook};
pub use kinds::{
    BlockScope, Blocks, BlocksTerms, FlatRate, FlatRateTerms, Minutes, OneOffs, PerUnit,
    PerUnitTerms, Prepaid, PrepaidTerms, Proration, Recurring, RecurringTerms, Timing, Unpriced,
};
pub use spec::{AppliesTo, Payment, PlanSpec, StrategySpec, UnknownStrategy};
pub use strategy::{
    Arrival, Bill, Charge, Charged, Due, GroupUsage, Priced, Problem, Strategy, StretchFacts,
};
