//! Which terms each kind asks for, and how it refuses others.
#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::panic, reason = "a test may panic")]

#[expect(dead_code, reason = "each file of tests is a crate of its own, which uses a part")]
mod common;

use billing_core::plan::{BuildPlanError, PlanBook};
use common::{flat_rate, named, plan, strategy};

fn problem(kind: &str, terms: &str) -> String {
    let error = PlanBook::standard().build(plan(1, &[strategy(kind, terms)])).unwrap_err();
    let BuildPlanError::Terms { strategy, problem } = error else { panic!("{kind}: {error}") };
    assert_eq!(strategy.as_str(), "calls", "the strategy is named");
    problem.to_string()
}

#[test]
fn a_price_of_a_unit_asks_for_a_product_a_unit_and_a_price() {
    let cases = [
        ("{}", "missing field `product`"),
        (r#"{"product":"sms"}"#, "missing field `unit`"),
        (r#"{"product":"sms","unit":"message"}"#, "missing field `per_unit`"),
        (r#"{"product":"","unit":"message","per_unit":"1"}"#, "0 bytes long"),
        (r#"{"product":"sms","unit":"a\nb","per_unit":"1"}"#, "control character at byte 1"),
        (r#"{"product":"sms","unit":"message","per_unit":1}"#, "price as text"),
        (r#"{"product":"sms","unit":"message","per_unit":"-1"}"#, "price"),
        (r#"{"product":"sms","unit":"message","per_unit":"0.00000000001"}"#, "decimals"),
        (r#"{"product":"sms","unit":"message","per_unit":"1","per":"2"}"#, "unknown field `per`"),
        ("null", "invalid type: null"),
    ];
    for (terms, told) in cases {
        let problem = problem("per_unit", terms);
        assert!(problem.contains(told), "{terms}: {problem}");
    }
}

#[test]
fn a_fee_asks_for_an_amount_when_it_is_due_and_what_a_part_costs() {
    let cases = [
        ("{}", "missing field `per_period`"),
        (r#"{"per_period":"1"}"#, "missing field `timing`"),
        (r#"{"per_period":"1","timing":"in_advance"}"#, "missing field `proration`"),
        (
            r#"{"per_period":"1","timing":"later","proration":"none"}"#,
            "unknown variant `later`, expected `in_advance` or `in_arrears`",
        ),
        (
            r#"{"per_period":"1","timing":"in_advance","proration":"hours"}"#,
            "unknown variant `hours`, expected `none` or `days`",
        ),
        (r#"{"per_period":1,"timing":"in_advance","proration":"none"}"#, "price as text"),
        (r#"{"per_period":"-1","timing":"in_advance","proration":"none"}"#, "price"),
        (
            r#"{"per_period":"1","timing":"in_advance","proration":"none","months":1}"#,
            "unknown field `months`",
        ),
    ];
    for (terms, told) in cases {
        let problem = problem("recurring", terms);
        assert!(problem.contains(told), "{terms}: {problem}");
    }
}

#[test]
fn an_amount_paid_ahead_asks_for_how_much_and_what_a_part_covers() {
    let cases = [
        ("{}", "missing field `per_period`"),
        (r#"{"per_period":"20"}"#, "missing field `proration`"),
        (r#"{"per_period":"20","proration":"weeks"}"#, "unknown variant `weeks`"),
        (r#"{"per_period":20,"proration":"none"}"#, "price as text"),
        (r#"{"per_period":"20","proration":"none","covers":"calls"}"#, "expected a sequence"),
        (r#"{"per_period":"20","proration":"none","covers":[""]}"#, "0 bytes long"),
        (r#"{"per_period":"20","proration":"none","timing":"in_advance"}"#, "`timing`"),
    ];
    for (terms, told) in cases {
        let problem = problem("prepaid", terms);
        assert!(problem.contains(told), "{terms}: {problem}");
    }
}

#[test]
fn usage_without_a_price_asks_for_nothing() {
    let book = PlanBook::standard();
    assert!(book.build(plan(1, &[strategy("unpriced", "{}")])).is_ok());
    assert_eq!(
        problem("unpriced", r#"{"per_unit":"1"}"#),
        "terms are not accepted: the kind asks for none"
    );
    for terms in ["1", r#""free""#] {
        assert!(!problem("unpriced", terms).is_empty(), "{terms}");
    }
}

#[test]
fn a_charge_that_does_not_depend_on_items_takes_no_condition_on_them() {
    let cases = [
        ("recurring", r#"{"per_period":"1","timing":"in_advance","proration":"none"}"#),
        ("prepaid", r#"{"per_period":"1","proration":"none"}"#),
    ];
    for (kind, terms) in cases {
        for condition in [r#"{"directions":["outbound"]}"#, r#"{"products":["storage"]}"#] {
            let strategy = format!(
                r#"{{"id":"calls","kind":"{kind}","applies_to":{condition},"terms":{terms}}}"#
            );
            let error = PlanBook::standard().build(plan(1, &[strategy])).unwrap_err();
            let told = "the terms of strategy calls are not accepted: \
                        `applies_to` is not accepted: the charge does not depend on items";
            assert_eq!(error.to_string(), told);
        }
        let everything =
            format!(r#"{{"id":"calls","kind":"{kind}","applies_to":{{}},"terms":{terms}}}"#);
        let plan = plan(
            1,
            &[flat_rate("1", "pro_rata").replace(r#""id":"calls""#, r#""id":"talk""#), everything],
        );
        assert!(PlanBook::standard().build(plan).is_ok());
    }
}

#[test]
fn a_price_of_a_unit_takes_its_product_as_the_only_condition() {
    let terms = r#"{"product":"sms","unit":"message","per_unit":"1"}"#;
    let strategy = format!(
        r#"{{"id":"calls","kind":"per_unit","applies_to":{{"products":["sms"]}},"terms":{terms}}}"#
    );
    let error = PlanBook::standard().build(plan(1, &[strategy])).unwrap_err();
    let told = "the terms of strategy calls are not accepted: \
                `applies_to` is not accepted: `product` and `unit` say which pulses are charged for";
    assert_eq!(error.to_string(), told);
}

#[test]
fn strategies_of_one_kind_stand_beside_each_other() {
    let fee = |id: &str, timing: &str| {
        let terms = format!(r#"{{"per_period":"1","timing":"{timing}","proration":"days"}}"#);
        named(id, "recurring", &terms)
    };
    let spec = plan(1, &[fee("desk", "in_advance"), fee("line", "in_arrears")]);
    assert_eq!(PlanBook::standard().build(spec).unwrap().strategies().count(), 3);
}
