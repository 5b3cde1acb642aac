//! Calls and pulses that a tariff prices one by one, each when it arrives.

use alloc::{format, sync::Arc};
use core::slice;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use crate::{
    id::{Group, StrategyId, TariffId, Unit},
    item::{Call, Disposition, Item, Pulse},
    money::{Amount, Currency, Exact},
    number::PhoneNumber,
    plan::{
        AppliesTo, Arrival, Bill, Priced, Problem, Strategy, StrategySpec, StretchFacts, kinds,
    },
    tariff::{Explanation, Measure, Provenance, RateError, Rated, Tariff, TariffSpec, Usage},
    time::Instant,
    usage::Totals,
};

/// What the kind `tariff` asks for.
///
/// # Examples
///
/// ```
/// use billing_core::plan::TariffTerms;
///
/// let terms: TariffTerms = serde_json::from_str(r#"{"tariff":"retail"}"#)?;
/// assert_eq!(terms.tariff.as_str(), "retail");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TariffTerms {
    /// The tariff that prices.
    pub tariff: TariffId,
    /// The unit of the pulses that are charged for; calls are if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// The property of a pulse that holds the number it went to; without it only lines for any number price pulses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<CompactString>,
    /// Prices of the plan's or the account's own, asked before the tariff, of up to 1 000 lines and without fallbacks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own: Option<TariffSpec>,
}

/// A strategy of the kind `tariff`.
///
/// Each item costs what the tariff says at its start, rounded once by the tariff. It counts in the group of its destination, with
/// its billed usage: in `s` for calls, otherwise in the pulses' unit. An item without a price is parked.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
///
/// use billing_core::{item::Item, plan::{Arrival, ByTariff, Strategy, StrategySpec}};
/// use billing_core::tariff::{Tariff, Tariffs};
///
/// # let retail = serde_json::from_str(
/// #     r#"{"id":"retail","version":1,"currency":"EUR","zone":"UTC","decimals":4,"rounding":"half_up",
/// #         "lines":[{"destination":"Germany","to":{"prefixes":["49"]},
/// #                   "bands":[{"price":"0.02","per":"60","increment":"60"}]}]}"#,
/// # )?;
/// # let call = serde_json::from_str(
/// #     r#"{"start":"2026-10-05T08:00:00Z","duration_ms":61000,"caller":"","callee":"+4930123456",
/// #         "disposition":"answered","direction":"outbound"}"#,
/// # )?;
/// let spec: StrategySpec =
///     serde_json::from_str(r#"{"id":"calls","kind":"tariff","terms":{"tariff":"retail"}}"#)?;
/// let mut tariffs = Tariffs::new();
/// tariffs.activate(Arc::new(Tariff::compile(&retail)?), "2026-10-01T00:00:00Z".parse()?)?;
///
/// let item = Item::Call(call); // of 61 s to +49 30 ..., at 0.02 a started minute
/// let arrival = Arrival::new(&item, "2026-10-05".parse()?, "EUR".parse()?).with_tariffs(&tariffs);
/// let priced = ByTariff::try_new(&spec)?.on_arrival(&arrival)?;
/// assert_eq!(priced.totals.amount, Some("0.04".parse()?));
/// assert_eq!((priced.totals.quantity.to_string(), priced.unit.as_str()), ("120".into(), "s"));
/// assert_eq!(priced.group, Some("Germany".parse()?));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ByTariff {
    strategy: StrategyId,
    applies_to: AppliesTo,
    tariff: TariffId,
    pulses: Option<Unit>,
    number: Option<CompactString>,
    own: Option<Arc<Tariff>>,
    seconds: Unit,
    group: Group,
}

impl ByTariff {
    /// How many lines an own document may have.
    pub const OWN_LINES_MAX: usize = 1_000;

