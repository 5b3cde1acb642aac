//! The beginning of a deck: what stands between its columns, and where its header is.

use core::cmp::Ordering;
use std::io::{self, BufRead, Read as _};

use crate::{
    csv::{
        BadHeader, Column, Quotes,
        places::{index_among, index_of, place_in},
        source::{Found, Source},
        splitter::Splitter,
    },
    deck::{
        Header, Mapping, ReadError, encoding::Characters, invalid::HEADER_ROW_MAX, layout::Layout,
    },
};

/// A deck whose beginning was read once already.
pub(super) type Input<R> = io::Chain<io::Cursor<Vec<u8>>, Characters<R>>;

/// A deck that is ready to be read.
pub(super) struct Begun<R> {
    pub(super) source: Source<Input<R>>,
    pub(super) layout: Layout,
    /// How many rows there are up to the header, with it.
    pub(super) rows: u32,
}

/// How much of a deck is looked at.
const HEAD_BYTES_MAX: u64 = 262_144;
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

pub(super) fn begin<R: BufRead>(input: R, mapping: &Mapping) -> Result<Begun<R>, ReadError> {
    mapping.check()?;
    let mut characters = Characters::new(input, mapping.encoding)?;
    let mut head = Vec::new();
    let _bytes: usize = characters.by_ref().take(HEAD_BYTES_MAX).read_to_end(&mut head)?;
    let place = match mapping.header {
        Header::Absent => without_header(&head, mapping)?,
        Header::Found | Header::Row(_) => header(&head, mapping)?,
    };
    let input = io::Cursor::new(head).chain(characters);
    let source = Source::new(input, splitter(place.delimiter, mapping));
    Ok(Begun { source, layout: place.layout, rows: place.rows })
}

struct Place {
    delimiter: u8,
    layout: Layout,
    rows: u32,
}

fn delimiters(mapping: &Mapping) -> Vec<u8> {
    mapping.delimiter.map_or_else(|| DELIMITERS.to_vec(), |given| vec![given.byte()])
}

fn splitter(delimiter: u8, mapping: &Mapping) -> Splitter {
    let quote = match mapping.quotes {
        Quotes::Double => Some(b'"'),
        Quotes::None => None,
    };
    Splitter::new(delimiter, quote)
}

/// The first header under any delimiter.
fn header(head: &[u8], mapping: &Mapping) -> Result<Place, ReadError> {
    let mut found: Option<Place> = None;
    let mut nearest: Option<(usize, BadHeader)> = None;
    for delimiter in delimiters(mapping) {
        let mut source = Source::new(head, splitter(delimiter, mapping));
        for row in 1..=HEADER_ROW_MAX {
            let read = source.advance()?;
            if read == Found::End {
                break;
            }
            let is_asked = match mapping.header {
                Header::Row(asked) => asked.get() == row,
                Header::Found | Header::Absent => true,
            };
            if read != Found::Record || !is_asked {
                continue;
            }
            match layout_of(mapping, source.columns()) {
                Ok(layout) => {
                    if found.as_ref().is_none_or(|other| row < other.rows) {
                        found = Some(Place { delimiter, layout, rows: row });
                    }
                    break;
                }
                Err((names, problem)) => {
                    if nearest.as_ref().is_none_or(|(most, _)| names > *most) {
                        nearest = Some((names, problem));
                    }
                }
            }
        }
    }
    found.ok_or_else(|| nearest.map_or(ReadError::NoHeader, |(_, problem)| problem.into()))
}

/// The layout under a header; else how many of the columns it has, and what is wrong.
fn layout_of(mapping: &Mapping, header: &Splitter) -> Result<Layout, (usize, BadHeader)> {
    let names: Vec<_> = (0..header.count())
        .map(|index| String::from_utf8_lossy(header.column(index).unwrap_or_default()))
        .collect();
    let place = |column: &Column| match column {
        Column::Position(position) => place_in(*position, names.len()),
        Column::Name(name) => index_among(name, &names),
    };
    let columns = mapping.columns.all();
    let known = columns.iter().filter(|column| place(column).is_ok()).count();
    Layout::of(&mapping.columns, Some(names.len()), place).map_err(|problem| (known, problem))
}

/// The places that the mapping gives, under the delimiter that suits most rows; of several the one with the most columns.
fn without_header(head: &[u8], mapping: &Mapping) -> Result<Place, ReadError> {
    let layout = Layout::of(&mapping.columns, None, |column| match column {
        Column::Position(position) => Ok(index_of(*position)),
        Column::Name(name) => Err(BadHeader::Missing { name: name.clone() }),
    })?;
    let mut best: Option<(Suits, u8)> = None;
    let mut is_one_of_two = false;
    for delimiter in delimiters(mapping) {
        let suits = suits(head, delimiter, layout.columns(), mapping)?;
        let compared = best.map_or(Ordering::Greater, |(other, _)| suits.cmp(&other));
        if compared == Ordering::Greater {
            best = Some((suits, delimiter));
        }
        is_one_of_two =
            compared == Ordering::Equal || (is_one_of_two && compared == Ordering::Less);
    }
    match best {
        Some((suits, _)) if is_one_of_two && suits.rows > 0 => Err(ReadError::EitherDelimiter),
        best => {
            let delimiter = best.map_or(b',', |(_, delimiter)| delimiter);
            Ok(Place { delimiter, layout, rows: 0 })
        }
    }
}

/// How well a delimiter suits the first rows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Suits {
    /// How many have all columns that are read.
    rows: usize,
    /// How many columns they have together.
    columns: usize,
}

fn suits(head: &[u8], delimiter: u8, read: usize, mapping: &Mapping) -> io::Result<Suits> {
    let mut source = Source::new(head, splitter(delimiter, mapping));
    let mut suits = Suits { rows: 0, columns: 0 };
    for _row in 0..HEADER_ROW_MAX {
        match source.advance()? {
            Found::End => break,
            Found::Record if source.columns().count() >= read => {
                suits.rows = suits.rows.saturating_add(1);
                suits.columns = suits.columns.saturating_add(source.columns().count());
            }
            Found::Record | Found::TooLong | Found::Unclosed | Found::Damaged => {}
        }
    }
    Ok(suits)
}
