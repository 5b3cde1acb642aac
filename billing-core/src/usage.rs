//! Sums of postings: what a day, a stretch and a scope have used.

use alloc::{
    collections::{BTreeMap, btree_map::Entry},
    vec::Vec,
};

use serde::{Deserialize, Serialize};

use crate::{
    id::{AccountId, Group, StrategyId, Unit},
    money::{Amount, Currency, Exact, MoneyError, Quantity},
    time::{Day, Period},
};

/// Counts, quantities and amounts that add up.
///
/// Signed, so that a correction subtracts. `amount` is `None` where the price is settled over all usage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Totals {
    /// How many items were charged for.
    pub count: i64,
    /// How much, in the strategy's unit.
    pub quantity: Quantity,
    /// For how much money, where each item decided its own price.
    pub amount: Option<Amount>,
}

/// Two totals cannot be added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TotalsError {
    /// The count left 64 bits.
    #[error("a count of items left the range of 64 bits")]
    Count,
    /// A sum left its bounds.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// One strategy gave amounts for some items and none for others.
    #[error(
        "a strategy prices either every item on arrival or none: one of two totals has an amount"
    )]
    Mixed,
}

impl Totals {
    /// Nothing, for a strategy that prices on arrival (`Some`) or settles (`None`).
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::usage::Totals;
    ///
    /// let nothing = Totals::nothing(None);
    /// assert_eq!((nothing.count, nothing.quantity.is_zero()), (0, true));
    /// ```
    #[must_use]
    pub const fn nothing(amount: Option<Amount>) -> Self {
        Self { count: 0, quantity: Quantity::ZERO, amount }
    }

    /// The sum of two totals, exact.
    ///
    /// # Errors
    ///
    /// [`TotalsError::Count`] or [`TotalsError::Money`] if a sum leaves its bounds, [`TotalsError::Mixed`] if only one of the two
    /// has an amount.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::{money::Quantity, usage::{Totals, TotalsError}};
    ///
    /// let call = Totals { count: 1, quantity: Quantity::from_u64(61_000)?, amount: None };
    /// let both = call.checked_add(call)?;
    /// assert_eq!((both.count, both.quantity), (2, Quantity::from_u64(122_000)?));
    ///
    /// let priced = Totals { amount: Some("0.05".parse()?), ..call };
    /// assert_eq!(call.checked_add(priced), Err(TotalsError::Mixed));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn checked_add(self, other: Self) -> Result<Self, TotalsError> {
        let amount = match (self.amount, other.amount) {
            (None, None) => None,
            (Some(one), Some(two)) => Some(one.checked_add(two)?),
            (None, Some(_)) | (Some(_), None) => return Err(TotalsError::Mixed),
        };
        Ok(Self {
            count: self.count.checked_add(other.count).ok_or(TotalsError::Count)?,
            quantity: self.quantity.checked_add(other.quantity)?,
            amount,
        })
    }

    /// The totals that take these back.
    ///
    /// # Errors
    ///
    /// [`TotalsError`] if a number leaves its bounds.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::{money::Quantity, usage::Totals};
    ///
    /// let talk = Totals { count: 1, quantity: Quantity::from_u64(61_000)?, amount: None };
    /// assert_eq!(talk.checked_add(talk.checked_neg()?)?, Totals::nothing(None));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn checked_neg(self) -> Result<Self, TotalsError> {
        Ok(Self {
            count: self.count.checked_neg().ok_or(TotalsError::Count)?,
            quantity: self.quantity.checked_neg()?,
            amount: self.amount.map(Amount::checked_neg).transpose()?,
        })
    }
}

/// What a day total is the total of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TotalKey {
    /// Who pays.
    pub account: AccountId,
    /// The local billing day.
    pub day: Day,
    /// Under which assignment.
    pub assignment: u32,
    /// Under which strategy.
    pub strategy: StrategyId,
    /// In which group of the strategy.
    pub group: Group,
    /// 1 for the first, and one more each time the day was closed.
    pub revision: u32,
}

