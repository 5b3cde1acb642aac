//! A tariff as it is rated with: immutable, compact, and shared between threads.

use alloc::{
    borrow::ToOwned as _,
    collections::{BTreeMap, BTreeSet},
    format,
    vec::Vec,
};
use core::cmp::Reverse;

use compact_str::{CompactString, ToCompactString as _};

use crate::{
    digest::Digest,
    id::{Group, TariffId},
    money::{Amount, Currency, Price, Quantity, Rounding},
    number::Prefix,
    tariff::{
        AtMaximum, Crossing, IncrementRule, InvalidTariff, LineSpec, Measure, TariffProblem,
        TariffSpec, To,
        prefixes::{self, Prefixes},
        window::Window,
    },
    time::{Instant, Zone},
};

/// A compiled tariff: what a tariff document says, ready to rate with.
///
/// It is never changed; rating with it allocates nothing and may be done from many threads at once.
///
/// # Examples
///
/// ```
/// use billing_core::tariff::{Tariff, Usage};
///
/// # let spec = serde_json::from_str(
/// #     r#"{"id":"retail","version":1,"currency":"EUR","zone":"UTC","decimals":4,"rounding":"half_up",
/// #         "lines":[{"destination":"Germany","to":{"prefixes":["49"]},
/// #                   "bands":[{"price":"0.006","per":"60","increment":"6"}],"first":"30"}]}"#,
/// # )?;
/// let retail = Tariff::compile(&spec)?; // 30/6 at 0.006 a minute to +49
/// let call = Usage::call(&"+4930123456".parse()?, "2026-10-05T08:00:00Z".parse()?, 57_000);
/// let rated = retail.rate(&call)?;
/// assert_eq!((rated.amount().to_string(), rated.billed_ms()), ("0.006".to_owned(), 60_000));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Tariff {
    pub(super) id: TariffId,
    pub(super) version: u32,
    pub(super) digest: Digest,
    pub(super) currency: Currency,
    pub(super) zone: Zone,
    pub(super) measure: Measure,
    pub(super) crossing: Crossing,
    pub(super) increments: IncrementRule,
    pub(super) decimals: u32,
    pub(super) rounding: Rounding,
    pub(super) fallback: Vec<TariffId>,
    prefixes: Prefixes,
    /// Where the lines of each prefix begin, then those of the catch-all, then their end.
    first_lines: Vec<u32>,
    lines: Vec<Line>,
    conditions: Vec<Conditions>,
    terms: Vec<Terms>,
    bands: Vec<Band>,
    windows: Vec<Window>,
    destinations: Vec<Group>,
    /// The least common multiple of all that prices are for, in ticks.
    pub(super) unit: u128,
    /// By what a sum of prices times ticks is divided to make units of the last decimal.
    pub(super) divisor: u128,
}

/// One price for one prefix.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    /// Its place in the document, from 0.
    pub(super) number: u32,
    pub(super) destination: u32,
    terms: u32,
    /// 0 for none.
    conditions: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Conditions {
    weight: u32,
    /// The packed prefix, or 0.
    pub(super) origin: u64,
    valid_from: Option<Instant>,
    valid_until: Option<Instant>,
    /// Its place, from 1, or 0. The last field, so that the latest validity decides before it.
    window: u32,
}

impl Conditions {
    pub(super) const fn validity(&self) -> (Option<Instant>, Option<Instant>) {
        (self.valid_from, self.valid_until)
    }
}

/// What a line asks for beside its bands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Terms {
    first_band: u32,
    bands: u32,
    pub(super) fees: Fees,
    pub(super) blocked: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fees {
    /// In units of 10^-10.
    pub(super) connect: u128,
    pub(super) minimum: u128,
    pub(super) maximum: Option<u128>,
    pub(super) disconnect: bool,
    /// In ticks.
    pub(super) grace: u64,
    /// In ticks; 0 for that of the first band.
    pub(super) first: u64,
}

/// One band, in ticks and units of 10^-10.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Band {
    pub(super) from: u64,
    pub(super) price: u128,
    pub(super) per: u64,
    pub(super) increment: u64,
    /// How often `per` is in the tariff's unit.
    pub(super) times: u64,
}

