//! Digests of rows that no journal covers, so that a changed one is noticed when it is read.

use billing_core::{
    decide::{Dropped, Intake, Parked, Refusal},
    digest::Digest,
    id::IntakeId,
};

use crate::{error::StoreResult, sql::bulk::json};

/// Of the content of an item that lost its persons, as it is stored.
pub(super) fn erased(body: &str, amended: Option<&str>) -> Digest {
    Digest::of().text("erased").text(body).maybe(amended).finish()
}

pub(super) fn parked(parked: &Parked) -> StoreResult<Digest> {
    let Parked { incoming, reason, since } = parked;
    Ok(Digest::of().text(&json(incoming)?).text(&json(reason)?).number(since.micros()).finish())
}

pub(super) fn dropped(dropped: &Dropped) -> StoreResult<Digest> {
    let Dropped { parked: was, reason, at } = dropped;
    let was = parked(was)?;
    Ok(Digest::of().bytes(was.as_bytes()).text(reason).number(at.micros()).finish())
}

pub(super) fn intake(intake: &Intake) -> StoreResult<Digest> {
    Ok(Digest::of().text(&json(intake)?).finish())
}

pub(super) fn refusal(intake: &IntakeId, number: u64, refusal: &Refusal) -> StoreResult<Digest> {
    Ok(Digest::of().text(intake.as_str()).number(number).text(&json(refusal)?).finish())
}
