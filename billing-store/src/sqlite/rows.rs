//! Rows into values; a row that cannot be understood says which table it stands in.

use core::{error::Error as StdError, fmt::Display, str::FromStr};

use serde::de::DeserializeOwned;
use sqlx::{Decode, Row as _, Sqlite, Type, sqlite::SqliteRow};

use billing_core::{
    account::Assignment,
    decide::{CarryMove, Claim, Intake, Parked, Refusal, StoredItem},
    digest::Digest,
    event::{Cause, Event, Head, Posting},
    id::LegId,
    item::{Fingerprint, Incoming, ItemKey},
    time::{Day, Instant},
    usage::{Carry, CarryKey, DayTotal, TotalKey, Totals},
};

use crate::error::{StoreError, StoreResult};

/// The cells of one row, read from left to right.
pub(super) struct Cells<'r> {
    row: &'r SqliteRow,
    at: usize,
    table: &'static str,
}

impl<'r> Cells<'r> {
    pub(super) const fn of(table: &'static str, row: &'r SqliteRow) -> Self {
        Self { row, at: 0, table }
    }

    fn next<T: Decode<'r, Sqlite> + Type<Sqlite>>(&mut self) -> StoreResult<T> {
        let cell = self.row.try_get(self.at).map_err(|error| self.corrupt(error))?;
        self.at = self.at.saturating_add(1);
        Ok(cell)
    }

    fn corrupt(&self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> StoreError {
        StoreError::corrupt(format!("{}, column {}", self.table, self.at), source)
    }

    fn text(&mut self) -> StoreResult<&'r str> {
        self.next()
    }

    /// A text that a value is written as.
    pub(super) fn parse<T: FromStr<Err: Display>>(&mut self) -> StoreResult<T> {
        let text = self.text()?;
        text.parse().map_err(|error: T::Err| self.corrupt(error.to_string()))
    }

    fn maybe<T: FromStr<Err: Display>>(&mut self) -> StoreResult<Option<T>> {
        let text: Option<&str> = self.next()?;
        let value = text.map(str::parse).transpose();
        value.map_err(|error: T::Err| self.corrupt(error.to_string()))
    }

    pub(super) fn number<T: TryFrom<i64>>(&mut self) -> StoreResult<T> {
        let number: i64 = self.next()?;
        T::try_from(number).ok().ok_or_else(|| self.corrupt("a number out of range"))
    }

    pub(super) fn day(&mut self) -> StoreResult<Day> {
        let ordinal = self.number()?;
        Day::from_ordinal(ordinal).map_err(|error| self.corrupt(error.to_string()))
    }

    pub(super) fn maybe_day(&mut self) -> StoreResult<Option<Day>> {
        let ordinal: Option<i32> = self.next()?;
        let day = ordinal.map(Day::from_ordinal).transpose();
        day.map_err(|error| self.corrupt(error.to_string()))
    }

    fn instant(&mut self) -> StoreResult<Instant> {
        let micros = self.number()?;
        Instant::from_micros(micros).map_err(|error| self.corrupt(error.to_string()))
    }

    fn digest(&mut self) -> StoreResult<Digest> {
        let bytes: &[u8] = self.next()?;
        let bytes = bytes.try_into().ok().ok_or_else(|| self.corrupt("not 32 bytes"))?;
        Ok(Digest::from_bytes(bytes))
    }

    pub(super) fn json<T: DeserializeOwned>(&mut self) -> StoreResult<T> {
        let text = self.text()?;
        serde_json::from_str(text).map_err(|error| self.corrupt(error.to_string()))
    }

    fn flag(&mut self) -> StoreResult<bool> {
        Ok(self.number::<i64>()? != 0)
    }

    pub(super) fn key(&mut self) -> StoreResult<ItemKey> {
        let (source, id, leg) = (self.parse()?, self.parse()?, self.text()?);
        let leg = if leg.is_empty() { None } else { Some(LegId::try_new(leg)) };
        let leg = leg.transpose().map_err(|error| self.corrupt(error.to_string()))?;
        Ok(ItemKey { source, id, leg })
    }

    fn fingerprint(&mut self) -> StoreResult<Fingerprint> {
        Ok(Fingerprint { rule: self.number()?, digest: self.digest()? })
    }

    fn totals(&mut self) -> StoreResult<Totals> {
        Ok(Totals { count: self.number()?, quantity: self.parse()?, amount: self.maybe()? })
    }

    pub(super) fn head(&mut self) -> StoreResult<Head> {
        Ok(Head { seq: self.number()?, chain: self.digest()? })
    }

    /// `assignment, from_day, plan, version`.
    pub(super) fn assignment(&mut self) -> StoreResult<Assignment> {
        Ok(Assignment {
            number: self.number()?,
            from: self.day()?,
            plan: self.parse()?,
            version: self.number()?,
        })
    }

    /// The columns that `item!` names.
    pub(super) fn item(&mut self) -> StoreResult<StoredItem> {
        let (key, account) = (self.key()?, self.parse()?);
        let item = self.json()?;
        let fingerprint = self.fingerprint()?;
        let (first_seq, current_seq) = (self.number()?, self.number()?);
        let claim = Claim { key, account, fingerprint, first_seq, current_seq };
        Ok(StoredItem { claim, item, postings: self.number()? })
    }

    /// The columns that `parked!` names.
    pub(super) fn parked(&mut self) -> StoreResult<Parked> {
        let (key, account) = (self.key()?, self.maybe()?);
        let incoming = Incoming { key, account, item: self.json()? };
        Ok(Parked { incoming, reason: self.json()?, since: self.instant()? })
    }

    /// The columns that `posting!` names.
    pub(super) fn posting(&mut self) -> StoreResult<Posting> {
        Ok(Posting {
            account: self.parse()?,
            seq: self.number()?,
            item: self.key()?,
            fingerprint: self.fingerprint()?,
            cause: self.cause()?,
            day: self.day()?,
            assignment: self.number()?,
            strategy: self.parse()?,
            group: self.parse()?,
            day_revision: self.number()?,
            rules: self.number()?,
            zone_data: self.text()?.into(),
            unit: self.parse()?,
            currency: self.parse()?,
            totals: self.totals()?,
        })
    }

    fn cause(&mut self) -> StoreResult<Cause> {
        match self.text()? {
            "rated" => Ok(Cause::Rated),
            other => Err(self.corrupt(format!("the cause {other:?} is not known"))),
        }
    }

    /// `account, seq, at, body`.
    pub(super) fn event(&mut self) -> StoreResult<Event> {
        Ok(Event {
            account: self.parse()?,
            seq: self.number()?,
            at: self.instant()?,
            what: self.json()?,
        })
    }

    /// The columns that `total!` names.
    pub(super) fn total(&mut self) -> StoreResult<DayTotal> {
        let key = TotalKey {
            account: self.parse()?,
            day: self.day()?,
            assignment: self.number()?,
            strategy: self.parse()?,
            group: self.parse()?,
            revision: self.number()?,
        };
        let (unit, currency, totals) = (self.parse()?, self.parse()?, self.totals()?);
        Ok(DayTotal { key, unit, currency, totals, closed: self.flag()?, billed: self.flag()? })
    }

    /// The columns that `carry!` names.
    pub(super) fn carry(&mut self) -> StoreResult<CarryMove> {
        let key = CarryKey {
            account: self.parse()?,
            scope: self.parse()?,
            strategy: self.parse()?,
            group: self.parse()?,
        };
        let carry = Carry { quantity: self.parse()?, exact: self.parse()?, billed: self.parse()? };
        Ok(CarryMove { key, carry })
    }

    /// The columns that `intake!` names.
    pub(super) fn intake(&mut self) -> StoreResult<Intake> {
        Ok(Intake {
            id: self.parse()?,
            label: self.text()?.to_owned(),
            at: self.instant()?,
            received: self.number()?,
            recorded: self.number()?,
            replayed: self.number()?,
            conflict: self.number()?,
            parked: self.number()?,
            refused: self.number()?,
        })
    }

    /// `place, reason, raw`.
    pub(super) fn refusal(&mut self) -> StoreResult<Refusal> {
        Ok(Refusal {
            place: self.text()?.into(),
            reason: self.text()?.to_owned(),
            raw: self.text()?.to_owned(),
        })
    }
}
