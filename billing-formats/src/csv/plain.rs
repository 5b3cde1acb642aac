//! Lines that hold nothing unusual, read where they stand.

use core::ops::Range;

use billing_core::{
    item::{Direction, Disposition, Party},
    time::{Day, Instant},
};

use crate::csv::{
    Calls, Choice, Column, Duration, Listed, Mapping, Moment, Payer, RecordId, Records, TimeFormat,
    Value, Width, ends::Ends, places::Places,
};

const DAY_MICROS: i64 = 86_400_000_000;
const ID_BYTES_MAX: usize = 255;
const KNOWN_MAX: usize = 16;

/// Reads a line in which every column is written in the commonest way, and leaves all others to the reader.
///
/// Whatever it does read, it reads as the reader does; what is wrong is never its to say.
pub(super) struct PlainLines<'mapping> {
    delimiter: u8,
    width: Width,
    id: usize,
    account: Option<usize>,
    start: usize,
    times: PlainTime,
    duration: usize,
    /// Milliseconds of one of what the duration counts.
    unit_ms: u64,
    caller: Option<usize>,
    callee: Option<usize>,
    disposition: Word<'mapping, Disposition>,
    direction: Word<'mapping, Direction>,
    ends: Ends,
}

/// Where the parts of a call stand in its line; `None` for what the mapping does not read from the file, or an empty account.
pub(super) struct PlainCall {
    pub(super) id: Range<usize>,
    pub(super) account: Option<Range<usize>>,
    pub(super) start: Instant,
    pub(super) duration_ms: u64,
    pub(super) caller: Option<Range<usize>>,
    pub(super) callee: Option<Range<usize>>,
    pub(super) disposition: Disposition,
    pub(super) direction: Direction,
}

enum PlainTime {
    Rfc3339 {
        /// The date that was read last, and when it began: most neighbours have the same.
        date: [u8; 10],
        begins: i64,
    },
    Epoch {
        unit_micros: u64,
    },
}

enum Word<'mapping, T> {
    Constant(T),
    Listed {
        index: usize,
        listed: &'mapping Listed<T>,
        /// The words that were read, and what they mean: few, as they are those of one switch.
        known: Vec<(Vec<u8>, T)>,
    },
}

impl<'mapping> PlainLines<'mapping> {
    /// What a mapping has plain lines of, if it can have any.
    pub(super) fn of(mapping: &'mapping Mapping, places: &Places) -> Option<Self> {
        let Records::Calls(calls) = &mapping.records else { return None };
        let Calls { id, leg, partial, account, start, answer, duration, caller, callee, .. } =
            calls;
        let is_plain = mapping.dial_plan.is_none() && leg.is_none() && partial.is_none();
        let (true, None) = (is_plain, answer) else { return None };
        let place = |column: &Column| places.place(column);
        let (RecordId::Column(id), Moment::Column(start)) = (id, start) else { return None };
        let account = match account {
            Payer::Column(column) => Some(place(column)?),
            Payer::Constant(_) => None,
            Payer::Map(_) => return None,
        };
        let (duration, unit_ms) = match duration {
            Duration::Seconds(column) => (column, 1_000),
            Duration::Milliseconds(column) => (column, 1),
            Duration::Minutes(column) => (column, 60_000),
            Duration::Clock(_) | Duration::Until(_) => return None,
        };
        let times = match mapping.times {
            TimeFormat::Rfc3339 => PlainTime::Rfc3339 { date: [0; 10], begins: 0 },
            TimeFormat::EpochS => PlainTime::Epoch { unit_micros: 1_000_000 },
            TimeFormat::EpochMs => PlainTime::Epoch { unit_micros: 1_000 },
            TimeFormat::Local(_) => return None,
        };
        let party = |value: &Value<Party>| match value {
            Value::Column(column) => place(column).map(Some),
            Value::Constant(_) => Some(None),
        };
        Some(Self {
            delimiter: mapping.delimiter.byte(),
            width: places.width(),
            id: place(id)?,
            account,
            start: place(start)?,
            times,
            duration: place(duration)?,
            unit_ms,
            caller: party(caller)?,
            callee: party(callee)?,
            disposition: Word::of(&calls.disposition, places)?,
            direction: Word::of(&calls.direction, places)?,
            ends: Ends::default(),
        })
    }

