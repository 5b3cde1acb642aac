//! What usage costs, and by which line of which tariff.

use crate::{
    id::Group,
    money::Amount,
    number::Prefix,
    tariff::{Tariff, line::Line},
};

/// What usage costs, and by which line of which tariff.
#[derive(Clone, Copy, Debug)]
pub struct Rated<'t> {
    pub(super) price: Price,
    pub(super) billed: u64,
    pub(super) segments: u32,
    pub(super) line: &'t Line,
    pub(super) tariff: &'t Tariff,
    pub(super) destination: &'t Group,
}

/// A price as it was found; most are only added to others, so an amount is made when somebody asks for it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Price {
    /// Fewer than 10^18 units of the tariff's last decimal.
    Units(u64),
    Amount(Amount),
}

/// Fewer units are in the bounds of an amount, whatever the decimals.
pub(super) const UNITS_END: u64 = 1_000_000_000_000_000_000;

impl<'t> Rated<'t> {
    /// What it costs, rounded once.
    #[must_use]
    pub fn amount(&self) -> Amount {
        match self.price {
            Price::Amount(amount) => amount,
            Price::Units(units) => Amount::from_few_units(units, self.tariff.decimals),
        }
    }

    /// The same in units of the last decimal of its [`tariff`](Self::tariff): for sums of many.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::tariff::{Tariff, Usage};
    ///
    /// # let spec = serde_json::from_str(
    /// #     r#"{"id":"retail","version":1,"currency":"EUR","zone":"UTC","decimals":4,"rounding":"half_up",
    /// #         "lines":[{"destination":"Germany","to":{"prefixes":["49"]},
    /// #                   "bands":[{"price":"0.006","per":"60","increment":"6"}],"first":"30"}]}"#,
    /// # )?;
    /// let retail = Tariff::compile(&spec)?; // to 4 decimals
    /// let call = Usage::call(&"+4930123456".parse()?, "2026-10-05T08:00:00Z".parse()?, 57_000);
    /// let rated = retail.rate(&call)?;
    /// assert_eq!((rated.units(), rated.amount().to_string()), (60, "0.006".to_owned()));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn units(&self) -> i128 {
        match self.price {
            Price::Units(units) => units.into(),
            // It was rounded to these decimals.
            Price::Amount(amount) => amount.units(self.tariff.decimals).unwrap_or(0),
        }
    }

    /// How much is billed, in milliseconds of a call or millionths of a unit: usage grown to whole increments.
    #[must_use]
    pub const fn billed_ms(&self) -> u64 {
        self.billed
    }

    /// Over how many prices, bands and windows it is spread.
    #[must_use]
    pub const fn segments(&self) -> u32 {
        self.segments
    }

    /// The tariff, in the version, that priced its beginning: the one asked, or a fallback.
    #[must_use]
    pub const fn tariff(&self) -> &'t Tariff {
        self.tariff
    }

    /// The line of that tariff that priced its beginning, counted from 1.
    #[must_use]
    pub const fn line(&self) -> u32 {
        self.line.number.saturating_add(1)
    }

    /// The prefix that line was found by; `None` for a catch-all.
    #[must_use]
    pub fn prefix(&self) -> Option<Prefix> {
        Prefix::unpacked(self.line.prefix)
    }

    /// What the destination is called.
    #[must_use]
    pub const fn destination(&self) -> &'t Group {
        self.destination
    }

    /// The place of the destination among those of the tariff, from 0: for totals that are kept in a list.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::tariff::{Tariff, Usage};
    ///
    /// # let spec = serde_json::from_str(
    /// #     r#"{"id":"retail","version":1,"currency":"EUR","zone":"UTC","decimals":4,"rounding":"half_up",
    /// #         "lines":[{"destination":"Germany","to":{"prefixes":["49"]},
    /// #                   "bands":[{"price":"0.006","per":"60","increment":"6"}],"first":"30"}]}"#,
    /// # )?;
    /// let retail = Tariff::compile(&spec)?;
    /// let mut calls = vec![0; retail.destinations().len()];
    /// let call = Usage::call(&"+4930123456".parse()?, "2026-10-05T08:00:00Z".parse()?, 57_000);
    /// let rated = retail.rate(&call)?;
    /// calls[rated.destination_place()] += 1;
    /// assert_eq!(&retail.destinations()[rated.destination_place()], rated.destination());
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn destination_place(&self) -> usize {
        usize::try_from(self.line.destination).unwrap_or(usize::MAX)
    }
}
