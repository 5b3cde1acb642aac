//! A price list as it was read, before anything is made of it.

use std::{collections::HashMap, io::BufRead};

use billing_core::{
    id::Group,
    money::{Currency, Price},
    number::Prefix,
    tariff::{LineSpec, Tariff, To},
    time::Instant,
};

use crate::deck::{
    BadRow, BadRows, Counts, Mapping, Mode, Problem, ReadError,
    code::Named,
    reader::{Priced, Reader},
    sequence::{Fate, Fates, fates},
    terms::Terms,
};

/// A price list as it was read, before anything is made of it.
///
/// Each row is a line of a tariff, or says why not. What it makes of a tariff is [`apply`](Self::apply)'s to say: the tariff's next
/// version, which can be compiled and compared with the present one before it is saved.
///
/// # Examples
///
/// ```
/// use billing_core::tariff::TariffSpec;
/// use billing_formats::deck::{Deck, Mapping};
///
/// let mapping: Mapping = serde_json::from_str(
///     r#"{"currency": "EUR", "zone": "Europe/Berlin", "mode": "delta", "decimal": "comma", "dates": "day_first",
///         "columns": {"code": "Code", "destination": "Name", "price": "Preis", "valid_from": "Ab",
///                     "increments": {"constant": "60/60"}}}"#,
/// )?;
/// let present: TariffSpec = serde_json::from_str(
///     r#"{"id":"retail","version":1,"currency":"EUR","zone":"Europe/Berlin","decimals":4,"rounding":"half_up",
///         "lines":[{"destination":"Germany","to":{"prefixes":["49"]},
///                   "bands":[{"price":"0.02","per":"60","increment":"1"}]}]}"#,
/// )?;
///
/// let deck = Deck::read("Code;Name;Preis;Ab\n49;Germany;0,03 €;01.04.2026\n".as_bytes(), &mapping)?;
/// let loaded = deck.apply(&present, 2)?;
/// let [before, after] = loaded.tariff.lines.as_slice() else { panic!("two lines") };
/// assert_eq!(before.valid_until, after.valid_from);
/// assert_eq!(after.valid_from.map(|at| at.to_string()).as_deref(), Some("2026-03-31T22:00:00Z"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Deck {
    pub(super) mode: Mode,
    pub(super) currency: Currency,
    /// Whether rows say for which origins they are; else they are for all.
    pub(super) has_origins: bool,
    /// Whether rows say for which windows they are; else they are for all.
    pub(super) has_windows: bool,
    counts: Counts,
    bad_rows: BadRows,
    rows: Vec<Kept>,
    codes: Vec<Code>,
    /// The places of those codes of a delta that make up ranges, in order.
    of_ranges: Vec<u32>,
    terms: Vec<Terms>,
    destinations: Vec<Group>,
    pub(super) windows: Vec<String>,
    fates: Fates,
}

/// One code of a row; `None` for the catch-all.
pub(super) type Code = Option<Prefix>;

/// A row that says something of codes, in few bytes.
#[derive(Clone, Copy)]
pub(super) struct Kept {
    pub(super) line: u64,
    /// The place of its first code among all.
    pub(super) first: u32,
    /// The place behind its last code.
    pub(super) end: u32,
    /// `None` if calls are not to be made.
    price: Option<Price>,
    /// The place of its terms without their price, which rows share far more often than a price.
    terms: u32,
    destination: u32,
    pub(super) state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Priced,
    Withdrawn,
    Repeated,
    Refused,
}

/// How many codes a deck may have in any case.
const CODES_MAX: usize = 1_000_000;
/// How many a row may have on average beyond that, so that memory grows with the file alone.
const ROW_CODES_MEAN_MAX: usize = 10;

