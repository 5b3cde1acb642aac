//! Several tariffs and their versions: which is in force when, and who is asked where one has no price.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    vec::Vec,
};

use crate::{
    id::TariffId,
    money::{Amount, Currency},
    tariff::{
        Explanation, RateError, Rated, Reach, Tariff, Usage,
        compiled::Found,
        rating::{Source, rate},
        reach::reach,
    },
    time::Instant,
};

/// How many fallbacks deep a price is looked for.
const DEPTH: u32 = 3;

/// Tariffs with their versions, each in force from an instant on until the next.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
///
/// use billing_core::tariff::{Tariff, TariffSpec, Tariffs, Usage};
///
/// # let spec = |version: u32, price: &str| serde_json::from_str::<TariffSpec>(&format!(
/// #     r#"{{"id":"retail","version":{version},"currency":"EUR","zone":"UTC","decimals":4,
/// #         "rounding":"half_up","lines":[{{"destination":"Germany","to":{{"prefixes":["49"]}},
/// #         "bands":[{{"price":"{price}","per":"1","increment":"1"}}]}}]}}"#,
/// # ));
/// let mut tariffs = Tariffs::default();
/// let first = Arc::new(Tariff::compile(&spec(1, "1")?)?);
/// let second = Arc::new(Tariff::compile(&spec(2, "2")?)?);
/// tariffs.activate(first, "2026-01-01T00:00:00Z".parse()?)?;
/// tariffs.activate(second, "2026-06-01T12:00:00Z".parse()?)?;
///
/// // A call over the change has the price of each part.
/// let call = Usage::call(&"+4930123456".parse()?, "2026-06-01T11:59:30Z".parse()?, 60_000);
/// assert_eq!(tariffs.rate(&"retail".parse()?, &call)?.amount().to_string(), "90");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Tariffs {
    versions: BTreeMap<TariffId, Vec<(Instant, Arc<Tariff>)>>,
}

/// A version cannot be activated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VersionError {
    /// Another version begins at that instant.
    #[error(
        "version {version} of tariff {tariff} is in force from {from} on: two cannot begin at one instant"
    )]
    Taken {
        /// The tariff.
        tariff: TariffId,
        /// The version that begins there.
        version: u32,
        /// The instant.
        from: Instant,
    },
    /// The version is in another currency.
    #[error("version {version} of tariff {tariff} is in {theirs}, the others are in {ours}")]
    Currency {
        /// The tariff.
        tariff: TariffId,
        /// The version.
        version: u32,
        /// Its currency.
        theirs: Currency,
        /// That of the others.
        ours: Currency,
    },
}

impl Tariffs {
    /// No tariffs.
    #[must_use]
    pub const fn new() -> Self {
        Self { versions: BTreeMap::new() }
    }

    /// Lets a version be in force from an instant on, until the next version begins.
    ///
    /// # Errors
    ///
    /// [`VersionError`] if another version begins there or the currency is another one.
    ///
    /// # Examples
    ///
    /// See [`Tariffs`].
    pub fn activate(&mut self, tariff: Arc<Tariff>, from: Instant) -> Result<(), VersionError> {
        let versions = self.versions.entry(tariff.id().clone()).or_default();
        let id = || tariff.id().clone();
        if let Some((_, other)) = versions.iter().find(|(start, _)| *start == from) {
            let version = other.version();
            return Err(VersionError::Taken { tariff: id(), version, from });
        }
        let theirs = tariff.currency();
        if let Some((_, other)) = versions.iter().find(|(_, other)| other.currency() != theirs) {
            let (version, ours) = (tariff.version(), other.currency());
            return Err(VersionError::Currency { tariff: id(), version, theirs, ours });
        }
        let place = versions.partition_point(|(start, _)| *start < from);
        versions.insert(place, (from, tariff));
        Ok(())
    }

    /// The version of a tariff in force at an instant.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::tariff::Tariffs;
    ///
    /// let at = "2026-06-01T12:00:00Z".parse()?;
    /// assert!(Tariffs::default().in_force(&"retail".parse()?, at).is_none());
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn in_force(&self, tariff: &TariffId, at: Instant) -> Option<&Tariff> {
        let versions = self.versions.get(tariff)?;
        let after = versions.partition_point(|(from, _)| *from <= at);
        versions.get(after.checked_sub(1)?).map(|(_, tariff)| &**tariff)
    }

