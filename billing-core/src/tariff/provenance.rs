//! What priced usage: the document and the line, and until when its price depends on what is in force.

use serde::{Deserialize, Serialize};

use crate::{
    digest::Digest,
    id::TariffId,
    money::{Currency, MoneyError, Quantity},
    number::Prefix,
    tariff::{
        Explanation, Measure, RateError, Rated, Tariff, Tariffs, Usage, explain::explain,
        rating::rate, versions::Asked,
    },
    time::Instant,
};

/// What priced usage: enough to find the price again, and to see that it is another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// The tariff whose line priced the start.
    pub tariff: TariffId,
    /// Its version.
    pub version: u32,
    /// The digest of its document.
    pub digest: Digest,
    /// The line, counted from 1.
    pub line: u32,
    /// The prefix that line was found by; `None` for a catch-all.
    pub prefix: Option<Prefix>,
    /// What comes into force from here on changes nothing: the end of the usage, and after its start.
    pub until: Instant,
}

/// What usage costs, and what priced it.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
///
/// use billing_core::tariff::{Tariff, TariffSpec, Tariffs, Usage};
///
/// # let spec = |id: &str, prefix: &str, price: &str| serde_json::from_str::<TariffSpec>(&format!(
/// #     r#"{{"id":"{id}","version":1,"currency":"EUR","zone":"UTC","decimals":4,
/// #         "rounding":"half_up","lines":[{{"destination":"Germany","to":{{"prefixes":["{prefix}"]}},
/// #         "bands":[{{"price":"{price}","per":"60","increment":"60"}}]}}]}}"#,
/// # ));
/// let mut tariffs = Tariffs::new();
/// let retail = Arc::new(Tariff::compile(&spec("retail", "49", "0.02")?)?);
/// tariffs.activate(retail, "2026-01-01T00:00:00Z".parse()?)?;
/// let own = Tariff::compile(&spec("of-alice", "4930", "0.01")?)?;
///
/// let retail = "retail".parse()?;
/// let berlin = Usage::call(&"+4930123456".parse()?, "2026-06-01T12:00:00Z".parse()?, 61_000);
/// let quoted = tariffs.quote(Some(&own), &retail, &berlin)?;
/// assert_eq!((quoted.rated().amount().to_string(), quoted.billed()?), ("0.02".into(), "120".parse()?));
/// assert_eq!(quoted.provenance().tariff.as_str(), "of-alice");
///
/// let munich = Usage::call(&"+4989123456".parse()?, "2026-06-01T12:00:00Z".parse()?, 61_000);
/// assert_eq!(tariffs.quote(Some(&own), &retail, &munich)?.provenance().tariff, retail);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Quoted<'t> {
    rated: Rated<'t>,
    until: Instant,
}

impl<'t> Quoted<'t> {
    /// What it costs.
    #[must_use]
    pub const fn rated(&self) -> &Rated<'t> {
        &self.rated
    }

    /// The currency it is in.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.rated.tariff().currency
    }

    /// The billed usage: seconds if time is measured, otherwise units.
    ///
    /// # Errors
    ///
    /// Never for what is rated; the error is that of any [`Quantity`].
    pub fn billed(&self) -> Result<Quantity, MoneyError> {
        let decimals = match self.rated.tariff().measure {
            Measure::Time => 3,
            Measure::Units => 6,
        };
        Quantity::from_units(i128::from(self.rated.billed_ms()), decimals)
    }

    /// What priced it.
    #[must_use]
    pub fn provenance(&self) -> Provenance {
        let Tariff { id, version, digest, .. } = self.rated.tariff();
        Provenance {
            tariff: id.clone(),
            version: *version,
            digest: *digest,
            line: self.rated.line(),
            prefix: self.rated.prefix(),
            until: self.until,
        }
    }
}

impl Tariffs {
    /// What usage costs under a tariff, and what priced it; a document of the payer's own is asked before the tariff.
    ///
    /// The own document is asked as if the tariff were its only fallback: where it has a line in force, that line prices.
    ///
    /// # Errors
    ///
    /// As [`rate`](Self::rate).
    ///
    /// # Examples
    ///
    /// See [`Quoted`].
    pub fn quote<'t>(
        &'t self,
        own: Option<&'t Tariff>,
        tariff: &TariffId,
        usage: &Usage,
    ) -> Result<Quoted<'t>, RateError> {
        let rated = rate(usage, &Asked { tariffs: self, own, tariff })?;
        Ok(Quoted { rated, until: usage.until() })
    }

    /// Why usage costs what [`quote`](Self::quote) says. The candidates are those of the own document, then those of the tariff.
    ///
    /// # Errors
    ///
    /// As [`rate`](Self::rate).
    ///
    /// # Examples
    ///
    /// See [`Tariff::explain`].
    pub fn explain_quote(
        &self,
        own: Option<&Tariff>,
        tariff: &TariffId,
        usage: &Usage,
    ) -> Result<Explanation, RateError> {
        let mut explanation = explain(usage, &Asked { tariffs: self, own, tariff })?;
        let version = self.in_force(tariff, usage.at);
        let asked = own.into_iter().chain(version);
        explanation.candidates = asked.flat_map(|asked| asked.candidates(usage)).collect();
        Ok(explanation)
    }
}

impl Usage {
    /// Its end, but after its start: usage of nothing has the price of its start too.
    fn until(&self) -> Instant {
        let start = self.at.micros().saturating_add(1);
        let start = Instant::from_micros(start).unwrap_or(Instant::MAX);
        match self.measure {
            Measure::Time => self.after(self.ticks).max(start),
            Measure::Units => start,
        }
    }
}
