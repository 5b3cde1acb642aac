//! The routes that speak of users: they have telephone numbers, their calls have both ends, and an invoice is asked for by its month.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
};
use serde::Serialize;

use billing::{
    Amount, Instant, Invoice,
    core::{decide::AccountFacts, invoice::InvoiceState, item::Party},
};

use super::{
    App,
    calls::{CALL_MINUTES_MAX, MINUTE_MS, Recorded, Stranger, Talk, key},
    contract::Contract,
    customers::{date_paid, operator},
    digits::Digits,
    fields::{Fields, id_in_path, needed},
    invoices::{Issued, identifier, talk_minutes},
    ledger::{Ledger, PhoneNumber},
    refusal::Refusal,
    tariff::PlanName,
    times,
};

/// The most calls that a page of history has.
const PAGE_MAX: u64 = 100;
const COUNTRY_CODE_MAX: u64 = 999;
/// The fifteen digits that a telephone number has at most.
const NUMBER_MAX: u64 = 999_999_999_999_999;
const PLANS: &str = "accepted are postpaid, monthly and prepaid";

#[derive(Debug, Serialize)]
pub struct UserView {
    id: u32,
    country_code: Option<u64>,
    number: Option<u64>,
    plan: String,
    zone: &'static str,
}

impl UserView {
    fn of(ledger: &Ledger, account: &AccountFacts) -> Result<Self, Refusal> {
        let contract = Contract::of(&account.settings.id).ok_or(Refusal::Failed)?;
        let customer = account.settings.customer.as_ref();
        let phone = customer.and_then(|customer| PhoneNumber::of(customer.as_str()));
        Ok(Self {
            id: contract.customer,
            country_code: phone.map(|phone| phone.country_code),
            number: phone.map(|phone| phone.number),
            plan: ledger.plan_of(account),
            zone: account.settings.zone.name(),
        })
    }
}

#[derive(Debug, Serialize)]
pub struct CallView {
    recipient_country_code: Option<u64>,
    recipient_number: Option<u64>,
    duration_in_minutes: Digits<Amount>,
    start_datetime_iso_8601: String,
    end_datetime_iso_8601: String,
    id: u64,
    user_id: u32,
    invoice_id: Option<u64>,
}

impl CallView {
    fn of(recorded: &Recorded, invoices: &BTreeMap<u64, u64>) -> Result<Self, Refusal> {
        let callee = PhoneNumber::of(recorded.call.callee.as_str());
        Ok(Self {
            recipient_country_code: callee.map(|callee| callee.country_code),
            recipient_number: callee.map(|callee| callee.number),
            duration_in_minutes: Digits(recorded.minutes()?),
            start_datetime_iso_8601: times::in_utc(recorded.call.start),
            end_datetime_iso_8601: times::in_utc(recorded.end),
            id: recorded.id,
            user_id: recorded.contract.customer,
            invoice_id: invoices.get(&recorded.id).copied(),
        })
    }
}

#[derive(Debug, Serialize)]
pub struct InvoiceView {
    id: u64,
    user_id: u32,
    identifier: String,
    billing_month: u8,
    billing_year: i16,
    total_minutes: Digits<Amount>,
    total_charges: Digits<Amount>,
    state: &'static str,
    date_paid: Option<String>,
}

impl InvoiceView {
    fn of(invoice: &Invoice, state: &InvoiceState) -> Result<Self, Refusal> {
        let contract = Contract::of(&invoice.draft.account).ok_or(Refusal::Failed)?;
        let month = invoice.draft.period.start();
        Ok(Self {
            id: invoice.number,
            user_id: contract.customer,
            identifier: identifier(invoice),
            billing_month: month.month(),
            billing_year: month.year(),
            total_minutes: Digits(talk_minutes(invoice)?),
            total_charges: Digits(invoice.draft.taxed.total),
            state: state.name(),
            date_paid: date_paid(state),
        })
    }
}

pub async fn create(
    State(app): State<App>,
    fields: Fields,
) -> Result<(StatusCode, Json<UserView>), Refusal> {
    let number = phone_number(&fields, ["country_code", "number"])?;
    let zone = fields.value("zone", "accepted are IANA names such as Europe/Berlin")?;
    let plan = fields.value("plan", PLANS)?;
    let user = app.ledger.open_user(number, zone, plan).await?;
    Ok((StatusCode::CREATED, Json(UserView::of(&app.ledger, &user)?)))
}

