//! The routes that speak of customers: calls that end now, and what each month costs; fields come in forms.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header::LOCATION},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Value, json};

use billing::{
    Amount, Day, Invoice,
    core::{id::CustomerId, invoice::InvoiceState, item::Party},
};

use super::{
    App,
    calls::{CALL_MINUTES_MAX, MINUTE_MS, Recorded, Stranger, Talk, key},
    contract::Contract,
    digits::Digits,
    fields::{Fields, Page, needed},
    invoices::Window,
    ledger::Ledger,
    refusal::Refusal,
    times,
};

/// The longest list that is answered.
const LIST_MAX: u64 = 1_000;
/// How many entries of its journal back a customer's latest calls are looked for.
const LATEST: usize = 100;

type Months<T> = Json<BTreeMap<u8, T>>;

#[derive(Debug, Serialize)]
pub struct CallView {
    id: u64,
    customer_id: u32,
    start_timestamp: String,
    end_timestamp: String,
}

impl From<Recorded> for CallView {
    fn from(recorded: Recorded) -> Self {
        let Recorded { id, contract, zone, call, end } = recorded;
        Self {
            id,
            customer_id: contract.customer,
            start_timestamp: times::local(call.start, &zone),
            end_timestamp: times::local(end, &zone),
        }
    }
}

#[derive(Debug, Serialize)]
pub struct InvoiceView {
    id: u64,
    customer_id: u32,
    amount_billed: Digits<Amount>,
    date_billed: String,
    date_paid: Option<String>,
    state: &'static str,
}

impl InvoiceView {
    fn of((invoice, state): (Invoice, InvoiceState)) -> Result<Self, Refusal> {
        let contract = Contract::of(&invoice.draft.account).ok_or(Refusal::Failed)?;
        Ok(Self {
            id: invoice.number,
            customer_id: contract.customer,
            amount_billed: Digits(invoice.draft.taxed.total),
            date_billed: times::local(invoice.issued_at, &invoice.draft.zone),
            date_paid: date_paid(&state),
            state: state.name(),
        })
    }
}

pub fn date_paid(state: &InvoiceState) -> Option<String> {
    match state {
        InvoiceState::Paid { on, .. } => Some(on.to_string()),
        _ => None,
    }
}

/// A call of an itemised bill.
#[derive(Debug, Serialize)]
pub struct Item {
    datetime: String,
    duration: Digits<Amount>,
    rate: Digits<Amount>,
}

pub async fn health(State(app): State<App>) -> (StatusCode, Json<Value>) {
    match app.ledger.ask().await {
        Ok(()) => (StatusCode::OK, Json(json!({ "status": "UP" }))),
        Err(_told) => (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "DOWN" }))),
    }
}

/// The calls of all customers, those that began last first.
pub async fn all_calls(
    State(app): State<App>,
    fields: Fields,
) -> Result<Json<Vec<CallView>>, Refusal> {
    let calls = app.ledger.latest_calls(fields.page(LIST_MAX)?).await?;
    Ok(Json(calls.into_iter().map(CallView::from).collect()))
}

/// A customer's calls in order of their numbers, after the call with the number `after`; none of a customer nobody knows.
pub async fn calls(State(app): State<App>, fields: Fields) -> Result<Json<Vec<CallView>>, Refusal> {
    let Some(customer) = customer(&fields)? else { return Ok(Json(Vec::new())) };
    let limit = fields.limit(LIST_MAX)?;
    let after = fields.number("after", 0..=u64::MAX)?.and_then(Contract::of_call);
    let mut calls = Vec::new();
    for account in app.ledger.accounts_of(customer).await? {
        let here = Contract::of(&account.settings.id).ok_or(Refusal::Failed)?;
        let after = match after {
            Some((contract, _)) if here < contract => continue,
            Some((contract, seq)) if here == contract => seq,
            Some(_) | None => 0,
        };
        let rest = limit.saturating_sub(calls.len());
        calls.extend(app.ledger.calls_after(&account, after, rest).await?);
    }
    Ok(Json(calls.into_iter().map(CallView::from).collect()))
}

