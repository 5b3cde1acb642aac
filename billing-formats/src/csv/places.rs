//! Which place each column of a mapping has in the file at hand.

use core::num::NonZeroU16;
use std::collections::BTreeMap;

use crate::csv::{
    BadHeader, Column, Reason, Records, Width, bad_row::Fault, choice::are_same, splitter::Splitter,
};

/// Which place each column of a mapping has, counted from 0.
pub(super) struct Places {
    places: BTreeMap<Column, usize>,
    width: Width,
}

impl Places {
    /// The places in a file that has no header.
    pub(super) fn without_header(records: &Records, columns: Option<NonZeroU16>) -> Self {
        let read = records.columns().into_iter().filter_map(|column| match column {
            Column::Position(position) => Some((column.clone(), index_of(*position))),
            Column::Name(_) => None,
        });
        let places: BTreeMap<_, _> = read.collect();
        let last = places.values().max().map_or(1, |last| last.saturating_add(1));
        let exactly = columns.map(|columns| Width::Exactly(usize::from(columns.get())));
        Self { places, width: exactly.unwrap_or(Width::AtLeast(last)) }
    }

    /// The places in a file with this header.
    pub(super) fn of_header(records: &Records, header: &Splitter) -> Result<Self, BadHeader> {
        let names: Vec<_> = (0..header.count())
            .map(|index| String::from_utf8_lossy(header.column(index).unwrap_or_default()))
            .collect();
        let mut places = BTreeMap::new();
        for column in records.columns() {
            let index = match column {
                Column::Position(position) => place_in(*position, header.count()),
                Column::Name(name) => index_among(name, &names),
            }?;
            let _known: Option<usize> = places.insert(column.clone(), index);
        }
        Ok(Self { places, width: Width::Exactly(header.count()) })
    }

    /// The place of a column, counted from 0.
    pub(super) fn place(&self, column: &Column) -> Option<usize> {
        self.places.get(column).copied()
    }

    pub(super) const fn width(&self) -> Width {
        self.width
    }

    /// Refuses a record that has too few columns, or too many.
    pub(super) const fn check(&self, record: &Splitter) -> Result<(), Reason> {
        let found = record.count();
        if self.width.accepts(found) {
            Ok(())
        } else {
            Err(Reason::Columns { found, accepted: self.width })
        }
    }

    /// What stands in a column of a record, without spaces and tabs around it.
    pub(super) fn text<'record>(
        &self,
        record: &'record Splitter,
        column: &Column,
    ) -> Result<&'record str, Fault> {
        let bytes = self.place(column).and_then(|index| record.column(index)).unwrap_or_default();
        match core::str::from_utf8(bytes) {
            Ok(text) => Ok(text.trim_matches([' ', '\t'])),
            Err(error) => Err(Fault::at(column, Reason::Encoding { at: error.valid_up_to() })),
        }
    }
}

pub(crate) fn index_of(position: NonZeroU16) -> usize {
    usize::from(position.get()).saturating_sub(1)
}

pub(crate) fn place_in(position: NonZeroU16, found: usize) -> Result<usize, BadHeader> {
    let index = index_of(position);
    if index < found { Ok(index) } else { Err(BadHeader::Narrow { position, found }) }
}

pub(crate) fn index_among(name: &str, names: &[impl AsRef<str>]) -> Result<usize, BadHeader> {
    let mut found = (0..).zip(names).filter(|(_, other)| are_same(name, other.as_ref()));
    match (found.next(), found.next()) {
        (Some((index, _)), None) => Ok(index),
        (None, _) => Err(BadHeader::Missing { name: name.to_owned() }),
        (Some(_), Some(_)) => Err(BadHeader::Twice { name: name.to_owned() }),
    }
}
