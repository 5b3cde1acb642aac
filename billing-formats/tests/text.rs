//! Drafts and invoices as text.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use billing_core::{
    account::Stretch,
    id::Unit,
    invoice::{Draft, Invoice, InvoiceKind, Line},
    money::{Currency, Exact},
    tax::{TaxLine, Taxed},
    time::{Period, Zone},
    usage::{Carry, ScopeKey},
};
use billing_formats::text;

fn period() -> Period {
    Period::try_new("2026-10-01".parse().unwrap(), "2026-11-01".parse().unwrap()).unwrap()
}

struct Row {
    days: (&'static str, &'static str),
    plan: &'static str,
    strategy: &'static str,
    unit: Option<&'static str>,
    count: i64,
    quantity: &'static str,
    text: &'static str,
    before: &'static str,
    amount: &'static str,
}

const ROW: Row = Row {
    days: ("2026-10-01", "2026-10-15"),
    plan: "basic",
    strategy: "talk",
    unit: Some("ms"),
    count: 1_204,
    quantity: "86461000",
    text: "at 0.02 a minute, pro rata",
    before: "0",
    amount: "28.82",
};

fn line(row: &Row) -> Line {
    let stretch = Stretch {
        period: period(),
        assignment: 1,
        start: row.days.0.parse().unwrap(),
        end: row.days.1.parse().unwrap(),
    };
    Line {
        stretch,
        plan: row.plan.parse().unwrap(),
        version: 1,
        strategy: row.strategy.parse().unwrap(),
        group: "calls".parse().unwrap(),
        unit: row.unit.map(|unit| Unit::try_new(unit).unwrap()),
        count: row.count,
        quantity: row.quantity.parse().unwrap(),
        text: row.text.to_owned(),
        exact: Exact::zero(),
        scope: ScopeKey::Lifetime,
        before: Carry { billed: row.before.parse().unwrap(), ..Carry::nothing() },
        amount: row.amount.parse().unwrap(),
        parts: Vec::new(),
    }
}

fn draft(lines: &[Row], taxed: Taxed) -> Draft {
    Draft {
        account: "alice".parse().unwrap(),
        kind: InvoiceKind::Period,
        period: period(),
        start: "2026-09-30T22:00:00Z".parse().unwrap(),
        end: "2026-10-31T23:00:00Z".parse().unwrap(),
        zone: Zone::try_new("Europe/Berlin").unwrap(),
        zone_data: Zone::data_version().into(),
        currency: Currency::try_new("EUR").unwrap(),
        decimals: 2,
        lines: lines.iter().map(line).collect(),
        tax: None,
        taxed,
    }
}

fn untaxed(total: &str) -> Taxed {
    let total = total.parse().unwrap();
    Taxed { net: total, taxes: Vec::new(), total }
}

#[test]
fn an_invoice_shows_lines_by_days_and_plan_and_adds_up() {
    let lines = [
        Row { ..ROW },
        Row {
            strategy: "service",
            text: "3 blocks of 600000 ms at 1.5",
            unit: Some("block"),
            count: 7,
            quantity: "3",
            amount: "4.50",
            ..ROW
        },
        Row {
            days: ("2026-10-15", "2026-11-01"),
            plan: "pro",
            count: 1,
            quantity: "61250",
            text: "at 0.01 a minute, pro rata",
            before: "0.01",
            amount: "0",
            ..ROW
        },
        Row {
            days: ("2026-10-15", "2026-11-01"),
            plan: "pro",
            strategy: "base-fee",
            unit: None,
            count: 0,
            quantity: "0",
            text: "",
            amount: "1000.00",
            ..ROW
        },
    ];
    let tax = TaxLine {
        name: "VAT".to_owned(),
        percent: "19".parse().unwrap(),
        base: "1033.32".parse().unwrap(),
        amount: "196.33".parse().unwrap(),
    };
    let taxed = Taxed { net: tax.base, taxes: vec![tax], total: "1229.65".parse().unwrap() };
    let invoice = Invoice {
        series: "2026".parse().unwrap(),
        number: 17,
        issued_at: "2026-11-01T08:00:00Z".parse().unwrap(),
        draft: draft(&lines, taxed),
    };
    let expected = "\
INVOICE 2026-17
================================================================================
Account  alice
Period   2026-10-01 to 2026-10-31, Europe/Berlin
Issued   2026-11-01T08:00:00Z

                                        Items            Usage        Amount EUR
--------------------------------------------------------------------------------
2026-10-01 to 2026-10-14, plan basic version 1
  talk, calls                            1204         24:01:01             28.82
    at 0.02 a minute, pro rata
  service, calls                            7         3 blocks              4.50
    3 blocks of 600000 ms at 1.5

2026-10-15 to 2026-10-31, plan pro version 1
  talk, calls                               1      0:01:01.250              0.00
    at 0.01 a minute, pro rata
    less 0.01 billed before
  base-fee, calls                                                        1000.00
--------------------------------------------------------------------------------
Net                                                                      1033.32
VAT 19 % of 1033.32                                                       196.33
================================================================================
Total EUR                                                                1229.65
";
    let text = text::invoice(&invoice);
    assert_eq!(text, expected, "\n{text}");
}