/// A line found for a number at an instant.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found<'t> {
    pub(super) tariff: &'t Tariff,
    pub(super) line: &'t Line,
    /// The packed prefix, or 0 for the catch-all.
    pub(super) prefix: u64,
    /// The place of its prefix.
    pub(super) entry: usize,
}

impl Found<'_> {
    /// Whether both are one line of one document.
    pub(super) fn is_line_of(&self, other: &Self) -> bool {
        core::ptr::eq(self.tariff, other.tariff) && self.line.number == other.line.number
    }
}

impl Tariff {
    /// The most lines, and the most prefixes over all lines, of a tariff.
    pub const LINES_MAX: u32 = 16_000_000;

    /// Compiles a document.
    ///
    /// # Errors
    ///
    /// [`InvalidTariff`], which names the line that is wrong.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::tariff::Tariff;
    ///
    /// let spec = serde_json::from_str(
    ///     r#"{"id":"retail","version":1,"currency":"EUR","zone":"UTC","decimals":4,
    ///         "rounding":"half_up",
    ///         "lines":[{"destination":"Germany","to":{"group":"de"},
    ///                   "bands":[{"price":"0.006","per":"60","increment":"6"}]}]}"#,
    /// )?;
    /// let problem = Tariff::compile(&spec).unwrap_err();
    /// assert_eq!(problem.to_string(), "line 1: there is no group \"de\" in the tariff");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn compile(spec: &TariffSpec) -> Result<Self, InvalidTariff> {
        let of_document = |problem| InvalidTariff { line: None, problem };
        check(spec).map_err(of_document)?;
        let mut windows = Vec::new();
        let mut window_places = BTreeMap::new();
        for (name, window) in &spec.windows {
            windows.push(Window::compile(name, window, spec).map_err(of_document)?);
            let _none: Option<u32> = window_places.insert(name.clone(), count(windows.len()));
        }
        let mut building = Building { spec, window_places, ..Building::default_of(spec) };
        for (place, line) in spec.lines.iter().enumerate() {
            let of_line = |problem| InvalidTariff { line: Some(place.saturating_add(1)), problem };
            building.line(place, line).map_err(of_line)?;
        }
        building.finish(windows)
    }

    /// The tariff's name.
    #[must_use]
    pub const fn id(&self) -> &TariffId {
        &self.id
    }

    /// Its version.
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// The digest of the document it was compiled from.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// The currency of its prices.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// What it measures.
    #[must_use]
    pub const fn measure(&self) -> Measure {
        self.measure
    }

    /// How many prefixes it has.
    ///
    /// # Examples
    ///
    /// See [`bytes`](Self::bytes).
    #[must_use]
    pub fn prefixes(&self) -> usize {
        self.prefixes.len()
    }

    /// About how many bytes of memory its prices take.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::tariff::Tariff;
    ///
    /// # let spec = serde_json::from_str(
    /// #     r#"{"id":"retail","version":1,"currency":"EUR","zone":"UTC","decimals":4,"rounding":"half_up",
    /// #         "lines":[{"destination":"Germany","to":{"prefixes":["49"]},
    /// #                   "bands":[{"price":"0.006","per":"60","increment":"6"}],"first":"30"}]}"#,
    /// # )?;
    /// let retail = Tariff::compile(&spec)?;
    /// assert!(retail.bytes() < 1_000 * retail.prefixes());
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn bytes(&self) -> usize {
        let of = |length: usize, size: usize| length.saturating_mul(size);
        self.prefixes
            .bytes()
            .saturating_add(of(self.first_lines.len(), size_of::<u32>()))
            .saturating_add(of(self.lines.len(), size_of::<Line>()))
            .saturating_add(of(self.conditions.len(), size_of::<Conditions>()))
            .saturating_add(of(self.terms.len(), size_of::<Terms>()))
            .saturating_add(of(self.bands.len(), size_of::<Band>()))
            .saturating_add(of(self.destinations.len(), size_of::<Group>()))
    }

    /// What a destination is called.
    pub(super) fn destination(&self, line: &Line) -> Option<&Group> {
        self.destinations.get(usize::try_from(line.destination).ok()?)
    }

    pub(super) fn terms(&self, line: &Line) -> Option<&Terms> {
        self.terms.get(usize::try_from(line.terms).ok()?)
    }

    pub(super) fn bands(&self, terms: &Terms) -> &[Band] {
        let from = usize::try_from(terms.first_band).unwrap_or(usize::MAX);
        let count = usize::try_from(terms.bands).unwrap_or(0);
        self.bands.get(from..from.saturating_add(count)).unwrap_or_default()
    }

    pub(super) fn conditions(&self, line: &Line) -> Option<&Conditions> {
        if line.conditions == 0 {
            return None;
        }
        self.conditions.get(usize::try_from(line.conditions).ok()?)
    }

    /// The lines of a prefix, in the order in which they win; the catch-all's entry is after the last prefix's.
    pub(super) fn lines_of(&self, entry: usize) -> &[Line] {
        let bound = |place: usize| {
            let line = self.first_lines.get(place)?;
            usize::try_from(*line).ok()
        };
        let range = bound(entry).zip(entry.checked_add(1).and_then(bound));
        range.and_then(|(from, until)| self.lines.get(from..until)).unwrap_or_default()
    }

    pub(super) fn catch_all(&self) -> usize {
        self.prefixes.len()
    }

    /// The entries that may price a number, longest prefix first, the catch-all last.
    pub(super) fn entries(&self, number: u64) -> impl Iterator<Item = (usize, u64)> {
        let prefixes = if number == 0 { None } else { Some(self.prefixes.of_number(number)) };
        prefixes.into_iter().flatten().chain([(self.catch_all(), 0)])
    }

    /// The line of an entry that is in force at an instant for a caller.
    pub(super) fn in_force(&self, entry: usize, caller: u64, at: Instant) -> Option<&Line> {
        self.lines_of(entry).iter().find(|line| match self.conditions(line) {
            None => true,
            Some(conditions) => self.holds(conditions, caller, at),
        })
    }

    pub(super) fn holds(&self, conditions: &Conditions, caller: u64, at: Instant) -> bool {
        let Conditions { origin, window, valid_from, valid_until, .. } = conditions;
        (*origin == 0 || prefixes::begins_with(caller, *origin))
            && valid_from.is_none_or(|from| from <= at)
            && valid_until.is_none_or(|until| at < until)
            && self.window(*window).is_none_or(|window| window.is_open(at, &self.zone))
    }

    fn window(&self, place: u32) -> Option<&Window> {
        self.windows.get(usize::try_from(place).ok()?.checked_sub(1)?)
    }

    pub(super) fn window_of(&self, conditions: &Conditions) -> Option<&Window> {
        self.window(conditions.window)
    }

    /// The line that prices a number at an instant.
    pub(super) fn find(&self, to: u64, from: u64, at: Instant) -> Option<Found<'_>> {
        self.entries(to).find_map(|(entry, prefix)| {
            let line = self.in_force(entry, from, at)?;
            Some(Found { tariff: self, line, prefix, entry })
        })
    }

    /// The first instant after `at` and before `until` at which another line of an entry may come into force.
    pub(super) fn next_change(&self, entry: usize, at: Instant, until: Instant) -> Option<Instant> {
        let conditions = self.lines_of(entry).iter().filter_map(|line| self.conditions(line));
        let changes = conditions.flat_map(|conditions| {
            let window = self.window(conditions.window);
            let window = window.and_then(|window| window.next_change(at, until, &self.zone));
            [conditions.valid_from, conditions.valid_until, window].into_iter().flatten()
        });
        changes.filter(|change| *change > at && *change < until).min()
    }
}

