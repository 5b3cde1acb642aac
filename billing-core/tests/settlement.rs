//! Days that are handed downstream: which, with what content, and what the answer changes.

#[expect(dead_code, reason = "each file of tests is a crate of its own, which uses a part")]
mod common;

use billing_core::{
    decide::{self, Days},
    digest::Digest,
    event::{Happened, Head, JournalEntry},
    settlement::{Answer, HandedTotal, Handover, Settlement, SettlementState},
    time::Instant,
};
use common::{
    call, document, flat_rate, per_unit, pulse, read,
    said::{only, total},
    settings,
    world::World,
};

const USAGE: &str = r#"{"id":"usage","kind":"unpriced","terms":{}}"#;

/// An account whose pulses are counted, at noon of 12 March.
fn metered() -> World {
    let mut world = World::under(&[USAGE.into()]);
    world.now = read("2026-03-12T12:00:00Z");
    world
}

/// Day, revision and quantities of each settlement.
fn handed(settlements: &[Settlement]) -> Vec<(String, u32, Vec<String>)> {
    let quantity = |total: &HandedTotal| format!("{} {}", total.group, total.totals.quantity);
    let of = |handover: &Handover| {
        let quantities = handover.totals.iter().map(quantity).collect();
        (handover.day.to_string(), handover.revision, quantities)
    };
    settlements.iter().map(|settlement| of(&settlement.handover)).collect()
}

fn expected(cases: &[(&str, u32, &[&str])]) -> Vec<(String, u32, Vec<String>)> {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    cases.iter().map(|(day, n, texts)| ((*day).to_owned(), *n, owned(texts))).collect()
}

#[test]
fn the_days_asked_for_are_handed_over() {
    let [tenth, twelfth] =
        [("2026-03-10", 1_u32, &["storage/GB-h 1.5"][..]), ("2026-03-12", 1, &["storage/GB-h 4"])];
    let cases = [
        (Days::Ended, vec![tenth]),
        (Days::All, vec![tenth, twelfth]),
        (Days::On(read("2026-03-12")), vec![twelfth]),
        (Days::On(read("2026-03-10")), vec![tenth]),
        (Days::On(read("2026-03-11")), vec![]),
    ];
    for (days, settlements) in cases {
        let mut world = metered();
        world.record(&[
            pulse("a", "2026-03-10T00:00:00Z", "1"),
            pulse("b", "2026-03-10T23:59:59Z", "0.5"),
            pulse("c", "2026-03-12T00:00:00Z", "4"),
        ]);
        let journal = world.journal["alice"].len();
        let found = world.hand_over("alice", days);
        assert_eq!(handed(&found), expected(&settlements), "{days:?}");
        for settlement in &found {
            assert_eq!((&settlement.state, settlement.attempts), (&SettlementState::Pending, 0));
        }
        let events = world.journal["alice"].len() - journal;
        assert_eq!(events, found.len(), "each is an event");
        assert_eq!(world.hand_over("alice", days), [], "once");
    }
}

#[test]
fn a_day_ends_at_its_own_midnight() {
    let cases = [
        ("Europe/Berlin", "2026-03-12T22:59:59.999999Z", 0),
        ("Europe/Berlin", "2026-03-12T23:00:00Z", 1),
        ("America/New_York", "2026-03-13T03:59:59Z", 0),
        ("America/New_York", "2026-03-13T04:00:00Z", 1),
    ];
    for (zone, now, count) in cases {
        let mut settings = settings("alice", "");
        settings.zone = read(zone);
        let mut world = World::with(&settings, &[USAGE.into()]);
        world.now = read("2026-03-12T12:00:00Z");
        world.record(&[pulse("a", "2026-03-12T12:00:00Z", "1")]);
        world.now = read(now);
        assert_eq!(world.hand_over("alice", Days::Ended).len(), count, "{zone} at {now}");
    }
}

