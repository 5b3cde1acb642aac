//! Questions about the journal: postings and events, in the order of their numbers.

use std::collections::BTreeSet;

use billing_core::{
    event::{Event, JournalEntry, Posting},
    id::AccountId,
};

use crate::{
    error::StoreResult,
    sql::{
        bulk::json,
        connection::Param::{Int, Text},
        session::Session,
    },
};

/// A statement that asks for postings, with the columns that `FromCells` reads.
macro_rules! postings {
    ($from:literal) => {
        concat!(
            "select p.account, p.seq, p.source, p.id, p.leg, p.partial, p.fingerprint_rule, \
             p.fingerprint, p.cause, p.day, p.assignment, p.strategy, p.grp, p.day_revision, \
             p.rules, p.zone_data, p.unit, p.currency, p.count, p.quantity, p.amount, p.tariff, \
             p.tariff_version, p.tariff_digest, p.line, p.prefix, p.rated_until, \
             p.correction ",
            $from
        )
    };
}

pub(super) async fn page(
    unit: &mut Session<'_>,
    account: &AccountId,
    after: u64,
    limit: u32,
) -> StoreResult<Vec<JournalEntry>> {
    let account = account.as_str();
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let postings: Vec<Posting> = unit
        .all(
            "billing_posting",
            postings!(
                "from billing_posting p \
                 where p.tenant = ?1 and p.account = ?2 and p.seq > ?3 order by p.seq limit ?4"
            ),
            &[Text(account), Int(after), Int(limit.into())],
        )
        .await?;
    let events: Vec<Event> = unit
        .all(
            "billing_event",
            "select account, seq, at, body from billing_event \
             where tenant = ?1 and account = ?2 and seq > ?3 order by seq limit ?4",
            &[Text(account), Int(after), Int(limit.into())],
        )
        .await?;
    let postings = postings.into_iter().map(JournalEntry::Posting);
    let mut entries: Vec<_> = postings.chain(events.into_iter().map(JournalEntry::Event)).collect();
    entries.sort_by_key(JournalEntry::seq);
    entries.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(entries)
}

pub(super) async fn postings(
    unit: &mut Session<'_>,
    numbers: &[(AccountId, u64)],
) -> StoreResult<Vec<Posting>> {
    // No number is beyond what a column holds.
    let numbers = numbers.iter().filter_map(|(id, seq)| Some((id, i64::try_from(*seq).ok()?)));
    let numbers = json(&numbers.collect::<BTreeSet<_>>())?;
    unit.all(
        "billing_posting",
        postings!(
            "from json_each(?2) k cross join billing_posting p \
             on p.tenant = ?1 and p.account = cast(k.value ->> 0 as text) \
             and p.seq = cast(k.value ->> 1 as bigint)"
        ),
        &[Text(&numbers)],
    )
    .await
}
