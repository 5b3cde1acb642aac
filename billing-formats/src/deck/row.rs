//! One row of a deck, read as the mapping says.

use std::collections::BTreeMap;

use billing_core::{
    id::Group,
    money::{Price, Quantity},
    number::Prefix,
    time::Instant,
};

use crate::{
    csv::{choice::are_same, splitter::Splitter},
    deck::{
        Change, DataRows, Increments, InvalidIncrements, Mapping, Per, Problem,
        bad_row::Fault,
        code::{self, Codes, Named},
        date::{self, Edge},
        increments::quantity,
        layout::{Layout, are_empty},
        price::{check_currency, price},
        terms::Terms,
    },
};

/// Reads rows, with the same buffers for all of them.
pub(super) struct Rows<'mapping> {
    mapping: &'mapping Mapping,
    layout: Layout,
    /// The codes of the row.
    pub(super) codes: Codes,
    /// The name of its destination; where it withdraws codes, any.
    pub(super) destination: Option<Group>,
    /// The names of windows so far.
    pub(super) windows: Vec<String>,
    window_places: BTreeMap<String, u32>,
    // Rows repeat these texts far more often than not.
    increments: Last<Increments>,
    from: Last<Instant>,
    until: Last<Instant>,
}

/// What a row is.
pub(super) enum Row {
    Blank,
    /// None that is to be read.
    PassedOver,
    /// One that says something of codes.
    Terms {
        named: Named,
        terms: Terms,
        is_withdrawn: bool,
    },
}

impl<'mapping> Rows<'mapping> {
    pub(super) fn new(mapping: &'mapping Mapping, layout: Layout) -> Self {
        Self {
            mapping,
            layout,
            codes: Codes::default(),
            destination: None,
            windows: Vec::new(),
            window_places: BTreeMap::new(),
            increments: Last::none(),
            from: Last::none(),
            until: Last::none(),
        }
    }

    /// Reads a row; its codes and destination stay here until the next.
    pub(super) fn read(&mut self, row: &Splitter) -> Result<Row, Fault> {
        if are_empty(row, 0) {
            return Ok(Row::Blank);
        }
        if self.mapping.rows == DataRows::WithCode && !self.has_code(row)? && !self.is_meant(row)? {
            return Ok(Row::PassedOver);
        }
        self.layout.check(row)?;
        let named = self.read_codes(row)?;
        self.check_currency(row)?;
        let change = self.change(row)?;
        let is_withdrawn = change == Some(Change::Withdrawn);
        let price = if is_withdrawn { None } else { self.price(row, change)? };
        if !is_withdrawn {
            self.read_destination(row)?;
        }
        let terms = self.terms(row, price)?;
        Ok(Row::Terms { named, terms, is_withdrawn })
    }

    fn has_code(&self, row: &Splitter) -> Result<bool, Fault> {
        let Layout { code, country, .. } = &self.layout;
        let before = country.as_ref().map_or(Ok(""), |country| country.text(row))?;
        let first = if before.is_empty() { code.text(row)? } else { before };
        Ok(code::is_begun(first))
    }

    /// Whether a row says something that must not be lost with a damaged code: a price, a block or a withdrawal.
    fn is_meant(&self, row: &Splitter) -> Result<bool, Fault> {
        let price = self.layout.price.text(row)?;
        let said = self.layout.change.as_ref().map(|(spot, listed)| {
            spot.text(row).map(|text| listed.find(text).filter(|_| !text.is_empty()))
        });
        let change = said.transpose()?.flatten();
        Ok(!price.is_empty()
            && (self.is_blocked(price) || self::price(price, self.mapping).is_ok())
            || matches!(change, Some(Change::Withdrawn | Change::Blocked)))
    }

    fn is_blocked(&self, price: &str) -> bool {
        self.mapping.blocked_prices.iter().any(|word| are_same(word, price))
    }

