//! A second rater, written from `docs/rating.md` alone: plain, slow, and in exact fractions.
#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::indexing_slicing, reason = "a test may panic")]
#![expect(clippy::string_slice, reason = "numbers are ASCII digits")]
#![expect(clippy::arithmetic_side_effects, reason = "the figures are far below their bounds")]
#![expect(clippy::integer_division, reason = "instants are halved")]

mod clock;
mod fraction;
mod lines;
pub(crate) mod random;

use billing_core::{
    id::{Group, TariffId},
    money::Amount,
    tariff::{AtMaximum, Crossing, IncrementRule, LineSpec, Measure, TariffSpec},
    time::Instant,
};
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::Zero as _;

pub(crate) use fraction::{MILLION, fraction, millionths, rounded};
use lines::{Found, Undecided, Version};

/// How many fallbacks deep a price is looked for.
const DEPTH: u32 = 3;

/// Tariffs with their versions, for usage within a stretch of time.
pub(crate) struct Reference {
    versions: Vec<Version>,
    /// When another line may be in force, ascending.
    edges: Vec<i64>,
}

/// Usage to be priced; the numbers are digits as text, empty for none.
#[derive(Clone, Debug)]
pub(crate) struct Used {
    pub(crate) to: String,
    pub(crate) from: String,
    pub(crate) at: Instant,
    pub(crate) measure: Measure,
    /// In millionths of a second or of a unit.
    pub(crate) usage: i128,
}

/// What usage costs.
#[derive(Clone, Debug)]
pub(crate) struct Costs {
    /// The line at the start, counted from 1.
    pub(crate) line: usize,
    pub(crate) destination: Group,
    /// The prefix it was found by.
    pub(crate) prefix: Option<String>,
    pub(crate) amount: Amount,
    /// Before the rounding.
    pub(crate) exact: BigRational,
    pub(crate) pieces: Vec<Piece>,
}

/// One segment, in millionths of a second or unit.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    /// The line, counted from 1.
    pub(crate) line: usize,
    pub(crate) destination: Group,
    pub(crate) from: i128,
    pub(crate) used: i128,
    pub(crate) billed: i128,
    pub(crate) increment: i128,
    pub(crate) cost: BigRational,
}

/// Why usage has no price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    NotInForce,
    Measure,
    NoLine { at: Instant },
    Blocked { line: usize },
    TooMuch,
    Undecided,
}

impl From<Undecided> for Refused {
    fn from(_: Undecided) -> Self {
        Self::Undecided
    }
}

impl Costs {
    pub(crate) fn billed(&self) -> i128 {
        self.pieces.iter().map(|piece| piece.billed).sum()
    }
}

impl Reference {
    /// Versions and since when each is in force, for usage from an instant until another.
    pub(crate) fn new(
        versions: impl IntoIterator<Item = (TariffSpec, Instant)>,
        from: Instant,
        until: Instant,
    ) -> Self {
        let versions = versions.into_iter();
        let versions: Vec<_> =
            versions.map(|(spec, since)| Version::new(spec, since.micros(), from, until)).collect();
        let mut edges: Vec<i64> = versions.iter().flat_map(Version::edges).collect();
        edges.sort_unstable();
        edges.dedup();
        Self { versions, edges }
    }

    /// What usage costs under a tariff.
    pub(crate) fn price(&self, tariff: &TariffId, used: &Used) -> Result<Costs, Refused> {
        let start = used.at.micros();
        let asked = self.in_force(tariff, start).ok_or(Refused::NotInForce)?;
        if self.versions[asked].spec.measure != used.measure {
            return Err(Refused::Measure);
        }
        let first = self.find(tariff, used, start, DEPTH)?;
        let first = first.ok_or(Refused::NoLine { at: used.at })?;
        let line = self.line(&first)?;
        let pieces = if used.usage == 0 || used.usage <= millionths(line.grace.decimal()) {
            Vec::new()
        } else {
            self.walk(tariff, used, &first)?
        };
        self.total(&first, pieces)
    }

    fn total(&self, first: &Found, pieces: Vec<Piece>) -> Result<Costs, Refused> {
        let (spec, line) = (&self.versions[first.version].spec, self.line(first)?);
        let mut exact = BigRational::zero();
        if !pieces.is_empty() {
            let fee = fraction(line.connect_fee.decimal());
            exact = pieces.iter().fold(fee, |sum, piece| sum + &piece.cost);
            exact = exact.max(fraction(line.minimum.decimal()));
            if let (Some(maximum), AtMaximum::Free) = (line.maximum, line.at_maximum) {
                exact = exact.min(fraction(maximum.decimal()));
            }
        }
        let amount = rounded(&exact, spec.decimals, spec.rounding).ok_or(Refused::TooMuch)?;
        Ok(Costs {
            line: first.line + 1,
            destination: line.destination.clone(),
            prefix: first.prefix.clone(),
            amount,
            exact,
            pieces,
        })
    }

