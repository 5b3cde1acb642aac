//! What is different between two lines: their terms, their prices for the same unit, and whether calls become dearer.

use alloc::vec::Vec;
use core::cmp::Ordering;

use compact_str::CompactString;
use serde::{Serialize, Serializer};

use crate::{
    id::Group,
    money::{Amount, Exact, Price, Quantity, Rounding},
    number::Prefix,
    tariff::{AtMaximum, BandSpec, LineSpec},
    time::Instant,
};

/// One line that was added, removed or changed, for one prefix and a piece of time.
///
/// A line that was removed is compared with the one that prices its numbers in the newer tariff, and one that was added with the one
/// that priced them in the older: the line of the longest prefix, up to its own, that is in force whenever it is itself. Where that
/// is another line from some instant on, each has a piece of its own. Where there is none, its numbers have no price on that side, or
/// the price of a fallback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineDiff<'a> {
    /// The prefix; `None` for the catch-all.
    pub prefix: Option<Prefix>,
    /// From when on this is so; `None` for always.
    pub valid_from: Option<Instant>,
    /// Until before when; `None` for always.
    pub valid_until: Option<Instant>,
    /// What became of the line.
    pub change: Change,
    /// What prices its numbers in the older tariff.
    pub old: Option<LineAt<'a>>,
    /// What prices them in the newer one.
    pub new: Option<LineAt<'a>>,
    /// How percentages are rounded.
    pub percents: Percents,
}

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It is only in the newer tariff.
    Added,
    /// It is only in the older tariff.
    Removed,
    /// It is in both, on other terms.
    Changed,
}

/// A line of a document, and by which of its prefixes it is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineAt<'a> {
    /// Its number in the document, counted from 1.
    pub number: u32,
    /// The prefix; `None` for the catch-all.
    pub prefix: Option<Prefix>,
    /// Its terms.
    pub line: &'a LineSpec,
}

/// How a relative change is rounded to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Percents {
    /// The decimals of a percentage: 0 to 10.
    pub decimals: u8,
    /// How it is rounded.
    pub rounding: Rounding,
}

/// What a change does to the price of calls, as far as prices, fees, minimum and maximum tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Something costs more, and nothing less.
    Increase,
    /// Something costs less, and nothing more.
    Decrease,
    /// Something costs more and something less.
    Mixed,
    /// No price is another; only names, increments, grace or weights are.
    Same,
    /// There was no price, and there is one.
    Gained,
    /// There was a price, and there is none: no line, or a blocked one.
    Lost,
}

/// A part of the terms in which two lines differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Part {
    /// What the destination is called.
    Destination,
    /// Whether it is blocked.
    Blocked,
    /// A price, as much for as much.
    Price,
    /// From how much billed usage on prices are.
    Bands,
    /// First or next increments.
    Increments,
    /// The connect fee.
    ConnectFee,
    /// The minimum.
    Minimum,
    /// The maximum, or what happens there.
    Maximum,
    /// The grace.
    Grace,
    /// The weight.
    Weight,
}

/// The price from some billed usage on, before and after, for the same unit: the longer of both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PriceDiff {
    /// The billed usage from which on these prices are.
    pub from: Quantity,
    /// For how much usage both are.
    pub per: Quantity,
    /// The older price; `None` if there was none.
    pub old: Option<Exact>,
    /// The newer price; `None` if there is none.
    pub new: Option<Exact>,
    /// By which part of the older price the newer one is above it; `None` without an older price above 0, or a newer one.
    pub ratio: Option<Exact>,
    /// The same in percent, rounded to be shown; `None` also from 10^18 % on.
    pub percent: Option<Amount>,
}

