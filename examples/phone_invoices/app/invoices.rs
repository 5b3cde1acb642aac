//! Invoices: issued for a month, paid, made void, and what all months have cost.

use std::collections::{BTreeMap, BTreeSet};

use billing::{
    AccountSettings, Amount, Batch, Day, Instant, Invoice, OneOff, OneOffCharged, Receipt,
    RunOutcome,
    core::{
        decide::AccountFacts,
        id::{CustomerId, ItemId, SourceId},
        invoice::{Consolidated, InvoiceKind, InvoiceState},
        item::ItemKey,
        money::{Money, MoneyError, Quantity},
        time::Period,
    },
    store::store::{Facts, Locks, Unit},
};

use super::{
    calls::minutes,
    contract::Contract,
    fields::Page,
    ledger::{Ledger, account, nobody},
    refusal::Refusal,
    tariff::PlanName,
    times::first_of_month,
};

/// The invoice of a month, and whether it was there before it was asked for.
#[derive(Debug)]
pub enum Issued {
    New(Box<Invoice>),
    Before(Box<Invoice>),
}

/// The months that an answer may name by their numbers alone, because no two of them have the same.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    pub from: Day,
    pub until: Day,
}

impl Window {
    /// A calendar year, or the twelve months that end with that of `today`.
    pub fn of(year: Option<i16>, today: Day) -> Result<Self, Refusal> {
        let first = match year {
            Some(year) => Some(Day::try_new(year, 1, 1)?),
            None => first_of_month(today, -11),
        };
        let until = first.and_then(|first| first_of_month(first, 12));
        first.zip(until).map(|(from, until)| Self { from, until }).ok_or(Refusal::Failed)
    }
}

impl Ledger {
    /// Issues the invoice of the month that begins on `first`.
    ///
    /// Months are invoiced in their order: those before it that have usage and no invoice get theirs too. What comes in later for a
    /// month that is invoiced stands on the next invoice, as the difference.
    pub async fn issue(&self, contract: Contract, first: Day) -> Result<Issued, Refusal> {
        let locks = Locks::accounts([contract.account()?]).and_series(self.series.clone());
        let mut unit = self.tenant.begin(&locks).await?;
        let owner = account(&mut *unit, &contract.account()?).await?;
        let owner = owner.ok_or_else(|| nobody(contract))?;
        let issued = self.issue_in(&mut *unit, &owner, first).await?;
        unit.commit().await?;
        Ok(issued)
    }

    /// Issues the invoices of all accounts of a customer for the month before that of `today`, and opens the account of a stranger,
    /// in one transaction.
    pub async fn issue_last_month(
        &self,
        customer: u32,
        today: Day,
    ) -> Result<Vec<Invoice>, Refusal> {
        let first = first_of_month(today, -1).ok_or(Refusal::Failed)?;
        let own = Contract::own(customer);
        let known = self.accounts_of(customer).await?.into_iter();
        let ids: BTreeSet<_> =
            known.map(|known| known.settings.id).chain([own.account()?]).collect();
        let locks = Locks { catalog: true, ..Locks::accounts(ids.iter().cloned()) };
        let mut unit = self.tenant.begin(&locks.and_series(self.series.clone())).await?;
        if account(&mut *unit, &own.account()?).await?.is_none() {
            self.open_in(&mut *unit, &self.stranger(own)?, PlanName::Postpaid).await?;
        }
        let mut owners = unit.accounts(&ids.into_iter().collect::<Vec<_>>()).await?;
        // An account whose first plan began later owes nothing for that month.
        owners.retain(|owner| owner.assignments.first().is_some_and(|plan| plan.from <= first));
        let mut invoices = Vec::with_capacity(owners.len());
        for owner in &owners {
            let (Issued::New(invoice) | Issued::Before(invoice)) =
                self.issue_in(&mut *unit, owner, first).await?;
            invoices.push(*invoice);
        }
        unit.commit().await?;
        Ok(invoices)
    }

