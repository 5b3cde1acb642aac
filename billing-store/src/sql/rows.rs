//! Rows into values; a row that cannot be understood says which table it stands in.

use core::{error::Error as StdError, fmt::Display, num::NonZeroU32, str::FromStr};

use serde::de::DeserializeOwned;
use sqlx::{Row as _, ValueRef as _};

use billing_core::{
    account::{AccountSettings, Assignment},
    correction::{Correction, RecordedCorrection},
    decide::{AccountFacts, CarryMove, Claim, Dropped, Intake, Parked, Refusal, StoredItem},
    digest::Digest,
    event::{Cause, Event, Head, Posting},
    id::{AccountId, CustomerId, EpochId, LegId, SeriesId},
    invoice::{Invoice, InvoiceMark, InvoiceState},
    item::{Fingerprint, Incoming, Item, ItemKey},
    outbox::{Cursor, DeadLetter, Lease},
    plan::{PlanBook, PlanSpec},
    settlement::{Handover, Settlement, SettlementState},
    tariff::{Activation, Provenance, SavedTariff, TariffSpec},
    time::{Day, Instant},
    usage::{Carry, CarryKey, DayTotal, TotalKey, Totals},
};

#[cfg(feature = "postgres")]
use crate::sql::postgres;
use crate::{
    error::{StoreError, StoreResult},
    sql::{connection::Row, digests},
    store::BilledPart,
};

/// Takes the next cell as what the caller returns.
macro_rules! cell {
    ($cells:expr) => {{
        let cell = match $cells.row {
            #[cfg(feature = "postgres")]
            Row::Postgres(row) => row.try_get($cells.at),
            #[cfg(feature = "sqlite")]
            Row::Sqlite(row) => row.try_get($cells.at),
        };
        let cell = cell.map_err(|error| $cells.corrupt(error))?;
        $cells.at = $cells.at.saturating_add(1);
        Ok(cell)
    }};
}

/// The cells of one row, read from left to right.
pub(super) struct Cells<'r> {
    row: Row<'r>,
    at: usize,
    table: &'static str,
}

impl<'r> Cells<'r> {
    pub(super) const fn of(table: &'static str, row: Row<'r>) -> Self {
        Self { row, at: 0, table }
    }

    fn corrupt(&self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> StoreError {
        StoreError::corrupt(format!("{}, column {}", self.table, self.at), source)
    }

    fn text(&mut self) -> StoreResult<&'r str> {
        cell!(self)
    }