impl LineDiff<'_> {
    /// In which parts the two sides differ; none if there is only one.
    ///
    /// # Examples
    ///
    /// See [`TariffSpec::diff`](crate::tariff::TariffSpec::diff).
    #[must_use]
    pub fn parts(&self) -> Vec<Part> {
        self.old.zip(self.new).map(|(old, new)| parts(old.line, new.line)).unwrap_or_default()
    }

    /// What it does to the price of calls.
    ///
    /// # Examples
    ///
    /// See [`TariffSpec::diff`](crate::tariff::TariffSpec::diff).
    #[must_use]
    pub fn effect(&self) -> Effect {
        match (priced(self.old), priced(self.new)) {
            (None, None) => Effect::Same,
            (None, Some(_)) => Effect::Gained,
            (Some(_), None) => Effect::Lost,
            (Some(old), Some(new)) => effect(old, new),
        }
    }

    /// The prices of both sides, for the same unit, from each usage on at which one of them changes.
    ///
    /// # Examples
    ///
    /// See [`TariffSpec::diff`](crate::tariff::TariffSpec::diff).
    #[must_use]
    pub fn prices(&self) -> Vec<PriceDiff> {
        let bands = |side| priced(side).map(|line| &*line.bands).unwrap_or_default();
        let (old, new) = (bands(self.old), bands(self.new));
        let prices = begins(old, new).into_iter();
        let prices =
            prices.map(|from| price(from, band_at(old, from), band_at(new, from), self.percents));
        prices.flatten().collect()
    }
}

/// The terms of a side, if calls have a price there.
fn priced(side: Option<LineAt<'_>>) -> Option<&LineSpec> {
    side.map(|at| at.line).filter(|line| !line.blocked)
}

pub(super) fn parts(old: &LineSpec, new: &LineSpec) -> Vec<Part> {
    let begins_alike = old.bands.len() == new.bands.len()
        && old.bands.iter().zip(&new.bands).all(|(old, new)| old.from == new.from);
    let both = || {
        let pair = |from| Some((band_at(&old.bands, from)?, band_at(&new.bands, from)?));
        begins(&old.bands, &new.bands).into_iter().filter_map(pair)
    };
    let maximum = |line: &LineSpec| line.maximum.map(|maximum| (maximum, line.at_maximum));
    let unlike = [
        (Part::Destination, old.destination != new.destination),
        (Part::Blocked, old.blocked != new.blocked),
        (Part::Price, both().any(|(old, new)| dearer(old, new).is_ne())),
        (Part::Bands, !begins_alike),
        (
            Part::Increments,
            first_increment(old) != first_increment(new)
                || both().any(|(old, new)| old.increment != new.increment),
        ),
        (Part::ConnectFee, old.connect_fee != new.connect_fee),
        (Part::Minimum, old.minimum != new.minimum),
        (Part::Maximum, maximum(old) != maximum(new)),
        (Part::Grace, old.grace != new.grace),
        (Part::Weight, old.weight != new.weight),
    ];
    unlike.into_iter().filter(|(_, is_unlike)| *is_unlike).map(|(part, _)| part).collect()
}

/// A first increment like the first band's is none.
fn first_increment(line: &LineSpec) -> Option<Quantity> {
    line.first.or_else(|| line.bands.first().map(|band| band.increment))
}

fn effect(old: &LineSpec, new: &LineSpec) -> Effect {
    let (mut up, mut down) = (false, false);
    let mut note = |order: Ordering| {
        up |= order.is_gt();
        down |= order.is_lt();
    };
    for from in begins(&old.bands, &new.bands) {
        let both = band_at(&old.bands, from).zip(band_at(&new.bands, from));
        both.map(|(old, new)| dearer(old, new)).into_iter().for_each(&mut note);
    }
    note(new.connect_fee.cmp(&old.connect_fee));
    note(new.minimum.cmp(&old.minimum));
    note(match (limit(old), limit(new)) {
        (Some(old), Some(new)) => new.cmp(&old),
        // What has no limit may cost more than what has one.
        (old, new) => old.is_some().cmp(&new.is_some()),
    });
    match (up, down) {
        (true, true) => Effect::Mixed,
        (true, false) => Effect::Increase,
        (false, true) => Effect::Decrease,
        (false, false) => Effect::Same,
    }
}

