//! The price of usage that has not happened: what a price tester shows.

use alloc::vec::Vec;
use core::slice;

use crate::{
    id::{Group, TariffId},
    money::{Amount, Currency, MoneyError, Price, Quantity},
    number::Prefix,
    tariff::{
        AtMaximum, BandSpec, Crossing, IncrementRule, Measure, RateError, Rater, Usage,
        compiled::Found,
        line::{Band, Bands, Terms},
        rating::{Source, next_line},
    },
    time::Instant,
};

/// What usage would cost that began at an instant, and how long that holds.
///
/// Quantities are in seconds where the measure is time, otherwise in units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// The tariff that has the price: the one that was asked, or a fallback.
    pub tariff: TariffId,
    /// Its version.
    pub version: u32,
    /// The line of its document, counted from 1.
    pub line: u32,
    /// The prefix the line was found by; `None` for a catch-all.
    pub prefix: Option<Prefix>,
    /// What the destination is called.
    pub destination: Group,
    /// The currency.
    pub currency: Currency,
    /// What is measured.
    pub measure: Measure,
    /// What happens when another line comes into force.
    pub crossing: Crossing,
    /// How first and next increments count.
    pub increments: IncrementRule,
    /// What being connected costs.
    pub connect_fee: Price,
    /// What it costs at least.
    pub minimum: Price,
    /// What it costs at most.
    pub maximum: Option<Price>,
    /// What happens at the maximum.
    pub at_maximum: AtMaximum,
    /// Usage up to which it costs nothing at all.
    pub grace: Quantity,
    /// The first increment, if it is another than the first band's.
    pub first: Option<Quantity>,
    /// The prices.
    pub bands: Vec<BandSpec>,
    /// When, within 366 days, another line takes over from this one, or none does. What goes on then has the price of the
    /// new line under [`Crossing::Split`], and keeps this one under [`Crossing::AtStart`].
    pub until: Option<Instant>,
    /// What the usages that were asked about cost, in their order.
    pub costs: Vec<Result<Cost, RateError>>,
}

/// What some usage would cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// The usage.
    pub usage: Quantity,
    /// The same in whole increments.
    pub billed: Quantity,
    /// What it costs, rounded once.
    pub amount: Amount,
}

/// How far a quote looks for a change.
const AHEAD_MS: u64 = 366 * 86_400_000;

impl Rater<'_> {
    /// The price of usage that begins like `usage`, and what lengths of it cost, in milliseconds of a call or millionths of a unit.
    ///
    /// How long `usage` itself is does not matter. Every cost is what rating gives for it. To look for the end of the price takes
    /// far longer than to rate: a quote is for people to read.
    ///
    /// # Errors
    ///
    /// [`RateError`] if there is no price at the start; a length that has none has an error of its own.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::tariff::{Rater, Tariff, Usage};
    ///
    /// # let spec = serde_json::from_str(
    /// #     r#"{"id":"retail","version":1,"currency":"EUR","zone":"Europe/Berlin","decimals":4,"rounding":"half_up",
    /// #         "windows":{"day":{"from":"08:00","until":"18:00"}},
    /// #         "lines":[{"destination":"Germany","to":{"prefixes":["49"]},"window":"day","connect_fee":"0.05",
    /// #                   "bands":[{"price":"0.02","per":"60","increment":"60"}]}]}"#,
    /// # )?;
    /// let retail = Tariff::compile(&spec)?; // 0.05 and 0.02 a minute, from 08:00 to 18:00 in Berlin
    /// let call = Usage::call(&"+4930123456".parse()?, "2026-10-05T08:00:00Z".parse()?, 0);
    /// let quote = Rater::Version(&retail).quote(&call, &[60_000, 61_000])?;
    /// assert_eq!(quote.until, Some("2026-10-05T16:00:00Z".parse()?));
    /// let costs: Vec<_> = quote.costs.into_iter().flatten().map(|cost| cost.amount.to_string()).collect();
    /// assert_eq!(costs, ["0.07", "0.09"]);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn quote(&self, usage: &Usage, lengths: &[u64]) -> Result<Quote, RateError> {
        let start = self.rate(&usage.with_ticks(0))?;
        let (terms, until) = match *self {
            Self::Version(tariff) => terms(usage, &tariff)?,
            Self::InForce(tariffs, tariff) => terms(usage, &tariffs.asking(tariff))?,
        };
        let tariff = start.tariff();
        let quantity = |ticks: u64| tariff.measure.quantity(ticks);
        let costs = lengths.iter().map(|ticks| {
            let rated = self.rate(&usage.with_ticks(*ticks))?;
            let (usage, billed) = (quantity(*ticks)?, quantity(rated.billed_ms())?);
            Ok(Cost { usage, billed, amount: rated.amount() })
        });
        let Terms { fees, bands, .. } = &terms;
        let bands = match bands {
            Bands::One(only) => slice::from_ref(only),
            Bands::More(bands) => bands,
        };
        let bands = bands.iter().map(|band| shown(band, tariff.measure));
        Ok(Quote {
            tariff: tariff.id.clone(),
            version: tariff.version,
            line: start.line(),
            prefix: start.prefix(),
            destination: start.destination().clone(),
            currency: tariff.currency,
            measure: tariff.measure,
            crossing: tariff.crossing,
            increments: tariff.increments,
            connect_fee: Price::from_units(fees.connect)?,
            minimum: Price::from_units(fees.minimum)?,
            maximum: fees.maximum.map(Price::from_units).transpose()?,
            at_maximum: if fees.disconnect { AtMaximum::Disconnect } else { AtMaximum::Free },
            grace: quantity(fees.grace)?,
            first: (fees.first > 0).then(|| quantity(fees.first)).transpose()?,
            bands: bands.collect::<Result<_, _>>()?,
            until,
            costs: costs.collect(),
        })
    }
}

/// What the line at the start asks for, and until when it is there.
fn terms<'t>(
    usage: &Usage,
    source: &impl Source<'t>,
) -> Result<(Terms<'t>, Option<Instant>), RateError> {
    let first = source.first(usage)?;
    let tariff = first.tariff;
    let no_line = || RateError::NoLine { tariff: tariff.id.clone(), at: usage.at };
    let terms = tariff.terms(first.line).ok_or_else(no_line)?;
    Ok((terms, until(usage, source, &first)))
}

/// The first instant at which another line, or none, stands where the first one stood.
fn until<'t>(usage: &Usage, source: &impl Source<'t>, first: &Found<'t>) -> Option<Instant> {
    next_line(usage, source, [first, first], usage.at, usage.after(AHEAD_MS))
}

fn shown(band: &Band, measure: Measure) -> Result<BandSpec, MoneyError> {
    Ok(BandSpec {
        from: measure.quantity(band.from)?,
        price: Price::from_units(band.price)?,
        per: measure.quantity(band.per)?,
        increment: measure.quantity(band.increment)?,
    })
}
