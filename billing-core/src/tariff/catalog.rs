//! The tariffs of a tenant as a list: which versions are saved, and from when on each is in force.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::{digest::Digest, id::TariffId, money::Currency, tariff::TariffSpec, time::Instant};

/// One saved version of a tariff, without its prices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedTariff {
    /// The tariff.
    pub tariff: TariffId,
    /// Its version.
    pub version: u32,
    /// The currency of its prices.
    pub currency: Currency,
    /// The digest of its document.
    pub digest: Digest,
}

impl From<&TariffSpec> for SavedTariff {
    fn from(spec: &TariffSpec) -> Self {
        let TariffSpec { id, version, currency, .. } = spec;
        let digest = spec.digest();
        Self { tariff: id.clone(), version: *version, currency: *currency, digest }
    }
}

/// That a version is in force from an instant on, until the next one of its tariff begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Activation {
    /// The tariff.
    pub tariff: TariffId,
    /// Its version.
    pub version: u32,
    /// From when on.
    pub from: Instant,
}

/// What is saved and in force of a tenant's tariffs.
///
/// # Examples
///
/// ```
/// use billing_core::tariff::{Activation, Catalog};
///
/// let from = "2026-10-01T00:00:00Z".parse()?;
/// let activation = Activation { tariff: "retail".parse()?, version: 1, from };
/// let catalog = Catalog { saved: vec![], activations: vec![activation] };
/// assert_ne!(catalog.digest(), Catalog::default().digest());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalog {
    /// The saved versions, in order of tariff and version.
    pub saved: Vec<SavedTariff>,
    /// The activations, in order of tariff and instant.
    pub activations: Vec<Activation>,
}

impl Catalog {
    /// One saved version.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::tariff::Catalog;
    ///
    /// assert!(Catalog::default().saved(&"retail".parse()?, 1).is_none());
    /// # Ok::<(), billing_core::id::InvalidId>(())
    /// ```
    #[must_use]
    pub fn saved(&self, tariff: &TariffId, version: u32) -> Option<&SavedTariff> {
        let place = self
            .saved
            .binary_search_by(|saved| (&saved.tariff, saved.version).cmp(&(tariff, version)));
        self.saved.get(place.ok()?)
    }

    /// The currency of a tariff; all its versions have the same.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::tariff::Catalog;
    ///
    /// assert_eq!(Catalog::default().currency(&"retail".parse()?), None);
    /// # Ok::<(), billing_core::id::InvalidId>(())
    /// ```
    #[must_use]
    pub fn currency(&self, tariff: &TariffId) -> Option<Currency> {
        self.saved.iter().find(|saved| saved.tariff == *tariff).map(|saved| saved.currency)
    }

    /// The digest of all of it. Two catalogs of one digest price everything alike.
    ///
    /// # Examples
    ///
    /// See [`Catalog`].
    #[must_use]
    pub fn digest(&self) -> Digest {
        let digest = self.saved.iter().fold(Digest::of(), |digest, saved| {
            let SavedTariff { tariff, version, currency, digest: document } = saved;
            let digest = digest.text("saved").text(tariff.as_str()).number(*version);
            digest.text(currency.code()).bytes(document.as_bytes())
        });
        let digest = self.activations.iter().fold(digest, |digest, activation| {
            let Activation { tariff, version, from } = activation;
            digest.text("active").text(tariff.as_str()).number(*version).number(from.micros())
        });
        digest.finish()
    }

    /// The catalog with a version more.
    pub(crate) fn with_saved(mut self, saved: SavedTariff) -> Self {
        self.saved.push(saved);
        self.saved.sort_by(|one, two| (&one.tariff, one.version).cmp(&(&two.tariff, two.version)));
        self
    }

    /// The catalog with an activation more.
    pub(crate) fn with_activation(mut self, activation: Activation) -> Self {
        self.activations.push(activation);
        self.activations.sort_by(|one, two| (&one.tariff, one.from).cmp(&(&two.tariff, two.from)));
        self
    }
}