    /// Builds the strategy from its document, own prices compiled.
    ///
    /// # Errors
    ///
    /// [`Problem`] if the terms are not [`TariffTerms`], or the own prices are no tariff.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::plan::{ByTariff, StrategySpec};
    ///
    /// let spec: StrategySpec = serde_json::from_str(
    ///     r#"{"id":"calls","kind":"tariff","terms":{"tariff":"retail","own":
    ///         {"id":"of-alice","version":1,"currency":"EUR","zone":"UTC","decimals":4,
    ///          "rounding":"half_up","lines":[{"destination":"Germany","to":{"prefixes":["49"]}}]}}}"#,
    /// )?;
    /// let problem = ByTariff::try_new(&spec).unwrap_err();
    /// assert_eq!(problem.to_string(), "own prices: line 1: a line that is not blocked needs a band");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn try_new(spec: &StrategySpec) -> Result<Self, Problem> {
        let TariffTerms { tariff, unit, number, own } = kinds::terms(spec)?;
        if number.is_some() && unit.is_none() {
            let what = "`number` is not accepted without `unit`: a call says whom it went to";
            return Err(Problem(what.into()));
        }
        let measure = unit.as_ref().map_or(Measure::Time, |_| Measure::Units);
        let own = own.map(|own| compile_own(&own, &tariff, measure)).transpose()?;
        Ok(Self {
            strategy: spec.id.clone(),
            applies_to: spec.applies_to.clone(),
            group: kinds::group(tariff.as_str())?,
            seconds: kinds::unit("s")?,
            pulses: unit,
            tariff,
            number,
            own,
        })
    }

    fn usage(&self, item: &Item) -> Result<Usage, Problem> {
        match item {
            Item::Call(call) => Ok(usage_of_call(call, item.at())),
            Item::Pulse(pulse) => self.usage_of_pulse(pulse),
            Item::OneOff(_) => Err(kinds::not_mine(item)),
        }
    }

    fn usage_of_pulse(&self, pulse: &Pulse) -> Result<Usage, Problem> {
        let property = self.number.as_ref().and_then(|name| pulse.properties.get(name));
        let to = property.and_then(|text| PhoneNumber::try_new(text).ok());
        Usage::units(to.as_ref(), pulse.at, pulse.amount).ok_or_else(|| {
            let accepted = "0 and above, to the millionth and below 2^64 millionths, are";
            Problem(format!("an amount of {} is not accepted: {accepted}", pulse.amount))
        })
    }

    /// Whether nobody answered, to a destination that has no price: such attempts are everyday traffic, and no mistake to be mended.
    fn is_nothing(&self, arrival: &Arrival<'_>, usage: &Usage) -> bool {
        let Item::Call(call) = arrival.item() else { return false };
        let rated = || arrival.tariffs().rate_with(self.own.as_deref(), &self.tariff, usage);
        call.disposition != Disposition::Answered
            && matches!(rated(), Err(RateError::NoLine { .. } | RateError::Blocked { .. }))
    }

    fn rate<'t>(&'t self, usage: &Usage, arrival: &Arrival<'t>) -> Result<Rated<'t>, Problem> {
        let rated = arrival.tariffs().rate_with(self.own.as_deref(), &self.tariff, usage);
        let rated = rated.map_err(|error| no_price(&error, usage.at()))?;
        let (theirs, ours) = (rated.tariff().currency(), arrival.currency());
        if theirs == ours {
            return Ok(rated);
        }
        let at = usage.at();
        Err(Problem(format!("tariff {} is in {theirs} at {at}, not in {ours}", self.tariff)))
    }
}