    fn maybe_text(&mut self) -> StoreResult<Option<&'r str>> {
        cell!(self)
    }

    fn int(&mut self) -> StoreResult<i64> {
        cell!(self)
    }

    fn maybe_int(&mut self) -> StoreResult<Option<i64>> {
        cell!(self)
    }

    fn bytes(&mut self) -> StoreResult<&'r [u8]> {
        cell!(self)
    }

    /// A text that somebody else wrote; PostgreSQL keeps its bytes, because it takes no text with NUL.
    fn foreign(&mut self) -> StoreResult<&'r str> {
        match self.row {
            #[cfg(feature = "postgres")]
            Row::Postgres(_) => {
                let bytes = self.bytes()?;
                core::str::from_utf8(bytes).map_err(|error| self.corrupt(error))
            }
            #[cfg(feature = "sqlite")]
            Row::Sqlite(_) => self.text(),
        }
    }

    /// An amount or a quantity.
    fn decimal<T: FromStr<Err: Display>>(&mut self) -> StoreResult<T> {
        self.maybe_decimal()?.ok_or_else(|| self.corrupt("no number"))
    }

    fn maybe_decimal<T: FromStr<Err: Display>>(&mut self) -> StoreResult<Option<T>> {
        match self.row {
            #[cfg(feature = "postgres")]
            Row::Postgres(row) => {
                let number: Option<postgres::Decimal> =
                    row.try_get(self.at).map_err(|error| self.corrupt(error))?;
                self.at = self.at.saturating_add(1);
                let value = number.map(|number| number.0.parse()).transpose();
                value.map_err(|error: T::Err| self.corrupt(error.to_string()))
            }
            #[cfg(feature = "sqlite")]
            Row::Sqlite(_) => self.maybe(),
        }
    }

    /// A text that a value is written as.
    fn parse<T: FromStr<Err: Display>>(&mut self) -> StoreResult<T> {
        let text = self.text()?;
        text.parse().map_err(|error: T::Err| self.corrupt(error.to_string()))
    }

    fn maybe<T: FromStr<Err: Display>>(&mut self) -> StoreResult<Option<T>> {
        let text = self.maybe_text()?;
        let value = text.map(str::parse).transpose();
        value.map_err(|error: T::Err| self.corrupt(error.to_string()))
    }

    fn number<T: TryFrom<i64>>(&mut self) -> StoreResult<T> {
        let number = self.int()?;
        T::try_from(number).ok().ok_or_else(|| self.corrupt("a number out of range"))
    }

    fn day(&mut self) -> StoreResult<Day> {
        let ordinal = self.number()?;
        Day::from_ordinal(ordinal).map_err(|error| self.corrupt(error.to_string()))
    }

    fn maybe_day(&mut self) -> StoreResult<Option<Day>> {
        let Some(ordinal) = self.maybe_int()? else { return Ok(None) };
        let ordinal = i32::try_from(ordinal).map_err(|error| self.corrupt(error))?;
        Day::from_ordinal(ordinal).map(Some).map_err(|error| self.corrupt(error.to_string()))
    }

    fn instant(&mut self) -> StoreResult<Instant> {
        let micros = self.number()?;
        Instant::from_micros(micros).map_err(|error| self.corrupt(error.to_string()))
    }

    fn maybe_instant(&mut self) -> StoreResult<Option<Instant>> {
        let micros = self.maybe_int()?;
        let instant = micros.map(Instant::from_micros).transpose();
        instant.map_err(|error| self.corrupt(error.to_string()))
    }

    fn digest(&mut self) -> StoreResult<Digest> {
        let bytes = self.bytes()?;
        let bytes = bytes.try_into().ok().ok_or_else(|| self.corrupt("not 32 bytes"))?;
        Ok(Digest::from_bytes(bytes))
    }

    fn json<T: DeserializeOwned>(&mut self) -> StoreResult<T> {
        let text = self.text()?;
        self.of_json(text)
    }

    fn of_json<T: DeserializeOwned>(&self, text: &str) -> StoreResult<T> {
        serde_json::from_str(text).map_err(|error| self.corrupt(error.to_string()))
    }

    fn flag(&mut self) -> StoreResult<bool> {
        match self.number::<i64>()? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(self.corrupt(format!("{other} is neither 0 nor 1"))),
        }
    }

    fn key(&mut self) -> StoreResult<ItemKey> {
        let (source, id, leg) = (self.parse()?, self.parse()?, self.text()?);
        let leg = if leg.is_empty() { None } else { Some(LegId::try_new(leg)) };
        let leg = leg.transpose().map_err(|error| self.corrupt(error.to_string()))?;
        let partial = NonZeroU32::new(self.number()?);
        Ok(ItemKey { source, id, leg, partial })
    }

    fn fingerprint(&mut self) -> StoreResult<Fingerprint> {
        Ok(Fingerprint { rule: self.number()?, digest: self.digest()? })
    }

    fn totals(&mut self) -> StoreResult<Totals> {
        Ok(Totals {
            count: self.number()?,
            quantity: self.decimal()?,
            amount: self.maybe_decimal()?,
        })
    }

    /// What priced a posting: all of it, or nothing.
    fn provenance(&mut self) -> StoreResult<Option<Box<Provenance>>> {
        let Some(tariff) = self.maybe()? else {
            // `version`, `digest`, `line`, `prefix` and `until` are nothing either.
            for _ in 0..5_u8 {
                self.agree(self.is_null(self.at))?;
                self.at = self.at.saturating_add(1);
            }
            return Ok(None);
        };
        let (version, digest, line) = (self.number()?, self.digest()?, self.number()?);
        let (prefix, until) = (self.maybe()?, self.instant()?);
        Ok(Some(Box::new(Provenance { tariff, version, digest, line, prefix, until })))
    }

    fn is_null(&self, at: usize) -> bool {
        let cell = match self.row {
            #[cfg(feature = "postgres")]
            Row::Postgres(row) => row.try_get_raw(at).map(|cell| cell.is_null()),
            #[cfg(feature = "sqlite")]
            Row::Sqlite(row) => row.try_get_raw(at).map(|cell| cell.is_null()),
        };
        cell.unwrap_or(false)
    }

    /// What a row says twice must be the same.
    fn agree(&self, same: bool) -> StoreResult<()> {
        if same { Ok(()) } else { Err(self.corrupt("the row contradicts itself")) }
    }

    fn total_key(&mut self) -> StoreResult<TotalKey> {
        Ok(TotalKey {
            account: self.parse()?,
            day: self.day()?,
            assignment: self.number()?,
            strategy: self.parse()?,
            group: self.parse()?,
            revision: self.number()?,
        })
    }

    fn cause(&mut self) -> StoreResult<Cause> {
        match self.text()? {
            "rated" => Ok(Cause::Rated),
            "superseded" => Ok(Cause::Superseded),
            "void" => Ok(Cause::Void),
            "amend" => Ok(Cause::Amend),
            "rerate" => Ok(Cause::Rerate),
            other => Err(self.corrupt(format!("the cause {other:?} is not known"))),
        }
    }
}

