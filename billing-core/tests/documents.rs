//! Which documents are read, and how the others are refused.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[expect(dead_code, reason = "each file of tests is a crate of its own, which uses a part")]
mod common;

use std::collections::BTreeSet;

use billing_core::{
    account::{AccountSettings, Assignment},
    decide::{Intake, ParkReason, Refusal},
    event::Posting,
    invoice::{Invoice, InvoiceState},
    item::{CallEnded, Incoming, OneOffCharged, PulseReported},
    plan::{AppliesTo, BuildPlanError, PlanBook, PlanSpec, StrategySpec},
    settlement::{Answer, Handover, SettlementState},
    tariff::TariffSpec,
    terms::Overrides,
    usage::{Carry, Scope, ScopeKey, Totals},
};
use common::{
    blocks, call, document, flat_rate, named,
    own::{book, counted},
    plan, read, strategy,
    world::World,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

const PLAN: &str = r#"{"id":"basic","version":1,"currency":"EUR","payment":"postpaid",
    "strategies":[{"id":"calls","kind":"flat_rate",
        "applies_to":{"directions":["outbound"],"callee":["49"]},
        "terms":{"per_minute":"0.02","minutes":"pro_rata"}}]}"#;

const ACCOUNT: &str = r#"{"id":"alice","currency":"EUR","zone":"Europe/Berlin",
    "anchor":{"from":"2026-01-31","months":1},
    "tax":{"name":"VAT","percent":"19","mode":"added"},"customer":"wonderland",
    "invoice":{"decimals":2,"rounding":"half_even"}}"#;

const CALL: &str = r#"{"key":{"source":"switch","id":"1","leg":"a"},"account":"alice",
    "call":{"start":"2026-03-10T09:00:00Z","duration_ms":61000,"caller":"+12025550100",
        "callee":"+12025550123","disposition":"answered","direction":"outbound"}}"#;

const INCOMING: &str = r#"{"key":{"source":"switch","id":"1","leg":"a"},"account":"alice",
    "item":{"kind":"call","start":"2026-03-10T09:00:00Z","duration_ms":61000,
        "caller":"+12025550100","callee":"+12025550123","disposition":"answered",
        "direction":"outbound"}}"#;

const PULSE: &str = r#"{"key":{"source":"meter","id":"1","partial":2},"account":"alice",
    "pulse":{"at":"2026-03-10T09:00:00Z","product":"storage","unit":"GB-h","amount":"0.25",
        "properties":{"region":"eu-1"}}}"#;

const ONE_OFF: &str = r#"{"key":{"source":"desk","id":"1"},"account":"alice",
    "one_off":{"at":"2026-03-10T09:00:00Z","name":"set-up",
        "price":{"amount":"-49.9","currency":"EUR"}}}"#;

const ASSIGNMENT: &str = r#"{"number":1,"from":"2026-01-01","plan":"basic","version":1,
    "overrides":{"calls":{"per_minute":"0.01"}},
    "digest":"b43e456923410d989afd9512b13eee4bf0b8e659d6957573495cac7132fc821e"}"#;

const HANDOVER: &str = r#"{"account":"alice","day":"2026-10-05","revision":1,
    "totals":[{"assignment":1,"strategy":"usage","group":"storage/GB-h","unit":"GB-h",
        "currency":"EUR","totals":{"count":2,"quantity":"0.75","amount":null}}]}"#;

/// The document with the value at a path such as `/call/start` replaced.
fn with(json: &str, path: &str, value: &str) -> String {
    let mut changed: Value = document(json);
    *changed.pointer_mut(path).unwrap() = document(value);
    changed.to_string()
}

