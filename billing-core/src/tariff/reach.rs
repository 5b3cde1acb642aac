//! How far an amount reaches.

use crate::{
    money::Amount,
    tariff::{
        RateError, Rated, Tariff, Usage,
        line::Fees,
        rating::{Source, exact_cost, exact_units, rate, walk},
    },
};

/// The longest usage that costs at most an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// So many milliseconds of a call, or millionths of a unit; 0 if it does not even pay the first increment.
    Until(u64),
    /// As long as was asked about.
    Unlimited,
}

impl Tariff {
    /// The longest usage that costs at most `amount`, up to that of `usage`.
    ///
    /// Costs as much as rating a few dozen times: it asks [`rate`](Self::rate) itself, so the two agree. Where the line
    /// disconnects at its maximum, usage ends there too.
    ///
    /// # Errors
    ///
    /// As [`rate`](Self::rate).
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::tariff::{Reach, Tariff, Usage};
    ///
    /// # let spec = serde_json::from_str(
    /// #     r#"{"id":"retail","version":1,"currency":"EUR","zone":"UTC","decimals":4,"rounding":"half_up",
    /// #         "lines":[{"destination":"Germany","to":{"prefixes":["49"]},
    /// #                   "bands":[{"price":"0.06","per":"60","increment":"6"}],"first":"30"}]}"#,
    /// # )?;
    /// let retail = Tariff::compile(&spec)?; // 30/6 at 0.06 a minute
    /// let hour = Usage::call(&"+4930123456".parse()?, "2026-10-05T08:00:00Z".parse()?, 3_600_000);
    /// assert_eq!(retail.reach(&hour, "0.029".parse()?)?, Reach::Until(0));
    /// assert_eq!(retail.reach(&hour, "0.04".parse()?)?, Reach::Until(36_000));
    /// assert_eq!(retail.reach(&hour, "4".parse()?)?, Reach::Unlimited);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn reach(&self, usage: &Usage, amount: Amount) -> Result<Reach, RateError> {
        reach(usage, &self, amount)
    }
}

#[expect(single_use_lifetimes, reason = "an anonymous one is not stable here")]
pub(super) fn reach<'t>(
    usage: &Usage,
    source: &impl Source<'t>,
    amount: Amount,
) -> Result<Reach, RateError> {
    let _priced: Rated<'_> = rate(&usage.with_ticks(0), source)?;
    let pays = |ticks: u64| -> Result<bool, RateError> {
        let usage = usage.with_ticks(ticks);
        match rate(&usage, source) {
            Ok(rated) => Ok(rated.amount() <= amount && goes_on(&usage, source)?),
            // It goes as far as there is a price.
            Err(
                RateError::NoLine { .. } | RateError::Blocked { .. } | RateError::TooMuch { .. },
            ) => Ok(false),
            Err(error) => Err(error),
        }
    };
    if pays(usage.ticks)? {
        return Ok(Reach::Unlimited);
    }
    // What is paid for is a beginning: prices are never negative, so longer usage never costs less.
    let (mut paid, mut unpaid) = (0_u64, usage.ticks);
    while unpaid.saturating_sub(paid) > 1 {
        let middle = paid.midpoint(unpaid);
        if pays(middle)? {
            paid = middle;
        } else {
            unpaid = middle;
        }
    }
    Ok(Reach::Until(paid))
}

/// Whether usage stays within the maximum of a line that disconnects there.
#[expect(single_use_lifetimes, reason = "an anonymous one is not stable here")]
fn goes_on<'t>(usage: &Usage, source: &impl Source<'t>) -> Result<bool, RateError> {
    let first = source.first(usage)?;
    let Some(terms) = first.tariff.terms(first.line) else { return Ok(true) };
    let Fees { connect, maximum, disconnect, .. } = terms.fees;
    let Some(maximum) = maximum.filter(|_| disconnect) else { return Ok(true) };
    let mut sum = exact_units(connect);
    let (_first, costs) = walk(usage, source, |segment| {
        sum = sum.add(&exact_cost(&segment.band, segment.billed));
    })?;
    Ok(costs.is_none() || sum <= exact_units(maximum))
}
