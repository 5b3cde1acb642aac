//! What is kept in the library: customers as accounts, with their plans.

use std::{collections::BTreeMap, error::Error, sync::Arc};

use billing::{
    AccountId, AccountSettings, Billing, Day, PlanBook, PlanSpec, SeriesId, Tenant, Zone,
    clock::Clock,
    core::{
        account::{Decimals, InvoiceProfile, assignment_on},
        decide::{AccountFacts, AssignError, Limits},
        id::CustomerId,
        money::{Currency, Rounding},
        tax::{TaxMode, TaxProfile},
        time::Anchor,
    },
    store::store::{Facts, Locks, Store, Unit},
};

use super::{
    contract::Contract,
    plans::save_plan,
    refusal::Refusal,
    tariff::{PlanName, Tariff},
    times::first_of_month,
};

/// How far back calls are taken, in months: a service like this is handed the calls of years.
const BACK_MONTHS: i32 = 120;
/// The same for the library, which counts in milliseconds; a little less, so that a plan is in force wherever a call is taken.
const BACK_MS: u64 = 3_650 * 24 * 60 * 60 * 1_000;
/// How many accounts are looked at together.
const ACCOUNTS: u32 = 1_000;

pub struct Ledger {
    pub tenant: Tenant,
    /// All invoices are numbered together, so that a number is enough to name one.
    pub series: SeriesId,
    pub tariff: Tariff,
    currency: Currency,
    plans: BTreeMap<PlanName, PlanSpec>,
}

/// A telephone number, as digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhoneNumber {
    pub country_code: u64,
    pub number: u64,
}

impl PhoneNumber {
    /// Who has the number. A customer without one is known by the customer's own number, which has no space in it.
    fn customer(self) -> Result<CustomerId, Refusal> {
        Ok(CustomerId::try_new(format!("{} {}", self.country_code, self.number))?)
    }

    pub fn of(text: &str) -> Option<Self> {
        let (country_code, number) = text.trim_start_matches('+').split_once(' ')?;
        Some(Self { country_code: country_code.parse().ok()?, number: number.parse().ok()? })
    }
}

impl Ledger {
    pub async fn open(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        tariff: Tariff,
    ) -> Result<Self, Box<dyn Error>> {
        let limits = Limits { item_past_ms_max: BACK_MS, ..Limits::default() };
        let tenant =
            Billing::with_limits(store, PlanBook::standard(), clock, limits).tenant("phone")?;
        let mut plans = BTreeMap::new();
        for (name, plan) in tariff.plans()? {
            plans.insert(name, save_plan(&tenant, plan).await?);
        }
        let (series, currency) = ("phone".parse()?, Currency::try_new("USD")?);
        Ok(Self { tenant, series, tariff, currency, plans })
    }

    pub async fn account(&self, contract: Contract) -> Result<Option<AccountFacts>, Refusal> {
        Ok(account(&mut *self.tenant.read().await?, &contract.account()?).await?)
    }

    /// The account of somebody who must be known.
    pub async fn known(&self, contract: Contract) -> Result<AccountFacts, Refusal> {
        self.account(contract).await?.ok_or_else(|| nobody(contract))
    }

    /// All accounts of a customer, the own one first, then by operator; none of a customer nobody knows.
    pub async fn accounts_of(&self, customer: u32) -> Result<Vec<AccountFacts>, Refusal> {
        let mut facts = self.tenant.read().await?;
        let own = account(&mut *facts, &Contract::own(customer).account()?).await?;
        let Some(customer) = own.and_then(|own| own.settings.customer) else {
            return Ok(Vec::new());
        };
        let accounts = facts.accounts_of(&customer).await?;
        let mut accounts = facts.accounts(&accounts).await?;
        accounts.sort_by_key(|account| Contract::of(&account.settings.id));
        Ok(accounts)
    }

