//! The document on a line: a key, an account, and one of the things that can happen.

use serde::{Deserialize, Deserializer, Serialize};

use billing_core::{
    id::AccountId,
    item::{Call, Incoming, Item, ItemKey, OneOff, Pulse},
};

use crate::ndjson::Reason;

/// What is read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    key: ItemKey,
    #[serde(default)]
    account: Option<AccountId>,
    #[serde(default, deserialize_with = "present")]
    call: Option<Call>,
    #[serde(default, deserialize_with = "present")]
    pulse: Option<Pulse>,
    #[serde(default, deserialize_with = "present")]
    one_off: Option<OneOff>,
}

/// What is written.
#[derive(Serialize)]
struct Written<'item> {
    key: &'item ItemKey,
    account: Option<&'item AccountId>,
    #[serde(flatten)]
    item: WrittenItem<'item>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum WrittenItem<'item> {
    Call(&'item Call),
    Pulse(&'item Pulse),
    OneOff(&'item OneOff),
}

/// Why a text is no item.
pub(super) enum Unread {
    /// It is known already.
    Reason(Reason),
    /// Whatever the text tells.
    Json(serde_json::Error),
}

/// Reads an item.
pub(super) fn read(text: &str) -> Result<Incoming, Unread> {
    let Read { key, account, call, pulse, one_off } =
        serde_json::from_str(text).map_err(Unread::Json)?;
    let item = match (call, pulse, one_off) {
        (Some(call), None, None) => Item::Call(call),
        (None, Some(pulse), None) => Item::Pulse(pulse),
        (None, None, Some(charge)) => Item::OneOff(charge),
        (call, pulse, one_off) => {
            let found = [call.is_some(), pulse.is_some(), one_off.is_some()];
            let found = found.into_iter().filter(|found| *found).count();
            return Err(Unread::Reason(Reason::Kind { found }));
        }
    };
    Ok(Incoming { key, account, item })
}

/// Writes an item; `None` for a kind that has no document.
pub(super) fn written(incoming: &Incoming) -> Option<serde_json::Result<String>> {
    let item = match &incoming.item {
        Item::Call(call) => WrittenItem::Call(call),
        Item::Pulse(pulse) => WrittenItem::Pulse(pulse),
        Item::OneOff(charge) => WrittenItem::OneOff(charge),
        _ => return None,
    };
    let account = incoming.account.as_ref();
    Some(serde_json::to_string(&Written { key: &incoming.key, account, item }))
}

/// What stands there must be one: `null` is none.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}
