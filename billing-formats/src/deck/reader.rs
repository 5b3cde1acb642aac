//! A deck, row by row.

use std::io::{self, BufRead};

use crate::{
    csv::{
        reader::fault_of,
        source::{Found, Source},
    },
    deck::{
        BadRow, Counts, Mapping, ReadError,
        bad_row::Fault,
        code::Named,
        head::{Begun, Input, begin},
        row::{Row, Rows},
        terms::Terms,
    },
};

/// A deck, row by row; memory does not grow with it.
pub(super) struct Reader<'mapping, R> {
    source: Source<Input<R>>,
    pub(super) rows: Rows<'mapping>,
    /// What became of the rows that are not given.
    pub(super) counts: Counts,
}

/// A row that says something of codes; they stand in [`Rows`].
pub(super) struct Priced {
    pub(super) line: u64,
    pub(super) named: Named,
    pub(super) terms: Terms,
    pub(super) is_withdrawn: bool,
}

impl<'mapping, R: BufRead> Reader<'mapping, R> {
    pub(super) fn new(input: R, mapping: &'mapping Mapping) -> Result<Self, ReadError> {
        let Begun { source, layout, rows } = begin(input, mapping)?;
        let mut reader =
            Self { source, rows: Rows::new(mapping, layout), counts: Counts::default() };
        for _row in 0..rows {
            if reader.advance()? != Found::End {
                reader.counts.passed_over = reader.counts.passed_over.saturating_add(1);
            }
        }
        Ok(reader)
    }

    /// The next row that says something of codes, or is refused.
    pub(super) fn next(&mut self) -> io::Result<Option<Result<Priced, BadRow>>> {
        loop {
            let found = self.advance()?;
            if found == Found::End {
                return Ok(None);
            }
            let line = self.source.first_line();
            let read = match fault_of(found) {
                Some(reason) => Err(Fault::from(super::Problem::from(reason))),
                None => self.rows.read(self.source.columns()),
            };
            match read {
                Err(fault) => return Ok(Some(Err(fault.on(line)))),
                Ok(Row::Blank) => self.counts.blank = self.counts.blank.saturating_add(1),
                Ok(Row::PassedOver) => {
                    self.counts.passed_over = self.counts.passed_over.saturating_add(1);
                }
                Ok(Row::Terms { named, terms, is_withdrawn }) => {
                    return Ok(Some(Ok(Priced { line, named, terms, is_withdrawn })));
                }
            }
        }
    }

    /// Goes on to the next row, and counts it and the blank lines before it.
    fn advance(&mut self) -> io::Result<Found> {
        let before = self.source.last_line();
        let found = self.source.advance()?;
        let (blank, row) = if found == Found::End {
            (self.source.last_line().saturating_sub(before), 0)
        } else {
            (self.source.first_line().saturating_sub(before).saturating_sub(1), 1)
        };
        self.counts.blank = self.counts.blank.saturating_add(blank);
        self.counts.rows = self.counts.rows.saturating_add(blank).saturating_add(row);
        Ok(found)
    }
}
