//! Three customers to try the service on, with calls and invoices around the present.

use billing::{
    AccountSettings, Amount, Batch, Call, CallEnded, Day, Instant, ItemKey, Receipt, Zone,
    core::{
        id::{ItemId, SourceId},
        item::{Direction, Disposition, Party},
        time::Resolved,
    },
    store::store::Locks,
};

use super::{
    contract::Contract,
    invoices::Charge,
    ledger::{Ledger, account},
    refusal::Refusal,
    tariff::PlanName,
    times::first_of_month,
};

/// Customer, minutes, and how many months ago the call ended.
const CALLS: [(u32, u64, i32); 6] =
    [(1, 15, 0), (1, 30, 0), (1, 15, 1), (1, 30, 2), (2, 10, 0), (3, 30, 0)];
/// Customer and dollars. What was billed is of a year ago, so that the months since then show the calls alone.
const INVOICES: [(u32, i128); 3] = [(1, 100), (2, 145), (3, 55)];
const INVOICED_MONTHS_AGO: i32 = 12;
/// Who is also the customer of whom.
const OPERATORS: [(u32, u8); 2] = [(2, 3), (3, 3)];

/// Loads everything in one transaction, unless customer 1 is there; gives whether it did.
pub async fn load(ledger: &Ledger) -> Result<bool, Refusal> {
    let own = INVOICES.map(|(customer, _)| Contract::own(customer));
    let with = OPERATORS.map(|(customer, operator)| Contract { customer, operator });
    let ids = own.iter().chain(&with).map(|it| it.account()).collect::<Result<Vec<_>, _>>()?;
    let locks = Locks { catalog: true, ..Locks::accounts(ids) };
    let mut unit = ledger.tenant.begin(&locks.and_series(ledger.series.clone())).await?;
    if account(&mut *unit, &Contract::own(1).account()?).await?.is_some() {
        return Ok(false);
    }
    for contract in own {
        ledger.open_in(&mut *unit, &ledger.stranger(contract)?, PlanName::Postpaid).await?;
    }
    for contract in with {
        let settings = ledger.stranger(Contract::own(contract.customer))?;
        let settings = AccountSettings { id: contract.account()?, ..settings };
        ledger.open_in(&mut *unit, &settings, PlanName::Postpaid).await?;
    }

    let (now, zone) = (ledger.tenant.now(), &ledger.tariff.zone);
    for (customer, dollars) in INVOICES {
        let settings = ledger.stranger(Contract::own(customer))?;
        let on = zone.day_of(months_ago(now, INVOICED_MONTHS_AGO, zone)?);
        let amount = Amount::from_units(dollars, 0)?;
        ledger.charge(&mut *unit, &settings, Charge { name: "balance", amount, on }).await?;
        let month_end = first_of_month(on, 1).ok_or(Refusal::Failed)?;
        let (ids, as_of) = ([settings.id], zone.day_start(month_end));
        ledger.tenant.issue_invoices_in(&mut *unit, &ids, &ledger.series, as_of).await?;
    }
    let calls = (1..).zip(CALLS).map(|(number, (customer, minutes, months))| {
        let duration_ms = minutes * super::calls::MINUTE_MS;
        let call = Call {
            start: months_ago(now, months, zone)?.checked_sub_ms(duration_ms)?,
            duration_ms,
            caller: Party::unknown(),
            callee: Party::unknown(),
            disposition: Disposition::Answered,
            direction: Direction::Outbound,
        };
        let key = ItemKey::new(SourceId::try_new("sample")?, ItemId::try_new(number.to_string())?);
        let account = Some(Contract::own(customer).account()?);
        Ok(Ok(CallEnded { key, account, call }.into()))
    });
    let batch =
        Batch { label: "sample".to_owned(), entries: calls.collect::<Result<_, Refusal>>()? };
    let taken = ledger.tenant.ingest_in(&mut *unit, &batch).await?;
    if !taken.receipts.iter().all(|receipt| matches!(receipt, Receipt::Recorded { .. })) {
        return Err(Refusal::Failed);
    }
    unit.commit().await?;
    Ok(true)
}

/// The same time on the same date of an earlier month, or on its last if it has no such date.
fn months_ago(now: Instant, months: i32, zone: &Zone) -> Result<Instant, Refusal> {
    let local = zone.local(now);
    let first = first_of_month(local.day, -months).ok_or(Refusal::Failed)?;
    let date = local.day.day_of_month();
    let day =
        (1..=date).rev().find_map(|date| Day::try_new(first.year(), first.month(), date).ok());
    let local = billing::core::time::LocalTime { day: day.ok_or(Refusal::Failed)?, ..local };
    Ok(match zone.resolve(local)? {
        Resolved::Unique(at)
        | Resolved::Fold { later: at, .. }
        | Resolved::Gap { after: at, .. } => at,
    })
}
