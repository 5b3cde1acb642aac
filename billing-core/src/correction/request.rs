//! What a correction is asked to change.

use alloc::{collections::BTreeSet, string::String};

use serde::{Deserialize, Serialize};

use crate::{
    digest::Digest,
    event::{Cause, Posting},
    id::{AccountId, CorrectionId, PlanId, TariffId},
    item::{Item, ItemKey},
    tariff::Activation,
    terms::Overrides,
    time::{Day, Instant},
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

impl Correction {
    /// A digest of all that is asked for: the same correction has the same.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::correction::{Change, Correction, Selection};
    ///
    /// let change = Change::Rerate { selection: Selection::all() };
    /// let correction = Correction { id: "june".parse()?, reason: "a new deck".into(), change };
    /// let other = Correction { reason: "another deck".into(), ..correction.clone() };
    /// assert_ne!(correction.digest(), other.digest());
    /// # Ok::<(), billing_core::id::InvalidId>(())
    /// ```
    #[must_use]
    pub fn digest(&self) -> Digest {
        // Serialising a value made of texts, numbers and lists of them cannot fail.
        Digest::of().text(&serde_json::to_string(self).unwrap_or_default()).finish()
    }
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