/// The sum of the postings of one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayTotal {
    /// Of what.
    pub key: TotalKey,
    /// What the quantity counts.
    pub unit: Unit,
    /// The currency of the amount.
    pub currency: Currency,
    /// How much.
    pub totals: Totals,
    /// Whether the revision takes no more postings.
    pub closed: bool,
    /// Whether it is in a line of an invoice.
    pub billed: bool,
    /// Whether it is in a settlement.
    pub handed: bool,
}

/// What was used on one day under one strategy and group, over all revisions of the day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayUsage {
    /// The local billing day.
    pub day: Day,
    /// Under which assignment.
    pub assignment: u32,
    /// Under which strategy.
    pub strategy: StrategyId,
    /// In which group.
    pub group: Group,
    /// What the quantity counts.
    pub unit: Unit,
    /// How much.
    pub totals: Totals,
}

/// Adds the revisions of day totals up, in order of day, assignment, strategy and group. The totals are one account's.
///
/// # Errors
///
/// [`TotalsError`] if a sum leaves its bounds.
///
/// # Examples
///
/// ```
/// use billing_core::usage::{DayTotal, by_day};
///
/// # let total: DayTotal = serde_json::from_str(
/// #     r#"{"key":{"account":"alice","day":"2026-10-05","assignment":1,"strategy":"calls",
/// #                "group":"calls","revision":1},"unit":"ms","currency":"EUR",
/// #         "totals":{"count":1,"quantity":"4500000","amount":null},
/// #         "closed":true,"billed":false,"handed":true}"#,
/// # )?;
/// let mut late = total.clone();
/// late.key.revision = 2;
/// let usage = by_day(vec![total, late])?;
/// assert_eq!((usage.len(), usage[0].totals.count), (1, 2));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub fn by_day(totals: Vec<DayTotal>) -> Result<Vec<DayUsage>, TotalsError> {
    let mut days: BTreeMap<TotalKey, DayUsage> = BTreeMap::new();
    for DayTotal { key, unit, totals, .. } in totals {
        let TotalKey { day, assignment, strategy, group, .. } = key.clone();
        match days.entry(TotalKey { revision: 0, ..key }) {
            Entry::Occupied(mut sum) => {
                let sum = sum.get_mut();
                sum.totals = sum.totals.checked_add(totals)?;
            }
            Entry::Vacant(none) => {
                let _first: &mut DayUsage =
                    none.insert(DayUsage { day, assignment, strategy, group, unit, totals });
            }
        }
    }
    Ok(days.into_values().collect())
}

/// How far a strategy's counting reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One period under one assignment: each stretch is priced and rounded on its own.
    Stretch,
    /// The whole period, over changes of plan that keep the strategy's id.
    Period,
    /// For as long as the account has a strategy of this id.
    Lifetime,
}

/// One scope of one account.
///
/// Written `lifetime`, `period:2026-10-01` or `stretch:2026-10-01:2` (period's first day, assignment).
///
/// # Examples
///
/// ```
/// use billing_core::usage::ScopeKey;
///
/// let scope: ScopeKey = "stretch:2026-10-01:2".parse()?;
/// assert_eq!(scope, ScopeKey::Stretch("2026-10-01".parse()?, 2));
/// assert_eq!(scope.to_string(), "stretch:2026-10-01:2");
/// assert!("week:2026-10-01".parse::<ScopeKey>().is_err());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScopeKey {
    /// The period that starts on the day, under the assignment.
    Stretch(Day, u32),
    /// The period that starts on the day.
    Period(Day),
    /// All time.
    Lifetime,
}