/// The paths of all objects in a document.
fn objects(value: &Value, path: &str) -> Vec<String> {
    let below = |(name, value): (String, &Value)| objects(value, &format!("{path}/{name}"));
    match value {
        Value::Object(fields) => {
            let named = fields.iter().map(|(name, value)| (name.clone(), value));
            [path.to_owned()].into_iter().chain(named.flat_map(below)).collect()
        }
        Value::Array(list) => {
            let numbered = list.iter().enumerate().map(|(i, value)| (i.to_string(), value));
            numbered.flat_map(below).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

/// Reads a document of type `T`, and refuses it with an unknown or, unless it may be left out, without a known field.
fn is_read_strictly<T: Serialize + DeserializeOwned>(json: &str, optional: &[&str]) {
    let value: Value = document(json);
    let known: T = serde_json::from_value(value.clone()).unwrap();
    let written = serde_json::to_string(&known).unwrap();
    assert_eq!(document::<Value>(&written), value, "written as it was read");
    for path in objects(&value, "") {
        let mut more = value.clone();
        let object = more.pointer_mut(&path).unwrap().as_object_mut().unwrap();
        drop(object.insert("surprise".into(), Value::Null));
        let names: Vec<String> =
            object.keys().filter(|name| *name != "surprise").cloned().collect();
        // What a kind asks for is its own affair, and is asked when the plan is built.
        let free = path.ends_with("/terms");
        assert_eq!(serde_json::from_value::<T>(more).is_err(), !free, "unknown field in {path}");
        for name in names {
            let mut less = value.clone();
            let object = less.pointer_mut(&path).unwrap().as_object_mut().unwrap();
            drop(object.remove(&name));
            let needed = !free && !optional.contains(&name.as_str());
            assert_eq!(serde_json::from_value::<T>(less).is_err(), needed, "no {name} in {path}");
        }
    }
}

#[test]
fn documents_are_read_strictly_and_written_as_they_were_read() {
    is_read_strictly::<PlanSpec>(PLAN, &["applies_to", "directions", "callee", "terms"]);
    let optional = ["tax", "customer", "invoice", "decimals", "rounding"];
    is_read_strictly::<AccountSettings>(ACCOUNT, &optional);
    is_read_strictly::<CallEnded>(CALL, &["leg", "account"]);
    is_read_strictly::<Incoming>(INCOMING, &["leg", "account"]);
    is_read_strictly::<PulseReported>(PULSE, &["account", "partial", "properties", "region"]);
    is_read_strictly::<OneOffCharged>(ONE_OFF, &["account"]);
    is_read_strictly::<Handover>(HANDOVER, &["amount"]);
    let carry = r#"{"quantity":"1","exact":"1/3","billed":"0.33","kept":"0"}"#;
    is_read_strictly::<Carry>(carry, &[]);
    let paid = r#"{"state":"paid","on":"2026-11-14","reference":"transfer 7"}"#;
    is_read_strictly::<InvoiceState>(paid, &[]);
    is_read_strictly::<InvoiceState>(r#"{"state":"void","reason":"typo"}"#, &[]);
    is_read_strictly::<Answer>(r#"{"answer":"refused","reason":"unknown account"}"#, &[]);
    is_read_strictly::<SettlementState>(r#"{"state":"sent","at":"2026-10-06T00:05:00Z"}"#, &[]);
    is_read_strictly::<Totals>(r#"{"count":1,"quantity":"60","amount":"0.1"}"#, &["amount"]);
    is_read_strictly::<Refusal>(r#"{"place":"line 7","reason":"no start","raw":"x"}"#, &[]);
}

#[test]
fn what_is_written_is_read_back() {
    let mut world = World::with(
        &document(ACCOUNT),
        &[blocks("lifetime", "0.2"), named("rate", "flat_rate", RATE)],
    );
    drop(world.take(&[call("a", "2026-03-10T09:00:00Z", 61_001)]));
    let invoice = world.issue("2026-05-01T00:00:00Z").pop().unwrap();
    assert_eq!(document::<Invoice>(&invoice.body()), invoice);
    for posting in world.postings() {
        let json = serde_json::to_string(posting).unwrap();
        assert_eq!(document::<Posting>(&json), *posting);
    }
    for intake in world.intakes.values() {
        let json = serde_json::to_string(intake).unwrap();
        assert_eq!(document::<Intake>(&json), *intake);
    }
    let scopes = ["lifetime", "period:2026-10-01", "stretch:2026-10-01:2"];
    for text in scopes {
        assert_eq!(read::<ScopeKey>(text).to_string(), text);
    }
}

const RATE: &str = r#"{"per_minute":"0.02","minutes":"pro_rata"}"#;

#[test]
fn reasons_for_parking_have_a_code_and_read_back() {
    let json = r#"{"code":"no_plan","day":"2026-03-10"}"#;
    let reason: ParkReason = document(json);
    assert_eq!(reason, ParkReason::NoPlan { day: read("2026-03-10") });
    assert_eq!(serde_json::to_string(&reason).unwrap(), json);
    let reason: ParkReason = document(r#"{"code":"unknown_account"}"#);
    assert_eq!(reason.to_string(), "no account is known for this item");
    assert!(serde_json::from_str::<ParkReason>(r#"{"code":"bad_weather"}"#).is_err());
}

#[test]
fn an_assignment_without_terms_of_its_own_is_written_without_them() {
    let assignment: Assignment = document(ASSIGNMENT);
    assert_eq!(serde_json::to_string(&assignment).unwrap(), ASSIGNMENT.replace("\n    ", ""));
    let plain = Assignment { overrides: Overrides::none(), ..assignment };
    let json = serde_json::to_string(&plain).unwrap();
    assert!(!json.contains("overrides"), "{json}");
    assert_eq!(document::<Assignment>(&json), plain);
    assert!(serde_json::from_str::<Assignment>(&with(ASSIGNMENT, "/overrides", "[]")).is_err());
}

#[test]
fn an_item_is_read_by_its_kind() {
    let pulse: PulseReported = document(PULSE);
    let one_off: OneOffCharged = document(ONE_OFF);
    for incoming in [Incoming::from(pulse), Incoming::from(one_off), document(INCOMING)] {
        let json = serde_json::to_string(&incoming).unwrap();
        assert_eq!(document::<Incoming>(&json), incoming);
        let kind = format!(r#""kind":"{}""#, incoming.item.kind());
        assert!(json.contains(&kind), "{json}");
    }
}

fn refuses<T: DeserializeOwned>(base: &str, cases: &[(&str, &str)]) {
    for (path, value) in cases {
        let changed = with(base, path, value);
        assert!(serde_json::from_str::<T>(&changed).is_err(), "{path} is {value}");
    }
}

#[test]
fn values_out_of_their_bounds_are_refused() {
    refuses::<PlanSpec>(
        PLAN,
        &[
            ("/id", r#""""#),
            ("/version", "-1"),
            ("/version", "4294967296"),
            ("/version", r#""1""#),
            ("/currency", r#""EUX""#),
            ("/payment", r#""prepaid""#),
            ("/strategies", "{}"),
            ("/strategies/0/id", "7"),
            ("/strategies/0/applies_to/directions/0", r#""up""#),
            ("/strategies/0/applies_to/callee/0", r#""+49""#),
            ("/strategies/0/applies_to/callee/0", r#""""#),
            ("/strategies/0/applies_to/callee/0", "49"),
        ],
    );
    refuses::<AccountSettings>(
        ACCOUNT,
        &[
            ("/id", r#""a\nb""#),
            ("/zone", r#""Europe/Atlantis""#),
            ("/anchor/from", r#""2026-02-30""#),
            ("/anchor/months", "0"),
            ("/anchor/months", "121"),
            ("/tax/percent", "19"),
            ("/tax/percent", r#""1000.1""#),
            ("/tax/percent", r#""-1""#),
            ("/tax/percent", r#""0.0000001""#),
            ("/tax/mode", r#""none""#),
            ("/invoice/decimals", "11"),
            ("/invoice/decimals", "256"),
            ("/invoice/rounding", r#""random""#),
        ],
    );
    refuses::<CallEnded>(
        CALL,
        &[
            ("/call/start", r#""2026-03-10T09:00:00""#),
            ("/call/start", r#""2026-03-10""#),
            ("/call/start", "0"),
            ("/call/duration_ms", "-1"),
            ("/call/duration_ms", "1.5"),
            ("/call/duration_ms", "18446744073709551616"),
            ("/call/duration_ms", r#""61000""#),
            ("/call/caller", r#""a\u0000b""#),
            ("/call/disposition", r#""ANSWERED""#),
            ("/call/direction", r#""both""#),
            ("/key/leg", r#""""#),
            ("/account", r#""""#),
        ],
    );
    refuses::<Incoming>(INCOMING, &[("/item/kind", r#""sms""#), ("/item/kind", r#""pulse""#)]);
    refuses::<PulseReported>(
        PULSE,
        &[
            ("/pulse/amount", "0.25"),
            ("/pulse/amount", r#""0.12345678901""#),
            ("/pulse/amount", r#""1000000000000000000""#),
            ("/pulse/product", r#""""#),
            ("/pulse/unit", r#""a\nb""#),
            ("/pulse/properties", "[]"),
            ("/pulse/properties/region", "1"),
            ("/pulse/properties/region", r#""a\u0007""#),
            ("/key/partial", "0"),
            ("/key/partial", "-1"),
            ("/key/partial", "4294967296"),
            ("/key/partial", r#""1""#),
        ],
    );
    refuses::<OneOffCharged>(
        ONE_OFF,
        &[
            ("/one_off/price", r#""49.90""#),
            ("/one_off/price/amount", "49.90"),
            ("/one_off/price/currency", r#""EUX""#),
            ("/one_off/name", r#""""#),
        ],
    );
    refuses::<Totals>(
        r#"{"count":1,"quantity":"60","amount":"0.1"}"#,
        &[
            ("/count", "1.5"),
            ("/quantity", "60"),
            ("/amount", "0.1"),
            ("/amount", r#""0.12345678901""#),
            ("/amount", r#""1e3""#),
            ("/quantity", r#""1000000000000000000""#),
        ],
    );
}

#[test]
fn a_field_that_stands_twice_is_refused() {
    let plan = PLAN.replace(r#""version":1"#, r#""version":1,"version":2"#);
    assert!(serde_json::from_str::<PlanSpec>(&plan).is_err());
    let account = ACCOUNT.replace(r#""id":"alice""#, r#""id":"alice","id":"bob""#);
    assert!(serde_json::from_str::<AccountSettings>(&account).is_err());
    let call = CALL.replace(r#""duration_ms":61000"#, r#""duration_ms":61000,"duration_ms":1"#);
    assert!(serde_json::from_str::<CallEnded>(&call).is_err());
}

#[test]
fn a_scope_is_read_only_as_it_is_written() {
    let texts = ["", "Lifetime", "lifetime:", "period", "period:2026-13-01", "period:2026-10-01:1"];
    let more = ["stretch:2026-10-01", "stretch:2026-10-01:-1", "stretch:2026-10-01:1:1"];
    for text in texts.into_iter().chain(more) {
        let error = text.parse::<ScopeKey>().unwrap_err().to_string();
        assert_eq!(error, "a scope is `lifetime`, `period:DAY` or `stretch:DAY:ASSIGNMENT`");
    }
}

#[test]
fn an_unknown_kind_is_refused_by_its_name() {
    let spec = plan(1, &[strategy("tiers", "{}")]);
    let error = PlanBook::standard().build(spec.clone()).unwrap_err();
    let known = "blocks, flat_rate, per_unit, prepaid, recurring, tariff, unpriced".to_owned();
    let (strategy, kind) = (read("calls"), "tiers".into());
    let told = format!("strategy calls is of kind tiers, which is unknown: known are {known}");
    assert_eq!(error, BuildPlanError::UnknownKind { strategy, kind, known });
    assert_eq!(error.to_string(), told);
    assert!(matches!(PlanBook::empty().build(spec), Err(BuildPlanError::UnknownKind { .. })));
}

#[test]
fn a_plan_has_a_version_and_strategies_of_different_ids() {
    let book = PlanBook::standard();
    let calls = || flat_rate("0.02", "pro_rata");
    assert_eq!(book.build(plan(0, &[calls()])).unwrap_err(), BuildPlanError::Version);
    assert_eq!(book.build(plan(1, &[])).unwrap_err(), BuildPlanError::Strategies { strategies: 0 });
    let doubled = book.build(plan(1, &[calls(), blocks("call", "1")])).unwrap_err();
    assert_eq!(doubled, BuildPlanError::Doubled { strategy: read("calls") });
    assert_eq!(doubled.to_string(), "strategy calls stands twice in the plan");
    let two = book.build(plan(u32::MAX, &[calls(), named("more", "flat_rate", RATE)])).unwrap();
    let ids: Vec<_> = two.strategies().map(|strategy| strategy.id().as_str()).collect();
    assert_eq!(ids, ["calls", "more", "one_off"], "in the order in which they are settled");
}

#[test]
fn terms_that_a_kind_does_not_ask_for_are_refused() {
    let cases = [
        ("flat_rate", "null", ""),
        ("flat_rate", "[]", ""),
        ("flat_rate", "{}", "per_minute"),
        ("flat_rate", r#"{"per_minute":"0.02"}"#, "minutes"),
        ("flat_rate", r#"{"per_minute":2,"minutes":"pro_rata"}"#, "price as text"),
        ("flat_rate", r#"{"per_minute":"-0.02","minutes":"pro_rata"}"#, ""),
        ("flat_rate", r#"{"per_minute":"0,02","minutes":"pro_rata"}"#, ""),
        ("flat_rate", r#"{"per_minute":"0.00000000001","minutes":"pro_rata"}"#, "decimals"),
        ("flat_rate", r#"{"per_minute":"0.02","minutes":"per_minute"}"#, "per_started_minute"),
        ("flat_rate", r#"{"per_minute":"0.02","minutes":"pro_rata","tax":"8"}"#, "`tax`"),
        ("blocks", r#"{"block_ms":30000,"per_block":"0.2"}"#, "scope"),
        ("blocks", r#"{"block_ms":0,"per_block":"0.2","scope":"call"}"#, "nonzero"),
        ("blocks", r#"{"block_ms":-1,"per_block":"0.2","scope":"call"}"#, ""),
        ("blocks", r#"{"block_ms":"30000","per_block":"0.2","scope":"call"}"#, ""),
        ("blocks", r#"{"block_ms":4294967296,"per_block":"0.2","scope":"call"}"#, ""),
        ("blocks", r#"{"block_ms":30000,"per_block":"0.2","scope":"day"}"#, "lifetime"),
        ("blocks", r#"{"block_ms":30000,"per_block":"0.2","scope":"call","max":1}"#, "`max`"),
    ];
    for (kind, terms, told) in cases {
        let error = PlanBook::standard().build(plan(1, &[strategy(kind, terms)])).unwrap_err();
        let BuildPlanError::Terms { strategy, problem } = error else {
            panic!("{terms} of {kind}: {error}");
        };
        assert_eq!(strategy, read("calls"));
        assert!(problem.to_string().contains(told), "{terms} of {kind}: {problem}");
    }
}

#[test]
fn terms_with_a_fraction_for_a_number_or_a_name_twice_are_refused_by_the_document() {
    let cases = [
        (r#"{"per_minute":0.02,"minutes":"pro_rata"}"#, "0.02"),
        (r#"{"deep":[{"price":1e2}]}"#, "100.0"),
        (r#"{"per_minute":"0.02","per_minute":"9","minutes":"pro_rata"}"#, "stands twice"),
        (r#"{"deep":[{"a":1,"a":1}]}"#, "stands twice"),
    ];
    for (terms, told) in cases {
        let json = format!(r#"{{"id":"calls","kind":"flat_rate","terms":{terms}}}"#);
        let error = serde_json::from_str::<StrategySpec>(&json).unwrap_err();
        assert!(error.to_string().contains(told), "{terms}: {error}");
    }
}

#[test]
fn a_book_may_have_kinds_of_its_own() {
    let own = book(Scope::Stretch, counted, |_, _| Ok(()));
    assert_eq!(
        own.kinds().collect::<Vec<_>>(),
        ["blocks", "flat_rate", "own", "per_unit", "prepaid", "recurring", "tariff", "unpriced"]
    );
    let spec = plan(1, &[strategy("own", r#"{"anything":[1,-2,true,null,"x",{"y":"2.5"}]}"#)]);
    assert_eq!(own.build(spec.clone()).unwrap().spec(), &spec);
    assert!(PlanBook::standard().build(spec).is_err(), "two books do not see each other");
}

#[test]
fn the_digest_of_a_plan_is_that_of_its_content() {
    let spaced = PLAN.replace(':', " : ");
    let reordered = PLAN.replace(
        r#""per_minute":"0.02","minutes":"pro_rata""#,
        r#""minutes":"pro_rata","per_minute":"0.02""#,
    );
    let digest = document::<PlanSpec>(PLAN).digest();
    assert_eq!(document::<PlanSpec>(&spaced).digest(), digest);
    assert_eq!(document::<PlanSpec>(&reordered).digest(), digest);
    let changes = [
        ("/id", r#""other""#),
        ("/version", "2"),
        ("/currency", r#""CHF""#),
        ("/strategies/0/id", r#""other""#),
        ("/strategies/0/kind", r#""blocks""#),
        ("/strategies/0/applies_to", "{}"),
        ("/strategies/0/terms/per_minute", r#""0.020""#),
    ];
    for (path, value) in changes {
        let other: PlanSpec = document(&with(PLAN, path, value));
        assert_ne!(other.digest(), digest, "{path} is {value}");
    }
}

/// A tariff that has all there is in one.
const TARIFF: &str = r#"{"id":"retail","version":1,"currency":"EUR","zone":"UTC","measure":"time","crossing":"split",
    "increments":"remainder","decimals":4,"rounding":"half_up","calendars":{"feasts":["2026-05-01"]},
    "windows":{"day":{"until":"18:00"}},"groups":{"de":["49"]},"fallback":["world"],
    "lines":[{"destination":"Germany","to":{"prefixes":["49"]},"origin":"44","window":"day","weight":1,
              "valid_from":"2026-01-01T00:00:00Z","valid_until":"2027-01-01T00:00:00Z","connect_fee":"0.1",
              "minimum":"0.2","maximum":"0.3","at_maximum":"free","grace":"1","first":"30",
              "bands":[{"from":"0","price":"0.06","per":"60","increment":"6"}],"blocked":false}]}"#;

#[test]
fn the_digest_of_a_tariff_is_that_of_all_it_says() {
    let digest = |json: &str| document::<TariffSpec>(json).digest();
    let rewritten = document::<Value>(TARIFF).to_string();
    assert_eq!(digest(&rewritten.replace("0.06", "0.060")), digest(TARIFF));
    let changes = [
        ("/id", r#""other""#),
        ("/version", "2"),
        ("/currency", r#""CHF""#),
        ("/zone", r#""Europe/Berlin""#),
        ("/measure", r#""units""#),
        ("/crossing", r#""at_start""#),
        ("/increments", r#""total""#),
        ("/decimals", "2"),
        ("/rounding", r#""half_even""#),
        ("/calendars/feasts", r#"["2026-05-02"]"#),
        ("/windows/day/until", r#""19:00""#),
        ("/groups/de", r#"["49","50"]"#),
        ("/fallback", "[]"),
        ("/lines", "[]"),
        ("/lines/0/destination", r#""Berlin""#),
        ("/lines/0/to", r#""any""#),
        ("/lines/0/to", r#"{"group":"de"}"#),
        ("/lines/0/to", r#"{"group":"at"}"#),
        ("/lines/0/to/prefixes", "[]"),
        ("/lines/0/to/prefixes", r#"["490"]"#),
        ("/lines/0/to/prefixes", r#"["49","490"]"#),
        ("/lines/0/origin", "null"),
        ("/lines/0/origin", r#""440""#),
        ("/lines/0/window", "null"),
        ("/lines/0/weight", "2"),
        ("/lines/0/valid_from", "null"),
        ("/lines/0/valid_from", r#""1970-01-01T00:00:00Z""#),
        ("/lines/0/valid_until", "null"),
        ("/lines/0/valid_until", r#""2028-01-01T00:00:00Z""#),
        ("/lines/0/connect_fee", r#""0.2""#),
        ("/lines/0/minimum", r#""0.1""#),
        ("/lines/0/maximum", "null"),
        ("/lines/0/maximum", r#""0""#),
        ("/lines/0/at_maximum", r#""disconnect""#),
        ("/lines/0/grace", r#""0.1""#),
        ("/lines/0/first", "null"),
        ("/lines/0/first", r#""0""#),
        ("/lines/0/bands", "[]"),
        ("/lines/0/bands/0/from", r#""6""#),
        ("/lines/0/bands/0/price", r#""0.6""#),
        ("/lines/0/bands/0/per", r#""6""#),
        ("/lines/0/bands/0/increment", r#""60""#),
        ("/lines/0/blocked", "true"),
    ];
    let mut digests = BTreeSet::from([digest(TARIFF)]);
    for (path, value) in changes {
        assert!(digests.insert(digest(&with(TARIFF, path, value))), "{path} is {value}");
    }
}

#[test]
fn a_strategy_without_conditions_applies_to_everything() {
    let everything: AppliesTo = document("{}");
    assert!(everything.is_everything());
    assert_eq!(everything, AppliesTo::default());
    let lists: AppliesTo = document(r#"{"directions":[],"callee":[]}"#);
    assert_eq!(lists, everything, "an empty list excludes nothing");
    let spec = plan(1, &[flat_rate("0.02", "pro_rata")]);
    assert!(!serde_json::to_string(&spec).unwrap().contains("applies_to"));
}

#[test]
fn no_refusal_repeats_a_number_that_somebody_dialled() {
    let cases = [
        ("/call/callee", "12025550123"),
        ("/call/callee", "-12025550123"),
        ("/call/callee", "12025550123.5"),
        ("/call/callee", r#"["12025550123"]"#),
        ("/call/callee", r#""12025550123\u0007""#),
        ("/call/caller", "12025550123"),
    ];
    for (path, value) in cases {
        let refused = serde_json::from_str::<CallEnded>(&with(CALL, path, value));
        let error = refused.unwrap_err().to_string();
        assert!(!error.contains("12025550123"), "{path} is {value}: {error}");
        let path = path.replacen("/call", "/item", 1);
        let refused = serde_json::from_str::<Incoming>(&with(INCOMING, &path, value));
        let error = refused.unwrap_err().to_string();
        assert!(!error.contains("12025550123"), "{path} is {value}: {error}");
    }
}
