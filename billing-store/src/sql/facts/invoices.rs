//! Questions about invoices: their documents, marks, parts and numbers.

use std::collections::BTreeSet;

use billing_core::{
    id::{AccountId, SeriesId},
    invoice::{Invoice, InvoiceMark},
    time::Day,
};

use crate::{
    error::StoreResult,
    sql::{
        bulk::json,
        connection::Param::{Int, Text},
        session::Session,
    },
    store::BilledPart,
};

/// A statement that asks for invoices, with the columns that `FromCells` reads.
macro_rules! invoices {
    ($from:literal) => {
        concat!(
            "select i.series, i.number, i.account, i.kind, i.period_start, i.period_end, \
             i.issued_at, i.currency, i.total, i.body, i.digest ",
            $from
        )
    };
}

pub(super) async fn of_account(
    unit: &mut Session<'_>,
    account: &AccountId,
) -> StoreResult<Vec<Invoice>> {
    unit.all(
        "billing_invoice",
        invoices!(
            "from billing_invoice i indexed by billing_invoice_account \
             where i.tenant = ?1 and i.account = ?2 order by i.series, i.number"
        ),
        &[Text(account.as_str())],
    )
    .await
}

pub(super) async fn page(
    unit: &mut Session<'_>,
    account: &AccountId,
    after: Option<(Day, &SeriesId, u64)>,
    limit: u32,
) -> StoreResult<Vec<Invoice>> {
    let (start, series, number) = after.map_or((i64::MIN, "", 0), |(start, series, number)| {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        (start.ordinal().into(), series.as_str(), number)
    });
    unit.all(
        "billing_invoice",
        invoices!(
            "from billing_invoice i indexed by billing_invoice_account \
             where i.tenant = ?1 and i.account = ?2 \
             and (i.period_start, i.series, i.number) > (?3, ?4, ?5) \
             order by i.period_start, i.series, i.number limit ?6"
        ),
        &[Text(account.as_str()), Int(start), Text(series), Int(number), Int(limit.into())],
    )
    .await
}

pub(super) async fn last(
    unit: &mut Session<'_>,
    account: &AccountId,
) -> StoreResult<Option<(SeriesId, u64)>> {
    let last = unit
        .all(
            "billing_invoice",
            "select series, number from billing_invoice indexed by billing_invoice_account \
             where tenant = ?1 and account = ?2 and void = 0 \
             order by period_start desc, kind = 'period' desc limit 1",
            &[Text(account.as_str())],
        )
        .await?;
    Ok(last.into_iter().next())
}

pub(super) async fn marks(
    unit: &mut Session<'_>,
    invoices: &[(SeriesId, u64)],
) -> StoreResult<Vec<InvoiceMark>> {
    // No number is beyond what a column holds.
    let invoices =
        invoices.iter().filter_map(|(id, number)| Some((id, i64::try_from(*number).ok()?)));
    let invoices = json(&invoices.collect::<BTreeSet<_>>())?;
    unit.all(
        "billing_invoice_mark",
        "select i.series, i.number, i.void, m.at, m.body from json_each(?2) k \
         cross join billing_invoice i \
         on i.tenant = ?1 and i.series = cast(k.value ->> 0 as text) \
         and i.number = cast(k.value ->> 1 as bigint) \
         left join billing_invoice_mark m \
         on m.tenant = i.tenant and m.series = i.series and m.number = i.number \
         where m.tenant is not null or i.void <> 0",
        &[Text(&invoices)],
    )
    .await
}

pub(super) async fn parts(
    unit: &mut Session<'_>,
    account: &AccountId,
) -> StoreResult<Vec<BilledPart>> {
    unit.all(
        "billing_line_part",
        "select account, day, assignment, strategy, grp, day_revision, series, number, line, \
         share, void from billing_line_part where tenant = ?1 and account = ?2",
        &[Text(account.as_str())],
    )
    .await
}

pub(super) async fn of_number(
    unit: &mut Session<'_>,
    series: &SeriesId,
    number: u64,
) -> StoreResult<Option<Invoice>> {
    let Ok(number) = i64::try_from(number) else { return Ok(None) };
    let found = unit
        .all(
            "billing_invoice",
            invoices!(
                "from billing_invoice i where i.tenant = ?1 and i.series = ?2 and i.number = ?3"
            ),
            &[Text(series.as_str()), Int(number)],
        )
        .await?;
    Ok(found.into_iter().next())
}

pub(super) async fn numbers(
    unit: &mut Session<'_>,
    series: &SeriesId,
    after: u64,
    limit: u32,
) -> StoreResult<Vec<u64>> {
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    unit.all(
        "billing_invoice",
        "select number from billing_invoice \
         where tenant = ?1 and series = ?2 and number > ?3 order by number limit ?4",
        &[Text(series.as_str()), Int(after), Int(limit.into())],
    )
    .await
}

pub(super) async fn all_series(unit: &mut Session<'_>) -> StoreResult<Vec<(SeriesId, u64)>> {
    unit.all(
        "billing_series",
        "select series, last from billing_series where tenant = ?1 order by series",
        &[],
    )
    .await
}