    async fn issue_in(
        &self,
        unit: &mut dyn Unit,
        owner: &AccountFacts,
        first: Day,
    ) -> Result<Issued, Refusal> {
        let AccountFacts { settings, invoiced_until, .. } = owner;
        let period = settings.anchor.period_of(first)?;
        let (now, end) = (self.tenant.now(), settings.zone.day_start(period.end()));
        // Before a month has ended there is only what its plan asks for in advance.
        let kind = if end <= now { InvoiceKind::Period } else { InvoiceKind::Advance };
        let as_of = end.min(now);
        if let Some(before) = self.invoice_of(unit, settings, period, kind).await? {
            return Ok(Issued::Before(Box::new(before)));
        }
        if invoiced_until.is_some_and(|until| period.end() <= until) {
            let why = "is closed, because a later month is invoiced: what comes in for it stands on the next invoice";
            return Err(Refusal::Conflict(format!("{period} {why}")));
        }
        self.run(unit, settings, as_of).await?;
        if let Some(invoice) = self.invoice_of(unit, settings, period, kind).await? {
            return Ok(Issued::New(Box::new(invoice)));
        }
        if kind == InvoiceKind::Advance {
            let why = format!("{period} has not ended: it can be invoiced from {end} on");
            return Err(Refusal::Conflict(why));
        }
        self.charge_nothing(unit, settings, period).await?;
        self.run(unit, settings, as_of).await?;
        let invoice = self.invoice_of(unit, settings, period, kind).await?;
        Ok(Issued::New(Box::new(invoice.ok_or(Refusal::Failed)?)))
    }

    /// Issues what is due of an account.
    async fn run(
        &self,
        unit: &mut dyn Unit,
        settings: &AccountSettings,
        as_of: Instant,
    ) -> Result<(), Refusal> {
        let ids = std::slice::from_ref(&settings.id);
        let run = self.tenant.issue_invoices_in(unit, ids, &self.series, as_of).await?;
        match run.into_iter().next() {
            Some((_, RunOutcome::Held(why))) => Err(billing::Error::from(why).into()),
            _ => Ok(()),
        }
    }

    /// Charges nothing in a month in which nothing happened, so that there is something to invoice: the library leaves no invoice
    /// where there is not, and clients expect one of 0. It is a charge like any other, so that invoice has a number, is issued once,
    /// can be read again and made void, and is checked with all others.
    async fn charge_nothing(
        &self,
        unit: &mut dyn Unit,
        settings: &AccountSettings,
        period: Period,
    ) -> Result<(), Refusal> {
        let nothing = Charge { name: "nothing used", amount: Amount::ZERO, on: period.start() };
        let receipt = self.charge(unit, settings, nothing).await?;
        match receipt {
            Receipt::Recorded { .. } | Receipt::Replayed { .. } => Ok(()),
            Receipt::Parked(why) => Err(Refusal::invalid("path", "month", why.to_string())),
            _ => Err(Refusal::Failed),
        }
    }

    /// Charges an account once, at the beginning of a day; known by its name and day, so that it happens once.
    pub async fn charge(
        &self,
        unit: &mut dyn Unit,
        settings: &AccountSettings,
        Charge { name, amount, on }: Charge,
    ) -> Result<Receipt, Refusal> {
        let id = ItemId::try_new(format!("{} {on} {name}", settings.id))?;
        let charged = OneOffCharged {
            key: ItemKey::new(SourceId::try_new("desk")?, id),
            account: Some(settings.id.clone()),
            one_off: OneOff {
                at: settings.zone.day_start(on),
                name: name.parse()?,
                price: Money::new(amount, settings.currency),
            },
        };
        let batch = Batch { label: String::new(), entries: vec![Ok(charged.into())] };
        self.tenant.ingest_in(unit, &batch).await?.receipts.pop().ok_or(Refusal::Failed)
    }

    /// The invoice of an account for a period that is not void: at most one, after those that are.
    async fn invoice_of(
        &self,
        unit: &mut dyn Unit,
        settings: &AccountSettings,
        period: Period,
        kind: InvoiceKind,
    ) -> Result<Option<Invoice>, Refusal> {
        let mut number = 0;
        loop {
            let place = Some((period.start(), &self.series, number));
            let next = unit.invoice_page(&settings.id, place, 1).await?;
            let Some((invoice, state)) = self.with_states(unit, next).await?.pop() else {
                return Ok(None);
            };
            if invoice.draft.period != period {
                return Ok(None);
            }
            if invoice.draft.kind == kind && !is_void(&state) {
                return Ok(Some(invoice));
            }
            number = invoice.number;
        }
    }

    /// An invoice by its number, and what became of it.
    pub async fn invoice(&self, number: u64) -> Result<(Invoice, InvoiceState), Refusal> {
        let mut facts = self.tenant.read().await?;
        let invoice = facts.invoice(&self.series, number).await?.into_iter().collect();
        let found = self.with_states(&mut *facts, invoice).await?.pop();
        found.ok_or_else(|| Refusal::NotFound { what: "Invoice", id: number.to_string() })
    }

    /// A page of the invoices of all customers, those issued last first.
    pub async fn latest_invoices(
        &self,
        page: Page,
    ) -> Result<Vec<(Invoice, InvoiceState)>, Refusal> {
        let mut facts = self.tenant.read().await?;
        let all = facts.all_series().await?;
        let last =
            all.iter().find(|(series, _)| *series == self.series).map_or(0, |(_, last)| *last);
        let mut invoices = Vec::new();
        // Numbers have no gaps.
        for number in (1..=last).rev().skip(page.offset).take(page.limit) {
            invoices.extend(facts.invoice(&self.series, number).await?);
        }
        self.with_states(&mut *facts, invoices).await
    }