    /// The customers that have an account with an operator.
    pub async fn accounts_with(&self, operator: u8) -> Result<Vec<AccountFacts>, Refusal> {
        let mut facts = self.tenant.read().await?;
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = facts.account_page(after.as_ref(), ACCOUNTS).await?;
            let Some(last) = page.last().cloned() else { break };
            let with = |id: &AccountId| Contract::of(id).is_some_and(|it| it.operator == operator);
            let ids: Vec<_> = page.into_iter().filter(with).collect();
            found.extend(facts.accounts(&ids).await?);
            after = Some(last);
        }
        found.sort_by_key(|account| Contract::of(&account.settings.id));
        Ok(found)
    }

    /// Opens the account of a user, under the next number. A telephone number is one user's.
    pub async fn open_user(
        &self,
        number: PhoneNumber,
        zone: Option<Zone>,
        plan: Option<PlanName>,
    ) -> Result<AccountFacts, Refusal> {
        let tax = TaxProfile {
            name: "tax".to_owned(),
            percent: self.tariff.tax_percent,
            mode: TaxMode::Added,
        };
        let customer = number.customer()?;
        loop {
            let contract = Contract::own(self.free_number().await?);
            let id = contract.account()?;
            let locks = Locks { catalog: true, ..Locks::accounts([id.clone()]) };
            let mut unit = self.tenant.begin(&locks).await?;
            if let Some(taken) = unit.accounts_of(&customer).await?.first() {
                return Err(Refusal::Conflict(format!("User {taken} has this number already!")));
            }
            if account(&mut *unit, &id).await?.is_some() {
                // Somebody was faster and took the number that was free.
                continue;
            }
            let settings = AccountSettings {
                tax: Some(tax),
                customer: Some(customer),
                zone: zone.unwrap_or_else(|| self.tariff.zone.clone()),
                ..self.stranger(contract)?
            };
            let plan = plan.unwrap_or(self.tariff.plan);
            let user = self.open_in(&mut *unit, &settings, plan).await?;
            unit.commit().await?;
            return Ok(user);
        }
    }

    /// Gives a customer an account with an operator too; an account that is there already is left as it is.
    pub async fn join(
        &self,
        contract: Contract,
        plan: Option<PlanName>,
    ) -> Result<AccountFacts, Refusal> {
        let settings = self.known(Contract::own(contract.customer)).await?.settings;
        let settings = AccountSettings { id: contract.account()?, ..settings };
        let locks = Locks { catalog: true, ..Locks::accounts([settings.id.clone()]) };
        let mut unit = self.tenant.begin(&locks).await?;
        let joined = match account(&mut *unit, &settings.id).await? {
            Some(there) => there,
            None => {
                let plan = plan.unwrap_or(self.tariff.plan);
                self.open_in(&mut *unit, &settings, plan).await?
            }
        };
        unit.commit().await?;
        Ok(joined)
    }

    /// What a customer's account is opened with whom nobody described: without a telephone number, and without tax. Such a customer
    /// pays by the minute, because a fixed amount would be owed for every mistyped number.
    ///
    /// Amounts have ten decimals, the most there are. Whole minutes at cents have two, and with a whole percentage of tax four:
    /// nothing is rounded then, and otherwise each line and the tax once, half up.
    pub fn stranger(&self, contract: Contract) -> Result<AccountSettings, Refusal> {
        Ok(AccountSettings {
            id: contract.account()?,
            currency: self.currency,
            zone: self.tariff.zone.clone(),
            anchor: Anchor::monthly(Day::try_new(2000, 1, 1)?),
            tax: None,
            customer: Some(CustomerId::try_new(contract.customer.to_string())?),
            invoice: InvoiceProfile {
                decimals: Decimals::try_from(10).ok(),
                rounding: Rounding::HalfUp,
            },
        })
    }

    /// Opens an account and gives it its plan, inside a unit that holds the account and the catalog.
    pub async fn open_in(
        &self,
        unit: &mut dyn Unit,
        settings: &AccountSettings,
        name: PlanName,
    ) -> Result<AccountFacts, Refusal> {
        self.tenant.open_account_in(unit, settings).await?;
        // Talk may be older than its account. A fixed amount is for the months from the first one on, and for none before.
        let back = match name {
            PlanName::Postpaid => BACK_MONTHS,
            PlanName::Monthly | PlanName::Prepaid => 0,
        };
        let today = settings.zone.day_of(self.tenant.now());
        let from = first_of_month(today, -back).ok_or(Refusal::Failed)?;
        let plan = self.plan(name)?;
        self.tenant.assign_in(unit, &settings.id, &plan.id, plan.version, from).await?;
        account(unit, &settings.id).await?.ok_or(Refusal::Failed)
    }

    /// Gives an account another plan from the first of the next month on; gives that day.
    pub async fn change_plan(&self, contract: Contract, name: PlanName) -> Result<Day, Refusal> {
        let zone = self.known(contract).await?.settings.zone;
        let today = zone.day_of(self.tenant.now());
        let from = first_of_month(today, 1).ok_or(Refusal::Failed)?;
        let plan = self.plan(name)?;
        match self.tenant.assign(&contract.account()?, &plan.id, plan.version, from).await {
            Ok(_) => Ok(from),
            Err(billing::Error::Assign(
                why @ (AssignError::Taken { .. } | AssignError::Used { .. }),
            )) => Err(Refusal::Conflict(why.to_string())),
            Err(error) => Err(error.into()),
        }
    }

    /// The name of the plan that an account has today.
    pub fn plan_of(&self, account: &AccountFacts) -> String {
        let today = account.settings.zone.day_of(self.tenant.now());
        assignment_on(&account.assignments, today).map_or("", |now| now.plan.as_str()).to_owned()
    }

    /// Reads something, whatever it is, so that a store that cannot answer says so.
    pub async fn ask(&self) -> Result<(), Refusal> {
        self.tenant.read().await?.account_page(None, 1).await?;
        Ok(())
    }

    fn plan(&self, name: PlanName) -> Result<&PlanSpec, Refusal> {
        self.plans.get(&name).ok_or(Refusal::Failed)
    }

    /// A number that no customer has while its neighbour below is taken: found by doubling, then by halving.
    async fn free_number(&self) -> Result<u32, Refusal> {
        let mut facts = self.tenant.read().await?;
        let end = Contract::CUSTOMER_MAX + 1;
        let (mut taken, mut free) = (0, 1);
        while free < end && is_taken(&mut *facts, free).await? {
            (taken, free) = (free, end.min(free * 2));
        }
        while free - taken > 1 {
            let middle = u32::midpoint(taken, free);
            match is_taken(&mut *facts, middle).await? {
                true => taken = middle,
                false => free = middle,
            }
        }
        let none = || Refusal::Conflict("all numbers of customers are taken".to_owned());
        (free < end).then_some(free).ok_or_else(none)
    }
}

async fn is_taken(facts: &mut dyn Facts, customer: u32) -> Result<bool, Refusal> {
    Ok(account(facts, &Contract::own(customer).account()?).await?.is_some())
}

/// What is said of a customer nobody knows, or who is not an operator's.
pub fn nobody(Contract { customer, operator }: Contract) -> Refusal {
    let id = if operator == 0 { String::new() } else { format!(" with operator {operator}") };
    Refusal::NotFound { what: "User", id: format!("{customer}{id}") }
}

pub async fn account<F: Facts + ?Sized>(
    facts: &mut F,
    id: &AccountId,
) -> Result<Option<AccountFacts>, billing::Error> {
    Ok(facts.accounts(std::slice::from_ref(id)).await?.pop())
}
