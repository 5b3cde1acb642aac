//! The codes that a delta names, and which lines of a tariff they are about.

use std::collections::BTreeMap;

use billing_core::{number::Prefix, tariff::LineSpec, time::Instant};

use crate::deck::price_list::{Code, Deck, Kept, State};

/// The codes that a delta names.
pub(super) struct Named<'deck> {
    deck: &'deck Deck,
    codes: BTreeMap<Code, Vec<Naming<'deck>>>,
}

/// One row that names a code.
struct Naming<'deck> {
    row: &'deck Kept,
    from: Beginning,
    /// Whether whatever begins with the code is named too.
    is_of_range: bool,
    /// Whether a line had the code, or one that is named with it.
    is_met: bool,
}

/// From when on a row counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Beginning {
    AtOnce,
    At(Instant),
}

impl<'deck> Named<'deck> {
    pub(super) fn of(deck: &'deck Deck) -> Self {
        let mut codes: BTreeMap<Code, Vec<Naming<'deck>>> = BTreeMap::new();
        let rows = deck.rows().iter();
        for row in rows.filter(|row| matches!(row.state, State::Priced | State::Withdrawn)) {
            let from = deck.terms_of(row).and_then(|terms| terms.valid_from);
            let from = from.map_or(Beginning::AtOnce, Beginning::At);
            for (place, code) in deck.codes_of(row) {
                let is_of_range = deck.is_of_range(place);
                let naming = Naming { row, from, is_of_range, is_met: false };
                codes.entry(code).or_default().push(naming);
            }
        }
        Self { deck, codes }
    }

    /// From when on rows speak of one code of a line, if any does.
    pub(super) fn from(&mut self, code: Code, line: &LineSpec) -> Option<Beginning> {
        let mut from = self.meet(code, line, Match::Code);
        let Some(prefix) = code.filter(|_| self.deck.has_ranges()) else { return from };
        for shorter in shorter(prefix) {
            let sooner = self.meet(Some(shorter), line, Match::Range);
            from = from.into_iter().chain(sooner).min();
        }
        from
    }

    fn meet(&mut self, code: Code, line: &LineSpec, by: Match) -> Option<Beginning> {
        let deck = self.deck;
        let namings = self.codes.get_mut(&code).into_iter().flatten();
        let about = namings.filter(|naming| {
            (by == Match::Code || naming.is_of_range) && is_about(deck, naming.row, line)
        });
        let from = about.map(|naming| {
            naming.is_met = true;
            naming.from
        });
        from.min()
    }

    /// The lines of the rows that withdraw a code which nothing had, in order.
    pub(super) fn unmet(&self) -> Vec<u64> {
        let mut lines = Vec::new();
        for namings in self.codes.values() {
            let priced = namings.iter().filter(|naming| naming.row.state == State::Priced);
            let priced = priced.map(|naming| naming.from).min();
            let unmet = namings.iter().filter(|naming| {
                naming.row.state == State::Withdrawn
                    && !naming.is_met
                    && priced.is_none_or(|priced| naming.from <= priced)
            });
            lines.extend(unmet.map(|naming| naming.row.line));
        }
        lines.sort_unstable();
        lines.dedup();
        lines
    }
}

/// How a code of a line is met.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Match {
    /// As it is.
    Code,
    /// As one within a range.
    Range,
}

/// Whether a row speaks of the calls that a line prices.
fn is_about(deck: &Deck, row: &Kept, line: &LineSpec) -> bool {
    deck.terms_of(row).is_some_and(|terms| {
        let window = deck.window(&terms);
        (!deck.has_origins || terms.origin == line.origin)
            && (!deck.has_windows || window == line.window.as_deref())
    })
}

/// The prefixes with fewer digits that a prefix begins with.
fn shorter(prefix: Prefix) -> impl Iterator<Item = Prefix> {
    let text = prefix.to_string();
    (1..prefix.len()).filter_map(move |length| Prefix::try_new(text.get(..length)?).ok())
}
