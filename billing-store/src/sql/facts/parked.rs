//! Questions about items that wait to be mended, and about those that were dropped.

use billing_core::{
    decide::{Dropped, Parked},
    item::ItemKey,
    time::Instant,
};

use crate::{
    error::StoreResult,
    sql::{
        connection::Param::{Int, Text},
        facts::ask::page_key,
        session::Session,
        writes::keys_json,
    },
};

/// A statement that asks for parked items, with the columns that `FromCells` reads.
macro_rules! parked {
    ($from:literal) => {
        concat!(
            "select p.source, p.id, p.leg, p.partial, p.account, p.body, p.reason, p.since, p.digest ",
            $from
        )
    };
}

/// Whoever retries, mends or drops one keeps others from doing so.
pub(super) async fn of_keys(unit: &mut Session<'_>, keys: &[ItemKey]) -> StoreResult<Vec<Parked>> {
    let keys = keys_json(&keys.iter().collect::<Vec<_>>())?;
    unit.all_held(
        "billing_parked",
        parked!(
            "from json_each(?2) k cross join billing_parked p \
             on p.tenant = ?1 and p.source = cast(k.value ->> 0 as text) \
             and p.id = cast(k.value ->> 1 as text) \
             and p.leg = cast(k.value ->> 2 as text) \
             and p.partial = cast(k.value ->> 3 as bigint) \
             order by p.source, p.id, p.leg, p.partial"
        ),
        "p",
        &[Text(&keys)],
    )
    .await
}

pub(super) async fn page(
    unit: &mut Session<'_>,
    after: Option<&ItemKey>,
    limit: u32,
) -> StoreResult<Vec<Parked>> {
    let (source, id, leg, partial) = page_key(after);
    unit.all(
        "billing_parked",
        parked!(
            "from billing_parked p \
             where p.tenant = ?1 and (p.source, p.id, p.leg, p.partial) > (?2, ?3, ?4, ?5) \
             order by p.source, p.id, p.leg, p.partial limit ?6"
        ),
        &[Text(source), Text(id), Text(leg), Int(partial), Int(limit.into())],
    )
    .await
}

pub(super) async fn dropped_page(
    unit: &mut Session<'_>,
    after: Option<(Instant, &ItemKey)>,
    limit: u32,
) -> StoreResult<Vec<Dropped>> {
    let at = after.map_or(i64::MIN, |(at, _)| at.micros());
    let (source, id, leg, partial) = page_key(after.map(|(_, key)| key));
    unit.all(
        "billing_dropped",
        "select d.source, d.id, d.leg, d.partial, d.account, d.body, d.parked, d.since, \
         d.reason, d.at, d.digest from billing_dropped d \
         where d.tenant = ?1 and (d.at, d.source, d.id, d.leg, d.partial) > (?2, ?3, ?4, ?5, ?6) \
         order by d.at, d.source, d.id, d.leg, d.partial limit ?7",
        &[Int(at), Text(source), Text(id), Text(leg), Int(partial), Int(limit.into())],
    )
    .await
}
