//! Where the columns of a line end, found many bytes at a time.

use core::ops::Range;

/// Where the columns of a line end.
#[derive(Default)]
pub(super) struct Ends(Vec<usize>);

/// So many that the compiler takes them by the width of the machine instead of one by one.
const BLOCK: usize = 64;

impl Ends {
    /// Finds them; whether the line is printable ASCII without quotation marks, so that nothing else is to be said about its text.
    pub(super) fn split(&mut self, line: &[u8], delimiter: u8) -> bool {
        self.0.clear();
        let mut unusual = [0_u8; BLOCK];
        let (blocks, rest) = line.as_chunks::<BLOCK>();
        // What is left is filled up with what is neither unusual nor ends a column.
        let mut last = [if delimiter == b'0' { b'1' } else { b'0' }; BLOCK];
        for (place, byte) in last.iter_mut().zip(rest) {
            *place = *byte;
        }
        for (block, at) in blocks.iter().chain([&last]).zip((0_usize..).step_by(BLOCK)) {
            let mut is_end = [0_u8; BLOCK];
            // Without branches, so that a block is looked at as a whole.
            for ((byte, is_end), unusual) in block.iter().zip(&mut is_end).zip(&mut unusual) {
                *is_end = u8::from(*byte == delimiter);
                let is_printable = u8::from(byte.wrapping_sub(b' ') <= b'~' - b' ');
                let is_quote = u8::from(*byte == b'"');
                *unusual |= ((is_printable ^ 1) | is_quote) & (*is_end ^ 1);
            }
            let (words, _) = is_end.as_chunks::<8>();
            for (word, at) in words.iter().zip((at..).step_by(8)) {
                self.push_all(u64::from_le_bytes(*word), at);
            }
        }
        self.0.push(line.len());
        unusual == [0; BLOCK]
    }

    /// Adds the places of the bytes of a word that are not zero.
    fn push_all(&mut self, word: u64, at: usize) {
        let mut word = word;
        while word != 0 {
            let place = usize::try_from(word.trailing_zeros() >> 3_u32).unwrap_or(0);
            self.0.push(at.wrapping_add(place));
            word &= word.wrapping_sub(1);
        }
    }

    /// How many columns there are.
    pub(super) const fn count(&self) -> usize {
        self.0.len()
    }

    /// Where a column stands, counted from 0.
    pub(super) fn column(&self, place: usize) -> Option<Range<usize>> {
        let begins = match place.checked_sub(1) {
            None => 0,
            Some(before) => self.0.get(before)?.wrapping_add(1),
        };
        Some(begins..*self.0.get(place)?)
    }
}
