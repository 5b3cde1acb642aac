//! The characters of a file, whatever bytes they are written in.

use std::io::{self, BufRead, Read};

use serde::{Deserialize, Serialize};

/// In which bytes the characters of a file are written, unless a byte order mark at its beginning says so.
///
/// # Examples
///
/// ```
/// use billing_formats::deck::Encoding;
///
/// assert_eq!(serde_json::from_str::<Encoding>(r#""windows_1252""#)?, Encoding::Windows1252);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// UTF-8.
    #[default]
    Utf8,
    /// UTF-16, lower byte first.
    Utf16Le,
    /// UTF-16, higher byte first.
    Utf16Be,
    /// Windows-1252, which holds all that Latin-1 can write.
    #[serde(rename = "windows_1252")]
    Windows1252,
}

/// The characters of an input, as UTF-8.
///
/// What is no character becomes a byte that UTF-8 does not know, so that the column it stands in is refused.
pub(super) struct Characters<R> {
    input: io::Chain<io::Cursor<Vec<u8>>, R>,
    encoding: Encoding,
    decoded: Vec<u8>,
    taken: usize,
    /// The first byte of a pair, where the other one is not read yet.
    half: Option<u8>,
    /// The first half of a character of four bytes.
    high: Option<u16>,
}

const NO_CHARACTER: u8 = 0xFF;
const MARKS: [(&[u8], Encoding); 3] = [
    (b"\xEF\xBB\xBF", Encoding::Utf8),
    (b"\xFF\xFE", Encoding::Utf16Le),
    (b"\xFE\xFF", Encoding::Utf16Be),
];
const MARK_BYTES_MAX: u64 = 3;
/// How much is decoded at a time.
const BYTES_AT_ONCE: usize = 8_192;

impl<R: BufRead> Characters<R> {
    pub(super) fn new(mut input: R, encoding: Encoding) -> io::Result<Self> {
        let mut start = Vec::new();
        let _bytes: usize = input.by_ref().take(MARK_BYTES_MAX).read_to_end(&mut start)?;
        let marked = MARKS.iter().find(|(mark, _)| start.starts_with(mark));
        Ok(Self {
            input: io::Cursor::new(start).chain(input),
            encoding: marked.map_or(encoding, |(_, encoding)| *encoding),
            decoded: Vec::new(),
            taken: 0,
            half: None,
            high: None,
        })
    }

    /// Decodes what comes next; nothing at the end.
    fn decode(&mut self) -> io::Result<()> {
        self.decoded.clear();
        self.taken = 0;
        while self.decoded.is_empty() {
            let bytes = self.input.fill_buf()?;
            let bytes = bytes.get(..BYTES_AT_ONCE).unwrap_or(bytes).to_vec();
            if bytes.is_empty() {
                self.finish();
                return Ok(());
            }
            for byte in &bytes {
                self.byte(*byte);
            }
            self.input.consume(bytes.len());
        }
        Ok(())
    }

    fn byte(&mut self, byte: u8) {
        match self.encoding {
            Encoding::Utf8 => self.decoded.push(byte),
            Encoding::Windows1252 => self.push(windows_1252(byte)),
            Encoding::Utf16Le | Encoding::Utf16Be => match self.half.take() {
                None => self.half = Some(byte),
                Some(first) if self.encoding == Encoding::Utf16Le => {
                    self.unit(u16::from_le_bytes([first, byte]));
                }
                Some(first) => self.unit(u16::from_be_bytes([first, byte])),
            },
        }
    }

    fn unit(&mut self, unit: u16) {
        let units = self.high.take().into_iter().chain([unit]);
        for character in char::decode_utf16(units) {
            match character {
                Ok(character) => self.push(Some(character)),
                Err(lone)
                    if is_high(lone.unpaired_surrogate()) && lone.unpaired_surrogate() == unit =>
                {
                    self.high = Some(unit);
                }
                Err(_) => self.push(None),
            }
        }
    }

    fn finish(&mut self) {
        if self.half.take().is_some() || self.high.take().is_some() {
            self.push(None);
        }
    }

    fn push(&mut self, character: Option<char>) {
        match character {
            Some(character) => {
                let mut bytes = [0; 4];
                self.decoded.extend_from_slice(character.encode_utf8(&mut bytes).as_bytes());
            }
            None => self.decoded.push(NO_CHARACTER),
        }
    }
}

const fn is_high(unit: u16) -> bool {
    matches!(unit, 0xD800..=0xDBFF)
}

/// What stands in the place of the control characters that Latin-1 has from 0x80 to 0x9F.
const WINDOWS_1252: [char; 32] = [
    '€', '\0', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\0', 'Ž', '\0', '\0', '‘',
    '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\0', 'ž', 'Ÿ',
];

fn windows_1252(byte: u8) -> Option<char> {
    let place = byte.checked_sub(0x80).map(usize::from);
    match place.and_then(|place| WINDOWS_1252.get(place)) {
        Some('\0') => None,
        Some(character) => Some(*character),
        None => Some(char::from(byte)),
    }
}

impl<R: BufRead> BufRead for Characters<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.encoding == Encoding::Utf8 {
            return self.input.fill_buf();
        }
        if self.taken >= self.decoded.len() {
            self.decode()?;
        }
        Ok(self.decoded.get(self.taken..).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        if self.encoding == Encoding::Utf8 {
            self.input.consume(amount);
        } else {
            self.taken = self.taken.saturating_add(amount);
        }
    }
}

impl<R: BufRead> Read for Characters<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut ready = self.fill_buf()?;
        let read = ready.read(buf)?;
        self.consume(read);
        Ok(read)
    }
}
