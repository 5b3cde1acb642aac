//! Charges that are made once: every plan has them.

use alloc::format;

use crate::{
    id::{Group, StrategyId},
    item::Item,
    money::{Exact, Quantity},
    plan::{Arrival, Bill, Priced, Problem, Strategy, StretchFacts, kinds},
    usage::Totals,
};

/// The strategy that every plan ends with: takes the price that a one-off charge comes with, in a group of the charge's name.
///
/// # Examples
///
/// ```
/// use billing_core::{item::{Item, OneOff}, plan::{Arrival, OneOffs, Strategy}};
///
/// let setup: OneOff = serde_json::from_str(
///     r#"{"at":"2026-10-05T08:00:00Z","name":"set-up","price":{"amount":"49.90","currency":"EUR"}}"#,
/// )?;
/// let item = Item::OneOff(setup);
/// let (day, strategy) = ("2026-10-05".parse()?, OneOffs::try_new()?);
/// let priced = strategy.on_arrival(&Arrival::new(&item, day, "EUR".parse()?))?;
/// assert_eq!(priced.totals.amount, Some("49.90".parse()?));
/// assert!(strategy.on_arrival(&Arrival::new(&item, day, "USD".parse()?)).is_err());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct OneOffs {
    strategy: StrategyId,
}

impl OneOffs {
    /// The id it has in every plan; no other strategy may have it.
    pub const ID: &str = "one_off";

    /// Builds the strategy.
    ///
    /// # Errors
    ///
    /// Never; [`Self::ID`] is a valid id.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::plan::{OneOffs, Strategy};
    ///
    /// assert_eq!(OneOffs::try_new()?.id().as_str(), OneOffs::ID);
    /// # Ok::<(), billing_core::plan::Problem>(())
    /// ```
    pub fn try_new() -> Result<Self, Problem> {
        let strategy = StrategyId::try_new(Self::ID);
        Ok(Self { strategy: strategy.map_err(|error| Problem(format!("{error}")))? })
    }
}

impl Strategy for OneOffs {
    fn id(&self) -> &StrategyId {
        &self.strategy
    }

    fn group(&self, item: &Item) -> Option<Group> {
        match item {
            Item::OneOff(charge) => Some(charge.name.clone()),
            Item::Call(_) | Item::Pulse(_) => None,
        }
    }

    fn on_arrival(&self, arrival: &Arrival<'_>) -> Result<Priced, Problem> {
        let Item::OneOff(charge) = arrival.item() else {
            return Err(kinds::not_mine(arrival.item()));
        };
        let (theirs, ours) = (charge.price.currency(), arrival.currency());
        if theirs != ours {
            let problem = format!("a charge in {theirs} is not accepted: the account is in {ours}");
            return Err(Problem(problem));
        }
        let quantity = Quantity::from_u64(1)?;
        let totals = Totals { count: 1, quantity, amount: Some(charge.price.amount()) };
        Ok(Priced::new(kinds::unit("charge")?, totals))
    }

    fn settle(&self, facts: &StretchFacts, bill: &mut Bill) -> Result<(), Problem> {
        for (group, usage) in &facts.usage {
            let amount =
                usage.unbilled.amount.ok_or_else(|| Problem("a charge without a price".into()))?;
            bill.charge(group.clone(), Exact::from(amount), "charged once".into());
        }
        Ok(())
    }
}
