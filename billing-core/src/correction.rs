//! Corrections of what was recorded: what is asked for, and the report of what it changed.

use alloc::{collections::BTreeSet, string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use crate::{
    digest::Digest,
    event::{Cause, Posting},
    id::{AccountId, CorrectionId, Group, PlanId, StrategyId, TariffId, Unit},
    item::{Item, ItemKey},
    money::{Amount, Currency, MoneyError, Quantity},
    tariff::Activation,
    terms::Overrides,
    time::{Day, Instant},
    usage::Totals,
};

/// A correction as it is asked for: under an id of the caller's, which is claimed for ever.
///
/// # Examples
///
/// ```
/// use billing_core::correction::{Change, Correction};
///
/// let json = r#"{"id":"ticket-7","reason":"a test call",
///                "change":{"kind":"void","key":{"source":"pbx","id":"1"}}}"#;
/// let correction: Correction = serde_json::from_str(json)?;
/// assert_eq!(correction.change.name(), "void");
/// assert!(matches!(correction.change, Change::Void { .. }));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Correction {
    /// What it is known by.
    pub id: CorrectionId,
    /// Why it is made, without personal data.
    pub reason: String,
    /// What it changes.
    pub change: Change,
}

/// What a correction changes. Nothing that was posted is edited: its effect is taken back, and what is right is posted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Change {
    /// An item is taken back: it is not billed.
    Void {
        /// Which.
        key: ItemKey,
    },
    /// An item has other content, under the same key and of the same account. What was taken back counts again so.
    Amend {
        /// Which.
        key: ItemKey,
        /// What it should have been reported as.
        item: Item,
    },
    /// Items are rated anew, under the plans and tariffs that are in force for their time.
    Rerate {
        /// Which.
        selection: Selection,
    },
    /// A version of a tariff comes into force before usage that is priced, which is rated anew by it.
    ActivateTariff {
        /// Which, and from when on.
        activation: Activation,
    },
    /// An account has a plan from a day on before which it was used; its usage from then on is rated anew under it.
    AssignPlan {
        /// Whose.
        account: AccountId,
        /// Which plan.
        plan: PlanId,
        /// Which version of it.
        version: u32,
        /// From which local day on.
        from: Day,
        /// The account's own terms.
        #[serde(default = "Overrides::none")]
        overrides: Overrides,
    },
}

impl Change {
    /// The name used in documents and in the store.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::correction::{Change, Selection};
    ///
    /// assert_eq!(Change::Rerate { selection: Selection::all() }.name(), "rerate");
    /// ```
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Void { .. } => "void",
            Self::Amend { .. } => "amend",
            Self::Rerate { .. } => "rerate",
            Self::ActivateTariff { .. } => "activate_tariff",
            Self::AssignPlan { .. } => "assign_plan",
        }
    }

    /// The cause that its postings name.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::{correction::{Change, Selection}, event::Cause};
    ///
    /// assert_eq!(Change::Rerate { selection: Selection::all() }.cause(), Cause::Rerate);
    /// ```
    #[must_use]
    pub const fn cause(&self) -> Cause {
        match self {
            Self::Void { .. } => Cause::Void,
            Self::Amend { .. } => Cause::Amend,
            Self::Rerate { .. } | Self::ActivateTariff { .. } | Self::AssignPlan { .. } => {
                Cause::Rerate
            }
        }
    }
}

/// Which items are rated anew: those that all of it applies to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// Of these accounts; of all if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accounts: Option<BTreeSet<AccountId>>,
    /// That happened at this instant or after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Instant>,
    /// That happened before this instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Instant>,
    /// That this tariff has priced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tariff: Option<TariffId>,
    /// That this version of the tariff has priced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
}

impl Selection {
    /// All items of all accounts.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::correction::Selection;
    ///
    /// let accounts = Some([("alice".parse()?)].into());
    /// let of_alice = Selection { accounts, ..Selection::all() };
    /// assert_eq!(serde_json::to_string(&of_alice)?, r#"{"accounts":["alice"]}"#);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn all() -> Self {
        Self { accounts: None, from: None, until: None, tariff: None, version: None }
    }

    /// Whether an item is selected that happened at `at` and counts as `postings`.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::correction::Selection;
    ///
    /// let from = Some("2026-10-05T00:00:00Z".parse()?);
    /// let since = Selection { from, ..Selection::all() };
    /// assert!(since.selects("2026-10-05T08:00:00Z".parse()?, &[]));
    /// assert!(!since.selects("2026-10-04T08:00:00Z".parse()?, &[]));
    /// # Ok::<(), billing_core::time::TimeError>(())
    /// ```
    #[must_use]
    pub fn selects(&self, at: Instant, postings: &[Posting]) -> bool {
        let Self { from, until, tariff, version, .. } = self;
        let priced = |posting: &Posting| {
            posting.provenance.as_ref().is_some_and(|by| {
                tariff.as_ref().is_none_or(|tariff| by.tariff == *tariff)
                    && version.is_none_or(|version| by.version == version)
            })
        };
        let in_time = from.is_none_or(|from| from <= at) && until.is_none_or(|until| at < until);
        in_time && ((tariff.is_none() && version.is_none()) || postings.iter().any(priced))
    }
}

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

/// A correction that was made, with its report: what a repetition is recognised by and answered with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedCorrection {
    /// What was asked for.
    pub correction: Correction,
    /// When it was made.
    pub at: Instant,
    /// What it changed.
    pub report: CorrectionReport,
}

impl RecordedCorrection {
    /// A digest of all of it, kept beside it so that an edited one is found.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::correction::{Change, Correction, CorrectionReport, RecordedCorrection, Selection};
    ///
    /// let change = Change::Rerate { selection: Selection::all() };
    /// let correction = Correction { id: "june".parse()?, reason: "a new deck".into(), change };
    /// let (at, report) = ("2026-10-05T12:00:00Z".parse()?, CorrectionReport::default());
    /// let recorded = RecordedCorrection { correction, at, report };
    /// let other = RecordedCorrection { at: "2026-10-05T12:00:01Z".parse()?, ..recorded.clone() };
    /// assert_ne!(recorded.digest(), other.digest());
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn digest(&self) -> Digest {
        // Serialising a value made of texts, numbers and lists of them cannot fail.
        Digest::of().text(&serde_json::to_string(self).unwrap_or_default()).finish()
    }
}
