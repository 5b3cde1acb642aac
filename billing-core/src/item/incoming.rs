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
///
/// # Examples
///
/// ```
/// use billing_core::item::ItemKey;
///
/// let caller = ItemKey::new("pbx".parse()?, "1696.42".parse()?);
/// let forwarder = ItemKey { leg: Some("forwarder".parse()?), ..caller.clone() };
/// assert_ne!(caller, forwarder);
/// assert_eq!(forwarder.to_string(), "pbx/1696.42/forwarder");
/// # Ok::<(), billing_core::id::InvalidId>(())
/// ```
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
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::item::ItemKey;
    ///
    /// assert_eq!(ItemKey::new("pbx".parse()?, "1".parse()?).to_string(), "pbx/1");
    /// # Ok::<(), billing_core::id::InvalidId>(())
    /// ```
    #[must_use]
    pub const fn new(source: SourceId, id: ItemId) -> Self {
        Self { source, id, leg: None }
    }

    /// The leg as stored: the empty text if there is none.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::item::ItemKey;
    ///
    /// assert_eq!(ItemKey::new("pbx".parse()?, "1".parse()?).leg_text(), "");
    /// # Ok::<(), billing_core::id::InvalidId>(())
    /// ```
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
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::item::Item;
    ///
    /// # use billing_core::item::CallEnded;
    /// # let ended: CallEnded = serde_json::from_str(
    /// #     r#"{"key":{"source":"pbx","id":"1"},"account":"alice",
    /// #         "call":{"start":"2026-10-05T08:00:00Z","duration_ms":61000,"caller":"","callee":"",
    /// #                 "disposition":"answered","direction":"outbound"}}"#,
    /// # )?;
    /// let item = Item::Call(ended.call);
    /// assert_eq!(item.at().to_string(), "2026-10-05T08:00:00Z");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub const fn at(&self) -> Instant {
        match self {
            Self::Call(call) => call.start,
        }
    }

    /// The name of the kind, as in documents.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::item::Item;
    ///
    /// # use billing_core::item::CallEnded;
    /// # let ended: CallEnded = serde_json::from_str(
    /// #     r#"{"key":{"source":"pbx","id":"1"},"account":"alice",
    /// #         "call":{"start":"2026-10-05T08:00:00Z","duration_ms":61000,"caller":"","callee":"",
    /// #                 "disposition":"answered","direction":"outbound"}}"#,
    /// # )?;
    /// assert_eq!(Item::Call(ended.call).kind(), "call");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Call(_) => "call",
        }
    }
}

/// A call has ended: the argument of recording it.
///
/// # Examples
///
/// ```
/// use billing_core::item::CallEnded;
///
/// let ended: CallEnded = serde_json::from_str(
///     r#"{"key":{"source":"pbx","id":"1"},"account":"alice",
///         "call":{"start":"2026-10-05T08:00:00Z","duration_ms":61000,
///                 "caller":"+12025550100","callee":"+12025550123",
///                 "disposition":"answered","direction":"outbound"}}"#,
/// )?;
/// assert_eq!(ended.call.charged_ms(), 61_000);
/// # Ok::<(), serde_json::Error>(())
/// ```
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
///
/// # Examples
///
/// ```
/// use billing_core::item::Incoming;
///
/// # use billing_core::item::CallEnded;
/// # let ended: CallEnded = serde_json::from_str(
/// #     r#"{"key":{"source":"pbx","id":"1"},"account":"alice",
/// #         "call":{"start":"2026-10-05T08:00:00Z","duration_ms":61000,"caller":"","callee":"",
/// #                 "disposition":"answered","direction":"outbound"}}"#,
/// # )?;
/// let incoming = Incoming::from(ended);
/// assert_eq!((incoming.key.to_string(), incoming.item.kind()), ("pbx/1".to_owned(), "call"));
/// # Ok::<(), serde_json::Error>(())
/// ```
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
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::item::{Fingerprint, Item};
    ///
    /// # use billing_core::item::CallEnded;
    /// # let ended: CallEnded = serde_json::from_str(
    /// #     r#"{"key":{"source":"pbx","id":"1"},"account":"alice",
    /// #         "call":{"start":"2026-10-05T08:00:00Z","duration_ms":61000,"caller":"","callee":"",
    /// #                 "disposition":"answered","direction":"outbound"}}"#,
    /// # )?;
    /// let (alice, bob) = ("alice".parse()?, "bob".parse()?);
    /// let item = Item::Call(ended.call);
    /// assert_eq!(Fingerprint::of(Some(&alice), &item), Fingerprint::of(Some(&alice), &item));
    /// assert_ne!(Fingerprint::of(Some(&alice), &item), Fingerprint::of(Some(&bob), &item));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn of(account: Option<&AccountId>, item: &Item) -> Self {
        Self { rule: Self::RULE, digest: rule_1(account, item) }
    }

    /// Whether this is the fingerprint of an item that `account` pays, under the rule it was taken under.
    ///
    /// A fingerprint under a rule that is not known is nobody's.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::item::{Fingerprint, Item};
    ///
    /// # use billing_core::item::CallEnded;
    /// # let ended: CallEnded = serde_json::from_str(
    /// #     r#"{"key":{"source":"pbx","id":"1"},"account":"alice",
    /// #         "call":{"start":"2026-10-05T08:00:00Z","duration_ms":61000,"caller":"","callee":"",
    /// #                 "disposition":"answered","direction":"outbound"}}"#,
    /// # )?;
    /// let item = Item::Call(ended.call);
    /// let known = Fingerprint::of(None, &item);
    /// assert!(known.is_of(None, &item));
    /// assert!(!known.is_of(Some(&"alice".parse()?), &item));
    /// assert!(!Fingerprint { rule: 2, ..known }.is_of(None, &item));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
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
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::item::Incoming;
    ///
    /// # use billing_core::item::CallEnded;
    /// # let ended: CallEnded = serde_json::from_str(
    /// #     r#"{"key":{"source":"pbx","id":"1"},"account":"alice",
    /// #         "call":{"start":"2026-10-05T08:00:00Z","duration_ms":61000,"caller":"","callee":"",
    /// #                 "disposition":"answered","direction":"outbound"}}"#,
    /// # )?;
    /// let incoming = Incoming::from(ended.clone());
    /// let mut longer = ended;
    /// longer.call.duration_ms += 1;
    /// assert_ne!(Incoming::from(longer).fingerprint(), incoming.fingerprint());
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self.account.as_ref(), &self.item)
    }
}
