//! Pulses as clients report them: `POST /pulses`.

use axum::{
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::{HeaderMap, StatusCode},
};
use serde_json::value::RawValue;
use uuid::Uuid;

use billing::{
    AccountId, Instant, ItemKey, Quantity,
    core::{
        id::{ItemId, ProductId, SourceId, Unit},
        plan::Unpriced,
    },
};

use super::{
    App, Said,
    ledger::{Report, Verdict},
    object::{Fields, fields_of},
};

const PROCESSED: Said = Said(StatusCode::OK, "Pulse processed successfully");
/// What cannot be read as a pulse.
pub const INVALID: Said = Said(StatusCode::BAD_REQUEST, "Invalid input");
/// What can be read, and is not to be counted.
const NOT_ACCEPTED: Said = Said(StatusCode::BAD_REQUEST, "Failed to process pulse");
const ID_TAKEN: Said = Said(StatusCode::CONFLICT, "Pulse id belongs to another pulse");
pub const TRY_AGAIN: Said = Said(StatusCode::SERVICE_UNAVAILABLE, "Failed to process pulse");
pub const FAILED: Said = Said(StatusCode::INTERNAL_SERVER_ERROR, "Failed to process pulse");

pub async fn report(
    State(app): State<App>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Said, Said> {
    let body = body.map_err(|rejection| Said(rejection.status(), INVALID.1))?;
    let report = read(&headers, &body)?;
    match app.bus.publish(report).await.unwrap_or(Err(TRY_AGAIN))? {
        Verdict::Counted => Ok(PROCESSED),
        Verdict::IdTaken => Err(ID_TAKEN),
        Verdict::NotAccepted => Err(NOT_ACCEPTED),
    }
}

/// Reads a report; what is left out counts as empty.
fn read(headers: &HeaderMap, body: &Bytes) -> Result<Report, Said> {
    let fields = fields_of(headers, body).map_err(|_no_fields| INVALID)?;
    let (tenant, product) = (text(&fields, "tenant_id")?, text(&fields, "product_sku")?);
    let (unit, amount) = (text(&fields, "use_unit")?, whole(&fields, "used_amount")?);
    let id = value(&fields, "id").map(text_of).transpose()?;
    let at = value(&fields, "at").map(instant_of).transpose()?;
    if amount == 0 {
        return Err(NOT_ACCEPTED);
    }
    let report = Report {
        key: key(&tenant, id)?,
        tenant: AccountId::try_new(tenant).map_err(|_not_a_name| NOT_ACCEPTED)?,
        at,
        product: ProductId::try_new(product).map_err(|_not_a_name| NOT_ACCEPTED)?,
        unit: Unit::try_new(unit).map_err(|_not_a_name| NOT_ACCEPTED)?,
        amount: Quantity::from_units(amount.into(), 0).map_err(|_too_much| NOT_ACCEPTED)?,
    };
    // A product and a unit that are too long together have no total of their own.
    let group = Unpriced::group_of(&report.product, &report.unit);
    group.map(|_| report).ok_or(NOT_ACCEPTED)
}

/// What a pulse is known by for ever: the tenant's own name for it, or one that nobody else draws.
///
/// The tenant is the source, so that two tenants may use the same names.
fn key(tenant: &str, id: Option<String>) -> Result<ItemKey, Said> {
    let source = SourceId::try_new(tenant).map_err(|_not_a_name| NOT_ACCEPTED)?;
    let id = id.unwrap_or_else(|| Uuid::now_v7().to_string());
    Ok(ItemKey::new(source, ItemId::try_new(id).map_err(|_not_a_name| NOT_ACCEPTED)?))
}

fn value<'a>(fields: &Fields<'a>, field: &str) -> Option<&'a str> {
    fields.get(field).map(|value: &&RawValue| value.get()).filter(|value| *value != "null")
}

fn text(fields: &Fields<'_>, field: &str) -> Result<String, Said> {
    value(fields, field).map_or_else(|| Ok(String::new()), text_of)
}

fn text_of(json: &str) -> Result<String, Said> {
    serde_json::from_str(json).map_err(|_no_text| INVALID)
}

fn instant_of(json: &str) -> Result<Instant, Said> {
    serde_json::from_str(json).map_err(|_no_instant| INVALID)
}

/// A whole number of 64 bits, read digit by digit: one with a fraction or an exponent is none.
fn whole(fields: &Fields<'_>, field: &str) -> Result<i64, Said> {
    let number = value(fields, field);
    number.map_or(Ok(0), |number| number.parse().map_err(|_not_whole| INVALID))
}
