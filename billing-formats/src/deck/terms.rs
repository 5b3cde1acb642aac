//! What a row says of its codes, without the codes and the name.

use billing_core::{
    id::Group,
    money::{Price, Quantity},
    number::Prefix,
    tariff::{AtMaximum, BandSpec, LineSpec, To},
    time::Instant,
};

use crate::deck::Increments;

/// What a row says of its codes, without the codes and the name.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Terms {
    /// `None` if calls are not to be made.
    pub(super) price: Option<Price>,
    pub(super) per: Quantity,
    pub(super) increments: Increments,
    pub(super) connect_fee: Price,
    pub(super) minimum: Price,
    pub(super) grace: Quantity,
    pub(super) origin: Option<Prefix>,
    /// The place among the names of windows.
    pub(super) window: Option<u32>,
    pub(super) weight: u32,
    pub(super) valid_from: Option<Instant>,
    pub(super) valid_until: Option<Instant>,
}

/// What tells lines of one code apart, but for their validity: origin, window and weight.
pub(super) type Lane = (Option<Prefix>, Option<u32>, u32);

impl Terms {
    pub(super) const fn lane(&self) -> Lane {
        (self.origin, self.window, self.weight)
    }

    /// The line of a tariff that says so.
    pub(super) fn line(&self, destination: Group, to: To, window: Option<&str>) -> LineSpec {
        let Increments { first, next } = self.increments;
        let band = |price| BandSpec { from: Quantity::ZERO, price, per: self.per, increment: next };
        let first = Some(first).filter(|first| self.price.is_some() && *first != next);
        LineSpec {
            destination,
            to,
            origin: self.origin,
            window: window.map(Into::into),
            weight: self.weight,
            valid_from: self.valid_from,
            valid_until: self.valid_until,
            connect_fee: self.connect_fee,
            minimum: self.minimum,
            maximum: None,
            at_maximum: AtMaximum::default(),
            grace: self.grace,
            first: first.filter(|first| !first.is_zero()),
            bands: self.price.map(band).into_iter().collect(),
            blocked: self.price.is_none(),
        }
    }
}
