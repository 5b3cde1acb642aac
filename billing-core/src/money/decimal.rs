//! Bounded decimals: how they are checked, read and written.

use alloc::{
    borrow::ToOwned as _,
    string::{String, ToString as _},
};

use rust_decimal::Decimal;

use crate::money::MoneyError;

/// Decimals that an amount, quantity or price has at most.
pub(super) const DECIMALS_MAX: u32 = 10;

/// Longer texts are not read: no accepted value needs them.
const TEXT_BYTES_MAX: usize = 64;

const ACCEPTED_TEXT: &str =
    "an optional minus sign, digits, and optionally a point and digits, 64 bytes at most";

/// What a kind of decimal may hold.
pub(super) struct Bounds {
    pub(super) kind: &'static str,
    pub(super) decimals_max: u32,
    /// In units of 10^-10, inclusive.
    pub(super) min: i128,
    /// In units of 10^-10, inclusive.
    pub(super) max: i128,
    pub(super) accepted: &'static str,
}

impl Bounds {
    /// The value without trailing zeros, if it is within these bounds.
    pub(super) fn check(&self, value: Decimal) -> Result<Decimal, MoneyError> {
        let value = value.normalize();
        if value.is_zero() {
            return Ok(Decimal::ZERO);
        }
        if value.scale() > self.decimals_max {
            return Err(self.too_precise(value.to_string()));
        }
        match units_of(value, DECIMALS_MAX) {
            Some(units) if self.min <= units && units <= self.max => Ok(value),
            Some(_) | None => Err(self.out_of_bounds(value.to_string())),
        }
    }

    /// The value of `units` times 10^-`scale`.
    pub(super) fn of_units(&self, units: i128, scale: u32) -> Result<Decimal, MoneyError> {
        if let Some(value) = self.of_few_units(units, scale) {
            return Ok(value);
        }
        match Decimal::try_from_i128_with_scale(units, scale) {
            Ok(value) => self.check(value),
            Err(_) => Err(self.out_of_bounds(shown(units.to_string()))),
        }
    }

    /// The same of a value in bounds whose units have 64 bits and no sign, as nearly all have: without dividing 128 bits.
    fn of_few_units(&self, units: i128, scale: u32) -> Option<Decimal> {
        let few = u64::try_from(units).ok()?;
        let tens = power_of_ten(DECIMALS_MAX.checked_sub(scale)?)?;
        let value = of_few_units(few, scale);
        let is_in_bounds =
            units.checked_mul(tens)? <= self.max && value.scale() <= self.decimals_max;
        is_in_bounds.then_some(value)
    }

    /// The value that a text states, never rounded.
    pub(super) fn parse(&self, text: &str) -> Result<Decimal, MoneyError> {
        let parts = split(text).map_err(|position| MoneyError::Malformed {
            kind: self.kind,
            position,
            accepted: ACCEPTED_TEXT,
        })?;
        let fraction = parts.fraction.trim_end_matches('0');
        let scale = u32::try_from(fraction.len()).unwrap_or(u32::MAX);
        if scale > self.decimals_max {
            return Err(self.too_precise(text.to_owned()));
        }
        let magnitude = number_of(parts.whole, fraction);
        let units = magnitude.and_then(|units| signed(units, parts.negative));
        match units {
            Some(units) => self.of_units(units, scale),
            None => Err(self.out_of_bounds(text.to_owned())),
        }
    }

    pub(super) fn out_of_bounds(&self, value: String) -> MoneyError {
        MoneyError::OutOfBounds { kind: self.kind, value, accepted: self.accepted }
    }

    fn too_precise(&self, value: String) -> MoneyError {
        MoneyError::TooPrecise { kind: self.kind, value, decimals_max: self.decimals_max }
    }
}

/// The value of `units` times 10^-`scale`, without trailing zeros.
pub(super) fn of_few_units(units: u64, scale: u32) -> Decimal {
    if units == 0 {
        return Decimal::ZERO;
    }
    let (mut units, mut scale) = (units, scale);
    while scale > 0 && units.is_multiple_of(10) {
        units = units.checked_div(10).unwrap_or(0);
        scale = scale.saturating_sub(1);
    }
    let low = u32::try_from(units & u64::from(u32::MAX)).unwrap_or(0);
    let middle = u32::try_from(units >> u32::BITS).unwrap_or(0);
    Decimal::from_parts(low, middle, 0, false, scale)
}

