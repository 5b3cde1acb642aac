//! An item on its way in: its key, who pays, and what its content is known by.

use core::{fmt, num::NonZeroU32};

use serde::{Deserialize, Serialize};

use crate::{
    digest::Digest,
    id::{AccountId, ItemId, LegId, SourceId},
    item::{Call, OneOff, Party, Properties, Pulse},
    time::Instant,
};

/// What an item is known by, for ever, within a tenant.
///
/// `leg` tells the payers of one call apart; most sources leave it out. `partial` tells the records of one long call apart: each
/// tells the whole so far, so that a later one supersedes an earlier one, and the final one, which has no number, all of them.
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
///
/// let after_an_hour = ItemKey { partial: 1.try_into().ok(), ..caller.clone() };
/// assert_eq!(after_an_hour.to_string(), "pbx/1696.42#1");
/// assert!(caller.supersedes(&after_an_hour) && !after_an_hour.supersedes(&caller));
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
    /// Which partial record of it, counted from 1 in the order they were made; `None` for the final or only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partial: Option<NonZeroU32>,
}

impl ItemKey {
    /// A key without a leg, of a final record.
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
        Self { source, id, leg: None, partial: None }
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

    /// The number of the partial record as stored: 0 for the final one.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::item::ItemKey;
    ///
    /// assert_eq!(ItemKey::new("pbx".parse()?, "1".parse()?).partial_number(), 0);
    /// # Ok::<(), billing_core::id::InvalidId>(())
    /// ```
    #[must_use]
    pub const fn partial_number(&self) -> u32 {
        match self.partial {
            None => 0,
            Some(number) => number.get(),
        }
    }

    /// The key of the final record of the same usage.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::item::ItemKey;
    ///
    /// let key = ItemKey::new("pbx".parse()?, "1".parse()?);
    /// let partial = ItemKey { partial: 2.try_into().ok(), ..key.clone() };
    /// assert_eq!(partial.of_final(), key);
    /// # Ok::<(), billing_core::id::InvalidId>(())
    /// ```
    #[must_use]
    pub fn of_final(&self) -> Self {
        Self { partial: None, ..self.clone() }
    }

    /// Whether this is a later record of the same usage, so that the other one does not count beside it.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::item::ItemKey;
    ///
    /// let only = ItemKey::new("pbx".parse()?, "1".parse()?);
    /// let other = ItemKey::new("pbx".parse()?, "2".parse()?);
    /// assert!(!only.supersedes(&only) && !only.supersedes(&other));
    /// # Ok::<(), billing_core::id::InvalidId>(())
    /// ```
    #[must_use]
    pub fn supersedes(&self, other: &Self) -> bool {
        let same = (&self.source, &self.id, &self.leg) == (&other.source, &other.id, &other.leg);
        same && match (self.partial, other.partial) {
            (None, Some(_)) => true,
            (Some(mine), Some(theirs)) => mine > theirs,
            (_, None) => false,
        }
    }
}

impl fmt::Display for ItemKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.source, self.id)?;
        self.leg.iter().try_for_each(|leg| write!(f, "/{leg}"))?;
        self.partial.iter().try_for_each(|number| write!(f, "#{number}"))
    }
}

/// One fact of usage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Item {
    /// A call that ended.
    Call(Call),
    /// A report of generic usage.
    Pulse(Pulse),
    /// A charge that is made once.
    OneOff(OneOff),
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
            Self::Pulse(pulse) => pulse.at,
            Self::OneOff(charge) => charge.at,
        }
    }

    /// The item without the persons in it: a call without caller and callee, a pulse without properties.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::item::{Item, Party};
    ///
    /// # let call: billing_core::item::CallEnded = serde_json::from_str(
    /// #     r#"{"key":{"source":"pbx","id":"1"},"account":"alice",
    /// #         "call":{"start":"2026-10-05T08:00:00Z","duration_ms":4500000,"caller":"","callee":"+12025550123",
    /// #                 "disposition":"answered","direction":"outbound"}}"#,
    /// # )?;
    /// let item = Item::Call(call.call.clone());
    /// let callee = Party::unknown();
    /// assert_eq!(item.without_persons(), Item::Call(billing_core::item::Call { callee, ..call.call }));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn without_persons(&self) -> Self {
        match self {
            Self::Call(call) => {
                let nobody = Party::unknown();
                Self::Call(Call { caller: nobody.clone(), callee: nobody, ..call.clone() })
            }
            Self::Pulse(pulse) => {
                Self::Pulse(Pulse { properties: Properties::default(), ..pulse.clone() })
            }
            Self::OneOff(charge) => Self::OneOff(charge.clone()),
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
            Self::Pulse(_) => "pulse",
            Self::OneOff(_) => "one_off",
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

/// Usage was reported: the argument of recording it.
///
/// # Examples
///
/// ```
/// use billing_core::item::PulseReported;
///
/// let reported: PulseReported = serde_json::from_str(
///     r#"{"key":{"source":"meter","id":"1"},"account":"alice",
///         "pulse":{"at":"2026-10-05T08:00:00Z","product":"storage","unit":"GB-h","amount":"0.25"}}"#,
/// )?;
/// assert_eq!(reported.pulse.product.as_str(), "storage");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PulseReported {
    /// What it is known by.
    pub key: ItemKey,
    /// Who pays; `None` if the source names nobody we know, and then the pulse is parked.
    pub account: Option<AccountId>,
    /// What was used.
    pub pulse: Pulse,
}

/// An account is charged once, beside its plan: the argument of recording it.
///
/// # Examples
///
/// ```
/// use billing_core::item::OneOffCharged;
///
/// let charged: OneOffCharged = serde_json::from_str(
///     r#"{"key":{"source":"desk","id":"1"},"account":"alice",
///         "one_off":{"at":"2026-10-05T08:00:00Z","name":"set-up",
///                    "price":{"amount":"49.90","currency":"EUR"}}}"#,
/// )?;
/// assert_eq!(charged.one_off.name.as_str(), "set-up");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneOffCharged {
    /// What it is known by.
    pub key: ItemKey,
    /// Who pays; `None` parks it.
    pub account: Option<AccountId>,
    /// What for, and how much.
    pub one_off: OneOff,
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

impl From<PulseReported> for Incoming {
    fn from(reported: PulseReported) -> Self {
        Self { key: reported.key, account: reported.account, item: Item::Pulse(reported.pulse) }
    }
}

impl From<OneOffCharged> for Incoming {
    fn from(charged: OneOffCharged) -> Self {
        Self { key: charged.key, account: charged.account, item: Item::OneOff(charged.one_off) }
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
        Item::Pulse(pulse) => {
            let builder = builder
                .number(pulse.at.micros())
                .text(pulse.product.as_str())
                .text(pulse.unit.as_str())
                .number(pulse.amount.decimal().mantissa())
                .number(pulse.amount.decimal().scale());
            let pairs = pulse.properties.iter();
            pairs.fold(builder, |builder, (name, value)| builder.text(name).text(value))
        }
        Item::OneOff(charge) => builder
            .number(charge.at.micros())
            .text(charge.name.as_str())
            .number(charge.price.amount().decimal().mantissa())
            .number(charge.price.amount().decimal().scale())
            .text(charge.price.currency().code()),
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