/// A value read from the cells of a row.
pub(super) trait FromCells: Sized {
    fn from_cells(cells: &mut Cells<'_>) -> StoreResult<Self>;
}

impl FromCells for AccountId {
    fn from_cells(cells: &mut Cells<'_>) -> StoreResult<Self> {
        cells.parse()
    }
}

impl FromCells for u64 {
    fn from_cells(cells: &mut Cells<'_>) -> StoreResult<Self> {
        cells.number()
    }
}

/// A step of the schema that was taken: its version, name and digest.
impl FromCells for (i64, String, String) {
    fn from_cells(cells: &mut Cells<'_>) -> StoreResult<Self> {
        Ok((cells.int()?, cells.text()?.to_owned(), cells.text()?.to_owned()))
    }
}

impl FromCells for Digest {
    fn from_cells(cells: &mut Cells<'_>) -> StoreResult<Self> {
        cells.digest()
    }
}

impl FromCells for Option<Day> {
    fn from_cells(cells: &mut Cells<'_>) -> StoreResult<Self> {
        cells.maybe_day()
    }
}

impl FromCells for PlanSpec {
    fn from_cells(cells: &mut Cells<'_>) -> StoreResult<Self> {
        let (plan, version) = (cells.parse()?, cells.number()?);
        let spec: Self = cells.json()?;
        let digest = cells.digest()?;
        cells.agree((&spec.id, spec.version, spec.digest()) == (&plan, version, digest))?;
        Ok(spec)
    }
}

impl FromCells for SavedTariff {
    fn from_cells(cells: &mut Cells<'_>) -> StoreResult<Self> {
        let (tariff, version) = (cells.parse()?, cells.number()?);
        Ok(Self { tariff, version, currency: cells.parse()?, digest: cells.digest()? })
    }
}

impl FromCells for Activation {
    fn from_cells(cells: &mut Cells<'_>) -> StoreResult<Self> {
        Ok(Self { tariff: cells.parse()?, version: cells.number()?, from: cells.instant()? })
    }
}

impl FromCells for TariffSpec {
    fn from_cells(cells: &mut Cells<'_>) -> StoreResult<Self> {
        let saved = SavedTariff::from_cells(cells)?;
        let spec: Self = cells.json()?;
        cells.agree(SavedTariff::from(&spec) == saved)?;
        Ok(spec)
    }
}

impl FromCells for Invoice {
    fn from_cells(cells: &mut Cells<'_>) -> StoreResult<Self> {
        let (series, number, account) = (cells.parse()?, cells.number()?, cells.parse()?);
        let kind = cells.text()?;
        let (start, end, issued_at) = (cells.day()?, cells.day()?, cells.instant()?);
        let (currency, total) = (cells.parse()?, cells.decimal()?);
        let invoice: Self = cells.json()?;
        let digest = cells.digest()?;
        let draft = &invoice.draft;
        let mine = (&invoice.series, invoice.number, &draft.account, invoice.issued_at)
            == (&series, number, &account, issued_at);
        cells.agree(mine && (draft.period.start(), draft.period.end()) == (start, end))?;
        cells.agree(
            (draft.kind.name(), draft.currency, draft.taxed.total) == (kind, currency, total),
        )?;
        cells.agree(invoice.digest() == digest)?;
        Ok(invoice)
    }
}

impl FromCells for BilledPart {
    fn from_cells(cells: &mut Cells<'_>) -> StoreResult<Self> {
        let key = cells.total_key()?;
        let (series, number) = (cells.parse()?, cells.number()?);
        let (line, share, void) = (cells.number()?, cells.decimal()?, cells.flag()?);
        Ok(Self { key, series, number, line, share, void })
    }
}

impl FromCells for EpochId {
    fn from_cells(cells: &mut Cells<'_>) -> StoreResult<Self> {
        cells.parse()
    }
}

impl FromCells for Lease {
    fn from_cells(cells: &mut Cells<'_>) -> StoreResult<Self> {
        let (sink, holder) = (cells.parse()?, cells.parse()?);
        Ok(Self { sink, holder, until: cells.instant()?, token: cells.number()? })
    }
}

impl FromCells for Cursor {
    fn from_cells(cells: &mut Cells<'_>) -> StoreResult<Self> {
        let (sink, account) = (cells.parse()?, cells.parse()?);
        let (seq, attempts) = (cells.number()?, cells.number()?);
        let (retry_at, error) = (cells.maybe_instant()?, cells.maybe()?);
        Ok(Self { sink, account, seq, attempts, retry_at, error })
    }
}

impl FromCells for DeadLetter {
    fn from_cells(cells: &mut Cells<'_>) -> StoreResult<Self> {
        let (sink, account, seq) = (cells.parse()?, cells.parse()?, cells.number()?);
        let (reason, at) = (cells.text()?.to_owned(), cells.instant()?);
        let (attempts, done) = (cells.number()?, cells.maybe_instant()?);
        Ok(Self { sink, account, seq, reason, at, attempts, done })
    }
}

impl FromCells for (SeriesId, u64) {
    fn from_cells(cells: &mut Cells<'_>) -> StoreResult<Self> {
        Ok((cells.parse()?, cells.number()?))
    }
}

/// Without assignments, which are rows of their own.
impl FromCells for AccountFacts {
    fn from_cells(cells: &mut Cells<'_>) -> StoreResult<Self> {
        let customer: Option<CustomerId> = cells.maybe()?;
        let settings: AccountSettings = cells.json()?;
        cells.agree(settings.customer == customer)?;
        Ok(Self {
            settings,
            head: Head {
                seq: cells.number()?,
                chain: cells.digest()?,
                rated_until: cells.maybe_instant()?,
            },
            assignments: Vec::new(),
            invoiced_until: cells.maybe_day()?,
            advanced_until: cells.maybe_day()?,
        })
    }
}

impl FromCells for (AccountId, Assignment) {
    fn from_cells(cells: &mut Cells<'_>) -> StoreResult<Self> {
        let account = cells.parse()?;
        let assignment = Assignment {
            number: cells.number()?,
            from: cells.day()?,
            plan: cells.parse()?,
            version: cells.number()?,
            overrides: cells.json()?,
            digest: cells.digest()?,
        };
        Ok((account, assignment))
    }
}

impl FromCells for StoredItem {
    fn from_cells(cells: &mut Cells<'_>) -> StoreResult<Self> {
        let (key, account) = (cells.key()?, cells.parse()?);
        let (kind, at) = (cells.text()?, cells.instant()?);
        let body = cells.text()?;
        let item: Item = cells.of_json(body)?;
        cells.agree((item.kind(), item.at()) == (kind, at))?;
        let fingerprint = cells.fingerprint()?;
        let (first_seq, current_seq) = (cells.number()?, cells.number()?);
        let (postings, effective): (u32, u32) = (cells.number()?, cells.number()?);
        let max = u32::try_from(PlanBook::STRATEGIES_MAX).unwrap_or(u32::MAX);
        cells.agree(postings.max(effective) <= max.saturating_add(1))?;
        let amended_body = cells.maybe_text()?;
        let amended = amended_body.map(|body| cells.of_json(body)).transpose()?;
        let erased: Option<Digest> = cells.maybe()?;
        let left = || digests::erased(body, amended_body);
        cells.agree(erased.is_none_or(|digest| digest == left()))?;
        let claim = Claim { key, account, fingerprint, first_seq, current_seq, effective, amended };
        Ok(Self { claim, item, postings, erased: erased.is_some() })
    }
}

impl FromCells for Parked {
    fn from_cells(cells: &mut Cells<'_>) -> StoreResult<Self> {
        let (key, account) = (cells.key()?, cells.maybe()?);
        let incoming = Incoming { key, account, item: cells.json()? };
        let parked = Self { incoming, reason: cells.json()?, since: cells.instant()? };
        let digest = cells.digest()?;
        cells.agree(digest == digests::parked(&parked)?)?;
        Ok(parked)
    }
}

impl FromCells for Dropped {
    fn from_cells(cells: &mut Cells<'_>) -> StoreResult<Self> {
        let (key, account) = (cells.key()?, cells.maybe()?);
        let incoming = Incoming { key, account, item: cells.json()? };
        let parked = Parked { incoming, reason: cells.json()?, since: cells.instant()? };
        let dropped = Self { parked, reason: cells.foreign()?.to_owned(), at: cells.instant()? };
        let digest = cells.digest()?;
        cells.agree(digest == digests::dropped(&dropped)?)?;
        Ok(dropped)
    }
}

impl FromCells for RecordedCorrection {
    fn from_cells(cells: &mut Cells<'_>) -> StoreResult<Self> {
        let (id, at, kind) = (cells.parse()?, cells.instant()?, cells.text()?);
        let reason = cells.foreign()?.to_owned();
        let correction = Correction { id, reason, change: cells.json()? };
        let request = cells.digest()?;
        let recorded = Self { correction, request, at, report: cells.json()? };
        let digest = cells.digest()?;
        cells.agree(recorded.correction.change.name() == kind && recorded.digest() == digest)?;
        Ok(recorded)
    }
}

impl FromCells for InvoiceMark {
    fn from_cells(cells: &mut Cells<'_>) -> StoreResult<Self> {
        let (series, number, void) = (cells.parse()?, cells.number()?, cells.flag()?);
        let (at, state) = (cells.instant()?, cells.json()?);
        cells.agree(void == matches!(state, InvoiceState::Void { .. }))?;
        Ok(Self { series, number, at, state })
    }
}

impl FromCells for Settlement {
    fn from_cells(cells: &mut Cells<'_>) -> StoreResult<Self> {
        let (account, day, revision) = (cells.parse()?, cells.day()?, cells.number()?);
        let handover: Handover = cells.json()?;
        let digest = cells.digest()?;
        let mine =
            (&handover.account, handover.day, handover.revision) == (&account, day, revision);
        cells.agree(mine && handover.digest() == digest)?;
        let (name, state): (_, SettlementState) = (cells.text()?, cells.json()?);
        cells.agree(state.name() == name)?;
        Ok(Self { handover, state, attempts: cells.number()? })
    }
}

impl FromCells for Posting {
    fn from_cells(cells: &mut Cells<'_>) -> StoreResult<Self> {
        Ok(Self {
            account: cells.parse()?,
            seq: cells.number()?,
            item: cells.key()?,
            fingerprint: cells.fingerprint()?,
            cause: cells.cause()?,
            day: cells.day()?,
            assignment: cells.number()?,
            strategy: cells.parse()?,
            group: cells.parse()?,
            day_revision: cells.number()?,
            rules: cells.number()?,
            zone_data: cells.text()?.into(),
            unit: cells.parse()?,
            currency: cells.parse()?,
            totals: cells.totals()?,
            provenance: cells.provenance()?,
            correction: cells.maybe()?,
        })
    }
}

impl FromCells for Event {
    fn from_cells(cells: &mut Cells<'_>) -> StoreResult<Self> {
        Ok(Self {
            account: cells.parse()?,
            seq: cells.number()?,
            at: cells.instant()?,
            what: cells.json()?,
        })
    }
}

impl FromCells for DayTotal {
    fn from_cells(cells: &mut Cells<'_>) -> StoreResult<Self> {
        let key = cells.total_key()?;
        let (unit, currency, totals) = (cells.parse()?, cells.parse()?, cells.totals()?);
        let (closed, billed, handed) = (cells.flag()?, cells.flag()?, cells.flag()?);
        Ok(Self { key, unit, currency, totals, closed, billed, handed })
    }
}

impl FromCells for CarryMove {
    fn from_cells(cells: &mut Cells<'_>) -> StoreResult<Self> {
        let key = CarryKey {
            account: cells.parse()?,
            scope: cells.parse()?,
            strategy: cells.parse()?,
            group: cells.parse()?,
        };
        let carry = Carry {
            quantity: cells.decimal()?,
            exact: cells.parse()?,
            billed: cells.decimal()?,
            kept: cells.parse()?,
        };
        Ok(Self { key, carry })
    }
}

impl FromCells for Intake {
    fn from_cells(cells: &mut Cells<'_>) -> StoreResult<Self> {
        let intake = Self {
            id: cells.parse()?,
            label: cells.foreign()?.to_owned(),
            at: cells.instant()?,
            received: cells.number()?,
            recorded: cells.number()?,
            replayed: cells.number()?,
            conflict: cells.number()?,
            parked: cells.number()?,
            refused: cells.number()?,
        };
        let digest = cells.digest()?;
        cells.agree(digest == digests::intake(&intake)?)?;
        Ok(intake)
    }
}

impl FromCells for Refusal {
    fn from_cells(cells: &mut Cells<'_>) -> StoreResult<Self> {
        let (intake, number) = (cells.parse()?, cells.number()?);
        let refusal = Self {
            place: cells.foreign()?.into(),
            reason: cells.foreign()?.to_owned(),
            raw: cells.foreign()?.to_owned(),
        };
        let digest = cells.digest()?;
        cells.agree(digest == digests::refusal(&intake, number, &refusal)?)?;
        Ok(refusal)
    }
}
