//! The rules of who pays, ready to be asked.

use core::fmt;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use billing_core::{id::AccountId, time::Day};

use crate::accounts::{Match, Origin, Rule, trunk};

/// Who pays a call, by rules that hold from a day until a day.
///
/// Of the rules in force on the day, the most specific one that matches decides: the account code, then the trunk, then the
/// caller, then the longest prefix of the caller's number. Within each there can be one at most, because two rules for the
/// same thing on the same day are refused. No rule, no account: nothing is guessed.
///
/// Numbers are compared by their digits, with or without a leading `+`; other spellings of a number, such as one with `00`
/// in front, are other numbers.
///
/// # Examples
///
/// ```
/// use billing_formats::accounts::{AccountMap, Origin};
///
/// let accounts: AccountMap = serde_json::from_str(
///     r#"[{"match": {"trunk": "SIP/carrier-a"}, "account": "alice", "until": "2026-11-01"},
///         {"match": {"trunk": "SIP/carrier-a"}, "account": "bob", "from": "2026-11-01"}]"#,
/// )?;
/// let origin = Origin { account_code: "", channel: "SIP/carrier-a-0000001f", caller: "" };
/// let account = accounts.find(&origin, "2026-11-01".parse()?);
/// assert_eq!(account.map(|account| account.as_str()), Some("bob"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default, Deserialize)]
#[serde(try_from = "Vec<Rule>")]
pub struct AccountMap {
    rules: Vec<Rule>,
    account_codes: Index,
    trunks: Index,
    callers: Index,
    prefixes: Index,
    /// The bytes of the longest prefix.
    prefix_bytes_max: usize,
}

/// The rules cannot be used; rules are counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidRules {
    /// Two rules decide about the same calls on the same day.
    #[error("rules {first} and {second} match the same calls and overlap in time")]
    Overlap {
        /// The one that stands first.
        first: usize,
        /// The other.
        second: usize,
    },
    /// A rule ends before it begins.
    #[error("rule {rule} has no days: `from` must be before `until`")]
    Reversed {
        /// Which rule.
        rule: usize,
    },
    /// A rule matches the empty text, which stands for nothing known.
    #[error("rule {rule} has nothing to match")]
    Empty {
        /// Which rule.
        rule: usize,
    },
    /// A prefix is no number.
    #[error("rule {rule} has a caller prefix that is not made of digits alone")]
    Prefix {
        /// Which rule.
        rule: usize,
    },
}

type Index = HashMap<Box<str>, Vec<Term>>;

/// The days `[from, until)` of one rule.
#[derive(Clone)]
struct Term {
    from: Option<Day>,
    until: Option<Day>,
    rule: usize,
    account: AccountId,
}