pub async fn user(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<UserView>, Refusal> {
    let user = app.ledger.known(Contract::own(user_id(&id)?)).await?;
    Ok(Json(UserView::of(&app.ledger, &user)?))
}

/// Gives a user another plan, from the first of the next month on.
pub async fn change_plan(
    State(app): State<App>,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Json<serde_json::Value>, Refusal> {
    let contract = Contract { customer: user_id(&id)?, operator: operator(&fields)? };
    let plan: PlanName = needed("plan", fields.value("plan", PLANS)?)?;
    let from = app.ledger.change_plan(contract, plan).await?;
    Ok(Json(serde_json::json!({ "plan": plan.name(), "from": from })))
}

pub async fn record_call(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
    fields: Fields,
) -> Result<(StatusCode, Json<CallView>), Refusal> {
    let contract = Contract { customer: user_id(&id)?, operator: operator(&fields)? };
    let owner = app.ledger.known(contract).await?;
    let talk = talk(&app.ledger, &owner, &fields)?;
    let call = app.ledger.record(contract, key(&headers)?, talk, Stranger::NotFound).await?;
    let invoices = app.ledger.invoice_ids(std::slice::from_ref(&call)).await?;
    Ok((StatusCode::CREATED, Json(CallView::of(&call, &invoices)?)))
}

/// What is billed are the minutes. The times must tell the same to the minute, unless they are the same and tell only when the
/// call was; in either case it is kept as that many minutes from its start on.
fn talk(ledger: &Ledger, owner: &AccountFacts, fields: &Fields) -> Result<Talk, Refusal> {
    const MINUTES: &str = "duration_in_minutes";
    const START: &str = "start_datetime_iso_8601";
    const END: &str = "end_datetime_iso_8601";
    let callee = phone_number(fields, ["recipient_country_code", "recipient_number"])?;
    let callee = format!("+{} {}", callee.country_code, callee.number);
    let callee: Party = callee.parse().map_err(|_unfit| Refusal::Failed)?;
    let minutes = needed(MINUTES, fields.number(MINUTES, 0..=CALL_MINUTES_MAX)?)?;
    let start = needed(START, fields.time(START, &owner.settings.zone)?)?;
    let end = needed(END, fields.time(END, &owner.settings.zone)?)?;
    let talk_ms = ledger.talk_ms(start, end).map_err(|why| fields.wrong(END, why))?;
    let duration_ms = minutes * MINUTE_MS;
    if start != end && talk_ms.abs_diff(duration_ms) >= MINUTE_MS {
        let why = "it is not the time between the start and the end of the call";
        return Err(fields.wrong(MINUTES, why));
    }
    Ok(Talk { start: Some(start), duration_ms, callee })
}

/// A page of a user's calls in the order in which they began; empty for a user nobody knows.
pub async fn history(
    State(app): State<App>,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Json<Vec<CallView>>, Refusal> {
    let contract = Contract { customer: user_id(&id)?, operator: operator(&fields)? };
    let page = fields.page(PAGE_MAX)?;
    let Some(owner) = app.ledger.account(contract).await? else { return Ok(Json(Vec::new())) };
    let always = (Instant::MIN, Instant::MAX);
    let calls = app.ledger.history(&owner, always, page).await?;
    let invoices = app.ledger.invoice_ids(&calls).await?;
    calls.iter().map(|call| CallView::of(call, &invoices)).collect::<Result<_, _>>().map(Json)
}

pub async fn call(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<CallView>, Refusal> {
    let number = id_in_path("Call", &id, u64::MAX)?;
    let call = app.ledger.call_of(number).await?.ok_or(Refusal::NotFound { what: "Call", id })?;
    let invoices = app.ledger.invoice_ids(std::slice::from_ref(&call)).await?;
    Ok(Json(CallView::of(&call, &invoices)?))
}

pub async fn create_invoice(
    State(app): State<App>,
    Path((id, year, month)): Path<(String, String, String)>,
    fields: Fields,
) -> Result<(StatusCode, Json<InvoiceView>), Refusal> {
    let contract = Contract { customer: user_id(&id)?, operator: operator(&fields)? };
    let (year, month) = (in_calendar("year", &year, 9_998)?, in_calendar("month", &month, 12)?);
    let month = u8::try_from(month).map_err(|_above_12| Refusal::Failed)?;
    match app.ledger.issue(contract, billing::Day::try_new(year, month, 1)?).await? {
        Issued::New(invoice) => {
            let view = InvoiceView::of(&invoice, &InvoiceState::Issued)?;
            Ok((StatusCode::CREATED, Json(view)))
        }
        Issued::Before(invoice) => {
            Err(Refusal::Exists { identifier: identifier(&invoice), year, month })
        }
    }
}

pub async fn invoice(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<InvoiceView>, Refusal> {
    show(&app.ledger, invoice_id(&id)?).await
}

/// Notes that an invoice was paid, today or `on` a day.
pub async fn pay(
    State(app): State<App>,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Json<InvoiceView>, Refusal> {
    let number = invoice_id(&id)?;
    let on = fields.value("on", "accepted is a date such as 2022-10-14")?;
    app.ledger.pay(number, on, fields.text("reference").unwrap_or_default()).await?;
    show(&app.ledger, number).await
}

/// Makes an invoice void, because it is wrong; what it billed is billed again.
pub async fn void(
    State(app): State<App>,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Json<InvoiceView>, Refusal> {
    let number = invoice_id(&id)?;
    let reason = fields.text("reason").filter(|reason| !reason.is_empty());
    app.ledger.void(number, needed("reason", reason)?).await?;
    show(&app.ledger, number).await
}

async fn show(ledger: &Ledger, number: u64) -> Result<Json<InvoiceView>, Refusal> {
    let (invoice, state) = ledger.invoice(number).await?;
    Ok(Json(InvoiceView::of(&invoice, &state)?))
}

fn phone_number(fields: &Fields, [code, number]: [&str; 2]) -> Result<PhoneNumber, Refusal> {
    Ok(PhoneNumber {
        country_code: needed(code, fields.number(code, 1..=COUNTRY_CODE_MAX)?)?,
        number: needed(number, fields.number(number, 1..=NUMBER_MAX)?)?,
    })
}

pub fn user_id(text: &str) -> Result<u32, Refusal> {
    let id = id_in_path("User", text, u64::from(Contract::CUSTOMER_MAX))?;
    u32::try_from(id).map_err(|_above_max| Refusal::Failed)
}

fn invoice_id(text: &str) -> Result<u64, Refusal> {
    // The store counts to 2^63.
    id_in_path("Invoice", text, i64::MAX.unsigned_abs())
}

/// A year or a month in a path, from 1 on.
fn in_calendar(what: &str, text: &str, max: i16) -> Result<i16, Refusal> {
    let number = text.parse().ok().filter(|number| (1..=max).contains(number));
    number.ok_or_else(|| Refusal::invalid("path", what, format!("accepted are 1 to {max}")))
}
