//! What invoices say, in a form that a table of cases can be held against.

use billing_core::{
    invoice::{Draft, Invoice, Line},
    money::Amount,
};

/// First day, text and amount of each line.
pub(crate) fn said(lines: &[Line]) -> Vec<(String, &str, String)> {
    let first = |line: &Line| line.stretch.start.to_string();
    lines.iter().map(|line| (first(line), line.text.as_str(), line.amount.to_string())).collect()
}

/// The same as a test writes it.
pub(crate) fn expected<'a>(lines: &[(&str, &'a str, &str)]) -> Vec<(String, &'a str, String)> {
    let owned = |(day, text, amount): &(&str, &'a str, &str)| {
        ((*day).to_owned(), *text, (*amount).to_owned())
    };
    lines.iter().map(owned).collect()
}

/// Strategy, group and amount of each line.
pub(crate) fn charged(draft: &Draft) -> Vec<String> {
    let of = |line: &Line| format!("{} {} {}", line.strategy, line.group, line.amount);
    draft.lines.iter().map(of).collect()
}

/// The only one.
pub(crate) fn only<T>(mut all: Vec<T>) -> T {
    assert_eq!(all.len(), 1, "only one");
    all.pop().unwrap()
}

/// What is to be paid for each.
pub(crate) fn totals(invoices: &[Invoice]) -> Vec<String> {
    invoices.iter().map(|invoice| invoice.draft.taxed.total.to_string()).collect()
}

/// What is to be paid for all.
pub(crate) fn total(invoices: &[Invoice]) -> Amount {
    sum(invoices.iter().map(|invoice| invoice.draft.taxed.total))
}

pub(crate) fn sum(amounts: impl IntoIterator<Item = Amount>) -> Amount {
    amounts.into_iter().fold(Amount::ZERO, |sum, amount| sum.checked_add(amount).unwrap())
}
