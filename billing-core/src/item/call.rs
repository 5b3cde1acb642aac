//! A call detail record.

use serde::{Deserialize, Serialize};

use crate::{item::Party, time::Instant};

/// One call as its source reported it.
///
/// # Examples
///
/// ```
/// use billing_core::item::{Call, Direction, Disposition};
///
/// let call = Call {
///     start: "2026-10-01T08:00:00Z".parse()?,
///     duration_ms: 61_000,
///     caller: "+12025550100".parse()?,
///     callee: "+12025550123".parse()?,
///     disposition: Disposition::Answered,
///     direction: Direction::Outbound,
/// };
/// assert_eq!(call.charged_ms(), 61_000);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// When charging began: the answer, or the attempt if nobody answered.
    pub start: Instant,
    /// How long was talked, in milliseconds.
    pub duration_ms: u64,
    /// Who called.
    pub caller: Party,
    /// Who was called.
    pub callee: Party,
    /// How it ended.
    pub disposition: Disposition,
    /// Which way it went, seen from the account.
    pub direction: Direction,
}

impl Call {
    /// The milliseconds a price may be asked for: zero unless the call was answered.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::item::{Call, Disposition};
    ///
    /// # let call: Call = serde_json::from_str(
    /// #     r#"{"start":"2026-10-05T08:00:00Z","duration_ms":61000,"caller":"","callee":"",
    /// #         "disposition":"answered","direction":"outbound"}"#,
    /// # )?;
    /// assert_eq!(call.charged_ms(), 61_000);
    /// assert_eq!(Call { disposition: Disposition::Busy, ..call }.charged_ms(), 0);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub const fn charged_ms(&self) -> u64 {
        match self.disposition {
            Disposition::Answered => self.duration_ms,
            Disposition::NoAnswer | Disposition::Busy | Disposition::Failed => 0,
        }
    }
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disposition {
    /// Somebody talked.
    Answered,
    /// It rang in vain.
    NoAnswer,
    /// The callee was busy.
    Busy,
    /// It did not get through.
    Failed,
}

/// Which way a call went, seen from the account that pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The account called.
    Outbound,
    /// The account was called.
    Inbound,
    /// Both ends are the account's.
    Internal,
}

impl Disposition {
    /// The name used in documents and fingerprints.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::item::Disposition;
    ///
    /// assert_eq!(Disposition::NoAnswer.name(), "no_answer");
    /// ```
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::NoAnswer => "no_answer",
            Self::Busy => "busy",
            Self::Failed => "failed",
        }
    }
}

impl Direction {
    /// The name used in documents and fingerprints.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::item::Direction;
    ///
    /// assert_eq!(Direction::Outbound.name(), "outbound");
    /// ```
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Outbound => "outbound",
            Self::Inbound => "inbound",
            Self::Internal => "internal",
        }
    }
}
