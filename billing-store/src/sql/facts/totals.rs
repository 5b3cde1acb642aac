//! Questions about what was used: the totals of days, and what bills carry from one to the next.

use std::collections::BTreeSet;

use billing_core::{
    decide::CarryMove,
    id::AccountId,
    time::Day,
    usage::{DayTotal, ScopeKey},
};

use crate::{
    error::StoreResult,
    sql::{
        bulk::json,
        connection::Param::{Int, Text},
        facts::ask::account_json,
        session::Session,
    },
};

/// A statement that asks for day totals, with the columns that `FromCells` reads.
macro_rules! totals {
    ($from:literal) => {
        concat!(
            "select t.account, t.day, t.assignment, t.strategy, t.grp, t.day_revision, t.unit, \
             t.currency, t.count, t.quantity, t.amount, t.closed, t.billed, t.handed ",
            $from
        )
    };
}

/// A statement that asks for carries, with the columns that `FromCells` reads.
macro_rules! carries {
    ($from:literal) => {
        concat!(
            "select c.account, c.scope, c.strategy, c.grp, c.quantity, c.exact, c.billed, c.kept ",
            $from
        )
    };
}

pub(super) async fn of_days(
    unit: &mut Session<'_>,
    days: &[(AccountId, Day)],
) -> StoreResult<Vec<DayTotal>> {
    let days: BTreeSet<_> = days.iter().map(|(id, day)| (id.as_str(), day.ordinal())).collect();
    let days = json(&days)?;
    unit.all(
        "billing_day_total",
        totals!(
            "from json_each(?2) k cross join billing_day_total t \
             on t.tenant = ?1 and t.account = cast(k.value ->> 0 as text) \
             and t.day = cast(k.value ->> 1 as bigint)"
        ),
        &[Text(&days)],
    )
    .await
}

pub(super) async fn unbilled(
    unit: &mut Session<'_>,
    accounts: &[AccountId],
) -> StoreResult<Vec<DayTotal>> {
    let accounts = account_json(accounts)?;
    unit.all(
        "billing_day_total",
        totals!(
            "from json_each(?2) k \
             cross join billing_day_total t indexed by billing_day_total_unbilled \
             on t.tenant = ?1 and t.account = cast(k.value ->> 0 as text) and t.billed = 0"
        ),
        &[Text(&accounts)],
    )
    .await
}

pub(super) async fn unhanded(
    unit: &mut Session<'_>,
    accounts: &[AccountId],
) -> StoreResult<Vec<DayTotal>> {
    let accounts = account_json(accounts)?;
    unit.all(
        "billing_day_total",
        totals!(
            "from json_each(?2) k \
             cross join billing_day_total t indexed by billing_day_total_unhanded \
             on t.tenant = ?1 and t.account = cast(k.value ->> 0 as text) and t.handed = 0"
        ),
        &[Text(&accounts)],
    )
    .await
}

pub(super) async fn between(
    unit: &mut Session<'_>,
    account: &AccountId,
    from: Day,
    until: Day,
) -> StoreResult<Vec<DayTotal>> {
    unit.all(
        "billing_day_total",
        totals!(
            "from billing_day_total t \
             where t.tenant = ?1 and t.account = ?2 and t.day >= ?3 and t.day < ?4"
        ),
        &[Text(account.as_str()), Int(from.ordinal().into()), Int(until.ordinal().into())],
    )
    .await
}

pub(super) async fn of_account(
    unit: &mut Session<'_>,
    account: &AccountId,
) -> StoreResult<Vec<DayTotal>> {
    unit.all(
        "billing_day_total",
        totals!("from billing_day_total t where t.tenant = ?1 and t.account = ?2"),
        &[Text(account.as_str())],
    )
    .await
}

pub(super) async fn first_used(
    unit: &mut Session<'_>,
    account: &AccountId,
    from: Day,
    until: Option<Day>,
) -> StoreResult<Option<Day>> {
    let until = until.map_or(i64::MAX, |until| until.ordinal().into());
    let days: Vec<Option<Day>> = unit
        .all(
            "billing_day_total",
            "select min(day) from billing_day_total \
             where tenant = ?1 and account = ?2 and day >= ?3 and day < ?4",
            &[Text(account.as_str()), Int(from.ordinal().into()), Int(until)],
        )
        .await?;
    Ok(days.into_iter().flatten().next())
}

pub(super) async fn carries(
    unit: &mut Session<'_>,
    scopes: &[(AccountId, ScopeKey)],
) -> StoreResult<Vec<CarryMove>> {
    let scopes: BTreeSet<_> = scopes.iter().map(|(id, scope)| (id, scope.to_string())).collect();
    let scopes = json(&scopes)?;
    unit.all(
        "billing_carry",
        carries!(
            "from json_each(?2) k cross join billing_carry c \
             on c.tenant = ?1 and c.account = cast(k.value ->> 0 as text) \
             and c.scope = cast(k.value ->> 1 as text)"
        ),
        &[Text(&scopes)],
    )
    .await
}

pub(super) async fn carries_of(
    unit: &mut Session<'_>,
    account: &AccountId,
) -> StoreResult<Vec<CarryMove>> {
    unit.all(
        "billing_carry",
        carries!("from billing_carry c where c.tenant = ?1 and c.account = ?2"),
        &[Text(account.as_str())],
    )
    .await
}
