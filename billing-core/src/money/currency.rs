//! Currencies of ISO 4217 and how many decimals each is paid in.

use core::{fmt, str::FromStr};

use compact_str::CompactString;

use crate::id::text_serde;

/// A currency of ISO 4217 that has a minor unit.
///
/// Active codes and some withdrawn ones that old documents still carry; codes that
/// nobody pays in, such as `XAU` and `XXX`, are not among them. Ordered by code.
///
/// # Examples
///
/// ```
/// use billing_core::money::Currency;
///
/// let currency = Currency::try_new("BHD")?;
/// assert_eq!((currency.code(), currency.decimals()), ("BHD", 3));
/// # Ok::<(), billing_core::money::UnknownCurrency>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency {
    code: [u8; 3],
    decimals: u8,
}

impl Currency {
    /// Finds the currency of a code, three capital letters.
    ///
    /// # Errors
    ///
    /// [`UnknownCurrency`] if ISO 4217 has no such code or gives it no minor unit.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::money::Currency;
    ///
    /// assert!(Currency::try_new("EUR").is_ok());
    /// assert!(Currency::try_new("eur").is_err());
    /// assert!(Currency::try_new("XAU").is_err());
    /// ```
    pub fn try_new(code: &str) -> Result<Self, UnknownCurrency> {
        let bytes = <[u8; 3]>::try_from(code.as_bytes()).ok();
        let found = bytes
            .and_then(|bytes| decimals_of(code).map(|decimals| Self { code: bytes, decimals }));
        found.ok_or_else(|| UnknownCurrency::of(code))
    }

    /// The code, three capital letters.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::money::Currency;
    ///
    /// assert_eq!(Currency::try_new("EUR")?.code(), "EUR");
    /// # Ok::<(), billing_core::money::UnknownCurrency>(())
    /// ```
    #[must_use]
    pub fn code(&self) -> &str {
        // Only codes of the table get in, and they are ASCII.
        core::str::from_utf8(&self.code).unwrap_or_default()
    }

    /// How many decimals its minor unit has, 0 to 4.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::money::Currency;
    ///
    /// assert_eq!(Currency::try_new("JPY")?.decimals(), 0);
    /// # Ok::<(), billing_core::money::UnknownCurrency>(())
    /// ```
    #[must_use]
    pub fn decimals(self) -> u32 {
        u32::from(self.decimals)
    }

    /// Every currency, in no stated order.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::money::Currency;
    ///
    /// assert!(Currency::all().any(|currency| currency.code() == "EUR"));
    /// ```
    pub fn all() -> impl Iterator<Item = Self> {
        let codes = BY_DECIMALS.iter().flat_map(|(_, codes)| codes.iter());
        codes.filter_map(|code| Self::try_new(code).ok())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Currency({})", self.code())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Currency {
    type Err = UnknownCurrency;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::try_new(s)
    }
}

text_serde!(Currency, "an ISO 4217 currency code as text", deserialize_text);

/// A text is not the code of a currency that has a minor unit.
///
/// # Examples
///
/// ```
/// use billing_core::money::Currency;
///
/// assert_eq!(
///     Currency::try_new("EUX").unwrap_err().to_string(),
///     "currency code EUX is unknown; accepted are ISO 4217 codes with a minor unit, such as EUR"
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "currency code {shown} is unknown; accepted are ISO 4217 codes with a minor unit, such as EUR"
)]
pub struct UnknownCurrency {
    shown: CompactString,
}

impl UnknownCurrency {
    // What does not look like a code may be anything, so only its length is told.
    fn of(code: &str) -> Self {
        let looks_like_a_code =
            code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_alphabetic());
        let shown = if looks_like_a_code {
            CompactString::from(code)
        } else {
            compact_str::format_compact!("of {} bytes", code.len())
        };
        Self { shown }
    }
}

fn decimals_of(code: &str) -> Option<u8> {
    let holds = |codes: &&[&str]| codes.binary_search(&code).is_ok();
    BY_DECIMALS.iter().find(|(_, codes)| holds(codes)).map(|(decimals, _)| *decimals)
}

const BY_DECIMALS: [(u8, &[&str]); 4] = [(2, &TWO), (0, &NONE), (3, &THREE), (4, &FOUR)];

// Each in ascending order, for the binary search.
const NONE: [&str; 17] = [
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND",
    "VUV", "XAF", "XOF", "XPF",
];
const TWO: [&str; 144] = [
    "AED", "AFN", "ALL", "AMD", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BGN",
    "BMD", "BND", "BOB", "BOV", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF", "CHE",
    "CHF", "CHW", "CNY", "COP", "COU", "CRC", "CUC", "CUP", "CVE", "CZK", "DKK", "DOP", "DZD",
    "EGP", "ERN", "ETB", "EUR", "FJD", "FKP", "GBP", "GEL", "GHS", "GIP", "GMD", "GTQ", "GYD",
    "HKD", "HNL", "HRK", "HTG", "HUF", "IDR", "ILS", "INR", "IRR", "JMD", "KES", "KGS", "KHR",
    "KPW", "KYD", "KZT", "LAK", "LBP", "LKR", "LRD", "LSL", "MAD", "MDL", "MGA", "MKD", "MMK",
    "MNT", "MOP", "MRU", "MUR", "MVR", "MWK", "MXN", "MXV", "MYR", "MZN", "NAD", "NGN", "NIO",
    "NOK", "NPR", "NZD", "PAB", "PEN", "PGK", "PHP", "PKR", "PLN", "QAR", "RON", "RSD", "RUB",
    "SAR", "SBD", "SCR", "SDG", "SEK", "SGD", "SHP", "SLE", "SLL", "SOS", "SRD", "SSP", "STN",
    "SVC", "SYP", "SZL", "THB", "TJS", "TMT", "TOP", "TRY", "TTD", "TWD", "TZS", "UAH", "USD",
    "USN", "UYU", "UZS", "VED", "VES", "WST", "XAD", "XCD", "XCG", "YER", "ZAR", "ZMW", "ZWG",
    "ZWL",
];
const THREE: [&str; 7] = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];
const FOUR: [&str; 2] = ["CLF", "UYW"];
