//! Numbers that people dial, and the prefixes that sort them.

use core::{fmt, str::FromStr};

use crate::id::text_serde;

const DIGITS_MAX: usize = 15;
const BITS_PER_DIGIT: u32 = 4;

/// A number that somebody dials or is reached at, which is personal data.
///
/// Holds 1 to 15 digits. It is ordered like its digits as text, and `Debug` does
/// not reveal it.
///
/// # Examples
///
/// ```
/// use billing_core::number::PhoneNumber;
///
/// let number = PhoneNumber::try_new("+4915112345678")?;
/// assert_eq!(number.to_string(), "+4915112345678");
/// assert_eq!(format!("{number:?}"), "PhoneNumber(13 digits)");
/// # Ok::<(), billing_core::number::InvalidNumber>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhoneNumber(Packed);

impl PhoneNumber {
    /// Takes the number from its digits, with or without a leading `+`.
    ///
    /// Accepts 1 to 15 ASCII digits.
    ///
    /// # Errors
    ///
    /// [`InvalidNumber`], which names the length or the position and never the number.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::number::PhoneNumber;
    ///
    /// assert_eq!(PhoneNumber::try_new("4930")?, PhoneNumber::try_new("+4930")?);
    /// assert!(PhoneNumber::try_new("49 30").is_err());
    /// # Ok::<(), billing_core::number::InvalidNumber>(())
    /// ```
    pub fn try_new(text: &str) -> Result<Self, InvalidNumber> {
        let digits = text.strip_prefix('+').unwrap_or(text);
        let skipped = text.len().saturating_sub(digits.len());
        Packed::try_new(digits, skipped)
            .map(Self)
            .map_err(|problem| InvalidNumber { kind: "phone number", problem })
    }

    /// The digits, first one first, each 0 to 9.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::number::PhoneNumber;
    ///
    /// let number = PhoneNumber::try_new("+4930")?;
    /// assert_eq!(number.digits().collect::<Vec<_>>(), [4, 9, 3, 0]);
    /// # Ok::<(), billing_core::number::InvalidNumber>(())
    /// ```
    pub fn digits(&self) -> impl Iterator<Item = u8> + use<> {
        self.0.digits()
    }

    /// The first `length` digits, or `None` if `length` is 0 or the number is shorter.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::number::{PhoneNumber, Prefix};
    ///
    /// let number = PhoneNumber::try_new("+4930")?;
    /// assert_eq!(number.prefix(2), Some(Prefix::try_new("49")?));
    /// assert_eq!(number.prefix(5), None);
    /// # Ok::<(), billing_core::number::InvalidNumber>(())
    /// ```
    #[must_use]
    pub fn prefix(&self, length: usize) -> Option<Prefix> {
        self.0.first(length).map(Prefix)
    }
}

impl PhoneNumber {
    /// The digits from the highest bits on, four bits each, and their number in the lowest four.
    pub(crate) fn packed(self) -> u64 {
        self.0.bits | u64::from(self.0.length)
    }
}

impl Prefix {
    /// The digits from the highest bits on, four bits each, and their number in the lowest four.
    pub(crate) fn packed(self) -> u64 {
        self.0.bits | u64::from(self.0.length)
    }

    /// The prefix of packed digits; `None` for 0.
    pub(crate) fn unpacked(packed: u64) -> Option<Self> {
        let length = u8::try_from(packed & 0xF).ok().filter(|length| *length > 0)?;
        Some(Self(Packed { bits: packed & !0xF, length }))
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PhoneNumber({} digits)", self.0.length)
    }
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{}", self.0)
    }
}

impl FromStr for PhoneNumber {
    type Err = InvalidNumber;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::try_new(s)
    }
}

text_serde!(PhoneNumber, "a phone number as text of 1 to 15 digits", deserialize_private);

/// The digits that the numbers of one destination begin with; not personal data.
///
/// Holds 1 to 15 digits and is ordered like its digits as text.
///
/// # Examples
///
/// ```
/// use billing_core::number::{PhoneNumber, Prefix};
///
/// let berlin = Prefix::try_new("4930")?;
/// assert!(berlin.matches(&PhoneNumber::try_new("+493012345")?));
/// # Ok::<(), billing_core::number::InvalidNumber>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix(Packed);

#[expect(clippy::len_without_is_empty, reason = "a prefix is never empty")]
impl Prefix {
    /// Takes the prefix from its digits.
    ///
    /// Accepts 1 to 15 ASCII digits, without a `+`.
    ///
    /// # Errors
    ///
    /// [`InvalidNumber`], which names the length or the position.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::number::Prefix;
    ///
    /// assert!(Prefix::try_new("49").is_ok());
    /// assert!(Prefix::try_new("+49").is_err());
    /// ```
    pub fn try_new(text: &str) -> Result<Self, InvalidNumber> {
        Packed::try_new(text, 0)
            .map(Self)
            .map_err(|problem| InvalidNumber { kind: "prefix", problem })
    }

    /// Whether `number` begins with this prefix.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::number::{PhoneNumber, Prefix};
    ///
    /// let number = PhoneNumber::try_new("+4930")?;
    /// assert!(Prefix::try_new("4930")?.matches(&number));
    /// assert!(!Prefix::try_new("49301")?.matches(&number));
    /// # Ok::<(), billing_core::number::InvalidNumber>(())
    /// ```
    #[must_use]
    pub fn matches(&self, number: &PhoneNumber) -> bool {
        number.0.first(self.len()) == Some(self.0)
    }

