//! Account maps: the first line is one, and the others ask it; only accounts of its rules are found.
#![no_main]

use billing_core::id::AccountId;
use billing_formats::accounts::{AccountMap, Origin, trunk};
use billing_fuzz::{ACCOUNTS, first_line, lines, read_or};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let (document, asked) = first_line(input);
    let map: AccountMap = read_or(document, &ACCOUNTS);
    let written = serde_json::to_string(&map).expect("a map is a document");
    let again: AccountMap = serde_json::from_str(&written).expect("it is read back");
    assert_eq!(again.rules(), map.rules());
    let days = ["2026-09-30", "2026-10-01", "2026-10-31"].map(|day| day.parse().expect("a day"));
    for line in lines(asked) {
        let Ok(text) = std::str::from_utf8(line) else { continue };
        assert!(text.starts_with(trunk(text)));
        let mut parts = text.splitn(3, ';').chain(["", ""]);
        let mut part = || parts.next().unwrap_or_default();
        let origin = Origin { account_code: part(), channel: part(), caller: part() };
        for day in days {
            let found = map.find(&origin, day);
            let is_known = |id: &AccountId| map.rules().iter().any(|rule| rule.account == *id);
            assert!(found.is_none_or(is_known));
            assert_eq!(again.find(&origin, day), found);
        }
    }
});
