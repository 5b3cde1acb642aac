//! Tax on the sum of the lines, so that totals are sums of what is printed (EN 16931).

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use crate::money::{Amount, Exact, MoneyError, Percent, Rounding};

/// Which tax an account's invoices carry.
///
/// # Examples
///
/// ```
/// use billing_core::tax::{TaxMode, TaxProfile};
///
/// let json = r#"{"name":"VAT","percent":"8.1","mode":"included"}"#;
/// let profile: TaxProfile = serde_json::from_str(json)?;
/// assert_eq!(profile.mode, TaxMode::Included);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaxProfile {
    /// The name printed beside the tax, such as `VAT`.
    pub name: String,
    /// The rate.
    pub percent: Percent,
    /// Whether prices hold the tax already.
    pub mode: TaxMode,
}

/// Whether prices hold the tax already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaxMode {
    /// Prices are net; the tax is added.
    Added,
    /// Prices are gross; the tax is a part of them.
    Included,
}

/// One rate of the tax breakdown. `base` and `amount` are rounded once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaxLine {
    /// The name of the tax.
    pub name: String,
    /// Its rate.
    pub percent: Percent,
    /// What it is taken of.
    pub base: Amount,
    /// The tax.
    pub amount: Amount,
}

/// Sums of an invoice: `net` + the taxes = `total`, always.
///
/// # Examples
///
/// ```
/// use billing_core::{money::Rounding, tax::{TaxMode, TaxProfile, tax}};
///
/// let profile = TaxProfile { name: "VAT".into(), percent: "8".parse()?, mode: TaxMode::Included };
/// let taxed = tax("1.50".parse()?, Some(&profile), 2, Rounding::HalfUp)?;
/// assert_eq!((taxed.net.to_string(), taxed.total.to_string()), ("1.39".into(), "1.5".into()));
/// assert_eq!(taxed.net.checked_add(taxed.taxes[0].amount)?, taxed.total);
/// # Ok::<(), billing_core::money::MoneyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Taxed {
    /// The sum without tax.
    pub net: Amount,
    /// The breakdown by rate.
    pub taxes: Vec<TaxLine>,
    /// What is to be paid.
    pub total: Amount,
}

/// Taxes the sum of an invoice's lines.
///
/// Tax added: `tax = round(sum * rate)`, `total = sum + tax`. Tax included: `net = round(sum / (1 + rate))`,
/// `tax = sum - net`. The rule is BR-CO-14 and BR-CO-17 of EN 16931: one rounding per rate, totals are sums.
///
/// # Errors
///
/// [`MoneyError`] if a sum leaves the bounds of an [`Amount`].
///
/// # Examples
///
/// ```
/// use billing_core::{money::Rounding, tax::{TaxMode, TaxProfile, tax}};
///
/// let profile = TaxProfile { name: "VAT".into(), percent: "8".parse()?, mode: TaxMode::Added };
/// let taxed = tax("1.50".parse()?, Some(&profile), 2, Rounding::HalfUp)?;
/// assert_eq!(taxed.total.to_string(), "1.62");
/// # Ok::<(), billing_core::money::MoneyError>(())
/// ```
pub fn tax(
    lines: Amount,
    profile: Option<&TaxProfile>,
    decimals: u32,
    rounding: Rounding,
) -> Result<Taxed, MoneyError> {
    let Some(profile) = profile else {
        return Ok(Taxed { net: lines, taxes: Vec::new(), total: lines });
    };
    let rate = Exact::from(profile.percent);
    let sum = Exact::from(lines);
    let (net, amount, total) = match profile.mode {
        TaxMode::Added => {
            let amount = sum.mul(&rate).round(decimals, rounding)?;
            (lines, amount, lines.checked_add(amount)?)
        }
        TaxMode::Included => {
            let gross = Exact::from_integer(1).add(&rate);
            // A rate is never negative, so the divisor is at least one.
            let net = sum.checked_div(&gross).unwrap_or(sum).round(decimals, rounding)?;
            (net, lines.checked_sub(net)?, lines)
        }
    };
    let line = TaxLine { name: profile.name.clone(), percent: profile.percent, base: net, amount };
    Ok(Taxed { net, taxes: alloc::vec![line], total })
}
