//! Lines that hold nothing unusual, read where they stand.

use core::ops::Range;

use memchr::memchr_iter;

use billing_core::{
    item::{Direction, Disposition, Party},
    time::{Day, Instant},
};

use crate::csv::{
    Calls, Choice, Column, Duration, Listed, Mapping, Moment, Payer, RecordId, Records, TimeFormat,
    Value, Width, places::Places,
};

const DAY_MICROS: i64 = 86_400_000_000;
const ID_BYTES_MAX: usize = 255;

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
    /// Where the columns of the line at hand begin and end.
    columns: Vec<Range<usize>>,
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
        /// The word that was read last, and what it means.
        last: Option<(Vec<u8>, T)>,
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
            columns: Vec::new(),
        })
    }

    /// Reads a line without its end.
    pub(super) fn read(&mut self, line: &[u8]) -> Option<PlainCall> {
        // Counted to the end, so that it is one pass without branches: what is left needs no other look at its characters.
        let delimiter = self.delimiter;
        let is_unusual =
            |byte: u8| byte == b'"' || (!(b' '..=b'~').contains(&byte) && byte != delimiter);
        if line.iter().filter(|byte| is_unusual(**byte)).count() > 0 || !self.split(line) {
            return None;
        }
        let id = self.columns.get(self.id)?.clone();
        let account = self.account.map(|place| self.columns.get(place).cloned());
        let account = match account {
            Some(column) => Some(column?).filter(|column| !column.is_empty()),
            None => None,
        };
        let text = |place: usize| line.get(self.columns.get(place)?.clone());
        let start = self.times.read(text(self.start)?)?;
        let duration_ms = number(text(self.duration)?)?.checked_mul(self.unit_ms)?;
        let disposition = self.disposition.read(text)?;
        let direction = self.direction.read(text)?;
        let party = |place: Option<usize>| match place {
            None => Some(None),
            Some(place) => self.columns.get(place).cloned().map(Some),
        };
        let (from, to) = (party(self.caller)?, party(self.callee)?);
        let is_short = |column: &Range<usize>| column.len() <= ID_BYTES_MAX;
        let all_short = [Some(&id), account.as_ref(), from.as_ref(), to.as_ref()];
        let agrees = duration_ms == 0 || disposition == Disposition::Answered;
        let is_whole = all_short.into_iter().flatten().all(is_short) && !id.is_empty() && agrees;
        is_whole.then_some(PlainCall {
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

    /// Finds the columns; whether there are as many as there should be, and none with spaces around its text.
    fn split(&mut self, line: &[u8]) -> bool {
        self.columns.clear();
        let mut begins = 0_usize;
        for end in memchr_iter(self.delimiter, line) {
            self.columns.push(begins..end);
            begins = end.saturating_add(1);
        }
        self.columns.push(begins..line.len());
        let is_bare = |column: &Range<usize>| match line.get(column.clone()) {
            Some([first, .., last]) => *first != b' ' && *last != b' ',
            Some([only]) => *only != b' ',
            Some([]) => true,
            None => false,
        };
        self.width.accepts(self.columns.len()) && self.columns.iter().all(is_bare)
    }
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
                Self::Listed { index: places.place(&listed.column)?, listed, last: None }
            }
        })
    }

    fn read<'line>(&mut self, text: impl Fn(usize) -> Option<&'line [u8]>) -> Option<T> {
        match self {
            Self::Constant(constant) => Some(*constant),
            Self::Listed { index, listed, last } => {
                let word = text(*index)?;
                match last {
                    Some((same, value)) if same == word => Some(*value),
                    _ => {
                        let value = listed.find(core::str::from_utf8(word).ok()?)?;
                        *last = Some((word.to_vec(), value));
                        Some(value)
                    }
                }
            }
        }
    }
}

/// The number that up to 15 digits state.
fn number(text: &[u8]) -> Option<u64> {
    if !(1..=15).contains(&text.len()) {
        return None;
    }
    text.iter().try_fold(0_u64, |number, byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit <= 9)?;
        number.checked_mul(10)?.checked_add(digit.into())
    })
}

/// The day of `2026-01-31`.
fn day(text: &[u8; 10]) -> Option<Day> {
    let [year @ .., b'-', m1, m2, b'-', d1, d2] = text else { return None };
    let year = i16::try_from(number(year)?).ok()?;
    let month = u8::try_from(number(&[*m1, *m2])?).ok()?;
    Day::try_new(year, month, u8::try_from(number(&[*d1, *d2])?).ok()?).ok()
}

/// The microseconds of `12:00:00`, or with up to six decimals `12:00:00.5`.
fn micros_of_day(text: &[u8]) -> Option<u64> {
    let (clock, fraction) = text.split_first_chunk::<8>()?;
    let [h1, h2, b':', m1, m2, b':', s1, s2] = *clock else { return None };
    let (hour, minute) = (number(&[h1, h2])?, number(&[m1, m2])?);
    let second = number(&[s1, s2])?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let micros = match fraction {
        [] => 0,
        [b'.', digits @ ..] if digits.len() <= 6 => {
            let missing = u32::try_from(6_usize.checked_sub(digits.len())?).ok()?;
            number(digits)?.checked_mul(10_u64.checked_pow(missing)?)?
        }
        _ => return None,
    };
    let minutes = hour.checked_mul(60)?.checked_add(minute)?;
    let seconds = minutes.checked_mul(60)?.checked_add(second)?;
    seconds.checked_mul(1_000_000)?.checked_add(micros)
}
