//! An item on its way in: its key, who pays, and what its content is known by.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    digest::Digest,
    id::{AccountId, ItemId, LegId, SourceId},
    item::Call,
    time::Instant,
};

/// What an item is known by, for ever, within a tenant.
///
/// `leg` tells the payers of one call apart; most sources leave it out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemKey {
    /// Which switch, file family or service reported it.
    pub source: SourceId,
    /// The id the source gave it.
    pub id: ItemId,
    /// Which payer of it, if it has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leg: Option<LegId>,
}

impl ItemKey {
    /// A key without a leg.
    #[must_use]
    pub const fn new(source: SourceId, id: ItemId) -> Self {
        Self { source, id, leg: None }
    }

    /// The leg as stored: the empty text if there is none.
    #[must_use]
    pub fn leg_text(&self) -> &str {
        self.leg.as_ref().map_or("", LegId::as_str)
    }
}

impl fmt::Display for ItemKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.leg {
            None => write!(f, "{}/{}", self.source, self.id),
            Some(leg) => write!(f, "{}/{}/{leg}", self.source, self.id),
        }
    }
}

/// One fact of usage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Item {
    /// A call that ended.
    Call(Call),
}

impl Item {
    /// The instant that decides the billing day.
    #[must_use]
    pub const fn at(&self) -> Instant {
        match self {
            Self::Call(call) => call.start,
        }
    }

    /// The name of the kind, as in documents.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Call(_) => "call",
        }
    }
}

/// A call has ended: the argument of recording it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallEnded {
    /// What it is known by.
    pub key: ItemKey,
    /// Who pays; `None` if the source names nobody we know, and then the call is parked.
    pub account: Option<AccountId>,
    /// What happened.
    pub call: Call,
}

/// An item of any kind on its way in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Incoming {
    /// What it is known by.
    pub key: ItemKey,
    /// Who pays; `None` parks it.
    pub account: Option<AccountId>,
    /// What happened.
    pub item: Item,
}

impl From<CallEnded> for Incoming {
    fn from(ended: CallEnded) -> Self {
        Self { key: ended.key, account: ended.account, item: Item::Call(ended.call) }
    }
}

/// What an item's content is compared by: a digest under a numbered rule.
///
/// Rule 1 covers the account, the kind and every field of the item, in the order of their declaration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fingerprint {
    /// Under which rule the digest was taken.
    pub rule: u16,
    /// The digest.
    pub digest: Digest,
}

impl Fingerprint {
    /// The rule under which new items are fingerprinted.
    pub const RULE: u16 = 1;

    /// The fingerprint of an item that `account` pays, under [`Self::RULE`].
    #[must_use]
    pub fn of(account: Option<&AccountId>, item: &Item) -> Self {
        Self { rule: Self::RULE, digest: rule_1(account, item) }
    }

    /// Whether this is the fingerprint of an item that `account` pays, under the rule it was taken under.
    ///
    /// A fingerprint under a rule that is not known is nobody's.
    #[must_use]
    pub fn is_of(&self, account: Option<&AccountId>, item: &Item) -> bool {
        self.rule == 1 && self.digest == rule_1(account, item)
    }
}

fn rule_1(account: Option<&AccountId>, item: &Item) -> Digest {
    let builder = Digest::of().maybe(account.map(AccountId::as_str)).text(item.kind());
    let builder = match item {
        Item::Call(call) => builder
            .number(call.start.micros())
            .number(call.duration_ms)
            .text(call.caller.as_str())
            .text(call.callee.as_str())
            .text(call.disposition.name())
            .text(call.direction.name()),
    };
    builder.finish()
}

impl Incoming {
    /// The fingerprint of this content.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self.account.as_ref(), &self.item)
    }
}