    /// What usage costs under a tariff, the version in force and its fallbacks.
    ///
    /// # Errors
    ///
    /// [`RateError`], as for one tariff, and [`RateError::NotInForce`].
    ///
    /// # Examples
    ///
    /// See [`Tariffs`].
    pub fn rate(&self, tariff: &TariffId, usage: &Usage) -> Result<Rated<'_>, RateError> {
        rate(usage, &self.asking(tariff))
    }

    /// Why usage costs what it costs. The candidates are those of the version in force at its start.
    ///
    /// # Errors
    ///
    /// As [`rate`](Self::rate).
    ///
    /// # Examples
    ///
    /// See [`Tariff::explain`].
    pub fn explain(&self, tariff: &TariffId, usage: &Usage) -> Result<Explanation, RateError> {
        self.explain_with(None, tariff, usage)
    }

    /// The longest usage that costs at most `amount`.
    ///
    /// # Errors
    ///
    /// As [`rate`](Self::rate).
    ///
    /// # Examples
    ///
    /// See [`Tariff::reach`].
    pub fn reach(
        &self,
        tariff: &TariffId,
        usage: &Usage,
        amount: Amount,
    ) -> Result<Reach, RateError> {
        reach(usage, &self.asking(tariff), amount)
    }

    /// A tariff to be asked, and its fallbacks with it.
    pub(super) fn asking<'t>(&'t self, tariff: &TariffId) -> impl Source<'t> {
        self.asking_with(None, tariff)
    }

    /// The same after a document of the payer's own.
    pub(super) fn asking_with<'t>(
        &'t self,
        own: Option<&'t Tariff>,
        tariff: &TariffId,
    ) -> impl Source<'t> {
        Asked { tariffs: self, own, tariff }
    }

    /// The tariffs that some tariffs may ask, themselves among them: through the fallbacks of any of their versions.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use billing_core::tariff::{Tariff, Tariffs};
    ///
    /// # let spec = serde_json::from_str(
    /// #     r#"{"id":"retail","version":1,"currency":"EUR","zone":"UTC","decimals":4,
    /// #         "rounding":"half_up","lines":[],"fallback":["world"]}"#,
    /// # )?;
    /// let mut tariffs = Tariffs::new();
    /// let retail = Arc::new(Tariff::compile(&spec)?); // with the fallback `world`
    /// tariffs.activate(retail, "2026-01-01T00:00:00Z".parse()?)?;
    /// let (retail, world) = ("retail".parse()?, "world".parse()?);
    /// assert!(tariffs.asked_by([&retail]).contains(&world));
    /// assert!(!tariffs.asked_by([&world]).contains(&retail));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn asked_by<'a>(
        &'a self,
        tariffs: impl IntoIterator<Item = &'a TariffId>,
    ) -> BTreeSet<&'a TariffId> {
        let mut all: BTreeSet<&TariffId> = tariffs.into_iter().collect();
        let mut last: Vec<&TariffId> = all.iter().copied().collect();
        for _ in 0..DEPTH {
            let versions = last.iter().filter_map(|tariff| self.versions.get(*tariff)).flatten();
            let next: Vec<_> = versions.flat_map(|(_, version)| &version.fallback).collect();
            last = next.into_iter().filter(|tariff| all.insert(*tariff)).collect();
        }
        all
    }

    /// The currency of all versions of a tariff.
    fn currency_of(&self, tariff: &TariffId) -> Option<Currency> {
        self.versions.get(tariff)?.first().map(|(_, version)| version.currency)
    }

    fn next_version(&self, tariff: &TariffId, at: Instant) -> Option<Instant> {
        let versions = self.versions.get(tariff)?;
        let after = versions.partition_point(|(from, _)| *from <= at);
        versions.get(after).map(|(from, _)| *from)
    }

    /// The line for usage at an instant: of the tariff, else of its fallbacks in their order.
    fn find<'t>(
        &'t self,
        tariff: &TariffId,
        usage: &Usage,
        at: Instant,
        depth: u32,
    ) -> Option<Found<'t>> {
        let version = self.in_force(tariff, at).filter(|found| found.measure == usage.measure)?;
        let mine = version.find(usage.callee, usage.caller, at);
        mine.or_else(|| {
            let deeper = depth.checked_sub(1)?;
            // An amount has no currency of its own, so one in another currency is no answer.
            let answers =
                |next: &TariffId| self.currency_of(next).is_none_or(|it| it == version.currency);
            let mut asked = version.fallback.iter().filter(|next| answers(next));
            asked.find_map(|next| self.find(next, usage, at, deeper))
        })
    }

    /// Every tariff that may be asked, down to a depth.
    fn asked<'t>(
        &'t self,
        tariff: &'t TariffId,
        at: Instant,
        depth: u32,
        all: &mut Vec<&'t TariffId>,
    ) {
        all.push(tariff);
        let Some(deeper) = depth.checked_sub(1) else { return };
        for next in self.in_force(tariff, at).into_iter().flat_map(|version| &version.fallback) {
            self.asked(next, at, deeper, all);
        }
    }
}