#[test]
fn what_comes_after_a_day_was_handed_over_forms_its_next_revision() {
    let mut world = metered();
    world.record(&[pulse("a", "2026-03-10T12:00:00Z", "1")]);
    drop(world.hand_over("alice", Days::Ended));
    world.record(&[pulse("b", "2026-03-10T13:00:00Z", "0.25")]);
    world.record(&[pulse("c", "2026-03-10T14:00:00Z", "0.5")]);
    let second = world.hand_over("alice", Days::Ended);
    let late = [("2026-03-10", 2, &["storage/GB-h 0.75"][..])];
    assert_eq!(handed(&second), expected(&late), "the difference alone");
    world.record(&[pulse("d", "2026-03-10T15:00:00Z", "2")]);
    world.record(&[pulse("e", "2026-03-11T15:00:00Z", "7")]);
    let third = world.hand_over("alice", Days::Ended);
    let both = [("2026-03-10", 3, &["storage/GB-h 2"][..]), ("2026-03-11", 1, &["storage/GB-h 7"])];
    assert_eq!(handed(&third), expected(&both));
    assert_eq!(world.settlements.len(), 4);
}

#[test]
fn a_handover_is_everything_of_its_day_in_order() {
    let strategies = [USAGE.into(), per_unit("0.5"), flat_rate("1", "pro_rata")];
    let mut world = World::under(&strategies);
    world.record(&[pulse("a", "2026-03-10T12:00:00Z", "3")]);
    world.record(&[call("b", "2026-03-10T12:00:00Z", 60_000)]);
    let settlement = only(world.hand_over("alice", Days::All));
    let body = concat!(
        r#"{"account":"alice","day":"2026-03-10","revision":1,"totals":["#,
        r#"{"assignment":1,"strategy":"calls","group":"calls","unit":"ms","currency":"EUR","#,
        r#""totals":{"count":1,"quantity":"60000","amount":null}},"#,
        r#"{"assignment":1,"strategy":"storage","group":"storage","unit":"GB-h","currency":"EUR","#,
        r#""totals":{"count":1,"quantity":"3","amount":null}},"#,
        r#"{"assignment":1,"strategy":"usage","group":"storage/GB-h","unit":"GB-h","#,
        r#""currency":"EUR","totals":{"count":1,"quantity":"3","amount":null}}]}"#,
    );
    assert_eq!(settlement.handover.body(), body);
    assert_eq!(document::<Handover>(body), settlement.handover);
    let digest = Digest::of().text(body).finish();
    assert_eq!(settlement.handover.digest(), digest);
    let Some(JournalEntry::Event(event)) = world.journal["alice"].last() else {
        panic!("the last entry is an event")
    };
    let what = Happened::DayHandedOver { day: read("2026-03-10"), revision: 1, digest };
    assert_eq!(event.what, what);
}

#[test]
fn a_day_may_be_invoiced_and_handed_over_in_any_order() {
    for invoiced_first in [false, true] {
        let mut world = World::under(&[per_unit("1")]);
        world.record(&[pulse("a", "2026-03-10T12:00:00Z", "3")]);
        let mut settlements = Vec::new();
        if invoiced_first {
            drop(world.issue("2026-04-01T00:00:00Z"));
            settlements.extend(world.hand_over("alice", Days::All));
        } else {
            settlements.extend(world.hand_over("alice", Days::All));
            drop(world.issue("2026-04-01T00:00:00Z"));
        }
        assert_eq!(handed(&settlements), expected(&[("2026-03-10", 1, &["storage 3"])]));
        assert!(world.totals.values().all(|t| t.closed && t.billed && t.handed));
        world.record(&[pulse("b", "2026-03-10T12:00:00Z", "4")]);
        let next = [("2026-03-10", 2, &["storage 4"][..])];
        assert_eq!(handed(&world.hand_over("alice", Days::All)), expected(&next));
        drop(world.issue("2026-05-01T00:00:00Z"));
        assert_eq!(total(&world.invoices), read("7"));
    }
}

