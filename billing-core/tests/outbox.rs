//! The outbox's rules: ids that read in one way, cursors that move as far as was taken, waits within their bounds.
#![expect(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::integer_division,
    reason = "a test may panic, and its counting is no money"
)]

use billing_core::{
    id::{EpochId, SinkId},
    outbox::{
        Cursor, Delivery, EventId, Failure, InvalidEventId, Lent, RetryPolicy, Turn, lend, progress,
    },
    time::Instant,
};
use proptest::prelude::*;

fn now() -> Instant {
    "2026-11-20T08:00:00Z".parse().unwrap()
}

#[test]
fn an_event_id_reads_in_one_way() {
    let shape = InvalidEventId::Shape;
    let (encoding, number) = (InvalidEventId::Encoding, InvalidEventId::Number);
    let cases = [
        ("", shape),
        ("a:b:c", shape),
        ("a:b:c:1:2", shape),
        ("a:b:c d:1", encoding),
        ("a:b:c.d:1", encoding),
        ("a:b:%6a:1", encoding),
        ("a:b:%61:1", encoding),
        ("a:b:%3a:1", encoding),
        ("a:b:%3:1", encoding),
        ("a:b:%FF:1", encoding),
        ("a:b:\u{e9}:1", encoding),
        ("a:b:c:0", number),
        ("a:b:c:01", number),
        ("a:b:c:+1", number),
        ("a:b:c:", number),
        ("a:b:c:18446744073709551616", number),
    ];
    for (text, due) in cases {
        assert_eq!(text.parse::<EventId>(), Err(due), "{text}");
    }
    let unnamed = "a::c:1".parse::<EventId>();
    assert!(matches!(unnamed, Err(InvalidEventId::Name(_))), "{unnamed:?}");
    let control = "a:b:%0A:1".parse::<EventId>();
    assert!(matches!(control, Err(InvalidEventId::Name(_))), "{control:?}");
}

#[test]
fn a_wait_doubles_up_to_the_longest() {
    let policy = RetryPolicy { attempts_max: 20, wait_first_ms: 1_000, wait_max_ms: 10_000 };
    let waits: Vec<_> = (0..8).map(|attempts| policy.wait_ms(attempts, 0, u32::MAX)).collect();
    assert_eq!(waits, [999, 999, 1_999, 3_999, 7_999, 9_999, 9_999, 9_999]);
    assert_eq!(policy.wait_ms(u32::MAX, u64::MAX, 0), 10_000);
    let none = RetryPolicy { wait_first_ms: 0, ..policy };
    assert_eq!(none.wait_ms(9, 0, u32::MAX), 0);
    let huge = RetryPolicy { wait_first_ms: u64::MAX, wait_max_ms: u64::MAX, ..policy };
    assert!(huge.wait_ms(64, 0, u32::MAX) > u64::MAX / 2);
}

#[test]
fn a_reason_is_kept_in_one_short_line() {
    let cursor = Cursor::start("bus".parse().unwrap(), "alice".parse().unwrap());
    let reason = format!("no\0w\n{}", "é".repeat(1_000));
    let failure = Failure::Retry { reason, wait_ms: None };
    let turns = [Turn { cursor, last: 1 }];
    let policy = RetryPolicy::default();
    let next = progress(&turns, &Delivery::failed_after(0, failure), &policy, now(), 0);
    let error = next.cursors.first().and_then(|cursor| cursor.error.clone()).unwrap();
    assert!(error.starts_with("no w é"), "{error}");
    assert_eq!(error.chars().count(), 500);
}

#[test]
fn a_lease_is_its_holders_until_it_runs_out() {
    let (bus, one, two): (SinkId, _, _) =
        ("bus".parse().unwrap(), "one".parse().unwrap(), "two".parse().unwrap());
    let lease = |current, mine, holder, at| lend(current, mine, &bus, holder, at, 1_000);
    let Lent::Mine(first) = lease(None, None, &one, now()) else { panic!("it is free") };
    let end = first.lease.until;
    let before = Instant::from_micros(end.micros() - 1).unwrap();
    for (mine, holder, at) in [(None, &two, before), (Some(1), &two, before), (None, &one, before)]
    {
        assert_eq!(lease(Some(&first.lease), mine, holder, at), Lent::Held(first.lease.clone()));
    }
    let Lent::Mine(late) = lease(Some(&first.lease), Some(1), &one, Instant::MAX) else {
        panic!("nobody has taken it")
    };
    assert_eq!((late.expected, late.lease.token, late.lease.until), (Some(1), 1, Instant::MAX));
}

