//! Records taken apart by the rules of RFC 4180.

/// Takes records apart, with the same buffers for all of them.
///
/// Stricter than most readers of CSV: a quotation mark stands around a whole column or doubled inside one, and nowhere else.
/// So a quoted column that runs over several lines is told from one whose end was lost: the marks of the lines after it do not
/// fit.
pub(crate) struct Splitter {
    delimiter: u8,
    quote: Option<u8>,
    text: Vec<u8>,
    ends: Vec<usize>,
    state: State,
}

/// What a line is, after the lines before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Split {
    /// The record ends with it.
    Whole,
    /// A quoted column goes on in the next line.
    Open,
    /// A quotation mark stands where none may.
    Damaged,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first byte of a column.
    Start,
    Plain,
    Quoted,
    /// After a quotation mark in a quoted column.
    Quote,
}

impl Splitter {
    pub(crate) const fn new(delimiter: u8, quote: Option<u8>) -> Self {
        Self { delimiter, quote, text: Vec::new(), ends: Vec::new(), state: State::Start }
    }

    /// Begins a record with a line, which has no end.
    pub(crate) fn start(&mut self, line: &[u8]) -> Split {
        self.text.clear();
        self.ends.clear();
        self.state = State::Start;
        self.split(line)
    }

    /// Goes on with the line after one that was open.
    pub(crate) fn go_on(&mut self, line: &[u8]) -> Split {
        self.text.push(b'\n');
        self.split(line)
    }

    /// How many columns the record has.
    pub(crate) const fn count(&self) -> usize {
        self.ends.len()
    }

    /// A column, counted from 0, without its quotation marks.
    pub(crate) fn column(&self, index: usize) -> Option<&[u8]> {
        let end = *self.ends.get(index)?;
        let before = index.checked_sub(1).and_then(|before| self.ends.get(before));
        self.text.get(before.copied().unwrap_or(0)..end)
    }

    fn split(&mut self, line: &[u8]) -> Split {
        for byte in line {
            match self.step(*byte) {
                Some(state) => self.state = state,
                None => return Split::Damaged,
            }
        }
        if self.state == State::Quoted {
            return Split::Open;
        }
        self.ends.push(self.text.len());
        Split::Whole
    }

    fn step(&mut self, byte: u8) -> Option<State> {
        let is_quote = Some(byte) == self.quote;
        let next = match self.state {
            State::Start if is_quote => return Some(State::Quoted),
            State::Quoted if is_quote => return Some(State::Quote),
            State::Quote if is_quote => State::Quoted,
            State::Plain if is_quote => return None,
            State::Start | State::Plain | State::Quote if byte == self.delimiter => {
                self.ends.push(self.text.len());
                return Some(State::Start);
            }
            State::Quote => return None,
            State::Start | State::Plain => State::Plain,
            State::Quoted => State::Quoted,
        };
        self.text.push(byte);
        Some(next)
    }
}
