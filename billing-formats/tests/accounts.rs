//! Who pays a call.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::default_numeric_fallback,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

use billing_core::{
    id::AccountId,
    time::{Day, Zone},
};
use billing_formats::{
    accounts::{AccountMap, InvalidRules, Match, Origin, Rule, trunk},
    asterisk::{Options, Reader, entry},
};
use proptest::{collection::vec, option, prelude::*};

fn day(ordinal: i32) -> Day {
    Day::from_ordinal(20_000 + ordinal).unwrap()
}

fn rule(matches: Match, account: &str, from: Option<i32>, until: Option<i32>) -> Rule {
    let account = AccountId::try_new(account).unwrap();
    Rule { matches, account, from: from.map(day), until: until.map(day) }
}

fn code(text: &str) -> Match {
    Match::AccountCode(text.to_owned())
}

const ORIGIN: Origin<'_> =
    Origin { account_code: "x", channel: "SIP/carrier-a-00001a2b", caller: "+12025550100" };

fn find(map: &AccountMap, origin: &Origin<'_>, on: i32) -> Option<String> {
    map.find(origin, day(on)).map(ToString::to_string)
}

#[test]
fn the_most_specific_rule_decides() {
    let rules = [
        rule(Match::CallerPrefix("1".to_owned()), "short", None, None),
        rule(Match::CallerPrefix("1202".to_owned()), "long", None, None),
        rule(Match::Caller("12025550100".to_owned()), "caller", None, None),
        rule(Match::Trunk("SIP/carrier-a".to_owned()), "trunk", None, None),
        rule(code("x"), "code", None, None),
    ];
    let winners = ["short", "long", "caller", "trunk", "code"];
    for count in 0..=rules.len() {
        let map = AccountMap::try_new(rules[..count].to_vec()).unwrap();
        let expected = count.checked_sub(1).map(|last| winners[last].to_owned());
        assert_eq!(find(&map, &ORIGIN, 0), expected);
    }
}

#[test]
fn nothing_that_does_not_match_is_guessed() {
    let map = AccountMap::try_new(vec![
        rule(code("x"), "code", None, None),
        rule(Match::Trunk("SIP/carrier-a".to_owned()), "trunk", None, None),
        rule(Match::Caller("bob".to_owned()), "bob", None, None),
        rule(Match::CallerPrefix("1202".to_owned()), "long", None, None),
    ])
    .unwrap();
    let nobody = Origin { account_code: "", channel: "", caller: "" };
    let cases = [
        (nobody, None),
        (Origin { account_code: "X", ..nobody }, None),
        (Origin { channel: "SIP/carrier-00001a2b", ..nobody }, None),
        (Origin { channel: "SIP/carrier-a-b-00001a2b", ..nobody }, None),
        (Origin { channel: "SIP/carrier-a", ..nobody }, Some("trunk")),
        (Origin { caller: "bob", ..nobody }, Some("bob")),
        (Origin { caller: "+bob", ..nobody }, None),
        (Origin { caller: "120", ..nobody }, None),
        (Origin { caller: "1202", ..nobody }, Some("long")),
        (Origin { caller: "+120255501001202555010012025550100", ..nobody }, Some("long")),
        (Origin { caller: "1202x", ..nobody }, None),
        (Origin { caller: "++1202", ..nobody }, None),
        (Origin { caller: "001202", ..nobody }, None),
    ];
    for (origin, expected) in cases {
        let found = find(&map, &origin, 0);
        assert_eq!(found.as_deref(), expected, "{} {}", origin.channel, origin.caller);
    }
}

#[test]
fn a_rule_holds_from_its_first_day_until_the_day_after_its_last() {
    let map = AccountMap::try_new(vec![
        rule(code("x"), "late", Some(20), None),
        rule(code("x"), "early", None, Some(10)),
        rule(Match::CallerPrefix("1".to_owned()), "else", None, None),
    ])
    .unwrap();
    for (on, expected) in [(-999, "early"), (9, "early"), (10, "else"), (19, "else"), (20, "late")]
    {
        assert_eq!(find(&map, &ORIGIN, on).as_deref(), Some(expected), "day {on}");
    }
}

