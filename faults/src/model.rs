//! What a script's usage adds up to, counted by hand: no code of the library's takes part but its numbers.

use std::collections::BTreeMap;

use billing_core::item::{Incoming, Item};

use crate::{
    Done,
    script::{Script, pays},
};

/// How many, and how much in thousandths.
pub type Sum = (i64, i128);

/// Sums by account and by what is counted: `talk` in milliseconds, `storage` in units.
pub type Sums = BTreeMap<(String, &'static str), Sum>;

/// Of each usage the first content counts, of several records of it the last one.
pub fn of(script: &Script) -> Done<Sums> {
    let mut known: BTreeMap<String, &Incoming> = BTreeMap::new();
    let mut last: BTreeMap<String, (u32, &Incoming)> = BTreeMap::new();
    let billed = script.items().filter(|item| item.account.as_ref().is_some_and(pays));
    for item in billed {
        let usage = format!("{}/{}", item.key.source.as_str(), item.key.id.as_str());
        let record = item.key.partial.map_or(u32::MAX, |number| number.get());
        known.entry(format!("{usage}/{record}")).or_insert_with(|| {
            let latest = last.entry(usage).or_insert((record, item));
            if record > latest.0 {
                *latest = (record, item);
            }
            item
        });
    }
    let mut sums = Sums::new();
    for (_, item) in last.values() {
        let (what, quantity) = quantity(item)?;
        let account = item.account.as_ref().ok_or("an item has a payer")?;
        let sum = sums.entry((account.to_string(), what)).or_default();
        *sum = (sum.0 + 1, sum.1 + quantity);
    }
    Ok(sums)
}

fn quantity(item: &Incoming) -> Done<(&'static str, i128)> {
    match &item.item {
        Item::Call(call) => Ok(("talk", i128::from(call.duration_ms) * 1_000)),
        Item::Pulse(pulse) => Ok(("storage", thousandths(&pulse.amount.to_string())?)),
        other => Err(format!("a script has no {other:?}").into()),
    }
}

/// A decimal with at most three places.
pub fn thousandths(text: &str) -> Done<i128> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let part = format!("{part:0<3}");
    if part.len() > 3 {
        return Err("a quantity has more than three places".into());
    }
    Ok(whole.parse::<i128>()? * 1_000 + part.parse::<i128>()?)
}
