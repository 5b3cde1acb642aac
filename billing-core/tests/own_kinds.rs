//! Strategies of one's own, from arrival to the invoice.
#![expect(clippy::unnecessary_wraps, reason = "strategies have the signatures of the trait")]

#[expect(dead_code, reason = "each file of tests is a crate of its own, which uses a part")]
mod common;

use billing_core::{
    item::Item,
    money::{Amount, Exact, Quantity},
    plan::{Arrival, Bill, Priced, Problem, StretchFacts},
    usage::{Scope, Totals},
};
use common::{
    own::{book, own},
    read,
    said::{expected, only, said, totals},
    settings, strategy,
    world::World,
};

/// Two euros a second up to ten seconds, and one euro for every second beyond that many in all.
fn by_volume(facts: &StretchFacts, bill: &mut Bill) -> Result<(), Problem> {
    for (group, usage) in &facts.usage {
        let after = usage.quantity_after()?;
        let price = if after > read("10000") { "0.001" } else { "0.002" };
        let all = Exact::from(after).mul(&read(price));
        bill.charge(group.clone(), all.sub(&usage.before.exact), format!("at {price} a ms"));
    }
    Ok(())
}

#[test]
fn a_cheaper_price_for_all_gives_back_on_the_next_invoice() {
    let mut world = own(Scope::Stretch, by_volume);
    world.calls(&[("a", "2026-03-10T00:00:00Z", 10_000)]);
    assert_eq!(totals(&world.issue("2026-04-01T00:00:00Z")), ["20"]);
    world.calls(&[
        ("late", "2026-03-10T00:00:00Z", 1_000),
        ("late2", "2026-03-11T00:00:00Z", 2_000),
    ]);
    let invoice = only(world.issue("2026-05-01T00:00:00Z"));
    let line = &invoice.draft.lines[0];
    assert_eq!((line.before.billed, line.amount), (read("20"), read("-7")));
    assert_eq!(line.exact, read("13"));
    let shares: Vec<Amount> = line.parts.iter().map(|part| part.share).collect();
    assert_eq!(shares, [read("-2.33"), read("-4.67")]);
    assert_eq!(invoice.draft.taxed.total, read("-7"));
}

/// A fee of five euros a stretch, whether anybody called or not.
fn with_fee(facts: &StretchFacts, bill: &mut Bill) -> Result<(), Problem> {
    for group in facts.usage.keys() {
        bill.charge(group.clone(), Exact::zero(), "free".into());
    }
    let paid = facts.before.get("fee").map_or(Exact::zero(), |carry| carry.exact.clone());
    bill.charge(read("fee"), Exact::from_integer(5).sub(&paid), "fee".into());
    Ok(())
}

#[test]
fn a_fee_needs_no_usage_and_is_charged_once() {
    let mut world = own(Scope::Stretch, with_fee);
    let invoices = world.issue("2026-03-01T00:00:00Z");
    assert_eq!(totals(&invoices), ["5", "5"], "January and February");
    let fee = &invoices[0].draft.lines[0];
    assert_eq!((&fee.unit, fee.count, fee.quantity), (&None, 0, read("0")));
    assert_eq!(fee.parts, []);
    world.calls(&[("late", "2026-01-10T00:00:00Z", 1)]);
    let invoice = only(world.issue("2026-04-01T00:00:00Z"));
    let lines =
        [("2026-01-01", "free", "0"), ("2026-01-01", "fee", "0"), ("2026-03-01", "fee", "5")];
    assert_eq!(said(&invoice.draft.lines), expected(&lines), "late usage brings no second fee");
}

#[test]
fn a_plan_is_charged_for_the_stretches_it_has_days_in() {
    let cases = [("2026-02-28", "20"), ("2026-03-01", "15"), ("2026-03-02", "20")];
    for (from, total) in cases {
        let mut world = own(Scope::Stretch, with_fee);
        world.change(from, &[strategy("own", "{}")]);
        let invoices = world.issue("2026-04-01T00:00:00Z");
        let sum = invoices.iter().try_fold(Amount::ZERO, |sum, invoice| {
            assert!(invoice.draft.lines.iter().all(|line| line.stretch.start < line.stretch.end));
            sum.checked_add(invoice.draft.taxed.total)
        });
        assert_eq!(sum, Ok(read(total)), "three months, changed on {from}");
    }
}

