//! Rows for the same code: each holds until the next begins.

use std::collections::BTreeMap;

use billing_core::time::Instant;

use crate::deck::{
    price_list::{Code, Deck, Kept, State},
    terms::Terms,
};

/// What other rows make of single codes, by their places; of all others they make nothing.
#[derive(Clone, Default)]
pub(super) struct Fates(BTreeMap<u32, Fate>);

#[derive(Clone, Copy)]
pub(super) enum Fate {
    /// The next price begins.
    Until(Instant),
    /// Another row says the same.
    Repeated,
}

/// Why a row is refused for another one.
#[derive(Clone, Copy)]
pub(super) struct Refused {
    pub(super) code: Code,
    /// The line on which the other one begins.
    pub(super) other: u64,
}

impl Fates {
    pub(super) fn of(&self, place: u32) -> Option<Fate> {
        // Most decks have none.
        if self.0.is_empty() { None } else { self.0.get(&place).copied() }
    }

    pub(super) fn is_repeated(&self, place: u32) -> bool {
        matches!(self.of(place), Some(Fate::Repeated))
    }
}

/// One code of one row.
#[derive(Clone, Copy)]
struct Entry {
    code: Code,
    /// The place of the row.
    row: usize,
    /// The place of the code.
    place: u32,
}

/// What the rows of a deck make of each other's codes, and those that contradict an earlier one, by their places.
pub(super) fn fates(deck: &Deck) -> (Fates, BTreeMap<usize, Refused>) {
    let mut entries: Vec<Entry> = Vec::new();
    for (row, kept) in deck.rows().iter().enumerate() {
        let codes = deck.codes_of(kept);
        entries.extend(codes.map(|(place, code)| Entry { code, row, place }));
    }
    // Decks come sorted more often than not.
    entries.sort_by_key(|entry| entry.code);
    let mut refused = BTreeMap::new();
    let fates = pass(deck, &entries, &mut refused);
    if refused.is_empty() {
        return (fates, refused);
    }
    // A row that is refused for one of its codes must not end others. No row is refused that was not before.
    entries.retain(|entry| !refused.contains_key(&entry.row));
    (pass(deck, &entries, &mut refused), refused)
}

fn pass(deck: &Deck, entries: &[Entry], refused: &mut BTreeMap<usize, Refused>) -> Fates {
    let mut fates = Fates::default();
    for same in entries.chunk_by(|one, other| one.code == other.code) {
        if same.len() > 1 {
            sequence(deck, same, &mut fates, refused);
        }
    }
    fates
}

fn sequence(
    deck: &Deck,
    same: &[Entry],
    fates: &mut Fates,
    refused: &mut BTreeMap<usize, Refused>,
) {
    let read = |entry: &Entry| {
        let row = deck.rows().get(entry.row)?;
        Some(Said { entry: *entry, row, terms: deck.terms_of(row)? })
    };
    let mut said: Vec<Said<'_>> = same.iter().filter_map(read).collect();
    said.sort_by_key(|said| (said.terms.lane(), said.terms.valid_from, said.entry.row));
    for lane in said.chunk_by(|one, other| one.terms.lane() == other.terms.lane()) {
        let mut before: Option<&Said<'_>> = None;
        for next in lane {
            match before {
                Some(before) if before.terms.valid_from == next.terms.valid_from => {
                    if before.is_same(next, deck) {
                        let _none: Option<Fate> = fates.0.insert(next.entry.place, Fate::Repeated);
                    } else {
                        let problem = Refused { code: next.entry.code, other: before.row.line };
                        let _first: &mut Refused = refused.entry(next.entry.row).or_insert(problem);
                    }
                    continue;
                }
                Some(before) => {
                    let until = before.terms.valid_until;
                    let begins = next.terms.valid_from;
                    let sooner = begins.filter(|from| until.is_none_or(|until| *from < until));
                    fates.0.extend(sooner.map(|from| (before.entry.place, Fate::Until(from))));
                }
                None => {}
            }
            before = Some(next);
        }
    }
}

/// What a row says of one code.
struct Said<'deck> {
    entry: Entry,
    row: &'deck Kept,
    terms: Terms,
}

impl Said<'_> {
    fn is_same(&self, other: &Self, deck: &Deck) -> bool {
        let is_named_the_same = || deck.destination_of(self.row) == deck.destination_of(other.row);
        self.row.state == other.row.state
            && self.terms == other.terms
            && (self.row.state == State::Withdrawn || is_named_the_same())
    }
}
