//! Where the columns of a mapping stand in the deck at hand.

use billing_core::{
    id::Group,
    money::{Price, Quantity},
    number::Prefix,
    time::Instant,
};

use crate::{
    csv::{BadHeader, Column, Listed, splitter::Splitter},
    deck::{Change, Columns, Increments, Problem, Setting, bad_row::Fault},
};

/// Where the columns of a mapping stand in the deck at hand.
pub(super) struct Layout {
    pub(super) code: Spot,
    pub(super) country: Option<Spot>,
    pub(super) destination: Value<Group>,
    pub(super) price: Spot,
    pub(super) increments: Value<Increments>,
    pub(super) first_increment: Value<Quantity>,
    pub(super) connect_fee: Value<Price>,
    pub(super) minimum: Value<Price>,
    pub(super) grace: Value<Quantity>,
    pub(super) valid_from: Value<Instant>,
    pub(super) valid_until: Value<Instant>,
    pub(super) change: Option<(Spot, Listed<Change>)>,
    pub(super) blocked: Option<(Spot, Listed<bool>)>,
    pub(super) window: Value<String>,
    pub(super) weight: Value<u32>,
    pub(super) origin: Value<Prefix>,
    pub(super) currency: Option<Spot>,
    /// How many columns the header has.
    header: Option<usize>,
    /// How many columns are read, up to the last of them.
    read: usize,
}

/// A column, and its place counted from 0.
pub(super) struct Spot {
    index: usize,
    column: Column,
}

/// Where a value stands, and what it is if nothing stands there.
pub(super) struct Value<T> {
    spot: Option<Spot>,
    empty: Option<T>,
}

impl Layout {
    pub(super) fn of(
        columns: &Columns,
        header: Option<usize>,
        place: impl Fn(&Column) -> Result<usize, BadHeader>,
    ) -> Result<Self, BadHeader> {
        let spot =
            |column: &Column| place(column).map(|index| Spot { index, column: column.clone() });
        let mut read = 0_usize;
        for column in columns.all() {
            read = read.max(place(column)?.saturating_add(1));
        }
        Ok(Self {
            code: spot(&columns.code)?,
            country: columns.country.as_ref().map(spot).transpose()?,
            destination: Value::of(Some(&columns.destination), spot)?,
            price: spot(&columns.price)?,
            increments: Value::of(Some(&columns.increments), spot)?,
            first_increment: Value::of(columns.first_increment.as_ref(), spot)?,
            connect_fee: Value::of(columns.connect_fee.as_ref(), spot)?,
            minimum: Value::of(columns.minimum.as_ref(), spot)?,
            grace: Value::of(columns.grace.as_ref(), spot)?,
            valid_from: Value::of(columns.valid_from.as_ref(), spot)?,
            valid_until: Value::of(columns.valid_until.as_ref(), spot)?,
            change: listed(columns.change.as_ref(), spot)?,
            blocked: listed(columns.blocked.as_ref(), spot)?,
            window: Value::of(columns.window.as_ref(), spot)?,
            weight: Value::of(columns.weight.as_ref(), spot)?,
            origin: Value::of(columns.origin.as_ref(), spot)?,
            currency: columns.currency.as_ref().map(spot).transpose()?,
            header,
            read,
        })
    }

    /// How many columns the header has, or as many as are read.
    pub(super) fn columns(&self) -> usize {
        self.header.unwrap_or(self.read)
    }

    /// Refuses a row that lacks columns that are read, or has something beyond those of the header.
    pub(super) fn check(&self, row: &Splitter) -> Result<(), Problem> {
        let found = row.count();
        if found < self.read {
            return Err(Problem::TooFewColumns { found, accepted: self.read });
        }
        match self.header {
            Some(accepted) if !are_empty(row, accepted) => {
                Err(Problem::TooManyColumns { found, accepted })
            }
            _ => Ok(()),
        }
    }
}

/// Whether nothing but spaces stands in the columns of a row from one on.
pub(super) fn are_empty(row: &Splitter, first: usize) -> bool {
    let is_space = |byte: &u8| byte.is_ascii_whitespace();
    (first..row.count()).all(|index| row.column(index).unwrap_or_default().iter().all(is_space))
}

fn listed<T: Clone>(
    listed: Option<&Listed<T>>,
    spot: impl Fn(&Column) -> Result<Spot, BadHeader>,
) -> Result<Option<(Spot, Listed<T>)>, BadHeader> {
    listed.map(|listed| Ok((spot(&listed.column)?, listed.clone()))).transpose()
}

impl Spot {
    /// What stands there in a row, without spaces around it.
    pub(super) fn text<'row>(&self, row: &'row Splitter) -> Result<&'row str, Fault> {
        let bytes = row.column(self.index).unwrap_or_default();
        match core::str::from_utf8(bytes) {
            Ok(text) => Ok(text.trim()),
            Err(_) => Err(Fault::at(&self.column, None, Problem::Encoding)),
        }
    }

    pub(super) fn fault(&self, value: &str, problem: impl Into<Problem>) -> Fault {
        Fault::at(&self.column, Some(value), problem.into())
    }
}

impl<T: Clone> Value<T> {
    fn of(
        setting: Option<&Setting<T>>,
        spot: impl Fn(&Column) -> Result<Spot, BadHeader>,
    ) -> Result<Self, BadHeader> {
        Ok(match setting {
            None => Self { spot: None, empty: None },
            Some(Setting::Constant(value)) => Self { spot: None, empty: Some(value.clone()) },
            Some(Setting::Column { column, empty }) => {
                Self { spot: Some(spot(column)?), empty: empty.clone() }
            }
        })
    }

    /// What stands in its column in a row, if it has one.
    pub(super) fn text<'row>(&self, row: &'row Splitter) -> Result<Option<&'row str>, Fault> {
        self.spot.as_ref().map(|spot| spot.text(row)).transpose()
    }

    /// The value in a row, if there is any.
    pub(super) fn read(
        &self,
        row: &Splitter,
        parse: impl FnOnce(&str) -> Result<T, Problem>,
    ) -> Result<Option<T>, Fault> {
        let Some(spot) = &self.spot else { return Ok(self.empty.clone()) };
        let text = spot.text(row)?;
        if text.is_empty() {
            return Ok(self.empty.clone());
        }
        parse(text).map(Some).map_err(|problem| spot.fault(text, problem))
    }

    /// The refusal of a row where the value must be.
    pub(super) fn missing(&self, accepted: &'static str) -> Fault {
        let problem = Problem::Empty { accepted };
        match &self.spot {
            Some(spot) => spot.fault("", problem),
            None => problem.into(),
        }
    }
}
