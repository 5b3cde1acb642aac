//! A history of calls under a tariff that is not in force: what it would change, for whom and where.

use alloc::{collections::BTreeMap, vec::Vec};

use serde::Serialize;

use crate::{
    id::{AccountId, Group},
    money::{Amount, Currency, MoneyError},
    tariff::{Rated, Rater, Usage},
};

/// Rates a history of usage against a draft and adds up the differences.
///
/// Usage is pushed one by one and not kept: memory grows with the accounts and destinations, not with the calls.
///
/// # Examples
///
/// ```
/// use billing_core::tariff::{Rater, Tariff, Usage, WhatIf};
///
/// # let spec = |lines: &str| serde_json::from_str(&format!(
/// #     r#"{{"id":"retail","version":1,"currency":"EUR","zone":"UTC","decimals":4,"rounding":"half_up",
/// #         "lines":[{lines}]}}"#,
/// # ));
/// # let line = |prefix: &str, price: &str| format!(
/// #     r#"{{"destination":"+{prefix}","to":{{"prefixes":["{prefix}"]}},
/// #         "bands":[{{"price":"{price}","per":"60","increment":"60"}}]}}"#,
/// # );
/// // At present +49 and +33 at 0.02 a minute; in the draft +49 at 0.03 and nothing to +33.
/// let present = Tariff::compile(&spec(&format!("{},{}", line("49", "0.02"), line("33", "0.02")))?)?;
/// let draft = Tariff::compile(&spec(&line("49", "0.03"))?)?;
///
/// let mut what_if = WhatIf::new(Rater::Version(&draft));
/// let (alice, at) = ("alice".parse()?, "2026-10-05T08:00:00Z".parse()?);
/// for callee in ["+4930123456", "+4940123456", "+3312345678"] {
///     let call = Usage::call(&callee.parse()?, at, 60_000);
///     what_if.push_under(&Rater::Version(&present), &alice, &call)?;
/// }
/// let found = what_if.finish();
/// assert_eq!((found.total.both.calls, found.total.both.difference()?.to_string()), (2, "0.02".to_owned()));
/// assert_eq!((found.total.lost.calls, found.total.lost.old.to_string()), (1, "0.02".to_owned()));
/// assert_eq!(found.destinations.len(), 2);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct WhatIf<'t> {
    draft: Rater<'t>,
    total: Impact,
    accounts: BTreeMap<AccountId, Impact>,
    destinations: BTreeMap<(Option<Group>, Option<Group>), Impact>,
}

/// What a draft changes: in all, for each account, and for each destination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WhatIfFound {
    /// Everything that was pushed.
    pub total: Impact,
    /// Each account, by its id.
    pub accounts: Vec<OfAccount>,
    /// Each destination, by its name at present and then in the draft.
    pub destinations: Vec<OfDestination>,
}

/// What a draft changes for one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OfAccount {
    /// The account.
    pub account: AccountId,
    /// What changes for it.
    pub impact: Impact,
}

/// What a draft changes for one destination, which may have another name there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OfDestination {
    /// Its name at present; `None` if it has no price.
    pub old: Option<Group>,
    /// Its name in the draft; `None` if it has no price.
    pub new: Option<Group>,
    /// What changes for it.
    pub impact: Impact,
}

/// What usage costs at present, as it was rated or as it was billed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Present<'a> {
    /// The amount, in the currency of the draft.
    pub amount: Amount,
    /// What the destination is called.
    pub destination: &'a Group,
}

impl<'t> From<&Rated<'t>> for Present<'t> {
    fn from(rated: &Rated<'t>) -> Self {
        Self { amount: rated.amount(), destination: rated.destination() }
    }
}

/// What a draft changes for some usage. Usage with a price on one side only is counted apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Impact {
    /// With a price on both sides.
    pub both: Sums,
    /// With a price in the draft alone.
    pub gained: Sums,
    /// With a price at present alone.
    pub lost: Sums,
    /// With no price on either side.
    pub unpriced: u64,
    /// Of those with both: cheaper in the draft.
    pub cheaper: u64,
    /// Of those with both: dearer in the draft.
    pub dearer: u64,
}

/// How many calls, and what they cost on both sides; nothing where there is no price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Sums {
    /// How many calls, or reports of usage.
    pub calls: u64,
    /// What they cost at present.
    pub old: Amount,
    /// What they would cost.
    pub new: Amount,
}

