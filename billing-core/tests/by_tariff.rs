//! What calls and pulses cost under the kind `tariff`, from their arrival to the lines of the bill.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[expect(dead_code, reason = "each file of tests uses a part")]
mod common;

use std::sync::Arc;

use billing_core::{
    decide::{self, Limits, ParkReason, Receipt},
    event::{Cause, Posting},
    invoice::Line,
    item::{Call, CallEnded, Disposition, Incoming, ItemKey},
    plan::Arrival,
    tariff::{Provenance, Tariff},
    terms::Overrides,
};
use common::{call, document, named, one_off, plan, pulse, read, settings, strategy, world::World};

/// Germany at 0.0199 a started minute, its mobiles at 0.1 a second and 0.05 for being connected, Anguilla blocked.
const RETAIL: &str = r#"{"id":"retail","version":1,"currency":"EUR","zone":"UTC","decimals":4,"rounding":"half_up",
    "lines":[{"destination":"Germany","to":{"prefixes":["49"]},
              "bands":[{"price":"0.0199","per":"60","increment":"60"}]},
             {"destination":"Germany mobile","to":{"prefixes":["4915"]},"connect_fee":"0.05",
              "bands":[{"price":"0.1","per":"1","increment":"1"}]},
             {"destination":"Anguilla","to":{"prefixes":["1264"]},"blocked":true}]}"#;

/// Berlin for less, as somebody's own.
const OWN: &str = r#"{"id":"of-alice","version":1,"currency":"EUR","zone":"UTC","decimals":6,"rounding":"half_up",
    "lines":[{"destination":"Berlin","to":{"prefixes":["4930"]},
              "bands":[{"price":"0.001","per":"60","increment":"1"}]}]}"#;

const NINE: &str = "2026-03-10T09:00:00Z";

fn tariff(json: &str, from: &str, world: &mut World) {
    let tariff = Tariff::compile(&document(json)).unwrap();
    world.tariffs.activate(Arc::new(tariff), read(from)).unwrap();
}

/// An account whose calls are priced by `retail`.
fn world(terms: &str) -> World {
    let mut world = World::with(&settings("alice", ""), &[strategy("tariff", terms)]);
    tariff(RETAIL, "2026-01-01T00:00:00Z", &mut world);
    world
}

fn to(id: &str, callee: &str, start: &str, duration_ms: u64) -> CallEnded {
    let mut ended = call(id, start, duration_ms);
    ended.call.callee = read(callee);
    ended
}

fn parked(world: &mut World, ended: CallEnded) -> String {
    let receipts = world.take(&[ended]).receipts;
    let reason = receipts.iter().find_map(|receipt| match receipt {
        Receipt::Parked(reason) => Some(reason.to_string()),
        _ => None,
    });
    reason.unwrap()
}

fn lines(world: &World) -> Vec<(String, i64, String, String, String)> {
    let draft = world.bill("2026-03-31T00:00:00Z").pop().unwrap();
    let line = |line: Line| {
        let unit = line.unit.map(|unit| unit.to_string()).unwrap_or_default();
        let quantity = format!("{} {unit}", line.quantity);
        (line.group.to_string(), line.count, quantity, line.amount.to_string(), line.text)
    };
    draft.lines.into_iter().map(line).collect()
}

