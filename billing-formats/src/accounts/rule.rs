//! One rule of who pays.

use core::fmt;

use serde::{Deserialize, Serialize};

use billing_core::{id::AccountId, time::Day};

use crate::accounts::private;

/// Calls that match are paid by an account, on the days `[from, until)`.
///
/// # Examples
///
/// ```
/// use billing_formats::accounts::{Match, Rule};
///
/// let rule: Rule = serde_json::from_str(
///     r#"{"match": {"caller_prefix": "1202"}, "account": "alice", "from": "2026-10-01"}"#,
/// )?;
/// assert_eq!(rule.matches, Match::CallerPrefix("1202".into()));
/// assert_eq!(rule.until, None);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Which calls.
    #[serde(rename = "match")]
    pub matches: Match,
    /// Who pays them.
    pub account: AccountId,
    /// The first day; since ever if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Day>,
    /// The day after the last; for good if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Day>,
}

/// What a call is told by, the most specific first.
///
/// Personal data: `Debug` shows the kind alone.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Match {
    /// The account code, byte by byte.
    AccountCode(#[serde(deserialize_with = "private::deserialize")] String),
    /// The channel without what makes it unique, such as `SIP/carrier-a`; see [`trunk`](super::trunk).
    Trunk(#[serde(deserialize_with = "private::deserialize")] String),
    /// The caller: a number with or without its `+`, or anything else byte by byte.
    Caller(#[serde(deserialize_with = "private::deserialize")] String),
    /// The digits that the caller's number begins with, without a `+`; the longest one wins.
    CallerPrefix(#[serde(deserialize_with = "private::deserialize")] String),
}

impl fmt::Debug for Match {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AccountCode(_) => "AccountCode",
            Self::Trunk(_) => "Trunk",
            Self::Caller(_) => "Caller",
            Self::CallerPrefix(_) => "CallerPrefix",
        })
    }
}
