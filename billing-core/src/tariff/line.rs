//! A compiled line: one price for one prefix, and what it asks for.

use crate::time::Instant;

/// No line.
pub(super) const NONE: u32 = u32::MAX;

/// One price for one prefix; one cache line, so that a plain price is found with one look.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(super) struct Line {
    /// The packed prefix, or 0 for the catch-all.
    pub(super) prefix: u64,
    /// The price of a plain line's band, in units of 10^-10.
    pub(super) price: u64,
    /// A plain line's connect fee, in units of 10^-10.
    pub(super) connect: u64,
    /// A plain line's minimum, in units of 10^-10.
    pub(super) minimum: u64,
    /// For how much usage a plain line's price is, in ticks.
    pub(super) per: u32,
    /// A plain line's increment, in ticks.
    pub(super) increment: u32,
    /// A plain line's first increment, in ticks; 0 for that of its band.
    pub(super) first: u32,
    /// The first line of the longest shorter prefix, or `NONE`.
    pub(super) shorter: u32,
    /// Its place in the document, from 0.
    pub(super) number: u32,
    pub(super) destination: u32,
    /// The place of its terms, or `NONE` for a plain line.
    pub(super) terms: u32,
    /// The place of its conditions; 0 for none.
    pub(super) conditions: u32,
}

impl Line {
    /// Whether all it asks for stands in it.
    pub(super) const fn is_plain(&self) -> bool {
        self.terms == NONE
    }

    /// What a plain line asks for.
    pub(super) fn plain_terms(&self) -> Terms<'static> {
        let fees = Fees {
            connect: self.connect.into(),
            minimum: self.minimum.into(),
            maximum: None,
            disconnect: false,
            grace: 0,
            first: self.first.into(),
        };
        let (per, increment) = (self.per.into(), self.increment.into());
        let band = Band { from: 0, price: self.price.into(), per, increment };
        Terms { fees, bands: Bands::One(band), blocked: false }
    }
}

/// When a line is in force.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Conditions {
    pub(super) weight: u32,
    /// The packed prefix, or 0.
    pub(super) origin: u64,
    pub(super) valid_from: Option<Instant>,
    pub(super) valid_until: Option<Instant>,
    /// Its place, from 1, or 0. The last field, so that the latest validity decides before it.
    pub(super) window: u32,
}

/// What a line asks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms<'t> {
    pub(super) fees: Fees,
    pub(super) bands: Bands<'t>,
    pub(super) blocked: bool,
}

/// The terms of a line that is not plain, as they are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct KeptTerms {
    pub(super) first_band: u32,
    pub(super) bands: u32,
    pub(super) fees: Fees,
    pub(super) blocked: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fees {
    /// In units of 10^-10.
    pub(super) connect: u128,
    pub(super) minimum: u128,
    pub(super) maximum: Option<u128>,
    pub(super) disconnect: bool,
    /// In ticks.
    pub(super) grace: u64,
    /// In ticks; 0 for that of the first band.
    pub(super) first: u64,
}

/// The bands of a line: at least one unless it is blocked.
#[derive(Clone, Copy, Debug)]
pub(super) enum Bands<'t> {
    One(Band),
    More(&'t [Band]),
}

impl Bands<'_> {
    /// The band of a position in billed usage, and where the next one begins.
    pub(super) fn at(&self, position: u64) -> Option<(Band, u64)> {
        match self {
            Self::One(only) => Some((*only, u64::MAX)),
            Self::More(bands) => {
                let after = bands.partition_point(|band| band.from <= position);
                let band = bands.get(after.checked_sub(1)?)?;
                Some((*band, bands.get(after).map_or(u64::MAX, |next| next.from)))
            }
        }
    }
}

/// One band, in ticks and units of 10^-10.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Band {
    pub(super) from: u64,
    pub(super) price: u128,
    pub(super) per: u64,
    pub(super) increment: u64,
}
