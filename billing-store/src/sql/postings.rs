//! How postings are written: those that a tariff has priced with what priced them, those of a correction with its name.

use billing_core::{event::Posting, id::CorrectionId, number::Prefix, tariff::Provenance};

use crate::{
    error::StoreResult,
    sql::{
        bulk::{Cells, Insert},
        session::Session,
        writes::{amount, key},
    },
};

/// The columns that every posting has.
macro_rules! posting {
    ($more:literal) => {
        concat!(
            "billing_posting (tenant, account, seq, source, id, leg, partial, fingerprint_rule, \
             fingerprint, cause, day, assignment, strategy, grp, day_revision, rules, zone_data, \
             unit, currency, count, quantity, amount",
            $more,
            ")"
        )
    };
}

impl Session<'_> {
    pub(super) async fn postings(&mut self, postings: &[Posting]) -> StoreResult<()> {
        let (corrected, arrived): (Vec<_>, Vec<_>) =
            postings.iter().partition(|posting| posting.correction.is_some());
        let (priced, others) = by_price(arrived);
        let insert = Insert { into: posting!(""), columns: 22, on_conflict: "" };
        self.insert(insert, &others, |cells, posting| cells_of(cells, posting)).await?;
        let into = posting!(", tariff, tariff_version, tariff_digest, line, prefix, rated_until");
        let insert = Insert { into, columns: 28, on_conflict: "" };
        self.insert(insert, &priced, |cells, posting| {
            cells_of(cells, posting)?;
            posting.provenance.iter().try_for_each(|provenance| priced_by(cells, provenance))
        })
        .await?;
        let (priced, others) = by_price(corrected);
        let into = posting!(
            ", tariff, tariff_version, tariff_digest, line, prefix, rated_until, correction"
        );
        let insert = Insert { into, columns: 29, on_conflict: "" };
        self.insert(insert, &priced, |cells, posting| {
            cells_of(cells, posting)?;
            posting.provenance.iter().try_for_each(|provenance| priced_by(cells, provenance))?;
            correction(cells, posting)
        })
        .await?;
        let insert = Insert { into: posting!(", correction"), columns: 23, on_conflict: "" };
        self.insert(insert, &others, |cells, posting| {
            cells_of(cells, posting)?;
            correction(cells, posting)
        })
        .await
    }
}

/// Those that a tariff has priced, and the others.
fn by_price(postings: Vec<&Posting>) -> (Vec<&Posting>, Vec<&Posting>) {
    postings.into_iter().partition(|posting| posting.provenance.is_some())
}

fn correction(cells: &mut Cells, posting: &Posting) -> StoreResult<()> {
    cells.maybe_text(posting.correction.as_ref().map(CorrectionId::as_str))
}

fn cells_of(cells: &mut Cells, posting: &Posting) -> StoreResult<()> {
    cells.text(posting.account.as_str())?;
    cells.int(posting.seq)?;
    key(cells, &posting.item)?;
    cells.int(posting.fingerprint.rule)?;
    cells.bytes(posting.fingerprint.digest.as_bytes())?;
    cells.text(posting.cause.name())?;
    cells.int(posting.day.ordinal())?;
    cells.int(posting.assignment)?;
    cells.text(posting.strategy.as_str())?;
    cells.text(posting.group.as_str())?;
    cells.int(posting.day_revision)?;
    cells.int(posting.rules)?;
    cells.text(&posting.zone_data)?;
    cells.text(posting.unit.as_str())?;
    cells.text(posting.currency.code())?;
    cells.int(posting.totals.count)?;
    cells.decimal(posting.totals.quantity)?;
    amount(cells, posting.totals.amount)
}

fn priced_by(cells: &mut Cells, provenance: &Provenance) -> StoreResult<()> {
    let Provenance { tariff, version, digest, line, prefix, until } = provenance;
    cells.text(tariff.as_str())?;
    cells.int(*version)?;
    cells.bytes(digest.as_bytes())?;
    cells.int(*line)?;
    cells.maybe_text(prefix.as_ref().map(Prefix::to_string).as_deref())?;
    cells.int(until.micros())
}
