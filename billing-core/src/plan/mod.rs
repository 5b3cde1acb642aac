//! Plans: data that a plan book builds into strategies.

mod arrival;
mod book;
mod kinds;
mod spec;
mod strategy;

pub use arrival::{Arrival, Priced};
pub use book::{BuildPlanError, Kind, Plan, PlanBook};
pub use kinds::{
    BlockScope, Blocks, BlocksTerms, ByTariff, FlatRate, FlatRateTerms, Minutes, OneOffs, PerUnit,
    PerUnitTerms, Prepaid, PrepaidTerms, Proration, Recurring, RecurringTerms, TariffTerms, Timing,
    Unpriced,
};
pub use spec::{AppliesTo, Payment, PlanSpec, StrategySpec, UnknownStrategy};
pub use strategy::{Bill, Charge, Charged, Due, GroupUsage, Problem, Strategy, StretchFacts};