fn check(spec: &TariffSpec) -> Result<(), TariffProblem> {
    if spec.version == 0 {
        return Err(TariffProblem::Version);
    }
    if spec.decimals > 10 {
        return Err(TariffProblem::Decimals { decimals: spec.decimals });
    }
    let max = Tariff::LINES_MAX;
    if spec.lines.len() > usize::try_from(max).unwrap_or(usize::MAX) {
        return Err(TariffProblem::TooLarge { max });
    }
    match spec.groups.iter().find(|(_, prefixes)| prefixes.is_empty()) {
        None => Ok(()),
        Some((name, _)) => Err(TariffProblem::NoPrefixes { what: format!("group {name:?}") }),
    }
}

struct Building<'a> {
    spec: &'a TariffSpec,
    window_places: BTreeMap<CompactString, u32>,
    conditions: Interned<Conditions>,
    terms: Interned<Terms>,
    band_lists: BTreeMap<Vec<Band>, u32>,
    bands: Vec<Band>,
    destinations: Interned<Group>,
    /// The packed prefix, 0 for the catch-all, and a line.
    rows: Vec<(u64, Line)>,
    unit: u128,
}

#[derive(Default)]
struct Interned<T> {
    places: BTreeMap<T, u32>,
    values: Vec<T>,
}