    fn read_codes(&mut self, row: &Splitter) -> Result<Named, Fault> {
        let Layout { code, country, .. } = &self.layout;
        let before = country.as_ref().map_or(Ok(""), |country| country.text(row))?;
        let text = code.text(row)?;
        if let Some(country) = country.as_ref().filter(|_| before.is_empty() && text != "*") {
            // Where a spreadsheet merged cells, only the first of them has the country.
            return Err(country.fault("", Problem::Empty { accepted: "the country of the code" }));
        }
        code::read(before, text, self.mapping, &mut self.codes)
            .map_err(|problem| code.fault(text, problem))
    }

    fn check_currency(&self, row: &Splitter) -> Result<(), Fault> {
        let Some(spot) = &self.layout.currency else { return Ok(()) };
        let text = spot.text(row)?;
        check_currency(text, self.mapping.currency).map_err(|problem| spot.fault(text, problem))
    }

    fn change(&self, row: &Splitter) -> Result<Option<Change>, Fault> {
        let Some((spot, listed)) = &self.layout.change else { return Ok(None) };
        let text = spot.text(row)?;
        let unlisted = || spot.fault(text, Problem::Unlisted { listed: listed.values.len() });
        listed.find(text).ok_or_else(unlisted).map(Some)
    }

    /// The price; `None` where calls are not to be made.
    fn price(&self, row: &Splitter, change: Option<Change>) -> Result<Option<Price>, Fault> {
        if change == Some(Change::Blocked) {
            return Ok(None);
        }
        if let Some((spot, listed)) = &self.layout.blocked {
            let text = spot.text(row)?;
            match listed.find(text) {
                Some(true) => return Ok(None),
                Some(false) => {}
                None => {
                    let listed = listed.values.len();
                    return Err(spot.fault(text, Problem::Unlisted { listed }));
                }
            }
        }
        let spot = &self.layout.price;
        let text = spot.text(row)?;
        if self.is_blocked(text) {
            return Ok(None);
        }
        if text.is_empty() {
            return Err(spot.fault(text, Problem::Empty { accepted: "a price, such as 0.015" }));
        }
        price(text, self.mapping).map(Some).map_err(|problem| spot.fault(text, problem))
    }

    fn read_destination(&mut self, row: &Splitter) -> Result<(), Fault> {
        let Self { layout: Layout { destination, .. }, destination: last, .. } = self;
        let text = destination.text(row)?;
        if last.as_ref().is_some_and(|last| text.is_none_or(|text| text == last.as_str())) {
            return Ok(());
        }
        let read = destination.read(row, name)?;
        *last = Some(read.ok_or_else(|| destination.missing("a name of up to 255 bytes"))?);
        Ok(())
    }

    fn terms(&mut self, row: &Splitter, price: Option<Price>) -> Result<Terms, Fault> {
        let (valid_from, valid_until) = self.validity(row)?;
        let number = |text: &str| text.parse().map_err(|_other| Problem::Weight);
        let origin = |text: &str| Prefix::try_new(text).map_err(Problem::Prefix);
        let window = self.window(row)?;
        let blocked = Terms {
            price: None,
            per: Quantity::ZERO,
            increments: Increments { first: Quantity::ZERO, next: Quantity::ZERO },
            connect_fee: Price::ZERO,
            minimum: Price::ZERO,
            grace: Quantity::ZERO,
            origin: self.layout.origin.read(row, origin)?,
            window,
            weight: self.layout.weight.read(row, number)?.unwrap_or_default(),
            valid_from,
            valid_until,
        };
        if price.is_none() {
            return Ok(blocked);
        }
        let increments = self.increments(row)?;
        let per = match self.mapping.per {
            Per::Minute => Quantity::from(60),
            Per::Second => Quantity::from(1),
            Per::Increment => increments.next,
            Per::Quantity(quantity) => quantity,
        };
        let fee = |text: &str| self::price(text, self.mapping);
        let grace = |text: &str| quantity(text).ok_or(Problem::Quantity);
        Ok(Terms {
            price,
            per,
            increments,
            connect_fee: self.layout.connect_fee.read(row, fee)?.unwrap_or(Price::ZERO),
            minimum: self.layout.minimum.read(row, fee)?.unwrap_or(Price::ZERO),
            grace: self.layout.grace.read(row, grace)?.unwrap_or(Quantity::ZERO),
            ..blocked
        })
    }

