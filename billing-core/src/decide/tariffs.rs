//! Saving a version of a tariff, and letting it come into force: both are for ever.

use alloc::vec;

use crate::{
    decide::Writes,
    id::TariffId,
    money::Currency,
    tariff::{Activation, Catalog, InvalidTariff, SavedTariff, Tariff, TariffSpec},
    time::Instant,
};

/// A version of a tariff cannot be saved, or not come into force then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TariffError {
    /// The document cannot be compiled.
    #[error(transparent)]
    Invalid(#[from] InvalidTariff),
    /// The version is saved with other content.
    #[error("tariff {tariff} version {version} is saved with other content: save a new version")]
    Differs {
        /// The tariff.
        tariff: TariffId,
        /// Its version.
        version: u32,
    },
    /// The prices are in another currency than where they would be used.
    #[error("tariff {tariff} is in {theirs}: only {ours} is accepted here")]
    Currency {
        /// The tariff.
        tariff: TariffId,
        /// Its currency.
        theirs: Currency,
        /// That of the tariff's other versions, or of the plan that asks it.
        ours: Currency,
    },
    /// No such version.
    #[error("tariff {tariff} version {version} is not saved")]
    Unknown {
        /// The tariff.
        tariff: TariffId,
        /// The version.
        version: u32,
    },
    /// Another version begins then.
    #[error("version {version} of tariff {tariff} begins at {from}: another cannot begin then")]
    Taken {
        /// The tariff.
        tariff: TariffId,
        /// The version that begins then.
        version: u32,
        /// When.
        from: Instant,
    },
    /// It would price anew what is priced already.
    #[error(
        "tariff {tariff} cannot change at {from}: usage is priced up to {earliest}, the earliest instant that is accepted"
    )]
    Past {
        /// The tariff.
        tariff: TariffId,
        /// When it was to change.
        from: Instant,
        /// The earliest instant accepted.
        earliest: Instant,
    },
}

/// Saves a version of a tariff. `None` if it is saved with the same content.
///
/// # Errors
///
/// [`TariffError::Invalid`], [`TariffError::Differs`], or [`TariffError::Currency`] if other versions are in another currency.
///
/// # Examples
///
/// ```
/// use billing_core::{decide, tariff::{Catalog, TariffSpec}};
///
/// # let retail: TariffSpec = serde_json::from_str(
/// #     r#"{"id":"retail","version":1,"currency":"EUR","zone":"UTC","decimals":4,"rounding":"half_up",
/// #         "lines":[{"destination":"Germany","to":{"prefixes":["49"]},
/// #                   "bands":[{"price":"0.02","per":"60","increment":"60"}]}]}"#,
/// # )?;
/// let writes = decide::save_tariff(&Catalog::default(), &retail)?.expect("a version it had not");
/// assert_eq!(writes.tariffs, [retail]);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub fn save_tariff(catalog: &Catalog, spec: &TariffSpec) -> Result<Option<Writes>, TariffError> {
    let saved = SavedTariff::from(spec);
    match catalog.saved(&spec.id, spec.version) {
        Some(before) if *before == saved => return Ok(None),
        Some(_) => {
            let (tariff, version) = (saved.tariff, saved.version);
            return Err(TariffError::Differs { tariff, version });
        }
        None => {}
    }
    check_currency(catalog, &spec.id, spec.currency)?;
    let _compiled: Tariff = Tariff::compile(spec)?;
    let digest = catalog.clone().with_saved(saved).digest();
    let tariffs = vec![spec.clone()];
    Ok(Some(Writes { tariffs, tariff_catalog: Some(digest), ..Writes::default() }))
}

/// Lets a saved version be in force from an instant on, until the next one begins. `None` if it is so already.
///
/// `rated_until` is how far usage is priced by strategies that may ask the tariff; before it nothing may change.
///
/// # Errors
///
/// [`TariffError::Unknown`], [`TariffError::Taken`] or [`TariffError::Past`].
///
/// # Examples
///
/// ```
/// use billing_core::{decide::{TariffError, activate_tariff}, tariff::{Activation, Catalog, SavedTariff}};
///
/// # let tariff = "retail".parse()?;
/// # let (currency, digest) = ("EUR".parse()?, billing_core::digest::Digest::ZERO);
/// let saved = SavedTariff { tariff, version: 1, currency, digest };
/// let (catalog, tariff) = (Catalog { saved: vec![saved], activations: vec![] }, "retail".parse()?);
/// let october = Activation { tariff, version: 1, from: "2026-10-01T00:00:00Z".parse()? };
/// assert!(activate_tariff(&catalog, &october, None)?.is_some());
///
/// let rated_until = "2026-10-05T08:00:00Z".parse()?; // a call that is priced ended then
/// let error = activate_tariff(&catalog, &october, Some(rated_until)).unwrap_err();
/// assert!(matches!(error, TariffError::Past { earliest, .. } if earliest == rated_until));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub fn activate_tariff(
    catalog: &Catalog,
    activation: &Activation,
    rated_until: Option<Instant>,
) -> Result<Option<Writes>, TariffError> {
    let Activation { tariff, version, from } = activation;
    let id = || tariff.clone();
    if catalog.activations.contains(activation) {
        return Ok(None);
    }
    if catalog.saved(tariff, *version).is_none() {
        return Err(TariffError::Unknown { tariff: id(), version: *version });
    }
    let same = |other: &&Activation| (&other.tariff, other.from) == (tariff, *from);
    if let Some(other) = catalog.activations.iter().find(same) {
        return Err(TariffError::Taken { tariff: id(), version: other.version, from: *from });
    }
    if let Some(earliest) = rated_until.filter(|earliest| from < earliest) {
        return Err(TariffError::Past { tariff: id(), from: *from, earliest });
    }
    let digest = catalog.clone().with_activation(activation.clone()).digest();
    let activations = vec![activation.clone()];
    Ok(Some(Writes { activations, tariff_catalog: Some(digest), ..Writes::default() }))
}

/// A tariff that is saved is in the currency it is used in.
///
/// # Errors
///
/// [`TariffError::Currency`].
///
/// # Examples
///
/// ```
/// use billing_core::{decide::check_currency, tariff::Catalog};
///
/// // What is not saved yet may have any currency.
/// assert!(check_currency(&Catalog::default(), &"retail".parse()?, "EUR".parse()?).is_ok());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub fn check_currency(
    catalog: &Catalog,
    tariff: &TariffId,
    ours: Currency,
) -> Result<(), TariffError> {
    match catalog.currency(tariff).filter(|theirs| *theirs != ours) {
        None => Ok(()),
        Some(theirs) => Err(TariffError::Currency { tariff: tariff.clone(), theirs, ours }),
    }
}
