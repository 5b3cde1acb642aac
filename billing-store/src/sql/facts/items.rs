//! Questions about items: by their keys, of an account, and all of them in pages.

use std::collections::BTreeSet;

use billing_core::{decide::StoredItem, id::AccountId, item::ItemKey};

use crate::{
    error::StoreResult,
    sql::{
        bulk::json,
        connection::Param::{Int, Text},
        facts::ask::page_key,
        session::Session,
    },
    store::HistoryPage,
};

/// A statement that asks for items, with the columns that `FromCells` reads.
macro_rules! items {
    ($from:literal) => {
        concat!(
            "select i.source, i.id, i.leg, i.partial, i.account, i.kind, i.at, i.body, \
             i.fingerprint_rule, i.fingerprint, i.first_seq, i.current_seq, i.postings, \
             i.effective, i.amended, i.erased ",
            $from
        )
    };
}
pub(super) use items;

pub(super) async fn of_keys(
    unit: &mut Session<'_>,
    keys: &[ItemKey],
) -> StoreResult<Vec<StoredItem>> {
    let keys = usage_json(keys)?;
    unit.all(
        "billing_item",
        items!(
            "from json_each(?2) k cross join billing_item i on i.tenant = ?1 \
             and i.source = cast(k.value ->> 0 as text) and i.id = cast(k.value ->> 1 as text) \
             and i.leg = cast(k.value ->> 2 as text)"
        ),
        &[Text(&keys)],
    )
    .await
}

pub(super) async fn history(
    unit: &mut Session<'_>,
    account: &AccountId,
    of: &HistoryPage<'_>,
) -> StoreResult<Vec<StoredItem>> {
    let (source, id, leg, partial) = page_key(of.after.map(|(_, key)| key));
    let at = of.after.map_or(i64::MIN, |(at, _)| at.micros());
    let from = of.from.micros().max(at);
    unit.all(
        "billing_item",
        items!(
            "from billing_item i indexed by billing_item_history \
             where i.tenant = ?1 and i.account = ?2 and i.at >= ?3 and i.at < ?4 \
             and (i.at, i.source, i.id, i.leg, i.partial) > (?5, ?6, ?7, ?8, ?9) \
             and (?10 = 1 or i.kind = ?11) \
             order by i.at, i.source, i.id, i.leg, i.partial limit ?12"
        ),
        &[
            Text(account.as_str()),
            Int(from),
            Int(of.until.micros()),
            Int(at),
            Text(source),
            Text(id),
            Text(leg),
            Int(partial),
            Int(of.kind.is_none().into()),
            Text(of.kind.unwrap_or("")),
            Int(of.limit.into()),
        ],
    )
    .await
}

pub(super) async fn page(
    unit: &mut Session<'_>,
    after: Option<&ItemKey>,
    limit: u32,
) -> StoreResult<Vec<StoredItem>> {
    let (source, id, leg, partial) = page_key(after);
    unit.all(
        "billing_item",
        items!(
            "from billing_item i \
             where i.tenant = ?1 and (i.source, i.id, i.leg, i.partial) > (?2, ?3, ?4, ?5) \
             order by i.source, i.id, i.leg, i.partial limit ?6"
        ),
        &[Text(source), Text(id), Text(leg), Int(partial), Int(limit.into())],
    )
    .await
}

/// The usage that keys are of, each once: keys without the numbers of partial records.
fn usage_json(keys: &[ItemKey]) -> StoreResult<String> {
    let usage = keys.iter().map(|key| [key.source.as_str(), key.id.as_str(), key.leg_text()]);
    json(&usage.collect::<BTreeSet<_>>())
}
