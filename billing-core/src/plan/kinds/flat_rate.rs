//! One price a minute, pro rata or for each started minute.

use alloc::format;

use serde::{Deserialize, Serialize};

use crate::{
    id::{Group, StrategyId, Unit},
    item::Item,
    money::{Exact, Price},
    plan::{
        Arrival, Bill, Priced, Problem, Strategy, StrategySpec, StretchFacts,
        kinds::{self, Calls},
    },
};

const MINUTE_MS: u64 = 60_000;

/// What the kind `flat_rate` asks for.
///
/// # Examples
///
/// ```
/// use billing_core::plan::{FlatRateTerms, Minutes};
///
/// let json = r#"{"per_minute":"0.02","minutes":"per_started_minute"}"#;
/// let terms: FlatRateTerms = serde_json::from_str(json)?;
/// assert_eq!(terms.minutes, Minutes::PerStartedMinute);
/// # Ok::<(), serde_json::Error>(())
/// ```
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
///
/// Talk is counted in `ms` if minutes are pro rata, otherwise in `min`, for all its calls together in the group `calls`.
///
/// # Examples
///
/// ```
/// use billing_core::{item::Item, plan::{Arrival, FlatRate, Strategy}};
///
/// # use billing_core::plan::StrategySpec;
/// # let call = serde_json::from_str(
/// #     r#"{"start":"2026-10-05T08:00:00Z","duration_ms":61000,"caller":"","callee":"",
/// #         "disposition":"answered","direction":"outbound"}"#,
/// # )?;
/// let spec: StrategySpec = serde_json::from_str(
///     r#"{"id":"calls","kind":"flat_rate",
///         "terms":{"per_minute":"0.02","minutes":"per_started_minute"}}"#,
/// )?;
/// let item = Item::Call(call); // of 61 s
/// let arrival = Arrival::new(&item, "2026-10-05".parse()?, "EUR".parse()?);
/// let priced = FlatRate::try_new(&spec)?.on_arrival(&arrival)?;
/// assert_eq!((priced.totals.quantity.to_string(), priced.unit.as_str()), ("2".into(), "min"));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct FlatRate {
    calls: Calls,
    terms: FlatRateTerms,
    unit: Unit,
}

impl FlatRate {
    /// Builds the strategy from its document.
    ///
    /// # Errors
    ///
    /// [`Problem`] if the terms are not [`FlatRateTerms`].
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::plan::{FlatRate, StrategySpec};
    ///
    /// let spec: StrategySpec = serde_json::from_str(
    ///     r#"{"id":"calls","kind":"flat_rate","terms":{"minutes":"pro_rata"}}"#,
    /// )?;
    /// let problem = FlatRate::try_new(&spec).unwrap_err();
    /// assert_eq!(problem.to_string(), "missing field `per_minute`");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn try_new(spec: &StrategySpec) -> Result<Self, Problem> {
        let terms: FlatRateTerms = kinds::terms(spec)?;
        let unit = match terms.minutes {
            Minutes::ProRata => kinds::milliseconds()?,
            Minutes::PerStartedMinute => kinds::unit("min")?,
        };
        Ok(Self { calls: Calls::of(spec)?, terms, unit })
    }
}

impl Strategy for FlatRate {
    fn id(&self) -> &StrategyId {
        &self.calls.strategy
    }

    fn group(&self, item: &Item) -> Option<Group> {
        self.calls.group(item)
    }

    fn on_arrival(&self, arrival: &Arrival<'_>) -> Result<Priced, Problem> {
        let call = kinds::call(arrival.item())?;
        let quantity = match self.terms.minutes {
            Minutes::ProRata => call.charged_ms(),
            Minutes::PerStartedMinute => call.charged_ms().div_ceil(MINUTE_MS),
        };
        kinds::counted(self.unit.clone(), quantity, call)
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