#[test]
fn rules_that_cannot_be_used_are_refused_by_position() {
    let other = || rule(code("other"), "a", None, None);
    let number = |text: &str| rule(Match::Caller(text.to_owned()), "a", None, None);
    let prefix = |text: &str| rule(Match::CallerPrefix(text.to_owned()), "a", None, None);
    let cases = [
        (
            vec![rule(code("x"), "a", None, None), other(), rule(code("x"), "b", Some(5), Some(6))],
            InvalidRules::Overlap { first: 1, second: 3 },
        ),
        (
            vec![rule(code("x"), "a", Some(5), None), rule(code("x"), "a", None, Some(6))],
            InvalidRules::Overlap { first: 1, second: 2 },
        ),
        (vec![number("+1202"), number("1202")], InvalidRules::Overlap { first: 1, second: 2 }),
        (vec![other(), rule(code("x"), "a", Some(5), Some(5))], InvalidRules::Reversed { rule: 2 }),
        (vec![rule(code(""), "a", None, None)], InvalidRules::Empty { rule: 1 }),
        (vec![prefix("")], InvalidRules::Empty { rule: 1 }),
        (vec![prefix("+1202")], InvalidRules::Prefix { rule: 1 }),
    ];
    for (rules, expected) in cases {
        assert_eq!(AccountMap::try_new(rules).err(), Some(expected), "{expected}");
    }
}

#[test]
fn the_document_is_read_and_written() {
    let text = r#"[{"match":{"trunk":"SIP/carrier-a"},"account":"alice","from":"2026-10-01"},{"match":{"caller":"+12025550100"},"account":"bob"}]"#;
    let map: AccountMap = serde_json::from_str(text).unwrap();
    assert_eq!(map.rules().len(), 2);
    assert_eq!(serde_json::to_string(&map).unwrap(), text);
}

#[test]
fn a_wrong_document_is_refused_without_its_numbers() {
    let cases = [
        (
            r#"[{"match":{"caller":"12025550100"},"account":"a","til":"2026-01-01"}]"#,
            "unknown field `til`",
        ),
        (
            r#"[{"match":{"caller":12025550100},"account":"a"}]"#,
            "a number was found; expected text",
        ),
        (
            r#"[{"match":{"caller_prefix":"1202-555-0100"},"account":"a"}]"#,
            "rule 1 has a caller prefix that is not made of digits alone",
        ),
        (r#"[{"match":{"code":"x"},"account":"a"}]"#, "unknown variant `code`"),
    ];
    for (text, expected) in cases {
        let error = serde_json::from_str::<AccountMap>(text).unwrap_err().to_string();
        assert!(error.contains(expected) && !error.contains("555"), "{error}");
    }
}

#[test]
fn the_account_is_that_of_the_day_charging_began() {
    let options =
        Options::new("pbx-1".parse().unwrap(), Zone::try_new("America/New_York").unwrap());
    let map: AccountMap = serde_json::from_str(
        r#"[{"match":{"account_code":"x"},"account":"old","until":"2026-10-02"},
            {"match":{"account_code":"x"},"account":"new","from":"2026-10-02"}]"#,
    )
    .unwrap();
    // Rings before midnight in New York, long after midnight UTC.
    let call = |answer: &str| {
        format!(
            "x,101,102,office,,,,,,2026-10-01 23:59:50,2026-10-{answer},2026-10-02 00:01:00,70,59,ANSWERED,,1.1"
        )
    };
    for (answer, account) in [("01 23:59:59", "old"), ("02 00:00:00", "new")] {
        let line = call(answer);
        let mut reader = Reader::new(line.as_bytes(), &options);
        let incoming = entry(reader.next().unwrap().unwrap(), &options, &map).unwrap();
        assert_eq!(incoming.account.unwrap().as_str(), account, "{answer}");
    }
}