#[test]
fn a_draft_without_lines_says_so() {
    let text = text::draft(&draft(&[], untaxed("0")));
    let expected = "\
DRAFT
================================================================================
Account  alice
Period   2026-10-01 to 2026-10-31, Europe/Berlin

                                        Items            Usage        Amount EUR
--------------------------------------------------------------------------------
No charges.
--------------------------------------------------------------------------------
Net                                                                         0.00
================================================================================
Total EUR                                                                   0.00
";
    assert_eq!(text, expected, "\n{text}");
}

#[test]
fn usage_reads_as_people_write_it() {
    let cases = [
        ("ms", "0", "0:00:00"),
        ("ms", "3599999", "0:59:59.999"),
        ("ms", "360000000", "100:00:00"),
        ("ms", "-61000", "-0:01:01"),
        ("ms", "0.5", "0.5 ms"),
        ("min", "35", "35 min"),
        ("block", "1", "1 block"),
        ("block", "-2", "-2 blocks"),
        ("GB", "1.25", "1.25 GB"),
    ];
    for (unit, quantity, expected) in cases {
        let lines = [Row { unit: Some(unit), quantity, ..ROW }];
        let text = text::draft(&draft(&lines, untaxed("28.82")));
        assert!(text.contains(&format!("  {expected}  ")), "{quantity} {unit}\n{text}");
    }
}

#[test]
fn long_and_hostile_texts_keep_the_width_and_the_rows() {
    let long = "word ".repeat(60) + &"x".repeat(200);
    let hostile = "one\n\u{1b}[2Jtwo\rthree";
    for words in [long.as_str(), hostile] {
        let mut draft = draft(&[Row { ..ROW }], untaxed("28.82"));
        let name: String = words.chars().filter(|char| !char.is_control()).take(255).collect();
        draft.account = name.parse().unwrap();
        let line = draft.lines.first_mut().unwrap();
        line.text = words.to_owned();
        line.strategy = name.parse().unwrap();
        line.plan = name.parse().unwrap();
        draft.taxed.taxes.push(TaxLine {
            name: words.to_owned(),
            percent: "8".parse().unwrap(),
            base: "1".parse().unwrap(),
            amount: "0.08".parse().unwrap(),
        });
        let text = text::draft(&draft);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        assert!(!text.contains(|char: char| char.is_control() && char != '\n'), "{text}");
    }
}

#[test]
fn an_amount_is_never_cut() {
    let amount = "-999999999999999999.9999999999";
    let text = text::draft(&draft(&[Row { amount, ..ROW }], untaxed(amount)));
    assert_eq!(text.matches(amount).count(), 3, "{text}");
}

#[test]
fn tax_that_prices_hold_already_is_said_to_be_in_them() {
    let tax = TaxLine {
        name: "VAT".to_owned(),
        percent: "19".parse().unwrap(),
        base: "1.00".parse().unwrap(),
        amount: "0.19".parse().unwrap(),
    };
    let taxed = Taxed { net: tax.base, taxes: vec![tax], total: "1.19".parse().unwrap() };
    let mut draft = draft(&[Row { amount: "1.19", ..ROW }], taxed);
    draft.tax = serde_json::from_str(r#"{"name":"VAT","percent":"19","mode":"included"}"#).unwrap();
    let text = text::draft(&draft);
    let sums = text.lines().rev().take(4).collect::<Vec<_>>();
    let [total, _, tax, net] = sums[..] else { panic!("{text}") };
    assert!(net.starts_with("Net of tax ") && net.ends_with(" 1.00"), "{net}");
    assert!(
        tax.starts_with("VAT 19 % of 1.00, in the amounts above ") && tax.ends_with(" 0.19"),
        "{tax}"
    );
    assert!(total.starts_with("Total EUR ") && total.ends_with(" 1.19"), "{total}");
}

#[test]
fn what_is_due_in_advance_is_headed_so_and_a_line_without_usage_and_money_is_left_out() {
    let fee = Row { strategy: "fee", unit: None, count: 0, quantity: "0", amount: "10", ..ROW };
    let covered = Row { strategy: "credit", amount: "0", text: "covered", ..fee };
    let mut draft = draft(&[fee, covered], untaxed("10"));
    draft.kind = InvoiceKind::Advance;
    let text = text::draft(&draft);
    assert!(text.contains("\nAhead of 2026-10-01 to 2026-10-31, Europe/Berlin\n"), "{text}");
    assert!(!text.contains("credit") && !text.contains("covered"), "{text}");
}

#[test]
fn a_charge_made_once_is_called_by_its_name() {
    let mut draft = draft(&[Row { strategy: "one_off", ..ROW }], untaxed("28.82"));
    draft.lines.first_mut().unwrap().group = "set-up".parse().unwrap();
    let text = text::draft(&draft);
    assert!(text.contains("\n  set-up  ") && !text.contains("one_off"), "{text}");
}
