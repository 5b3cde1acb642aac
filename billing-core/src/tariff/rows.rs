//! The lines of a document one by one for each prefix, sorted, so that two documents can be gone through side by side.

use alloc::vec::Vec;
use core::cmp::Ordering;

use crate::tariff::{InvalidTariff, LineSpec, TariffSpec};

/// One line for one prefix.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'a> {
    /// The packed prefix, or 0 for the catch-all.
    pub(super) prefix: u64,
    /// Its place in the document, counted from 1.
    pub(super) number: u32,
    pub(super) line: &'a LineSpec,
}

impl Row<'_> {
    pub(super) fn by_prefix(&self, other: &Self) -> Ordering {
        self.prefix.cmp(&other.prefix)
    }

    /// By what else they are for: from where, and at which times of the week and the year.
    pub(super) fn by_calls(&self, other: &Self) -> Ordering {
        let (one, two) = (self.line, other.line);
        one.origin.cmp(&two.origin).then_with(|| one.window.cmp(&two.window))
    }

    pub(super) fn by_validity(&self, other: &Self) -> Ordering {
        let (one, two) = (self.line, other.line);
        (one.valid_from, one.valid_until).cmp(&(two.valid_from, two.valid_until))
    }

    pub(super) fn by_weight(&self, other: &Self) -> Ordering {
        self.line.weight.cmp(&other.line.weight)
    }

    pub(super) fn by_validity_and_weight(&self, other: &Self) -> Ordering {
        self.by_validity(other).then_with(|| self.by_weight(other))
    }
}

/// The rows of a document: the catch-all first, then by prefix as text, then by what else they are for, by validity and by weight.
pub(super) fn rows(spec: &TariffSpec) -> Result<Vec<Row<'_>>, InvalidTariff> {
    let mut rows = Vec::with_capacity(spec.lines.len());
    for (number, line) in (1_u32..).zip(&spec.lines) {
        let of_line = |problem| InvalidTariff { line: usize::try_from(number).ok(), problem };
        let Some(prefixes) = spec.prefixes_of(line).map_err(of_line)? else {
            rows.push(Row { prefix: 0, number, line });
            continue;
        };
        rows.extend(prefixes.iter().map(|prefix| Row { prefix: prefix.packed(), number, line }));
    }
    rows.sort_unstable_by(|one, two| {
        one.by_prefix(two)
            .then_with(|| one.by_calls(two))
            .then_with(|| one.by_validity_and_weight(two))
            .then_with(|| one.number.cmp(&two.number))
    });
    // One prefix that is named twice in a line is one.
    rows.dedup_by_key(|row| (row.prefix, row.number));
    Ok(rows)
}

/// Goes through two sorted lists side by side: each time what is equal in both, on either side perhaps nothing.
pub(super) fn runs<'r, 'a>(
    mut old: &'r [Row<'a>],
    mut new: &'r [Row<'a>],
    order: impl Fn(&Row<'a>, &Row<'a>) -> Ordering,
) -> impl Iterator<Item = (&'r [Row<'a>], &'r [Row<'a>])> {
    core::iter::from_fn(move || {
        let first = match (old.first(), new.first()) {
            (None, None) => return None,
            (Some(one), Some(two)) if order(one, two).is_gt() => two,
            (Some(one), _) | (None, Some(one)) => one,
        };
        let cut = |rows: &mut &'r [Row<'a>]| {
            let length = rows.iter().take_while(|row| order(row, first).is_eq()).count();
            let (run, rest) = rows.split_at_checked(length).unwrap_or_default();
            *rows = rest;
            run
        };
        Some((cut(&mut old), cut(&mut new)))
    })
}