impl Deck {
    /// Reads a price list as the mapping says.
    ///
    /// Reads one row at a time. Holds about 50 bytes for each row, 25 for each of its codes, 200 for each set of increments, fees, dates
    /// and the like that differs from others, and the names of destinations; while it reads, up to twice that and 60 for each code. Up
    /// to any row there may be a million codes, or ten for each row if that is more.
    ///
    /// # Errors
    ///
    /// [`ReadError`] if the deck cannot be read at all. Rows that cannot be taken in are no error here: see
    /// [`bad_rows`](Self::bad_rows).
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_formats::deck::{Deck, Mapping};
    ///
    /// let mapping: Mapping = serde_json::from_str(
    ///     r#"{"currency": "USD", "zone": "UTC", "mode": "full", "header": "absent",
    ///         "columns": {"code": 1, "destination": 2, "price": 3, "increments": 4}}"#,
    /// )?;
    /// let deck = Deck::read("1-204|Canada|$0.004|6/6\n4.47956E+11|UK|$0.01|1/1\n".as_bytes(), &mapping)?;
    /// assert_eq!(deck.counts().priced, 1);
    /// assert_eq!(
    ///     deck.bad_rows().rows()[0].to_string(),
    ///     "line 2, column 1, value \"4.47956E+11\": a spreadsheet cut a code of 12 digits; accepted is one with all of them",
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn read(input: impl BufRead, mapping: &Mapping) -> Result<Self, ReadError> {
        let mut reader = Reader::new(input, mapping)?;
        let mut deck = Self {
            mode: mapping.mode,
            currency: mapping.currency,
            has_origins: mapping.columns.origin.is_some(),
            has_windows: mapping.columns.window.is_some(),
            counts: Counts::default(),
            bad_rows: BadRows::default(),
            rows: Vec::new(),
            codes: Vec::new(),
            of_ranges: Vec::new(),
            terms: Vec::new(),
            destinations: Vec::new(),
            windows: Vec::new(),
            fates: Fates::default(),
        };
        let mut places = HashMap::new();
        while let Some(row) = reader.next()? {
            match row {
                Ok(row) => deck.keep(&row, &reader.rows, &mut places)?,
                Err(row) => deck.bad_rows.push(row),
            }
        }
        deck.windows = reader.rows.windows;
        deck.counts = reader.counts;
        deck.finish();
        Ok(deck)
    }

    /// What became of the rows.
    #[must_use]
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// The rows that cannot be taken in.
    #[must_use]
    pub const fn bad_rows(&self) -> &BadRows {
        &self.bad_rows
    }

