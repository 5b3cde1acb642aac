//! The example that tries a draft finds in the sample month what a second hand makes of it.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[expect(dead_code, reason = "a test has an entry of its own")]
#[path = "../examples/what_if.rs"]
mod example;

use std::{collections::BTreeSet, fs, path::PathBuf};

use clap::Parser as _;
use serde::Deserialize;
use serde_json::Value;

use billing::{
    Amount, Item,
    core::item::Direction,
    formats::{accounts::AccountMap, asterisk},
};

fn page(arguments: &[&str]) -> String {
    let words = ["what_if"].iter().chain(arguments);
    example::report(&example::Options::parse_from(words)).unwrap()
}

fn found() -> Value {
    serde_json::from_str(&page(&["--json"])).unwrap()
}

/// What is billed by the second to a prefix: how many calls, and their seconds one by one.
fn seconds_to(prefix: &str) -> Vec<u64> {
    #[derive(Deserialize)]
    struct Setup {
        asterisk: asterisk::Options,
        account_map: AccountMap,
    }
    let read = |file: &str| {
        fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap()
    };
    let setup: Setup = serde_json::from_str(&read("examples/data/setup.json")).unwrap();
    let calls = read("examples/data/master.csv");
    let rows = asterisk::Reader::new(calls.as_bytes(), &setup.asterisk);
    let mut known = BTreeSet::new();
    let mut all = Vec::new();
    for row in rows {
        let Ok(entry) = asterisk::entry(row.unwrap(), &setup.asterisk, &setup.account_map) else {
            continue;
        };
        let Item::Call(call) = entry.item else { continue };
        let callee = call.callee.number().map(|number| number.to_string()).unwrap_or_default();
        let is_to = callee.starts_with(&format!("+{prefix}"));
        let is_made = call.direction == Direction::Outbound && call.charged_ms() > 0;
        if entry.account.is_some() && is_made && is_to && known.insert(entry.key) {
            all.push(call.charged_ms() / 1_000);
        }
    }
    all
}

fn of<'v>(found: &'v Value, destination: &str) -> &'v Value {
    let all = found["calls"]["destinations"].as_array().unwrap();
    &all.iter().find(|it| it["old"] == destination).unwrap()["impact"]
}

#[test]
fn a_destination_that_is_billed_by_the_second_adds_up_by_hand() {
    let seconds = seconds_to("4420");
    // 0.015 and 0.018 a minute: two and a half and three hundredths of a cent a second, the former rounded up from a half.
    let now: u64 = seconds.iter().map(|second| (second * 5).div_ceil(2)).sum();
    let then: u64 = seconds.iter().map(|second| second * 3).sum();
    let found = found();
    let both = &of(&found, "London")["both"];
    let amount = |units: u64| Amount::from_units(units.into(), 4).unwrap().to_string();
    assert_eq!(both["calls"], seconds.len());
    assert_eq!((&both["old"], &both["new"]), (&amount(now).into(), &amount(then).into()));
    assert!(seconds.len() > 500);
}

#[test]
fn calls_that_lose_their_price_are_counted_apart() {
    let found = found();
    let australia = of(&found, "Australia");
    assert_eq!(australia["lost"]["calls"], seconds_to("61").len());
    assert_eq!((&australia["both"]["calls"], &australia["lost"]["new"]), (&0.into(), &"0".into()));
    assert_eq!(found["calls"]["total"]["lost"], australia["lost"]);
}

#[test]
fn accounts_and_destinations_add_up_to_the_same_total() {
    let found = found();
    let calls = &found["calls"];
    for side in ["old", "new"] {
        for part in ["accounts", "destinations"] {
            let amounts = calls[part].as_array().unwrap().iter();
            let amounts = amounts.map(|it| it["impact"]["both"][side].as_str().unwrap());
            let sum = amounts.fold(Amount::ZERO, |sum, amount| {
                sum.checked_add(amount.parse().unwrap()).unwrap()
            });
            assert_eq!(calls["total"]["both"][side], sum.to_string(), "{side} of {part}");
        }
    }
}

#[test]
fn the_page_shows_lines_destinations_and_the_accounts_asked_for() {
    let page = page(&["--accounts", "3"]);
    let shown = [
        "6 lines unchanged, 3 changed, 2 added, 6 removed",
        "windows.evening: {\"from\":\"18:00\",\"until\":\"08:00\"} -> {\"from\":\"19:00\",",
        "4420    London           changed  0.015 -> 0.018 for 60 s (+20 %)",
        "1415    California       added    0.012 -> 0.01 for 60 s (-16.7 %); takes over from 1 USA",
        "4930    Berlin           removed  0.018 -> 0.02 for 60 s (+11.1 %); increments; connect",
        "61      Australia        removed  0.035 -> none for 60 s; no price any more",
        "from 600 s: 0.018 -> 0.02 for 60 s (+11.1 %)",
        "By account, 3 of 50",
    ];
    for text in shown {
        assert!(page.contains(text), "{text:?} in\n{page}");
    }
    let (_, accounts) = page.split_once("By account").unwrap();
    assert_eq!(accounts.lines().count(), 3 + 3);
}
