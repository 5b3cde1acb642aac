//! Aggregates as clients read them, and the request to commit them.

use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
    http::{StatusCode, Uri},
};
use serde::Serialize;

use billing::{
    AccountId, Day, Quantity,
    core::{
        id::{Group, ProductId, Unit},
        plan::Unpriced,
    },
};

use super::{App, Said, digits::Digits, pulse::INVALID, told};

const NOT_FOUND: Said = Said(StatusCode::NOT_FOUND, "Aggregate not found");
const TRY_AGAIN: Said = Said(StatusCode::SERVICE_UNAVAILABLE, "Failed to read aggregates");
const FAILED: Said = Said(StatusCode::INTERNAL_SERVER_ERROR, "Failed to read aggregates");
const COMMITTED: Said = Said(StatusCode::OK, "Aggregated data committed and cleared successfully");

/// What a tenant used of one product, in one unit, on one day, as far as the processor has not accepted it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Aggregate {
    tenant_id: AccountId,
    #[serde(rename = "ProductSKU")]
    product_sku: ProductId,
    use_unit: Unit,
    total_used_amount: Digits<Quantity>,
    aggregation_date: Day,
    pulse_key: String,
}

impl Aggregate {
    /// `None` for a group that is not of a product and a unit; all that are counted here are.
    fn of((tenant_id, day, group): (AccountId, Day, Group), total: Quantity) -> Option<Self> {
        let (product_sku, use_unit) = Unpriced::product_and_unit(&group)?;
        Some(Self {
            pulse_key: pulse_key(&tenant_id, &product_sku, &use_unit, day),
            tenant_id,
            product_sku,
            use_unit,
            total_used_amount: Digits(total),
            aggregation_date: day,
        })
    }
}

/// The parts with `:` between them. A `:` within is written as `%3A` and a `%` as `%25`, so that no two aggregates share a key.
fn pulse_key(tenant: &AccountId, product: &ProductId, unit: &Unit, day: Day) -> String {
    let escape = |text: &str| text.replace('%', "%25").replace(':', "%3A");
    let (tenant, product) = (escape(tenant.as_str()), escape(product.as_str()));
    format!("{tenant}:{product}:{}:{day}", escape(unit.as_str()))
}

/// `GET /aggregates`, or of one day with `?date=`.
pub async fn all(State(app): State<App>, uri: Uri) -> Result<Json<Vec<Aggregate>>, Said> {
    let only = date_of(&uri)?;
    let mut aggregates = read(&app).await?;
    aggregates.retain(|aggregate| only.is_none_or(|only| aggregate.aggregation_date == only));
    Ok(Json(aggregates))
}

/// `GET /aggregates/` and a key.
pub async fn one(
    State(app): State<App>,
    key: Result<Path<String>, PathRejection>,
) -> Result<Json<Aggregate>, Said> {
    let Path(key) = key.map_err(|_no_text| NOT_FOUND)?;
    let found = read(&app).await?.into_iter().find(|aggregate| aggregate.pulse_key == key);
    found.map(Json).ok_or(NOT_FOUND)
}

/// `POST /aggregates/commit`, or of one day with `?date=`.
pub async fn commit(State(app): State<App>, uri: Uri) -> Result<Said, Said> {
    let only = date_of(&uri)?;
    app.committer.commit_asked(only).await?;
    Ok(COMMITTED)
}

async fn read(app: &App) -> Result<Vec<Aggregate>, Said> {
    let totals = app.handing.not_accepted().await;
    let totals = totals.map_err(|error| told(&error, TRY_AGAIN, FAILED))?;
    let aggregates = totals.into_iter().map(|(key, total)| Aggregate::of(key, total));
    aggregates.collect::<Option<_>>().ok_or(FAILED)
}

/// The day in `?date=`, if there is one; a day has no character that would be escaped.
fn date_of(uri: &Uri) -> Result<Option<Day>, Said> {
    let mut pairs = uri.query().unwrap_or_default().split('&');
    let date = pairs.find_map(|pair| pair.strip_prefix("date="));
    date.map(|date| date.parse().map_err(|_no_day| INVALID)).transpose()
}
