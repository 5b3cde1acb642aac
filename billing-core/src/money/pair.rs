//! An amount together with its currency.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::money::{Amount, Currency, MoneyError};

/// An amount of money in a currency.
///
/// May have more decimals than the currency is paid in; nothing is rounded here.
///
/// # Examples
///
/// ```
/// use billing_core::money::{Currency, Money};
///
/// let money = Money::new("1.5".parse()?, Currency::try_new("EUR")?);
/// assert_eq!(money.to_string(), "1.50 EUR");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Money {
    amount: Amount,
    currency: Currency,
}

impl Money {
    /// Puts an amount and its currency together.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::money::{Amount, Currency, Money};
    ///
    /// let money = Money::new(Amount::ZERO, Currency::try_new("JPY")?);
    /// assert_eq!(money.to_string(), "0 JPY");
    /// # Ok::<(), billing_core::money::UnknownCurrency>(())
    /// ```
    #[must_use]
    pub const fn new(amount: Amount, currency: Currency) -> Self {
        Self { amount, currency }
    }

    /// The amount, in units of the currency.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::money::{Amount, Currency, Money};
    ///
    /// let money = Money::new(Amount::ZERO, Currency::try_new("JPY")?);
    /// assert_eq!(money.amount(), Amount::ZERO);
    /// # Ok::<(), billing_core::money::UnknownCurrency>(())
    /// ```
    #[must_use]
    pub const fn amount(self) -> Amount {
        self.amount
    }

    /// The currency.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::money::{Amount, Currency, Money};
    ///
    /// let money = Money::new(Amount::ZERO, Currency::try_new("JPY")?);
    /// assert_eq!(money.currency().code(), "JPY");
    /// # Ok::<(), billing_core::money::UnknownCurrency>(())
    /// ```
    #[must_use]
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// The exact sum.
    ///
    /// # Errors
    ///
    /// [`MoneyError::CurrencyMismatch`], and [`MoneyError::OutOfBounds`] as for amounts.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::money::{Currency, Money};
    ///
    /// let euro = Money::new("1.5".parse()?, Currency::try_new("EUR")?);
    /// let yen = Money::new("2".parse()?, Currency::try_new("JPY")?);
    /// assert_eq!(euro.checked_add(euro)?.to_string(), "3.00 EUR");
    /// assert!(euro.checked_add(yen).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.expect_currency_of(other)?;
        self.amount.checked_add(other.amount).map(|amount| Self::new(amount, self.currency))
    }

    /// The exact difference.
    ///
    /// # Errors
    ///
    /// [`MoneyError::CurrencyMismatch`], and [`MoneyError::OutOfBounds`] as for amounts.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::money::{Currency, Money};
    ///
    /// let euro = Money::new("1.5".parse()?, Currency::try_new("EUR")?);
    /// assert!(euro.checked_sub(euro)?.amount().is_zero());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.expect_currency_of(other)?;
        self.amount.checked_sub(other.amount).map(|amount| Self::new(amount, self.currency))
    }

    /// The same amount on the other side of 0.
    ///
    /// # Errors
    ///
    /// None today: the bounds are the same on both sides of 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::money::{Currency, Money};
    ///
    /// let euro = Money::new("1.5".parse()?, Currency::try_new("EUR")?);
    /// assert_eq!(euro.checked_neg()?.to_string(), "-1.50 EUR");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn checked_neg(self) -> Result<Self, MoneyError> {
        self.amount.checked_neg().map(|amount| Self::new(amount, self.currency))
    }

    fn expect_currency_of(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(MoneyError::CurrencyMismatch { left: self.currency, right: other.currency })
        }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let amount = self.amount.to_fixed(self.currency.decimals());
        write!(f, "{amount} {}", self.currency)
    }
}