impl AccountMap {
    /// Makes the rules ready to be asked.
    ///
    /// # Errors
    ///
    /// [`InvalidRules`], which names the rules by their positions, counted from 1.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_formats::accounts::{AccountMap, InvalidRules, Rule};
    ///
    /// let rule: Rule = serde_json::from_str(r#"{"match": {"account_code": "x"}, "account": "alice"}"#)?;
    /// let twice = AccountMap::try_new(vec![rule.clone(), rule]);
    /// assert_eq!(twice.err(), Some(InvalidRules::Overlap { first: 1, second: 2 }));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn try_new(rules: Vec<Rule>) -> Result<Self, InvalidRules> {
        let mut map = Self::default();
        for (rule, number) in rules.iter().zip(1..) {
            map.add(rule, number)?;
        }
        map.rules = rules;
        Ok(map)
    }

    /// The rules, as they were given.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_formats::accounts::AccountMap;
    ///
    /// assert!(AccountMap::default().rules().is_empty());
    /// ```
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Who pays a call that began to be charged on `day`, as the source counts days.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_formats::accounts::{AccountMap, Origin};
    ///
    /// let accounts: AccountMap =
    ///     serde_json::from_str(r#"[{"match": {"caller": "+12025550100"}, "account": "alice"}]"#)?;
    /// let origin = Origin { account_code: "", channel: "", caller: "12025550100" };
    /// let account = accounts.find(&origin, "2026-10-01".parse()?);
    /// assert_eq!(account.map(|account| account.as_str()), Some("alice"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn find(&self, origin: &Origin<'_>, day: Day) -> Option<&AccountId> {
        let caller = digits_of(origin.caller).unwrap_or(origin.caller);
        term_on(&self.account_codes, origin.account_code, day)
            .or_else(|| term_on(&self.trunks, trunk(origin.channel), day))
            .or_else(|| term_on(&self.callers, caller, day))
            .or_else(|| self.prefix_term_on(digits_of(caller)?, day))
            .map(|term| &term.account)
    }

    fn prefix_term_on(&self, digits: &str, day: Day) -> Option<&Term> {
        let lengths = (1..=self.prefix_bytes_max.min(digits.len())).rev();
        let mut prefixes = lengths.filter_map(|length| digits.get(..length));
        prefixes.find_map(|prefix| term_on(&self.prefixes, prefix, day))
    }

    fn add(&mut self, rule: &Rule, number: usize) -> Result<(), InvalidRules> {
        let Rule { matches, account, from, until } = rule;
        if from.zip(*until).is_some_and(|(from, until)| from >= until) {
            return Err(InvalidRules::Reversed { rule: number });
        }
        let (index, text) = match matches {
            Match::AccountCode(code) => (&mut self.account_codes, code.as_str()),
            Match::Trunk(trunk) => (&mut self.trunks, trunk.as_str()),
            Match::Caller(caller) => (&mut self.callers, digits_of(caller).unwrap_or(caller)),
            Match::CallerPrefix(prefix) => (&mut self.prefixes, prefix.as_str()),
        };
        if text.is_empty() {
            return Err(InvalidRules::Empty { rule: number });
        }
        if let Match::CallerPrefix(prefix) = matches {
            if !is_digits(prefix) {
                return Err(InvalidRules::Prefix { rule: number });
            }
            self.prefix_bytes_max = self.prefix_bytes_max.max(prefix.len());
        }
        let term = Term { from: *from, until: *until, rule: number, account: account.clone() };
        insert(index.entry(text.into()).or_default(), term)
    }
}

/// Keeps the terms in order of time, the latest first.
fn insert(terms: &mut Vec<Term>, term: Term) -> Result<(), InvalidRules> {
    let at = terms.partition_point(|other| other.from > term.from);
    // In order, only neighbours can overlap.
    let before = at.checked_sub(1).and_then(|before| terms.get(before));
    let neighbours = [before, terms.get(at)];
    let overlapped = neighbours.into_iter().flatten().find(|other| other.overlaps(&term));
    if let Some(other) = overlapped {
        return Err(InvalidRules::Overlap { first: other.rule, second: term.rule });
    }
    terms.insert(at, term);
    Ok(())
}

fn term_on<'map>(index: &'map Index, text: &str, day: Day) -> Option<&'map Term> {
    let terms = index.get(text)?;
    let at = terms.partition_point(|term| term.from.is_some_and(|from| day < from));
    terms.get(at).filter(|term| term.until.is_none_or(|until| day < until))
}

impl Term {
    fn overlaps(&self, other: &Self) -> bool {
        let starts_before_end = |from: Option<Day>, until: Option<Day>| {
            from.zip(until).is_none_or(|(from, until)| from < until)
        };
        starts_before_end(self.from, other.until) && starts_before_end(other.from, self.until)
    }
}

/// The digits of a number, without its `+`; `None` if it is none.
fn digits_of(caller: &str) -> Option<&str> {
    let digits = caller.strip_prefix('+').unwrap_or(caller);
    is_digits(digits).then_some(digits)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl TryFrom<Vec<Rule>> for AccountMap {
    type Error = InvalidRules;

    fn try_from(rules: Vec<Rule>) -> Result<Self, InvalidRules> {
        Self::try_new(rules)
    }
}

impl Serialize for AccountMap {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.rules.serialize(serializer)
    }
}

impl fmt::Debug for AccountMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccountMap({} rules)", self.rules.len())
    }
}
