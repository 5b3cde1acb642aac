//! Questions about days that were handed downstream, and the answers to them.

use std::collections::BTreeSet;

use billing_core::{id::AccountId, settlement::Settlement, time::Day};

use crate::{
    error::StoreResult,
    sql::{
        bulk::json,
        connection::Param::{Int, Text},
        session::Session,
    },
};

/// A statement that asks for settlements, with the columns that `FromCells` reads.
macro_rules! settlements {
    ($from:literal) => {
        concat!(
            "select s.account, s.day, s.day_revision, s.body, s.digest, s.state, s.detail, s.attempts ",
            $from
        )
    };
}

pub(super) async fn of_keys(
    unit: &mut Session<'_>,
    keys: &[(AccountId, Day, u32)],
) -> StoreResult<Vec<Settlement>> {
    let keys: BTreeSet<_> =
        keys.iter().map(|(id, day, revision)| (id, day.ordinal(), revision)).collect();
    let keys = json(&keys)?;
    unit.all(
        "billing_settlement",
        settlements!(
            "from json_each(?2) k cross join billing_settlement s \
             on s.tenant = ?1 and s.account = cast(k.value ->> 0 as text) \
             and s.day = cast(k.value ->> 1 as bigint) \
             and s.day_revision = cast(k.value ->> 2 as bigint)"
        ),
        &[Text(&keys)],
    )
    .await
}

pub(super) async fn of_account(
    unit: &mut Session<'_>,
    account: &AccountId,
) -> StoreResult<Vec<Settlement>> {
    unit.all(
        "billing_settlement",
        settlements!(
            "from billing_settlement s where s.tenant = ?1 and s.account = ?2 \
             order by s.day, s.day_revision"
        ),
        &[Text(account.as_str())],
    )
    .await
}

pub(super) async fn unanswered(
    unit: &mut Session<'_>,
    after: Option<(&AccountId, Day, u32)>,
    limit: u32,
) -> StoreResult<Vec<Settlement>> {
    let (account, day, revision) = after
        .map_or(("", i64::MIN, 0_i64), |(account, day, revision)| {
            (account.as_str(), day.ordinal().into(), revision.into())
        });
    unit.all(
        "billing_settlement",
        settlements!(
            "from billing_settlement s indexed by billing_settlement_unanswered \
             where s.tenant = ?1 and (s.account, s.day, s.day_revision) > (?2, ?3, ?4) \
             and s.state in ('pending', 'sent') \
             order by s.account, s.day, s.day_revision limit ?5"
        ),
        &[Text(account), Int(day), Int(revision), Int(limit.into())],
    )
    .await
}