impl ScopeKey {
    /// The scope that holds what is used in a period under an assignment.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::{time::Period, usage::{Scope, ScopeKey}};
    ///
    /// let october = Period::try_new("2026-10-01".parse()?, "2026-11-01".parse()?)?;
    /// assert_eq!(ScopeKey::of(Scope::Stretch, october, 2).to_string(), "stretch:2026-10-01:2");
    /// assert_eq!(ScopeKey::of(Scope::Period, october, 2).to_string(), "period:2026-10-01");
    /// assert_eq!(ScopeKey::of(Scope::Lifetime, october, 2), ScopeKey::Lifetime);
    /// # Ok::<(), billing_core::time::TimeError>(())
    /// ```
    #[must_use]
    pub const fn of(scope: Scope, period: Period, assignment: u32) -> Self {
        match scope {
            Scope::Stretch => Self::Stretch(period.start(), assignment),
            Scope::Period => Self::Period(period.start()),
            Scope::Lifetime => Self::Lifetime,
        }
    }
}

impl core::fmt::Display for ScopeKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Stretch(start, assignment) => write!(f, "stretch:{start}:{assignment}"),
            Self::Period(start) => write!(f, "period:{start}"),
            Self::Lifetime => f.write_str("lifetime"),
        }
    }
}

crate::id::text_serde!(ScopeKey, "a scope as text, such as \"lifetime\"", deserialize_text);

/// The text names no scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a scope is `lifetime`, `period:DAY` or `stretch:DAY:ASSIGNMENT`")]
pub struct InvalidScope;

impl core::str::FromStr for ScopeKey {
    type Err = InvalidScope;

    fn from_str(text: &str) -> Result<Self, InvalidScope> {
        let mut parts = text.split(':');
        let key = match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some("lifetime"), None, None, None) => Some(Self::Lifetime),
            (Some("period"), Some(day), None, None) => day.parse().ok().map(Self::Period),
            (Some("stretch"), Some(day), Some(number), None) => {
                day.parse().ok().zip(number.parse().ok()).map(|(day, n)| Self::Stretch(day, n))
            }
            _ => None,
        };
        key.ok_or(InvalidScope)
    }
}

/// Which carry: one scope of one strategy and group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CarryKey {
    /// Who pays.
    pub account: AccountId,
    /// Over what.
    pub scope: ScopeKey,
    /// Under which strategy.
    pub strategy: StrategyId,
    /// In which group.
    pub group: Group,
}

/// What a scope has been billed so far.
///
/// # Examples
///
/// ```
/// use billing_core::{money::Rounding, usage::Carry};
///
/// // What a line cost before rounding is kept, so that no fraction of a cent is lost.
/// let first = Carry {
///     quantity: "61000".parse()?,
///     exact: "0.0305".parse()?,
///     billed: "0.03".parse()?,
///     ..Carry::nothing()
/// };
/// let exact = first.exact.add(&"0.0305".parse()?);
/// let amount = exact.round(2, Rounding::HalfUp)?.checked_sub(first.billed)?;
/// assert_eq!(amount.to_string(), "0.03");
/// # Ok::<(), billing_core::money::MoneyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Carry {
    /// How much usage is in lines already, in the strategy's unit.
    pub quantity: Quantity,
    /// What that usage costs, before rounding.
    pub exact: Exact,
    /// What the lines say.
    pub billed: Amount,
    /// What the strategy keeps for itself until it settles the scope again; most keep nothing.
    pub kept: Exact,
}

impl Default for Carry {
    fn default() -> Self {
        Self::nothing()
    }
}

impl Carry {
    /// Nothing billed yet.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::usage::Carry;
    ///
    /// assert!(Carry::nothing().billed.is_zero());
    /// ```
    #[must_use]
    pub fn nothing() -> Self {
        let (exact, kept) = (Exact::zero(), Exact::zero());
        Self { quantity: Quantity::ZERO, exact, billed: Amount::ZERO, kept }
    }

    /// Whether nothing has been billed and nothing is kept.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::usage::Carry;
    ///
    /// assert!(Carry::nothing().is_nothing());
    /// assert!(!Carry { kept: "1/3".parse()?, ..Carry::nothing() }.is_nothing());
    /// # Ok::<(), billing_core::money::MoneyError>(())
    /// ```
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::nothing()
    }
}
