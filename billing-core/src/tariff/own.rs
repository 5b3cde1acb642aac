//! Prices of the payer's own, asked before a tariff.

use crate::{
    id::TariffId,
    tariff::{
        Explanation, RateError, Rated, Tariff, Tariffs, Usage, explain::explain, rating::rate,
    },
};

impl Tariffs {
    /// What usage costs under a tariff with a document of the payer's own before it.
    ///
    /// The own document is asked as if the tariff were its only fallback: where it has a line in force, that line prices.
    ///
    /// # Errors
    ///
    /// As [`rate`](Self::rate).
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
    /// let (retail, at) = ("retail".parse()?, "2026-06-01T12:00:00Z".parse()?);
    /// let berlin = Usage::call(&"+4930123456".parse()?, at, 61_000);
    /// let munich = Usage::call(&"+4989123456".parse()?, at, 61_000);
    /// let amount = |usage| Ok::<_, Box<dyn core::error::Error>>(
    ///     tariffs.rate_with(Some(&own), &retail, usage)?.amount().to_string(),
    /// );
    /// assert_eq!((amount(&berlin)?, amount(&munich)?), ("0.02".into(), "0.04".into()));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn rate_with<'t>(
        &'t self,
        own: Option<&'t Tariff>,
        tariff: &TariffId,
        usage: &Usage,
    ) -> Result<Rated<'t>, RateError> {
        rate(usage, &self.asking_with(own, tariff))
    }

    /// Why usage costs what [`rate_with`](Self::rate_with) says. The candidates are those of the own document, then those of the
    /// tariff.
    ///
    /// # Errors
    ///
    /// As [`rate`](Self::rate).
    ///
    /// # Examples
    ///
    /// See [`Tariff::explain`].
    pub fn explain_with(
        &self,
        own: Option<&Tariff>,
        tariff: &TariffId,
        usage: &Usage,
    ) -> Result<Explanation, RateError> {
        let mut explanation = explain(usage, &self.asking_with(own, tariff))?;
        let version = self.in_force(tariff, usage.at);
        let asked = own.into_iter().chain(version);
        explanation.candidates = asked.flat_map(|asked| asked.candidates(usage)).collect();
        Ok(explanation)
    }
}