/// Keeps what the first usage was, and charges later usage by it.
fn by_the_first(facts: &StretchFacts, bill: &mut Bill) -> Result<(), Problem> {
    for (group, usage) in &facts.usage {
        let kept = &usage.before.kept;
        if kept.is_zero() {
            let first = Exact::from(usage.unbilled.quantity);
            bill.charge_keeping(group.clone(), Exact::zero(), first, "the first".into());
        } else {
            bill.charge(group.clone(), kept.clone(), format!("by {kept}"));
        }
    }
    Ok(())
}

#[test]
fn what_a_strategy_keeps_stays_until_it_keeps_something_else() {
    let mut world = own(Scope::Lifetime, by_the_first);
    let mut said = Vec::new();
    for month in 1_u8..=3 {
        let (id, next) = (format!("call-{month}"), month.checked_add(1).unwrap());
        world.calls(&[(&id, &format!("2026-{month:02}-10T00:00:00Z"), 7)]);
        let invoice = only(world.issue(&format!("2026-{next:02}-01T00:00:00Z")));
        let line = only(invoice.draft.lines);
        said.push((line.text, line.before.kept.to_string()));
    }
    let expected = [("the first", "0"), ("by 7", "7"), ("by 7", "7")];
    assert_eq!(said, expected.map(|(text, kept)| (text.to_owned(), kept.to_owned())));
}

/// Seven cents for every answered call and one cent for every started second.
fn with_surcharge(arrival: &Arrival<'_>) -> Result<Priced, Problem> {
    let Item::Call(call) = arrival.item() else { return Err(Problem("not a call".into())) };
    let seconds = call.charged_ms().div_ceil(1_000);
    let cents = i128::from(seconds).checked_add(7).filter(|_| seconds > 0).unwrap_or(0);
    let amount = Some(Amount::from_units(cents, arrival.currency().decimals())?);
    let quantity = Quantity::from_u64(seconds)?;
    let totals = Totals { count: i64::from(seconds > 0), quantity, amount };
    Ok(Priced::new(read("s"), totals))
}

fn as_arrived(facts: &StretchFacts, bill: &mut Bill) -> Result<(), Problem> {
    for (group, usage) in &facts.usage {
        let amount = usage.unbilled.amount.ok_or_else(|| Problem("no amount".into()))?;
        bill.charge(group.clone(), Exact::from(amount), "as arrived".into());
    }
    Ok(())
}

#[test]
fn amounts_decided_on_arrival_add_up_exactly() {
    let book = book(Scope::Stretch, with_surcharge, as_arrived);
    let mut world = World::with_book(
        book,
        &settings("alice", ""),
        &[strategy("own", r#"{"surcharge":"0.07"}"#)],
    );
    let calls = [
        ("a", "2026-03-10T00:00:00Z", 1),
        ("b", "2026-03-10T00:00:00Z", 1_001),
        ("c", "2026-03-11T00:00:00Z", 0),
        ("d", "2026-03-12T00:00:00Z", 60_000),
    ];
    world.calls(&calls);
    let invoice = only(world.issue("2026-04-01T00:00:00Z"));
    let line = &invoice.draft.lines[0];
    // 8 + 9 + 0 + 67 cents.
    assert_eq!((line.amount, line.count, line.quantity), (read("0.84"), 3, read("63")));
    let shares: Vec<Amount> = line.parts.iter().map(|part| part.share).collect();
    assert_eq!(shares, [read("0.17"), read("0"), read("0.67")], "each day has its own amounts");
    world.calls(&[("late", "2026-03-10T00:00:00Z", 1)]);
    assert_eq!(totals(&world.issue("2026-05-01T00:00:00Z")), ["0.08"]);
}