    /// The same deck as if the rows that cannot be taken in were not there; [`counts`](Self::counts) still names them.
    ///
    /// Somebody has to decide that codes without a price are better than no new prices.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::tariff::TariffSpec;
    /// use billing_formats::deck::{Deck, Mapping};
    ///
    /// # let mapping: Mapping = serde_json::from_str(
    /// #     r#"{"currency": "EUR", "zone": "UTC", "mode": "full", "header": "absent",
    /// #         "columns": {"code": 1, "destination": 2, "price": 3, "increments": {"constant": "60/60"}}}"#,
    /// # )?;
    /// # let present: TariffSpec = serde_json::from_str(
    /// #     r#"{"id":"retail","version":1,"currency":"EUR","zone":"UTC","decimals":4,"rounding":"half_up","lines":[]}"#,
    /// # )?;
    /// let deck = Deck::read("49;Germany;0.02\n33;France;n/a\n".as_bytes(), &mapping)?;
    /// assert!(deck.apply(&present, 2).is_err());
    /// assert_eq!(deck.without_bad_rows().apply(&present, 2)?.tariff.lines.len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn without_bad_rows(self) -> Self {
        Self { bad_rows: BadRows::default(), ..self }
    }

    /// The lines that the rows make, in the order of the rows.
    ///
    /// They are made one by one as they are asked for.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_formats::deck::{Deck, Mapping};
    ///
    /// let mapping: Mapping = serde_json::from_str(
    ///     r#"{"currency": "EUR", "zone": "UTC", "mode": "full", "header": "absent",
    ///         "columns": {"code": 1, "destination": 2, "price": 3, "valid_from": 4, "increments": {"constant": "60/60"}}}"#,
    /// )?;
    /// let file = "49;Germany;0.02;\n49;Germany;0.03;2026-04-01\n";
    /// let deck = Deck::read(file.as_bytes(), &mapping)?;
    /// let until: Vec<_> = deck.lines().map(|line| line.valid_until.map(|at| at.to_string())).collect();
    /// assert_eq!(until, [Some("2026-04-01T00:00:00Z".into()), None]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn lines(&self) -> impl Iterator<Item = LineSpec> {
        self.rows.iter().filter(|row| row.state == State::Priced).flat_map(|row| self.lines_of(row))
    }

    pub(super) fn rows(&self) -> &[Kept] {
        &self.rows
    }

    pub(super) fn terms_of(&self, row: &Kept) -> Option<Terms> {
        let terms = self.terms.get(usize::try_from(row.terms).ok()?)?;
        Some(Terms { price: row.price, ..*terms })
    }

    pub(super) fn destination_of(&self, row: &Kept) -> Option<&Group> {
        self.destinations.get(usize::try_from(row.destination).ok()?)
    }

    /// The codes of a row, each with its place among all.
    pub(super) fn codes_of(&self, row: &Kept) -> impl Iterator<Item = (u32, Code)> {
        let bounds = usize::try_from(row.first).ok().zip(usize::try_from(row.end).ok());
        let codes = bounds.and_then(|(first, end)| self.codes.get(first..end));
        (row.first..).zip(codes.unwrap_or_default().iter().copied())
    }

    /// Whether the code in a place makes up a range.
    pub(super) fn is_of_range(&self, place: u32) -> bool {
        self.of_ranges.binary_search(&place).is_ok()
    }

    pub(super) const fn has_ranges(&self) -> bool {
        !self.of_ranges.is_empty()
    }

    pub(super) fn window(&self, terms: &Terms) -> Option<&str> {
        let place = usize::try_from(terms.window?).ok()?;
        self.windows.get(place).map(String::as_str)
    }

    fn keep(
        &mut self,
        row: &Priced,
        read: &super::row::Rows<'_>,
        places: &mut HashMap<Terms, u32>,
    ) -> Result<(), ReadError> {
        let too_large = || ReadError::TooLarge { max: Tariff::LINES_MAX };
        let within = |length: usize| {
            u32::try_from(length).ok().filter(|length| *length <= Tariff::LINES_MAX)
        };
        let first = within(self.codes.len()).ok_or_else(too_large)?;
        match row.named {
            Named::Any => self.codes.push(None),
            Named::Codes => self.codes.extend(read.codes.all.iter().copied().map(Some)),
        }
        let end = within(self.codes.len()).ok_or_else(too_large)?;
        let rows = self.rows.len().saturating_add(1);
        let max = CODES_MAX.max(rows.saturating_mul(ROW_CODES_MEAN_MAX));
        if self.codes.len() > max {
            return Err(ReadError::TooManyCodes { line: row.line, max });
        }
        if self.mode == Mode::Delta {
            let is_of_range =
                |(_, code): &(u32, &Prefix)| read.codes.of_ranges.binary_search(code).is_ok();
            let codes = (first..).zip(&read.codes.all).filter(is_of_range);
            self.of_ranges.extend(codes.map(|(place, _)| place));
        }
        let (price, terms) = (row.terms.price, Terms { price: None, ..row.terms });
        let terms = *places.entry(terms).or_insert_with(|| {
            self.terms.push(terms);
            u32::try_from(self.terms.len().saturating_sub(1)).unwrap_or(u32::MAX)
        });
        if self.destinations.last() != read.destination.as_ref() {
            self.destinations.extend(read.destination.clone());
        }
        let destination = within(self.destinations.len().saturating_sub(1));
        let state = if row.is_withdrawn { State::Withdrawn } else { State::Priced };
        let destination = destination.ok_or_else(too_large)?;
        self.rows.push(Kept { line: row.line, first, end, price, terms, destination, state });
        Ok(())
    }

    /// Compares the rows with each other, and counts them.
    fn finish(&mut self) {
        let (fates, refused) = fates(self);
        for (place, refused) in refused {
            let Some(row) = self.rows.get_mut(place) else { continue };
            row.state = State::Refused;
            let problem = Problem::SameDate { code: refused.code, other: refused.other };
            self.bad_rows.push(BadRow { line: row.line, column: None, value: None, problem });
        }
        self.bad_rows.sort();
        self.fates = fates;
        for row in &mut self.rows {
            let mut codes = row.first..row.end;
            if codes.all(|code| self.fates.is_repeated(code)) {
                row.state = State::Repeated;
            }
        }
        let count = |state: State| {
            let rows = self.rows.iter().filter(|row| row.state == state).count();
            u64::try_from(rows).unwrap_or(u64::MAX)
        };
        self.counts.priced = count(State::Priced);
        self.counts.withdrawn = count(State::Withdrawn);
        self.counts.repeated = count(State::Repeated);
        self.counts.refused = self.bad_rows.count();
    }

    /// The lines of a row: one, or one for each end that its codes have.
    fn lines_of(&self, row: &Kept) -> impl Iterator<Item = LineSpec> {
        let parts = self.terms_of(row).zip(self.destination_of(row)).map(|(terms, destination)| {
            let window = self.window(&terms);
            let parts = self.parts_of(row, terms.valid_until).into_iter();
            parts.map(move |(valid_until, to)| {
                let terms = Terms { valid_until, ..terms };
                terms.line(destination.clone(), to, window)
            })
        });
        parts.into_iter().flatten()
    }

    fn parts_of(&self, row: &Kept, until: Option<Instant>) -> Vec<(Option<Instant>, To)> {
        let mut parts: Vec<(Option<Instant>, To)> = Vec::new();
        for (place, code) in self.codes_of(row) {
            let until = match self.fates.of(place) {
                Some(Fate::Repeated) => continue,
                Some(Fate::Until(until)) => Some(until),
                None => until,
            };
            let Some(code) = code else {
                parts.push((until, To::Any));
                continue;
            };
            match parts.iter_mut().find(|(end, _)| *end == until) {
                Some((_, To::Prefixes(codes))) => codes.push(code),
                _ => parts.push((until, To::Prefixes(vec![code]))),
            }
        }
        parts
    }
}

impl core::fmt::Debug for Deck {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Deck")
            .field("mode", &self.mode)
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}
