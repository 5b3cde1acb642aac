//! One payer's contract: how it is counted, and which plan it has from which day on.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::{
    digest::Digest,
    id::{AccountId, CustomerId, PlanId},
    money::{Currency, Rounding},
    tax::TaxProfile,
    terms::Overrides,
    time::{Anchor, Day, Period, Zone},
};

/// What an account is opened with.
///
/// # Examples
///
/// ```
/// use billing_core::account::AccountSettings;
///
/// let settings: AccountSettings = serde_json::from_str(
///     r#"{"id":"alice","currency":"EUR","zone":"Europe/Berlin",
///         "anchor":{"from":"2026-01-31","months":1}}"#,
/// )?;
/// assert_eq!(settings.decimals(), 2);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountSettings {
    /// The id, as the host names the account.
    pub id: AccountId,
    /// The currency of everything on its bills.
    pub currency: Currency,
    /// The zone whose midnights part its days.
    pub zone: Zone,
    /// The date its periods are counted from.
    pub anchor: Anchor,
    /// The tax on its invoices; none if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax: Option<TaxProfile>,
    /// Whose account it is, if the host keeps customers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
    /// How lines and taxes are rounded.
    #[serde(default)]
    pub invoice: InvoiceProfile,
}

/// How an account's lines and taxes are rounded.
///
/// # Examples
///
/// ```
/// use billing_core::{account::InvoiceProfile, money::Rounding};
///
/// let profile: InvoiceProfile = serde_json::from_str(r#"{"decimals":4}"#)?;
/// assert_eq!(profile.rounding, Rounding::HalfUp);
/// assert!(serde_json::from_str::<InvoiceProfile>(r#"{"decimals":11}"#).is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InvoiceProfile {
    /// Decimals of each line, 0 to 10; the currency's own if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decimals: Option<Decimals>,
    /// Which way, half up if left out.
    #[serde(default = "half_up")]
    pub rounding: Rounding,
}

/// A number of decimals, 0 to 10.
///
/// # Examples
///
/// ```
/// use billing_core::account::{Decimals, TooManyDecimals};
///
/// assert_eq!(Decimals::try_from(10).map(u8::from), Ok(10));
/// assert_eq!(Decimals::try_from(11), Err(TooManyDecimals(11)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Decimals(u8);

/// More decimals than an amount can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} decimals are too many: 0 to 10 are accepted")]
pub struct TooManyDecimals(pub u8);

impl TryFrom<u8> for Decimals {
    type Error = TooManyDecimals;

    fn try_from(decimals: u8) -> Result<Self, TooManyDecimals> {
        if decimals <= 10 { Ok(Self(decimals)) } else { Err(TooManyDecimals(decimals)) }
    }
}

impl From<Decimals> for u8 {
    fn from(decimals: Decimals) -> Self {
        decimals.0
    }
}

impl Default for InvoiceProfile {
    fn default() -> Self {
        Self { decimals: None, rounding: half_up() }
    }
}

const fn half_up() -> Rounding {
    Rounding::HalfUp
}

impl AccountSettings {
    /// The decimals of a line.
    ///
    /// 0 to 10: those of the invoice profile, otherwise those of the currency.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::account::{AccountSettings, InvoiceProfile};
    ///
    /// let settings: AccountSettings = serde_json::from_str(
    ///     r#"{"id":"alice","currency":"EUR","zone":"UTC","invoice":{"decimals":4},
    ///         "anchor":{"from":"2026-01-01","months":1}}"#,
    /// )?;
    /// assert_eq!(settings.decimals(), 4);
    /// let usual = AccountSettings { invoice: InvoiceProfile::default(), ..settings };
    /// assert_eq!(usual.decimals(), 2);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn decimals(&self) -> u32 {
        self.invoice.decimals.map_or(self.currency.decimals(), |decimals| u32::from(decimals.0))
    }
}

/// Which plan an account has from a local day on, until the next assignment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assignment {
    /// 1, 2, 3 ... in the order in which they were made.
    pub number: u32,
    /// The first day.
    pub from: Day,
    /// The plan.
    pub plan: PlanId,
    /// Its version.
    pub version: u32,
    /// The account's own terms in place of the plan's.
    #[serde(default, skip_serializing_if = "Overrides::is_empty")]
    pub overrides: Overrides,
    /// The digest of the plan's document with these terms, so that nobody exchanges it behind the account's back.
    pub digest: Digest,
}

/// The assignment in force on a day; `assignments` are in order of their days.
///
/// `None` for a day before the first assignment.
///
/// # Examples
///
/// ```
/// use billing_core::{account::{Assignment, assignment_on}, digest::Digest};
///
/// let (plan, digest) = ("basic".parse()?, Digest::ZERO);
/// let overrides = billing_core::terms::Overrides::none();
/// let first = Assignment { number: 1, from: "2026-10-01".parse()?, plan, version: 1, overrides, digest };
/// let second = Assignment { number: 2, from: "2026-10-16".parse()?, version: 2, ..first.clone() };
/// let assignments = [first, second];
///
/// let version = |day| assignment_on(&assignments, day).map(|assignment| assignment.version);
/// assert_eq!(version("2026-10-15".parse()?), Some(1));
/// assert_eq!(version("2026-10-16".parse()?), Some(2));
/// assert_eq!(version("2026-09-30".parse()?), None);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[must_use]
pub fn assignment_on(assignments: &[Assignment], day: Day) -> Option<&Assignment> {
    assignments.iter().rev().find(|assignment| assignment.from <= day)
}

/// The part of a period that lies under one assignment, `[start, end)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stretch {
    /// The period it is part of.
    pub period: Period,
    /// Its first day.
    pub start: Day,
    /// The day after its last.
    pub end: Day,
    /// The number of the assignment.
    pub assignment: u32,
}

impl Stretch {
    /// Whether a change of plan left no day of it.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::{account::Stretch, time::Period};
    ///
    /// let period = Period::try_new("2026-10-01".parse()?, "2026-11-01".parse()?)?;
    /// let stretch = Stretch { period, start: period.start(), end: period.end(), assignment: 1 };
    /// assert!(!stretch.is_empty());
    /// # Ok::<(), billing_core::time::TimeError>(())
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.start >= self.end
    }
}

/// The stretches of a period, in order of time.
///
/// A period in which a plan changes has several; days before the first assignment belong to none.
///
/// # Examples
///
/// ```
/// use billing_core::{account::{Assignment, stretches}, digest::Digest, time::Period};
///
/// # let (plan, digest) = ("basic".parse()?, Digest::ZERO);
/// # let overrides = billing_core::terms::Overrides::none();
/// # let first = Assignment { number: 1, from: "2026-10-01".parse()?, plan, version: 1, overrides, digest };
/// let second = Assignment { number: 2, from: "2026-10-16".parse()?, version: 2, ..first.clone() };
/// let october = Period::try_new("2026-10-01".parse()?, "2026-11-01".parse()?)?;
/// let stretches = stretches(&[first, second], october);
/// assert_eq!(stretches.len(), 2);
/// assert_eq!(stretches[0].end, stretches[1].start);
/// assert_eq!(stretches[1].end, october.end());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[must_use]
pub fn stretches(assignments: &[Assignment], period: Period) -> Vec<Stretch> {
    let ends = assignments.iter().skip(1).map(|next| next.from).chain([period.end()]);
    let stretches = assignments.iter().zip(ends).map(|(assignment, end)| Stretch {
        period,
        start: assignment.from.max(period.start()),
        end: end.min(period.end()),
        assignment: assignment.number,
    });
    stretches.filter(|stretch| stretch.start < stretch.end).collect()
}