/// A tariff to be asked among others, after a document of the payer's own.
struct Asked<'t, 'q> {
    tariffs: &'t Tariffs,
    own: Option<&'t Tariff>,
    tariff: &'q TariffId,
}

impl<'t> Asked<'t, '_> {
    /// The line of the own document.
    fn of_own(&self, usage: &Usage, at: Instant) -> Option<Found<'t>> {
        let own = self.own.filter(|own| own.measure == usage.measure)?;
        own.find(usage.callee, usage.caller, at)
    }

    fn is_own(&self, found: &Found<'_>) -> bool {
        self.own.is_some_and(|own| core::ptr::eq(own, found.tariff))
    }

    fn find(&self, usage: &Usage, at: Instant) -> Option<Found<'t>> {
        let mine = self.of_own(usage, at);
        mine.or_else(|| {
            self.check_currency().ok()?;
            self.tariffs.find(self.tariff, usage, at, DEPTH)
        })
    }

    /// An amount has no currency of its own, so a tariff in another one than the own document's is no answer.
    fn check_currency(&self) -> Result<(), RateError> {
        let ours = self.own.map(Tariff::currency);
        match ours.zip(self.tariffs.currency_of(self.tariff)) {
            Some((ours, theirs)) if ours != theirs => {
                Err(RateError::Currency { tariff: self.tariff.clone(), theirs, ours })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The document of a line as it is in force at an instant.
    fn document_at(&self, found: &Found<'t>, at: Instant) -> Option<&'t Tariff> {
        if self.is_own(found) {
            return Some(found.tariff);
        }
        self.tariffs.in_force(found.tariff.id(), at)
    }
}

impl<'t> Source<'t> for Asked<'t, '_> {
    fn first(&self, usage: &Usage) -> Result<Found<'t>, RateError> {
        if let Some(found) = self.of_own(usage, usage.at) {
            return Ok(found);
        }
        self.check_currency()?;
        let Some(version) = self.tariffs.in_force(self.tariff, usage.at) else {
            return Err(RateError::NotInForce { tariff: self.tariff.clone(), at: usage.at });
        };
        if version.measure != usage.measure {
            return Err(RateError::Measure { tariff: self.tariff.clone() });
        }
        let found = self.tariffs.find(self.tariff, usage, usage.at, DEPTH);
        found.ok_or_else(|| RateError::NoLine { tariff: self.tariff.clone(), at: usage.at })
    }

    fn then(&self, usage: &Usage, first: &Found<'t>, at: Instant) -> Result<Found<'t>, RateError> {
        // The prefix that won at the start keeps the call, under whichever version is in force.
        let same = self.document_at(first, at);
        let kept = same.filter(|tariff| tariff.measure == usage.measure).and_then(|tariff| {
            let mut entries = tariff.entries(usage.callee);
            let (entry, prefix) = entries.find(|(_, prefix)| *prefix == first.prefix)?;
            let line = tariff.in_force(entry, usage.caller, at)?;
            Some(Found { tariff, line, prefix, entry })
        });
        let found = kept.or_else(|| self.find(usage, at));
        found.ok_or_else(|| RateError::NoLine { tariff: self.tariff.clone(), at })
    }

    fn next_change(
        &self,
        usage: &Usage,
        first: &Found<'t>,
        now: &Found<'t>,
        at: Instant,
        until: Instant,
    ) -> Option<Instant> {
        let tariffs = self.tariffs;
        let next_version = |id: &TariffId| tariffs.next_version(id, at);
        let is_kept = self.is_own(first) == self.is_own(now)
            && first.tariff.id() == now.tariff.id()
            && first.prefix == now.prefix;
        if is_kept {
            let line = now.tariff.next_change(now.entry, at, until);
            let version = next_version(now.tariff.id()).filter(|_| !self.is_own(now));
            return line.into_iter().chain(version).filter(|change| *change < until).min();
        }
        let mut all = Vec::new();
        if let Some((root, _)) = tariffs.versions.get_key_value(self.tariff) {
            tariffs.asked(root, at, DEPTH, &mut all);
        }
        // Its prefix has the call back as soon as it has a line, even where it is not asked any more.
        all.push(first.tariff.id());
        let versions = all.iter().filter_map(|id| next_version(id));
        let documents = all.iter().filter_map(|id| tariffs.in_force(id, at)).chain(self.own);
        let lines = documents.flat_map(|tariff| {
            let entries = tariff.entries(usage.callee);
            entries.filter_map(move |(entry, _)| tariff.next_change(entry, at, until))
        });
        versions.chain(lines).filter(|change| *change < until).min()
    }
}