impl<T: Ord + Clone> Interned<T> {
    fn place(&mut self, value: T) -> u32 {
        if let Some(place) = self.places.get(&value) {
            return *place;
        }
        let place = count(self.values.len());
        self.values.push(value.clone());
        let _none: Option<u32> = self.places.insert(value, place);
        place
    }
}

const UNIT_MAX: u128 = 1_000_000_000_000;

impl<'a> Building<'a> {
    fn default_of(spec: &'a TariffSpec) -> Self {
        let mut conditions = Interned { places: BTreeMap::new(), values: Vec::new() };
        let _zero: u32 = conditions.place(Conditions::default());
        Self {
            spec,
            window_places: BTreeMap::new(),
            conditions,
            terms: Interned { places: BTreeMap::new(), values: Vec::new() },
            band_lists: BTreeMap::new(),
            bands: Vec::new(),
            destinations: Interned { places: BTreeMap::new(), values: Vec::new() },
            rows: Vec::new(),
            unit: 1,
        }
    }

    fn line(&mut self, place: usize, spec: &LineSpec) -> Result<(), TariffProblem> {
        let terms = self.terms(spec)?;
        let conditions = self.conditions(spec)?;
        let line = Line {
            number: count(place),
            destination: self.destinations.place(spec.destination.clone()),
            terms: self.terms.place(terms),
            conditions: self.conditions.place(conditions),
        };
        let groups = &self.spec.groups;
        let prefixes: &[Prefix] = match &spec.to {
            To::Any => {
                self.rows.push((0, line));
                return Ok(());
            }
            To::Prefixes(prefixes) => prefixes,
            To::Group(name) => groups
                .get(name)
                .ok_or_else(|| TariffProblem::Unknown { what: "group", name: name.clone() })?,
        };
        if prefixes.is_empty() {
            return Err(TariffProblem::NoPrefixes { what: "the line".to_owned() });
        }
        // One prefix that is named twice in a line is one.
        let distinct: BTreeSet<u64> = prefixes.iter().map(|prefix| prefix.packed()).collect();
        self.rows.extend(distinct.into_iter().map(|prefix| (prefix, line)));
        let max = Tariff::LINES_MAX;
        if self.rows.len() > usize::try_from(max).unwrap_or(usize::MAX) {
            return Err(TariffProblem::TooLarge { max });
        }
        Ok(())
    }

    fn conditions(&self, spec: &LineSpec) -> Result<Conditions, TariffProblem> {
        if spec.valid_from.zip(spec.valid_until).is_some_and(|(from, until)| until <= from) {
            return Err(TariffProblem::Validity);
        }
        let unknown =
            |name: &CompactString| TariffProblem::Unknown { what: "window", name: name.clone() };
        let window = spec
            .window
            .as_ref()
            .map(|name| self.window_places.get(name).copied().ok_or_else(|| unknown(name)));
        Ok(Conditions {
            weight: spec.weight,
            origin: spec.origin.map_or(0, Prefix::packed),
            window: window.transpose()?.unwrap_or(0),
            valid_from: spec.valid_from,
            valid_until: spec.valid_until,
        })
    }

