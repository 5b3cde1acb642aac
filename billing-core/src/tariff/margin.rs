//! Both sides of a call: what the customer pays for it, what the supplier takes, and what is left.

use serde::{Deserialize, Serialize};

use crate::{
    money::{Currency, Exact, Money, MoneyError, Price, Rounding},
    tariff::{RateError, Rated, Rater, Usage},
};

/// What one usage brings in and what it costs, in the currency of the customer's tariff.
#[derive(Clone, Copy, Debug)]
pub struct Margin<'t> {
    /// What the customer pays.
    pub price: Money,
    /// What the supplier takes.
    pub cost: Money,
    /// What is left: less than nothing at a loss.
    pub margin: Money,
    /// Whether the cost is above the price.
    pub loss: bool,
    /// The customer's side.
    pub sold: Rated<'t>,
    /// The supplier's side, in the currency of its tariff.
    pub bought: Rated<'t>,
}

/// What one unit of a currency is in another, as a fact that somebody states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExchangeRate {
    /// The currency that is exchanged.
    pub from: Currency,
    /// The currency it becomes.
    pub to: Currency,
    /// So many units of `to` for one of `from`; more than 0.
    pub rate: Price,
    /// The decimals an exchanged amount is rounded to: 0 to 10.
    pub decimals: u8,
    /// How it is rounded, once.
    pub rounding: Rounding,
}

/// Usage has no margin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MarginError {
    /// The customer's tariff has no price for it.
    #[error("the customer's tariff has no price for this usage")]
    Customer(#[source] RateError),
    /// The supplier's tariff has no price for it.
    #[error("the supplier's tariff has no price for this usage")]
    Supplier(#[source] RateError),
    /// The tariffs are in two currencies, and the exchange rate is not from one to the other.
    #[error(
        "the price is in {price}, the cost in {cost}: an exchange rate from {cost} to {price} is needed"
    )]
    Currencies {
        /// The currency of the customer's tariff.
        price: Currency,
        /// The currency of the supplier's tariff.
        cost: Currency,
    },
    /// The exchange rate is 0.
    #[error("the exchange rate from {from} to {to} is 0: more than 0 is accepted")]
    Rate {
        /// The currency that is exchanged.
        from: Currency,
        /// The currency it becomes.
        to: Currency,
    },
    /// An amount leaves its bounds.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl<'t> Rater<'t> {
    /// What is left of usage that is sold at these prices and bought at a supplier's.
    ///
    /// The exchange rate is used where the tariffs are in two currencies, and otherwise left alone.
    ///
    /// # Errors
    ///
    /// [`MarginError`], which says which side has no price, or that the exchange rate is missing.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::tariff::{Rater, Tariff, Usage};
    ///
    /// # let spec = |price: &str| serde_json::from_str(&format!(
    /// #     r#"{{"id":"retail","version":1,"currency":"EUR","zone":"UTC","decimals":4,"rounding":"half_up",
    /// #         "lines":[{{"destination":"Germany","to":{{"prefixes":["49"]}},
    /// #                   "bands":[{{"price":"{price}","per":"60","increment":"60"}}]}}]}}"#,
    /// # ));
    /// let retail = Tariff::compile(&spec("0.02")?)?; // by the minute
    /// let supplier = Tariff::compile(&spec("0.025")?)?;
    /// let call = Usage::call(&"+4930123456".parse()?, "2026-10-05T08:00:00Z".parse()?, 61_000);
    /// let margin = Rater::Version(&retail).margin(&Rater::Version(&supplier), &call, None)?;
    /// assert_eq!((margin.margin.amount().to_string(), margin.loss), ("-0.01".to_owned(), true));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn margin(
        &self,
        supplier: &Self,
        usage: &Usage,
        exchange: Option<&ExchangeRate>,
    ) -> Result<Margin<'t>, MarginError> {
        let sold = self.rate(usage).map_err(MarginError::Customer)?;
        let bought = supplier.rate(usage).map_err(MarginError::Supplier)?;
        let (price, paid) = (money(&sold), money(&bought));
        let cost = in_currency(paid, price.currency(), exchange)?;
        let margin = price.checked_sub(cost)?;
        let loss = margin.amount().is_negative();
        Ok(Margin { price, cost, margin, loss, sold, bought })
    }
}

fn money(rated: &Rated<'_>) -> Money {
    Money::new(rated.amount(), rated.tariff().currency())
}

fn in_currency(
    paid: Money,
    price: Currency,
    exchange: Option<&ExchangeRate>,
) -> Result<Money, MarginError> {
    let cost = paid.currency();
    if cost == price {
        return Ok(paid);
    }
    let fits = exchange.filter(|rate| rate.from == cost && rate.to == price);
    let ExchangeRate { from, to, rate, decimals, rounding } =
        *fits.ok_or(MarginError::Currencies { price, cost })?;
    if rate.is_zero() {
        return Err(MarginError::Rate { from, to });
    }
    let exact = Exact::from(paid.amount()).mul(&Exact::from(rate));
    Ok(Money::new(exact.round(decimals.into(), rounding)?, to))
}
