//! Exact fractions, for everything between a price and a rounded amount.

use alloc::string::{String, ToString as _};
use core::{cmp::Ordering, fmt, str::FromStr};

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Signed as _, ToPrimitive as _, Zero as _};
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{
    id::deserialize_text,
    money::{
        Amount, MoneyError, Percent, Price, Quantity, Rounding,
        decimal::{DECIMALS_MAX, shown, split_any},
    },
};

const TEXT_BYTES_MAX: usize = 200;

const ACCEPTED_TEXT: &str = "a decimal, or whole numbers with a stroke between them, the second \
                             one above 0, 200 bytes at most";

/// An exact fraction, of a currency's unit or of anything else.
///
/// Never rounds and never overflows. As text it is a decimal if it has at most 10
/// decimals, and otherwise a reduced fraction such as `1/3`; texts are read up to
/// 200 bytes, and longer ones are not serialized either.
///
/// # Examples
///
/// ```
/// use billing_core::money::{Exact, Rounding};
///
/// let third = Exact::from_integer(1).checked_div(&Exact::from_integer(3)).unwrap();
/// assert_eq!(third.to_string(), "1/3");
/// assert_eq!(third.mul(&Exact::from_integer(3)), Exact::from_integer(1));
/// assert_eq!(third.round(2, Rounding::HalfUp)?.to_string(), "0.33");
/// # Ok::<(), billing_core::money::MoneyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Exact(BigRational);

#[expect(
    clippy::arithmetic_side_effects,
    reason = "big numbers cannot overflow, and no denominator is 0"
)]
impl Exact {
    /// The value 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::money::Exact;
    ///
    /// assert_eq!(Exact::zero(), Exact::from_integer(0));
    /// ```
    #[must_use]
    pub fn zero() -> Self {
        Self(BigRational::zero())
    }

    /// Takes the value from a whole number.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::money::Exact;
    ///
    /// assert_eq!(Exact::from_integer(-60).to_string(), "-60");
    /// ```
    #[must_use]
    pub fn from_integer(whole: i128) -> Self {
        Self(BigRational::from_integer(BigInt::from(whole)))
    }