/// `value` in units of 10^-`decimals`, if it is a whole number of them.
pub(super) fn units_of(value: Decimal, decimals: u32) -> Option<i128> {
    let missing = decimals.checked_sub(value.scale())?;
    power_of_ten(missing)?.checked_mul(value.mantissa())
}

/// 10 to a power that 128 bits hold.
pub(crate) fn power_of_ten(exponent: u32) -> Option<i128> {
    POWERS.get(usize::try_from(exponent).ok()?).copied()
}

/// Looked up: taking a power costs more than all else that is done with an amount.
const POWERS: [i128; 39] = {
    let mut powers = [1; 39];
    let mut rest: &mut [i128] = &mut powers;
    while let [power, more @ ..] = rest {
        if let Some(next) = more.first_mut() {
            *next = power.saturating_mul(10);
        }
        rest = more;
    }
    powers
};

/// `value` with at least `decimals` decimals; its own are never cut.
pub(super) fn fixed(value: Decimal, decimals: u32) -> String {
    let mut text = value.to_string();
    let missing = decimals.min(Decimal::MAX_SCALE).saturating_sub(value.scale());
    if value.scale() == 0 && missing > 0 {
        text.push('.');
    }
    text.extend((0..missing).map(|_| '0'));
    text
}

/// A value as it is put into a message: as it is, or how long it is.
pub(super) fn shown(value: String) -> String {
    if value.len() <= TEXT_BYTES_MAX {
        value
    } else {
        alloc::format!("of {} characters", value.len())
    }
}

/// A decimal text, taken apart.
pub(super) struct Parts<'text> {
    pub(super) negative: bool,
    pub(super) whole: &'text str,
    pub(super) fraction: &'text str,
}

/// Takes a text apart, or answers the first byte that does not fit.
fn split(text: &str) -> Result<Parts<'_>, usize> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(TEXT_BYTES_MAX);
    }
    split_any(text)
}

/// Like `split`, whatever the length.
pub(super) fn split_any(text: &str) -> Result<Parts<'_>, usize> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (digits, None),
    };
    let start = text.len().saturating_sub(digits.len());
    expect_digits(whole, start)?;
    let point = start.saturating_add(whole.len());
    if let Some(fraction) = fraction {
        expect_digits(fraction, point.saturating_add(1))?;
    }
    Ok(Parts { negative, whole, fraction: fraction.unwrap_or_default() })
}

fn expect_digits(text: &str, start: usize) -> Result<(), usize> {
    let wrong = text.bytes().position(|byte| !byte.is_ascii_digit());
    match wrong.or(text.is_empty().then_some(0)) {
        Some(position) => Err(start.saturating_add(position)),
        None => Ok(()),
    }
}

fn number_of(whole: &str, fraction: &str) -> Option<i128> {
    whole.bytes().chain(fraction.bytes()).try_fold(0_i128, |number, byte| {
        let digit = byte.checked_sub(b'0')?;
        number.checked_mul(10)?.checked_add(i128::from(digit))
    })
}

fn signed(units: i128, negative: bool) -> Option<i128> {
    if negative { units.checked_neg() } else { Some(units) }
}