    /// The segments, from the start on.
    fn walk(&self, tariff: &TariffId, used: &Used, first: &Found) -> Result<Vec<Piece>, Refused> {
        let rules = &self.versions[first.version].spec;
        let splits = rules.measure == Measure::Time && rules.crossing == Crossing::Split;
        let mut pieces: Vec<Piece> = Vec::new();
        let mut billed = 0;
        while billed < used.usage {
            let mut end = used.usage;
            let mut current = Some(first.clone());
            if splits {
                let now = after(used.at, billed).micros();
                current = self.later(tariff, used, first, now)?;
                if let Some(change) =
                    self.change_after(tariff, used, first, current.as_ref(), now, end)?
                {
                    end = end.min(i128::from(change - used.at.micros()));
                }
            }
            let Some(current) = current else {
                return Err(Refused::NoLine { at: after(used.at, billed) });
            };
            let line = self.line(&current)?;
            let bands = line.bands.iter();
            let bands: Vec<_> = bands.map(|band| (millionths(band.from.decimal()), band)).collect();
            let band = bands.iter().rev().find(|(from, _)| *from <= billed).unwrap().1;
            if let Some((next, _)) = bands.iter().find(|(from, _)| *from > billed) {
                end = end.min(*next);
            }
            let increment = millionths(band.increment.decimal());
            let in_it = end - billed;
            let first_increment = self.line(first)?.first.map(|first| millionths(first.decimal()));
            let grown = match first_increment.filter(|_| pieces.is_empty()) {
                None => whole(in_it, increment),
                Some(least) => match rules.increments {
                    IncrementRule::Remainder if in_it <= least => least,
                    IncrementRule::Remainder => least + whole(in_it - least, increment),
                    IncrementRule::Total => whole(in_it, increment).max(least),
                },
            };
            let price = fraction(band.price.decimal()) / fraction(band.per.decimal());
            let quantity = BigRational::new(BigInt::from(grown), BigInt::from(MILLION));
            pieces.push(Piece {
                line: current.line + 1,
                destination: line.destination.clone(),
                from: billed,
                used: in_it,
                billed: grown,
                increment,
                cost: price * quantity,
            });
            billed += grown;
        }
        Ok(pieces)
    }

    /// The first instant after `now` and within the usage at which another line is in force.
    fn change_after(
        &self,
        tariff: &TariffId,
        used: &Used,
        first: &Found,
        current: Option<&Found>,
        now: i64,
        end: i128,
    ) -> Result<Option<i64>, Refused> {
        for edge in self.edges.iter().filter(|edge| **edge > now) {
            if i128::from(edge - used.at.micros()) >= end {
                break;
            }
            let then = self.later(tariff, used, first, *edge)?;
            let place = |found: &Found| (found.version, found.line);
            if then.as_ref().map(place) != current.map(place) {
                return Ok(Some(*edge));
            }
        }
        Ok(None)
    }

    /// The line at an instant of usage that began with a line: of the same prefix if it has one in force.
    fn later(
        &self,
        tariff: &TariffId,
        used: &Used,
        first: &Found,
        at: i64,
    ) -> Result<Option<Found>, Refused> {
        let same = &self.versions[first.version].spec.id;
        let version = self.in_force(same, at);
        let measures = |version: &usize| self.versions[*version].spec.measure == used.measure;
        if let Some(version) = version.filter(measures) {
            let prefix = first.prefix.as_deref();
            if let Some(line) = self.versions[version].winner_of(prefix, &used.from, at)? {
                return Ok(Some(Found { version, line, prefix: first.prefix.clone() }));
            }
        }
        self.find(tariff, used, at, DEPTH)
    }

    /// The line of a tariff, else of its fallbacks in their order.
    fn find(
        &self,
        tariff: &TariffId,
        used: &Used,
        at: i64,
        depth: u32,
    ) -> Result<Option<Found>, Refused> {
        let Some(place) = self.in_force(tariff, at) else { return Ok(None) };
        let version = &self.versions[place];
        if version.spec.measure != used.measure {
            return Ok(None);
        }
        if let Some((line, prefix)) = version.winner(&used.to, &used.from, at)? {
            return Ok(Some(Found { version: place, line, prefix }));
        }
        if depth > 0 {
            let currency = version.spec.currency;
            let is_other = |next: &TariffId| {
                self.versions.iter().any(|it| it.spec.id == *next && it.spec.currency != currency)
            };
            for next in version.spec.fallback.iter().filter(|next| !is_other(next)) {
                if let Some(found) = self.find(next, used, at, depth - 1)? {
                    return Ok(Some(found));
                }
            }
        }
        Ok(None)
    }

    /// The place of the version of a tariff that is in force.
    fn in_force(&self, tariff: &TariffId, at: i64) -> Option<usize> {
        let versions = self.versions.iter().enumerate();
        let begun = versions.filter(|(_, it)| it.spec.id == *tariff && it.since <= at);
        begun.max_by_key(|(_, it)| it.since).map(|(place, _)| place)
    }

    fn line(&self, found: &Found) -> Result<&LineSpec, Refused> {
        let line = &self.versions[found.version].spec.lines[found.line];
        if line.blocked { Err(Refused::Blocked { line: found.line + 1 }) } else { Ok(line) }
    }
}

/// Usage in whole increments.
fn whole(usage: i128, increment: i128) -> i128 {
    let mut count = usage / increment;
    if count * increment < usage {
        count += 1;
    }
    count * increment
}

fn after(start: Instant, millionths: i128) -> Instant {
    Instant::from_micros(start.micros() + i64::try_from(millionths).unwrap()).unwrap()
}
