//! The report of a correction: sums before and after, and the first items that changed.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::{
    event::Posting,
    id::{AccountId, Group, StrategyId, Unit},
    item::ItemKey,
    money::{Amount, Currency, MoneyError, Quantity},
    time::Day,
    usage::Totals,
};

/// What a correction changed, or would change.
///
/// Amounts are those that the items alone decide. What is settled over all usage, such as blocks on a total, has none: there the
/// quantities are compared, and the next bill says what they cost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CorrectionReport {
    /// How many items were looked at.
    pub examined: u64,
    /// How many of them are posted anew or taken back.
    pub changed: u64,
    /// How many of them stay as they are.
    pub unchanged: u64,
    /// How many of those stay so because their persons are erased: they cannot be rated again.
    pub erased: u64,
    /// The amounts of what changed, by account and currency.
    pub amounts: Vec<AmountChange>,
    /// The quantities of what changed and has no amount, by account and unit.
    pub quantities: Vec<QuantityChange>,
    /// The first of the items that changed, at most [`ITEMS_MAX`](Self::ITEMS_MAX).
    pub items: Vec<ItemChange>,
}

/// What an account's changed items cost before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AmountChange {
    /// Whose.
    pub account: AccountId,
    /// In which currency.
    pub currency: Currency,
    /// The sum before.
    pub before: Amount,
    /// The sum after.
    pub after: Amount,
    /// What comes to it.
    pub difference: Amount,
}

/// What an account's changed items count as before and after, where no amount is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuantityChange {
    /// Whose.
    pub account: AccountId,
    /// Under which strategy.
    pub strategy: StrategyId,
    /// What is counted.
    pub unit: Unit,
    /// The sum before.
    pub before: Quantity,
    /// The sum after.
    pub after: Quantity,
    /// What comes to it.
    pub difference: Quantity,
}

/// An item that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemChange {
    /// Which.
    pub key: ItemKey,
    /// Whose.
    pub account: AccountId,
    /// What it counted as; nothing if it was taken back.
    pub before: Vec<Counted>,
    /// What it counts as; nothing if it is taken back.
    pub after: Vec<Counted>,
}

/// What an item counts as under one strategy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counted {
    /// On which local billing day.
    pub day: Day,
    /// Under which strategy.
    pub strategy: StrategyId,
    /// In which group.
    pub group: Group,
    /// What the quantity counts.
    pub unit: Unit,
    /// The currency of the amount.
    pub currency: Currency,
    /// How much.
    pub totals: Totals,
}

impl From<&Posting> for Counted {
    fn from(posting: &Posting) -> Self {
        Self {
            day: posting.day,
            strategy: posting.strategy.clone(),
            group: posting.group.clone(),
            unit: posting.unit.clone(),
            currency: posting.currency,
            totals: posting.totals,
        }
    }
}

impl CorrectionReport {
    /// How many of the items that changed are named.
    pub const ITEMS_MAX: usize = 100;

