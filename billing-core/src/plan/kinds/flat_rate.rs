//! One price a minute, pro rata or for each started minute.

use alloc::format;

use serde::{Deserialize, Serialize};

use crate::{
    id::{Group, StrategyId, Unit},
    item::Item,
    money::{Exact, Price},
    plan::{
        AppliesTo, Arrival, Bill, Priced, Problem, Strategy, StrategySpec, StretchFacts, kinds,
    },
};

const MINUTE_MS: u64 = 60_000;

/// What the kind `flat_rate` asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlatRateTerms {
    /// The price of a minute.
    pub per_minute: Price,
    /// What is a minute.
    pub minutes: Minutes,
}

/// How talk becomes minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Minutes {
    /// To the millisecond; the fraction is kept until the line is rounded.
    ProRata,
    /// Each call counts every minute it began.
    PerStartedMinute,
}

/// A strategy of the kind `flat_rate`.
#[derive(Clone, Debug)]
pub struct FlatRate {
    id: StrategyId,
    applies_to: AppliesTo,
    terms: FlatRateTerms,
    group: Group,
    unit: Unit,
}

impl FlatRate {
    /// Builds the strategy from its document.
    ///
    /// # Errors
    ///
    /// [`Problem`] if the terms are not [`FlatRateTerms`].
    pub fn try_new(spec: &StrategySpec) -> Result<Self, Problem> {
        let terms: FlatRateTerms = kinds::terms(spec)?;
        let unit = match terms.minutes {
            Minutes::ProRata => kinds::milliseconds()?,
            Minutes::PerStartedMinute => kinds::unit("min")?,
        };
        let (id, applies_to) = (spec.id.clone(), spec.applies_to.clone());
        Ok(Self { id, applies_to, terms, group: kinds::calls()?, unit })
    }
}

impl Strategy for FlatRate {
    fn id(&self) -> &StrategyId {
        &self.id
    }

    fn group(&self, item: &Item) -> Option<Group> {
        self.applies_to.includes(item).then(|| self.group.clone())
    }

    fn on_arrival(&self, arrival: &Arrival<'_>) -> Result<Priced, Problem> {
        let Item::Call(call) = arrival.item();
        let quantity = match self.terms.minutes {
            Minutes::ProRata => call.charged_ms(),
            Minutes::PerStartedMinute => call.charged_ms().div_ceil(MINUTE_MS),
        };
        kinds::counted(self.unit.clone(), quantity, arrival.item())
    }

    fn settle(&self, facts: &StretchFacts, bill: &mut Bill) -> Result<(), Problem> {
        for (group, usage) in &facts.usage {
            let units = Exact::from(usage.unbilled.quantity);
            let per = match self.terms.minutes {
                Minutes::ProRata => Exact::from_integer(i128::from(MINUTE_MS)),
                Minutes::PerStartedMinute => Exact::from_integer(1),
            };
            // The divisor is 60 000 or 1.
            let minutes = units.checked_div(&per).unwrap_or(units);
            let text = match self.terms.minutes {
                Minutes::ProRata => format!("at {} a minute, pro rata", self.terms.per_minute),
                Minutes::PerStartedMinute => {
                    format!("at {} a started minute", self.terms.per_minute)
                }
            };
            bill.charge(group.clone(), minutes.mul(&Exact::from(self.terms.per_minute)), text);
        }
        Ok(())
    }
}
