//! Usage that comes after its period was invoiced.

#[expect(dead_code, reason = "each file of tests is a crate of its own, which uses a part")]
mod common;

use common::{
    blocks, flat_rate, read,
    said::{expected, only, said, totals},
    world::World,
};

#[test]
fn late_usage_is_on_the_next_invoice_as_the_difference() {
    let cases = [
        (flat_rate("0.02", "pro_rata"), "0.21", "0.05", "at 0.02 a minute, pro rata"),
        (flat_rate("0.02", "per_started_minute"), "0.22", "0.06", "at 0.02 a started minute"),
        (blocks("call", "0.2"), "4.2", "1", "5 blocks of 30 s at 0.2"),
        (blocks("period", "0.2"), "4.2", "1", "5 blocks of 30 s at 0.2"),
        (blocks("lifetime", "0.2"), "4.2", "1", "5 blocks of 30 s at 0.2"),
    ];
    for (strategy, first, difference, text) in cases {
        let mut world = World::under(&[strategy]);
        // 10.5 minutes, and 2.5 that come late.
        world.calls(&[("a", "2026-03-10T00:00:00Z", 630_000)]);
        assert_eq!(totals(&world.issue("2026-04-01T00:00:00Z")), [first]);
        world.calls(&[("late", "2026-03-10T00:00:00Z", 150_000)]);
        world.calls(&[("next", "2026-04-10T00:00:00Z", 60_000)]);
        let invoice = only(world.issue("2026-05-01T00:00:00Z"));
        let [late, next] = invoice.draft.lines.as_slice() else { panic!("two lines") };
        assert_eq!(
            said(core::slice::from_ref(late)),
            expected(&[("2026-03-01", text, difference)])
        );
        assert_eq!(late.before.billed, read(first));
        assert_eq!(late.parts.iter().map(|part| part.revision).collect::<Vec<_>>(), [2]);
        assert_eq!(next.stretch.start, read("2026-04-01"));
    }
}

#[test]
fn late_usage_alone_makes_an_invoice_of_the_next_period() {
    let mut world = World::under(&[flat_rate("0.02", "pro_rata")]);
    world.calls(&[("a", "2026-03-10T00:00:00Z", 60_000)]);
    drop(world.issue("2026-04-01T00:00:00Z"));
    world.calls(&[("late", "2026-03-11T00:00:00Z", 60_000)]);
    let invoice = only(world.issue("2026-05-01T00:00:00Z"));
    assert_eq!(invoice.draft.period.start(), read("2026-04-01"));
    assert_eq!(invoice.draft.lines[0].stretch.period.start(), read("2026-03-01"));
    assert_eq!(invoice.draft.taxed.total, read("0.02"));
}

#[test]
fn late_usage_of_several_periods_stands_in_order_of_time() {
    let mut world = World::under(&[flat_rate("0.02", "pro_rata")]);
    world.change("2026-02-10", &[flat_rate("0.04", "pro_rata")]);
    world.calls(&[("a", "2026-04-10T00:00:00Z", 60_000)]);
    drop(world.issue("2026-05-01T00:00:00Z"));
    world.calls(&[
        ("e", "2026-05-01T00:00:00Z", 60_000),
        ("d", "2026-03-31T00:00:00Z", 60_000),
        ("c", "2026-02-10T00:00:00Z", 60_000),
        ("b", "2026-02-09T00:00:00Z", 60_000),
        ("a2", "2026-01-31T00:00:00Z", 60_000),
    ]);
    let invoice = only(world.issue("2026-06-01T00:00:00Z"));
    let (old, new) = ("at 0.02 a minute, pro rata", "at 0.04 a minute, pro rata");
    let lines = [
        ("2026-01-01", old, "0.02"),
        ("2026-02-01", old, "0.02"),
        ("2026-02-10", new, "0.04"),
        ("2026-03-01", new, "0.04"),
        ("2026-05-01", new, "0.04"),
    ];
    assert_eq!(said(&invoice.draft.lines), expected(&lines));
}

#[test]
fn a_period_without_usage_stays_open_for_late_usage() {
    let mut world = World::under(&[flat_rate("0.02", "pro_rata")]);
    assert_eq!(world.issue("2026-04-01T00:00:00Z"), []);
    world.calls(&[("late", "2026-02-10T00:00:00Z", 60_000)]);
    let invoice = only(world.issue("2026-04-01T00:00:00Z"));
    assert_eq!(invoice.draft.period.start(), read("2026-02-01"), "it has its own invoice");
}