#[test]
fn a_revision_that_an_invoice_closed_and_the_one_after_it_are_handed_over_together() {
    let mut world = World::under(&[per_unit("1")]);
    world.record(&[pulse("a", "2026-03-10T12:00:00Z", "3")]);
    drop(world.issue("2026-04-01T00:00:00Z"));
    world.record(&[pulse("b", "2026-03-10T12:00:00Z", "4")]);
    let both = [("2026-03-10", 1, &["storage 3"][..]), ("2026-03-10", 2, &["storage 4"])];
    assert_eq!(handed(&world.hand_over("alice", Days::All)), expected(&both));
}

#[test]
fn what_was_handed_over_stays_so_when_its_invoice_is_made_void() {
    let mut world = World::under(&[per_unit("1")]);
    world.record(&[pulse("a", "2026-03-10T12:00:00Z", "3")]);
    drop(world.hand_over("alice", Days::All));
    drop(world.issue("2026-04-01T00:00:00Z"));
    assert_eq!(world.void(1, "typo"), Ok(true));
    assert!(world.totals.values().all(|t| t.closed && !t.billed && t.handed));
    assert_eq!(world.hand_over("alice", Days::All), []);
    assert_eq!(total(&world.issue("2026-04-01T00:00:00Z")), read("3"));
}

#[test]
fn the_usage_of_one_account_is_handed_over_alone() {
    let mut world = metered();
    world.open(&settings("bob", ""));
    world.assign(&read("bob"), 1, "2026-01-01").unwrap();
    let mut bobs = pulse("b", "2026-03-10T12:00:00Z", "9");
    bobs.account = Some(read("bob"));
    world.record(&[pulse("a", "2026-03-10T12:00:00Z", "1"), bobs]);
    let alices = [("2026-03-10", 1, &["storage/GB-h 1"][..])];
    assert_eq!(handed(&world.hand_over("alice", Days::All)), expected(&alices));
    let bobs = [("2026-03-10", 1, &["storage/GB-h 9"][..])];
    assert_eq!(handed(&world.hand_over("bob", Days::All)), expected(&bobs));
}

#[test]
fn a_journal_without_numbers_hands_nothing_over() {
    let mut world = metered();
    world.record(&[pulse("a", "2026-03-10T12:00:00Z", "1")]);
    world.record(&[pulse("b", "2026-03-11T12:00:00Z", "1")]);
    let totals: Vec<_> = world.totals.values().cloned().collect();
    let mut account = world.accounts["alice"].clone();
    for (seq, fits) in [(u64::MAX, false), (u64::MAX - 1, false), (u64::MAX - 2, true)] {
        account.head = Head { seq, ..account.head };
        let writes = decide::hand_over(&account, &totals, Days::All, world.now);
        assert_eq!(writes.is_ok(), fits, "after {seq}");
    }
    let settlement = settlement(SettlementState::Pending);
    account.head = Head { seq: u64::MAX, ..account.head };
    let error = decide::answer(&account, &settlement, accepted(), world.now).unwrap_err();
    assert_eq!(error.to_string(), "the journal of account alice is full");
}

fn settlement(state: SettlementState) -> Settlement {
    let (account, day) = (read("alice"), read("2026-03-10"));
    let handover = Handover { account, day, revision: 1, totals: Vec::new() };
    Settlement { handover, state, attempts: 3 }
}

fn accepted() -> Answer {
    Answer::Accepted { reference: "batch 7".into() }
}

fn refused() -> Answer {
    Answer::Refused { reason: "unknown account".into() }
}

/// The four states a settlement may be in: sent and answered at 10 o'clock.
fn states() -> [SettlementState; 4] {
    let at: Instant = read("2026-03-12T10:00:00Z");
    [
        SettlementState::Pending,
        SettlementState::Sent { at },
        SettlementState::Answered { at, answer: accepted() },
        SettlementState::Answered { at, answer: refused() },
    ]
}

