//! The routes that speak of operators: who is whose customer, under which plan.

use axum::{
    Json,
    extract::{Path, State},
};
use serde::Serialize;

use billing::core::decide::AccountFacts;

use super::{
    App,
    contract::Contract,
    fields::{Fields, id_in_path},
    ledger::Ledger,
    refusal::Refusal,
    users::user_id,
};

#[derive(Debug, Serialize)]
pub struct Joined {
    operator_id: u8,
    customer_id: u32,
    plan: String,
}

impl Joined {
    fn of(ledger: &Ledger, account: &AccountFacts) -> Result<Self, Refusal> {
        let contract = Contract::of(&account.settings.id).ok_or(Refusal::Failed)?;
        let Contract { customer: customer_id, operator: operator_id } = contract;
        Ok(Self { operator_id, customer_id, plan: ledger.plan_of(account) })
    }
}

/// Makes a customer an operator's too, under a plan of its own; done again, it stays as it is.
pub async fn join(
    State(app): State<App>,
    Path((operator, customer)): Path<(String, String)>,
    fields: Fields,
) -> Result<Json<Joined>, Refusal> {
    let contract = Contract { customer: user_id(&customer)?, operator: operator_id(&operator)? };
    let plan = fields.value("plan", "accepted are postpaid, monthly and prepaid")?;
    let joined = app.ledger.join(contract, plan).await?;
    Ok(Json(Joined::of(&app.ledger, &joined)?))
}

pub async fn customers(
    State(app): State<App>,
    Path(operator): Path<String>,
) -> Result<Json<Vec<Joined>>, Refusal> {
    let accounts = app.ledger.accounts_with(operator_id(&operator)?).await?;
    accounts.iter().map(|it| Joined::of(&app.ledger, it)).collect::<Result<_, _>>().map(Json)
}

pub async fn operators(
    State(app): State<App>,
    Path(customer): Path<String>,
) -> Result<Json<Vec<Joined>>, Refusal> {
    let accounts = app.ledger.accounts_of(user_id(&customer)?).await?;
    let joined = accounts.iter().map(|it| Joined::of(&app.ledger, it));
    let joined = joined.filter(|it| it.as_ref().map_or(true, |it| it.operator_id > 0));
    joined.collect::<Result<_, _>>().map(Json)
}

fn operator_id(text: &str) -> Result<u8, Refusal> {
    match id_in_path("Operator", text, u64::from(Contract::OPERATOR_MAX))? {
        0 => Err(Refusal::NotFound { what: "Operator", id: text.to_owned() }),
        id => u8::try_from(id).map_err(|_above_max| Refusal::Failed),
    }
}