#[test]
fn a_trunk_is_a_channel_without_what_makes_it_unique() {
    let cases = [
        ("SIP/carrier-a-0000001f", "SIP/carrier-a"),
        ("PJSIP/a-b-c-DEADBEEF", "PJSIP/a-b-c"),
        ("Local/100@office-0000001f;1", "Local/100@office"),
        ("IAX2/carrier-a-4711", "IAX2/carrier-a"),
        ("DAHDI/1-1", "DAHDI/1"),
        ("SIP/site-1", "SIP/site-1"),
        ("SIP/carrier-a", "SIP/carrier-a"),
        ("", ""),
        ("-", "-"),
        ("é-0000001f", "é"),
    ];
    for (channel, expected) in cases {
        assert_eq!(trunk(channel), expected);
    }
}

/// What the rules say, read one by one.
fn slow(rules: &[Rule], origin: &Origin<'_>, on: Day) -> Option<AccountId> {
    let in_force = |rule: &&Rule| {
        rule.from.is_none_or(|from| from <= on) && rule.until.is_none_or(|until| on < until)
    };
    let strength = |rule: &Rule| match &rule.matches {
        Match::AccountCode(code) => (code == origin.account_code).then_some((3, 0)),
        Match::Trunk(name) => (name == trunk(origin.channel)).then_some((2, 0)),
        Match::Caller(caller) => (caller == origin.caller).then_some((1, 0)),
        Match::CallerPrefix(prefix) => {
            origin.caller.starts_with(prefix.as_str()).then_some((0, prefix.len()))
        }
    };
    let matching = rules.iter().filter(in_force).filter_map(|rule| Some((strength(rule)?, rule)));
    matching.max_by_key(|(strength, _)| *strength).map(|(_, rule)| rule.account.clone())
}

fn rules() -> impl Strategy<Value = Vec<Rule>> {
    let number = || "[12]{1,4}";
    let matches = prop_oneof![
        "[xy]".prop_map(Match::AccountCode),
        "SIP/[ab]".prop_map(Match::Trunk),
        number().prop_map(Match::Caller),
        number().prop_map(Match::CallerPrefix),
    ];
    let bound = || option::of(0..20_i32);
    let rule = (matches, "[a-f]", bound(), bound())
        .prop_map(|(matches, account, from, until)| rule(matches, &account, from, until));
    vec(rule, 0..12)
}

/// Whether some day is in both rules.
fn collide(one: &Rule, two: &Rule) -> bool {
    let has = |rule: &Rule, on: Day| {
        rule.from.is_none_or(|from| from <= on) && rule.until.is_none_or(|until| on < until)
    };
    one.matches == two.matches && (-1..21).any(|on| has(one, day(on)) && has(two, day(on)))
}

proptest! {
    #[test]
    fn the_map_answers_as_its_rules_say(
        rules in rules(),
        (account_code, channel, caller) in ("[xyz]?", "SIP/[abc]-0000001f", "[123]{0,5}"),
    ) {
        // What cannot be loaded is left out, rule by rule.
        let mut kept = Vec::new();
        for rule in rules {
            kept.push(rule);
            if AccountMap::try_new(kept.clone()).is_err() {
                kept.pop();
            }
        }
        let map = AccountMap::try_new(kept.clone()).unwrap();
        let origin = Origin { account_code: &account_code, channel: &channel, caller: &caller };
        for on in -1..21 {
            let expected = slow(&kept, &origin, day(on));
            prop_assert_eq!(map.find(&origin, day(on)), expected.as_ref());
        }
    }

    #[test]
    fn rules_are_refused_if_and_only_if_two_collide(rules in rules()) {
        let are_reversed = |rule: &Rule| rule.from.zip(rule.until).is_some_and(|(from, until)| from >= until);
        let rules: Vec<_> = rules.into_iter().filter(|rule| !are_reversed(rule)).collect();
        let pairs = || (0..rules.len()).flat_map(|two| (0..two).map(move |one| (one, two)));
        let are_colliding = pairs().any(|(one, two)| collide(&rules[one], &rules[two]));
        match AccountMap::try_new(rules.clone()) {
            Ok(_) => prop_assert!(!are_colliding),
            Err(InvalidRules::Overlap { first, second }) => {
                prop_assert!(collide(&rules[first - 1], &rules[second - 1]));
            }
            Err(error) => prop_assert!(false, "{error}"),
        }
    }
}