/// Usage could not be added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WhatIfError {
    /// It is priced in another currency than the draft's.
    #[error(
        "at present the price is in {present}, the draft is in {draft}: one currency can be added up"
    )]
    Currencies {
        /// The currency at present.
        present: Currency,
        /// The currency of the draft.
        draft: Currency,
    },
    /// A sum leaves its bounds.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl<'t> WhatIf<'t> {
    /// Begins with nothing pushed.
    #[must_use]
    pub const fn new(draft: Rater<'t>) -> Self {
        Self {
            draft,
            total: Impact::NONE,
            accounts: BTreeMap::new(),
            destinations: BTreeMap::new(),
        }
    }

    /// Adds usage and what it costs at present: `None` if it has no price. What the draft cannot rate has none there.
    ///
    /// # Errors
    ///
    /// [`MoneyError`] if a sum leaves its bounds; nothing is added then.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::tariff::{Present, Rater, Tariffs, Usage, WhatIf};
    ///
    /// let (draft, tariffs) = ("draft".parse()?, Tariffs::default());
    /// let mut what_if = WhatIf::new(Rater::InForce(&tariffs, &draft));
    /// let call = Usage::call(&"+4930123456".parse()?, "2026-10-05T08:00:00Z".parse()?, 60_000);
    ///
    /// // As it stands on an invoice.
    /// let billed = Present { amount: "0.02".parse()?, destination: &"Germany".parse()? };
    /// what_if.push(&"alice".parse()?, &call, Some(billed))?;
    /// assert_eq!(what_if.finish().total.lost.old.to_string(), "0.02");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn push(
        &mut self,
        account: &AccountId,
        usage: &Usage,
        present: Option<Present<'_>>,
    ) -> Result<(), MoneyError> {
        let draft = self.draft.rate(usage).ok();
        let draft = draft.as_ref().map(Present::from);
        let amounts = (present.map(|it| it.amount), draft.map(|it| it.amount));
        let name = |side: Option<Present<'_>>| side.map(|it| it.destination.clone());
        let names = (name(present), name(draft));
        let of = |known: Option<&Impact>| known.unwrap_or(&Impact::NONE).with(amounts);
        // All of them, or none.
        let total = self.total.with(amounts)?;
        let of_account = of(self.accounts.get(account))?;
        let of_destination = of(self.destinations.get(&names))?;
        self.total = total;
        let _before: Option<Impact> = self.accounts.insert(account.clone(), of_account);
        let _before: Option<Impact> = self.destinations.insert(names, of_destination);
        Ok(())
    }

    /// Adds usage that costs at present what another tariff says.
    ///
    /// # Errors
    ///
    /// [`WhatIfError`] if the two are in different currencies at its time, or a sum leaves its bounds; nothing is added then.
    ///
    /// # Examples
    ///
    /// See [`WhatIf`].
    pub fn push_under(
        &mut self,
        present: &Rater<'_>,
        account: &AccountId,
        usage: &Usage,
    ) -> Result<(), WhatIfError> {
        let at = usage.at();
        match (present.currency_at(at), self.draft.currency_at(at)) {
            (Some(present), Some(draft)) if present != draft => {
                Err(WhatIfError::Currencies { present, draft })
            }
            _ => {
                let rated = present.rate(usage).ok();
                Ok(self.push(account, usage, rated.as_ref().map(Present::from))?)
            }
        }
    }

    /// What has been found.
    ///
    /// # Examples
    ///
    /// See [`WhatIf`].
    #[must_use]
    pub fn finish(self) -> WhatIfFound {
        let accounts = self.accounts.into_iter();
        let destinations = self.destinations.into_iter();
        let accounts = accounts.map(|(account, impact)| OfAccount { account, impact });
        let destinations =
            destinations.map(|((old, new), impact)| OfDestination { old, new, impact });
        WhatIfFound {
            total: self.total,
            accounts: accounts.collect(),
            destinations: destinations.collect(),
        }
    }
}

impl Impact {
    const NONE: Self = {
        let none = Sums { calls: 0, old: Amount::ZERO, new: Amount::ZERO };
        Self { both: none, gained: none, lost: none, unpriced: 0, cheaper: 0, dearer: 0 }
    };

    fn with(&self, amounts: (Option<Amount>, Option<Amount>)) -> Result<Self, MoneyError> {
        let mut sum = *self;
        match amounts {
            (Some(old), Some(new)) => {
                sum.both = sum.both.with(old, new)?;
                sum.cheaper = sum.cheaper.saturating_add(u64::from(new < old));
                sum.dearer = sum.dearer.saturating_add(u64::from(old < new));
            }
            (None, Some(new)) => sum.gained = sum.gained.with(Amount::ZERO, new)?,
            (Some(old), None) => sum.lost = sum.lost.with(old, Amount::ZERO)?,
            (None, None) => sum.unpriced = sum.unpriced.saturating_add(1),
        }
        Ok(sum)
    }
}

impl Sums {
    /// How much more they cost in the draft.
    ///
    /// # Errors
    ///
    /// [`MoneyError`] if the difference leaves the bounds of an amount.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::tariff::Sums;
    ///
    /// let sums = Sums { calls: 1, old: "0.02".parse()?, new: "0.05".parse()? };
    /// assert_eq!(sums.difference()?.to_string(), "0.03");
    /// # Ok::<(), billing_core::money::MoneyError>(())
    /// ```
    pub fn difference(&self) -> Result<Amount, MoneyError> {
        self.new.checked_sub(self.old)
    }

    fn with(self, old: Amount, new: Amount) -> Result<Self, MoneyError> {
        Ok(Self {
            calls: self.calls.saturating_add(1),
            old: self.old.checked_add(old)?,
            new: self.new.checked_add(new)?,
        })
    }
}