    /// Whether the value is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::money::Exact;
    ///
    /// assert!(Exact::zero().is_zero());
    /// ```
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.0.is_zero()
    }

    /// Whether the value is below 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::money::Exact;
    ///
    /// assert!(Exact::from_integer(-1).is_negative());
    /// ```
    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.0.is_negative()
    }

    /// The sum.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::money::Exact;
    ///
    /// let (a, b): (Exact, Exact) = ("1/3".parse()?, "1/6".parse()?);
    /// assert_eq!(a.add(&b).to_string(), "0.5");
    /// # Ok::<(), billing_core::money::MoneyError>(())
    /// ```
    #[must_use]
    pub fn add(&self, other: &Self) -> Self {
        Self(&self.0 + &other.0)
    }

    /// The difference.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::money::Exact;
    ///
    /// let (a, b): (Exact, Exact) = ("1/3".parse()?, "1/6".parse()?);
    /// assert_eq!(a.sub(&b).to_string(), "1/6");
    /// # Ok::<(), billing_core::money::MoneyError>(())
    /// ```
    #[must_use]
    pub fn sub(&self, other: &Self) -> Self {
        Self(&self.0 - &other.0)
    }

    /// The product.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::money::Exact;
    ///
    /// let (a, b): (Exact, Exact) = ("1/3".parse()?, "0.75".parse()?);
    /// assert_eq!(a.mul(&b).to_string(), "0.25");
    /// # Ok::<(), billing_core::money::MoneyError>(())
    /// ```
    #[must_use]
    pub fn mul(&self, other: &Self) -> Self {
        Self(&self.0 * &other.0)
    }

    /// The quotient, or `None` if `other` is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::money::Exact;
    ///
    /// let sixty = Exact::from_integer(60);
    /// assert_eq!(Exact::from_integer(90).checked_div(&sixty), "1.5".parse().ok());
    /// assert_eq!(sixty.checked_div(&Exact::zero()), None);
    /// ```
    #[must_use]
    pub fn checked_div(&self, other: &Self) -> Option<Self> {
        (!other.is_zero()).then(|| Self(&self.0 / &other.0))
    }

    /// The same value on the other side of 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::money::Exact;
    ///
    /// assert_eq!(Exact::from_integer(1).negate(), Exact::from_integer(-1));
    /// ```
    #[must_use]
    pub fn negate(&self) -> Self {
        Self(-&self.0)
    }

    /// The smallest whole number that is not below the value.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::money::Exact;
    ///
    /// assert_eq!("-1.5".parse::<Exact>()?.ceil(), Exact::from_integer(-1));
    /// # Ok::<(), billing_core::money::MoneyError>(())
    /// ```
    #[must_use]
    pub fn ceil(&self) -> Self {
        Self(self.0.ceil())
    }

    /// The largest whole number that is not above the value.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::money::Exact;
    ///
    /// assert_eq!("-1.5".parse::<Exact>()?.floor(), Exact::from_integer(-2));
    /// # Ok::<(), billing_core::money::MoneyError>(())
    /// ```
    #[must_use]
    pub fn floor(&self) -> Self {
        Self(self.0.floor())
    }

    /// The amount with at most `decimals` decimals, rounded once.
    ///
    /// # Errors
    ///
    /// [`MoneyError::Decimals`] above 10 decimals, and [`MoneyError::OutOfBounds`] if
    /// the result is no [`Amount`].
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::money::{Exact, Rounding};
    ///
    /// let exact: Exact = "1.625".parse()?;
    /// assert_eq!(exact.round(2, Rounding::HalfEven)?.to_string(), "1.62");
    /// assert_eq!(exact.round(2, Rounding::Up)?.to_string(), "1.63");
    /// # Ok::<(), billing_core::money::MoneyError>(())
    /// ```
    pub fn round(&self, decimals: u32, rounding: Rounding) -> Result<Amount, MoneyError> {
        if decimals > DECIMALS_MAX {
            return Err(MoneyError::Decimals { decimals });
        }
        let units = round_to_integer(&self.scaled(decimals), rounding);
        match units.to_i128() {
            Some(units) => Amount::from_units(units, decimals),
            None => Err(Amount::out_of_bounds(shown(self.to_string()))),
        }
    }

    /// The quantity of exactly this value.
    ///
    /// # Errors
    ///
    /// [`MoneyError::NotDecimal`] if it has more than 10 decimals, and
    /// [`MoneyError::OutOfBounds`] if it is no [`Quantity`] otherwise.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::money::Exact;
    ///
    /// assert_eq!("3/2".parse::<Exact>()?.to_quantity()?.to_string(), "1.5");
    /// assert!("1/3".parse::<Exact>()?.to_quantity().is_err());
    /// # Ok::<(), billing_core::money::MoneyError>(())
    /// ```
    pub fn to_quantity(&self) -> Result<Quantity, MoneyError> {
        let scaled = self.scaled(DECIMALS_MAX);
        if !scaled.is_integer() {
            return Err(MoneyError::NotDecimal { value: shown(self.to_string()) });
        }
        match scaled.numer().to_i128() {
            Some(units) => Quantity::from_units(units, DECIMALS_MAX),
            None => Err(Quantity::out_of_bounds(shown(self.to_string()))),
        }
    }

    fn of(value: Decimal) -> Self {
        let denominator = BigInt::from(10_u8).pow(value.scale());
        Self(BigRational::new(BigInt::from(value.mantissa()), denominator))
    }

    /// The value in units of 10^-`decimals`.
    fn scaled(&self, decimals: u32) -> BigRational {
        &self.0 * BigInt::from(10_u8).pow(decimals)
    }
}

impl From<Amount> for Exact {
    fn from(amount: Amount) -> Self {
        Self::of(amount.decimal())
    }
}

impl From<Quantity> for Exact {
    fn from(quantity: Quantity) -> Self {
        Self::of(quantity.decimal())
    }
}

impl From<Price> for Exact {
    fn from(price: Price) -> Self {
        Self::of(price.decimal())
    }
}

