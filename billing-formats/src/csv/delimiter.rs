//! What stands between columns.

use core::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What stands between columns: one ASCII character, such as a comma, a semicolon, a tab or a bar.
///
/// # Examples
///
/// ```
/// use billing_formats::csv::Delimiter;
///
/// assert_eq!(Delimiter::default(), ",".parse()?);
/// assert_eq!(serde_json::from_str::<Delimiter>(r#""\t""#)?, "\t".parse()?);
/// assert!("::".parse::<Delimiter>().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Delimiter(u8);

/// The text cannot stand between columns.
///
/// # Examples
///
/// ```
/// use billing_formats::csv::{Delimiter, InvalidDelimiter};
///
/// assert_eq!("\"".parse::<Delimiter>(), Err(InvalidDelimiter { bytes: 1 }));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the delimiter has {bytes} bytes or may stand in a column; accepted is one ASCII character, but no letter, digit, quotation mark, NUL or line end"
)]
pub struct InvalidDelimiter {
    /// How long the text is.
    pub bytes: usize,
}

impl Delimiter {
    pub(crate) const TAB: Self = Self(b'\t');

    pub(crate) const fn byte(self) -> u8 {
        self.0
    }
}

impl Default for Delimiter {
    /// A comma.
    fn default() -> Self {
        Self(b',')
    }
}

impl FromStr for Delimiter {
    type Err = InvalidDelimiter;

    fn from_str(s: &str) -> Result<Self, InvalidDelimiter> {
        match *s.as_bytes() {
            [byte]
                if byte.is_ascii()
                    && !byte.is_ascii_alphanumeric()
                    && !b"\"\r\n\0".contains(&byte) =>
            {
                Ok(Self(byte))
            }
            _ => Err(InvalidDelimiter { bytes: s.len() }),
        }
    }
}

impl fmt::Display for Delimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", char::from(self.0))
    }
}

impl TryFrom<String> for Delimiter {
    type Error = InvalidDelimiter;

    fn try_from(text: String) -> Result<Self, InvalidDelimiter> {
        text.parse()
    }
}

impl From<Delimiter> for String {
    fn from(delimiter: Delimiter) -> Self {
        delimiter.to_string()
    }
}