/// What a call costs at most.
fn limit(line: &LineSpec) -> Option<Price> {
    line.maximum.filter(|_| line.at_maximum == AtMaximum::Free)
}

/// Every usage at which a band of either begins.
fn begins(old: &[BandSpec], new: &[BandSpec]) -> Vec<Quantity> {
    let mut begins: Vec<Quantity> = old.iter().chain(new).map(|band| band.from).collect();
    begins.sort_unstable();
    begins.dedup();
    begins
}

fn band_at(bands: &[BandSpec], from: Quantity) -> Option<&BandSpec> {
    bands.iter().take_while(|band| band.from <= from).last()
}

/// How the newer price compares to the older one, each for the same usage.
fn dearer(old: &BandSpec, new: &BandSpec) -> Ordering {
    if old.per == new.per {
        return new.price.cmp(&old.price);
    }
    let of = |price: Price, per: Quantity| Exact::from(price).mul(&Exact::from(per));
    of(new.price, old.per).cmp(&of(old.price, new.per))
}

fn price(
    from: Quantity,
    old: Option<&BandSpec>,
    new: Option<&BandSpec>,
    percents: Percents,
) -> Option<PriceDiff> {
    let per = old.into_iter().chain(new).map(|band| band.per).max()?;
    let for_that = |band: &BandSpec| {
        let share = Exact::from(per).checked_div(&Exact::from(band.per))?;
        Some(Exact::from(band.price).mul(&share))
    };
    let (old, new) = (old.and_then(for_that), new.and_then(for_that));
    let ratio = old.as_ref().zip(new.as_ref()).and_then(|(old, new)| new.sub(old).checked_div(old));
    let percent = ratio.as_ref().and_then(|ratio| {
        let percent = ratio.mul(&Exact::from_integer(100));
        percent.round(percents.decimals.into(), percents.rounding).ok()
    });
    Some(PriceDiff { from, per, old, new, ratio, percent })
}

/// A line difference as a preview shows it.
#[derive(Serialize)]
struct Shown<'a> {
    prefix: Option<Prefix>,
    change: Change,
    effect: Effect,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<Prefix>,
    #[serde(skip_serializing_if = "Option::is_none")]
    window: Option<&'a CompactString>,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_from: Option<Instant>,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_until: Option<Instant>,
    parts: Vec<Part>,
    prices: Vec<PriceDiff>,
    old: Option<Terms<'a>>,
    new: Option<Terms<'a>>,
}

/// The terms of a line, without the prefixes it shares them with.
#[derive(Serialize)]
struct Terms<'a> {
    line: u32,
    prefix: Option<Prefix>,
    destination: &'a Group,
    blocked: bool,
    weight: u32,
    connect_fee: Price,
    minimum: Price,
    maximum: Option<Price>,
    at_maximum: AtMaximum,
    grace: Quantity,
    first: Option<Quantity>,
    bands: &'a [BandSpec],
}

impl Serialize for LineDiff<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let own = match self.change {
            Change::Added => self.new,
            Change::Removed | Change::Changed => self.old,
        };
        let own = own.map(|side| side.line);
        let shown = Shown {
            prefix: self.prefix,
            change: self.change,
            effect: self.effect(),
            origin: own.and_then(|line| line.origin),
            window: own.and_then(|line| line.window.as_ref()),
            valid_from: self.valid_from,
            valid_until: self.valid_until,
            parts: self.parts(),
            prices: self.prices(),
            old: self.old.map(terms),
            new: self.new.map(terms),
        };
        shown.serialize(serializer)
    }
}

fn terms(side: LineAt<'_>) -> Terms<'_> {
    let LineAt { number, prefix, line } = side;
    Terms {
        line: number,
        prefix,
        destination: &line.destination,
        blocked: line.blocked,
        weight: line.weight,
        connect_fee: line.connect_fee,
        minimum: line.minimum,
        maximum: line.maximum,
        at_maximum: line.at_maximum,
        grace: line.grace,
        first: line.first,
        bands: &line.bands,
    }
}