#[test]
fn a_settlement_is_sent_until_it_is_answered() {
    // An hour is waited for an answer.
    let cases = [
        ("2026-03-12T10:00:00Z", [true, false, false, false]),
        ("2026-03-12T10:59:59.999999Z", [true, false, false, false]),
        ("2026-03-12T11:00:00Z", [true, true, false, false]),
        ("2026-03-13T00:00:00Z", [true, true, false, false]),
    ];
    for (now, sent) in cases {
        for (state, sent) in states().into_iter().zip(sent) {
            let before = settlement(state.clone());
            let now: Instant = read(now);
            let after = decide::send(&before, 3_600_000, now);
            let state_then = SettlementState::Sent { at: now };
            let expected = Settlement { state: state_then, attempts: 4, ..before };
            assert_eq!(after, sent.then_some(expected), "{state:?} at {now}");
        }
    }
    let endless = decide::send(&settlement(states()[1].clone()), u64::MAX, Instant::MAX);
    assert_eq!(endless, None, "an answer that is waited for without an end");
    let often = Settlement { attempts: u32::MAX, ..settlement(SettlementState::Pending) };
    let again = decide::send(&often, 0, read("2026-03-12T10:00:00Z")).unwrap();
    assert_eq!(again.attempts, u32::MAX);
}

#[test]
fn what_is_accepted_stays_so_and_an_old_refusal_changes_nothing() {
    let world = metered();
    let account = &world.accounts["alice"];
    let of_accepted = (accepted(), [true, true, false, true]);
    let of_refused = (refused(), [false, true, false, false]);
    for (answer, news) in [of_accepted, of_refused] {
        for (state, is_news) in states().into_iter().zip(news) {
            let before = settlement(state.clone());
            let writes = decide::answer(account, &before, answer.clone(), world.now).unwrap();
            assert_eq!(writes.is_some(), is_news, "{answer:?} when {state:?}");
            let Some(writes) = writes else { continue };
            let state = SettlementState::Answered { at: world.now, answer: answer.clone() };
            assert_eq!(writes.settlements, [Settlement { state, ..before }]);
            let (day, revision) = (read("2026-03-10"), 1);
            let what = Happened::SettlementAnswered { day, revision, answer: answer.clone() };
            assert_eq!(only(writes.events).what, what);
            assert_eq!(only(writes.heads).1.seq, account.head.seq + 1);
        }
    }
}

#[test]
fn a_refused_settlement_may_be_sent_once_more_with_the_same_content() {
    for (state, again) in states().into_iter().zip([false, false, false, true]) {
        let before = settlement(state.clone());
        let expected = Settlement { state: SettlementState::Pending, ..before.clone() };
        assert_eq!(decide::resend(&before), again.then_some(expected), "{state:?}");
    }
    let mut world = metered();
    world.record(&[pulse("a", "2026-03-10T12:00:00Z", "1")]);
    let pending = only(world.hand_over("alice", Days::All));
    let sent = decide::send(&pending, 0, world.now).unwrap();
    assert!(world.answer(&sent, refused()));
    let stored = world.settlements.values().next().unwrap().clone();
    let again = decide::resend(&stored).unwrap();
    assert!(!world.answer(&again, refused()), "it is not sent again yet");
    assert!(world.answer(&again, accepted()));
    let stored = world.settlements.values().next().unwrap().clone();
    assert_eq!((stored.state.name(), &stored.handover), ("accepted", &pending.handover));
    assert_eq!(decide::resend(&stored), None);
}

#[test]
fn states_are_written_by_name() {
    let at = r#""at":"2026-03-12T10:00:00Z""#;
    let written = [
        ("pending", r#"{"state":"pending"}"#.to_owned()),
        ("sent", format!(r#"{{"state":"sent",{at}}}"#)),
        (
            "accepted",
            format!(
                r#"{{"state":"answered",{at},"answer":{{"answer":"accepted","reference":"batch 7"}}}}"#
            ),
        ),
        (
            "refused",
            format!(
                r#"{{"state":"answered",{at},"answer":{{"answer":"refused","reason":"unknown account"}}}}"#
            ),
        ),
    ];
    for (state, (name, json)) in states().into_iter().zip(written) {
        assert_eq!((state.name(), serde_json::to_string(&state).unwrap()), (name, json.clone()));
        assert_eq!(document::<SettlementState>(&json), state);
    }
}
