//! What priced usage: the document and the line, and until when its price depends on what is in force.

use serde::{Deserialize, Serialize};

use crate::{
    digest::Digest,
    id::TariffId,
    number::Prefix,
    tariff::{Measure, Rated, Tariff, Usage},
    time::Instant,
};

/// What priced usage: enough to find the price again, and to see that it is another.
///
/// # Examples
///
/// ```
/// use billing_core::tariff::{Provenance, Tariff, Usage};
///
/// # let spec = serde_json::from_str(
/// #     r#"{"id":"retail","version":1,"currency":"EUR","zone":"UTC","decimals":4,"rounding":"half_up",
/// #         "lines":[{"destination":"Germany","to":{"prefixes":["49"]},
/// #                   "bands":[{"price":"0.02","per":"60","increment":"60"}]}]}"#,
/// # )?;
/// let retail = Tariff::compile(&spec)?;
/// let call = Usage::call(&"+4930123456".parse()?, "2026-10-05T08:00:00Z".parse()?, 61_000);
/// let provenance = Provenance::of(&retail.rate(&call)?, &call);
/// assert_eq!((provenance.line, provenance.prefix), (1, Some("49".parse()?)));
/// assert_eq!(provenance.until, "2026-10-05T08:01:01Z".parse()?);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
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

impl Provenance {
    /// What gave usage its price.
    ///
    /// # Examples
    ///
    /// See [`Provenance`].
    #[must_use]
    pub fn of(rated: &Rated<'_>, usage: &Usage) -> Self {
        let Tariff { id, version, digest, .. } = rated.tariff();
        Self {
            tariff: id.clone(),
            version: *version,
            digest: *digest,
            line: rated.line(),
            prefix: rated.prefix(),
            until: until(usage),
        }
    }
}

/// The end of usage, but after its start: usage of nothing has the price of its start too.
fn until(usage: &Usage) -> Instant {
    let start = usage.at.micros().saturating_add(1);
    let start = Instant::from_micros(start).unwrap_or(Instant::MAX);
    match usage.measure {
        Measure::Time => usage.after(usage.ticks).max(start),
        Measure::Units => start,
    }
}