    /// Takes an item in that changed.
    ///
    /// # Errors
    ///
    /// [`MoneyError`] if a sum leaves its bounds.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::correction::{CorrectionReport, ItemChange};
    ///
    /// # let counted = serde_json::from_str(
    /// #     r#"{"day":"2026-10-05","strategy":"calls","group":"calls","unit":"ms","currency":"EUR",
    /// #         "totals":{"count":1,"quantity":"61000","amount":"0.02"}}"#,
    /// # )?;
    /// // A call of 0.02 EUR is taken back.
    /// let (key, account) = (serde_json::from_str(r#"{"source":"pbx","id":"1"}"#)?, "alice".parse()?);
    /// let mut report = CorrectionReport::default();
    /// report.change(ItemChange { key, account, before: vec![counted], after: vec![] })?;
    /// assert_eq!((report.changed, report.amounts[0].difference.to_string()), (1, "-0.02".into()));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn change(&mut self, item: ItemChange) -> Result<(), MoneyError> {
        self.examined = self.examined.saturating_add(1);
        self.changed = self.changed.saturating_add(1);
        for counted in &item.before {
            self.add(&item.account, counted, Side::Before)?;
        }
        for counted in &item.after {
            self.add(&item.account, counted, Side::After)?;
        }
        if self.items.len() < Self::ITEMS_MAX {
            self.items.push(item);
        }
        Ok(())
    }

    /// Takes an item in that stays as it is.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::correction::CorrectionReport;
    ///
    /// let mut report = CorrectionReport::default();
    /// report.keep();
    /// assert_eq!((report.examined, report.unchanged), (1, 1));
    /// ```
    pub const fn keep(&mut self) {
        self.examined = self.examined.saturating_add(1);
        self.unchanged = self.unchanged.saturating_add(1);
    }

    /// Takes an item in that stays as it is because its persons are erased.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::correction::CorrectionReport;
    ///
    /// let mut report = CorrectionReport::default();
    /// report.keep_erased();
    /// assert_eq!((report.examined, report.unchanged, report.erased), (1, 1, 1));
    /// ```
    pub const fn keep_erased(&mut self) {
        self.keep();
        self.erased = self.erased.saturating_add(1);
    }

    /// Takes another part of the same correction in.
    ///
    /// # Errors
    ///
    /// [`MoneyError`] if a sum leaves its bounds.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::correction::CorrectionReport;
    ///
    /// let mut report = CorrectionReport::default();
    /// report.keep();
    /// report.merge(report.clone())?;
    /// assert_eq!(report.unchanged, 2);
    /// # Ok::<(), billing_core::money::MoneyError>(())
    /// ```
    pub fn merge(&mut self, other: Self) -> Result<(), MoneyError> {
        self.examined = self.examined.saturating_add(other.examined);
        self.changed = self.changed.saturating_add(other.changed);
        self.unchanged = self.unchanged.saturating_add(other.unchanged);
        self.erased = self.erased.saturating_add(other.erased);
        for AmountChange { account, currency, before, after, .. } in other.amounts {
            self.amount(&account, currency, before, Side::Before)?;
            self.amount(&account, currency, after, Side::After)?;
        }
        for sum in other.quantities {
            let of = (&sum.account, &sum.strategy, &sum.unit);
            self.quantity(of, sum.before, Side::Before)?;
            self.quantity(of, sum.after, Side::After)?;
        }
        let left = Self::ITEMS_MAX.saturating_sub(self.items.len());
        self.items.extend(other.items.into_iter().take(left));
        Ok(())
    }

    fn add(
        &mut self,
        account: &AccountId,
        counted: &Counted,
        side: Side,
    ) -> Result<(), MoneyError> {
        if let Some(amount) = counted.totals.amount {
            return self.amount(account, counted.currency, amount, side);
        }
        let Counted { strategy, unit, totals, .. } = counted;
        self.quantity((account, strategy, unit), totals.quantity, side)
    }

    fn amount(
        &mut self,
        account: &AccountId,
        currency: Currency,
        amount: Amount,
        side: Side,
    ) -> Result<(), MoneyError> {
        let key = (account, currency.code());
        let found =
            self.amounts.binary_search_by(|sum| (&sum.account, sum.currency.code()).cmp(&key));
        let place = found.unwrap_or_else(|place| {
            let (account, zero) = (account.clone(), Amount::ZERO);
            let (before, after, difference) = (zero, zero, zero);
            self.amounts
                .insert(place, AmountChange { account, currency, before, after, difference });
            place
        });
        let Some(sum) = self.amounts.get_mut(place) else { return Ok(()) };
        match side {
            Side::Before => {
                sum.before = sum.before.checked_add(amount)?;
                sum.difference = sum.difference.checked_sub(amount)?;
            }
            Side::After => {
                sum.after = sum.after.checked_add(amount)?;
                sum.difference = sum.difference.checked_add(amount)?;
            }
        }
        Ok(())
    }

    fn quantity(
        &mut self,
        (account, strategy, unit): (&AccountId, &StrategyId, &Unit),
        quantity: Quantity,
        side: Side,
    ) -> Result<(), MoneyError> {
        let key = (account, strategy, unit);
        let place_of = |sum: &QuantityChange| (&sum.account, &sum.strategy, &sum.unit).cmp(&key);
        let found = self.quantities.binary_search_by(place_of);
        let place = found.unwrap_or_else(|place| {
            let zero = Quantity::ZERO;
            self.quantities.insert(
                place,
                QuantityChange {
                    account: account.clone(),
                    strategy: strategy.clone(),
                    unit: unit.clone(),
                    before: zero,
                    after: zero,
                    difference: zero,
                },
            );
            place
        });
        let Some(sum) = self.quantities.get_mut(place) else { return Ok(()) };
        match side {
            Side::Before => {
                sum.before = sum.before.checked_add(quantity)?;
                sum.difference = sum.difference.checked_sub(quantity)?;
            }
            Side::After => {
                sum.after = sum.after.checked_add(quantity)?;
                sum.difference = sum.difference.checked_add(quantity)?;
            }
        }
        Ok(())
    }
}

/// Which side of a change something stands on.
#[derive(Clone, Copy)]
enum Side {
    Before,
    After,
}
