//! Drafts and invoices as plain text for a terminal of 80 columns.

mod layout;
mod line;
mod usage;

use billing_core::{
    invoice::{Draft, Invoice, InvoiceKind},
    money::Amount,
    tax::TaxMode,
    time::{Day, Period},
};

use self::layout::Page;

/// An invoice as text.
///
/// Lines have at most 80 columns, unless a number alone needs more: none is ever cut. Control characters in names are
/// shown as spaces.
///
/// # Examples
///
/// ```
/// # use billing_core::invoice::{Draft, Invoice, InvoiceKind};
/// # let draft: Draft = serde_json::from_str(r#"{
/// #     "account": "alice", "period": {"start": "2026-10-01", "end": "2026-11-01"},
/// #     "start": "2026-09-30T22:00:00Z", "end": "2026-10-31T23:00:00Z",
/// #     "zone": "Europe/Berlin", "zone_data": "2026e", "currency": "EUR", "decimals": 2,
/// #     "lines": [], "taxed": {"net": "0", "taxes": [], "total": "0"}
/// # }"#)?;
/// let invoice = Invoice {
///     series: "A".parse()?,
///     number: 17,
///     issued_at: "2026-11-01T08:00:00Z".parse()?,
///     draft,
/// };
/// assert!(billing_formats::text::invoice(&invoice).starts_with("INVOICE A-17\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn invoice(invoice: &Invoice) -> String {
    let mut page = Page::new();
    page.text(&format!("INVOICE {}-{}", invoice.series, invoice.number));
    page.rule('=');
    head(&mut page, &invoice.draft);
    page.field("Issued", &invoice.issued_at.to_string());
    body(&mut page, &invoice.draft);
    page.finish()
}

/// A draft as text, in the form of an invoice that has no number yet.
///
/// # Examples
///
/// ```
/// # use billing_core::invoice::Draft;
/// # let draft: Draft = serde_json::from_str(r#"{
/// #     "account": "alice", "period": {"start": "2026-10-01", "end": "2026-11-01"},
/// #     "start": "2026-09-30T22:00:00Z", "end": "2026-10-31T23:00:00Z",
/// #     "zone": "Europe/Berlin", "zone_data": "2026e", "currency": "EUR", "decimals": 2,
/// #     "lines": [], "taxed": {"net": "0", "taxes": [], "total": "0"}
/// # }"#)?;
/// let text = billing_formats::text::draft(&draft);
/// assert!(text.starts_with("DRAFT\n"));
/// assert!(text.contains("2026-10-01 to 2026-10-31"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[must_use]
pub fn draft(draft: &Draft) -> String {
    let mut page = Page::new();
    page.text("DRAFT");
    page.rule('=');
    head(&mut page, draft);
    body(&mut page, draft);
    page.finish()
}

fn head(page: &mut Page, draft: &Draft) {
    page.field("Account", draft.account.as_str());
    let label = match draft.kind {
        InvoiceKind::Period => "Period",
        InvoiceKind::Advance => "Ahead of",
    };
    page.field(label, &format!("{}, {}", days(draft.period), draft.zone));
}

fn body(page: &mut Page, draft: &Draft) {
    page.blank();
    page.columns("", "Items", "Usage", &format!("Amount {}", draft.currency));
    page.rule('-');
    if draft.lines.is_empty() {
        page.text("No charges.");
    }
    let mut above = None;
    for line in draft.lines.iter().filter(|line| !line::says_nothing(line)) {
        if above.is_none_or(|above| !line::is_under_same_heading(above, line)) {
            if above.is_some() {
                page.blank();
            }
            line::heading(page, line);
        }
        line::line(page, line, draft.decimals);
        above = Some(line);
    }
    page.rule('-');
    sums(page, draft);
}

fn sums(page: &mut Page, draft: &Draft) {
    let taxed = &draft.taxed;
    let fixed = |amount: Amount| amount.to_fixed(draft.decimals);
    // Where prices hold the tax already the lines add up to the total, and the reader must know why not to the net.
    let included = draft.tax.as_ref().is_some_and(|tax| tax.mode == TaxMode::Included);
    let (net, suffix) =
        if included { ("Net of tax", ", in the amounts above") } else { ("Net", "") };
    page.sum(net, &fixed(taxed.net));
    for tax in &taxed.taxes {
        let label = format!("{} {} % of {}{suffix}", tax.name, tax.percent, fixed(tax.base));
        page.sum(&label, &fixed(tax.amount));
    }
    page.rule('=');
    page.sum(&format!("Total {}", draft.currency), &fixed(taxed.total));
}

/// The first and the last day.
fn days(period: Period) -> String {
    days_between(period.start(), period.end())
}

fn days_between(start: Day, end: Day) -> String {
    match end.plus_days(-1) {
        Ok(last) if start < last => format!("{start} to {last}"),
        Ok(_) | Err(_) => start.to_string(),
    }
}