fn failure() -> impl Strategy<Value = Option<Failure>> {
    let reason = String::new;
    prop_oneof![
        Just(None),
        any::<Option<u64>>()
            .prop_map(move |wait_ms| Some(Failure::Retry { reason: reason(), wait_ms })),
        Just(Some(Failure::Never { reason: reason() })),
        Just(Some(Failure::Gone { reason: reason() })),
    ]
}

proptest! {
    #[test]
    fn an_event_id_is_read_as_it_was_written(
        names in prop::collection::vec("[^\\p{Cc}]{1,40}", 3),
        seq in 1..=u64::MAX,
    ) {
        let id = EventId {
            epoch: EpochId::try_new(&names[0]).unwrap(),
            tenant: names[1].parse().unwrap(),
            account: names[2].parse().unwrap(),
            seq,
        };
        let text = id.to_string();
        prop_assert!(text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'.'), "{}", text);
        prop_assert_eq!(text.parse(), Ok(id));
    }

    #[test]
    fn what_is_read_as_an_event_id_is_written_so(text in "[a%:0-9A-F]{0,12}:[1-9][0-9]{0,3}") {
        if let Ok(id) = text.parse::<EventId>() {
            prop_assert_eq!(id.to_string(), text);
        }
    }

    #[test]
    fn cursors_move_as_far_as_was_taken(
        entries in prop::collection::vec((0_u64..50, 1_u64..6, 0_u32..4), 1..6),
        taken in 0_usize..40,
        failure in failure(),
        chance in any::<u32>(),
    ) {
        let policy = RetryPolicy { attempts_max: 3, ..RetryPolicy::default() };
        let turns: Vec<Turn> = entries.iter().enumerate().map(|(number, (seq, count, attempts))| {
            let start = Cursor::start("bus".parse().unwrap(), number.to_string().parse().unwrap());
            Turn { cursor: Cursor { seq: *seq, attempts: *attempts, ..start }, last: seq + count }
        }).collect();
        let all: u64 = entries.iter().map(|(_, count, _)| count).sum();
        let delivery = Delivery { taken, failure: failure.clone() };
        let next = progress(&turns, &delivery, &policy, now(), chance);

        // What was taken, skipped, and is left or waits, is all there was.
        let moved: u64 = next.cursors.iter().map(|cursor| {
            let turn = turns.iter().find(|turn| turn.cursor.account == cursor.account).unwrap();
            prop_assert!(turn.cursor.seq <= cursor.seq && cursor.seq <= turn.last);
            Ok(cursor.seq - turn.cursor.seq)
        }).sum::<Result<u64, TestCaseError>>()?;
        let skipped = u64::from(next.dead.is_some());
        prop_assert_eq!(moved, all.min(taken as u64) + skipped);
        // One that stays where it is, with nothing left of it, waits or is at its end.
        for turn in &turns {
            let cursor = next.cursors.iter().find(|cursor| cursor.account == turn.cursor.account);
            let left = next.left.iter().any(|left| left.cursor.account == turn.cursor.account);
            let ends = cursor.is_some_and(|cursor| {
                cursor.seq == turn.last || cursor.retry_at.is_some() || next.dead.is_some()
            });
            prop_assert!(left || ends, "{:?} is forgotten", turn);
        }
        if let Some(letter) = &next.dead {
            let turn = turns.iter().find(|turn| turn.cursor.account == letter.account).unwrap();
            prop_assert!(turn.cursor.seq < letter.seq && letter.seq <= turn.last);
            let never = matches!(failure, Some(Failure::Never { .. }));
            prop_assert!(never || letter.attempts >= policy.attempts_max);
        }
        let gone = matches!(failure, Some(Failure::Gone { .. }));
        prop_assert_eq!(next.gone.is_some(), gone);
        let within = |cursor: &Cursor| cursor.retry_at.is_none_or(|at| {
            now() < at && at <= now().checked_add_ms(policy.wait_max_ms).unwrap()
        });
        prop_assert!(next.cursors.iter().all(within));
    }
}