    fn terms(&mut self, spec: &LineSpec) -> Result<Terms, TariffProblem> {
        let ticks = |what, quantity| ticks(what, quantity, self.spec.measure);
        let fees = Fees {
            connect: units(spec.connect_fee),
            minimum: units(spec.minimum),
            maximum: spec.maximum.map(units),
            disconnect: spec.at_maximum == AtMaximum::Disconnect,
            grace: ticks("the grace", spec.grace)?,
            first: spec
                .first
                .map_or(Ok(0), |first| positive("the first increment", first, self.spec.measure))?,
        };
        if spec.blocked {
            let free = spec.bands.is_empty() && fees.connect == 0 && fees.minimum == 0;
            return if free && fees.maximum.is_none() {
                Ok(Terms { first_band: 0, bands: 0, fees, blocked: true })
            } else {
                Err(TariffProblem::PricedAndBlocked)
            };
        }
        if let Some(maximum) = spec.maximum.filter(|maximum| *maximum < spec.minimum) {
            let (minimum, maximum) = (shown(&spec.minimum), shown(&maximum));
            return Err(TariffProblem::MinimumAboveMaximum { minimum, maximum });
        }
        let bands = self.checked_bands(spec)?;
        let count_of_bands = count(bands.len());
        let first_band = if let Some(place) = self.band_lists.get(&bands) {
            *place
        } else {
            let place = count(self.bands.len());
            self.bands.extend(&bands);
            let _none: Option<u32> = self.band_lists.insert(bands, place);
            place
        };
        Ok(Terms { first_band, bands: count_of_bands, fees, blocked: false })
    }

    fn checked_bands(&mut self, spec: &LineSpec) -> Result<Vec<Band>, TariffProblem> {
        let mut bands: Vec<Band> = Vec::with_capacity(spec.bands.len());
        for (number, band) in (1..).zip(&spec.bands) {
            let from = ticks("the beginning of a band", band.from, self.spec.measure)?;
            let in_order = bands.last().map_or(from == 0, |before| before.from < from);
            if !in_order {
                return Err(TariffProblem::BandOrder { band: number, from: shown(&band.from) });
            }
            let per = positive("what a price is for", band.per, self.spec.measure)?;
            let increment = positive("an increment", band.increment, self.spec.measure)?;
            if let Some(before) = bands.last() {
                let within = from.saturating_sub(before.from).checked_rem(before.increment);
                if within != Some(0) {
                    let from = shown(&band.from);
                    return Err(TariffProblem::BandWithinIncrement { band: number, from });
                }
            }
            self.unit = common_multiple(self.unit, per.into())
                .filter(|unit| *unit <= UNIT_MAX)
                .ok_or(TariffProblem::Units)?;
            bands.push(Band { from, price: units(band.price), per, increment, times: 0 });
        }
        if bands.is_empty() { Err(TariffProblem::NoBands) } else { Ok(bands) }
    }

    fn finish(self, windows: Vec<Window>) -> Result<Tariff, InvalidTariff> {
        let Self { spec, conditions, terms, mut bands, destinations, mut rows, unit, .. } = self;
        for band in &mut bands {
            let times = unit.checked_div(band.per.into()).unwrap_or(0);
            band.times = u64::try_from(times).unwrap_or(0);
        }
        let conditions = conditions.values;
        let rank = |line: &Line| {
            let place = usize::try_from(line.conditions).unwrap_or(0);
            let conditions = conditions.get(place).copied().unwrap_or_default();
            let window = usize::try_from(conditions.window).ok().and_then(|w| w.checked_sub(1));
            let begins = window.and_then(|window| windows.get(window)).map(Window::begins);
            // Higher weight, longer origin, later beginning; then whatever does not depend on the order of lines.
            let origin = conditions.origin & 0xF;
            (Reverse(conditions.weight), Reverse(origin), Reverse(begins), Reverse(conditions))
        };
        // The catch-all's key is 0, so it is rotated behind the prefixes.
        rows.sort_by_cached_key(|(prefix, line)| (*prefix == 0, *prefix, rank(line), line.number));
        let mut keys: Vec<u64> = Vec::new();
        let mut first_lines = Vec::new();
        let mut lines: Vec<Line> = Vec::with_capacity(rows.len());
        let mut before: Option<(u64, Line)> = None;
        for (prefix, line) in rows {
            match before {
                Some((same, other)) if same == prefix => {
                    if other.conditions == line.conditions {
                        return Err(twins(prefix, other, line));
                    }
                }
                _ if prefix != 0 => {
                    keys.push(prefix);
                    first_lines.push(count(lines.len()));
                }
                // The catch-all's first line is marked below.
                _ => first_lines.push(count(lines.len())),
            }
            before = Some((prefix, line));
            lines.push(line);
        }
        if before.is_none_or(|(prefix, _)| prefix != 0) {
            first_lines.push(count(lines.len()));
        }
        first_lines.push(count(lines.len()));
        let missing = 10_u32.saturating_sub(spec.decimals.into());
        let divisor = 10_u128.checked_pow(missing).and_then(|power| power.checked_mul(unit));
        let too_large = InvalidTariff { line: None, problem: TariffProblem::Units };
        Ok(Tariff {
            id: spec.id.clone(),
            version: spec.version,
            digest: spec.digest(),
            currency: spec.currency,
            zone: spec.zone.clone(),
            measure: spec.measure,
            crossing: spec.crossing,
            increments: spec.increments,
            decimals: spec.decimals.into(),
            rounding: spec.rounding,
            fallback: spec.fallback.clone(),
            prefixes: Prefixes::of(keys),
            first_lines,
            lines,
            conditions,
            terms: terms.values,
            bands,
            windows,
            destinations: destinations.values,
            unit,
            divisor: divisor.ok_or(too_large)?,
        })
    }
}