/// What every bounded decimal can do.
macro_rules! bounded_decimal {
    ($name:ident, $bounds:ident, $expected:literal) => {
        impl $name {
            /// The value 0.
            pub const ZERO: Self = Self(Decimal::ZERO);

            /// Takes the value from a decimal; trailing zeros and the sign of 0 are dropped.
            ///
            /// # Errors
            ///
            /// [`MoneyError::TooPrecise`] and [`MoneyError::OutOfBounds`]; nothing is rounded.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use billing_core::money::", stringify!($name), ";")]
            /// use rust_decimal::Decimal;
            ///
            #[doc = concat!("let value = ", stringify!($name), "::try_new(Decimal::new(150, 2))?;")]
            /// assert_eq!(value.to_string(), "1.5");
            /// # Ok::<(), billing_core::money::MoneyError>(())
            /// ```
            pub fn try_new(value: Decimal) -> Result<Self, MoneyError> {
                $bounds.check(value).map(Self)
            }

            /// The value as a decimal without trailing zeros.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use billing_core::money::", stringify!($name), ";")]
            /// use rust_decimal::Decimal;
            ///
            #[doc = concat!("let value: ", stringify!($name), " = \"1.50\".parse()?;")]
            /// assert_eq!(value.decimal(), Decimal::new(15, 1));
            /// # Ok::<(), billing_core::money::MoneyError>(())
            /// ```
            #[must_use]
            pub fn decimal(self) -> Decimal {
                self.0
            }

            /// The text with at least `decimals` decimals; more are never cut.
            ///
            /// A number of decimals above 28 counts as 28.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use billing_core::money::", stringify!($name), ";")]
            ///
            #[doc = concat!("let value: ", stringify!($name), " = \"1.625\".parse()?;")]
            /// assert_eq!(value.to_fixed(4), "1.6250");
            /// assert_eq!(value.to_fixed(2), "1.625");
            /// # Ok::<(), billing_core::money::MoneyError>(())
            /// ```
            #[must_use]
            pub fn to_fixed(self, decimals: u32) -> String {
                fixed(self.0, decimals)
            }

            /// Whether the value is 0.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use billing_core::money::", stringify!($name), ";")]
            ///
            #[doc = concat!("assert!(", stringify!($name), "::ZERO.is_zero());")]
            /// ```
            #[must_use]
            pub fn is_zero(self) -> bool {
                self.0.is_zero()
            }
        }

        impl FromStr for $name {
            type Err = MoneyError;

            fn from_str(s: &str) -> Result<Self, Self::Err> {
                $bounds.parse(s).map(Self)
            }
        }

        impl fmt::Display for $name {
            // Formatting flags are left out: a precision would cut digits.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }

        text_serde!($name, $expected, deserialize_text);
    };
}
pub(super) use bounded_decimal;

/// What bounded decimals of either sign can do besides.
macro_rules! signed_decimal {
    ($name:ident, $bounds:ident) => {
        impl $name {
            /// The exact sum.
            ///
            /// # Errors
            ///
            /// [`MoneyError::OutOfBounds`] if the sum is 10^18 or more, on either side of 0.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use billing_core::money::", stringify!($name), ";")]
            ///
            #[doc = concat!("let (a, b): (", stringify!($name), ", ", stringify!($name), ") = (\"1.5\".parse()?, \"0.5\".parse()?);")]
            /// assert_eq!(a.checked_add(b)?.to_string(), "2");
            /// # Ok::<(), billing_core::money::MoneyError>(())
            /// ```
            pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
                // Exact: both stay below 10^28 units of 10^-10, and 96 bits hold 7 × 10^28.
                self.0
                    .checked_add(other.0)
                    .ok_or_else(|| $bounds.out_of_bounds(String::from("sum")))
                    .and_then(Self::try_new)
            }

            /// The exact difference.
            ///
            /// # Errors
            ///
            /// [`MoneyError::OutOfBounds`] if the difference is 10^18 or more, on either side of 0.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use billing_core::money::", stringify!($name), ";")]
            ///
            #[doc = concat!("let (a, b): (", stringify!($name), ", ", stringify!($name), ") = (\"1.5\".parse()?, \"2\".parse()?);")]
            /// assert_eq!(a.checked_sub(b)?.to_string(), "-0.5");
            /// # Ok::<(), billing_core::money::MoneyError>(())
            /// ```
            pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
                other.checked_neg().and_then(|negated| self.checked_add(negated))
            }

            /// The same value on the other side of 0.
            ///
            /// # Errors
            ///
            /// None today: the bounds are the same on both sides of 0.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use billing_core::money::", stringify!($name), ";")]
            ///
            #[doc = concat!("let value: ", stringify!($name), " = \"1.5\".parse()?;")]
            /// assert_eq!(value.checked_neg()?.to_string(), "-1.5");
            /// # Ok::<(), billing_core::money::MoneyError>(())
            /// ```
            pub fn checked_neg(self) -> Result<Self, MoneyError> {
                let mut value = self.0;
                value.set_sign_negative(!value.is_sign_negative());
                Self::try_new(value)
            }

            /// The value without its sign.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use billing_core::money::", stringify!($name), ";")]
            ///
            #[doc = concat!("let value: ", stringify!($name), " = \"-1.5\".parse()?;")]
            /// assert_eq!(value.abs().to_string(), "1.5");
            /// # Ok::<(), billing_core::money::MoneyError>(())
            /// ```
            #[must_use]
            pub fn abs(self) -> Self {
                Self(self.0.abs())
            }

            /// Whether the value is below 0.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use billing_core::money::", stringify!($name), ";")]
            ///
            #[doc = concat!("let value: ", stringify!($name), " = \"-1.5\".parse()?;")]
            /// assert!(value.is_negative());
            /// # Ok::<(), billing_core::money::MoneyError>(())
            /// ```
            #[must_use]
            pub fn is_negative(self) -> bool {
                self.0.is_sign_negative()
            }
        }
    };
}
pub(super) use signed_decimal;