fn compile_own(
    spec: &TariffSpec,
    tariff: &TariffId,
    measure: Measure,
) -> Result<Arc<Tariff>, Problem> {
    let refused = |what: &str| Err(Problem(format!("own prices: {what}")));
    if spec.lines.len() > ByTariff::OWN_LINES_MAX {
        return refused("more than 1000 lines are not accepted: what is longer is a tariff");
    }
    if spec.id == *tariff {
        return refused("the name of the tariff is not accepted: they have one of their own");
    }
    if !spec.fallback.is_empty() {
        return refused("`fallback` is not accepted: they fall back on the tariff");
    }
    if spec.measure != measure {
        return refused("calls are measured in `time`, pulses in `units`");
    }
    let own = Tariff::compile(spec);
    own.map(Arc::new).map_err(|error| Problem(format!("own prices: {error}")))
}

fn usage_of_call(call: &Call, start: Instant) -> Usage {
    let talk_ms = call.charged_ms();
    let usage = match call.callee.number() {
        Some(callee) => Usage::call(&callee, start, talk_ms),
        None => Usage::call_to_nobody(start, talk_ms),
    };
    call.caller.number().map_or(usage, |caller| usage.from(&caller))
}

/// Names the tariff and when it was asked; never a number.
fn no_price(error: &RateError, at: Instant) -> Problem {
    Problem(match error {
        RateError::NoLine { .. } | RateError::NotInForce { .. } | RateError::TooMuch { .. } => {
            format!("{error}")
        }
        RateError::Blocked { .. }
        | RateError::Measure { .. }
        | RateError::Currency { .. }
        | RateError::Money(_) => format!("{error}, at {at}"),
    })
}

impl Strategy for ByTariff {
    fn id(&self) -> &StrategyId {
        &self.strategy
    }

    fn group(&self, item: &Item) -> Option<Group> {
        let mine = match (item, &self.pulses) {
            (Item::Call(_), None) => true,
            (Item::Pulse(pulse), Some(unit)) => pulse.unit == *unit,
            (Item::Call(_), Some(_)) | (Item::Pulse(_), None) | (Item::OneOff(_), _) => false,
        };
        (mine && self.applies_to.includes(item)).then(|| self.group.clone())
    }

    fn on_arrival(&self, arrival: &Arrival<'_>) -> Result<Priced, Problem> {
        let usage = self.usage(arrival.item())?;
        if self.is_nothing(arrival, &usage) {
            let nothing = Totals::nothing(Some(Amount::ZERO));
            return Ok(Priced::new(self.seconds.clone(), nothing));
        }
        let rated = self.rate(&usage, arrival)?;
        let is_charged = match arrival.item() {
            Item::Call(call) => call.disposition == Disposition::Answered,
            Item::Pulse(_) | Item::OneOff(_) => true,
        };
        let (count, amount) = (i64::from(is_charged), Some(rated.amount()));
        let quantity = rated.tariff().measure().quantity(rated.billed_ms())?;
        let totals = Totals { count, quantity, amount };
        let unit = self.pulses.as_ref().unwrap_or(&self.seconds).clone();
        let (destination, provenance) = (rated.destination(), Provenance::of(&rated, &usage));
        Ok(Priced::new(unit, totals).by_tariff(destination.clone(), provenance))
    }

    fn tariffs(&self) -> &[TariffId] {
        slice::from_ref(&self.tariff)
    }

    fn currency(&self) -> Option<Currency> {
        self.own.as_ref().map(|own| own.currency())
    }

    fn explain(&self, arrival: &Arrival<'_>) -> Result<Option<Explanation>, Problem> {
        let usage = self.usage(arrival.item())?;
        let explained = arrival.tariffs().explain_with(self.own.as_deref(), &self.tariff, &usage);
        explained.map(Some).map_err(|error| no_price(&error, usage.at()))
    }

    fn settle(&self, facts: &StretchFacts, bill: &mut Bill) -> Result<(), Problem> {
        for (group, usage) in &facts.usage {
            let amount = usage.unbilled.amount;
            let amount = amount.ok_or_else(|| Problem("usage without a price".into()))?;
            bill.charge(group.clone(), Exact::from(amount), format!("by tariff {}", self.tariff));
        }
        Ok(())
    }
}
