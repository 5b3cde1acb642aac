//! Questions about accounts: their settings, heads and plans, and which there are.

use std::collections::BTreeMap;

use billing_core::{
    account::Assignment,
    decide::AccountFacts,
    id::{AccountId, CustomerId},
    time::Instant,
};

use crate::{
    error::StoreResult,
    sql::{
        connection::Param::{Int, Text},
        facts::ask::account_json,
        session::Session,
    },
};

pub(super) async fn of_ids(
    unit: &mut Session<'_>,
    ids: &[AccountId],
) -> StoreResult<Vec<AccountFacts>> {
    let keys = account_json(ids)?;
    let assignments: Vec<(AccountId, Assignment)> = unit
        .all(
            "billing_assignment",
            "select a.account, a.assignment, a.from_day, a.plan, a.version, a.overrides, a.digest \
             from json_each(?2) k cross join billing_assignment a \
             on a.tenant = ?1 and a.account = cast(k.value ->> 0 as text) order by a.account, a.from_day",
            &[Text(&keys)],
        )
        .await?;
    let mut of_account: BTreeMap<AccountId, Vec<_>> = BTreeMap::new();
    for (account, assignment) in assignments {
        of_account.entry(account).or_default().push(assignment);
    }
    let mut facts: Vec<AccountFacts> = unit
        .all(
            "billing_account",
            "select s.customer, s.body, a.seq, a.chain, a.rated_until, \
             (select i.period_end \
              from billing_invoice i indexed by billing_invoice_period \
              where i.tenant = a.tenant and i.account = a.account and i.kind = 'period' \
              and i.void = 0 order by i.period_start desc limit 1), \
             (select i.period_end \
              from billing_invoice i indexed by billing_invoice_period \
              where i.tenant = a.tenant and i.account = a.account and i.kind = 'advance' \
              and i.void = 0 order by i.period_start desc limit 1) \
             from json_each(?2) k \
             cross join billing_account a on a.tenant = ?1 and a.account = cast(k.value ->> 0 as text) \
             cross join billing_account_settings s \
             on s.tenant = a.tenant and s.account = a.account",
            &[Text(&keys)],
        )
        .await?;
    for account in &mut facts {
        account.assignments = of_account.remove(&account.settings.id).unwrap_or_default();
    }
    Ok(facts)
}

pub(super) async fn page(
    unit: &mut Session<'_>,
    after: Option<&AccountId>,
    limit: u32,
) -> StoreResult<Vec<AccountId>> {
    let after = after.map_or("", AccountId::as_str);
    unit.all(
        "billing_account",
        "select account from billing_account where tenant = ?1 and account > ?2 \
         order by account limit ?3",
        &[Text(after), Int(limit.into())],
    )
    .await
}

pub(super) async fn rated_beyond(
    unit: &mut Session<'_>,
    at: Instant,
    after: Option<&AccountId>,
    limit: u32,
) -> StoreResult<Vec<AccountId>> {
    unit.all(
        "billing_account",
        "select account from billing_account where tenant = ?1 and account > ?2 \
         and rated_until > ?3 order by account limit ?4",
        &[Text(after.map_or("", AccountId::as_str)), Int(at.micros()), Int(limit.into())],
    )
    .await
}

pub(super) async fn of_customer(
    unit: &mut Session<'_>,
    customer: &CustomerId,
) -> StoreResult<Vec<AccountId>> {
    unit.all(
        "billing_account_settings",
        "select account from billing_account_settings indexed by billing_account_customer \
         where tenant = ?1 and customer = ?2 order by account",
        &[Text(customer.as_str())],
    )
    .await
}

pub(super) async fn unhanded(
    unit: &mut Session<'_>,
    after: Option<&AccountId>,
    limit: u32,
) -> StoreResult<Vec<AccountId>> {
    unit.all(
        "billing_day_total",
        "select distinct account from billing_day_total indexed by billing_day_total_unhanded \
         where tenant = ?1 and account > ?2 and handed = 0 order by account limit ?3",
        &[Text(after.map_or("", AccountId::as_str)), Int(limit.into())],
    )
    .await
}

pub(super) async fn strays(unit: &mut Session<'_>) -> StoreResult<Vec<AccountId>> {
    unit.all(
        "billing_account",
        "select account from (
             select account from billing_account_settings where tenant = ?1
             union select account from billing_assignment where tenant = ?1
             union select account from billing_posting where tenant = ?1
             union select account from billing_event where tenant = ?1
             union select account from billing_day_total where tenant = ?1
             union select account from billing_carry where tenant = ?1
             union select account from billing_invoice where tenant = ?1
             union select account from billing_line_part where tenant = ?1
             union select account from billing_settlement where tenant = ?1
         ) s where not exists (
             select 1 from billing_account a where a.tenant = ?1 and a.account = s.account
         )",
        &[],
    )
    .await
}
