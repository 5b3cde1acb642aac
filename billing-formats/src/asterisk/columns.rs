//! The columns of a line.

use core::{fmt, str};

use csv_core::{ReadRecordResult, ReaderBuilder, Terminator};

use crate::asterisk::Reason;

/// More columns than any setting of Asterisk gives; counting stops here.
const COUNTED_MAX: usize = 64;

macro_rules! columns {
    ($($name:ident $text:literal,)*) => {
        /// A column of `Master.csv`; displays as the name Asterisk has for it.
        ///
        /// # Examples
        ///
        /// ```
        /// assert_eq!(billing_formats::asterisk::Column::Billsec.to_string(), "billsec");
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Column {
            $(#[doc = concat!("The column `", $text, "`.")] $name,)*
        }

        impl Column {
            /// The name Asterisk has for it.
            ///
            /// # Examples
            ///
            /// ```
            /// assert_eq!(billing_formats::asterisk::Column::Context.name(), "dcontext");
            /// ```
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

columns! {
    AccountCode "accountcode",
    Src "src",
    Dst "dst",
    Context "dcontext",
    CallerId "clid",
    Channel "channel",
    DstChannel "dstchannel",
    LastApp "lastapp",
    LastData "lastdata",
    Start "start",
    Answer "answer",
    End "end",
    Duration "duration",
    Billsec "billsec",
    Disposition "disposition",
    AmaFlags "amaflags",
    UniqueId "uniqueid",
    UserField "userfield",
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Takes lines apart, with the same buffers for all of them.
pub(super) struct Splitter {
    rules: csv_core::Reader,
    text: Vec<u8>,
    ends: [usize; COUNTED_MAX],
}

/// A line, taken apart and without its quotation marks.
pub(super) struct Columns<'line> {
    text: &'line str,
    ends: &'line [usize],
}

impl Splitter {
    pub(super) fn new() -> Self {
        // Lines are parted already, so a carriage return is text like any other.
        let rules = ReaderBuilder::new().terminator(Terminator::Any(b'\n')).build();
        let mut splitter = Self { rules, text: Vec::new(), ends: [0; COUNTED_MAX] };
        splitter.restart();
        splitter
    }

    /// Takes a line apart, which has no end.
    pub(super) fn split(&mut self, line: &[u8]) -> Result<Columns<'_>, Reason> {
        str::from_utf8(line).map_err(|error| Reason::Encoding { at: error.valid_up_to() })?;
        // One byte more, because the line feed is read where the text has not ended.
        let bytes = line.len().saturating_add(1);
        if self.text.len() < bytes {
            self.text.resize(bytes, 0);
        }
        let (result, length, found) = self.read(line);
        match result {
            ReadRecordResult::Record => {}
            ReadRecordResult::OutputEndsFull => {
                self.restart();
                return Err(Reason::Columns { found: COUNTED_MAX });
            }
            // Where the line ends and the record does not, a quotation mark is open.
            ReadRecordResult::InputEmpty | ReadRecordResult::OutputFull | ReadRecordResult::End => {
                self.restart();
                return Err(Reason::Unclosed);
            }
        }
        if !matches!(found, 17 | 18 | 20 | 21) {
            return Err(Reason::Columns { found });
        }
        let text = self.text.get(..length).unwrap_or_default();
        let text =
            str::from_utf8(text).map_err(|error| Reason::Encoding { at: error.valid_up_to() })?;
        Ok(Columns { text, ends: self.ends.get(..found).unwrap_or_default() })
    }

    /// What became of a line, how long the text of its columns is, and how many there are.
    fn read(&mut self, line: &[u8]) -> (ReadRecordResult, usize, usize) {
        let (result, _, length, found) =
            self.rules.read_record(line, &mut self.text, &mut self.ends);
        if result != ReadRecordResult::InputEmpty {
            return (result, length, found);
        }
        let text = self.text.get_mut(length..).unwrap_or_default();
        let ends = self.ends.get_mut(found..).unwrap_or_default();
        let (result, _, more_length, more_found) = self.rules.read_record(b"\n", text, ends);
        (result, length.saturating_add(more_length), found.saturating_add(more_found))
    }

    /// Forgets an unfinished record.
    fn restart(&mut self) {
        self.rules.reset();
        // The first bytes after a reset lose a byte order mark, and which line they are on depends on the lines before: an
        // empty line takes their place.
        let _empty = self.rules.read_record(b"\n", &mut self.text, &mut self.ends);
    }
}

impl<'line> Columns<'line> {
    pub(super) fn get(&self, column: Column) -> &'line str {
        self.nth(column as usize).unwrap_or_default()
    }

    /// The userfield, which stands between the uniqueid and the new columns, if it is there.
    pub(super) fn user_field(&self) -> &'line str {
        match self.ends.len() {
            18 | 21 => self.get(Column::UserField),
            _ => "",
        }
    }

    fn nth(&self, column: usize) -> Option<&'line str> {
        let end = *self.ends.get(column)?;
        let before = column.checked_sub(1).and_then(|before| self.ends.get(before));
        self.text.get(before.copied().unwrap_or(0)..end)
    }
}
