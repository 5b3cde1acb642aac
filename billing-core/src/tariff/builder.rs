//! Compiling a tariff: its document's head first, then line by line.

use alloc::{collections::BTreeMap, format, vec, vec::Vec};
use core::cmp::Reverse;

use compact_str::CompactString;

use crate::{
    digest::DigestBuilder,
    id::Group,
    number::Prefix,
    tariff::{
        AtMaximum, InvalidTariff, LineSpec, Tariff, TariffProblem, TariffSpec,
        line::{Band, Conditions, Fees, KeptTerms, Line, NONE},
        prefixes::{self, Prefixes},
        ticks::{positive, shown, ticks, units},
        window::Window,
    },
    time::LocalClock,
};

/// Compiles a tariff whose lines come one by one, so that a long price list need not be kept beside the tariff.
///
/// [`Tariff::compile`] does the same with a whole document.
///
/// # Examples
///
/// ```
/// use billing_core::tariff::{LineSpec, Tariff, TariffBuilder, TariffSpec};
///
/// let head: TariffSpec = serde_json::from_str(
///     r#"{"id":"retail","version":1,"currency":"EUR","zone":"UTC","decimals":4,"rounding":"half_up","lines":[]}"#,
/// )?;
/// let line: LineSpec = serde_json::from_str(
///     r#"{"destination":"Germany","to":{"prefixes":["49"]},"bands":[{"price":"0.006","per":"60","increment":"6"}]}"#,
/// )?;
/// let mut builder = TariffBuilder::new(&head)?;
/// builder.push(&line)?;
/// let retail = builder.finish()?;
/// let whole = TariffSpec { lines: vec![line], ..head };
/// assert_eq!(retail.digest(), whole.digest());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct TariffBuilder<'a> {
    head: &'a TariffSpec,
    digest: DigestBuilder,
    windows: Vec<Window>,
    /// By name, from 1.
    window_places: BTreeMap<&'a str, u32>,
    conditions: Interned<Conditions>,
    terms: Interned<KeptTerms>,
    band_lists: BTreeMap<Vec<Band>, u32>,
    bands: Vec<Band>,
    destinations: Interned<Group>,
    lines: Vec<Line>,
    /// How many lines there were.
    pushed: usize,
    unit: u64,
}

/// A line in which nothing is wrong.
struct Checked {
    fees: Fees,
    bands: Vec<Band>,
    unit: u64,
    conditions: Conditions,
    prefixes: Vec<u64>,
}

#[derive(Debug)]
struct Interned<T> {
    places: BTreeMap<T, u32>,
    values: Vec<T>,
    /// The place that was asked for last: neighbours in a price list are often of one destination.
    last: u32,
}

const UNIT_MAX: u64 = 1_000_000_000_000;

impl<'a> TariffBuilder<'a> {
    /// Begins with all of a document but its lines, which are not looked at.
    ///
    /// # Errors
    ///
    /// [`InvalidTariff`], which says what is wrong.
    ///
    /// # Examples
    ///
    /// See [`TariffBuilder`].
    pub fn new(head: &'a TariffSpec) -> Result<Self, InvalidTariff> {
        let of_document = |problem| InvalidTariff { line: None, problem };
        check(head).map_err(of_document)?;
        let mut windows = Vec::new();
        let mut window_places = BTreeMap::new();
        for (name, window) in &head.windows {
            windows.push(Window::compile(name, window, head).map_err(of_document)?);
            let _none: Option<u32> = window_places.insert(name.as_str(), count(windows.len()));
        }
        let mut conditions = Interned::default();
        let _zero: u32 = conditions.place(&Conditions::default());
        Ok(Self {
            head,
            digest: head.begin_digest(),
            windows,
            window_places,
            conditions,
            terms: Interned::default(),
            band_lists: BTreeMap::new(),
            bands: Vec::new(),
            destinations: Interned::default(),
            lines: Vec::new(),
            pushed: 0,
            unit: 1,
        })
    }

