//! Who is asked for a price: one version of a tariff, or a tariff with all its versions and its fallbacks.

use crate::{
    id::TariffId,
    money::Currency,
    tariff::{RateError, Rated, Tariff, Tariffs, Usage},
    time::Instant,
};

/// Who is asked for a price.
///
/// # Examples
///
/// ```
/// use billing_core::tariff::{Rater, Tariff, Tariffs, Usage};
///
/// # let spec = serde_json::from_str(
/// #     r#"{"id":"retail","version":1,"currency":"EUR","zone":"UTC","decimals":4,"rounding":"half_up",
/// #         "lines":[{"destination":"Germany","to":{"prefixes":["49"]},
/// #                   "bands":[{"price":"0.006","per":"60","increment":"6"}]}]}"#,
/// # )?;
/// let retail = Tariff::compile(&spec)?; // 0.006 a minute to +49
/// let call = Usage::call(&"+4930123456".parse()?, "2026-10-05T08:00:00Z".parse()?, 60_000);
/// assert_eq!(Rater::Version(&retail).rate(&call)?.amount().to_string(), "0.006");
///
/// let (id, none) = ("retail".parse()?, Tariffs::default());
/// assert!(Rater::InForce(&none, &id).rate(&call).is_err());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Rater<'t> {
    /// One version, whenever usage is from, without fallbacks.
    Version(&'t Tariff),
    /// The versions of a tariff that are in force at the time, and its fallbacks.
    InForce(&'t Tariffs, &'t TariffId),
}

impl<'t> Rater<'t> {
    /// What usage costs.
    ///
    /// # Errors
    ///
    /// [`RateError`], as [`Tariff::rate`] and [`Tariffs::rate`] give it.
    ///
    /// # Examples
    ///
    /// See [`Rater`].
    pub fn rate(&self, usage: &Usage) -> Result<Rated<'t>, RateError> {
        match *self {
            Self::Version(tariff) => tariff.rate(usage),
            Self::InForce(tariffs, tariff) => tariffs.rate(tariff, usage),
        }
    }

    /// The currency of its prices; `None` if no version is in force at that time.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::tariff::{Rater, Tariffs};
    ///
    /// let (id, none) = ("retail".parse()?, Tariffs::default());
    /// assert!(Rater::InForce(&none, &id).currency_at("2026-10-05T08:00:00Z".parse()?).is_none());
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn currency_at(&self, at: Instant) -> Option<Currency> {
        match *self {
            Self::Version(tariff) => Some(tariff.currency()),
            Self::InForce(tariffs, tariff) => tariffs.in_force(tariff, at).map(Tariff::currency),
        }
    }
}
