//! What a dial plan says, as data.

use serde::{Deserialize, Serialize};

/// Spaces and the marks that people put between digits.
const STRIPPED: &str = " \u{a0}-./()";

/// What a dial plan says, as data; [`DialPlan::try_new`](super::DialPlan::try_new) checks it.
///
/// # Examples
///
/// ```
/// use billing_formats::dial_plan::Rules;
///
/// let mut berlin = Rules::new("49");
/// berlin.international_prefixes = vec!["00".into()];
/// berlin.national_prefix = Some("0".into());
/// berlin.area_code = Some("30".into());
///
/// let same: Rules = serde_json::from_str(
///     r#"{"country": "49", "international_prefixes": ["00"], "national_prefix": "0", "area_code": "30"}"#,
/// )?;
/// assert_eq!(berlin, same);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// The country code: 1 to 3 digits, such as `49`.
    pub country: String,
    /// What is dialled before a country code, such as `00` or `011`; up to 8 digits each. A `+` always is one, listed or not.
    pub international_prefixes: Vec<String>,
    /// What is dialled before a national number and left out after the country code, such as `0`; up to 5 digits.
    ///
    /// `None` where the whole national number is always dialled, as in Italy or Spain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub national_prefix: Option<String>,
    /// The area whose subscribers are dialled without it, as it stands after the country code; up to 6 digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area_code: Option<String>,
    /// How many digits every national number has, without prefix, where all have the same length: 10 in North America.
    ///
    /// Numbers of this length are national also without the national prefix, and others are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub national_digits: Option<u8>,
    /// Numbers that are kept as they are, such as `112` or `*97`; 1 to 15 of `0` to `9`, `*` and `#` each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub short_codes: Vec<String>,
    /// Numbers that begin so are kept as they are, such as `*` or `118`; 1 to 15 of `0` to `9`, `*` and `#` each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub special_prefixes: Vec<String>,
    /// Numbers of up to so many digits are extensions and kept, 0 to 9; `0` where there are none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub internal_digits_max: u8,
    /// Each of these characters is left out of a number; no letter, digit, `+`, `*` or `#`.
    ///
    /// Spaces, `-`, `.`, `/`, `(` and `)` if left out. The national prefix in parentheses, as in `+49 (0)30 1234567`, needs no
    /// word here: after a country code it is always left out.
    #[serde(default = "stripped", skip_serializing_if = "is_stripped")]
    pub strip: String,
}

impl Rules {
    /// A plan that knows international numbers alone, with a `+` before them, and a country for what is to be added.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_formats::dial_plan::Rules;
    ///
    /// assert_eq!(Rules::new("39").strip, " \u{a0}-./()");
    /// ```
    #[must_use]
    pub fn new(country: impl Into<String>) -> Self {
        Self {
            country: country.into(),
            international_prefixes: Vec::new(),
            national_prefix: None,
            area_code: None,
            national_digits: None,
            short_codes: Vec::new(),
            special_prefixes: Vec::new(),
            internal_digits_max: 0,
            strip: stripped(),
        }
    }
}

fn stripped() -> String {
    STRIPPED.to_owned()
}

fn is_stripped(strip: &str) -> bool {
    strip == STRIPPED
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference over")]
fn is_zero(digits: &u8) -> bool {
    *digits == 0
}
