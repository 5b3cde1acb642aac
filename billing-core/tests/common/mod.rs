//! Documents, items and plans as tests write them, and a store of a few maps that applies what the rules decide.
#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::indexing_slicing, reason = "a test may panic")]
#![expect(clippy::arithmetic_side_effects, reason = "the oracles compute far below their bounds")]

mod apply;
mod correct;
pub(crate) mod own;
pub(crate) mod said;
pub(crate) mod taken;
pub(crate) mod world;

use std::{fmt, str::FromStr};

use billing_core::{
    account::AccountSettings,
    decide::Batch,
    item::{
        Call, CallEnded, Direction, Disposition, Incoming, ItemKey, OneOff, OneOffCharged, Pulse,
        PulseReported,
    },
    money::Money,
    plan::PlanSpec,
};

/// A value from its text.
pub(crate) fn read<T: FromStr<Err: fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

/// A document from its JSON.
pub(crate) fn document<T: serde::de::DeserializeOwned>(json: &str) -> T {
    serde_json::from_str(json).unwrap()
}

/// An account in euros with periods of calendar months in UTC, and what `more` says besides.
pub(crate) fn settings(id: &str, more: &str) -> AccountSettings {
    document(&format!(
        r#"{{"id":"{id}","currency":"EUR","zone":"UTC",
             "anchor":{{"from":"2026-01-01","months":1}}{more}}}"#
    ))
}

/// Lines and taxes with as many decimals as there are.
pub(crate) const EXACT: &str = r#","invoice":{"decimals":10}"#;

/// The version of plan `basic` with these strategies.
pub(crate) fn plan(version: u32, strategies: &[String]) -> PlanSpec {
    let strategies = strategies.join(",");
    document(&format!(
        r#"{{"id":"basic","version":{version},"currency":"EUR","payment":"postpaid",
             "strategies":[{strategies}]}}"#
    ))
}

/// A strategy called `calls`, of a kind with terms.
pub(crate) fn strategy(kind: &str, terms: &str) -> String {
    named("calls", kind, terms)
}

/// A strategy of a kind with terms.
pub(crate) fn named(id: &str, kind: &str, terms: &str) -> String {
    format!(r#"{{"id":"{id}","kind":"{kind}","terms":{terms}}}"#)
}

/// Blocks of 30 s.
pub(crate) fn blocks(scope: &str, per_block: &str) -> String {
    strategy(
        "blocks",
        &format!(r#"{{"block_ms":30000,"per_block":"{per_block}","scope":"{scope}"}}"#),
    )
}

/// A price a minute.
pub(crate) fn flat_rate(per_minute: &str, minutes: &str) -> String {
    strategy("flat_rate", &format!(r#"{{"per_minute":"{per_minute}","minutes":"{minutes}"}}"#))
}

/// A price for each gigabyte-hour of `storage`, as the strategy of that name.
pub(crate) fn per_unit(price: &str) -> String {
    let terms = format!(r#"{{"product":"storage","unit":"GB-h","per_unit":"{price}"}}"#);
    named("storage", "per_unit", &terms)
}

/// Pulses of any product, counted without a price.
pub(crate) fn unpriced() -> String {
    named("usage", "unpriced", "{}")
}

/// A fee of a period.
pub(crate) fn fee(id: &str, per_period: &str, timing: &str, proration: &str) -> String {
    let terms =
        format!(r#"{{"per_period":"{per_period}","timing":"{timing}","proration":"{proration}"}}"#);
    named(id, "recurring", &terms)
}

/// An amount that is paid ahead and covers what stands before it.
pub(crate) fn prepaid(per_period: &str, proration: &str) -> String {
    let terms = format!(r#"{{"per_period":"{per_period}","proration":"{proration}"}}"#);
    named("credit", "prepaid", &terms)
}

/// An answered outbound call that `alice` pays.
pub(crate) fn call(id: &str, start: &str, duration_ms: u64) -> CallEnded {
    CallEnded {
        key: ItemKey::new(read("switch"), read(id)),
        account: Some(read("alice")),
        call: Call {
            start: read(start),
            duration_ms,
            caller: read("+12025550100"),
            callee: read("+12025550123"),
            disposition: Disposition::Answered,
            direction: Direction::Outbound,
        },
    }
}

/// The same call as a partial record of that number; 0 is the final one.
pub(crate) fn partial(number: u32, ended: CallEnded) -> CallEnded {
    let partial = number.try_into().ok();
    CallEnded { key: ItemKey { partial, ..ended.key }, ..ended }
}

/// Gigabyte-hours of `storage` that `alice` pays.
pub(crate) fn pulse(id: &str, at: &str, amount: &str) -> PulseReported {
    PulseReported {
        key: ItemKey::new(read("meter"), read(id)),
        account: Some(read("alice")),
        pulse: Pulse {
            at: read(at),
            product: read("storage"),
            unit: read("GB-h"),
            amount: read(amount),
            properties: billing_core::item::Properties::default(),
        },
    }
}

/// A charge in euros that `alice` pays once.
pub(crate) fn one_off(id: &str, at: &str, name: &str, price: &str) -> OneOffCharged {
    let price = Money::new(read(price), read("EUR"));
    OneOffCharged {
        key: ItemKey::new(read("desk"), read(id)),
        account: Some(read("alice")),
        one_off: OneOff { at: read(at), name: read(name), price },
    }
}

/// A batch of items of one kind.
pub(crate) fn batch<T: Clone + Into<Incoming>>(items: &[T]) -> Batch {
    labelled("calls", items)
}

/// A batch with a name of its own, so that it is another one than before.
pub(crate) fn labelled<T: Clone + Into<Incoming>>(label: &str, items: &[T]) -> Batch {
    let entries = items.iter().map(|item| Ok(item.clone().into())).collect();
    Batch { label: label.into(), entries }
}
