//! What a script's usage adds up to, counted by hand: no code of the library's takes part but its numbers.

use std::collections::BTreeMap;

use billing_core::{
    correction::Change,
    item::{Incoming, Item, ItemKey},
};

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
        let usage = usage_of(&item.key);
        let record = item.key.partial.map_or(u32::MAX, |number| number.get());
        known.entry(format!("{usage}/{record}")).or_insert_with(|| {
            let latest = last.entry(usage).or_insert((record, item));
            if record > latest.0 {
                *latest = (record, item);
            }
            item
        });
    }
    let mut corrected: BTreeMap<String, Option<&Item>> = BTreeMap::new();
    for change in script.corrections() {
        match change {
            Change::Void { key } => drop(corrected.insert(usage_of(key), None)),
            Change::Amend { key, item } => drop(corrected.insert(usage_of(key), Some(item))),
            other => return Err(format!("a script has no {other:?}").into()),
        }
    }
    let mut sums = Sums::new();
    for (usage, (_, item)) in &last {
        let Some(content) = corrected.get(usage).copied().unwrap_or(Some(&item.item)) else {
            continue;
        };
        let (what, quantity) = quantity(content)?;
        let account = item.account.as_ref().ok_or("an item has a payer")?;
        let sum = sums.entry((account.to_string(), what)).or_default();
        *sum = (sum.0 + 1, sum.1 + quantity);
    }
    Ok(sums)
}

/// What a key is of, whichever record of it.
fn usage_of(key: &ItemKey) -> String {
    format!("{}/{}", key.source.as_str(), key.id.as_str())
}

fn quantity(item: &Item) -> Done<(&'static str, i128)> {
    match item {
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
