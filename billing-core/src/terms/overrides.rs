//! What an account pays otherwise than its plan says.

use alloc::{collections::BTreeMap, string::String};

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::{
    id::{InvalidId, StrategyId},
    terms::strict_json,
};

/// Terms that stand in place of a plan's, by strategy: each name given replaces the plan's term of that name.
///
/// # Examples
///
/// ```
/// use billing_core::terms::Overrides;
///
/// // This account pays less a minute; how minutes are counted stays as the plan says.
/// let overrides: Overrides = serde_json::from_str(r#"{"calls":{"per_minute":"0.015"}}"#)?;
/// assert_eq!(overrides.iter().count(), 1);
/// assert!(serde_json::from_str::<Overrides>(r#"{"calls":{"per_minute":0.015}}"#).is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Overrides(BTreeMap<StrategyId, Map<String, Value>>);

/// JSON that is no overrides.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidOverrides {
    /// Not an object of objects.
    #[error("overrides are an object of strategies, each an object of terms")]
    Shape,
    /// A value that terms cannot have.
    #[error("{0}")]
    Terms(String),
    /// A name that is no strategy's.
    #[error(transparent)]
    Id(#[from] InvalidId),
}

impl Overrides {
    /// No terms but the plan's.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::terms::Overrides;
    ///
    /// assert!(Overrides::none().is_empty());
    /// ```
    #[must_use]
    pub const fn none() -> Self {
        Self(BTreeMap::new())
    }

    /// Whether there are none.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::terms::Overrides;
    ///
    /// let overrides: Overrides = serde_json::from_str("{}")?;
    /// assert!(overrides.is_empty());
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The terms of each strategy that has some, in order of their ids.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::terms::Overrides;
    ///
    /// let overrides: Overrides = serde_json::from_str(r#"{"fee":{"per_period":"5"}}"#)?;
    /// let (strategy, terms) = overrides.iter().next().expect("one");
    /// assert_eq!((strategy.as_str(), terms.len()), ("fee", 1));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&StrategyId, &Map<String, Value>)> {
        self.0.iter()
    }
}

impl TryFrom<Value> for Overrides {
    type Error = InvalidOverrides;

    fn try_from(value: Value) -> Result<Self, InvalidOverrides> {
        strict_json::check(&value).map_err(InvalidOverrides::Terms)?;
        let Value::Object(strategies) = value else { return Err(InvalidOverrides::Shape) };
        let one = |(strategy, terms): (String, Value)| match terms {
            Value::Object(mut terms) => {
                terms.sort_keys();
                terms.values_mut().for_each(Value::sort_all_objects);
                Ok((StrategyId::try_new(strategy)?, terms))
            }
            _ => Err(InvalidOverrides::Shape),
        };
        Ok(Self(strategies.into_iter().map(one).collect::<Result<_, InvalidOverrides>>()?))
    }
}

impl<'de> Deserialize<'de> for Overrides {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = strict_json::deserialize(deserializer)?;
        Self::try_from(value).map_err(serde::de::Error::custom)
    }
}