    /// Adds a line.
    ///
    /// A line that is refused is left out, but its place is counted.
    ///
    /// # Errors
    ///
    /// [`InvalidTariff`], which names the line by its place.
    ///
    /// # Examples
    ///
    /// See [`TariffBuilder`].
    pub fn push(&mut self, line: &LineSpec) -> Result<(), InvalidTariff> {
        self.pushed = self.pushed.saturating_add(1);
        let of_line = |problem| InvalidTariff { line: Some(self.pushed), problem };
        let checked = self.checked(line).map_err(of_line)?;
        self.add(checked, line);
        line.add_to(&mut self.digest);
        Ok(())
    }

    /// The tariff.
    ///
    /// # Errors
    ///
    /// [`InvalidTariff`] if two lines are for the same prefix under the same conditions.
    ///
    /// # Examples
    ///
    /// See [`TariffBuilder`].
    pub fn finish(mut self) -> Result<Tariff, InvalidTariff> {
        self.sort();
        self.check_twins()?;
        let catch_all = self.lines.partition_point(|line| line.prefix != 0);
        let entries = link(self.lines.get_mut(..catch_all).unwrap_or_default());
        let Self { head, digest, windows, conditions, terms, bands, destinations, lines, .. } =
            self;
        let missing = 10_u32.saturating_sub(head.decimals.into());
        Ok(Tariff {
            id: head.id.clone(),
            version: head.version,
            digest: digest.finish(),
            currency: head.currency,
            measure: head.measure,
            crossing: head.crossing,
            increments: head.increments,
            decimals: head.decimals.into(),
            rounding: head.rounding,
            fallback: head.fallback.clone(),
            clock: LocalClock::new(&head.zone),
            prefixes: Prefixes::of(&entries),
            count: entries.len(),
            lines,
            catch_all,
            conditions: conditions.values,
            terms: terms.values,
            bands,
            windows,
            destinations: destinations.values,
            unit: self.unit,
            last_decimal: 10_u64.saturating_pow(missing),
        })
    }

    /// What a line asks for, and under which prefixes; nothing is kept yet.
    fn checked(&self, spec: &LineSpec) -> Result<Checked, TariffProblem> {
        let fees = self.fees(spec)?;
        let (bands, unit) = self.bands_of(spec, &fees)?;
        let conditions = self.conditions_of(spec)?;
        let prefixes = self.prefixes_of(spec)?;
        let max = Tariff::LINES_MAX;
        if self.lines.len().saturating_add(prefixes.len()) > usize::try_from(max).unwrap_or(0) {
            return Err(TariffProblem::TooLarge { max });
        }
        Ok(Checked { fees, bands, unit, conditions, prefixes })
    }

    /// Puts a line under each of its prefixes.
    fn add(&mut self, checked: Checked, spec: &LineSpec) {
        let Checked { fees, bands, unit, conditions, prefixes } = checked;
        self.unit = unit;
        let line = Line {
            prefix: 0,
            price: 0,
            connect: 0,
            minimum: 0,
            per: 0,
            increment: 0,
            first: 0,
            shorter: NONE,
            number: count(self.pushed.saturating_sub(1)),
            destination: self.destinations.place(&spec.destination),
            terms: NONE,
            conditions: self.conditions.place(&conditions),
        };
        let line = plain(&line, &fees, &bands).unwrap_or_else(|| {
            let terms = self.kept(fees, bands, spec.blocked);
            Line { terms: self.terms.place(&terms), ..line }
        });
        self.lines.extend(prefixes.into_iter().map(|prefix| Line { prefix, ..line }));
    }

    /// The packed prefixes of a line, 0 for the catch-all; one that is named twice is one.
    fn prefixes_of(&self, spec: &LineSpec) -> Result<Vec<u64>, TariffProblem> {
        let Some(prefixes) = self.head.prefixes_of(spec)? else { return Ok(vec![0]) };
        let mut packed: Vec<u64> = prefixes.iter().map(|prefix| prefix.packed()).collect();
        packed.sort_unstable();
        packed.dedup();
        Ok(packed)
    }

