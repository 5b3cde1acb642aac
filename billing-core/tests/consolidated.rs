//! The invoices of one customer on one page.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[expect(dead_code, reason = "each file of tests is a crate of its own, which uses a part")]
mod common;

use billing_core::{
    id::TenantId,
    invoice::{Consolidated, Draft, Invoice, InvoiceState},
    money::MoneyError,
    time::Day,
};
use common::{document, read};

/// An invoice of an account over a period, with what is to be paid of it without and with tax.
fn invoice(number: u64, account: &str, start: &str, currency: &str, taxed: &str) -> Invoice {
    let end = read::<Day>(start).plus_days(30).unwrap();
    let draft: Draft = document(&format!(
        r#"{{"account":"{account}","period":{{"start":"{start}","end":"{end}"}},
             "start":"{start}T00:00:00Z","end":"{end}T00:00:00Z","zone":"UTC",
             "zone_data":"2026a","currency":"{currency}","decimals":2,"lines":[],
             "taxed":{taxed}}}"#
    ));
    let (series, issued_at) = (read("2026"), read("2026-12-01T08:00:00Z"));
    Invoice { series, number, issued_at, draft }
}

fn untaxed(amount: &str) -> String {
    format!(r#"{{"net":"{amount}","taxes":[],"total":"{amount}"}}"#)
}

fn taxed(net: &str, name: &str, percent: &str, tax: &str, total: &str) -> String {
    format!(
        r#"{{"net":"{net}","taxes":[{{"name":"{name}","percent":"{percent}","base":"{net}",
             "amount":"{tax}"}}],"total":"{total}"}}"#
    )
}

fn paid() -> InvoiceState {
    InvoiceState::Paid { on: read("2026-12-14"), reference: "transfer".into() }
}

fn void() -> InvoiceState {
    InvoiceState::Void { reason: "typo".into() }
}

type Issued = (TenantId, Invoice, InvoiceState);

fn page(invoices: &[Issued]) -> Consolidated {
    Consolidated::try_new(read("carol"), invoices.iter().cloned()).unwrap()
}

fn of(operator: &str, invoice: Invoice, state: InvoiceState) -> Issued {
    (read(operator), invoice, state)
}

#[test]
fn invoices_are_added_up_by_currency() {
    let issued = InvoiceState::Issued;
    let page = page(&[
        of("north", invoice(1, "a", "2026-10-01", "EUR", &untaxed("1.50")), issued.clone()),
        of("north", invoice(2, "b", "2026-10-01", "CHF", &untaxed("7")), paid()),
        of("south", invoice(1, "c", "2026-10-01", "EUR", &untaxed("-0.25")), issued.clone()),
        of("south", invoice(2, "c", "2026-09-01", "EUR", &untaxed("10")), paid()),
        of("south", invoice(3, "d", "2026-09-01", "CHF", &untaxed("0.05")), issued),
    ]);
    let sums: Vec<_> = page
        .sums
        .iter()
        .map(|s| (s.currency.code(), s.taxed.total.to_string(), s.unpaid.to_string()))
        .collect();
    let expected = [("CHF", "7.05", "0.05"), ("EUR", "11.25", "1.25")];
    assert_eq!(sums, expected.map(|(code, total, unpaid)| (code, total.into(), unpaid.into())));
    assert!(page.sums.iter().all(|sum| sum.taxed.net == sum.taxed.total));
}

#[test]
fn a_void_invoice_is_left_out() {
    let page = page(&[
        of("north", invoice(1, "a", "2026-10-01", "EUR", &untaxed("1.50")), void()),
        of("north", invoice(2, "a", "2026-10-01", "EUR", &untaxed("1.60")), InvoiceState::Issued),
        of("north", invoice(3, "b", "2026-10-01", "USD", &untaxed("9")), void()),
    ]);
    assert_eq!(page.members.len(), 1);
    assert_eq!(page.members[0].invoice.number, 2);
    let sums: Vec<_> = page.sums.iter().map(|s| (s.currency.code(), s.taxed.total)).collect();
    assert_eq!(sums, [("EUR", read("1.6"))], "not even its currency is named");
}