    fn validity(&mut self, row: &Splitter) -> Result<(Option<Instant>, Option<Instant>), Fault> {
        let Self { mapping, layout, from, until, .. } = self;
        let from = layout
            .valid_from
            .read(row, |text| from.of(text, |text| date::instant(text, Edge::From, mapping)))?;
        let end = &layout.valid_until;
        let until = match end.text(row)? {
            Some(text) if date::is_never(text, mapping) => None,
            _ => end.read(row, |text| {
                until.of(text, |text| date::instant(text, Edge::Until, mapping))
            })?,
        };
        if from.zip(until).is_some_and(|(from, until)| until <= from) {
            return Err(Problem::Validity.into());
        }
        Ok((from, until))
    }

    fn increments(&mut self, row: &Splitter) -> Result<Increments, Fault> {
        let Self { mapping, layout, increments, .. } = self;
        let max = mapping.increment_max;
        let within = |quantity: Quantity| {
            Some(quantity).filter(|quantity| *quantity <= max).ok_or(Problem::IncrementMax { max })
        };
        let read = layout.increments.read(row, |text| {
            increments.of(text, |text| {
                let read: Increments = text.parse().map_err(Problem::Increments)?;
                Ok(Increments { first: within(read.first)?, next: within(read.next)? })
            })
        })?;
        let read = read.ok_or_else(|| layout.increments.missing("increments, such as 60/60"))?;
        let first = layout
            .first_increment
            .read(row, |text| within(quantity(text).ok_or(InvalidIncrements)?))?;
        Ok(first.map_or(read, |first| Increments { first, next: read.next }))
    }

    /// The place of the row's window among the names so far.
    fn window(&mut self, row: &Splitter) -> Result<Option<u32>, Fault> {
        let Self { layout, windows, window_places, .. } = self;
        let read = layout.window.read(row, |text| {
            if windows.len() >= WINDOWS_MAX && !window_places.contains_key(text) {
                return Err(Problem::TooManyWindows);
            }
            Ok(text.to_owned())
        })?;
        let Some(name) = read else { return Ok(None) };
        if let Some(place) = window_places.get(&name) {
            return Ok(Some(*place));
        }
        let place = u32::try_from(windows.len()).map_err(|_beyond| Problem::TooManyWindows)?;
        windows.push(name.clone());
        let _none: Option<u32> = window_places.insert(name, place);
        Ok(Some(place))
    }
}

/// The most windows that the rows of a deck may name.
pub(super) const WINDOWS_MAX: usize = 1_000;

/// The name of a destination, in one line.
fn name(text: &str) -> Result<Group, Problem> {
    if text.contains(['\n', '\r', '\t']) {
        let words: Vec<&str> = text.split_whitespace().collect();
        return Ok(Group::try_new(words.join(" "))?);
    }
    Ok(Group::try_new(text)?)
}

/// The last text that was read, and what it stated.
struct Last<T> {
    text: String,
    value: Option<T>,
}

impl<T: Copy> Last<T> {
    const fn none() -> Self {
        Self { text: String::new(), value: None }
    }

    fn of(
        &mut self,
        text: &str,
        read: impl FnOnce(&str) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        match self.value {
            Some(value) if self.text == text => Ok(value),
            _ => {
                let value = read(text)?;
                self.text.clear();
                self.text.push_str(text);
                self.value = Some(value);
                Ok(value)
            }
        }
    }
}