    fn conditions_of(&self, spec: &LineSpec) -> Result<Conditions, TariffProblem> {
        if spec.valid_from.zip(spec.valid_until).is_some_and(|(from, until)| until <= from) {
            return Err(TariffProblem::Validity);
        }
        let unknown =
            |name: &CompactString| TariffProblem::Unknown { what: "window", name: name.clone() };
        let window = spec.window.as_ref().map(|name| {
            self.window_places.get(name.as_str()).copied().ok_or_else(|| unknown(name))
        });
        Ok(Conditions {
            weight: spec.weight,
            origin: spec.origin.map_or(0, Prefix::packed),
            window: window.transpose()?.unwrap_or(0),
            valid_from: spec.valid_from,
            valid_until: spec.valid_until,
        })
    }

    fn fees(&self, spec: &LineSpec) -> Result<Fees, TariffProblem> {
        let measure = self.head.measure;
        let first = |first| positive("the first increment", first, measure);
        if let Some(maximum) = spec.maximum.filter(|maximum| *maximum < spec.minimum) {
            let (minimum, maximum) = (shown(&spec.minimum), shown(&maximum));
            return Err(TariffProblem::MinimumAboveMaximum { minimum, maximum });
        }
        Ok(Fees {
            connect: units(spec.connect_fee),
            minimum: units(spec.minimum),
            maximum: spec.maximum.map(units),
            disconnect: spec.at_maximum == AtMaximum::Disconnect,
            grace: ticks("the grace", spec.grace, measure)?,
            first: spec.first.map_or(Ok(0), first)?,
        })
    }

    /// The bands of a line, and the common unit of all prices with them.
    fn bands_of(&self, spec: &LineSpec, fees: &Fees) -> Result<(Vec<Band>, u64), TariffProblem> {
        if spec.blocked {
            let free = spec.bands.is_empty() && fees.connect == 0 && fees.minimum == 0;
            let free = free && fees.maximum.is_none();
            let none = (Vec::new(), self.unit);
            return if free { Ok(none) } else { Err(TariffProblem::PricedAndBlocked) };
        }
        let (measure, mut unit) = (self.head.measure, self.unit);
        let mut bands: Vec<Band> = Vec::with_capacity(spec.bands.len());
        for (number, band) in (1..).zip(&spec.bands) {
            let from = ticks("the beginning of a band", band.from, measure)?;
            let in_order = bands.last().map_or(from == 0, |before| before.from < from);
            if !in_order {
                return Err(TariffProblem::BandOrder { band: number, from: shown(&band.from) });
            }
            let per = positive("what a price is for", band.per, measure)?;
            let increment = positive("an increment", band.increment, measure)?;
            if let Some(before) = bands.last() {
                let within = from.saturating_sub(before.from).checked_rem(before.increment);
                if within != Some(0) {
                    let from = shown(&band.from);
                    return Err(TariffProblem::BandWithinIncrement { band: number, from });
                }
            }
            unit = common_multiple(unit, per)
                .filter(|unit| *unit <= UNIT_MAX)
                .ok_or(TariffProblem::Units)?;
            bands.push(Band { from, price: units(band.price), per, increment });
        }
        if bands.is_empty() { Err(TariffProblem::NoBands) } else { Ok((bands, unit)) }
    }

    fn kept(&mut self, fees: Fees, bands: Vec<Band>, blocked: bool) -> KeptTerms {
        let length = count(bands.len());
        let first_band = if let Some(place) = self.band_lists.get(&bands) {
            *place
        } else {
            let place = count(self.bands.len());
            self.bands.extend(&bands);
            let _none: Option<u32> = self.band_lists.insert(bands, place);
            place
        };
        KeptTerms { first_band, bands: length, fees, blocked }
    }

    /// By prefix, the catch-all's behind all others; those of one prefix in the order in which they win.
    fn sort(&mut self) {
        let (conditions, windows) = (&self.conditions.values, &self.windows);
        let rank = |line: &Line| {
            let place = usize::try_from(line.conditions).unwrap_or(0);
            let conditions = conditions.get(place).copied().unwrap_or_default();
            let window = usize::try_from(conditions.window).ok().and_then(|w| w.checked_sub(1));
            let begins = window.and_then(|window| windows.get(window)).map(Window::begins);
            // Higher weight, longer origin, later beginning; then whatever does not depend on the order of lines.
            let origin = conditions.origin & prefixes::LENGTH;
            (Reverse(conditions.weight), Reverse(origin), Reverse(begins), Reverse(conditions))
        };
        self.lines.sort_unstable_by(|one, two| {
            let by_prefix = (one.prefix == 0, one.prefix).cmp(&(two.prefix == 0, two.prefix));
            by_prefix.then_with(|| rank(one).cmp(&rank(two)))
        });
    }