#[test]
fn members_stand_in_order_of_operator_account_and_period() {
    let issued = InvoiceState::Issued;
    let page = page(&[
        of("south", invoice(9, "a", "2026-10-01", "EUR", &untaxed("1")), issued.clone()),
        of("north", invoice(8, "b", "2026-10-01", "EUR", &untaxed("1")), issued.clone()),
        of("north", invoice(7, "a", "2026-10-01", "EUR", &untaxed("1")), issued.clone()),
        of("north", invoice(6, "a", "2026-10-01", "EUR", &untaxed("1")), paid()),
        of("north", invoice(5, "a", "2026-11-01", "EUR", &untaxed("1")), issued.clone()),
        of("north", invoice(4, "a", "2026-09-01", "EUR", &untaxed("1")), issued),
    ]);
    let order: Vec<_> = page
        .members
        .iter()
        .map(|m| (m.operator.as_str(), m.invoice.account.as_str(), m.invoice.number))
        .collect();
    let expected = [("north", "a", 4), ("north", "a", 6), ("north", "a", 7), ("north", "a", 5)];
    let rest = [("north", "b", 8), ("south", "a", 9)];
    assert_eq!(order, [&expected[..], &rest].concat());
    assert_eq!(page.members[1].state, paid());
}

#[test]
fn taxes_of_one_name_and_rate_are_one_tax() {
    let issued = || InvoiceState::Issued;
    let invoices = [
        ("1", taxed("10", "VAT", "8.1", "0.81", "10.81")),
        ("2", taxed("0.05", "VAT", "8.1", "0", "0.05")),
        ("3", taxed("100", "VAT", "2.6", "2.6", "102.6")),
        ("4", taxed("1", "GST", "8.1", "0.08", "1.08")),
        ("5", untaxed("7")),
        ("6", taxed("-5", "VAT", "8.1", "-0.41", "-5.41")),
    ];
    let invoices = invoices.map(|(number, taxed)| {
        let number = number.parse().unwrap();
        of("north", invoice(number, "a", "2026-10-01", "EUR", &taxed), issued())
    });
    let page = page(&invoices);
    let sum = &page.sums[0].taxed;
    let taxes: Vec<_> = sum
        .taxes
        .iter()
        .map(|t| (t.name.as_str(), t.percent, t.base.to_string(), t.amount.to_string()))
        .collect();
    let expected = [
        ("GST", read("8.1"), "1", "0.08"),
        ("VAT", read("2.6"), "100", "2.6"),
        ("VAT", read("8.1"), "5.05", "0.4"),
    ];
    assert_eq!(taxes, expected.map(|(name, p, base, tax)| (name, p, base.into(), tax.into())));
    assert_eq!((sum.net, sum.total), (read("113.05"), read("116.13")));
    let added = sum.taxes.iter().try_fold(sum.net, |sum, tax| sum.checked_add(tax.amount));
    assert_eq!(added, Ok(sum.total), "sums of what is printed");
}

#[test]
fn each_invoice_is_in_the_month_in_which_its_period_began() {
    let issued = InvoiceState::Issued;
    let invoices = [
        of("north", invoice(1, "a", "2026-10-01", "EUR", &untaxed("1")), issued.clone()),
        of("north", invoice(2, "a", "2026-09-15", "EUR", &untaxed("2")), issued.clone()),
        of("south", invoice(3, "b", "2026-09-01", "CHF", &untaxed("4")), paid()),
        of("south", invoice(4, "b", "2025-12-27", "EUR", &untaxed("8")), issued),
    ];
    let months = Consolidated::by_month(&read("carol"), invoices).unwrap();
    let said: Vec<_> = months
        .iter()
        .map(|(month, page)| {
            let numbers: Vec<u64> = page.members.iter().map(|m| m.invoice.number).collect();
            (month.to_string(), numbers, page.sums.len())
        })
        .collect();
    let expected = [
        ("2025-12-01".to_owned(), vec![4], 1),
        ("2026-09-01".to_owned(), vec![2, 3], 2),
        ("2026-10-01".to_owned(), vec![1], 1),
    ];
    assert_eq!(said, expected);
    assert!(months.iter().all(|(_, page)| page.customer == read("carol")));
    assert_eq!(Consolidated::by_month(&read("carol"), []), Ok(Vec::new()));
}

#[test]
fn a_sum_beyond_its_bounds_is_an_error() {
    let most = || invoice(1, "a", "2026-10-01", "EUR", &untaxed("999999999999999999"));
    let two = [of("n", most(), InvoiceState::Issued), of("s", most(), InvoiceState::Issued)];
    let error = Consolidated::try_new(read("carol"), two.clone()).unwrap_err();
    assert!(matches!(error, MoneyError::OutOfBounds { .. }), "{error}");
    assert!(Consolidated::by_month(&read("carol"), two).is_err());
}

#[test]
fn a_page_is_written_as_it_was_read() {
    let page = page(&[of(
        "north",
        invoice(1, "a", "2026-10-01", "EUR", &taxed("10", "VAT", "8.1", "0.81", "10.81")),
        paid(),
    )]);
    let json = serde_json::to_string(&page).unwrap();
    assert_eq!(document::<Consolidated>(&json), page);
}
