//! A tariff as it is rated with: immutable, compact, and shared between threads.

use alloc::vec::Vec;

use crate::{
    digest::Digest,
    id::{Group, TariffId},
    money::{Currency, Rounding},
    tariff::{
        Crossing, IncrementRule, InvalidTariff, Measure, TariffBuilder, TariffSpec,
        line::{Band, Bands, Conditions, KeptTerms, Line, NONE, Terms},
        prefixes::{self, Prefixes},
        window::Window,
    },
    time::{self, Instant, LocalClock, Moment},
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
    pub(super) measure: Measure,
    pub(super) crossing: Crossing,
    pub(super) increments: IncrementRule,
    pub(super) decimals: u32,
    pub(super) rounding: Rounding,
    pub(super) fallback: Vec<TariffId>,
    pub(super) clock: LocalClock,
    pub(super) prefixes: Prefixes,
    /// How many distinct prefixes there are.
    pub(super) count: usize,
    /// By prefix, in the order in which they win; the catch-all's after all others.
    pub(super) lines: Vec<Line>,
    /// The place of the catch-all's first line, or where it would be.
    pub(super) catch_all: usize,
    pub(super) conditions: Vec<Conditions>,
    pub(super) terms: Vec<KeptTerms>,
    pub(super) bands: Vec<Band>,
    pub(super) windows: Vec<Window>,
    pub(super) destinations: Vec<Group>,
    /// The least common multiple of all that prices are for, in ticks: at most 10^12.
    pub(super) unit: u64,
    /// How many units of 10^-10 are one of the last decimal.
    pub(super) last_decimal: u64,
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
        let mut builder = TariffBuilder::new(spec)?;
        for line in &spec.lines {
            builder.push(line)?;
        }
        builder.finish()
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
    pub const fn prefixes(&self) -> usize {
        self.count
    }

    /// Whether a price may depend on the number that calls.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::tariff::Tariff;
    ///
    /// # let spec = serde_json::from_str(
    /// #     r#"{"id":"retail","version":1,"currency":"EUR","zone":"UTC","decimals":4,"rounding":"half_up",
    /// #         "lines":[{"destination":"Germany","to":{"prefixes":["49"]},
    /// #                   "bands":[{"price":"0.006","per":"60","increment":"6"}]}]}"#,
    /// # )?;
    /// assert!(!Tariff::compile(&spec)?.has_origins());
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn has_origins(&self) -> bool {
        self.conditions.iter().any(|conditions| conditions.origin != 0)
    }

    /// What its destinations are called, each once.
    ///
    /// # Examples
    ///
    /// See [`Rated::destination_place`](crate::tariff::Rated::destination_place).
    #[must_use]
    pub const fn destinations(&self) -> &[Group] {
        self.destinations.as_slice()
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
        let sizes = [
            self.prefixes.bytes(),
            size_of_val(&*self.lines),
            size_of_val(&*self.conditions),
            size_of_val(&*self.terms),
            size_of_val(&*self.bands),
            size_of_val(&*self.destinations),
        ];
        sizes.into_iter().fold(0, usize::saturating_add)
    }

    /// What a destination is called.
    pub(super) fn destination(&self, line: &Line) -> Option<&Group> {
        self.destinations.get(usize::try_from(line.destination).ok()?)
    }

    pub(super) fn terms(&self, line: &Line) -> Option<Terms<'_>> {
        if line.is_plain() {
            return Some(line.plain_terms());
        }
        let KeptTerms { first_band, bands, fees, blocked } =
            *self.terms.get(usize::try_from(line.terms).ok()?)?;
        let from = usize::try_from(first_band).ok()?;
        let until = from.checked_add(usize::try_from(bands).ok()?)?;
        Some(Terms { fees, bands: Bands::More(self.bands.get(from..until)?), blocked })
    }

    pub(super) fn conditions(&self, line: &Line) -> Option<&Conditions> {
        if line.conditions == 0 {
            return None;
        }
        self.conditions.get(usize::try_from(line.conditions).ok()?)
    }

    /// The lines of a prefix by the place of its first one, in the order in which they win.
    pub(super) fn lines_of(&self, entry: usize) -> impl Iterator<Item = &Line> {
        let lines = self.lines.get(entry..).unwrap_or_default();
        let prefix = lines.first().map(|line| line.prefix);
        lines.iter().take_while(move |line| Some(line.prefix) == prefix)
    }

    /// The first line that stands for a number, whether in force or not, if all it asks for stands in it.
    pub(super) fn plain(&self, number: u64) -> Option<&Line> {
        self.plain_at(self.prefixes.find(number), number)
    }

    /// The same where the number's place among the prefixes was found before.
    pub(super) fn plain_at(&self, found: Option<u32>, number: u64) -> Option<&Line> {
        let line = found.and_then(|place| self.longest(place, number));
        let line = line.or_else(|| self.lines.get(self.catch_all))?;
        (line.is_plain() && line.conditions == 0).then_some(line)
    }

    /// The first line of the longest prefix that a number begins with, from the only one on that may be it.
    fn longest(&self, found: u32, number: u64) -> Option<&Line> {
        let mut place = found;
        loop {
            let line = self.lines.get(usize::try_from(place).ok()?)?;
            if prefixes::begins_with(number, line.prefix) {
                return Some(line);
            }
            place = line.shorter;
        }
    }

    /// The first lines of the prefixes that a number begins with, longest first, the catch-all last.
    pub(super) fn entries(&self, number: u64) -> impl Iterator<Item = (usize, u64)> {
        let mut place = self.prefixes.find(number).unwrap_or(NONE);
        let prefixes = core::iter::from_fn(move || {
            loop {
                let here = usize::try_from(place).ok()?;
                let line = self.lines.get(here)?;
                place = line.shorter;
                if prefixes::begins_with(number, line.prefix) {
                    return Some((here, line.prefix));
                }
            }
        });
        prefixes.chain([(self.catch_all, 0)])
    }

    /// The line of an entry that is in force at an instant for a caller.
    pub(super) fn in_force(&self, entry: usize, caller: u64, at: Instant) -> Option<&Line> {
        let mut moment = None;
        self.lines_of(entry).find(|line| match self.conditions(line) {
            None => true,
            Some(conditions) => {
                has_origin(conditions, caller)
                    && is_valid(conditions, at)
                    && self.window(conditions).is_none_or(|window| {
                        let moment = moment.get_or_insert_with(|| self.clock.moment(at));
                        window.is_open(moment, &self.clock)
                    })
            }
        })
    }

    pub(super) fn window(&self, conditions: &Conditions) -> Option<&Window> {
        self.windows.get(usize::try_from(conditions.window).ok()?.checked_sub(1)?)
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
        let mut moment: Option<Moment> = None;
        let conditions = self.lines_of(entry).filter_map(|line| self.conditions(line));
        let changes = conditions.flat_map(|conditions| {
            let window = self.window(conditions).and_then(|window| {
                let moment = moment.get_or_insert_with(|| self.clock.moment(at));
                let end = until.seconds().saturating_add(1);
                window.next_change(moment, end, &self.clock).map(time::instant)
            });
            [conditions.valid_from, conditions.valid_until, window].into_iter().flatten()
        });
        changes.filter(|change| *change > at && *change < until).min()
    }
}

/// Whether a line's origin is that of a caller.
pub(super) fn has_origin(conditions: &Conditions, caller: u64) -> bool {
    conditions.origin == 0 || prefixes::begins_with(caller, conditions.origin)
}

/// Whether an instant is in a line's validity.
pub(super) fn is_valid(conditions: &Conditions, at: Instant) -> bool {
    conditions.valid_from.is_none_or(|from| from <= at)
        && conditions.valid_until.is_none_or(|until| at < until)
}
