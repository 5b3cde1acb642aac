//! From when to when lines are in force, and how that is cut where other lines begin and end.

use alloc::vec::Vec;
use core::mem;

use crate::{tariff::LineSpec, time::Instant};

/// From when, and until before when; `None` for always.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Validity {
    pub(super) from: Option<Instant>,
    pub(super) until: Option<Instant>,
}

impl Validity {
    pub(super) const ALWAYS: Self = Self { from: None, until: None };

    pub(super) const fn of(line: &LineSpec) -> Self {
        Self { from: line.valid_from, until: line.valid_until }
    }

    /// Whether it is whenever another one is.
    pub(super) fn covers(self, other: Self) -> bool {
        self.from <= other.from
            && self.until.is_none_or(|until| other.until.is_some_and(|it| it <= until))
    }

    /// Its pieces between the edges of others, the earliest first.
    pub(super) fn cut(self, others: impl Iterator<Item = Self>) -> impl Iterator<Item = Self> {
        let edges = others.flat_map(|other| [other.from, other.until]).flatten();
        let is_within = |edge: &Instant| {
            self.from < Some(*edge) && self.until.is_none_or(|until| *edge < until)
        };
        let mut edges: Vec<Instant> = edges.filter(is_within).collect();
        edges.sort_unstable();
        edges.dedup();
        let mut from = self.from;
        edges
            .into_iter()
            .map(Some)
            .chain([self.until])
            .map(move |until| Self { from: mem::replace(&mut from, until), until })
    }
}