#[test]
fn each_call_costs_what_the_tariff_says_in_a_line_of_its_destination() {
    let mut world = world(r#"{"tariff":"retail"}"#);
    let busy = to("d", "+4930123456", NINE, 5_000);
    let busy = CallEnded { call: Call { disposition: Disposition::Busy, ..busy.call }, ..busy };
    let calls = [
        to("a", "+4930123456", NINE, 61_000),
        to("b", "+4989123456", NINE, 59_000),
        to("c", "+4915123456", NINE, 2_500),
        busy,
    ];
    world.take(&calls);
    let line = |group: &str, count, quantity: &str, amount: &str| {
        let text = "by tariff retail".to_owned();
        (group.to_owned(), count, quantity.to_owned(), amount.to_owned(), text)
    };
    // Each call is exact to its own four decimals, the sum is rounded to cents.
    let due = [line("Germany", 2, "180 s", "0.06"), line("Germany mobile", 1, "3 s", "0.35")];
    assert_eq!(lines(&world), due);
    let exact: Vec<_> =
        world.bill("2026-03-31T00:00:00Z")[0].lines.iter().map(|l| l.exact.to_string()).collect();
    assert_eq!(exact, ["0.0597", "0.35"]);
}

#[test]
fn a_posting_says_what_priced_it() {
    let mut world = world(r#"{"tariff":"retail"}"#);
    let writes = world.take(&[to("a", "+4915123456", NINE, 2_500)]).writes;
    let digest = Tariff::compile(&document(RETAIL)).unwrap().digest();
    let provenance = Provenance {
        tariff: read("retail"),
        version: 1,
        digest,
        line: 2,
        prefix: Some(read("4915")),
        until: read("2026-03-10T09:00:02.5Z"),
    };
    assert_eq!(writes.postings[0].provenance.as_deref(), Some(&provenance));
    assert_eq!(writes.heads[0].1.rated_until, Some(read("2026-03-10T09:00:02.5Z")));
    let json = serde_json::to_string(&writes.postings[0]).unwrap();
    assert_eq!(document::<Posting>(&json), writes.postings[0]);
}

#[test]
fn every_field_of_what_priced_it_is_in_the_link() {
    let mut world = world(r#"{"tariff":"retail"}"#);
    let posting = world.take(&[to("a", "+4915123456", NINE, 2_500)]).writes.postings.remove(0);
    let of = *posting.provenance.clone().unwrap();
    let others = [
        Some(Provenance { tariff: read("other"), ..of.clone() }),
        Some(Provenance { version: 2, ..of.clone() }),
        Some(Provenance { digest: billing_core::digest::Digest::ZERO, ..of.clone() }),
        Some(Provenance { line: 1, ..of.clone() }),
        Some(Provenance { prefix: Some(read("49151")), ..of.clone() }),
        Some(Provenance { prefix: None, ..of.clone() }),
        Some(Provenance { until: read("2026-03-10T09:00:02.4Z"), ..of }),
        None,
    ];
    let before = billing_core::digest::Digest::ZERO;
    for provenance in others {
        let other = Posting { provenance: provenance.clone().map(Box::new), ..posting.clone() };
        assert_ne!(other.link(before), posting.link(before), "{provenance:?}");
    }
}

#[test]
fn what_has_no_price_waits_and_is_recorded_once_it_has_one() {
    let mut world =
        World::with(&settings("alice", ""), &[strategy("tariff", r#"{"tariff":"retail"}"#)]);
    let berlin = to("a", "+4930123456", NINE, 61_000);
    let reason = parked(&mut world, berlin.clone());
    assert_eq!(
        reason,
        "strategy calls cannot price this item: tariff retail is not in force at 2026-03-10T09:00:00Z"
    );
    tariff(RETAIL, "2026-01-01T00:00:00Z", &mut world);
    assert!(matches!(world.take(&[berlin]).receipts[..], [Receipt::Recorded { .. }]));
    let paris = parked(&mut world, to("b", "+33123456789", NINE, 61_000));
    let anguilla = parked(&mut world, to("c", "+12645550100", NINE, 61_000));
    let extension = parked(&mut world, to("d", "*97", NINE, 61_000));
    assert!(
        paris.ends_with("tariff retail has no line for this destination at 2026-03-10T09:00:00Z")
    );
    assert!(
        extension
            .ends_with("tariff retail has no line for this destination at 2026-03-10T09:00:00Z")
    );
    assert!(
        anguilla
            .ends_with("line 3 of tariff retail blocks this destination, at 2026-03-10T09:00:00Z")
    );
    for text in [reason, paris, anguilla, extension] {
        for number in ["4930123456", "33123456789", "12645550100", "12025550100"] {
            assert!(!text.contains(number), "a number stands in {text}");
        }
    }
}

#[test]
fn a_tariff_in_another_currency_prices_nothing() {
    let mut world =
        World::with(&settings("alice", ""), &[strategy("tariff", r#"{"tariff":"retail"}"#)]);
    tariff(&RETAIL.replace("EUR", "USD"), "2026-01-01T00:00:00Z", &mut world);
    let reason = parked(&mut world, to("a", "+4930123456", NINE, 61_000));
    assert!(
        reason.ends_with("tariff retail is in USD at 2026-03-10T09:00:00Z, not in EUR"),
        "{reason}"
    );
}

#[test]
fn prices_of_an_accounts_own_come_before_those_of_the_tariff() {
    let mut world = World::empty();
    world.open(&settings("alice", ""));
    world.save(plan(1, &[strategy("tariff", r#"{"tariff":"retail"}"#)]));
    let own: Overrides = document(&format!(r#"{{"calls":{{"own":{OWN}}}}}"#));
    world.assign_with(&read("alice"), 1, "2026-01-01", &own).unwrap();
    tariff(RETAIL, "2026-01-01T00:00:00Z", &mut world);
    let calls = [to("a", "+4930123456", NINE, 61_000), to("b", "+4989123456", NINE, 61_000)];
    let postings = world.take(&calls).writes.postings;
    let told: Vec<_> = postings
        .iter()
        .map(|posting| {
            let by = posting.provenance.as_ref().unwrap();
            (
                by.tariff.as_str(),
                by.line,
                posting.group.as_str(),
                posting.totals.amount.unwrap().to_string(),
            )
        })
        .collect();
    let due = [
        ("of-alice", 1, "Berlin", "0.001017".to_owned()),
        ("retail", 1, "Germany", "0.0398".to_owned()),
    ];
    assert_eq!(told, due);
}

#[test]
fn own_prices_that_cannot_be_used_are_refused_when_the_plan_is_built() {
    let own =
        |from: &str, to: &str| format!(r#"{{"tariff":"retail","own":{}}}"#, OWN.replace(from, to));
    let many = vec![r#"{"destination":"a","to":"any","blocked":true}"#; 1_001].join(",");
    let begin = OWN.find("\"lines\":[").unwrap() + "\"lines\":[".len();
    let long = format!(r#"{{"tariff":"retail","own":{}{many}]}}}}"#, OWN.split_at(begin).0);
    let cases = [
        (own("of-alice", "retail"), "own prices: the name of the tariff is not accepted"),
        (
            own("\"lines\"", "\"fallback\":[\"world\"],\"lines\""),
            "own prices: `fallback` is not accepted",
        ),
        (
            own("\"lines\"", "\"measure\":\"units\",\"lines\""),
            "own prices: calls are measured in `time`",
        ),
        (own("EUR", "USD"), "its prices are in USD, the plan is in EUR"),
        (own("4930", "x"), "accepted are 1 to 15 digits"),
        (long, "own prices: more than 1000 lines are not accepted"),
        (
            r#"{"tariff":"retail","number":"to"}"#.to_owned(),
            "`number` is not accepted without `unit`",
        ),
        (r#"{"tarif":"retail"}"#.to_owned(), "unknown field `tarif`"),
    ];
    let book = billing_core::plan::PlanBook::standard();
    for (terms, what) in cases {
        let error = book.build(plan(1, &[strategy("tariff", &terms)])).unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
    }
}

#[test]
fn messages_are_priced_by_the_number_they_went_to() {
    let terms = r#"{"tariff":"messages","unit":"message","number":"to"}"#;
    let mut world = World::with(&settings("alice", ""), &[named("sms", "tariff", terms)]);
    let lines_of = r#"{"id":"messages","version":1,"currency":"EUR","zone":"UTC","decimals":4,"rounding":"half_up",
        "measure":"units","lines":[
        {"destination":"Germany","to":{"prefixes":["49"]},"bands":[{"price":"0.07","per":"1","increment":"1"}]},
        {"destination":"World","to":"any","bands":[{"price":"0.2","per":"1","increment":"1"}]}]}"#;
    tariff(lines_of, "2026-01-01T00:00:00Z", &mut world);
    let message = |id: &str, to: Option<&str>| {
        let properties =
            to.map_or_else(|| serde_json::json!({}), |to| serde_json::json!({"to": to}));
        document::<billing_core::item::PulseReported>(&serde_json::json!({
            "key": {"source": "smsc", "id": id}, "account": "alice",
            "pulse": {"at": NINE, "product": "sms", "unit": "message", "amount": "2", "properties": properties},
        }).to_string())
    };
    world.take(&[
        message("a", Some("+4915123456")),
        message("b", Some("+33123456789")),
        message("c", None),
    ]);
    let told: Vec<_> = lines(&world)
        .into_iter()
        .map(|(group, count, quantity, amount, _)| (group, count, quantity, amount))
        .collect();
    let line = |group: &str, count, quantity: &str, amount: &str| {
        (group.to_owned(), count, quantity.to_owned(), amount.to_owned())
    };
    assert_eq!(
        told,
        [line("Germany", 1, "2 message", "0.14"), line("World", 2, "4 message", "0.8")]
    );
    let limits = Limits { pulse_sign: decide::PulseSign::Any, ..Limits::default() };
    let mut world = World { limits, ..world };
    let mut negative = message("d", None);
    negative.pulse.amount = read("-1");
    let strategy = read("sms");
    let why = "an amount of -1 is not accepted: 0 and above, to the millionth and below 2^64 millionths, are".into();
    let parked = Receipt::Parked(ParkReason::Unpriceable { strategy, why });
    assert_eq!(world.take(&[negative]).receipts, [parked]);
}

#[test]
fn what_is_no_telephone_number_is_priced_by_any_alone() {
    let others = ["", "sip:4930@example.com", "*97", "49 30", "4930123456789012"];
    let with_any = RETAIL
        .replace("\"version\":1", "\"version\":2")
        .replace("\"lines\":[", r#""lines":[{"destination":"Elsewhere","to":"any","bands":[{"price":"1","per":"1","increment":"1"}]},"#);
    for callee in others {
        let mut world = world(r#"{"tariff":"retail"}"#);
        let why = parked(&mut world, to("a", callee, NINE, 1_000));
        assert!(why.contains("no line for this destination"), "{why}");
        tariff(&with_any, "2026-02-01T00:00:00Z", &mut world);
        world.take(&[to("b", callee, NINE, 1_000)]);
        let groups: Vec<_> = lines(&world).into_iter().map(|(group, ..)| group).collect();
        assert_eq!(groups, ["Elsewhere"], "{callee}");
    }
}

#[test]
fn a_later_record_takes_the_price_of_the_earlier_back() {
    let mut world = world(r#"{"tariff":"retail"}"#);
    let whole = to("a", "+4915123456", NINE, 4_000);
    let part = to("a", "+4915123456", NINE, 2_500);
    let part = CallEnded { key: ItemKey { partial: 1.try_into().ok(), ..part.key }, ..part };
    let first = world.take(&[part]).writes.postings;
    let then = world.take(&[whole]).writes.postings;
    assert_eq!(
        then.iter().map(|posting| posting.cause).collect::<Vec<_>>(),
        [Cause::Superseded, Cause::Rated]
    );
    assert_eq!(then[0].provenance, first[0].provenance);
    assert_eq!(then[0].totals, first[0].totals.checked_neg().unwrap());
    assert_eq!(lines(&world)[0].3, "0.45");
}

#[test]
fn a_price_is_explained_as_it_was_taken() {
    let mut world = world(r#"{"tariff":"retail"}"#);
    let ended = to("a", "+4915123456", NINE, 2_500);
    let posting = world.take(core::slice::from_ref(&ended)).writes.postings.remove(0);
    let plan = world.own_plan(1, &Overrides::none()).unwrap();
    let item = Incoming::from(ended).item;
    let arrival = Arrival::new(&item, posting.day, posting.currency).with_tariffs(&world.tariffs);
    let explained = decide::explain(&plan, &arrival).unwrap();
    assert_eq!((explained.len(), explained[0].0.as_str()), (1, "calls"));
    assert_eq!(Some(explained[0].1.amount), posting.totals.amount);
    let bought = Incoming::from(one_off("b", NINE, "set-up", "1")).item;
    let arrival = Arrival::new(&bought, posting.day, posting.currency);
    assert_eq!(decide::explain(&plan, &arrival), Ok(vec![]), "no tariff prices it");
    let storage = Incoming::from(pulse("c", NINE, "1")).item;
    let arrival = Arrival::new(&storage, posting.day, posting.currency);
    assert_eq!(decide::explain(&plan, &arrival), Ok(vec![]), "nobody claims it");
}

#[test]
fn an_attempt_that_nobody_answered_needs_no_price() {
    let mut world = world(r#"{"tariff":"retail"}"#);
    let attempt = |id: &str, callee: &str| {
        let ended = to(id, callee, NINE, 0);
        CallEnded { call: Call { disposition: Disposition::Failed, ..ended.call }, ..ended }
    };
    // To a blocked destination, to one that the tariff does not have, and to what is no number.
    let attempts =
        [attempt("a", "+12645550123"), attempt("b", "+35312345678"), attempt("c", "sip:x")];
    let taken = world.take(&attempts);
    assert!(taken.receipts.iter().all(|receipt| matches!(receipt, Receipt::Recorded { .. })));
    assert_eq!(taken.writes.heads[0].1.rated_until, None, "nothing is priced that may not change");
    let nothing = ("retail".into(), 0, "0 s".into(), "0".into(), "by tariff retail".into());
    assert_eq!(lines(&world), [nothing]);
    // An answered one does.
    let blocked = parked(&mut world, to("d", "+12645550123", NINE, 0));
    assert!(blocked.contains("line 3 of tariff retail blocks this destination"), "{blocked}");
}

#[test]
fn own_prices_and_a_tariff_of_another_currency_are_never_added() {
    let own = r#"{"id":"of-alice","version":1,"currency":"EUR","zone":"UTC","decimals":2,"rounding":"half_up",
        "windows":{"day":{"until":"18:00"}},
        "lines":[{"destination":"Berlin","to":{"prefixes":["4930"]},"window":"day",
                  "bands":[{"price":"0.06","per":"60","increment":"1"}]}]}"#;
    let terms = format!(r#"{{"tariff":"dollars","own":{own}}}"#);
    let mut world = World::with(&settings("alice", ""), &[strategy("tariff", &terms)]);
    let dollars = RETAIL.replace(r#""id":"retail","#, r#""id":"dollars","#).replace("EUR", "USD");
    tariff(&dollars, "2026-01-01T00:00:00Z", &mut world);
    // A minute before six has its own price; the minute after it has none.
    let whole = parked(&mut world, to("a", "+4930123456", "2026-03-10T17:59:00Z", 120_000));
    assert!(whole.contains("tariff dollars has no line"), "{whole}");
    let later = parked(&mut world, to("b", "+4930123456", "2026-03-10T18:30:00Z", 60_000));
    assert!(later.contains("tariff dollars is in USD, the prices before it are in EUR"), "{later}");
    world.take(&[to("c", "+4930123456", "2026-03-10T17:00:00Z", 60_000)]);
    assert_eq!(lines(&world)[0].3, "0.06");
}