/// The fraction that the percentage stands for: 8 % is 8/100.
impl From<Percent> for Exact {
    fn from(percent: Percent) -> Self {
        let hundredth = BigRational::new(BigInt::from(1_u8), BigInt::from(100_u8));
        Self::of(percent.decimal()).mul(&Self(hundredth))
    }
}

impl fmt::Display for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scaled = self.scaled(DECIMALS_MAX);
        if scaled.is_integer() {
            f.write_str(&decimal_text(scaled.numer()))
        } else {
            write!(f, "{}/{}", self.0.numer(), self.0.denom())
        }
    }
}

impl FromStr for Exact {
    type Err = MoneyError;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        parse(s).map_err(|position| MoneyError::Malformed {
            kind: "exact number",
            position,
            accepted: ACCEPTED_TEXT,
        })
    }
}

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.to_string();
        if text.len() > TEXT_BYTES_MAX {
            return Err(serde::ser::Error::custom(format_args!(
                "exact number is {} bytes long as text; accepted are {TEXT_BYTES_MAX} at most",
                text.len()
            )));
        }
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize_text(deserializer, "an exact number as text, such as \"1/3\"")
    }
}

#[expect(clippy::arithmetic_side_effects, reason = "big numbers cannot overflow")]
fn round_to_integer(value: &BigRational, rounding: Rounding) -> BigInt {
    let floor = value.floor();
    let fraction = value - &floor;
    let floor = floor.to_integer();
    if fraction.is_zero() {
        return floor;
    }
    // How the distance from the floor compares to one half.
    let half = (&fraction + &fraction).cmp(&BigRational::from_integer(BigInt::from(1_u8)));
    let away_from_zero = !value.is_negative();
    let up = match rounding {
        Rounding::HalfUp => nearest(half, away_from_zero),
        Rounding::HalfEven => nearest(half, floor.bit(0)),
        Rounding::HalfDown => nearest(half, !away_from_zero),
        Rounding::Up => away_from_zero,
        Rounding::Down => !away_from_zero,
        Rounding::Ceiling => true,
        Rounding::Floor => false,
    };
    if up { floor + 1_u8 } else { floor }
}

fn nearest(half: Ordering, tie_goes_up: bool) -> bool {
    match half {
        Ordering::Less => false,
        Ordering::Equal => tie_goes_up,
        Ordering::Greater => true,
    }
}

/// The decimal text of `units` times 10^-10.
fn decimal_text(units: &BigInt) -> String {
    let sign = if units.is_negative() { "-" } else { "" };
    let digits = alloc::format!("{:0>11}", units.magnitude());
    let (whole, fraction) =
        digits.split_at_checked(digits.len().saturating_sub(10)).unwrap_or((&digits, ""));
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    alloc::format!("{sign}{whole}{point}{fraction}")
}

/// The value of a text, or the first byte that does not fit.
fn parse(text: &str) -> Result<Exact, usize> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(TEXT_BYTES_MAX);
    }
    match text.split_once('/') {
        None => parse_decimal(text),
        Some((numerator, denominator)) => {
            let stroke = numerator.len();
            let numerator = parse_whole(numerator)?;
            let start = stroke.saturating_add(1);
            let denominator =
                parse_whole(denominator).map_err(|position| start.saturating_add(position))?;
            if denominator <= BigInt::zero() {
                return Err(start);
            }
            Ok(Exact(BigRational::new(numerator, denominator)))
        }
    }
}

fn parse_whole(text: &str) -> Result<BigInt, usize> {
    if let Some(point) = text.find('.') {
        return Err(point);
    }
    split_any(text)?;
    text.parse().map_err(|_error| 0)
}

fn parse_decimal(text: &str) -> Result<Exact, usize> {
    let parts = split_any(text)?;
    let sign = if parts.negative { "-" } else { "" };
    let digits = alloc::format!("{sign}{}{}", parts.whole, parts.fraction);
    let numerator: BigInt = digits.parse().map_err(|_error| 0_usize)?;
    let decimals = u32::try_from(parts.fraction.len()).map_err(|_error| 0_usize)?;
    Ok(Exact(BigRational::new(numerator, BigInt::from(10_u8).pow(decimals))))
}
