//! Several accounts of one customer on one page: their invoices, added up by currency.

use alloc::{collections::BTreeMap, string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use crate::{
    id::{CustomerId, TenantId},
    invoice::{Invoice, InvoiceState, InvoiceSummary},
    money::{Amount, Currency, MoneyError, Percent},
    tax::{TaxLine, Taxed},
    time::Day,
};

/// The invoices of one customer's accounts, with one operator or several, and what they add up to.
///
/// It is a view: each invoice keeps its number and is what is owed. An invoice that was made void is left out.
///
/// # Examples
///
/// ```
/// use billing_core::invoice::{Consolidated, InvoiceState};
///
/// # use billing_core::invoice::{Draft, Invoice};
/// # let draft: Draft = serde_json::from_str(
/// #     r#"{"account":"alice","period":{"start":"2026-10-01","end":"2026-11-01"},
/// #         "start":"2026-10-01T00:00:00Z","end":"2026-11-01T00:00:00Z","zone":"UTC",
/// #         "zone_data":"2026a","currency":"EUR","decimals":2,"lines":[],
/// #         "taxed":{"net":"1.5","taxes":[],"total":"1.5"}}"#,
/// # )?;
/// # let (series, issued_at) = ("2026".parse()?, "2026-11-01T08:00:00Z".parse()?);
/// # let october = Invoice { series, number: 7, issued_at, draft };
/// # let second = Invoice { number: 8, ..october.clone() };
/// let (north, south) = ("north".parse()?, "south".parse()?);
/// let invoices = [(north, october, InvoiceState::Issued), (south, second, InvoiceState::Issued)];
/// let all = Consolidated::try_new("carol".parse()?, invoices)?;
/// assert_eq!((all.members.len(), all.sums.len()), (2, 1));
/// assert_eq!(all.sums[0].taxed.total.to_string(), "3");
/// assert_eq!(all.sums[0].unpaid.to_string(), "3");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consolidated {
    /// Whose.
    pub customer: CustomerId,
    /// The invoices, in order of operator, account and period.
    pub members: Vec<Member>,
    /// What they add up to, one sum for each currency.
    pub sums: Vec<ConsolidatedSum>,
}

/// One invoice of a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Which operator issued it.
    pub operator: TenantId,
    /// What it says.
    pub invoice: InvoiceSummary,
    /// What became of it.
    pub state: InvoiceState,
}

/// What a customer's invoices in one currency add up to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsolidatedSum {
    /// The currency.
    pub currency: Currency,
    /// The sums of what the invoices say; one tax for each name and rate.
    pub taxed: Taxed,
    /// What of the total has not been paid.
    pub unpaid: Amount,
}

impl Consolidated {
    /// Puts a customer's invoices together.
    ///
    /// # Errors
    ///
    /// [`MoneyError`] if a sum leaves its bounds.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::invoice::Consolidated;
    ///
    /// let nothing = Consolidated::try_new("carol".parse()?, [])?;
    /// assert!(nothing.members.is_empty() && nothing.sums.is_empty());
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn try_new(
        customer: CustomerId,
        invoices: impl IntoIterator<Item = (TenantId, Invoice, InvoiceState)>,
    ) -> Result<Self, MoneyError> {
        let mut sums: BTreeMap<Currency, Sum> = BTreeMap::new();
        let mut members = Vec::new();
        for (operator, invoice, state) in invoices {
            if matches!(state, InvoiceState::Void { .. }) {
                continue;
            }
            sums.entry(invoice.draft.currency)
                .or_insert(Sum::NOTHING)
                .add(&invoice.draft.taxed, &state)?;
            members.push(Member { operator, invoice: invoice.summary(), state });
        }
        members.sort_by(|one, two| place(one).cmp(&place(two)));
        let sums = sums.into_iter().map(|(currency, sum)| sum.finish(currency)).collect();
        Ok(Self { customer, members, sums })
    }

    /// A customer's invoices month by month: each in the month in which its period began, named by its first day.
    ///
    /// # Errors
    ///
    /// [`MoneyError`] if a sum leaves its bounds.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::invoice::{Consolidated, InvoiceState};
    ///
    /// # use billing_core::invoice::{Draft, Invoice};
    /// # let draft: Draft = serde_json::from_str(
    /// #     r#"{"account":"alice","period":{"start":"2026-10-01","end":"2026-11-01"},
    /// #         "start":"2026-10-01T00:00:00Z","end":"2026-11-01T00:00:00Z","zone":"UTC",
    /// #         "zone_data":"2026a","currency":"EUR","decimals":2,"lines":[],
    /// #         "taxed":{"net":"1.5","taxes":[],"total":"1.5"}}"#,
    /// # )?;
    /// # let (series, issued_at) = ("2026".parse()?, "2026-11-01T08:00:00Z".parse()?);
    /// # let october = Invoice { series, number: 7, issued_at, draft };
    /// let invoices = [("north".parse()?, october, InvoiceState::Issued)];
    /// let months = Consolidated::by_month(&"carol".parse()?, invoices)?;
    /// assert_eq!(months[0].0.to_string(), "2026-10-01");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn by_month(
        customer: &CustomerId,
        invoices: impl IntoIterator<Item = (TenantId, Invoice, InvoiceState)>,
    ) -> Result<Vec<(Day, Self)>, MoneyError> {
        let mut months: BTreeMap<Day, Vec<_>> = BTreeMap::new();
        for invoice in invoices {
            let start = invoice.1.draft.period.start();
            // The first of the month of a day that is in the calendar is in it too.
            let month = Day::try_new(start.year(), start.month(), 1).unwrap_or(start);
            months.entry(month).or_default().push(invoice);
        }
        let of_month = |(month, invoices)| Ok((month, Self::try_new(customer.clone(), invoices)?));
        months.into_iter().map(of_month).collect()
    }
}

fn place(member: &Member) -> (&TenantId, &str, Day, u64) {
    let invoice = &member.invoice;
    (&member.operator, invoice.account.as_str(), invoice.period.start(), invoice.number)
}

struct Sum {
    net: Amount,
    total: Amount,
    unpaid: Amount,
    taxes: BTreeMap<(String, Percent), (Amount, Amount)>,
}

impl Sum {
    const NOTHING: Self = Self {
        net: Amount::ZERO,
        total: Amount::ZERO,
        unpaid: Amount::ZERO,
        taxes: BTreeMap::new(),
    };

    fn add(&mut self, taxed: &Taxed, state: &InvoiceState) -> Result<(), MoneyError> {
        self.net = self.net.checked_add(taxed.net)?;
        self.total = self.total.checked_add(taxed.total)?;
        if !matches!(state, InvoiceState::Paid { .. }) {
            self.unpaid = self.unpaid.checked_add(taxed.total)?;
        }
        for tax in &taxed.taxes {
            let sum = self.taxes.entry((tax.name.clone(), tax.percent));
            let sum = sum.or_insert((Amount::ZERO, Amount::ZERO));
            *sum = (sum.0.checked_add(tax.base)?, sum.1.checked_add(tax.amount)?);
        }
        Ok(())
    }

    fn finish(self, currency: Currency) -> ConsolidatedSum {
        let line = |((name, percent), (base, amount))| TaxLine { name, percent, base, amount };
        let Self { net, total, unpaid, taxes } = self;
        let taxes = taxes.into_iter().map(line).collect();
        ConsolidatedSum { currency, taxed: Taxed { net, taxes, total }, unpaid }
    }
}
