//! A closed day on its way to a downstream processor, and what that answered.

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use crate::{
    digest::Digest,
    id::{AccountId, Group, StrategyId, Unit},
    money::Currency,
    time::{Day, Instant},
    usage::{DayTotal, Totals},
};

/// What is handed over: the totals of one revision of one account's local day. Never changes once it is made.
///
/// A day's revisions are differences: what came late is a further revision, and the sum of all is the day's usage.
///
/// # Examples
///
/// ```
/// use billing_core::settlement::Handover;
///
/// let handover: Handover = serde_json::from_str(
///     r#"{"account":"alice","day":"2026-10-05","revision":1,
///         "totals":[{"assignment":1,"strategy":"usage","group":"storage/GB-h","unit":"GB-h",
///                    "currency":"EUR","totals":{"count":2,"quantity":"0.75","amount":null}}]}"#,
/// )?;
/// assert_eq!(handover.totals.len(), 1);
/// let other = Handover { revision: 2, ..handover.clone() };
/// assert_ne!(other.digest(), handover.digest());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Handover {
    /// Whose.
    pub account: AccountId,
    /// The local billing day.
    pub day: Day,
    /// Which revision of it, counted from 1.
    pub revision: u32,
    /// The totals of the revision, in order of assignment, strategy and group.
    pub totals: Vec<HandedTotal>,
}

/// One total of a day that is handed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandedTotal {
    /// Under which assignment.
    pub assignment: u32,
    /// Under which strategy.
    pub strategy: StrategyId,
    /// In which group.
    pub group: Group,
    /// What the quantity counts.
    pub unit: Unit,
    /// The currency of the amount.
    pub currency: Currency,
    /// How much.
    pub totals: Totals,
}

impl From<&DayTotal> for HandedTotal {
    fn from(total: &DayTotal) -> Self {
        Self {
            assignment: total.key.assignment,
            strategy: total.key.strategy.clone(),
            group: total.key.group.clone(),
            unit: total.unit.clone(),
            currency: total.currency,
            totals: total.totals,
        }
    }
}

impl Handover {
    /// The content as stored and sent: JSON, fields as declared.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::settlement::Handover;
    ///
    /// let day = "2026-10-05".parse()?;
    /// let empty = Handover { account: "alice".parse()?, day, revision: 1, totals: vec![] };
    /// let body = r#"{"account":"alice","day":"2026-10-05","revision":1,"totals":[]}"#;
    /// assert_eq!(empty.body(), body);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn body(&self) -> String {
        // Serialising a value made of texts, numbers and lists of them cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The digest of [`body`](Self::body).
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::{digest::Digest, settlement::Handover};
    ///
    /// let day = "2026-10-05".parse()?;
    /// let empty = Handover { account: "alice".parse()?, day, revision: 1, totals: vec![] };
    /// assert_eq!(empty.digest(), Digest::of().text(&empty.body()).finish());
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of().text(&self.body()).finish()
    }
}

/// What a processor says of a day.
///
/// # Examples
///
/// ```
/// use billing_core::settlement::Answer;
///
/// let answer: Answer = serde_json::from_str(r#"{"answer":"accepted","reference":"batch 7"}"#)?;
/// assert!(matches!(answer, Answer::Accepted { .. }));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case", deny_unknown_fields)]
pub enum Answer {
    /// It has it, for good.
    Accepted {
        /// What the processor calls it.
        reference: String,
    },
    /// It will not take it; a person has to look.
    Refused {
        /// Why.
        reason: String,
    },
}

/// A handed-over day and how far it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// What is handed over.
    pub handover: Handover,
    /// How far it has come.
    pub state: SettlementState,
    /// How often it has been sent.
    pub attempts: u32,
}

/// How far a settlement has come.
///
/// # Examples
///
/// ```
/// use billing_core::settlement::SettlementState;
///
/// let sent: SettlementState = serde_json::from_str(r#"{"state":"sent","at":"2026-10-06T00:05:00Z"}"#)?;
/// assert_eq!(sent.name(), "sent");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case", deny_unknown_fields)]
pub enum SettlementState {
    /// To be sent.
    Pending,
    /// Sent, and not answered yet. It is sent again, with the same content, until it is.
    Sent {
        /// When it was sent last.
        at: Instant,
    },
    /// Answered.
    Answered {
        /// When.
        at: Instant,
        /// What.
        answer: Answer,
    },
}

impl SettlementState {
    /// The name of the state.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::settlement::SettlementState;
    ///
    /// assert_eq!(SettlementState::Pending.name(), "pending");
    /// ```
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sent { .. } => "sent",
            Self::Answered { answer: Answer::Accepted { .. }, .. } => "accepted",
            Self::Answered { answer: Answer::Refused { .. }, .. } => "refused",
        }
    }
}
