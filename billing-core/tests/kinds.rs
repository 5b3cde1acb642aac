//! What calls cost under the built-in kinds, from their arrival to the total with tax.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[expect(dead_code, reason = "each file of tests is a crate of its own, which uses a part")]
mod common;

use billing_core::{
    invoice::{Draft, Line},
    item::{CallEnded, Direction, Disposition},
    money::{Amount, MoneyError, Rounding},
    tax::{TaxMode, TaxProfile, tax},
};
use common::{EXACT, blocks, call, flat_rate, read, settings, strategy, world::World};

const MINUTE_MS: u64 = 60_000;

const TAX_8: &str =
    r#","tax":{"name":"VAT","percent":"8","mode":"added"},"invoice":{"decimals":10}"#;

/// One call after the other, each with the duration given.
fn calls(durations_ms: &[u64]) -> Vec<CallEnded> {
    let numbered = durations_ms.iter().enumerate();
    numbered.map(|(i, ms)| call(&format!("call-{i}"), "2026-03-10T09:00:00Z", *ms)).collect()
}

/// The draft of March for calls under one strategy.
fn march(more: &str, strategy: String, calls: &[CallEnded]) -> Draft {
    let mut world = World::with(&settings("alice", more), &[strategy]);
    // A call may be longer than the month.
    world.limits.item_future_ms_max = u64::MAX;
    let taken = world.take(calls);
    assert_eq!(taken.intake.recorded, taken.intake.received, "every call is recorded");
    let draft = world.bill("2026-03-31T00:00:00Z").pop().unwrap();
    let invoice = world.issue("2026-04-01T00:00:00Z").pop();
    assert_eq!(invoice.map(|invoice| invoice.draft), Some(draft.clone()), "as previewed");
    draft
}

/// The only line of such a draft.
fn line(more: &str, strategy: String, calls: &[CallEnded]) -> Line {
    let mut lines = march(more, strategy, calls).lines;
    assert_eq!(lines.len(), 1, "one strategy and group make one line");
    lines.pop().unwrap()
}

#[test]
fn blocks_are_rounded_up_on_the_total_or_for_each_call() {
    let many = [10_001; 400];
    let cases: [(&[u64], i128, i128); 25] = [
        (&[545_000], 19, 19),
        (&[545_000, 545_000], 37, 38),
        (&[10_000, 10_000, 10_000], 1, 3),
        (&[10_000, 10_000, 10_001], 2, 3),
        (&[10_000, 10_000, 16_000], 2, 3),
        (&[0], 0, 0),
        (&[0, 0], 0, 0),
        (&[1], 1, 1),
        (&[1, 1], 1, 2),
        (&[1_000], 1, 1),
        (&[29_999], 1, 1),
        (&[30_000], 1, 1),
        (&[30_001], 2, 2),
        (&[30_001, 30_001], 3, 4),
        (&[60_000], 2, 2),
        (&[60_001], 3, 3),
        (&[70_000], 3, 3),
        (&[90_000], 3, 3),
        (&[90_001], 4, 4),
        (&[500_000], 17, 17),
        (&[3_600_000], 120, 120),
        (&[86_400_000], 2_880, 2_880),
        (&[2_147_483_647], 71_583, 71_583),
        (&[2_147_483_647, 1], 71_583, 71_584),
        (&many, 134, 400),
    ];
    for (durations_ms, on_total, per_call) in cases {
        let calls = calls(durations_ms);
        let cases = [("period", on_total), ("lifetime", on_total), ("call", per_call)];
        for (scope, blocks_expected) in cases {
            let line = line("", blocks(scope, "0.2"), &calls);
            let name = format!("{} calls from {} ms, {scope}", calls.len(), durations_ms[0]);
            let text = format!("{blocks_expected} blocks of 30 s at 0.2");
            assert_eq!(line.text, text, "{name}");
            let price = blocks_expected.checked_mul(20).unwrap();
            assert_eq!(line.amount, Amount::from_units(price, 2).unwrap(), "{name}");
            // An answered call counts, even one of no length.
            assert_eq!(usize::try_from(line.count), Ok(durations_ms.len()), "{name}");
        }
    }
}

