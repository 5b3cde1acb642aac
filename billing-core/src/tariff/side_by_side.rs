//! Which lines of two documents stand side by side: those that are for the same calls, piece by piece along time.

use alloc::{collections::BTreeMap, vec::Vec};
use core::{cmp::Ordering, iter::Peekable, slice::Iter};

use crate::tariff::{
    rows::{Row, runs},
    validity::Validity,
};

/// A line of the older document, one of the newer, or both, for as long as they stand so.
#[derive(Clone, Copy, Debug)]
pub(super) struct SideBySide<'a> {
    pub(super) when: Validity,
    pub(super) old: Option<Row<'a>>,
    pub(super) new: Option<Row<'a>>,
}

/// Puts lines of one prefix, origin and window side by side, the earliest first.
///
/// Lines of one validity and weight belong together. What is left is cut where any of it begins or ends; of what is in force then,
/// lines of one weight belong together, then those of one validity, then any.
pub(super) fn side_by_side<'a>(old: &[Row<'a>], new: &[Row<'a>], pieces: &mut Vec<SideBySide<'a>>) {
    let (gone, come) = pair(old, new, Row::by_validity_and_weight, |old, new| {
        pieces.push(SideBySide { when: Validity::of(old.line), old: Some(old), new: Some(new) });
    });
    if gone.is_empty() || come.is_empty() {
        let whole = |row: &Row<'a>| Validity::of(row.line);
        let gone = gone.iter().map(|row| (whole(row), Some(*row), None));
        let come = come.iter().map(|row| (whole(row), None, Some(*row)));
        pieces.extend(gone.chain(come).map(|(when, old, new)| SideBySide { when, old, new }));
    } else {
        along_time(&gone, &come, pieces);
    }
    pieces.sort_by_key(|piece| piece.when.from);
}

fn along_time<'a>(gone: &[Row<'a>], come: &[Row<'a>], pieces: &mut Vec<SideBySide<'a>>) {
    let validities = gone.iter().chain(come).map(|row| Validity::of(row.line));
    let (mut before, mut after) = (InForce::of(gone), InForce::of(come));
    // The places of the last pieces, so that neighbours become one.
    let mut last: BTreeMap<_, usize> = BTreeMap::new();
    for when in Validity::ALWAYS.cut(validities) {
        for (old, new) in belonging(before.during(when), after.during(when)) {
            let both = (old.map(|row| row.number), new.map(|row| row.number));
            let place = pieces.len();
            let neighbour = last.get(&both).and_then(|place| pieces.get_mut(*place));
            if let Some(piece) = neighbour.filter(|piece| piece.when.until == when.from) {
                piece.when.until = when.until;
            } else {
                pieces.push(SideBySide { when, old, new });
                let _before: Option<usize> = last.insert(both, place);
            }
        }
    }
}

/// The lines of one side that are in force, as time goes on.
struct InForce<'r, 'a> {
    coming: Peekable<Iter<'r, Row<'a>>>,
    present: Vec<Row<'a>>,
}

impl<'r, 'a> InForce<'r, 'a> {
    /// Of lines in the order of their beginnings.
    fn of(rows: &'r [Row<'a>]) -> Self {
        Self { coming: rows.iter().peekable(), present: Vec::new() }
    }

    /// Those that are in force in the next piece of time, in which none begins or ends.
    fn during(&mut self, when: Validity) -> Vec<Row<'a>> {
        while let Some(row) = self.coming.next_if(|row| row.line.valid_from <= when.from) {
            self.present.push(*row);
        }
        self.present.retain(|row| Validity::of(row.line).covers(when));
        self.present.clone()
    }
}

/// Which lines belong together while all of them are in force.
fn belonging<'a>(
    mut old: Vec<Row<'a>>,
    mut new: Vec<Row<'a>>,
) -> Vec<(Option<Row<'a>>, Option<Row<'a>>)> {
    let mut belonging = Vec::new();
    for order in [Row::by_weight, Row::by_validity, |_: &Row<'_>, _: &Row<'_>| Ordering::Equal] {
        old.sort_by(order);
        new.sort_by(order);
        (old, new) = pair(&old, &new, order, |old, new| belonging.push((Some(old), Some(new))));
    }
    belonging.extend(old.into_iter().map(|row| (Some(row), None)));
    belonging.extend(new.into_iter().map(|row| (None, Some(row))));
    belonging
}

/// Pairs lines that are equal in an order in which both sides are, and gives what is left of them.
fn pair<'a>(
    old: &[Row<'a>],
    new: &[Row<'a>],
    order: impl Fn(&Row<'a>, &Row<'a>) -> Ordering,
    mut found: impl FnMut(Row<'a>, Row<'a>),
) -> (Vec<Row<'a>>, Vec<Row<'a>>) {
    let (mut gone, mut come) = (Vec::new(), Vec::new());
    for (old, new) in runs(old, new, order) {
        let pairs = old.len().min(new.len());
        old.iter().zip(new).for_each(|(old, new)| found(*old, *new));
        gone.extend(old.iter().skip(pairs));
        come.extend(new.iter().skip(pairs));
    }
    (gone, come)
}