fn twins(prefix: u64, one: Line, two: Line) -> InvalidTariff {
    let number = |line: Line| usize::try_from(line.number).unwrap_or(0).saturating_add(1);
    let (first, second) = (number(one).min(number(two)), number(one).max(number(two)));
    let problem = TariffProblem::Twins { prefix: Prefix::unpacked(prefix), other: first };
    InvalidTariff { line: Some(second), problem }
}

fn count(length: usize) -> u32 {
    // Bounded by `Tariff::LINES_MAX`.
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// A price in units of 10^-10.
fn units(price: Price) -> u128 {
    let decimal = price.decimal();
    let missing = 10_u32.saturating_sub(decimal.scale());
    let mantissa = u128::try_from(decimal.mantissa()).unwrap_or(0);
    // A price has at most 22 digits at 10 decimals.
    10_u128.checked_pow(missing).and_then(|power| mantissa.checked_mul(power)).unwrap_or(u128::MAX)
}

fn ticks(what: &'static str, quantity: Quantity, measure: Measure) -> Result<u64, TariffProblem> {
    let accepted = match measure {
        Measure::Time => "0 or more seconds with at most 3 decimals, below 10^10, are accepted",
        Measure::Units => "0 or more units with at most 6 decimals, below 10^10, are accepted",
    };
    let refused = || TariffProblem::Quantity { what, value: shown(&quantity), accepted };
    let end = 10_000_000_000_u64.saturating_mul(ticks_per_unit(measure));
    to_ticks(quantity, measure).filter(|ticks| *ticks < end).ok_or_else(refused)
}

/// Ticks of a second, or of a unit.
const fn ticks_per_unit(measure: Measure) -> u64 {
    match measure {
        Measure::Time => 1_000,
        Measure::Units => 1_000_000,
    }
}

/// A quantity in ticks, if it is a whole number of them and not negative.
pub(super) fn to_ticks(quantity: Quantity, measure: Measure) -> Option<u64> {
    let decimal = quantity.decimal().normalize();
    let decimals = match measure {
        Measure::Time => 3_u32,
        Measure::Units => 6,
    };
    let power = 10_i128.checked_pow(decimals.checked_sub(decimal.scale())?)?;
    u64::try_from(decimal.mantissa().checked_mul(power)?).ok()
}

fn positive(
    what: &'static str,
    quantity: Quantity,
    measure: Measure,
) -> Result<u64, TariffProblem> {
    match ticks(what, quantity, measure)? {
        0 => {
            let accepted = "more than 0 is accepted";
            Err(TariffProblem::Quantity { what, value: shown(&quantity), accepted })
        }
        ticks => Ok(ticks),
    }
}

fn shown(value: &impl core::fmt::Display) -> CompactString {
    value.to_compact_string()
}

fn common_multiple(one: u128, two: u128) -> Option<u128> {
    let (mut a, mut b) = (one, two);
    while b != 0 {
        (a, b) = (b, a.checked_rem(b)?);
    }
    one.checked_div(a)?.checked_mul(two)
}

/// An amount from units of a tariff's last decimal.
pub(super) fn amount_of(units: u128, decimals: u32) -> Option<Amount> {
    Amount::from_units(i128::try_from(units).ok()?, decimals).ok()
}