    pub async fn pay(&self, number: u64, on: Option<Day>, reference: &str) -> Result<(), Refusal> {
        let (invoice, _) = self.invoice(number).await?;
        let today = invoice.draft.zone.day_of(self.tenant.now());
        let on = on.unwrap_or(today);
        if on > today {
            return Err(Refusal::invalid("body", "on", "the day has not come yet"));
        }
        marked(self.tenant.invoice_paid(&self.series, number, on, reference).await)
    }

    pub async fn void(&self, number: u64, reason: &str) -> Result<(), Refusal> {
        self.invoice(number).await?;
        marked(self.tenant.void_invoice(&self.series, number, reason).await)
    }

    /// What all accounts of a customer cost, by the first days of months: as invoiced, otherwise as the running bill has it.
    pub async fn months(
        &self,
        customer: &CustomerId,
        window: Window,
    ) -> Result<BTreeMap<Day, Amount>, Refusal> {
        // The bills come first: a month that is invoiced meanwhile is in both, and then the invoice counts.
        let mut drafts = Vec::new();
        for account in self.tenant.accounts_of(customer).await? {
            let bill = self.tenant.bill(&account, self.tenant.now()).await?;
            drafts.extend(bill.drafts().filter(|draft| !draft.lines.is_empty()).cloned());
        }
        let invoices = self.tenant.customer_invoices(customer).await?;
        let issued = invoices.iter().filter(|(_, _, state)| !is_void(state));
        let issued = issued.filter(|(_, invoice, _)| invoice.draft.kind == InvoiceKind::Period);
        let issued: BTreeSet<_> = issued
            .map(|(_, invoice, _)| (invoice.draft.account.clone(), invoice.draft.period))
            .collect();
        drafts.retain(|draft| !issued.contains(&(draft.account.clone(), draft.period)));

        let mut months: BTreeMap<Day, Amount> = BTreeMap::new();
        let mut add = |month: Day, amount: Amount| {
            let sum = months.entry(month).or_insert(Amount::ZERO);
            *sum = sum.checked_add(amount)?;
            Ok::<(), MoneyError>(())
        };
        for (month, invoiced) in Consolidated::by_month(customer, invoices)? {
            invoiced.sums.iter().try_for_each(|sum| add(month, sum.taxed.total))?;
        }
        for draft in &drafts {
            add(draft.period.start(), draft.taxed.total)?;
        }
        months.retain(|month, _| window.from <= *month && *month < window.until);
        Ok(months)
    }

    async fn with_states<F: Facts + ?Sized>(
        &self,
        facts: &mut F,
        invoices: Vec<Invoice>,
    ) -> Result<Vec<(Invoice, InvoiceState)>, Refusal> {
        let numbers: Vec<_> = invoices.iter().map(|it| (it.series.clone(), it.number)).collect();
        let marks = facts.invoice_marks(&numbers).await?.into_iter();
        let mut states: BTreeMap<u64, _> = marks.map(|mark| (mark.number, mark.state)).collect();
        let with_state = |invoice: Invoice| {
            let state = states.remove(&invoice.number).unwrap_or(InvoiceState::Issued);
            (invoice, state)
        };
        Ok(invoices.into_iter().map(with_state).collect())
    }
}

/// Something that is charged once.
pub struct Charge {
    pub name: &'static str,
    pub amount: Amount,
    pub on: Day,
}

/// What an invoice is called where a number alone would not say of what.
pub fn identifier(invoice: &Invoice) -> String {
    format!("{}-{:06}", invoice.series, invoice.number)
}

/// How many minutes of talk an invoice is for.
pub fn talk_minutes(invoice: &Invoice) -> Result<Amount, MoneyError> {
    let calls = invoice.draft.lines.iter().filter(|line| line.strategy.as_str() == "calls");
    let talk_ms = calls.map(|line| line.quantity);
    minutes(talk_ms.into_iter().try_fold(Quantity::ZERO, Quantity::checked_add)?)
}

fn is_void(state: &InvoiceState) -> bool {
    matches!(state, InvoiceState::Void { .. })
}

fn marked(outcome: billing::Result<billing::Outcome>) -> Result<(), Refusal> {
    match outcome {
        Ok(_) => Ok(()),
        Err(billing::Error::Mark(why)) => Err(Refusal::Conflict(why.to_string())),
        Err(error) => Err(error.into()),
    }
}
