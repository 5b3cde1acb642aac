//! The month that is billed: a thousand accounts in several zones, each with calls and a fee.

use serde_json::json;

use billing::{CallEnded, Tenant, store::store::Locks};

use crate::children::{Done, below};

pub const ACCOUNTS: u64 = 1_000;
/// What every process takes for the time: October has ended wherever an account is.
pub const NOW: &str = "2026-11-02T12:00:00Z";

const CALLS_EACH: u64 = 2;
/// How many accounts or calls are written in one transaction.
const AT_ONCE: u64 = 500;
const ZONES: [&str; 5] =
    ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Auckland"];
const PLANS: [&str; 2] = [
    r#"{"id":"plan-0","version":1,"currency":"EUR","payment":"postpaid","strategies":[
        {"id":"calls","kind":"flat_rate","terms":{"per_minute":"0.0199","minutes":"pro_rata"}},
        {"id":"fee","kind":"recurring",
         "terms":{"per_period":"9.90","timing":"in_arrears","proration":"none"}}]}"#,
    r#"{"id":"plan-1","version":1,"currency":"EUR","payment":"postpaid","strategies":[
        {"id":"calls","kind":"blocks",
         "terms":{"block_ms":30000,"per_block":"0.2","scope":"lifetime"}},
        {"id":"fee","kind":"recurring",
         "terms":{"per_period":"4.95","timing":"in_arrears","proration":"days"}}]}"#,
];

/// Everything but the invoices.
pub async fn prepare(tenant: &Tenant) -> Done {
    for plan in PLANS {
        tenant.save_plan(&serde_json::from_str(plan)?).await?;
    }
    for first in (0..ACCOUNTS).step_by(usize::try_from(AT_ONCE)?) {
        open_accounts(tenant, first).await?;
    }
    let calls: Vec<CallEnded> = (0..ACCOUNTS * CALLS_EACH).map(call).collect::<Done<_>>()?;
    for calls in calls.chunks(usize::try_from(AT_ONCE)?) {
        let taken = tenant.calls_ended(calls).await?;
        assert_eq!(taken.intake.recorded, taken.intake.received);
    }
    Ok(())
}

async fn open_accounts(tenant: &Tenant, first: u64) -> Done {
    let mut unit = tenant.begin(&Locks::catalog()).await?;
    for number in first..first + AT_ONCE {
        let zone = ZONES[usize::try_from(number % 5)?];
        let settings = json!({
            "id": format!("account-{number:04}"), "currency": "EUR", "zone": zone,
            "anchor": { "from": "2026-10-01", "months": 1 },
            "tax": { "name": "VAT", "percent": "19", "mode": "added" },
        });
        let settings = serde_json::from_value(settings)?;
        tenant.open_account_in(&mut *unit, &settings).await?;
        let (plan, from) = (format!("plan-{}", number % 2).parse()?, "2026-10-01".parse()?);
        tenant.assign_in(&mut *unit, &settings.id, &plan, 1, from).await?;
    }
    unit.commit().await?;
    Ok(())
}

fn call(number: u64) -> Done<CallEnded> {
    let mut random = number;
    // Away from the ends of the month, so that it is October wherever the account is.
    let minute = 1_440 + below(29 * 1_440, &mut random);
    let (day, hour, minute) = (1 + minute / 1_440, minute / 60 % 24, minute % 60);
    Ok(serde_json::from_value(json!({
        "key": { "source": "pbx", "id": number.to_string() },
        "account": format!("account-{:04}", number % ACCOUNTS),
        "call": {
            "start": format!("2026-10-{day:02}T{hour:02}:{minute:02}:00Z"),
            "duration_ms": below(600_000, &mut random),
            "caller": "", "callee": "", "disposition": "answered", "direction": "outbound",
        },
    }))?)
}