/// Records a call of `minutes` that ends now, or one from `start` to `end`, and answers with the customer's latest calls.
///
/// All calls would be more with each one that is added: the others are at `/call/customer`.
pub async fn add_call(
    State(app): State<App>,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Json<Vec<CallView>>, Refusal> {
    let ledger = &app.ledger;
    let customer = needed("customer", customer(&fields)?)?;
    let contract = Contract { customer, operator: operator(&fields)? };
    let talk = talk(ledger, contract, &fields).await?;
    let added = ledger.record(contract, key(&headers)?, talk, Stranger::Welcome).await?;
    let account = ledger.account(contract).await?.ok_or(Refusal::Failed)?;
    let latest = account.head.seq.saturating_sub(LATEST.try_into().unwrap_or(u64::MAX));
    let mut calls = ledger.calls_after(&account, latest, LATEST).await?;
    // One that was sent again may be older than these.
    if !calls.iter().any(|call| call.id == added.id) {
        calls.insert(0, added);
    }
    Ok(Json(calls.into_iter().map(CallView::from).collect()))
}

async fn talk(ledger: &Ledger, contract: Contract, fields: &Fields) -> Result<Talk, Refusal> {
    let known = ledger.account(contract).await?;
    let zone = known.map_or_else(|| ledger.tariff.zone.clone(), |known| known.settings.zone);
    let minutes = fields.number("minutes", 1..=CALL_MINUTES_MAX)?;
    let (start, end) = (fields.time("start", &zone)?, fields.time("end", &zone)?);
    let (start, duration_ms) = match (minutes, start, end) {
        (Some(minutes), None, None) => (None, minutes * MINUTE_MS),
        (None, Some(start), Some(end)) => {
            let talk_ms = ledger.talk_ms(start, end).map_err(|why| fields.wrong("end", why))?;
            (Some(start), talk_ms)
        }
        (None, ..) => {
            return Err(fields.wrong("minutes", "it is missing, and so is `start` or `end`"));
        }
        (Some(_), ..) => {
            return Err(fields.wrong("minutes", "accepted is it, or `start` and `end`"));
        }
    };
    if duration_ms == 0 {
        return Err(fields.wrong("end", "the call ends as it starts"));
    }
    Ok(Talk { start, duration_ms, callee: Party::unknown() })
}

/// The invoices of all customers, those issued last first.
pub async fn all_invoices(
    State(app): State<App>,
    fields: Fields,
) -> Result<Json<Vec<InvoiceView>>, Refusal> {
    let invoices = app.ledger.latest_invoices(fields.page(LIST_MAX)?).await?;
    invoices.into_iter().map(InvoiceView::of).collect::<Result<_, _>>().map(Json)
}

/// Every call of a customer by the month in which it began, with what it costs by itself.
pub async fn itemised(
    State(app): State<App>,
    fields: Fields,
) -> Result<Months<Vec<[Item; 1]>>, Refusal> {
    let ledger = &app.ledger;
    let Some((customer, window, _)) = asked(ledger, &fields).await? else {
        return Ok(Json(BTreeMap::new()));
    };
    let everything = Page { offset: 0, limit: usize::MAX };
    let mut calls = Vec::new();
    for owner in ledger.accounts_of(customer).await? {
        let zone = &owner.settings.zone;
        let within = (zone.day_start(window.from), zone.day_start(window.until));
        let prices = ledger.minute_prices(&owner).await?;
        for call in ledger.history(&owner, within, everything).await? {
            let item = Item {
                datetime: times::to_the_minute(call.call.start, &call.zone),
                duration: Digits(call.minutes()?),
                rate: Digits(call.charge(&owner, &prices)?),
            };
            calls.push((call.call.start, call.zone.day_of(call.call.start).month(), item));
        }
    }
    calls.sort_by_key(|(start, ..)| *start);
    let mut months: BTreeMap<u8, Vec<[Item; 1]>> = BTreeMap::new();
    for (_, month, item) in calls {
        months.entry(month).or_default().push([item]);
    }
    Ok(Json(months))
}

/// What each month costs a customer, over all operators.
pub async fn consolidated(
    State(app): State<App>,
    fields: Fields,
) -> Result<Months<Digits<Amount>>, Refusal> {
    let Some((_, window, customer)) = asked(&app.ledger, &fields).await? else {
        return Ok(Json(BTreeMap::new()));
    };
    Ok(by_number(app.ledger.months(&customer, window).await?))
}

/// What one month costs a customer; without a month, what each one does.
pub async fn month(
    State(app): State<App>,
    fields: Fields,
) -> Result<Months<Digits<Amount>>, Refusal> {
    let month = fields.number("month", 0..=u64::from(u8::MAX))?;
    let Some((_, window, customer)) = asked(&app.ledger, &fields).await? else {
        return Ok(Json(BTreeMap::new()));
    };
    let mut months = app.ledger.months(&customer, window).await?;
    months.retain(|first, _| month.is_none_or(|month| u64::from(first.month()) == month));
    Ok(by_number(months))
}

/// On the first of a month: issues the customer's invoices of the month before, and says what they come to. A second time that day
/// it says the same. On another day it leads to the running month.
pub async fn generate(State(app): State<App>, fields: Fields) -> Result<Response, Refusal> {
    let ledger = &app.ledger;
    let customer = needed("customer", customer(&fields)?)?;
    let own = ledger.account(Contract::own(customer)).await?;
    let zone = own.map_or_else(|| ledger.tariff.zone.clone(), |own| own.settings.zone);
    let today = zone.day_of(ledger.tenant.now());
    if today.day_of_month() != 1 {
        let place = format!("/invoice/month?customer_id={customer}&month={}", today.month());
        return Ok((StatusCode::FOUND, [(LOCATION, place)]).into_response());
    }
    let invoices = ledger.issue_last_month(customer, today).await?;
    let mut months = BTreeMap::new();
    for Invoice { draft, .. } in invoices {
        let sum = months.entry(draft.period.start()).or_insert(Amount::ZERO);
        *sum = sum.checked_add(draft.taxed.total)?;
    }
    Ok(by_number(months).into_response())
}

fn by_number(months: BTreeMap<Day, Amount>) -> Months<Digits<Amount>> {
    Json(months.into_iter().map(|(first, amount)| (first.month(), Digits(amount))).collect())
}

/// Which customer and which months are asked for; `None` for a customer nobody knows.
async fn asked(
    ledger: &Ledger,
    fields: &Fields,
) -> Result<Option<(u32, Window, CustomerId)>, Refusal> {
    let year = fields.number("year", 1..=9_998)?.and_then(|year| i16::try_from(year).ok());
    let Some(customer) = customer(fields)? else { return Ok(None) };
    let own = ledger.account(Contract::own(customer)).await?.map(|own| own.settings);
    let Some((zone, id)) = own.and_then(|own| Some((own.zone, own.customer?))) else {
        return Ok(None);
    };
    let window = Window::of(year, zone.day_of(ledger.tenant.now()))?;
    Ok(Some((customer, window, id)))
}

/// The customer, by either of two names.
fn customer(fields: &Fields) -> Result<Option<u32>, Refusal> {
    let name = if fields.has("customer") { "customer" } else { "customer_id" };
    let number = fields.number(name, 1..=u64::from(Contract::CUSTOMER_MAX))?;
    Ok(number.and_then(|number| u32::try_from(number).ok()))
}

/// The operator, if one is named; otherwise the customer's own account is meant.
pub fn operator(fields: &Fields) -> Result<u8, Refusal> {
    let number = fields.number("operator", 1..=u64::from(Contract::OPERATOR_MAX))?;
    Ok(number.and_then(|number| u8::try_from(number).ok()).unwrap_or(0))
}
