//! The columns of a record, read as what the mapping says they are.

use core::{num::NonZeroU32, str::FromStr};

use billing_core::{
    digest::Digest,
    id::{AccountId, ItemId},
    item::{ItemKey, Party},
    time::Instant,
};

use crate::{
    accounts::{AccountMap, Origin},
    csv::{
        Choice, Column, Mapping, Moment, Payer, Reason, RecordId, Value, bad_row::Fault,
        payer::Asked, places::Places, splitter::Splitter, times::instant,
    },
};

/// The columns of a record, read as what the mapping says they are.
#[derive(Clone, Copy)]
pub(super) struct Fields<'record> {
    pub(super) mapping: &'record Mapping,
    pub(super) places: &'record Places,
    pub(super) columns: &'record Splitter,
}

impl<'record> Fields<'record> {
    pub(super) fn text(&self, column: &Column) -> Result<&'record str, Fault> {
        self.places.text(self.columns, column)
    }

    /// The text of a column that the mapping may not have; empty then.
    pub(super) fn text_if_any(&self, column: Option<&Column>) -> Result<&'record str, Fault> {
        column.map_or(Ok(""), |column| self.text(column))
    }

    pub(super) fn parse<T: FromStr<Err: Into<Reason>>>(&self, column: &Column) -> Result<T, Fault> {
        self.text(column)?.parse().map_err(|error| Fault::at(column, error))
    }

    pub(super) fn value<T: Clone + FromStr<Err: Into<Reason>>>(
        &self,
        value: &Value<T>,
    ) -> Result<T, Fault> {
        match value {
            Value::Column(column) => self.parse(column),
            Value::Constant(constant) => Ok(constant.clone()),
        }
    }

    pub(super) fn choice<T: Copy>(&self, choice: &Choice<T>) -> Result<T, Fault> {
        match choice {
            Choice::Constant(constant) => Ok(*constant),
            Choice::Listed(listed) => {
                let found = listed.find(self.text(&listed.column)?);
                let unlisted = Reason::Unlisted { listed: listed.values.len() };
                found.ok_or_else(|| Fault::at(&listed.column, unlisted))
            }
        }
    }

    pub(super) fn key(
        &self,
        id: &RecordId,
        leg: Option<&Column>,
        partial: Option<&Column>,
    ) -> Result<ItemKey, Fault> {
        Ok(ItemKey {
            source: self.mapping.source.clone(),
            id: self.id(id)?,
            leg: leg.map_or(Ok(None), |column| self.parse_if_any(column))?,
            partial: partial.map_or(Ok(None), |column| self.partial(column))?,
        })
    }

    /// Who pays what was used at an instant; `party` is the end of it that the account map is asked about.
    pub(super) fn payer<O: Asked>(
        &self,
        payer: &Payer<O>,
        at: Instant,
        accounts: &AccountMap,
        party: impl FnOnce(&O) -> Result<Party, Fault>,
    ) -> Result<Option<AccountId>, Fault> {
        let origin = match payer {
            Payer::Column(column) => return self.parse_if_any(column),
            Payer::Constant(account) => return Ok(Some(account.clone())),
            Payer::Map(origin) => origin,
        };
        let (asked, party) = (origin.asked(), party(origin)?);
        let asked = Origin {
            account_code: self.text_if_any(asked.account_code)?,
            channel: self.text_if_any(asked.channel)?,
            caller: party.as_str(),
        };
        Ok(accounts.find(&asked, self.mapping.zone.day_of(at)).cloned())
    }

    pub(super) fn is_empty(&self, moment: &Moment) -> Result<bool, Fault> {
        let time = self.text_if_any(moment.second_column())?;
        Ok(self.text(moment.column())?.is_empty() && time.is_empty())
    }

    pub(super) fn instant(&self, moment: &Moment) -> Result<Instant, Fault> {
        let read = match moment {
            Moment::Column(column) => instant(self.text(column)?, self.mapping),
            Moment::Parted { date, time } => {
                let text = format!("{} {}", self.text(date)?, self.text(time)?);
                instant(&text, self.mapping)
            }
        };
        read.map_err(|reason| Fault::at(moment.column(), reason))
    }

    /// A number as its end of the call is known by: what the dial plan makes of it.
    pub(super) fn normal(&self, party: Party) -> Party {
        match &self.mapping.dial_plan {
            None => party,
            Some(plan) => plan.normalize(&party).into(),
        }
    }

    fn id(&self, id: &RecordId) -> Result<ItemId, Fault> {
        match id {
            RecordId::Column(column) => self.parse(column),
            RecordId::Digest(columns) => {
                let digest = columns.iter().try_fold(Digest::of(), |digest, column| {
                    Ok::<_, Fault>(digest.text(self.text(column)?))
                })?;
                let id = ItemId::try_new(digest.finish().to_string());
                id.map_err(|error| Reason::from(error).into())
            }
        }
    }

    /// What a column names; nothing if it is empty.
    fn parse_if_any<T: FromStr<Err: Into<Reason>>>(
        &self,
        column: &Column,
    ) -> Result<Option<T>, Fault> {
        if self.text(column)?.is_empty() { Ok(None) } else { self.parse(column).map(Some) }
    }

    fn partial(&self, column: &Column) -> Result<Option<NonZeroU32>, Fault> {
        let text = self.text(column)?;
        // A sign is refused: reading a number would accept a plus.
        let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse().ok().filter(|_| is_digits) {
            Some(number) => Ok(NonZeroU32::new(number)),
            None if text.is_empty() => Ok(None),
            None => Err(Fault::at(column, Reason::Partial)),
        }
    }
}