    /// Reads a line without its end.
    pub(super) fn read(&mut self, line: &[u8]) -> Option<PlainCall> {
        if !self.ends.split(line, self.delimiter) || !self.width.accepts(self.ends.count()) {
            return None;
        }
        let ends = &self.ends;
        let text = |place: usize| line.get(ends.column(place)?);
        // Others have no spaces around them if they can be read.
        let bare = |place: usize| {
            let column = ends.column(place)?;
            is_bare(line.get(column.clone())?).then_some(column)
        };
        let bare_if_any = |place: Option<usize>| match place {
            None => Some(None),
            Some(place) => bare(place).map(Some),
        };
        let id = bare(self.id).filter(|id| !id.is_empty())?;
        let account = bare_if_any(self.account)?.filter(|account| !account.is_empty());
        let start = self.times.read(text(self.start)?)?;
        let duration_ms = number(text(self.duration)?)?.checked_mul(self.unit_ms)?;
        let disposition = self.disposition.read(text)?;
        let direction = self.direction.read(text)?;
        let (from, to) = (bare_if_any(self.caller)?, bare_if_any(self.callee)?);
        let is_agreed = duration_ms == 0 || disposition == Disposition::Answered;
        is_agreed.then_some(PlainCall {
            id,
            account,
            start,
            duration_ms,
            caller: from,
            callee: to,
            disposition,
            direction,
        })
    }
}

/// Whether a text is short enough for an id or a party, and has no spaces around it.
fn is_bare(text: &[u8]) -> bool {
    let is_spaced = |end: Option<&u8>| end == Some(&b' ');
    text.len() <= ID_BYTES_MAX && !is_spaced(text.first()) && !is_spaced(text.last())
}

impl PlainTime {
    fn read(&mut self, text: &[u8]) -> Option<Instant> {
        let micros = match self {
            Self::Epoch { unit_micros } => {
                i64::try_from(number(text)?.checked_mul(*unit_micros)?).ok()?
            }
            Self::Rfc3339 { date, begins } => {
                let (read, [b'T', time @ .., b'Z']) = text.split_first_chunk::<10>()? else {
                    return None;
                };
                if read != date {
                    *begins = i64::from(day(read)?.ordinal()).checked_mul(DAY_MICROS)?;
                    *date = *read;
                }
                begins.checked_add(i64::try_from(micros_of_day(time)?).ok()?)?
            }
        };
        Instant::from_micros(micros).ok()
    }
}

impl<'mapping, T: Copy> Word<'mapping, T> {
    fn of(choice: &'mapping Choice<T>, places: &Places) -> Option<Self> {
        Some(match choice {
            Choice::Constant(constant) => Self::Constant(*constant),
            Choice::Listed(listed) => {
                Self::Listed { index: places.place(&listed.column)?, listed, known: Vec::new() }
            }
        })
    }

    fn read<'line>(&mut self, text: impl Fn(usize) -> Option<&'line [u8]>) -> Option<T> {
        match self {
            Self::Constant(constant) => Some(*constant),
            Self::Listed { index, listed, known } => {
                let word = text(*index)?;
                if let Some((_, value)) = known.iter().find(|(same, _)| same == word) {
                    return Some(*value);
                }
                let value = listed.find(core::str::from_utf8(word).ok()?)?;
                if known.len() < KNOWN_MAX {
                    known.push((word.to_vec(), value));
                }
                Some(value)
            }
        }
    }
}

/// The number that up to 15 digits state.
fn number(text: &[u8]) -> Option<u64> {
    if !(1..=15).contains(&text.len()) {
        return None;
    }
    let mut number = 0_u64;
    for byte in text {
        // So few digits make no number that is too large.
        number = number.wrapping_mul(10).wrapping_add(digit(*byte)?);
    }
    Some(number)
}

/// The number that two digits state.
fn two([tens, ones]: [u8; 2]) -> Option<u64> {
    Some(digit(tens)?.wrapping_mul(10).wrapping_add(digit(ones)?))
}

fn digit(byte: u8) -> Option<u64> {
    let digit = byte.wrapping_sub(b'0');
    (digit <= 9).then_some(digit.into())
}

/// The day of `2026-01-31`.
fn day(text: &[u8; 10]) -> Option<Day> {
    let [year @ .., b'-', m1, m2, b'-', d1, d2] = text else { return None };
    let year = i16::try_from(number(year)?).ok()?;
    let month = u8::try_from(two([*m1, *m2])?).ok()?;
    Day::try_new(year, month, u8::try_from(two([*d1, *d2])?).ok()?).ok()
}

/// The microseconds of `12:00:00`, or with up to six decimals `12:00:00.5`.
fn micros_of_day(text: &[u8]) -> Option<u64> {
    let (clock, fraction) = text.split_first_chunk::<8>()?;
    let [h1, h2, b':', m1, m2, b':', s1, s2] = *clock else { return None };
    let (hour, minute, second) = (two([h1, h2])?, two([m1, m2])?, two([s1, s2])?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let micros = match fraction {
        [] => 0,
        [b'.', digits @ ..] => {
            let places = [1_000_000, 100_000, 10_000, 1_000, 100, 10, 1_u64];
            number(digits)?.wrapping_mul(*places.get(digits.len())?)
        }
        _ => return None,
    };
    let minutes = hour.wrapping_mul(60).wrapping_add(minute);
    let seconds = minutes.wrapping_mul(60).wrapping_add(second);
    Some(seconds.wrapping_mul(1_000_000).wrapping_add(micros))
}