    fn check_twins(&self) -> Result<(), InvalidTariff> {
        let pairs = self.lines.iter().zip(self.lines.iter().skip(1));
        let mut twins =
            pairs.filter(|(one, two)| one.prefix == two.prefix && one.conditions == two.conditions);
        match twins.next() {
            None => Ok(()),
            Some((one, two)) => {
                let number = |line: &Line| usize::try_from(line.number).unwrap_or(0);
                let first = number(one).min(number(two)).saturating_add(1);
                let second = number(one).max(number(two)).saturating_add(1);
                let prefix = Prefix::unpacked(one.prefix);
                let problem = TariffProblem::Twins { prefix, other: first };
                Err(InvalidTariff { line: Some(second), problem })
            }
        }
    }
}

impl<T> Default for Interned<T> {
    fn default() -> Self {
        Self { places: BTreeMap::new(), values: Vec::new(), last: 0 }
    }
}

impl<T: Ord + Clone> Interned<T> {
    fn place(&mut self, value: &T) -> u32 {
        let last = usize::try_from(self.last).ok().and_then(|last| self.values.get(last));
        if last == Some(value) {
            return self.last;
        }
        self.last = if let Some(place) = self.places.get(value) {
            *place
        } else {
            let place = count(self.values.len());
            self.values.push(value.clone());
            let _none: Option<u32> = self.places.insert(value.clone(), place);
            place
        };
        self.last
    }
}

fn check(head: &TariffSpec) -> Result<(), TariffProblem> {
    if head.version == 0 {
        return Err(TariffProblem::Version);
    }
    if head.decimals > 10 {
        return Err(TariffProblem::Decimals { decimals: head.decimals });
    }
    match head.groups.iter().find(|(_, prefixes)| prefixes.is_empty()) {
        None => Ok(()),
        Some((name, _)) => Err(TariffProblem::NoPrefixes { what: format!("group {name:?}") }),
    }
}

/// The line with all it asks for in it, if it fits.
fn plain(line: &Line, fees: &Fees, bands: &[Band]) -> Option<Line> {
    let [band] = bands else { return None };
    if fees.maximum.is_some() || fees.grace != 0 {
        return None;
    }
    Some(Line {
        price: band.price.try_into().ok()?,
        connect: fees.connect.try_into().ok()?,
        minimum: fees.minimum.try_into().ok()?,
        per: band.per.try_into().ok()?,
        increment: band.increment.try_into().ok()?,
        first: fees.first.try_into().ok()?,
        ..*line
    })
}

/// Leads from the first line of each prefix to that of the longest shorter one, and lists them.
fn link(lines: &mut [Line]) -> Vec<prefixes::Entry> {
    let mut entries: Vec<prefixes::Entry> = Vec::new();
    let mut open: Vec<prefixes::Entry> = Vec::new();
    for (place, line) in (0_u32..).zip(lines) {
        if entries.last().is_some_and(|(prefix, _)| *prefix == line.prefix) {
            continue;
        }
        while open.last().is_some_and(|(shorter, _)| !prefixes::begins_with(line.prefix, *shorter))
        {
            let _closed: Option<prefixes::Entry> = open.pop();
        }
        line.shorter = open.last().map_or(NONE, |(_, place)| *place);
        open.push((line.prefix, place));
        entries.push((line.prefix, place));
    }
    entries
}

fn count(length: usize) -> u32 {
    // Bounded by `Tariff::LINES_MAX`.
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn common_multiple(one: u64, two: u64) -> Option<u64> {
    let (mut a, mut b) = (one, two);
    while b != 0 {
        (a, b) = (b, a.checked_rem(b)?);
    }
    one.checked_div(a)?.checked_mul(two)
}