#[test]
fn a_line_says_what_its_quantity_counts() {
    let per_call = line("", blocks("call", "0.2"), &calls(&[10_000, 10_000, 30_001]));
    assert_eq!((per_call.unit, per_call.quantity), (Some(read("block")), read("4")));
    let on_total = line("", blocks("period", "0.2"), &calls(&[10_000, 10_000, 30_001]));
    assert_eq!((on_total.unit, on_total.quantity), (Some(read("ms")), read("50001")));
    assert_eq!(on_total.amount, read("0.4"));
}

#[test]
fn a_block_may_have_any_size_and_price() {
    let cases = [
        ("1", "0.00001", 61_234, "0.61234"),
        ("6000", "0.0035", 61_234, "0.0385"),
        ("60000", "0", 61_234, "0"),
        ("4294967295", "1", 1, "1"),
        ("4294967295", "1", 4_294_967_295, "1"),
        ("4294967295", "1", 4_294_967_296, "2"),
        ("1", "100", 31_622_400_000, "3162240000000"),
    ];
    for (block_ms, per_block, duration_ms, amount) in cases {
        for scope in ["call", "period", "lifetime"] {
            let terms =
                format!(r#"{{"block_ms":{block_ms},"per_block":"{per_block}","scope":"{scope}"}}"#);
            let line = line(EXACT, strategy("blocks", &terms), &calls(&[duration_ms]));
            assert_eq!(line.amount, read(amount), "{duration_ms} ms in {block_ms}, {scope}");
        }
    }
}

#[test]
fn a_line_says_the_size_of_a_block_in_seconds_where_it_is_whole_ones() {
    let cases: [(u32, &str); 5] =
        [(1, "1 ms"), (999, "999 ms"), (1_000, "1 s"), (1_500, "1500 ms"), (60_000, "60 s")];
    for (block_ms, size) in cases {
        let terms = format!(r#"{{"block_ms":{block_ms},"per_block":"0.2","scope":"period"}}"#);
        let line = line("", strategy("blocks", &terms), &calls(&[60_000]));
        assert!(line.text.ends_with(&format!("blocks of {size} at 0.2")), "{}", line.text);
    }
}

#[test]
fn talk_is_charged_to_the_millisecond() {
    let minutes = |minutes: u64| minutes.checked_mul(MINUTE_MS).unwrap();
    let cases: [(&[u64], &str); 15] = [
        (&[0], "0"),
        (&[minutes(1)], "0.02"),
        (&[minutes(7)], "0.14"),
        (&[minutes(10)], "0.2"),
        (&[minutes(15)], "0.3"),
        (&[minutes(20)], "0.4"),
        (&[minutes(30)], "0.6"),
        (&[minutes(33)], "0.66"),
        (&[minutes(15), minutes(30)], "0.9"),
        (&[minutes(10), minutes(20)], "0.6"),
        // 961 s at 0.02 / 60 s.
        (&[1_000, minutes(1), minutes(15)], "0.3203333333"),
        (&[minutes(44_640)], "892.8"),
        (&[1], "0.0000003333"),
        (&[1, 1], "0.0000006667"),
        (&[1, 1, 1], "0.000001"),
    ];
    for (durations_ms, amount) in cases {
        let line = line(EXACT, flat_rate("0.02", "pro_rata"), &calls(durations_ms));
        assert_eq!(line.amount, read(amount), "{durations_ms:?} ms");
        assert_eq!(line.text, "at 0.02 a minute, pro rata");
    }
}

#[test]
fn a_started_minute_counts_whole_for_each_call() {
    let cases: [(&[u64], &str, &str); 8] = [
        (&[0], "0", "0"),
        (&[1], "1", "0.02"),
        (&[60_000], "1", "0.02"),
        (&[60_001], "2", "0.04"),
        (&[1, 1, 1], "3", "0.06"),
        (&[59_999, 60_000, 60_001], "4", "0.08"),
        (&[0, 1], "1", "0.02"),
        (&[31_622_400_000], "527040", "10540.8"),
    ];
    for (durations_ms, minutes, amount) in cases {
        let line = line("", flat_rate("0.02", "per_started_minute"), &calls(durations_ms));
        assert_eq!(line.amount, read(amount), "{durations_ms:?} ms");
        assert_eq!((line.unit, line.quantity), (Some(read("min")), read(minutes)));
        assert_eq!(line.text, "at 0.02 a started minute");
    }
}

#[test]
fn minutes_with_eight_percent_of_tax_are_exact() {
    let cases: [(&[u64], &str); 14] = [
        (&[0], "0"),
        (&[1], "0.0216"),
        (&[3], "0.0648"),
        (&[7], "0.1512"),
        (&[35], "0.756"),
        (&[20, 15], "0.756"),
        (&[59], "1.2744"),
        (&[75], "1.62"),
        (&[30, 45], "1.62"),
        (&[100], "2.16"),
        (&[33, 67], "2.16"),
        (&[5_380], "116.208"),
        (&[12_345], "266.652"),
        (&[500_000, 500_000], "21600"),
    ];
    for (minutes, total) in cases {
        let ms: Vec<u64> = minutes.iter().map(|m| m.checked_mul(MINUTE_MS).unwrap()).collect();
        for kind in ["pro_rata", "per_started_minute"] {
            let draft = march(TAX_8, flat_rate("0.02", kind), &calls(&ms));
            assert_eq!(draft.taxed.total, read(total), "{minutes:?} minutes, {kind}");
        }
    }
}

#[test]
fn seventy_five_minutes_cost_one_euro_sixty_two_in_cents_too() {
    let more = r#","tax":{"name":"VAT","percent":"8","mode":"added"}"#;
    let draft = march(more, flat_rate("0.02", "pro_rata"), &calls(&[75 * MINUTE_MS]));
    assert_eq!(draft.decimals, 2);
    assert_eq!(draft.taxed.net, read("1.5"));
    assert_eq!(draft.taxed.taxes[0].amount, read("0.12"));
    assert_eq!(draft.taxed.total.to_fixed(draft.decimals), "1.62");
    let more = r#","tax":{"name":"VAT","percent":"10","mode":"added"}"#;
    let draft =
        march(more, flat_rate("0.02", "pro_rata"), &calls(&[20 * MINUTE_MS, 15 * MINUTE_MS]));
    assert_eq!(draft.taxed.total, read("0.77"));
}

#[test]
fn an_unanswered_call_is_recorded_and_costs_nothing() {
    let strategies = [
        blocks("call", "0.2"),
        blocks("period", "0.2"),
        blocks("lifetime", "0.2"),
        flat_rate("0.02", "pro_rata"),
        flat_rate("0.02", "per_started_minute"),
    ];
    for disposition in [Disposition::NoAnswer, Disposition::Busy, Disposition::Failed] {
        for strategy in &strategies {
            let mut unanswered = call("call", "2026-03-10T09:00:00Z", 545_000);
            unanswered.call.disposition = disposition;
            let line = line("", strategy.clone(), &[unanswered]);
            assert_eq!((line.count, line.quantity), (0, read("0")), "{disposition:?}");
            assert_eq!(line.amount, Amount::ZERO, "{disposition:?}");
        }
    }
}

#[test]
fn a_strategy_charges_for_the_calls_it_applies_to() {
    // The call of a case is to +12025550123.
    let cases = [
        ("{}", Direction::Inbound, "+12025550123", true),
        (r#"{"directions":["outbound"]}"#, Direction::Outbound, "+12025550123", true),
        (r#"{"directions":["outbound"]}"#, Direction::Inbound, "+12025550123", false),
        (r#"{"directions":["inbound","internal"]}"#, Direction::Internal, "sip:x", true),
        (r#"{"directions":["inbound","internal"]}"#, Direction::Outbound, "sip:x", false),
        (r#"{"callee":["1202"]}"#, Direction::Outbound, "+12025550123", true),
        (r#"{"callee":["1202"]}"#, Direction::Outbound, "12025550123", true),
        (r#"{"callee":["12025550123"]}"#, Direction::Outbound, "+12025550123", true),
        (r#"{"callee":["120255501230"]}"#, Direction::Outbound, "+12025550123", false),
        (r#"{"callee":["2025"]}"#, Direction::Outbound, "+12025550123", false),
        (r#"{"callee":["49","1"]}"#, Direction::Outbound, "+12025550123", true),
        (r#"{"callee":["49","44"]}"#, Direction::Outbound, "+12025550123", false),
        (r#"{"callee":["1"]}"#, Direction::Outbound, "sip:1@example.org", false),
        (r#"{"callee":["1"]}"#, Direction::Outbound, "", false),
        (r#"{"callee":["1"],"directions":["inbound"]}"#, Direction::Outbound, "+1202", false),
        (r#"{"callee":["1"],"directions":["inbound"]}"#, Direction::Inbound, "+1202", true),
    ];
    for (applies_to, direction, callee, included) in cases {
        let strategy = format!(
            r#"{{"id":"calls","kind":"flat_rate","applies_to":{applies_to},
                 "terms":{{"per_minute":"1","minutes":"pro_rata"}}}}"#
        );
        let mut world = World::under(&[strategy]);
        let mut ended = call("call", "2026-03-10T09:00:00Z", 60_000);
        (ended.call.direction, ended.call.callee) = (direction, read(callee));
        let intake = world.take(&[ended]).intake;
        let expected = if included { (1, 0) } else { (0, 1) };
        assert_eq!((intake.recorded, intake.parked), expected, "{applies_to} {callee}");
    }
}

#[test]
fn net_and_taxes_are_the_total() {
    use Rounding::{Ceiling, Down, Floor, HalfDown, HalfEven, HalfUp, Up};
    use TaxMode::{Added, Included};
    // lines, percent, mode, decimals, rounding; net, tax, total
    let cases = [
        ("1.50", "8", Added, 2, HalfUp, ("1.50", "0.12", "1.62")),
        ("1.62", "8", Included, 2, HalfUp, ("1.50", "0.12", "1.62")),
        ("1.19", "19", Included, 2, HalfUp, ("1.00", "0.19", "1.19")),
        ("10.00", "8.1", Included, 2, HalfUp, ("9.25", "0.75", "10.00")),
        ("0.01", "7", Included, 2, HalfUp, ("0.01", "0.00", "0.01")),
        ("12.34", "7.7", Added, 2, HalfUp, ("12.34", "0.95", "13.29")),
        ("100.00", "8.875", Added, 2, HalfUp, ("100.00", "8.88", "108.88")),
        ("100.00", "8.875", Added, 2, HalfEven, ("100.00", "8.88", "108.88")),
        ("100.00", "8.875", Added, 2, HalfDown, ("100.00", "8.87", "108.87")),
        ("100.00", "8.871", Added, 2, Up, ("100.00", "8.88", "108.88")),
        ("100.00", "8.879", Added, 2, Down, ("100.00", "8.87", "108.87")),
        ("-100.00", "8.875", Added, 2, Floor, ("-100.00", "-8.88", "-108.88")),
        ("-100.00", "8.875", Added, 2, Ceiling, ("-100.00", "-8.87", "-108.87")),
        ("0.50", "5", Added, 2, HalfUp, ("0.50", "0.03", "0.53")),
        ("0.50", "5", Added, 2, HalfEven, ("0.50", "0.02", "0.52")),
        ("-1.00", "8", Added, 2, HalfUp, ("-1.00", "-0.08", "-1.08")),
        ("-1.08", "8", Included, 2, HalfUp, ("-1.00", "-0.08", "-1.08")),
        ("105", "8", Added, 0, HalfUp, ("105", "8", "113")),
        ("100", "8", Included, 0, HalfUp, ("93", "7", "100")),
        ("1.000", "5", Included, 3, HalfUp, ("0.952", "0.048", "1.000")),
        ("1000000.00", "0.000001", Added, 2, HalfUp, ("1000000", "0.01", "1000000.01")),
        ("1.00", "1000", Added, 2, HalfUp, ("1", "10", "11")),
        ("1.00", "0", Added, 2, HalfUp, ("1", "0", "1")),
        ("1.00", "0", Included, 2, HalfUp, ("1", "0", "1")),
        ("0", "8", Added, 2, HalfUp, ("0", "0", "0")),
    ];
    for (lines, percent, mode, decimals, rounding, (net, amount, total)) in cases {
        let profile = TaxProfile { name: "VAT".into(), percent: read(percent), mode };
        let taxed = tax(read(lines), Some(&profile), decimals, rounding).unwrap();
        let sums = (taxed.net, taxed.taxes[0].amount, taxed.total);
        let case = format!("{lines} with {percent} % {mode:?}, {rounding:?}");
        assert_eq!(sums, (read(net), read(amount), read(total)), "{case}");
        assert_eq!(taxed.taxes[0].base, taxed.net, "{case}");
        assert_eq!(taxed.net.checked_add(taxed.taxes[0].amount), Ok(taxed.total), "{case}");
    }
}

#[test]
fn an_account_without_tax_pays_its_lines() {
    let draft = march("", flat_rate("0.02", "pro_rata"), &calls(&[75 * MINUTE_MS]));
    assert_eq!((draft.taxed.net, draft.taxed.total), (read("1.5"), read("1.5")));
    assert_eq!(draft.taxed.taxes, []);
}

#[test]
fn a_tax_that_leaves_the_bounds_is_an_error() {
    let profile = TaxProfile { name: "VAT".into(), percent: read("1000"), mode: TaxMode::Added };
    let most = read("999999999999999999");
    let error = tax(most, Some(&profile), 2, Rounding::HalfUp).unwrap_err();
    assert!(matches!(error, MoneyError::OutOfBounds { .. }), "{error}");
}

#[test]
fn lines_have_the_decimals_of_the_currency_unless_told_otherwise() {
    // 61 s at 0.5 a minute are 0.508333...
    let cases = [
        ("EUR", "", "0.51"),
        ("JPY", "", "1"),
        ("BHD", "", "0.508"),
        ("EUR", r#","invoice":{"decimals":0}"#, "1"),
        ("EUR", r#","invoice":{"decimals":4}"#, "0.5083"),
        ("EUR", r#","invoice":{"decimals":10}"#, "0.5083333333"),
        ("EUR", r#","invoice":{"rounding":"down"}"#, "0.5"),
        ("EUR", r#","invoice":{"decimals":1,"rounding":"up"}"#, "0.6"),
    ];
    for (currency, more, amount) in cases {
        let mut settings = settings("alice", more);
        settings.currency = read(currency);
        let mut spec = common::plan(1, &[flat_rate("0.5", "pro_rata")]);
        spec.currency = read(currency);
        let mut world = World::empty();
        world.open(&settings);
        world.save(spec);
        world.assign(&settings.id, 1, "2026-01-01").unwrap();
        assert_eq!(world.take(&calls(&[61_000])).intake.recorded, 1);
        let draft = world.bill("2026-03-31T00:00:00Z").pop().unwrap();
        assert_eq!(draft.lines[0].amount, read(amount), "{currency}{more}");
        assert_eq!(draft.taxed.total, read(amount), "{currency}{more}");
    }
}
