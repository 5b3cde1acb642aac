//! Questions about the records of batches, and the lines that were refused.

use billing_core::{
    decide::{Intake, Refusal},
    id::IntakeId,
};

use crate::{
    error::StoreResult,
    sql::{
        connection::Param::{Int, Text},
        session::Session,
    },
};

/// A statement that asks for the records of batches, with the columns that `FromCells` reads.
macro_rules! intakes {
    ($from:literal) => {
        concat!(
            "select intake, label, at, received, recorded, replayed, conflict, parked, refused, digest ",
            $from
        )
    };
}

pub(super) async fn of_id(unit: &mut Session<'_>, id: &IntakeId) -> StoreResult<Option<Intake>> {
    let found = unit
        .all(
            "billing_intake",
            intakes!("from billing_intake where tenant = ?1 and intake = ?2"),
            &[Text(id.as_str())],
        )
        .await?;
    Ok(found.into_iter().next())
}

pub(super) async fn page(
    unit: &mut Session<'_>,
    after: Option<&IntakeId>,
    limit: u32,
) -> StoreResult<Vec<Intake>> {
    let after = after.map_or("", IntakeId::as_str);
    unit.all(
        "billing_intake",
        intakes!("from billing_intake where tenant = ?1 and intake > ?2 order by intake limit ?3"),
        &[Text(after), Int(limit.into())],
    )
    .await
}

pub(super) async fn refusals(
    unit: &mut Session<'_>,
    intake: &IntakeId,
) -> StoreResult<Vec<Refusal>> {
    unit.all(
        "billing_refusal",
        "select intake, number, place, reason, raw, digest from billing_refusal \
         where tenant = ?1 and intake = ?2 order by number",
        &[Text(intake.as_str())],
    )
    .await
}