    /// How many digits the prefix has, 1 to 15.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::number::Prefix;
    ///
    /// assert_eq!(Prefix::try_new("4930")?.len(), 4);
    /// # Ok::<(), billing_core::number::InvalidNumber>(())
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        usize::from(self.0.length)
    }

    /// The digits, first one first, each 0 to 9.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::number::Prefix;
    ///
    /// assert_eq!(Prefix::try_new("49")?.digits().collect::<Vec<_>>(), [4, 9]);
    /// # Ok::<(), billing_core::number::InvalidNumber>(())
    /// ```
    pub fn digits(&self) -> impl Iterator<Item = u8> + use<> {
        self.0.digits()
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prefix({})", self.0)
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl FromStr for Prefix {
    type Err = InvalidNumber;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::try_new(s)
    }
}

text_serde!(Prefix, "a prefix as text of 1 to 15 digits", deserialize_text);

/// A text was refused as a number or prefix; says why, and never repeats the text.
///
/// # Examples
///
/// ```
/// use billing_core::number::PhoneNumber;
///
/// let error = PhoneNumber::try_new("+49-30").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "phone number has something else than a digit at byte 3; accepted are 1 to 15 digits"
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} {problem}; accepted are 1 to 15 digits")]
pub struct InvalidNumber {
    /// What it was to be: `phone number` or `prefix`.
    pub kind: &'static str,
    /// What is wrong with the text.
    pub problem: NumberProblem,
}

/// What is wrong with the text of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NumberProblem {
    /// Its length in bytes, without the `+`, is outside 1..=15.
    Length(usize),
    /// This byte of the text, counted from 0, is not a digit.
    NotADigit(usize),
}

impl fmt::Display for NumberProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(bytes) => write!(f, "is {bytes} bytes long"),
            Self::NotADigit(position) => {
                write!(f, "has something else than a digit at byte {position}")
            }
        }
    }
}

/// Up to 15 digits in four bits each, the first one in the highest bits.
///
/// The field order makes the derived order that of the digits as text: where the
/// bits agree, the shorter one comes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Packed {
    bits: u64,
    length: u8,
}

impl Packed {
    fn try_new(text: &str, skipped: usize) -> Result<Self, NumberProblem> {
        if text.is_empty() || text.len() > DIGITS_MAX {
            return Err(NumberProblem::Length(text.len()));
        }
        let [high, low] = padded(text.as_bytes()).map(nibbles);
        let length = u8::try_from(text.len()).ok();
        if let (Some(high), Some(low), Some(length)) = (high, low, length) {
            let bits = (u64::from(high) << u32::BITS) | u64::from(low);
            return Ok(Self { bits, length });
        }
        let position = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(0);
        Err(NumberProblem::NotADigit(position.saturating_add(skipped)))
    }

    fn digits(self) -> impl Iterator<Item = u8> + use<> {
        (1..=self.length).filter_map(move |place| {
            let digit = self.bits.checked_shr(shift_of(place)?)? & 0xF;
            u8::try_from(digit).ok()
        })
    }

    fn first(self, length: usize) -> Option<Self> {
        let length =
            u8::try_from(length).ok().filter(|length| (1..=self.length).contains(length))?;
        let mask = u64::MAX.checked_shl(shift_of(length)?)?;
        Some(Self { bits: self.bits & mask, length })
    }
}

impl fmt::Display for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.digits().try_for_each(|digit| write!(f, "{digit}"))
    }
}

/// Up to fifteen bytes of text in two words, first one highest, filled up with zeros as text.
fn padded(text: &[u8]) -> [u64; 2] {
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    if let (Some(first), Some(last)) = (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        // The last eight overlap the first: what is new in them goes up, and zeros follow it.
        let new = u32::try_from(text.len()).unwrap_or(0).saturating_sub(8).saturating_mul(8);
        let up = u64::BITS.saturating_sub(new);
        let low = u64::from_be_bytes(*last).checked_shl(up).unwrap_or(0);
        return [u64::from_be_bytes(*first), low | ZEROS.checked_shr(new).unwrap_or(0)];
    }
    let mut few = [b'0'; 8];
    for (place, byte) in few.iter_mut().zip(text) {
        *place = *byte;
    }
    [u64::from_be_bytes(few), ZEROS]
}

/// Eight digits in four bits each; `None` if one of them is none.
fn nibbles(text: u64) -> Option<u32> {
    let high_bits = 0x8080_8080_8080_8080;
    let digits = text ^ 0x3030_3030_3030_3030;
    // 9 and 0x76 make 0x7F, the most that leaves the highest bit of a byte alone.
    let above = (digits & !high_bits).wrapping_add(0x7676_7676_7676_7676);
    if (digits | above) & high_bits != 0 {
        return None;
    }
    let pairs = (digits | (digits >> 4_u32)) & 0x00FF_00FF_00FF_00FF;
    let fours = (pairs | (pairs >> 8_u32)) & 0x0000_FFFF_0000_FFFF;
    u32::try_from((fours | (fours >> 16_u32)) & 0xFFFF_FFFF).ok()
}

/// How far up the digit at `place`, counted from 1, stands.
fn shift_of(place: u8) -> Option<u32> {
    u64::BITS.checked_sub(u32::from(place).checked_mul(BITS_PER_DIGIT)?)
}
